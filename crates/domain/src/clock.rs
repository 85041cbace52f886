//! The contract's clocks for one incident: by when a first response and the analysis are promised, and what became of it.
//!
//! Everything is computed from a start, the rises in priority and the pauses, on the terms and the calendar that held at
//! the start. Nothing counts down: a due time is where the counted hours end. `proof` computes it again from the events.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calendar::{BeyondHorizon, Calendar, Edition, Hours, UnknownEdition};
use crate::judgement::Priority;
use crate::language::Text;
use crate::untrusted::Untrusted;

mod proof;
#[cfg(test)]
mod tests;

pub use proof::{Cycle, Unproved, prove};

/// What one contract promises, by priority. The default: P0 10 and 30 minutes, P1-P3 60 and 60, business hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceLevels {
    pub p0: Promise,
    pub p1: Promise,
    pub p2: Promise,
    pub p3: Promise,
    /// What counts as the first response. Both are measured all the same.
    pub first_response: FirstResponse,
    pub analysis_from: AnalysisFrom,
    /// More alerts than this of one site within an hour, in its roll-out window, are the storm of a first full-disk scan.
    pub storm_alerts_per_hour: u32,
}

/// Minutes of certain hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    pub first_response_minutes: u16,
    pub analysis_minutes: u16,
    #[serde(default)]
    pub hours: Hours,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstResponse {
    /// A person took it (T3b).
    #[default]
    AnalystAck,
    /// A channel of the customer took the automatic notice (T3a).
    AutoFirstNotice,
}

/// Where the analysis clock starts. From the receipt (T2) is the stricter reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisFrom {
    #[default]
    Receipt,
    FirstResponse,
}

impl Default for ServiceLevels {
    fn default() -> Self {
        let promise = |first_response_minutes, analysis_minutes| Promise {
            first_response_minutes,
            analysis_minutes,
            hours: Hours::Business,
        };
        let (grave, other) = (promise(10, 30), promise(60, 60));
        Self {
            p0: grave,
            p1: other,
            p2: other,
            p3: other,
            first_response: FirstResponse::default(),
            analysis_from: AnalysisFrom::default(),
            storm_alerts_per_hour: 50,
        }
    }
}

impl ServiceLevels {
    pub fn promise(&self, priority: Priority) -> Promise {
        match priority {
            Priority::P0 => self.p0,
            Priority::P1 => self.p1,
            Priority::P2 => self.p2,
            Priority::P3 => self.p3,
        }
    }
}

/// What the clocks of one cycle were started on: the contract and the calendar of that moment. A later contract or a
/// newer holiday table changes nothing of what was promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub service_levels: ServiceLevels,
    pub calendar: Edition,
}

impl Terms {
    pub fn of(service_levels: &ServiceLevels, calendar: &Calendar) -> Self {
        Self { service_levels: service_levels.clone(), calendar: calendar.edition() }
    }

    /// The calendar of these terms: `at_hand` when it is the one.
    pub fn calendar<'a>(&self, at_hand: &'a Calendar) -> Result<Cow<'a, Calendar>, UnknownEdition> {
        if at_hand.is(&self.calendar) {
            Ok(Cow::Borrowed(at_hand))
        } else {
            Calendar::of(&self.calendar).map(Cow::Owned)
        }
    }
}

/// Due times of one cycle. During a pause they are those of the moment it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    pub first_response: Timestamp,
    pub analysis: Timestamp,
}

/// Why no due time can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    #[error(transparent)]
    Beyond(#[from] BeyondHorizon),
    #[error(transparent)]
    Unknown(#[from] UnknownEdition),
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    FirstResponse,
    Analysis,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::FirstResponse, Self::Analysis];

    pub fn name(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::Analysis => "analysis",
        }
    }

    pub fn text(self) -> Text {
        match self {
            Self::FirstResponse => Text::new("初動対応", "First response"),
            Self::Analysis => Text::new("分析結果の提示", "Analysis presented"),
        }
    }
}

/// The only reasons for which a clock stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// From the moment a channel took an analyst's question until the answer, or the end of its 72 hours.
    CustomerAnswer,
    /// The customer asked to wait.
    CustomerHold,
}

