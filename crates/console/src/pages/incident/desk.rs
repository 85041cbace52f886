//! What an analyst can do with the incident now, as forms that work without scripts.

use domain::incident::{Phase, Visibility};
use domain::judgement::{Priority, Verdict};
use domain::question::{self, Meaning};
use maud::{Markup, html};
use store::Person;

use super::{Case, promises};
use crate::say::Say;
use crate::visitor::Visitor;

/// Which form something was typed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tool {
    #[default]
    None,
    Assign,
    Note,
    Ask,
    Answer,
    Present,
    Hold,
    Raise,
    Verdict,
    Close,
    Reopen,
}

/// What was typed into a form that was refused, and why. Empty on a page that is only looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) tool: Tool,
    pub(super) text: String,
    pub(super) visibility: Visibility,
    pub(super) meaning: Option<Meaning>,
    pub(super) verdict: Option<Verdict>,
    pub(super) recommendation: String,
    pub(super) priority: Option<Priority>,
    pub(super) refused: Option<String>,
}

impl Draft {
    pub(super) fn of(tool: Tool) -> Self {
        Self { tool, ..Self::default() }
    }

    pub(super) fn text_in(&self, tool: Tool) -> &str {
        if self.tool == tool { &self.text } else { "" }
    }

    fn is_open(&self, tool: Tool) -> bool {
        self.tool == tool && self.refused.is_some()
    }

    fn why(&self, tool: Tool) -> Markup {
        let why = self.refused.as_deref().filter(|_| self.tool == tool);
        html! { @if let Some(why) = why { p.refused role="alert" { (why) } } }
    }
}

pub(super) fn tools(case: &Case<'_>, visitor: &Visitor, staff: &[Person], draft: &Draft) -> Markup {
    let (incident, say) = (case.incident, case.say);
    let open = incident.phase.is_open();
    html! {
        (draft.why(Tool::None))
        (draft.why(Tool::Assign))
        (draft.why(Tool::Close))
        // The forms may be gone by the time that a refusal comes back: somebody was quicker.
        @if !open || promises::on_hold(incident) { (draft.why(Tool::Hold)) }
        @if !open || incident.priority() == Priority::P0 { (draft.why(Tool::Raise)) }
        @if !open { (draft.why(Tool::Present)) }
        div.tools {
            @if open && incident.acknowledged.is_none() {
                (button(case, "acknowledge", say.pick("受領する", "Acknowledge"), "Alt K", &html! {}))
            }
            @if open { (assign(case, visitor, staff)) }
            (tool(Tool::Note, "note", say.pick("記録", "Note"), "n", draft, &note(case, draft)))
            @if open {
                @if incident.open_question().is_some() {
                    (tool(Tool::Answer, "answer", say.pick("回答を記録", "Record the answer"), "", draft, &answer(case, draft)))
                } @else {
                    (tool(Tool::Ask, "ask", say.pick("お客様に質問", "Ask the customer"), "", draft, &ask(case, draft)))
                }
                (promises::tools(case, visitor, draft))
                (tool(Tool::Verdict, "verdict", say.pick("判定", "Verdict"), "t s f", draft, &verdict(case, draft)))
                @if incident.phase == Phase::Answered { (close(case)) }
                @if let Some(repeats) = incident.repeats.as_ref().filter(|_| incident.is_mere_repeat()) {
                    @let verdict = say.text(repeats.verdict.text());
                    (button(case, "repeat", &say.pick(format!("同一事象として終了（{} {verdict}）", repeats.incident), format!("Close as a repeat ({}, {})", repeats.incident, verdict.to_lowercase())), "", &html! {}))
                }
            } @else {
                (tool(Tool::Reopen, "reopen", say.pick("再開", "Reopen"), "", draft, &reopen(case, draft)))
            }
        }
    }
}

/// A form that is one button.
pub(super) fn button(case: &Case<'_>, to: &str, text: &str, keys: &str, inside: &Markup) -> Markup {
    html! {
        form method="post" action=(action(case, to)) data-tool=(to) data-quiet {
            (inside)
            button.primary[to == "acknowledge"] { (text) @if !keys.is_empty() { " " kbd { (keys) } } }
        }
    }
}

/// A form that unfolds. Only one of them is open at a time.
pub(super) fn tool(tool: Tool, name: &str, text: &str, keys: &str, draft: &Draft, inside: &Markup) -> Markup {
    html! {
        details name="tool" #(format!("tool-{name}")) data-tool=(name) open[draft.is_open(tool)] {
            summary { (text) @if !keys.is_empty() { " " kbd { (keys) } } }
            div.form { (draft.why(tool)) (inside) }
        }
    }
}

pub(super) fn action(case: &Case<'_>, to: &str) -> String {
    format!("/incidents/{}/{to}", case.incident.id)
}

