//! One unit of work for one tenant: reads what a decision needs, gathers what it leads to, and commits all of it at once.
//!
//! Beginning it locks the tenant's chain, so two decisions about one incident never see the same state. Rows are gathered
//! and written many to a statement, which is what makes a thousand alerts a second possible.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::attainment::{Measured, Standing, Target};
use domain::grouping::{Earlier, Key};
use domain::incident::{Effect, Event, Incident, Recorded};
use domain::{AlertId, IncidentId, Priority, TenantId, Timestamp};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Transaction};

use crate::alerts::{AlertRow, KnownAlert, Refusal};
use crate::chain::{self, Link, RootLink};
use crate::jobs::Job;
use crate::rows::{ROWS_PER_STATEMENT, from_json, micros, number, text, to_json, values};
use crate::{AtCommit, Error, Store, Trouble, cycles, figures, views};

/// See the module. Dropping it without `commit` undoes everything.
#[derive(Debug)]
pub struct Work {
    pub(crate) transaction: Transaction<'static, Any>,
    pub(crate) tenant: TenantId,
    seq: i64,
    hash: String,
    events: Vec<EventRow>,
    incidents: HashMap<IncidentId, Incident>,
    changed: BTreeMap<IncidentId, Timestamp>,
    cycles: BTreeMap<(IncidentId, u32), Measured>,
    jobs: BTreeMap<String, JobRow>,
    pub(crate) alerts: BTreeMap<AlertId, AlertRow>,
    pub(crate) contents: BTreeMap<String, String>,
    pub(crate) memory: HashMap<Key, Vec<Earlier>>,
    pub(crate) remembered: BTreeMap<(Key, IncidentId), (Timestamp, String)>,
    numbers: HashMap<i16, i64>,
    tally: Tally,
    trouble: Option<Arc<dyn Trouble>>,
}

/// What this unit of work adds to the figures.
#[derive(Debug, Default)]
struct Tally {
    alerts: i64,
    notices: i64,
    /// Promises that were kept, and that were not, when their clocks stopped.
    targets: BTreeMap<(Target, Priority, Standing), i64>,
}

impl Tally {
    fn count(&mut self, event: &Event) {
        match event {
            // Each alert comes in by one of these two, once.
            Event::Received { .. } | Event::AlertJoined { .. } => self.alerts += 1,
            Event::NoticeAccepted { .. } => self.notices += 1,
            _ => {}
        }
    }

    fn stop(&mut self, before: Option<&Measured>, after: &Measured) {
        for target in [Target::FirstResponse, Target::Analysis] {
            // Long before any due time, only what has stopped is kept or missed.
            let stopped = |one: &Measured| one.standing(target, Timestamp::MIN);
            let standing = stopped(after);
            if standing.counts() && !before.is_some_and(|b| stopped(b).counts()) {
                *self.targets.entry((target, after.priority, standing)).or_default() += 1;
            }
        }
    }
}

#[derive(Debug)]
struct EventRow {
    seq: i64,
    incident: String,
    at: i64,
    actor: String,
    kind: &'static str,
    body: String,
    hash: String,
}

#[derive(Debug)]
struct JobRow {
    incident: String,
    role: &'static str,
    body: String,
    urgency: i64,
    run_at: i64,
    standing: bool,
}

