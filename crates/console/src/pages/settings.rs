//! Keeps language and theme, and returns to where the visitor was.

use axum::extract::{Form, State};
use axum::response::Redirect;
use axum_extra::extract::cookie::CookieJar;
use domain::Language;
use serde::Deserialize;

use super::safe_address;
use crate::App;
use crate::preferences::{Theme, keep_language, keep_theme};

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    language: Option<Language>,
    theme: Option<Theme>,
    back: Option<String>,
}

pub(crate) async fn keep(
    State(app): State<App>,
    mut jar: CookieJar,
    Form(wanted): Form<Wanted>,
) -> (CookieJar, Redirect) {
    if let Some(language) = wanted.language {
        jar = jar.add(keep_language(&app, language));
    }
    if let Some(theme) = wanted.theme {
        jar = jar.add(keep_theme(&app, theme));
    }
    (jar, Redirect::to(safe_address(wanted.back.as_deref())))
}
