//! Budget and breaker of one lane: how fast we may ask, and when we leave a failing far side alone (REL-07).
//!
//! Pure: time is an argument. A clock that steps back cannot shut a lane for longer than its own bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::error::Error;

/// Lanes are named by configuration times a fixed list, so this is never met; beyond it new lanes are refused.
const MOST_LANES: usize = 10_000;
/// After a 429 that does not say how long.
const UNSAID_RETRY_AFTER: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_secs(3600);

/// What shares a budget and a breaker, for instance one token's calls of one family. The name is shown in errors.
#[derive(Debug, Clone)]
pub struct Lane {
    pub(crate) name: Arc<str>,
    pub(crate) rate: Rate,
}

impl Lane {
    pub fn new(name: &str, rate: Rate) -> Self {
        Self { name: name.into(), rate }
    }
}

/// A turn taken ahead of its request. Dropped unused, it is lost: that costs one place in the budget.
#[derive(Debug)]
pub struct Turn {
    pub(crate) lane: Lane,
}

/// So many requests per time, of which `burst` may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    interval_us: i64,
    burst: i64,
}

impl Rate {
    pub const fn per_second(requests: u32) -> Self {
        Self::per(1_000_000, requests)
    }

    pub const fn per_minute(requests: u32) -> Self {
        Self::per(60_000_000, requests)
    }

    pub const fn burst(self, burst: u32) -> Self {
        Self { burst: if burst == 0 { 1 } else { burst as i64 }, ..self }
    }

    const fn per(us: i64, requests: u32) -> Self {
        Self { interval_us: us / if requests == 0 { 1 } else { requests as i64 }, burst: 1 }
    }
}

/// What goes first when a budget runs short. The less urgent leaves a part of the burst to the more urgent: otherwise the
/// reading back of one stopped attack uses up what the next one needs to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Urgency {
    /// May use the whole budget: what stops an attack, and everything in a lane that knows no difference.
    #[default]
    First,
    /// Writes down: leaves a quarter of the burst.
    Records,
    /// Looks: leaves half of the burst, so that whoever has looked can also write what follows from it.
    Looks,
}

impl Urgency {
    /// Requests of a burst that it must leave untouched. Never the whole burst.
    fn leaves(self, burst: i64) -> i64 {
        match self {
            Self::First => 0,
            Self::Records => burst / 4,
            Self::Looks => burst / 2,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct BreakerSettings {
    /// Consecutive failures that open it.
    pub failures: u32,
    /// How long it stays open before one probe may pass.
    pub cool_down: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, cool_down: Duration::from_secs(30) }
    }
}

#[derive(Debug)]
pub(crate) struct Gates {
    settings: BreakerSettings,
    lanes: Mutex<HashMap<Arc<str>, Gate>>,
}

impl Gates {
    pub(crate) fn new(settings: BreakerSettings) -> Self {
        Self { settings, lanes: Mutex::default() }
    }

    pub(crate) fn admit(&self, lane: &Lane, urgency: Urgency, now: Timestamp) -> Result<(), Error> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if !lanes.contains_key(&lane.name) && lanes.len() >= MOST_LANES {
            return Err(Error::Unsendable { why: "too many lanes" });
        }
        let gate = lanes.entry(Arc::clone(&lane.name)).or_default();
        gate.admit(lane.rate, urgency, self.settings, now).map_err(|closed| closed.into_error(&lane.name, now))
    }

    pub(crate) fn settle(&self, lane: &Lane, error: Option<&Error>, now: Timestamp) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(gate) = lanes.get_mut(&lane.name) else { return };
        match error {
            Some(Error::Status { code: 429, retry_after, .. }) => {
                gate.hold(retry_after.unwrap_or(UNSAID_RETRY_AFTER), now);
            }
            Some(error) if error.is_outage() => gate.failed(self.settings, now),
            // Says nothing about how the far side fares.
            Some(Error::Unsendable { .. } | Error::Certificate { .. }) => {}
            // Any other answer shows that it is alive.
            _ => gate.failures = 0,
        }
    }
}

/// Times in microseconds since 1970; zero means never.
#[derive(Debug, Default)]
struct Gate {
    /// When the next request would come if all came evenly spaced (the generic cell rate algorithm).
    next_us: i64,
    held_until_us: i64,
    failures: u32,
    rests_until_us: i64,
}

#[derive(Debug, PartialEq, Eq)]
enum Closed {
    Budget(i64),
    Resting(i64),
}

impl Gate {
    fn admit(&mut self, rate: Rate, urgency: Urgency, breaker: BreakerSettings, now: Timestamp) -> Result<(), Closed> {
        let now_us = now.as_microsecond();
        self.forget_the_future(rate, breaker, now_us);
        if self.failures >= breaker.failures && now_us < self.rests_until_us {
            return Err(Closed::Resting(self.rests_until_us));
        }
        let usable = rate.burst - urgency.leaves(rate.burst);
        let earliest = (self.next_us - (usable - 1) * rate.interval_us).max(self.held_until_us);
        if now_us < earliest {
            return Err(Closed::Budget(earliest));
        }
        self.next_us = self.next_us.max(now_us) + rate.interval_us;
        if self.failures >= breaker.failures {
            // Half open: this one is the probe. The next may pass after another cool-down, even if this one never ends.
            self.rests_until_us = now_us + micros(breaker.cool_down);
        }
        Ok(())
    }

