//! PowerQuery over the customer's endpoints (`POST /dv/events/pq`, `GET /dv/events/pq-ping`).
//!
//! The console has answered with rows of every customer when a question named sites without their account. So both are named,
//! every row must carry `site.id`, and one that is not the customer's is dropped and counted. It neither waits nor polls: the
//! caller looks again.

use domain::Untrusted;
use jiff::Timestamp;
use outbound::Method;
use serde_json::{Map, Value, json};

use crate::call::Caller;
use crate::error::Error;
use crate::query::{Family, time};
use crate::row::{Row, word};

/// Longest question the console takes.
const MAX_QUERY: usize = 8192;
/// Rows read of one answer; PowerQuery's own default is a thousand.
const MAX_ROWS: usize = 10_000;

/// The console's own name of a running question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryId(String);

impl QueryId {
    fn new(text: &str) -> Option<Self> {
        let safe = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b));
        (safe && (1..=200).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    Running(QueryId),
    Done(Table),
    /// The console could not answer; its own words.
    Failed(Untrusted),
}

/// Rows of the customer's own sites, cells as text in the order of `columns`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// Rows of others, or of nobody, that the console returned all the same.
    pub foreign: usize,
    /// There were more rows than are read.
    pub cut: bool,
    pub raw: Value,
}

impl Table {
    pub fn cell<'a>(&self, row: &'a [Option<Untrusted>], column: &str) -> Option<&'a Untrusted> {
        let at = self.columns.iter().position(|name| name == column)?;
        row.get(at)?.as_ref()
    }
}

pub(crate) async fn ask(
    caller: &Caller,
    query: &str,
    accounts: &[String],
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Progress, Error> {
    if query.len() > MAX_QUERY {
        return Err(Error::Unsendable("the query is longer than the console takes"));
    }
    let mut body = Map::from_iter([
        ("query".to_owned(), json!(query)),
        ("fromDate".to_owned(), json!(time(from))),
        ("toDate".to_owned(), json!(time(to))),
        ("limit".to_owned(), json!(MAX_ROWS)),
    ]);
    for (name, ids) in caller.console.scope.filters() {
        body.insert(name.to_owned(), ids.iter().map(ToString::to_string).collect());
    }
    // A question that names sites without their account is answered for the whole console.
    body.entry("accountIds").or_insert_with(|| json!(accounts));
    let request = caller.request(Method::Post, Family::PowerQuery, "/dv/events/pq")?;
    let request = request.body("application/json", Value::Object(body).to_string().into_bytes());
    read(caller, caller.send(request, false, now).await?)
}

pub(crate) async fn look(caller: &Caller, id: &QueryId, now: Timestamp) -> Result<Progress, Error> {
    let path = format!("/dv/events/pq-ping?queryId={}", id.0);
    let request = caller.request(Method::Get, Family::PowerQuery, &path)?;
    read(caller, caller.send(request, false, now).await?)
}

fn read(caller: &Caller, mut answer: Value) -> Result<Progress, Error> {
    let malformed = |what: &str| Error::Malformed { what: what.into(), in_doubt: false };
    let data = answer.get_mut("data").map(Value::take).unwrap_or_default();
    let row = Row(&data);
    match row.text("status").map(|status| word(&status)).as_deref() {
        Some("finished") => table(caller, data).map(Progress::Done),
        Some("running" | "planning" | "query_running" | "events_running" | "created") => {
            let id = row.text("queryId").and_then(|id| QueryId::new(&id));
            id.map(Progress::Running).ok_or_else(|| malformed("a running query has no usable id"))
        }
        Some(_) => Ok(Progress::Failed(row.first_untrusted(&["responseError", "status"]).unwrap_or_default())),
        None => Err(malformed("it does not say how far the query is")),
    }
}

fn table(caller: &Caller, raw: Value) -> Result<Table, Error> {
    let malformed = |what: &str| Error::Malformed { what: what.into(), in_doubt: false };
    let columns: Vec<String> =
        Row(&raw).rows("columns").map(|column| column.text("name").unwrap_or_default().into_owned()).collect();
    let found = raw.get("data").and_then(Value::as_array).ok_or_else(|| malformed("it holds no rows"))?;
    if columns.is_empty() && !found.is_empty() {
        return Err(malformed("its rows have no columns"));
    }
    let (site, account) = (at(&columns, "site.id"), at(&columns, "account.id"));
    let mut table = Table { columns, cut: found.len() > MAX_ROWS, ..Table::default() };
    for cells in found.iter().take(MAX_ROWS).filter_map(Value::as_array) {
        let id = |place: Option<usize>| text(cells.get(place?)?);
        if caller.console.scope.check_ids(id(site).as_deref(), id(account).as_deref()).is_ok() {
            table.rows.push(cells.iter().map(|cell| Untrusted::some(text(cell).as_deref())).collect());
        } else {
            table.foreign += 1;
        }
    }
    // What is kept as evidence must not hold another customer's rows.
    if table.foreign == 0 {
        table.raw = raw;
    }
    Ok(table)
}

fn at(columns: &[String], name: &str) -> Option<usize> {
    columns.iter().position(|column| column == name)
}

fn text(cell: &Value) -> Option<String> {
    match cell {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
