//! What this is, what its words mean, and every shortcut.

use axum::extract::State;
use axum::response::Html;
use domain::judgement::{Priority, Verdict};
use maud::{Markup, html};

use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, watch, words};

pub(crate) async fn page(State(app): State<App>, visitor: Visitor) -> Result<Html<String>, Fault> {
    let say = visitor.say();
    let title = say.pick("このシステムについて", "About");
    let body = html! {
        article.about {
            h1 { (words::name(say)) }
            p.lead { (say.pick(
                "城の櫓のように、お客様の端末を見張る場所です。EDR が上げたアラートを一件も落とさず受け取り、\
                 判定規則で仕分け、許可された範囲で直ちに止め、お客様に知らせ、分析担当者が結論を出すまでを、\
                 一つの記録として残します。",
                "A watch-tower over the endpoints of our customers. Every alert of their EDR is taken in, sorted by written \
                 rules, stopped at once where that is authorised, told to the customer, and worked by an analyst to its \
                 conclusion. All of it is one record.",
            )) }
            div.columns {
                section {
                    h2 { (say.pick("優先度", "Priorities")) }
                    dl.legend { @for priority in Priority::ALL { (priority_line(priority, say)) } }
                    h2 { (say.pick("判定", "Verdicts")) }
                    dl {
                        (verdict_line(Verdict::TruePositive, say.pick("実際の攻撃または不正な動作。", "A real attack or unwanted action."), say))
                        (verdict_line(Verdict::Suspicious, say.pick("疑わしい、または業務に不要なもの。", "Doubtful, or of no use to the business."), say))
                        (verdict_line(Verdict::FalsePositive, say.pick("正当な動作を検知したもの。", "Legitimate activity."), say))
                        (verdict_line(Verdict::Undetermined, say.pick("事実が揃うまでの状態。お客様に確認し、72時間回答がなければ「要調査」とする。", "Until the facts are in. The customer is asked; 72 hours of silence make it suspicious."), say))
                    }
                    h2 { (say.pick("期限", "Due times")) }
                    p { (say.pick(
                        "期限は受信から数えます。初動は P0 で10分、その他は60分。分析は P0 で30分、その他は60分です。\
                         契約に別の定めがない限り、営業時間（平日9時から18時、祝日と休業日を除く）で数えます。",
                        "Both times count from receipt: first response 10 minutes for P0 and 60 for the rest; analysis 30 for P0 \
                         and 60 for the rest. Unless the contract says otherwise they count in business hours (weekdays 09:00 to \
                         18:00 JST, without holidays and closed days).",
                    )) }
                    p { (say.pick(
                        "時刻は日本時間（JST）です。時刻にポインターを重ねると協定世界時（UTC）を表示します。",
                        "Times are JST. Rest the pointer on one to read it in UTC.",
                    )) }
                }
                section {
                    h2 { (say.pick("キーボード操作", "Keyboard")) }
                    (words::shortcuts(say))
                    @if !app.settings().links.is_empty() {
                        h2 { (say.pick("関連する画面", "Neighbouring pages")) }
                        ul { @for link in &app.settings().links {
                            li { a href=(link.url) rel="noreferrer" { (say.names(&link.name)) } }
                        } }
                    }
                    h2 { (say.pick("サインイン中", "Signed in as")) }
                    p { (visitor.person.name) " (" (visitor.id().as_str()) ") · " (say.text(words::role(visitor.role()))) }
                }
            }
        }
    };
    layout::page(&app, &visitor, &Place::About, title, body).await
}

fn priority_line(priority: Priority, say: Say) -> Markup {
    let meaning = match priority {
        Priority::P0 => say.pick(
            "サービスが停止または重大な影響を受けている（ランサムウェアなど）。",
            "A service is hit or stopped, as by ransomware.",
        ),
        Priority::P1 => say.pick(
            "業務に支障があるが、まだ停止していない（情報の窃取、横展開）。",
            "Production trouble without an outage yet: theft of data, spreading.",
        ),
        Priority::P2 => say.pick(
            "一部の利用者への影響（フィッシング、マルウェア、C2 通信）。",
            "Some users are affected: phishing, malware, command and control.",
        ),
        Priority::P3 => say.pick(
            "後追いで確認するもの（遮断済みの通信、設定の変更）。",
            "Follow-up: blocked ports and addresses, changes of settings.",
        ),
    };
    html! { dt { (watch::mark(priority)) (priority.name()) " " (say.text(priority.severity())) } dd { (meaning) } }
}

fn verdict_line(verdict: Verdict, meaning: &str, say: Say) -> Markup {
    html! { dt { (say.text(verdict.text())) } dd { (meaning) } }
}
