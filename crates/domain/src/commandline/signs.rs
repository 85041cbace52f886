//! What in a command line speaks of an attack, and the words it rests on.

use serde::{Deserialize, Serialize};

use super::rules::{RULES, Rule};
use super::words::{Word, words};
use super::{How, powershell};
use crate::attack::Technique;
use crate::language::Text;
use crate::untrusted::Untrusted;

/// One fact of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    pub kind: SignKind,
    pub technique: Technique,
    /// The part of the text that it rests on.
    pub on: Untrusted,
    /// In which layer that stands: 0 is the line as it was recorded.
    pub layer: usize,
}

/// How much a sign says alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Administrators do this every day; it tells beside others.
    Context,
    /// Seldom part of honest work.
    Suspicious,
    /// Hardly ever honest.
    Grave,
}

macro_rules! kinds {
    ($($kind:ident $weight:ident $ja:literal $en:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum SignKind { $($kind),* }

        impl SignKind {
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            pub fn weight(self) -> Weight {
                match self { $(Self::$kind => Weight::$weight),* }
            }

            pub fn text(self) -> Text {
                match self { $(Self::$kind => Text::new($ja, $en)),* }
            }
        }
    };
}

kinds! {
    CredentialTool Grave "認証情報窃取ツールの引数" "Arguments of a credential tool";
    LsassDump Grave "LSASSメモリのダンプ" "Dumps the memory of LSASS";
    CredentialStore Grave "認証情報データベースの複製" "Copies a store of credentials";
    ShadowCopyDeletion Grave "シャドウコピーの削除" "Deletes shadow copies";
    RecoveryOff Grave "回復機能の無効化" "Turns recovery off";
    LogClear Grave "ログの消去" "Clears logs";
    DefenceOff Grave "防御機能の無効化・除外設定" "Turns a defence off or makes an exception";
    DownloadAndExecute Grave "ダウンロードしてそのまま実行" "Downloads and executes";
    ReverseShell Grave "リバースシェル" "Reverse shell";
    UacBypass Grave "UACの回避" "Bypasses UAC";
    Obfuscated Suspicious "文字の挿入や組み立てによる難読化" "Obscured by inserted or assembled letters";
    EncodedCommand Suspicious "エンコードされたコマンド" "Encoded command";
    HiddenWindow Suspicious "ウィンドウの非表示" "Hidden window";
    PolicyBypass Suspicious "実行ポリシーの回避" "Bypasses the execution policy";
    TrustedDownload Suspicious "OS標準ツールによるダウンロード" "Downloads with a tool of the system";
    ProxyExecution Suspicious "OS標準ツールを介した実行" "Executes through a tool of the system";
    Persistence Suspicious "自動起動の登録" "Makes itself start again";
    AccountChange Suspicious "アカウントの作成・権限付与" "Makes or raises an account";
    Lateral Suspicious "他端末での実行" "Executes on another endpoint";
    Tunnel Suspicious "トンネルの作成" "Opens a tunnel";
    Exfiltration Suspicious "データの持ち出し" "Carries data out";
    TraceRemoval Suspicious "痕跡の消去" "Removes traces";
    SecretSearch Suspicious "認証情報の探索" "Searches for secrets";
    Capture Suspicious "通信・画面の取得" "Captures traffic or screen";
    Scan Suspicious "ネットワークの走査" "Scans the network";
    RemoteAccess Context "遠隔操作ツール" "Remote access tool";
    PolicyChange Context "システムポリシーの変更" "Changes a policy of the system";
    Permission Context "権限・属性の変更" "Changes permissions or attributes";
    Discovery Context "環境の調査" "Looks around";
}

/// The signs of one layer, each kind and technique once.
pub(super) fn read(text: &str, layer: usize) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut note = |kind, technique, on: &str| add(&mut signs, vec![sign(kind, technique, on, layer)]);
    for call in powershell::calls(text) {
        if let Some(word) = call.encoded {
            note(SignKind::EncodedCommand, Technique::sub(1027, 10), word.text);
        }
        if let Some((from, to)) = call.hidden {
            note(SignKind::HiddenWindow, Technique::sub(1564, 3), &text[from.at..to.at + to.text.len()]);
        }
        if let Some((from, to)) = call.bypass {
            note(SignKind::PolicyBypass, Technique::sub(1059, 1), &text[from.at..to.at + to.text.len()]);
        }
    }
    for statement in statements(text) {
        let lower = statement.to_ascii_lowercase().replace(['"', '\'', '^'], " ");
        let words = words(statement);
        for rule in RULES {
            if let Some(span) = matched(rule, &lower, &words) {
                note(rule.kind, rule.technique, &statement[span.0..span.1]);
            }
        }
    }
    signs
}

/// That it was wrapped is a sign of its own.
pub(super) fn of_wrapping(how: How, text: &str, layer: usize) -> Vec<Sign> {
    match how {
        How::Carets | How::Quotes | How::Backticks | How::Environment => {
            vec![sign(SignKind::Obfuscated, Technique::sub(1027, 10), text, layer)]
        }
        _ => Vec::new(),
    }
}

pub(super) fn add(signs: &mut Vec<Sign>, more: Vec<Sign>) {
    for sign in more {
        let is_new = !signs.iter().any(|s| s.kind == sign.kind && s.technique == sign.technique);
        if is_new && !sign.on.for_matching().is_empty() {
            signs.push(sign);
        }
    }
}

fn sign(kind: SignKind, technique: Technique, on: &str, layer: usize) -> Sign {
    let on = on.trim();
    let on = if on.len() > 300 { &on[..on.floor_char_boundary(300)] } else { on };
    Sign { kind, technique, on: Untrusted::new(on), layer }
}

/// Pieces that each ask for one thing. A pipe stays whole: what is downloaded on its left runs on its right.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ';']).flat_map(|line| line.split("&&")).flat_map(|line| line.split("||")).take(1_000)
}

/// From the first to the last word that a rule rests on.
fn matched(rule: &Rule, lower: &str, words: &[Word<'_>]) -> Option<(usize, usize)> {
    let mut span = (usize::MAX, 0);
    for need in rule.needs {
        let (from, to) = if let Some(names) = need.strip_prefix('@') {
            let found = words.iter().find(|word| names.split('|').any(|name| word.is_program(&[name])))?;
            (found.at, found.at + found.text.len())
        } else if let Some(options) = need.strip_prefix('=') {
            let found = words.iter().find(|word| options.split('|').any(|o| word.text.eq_ignore_ascii_case(o)))?;
            (found.at, found.at + found.text.len())
        } else if *need == "|" {
            lower.find('|').map(|at| (at, at + 1))?
        } else {
            need.split('|').find_map(|part| lower.find(part).map(|at| (at, at + part.len())))?
        };
        span = (span.0.min(from), span.1.max(to));
    }
    (span.0 < span.1).then_some(span)
}
