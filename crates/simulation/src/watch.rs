//! What must hold whatever happens. The far sides' own books judge; our records are only asked what they say.
//!
//! After each step it looks at what the step left in the books: mails and orders. At midnight it looks at every incident
//! that the day touched, and at the end at all of them, at the audit, and at whether everything came to its end.

use std::collections::{BTreeMap, BTreeSet};

use domain::action::{Action, Kind, State as ActionState};
use domain::incident::{Event, Incident, Recorded};
use domain::notice::Delivery;
use domain::oncall::Step;
use domain::question::HOURS_TO_ANSWER;
use domain::reason::Ground;
use domain::{AlertId, IncidentId, PersonId, Priority, QuestionId, TenantId, Timestamp, clock};
use engine::{Engine, Nudge};
use jiff::SignedDuration;
use s1sim::{Done, Target};
use store::{QueueFilter, Scope};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::calls;
use crate::consoles::{Consoles, SHARE, key};
use crate::faults::Fault;
use crate::mail::{Letter, MailServer, owner};
use crate::plan::{Plan, Responses, Violation};
use crate::reached::{Reached, State};
use crate::soc::{OUR_DOMAIN, Soc};

/// More say nothing new: the first is the one to look into.
const MOST_VIOLATIONS: usize = 20;
const PAGE: i64 = 500;
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// In one incident: then it is a storm.
const STORM: u32 = 50;

pub(crate) struct Watch {
    seed: u64,
    now: Timestamp,
    nudges: Receiver<Nudge>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) reached: Reached,
    /// Touched since midnight.
    touched: BTreeSet<IncidentId>,
    /// How far each console's book was read.
    read: Vec<usize>,
    /// Orders by console, action and target: whether somebody was told that the last one arrived.
    told: BTreeMap<(usize, String, String), bool>,
    /// The marks of our notes on consoles.
    marks: BTreeSet<String>,
    /// Whose incident a number is.
    owners: BTreeMap<IncidentId, TenantId>,
    customers: usize,
    /// How far our wall clock may be wrong.
    clock_error: SignedDuration,
    /// Something changed when deadlines came.
    woke: bool,
    /// Questions whose silence was looked at.
    ruled: BTreeSet<(IncidentId, QuestionId)>,
    /// Touched since deadlines were looked at.
    fresh: BTreeSet<IncidentId>,
    /// Calls for people that came to their mailbox, not heard yet.
    calls: Vec<(PersonId, TenantId, IncidentId)>,
    pub(crate) responses: BTreeMap<Priority, Responses>,
}

