//! One row for each cycle of an incident's clocks: what the figures of a period are made of (`domain::attainment`).
//!
//! Written in the same unit of work as the incident, and only when something in it changed, so that an alert that joins
//! costs nothing here. The key begins with the start of the cycle: a period is read from one end to the other.

use domain::attainment::Measured;
use domain::clock::{FirstResponse, State};
use domain::incident::{Event, Incident, Recorded};
use domain::{Priority, TenantId, Timestamp};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use crate::rows::{micros, number, parsed, text, timestamp};
use crate::views::Scope;
use crate::{Error, Store};

pub(crate) const COLUMNS: usize = 19;
/// Fewer than elsewhere: the rows are wide, and a statement's cost grows with the square of its parameters.
pub(crate) const ROWS: usize = 12;
pub(crate) const INSERT: &str = "INSERT INTO clock_cycle (started_at, tenant, incident, cycle, priority, reading, \
     response_due, by_ack, by_notice, analysis_due, analysis, first_notice_at, acknowledged_at, acknowledged_by, \
     analysed_at, contained_at, closed_at, ended_at, paused_s) VALUES";
/// An incident does not keep when it was closed, so that only the event's own unit of work knows it.
pub(crate) const ON_CONFLICT_REPLACE: &str = "ON CONFLICT (started_at, tenant, incident, cycle) DO UPDATE SET \
     priority = excluded.priority, response_due = excluded.response_due, by_ack = excluded.by_ack, \
     by_notice = excluded.by_notice, analysis_due = excluded.analysis_due, analysis = excluded.analysis, \
     first_notice_at = excluded.first_notice_at, acknowledged_at = excluded.acknowledged_at, \
     acknowledged_by = excluded.acknowledged_by, analysed_at = excluded.analysed_at, \
     contained_at = excluded.contained_at, \
     closed_at = CASE WHEN excluded.closed_at > 0 THEN excluded.closed_at ELSE clock_cycle.closed_at END, \
     ended_at = excluded.ended_at, paused_s = excluded.paused_s";

/// Which cycles. Those that started from `from` on and before `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    pub to: Timestamp,
    pub tenant: Option<TenantId>,
    pub priority: Option<Priority>,
}

/// The cycles of a period, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycles {
    pub rows: Vec<Measured>,
    /// There are more than `Cycles::MOST`: no figure may be made of what is here.
    pub cut: bool,
}

impl Cycles {
    /// Three months of a SOC of a hundred customers with ten incidents a day each.
    pub const MOST: usize = 100_000;
}

/// What an event changed of the cycles: those that it ended, and the newest if it is not as it was.
pub(crate) fn changed(before: Option<&Incident>, after: &Incident, recorded: &[Recorded]) -> Vec<Measured> {
    let mut changed = before.filter(|b| b.cycle < after.cycle).map(|b| ended(b, recorded)).unwrap_or_default();
    let known = before.filter(|b| b.cycle == after.cycle).and_then(Measured::of);
    let closed = recorded.iter().rev().find(|r| matches!(r.event, Event::Closed)).map(|r| r.at);
    let closed = closed.filter(|_| !after.phase.is_open());
    changed.extend(
        Measured::of(after).map(|newest| Measured { closed, ..newest }).filter(|newest| known.as_ref() != Some(newest)),
    );
    changed
}

/// Each cycle as it stood at the moment when the clocks were started anew.
fn ended(before: &Incident, recorded: &[Recorded]) -> Vec<Measured> {
    let (mut then, mut ended) = (before.clone(), Vec::new());
    for entry in recorded {
        if matches!(entry.event, Event::Reopened { .. } | Event::ClocksStarted { .. }) {
            ended.extend(Measured::of(&then).map(|one| Measured { ended: Some(entry.at), ..one }));
        }
        then.apply(entry);
    }
    ended
}

/// Of an earlier state in the same unit of work and a later one, what is to be written.
pub(crate) fn merged(earlier: &Measured, later: Measured) -> Measured {
    Measured { closed: later.closed.or(earlier.closed), ..later }
}

pub(crate) fn bind<'q>(
    query: Query<'q, Any, AnyArguments>,
    row: &'q Measured,
    incident: &'q str,
) -> Query<'q, Any, AnyArguments> {
    let at = |at: Option<Timestamp>| at.map_or(0, micros);
    query
        .bind(micros(row.started))
        .bind(row.tenant.as_str())
        .bind(incident)
        .bind(i64::from(row.cycle))
        .bind(row.priority as i64)
        .bind(reading_name(row.reading))
        .bind(at(row.response_due))
        .bind(state_name(row.by_ack))
        .bind(state_name(row.by_notice))
        .bind(at(row.analysis_due))
        .bind(state_name(row.analysis))
        .bind(at(row.first_notice))
        .bind(at(row.acknowledged))
        .bind(row.acknowledged_by.as_ref().map_or("", |by| by.as_str()))
        .bind(at(row.analysed))
        .bind(at(row.contained))
        .bind(at(row.closed))
        .bind(at(row.ended))
        .bind(row.paused_s)
}

