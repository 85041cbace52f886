//! What has happened to an incident, in the past tense. Events are never changed; the store chains and keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::{Action, Proof};
use crate::alert::{Alert, ConsoleStatus};
use crate::clock::Targets;
use crate::endpoint::Class;
use crate::ids::{ActionId, AlertId, IncidentId, NoticeId, PersonId, QuestionId};
use crate::judgement::Verdict;
use crate::notice::{Notice, Route};
use crate::question::{Answer, Question};
use crate::reason::Ground;
use crate::rules::{Judgement, RuleId};
use crate::untrusted::Untrusted;

/// An event with who did it and when, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub at: Timestamp,
    pub by: Actor,
    pub event: Event,
}

/// Who or what an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Intake,
    RuleFloor,
    Actuator,
    Notifier,
    Person(PersonId),
}

/// Who may read a note. Internal unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    #[default]
    Internal,
    Customer,
}

/// A fact that the console was told, and that was read back or confirmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleWrite {
    Status(ConsoleStatus),
    Verdict(Verdict),
    /// The n-th note of ours.
    Note(u32),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first alert came in (T2).
    Received {
        alert: Box<Alert>,
        class: Class,
        refers_to: Option<IncidentId>,
        grounds: Vec<Ground>,
    },
    /// A further alert belongs to this incident.
    AlertJoined {
        alert: Box<Alert>,
        class: Class,
        rule: RuleId,
        grounds: Vec<Ground>,
    },
    /// The console changed what it says of an alert we have.
    AlertChanged {
        alert: Box<Alert>,
    },
    /// The rule floor looked, and says this.
    Judged {
        judgement: Judgement,
        targets: Option<Targets>,
    },
    DfirDeclared,
    ActionDecided {
        action: Box<Action>,
    },
    ActionIntended {
        action: ActionId,
    },
    ActionSent {
        action: ActionId,
        at: Timestamp,
    },
    ActionAccepted {
        action: ActionId,
    },
    ActionAnswerLost {
        action: ActionId,
        why: Untrusted,
    },
    ActionVerified {
        action: ActionId,
        how: Proof,
    },
    ActionRefused {
        action: ActionId,
        why: Untrusted,
    },
    NoticeDecided {
        notice: Box<Notice>,
    },
    NoticeAccepted {
        notice: NoticeId,
        route: Route,
        reference: String,
        accepted_at: Timestamp,
    },
    NoticeFailed {
        notice: NoticeId,
        route: Route,
        why: Untrusted,
    },
    ConsoleUpdated {
        write: ConsoleWrite,
        alerts: u32,
    },
    Acknowledged,
    Assigned {
        to: PersonId,
    },
    NoteAdded {
        visibility: Visibility,
        text: Untrusted,
    },
    QuestionAsked {
        question: Box<Question>,
    },
    AnswerRecorded {
        question: QuestionId,
        answer: Answer,
    },
    VerdictGiven {
        verdict: Verdict,
        reason: Untrusted,
    },
    Closed,
    Reopened {
        rule: Option<RuleId>,
        grounds: Vec<Ground>,
        reason: Option<Untrusted>,
    },
    /// A job gave up; somebody has to look.
    JobGaveUp {
        what: Untrusted,
    },
}

impl Event {
    /// A stable name, for the store and for exports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "received",
            Self::AlertJoined { .. } => "alert_joined",
            Self::AlertChanged { .. } => "alert_changed",
            Self::Judged { .. } => "judged",
            Self::DfirDeclared => "dfir_declared",
            Self::ActionDecided { .. } => "action_decided",
            Self::ActionIntended { .. } => "action_intended",
            Self::ActionSent { .. } => "action_sent",
            Self::ActionAccepted { .. } => "action_accepted",
            Self::ActionAnswerLost { .. } => "action_answer_lost",
            Self::ActionVerified { .. } => "action_verified",
            Self::ActionRefused { .. } => "action_refused",
            Self::NoticeDecided { .. } => "notice_decided",
            Self::NoticeAccepted { .. } => "notice_accepted",
            Self::NoticeFailed { .. } => "notice_failed",
            Self::ConsoleUpdated { .. } => "console_updated",
            Self::Acknowledged => "acknowledged",
            Self::Assigned { .. } => "assigned",
            Self::NoteAdded { .. } => "note_added",
            Self::QuestionAsked { .. } => "question_asked",
            Self::AnswerRecorded { .. } => "answer_recorded",
            Self::VerdictGiven { .. } => "verdict_given",
            Self::Closed => "closed",
            Self::Reopened { .. } => "reopened",
            Self::JobGaveUp { .. } => "job_gave_up",
        }
    }

    /// The alert inside, for the store's evidence of it.
    pub fn alert(&self) -> Option<(&Alert, AlertId)> {
        match self {
            Self::Received { alert, .. } | Self::AlertJoined { alert, .. } | Self::AlertChanged { alert } => {
                Some((alert, alert.id.clone()))
            }
            _ => None,
        }
    }
}
