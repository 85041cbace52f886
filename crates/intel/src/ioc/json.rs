//! Lists in JSON: MISP warning lists and events, STIX bundles.
//!
//! Of STIX only indicators are read: an observable alone is not said to be bad. Of their patterns, comparisons with `=` of single
//! values; where a pattern asks for several things at once, only a hash among them stands for the whole.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Error;
use super::entry::{Detail, Entry, shown};
use super::import::Sink;
use super::text::time;

/// A JSON file is held in memory as a whole.
const MAX_JSON_BYTES: u64 = 256 << 20;

fn read<T: DeserializeOwned>(path: &Path, source: impl Read) -> Result<T, Error> {
    let mut text = Vec::new();
    source.take(MAX_JSON_BYTES + 1).read_to_end(&mut text).map_err(|e| Error::read(path, e))?;
    if text.len() as u64 > MAX_JSON_BYTES {
        return Err(Error::form(path, "it is larger than 256 MiB; split it"));
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    serde_json::from_slice(text).map_err(|e| Error::form(path, e.to_string()))
}

#[derive(Deserialize)]
struct WarningList {
    #[serde(default)]
    name: String,
    #[serde(rename = "type")]
    matching: String,
    list: Vec<Value>,
}

/// The place in the list stands for the line.
pub(super) fn warnings(path: &Path, source: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
    let list: WarningList = read(path, source)?;
    if !matches!(list.matching.as_str(), "string" | "hostname" | "cidr" | "substring") {
        let why = format!(
            "warning lists of type `{}` are not read, only string, hostname, cidr and substring",
            shown(&list.matching)
        );
        return Err(Error::form(path, why));
    }
    for (at, value) in (1..).zip(&list.list) {
        let Some(value) = value.as_str() else {
            sink(at, Err("no text".to_owned()))?;
            continue;
        };
        // `.evil.example` means all below it. Of `substring`, a whole name or address is read, with what is below it.
        let (suffix, is_suffix) = value.strip_prefix('.').map_or((value, false), |rest| (rest, true));
        let detail = Detail { label: Some(list.name.clone()), ..Detail::default() };
        let entry = Entry::read(suffix, detail);
        let alone = list.matching == "string" && !is_suffix;
        sink(at, entry.map(|entry| Entry { alone, ..entry }))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct EventFile {
    #[serde(rename = "Event")]
    event: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    info: String,
    #[serde(default)]
    uuid: Option<String>,
    #[serde(rename = "Attribute", default)]
    attributes: Vec<Attribute>,
    #[serde(rename = "Object", default)]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "Attribute", default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    to_ids: bool,
    #[serde(default)]
    first_seen: Option<String>,
}

pub(super) fn event(path: &Path, source: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
    let EventFile { event } = read(path, source)?;
    let attributes = event.attributes.iter().chain(event.objects.iter().flat_map(|object| &object.attributes));
    for (at, attribute) in (1..).zip(attributes) {
        if !attribute.to_ids {
            sink(at, Err("not marked for detection (`to_ids`)".to_owned()))?;
            continue;
        }
        let label =
            [event.info.as_str(), attribute.comment.as_str()].into_iter().filter(|text| !text.trim().is_empty());
        let detail = Detail {
            label: Some(label.collect::<Vec<_>>().join(": ")),
            reference: event.uuid.as_ref().map(|uuid| format!("MISP event {uuid}")),
            first_seen: attribute.first_seen.as_deref().and_then(time),
        };
        // `filename|sha256`, `domain|ip`, `ip-dst|port`: each part by its own type.
        for (kind, value) in attribute.kind.split('|').zip(attribute.value.split('|')) {
            match kind {
                "md5" | "sha1" | "sha256" | "domain" | "hostname" | "ip-src" | "ip-dst" | "ip" | "url" | "uri"
                | "link" | "email" | "email-src" | "email-dst" => sink(at, Entry::read(value, detail.clone()))?,
                "filename" | "port" => {}
                other => sink(at, Err(format!("attributes of type `{}` are not read", shown(other))))?,
            }
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bundle {
    Whole { objects: Vec<Value> },
    Objects(Vec<Value>),
    One(Value),
}

#[derive(Deserialize)]
struct Indicator {
    pattern: String,
    #[serde(default)]
    pattern_type: Option<String>,
    #[serde(default)]
    revoked: bool,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    valid_from: Option<String>,
}

/// The place among the objects stands for the line.
pub(super) fn stix(path: &Path, source: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
    let objects = match read(path, source)? {
        Bundle::Whole { objects } | Bundle::Objects(objects) => objects,
        Bundle::One(object) => vec![object],
    };
    let is_indicator = |object: &Value| object.get("type").and_then(Value::as_str) == Some("indicator");
    if !objects.iter().any(is_indicator) {
        return Err(Error::form(path, "there is no STIX indicator in it"));
    }
    for (at, object) in (1..).zip(objects) {
        if !is_indicator(&object) {
            continue;
        }
        let indicator: Indicator = match serde_json::from_value(object) {
            Ok(indicator) => indicator,
            Err(why) => {
                sink(at, Err(why.to_string()))?;
                continue;
            }
        };
        let hindrance = match indicator.pattern_type.as_deref() {
            _ if indicator.revoked => Some("revoked by its publisher".to_owned()),
            None | Some("stix") => None,
            Some(other) => Some(format!("patterns of type `{}` are not read", shown(other))),
        };
        if let Some(why) = hindrance {
            sink(at, Err(why))?;
            continue;
        }
        let values = pattern_values(&indicator.pattern);
        if values.is_empty() {
            sink(at, Err(format!("no single value in the pattern `{}`", shown(&indicator.pattern))))?;
        }
        let detail = Detail {
            label: indicator.name,
            reference: indicator.id,
            first_seen: indicator.valid_from.as_deref().and_then(time),
        };
        for value in values {
            sink(at, Entry::read(&value, detail.clone()))?;
        }
    }
    Ok(())
}

/// `[file:hashes.'SHA-256' = '…' OR url:value = '…']`.
pub(super) fn pattern_values(pattern: &str) -> Vec<String> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_joined = false;
    let mut rest = pattern;
    while let Some(start) = rest.find('\'') {
        let before = &rest[..start];
        let Some((value, after)) = literal(&rest[start + 1..]) else { break };
        // The name of a hash stands in quotes, too: `file:hashes.'MD5' = …`.
        if before.ends_with('.') {
            let path = before.rsplit(|c: char| c.is_whitespace() || c == '[' || c == '(').next().unwrap_or_default();
            is_joined |= joins(before);
            let Some((operator, tail)) = after.split_once('\'') else { break };
            let Some((hash, end)) = literal(tail) else { break };
            if operator.trim() == "=" {
                found.push((format!("{path}{value}"), hash));
            }
            rest = end;
            continue;
        }
        is_joined |= joins(before);
        if let Some(path) = before.trim_end().strip_suffix('=').filter(|path| !path.ends_with(['!', '<', '>'])) {
            let path =
                path.trim_end().rsplit(|c: char| c.is_whitespace() || c == '[' || c == '(').next().unwrap_or_default();
            let is_negated = before.contains(" NOT ");
            if !is_negated {
                found.push((path.to_owned(), value));
            }
        }
        rest = after;
    }
    found.retain(|(path, _)| {
        let is_hash = path.starts_with("file:hashes.");
        let is_value = ["domain-name:value", "ipv4-addr:value", "ipv6-addr:value", "url:value", "email-addr:value"];
        is_hash || (!is_joined && is_value.contains(&path.as_str()))
    });
    found.into_iter().map(|(_, value)| value).collect()
}

fn joins(between: &str) -> bool {
    [" AND ", " FOLLOWEDBY "].iter().any(|word| between.contains(word))
}

/// Up to the closing quote; `\'` and `\\` are unescaped.
fn literal(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\'' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}
