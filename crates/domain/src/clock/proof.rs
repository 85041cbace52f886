//! The clocks once more, from the events alone: what a monthly page claims can be proved years later.
//!
//! Starts, rises, pauses and stops are taken from what happened (a channel took a question, an answer came), not from what
//! was recorded of the clocks; due times are computed on the terms pinned at the start. Where the two differ, it says so.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Clocks, Kind, Pause, PauseReason, State, Targets};
use crate::calendar::Calendar;
use crate::ids::{IncidentId, NoticeId, QuestionId, TenantId};
use crate::incident::{Actor, Event, Incident, Recorded};
use crate::judgement::Priority;
use crate::notice;

/// The clocks from one start to the next, as the events prove them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    pub clocks: Clocks,
    /// Where the record says otherwise, in words. Empty when all is well.
    pub differences: Vec<String>,
}

impl Cycle {
    pub fn state(&self, kind: Kind, now: Timestamp) -> State {
        self.clocks.state(kind, now)
    }
}

/// The events do not begin with the receipt of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these events do not begin with the receipt of an alert")]
pub struct Unproved;

/// Proves the clocks of one incident as of `now`.
pub fn prove(
    tenant: &TenantId,
    id: IncidentId,
    events: &[Recorded],
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Vec<Cycle>, Unproved> {
    let (first, rest) = events.split_first().ok_or(Unproved)?;
    let record = Incident::replay(tenant, id, [first]).ok_or(Unproved)?;
    let mut proof = Proof { record, calendar, facts: Facts::default(), cycles: Vec::new(), open: None };
    for entry in rest {
        proof.take(entry);
    }
    proof.end_cycle(now);
    Ok(proof.cycles)
}

struct Proof<'a> {
    /// What the product itself makes of the same events.
    record: Incident,
    calendar: &'a Calendar,
    facts: Facts,
    cycles: Vec<Cycle>,
    open: Option<Cycle>,
}

/// What is known beside the clocks.
#[derive(Default)]
struct Facts {
    priority: Option<Priority>,
    taken_at: Option<Timestamp>,
    by_person: BTreeMap<QuestionId, bool>,
    /// The newest question, while nothing ended the wait for its answer.
    waiting: Option<QuestionId>,
    /// A verdict stands: what is asked after it holds nothing up.
    decided: bool,
    notices: BTreeMap<NoticeId, (notice::Kind, Option<QuestionId>, Timestamp)>,
}

