//! The bench itself: bring alerts up, let time pass, act as an analyst, look at what came of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::incident::{Command, Incident, Role};
use domain::oncall::Roster;
use domain::tenant::Tenant;
use domain::{AlertId, IncidentId, PersonId, TenantId, Timestamp, Untrusted, Verdict};
use engine::investigator::Knowledge;
use engine::{Engine, ExecuteError, PollReport, Poller, Worker};
use outbound::Outbound;
use s1sim::{Role as HostRole, S1Sim, Threat};
use sinks::MailSink;
use store::{DeadJob, QueueFilter, Refusal, Scope};

use crate::{Mailbox, bench, customers, invariants};

/// A Tuesday, ten in the morning in Japan: within business hours.
const START: &str = "2026-11-24T01:00:00Z";
/// Rounds in which everything must come to rest at one instant.
const MAX_ROUNDS: usize = 60;
/// Steps in which a span of time must pass.
const MAX_STEPS: usize = 3000;
/// With nothing due, time passes in about this many steps, each with a poll.
const QUIET_STEPS: u32 = 20;
/// While time passes, a console is asked no oftener than in a running service.
const POLL_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);
const MANY: i64 = 100_000;

/// See the crate.
#[derive(Debug)]
pub struct TestSoc {
    pub(crate) sim: S1Sim,
    pub(crate) mail: MailSink,
    pub(crate) engine: Engine,
    door: Outbound,
    pollers: Vec<Poller>,
    workers: Vec<Worker>,
    read: Mutex<BTreeSet<u64>>,
    poll_failures: Mutex<Vec<String>>,
    polled_at: Mutex<Timestamp>,
    /// How many jobs that gave up, and records that could not be read, the test has looked at.
    seen: Mutex<Seen>,
    copies_allowed: AtomicBool,
    must_finish: MustFinish,
    folder: tempfile::TempDir,
}

#[derive(Debug, Default)]
struct Seen {
    given_up: usize,
    refused: usize,
}

impl TestSoc {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With customers that differ from the usual, for instance in their response policy.
    pub async fn start_with(adapt: impl Fn(&mut Tenant)) -> Self {
        Self::start_staffed(adapt, Roster::default()).await
    }

    /// With people who are called when nobody takes an incident.
    pub async fn start_staffed(adapt: impl Fn(&mut Tenant), roster: Roster) -> Self {
        Self::start_as(adapt, roster, Knowledge::default()).await
    }

    /// With lists, feeds, rules or sources to ask.
    pub async fn start_knowing(knowledge: Knowledge) -> Self {
        Self::start_as(|_| {}, Roster::default(), knowledge).await
    }

