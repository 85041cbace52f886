//! Faults on request: what may go wrong between a client and this console, armed by a test or by `/_sim/faults`.
//! Each fault strikes a given number of times or with a seeded probability, so a run can be repeated exactly.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// The most faults armed at once.
const MAX_ARMED: usize = 1000;

/// One fault: what goes wrong, for which calls or threats, and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    #[serde(flatten)]
    pub kind: Kind,
    /// Only calls whose path below `/web/api/v2.1` starts with this.
    #[serde(default)]
    pub path: Option<String>,
    /// Only calls with this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only threats of this customer.
    #[serde(default)]
    pub site: Option<String>,
    /// Only threats of this scenario.
    #[serde(default)]
    pub scenario: Option<String>,
    #[serde(default)]
    pub times: Times,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Kind {
    /// 429, with or without `Retry-After`.
    TooManyRequests {
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// An answer in HTML with this status.
    Status { status: u16 },
    /// The answer comes late.
    Slow { millis: u64 },
    /// The answer breaks off in the middle.
    Truncated,
    /// The same page is handed out twice.
    DuplicatePage,
    /// The order is carried out, but its answer is this status, or a cut connection when there is none.
    LostAnswer {
        #[serde(default)]
        status: Option<u16>,
    },
    /// The endpoint cannot carry the order out: mitigation, disconnect or connect ends as failed.
    ActionFails,
    /// Verdict and status calls answer `conditions_not_met` and change nothing.
    ConditionsNotMet,
    /// A threat that comes up, or a change to one, shows in lists only later, with its older `updatedAt`.
    LateThreat { seconds: u64 },
    /// A threat that comes up never shows in lists.
    DropThreat,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    Count(u32),
    /// Strikes with this chance, decided by a generator with this seed.
    Chance {
        share: f64,
        seed: u64,
    },
    Always,
}

impl Default for Times {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl Fault {
    /// A fault that strikes once, whatever is asked.
    pub fn new(kind: Kind) -> Self {
        Self { kind, path: None, method: None, site: None, scenario: None, times: Times::Count(1) }
    }

    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    pub fn at(mut self, site: &str) -> Self {
        self.site = Some(site.to_owned());
        self
    }

    pub fn in_scenario(mut self, scenario: &str) -> Self {
        self.scenario = Some(scenario.to_owned());
        self
    }

    pub fn times(mut self, times: Times) -> Self {
        self.times = times;
        self
    }

    fn strikes_call(&self, method: &Method, path: &str) -> bool {
        let about_threats = matches!(self.kind, Kind::LateThreat { .. } | Kind::DropThreat);
        !about_threats
            && self.path.as_ref().is_none_or(|prefix| path.starts_with(prefix))
            && self.method.as_ref().is_none_or(|wanted| method.as_str().eq_ignore_ascii_case(wanted))
    }

    fn strikes_threat(&self, site: &str, scenario: Option<&str>, fresh: bool) -> bool {
        let about_threats = match self.kind {
            Kind::LateThreat { .. } => true,
            Kind::DropThreat => fresh,
            _ => false,
        };
        about_threats
            && self.site.as_ref().is_none_or(|wanted| wanted == site)
            && self.scenario.as_ref().is_none_or(|wanted| scenario == Some(wanted))
    }
}

/// The armed faults of one simulator. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Armed>>>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// State of the generator behind `Times::Chance`.
    dice: u64,
}

/// What to do to one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Strike {
    pub(crate) instead: Option<Instead>,
    pub(crate) delay: Option<Duration>,
    pub(crate) truncate: bool,
    pub(crate) twice: bool,
    /// The answer is lost after the fact, with this status or none.
    pub(crate) lost: Option<Option<u16>>,
    pub(crate) action_fails: bool,
    pub(crate) conditions_not_met: bool,
}

/// An answer given without doing anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Instead {
    TooMany(Option<u64>),
    Status(u16),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RaiseFault {
    Drop,
    Late(Duration),
}

impl Faults {
    /// Arms a fault; says no when too many are armed already.
    pub fn add(&self, fault: Fault) -> bool {
        let dice = match fault.times {
            Times::Chance { seed, .. } => seed,
            _ => 0,
        };
        self.with(|armed| {
            let room = armed.len() < MAX_ARMED;
            if room {
                armed.push(Armed { fault, dice });
            }
            room
        })
    }