impl PauseReason {
    pub fn text(self) -> Text {
        match self {
            Self::CustomerAnswer => Text::new("お客様のご回答待ち", "waiting for the customer's answer"),
            Self::CustomerHold => Text::new("お客様のご依頼による保留", "on hold at the customer's request"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub why: PauseReason,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
}

/// Why an incident does not count against the service levels. The customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The storm of a first full-disk scan: this many alerts of one site within one hour of its roll-out window.
    FirstScanStorm { site: Untrusted, alerts: u32, threshold: u32 },
}

/// The clocks from one start to the next: an incident that is reopened begins a new cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    pub terms: Terms,
    /// The receipt (T2), or the reopening.
    pub started: Timestamp,
    /// The priority at the start, and each rise after it.
    pub promised: Vec<(Timestamp, Priority)>,
    pub pauses: Vec<Pause>,
    /// T3a.
    pub first_notice: Option<Timestamp>,
    /// T3b.
    pub acknowledged: Option<Timestamp>,
    /// T4: a channel took the first notice that holds a person's verdict so far, its grounds and a recommendation.
    pub analysed: Option<Timestamp>,
    pub excluded: Option<Exclusion>,
    /// As recorded when they last changed; `None` beyond the calendar's horizon.
    pub targets: Option<Targets>,
}

/// Where a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Running,
    /// Waits for the customer.
    Paused,
    /// Running, and past its time.
    Overdue,
    Met,
    Missed,
    Excluded,
    /// Beyond the calendar's horizon: nothing was promised.
    Unpromised,
}

impl Clocks {
    pub fn start(terms: Terms, started: Timestamp, priority: Priority) -> Self {
        Self {
            terms,
            started,
            promised: vec![(started, priority)],
            pauses: Vec::new(),
            first_notice: None,
            acknowledged: None,
            analysed: None,
            excluded: None,
            targets: None,
        }
    }

    /// When the first response was given, in the meaning of the contract.
    pub fn responded(&self) -> Option<Timestamp> {
        match self.terms.service_levels.first_response {
            FirstResponse::AnalystAck => self.acknowledged,
            FirstResponse::AutoFirstNotice => self.first_notice,
        }
    }

    pub fn stopped(&self, kind: Kind) -> Option<Timestamp> {
        match kind {
            Kind::FirstResponse => self.responded(),
            Kind::Analysis => self.analysed,
        }
    }

    /// The pause that lasts, if one does. The first response to a P0 never pauses.
    pub fn paused(&self, kind: Kind) -> Option<&Pause> {
        self.pauses.iter().find(|p| p.to.is_none()).filter(|_| self.can_pause(kind))
    }

    fn can_pause(&self, kind: Kind) -> bool {
        kind == Kind::Analysis || self.gravest() != Priority::P0
    }

    /// The gravest priority of this cycle: a promise is never loosened.
    pub fn gravest(&self) -> Priority {
        self.promised.iter().map(|(_, priority)| *priority).min().unwrap_or(Priority::P3)
    }

    /// What is recorded of the due time.
    pub fn due(&self, kind: Kind) -> Option<Timestamp> {
        self.targets.map(|t| match kind {
            Kind::FirstResponse => t.first_response,
            Kind::Analysis => t.analysis,
        })
    }

    pub fn state(&self, kind: Kind, now: Timestamp) -> State {
        let Some(due) = self.due(kind) else { return State::Unpromised };
        // Given during a pause that began in time: what was recorded is the due time of that beginning.
        let in_a_pause = |at: Timestamp| {
            let holds = |p: &Pause| p.from <= due && p.from <= at && p.to.is_none_or(|to| at <= to);
            self.can_pause(kind) && self.pauses.iter().any(holds)
        };
        match self.stopped(kind) {
            _ if self.excluded.is_some() => State::Excluded,
            Some(at) if at <= due || in_a_pause(at) => State::Met,
            Some(_) => State::Missed,
            None if self.paused(kind).is_some_and(|pause| pause.from <= due) => State::Paused,
            None if now <= due => State::Running,
            None => State::Overdue,
        }
    }

