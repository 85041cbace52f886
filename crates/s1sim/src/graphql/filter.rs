//! `FilterInput` and its relatives: which rows a query wants. Clients send every operator they do not use as an
//! explicit null; a filter has exactly one that is not. A field nobody knows is an error here, unlike in the REST API.

use jiff::Timestamp;
use serde_json::Value;

use crate::clock;
use crate::token::Scope;

/// The most filters in a query and values in one of them.
const MAX_FILTERS: usize = 100;
const MAX_VALUES: usize = 5_000;

/// Something that can be filtered, sorted and paged.
pub(super) trait Row {
    /// The names `field` knows.
    fn knows(field: &str) -> bool;
    fn id(&self) -> &str;
    /// The value of a field: null where it has none, an array where it has several.
    fn field(&self, field: &str) -> Value;
    /// Account, site and group.
    fn place(&self) -> [&str; 3];
}

/// All conditions of one query.
#[derive(Debug)]
pub(super) struct Selection {
    /// Alternatives; none at all lets everything through.
    any: Vec<Vec<Condition>>,
    all: Vec<Condition>,
    scope: Option<(Option<usize>, Vec<String>)>,
}

#[derive(Debug)]
struct Condition {
    field: String,
    negated: bool,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// One of these, compared as texts; null matches a field without a value.
    OneOf(Vec<Option<String>>),
    /// Contains one of these, in any case.
    Match(Vec<String>),
    Range {
        time: bool,
        start: Option<i64>,
        end: Option<i64>,
        start_inclusive: bool,
        end_inclusive: bool,
    },
}

impl Selection {
    /// Reads the arguments `filters`, `filter`, `orFilter` and `scope`.
    pub(super) fn read<R: Row>(args: &Value) -> Result<Self, String> {
        let all = conditions::<R>(&args["filters"])?;
        let mut any = Vec::new();
        for name in ["filter", "orFilter"] {
            for group in args[name]["or"].as_array().into_iter().flatten() {
                any.push(conditions::<R>(&group["and"])?);
            }
        }
        let scope = match &args["scope"] {
            Value::Null => None,
            scope => {
                let ids = scope["scopeIds"].as_array().into_iter().flatten();
                let ids = ids.filter_map(Value::as_str).map(str::to_owned).collect();
                let level = match scope["scopeType"].as_str().unwrap_or("ACCOUNT") {
                    "GLOBAL" => None,
                    "SITE" => Some(1),
                    "GROUP" => Some(2),
                    _ => Some(0),
                };
                Some((level, ids))
            }
        };
        Ok(Self { any, all, scope })
    }

    pub(super) fn takes(&self, row: &impl Row) -> bool {
        let scoped = self
            .scope
            .as_ref()
            .is_none_or(|(level, ids)| level.is_none_or(|level| ids.iter().any(|id| id == row.place()[level])));
        scoped
            && self.all.iter().all(|one| one.holds(row))
            && (self.any.is_empty() || self.any.iter().any(|group| group.iter().all(|one| one.holds(row))))
    }
}

/// A scope argument that names what the token does not see is refused, not answered with nothing.
pub(super) fn check_scope(args: &Value, scope: &Scope, sees: impl Fn(&str) -> bool) -> Result<(), String> {
    if args["scope"]["scopeType"] == "GLOBAL" && *scope != Scope::Console {
        return Err("Insufficient permissions: the user's scope is below the tenant".to_owned());
    }
    let ids = args["scope"]["scopeIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for id in ids {
        if !sees(id) {
            return Err(format!("Insufficient permissions for scope {id}"));
        }
    }
    Ok(())
}

fn conditions<R: Row>(filters: &Value) -> Result<Vec<Condition>, String> {
    let Some(filters) = filters.as_array() else { return Ok(Vec::new()) };
    if filters.len() > MAX_FILTERS {
        return Err(format!("too many filters: {} of at most {MAX_FILTERS}", filters.len()));
    }
    filters.iter().filter(|filter| !filter.is_null()).map(condition::<R>).collect()
}

fn condition<R: Row>(filter: &Value) -> Result<Condition, String> {
    let field = filter["fieldId"].as_str().unwrap_or_default();
    if !R::knows(field) {
        return Err(format!("Invalid filter: unknown fieldId `{field}`"));
    }
    let operators = filter.as_object().into_iter().flatten();
    let mut used = operators.filter(|(name, value)| value.is_object() && name.as_str() != "fieldId");
    let (Some((operator, operand)), None) = (used.next(), used.next()) else {
        return Err(format!("Invalid filter: `{field}` needs exactly one operator"));
    };
    let values = || -> Result<Vec<Option<String>>, String> {
        let listed = operand["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        if listed.len() > MAX_VALUES {
            return Err(format!("Invalid filter: `{field}` has more than {MAX_VALUES} values"));
        }
        Ok(listed.iter().map(as_text).collect())
    };
    let test = match operator.as_str() {
        "stringEqual" | "booleanEqual" | "intEqual" | "longEqual" => Test::OneOf(vec![as_text(&operand["value"])]),
        "stringIn" | "booleanIn" | "intIn" | "longIn" => Test::OneOf(values()?),
        "match" | "matchIn" => Test::Match(values()?.into_iter().flatten().map(|text| text.to_lowercase()).collect()),
        "dateTimeRange" | "longRange" | "intRange" => Test::Range {
            time: operator == "dateTimeRange",
            start: operand["start"].as_i64(),
            end: operand["end"].as_i64(),
            start_inclusive: operand["startInclusive"].as_bool().unwrap_or(true),
            end_inclusive: operand["endInclusive"].as_bool().unwrap_or(true),
        },
        other => return Err(format!("Invalid filter: `{field}` has the unknown operator `{other}`")),
    };
    Ok(Condition { field: field.to_owned(), negated: filter["isNegated"] == true, test })
}

