//! What people read of an incident: its state, its timeline, its line in the queue. Written with the events, so always the
//! fold of them. `queue` lists them.

use domain::clock::{Kind, PauseReason};
use domain::incident::{Incident, Phase, Recorded};
use domain::rules::RuleId;
use domain::{IncidentId, TenantId, Timestamp, Untrusted};
use serde::{Deserialize, Serialize};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use crate::rows::{NEVER, from_json, micros, number, parsed, placeholders, text, timestamp, to_json};
use crate::{Error, Store};

/// Whose data a caller may see. Every read takes one: the second barrier behind the routes (SEC-02).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The SOC's own staff without restriction, and the program itself.
    All,
    Only(Vec<TenantId>),
}

impl Scope {
    /// A condition on the column `tenant` whose values are `$from, …`, to be bound with `bind`.
    pub(crate) fn condition(&self, from: usize) -> String {
        match self {
            Self::All => "1 = 1".into(),
            // `IN ()` is not portable.
            Self::Only(tenants) if tenants.is_empty() => "1 = 0".into(),
            Self::Only(tenants) => format!("tenant IN ({})", placeholders(from, tenants.len())),
        }
    }

    /// How many parameters `condition` takes.
    pub(crate) fn parameters(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Only(tenants) => tenants.len(),
        }
    }

    pub(crate) fn bind<'q>(&self, query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        match self {
            Self::All => query,
            Self::Only(tenants) => tenants.iter().fold(query, |query, tenant| query.bind(tenant.to_string())),
        }
    }

    pub fn holds(&self, tenant: &TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Only(tenants) => tenants.contains(tenant),
        }
    }
}

/// What one line of the queue says besides its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub title: Untrusted,
    pub host: Untrusted,
    pub user: Option<Untrusted>,
    pub hosts: usize,
    pub alerts: u32,
    pub rule: RuleId,
    pub dfir: bool,
    pub troubles: usize,
    /// What is promised next. `None` when nothing is, and in lines that an older version of this program wrote.
    #[serde(default)]
    pub promise: Option<Promised>,
}

/// The promise that comes next, and whether its clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promised {
    Running(Kind),
    /// Waits for the customer. `late`: its time was over before it stood still, and a pause mends nothing.
    Paused {
        kind: Kind,
        why: PauseReason,
        late: bool,
    },
    /// The incident does not count against the service levels.
    NotCounted,
}

impl Promised {
    pub fn of(incident: &Incident) -> Option<Self> {
        let clocks = incident.clocks.as_ref().filter(|_| incident.phase.is_open())?;
        if clocks.excluded.is_some() {
            return Some(Self::NotCounted);
        }
        let kind = Kind::ALL.into_iter().find(|kind| clocks.stopped(*kind).is_none())?;
        // With the verdict the analysis is done, though no channel may have taken it yet.
        if kind == Kind::Analysis && incident.phase == Phase::Answered {
            return None;
        }
        let due = clocks.due(kind)?;
        let paused = clocks.paused(kind).map(|p| Self::Paused { kind, why: p.why, late: due < p.from });
        Some(paused.unwrap_or(Self::Running(kind)))
    }
}

pub(crate) const INCIDENT_COLUMNS: usize = 13;
pub(crate) const INSERT_INCIDENT: &str = "INSERT INTO incident (tenant, id, version, is_open, phase, priority, verdict, \
     assigned, due_at, received_at, updated_at, summary, body) VALUES";
pub(crate) const ON_CONFLICT_REPLACE: &str = "ON CONFLICT (tenant, id) DO UPDATE SET version = excluded.version, \
     is_open = excluded.is_open, phase = excluded.phase, priority = excluded.priority, verdict = excluded.verdict, \
     assigned = excluded.assigned, due_at = excluded.due_at, updated_at = excluded.updated_at, \
     summary = excluded.summary, body = excluded.body";

/// One row of the view, made from an incident.
#[derive(Debug)]
pub(crate) struct IncidentRow {
    tenant: String,
    id: String,
    version: i64,
    is_open: i64,
    phase: String,
    priority: i64,
    verdict: String,
    assigned: String,
    due_at: i64,
    received_at: i64,
    updated_at: i64,
    summary: String,
    body: String,
}

