//! Signs of life of the product itself, and what they say when read (REL-10): which loop works, which is late, which never
//! reported. And whether the machine's clock can be believed (REL-14).
//!
//! It alarms nobody: whoever watches from outside reads `Engine::health`, on the page `/healthz` or as metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::incident::Role;
use domain::{TenantId, Timestamp};
use jiff::SignedDuration;
use store::{ClockStep, Heartbeat};

use crate::Engine;

/// A loop without a sign of life for longer is late. An alarm must go out within three minutes (REL-10): the third is for
/// the watcher outside, who looks twice before it wakes anybody.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_secs(120);
/// A sign is written at most this often.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_secs(15);
/// Beyond this a difference between the wall clock and the time that passed is a step.
const STEP: SignedDuration = SignedDuration::from_secs(60);

/// How the loops are that must be at work in this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub loops: Vec<LoopHealth>,
    /// The last one ever.
    pub clock_step: Option<ClockStep>,
}

impl Health {
    pub fn is_good(&self) -> bool {
        self.loops.iter().all(|l| l.state == State::Ok)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopHealth {
    /// `intake/acme`, `actuator`, `notifier`: may name a customer.
    pub name: String,
    /// The name without a customer.
    pub kind: &'static str,
    pub state: State,
    /// Since its last success. `None` when there was none.
    pub age: Option<SignedDuration>,
    /// How often it means to succeed.
    pub every: Option<Duration>,
}

/// From good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    Late,
    /// It never reported.
    Missing,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Missing => "missing",
        }
    }
}

impl Engine {
    /// What the last signs of life say at `now`.
    pub async fn health(&self, now: Timestamp) -> Result<Health, store::Error> {
        let beats = self.store().heartbeats().await?;
        let tenants = self.tenants().filter(|tenant| tenant.connected).map(|tenant| &tenant.id);
        let loops = judge(expected(tenants), beats, now);
        Ok(Health { loops, clock_step: self.store().last_clock_step().await? })
    }

    /// Notes that a step of a loop succeeded, in the store only so often. Failing to is no failure of the loop: it logs, and
    /// the next step tries again.
    pub(crate) async fn beat(&self, name: &str, every: Duration, now: Timestamp) {
        let Some(started_at) = self.inner.pulse.begin(name, now) else { return };
        let beat = Heartbeat { name: name.to_owned(), started_at, at: now, every };
        if let Err(error) = self.store().beat(&beat).await {
            self.inner.pulse.undo(name);
            tracing::warn!(loop.name = name, error = %error, "a heartbeat could not be written");
        }
    }

    /// Keeps a step of the clock between two looks, and says which look to compare the next one with.
    pub(crate) async fn compare(&self, first: TwoClocks, now: TwoClocks) -> TwoClocks {
        let Some(by) = first.step(&now) else { return first };
        tracing::error!(by_s = by.as_secs(), at = %now.wall, "the clock stepped, or the machine slept");
        match self.store().keep_clock_step(ClockStep { at: now.wall, by }).await {
            Ok(()) => now,
            Err(error) => {
                tracing::warn!(error = %error, "a step of the clock could not be kept");
                first
            }
        }
    }
}

/// The name of the loop that polls a customer's console.
pub(crate) fn poller(tenant: &TenantId) -> String {
    format!("{INTAKE}/{tenant}")
}

const INTAKE: &str = "intake";

/// Every loop that must be at work, with its kind.
fn expected<'a>(tenants: impl Iterator<Item = &'a TenantId>) -> Vec<(String, &'static str)> {
    let roles = roles().map(Role::name).map(|name| (name.to_owned(), name));
    tenants.map(|tenant| (poller(tenant), INTAKE)).chain(roles).collect()
}

/// Every role that carries jobs out.
pub fn roles() -> impl Iterator<Item = Role> {
    std::iter::successors(Some(Role::Actuator), |role| next(*role))
}

/// The roles one after the other. A new one does not compile until it has its place here, so none goes unwatched.
fn next(role: Role) -> Option<Role> {
    match role {
        Role::Actuator => Some(Role::Notifier),
        Role::Notifier => Some(Role::Timekeeper),
        Role::Timekeeper => Some(Role::Investigator),
        Role::Investigator => None,
    }
}

/// Signs of loops that are not expected, such as those of a customer who left, say nothing.
fn judge(expected: Vec<(String, &'static str)>, beats: Vec<Heartbeat>, now: Timestamp) -> Vec<LoopHealth> {
    let beats: BTreeMap<String, Heartbeat> = beats.into_iter().map(|beat| (beat.name.clone(), beat)).collect();
    let judged = expected.into_iter().map(|(name, kind)| {
        let beat = beats.get(&name);
        let age = beat.map(|beat| now.duration_since(beat.at));
        let state = match age {
            None => State::Missing,
            // A sign from far in the future proves as little as an old one: some clock is wrong.
            Some(age) if age.abs() > LATE_AFTER => State::Late,
            Some(_) => State::Ok,
        };
        LoopHealth { name, kind, state, age, every: beat.map(|beat| beat.every) }
    });
    judged.collect()
}

/// When each loop of this process last wrote. Several workers of one role share a name, and write as one.
#[derive(Debug, Default)]
pub(crate) struct Pulse(Mutex<HashMap<String, Written>>);

#[derive(Debug)]
struct Written {
    started_at: Timestamp,
    /// `None`: nothing of it stands in the store.
    at: Option<Timestamp>,
}

impl Pulse {
    /// The loop's first success, when it is time to write again; from then on it counts as written.
    fn begin(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = all.entry(name.to_owned()).or_insert(Written { started_at: now, at: None });
        // A clock that was set back must not silence a loop.
        let is_due = written.at.is_none_or(|at| now < at || now.duration_since(at) >= AT_MOST_EVERY);
        is_due.then(|| {
            written.at = Some(now);
            written.started_at
        })
    }

    fn undo(&self, name: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = all.get_mut(name) {
            written.at = None;
        }
    }
}

/// A wall clock seen beside a clock that cannot be set. Small corrections are spread over both and do not show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TwoClocks {
    pub wall: Timestamp,
    /// Since any fixed moment.
    pub passed: Duration,
}

