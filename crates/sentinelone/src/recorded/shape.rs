//! Finds the records in whatever surrounds them, and tells by its keys what each is.

use serde_json::Value;

use crate::row::Row;

/// Envelopes within envelopes are followed this far.
const MAX_DEPTH: usize = 5;
/// Keys under which consoles and their clients hold records.
const ENVELOPES: [&str; 9] = ["data", "alerts", "alert", "threats", "edges", "nodes", "node", "sites", "results"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Threat,
    RuleAlert,
    Unified,
    Legacy,
    /// With an article, for the sentence "it is …, not a threat".
    Other(&'static str),
}

impl Shape {
    pub(super) fn of(value: &Value) -> Self {
        let row = Row(value);
        let has = |path: &str| row.value(path).is_some();
        let holds_object = |path: &str| row.value(path).is_some_and(Value::is_object);
        if !value.is_object() {
            return Self::Other("no object");
        }
        if holds_object("threatInfo") {
            return Self::Threat;
        }
        if holds_object("alertInfo") {
            return Self::RuleAlert;
        }
        let named = has("threatName") || has("fileDisplayName") || has("fileContentHash");
        if named && has("agentId") && (has("mitigationStatus") || has("mitigationMode")) {
            return Self::Legacy;
        }
        if has("detectedAt") && has("name") && (has("severity") || has("analystVerdict")) && !has("cveId") {
            return Self::Unified;
        }
        let known = OTHERS.iter().find(|(keys, _)| keys.iter().all(|key| has(key)));
        Self::Other(known.map_or("a record of unknown kind", |(_, what)| what))
    }
}

/// The first whose keys are all there names the record.
const OTHERS: [(&[&str], &str); 20] = [
    (&["activityType"], "an entry of the activity log"),
    (&["activitytype"], "an entry of the activity log"),
    (&["log.activitytype"], "an entry of the activity log"),
    (&["descriptionTemplate"], "a type of activity"),
    (&["affected"], "the answer to an action"),
    (&["computerName", "uuid"], "an agent"),
    (&["computerName", "agentVersion"], "an agent"),
    (&["decommissioned", "infected", "total"], "a count of agents"),
    (&["objectType", "agentId"], "an event of Deep Visibility"),
    (&["accountType"], "an account"),
    (&["accountId", "name", "state"], "a site"),
    (&["registrationToken"], "a site or group"),
    (&["queryId"], "the state of a query"),
    (&["responseState"], "the state of a query"),
    (&["swagger"], "a description of the API"),
    (&["openapi"], "a description of the API"),
    (&["email", "fullName"], "a user"),
    (&["cveId"], "a vulnerability"),
    (&["name", "publisher", "installedDate"], "an installed application"),
    (&["success"], "the answer to an action"),
];

/// The records within `value`, in order. What is no envelope is itself a record.
pub(super) fn records(value: Value) -> Vec<Value> {
    let mut found = Vec::new();
    collect(value, MAX_DEPTH, &mut found);
    found
}

fn collect(value: Value, depth: usize, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) if depth > 0 => items.into_iter().for_each(|item| collect(item, depth - 1, found)),
        Value::Object(mut object) if depth > 0 => {
            if is_keyed_by_id(&object) {
                return found.extend(object.into_iter().map(|(_, record)| record));
            }
            let value = Value::Object(object);
            if Shape::of(&value) != Shape::Other("a record of unknown kind") {
                return found.push(value);
            }
            let Value::Object(back) = value else { return };
            object = back;
            match ENVELOPES.iter().find(|key| object.get(**key).is_some_and(|v| v.is_array() || v.is_object())) {
                Some(key) => collect(object.remove(*key).unwrap_or_default(), depth - 1, found),
                None => found.push(Value::Object(object)),
            }
        }
        other => found.push(other),
    }
}

/// A map from id to the record of that id.
fn is_keyed_by_id(object: &serde_json::Map<String, Value>) -> bool {
    !object.is_empty() && object.iter().all(|(key, record)| Row(record).text("id").is_some_and(|id| id == key.as_str()))
}

/// Whether a record is an API description's example: its id is the word `string`, or so are four or more of its texts and
/// at least a third of them.
pub(super) fn is_placeholder(value: &Value) -> bool {
    let row = Row(value);
    let ids = ["id", "threatInfo.threatId", "alertInfo.alertId"];
    if ids.iter().find_map(|path| row.text(path)).is_some_and(|id| id == "string") {
        return true;
    }
    let (mut texts, mut placeholders) = (0_usize, 0_usize);
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => {
                texts += 1;
                placeholders += usize::from(text == "string");
            }
            Value::Array(items) => left.extend(items),
            Value::Object(object) => left.extend(object.values()),
            _ => {}
        }
    }
    placeholders >= 4 && placeholders * 3 >= texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_are_found_in_graphql_connections_and_maps_by_id() {
        let node = json!({"id": "u", "name": "n", "severity": "LOW", "detectedAt": "2026-09-18T08:30:00Z"});
        for value in [
            json!([{"node": node}]),
            json!({"data": {"alerts": {"edges": [{"node": node, "cursor": "c"}], "pageInfo": {}}}}),
            json!({"data": {"alert": node}}),
            json!({"u": node}),
        ] {
            assert_eq!(records(value), std::slice::from_ref(&node));
        }
    }

    #[test]
    fn an_endless_nest_of_envelopes_is_one_unknown_record() {
        let nested = (0..100).fold(json!(1), |inner, _| json!({"data": inner}));
        assert_eq!(records(nested).len(), 1);
    }

    #[test]
    fn each_kind_of_record_that_is_no_alert_is_called_by_its_name() {
        let name = |value| match Shape::of(&value) {
            Shape::Other(what) => what,
            shape => panic!("{shape:?}"),
        };
        assert_eq!(name(json!({"computerName": "a", "uuid": "b", "infected": true})), "an agent");
        assert_eq!(name(json!({"activityType": 19, "threatId": "1"})), "an entry of the activity log");
        assert_eq!(name(json!({"id": "1", "accountId": "2", "name": "n", "state": "active"})), "a site");
        assert_eq!(
            name(json!({"cveId": "CVE-2026-1", "name": "n", "severity": "HIGH", "detectedAt": "t"})),
            "a vulnerability"
        );
        assert_eq!(name(json!({"id": "1", "status": "active"})), "a record of unknown kind");
        assert_eq!(name(json!({"threatInfo": "not an object"})), "a record of unknown kind");
        assert_eq!(name(json!([1])), "no object");
    }
}
