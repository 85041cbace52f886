//! Whether an alert is news, or belongs to what is already known (R18, R19, R20, R24, and campaigns).
//!
//! `keys` says under which keys an alert is remembered; the store finds what was remembered under them; `group` decides.
//! An alert that is graver than its campaign always gets an incident of its own.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Initiator, Signature};
use crate::attack::Technique;
use crate::endpoint::Class;
use crate::ids::IncidentId;
use crate::judgement::{Priority, Verdict};
use crate::reason::{Equal, Ground};
use crate::rules::{self, Case, RuleId};

/// How two alerts can be the same thing, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Endpoint, name, SHA-256, mitigation and trigger are equal; sliding one hour.
    SameEvent,
    /// Same endpoint and storyline, 24 hours.
    SameStoryline,
    /// Same file on any of the tenant's endpoints, 24 hours.
    SameFile,
    /// Credential access or lateral movement in the tenant within the hour.
    SameIntrusion,
    /// Found by a full disk scan of the same site, 24 hours.
    SameScan,
}

impl Likeness {
    fn window(self) -> SignedDuration {
        match self {
            Self::SameEvent | Self::SameIntrusion => SignedDuration::from_hours(1),
            Self::SameStoryline | Self::SameFile | Self::SameScan => SignedDuration::from_hours(24),
        }
    }
}

/// One thing an alert is remembered by. Unique within a tenant only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub likeness: Likeness,
    /// Compared as a whole, never shown.
    pub value: String,
}

/// An earlier alert that shares a key with the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub likeness: Likeness,
    pub incident: IncidentId,
    /// When it was last seen under this key.
    pub at: Timestamp,
    /// How it behaved; see `behaviour`.
    pub behaviour: String,
    pub closed: bool,
    pub verdict: Verdict,
    pub priority: Priority,
}

/// Where an alert goes, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    New {
        /// A closed incident with the same event (R24), or a campaign it breaks out of.
        refers_to: Option<IncidentId>,
        grounds: Vec<Ground>,
    },
    Join {
        incident: IncidentId,
        rule: RuleId,
        grounds: Vec<Ground>,
    },
    Reopen {
        incident: IncidentId,
        rule: RuleId,
        grounds: Vec<Ground>,
    },
}

/// The keys of an alert, each at most 400 bytes.
pub fn keys(alert: &Alert) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut add = |likeness, parts: &[&str]| keys.push(Key { likeness, value: bounded(parts) });
    let agent = alert.endpoint.agent.as_str();
    if let Some(hash) = alert.file.sha256.as_ref().or(alert.file.sha1.as_ref()) {
        let mitigation = format!("{:?}", alert.mitigation.state);
        let trigger = format!("{:?}", alert.detection.initiated_by);
        add(Likeness::SameEvent, &[agent, alert.name.for_matching(), hash.as_str(), &mitigation, &trigger]);
        add(Likeness::SameFile, &[hash.as_str()]);
    }
    if let Some(storyline) = &alert.storyline {
        add(Likeness::SameStoryline, &[agent, storyline.for_matching()]);
    }
    if shows_intrusion(alert) {
        add(Likeness::SameIntrusion, &["intrusion"]);
    }
    if is_scan_batch(alert) {
        let site = alert.endpoint.site.as_ref().map_or("", |s| s.for_matching());
        add(Likeness::SameScan, &["scan", site]);
    }
    keys
}

/// What must be equal for an alert to be a mere repeat: whether it ran, its signature and its parent.
pub fn behaviour(alert: &Alert) -> String {
    let ran = if alert.was_executed() { "ran" } else { "static" };
    let signature = match &alert.file.signature {
        Signature::Valid { publisher } => format!("valid:{}", publisher.as_ref().map_or("", |p| p.for_matching())),
        Signature::Invalid { .. } => "invalid".into(),
        Signature::NotSigned => "unsigned".into(),
        Signature::Unknown => String::new(),
    };
    let parent = alert.process.originator.as_ref().map_or("", |p| p.for_matching());
    bounded(&[ran, &signature, parent])
}

