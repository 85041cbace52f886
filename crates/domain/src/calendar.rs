//! Business hours of the SOC: Monday to Friday 09:00-18:00 JST, less national holidays and the provider's closed days.
//!
//! One function, `Calendar::due`, answers every "by when". It refuses to answer beyond the last published holiday rather
//! than guess (REL-12). Japan has no daylight saving, so JST is a fixed offset.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time, Weekday, time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The Cabinet Office's official table; see `data/README.md`.
const HOLIDAYS: &str = include_str!("../data/syukujitsu_utf8.csv");

const OPENS: Time = time(9, 0, 0, 0);
const CLOSES: Time = time(18, 0, 0, 0);

/// Which hours a clock runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    #[default]
    Business,
    Always,
}

/// The due time lies beyond the last day for which holidays are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no due time can be given: holidays are known only until `{horizon}`; import a newer holiday table")]
pub struct BeyondHorizon {
    pub horizon: Date,
}

/// Which days and hours count.
#[derive(Debug, Clone)]
pub struct Calendar {
    holidays: BTreeSet<Date>,
    /// Month and day of each yearly closed day.
    closed_yearly: BTreeSet<(i8, i8)>,
    horizon: Date,
}

impl Calendar {
    /// National holidays from the built-in official table, and the provider's default closed days 29 December to 3 January.
    pub fn japan() -> Self {
        let holidays: BTreeSet<Date> =
            HOLIDAYS.lines().filter_map(|line| line.split(',').next()?.trim().parse().ok()).collect();
        // The table is published for whole years: it is certain to the end of the year of its last row.
        let last_year = holidays.last().map_or(1955, |d| d.year());
        let horizon = Date::constant(last_year, 12, 31);
        let closed_yearly = [(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)].into();
        Self { holidays, closed_yearly, horizon }
    }

    /// The last day for which the calendar is certain.
    pub fn horizon(&self) -> Date {
        self.horizon
    }

    pub fn is_business_day(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
            && !self.holidays.contains(&day)
            && !self.closed_yearly.contains(&(day.month(), day.day()))
    }

    /// When `minutes` of the given hours have passed since `start`.
    pub fn due(&self, start: Timestamp, minutes: i64, hours: Hours) -> Result<Timestamp, BeyondHorizon> {
        if hours == Hours::Always {
            return Ok(start + minutes.minutes());
        }
        let mut at = in_japan(start);
        let mut left_s = minutes * 60;
        loop {
            at = self.next_open(at)?;
            let closes = at.date().to_datetime(CLOSES);
            let open_s = seconds_between(at, closes);
            if left_s <= open_s {
                return Ok(from_japan(at + left_s.seconds()));
            }
            left_s -= open_s;
            at = closes;
        }
    }

    /// `at` itself when the SOC is open then, else the next opening.
    fn next_open(&self, at: DateTime) -> Result<DateTime, BeyondHorizon> {
        let mut day = at.date();
        if at.time() >= CLOSES {
            day += 1.day();
        }
        while !self.is_business_day(day) {
            day += 1.day();
            if day > self.horizon {
                return Err(BeyondHorizon { horizon: self.horizon });
            }
        }
        if day > self.horizon {
            return Err(BeyondHorizon { horizon: self.horizon });
        }
        Ok(at.max(day.to_datetime(OPENS)))
    }
}

/// JST, for showing times to people.
pub fn jst() -> TimeZone {
    Offset::constant(9).to_time_zone()
}

/// The wall clock in Japan at `at`.
pub fn in_japan(at: Timestamp) -> DateTime {
    Offset::constant(9).to_datetime(at)
}

fn from_japan(at: DateTime) -> Timestamp {
    // A fixed offset maps every date that a Timestamp gave us back to one.
    Offset::constant(9).to_timestamp(at).unwrap_or(Timestamp::MAX)
}

fn seconds_between(from: DateTime, to: DateTime) -> i64 {
    from.duration_until(to).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jst_time(text: &str) -> Timestamp {
        format!("{text}:00+09:00").parse().unwrap()
    }

    /// `practice.md` §2, golden vectors.
    #[test]
    fn sixty_business_minutes_end_when_the_contract_says_rel_11() {
        let calendar = Calendar::japan();
        for (start, due) in [
            ("2026-09-18T17:30", "2026-09-24T09:30"),
            ("2026-09-18T18:00", "2026-09-24T10:00"),
            ("2026-05-01T17:45", "2026-05-07T09:45"),
            ("2027-03-19T17:30", "2027-03-23T09:30"),
            ("2026-11-02T17:59", "2026-11-04T09:59"),
            ("2026-12-28T17:30", "2027-01-04T09:30"),
            ("2026-12-31T17:30", "2027-01-04T10:00"),
            ("2026-09-24T08:59", "2026-09-24T10:00"),
        ] {
            let got = calendar.due(jst_time(start), 60, Hours::Business).unwrap();
            assert_eq!(got, jst_time(due), "from {start}");
        }
    }

    #[test]
    fn beyond_the_published_holidays_it_refuses_rel_12() {
        let calendar = Calendar::japan();
        let refused = calendar.due(jst_time("2027-12-28T17:59"), 60, Hours::Business).unwrap_err();
        assert_eq!(refused.horizon, Date::constant(2027, 12, 31));
    }

    #[test]
    fn around_the_clock_is_around_the_clock() {
        let start = jst_time("2026-12-31T23:55");
        assert_eq!(Calendar::japan().due(start, 10, Hours::Always).unwrap(), jst_time("2027-01-01T00:05"));
    }
}
