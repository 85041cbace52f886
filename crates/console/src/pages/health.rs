//! Whether the product itself is alive, for a watcher on another machine (REL-10). Anybody may ask, so it says which kinds of
//! loops work and how long ago, and nothing of customers: neither their names nor how many there are.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use engine::heart::{Health, LoopHealth};
use serde::Serialize;

use crate::App;
use crate::error::Dressed;

#[derive(Debug, Serialize)]
struct Answer {
    /// `ok`, `late`, or `unavailable` when the store cannot be read.
    status: &'static str,
    /// When this was said: an answer out of some cache shows.
    at: String,
    loops: Vec<Kind>,
    /// The last time that the clock was set by more than a minute (REL-14).
    clock_step: Option<String>,
}

/// The loops of one kind, as bad as the worst of them.
#[derive(Debug, Serialize)]
struct Kind {
    kind: &'static str,
    state: &'static str,
    age_s: Option<i64>,
}

pub(crate) async fn page(State(app): State<App>) -> Response {
    let now = app.now();
    let (status, answer) = match app.engine().health(now).await {
        Ok(health) if health.is_good() => (StatusCode::OK, answer("ok", &health, now)),
        Ok(health) => (StatusCode::SERVICE_UNAVAILABLE, answer("late", &health, now)),
        Err(error) => {
            tracing::error!(error = %error, "the heartbeats could not be read");
            let nothing = Health { loops: Vec::new(), clock_step: None };
            (StatusCode::SERVICE_UNAVAILABLE, answer("unavailable", &nothing, now))
        }
    };
    match serde_json::to_string(&answer) {
        Ok(body) => {
            let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
            response.extensions_mut().insert(Dressed);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn answer(status: &'static str, health: &Health, now: Timestamp) -> Answer {
    let mut worst: Vec<&LoopHealth> = Vec::new();
    for one in &health.loops {
        match worst.iter_mut().find(|other| other.kind == one.kind) {
            Some(other) if (one.state, one.age) > (other.state, other.age) => *other = one,
            Some(_) => {}
            None => worst.push(one),
        }
    }
    let kinds = worst.into_iter().map(|one| Kind {
        kind: one.kind,
        state: one.state.name(),
        age_s: one.age.map(|age| age.as_secs()),
    });
    let step = health.clock_step.map(|step| format!("clock stepped by {} s at {}", step.by.as_secs(), second(step.at)));
    Answer { status, at: second(now), loops: kinds.collect(), clock_step: step }
}

fn second(at: Timestamp) -> String {
    format!("{at:.0}")
}
