//! Words for values of the domain that only a report shows.

use domain::Text;
use domain::alert::{
    Confidence, ConsoleStatus, Initiator, Kind, MitigationAction, MitigationOutcome, Reputation, Source,
};
use domain::endpoint::{Network, Os};
use domain::rules::Strength;

pub(super) fn strength(strength: Strength) -> Text {
    match strength {
        Strength::Weak => Text::new("弱い", "weak"),
        Strength::Strong => Text::new("強い", "strong"),
        Strength::Decisive => Text::new("決定的", "decisive"),
    }
}

pub(super) fn network(network: Network) -> Text {
    match network {
        Network::Connected => Text::new("接続中", "connected"),
        Network::Disconnecting => Text::new("隔離処理中", "being isolated"),
        Network::Isolated => Text::new("隔離済み", "isolated"),
        Network::Reconnecting => Text::new("再接続処理中", "being reconnected"),
        Network::Unknown => Text::new("記録なし", "not recorded"),
    }
}

pub(super) fn os(os: Os) -> Text {
    match os {
        Os::Windows => Text::new("Windows", "Windows"),
        Os::Macos => Text::new("macOS", "macOS"),
        Os::Linux => Text::new("Linux", "Linux"),
        Os::Unknown => Text::new("OS の記録なし", "OS not recorded"),
    }
}

pub(super) fn detection_kind(kind: Kind) -> Text {
    match kind {
        Kind::Static => Text::new("静的（ファイルの特徴による）", "Static: by the file alone"),
        Kind::Behavioural => Text::new("動的（振る舞いによる）", "Behavioural: by what it did"),
        Kind::Unknown => Text::new("記録なし", "Not recorded"),
    }
}

pub(super) fn confidence(confidence: Confidence) -> Text {
    match confidence {
        Confidence::Malicious => Text::new("悪意あり", "malicious"),
        Confidence::Suspicious => Text::new("疑わしい", "suspicious"),
        Confidence::Unknown => Text::new("記録なし", "not recorded"),
    }
}

pub(super) fn initiator(initiator: Initiator) -> Text {
    match initiator {
        Initiator::AgentPolicy => Text::new("センサーの常時監視", "the sensor's own watch"),
        Initiator::FullDiskScan => Text::new("フルディスクスキャン", "full disk scan"),
        Initiator::OnDemandScan => Text::new("手動スキャン", "scan on demand"),
        Initiator::Person => Text::new("管理者の操作", "a person on the console"),
        Initiator::Rule => Text::new("検知ルール", "detection rule"),
        Initiator::Intelligence => Text::new("脅威インテリジェンス", "threat intelligence"),
        Initiator::Other => Text::new("その他・記録なし", "other, or not recorded"),
    }
}

pub(super) fn reputation(reputation: Reputation) -> Text {
    match reputation {
        Reputation::KnownMalicious => Text::new("既知の悪性ファイル", "known malicious"),
        Reputation::NotKnown => Text::new("未知（未知は安全を意味しません）", "not known (not known is not clean)"),
        Reputation::NotAsked => Text::new("記録なし", "not recorded"),
    }
}

pub(super) fn source(source: Source) -> Text {
    match source {
        Source::Threat => Text::new("脅威（Threat）", "threat"),
        Source::RuleAlert => Text::new("検知ルールのアラート（STAR）", "alert of a detection rule (STAR)"),
        Source::UnifiedAlert => Text::new("統合アラート", "unified alert"),
        Source::LegacyThreat => Text::new("脅威（旧形式）", "threat (older form)"),
    }
}

pub(super) fn mitigation_action(action: MitigationAction) -> Text {
    match action {
        MitigationAction::Kill => Text::new("プロセスの強制終了", "Kill the process"),
        MitigationAction::Quarantine => Text::new("ファイルの隔離", "Quarantine the file"),
        MitigationAction::Remediate => Text::new("修復（変更の除去）", "Remediate"),
        MitigationAction::Rollback => Text::new("ロールバック（変更の復元）", "Roll back"),
        MitigationAction::Unquarantine => Text::new("隔離の解除", "Release from quarantine"),
        MitigationAction::NetworkQuarantine => Text::new("ネットワーク隔離", "Isolate from the network"),
        MitigationAction::Other => Text::new("その他の対処", "Another action"),
    }
}

pub(super) fn mitigation_outcome(outcome: MitigationOutcome) -> Text {
    match outcome {
        MitigationOutcome::Success => Text::new("成功", "succeeded"),
        MitigationOutcome::Pending => Text::new("実行待ち", "pending"),
        MitigationOutcome::Partial => Text::new("一部のみ成功", "succeeded in part"),
        MitigationOutcome::Failed => Text::new("失敗", "failed"),
        MitigationOutcome::Unknown => Text::new("結果の記録なし", "result not recorded"),
    }
}

pub(super) fn console_status(status: ConsoleStatus) -> Text {
    match status {
        ConsoleStatus::Unresolved => Text::new("未解決", "unresolved"),
        ConsoleStatus::InProgress => Text::new("対応中", "in progress"),
        ConsoleStatus::Resolved => Text::new("解決済み", "resolved"),
    }
}
