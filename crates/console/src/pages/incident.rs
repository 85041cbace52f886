//! One incident: the answers first, then the facts, the story, and what can be done.
//!
//! Every form becomes one command. When the domain refuses it, the page comes back with the reason beside the form and
//! everything that was typed still in it.

mod answers;
mod aside;
mod desk;
mod facts;
mod happened;
pub(crate) mod investigation;
pub(crate) mod promises;
mod story;

use std::collections::BTreeMap;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::evidence::Findings;
use domain::incident::{Command, Incident, Recorded, Refused, Visibility};
use domain::judgement::Verdict;
use domain::question::Meaning;
use domain::tenant::Tenant;
use domain::{IncidentId, PersonId, QuestionId, Timestamp, Untrusted};
use engine::ExecuteError;
use maud::{Markup, html};
use serde::Deserialize;
use store::Person;

use super::hand_over;
use crate::error::{Dressed, Fault, wants_text};
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, watch};

pub(super) use answers::next_message;
use desk::{Draft, Tool};

/// Everything that the parts of the page are drawn from.
struct Case<'a> {
    incident: &'a Incident,
    events: &'a [Recorded],
    tenant: &'a Tenant,
    people: &'a BTreeMap<PersonId, String>,
    now: Timestamp,
    say: Say,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    tab: Option<String>,
    all: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Story,
    Investigation,
    Evidence,
}

impl Tab {
    fn query(self) -> &'static str {
        match self {
            Self::Story => "",
            Self::Investigation => "?tab=investigation",
            Self::Evidence => "?tab=evidence",
        }
    }
}

impl Asked {
    fn tab(&self) -> Tab {
        match self.tab.as_deref() {
            Some("investigation") => Tab::Investigation,
            Some("evidence") => Tab::Evidence,
            _ => Tab::Story,
        }
    }
}

// ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let incident = find(&app, &visitor, &id).await?;
    whole(&app, &visitor, &incident, &asked, &Draft::default()).await
}

/// The parts that change by themselves. The forms are not among them: somebody may be typing.
pub(crate) async fn fragment(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let incident = find(&app, &visitor, &id).await?;
    let page = Read::of(&app, &visitor, &incident, asked.tab()).await?;
    let case = page.case(&app, &visitor, &incident)?;
    Ok(Html(html! { (head(&case)) (columns(&case, &visitor, &page, &asked, &Draft::default())) }.into_string()))
}

/// What the drawer of the queue shows.
pub(crate) async fn preview(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, Fault> {
    let incident = find(&app, &visitor, &id).await?;
    let page = Read::of(&app, &visitor, &incident, Tab::Story).await?;
    let case = page.case(&app, &visitor, &incident)?;
    let say = case.say;
    let markup = html! {
        header.preview-head {
            button.quiet.close type="button" data-close { (say.pick("閉じる", "Close")) " " kbd { "Esc" } }
            p { (watch::mark(incident.priority())) b { (incident.priority().name()) } " " a href=(format!("/incidents/{}", incident.id)) { (incident.id) } }
            h2 { (crate::show::foreign(&incident.title, 120)) }
            p.hint { (say.names(&case.tenant.name)) " · " (say.text(incident.phase.text())) }
        }
        (answers::list(&case))
        div.buttons {
            @if incident.acknowledged.is_none() && incident.phase.is_open() {
                (desk::button(&case, "acknowledge", say.pick("受領する", "Acknowledge"), "Alt K", &html! {}))
            }
            @if incident.phase.is_open() && incident.assigned.as_ref() != Some(visitor.id()) {
                (desk::button(&case, "assign", say.pick("自分が担当する", "Assign to me"), "Alt Y", &html! {}))
            }
            a.button href=(format!("/incidents/{}", incident.id)) { (say.pick("開く", "Open")) " " kbd { "o" } }
        }
        section.latest {
            h3 { (say.pick("直近の経過", "Latest")) }
            (story::latest(&case, 8))
        }
    };
    Ok(Html(markup.into_string()))
}

/// `NotFound` for what does not exist, what has no proper number and what belongs to others: nobody can tell which (SEC-01).
pub(super) async fn find(app: &App, visitor: &Visitor, id: &str) -> Result<Incident, Fault> {
    let id: IncidentId = id.parse().map_err(|_| Fault::NotFound)?;
    app.engine().store().incident(visitor.scope(), id).await?.ok_or(Fault::NotFound)
}

/// What a page reads besides the incident itself.
struct Read {
    events: Vec<Recorded>,
    staff: Vec<Person>,
    people: BTreeMap<PersonId, String>,
    /// Read for the tab that shows them only: there may be much of it.
    findings: Option<Findings>,
}

impl Read {
    async fn of(app: &App, visitor: &Visitor, incident: &Incident, tab: Tab) -> Result<Self, Fault> {
        let store = app.engine().store();
        let events = store.events(&incident.tenant, incident.id).await?;
        let staff = store.staff().await?;
        let people = staff.iter().map(|p| (p.id.clone(), p.name.clone())).collect();
        let can_work = |p: &Person| p.role.works_incidents() && !p.disabled && p.scope.holds(&incident.tenant);
        let mut staff: Vec<Person> = staff.into_iter().filter(can_work).collect();
        // Oneself first: the most frequent choice.
        staff.sort_by_key(|p| p.id != *visitor.id());
        let findings = match tab {
            Tab::Investigation => Some(app.engine().findings(incident).await?),
            Tab::Story | Tab::Evidence => None,
        };
        Ok(Self { events, staff, people, findings })
    }

    fn case<'a>(&'a self, app: &'a App, visitor: &Visitor, incident: &'a Incident) -> Result<Case<'a>, Fault> {
        let tenant = app.engine().tenant(&incident.tenant).ok_or(Fault::NotFound)?;
        Ok(Case { incident, events: &self.events, tenant, people: &self.people, now: app.now(), say: visitor.say() })
    }
}