impl Proof<'_> {
    fn take(&mut self, entry: &Recorded) {
        let at = entry.at;
        if matches!(entry.event, Event::Reopened { .. } | Event::ClocksStarted { .. }) {
            self.end_cycle(at);
        }
        self.derive(entry);
        self.record.apply(entry);
        self.compare(entry);
    }

    /// What the event means to the clocks.
    fn derive(&mut self, entry: &Recorded) {
        let Recorded { at, by, event } = entry;
        match event {
            Event::Judged { judgement } => self.rise(judgement.priority, *at),
            Event::PriorityRaised { priority, .. } => self.rise(*priority, *at),
            Event::ClocksStarted { terms, .. } => {
                let priority = self.facts.priority.unwrap_or(Priority::P3);
                let mut clocks = Clocks::start((**terms).clone(), *at, priority);
                clocks.acknowledged = self.facts.taken_at.map(|taken| taken.max(*at));
                self.open = Some(Cycle { clocks, differences: Vec::new() });
            }
            Event::Acknowledged => {
                self.facts.taken_at.get_or_insert(*at);
                self.clocks(|c| c.acknowledged = c.acknowledged.or(Some(*at)));
            }
            Event::Reopened { .. } => {
                self.facts.taken_at = matches!(by, Actor::Person(_)).then_some(*at);
                self.facts.waiting = None;
                self.facts.decided = false;
            }
            Event::QuestionAsked { question } => {
                self.facts.by_person.insert(question.id, question.by.is_some());
                self.facts.waiting = Some(question.id);
            }
            Event::NoticeDecided { notice } => {
                self.facts.notices.insert(notice.id, (notice.kind, notice.question, notice.decided_at));
            }
            Event::NoticeAccepted { notice, accepted_at, .. } => self.told(*notice, *accepted_at),
            Event::AnswerRecorded { .. } | Event::AnswerOverdue { .. } | Event::VerdictGiven { .. } => {
                self.facts.waiting = None;
                self.facts.decided |= matches!(event, Event::VerdictGiven { .. })
                    || matches!(event, Event::AnswerOverdue { verdict: Some(_), .. });
                self.end_pause(PauseReason::CustomerAnswer, *at);
            }
            // A hold is a person's word and has no other trace.
            Event::ClocksPaused { why: PauseReason::CustomerHold, from } => {
                self.begin_pause(PauseReason::CustomerHold, *from);
            }
            Event::ClocksResumed { why: PauseReason::CustomerHold, .. } => {
                self.end_pause(PauseReason::CustomerHold, *at);
            }
            Event::ClocksExcluded { exclusion } => self.clocks(|c| c.excluded = Some(exclusion.clone())),
            _ => {}
        }
    }

    fn told(&mut self, notice: NoticeId, at: Timestamp) {
        let Some(&(kind, question, decided_at)) = self.facts.notices.get(&notice) else { return };
        let Some(cycle) = &mut self.open else { return };
        if decided_at >= cycle.clocks.started {
            cycle.clocks.first_notice.get_or_insert(at);
            if matches!(kind, notice::Kind::Verdict | notice::Kind::Analysis) {
                cycle.clocks.analysed.get_or_insert(at);
            }
        }
        let asked = question.is_some_and(|id| self.facts.by_person.get(&id) == Some(&true));
        if kind == notice::Kind::Question && asked && question == self.facts.waiting && !self.facts.decided {
            self.begin_pause(PauseReason::CustomerAnswer, at);
        }
    }

    fn rise(&mut self, priority: Priority, at: Timestamp) {
        self.facts.priority = Some(priority);
        self.clocks(|c| {
            if priority < c.gravest() {
                c.promised.push((at, priority));
            }
        });
    }

    fn begin_pause(&mut self, why: PauseReason, from: Timestamp) {
        self.clocks(|c| {
            if !c.pauses.iter().any(|p| p.why == why && p.to.is_none()) {
                let from = from.max(c.started);
                c.pauses.push(Pause { why, from, to: None });
            }
        });
    }

    fn end_pause(&mut self, why: PauseReason, at: Timestamp) {
        self.clocks(|c| c.pauses.iter_mut().filter(|p| p.why == why && p.to.is_none()).for_each(|p| p.to = Some(at)));
    }

    fn clocks(&mut self, change: impl FnOnce(&mut Clocks)) {
        if let Some(cycle) = &mut self.open {
            change(&mut cycle.clocks);
        }
    }

    /// Each due time that was recorded, against the one that the events give at that moment.
    fn compare(&mut self, entry: &Recorded) {
        let recorded: Option<Targets> = match &entry.event {
            Event::ClocksStarted { targets, .. }
            | Event::TargetsMoved { targets, .. }
            | Event::ClocksResumed { targets, .. } => *targets,
            _ => return,
        };
        let Some(cycle) = &mut self.open else { return };
        let proved = cycle.clocks.targets_at(entry.at, self.calendar).ok();
        if proved != recorded {
            let name = entry.event.name();
            cycle
                .differences
                .push(format!("`{name}` at {} recorded {recorded:?}; the events give {proved:?}", entry.at));
        }
    }

    /// The cycle as a whole, against the state that the product keeps.
    fn end_cycle(&mut self, now: Timestamp) {
        let Some(mut cycle) = self.open.take() else { return };
        cycle.clocks.targets = cycle.clocks.targets_at(now, self.calendar).ok();
        if let Some(kept) = &self.record.clocks {
            let same = |what: &str, equal: bool| (!equal).then(|| format!("{what} differ from the record's {kept:?}"));
            let proved = &cycle.clocks;
            let found = [
                same("the start or the terms", (proved.started, &proved.terms) == (kept.started, &kept.terms)),
                same("the priorities", proved.promised == kept.promised),
                same("the pauses", proved.pauses == kept.pauses),
                same(
                    "the stops",
                    (proved.first_notice, proved.acknowledged, proved.analysed)
                        == (kept.first_notice, kept.acknowledged, kept.analysed),
                ),
            ];
            cycle.differences.extend(found.into_iter().flatten());
            for kind in Kind::ALL.into_iter().filter(|kind| proved.state(*kind, now) != kept.state(*kind, now)) {
                let (proved, kept) = (proved.state(kind, now), kept.state(kind, now));
                cycle.differences.push(format!("{} is {proved:?}, the record says {kept:?}", kind.name()));
            }
        }
        self.cycles.push(cycle);
    }
}
