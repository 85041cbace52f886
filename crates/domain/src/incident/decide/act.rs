//! Which actions a judgement calls for, with what authority, and what the console answered.

use super::*;
use crate::action::{self, Authority, Kind, Proof, State, Target};
use crate::alert::Signature;
use crate::endpoint::Network;
use crate::reason::Ground;
use crate::rules::{self, Automatic};

impl Draft<'_> {
    /// Decides every action that the matched rule calls for and that is neither done nor decided yet, on what is kept and
    /// on `newest`, which may be beyond it.
    pub(super) fn plan_actions(&mut self, newest: Option<&Alert>) {
        if !self.context.tenant.connected || !self.incident.phase.is_open() {
            return;
        }
        let beyond = newest.filter(|a| self.incident.alert(&a.id).is_none());
        let automatic = rules::rule(self.incident.judgement.rule).automatic;
        for step in automatic {
            match step {
                Automatic::Kill => self.plan_on_files(Kind::Kill, beyond),
                Automatic::Quarantine => self.plan_on_files(Kind::Quarantine, beyond),
                Automatic::Isolate => self.plan_isolation(beyond),
                Automatic::DfirMode => {}
            }
        }
    }

    pub(super) fn plan_on_files(&mut self, kind: Kind, beyond: Option<&Alert>) {
        let wanted: Vec<(Target, Option<Ground>)> = self
            .incident
            .alerts
            .iter()
            .chain(beyond)
            .filter(|a| !a.is_mitigated() && (kind == Kind::Quarantine || a.was_executed()))
            .map(|a| (self.target(a, true), self.doubt(a)))
            .collect();
        for (target, hold) in wanted {
            self.decide_action(kind, target, hold);
        }
    }

    pub(super) fn plan_isolation(&mut self, beyond: Option<&Alert>) {
        let wanted: Vec<Target> = self
            .incident
            .alerts
            .iter()
            .chain(beyond)
            .filter(|a| a.was_executed() && a.endpoint.is_named() && a.endpoint.network != Network::Isolated)
            .map(|a| self.target(a, false))
            .collect();
        for target in wanted {
            self.decide_action(Kind::Isolate, target, None);
        }
    }

    pub(super) fn target(&self, alert: &Alert, on_file: bool) -> Target {
        Target {
            agent: alert.endpoint.agent.clone(),
            endpoint: alert.endpoint.name.clone(),
            class: self.incident.class_of(&alert.endpoint.agent),
            alert: on_file.then(|| alert.id.clone()),
        }
    }

    /// A validly signed file is not touched automatically unless the attack itself is beyond doubt.
    pub(super) fn doubt(&self, alert: &Alert) -> Option<Ground> {
        let beyond_doubt = self.incident.judgement.rule <= RuleId::R04;
        match &alert.file.signature {
            Signature::Valid { publisher } if !beyond_doubt => Some(Ground::ValidSignature(publisher.clone())),
            _ => None,
        }
    }

    pub(super) fn decide_action(&mut self, kind: Kind, target: Target, hold: Option<Ground>) {
        let same = |a: &Action| a.kind == kind && a.target.agent == target.agent && a.target.alert == target.alert;
        if self.incident.actions.values().any(same) {
            return;
        }
        let Judgement { rule, strength, .. } = self.incident.judgement;
        let authority = match hold {
            Some(ground) => Authority::Ask(vec![ground]),
            None => action::authorise(kind, target.class, strength, &self.context.tenant.policy),
        };
        let (state, grounds) = match authority {
            Authority::PreAuthorised(grounds) => (State::PreAuthorised, grounds),
            Authority::Ask(grounds) => (State::Proposed, grounds),
        };
        let action = Action {
            id: ActionId(next_number(&self.incident.actions, |id| id.0)),
            kind,
            target,
            rule,
            grounds,
            state,
            decided_at: self.context.now,
            sent_at: None,
            settled_at: None,
            sends: 0,
        };
        self.push(Actor::RuleFloor, Event::ActionDecided { action: Box::new(action) });
    }

    pub(super) fn action_in(&self, id: ActionId, allowed: impl Fn(&State) -> bool) -> Result<&Action, Refused> {
        let action = self.incident.actions.get(&id).ok_or(Refused::NoSuchAction(id))?;
        if allowed(&action.state) {
            Ok(action)
        } else {
            Err(Refused::WrongActionState { action: id, state: Box::new(action.state.clone()) })
        }
    }

    pub(super) fn report_send(&mut self, action: ActionId, at: Timestamp, answer: SendAnswer) -> Result<(), Refused> {
        self.action_in(action, |s| matches!(s, State::IntentRecorded))?;
        self.push(Actor::Actuator, Event::ActionSent { action, at });
        match answer {
            SendAnswer::Accepted => self.push(Actor::Actuator, Event::ActionAccepted { action }),
            SendAnswer::Lost { why } => self.push(Actor::Actuator, Event::ActionAnswerLost { action, why }),
            SendAnswer::Refused { why } => {
                self.push(Actor::Actuator, Event::ActionRefused { action, why });
                self.tell_when_settled();
            }
        }
        Ok(())
    }

    pub(super) fn confirm_action(&mut self, action: ActionId, how: Proof) -> Result<(), Refused> {
        self.action_in(action, State::is_running)?;
        self.push(Actor::Actuator, Event::ActionVerified { action, how });
        self.tell_when_settled();
        Ok(())
    }

    /// Once every automatic action has ended, the customer hears how.
    pub(super) fn tell_when_settled(&mut self) {
        if self.incident.actions_settled() && self.incident.phase.is_open() {
            self.tell(notice::Kind::Update);
        }
    }
}
