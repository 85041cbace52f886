//! `/xdr/assets`: the asset inventory. It has filter keys and a pagination of its own, and unlike the older lists it
//! refuses a key it does not know.

use serde_json::{Value, json};

use super::{Answer, Call, Reply};
use crate::clock::parse;
use crate::refusal::Refusal;
use crate::world::{World, inventory};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 1000;
const MAX_VALUES: usize = 1000;

/// Members that can be filtered by equality, whatever the case.
const EXACT: &[&str] = &[
    "id",
    "name",
    "resourceType",
    "assetStatus",
    "assetCriticality",
    "assetEnvironment",
    "category",
    "subCategory",
    "osFamily",
    "region",
    "infectionStatus",
    "surfaces",
    "cloudProviderAccountId",
    "s1AccountId",
    "s1SiteId",
    "s1GroupId",
];
/// Members that can be searched for a part.
const PARTS: &[&str] = &["name", "cloudProviderAccountName", "cloudResourceId", "ipAddress", "osNameVersion"];

enum Test {
    OneOf(Vec<String>),
    Contains(Vec<String>),
    Between(jiff::Timestamp, jiff::Timestamp),
}

/// Lists the inventory, or one surface of it.
pub(super) fn list(world: &World, call: &Call, surface: Option<&str>) -> Answer {
    let surface = match surface {
        None => None,
        Some("endpoint" | "cloud" | "identity" | "network_discovery") => surface.map(str::to_uppercase),
        Some(other) => return Err(Refusal::NotFound(format!("no surface `{other}`"))),
    };
    let asked = asked(call);
    let limit = number(&asked, "limit", DEFAULT_LIMIT)?;
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::Invalid(format!("limit: must be between 1 and {MAX_LIMIT}")));
    }
    let skip = number(&asked, "skip", 0)?;
    let tests = tests(&asked)?;
    let on_surface = |asset: &Value| {
        surface
            .as_ref()
            .is_none_or(|surface| asset["surfaces"].as_array().is_some_and(|all| all.contains(&json!(surface))))
    };
    let passes = |asset: &Value| tests.iter().all(|(member, test)| test.holds(&asset[member]));
    let mut found = inventory::all(world, &call.token.scope);
    found.retain(|asset| on_surface(asset) && passes(asset));
    let total = found.len();
    let page: Vec<Value> = found.into_iter().skip(skip).take(limit).collect();
    Ok(Reply::Json(json!({"data": page, "pagination": {"totalCount": total, "limit": limit, "skip": skip}})))
}

/// The keys with their values: a POST's filter as it is, a GET's query with comma-joined lists.
fn asked(call: &Call) -> Vec<(String, Value)> {
    match call.body.get("filter").and_then(Value::as_object) {
        Some(filter) => filter.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        None => call.params.iter().map(|(key, _)| (key.clone(), json!(call.params.many(key)))).collect(),
    }
}

fn number(asked: &[(String, Value)], key: &str, default: usize) -> Result<usize, Refusal> {
    let Some((_, value)) = asked.iter().find(|(known, _)| known == key) else { return Ok(default) };
    let one = value.as_array().and_then(|values| values.first()).unwrap_or(value);
    let number = one.as_u64().or_else(|| one.as_str()?.parse().ok()).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| Refusal::Invalid(format!("{key}: not a valid integer")))
}

fn tests(asked: &[(String, Value)]) -> Result<Vec<(String, Test)>, Refusal> {
    let steering = ["limit", "skip", "accountIds", "siteIds", "groupIds"];
    let mut tests = Vec::new();
    for (key, value) in asked.iter().filter(|(_, value)| !value.is_null()) {
        let (member, suffix) = key.split_once("__").unwrap_or((key, "in"));
        let scope = match key.as_str() {
            "accountIds" => Some("s1AccountId"),
            "siteIds" => Some("s1SiteId"),
            "groupIds" => Some("s1GroupId"),
            _ => None,
        };
        let test = match suffix {
            "in" if scope.is_some() || EXACT.contains(&member) => Test::OneOf(texts(key, value)?),
            "contains" if PARTS.contains(&member) => Test::Contains(texts(key, value)?),
            "between" if member == "lastActiveDt" || member == "createdTime" => between(key, value)?,
            _ if steering.contains(&key.as_str()) => continue,
            _ => return Err(Refusal::Invalid(format!("{key}: unknown field"))),
        };
        tests.push((scope.unwrap_or(member).to_owned(), test));
    }
    Ok(tests)
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, Refusal> {
    let one = [value.clone()];
    let values = value.as_array().map_or(one.as_slice(), Vec::as_slice);
    if values.len() > MAX_VALUES {
        return Err(Refusal::Invalid(format!("{key}: more than {MAX_VALUES} values")));
    }
    let text = |value: &Value| value.as_str().map(str::to_lowercase);
    values
        .iter()
        .map(|value| text(value).ok_or_else(|| Refusal::Invalid(format!("{key}: not a valid string"))))
        .collect()
}

/// A span, as `{from, to}` in times or as `from-to` in milliseconds.
fn between(key: &str, value: &Value) -> Result<Test, Refusal> {
    let millis = |text: &str| jiff::Timestamp::from_millisecond(text.trim().parse().ok()?).ok();
    let read = match value {
        Value::Object(span) => {
            let end = |name: &str| span.get(name).and_then(Value::as_str).and_then(day_or_time);
            end("from").zip(end("to"))
        }
        other => {
            let text = other.as_array().and_then(|values| values.first()).unwrap_or(other).as_str();
            text.and_then(|text| text.split_once('-')).and_then(|(from, to)| millis(from).zip(millis(to)))
        }
    };
    read.map(|(from, to)| Test::Between(from, to)).ok_or_else(|| Refusal::Invalid(format!("{key}: not a valid string")))
}

fn day_or_time(text: &str) -> Option<jiff::Timestamp> {
    parse(text).or_else(|| parse(&format!("{text}T00:00:00Z")))
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match value {
            Value::Array(values) => values.iter().any(|value| self.holds(value)),
            Value::String(text) => match self {
                Self::OneOf(wanted) => wanted.contains(&text.to_lowercase()),
                Self::Contains(parts) => parts.iter().any(|part| text.to_lowercase().contains(part)),
                Self::Between(from, to) => parse(text).is_some_and(|at| *from <= at && at <= *to),
            },
            _ => false,
        }
    }
}
