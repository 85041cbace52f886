//! Where a customer answers what only they can know: the questions of their company, and one question with its answer.
//!
//! These are the customer's only pages. Nothing on them comes from internal notes, names an analyst or another customer, or
//! is a link made of data. An answer becomes one command like any other; a late one is taken, too (REL-15).

mod list;
mod sheet;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::incident::{Command, Event, Incident, Recorded, Refused};
use domain::notice::{Facts, Kind};
use domain::question::{Answer, Meaning, Question};
use domain::tenant::Tenant;
use domain::{QuestionId, Timestamp, Untrusted};
use engine::ExecuteError;
use serde::Deserialize;
use store::AccountRole;

use super::incident::{find, typed};
use crate::error::{Dressed, Fault};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, layout};

/// Most incidents on the list. Those that wait come first, so only old answers can be left out.
const MAX_LISTED: usize = 100;
/// A form that is far too long still has to come back with everything in it. Percent-encoded Japanese is nine bytes a character.
pub(crate) const MAX_BODY_BYTES: usize = 512 * 1024;

/// One question, with what its pages are drawn from.
struct Case<'a> {
    incident: &'a Incident,
    question: &'a Question,
    tenant: &'a Tenant,
    now: Timestamp,
    say: Say,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy)]
enum Standing<'a> {
    Waiting {
        until: Option<Timestamp>,
    },
    /// Its time is over, or the case was closed without it. An answer is still welcome.
    Lapsed {
        closed: bool,
    },
    Answered(&'a Answer),
}

impl<'a> Case<'a> {
    fn standing(&self) -> Standing<'a> {
        let (until, closed) = (deadline(self.question), !self.incident.phase.is_open());
        match &self.question.answer {
            Some(answer) => Standing::Answered(answer),
            None if closed || until.is_some_and(|at| at <= self.now) => Standing::Lapsed { closed },
            None => Standing::Waiting { until },
        }
    }

    /// What the message that asked the question says of the case.
    fn facts(&self) -> Option<Facts<'a>> {
        let asks = |n: &&domain::notice::Notice| n.kind == Kind::Question && n.decided_at >= self.question.asked_at;
        let notices = &self.incident.notices;
        let notice = notices.values().find(asks).or_else(|| notices.values().next_back())?;
        Facts::of(self.incident, self.tenant, notice.id)
    }

    fn address(&self) -> String {
        format!("/answers/{}/{}", self.incident.id, self.question.id)
    }
}

/// When silence counts as an answer. `None` while it is not known from when the time runs.
fn deadline(question: &Question) -> Option<Timestamp> {
    question.deadline()
}

/// What was filled in, to stand there again when it is refused.
#[derive(Debug, Default)]
struct Draft {
    meaning: Option<Meaning>,
    words: String,
    refused: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    meaning: Option<Meaning>,
    #[serde(default)]
    words: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Shown {
    /// The answer was given a moment ago.
    sent: Option<String>,
}

// ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Html<String>, Fault> {
    let (tenant, now, say) = (company(&app, &visitor)?, app.now(), visitor.say());
    let limit = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX).saturating_add(1);
    let incidents = app.engine().store().asked(visitor.scope(), limit).await?;
    let cut = incidents.len() > MAX_LISTED;
    let cases: Vec<Case<'_>> = incidents
        .iter()
        .take(MAX_LISTED)
        .flat_map(|incident| incident.questions.values().map(move |question| (incident, question)))
        // What was asked again more closely waits there, and no longer here.
        .filter(|(incident, question)| {
            question.answer.is_some() || incident.open_question().is_some_and(|open| open.id == question.id)
        })
        .map(|(incident, question)| Case { incident, question, tenant, now, say })
        .collect();
    let title = say.pick("ご確認のお願い", "Questions for you");
    Ok(layout::customer(&app, &visitor, tenant, "/answers", title, &list::markup(&cases, cut, now, say)))
}

/// Where messages lead: the question of an incident that waits, or else the last one.
pub(crate) async fn newest(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, Fault> {
    let incident = find(&app, &visitor, &id).await?;
    let last = || incident.questions.values().next_back();
    let question = incident.open_question().or_else(last).ok_or(Fault::NotFound)?;
    Ok(Redirect::to(&format!("/answers/{}/{}", incident.id, question.id)))
}

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, question)): Path<(String, String)>,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, Fault> {
    let (incident, question) = asked(&app, &visitor, &id, &question).await?;
    whole(&app, &visitor, &incident, question, shown.sent.is_some(), &Draft::default()).await
}

/// The tenant that a customer's account answers for, as long as we still serve it.
fn company<'a>(app: &'a App, visitor: &Visitor) -> Result<&'a Tenant, Fault> {
    let id = visitor.company().ok_or(Fault::Forbidden)?;
    app.engine().tenant(id).ok_or(Fault::NotFound)
}

/// `NotFound` for whatever is not a question to this company: nobody can tell which it is (SEC-01).
async fn asked(app: &App, visitor: &Visitor, id: &str, question: &str) -> Result<(Incident, QuestionId), Fault> {
    let question: QuestionId = question.parse().map_err(|_| Fault::NotFound)?;
    let incident = find(app, visitor, id).await?;
    if incident.questions.contains_key(&question) { Ok((incident, question)) } else { Err(Fault::NotFound) }
}

