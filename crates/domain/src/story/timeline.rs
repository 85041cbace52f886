//! Everything in the order of time: records, alerts and the gaps between them.
//!
//! Nothing is dropped unsaid: the counts of all lines, of what has no time and of what was left out add up to what came in.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deeds::{self, Deed, Verb};
use super::gaps::{self, Gap};
use super::tree::{NodeId, Places};
use super::{Context, MAX_ENTRIES};
use crate::alert::{Alert, Source};
use crate::ids::{AgentId, AlertId};
use crate::telemetry::Record;
use crate::untrusted::Untrusted;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeline {
    /// By time.
    pub entries: Vec<Entry>,
    /// Records without a time that can be true. Their place among the others is not known.
    pub undated: Vec<Entry>,
    /// Records beyond `MAX_ENTRIES`, the least telling.
    pub left_out: usize,
    /// Records that came more than once, counted here and nowhere else.
    pub repeated: usize,
    pub gaps_left_out: usize,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Option<Timestamp>,
    /// The last of what was folded into this line; the end of a gap.
    pub until: Option<Timestamp>,
    pub agent: AgentId,
    pub host: Untrusted,
    pub item: Item,
    /// How many records or alerts this line stands for.
    pub times: u32,
    /// More than one: the line stands for as many different objects, of which it shows the first.
    pub objects: u32,
    /// Who did it, in the tree.
    pub node: Option<NodeId>,
    /// How much an analyst wants to see it, 0 to 3. Alerts and gaps are 3.
    pub tells: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Record(Deed),
    Alert { id: AlertId, name: Untrusted, source: Source, alert: usize },
    Gap(Gap),
}

impl Timeline {
    /// How many records and alerts all of it stands for.
    pub fn accounted_for(&self) -> usize {
        let lines: usize = self.entries.iter().chain(&self.undated).map(|e| e.times as usize).sum();
        lines + self.left_out + self.repeated
    }
}

pub(super) fn of(
    records: &[Record],
    alerts: &[Alert],
    repeated: &[bool],
    places: &Places,
    context: &Context<'_>,
) -> Timeline {
    let mut order: Vec<usize> = (0..records.len()).filter(|index| !repeated[*index]).collect();
    order.sort_by_key(|index| (records[*index].at, *index));
    let mut dated = Vec::new();
    let mut undated = Vec::new();
    fold_repeats(records, order, places, context, &mut dated, &mut undated);

    dated.extend(alerts.iter().enumerate().map(|(index, alert)| line_of_alert(index, alert)));
    let (gaps, gaps_left_out) = gaps::of(records, alerts, repeated, context);
    dated.extend(gaps.into_iter().map(line_of_gap));
    dated.sort_by_key(|entry| entry.at);

    let mut timeline =
        Timeline { repeated: repeated.iter().filter(|r| **r).count(), gaps_left_out, ..Timeline::default() };
    let mut left_out = 0;
    timeline.entries = shorten(dated, &mut left_out);
    timeline.undated = shorten(undated, &mut left_out);
    timeline.left_out = left_out;
    timeline
}

/// The same deed of the same process is one line while less than `context.fold` lies between two of them.
fn fold_repeats(
    records: &[Record],
    order: Vec<usize>,
    places: &Places,
    context: &Context<'_>,
    dated: &mut Vec<Entry>,
    undated: &mut Vec<Entry>,
) {
    type Key<'a> = (&'a AgentId, Option<NodeId>, Verb, Untrusted);
    let mut latest: HashMap<Key<'_>, usize> = HashMap::new();
    let mut latest_undated: HashMap<Key<'_>, usize> = HashMap::new();
    for index in order {
        let record = &records[index];
        let (verb, object) = deeds::told(record);
        let key = (&record.agent, places[index], verb, object);
        let (lines, latest) = match record.at {
            Some(_) => (&mut *dated, &mut latest),
            None => (&mut *undated, &mut latest_undated),
        };
        if let Some(line) = latest.get(&key).map(|line| &mut lines[*line])
            && is_soon(line.until, record.at, context)
            && let Item::Record(deed) = &mut line.item
        {
            line.until = record.at;
            line.times = line.times.saturating_add(1);
            line.tells = line.tells.max(deeds::tells(record));
            deed.times = line.times;
            deed.last = record.at;
            continue;
        }
        let deed = Deed {
            verb,
            object: key.3.clone(),
            record: index,
            id: record.id.clone(),
            times: 1,
            first: record.at,
            last: record.at,
        };
        lines.push(Entry {
            at: record.at,
            until: record.at,
            agent: record.agent.clone(),
            host: record.host.clone(),
            item: Item::Record(deed),
            times: 1,
            objects: 1,
            node: places[index],
            tells: deeds::tells(record),
        });
        latest.insert(key, lines.len() - 1);
    }
}

fn is_soon(last: Option<Timestamp>, at: Option<Timestamp>, context: &Context<'_>) -> bool {
    match (last, at) {
        (Some(last), Some(at)) => at.duration_since(last) <= context.fold,
        // Among those without a time, nothing says that they lie apart.
        _ => true,
    }
}

fn line_of_alert(index: usize, alert: &Alert) -> Entry {
    Entry {
        at: Some(alert.detected_at),
        until: Some(alert.detected_at),
        agent: alert.endpoint.agent.clone(),
        host: alert.endpoint.name.clone(),
        item: Item::Alert { id: alert.id.clone(), name: alert.name.clone(), source: alert.source, alert: index },
        times: 1,
        objects: 1,
        node: None,
        tells: 3,
    }
}

fn line_of_gap(gap: Gap) -> Entry {
    Entry {
        at: Some(gap.from),
        until: Some(gap.to),
        agent: gap.agent.clone(),
        host: gap.host.clone(),
        item: Item::Gap(gap),
        times: 0,
        objects: 0,
        node: None,
        tells: 3,
    }
}

/// Brings a timeline to `MAX_ENTRIES`: first what follows on one another of the same kind becomes one line, then the least telling
/// goes. Ten thousand files renamed stay one line that says so.
fn shorten(entries: Vec<Entry>, left_out: &mut usize) -> Vec<Entry> {
    if entries.len() <= MAX_ENTRIES {
        return entries;
    }
    let mut joined: Vec<Entry> = Vec::with_capacity(MAX_ENTRIES);
    for entry in entries {
        match joined.last_mut() {
            Some(last) if is_alike(last, &entry) => {
                last.until = last.until.max(entry.until);
                last.times = last.times.saturating_add(entry.times);
                last.objects = last.objects.saturating_add(entry.objects);
                if let Item::Record(deed) = &mut last.item {
                    deed.times = last.times;
                    deed.last = last.until;
                }
            }
            _ => joined.push(entry),
        }
    }
    let excess = joined.len().saturating_sub(MAX_ENTRIES);
    let mut by_weight: Vec<usize> = (0..joined.len()).collect();
    by_weight.sort_by_key(|place| {
        let entry = &joined[*place];
        (matches!(entry.item, Item::Alert { .. }), entry.tells, std::cmp::Reverse(*place))
    });
    let mut goes = vec![false; joined.len()];
    for place in by_weight.into_iter().take(excess) {
        goes[place] = true;
        *left_out += joined[place].times as usize;
    }
    joined.into_iter().zip(goes).filter(|(_, goes)| !goes).map(|(entry, _)| entry).collect()
}

fn is_alike(one: &Entry, other: &Entry) -> bool {
    match (&one.item, &other.item) {
        (Item::Record(a), Item::Record(b)) => {
            a.verb == b.verb && one.node == other.node && one.agent == other.agent && one.tells == other.tells
        }
        _ => false,
    }
}
