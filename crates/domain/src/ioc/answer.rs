//! What one source said of one indicator, when it was asked, and the answer as it came: the form in which evidence holds it.
//!
//! *Not known* is never *clean*, and *could not ask* is neither: the three stay apart for ever. Whether the indicator is bad, the
//! rules and the analyst say; nothing here does.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Ioc, Pap};
use crate::language::{Language, Text};
use crate::untrusted::Untrusted;

/// Largest answer that is read and kept. A larger one is no answer (SEC-38).
pub const MAX_RAW_BYTES: usize = 2 * 1024 * 1024;

/// Who is asked over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    VirusTotal,
    WebSearch,
    /// The endpoint product's own reputation service.
    Console,
}

/// One source's answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub source: Source,
    pub ioc: Ioc,
    /// How far the indicator might go when it was asked.
    pub pap: Pap,
    /// When the source was really asked, also when the answer was remembered from then. If it could not be asked: when we would have.
    pub asked_at: Timestamp,
    pub outcome: Outcome,
    /// As it came. Absent when nothing came.
    pub raw: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Known(Box<Known>),
    /// The source has no record of it. That does not mean that it is clean.
    NotKnown,
    /// A gap in the evidence, with its reason (R23).
    CouldNotAsk(Gap),
}

/// What a source that has a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub opinion: Opinion,
    /// The kind of file, for instance `Win32 EXE`.
    pub described_as: Option<Untrusted>,
    /// What it is called as malware, most telling first.
    pub labels: Vec<Untrusted>,
    /// Under which file names it was met.
    pub names: Vec<Untrusted>,
    pub signer: Option<Untrusted>,
    /// The votes of the source's users; below zero is bad.
    pub votes: Option<i64>,
    /// How often somebody brought it to the source.
    pub submissions: Option<u64>,
    pub first_seen: Option<Timestamp>,
    /// The last time that the source looked at it.
    pub last_seen: Option<Timestamp>,
    /// The source's own page on it, for a person to open. Built by us from the indicator, never taken from the answer.
    pub reference: Option<String>,
}

/// The kinds of statement that sources make. They cannot be compared with each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// So many engines each.
    Engines(Engines),
    /// A place on the source's own scale.
    Rank { rank: u8, out_of: u8, malicious: bool },
    /// It is written about. That alone says neither good nor bad.
    Mentions { total: u64, mentions: Vec<Mention> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Engines {
    pub malicious: u32,
    pub suspicious: u32,
    pub harmless: u32,
    pub undetected: u32,
    /// Timed out, failed, or cannot read such a file.
    pub silent: u32,
}

/// One page that a search found. Nobody has fetched it, and nobody must from here (SEC-45).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    pub title: Untrusted,
    pub link: Untrusted,
    pub snippet: Untrusted,
    /// Whether the value itself stands in what was shown: search engines also return what merely resembles it.
    pub names_it: bool,
}

/// Why there is no answer, and when asking again may help. Asking again, a bounded number of times, is the caller's business (REL-07).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub why: Why,
    /// What exactly, in English, for the log and the analyst. Holds no secret.
    pub detail: Option<Untrusted>,
    pub retry_after_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its PAP keeps it in the house (SEC-43).
    PapForbids,
    /// It names something inside a network, not on the internet (SEC-45).
    NotPublic,
    /// It carries an account or a mail address.
    Personal,
    /// It is not formed as its kind must be.
    Malformed,
    /// Somebody asks for the same at this moment; the answer will be there for both.
    BeingAsked,
    /// Our own budget for this source is used up for now.
    BudgetUsed,
    /// The source failed repeatedly and is left alone for a while.
    Resting,
    /// The source says that our quota is used up.
    QuotaUsed,
    KeyRefused,
    /// The source cannot be reached.
    Dead,
    Slow,
    /// The connection broke, or the source is in trouble.
    Failing,
    TooLarge,
    NotUnderstood,
    /// The answer is about something else than what was asked.
    OtherObject,
    /// The source does not accept the question.
    Rejected,
}