async fn whole(
    app: &App,
    visitor: &Visitor,
    incident: &Incident,
    asked: &Asked,
    draft: &Draft,
) -> Result<Html<String>, Fault> {
    let page = Read::of(app, visitor, incident, asked.tab()).await?;
    let case = page.case(app, visitor, incident)?;
    let tab = asked.tab().query();
    let body = html! {
        article #incident.incident data-id=(incident.id) data-url=(format!("/fragments/incidents/{}{tab}", incident.id)) {
            (head(&case))
            (columns(&case, visitor, &page, asked, draft))
        }
    };
    let title = format!("{} {}", incident.id, incident.priority().name());
    layout::page(app, visitor, &Place::Incident(incident.id), &title, body).await
}

fn head(case: &Case<'_>) -> Markup {
    let (incident, say) = (case.incident, case.say);
    html! {
        header #head.head.(format!("{:?}", incident.priority()).to_lowercase()) data-part {
            p.line {
                (watch::mark(incident.priority())) b { (incident.priority().name()) " " (say.text(incident.priority().severity())) }
                span.id { (incident.id) }
                span.phase { (say.text(incident.phase.text())) }
                @if incident.dfir { span.flag { (say.pick("DFIR モード", "DFIR mode")) } }
                span.customer { (say.names(&case.tenant.name)) }
            }
            h1 { (crate::show::foreign(&incident.title, 160)) }
            (answers::list(case))
        }
    }
}

