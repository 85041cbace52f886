//! The hand-over sheet: what one shift leaves to the next, read from the state of things and from nothing that somebody has to
//! remember. Whoever takes an incident over, or gives it away, does it here.
//!
//! A hand-over is recorded on each incident as its new owner and an internal note with the state of its clock (REL-25).

mod duty;
mod note;
mod sheet;

use std::collections::BTreeMap;

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::incident::{Command, Incident, Visibility};
use domain::{IncidentId, PersonId, SiteId, Timestamp, Untrusted};
use engine::ExecuteError;
use serde::Deserialize;
use store::{DeadJob, Holder, Person};

use crate::App;
use crate::access::url_encoded;
use crate::error::{Dressed, Fault};
use crate::layout::{self, Place};
use crate::visitor::Visitor;

use duty::Duty;

/// Open incidents on one sheet. More are said to be there.
const MAX_OPEN: usize = 300;
/// Incidents about which somebody was called, and jobs that gave up.
const MAX_CALLED: i64 = 100;
const MAX_JOBS: i64 = 100;

#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Asked {
    who: Option<String>,
    /// What was just done: handed over to this person, so many.
    to: Option<String>,
    n: Option<String>,
}

/// Whose incidents are on the sheet. In the address: `nobody`, `person/sato`, `site/sapporo`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Whose {
    #[default]
    Everybody,
    Nobody,
    Person(PersonId),
    Site(SiteId),
}

impl Whose {
    /// Whatever does not parse is as good as absent.
    fn of(asked: &str) -> Self {
        match asked.split_once('/') {
            None if asked == "nobody" => Some(Self::Nobody),
            Some(("person", id)) => id.parse().ok().map(Self::Person),
            Some(("site", id)) => id.parse().ok().map(Self::Site),
            _ => None,
        }
        .unwrap_or_default()
    }

    fn name(&self) -> String {
        match self {
            Self::Everybody => String::new(),
            Self::Nobody => "nobody".into(),
            Self::Person(id) => format!("person/{id}"),
            Self::Site(id) => format!("site/{id}"),
        }
    }

    fn address(&self) -> String {
        match self {
            Self::Everybody => "/hand-over".into(),
            narrower => format!("/hand-over?who={}", url_encoded(&narrower.name())),
        }
    }

    fn holder(&self, app: &App) -> Holder {
        match self {
            Self::Everybody => Holder::Anybody,
            Self::Nobody => Holder::Nobody,
            Self::Person(id) => Holder::OneOf(vec![id.clone()]),
            Self::Site(id) => {
                let sites = app.engine().roster().sites.iter().filter(|site| site.id == *id);
                let people = sites.flat_map(|site| &site.shifts).flat_map(|shift| &shift.people);
                Holder::OneOf(people.map(|on_call| on_call.person.clone()).collect())
            }
        }
    }
}

/// Everything that the sheet is drawn from.
struct Facts<'a> {
    whose: Whose,
    now: Timestamp,
    /// Due next first.
    open: Vec<Incident>,
    /// There are more than the sheet has room for.
    cut: bool,
    /// Open incidents that nobody has, over everything that the visitor may see.
    unassigned: u64,
    called: Vec<Incident>,
    jobs: Vec<DeadJob>,
    duty: Duty<'a>,
    staff: Vec<Person>,
    people: BTreeMap<PersonId, String>,
}

impl<'a> Facts<'a> {
    async fn read(app: &'a App, visitor: &Visitor, whose: Whose) -> Result<Self, Fault> {
        let (store, scope, now) = (app.engine().store(), visitor.scope(), app.now());
        let duty = Duty::at(app.engine().roster(), now);
        let mut open = store.open_incidents(scope, &whose.holder(app), MAX_OPEN as i64 + 1).await?;
        let cut = open.len() > MAX_OPEN;
        open.truncate(MAX_OPEN);
        let staff = store.staff().await?;
        let people = staff.iter().map(|p| (p.id.clone(), p.name.clone())).collect();
        Ok(Self {
            open,
            cut,
            unassigned: store.counters(scope, now, now).await?.unassigned,
            called: store.called_about(scope, duty.looks_back_to(), MAX_CALLED).await?,
            jobs: store.dead_jobs_within(scope, MAX_JOBS).await?,
            staff: staff.into_iter().filter(|p| !p.disabled && p.role.works_incidents()).collect(),
            whose,
            now,
            duty,
            people,
        })
    }

