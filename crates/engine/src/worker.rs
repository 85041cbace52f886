//! Claims jobs of one role and has them carried out, a bounded batch at a time.
//!
//! A job that fails for now comes back later, with growing pauses; one that fails for good, or too often, gives up where a
//! person sees it. What a job does is the business of `actuator`, `notifier`, `timekeeper`
//! and `investigator`.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::Untrusted;
use domain::incident::{Actor, Command, Role};
use futures_util::future::join_all;
use store::{Job, Outcome};

use crate::actuator::Actuator;
use crate::investigator::Investigator;
use crate::notifier::Notifier;
use crate::{Engine, timekeeper};

/// Jobs carried out side by side in one step. Small, so that a slow one holds few others up; a role runs several workers.
const BATCH: i64 = 4;
/// A dead worker's jobs come back after this (REL-16).
const LEASE: Duration = Duration::from_secs(30);
/// A job that takes longer is dropped and tried again, while its lease still keeps others away.
const LONGEST: Duration = Duration::from_secs(25);
/// Tries before a job gives up. With growing pauses this is about half a day.
const MAX_ATTEMPTS: u32 = 60;
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// One worker of one role.
#[derive(Debug)]
pub enum Worker {
    Actuator { name: String, actuator: Arc<Actuator> },
    Notifier { name: String, notifier: Arc<Notifier> },
    Timekeeper { name: String },
    Investigator { name: String, investigator: Arc<Investigator> },
}

/// What one step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepReport {
    pub claimed: usize,
    pub gave_up: usize,
    /// When to step again; `None` when nothing waits.
    pub next_at: Option<Timestamp>,
}

impl Worker {
    pub fn role(&self) -> Role {
        match self {
            Self::Actuator { .. } => Role::Actuator,
            Self::Notifier { .. } => Role::Notifier,
            Self::Timekeeper { .. } => Role::Timekeeper,
            Self::Investigator { .. } => Role::Investigator,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Actuator { name, .. }
            | Self::Notifier { name, .. }
            | Self::Timekeeper { name }
            | Self::Investigator { name, .. } => name,
        }
    }

    /// Claims due jobs and carries them out.
    pub async fn step(&self, engine: &Engine, now: Timestamp) -> anyhow::Result<StepReport> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let jobs = engine.store().claim(self.role(), self.name(), now, until, BATCH).await?;
        let outcomes = join_all(jobs.iter().map(|job| self.carry_out(engine, job, now))).await;
        let mut report = StepReport { claimed: jobs.len(), ..StepReport::default() };
        for (job, outcome) in jobs.iter().zip(outcomes) {
            if let Outcome::GaveUp { why } = &outcome {
                report.gave_up += 1;
                self.tell_people(engine, job, why, now).await;
            }
            engine.store().settle(job, &outcome, now).await?;
        }
        report.next_at = engine.store().next_job_at(self.role()).await?;
        Ok(report)
    }

    async fn carry_out(&self, engine: &Engine, job: &Job, now: Timestamp) -> Outcome {
        let work = async {
            match self {
                Self::Actuator { actuator, .. } => actuator.carry_out(engine, job, now).await,
                Self::Notifier { notifier, .. } => notifier.carry_out(engine, job, now).await,
                Self::Timekeeper { .. } => timekeeper::carry_out(engine, job, now).await,
                Self::Investigator { investigator, .. } => investigator.carry_out(engine, job, now).await,
            }
        };
        let result = tokio::time::timeout(LONGEST, work).await;
        match result.unwrap_or_else(|_| Err(anyhow::anyhow!("took longer than {} s", LONGEST.as_secs()))) {
            Ok(outcome) => outcome,
            Err(error) if job.attempts >= MAX_ATTEMPTS && told_when(&error).is_none() => {
                Outcome::GaveUp { why: format!("gave up after {} attempts: {error:#}", job.attempts) }
            }
            Err(error) => {
                tracing::warn!(incident.id = %job.incident, tenant.id = %job.tenant, job = %job.key,
                    attempts = job.attempts, error = format!("{error:#}"), "a job failed and will be tried again");
                let pause = told_when(&error).map_or_else(|| pause(job), |after| turn(job, after));
                Outcome::Again { at: later(now, pause), why: format!("{error:#}") }
            }
        }
    }

    /// A job that gave up stands on its incident, where people work.
    async fn tell_people(&self, engine: &Engine, job: &Job, why: &str, now: Timestamp) {
        let by = match self.role() {
            Role::Actuator => Actor::Actuator,
            Role::Notifier => Actor::Notifier,
            Role::Timekeeper => Actor::Timekeeper,
            Role::Investigator => Actor::Investigator,
        };
        let command = Command::GiveUpJob { by, what: Untrusted::new(&format!("{}: {why}", job.key)) };
        if let Err(error) = engine.execute(&job.tenant, job.incident, command, now).await {
            // The job itself still shows among those that gave up.
            tracing::error!(incident.id = %job.incident, tenant.id = %job.tenant, job = %job.key, error = %error,
                "a job gave up and its incident could not be told");
        }
    }
}

/// Growing pauses, spread by the job's own name so that many do not come back at once.
fn pause(job: &Job) -> Duration {
    outbound::backoff(job.attempts.saturating_sub(1), seed(job)).min(LONGEST_PAUSE)
}

/// When the far side, or our own budget for it, says to come back. Waiting for one's turn is no failure.
pub(crate) fn told_when(error: &anyhow::Error) -> Option<Duration> {
    let console = || error.downcast_ref::<sentinelone::Error>()?.retry_after();
    let chat = || error.downcast_ref::<notify::slack::Error>()?.retry_after();
    console().or_else(chat)
}

/// A budget frees one turn at a time. Those who wait for it come back spread over a span that doubles with each try, up to
/// four seconds: hundreds that all came back at once would spend their time on asking.
pub(crate) fn turn(job: &Job, after: Duration) -> Duration {
    let slots = 1_u64 << job.attempts.min(4);
    after.max(Duration::from_millis(500)) + Duration::from_millis(250 * (seed(job) % slots))
}

fn seed(job: &Job) -> u64 {
    job.key.bytes().fold(0_u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into()))
}

pub(crate) fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