impl Known {
    /// An opinion, and nothing else that the source says of it.
    pub fn of(opinion: Opinion) -> Self {
        Self {
            opinion,
            described_as: None,
            labels: Vec::new(),
            names: Vec::new(),
            signer: None,
            votes: None,
            submissions: None,
            first_seen: None,
            last_seen: None,
            reference: None,
        }
    }
}

impl Answer {
    /// At least three engines, or the source's own word. One engine alone is often wrong.
    pub fn says_malicious(&self) -> bool {
        let Outcome::Known(known) = &self.outcome else { return false };
        match &known.opinion {
            Opinion::Engines(engines) => engines.malicious >= 3,
            Opinion::Rank { malicious, .. } => *malicious,
            Opinion::Mentions { .. } => false,
        }
    }
}

impl Source {
    pub fn name(self) -> Text {
        match self {
            Self::VirusTotal => Text::new("VirusTotal", "VirusTotal"),
            Self::WebSearch => Text::new("Web検索", "Web search"),
            Self::Console => Text::new("EDRコンソールのレピュテーション", "EDR console reputation"),
        }
    }
}

impl Engines {
    pub fn total(&self) -> u32 {
        let all = [self.malicious, self.suspicious, self.harmless, self.undetected, self.silent];
        all.into_iter().fold(0, u32::saturating_add)
    }

    /// Those that gave any opinion.
    pub fn heard(&self) -> u32 {
        self.total().saturating_sub(self.silent)
    }
}

impl Gap {
    /// Whether the same question may be answered later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        self.why.is_transient()
    }
}

impl Why {
    pub fn is_transient(self) -> bool {
        match self {
            Self::BeingAsked | Self::BudgetUsed | Self::Resting | Self::QuotaUsed => true,
            // What cannot be understood may be a proxy's page in place of the answer.
            Self::Dead | Self::Slow | Self::Failing | Self::NotUnderstood => true,
            Self::PapForbids | Self::NotPublic | Self::Personal | Self::Malformed => false,
            Self::KeyRefused | Self::TooLarge | Self::OtherObject | Self::Rejected => false,
        }
    }

    pub fn text(self) -> Text {
        match self {
            Self::PapForbids => Text::new("PAPにより外部照会は不可", "Not asked: its PAP forbids it"),
            Self::NotPublic => {
                Text::new("内部のアドレスまたは名称のため照会対象外", "Not asked: an address or name inside a network")
            }
            Self::Personal => Text::new(
                "アカウントまたはメールアドレスを含むため照会対象外",
                "Not asked: it carries an account or a mail address",
            ),
            Self::Malformed => Text::new("形式が不正なため照会不可", "Not asked: it is not well formed"),
            Self::BeingAsked => Text::new("同じ照会を実行中", "The same question is being asked right now"),
            Self::BudgetUsed => {
                Text::new("照会枠の上限に達したため待機中", "Waiting: our budget for this source is used up")
            }
            Self::Resting => Text::new(
                "情報源の障害が続いているため一時停止中",
                "Waiting: the source failed repeatedly and is left alone for a while",
            ),
            Self::QuotaUsed => Text::new("情報源が利用上限超過を通知", "The source says that our quota is used up"),
            Self::KeyRefused => Text::new("情報源がAPIキーを拒否", "The source refused our key"),
            Self::Dead => Text::new("情報源に接続できず", "The source could not be reached"),
            Self::Slow => Text::new("情報源が時間内に応答せず", "The source did not answer in time"),
            Self::Failing => Text::new("情報源の障害または通信の中断", "The source failed, or the connection broke"),
            Self::TooLarge => Text::new("応答が上限サイズを超過", "The answer was larger than is accepted"),
            Self::NotUnderstood => Text::new("応答を解釈できず", "The answer could not be understood"),
            Self::OtherObject => Text::new(
                "照会した対象と異なる応答のため不採用",
                "Discarded: the answer is about something else than what was asked",
            ),
            Self::Rejected => Text::new("情報源が照会を受け付けず", "The source did not accept the question"),
        }
    }
}

