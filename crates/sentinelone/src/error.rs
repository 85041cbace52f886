//! What the console, or the way to it, answered instead of what was asked.

use std::time::Duration;

use domain::Untrusted;

use crate::act::PassedOver;
use crate::row::Row;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Expired, revoked or mistyped: the console says nothing more. A person must renew it (SEC-12).
    #[error("the console refused the token")]
    TokenRefused { code: Option<u64> },
    #[error("the token may not do this, or not here")]
    Scope { code: Option<u64> },
    #[error("the console does not know what was asked for")]
    NotFound,
    #[error("the console no longer has what was asked for")]
    Gone,
    #[error("the console is busy with a request that excludes this one")]
    Conflict,
    #[error("the console did not accept the request ({status}, code {})", code.map_or("none".into(), |c| c.to_string()))]
    Rejected { status: u16, code: Option<u64>, detail: Option<Untrusted> },
    /// The place in a list is no longer valid: begin again from the checkpoint.
    #[error("the console no longer accepts the place in its list")]
    CursorRefused,
    /// Begin again from the checkpoint.
    #[error("the console's list leads back to a page already read, after {pages} pages")]
    CursorLoops { pages: usize },
    /// Answered with success, and yet nothing was done.
    #[error("the console did nothing: {}", why_nothing(.passed_over))]
    NothingAffected { passed_over: Vec<PassedOver> },
    /// The filter was not understood as meant. A person must look at once.
    #[error("the console acted on {affected} objects when {asked} were named")]
    TooManyAffected { asked: usize, affected: u64 },
    #[error("the console's answer was not understood: {what}")]
    Malformed { what: String, in_doubt: bool },
    #[error("the request could not be built: {0}")]
    Unsendable(&'static str),
    #[error(transparent)]
    Outbound(outbound::Error),
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::CursorRefused | Self::CursorLoops { .. } | Self::Conflict => true,
            // A proxy's page in place of JSON, or an answer of an old release during an upgrade.
            Self::Malformed { .. } => true,
            Self::Outbound(error) => error.is_transient(),
            _ => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Outbound(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Whether an act may have taken effect all the same: read back before sending it again (REL-06).
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::TooManyAffected { .. } => true,
            Self::Malformed { in_doubt, .. } => *in_doubt,
            Self::Outbound(error) => error.may_have_happened(),
            _ => false,
        }
    }

    /// Whether the console did nothing because it was already so.
    pub fn was_already_so(&self) -> bool {
        match self {
            Self::NothingAffected { passed_over } => {
                !passed_over.is_empty() && passed_over.iter().all(|p| p.why == crate::act::Why::AlreadySo)
            }
            _ => false,
        }
    }
}

/// Sorts what the door reports. `on_cursor`: a 400 then means that the place in the list is gone.
pub(crate) fn sort(error: outbound::Error, on_cursor: bool) -> Error {
    let outbound::Error::Status { code: status, excerpt, .. } = &error else { return Error::Outbound(error) };
    // Errors of a gateway, and all of 429 and 5xx, need not be JSON.
    let body: serde_json::Value = serde_json::from_str(excerpt.for_matching()).unwrap_or_default();
    let first = body.get("errors").and_then(|errors| errors.get(0)).cloned().unwrap_or_default();
    let row = Row(&first);
    let code = row.number("code");
    match status {
        400 if on_cursor => Error::CursorRefused,
        401 => Error::TokenRefused { code },
        403 => Error::Scope { code },
        404 => Error::NotFound,
        409 => Error::Conflict,
        410 => Error::Gone,
        408 | 425 | 429 | 500.. => Error::Outbound(error),
        _ => Error::Rejected { status: *status, code, detail: row.first_untrusted(&["detail", "title"]) },
    }
}

fn why_nothing(passed_over: &[PassedOver]) -> String {
    match passed_over {
        [] => "it gives no reason".into(),
        [one] => one.why.to_string(),
        [first, rest @ ..] => format!("{} (and {} more)", first.why, rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, body: &str) -> outbound::Error {
        outbound::Error::Status { code, retry_after: None, excerpt: Untrusted::new(body), in_doubt: code >= 500 }
    }

    #[test]
    fn each_refusal_says_who_must_act() {
        let refused = r#"{"errors":[{"code":4010010,"title":"Authentication Failed","detail":null}]}"#;
        assert!(matches!(sort(status(401, refused), false), Error::TokenRefused { code: Some(4_010_010) }));
        assert!(matches!(sort(status(403, "<html>blocked</html>"), false), Error::Scope { code: None }));
        assert!(matches!(sort(status(410, ""), false), Error::Gone));
        assert!(matches!(sort(status(400, "{}"), true), Error::CursorRefused));
        let rejected =
            sort(status(400, r#"{"errors":[{"code":4000010,"title":"t","detail":"limit: too big"}]}"#), false);
        assert_eq!(rejected.to_string(), "the console did not accept the request (400, code 4000010)");
        assert!(!rejected.is_transient() && !rejected.may_have_happened());
    }

    #[test]
    fn busy_and_broken_consoles_need_not_speak_json() {
        for code in [429, 500, 502, 503, 504] {
            let error = sort(status(code, "<html>"), false);
            assert!(error.is_transient(), "{code}");
            assert_eq!(error.may_have_happened(), code >= 500, "{code}");
        }
    }
}
