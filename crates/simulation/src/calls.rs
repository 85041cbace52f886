//! Whether people were called as REL-09 says: when nobody had taken an incident in time, and when no channel of the
//! customer took a notice.
//!
//! Computed anew from what happened, the contract's minutes and the calendar. The product's own deadlines, which stand in
//! its events, are not asked: a wrong one would agree with the calls that follow from it.

use std::collections::BTreeMap;

use domain::calendar::{Calendar, Hours};
use domain::incident::{Actor, Event, Recorded};
use domain::oncall::{Step, Why};
use domain::{NoticeId, Priority, Timestamp};
use jiff::SignedDuration;

/// How long a channel of the customer may take to confirm a notice.
const CONFIRMATION: SignedDuration = SignedDuration::from_mins(2);
/// A dead process's jobs come back after half a minute, and some die twice.
const SLACK: SignedDuration = SignedDuration::from_mins(3);

/// What is wrong with the calls of one incident, in words.
pub(crate) fn faults(
    events: &[Recorded],
    calendar: &Calendar,
    clock_error: SignedDuration,
    now: Timestamp,
) -> Vec<String> {
    let mut calls = Calls {
        calendar,
        patience: SLACK + clock_error,
        priority: Priority::P3,
        gravest: Priority::P3,
        waiting: None,
        taken: false,
        calls: 0,
        untold: BTreeMap::new(),
        found: Vec::new(),
    };
    for entry in events {
        calls.time_comes(entry.at);
        calls.happened(entry);
    }
    calls.time_comes(now);
    calls.found
}

struct Calls<'a> {
    calendar: &'a Calendar,
    /// How much later than it should a call may come.
    patience: SignedDuration,
    priority: Priority,
    /// Since the clocks were started: a promise is never loosened.
    gravest: Priority,
    /// By when whom is called, while nobody has taken it and the contract's clocks count.
    waiting: Option<[Timestamp; 3]>,
    taken: bool,
    /// Since the clocks were started.
    calls: usize,
    /// Notices that no channel took yet: by when one should have, and whether that was noticed.
    untold: BTreeMap<NoticeId, (Timestamp, bool)>,
    found: Vec<String>,
}

