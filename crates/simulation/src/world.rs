//! One story: events in the order of their virtual time, one step at a time, everything drawn from one seed.
//!
//! Nothing waits. Time jumps to whatever comes next: a threat, a person, a poll, a job that falls due, an endpoint's report.
//! A console is polled some seconds after it has news, and once an hour without; a poll that finds nothing changes nothing. After the last day faults end and no new threats come, and what was begun comes to its end.

use std::collections::BTreeMap;

use domain::incident::{Command, Incident, Phase, Visibility};
use domain::{IncidentId, PersonId, TenantId, Timestamp, Untrusted};
use engine::ExecuteError;
use jiff::SignedDuration;
use s1sim::Threat;
use sha2::{Digest as _, Sha256};
use store::{AtCommit, QueueFilter, Scope};

use crate::attacks;
use crate::consoles::{Consoles, key};
use crate::dice::Dice;
use crate::faults::Fault;
use crate::mail::{MailServer, Mood};
use crate::people::{People, secs};
use crate::plan::{Plan, Story};
use crate::reached::State;
use crate::seams::{AtCall, Seams};
use crate::soc::Soc;
use crate::watch::Watch;

/// Polls without news. They find nothing and change nothing, so one an hour is enough to see that this stays true.
const IDLE_POLL: SignedDuration = SignedDuration::from_mins(60);
/// How long after the last day everything has to come to its end: an action's patience is 24 hours, a question's 72, and
/// weekends and holidays are no working days.
const WIND_DOWN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Consoles forget resolved threats that nobody touched for so long.
const CONSOLES_KEEP: SignedDuration = SignedDuration::from_hours(14 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A storm is as much work as all other faults together; most that are drawn are drawn again.
const STORMS_LEFT_OUT: u64 = 70;
/// Rows of the queue that an analyst looks at.
const GLANCE: i64 = 40;

/// Something that is going to happen.
#[derive(Debug)]
enum Happening {
    Strike {
        customer: usize,
    },
    Gust {
        customer: usize,
        threat: Box<Threat>,
    },
    Poll {
        customer: usize,
    },
    Analyst {
        who: usize,
    },
    Close {
        tenant: TenantId,
        incident: IncidentId,
        by: PersonId,
    },
    Reopen {
        tenant: TenantId,
        incident: IncidentId,
        by: PersonId,
    },
    Answer {
        tenant: TenantId,
        incident: IncidentId,
    },
    /// Somebody who was called does what they were called for.
    Called {
        who: PersonId,
        tenant: TenantId,
        incident: IncidentId,
    },
    Fault(Fault),
    MailIsBack,
    ClockIsSet,
    Midnight,
    LastDayEnds,
    /// A console or a job falls due by itself.
    Nothing,
}

pub(crate) struct World<'a> {
    plan: &'a Plan,
    seed: u64,
    start: Timestamp,
    now: Timestamp,
    /// Our wall clock less the true time.
    skew: SignedDuration,
    happenings: BTreeMap<(Timestamp, u64), Happening>,
    planned: u64,
    consoles: Consoles,
    mail: MailServer,
    seams: Seams,
    soc: Soc,
    people: People,
    watch: Watch,
    attacks: Dice,
    faults: Dice,
    polls: Vec<Polls>,
    /// Analysts who found nothing to do and wait for news.
    idle: Vec<usize>,
    /// Until when consoles are asked without news: at the end of faults, what one held back has been shown.
    idle_polls_until: Timestamp,
}

/// How reading one customer's console stands.
#[derive(Debug, Clone, Copy)]
struct Polls {
    seen: u64,
    next: Timestamp,
    /// As `poll_every_s` has it: nobody asks sooner after the last time.
    not_before: Timestamp,
}

