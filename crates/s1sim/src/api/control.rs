//! `/_sim/…`: the strings behind the stage, for a simulator that runs as its own process. They need the control token
//! and are no part of the console's API.

use std::time::Duration;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Reply};
use crate::clock;
use crate::fault::Fault;
use crate::refusal::Refusal;
use crate::scenario;
use crate::threat::Threat;
use crate::world::World;

pub(super) fn serve(world: &mut World, now: Timestamp, method: &Method, path: &str, bytes: &[u8]) -> Answer {
    let body = || {
        serde_json::from_slice::<Value>(bytes)
            .map_err(|error| Refusal::Invalid(format!("the body is not JSON: {error}")))
    };
    match (method.as_str(), path) {
        ("GET", "ledger") => json_of(&world.ledger),
        ("GET", "fleet") => Ok(Reply::Json(fleet(world))),
        ("GET", "scenarios") => {
            let list: Vec<Value> =
                scenario::ALL.iter().map(|one| json!({"name": one.name, "about": one.about})).collect();
            Ok(Reply::Json(list.into()))
        }
        ("POST", "raise") => raise(world, now, &body()?),
        ("POST", "threat") => threat(world, now, &body()?),
        ("POST", "advance") => advance(world, &body()?),
        ("POST", "offline") => offline(world, now, &body()?),
        ("GET", "faults") => json_of(&world.faults.list()),
        ("POST", "faults") => arm(world, body()?),
        ("DELETE", "faults") => {
            world.faults.clear();
            Ok(Reply::Json(json!({"armed": 0})))
        }
        _ => Err(Refusal::NotFound(format!("no such control: {method} {path}"))),
    }
}

fn raise(world: &mut World, now: Timestamp, body: &Value) -> Answer {
    let site = site_of(world, body)?;
    let name = body["scenario"].as_str().ok_or_else(|| Refusal::Invalid("scenario: missing".to_owned()))?;
    let scenario = scenario::find(name).ok_or_else(|| Refusal::NotFound(format!("no scenario `{name}`")))?;
    let takes = world.play(scenario, site, now);
    world.settle();
    Ok(Reply::Json(json!({"scenario": name, "siteId": site.to_string(), "seconds": takes.as_secs_f64()})))
}

/// Raises one threat: `host` names the endpoint, `patch` is merged over a template (RFC 7386).
fn threat(world: &mut World, now: Timestamp, body: &Value) -> Answer {
    let site = site_of(world, body)?;
    let host = body["host"].as_str().unwrap_or("custom-host");
    let threat = Threat::from_json(host, body["patch"].clone());
    let id = world.raise(site, &threat, now).map_err(|error| Refusal::Invalid(error.to_string()))?;
    Ok(Reply::Json(json!({"threatId": id.to_string()})))
}

/// Moves the simulator's clock ahead of the machine's.
fn advance(world: &mut World, body: &Value) -> Answer {
    let seconds = body["seconds"].as_u64().ok_or_else(|| Refusal::Invalid("seconds: missing".to_owned()))?;
    world.clock.advance(Duration::from_secs(seconds));
    let now = world.settle();
    Ok(Reply::Json(json!({"now": clock::print(now)})))
}

fn offline(world: &mut World, now: Timestamp, body: &Value) -> Answer {
    let offline = body["offline"].as_bool().unwrap_or(true);
    let id = body["agentId"].as_str().and_then(|id| id.parse().ok());
    let id =
        id.filter(|id| world.agents.contains_key(id)).ok_or_else(|| Refusal::NotFound("no such agent".to_owned()))?;
    world.set_online(id, !offline, now);
    Ok(Reply::Json(json!({"agentId": id.to_string(), "offline": offline})))
}

/// Arms one fault or a list of them.
fn arm(world: &mut World, body: Value) -> Answer {
    let list = if body.is_array() { body } else { json!([body]) };
    let faults: Vec<Fault> = serde_json::from_value(list).map_err(|error| Refusal::Invalid(error.to_string()))?;
    if !faults.into_iter().all(|fault| world.faults.add(fault)) {
        return Err(Refusal::Invalid("too many faults are armed".to_owned()));
    }
    Ok(Reply::Json(json!({"armed": world.faults.list().len()})))
}

fn site_of(world: &World, body: &Value) -> Result<u64, Refusal> {
    let name = body["site"].as_str().or(body["siteId"].as_str()).unwrap_or_default();
    world.find_site(name).map(|site| site.id).ok_or_else(|| Refusal::NotFound(format!("no site `{name}`")))
}

fn fleet(world: &World) -> Value {
    let sites = world.sites.iter().map(|site| {
        let agents = world.agents.values().filter(|agent| agent.site == site.id).map(
            |agent| json!({"id": agent.id.to_string(), "host": agent.host, "role": agent.role, "online": agent.online}),
        );
        json!({
            "site": site.key, "siteId": site.id.to_string(), "accountId": site.account.to_string(),
            "name": site.doc["name"], "agents": agents.collect::<Vec<_>>(),
        })
    });
    json!({"sites": sites.collect::<Vec<_>>()})
}

fn json_of(value: &impl serde::Serialize) -> Answer {
    serde_json::to_value(value).map(Reply::Json).map_err(|error| Refusal::Invalid(error.to_string()))
}
