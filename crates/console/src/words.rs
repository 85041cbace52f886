//! Words for values of the domain that only the console shows, and the sheet of shortcuts.

use domain::alert::{
    Confidence, ConsoleStatus, Initiator, Kind, MitigationAction, MitigationOutcome, Reputation, Signature, Source,
};
use domain::clock::{self, PauseReason};
use domain::endpoint::{Network, Os};
use domain::rules::{Strength, Weight};
use domain::{Language, Text};
use maud::{Markup, html};
use store::AccountRole;

use crate::say::Say;

pub(crate) fn name(say: Say) -> &'static str {
    say.pick("櫓（やぐら）", "Yagura")
}

pub(crate) fn language(language: Language) -> Text {
    match language {
        Language::Ja => Text::new("日本語", "Japanese"),
        Language::En => Text::new("英語", "English"),
    }
}

pub(crate) fn role(role: AccountRole) -> Text {
    match role {
        AccountRole::Analyst => Text::new("分析担当者", "Analyst"),
        AccountRole::Manager => Text::new("管理者", "Manager"),
        AccountRole::Operator => Text::new("運用担当者", "Operator"),
        AccountRole::Customer => Text::new("お客様", "Customer"),
    }
}

pub(crate) fn strength(strength: Strength) -> Text {
    match strength {
        Strength::Weak => Text::new("弱い", "Weak"),
        Strength::Strong => Text::new("強い", "Strong"),
        Strength::Decisive => Text::new("決定的", "Decisive"),
    }
}

pub(crate) fn weight(weight: Weight) -> Text {
    match weight {
        Weight::Must => Text::new("必須", "Required"),
        Weight::Should => Text::new("推奨", "Recommended"),
        Weight::Could => Text::new("任意", "Optional"),
    }
}

pub(crate) fn os(os: Os) -> &'static str {
    match os {
        Os::Windows => "Windows",
        Os::Macos => "macOS",
        Os::Linux => "Linux",
        Os::Unknown => "",
    }
}

pub(crate) fn network(network: Network) -> Text {
    match network {
        Network::Connected => Text::new("接続中", "Connected"),
        Network::Disconnecting => Text::new("隔離処理中", "Being isolated"),
        Network::Isolated => Text::new("隔離済み", "Isolated"),
        Network::Reconnecting => Text::new("隔離解除の処理中", "Being reconnected"),
        Network::Unknown => Text::new("記録なし", "Not recorded"),
    }
}

pub(crate) fn detection(kind: Kind) -> Text {
    match kind {
        Kind::Static => Text::new("静的検知", "Static"),
        Kind::Behavioural => Text::new("振る舞い検知", "Behavioural"),
        Kind::Unknown => Text::new("記録なし", "Not recorded"),
    }
}

pub(crate) fn confidence(confidence: Confidence) -> Text {
    match confidence {
        Confidence::Malicious => Text::new("悪意あり", "Malicious"),
        Confidence::Suspicious => Text::new("疑わしい", "Suspicious"),
        Confidence::Unknown => Text::new("記録なし", "Not recorded"),
    }
}

pub(crate) fn initiator(initiator: Initiator) -> Text {
    match initiator {
        Initiator::AgentPolicy => Text::new("常時監視", "Agent policy"),
        Initiator::FullDiskScan => Text::new("フルディスクスキャン", "Full disk scan"),
        Initiator::OnDemandScan => Text::new("手動スキャン", "On-demand scan"),
        Initiator::Person => Text::new("コンソールの利用者", "Console user"),
        Initiator::Rule => Text::new("検知ルール", "Detection rule"),
        Initiator::Intelligence => Text::new("脅威インテリジェンス", "Threat intelligence"),
        Initiator::Other => Text::new("その他・記録なし", "Other, or not recorded"),
    }
}

pub(crate) fn reputation(reputation: Reputation) -> Text {
    match reputation {
        Reputation::KnownMalicious => Text::new("既知の悪性ファイル", "Known malicious"),
        Reputation::NotKnown => Text::new("未知（未知は安全を意味しない）", "Not known (not known is not clean)"),
        Reputation::NotAsked => Text::new("照会の記録なし", "Not asked"),
    }
}

pub(crate) fn signature(signature: &Signature) -> Text {
    match signature {
        Signature::Unknown => Text::new("記録なし", "Not recorded"),
        Signature::NotSigned => Text::new("署名なし", "Not signed"),
        Signature::Invalid { .. } => Text::new("署名が無効", "Signature invalid"),
        Signature::Valid { .. } => Text::new("署名は有効", "Signature valid"),
    }
}

pub(crate) fn source(source: Source) -> Text {
    match source {
        Source::Threat => Text::new("脅威", "Threat"),
        Source::RuleAlert => Text::new("検知ルールのアラート（STAR）", "Detection rule alert (STAR)"),
        Source::UnifiedAlert => Text::new("統合アラート", "Unified alert"),
        Source::LegacyThreat => Text::new("脅威（旧形式）", "Threat (older form)"),
    }
}