    /// What a clock set back would otherwise leave shut for hours.
    fn forget_the_future(&mut self, rate: Rate, breaker: BreakerSettings, now_us: i64) {
        self.next_us = self.next_us.min(now_us + rate.burst * rate.interval_us);
        self.held_until_us = self.held_until_us.min(now_us + micros(LONGEST_HOLD));
        self.rests_until_us = self.rests_until_us.min(now_us + micros(breaker.cool_down));
    }

    fn hold(&mut self, wait: Duration, now: Timestamp) {
        self.held_until_us = self.held_until_us.max(now.as_microsecond() + micros(wait.min(LONGEST_HOLD)));
    }

    fn failed(&mut self, breaker: BreakerSettings, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.rests_until_us = now.as_microsecond() + micros(breaker.cool_down);
    }
}

impl Closed {
    fn into_error(self, lane: &str, now: Timestamp) -> Error {
        let at = |us: i64| Timestamp::from_microsecond(us).unwrap_or(Timestamp::MAX);
        let wait = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        let lane = lane.to_owned();
        match self {
            Self::Budget(us) => Error::Budget { lane, ready_at: at(us), wait: wait(at(us)) },
            Self::Resting(us) => Error::Resting { lane, until: at(us), wait: wait(at(us)) },
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::Urgency::{First, Looks, Records};
    use super::*;

    const BREAKER: BreakerSettings = BreakerSettings { failures: 3, cool_down: Duration::from_secs(30) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    #[test]
    fn a_burst_passes_at_once_and_then_the_pace_holds() {
        let rate = Rate::per_second(10).burst(3);
        let mut gate = Gate::default();
        for _ in 0..3 {
            gate.admit(rate, First, BREAKER, at(0)).unwrap();
        }
        assert_eq!(gate.admit(rate, First, BREAKER, at(0)), Err(Closed::Budget(at(100).as_microsecond())));
        gate.admit(rate, First, BREAKER, at(100)).unwrap();
        assert!(gate.admit(rate, First, BREAKER, at(199)).is_err());
        // After a rest the whole burst is there again, but no more than that.
        let passed = (0..10).filter(|_| gate.admit(rate, First, BREAKER, at(60_000)).is_ok()).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn in_any_window_no_more_pass_than_the_rate_and_the_burst() {
        let rate = Rate::per_second(10).burst(5);
        let mut gate = Gate::default();
        let passed = (0..10_000).filter(|ms| gate.admit(rate, First, BREAKER, at(*ms)).is_ok()).count();
        assert!((100..=105).contains(&passed), "{passed} in ten seconds");
    }

    #[test]
    fn whoever_looks_leaves_room_for_those_who_protect_and_still_comes_to_its_turn() {
        let rate = Rate::per_second(10).burst(8);
        let passed = |gate: &mut Gate, urgency, ms| {
            (0..100).filter(|_| gate.admit(rate, urgency, BREAKER, at(ms)).is_ok()).count()
        };
        let mut gate = Gate::default();
        assert_eq!([Looks, Records, First].map(|urgency| passed(&mut gate, urgency, 0)), [4, 2, 2]);
        // Nobody protects any more: looking goes on at the whole pace.
        assert_eq!(gate.admit(rate, Looks, BREAKER, at(400)), Err(Closed::Budget(at(500).as_microsecond())));
        gate.admit(rate, Looks, BREAKER, at(500)).unwrap();
        gate.admit(rate, Looks, BREAKER, at(600)).unwrap();
        // A lane without a burst serves everybody.
        let narrow = Rate::per_second(1);
        Gate::default().admit(narrow, Looks, BREAKER, at(0)).unwrap();
    }

    #[test]
    fn a_429_holds_the_lane_as_long_as_it_asks_and_opens_no_breaker() {
        let rate = Rate::per_second(10).burst(10);
        let mut gate = Gate::default();
        gate.hold(Duration::from_secs(7), at(0));
        assert_eq!(gate.admit(rate, First, BREAKER, at(6_999)), Err(Closed::Budget(at(7_000).as_microsecond())));
        gate.admit(rate, First, BREAKER, at(7_000)).unwrap();
    }

    #[test]
    fn the_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let rate = Rate::per_second(100).burst(100);
        let mut gate = Gate::default();
        for _ in 0..3 {
            gate.admit(rate, First, BREAKER, at(0)).unwrap();
            gate.failed(BREAKER, at(0));
        }
        assert_eq!(gate.admit(rate, First, BREAKER, at(29_999)), Err(Closed::Resting(at(30_000).as_microsecond())));
        gate.admit(rate, First, BREAKER, at(30_000)).unwrap();
        // The probe is under way, or was dropped: nobody else passes until another cool-down is over.
        assert!(gate.admit(rate, First, BREAKER, at(30_001)).is_err());
        gate.admit(rate, First, BREAKER, at(60_000)).unwrap();
        gate.failures = 0;
        gate.admit(rate, First, BREAKER, at(60_001)).unwrap();
    }

    #[test]
    fn a_clock_set_back_shuts_nothing_for_long_rel_14() {
        let rate = Rate::per_second(1).burst(2);
        let mut gate = Gate::default();
        for _ in 0..3 {
            gate.failed(BREAKER, at(86_400_000));
        }
        gate.hold(Duration::from_secs(5), at(86_400_000));
        assert_eq!(gate.admit(rate, First, BREAKER, at(0)), Err(Closed::Resting(at(30_000).as_microsecond())));
    }
}
