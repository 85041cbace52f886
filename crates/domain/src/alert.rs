//! An alert as the endpoint product raised it, in our words.
//!
//! Holds only what decisions and messages need; the record as it came is kept beside it as evidence. It knows nothing of
//! any wire format: `sentinelone` reads the console's JSON and builds this.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attack::Technique;
use crate::endpoint::Endpoint;
use crate::ids::AlertId;
use crate::judgement::Verdict;
use crate::language::Text;
use crate::untrusted::Untrusted;

/// Most indicators kept of one alert; `Detection::indicators_left_out` counts the rest (SEC-38).
pub const MAX_INDICATORS: usize = 64;

/// One detection on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub source: Source,
    /// What makes a re-read of the same alert new (SentinelOne: `updatedAt`).
    pub version: Timestamp,
    /// When the endpoint saw it (T0/T1; SentinelOne: `identifiedAt`).
    pub detected_at: Timestamp,
    /// When the console recorded it (SentinelOne: `createdAt`).
    pub created_at: Timestamp,
    /// Threat or rule name.
    pub name: Untrusted,
    pub endpoint: Endpoint,
    pub file: File,
    pub process: Process,
    pub detection: Detection,
    pub mitigation: Mitigation,
    /// What the console holds of the incident's state: its verdict and whether it is resolved.
    pub console: ConsoleState,
    /// Groups what belongs to one attack on one endpoint (SentinelOne: `storyline`).
    pub storyline: Option<Untrusted>,
}

/// Which record of the console this alert came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    #[default]
    Threat,
    /// A customer's or the platform's own detection rule (STAR).
    RuleAlert,
    UnifiedAlert,
    /// The flat threat of API 2.0.
    LegacyThreat,
}

/// The file that the detection is about. Hashes are lower-case hexadecimal, `None` when missing or all zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct File {
    pub path: Option<Untrusted>,
    pub size_bytes: Option<u64>,
    pub sha1: Option<Hash>,
    pub sha256: Option<Hash>,
    pub md5: Option<Hash>,
    pub signature: Signature,
}

impl File {
    /// The strongest hash at hand.
    pub fn best_hash(&self) -> Option<&Hash> {
        self.sha256.as_ref().or(self.sha1.as_ref()).or(self.md5.as_ref())
    }
}

/// A hexadecimal digest of 16, 20 or 32 bytes that is not all zeros.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(String);

impl Hash {
    /// `None` for anything that is no digest: consoles send `null`, `""`, zeros and placeholders.
    pub fn parse(text: &str) -> Option<Self> {
        let right_length = matches!(text.len(), 32 | 40 | 64);
        let digits = text.bytes().all(|b| b.is_ascii_hexdigit());
        (right_length && digits && text.bytes().any(|b| b != b'0')).then(|| Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `MD5`, `SHA-1` or `SHA-256`, by length.
    pub fn algorithm(&self) -> &'static str {
        match self.0.len() {
            32 => "MD5",
            40 => "SHA-1",
            _ => "SHA-256",
        }
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a hexadecimal digest")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.0
    }
}

/// What the console says of the file's signature.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    #[default]
    Unknown,
    NotSigned,
    /// Signed, but the signature does not hold.
    Invalid {
        publisher: Option<Untrusted>,
    },
    Valid {
        publisher: Option<Untrusted>,
    },
}

/// The process around the detection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Process {
    /// The account it ran under (SentinelOne: `processUser`).
    pub user: Option<Untrusted>,
    /// What started it (SentinelOne: `originatorProcess`).
    pub originator: Option<Untrusted>,
    /// SentinelOne: `maliciousProcessArguments`.
    pub command_line: Option<Untrusted>,
}

/// How and as what it was detected.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Detection {
    pub kind: Kind,
    pub engines: Vec<Engine>,
    pub confidence: Confidence,
    pub classification: Classification,
    pub initiated_by: Initiator,
    /// Union over all indicators, in order, each once.
    pub techniques: Vec<Technique>,
    pub indicators: Vec<Indicator>,
    pub indicators_left_out: u32,
    /// The vendor cloud's own answer for the file (SentinelOne: `cloudFilesHashVerdict`).
    pub reputation: Reputation,
}

/// SentinelOne: `detectionType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// By the file alone, before or without running.
    Static,
    /// By what it did.
    Behavioural,
    #[default]
    Unknown,
}

/// SentinelOne: `detectionEngines[].key`, or the legacy titles of `engines`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    Reputation,
    Cloud,
    StaticOnWrite,
    StaticSuspicious,
    Behavioural,
    Documents,
    Exploits,
    Intrusion,
    PotentiallyUnwanted,
    LateralMovement,
    RemoteShell,
    ApplicationControl,
    ThreatIntelligence,
    DriverBlocking,
    CustomRule,
    Manual,
    Other(Untrusted),
}

impl Engine {
    /// Engines that judge by what a program does.
    pub fn is_behavioural(&self) -> bool {
        matches!(self, Self::Behavioural | Self::Exploits | Self::Intrusion | Self::LateralMovement | Self::RemoteShell)
    }