impl Watch {
    pub(crate) fn new(seed: u64, plan: &Plan, engine: &Engine) -> Self {
        let customers = plan.customers;
        let steps = [Fault::ClockBack, Fault::ClockForward];
        let clocks_step = plan.faults.list().iter().any(|fault| steps.contains(fault));
        Self {
            clock_error: if clocks_step { SignedDuration::from_mins(70) } else { SignedDuration::ZERO },
            ruled: BTreeSet::new(),
            woke: false,
            fresh: BTreeSet::new(),
            calls: Vec::new(),
            responses: BTreeMap::new(),
            seed,
            now: Timestamp::MIN,
            nudges: engine.nudges(),
            violations: Vec::new(),
            reached: Reached::default(),
            touched: BTreeSet::new(),
            read: vec![0; customers],
            told: BTreeMap::new(),
            marks: BTreeSet::new(),
            owners: BTreeMap::new(),
            customers,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.violations.len() >= MOST_VIOLATIONS
    }

    fn found(&mut self, incident: Option<IncidentId>, what: String) {
        if !self.is_full() {
            self.violations.push(Violation { seed: self.seed, at: self.now, incident, what });
        }
    }

    // ── after each step ─────────────────────────────────────────────────────────────────────────────────────────────

    /// Silence is ruled 72 true hours after a channel took the question, and not before, whatever our clock shows.
    pub(crate) async fn after_deadlines(&mut self, soc: &Soc, mail: &MailServer, now: Timestamp) -> anyhow::Result<()> {
        self.now = now;
        self.woke = self.note_nudges();
        for id in std::mem::take(&mut self.fresh) {
            let Some(incident) = soc.engine.store().incident(&Scope::All, id).await? else { continue };
            for question in incident.questions.values().filter(|question| question.overdue_at.is_some()) {
                if !self.ruled.insert((id, question.id)) {
                    continue;
                }
                let asking = incident.notices.values().filter(|notice| notice.question == Some(question.id));
                let references =
                    asking.flat_map(|notice| notice.deliveries.values()).filter_map(|delivery| match delivery {
                        Delivery::Accepted { reference, .. } => mail.taken_at(reference),
                        _ => None,
                    });
                let waited = references.min().map(|told| now.duration_since(told));
                let limit = SignedDuration::from_hours(HOURS_TO_ANSWER) - self.clock_error;
                if waited.is_none_or(|waited| waited < limit) {
                    let what =
                        format!("silence on question {} was ruled after {waited:?} instead of 72 hours", question.id);
                    self.found(Some(id), what);
                }
            }
        }
        Ok(())
    }

    /// Says whether some incident changed.
    pub(crate) async fn after_step(
        &mut self,
        soc: &Soc,
        consoles: &Consoles,
        mail: &MailServer,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        self.now = now;
        let changed = self.note_nudges() | std::mem::take(&mut self.woke);
        self.fresh.clear();
        for n in 0..consoles.sims.len() {
            let done: Vec<Done> = consoles.sims[n].with_ledger(|ledger| {
                let fresh = ledger.done[self.read[n]..].to_vec();
                self.read[n] = ledger.done.len();
                fresh
            });
            for order in &done {
                self.order(soc, consoles, n, order).await?;
            }
        }
        for letter in mail.fresh() {
            self.letter(&letter);
        }
        Ok(changed)
    }

    /// Who was called since the last time, about what.
    pub(crate) fn calls(&mut self) -> Vec<(PersonId, TenantId, IncidentId)> {
        std::mem::take(&mut self.calls)
    }

    fn note_nudges(&mut self) -> bool {
        let mut any = false;
        loop {
            match self.nudges.try_recv() {
                Ok(nudge) => {
                    self.touched.insert(nudge.incident);
                    self.fresh.insert(nudge.incident);
                    self.owners.insert(nudge.incident, nudge.tenant);
                    any = true;
                }
                // What was missed is looked at in the end.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return any,
            }
        }
    }

    /// No containment without authority and intent, and nothing done twice.
    async fn order(&mut self, soc: &Soc, consoles: &Consoles, console: usize, done: &Done) -> anyhow::Result<()> {
        if done.action == "note" {
            let text = done.value.as_deref().unwrap_or_default();
            if let Some((mark, _)) = text.split_once(']')
                && !self.marks.insert(mark.to_owned())
            {
                self.found(None, format!("note `{mark}]` was written to the console twice"));
            }
            return Ok(());
        }
        let Some(kind) = kind_of(&done.action) else { return Ok(()) };
        for target in &done.targets {
            let order = (console, done.action.clone(), target.id.clone());
            let told_before = self.told.insert(order, done.answered);
            if told_before == Some(true) {
                let what = format!("{} of {} was told again although the console had answered", done.action, target.id);
                self.found(None, what);
            }
            if target.told_effectively > 1 {
                self.found(
                    None,
                    format!("{} of {} was done {} times", done.action, target.id, target.told_effectively),
                );
            }
            if target.effective {
                self.authority(soc, consoles, console, kind, target).await?;
            }
        }
        Ok(())
    }

    async fn authority(
        &mut self,
        soc: &Soc,
        consoles: &Consoles,
        console: usize,
        kind: Kind,
        target: &Target,
    ) -> anyhow::Result<()> {
        // Two consoles may give the same number to two sites.
        let mut here = (console * SHARE..self.customers).take(SHARE);
        let customer = here.find(|n| consoles.of(*n).site_id(&key(*n)) == target.site_id);
        let Some(customer) = customer else {
            self.found(None, format!("{kind:?} of {} took effect on a site of no customer", target.id));
            return Ok(());
        };
        let tenant: TenantId = key(customer).parse()?;
        let store = soc.engine.store();
        let candidates: Vec<IncidentId> = match kind {
            Kind::Isolate => {
                let filter = QueueFilter::default();
                let rows = store.queue(&Scope::Only(vec![tenant.clone()]), &filter, PAGE, 0).await?.rows;
                rows.into_iter().map(|row| row.id).collect()
            }
            _ => store.incident_of(&tenant, &target.id.parse()?).await?.into_iter().collect(),
        };
        for id in candidates {
            let Some(incident) = store.incident(&Scope::All, id).await? else { continue };
            let intended = incident.actions.values().any(|action| {
                action.kind == kind
                    && aims_at(action) == target.id
                    && !matches!(action.state, ActionState::Proposed | ActionState::PreAuthorised)
            });
            if intended {
                return Ok(());
            }
        }
        self.found(None, format!("{kind:?} of {} of `{tenant}` took effect without authority and intent", target.id));
        Ok(())
    }

    /// To one customer alone, about nothing of another, and no copy without a reason.
    fn letter(&mut self, letter: &Letter) {
        let id = &letter.message_id;
        if letter.needless_copy {
            self.found(None, format!("mail `{id}` was sent again although the server had answered"));
        }
        // A call for one of ours, who look after every customer.
        if let [to] = letter.to.as_slice()
            && let Some((person, OUR_DOMAIN)) = to.split_once('@')
        {
            let about = letter.about.and_then(|id| Some((id, self.owners.get(&id)?.clone())));
            match (person.parse(), about) {
                (Ok(person), Some((incident, tenant))) => self.calls.push((person, tenant, incident)),
                _ => self.found(None, format!("mail `{id}` calls `{to}` about no incident")),
            }
            return;
        }
        let owners: BTreeSet<Option<TenantId>> = letter.to.iter().map(|to| owner(to)).collect();
        let [Some(tenant)] = owners.into_iter().collect::<Vec<_>>().try_into().unwrap_or([None]) else {
            return self.found(None, format!("mail `{id}` goes to {:?}", letter.to));
        };
        for foreign in customers_named(&letter.words).into_iter().filter(|named| named != tenant.as_str()) {
            self.found(None, format!("mail `{id}` to `{tenant}` names `{foreign}`"));
        }
        let mut incidents = incidents_named(&letter.words);
        incidents.retain(|id| self.owners.get(id).is_some_and(|owner| *owner != tenant));
        for foreign in incidents {
            self.found(Some(foreign), format!("mail `{id}` to `{tenant}` names {foreign} of another"));
        }
    }

    // ── at midnight and at the end ──────────────────────────────────────────────────────────────────────────────────

    pub(crate) async fn at_midnight(&mut self, soc: &Soc, now: Timestamp) -> anyhow::Result<()> {
        self.now = now;
        for id in std::mem::take(&mut self.touched) {
            self.incident(soc, id).await?;
        }
        Ok(())
    }

    pub(crate) async fn at_end(
        &mut self,
        soc: &Soc,
        consoles: &Consoles,
        mail: &MailServer,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        self.now = now;
        let store = soc.engine.store();
        let mut places: BTreeMap<(TenantId, AlertId), Vec<IncidentId>> = BTreeMap::new();
        for closed in [false, true] {
            let filter = QueueFilter { closed, ..QueueFilter::default() };
            let mut offset = 0;
            loop {
                let rows = store.queue(&Scope::All, &filter, PAGE, offset).await?.rows;
                for row in &rows {
                    let Some((incident, events)) = self.incident(soc, row.id).await? else { continue };
                    self.ended(&incident, mail);
                    self.calls_ended(&incident, mail);
                    self.count(&incident, &events);
                    for recorded in &events {
                        if let Event::Received { alert, .. } | Event::AlertJoined { alert, .. } = &recorded.event {
                            let key = (incident.tenant.clone(), alert.id.clone());
                            places.entry(key).or_default().push(incident.id);
                        }
                    }
                }
                offset += PAGE;
                if rows.is_empty() {
                    break;
                }
            }
        }
        self.alerts(consoles, &places)?;
        for fault in store.verify_audit(None).await?.faults {
            self.found(None, format!("the audit does not verify: {fault}"));
        }
        // A deadline that is still to come may wait for it; what is due must be done.
        if soc.next_due().is_some_and(|due| due <= now) {
            let waiting = store.job_counts().await?.waiting;
            self.found(None, format!("{waiting} jobs still wait long after the last fault, and some are due"));
        }
        for _ in 0..mail.lost() {
            self.reached.note(State::MailLost);
        }
        for _ in 0..mail.copied() {
            self.reached.note(State::MailCopied);
        }
        Ok(())
    }

    /// State is the fold of events, and nobody else sees it.
    async fn incident(&mut self, soc: &Soc, id: IncidentId) -> anyhow::Result<Option<(Incident, Vec<Recorded>)>> {
        let store = soc.engine.store();
        let Some(incident) = store.incident(&Scope::All, id).await? else {
            self.found(Some(id), "it is not in the store any more".into());
            return Ok(None);
        };
        let events = store.events(&incident.tenant, id).await?;
        if Incident::replay(&incident.tenant, id, &events).as_ref() != Some(&incident) {
            self.found(Some(id), "its state is not the fold of its events".into());
        }
        match clock::prove(&incident.tenant, id, &events, soc.engine.calendar(), self.now) {
            Ok(cycles) => {
                for difference in cycles.into_iter().flat_map(|cycle| cycle.differences) {
                    self.found(Some(id), format!("its clocks do not follow from its events: {difference}"));
                }
            }
            Err(error) => self.found(Some(id), error.to_string()),
        }
        for fault in calls::faults(&events, soc.engine.calendar(), self.clock_error, self.now) {
            self.found(Some(id), fault);
        }
        let others = soc.engine.tenants().map(|t| t.id.clone()).filter(|t| *t != incident.tenant).collect();
        if store.incident(&Scope::Only(others), id).await?.is_some() {
            self.found(Some(id), format!("an incident of `{}` is seen by other tenants", incident.tenant));
        }
        Ok(Some((incident, events)))
    }

    /// Liveness: every promised notice was taken or given up visibly, and no action still runs.
    fn ended(&mut self, incident: &Incident, mail: &MailServer) {
        for action in incident.actions.values().filter(|action| action.state.is_running()) {
            self.found(Some(incident.id), format!("action {} still runs: {:?}", action.id, action.state));
        }
        for notice in incident.notices.values() {
            for (route, delivery) in &notice.deliveries {
                match delivery {
                    Delivery::Accepted { reference, .. } if mail.took(reference) => {}
                    Delivery::Accepted { reference, .. } => {
                        let what = format!(
                            "notice {} {route} counts as taken, but the server has no `{reference}`",
                            notice.id
                        );
                        self.found(Some(incident.id), what);
                    }
                    Delivery::Failed { .. } => {}
                    Delivery::Waiting if !incident.troubles.is_empty() => {}
                    Delivery::Waiting => {
                        let what = format!("notice {} {route} was promised and neither taken nor given up", notice.id);
                        self.found(Some(incident.id), what);
                    }
                }
            }
        }
    }

    /// Whoever was called has the call in their mailbox, or the incident says that it could not be sent.
    fn calls_ended(&mut self, incident: &Incident, mail: &MailServer) {
        for page in incident.pages.values() {
            let well = match &page.delivery {
                Delivery::Accepted { reference, .. } => mail.took(reference),
                Delivery::Failed { .. } => true,
                Delivery::Waiting => page.to.is_none() || !incident.troubles.is_empty(),
            };
            if !well {
                self.found(Some(incident.id), format!("call {} was neither taken nor given up", page.id));
            }
        }
    }

    /// What was raised is in exactly one incident, of its own customer (REL-03).
    fn alerts(
        &mut self,
        consoles: &Consoles,
        places: &BTreeMap<(TenantId, AlertId), Vec<IncidentId>>,
    ) -> anyhow::Result<()> {
        let mut raised: BTreeSet<(TenantId, AlertId)> = BTreeSet::new();
        for sim in &consoles.sims {
            let seen = sim.with_ledger(|ledger| {
                let visible = ledger.raised.iter().filter(|raised| raised.visible_at.is_some());
                visible.map(|raised| (raised.threat_id.clone(), raised.site.clone())).collect::<Vec<_>>()
            });
            for (id, site) in seen {
                raised.insert((site.parse()?, id.parse()?));
            }
        }
        for (tenant, alert) in &raised {
            let found = places.get(&(tenant.clone(), alert.clone())).map_or(0, Vec::len);
            if found != 1 {
                self.found(None, format!("alert {alert} of `{tenant}` is in {found} incidents instead of one"));
            }
        }
        for ((tenant, alert), incidents) in places {
            if !raised.contains(&(tenant.clone(), alert.clone())) {
                self.found(
                    incidents.first().copied(),
                    format!("alert {alert} of another is in an incident of `{tenant}`"),
                );
            }
        }
        Ok(())
    }

    // ── how far it came ─────────────────────────────────────────────────────────────────────────────────────────────

    fn count(&mut self, incident: &Incident, events: &[Recorded]) {
        if let Some(clocks) = &incident.clocks {
            let responses = self.responses.entry(clocks.gravest()).or_default();
            match clocks.state(clock::Kind::FirstResponse, self.now) {
                clock::State::Met => responses.met += 1,
                clock::State::Missed | clock::State::Overdue => responses.missed += 1,
                _ => {}
            }
        }
        let reached = &mut self.reached;
        let mut all_called: Option<Timestamp> = None;
        reached.note_if(State::StormJoined, incident.alert_count >= STORM);
        reached.note_if(State::Proposed, incident.actions.values().any(|a| a.state == ActionState::Proposed));
        let mut lost = BTreeSet::new();
        let mut asked = BTreeMap::new();
        for Recorded { at, event, .. } in events {
            match event {
                Event::Received { grounds, .. } => {
                    let breaks_out = grounds.iter().any(|ground| matches!(ground, Ground::BreaksOutOfCampaign(_)));
                    reached.note_if(State::BrokeOut, breaks_out);
                }
                Event::AlertJoined { .. } => reached.note(State::Joined),
                Event::ActionAnswerLost { action, .. } => {
                    lost.insert(*action);
                }
                Event::ActionVerified { action, .. } => {
                    reached.note(State::Contained);
                    let isolates = incident.actions.get(action).is_some_and(|action| action.kind == Kind::Isolate);
                    reached.note_if(State::Isolated, isolates);
                    reached.note_if(State::LostAnswerRecovered, lost.contains(action));
                }
                Event::ActionRefused { .. } => reached.note(State::ActionRefused),
                Event::QuestionReminded { .. } => reached.note(State::Reminded),
                Event::AnswerOverdue { verdict, .. } => reached.note_if(State::SilenceRuled, verdict.is_some()),
                Event::ClocksResumed { .. } => reached.note(State::Paused),
                Event::ClocksExcluded { .. } => reached.note(State::StormExcluded),
                Event::NoticeNotConfirmed { .. } => reached.note(State::NotReached),
                Event::Paged { page } => {
                    reached.note(State::Paged);
                    reached.note_if(State::LeadPaged, page.step == Step::Lead);
                    if page.step == Step::Lead {
                        all_called = Some(*at);
                    }
                }
                Event::Acknowledged => {
                    let waited = all_called.take().map(|called| at.duration_since(called));
                    reached.note_if(State::NobodyTookIt, waited.is_some_and(|waited| waited > AN_HOUR));
                }
                Event::JobGaveUp { .. } | Event::NoticeFailed { .. } => reached.note(State::GaveUpVisibly),
                Event::QuestionAsked { question } => {
                    asked.insert(question.id, *at);
                    reached.note(State::Asked);
                }
                Event::AnswerRecorded { question, .. } => {
                    let limit = SignedDuration::from_hours(HOURS_TO_ANSWER);
                    let late = asked.get(question).is_some_and(|asked| at.duration_since(*asked) > limit);
                    reached.note(if late { State::LateAnswer } else { State::AnswerInTime });
                }
                Event::VerdictGiven { .. } => reached.note(State::VerdictGiven),
                Event::Closed => reached.note(State::Closed),
                Event::Reopened { .. } => reached.note(State::Reopened),
                _ => {}
            }
        }
    }
}

fn kind_of(action: &str) -> Option<Kind> {
    match action {
        "kill" => Some(Kind::Kill),
        "quarantine" => Some(Kind::Quarantine),
        "disconnect" => Some(Kind::Isolate),
        _ => None,
    }
}

fn aims_at(action: &Action) -> String {
    action.target.alert.as_ref().map_or_else(|| action.target.agent.to_string(), ToString::to_string)
}

/// Every `cust007` in a text, whatever its case.
fn customers_named(words: &str) -> BTreeSet<String> {
    let low = words.to_lowercase();
    low.match_indices("cust")
        .filter_map(|(at, _)| low.get(at..at + 7))
        .filter(|word| word[4..].bytes().all(|b| b.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

fn incidents_named(words: &str) -> BTreeSet<IncidentId> {
    words.match_indices("INC-").filter_map(|(at, _)| words.get(at..at + 15)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_found_wherever_a_text_names_one() {
        let words = "on CUST012-PC01 (cust003.example), custom and cust01";
        assert_eq!(customers_named(words), BTreeSet::from(["cust012".to_owned(), "cust003".to_owned()]));
        let id: IncidentId = "INC-2026-000007".parse().expect("an id");
        assert_eq!(incidents_named("see INC-2026-000007, not INC-x"), BTreeSet::from([id]));
    }
}
