//! The rule floor: the decision table of the service, first match in the given order wins (`practice.md` §1).
//!
//! A SOC lead can read it top to bottom in `FLOOR`. A model may raise what it says, never lower it. Rules that need evidence
//! which this program does not gather yet are listed with what they wait for, and never match.

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Classification, Confidence, Engine, Kind as DetectionKind, Reputation, Signature};
use crate::attack::Technique;
use crate::endpoint::Class;
use crate::judgement::{Priority, Verdict};
use crate::language::Text;
use crate::question::Meaning;
use crate::reason::Ground;

mod conditions;
mod table;

pub use table::FLOOR;

/// `R01` to `R27`, stable names that notes, reports and tests quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[rustfmt::skip]
pub enum RuleId {
    R01, R02, R03, R04, R05, R06, R07, R08, R09, R10, R11, R12, R13, R14,
    R15, R16, R17, R18, R19, R20, R21, R22, R23, R24, R25, R26, R27,
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// One line of the decision table.
#[derive(Debug)]
pub struct Rule {
    pub id: RuleId,
    /// What it is about, for people.
    pub title: Text,
    pub needs: Needs,
    /// What the table says unless the condition says otherwise.
    pub verdict: Verdict,
    pub priority: Priority,
    pub automatic: &'static [Automatic],
    pub strength: Strength,
    /// The analyst's next step.
    pub next: Text,
    /// What the customer is asked to do, `None` when nothing is.
    pub request: Option<Request>,
    when: fn(&Case<'_>) -> Option<Match>,
}

/// What a rule needs to be able to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// What the alert itself says.
    Alert,
    /// What is already known of earlier alerts and incidents (R18-R20, R24: `grouping`).
    History,
    /// The customer's answer.
    Answer,
    /// Evidence that the investigation gathers: not connected yet.
    Investigation,
    /// A person who matches operator, host and window: not connected yet.
    Person,
    /// Firewall and access-control activities: not taken in yet.
    NetworkActivities,
}

impl Needs {
    /// Whether a rule with this need can match today.
    pub fn is_met(self) -> bool {
        matches!(self, Self::Alert | Self::History | Self::Answer)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Automatic {
    Kill,
    Quarantine,
    /// If the class of the endpoint allows it.
    Isolate,
    DfirMode,
}

/// How firmly the evidence stands; decides isolation and the certainty that messages express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    Weak,
    Strong,
    Decisive,
}

impl Strength {
    /// The certainty wording of `practice.md` §3.
    pub fn certainty(self) -> Text {
        match self {
            Self::Decisive => Text::new("確認しました", "confirmed"),
            Self::Strong => Text::new("判断しています（確度：高）", "assessed, high confidence"),
            Self::Weak => Text::new("可能性があります", "possible"),
        }
    }
}

/// A request to the customer and how binding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub weight: Weight,
    pub text: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    Must,
    Should,
    Could,
}

/// Everything a rule may look at: all alerts of the incident, the class of their endpoints, the newest answer.
#[derive(Debug)]
pub struct Case<'a> {
    pub alerts: &'a [&'a Alert],
    /// Class of each alert's endpoint, in the same order.
    pub classes: &'a [Class],
    pub hosts: u32,
    pub answer: Option<Meaning>,
    /// What was judged before, when this is a second look.
    pub before: Option<RuleId>,
}

/// A condition that held, with its grounds and what differs from the table's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub grounds: Vec<Ground>,
    pub verdict: Option<Verdict>,
    pub priority: Option<Priority>,
}

/// What the floor says of a case, with a written reason for each step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    pub rule: RuleId,
    pub verdict: Verdict,
    pub priority: Priority,
    pub strength: Strength,
    pub grounds: Vec<Ground>,
    pub modifiers: Vec<Modifier>,
}

impl Judgement {
    /// The one that asks for more; this one when they are equal.
    pub fn graver_of(self, other: Self) -> Self {
        let rank = |j: &Self| (std::cmp::Reverse(j.priority), j.verdict.gravity(), j.strength);
        if rank(&other) > rank(&self) { other } else { self }
    }

