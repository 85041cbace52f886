//! Language and theme, kept in two plain cookies. They say nothing about anybody.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use domain::Language;
use serde::Deserialize;

use crate::App;

const LANGUAGE: &str = "language";
const THEME: &str = "theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    #[default]
    Night,
    Paper,
    /// As the visitor's system has it.
    System,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::Night, Self::Paper, Self::System];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Paper => "paper",
            Self::System => "system",
        }
    }
}

pub(crate) fn language(headers: &HeaderMap) -> Option<Language> {
    CookieJar::from_headers(headers).get(LANGUAGE)?.value().parse().ok()
}

pub(crate) fn theme(headers: &HeaderMap) -> Theme {
    let jar = CookieJar::from_headers(headers);
    let chosen = jar.get(THEME).map(Cookie::value);
    Theme::ALL.into_iter().find(|t| Some(t.name()) == chosen).unwrap_or_default()
}

pub(crate) fn keep_language(app: &App, language: Language) -> Cookie<'static> {
    kept(app, LANGUAGE, language.tag())
}

pub(crate) fn keep_theme(app: &App, theme: Theme) -> Cookie<'static> {
    kept(app, THEME, theme.name())
}

fn kept(app: &App, name: &'static str, value: &'static str) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.settings().secure_cookies)
        .permanent()
        .build()
}
