//! What time alone brings about: reminders, the end of 72 hours, calls for people.
//!
//! `next_alarm` is read from the state, so a deadline can neither be forgotten nor fire twice: when what it waits for has
//! happened, it is no longer there. Whoever wakes the incident, at whatever time, says `Command::LetTimePass`.

use jiff::SignedDuration;

use super::*;
use crate::clock::PauseReason;
use crate::notice::{self, Delivery};
use crate::oncall::{Step, Why};

/// How long a channel of the customer may take to confirm a notice (REL-09).
const CONFIRMATION: SignedDuration = SignedDuration::from_mins(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    /// No channel of the customer took the notice.
    Unconfirmed(NoticeId),
    /// Nobody took the incident.
    Unacknowledged(Step),
    Reminder(QuestionId),
    Silence(QuestionId),
}

impl Incident {
    /// When time alone will change something. May lie in the past, after an outage.
    pub fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms().map(|(at, _)| at).min()
    }

    fn alarms(&self) -> impl Iterator<Item = (Timestamp, Alarm)> {
        let question = self.waiting_question();
        let silence = question.and_then(|q| Some((q.deadline()?, Alarm::Silence(q.id))));
        let reminder = question.and_then(|q| Some((q.next_reminder()?.1, Alarm::Reminder(q.id))));
        let unconfirmed = self.notices.values().filter(|n| !n.unconfirmed && n.told_at().is_none()).map(|n| {
            let at = n.decided_at.saturating_add(CONFIRMATION).unwrap_or(Timestamp::MAX);
            (at, Alarm::Unconfirmed(n.id))
        });
        silence.into_iter().chain(reminder).chain(self.unacknowledged()).chain(unconfirmed)
    }

    fn unacknowledged(&self) -> Option<(Timestamp, Alarm)> {
        let clocks = self.clocks.as_ref()?;
        let counts = self.phase.is_open() && self.acknowledged.is_none() && clocks.excluded.is_none();
        let calls = self.pages_of_cycle().filter(|p| p.why == Why::NotAcknowledged).count();
        let step = Step::ALL.get(calls).filter(|_| counts)?;
        Some((*self.escalations?.get(calls)?, Alarm::Unacknowledged(*step)))
    }

    /// Calls since the clocks were started.
    pub fn pages_of_cycle(&self) -> impl Iterator<Item = &Page> {
        let started = self.clocks.as_ref().map_or(self.received_at, |c| c.started);
        self.pages.values().filter(move |page| page.decided_at >= started)
    }
}

impl Draft<'_> {
    /// Each alarm that has come removes itself by what is recorded for it.
    pub(super) fn let_time_pass(&mut self) {
        let now = self.context.now;
        while let Some((_, alarm)) = self.incident.alarms().filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at) {
            match alarm {
                Alarm::Unconfirmed(notice) => self.not_confirmed(notice),
                Alarm::Unacknowledged(step) => self.page(Why::NotAcknowledged, step),
                Alarm::Reminder(question) => self.remind(question),
                Alarm::Silence(question) => self.rule_silence(question),
            }
        }
    }

    /// One person calls the customer, however many notices are stuck meanwhile.
    fn not_confirmed(&mut self, notice: NoticeId) {
        let called_already = self.incident.notices.values().any(|n| n.unconfirmed && n.told_at().is_none());
        self.push(Actor::Timekeeper, Event::NoticeNotConfirmed { notice });
        if !called_already {
            self.page(Why::CustomerNotReached(notice), Step::NextAnalyst);
        }
    }

    /// After an outage, one reminder stands for all that were missed.
    fn remind(&mut self, id: QuestionId) {
        let now = self.context.now;
        let due = self.incident.questions.get(&id).and_then(|q| q.reminder_due(now));
        if let Some(hours) = due {
            self.push(Actor::Timekeeper, Event::QuestionReminded { question: id, hours });
            // After the deadline nobody is reminded of it.
            if self.incident.questions.get(&id).and_then(Question::deadline).is_some_and(|end| now < end) {
                self.tell_of(notice::Kind::Reminder, Some(id));
            }
        }
    }

    /// R12: silence makes an undetermined verdict suspicious. What was done stays done, and a person still closes it (REL-24).
    fn rule_silence(&mut self, question: QuestionId) {
        let verdict = (self.incident.verdict == Verdict::Undetermined).then_some(Verdict::Suspicious);
        self.push(Actor::Timekeeper, Event::AnswerOverdue { question, verdict });
        self.resume(Actor::Timekeeper, PauseReason::CustomerAnswer);
        if verdict.is_some() {
            self.tell(notice::Kind::Verdict);
        }
    }

    fn page(&mut self, why: Why, step: Step) {
        let called: Vec<PersonId> =
            self.incident.pages_of_cycle().filter_map(|p| Some(p.to.as_ref()?.person.clone())).collect();
        let Context { roster, now, .. } = self.context;
        let whom = roster.whom(step, now, &called);
        let page = Page {
            id: PageId(next_number(&self.incident.pages, |id| id.0)),
            why,
            step,
            to: whom.map(|(who, _)| who.clone()),
            site: whom.and_then(|(_, site)| site.cloned()),
            decided_at: now,
            delivery: Delivery::Waiting,
        };
        self.push(Actor::Timekeeper, Event::Paged { page: Box::new(page) });
    }
}