impl TwoClocks {
    /// How far the wall clock was set between two looks, when that is a step. Compared with the first look and not with the
    /// last, so that many small steps are found, too. A machine that slept shows as a step forward.
    pub(crate) fn step(&self, later: &Self) -> Option<SignedDuration> {
        let passed = SignedDuration::try_from(later.passed.saturating_sub(self.passed)).unwrap_or(SignedDuration::MAX);
        let by = later.wall.duration_since(self.wall).saturating_sub(passed);
        (by.abs() > STEP).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn beat(name: &str, second: i64) -> Heartbeat {
        Heartbeat { name: name.into(), started_at: at(0), at: at(second), every: Duration::from_secs(15) }
    }

    fn states(beats: Vec<Heartbeat>, now: Timestamp) -> Vec<(String, State)> {
        let acme = TenantId::new("acme").unwrap();
        judge(expected([&acme].into_iter()), beats, now).into_iter().map(|l| (l.name, l.state)).collect()
    }

    #[test]
    fn a_loop_is_late_after_two_minutes_and_missing_when_it_never_reported_rel_10() {
        let beats = || vec![beat("intake/acme", 0), beat("actuator", 1), beat("intake/gone", -9999)];
        let expected = |intake, actuator| {
            let never = ["notifier", "timekeeper", "investigator"].map(|name| (name, State::Missing));
            let states = [("intake/acme", intake), ("actuator", actuator), never[0], never[1], never[2]];
            states.map(|(name, state)| (name.to_owned(), state)).to_vec()
        };
        assert_eq!(states(beats(), at(120)), expected(State::Ok, State::Ok));
        assert_eq!(states(beats(), at(121)), expected(State::Late, State::Ok));
        assert_eq!(states(beats(), at(181)), expected(State::Late, State::Late));
        // The clock was set back by an hour: what is written says nothing of now.
        assert_eq!(states(beats(), at(-3600)), expected(State::Late, State::Late));
    }

    #[test]
    fn signs_are_written_every_fifteen_seconds_by_all_workers_of_a_role_together() {
        let pulse = Pulse::default();
        assert_eq!(pulse.begin("actuator", at(0)), Some(at(0)));
        assert_eq!(pulse.begin("actuator", at(14)), None);
        assert_eq!(pulse.begin("notifier", at(14)), Some(at(14)), "each name has its own");
        assert_eq!(pulse.begin("actuator", at(15)), Some(at(0)));
        assert_eq!(pulse.begin("actuator", at(16)), None);
        pulse.undo("actuator");
        assert_eq!(pulse.begin("actuator", at(17)), Some(at(0)), "what was not written is tried again");
        assert_eq!(pulse.begin("actuator", at(-3600)), Some(at(0)), "a clock set back silences nobody");
    }

    #[test]
    fn a_wall_clock_that_moves_more_than_a_minute_beyond_what_passed_has_stepped_rel_14() {
        let look = |wall: i64, passed| TwoClocks { wall: at(wall), passed: Duration::from_secs(passed) };
        let start = look(0, 5000);
        for (wall, passed, by) in [
            (10, 5010, None),
            (70, 5010, None),
            (71, 5010, Some(61)),
            (-50, 5010, None),
            (-3590, 5010, Some(-3600)),
            // A long life without a step, and one with a step in it.
            (9_000_000, 9_005_000, None),
            (9_000_061, 9_005_000, Some(61)),
        ] {
            assert_eq!(start.step(&look(wall, passed)), by.map(SignedDuration::from_secs), "{wall} {passed}");
        }
    }

    #[tokio::test]
    async fn what_a_loop_reports_and_a_step_of_the_clock_stand_in_the_store_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = store::Store::open(&format!("sqlite:{}", folder.path().join("y.db").display())).await.unwrap();
        let engine = Engine::new(store, [], domain::calendar::Calendar::japan());
        for second in [0, 10, 20] {
            engine.beat("notifier", Duration::from_secs(2), at(second)).await;
        }
        let beats = engine.store().heartbeats().await.unwrap();
        assert_eq!(beats, [Heartbeat { every: Duration::from_secs(2), ..beat("notifier", 20) }]);

        let mut first = TwoClocks { wall: at(0), passed: Duration::from_secs(5) };
        for (wall, passed) in [(10, 15), (-3580, 25), (-3570, 35), (-3560, 45)] {
            first = engine.compare(first, TwoClocks { wall: at(wall), passed: Duration::from_secs(passed) }).await;
        }
        let health = engine.health(at(-3560)).await.unwrap();
        assert_eq!(health.clock_step, Some(ClockStep { at: at(-3580), by: SignedDuration::from_secs(-3600) }));
        assert!(!health.is_good(), "a heartbeat from an hour ahead proves nothing");
    }
}
