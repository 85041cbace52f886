//! Pages of a sorted list, as edges with cursors. A cursor names the last row by what it was sorted by, so rows that
//! come or go between two pages neither repeat nor hide others.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::filter::Row;

const MAX_FIRST: u64 = 100;
const MAX_SORTS: usize = 5;

/// A row's place in the order: the values of the fields sorted by, and its id.
type Key = (Vec<Value>, String);

/// Cuts the page that `first`, `after`, `sort` and `sorts` ask for out of `rows`; `show` makes its nodes.
pub(super) fn page<R: Row>(
    rows: Vec<R>,
    args: &Value,
    default: &str,
    show: impl Fn(&R) -> Value,
) -> Result<Value, String> {
    let first = args["first"].as_u64().unwrap_or(10);
    if !(1..=MAX_FIRST).contains(&first) || args["first"].as_i64().is_some_and(|first| first < 0) {
        return Err(format!("Invalid argument: first must be between 1 and {MAX_FIRST}"));
    }
    let sorts = sorts::<R>(args, default)?;
    let after = args["after"].as_str().map(parse).transpose()?;
    if after.as_ref().is_some_and(|(values, _)| values.len() != sorts.len()) {
        return Err("Invalid cursor: it belongs to another order".to_owned());
    }
    let total = rows.len();
    let mut keyed: Vec<(Key, R)> = rows
        .into_iter()
        .map(|row| ((sorts.iter().map(|(field, _)| row.field(field)).collect(), row.id().to_owned()), row))
        .collect();
    keyed.sort_by(|(one, _), (other, _)| order(one, other, &sorts));
    let from = after.map_or(0, |after| keyed.partition_point(|(key, _)| order(key, &after, &sorts).is_le()));
    let until = from.saturating_add(usize::try_from(first).unwrap_or(usize::MAX)).min(total);
    let edges: Vec<Value> =
        keyed[from..until].iter().map(|(key, row)| json!({"node": show(row), "cursor": write(key)})).collect();
    let end = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    Ok(json!({
        "pageInfo": {
            "hasNextPage": until < total, "hasPreviousPage": from > 0,
            "startCursor": end(edges.first()), "endCursor": end(edges.last()),
        },
        "edges": edges, "totalCount": total,
    }))
}

/// The fields to sort by, with `true` for descending.
fn sorts<R: Row>(args: &Value, default: &str) -> Result<Vec<(String, bool)>, String> {
    let listed = args["sorts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut sorts = Vec::new();
    for sort in listed.iter().chain([&args["sort"]]).filter(|sort| !sort.is_null()) {
        let field = sort["by"].as_str().unwrap_or_default();
        if !R::knows(field) {
            return Err(format!("Invalid sort: unknown fieldId `{field}`"));
        }
        sorts.push((field.to_owned(), sort["order"] != "ASC"));
    }
    if sorts.len() > MAX_SORTS {
        return Err(format!("Invalid sort: more than {MAX_SORTS} fields"));
    }
    if sorts.is_empty() {
        sorts.push((default.to_owned(), true));
    }
    Ok(sorts)
}

fn order(one: &Key, other: &Key, sorts: &[(String, bool)]) -> Ordering {
    let fields = one.0.iter().zip(&other.0).zip(sorts);
    let by_fields = fields.map(|((one, other), (_, falls))| {
        let order = compare(one, other);
        if *falls { order.reverse() } else { order }
    });
    by_fields.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| one.1.cmp(&other.1))
}

/// Nothing before numbers before texts; anything else by its text.
fn compare(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Number(_) => 1,
        _ => 2,
    };
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default())
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)).then_with(|| one.to_string().cmp(&other.to_string())),
    }
}

fn write(key: &Key) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!([key.0, key.1]).to_string())
}

fn parse(cursor: &str) -> Result<Key, String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.ok_or_else(|| "Invalid cursor: not one of this list".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Thing(&'static str, Option<i64>);

    impl Row for Thing {
        fn knows(field: &str) -> bool {
            field == "size"
        }
        fn id(&self) -> &str {
            self.0
        }
        fn field(&self, _: &str) -> Value {
            self.1.into()
        }
        fn place(&self) -> [&str; 3] {
            [""; 3]
        }
    }

    fn cut(things: &[Thing], args: &Value) -> Result<Value, String> {
        page(things.to_vec(), args, "size", |thing| thing.0.into())
    }

    #[test]
    fn pages_follow_one_another_though_rows_come_and_go() {
        let mut things = vec![Thing("a", Some(3)), Thing("b", Some(1)), Thing("c", None), Thing("d", Some(3))];
        let args = json!({"first": 2, "sort": {"by": "size", "order": "DESC"}});
        let one = cut(&things, &args).expect("a page");
        assert_eq!((&one["edges"][0]["node"], &one["edges"][1]["node"]), (&json!("a"), &json!("d")));
        assert_eq!(one["pageInfo"]["hasNextPage"], true);
        things.retain(|thing| thing.0 != "d");
        things.push(Thing("e", Some(9)));
        let mut args = args;
        args["after"] = one["pageInfo"]["endCursor"].clone();
        let two = cut(&things, &args).expect("a page");
        assert_eq!((&two["edges"][0]["node"], &two["edges"][1]["node"]), (&json!("b"), &json!("c")));
        assert_eq!((&two["pageInfo"]["hasNextPage"], &two["totalCount"]), (&json!(false), &json!(4)));
    }

    #[test]
    fn a_page_out_of_bounds_an_unknown_order_or_a_made_up_cursor_is_refused() {
        for args in [
            json!({"first": 0}),
            json!({"first": 101}),
            json!({"first": -1}),
            json!({"sort": {"by": "colour"}}),
            json!({"after": "bm90IGEgY3Vyc29y"}),
            json!({"after": "%%%"}),
        ] {
            assert!(cut(&[], &args).is_err(), "{args}");
        }
    }
}
