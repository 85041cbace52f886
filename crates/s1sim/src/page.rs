//! Cutting a list into pages: `limit`, `skip`, `cursor`, `sortBy`, `sortOrder`, `countOnly`, `skipCount`.
//! A cursor remembers the last row's sort value and id, the sort, and the filters it was made with; it is opaque
//! base64 to the client. Dropping filters while holding a cursor is let through because working clients do it;
//! changing them is refused.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest;
use crate::filter::{Filter, Params, Row};
use crate::refusal::Refusal;

const DEFAULT_LIMIT: usize = 10;
/// How far most lists can be skipped.
pub(crate) const MAX_SKIP: usize = 1000;
/// Keys that steer the paging itself and so are no filters.
const STEERING: [&str; 7] = ["limit", "skip", "cursor", "sortBy", "sortOrder", "countOnly", "skipCount"];

/// What a list allows: the highest `limit`, and for each `sortBy` where the value stands.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) max_limit: usize,
    pub(crate) max_skip: usize,
    pub(crate) sorts: &'static [(&'static str, &'static str)],
}

/// One cut page.
#[derive(Debug)]
pub(crate) struct Page<R> {
    pub(crate) rows: Vec<R>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) total: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    id_column: String,
    id_value: Option<String>,
    id_sort_order: String,
    sort_by_column: String,
    sort_by_value: Value,
    sort_order: String,
    /// A short digest of each filter's values, to notice a changed one.
    #[serde(default)]
    filters: BTreeMap<String, String>,
}

/// Filters, sorts and cuts. With `twice` the page's cursor leads back to the same page (a fault of the console).
pub(crate) fn cut<R: Row>(
    rows: impl Iterator<Item = R>,
    filter: &Filter,
    params: &Params,
    shape: &Shape,
    twice: bool,
) -> Result<Page<R>, Refusal> {
    let limit = bounded(params, "limit", 1, shape.max_limit)?.unwrap_or(DEFAULT_LIMIT);
    let skip = bounded(params, "skip", 0, shape.max_skip)?.unwrap_or(0);
    let count_only = params.flag("countOnly")?.unwrap_or(false);
    let skip_count = params.flag("skipCount")?.unwrap_or(false);
    let held = params.one("cursor").filter(|text| !text.is_empty()).map(Cursor::read).transpose()?;
    if held.is_some() && skip > 0 {
        return Err(Refusal::Invalid("skip: cannot be used together with cursor".to_owned()));
    }
    let sort = Sort::choose(params, held.as_ref(), shape)?;
    let filters = filter_digests(params);
    if let Some(cursor) = &held {
        cursor.check(&sort, &filters)?;
    }

    let found: Vec<R> = rows.filter(|row| filter.matches(row)).collect();
    let total = if skip_count && !count_only { 0 } else { found.len() };
    if count_only {
        return Ok(Page { rows: Vec::new(), next_cursor: None, total });
    }
    // Keys are looked up once a row, not once a comparison.
    let mut keyed: Vec<(Key, R)> = found.into_iter().map(|row| (sort.key(&row), row)).collect();
    if let Some(Cursor { id_value: Some(id), sort_by_value, .. }) = &held {
        let position = (sort_by_value.clone(), Value::from(id.as_str()));
        keyed.retain(|(key, _)| sort.compare(key, &position) == Ordering::Greater);
    }
    keyed.sort_by(|(a, _), (b, _)| sort.compare(a, b));
    let mut page: Vec<(Key, R)> = keyed.into_iter().skip(skip).collect();
    let more = page.len() > limit;
    page.truncate(limit);

    let next_cursor = if twice {
        params.one("cursor").map(str::to_owned).or_else(|| Some(Cursor::new(&sort, None, filters).write()))
    } else {
        page.last().filter(|_| more).map(|(key, _)| Cursor::new(&sort, Some(key), filters).write())
    };
    Ok(Page { rows: page.into_iter().map(|(_, row)| row).collect(), next_cursor, total })
}

struct Sort {
    by: &'static str,
    at: &'static str,
    descending: bool,
}

/// A row's sort value and id.
type Key = (Value, Value);

impl Sort {
    fn choose(params: &Params, held: Option<&Cursor>, shape: &Shape) -> Result<Self, Refusal> {
        let wanted = params.one("sortBy").or_else(|| held.map(|cursor| cursor.sort_by_column.as_str())).unwrap_or("id");
        let Some((by, at)) = shape.sorts.iter().find(|(by, _)| *by == wanted) else {
            return Err(Refusal::Invalid(format!("sortBy: `{wanted}` is not a sortable field")));
        };
        let order = params.one("sortOrder").or_else(|| held.map(|cursor| cursor.sort_order.as_str())).unwrap_or("asc");
        let descending = match order {
            "asc" => false,
            "desc" => true,
            other => return Err(Refusal::Invalid(format!("sortOrder: `{other}` is not one of asc, desc"))),
        };
        Ok(Self { by, at, descending })
    }

    fn key<R: Row>(&self, row: &R) -> Key {
        let at = |pointer| row.at(pointer).cloned().unwrap_or_default();
        (at(self.at), at("/id"))
    }

    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        let order = compare(&a.0, &b.0).then_with(|| compare(&a.1, &b.1));
        if self.descending { order.reverse() } else { order }
    }

    fn order(&self) -> &'static str {
        if self.descending { "desc" } else { "asc" }
    }
}

