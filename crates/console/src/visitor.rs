//! Who is looking, and how they like to read. Handlers that take a `Visitor` cannot be reached without a session.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::{Language, PersonId, TenantId};
use store::{AccountRole, Person, Scope};

use crate::error::Fault;
use crate::preferences::{self, Theme};
use crate::say::Say;
use crate::{App, session};

/// Somebody with a session: of the staff, or of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) manner: Manner,
    pub(crate) person: Person,
    /// Hash of the session's token, to end it.
    pub(crate) session: String,
    scope: Scope,
}

/// How a page is to be shown to somebody, signed in or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) say: Say,
    pub(crate) theme: Theme,
}

impl Visitor {
    pub(crate) async fn of(app: &App, headers: &HeaderMap) -> Result<Option<Self>, Fault> {
        let Some((found, session)) = session::of(app, headers).await? else { return Ok(None) };
        let person = found.person;
        let language = preferences::language(headers).unwrap_or(person.language);
        let manner = Manner { say: Say(language), theme: preferences::theme(headers) };
        let scope = scope_of(&person);
        Ok(Some(Self { manner, person, session, scope }))
    }

    pub(crate) fn say(&self) -> Say {
        self.manner.say
    }

    pub(crate) fn id(&self) -> &PersonId {
        &self.person.id
    }

    pub(crate) fn role(&self) -> AccountRole {
        self.person.role
    }

    /// Whose data this visitor may see. Every read of the store takes it (SEC-01, SEC-02).
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The one company that a customer's account answers for.
    pub(crate) fn company(&self) -> Option<&TenantId> {
        match &self.scope {
            Scope::Only(tenants) if self.role() == AccountRole::Customer => tenants.first(),
            _ => None,
        }
    }

    pub(crate) fn sees(&self, tenant: &TenantId) -> bool {
        self.scope.holds(tenant)
    }
}

/// What an account's role leaves of its tenants.
fn scope_of(person: &Person) -> Scope {
    match (person.role, &person.scope) {
        (AccountRole::Analyst | AccountRole::Manager, scope) => scope.clone(),
        (AccountRole::Customer, Scope::Only(tenants)) if tenants.len() == 1 => Scope::Only(tenants.clone()),
        // Whoever runs the installation sees no customer's incidents, whatever their tenants say; and a customer's account
        // that does not say whose it is sees nobody's.
        (AccountRole::Operator | AccountRole::Customer, _) => Scope::Only(Vec::new()),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Fault;

    /// Only the guard puts a visitor there, so a route without a guard denies.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or(Fault::NotSignedIn)
    }
}

impl Manner {
    /// For people whom we do not know yet: their cookie, else what their browser asks for.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        let language = preferences::language(headers).unwrap_or_else(|| asked_for(accepted));
        Self { say: Say(language), theme: preferences::theme(headers) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Manner {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// English only when it is asked for before Japanese: the service is at home in Japan.
fn asked_for(accepted: Option<&str>) -> Language {
    let first = accepted.unwrap_or_default().split(',').map(str::trim).find_map(|tag| {
        let tag = tag.split([';', '-']).next()?.to_ascii_lowercase();
        tag.parse().ok()
    });
    first.unwrap_or(Language::Ja)
}
