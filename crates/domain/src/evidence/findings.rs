//! What all evidence of one incident holds, read back from the store: what pages, reports and exports are made of.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::detection::Hit;
use crate::ids::{AgentId, AlertId, EvidenceId};
use crate::ioc::{Answer, Ioc, ListHit, Outcome, Pap};
use crate::telemetry::Record;
use crate::untrusted::Untrusted;
use crate::vulnerability::{Match, Software};

/// Empty where nothing was gathered; the incident's evidence says why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Each record once, though several alerts may have led to it.
    pub records: Vec<Record>,
    pub software: BTreeMap<AgentId, Vec<Software>>,
    pub indicators: Vec<Looked>,
    pub sweep: Option<Sweep>,
    pub detections: Vec<Hit>,
    pub vulnerabilities: BTreeMap<AgentId, Vec<Match>>,
    /// Evidence whose content is missing or damaged in the store.
    pub damaged: Vec<EvidenceId>,
}

/// One indicator, where it was found, and what lists and sources said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    pub ioc: Ioc,
    pub pap: Pap,
    pub origins: Vec<Origin>,
    pub lists: Vec<ListHit>,
    pub answers: Vec<Answer>,
}

/// Where an indicator stands in what was gathered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Alert(AlertId),
    /// The record's id at its source, and its endpoint.
    Record(Untrusted, AgentId),
}

/// Where indicators were searched for, and found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    pub window: Window,
    pub agents_online: u64,
    pub agents_total: u64,
    pub searches: Vec<Search>,
}

/// One question to all endpoints, about indicators of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    pub iocs: Vec<Ioc>,
    pub query: String,
    pub hits: Vec<SweepHit>,
    /// Set when the question was not answered: then no hits prove nothing.
    pub failed: Option<Untrusted>,
}

/// One indicator on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepHit {
    pub ioc: Ioc,
    pub host: Untrusted,
    pub count: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

impl Looked {
    /// On a list of bad things, or called malicious by a source. A warning list's entry says that it is common instead.
    pub fn is_bad(&self) -> bool {
        let listed = self.lists.iter().any(|hit| !hit.warning) && !self.lists.iter().any(|hit| hit.warning);
        listed || self.answers.iter().any(Answer::says_malicious)
    }

    pub fn has_gap(&self) -> bool {
        self.answers.iter().any(|answer| matches!(answer.outcome, Outcome::CouldNotAsk(_)))
    }
}

impl Sweep {
    pub fn hits(&self) -> impl Iterator<Item = &SweepHit> {
        self.searches.iter().flat_map(|search| &search.hits)
    }
}

/// An address that can be looked up or searched for outside of the network it was seen in.
pub fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast())
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80)
        }
    }
}