async fn whole(
    app: &App,
    visitor: &Visitor,
    incident: &Incident,
    question: QuestionId,
    sent: bool,
    draft: &Draft,
) -> Result<Html<String>, Fault> {
    let tenant = company(app, visitor)?;
    let question = incident.questions.get(&question).ok_or(Fault::NotFound)?;
    let case = Case { incident, question, tenant, now: app.now(), say: visitor.say() };
    let answered = match &question.answer {
        Some(answer) => Some(sheet::Answered {
            answer,
            by: giver(app, tenant, answer).await?,
            reopened: reopened_by(&app.engine().store().events(&incident.tenant, incident.id).await?, question.id),
            sent,
        }),
        None => None,
    };
    let body = sheet::markup(&case, answered.as_ref(), draft);
    let title = format!("{} {}", incident.id, case.say.pick("ご確認のお願い", "Question"));
    Ok(layout::customer(app, visitor, tenant, &case.address(), &title, &body))
}

/// Who gave an answer, when it was one of the company's own people. Who of us wrote down a call or a mail is not said.
async fn giver(app: &App, tenant: &Tenant, answer: &Answer) -> Result<Option<String>, Fault> {
    let person = app.engine().store().person(&answer.recorded_by).await?;
    let own = person.filter(|p| p.role == AccountRole::Customer && p.scope.holds(&tenant.id));
    Ok(own.map(|p| p.name))
}

/// Whether the answer to `question` took a closed case up again: the two are recorded at one moment.
fn reopened_by(events: &[Recorded], question: QuestionId) -> bool {
    let answers = |r: &&Recorded| matches!(r.event, Event::AnswerRecorded { question: q, .. } if q == question);
    let answered = events.iter().find(answers);
    answered.is_some_and(|a| events.iter().any(|r| matches!(r.event, Event::Reopened { .. }) && r.at == a.at))
}

// ── answering ───────────────────────────────────────────────────────────────────────────────────────────────────────────

pub(crate) async fn give(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, question)): Path<(String, String)>,
    Form(given): Form<Given>,
) -> Result<Response, Fault> {
    let say = visitor.say();
    let (incident, question) = asked(&app, &visitor, &id, &question).await?;
    let refuse = async |status, refused: Option<String>| {
        let (incident, question) = asked(&app, &visitor, &id, &question.to_string()).await?;
        let draft = Draft { meaning: given.meaning, words: given.words.clone(), refused };
        let page = whole(&app, &visitor, &incident, question, false, &draft).await?;
        let mut response = (status, page).into_response();
        response.extensions_mut().insert(Dressed);
        Ok(response)
    };
    let (meaning, words) = match read(&given, say) {
        Ok(answer) => answer,
        Err(why) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, Some(why)).await,
    };
    let by = visitor.id().clone();
    let command = Command::RecordAnswer { by: by.clone(), question, meaning, words: words.clone() };
    let thanks = format!("/answers/{}/{question}?sent=1", incident.id);
    match app.engine().execute(&incident.tenant, incident.id, command, app.now()).await {
        Ok(_) => Ok(Redirect::to(&thanks).into_response()),
        Err(ExecuteError::Refused(Refused::AlreadyAnswered(_))) => {
            let (incident, _) = asked(&app, &visitor, &id, &question.to_string()).await?;
            let known = incident.questions.get(&question).and_then(|q| q.answer.as_ref());
            // The button was pressed twice: once is what was meant.
            if known.is_some_and(|a| a.recorded_by == by && a.meaning == meaning && a.words == words) {
                return Ok(Redirect::to(&thanks).into_response());
            }
            refuse(StatusCode::CONFLICT, None).await
        }
        Err(ExecuteError::Refused(why)) => {
            // The domain's words are for analysts.
            tracing::warn!(incident.id = %incident.id, error = %why, "a customer's answer was refused");
            let sorry = say.pick(
                "ただいま受け付けることができませんでした。お手数ですが、メールへの返信でお知らせください。",
                "We could not take your answer here. Please reply to our mail instead.",
            );
            refuse(StatusCode::CONFLICT, Some(sorry.to_owned())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What a form says, or what is still missing in it.
fn read(given: &Given, say: Say) -> Result<(Meaning, Untrusted), String> {
    let Some(meaning) = given.meaning else {
        return Err(say.pick("あてはまるものを一つ選んでください。", "Choose the one that fits.").to_owned());
    };
    let Some(words) = typed(&given.words) else {
        let length = given.words.trim().chars().count();
        return Err(say.pick(
            format!(
                "長すぎるため、まだ送信していません（現在 {length} 文字）。日本語で約1,300文字以内に短くしてください。\
                 資料がある場合は、メールへの返信でお送りください。"
            ),
            format!(
                "Not sent yet: {length} characters are too many. Shorten it to about 4,000; send documents as a reply to \
                 our mail."
            ),
        ));
    };
    if !words.for_matching().trim().is_empty() {
        return Ok((meaning, words));
    }
    match meaning {
        // There is nothing more to say: the choice itself is the answer.
        Meaning::Unknown => Ok((meaning, Untrusted::new(sheet::choice(meaning, say).0))),
        Meaning::Ours => Err(say
            .pick(
                "どなたが、何のために使い、どこから入手したかを、わかる範囲でお書きください。",
                "Write who uses it, what for, and where it came from, as far as you know.",
            )
            .to_owned()),
        Meaning::Other => Err(say
            .pick(
                "わかる範囲で結構ですので、内容をお書きください。",
                "Write what you know. Part of an answer is welcome.",
            )
            .to_owned()),
    }
}