    /// Whether this says something graver than `before`, or as much by a rule that stands before it in the table: malware
    /// that spreads (R26) is more than malware that runs (R05), at the same priority.
    pub fn adds_to(&self, before: &Self) -> bool {
        let said = |j: &Self| (j.priority, j.verdict, j.strength);
        let place = |j: &Self| FLOOR.iter().position(|rule| rule.id == j.rule);
        self.priority < before.priority
            || self.verdict.gravity() > before.verdict.gravity()
            || self.strength > before.strength
            || (said(self) == said(before) && place(self) < place(before))
    }

    /// This one, as grave as `before` in everything that is said of gravity.
    pub fn not_below(self, before: &Self) -> Self {
        let verdict = if before.verdict.gravity() > self.verdict.gravity() { before.verdict } else { self.verdict };
        let priority = self.priority.min(before.priority);
        let strength = self.strength.max(before.strength);
        Self { verdict, priority, strength, ..self }
    }
}

/// One step up or down, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modifier {
    pub from: Priority,
    pub to: Priority,
    pub grounds: Vec<Ground>,
}

/// Applies the table. There is always an answer: R23 takes what nothing else decides.
pub fn judge(case: &Case<'_>) -> Judgement {
    let (rule, found) = FLOOR
        .iter()
        .filter(|rule| rule.needs.is_met())
        .find_map(|rule| Some((rule, (rule.when)(case)?)))
        // The last line of the table matches every case; the fallback repeats it so that nothing can go unjudged.
        .unwrap_or((table::last(), Match { grounds: vec![Ground::NoRuleDecides], verdict: None, priority: None }));
    let verdict = found.verdict.unwrap_or(rule.verdict);
    let base = found.priority.unwrap_or(rule.priority);
    let modifiers = if verdict == Verdict::FalsePositive { Vec::new() } else { modifiers(case, base) };
    let priority = modifiers.last().map_or(base, |m| m.to);
    Judgement { rule: rule.id, verdict, priority, strength: rule.strength, grounds: found.grounds, modifiers }
}

/// What the table's own line says, for rules that `grouping` applies.
pub fn by_the_table(id: RuleId, grounds: Vec<Ground>) -> Judgement {
    let Rule { verdict, priority, strength, .. } = *rule(id);
    Judgement { rule: id, verdict, priority, strength, grounds, modifiers: Vec::new() }
}

/// The line of the table with this id.
pub fn rule(id: RuleId) -> &'static Rule {
    // A unit test proves that every id has its line; the fallback keeps this total.
    FLOOR.iter().find(|r| r.id == id).unwrap_or(table::last())
}

fn modifiers(case: &Case<'_>, base: Priority) -> Vec<Modifier> {
    let mut priority = base;
    let mut steps = Vec::new();
    let mut step = |raise: bool, grounds: Vec<Ground>| {
        let to = if raise { priority.raised() } else { priority.lowered() };
        if to != priority {
            steps.push(Modifier { from: priority, to, grounds });
            priority = to;
        }
    };
    let graver = |class: &&Class| class.is_critical() || **class == Class::VipWorkstation;
    if let Some(class) = case.classes.iter().find(graver) {
        step(true, vec![Ground::EndpointClass(*class)]);
    }
    if case.alerts.iter().any(|a| !a.is_mitigated()) {
        step(true, vec![Ground::NotMitigated]);
    }
    if case.hosts >= 3 {
        step(true, vec![Ground::Hosts(case.hosts)]);
    }
    let blocked_on_workstations = case.alerts.iter().all(|a| a.is_mitigated() && !a.was_executed())
        && case.classes.iter().all(|c| *c == Class::Workstation)
        && !case.alerts.is_empty();
    if blocked_on_workstations && case.hosts < 3 {
        step(false, vec![Ground::BlockedBeforeExecution]);
    }
    steps
}

#[cfg(test)]
mod tests;
