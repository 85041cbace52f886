//! Sums over cycles. No percentage comes without its n, and few are said to be few.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Measured, Span, Standing, Target};
use crate::clock::FirstResponse;

/// Below this many a percentage says little: one case more or less moves it by five points.
const FEW: u64 = 20;

/// The figures of a set of cycles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub cycles: u64,
    targets: BTreeMap<Target, Attainment>,
    spans: BTreeMap<Span, Durations>,
    /// How many of the cycles are of contracts that count the analyst's acknowledgement.
    pub counted_by_ack: u64,
}

/// How one clock did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attainment {
    counts: BTreeMap<Standing, u64>,
    /// Of those that missed: not stopped yet.
    pub overdue: u64,
}

/// Elapsed times, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations(Vec<SignedDuration>);

impl Sheet {
    /// The figures of these cycles as of `now`.
    pub fn of<'a>(cycles: impl IntoIterator<Item = &'a Measured>, now: Timestamp) -> Self {
        let mut sheet = Self {
            cycles: 0,
            targets: Target::ALL.map(|target| (target, Attainment::default())).into(),
            spans: Span::ALL.map(|span| (span, Durations::default())).into(),
            counted_by_ack: 0,
        };
        for one in cycles {
            sheet.cycles += 1;
            sheet.counted_by_ack += u64::from(one.reading == FirstResponse::AnalystAck);
            for (target, attainment) in &mut sheet.targets {
                let standing = one.standing(*target, now);
                attainment.overdue += u64::from(standing == Standing::Missed && one.stop(*target).0.is_none());
                *attainment.counts.entry(standing).or_default() += 1;
            }
            for (span, durations) in &mut sheet.spans {
                durations.0.extend(one.span(*span));
            }
        }
        sheet.spans.values_mut().for_each(|durations| durations.0.sort_unstable());
        sheet
    }

    // All of them were put in by `of`, the only maker of a sheet.

    pub fn target(&self, target: Target) -> &Attainment {
        &self.targets[&target]
    }

    pub fn span(&self, span: Span) -> &Durations {
        &self.spans[&span]
    }
}

impl Attainment {
    pub fn count(&self, standing: Standing) -> u64 {
        self.counts.get(&standing).copied().unwrap_or_default()
    }

    /// What the percentage is of: the clocks that were kept or missed.
    pub fn n(&self) -> u64 {
        self.count(Standing::Met) + self.count(Standing::Missed)
    }

    /// Tenths of a percent, rounded down: 1,999 of 2,000 is 99.9 %, and only all is 100 %. `None` of nothing.
    pub fn per_mille(&self) -> Option<u64> {
        (self.count(Standing::Met) * 1000).checked_div(self.n())
    }

    /// `99.9`.
    pub fn percent(&self) -> Option<String> {
        self.per_mille().map(|tenths| format!("{}.{}", tenths / 10, tenths % 10))
    }

    pub fn is_few(&self) -> bool {
        self.n() < FEW
    }
}

impl Durations {
    pub fn n(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn is_few(&self) -> bool {
        self.n() < FEW
    }

    /// By nearest rank: the smallest that at least `percent` of all do not exceed. Always one that was measured, so that
    /// there is an incident behind it.
    pub fn percentile(&self, percent: u8) -> Option<SignedDuration> {
        let rank = (self.0.len() * usize::from(percent.min(100))).div_ceil(100);
        self.0.get(rank.max(1) - 1).copied()
    }

    pub fn median(&self) -> Option<SignedDuration> {
        self.percentile(50)
    }

    /// To the second.
    pub fn mean(&self) -> Option<SignedDuration> {
        let n = i64::try_from(self.0.len()).ok().filter(|n| *n > 0)?;
        let sum: i128 = self.0.iter().map(SignedDuration::as_millis).sum();
        let seconds = i64::try_from(sum / 1000).ok()? / n;
        Some(SignedDuration::from_secs(seconds))
    }
}
