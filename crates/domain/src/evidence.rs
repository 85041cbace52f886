//! What was looked up about an incident: the question as it was put, when, to whom, and what came of it.
//!
//! An item names its content by digest; the content itself lies in the store under that digest (REL-22). "Nothing found" and
//! "could not ask" are results like any other: a gap has a name (R23), and nothing found is not clean. It judges nothing.

mod findings;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, AlertId, EvidenceId};
use crate::language::{Language, Text};
use crate::untrusted::Untrusted;

pub use findings::{Findings, Looked, Origin, Search, Sweep, SweepHit, is_public};

/// Alerts of one incident whose own events are looked up; a storm's further members add nothing but load.
pub const MAX_ALERTS_LOOKED_UP: usize = 10;
/// Endpoints of one incident whose software is looked up.
pub const MAX_HOSTS_LOOKED_UP: usize = 10;

/// A question that is put by itself, for every incident. What it is about is part of it, so each is put once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inquiry {
    /// What the endpoint recorded around one alert.
    Events { alert: AlertId },
    /// What is installed on an endpoint.
    Software { agent: AgentId },
    /// What lists and sources say of the indicators in all of it.
    Indicators,
    /// On which of the customer's endpoints the indicators occur.
    Sweep,
    /// Which detection rules match what was recorded.
    Detections,
    /// Which vulnerabilities the installed software is known to have.
    Vulnerabilities { agent: AgentId },
}

impl Inquiry {
    /// Names it within its incident.
    pub fn key(&self) -> String {
        match self {
            Self::Events { alert } => format!("events/{alert}"),
            Self::Software { agent } => format!("software/{agent}"),
            Self::Indicators => "indicators".into(),
            Self::Sweep => "sweep".into(),
            Self::Detections => "detections".into(),
            Self::Vulnerabilities { agent } => format!("vulnerabilities/{agent}"),
        }
    }

    pub fn text(&self) -> Text {
        match self {
            Self::Events { .. } => Text::new("端末の記録（アラート前後）", "Endpoint records around the alert"),
            Self::Software { .. } => Text::new("インストール済みソフトウェア", "Installed software"),
            Self::Indicators => Text::new("IOC の照会", "Indicator check"),
            Self::Sweep => Text::new("全端末での IOC 検索", "Search for the indicators on all endpoints"),
            Self::Detections => Text::new("検知ルールとの照合", "Detection rules"),
            Self::Vulnerabilities { .. } => Text::new("既知の脆弱性", "Known vulnerabilities"),
        }
    }

    /// What a result of this one makes worth asking next.
    pub fn followed_by(&self) -> Vec<Self> {
        match self {
            Self::Events { .. } => vec![Self::Detections, Self::Indicators],
            Self::Indicators => vec![Self::Sweep],
            Self::Software { agent } => vec![Self::Vulnerabilities { agent: agent.clone() }],
            Self::Sweep | Self::Detections | Self::Vulnerabilities { .. } => Vec::new(),
        }
    }
}

/// One answer, as it is chained: small, and bound to its content by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub id: EvidenceId,
    #[serde(flatten)]
    pub answer: Answer,
}

/// What came of one inquiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub inquiry: Inquiry,
    /// Who was asked, as a reader would look it up: `SentinelOne /threats/{id}/explore/events`.
    pub source: String,
    /// The question in the source's own language, so that anybody can put it again.
    pub query: Untrusted,
    pub window: Option<Window>,
    pub obtained_at: Timestamp,
    pub outcome: Outcome,
    /// What was read out of it, in our form.
    pub findings: Option<Content>,
    /// The source's answer as it came.
    pub raw: Option<Content>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Found(Summary),
    /// Asked and answered: nothing there. It proves no more than what the query and its window cover.
    NothingFound,
    /// A gap: what was not learnt, and why.
    CouldNotAsk {
        why: Untrusted,
    },
}

