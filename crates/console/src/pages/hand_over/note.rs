//! The note that a hand-over leaves on an incident: from whom to whom, and how the clock stood at that moment (REL-25).

use domain::calendar::in_japan;
use domain::incident::Incident;
use domain::question::Question;
use domain::{Language, Text, Timestamp};
use store::{Person, Promised};

use crate::say::Say;
use crate::show;

/// In the language of whoever takes it over.
pub(super) fn text(incident: &Incident, from: &Person, to: &Person, now: Timestamp) -> String {
    let say = Say(to.language);
    let head = if from.id == to.id {
        say.pick(format!("引き継ぎ：{} が担当", to.name), format!("Hand-over: taken by {}", to.name))
    } else {
        say.pick(format!("引き継ぎ：{} → {}", from.name, to.name), format!("Hand-over: {} → {}", from.name, to.name))
    };
    let state = clock(incident, now, say.0);
    let at = moment(now);
    let whole = say.pick(format!("{head}\n{at} 時点：{state}"), format!("{head}\nAs of {at}: {state}"));
    match customer(incident, say.0) {
        Some(waits) => format!("{whole}\n{waits}"),
        None => whole,
    }
}

/// Which clock, by when, and whether it stands still.
fn clock(incident: &Incident, now: Timestamp, language: Language) -> String {
    let say = Say(language);
    let none = Text::new("進行中の目標時間なし", "no clock is open");
    let (Some(promise), Some(clocks)) = (Promised::of(incident), &incident.clocks) else {
        return say.text(none).to_owned();
    };
    let due = |kind| clocks.due(kind).map(moment).unwrap_or_default();
    match promise {
        Promised::NotCounted => say.pick("目標時間の対象外", "not counted against the service levels").to_owned(),
        Promised::Running(kind) => {
            let (what, due_at) = (say.text(kind.text()), due(kind));
            let left = clocks.due(kind).map(|at| show::until(at, now, say)).unwrap_or_default();
            say.pick(
                format!("{what}、期限 {due_at}（{left}）、計時中"),
                format!("{what}, due {due_at} ({left}), running"),
            )
        }
        Promised::Paused { kind, why, late } => {
            let (what, due_at, why) = (say.text(kind.text()), due(kind), say.text(why.text()));
            let since = clocks.paused(kind).map(|p| moment(p.from)).unwrap_or_default();
            let late = if late { say.pick("、停止前に目標超過", ", missed before it paused") } else { "" };
            say.pick(
                format!("{what}、停止時の期限 {due_at}、{since} から一時停止中（{why}）{late}"),
                format!("{what}, due {due_at} when it paused, paused since {since} ({why}){late}"),
            )
        }
    }
}

/// What the customer owes, if anything.
fn customer(incident: &Incident, language: Language) -> Option<String> {
    let question = incident.waiting_question()?;
    let deadline = question.deadline().map(moment);
    let Question { id, .. } = question;
    let say = Say(language);
    Some(match deadline {
        Some(at) => say.pick(format!("質問 {id} の回答期限 {at}"), format!("question {id}: answer by {at}")),
        None => say.pick(format!("質問 {id} はお客様に未到達"), format!("question {id} has not reached the customer")),
    })
}

fn moment(at: Timestamp) -> String {
    in_japan(at).strftime("%Y-%m-%d %H:%M:%S JST").to_string()
}
