//! Business hours of the SOC: Monday to Friday 09:00-18:00 JST, less national holidays and the provider's closed days.
//!
//! One walk over the days answers every "by when" (`Calendar::due`) and says how it came about (`Calendar::explain`). It
//! refuses to answer beyond the last published holiday rather than guess (REL-12). Japan has no daylight saving, so JST is
//! a fixed offset. What a clock pauses for is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::iter;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday, time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The Cabinet Office's official table; see `data/README.md`.
const HOLIDAYS: &str = include_str!("../data/syukujitsu_utf8.csv");

/// Official tables by the day they were taken, newest last. An old one stays: clocks that were started on it are proved on it.
const TABLES: &[(&str, &str)] = &[("2026-08-21", HOLIDAYS)];

const BUSINESS: Opening =
    Opening { opens: time(9, 0, 0, 0), closes: time(18, 0, 0, 0), weekends: false, holidays: false };

/// Which hours a clock runs in. Written `business`, `always`, or `08:00-20:00` with ` weekends` and ` holidays` after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Hours {
    #[default]
    Business,
    Always,
    /// The hours of one contract.
    Own(Opening),
}

/// Daily hours, and whether they hold on days when the SOC is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    opens: Time,
    closes: Time,
    weekends: bool,
    /// National holidays and the provider's closed days, on whatever weekday.
    holidays: bool,
}

impl Hours {
    fn opening(self) -> Option<Opening> {
        match self {
            Self::Business => Some(BUSINESS),
            Self::Always => None,
            Self::Own(opening) => Some(opening),
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Opening { opens, closes, weekends, holidays } = match self {
            Self::Business => return f.write_str("business"),
            Self::Always => return f.write_str("always"),
            Self::Own(opening) => *opening,
        };
        write!(f, "{}-{}", opens.strftime("%H:%M"), closes.strftime("%H:%M"))?;
        f.write_str(if weekends { " weekends" } else { "" })?;
        f.write_str(if holidays { " holidays" } else { "" })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are no hours: write `business`, `always`, or for instance `08:00-20:00 weekends holidays`")]
pub struct NotHours(String);

impl FromStr for Hours {
    type Err = NotHours;

    fn from_str(text: &str) -> Result<Self, NotHours> {
        let no = || NotHours(text.to_owned());
        let mut words = text.split(' ');
        let span = match words.next() {
            Some("business") if text == "business" => return Ok(Self::Business),
            Some("always") if text == "always" => return Ok(Self::Always),
            span => span.and_then(|s| s.split_once('-')).ok_or_else(no)?,
        };
        let clock = |text: &str| (text.len() == "09:00".len()).then(|| text.parse::<Time>().ok()).flatten();
        let (opens, closes) = (clock(span.0).ok_or_else(no)?, clock(span.1).ok_or_else(no)?);
        let (weekends, holidays) = match words.collect::<Vec<_>>()[..] {
            [] => (false, false),
            ["weekends"] => (true, false),
            ["holidays"] => (false, true),
            ["weekends", "holidays"] => (true, true),
            _ => return Err(no()),
        };
        let opening = Opening { opens, closes, weekends, holidays };
        if opens < closes { Ok(Self::Own(opening)) } else { Err(no()) }
    }
}

impl TryFrom<String> for Hours {
    type Error = NotHours;

    fn try_from(text: String) -> Result<Self, NotHours> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> String {
        hours.to_string()
    }
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
    /// Outside the hours of a day.
    Night,
}

/// A day on which the provider does not work: `12-29` every year, or `2026-08-13` once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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

impl fmt::Display for ClosedDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
            Self::Once(day) => write!(f, "{day}"),
        }
    }
}

impl From<ClosedDay> for String {
    fn from(day: ClosedDay) -> String {
        day.to_string()
    }
}

/// Which calendar it was: enough to have the same one again, years later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// The day on which the official table was taken.
    pub table: String,
    pub closed: BTreeSet<ClosedDay>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the holiday table of `{0}` is not built into this version: prove it with the version that has it")]
