//! One source's quota, shared fairly between tenants. Pure: time is an argument.
//!
//! Two windows slide over the questions asked, a minute and a day; neither ever holds more than the quota.
//! *The day*: half of it is set aside in equal shares, one for each tenant, which no other can use; the other half is whoever's
//! comes first, and its last quarter P0's. *The minute*: a place goes to who has waited longest, where P0 counts as having waited
//! a minute longer, and a tenant waits once however much it asks. A place is kept for a minute after the time that was told.
//! So a storm at one tenant costs another a wait of at most minutes, and never its share of the day.
//! The count is this process's alone, and a restart forgets it: then the source itself says that the quota is used up.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::{Priority, TenantId};
use jiff::Timestamp;

/// What the source grants one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub per_minute: u32,
    pub per_day: u32,
}

const MINUTE_S: i64 = 60;
const DAY_S: i64 = 24 * 3600;
/// How finely a window remembers. A question is counted until its whole grain is out of the window, so never too short.
const GRAINS_IN_MINUTE_S: i64 = 1;
const GRAINS_IN_DAY_S: i64 = 15 * 60;
/// How much longer than the others P0 counts as having waited.
const HEAD_START_S: i64 = 60;
/// After a 429 that does not say how long; doubled with each further one.
const FIRST_HOLD_S: i64 = 60;
const LONGEST_HOLD_S: i64 = 3600;

#[derive(Debug)]
pub(crate) struct Budget {
    quota: Quota,
    /// What each tenant has of the day for itself.
    share: u32,
    /// What is left of the day for all.
    common: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    minute: Window,
    day: Window,
    /// Who was refused a place in the minute: one each for what is urgent and what is not.
    waiting: HashMap<(TenantId, bool), Waiting>,
    held_until_s: i64,
    holds_in_a_row: u32,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    since_s: i64,
    kept_until_s: i64,
}

/// Permission for one question. Give it back if the question was never sent.
#[derive(Debug)]
pub(crate) struct Turn {
    tenant: TenantId,
    at_s: i64,
}

/// The quota is used up, or this tenant's part of it; asking again makes sense in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) seconds: u64,
    pub(crate) what: &'static str,
}

impl Budget {
    /// `tenants` is how many there are to share with.
    pub(crate) fn new(quota: Quota, tenants: usize) -> Self {
        let tenants = u32::try_from(tenants).unwrap_or(u32::MAX).max(1);
        let share = quota.per_day / 2 / tenants;
        let state = State {
            minute: Window::new(MINUTE_S, GRAINS_IN_MINUTE_S),
            day: Window::new(DAY_S, GRAINS_IN_DAY_S),
            waiting: HashMap::new(),
            held_until_s: i64::MIN,
            holds_in_a_row: 0,
        };
        Self { quota, share, common: quota.per_day - share * tenants, state: Mutex::new(state) }
    }

    pub(crate) fn admit(&self, tenant: &TenantId, priority: Priority, now: Timestamp) -> Result<Turn, Wait> {
        let now_s = now.as_second();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.pass_to(now_s);
        if now_s < state.held_until_s {
            return Err(Wait::until(state.held_until_s, now_s, "the source asked us to wait"));
        }
        if !self.day_has_room(&state.day, tenant, priority) {
            return Err(Wait::until(state.day.next_free_s(now_s), now_s, "the day's quota is used up"));
        }
        let me = (tenant.clone(), priority == Priority::P0);
        if !state.minute_has_room(self.quota.per_minute, &me, now_s) {
            let free_s = state.minute.next_free_s(now_s);
            let waiting = state.waiting.entry(me).or_insert(Waiting { since_s: now_s, kept_until_s: now_s });
            waiting.kept_until_s = free_s + MINUTE_S;
            return Err(Wait::until(free_s, now_s, "the minute's quota is used up, or others wait for it"));
        }
        state.waiting.remove(&me);
        state.minute.add(tenant, now_s);
        state.day.add(tenant, now_s);
        Ok(Turn { tenant: tenant.clone(), at_s: now_s })
    }