fn assign(case: &Case<'_>, visitor: &Visitor, staff: &[Person]) -> Markup {
    let (say, assigned) = (case.say, case.incident.assigned.as_ref());
    html! {
        @if assigned != Some(visitor.id()) {
            (button(case, "assign", say.pick("自分が担当する", "Assign to me"), "Alt Y", &html! {}))
        }
        @if staff.len() > 1 {
            details name="tool" #tool-hand-over data-tool="hand-over" {
                summary { (say.pick("引き継ぐ", "Hand over")) }
                form.form method="post" action=(action(case, "assign")) {
                    label { span { (say.pick("担当者", "To")) }
                        select name="to" { @for person in staff {
                            option value=(person.id) selected[assigned == Some(&person.id)] { (person.name) }
                        } }
                    }
                    button.primary { (say.pick("割り当てる", "Assign")) }
                }
            }
        }
    }
}

fn note(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    let choice = |visibility: Visibility, value: &str, text: &str| {
        html! {
            label.choice {
                input type="radio" name="visibility" value=(value) checked[draft.visibility == visibility];
                span { (text) }
            }
        }
    };
    html! {
        form method="post" action=(action(case, "note")) {
            (text_field("text", say.pick("わかったこと、行ったこと", "What you found or did"), draft.text_in(Tool::Note)))
            fieldset {
                (choice(Visibility::Internal, "internal", say.pick("SOC 内部のみ", "Internal")))
                (choice(Visibility::Customer, "customer", say.pick("お客様に公開（報告書に記載）", "For the customer, in the report")))
            }
            button.primary { (say.pick("記録する", "Add the note")) }
        }
    }
}

fn ask(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    html! {
        form method="post" action=(action(case, "ask")) {
            p { (say.pick("次の質問をお客様に送ります。72時間以内に回答がない場合は「要調査」とします。", "These questions are sent to the customer. 72 hours of silence make it suspicious.")) }
            ol.standard { @for text in question::STANDARD { li { (say.text(text)) } } }
            (text_field("text", say.pick("追加の質問（任意）", "Anything else to ask (optional)"), draft.text_in(Tool::Ask)))
            button.primary { (say.pick("質問を送る", "Send the questions")) }
        }
    }
}

fn answer(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    let Some(question) = case.incident.open_question() else { return html! {} };
    html! {
        form method="post" action=(action(case, "answer")) {
            input type="hidden" name="question" value=(question.id);
            fieldset {
                legend { (say.pick("回答の意味", "What it comes down to")) }
                @for meaning in Meaning::ALL {
                    label.choice {
                        input type="radio" name="meaning" value=(value_of(&meaning)) required checked[draft.meaning == Some(meaning)];
                        span { (say.text(meaning.text())) }
                    }
                }
            }
            (text_field("text", say.pick("お客様の言葉", "The customer's words"), draft.text_in(Tool::Answer)))
            button.primary { (say.pick("回答を記録する", "Record the answer")) }
        }
    }
}

fn verdict(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    let key = |verdict| match verdict {
        Verdict::TruePositive => "t",
        Verdict::Suspicious => "s",
        Verdict::FalsePositive => "f",
        Verdict::Undetermined => "",
    };
    html! {
        form method="post" action=(action(case, "verdict"))
            data-confirm=(say.pick("この判定を登録し、お客様に知らせます。", "This records the verdict and tells the customer.")) {
            fieldset {
                legend { (say.pick("判定", "Verdict")) }
                @for verdict in Verdict::GIVEN {
                    label.choice {
                        input type="radio" name="verdict" value=(value_of(&verdict)) required data-key=(key(verdict))
                            checked[draft.verdict == Some(verdict)];
                        span { (say.text(verdict.text())) " " kbd { (key(verdict)) } }
                    }
                }
            }
            (text_field("text", say.pick("理由（お客様への報告書に記載されます）", "Reason (the customer's report quotes it)"), draft.text_in(Tool::Verdict)))
            button.primary { (say.pick("判定を登録する", "Give the verdict")) }
        }
    }
}

fn close(case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        form method="post" action=(action(case, "close")) data-tool="close"
            data-confirm=(say.pick("このインシデントを終了します。", "This closes the incident.")) {
            button.primary { (say.pick("終了する", "Close")) " " kbd { "Alt X" } }
        }
    }
}

fn reopen(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    html! {
        form method="post" action=(action(case, "reopen")) {
            (text_field("text", say.pick("再開する理由", "Why it is reopened"), draft.text_in(Tool::Reopen)))
            button.primary { (say.pick("再開する", "Reopen")) }
        }
    }
}

pub(super) fn text_field(field: &str, name: &str, text: &str) -> Markup {
    html! {
        label { span { (name) }
            // A browser drops the first line break after the tag; what was typed keeps its own.
            textarea name=(field) rows="4" { "\n" (text) }
        }
    }
}

/// What a form sends for a value of the domain: its own stored name.
pub(super) fn value_of<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default().trim_matches('"').to_owned()
}

/// Where the next step of an analyst is named, in the answers.
pub(super) fn next_step(case: &Case<'_>, say: Say) -> &'static str {
    match case.incident.phase {
        Phase::Answered => say.pick("内容を確認して終了する", "Check once more, then close"),
        Phase::Closed => say.pick("なし", "Nothing"),
        _ if promises::on_hold(case.incident) => {
            say.pick("お客様のご都合を確認し、保留を解除する", "Check with the customer, then end the hold")
        }
        Phase::Asked => say.pick("回答を待ち、届いたら記録する", "Wait for the answer and record it"),
        _ => say.text(domain::rules::rule(case.incident.judgement.rule).next),
    }
}
