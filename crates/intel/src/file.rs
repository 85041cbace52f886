//! The one file that lists and vulnerability data are imported into, and the register of what is in it.
//!
//! Readers share an edition that never changes under them. An import works on a draft beside it, and `Draft::publish` puts the
//! draft in its place in one step: a failed or interrupted import leaves the edition before it. The tables belong to the modules
//! that fill them; here is only the format's version and who was imported, when, and what of it was refused.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use redb::{
    Builder, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition,
    WriteTransaction,
};
use serde::{Deserialize, Serialize};

/// Counts up when a table's form changes; a file of another format is refused, since importing again is cheap.
pub const FORMAT: u32 = 1;
/// Most refused lines kept with their reason; `Feed::refused` counts them all.
pub const MAX_REFUSED_KEPT: usize = 100;
/// Pages that redb keeps in memory: a look-up reads a few, an import writes many.
const READ_CACHE_BYTES: usize = 16 << 20;
const WRITE_CACHE_BYTES: usize = 256 << 20;

const META: TableDefinition<&str, u32> = TableDefinition::new("meta");
const FEEDS: TableDefinition<u32, &[u8]> = TableDefinition::new("feeds");

/// A published edition, open for reading.
pub struct IntelFile {
    database: ReadOnlyDatabase,
    path: PathBuf,
}

