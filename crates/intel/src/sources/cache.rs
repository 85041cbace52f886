//! Answers of the last hours, by tenant: what one tenant asked, another cannot learn from how fast it is answered (SEC-03).
//!
//! In memory and bounded per tenant, so that one tenant's storm drives out nothing of another's. What is kept for good is
//! evidence, not this.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::TenantId;
use domain::ioc::{Answer, Ioc, Outcome, Source};
use jiff::Timestamp;

/// How long an answer may stand for a new question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    pub known: Duration,
    /// Shorter: what nobody knows now is often known an hour later.
    pub not_known: Duration,
}

impl Default for Ages {
    fn default() -> Self {
        Self { known: Duration::from_secs(24 * 3600), not_known: Duration::from_secs(3600) }
    }
}

/// Per tenant.
const MOST_ANSWERS: usize = 4096;
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// About what an answer takes beside its raw form.
const OWN_BYTES: usize = 1024;

type Key = (Source, Ioc);

#[derive(Debug, Default)]
pub(crate) struct Cache {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shelves: HashMap<TenantId, Shelf>,
    being_asked: HashSet<(TenantId, Key)>,
}

#[derive(Debug, Default)]
struct Shelf {
    answers: HashMap<Key, Answer>,
    bytes: usize,
}

/// The right to ask; while it lives nobody else asks the same for this tenant.
#[derive(Debug)]
pub(crate) struct Asking {
    cache: Arc<Cache>,
    tenant: TenantId,
    key: Key,
}

#[derive(Debug)]
pub(crate) enum Found {
    Remembered(Answer),
    /// Somebody asks at this moment.
    BeingAsked,
    Nothing(Asking),
}

impl Cache {
    pub(crate) fn find(
        self: &Arc<Self>,
        tenant: &TenantId,
        source: Source,
        ioc: &Ioc,
        ages: Ages,
        now: Timestamp,
    ) -> Found {
        let key = (source, ioc.clone());
        let mut state = self.lock();
        if let Some(shelf) = state.shelves.get_mut(tenant) {
            match shelf.answers.get(&key) {
                Some(answer) if is_fresh(answer, ages, now) => return Found::Remembered(answer.clone()),
                Some(_) => shelf.remove(&key),
                None => {}
            }
        }
        if !state.being_asked.insert((tenant.clone(), key.clone())) {
            return Found::BeingAsked;
        }
        Found::Nothing(Asking { cache: Arc::clone(self), tenant: tenant.clone(), key })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking {
    /// Keeps what was answered. What could not be asked is asked again.
    pub(crate) fn answered(self, answer: &Answer) {
        if answer.outcome.is_answer() {
            let mut state = self.cache.lock();
            state.shelves.entry(self.tenant.clone()).or_default().put(self.key.clone(), answer.clone());
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.cache.lock().being_asked.remove(&(self.tenant.clone(), self.key.clone()));
    }
}

impl Shelf {
    fn put(&mut self, key: Key, answer: Answer) {
        self.remove(&key);
        self.bytes += weight(&answer);
        self.answers.insert(key, answer);
        while self.answers.len() > MOST_ANSWERS || self.bytes > MOST_BYTES {
            let oldest = self.answers.iter().min_by_key(|(_, answer)| answer.asked_at).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(gone) = self.answers.remove(key) {
            self.bytes -= weight(&gone);
        }
    }
}

/// An answer from the future, after the clock was set back, stands for nothing.
fn is_fresh(answer: &Answer, ages: Ages, now: Timestamp) -> bool {
    let limit = match &answer.outcome {
        Outcome::Known(_) => ages.known,
        Outcome::NotKnown => ages.not_known,
        Outcome::CouldNotAsk(_) => return false,
    };
    Duration::try_from(now.duration_since(answer.asked_at)).is_ok_and(|age| age < limit)
}

fn weight(answer: &Answer) -> usize {
    OWN_BYTES + answer.raw.as_ref().map_or(0, |raw| raw.len())
}

#[cfg(test)]
mod tests {
    use domain::ioc::Pap;

    use super::*;

    fn answer(name: &str, at_s: i64, bytes: usize) -> Answer {
        Answer {
            source: Source::VirusTotal,
            ioc: Ioc::Domain(name.into()),
            pap: Pap::Amber,
            asked_at: Timestamp::from_second(at_s).unwrap(),
            outcome: Outcome::NotKnown,
            raw: Some("x".repeat(bytes).into()),
        }
    }

    fn find(cache: &Arc<Cache>, tenant: &str, name: &str, now_s: i64) -> Found {
        let (tenant, ioc) = (tenant.parse().unwrap(), Ioc::Domain(name.into()));
        cache.find(&tenant, Source::VirusTotal, &ioc, Ages::default(), Timestamp::from_second(now_s).unwrap())
    }

    fn put(cache: &Arc<Cache>, tenant: &str, answer: &Answer) {
        let Found::Nothing(asking) = find(cache, tenant, &answer.ioc.value(), answer.asked_at.as_second()) else {
            panic!("remembered")
        };
        asking.answered(answer);
    }

    #[test]
    fn the_same_question_is_asked_once_at_a_time_per_tenant_and_again_when_dropped() {
        let cache = Arc::new(Cache::default());
        let Found::Nothing(asking) = find(&cache, "acme", "a.example", 0) else { panic!("remembered") };
        assert!(matches!(find(&cache, "acme", "a.example", 0), Found::BeingAsked));
        assert!(matches!(find(&cache, "beta", "a.example", 0), Found::Nothing(_)));
        drop(asking);
        assert!(matches!(find(&cache, "acme", "a.example", 0), Found::Nothing(_)));
    }

    #[test]
    fn an_answer_of_the_future_stands_for_nothing() {
        let cache = Arc::new(Cache::default());
        put(&cache, "acme", &answer("a.example", 100, 10));
        assert!(matches!(find(&cache, "acme", "a.example", 100), Found::Remembered(_)));
        assert!(matches!(find(&cache, "acme", "a.example", 99), Found::Nothing(_)));
    }

    #[test]
    fn a_storm_drives_out_its_own_oldest_answers_and_nobody_elses_sec_03() {
        let cache = Arc::new(Cache::default());
        put(&cache, "calm", &answer("a.example", 0, 10));
        for n in 0..20 {
            put(&cache, "storm", &answer(&format!("{n}.example"), n, 1024 * 1024));
        }
        assert!(matches!(find(&cache, "calm", "a.example", 20), Found::Remembered(_)));
        assert!(matches!(find(&cache, "storm", "12.example", 20), Found::Nothing(_)));
        assert!(matches!(find(&cache, "storm", "13.example", 20), Found::Remembered(_)));
        assert!(cache.lock().shelves[&"storm".parse().unwrap()].bytes <= MOST_BYTES);
    }
}
