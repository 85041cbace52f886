//! The figures of one evaluation: precision, recall, F1, and how far each can be trusted.
//!
//! Counts go in, figures come out; what is counted as right the evaluation says. A figure that nothing was counted for is
//! `None`, never 0 or 1.

use serde::{Deserialize, Serialize};

/// What an evaluation counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub true_positive: u64,
    pub false_positive: u64,
    pub false_negative: u64,
    pub true_negative: u64,
}

/// A share with its 95 % Wilson interval, `[low, high]`.
pub type Interval = [f64; 2];

/// The keys that `yagura eval … --json` promises: `n precision recall f1 interval`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// How many labelled cases were judged.
    pub n: u64,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    pub interval: Intervals,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Intervals {
    pub precision: Option<Interval>,
    pub recall: Option<Interval>,
}

impl Counts {
    pub fn n(self) -> u64 {
        self.true_positive + self.false_positive + self.false_negative + self.true_negative
    }

    pub fn scorecard(self) -> Scorecard {
        let found = self.true_positive + self.false_positive;
        let wanted = self.true_positive + self.false_negative;
        let f1 = 2 * self.true_positive + self.false_positive + self.false_negative;
        Scorecard {
            n: self.n(),
            precision: share(self.true_positive, found),
            recall: share(self.true_positive, wanted),
            f1: share(2 * self.true_positive, f1),
            interval: Intervals {
                precision: wilson(self.true_positive, found),
                recall: wilson(self.true_positive, wanted),
            },
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.true_positive += other.true_positive;
        self.false_positive += other.false_positive;
        self.false_negative += other.false_negative;
        self.true_negative += other.true_negative;
    }
}

/// `part` of `whole`; `None` when there is no whole.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Where the true share lies with 95 % confidence. Unlike the plain approximation it holds for few cases and for 0 and 100 %.
pub fn wilson(part: u64, whole: u64) -> Option<Interval> {
    const Z: f64 = 1.959_963_984_540_054;
    let (p, n) = (share(part, whole)?, whole as f64);
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Some([((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_agrees_with_published_values() {
        // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662, 0 of 20 gives 0 to 0.1611.
        let [low, high] = wilson(81, 263).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        let [low, high] = wilson(0, 20).unwrap();
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5, "{low} {high}");
    }

    #[test]
    fn a_figure_without_cases_is_none_and_not_perfect() {
        let nothing = Counts::default().scorecard();
        assert_eq!((nothing.precision, nothing.recall, nothing.f1, nothing.interval.recall), (None, None, None, None));
        let counts = Counts { true_positive: 3, false_positive: 1, false_negative: 2, true_negative: 4 };
        let card = counts.scorecard();
        assert_eq!((card.n, card.precision, card.recall, card.f1), (10, Some(0.75), Some(0.6), Some(6.0 / 9.0)));
    }
}
