//! A detection rule matched what an endpoint recorded: which rule, by whom, on which records.
//!
//! `detect` makes it, the register of evidence keeps it. It is an observation and no verdict: rules match on ordinary
//! administration too, which is why the level and the status stand beside every one.

use serde::{Deserialize, Serialize};

use crate::attack::Technique;
use crate::language::Text;
use crate::untrusted::Untrusted;

/// Records named per hit. `count` tells how many there were.
pub const MAX_RECORDS: usize = 50;
/// Fields shown per hit, from the first record that matched.
pub const MAX_FIELDS: usize = 20;

/// One rule, with the records of one case that it matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    pub rule: RuleRef,
    /// The ids of the records, first ones first, at most `MAX_RECORDS`.
    pub records: Vec<Untrusted>,
    /// How many records matched in all.
    pub count: u32,
    /// What in the first record made the rule match.
    pub fields: Vec<Field>,
}

/// What a reader must be told of a rule, and what names its exact text. A rule comes from outside: its words are quoted, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    pub id: Untrusted,
    pub title: Untrusted,
    pub level: Level,
    pub status: Status,
    /// Shown with every match: the Detection Rule License 1.1 asks for it.
    pub author: Option<Untrusted>,
    /// In the rule's own words, where it states one.
    pub licence: Option<Untrusted>,
    pub techniques: Vec<Technique>,
    /// The version of ATT&CK that the ids are read in, such as `18.1`. Tactics and names move between versions.
    pub attack_version: String,
    pub source: LogSource,
    /// The file's name within its collection.
    pub file: Untrusted,
    /// SHA-256 of the file as it was loaded.
    pub file_sha256: String,
}

/// A field of a record and its value, as far as the rule looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: Untrusted,
    pub value: Untrusted,
}

/// Where an event comes from, in Sigma's words. A rule names one or more of the three.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct LogSource {
    pub product: Option<String>,
    pub category: Option<String>,
    pub service: Option<String>,
}

/// How grave a match is, as the rule's author sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    #[default]
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// How far a rule has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Stable,
    Test,
    Experimental,
    Deprecated,
    Unsupported,
    /// The rule does not say.
    Unknown,
}

impl Level {
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    pub fn name(self) -> Text {
        match self {
            Self::Informational => Text::new("参考", "Informational"),
            Self::Low => Text::new("低", "Low"),
            Self::Medium => Text::new("中", "Medium"),
            Self::High => Text::new("高", "High"),
            Self::Critical => Text::new("重大", "Critical"),
        }
    }
}

impl Status {
    /// What it means for whoever reads a match.
    pub fn name(self) -> Text {
        match self {
            Self::Stable => Text::new("安定版", "Stable"),
            Self::Test => Text::new("検証中", "In test"),
            Self::Experimental => Text::new("試験的（誤検知が多い場合あり）", "Experimental: expect false positives"),
            Self::Deprecated => Text::new("廃止予定", "Deprecated"),
            Self::Unsupported => Text::new("サポート対象外", "Unsupported"),
            Self::Unknown => Text::new("記載なし", "Not stated"),
        }
    }
}

impl std::fmt::Display for LogSource {
    /// `windows/process_creation`, `windows/security`: what is not named is left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named: Vec<&str> =
            [&self.product, &self.category, &self.service].into_iter().flatten().map(String::as_str).collect();
        f.write_str(&named.join("/"))
    }
}
