//! What somebody or something wants to happen to an incident, and why it can be refused.

use jiff::Timestamp;

use crate::action::{Proof, State};
use crate::alert::Alert;
use crate::evidence::{Answer, Inquiry};
use crate::ids::{ActionId, NoticeId, PageId, PersonId, QuestionId};
use crate::judgement::{Priority, Verdict};
use crate::language::{Language, Text};
use crate::notice::Route;
use crate::question::Meaning;
use crate::reason::Ground;
use crate::rules::RuleId;
use crate::untrusted::Untrusted;

use super::{Actor, ConsoleWrite, Phase, Visibility};

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A further alert was found to belong here (R18, R19), or to reopen this (R20).
    TakeAlert {
        alert: Box<Alert>,
        rule: RuleId,
        grounds: Vec<Ground>,
    },
    /// The console has a newer version of an alert that is already here.
    UpdateAlert {
        alert: Box<Alert>,
    },
    Acknowledge {
        by: PersonId,
    },
    Assign {
        to: PersonId,
        by: PersonId,
    },
    AddNote {
        by: PersonId,
        visibility: Visibility,
        text: Untrusted,
    },
    Ask {
        by: PersonId,
        addition: Option<Untrusted>,
    },
    RecordAnswer {
        by: PersonId,
        question: QuestionId,
        meaning: Meaning,
        words: Untrusted,
    },
    /// The verdict so far, its grounds and a recommendation, before the final verdict.
    PresentAnalysis {
        by: PersonId,
        text: Untrusted,
    },
    /// A lead says that it is graver.
    RaisePriority {
        by: PersonId,
        priority: Priority,
        reason: Untrusted,
    },
    /// The customer asked to wait.
    Hold {
        by: PersonId,
        reason: Untrusted,
    },
    EndHold {
        by: PersonId,
    },
    /// Whatever time has brought about by now: reminders, silence, calls. Says nothing when nothing is due.
    LetTimePass,
    ConfirmPage {
        page: PageId,
        reference: String,
        accepted_at: Timestamp,
    },
    FailPage {
        page: PageId,
        why: Untrusted,
    },
    GiveVerdict {
        by: PersonId,
        verdict: Verdict,
        reason: Untrusted,
    },
    Close {
        by: PersonId,
    },
    /// R24: the same event as a closed incident: its verdict, with the proof as the reason, and closed.
    CloseAsRepeat {
        by: PersonId,
    },
    Reopen {
        by: PersonId,
        reason: Untrusted,
    },
    /// The actuator is about to tell the console.
    IntendAction {
        action: ActionId,
    },
    /// The actuator told the console; what came back.
    ReportSend {
        action: ActionId,
        sent_at: Timestamp,
        answer: SendAnswer,
    },
    /// A read-back shows the wanted state.
    ConfirmAction {
        action: ActionId,
        how: Proof,
    },
    /// It cannot be done, or a read-back shows that it failed.
    RefuseAction {
        action: ActionId,
        why: Untrusted,
    },
    ConfirmNotice {
        notice: NoticeId,
        route: Route,
        reference: String,
        accepted_at: Timestamp,
    },
    FailNotice {
        notice: NoticeId,
        route: Route,
        why: Untrusted,
    },
    ConfirmConsole {
        write: ConsoleWrite,
        alerts: u32,
    },
    /// An inquiry was answered, or came to nothing.
    RecordAnswerTo {
        answer: Box<Answer>,
    },
    /// Look it up once more.
    AskAgain {
        by: PersonId,
        inquiry: Inquiry,
    },
    GiveUpJob {
        by: Actor,
        what: Untrusted,
    },
}

/// What the console answered to an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendAnswer {
    /// At least one target was taken.
    Accepted,
    /// The answer was lost: it may have happened.
    Lost { why: Untrusted },
    /// Nothing was affected, or it was refused outright.
    Refused { why: Untrusted },
}

