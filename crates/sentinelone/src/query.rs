//! What may be asked of a list. The console silently ignores a filter that it does not know and then returns everything, so
//! the names sent are constants written here once, and a test holds each against the API's own list.

use std::marker::PhantomData;

use domain::alert::Hash;
use domain::{AgentId, AlertId};
use jiff::{Timestamp, tz::Offset};
use outbound::Rate;

use crate::error::Error;
use crate::targets::Targets;

/// The largest page the console gives.
pub(crate) const MAX_LIMIT: u16 = 1000;

/// A family of paths that shares one rate limit of the console, per token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Threats,
    /// Below one threat: `/threats/{id}/…`.
    Threat,
    Agents,
    Activities,
    Sites,
    User,
    /// PowerQuery: `/dv/events/pq` and its ping.
    PowerQuery,
    Hashes,
}

impl Family {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Threat => "threat",
            Self::Agents => "agents",
            Self::Activities => "activities",
            Self::Sites => "sites",
            Self::User => "user",
            Self::PowerQuery => "power-query",
            Self::Hashes => "hashes",
        }
    }

    pub(crate) fn rate(self) -> Rate {
        match self {
            Self::Threats => Rate::per_second(10).burst(50),
            Self::Threat => Rate::per_second(100).burst(1000),
            Self::Agents => Rate::per_second(25).burst(25),
            Self::Activities => Rate::per_second(10).burst(30),
            Self::Sites => Rate::per_second(100).burst(10),
            Self::User => Rate::per_second(2),
            Self::PowerQuery => Rate::per_second(4),
            // Not documented; what an incident asks is a handful.
            Self::Hashes => Rate::per_second(5).burst(20),
        }
    }
}

/// What can be asked, with its own filters.
pub(crate) trait List {
    const FAMILY: Family;
    /// Whether the list takes `siteIds` and `accountIds`.
    const SCOPED: bool = true;
}

#[derive(Debug)]
pub(crate) struct Threats;
#[derive(Debug)]
pub(crate) struct Agents;
#[derive(Debug)]
pub(crate) struct Activities;
#[derive(Debug)]
pub(crate) struct Sites;
#[derive(Debug)]
pub(crate) struct Notes;
/// What an endpoint recorded around one threat.
#[derive(Debug)]
pub(crate) struct Events;
/// What is installed on one endpoint.
#[derive(Debug)]
pub(crate) struct Applications;
/// Who we are: one object, without filters.
#[derive(Debug)]
pub(crate) struct User;

/// What the reputation service says of one hash.
#[derive(Debug)]
pub(crate) struct Hashes;

impl List for Threats {
    const FAMILY: Family = Family::Threats;
}
impl List for Agents {
    const FAMILY: Family = Family::Agents;
}
impl List for Activities {
    const FAMILY: Family = Family::Activities;
}
impl List for Sites {
    const FAMILY: Family = Family::Sites;
}
impl List for User {
    const FAMILY: Family = Family::User;
    const SCOPED: bool = false;
}
/// A hash belongs to nobody.
impl List for Hashes {
    const FAMILY: Family = Family::Hashes;
    const SCOPED: bool = false;
}
impl List for Notes {
    const FAMILY: Family = Family::Threat;
    const SCOPED: bool = false;
}

impl List for Events {
    const FAMILY: Family = Family::Threat;
    const SCOPED: bool = false;
}
impl List for Applications {
    const FAMILY: Family = Family::Agents;
    const SCOPED: bool = false;
}

/// One question to one list.
#[derive(Debug)]
pub(crate) struct Query<L> {
    pub(crate) path: String,
    pub(crate) pairs: Vec<(&'static str, String)>,
    list: PhantomData<L>,
}

impl<L: List> Query<L> {
    fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new(), list: PhantomData }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.pairs.push((name, value.into()));
        self
    }

    pub(crate) fn limit(self, limit: u16) -> Self {
        self.with("limit", limit.clamp(1, MAX_LIMIT).to_string())
    }

    fn ascending(self, by: &'static str) -> Self {
        self.with("sortBy", by).with("sortOrder", "asc")
    }
}

impl Query<Threats> {
    /// Oldest change first: a row that changes meanwhile moves to the end and is seen again, none is skipped.
    pub(crate) fn threats_changed_since(since: Timestamp) -> Self {
        Self::new("/threats").with("updatedAt__gte", time(since)).ascending("updatedAt")
    }

    pub(crate) fn threats(ids: &Targets<AlertId>) -> Self {
        Self::new("/threats").with("ids", joined(ids.as_slice()))
    }
}

impl Query<Agents> {
    pub(crate) fn agents(ids: &Targets<AgentId>) -> Self {
        Self::new("/agents").with("ids", joined(ids.as_slice()))
    }

    /// Those that are installed and managed.
    pub(crate) fn agent_count() -> Self {
        Self::new("/agents/count").with("isDecommissioned", "false").with("isUninstalled", "false")
    }

    pub(crate) fn online_count() -> Self {
        Self::agent_count().with("isActive", "true")
    }
}

impl Query<User> {
    pub(crate) fn user() -> Self {
        Self::new("/user")
    }
}

impl Query<Hashes> {
    /// The service knows files by their SHA-1 alone.
    pub(crate) fn reputation(hash: &Hash) -> Result<Self, Error> {
        if hash.algorithm() != "SHA-1" {
            return Err(Error::Unsendable("the console's reputation is asked by SHA-1"));
        }
        Ok(Self::new(format!("/hashes/{}/reputation", hash.as_str())))
    }
}

