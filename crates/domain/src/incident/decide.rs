//! What each command leads to. The whole life of an incident is the match in `decide`.

use super::*;
use crate::action::{self, Authority, Kind, Proof, State, Target};
use crate::alert::{MitigationState, Signature};
use crate::endpoint::Network;
use crate::notice::{self, Delivery, Route};
use crate::question::Answer;
use crate::reason::Ground;
use crate::rules::{self, Automatic, RuleId};

/// Shortest reason for a verdict, in characters. The customer's report quotes it.
const MIN_REASON: usize = 5;

/// Why it is judged once more.
#[derive(Default)]
struct Look {
    new_host: bool,
    reopened: bool,
    /// What is said at least.
    floor: Option<Judgement>,
}

/// A decision being written down: each event is folded in at once, so later steps see what earlier ones decided.
struct Draft<'a> {
    incident: Incident,
    events: Vec<Recorded>,
    context: Context<'a>,
}

impl Incident {
    /// What a first alert leads to: it is received, judged, acted upon and told.
    pub fn open(
        id: IncidentId,
        alert: Alert,
        refers_to: Option<IncidentId>,
        grounds: Vec<Ground>,
        context: Context<'_>,
    ) -> (Self, Vec<Recorded>) {
        let class = context.tenant.policy.class_of(&alert.endpoint);
        let event = Event::Received { alert: Box::new(alert), class, refers_to, grounds };
        let received = Recorded { at: context.now, by: Actor::Intake, event };
        // `opened_by` accepts every `Received` event, and this is one.
        let incident = Self::opened_by(&context.tenant.id, id, &received).expect("a `Received` event opens");
        let mut draft = Draft { incident, events: vec![received], context };
        draft.judge_first();
        (draft.incident, draft.events)
    }

    /// Says what `command` leads to, without doing any of it. An empty list means that nothing changes.
    pub fn decide(&self, command: Command, context: Context<'_>) -> Result<Vec<Recorded>, Refused> {
        let mut draft = Draft { incident: self.clone(), events: Vec::new(), context };
        match command {
            Command::TakeAlert { alert, rule, grounds } => draft.take_alert(&alert, rule, grounds),
            Command::UpdateAlert { alert } => draft.update_alert(&alert),
            Command::Acknowledge { by } => draft.acknowledge(&by)?,
            Command::Assign { to, by } => {
                draft.must_be_open()?;
                draft.person(&by, Event::Assigned { to });
            }
            Command::AddNote { by, visibility, text } => {
                if text.for_matching().trim().is_empty() {
                    return Err(Refused::EmptyText);
                }
                draft.person(&by, Event::NoteAdded { visibility, text });
            }
            Command::Ask { by, addition } => draft.ask(&by, addition)?,
            Command::RecordAnswer { by, question, meaning, words } => {
                draft.record_answer(&by, question, meaning, words)?;
            }
            Command::GiveVerdict { by, verdict, reason } => draft.give_verdict(&by, verdict, reason)?,
            Command::Close { by } => draft.close(&by)?,
            Command::Reopen { by, reason } => draft.reopen(&by, reason)?,
            Command::IntendAction { action } => {
                draft.action_in(action, |s| matches!(s, State::PreAuthorised | State::Unknown { .. }))?;
                draft.push(Actor::Actuator, Event::ActionIntended { action });
            }
            Command::ReportSend { action, sent_at, answer } => draft.report_send(action, sent_at, answer)?,
            Command::ConfirmAction { action, how } => draft.confirm_action(action, how)?,
            Command::RefuseAction { action, why } => {
                draft.action_in(action, State::is_running)?;
                draft.push(Actor::Actuator, Event::ActionRefused { action, why });
                draft.tell_when_settled();
            }
            Command::ConfirmNotice { notice, route, reference, accepted_at } => {
                if draft.delivery_waits(notice, route)? {
                    let event = Event::NoticeAccepted { notice, route, reference, accepted_at };
                    draft.push(Actor::Notifier, event);
                }
            }
            Command::FailNotice { notice, route, why } => {
                if draft.delivery_waits(notice, route)? {
                    draft.push(Actor::Notifier, Event::NoticeFailed { notice, route, why });
                }
            }
            Command::ConfirmConsole { write, alerts } => {
                draft.push(Actor::Actuator, Event::ConsoleUpdated { write, alerts });
            }
            Command::GiveUpJob { by, what } => draft.push(by, Event::JobGaveUp { what }),
        }
        Ok(draft.events)
    }
}