    pub(crate) fn give_back(&self, turn: &Turn) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.minute.take_back(&turn.tenant, turn.at_s);
        state.day.take_back(&turn.tenant, turn.at_s);
    }

    /// The source itself says that the quota is used up.
    pub(crate) fn refused(&self, retry_after: Option<Duration>, now: Timestamp) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let doubled = FIRST_HOLD_S << state.holds_in_a_row.min(6);
        let asked = retry_after.and_then(|wait| i64::try_from(wait.as_secs()).ok()).unwrap_or(0);
        let hold_s = asked.max(doubled).min(LONGEST_HOLD_S);
        state.holds_in_a_row = state.holds_in_a_row.saturating_add(1);
        state.held_until_s = state.held_until_s.max(now.as_second() + hold_s);
        hold_s.unsigned_abs()
    }

    pub(crate) fn served(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).holds_in_a_row = 0;
    }

    /// A tenant within its share always finds room: the others together can use no more than their shares and the common part.
    fn day_has_room(&self, day: &Window, tenant: &TenantId, priority: Priority) -> bool {
        if day.total() >= self.quota.per_day {
            return false;
        }
        let common = if priority == Priority::P0 { self.common } else { self.common - self.common / 4 };
        day.of(tenant) < self.share || day.beyond(self.share) < common
    }
}

impl State {
    /// Forgets what is out of the windows. A clock set back keeps nothing shut for longer than the bounds.
    fn pass_to(&mut self, now_s: i64) {
        self.minute.pass_to(now_s);
        self.day.pass_to(now_s);
        self.waiting.retain(|_, w| now_s < w.kept_until_s && w.kept_until_s <= now_s + 3 * MINUTE_S);
        self.held_until_s = self.held_until_s.min(now_s + LONGEST_HOLD_S);
    }

    /// Each free place is for one of those who wait, in their order.
    fn minute_has_room(&self, quota: u32, me: &(TenantId, bool), now_s: i64) -> bool {
        let free = usize::try_from(quota.saturating_sub(self.minute.total())).unwrap_or(usize::MAX);
        let place = |is_urgent: bool, since_s: i64| if is_urgent { since_s - HEAD_START_S } else { since_s };
        let mine = place(me.1, self.waiting.get(me).map_or(now_s, |waiting| waiting.since_s));
        let before_me =
            self.waiting.iter().filter(|(who, waiting)| *who != me && place(who.1, waiting.since_s) < mine).count();
        before_me < free
    }
}

impl Wait {
    fn until(at_s: i64, now_s: i64, what: &'static str) -> Self {
        Self { seconds: at_s.saturating_sub(now_s).max(1).unsigned_abs(), what }
    }
}

/// Questions by grain of time and tenant, as far back as the window reaches.
#[derive(Debug)]
struct Window {
    span_s: i64,
    grain_s: i64,
    asked: BTreeMap<i64, HashMap<TenantId, u32>>,
}

impl Window {
    fn new(span_s: i64, grain_s: i64) -> Self {
        Self { span_s, grain_s, asked: BTreeMap::new() }
    }

    fn grain(&self, at_s: i64) -> i64 {
        at_s.div_euclid(self.grain_s)
    }

    fn pass_to(&mut self, now_s: i64) {
        let here = self.grain(now_s);
        let oldest = here - self.span_s / self.grain_s;
        self.asked.retain(|grain, _| *grain >= oldest);
        // The clock was set back: what was asked is asked, but not later than now.
        while let Some(entry) = self.asked.last_entry().filter(|entry| *entry.key() > here) {
            let ahead = entry.remove();
            let now = self.asked.entry(here).or_default();
            for (tenant, count) in ahead {
                *now.entry(tenant).or_default() += count;
            }
        }
    }

