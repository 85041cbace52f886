//! Reads JSON that was recorded from a console: exports, captures, fixtures. Offline, no token, no scope.
//!
//! Four kinds of record are alerts: threats of API 2.1, alerts of rules (STAR), unified alerts, and the flat threats of
//! API 2.0. They are found in a console's envelope, a bare array, a single object, a GraphQL connection, a map by id, or
//! one a line. Everything else is refused with the reason, at its position; nothing is skipped in silence.
//!
//! What counts as real: a record needs an id and at least one time between 2000 and 2100. Masked ids and names pass, since
//! recordings are masked before they are shared. A record filled with the word `string` is an example out of an API
//! description and is refused: it would become an incident about nothing. Live answers are not put to that test, because
//! an attacker chooses file names and could hide behind it.

mod legacy;
mod rule_alert;
mod shape;
mod unified;

use domain::Untrusted;
use domain::alert::Alert;
use serde_json::Value;

use crate::convert;
use crate::row::Row;
use crate::rows::{Refusal, RefusalReason, Taken};
use shape::Shape;

/// Larger files are refused as a whole.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;
/// Records after this many are refused, each with its position.
pub const MAX_RECORDS: usize = 100_000;

/// What one recording held.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub kind: Kind,
    pub threats: Vec<Taken>,
    pub refused: Vec<Refusal>,
}

/// What a recording is, whether or not its records could be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Threats,
    RuleAlerts,
    UnifiedAlerts,
    LegacyThreats,
    /// Several of the kinds above.
    Mixed,
    NotThreats,
    /// A list without a record.
    Empty,
    NotJson,
}

/// Reads a whole file.
pub fn read(bytes: &[u8]) -> Recorded {
    if bytes.len() > MAX_BYTES {
        return unreadable(format!("larger than {MAX_BYTES} bytes"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(value) => sort(shape::records(value).into_iter().map(Ok)),
        Err(error) => match lines(bytes) {
            Some(lines) => sort(lines),
            None => unreadable(error.to_string()),
        },
    }
}

/// One value a line, if the first line is one.
fn lines(bytes: &[u8]) -> Option<impl Iterator<Item = Result<Value, String>>> {
    let mut lines = bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).peekable();
    let first = lines.peek()?;
    serde_json::from_slice::<Value>(first).ok().filter(Value::is_object)?;
    Some(lines.flat_map(|line| match serde_json::from_slice(line) {
        Ok(value) => shape::records(value).into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error.to_string())],
    }))
}

fn sort(records: impl Iterator<Item = Result<Value, String>>) -> Recorded {
    let mut recorded = Recorded { kind: Kind::Empty, threats: Vec::new(), refused: Vec::new() };
    for (record, position) in records.zip(1..) {
        let (kind, taken) = match record {
            Ok(raw) => take(raw, position),
            Err(text) => (None, Err((RefusalReason::NotJson(text), Value::Null))),
        };
        recorded.kind = recorded.kind.and(kind);
        match taken {
            Ok(taken) => recorded.threats.push(taken),
            Err((reason, raw)) => {
                let row = Row(&raw);
                let id = row.first_untrusted(&["id", "threatInfo.threatId", "alertInfo.alertId"]);
                recorded.refused.push(Refusal { position, id, reason, raw });
            }
        }
    }
    recorded
}

