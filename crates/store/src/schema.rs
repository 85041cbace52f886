//! The tables, as a numbered list that only grows. Types are those that both databases share: TEXT and BIGINT.
//!
//! Times are microseconds since 1970 in UTC; 0 means "not yet" and the largest number "never", so that columns sort.

use sqlx::AnyPool;

use crate::Error;
use crate::rows::number;

const MIGRATIONS: &[&[&str]] = &[
    &[
        // What happened, and the two chains over it (`chain`): one of each tenant's events, one of every commit.
        "CREATE TABLE chain_head (tenant TEXT PRIMARY KEY, seq BIGINT NOT NULL, hash TEXT NOT NULL)",
        "CREATE TABLE event (
        tenant TEXT NOT NULL, seq BIGINT NOT NULL, incident TEXT NOT NULL, at BIGINT NOT NULL,
        actor TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL,
        PRIMARY KEY (tenant, seq))",
        "CREATE INDEX event_of_incident ON event (tenant, incident, seq)",
        "CREATE TABLE root (
        n BIGINT PRIMARY KEY, tenant TEXT NOT NULL, seq BIGINT NOT NULL, head TEXT NOT NULL, hash TEXT NOT NULL)",
        "CREATE INDEX root_of_tenant ON root (tenant, n)",
        "CREATE TABLE root_head (id BIGINT PRIMARY KEY, n BIGINT NOT NULL, hash TEXT NOT NULL)",
        "INSERT INTO root_head (id, n, hash)
     VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000')",
        // Incidents as people read them. Open ones are few and closed ones many: each order that a list is shown in has an
        // index of its own, which also holds what the list can be filtered by, so that a filter reads no row in vain. The key
        // begins with the id, or SQLite takes it for the better way to a tenant's list, and sorts a million rows.
        "CREATE TABLE incident (
        tenant TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, is_open BIGINT NOT NULL, phase TEXT NOT NULL,
        priority BIGINT NOT NULL, verdict TEXT NOT NULL, assigned TEXT NOT NULL, due_at BIGINT NOT NULL,
        received_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, summary TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (id, tenant))",
        "CREATE UNIQUE INDEX incident_by_id ON incident (id)",
        "CREATE INDEX incident_open ON incident (due_at, priority, id, tenant, assigned, phase) WHERE is_open = 1",
        "CREATE INDEX incident_open_of_tenant ON incident (tenant, due_at, priority, id, assigned, phase) WHERE is_open = 1",
        "CREATE INDEX incident_closed ON incident (updated_at, id, tenant, priority, assigned) WHERE is_open = 0",
        "CREATE INDEX incident_closed_of_tenant ON incident (tenant, updated_at, id, priority, assigned) WHERE is_open = 0",
        "CREATE INDEX incident_closed_by_priority ON incident (priority, updated_at, id, tenant, assigned)
     WHERE is_open = 0",
        "CREATE INDEX incident_closed_of_person ON incident (assigned, updated_at, id, tenant, priority)
     WHERE is_open = 0",
        "CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
        // What came in.
        "CREATE TABLE alert (
        tenant TEXT NOT NULL, id TEXT NOT NULL, incident TEXT NOT NULL, version BIGINT NOT NULL,
        received_at BIGINT NOT NULL, raw TEXT NOT NULL, PRIMARY KEY (tenant, id))",
        "CREATE INDEX alert_of_incident ON alert (tenant, incident)",
        "CREATE TABLE alert_key (
        tenant TEXT NOT NULL, likeness TEXT NOT NULL, value TEXT NOT NULL, incident TEXT NOT NULL,
        at BIGINT NOT NULL, behaviour TEXT NOT NULL, PRIMARY KEY (tenant, value, incident))",
        "CREATE INDEX alert_key_newest ON alert_key (tenant, value, at)",
        "CREATE TABLE refusal (
        tenant TEXT NOT NULL, digest TEXT NOT NULL, at BIGINT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
        raw TEXT NOT NULL, PRIMARY KEY (tenant, digest))",
        "CREATE INDEX refusal_newest ON refusal (at)",
        "CREATE TABLE checkpoint (
        tenant TEXT NOT NULL, source TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, source))",
        // What is to be done.
        "CREATE TABLE job (
        key TEXT PRIMARY KEY, tenant TEXT NOT NULL, incident TEXT NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL,
        urgency BIGINT NOT NULL, run_at BIGINT NOT NULL, lease_owner TEXT NOT NULL, lease_until BIGINT NOT NULL,
        attempts BIGINT NOT NULL, made_at BIGINT NOT NULL, done_at BIGINT NOT NULL, dead_at BIGINT NOT NULL,
        last_error TEXT NOT NULL)",
        "CREATE INDEX job_waiting ON job (role, urgency, run_at) WHERE done_at = 0 AND dead_at = 0",
        "CREATE INDEX job_dead ON job (dead_at) WHERE dead_at > 0",
        // Who works here.
        "CREATE TABLE staff (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, tenants TEXT NOT NULL, language TEXT NOT NULL,
        password TEXT NOT NULL, disabled BIGINT NOT NULL)",
        "CREATE TABLE session (
        token TEXT PRIMARY KEY, person TEXT NOT NULL, made_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
        "CREATE TABLE sign_in_link (
        token TEXT PRIMARY KEY, person TEXT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT NOT NULL)",
    ],
    &[
        // Whether the loops are alive (REL-10), and whether the machine's clock can be believed (REL-14).
        "CREATE TABLE heartbeat (
        name TEXT PRIMARY KEY, started_at BIGINT NOT NULL, at BIGINT NOT NULL, every_s BIGINT NOT NULL)",
        "CREATE TABLE clock_step (at BIGINT NOT NULL, by_s BIGINT NOT NULL, PRIMARY KEY (at, by_s))",
        // How much came and went so far (`figures`). Counting a million rows at each look would be slow.
        "INSERT INTO counter (name, value) SELECT 'alerts/' || tenant, COUNT(*) FROM event
     WHERE kind IN ('received', 'alert_joined') GROUP BY tenant",
        "INSERT INTO counter (name, value) SELECT 'notices/' || tenant, COUNT(*) FROM event
     WHERE kind = 'notice_accepted' GROUP BY tenant",
    ],
    &[
        // What customers were asked: few among many events (`questions`).
        "CREATE INDEX event_question ON event (tenant, incident, at) WHERE kind = 'question_asked'",
    ],
    &[
        // What became of each promise (`cycles`). The start comes first in the key: figures are of a period.
        "CREATE TABLE clock_cycle (
        started_at BIGINT NOT NULL, tenant TEXT NOT NULL, incident TEXT NOT NULL, cycle BIGINT NOT NULL,
        priority BIGINT NOT NULL, reading TEXT NOT NULL, response_due BIGINT NOT NULL, by_ack TEXT NOT NULL,
        by_notice TEXT NOT NULL, analysis_due BIGINT NOT NULL, analysis TEXT NOT NULL, first_notice_at BIGINT NOT NULL,
        acknowledged_at BIGINT NOT NULL, acknowledged_by TEXT NOT NULL, analysed_at BIGINT NOT NULL,
        contained_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, paused_s BIGINT NOT NULL,
        PRIMARY KEY (started_at, tenant, incident, cycle))",
    ],
    &[
        // Whom people of the SOC were called about, of late (`hand_over`).
        "CREATE INDEX event_paged ON event (at, tenant, incident) WHERE kind = 'paged'",
    ],
    &[
        // What evidence holds (`contents`).
        "CREATE TABLE content (tenant TEXT NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant, sha256))",
        "CREATE INDEX event_evidence ON event (tenant, seq) WHERE kind = 'evidence_gathered'",
    ],
];

