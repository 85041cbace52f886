//! Looks, and cannot act: what intake holds (SEC-10, SEC-13).

use std::collections::BTreeSet;
use std::time::Duration;

use domain::alert::Hash;
use domain::{AgentId, AlertId};
use jiff::Timestamp;
use outbound::Outbound;

use crate::call::{Caller, Capability};
use crate::console::{Console, ReadToken};
use crate::cursor::{Cursor, Progress};
use crate::error::Error;
use crate::events::{self, RecordTaken};
use crate::power;
use crate::query::{MAX_LIMIT, Query};
use crate::reputation::Reputation;
use crate::row::Row;
use crate::rows::{self, Activity, Agent, Note, Refusal, RefusalReason, Site, Taken};
use crate::software::{self, Application};
use crate::targets::Targets;
use crate::token::{self, TokenFacts};

/// Changes are stamped by machines that do not agree on the time, and appear in lists late (REL-04).
pub const MIN_OVERLAP: Duration = Duration::from_secs(600);
/// Pages of sites read at most; more sites than this belong to no one customer.
const MAX_SITE_PAGES: usize = 10;

/// From where on changes are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Changes {
    /// The `newest` of the last page whose records are stored.
    pub checkpoint: Timestamp,
    /// Read again before the checkpoint, never less than `MIN_OVERLAP`.
    pub overlap: Duration,
    /// Records a page, at most 1000.
    pub limit: u16,
}

/// One page of threats, oldest change first. The same threat may come more than once, in this page or a later one.
#[derive(Debug)]
pub struct Page {
    pub alerts: Vec<Result<Taken, Refusal>>,
    /// Give this to the next call; `None` at the end.
    pub next: Option<Cursor>,
    /// The checkpoint to store once this page's records are stored. Never later than `now`, whatever the console claims.
    pub newest: Timestamp,
}

#[derive(Debug)]
pub struct ActivityPage {
    pub activities: Vec<Result<Activity, Refusal>>,
    pub next: Option<Cursor>,
}

/// The events of one threat, oldest first.
#[derive(Debug)]
pub struct EventPage {
    pub records: Vec<Result<RecordTaken, Refusal>>,
    /// There was more than was asked for.
    pub cut: bool,
}

/// One customer's console, seen with a token that can look.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) caller: Caller,
}

impl Reader {
    pub fn new(console: &Console, token: ReadToken, outbound: Outbound) -> Self {
        Self { caller: Caller::new(console, token.0, outbound, Capability::Read) }
    }

    /// The next page of threats that are new or have changed. Without a cursor it begins at the checkpoint less the overlap.
    pub async fn changes_since(
        &self,
        changes: &Changes,
        cursor: Option<&Cursor>,
        now: Timestamp,
    ) -> Result<Page, Error> {
        let (since, limit) = match cursor {
            Some(cursor) => (cursor.since, cursor.limit),
            None => (earlier(changes.checkpoint, changes.overlap.max(MIN_OVERLAP)), changes.limit.clamp(1, MAX_LIMIT)),
        };
        let query = Query::threats_changed_since(since).limit(limit);
        let listed = self.caller.list(&query, cursor.map(|c| c.token.as_str()), now).await?;
        let changed = listed.records.iter().filter_map(|raw| Row(raw).time("threatInfo.updatedAt"));
        let before = cursor.map_or(Progress::from(changes.checkpoint), |c| c.progress);
        let progress = before.with(changed, now);
        Ok(Page {
            newest: progress.read_up_to(listed.next.is_none(), changes.checkpoint),
            next: Cursor::after(cursor, since, limit, progress, listed.next)?,
            alerts: rows::each(listed.records, |raw| rows::taken(raw, &self.caller.console.scope)),
        })
    }

    /// The threats of these ids as they are now. What is missing from the answer is not there, or not ours.
    pub async fn threats(&self, ids: &Targets<AlertId>, now: Timestamp) -> Result<Vec<Result<Taken, Refusal>>, Error> {
        let listed = self.caller.list(&Query::threats(ids).limit(MAX_LIMIT), None, now).await?;
        Ok(rows::each(listed.records, |raw| {
            let taken = rows::taken(raw, &self.caller.console.scope)?;
            if ids.as_slice().contains(&taken.alert.id) { Ok(taken) } else { Err((RefusalReason::NotAsked, taken.raw)) }
        }))
    }

    /// The agents of these ids as they are now.
    pub async fn agents(&self, ids: &Targets<AgentId>, now: Timestamp) -> Result<Vec<Result<Agent, Refusal>>, Error> {
        let listed = self.caller.list(&Query::agents(ids).limit(MAX_LIMIT), None, now).await?;
        Ok(rows::each(listed.records, |raw| {
            let agent = rows::agent(raw, &self.caller.console.scope)?;
            let asked = ids.as_slice().contains(&agent.endpoint.agent);
            if asked { Ok(agent) } else { Err((RefusalReason::NotAsked, agent.raw)) }
        }))
    }

    /// How many agents the customer has, those that are gone left out.
    pub async fn agent_count(&self, now: Timestamp) -> Result<u64, Error> {
        let count = self.caller.object(&Query::agent_count(), now).await?;
        let missing = || Error::Malformed { what: "it holds no count".into(), in_doubt: false };
        Row(&count).number("total").ok_or_else(missing)
    }

