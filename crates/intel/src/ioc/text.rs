//! Lists of lines: plain, `value;comment`, and CSV with a header.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use domain::Timestamp;
use domain::ioc::Ioc;

use super::Error;
use super::entry::{Detail, Entry, shown};
use super::import::Sink;

/// A longer line is refused.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// One value a line. `# Reference:` above a block of values is taken as theirs, as maltrail writes it.
pub(super) fn plain(path: &Path, source: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
    let (mut reference, mut is_used) = (None, false);
    lines(path, source, |at, line| {
        let Ok(line) = line else { return sink(at, Err("the line is too long".to_owned())) };
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(link) = comment.trim().strip_prefix("Reference:").filter(|_| is_used || reference.is_none()) {
                (reference, is_used) = (Some(link.trim().to_owned()), false);
            }
            return Ok(());
        }
        let (value, comment) = line.split_once(" #").map_or((line, None), |(value, comment)| (value, Some(comment)));
        // A few lists of single values put a score behind some.
        let (value, score) = value.split_once(';').unwrap_or((value, ""));
        let value = if score.bytes().all(|b| b.is_ascii_digit()) { value } else { line };
        is_used = true;
        let detail =
            Detail { label: comment.map(|c| c.trim().to_owned()), reference: reference.clone(), ..Detail::default() };
        sink(at, Entry::read(value, detail))
    })
}

/// `HASH;COMMENT`, `ADDRESS;SCORE`; without a `;` it is all value.
pub(super) fn commented(path: &Path, source: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
    lines(path, source, |at, line| {
        let Ok(line) = line else { return sink(at, Err("the line is too long".to_owned())) };
        if line.starts_with('#') {
            return Ok(());
        }
        let (value, comment) = line.split_once(';').map_or((line, None), |(value, comment)| (value, Some(comment)));
        // A bare number is the source's own score.
        let label = comment.map(str::trim).filter(|c| !c.bytes().all(|b| b.is_ascii_digit())).map(str::to_owned);
        sink(at, Entry::read(value, Detail { label, ..Detail::default() }))
    })
}

pub(super) fn is_commented_value(line: &str) -> bool {
    let value = line.split_once(';').map(|(value, _)| value.trim());
    value.is_some_and(|value| matches!(Ioc::parse(value), Some(Ioc::Hash(_) | Ioc::Ip(_) | Ioc::Domain(_))))
}

/// Every column that names a value gives an entry of its own; label, time and reference are those of the row.
pub(super) fn csv(path: &Path, source: impl Read, sink: &mut Sink<'_>) -> Result<(), Error> {
    let mut columns = None;
    lines(path, source, |at, line| {
        let Ok(line) = line else { return sink(at, Err("the line is too long".to_owned())) };
        // abuse.ch comments its header out.
        if columns.is_none() {
            columns = csv_columns(line);
            return Ok(());
        }
        let Some(columns) = columns.as_ref().filter(|_| !line.starts_with('#')) else { return Ok(()) };
        let cells = cells(line);
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).map(|c| c.trim()).filter(|c| !is_blank(c));
        let label: Vec<&str> = columns.labels.iter().filter_map(|at| cell(Some(*at))).collect();
        let detail = Detail {
            label: Some(label.join(", ")),
            reference: cell(columns.reference).map(str::to_owned),
            first_seen: cell(columns.first_seen).and_then(time),
        };
        let mut is_empty = true;
        for value in columns.values.iter().filter_map(|at| cell(Some(*at))) {
            is_empty = false;
            sink(at, Entry::read(value, detail.clone()))?;
        }
        if is_empty { sink(at, Err(format!("no value in `{}`", shown(line)))) } else { Ok(()) }
    })?;
    if columns.is_none() {
        return Err(Error::form(
            path,
            "no header names a column of values (`sha256`, `ioc_value`, `url`, `dst_ip`, …)",
        ));
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    values: Vec<usize>,
    labels: Vec<usize>,
    reference: Option<usize>,
    first_seen: Option<usize>,
}

/// `None` for a line that is no header.
pub(super) fn csv_columns(line: &str) -> Option<Columns> {
    const VALUES: [&str; 17] = [
        "sha256",
        "sha256_hash",
        "sha1",
        "sha1_hash",
        "md5",
        "md5_hash",
        "ioc_value",
        "ioc",
        "indicator",
        "url",
        "domain",
        "hostname",
        "ip",
        "dst_ip",
        "ip_address",
        "email",
        "value",
    ];
    const LABELS: [&str; 12] = [
        "malware_printable",
        "malware",
        "signature",
        "family",
        "campaign",
        "threat",
        "threat_type",
        "category",
        "tags",
        "label",
        "comment",
        "description",
    ];
    const REFERENCES: [&str; 4] = ["reference", "urlhaus_link", "urlhaus_reference", "link"];
    const TIMES: [&str; 5] = ["first_seen_utc", "first_seen", "dateadded", "date_added", "firstseen"];
    let line = line.trim_start_matches('\u{feff}').trim_start_matches('#').trim();
    let names: Vec<String> = cells(line).iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    let at = |known: &[&str]| -> Vec<usize> {
        let find = |name: &&str| names.iter().position(|n| n == name);
        known.iter().filter_map(find).collect()
    };
    let mut labels = at(&LABELS);
    labels.truncate(2);
    let (reference, first_seen) = (at(&REFERENCES).first().copied(), at(&TIMES).first().copied());
    let values = at(&VALUES);
    // One column alone, called `url`, is a header only if nothing else could be meant.
    (!values.is_empty() && names.len() > 1 && names.iter().all(|name| Ioc::parse(name).is_none())).then_some(Columns {
        values,
        labels,
        reference,
        first_seen,
    })
}

/// Cells of one line; abuse.ch puts a blank between comma and quote, which makes no cell of its own.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if is_quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                is_quoted = true;
            }
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

fn is_blank(cell: &str) -> bool {
    matches!(cell, "" | "n/a" | "None" | "null" | "-" | "unknown")
}

/// `2026-11-24 17:00:01`, also with `UTC`, and the forms of RFC 3339.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches(" UTC");
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    })
}

/// Calls for every line that is not blank, trimmed; `Err` for one that is too long.
fn lines(
    path: &Path,
    source: impl Read,
    mut with: impl FnMut(u64, Result<&str, ()>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut reader, mut line, mut at) = (BufReader::new(source), Vec::new(), 0);
    loop {
        line.clear();
        let read = (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(|e| Error::read(path, e))?;
        if read == 0 {
            return Ok(());
        }
        at += 1;
        if read as u64 == MAX_LINE_BYTES && !line.ends_with(b"\n") {
            reader.skip_until(b'\n').map_err(|e| Error::read(path, e))?;
            with(at, Err(()))?;
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if !text.is_empty() {
            with(at, Ok(text))?;
        }
    }
}
