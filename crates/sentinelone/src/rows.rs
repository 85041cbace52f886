//! What comes back from the console, one type per kind of record, each with the record as it came.

use domain::alert::{Alert, Hash};
use domain::endpoint::Endpoint;
use domain::ids::InvalidId;
use domain::{AgentId, AlertId, Untrusted};
use jiff::Timestamp;
use serde_json::Value;

use crate::console::Scope;
use crate::convert::{self, UNKNOWN_AGENT};
use crate::row::Row;
use crate::words;

/// An alert, and the console's record of it: the evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub alert: Alert,
    pub raw: Value,
}

/// One record that could not be taken. The others of its page are not lost by it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("record {position}: {reason}")]
pub struct Refusal {
    /// Counted from 1 within its answer or file.
    pub position: usize,
    /// As the record calls itself.
    pub id: Option<Untrusted>,
    #[source]
    pub reason: RefusalReason,
    /// The record as it came, so that a person can look.
    pub raw: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    #[error("it has no id")]
    NoId,
    #[error("{0}")]
    BadId(InvalidId),
    #[error("it has no usable time")]
    NoTime,
    #[error("{0}")]
    Foreign(Foreign),
    /// The console returned more than the ids it was given.
    #[error("it was not asked for")]
    NotAsked,
    #[error("it is filled with the placeholder `string`, as an API description's example is")]
    Placeholder,
    #[error("it is {0}, not a threat")]
    NotAThreat(&'static str),
    #[error("it is not readable as JSON: {0}")]
    NotJson(String),
    #[error("it comes after the {} records that are taken at most", crate::recorded::MAX_RECORDS)]
    TooMany,
}

/// A record outside of the sites and accounts that were asked for: never used, always reported (SEC-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    #[error("it belongs to a site that was not asked for")]
    Site,
    #[error("it belongs to an account that was not asked for")]
    Account,
    #[error("it does not say which site it belongs to")]
    NoSite,
    #[error("it does not say which account it belongs to")]
    NoAccount,
}

/// An endpoint's sensor as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub endpoint: Endpoint,
    /// Stays when the endpoint registers anew and `endpoint.agent` changes.
    pub uuid: Option<Untrusted>,
    pub infected: Option<bool>,
    pub decommissioned: bool,
    pub uninstalled: bool,
    pub last_seen: Option<Timestamp>,
    pub raw: Value,
}

/// A line of the console's own log.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    pub id: String,
    /// SentinelOne: `activityType`, for instance 1001 for an endpoint that was cut off.
    pub kind: u64,
    pub at: Timestamp,
    pub agent: Option<AgentId>,
    pub alert: Option<AlertId>,
    pub description: Option<Untrusted>,
    pub hash: Option<Hash>,
    pub raw: Value,
}

impl Activity {
    pub const ISOLATED: u64 = 1001;
    pub const RECONNECTED: u64 = 1002;
    pub const ISOLATION_FAILED: u64 = 2010;
}

#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    pub id: String,
    pub name: Untrusted,
    pub account: Option<Untrusted>,
    pub account_id: Option<String>,
    pub state: Option<Untrusted>,
    pub active_licences: Option<u64>,
    pub expires_at: Option<Timestamp>,
    pub raw: Value,
}

/// A note on a threat.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    pub id: String,
    pub text: Untrusted,
    pub author: Option<Untrusted>,
    pub at: Option<Timestamp>,
    pub raw: Value,
}

/// Reads every record on its own; what cannot be read is refused at its position.
pub(crate) fn each<T>(
    records: Vec<Value>,
    mut read: impl FnMut(Value) -> Result<T, (RefusalReason, Value)>,
) -> Vec<Result<T, Refusal>> {
    let numbered = records.into_iter().zip(1..);
    numbered
        .map(|(raw, position)| {
            read(raw).map_err(|(reason, raw)| {
                let row = Row(&raw);
                let id = row.first_untrusted(&["id", "threatInfo.threatId", "alertInfo.alertId"]);
                Refusal { position, id, reason, raw }
            })
        })
        .collect()
}

pub(crate) fn taken(raw: Value, scope: &Scope) -> Result<Taken, (RefusalReason, Value)> {
    let row = Row(&raw);
    let ours = scope.check(row, &["agentRealtimeInfo", "agentDetectionInfo"]);
    match ours.map_err(RefusalReason::Foreign).and_then(|()| convert::threat(row)) {
        Ok(alert) => Ok(Taken { alert, raw }),
        Err(reason) => Err((reason, raw)),
    }
}

