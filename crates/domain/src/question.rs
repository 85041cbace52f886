//! A question that only the customer can answer, and what an answer means.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, QuestionId};
use crate::language::Text;
use crate::untrusted::Untrusted;

/// Asked about something whose missing fact the customer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub id: QuestionId,
    pub by: Option<PersonId>,
    pub asked_at: Timestamp,
    /// What an analyst added to the standard four questions.
    pub addition: Option<Untrusted>,
    pub answer: Option<Answer>,
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
