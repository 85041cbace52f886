//! The scorecards of `yagura eval`: counts against labels, with the interval that so many cases allow.
//!
//! What counts as a case and where its label comes from, each evaluation says for itself; the arithmetic is that of
//! `domain::scorecard`.

use domain::scorecard::{Interval, share, wilson};
use serde::Serialize;

pub use crate::vuln::evaluation::cve;

/// One evaluation, or one part of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scorecard {
    pub name: String,
    #[serde(flatten)]
    pub total: Score,
    /// The same figures by kind of value, source or whatever the evaluation is cut into. A case may stand in several cuts.
    pub rows: Vec<Row>,
    /// What was left out, could not be read, or must be known to read the figures.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    #[serde(flatten)]
    pub score: Score,
}

/// Right, wrong and missed, and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "Figures")]
pub struct Score {
    /// Cases that were asked: with something to be found, or with nothing.
    pub n: u64,
    pub true_positives: u64,
    pub false_positives: u64,
    pub false_negatives: u64,
}

impl Score {
    pub const NONE: Self = Self { n: 0, true_positives: 0, false_positives: 0, false_negatives: 0 };

    /// `None` where nothing was claimed: there is no precision of nothing.
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    pub fn recall(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    pub fn f1(&self) -> Option<f64> {
        share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    /// 95 % interval of F1. It grows with the share that the true positives have in all that was claimed or should have been,
    /// which is a proportion, so the interval of that one carries over: `f1 = 2j / (1 + j)`.
    pub fn interval(&self) -> Option<Interval> {
        let all = self.true_positives + self.false_positives + self.false_negatives;
        wilson(self.true_positives, all).map(|ends| ends.map(|j| 2.0 * j / (1.0 + j)))
    }

    pub fn add(&mut self, other: Self) {
        self.n += other.n;
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
    }
}

/// What a score is written as.
#[derive(Serialize)]
struct Figures {
    n: u64,
    true_positives: u64,
    false_positives: u64,
    false_negatives: u64,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
    interval: Option<Interval>,
    precision_interval: Option<Interval>,
    recall_interval: Option<Interval>,
}

impl From<Score> for Figures {
    fn from(score: Score) -> Self {
        let Score { n, true_positives, false_positives, false_negatives } = score;
        Self {
            n,
            true_positives,
            false_positives,
            false_negatives,
            precision: score.precision(),
            recall: score.recall(),
            f1: score.f1(),
            interval: score.interval(),
            precision_interval: wilson(true_positives, true_positives + false_positives),
            recall_interval: wilson(true_positives, true_positives + false_negatives),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} is not {expected}");
    }

    /// The worked figures of Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    #[test]
    fn the_interval_is_the_published_one() {
        for (successes, trials, from, to) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let [low, high] = wilson(successes, trials).unwrap();
            near(low, from);
            near(high, to);
        }
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn a_scorecard_says_what_it_counted_and_nothing_where_nothing_was() {
        let score = Score { n: 10, true_positives: 6, false_positives: 2, false_negatives: 1 };
        near(score.f1().unwrap(), 0.8);
        let [low, high] = score.interval().unwrap();
        assert!(low < 0.8 && 0.8 < high && high < 1.0);
        let card = Scorecard { name: "ioc".into(), total: score, rows: Vec::new(), notes: Vec::new() };
        let json = serde_json::to_value(&card).unwrap();
        for key in ["n", "precision", "recall", "f1", "interval"] {
            assert!(!json[key].is_null(), "{key}");
        }
        assert!(serde_json::to_value(Score::NONE).unwrap()["precision"].is_null());
    }
}
