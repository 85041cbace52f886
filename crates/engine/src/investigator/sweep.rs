//! On which of the customer's endpoints the indicators occur: one PowerQuery for each field that can hold one.
//!
//! Each question is kept with its hits, so that no hits are proved as well as hits. A question that runs is looked at again
//! later; how far the questions are is remembered by the process only, and losing it costs asking again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use domain::evidence::{Inquiry, Looked, Outcome, Search, Summary, Sweep, SweepHit, Window};
use domain::ioc::{Ioc, Kind};
use domain::{EvidenceId, Timestamp, Untrusted};
use jiff::SignedDuration;
use sentinelone::{PowerProgress, QueryId, Table};

use super::{Case, Gathered, Step, count};
use crate::Engine;

/// How far back is searched: the shortest retention that the vendor sells.
const BACK: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Indicators searched for, bad ones first.
const MOST: usize = 40;
/// Hits kept of one question.
const MOST_HITS: usize = 500;
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A question that is still running after so many looks is given up.
const MAX_LOOKS: u32 = 60;

/// The fields of an event that can hold an indicator of each kind.
const FIELDS: [(Kind, &str); 7] = [
    (Kind::Sha256, "tgt.file.sha256"),
    (Kind::Sha256, "src.process.image.sha256"),
    (Kind::Sha1, "tgt.file.sha1"),
    (Kind::Sha1, "src.process.image.sha1"),
    (Kind::Ip, "dst.ip.address"),
    (Kind::Domain, "event.dns.request"),
    (Kind::Url, "url.address"),
];

/// Sweeps under way, by the key of their job.
pub(super) type UnderWay = Mutex<BTreeMap<String, Asking>>;

/// The questions of one sweep, and the indicator check that they come from: a newer check asks for a new sweep.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    check: Option<EvidenceId>,
    since: Timestamp,
    asked: Vec<Asked>,
}

#[derive(Debug, Clone)]
struct Asked {
    field: &'static str,
    window: Window,
    iocs: Vec<Ioc>,
    query: String,
    state: State,
    /// How often it was found still running.
    looks: u32,
}

#[derive(Debug, Clone)]
enum State {
    NotYet,
    Running(QueryId),
    Done(Vec<SweepHit>),
    Failed(Untrusted),
}

pub(super) async fn over_endpoints(
    case: &Case<'_>,
    engine: &Engine,
    under_way: &UnderWay,
    job: &str,
) -> anyhow::Result<Step> {
    let check = case.incident.answer_to(&Inquiry::Indicators).map(|evidence| evidence.id);
    let mut asking = match remembered(under_way, job, check, case.now) {
        Some(asking) => asking,
        None => {
            let asked = questions(&engine.findings(case.incident).await?.indicators, case.now);
            Asking { check, since: case.now, asked }
        }
    };
    if asking.asked.is_empty() {
        let why = "there is no indicator of a kind that can be searched for on endpoints";
        return Ok(Step::gap(&Inquiry::Sweep, why));
    }
    // Whatever comes now, the answers that are there are not asked for again.
    let reach = go_on(case, &mut asking.asked).await;
    match reach {
        Ok(Some(reach)) => result(case, asking.asked, reach),
        unfinished => {
            lock(under_way).insert(job.to_owned(), asking);
            unfinished.map(|_| Step::Later(LOOK_AGAIN))
        }
    }
}

/// One step further. When every question has come to an end: how many endpoints were online, and how many there are.
async fn go_on(case: &Case<'_>, asked: &mut [Asked]) -> anyhow::Result<Option<(u64, u64)>> {
    advance(case, asked).await?;
    if asked.iter().any(|a| matches!(a.state, State::NotYet | State::Running(_))) {
        return Ok(None);
    }
    let online = case.console.online_count(case.now).await?;
    Ok(Some((online, case.console.agent_count(case.now).await?)))
}

fn questions(looked: &[Looked], now: Timestamp) -> Vec<Asked> {
    let mut wanted: Vec<&Looked> = looked.iter().collect();
    wanted.sort_by_key(|looked| !looked.is_bad());
    wanted.truncate(MOST);
    let window = Window { from: now.saturating_sub(BACK).unwrap_or(Timestamp::MIN), to: now };
    let ask = |(kind, field): (Kind, &'static str)| {
        let iocs: Vec<Ioc> = wanted.iter().map(|l| &l.ioc).filter(|i| i.kind() == kind).cloned().collect();
        (!iocs.is_empty()).then(|| Asked {
            query: query(field, &iocs),
            field,
            window,
            iocs,
            state: State::NotYet,
            looks: 0,
        })
    };
    FIELDS.into_iter().filter_map(ask).collect()
}

/// Values are typed and hold neither a quotation mark nor a backslash, which PowerQuery could not be told apart.
fn query(field: &str, iocs: &[Ioc]) -> String {
    let quoted = iocs.iter().map(Ioc::value).filter(|v| !v.contains(['"', '\\', '\n', '\r']));
    let values: Vec<String> = quoted.map(|v| format!("\"{v}\"")).collect();
    format!(
        "{field} in ({}) | group hits = count(), first = min(event.time), last = max(event.time) \
         by value = {field}, endpoint.name, site.id, account.id | limit {MOST_HITS}",
        values.join(", ")
    )
}

