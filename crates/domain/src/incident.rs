//! The life of an incident: what it is, what may happen to it, and what follows from that.
//!
//! `Incident::open` and `Incident::decide` say what a command leads to; `apply` folds an event into the state; `effects`
//! says what has to be done in the outside world. State is always the fold of its events. Nothing here does anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::alert::Alert;
use crate::calendar::Calendar;
use crate::clock::{Clocks, Kind};
use crate::endpoint::Class;
use crate::evidence::{Answer, Evidence, Inquiry, MAX_ALERTS_LOOKED_UP, MAX_HOSTS_LOOKED_UP};
use crate::grouping;
use crate::ids::{
    ActionId, AgentId, AlertId, EvidenceId, IncidentId, NoticeId, PageId, PersonId, QuestionId, TenantId,
};
use crate::judgement::{Priority, Verdict};
use crate::language::Text;
use crate::notice::Notice;
use crate::oncall::{Page, Roster};
use crate::question::Question;
use crate::reason::Equal;
use crate::rules::{self, Case, Judgement};
use crate::storm::Pace;
use crate::tenant::Tenant;
use crate::untrusted::Untrusted;

mod apply;
mod command;
mod decide;
mod effect;
mod event;
#[cfg(test)]
mod tests;

pub use command::{Command, Refused, SendAnswer};
pub use effect::{Effect, Role};
pub use event::{Actor, ConsoleWrite, Event, Recorded, Visibility};

/// Most alerts kept whole in one incident. Further ones are counted, and kept by id in the store.
pub const MAX_ALERTS: usize = 50;
/// Most endpoints named in one incident.
pub const MAX_HOSTS: usize = 500;

/// Where an incident stands. *Received* lasts no longer than the decision that triages it, so it is an event, not a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Triaged,
    Acknowledged,
    Analysing,
    /// The customer holds the missing fact.
    Asked,
    Answered,
    Closed,
}

impl Phase {
    pub fn text(self) -> Text {
        match self {
            Self::Triaged => Text::new("未着手", "Triaged"),
            Self::Acknowledged => Text::new("受領済み", "Acknowledged"),
            Self::Analysing => Text::new("分析中", "Analysing"),
            Self::Asked => Text::new("お客様回答待ち", "Waiting for the customer"),
            Self::Answered => Text::new("判定済み", "Verdict given"),
            Self::Closed => Text::new("終了", "Closed"),
        }
    }

    pub fn is_open(self) -> bool {
        self != Self::Closed
    }
}

/// One incident of one tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub tenant: TenantId,
    pub received_at: Timestamp,
    pub phase: Phase,
    pub verdict: Verdict,
    pub verdict_given: Option<VerdictGiven>,
    pub judgement: Judgement,
    /// Grave attack: one lead, no automatic close, evidence before roll-back. A flag with its own duties, not a phase.
    pub dfir: bool,
    /// The contract's clocks of this cycle; `None` only within the decision that starts them.
    pub clocks: Option<Clocks>,
    /// How often the clocks were started: once, and again with each reopening.
    pub cycle: u32,
    /// When people are called if nobody takes it.
    pub escalations: Option<[Timestamp; 3]>,
    /// Only of a scan campaign.
    pub pace: Option<Pace>,
    /// An earlier incident with the same event, or a campaign this one broke out of.
    pub refers_to: Option<IncidentId>,
    /// R24: the closed incident that this one repeats, with its verdict and the proof.
    pub repeats: Option<Repeat>,
    pub title: Untrusted,
    pub alerts: Vec<Alert>,
    pub alert_count: u32,
    pub hosts: BTreeMap<AgentId, Host>,
    pub assigned: Option<PersonId>,
    pub acknowledged: Option<Acknowledged>,
    pub actions: BTreeMap<ActionId, Action>,
    pub notices: BTreeMap<NoticeId, Notice>,
    pub questions: BTreeMap<QuestionId, Question>,
    pub pages: BTreeMap<PageId, Page>,
    pub notes: Vec<Note>,
    /// What an analyst presented before the verdict, newest last.
    pub presented: Vec<Note>,
    /// The newest answer to each inquiry.
    pub evidence: BTreeMap<EvidenceId, Evidence>,
    /// Answers so far, those that newer ones replaced included.
    pub answers: u32,
    /// What the console was told and confirmed.
    pub console_writes: BTreeSet<ConsoleWrite>,
    /// Jobs that gave up; a person has to look.
    pub troubles: Vec<Untrusted>,
    /// Number of events folded in.
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    pub incident: IncidentId,
    pub verdict: Verdict,
    pub equal: Vec<Equal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    pub name: Untrusted,
    pub class: Class,
    pub first_seen: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    pub by: PersonId,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictGiven {
    pub by: VerdictBy,
    pub at: Timestamp,
    /// A person's reason. Empty when silence decided: what that means is worded where it is shown.
    pub reason: Untrusted,
}

/// Who or what decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictBy {
    Person(PersonId),
    /// 72 hours without an answer to this question.
    Silence(QuestionId),
}

