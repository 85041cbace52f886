//! The outermost loops: the only place of the engine that asks for the time and waits. Everything they call is a step that
//! may run twice.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::source::TimeSource;
use tokio::sync::watch;

use crate::heart::{self, TwoClocks};
use crate::{Engine, Poller, Worker};

/// Without a nudge, waiting jobs are looked for this often.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Pause after a step that failed as a whole, for instance because the database is away.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How often the two clocks are compared.
const CLOCKS_EVERY: Duration = Duration::from_secs(10);

/// Polls one console until told to stop. A failed poll is logged and tried again: the checkpoint has not moved.
pub async fn poll(
    engine: Engine,
    poller: Poller,
    every: Duration,
    time: Arc<dyn TimeSource>,
    mut stop: watch::Receiver<bool>,
) {
    let name = heart::poller(poller.tenant());
    while !*stop.borrow() {
        let step = poller.step(&engine, time.now()).await;
        if step.is_ok() {
            engine.beat(&name, every, time.now()).await;
        }
        let pause = match step {
            Ok(report) if report.more => Duration::ZERO,
            Ok(_) => every,
            Err(error) => {
                tracing::warn!(tenant.id = %poller.tenant(), error = format!("{error:#}"), "a poll failed");
                every.max(AFTER_FAILURE)
            }
        };
        wait(pause, &mut stop).await;
    }
}

/// Carries jobs of one role out until told to stop.
pub async fn work(engine: Engine, worker: Worker, time: Arc<dyn TimeSource>, mut stop: watch::Receiver<bool>) {
    let mut nudges = engine.nudges();
    while !*stop.borrow() {
        let step = worker.step(&engine, time.now()).await;
        if step.is_ok() {
            engine.beat(worker.role().name(), LONGEST_WAIT, time.now()).await;
        }
        let pause = match step {
            Ok(report) if report.claimed > 0 => continue,
            Ok(report) => until(report.next_at, time.now()),
            Err(error) => {
                tracing::error!(role = worker.role().name(), error = format!("{error:#}"), "a work step failed");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = wait(pause, &mut stop) => {}
            // A missed nudge only means that there is work.
            _ = nudges.recv() => {}
        }
    }
}

/// Compares the wall clock, which service levels are counted on, with one that cannot be set, until told to stop. A step is
/// an error in the log and a fact in the store (REL-14).
pub async fn clock(engine: Engine, time: Arc<dyn TimeSource>, mut stop: watch::Receiver<bool>) {
    let look = || TwoClocks { wall: time.now(), passed: monotonic() };
    let mut first = look();
    while !*stop.borrow() {
        first = engine.compare(first, look()).await;
        wait(CLOCKS_EVERY, &mut stop).await;
    }
}

/// Time that passed since the first time this was asked.
#[expect(
    clippy::disallowed_methods,
    reason = "the outermost loop compares the clock that can be set with the one that cannot"
)]
fn monotonic() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

fn until(next: Option<Timestamp>, now: Timestamp) -> Duration {
    next.map_or(LONGEST_WAIT, |at| at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
        .clamp(Duration::from_millis(50), LONGEST_WAIT)
}

#[expect(clippy::disallowed_methods, reason = "the outermost loop is the one that waits")]
async fn wait(pause: Duration, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        // A closed channel means that the program is ending, too.
        _ = stop.changed() => {}
    }
}
