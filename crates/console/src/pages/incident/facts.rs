//! The left column: the times that matter, and what is known of endpoints and detection.

use domain::action;
use domain::clock::{Exclusion, Kind as Clock, Pause, State};
use domain::incident::{Event, Phase};
use domain::notice::{Delivery, Kind};
use domain::{Timestamp, rules};
use jiff::SignedDuration;
use maud::{Markup, html};

use super::Case;
use crate::{show, words};

/// Hosts named before the rest is only counted.
const MAX_HOSTS: usize = 12;

pub(super) fn list(case: &Case<'_>) -> Markup {
    html! { (times(case)) (endpoints(case)) (detection(case)) (console(case)) }
}

/// T1 to T6 as everywhere in the service, each with its distance from receipt.
fn times(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let first = incident.alerts.first();
    let acknowledged = incident.acknowledged.as_ref().map(|a| a.at);
    html! {
        h2 { (say.pick("時刻", "Times")) }
        table.times {
            (case.mark("T1", say.pick("検知（EDR）", "Detected"), first.map(|a| a.detected_at)))
            (case.mark("", say.pick("コンソール登録", "On the console"), first.map(|a| a.created_at)))
            (case.mark("T2", say.pick("受信", "Received"), Some(incident.received_at)))
            (case.mark("T3a", say.pick("第一報の送信", "First notice"), accepted(case, Kind::First)))
            (case.mark("T3b", say.pick("受領", "Acknowledged"), acknowledged))
            (case.mark("T4", say.pick("分析結果の送信", "Analysis sent"), analysed(case)))
            (case.mark("T5", say.pick("対処の確認（最後）", "Last action"), last_verified(case)))
            (case.mark("T6", say.pick("終了", "Closed"), closed(case)))
            @for kind in Clock::ALL { (target(case, kind)) }
        }
        @if let Some(clocks) = &incident.clocks {
            @if let Some(exclusion) = &clocks.excluded { (excluded(exclusion, case)) }
            @for pause in &clocks.pauses { (paused(pause, case)) }
        }
        p.hint { a href=(format!("/incidents/{}/clocks", incident.id)) { (say.pick("期限の計算根拠", "Proof of due times")) } }
    }
}

/// One promise: by when, and how it stands.
fn target(case: &Case<'_>, kind: Clock) -> Markup {
    let say = case.say;
    let Some((clocks, due)) = case.incident.clocks.as_ref().and_then(|c| Some((c, c.due(kind)?))) else {
        return html! {};
    };
    let state = match clocks.state(kind, case.now) {
        State::Met => html! { span.good { (say.pick("達成", "met")) } },
        State::Missed => html! { span.bad { (say.pick("目標超過", "missed")) } },
        State::Excluded => html! { (say.pick("対象外", "not counted")) },
        State::Paused => html! { span.paused { (say.pick("一時停止中", "paused")) } },
        _ if !case.incident.phase.is_open() => html! {},
        _ => {
            html! { time.(show::urgency(due, case.now)) datetime=(show::machine(due)) data-due { b { (show::until(due, case.now, say)) } } }
        }
    };
    let name = match kind {
        Clock::FirstResponse => say.pick("初動の目標", "Response target"),
        Clock::Analysis => say.pick("分析の目標", "Analysis target"),
    };
    html! { tr.target { th scope="row" { (name) } td { (show::moment(due, case.now)) } td.delta { (state) } } }
}

fn paused(pause: &Pause, case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        p.hint {
            (say.pick("一時停止：", "Paused: ")) (show::moment(pause.from, case.now)) " – "
            @if let Some(to) = pause.to { (show::moment(to, case.now)) }
            " · " (say.text(pause.why.text()))
        }
    }
}

/// Why it does not count, as the customer is told.
fn excluded(exclusion: &Exclusion, case: &Case<'_>) -> Markup {
    let Exclusion::FirstScanStorm { site, alerts, threshold } = exclusion;
    let said = case.say.pick(
        format!("導入時の初回フルスキャン（1時間に {alerts} 件、基準 {threshold} 件）のため対象外。拠点："),
        format!("Not counted: first full-disk scan, {alerts} alerts in an hour, threshold {threshold}. Site: "),
    );
    html! { p.hint { (said) (show::foreign(site, 60)) } }
}

/// T4: a channel took the first word that holds a verdict so far.
fn analysed(case: &Case<'_>) -> Option<Timestamp> {
    let of_clock = case.incident.clocks.as_ref().and_then(|clocks| clocks.analysed);
    of_clock.or_else(|| accepted(case, Kind::Verdict))
}

fn accepted(case: &Case<'_>, kind: Kind) -> Option<Timestamp> {
    let of_kind = case.incident.notices.values().filter(|n| n.kind == kind);
    let times = of_kind.flat_map(|n| n.deliveries.values()).filter_map(|d| match d {
        Delivery::Accepted { at, .. } => Some(*at),
        Delivery::Waiting | Delivery::Failed { .. } => None,
    });
    times.min()
}

fn last_verified(case: &Case<'_>) -> Option<Timestamp> {
    let verified = case.incident.actions.values().filter(|a| matches!(a.state, action::State::Verified { .. }));
    verified.filter_map(|a| a.settled_at).max()
}