pub struct UnknownEdition(String);

/// Which days and hours count.
#[derive(Debug, Clone)]
pub struct Calendar {
    table: &'static str,
    holidays: BTreeMap<Date, &'static str>,
    closed: BTreeSet<ClosedDay>,
    first: Date,
    horizon: Date,
}

impl Calendar {
    /// National holidays from the built-in official table, and the provider's default closed days 29 December to 3 January.
    pub fn japan() -> Self {
        let closed = [(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)];
        let closed = closed.map(|(month, day)| ClosedDay::Yearly { month, day });
        // The list is a constant and not empty.
        let (table, rows) = TABLES[TABLES.len() - 1];
        Self::read(table, rows, closed.into())
    }

    /// The calendar of an earlier day.
    pub fn of(edition: &Edition) -> Result<Self, UnknownEdition> {
        let known = TABLES.iter().find(|(table, _)| *table == edition.table);
        let (table, rows) = known.ok_or_else(|| UnknownEdition(edition.table.clone()))?;
        Ok(Self::read(table, rows, edition.closed.clone()))
    }

    pub fn edition(&self) -> Edition {
        Edition { table: self.table.to_owned(), closed: self.closed.clone() }
    }

    pub fn is(&self, edition: &Edition) -> bool {
        self.table == edition.table && self.closed == edition.closed
    }

