//! The console's rate limits, per token and path, as the vendor's table gives them. Off unless the configuration asks
//! for them: a test whose clock stands still would otherwise be refused for being fast. Deep Visibility's, which are
//! part of how it has to be used, are always on and stand with it.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The part of the API it is about, calls a second, and how many may come at once.
type Limit = (&'static str, f64, f64);

/// The first that fits counts, so longer paths stand first.
const LIMITS: &[Limit] = &[
    ("/accounts", 100.0, 10.0),
    ("/sites", 100.0, 10.0),
    ("/threats/", 100.0, 1000.0),
    ("/threats", 10.0, 50.0),
    ("/agents", 25.0, 25.0),
    ("/activities", 10.0, 30.0),
    ("/cloud-detection", 0.5, 30.0),
    ("/application-management/inventory", 3.0, 3.0),
    ("/users", 40.0, 40.0),
    ("/user", 2.0, 2.0),
    ("/unifiedalerts", 25.0, 25.0),
    ("/xspm", 25.0, 25.0),
    ("/xdr", 25.0, 25.0),
];

/// What is left of each token's allowance.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) on: bool,
    left: BTreeMap<(u64, &'static str), (f64, Timestamp)>,
}

impl Limits {
    /// Takes one call off the allowance, or says after how many seconds there is one again.
    pub(crate) fn take(&mut self, user: u64, path: &str, now: Timestamp) -> Result<(), u64> {
        let Some((prefix, rate, burst)) = LIMITS.iter().find(|(prefix, ..)| self.on && path.starts_with(prefix)) else {
            return Ok(());
        };
        let (left, at) = self.left.entry((user, prefix)).or_insert((*burst, now));
        let passed = now.duration_since(*at).as_secs_f64().max(0.0);
        *left = (*left + passed * rate).min(*burst);
        *at = now;
        if *left < 1.0 {
            let wait = ((1.0 - *left) / rate).ceil();
            return Err((1_u64..=3600)
                .find(|seconds| f64::from(u32::try_from(*seconds).unwrap_or(u32::MAX)) >= wait)
                .unwrap_or(3600));
        }
        *left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_used_up_its_allowance_waits_while_another_does_not() {
        let mut limits = Limits { on: true, ..Limits::default() };
        let at = |seconds: i64| Timestamp::from_second(1_795_000_000 + seconds).expect("in range");
        assert!((0..30).all(|_| limits.take(1, "/cloud-detection/rules", at(0)).is_ok()));
        assert_eq!(limits.take(1, "/cloud-detection/rules", at(0)), Err(2), "30 a minute");
        assert_eq!(limits.take(2, "/cloud-detection/rules", at(0)), Ok(()));
        assert_eq!(limits.take(1, "/cloud-detection/rules", at(2)), Ok(()));
        let taken = (0..100).take_while(|_| limits.take(1, "/threats", at(60)).is_ok()).count();
        assert_eq!(taken, 50, "as many as may come at once");
        assert_eq!(limits.take(1, "/threats/notes", at(60)), Ok(()), "its own allowance");
        limits.on = false;
        assert!((0..100).all(|_| limits.take(1, "/threats", at(60)).is_ok()));
    }
}
