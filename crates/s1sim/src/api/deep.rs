//! Deep Visibility and PowerQuery: queries that are asked, waited for and read. A token has one query a minute and
//! one that runs; what was found is kept for some minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Call, ok, paged};
use crate::clock::{later, parse, print};
use crate::digest;
use crate::filter::Filter;
use crate::page::{self, Shape};
use crate::query::{QueryError, Reach, run_power_query, run_s1ql};
use crate::refusal::Refusal;
use crate::telemetry::{Cell, Event, Form, show};
use crate::world::{World, text};

/// How long a query runs, and how long its id is good.
const RUNS: Duration = Duration::from_millis(1_500);
const LIVES: Duration = Duration::from_secs(600);
/// The most queries the console remembers.
const MOST: usize = 500;

/// The queries a console remembers and when tokens last asked.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    deep: BTreeMap<String, Deep>,
    power: BTreeMap<String, (String, Timestamp, Value)>,
    asked: u64,
    last: BTreeMap<(String, &'static str), Vec<Timestamp>>,
}

#[derive(Debug)]
struct Deep {
    token: String,
    asked: Timestamp,
    cancelled: bool,
    verbose: bool,
    events: Vec<Event>,
}

impl Queries {
    /// Lets a token call `what` so many times in a span; 429 for more.
    fn allow(&mut self, call: &Call, what: &'static str, times: usize, span: Duration) -> Result<(), Refusal> {
        let recent = self.last.entry((call.token.name.clone(), what)).or_default();
        recent.retain(|at| later(*at, span) > call.now);
        if recent.len() >= times {
            return Err(Refusal::TooMany(span.as_secs()));
        }
        recent.push(call.now);
        Ok(())
    }

    fn forget(&mut self, now: Timestamp) {
        self.deep.retain(|_, query| later(query.asked, LIVES) > now);
        self.power.retain(|_, (_, asked, _)| later(*asked, LIVES) > now);
    }
}

pub(super) fn init(world: &mut World, call: &Call) -> Answer {
    let (query, from, to) = asked(call)?;
    let running = world.queries.deep.values();
    let busy = running
        .into_iter()
        .any(|other| other.token == call.token.name && !other.cancelled && later(other.asked, RUNS) > call.now);
    if busy {
        return Err(Refusal::Conflict("another query of this user is running".to_owned()));
    }
    world.queries.allow(call, "init-query", 1, Duration::from_secs(60))?;
    let events = run_s1ql(world, &reach(call, false)?, query, from, to).map_err(unread)?;
    let most = call.body["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let events = events.into_iter().take(most).collect();
    let verbose = call.body["isVerbose"].as_bool().unwrap_or(false);
    let id = name(world, call, "q")?;
    let kept = Deep { token: call.token.name.clone(), asked: call.now, cancelled: false, verbose, events };
    world.queries.deep.insert(id.clone(), kept);
    ok(json!({"queryId": id, "queryModeInfo": mode(call.now)}))
}

pub(super) fn status(world: &mut World, call: &Call) -> Answer {
    world.queries.allow(call, "query-status", 1, Duration::from_secs(1))?;
    let query = find(world, call)?;
    let ran = call.now.duration_since(query.asked).as_millis().max(0);
    let whole = i128::try_from(RUNS.as_millis()).unwrap_or(1_500);
    let percent = (ran * 100 / whole).min(100);
    let state = match (query.cancelled, percent) {
        (true, _) => "QUERY_CANCELLED",
        (_, 100) => "FINISHED",
        (_, 50..) => "EVENTS_RUNNING",
        _ => "RUNNING",
    };
    ok(json!({
        "responseState": state, "progressStatus": i64::try_from(percent).unwrap_or(100), "responseError": null,
        "warnings": null, "queryModeInfo": mode(query.asked),
    }))
}

pub(super) fn events(world: &World, call: &Call, kind: Option<&str>) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: 100_000,
        sorts: &[
            ("id", "/id"),
            ("createdAt", "/createdAt"),
            ("pid", "/pid"),
            ("processStartTime", "/processStartTime"),
        ],
    };
    let query = find(world, call)?;
    if later(query.asked, RUNS / 2) > call.now || query.cancelled {
        return Err(Refusal::Conflict("the query has no results to read yet".to_owned()));
    }
    let stories: std::collections::BTreeSet<&str> =
        world.threats.values().map(|stored| text(&stored.doc, "/threatInfo/storyline")).collect();
    let rows = query.events.iter().filter_map(|event| {
        let agent = world.agents.get(&event.agent)?;
        let wanted = kind.is_none_or(|kind| event.what.words().1 == kind || kind == "events");
        let related = stories.contains(event.process.storyline.as_str());
        wanted.then(|| show(event, agent, Form::Deep { verbose: query.verbose, related }))
    });
    let rows: Vec<Value> = rows.collect();
    let filter = Filter::parse(&call.params, &[])?;
    paged(page::cut(rows.iter(), &filter, &call.params, &SHAPE, call.strike.twice)?, Clone::clone)
}

