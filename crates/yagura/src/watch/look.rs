//! One look at `/healthz` from outside: what the answer, or its absence, says of the service.
//!
//! Only an answer that says so itself, and says it now, is a good one: a page of some proxy is not, nor an old answer out of
//! its cache.

use domain::Timestamp;
use jiff::SignedDuration;
use outbound::{Error, Lane, Outbound, Rate, Request};
use serde::{Deserialize, Serialize};
use url::Url;

/// Far above what the page says, far below what could hurt us.
const MAX_BYTES: usize = 64 * 1024;
/// The whole exchange. Well below the pause between two looks.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
/// How far the answer's time may be from ours.
const MAX_AGE: SignedDuration = SignedDuration::from_secs(120);
/// Longest name of a loop that is shown, and most of them.
const MAX_NAME: usize = 40;
const MAX_LOOPS: usize = 20;

/// What is wrong. Nothing is: then all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    NoConnection,
    Certificate,
    NoAnswerInTime,
    Broken,
    /// An answer that is none of `/healthz`, with its status where it was a refusal.
    NotOurs {
        status: Option<u16>,
    },
    /// The answer was given so many seconds from now.
    NotOfNow {
        by_s: i64,
    },
    /// The service cannot read its store.
    Store,
    Loop {
        kind: String,
        missing: bool,
        age_s: Option<i64>,
    },
}

pub(super) async fn look(door: &Outbound, url: &Url, now: Timestamp) -> Vec<Reason> {
    // Whoever runs this says how often it looks; the lane only keeps a mistake from becoming a flood.
    let lane = Lane::new("healthz", Rate::per_second(1).burst(5));
    let request =
        Request::get(url.clone(), lane).header("accept", "application/json").within(WITHIN).at_most(MAX_BYTES);
    match door.send(request, now).await {
        Ok(reply) => read(&reply.body, None, now),
        Err(Error::Status { code: 503, excerpt, .. }) => read(excerpt.for_matching().as_bytes(), Some(503), now),
        Err(error) => {
            tracing::debug!(error = %error, "no good answer");
            vec![reason(&error)]
        }
    }
}

fn reason(error: &Error) -> Reason {
    match error {
        Error::Certificate { .. } => Reason::Certificate,
        Error::TimedOut { .. } => Reason::NoAnswerInTime,
        Error::Status { code, .. } => Reason::NotOurs { status: Some(*code) },
        Error::TooLarge { .. } => Reason::NotOurs { status: None },
        Error::Lost { .. } | Error::CutShort { .. } => Reason::Broken,
        _ => Reason::NoConnection,
    }
}

/// The page as we read it: what a newer service adds does not disturb.
#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    at: Timestamp,
    #[serde(default)]
    loops: Vec<Loop>,
}

#[derive(Debug, Deserialize)]
struct Loop {
    kind: String,
    state: String,
    #[serde(default)]
    age_s: Option<i64>,
}

fn read(body: &[u8], refused: Option<u16>, now: Timestamp) -> Vec<Reason> {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else { return vec![Reason::NotOurs { status: refused }] };
    let by = now.duration_since(answer.at);
    if by.abs() > MAX_AGE {
        return vec![Reason::NotOfNow { by_s: by.as_secs() }];
    }
    let bad = answer.loops.into_iter().filter(|l| l.state != "ok").take(MAX_LOOPS);
    let mut reasons: Vec<Reason> =
        bad.map(|l| Reason::Loop { kind: harmless(&l.kind), missing: l.state == "missing", age_s: l.age_s }).collect();
    match answer.status.as_str() {
        "ok" if refused.is_none() && reasons.is_empty() => {}
        "unavailable" => reasons.push(Reason::Store),
        // Not well, and it does not say why.
        _ if reasons.is_empty() => reasons.push(Reason::NotOurs { status: refused }),
        _ => {}
    }
    reasons
}

/// A name goes into a mail: nothing in it may be more than a name.
fn harmless(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_/".contains(*c)).take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T01:00:00Z".parse().unwrap()
    }

    #[test]
    fn only_an_answer_that_says_ok_and_says_it_now_is_a_good_one() {
        let good = r#"{"status":"ok","at":"2026-11-24T00:59:58Z","loops":[{"kind":"intake","state":"ok","age_s":3}]}"#;
        assert_eq!(read(good.as_bytes(), None, now()), []);
        let old = good.replace("00:59:58", "00:57:00");
        let ahead = good.replace("00:59:58", "01:30:00");
        let loops = r#"{"status":"late","at":"2026-11-24T01:00:00Z","loops":[{"kind":"intake","state":"late","age_s":140},
                        {"kind":"actuator","state":"ok","age_s":1},{"kind":"noti\r\nfier","state":"missing","age_s":null}]}"#;
        let store = r#"{"status":"unavailable","at":"2026-11-24T01:00:00Z"}"#;
        let silent = r#"{"status":"late","at":"2026-11-24T01:00:00Z"}"#;
        let late = |kind: &str, missing, age_s| Reason::Loop { kind: kind.into(), missing, age_s };
        for (body, refused, expected) in [
            (good, Some(503), vec![Reason::NotOurs { status: Some(503) }]),
            (&old, None, vec![Reason::NotOfNow { by_s: 180 }]),
            (&ahead, None, vec![Reason::NotOfNow { by_s: -1800 }]),
            (loops, Some(503), vec![late("intake", false, Some(140)), late("notifier", true, None)]),
            (store, Some(503), vec![Reason::Store]),
            (silent, Some(503), vec![Reason::NotOurs { status: Some(503) }]),
            ("<h1>Welcome to the hotel</h1>", None, vec![Reason::NotOurs { status: None }]),
        ] {
            assert_eq!(read(body.as_bytes(), refused, now()), expected, "{body}");
        }
    }
}