    fn add(&mut self, tenant: &TenantId, at_s: i64) {
        *self.asked.entry(self.grain(at_s)).or_default().entry(tenant.clone()).or_default() += 1;
    }

    fn take_back(&mut self, tenant: &TenantId, at_s: i64) {
        if let Some(count) = self.asked.get_mut(&self.grain(at_s)).and_then(|grain| grain.get_mut(tenant)) {
            *count = count.saturating_sub(1);
        }
    }

    fn total(&self) -> u32 {
        self.asked.values().flat_map(HashMap::values).sum()
    }

    fn of(&self, tenant: &TenantId) -> u32 {
        self.asked.values().filter_map(|grain| grain.get(tenant)).sum()
    }

    /// What tenants have had above `share`, all together.
    fn beyond(&self, share: u32) -> u32 {
        let mut had: HashMap<&TenantId, u32> = HashMap::new();
        for (tenant, count) in self.asked.values().flatten() {
            *had.entry(tenant).or_default() += count;
        }
        had.values().map(|count| count.saturating_sub(share)).sum()
    }

    /// When the oldest question leaves the window.
    fn next_free_s(&self, now_s: i64) -> i64 {
        let oldest = self.asked.iter().find(|(_, tenants)| tenants.values().any(|count| *count > 0));
        oldest.map_or(now_s + self.grain_s, |(grain, _)| (grain + 1) * self.grain_s + self.span_s)
    }
}

#[cfg(test)]
mod tests {
    use Priority::{P0, P3};

    use super::*;

