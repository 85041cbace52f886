//! The two mails of the watcher, in Japanese and English: the service does not work, and it works again.

use domain::calendar::in_japan;
use domain::{Language, Timestamp};
use jiff::SignedDuration;
use notify::Sender;
use notify::mail::{self, Mail, Plain};

use super::alarm::Tell;
use super::look::Reason;

pub(super) fn write(tell: Tell, reasons: &[Reason], url: &str, language: Language, sender: &Sender) -> Mail {
    let key = |since: Timestamp| format!("watch.{}.{}", since.as_second(), language.tag());
    let name = sender.name(language);
    let mut lines: Vec<String> = Vec::new();
    let (key, answers, subject) = match (tell, language) {
        (Tell::Outage { since }, Language::Ja) => {
            lines.push(format!("{name}の監視基盤（やぐら）が正常に稼働していません。"));
            lines.push("この間、お客様のアラートが処理されていないおそれがあります。至急ご確認ください。\n".into());
            lines.push(format!("検知日時：{}（日本時間）", time(since)));
            lines.push(format!("監視対象：{url}"));
            lines.push("状況：".into());
            lines.extend(reasons.iter().map(|r| format!("・{}", ja(r))));
            lines.push("\nこの障害についての次のメールは、復旧時にお送りします。".into());
            (key(since), None, format!("【至急】{name}：監視基盤が正常に稼働していません"))
        }
        (Tell::Outage { since }, Language::En) => {
            lines.push(format!("The platform of {name} (Yagura) is not working as it should."));
            lines.push("Customers' alerts may be going unhandled. Please look into it at once.\n".into());
            lines.push(format!("Noticed at: {} JST", time(since)));
            lines.push(format!("Watched:    {url}"));
            lines.push("What is wrong:".into());
            lines.extend(reasons.iter().map(|r| format!("- {}", en(r))));
            lines.push("\nThe next mail about this outage comes when it is over.".into());
            (key(since), None, format!("[URGENT] {name}: the platform is not working"))
        }
        (Tell::Over { since, until }, Language::Ja) => {
            lines.push(format!("{name}の監視基盤（やぐら）の復旧を確認しました。\n"));
            lines.push(format!("検知日時：{}（日本時間）", time(since)));
            lines.push(format!("復旧確認：{}（日本時間）", time(until)));
            lines.push(format!("継続時間：{}", minutes_ja(until.duration_since(since))));
            lines.push(format!("監視対象：{url}"));
            lines.push(
                "\n未処理のアラートが残っていないか、また目標時間を超過したものがないかをご確認ください。".into(),
            );
            (format!("{}.over", key(since)), Some(key(since)), format!("【復旧】{name}：監視基盤の復旧を確認しました"))
        }
        (Tell::Over { since, until }, Language::En) => {
            lines.push(format!("The platform of {name} (Yagura) works again.\n"));
            lines.push(format!("Noticed at:    {} JST", time(since)));
            lines.push(format!("Works again:   {} JST", time(until)));
            lines.push(format!("It lasted for: {}", minutes_en(until.duration_since(since))));
            lines.push(format!("Watched:       {url}"));
            lines.push(
                "\nPlease check whether alerts are still waiting, and whether any target was missed meanwhile.".into(),
            );
            (format!("{}.over", key(since)), Some(key(since)), format!("[RECOVERED] {name}: the platform works again"))
        }
    };
    let text = lines.join("\n") + "\n";
    let urgent = matches!(tell, Tell::Outage { .. });
    mail::plain(Plain { key: &key, answers: answers.as_deref(), urgent, subject: &subject, text }, language, sender)
}

fn ja(reason: &Reason) -> String {
    match reason {
        Reason::NoConnection => "サーバーに接続できません。".into(),
        Reason::Certificate => "サーバー証明書を検証できません。".into(),
        Reason::NoAnswerInTime => "時間内に応答がありません。".into(),
        Reason::Broken => "応答の途中で接続が切れました。".into(),
        Reason::NotOurs { status: Some(status) } => format!("想定外の応答です（HTTP {status}）。"),
        Reason::NotOurs { status: None } => "稼働状況ではない内容が返されました。".into(),
        Reason::NotOfNow { by_s } => {
            format!("応答の時刻が現在と{}秒ずれています（キャッシュ、または時計のずれ）。", by_s.abs())
        }
        Reason::Store => "データベースを読み取れません。".into(),
        Reason::Loop { kind, age_s: Some(age), .. } => format!("処理「{kind}」が{age}秒間成功していません。"),
        Reason::Loop { kind, .. } => format!("処理「{kind}」が一度も報告されていません。"),
    }
}

fn en(reason: &Reason) -> String {
    match reason {
        Reason::NoConnection => "No connection to the server.".into(),
        Reason::Certificate => "The server's certificate is not accepted.".into(),
        Reason::NoAnswerInTime => "No answer in time.".into(),
        Reason::Broken => "The connection broke before the answer was complete.".into(),
        Reason::NotOurs { status: Some(status) } => format!("An unexpected answer (HTTP {status})."),
        Reason::NotOurs { status: None } => "What came back is not the health page.".into(),
        Reason::NotOfNow { by_s } => {
            format!("The answer's time is {} s away from now: a cache, or a wrong clock.", by_s.abs())
        }
        Reason::Store => "The service cannot read its database.".into(),
        Reason::Loop { kind, age_s: Some(age), .. } => format!("The loop `{kind}` has not succeeded for {age} s."),
        Reason::Loop { kind, .. } => format!("The loop `{kind}` never reported."),
    }
}

fn time(at: Timestamp) -> String {
    in_japan(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn minutes_ja(lasted: SignedDuration) -> String {
    match lasted.as_mins() {
        0 => "1分未満".into(),
        minutes => format!("{minutes}分"),
    }
}

fn minutes_en(lasted: SignedDuration) -> String {
    match lasted.as_mins() {
        0 => "less than a minute".into(),
        1 => "1 minute".into(),
        minutes => format!("{minutes} minutes"),
    }
}
