//! Where nothing was seen. Silence is a finding: a sensor that was stopped, an endpoint that was cut off, a query that was capped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Context, MAX_GAPS};
use crate::alert::Alert;
use crate::ids::AgentId;
use crate::language::Text;
use crate::telemetry::Record;
use crate::untrusted::Untrusted;

/// A time without any record of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub agent: AgentId,
    pub host: Untrusted,
    pub kind: GapKind,
    pub from: Timestamp,
    pub to: Timestamp,
    /// An alert of this endpoint falls into it, or just before it: what followed the alert is not known.
    pub after_alert: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// The endpoint was silent, and spoke again.
    Between,
    /// The endpoint fell silent while others went on, or before the end of what was asked for.
    Silent,
    /// There is an alert of the endpoint, and no record at all.
    Nothing,
}

impl GapKind {
    pub fn text(self) -> Text {
        match self {
            Self::Between => Text::new("この間の記録がありません", "No record in this time"),
            Self::Silent => Text::new("以後の記録がありません", "No record from here on"),
            Self::Nothing => Text::new(
                "アラートはありますが、端末の記録が一件もありません",
                "An alert, but no record of this endpoint at all",
            ),
        }
    }
}

/// The longest gaps in order of time, and how many more there are.
pub(super) fn of(records: &[Record], alerts: &[Alert], repeated: &[bool], context: &Context<'_>) -> (Vec<Gap>, usize) {
    let mut times: BTreeMap<&AgentId, (&Untrusted, Vec<Timestamp>)> = BTreeMap::new();
    for (_, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
        if let Some(at) = record.at {
            times.entry(&record.agent).or_insert_with(|| (&record.host, Vec::new())).1.push(at);
        }
    }
    let mut alerted: BTreeMap<&AgentId, (&Untrusted, Vec<Timestamp>)> = BTreeMap::new();
    for alert in alerts {
        let of_agent = alerted.entry(&alert.endpoint.agent).or_insert_with(|| (&alert.endpoint.name, Vec::new()));
        of_agent.1.push(alert.detected_at);
    }
    let last = times.values().flat_map(|(_, t)| t).chain(alerted.values().flat_map(|(_, t)| t)).max().copied();
    let Some(end) = context.until.into_iter().chain(last).max() else { return (Vec::new(), 0) };
    let is_long = |from: Timestamp, to: Timestamp| to.duration_since(from) > context.gap;

    let mut gaps = Vec::new();
    for (agent, (host, of_agent)) in &mut times {
        of_agent.sort_unstable();
        let alerts = alerted.get(*agent).map_or(&[][..], |(_, t)| t);
        let mut gap = |kind, from: Timestamp, to: Timestamp| {
            // An alert is recorded moments after what it is about.
            let after_alert = alerts.iter().any(|a| *a < to && from.duration_since(*a) <= context.gap);
            gaps.push(Gap { agent: (*agent).clone(), host: (*host).clone(), kind, from, to, after_alert });
        };
        for pair in of_agent.windows(2).filter(|pair| is_long(pair[0], pair[1])) {
            gap(GapKind::Between, pair[0], pair[1]);
        }
        if let Some(last) = of_agent.last().filter(|last| is_long(**last, end)) {
            gap(GapKind::Silent, *last, end);
        }
    }
    for (agent, (host, of_agent)) in alerted.iter().filter(|(agent, _)| !times.contains_key(*agent)) {
        let Some(from) = of_agent.iter().min().copied() else { continue };
        let (agent, host) = ((*agent).clone(), (*host).clone());
        gaps.push(Gap { agent, host, kind: GapKind::Nothing, from, to: end, after_alert: true });
    }

    gaps.sort_by_key(|g| (!g.after_alert, std::cmp::Reverse(g.to.duration_since(g.from)), g.from));
    let left_out = gaps.len().saturating_sub(MAX_GAPS);
    gaps.truncate(MAX_GAPS);
    gaps.sort_by_key(|g| (g.from, g.to));
    (gaps, left_out)
}
