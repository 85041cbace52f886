//! Checks a reply against the API description: types, enums, ranges, required members, date and id forms. Nulls are
//! allowed everywhere and unknown members are ignored, because recorded consoles answer so. For tests, ours and others'.

use serde_json::{Map, Value};

/// How deep a description may refer to itself before the check gives up.
const MAX_DEPTH: usize = 40;

/// An API description (Swagger 2 without prose).
#[derive(Clone, Debug)]
pub struct Skeleton(Value);

impl Skeleton {
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    /// The description of the calls this simulator serves.
    pub fn bundled() -> Result<Self, serde_json::Error> {
        Self::from_json(include_str!("../data/api_v2_1_reduced.json"))
    }

    /// Everything that is wrong with the reply to `method` on `path`; empty when it fits.
    pub fn faults(&self, method: &str, path: &str, status: u16, reply: &Value) -> Vec<String> {
        let Some(call) = self.call(method, path) else { return vec![format!("{method} {path} is not described")] };
        let Some(schema) =
            call["responses"].get(status.to_string()).and_then(|response| response.get("schema").or(Some(response)))
        else {
            return vec![format!("{method} {path} does not answer {status}")];
        };
        let mut faults = Vec::new();
        self.check(schema, reply, "", 0, &mut faults);
        faults
    }

    /// The names of a call's query parameters.
    pub fn parameters(&self, method: &str, path: &str) -> Vec<&str> {
        let list = self.call(method, path).and_then(|call| call["parameters"].as_array()).into_iter().flatten();
        list.filter(|one| one["in"] == "query").filter_map(|one| one["name"].as_str()).collect()
    }

    /// Finds the call whose path template fits best: literal segments before placeholders.
    fn call(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap_or_default();
        let asked: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |template: &str| {
            let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
            let same = parts.len() == asked.len()
                && parts.iter().zip(&asked).all(|(part, given)| part.starts_with('{') || part == given);
            same.then(|| parts.iter().filter(|part| part.starts_with('{')).count())
        };
        let calls = self.0["paths"].as_object()?.iter();
        let described =
            calls.filter_map(|(template, methods)| Some((fits(template)?, methods.get(method.to_lowercase())?)));
        described.min_by_key(|(placeholders, _)| *placeholders).map(|(_, call)| call)
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, depth: usize, faults: &mut Vec<String>) {
        if value.is_null() || depth > MAX_DEPTH {
            return;
        }
        if let Some(target) = schema["$ref"].as_str() {
            let name = target.rsplit('/').next().unwrap_or_default();
            match self.0["definitions"].get(name) {
                Some(definition) => self.check(definition, value, at, depth + 1, faults),
                None => faults.push(format!("{at}: the description lacks {name}")),
            }
            return;
        }
        match (schema["type"].as_str(), value) {
            (None, _) => {}
            (Some("object"), Value::Object(members)) => self.check_object(schema, members, at, depth, faults),
            (Some("array"), Value::Array(items)) => {
                for (n, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{at}/{n}"), depth + 1, faults);
                }
            }
            (Some("string"), Value::String(text)) => check_text(schema, text, at, faults),
            (Some("integer"), Value::Number(number)) if number.is_i64() || number.is_u64() => {
                check_number(schema, number.as_f64(), at, faults);
            }
            (Some("number"), Value::Number(number)) => check_number(schema, number.as_f64(), at, faults),
            (Some("boolean"), Value::Bool(_)) => {}
            (Some(wanted), other) => faults.push(format!("{at}: {other} is no {wanted}")),
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            faults.push(format!("{at}: {value} is not in the enum"));
        }
    }

    fn check_object(
        &self,
        schema: &Value,
        members: &Map<String, Value>,
        at: &str,
        depth: usize,
        faults: &mut Vec<String>,
    ) {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(required) {
                faults.push(format!("{at}: `{required}` is missing"));
            }
        }
        for (name, value) in members {
            if let Some(schema) = schema["properties"]
                .get(name)
                .or_else(|| schema.get("additionalProperties").filter(|extra| extra.is_object()))
            {
                self.check(schema, value, &format!("{at}/{name}"), depth + 1, faults);
            }
        }
    }
}

fn check_text(schema: &Value, text: &str, at: &str, faults: &mut Vec<String>) {
    if schema["format"] == "date-time" && (!text.ends_with('Z') || text.parse::<jiff::Timestamp>().is_err()) {
        faults.push(format!("{at}: `{text}` is no date"));
    }
    // Ids are decimal texts with a least value.
    if let Some(least) = schema["minimum"].as_u64()
        && !text.parse::<u64>().is_ok_and(|id| id >= least)
    {
        faults.push(format!("{at}: `{text}` is no id"));
    }
    let length = text.chars().count() as u64;
    if schema["minLength"].as_u64().is_some_and(|least| length < least)
        || schema["maxLength"].as_u64().is_some_and(|most| length > most)
    {
        faults.push(format!("{at}: `{text}` is too short or too long"));
    }
}

fn check_number(schema: &Value, number: Option<f64>, at: &str, faults: &mut Vec<String>) {
    let Some(number) = number else { return };
    let too_wide = schema["format"] == "int32" && number.abs() > f64::from(i32::MAX);
    let low = schema["minimum"].as_f64().is_some_and(|least| number < least);
    let high = schema["maximum"].as_f64().is_some_and(|most| number > most);
    if too_wide || low || high {
        faults.push(format!("{at}: {number} is out of range"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(method: &str, path: &str, reply: &Value) -> Vec<String> {
        Skeleton::bundled().expect("the bundled description").faults(method, path, 200, reply)
    }

    #[test]
    fn a_wrong_type_enum_id_date_or_missing_member_is_named() {
        let threats = "/web/api/v2.1/threats";
        let of = |info: Value| json!({"data": [{"id": "100000000000000001", "threatInfo": info}], "pagination": {"totalItems": 1}});
        assert_eq!(faults("GET", threats, &of(json!({"sha1": null, "extra": 1}))), Vec::<String>::new());
        for (info, at) in [
            (json!({"sha1": 5}), "/data/0/threatInfo/sha1"),
            (json!({"sha1": "a", "incidentStatus": "ajar"}), "/data/0/threatInfo/incidentStatus"),
            (json!({"sha1": "a", "collectionId": "12"}), "/data/0/threatInfo/collectionId"),
            (json!({"sha1": "a", "createdAt": "yesterday"}), "/data/0/threatInfo/createdAt"),
            (json!({"sha1": "a", "fileSize": 9_000_000_000_u64}), "/data/0/threatInfo/fileSize"),
            (json!({}), "/data/0/threatInfo"),
        ] {
            let found = faults("GET", threats, &of(info));
            assert!(found.len() == 1 && found[0].starts_with(at), "{found:?}");
        }
        assert_eq!(faults("GET", threats, &json!({"data": []})), [": `pagination` is missing"]);
    }

    #[test]
    fn a_call_that_is_not_described_is_said_to_be_so() {
        assert_eq!(faults("GET", "/web/api/v2.1/treats", &json!({})).len(), 1);
        assert_eq!(faults("POST", "/web/api/v2.1/threats", &json!({})).len(), 1);
    }
}
