//! Folds one event into the state. It decides nothing and refuses nothing: what happened has happened.

use super::*;
use crate::action::State;
use crate::alert::Initiator;
use crate::clock::Pause;
use crate::notice::{self, Delivery, Route};
use crate::reason::Ground;
use crate::rules::{RuleId, Strength};

impl Incident {
    /// The state right after the first event, `None` when that event does not open an incident.
    pub(super) fn opened_by(tenant: &TenantId, id: IncidentId, first: &Recorded) -> Option<Self> {
        let Event::Received { alert, class, refers_to, grounds } = &first.event else { return None };
        let mut incident = Self {
            id,
            tenant: tenant.clone(),
            received_at: first.at,
            phase: Phase::Triaged,
            verdict: Verdict::Undetermined,
            verdict_given: None,
            // Stands until the floor has spoken, in the same transaction.
            judgement: Judgement {
                rule: RuleId::R23,
                verdict: Verdict::Undetermined,
                priority: Priority::P3,
                strength: Strength::Weak,
                grounds: Vec::new(),
                modifiers: Vec::new(),
            },
            dfir: false,
            clocks: None,
            cycle: 0,
            escalations: None,
            pace: None,
            refers_to: *refers_to,
            repeats: grounds.iter().find_map(|ground| match ground {
                Ground::RepeatOf { incident, verdict, equal } => {
                    Some(Repeat { incident: *incident, verdict: *verdict, equal: equal.clone() })
                }
                _ => None,
            }),
            title: alert.name.clone(),
            alerts: Vec::new(),
            alert_count: 0,
            hosts: BTreeMap::new(),
            assigned: None,
            acknowledged: None,
            actions: BTreeMap::new(),
            notices: BTreeMap::new(),
            questions: BTreeMap::new(),
            pages: BTreeMap::new(),
            notes: Vec::new(),
            presented: Vec::new(),
            evidence: BTreeMap::new(),
            answers: 0,
            console_writes: BTreeSet::new(),
            troubles: Vec::new(),
            version: 1,
        };
        incident.keep(alert, *class, first.at);
        Some(incident)
    }

