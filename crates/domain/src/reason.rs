//! Why something was decided, as data: every step of triage and every action carries its grounds, in both languages.
//!
//! A ground only names what is in the records. It holds no guess, and nothing in it is free text of our own.

use serde::{Deserialize, Serialize};

use crate::attack::Technique;
use crate::endpoint::Class;
use crate::ids::IncidentId;
use crate::judgement::{Priority, Verdict};
use crate::language::{Language, Text};
use crate::untrusted::Untrusted;

/// One fact that a decision rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    Techniques(Vec<Technique>),
    BehaviouralDetection,
    StaticDetectionOnly,
    ClassifiedAs(Untrusted),
    ConfidenceMalicious,
    ConfidenceNotMalicious,
    KnownMaliciousFile,
    FileNotKnownToReputation,
    NoCommandLine,
    CommandLinePresent,
    NotExecuted,
    Mitigated,
    NotMitigated,
    MitigationUnknown,
    BlockedBeforeExecution,
    EndpointClass(Class),
    Hosts(u32),
    ExploitEngine,
    ThreatIntelligenceEngine,
    ValidSignature(Option<Untrusted>),
    FullDiskScan,
    SameEventAs(IncidentId),
    SameStorylineAs(IncidentId),
    SameFileAs(IncidentId),
    SameIntrusionAs(IncidentId),
    /// R24: an incident that was closed with a verdict, and what is equal.
    RepeatOf {
        incident: IncidentId,
        verdict: Verdict,
        equal: Vec<Equal>,
    },
    BehaviourDiffersFrom(IncidentId),
    BreaksOutOfCampaign(IncidentId),
    CustomerSaysOurs,
    CustomerSaysUnknown,
    NoRuleDecides,
    PolicyAllows,
    PolicyForbids,
    RolloutTuning,
    EvidenceNotDecisive,
    EvidenceDecisive,
    TwoPeopleRequired,
    NeverAutomatic,
    AlreadyDone,
    PriorityStopsAt(Priority),
}

/// A fact that two alerts share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Equal {
    Endpoint,
    DetectionName,
    Hash,
    Mitigation,
    Trigger,
    WhetherItRan,
    Signature,
    Parent,
}

impl Equal {
    pub fn text(self) -> Text {
        match self {
            Self::Endpoint => Text::new("端末", "endpoint"),
            Self::DetectionName => Text::new("検知名", "detection name"),
            Self::Hash => Text::new("ハッシュ値", "hash"),
            Self::Mitigation => Text::new("対処", "mitigation"),
            Self::Trigger => Text::new("契機", "trigger"),
            Self::WhetherItRan => Text::new("実行の有無", "whether it ran"),
            Self::Signature => Text::new("署名", "signature"),
            Self::Parent => Text::new("起動元", "parent"),
        }
    }

    pub fn list(all: &[Self], language: Language) -> String {
        let words: Vec<&str> = all.iter().map(|e| e.text().in_language(language)).collect();
        words.join(if language == Language::Ja { "・" } else { ", " })
    }
}