    async fn start_as(adapt: impl Fn(&mut Tenant), roster: Roster, knowledge: Knowledge) -> Self {
        let sim = bench::simulator(START.parse().unwrap()).await;
        let mail = bench::mail_server(sim.clock()).await;
        let folder = tempfile::tempdir().expect("a folder for the store");
        let tenants = customers::ALL.iter().map(|customer| {
            let mut tenant = customers::tenant(customer);
            adapt(&mut tenant);
            tenant
        });
        let engine = bench::engine(&folder, tenants.collect(), roster).await;
        let door = bench::door(&sim);
        Self {
            pollers: bench::pollers(&sim, &door),
            workers: bench::workers(&sim, &door, &mail, knowledge),
            read: Mutex::default(),
            poll_failures: Mutex::default(),
            polled_at: Mutex::new(Timestamp::MIN),
            seen: Mutex::default(),
            copies_allowed: AtomicBool::new(false),
            must_finish: MustFinish { done: false },
            sim,
            mail,
            engine,
            door,
            folder,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.sim.clock().now()
    }

    pub fn sentinelone(&self) -> &S1Sim {
        &self.sim
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn mail(&self) -> Mailbox<'_> {
        Mailbox { sink: &self.mail, read: &self.read }
    }

    /// The console as the actuator sees it, for acting behind its back.
    pub fn console_actuator(&self, customer: &str) -> sentinelone::Actuator {
        bench::console_actuator(&self.sim, &self.door, customer)
    }

    // ── what happens to the customers ───────────────────────────────────────────────────────────────────────────────

    pub fn raise(&self, customer: &str, threat: &Threat) -> AlertId {
        self.sim.raise(customer, threat).expect("the threat can be raised").parse().unwrap()
    }

    /// Starts a scenario and lets it play to its end.
    pub async fn play(&self, scenario: &str, customer: &str) {
        let takes = self.sim.play(scenario, customer).expect("the scenario exists");
        self.pass(takes + Duration::from_secs(1)).await;
    }

    /// The name of the `n`-th endpoint of a role.
    pub fn host(&self, customer: &str, role: HostRole, n: usize) -> String {
        let of_role: Vec<_> = self.sim.endpoints(customer).into_iter().filter(|e| e.role == role).collect();
        of_role[n].host.clone()
    }

    // ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Polls and works until nothing is due at this instant, then checks the invariants.
    ///
    /// # Panics
    /// When they do not hold, or it never comes to rest.
    pub async fn settle(&self) {
        self.come_to_rest(true).await;
        self.check().await;
    }

    /// The same without the check, for tests of the checks.
    pub async fn settle_unchecked(&self) {
        self.come_to_rest(true).await;
    }

    async fn check(&self) {
        let violations = self.violations().await;
        assert!(violations.is_empty(), "at {}: {violations:#?}", self.now());
    }

    /// Works, and polls before if asked to and after whatever was done, until there is no news. Says whether there was.
    async fn come_to_rest(&self, poll: bool) -> bool {
        let mut any = false;
        let mut poll = poll;
        for _ in 0..MAX_ROUNDS {
            let news = poll && self.poll_all().await;
            let worked = self.work_until_idle().await;
            if !news && !worked {
                return any;
            }
            (any, poll) = (true, true);
        }
        panic!("nothing comes to rest at {} within {MAX_ROUNDS} rounds", self.now());
    }

    /// Polls each customer's console once and says whether one had news. One that fails has none.
    async fn poll_all(&self) -> bool {
        *lock(&self.polled_at) = self.now();
        let mut news = false;
        for poller in &self.pollers {
            match poller.step(&self.engine, self.now()).await {
                Ok(report) => news |= brought_news(&report),
                Err(error) => lock(&self.poll_failures).push(format!("{error:#}")),
            }
        }
        news
    }

    async fn work_until_idle(&self) -> bool {
        for round in 0..MAX_ROUNDS {
            let mut claimed = 0;
            for worker in &self.workers {
                claimed += worker.step(&self.engine, self.now()).await.expect("the store works").claimed;
            }
            if claimed == 0 {
                return round > 0;
            }
        }
        panic!("the work has no end at {}", self.now());
    }

    /// Reads the customer's console once, and lets nobody work.
    pub async fn poll(&self, customer: &str) -> PollReport {
        let poller = self.pollers.iter().find(|p| p.tenant().as_str() == customer).expect("a customer");
        poller.step(&self.engine, self.now()).await.expect("the console answers")
    }

    /// The whole service stands still, and the world goes on.
    pub fn outage(&self, lasts: Duration) {
        self.sim.advance(lasts);
    }

    /// Lets time pass in steps that end where a job falls due, comes to rest after each, and checks now and then.
    pub async fn pass(&self, by: Duration) {
        let end = self.now() + jiff::SignedDuration::try_from(by).unwrap();
        let quiet = (by / QUIET_STEPS).max(Duration::from_secs(1));
        self.settle().await;
        let (mut unchecked, mut checked_at) = (false, self.now());
        for _ in 0..MAX_STEPS {
            let now = self.now();
            // A violation stays in some ledger: it is found as surely a little later.
            if unchecked && (now >= end || now.duration_since(checked_at).unsigned_abs() >= quiet) {
                self.check().await;
                (unchecked, checked_at) = (false, now);
            }
            if now >= end {
                return;
            }
            let until = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
            let due = self.next_job_at().await.map(until).filter(|wait| !wait.is_zero());
            self.sim.advance(until(end).min(quiet).min(due.unwrap_or(quiet)));
            let polled_at = *lock(&self.polled_at);
            unchecked |= self.come_to_rest(self.now().duration_since(polled_at) >= POLL_EVERY).await;
        }
        panic!("{by:?} do not pass within {MAX_STEPS} steps");
    }

    async fn next_job_at(&self) -> Option<Timestamp> {
        let store = self.engine.store();
        let (errand, alarm) = (self.next_errand_at().await, store.next_job_at(Role::Timekeeper).await.unwrap());
        errand.into_iter().chain(alarm).min()
    }

    /// The next job that does or asks something outside.
    async fn next_errand_at(&self) -> Option<Timestamp> {
        let looking = self.engine.store().next_job_at(Role::Investigator).await.unwrap();
        self.next_duty_at().await.into_iter().chain(looking).min()
    }

    /// The next job that does something outside. What is looked up may take its time, and holds nothing up.
    async fn next_duty_at(&self) -> Option<Timestamp> {
        let store = self.engine.store();
        let (actuator, notifier) =
            (store.next_job_at(Role::Actuator).await.unwrap(), store.next_job_at(Role::Notifier).await.unwrap());
        actuator.into_iter().chain(notifier).min()
    }

    // ── what became of it ───────────────────────────────────────────────────────────────────────────────────────────

    /// Every incident, oldest first.
    pub async fn incidents(&self) -> Vec<Incident> {
        let mut incidents = Vec::new();
        for closed in [false, true] {
            let filter = QueueFilter { closed, ..QueueFilter::default() };
            for row in self.engine.store().queue(&Scope::All, &filter, MANY, 0).await.unwrap().rows {
                incidents.push(self.incident(row.id).await);
            }
        }
        incidents.sort_by_key(|incident| incident.id);
        incidents
    }

    pub async fn incident(&self, id: IncidentId) -> Incident {
        self.engine.store().incident(&Scope::All, id).await.unwrap().expect("the incident exists")
    }

    /// The incident that holds an alert.
    pub async fn incident_of(&self, alert: &AlertId) -> Incident {
        for tenant in self.engine.tenants() {
            if let Some(id) = self.engine.store().incident_of(&tenant.id, alert).await.unwrap() {
                return self.incident(id).await;
            }
        }
        panic!("alert `{alert}` is in no incident; polls that failed: {:?}", self.poll_failures());
    }

    /// What does not hold at this instant, in words. Empty when all is well.
    pub async fn violations(&self) -> Vec<String> {
        invariants::violations(self, self.copies_allowed.load(Ordering::Relaxed)).await
    }

    /// Says that this test expects the same mail more than once, as after a lost answer.
    pub fn expect_copies(&self) {
        self.copies_allowed.store(true, Ordering::Relaxed);
    }

    /// The jobs that gave up. They count as looked at.
    pub async fn given_up(&self) -> Vec<DeadJob> {
        let jobs = self.engine.store().dead_jobs(MANY).await.unwrap();
        lock(&self.seen).given_up = jobs.len();
        jobs
    }

    /// The records that could not be read. They count as looked at.
    pub async fn refusals(&self) -> Vec<(TenantId, Refusal)> {
        let refusals = self.engine.store().refusals(MANY).await.unwrap();
        lock(&self.seen).refused = refusals.len();
        refusals
    }

    pub(crate) fn has_failed_polls(&self) -> bool {
        !lock(&self.poll_failures).is_empty()
    }

    /// The polls that failed since the last call.
    pub fn poll_failures(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.poll_failures))
    }

    // ── analysts ────────────────────────────────────────────────────────────────────────────────────────────────────

    pub fn analyst(&self) -> PersonId {
        "sapporo.mori".parse().unwrap()
    }

    pub async fn try_execute(&self, incident: IncidentId, command: Command) -> Result<Incident, ExecuteError> {
        let tenant = self.incident(incident).await.tenant;
        self.engine.execute(&tenant, incident, command, self.now()).await
    }

    /// # Panics
    /// When it is refused.
    pub async fn execute(&self, incident: IncidentId, command: Command) -> Incident {
        self.try_execute(incident, command).await.expect("the command is possible")
    }

    pub async fn acknowledge(&self, incident: IncidentId) -> Incident {
        self.execute(incident, Command::Acknowledge { by: self.analyst() }).await
    }

    pub async fn give_verdict(&self, incident: IncidentId, verdict: Verdict) -> Incident {
        let reason = Untrusted::new("プロセスの挙動と入手元を確認したため。 Behaviour and source were checked.");
        self.execute(incident, Command::GiveVerdict { by: self.analyst(), verdict, reason }).await
    }

    pub async fn close(&self, incident: IncidentId) -> Incident {
        self.execute(incident, Command::Close { by: self.analyst() }).await
    }

    // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Ends a test that broke something on purpose.
    pub fn abandon(mut self) {
        self.must_finish.done = true;
    }

    /// What an ending test must account for: waiting jobs, and whatever it has not looked at.
    pub async fn leftovers(&self) -> Vec<String> {
        let mut left = self.violations().await;
        // Deadlines of what is still open lie ahead, as they should.
        if let Some(at) = self.next_duty_at().await {
            let waiting = self.engine.store().job_counts().await.unwrap().waiting;
            left.push(format!("{waiting} jobs wait, the next until {at}"));
        }
        let alarm = self.engine.store().next_job_at(Role::Timekeeper).await.unwrap();
        left.extend(alarm.filter(|at| *at <= self.now()).map(|at| format!("a deadline of {at} was left alone")));
        let (given_up, refused) = {
            let seen = lock(&self.seen);
            (seen.given_up, seen.refused)
        };
        let jobs = self.engine.store().dead_jobs(MANY).await.unwrap();
        left.extend(jobs.iter().skip(given_up).map(|job| format!("{} gave up: {}", job.key, job.why)));
        let refusals = self.engine.store().refusals(MANY).await.unwrap();
        left.extend(refusals.iter().skip(refused).map(|(tenant, r)| format!("refused from {tenant}: {}", r.reason)));
        left.extend(lock(&self.poll_failures).iter().map(|failure| format!("a poll failed: {failure}")));
        left.extend(self.mail().never_read().into_iter().map(|mail| format!("never read: {mail}")));
        left
    }

    /// Ends the test.
    ///
    /// # Panics
    /// When something was left over: see the crate.
    pub async fn finish(mut self) {
        self.must_finish.done = true;
        let left = self.leftovers().await;
        assert!(left.is_empty(), "left over at the end, {}: {left:#?}", self.now());
        self.engine.store().close().await;
        self.mail.stop().await;
        self.sim.stop().await;
        drop(self.folder);
    }
}

fn brought_news(report: &PollReport) -> bool {
    let taken = &report.taken;
    report.more || taken.updated > 0 || !taken.opened.is_empty() || !taken.joined.is_empty()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reminds of `finish`, which no destructor can do itself because it has to ask the store.
#[derive(Debug)]
struct MustFinish {
    done: bool,
}

impl Drop for MustFinish {
    fn drop(&mut self) {
        if !self.done && !std::thread::panicking() {
            panic!("a test that starts a TestSoc ends with `soc.finish().await`");
        }
    }
}