impl Work {
    pub(crate) async fn begin(store: &Store, tenant: &TenantId) -> Result<Self, Error> {
        let failed = || Error::database("begin a unit of work");
        let mut transaction = store.writer.begin().await.map_err(failed())?;
        // The first statement writes: it takes SQLite's writer or locks the tenant's row.
        let head = sqlx::query(
            "INSERT INTO chain_head (tenant, seq, hash) VALUES ($1, 0, $2)
             ON CONFLICT (tenant) DO UPDATE SET seq = chain_head.seq RETURNING seq, hash",
        )
        .bind(tenant.as_str())
        .bind(chain::START)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed())?;
        Ok(Self {
            tenant: tenant.clone(),
            seq: number(&head, "seq")?,
            hash: text(&head, "hash")?,
            transaction,
            events: Vec::new(),
            incidents: HashMap::new(),
            changed: BTreeMap::new(),
            cycles: BTreeMap::new(),
            jobs: BTreeMap::new(),
            alerts: BTreeMap::new(),
            contents: BTreeMap::new(),
            memory: HashMap::new(),
            remembered: BTreeMap::new(),
            numbers: HashMap::new(),
            tally: Tally::default(),
            trouble: store.trouble.clone(),
        })
    }

    /// The incident as this unit of work sees it.
    pub async fn incident(&mut self, id: IncidentId) -> Result<Option<Incident>, Error> {
        if let Some(known) = self.incidents.get(&id) {
            return Ok(Some(known.clone()));
        }
        let row = sqlx::query("SELECT body FROM incident WHERE tenant = $1 AND id = $2")
            .bind(self.tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(Error::database("read an incident"))?;
        let Some(row) = row else { return Ok(None) };
        let incident: Incident = from_json("incident", &id.to_string(), &text(&row, "body")?)?;
        self.incidents.insert(id, incident.clone());
        Ok(Some(incident))
    }

    /// The next free incident number of a year. Numbers have no gaps: an undone unit of work gives its numbers back.
    pub async fn next_incident_id(&mut self, year: i16) -> Result<IncidentId, Error> {
        if !self.numbers.contains_key(&year) {
            let row = sqlx::query(
                "INSERT INTO counter (name, value) VALUES ($1, 0)
                 ON CONFLICT (name) DO UPDATE SET value = counter.value RETURNING value",
            )
            .bind(counter_name(year))
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(Error::database("number an incident"))?;
            self.numbers.insert(year, number(&row, "value")?);
        }
        // Inserted just above.
        let last = self.numbers.entry(year).or_default();
        *last += 1;
        let number = u32::try_from(*last).map_err(|_| Error::Corrupt {
            what: "counter",
            key: counter_name(year),
            why: "more incidents than numbers".into(),
        })?;
        Ok(IncidentId { year, number })
    }

    /// Takes over a decision: the state after it, its events, and the jobs that follow.
    pub fn record(&mut self, after: Incident, recorded: &[Recorded], effects: &[Effect]) -> Result<(), Error> {
        let incident = after.id.to_string();
        for entry in recorded {
            self.chain_event(&incident, entry)?;
        }
        let at = recorded.last().map_or(after.received_at, |r| r.at);
        for effect in effects {
            let key = format!("{}/{incident}/{}", self.tenant, effect.key());
            let body = to_json("job", &key, effect)?;
            let urgency = i64::from(after.priority() as u8);
            let (role, standing, run_at) =
                (effect.role().name(), effect.is_standing(), micros(effect.not_before(&after, at)));
            let row = JobRow { incident: incident.clone(), role, body, urgency, run_at, standing };
            self.jobs.entry(key).or_insert(row);
        }
        self.measure(&after, recorded);
        self.changed.insert(after.id, at);
        self.incidents.insert(after.id, after);
        Ok(())
    }

    fn measure(&mut self, after: &Incident, recorded: &[Recorded]) {
        let before = self.incidents.get(&after.id);
        for cycle in cycles::changed(before, after, recorded) {
            let known = before.filter(|b| b.cycle == cycle.cycle).and_then(Measured::of);
            self.tally.stop(known.as_ref(), &cycle);
            let key = (cycle.incident, cycle.cycle);
            let cycle = match self.cycles.get(&key) {
                Some(earlier) => cycles::merged(earlier, cycle),
                None => cycle,
            };
            self.cycles.insert(key, cycle);
        }
    }

    fn chain_event(&mut self, incident: &str, entry: &Recorded) -> Result<(), Error> {
        self.seq += 1;
        self.tally.count(&entry.event);
        let (actor, body) = (to_json("event", incident, &entry.by)?, to_json("event", incident, &entry.event)?);
        let (at, kind) = (micros(entry.at), entry.event.name());
        let link = Link { tenant: self.tenant.as_str(), seq: self.seq, incident, at, actor: &actor, kind, body: &body };
        self.hash = link.hash(&self.hash);
        let (seq, hash) = (self.seq, self.hash.clone());
        self.events.push(EventRow { seq, incident: incident.to_owned(), at, actor, kind, body, hash });
        Ok(())
    }

    /// Marks a claimed job as done within this unit of work, so that its result and its end commit together.
    /// `false` when it is done already, or somebody else holds it by now: then its result must not be committed again. A
    /// standing job that was asked for anew meanwhile is let go of instead, and runs once more.
    pub async fn finish_job(&mut self, job: &Job, now: Timestamp) -> Result<bool, Error> {
        let sql =
            "UPDATE job SET done_at = CASE WHEN attempts = $4 THEN $1 ELSE 0 END, lease_until = 0, lease_owner = ''
                   WHERE key = $2 AND lease_owner = $3 AND attempts IN ($4, 0) AND done_at = 0 AND dead_at = 0";
        let done = sqlx::query(sql)
            .bind(micros(now))
            .bind(job.key.as_str())
            .bind(job.lease.as_str())
            .bind(i64::from(job.attempts))
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::database("finish a job"))?;
        Ok(done.rows_affected() == 1)
    }

    /// Where reading a source continues, kept with what was read (REL-04).
    pub async fn set_checkpoint(&mut self, source: &str, value: &str) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO checkpoint (tenant, source, value) VALUES ($1, $2, $3)
             ON CONFLICT (tenant, source) DO UPDATE SET value = excluded.value",
        )
        .bind(self.tenant.as_str())
        .bind(source)
        .bind(value)
        .execute(&mut *self.transaction)
        .await
        .map_err(Error::database("keep a checkpoint"))?;
        Ok(())
    }

    /// Which of these alerts are here already, this unit of work included.
    pub async fn known_alerts(&mut self, ids: &[AlertId]) -> Result<HashMap<AlertId, KnownAlert>, Error> {
        crate::alerts::known(self, ids).await
    }

    /// Reads what is remembered under these keys, for `remembered` to answer from memory.
    pub async fn recall(&mut self, keys: &[Key]) -> Result<(), Error> {
        crate::alerts::recall(self, keys).await
    }

    /// Earlier alerts under these keys, as of now in this unit of work. Keys must have been recalled.
    pub fn remembered(&self, keys: &[Key]) -> Vec<Earlier> {
        keys.iter().filter_map(|key| self.memory.get(key)).flatten().map(|e| self.as_of_now(e)).collect()
    }

    fn as_of_now(&self, earlier: &Earlier) -> Earlier {
        match self.incidents.get(&earlier.incident) {
            Some(incident) => Earlier {
                closed: !incident.phase.is_open(),
                verdict: incident.verdict,
                priority: incident.priority(),
                ..earlier.clone()
            },
            None => earlier.clone(),
        }
    }

    /// Keeps an alert as it came, with where it went.
    pub fn keep_alert(&mut self, row: AlertRow) {
        self.alerts.insert(row.id.clone(), row);
    }

    /// Remembers an alert under its keys.
    pub fn remember(&mut self, keys: &[Key], incident: &Incident, behaviour: &str, at: Timestamp) {
        for key in keys {
            let earlier = Earlier {
                likeness: key.likeness,
                incident: incident.id,
                at,
                behaviour: behaviour.to_owned(),
                closed: !incident.phase.is_open(),
                verdict: incident.verdict,
                priority: incident.priority(),
            };
            let known = self.memory.entry(key.clone()).or_default();
            known.retain(|e| e.incident != incident.id);
            known.push(earlier);
            self.remembered.insert((key.clone(), incident.id), (at, behaviour.to_owned()));
        }
    }

    /// Keeps a record that could not be read as an alert, for a person to see.
    pub async fn refuse(&mut self, refusal: &Refusal) -> Result<(), Error> {
        crate::alerts::refuse(self, refusal).await
    }

    /// Writes everything and commits.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.write_contents().await?;
        self.write_events().await?;
        self.write_incidents().await?;
        self.write_cycles().await?;
        self.write_jobs().await?;
        crate::alerts::write(&mut self).await?;
        self.write_numbers().await?;
        self.write_tally().await?;
        self.write_root().await?;
        match self.trouble.as_ref().and_then(|trouble| trouble.at_commit(&self.tenant)) {
            None => self.transaction.commit().await.map_err(Error::commit),
            Some(AtCommit::Fails) => Err(Error::commit(sqlx::Error::WorkerCrashed)),
            Some(AtCommit::AnswerLost) => {
                self.transaction.commit().await.map_err(Error::commit)?;
                Err(Error::commit(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())))
            }
            Some(at @ (AtCommit::DiesBefore | AtCommit::DiesAfter)) => {
                if at == AtCommit::DiesAfter {
                    self.transaction.commit().await.map_err(Error::commit)?;
                }
                if let Some(trouble) = &self.trouble {
                    trouble.died();
                }
                std::future::pending().await
            }
        }
    }

    async fn write_events(&mut self) -> Result<(), Error> {
        if self.events.is_empty() {
            return Ok(());
        }
        for rows in self.events.chunks(ROWS_PER_STATEMENT) {
            let sql = format!(
                "INSERT INTO event (tenant, seq, incident, at, actor, kind, body, hash) VALUES {}",
                values(rows.len(), 8)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for row in rows {
                query = query
                    .bind(self.tenant.as_str())
                    .bind(row.seq)
                    .bind(&row.incident)
                    .bind(row.at)
                    .bind(&row.actor)
                    .bind(row.kind)
                    .bind(&row.body)
                    .bind(&row.hash);
            }
            run(query, &mut self.transaction, "write events").await?;
        }
        let head = sqlx::query("UPDATE chain_head SET seq = $1, hash = $2 WHERE tenant = $3")
            .bind(self.seq)
            .bind(&self.hash)
            .bind(self.tenant.as_str());
        run(head, &mut self.transaction, "move the head of the chain").await
    }

    async fn write_incidents(&mut self) -> Result<(), Error> {
        let changed: Vec<(IncidentId, Timestamp)> = std::mem::take(&mut self.changed).into_iter().collect();
        for part in changed.chunks(ROWS_PER_STATEMENT) {
            let rows = part
                .iter()
                .filter_map(|(id, at)| Some((self.incidents.get(id)?, *at)))
                .map(|(incident, at)| views::IncidentRow::of(incident, at))
                .collect::<Result<Vec<_>, _>>()?;
            let sql = format!("{} {}", views::INSERT_INCIDENT, values(rows.len(), views::INCIDENT_COLUMNS));
            let sql = format!("{sql} {}", views::ON_CONFLICT_REPLACE);
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for row in &rows {
                query = row.bind(query);
            }
            run(query, &mut self.transaction, "write incidents").await?;
        }
        Ok(())
    }

    async fn write_cycles(&mut self) -> Result<(), Error> {
        let rows: Vec<(String, Measured)> =
            std::mem::take(&mut self.cycles).into_values().map(|row| (row.incident.to_string(), row)).collect();
        for part in rows.chunks(cycles::ROWS) {
            let values = values(part.len(), cycles::COLUMNS);
            let sql = format!("{} {values} {}", cycles::INSERT, cycles::ON_CONFLICT_REPLACE);
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (incident, row) in part {
                query = cycles::bind(query, row, incident);
            }
            run(query, &mut self.transaction, "write what became of the promises").await?;
        }
        Ok(())
    }

    async fn write_jobs(&mut self) -> Result<(), Error> {
        let (standing, single): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.jobs).into_iter().partition(|(_, row)| row.standing);
        self.insert_jobs(&single, "DO NOTHING").await?;
        // A standing job is due again. Whoever holds it keeps it, so that nobody does the same beside them; the zero tells
        // them at their end that it was asked for anew.
        let again = "DO UPDATE SET attempts = 0, done_at = 0, dead_at = 0, last_error = '', urgency = excluded.urgency,
                     run_at = excluded.run_at, made_at = excluded.made_at";
        self.insert_jobs(&standing, again).await
    }

    async fn insert_jobs(&mut self, jobs: &[(String, JobRow)], on_conflict: &'static str) -> Result<(), Error> {
        for rows in jobs.chunks(ROWS_PER_STATEMENT) {
            let sql = format!(
                "INSERT INTO job (key, tenant, incident, role, body, urgency, run_at, lease_owner, lease_until, attempts,
                 made_at, done_at, dead_at, last_error) VALUES {} ON CONFLICT (key) {on_conflict}",
                values(rows.len(), 14)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (key, row) in rows {
                query = query
                    .bind(key)
                    .bind(self.tenant.as_str())
                    .bind(&row.incident)
                    .bind(row.role)
                    .bind(&row.body)
                    .bind(row.urgency)
                    .bind(row.run_at)
                    .bind("")
                    .bind(0_i64)
                    .bind(0_i64)
                    .bind(row.run_at)
                    .bind(0_i64)
                    .bind(0_i64)
                    .bind("");
            }
            run(query, &mut self.transaction, "write jobs").await?;
        }
        Ok(())
    }

    /// Adds the chain's new head to the root. The last statement of a unit of work, since all tenants wait for each other
    /// from here to the end of the commit.
    async fn write_root(&mut self) -> Result<(), Error> {
        if self.events.is_empty() {
            return Ok(());
        }
        let row = sqlx::query("UPDATE root_head SET n = n + 1 WHERE id = 1 RETURNING n, hash")
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(Error::database("extend the root"))?;
        let link = RootLink { n: number(&row, "n")?, tenant: self.tenant.as_str(), seq: self.seq, head: &self.hash };
        let hash = link.hash(&text(&row, "hash")?);
        let entry = sqlx::query("INSERT INTO root (n, tenant, seq, head, hash) VALUES ($1, $2, $3, $4, $5)")
            .bind(link.n)
            .bind(link.tenant)
            .bind(link.seq)
            .bind(link.head)
            .bind(&hash);
        run(entry, &mut self.transaction, "extend the root").await?;
        let head = sqlx::query("UPDATE root_head SET hash = $1 WHERE id = 1").bind(&hash);
        run(head, &mut self.transaction, "extend the root").await
    }

    async fn write_numbers(&mut self) -> Result<(), Error> {
        for (year, last) in std::mem::take(&mut self.numbers) {
            let query =
                sqlx::query("UPDATE counter SET value = $1 WHERE name = $2").bind(last).bind(counter_name(year));
            run(query, &mut self.transaction, "number incidents").await?;
        }
        Ok(())
    }

    /// Each tenant has counters of its own, so that tenants do not wait for each other here.
    async fn write_tally(&mut self) -> Result<(), Error> {
        let came_and_went = [(figures::ALERTS, self.tally.alerts), (figures::NOTICES, self.tally.notices)];
        let mut counts: Vec<(String, i64)> =
            came_and_went.iter().map(|(prefix, more)| (format!("{prefix}{}", self.tenant), *more)).collect();
        for ((target, priority, standing), more) in &self.tally.targets {
            counts.push((figures::target_counter(&self.tenant, *target, *priority, *standing), *more));
        }
        for (name, more) in counts.into_iter().filter(|(_, more)| *more > 0) {
            let query = sqlx::query(
                "INSERT INTO counter (name, value) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = counter.value + excluded.value",
            )
            .bind(name)
            .bind(more);
            run(query, &mut self.transaction, "count what came and went").await?;
        }
        Ok(())
    }
}

fn counter_name(year: i16) -> String {
    format!("incident-{year}")
}

pub(crate) async fn run(
    query: Query<'_, Any, AnyArguments>,
    transaction: &mut Transaction<'static, Any>,
    doing: &'static str,
) -> Result<(), Error> {
    query.execute(&mut **transaction).await.map_err(Error::database(doing))?;
    Ok(())
}