type Read = fn(Row<'_>) -> Result<Alert, RefusalReason>;

fn take(raw: Value, position: usize) -> (Option<Kind>, Result<Taken, (RefusalReason, Value)>) {
    let row = Row(&raw);
    let (kind, read) = match Shape::of(&raw) {
        Shape::Threat => (Kind::Threats, convert::threat as Read),
        Shape::RuleAlert => (Kind::RuleAlerts, rule_alert::read as Read),
        Shape::Unified => (Kind::UnifiedAlerts, unified::read as Read),
        Shape::Legacy => (Kind::LegacyThreats, legacy::read as Read),
        Shape::Other(what) => return (None, Err((RefusalReason::NotAThreat(what), raw))),
    };
    let alert = match () {
        () if position > MAX_RECORDS => Err(RefusalReason::TooMany),
        () if shape::is_placeholder(&raw) => Err(RefusalReason::Placeholder),
        () => read(row),
    };
    let taken = match alert {
        Ok(alert) => Ok(Taken { alert, raw }),
        Err(reason) => Err((reason, raw)),
    };
    (Some(kind), taken)
}

impl Kind {
    /// The kind of a recording so far, and one more record of a kind, or of none.
    fn and(self, next: Option<Self>) -> Self {
        match (self, next) {
            (Self::Empty, None) => Self::NotThreats,
            (Self::Empty | Self::NotThreats, Some(next)) => next,
            (so_far, Some(next)) if so_far != next => Self::Mixed,
            (so_far, _) => so_far,
        }
    }
}

fn unreadable(why: String) -> Recorded {
    let refusal = Refusal { position: 1, id: None::<Untrusted>, reason: RefusalReason::NotJson(why), raw: Value::Null };
    Recorded { kind: Kind::NotJson, threats: Vec::new(), refused: vec![refusal] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn threat(id: &str) -> Value {
        json!({"id": id, "threatInfo": {"threatName": "x.exe", "createdAt": "2026-09-18T08:30:00Z"}})
    }

    fn read_value(value: &Value) -> Recorded {
        read(value.to_string().as_bytes())
    }

    #[test]
    fn the_same_threat_is_found_in_every_envelope() {
        let one = threat("1");
        for envelope in [
            one.clone(),
            json!([one]),
            json!({"data": [one], "pagination": {"nextCursor": null}}),
            json!({"data": one}),
            json!({"errors": [{}], "data": {"threats": [one]}}),
        ] {
            let recorded = read_value(&envelope);
            assert_eq!(
                (recorded.kind, recorded.threats.len(), recorded.refused.len()),
                (Kind::Threats, 1, 0),
                "{envelope}"
            );
            assert_eq!(recorded.threats[0].raw, one);
        }
        let lines = format!("{one}\n\n{}\nbroken\n", threat("2"));
        let recorded = read(lines.as_bytes());
        assert_eq!((recorded.threats.len(), recorded.refused[0].position), (2, 3));
        assert!(matches!(recorded.refused[0].reason, RefusalReason::NotJson(_)));
    }

    #[test]
    fn a_refused_record_says_where_and_why_and_the_rest_still_goes_in() {
        let recorded = read_value(&json!({"data": [threat("1"), {"threatInfo": {}}, {"affected": 1}, 5, threat("2")]}));
        assert_eq!((recorded.kind, recorded.threats.len()), (Kind::Threats, 2));
        let shown: Vec<_> = recorded.refused.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "record 2: it has no id",
                "record 3: it is the answer to an action, not a threat",
                "record 4: it is no object, not a threat"
            ]
        );
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for broken in ["", "<html>", "{\"data\": [", "[1,"] {
            let recorded = read(broken.as_bytes());
            assert_eq!(
                (recorded.kind, recorded.threats.len(), recorded.refused.len()),
                (Kind::NotJson, 0, 1),
                "{broken}"
            );
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read(deep.as_bytes()).kind, Kind::NotJson);
        assert_eq!(read(b"\xef\xbb\xbf{\"data\": []}").kind, Kind::Empty);
        assert_eq!(read(b"\xff\xfe").kind, Kind::NotJson);
    }

    #[test]
    fn a_file_may_hold_several_kinds() {
        let unified = json!({"id": "u", "name": "n", "severity": "LOW", "detectedAt": "2026-09-18T08:30:00Z"});
        let recorded = read_value(&json!([threat("1"), unified, {"computerName": "a", "uuid": "b"}]));
        assert_eq!((recorded.kind, recorded.threats.len(), recorded.refused.len()), (Kind::Mixed, 2, 1));
    }

    #[test]
    fn a_file_named_string_is_a_threat_all_the_same() {
        let mut real = threat("1");
        real["threatInfo"]["threatName"] = json!("string");
        real["threatInfo"]["sha1"] = json!("3395856ce81f2b7382dee72602f798b642f14140");
        assert_eq!(read_value(&real).threats.len(), 1);
        let placeholder = json!({"id": "valid_id", "threatInfo": {"createdAt": "2018-02-27T04:49:26.257525Z",
            "threatName": "string", "sha1": "string", "md5": "string", "storyline": "string"}});
        assert_eq!(read_value(&placeholder).refused[0].reason, RefusalReason::Placeholder);
        assert_eq!(read_value(&threat("string")).refused[0].reason, RefusalReason::Placeholder);
    }
}
