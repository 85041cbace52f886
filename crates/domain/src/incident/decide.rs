//! What each command leads to. The whole life of an incident is the match in `decide`.

use super::*;
use crate::action::State;
use crate::alert::MitigationState;
use crate::notice;
use crate::reason::Ground;
use crate::rules::{self, Automatic, RuleId};

mod act;
mod clocks;
mod people;
mod tell;
mod time;

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
            Command::PresentAnalysis { by, text } => draft.present_analysis(&by, text)?,
            Command::RaisePriority { by, priority, reason } => draft.raise_priority(&by, priority, reason)?,
            Command::Hold { by, reason } => draft.hold(&by, reason)?,
            Command::EndHold { by } => draft.end_hold(&by)?,
            Command::LetTimePass => draft.let_time_pass(),
            Command::ConfirmPage { page, reference, accepted_at } => {
                if draft.page_waits(page)? {
                    draft.push(Actor::Notifier, Event::PageAccepted { page, reference, accepted_at });
                }
            }
            Command::FailPage { page, why } => {
                if draft.page_waits(page)? {
                    draft.push(Actor::Notifier, Event::PageFailed { page, why });
                }
            }
            Command::GiveVerdict { by, verdict, reason } => draft.give_verdict(&by, verdict, reason)?,
            Command::Close { by } => draft.close(&by)?,
            Command::CloseAsRepeat { by } => draft.close_as_repeat(&by)?,
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
                    draft.told(notice, event, accepted_at);
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
            Command::RecordAnswerTo { answer } => draft.record_evidence(*answer),
            Command::AskAgain { by, inquiry } => {
                if draft.incident.answer_to(&inquiry).is_none() {
                    return Err(Refused::NoSuchInquiry);
                }
                draft.person(&by, Event::InquiryRepeated { inquiry });
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

    fn record_evidence(&mut self, answer: Answer) {
        let id = EvidenceId(self.incident.answers + 1);
        self.push(Actor::Investigator, Event::EvidenceGathered { evidence: Box::new(Evidence { id, answer }) });
    }

    // ── alerts and judgement ────────────────────────────────────────────────────────────────────────────────────────

    fn judge_first(&mut self) {
        let judgement = self.judgement();
        self.record_judgement(judgement);
        self.plan_actions(None);
        let question = self.ask_by_itself();
        self.tell_of(notice::Kind::First, question);
    }

    fn judgement(&self) -> Judgement {
        let Incident { alerts, judgement, .. } = &self.incident;
        alerts.last().map_or_else(|| judgement.clone(), |newest| self.incident.judged(newest))
    }

    fn record_judgement(&mut self, judgement: Judgement) {
        let gravest_before = self.incident.clocks.as_ref().map(Clocks::gravest);
        let dfir = rules::rule(judgement.rule).automatic.contains(&Automatic::DfirMode);
        self.push(Actor::RuleFloor, Event::Judged { judgement });
        self.keep_promises(gravest_before);
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
        self.exclude_storm(alert);
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
