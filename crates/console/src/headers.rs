//! What every answer carries, and what every request must satisfy before anything else looks at it.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::csrf::CsrfLayer;

use crate::StartError;

/// Nothing runs, loads or is framed but what we serve ourselves: no inline script, no inline style (SEC-30).
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Largest form. The longest text that an analyst may enter is 4 KiB, percent-encoded three times that.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Refuses what a browser sends on behalf of another site.
pub(crate) fn csrf(public_origin: &str) -> Result<CsrfLayer, StartError> {
    CsrfLayer::new()
        .add_trusted_origin(public_origin)
        .map_err(|_| StartError::BadOrigin(public_origin.chars().take(200).collect()))
}

/// Adds the headers that hold for every answer. Files of ours bring their own caching rule.
pub(crate) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