/// Immediate tries when two processes make the same new database at once.
const TRIES: u32 = 5;

/// Applies what is missing. Any number of processes may do so at once: one does the work, the others wait for it.
pub(crate) async fn migrate(pool: &AnyPool) -> Result<(), Error> {
    let mut tries = 1;
    loop {
        match try_migrate(pool).await {
            Err(error) if tries < TRIES && (error.is_transient() || error.is_collision()) => tries += 1,
            outcome => return outcome,
        }
    }
}

async fn try_migrate(pool: &AnyPool) -> Result<(), Error> {
    let failed = || Error::database("prepare the store's tables");
    for statement in [
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)",
        "INSERT INTO schema_version (version) VALUES (0) ON CONFLICT (version) DO NOTHING",
    ] {
        sqlx::query(statement).execute(pool).await.map_err(failed())?;
    }
    let mut transaction = pool.begin().await.map_err(failed())?;
    // The row that everybody has locks out everybody else, so what is read after it is the last word.
    sqlx::query("UPDATE schema_version SET version = 0 WHERE version = 0")
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
    let row = sqlx::query("SELECT MAX(version) AS version FROM schema_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed())?;
    let found = number(&row, "version")?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    for (version, statements) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        for statement in *statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(failed())?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
    }
    transaction.commit().await.map_err(failed())
}
