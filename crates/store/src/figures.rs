//! The installation in numbers, for monitoring: what is open and overdue, what waits to be done, what came and went.
//!
//! Four statements over what is open, undone or counted already; no figure reads what is closed, of which there may be a
//! million. Over all tenants: whoever shows these figures answers for who sees them.

use std::collections::BTreeMap;

use domain::attainment::{Standing, Target};
use domain::incident::Phase;
use domain::judgement::Priority;
use domain::{TenantId, Timestamp};
use sqlx::any::AnyRow;

use crate::rows::{from_json, micros, number, text, timestamp};
use crate::{Error, Store};

/// Prefixes of the counters that a unit of work adds to; the tenant's id follows.
pub(crate) const ALERTS: &str = "alerts/";
pub(crate) const NOTICES: &str = "notices/";
const TARGETS: &str = "targets/";

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    pub open: Vec<OpenFigures>,
    /// By the role's name; a role that never had a job is not there.
    pub jobs: BTreeMap<String, RoleFigures>,
    /// Alerts taken in so far.
    pub alerts: BTreeMap<TenantId, u64>,
    /// Notices that a channel accepted so far.
    pub notices: BTreeMap<TenantId, u64>,
    /// Clocks that stopped so far, kept or missed, over all tenants.
    pub targets: BTreeMap<(Target, Priority, Standing), u64>,
}

/// The open incidents of one priority and phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFigures {
    pub priority: Priority,
    pub phase: Phase,
    pub open: u64,
    /// Those whose next promise should have been kept by now.
    pub overdue: u64,
}

/// The jobs of one role. Each is in one of the three counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoleFigures {
    /// For their time, or for a worker.
    pub waiting: u64,
    /// Held by a worker whose lease runs.
    pub leased: u64,
    /// Gave up: a person has to look.
    pub dead: u64,
    /// Since when the oldest job that is not done could have been.
    pub oldest_due_at: Option<Timestamp>,
}

const OPEN: &str = "SELECT priority, phase, COUNT(*) AS n,
        CAST(SUM(CASE WHEN due_at < $1 THEN 1 ELSE 0 END) AS BIGINT) AS overdue
     FROM incident WHERE is_open = 1 GROUP BY priority, phase ORDER BY priority, phase";
const UNDONE: &str =
    "SELECT role, COUNT(*) AS n, CAST(SUM(CASE WHEN lease_until >= $1 THEN 1 ELSE 0 END) AS BIGINT) AS leased,
        MIN(run_at) AS oldest
     FROM job WHERE done_at = 0 AND dead_at = 0 GROUP BY role";
const DEAD: &str = "SELECT role, COUNT(*) AS n FROM job WHERE dead_at > 0 GROUP BY role";

impl Store {
    pub async fn figures(&self, now: Timestamp) -> Result<Figures, Error> {
        let rows = async |sql: &'static str, binds: bool| {
            let query = sqlx::query(sql);
            let query = if binds { query.bind(micros(now)) } else { query };
            query.fetch_all(&self.reader).await.map_err(Error::database("read the figures"))
        };
        let mut figures =
            Figures { open: rows(OPEN, true).await?.iter().map(open).collect::<Result<_, _>>()?, ..Figures::default() };
        for row in rows(UNDONE, true).await? {
            let (all, leased, oldest) =
                (number(&row, "n")?.unsigned_abs(), number(&row, "leased")?.unsigned_abs(), number(&row, "oldest")?);
            let role = figures.jobs.entry(text(&row, "role")?).or_default();
            role.leased = leased;
            role.waiting = all.saturating_sub(leased);
            role.oldest_due_at = (oldest <= micros(now)).then(|| timestamp(oldest));
        }
        for row in rows(DEAD, false).await? {
            figures.jobs.entry(text(&row, "role")?).or_default().dead = number(&row, "n")?.unsigned_abs();
        }
        for row in rows("SELECT name, value FROM counter", false).await? {
            let (name, value) = (text(&row, "name")?, number(&row, "value")?.unsigned_abs());
            for (prefix, counts) in [(ALERTS, &mut figures.alerts), (NOTICES, &mut figures.notices)] {
                // Other counters, such as the incidents' numbers, are no figures.
                if let Some(Ok(tenant)) = name.strip_prefix(prefix).map(str::parse) {
                    counts.insert(tenant, value);
                }
            }
            if let Some(target) = name.strip_prefix(TARGETS).and_then(counted_target) {
                *figures.targets.entry(target).or_default() += value;
            }
        }
        Ok(figures)
    }
}

/// Each tenant has counters of its own, so that tenants do not wait for each other.
pub(crate) fn target_counter(tenant: &TenantId, target: Target, priority: Priority, standing: Standing) -> String {
    format!("{TARGETS}{tenant}/{}/{}/{}", target.name(), priority.name(), standing.name())
}

fn counted_target(name: &str) -> Option<(Target, Priority, Standing)> {
    let mut words = name.split('/').skip(1);
    let (target, priority, standing) = (words.next()?, words.next()?, words.next()?);
    Some((
        Target::ALL.into_iter().find(|t| t.name() == target)?,
        priority.parse().ok()?,
        Standing::ALL.into_iter().find(|s| s.name() == standing)?,
    ))
}

fn open(row: &AnyRow) -> Result<OpenFigures, Error> {
    let priority = usize::try_from(number(row, "priority")?).ok().and_then(|p| Priority::ALL.get(p).copied());
    let phase = text(row, "phase")?;
    Ok(OpenFigures {
        // One that this program does not know counts as the gravest.
        priority: priority.unwrap_or(Priority::P0),
        phase: from_json("phase", &phase, &phase)?,
        open: number(row, "n")?.unsigned_abs(),
        overdue: number(row, "overdue")?.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;

    #[tokio::test]
    async fn no_figure_reads_what_is_closed_or_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("y.db").display())).await.expect("a store");
        for (sql, index) in [(OPEN, "incident_open"), (UNDONE, "job_waiting"), (DEAD, "job_dead")] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).bind(0_i64);
            let plan = plan.fetch_all(&store.reader).await.expect("a plan");
            let plan: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
            assert!(plan[0].contains(index), "{sql}\n{plan:#?}");
        }
    }
}
