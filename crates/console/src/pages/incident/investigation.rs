//! The investigation: what was found, what was asked, what was not found and what could not be asked.
//!
//! Every part names the evidence it rests on, and a part without any says why. All text in it is an endpoint's or a source's: it
//! is quoted, no address in it is alive (SEC-30, SEC-34, SEC-35), and a flood ends a part early, visibly (SEC-38). It judges
//! nothing.

mod detections;
mod evidence;
mod indicators;
mod software;
mod timeline;
mod tree;

use domain::AgentId;
use domain::evidence::{Evidence, Findings, Inquiry, Outcome, Window};
use domain::story::{Context, Story};
use maud::{Markup, PreEscaped, html};

use super::Case;
use crate::say::Say;
use crate::show;

pub(crate) use evidence::ask_again;

/// What the parts are drawn from.
struct Investigation<'a> {
    case: &'a Case<'a>,
    findings: &'a Findings,
    story: Story,
    say: Say,
}

/// The name of the tab, with how much was asked and how much of it could not be.
pub(super) fn tab(case: &Case<'_>) -> Markup {
    let evidence = &case.incident.evidence;
    let gaps = evidence.values().filter(|e| e.answer.is_gap()).count();
    html! {
        (case.say.pick("調査", "Investigation")) " " span.n { (evidence.len()) }
        @if gaps > 0 {
            " " span.flag.trouble { (case.say.pick(format!("照会できず {gaps}"), format!("{gaps} not asked"))) }
        }
    }
}

pub(super) fn parts(case: &Case<'_>, findings: &Findings) -> Markup {
    let story = Story::of(&findings.records, &case.incident.alerts, &Context::default());
    let it = Investigation { case, findings, story, say: case.say };
    html! {
        (evidence::part(&it))
        (tree::part(&it))
        (timeline::part(&it))
        (indicators::part(&it))
        (detections::part(&it))
        (software::part(&it))
    }
}

/// Sorts of inquiry, for finding what a part rests on.
type Sort = fn(&Inquiry) -> bool;

const EVENTS: Sort = |inquiry| matches!(inquiry, Inquiry::Events { .. });

impl<'a> Investigation<'a> {
    fn evidence(&self, sort: Sort) -> impl Iterator<Item = &'a Evidence> {
        self.case.incident.evidence.values().filter(move |e| sort(&e.answer.inquiry))
    }

    /// One part of the page, folded or not, on what it rests and what of that is missing.
    fn part(&self, id: &str, title: &str, count: usize, open: bool, sorts: &[Sort], body: &Markup) -> Markup {
        html! {
            details.part #(id) open[open] {
                summary { b { (title) } " " span.n { (count) } }
                div.body {
                    @for sort in sorts { (self.standing(*sort)) }
                    (body)
                }
            }
        }
    }

    /// What became of the inquiries of one sort: each with its evidence, whatever was not learnt in plain words.
    fn standing(&self, sort: Sort) -> Markup {
        let (say, all): (_, Vec<_>) = (self.say, self.evidence(sort).collect());
        let is_plain = |e: &&&Evidence| matches!(e.answer.outcome, Outcome::Found(_)) && !self.is_damaged(e);
        let (plain, others): (Vec<&Evidence>, Vec<&Evidence>) = all.iter().copied().partition(|e| is_plain(&e));
        html! {
            @if all.is_empty() { p.empty { (say.pick("まだ照会していません。", "Not asked yet.")) } }
            @if !plain.is_empty() {
                p.rests { (say.pick("根拠", "Evidence")) " " (refs(&plain)) }
            }
            @for e in others {
                p.standing.(class(e, self)) { (refs(&[e])) " " (self.said(e)) }
            }
        }
    }

    fn is_damaged(&self, evidence: &Evidence) -> bool {
        self.findings.damaged.contains(&evidence.id)
    }

    /// What came of it, in one line.
    fn said(&self, evidence: &Evidence) -> String {
        if self.is_damaged(evidence) {
            let ja = "内容を読み出せません。保存された証拠が欠けているか、破損しています。";
            return self.say.pick(ja, "Its content cannot be read: what was kept is missing or damaged.").to_owned();
        }
        domain::defang::defang(&evidence.answer.outcome.summary(self.say.0))
    }

    /// What the endpoint's records came with.
    fn records_of(&self, agent: &AgentId) -> Vec<&'a Evidence> {
        let alerts = &self.case.incident.alerts;
        let is_of = |e: &&Evidence| match &e.answer.inquiry {
            Inquiry::Events { alert } => alerts.iter().any(|a| a.id == *alert && a.endpoint.agent == *agent),
            _ => false,
        };
        self.evidence(EVENTS).filter(is_of).collect()
    }

    /// The endpoint's name where it is known, with the evidence about it.
    fn host(&self, agent: &AgentId, evidence: &[&Evidence]) -> Markup {
        let host = self.case.incident.hosts.get(agent);
        html! {
            h4 {
                @match host { Some(host) => (show::foreign(&host.name, 60)), None => code { (agent) } }
                " " (refs(evidence))
            }
        }
    }
}

/// The state of a piece of evidence, for its look.
fn class(evidence: &Evidence, it: &Investigation<'_>) -> &'static str {
    match evidence.answer.outcome {
        _ if it.is_damaged(evidence) => "gap",
        Outcome::CouldNotAsk { .. } => "gap",
        Outcome::NothingFound => "nothing",
        Outcome::Found(_) => "found",
    }
}

fn refs(evidence: &[&Evidence]) -> Markup {
    html! {
        span.refs { @for (n, e) in evidence.iter().enumerate() {
            @if n > 0 { " " }
            a href=(format!("#{}", e.id)) { (e.id) }
        } }
    }
}

fn window(window: Window) -> Markup {
    html! { (show::second(window.from)) " – " (show::second(window.to)) }
}

/// How much of the page a part may still take.
struct Room(usize);

impl Room {
    /// Whether this still fits. Once something did not, nothing does.
    fn takes(&mut self, markup: &Markup) -> bool {
        let left = self.0.checked_sub(markup.0.len());
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A row for each item, as far as number and room allow, and how many had to go.
fn rows<T>(items: &[T], most: usize, room: &mut Room, mut row: impl FnMut(&T) -> Markup) -> (Markup, usize) {
    let mut all = String::new();
    for (n, item) in items.iter().enumerate() {
        let next = if n < most { row(item) } else { return (PreEscaped(all), items.len() - n) };
        if !room.takes(&next) {
            return (PreEscaped(all), items.len() - n);
        }
        all.push_str(&next.0);
    }
    (PreEscaped(all), 0)
}

fn left_out(n: usize, say: Say) -> Markup {
    html! { @if n > 0 { p.hint.left-out {
        (say.pick(format!("ほか {n} 件は、ここには表示していません。"), format!("{n} more are not shown here.")))
    } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_ends_early_and_says_how_much_is_left_out_sec_38() {
        let items: Vec<u32> = (0..1000).collect();
        let row = |n: &u32| html! { li { (n) } };
        let (all, left) = rows(&items, 2000, &mut Room(1_000_000), row);
        assert!(all.0.ends_with("<li>999</li>") && left == 0);
        let (some, left) = rows(&items, 10, &mut Room(1_000_000), row);
        assert!(some.0.ends_with("<li>9</li>") && left == 990);
        let mut room = Room(100);
        let (few, left) = rows(&items, 2000, &mut room, row);
        assert!(few.0.len() <= 100 && left == 990, "{left}");
        let (none, left) = rows(&items, 2000, &mut room, row);
        assert_eq!((none.0.as_str(), left), ("", 1000));
    }
}
