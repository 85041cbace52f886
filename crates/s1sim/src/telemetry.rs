//! What endpoints recorded: processes, files, registry, network, log-ons. Nothing here is stored as it happens. The
//! events of a threat are told from its [`Story`] and those of an ordinary day from the endpoint and the date, so the
//! same question at the same time always gets the same events, and a console nobody asks costs nothing. It answers
//! no query language; `query` does.

pub(crate) mod background;
mod fields;
mod gather;
mod generic;
pub(crate) mod programs;
mod show;
pub(crate) mod story;

use std::sync::Arc;

use jiff::Timestamp;

pub(crate) use fields::{Cell, value};
pub(crate) use gather::Span;
pub(crate) use show::{Form, show};
pub(crate) use story::Story;

use crate::digest;

/// One thing that one endpoint recorded.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) agent: u64,
    /// The process that did it.
    pub(crate) process: Arc<Process>,
    pub(crate) what: What,
}

impl Event {
    /// Whether it belongs to a chain of causes, as what was done or as what was begun.
    pub(crate) fn belongs_to(&self, storyline: &str) -> bool {
        let begun = matches!(&self.what, What::Started(process) if process.storyline == storyline);
        begun || self.process.storyline == storyline
    }
}

/// A process as its endpoint knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    /// Names it within the endpoint, also after its pid was used again.
    pub(crate) key: String,
    pub(crate) parent: Option<Arc<Process>>,
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) command: String,
    /// `DOMAIN\account`.
    pub(crate) user: String,
    /// `None` for what ran before the agent did.
    pub(crate) started: Option<Timestamp>,
    pub(crate) integrity: &'static str,
    pub(crate) hashes: Hashes,
    /// Empty when it is not signed.
    pub(crate) publisher: String,
    pub(crate) storyline: String,
}

/// The three digests of a file; empty texts when the endpoint did not take them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hashes {
    pub(crate) sha1: String,
    pub(crate) sha256: String,
    pub(crate) md5: String,
}

impl Hashes {
    /// Of the made-up file with this label; the same label is the same file everywhere.
    pub(crate) fn of(label: &str) -> Self {
        Self { sha1: digest::sha1(label), sha256: digest::sha256(label), md5: digest::md5(label) }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The event's process started this one.
    Started(Arc<Process>),
    Ended,
    /// The event's process reached into this one.
    Reached {
        target: Arc<Process>,
        how: &'static str,
    },
    File {
        change: FileChange,
        path: String,
        old_path: String,
        hashes: Hashes,
        size: u64,
    },
    Registry {
        change: RegistryChange,
        key: String,
        value: String,
        data: String,
        old_data: String,
    },
    Connect {
        from: String,
        from_port: u16,
        to: String,
        port: u16,
        incoming: bool,
        succeeded: bool,
    },
    Dns {
        name: String,
        answers: String,
    },
    Url {
        method: &'static str,
        url: String,
    },
    LogOn {
        user: String,
        domain: String,
        kind: &'static str,
        from: String,
        succeeded: bool,
        off: bool,
    },
    Module {
        path: String,
        hashes: Hashes,
        publisher: String,
        driver: bool,
    },
    Task {
        change: &'static str,
        name: String,
        path: String,
    },
    Indicator {
        name: String,
        category: String,
        description: String,
        metadata: String,
    },
    Script {
        content: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileChange {
    Created,
    Modified,
    Deleted,
    Renamed,
    Scanned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegistryChange {
    ValueSet,
}

impl What {
    /// Event type, object type, and the constant by which threat events are filtered.
    pub(crate) fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Started(_) => ("Process Creation", "process", "PROCESSCREATION"),
            Self::Ended => ("Process Termination", "process", "PROCESSTERMINATION"),
            Self::Reached { how, .. } => (how, "cross_process", "PROCESSMODIFICATION"),
            Self::File { change: FileChange::Created, .. } => ("File Creation", "file", "FILECREATION"),
            Self::File { change: FileChange::Modified, .. } => ("File Modification", "file", "FILEMODIFICATION"),
            Self::File { change: FileChange::Deleted, .. } => ("File Deletion", "file", "FILEDELETION"),
            Self::File { change: FileChange::Renamed, .. } => ("File Rename", "file", "FILERENAME"),
            Self::File { change: FileChange::Scanned, .. } => ("File Scan", "file", "FILESCAN"),
            Self::Registry { change: RegistryChange::ValueSet, .. } => {
                ("Registry Value Modified", "registry", "REGVALUEMODIFIED")
            }
            Self::Connect { to, .. } => ("IP Connect", "ip", if to.contains(':') { "TCPV6" } else { "TCPV4" }),
            Self::Dns { .. } => ("DNS Resolved", "dns", "DNS"),
            Self::Url { method, .. } => (method, "url", "HTTP"),
            Self::LogOn { off: false, .. } => ("Login", "logins", "LOGIN"),
            Self::LogOn { off: true, .. } => ("Logout", "logins", "LOGOUT"),
            Self::Module { driver: false, .. } => ("Module Load", "module", "MODULE"),
            Self::Module { driver: true, .. } => ("Driver Load", "module", "MODULE"),
            Self::Task { change, .. } => match *change {
                "Task Start" => ("Task Start", "scheduled_task", "SCHEDTASKSTART"),
                "Task Update" => ("Task Update", "scheduled_task", "SCHEDTASKUPDATE"),
                "Task Delete" => ("Task Delete", "scheduled_task", "SCHEDTASKDELETE"),
                _ => ("Task Register", "scheduled_task", "SCHEDTASKREGISTER"),
            },
            Self::Indicator { .. } => ("Behavioral Indicators", "indicators", "BEHAVIORALINDICATORS"),
            Self::Script { .. } => ("Command Script", "events", "PROCESSMODIFICATION"),
        }
    }

    /// Whether it needs the network.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Dns { .. } | Self::Url { .. })
            || matches!(self, Self::LogOn { from, .. } if !from.is_empty())
    }
}

/// An event's id: 18 digits that only its label decides.
fn event_id(label: &str) -> u64 {
    100_000_000_000_000_000 + digest::number(label) % 900_000_000_000_000_000
}
