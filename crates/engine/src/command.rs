//! One command on one incident: load, decide, write, nudge.

use domain::incident::{Command, Context, Incident, Refused};
use domain::tenant::Tenant;
use domain::{IncidentId, TenantId, Timestamp};
use store::{Job, Piece, Work};

use crate::{Engine, Nudge};

/// Immediate tries of one transaction when the database reports a conflict.
pub(crate) const TRANSACTION_TRIES: u32 = 5;

#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error("tenant `{0}` is not configured")]
    NoTenant(TenantId),
    #[error("incident `{0}` does not exist")]
    NoIncident(IncidentId),
    /// The domain says no; its text is for the person who asked.
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What is written together with a decision.
#[derive(Clone, Copy)]
struct Then<'a> {
    /// The job that ends with it.
    job: Option<&'a Job>,
    pieces: &'a [Piece],
}

impl Then<'_> {
    fn nothing() -> Self {
        Self { job: None, pieces: &[] }
    }
}

impl Engine {
    /// Executes one command and returns the state after it.
    pub async fn execute(
        &self,
        tenant: &TenantId,
        incident: IncidentId,
        command: Command,
        now: Timestamp,
    ) -> Result<Incident, ExecuteError> {
        self.execute_all(tenant, incident, &[command], Then::nothing(), now).await
    }

    /// Executes several commands on one incident, all of them or none, and returns the state after the last.
    pub async fn execute_together(
        &self,
        tenant: &TenantId,
        incident: IncidentId,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<Incident, ExecuteError> {
        self.execute_all(tenant, incident, commands, Then::nothing(), now).await
    }

    /// Executes what a job brought back and ends the job, in one transaction: neither can be there without the other.
    pub(crate) async fn finish(
        &self,
        job: &Job,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<Incident, ExecuteError> {
        self.execute_all(&job.tenant, job.incident, commands, Then { job: Some(job), pieces: &[] }, now).await
    }

    /// Like `finish`, for a job that brought evidence: what it says and what it holds cannot be there without one another.
    pub(crate) async fn finish_with(
        &self,
        job: &Job,
        command: Command,
        pieces: &[Piece],
        now: Timestamp,
    ) -> Result<Incident, ExecuteError> {
        self.execute_all(&job.tenant, job.incident, &[command], Then { job: Some(job), pieces }, now).await
    }

    async fn execute_all(
        &self,
        tenant: &TenantId,
        id: IncidentId,
        commands: &[Command],
        then: Then<'_>,
        now: Timestamp,
    ) -> Result<Incident, ExecuteError> {
        let tenant = self.tenant(tenant).ok_or_else(|| ExecuteError::NoTenant(tenant.clone()))?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_execute(tenant, id, commands, then, now).await {
                Err(ExecuteError::Store(e)) if e.is_transient() && tries < TRANSACTION_TRIES => {}
                Err(error) => return Err(error),
                Ok(after) => {
                    self.nudge(Nudge { tenant: tenant.id.clone(), incident: id });
                    return Ok(after);
                }
            }
        }
    }

    async fn try_execute(
        &self,
        tenant: &Tenant,
        id: IncidentId,
        commands: &[Command],
        then: Then<'_>,
        now: Timestamp,
    ) -> Result<Incident, ExecuteError> {
        let mut work = self.store().begin(&tenant.id).await?;
        let mut incident = work.incident(id).await?.ok_or(ExecuteError::NoIncident(id))?;
        if let Some(job) = then.job
            && !work.finish_job(job, now).await?
        {
            // The lease ran out and somebody else has the job: their result counts, ours is dropped.
            return Ok(incident);
        }
        let context = self.context(tenant, now);
        for command in commands {
            incident = decide(&mut work, incident, command.clone(), context)?;
        }
        then.pieces.iter().for_each(|piece| work.keep_content(piece.clone()));
        work.commit().await?;
        Ok(incident)
    }
}

/// Decides one command within a unit of work and takes its events and jobs over.
pub(crate) fn decide(
    work: &mut Work,
    incident: Incident,
    command: Command,
    context: Context<'_>,
) -> Result<Incident, ExecuteError> {
    let recorded = incident.decide(command, context)?;
    if recorded.is_empty() {
        return Ok(incident);
    }
    let mut after = incident.clone();
    for entry in &recorded {
        after.apply(entry);
    }
    let effects = after.effects(Some(&incident), &recorded, context.tenant);
    work.record(after.clone(), &recorded, &effects)?;
    Ok(after)
}