impl Store {
    /// The cycles of a period, for figures and for the lists behind them.
    pub async fn cycles(&self, scope: &Scope, period: &Period) -> Result<Cycles, Error> {
        let bound = match scope {
            Scope::All => 0,
            Scope::Only(tenants) => tenants.len(),
        };
        let mut sql = format!(
            "SELECT * FROM clock_cycle WHERE {} AND started_at >= ${} AND started_at < ${}",
            scope.condition(1),
            bound + 1,
            bound + 2
        );
        let mut next = bound + 3;
        for (condition, wanted) in [("tenant", period.tenant.is_some()), ("priority", period.priority.is_some())] {
            if wanted {
                sql.push_str(&format!(" AND {condition} = ${next}"));
                next += 1;
            }
        }
        sql.push_str(&format!(" ORDER BY started_at, tenant, incident, cycle LIMIT ${next}"));
        let mut query = scope.bind(sqlx::query(AssertSqlSafe(sql))).bind(micros(period.from)).bind(micros(period.to));
        if let Some(tenant) = &period.tenant {
            query = query.bind(tenant.to_string());
        }
        if let Some(priority) = period.priority {
            query = query.bind(priority as i64);
        }
        // One more than is used tells whether there are more.
        let most = i64::try_from(Cycles::MOST).unwrap_or(i64::MAX);
        let rows = query.bind(most + 1).fetch_all(&self.reader).await.map_err(Error::database("read the figures"))?;
        let cut = rows.len() > Cycles::MOST;
        Ok(Cycles { rows: rows.iter().take(Cycles::MOST).map(measured).collect::<Result<_, _>>()?, cut })
    }
}

fn measured(row: &AnyRow) -> Result<Measured, Error> {
    let at = |column| number(row, column).map(|at| (at != 0).then(|| timestamp(at)));
    let state = |column| text(row, column).and_then(|name| state(&name));
    let priority = usize::try_from(number(row, "priority")?).ok().and_then(|p| Priority::ALL.get(p).copied());
    let by = text(row, "acknowledged_by")?;
    Ok(Measured {
        tenant: parsed(row, "tenant id", "tenant")?,
        incident: parsed(row, "incident id", "incident")?,
        cycle: u32::try_from(number(row, "cycle")?).unwrap_or(u32::MAX),
        priority: priority.unwrap_or(Priority::P0),
        started: timestamp(number(row, "started_at")?),
        reading: reading(&text(row, "reading")?)?,
        response_due: at("response_due")?,
        by_ack: state("by_ack")?,
        by_notice: state("by_notice")?,
        analysis_due: at("analysis_due")?,
        analysis: state("analysis")?,
        first_notice: at("first_notice_at")?,
        acknowledged: at("acknowledged_at")?,
        acknowledged_by: if by.is_empty() { None } else { Some(parsed(row, "person id", "acknowledged_by")?) },
        analysed: at("analysed_at")?,
        contained: at("contained_at")?,
        closed: at("closed_at")?,
        ended: at("ended_at")?,
        paused_s: number(row, "paused_s")?,
    })
}

/// What a row may hold: a clock that runs, whether or not its time is over by now, is `running`.
const STATES: [(State, &str); 6] = [
    (State::Running, "running"),
    (State::Paused, "paused"),
    (State::Met, "met"),
    (State::Missed, "missed"),
    (State::Excluded, "excluded"),
    (State::Unpromised, "unpromised"),
];
const READINGS: [(FirstResponse, &str); 2] =
    [(FirstResponse::AnalystAck, "analyst_ack"), (FirstResponse::AutoFirstNotice, "auto_first_notice")];

fn state_name(state: State) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("running", |(_, name)| name)
}

fn state(name: &str) -> Result<State, Error> {
    STATES.iter().find(|(_, known)| *known == name).map(|(state, _)| *state).ok_or_else(|| unknown("state", name))
}

fn reading_name(reading: FirstResponse) -> &'static str {
    READINGS.iter().find(|(known, _)| *known == reading).map_or("analyst_ack", |(_, name)| name)
}

fn reading(name: &str) -> Result<FirstResponse, Error> {
    READINGS.iter().find(|(_, known)| *known == name).map(|(r, _)| *r).ok_or_else(|| unknown("reading", name))
}

fn unknown(what: &'static str, name: &str) -> Error {
    Error::Corrupt { what, key: name.to_owned(), why: "this version does not know it".into() }
}
