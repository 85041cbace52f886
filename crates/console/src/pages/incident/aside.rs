//! The right column: actions, the question and its answer, messages, notes, and what went wrong.

use domain::action::{Action, State};
use domain::incident::Visibility;
use domain::notice::{Delivery, Notice};
use domain::oncall::{Page, Why};
use domain::question::Question;
use domain::{Timestamp, reason};
use maud::{Markup, html};

use super::Case;
use crate::say::Say;
use crate::{show, words};

pub(super) fn all(case: &Case<'_>) -> Markup {
    html! {
        section #actions data-part { (actions(case)) }
        section #questions data-part { (questions(case)) }
        section #calls data-part { (calls(case)) }
        section #messages data-part { (messages(case)) }
        section #notes data-part { (notes(case)) }
        section #troubles data-part { (troubles(case)) }
    }
}

fn actions(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        h2 { (say.pick("対処", "Actions")) " " span.n { (incident.actions.len()) } }
        @if incident.actions.is_empty() {
            p.empty { (say.pick("この規則では自動の対処を行いません。", "This rule calls for no automatic action.")) }
        }
        ul.actions { @for action in incident.actions.values() { (action_line(action, case)) } }
    }
}

fn action_line(action: &Action, case: &Case<'_>) -> Markup {
    let say = case.say;
    let (class, sign) = match &action.state {
        State::Verified { .. } => ("good", "✓"),
        State::Refused { .. } => ("bad", "✕"),
        State::Proposed => ("waits", "?"),
        _ => ("runs", "…"),
    };
    let why = match &action.state {
        State::Refused { why } | State::Unknown { why } => Some(why),
        _ => None,
    };
    html! {
        li.(class) {
            p { span.sign aria-hidden="true" { (sign) } b { (say.text(action.kind.text())) } " " span.id { (action.id) } }
            p { (show::foreign(&action.target.endpoint, 40)) " · " (say.text(action.target.class.text())) }
            p.state { (say.text(action.state.text())) @if let Some(at) = action.settled_at.or(action.sent_at) { " · " (show::moment(at, case.now)) } }
            @if let Some(why) = why { p.why { (show::foreign(why, 240)) } }
            p.hint { (say.pick("権限：", "Authority: ")) (reason::sentence(&action.grounds, say.0)) }
            p.hint { (say.pick("取り消し：", "Undo: ")) (say.text(action.kind.undo())) }
        }
    }
}

fn questions(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        @if !incident.questions.is_empty() {
            h2 { (say.pick("質問と回答", "Question and answer")) }
            @for question in incident.questions.values().rev() { (question_block(question, case)) }
        }
    }
}

fn question_block(question: &Question, case: &Case<'_>) -> Markup {
    let say = case.say;
    let asked_by = question.by.as_ref().map_or_else(|| say.pick("自動", "automatic").to_owned(), |by| case.person(by));
    html! {
        div.question {
            p { b { (question.id) } " " (show::moment(question.asked_at, case.now)) " · " (asked_by) }
            @if let Some(addition) = &question.addition { div.quote { (show::prose(addition)) } }
            p.hint { (told(question, case)) }
            @if let Some(answer) = &question.answer {
                p { b { (say.text(answer.meaning.text())) } }
                div.quote { (show::prose(&answer.words)) }
                p.hint { (say.pick("記録", "Recorded")) " " (case.person(&answer.recorded_by)) " · " (show::moment(answer.at, case.now)) }
            } @else {
                p { (standing(question, case)) }
            }
        }
    }
}

/// Whether the customer has it, and how often they were reminded.
fn told(question: &Question, case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        @match question.told_at {
            Some(at) => { (say.pick("お客様に到達", "Reached the customer")) " " (show::moment(at, case.now)) }
            None => { (say.pick("未到達：72時間はまだ始まっていません", "Not delivered yet: the 72 hours have not begun")) }
        }
        @if let Some(hours) = question.reminded {
            " · " (say.pick(format!("{hours}時間後の催促まで送信済み"), format!("reminded after {hours} h")))
        }
        @if let Some((_, at)) = question.next_reminder().filter(|_| waits(question, case)) {
            " · " (say.pick("次の催促", "next reminder")) " " (show::moment(at, case.now))
        }
    }
}

/// One that was asked anew, or that a verdict overtook, waits no longer.
fn waits(question: &Question, case: &Case<'_>) -> bool {
    case.incident.waiting_question().is_some_and(|waiting| waiting.id == question.id)
}