    /// Folds one event in.
    pub fn apply(&mut self, recorded: &Recorded) {
        let Recorded { at, by, event } = recorded;
        self.version += 1;
        match event {
            Event::Received { .. } => {}
            Event::AlertJoined { alert, class, .. } => self.keep(alert, *class, *at),
            Event::AlertChanged { alert } => {
                if let Some(known) = self.alerts.iter_mut().find(|a| a.id == alert.id) {
                    known.clone_from(alert);
                }
            }
            Event::Judged { judgement } => {
                self.rise_to(judgement.priority, *at);
                if self.verdict_given.is_none() {
                    self.verdict = judgement.verdict;
                }
                self.judgement = judgement.clone();
            }
            Event::PriorityRaised { priority, .. } => {
                self.rise_to(*priority, *at);
                self.judgement.priority = *priority;
            }
            Event::ClocksStarted { .. }
            | Event::TargetsMoved { .. }
            | Event::ClocksPaused { .. }
            | Event::ClocksResumed { .. }
            | Event::ClocksExcluded { .. } => self.keep_time(&recorded.event, *at),
            Event::DfirDeclared => self.dfir = true,
            Event::ActionDecided { action } => {
                self.actions.insert(action.id, (**action).clone());
            }
            Event::ActionIntended { action } => self.act(*action, |a| a.state = State::IntentRecorded),
            Event::ActionSent { action, at } => self.act(*action, |a| {
                a.state = State::Sent;
                a.sent_at.get_or_insert(*at);
                a.sends = a.sends.saturating_add(1);
            }),
            Event::ActionAccepted { action } => self.act(*action, |a| a.state = State::Accepted),
            Event::ActionAnswerLost { action, why } => {
                self.act(*action, |a| a.state = State::Unknown { why: why.clone() });
            }
            Event::ActionVerified { action, how } => self.act(*action, |a| {
                a.state = State::Verified { how: *how };
                a.settled_at = Some(*at);
            }),
            Event::ActionRefused { action, why } => self.act(*action, |a| {
                a.state = State::Refused { why: why.clone() };
                a.settled_at = Some(*at);
            }),
            Event::NoticeNotConfirmed { notice } => {
                if let Some(notice) = self.notices.get_mut(notice) {
                    notice.unconfirmed = true;
                }
            }
            Event::Paged { page } => {
                self.pages.insert(page.id, (**page).clone());
            }
            Event::PageAccepted { page, reference, accepted_at } => {
                let delivery = Delivery::Accepted { at: *accepted_at, reference: reference.clone() };
                self.deliver_page(*page, delivery);
            }
            Event::PageFailed { page, why } => self.deliver_page(*page, Delivery::Failed { why: why.clone() }),
            Event::NoticeDecided { notice } => {
                self.notices.insert(notice.id, (**notice).clone());
            }
            Event::NoticeAccepted { notice, route, reference, accepted_at } => {
                let delivery = Delivery::Accepted { at: *accepted_at, reference: reference.clone() };
                self.deliver(*notice, *route, delivery);
                self.told(*notice, *accepted_at);
            }
            Event::NoticeFailed { notice, route, why } => {
                self.deliver(*notice, *route, Delivery::Failed { why: why.clone() });
            }
            Event::EvidenceGathered { evidence } => {
                self.answers = self.answers.max(evidence.id.0);
                self.evidence.retain(|_, earlier| earlier.answer.inquiry != evidence.answer.inquiry);
                self.evidence.insert(evidence.id, (**evidence).clone());
            }
            Event::InquiryRepeated { .. } => {}
            Event::ConsoleUpdated { write, .. } => {
                self.console_writes.insert(write.clone());
            }
            Event::Acknowledged => {
                if let Actor::Person(by) = by {
                    self.acknowledged = Some(Acknowledged { by: by.clone(), at: *at });
                    self.phase = self.phase.max(Phase::Acknowledged);
                    if let Some(clocks) = &mut self.clocks {
                        clocks.acknowledged.get_or_insert(*at);
                    }
                }
            }
            Event::Assigned { to } => self.assigned = Some(to.clone()),
            Event::NoteAdded { visibility, text } => {
                if let Actor::Person(by) = by {
                    self.notes.push(Note { by: by.clone(), at: *at, visibility: *visibility, text: text.clone() });
                }
                // Whoever writes down what they see is analysing.
                if self.phase == Phase::Acknowledged {
                    self.phase = Phase::Analysing;
                }
            }
            Event::QuestionAsked { question } => {
                self.questions.insert(question.id, (**question).clone());
                // What the floor asks by itself is no step of a person: the first response is still owed.
                if question.by.is_some() {
                    self.phase = Phase::Asked;
                }
            }
            Event::QuestionReminded { question, hours } => {
                if let Some(asked) = self.questions.get_mut(question) {
                    asked.reminded = Some(*hours);
                }
            }
            Event::AnswerOverdue { question, verdict } => {
                if let Some(asked) = self.questions.get_mut(question) {
                    asked.overdue_at = Some(*at);
                }
                if let Some(verdict) = verdict {
                    let by = VerdictBy::Silence(*question);
                    self.verdict_given = Some(VerdictGiven { by, at: *at, reason: Untrusted::new("") });
                    self.verdict = *verdict;
                }
                self.phase = match (verdict, &self.acknowledged) {
                    (Some(_), Some(_)) => Phase::Answered,
                    (None, Some(_)) => Phase::Analysing,
                    // The verdict stands, and yet a person owes a first look.
                    (_, None) => self.phase,
                };
            }
            Event::AnswerRecorded { question, answer } => {
                if let Some(asked) = self.questions.get_mut(question) {
                    asked.answer = Some(answer.clone());
                }
                if self.acknowledged.is_some() && self.verdict_given.is_none() {
                    self.phase = Phase::Analysing;
                }
            }
            Event::AnalysisPresented { text } => {
                if let Actor::Person(by) = by {
                    let visibility = Visibility::Customer;
                    self.presented.push(Note { by: by.clone(), at: *at, visibility, text: text.clone() });
                }
                if self.phase < Phase::Analysing {
                    self.phase = Phase::Analysing;
                }
            }
            Event::VerdictGiven { verdict, reason } => {
                if let Actor::Person(by) = by {
                    let by = VerdictBy::Person(by.clone());
                    self.verdict_given = Some(VerdictGiven { by, at: *at, reason: reason.clone() });
                }
                self.verdict = *verdict;
                self.phase = Phase::Answered;
            }
            Event::Closed => self.phase = Phase::Closed,
            Event::Reopened { .. } => {
                // Whoever reopens it has seen it. When nobody did, somebody has to.
                self.acknowledged = match by {
                    Actor::Person(by) => Some(Acknowledged { by: by.clone(), at: *at }),
                    _ => None,
                };
                self.phase = if self.acknowledged.is_some() { Phase::Analysing } else { Phase::Triaged };
                self.verdict_given = None;
                // What a person said no longer stands, so the floor's word does until the next one; so with the times.
                self.verdict = self.judgement.verdict;
                self.clocks = None;
                self.escalations = None;
            }
            Event::JobGaveUp { what } => self.troubles.push(what.clone()),
        }
    }