/// Why a command is not possible now. The texts are read by analysts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the incident is closed: reopen it first")]
    Closed,
    #[error("the incident is not closed")]
    NotClosed,
    #[error("already acknowledged by `{by}`")]
    AlreadyAcknowledged { by: PersonId },
    #[error("give a verdict before closing")]
    NoVerdict,
    #[error("write a reason of at least 5 characters: the customer's report quotes it")]
    ReasonMissing,
    #[error("`undetermined` is not a verdict that can be given")]
    NotAVerdict,
    #[error("the text is empty")]
    EmptyText,
    #[error("question `{0}` does not exist")]
    NoSuchQuestion(QuestionId),
    #[error("question `{0}` is already answered")]
    AlreadyAnswered(QuestionId),
    #[error("a question is still waiting for an answer")]
    QuestionOpen,
    #[error("action `{0}` does not exist")]
    NoSuchAction(ActionId),
    #[error("action `{action}` is `{state:?}`: this step does not follow from there")]
    WrongActionState { action: ActionId, state: Box<State> },
    #[error("notice `{0}` does not exist")]
    NoSuchNotice(NoticeId),
    #[error("this is not, or no longer, a mere repeat of a closed incident")]
    NotARepeat,
    #[error("this was not asked about the incident")]
    NoSuchInquiry,
    #[error("call `{0}` does not exist")]
    NoSuchPage(PageId),
    #[error("the priority is already `{}`: it can only be raised", .0.name())]
    NotARise(Priority),
    #[error("the clocks are already on hold")]
    OnHold,
    #[error("the clocks are not on hold")]
    NotOnHold,
    #[error("an action is still running: wait for its result")]
    ActionRunning,
    #[error("not possible while the incident is `{}`", .0.text().en)]
    WrongPhase(Phase),
}

impl Refused {
    /// The same in the reader's language.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::En => self.to_string(),
            Language::Ja => self.ja(),
        }
    }

    fn ja(&self) -> String {
        let fixed: Text = match self {
            Self::Closed => Text::new("終了済みのインシデントです。先に再開してください", ""),
            Self::NotClosed => Text::new("インシデントは終了していません", ""),
            Self::AlreadyAcknowledged { by } => return format!("`{by}` さんが受領済みです"),
            Self::NoVerdict => Text::new("終了する前に判定を登録してください", ""),
            Self::ReasonMissing => Text::new("理由を5文字以上で入力してください（お客様への報告書に記載されます）", ""),
            Self::NotAVerdict => Text::new("「判定保留」は判定として登録できません", ""),
            Self::EmptyText => Text::new("本文が空です", ""),
            Self::NoSuchQuestion(id) => return format!("質問 {id} は存在しません"),
            Self::AlreadyAnswered(id) => return format!("質問 {id} は回答済みです"),
            Self::QuestionOpen => Text::new("回答待ちの質問があります", ""),
            Self::NoSuchAction(id) => return format!("対処 {id} は存在しません"),
            Self::WrongActionState { action, state } => {
                return format!("対処 {action} は「{}」のため、この操作はできません", state.text().ja);
            }
            Self::NoSuchNotice(id) => return format!("通知 {id} は存在しません"),
            Self::NotARepeat => Text::new("終了済みインシデントの単なる繰り返しではありません", ""),
            Self::NoSuchInquiry => Text::new("このインシデントについて行われた照会ではありません", ""),
            Self::NoSuchPage(id) => return format!("呼び出し {id} は存在しません"),
            Self::NotARise(now) => return format!("優先度は現在 {} です。引き上げのみ可能です", now.name()),
            Self::OnHold => Text::new("すでに保留中です", ""),
            Self::NotOnHold => Text::new("保留中ではありません", ""),
            Self::ActionRunning => Text::new("実行中の対処があります。結果をお待ちください", ""),
            Self::WrongPhase(phase) => return format!("「{}」の間はこの操作はできません", phase.text().ja),
        };
        fixed.ja.to_owned()
    }
}
