//! What has happened to an incident, in the past tense. Events are never changed; the store chains and keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::{Action, Proof};
use crate::alert::{Alert, ConsoleStatus};
use crate::clock::{Exclusion, PauseReason, Targets, Terms};
use crate::endpoint::Class;
use crate::evidence::{Evidence, Inquiry};
use crate::ids::{ActionId, AlertId, IncidentId, NoticeId, PageId, PersonId, QuestionId};
use crate::judgement::{Priority, Verdict};
use crate::notice::{Notice, Route};
use crate::oncall::Page;
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
    /// Time itself: a deadline passed, a call rose.
    Timekeeper,
    /// Looks things up, and can change nothing anywhere.
    Investigator,
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
    },
    /// A person says that it is graver than the floor did. Nobody can say that it is less so.
    PriorityRaised {
        priority: Priority,
        reason: Untrusted,
    },
    /// The contract's clocks start, at the receipt (T2) or anew: on what terms, and by when. `None` beyond the calendar.
    ClocksStarted {
        terms: Box<Terms>,
        targets: Option<Targets>,
        /// When people are called if nobody takes it.
        escalations: [Timestamp; 3],
    },
    /// A rise in priority brought the promises forward.
    TargetsMoved {
        targets: Option<Targets>,
        escalations: Option<[Timestamp; 3]>,
    },
    ClocksPaused {
        why: PauseReason,
        from: Timestamp,
    },
    ClocksResumed {
        why: PauseReason,
        targets: Option<Targets>,
    },
    /// It does not count against the service levels, for a reason that the customer sees.
    ClocksExcluded {
        exclusion: Exclusion,
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
    /// No channel of the customer took it within two minutes (REL-09).
    NoticeNotConfirmed {
        notice: NoticeId,
    },
    /// A person of the SOC is called.
    Paged {
        page: Box<Page>,
    },
    PageAccepted {
        page: PageId,
        reference: String,
        accepted_at: Timestamp,
    },
    PageFailed {
        page: PageId,
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
    /// The customer is reminded, this many hours after the question.
    QuestionReminded {
        question: QuestionId,
        hours: u8,
    },
    /// 72 hours of silence. They make an undetermined verdict *suspicious*, and leave any other as it is (REL-15).
    AnswerOverdue {
        question: QuestionId,
        verdict: Option<Verdict>,
    },
    AnswerRecorded {
        question: QuestionId,
        answer: Answer,
    },
    /// An analyst presents the verdict so far, its grounds and a recommendation; the analysis goes on.
    AnalysisPresented {
        text: Untrusted,
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
    /// Something was looked up, or could not be.
    EvidenceGathered {
        evidence: Box<Evidence>,
    },
    /// A person wants it looked up once more.
    InquiryRepeated {
        inquiry: Inquiry,
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
            Self::PriorityRaised { .. } => "priority_raised",
            Self::ClocksStarted { .. } => "clocks_started",
            Self::TargetsMoved { .. } => "targets_moved",
            Self::ClocksPaused { .. } => "clocks_paused",
            Self::ClocksResumed { .. } => "clocks_resumed",
            Self::ClocksExcluded { .. } => "clocks_excluded",
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
            Self::NoticeNotConfirmed { .. } => "notice_not_confirmed",
            Self::Paged { .. } => "paged",
            Self::PageAccepted { .. } => "page_accepted",
            Self::PageFailed { .. } => "page_failed",
            Self::ConsoleUpdated { .. } => "console_updated",
            Self::Acknowledged => "acknowledged",
            Self::Assigned { .. } => "assigned",
            Self::NoteAdded { .. } => "note_added",
            Self::QuestionAsked { .. } => "question_asked",
            Self::QuestionReminded { .. } => "question_reminded",
            Self::AnswerOverdue { .. } => "answer_overdue",
            Self::AnswerRecorded { .. } => "answer_recorded",
            Self::AnalysisPresented { .. } => "analysis_presented",
            Self::VerdictGiven { .. } => "verdict_given",
            Self::Closed => "closed",
            Self::Reopened { .. } => "reopened",
            Self::EvidenceGathered { .. } => "evidence_gathered",
            Self::InquiryRepeated { .. } => "inquiry_repeated",
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
