//! What is installed on an endpoint, and which of it has known vulnerabilities.

use domain::AgentId;
use domain::evidence::{Inquiry, Outcome, Summary};
use domain::vulnerability::{Software, System};
use domain::{Untrusted, endpoint::Os};
use serde_json::Value;

use super::{Case, Gathered, Knowledge, Step, count};
use crate::Engine;

/// Most programs kept of one endpoint.
const MOST: usize = 2_000;

/// What the console lists as installed.
pub(super) async fn installed(case: &Case<'_>, agent: &AgentId) -> anyhow::Result<Step> {
    let Some((_, listed)) = case.console.applications(agent, case.now).await? else {
        anyhow::bail!("the console does not show this endpoint among the customer's own");
    };
    let cut = listed.len() > MOST || listed.iter().any(Result::is_err);
    let (mut software, mut raw) = (Vec::new(), Vec::new());
    for application in listed.into_iter().take(MOST).filter_map(Result::ok) {
        let sentinelone::Application { name, version, publisher, raw: came, .. } = application;
        software.push(Software { product: name, publisher, version, ..Software::default() });
        raw.push(came);
    }
    let outcome = match count(software.len()) {
        0 => Outcome::NothingFound,
        programs => Outcome::Found(Summary::Software { programs, cut }),
    };
    Ok(Step::answered(Gathered {
        source: "SentinelOne",
        query: format!("GET /agents/applications?ids={agent}"),
        window: None,
        outcome,
        findings: super::findings(&software)?,
        raw: super::raw(&Value::Array(raw))?,
    }))
}

/// Which of it is vulnerable, by the feeds that were imported.
pub(super) async fn vulnerable(
    case: &Case<'_>,
    engine: &Engine,
    knowledge: &Knowledge,
    agent: &AgentId,
) -> anyhow::Result<Step> {
    let inquiry = Inquiry::Vulnerabilities { agent: agent.clone() };
    let database = match &knowledge.vulnerabilities {
        Some(database) if database.as_of().is_some() => database.clone(),
        _ => return Ok(Step::gap(&inquiry, "no vulnerability feed is imported (`yagura intel import`)")),
    };
    let mut findings = engine.findings(case.incident).await?;
    let Some(software) = findings.software.remove(agent) else {
        return Ok(Step::gap(&inquiry, "what is installed on the endpoint is not known"));
    };
    let (programs, system, now) = (count(software.len()), system(case, agent), case.now);
    let as_of = database.as_of();
    let matches = tokio::task::spawn_blocking(move || database.matches(&software, &system, now)).await??;
    let exploited = count(matches.iter().filter(|m| m.kev.is_some()).count());
    let outcome = match count(matches.len()) {
        0 => Outcome::NothingFound,
        matches => Outcome::Found(Summary::Vulnerabilities { programs, matches, exploited }),
    };
    Ok(Step::answered(Gathered {
        source: "CVE",
        query: format!(
            "{programs} programs of {agent}, data as of {}",
            as_of.map(|d| d.to_string()).unwrap_or_default()
        ),
        window: None,
        outcome,
        findings: super::findings(&matches)?,
        raw: None,
    }))
}

/// Nobody listed the installed updates, so nothing is said of missing ones.
fn system(case: &Case<'_>, agent: &AgentId) -> System {
    let endpoint = case.incident.alerts.iter().map(|a| &a.endpoint).find(|e| e.agent == *agent);
    System {
        os: endpoint.map_or(Os::Unknown, |e| e.os),
        name: endpoint.and_then(|e| e.os_name.clone()).unwrap_or_else(|| Untrusted::new("")),
        ..System::default()
    }
}