impl IntelFile {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let database = Builder::new().set_cache_size(READ_CACHE_BYTES).open_read_only(path);
        let database = database.map_err(|e| Error::open(path, e))?;
        let found = format_of(&database.begin_read()?)?;
        if found != Some(FORMAT) {
            return Err(Error::Format { path: path.to_owned(), found });
        }
        Ok(Self { database, path: path.to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One consistent view. Tables that no import has made yet answer `TableDoesNotExist`; see `table_or_none`.
    pub fn read(&self) -> Result<ReadTransaction, Error> {
        Ok(self.database.begin_read()?)
    }

    /// What was imported, by id.
    pub fn feeds(&self) -> Result<Vec<Feed>, Error> {
        let transaction = self.read()?;
        let Some(table) = table_or_none(transaction.open_table(FEEDS))? else { return Ok(Vec::new()) };
        table.iter()?.map(|row| Feed::from_row(row?.1.value())).collect()
    }
}

/// A table that may not be there yet, as long as nothing of its kind was imported.
pub fn table_or_none<T>(opened: Result<T, redb::TableError>) -> Result<Option<T>, Error> {
    match opened {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// The next edition, being written. Only one at a time; dropped without `publish`, it leaves no trace in the edition.
pub struct Draft {
    database: Database,
    path: PathBuf,
    draft: PathBuf,
    /// Held until the end: a second import waits for nobody, it is told so.
    _lock: File,
}

impl Draft {
    /// Starts from the edition at `path`, or from nothing.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let lock = lock(path)?;
        let draft = beside(path, "draft");
        if path.exists() {
            IntelFile::open(path)?;
            fs::copy(path, &draft).map_err(|e| Error::io(&draft, e))?;
        } else if draft.exists() {
            fs::remove_file(&draft).map_err(|e| Error::io(&draft, e))?;
        }
        let database = Builder::new().set_cache_size(WRITE_CACHE_BYTES).create(&draft);
        let database = database.map_err(|e| Error::open(&draft, e))?;
        let transaction = database.begin_write()?;
        transaction.open_table(META)?.insert("format", FORMAT)?;
        transaction.open_table(FEEDS)?;
        transaction.commit()?;
        Ok(Self { database, path: path.to_owned(), draft, _lock: lock })
    }

    /// All rows of one feed go in together or not at all. A feed of the same kind and name is replaced: it keeps its id, and its
    /// rows of before are for the caller to remove (`Import::replaces`).
    pub fn begin_import(&self, about: About, now: Timestamp) -> Result<Import, Error> {
        let transaction = self.database.begin_write()?;
        let (mut last, mut before) = (0, None);
        for row in transaction.open_table(FEEDS)?.iter()? {
            let feed = Feed::from_row(row?.1.value())?;
            last = last.max(feed.id);
            if feed.about.kind == about.kind && feed.about.name == about.name {
                before = Some(feed);
            }
        }
        let id = before.as_ref().map_or(last + 1, |feed| feed.id);
        let feed = Feed { id, about, imported_at: now, records: 0, refused: 0, refused_lines: Vec::new() };
        Ok(Import { transaction, feed, before })
    }

    /// Gives back what deleted rows held, and puts the draft in the edition's place.
    pub fn publish(mut self) -> Result<IntelFile, Error> {
        self.database.compact().map_err(redb::Error::from)?;
        self.database.close()?;
        File::open(&self.draft).and_then(|file| file.sync_all()).map_err(|e| Error::io(&self.draft, e))?;
        fs::rename(&self.draft, &self.path).map_err(|e| Error::io(&self.path, e))?;
        IntelFile::open(&self.path)
    }
}

/// One feed on its way in.
pub struct Import {
    transaction: WriteTransaction,
    feed: Feed,
    before: Option<Feed>,
}

impl Import {
    pub fn id(&self) -> u32 {
        self.feed.id
    }

    /// The import before this one under the same id, whose rows are still there.
    pub fn replaces(&self) -> Option<&Feed> {
        self.before.as_ref()
    }

    /// For the tables of the module that imports.
    pub fn transaction(&self) -> &WriteTransaction {
        &self.transaction
    }

    pub fn count(&mut self, records: u64) {
        self.feed.records += records;
    }

    /// One bad line never loses the rest; it is counted, and the first hundred are kept with their reason.
    pub fn refuse(&mut self, line: u64, why: impl Into<String>) {
        self.feed.refused += 1;
        if self.feed.refused_lines.len() < MAX_REFUSED_KEPT {
            self.feed.refused_lines.push(RefusedLine { line, why: why.into() });
        }
    }

    /// What the content itself says of its age, licence or name.
    pub fn about(&mut self) -> &mut About {
        &mut self.feed.about
    }

    pub fn commit(self) -> Result<Feed, Error> {
        let row = serde_json::to_vec(&self.feed).map_err(Error::Register)?;
        self.transaction.open_table(FEEDS)?.insert(self.feed.id, row.as_slice())?;
        self.transaction.commit()?;
        Ok(self.feed)
    }
}

/// What one import brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    pub id: u32,
    #[serde(flatten)]
    pub about: About,
    pub imported_at: Timestamp,
    pub records: u64,
    pub refused: u64,
    pub refused_lines: Vec<RefusedLine>,
}

/// What is known of a feed before its first line is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub name: String,
    pub kind: Kind,
    /// The form it was read as: `misp-warninglist`, `stix-2`, `kev`.
    pub format: String,
    /// The day the source gives for its content, when it gives one.
    pub source_date: Option<Timestamp>,
    pub licence: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Values that somebody holds for bad.
    Indicators,
    /// Values that many lists get wrong.
    Warnings,
    /// The customer's own.
    Allowed,
    Vulnerabilities,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedLine {
    pub line: u64,
    pub why: String,
}

impl Feed {
    fn from_row(row: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(row).map_err(Error::Register)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not open `{path}` as an intelligence file: {source}", path = path.display())]
    Open { path: PathBuf, source: Box<redb::Error> },
    #[error("`{path}` {}: import the feeds again into a new file", said_of_format(*found), path = path.display())]
    Format { path: PathBuf, found: Option<u32> },
    #[error("another import into `{path}` is under way", path = path.display())]
    Busy { path: PathBuf },
    #[error("could not write `{path}`: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the intelligence file failed: {0}")]
    Database(#[source] Box<redb::Error>),
    #[error("the register of feeds could not be read or written: {0}")]
    Register(#[source] serde_json::Error),
}

impl Error {
    fn open(path: &Path, source: impl Into<redb::Error>) -> Self {
        Self::Open { path: path.to_owned(), source: Box::new(source.into()) }
    }

    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

macro_rules! from_redb {
    ($($kind:ident),*) => {$(
        impl From<redb::$kind> for Error {
            fn from(error: redb::$kind) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}
from_redb!(Error, DatabaseError, TransactionError, TableError, StorageError, CommitError);

impl std::fmt::Debug for IntelFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntelFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("path", &self.path).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("feed", &self.feed).finish_non_exhaustive()
    }
}

fn format_of(transaction: &ReadTransaction) -> Result<Option<u32>, Error> {
    let Some(table) = table_or_none(transaction.open_table(META))? else { return Ok(None) };
    Ok(table.get("format")?.map(|found| found.value()))
}

fn said_of_format(found: Option<u32>) -> String {
    match found {
        Some(other) => format!("has format {other}, this program reads {FORMAT}"),
        None => "is no intelligence file".to_owned(),
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let lock = beside(path, "lock");
    let file = File::options().create(true).truncate(false).write(true).open(&lock);
    let file = file.map_err(|e| Error::io(&lock, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Busy { path: path.to_owned() }),
        Err(fs::TryLockError::Error(e)) => Err(Error::io(&lock, e)),
    }
}

/// `intel.redb` and `intel.redb.draft`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(name: &str) -> About {
        About {
            name: name.into(),
            kind: Kind::Indicators,
            format: "plain".into(),
            source_date: None,
            licence: Some("CC0 1.0".into()),
        }
    }

    #[test]
    fn readers_keep_their_edition_until_the_next_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("intel.redb");
        let draft = Draft::of(&path).unwrap();
        let mut import = draft.begin_import(about("first"), Timestamp::UNIX_EPOCH).unwrap();
        import.count(2);
        (0..200).for_each(|line| import.refuse(line, "no indicator"));
        import.commit().unwrap();
        let reader = draft.publish().unwrap();

        let abandoned = Draft::of(&path).unwrap();
        assert!(matches!(Draft::of(&path), Err(Error::Busy { .. })));
        abandoned.begin_import(about("never"), Timestamp::UNIX_EPOCH).unwrap().commit().unwrap();
        drop(abandoned);

        let draft = Draft::of(&path).unwrap();
        let again = draft.begin_import(about("first"), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(again.replaces().map(|feed| feed.records), Some(2));
        again.commit().unwrap();
        draft.begin_import(about("second"), Timestamp::UNIX_EPOCH).unwrap().commit().unwrap();
        let next = draft.publish().unwrap();

        let names = |file: &IntelFile| {
            file.feeds().unwrap().into_iter().map(|f| (f.id, f.about.name, f.records, f.refused)).collect::<Vec<_>>()
        };
        assert_eq!(names(&reader), [(1, "first".to_owned(), 2, 200)]);
        assert_eq!(reader.feeds().unwrap()[0].refused_lines.len(), MAX_REFUSED_KEPT);
        assert_eq!(names(&next), [(1, "first".to_owned(), 0, 0), (2, "second".to_owned(), 0, 0)]);
    }

    #[test]
    fn a_file_of_another_making_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("intel.redb");
        fs::write(&path, "not ours").unwrap();
        assert!(matches!(IntelFile::open(&path), Err(Error::Open { .. })));
        assert!(Draft::of(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"not ours");

        let other = folder.path().join("other.redb");
        drop(Database::create(&other).unwrap());
        assert!(matches!(IntelFile::open(&other), Err(Error::Format { found: None, .. })));
    }
}
