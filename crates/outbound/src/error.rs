//! What went wrong, in the terms a caller acts on.

use std::time::Duration;

use domain::Untrusted;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::far_side::Answer;
use crate::request::{Safety, find_header};

/// Longest part of a refusing answer that is kept.
pub(crate) const EXCERPT_BYTES: usize = 4096;
/// A far side may ask us to wait; longer than this and we ask again anyway.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{origin}` is not on the allow-list")]
    NotAllowed { origin: String },
    #[error("the request cannot be sent: {why}")]
    Unsendable { why: &'static str },
    #[error("the budget of `{lane}` is used up until {ready_at}")]
    Budget { lane: String, ready_at: Timestamp, wait: Duration },
    #[error("`{lane}` failed repeatedly and rests until {until}")]
    Resting { lane: String, until: Timestamp, wait: Duration },
    #[error("no connection to `{origin}`")]
    Connect { origin: String, source: Source },
    #[error("the certificate of `{origin}` is not accepted")]
    Certificate { origin: String, source: Source },
    #[error("no answer within {} ms", .after.as_millis())]
    TimedOut { after: Duration, in_doubt: bool },
    #[error("the connection broke before the answer")]
    Lost { source: Source, in_doubt: bool },
    #[error("the answer was cut short after {read} bytes")]
    CutShort { read: usize, source: Source, in_doubt: bool },
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize, in_doubt: bool },
    #[error("the answer was {code}")]
    Status { code: u16, retry_after: Option<Duration>, excerpt: Untrusted, in_doubt: bool },
}

impl Error {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Budget { .. } | Self::Resting { .. } | Self::Connect { .. } => true,
            Self::TimedOut { .. } | Self::Lost { .. } | Self::CutShort { .. } => true,
            Self::Status { code, .. } => matches!(code, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::NotAllowed { .. } | Self::Unsendable { .. } | Self::Certificate { .. } | Self::TooLarge { .. } => {
                false
            }
        }
    }

    /// How long to wait before the next try, when the far side or our own budget says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Budget { wait, .. } | Self::Resting { wait, .. } => Some(*wait),
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether a once-only request may have taken effect although no good answer came: look before sending again (REL-06).
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::TimedOut { in_doubt, .. }
            | Self::Lost { in_doubt, .. }
            | Self::CutShort { in_doubt, .. }
            | Self::TooLarge { in_doubt, .. }
            | Self::Status { in_doubt, .. } => *in_doubt,
            _ => false,
        }
    }

    /// Whether it counts towards opening the breaker: the far side is in trouble, not our request and not our pace.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Budget { .. } | Self::Resting { .. } => false,
            Self::Status { code: 429, .. } => false,
            other => other.is_transient(),
        }
    }

    pub(crate) fn of_status(answer: &Answer, safety: Safety, now: Timestamp) -> Self {
        let retry_after = find_header(&answer.headers, "retry-after").and_then(|text| parse_retry_after(text, now));
        let cut = &answer.body[..answer.body.len().min(EXCERPT_BYTES)];
        Self::Status {
            code: answer.status,
            retry_after,
            excerpt: Untrusted::new(&String::from_utf8_lossy(cut)),
            in_doubt: safety.is_once_only() && answer.status >= 500,
        }
    }
}

/// Seconds, or a date as old proxies write it. Bounded; a date in the past means now.
fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date_and_bounded() {
        let now: Timestamp = "2026-09-18T08:30:00Z".parse().unwrap();
        let read = |text| parse_retry_after(text, now).map(|d| d.as_secs());
        assert_eq!(read(" 7 "), Some(7));
        assert_eq!(read("Fri, 18 Sep 2026 08:30:20 GMT"), Some(20));
        assert_eq!(read("Fri, 18 Sep 2026 08:00:00 GMT"), Some(0));
        assert_eq!(read("99999999"), Some(3600));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }

    #[test]
    fn only_a_server_error_leaves_a_once_only_request_in_doubt() {
        let now = Timestamp::UNIX_EPOCH;
        let doubt = |status, safety| {
            let answer = Answer { status, headers: vec![], body: vec![] };
            Error::of_status(&answer, safety, now).may_have_happened()
        };
        assert!(doubt(500, Safety::OnceOnly) && doubt(504, Safety::OnceOnly));
        assert!(!doubt(400, Safety::OnceOnly) && !doubt(429, Safety::OnceOnly));
        assert!(!doubt(500, Safety::Repeatable));
    }
}
