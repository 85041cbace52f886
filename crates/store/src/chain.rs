//! The hash chain of a tenant's events: each row's hash covers the row and the hash before it (SEC-60).
//!
//! A flipped, deleted, inserted or reordered row breaks the chain at its place; a missing end disagrees with the head.

use domain::TenantId;
use sha2::{Digest, Sha256};

use crate::rows::{number, text};
use crate::{Error, Store};

/// The hash before the first event.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an event's hash covers, besides the hash before it.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub tenant: &'a str,
    pub seq: i64,
    pub incident: &'a str,
    pub at: i64,
    pub actor: &'a str,
    pub kind: &'a str,
    pub body: &'a str,
}

impl Link<'_> {
    /// SHA-256 over the previous hash and each field with its length before it, so that no two rows share an input.
    pub(crate) fn hash(&self, previous: &str) -> String {
        let mut hasher = Sha256::new();
        let (seq, at) = (self.seq.to_string(), self.at.to_string());
        for field in [previous, self.tenant, &seq, self.incident, &at, self.actor, self.kind, self.body] {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

/// The outcome of verifying one tenant's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub tenant: TenantId,
    pub rows: u64,
    pub fault: Option<Fault>,
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub seq: i64,
    pub incident: String,
    pub what: &'static str,
}

const PAGE: i64 = 1000;

impl Store {
    /// Every tenant that has a chain.
    pub async fn tenants_with_events(&self) -> Result<Vec<TenantId>, Error> {
        let rows = sqlx::query("SELECT tenant FROM chain_head UNION SELECT DISTINCT tenant FROM event ORDER BY tenant")
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list the chains"))?;
        rows.iter().map(|r| crate::rows::parsed(r, "tenant id", "tenant")).collect()
    }

    /// Recomputes a tenant's chain from its first event and compares it with its head.
    pub async fn verify_chain(&self, tenant: &TenantId) -> Result<Verified, Error> {
        let failed = || Error::database("read the chain");
        let mut previous = START.to_owned();
        let (mut seq, mut rows) = (0_i64, 0_u64);
        let found = |rows, fault| Ok(Verified { tenant: tenant.clone(), rows, fault });
        loop {
            let page = sqlx::query(
                "SELECT seq, incident, at, actor, kind, body, hash FROM event
                 WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(tenant.as_str())
            .bind(seq)
            .bind(PAGE)
            .fetch_all(&self.reader)
            .await
            .map_err(failed())?;
            for row in &page {
                let (here, incident) = (number(row, "seq")?, text(row, "incident")?);
                if here != seq + 1 {
                    let what = "an event is missing before this one";
                    return found(rows, Some(Fault { seq: here, incident, what }));
                }
                let (actor, kind, body) = (text(row, "actor")?, text(row, "kind")?, text(row, "body")?);
                let at = number(row, "at")?;
                let link = Link {
                    tenant: tenant.as_str(),
                    seq: here,
                    incident: &incident,
                    at,
                    actor: &actor,
                    kind: &kind,
                    body: &body,
                };
                let hash = link.hash(&previous);
                if hash != text(row, "hash")? {
                    let what = "this event, or its place in the order, was changed";
                    return found(rows, Some(Fault { seq: here, incident, what }));
                }
                (seq, previous, rows) = (here, hash, rows + 1);
            }
            if page.is_empty() {
                break;
            }
        }
        let head = sqlx::query("SELECT seq, hash FROM chain_head WHERE tenant = $1")
            .bind(tenant.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(failed())?;
        let agrees = match &head {
            Some(row) => number(row, "seq")? == seq && text(row, "hash")? == previous,
            None => false,
        };
        let what = "the end of the chain is missing, or its head was changed";
        found(rows, (!agrees).then(|| Fault { seq: seq + 1, incident: String::new(), what }))
    }
}