fn closed(case: &Case<'_>) -> Option<Timestamp> {
    let is_closed = case.incident.phase == Phase::Closed;
    case.events.iter().rev().find(|r| is_closed && matches!(r.event, Event::Closed)).map(|r| r.at)
}

fn endpoints(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let more = incident.hosts.len().saturating_sub(MAX_HOSTS);
    html! {
        h2 { (say.pick("端末", "Endpoints")) @if incident.hosts.len() > 1 { " " span.n { (incident.hosts.len()) } } }
        ul.hosts {
            @for (agent, host) in incident.hosts.iter().take(MAX_HOSTS) {
                @let endpoint = incident.alerts.iter().rev().map(|a| &a.endpoint).find(|e| e.agent == *agent);
                li {
                    p { b { (show::foreign(&host.name, 40)) } " " span.class { (say.text(host.class.text())) } }
                    @if let Some(endpoint) = endpoint {
                        p.hint {
                            @if let Some(os) = &endpoint.os_name { (show::foreign(os, 40)) } @else { (words::os(endpoint.os)) }
                            @for address in endpoint.addresses.iter().take(2) { " · " (show::foreign(address, 45)) }
                        }
                        p.hint {
                            (say.pick("通信", "Network")) " " (say.text(words::network(endpoint.network)))
                            @if endpoint.online == Some(false) { " · " (say.pick("オフライン", "offline")) }
                            @if let Some(group) = &endpoint.group { " · " (show::foreign(group, 30)) }
                        }
                    }
                }
            }
            @if more > 0 { li.hint { (say.pick(format!("ほか {more} 台"), format!("and {more} more"))) } }
        }
    }
}

fn detection(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let Some(alert) = incident.alerts.first() else { return html! {} };
    let engines: Vec<String> = alert.detection.engines.iter().map(domain::alert::Engine::name).collect();
    html! {
        h2 { (say.pick("検知", "Detection")) }
        dl.facts {
            dt { (say.pick("方法", "How")) } dd { (say.text(words::detection(alert.detection.kind))) @if !engines.is_empty() { " · " (engines.join(", ")) } }
            dt { (say.pick("分類", "Class")) } dd { (show::foreign(&alert.detection.classification.name(), 60)) }
            dt { (say.pick("EDR の確度", "Confidence")) } dd { (say.text(words::confidence(alert.detection.confidence))) }
            dt { (say.pick("規則", "Rule")) } dd { (incident.judgement.rule) " " (say.text(rules::rule(incident.judgement.rule).title)) }
            @if let Some(storyline) = &alert.storyline { dt { (say.pick("ストーリー", "Storyline")) } dd { (show::foreign(storyline, 40)) } }
            @if let Some(id) = incident.refers_to { dt { (say.pick("参照", "Refers to")) } dd { a href=(format!("/incidents/{id}")) { (id) } } }
        }
    }
}

fn console(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let Some(alert) = incident.alerts.first() else { return html! {} };
    html! {
        h2 { (say.pick("管理コンソール", "EDR console")) }
        dl.facts {
            dt { (say.pick("状態", "Status")) } dd { (say.text(words::console_status(alert.console.status))) }
            dt { (say.pick("判定", "Verdict")) } dd { (say.text(alert.console.verdict.text())) }
            dt { (say.pick("端末上", "On the endpoint")) } dd { (say.text(alert.mitigation.state.text())) }
            @for step in alert.mitigation.steps.iter().rev().take(4) {
                dt {} dd.hint { (say.text(words::mitigation_action(step.action))) " " (say.text(words::mitigation_outcome(step.outcome))) }
            }
            @if !case.tenant.connected { dt {} dd.hint { (say.pick("記録から取り込んだもの（コンソールへの接続なし）", "Imported from records; no console is connected")) } }
        }
    }
}

impl Case<'_> {
    fn mark(&self, name: &str, what: &str, at: Option<Timestamp>) -> Markup {
        let since = at.map(|at| at.duration_since(self.incident.received_at)).filter(|s| !s.is_zero());
        html! {
            tr.missing[at.is_none()] {
                th scope="row" { @if !name.is_empty() { span.t { (name) } } (what) }
                td { @if let Some(at) = at { time datetime=(show::machine(at)) title=(show::both_zones(at)) { (clock_with_day(at, self)) } } @else { "–" } }
                td.delta { @if let Some(since) = since { (sign(since)) (show::span(since, self.say)) } }
            }
        }
    }
}

/// None for less than a second: `−0 s` says nothing.
fn sign(span: SignedDuration) -> &'static str {
    match span.as_secs().signum() {
        -1 => "−",
        0 => "",
        _ => "+",
    }
}

/// To the second, with the date when it is not that of the receipt.
fn clock_with_day(at: Timestamp, case: &Case<'_>) -> String {
    let full = show::full(at);
    let same_day =
        full[..10] == show::full(case.incident.received_at)[..10] && full[..10] == show::full(case.now)[..10];
    if same_day { full[11..].to_owned() } else { full[5..].to_owned() }
}
