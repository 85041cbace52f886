//! Query keys and the `filter` object of a POST, as conditions on rows. One table per object names every key the
//! console is documented to know; anything else is ignored without a word, as the console does, which is exactly what
//! makes a misspelt `ids` dangerous. A known key with a bad value is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clock;
use crate::refusal::Refusal;

/// The raw values of each key, before anyone knows what they mean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(BTreeMap<String, Vec<String>>);

impl Params {
    pub(crate) fn from_query(query: &str) -> Self {
        let mut params = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            params.0.entry(key.into_owned()).or_default().push(value.into_owned());
        }
        params
    }

    /// Reads a JSON `filter`. Nulls and empty lists say nothing, as if the key were absent.
    pub(crate) fn from_filter(filter: &Value) -> Self {
        let mut params = Self::default();
        for (key, value) in filter.as_object().into_iter().flatten() {
            let values: Vec<String> = match value {
                Value::Array(items) => items.iter().filter_map(text_of).collect(),
                other => text_of(other).into_iter().collect(),
            };
            if !values.is_empty() {
                params.0.insert(key.clone(), values);
            }
        }
        params
    }

    /// The value of a key that holds one.
    pub(crate) fn one(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.last().map(String::as_str)
    }

    /// The values of a key that holds a list, given comma-joined or repeated.
    pub(crate) fn many(&self, key: &str) -> Vec<&str> {
        let values = self.0.get(key).into_iter().flatten();
        values.flat_map(|value| value.split(',')).map(str::trim).filter(|value| !value.is_empty()).collect()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        !self.many(key).is_empty()
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, Refusal> {
        self.one(key).map(|text| parse_bool(text).ok_or_else(|| invalid(key, text, "a boolean"))).transpose()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.0.iter()
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// One row of a list, seen as a place to look values up by JSON pointer.
pub(crate) trait Row {
    fn at(&self, pointer: &str) -> Option<&Value>;
}

/// What a documented key means. Keys with a suffix are derived: `…Nin`, `…__gt`, `…__between` and so on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A list of ids; the row's id must be among them.
    Ids,
    /// A list of values; one of the row's values must be among them. Any case.
    OneOf,
    /// As `OneOf`, for a closed set: other values are refused.
    Among(&'static [&'static str]),
    /// A list of fragments; one of the row's values must contain one of them. Any case.
    Contains,
    /// One value that must be equal. Any case.
    Equal,
    /// One fragment that must occur in one of the row's values.
    Find,
    Bool,
    /// Whether the row has a value there at all.
    Exists,
    /// Comparisons by suffix on a time.
    Time,
    /// Comparisons by suffix on a number, and equality without one.
    Number,
    /// Comparisons by suffix on a dotted version.
    Version,
    /// A documented key about something this console never holds (clouds, clusters, tags); it matches nothing.
    Nothing,
    /// A documented key that makes no difference here.
    NoEffect,
    /// A documented key that this simulator does not play. Refused, because both ignoring it and matching nothing
    /// would be a wrong answer that nobody notices.
    Unplayed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    pub(crate) at: &'static [&'static str],
}