impl IncidentRow {
    pub(crate) fn of(incident: &Incident, updated_at: Timestamp) -> Result<Self, Error> {
        let id = incident.id.to_string();
        Ok(Self {
            version: i64::try_from(incident.version).unwrap_or(i64::MAX),
            is_open: incident.phase.is_open().into(),
            phase: to_json("phase", &id, &incident.phase)?,
            priority: incident.priority() as i64,
            verdict: to_json("verdict", &id, &incident.verdict)?,
            assigned: incident.assigned.as_ref().map_or_else(String::new, ToString::to_string),
            due_at: incident.next_due().map_or(NEVER, micros),
            received_at: micros(incident.received_at),
            updated_at: micros(updated_at),
            summary: to_json("summary", &id, &summary(incident))?,
            body: to_json("incident", &id, incident)?,
            tenant: incident.tenant.to_string(),
            id,
        })
    }

    pub(crate) fn bind<'q>(&'q self, query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        query
            .bind(&self.tenant)
            .bind(&self.id)
            .bind(self.version)
            .bind(self.is_open)
            .bind(&self.phase)
            .bind(self.priority)
            .bind(&self.verdict)
            .bind(&self.assigned)
            .bind(self.due_at)
            .bind(self.received_at)
            .bind(self.updated_at)
            .bind(&self.summary)
            .bind(&self.body)
    }
}

fn summary(incident: &Incident) -> Summary {
    let first = incident.alerts.first();
    Summary {
        title: incident.title.clone(),
        host: first.map(|a| a.endpoint.name.clone()).unwrap_or_default(),
        user: first.and_then(|a| a.process.user.clone().or_else(|| a.endpoint.last_user.clone())),
        hosts: incident.hosts.len(),
        alerts: incident.alert_count,
        rule: incident.judgement.rule,
        dfir: incident.dfir,
        troubles: incident.troubles.len(),
        promise: Promised::of(incident),
    }
}

impl Store {
    /// How many incidents there are, over all tenants. Reads them all: for proofs, not for pages.
    pub async fn count_incidents(&self) -> Result<u64, Error> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM incident")
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count incidents"))?;
        Ok(number(&row, "n")?.unsigned_abs())
    }

    /// One incident, `None` when it does not exist or is out of scope: the two cannot be told apart (SEC-01).
    pub async fn incident(&self, scope: &Scope, id: IncidentId) -> Result<Option<Incident>, Error> {
        let row = sqlx::query("SELECT tenant, body FROM incident WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(Error::database("read an incident"))?;
        let Some(row) = row else { return Ok(None) };
        let tenant: TenantId = parsed(&row, "tenant id", "tenant")?;
        if !scope.holds(&tenant) {
            return Ok(None);
        }
        from_json("incident", &id.to_string(), &text(&row, "body")?).map(Some)
    }

    /// Everything that happened to an incident, oldest first.
    pub async fn events(&self, tenant: &TenantId, id: IncidentId) -> Result<Vec<Recorded>, Error> {
        Ok(self.numbered_events(tenant, id).await?.into_iter().map(|(_, recorded)| recorded).collect())
    }

    /// The same, each with its number in the tenant's chain.
    pub async fn numbered_events(&self, tenant: &TenantId, id: IncidentId) -> Result<Vec<(u64, Recorded)>, Error> {
        let rows =
            sqlx::query("SELECT seq, at, actor, body FROM event WHERE tenant = $1 AND incident = $2 ORDER BY seq")
                .bind(tenant.as_str())
                .bind(id.to_string())
                .fetch_all(&self.reader)
                .await
                .map_err(Error::database("read an incident's events"))?;
        rows.iter()
            .map(|row| {
                let seq = number(row, "seq")?;
                let key = format!("{tenant}/{seq}");
                let recorded = Recorded {
                    at: timestamp(number(row, "at")?),
                    by: from_json("event", &key, &text(row, "actor")?)?,
                    event: from_json("event", &key, &text(row, "body")?)?,
                };
                Ok((seq.unsigned_abs(), recorded))
            })
            .collect()
    }
}

/// A phase as its column holds it. A unit variant always has a JSON form.
pub(crate) fn stored_phase(phase: Phase) -> String {
    serde_json::to_string(&phase).unwrap_or_default()
}