fn columns(case: &Case<'_>, visitor: &Visitor, page: &Read, asked: &Asked, draft: &Draft) -> Markup {
    let (tab, say) = (asked.tab(), case.say);
    let id = case.incident.id;
    let link = |to: Tab, name: Markup| {
        html! { a href=(format!("/incidents/{id}{}", to.query())) aria-current=[(tab == to).then_some("true")] { (name) } }
    };
    html! {
        div.columns {
            div.left { section #facts data-part { (facts::list(case)) } }
            div.centre {
                section #desk.desk { (desk::tools(case, visitor, &page.staff, draft)) }
                nav.tabs aria-label=(say.pick("内容", "Contents")) {
                    (link(Tab::Story, html! { (say.pick("根拠と経過", "Reasons and story")) }))
                    (link(Tab::Investigation, investigation::tab(case)))
                    (link(Tab::Evidence, html! {
                        (say.pick("アラートの証拠", "Alert evidence")) " " span.n { (case.incident.alert_count) }
                    }))
                    span.reports {
                        (say.pick("報告書（PDF）", "Report (PDF)"))
                        a href=(format!("/incidents/{id}/report/ja.pdf")) lang="ja" { "日本語" }
                        a href=(format!("/incidents/{id}/report/en.pdf")) lang="en" { "English" }
                    }
                }
                @match (tab, &page.findings) {
                    (Tab::Investigation, Some(findings)) => {
                        section #investigation.investigation data-part { (investigation::parts(case, findings)) }
                    }
                    (Tab::Evidence, _) => {
                        section #evidence data-part { (super::evidence::cards(case.incident, case.now, say)) }
                    }
                    _ => {
                        section #reasons data-part { (story::reasons(case)) }
                        section.story { (story::timeline(case, asked.all.is_some())) }
                    }
                }
            }
            div.right { (aside::all(case)) }
        }
    }
}

// ── doing ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[derive(Debug, Deserialize)]
pub(crate) struct AssignForm {
    /// Nobody named means the visitor.
    to: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NoteForm {
    #[serde(default)]
    text: String,
    #[serde(default)]
    visibility: Visibility,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AskForm {
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AnswerForm {
    question: String,
    meaning: Option<Meaning>,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct VerdictForm {
    verdict: Option<Verdict>,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReopenForm {
    #[serde(default)]
    text: String,
}

pub(crate) async fn acknowledge(act: Act) -> Result<Response, Fault> {
    let by = act.by();
    act.carry_out(Command::Acknowledge { by }, Draft::of(Tool::None)).await
}

pub(crate) async fn assign(act: Act, Form(form): Form<AssignForm>) -> Result<Response, Fault> {
    let wanted = form.to.filter(|to| !to.is_empty());
    let to = wanted.map_or(Ok(act.by()), |to| to.parse()).map_err(|_| Fault::BadForm("no such person"))?;
    let person = act.app.engine().store().person(&to).await?;
    let can = |p: &Person| !p.disabled && p.role.works_incidents() && p.scope.holds(&act.incident.tenant);
    let Some(person) = person.filter(can) else {
        return Err(Fault::BadForm("this person cannot work the incident"));
    };
    let by = act.by();
    if to == by {
        return act.carry_out(Command::Assign { to, by }, Draft::of(Tool::Assign)).await;
    }
    // Whoever is given it has to know of its clock, as from the sheet (REL-25).
    let commands = hand_over::commands(&act.incident, &act.visitor.person, &person, act.app.now());
    act.carry_out_all(&commands, Draft::of(Tool::Assign)).await
}

pub(crate) async fn note(act: Act, Form(form): Form<NoteForm>) -> Result<Response, Fault> {
    let draft = Draft { text: form.text.clone(), visibility: form.visibility, ..Draft::of(Tool::Note) };
    let Some(text) = typed(&form.text) else { return act.too_long(draft).await };
    let by = act.by();
    act.carry_out(Command::AddNote { by, visibility: form.visibility, text }, draft).await
}

pub(crate) async fn ask(act: Act, Form(form): Form<AskForm>) -> Result<Response, Fault> {
    let draft = Draft { text: form.text.clone(), ..Draft::of(Tool::Ask) };
    let Some(text) = typed(&form.text) else { return act.too_long(draft).await };
    let addition = Some(text).filter(|t| !t.for_matching().trim().is_empty());
    let by = act.by();
    act.carry_out(Command::Ask { by, addition }, draft).await
}

pub(crate) async fn answer(act: Act, Form(form): Form<AnswerForm>) -> Result<Response, Fault> {
    let question: QuestionId = form.question.parse().map_err(|_| Fault::BadForm("no such question"))?;
    let draft = Draft { text: form.text.clone(), meaning: form.meaning, ..Draft::of(Tool::Answer) };
    let Some(words) = typed(&form.text) else { return act.too_long(draft).await };
    let Some(meaning) = form.meaning else {
        let why = act.say().pick("回答の意味を選んでください", "choose what the answer means");
        return act.refused(draft, why.to_owned()).await;
    };
    if words.for_matching().trim().is_empty() {
        let why = Refused::EmptyText.text(act.say().0);
        return act.refused(draft, why).await;
    }
    let by = act.by();
    act.carry_out(Command::RecordAnswer { by, question, meaning, words }, draft).await
}

pub(crate) async fn verdict(act: Act, Form(form): Form<VerdictForm>) -> Result<Response, Fault> {
    let draft = Draft { text: form.text.clone(), verdict: form.verdict, ..Draft::of(Tool::Verdict) };
    let Some(reason) = typed(&form.text) else { return act.too_long(draft).await };
    let Some(verdict) = form.verdict else {
        let why = act.say().pick("判定を選んでください", "choose a verdict");
        return act.refused(draft, why.to_owned()).await;
    };
    let by = act.by();
    act.carry_out(Command::GiveVerdict { by, verdict, reason }, draft).await
}

pub(crate) async fn close(act: Act) -> Result<Response, Fault> {
    let by = act.by();
    act.carry_out(Command::Close { by }, Draft::of(Tool::Close)).await
}

pub(crate) async fn repeat(act: Act) -> Result<Response, Fault> {
    let by = act.by();
    act.carry_out(Command::CloseAsRepeat { by }, Draft::of(Tool::Close)).await
}

pub(crate) async fn reopen(act: Act, Form(form): Form<ReopenForm>) -> Result<Response, Fault> {
    let draft = Draft { text: form.text.clone(), ..Draft::of(Tool::Reopen) };
    let Some(reason) = typed(&form.text) else { return act.too_long(draft).await };
    let by = act.by();
    act.carry_out(Command::Reopen { by, reason }, draft).await
}

/// What a person typed, `None` when it is more than is kept: we never cut somebody's words in silence.
pub(super) fn typed(text: &str) -> Option<Untrusted> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    (text.len() <= domain::untrusted::MAX_BYTES).then(|| Untrusted::new(text))
}

/// Somebody about to do something to an incident that they may see.
pub(crate) struct Act {
    app: App,
    visitor: Visitor,
    incident: Incident,
    /// A script sent it and wants a word rather than a page.
    quiet: bool,
    /// Where the form stood, and where the person is led back to.
    tab: Tab,
}

impl axum::extract::FromRequestParts<App> for Act {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, app: &App) -> Result<Self, Fault> {
        let visitor = Visitor::from_request_parts(parts, app).await?;
        let Path(id) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| Fault::NotFound)?;
        let incident = find(app, &visitor, &id).await?;
        let quiet = wants_text(&parts.headers);
        Ok(Self { app: app.clone(), visitor, incident, quiet, tab: Tab::Story })
    }
}

impl Act {
    fn by(&self) -> PersonId {
        self.visitor.id().clone()
    }

    fn say(&self) -> Say {
        self.visitor.say()
    }

    async fn carry_out(self, command: Command, draft: Draft) -> Result<Response, Fault> {
        self.carry_out_all(&[command], draft).await
    }

    /// All of it or nothing.
    async fn carry_out_all(self, commands: &[Command], draft: Draft) -> Result<Response, Fault> {
        let id = self.incident.id;
        match self.app.engine().execute_together(&self.incident.tenant, id, commands, self.app.now()).await {
            Ok(_) if self.quiet => Ok(StatusCode::NO_CONTENT.into_response()),
            Ok(_) => Ok(Redirect::to(&format!("/incidents/{id}{}", self.tab.query())).into_response()),
            Err(ExecuteError::Refused(why)) => {
                let why = why.text(self.say().0);
                self.refused(draft, why).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn too_long(self, draft: Draft) -> Result<Response, Fault> {
        let why = self.say().pick(
            "長すぎます。日本語で約1,300文字（4,096バイト）以内にしてください",
            "too long: at most 4,096 bytes, which is about 4,000 Latin or 1,300 Japanese characters",
        );
        self.refused(draft, why.to_owned()).await
    }

    /// The page once more, as things stand now, with the reason beside the form.
    async fn refused(self, draft: Draft, why: String) -> Result<Response, Fault> {
        let mut response = if self.quiet {
            (StatusCode::CONFLICT, why).into_response()
        } else {
            let incident = find(&self.app, &self.visitor, &self.incident.id.to_string()).await?;
            let draft = Draft { refused: Some(why), ..draft };
            let page = whole(&self.app, &self.visitor, &incident, &Asked::default(), &draft).await?;
            (StatusCode::CONFLICT, page).into_response()
        };
        response.extensions_mut().insert(Dressed);
        Ok(response)
    }
}
