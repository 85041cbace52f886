//! The register: each inquiry, whom it went to and in which words, when, and what came of it; and the form that asks again.

use axum::extract::Form;
use axum::response::Response;
use domain::evidence::{Content, Evidence, Inquiry, Outcome, Summary};
use domain::incident::{Command, Event};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::desk::{self, Draft, Tool};
use super::super::{Act, Tab};
use super::{Investigation, Room, class, left_out, rows, window};
use crate::error::Fault;
use crate::show;

const MOST: usize = 100;
const ROOM: usize = 150_000;

#[derive(Debug, Deserialize)]
pub(crate) struct AgainForm {
    /// The key of the inquiry.
    inquiry: String,
}

/// Only what was asked before can be asked again: the inquiry is taken from the incident, not from the form.
pub(crate) async fn ask_again(mut act: Act, Form(form): Form<AgainForm>) -> Result<Response, Fault> {
    let inquiries = act.incident.evidence.values().map(|e| &e.answer.inquiry);
    let inquiry = inquiries.into_iter().find(|i| i.key() == form.inquiry).cloned().ok_or(Fault::NotFound)?;
    act.tab = Tab::Investigation;
    let by = act.by();
    act.carry_out(Command::AskAgain { by, inquiry }, Draft::of(Tool::None)).await
}

pub(super) fn part(it: &Investigation<'_>) -> Markup {
    let all: Vec<&Evidence> = it.case.incident.evidence.values().collect();
    let (list, left) = rows(&all, MOST, &mut Room(ROOM), |e| row(it, e));
    let say = it.say;
    let body = html! {
        @if all.is_empty() {
            p.empty { (say.pick("まだ照会していません。", "Nothing has been asked yet.")) }
        }
        ul.inquiries { (list) }
        (left_out(left, say))
    };
    it.part("part-evidence", say.pick("照会と証拠", "Inquiries and evidence"), all.len(), true, &[], &body)
}

fn row(it: &Investigation<'_>, evidence: &Evidence) -> Markup {
    let (say, answer) = (it.say, &evidence.answer);
    html! {
        li.(class(evidence, it)) #(evidence.id) {
            div.line {
                span.sign aria-hidden="true" {}
                span.id { (evidence.id) }
                b { (say.text(answer.inquiry.text())) }
                (about(it, &answer.inquiry))
                span.came { (it.said(evidence)) }
                time.hint datetime=(show::machine(answer.obtained_at)) title=(show::both_zones(answer.obtained_at)) {
                    (show::brief(answer.obtained_at, it.case.now))
                }
                @if is_asked_again(it, evidence) {
                    span.hint { (say.pick("再照会中", "being asked again")) }
                } @else if is_worth_asking(it, evidence) {
                    form method="post" action=(desk::action(it.case, "ask-again")) {
                        input type="hidden" name="inquiry" value=(answer.inquiry.key());
                        button.small { (say.pick("再照会", "Ask again")) }
                    }
                }
            }
            details.query #(format!("query-{}", evidence.id)) {
                summary { (say.pick("照会の内容と記録", "The question, and what was kept")) }
                dl.facts {
                    @if !answer.source.is_empty() { dt { (say.pick("照会先", "Asked")) } dd { (answer.source) } }
                    dt { (say.pick("照会文", "Query")) } dd { (show::folded(&answer.query, 300)) }
                    dt { (say.pick("対象期間", "Window")) }
                    dd { @match answer.window { Some(w) => (window(w)), None => span.hint { (say.pick("なし", "None")) } } }
                    dt { (say.pick("取得", "Obtained")) } dd { (show::second(answer.obtained_at)) }
                    dt { (say.pick("読み取った内容", "Read out")) } dd { (content(it, answer.findings.as_ref())) }
                    dt { (say.pick("受信した原本", "As it came")) } dd { (content(it, answer.raw.as_ref())) }
                }
            }
        }
    }
}

/// What the inquiry was about, where there is more than one of its sort.
fn about(it: &Investigation<'_>, inquiry: &Inquiry) -> Markup {
    let incident = it.case.incident;
    html! {
        @match inquiry {
            Inquiry::Events { alert } => {
                @if let Some(alert) = incident.alerts.iter().find(|a| a.id == *alert) {
                    span { (show::foreign(&alert.endpoint.name, 40)) " · " (show::dead(&alert.name, 60)) }
                }
            }
            Inquiry::Software { agent } | Inquiry::Vulnerabilities { agent } => {
                @match incident.hosts.get(agent) {
                    Some(host) => span { (show::foreign(&host.name, 40)) },
                    None => code { (agent) },
                }
            }
            Inquiry::Indicators | Inquiry::Sweep | Inquiry::Detections => {}
        }
    }
}

fn content(it: &Investigation<'_>, content: Option<&Content>) -> Markup {
    html! {
        @match content {
            Some(content) => { "SHA-256 " (show::digest(&content.sha256)) " · " (show::bytes(content.bytes)) }
            None => span.hint { (it.say.pick("なし", "None")) }
        }
    }
}

/// Somebody asked again, and the answer is not here yet.
fn is_asked_again(it: &Investigation<'_>, evidence: &Evidence) -> bool {
    let inquiry = &evidence.answer.inquiry;
    let last = it.case.events.iter().rev().find(|r| match &r.event {
        Event::InquiryRepeated { inquiry: repeated } => repeated == inquiry,
        Event::EvidenceGathered { evidence } => evidence.answer.inquiry == *inquiry,
        _ => false,
    });
    last.is_some_and(|r| matches!(r.event, Event::InquiryRepeated { .. }))
}

/// Something about it was not learnt.
fn is_worth_asking(it: &Investigation<'_>, evidence: &Evidence) -> bool {
    let lacks = match &evidence.answer.outcome {
        Outcome::CouldNotAsk { .. } => true,
        Outcome::Found(Summary::Indicators { unanswered, .. }) => *unanswered > 0,
        Outcome::Found(_) | Outcome::NothingFound => false,
    };
    lacks || it.is_damaged(evidence)
}