impl<'a> World<'a> {
    pub(crate) async fn new(seed: u64, plan: &'a Plan) -> anyhow::Result<Self> {
        let mut dice = Dice::stream(seed, "start");
        // Some Monday to Sunday of a year whose holidays are known, at midnight in Japan.
        let start: Timestamp = "2026-04-05T15:00:00Z".parse()?;
        let start = start + secs(dice.below(400) * 86_400);
        let seams = Seams::default();
        let consoles = Consoles::new(plan.customers, start, &seams, plan.planted)?;
        let mail = MailServer::new(seams.clone());
        let soc = Soc::new(plan, &consoles, &mail, &seams).await?;
        let people = People::new(plan.customers, plan.crew, Dice::stream(seed, "people"))?;
        let watch = Watch::new(seed, plan, &soc.engine);
        let mut world = Self {
            plan,
            seed,
            start,
            now: start,
            skew: SignedDuration::ZERO,
            happenings: BTreeMap::new(),
            planned: 0,
            consoles,
            mail,
            seams,
            soc,
            people,
            watch,
            attacks: Dice::stream(seed, "attacks"),
            faults: Dice::stream(seed, "faults"),
            idle: Vec::new(),
            polls: vec![Polls { seen: 0, next: Timestamp::MAX, not_before: start }; plan.customers],
            idle_polls_until: start + secs(u64::from(plan.days) * 86_400 + 3600),
        };
        world.plan_the_days();
        Ok(world)
    }

    /// Draws what does not depend on what happens.
    fn plan_the_days(&mut self) {
        let days = u64::from(self.plan.days);
        for customer in 0..self.plan.customers {
            for day in 0..days {
                for _ in 0..self.plan.alerts_per_day {
                    let at = self.start + secs(day * 86_400 + self.attacks.below(86_400));
                    self.happens(at, Happening::Strike { customer });
                }
            }
            let first = self.start + secs(self.attacks.below(900));
            self.poll_at(customer, first);
        }
        let menu = self.plan.faults.list();
        if !menu.is_empty() {
            let count = days * (6 + self.plan.customers as u64 / 2);
            for _ in 0..count {
                let mut fault = self.faults.pick(&menu);
                if fault == Fault::Storm && self.faults.percent(STORMS_LEFT_OUT) {
                    fault = self.faults.pick(&menu);
                }
                let at = self.start + secs(self.faults.below(days * 86_400));
                self.happens(at, Happening::Fault(fault));
            }
        }
        for who in 0..self.people.analysts.len() {
            self.happens(self.start + secs(60 * who as u64), Happening::Analyst { who });
        }
        let last = self.start + secs(days * 86_400);
        self.happens(last, Happening::LastDayEnds);
        self.happens(self.start + DAY, Happening::Midnight);
    }

    /// Plays to the end and tells what became of it.
    pub(crate) async fn play(mut self) -> anyhow::Result<Story> {
        let end = self.start + secs(u64::from(self.plan.days) * 86_400) + WIND_DOWN;
        loop {
            let (at, what) = self.next();
            if at > end {
                break;
            }
            self.move_to(at);
            self.happen(what).await?;
            let worked = self.soc.work(self.our_time()).await?;
            if worked.failed {
                self.watch.reached.note(State::CommitRecovered);
            }
            if worked.kept_time {
                self.watch.after_deadlines(&self.soc, &self.mail, self.now).await?;
            }
            if self.watch.after_step(&self.soc, &self.consoles, &self.mail, self.now).await? {
                self.wake_the_idle();
            }
            self.calls_are_heard();
            self.plan_polls();
            if self.watch.is_full() {
                break;
            }
        }
        self.watch.at_end(&self.soc, &self.consoles, &self.mail, self.now).await?;
        self.tell().await
    }

    async fn tell(mut self) -> anyhow::Result<Story> {
        let store = self.soc.engine.store();
        let mut trace = Sha256::new();
        trace.update(store.root().await?.hash);
        trace.update(self.mail.digest());
        for _ in 0..self.soc.deaths() {
            self.watch.reached.note(State::CrashRecovered);
        }
        let alerts = self.consoles.sims.iter().map(|sim| sim.with_ledger(|ledger| ledger.raised.len() as u64)).sum();
        let story = Story {
            seed: self.seed,
            alerts,
            incidents: store.count_incidents().await?,
            mails: self.mail.count(),
            hours: u64::try_from(self.now.duration_since(self.start).as_hours()).unwrap_or_default(),
            trace: hex::encode(trace.finalize()),
            violations: self.watch.violations,
            reached: self.watch.reached,
            responses: self.watch.responses,
        };
        store.close().await;
        Ok(story)
    }

    // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    fn happens(&mut self, at: Timestamp, what: Happening) {
        self.planned += 1;
        self.happenings.insert((at, self.planned), what);
    }

    /// What comes next, and when.
    fn next(&mut self) -> (Timestamp, Happening) {
        let due = self.soc.next_due().map(|at| at.checked_sub(self.skew).unwrap_or(at));
        let console = self.consoles.sims.iter().filter_map(|sim| sim.next_due()).min();
        let by_itself = due.into_iter().chain(console).min().map(|at| at.max(self.now));
        let planned = self.happenings.first_key_value().map(|((at, _), _)| *at);
        match (by_itself, planned) {
            (Some(at), planned) if planned.is_none_or(|planned| at < planned) => (at, Happening::Nothing),
            _ => match self.happenings.pop_first() {
                Some(((at, _), what)) => (at, what),
                None => (Timestamp::MAX, Happening::Nothing),
            },
        }
    }

    fn move_to(&mut self, at: Timestamp) {
        let by = std::time::Duration::try_from(at.duration_since(self.now)).unwrap_or_default();
        self.consoles.clock.advance(by);
        self.now = self.now.max(at);
        self.mail.set_time(self.now);
    }

    /// What our wall clock shows.
    fn our_time(&self) -> Timestamp {
        self.now + self.skew
    }

    async fn happen(&mut self, what: Happening) -> anyhow::Result<()> {
        match what {
            Happening::Nothing => {}
            Happening::Strike { customer } => attacks::strike(self.consoles.of(customer), customer, &mut self.attacks)?,
            Happening::Gust { customer, threat } => {
                self.consoles.of(customer).raise(&key(customer), &threat)?;
            }
            Happening::Poll { customer } => self.poll(customer).await?,
            Happening::Analyst { who } => self.analyst(who).await?,
            Happening::Close { tenant, incident, by } => self.close(tenant, incident, by).await?,
            Happening::Reopen { tenant, incident, by } => {
                let reason = Untrusted::new("再確認が必要なため。 To be looked at again.");
                self.execute(&tenant, incident, Command::Reopen { by, reason }).await?;
            }
            Happening::Answer { tenant, incident } => self.answer(&tenant, incident).await?,
            Happening::Called { who, tenant, incident } => self.called(who, &tenant, incident).await?,
            Happening::Fault(fault) => self.strike(fault)?,
            Happening::MailIsBack => {
                self.mail.set_away(false);
                self.watch.reached.note(State::OutageOver);
            }
            Happening::ClockIsSet => self.skew = SignedDuration::ZERO,
            Happening::Midnight => {
                self.watch.at_midnight(&self.soc, self.now).await?;
                for sim in &self.consoles.sims {
                    sim.forget(self.now - CONSOLES_KEEP);
                }
                self.happens(self.now + DAY, Happening::Midnight);
            }
            Happening::LastDayEnds => self.end_the_faults(),
        }
        Ok(())
    }

    // ── reading consoles ────────────────────────────────────────────────────────────────────────────────────────────

    fn poll_at(&mut self, customer: usize, at: Timestamp) {
        if at < self.polls[customer].next {
            self.polls[customer].next = at;
            self.happens(at, Happening::Poll { customer });
        }
    }

    /// Each customer's console is asked at its own second of every ten, and not again within its own pause.
    fn plan_polls(&mut self) {
        for customer in 0..self.plan.customers {
            if self.consoles.of(customer).news(&key(customer)) > self.polls[customer].seen {
                let wait = 1 + (customer as u64 * 7) % 10;
                let at = (self.now + secs(wait)).max(self.polls[customer].not_before);
                self.poll_at(customer, at);
            }
        }
    }

    async fn poll(&mut self, customer: usize) -> anyhow::Result<()> {
        if self.polls[customer].next > self.now {
            // An earlier one has done it.
            return Ok(());
        }
        self.polls[customer].next = Timestamp::MAX;
        self.polls[customer].not_before = self.now + secs(15 + (customer as u64 * 17) % 45);
        let news = self.consoles.of(customer).news(&key(customer));
        let again = match self.soc.poll(customer, self.our_time()).await {
            Ok(Some(report)) => {
                self.polls[customer].seen = news;
                for id in &report.taken.opened {
                    let incident = self.soc.engine.store().incident(&Scope::All, *id).await?;
                    if let Some(incident) = incident.filter(|incident| incident.open_question().is_some()) {
                        self.await_answer(incident.tenant, *id);
                    }
                }
                if report.more { Some(SignedDuration::ZERO) } else { None }
            }
            Ok(None) => Some(secs(10)),
            Err(_) => {
                self.watch.reached.note(State::PollFailed);
                Some(secs(10))
            }
        };
        self.soc.nudge();
        match again {
            Some(wait) => self.poll_at(customer, self.now + wait),
            None if self.now < self.idle_polls_until => self.poll_at(customer, self.now + IDLE_POLL),
            None => {}
        }
        Ok(())
    }

    // ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async fn analyst(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(at_work) = self.people.at_work(who, self.now, self.soc.engine.calendar()) else { return Ok(()) };
        if at_work > self.now {
            self.happens(at_work, Happening::Analyst { who });
            return Ok(());
        }
        if let Some((tenant, id)) = self.people.analysts[who].busy.take() {
            self.conclude(who, tenant, id).await?;
        }
        let queue = self.soc.engine.store().queue(&Scope::All, &QueueFilter::default(), GLANCE, 0).await?;
        let row = self.people.choose(who, &queue.rows).map(|row| (row.tenant.clone(), row.id));
        let Some((tenant, id)) = row else {
            self.idle.push(who);
            return Ok(());
        };
        if self.people.one_by_one() {
            let by = self.people.analysts[who].id.clone();
            // Refused when it is theirs already: then they go on with it.
            self.execute(&tenant, id, Command::Acknowledge { by }).await?;
            self.people.analysts[who].busy = Some((tenant, id));
        } else {
            self.conclude(who, tenant, id).await?;
        }
        let pause = self.people.pause();
        self.happens(self.now + pause, Happening::Analyst { who });
        Ok(())
    }

    /// What an analyst does with an incident, and what will follow from it.
    async fn conclude(&mut self, who: usize, tenant: TenantId, id: IncidentId) -> anyhow::Result<()> {
        let Some(incident) = self.soc.engine.store().incident(&Scope::All, id).await? else { return Ok(()) };
        let command = self.people.work_on(who, &incident);
        let (asks, judges) = (matches!(command, Command::Ask { .. }), matches!(command, Command::GiveVerdict { .. }));
        let done = self.execute(&tenant, id, command).await?.is_some();
        let by = self.people.analysts[who].id.clone();
        if done && asks {
            // Silence gives a verdict, too, and a person closes what has one.
            let ruled = self.now + secs(73 * 3600) + self.people.closes_after();
            self.happens(ruled, Happening::Close { tenant: tenant.clone(), incident: id, by });
            self.await_answer(tenant, id);
        } else if done && judges {
            let at = self.now + self.people.closes_after();
            self.happens(at, Happening::Close { tenant, incident: id, by });
        }
        Ok(())
    }

    /// A call that has reached its mailbox is heard, or not.
    fn calls_are_heard(&mut self) {
        for (who, tenant, incident) in self.watch.calls() {
            if let Some(after) = self.people.answers_a_call(&who, self.now) {
                self.happens(self.now + after, Happening::Called { who, tenant, incident });
            }
        }
    }

    /// They telephone a customer whom no channel has reached, and take what nobody has taken.
    async fn called(&mut self, who: PersonId, tenant: &TenantId, id: IncidentId) -> anyhow::Result<()> {
        let Some(incident) = self.soc.engine.store().incident(&Scope::All, id).await? else { return Ok(()) };
        if incident.notices.values().any(|notice| notice.unconfirmed && notice.told_at().is_none()) {
            let text = Untrusted::new("お客様に電話で連絡しました。 The customer was told by telephone.");
            let command = Command::AddNote { by: who.clone(), visibility: Visibility::Internal, text };
            let done = self.execute(tenant, id, command).await?.is_some();
            self.watch.reached.note_if(State::CustomerTelephoned, done);
        }
        if incident.acknowledged.is_some() {
            return Ok(());
        }
        let closed = self.people.closed_now(self.now, self.soc.engine.calendar());
        if self.execute(tenant, id, Command::Acknowledge { by: who }).await?.is_some() {
            self.watch.reached.note(if closed { State::TakenAtNight } else { State::TakenOnCall });
        }
        Ok(())
    }

    /// The customer has been asked, and answers when they answer.
    fn await_answer(&mut self, tenant: TenantId, incident: IncidentId) {
        if let Some(after) = self.people.answers_after() {
            self.happens(self.now + after, Happening::Answer { tenant, incident });
        }
    }

    /// Whoever waits sees soon that the queue has changed.
    fn wake_the_idle(&mut self) {
        for who in std::mem::take(&mut self.idle) {
            let pause = self.people.notices_after();
            self.happens(self.now + pause, Happening::Analyst { who });
        }
    }

    async fn close(&mut self, tenant: TenantId, incident: IncidentId, by: PersonId) -> anyhow::Result<()> {
        let Some(state) = self.soc.engine.store().incident(&Scope::All, incident).await? else { return Ok(()) };
        if state.phase != Phase::Answered {
            return Ok(());
        }
        match self.execute(&tenant, incident, Command::Close { by: by.clone() }).await? {
            Some(_) => {
                if let Some(after) = self.people.reopens_after() {
                    self.happens(self.now + after, Happening::Reopen { tenant, incident, by });
                }
            }
            // An action may still be running.
            None => self.happens(self.now + secs(3600), Happening::Close { tenant, incident, by }),
        }
        Ok(())
    }

    async fn answer(&mut self, tenant: &TenantId, id: IncidentId) -> anyhow::Result<()> {
        let Some(incident) = self.soc.engine.store().incident(&Scope::All, id).await? else { return Ok(()) };
        let Some(question) = incident.open_question().map(|question| question.id) else { return Ok(()) };
        let by = self.people.analysts[0].id.clone();
        let (meaning, words) = (self.people.meaning(), Untrusted::new("回答します。 Our answer."));
        self.execute(tenant, id, Command::RecordAnswer { by, question, meaning, words }).await?;
        Ok(())
    }

    /// What a person does. What is refused is refused; what fails is left for now.
    async fn execute(
        &mut self,
        tenant: &TenantId,
        id: IncidentId,
        command: Command,
    ) -> anyhow::Result<Option<Incident>> {
        let step = self.soc.engine.execute(tenant, id, command, self.our_time());
        let after = match self.seams.alive(step).await {
            Some(Ok(after)) => Some(after),
            Some(Err(ExecuteError::Refused(_))) | None => None,
            Some(Err(ExecuteError::Store(_))) => {
                self.watch.reached.note(State::CommitRecovered);
                None
            }
            Some(Err(error)) => return Err(error.into()),
        };
        self.soc.nudge();
        Ok(after)
    }

    // ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────

    fn strike(&mut self, fault: Fault) -> anyhow::Result<()> {
        use s1sim::{Fault as Console, FaultKind as Kind, Times};
        let customer = usize::try_from(self.faults.below(self.plan.customers as u64)).unwrap_or_default();
        let (sim, dice) = (self.consoles.of(customer), &mut self.faults);
        let console = |fault: Console, times: u64| {
            sim.faults().add(fault.times(Times::Count(u32::try_from(times).unwrap_or(1))));
        };
        match fault {
            Fault::TooManyRequests => {
                let retry_after = dice.percent(50).then(|| dice.between(1, 30));
                console(Console::new(Kind::TooManyRequests { retry_after }), dice.between(1, 4));
            }
            Fault::Unavailable => console(Console::new(Kind::Status { status: 503 }), dice.between(1, 8)),
            Fault::Truncated => console(Console::new(Kind::Truncated).on("GET", "/threats"), dice.between(1, 3)),
            Fault::DuplicatePage => {
                console(Console::new(Kind::DuplicatePage).on("GET", "/threats"), dice.between(1, 3));
            }
            Fault::LateThreat => console(Console::new(Kind::LateThreat { seconds: dice.between(5, 240) }), 2),
            Fault::LostAnswer => {
                let status = dice.percent(50).then_some(502);
                console(Console::new(Kind::LostAnswer { status }).on("POST", "/threats"), dice.between(1, 3));
            }
            Fault::ActionFails => console(Console::new(Kind::ActionFails).on("POST", "/threats/mitigate"), 1),
            Fault::MailRefused => {
                let mood = if dice.percent(75) { Mood::RefusesForNow } else { Mood::RefusesForGood };
                self.mail.expect(mood);
                self.watch.reached.note(State::MailRefused);
            }
            Fault::MailAnswerLost => self.mail.expect(Mood::LosesItsAnswer),
            Fault::MailLost => self.mail.expect(Mood::LosesTheMail),
            Fault::MailOutage => {
                let hours = dice.between(1, 6);
                self.mail.set_away(true);
                self.happens(self.now + secs(hours * 3600), Happening::MailIsBack);
            }
            Fault::CommitFails => self.seams.strike_commit(dice.below(12), AtCommit::Fails),
            Fault::CommitAnswerLost => self.seams.strike_commit(dice.below(12), AtCommit::AnswerLost),
            Fault::Crash => {
                let skip = dice.below(12);
                match dice.below(4) {
                    0 => self.seams.strike_commit(skip, AtCommit::DiesBefore),
                    1 => self.seams.strike_commit(skip, AtCommit::DiesAfter),
                    2 => self.seams.strike_call(skip, AtCall::DiesBefore),
                    _ => self.seams.strike_call(skip, AtCall::DiesAfter),
                }
            }
            Fault::ClockBack | Fault::ClockForward => {
                let back = fault == Fault::ClockBack;
                let by = secs(dice.between(30, if back { 600 } else { 3600 }));
                self.skew = if back { -by } else { by };
                let until = self.now + secs(dice.between(600, 7200));
                self.happens(until, Happening::ClockIsSet);
                let state = if back { State::ClockSteppedBack } else { State::ClockSteppedForward };
                self.watch.reached.note(state);
            }
            Fault::SiteAbsent => {
                self.people.leave_a_site(self.now + DAY, dice);
                self.watch.reached.note(State::SiteAbsent);
            }
            Fault::NobodyAcknowledges => {
                self.people.fall_asleep(self.now + secs(dice.between(1, 5) * 3600));
                self.watch.reached.note(State::NobodyAcknowledged);
            }
            Fault::Storm => {
                for gust in attacks::storm(sim, customer, dice)? {
                    let at = self.now + secs(gust.after_s);
                    self.happens(at, Happening::Gust { customer, threat: Box::new(gust.threat) });
                }
            }
        }
        Ok(())
    }

    fn end_the_faults(&mut self) {
        for sim in &self.consoles.sims {
            sim.faults().clear();
        }
        self.seams.clear();
        self.mail.recover();
        self.skew = SignedDuration::ZERO;
    }
}

/// Plays one seed on a thread of its own time: nothing else runs beside it.
pub(crate) fn play(seed: u64, plan: &Plan) -> anyhow::Result<Story> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async { World::new(seed, plan).await?.play().await })
}