/// Decides for one alert, given everything remembered under its keys.
pub fn group(alert: &Alert, class: Class, earlier: &[Earlier], now: Timestamp) -> Grouping {
    let mut near: Vec<&Earlier> = earlier.iter().filter(|e| now.duration_since(e.at) <= e.likeness.window()).collect();
    // The id last, so that no order of reading decides.
    near.sort_by_key(|e| (e.closed, e.likeness, Reverse(e.at), Reverse(e.incident)));
    let open: Vec<&Earlier> = near.into_iter().filter(|e| !e.closed).collect();
    let Some(nearest) = open.first() else { return earlier_closed(alert, earlier) };
    match open.iter().find(|e| !is_campaign(e) || !breaks_out(alert, class, e)) {
        Some(open) => join_open(open),
        None => {
            let id = nearest.incident;
            Grouping::New { refers_to: Some(id), grounds: vec![Ground::BreaksOutOfCampaign(id)] }
        }
    }
}

fn join_open(open: &Earlier) -> Grouping {
    let id = open.incident;
    let (rule, grounds) = match open.likeness {
        Likeness::SameEvent => (RuleId::R18, vec![Ground::SameEventAs(id)]),
        Likeness::SameStoryline => (RuleId::R18, vec![Ground::SameStorylineAs(id)]),
        Likeness::SameFile => (RuleId::R18, vec![Ground::SameFileAs(id)]),
        Likeness::SameIntrusion => (RuleId::R18, vec![Ground::SameIntrusionAs(id)]),
        Likeness::SameScan => (RuleId::R19, vec![Ground::FullDiskScan]),
    };
    Grouping::Join { incident: id, rule, grounds }
}

/// R20 and R24: the same file was judged before.
fn earlier_closed(alert: &Alert, earlier: &[Earlier]) -> Grouping {
    let now_behaves = behaviour(alert);
    let known = earlier
        .iter()
        .filter(|e| e.closed && matches!(e.likeness, Likeness::SameEvent | Likeness::SameFile))
        .max_by_key(|e| (e.at, Reverse(e.likeness), e.incident));
    match known {
        Some(e) if e.verdict == Verdict::FalsePositive && e.behaviour != now_behaves => Grouping::Reopen {
            incident: e.incident,
            rule: RuleId::R20,
            grounds: vec![Ground::BehaviourDiffersFrom(e.incident)],
        },
        Some(e) if e.likeness == Likeness::SameEvent || e.behaviour == now_behaves => {
            let equal = equal(e.likeness, e.behaviour == now_behaves);
            let ground = Ground::RepeatOf { incident: e.incident, verdict: e.verdict, equal };
            Grouping::New { refers_to: Some(e.incident), grounds: vec![ground] }
        }
        _ => Grouping::New { refers_to: None, grounds: Vec::new() },
    }
}

/// What the keys and the behaviour of two alerts prove to be equal (`keys`, `behaviour`).
fn equal(likeness: Likeness, behaves: bool) -> Vec<Equal> {
    let by_key = match likeness {
        Likeness::SameEvent => {
            vec![Equal::Endpoint, Equal::DetectionName, Equal::Hash, Equal::Mitigation, Equal::Trigger]
        }
        _ => vec![Equal::Hash],
    };
    let by_behaviour = if behaves { vec![Equal::WhetherItRan, Equal::Signature, Equal::Parent] } else { Vec::new() };
    by_key.into_iter().chain(by_behaviour).collect()
}

fn is_campaign(open: &Earlier) -> bool {
    matches!(open.likeness, Likeness::SameFile | Likeness::SameScan)
}

/// Whether the alert alone is graver than the campaign: it ran, or on a server, or is not stopped. So it is never hidden
/// among milder ones, and yet every incident broken out is graver than the one before, which keeps them few (REL-19).
/// (A count of engines comes with the investigation; old known files are what a first scan finds.)
fn breaks_out(alert: &Alert, class: Class, campaign: &Earlier) -> bool {
    let alone = Case { alerts: &[alert], classes: &[class], hosts: 1, answer: None, before: None };
    campaign.priority > Priority::P1 && rules::judge(&alone).priority < campaign.priority
}

fn is_scan_batch(alert: &Alert) -> bool {
    alert.detection.initiated_by == Initiator::FullDiskScan
}

fn shows_intrusion(alert: &Alert) -> bool {
    alert.was_executed() && alert.shows_any(&[Technique::new(1003), Technique::new(1021), Technique::sub(1569, 2)])
}

/// Parts joined by a character that no part contains, cut to 400 bytes.
fn bounded(parts: &[&str]) -> String {
    let mut joined = parts.iter().map(|p| p.replace('\u{1f}', " ")).collect::<Vec<_>>().join("\u{1f}");
    while joined.len() > 400 {
        joined.pop();
    }
    joined
}