pub(crate) const fn field(key: &'static str, kind: Kind, at: &'static [&'static str]) -> Field {
    Field { key, kind, at }
}

/// The conditions of one request.
#[derive(Debug)]
pub(crate) struct Filter(Vec<(Field, Test)>);

#[derive(Debug)]
enum Test {
    In { values: Vec<String>, wanted: bool },
    Contains(Vec<String>),
    Is(bool),
    Exists(bool),
    Time(Compare, String),
    Between(String, String),
    Number(Compare, i64),
    NumberBetween(i64, i64),
    Version(Compare, Vec<u64>),
    VersionBetween(Vec<u64>, Vec<u64>),
    Never,
}

#[derive(Clone, Copy, Debug)]
enum Compare {
    Less,
    LessOrEqual,
    Equal,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    pub(crate) fn parse(params: &Params, table: &[Field]) -> Result<Self, Refusal> {
        let mut tests = Vec::new();
        for (key, _) in params.iter() {
            for field in table {
                if let Some(test) = test(field, key, params)? {
                    tests.push((*field, test));
                    break;
                }
            }
        }
        Ok(Self(tests))
    }

    pub(crate) fn matches(&self, row: &impl Row) -> bool {
        self.0.iter().all(|(field, test)| test.holds(row, field.at))
    }
}

/// Whether a table gives `key` a meaning, whatever its value.
#[cfg(test)]
pub(crate) fn knows(table: &[Field], key: &str) -> bool {
    let understood = |field: &Field, value: &str| {
        let params = Params(BTreeMap::from([(key.to_owned(), vec![value.to_owned()])]));
        !matches!(test(field, key, &params), Ok(None))
    };
    let known = |field: &Field| matches!(field.kind, Kind::NoEffect) && field.key == key;
    table.iter().any(|field| known(field) || ["true", "9"].iter().any(|value| understood(field, value)))
}

/// The test that `key` asks for, or `None` when the key is not a form of this field.
fn test(field: &Field, key: &str, params: &Params) -> Result<Option<Test>, Refusal> {
    let Some(suffix) = key.strip_prefix(field.key).filter(|_| params.has(key)) else { return Ok(None) };
    let one = params.one(key).unwrap_or_default();
    let test = match (field.kind, suffix) {
        (Kind::Ids, "") => {
            let values = params.many(key);
            if let Some(bad) = values.iter().find(|id| !id.bytes().all(|byte| byte.is_ascii_digit())) {
                return Err(invalid(key, bad, "an id"));
            }
            within(key, values.len(), 5000)?;
            in_values(&values, true)
        }
        (Kind::OneOf | Kind::Among(_), "" | "Nin") => {
            let values = params.many(key);
            if let Kind::Among(allowed) = field.kind
                && let Some(bad) =
                    values.iter().find(|value| !allowed.iter().any(|known| known.eq_ignore_ascii_case(value)))
            {
                return Err(invalid(key, bad, &format!("one of {}", allowed.join(", "))));
            }
            within(key, values.len(), 5000)?;
            in_values(&values, suffix.is_empty())
        }
        (Kind::Contains, "__contains" | "__like") => {
            let values = params.many(key);
            if let Some(short) = values.iter().find(|value| value.chars().count() < 2) {
                return Err(invalid(key, short, "at least 2 characters"));
            }
            within(key, values.len(), 255)?;
            Test::Contains(values.iter().map(|value| value.to_lowercase()).collect())
        }
        (Kind::Equal, "") => in_values(&[one], true),
        (Kind::Find, "") => Test::Contains(vec![one.trim().to_lowercase()]),
        (Kind::Bool, "") => {
            // Some boolean keys are documented as lists; both values together exclude nothing.
            let flags: Option<Vec<bool>> = params.many(key).iter().map(|text| parse_bool(text)).collect();
            match flags.ok_or_else(|| invalid(key, one, "a boolean"))?.as_slice() {
                [] => return Ok(None),
                [first, rest @ ..] if rest.iter().all(|flag| flag == first) => Test::Is(*first),
                _ => return Ok(None),
            }
        }
        (Kind::Exists, "") => Test::Exists(parse_bool(one).ok_or_else(|| invalid(key, one, "a boolean"))?),
        (Kind::Time, "__between") => between(key, one)?,
        (Kind::Time, _) => {
            let Some(compare) = compare(suffix) else { return Ok(None) };
            let at = clock::parse(one).ok_or_else(|| invalid(key, one, "a date"))?;
            Test::Time(compare, clock::print(at))
        }
        (Kind::Number, "__between") => {
            let (from, to) = one.split_once('-').unwrap_or_default();
            match (from.trim().parse(), to.trim().parse()) {
                (Ok(from), Ok(to)) => Test::NumberBetween(from, to),
                _ => return Err(invalid(key, one, "two integers joined by a dash")),
            }
        }
        (Kind::Version, "__between") => {
            let (from, to) = one.split_once('-').unwrap_or_default();
            match (version(from), version(to)) {
                (Some(from), Some(to)) => Test::VersionBetween(from, to),
                _ => return Err(invalid(key, one, "two versions joined by a dash")),
            }
        }
        (Kind::Version, _) => {
            let Some(compare) = compare(suffix) else { return Ok(None) };
            Test::Version(compare, version(one).ok_or_else(|| invalid(key, one, "a version"))?)
        }
        (Kind::Unplayed, "" | "__between" | "__gt" | "__gte" | "__lt" | "__lte") => {
            return Err(Refusal::Invalid(format!("{key}: this filter is not simulated")));
        }
        (Kind::Number, _) => {
            let Some(compare) = (if suffix.is_empty() { Some(Compare::Equal) } else { compare(suffix) }) else {
                return Ok(None);
            };
            Test::Number(compare, one.parse().map_err(|_| invalid(key, one, "an integer"))?)
        }
        (Kind::Nothing, "" | "Nin" | "__contains" | "__between" | "__gt" | "__gte" | "__lt" | "__lte") => Test::Never,
        _ => return Ok(None),
    };
    Ok(Some(test))
}

impl Test {
    fn holds(&self, row: &impl Row, at: &[&str]) -> bool {
        let found = || at.iter().filter_map(|pointer| row.at(pointer));
        let versions = || found().filter_map(Value::as_str).filter_map(version);
        match self {
            Self::In { values, wanted } => {
                found().any(|value| any_text(value, &|text| values.contains(&text.to_lowercase()))) == *wanted
            }
            Self::Contains(parts) => found().any(|value| {
                any_text(value, &|text| {
                    let text = text.to_lowercase();
                    parts.iter().any(|part| text.contains(part.as_str()))
                })
            }),
            Self::Is(wanted) => found().any(|value| value.as_bool() == Some(true)) == *wanted,
            Self::Exists(wanted) => found().any(|value| !value.is_null()) == *wanted,
            Self::Time(compare, than) => {
                found().filter_map(Value::as_str).any(|text| compare.holds(&text, &than.as_str()))
            }
            Self::Between(from, to) => {
                found().filter_map(Value::as_str).any(|text| text >= from.as_str() && text <= to.as_str())
            }
            Self::Number(compare, than) => found().filter_map(Value::as_i64).any(|number| compare.holds(&number, than)),
            Self::NumberBetween(from, to) => {
                found().filter_map(Value::as_i64).any(|number| (from..=to).contains(&&number))
            }
            Self::Version(compare, than) => versions().any(|have| compare.holds(&have, than)),
            Self::VersionBetween(from, to) => versions().any(|have| (from..=to).contains(&&have)),
            Self::Never => false,
        }
    }
}

impl Compare {
    fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

fn compare(suffix: &str) -> Option<Compare> {
    Some(match suffix {
        "__lt" => Compare::Less,
        "__lte" => Compare::LessOrEqual,
        "__gt" => Compare::Greater,
        "__gte" => Compare::GreaterOrEqual,
        _ => return None,
    })
}

/// `<from>-<to>` in milliseconds since 1970.
fn between(key: &str, text: &str) -> Result<Test, Refusal> {
    let bound = |text: &str| jiff::Timestamp::from_millisecond(text.trim().parse().ok()?).ok().map(clock::print);
    let (from, to) = text.split_once('-').unwrap_or_default();
    match (bound(from), bound(to)) {
        (Some(from), Some(to)) => Ok(Test::Between(from, to)),
        _ => Err(invalid(key, text, "two times in milliseconds joined by a dash")),
    }
}

/// `25.1.3.334` as numbers, so that 25.10 comes after 25.9.
fn version(text: &str) -> Option<Vec<u64>> {
    text.trim().split('.').map(|part| part.parse().ok()).collect()
}

fn in_values(values: &[&str], wanted: bool) -> Test {
    Test::In { values: values.iter().map(|value| value.to_lowercase()).collect(), wanted }
}

/// Applies `test` to a text, to each text of a list, or to a number or boolean written out.
fn any_text(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, test)),
        Value::Object(members) => members.get("key").is_some_and(|key| any_text(key, test)),
        Value::Null => false,
        other => test(&other.to_string()),
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn within(key: &str, count: usize, max: usize) -> Result<(), Refusal> {
    if count > max {
        return Err(Refusal::Invalid(format!("{key}: longer than maximum length {max}")));
    }
    Ok(())
}

fn invalid(key: &str, text: &str, wanted: &str) -> Refusal {
    Refusal::Invalid(format!("{key}: `{text}` is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    impl Row for Value {
        fn at(&self, pointer: &str) -> Option<&Value> {
            self.pointer(pointer)
        }
    }

    const TABLE: &[Field] = &[
        field("ids", Kind::Ids, &["/id"]),
        field("states", Kind::Among(&["open", "closed"]), &["/state"]),
        field("name", Kind::Contains, &["/name"]),
        field("engines", Kind::OneOf, &["/engines"]),
        field("createdAt", Kind::Time, &["/createdAt"]),
        field("active", Kind::Bool, &["/active"]),
        field("count", Kind::Number, &["/count"]),
        field("version", Kind::Version, &["/version"]),
        field("mood", Kind::Unplayed, &[]),
    ];

    fn row() -> Value {
        json!({"id": "12", "state": "open", "name": "経理PC-Ａ", "engines": [{"key": "pup", "title": "PUA"}], "createdAt": "2026-11-24T01:00:00.000500Z", "active": true, "count": 3, "version": "25.10.1"})
    }

    #[track_caller]
    fn matches(query: &str) -> bool {
        Filter::parse(&Params::from_query(query), TABLE).expect("a good query").matches(&row())
    }

    #[test]
    fn every_kind_of_key_says_yes_and_no() {
        for yes in [
            "ids=11,12",
            "states=OPEN",
            "statesNin=closed",
            "name__contains=zz,経理",
            "engines=pup",
            "active=True",
            "createdAt__gt=2026-11-24T01:00:00Z",
            "createdAt__lte=2026-11-24T01:00:00.0005Z",
            "count__gte=3",
            "count=3",
            "createdAt__between=1795482000000-1795482000001",
            "unknown=1",
            "version__gt=25.9",
            "version__between=25.10-25.11",
            "count__between=1-3",
            "created_at__gt=2030-01-01T00:00:00Z",
            "ids=",
        ] {
            assert!(matches(yes), "{yes}");
        }
        for no in [
            "ids=11",
            "states=closed",
            "statesNin=open",
            "name__contains=zz",
            "enginesNin=pup",
            "active=false",
            "createdAt__gt=2026-11-24T01:00:00.0005Z",
            "count__lt=3",
            "version__lt=25.10.1",
            "version__between=1-2",
            "createdAt__between=0-1",
        ] {
            assert!(!matches(no), "{no}");
        }
    }

    #[test]
    fn a_known_key_with_a_bad_value_is_refused() {
        for bad in [
            "ids=abc",
            "states=ajar",
            "name__contains=a",
            "createdAt__gt=soon",
            "active=maybe",
            "count=few",
            "createdAt__between=5",
            "mood=good",
            "version__gt=new",
        ] {
            assert!(Filter::parse(&Params::from_query(bad), TABLE).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_json_filter_says_the_same_as_a_query() {
        let params = Params::from_filter(&json!({"ids": ["11", "12"], "active": true, "states": null, "engines": []}));
        assert!(Filter::parse(&params, TABLE).expect("good").matches(&row()));
        assert!(!params.has("engines"), "an empty list is no filter at all");
    }
}
