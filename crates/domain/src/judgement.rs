//! Verdict and priority: the two words that everything else turns on.

use serde::{Deserialize, Serialize};

use crate::language::Text;

/// What an incident turned out to be. *Undetermined* is not a verdict given by anyone: it is the absence of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    #[default]
    Undetermined,
    TruePositive,
    Suspicious,
    FalsePositive,
}

impl Verdict {
    pub const GIVEN: [Self; 3] = [Self::TruePositive, Self::Suspicious, Self::FalsePositive];

    pub fn text(self) -> Text {
        match self {
            Self::Undetermined => Text::new("判定保留", "Undetermined"),
            Self::TruePositive => Text::new("正検知", "True positive"),
            Self::Suspicious => Text::new("要調査（疑わしい）", "Suspicious"),
            Self::FalsePositive => Text::new("誤検知", "False positive"),
        }
    }

    /// How grave the verdict is for the rule "a model may raise, never lower".
    pub fn gravity(self) -> u8 {
        match self {
            Self::FalsePositive => 0,
            Self::Undetermined => 1,
            Self::Suspicious => 2,
            Self::TruePositive => 3,
        }
    }
}

/// P0: a service is hit or stopped. P1: production trouble, no outage yet. P2: some users. P3: follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    P0,
    P1,
    P2,
    P3,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::P0, Self::P1, Self::P2, Self::P3];

    pub fn name(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }

    /// The severity word that goes with it in messages and reports (`practice.md` §3).
    pub fn severity(self) -> Text {
        match self {
            Self::P0 => Text::new("緊急", "Critical"),
            Self::P1 => Text::new("高", "High"),
            Self::P2 => Text::new("中", "Medium"),
            Self::P3 => Text::new("低", "Low"),
        }
    }

    /// One step graver, but never past P1: P0 comes only from R01-R04, a lead or the emergency line.
    pub fn raised(self) -> Self {
        match self {
            Self::P0 => Self::P0,
            Self::P1 | Self::P2 => Self::P1,
            Self::P3 => Self::P2,
        }
    }

    /// One step milder. Modifiers never lower a P0.
    pub fn lowered(self) -> Self {
        match self {
            Self::P0 => Self::P0,
            Self::P1 => Self::P2,
            Self::P2 | Self::P3 => Self::P3,
        }
    }
}

impl std::str::FromStr for Priority {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|p| p.name() == text).ok_or_else(|| "use P0, P1, P2 or P3".to_owned())
    }
}
