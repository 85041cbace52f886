//! Events of a data folder: JSON lines, the same in gzip, or EVTX. Bounded; one bad line or record never loses the rest.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use evtx::EvtxParser;
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::load::{Error, at};

const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;
const MAX_UNPACKED_BYTES: u64 = 1024 * 1024 * 1024;
const MAX_EVTX_BYTES: u64 = 256 * 1024 * 1024;
const MAX_FILES: usize = 10_000;

/// Records of one file, and how many could not be read.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub records: Vec<Value>,
    pub bad: usize,
}

pub(crate) fn records(path: &Path) -> Result<Records, Error> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("evtx")) { evtx(path) } else { lines(path) }
}

/// JSON lines; blank ones are none.
pub(crate) fn lines(path: &Path) -> Result<Records, Error> {
    let file = File::open(path).map_err(at(path))?;
    let zipped = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let source: Box<dyn Read> = if zipped { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut reader = BufReader::new(source.take(MAX_UNPACKED_BYTES));
    let mut found = Records::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(at(path))?;
        if read == 0 {
            return Ok(found);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(record) => found.records.push(record),
            Err(_) => found.bad += 1,
        }
    }
}

fn evtx(path: &Path) -> Result<Records, Error> {
    let size = fs::metadata(path).map_err(at(path))?.len();
    if size > MAX_EVTX_BYTES {
        return Err(Error::TooMuch { path: path.to_owned(), limit: format!("{MAX_EVTX_BYTES} bytes") });
    }
    let bytes = fs::read(path).map_err(at(path))?;
    let mut parser =
        EvtxParser::from_buffer(bytes).map_err(|e| Error::Form { path: path.to_owned(), why: e.to_string() })?;
    let mut found = Records::default();
    for record in parser.records_json() {
        match record.ok().and_then(|record| serde_json::from_str(&record.data).ok()) {
            Some(record) => found.records.push(record),
            None => found.bad += 1,
        }
    }
    Ok(found)
}

/// Files of a folder by name, those with one of the endings.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        if endings.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
            found.push(path);
        }
        if found.len() > MAX_FILES {
            return Err(Error::TooMuch { path: folder.to_owned(), limit: format!("{MAX_FILES} files") });
        }
    }
    found.sort();
    Ok(found)
}