impl Ground {
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::Ja => self.ja(),
            Language::En => self.en(),
        }
    }

    fn ja(&self) -> String {
        match self {
            Self::Techniques(list) => format!("ATT&CK 技術の検知: {}", join(list, "、")),
            Self::BehaviouralDetection => "振る舞いに基づく検知（プログラムが実行されたことを示す）".into(),
            Self::StaticDetectionOnly => "ファイルの特徴のみに基づく静的検知".into(),
            Self::ClassifiedAs(name) => format!("EDR による分類: {}", name.short(60)),
            Self::ConfidenceMalicious => "EDR の確度: 悪意あり".into(),
            Self::ConfidenceNotMalicious => "EDR の確度: 「悪意あり」ではない".into(),
            Self::KnownMaliciousFile => "EDR のクラウド評価で既知の悪性ファイル".into(),
            Self::FileNotKnownToReputation => "EDR のクラウド評価では未知のファイル（未知は安全を意味しない）".into(),
            Self::NoCommandLine => "コマンドラインの記録なし".into(),
            Self::CommandLinePresent => "コマンドラインの記録あり".into(),
            Self::NotExecuted => "実行された形跡は記録されていない".into(),
            Self::Mitigated => "端末上で対処済みと報告されている".into(),
            Self::NotMitigated => "端末上で未対処".into(),
            Self::MitigationUnknown => "端末上の対処状況が記録されていない".into(),
            Self::BlockedBeforeExecution => "業務用PC上で実行前に阻止".into(),
            Self::EndpointClass(class) => format!("端末の種別: {}", class.text().ja),
            Self::Hosts(n) => format!("影響端末 {n} 台"),
            Self::ExploitEngine => "脆弱性悪用の検知エンジンによる検知".into(),
            Self::ThreatIntelligenceEngine => "脅威インテリジェンスとの一致による検知".into(),
            Self::ValidSignature(Some(publisher)) => format!("有効な電子署名: {}", publisher.short(80)),
            Self::ValidSignature(None) => "有効な電子署名あり".into(),
            Self::FullDiskScan => "フルディスクスキャンによる検知".into(),
            Self::SameEventAs(id) => format!("{id} と同一の事象（端末・名称・ハッシュ値・対処・契機が一致）"),
            Self::SameStorylineAs(id) => format!("{id} と同一端末・同一ストーリーライン"),
            Self::SameFileAs(id) => format!("{id} と同一のファイル（ハッシュ値が一致）"),
            Self::SameIntrusionAs(id) => format!("{id} の直後に続く認証情報アクセスまたは横展開の検知"),
            Self::RepeatOf { incident, verdict, equal } => {
                let equal = Equal::list(equal, Language::Ja);
                format!("{incident}（判定：{}）と同一の事象。一致した項目: {equal}", verdict.text().ja)
            }
            Self::BehaviourDiffersFrom(id) => {
                format!("{id} と同じファイルだが、振る舞い・起動元・署名のいずれかが異なる")
            }
            Self::BreaksOutOfCampaign(id) => format!("{id} と同じファイルだが、より重大なため個別に扱う"),
            Self::CustomerSaysOurs => "お客様の回答: 自社で意図して使用（目的・入手元を確認）".into(),
            Self::CustomerSaysUnknown => "お客様の回答: 心当たりなし".into(),
            Self::NoRuleDecides => "判断に必要な情報が不足しており、該当する判定規則がない".into(),
            Self::PolicyAllows => "お客様の対応方針で事前に許可されている".into(),
            Self::PolicyForbids => "お客様の対応方針で自動実行が許可されていない".into(),
            Self::RolloutTuning => "導入調整期間中のため自動隔離は行わない".into(),
            Self::EvidenceNotDecisive => "証拠が自動実行の基準に達していない".into(),
            Self::EvidenceDecisive => "証拠が決定的である".into(),
            Self::TwoPeopleRequired => "2名の承認が必要な操作".into(),
            Self::NeverAutomatic => "自動実行の対象外の端末".into(),
            Self::AlreadyDone => "EDR により既に実施済み".into(),
            Self::PriorityStopsAt(p) => format!("加点による優先度の上限は {}", p.name()),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Techniques(list) => format!("ATT&CK techniques observed: {}", join(list, ", ")),
            Self::BehaviouralDetection => "behavioural detection (the program ran)".into(),
            Self::StaticDetectionOnly => "static detection, by the file alone".into(),
            Self::ClassifiedAs(name) => format!("classified by the EDR as {}", name.short(60)),
            Self::ConfidenceMalicious => "EDR confidence: malicious".into(),
            Self::ConfidenceNotMalicious => "EDR confidence: not “malicious”".into(),
            Self::KnownMaliciousFile => "known malicious file in the EDR's cloud reputation".into(),
            Self::FileNotKnownToReputation => {
                "file not known to the EDR's cloud reputation (not known is not clean)".into()
            }
            Self::NoCommandLine => "no command line recorded".into(),
            Self::CommandLinePresent => "a command line was recorded".into(),
            Self::NotExecuted => "no execution recorded".into(),
            Self::Mitigated => "reported as mitigated on the endpoint".into(),
            Self::NotMitigated => "not mitigated on the endpoint".into(),
            Self::MitigationUnknown => "the record does not say whether it was mitigated".into(),
            Self::BlockedBeforeExecution => "blocked before execution on a workstation".into(),
            Self::EndpointClass(class) => format!("endpoint class: {}", class.text().en),
            Self::Hosts(n) => format!("{n} endpoints affected"),
            Self::ExploitEngine => "detected by the exploit engine".into(),
            Self::ThreatIntelligenceEngine => "detected by a threat-intelligence match".into(),
            Self::ValidSignature(Some(publisher)) => format!("valid signature: {}", publisher.short(80)),
            Self::ValidSignature(None) => "valid signature".into(),
            Self::FullDiskScan => "found by a full disk scan".into(),
            Self::SameEventAs(id) => {
                format!("same event as {id} (endpoint, name, hash, mitigation and trigger are equal)")
            }
            Self::SameStorylineAs(id) => format!("same endpoint and storyline as {id}"),
            Self::SameFileAs(id) => format!("same file as {id} (hash is equal)"),
            Self::SameIntrusionAs(id) => {
                format!("credential access or lateral movement that follows {id} within the hour")
            }
            Self::RepeatOf { incident, verdict, equal } => {
                let equal = Equal::list(equal, Language::En);
                format!("the same event as {incident} (verdict: {}); equal: {equal}", verdict.text().en.to_lowercase())
            }
            Self::BehaviourDiffersFrom(id) => {
                format!("same file as {id}, but behaviour, parent or signature differs")
            }
            Self::BreaksOutOfCampaign(id) => format!("same file as {id}, but graver: handled on its own"),
            Self::CustomerSaysOurs => "the customer says it is theirs, with purpose and source".into(),
            Self::CustomerSaysUnknown => "the customer does not know it".into(),
            Self::NoRuleDecides => "information needed to decide is missing; no other rule applies".into(),
            Self::PolicyAllows => "authorised in advance by the customer's response policy".into(),
            Self::PolicyForbids => "the customer's response policy does not allow this automatically".into(),
            Self::RolloutTuning => "no automatic isolation while the roll-out is being tuned".into(),
            Self::EvidenceNotDecisive => "the evidence does not reach the bar for acting automatically".into(),
            Self::EvidenceDecisive => "the evidence is decisive".into(),
            Self::TwoPeopleRequired => "needs the approval of two people".into(),
            Self::NeverAutomatic => "this class of endpoint is never acted on automatically".into(),
            Self::AlreadyDone => "already done by the EDR".into(),
            Self::PriorityStopsAt(p) => format!("modifiers do not raise priority beyond {}", p.name()),
        }
    }
}

/// All grounds in one sentence, for a timeline row or a note.
pub fn sentence(grounds: &[Ground], language: Language) -> String {
    let separator = match language {
        Language::Ja => "、",
        Language::En => "; ",
    };
    grounds.iter().map(|g| g.text(language)).collect::<Vec<_>>().join(separator)
}

fn join(list: &[Technique], separator: &str) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}
