//! The alerts of a first full-disk scan: when an agent is rolled out, old files come to light by the hundred.
//!
//! They stay one campaign with one notice (R19). Above the contract's threshold, and only in a site's roll-out window, they
//! do not count against the service levels; below it the clocks run. What is grave leaves the campaign (`grouping`).

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::in_japan;

/// The days, in Japan, on which a site's endpoints get their agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// The console's name of the site, as alerts carry it.
    pub site: String,
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Rollout {
    pub fn holds(&self, site: &str, at: Timestamp) -> bool {
        self.site == site && (self.from..=self.to).contains(&in_japan(at).date())
    }
}

/// How many alerts came within the last hour, to the minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Each minute with alerts and how many, oldest first: at most sixty.
    recent: VecDeque<(i64, u32)>,
}

impl Pace {
    pub fn add(&mut self, at: Timestamp) {
        let minute = at.as_second().div_euclid(60);
        self.recent.retain(|(past, _)| minute - past < 60);
        match self.recent.back_mut() {
            Some((last, count)) if *last >= minute => *count = count.saturating_add(1),
            _ => self.recent.push_back((minute, 1)),
        }
    }

    /// Alerts within the hour that ends with the newest.
    pub fn in_the_last_hour(&self) -> u32 {
        self.recent.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_hour_slides() {
        let start: Timestamp = "2026-11-24T01:00:00Z".parse().unwrap();
        let mut pace = Pace::default();
        for minute in 0..90 {
            pace.add(start + SignedDuration::from_mins(minute));
            pace.add(start + SignedDuration::from_mins(minute));
        }
        assert_eq!(pace.in_the_last_hour(), 120);
        pace.add(start + SignedDuration::from_hours(5));
        assert_eq!(pace.in_the_last_hour(), 1);
    }

    #[test]
    fn a_rollout_holds_for_its_site_on_its_days_in_japan() {
        let rollout =
            Rollout { site: "Acme".into(), from: Date::constant(2026, 11, 24), to: Date::constant(2026, 11, 25) };
        for (site, at, holds) in [
            ("Acme", "2026-11-23T14:59:59Z", false),
            ("Acme", "2026-11-23T15:00:00Z", true),
            ("Acme", "2026-11-25T14:59:59Z", true),
            ("Acme", "2026-11-25T15:00:00Z", false),
            ("acme", "2026-11-24T03:00:00Z", false),
        ] {
            assert_eq!(rollout.holds(site, at.parse().unwrap()), holds, "{site} {at}");
        }
    }
}