    fn keep(&mut self, alert: &Alert, class: Class, at: Timestamp) {
        self.alert_count = self.alert_count.saturating_add(1);
        if alert.detection.initiated_by == Initiator::FullDiskScan {
            self.pace.get_or_insert_default().add(at);
        }
        if self.alerts.len() < MAX_ALERTS {
            self.alerts.push(alert.clone());
        }
        if self.hosts.len() < MAX_HOSTS {
            let host = || Host { name: alert.endpoint.name.clone(), class, first_seen: at };
            self.hosts.entry(alert.endpoint.agent.clone()).or_insert_with(host);
        }
    }

    fn keep_time(&mut self, event: &Event, at: Timestamp) {
        if let Event::ClocksStarted { terms, targets, escalations } = event {
            let mut clocks = Clocks::start((**terms).clone(), at, self.priority());
            clocks.targets = *targets;
            clocks.acknowledged = self.acknowledged.as_ref().map(|a| a.at.max(at));
            self.clocks = Some(clocks);
            self.cycle = self.cycle.saturating_add(1);
            self.escalations = Some(*escalations);
            return;
        }
        let Some(clocks) = &mut self.clocks else { return };
        match event {
            Event::TargetsMoved { targets, escalations } => {
                clocks.targets = *targets;
                self.escalations = escalations.or(self.escalations);
            }
            Event::ClocksPaused { why, from } => clocks.pauses.push(Pause { why: *why, from: *from, to: None }),
            Event::ClocksResumed { why, targets } => {
                for pause in clocks.pauses.iter_mut().filter(|p| p.why == *why && p.to.is_none()) {
                    pause.to = Some(at);
                }
                clocks.targets = *targets;
            }
            Event::ClocksExcluded { exclusion } => clocks.excluded = Some(exclusion.clone()),
            _ => {}
        }
    }

    /// A graver priority promises anew from now on; a milder one loosens nothing.
    fn rise_to(&mut self, priority: Priority, at: Timestamp) {
        if let Some(clocks) = &mut self.clocks
            && priority < clocks.gravest()
        {
            clocks.promised.push((at, priority));
        }
    }

    /// What it means to the clocks that a channel took a notice.
    fn told(&mut self, notice: NoticeId, at: Timestamp) {
        let Some(notice) = self.notices.get(&notice) else { return };
        if let Some(question) = notice.question.and_then(|id| self.questions.get_mut(&id))
            && notice.kind != notice::Kind::Reminder
        {
            question.told_at.get_or_insert(at);
        }
        let Some(clocks) = &mut self.clocks else { return };
        // A notice of the cycle before says nothing of this one.
        if notice.decided_at < clocks.started {
            return;
        }
        clocks.first_notice.get_or_insert(at);
        if matches!(notice.kind, notice::Kind::Verdict | notice::Kind::Analysis) {
            clocks.analysed.get_or_insert(at);
        }
    }

    fn deliver_page(&mut self, id: PageId, delivery: Delivery) {
        if let Some(page) = self.pages.get_mut(&id) {
            page.delivery = delivery;
        }
    }

    fn act(&mut self, id: ActionId, change: impl FnOnce(&mut Action)) {
        if let Some(action) = self.actions.get_mut(&id) {
            change(action);
        }
    }

    fn deliver(&mut self, id: NoticeId, route: Route, delivery: Delivery) {
        if let Some(notice) = self.notices.get_mut(&id) {
            notice.deliveries.insert(route, delivery);
        }
    }
}
