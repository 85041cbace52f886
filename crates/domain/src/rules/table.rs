//! The table itself, in the order in which it is tried.

use super::conditions as when;
use super::{Automatic, Needs, Request, Rule, RuleId, Strength, Weight};
use crate::judgement::{Priority, Verdict};
use crate::language::Text;

use Automatic::{DfirMode, Isolate, Kill, Quarantine};
use Needs::{Answer, History, Investigation, NetworkActivities, Person};
use Priority::{P0, P1, P2, P3};
use Strength::{Decisive, Strong, Weak};
use Verdict::{FalsePositive, Suspicious, TruePositive, Undetermined};

const fn text(ja: &'static str, en: &'static str) -> Text {
    Text::new(ja, en)
}

#[expect(clippy::unnecessary_wraps, reason = "keeps the column of requests even: a request, or None")]
const fn must(ja: &'static str, en: &'static str) -> Option<Request> {
    Some(Request { weight: Weight::Must, text: Text::new(ja, en) })
}

#[expect(clippy::unnecessary_wraps, reason = "keeps the column of requests even: a request, or None")]
const fn should(ja: &'static str, en: &'static str) -> Option<Request> {
    Some(Request { weight: Weight::Should, text: Text::new(ja, en) })
}

/// R18, R19, R24 and R20 come first, applied by `grouping` before any verdict; then the first match wins.
pub const FLOOR: &[Rule] = &[
    Rule {
        id: RuleId::R18,
        title: text("対応中の事象と同一の検知", "Same event as an open incident"),
        needs: History,
        verdict: Undetermined,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "対応中のインシデントに統合し、件数とアラートIDを記録する",
            "Join it to the open incident; count it and keep its id",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R19,
        title: text("フルディスクスキャンによる一括検知", "Batch of a full disk scan"),
        needs: History,
        verdict: Undetermined,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "一覧表で一通の通知にまとめ、重大なものは個別に扱う",
            "One notice with a table; what is graver is handled on its own",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R24,
        title: text("終了済みインシデントと同一の事象", "Same event as a closed incident"),
        needs: History,
        verdict: Undetermined,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "過去の判定を参照し、分析担当者が確認して終了する",
            "Refer to the earlier verdict; an analyst confirms and closes",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R20,
        title: text("過去に誤検知とした検知の変化", "Earlier false positive, now different"),
        needs: History,
        verdict: Undetermined,
        priority: P2,
        automatic: &[],
        strength: Weak,
        next: text(
            "過去の判定を再検討し、同一の検知をすべて見直す",
            "Reopen the earlier verdict and look at all identical ones again",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R01,
        title: text("ランサムウェア、または破壊・サービス停止", "Ransomware, or destruction or stopping of a service"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P0,
        automatic: &[Kill, Quarantine, Isolate, DfirMode],
        strength: Decisive,
        next: text(
            "電話と別経路の2系統で連絡し、証拠を保全し、他端末への波及を確認する",
            "Call, and use a second channel; preserve evidence; sweep other endpoints",
        ),
        request: must(
            "対象端末の電源を切らずにそのまま保持し、利用者に操作を控えるようご周知ください",
            "Keep the endpoint powered on and untouched, and tell its user not to operate it",
        ),
        when: when::ransomware_or_destruction,
    },
    Rule {
        id: RuleId::R02,
        title: text("認証情報の窃取と横展開", "Credential theft with lateral movement"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P0,
        automatic: &[Kill, Quarantine, Isolate, DfirMode],
        strength: Decisive,
        next: text(
            "対象アカウントの無効化を依頼し、DFIRモードで波及範囲を確認する",
            "Ask for the accounts to be disabled; DFIR mode; sweep",
        ),
        request: must(
            "対象端末で使用されたアカウントを無効化し、パスワードを変更してください",
            "Disable the accounts used on the endpoint and change their passwords",
        ),
        when: when::credentials_and_movement,
    },
    Rule {
        id: RuleId::R03,
        title: text("攻撃者による手動操作の疑い", "Hands-on-keyboard activity"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P0,
        automatic: &[Isolate],
        strength: Decisive,
        next: text(
            "端末とは別の経路で利用者に連絡し、操作の有無を確認する",
            "Reach the user out of band and ask whether it was them",
        ),
        request: must(
            "電話など端末以外の手段で利用者に連絡し、本人による操作かどうかをお知らせください",
            "Reach the user by telephone, not on the endpoint, and tell us whether it was them",
        ),
        when: when::hands_on_keyboard,
    },
    Rule {
        id: RuleId::R04,
        title: text(
            "サーバー上のWebシェル・公開アプリケーションの悪用",
            "Web shell or exploited application on a server",
        ),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P1,
        automatic: &[Quarantine],
        strength: Strong,
        next: text(
            "公開アプリケーションの脆弱性と修正状況を確認し、隔離の可否をお客様に確認する",
            "Check the application's vulnerability and patches; ask before isolating",
        ),
        request: must(
            "対象サーバーを業務から切り離せるかどうか、可否と時間帯をお知らせください",
            "Tell us whether and when the server may be taken off the network",
        ),
        when: when::web_shell,
    },
    Rule {
        id: RuleId::R22,
        title: text("セキュリティ機能の無効化", "Tampering with the sensor or other defences"),
        needs: Needs::Alert,
        verdict: Suspicious,
        priority: P1,
        automatic: &[],
        strength: Weak,
        next: text("電話で連絡し、管理者による作業かどうかを確認する", "Call, and ask whether an administrator did it"),
        request: must(
            "管理者による作業かどうかをお知らせください",
            "Tell us whether this was the work of an administrator",
        ),
        when: when::defences_tampered,
    },
    Rule {
        id: RuleId::R25,
        title: text("データの外部送信の疑い", "Data leaving the company"),
        needs: Needs::Alert,
        verdict: Suspicious,
        priority: P1,
        automatic: &[Kill, Isolate],
        strength: Strong,
        next: text(
            "送信先・件数・データの種類を特定し、報告義務の要否を検討する",
            "Establish destination, amount and kind of data; consider duties to report",
        ),
        request: must(
            "対象端末で扱うデータの種類（個人情報の有無を含む）をお知らせください",
            "Tell us what data the endpoint handles, personal data in particular",
        ),
        when: when::data_leaving,
    },
    Rule {
        id: RuleId::R26,
        title: text("複数端末への拡大", "Spread to further endpoints"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P1,
        automatic: &[Kill, Quarantine],
        strength: Strong,
        next: text(
            "同一ファイルと通信先を全端末で確認し、端末の種別に応じて隔離する",
            "Sweep for the file and its destinations; isolate by class",
        ),
        request: should(
            "影響端末の利用者に、不審なメールや画面表示の有無をご確認ください",
            "Ask the users of the affected endpoints about suspicious mails or windows",
        ),
        when: when::spreading,
    },
    Rule {
        id: RuleId::R13,
        title: text("お客様が意図して使用しているもの", "The customer's own, with purpose and source"),
        needs: Answer,
        verdict: FalsePositive,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "隔離の解除と限定的な除外を提案し、担当者が確認する",
            "Propose release and a narrow rule; a person confirms",
        ),
        request: None,
        when: when::customer_says_ours,
    },
    Rule {
        id: RuleId::R14,
        title: text("お客様に心当たりがないもの", "Not known to the customer"),
        needs: Answer,
        verdict: Suspicious,
        priority: P2,
        automatic: &[Quarantine],
        strength: Weak,
        next: text("隔離を維持し、ハッシュ値を遮断し、他端末を確認する", "Keep it quarantined, block the hash, sweep"),
        request: None,
        when: when::customer_does_not_know,
    },
    Rule {
        id: RuleId::R16,
        title: text("署名済みインストーラー・更新プログラム", "Vendor-signed installer or updater"),
        needs: Investigation,
        verdict: FalsePositive,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "隔離の解除を提案し、署名者と起動元による限定規則を90日で設定する",
            "Propose release; a rule by signer and parent for 90 days",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R17,
        title: text("バックアップ・ウイルス対策・配布ツールの動作", "Backup, antivirus or deployment agent"),
        needs: Investigation,
        verdict: FalsePositive,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "プロセスツリーを確認し、最も影響の小さい除外を選ぶ",
            "Read the process tree; choose the least risky exclusion",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R10,
        title: text("望ましくないソフトウェア", "Unwanted software"),
        needs: Needs::Alert,
        verdict: Suspicious,
        priority: P3,
        automatic: &[Quarantine],
        strength: Weak,
        next: text("削除を助言する", "Advise removal"),
        request: should(
            "業務上不要であれば、対象ソフトウェアを削除してください",
            "Remove the software unless the business needs it",
        ),
        when: when::unwanted_software,
    },
    Rule {
        id: RuleId::R05,
        title: text("実行され、未対処のマルウェア", "Malware that ran and is not stopped"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P1,
        automatic: &[Kill, Quarantine],
        strength: Strong,
        next: text(
            "対処結果を確認し、侵入経路と永続化を分析する",
            "Verify the mitigation; analyse entry and persistence",
        ),
        request: should(
            "対象端末の利用者に、検知前後の操作（メール、ダウンロード、外部媒体）をご確認ください",
            "Ask the user what they did around that time: mails, downloads, external media",
        ),
        when: when::running_unmitigated,
    },
    Rule {
        id: RuleId::R06,
        title: text("実行されたが、対処済みのマルウェア", "Malware that ran and was stopped"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P2,
        automatic: &[],
        strength: Strong,
        next: text(
            "対処結果を検証し、永続化と他端末のIOCを確認する",
            "Verify the mitigation report; look for persistence; sweep for IOCs",
        ),
        request: should(
            "対象端末の利用者に、検知前後の操作（メール、ダウンロード、外部媒体）をご確認ください",
            "Ask the user what they did around that time: mails, downloads, external media",
        ),
        when: when::ran_and_was_mitigated,
    },
    Rule {
        id: RuleId::R07,
        title: text("既知の悪性ファイル（実行なし）", "Known malicious file, not executed"),
        needs: Needs::Alert,
        verdict: TruePositive,
        priority: P2,
        automatic: &[Quarantine],
        strength: Strong,
        next: text("隔離を検証し、侵入経路を確認する", "Verify the quarantine; find the delivery path"),
        request: should(
            "ファイルの入手経路（メール、Web、外部媒体）を利用者にご確認ください",
            "Ask the user how the file arrived: mail, web or external media",
        ),
        when: when::known_malicious_file,
    },
    Rule {
        id: RuleId::R08,
        title: text("脆弱性の悪用", "Exploitation of a vulnerability"),
        needs: Needs::Alert,
        verdict: Suspicious,
        priority: P1,
        automatic: &[Kill],
        strength: Strong,
        next: text("対象製品のバージョンと脆弱性を特定する", "Identify the product's version and the vulnerability"),
        request: should("対象製品の更新プログラムを適用してください", "Apply the updates for the product concerned"),
        when: when::exploit,
    },
    Rule {
        id: RuleId::R09,
        title: text("攻撃用サーバーとの通信の疑い", "Contact with a command-and-control address"),
        needs: Needs::Alert,
        verdict: Suspicious,
        priority: P2,
        automatic: &[],
        strength: Weak,
        next: text("許可があれば通信先を遮断し、他端末を確認する", "Block the destination if allowed; sweep"),
        request: should("通信先に心当たりがあるかどうかをお知らせください", "Tell us whether you know the destination"),
        when: when::c2_contact,
    },
    Rule {
        id: RuleId::R15,
        title: text("広く使われている自社製・未署名のツール", "In-house unsigned tool in wide use"),
        needs: Investigation,
        verdict: Undetermined,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text("お客様に確認し、署名の付与を助言する", "Ask the customer; advise signing"),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R27,
        title: text("ファイアウォール・ポート・ACLの事象", "Firewall, port or ACL event"),
        needs: NetworkActivities,
        verdict: Suspicious,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text("管理者と確認する", "Follow up with the owner"),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R11,
        title: text("管理用にも攻撃にも使われるツール", "Dual-use administration tool"),
        needs: Needs::Alert,
        verdict: Undetermined,
        priority: P2,
        automatic: &[],
        strength: Weak,
        next: text(
            "使用者・目的・作業申請をお客様に確認する（72時間）",
            "Ask the customer who used it, why, and under which ticket; 72 hours",
        ),
        request: must(
            "使用者・目的・入手元をお知らせください",
            "Tell us who used it, for what purpose, and where it came from",
        ),
        when: when::dual_use_tool,
    },
    Rule {
        id: RuleId::R12,
        title: text("静的検知のみの未知ファイル", "Unknown file, static detection only"),
        needs: Needs::Alert,
        verdict: Undetermined,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "隔離を維持し、お客様に確認する（72時間、回答がなければ「要調査（疑わしい）」）",
            "Keep it quarantined and ask the customer; 72 hours, silence makes it suspicious",
        ),
        request: must(
            "ファイルに心当たりがあるか、使用者・目的・入手元をお知らせください",
            "Tell us whether you know the file, who used it, why, and where it came from",
        ),
        when: when::static_only,
    },
    Rule {
        id: RuleId::R21,
        title: text("登録済みの試験期間中の検知", "Within a registered test window"),
        needs: Person,
        verdict: TruePositive,
        priority: P3,
        automatic: &[],
        strength: Weak,
        next: text(
            "操作者・端末・期間を担当者が照合し、お客様に知らせる",
            "A person matches operator, host and window; inform",
        ),
        request: None,
        when: when::elsewhere,
    },
    Rule {
        id: RuleId::R23,
        title: text("判断に必要な情報の不足", "Information needed to decide is missing"),
        needs: Needs::Alert,
        verdict: Undetermined,
        priority: P2,
        automatic: &[],
        strength: Weak,
        next: text("不足している情報を明記し、追加で収集する", "Name the gap and gather what is missing"),
        request: should(
            "対象のファイルや操作に心当たりがあるかどうかをお知らせください",
            "Tell us whether you know the file or the activity",
        ),
        when: when::information_missing,
    },
];

/// R23, which takes what no other line decides.
pub(super) fn last() -> &'static Rule {
    &FLOOR[FLOOR.len() - 1]
}
