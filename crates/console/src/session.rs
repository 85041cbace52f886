//! Sessions: a random token in a cookie, only its hash in the store. Nothing about the person is in the cookie.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::source::Entropy;
use domain::{PersonId, Timestamp};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use store::Session;

use crate::App;

/// How long a session lasts. A shift is shorter.
pub(crate) const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// A new token of 256 bits, and the hash under which `Store::save_link` keeps it. The token belongs in a sign-in link:
/// `/sign-in/link/TOKEN`.
pub fn link_token(entropy: &dyn Entropy) -> (String, String) {
    let token = URL_SAFE_NO_PAD.encode(entropy.bytes());
    let hash = hash(&token);
    (token, hash)
}

/// What the store knows a token by.
pub(crate) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Opens a session and says which cookie the browser has to keep. Always a new token, so that none can be planted.
pub(crate) async fn open(app: &App, person: &PersonId, now: Timestamp) -> Result<Cookie<'static>, store::Error> {
    let (token, hash) = link_token(app.entropy());
    let expires_at = now.checked_add(LASTS).unwrap_or(Timestamp::MAX);
    app.engine().store().open_session(&hash, person, now, expires_at).await?;
    Ok(cookie(app, token))
}

/// The session that a request belongs to, with the hash of its token.
pub(crate) async fn of(app: &App, headers: &HeaderMap) -> Result<Option<(Session, String)>, store::Error> {
    let jar = CookieJar::from_headers(headers);
    let Some(token) = jar.get(cookie_name(app)) else { return Ok(None) };
    let hash = hash(token.value());
    Ok(app.engine().store().session(&hash, app.now()).await?.map(|session| (session, hash)))
}

/// Tells the browser to forget its session.
pub(crate) fn forget(app: &App) -> Cookie<'static> {
    let mut cookie = cookie(app, String::new());
    cookie.make_removal();
    cookie
}

fn cookie(app: &App, value: String) -> Cookie<'static> {
    Cookie::build((cookie_name(app), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(app.settings().secure_cookies)
        .build()
}

/// `__Host-` binds the cookie to this very host; browsers accept it only over TLS.
fn cookie_name(app: &App) -> &'static str {
    if app.settings().secure_cookies { "__Host-yagura" } else { "yagura" }
}