impl Outcome {
    /// The statement in one line, for a table.
    pub fn summary(&self, language: Language) -> String {
        match self {
            Self::Known(known) => known.opinion.summary(language),
            Self::NotKnown => NOT_KNOWN.in_language(language).to_owned(),
            Self::CouldNotAsk(gap) => gap.why.text().in_language(language).to_owned(),
        }
    }

    /// Whether the source was reached and said something that may be relied on.
    pub fn is_answer(&self) -> bool {
        !matches!(self, Self::CouldNotAsk(_))
    }
}

const NOT_KNOWN: Text =
    Text::new("記録なし（無害であることを示すものではない）", "No record, which does not mean that it is clean");

impl Opinion {
    fn summary(&self, language: Language) -> String {
        match (self, language) {
            (Self::Engines(e), _) if e.heard() == 0 => {
                Text::new("登録あり、判定したエンジンなし", "On record, but no engine gave an opinion")
                    .in_language(language)
                    .to_owned()
            }
            (Self::Engines(e), Language::Ja) => {
                format!("{}エンジン中 悪性{}、疑わしい{}", e.heard(), e.malicious, e.suspicious)
            }
            (Self::Engines(e), Language::En) => {
                format!("{} of {} engines: malicious; {}: suspicious", e.malicious, e.heard(), e.suspicious)
            }
            (Self::Rank { rank, out_of, malicious }, Language::Ja) => {
                format!("ランク{rank}／{out_of}（{}）", if *malicious { "悪性" } else { "悪性とはされていない" })
            }
            (Self::Rank { rank, out_of, malicious }, Language::En) => {
                let word = if *malicious { "malicious" } else { "not called malicious" };
                format!("rank {rank} of {out_of} ({word})")
            }
            (Self::Mentions { mentions, .. }, Language::Ja) => {
                let named = mentions.iter().filter(|m| m.names_it).count();
                format!("検索結果{}件、うち値そのものを含むもの{named}件", mentions.len())
            }
            (Self::Mentions { mentions, .. }, Language::En) => {
                let named = mentions.iter().filter(|m| m.names_it).count();
                format!("{} search results, {named} of which contain the value itself", mentions.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engines(malicious: u32, undetected: u32, silent: u32) -> Outcome {
        let opinion = Opinion::Engines(Engines { malicious, undetected, silent, ..Engines::default() });
        Outcome::Known(Box::new(Known::of(opinion)))
    }

    #[test]
    fn not_found_is_said_to_be_neither_clean_nor_unasked() {
        for language in Language::ALL {
            let unknown = Outcome::NotKnown.summary(language);
            let unasked = Outcome::CouldNotAsk(Gap { why: Why::Dead, detail: None, retry_after_s: None });
            assert!(unknown.contains("無害である") || unknown.contains("does not mean"), "{unknown}");
            assert_ne!(unknown, unasked.summary(language));
            assert!(Outcome::NotKnown.is_answer() && !unasked.is_answer());
        }
    }

    #[test]
    fn engines_that_could_not_look_are_not_counted_as_if_they_had_found_nothing() {
        assert_eq!(engines(42, 20, 9).summary(Language::En), "42 of 62 engines: malicious; 0: suspicious");
        assert_eq!(engines(0, 0, 9).summary(Language::En), "On record, but no engine gave an opinion");
    }

    #[test]
    fn an_answer_survives_being_stored() {
        let answer = Answer {
            source: Source::VirusTotal,
            ioc: Ioc::Domain("evil.example".into()),
            pap: Pap::Amber,
            asked_at: Timestamp::UNIX_EPOCH,
            outcome: engines(1, 2, 3),
            raw: Some("{\"data\":{}}".into()),
        };
        let stored = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<Answer>(&stored).unwrap(), answer);
    }
}
