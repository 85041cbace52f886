//! Alerts as they came, which incident each is in, and what each is remembered by for grouping.

use std::collections::{HashMap, HashSet};

use domain::grouping::{Earlier, Key, Likeness};
use domain::judgement::{Priority, Verdict};
use domain::{AlertId, IncidentId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Row};

use crate::rows::{
    ROWS_PER_STATEMENT, VALUES_PER_STATEMENT, from_json, micros, number, parsed, placeholders, text, timestamp,
    to_json, values, values_from, without_nul,
};
use crate::work::{Work, run};
use crate::{Error, Scope, Store};

/// Most earlier incidents recalled under one key, the newest first.
const EARLIER_PER_KEY: usize = 32;

/// An alert to keep: the record as it came, and the incident it belongs to.
#[derive(Debug, Clone)]
pub struct AlertRow {
    pub id: AlertId,
    pub incident: IncidentId,
    pub version: Timestamp,
    pub received_at: Timestamp,
    /// The record as the console sent it, unknown fields included.
    pub raw: String,
}

/// What is known of an alert that was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAlert {
    pub incident: IncidentId,
    pub version: Timestamp,
}

/// A record that could not be read as an alert. Kept, shown to people, never dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub at: Timestamp,
    pub source: String,
    pub reason: String,
    pub raw: String,
}

