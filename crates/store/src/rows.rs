//! Small things that every statement needs: many rows in one statement, times as numbers, JSON as text.

use domain::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::Error;

/// "Never", for columns that sort by time.
pub(crate) const NEVER: i64 = i64::MAX;

/// Rows per statement. More save little: the driver looks the name of each of SQLite's parameters up by going through all
/// of them, so that a statement of seven thousand spends most of its time there.
pub(crate) const ROWS_PER_STATEMENT: usize = 50;

/// Values per list of things to look for.
pub(crate) const VALUES_PER_STATEMENT: usize = 200;

/// `($1, $2), ($3, $4)` for `rows` rows of `columns` columns.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 7);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=columns {
            if column > 1 {
                text.push_str(", ");
            }
            text.push('$');
            text.push_str(&(row * columns + column).to_string());
        }
        text.push(')');
    }
    text
}

/// `($from), …`: a column of `count` values.
pub(crate) fn values_from(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("(${n})")).collect::<Vec<_>>().join(", ")
}

/// `$from, …` for an `IN (…)` list.
pub(crate) fn placeholders(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// Text from outside for a text column. PostgreSQL cannot store NUL, and one such record must not hold a whole batch up;
/// JSON writes it as an escape and needs none of this.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(crate) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

pub(crate) fn to_json<T: Serialize>(what: &'static str, key: &str, value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Corrupt { what, key: key.to_owned(), why: e.to_string() })
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, key: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|e| Error::Corrupt { what, key: key.to_owned(), why: e.to_string() })
}

/// Reads a column that this program wrote.
pub(crate) fn text(row: &AnyRow, column: &'static str) -> Result<String, Error> {
    row.try_get(column).map_err(Error::database("read a stored row"))
}

pub(crate) fn number(row: &AnyRow, column: &'static str) -> Result<i64, Error> {
    row.try_get(column).map_err(Error::database("read a stored row"))
}

pub(crate) fn parsed<T: std::str::FromStr>(row: &AnyRow, what: &'static str, column: &'static str) -> Result<T, Error>
where
    T::Err: std::fmt::Display,
{
    let value = text(row, column)?;
    value.parse().map_err(|e: T::Err| Error::Corrupt { what, key: value.clone(), why: e.to_string() })
}