    fn person(&self, id: &PersonId) -> String {
        self.people.get(id).map_or_else(|| id.to_string(), Clone::clone)
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let whose = Whose::of(asked.who.as_deref().unwrap_or_default());
    let facts = Facts::read(&app, &visitor, whose).await?;
    let to: Option<PersonId> = asked.to.as_deref().and_then(|to| to.parse().ok());
    let n: Option<u16> = asked.n.as_deref().and_then(|n| n.parse().ok());
    let say = visitor.say();
    let done = to.filter(|to| facts.people.contains_key(to)).zip(n).map(|(to, n)| {
        if to == *visitor.id() {
            return say.pick(format!("{n}件の担当を引き受けました。"), format!("You took over {n}."));
        }
        let name = facts.person(&to);
        say.pick(format!("{n}件を {name} さんに引き継ぎました。"), format!("{n} handed over to {name}."))
    });
    whole(&app, &visitor, &facts, done.as_deref(), &[]).await
}

async fn whole(
    app: &App,
    visitor: &Visitor,
    facts: &Facts<'_>,
    done: Option<&str>,
    refused: &[String],
) -> Result<Html<String>, Fault> {
    let title = visitor.say().pick("引き継ぎシート", "Hand-over sheet");
    let body = sheet::whole(app, visitor, facts, done, refused);
    layout::page(app, visitor, &Place::HandOver(facts.whose.address()), title, body).await
}

/// What was sent: `take` one incident oneself, or give each `incident` `to` a person.
#[derive(Debug, Default)]
struct Given {
    whose: Whose,
    to: Option<String>,
    incidents: Vec<IncidentId>,
}

impl Given {
    fn of(fields: Vec<(String, String)>, me: &PersonId) -> Result<Self, Fault> {
        let number = |text: &str| text.parse().map_err(|_| Fault::NotFound);
        let mut given = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "who" => given.whose = Whose::of(&value),
                "to" => given.to = Some(value),
                "incident" => given.incidents.push(number(&value)?),
                "take" => {
                    let incidents = vec![number(&value)?];
                    return Ok(Self { to: Some(me.to_string()), incidents, whose: given.whose });
                }
                _ => {}
            }
        }
        given.incidents.sort_unstable();
        given.incidents.dedup();
        Ok(given)
    }
}

pub(crate) async fn give(
    State(app): State<App>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let given = Given::of(fields, visitor.id())?;
    let say = visitor.say();
    if given.incidents.len() > MAX_OPEN {
        return Err(Fault::BadForm("more incidents than a sheet has"));
    }
    if given.incidents.is_empty() {
        let why = say.pick("引き継ぐインシデントを選んでください", "choose what is handed over");
        return refused(&app, &visitor, given.whose, vec![why.to_owned()]).await;
    }
    let to: PersonId = given.to.as_deref().unwrap_or_default().parse().map_err(|_| Fault::BadForm("no such person"))?;
    let to = app.engine().store().person(&to).await?.filter(|p| !p.disabled && p.role.works_incidents());
    let Some(to) = to else { return Err(Fault::BadForm("this person cannot work incidents")) };

    // All of them are looked at before any of them is given away.
    let mut incidents = Vec::with_capacity(given.incidents.len());
    for id in &given.incidents {
        incidents.push(app.engine().store().incident(visitor.scope(), *id).await?.ok_or(Fault::NotFound)?);
    }
    let cannot: Vec<String> = incidents
        .iter()
        .filter(|incident| !to.scope.holds(&incident.tenant))
        .map(|incident| {
            let (id, name) = (incident.id, &to.name);
            say.pick(
                format!("{id}：{name} さんはこのお客様を担当できません"),
                format!("{id}: {name} does not work for this customer"),
            )
        })
        .collect();
    if !cannot.is_empty() {
        return refused(&app, &visitor, given.whose, cannot).await;
    }
    let mut why_not = Vec::new();
    for incident in &incidents {
        let now = app.now();
        let commands = commands(incident, &visitor.person, &to, now);
        match app.engine().execute_together(&incident.tenant, incident.id, &commands, now).await {
            Ok(_) => {}
            Err(ExecuteError::Refused(why)) => why_not.push(format!("{}: {}", incident.id, why.text(say.0))),
            Err(error) => return Err(error.into()),
        }
    }
    if !why_not.is_empty() {
        return refused(&app, &visitor, given.whose, why_not).await;
    }
    let address = given.whose.address();
    let joint = if address.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{address}{joint}to={}&n={}", to.id, incidents.len())).into_response())
}

/// The new owner, and what they have to know of the clock: to be carried out together.
pub(crate) fn commands(incident: &Incident, from: &Person, to: &Person, now: Timestamp) -> [Command; 2] {
    let by = from.id.clone();
    let text = Untrusted::new(&note::text(incident, from, to, now));
    [
        Command::Assign { to: to.id.clone(), by: by.clone() },
        Command::AddNote { by, visibility: Visibility::Internal, text },
    ]
}

/// The sheet as it stands now, with what could not be done.
async fn refused(app: &App, visitor: &Visitor, whose: Whose, why: Vec<String>) -> Result<Response, Fault> {
    let facts = Facts::read(app, visitor, whose).await?;
    let page = whole(app, visitor, &facts, None, &why).await?;
    let mut response = (StatusCode::CONFLICT, page).into_response();
    response.extensions_mut().insert(Dressed);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_sheet_it_is_survives_its_address_and_nonsense_means_everybodys() {
        for name in ["", "nobody", "person/sato", "site/sapporo"] {
            assert_eq!(Whose::of(name).name(), name);
        }
        for nonsense in ["somebody", "person/", "person/../x", "site/'; --", "/", "nobody/sato"] {
            assert_eq!(Whose::of(nonsense), Whose::Everybody, "{nonsense}");
        }
        assert_eq!(Whose::of("person/sato").address(), "/hand-over?who=person/sato");
    }
}
