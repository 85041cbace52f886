//! Business hours of the SOC: Monday to Friday 09:00-18:00 JST, less national holidays and the provider's closed days.
//!
//! One walk over the days answers every "by when" (`Calendar::due`) and says how it came about (`Calendar::explain`). It
//! refuses to answer beyond the last published holiday rather than guess (REL-12). Japan has no daylight saving, so JST is
//! a fixed offset. What a clock pauses for is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday, time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

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

/// The time asked for lies beyond the days for which holidays are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no due time can be given: holidays are known only from `{first}` to `{horizon}`; for later days import a newer holiday table"
)]
pub struct BeyondHorizon {
    pub first: Date,
    pub horizon: Date,
}

/// A due time and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub due: Timestamp,
    /// Without a gap from the start to `due`.
    pub steps: Vec<Step>,
}

/// A stretch of time that was counted, or the reason why it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub from: Timestamp,
    pub to: Timestamp,
    pub what: What,
}

impl Step {
    pub fn lasts(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

/// What a stretch of time was to a clock. A day that is closed for several reasons has the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Counted,
    /// A national holiday, by the name it has in the official table.
    Holiday {
        name: &'static str,
    },
    /// A closed day of the provider.
    ClosedDay,
    Weekend,
    /// Outside the hours of a business day.
    Night,
}

/// A day on which the provider does not work: `12-29` every year, or `2026-08-13` once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum ClosedDay {
    Yearly { month: i8, day: i8 },
    Once(Date),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a closed day: write `12-29` for every year or `2026-08-13` for once")]
pub struct NotAClosedDay(String);

impl TryFrom<String> for ClosedDay {
    type Error = NotAClosedDay;

    fn try_from(text: String) -> Result<Self, NotAClosedDay> {
        text.parse()
    }
}

impl FromStr for ClosedDay {
    type Err = NotAClosedDay;

    fn from_str(text: &str) -> Result<Self, NotAClosedDay> {
        // In a leap year every day of a month exists.
        let yearly = || format!("2024-{text}").parse().map(|d: Date| Self::Yearly { month: d.month(), day: d.day() });
        let day = if text.len() == "12-29".len() { yearly() } else { text.parse().map(Self::Once) };
        day.map_err(|_| NotAClosedDay(text.to_owned()))
    }
}

/// Which days and hours count.
#[derive(Debug, Clone)]
pub struct Calendar {
    holidays: BTreeMap<Date, &'static str>,
    closed: BTreeSet<ClosedDay>,
    first: Date,
    horizon: Date,
}

impl Calendar {
    /// National holidays from the built-in official table, and the provider's default closed days 29 December to 3 January.
    pub fn japan() -> Self {
        let row = |line: &'static str| {
            let (day, name) = line.split_once(',')?;
            Some((day.trim().parse().ok()?, name.trim()))
        };
        let holidays: BTreeMap<Date, &str> = HOLIDAYS.lines().filter_map(row).collect();
        // The table is published for whole years: it is certain to the end of the year of its last row.
        let year = |day: Option<&Date>| day.map_or(1955, |day| day.year());
        let first = Date::constant(year(holidays.keys().next()), 1, 1);
        let horizon = Date::constant(year(holidays.keys().next_back()), 12, 31);
        let closed = [(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)];
        Self { holidays, closed: closed.map(|(month, day)| ClosedDay::Yearly { month, day }).into(), first, horizon }
    }

    /// With these closed days of the provider instead of the default ones. National holidays stay.
    #[must_use]
    pub fn with_closed_days(self, days: impl IntoIterator<Item = ClosedDay>) -> Self {
        Self { closed: days.into_iter().collect(), ..self }
    }

    /// The last day for which the calendar is certain.
    pub fn horizon(&self) -> Date {
        self.horizon
    }

    /// How many days after `today` the calendar is still certain; negative when it no longer is.
    pub fn days_to_horizon(&self, today: Date) -> i64 {
        today.duration_until(self.horizon).as_hours() / 24
    }

    pub fn is_business_day(&self, day: Date) -> bool {
        self.why_closed(day).is_none()
    }

    /// When `minutes` of the given hours have passed since `start`.
    pub fn due(&self, start: Timestamp, minutes: i64, hours: Hours) -> Result<Timestamp, BeyondHorizon> {
        self.walk(start, minutes, hours, |_, _, _| {})
    }

    /// The same, with every stretch of time on the way. Neighbours of one kind are one step.
    pub fn explain(&self, start: Timestamp, minutes: i64, hours: Hours) -> Result<Explained, BeyondHorizon> {
        let mut steps: Vec<Step> = Vec::new();
        let due = self.walk(start, minutes, hours, |from, to, what| {
            let (from, to) = (from_japan(from), from_japan(to));
            match steps.last_mut() {
                Some(last) if last.what == what => last.to = to,
                _ => steps.push(Step { from, to, what }),
            }
        })?;
        Ok(Explained { due, steps })
    }

    /// Goes from `start` through the days until `minutes` were counted, and reports what it passes.
    fn walk(
        &self,
        start: Timestamp,
        minutes: i64,
        hours: Hours,
        mut pass: impl FnMut(DateTime, DateTime, What),
    ) -> Result<Timestamp, BeyondHorizon> {
        let mut at = in_japan(start);
        let mut left = SignedDuration::from_secs(minutes.max(0).saturating_mul(60));
        let mut go = |from: &mut DateTime, to: DateTime, what| {
            if *from < to {
                pass(*from, to, what);
                *from = to;
            }
        };
        if hours == Hours::Always {
            let due = start.saturating_add(left).unwrap_or(Timestamp::MAX);
            go(&mut at, in_japan(due), What::Counted);
            return Ok(due);
        }
        while (self.first..=self.horizon).contains(&at.date()) {
            let day = at.date();
            let midnight = (day + 1.day()).to_datetime(Time::midnight());
            if let Some(why) = self.why_closed(day) {
                go(&mut at, midnight, why);
                continue;
            }
            go(&mut at, day.to_datetime(OPENS), What::Night);
            let closes = day.to_datetime(CLOSES);
            if at < closes {
                let open = at.duration_until(closes);
                if left <= open {
                    let due = at + left;
                    go(&mut at, due, What::Counted);
                    return Ok(from_japan(due));
                }
                left -= open;
                go(&mut at, closes, What::Counted);
            }
            go(&mut at, midnight, What::Night);
        }
        Err(BeyondHorizon { first: self.first, horizon: self.horizon })
    }

    fn why_closed(&self, day: Date) -> Option<What> {
        let yearly = ClosedDay::Yearly { month: day.month(), day: day.day() };
        if let Some(name) = self.holidays.get(&day) {
            Some(What::Holiday { name })
        } else if self.closed.contains(&yearly) || self.closed.contains(&ClosedDay::Once(day)) {
            Some(What::ClosedDay)
        } else if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            Some(What::Weekend)
        } else {
            None
        }
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
