//! `/sdl/v2/api/queries`: the data lake's long-running queries. Clients write times as texts, in seconds down to
//! nanoseconds or as a span before now, and must bring the launch's forward tag back with every later call.

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Answer, Call, Reply};
use crate::clock;
use crate::query::{Reach, run_power_query};
use crate::refusal::Refusal;
use crate::world::World;

pub(super) const TAG: &str = "x-dataset-query-forward-tag";

const MAX_QUERY: usize = 8_192;

/// Serves a call below `/sdl/v2/api/queries`.
pub(super) fn serve(world: &mut World, call: &Call, rest: &[&str], tag: Option<&str>, scope: Option<&str>) -> Answer {
    let gone = || Refusal::NotFound("no such query on this node".to_owned());
    match (&call.method, rest) {
        (&Method::POST, []) => launch(world, call, scope),
        (&Method::GET, [id]) => world.lrq.look(id, call.token.user_id, tag, call.now).map(Reply::Json).ok_or_else(gone),
        (&Method::DELETE, [id]) => {
            world.lrq.delete(id, call.token.user_id, tag, call.now).map(|()| Reply::Empty).ok_or_else(gone)
        }
        _ => Err(Refusal::NotFound(format!("no such call: {} {}", call.method, call.path))),
    }
}

fn launch(world: &mut World, call: &Call, scope: Option<&str>) -> Answer {
    let body = &call.body;
    let text = body["pq"]["query"].as_str().unwrap_or_default();
    if body["queryType"] != "PQ" || text.is_empty() || text.len() > MAX_QUERY {
        return Err(Refusal::Invalid(format!(
            "queryType: this console plays PQ alone, with a query of at most {MAX_QUERY} bytes"
        )));
    }
    if !matches!(body["pq"]["resultType"].as_str(), None | Some("TABLE")) {
        return Err(Refusal::Invalid("pq.resultType: this console plays TABLE alone".to_owned()));
    }
    let from =
        time(&body["startTime"], call.now).ok_or_else(|| Refusal::Invalid("startTime: not a valid time".to_owned()))?;
    let to = match &body["endTime"] {
        Value::Null => call.now,
        given => time(given, call.now).ok_or_else(|| Refusal::Invalid("endTime: not a valid time".to_owned()))?,
    };
    if from >= to {
        return Err(Refusal::Invalid("startTime: must be before endTime".to_owned()));
    }
    let reach = reach(world, call, scope)?;
    let table = run_power_query(world, &reach, text, from, to).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let launched = world.lrq.launch(call.token.user_id, table, (from, to), call.now);
    let (answer, tag) = launched.ok_or(Refusal::TooMany(30))?;
    Ok(Reply::Tagged(answer, tag))
}

/// Whose endpoints a query is about: what the caller sees, less what the body's accounts or the scope header leave
/// out. A scope the caller does not see is refused.
fn reach(world: &World, call: &Call, header: Option<&str>) -> Result<Reach, Refusal> {
    let listed = call.body["accountIds"].as_array().map(Vec::as_slice).unwrap_or_default();
    if call.body["tenant"] == true && !listed.is_empty() {
        return Err(Refusal::Invalid("tenant: cannot be combined with accountIds".to_owned()));
    }
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| Refusal::Invalid(format!("`{text}` is no id")));
    let mut accounts =
        listed.iter().map(|id| number(id.as_str().unwrap_or_default())).collect::<Result<Vec<_>, _>>()?;
    let mut sites = Vec::new();
    if let Some(header) = header {
        let (account, site) = header.split_once(':').map_or((header, None), |(account, site)| (account, Some(site)));
        accounts.push(number(account)?);
        sites.extend(site.map(number).transpose()?);
    }
    let seen = || world.sites.iter().filter(|site| call.token.scope.sees(site.account, site.id));
    let hidden = accounts.iter().find(|account| !seen().any(|site| site.account == **account));
    let hidden = hidden.or_else(|| sites.iter().find(|wanted| !seen().any(|site| site.id == **wanted)));
    match hidden {
        Some(id) => Err(Refusal::Forbidden(format!("{id} is not in the user's scope"))),
        None => Ok(Reach { token: call.token.scope.clone(), accounts, sites, sites_need_accounts: false }),
    }
}

/// A time as clients write it: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their
/// digits; a span before now (`24h`); or a date.
fn time(given: &Value, now: Timestamp) -> Option<Timestamp> {
    let text = given.as_str().map_or_else(|| given.to_string(), |text| text.trim().to_owned());
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            ..=11 => Timestamp::from_second(number).ok(),
            12..=14 => Timestamp::from_millisecond(number).ok(),
            15..=17 => Timestamp::from_microsecond(number).ok(),
            _ => Timestamp::from_nanosecond(number.into()).ok(),
        };
    }
    let unit = |text: &str| {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        number.parse::<i64>().ok()?.checked_mul(seconds)
    };
    match unit(&text) {
        Some(seconds) => now.checked_sub(SignedDuration::from_secs(seconds)).ok(),
        None => clock::parse(&text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_every_unit_and_as_spans_before_now() {
        let now: Timestamp = "2026-11-24T01:00:00Z".parse().expect("a time");
        let nanos = now.as_nanosecond().to_string();
        for cut in [0, 3, 6, 9] {
            assert_eq!(time(&json!(nanos[..nanos.len() - cut]), now), Some(now), "{}", &nanos[..nanos.len() - cut]);
        }
        assert_eq!(time(&json!(now.as_millisecond()), now), Some(now), "also as a number");
        assert_eq!(time(&json!("24h"), now), "2026-11-23T01:00:00Z".parse().ok());
        assert_eq!(time(&json!("2026-11-24T00:30:00Z"), now), "2026-11-24T00:30:00Z".parse().ok());
        for nonsense in ["", "h", "h24", "99999999999999999999999", "é", "-5x"] {
            assert_eq!(time(&json!(nonsense), now), None, "{nonsense}");
        }
    }
}
