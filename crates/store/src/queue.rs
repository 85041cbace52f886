//! The queue: which incidents are open or were closed, in the order of work, and in numbers.
//!
//! A page stays quick with a million incidents stored: every list and filter goes through an index of `schema`.

use domain::incident::Phase;
use domain::judgement::{Priority, Verdict};
use domain::{IncidentId, PersonId, TenantId, Timestamp};
use serde::Serialize;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use crate::rows::{NEVER, from_json, micros, number, parsed, text, timestamp};
use crate::views::{Scope, Summary, stored_phase};
use crate::{Error, Store};

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

impl Store {
    /// One page of the queue: due next first, then graver, then older.
    pub async fn queue(&self, scope: &Scope, filter: &QueueFilter, limit: i64, offset: i64) -> Result<Queue, Error> {
        let Some(conditions) = Conditions::of(scope, filter) else { return Ok(Queue { rows: Vec::new(), total: 0 }) };
        let rows = conditions
            .bind(sqlx::query(AssertSqlSafe(page_sql(&conditions, filter.closed))))
            .bind(limit)
            .bind(offset)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("read the queue"))?;
        let count = conditions
            .bind(sqlx::query(AssertSqlSafe(count_sql(&conditions))))
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count the queue"))?;
        Ok(Queue {
            rows: rows.iter().map(queue_row).collect::<Result<_, _>>()?,
            total: number(&count, "n")?.unsigned_abs(),
        })
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

/// The parameters after those of the conditions are limit and offset.
fn page_sql(conditions: &Conditions, closed: bool) -> String {
    let order = if closed { "updated_at DESC, id DESC" } else { "due_at, priority, id" };
    let next = conditions.values.len() + 1;
    format!(
        "SELECT tenant, id, phase, priority, verdict, assigned, due_at, received_at, updated_at, summary
         FROM incident WHERE {} ORDER BY {order} LIMIT ${next} OFFSET ${}",
        conditions.sql(),
        next + 1
    )
}

fn count_sql(conditions: &Conditions) -> String {
    let limit = Queue::COUNTED_TO;
    format!("SELECT COUNT(*) AS n FROM (SELECT 1 FROM incident WHERE {} LIMIT {limit}) AS counted", conditions.sql())
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

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;

    /// Any other way reads and sorts rows that are not shown: with a million of them seconds instead of milliseconds.
    #[tokio::test]
    async fn every_list_and_count_goes_through_an_index_made_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("sqlite:{}", folder.path().join("yagura.db").display());
        let store = Store::open(&address).await.expect("the store opens");
        let tenant = |name: &str| TenantId::new(name).expect("a tenant id");
        let sato = PersonId::new("sato").expect("a person id");
        let scopes = [vec!["acme"], vec!["acme", "globex", "initech"]];
        let scopes = scopes.map(|names| Scope::Only(names.into_iter().map(tenant).collect()));
        for scope in [&Scope::All, &scopes[0], &scopes[1]] {
            for closed in [false, true] {
                let all = QueueFilter { closed, ..QueueFilter::default() };
                for filter in [
                    all.clone(),
                    QueueFilter { tenant: Some(tenant("acme")), ..all.clone() },
                    QueueFilter { priority: Some(Priority::P0), ..all.clone() },
                    QueueFilter { assigned_to: Some(sato.clone()), ..all.clone() },
                    QueueFilter { unassigned: true, priority: Some(Priority::P1), ..all.clone() },
                ] {
                    let conditions = Conditions::of(scope, &filter).expect("something can match");
                    let expected = if closed { "USING INDEX incident_closed" } else { "USING INDEX incident_open" };
                    for sql in [page_sql(&conditions, closed), count_sql(&conditions)] {
                        let query = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
                        let query = conditions.bind(query).bind(50_i64).bind(0_i64);
                        let plan = query.fetch_all(&store.reader).await.expect("a plan");
                        let plan: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
                        let read = plan.iter().find(|step| step.contains(" incident ")).expect("the table is read");
                        let read = read.replace("COVERING INDEX", "INDEX");
                        assert!(read.contains(expected), "{scope:?} {filter:?}\n{sql}\n{plan:#?}");
                    }
                }
            }
        }
    }
}