    fn read(table: &'static str, rows: &'static str, closed: BTreeSet<ClosedDay>) -> Self {
        let row = |line: &'static str| {
            let (day, name) = line.split_once(',')?;
            Some((day.trim().parse().ok()?, name.trim()))
        };
        let holidays: BTreeMap<Date, &str> = rows.lines().filter_map(row).collect();
        // The table is published for whole years: it is certain to the end of the year of its last row.
        let year = |day: Option<&Date>| day.map_or(1955, |day| day.year());
        let first = Date::constant(year(holidays.keys().next()), 1, 1);
        let horizon = Date::constant(year(holidays.keys().next_back()), 12, 31);
        Self { table, holidays, closed, first, horizon }
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
        self.why_closed(day, BUSINESS).is_none()
    }

    /// When `minutes` of the given hours have passed since `start`.
    pub fn due(&self, start: Timestamp, minutes: i64, hours: Hours) -> Result<Timestamp, BeyondHorizon> {
        self.due_after(start, minutes_long(minutes), hours)
    }

    /// The same for a span that is no whole number of minutes, as is left of a clock that was paused.
    pub fn due_after(&self, start: Timestamp, span: SignedDuration, hours: Hours) -> Result<Timestamp, BeyondHorizon> {
        self.walk(start, span, hours, |_| {})
    }

    /// The same, with every stretch of time on the way. Neighbours of one kind are one step.
    pub fn explain(&self, start: Timestamp, minutes: i64, hours: Hours) -> Result<Explained, BeyondHorizon> {
        let mut steps: Vec<Step> = Vec::new();
        let due = self.walk(start, minutes_long(minutes), hours, |step| match steps.last_mut() {
            Some(last) if last.what == step.what => last.to = step.to,
            _ => steps.push(step),
        })?;
        Ok(Explained { due, steps })
    }

    /// How much of the given hours lies between two times; nothing when `to` is not after `from`.
    pub fn between(&self, from: Timestamp, to: Timestamp, hours: Hours) -> Result<SignedDuration, BeyondHorizon> {
        let mut counted = SignedDuration::ZERO;
        for step in self.stretches(from, hours) {
            let step = step?;
            if step.from >= to {
                break;
            }
            if step.what == What::Counted {
                counted += step.to.min(to).duration_since(step.from);
            }
        }
        Ok(counted)
    }

    /// Every stretch of time between two times, cut to them. Neighbours of one kind are one step.
    pub fn steps(&self, from: Timestamp, to: Timestamp, hours: Hours) -> Result<Vec<Step>, BeyondHorizon> {
        let mut steps: Vec<Step> = Vec::new();
        for step in self.stretches(from, hours) {
            if to <= steps.last().map_or(from, |last| last.to) {
                break;
            }
            let step = step?;
            let step = Step { to: step.to.min(to), ..step };
            match steps.last_mut() {
                Some(last) if last.what == step.what => last.to = step.to,
                _ => steps.push(step),
            }
        }
        Ok(steps)
    }

    /// Goes on from `start` until `left` was counted, and reports what it passes.
    fn walk(
        &self,
        start: Timestamp,
        left: SignedDuration,
        hours: Hours,
        mut pass: impl FnMut(Step),
    ) -> Result<Timestamp, BeyondHorizon> {
        let mut left = left.max(SignedDuration::ZERO);
        for step in self.stretches(start, hours) {
            let step = step?;
            if step.what == What::Counted {
                if left <= step.lasts() {
                    let due = step.from.saturating_add(left).unwrap_or(Timestamp::MAX);
                    if step.from < due {
                        pass(Step { to: due, ..step });
                    }
                    return Ok(due);
                }
                left -= step.lasts();
            }
            pass(step);
        }
        Err(self.beyond())
    }

    /// The time from `start` on, cut wherever it begins or ends to count, without end or to the horizon.
    fn stretches(&self, start: Timestamp, hours: Hours) -> impl Iterator<Item = Result<Step, BeyondHorizon>> {
        let mut at = Some(start);
        iter::from_fn(move || {
            let from = at?;
            let next = self.stretch(from, hours);
            at = next.as_ref().ok().map(|step| step.to).filter(|to| *to < Timestamp::MAX);
            Some(next)
        })
    }

    fn stretch(&self, from: Timestamp, hours: Hours) -> Result<Step, BeyondHorizon> {
        let Some(opening) = hours.opening() else {
            return Ok(Step { from, to: Timestamp::MAX, what: What::Counted });
        };
        let at = in_japan(from);
        let day = at.date();
        if !(self.first..=self.horizon).contains(&day) {
            return Err(self.beyond());
        }
        let (opens, closes) = (day.to_datetime(opening.opens), day.to_datetime(opening.closes));
        let midnight = (day + 1.day()).to_datetime(Time::midnight());
        let (to, what) = match self.why_closed(day, opening) {
            Some(why) => (midnight, why),
            None if at < opens => (opens, What::Night),
            None if at < closes => (closes, What::Counted),
            None => (midnight, What::Night),
        };
        Ok(Step { from, to: from_japan(to), what })
    }

    fn beyond(&self) -> BeyondHorizon {
        BeyondHorizon { first: self.first, horizon: self.horizon }
    }

    fn why_closed(&self, day: Date, opening: Opening) -> Option<What> {
        let yearly = ClosedDay::Yearly { month: day.month(), day: day.day() };
        let holiday = self.holidays.get(&day).filter(|_| !opening.holidays);
        let closed = self.closed.contains(&yearly) || self.closed.contains(&ClosedDay::Once(day));
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        if let Some(name) = holiday {
            Some(What::Holiday { name })
        } else if closed && !opening.holidays {
            Some(What::ClosedDay)
        } else if weekend && !opening.weekends {
            Some(What::Weekend)
        } else {
            None
        }
    }
}

fn minutes_long(minutes: i64) -> SignedDuration {
    SignedDuration::from_secs(minutes.max(0).saturating_mul(60))
}

/// JST, for showing times to people.
pub fn jst() -> TimeZone {
    Offset::constant(9).to_time_zone()
}

/// The wall clock in Japan at `at`.
pub fn in_japan(at: Timestamp) -> DateTime {
    Offset::constant(9).to_datetime(at)
}

pub(crate) fn from_japan(at: DateTime) -> Timestamp {
    // A fixed offset maps every date that a Timestamp gave us back to one.
    Offset::constant(9).to_timestamp(at).unwrap_or(Timestamp::MAX)
}
