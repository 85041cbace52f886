//! What is done about the promised times before the verdict: the analysis presented, a wait that the customer asked for, a
//! graver priority. Forms and handlers; what they lead to is the domain's to say.

use axum::extract::Form;
use axum::response::Response;
use domain::Untrusted;
use domain::clock::PauseReason;
use domain::incident::{Command, Incident, Refused};
use domain::judgement::{Priority, Verdict};
use maud::{Markup, html};
use serde::Deserialize;
use store::AccountRole;

use super::desk::{self, Draft, Tool};
use super::{Act, Case, typed};
use crate::error::Fault;
use crate::show;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize)]
pub(crate) struct PresentForm {
    verdict: Option<Verdict>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    recommendation: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct HoldForm {
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RaiseForm {
    priority: Option<String>,
    #[serde(default)]
    text: String,
}

/// Stops the analysis clock, once a channel has taken the notice. So it has to say all three things: the verdict so far, its
/// grounds and a recommendation. "Still looking" is no analysis.
pub(crate) async fn present(act: Act, Form(form): Form<PresentForm>) -> Result<Response, Fault> {
    let draft = Draft {
        text: form.text.clone(),
        recommendation: form.recommendation.clone(),
        verdict: form.verdict,
        ..Draft::of(Tool::Present)
    };
    let (Some(grounds), Some(recommendation)) = (typed(&form.text), typed(&form.recommendation)) else {
        return act.too_long(draft).await;
    };
    let said = |text: &Untrusted| !text.for_matching().is_empty();
    let Some(verdict) = form.verdict.filter(|_| said(&grounds) && said(&recommendation)) else {
        let why = act.say().pick(
            "現時点の判定・根拠・推奨事項をすべて入力してください（途中経過だけでは分析の提示になりません）",
            "fill in the verdict so far, its grounds and a recommendation: “still looking” is not an analysis",
        );
        return act.refused(draft, why.to_owned()).await;
    };
    let say = act.say();
    let whole = say.pick(
        format!(
            "現時点の判定：{}\n根拠：{}\n推奨事項：{}",
            verdict.text().ja,
            grounds.for_matching(),
            recommendation.for_matching()
        ),
        format!(
            "Verdict so far: {}\nGrounds: {}\nRecommendation: {}",
            verdict.text().en,
            grounds.for_matching(),
            recommendation.for_matching()
        ),
    );
    let Some(text) = typed(&whole) else { return act.too_long(draft).await };
    let by = act.by();
    act.carry_out(Command::PresentAnalysis { by, text }, draft).await
}

pub(crate) async fn hold(act: Act, Form(form): Form<HoldForm>) -> Result<Response, Fault> {
    let draft = Draft { text: form.text.clone(), ..Draft::of(Tool::Hold) };
    let Some(reason) = typed(&form.text) else { return act.too_long(draft).await };
    let by = act.by();
    act.carry_out(Command::Hold { by, reason }, draft).await
}

pub(crate) async fn end_hold(act: Act) -> Result<Response, Fault> {
    let by = act.by();
    act.carry_out(Command::EndHold { by }, Draft::of(Tool::Hold)).await
}

pub(crate) async fn raise(act: Act, Form(form): Form<RaiseForm>) -> Result<Response, Fault> {
    let priority: Option<Priority> = form.priority.as_deref().and_then(|name| name.parse().ok());
    let draft = Draft { text: form.text.clone(), priority, ..Draft::of(Tool::Raise) };
    let Some(reason) = typed(&form.text) else { return act.too_long(draft).await };
    let Some(priority) = priority else {
        let why = act.say().pick("優先度を選んでください", "choose a priority");
        return act.refused(draft, why.to_owned()).await;
    };
    if priority >= act.incident.priority() {
        // Somebody was quicker, or it is no rise: the domain says which.
        let why = Refused::NotARise(act.incident.priority()).text(act.say().0);
        return act.refused(draft, why).await;
    }
    let by = act.by();
    act.carry_out(Command::RaisePriority { by, priority, reason }, draft).await
}

// ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

pub(super) fn tools(case: &Case<'_>, visitor: &Visitor, draft: &Draft) -> Markup {
    let (say, incident) = (case.say, case.incident);
    let raises = visitor.role() == AccountRole::Manager && incident.priority() != Priority::P0;
    html! {
        (desk::tool(Tool::Present, "present", say.pick("分析結果を提示", "Present analysis"), "p", draft, &present_form(case, draft)))
        @if on_hold(incident) {
            (end_hold_form(case))
        } @else {
            (desk::tool(Tool::Hold, "hold", say.pick("保留", "Hold"), "h", draft, &hold_form(case, draft)))
        }
        @if raises {
            (desk::tool(Tool::Raise, "raise", say.pick("優先度を上げる", "Raise priority"), "r", draft, &raise_form(case, draft)))
        }
    }
}

/// Whether the customer asked to wait.
pub(super) fn on_hold(incident: &Incident) -> bool {
    let holds = |p: &domain::clock::Pause| p.why == PauseReason::CustomerHold && p.to.is_none();
    incident.clocks.as_ref().is_some_and(|clocks| clocks.pauses.iter().any(holds))
}

fn present_form(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    let presented = case.incident.presented.last();
    html! {
        form method="post" action=(desk::action(case, "present"))
            data-confirm=(say.pick("この内容をお客様に送信します。", "This is sent to the customer.")) {
            p.hint {
                (say.pick(
                    "最終判定の前に、お客様へ現時点の分析をお知らせします。送信先が受け付けた時点で、分析の計時が止まります。",
                    "Tells the customer where the analysis stands before the final verdict. The analysis clock stops once a channel has taken it.",
                ))
                @if let Some(last) = presented { " " (say.pick("前回の提示：", "Last presented: ")) (show::moment(last.at, case.now)) }
            }
            fieldset {
                legend { (say.pick("現時点の判定", "Verdict so far")) }
                @for verdict in Verdict::GIVEN {
                    label.choice {
                        input type="radio" name="verdict" value=(desk::value_of(&verdict)) required checked[draft.verdict == Some(verdict)];
                        span { (say.text(verdict.text())) }
                    }
                }
            }
            (desk::text_field("text", say.pick("根拠", "Grounds"), draft.text_in(Tool::Present)))
            (desk::text_field("recommendation", say.pick("推奨事項", "Recommendation"), &draft.recommendation))
            button.primary { (say.pick("お客様に提示する", "Present it to the customer")) }
        }
    }
}

fn hold_form(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    html! {
        form method="post" action=(desk::action(case, "hold")) {
            p.hint { (say.pick(
                "お客様のご依頼で待つ場合だけ使います。解除するまで目標時間の計時が止まります（P0 の初動は止まりません）。理由は内部の記録に残ります。",
                "Only when the customer asked to wait. The clocks stand still until the hold ends, except the first response to a P0. The reason is kept as an internal note.",
            )) }
            (desk::text_field("text", say.pick("どなたのご依頼か、いつまでか", "Who asked for it, and until when"), draft.text_in(Tool::Hold)))
            button.primary { (say.pick("保留にする", "Put on hold")) }
        }
    }
}

fn end_hold_form(case: &Case<'_>) -> Markup {
    let say = case.say;
    html! {
        form method="post" action=(desk::action(case, "end-hold")) data-tool="hold"
            data-confirm=(say.pick("保留を解除し、計時を再開します。", "This ends the hold, and the clocks go on.")) {
            button { (say.pick("保留を解除", "End the hold")) " " kbd { "h" } }
        }
    }
}

fn raise_form(case: &Case<'_>, draft: &Draft) -> Markup {
    let say = case.say;
    let graver = Priority::ALL.into_iter().filter(|priority| *priority < case.incident.priority());
    html! {
        form method="post" action=(desk::action(case, "raise"))
            data-confirm=(say.pick("優先度を上げ、お客様に知らせます。下げることはできません。", "This raises the priority and tells the customer. It cannot be lowered again.")) {
            p.hint { (say.pick(
                "新しい優先度の目標時間は今から数え、早い方の期限を守ります。P0 にすると DFIR モードになります。",
                "The graver promise counts from now, and whichever ends first holds. P0 also declares DFIR mode.",
            )) }
            fieldset {
                legend { (say.pick("優先度", "Priority")) }
                @for priority in graver {
                    label.choice {
                        input type="radio" name="priority" value=(priority.name()) required checked[draft.priority == Some(priority)];
                        span { (priority.name()) " " (say.text(priority.severity())) }
                    }
                }
            }
            (desk::text_field("text", say.pick("理由", "Why it is graver"), draft.text_in(Tool::Raise)))
            button.primary { (say.pick("優先度を上げる", "Raise the priority")) }
        }
    }
}