impl Draft<'_> {
    fn push(&mut self, by: Actor, event: Event) {
        let recorded = Recorded { at: self.context.now, by, event };
        self.incident.apply(&recorded);
        self.events.push(recorded);
    }

    fn person(&mut self, by: &PersonId, event: Event) {
        self.push(Actor::Person(by.clone()), event);
    }

    fn must_be_open(&self) -> Result<(), Refused> {
        if self.incident.phase.is_open() { Ok(()) } else { Err(Refused::Closed) }
    }

    // ── alerts and judgement ────────────────────────────────────────────────────────────────────────────────────────

    fn judge_first(&mut self) {
        let judgement = self.judgement();
        self.record_judgement(judgement);
        self.plan_actions(None);
        self.tell(notice::Kind::First);
    }

    fn judgement(&self) -> Judgement {
        let Incident { alerts, judgement, .. } = &self.incident;
        alerts.last().map_or_else(|| judgement.clone(), |newest| self.incident.judged(newest))
    }

    fn record_judgement(&mut self, judgement: Judgement) {
        let Context { tenant, calendar, now } = self.context;
        // Both clocks start at receipt, which is when the first judgement is made, or anew when it is reopened. A rise in
        // priority promises the earlier of the old time and now plus the new one.
        let targets = tenant.service_levels.targets(judgement.priority, now, calendar).ok();
        let dfir = rules::rule(judgement.rule).automatic.contains(&Automatic::DfirMode);
        self.push(Actor::RuleFloor, Event::Judged { judgement, targets });
        if dfir && !self.incident.dfir {
            self.push(Actor::RuleFloor, Event::DfirDeclared);
        }
    }

    fn take_alert(&mut self, alert: &Alert, rule: RuleId, grounds: Vec<Ground>) {
        let class = self.context.tenant.policy.class_of(&alert.endpoint);
        let new_host = !self.incident.hosts.contains_key(&alert.endpoint.agent);
        let reopened = !self.incident.phase.is_open();
        if reopened {
            let event = Event::Reopened { rule: Some(rule), grounds: grounds.clone(), reason: None };
            self.push(Actor::RuleFloor, event);
        }
        // What was said of it before was said of something else.
        let floor = (rule == RuleId::R20).then(|| rules::by_the_table(rule, grounds.clone()));
        self.push(Actor::Intake, Event::AlertJoined { alert: Box::new(alert.clone()), class, rule, grounds });
        self.look_again(alert, Look { new_host, reopened, floor });
    }

    fn update_alert(&mut self, alert: &Alert) {
        let Some(known) = self.incident.alert(&alert.id) else {
            // Beyond what is kept here: the store has its record, and what it shows now counts all the same.
            return self.look_again(alert, Look::default());
        };
        let quiet = Alert { version: known.version, ..alert.clone() } == *known;
        if quiet {
            return;
        }
        let new_behaviour = (alert.was_executed() && !known.was_executed())
            || alert.detection.techniques.iter().any(|t| !known.detection.techniques.contains(t));
        let reopened = new_behaviour && !self.incident.phase.is_open();
        if reopened {
            let grounds = vec![Ground::Techniques(alert.detection.techniques.clone())];
            self.push(Actor::RuleFloor, Event::Reopened { rule: None, grounds, reason: None });
        }
        self.push(Actor::Intake, Event::AlertChanged { alert: Box::new(alert.clone()) });
        self.look_again(alert, Look { reopened, ..Look::default() });
    }

    /// Judges once more, because of `newest`. New evidence can only raise what was said, never lower it.
    fn look_again(&mut self, newest: &Alert, look: Look) {
        let (before, after) = (self.incident.judgement.clone(), self.incident.judged(newest));
        let after = match look.floor {
            Some(floor) => after.graver_of(floor),
            None => after,
        };
        let raised = after.priority < before.priority;
        let news = after.adds_to(&before);
        let mut reopened = look.reopened;
        if raised && !self.incident.phase.is_open() {
            let grounds = after.grounds.clone();
            self.push(Actor::RuleFloor, Event::Reopened { rule: None, grounds, reason: None });
            reopened = true;
        }
        if news || reopened {
            self.record_judgement(if news { after.not_below(&before) } else { before });
        }
        self.plan_actions(Some(newest));
        if raised || (look.new_host && self.incident.priority() <= Priority::P1) {
            self.tell(notice::Kind::Update);
        }
    }

    // ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Decides every action that the matched rule calls for and that is neither done nor decided yet, on what is kept and
    /// on `newest`, which may be beyond it.
    fn plan_actions(&mut self, newest: Option<&Alert>) {
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

    fn plan_on_files(&mut self, kind: Kind, beyond: Option<&Alert>) {
        let wanted: Vec<(Target, Option<Ground>)> = self
            .incident
            .alerts
            .iter()
            .chain(beyond)
            .filter(|a| !a.is_mitigated() && (kind == Kind::Quarantine || a.was_executed()))
            .map(|a| (self.target(a, true), self.hold(a)))
            .collect();
        for (target, hold) in wanted {
            self.decide_action(kind, target, hold);
        }
    }

    fn plan_isolation(&mut self, beyond: Option<&Alert>) {
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

    fn target(&self, alert: &Alert, on_file: bool) -> Target {
        Target {
            agent: alert.endpoint.agent.clone(),
            endpoint: alert.endpoint.name.clone(),
            class: self.incident.class_of(&alert.endpoint.agent),
            alert: on_file.then(|| alert.id.clone()),
        }
    }

    /// A validly signed file is not touched automatically unless the attack itself is beyond doubt.
    fn hold(&self, alert: &Alert) -> Option<Ground> {
        let beyond_doubt = self.incident.judgement.rule <= RuleId::R04;
        match &alert.file.signature {
            Signature::Valid { publisher } if !beyond_doubt => Some(Ground::ValidSignature(publisher.clone())),
            _ => None,
        }
    }

    fn decide_action(&mut self, kind: Kind, target: Target, hold: Option<Ground>) {
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

    fn action_in(&self, id: ActionId, allowed: impl Fn(&State) -> bool) -> Result<&Action, Refused> {
        let action = self.incident.actions.get(&id).ok_or(Refused::NoSuchAction(id))?;
        if allowed(&action.state) {
            Ok(action)
        } else {
            Err(Refused::WrongActionState { action: id, state: Box::new(action.state.clone()) })
        }
    }

    fn report_send(&mut self, action: ActionId, at: Timestamp, answer: SendAnswer) -> Result<(), Refused> {
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

    fn confirm_action(&mut self, action: ActionId, how: Proof) -> Result<(), Refused> {
        self.action_in(action, State::is_running)?;
        self.push(Actor::Actuator, Event::ActionVerified { action, how });
        self.tell_when_settled();
        Ok(())
    }

    /// Once every automatic action has ended, the customer hears how.
    fn tell_when_settled(&mut self) {
        if self.incident.actions_settled() && self.incident.phase.is_open() {
            self.tell(notice::Kind::Update);
        }
    }

    // ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

    fn tell(&mut self, kind: notice::Kind) {
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
            next_update: self.next_update(kind),
            deliveries,
        };
        self.push(Actor::RuleFloor, Event::NoticeDecided { notice: Box::new(notice) });
    }

    /// Each notice but the last promises the time of the next.
    fn next_update(&self, kind: notice::Kind) -> Option<Timestamp> {
        let now = self.context.now;
        match kind {
            notice::Kind::Verdict => None,
            notice::Kind::Question => Some(now + jiff::SignedDuration::from_hours(crate::question::HOURS_TO_ANSWER)),
            _ if self.incident.dfir => Some(now + jiff::SignedDuration::from_hours(1)),
            _ => self.incident.targets.map(|t| t.analysis.max(now)),
        }
    }

    fn delivery_waits(&self, notice: NoticeId, route: Route) -> Result<bool, Refused> {
        let known = self.incident.notices.get(&notice).ok_or(Refused::NoSuchNotice(notice))?;
        Ok(!matches!(known.deliveries.get(&route), Some(Delivery::Accepted { .. }) | None))
    }

    // ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────

    fn acknowledge(&mut self, by: &PersonId) -> Result<(), Refused> {
        self.must_be_open()?;
        if let Some(done) = &self.incident.acknowledged {
            return Err(Refused::AlreadyAcknowledged { by: done.by.clone() });
        }
        self.person(by, Event::Acknowledged);
        if self.incident.assigned.is_none() {
            self.person(by, Event::Assigned { to: by.clone() });
        }
        Ok(())
    }

    /// Work of a person implies that they have seen it.
    fn acknowledge_if_new(&mut self, by: &PersonId) {
        if self.incident.acknowledged.is_none() {
            // Cannot be refused: the incident is open and nobody has acknowledged it.
            let _ = self.acknowledge(by);
        }
    }

    fn ask(&mut self, by: &PersonId, addition: Option<Untrusted>) -> Result<(), Refused> {
        self.must_be_open()?;
        if self.incident.open_question().is_some() {
            return Err(Refused::QuestionOpen);
        }
        self.acknowledge_if_new(by);
        let question = Question {
            id: QuestionId(next_number(&self.incident.questions, |id| id.0)),
            by: Some(by.clone()),
            asked_at: self.context.now,
            addition,
            answer: None,
        };
        self.person(by, Event::QuestionAsked { question: Box::new(question) });
        self.tell(notice::Kind::Question);
        Ok(())
    }

    fn record_answer(
        &mut self,
        by: &PersonId,
        question: QuestionId,
        meaning: crate::question::Meaning,
        words: Untrusted,
    ) -> Result<(), Refused> {
        let asked = self.incident.questions.get(&question).ok_or(Refused::NoSuchQuestion(question))?;
        if asked.answer.is_some() {
            return Err(Refused::AlreadyAnswered(question));
        }
        if !self.incident.phase.is_open() {
            // A late answer reopens.
            self.reopened_by(by, words.clone());
        }
        let answer = Answer { at: self.context.now, recorded_by: by.clone(), meaning, words };
        self.person(by, Event::AnswerRecorded { question, answer });
        // An answer may lower as well as raise: R13 and R14 are about nothing else.
        let judgement = self.judgement();
        if matches!(judgement.rule, RuleId::R13 | RuleId::R14) {
            self.record_judgement(judgement);
            self.plan_actions(None);
        }
        Ok(())
    }

    fn give_verdict(&mut self, by: &PersonId, verdict: Verdict, reason: Untrusted) -> Result<(), Refused> {
        self.must_be_open()?;
        if verdict == Verdict::Undetermined {
            return Err(Refused::NotAVerdict);
        }
        if reason.for_matching().trim().chars().count() < MIN_REASON {
            return Err(Refused::ReasonMissing);
        }
        self.acknowledge_if_new(by);
        self.person(by, Event::VerdictGiven { verdict, reason });
        self.tell(notice::Kind::Verdict);
        Ok(())
    }

    fn close(&mut self, by: &PersonId) -> Result<(), Refused> {
        self.must_be_open()?;
        if self.incident.verdict_given.is_none() {
            return Err(Refused::NoVerdict);
        }
        if !self.incident.actions_settled() {
            return Err(Refused::ActionRunning);
        }
        self.person(by, Event::Closed);
        Ok(())
    }

    fn reopen(&mut self, by: &PersonId, reason: Untrusted) -> Result<(), Refused> {
        if self.incident.phase.is_open() {
            return Err(Refused::NotClosed);
        }
        if reason.for_matching().trim().chars().count() < MIN_REASON {
            return Err(Refused::ReasonMissing);
        }
        self.reopened_by(by, reason);
        Ok(())
    }

    /// The promised times begin anew, or it would be late at once.
    fn reopened_by(&mut self, by: &PersonId, reason: Untrusted) {
        self.person(by, Event::Reopened { rule: None, grounds: Vec::new(), reason: Some(reason) });
        self.record_judgement(self.incident.judgement.clone());
    }
}

fn next_number<K: Ord, V>(map: &BTreeMap<K, V>, number: impl Fn(&K) -> u32) -> u32 {
    map.last_key_value().map_or(1, |(last, _)| number(last) + 1)
}

/// Whether the console reports a mitigated state for everything kept of the incident.
impl Incident {
    pub fn is_mitigated(&self) -> bool {
        self.alerts.iter().all(|a| a.mitigation.state != MitigationState::NotMitigated && a.is_mitigated())
    }
}