pub(crate) fn agent(raw: Value, scope: &Scope) -> Result<Agent, (RefusalReason, Value)> {
    let row = Row(&raw);
    let id = row.text("id").and_then(|id| AgentId::new(id.trim()).ok());
    let agent = match (scope.check(row, &[""]), id) {
        (Err(foreign), _) => return Err((RefusalReason::Foreign(foreign), raw)),
        (_, None) => return Err((RefusalReason::NoId, raw)),
        (Ok(()), Some(id)) => id,
    };
    Ok(Agent {
        endpoint: Endpoint {
            agent,
            name: row.untrusted("computerName").unwrap_or_else(|| Untrusted::new(UNKNOWN_AGENT)),
            domain: row.untrusted("domain"),
            os: words::os(row.word("osType").as_deref()),
            os_name: row.untrusted("osName"),
            machine: words::machine(row.word("machineType").as_deref()),
            group: row.untrusted("groupName"),
            site: row.untrusted("siteName"),
            last_user: row.untrusted("lastLoggedInUserName"),
            addresses: convert::addresses(convert::interfaces(row, "inet").chain(convert::interfaces(row, "inet6"))),
            agent_version: row.untrusted("agentVersion"),
            network: words::network(row.word("networkStatus").as_deref()),
            online: row.flag("isActive"),
        },
        uuid: row.untrusted("uuid"),
        infected: row.flag("infected"),
        decommissioned: row.flag("isDecommissioned").unwrap_or(false),
        uninstalled: row.flag("isUninstalled").unwrap_or(false),
        last_seen: row.time("lastActiveDate"),
        raw,
    })
}

pub(crate) fn activity(raw: Value, scope: &Scope) -> Result<Activity, (RefusalReason, Value)> {
    let row = Row(&raw);
    if let Err(foreign) = scope.check(row, &[""]) {
        return Err((RefusalReason::Foreign(foreign), raw));
    }
    let Some(id) = own_id(row) else { return Err((RefusalReason::NoId, raw)) };
    let Some(at) = row.time("createdAt") else { return Err((RefusalReason::NoTime, raw)) };
    Ok(Activity {
        id,
        kind: row.number("activityType").unwrap_or(0),
        at,
        agent: row.text("agentId").and_then(|id| AgentId::new(&id).ok()),
        alert: row.text("threatId").and_then(|id| AlertId::new(&id).ok()),
        description: row.untrusted("primaryDescription"),
        hash: convert::hash(row, "hash").or_else(|| convert::hash(row, "data.fileContentHash")),
        raw,
    })
}

/// Sites are what the scope is made of: a site is ours when it is named, or when its account is.
pub(crate) fn site(raw: Value, scope: &Scope) -> Result<Site, (RefusalReason, Value)> {
    let row = Row(&raw);
    let Some(id) = own_id(row) else { return Err((RefusalReason::NoId, raw)) };
    let account_id = row.text("accountId").map(std::borrow::Cow::into_owned);
    if let Err(foreign) = scope.check_ids(Some(&id), account_id.as_deref()) {
        return Err((RefusalReason::Foreign(foreign), raw));
    }
    Ok(Site {
        name: row.untrusted("name").unwrap_or_else(|| Untrusted::new(&id)),
        id,
        account: row.untrusted("accountName"),
        account_id,
        state: row.untrusted("state"),
        active_licences: row.number("activeLicenses"),
        expires_at: row.time("expiration"),
        raw,
    })
}

pub(crate) fn note(raw: Value) -> Result<Note, (RefusalReason, Value)> {
    let row = Row(&raw);
    let Some(id) = own_id(row) else { return Err((RefusalReason::NoId, raw)) };
    Ok(Note {
        id,
        text: row.untrusted("text").unwrap_or_default(),
        author: row.untrusted("creator"),
        at: row.time("createdAt"),
        raw,
    })
}

/// Bounded and of a safe alphabet, like every id of the console.
fn own_id(row: Row<'_>) -> Option<String> {
    row.text("id").and_then(|id| AlertId::new(id.trim()).ok()).map(String::from)
}
