//! What the far sides of our questions share: the questions that came, the quota that they are counted against, and what a far
//! side is told to do wrong.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::Now;
use crate::web::{hang_up, pause};

/// How many questions a key may put, in any minute and any day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub per_minute: usize,
    pub per_day: usize,
}

/// What the service does instead of simply answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Says that the quota is used up.
    QuotaUsed { retry_after_s: Option<u32> },
    /// Answers 503, without JSON.
    Unavailable,
    /// Hangs up without a word.
    Dead,
    /// Answers only after this long.
    Slow(Duration),
    /// Answers about something else than what was asked.
    Lies,
    /// Answers with half of its JSON.
    Malformed,
    /// Answers with more than this many bytes.
    Oversized(usize),
    /// A proxy's page in place of the answer, with this status.
    Page(u16),
    /// Sends the asker elsewhere.
    Redirect(String),
}

const KEPT: usize = 100_000;

/// The questions, oldest first, with when they came.
#[derive(Debug)]
pub(crate) struct Questions {
    quota: Option<Quota>,
    now: Now,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    asked: VecDeque<String>,
    /// When, in seconds; only those within a day.
    served_s: VecDeque<i64>,
    fault: Option<(Fault, u32)>,
}

impl Questions {
    pub(crate) fn new(quota: Option<Quota>, now: Now) -> Self {
        Self { quota, now, state: Mutex::default() }
    }

    /// Writes down what was asked.
    pub(crate) fn note(&self, what: String) {
        let mut state = self.lock();
        state.asked.push_back(what);
        if state.asked.len() > KEPT {
            state.asked.pop_front();
        }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.lock().asked.iter().cloned().collect()
    }

    pub(crate) fn set_fault(&self, fault: Fault, times: u32) {
        self.lock().fault = (times > 0).then_some((fault, times));
    }

    pub(crate) fn take_fault(&self) -> Option<Fault> {
        let mut state = self.lock();
        let (fault, left) = state.fault.take()?;
        if left > 1 {
            state.fault = Some((fault.clone(), left - 1));
        }
        Some(fault)
    }

    /// Counts one question; `false` when the quota is used up.
    pub(crate) fn count(&self) -> bool {
        let Some(quota) = self.quota else { return true };
        let now_s = self.now.ask().as_second();
        let mut state = self.lock();
        while state.served_s.front().is_some_and(|at| *at + 24 * 3600 <= now_s) {
            state.served_s.pop_front();
        }
        let within_minute = state.served_s.iter().rev().take_while(|at| **at + 60 > now_s).count();
        let is_within = within_minute < quota.per_minute && state.served_s.len() < quota.per_day;
        if is_within {
            state.served_s.push_back(now_s);
        }
        is_within
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault that is the same whatever the service.
pub(crate) async fn spoil(fault: Fault, good: Response) -> Response {
    match fault {
        Fault::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "upstream is away").into_response(),
        Fault::Dead => hang_up(),
        Fault::Slow(delay) => {
            pause(delay).await;
            good
        }
        Fault::Malformed => json(StatusCode::OK, "{\"data\": {\"id\": \"".to_owned()),
        Fault::Oversized(bytes) => json(StatusCode::OK, format!("{{\"padding\": \"{}\"}}", "x".repeat(bytes))),
        Fault::Page(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, [(header::CONTENT_TYPE, "text/html")], "<html>a proxy's page</html>").into_response()
        }
        Fault::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Fault::QuotaUsed { .. } | Fault::Lies => good,
    }
}

pub(crate) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
