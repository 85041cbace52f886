//! The five answers that stand first on the page: what is wrong, how sure we are, what was done, what is asked of whom, and
//! by when.

use domain::action::{Action, Kind, State};
use domain::clock::{Clocks, Kind as Clock};
use domain::incident::{Incident, Phase};
use domain::notice;
use domain::question::Question;
use domain::rules;
use maud::{Markup, html};
use store::Promised;

use super::{Case, desk};
use crate::say::Say;
use crate::{show, watch, words};

pub(super) fn list(case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        dl.answers {
            div { dt { (say.pick("何が起きたか", "What is wrong")) } dd { (wrong(case)) } }
            div { dt { (say.pick("確度", "How sure")) } dd { (sure(case)) } }
            div { dt { (say.pick("実施したこと", "What was done")) } dd { (done(case)) } }
            div { dt { (say.pick("求めていること", "What is asked")) } dd { (asked(case)) } }
            div { dt { (say.pick("いつまでに", "By when")) } dd { (by_when(case)) } }
        }
    }
}

fn wrong(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let first = incident.alerts.first();
    let others = incident.hosts.len().saturating_sub(1);
    html! {
        p.main { (say.text(rules::rule(incident.judgement.rule).title)) }
        p {
            @if let Some(alert) = first { (show::foreign(&alert.endpoint.name, 40)) }
            @if others > 0 { " " (say.pick(format!("ほか {others} 台"), format!("and {others} more"))) }
            @if let Some(user) = first.and_then(|a| a.process.user.as_ref().or(a.endpoint.last_user.as_ref())) {
                " · " (show::foreign(user, 40))
            }
        }
        p.hint { (say.count(incident.alert_count.into(), "件のアラート", "alert", "alerts")) }
    }
}

fn sure(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        p.main { (say.text(incident.verdict.text())) }
        @if let Some(given) = &incident.verdict_given {
            p { (case.decided_by(&given.by)) " · " (show::moment(given.at, case.now)) }
            p.hint.clip { (show::foreign(&given.reason, 160)) }
        } @else {
            p { (say.text(incident.judgement.strength.certainty())) }
            p.hint { (say.pick(format!("判定規則 {} による自動判定", incident.judgement.rule), format!("automatic, by rule {}", incident.judgement.rule))) }
        }
    }
}

fn done(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let kinds: Vec<(Kind, Vec<&Action>)> = [Kind::Kill, Kind::Quarantine, Kind::Isolate]
        .into_iter()
        .map(|kind| (kind, incident.actions.values().filter(|a| a.kind == kind).collect::<Vec<_>>()))
        .filter(|(_, actions)| !actions.is_empty())
        .collect();
    html! {
        @if kinds.is_empty() {
            p.main { (say.pick("自動の対処なし", "No action of ours")) }
        }
        @for (kind, actions) in kinds {
            p.step { (say.text(kind.text())) " " (outcome(&actions, case)) }
        }
        @let (alerts, stopped) = (incident.alerts.len(), incident.alerts.iter().filter(|a| a.is_mitigated()).count());
        p.hint {
            @if stopped == alerts { (say.pick("EDR の報告：すべて対処済み", "EDR reports: all mitigated")) }
            @else { (say.pick(format!("EDR の報告：{alerts} 件中 {stopped} 件が対処済み"), format!("EDR reports: {stopped} of {alerts} mitigated"))) }
        }
    }
}

/// One word on what became of the actions of one kind: the state most in need of attention speaks for all.
fn outcome(actions: &[&Action], case: &Case<'_>) -> Markup {
    let say = case.say;
    let count = |test: fn(&State) -> bool| actions.iter().filter(|a| test(&a.state)).count();
    let all = actions.len();
    let (refused, proposed) = (count(|s| matches!(s, State::Refused { .. })), count(|s| matches!(s, State::Proposed)));
    let verified = count(|s| matches!(s, State::Verified { .. }));
    let (class, text) = if refused > 0 {
        ("bad", say.pick("実施できず", "not possible"))
    } else if proposed > 0 {
        ("waits", say.pick("承認待ち", "waits for approval"))
    } else if verified == all {
        ("good", say.pick("確認済み", "verified"))
    } else {
        ("runs", say.pick("実行中", "under way"))
    };
    html! { span.outcome.(class) { (text) @if all > 1 { " " (verified) "/" (all) } } }
}

fn asked(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let request = rules::rule(incident.judgement.rule)
        .request
        .filter(|_| incident.phase.is_open() && incident.verdict != domain::judgement::Verdict::FalsePositive);
    html! {
        @if let Some(question) = incident.open_question() {
            p.main { (say.pick("お客様に質問", "Customer: question")) " " (question.id) }
        } @else if let Some(request) = request {
            p { b { (say.pick("お客様（", "Customer (")) (say.text(words::weight(request.weight))) (say.pick("）", ")")) } " " (say.text(request.text)) }
        } @else {
            p.main { (say.pick("お客様への依頼なし", "Nothing of the customer")) }
        }
        p.hint { b { (say.pick("当方", "Us")) } " " (desk::next_step(case, say)) }
    }
}

fn by_when(case: &Case<'_>) -> Markup {
    let (incident, say, now) = (case.incident, case.say, case.now);
    let deadline = incident.waiting_question().and_then(Question::deadline);
    html! {
        @let paused = match Promised::of(incident) { Some(Promised::Paused { why, .. }) => Some(why), _ => None };
        @if let Some(due) = incident.next_due() {
            p.main { time.due.(show::urgency(due, now)).paused[paused.is_some()] datetime=(show::machine(due)) title=(show::both_zones(due)) data-due {
                @if paused.is_some() { (watch::pause_sign()) }
                b { (show::until(due, now, say)) }
            } }
            p { (promise(incident, say)) " " (show::moment(due, now)) }
        } @else {
            p.main { @match (incident.phase, paused) {
                (Phase::Closed, _) => { (say.pick("終了済み", "Closed")) }
                (_, Some(_)) => { (watch::pause_sign()) (say.pick("計時を一時停止中", "Clock paused")) }
                _ => { (say.pick("期限なし", "No due time")) }
            } }
        }
        @if let Some(why) = paused { p.hint { (say.text(why.text())) } }
        @if Promised::of(incident) == Some(Promised::NotCounted) {
            p.hint { (say.pick("目標時間の対象外", "Not counted against the service levels")) }
        }
        @if let Some(at) = deadline.filter(|at| incident.next_due() != Some(*at)) {
            p.hint { (say.pick("お客様の回答期限", "Customer's answer")) " " (show::moment(at, now)) }
        }
        @if let Some(at) = next_message(incident) {
            p.hint { (say.pick("次回のご連絡", "Next message")) " " (show::moment(at, now)) }
        }
    }
}

/// Which promise is the next.
fn promise(incident: &Incident, say: Say) -> &'static str {
    match incident.clocks.as_ref().and_then(Clocks::running) {
        Some((Clock::FirstResponse, _)) => say.pick("初動の目標", "Response target"),
        Some((Clock::Analysis, _)) => say.pick("分析の目標", "Analysis target"),
        None => say.pick("お客様の回答期限", "Customer's answer by"),
    }
}

/// When the customer was promised to hear from us again.
pub(crate) fn next_message(incident: &Incident) -> Option<domain::Timestamp> {
    let last = incident.notices.values().next_back()?;
    last.next_update.filter(|_| last.kind != notice::Kind::Verdict && incident.phase.is_open())
}