    pub fn clear(&self) {
        self.with(Vec::clear);
    }

    /// The faults that can still strike.
    pub fn list(&self) -> Vec<Fault> {
        self.with(|armed| armed.iter().map(|one| one.fault.clone()).collect())
    }

    pub(crate) fn on_call(&self, method: &Method, path: &str) -> Strike {
        let mut strike = Strike::default();
        for kind in self.take(|fault| fault.strikes_call(method, path)) {
            match kind {
                Kind::TooManyRequests { retry_after } => strike.instead = Some(Instead::TooMany(retry_after)),
                Kind::Status { status } => strike.instead = Some(Instead::Status(status)),
                Kind::Slow { millis } => strike.delay = Some(Duration::from_millis(millis)),
                Kind::Truncated => strike.truncate = true,
                Kind::DuplicatePage => strike.twice = true,
                Kind::LostAnswer { status } => strike.lost = Some(status),
                Kind::ActionFails => strike.action_fails = true,
                Kind::ConditionsNotMet => strike.conditions_not_met = true,
                Kind::LateThreat { .. } | Kind::DropThreat => {}
            }
        }
        strike
    }

    pub(crate) fn on_raise(&self, site: &str, scenario: Option<&str>, fresh: bool) -> Option<RaiseFault> {
        let kinds = self.take(|fault| fault.strikes_threat(site, scenario, fresh));
        kinds.iter().find_map(|kind| match kind {
            Kind::DropThreat => Some(RaiseFault::Drop),
            Kind::LateThreat { seconds } => Some(RaiseFault::Late(Duration::from_secs(*seconds))),
            _ => None,
        })
    }

    /// Uses up one strike of every matching fault.
    fn take(&self, matches: impl Fn(&Fault) -> bool) -> Vec<Kind> {
        self.with(|armed| {
            let mut struck = Vec::new();
            for one in armed.iter_mut().filter(|one| matches(&one.fault)) {
                let hit = match &mut one.fault.times {
                    Times::Always => true,
                    Times::Count(left) => {
                        let hit = *left > 0;
                        *left = left.saturating_sub(1);
                        hit
                    }
                    Times::Chance { share, .. } => roll(&mut one.dice) < *share,
                };
                if hit {
                    struck.push(one.fault.kind.clone());
                }
            }
            armed.retain(|one| one.fault.times != Times::Count(0));
            struck
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Armed>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The next number in [0, 1) of a splitmix generator.
fn roll(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let top = u32::try_from(mixed >> 32).unwrap_or_default();
    f64::from(top) / f64::from(u32::MAX).next_up()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_fault_strikes_only_its_calls_and_only_so_often() {
        let faults = Faults::default();
        faults.add(Fault::new(Kind::Status { status: 503 }).on("GET", "/threats").times(Times::Count(2)));
        let hit = |method: Method, path: &str| faults.on_call(&method, path).instead.is_some();
        assert!(!hit(Method::POST, "/threats/notes"));
        assert!(!hit(Method::GET, "/agents"));
        assert!(hit(Method::GET, "/threats"));
        assert!(hit(Method::GET, "/threats/1/notes"));
        assert!(!hit(Method::GET, "/threats"));
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_chance_is_decided_by_its_seed() {
        let run = |seed| {
            let faults = Faults::default();
            faults.add(Fault::new(Kind::Truncated).times(Times::Chance { share: 0.3, seed }));
            (0..1000).map(|_| faults.on_call(&Method::GET, "/threats").truncate).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hits), "{hits}");
    }

    #[test]
    fn a_fault_can_be_written_as_json() {
        let text = r#"{"kind": "too_many_requests", "retryAfter": 5, "path": "/threats", "times": {"count": 3}}"#;
        let fault: Fault = serde_json::from_str(text).expect("a fault");
        assert_eq!(fault.kind, Kind::TooManyRequests { retry_after: Some(5) });
        assert_eq!(fault.times, Times::Count(3));
        let text = r#"{"kind": "drop_threat", "scenario": "pua"}"#;
        let fault: Fault = serde_json::from_str(text).expect("a fault");
        assert_eq!((fault.kind, fault.times), (Kind::DropThreat, Times::Count(1)));
    }
}
