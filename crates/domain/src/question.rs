//! A question that only the customer can answer, what an answer means, and what silence means.
//!
//! The 72 hours are elapsed hours, weekends included, from the moment a channel of the customer took the question. Who
//! asked first, the rule floor or an analyst, makes no difference to the customer.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, QuestionId};
use crate::language::Text;
use crate::untrusted::Untrusted;

/// Asked about something whose missing fact the customer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub id: QuestionId,
    /// `None`: the rule floor asked it with the first notice.
    pub by: Option<PersonId>,
    pub asked_at: Timestamp,
    /// What an analyst added to the standard four questions.
    pub addition: Option<Untrusted>,
    /// When the first channel took it: the 72 hours begin.
    #[serde(default)]
    pub told_at: Option<Timestamp>,
    /// The reminder that was sent last, in hours after `told_at`.
    #[serde(default)]
    pub reminded: Option<u8>,
    /// When the 72 hours of silence were ruled to be over.
    #[serde(default)]
    pub overdue_at: Option<Timestamp>,
    pub answer: Option<Answer>,
}

impl Question {
    /// When silence becomes an answer. `None` while no channel has taken the question.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.told_at.map(|at| after(at, HOURS_TO_ANSWER))
    }

    /// What the customer is told: a few seconds early, since nobody knows when a channel will take a message.
    pub fn announced_deadline(&self) -> Timestamp {
        self.deadline().unwrap_or_else(|| after(self.asked_at, HOURS_TO_ANSWER))
    }

    /// Neither answered nor ruled to be over.
    pub fn waits(&self) -> bool {
        self.answer.is_none() && self.overdue_at.is_none()
    }

    /// The next reminder: its hour and when it is due.
    pub fn next_reminder(&self) -> Option<(u8, Timestamp)> {
        let told_at = self.told_at?;
        let hours = REMINDERS.into_iter().find(|hours| self.reminded.is_none_or(|last| *hours > last))?;
        Some((hours, after(told_at, hours.into())))
    }

    /// The latest reminder that is due: after an outage one mail is enough.
    pub fn reminder_due(&self, now: Timestamp) -> Option<u8> {
        let told_at = self.told_at?;
        let due = |hours: &u8| after(told_at, (*hours).into()) <= now && self.reminded.is_none_or(|last| *hours > last);
        REMINDERS.into_iter().rev().find(due)
    }
}

fn after(at: Timestamp, hours: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub at: Timestamp,
    /// Who recorded it. The customer's own channels come later.
    pub recorded_by: PersonId,
    pub meaning: Meaning,
    /// The customer's words.
    pub words: Untrusted,
}

/// What the answer comes down to (R13, R14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Theirs, with purpose and source.
    Ours,
    /// Not known to them.
    Unknown,
    /// Something else, or only part of the answer: an analyst reads on.
    Other,
}

impl Meaning {
    pub const ALL: [Self; 3] = [Self::Ours, Self::Unknown, Self::Other];

    pub fn text(self) -> Text {
        match self {
            Self::Ours => Text::new("自社で意図して使用（目的・入手元を確認）", "Ours, with purpose and source"),
            Self::Unknown => Text::new("心当たりなし", "Not known to us"),
            Self::Other => Text::new("その他・回答の一部", "Something else, or part of an answer"),
        }
    }
}

/// The standard questions for an undetermined detection (`practice.md` §1).
pub const STANDARD: [Text; 4] = [
    Text::new("このファイル（プログラム）に心当たりはありますか。", "Do you know this file or program?"),
    Text::new("どなたが、何の目的で使用されましたか。", "Who ran it, and for what purpose?"),
    Text::new("どこから入手されましたか。", "Where did it come from?"),
    Text::new(
        "当方で保管・調査のため取得してもよろしいですか。",
        "May we keep it, and collect it for analysis if needed?",
    ),
];

/// Hours of silence after which an undetermined verdict becomes suspicious.
pub const HOURS_TO_ANSWER: i64 = 72;
/// Hours after the question at which the customer is reminded.
pub const REMINDERS: [u8; 3] = [24, 48, 66];
