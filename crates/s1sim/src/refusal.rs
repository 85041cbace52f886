//! Why a call was refused, in the console's own error envelope.

use axum::http::StatusCode;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A parameter or body that does not validate.
    Invalid(String),
    /// No token, an unknown one or an expired one; the console gives no hint which.
    Unauthenticated,
    /// The token may not do this, or not this far up the tree.
    Forbidden(String),
    NotFound(String),
    /// A query that cannot be read.
    Unread(String),
    Conflict(String),
    /// More calls than the token may make; after so many seconds there is room again.
    TooMany(u64),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::Unread(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let (code, title, detail) = match self {
            Self::Invalid(detail) => (4_000_010, "Validation Error", Some(detail)),
            Self::Unauthenticated => (4_010_010, "Authentication Failed", None),
            Self::Forbidden(detail) => (4_030_010, "Insufficient permissions", Some(detail)),
            Self::Unread(detail) => (4_000_040, "Could not parse query", Some(detail)),
            Self::Conflict(detail) => (4_090_010, "Conflict", Some(detail)),
            Self::NotFound(detail) => (4_040_010, "Not found", Some(detail)),
            // Written without JSON: no source records the body of a 429, and nobody may depend on it.
            Self::TooMany(_) => (4_290_010, "Too many requests", None),
        };
        json!({"errors": [{"code": code, "title": title, "detail": detail}]})
    }
}
