//! Verifying the audit: recomputes every chain from its start and names each place where one does not hold (SEC-60).
//!
//! Runs beside the writers: an end is read after the rows, so in an honest store it is never behind what was read. It
//! reads every row as hostile, since whoever changed the database may have written anything into it. What the views say
//! is not its business.

use std::fmt;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::chain::{Link, RootLink, START};
use crate::rows::{number, text};
use crate::{Error, Store};

/// Rows read at a time.
const PAGE: i64 = 1000;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub tenants: u64,
    /// Events whose place and content were found as they were written.
    pub rows: u64,
    pub root: Root,
    /// At most one of each chain: behind the first fault nothing can be said.
    pub faults: Vec<Fault>,
}

/// The end of the root: stands for everything that was ever committed. Hand it out, and later nobody can rewrite what was
/// before it without being found (SEC-61).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    pub n: i64,
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    pub what: &'static str,
}

/// Where a chain does not hold. The names come from the database, and may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Event { tenant: String, seq: i64, incident: String },
    End { tenant: String, seq: i64 },
    Root { n: i64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Event { tenant, seq, incident } => {
                write!(f, "event {seq} of `{}` ({})", tenant.escape_debug(), incident.escape_debug())?;
            }
            Place::End { tenant, seq } => write!(f, "the chain of `{}` after event {seq}", tenant.escape_debug())?,
            Place::Root { n } => write!(f, "entry {n} of the root")?,
        }
        write!(f, ": {}", self.what)
    }
}

impl Store {
    /// The end of the root as it stands.
    pub async fn root(&self) -> Result<Root, Error> {
        let row = sqlx::query("SELECT n, hash FROM root_head WHERE id = 1")
            .fetch_one(&self.reader)
            .await
            .map_err(Error::database("read the root"))?;
        Ok(Root { n: number(&row, "n")?, hash: text(&row, "hash")? })
    }