/// The deadline, or what came of it.
fn standing(question: &Question, case: &Case<'_>) -> Markup {
    let say = case.say;
    match (question.overdue_at, question.deadline()) {
        (Some(at), _) => html! {
            span.bad { (say.pick("72時間以内にご回答なし", "No answer within 72 hours")) } " " (show::moment(at, case.now))
        },
        (None, _) if !waits(question, case) => {
            html! { span.hint { (say.pick("回答を待っていません", "No longer waited for")) } }
        }
        (None, Some(due)) => html! {
            (say.pick("回答待ち", "Waiting for the answer")) " · "
            time.(show::urgency(due, case.now)) datetime=(show::machine(due)) title=(show::both_zones(due)) data-due { b { (show::until(due, case.now, say)) } }
            " " (show::moment(due, case.now))
        },
        (None, None) => html! { (say.pick("回答待ち", "Waiting for the answer")) },
    }
}

/// Who of the SOC was called, and whether the call went out.
fn calls(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        @if !incident.pages.is_empty() {
            h2 { (say.pick("SOC 内の呼び出し", "Calls within the SOC")) " " span.n { (incident.pages.len()) } }
            ul.messages { @for page in incident.pages.values().rev() { (call(page, case)) } }
        }
    }
}

fn call(page: &Page, case: &Case<'_>) -> Markup {
    let say = case.say;
    let why = match page.why {
        Why::NotAcknowledged => say.pick("受領者なし", "nobody has acknowledged").to_owned(),
        Why::CustomerNotReached(notice) => say.pick(
            format!("連絡 {notice} がお客様に未到達。電話で連絡"),
            format!("notice {notice} did not reach the customer: call them"),
        ),
    };
    html! {
        li {
            p { b { (say.text(page.step.text())) } " " span.id { (page.id) } " · " (show::moment(page.decided_at, case.now)) }
            p.delivery { @match &page.to {
                Some(to) => { (case.person(&to.person)) " " (delivered(&page.delivery, case.now, say)) }
                None => { span.bad { (say.pick("当番表に該当者なし", "nobody on the roster")) } }
            } }
            p.delivery.hint { (why) }
        }
    }
}

/// What became of one message.
fn delivered(delivery: &Delivery, now: Timestamp, say: Say) -> Markup {
    match delivery {
        Delivery::Waiting => html! { span.runs { (say.pick("送信待ち", "waiting")) } },
        Delivery::Accepted { at, .. } => {
            html! { span.good { (say.pick("受付済み", "accepted")) } " " (show::moment(*at, now)) }
        }
        Delivery::Failed { why } => {
            html! { span.bad { (say.pick("送信失敗", "failed")) } " " (show::foreign(why, 160)) }
        }
    }
}

fn messages(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        h2 { (say.pick("お客様への連絡", "Messages")) " " span.n { (incident.notices.len()) } }
        @if incident.notices.is_empty() {
            p.empty {
                @if case.tenant.contacts.is_empty() { (say.pick("連絡先が登録されていないため、連絡は送られません。", "No contact is registered, so nothing is sent.")) }
                @else { (say.pick("まだありません。", "None yet.")) }
            }
        }
        ul.messages { @for notice in incident.notices.values().rev() { (message(notice, case)) } }
    }
}

fn message(notice: &Notice, case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        li {
            p { b { (say.text(notice.kind.text())) } " " span.id { (notice.id) } " · " (show::moment(notice.decided_at, case.now)) }
            @for (route, delivery) in &notice.deliveries {
                p.delivery {
                    (say.text(route.channel.text())) " " (say.text(words::language(route.language))) " "
                    (delivered(delivery, case.now, say))
                }
            }
        }
    }
}

fn notes(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        h2 { (say.pick("記録", "Notes")) " " span.n { (incident.notes.len()) } }
        @if incident.notes.is_empty() { p.empty { (say.pick("まだありません。n キーで書けます。", "None yet. Press n to write one.")) } }
        ul.notes { @for note in incident.notes.iter().rev() {
            li.customer[note.visibility == Visibility::Customer] {
                p.hint { (case.person(&note.by)) " · " (show::moment(note.at, case.now)) " · " b { (visibility(note.visibility, case)) } }
                div.quote { (show::prose(&note.text)) }
            }
        } }
    }
}

pub(super) fn visibility(visibility: Visibility, case: &Case<'_>) -> &'static str {
    match visibility {
        Visibility::Internal => case.say.pick("内部", "internal"),
        Visibility::Customer => case.say.pick("お客様に公開", "for the customer"),
    }
}

fn troubles(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        @if !incident.troubles.is_empty() {
            h2 { (say.pick("完了できなかった処理", "What gave up")) " " span.n { (incident.troubles.len()) } }
            ul.troubles { @for trouble in &incident.troubles { li { (show::foreign(trouble, 300)) } } }
            p { a href="/trouble" { (say.pick("要確認の一覧へ", "Go to the list of trouble")) } }
        }
    }
}
