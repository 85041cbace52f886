//! What people read: the queue, one incident, its timeline. Written with the events, so always the fold of them.

use domain::incident::{Incident, Phase, Recorded};
use domain::judgement::{Priority, Verdict};
use domain::rules::RuleId;
use domain::{IncidentId, PersonId, TenantId, Timestamp, Untrusted};
use serde::{Deserialize, Serialize};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

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

/// Which incidents the queue shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueFilter {
    pub closed: bool,
    pub tenant: Option<TenantId>,
    pub priority: Option<Priority>,
    pub assigned_to: Option<PersonId>,
    pub unassigned: bool,
    pub phase: Option<Phase>,
    /// Due at this time or later.
    pub due_from: Option<Timestamp>,
    /// Due before this time. What has no due time is left out.
    pub due_before: Option<Timestamp>,
}

/// The open incidents in numbers, for the head of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    pub open: u64,
    pub unassigned: u64,
    pub overdue: u64,
    /// Not overdue yet, but soon.
    pub at_risk: u64,
    pub waiting_for_customer: u64,
    pub p0: u64,
}

/// A page of the queue, what is due next first.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub rows: Vec<QueueRow>,
    /// How many match in all. Counting stops at `COUNTED_TO`: then there are that many or more.
    pub total: u64,
}

impl Queue {
    /// Nobody turns ten thousand rows over; counting a million of them would make every page slow.
    pub const COUNTED_TO: u64 = 10_000;
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueRow {
    pub id: IncidentId,
    pub tenant: TenantId,
    pub phase: Phase,
    pub priority: Priority,
    pub verdict: Verdict,
    pub assigned: Option<PersonId>,
    pub due_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub updated_at: Timestamp,
    pub summary: Summary,
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
    }
}

/// A `WHERE` clause with its values, built from fixed text only; values are always bound.
#[derive(Debug, Default)]
struct Conditions {
    clauses: Vec<String>,
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Number(i64),
}

impl Conditions {
    /// `None` when nothing can match.
    fn of(scope: &Scope, filter: &QueueFilter) -> Option<Self> {
        let mut conditions = Self::within(scope, !filter.closed);
        if let Some(tenant) = &filter.tenant {
            conditions.text("tenant = ", tenant.as_str());
        }
        if let Some(priority) = filter.priority {
            conditions.number("priority = ", priority as i64);
        }
        if let Some(person) = &filter.assigned_to {
            conditions.text("assigned = ", person.as_str());
        }
        if filter.unassigned {
            conditions.text("assigned = ", "");
        }
        if filter.closed {
            // What is closed has one phase and no due time; looking for another would read every row there is.
            let never = filter.due_before.is_some() || filter.phase.is_some_and(Phase::is_open);
            return (!never).then_some(conditions);
        }
        if let Some(phase) = filter.phase {
            conditions.text("phase = ", &stored_phase(phase));
        }
        if let Some(from) = filter.due_from {
            conditions.number("due_at >= ", micros(from));
        }
        if let Some(before) = filter.due_before {
            conditions.number("due_at < ", micros(before));
        }
        Some(conditions)
    }

    fn within(scope: &Scope, open: bool) -> Self {
        // Open or not is in the text, not bound: only so can the indexes over one or the other be used.
        let state = if open { "is_open = 1" } else { "is_open = 0" };
        let values = match scope {
            Scope::All => Vec::new(),
            Scope::Only(tenants) => tenants.iter().map(|t| Value::Text(t.to_string())).collect(),
        };
        Self { clauses: vec![state.to_owned(), scope.condition(1)], values }
    }

    fn number(&mut self, clause: &'static str, value: i64) {
        self.values.push(Value::Number(value));
        self.clauses.push(format!("{clause}${}", self.values.len()));
    }

    fn text(&mut self, clause: &'static str, value: &str) {
        self.values.push(Value::Text(value.to_owned()));
        self.clauses.push(format!("{clause}${}", self.values.len()));
    }

    fn sql(&self) -> String {
        self.clauses.join(" AND ")
    }

    fn bind<'q>(&self, mut query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
        for value in &self.values {
            query = match value {
                Value::Text(text) => query.bind(text.clone()),
                Value::Number(number) => query.bind(*number),
            };
        }
        query
    }
}

