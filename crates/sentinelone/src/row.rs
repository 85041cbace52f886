//! A lenient view of one JSON object from the console.
//!
//! The console's own description is not dependable: nearly every field has been seen as null, numbers as strings, booleans
//! as times, and times as `"None"`. So nothing is required here, a value of the wrong type reads as absent, and no single
//! field can lose a record.

use std::borrow::Cow;

use domain::Untrusted;
use jiff::Timestamp;
use jiff::civil;
use serde_json::Value;

/// Times outside of these years are the console's way of saying "none" (1970, 2185).
const YEARS: std::ops::Range<i16> = 2000..2100;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a>(pub(crate) &'a Value);

impl<'a> Row<'a> {
    /// The value at a dotted path, if it is there and not null.
    pub(crate) fn value(self, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(self.0, |value, key| value.get(key)).filter(|value| !value.is_null())
    }

    pub(crate) fn row(self, path: &str) -> Row<'a> {
        Row(self.value(path).unwrap_or(&Value::Null))
    }

    pub(crate) fn rows(self, path: &str) -> impl Iterator<Item = Row<'a>> + use<'a> {
        self.value(path).and_then(Value::as_array).into_iter().flatten().map(Row)
    }

    /// Text, or a number as text; blank and Python's `None` are absent.
    pub(crate) fn text(self, path: &str) -> Option<Cow<'a, str>> {
        as_text(self.value(path)?)
    }

    pub(crate) fn untrusted(self, path: &str) -> Option<Untrusted> {
        self.text(path).map(|text| Untrusted::new(&text))
    }

    /// The first of several fields that says something.
    pub(crate) fn first_untrusted(self, paths: &[&str]) -> Option<Untrusted> {
        paths.iter().find_map(|path| self.untrusted(path))
    }

    /// Lower-case, with `_` for everything that is neither letter nor digit: how closed sets are compared here.
    pub(crate) fn word(self, path: &str) -> Option<String> {
        self.text(path).map(|text| word(&text))
    }

    pub(crate) fn time(self, path: &str) -> Option<Timestamp> {
        as_time(&self.text(path)?)
    }

    pub(crate) fn flag(self, path: &str) -> Option<bool> {
        match self.value(path)? {
            Value::Bool(flag) => Some(*flag),
            other => match as_text(other)?.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
        }
    }

    pub(crate) fn number(self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// An array of texts, or one text with commas (both occur for the same field).
    pub(crate) fn texts(self, path: &str) -> Vec<Cow<'a, str>> {
        match self.value(path) {
            Some(Value::Array(items)) => items.iter().filter_map(as_text).collect(),
            Some(Value::String(text)) => {
                text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(Cow::Borrowed).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if text.trim().is_empty() || text == "None" => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// ISO 8601 with or without fraction and zone; without a zone it is UTC, as all the console's times are.
fn as_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let time = text.parse::<Timestamp>().ok().or_else(|| {
        let local: civil::DateTime = text.parse().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(local).ok()
    })?;
    YEARS.contains(&jiff::tz::Offset::UTC.to_datetime(time).year()).then_some(time)
}

pub(crate) fn word(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        } else if !word.ends_with('_') {
            word.push('_');
        }
    }
    word.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_known_way_to_say_nothing_reads_as_nothing() {
        let value = json!({"a": null, "b": "", "c": " ", "d": "None", "e": {}, "f": [], "g": true});
        for path in ["a", "b", "c", "d", "e", "f", "g", "missing", "missing.deeper", "b.deeper"] {
            assert_eq!(Row(&value).text(path), None, "{path}");
            assert_eq!(Row(&value).time(path), None, "{path}");
        }
    }

    #[test]
    fn the_same_fact_is_read_from_each_form_it_comes_in() {
        let value = json!({"n": "7", "m": 7, "t": "True", "f": false, "list": ["a", "b"], "joined": "a, b,",
            "id": 715_718_962_991_148_224_u64});
        let row = Row(&value);
        assert_eq!((row.number("n"), row.number("m")), (Some(7), Some(7)));
        assert_eq!((row.flag("t"), row.flag("f"), row.flag("n")), (Some(true), Some(false), None));
        assert_eq!(row.texts("list"), row.texts("joined"));
        assert_eq!(row.text("id").unwrap(), "715718962991148224");
    }

    #[test]
    fn times_come_with_and_without_fraction_and_zone_and_absurd_ones_are_dropped() {
        let read = |text: &str| Row(&json!({"t": text})).time("t").map(|t| t.to_string());
        assert_eq!(read("2018-02-27T04:49:26.257525Z").unwrap(), "2018-02-27T04:49:26.257525Z");
        assert_eq!(read("2022-07-31T08:11:01+00:00").unwrap(), "2022-07-31T08:11:01Z");
        assert_eq!(read("2022-12-07 16:08:55.703").unwrap(), "2022-12-07T16:08:55.703Z");
        for absurd in ["1970-01-01T00:00:00Z", "2185-07-21T00:00:00Z", "None", "yesterday", "true"] {
            assert_eq!(read(absurd), None, "{absurd}");
        }
        assert_eq!(Row(&json!({"t": true})).time("t"), None);
    }

    #[test]
    fn words_are_compared_without_case_and_punctuation() {
        assert_eq!(word("On-Write DFI - Suspicious"), "on_write_dfi_suspicious");
        assert_eq!(word(" In progress"), "in_progress");
    }
}
