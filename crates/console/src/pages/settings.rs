//! Keeps language and theme, and returns to where the visitor was. The language goes with the person, too: the next browser
//! they sign in with begins in it.

use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum_extra::extract::cookie::CookieJar;
use domain::Language;
use serde::Deserialize;

use super::safe_address;
use crate::App;
use crate::error::Fault;
use crate::preferences::{Theme, keep_language, keep_theme};
use crate::visitor::Visitor;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    language: Option<Language>,
    theme: Option<Theme>,
    back: Option<String>,
}

pub(crate) async fn keep(
    State(app): State<App>,
    headers: HeaderMap,
    mut jar: CookieJar,
    Form(wanted): Form<Wanted>,
) -> Result<(CookieJar, Redirect), Fault> {
    if let Some(language) = wanted.language {
        if let Some(visitor) = Visitor::of(&app, &headers).await? {
            app.engine().store().save_language(visitor.id(), language).await?;
        }
        jar = jar.add(keep_language(&app, language));
    }
    if let Some(theme) = wanted.theme {
        jar = jar.add(keep_theme(&app, theme));
    }
    Ok((jar, Redirect::to(safe_address(wanted.back.as_deref()))))
}