impl Query<Activities> {
    /// Hidden rows too: some acts are only seen there.
    pub(crate) fn activities_since(since: Timestamp, kinds: &[u64]) -> Self {
        let query = Self::new("/activities").with("createdAt__gte", time(since)).with("includeHidden", "true");
        let query = if kinds.is_empty() { query } else { query.with("activityTypes", joined(kinds)) };
        query.ascending("createdAt")
    }

    pub(crate) fn of_agents(self, agents: &Targets<AgentId>) -> Self {
        self.with("agentIds", joined(agents.as_slice()))
    }
}

impl Query<Sites> {
    pub(crate) fn sites() -> Self {
        Self::new("/sites").ascending("createdAt")
    }
}

impl Query<Notes> {
    pub(crate) fn notes(threat: &AlertId) -> Result<Self, Error> {
        Ok(Self::new(format!("/threats/{}/notes", in_path(threat)?)).ascending("createdAt"))
    }
}

impl Query<Events> {
    pub(crate) fn events(threat: &AlertId) -> Result<Self, Error> {
        Ok(Self::new(format!("/threats/{}/explore/events", in_path(threat)?)).ascending("createdAt"))
    }
}

impl Query<Applications> {
    pub(crate) fn applications(agent: &AgentId) -> Self {
        Self::new("/agents/applications").with("ids", agent.as_str())
    }
}

/// An `AlertId` holds nothing that could leave its part of the path, unless it is `.` or `..`.
fn in_path(threat: &AlertId) -> Result<&AlertId, Error> {
    if threat.as_str().bytes().all(|b| b == b'.') {
        return Err(Error::Unsendable("a threat id made of dots is none"));
    }
    Ok(threat)
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// As the console writes them: UTC, six digits.
pub(crate) fn time(at: Timestamp) -> String {
    format!("{}Z", Offset::UTC.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S%.6f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that API 2.1 documents for each list, as far as this crate uses them, with the fields it may sort by.
    /// Taken from the description stored in Celerium/SentinelOne-PowerShellWrapper `docs/swagger_2_1.json` (2024-03).
    const DOCUMENTED: [(&str, &[&str], &[&str]); 8] = [
        (
            "/threats",
            &["accountIds", "cursor", "ids", "limit", "siteIds", "sortBy", "sortOrder", "updatedAt__gte"],
            &["createdAt", "id", "updatedAt"],
        ),
        ("/agents", &["accountIds", "cursor", "ids", "limit", "siteIds", "sortBy", "sortOrder"], &["createdAt", "id"]),
        ("/agents/count", &["accountIds", "isActive", "isDecommissioned", "isUninstalled", "siteIds"], &[]),
        (
            "/activities",
            &[
                "accountIds",
                "activityTypes",
                "agentIds",
                "createdAt__gte",
                "cursor",
                "includeHidden",
                "limit",
                "siteIds",
                "sortBy",
                "sortOrder",
            ],
            &["activityType", "createdAt", "id"],
        ),
        ("/sites", &["accountIds", "cursor", "limit", "siteIds", "sortBy", "sortOrder"], &["createdAt", "id", "name"]),
        (
            "/threats/7/explore/events",
            &["cursor", "limit", "sortBy", "sortOrder"],
            &["id", "createdAt", "eventType", "fileSize", "fileType", "registryPath"],
        ),
        ("/agents/applications", &["ids"], &[]),
        ("/threats/7/notes", &["cursor", "limit", "sortBy", "sortOrder"], &["createdAt", "updatedAt"]),
    ];

    fn check<L: List>(query: &Query<L>) {
        let (_, names, sorts) = DOCUMENTED.iter().find(|(path, ..)| *path == query.path).expect("a documented path");
        for (name, value) in &query.pairs {
            assert!(names.contains(name), "`{name}` is not documented for {}", query.path);
            assert!(
                *name != "sortBy" || sorts.contains(&value.as_str()),
                "{} cannot be sorted by `{value}`",
                query.path
            );
        }
        if L::SCOPED {
            assert!(names.contains(&"siteIds") && names.contains(&"accountIds"));
        }
    }

    #[test]
    fn only_documented_names_are_ever_sent() {
        let agents = Targets::one(AgentId::new("7").unwrap());
        let threat = AlertId::new("7").unwrap();
        check(&Query::threats_changed_since(Timestamp::UNIX_EPOCH).limit(10));
        check(&Query::threats(&Targets::one(threat.clone())).limit(1));
        check(&Query::agents(&agents).limit(1));
        check(&Query::agent_count());
        check(&Query::online_count());
        check(&Query::activities_since(Timestamp::UNIX_EPOCH, &[1001, 2010]).of_agents(&agents).limit(10));
        check(&Query::sites().limit(10));
        check(&Query::notes(&threat).unwrap().limit(10));
        check(&Query::events(&threat).unwrap().limit(10));
        check(&Query::applications(&AgentId::new("7").unwrap()));
    }

    #[test]
    fn a_page_is_never_larger_than_the_console_allows() {
        let asked = |limit| Query::sites().limit(limit).pairs.pop().unwrap().1;
        assert_eq!((asked(0), asked(50), asked(u16::MAX)), ("1".into(), "50".into(), "1000".into()));
    }

    #[test]
    fn times_are_written_as_the_console_writes_them() {
        assert_eq!(time("2018-02-27T04:49:26.257525Z".parse().unwrap()), "2018-02-27T04:49:26.257525Z");
        assert_eq!(time("2018-02-27T04:49:26Z".parse().unwrap()), "2018-02-27T04:49:26.000000Z");
    }

    #[test]
    fn an_id_stays_within_its_part_of_the_path() {
        for dots in [".", ".."] {
            assert!(Query::notes(&AlertId::new(dots).unwrap()).is_err());
            assert!(Query::events(&AlertId::new(dots).unwrap()).is_err());
        }
    }
}