    /// How many of them are online now: what a search over all endpoints can reach at most.
    pub async fn online_count(&self, now: Timestamp) -> Result<u64, Error> {
        let count = self.caller.object(&Query::online_count(), now).await?;
        let missing = || Error::Malformed { what: "it holds no count".into(), in_doubt: false };
        Row(&count).number("total").ok_or_else(missing)
    }

    /// What the console's reputation service says of a file, by its SHA-1.
    pub async fn reputation(&self, sha1: &Hash, now: Timestamp) -> Result<Reputation, Error> {
        let said = self.caller.object(&Query::reputation(sha1)?, now).await?;
        Reputation::read(said)
    }

    /// What the console says of the token in use.
    pub async fn token(&self, now: Timestamp) -> Result<TokenFacts, Error> {
        let user = self.caller.object(&Query::user(), now).await?;
        Ok(token::read(Row(&user), &self.caller.console.scope))
    }

    /// The notes on one threat, oldest first, up to a thousand.
    pub async fn notes(&self, threat: &AlertId, now: Timestamp) -> Result<Vec<Result<Note, Refusal>>, Error> {
        let listed = self.caller.list(&Query::notes(threat)?.limit(MAX_LIMIT), None, now).await?;
        Ok(rows::each(listed.records, rows::note))
    }

    /// What `agent` recorded around one threat, oldest first, at most about `most` records.
    pub async fn events_of(
        &self,
        threat: &AlertId,
        agent: &AgentId,
        most: usize,
        now: Timestamp,
    ) -> Result<EventPage, Error> {
        let query = Query::events(threat)?.limit(MAX_LIMIT);
        let mut page = EventPage { records: Vec::new(), cut: false };
        let mut cursor: Option<Cursor> = None;
        loop {
            let listed = self.caller.list(&query, cursor.as_ref().map(|c| c.token.as_str()), now).await?;
            let read = |raw| events::record(raw, &self.caller.console.scope, agent);
            page.records.extend(rows::each(listed.records, read));
            cursor = Cursor::after(cursor.as_ref(), now, MAX_LIMIT, Progress::from(now), listed.next)?;
            if cursor.is_none() || page.records.len() >= most {
                page.cut = cursor.is_some();
                return Ok(page);
            }
        }
    }

    /// What is installed on one endpoint. Neither the question nor the answer names a site, so the endpoint is looked up
    /// first: `None` when it is not there, or not ours (SEC-01).
    pub async fn applications(
        &self,
        agent: &AgentId,
        now: Timestamp,
    ) -> Result<Option<(Agent, Vec<Result<Application, Refusal>>)>, Error> {
        let found = self.agents(&Targets::one(agent.clone()), now).await?;
        let Some(agent_now) = found.into_iter().find_map(Result::ok) else { return Ok(None) };
        let listed = self.caller.list(&Query::applications(agent), None, now).await?;
        Ok(Some((agent_now, rows::each(listed.records, software::application))))
    }

    /// Asks all of the customer's endpoints by PowerQuery. Rows that do not carry one of the customer's own site ids are
    /// dropped and counted: the console has been seen to answer with other customers' rows (SEC-01).
    pub async fn power_query(
        &self,
        query: &str,
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<power::Progress, Error> {
        let sites = self.sites(now).await?;
        let accounts: BTreeSet<String> = sites.into_iter().filter_map(|site| site.ok()?.account_id).collect();
        let accounts: Vec<String> = accounts.into_iter().collect();
        power::ask(&self.caller, query, &accounts, (from, to), now).await
    }

    /// How far a PowerQuery is.
    pub async fn power_query_result(&self, id: &power::QueryId, now: Timestamp) -> Result<power::Progress, Error> {
        power::look(&self.caller, id, now).await
    }

    /// The console's own log from `since` on, by time of creation (it cannot be asked for changes). `kinds` and `agents`
    /// narrow it; an empty `kinds` means all.
    pub async fn activities_since(
        &self,
        since: Timestamp,
        kinds: &[u64],
        agents: Option<&Targets<AgentId>>,
        cursor: Option<&Cursor>,
        now: Timestamp,
    ) -> Result<ActivityPage, Error> {
        let (since, limit) = cursor.map_or((since, MAX_LIMIT), |c| (c.since, c.limit));
        let query = Query::activities_since(since, kinds).limit(limit);
        let query = match agents {
            Some(agents) => query.of_agents(agents),
            None => query,
        };
        let listed = self.caller.list(&query, cursor.map(|c| c.token.as_str()), now).await?;
        Ok(ActivityPage {
            next: Cursor::after(cursor, since, limit, Progress::from(since), listed.next)?,
            activities: rows::each(listed.records, |raw| rows::activity(raw, &self.caller.console.scope)),
        })
    }

    /// The customer's sites.
    pub async fn sites(&self, now: Timestamp) -> Result<Vec<Result<Site, Refusal>>, Error> {
        let query = Query::sites().limit(MAX_LIMIT);
        let mut sites = Vec::new();
        let mut cursor: Option<Cursor> = None;
        for _ in 0..MAX_SITE_PAGES {
            let listed = self.caller.list(&query, cursor.as_ref().map(|c| c.token.as_str()), now).await?;
            sites.extend(rows::each(listed.records, |raw| rows::site(raw, &self.caller.console.scope)));
            cursor = Cursor::after(cursor.as_ref(), now, MAX_LIMIT, Progress::from(now), listed.next)?;
            if cursor.is_none() {
                return Ok(sites);
            }
        }
        Err(Error::CursorLoops { pages: MAX_SITE_PAGES })
    }
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
