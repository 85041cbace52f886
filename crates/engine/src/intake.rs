//! Alerts come in: each is new, a newer version of one we have, or a repeat; each ends up in exactly one incident (REL-03).
//!
//! A batch is one transaction together with the checkpoint after it, so that a crash either leaves both or neither
//! (REL-04). It does not know where alerts come from.

use domain::alert::Alert;
use domain::grouping::{self, Grouping, Key};
use domain::incident::{Command, Context, Incident};
use domain::tenant::Tenant;
use domain::{AlertId, IncidentId, TenantId, Timestamp};
use store::{AlertRow, KnownAlert, Refusal, Work};

use crate::command::{ExecuteError, TRANSACTION_TRIES, decide};
use crate::{Engine, Nudge};

/// An alert and the record it was read from.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub alert: Alert,
    pub raw: String,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub opened: Vec<IncidentId>,
    pub joined: Vec<IncidentId>,
    /// Newer versions of alerts that are already here.
    pub updated: u64,
    /// Exact repeats, as an overlapping poll brings them.
    pub repeated: u64,
}

impl Taken {
    fn add(&mut self, what: Fate) {
        match what {
            Fate::Opened(id) => self.opened.push(id),
            Fate::Joined(id) => self.joined.push(id),
            Fate::Updated(_) => self.updated += 1,
            Fate::Repeated => self.repeated += 1,
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.opened.extend(other.opened);
        self.joined.extend(other.joined);
        self.updated += other.updated;
        self.repeated += other.repeated;
    }
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Opened(IncidentId),
    Joined(IncidentId),
    Updated(IncidentId),
    Repeated,
}

impl Engine {
    /// Takes a batch of one tenant in, keeps what could not be read, and moves the checkpoint: all of it or nothing.
    pub async fn take_in(
        &self,
        tenant: &TenantId,
        batch: &[Incoming],
        refusals: &[Refusal],
        checkpoint: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<Taken, ExecuteError> {
        let tenant = self.tenant(tenant).ok_or_else(|| ExecuteError::NoTenant(tenant.clone()))?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_take_in(tenant, batch, refusals, checkpoint, now).await {
                Err(ExecuteError::Store(e)) if e.is_transient() && tries < TRANSACTION_TRIES => {}
                Err(error) => return Err(error),
                Ok((taken, changed)) => {
                    for incident in changed {
                        self.nudge(Nudge { tenant: tenant.id.clone(), incident });
                    }
                    return Ok(taken);
                }
            }
        }
    }

    async fn try_take_in(
        &self,
        tenant: &Tenant,
        batch: &[Incoming],
        refusals: &[Refusal],
        checkpoint: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<(Taken, Vec<IncidentId>), ExecuteError> {
        let context = self.context(tenant, now);
        let mut work = self.store().begin(&tenant.id).await?;
        let ids: Vec<AlertId> = batch.iter().map(|i| i.alert.id.clone()).collect();
        let mut known = work.known_alerts(&ids).await?;
        let keys: Vec<Key> = batch.iter().flat_map(|i| grouping::keys(&i.alert)).collect();
        work.recall(&keys).await?;
        let (mut taken, mut changed) = (Taken::default(), Vec::new());
        for incoming in batch {
            let fate = take_one(&mut work, &mut known, incoming, context).await?;
            if let Fate::Opened(id) | Fate::Joined(id) | Fate::Updated(id) = fate
                && changed.last() != Some(&id)
            {
                changed.push(id);
            }
            taken.add(fate);
        }
        for refusal in refusals {
            work.refuse(refusal).await?;
        }
        if let Some((source, value)) = checkpoint {
            work.set_checkpoint(source, value).await?;
        }
        work.commit().await?;
        Ok((taken, changed))
    }
}

async fn take_one(
    work: &mut Work,
    known: &mut std::collections::HashMap<AlertId, KnownAlert>,
    incoming: &Incoming,
    context: Context<'_>,
) -> Result<Fate, ExecuteError> {
    let Incoming { alert, raw } = incoming;
    let (incident, fate) = match known.get(&alert.id) {
        Some(seen) if seen.version >= alert.version => return Ok(Fate::Repeated),
        Some(seen) => {
            let id = seen.incident;
            let before = work.incident(id).await?.ok_or(ExecuteError::NoIncident(id))?;
            let after = decide(work, before, Command::UpdateAlert { alert: Box::new(alert.clone()) }, context)?;
            (after, Fate::Updated(id))
        }
        None => place(work, alert, context).await?,
    };
    known.insert(alert.id.clone(), KnownAlert { incident: incident.id, version: alert.version });
    work.keep_alert(AlertRow {
        id: alert.id.clone(),
        incident: incident.id,
        version: alert.version,
        received_at: context.now,
        raw: raw.clone(),
    });
    work.remember(&grouping::keys(alert), &incident, &grouping::behaviour(alert), context.now);
    Ok(fate)
}

/// Finds the incident of a new alert, or opens one.
async fn place(work: &mut Work, alert: &Alert, context: Context<'_>) -> Result<(Incident, Fate), ExecuteError> {
    let earlier = work.remembered(&grouping::keys(alert));
    let class = context.tenant.policy.class_of(&alert.endpoint);
    match grouping::group(alert, class, &earlier, context.now) {
        Grouping::Join { incident: id, rule, grounds } | Grouping::Reopen { incident: id, rule, grounds } => {
            let before = work.incident(id).await?.ok_or(ExecuteError::NoIncident(id))?;
            let command = Command::TakeAlert { alert: Box::new(alert.clone()), rule, grounds };
            Ok((decide(work, before, command, context)?, Fate::Joined(id)))
        }
        Grouping::New { refers_to, grounds } => {
            let year = jiff::tz::Offset::UTC.to_datetime(context.now).year();
            let id = work.next_incident_id(year).await?;
            let (incident, recorded) = Incident::open(id, alert.clone(), refers_to, grounds, context);
            let effects = incident.effects(None, &recorded, context.tenant);
            work.record(incident.clone(), &recorded, &effects)?;
            Ok((incident, Fate::Opened(id)))
        }
    }
}