    pub fn name(&self) -> String {
        match self {
            Self::Reputation => "Reputation".into(),
            Self::Cloud => "SentinelOne Cloud".into(),
            Self::StaticOnWrite => "On-Write Static AI".into(),
            Self::StaticSuspicious => "On-Write Static AI - Suspicious".into(),
            Self::Behavioural => "Behavioral AI".into(),
            Self::Documents => "Documents, Scripts".into(),
            Self::Exploits => "Anti Exploitation / Fileless".into(),
            Self::Intrusion => "Intrusion Detection".into(),
            Self::PotentiallyUnwanted => "Potentially Unwanted Applications".into(),
            Self::LateralMovement => "Lateral Movement".into(),
            Self::RemoteShell => "Remote Shell".into(),
            Self::ApplicationControl => "Application Control".into(),
            Self::ThreatIntelligence => "Threat Intelligence".into(),
            Self::DriverBlocking => "Driver Blocking".into(),
            Self::CustomRule => "Custom rule".into(),
            Self::Manual => "Manual".into(),
            Self::Other(name) => name.short(60),
        }
    }
}

/// SentinelOne: `confidenceLevel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Malicious,
    Suspicious,
    #[default]
    Unknown,
}

/// SentinelOne: `classification`, an open set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    Malware,
    Ransomware,
    Trojan,
    InfoStealer,
    PotentiallyUnwanted,
    Adware,
    Downloader,
    HackTool,
    Virus,
    Worm,
    Exploit,
    Backdoor,
    CryptoMiner,
    LateralMovement,
    #[default]
    Unknown,
    Other(Untrusted),
}

impl Classification {
    pub fn name(&self) -> Untrusted {
        let known = match self {
            Self::Malware => "Malware",
            Self::Ransomware => "Ransomware",
            Self::Trojan => "Trojan",
            Self::InfoStealer => "Infostealer",
            Self::PotentiallyUnwanted => "PUA",
            Self::Adware => "Adware",
            Self::Downloader => "Downloader",
            Self::HackTool => "Hacktool",
            Self::Virus => "Virus",
            Self::Worm => "Worm",
            Self::Exploit => "Exploit",
            Self::Backdoor => "Backdoor",
            Self::CryptoMiner => "Cryptominer",
            Self::LateralMovement => "Lateral Movement",
            Self::Unknown => "Unknown",
            Self::Other(name) => return name.clone(),
        };
        Untrusted::new(known)
    }
}

/// SentinelOne: `initiatedBy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    AgentPolicy,
    FullDiskScan,
    OnDemandScan,
    Person,
    Rule,
    Intelligence,
    #[default]
    Other,
}

/// One thing that the sensor observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    pub category: Option<Untrusted>,
    pub description: Untrusted,
    pub techniques: Vec<Technique>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reputation {
    KnownMalicious,
    /// The source was asked and did not know it. Not found is not clean.
    NotKnown,
    #[default]
    NotAsked,
}

/// What was already done to it on the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mitigation {
    pub state: MitigationState,
    /// Stopped before it ran (SentinelOne: `mitigatedPreemptively`).
    pub preemptive: bool,
    pub steps: Vec<MitigationStep>,
}

/// SentinelOne: `threatInfo.mitigationStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MitigationState {
    NotMitigated,
    Mitigated,
    MarkedBenign,
    #[default]
    Unknown,
}

impl MitigationState {
    pub fn text(self) -> Text {
        match self {
            Self::NotMitigated => Text::new("未対処", "Not mitigated"),
            Self::Mitigated => Text::new("対処済み", "Mitigated"),
            Self::MarkedBenign => Text::new("無害と判定済み", "Marked as benign"),
            Self::Unknown => Text::new("不明", "Not known"),
        }
    }
}

/// One row of SentinelOne's `mitigationStatus[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MitigationStep {
    pub action: MitigationAction,
    pub outcome: MitigationOutcome,
    pub at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MitigationAction {
    Kill,
    Quarantine,
    Remediate,
    Rollback,
    Unquarantine,
    NetworkQuarantine,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MitigationOutcome {
    Success,
    /// Sent or waiting for the endpoint, a restart included.
    Pending,
    Partial,
    Failed,
    Unknown,
}

/// What the console itself holds of verdict and status (SentinelOne: `analystVerdict`, `incidentStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConsoleState {
    pub verdict: Verdict,
    pub status: ConsoleStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleStatus {
    #[default]
    Unresolved,
    InProgress,
    Resolved,
}

impl Alert {
    /// Whether anything suggests that the code ran: a behavioural detection, or a behavioural engine.
    pub fn was_executed(&self) -> bool {
        self.detection.kind == Kind::Behavioural || self.detection.engines.iter().any(Engine::is_behavioural)
    }

    /// Whether the sensor reports the threat as dealt with.
    pub fn is_mitigated(&self) -> bool {
        matches!(self.mitigation.state, MitigationState::Mitigated | MitigationState::MarkedBenign)
    }

    pub fn shows(&self, technique: Technique) -> bool {
        self.detection.techniques.iter().any(|t| t.is_within(technique))
    }

    pub fn shows_any(&self, techniques: &[Technique]) -> bool {
        techniques.iter().any(|t| self.shows(*t))
    }

    /// The outcome the sensor reports for one mitigation step, the newest if it reports several.
    pub fn outcome_of(&self, action: MitigationAction) -> Option<MitigationOutcome> {
        self.mitigation.steps.iter().rev().find(|s| s.action == action).map(|s| s.outcome)
    }
}
