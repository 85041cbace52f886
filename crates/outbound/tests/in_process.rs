//! The in-process form keeps every rule of the door; only the sockets are missing.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use outbound::{Allowed, Answer, Call, Error, FarSide, Lane, Method, Origin, Outbound, Rate, Request, Safety};
use outbound::{Secret, Settings, Unreachable, Urgency};

/// Answers by the last part of the path and counts what reaches it.
#[derive(Debug, Default)]
struct Echo {
    seen: AtomicUsize,
}

impl FarSide for Echo {
    fn answer(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + '_>> {
        self.seen.fetch_add(1, Ordering::Relaxed);
        let answer = match call.url.rsplit('/').next().unwrap() {
            "silent" => Err(Unreachable::NoAnswer),
            "broken" => Err(Unreachable::Broken),
            "gone" => Ok(Answer { status: 410, headers: vec![], body: b"gone".to_vec() }),
            _ => {
                let token = call.headers.iter().find(|(n, _)| n == "authorization").map_or("", |(_, v)| v);
                Ok(Answer { status: 200, headers: vec![], body: format!("{} {token}", call.method).into_bytes() })
            }
        };
        Box::pin(async { answer })
    }
}

fn door() -> (Outbound, Arc<Echo>, Origin) {
    let origin: Origin = "https://console.example".parse().unwrap();
    let echo = Arc::new(Echo::default());
    let settings = Settings::new(vec![Allowed::public(origin.clone())]);
    (Outbound::in_process(&settings, Arc::clone(&echo) as _), echo, origin)
}

fn post(origin: &Origin, path: &str) -> Request {
    let lane = Lane::new("test", Rate::per_second(1).burst(2));
    Request::new(Method::Post, origin.url(path).unwrap(), Safety::OnceOnly, lane)
}

#[tokio::test]
async fn the_far_side_sees_what_would_be_on_the_wire() {
    let (door, _, origin) = door();
    let request = post(&origin, "/a").secret_header("authorization", "ApiToken ", &Secret::new("s3"));
    assert_eq!(door.send(request, Timestamp::UNIX_EPOCH).await.unwrap().body, b"POST ApiToken s3");
}

#[tokio::test]
async fn allow_list_and_budget_hold_without_sockets_too() {
    let (door, echo, origin) = door();
    let elsewhere: Origin = "https://elsewhere.example".parse().unwrap();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    assert!(matches!(door.send(post(&elsewhere, "/a"), now).await, Err(Error::NotAllowed { .. })));
    for _ in 0..2 {
        door.send(post(&origin, "/a"), now).await.unwrap();
    }
    assert!(matches!(door.send(post(&origin, "/a"), now).await, Err(Error::Budget { .. })));
    assert_eq!(echo.seen.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_reserved_turn_lets_one_request_out_of_its_own_lane_and_no_other() {
    let (door, _, origin) = door();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let lane = |name| Lane::new(name, Rate::per_second(1).burst(2));
    let turn = door.reserve(lane("test"), Urgency::First, now).unwrap();
    door.send(post(&origin, "/a"), now).await.unwrap();
    // The burst is gone: one was sent and one is reserved.
    assert!(matches!(door.send(post(&origin, "/a"), now).await, Err(Error::Budget { .. })));
    door.send(post(&origin, "/a").on_turn(turn), now).await.unwrap();
    let of_another = door.reserve(lane("another"), Urgency::First, now).unwrap();
    let refused = door.send(post(&origin, "/a").on_turn(of_another), now).await;
    assert!(matches!(refused, Err(Error::Budget { .. })), "{refused:?}");
}

#[tokio::test]
async fn failures_keep_their_classes() {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let (door, _, origin) = door();
    let error = door.send(post(&origin, "/silent"), now).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }) && error.may_have_happened());
    let error = door.send(post(&origin, "/broken"), now).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }) && error.may_have_happened());
    let later = Timestamp::from_second(1_800_000_060).unwrap();
    let error = door.send(post(&origin, "/gone"), later).await.unwrap_err();
    assert!(matches!(error, Error::Status { code: 410, .. }) && !error.is_transient() && !error.may_have_happened());
}
