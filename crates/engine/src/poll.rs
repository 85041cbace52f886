//! Reads one customer's console for what is new, with an overlap, and hands it to intake page by page (REL-04).

use std::time::Duration;

use anyhow::Context as _;
use domain::{TenantId, Timestamp};
use sentinelone::{Changes, Cursor, MIN_OVERLAP, Page, Reader, RefusalReason};
use store::Refusal;
use tokio::sync::Mutex;

use crate::Engine;
use crate::intake::{Incoming, Taken};

const SOURCE: &str = "sentinelone/threats";
/// Alerts written in one transaction: small enough to keep the database free for others between two of them.
const BATCH: usize = 200;
/// Pages read in one step; the rest comes in the next.
const MAX_PAGES: usize = 5;
/// As many as the console gives at once.
const PAGE: u16 = 1000;

/// One customer's console, and where reading it stands. Holds only a token that can look (SEC-10).
#[derive(Debug)]
pub struct Poller {
    tenant: TenantId,
    reader: Reader,
    /// How far back the very first poll looks.
    first_look_back: Duration,
    /// Where an unfinished list continues. Beginning again at the checkpoint less the overlap would never get through a
    /// storm. Lost with the process, which costs a second reading and nothing else.
    place: Mutex<Option<Cursor>>,
}

/// What one step read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollReport {
    pub taken: Taken,
    pub refused: u64,
    /// More pages are waiting: step again at once.
    pub more: bool,
}

impl Poller {
    pub fn new(tenant: TenantId, reader: Reader, first_look_back: Duration) -> Self {
        Self { tenant, reader, first_look_back, place: Mutex::new(None) }
    }

    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Reads what changed since the checkpoint. May run twice: repeats are recognised by id and version.
    pub async fn step(&self, engine: &Engine, now: Timestamp) -> anyhow::Result<PollReport> {
        let checkpoint = self.checkpoint(engine, now).await?;
        let changes = Changes { checkpoint, overlap: MIN_OVERLAP, limit: PAGE };
        let mut report = PollReport::default();
        // Taken, so that after any error the next step begins again at the checkpoint.
        let mut cursor = self.place.lock().await.take();
        for _ in 0..MAX_PAGES {
            let page = self
                .reader
                .changes_since(&changes, cursor.as_ref(), now)
                .await
                .with_context(|| format!("could not read the console of tenant `{}`", self.tenant))?;
            cursor = self.take_page(engine, page, &mut report, now).await?;
            if cursor.is_none() {
                return Ok(report);
            }
        }
        report.more = true;
        *self.place.lock().await = cursor;
        Ok(report)
    }

    async fn take_page(
        &self,
        engine: &Engine,
        page: Page,
        report: &mut PollReport,
        now: Timestamp,
    ) -> anyhow::Result<Option<Cursor>> {
        let Page { alerts, next, newest } = page;
        let (mut batch, mut refusals) = (Vec::new(), Vec::new());
        for alert in alerts {
            match alert {
                Ok(taken) => batch.push(Incoming { raw: taken.raw.to_string(), alert: taken.alert }),
                Err(refusal) => refusals.push(refused(&refusal, now)),
            }
        }
        report.refused += refusals.len() as u64;
        let mut parts = batch.chunks(BATCH).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_some() {
                report.taken.merge(engine.take_in(&self.tenant, part, &[], None, now).await?);
                continue;
            }
            let checkpoint = newest.to_string();
            let last = engine.take_in(&self.tenant, part, &refusals, Some((SOURCE, &checkpoint)), now).await?;
            report.taken.merge(last);
            return Ok(next);
        }
        if !refusals.is_empty() {
            engine.take_in(&self.tenant, &[], &refusals, None, now).await?;
        }
        Ok(next)
    }

    async fn checkpoint(&self, engine: &Engine, now: Timestamp) -> anyhow::Result<Timestamp> {
        let stored = engine.store().checkpoint(&self.tenant, SOURCE).await?;
        let first = now.checked_sub(self.first_look_back).unwrap_or(Timestamp::MIN);
        match stored {
            Some(text) => {
                text.parse().with_context(|| format!("the checkpoint of tenant `{}` is damaged", self.tenant))
            }
            None => Ok(first),
        }
    }
}

/// Keeps what a person needs to look into it. Another customer's record is named, never kept here (SEC-01).
fn refused(refusal: &sentinelone::Refusal, now: Timestamp) -> Refusal {
    let id = refusal.id.as_ref().map_or_else(|| "no id".to_owned(), |id| id.short(80));
    let raw = match &refusal.reason {
        RefusalReason::Foreign(_) | RefusalReason::NotAsked => format!("record `{id}`"),
        _ => refusal.raw.to_string(),
    };
    Refusal { at: now, source: SOURCE.into(), reason: refusal.to_string(), raw }
}
