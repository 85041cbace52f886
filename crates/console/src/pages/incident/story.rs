//! Why it was judged as it was, and everything that happened since, in order.

use domain::calendar::in_japan;
use domain::incident::{Event, Recorded};
use domain::judgement::Priority;
use domain::reason::Ground;
use domain::rules::{self, Judgement};
use maud::{Markup, html};

use super::Case;
use super::happened::{Entry, Sort};
use crate::{show, watch, words};

/// Events shown before a long story is cut in its middle, unless the whole is asked for.
const FIRST: usize = 120;
const LAST: usize = 180;

/// The line of the table that matched, its grounds, the steps up or down, and how it came together.
pub(super) fn reasons(case: &Case<'_>) -> Markup {
    let (say, judgement) = (case.say, &case.incident.judgement);
    let rule = rules::rule(judgement.rule);
    let received = case.events.iter().find_map(|r| match &r.event {
        Event::Received { grounds, .. } => Some(grounds),
        _ => None,
    });
    html! {
        div.reasons {
            h2 { (say.pick("判定の根拠", "Why it was judged so")) }
            p.rule {
                span.rule-id { (rule.id) } " " b { (say.text(rule.title)) }
                span.hint { " · " (say.pick("証拠", "evidence")) " " (say.text(words::strength(judgement.strength))) }
            }
            ul.grounds {
                @for ground in &judgement.grounds { li { (ground.text(say.0)) } }
                @for ground in received.into_iter().flatten() { li { (ground.text(say.0)) } }
            }
            (priority(judgement, case))
            @if let Some(given) = &case.incident.verdict_given {
                div.verdict {
                    p { b { (say.text(case.incident.verdict.text())) } " · " (case.decided_by(&given.by)) " · " (show::moment(given.at, case.now)) }
                    @if given.by.person().is_some() { div.quote { (show::prose(&given.reason)) } }
                }
            }
        }
    }
}

/// The last rise by a person, if it still stands: from where, to where, and by whom.
fn raised(case: &Case<'_>) -> Option<(Priority, Priority, String)> {
    let stands = case.incident.priority();
    let before = |earlier: &[Recorded]| {
        earlier.iter().rev().find_map(|r| match &r.event {
            Event::Judged { judgement } => Some(judgement.priority),
            Event::PriorityRaised { priority, .. } => Some(*priority),
            _ => None,
        })
    };
    case.events.iter().enumerate().rev().find_map(|(n, r)| match &r.event {
        Event::PriorityRaised { priority, .. } if *priority == stands => {
            Some((before(&case.events[..n])?, stands, case.actor(&r.by)))
        }
        _ => None,
    })
}

fn priority(judgement: &Judgement, case: &Case<'_>) -> Markup {
    let say = case.say;
    let raised = raised(case);
    let said = raised.as_ref().map_or(judgement.priority, |(from, ..)| *from);
    let base = judgement.modifiers.first().map_or(said, |m| m.from);
    html! {
        p.steps {
            span.hint { (say.pick("優先度", "Priority")) " " }
            (watch::mark(base)) (base.name())
            @for step in &judgement.modifiers {
                span.hint { " → " (grounds(&step.grounds, case)) " → " }
                (watch::mark(step.to)) (step.to.name())
            }
            @if let Some((_, to, by)) = raised {
                span.hint { " → " (by) " → " } (watch::mark(to)) (to.name())
            } @else if judgement.modifiers.is_empty() { span.hint { " " (say.pick("（規則のとおり、加減なし）", "(as the rule says, no step up or down)")) } }
        }
    }
}

fn grounds(grounds: &[Ground], case: &Case<'_>) -> String {
    domain::reason::sentence(grounds, case.say.0)
}

/// The whole story, oldest first, each entry visibly of its sort. The chips hide sorts without a script.
pub(super) fn timeline(case: &Case<'_>, all: bool) -> Markup {
    let say = case.say;
    let entries: Vec<Entry> = case.events.iter().map(|r| case.happened(r)).collect();
    let skipped = if all { 0 } else { entries.len().saturating_sub(FIRST + LAST) };
    let (head, rest) = entries.split_at(if skipped > 0 { FIRST } else { 0 });
    let tail = &rest[skipped..];
    html! {
        header.story-head {
            h2 { (say.pick("経過", "Story")) }
            fieldset.chips {
                legend.unseen { (say.pick("表示する種類", "What to show")) }
                @for sort in Sort::ALL {
                    @let n = entries.iter().filter(|e| e.sort == sort).count();
                    @if n > 0 {
                        label.chip.(sort.class()) {
                            input type="checkbox" #(format!("show-{}", sort.class())) checked[sort != Sort::Step];
                            (say.text(sort.text())) " " span.n { (n) }
                        }
                    }
                }
            }
        }
        ol #timeline.timeline data-part data-n=(entries.len()) {
            (days(head, case))
            @if skipped > 0 {
                li.cut { a href=(format!("/incidents/{}?all=1", case.incident.id)) {
                    (say.pick(format!("この間の {skipped} 件を表示する"), format!("Show the {skipped} entries in between")))
                } }
            }
            (days(tail, case))
        }
    }
}

fn days(entries: &[Entry], case: &Case<'_>) -> Markup {
    let day = |entry: &Entry| in_japan(entry.at).date();
    html! {
        @for (n, entry) in entries.iter().enumerate() {
            @if n == 0 || day(&entries[n - 1]) != day(entry) { li.day { (day(entry)) } }
            (line(entry, case))
        }
    }
}

/// The newest entries only, the newest first.
pub(super) fn latest(case: &Case<'_>, n: usize) -> Markup {
    let newest: Vec<&Recorded> = case.events.iter().rev().take(n).collect();
    html! { ol.timeline { @for recorded in newest { (line(&case.happened(recorded), case)) } } }
}

fn line(entry: &Entry, case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        li.(entry.sort.class()) {
            time datetime=(show::machine(entry.at)) title=(show::both_zones(entry.at)) { (&show::full(entry.at)[11..]) }
            span.sort { (say.text(entry.sort.text())) }
            div.what {
                p { (entry.what) " " span.by { (entry.by) } }
                @if let Some(detail) = &entry.detail { div.detail { (detail) } }
            }
        }
    }
}