pub(crate) async fn known(work: &mut Work, ids: &[AlertId]) -> Result<HashMap<AlertId, KnownAlert>, Error> {
    let mut found = HashMap::new();
    for part in ids.chunks(VALUES_PER_STATEMENT) {
        let sql = format!(
            "SELECT id, incident, version FROM alert WHERE tenant = $1 AND id IN ({})",
            placeholders(2, part.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(work.tenant.as_str());
        for id in part {
            query = query.bind(id.as_str());
        }
        let rows = query.fetch_all(&mut *work.transaction).await.map_err(Error::database("look up alerts"))?;
        for row in &rows {
            let known = KnownAlert {
                incident: parsed(row, "incident id", "incident")?,
                version: timestamp(number(row, "version")?),
            };
            found.insert(parsed(row, "alert id", "id")?, known);
        }
    }
    for id in ids {
        if let Some(row) = work.alerts.get(id) {
            found.insert(id.clone(), KnownAlert { incident: row.incident, version: row.version });
        }
    }
    Ok(found)
}

pub(crate) async fn recall(work: &mut Work, keys: &[Key]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let fresh: Vec<&Key> = keys.iter().filter(|k| !work.memory.contains_key(*k) && seen.insert(*k)).collect();
    for part in fresh.chunks(VALUES_PER_STATEMENT) {
        // Only the newest of each key: a key that lives for years must not make every later batch slower. The cross join
        // keeps SQLite from beginning with all of a tenant's keys.
        let sql = format!(
            "WITH wanted(value) AS (VALUES {}),
                  bounded(value, since) AS (
                    SELECT w.value, COALESCE((SELECT n.at FROM alert_key n WHERE n.tenant = $1 AND n.value = w.value
                                              ORDER BY n.at DESC LIMIT 1 OFFSET {}), 0) FROM wanted w)
             SELECT k.likeness, k.value, k.incident, k.at, k.behaviour, i.is_open, i.verdict, i.priority
             FROM bounded b CROSS JOIN alert_key k JOIN incident i ON i.tenant = $1 AND i.id = k.incident
             WHERE k.tenant = $1 AND k.value = b.value AND k.at >= b.since",
            values_from(2, part.len()),
            EARLIER_PER_KEY - 1
        );
        let by_value: HashMap<String, &Key> = part.iter().map(|key| (stored_value(key), *key)).collect();
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(work.tenant.as_str());
        for key in part {
            query = query.bind(stored_value(key));
        }
        let rows = query.fetch_all(&mut *work.transaction).await.map_err(Error::database("recall earlier alerts"))?;
        for key in part {
            work.memory.entry((*key).clone()).or_default();
        }
        for row in &rows {
            let (stored, earlier) = earlier(row)?;
            if let Some(key) = by_value.get(&stored) {
                work.memory.entry((*key).clone()).or_default().push(earlier);
            }
        }
    }
    Ok(())
}

fn earlier(row: &sqlx::any::AnyRow) -> Result<(String, Earlier), Error> {
    let stored = text(row, "value")?;
    let likeness: Likeness = from_json("likeness", &stored, &text(row, "likeness")?)?;
    let verdict: Verdict = from_json("verdict", &stored, &text(row, "verdict")?)?;
    let priority = usize::try_from(number(row, "priority")?).ok().and_then(|p| Priority::ALL.get(p).copied());
    let earlier = Earlier {
        likeness,
        incident: parsed(row, "incident id", "incident")?,
        at: timestamp(number(row, "at")?),
        behaviour: from_json("behaviour", &stored, &text(row, "behaviour")?)?,
        closed: number(row, "is_open")? == 0,
        verdict,
        priority: priority.unwrap_or(Priority::P3),
    };
    Ok((stored, earlier))
}

/// Likeness and value in one short digest, so that long foreign text is neither indexed nor shown.
fn stored_value(key: &Key) -> String {
    let mut hasher = Sha256::new();
    hasher.update([key.likeness as u8]);
    hasher.update(key.value.as_bytes());
    hex::encode(&hasher.finalize()[..16])
}

pub(crate) async fn refuse(work: &mut Work, refusal: &Refusal) -> Result<(), Error> {
    let digest = hex::encode(Sha256::digest(refusal.raw.as_bytes()));
    let query = sqlx::query(
        "INSERT INTO refusal (tenant, digest, at, source, reason, raw) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant, digest) DO NOTHING",
    )
    .bind(work.tenant.as_str().to_owned())
    .bind(digest)
    .bind(micros(refusal.at))
    .bind(without_nul(&refusal.source))
    .bind(without_nul(&refusal.reason))
    .bind(without_nul(&refusal.raw));
    run(query, &mut work.transaction, "keep a refused record").await
}

pub(crate) async fn write(work: &mut Work) -> Result<(), Error> {
    let alerts: Vec<AlertRow> = std::mem::take(&mut work.alerts).into_values().collect();
    for rows in alerts.chunks(ROWS_PER_STATEMENT) {
        let sql = format!(
            "INSERT INTO alert (tenant, id, incident, version, received_at, raw) VALUES {}
             ON CONFLICT (tenant, id) DO UPDATE SET version = excluded.version, raw = excluded.raw",
            values(rows.len(), 6)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in rows {
            query = query
                .bind(work.tenant.as_str())
                .bind(row.id.as_str())
                .bind(row.incident.to_string())
                .bind(micros(row.version))
                .bind(micros(row.received_at))
                .bind(without_nul(&row.raw));
        }
        query.execute(&mut *work.transaction).await.map_err(Error::database("write alerts"))?;
    }
    let remembered: Vec<_> = std::mem::take(&mut work.remembered).into_iter().collect();
    for rows in remembered.chunks(ROWS_PER_STATEMENT) {
        let sql = format!(
            "INSERT INTO alert_key (tenant, likeness, value, incident, at, behaviour) VALUES {}
             ON CONFLICT (tenant, value, incident) DO UPDATE SET at = excluded.at, behaviour = excluded.behaviour",
            values(rows.len(), 6)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for ((key, incident), (at, behaviour)) in rows {
            query = query
                .bind(work.tenant.as_str())
                .bind(to_json("likeness", "", &key.likeness)?)
                .bind(stored_value(key))
                .bind(incident.to_string())
                .bind(micros(*at))
                .bind(to_json("behaviour", "", behaviour)?);
        }
        query.execute(&mut *work.transaction).await.map_err(Error::database("remember alerts"))?;
    }
    Ok(())
}

impl Store {
    /// Where reading a source continues, `None` before the first time.
    pub async fn checkpoint(&self, tenant: &TenantId, source: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT value FROM checkpoint WHERE tenant = $1 AND source = $2")
            .bind(tenant.as_str())
            .bind(source)
            .fetch_optional(&self.reader)
            .await
            .map_err(Error::database("read a checkpoint"))?;
        row.map(|r| text(&r, "value")).transpose()
    }

    /// Every alert id of one incident, oldest first, with when it was received.
    pub async fn alert_ids(&self, tenant: &TenantId, incident: IncidentId) -> Result<Vec<(AlertId, Timestamp)>, Error> {
        let rows = sqlx::query(
            "SELECT id, received_at FROM alert WHERE tenant = $1 AND incident = $2 ORDER BY received_at, id",
        )
        .bind(tenant.as_str())
        .bind(incident.to_string())
        .fetch_all(&self.reader)
        .await
        .map_err(Error::database("list an incident's alerts"))?;
        rows.iter().map(|r| Ok((parsed(r, "alert id", "id")?, timestamp(number(r, "received_at")?)))).collect()
    }

    /// The incident that holds an alert, `None` when the alert is not here.
    pub async fn incident_of(&self, tenant: &TenantId, alert: &AlertId) -> Result<Option<IncidentId>, Error> {
        let row = sqlx::query("SELECT incident FROM alert WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(alert.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(Error::database("look up an alert"))?;
        row.map(|r| parsed(&r, "incident id", "incident")).transpose()
    }

    /// An alert's record as it came.
    pub async fn raw_alert(&self, tenant: &TenantId, alert: &AlertId) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT raw FROM alert WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(alert.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(Error::database("read an alert's record"))?;
        row.map(|r| text(&r, "raw")).transpose()
    }

    /// How many alerts are kept, over all tenants.
    pub async fn count_alerts(&self) -> Result<u64, Error> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM alert")
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("count alerts"))?;
        let n: i64 = row.try_get("n").map_err(Error::database("count alerts"))?;
        Ok(n.unsigned_abs())
    }

    /// The newest records that could not be read, of all tenants.
    pub async fn refusals(&self, limit: i64) -> Result<Vec<(TenantId, Refusal)>, Error> {
        self.refusals_within(&Scope::All, limit).await
    }

    /// The newest records that could not be read, as far as a caller may see (SEC-02).
    pub async fn refusals_within(&self, scope: &Scope, limit: i64) -> Result<Vec<(TenantId, Refusal)>, Error> {
        let sql = format!(
            "SELECT tenant, at, source, reason, raw FROM refusal WHERE {} ORDER BY at DESC LIMIT $1",
            scope.condition(2)
        );
        let rows = scope
            .bind(sqlx::query(AssertSqlSafe(sql)).bind(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list refused records"))?;
        rows.iter()
            .map(|r| {
                let refusal = Refusal {
                    at: timestamp(number(r, "at")?),
                    source: text(r, "source")?,
                    reason: text(r, "reason")?,
                    raw: text(r, "raw")?,
                };
                Ok((parsed(r, "tenant id", "tenant")?, refusal))
            })
            .collect()
    }
}
