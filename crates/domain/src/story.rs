//! What happened, as a person reads it: who started whom, what each process did, and when.
//!
//! `Story::of` draws the process tree and the timeline of an incident from what endpoints recorded. Every text is the endpoint's
//! own, so nothing in the records is believed: cycles, pids used twice, missing parents and floods leave a bounded story that says
//! what it left out (SEC-38). It judges nothing and looks nothing up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Hash};
use crate::telemetry::Record;

mod census;
pub(crate) mod deeds;
mod gaps;
mod ties;
mod timeline;
mod tree;

#[cfg(test)]
mod tests;

pub use deeds::{Deed, Deeds, Verb};
pub use gaps::{Gap, GapKind};
pub use ties::Ties;
pub use timeline::{Entry, Item, Timeline};
pub use tree::{Node, NodeId, Tree};

/// Most processes in a tree. What belongs to the alert is kept first.
pub const MAX_NODES: usize = 2_000;
/// Deepest nesting. A longer chain goes on as a tree of its own, so that depth hides nothing.
pub const MAX_DEPTH: u32 = 64;
/// Most lines of a timeline.
pub const MAX_ENTRIES: usize = 5_000;
/// Most deeds shown of one kind at one process.
pub const MAX_TELLING: usize = 5;
/// Most gaps named.
pub const MAX_GAPS: usize = 100;

/// Tree and timeline of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    pub tree: Tree,
    pub timeline: Timeline,
}

/// What the storyteller may know beside records and alerts. All of it is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context<'a> {
    /// How common a file is among the customer's endpoints.
    pub seen: &'a BTreeMap<Hash, Seen>,
    /// The time that the sources were asked about. Silence at its end is a gap; without it, the last record is the end.
    pub until: Option<Timestamp>,
    /// No record of an endpoint for longer than this is a gap.
    pub gap: SignedDuration,
    /// The same deed of the same process within this time of its last is one line with a count.
    pub fold: SignedDuration,
}

/// Prevalence of a file: on how many of the customer's endpoints, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub endpoints: u32,
    pub of: u32,
    pub first_seen: Option<Timestamp>,
}

impl Story {
    pub fn of(records: &[Record], alerts: &[Alert], context: &Context<'_>) -> Self {
        let repeated = repeats(records);
        let census = census::Census::take(records, &repeated);
        let ties = ties::of(records, alerts, &repeated, &census);
        let (tree, places) = tree::grow(records, census, &ties, &repeated, context);
        let timeline = timeline::of(records, alerts, &repeated, &places, context);
        Self { tree, timeline }
    }
}

impl Default for Context<'_> {
    fn default() -> Self {
        static NOTHING: BTreeMap<Hash, Seen> = BTreeMap::new();
        Self { seen: &NOTHING, until: None, gap: SignedDuration::from_mins(30), fold: SignedDuration::from_mins(1) }
    }
}

impl Seen {
    /// On no more than one endpoint in fifty, and on no more than three.
    pub fn is_rare(&self) -> bool {
        self.endpoints <= 3 && u64::from(self.endpoints) * 50 <= u64::from(self.of).max(50)
    }
}

/// Marks records that came twice: sources overlap, and a record is one only when id and content agree.
fn repeats(records: &[Record]) -> Vec<bool> {
    let mut first: std::collections::HashMap<(&str, &str), Vec<usize>> = std::collections::HashMap::new();
    let mut repeated = vec![false; records.len()];
    for (index, record) in records.iter().enumerate() {
        let id = record.id.for_matching();
        if id.is_empty() {
            continue;
        }
        let same_id = first.entry((record.agent.as_str(), id)).or_default();
        // A flood of different records under one id costs comparing with a few of them only.
        if same_id.iter().take(8).any(|earlier| records[*earlier] == *record) {
            repeated[index] = true;
        } else {
            same_id.push(index);
        }
    }
    repeated
}