impl VerdictBy {
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Person(person) => Some(person),
            Self::Silence(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub by: PersonId,
    pub at: Timestamp,
    pub visibility: Visibility,
    pub text: Untrusted,
}

/// What a decision may know besides the incident itself. All of it is pinned data.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub tenant: &'a Tenant,
    pub roster: &'a Roster,
    pub calendar: &'a Calendar,
    pub now: Timestamp,
}

impl Incident {
    pub fn priority(&self) -> Priority {
        self.judgement.priority
    }

    /// The class of an alert's endpoint as it was when the alert came in.
    pub fn class_of(&self, agent: &AgentId) -> Class {
        self.hosts.get(agent).map_or(Class::Unknown, |h| h.class)
    }

    /// What is due next: the contract's clock that runs, or, while it waits for the customer, the end of their 72 hours.
    pub fn next_due(&self) -> Option<Timestamp> {
        if !self.phase.is_open() {
            return None;
        }
        let clocks = self.clocks.as_ref()?;
        let analysed = clocks.analysed.is_some() || self.phase == Phase::Answered;
        match clocks.running() {
            Some((Kind::Analysis, _)) if analysed => None,
            Some((_, due)) => Some(due),
            None => self.waiting_question().filter(|q| q.by.is_some()).and_then(Question::deadline),
        }
    }

    /// Whether every automatic action has come to an end, in one way or the other.
    pub fn actions_settled(&self) -> bool {
        self.actions.values().all(|a| !a.state.is_running())
    }

    /// The newest question, if it has not been answered. Its 72 hours may be over: a late answer counts all the same.
    pub fn open_question(&self) -> Option<&Question> {
        self.questions.values().next_back().filter(|q| q.answer.is_none())
    }

    /// The question whose 72 hours run. A verdict ends the waiting.
    pub fn waiting_question(&self) -> Option<&Question> {
        let open = self.phase.is_open() && self.verdict_given.is_none();
        self.open_question().filter(|q| open && q.waits())
    }

    /// Folds recorded events into a state. `None` when the first one does not open an incident.
    pub fn replay<'a>(
        tenant: &TenantId,
        id: IncidentId,
        events: impl IntoIterator<Item = &'a Recorded>,
    ) -> Option<Self> {
        let mut events = events.into_iter();
        let mut incident = Self::opened_by(tenant, id, events.next()?)?;
        for recorded in events {
            incident.apply(recorded);
        }
        Some(incident)
    }

    /// What the floor says of all that is kept and of the newest alert, which may be beyond what is kept. The gravest
    /// member decides: the first rule that matches many alerts must not hide what one of them is (R19: by worst member).
    fn judged(&self, newest: &Alert) -> Judgement {
        let mut alerts: Vec<&Alert> = self.alerts.iter().filter(|a| a.id != newest.id).collect();
        alerts.push(newest);
        let classes: Vec<Class> = alerts.iter().map(|a| self.class_of(&a.endpoint.agent)).collect();
        let whole = rules::judge(&self.case(&alerts, &classes));
        let alone = rules::judge(&self.case(&[newest], &[self.class_of(&newest.endpoint.agent)]));
        whole.graver_of(alone)
    }

    fn case<'a>(&self, alerts: &'a [&'a Alert], classes: &'a [Class]) -> Case<'a> {
        Case {
            alerts,
            classes,
            hosts: u32::try_from(self.hosts.len()).unwrap_or(u32::MAX),
            answer: self.questions.values().rev().find_map(|q| q.answer.as_ref()).map(|a| a.meaning),
            before: Some(self.judgement.rule),
        }
    }

    /// Whether it is still what `repeats` says: not graver, and nothing else has joined it.
    pub fn is_mere_repeat(&self) -> bool {
        let Some(first) = self.alerts.first() else { return false };
        let likewise = |a: &Alert| {
            a.file.best_hash() == first.file.best_hash() && grouping::behaviour(a) == grouping::behaviour(first)
        };
        let judged = self.repeats.as_ref().is_some_and(|r| r.verdict != Verdict::Undetermined);
        judged && !self.dfir && self.phase.is_open() && self.alerts.iter().all(likewise)
    }

    /// The newest answer to one inquiry.
    pub fn answer_to(&self, inquiry: &Inquiry) -> Option<&Evidence> {
        self.evidence.values().find(|e| e.answer.inquiry == *inquiry)
    }

    /// What is asked about an alert by itself: what its endpoint recorded, and, the first time, what is installed there.
    fn inquiries_about(&self, alert: &Alert) -> Vec<Inquiry> {
        if !alert.endpoint.is_named() {
            return Vec::new();
        }
        let looked_up = self.alerts.iter().take(MAX_ALERTS_LOOKED_UP);
        let mut inquiries = Vec::new();
        if looked_up.clone().any(|a| a.id == alert.id) {
            inquiries.push(Inquiry::Events { alert: alert.id.clone() });
        }
        let agent = &alert.endpoint.agent;
        let first_there = self.alerts.iter().find(|a| a.endpoint.agent == *agent).is_some_and(|a| a.id == alert.id);
        if first_there && self.hosts.len() <= MAX_HOSTS_LOOKED_UP {
            inquiries.push(Inquiry::Software { agent: agent.clone() });
        }
        inquiries
    }

    fn alert(&self, id: &AlertId) -> Option<&Alert> {
        self.alerts.iter().find(|a| a.id == *id)
    }
}
