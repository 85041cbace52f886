//! Folds one event into the state. It decides nothing and refuses nothing: what happened has happened.

use super::*;
use crate::action::State;
use crate::notice::{Delivery, Route};
use crate::rules::{RuleId, Strength};

impl Incident {
    /// The state right after the first event, `None` when that event does not open an incident.
    pub(super) fn opened_by(tenant: &TenantId, id: IncidentId, first: &Recorded) -> Option<Self> {
        let Event::Received { alert, class, refers_to, .. } = &first.event else { return None };
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
            targets: None,
            refers_to: *refers_to,
            title: alert.name.clone(),
            alerts: Vec::new(),
            alert_count: 0,
            hosts: BTreeMap::new(),
            assigned: None,
            acknowledged: None,
            actions: BTreeMap::new(),
            notices: BTreeMap::new(),
            questions: BTreeMap::new(),
            notes: Vec::new(),
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
            Event::Judged { judgement, targets } => {
                self.targets = match (self.targets, targets) {
                    (Some(old), Some(new)) => Some(old.earlier_of(*new)),
                    (old, new) => new.or(old),
                };
                if self.verdict_given.is_none() {
                    self.verdict = judgement.verdict;
                }
                self.judgement = judgement.clone();
            }
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
            Event::NoticeDecided { notice } => {
                self.notices.insert(notice.id, (**notice).clone());
            }
            Event::NoticeAccepted { notice, route, reference, accepted_at } => {
                let delivery = Delivery::Accepted { at: *accepted_at, reference: reference.clone() };
                self.deliver(*notice, *route, delivery);
            }
            Event::NoticeFailed { notice, route, why } => {
                self.deliver(*notice, *route, Delivery::Failed { why: why.clone() });
            }
            Event::ConsoleUpdated { write, .. } => {
                self.console_writes.insert(write.clone());
            }
            Event::Acknowledged => {
                if let Actor::Person(by) = by {
                    self.acknowledged = Some(Acknowledged { by: by.clone(), at: *at });
                    self.phase = self.phase.max(Phase::Acknowledged);
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
                self.phase = Phase::Asked;
            }
            Event::AnswerRecorded { question, answer } => {
                if let Some(asked) = self.questions.get_mut(question) {
                    asked.answer = Some(answer.clone());
                }
                self.phase = Phase::Analysing;
            }
            Event::VerdictGiven { verdict, reason } => {
                if let Actor::Person(by) = by {
                    self.verdict_given = Some(VerdictGiven { by: by.clone(), at: *at, reason: reason.clone() });
                }
                self.verdict = *verdict;
                self.phase = Phase::Answered;
            }
            Event::Closed => self.phase = Phase::Closed,
            Event::Reopened { .. } => {
                self.phase = if self.acknowledged.is_some() { Phase::Analysing } else { Phase::Triaged };
                self.verdict_given = None;
                // What a person said no longer stands, so the floor's word does until the next one; so with the times.
                self.verdict = self.judgement.verdict;
                self.targets = None;
            }
            Event::JobGaveUp { what } => self.troubles.push(what.clone()),
        }
    }

    fn keep(&mut self, alert: &Alert, class: Class, at: Timestamp) {
        self.alert_count = self.alert_count.saturating_add(1);
        if self.alerts.len() < MAX_ALERTS {
            self.alerts.push(alert.clone());
        }
        if self.hosts.len() < MAX_HOSTS {
            let host = || Host { name: alert.endpoint.name.clone(), class, first_seen: at };
            self.hosts.entry(alert.endpoint.agent.clone()).or_insert_with(host);
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