    /// The promise that runs now and when it falls due: the first response until it is given, then the analysis.
    pub fn running(&self) -> Option<(Kind, Timestamp)> {
        let kind = Kind::ALL.into_iter().find(|kind| self.stopped(*kind).is_none())?;
        let waits = self.excluded.is_some() || self.paused(kind).is_some();
        self.due(kind).filter(|_| !waits).map(|due| (kind, due))
    }

    /// Both due times, computed anew. A pause that lasts is taken to end at `now`; what comes after a clock stopped no
    /// longer moves it.
    pub fn targets_at(&self, now: Timestamp, calendar: &Calendar) -> Result<Targets, NoTarget> {
        let calendar = self.terms.calendar(calendar)?;
        let until = |kind| self.stopped(kind).map_or(now, |at| at.min(now));
        let first_response = self.due_from(Kind::FirstResponse, None, until(Kind::FirstResponse), &calendar)?;
        let from = match self.terms.service_levels.analysis_from {
            AnalysisFrom::Receipt => None,
            AnalysisFrom::FirstResponse => Some(self.responded().unwrap_or(first_response)),
        };
        let analysis = self.due_from(Kind::Analysis, from, until(Kind::Analysis), &calendar)?;
        Ok(Targets { first_response, analysis })
    }

    /// Each rise promises anew from its own moment; whichever promise ends first holds.
    fn due_from(
        &self,
        kind: Kind,
        not_before: Option<Timestamp>,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Result<Timestamp, BeyondHorizon> {
        let mut earliest = Timestamp::MAX;
        for &(at, priority) in &self.promised {
            let Promise { first_response_minutes, analysis_minutes, hours } =
                self.terms.service_levels.promise(priority);
            let minutes = if kind == Kind::FirstResponse { first_response_minutes } else { analysis_minutes };
            let from = not_before.map_or(at, |earliest| earliest.max(at));
            let left = SignedDuration::from_mins(minutes.into());
            earliest = earliest.min(self.walk(kind, from, left, hours, now, calendar)?);
        }
        Ok(earliest)
    }

    /// Counts `left` of the hours from `from` on, without what was paused.
    fn walk(
        &self,
        kind: Kind,
        from: Timestamp,
        mut left: SignedDuration,
        hours: Hours,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Result<Timestamp, BeyondHorizon> {
        let mut at = from;
        let pauses = if self.can_pause(kind) { self.pauses.as_slice() } else { &[] };
        let mut pauses: Vec<(Timestamp, Timestamp)> =
            pauses.iter().map(|p| (p.from, p.to.unwrap_or(now).min(now))).filter(|(begin, end)| begin < end).collect();
        pauses.sort_unstable();
        for (begin, end) in pauses {
            if end <= at {
                continue;
            }
            let counted = calendar.between(at, begin, hours)?;
            // Over before this pause began: a pause cannot mend what is late.
            if left <= counted && calendar.due_after(at, left, hours)? <= begin {
                break;
            }
            left -= counted;
            at = end.max(at);
        }
        calendar.due_after(at, left, hours)
    }
}

/// When people are reminded that nobody has taken an incident (REL-09): the next analyst, then the next site, then a lead.
/// A P0 at any hour; others when half, two thirds and four fifths of their first response have passed, in their hours.
pub fn escalations(terms: &Terms, from: Timestamp, priority: Priority, calendar: &Calendar) -> [Timestamp; 3] {
    let Promise { first_response_minutes, hours, .. } = terms.service_levels.promise(priority);
    let whole = SignedDuration::from_mins(first_response_minutes.into());
    let (shares, hours) = match priority {
        // 5, 6.5 and 8 minutes, or sooner where less than ten minutes are promised.
        Priority::P0 => {
            ([50, 65, 80].map(|percent| whole.min(SignedDuration::from_mins(10)) * percent / 100), Hours::Always)
        }
        _ => ([50, 65, 80].map(|percent| whole * percent / 100), hours),
    };
    // Without a calendar nobody knows whether the SOC is closed: in doubt, call (REL-24).
    let at = |span| {
        terms
            .calendar(calendar)
            .ok()
            .and_then(|calendar| calendar.due_after(from, span, hours).ok())
            .unwrap_or_else(|| from.saturating_add(span).unwrap_or(Timestamp::MAX))
    };
    shares.map(at)
}