impl Store {
    /// One page of the queue: due next first, then graver, then older.
    pub async fn queue(&self, scope: &Scope, filter: &QueueFilter, limit: i64, offset: i64) -> Result<Queue, Error> {
        let Some(conditions) = Conditions::of(scope, filter) else { return Ok(Queue { rows: Vec::new(), total: 0 }) };
        let order = if filter.closed { "updated_at DESC, id DESC" } else { "due_at, priority, id" };
        let next = conditions.values.len() + 1;
        let sql = format!(
            "SELECT tenant, id, phase, priority, verdict, assigned, due_at, received_at, updated_at, summary
             FROM incident WHERE {} ORDER BY {order} LIMIT ${next} OFFSET ${}",
            conditions.sql(),
            next + 1
        );
        let rows = conditions
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(limit)
            .bind(offset)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("read the queue"))?;
        let sql = format!(
            "SELECT COUNT(*) AS n FROM (SELECT 1 FROM incident WHERE {} LIMIT {}) AS counted",
            conditions.sql(),
            Queue::COUNTED_TO
        );
        let count = conditions
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count the queue"))?;
        Ok(Queue {
            rows: rows.iter().map(queue_row).collect::<Result<_, _>>()?,
            total: number(&count, "n")?.unsigned_abs(),
        })
    }

    /// How many incidents there are, over all tenants. Reads them all: for proofs, not for pages.
    pub async fn count_incidents(&self) -> Result<u64, Error> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM incident")
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count incidents"))?;
        Ok(number(&row, "n")?.unsigned_abs())
    }

    /// The open incidents in numbers; at risk is what falls due before `soon`.
    pub async fn counters(&self, scope: &Scope, now: Timestamp, soon: Timestamp) -> Result<Counters, Error> {
        let conditions = Conditions::within(scope, true);
        let next = conditions.values.len() + 1;
        let count = |when: String| format!("CAST(COALESCE(SUM(CASE WHEN {when} THEN 1 ELSE 0 END), 0) AS BIGINT)");
        let sql = format!(
            "SELECT COUNT(*) AS open, {} AS unassigned, {} AS overdue, {} AS at_risk, {} AS waiting, {} AS p0
             FROM incident WHERE {}",
            count("assigned = ''".into()),
            count(format!("due_at < ${next}")),
            count(format!("due_at >= ${next} AND due_at < ${}", next + 1)),
            count(format!("phase = ${}", next + 2)),
            count("priority = 0".into()),
            conditions.sql(),
        );
        let row = conditions
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(micros(now))
            .bind(micros(soon))
            .bind(stored_phase(Phase::Asked))
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count open incidents"))?;
        let read = |column| number(&row, column).map(i64::unsigned_abs);
        Ok(Counters {
            open: read("open")?,
            unassigned: read("unassigned")?,
            overdue: read("overdue")?,
            at_risk: read("at_risk")?,
            waiting_for_customer: read("waiting")?,
            p0: read("p0")?,
        })
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
        let rows =
            sqlx::query("SELECT seq, at, actor, body FROM event WHERE tenant = $1 AND incident = $2 ORDER BY seq")
                .bind(tenant.as_str())
                .bind(id.to_string())
                .fetch_all(&self.reader)
                .await
                .map_err(Error::database("read an incident's events"))?;
        rows.iter()
            .map(|row| {
                let key = format!("{tenant}/{}", number(row, "seq")?);
                Ok(Recorded {
                    at: timestamp(number(row, "at")?),
                    by: from_json("event", &key, &text(row, "actor")?)?,
                    event: from_json("event", &key, &text(row, "body")?)?,
                })
            })
            .collect()
    }
}

/// A phase as its column holds it. A unit variant always has a JSON form.
fn stored_phase(phase: Phase) -> String {
    serde_json::to_string(&phase).unwrap_or_default()
}

fn queue_row(row: &AnyRow) -> Result<QueueRow, Error> {
    let key = text(row, "id")?;
    let priority = usize::try_from(number(row, "priority")?).ok().and_then(|p| Priority::ALL.get(p).copied());
    let (due_at, assigned) = (number(row, "due_at")?, text(row, "assigned")?);
    Ok(QueueRow {
        id: parsed(row, "incident id", "id")?,
        tenant: parsed(row, "tenant id", "tenant")?,
        phase: from_json("phase", &key, &text(row, "phase")?)?,
        priority: priority.unwrap_or(Priority::P0),
        verdict: from_json("verdict", &key, &text(row, "verdict")?)?,
        assigned: if assigned.is_empty() { None } else { Some(parsed(row, "person id", "assigned")?) },
        due_at: (due_at != NEVER).then(|| timestamp(due_at)),
        received_at: timestamp(number(row, "received_at")?),
        updated_at: timestamp(number(row, "updated_at")?),
        summary: from_json("summary", &key, &text(row, "summary")?)?,
    })
}
