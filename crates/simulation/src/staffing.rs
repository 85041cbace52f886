//! How many analysts hold a target: the same worlds as the simulation, without faults, played for each number of analysts.
//!
//! Nobody is called, no site is away and everybody works the contract's business hours, so that what is seen is the number
//! of analysts alone. It plans for means, not for sickness or training; whoever plans shifts adds those.

use std::collections::BTreeMap;

use domain::Priority;

use crate::faults::Faults;
use crate::plan::{Crew, Plan, Responses};
use crate::service::ServiceTime;
use crate::world;

#[cfg(test)]
mod erlang;
#[cfg(test)]
mod plain;

/// 95 of 100 such intervals hold the true share.
const Z: f64 = 1.959_964;

/// The SOC that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub customers: usize,
    /// For each customer.
    pub alerts_per_day: u32,
    pub days: u32,
    pub service: ServiceTime,
}

/// A share that was counted, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub met: u64,
    pub n: u64,
    /// 95 %, by Wilson: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    pub low: f64,
    pub high: f64,
}

/// What so many analysts hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    pub analysts: usize,
    pub p0: Share,
    pub others: Share,
}

/// Plays `seeds` worlds with so many analysts.
pub fn hold(analysts: usize, load: &Load, seeds: impl IntoIterator<Item = u64>) -> anyhow::Result<Held> {
    let Load { customers, alerts_per_day, days, service } = *load;
    let crew = Crew::OneByOne { analysts, service };
    let plan = Plan { days, customers, alerts_per_day, faults: Faults::none(), crew, ..Plan::default() };
    let mut sum: BTreeMap<Priority, Responses> = BTreeMap::new();
    for seed in seeds {
        let story = world::play(seed, &plan)?;
        if let Some(violation) = story.violations.first() {
            anyhow::bail!("seed `{seed}` does not hold what must hold, so its figures say nothing: {}", violation.what);
        }
        for (priority, Responses { met, missed }) in story.responses {
            let of = sum.entry(priority).or_default();
            (of.met, of.missed) = (of.met + met, of.missed + missed);
        }
    }
    let share = |grave: bool| {
        let of = sum.iter().filter(|(priority, _)| (**priority == Priority::P0) == grave);
        let (met, n) = of.fold((0, 0), |(met, n), (_, r)| (met + r.met, n + r.met + r.missed));
        Share::of(met, n)
    };
    Ok(Held { analysts, p0: share(true), others: share(false) })
}

impl Share {
    pub fn of(met: u64, n: u64) -> Self {
        let (low, high) = wilson(met, n);
        Self { met, n, low, high }
    }

    /// In percent, `None` of nothing.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 incidents")]
    pub fn percent(&self) -> Option<f64> {
        (self.n > 0).then(|| 100.0 * self.met as f64 / self.n as f64)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 incidents")]
fn wilson(met: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (share, n) = (met as f64 / n as f64, n as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // 81 of 263, as in R. G. Newcombe's comparison of intervals (Statistics in Medicine 17, 1998).
        let share = Share::of(81, 263);
        assert!((share.low - 0.2553).abs() < 5e-5 && (share.high - 0.3662).abs() < 5e-5, "{share:?}");
        assert_eq!(Share::of(0, 0).percent(), None);
        let all = Share::of(20, 20);
        assert!(all.high > 0.999 && (all.low - 0.8389).abs() < 5e-5, "{all:?}");
    }

    #[test]
    fn one_analyst_who_takes_hours_misses_what_many_hold() {
        let load = Load { customers: 2, alerts_per_day: 12, days: 2, service: ServiceTime { mean_seconds: 2400 } };
        let few = hold(1, &load, 1..=3).expect("three worlds");
        let many = hold(12, &load, 1..=3).expect("three worlds");
        assert!(many.others.percent() > few.others.percent(), "{few:?} {many:?}");
        assert!(many.others.percent() >= Some(99.0), "{many:?}");
    }
}
