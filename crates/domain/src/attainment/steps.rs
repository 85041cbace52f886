//! Why a promise falls due when it does: every stretch of time from its start, counted or not and for what reason.
//!
//! Written apart from the arithmetic in `clock`, on purpose: `due` is computed here anew, and a proof that shows another one
//! than the clocks' shows a fault in one of the two.

use jiff::{SignedDuration, Timestamp};

use crate::calendar::{BeyondHorizon, Calendar, Hours, What};
use crate::clock::{AnalysisFrom, Clocks, Kind, PauseReason, Promise};
use crate::judgement::Priority;

/// A due time with the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The promise that holds: that of the start, or of a rise in priority.
    pub priority: Priority,
    pub minutes: u16,
    pub hours: Hours,
    /// Without a gap from where the promise began to where it falls due.
    pub stretches: Vec<Stretch>,
    pub due: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub from: Timestamp,
    pub to: Timestamp,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Counted, or closed for a reason of the calendar.
    Hours(What),
    Paused(PauseReason),
}

impl Stretch {
    pub fn lasts(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }

    pub fn counts(&self) -> bool {
        self.why == Why::Hours(What::Counted)
    }
}

impl Explained {
    /// What was counted: as many minutes as were promised.
    pub fn counted(&self) -> SignedDuration {
        self.stretches.iter().filter(|s| s.counts()).map(Stretch::lasts).sum()
    }
}

/// The way to one due time, as of `now`, on the calendar of the clocks' own terms.
pub fn explain(clocks: &Clocks, kind: Kind, now: Timestamp, calendar: &Calendar) -> Result<Explained, BeyondHorizon> {
    let not_before = match (kind, clocks.terms.service_levels.analysis_from) {
        (Kind::FirstResponse, _) | (Kind::Analysis, AnalysisFrom::Receipt) => None,
        (Kind::Analysis, AnalysisFrom::FirstResponse) => Some(match clocks.responded() {
            Some(at) => at,
            None => explain(clocks, Kind::FirstResponse, now, calendar)?.due,
        }),
    };
    let until = clocks.stopped(kind).map_or(now, |at| at.min(now));
    let mut first: Option<Explained> = None;
    for &(at, priority) in &clocks.promised {
        let from = not_before.map_or(at, |bound| bound.max(at));
        let one = promised(clocks, kind, priority, from, until, calendar)?;
        if first.as_ref().is_none_or(|other| one.due < other.due) {
            first = Some(one);
        }
    }
    // A clock is never without a first promise; were it, what it promises is nothing, at once.
    first.map_or_else(|| promised(clocks, kind, Priority::P3, clocks.started, until, calendar), Ok)
}

fn promised(
    clocks: &Clocks,
    kind: Kind,
    priority: Priority,
    from: Timestamp,
    until: Timestamp,
    calendar: &Calendar,
) -> Result<Explained, BeyondHorizon> {
    let Promise { first_response_minutes, analysis_minutes, hours } = clocks.terms.service_levels.promise(priority);
    let minutes = if kind == Kind::FirstResponse { first_response_minutes } else { analysis_minutes };
    let mut pauses: Vec<(Timestamp, Timestamp, PauseReason)> = clocks
        .pauses
        .iter()
        .filter(|_| kind == Kind::Analysis || clocks.gravest() != Priority::P0)
        .map(|p| (p.from, p.to.map_or(until, |to| to.min(until)), p.why))
        .collect();
    pauses.sort_unstable();
    let (mut at, mut left, mut stretches) = (from, SignedDuration::from_mins(minutes.into()), Vec::new());
    let mut go = |at: Timestamp, to: Timestamp| -> Result<SignedDuration, BeyondHorizon> {
        let mut counted = SignedDuration::ZERO;
        for step in calendar.steps(at, to, hours)? {
            if step.what == What::Counted {
                counted += step.lasts();
            }
            stretches.push(Stretch { from: step.from, to: step.to, why: Why::Hours(step.what) });
        }
        Ok(counted)
    };
    let mut held = Vec::new();
    for (begin, end, why) in pauses {
        let begin = begin.max(at);
        // A pause that begins when the time is up already cannot mend what is late.
        if end <= begin || calendar.due_after(at, left, hours)? <= begin {
            continue;
        }
        left -= go(at, begin)?;
        held.push(Stretch { from: begin, to: end, why: Why::Paused(why) });
        at = end;
    }
    let due = calendar.due_after(at, left, hours)?;
    go(at, due)?;
    stretches.extend(held);
    stretches.sort_by_key(|s| (s.from, s.to));
    Ok(Explained { priority, minutes, hours, stretches, due })
}
