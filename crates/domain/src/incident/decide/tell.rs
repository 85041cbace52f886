//! Which messages to the customer follow, and what each promises.

use super::*;
use crate::clock::PauseReason;
use crate::notice::{self, Delivery, Route};
use jiff::SignedDuration;

/// After the analysis was presented, the customer hears again within a day.
const NEXT_WORD_HOURS: i64 = 24;

impl Draft<'_> {
    pub(super) fn tell(&mut self, kind: notice::Kind) {
        self.tell_of(kind, None);
    }

    /// The same about a question, which the message asks or reminds of.
    pub(super) fn tell_of(&mut self, kind: notice::Kind, question: Option<QuestionId>) {
        let deliveries: BTreeMap<_, _> = self.context.tenant.routes().map(|r| (r, Delivery::Waiting)).collect();
        // What a notice says is taken from the incident when it is sent: an update that still gathers will say this, too.
        // One that may be on its way already may have been written without it.
        let gathers = |n: &Notice| {
            n.kind == notice::Kind::Update && self.context.now.duration_since(n.decided_at) < effect::TAKES_MORE
        };
        let said_already = kind == notice::Kind::Update && self.incident.notices.values().any(gathers);
        if deliveries.is_empty() || said_already {
            return;
        }
        let notice = Notice {
            id: NoticeId(next_number(&self.incident.notices, |id| id.0)),
            kind,
            decided_at: self.context.now,
            next_update: self.next_update(kind, question),
            question,
            unconfirmed: false,
            deliveries,
        };
        self.push(Actor::RuleFloor, Event::NoticeDecided { notice: Box::new(notice) });
    }

    /// Each notice but the last promises the time of the next.
    fn next_update(&self, kind: notice::Kind, question: Option<QuestionId>) -> Option<Timestamp> {
        let now = self.context.now;
        let deadline = || question.and_then(|id| self.incident.questions.get(&id)).map(Question::announced_deadline);
        match kind {
            notice::Kind::Verdict => None,
            notice::Kind::Question | notice::Kind::Reminder => deadline(),
            _ if self.incident.dfir => now.checked_add(SignedDuration::from_hours(1)).ok(),
            // What was promised when the analysis was to be presented has been kept: the next word is the verdict.
            notice::Kind::Analysis => now.checked_add(SignedDuration::from_hours(NEXT_WORD_HOURS)).ok(),
            _ => self.incident.clocks.as_ref()?.targets.map(|t| t.analysis.max(now)),
        }
    }

    /// A channel took a notice. From then on the customer holds an analyst's question, and our clock stands still.
    pub(super) fn told(&mut self, notice: NoticeId, accepted: Event, accepted_at: Timestamp) {
        let responded = self.has_responded();
        self.push(Actor::Notifier, accepted);
        self.start_analysis(responded);
        let asks = self.incident.notices.get(&notice).filter(|n| n.kind == notice::Kind::Question);
        let waiting = self.incident.waiting_question().map(|q| q.id);
        if asks.is_some_and(|n| n.question.is_some() && n.question == waiting) {
            self.pause(Actor::Notifier, PauseReason::CustomerAnswer, accepted_at);
        }
    }

    pub(super) fn page_waits(&self, page: PageId) -> Result<bool, Refused> {
        let known = self.incident.pages.get(&page).ok_or(Refused::NoSuchPage(page))?;
        Ok(!matches!(known.delivery, Delivery::Accepted { .. }))
    }

    pub(super) fn delivery_waits(&self, notice: NoticeId, route: Route) -> Result<bool, Refused> {
        let known = self.incident.notices.get(&notice).ok_or(Refused::NoSuchNotice(notice))?;
        Ok(!matches!(known.deliveries.get(&route), Some(Delivery::Accepted { .. }) | None))
    }
}