pub(super) fn cancel(world: &mut World, call: &Call) -> Answer {
    let id = call.body["queryId"].as_str().or(call.body["queryID"].as_str()).unwrap_or_default();
    let query = world.queries.deep.get_mut(id).filter(|query| query.token == call.token.name);
    let query = query.ok_or_else(|| Refusal::NotFound(format!("no query {id}")))?;
    query.cancelled = true;
    ok(json!({"success": "FINISHED"}))
}

pub(super) fn power(world: &mut World, call: &Call) -> Answer {
    world.queries.allow(call, "pq", 4, Duration::from_secs(1))?;
    let (query, from, to) = asked(call)?;
    let mut table = run_power_query(world, &reach(call, true)?, query, from, to).map_err(unread)?;
    if let Some(limit) = call.body["limit"].as_u64() {
        table.rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let id = name(world, call, "pq")?;
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| json!({"name": column.name, "type": if column.kind == "STRING" { "STRING" } else { "INTEGER" }}))
        .collect();
    let rows: Vec<Value> = table.rows.iter().map(|row| row.iter().map(Cell::json).collect()).collect();
    let hint = if table.cut {
        let matched = table.matched;
        json!([format!("The first 1000 rows are shown ({matched} events matched). Add a limit command to see more.")])
    } else {
        json!([])
    };
    let answer = json!({
        "queryId": id, "status": "FINISHED", "progress": 100, "columns": columns, "data": rows,
        "recommendations": hint, "externalId": null,
    });
    let early = json!({"queryId": id, "status": "RUNNING", "progress": 0, "recommendations": [], "externalId": null});
    world.queries.power.insert(id, (call.token.name.clone(), call.now, answer));
    ok(early)
}

pub(super) fn power_ping(world: &mut World, call: &Call) -> Answer {
    world.queries.allow(call, "pq-ping", 4, Duration::from_secs(1))?;
    world.queries.forget(call.now);
    let id = call.params.one("queryId").unwrap_or_default();
    let found = world.queries.power.get(id).filter(|(token, ..)| *token == call.token.name);
    let (_, _, answer) = found.ok_or_else(|| Refusal::NotFound(format!("no query {id}")))?;
    ok(answer.clone())
}

/// Query text and span of a flat body.
fn asked(call: &Call) -> Result<(&str, Timestamp, Timestamp), Refusal> {
    let query = call.body["query"].as_str().ok_or_else(|| Refusal::Invalid("query: missing data".to_owned()))?;
    let time = |member: &str| {
        let read = call.body[member].as_str().and_then(parse);
        read.ok_or_else(|| Refusal::Invalid(format!("{member}: not a valid datetime")))
    };
    let (from, to) = (time("fromDate")?, time("toDate")?);
    if from >= to {
        return Err(Refusal::Invalid("fromDate: must be before toDate".to_owned()));
    }
    Ok((query, from, to))
}

fn reach(call: &Call, sites_need_accounts: bool) -> Result<Reach, Refusal> {
    let ids = |member: &str| -> Result<Vec<u64>, Refusal> {
        let list = call.body[member].as_array().into_iter().flatten();
        list.map(|id| {
            id.as_str().and_then(|id| id.parse().ok()).ok_or_else(|| Refusal::Invalid(format!("{member}: not ids")))
        })
        .collect()
    };
    let (accounts, sites) = (ids("accountIds")?, ids("siteIds")?);
    Ok(Reach { token: call.token.scope.clone(), accounts, sites, sites_need_accounts })
}

fn name(world: &mut World, call: &Call, kind: &str) -> Result<String, Refusal> {
    world.queries.forget(call.now);
    if world.queries.deep.len() + world.queries.power.len() >= MOST {
        return Err(Refusal::TooMany(30));
    }
    world.queries.asked += 1;
    Ok(format!("{kind}{}", digest::md5(&format!("{} {}", call.token.name, world.queries.asked))))
}

fn find<'a>(world: &'a World, call: &Call) -> Result<&'a Deep, Refusal> {
    let id = call.params.one("queryId").unwrap_or_default();
    let query = world.queries.deep.get(id).filter(|query| query.token == call.token.name);
    let query = query.filter(|query| later(query.asked, LIVES) > call.now);
    query.ok_or_else(|| Refusal::NotFound(format!("no query {id}")))
}

fn mode(at: Timestamp) -> Value {
    json!({"mode": "scalyr", "lastActivatedAt": print(at)})
}

fn unread(error: QueryError) -> Refusal {
    Refusal::Unread(error.0)
}