pub(crate) fn mitigation_action(action: MitigationAction) -> Text {
    match action {
        MitigationAction::Kill => Text::new("プロセスの強制終了", "Kill"),
        MitigationAction::Quarantine => Text::new("ファイルの隔離", "Quarantine"),
        MitigationAction::Remediate => Text::new("修復", "Remediate"),
        MitigationAction::Rollback => Text::new("ロールバック", "Roll back"),
        MitigationAction::Unquarantine => Text::new("隔離の解除", "Release from quarantine"),
        MitigationAction::NetworkQuarantine => Text::new("ネットワーク隔離", "Network isolation"),
        MitigationAction::Other => Text::new("その他の対処", "Another action"),
    }
}

pub(crate) fn mitigation_outcome(outcome: MitigationOutcome) -> Text {
    match outcome {
        MitigationOutcome::Success => Text::new("成功", "succeeded"),
        MitigationOutcome::Pending => Text::new("実行待ち", "pending"),
        MitigationOutcome::Partial => Text::new("一部のみ成功", "in part"),
        MitigationOutcome::Failed => Text::new("失敗", "failed"),
        MitigationOutcome::Unknown => Text::new("結果の記録なし", "no result recorded"),
    }
}

pub(crate) fn console_status(status: ConsoleStatus) -> Text {
    match status {
        ConsoleStatus::Unresolved => Text::new("未解決", "Unresolved"),
        ConsoleStatus::InProgress => Text::new("対応中", "In progress"),
        ConsoleStatus::Resolved => Text::new("解決済み", "Resolved"),
    }
}

/// A promise by its short name, as columns have room for.
pub(crate) fn promise(kind: clock::Kind) -> Text {
    match kind {
        clock::Kind::FirstResponse => Text::new("初動", "Response"),
        clock::Kind::Analysis => Text::new("分析", "Analysis"),
    }
}

/// Why a clock stands still, likewise.
pub(crate) fn paused(why: PauseReason) -> Text {
    match why {
        PauseReason::CustomerAnswer => Text::new("回答", "Answer"),
        PauseReason::CustomerHold => Text::new("お客様都合の保留", "At their request"),
    }
}

/// Every shortcut, as the help sheet and the page "about" show it. No key alone changes anything that cannot be undone.
pub(crate) fn shortcuts(say: Say) -> Markup {
    let rows: [(&str, &[&str], Text); 19] = [
        ("", &["j", "k", "↓", "↑"], Text::new("次の行・前の行", "Next row, previous row")),
        ("", &["Enter"], Text::new("プレビューを開く・閉じる", "Open or close the preview")),
        ("", &["o", "Alt+R"], Text::new("インシデントを開く", "Open the incident")),
        (
            "",
            &["a", "Alt+K"],
            Text::new("受領する（未担当なら自分が担当になる）", "Acknowledge, and take it if nobody has"),
        ),
        ("", &["Alt+Y"], Text::new("自分に割り当てる", "Assign to me")),
        ("", &["n"], Text::new("記録を書く", "Write a note")),
        (
            "",
            &["t", "s", "f"],
            Text::new(
                "正検知・要調査・誤検知として判定の入力欄を開く",
                "Open the verdict form: true positive, suspicious, false positive",
            ),
        ),
        ("", &["p"], Text::new("現時点の分析結果を提示する", "Present the analysis so far")),
        ("", &["h"], Text::new("お客様都合の保留・保留の解除", "Hold at the customer's request, or end the hold")),
        ("", &["r"], Text::new("優先度を上げる（責任者）", "Raise the priority (managers)")),
        ("", &["Alt+X"], Text::new("終了の確認を開く", "Ask to close")),
        ("", &["Ctrl+Enter"], Text::new("入力中のフォームを送信する", "Send the form being filled in")),
        ("", &["/"], Text::new("一覧を絞り込む", "Filter the list")),
        ("", &["Ctrl+K", "⌘K"], Text::new("番号を入力して開く", "Open by number")),
        ("", &["."], Text::new("新着を一覧に反映する", "Show what is new")),
        ("", &["Alt+L"], Text::new("自動更新を一時停止・再開する", "Pause or resume live updates")),
        (
            "g",
            &["q", "h", "t", "a"],
            Text::new("キュー・引き継ぎ・要確認・説明へ移動する", "Go to queue, hand-over, trouble, about"),
        ),
        ("", &["Esc"], Text::new("閉じる・入力欄から出る", "Close, or leave a field")),
        ("", &["?"], Text::new("この一覧を表示する", "Show this sheet")),
    ];
    html! {
        table.keys {
            @for (first, keys, what) in rows {
                tr {
                    th scope="row" {
                        @if !first.is_empty() { kbd { (first) } " → " }
                        @for (n, key) in keys.iter().enumerate() { @if n > 0 { " " } kbd { (key) } }
                    }
                    td { (say.text(what)) }
                }
            }
        }
        p.hint { (say.pick("日本語の変換中と入力欄の中では、文字キーは働きません。", "Letter keys do nothing while you type or convert Japanese.")) }
    }
}
