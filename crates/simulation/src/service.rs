//! How long an analyst is busy with one incident: drawn from an exponential distribution with a stated mean.
//!
//! Exponential because it is the one for which the plain queue has a known answer (`staffing::erlang`), and because a few
//! incidents that take very long are what keeps the others waiting.

use jiff::{SignedDuration, Unit};

use crate::dice::Dice;

/// The mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceTime {
    pub mean_seconds: u32,
}

impl ServiceTime {
    /// In whole seconds, as everything that people do in a story.
    pub(crate) fn draw(self, dice: &mut Dice) -> SignedDuration {
        exponential(f64::from(self.mean_seconds), dice).round(Unit::Second).unwrap_or(SignedDuration::MAX)
    }
}

/// With the given mean in seconds.
pub(crate) fn exponential(mean_seconds: f64, dice: &mut Dice) -> SignedDuration {
    let seconds = -mean_seconds * dice.share().ln();
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_times_have_the_stated_mean_and_an_exponential_tail() {
        let (service, mut dice) = (ServiceTime { mean_seconds: 900 }, Dice::stream(1, "service"));
        let drawn: Vec<f64> = (0..100_000).map(|_| service.draw(&mut dice).as_secs_f64()).collect();
        let share = |longer: f64| drawn.iter().filter(|s| **s > longer).count() as f64 / drawn.len() as f64;
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!((mean / 900.0 - 1.0).abs() < 0.02, "{mean}");
        assert!((share(900.0) - (-1.0_f64).exp()).abs() < 0.01);
        assert!((share(2700.0) - (-3.0_f64).exp()).abs() < 0.005);
    }
}
