//! One list into the tables of the intelligence file. A bad line is refused with its reason, the rest is kept.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use domain::Timestamp;
use redb::{ReadableTable, TableDefinition};

use super::entry::Entry;
use super::{Format, json, text};
use crate::file::{self, About, Draft, Feed, Import};

/// Entries, numbered through all lists: see `Entry::row`.
pub(super) const ENTRIES: TableDefinition<u32, &[u8]> = TableDefinition::new("ioc_entries");
/// Which numbers belong to a list: the first, and how many.
pub(super) const RANGES: TableDefinition<u32, (u32, u32)> = TableDefinition::new("ioc_ranges");
/// No file unpacks to more.
pub(super) const MAX_FILE_BYTES: u64 = 4 << 30;

/// Imports one list into the draft, all of it or nothing. It replaces what was there under its name.
pub fn import(draft: &Draft, name: &str, format: Format, path: &Path, now: Timestamp) -> Result<Feed, Error> {
    let about = About {
        name: name.to_owned(),
        kind: format.kind(),
        format: format.name().to_owned(),
        source_date: None,
        licence: None,
    };
    let mut import = draft.begin_import(about, now)?;
    let mut target = Target::of(&import)?;
    let source = open(path)?.take(MAX_FILE_BYTES);
    {
        let transaction = import.transaction();
        let mut entries = transaction.open_table(ENTRIES).map_err(file::Error::from)?;
        // Refusals wait until the table, which borrows the import, is closed; only the first are kept with their reason.
        let mut sink = |line: u64, entry: Result<Entry, String>| -> Result<(), Error> {
            match entry {
                Ok(entry) => {
                    let row = target.next.ok_or(Error::Full)?;
                    entries.insert(row, entry.row().as_slice()).map_err(file::Error::from)?;
                    target.next = row.checked_add(1);
                    target.count += 1;
                }
                Err(why) => target.refuse(line, why),
            }
            Ok(())
        };
        match format {
            Format::Plain => text::plain(path, source, &mut sink)?,
            Format::Commented => text::commented(path, source, &mut sink)?,
            Format::Csv => text::csv(path, source, &mut sink)?,
            Format::MispWarnings => json::warnings(path, source, &mut sink)?,
            Format::MispEvent => json::event(path, source, &mut sink)?,
            Format::Stix => json::stix(path, source, &mut sink)?,
        }
        let mut ranges = transaction.open_table(RANGES).map_err(file::Error::from)?;
        ranges.insert(import.id(), (target.first, target.count)).map_err(file::Error::from)?;
    }
    import.count(u64::from(target.count));
    for at in 0..target.refused {
        match target.reasons.get(usize::try_from(at).unwrap_or(usize::MAX)) {
            Some((line, why)) => import.refuse(*line, why.clone()),
            None => import.refuse(0, ""),
        }
    }
    Ok(import.commit()?)
}

/// Where entries and refusals of a reader go.
pub(super) type Sink<'a> = dyn FnMut(u64, Result<Entry, String>) -> Result<(), Error> + 'a;

struct Target {
    first: u32,
    next: Option<u32>,
    count: u32,
    refused: u64,
    reasons: Vec<(u64, String)>,
}

impl Target {
    /// Removes the list's earlier entries and finds free numbers behind all others.
    fn of(import: &Import) -> Result<Self, Error> {
        let transaction = import.transaction();
        let mut ranges = transaction.open_table(RANGES).map_err(file::Error::from)?;
        let before = ranges.remove(import.id()).map_err(file::Error::from)?.map(|range| range.value());
        if let Some((first, count)) = before {
            let mut entries = transaction.open_table(ENTRIES).map_err(file::Error::from)?;
            let gone = first..first.saturating_add(count);
            entries.retain_in(gone, |_, _| false).map_err(file::Error::from)?;
        }
        let mut first = 0;
        for range in ranges.iter().map_err(file::Error::from)? {
            let (start, count) = range.map_err(file::Error::from)?.1.value();
            first = first.max(start.saturating_add(count));
        }
        Ok(Self { first, next: Some(first), count: 0, refused: 0, reasons: Vec::new() })
    }

    fn refuse(&mut self, line: u64, why: String) {
        self.refused += 1;
        if self.reasons.len() < file::MAX_REFUSED_KEPT {
            self.reasons.push((line, why));
        }
    }
}

/// Also `.gz`.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    let file = BufReader::new(File::open(path).map_err(|e| Error::read(path, e))?);
    let is_packed = path.extension().is_some_and(|e| e == "gz");
    Ok(if is_packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read `{path}`: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("`{path}` is not of this form: {why}")]
    Form { path: String, why: String },
    #[error("the numbers for entries are used up: import the lists again into a new file")]
    Full,
    #[error(transparent)]
    File(#[from] file::Error),
}

impl Error {
    pub(super) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.display().to_string(), source }
    }

    pub(super) fn form(path: &Path, why: impl Into<String>) -> Self {
        Self::Form { path: path.display().to_string(), why: why.into() }
    }
}
