//! The tables, as a numbered list that only grows. Types are those that both databases share: TEXT and BIGINT.
//!
//! Times are microseconds since 1970 in UTC; 0 means "not yet" and the largest number "never", so that columns sort.

use sqlx::{AnyPool, Row};

use crate::Error;

const MIGRATIONS: &[&[&str]] = &[&[
    "CREATE TABLE chain_head (tenant TEXT PRIMARY KEY, seq BIGINT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE event (
        tenant TEXT NOT NULL, seq BIGINT NOT NULL, incident TEXT NOT NULL, at BIGINT NOT NULL,
        actor TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL,
        PRIMARY KEY (tenant, seq))",
    "CREATE INDEX event_of_incident ON event (tenant, incident, seq)",
    "CREATE TABLE incident (
        tenant TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, is_open BIGINT NOT NULL, phase TEXT NOT NULL,
        priority BIGINT NOT NULL, verdict TEXT NOT NULL, assigned TEXT NOT NULL, due_at BIGINT NOT NULL,
        received_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, summary TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tenant, id))",
    "CREATE UNIQUE INDEX incident_by_id ON incident (id)",
    "CREATE INDEX incident_queue ON incident (is_open, due_at, priority, id)",
    "CREATE INDEX incident_queue_of_tenant ON incident (tenant, is_open, due_at, priority, id)",
    "CREATE TABLE alert (
        tenant TEXT NOT NULL, id TEXT NOT NULL, incident TEXT NOT NULL, version BIGINT NOT NULL,
        received_at BIGINT NOT NULL, raw TEXT NOT NULL, PRIMARY KEY (tenant, id))",
    "CREATE INDEX alert_of_incident ON alert (tenant, incident)",
    "CREATE TABLE alert_key (
        tenant TEXT NOT NULL, likeness TEXT NOT NULL, value TEXT NOT NULL, incident TEXT NOT NULL,
        at BIGINT NOT NULL, behaviour TEXT NOT NULL, PRIMARY KEY (tenant, likeness, value, incident))",
    "CREATE TABLE refusal (
        tenant TEXT NOT NULL, digest TEXT NOT NULL, at BIGINT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
        raw TEXT NOT NULL, PRIMARY KEY (tenant, digest))",
    "CREATE TABLE checkpoint (
        tenant TEXT NOT NULL, source TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, source))",
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
    "CREATE TABLE job (
        key TEXT PRIMARY KEY, tenant TEXT NOT NULL, incident TEXT NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL,
        urgency BIGINT NOT NULL, run_at BIGINT NOT NULL, lease_owner TEXT NOT NULL, lease_until BIGINT NOT NULL,
        attempts BIGINT NOT NULL, made_at BIGINT NOT NULL, done_at BIGINT NOT NULL, dead_at BIGINT NOT NULL,
        last_error TEXT NOT NULL)",
    "CREATE INDEX job_waiting ON job (role, urgency, run_at) WHERE done_at = 0 AND dead_at = 0",
    "CREATE INDEX job_dead ON job (dead_at) WHERE dead_at > 0",
    "CREATE TABLE staff (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, tenants TEXT NOT NULL, language TEXT NOT NULL,
        password TEXT NOT NULL, disabled_at BIGINT NOT NULL)",
    "CREATE TABLE session (
        token TEXT PRIMARY KEY, person TEXT NOT NULL, made_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE TABLE sign_in_link (
        token TEXT PRIMARY KEY, person TEXT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT NOT NULL)",
]];

/// Applies what is missing, each step in one transaction.
pub(crate) async fn migrate(pool: &AnyPool) -> Result<(), Error> {
    let failed = || Error::database("prepare the store's tables");
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(pool)
        .await
        .map_err(failed())?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
        .fetch_one(pool)
        .await
        .map_err(failed())?;
    let found: i64 = row.try_get("version").map_err(failed())?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    for (version, statements) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let mut transaction = pool.begin().await.map_err(failed())?;
        for statement in *statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(failed())?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
    }
    Ok(())
}