/// What stands in a list of evidence. `cut`: there was more than is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Summary {
    Events {
        records: u32,
        cut: bool,
    },
    Software {
        programs: u32,
        cut: bool,
    },
    /// `bad` on a list or known as malicious to a source; `unanswered` those that some source could not be asked about.
    Indicators {
        looked_up: u32,
        bad: u32,
        unanswered: u32,
    },
    /// `elsewhere`: endpoints beyond those of the incident on which one occurred.
    Sweep {
        looked_for: u32,
        hits: u32,
        elsewhere: u32,
        agents_online: u32,
        agents_total: u32,
    },
    Detections {
        rules: u32,
        matched: u32,
    },
    /// `exploited`: in CISA's catalogue of known exploited vulnerabilities.
    Vulnerabilities {
        programs: u32,
        matches: u32,
        exploited: u32,
    },
}

/// A piece of content in the store, found and proved by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: String,
    pub bytes: u64,
}

impl Outcome {
    /// In one line. What is foreign in it is quoted.
    pub fn summary(&self, language: Language) -> String {
        let pick = |ja: String, en: String| if language == Language::Ja { ja } else { en };
        match self {
            Self::Found(summary) => summary.text(language),
            Self::NothingFound => pick(
                "照会した範囲では該当なし（無害であることを示すものではない）".into(),
                "nothing found within what was asked, which does not mean clean".into(),
            ),
            Self::CouldNotAsk { why } => {
                pick(format!("照会できず：{}", why.short(200)), format!("could not be asked: {}", why.short(200)))
            }
        }
    }
}

impl Summary {
    fn text(&self, language: Language) -> String {
        let more = |cut: bool| match (cut, language) {
            (false, _) => "",
            (true, Language::Ja) => "（上限により一部のみ）",
            (true, Language::En) => " (cut: there is more)",
        };
        match (self, language) {
            (Self::Events { records, cut }, Language::Ja) => format!("記録 {records} 件{}", more(*cut)),
            (Self::Events { records, cut }, Language::En) => format!("{records} records{}", more(*cut)),
            (Self::Software { programs, cut }, Language::Ja) => format!("ソフトウェア {programs} 件{}", more(*cut)),
            (Self::Software { programs, cut }, Language::En) => format!("{programs} programs{}", more(*cut)),
            (Self::Indicators { looked_up, bad, unanswered }, Language::Ja) => {
                format!("IOC {looked_up} 件を照会、悪性の情報あり {bad} 件、照会できない情報源あり {unanswered} 件")
            }
            (Self::Indicators { looked_up, bad, unanswered }, Language::En) => {
                format!(
                    "{looked_up} indicators looked up, {bad} known as bad, {unanswered} with a source that could not be asked"
                )
            }
            (Self::Sweep { looked_for, hits, elsewhere, agents_online, agents_total }, Language::Ja) => format!(
                "IOC {looked_for} 件を検索（オンライン {agents_online}／全 {agents_total} 台）、検出 {hits} 件、当該端末以外 {elsewhere} 台"
            ),
            (Self::Sweep { looked_for, hits, elsewhere, agents_online, agents_total }, Language::En) => format!(
                "{looked_for} indicators searched for ({agents_online} of {agents_total} endpoints online): {hits} hits, {elsewhere} further endpoints"
            ),
            (Self::Detections { rules, matched }, Language::Ja) => {
                format!("{rules} 件のルールのうち {matched} 件が一致")
            }
            (Self::Detections { rules, matched }, Language::En) => format!("{matched} of {rules} rules matched"),
            (Self::Vulnerabilities { programs, matches, exploited }, Language::Ja) => {
                format!("{programs} 件のソフトウェアに脆弱性 {matches} 件（うち悪用確認済み {exploited} 件）")
            }
            (Self::Vulnerabilities { programs, matches, exploited }, Language::En) => {
                format!("{matches} vulnerabilities in {programs} programs, {exploited} of them known to be exploited")
            }
        }
    }
}

impl Answer {
    pub fn is_gap(&self) -> bool {
        matches!(self.outcome, Outcome::CouldNotAsk { .. })
    }
}