/// Orders nothing before booleans, numbers and texts. Ids are digits without leading zeros: the longer is the larger.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if a.len() != b.len() && digits(a) && digits(b) { a.len().cmp(&b.len()) } else { a.cmp(b) }
        }
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}

impl Cursor {
    /// The position after a row, or before the first one.
    fn new(sort: &Sort, key: Option<&Key>, filters: BTreeMap<String, String>) -> Self {
        let (value, id) = key.cloned().unwrap_or_default();
        Self {
            id_column: "id".to_owned(),
            id_value: id.as_str().map(str::to_owned),
            id_sort_order: sort.order().to_owned(),
            sort_by_column: sort.by.to_owned(),
            sort_by_value: value,
            sort_order: sort.order().to_owned(),
            filters,
        }
    }

    fn write(&self) -> String {
        BASE64_STANDARD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a cursor as we gave it, or percent-encoded once more.
    fn read(text: &str) -> Result<Self, Refusal> {
        let plain: String = if text.contains('%') {
            let line = format!("c={}", text.replace('+', "%2B"));
            form_urlencoded::parse(line.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
        } else {
            // A bare `+` in a query string arrives as a space.
            text.replace(' ', "+")
        };
        let bytes = BASE64_STANDARD.decode(plain.trim()).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Refusal::Invalid("cursor: not a valid cursor".to_owned()))
    }

    fn check(&self, sort: &Sort, filters: &BTreeMap<String, String>) -> Result<(), Refusal> {
        if self.sort_by_column != sort.by || self.sort_order != sort.order() {
            return Err(Refusal::Invalid("cursor: belongs to another sort".to_owned()));
        }
        if let Some((key, _)) = filters.iter().find(|(key, digest)| self.filters.get(*key) != Some(digest)) {
            return Err(Refusal::Invalid(format!("cursor: belongs to another filter ({key})")));
        }
        Ok(())
    }
}

fn filter_digests(params: &Params) -> BTreeMap<String, String> {
    let filters = params.iter().filter(|(key, _)| !STEERING.contains(&key.as_str()));
    filters.map(|(key, values)| (key.clone(), digest::md5(&values.join(","))[..8].to_owned())).collect()
}

fn bounded(params: &Params, key: &str, min: usize, max: usize) -> Result<Option<usize>, Refusal> {
    let Some(text) = params.one(key) else { return Ok(None) };
    match text.parse::<usize>() {
        Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
        _ => Err(Refusal::Invalid(format!("{key}: must be between {min} and {max}, not `{text}`"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHAPE: Shape =
        Shape { max_limit: 1000, max_skip: MAX_SKIP, sorts: &[("id", "/id"), ("updatedAt", "/updatedAt")] };

    fn rows() -> Vec<Value> {
        (0..25)
            .map(
                |n| json!({"id": format!("{}", 98 + n), "updatedAt": format!("2026-11-24T00:00:{:02}.000000Z", n / 4)}),
            )
            .collect()
    }

    fn page(query: &str) -> Result<Page<Value>, Refusal> {
        let params = Params::from_query(query);
        let filter = Filter::parse(&params, &[]).expect("no filters known here");
        cut(rows().into_iter(), &filter, &params, &SHAPE, false)
    }

    fn walk(query: &str, encode: fn(&str) -> String) -> Vec<String> {
        let mut seen = Vec::new();
        let mut next = String::new();
        loop {
            let page = page(&format!("{query}{next}")).expect("a page");
            seen.extend(page.rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned));
            let Some(cursor) = page.next_cursor else { return seen };
            next = format!("&cursor={}", encode(&cursor));
        }
    }

    #[test]
    fn walking_by_cursor_shows_every_row_once_in_order() {
        let once = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let raw = |text: &str| text.to_owned();
        let twice = |text: &str| text.replace('=', "%253D");
        let ids: Vec<String> = (98..123).map(|id| id.to_string()).collect();
        for encode in [once, raw, twice] {
            assert_eq!(walk("limit=7&sortBy=updatedAt", encode), ids);
        }
        let mut down = walk("limit=4&sortBy=updatedAt&sortOrder=desc", once);
        down.reverse();
        assert_eq!(down, ids);
    }

    #[test]
    fn a_cursor_belongs_to_its_sort_and_filters() {
        let cursor = page("limit=5&sortBy=updatedAt&siteIds=1").expect("first").next_cursor.expect("more");
        assert!(page(&format!("limit=5&cursor={cursor}")).is_ok(), "filters may be dropped");
        assert!(page(&format!("limit=5&siteIds=1&cursor={cursor}")).is_ok());
        assert!(page(&format!("limit=5&siteIds=2&cursor={cursor}")).is_err());
        assert!(page(&format!("limit=5&sortBy=id&cursor={cursor}")).is_err());
        assert!(page(&format!("limit=5&sortOrder=desc&cursor={cursor}")).is_err());
        assert!(page("cursor=rubbish").is_err());
    }

    #[test]
    fn limits_and_counts_are_kept() {
        assert_eq!(page("").expect("default").rows.len(), 10);
        for bad in ["limit=0", "limit=1001", "limit=x", "skip=1001", "skip=-1", "sortBy=colour", "sortOrder=up"] {
            assert!(page(bad).is_err(), "{bad}");
        }
        let counted = page("countOnly=true").expect("a count");
        assert_eq!((counted.rows.len(), counted.total), (0, 25));
        assert_eq!(page("skipCount=true").expect("a page").total, 0);
        assert_eq!(page("skip=20&limit=10").expect("the end").rows.len(), 5);
    }
}
