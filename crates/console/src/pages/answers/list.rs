//! The customer's list: what waits for them, most urgent first, then what was answered or lapsed.

use domain::Timestamp;
use maud::{Markup, html};

use super::{Case, MAX_LISTED, Standing, deadline};
use crate::say::Say;
use crate::show;

pub(super) fn markup(cases: &[Case<'_>], cut: bool, now: Timestamp, say: Say) -> Markup {
    let waits = |case: &&Case<'_>| matches!(case.standing(), Standing::Waiting { .. });
    let mut waiting: Vec<&Case<'_>> = cases.iter().filter(waits).collect();
    let mut over: Vec<&Case<'_>> = cases.iter().filter(|case| !waits(case)).collect();
    waiting.sort_by_key(|case| (deadline(case.question), case.incident.id));
    over.sort_by_key(|case| std::cmp::Reverse((case.question.asked_at, case.incident.id)));
    html! {
        h1 { (say.pick("ご確認のお願い", "Questions for you")) }
        @if waiting.is_empty() {
            p.nothing {
                b { (say.pick("いまお答えいただくものはありません。", "Nothing waits for your answer.")) }
                (say.pick(
                    "確認が必要なことがあれば、メールなどでお知らせします。",
                    "When we need to know something, we write to you.",
                ))
            }
        } @else {
            p.lead { (say.pick(
                "端末で検知したもののうち、社内の事情をご存じの方にしか判断できないものです。1件2～3分で回答できます。",
                "Detections on your computers that only somebody at your company can explain. Each takes two or three minutes.",
            )) }
            ul.asked { @for case in waiting { (row(case, now)) } }
        }
        @if !over.is_empty() {
            h2 { (say.pick("回答済み・期限を過ぎたもの", "Answered or past their time")) }
            ul.asked.over { @for case in over { (row(case, now)) } }
        }
        @if cut {
            p.hint { (say.pick(
                format!("新しいもの{MAX_LISTED}件を表示しています。"),
                format!("Only the newest {MAX_LISTED} are listed."),
            )) }
        }
    }
}

fn row(case: &Case<'_>, now: Timestamp) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        li { a href=(case.address()) {
            span.name { (show::foreign(&incident.title, 80)) }
            @if let Some(alert) = incident.alerts.first() {
                span.host { (say.pick("端末", "on")) " " (show::foreign(&alert.endpoint.name, 40)) }
            }
            (standing(case, now))
            span.id { (incident.id) }
        } }
    }
}

fn standing(case: &Case<'_>, now: Timestamp) -> Markup {
    let say = case.say;
    html! {
        @match case.standing() {
            Standing::Waiting { until: Some(until) } => {
                span.state.waits {
                    b { (left(until, now, say)) } " "
                    (say.pick("期限", "by")) " " time datetime=(show::machine(until)) { (show::day(until, say)) }
                }
            },
            Standing::Waiting { until: None } => span.state.waits { b { (say.pick("ご回答をお待ちしています", "Waiting for you")) } },
            Standing::Lapsed { .. } => span.state { (say.pick("未回答・期限切れ（回答できます）", "Not answered in time; you still can")) },
            Standing::Answered(answer) => {
                span.state {
                    (say.pick("回答済み", "Answered")) " "
                    time datetime=(show::machine(answer.at)) { (show::day(answer.at, say)) }
                }
            },
        }
    }
}

/// `あと2日23時間`, `2 d 23 h left`.
pub(super) fn left(until: Timestamp, now: Timestamp, say: Say) -> String {
    let span = show::until(until, now, say);
    say.pick(format!("あと{span}"), format!("{span} left"))
}