impl Calls<'_> {
    /// Says once what should have happened by now and has not.
    fn time_comes(&mut self, now: Timestamp) {
        if let Some(deadlines) = self.waiting
            && let (Some(deadline), Some(step)) = (deadlines.get(self.calls), Step::ALL.get(self.calls))
            && now.duration_since(*deadline) > self.patience
        {
            self.found.push(format!("nobody took it, and the {} was not called at {deadline}", step.text().en));
            self.waiting = None;
        }
        let patience = self.patience;
        let missed = self.untold.iter_mut().filter(|(_, (by, noticed))| !noticed && now.duration_since(*by) > patience);
        for (notice, (by, noticed)) in missed {
            *noticed = true;
            self.found.push(format!("no channel took notice {notice} by {by}, and nobody was to call the customer"));
        }
    }

    fn happened(&mut self, Recorded { at, by, event }: &Recorded) {
        match event {
            Event::Judged { judgement } => self.rise(judgement.priority, *at),
            Event::PriorityRaised { priority, .. } => self.rise(*priority, *at),
            Event::ClocksStarted { .. } => {
                self.calls = 0;
                self.gravest = self.priority;
                self.waiting = (!self.taken).then(|| self.deadlines(*at));
            }
            Event::Acknowledged => {
                self.taken = true;
                self.waiting = None;
            }
            Event::Reopened { .. } => self.taken = matches!(by, Actor::Person(_)),
            Event::ClocksExcluded { .. } | Event::Closed => self.waiting = None,
            Event::NoticeDecided { notice } => {
                self.untold.insert(notice.id, (*at + CONFIRMATION, false));
            }
            Event::NoticeAccepted { notice, .. } => {
                self.untold.remove(notice);
            }
            Event::NoticeNotConfirmed { notice } => match self.untold.get_mut(notice) {
                Some((by, noticed)) if *at >= *by => *noticed = true,
                _ => self.found.push(format!("notice {notice} counts as not confirmed, but it was, or had time")),
            },
            Event::Paged { page } => self.paged(page.why, page.step, *at),
            _ => {}
        }
    }

    fn paged(&mut self, why: Why, step: Step, at: Timestamp) {
        let deadline = self.waiting.and_then(|deadlines| deadlines.get(self.calls).copied());
        match why {
            Why::NotAcknowledged if deadline.is_some_and(|by| at >= by) && Step::ALL[self.calls] == step => {
                self.calls += 1;
            }
            Why::NotAcknowledged => {
                let step = step.text().en;
                self.found.push(format!("the {step} was called at {at}, when somebody had it or had time to take it"));
            }
            Why::CustomerNotReached(notice) => {
                if !self.untold.contains_key(&notice) {
                    self.found.push(format!("somebody was to call the customer, who had notice {notice}"));
                }
            }
        }
    }

    /// Whatever is graver is promised sooner, from the moment it is known.
    fn rise(&mut self, priority: Priority, at: Timestamp) {
        self.priority = priority;
        if priority < self.gravest {
            self.gravest = priority;
            self.waiting = self.waiting.map(|_| self.deadlines(at));
        }
    }

    /// REL-09. P0: after 5, 6.5 and 8 minutes at any hour. Others: after 30, 39 and 48 minutes of business hours, which is
    /// half of the promised hour and as much more as for P0.
    fn deadlines(&self, from: Timestamp) -> [Timestamp; 3] {
        let (seconds, hours) = match self.gravest {
            Priority::P0 => ([300, 390, 480], Hours::Always),
            _ => ([1800, 2340, 2880], Hours::Business),
        };
        seconds.map(|seconds| {
            let span = SignedDuration::from_secs(seconds);
            self.calendar.due_after(from, span, hours).unwrap_or_else(|_| from + span)
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::clock::{ServiceLevels, Terms};
    use domain::notice::{Delivery, Kind, Notice};
    use domain::oncall::Page;
    use domain::{PageId, Untrusted};

    use super::*;

    /// A Saturday: the SOC is closed until Monday, 2026-04-06 at 09:00.
    fn after(minutes: i64) -> Timestamp {
        let start: Timestamp = "2026-04-04T03:00:00Z".parse().expect("a time");
        start + SignedDuration::from_mins(minutes)
    }

    fn at(minutes: i64, event: Event) -> Recorded {
        Recorded { at: after(minutes), by: Actor::Timekeeper, event }
    }

    fn started(priority: Priority) -> Vec<Recorded> {
        let terms = Box::new(Terms::of(&ServiceLevels::default(), &Calendar::japan()));
        // The product's own deadlines are wrong on purpose: nobody asks them.
        let start = Event::ClocksStarted { terms, targets: None, escalations: [after(0); 3] };
        vec![at(0, Event::PriorityRaised { priority, reason: Untrusted::new("a test") }), at(0, start)]
    }

    fn call(minutes: i64, step: Step, why: Why) -> Recorded {
        let (decided_at, delivery) = (after(minutes), Delivery::Waiting);
        at(
            minutes,
            Event::Paged {
                page: Box::new(Page { id: PageId(1), why, step, to: None, site: None, decided_at, delivery }),
            },
        )
    }

    fn notice() -> Recorded {
        let notice = Notice {
            id: NoticeId(1),
            kind: Kind::First,
            decided_at: after(0),
            next_update: None,
            question: None,
            unconfirmed: false,
            deliveries: BTreeMap::new(),
        };
        at(0, Event::NoticeDecided { notice: Box::new(notice) })
    }

    fn found(events: Vec<Recorded>, more: Vec<Recorded>, until: i64) -> usize {
        let events: Vec<Recorded> = events.into_iter().chain(more).collect();
        faults(&events, &Calendar::japan(), SignedDuration::ZERO, after(until)).len()
    }

    #[test]
    fn a_p0_that_nobody_takes_rises_to_the_lead_at_any_hour() {
        let why = Why::NotAcknowledged;
        let calls = |count| {
            let calls = [call(5, Step::NextAnalyst, why), call(7, Step::NextSite, why), call(8, Step::Lead, why)];
            calls.into_iter().take(count).collect::<Vec<_>>()
        };
        assert_eq!(found(started(Priority::P0), calls(3), 600), 0);
        assert_eq!(found(started(Priority::P0), calls(2), 600), 1, "the lead was not called");
        assert_eq!(found(started(Priority::P0), calls(0), 600), 1, "nobody was");
        assert_eq!(found(started(Priority::P0), vec![call(4, Step::NextAnalyst, why)], 6), 1, "too early");
        assert_eq!(found(started(Priority::P0), vec![call(5, Step::Lead, why)], 6), 1, "not their turn");
        let taken = vec![at(3, Event::Acknowledged)];
        assert_eq!(found(started(Priority::P0), taken.clone(), 600), 0);
        let late = taken.into_iter().chain(calls(1)).collect();
        assert_eq!(found(started(Priority::P0), late, 600), 1, "somebody has it");
    }

    #[test]
    fn others_are_called_for_in_business_hours_and_a_rise_is_called_for_at_once() {
        let monday = 45 * 60;
        assert_eq!(found(started(Priority::P2), Vec::new(), monday), 0, "the weekend is no waiting time");
        assert_eq!(found(started(Priority::P2), Vec::new(), monday + 40), 1);
        let rise = || vec![at(60, Event::PriorityRaised { priority: Priority::P0, reason: Untrusted::new("graver") })];
        assert_eq!(found(started(Priority::P2), rise(), 64), 0);
        assert_eq!(found(started(Priority::P2), rise(), 69), 1);
    }

    #[test]
    fn a_customer_whom_no_channel_reaches_is_called() {
        let not_confirmed = |minutes| at(minutes, Event::NoticeNotConfirmed { notice: NoticeId(1) });
        let call = || call(2, Step::NextAnalyst, Why::CustomerNotReached(NoticeId(1)));
        assert_eq!(found(vec![notice()], vec![not_confirmed(2), call()], 600), 0);
        assert_eq!(found(vec![notice()], Vec::new(), 600), 1, "nobody noticed");
        assert_eq!(found(vec![notice()], vec![not_confirmed(1)], 2), 1, "too early");
        assert_eq!(found(Vec::new(), vec![call()], 600), 1, "of a notice that was never sent");
    }
}