    fn tenant(n: usize) -> TenantId {
        format!("tenant-{n}").parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// How many of `tries` at one instant pass.
    fn passes(budget: &Budget, who: &TenantId, priority: Priority, tries: u32, second: i64) -> u32 {
        (0..tries).map(|_| u32::from(budget.admit(who, priority, at(second)).is_ok())).sum()
    }

    #[test]
    fn no_minute_and_no_day_ever_holds_more_than_the_quota() {
        let budget = Budget::new(Quota { per_minute: 4, per_day: 500 }, 3);
        let mut sent = Vec::new();
        for second in 0..2 * DAY_S {
            let who = tenant(usize::try_from(second % 3).unwrap());
            if budget.admit(&who, P0, at(second)).is_ok() {
                sent.push(second);
            }
        }
        for (n, start) in sent.iter().enumerate() {
            let within = |span: i64| sent[n..].iter().take_while(|s| **s < start + span).count();
            assert!(within(MINUTE_S) <= 4 && within(DAY_S) <= 500, "from {start}");
        }
        // And it is used: a day's quota goes within the first hours of each day.
        assert!(sent.len() >= 1000, "{}", sent.len());
    }

    #[test]
    fn one_tenant_alone_has_the_whole_minute_and_more_than_half_of_the_day() {
        let budget = Budget::new(Quota { per_minute: 4, per_day: 500 }, 10);
        assert_eq!(passes(&budget, &tenant(0), P3, 9, 0), 4);
        let budget = Budget::new(Quota { per_minute: 1000, per_day: 500 }, 10);
        // Its share of 25, and three quarters of the common 250.
        assert_eq!(passes(&budget, &tenant(0), P3, 1000, 0), 213);
        assert_eq!(passes(&budget, &tenant(0), P0, 1000, 0), 62, "the last quarter is for P0");
    }

    #[test]
    fn whatever_others_do_each_tenant_has_its_share_of_the_day() {
        let budget = Budget::new(Quota { per_minute: 1000, per_day: 500 }, 10);
        for n in 0..9 {
            passes(&budget, &tenant(n), P0, 1000, 0);
        }
        assert_eq!(passes(&budget, &tenant(9), P3, 1000, MINUTE_S + 1), 25);
    }

    #[test]
    fn a_storm_at_one_tenant_keeps_another_waiting_for_minutes_at_most() {
        for (per_minute, period, second_priority) in [(4, 7, P3), (4, 60, P3), (1, 5, P3), (100, 3, P3)] {
            let budget = Budget::new(Quota { per_minute, per_day: 1_000_000 }, 2);
            let (storm, calm) = (tenant(0), tenant(1));
            let (mut asks_at, mut first_refusal, mut served) = (30, None, 0);
            for second in 0..3600 {
                // P0 questions all the time, always just before the other comes.
                passes(&budget, &storm, P0, 20, second);
                if second != asks_at {
                    continue;
                }
                match budget.admit(&calm, second_priority, at(second)) {
                    Ok(_) => {
                        let waited = second - first_refusal.take().unwrap_or(second);
                        assert!(waited <= 3 * MINUTE_S, "{waited} s with {per_minute} a minute");
                        served += 1;
                        asks_at = second + period;
                    }
                    Err(wait) => {
                        first_refusal.get_or_insert(second);
                        asks_at = second + i64::try_from(wait.seconds).unwrap();
                    }
                }
            }
            assert!(served >= 3600 / (3 * MINUTE_S + period), "{served} with {per_minute} a minute");
        }
    }

    #[test]
    fn among_equals_the_more_urgent_goes_first() {
        let budget = Budget::new(Quota { per_minute: 1, per_day: 500 }, 3);
        let [first, slow, urgent] = [0, 1, 2].map(tenant);
        assert_eq!(passes(&budget, &first, P3, 1, 0), 1);
        assert_eq!(passes(&budget, &slow, P3, 1, 1) + passes(&budget, &urgent, P0, 1, 2), 0);
        assert_eq!(passes(&budget, &slow, P3, 1, 61), 0, "a P0 waits");
        assert_eq!(passes(&budget, &urgent, P0, 1, 61), 1);
    }

    #[test]
    fn a_place_kept_for_someone_who_does_not_come_goes_to_others() {
        let budget = Budget::new(Quota { per_minute: 2, per_day: 500 }, 2);
        let (first, gone) = (tenant(0), tenant(1));
        assert_eq!(passes(&budget, &first, P3, 1, 0) + passes(&budget, &first, P3, 1, 50), 2);
        assert_eq!(passes(&budget, &gone, P0, 1, 51), 0);
        assert_eq!(passes(&budget, &first, P3, 1, 70), 0, "the place is kept");
        assert_eq!(passes(&budget, &first, P3, 1, 122), 1);
    }

    #[test]
    fn a_source_that_refuses_is_asked_ever_more_seldom_but_at_least_hourly() {
        let budget = Budget::new(Quota { per_minute: 4, per_day: 500 }, 1);
        let holds: Vec<u64> = (0..9).map(|_| budget.refused(None, at(0))).collect();
        assert_eq!(holds, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
        assert_eq!(passes(&budget, &tenant(0), P0, 1, 3599), 0);
        assert_eq!(passes(&budget, &tenant(0), P0, 1, 3600), 1);
        budget.served();
        assert_eq!(budget.refused(Some(Duration::from_secs(90)), at(4000)), 90);
        assert_eq!(budget.refused(Some(Duration::from_secs(u64::MAX)), at(4000)), 120);
    }

    #[test]
    fn a_turn_given_back_is_there_again_and_a_clock_set_back_shuts_nothing_for_long() {
        let budget = Budget::new(Quota { per_minute: 1, per_day: 500 }, 1);
        let turn = budget.admit(&tenant(0), P3, at(DAY_S)).unwrap();
        budget.give_back(&turn);
        assert_eq!(passes(&budget, &tenant(0), P3, 2, DAY_S), 1);
        budget.refused(None, at(DAY_S));
        let wait = budget.admit(&tenant(0), P3, at(0)).unwrap_err();
        assert!(wait.seconds <= 3600, "{wait:?}");
        assert_eq!(passes(&budget, &tenant(0), P3, 1, 3700), 1);
    }
}
