//! The contract's clocks: started, brought forward, paused, resumed, excluded. Their arithmetic is `clock`'s.

use super::*;
use crate::alert::Initiator;
use crate::clock::{AnalysisFrom, Clocks, Exclusion, PauseReason, Targets, Terms, escalations};

impl Draft<'_> {
    /// After a judgement: starts the clocks when none run, and brings the promises forward when the priority rose.
    pub(super) fn keep_promises(&mut self, gravest_before: Option<Priority>) {
        let Some(clocks) = &self.incident.clocks else { return self.start_clocks() };
        let gravest = clocks.gravest();
        if gravest_before.is_some_and(|before| gravest >= before) {
            return;
        }
        if clocks.excluded.is_some() && gravest == Priority::P0 {
            return self.start_clocks();
        }
        let Context { calendar, now, .. } = self.context;
        let targets = self.targets(clocks);
        let waits = self.incident.acknowledged.is_none();
        let escalations = waits.then(|| escalations(&clocks.terms, now, gravest, calendar));
        self.push(Actor::RuleFloor, Event::TargetsMoved { targets, escalations });
    }

    /// On the contract and the calendar of this moment.
    fn start_clocks(&mut self) {
        let Context { tenant, calendar, now, .. } = self.context;
        let terms = Terms::of(&tenant.service_levels, calendar);
        let priority = self.incident.priority();
        let targets = self.targets(&Clocks::start(terms.clone(), now, priority));
        let escalations = escalations(&terms, now, priority, calendar);
        self.push(Actor::RuleFloor, Event::ClocksStarted { terms: Box::new(terms), targets, escalations });
    }

    fn targets(&self, clocks: &Clocks) -> Option<Targets> {
        clocks.targets_at(self.context.now, self.context.calendar).ok()
    }

    /// Where the contract starts the analysis with the first response, that has just been given.
    pub(super) fn start_analysis(&mut self, responded_before: bool) {
        let Some(clocks) = &self.incident.clocks else { return };
        let now_known = clocks.terms.service_levels.analysis_from == AnalysisFrom::FirstResponse;
        if now_known && !responded_before && clocks.responded().is_some() {
            let targets = self.targets(clocks);
            self.push(Actor::RuleFloor, Event::TargetsMoved { targets, escalations: None });
        }
    }

    pub(super) fn has_responded(&self) -> bool {
        self.incident.clocks.as_ref().is_some_and(|c| c.responded().is_some())
    }

    /// Does nothing when it stands still for that reason already.
    pub(super) fn pause(&mut self, by: Actor, why: PauseReason, from: Timestamp) {
        let Some(clocks) = &self.incident.clocks else { return };
        if !self.is_paused_for(why) {
            let from = from.max(clocks.started);
            self.push(by, Event::ClocksPaused { why, from });
        }
    }

    /// Does nothing when it does not stand still for that reason.
    pub(super) fn resume(&mut self, by: Actor, why: PauseReason) {
        if !self.is_paused_for(why) {
            return;
        }
        let Some(mut clocks) = self.incident.clocks.clone() else { return };
        for pause in clocks.pauses.iter_mut().filter(|p| p.why == why && p.to.is_none()) {
            pause.to = Some(self.context.now);
        }
        let targets = self.targets(&clocks);
        self.push(by, Event::ClocksResumed { why, targets });
    }

    pub(super) fn is_paused_for(&self, why: PauseReason) -> bool {
        self.incident.clocks.as_ref().is_some_and(|c| c.pauses.iter().any(|p| p.why == why && p.to.is_none()))
    }

    /// A storm of a first full-disk scan does not count, as long as everything in it was stopped before it ran.
    pub(super) fn exclude_storm(&mut self, newest: &Alert) {
        let (Some(clocks), Some(pace)) = (&self.incident.clocks, &self.incident.pace) else { return };
        let harmless =
            |a: &Alert| a.detection.initiated_by == Initiator::FullDiskScan && a.is_mitigated() && !a.was_executed();
        if !harmless(newest) {
            if clocks.excluded.is_some() {
                self.start_clocks();
            }
            return;
        }
        let Some(site) = &newest.endpoint.site else { return };
        let Context { tenant, now, .. } = self.context;
        let rolling_out = tenant.rollouts.iter().any(|r| r.holds(site.for_matching(), now));
        let (alerts, threshold) = (pace.in_the_last_hour(), clocks.terms.service_levels.storm_alerts_per_hour);
        let grave = self.incident.priority() == Priority::P0;
        let counted = clocks.excluded.is_none();
        if rolling_out && counted && !grave && alerts > threshold && self.incident.alerts.iter().all(harmless) {
            let exclusion = Exclusion::FirstScanStorm { site: site.clone(), alerts, threshold };
            self.push(Actor::RuleFloor, Event::ClocksExcluded { exclusion });
            self.tell(notice::Kind::Update);
        }
    }
}