    /// Verifies the root and every tenant's chain, and that `handed_out`, a root that left earlier, is still part of it.
    pub async fn verify_audit(&self, handed_out: Option<&Root>) -> Result<Audit, Error> {
        let (root, fault) = self.verify_root(handed_out).await?;
        let mut audit = Audit { tenants: 0, rows: 0, root, faults: fault.into_iter().collect() };
        let tenants = sqlx::query(
            "SELECT tenant FROM root UNION SELECT tenant FROM chain_head UNION SELECT tenant FROM event ORDER BY tenant",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(Error::database("list the chains"))?;
        for row in &tenants {
            let (rows, fault) = self.verify_chain(&text(row, "tenant")?).await?;
            audit.tenants += 1;
            audit.rows += rows;
            audit.faults.extend(fault);
        }
        Ok(audit)
    }

    async fn verify_root(&self, handed_out: Option<&Root>) -> Result<(Root, Option<Fault>), Error> {
        let mut end = Root { n: 0, hash: START.to_owned() };
        let mut looked_again = false;
        let fault = |n, what| Some(Fault { place: Place::Root { n }, what });
        loop {
            let page = sqlx::query("SELECT n, tenant, seq, head, hash FROM root WHERE n > $1 ORDER BY n LIMIT $2")
                .bind(after(end.n))
                .bind(PAGE)
                .fetch_all(&self.reader)
                .await
                .map_err(Error::database("read the root"))?;
            for row in &page {
                let n = end.n + 1;
                match root_hash(row, &end) {
                    Ok(hash) => end = Root { n, hash },
                    Err(what) => return Ok((end, fault(n, what))),
                }
                if handed_out.is_some_and(|given| given.n == n && given.hash != end.hash) {
                    return Ok((end, fault(n, "it is not the one that was handed out")));
                }
            }
            if !page.is_empty() {
                looked_again = false;
                continue;
            }
            let head = self.root().await?;
            if head.n > end.n && !looked_again {
                looked_again = true; // Somebody committed just now.
                continue;
            }
            let lost = handed_out.is_some_and(|given| given.n > end.n);
            let what = match () {
                () if head.n > end.n || lost => Some("entries are missing at the end"),
                () if head != end => Some("the end of the root was changed"),
                () => None,
            };
            let fault = what.and_then(|what| fault(end.n + 1, what));
            return Ok((end, fault));
        }
    }

    /// How many events hold, and the first place where they do not.
    async fn verify_chain(&self, tenant: &str) -> Result<(u64, Option<Fault>), Error> {
        let mut end = End { seq: 0, hash: START.to_owned() };
        let mut rows = 0;
        let mut looked_again = false;
        loop {
            let page = sqlx::query(
                "SELECT seq, incident, at, actor, kind, body, hash FROM event
                 WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(tenant)
            .bind(after(end.seq))
            .bind(PAGE)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("read a chain"))?;
            for row in &page {
                match event_hash(row, tenant, &end) {
                    Ok(hash) => end = End { seq: end.seq + 1, hash },
                    Err(what) => {
                        let incident = row.try_get("incident").unwrap_or_default();
                        let place = Place::Event { tenant: tenant.to_owned(), seq: end.seq + 1, incident };
                        return Ok((rows, Some(Fault { place, what })));
                    }
                }
                rows += 1;
            }
            if !page.is_empty() {
                looked_again = false;
                continue;
            }
            let (head, in_root) = self.ends(tenant).await?;
            if head.as_ref().is_some_and(|head| head.seq > end.seq) && !looked_again {
                looked_again = true; // Somebody committed just now.
                continue;
            }
            let what = fault_at_end(&end, head.as_ref(), in_root.as_ref());
            let place = Place::End { tenant: tenant.to_owned(), seq: end.seq };
            return Ok((rows, what.map(|what| Fault { place, what })));
        }
    }

    /// A chain's end as its head has it, and as the root has it. One statement, so both are of one moment.
    async fn ends(&self, tenant: &str) -> Result<(Option<End>, Option<End>), Error> {
        let rows = sqlx::query(
            "SELECT 'head' AS place, seq, hash FROM chain_head WHERE tenant = $1
             UNION ALL
             SELECT 'root' AS place, seq, head AS hash FROM root WHERE n = (SELECT MAX(n) FROM root WHERE tenant = $1)",
        )
        .bind(tenant)
        .fetch_all(&self.reader)
        .await
        .map_err(Error::database("read the end of a chain"))?;
        let (mut head, mut in_root) = (None, None);
        for row in &rows {
            let end = End { seq: number(row, "seq")?, hash: text(row, "hash")? };
            if text(row, "place")? == "head" { head = Some(end) } else { in_root = Some(end) }
        }
        Ok((head, in_root))
    }
}

/// Where reading goes on. Nothing of ours is numbered below 1, but what somebody put there must be seen.
fn after(number: i64) -> i64 {
    if number == 0 { i64::MIN } else { number }
}

#[derive(Debug, PartialEq, Eq)]
struct End {
    seq: i64,
    hash: String,
}

fn fault_at_end(end: &End, head: Option<&End>, in_root: Option<&End>) -> Option<&'static str> {
    let start = End { seq: 0, hash: START.to_owned() };
    let committed = in_root.unwrap_or(&start);
    match head {
        _ if end.seq == 0 && committed.seq > 0 => Some("the whole chain is missing"),
        _ if end.seq < committed.seq => Some("events are missing at the end"),
        None => Some("the head of the chain is missing"),
        Some(head) if head != committed => Some("the head of the chain is not the one that was committed"),
        Some(_) if end != committed => Some("events were added at the end, or changed with all that follow"),
        Some(_) => None,
    }
}

const MISSING: &str = "a row is missing here, or its number was changed";
const CHANGED: &str = "the row, or its place in the order, was changed";
const UNREADABLE: &str = "the row cannot be read";

/// The hash of the row that follows `end`, or why it does not.
fn event_hash(row: &AnyRow, tenant: &str, end: &End) -> Result<String, &'static str> {
    let unreadable = |_| UNREADABLE;
    let seq: i64 = row.try_get("seq").map_err(unreadable)?;
    let at: i64 = row.try_get("at").map_err(unreadable)?;
    let text = |column| row.try_get::<String, _>(column).map_err(unreadable);
    let (incident, actor, kind, body) = (text("incident")?, text("actor")?, text("kind")?, text("body")?);
    let link = Link { tenant, seq, incident: &incident, at, actor: &actor, kind: &kind, body: &body };
    let hash = link.hash(&end.hash);
    if seq != end.seq + 1 {
        return Err(MISSING);
    }
    if hash == text("hash")? { Ok(hash) } else { Err(CHANGED) }
}

/// As `event_hash`, for an entry of the root.
fn root_hash(row: &AnyRow, end: &Root) -> Result<String, &'static str> {
    let unreadable = |_| UNREADABLE;
    let number = |column| row.try_get::<i64, _>(column).map_err(unreadable);
    let text = |column| row.try_get::<String, _>(column).map_err(unreadable);
    let (tenant, head) = (text("tenant")?, text("head")?);
    let link = RootLink { n: number("n")?, tenant: &tenant, seq: number("seq")?, head: &head };
    if link.n != end.n + 1 {
        return Err(MISSING);
    }
    let hash = link.hash(&end.hash);
    if hash == text("hash")? { Ok(hash) } else { Err(CHANGED) }
}