/// Takes each question one step further. Stops at the first that has to wait for its turn.
async fn advance(case: &Case<'_>, asked: &mut [Asked]) -> anyhow::Result<()> {
    for question in asked {
        let span = (question.window.from, question.window.to);
        let progress = match &question.state {
            State::NotYet => case.console.power_query(&question.query, span, case.now).await,
            State::Running(id) => case.console.power_query_result(id, case.now).await,
            State::Done(_) | State::Failed(_) => continue,
        };
        question.state = match progress {
            Ok(PowerProgress::Running(id)) if question.looks < MAX_LOOKS => {
                question.looks += 1;
                State::Running(id)
            }
            Ok(PowerProgress::Running(_)) => State::Failed(Untrusted::new("it did not end within a minute")),
            Ok(PowerProgress::Failed(why)) => State::Failed(why),
            Ok(PowerProgress::Done(table)) => State::Done(hits(case, &question.iocs, &table)),
            Err(error) if case.patient && error.retry_after().is_some() => return Err(error.into()),
            Err(error) if error.is_transient() && !case.last_try => return Err(error.into()),
            Err(error) => State::Failed(Untrusted::new(&error.to_string())),
        };
    }
    Ok(())
}

fn hits(case: &Case<'_>, iocs: &[Ioc], table: &Table) -> Vec<SweepHit> {
    if table.foreign > 0 {
        tracing::error!(incident.id = %case.incident.id, tenant.id = %case.incident.tenant, rows = table.foreign,
            "the console answered with rows of others; they were dropped");
    }
    let read = |row: &Vec<Option<Untrusted>>| {
        let value = table.cell(row, "value")?.for_matching();
        let time = |column| {
            let millis = table.cell(row, column)?.for_matching().parse().ok()?;
            Timestamp::from_millisecond(millis).ok()
        };
        Some(SweepHit {
            ioc: iocs.iter().find(|ioc| ioc.value().eq_ignore_ascii_case(value))?.clone(),
            host: table.cell(row, "endpoint.name")?.clone(),
            count: table.cell(row, "hits")?.for_matching().parse().ok()?,
            first: time("first"),
            last: time("last"),
        })
    };
    table.rows.iter().take(MOST_HITS).filter_map(read).collect()
}

fn result(case: &Case<'_>, asked: Vec<Asked>, (online, total): (u64, u64)) -> anyhow::Result<Step> {
    // There is at least one: an empty list was answered before.
    let Some(window) = asked.first().map(|a| a.window) else { anyhow::bail!("nothing was asked") };
    let queries: Vec<&str> = asked.iter().map(|a| a.field).collect();
    let query = format!("POST /dv/events/pq: {}", queries.join(", "));
    let searches: Vec<Search> = asked.into_iter().map(search).collect();
    if searches.iter().all(|s| s.failed.is_some()) {
        anyhow::bail!("every search failed: {}", searches[0].failed.as_ref().map(|w| w.short(200)).unwrap_or_default());
    }
    let sweep = Sweep { window, agents_online: online, agents_total: total, searches };
    let own = |host: &Untrusted| case.incident.hosts.values().any(|h| h.name == *host);
    let mut elsewhere: Vec<&Untrusted> = sweep.hits().map(|hit| &hit.host).filter(|host| !own(host)).collect();
    elsewhere.sort();
    elsewhere.dedup();
    let mut sought: Vec<&Ioc> = sweep.searches.iter().flat_map(|s| &s.iocs).collect();
    sought.sort();
    sought.dedup();
    let found = count(sweep.hits().count());
    let summary = Summary::Sweep {
        looked_for: count(sought.len()),
        hits: found,
        elsewhere: count(elsewhere.len()),
        agents_online: u32::try_from(online).unwrap_or(u32::MAX),
        agents_total: u32::try_from(total).unwrap_or(u32::MAX),
    };
    Ok(Step::answered(Gathered {
        source: "SentinelOne",
        query,
        window: Some(window),
        outcome: Outcome::Found(summary),
        findings: super::findings(&sweep)?,
        raw: None,
    }))
}

fn search(asked: Asked) -> Search {
    let Asked { iocs, query, state, .. } = asked;
    let (hits, failed) = match state {
        State::Done(hits) => (hits, None),
        State::Failed(why) => (Vec::new(), Some(why)),
        State::NotYet | State::Running(_) => (Vec::new(), Some(Untrusted::new("not answered"))),
    };
    Search { iocs, query, hits, failed }
}

/// The sweep of a job that this process began some moments ago, for the same check. Older ones, which another process took
/// over, are forgotten: their window is of then.
fn remembered(under_way: &UnderWay, job: &str, check: Option<EvidenceId>, now: Timestamp) -> Option<Asking> {
    let mut under_way = lock(under_way);
    under_way.retain(|_, asking| now.duration_since(asking.since) < super::PATIENCE);
    under_way.remove(job).filter(|asking| asking.check == check)
}

fn lock(under_way: &UnderWay) -> std::sync::MutexGuard<'_, BTreeMap<String, Asking>> {
    under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
