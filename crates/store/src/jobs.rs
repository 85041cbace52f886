//! Jobs: what has to be done in the outside world. Claimed for a while, retried with back-off, given up for people to see.

use domain::incident::{Effect, Role};
use domain::{IncidentId, TenantId, Timestamp};
use sqlx::{AssertSqlSafe, Row};

use crate::pool::Backend;
use crate::rows::{from_json, micros, number, parsed, text, timestamp, without_nul};
use crate::{Error, Scope, Store};

/// A job that one worker holds until its lease ends.
#[derive(Debug, Clone)]
pub struct Job {
    pub key: String,
    pub tenant: TenantId,
    pub incident: IncidentId,
    pub effect: Effect,
    /// How often it was claimed, this time included.
    pub attempts: u32,
    pub made_at: Timestamp,
    pub lease: String,
}

/// What becomes of a claimed job that has not been finished within a unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// All is well, it only takes time: look again then. Tries are counted anew.
    Wait {
        at: Timestamp,
        why: String,
    },
    /// Failed for now: again at this time.
    Again {
        at: Timestamp,
        why: String,
    },
    /// Never again by itself: a person sees it.
    GaveUp {
        why: String,
    },
}

/// A job that gave up.
#[derive(Debug, Clone)]
pub struct DeadJob {
    pub key: String,
    pub tenant: TenantId,
    pub incident: IncidentId,
    pub at: Timestamp,
    pub attempts: u32,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobCounts {
    /// Not done yet, those that somebody holds included.
    pub waiting: u64,
    /// Held by a worker, alive or dead, whose lease has not been given back.
    pub leased: u64,
    pub dead: u64,
}

impl Store {
    /// Claims up to `limit` jobs of a role that are due, most urgent first. A lease that ran out can be claimed again, so
    /// a dead worker's jobs come back. It is over at the very instant that it names, at which `next_job_at` calls the job
    /// due, too; whoever claims it then holds it for longer, so that one more at the same instant gets nothing. The
    /// repeated test in the outer `WHERE` makes it safe for any number of workers. What is due is looked for once:
    /// PostgreSQL may run a plain subquery per row, each time with other rows locked, and claim more than the limit.
    pub async fn claim(
        &self,
        role: Role,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Job>, Error> {
        let locked = match self.backend {
            Backend::Postgres => "FOR UPDATE SKIP LOCKED",
            Backend::Sqlite => "",
        };
        let sql = format!(
            "WITH due AS MATERIALIZED (
                 SELECT key FROM job WHERE role = $3 AND done_at = 0 AND dead_at = 0 AND run_at <= $4
                 AND lease_until <= $4 ORDER BY urgency, run_at LIMIT $5 {locked})
             UPDATE job SET lease_owner = $1, lease_until = $2, attempts = attempts + 1
             WHERE key IN (SELECT key FROM due)
               AND done_at = 0 AND dead_at = 0 AND lease_until <= $4
             RETURNING key, tenant, incident, body, attempts, made_at, urgency, run_at"
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql))
            .bind(worker)
            .bind(micros(until))
            .bind(role.name())
            .bind(micros(now))
            .bind(limit)
            .fetch_all(&self.writer)
            .await
            .map_err(Error::database("claim jobs"))?
            .into_iter()
            .map(|row| Ok((number(&row, "urgency")?, number(&row, "run_at")?, row)))
            .collect::<Result<Vec<_>, Error>>()?;
        // The order of the inner select is not the order of what is returned.
        rows.sort_by_key(|(urgency, run_at, _)| (*urgency, *run_at));
        rows.iter()
            .map(|(_, _, row)| row)
            .map(|row| {
                let key = text(row, "key")?;
                Ok(Job {
                    effect: from_json("job", &key, &text(row, "body")?)?,
                    tenant: parsed(row, "tenant id", "tenant")?,
                    incident: parsed(row, "incident id", "incident")?,
                    attempts: u32::try_from(number(row, "attempts")?).unwrap_or(u32::MAX),
                    made_at: timestamp(number(row, "made_at")?),
                    lease: worker.to_owned(),
                    key,
                })
            })
            .collect()
    }

