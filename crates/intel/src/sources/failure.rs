//! What the door reports, as the gap that it leaves in the evidence. Nothing of the request is in it, so no key can be (SEC-11).

use std::time::Duration;

use domain::Untrusted;
use domain::ioc::{Gap, Why};
use outbound::Error;

/// A gap that a source's own reading found.
pub(crate) fn gap(why: Why, detail: &str) -> Gap {
    Gap { why, detail: Some(Untrusted::new(detail)), retry_after_s: None }
}

/// Sorts what the door reports. `code` is the source's own word for its refusal, if it gave one.
pub(crate) fn sort(error: &Error, code: Option<&str>) -> Gap {
    let why = match error {
        Error::Budget { .. } => Why::BudgetUsed,
        Error::Resting { .. } => Why::Resting,
        Error::Connect { .. } | Error::Certificate { .. } => Why::Dead,
        Error::TimedOut { .. } => Why::Slow,
        Error::Lost { .. } | Error::CutShort { .. } => Why::Failing,
        Error::TooLarge { .. } => Why::TooLarge,
        Error::NotAllowed { .. } | Error::Unsendable { .. } => Why::Rejected,
        Error::Status { code, .. } => match code {
            401 | 403 => Why::KeyRefused,
            429 => Why::QuotaUsed,
            408 | 425 | 500.. => Why::Failing,
            _ => Why::Rejected,
        },
    };
    let detail = match code {
        Some(code) => format!("{error} ({code})"),
        None => error.to_string(),
    };
    let retry_after_s = error.retry_after().map(round_up);
    Gap { why, detail: Some(Untrusted::new(&detail)), retry_after_s }
}

/// A wait told in seconds is never told too short.
fn round_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
