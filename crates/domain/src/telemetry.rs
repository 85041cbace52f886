//! What an endpoint recorded, in one form, whichever source it came from: who did what, to what, and when.
//!
//! `sentinelone` builds it from Deep Visibility, PowerQuery and the threat's own events; `story` draws the tree and the timeline
//! from it, `detect` runs rules over it, `ioc` reads indicators out of it. Every text in it is the endpoint's own. It decides
//! nothing.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Hash, Signature};
use crate::endpoint::Os;
use crate::ids::AgentId;
use crate::untrusted::Untrusted;

/// One thing that one endpoint recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The source's own id of it, so that it can be found there again (SentinelOne: `id`).
    pub id: Untrusted,
    /// When the endpoint says it happened (SentinelOne: `eventTime`, else `createdAt`). `None` when it gave no time that can be
    /// true: a year 2185, or 1970.
    pub at: Option<Timestamp>,
    pub agent: AgentId,
    pub host: Untrusted,
    pub os: Os,
    /// The process that did it (SentinelOne: `srcProc*`, or `process*`).
    pub process: Process,
    /// Groups what belongs to one chain of causes on one endpoint (SentinelOne: `storyline`).
    pub storyline: Option<Untrusted>,
    pub what: What,
}

/// A process, as far as a record tells. Every part may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Process {
    /// Names it within its endpoint, also after its pid was used again (SentinelOne: `processUniqueKey`, `srcProcUid`).
    pub key: Option<Untrusted>,
    pub parent: Option<Parent>,
    pub pid: Option<u32>,
    pub name: Option<Untrusted>,
    /// Full path of its program (SentinelOne: `processImagePath`).
    pub image: Option<Untrusted>,
    pub command_line: Option<Untrusted>,
    /// `DOMAIN\account`.
    pub user: Option<Untrusted>,
    pub started_at: Option<Timestamp>,
    pub integrity: Option<Untrusted>,
    pub hashes: Hashes,
    pub signature: Signature,
}

/// What a process says of the one that started it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parent {
    pub key: Option<Untrusted>,
    pub pid: Option<u32>,
    pub name: Option<Untrusted>,
    pub image: Option<Untrusted>,
    pub command_line: Option<Untrusted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hashes {
    pub sha256: Option<Hash>,
    pub sha1: Option<Hash>,
    pub md5: Option<Hash>,
}

impl Hashes {
    /// The strongest one at hand.
    pub fn best(&self) -> Option<&Hash> {
        self.sha256.as_ref().or(self.sha1.as_ref()).or(self.md5.as_ref())
    }

    pub fn all(&self) -> impl Iterator<Item = &Hash> {
        [&self.sha256, &self.sha1, &self.md5].into_iter().flatten()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// `process` started this one.
    ProcessStarted(Box<Process>),
    ProcessEnded,
    /// `process` reached into another process: opened, injected, read its memory.
    ProcessReached {
        target: Box<Process>,
        how: Untrusted,
    },
    File {
        change: FileChange,
        path: Untrusted,
        old_path: Option<Untrusted>,
        size_bytes: Option<u64>,
        hashes: Hashes,
    },
    Registry {
        change: RegistryChange,
        key: Untrusted,
        value: Option<Untrusted>,
        data: Option<Untrusted>,
    },
    Network(Network),
    Dns {
        name: Untrusted,
        answers: Vec<Untrusted>,
    },
    Http {
        method: Option<Untrusted>,
        url: Untrusted,
    },
    LogOn(LogOn),
    /// A library or driver was loaded.
    Module {
        path: Untrusted,
        hashes: Hashes,
        signature: Signature,
        driver: bool,
    },
    ScheduledTask {
        change: TaskChange,
        name: Untrusted,
        path: Option<Untrusted>,
    },
    /// The endpoint product's own finding (SentinelOne: behavioural indicator).
    Indicator {
        name: Untrusted,
        category: Option<Untrusted>,
        description: Option<Untrusted>,
    },
    Script {
        content: Untrusted,
    },
    /// Kept so that it is counted and can be read, though we have no words for it.
    Other {
        kind: Untrusted,
        detail: Option<Untrusted>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    Created,
    Modified,
    Deleted,
    Renamed,
    Read,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistryChange {
    KeyCreated,
    KeyRenamed,
    KeyDeleted,
    ValueSet,
    ValueDeleted,
    /// Exported, imported, or its security changed.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskChange {
    Registered,
    Updated,
    Started,
    Deleted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    pub direction: Direction,
    pub protocol: Option<Untrusted>,
    pub source: Option<IpAddr>,
    pub source_port: Option<u16>,
    pub destination: Option<IpAddr>,
    pub destination_port: Option<u16>,
    /// `None` when the record does not say whether it came about.
    pub succeeded: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Outgoing,
    Incoming,
    Listening,
    #[default]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOn {
    pub user: Option<Untrusted>,
    /// In the source's words: `NETWORK`, `INTERACTIVE`, `REMOTE_INTERACTIVE`.
    pub kind: Option<Untrusted>,
    pub source: Option<IpAddr>,
    pub succeeded: Option<bool>,
    pub log_off: bool,
}

impl Record {
    /// The process that a reader of the tree looks for: the one started, else the one that acted.
    pub fn subject(&self) -> &Process {
        match &self.what {
            What::ProcessStarted(started) => started,
            _ => &self.process,
        }
    }
}