    /// Ends a claim. Does nothing and says `false` when the job was finished, or the lease was lost to somebody else. A
    /// standing job that was asked for anew meanwhile stays as it was asked for.
    pub async fn settle(&self, job: &Job, outcome: &Outcome, now: Timestamp) -> Result<bool, Error> {
        let (done_at, dead_at, run_at, why) = match outcome {
            Outcome::Done => (micros(now), 0, micros(now), ""),
            Outcome::Wait { at, why } | Outcome::Again { at, why } => (0, 0, micros(*at), why.as_str()),
            Outcome::GaveUp { why } => (0, micros(now), micros(now), why.as_str()),
        };
        let attempts = if matches!(outcome, Outcome::Wait { .. }) { 0 } else { i64::from(job.attempts) };
        let settled = sqlx::query(
            "UPDATE job SET attempts = CASE WHEN attempts = $7 THEN $8 ELSE attempts END,
                            done_at = CASE WHEN attempts = $7 THEN $1 ELSE 0 END,
                            dead_at = CASE WHEN attempts = $7 THEN $2 ELSE 0 END,
                            run_at = CASE WHEN attempts = $7 THEN $3 ELSE run_at END,
                            last_error = $4, lease_until = 0, lease_owner = ''
             WHERE key = $5 AND lease_owner = $6 AND attempts IN ($7, 0) AND done_at = 0",
        )
        .bind(done_at)
        .bind(dead_at)
        .bind(run_at)
        .bind(without_nul(why))
        .bind(job.key.as_str())
        .bind(job.lease.as_str())
        .bind(i64::from(job.attempts))
        .bind(attempts)
        .execute(&self.writer)
        .await
        .map_err(Error::database("settle a job"))?;
        Ok(settled.rows_affected() == 1)
    }

    /// When the next job of a role is due, `None` when nothing waits.
    pub async fn next_job_at(&self, role: Role) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query(
            "SELECT COALESCE(MIN(CASE WHEN lease_until > run_at THEN lease_until ELSE run_at END), -1) AS at
             FROM job WHERE role = $1 AND done_at = 0 AND dead_at = 0",
        )
        .bind(role.name())
        .fetch_one(&self.reader)
        .await
        .map_err(Error::database("look for the next job"))?;
        let at: i64 = row.try_get("at").map_err(Error::database("look for the next job"))?;
        Ok((at >= 0).then(|| timestamp(at)))
    }

    pub async fn job_counts(&self) -> Result<JobCounts, Error> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM job WHERE done_at = 0 AND dead_at = 0) AS waiting,
                    (SELECT COUNT(*) FROM job WHERE done_at = 0 AND dead_at = 0 AND lease_owner <> '') AS leased,
                    (SELECT COUNT(*) FROM job WHERE dead_at > 0) AS dead",
        )
        .fetch_one(&self.reader)
        .await
        .map_err(Error::database("count jobs"))?;
        let count = |column| Ok::<_, Error>(number(&row, column)?.unsigned_abs());
        Ok(JobCounts { waiting: count("waiting")?, leased: count("leased")?, dead: count("dead")? })
    }

    /// Jobs that gave up, newest first, of all tenants.
    pub async fn dead_jobs(&self, limit: i64) -> Result<Vec<DeadJob>, Error> {
        self.dead_jobs_within(&Scope::All, limit).await
    }

    /// Jobs that gave up, newest first, as far as a caller may see (SEC-02).
    pub async fn dead_jobs_within(&self, scope: &Scope, limit: i64) -> Result<Vec<DeadJob>, Error> {
        let sql = format!(
            "SELECT key, tenant, incident, dead_at, attempts, last_error FROM job
             WHERE dead_at > 0 AND {} ORDER BY dead_at DESC LIMIT $1",
            scope.condition(2)
        );
        let rows = scope
            .bind(sqlx::query(AssertSqlSafe(sql)).bind(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list jobs that gave up"))?;
        rows.iter()
            .map(|row| {
                Ok(DeadJob {
                    key: text(row, "key")?,
                    tenant: parsed(row, "tenant id", "tenant")?,
                    incident: parsed(row, "incident id", "incident")?,
                    at: timestamp(number(row, "dead_at")?),
                    attempts: u32::try_from(number(row, "attempts")?).unwrap_or(u32::MAX),
                    why: text(row, "last_error")?,
                })
            })
            .collect()
    }

    /// How many jobs a worker holds, or held when it died.
    pub async fn held_by(&self, worker: &str) -> Result<u64, Error> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM job WHERE done_at = 0 AND dead_at = 0 AND lease_owner = $1")
            .bind(worker)
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count a worker's jobs"))?;
        Ok(number(&row, "n")?.unsigned_abs())
    }

    /// A person says: try again.
    pub async fn revive_job(&self, key: &str, now: Timestamp) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE job SET dead_at = 0, attempts = 0, run_at = $1, lease_until = 0 WHERE key = $2 AND dead_at > 0",
        )
        .bind(micros(now))
        .bind(key)
        .execute(&self.writer)
        .await
        .map_err(Error::database("revive a job"))?;
        Ok(done.rows_affected() == 1)
    }
}
