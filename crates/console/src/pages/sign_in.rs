//! Signing in, by password or by a link that works once, and signing out.
//!
//! Whether a person exists cannot be told from words or time. A link only opens a page; the button on it uses the link up, so
//! that no mail scanner can (SEC-22).

use std::net::{IpAddr, SocketAddr};
use std::sync::PoisonError;

use axum::extract::{ConnectInfo, Form, FromRequestParts, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use domain::PersonId;
use maud::{Markup, html};
use serde::Deserialize;
use store::{AccountRole, Person};

use super::safe_address;
use crate::access::url_encoded;
use crate::error::{Dressed, Fault};
use crate::visitor::{Manner, Visitor};
use crate::{App, layout, password, session};

#[derive(Debug, Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    person: String,
    password: String,
    next: Option<String>,
}

pub(crate) async fn page(
    State(app): State<App>,
    manner: Manner,
    Query(next): Query<Next>,
    request: Request,
) -> Result<Response, Fault> {
    if let Some(visitor) = Visitor::of(&app, request.headers()).await? {
        return Ok(Redirect::to(start(visitor.role(), next.next.as_deref())).into_response());
    }
    Ok(form(manner, next.next.as_deref(), "", None).into_response())
}

pub(crate) async fn by_password(
    State(app): State<App>,
    manner: Manner,
    jar: CookieJar,
    Address(address): Address,
    Form(given): Form<Credentials>,
) -> Result<Response, Fault> {
    let (now, name) = (app.now(), given.person.trim().to_ascii_lowercase());
    let wait = app.inner.tries.lock().unwrap_or_else(PoisonError::into_inner).wait_until(&name, address, now);
    if let Some(until) = wait {
        return Err(Fault::TooMany { until });
    }
    let person = known(&app, &name).await?;
    let right = check(&app, given.password, person.as_ref().map(|p| p.password.clone())).await?;
    let Some(person) = person.filter(|_| right) else {
        app.inner.tries.lock().unwrap_or_else(PoisonError::into_inner).failed(&name, address, now);
        tracing::warn!(address = ?address, "a sign-in failed");
        let wrong = manner
            .say
            .pick("ユーザーIDまたはパスワードが正しくありません。", "The user ID or the password is not correct.");
        let page = form(manner, given.next.as_deref(), given.person.trim(), Some(wrong));
        let mut response = (StatusCode::UNAUTHORIZED, page).into_response();
        response.extensions_mut().insert(Dressed);
        return Ok(response);
    };
    app.inner.tries.lock().unwrap_or_else(PoisonError::into_inner).succeeded(&name, address);
    welcome(&app, jar, &person, given.next.as_deref()).await
}

/// The page behind a sign-in link. It looks the same for every token, and uses none.
pub(crate) async fn link_page(manner: Manner, Path(token): Path<String>) -> Html<String> {
    let say = manner.say;
    let body = html! {
        form.sign-in method="post" action=(format!("/sign-in/link/{}", url_encoded(&token))) {
            h1 { (say.pick("サインイン", "Sign in")) }
            p { (say.pick(
                "このリンクは一度だけ使えます。ボタンを押すとサインインします。",
                "This link works once. Press the button to sign in.",
            )) }
            button.primary autofocus { (say.pick("サインインする", "Sign in")) }
        }
    };
    layout::plain(manner, say.pick("サインイン", "Sign in"), &body)
}

pub(crate) async fn by_link(
    State(app): State<App>,
    manner: Manner,
    jar: CookieJar,
    Path(token): Path<String>,
) -> Result<Response, Fault> {
    let person = match app.engine().store().use_link(&session::hash(&token), app.now()).await? {
        Some(id) => known(&app, id.as_str()).await?,
        None => None,
    };
    let Some(person) = person else {
        let gone = manner.say.pick(
            "このリンクは使用済みか、有効期限が切れています。新しいリンクを発行するか、パスワードでサインインしてください。",
            "This link was used already or has expired. Ask for a new one, or sign in with your password.",
        );
        let mut response = (StatusCode::UNAUTHORIZED, form(manner, None, "", Some(gone))).into_response();
        response.extensions_mut().insert(Dressed);
        return Ok(response);
    };
    welcome(&app, jar, &person, None).await
}

pub(crate) async fn out(State(app): State<App>, visitor: Visitor, jar: CookieJar) -> Result<Response, Fault> {
    app.engine().store().close_session(&visitor.session).await?;
    Ok((jar.add(session::forget(&app)), Redirect::to("/sign-in")).into_response())
}

async fn welcome(app: &App, jar: CookieJar, person: &Person, next: Option<&str>) -> Result<Response, Fault> {
    let cookie = session::open(app, &person.id, app.now()).await?;
    tracing::info!(person.id = %person.id, "signed in");
    Ok((jar.add(cookie), Redirect::to(start(person.role, next))).into_response())
}

/// Where a role's day begins.
fn start(role: AccountRole, next: Option<&str>) -> &str {
    match (role, safe_address(next)) {
        (AccountRole::Operator, "/") => "/trouble",
        (AccountRole::Customer, "/") => "/answers",
        (_, address) => address,
    }
}

async fn known(app: &App, name: &str) -> Result<Option<Person>, Fault> {
    let Ok(id) = PersonId::new(name) else { return Ok(None) };
    Ok(app.engine().store().person(&id).await?.filter(|p| !p.disabled))
}

/// Checks a password away from the threads that serve pages.
async fn check(app: &App, given: String, stored: Option<String>) -> Result<bool, Fault> {
    if given.len() > password::MAX_BYTES {
        return Err(Fault::BadForm("the password is too long"));
    }
    // Closed only when the program ends.
    let Ok(_permit) = app.inner.hashing.acquire().await else { return Err(Fault::Busy) };
    let checked = tokio::task::spawn_blocking(move || password::matches(&given, stored.as_deref())).await;
    Ok(checked.unwrap_or(false))
}

fn form(manner: Manner, next: Option<&str>, person: &str, wrong: Option<&str>) -> Html<String> {
    let say = manner.say;
    let body = html! {
        form.sign-in method="post" action="/sign-in" {
            h1 { (say.pick("サインイン", "Sign in")) }
            @if let Some(wrong) = wrong { p.refused role="alert" { (wrong) } }
            label {
                span { (say.pick("ユーザーID", "User ID")) }
                input name="person" value=(person) autocomplete="username" autocapitalize="none" spellcheck="false"
                    maxlength="60" required autofocus[person.is_empty()];
            }
            label {
                span { (say.pick("パスワード", "Password")) }
                input name="password" type="password" autocomplete="current-password" maxlength="1024" required
                    autofocus[!person.is_empty()];
            }
            @if let Some(next) = next { input type="hidden" name="next" value=(safe_address(Some(next))); }
            button.primary { (say.pick("サインインする", "Sign in")) }
        }
        (switches(manner))
    };
    layout::plain(manner, say.pick("サインイン", "Sign in"), &body)
}

fn switches(manner: Manner) -> Markup {
    let (tag, name) = manner.say.pick(("en", "English"), ("ja", "日本語"));
    html! {
        form.aside method="post" action="/preferences" {
            input type="hidden" name="back" value="/sign-in";
            button.quiet name="language" value=(tag) lang=(tag) { (name) }
        }
    }
}

/// The address a request came from, where the server tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip())))
    }
}