impl Condition {
    fn holds(&self, row: &impl Row) -> bool {
        let value = row.field(&self.field);
        let holds = match &value {
            Value::Array(items) => items.iter().any(|item| self.test.holds(item)),
            one => self.test.holds(one),
        };
        holds != self.negated
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::OneOf(wanted) => wanted.contains(&as_text(value)),
            Self::Match(terms) => {
                as_text(value).is_some_and(|text| terms.iter().any(|term| text.to_lowercase().contains(term)))
            }
            Self::Range { time, start, end, start_inclusive, end_inclusive } => {
                let found = if *time {
                    value.as_str().and_then(clock::parse).map(Timestamp::as_millisecond)
                } else {
                    value.as_i64()
                };
                found.is_some_and(|found| {
                    start.is_none_or(|start| found > start || (*start_inclusive && found == start))
                        && end.is_none_or(|end| found < end || (*end_inclusive && found == end))
                })
            }
        }
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Thing(Value);

    impl Row for Thing {
        fn knows(field: &str) -> bool {
            ["id", "severity", "seen", "standards", "port", "owner", "fixed"].contains(&field)
        }
        fn id(&self) -> &str {
            self.0["id"].as_str().unwrap_or_default()
        }
        fn field(&self, field: &str) -> Value {
            self.0[field].clone()
        }
        fn place(&self) -> [&str; 3] {
            ["a", "s", "g"]
        }
    }

    fn takes(args: &Value) -> Result<bool, String> {
        let thing = json!({"id": "1", "severity": "HIGH", "seen": "2026-11-24T01:00:00.000250Z", "port": 443,
            "standards": ["PCI DSS", "ISO 27001"], "owner": null, "fixed": true});
        Selection::read::<Thing>(args).map(|selection| selection.takes(&Thing(thing)))
    }

    #[test]
    fn unused_operators_are_null_and_the_used_one_decides() {
        let one = |field: &str, operator: &str, operand: Value| {
            let mut filter = json!({"fieldId": field, "isNegated": false, "stringEqual": null, "stringIn": null,
                "match": null, "booleanIn": null, "dateTimeRange": null, "longEqual": null});
            filter[operator] = operand;
            takes(&json!({"filters": [filter]})).expect("a sound filter")
        };
        assert!(one("severity", "stringEqual", json!({"value": "HIGH"})));
        assert!(!one("severity", "stringEqual", json!({"value": "high"})));
        assert!(one("severity", "stringIn", json!({"values": ["LOW", "HIGH", "NOT_A_SEVERITY"]})));
        assert!(!one("severity", "stringIn", json!({"values": []})));
        assert!(one("standards", "match", json!({"values": ["iso"]})), "any of several values, any case");
        assert!(one("owner", "stringEqual", json!({"value": null})), "null is no value");
        assert!(one("fixed", "booleanIn", json!({"values": [null, true]})));
        assert!(one("port", "longEqual", json!({"value": 443})));
        assert!(one("port", "intRange", json!({"start": 400, "end": 443})));
        let at = 1_795_482_000_000_i64;
        assert!(one("seen", "dateTimeRange", json!({"start": at, "end": at, "startInclusive": true})));
        assert!(!one("seen", "dateTimeRange", json!({"start": at, "startInclusive": false})));
        assert!(!one("owner", "dateTimeRange", json!({"start": 0})), "no value is in no range");
    }

    #[test]
    fn negation_alternatives_and_scope_combine() {
        let high = json!({"fieldId": "severity", "stringEqual": {"value": "HIGH"}});
        let not_high = json!({"fieldId": "severity", "isNegated": true, "stringEqual": {"value": "HIGH"}});
        assert_eq!(takes(&json!({"filters": [high, not_high]})), Ok(false));
        assert_eq!(takes(&json!({"filter": {"or": [{"and": [not_high]}, {"and": [high]}]}})), Ok(true));
        assert_eq!(takes(&json!({"scope": {"scopeIds": ["s"], "scopeType": "SITE"}})), Ok(true));
        assert_eq!(takes(&json!({"scope": {"scopeIds": ["s"], "scopeType": "ACCOUNT"}})), Ok(false));
    }

    #[test]
    fn a_filter_that_says_nothing_or_too_much_is_refused() {
        for filter in [
            json!({"fieldId": "nobody", "stringEqual": {"value": "x"}}),
            json!({"fieldId": "severity", "stringEqual": null}),
            json!({"fieldId": "severity", "stringEqual": {"value": "x"}, "match": {"values": ["x"]}}),
        ] {
            assert!(takes(&json!({"filters": [filter]})).is_err(), "{filter}");
        }
        let many: Vec<Value> = vec![json!({"fieldId": "severity", "stringEqual": {"value": "HIGH"}}); MAX_FILTERS + 1];
        assert!(takes(&json!({"filters": many})).is_err());
    }
}
