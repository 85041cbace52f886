//! Public feeds into the tables of the intelligence file, each in the form its publisher gives it.
//!
//! A bad record is refused with its place and the rest is kept. Snapshots (KEV, EPSS, life cycles, packages, updates) replace
//! what was there; CVE records replace their own earlier form.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use domain::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use redb::{TableDefinition, WriteTransaction};

use super::microsoft::{self, Product};
use super::record::Record;
use super::{EPSS, KEV, LIFECYCLES, PACKAGES, PRODUCTS, RECORDS, UPDATES, cve, feeds, names};
use crate::file::{self, About, Draft, Feed, Kind};

/// No single record is longer.
const MAX_RECORD_BYTES: u64 = 16 << 20;
/// No file unpacks to more.
const MAX_FILE_BYTES: u64 = 8 << 30;
const MAX_DEPTH: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CVE records of schema 5: a file, a folder of files, or one a line, plain or `.gz`, or a `.zip` of files.
    CveRecords,
    /// CISA's catalogue.
    Kev,
    /// FIRST's CSV, plain or `.gz`.
    Epss,
    /// Products of endoflife.date, one JSON a line.
    EndOfLife,
    /// purl2cpe's pairs as CSV.
    Packages,
    /// The definitions of wesng: a `.zip` of CSV files.
    MicrosoftUpdates,
}

impl Format {
    pub const ALL: [Self; 6] =
        [Self::CveRecords, Self::Kev, Self::Epss, Self::EndOfLife, Self::Packages, Self::MicrosoftUpdates];

    pub fn name(self) -> &'static str {
        match self {
            Self::CveRecords => "cve-5",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::EndOfLife => "endoflife",
            Self::Packages => "purl2cpe",
            Self::MicrosoftUpdates => "wesng",
        }
    }
}

/// What came in, what did not, and how old the source says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub records: u64,
    pub refused: Vec<(u64, String)>,
    pub source_date: Option<Date>,
}

/// Imports one feed into the draft, all of it or nothing.
pub fn import(draft: &Draft, name: &str, format: Format, path: &Path, now: Timestamp) -> Result<Feed, Error> {
    let about = About {
        name: name.to_owned(),
        kind: Kind::Vulnerabilities,
        format: format.name().to_owned(),
        source_date: None,
        licence: None,
    };
    let mut import = draft.begin_import(about, now)?;
    let tally = read_into(import.transaction(), format, path)?;
    import.count(tally.records);
    for (line, why) in tally.refused {
        import.refuse(line, why);
    }
    let dated = tally
        .source_date
        .and_then(|day| TimeZone::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok());
    import.about().source_date = dated;
    Ok(import.commit()?)
}

/// Writes one feed's rows.
pub fn read_into(transaction: &WriteTransaction, format: Format, path: &Path) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    match format {
        Format::CveRecords => records(transaction, path, &mut tally)?,
        Format::Kev => {
            let mut text = Vec::new();
            open(path)?.take(MAX_RECORD_BYTES * 4).read_to_end(&mut text).map_err(|e| Error::read(path, e))?;
            let catalogue = feeds::kev(&text).map_err(|why| Error::Form { path: path.display().to_string(), why })?;
            tally.source_date = catalogue.released;
            let mut table = emptied(transaction, KEV)?;
            for (at, entry) in catalogue.entries.into_iter().enumerate() {
                match entry {
                    Ok((cve, kev)) => {
                        table.insert(cve.as_str(), bytes(&kev).as_slice()).map_err(file::Error::from)?;
                        tally.records += 1;
                    }
                    Err(why) => tally.refused.push((at as u64 + 1, why)),
                }
            }
        }
        Format::Epss => {
            transaction.delete_table(EPSS).map_err(file::Error::from)?;
            let mut table = transaction.open_table(EPSS).map_err(file::Error::from)?;
            lines(path, |at, line| {
                if at == 1 {
                    tally.source_date = feeds::epss_day(line);
                }
                match feeds::epss(line) {
                    Ok(None) => {}
                    Ok(Some((cve, epss))) => {
                        table.insert(cve.as_str(), (epss.probability, epss.percentile)).map_err(file::Error::from)?;
                        tally.records += 1;
                    }
                    Err(why) => tally.refused.push((at, why)),
                }
                Ok(())
            })?;
        }
        Format::EndOfLife => {
            let mut table = emptied(transaction, LIFECYCLES)?;
            lines(path, |at, line| {
                match feeds::lifecycle(line.as_bytes()) {
                    Ok(life) => {
                        for key in life.names.iter().flat_map(|(vendor, product)| names::product_keys(vendor, product))
                        {
                            table.insert(key.as_str(), bytes(&life).as_slice()).map_err(file::Error::from)?;
                        }
                        let newest = life.lines.iter().filter_map(|line| line.latest_on).max();
                        tally.source_date = tally.source_date.max(newest);
                        tally.records += 1;
                    }
                    Err(why) => tally.refused.push((at, why)),
                }
                Ok(())
            })?;
        }
        Format::Packages => {
            let mut products: std::collections::BTreeMap<String, Vec<(String, String)>> =
                std::collections::BTreeMap::new();
            lines(path, |_, line| {
                if let Some((name, vendor, product)) = feeds::package(line) {
                    products.entry(name).or_default().push((vendor, product));
                    tally.records += 1;
                }
                Ok(())
            })?;
            let mut table = emptied(transaction, PACKAGES)?;
            for (name, products) in products {
                table.insert(name.as_str(), bytes(&products).as_slice()).map_err(file::Error::from)?;
            }
        }
        Format::MicrosoftUpdates => updates(transaction, path, &mut tally)?,
    }
    Ok(tally)
}

fn records(transaction: &WriteTransaction, path: &Path, tally: &mut Tally) -> Result<(), Error> {
    let mut place = 0;
    let mut one = |text: &[u8], tally: &mut Tally| -> Result<(), Error> {
        place += 1;
        match cve::read(text) {
            Ok(Some(record)) => {
                keep(transaction, &record)?;
                tally.source_date = tally.source_date.max(record.published);
                tally.records += 1;
            }
            Ok(None) => {}
            Err(why) => tally.refused.push((place, why)),
        }
        Ok(())
    };
    if path.is_dir() {
        return folder(path, 0, &mut |text| one(text, tally));
    }
    if path.extension().is_some_and(|e| e == "zip") {
        return zipped(
            path,
            |name| name.ends_with(".json"),
            |entry| {
                let mut text = Vec::new();
                entry.take(MAX_RECORD_BYTES).read_to_end(&mut text).map_err(|e| Error::read(path, e))?;
                one(&text, tally)
            },
        );
    }
    if path.extension().is_some_and(|e| e == "json") {
        let mut text = Vec::new();
        open(path)?.take(MAX_RECORD_BYTES).read_to_end(&mut text).map_err(|e| Error::read(path, e))?;
        return one(&text, tally);
    }
    lines(path, |_, line| one(line.as_bytes(), tally))
}

fn keep(transaction: &WriteTransaction, record: &Record) -> Result<(), Error> {
    let mut table = transaction.open_table(RECORDS).map_err(file::Error::from)?;
    let mut products = transaction.open_table(PRODUCTS).map_err(file::Error::from)?;
    let key = format!("{}\0{}", record.cve, record.source.name());
    let before = table.insert(key.as_str(), bytes(record).as_slice()).map_err(file::Error::from)?;
    // A product that the new form no longer names stays filed: a look-up reads the record itself and finds it absent.
    drop(before);
    for affected in &record.affected {
        for key in names::product_keys(&affected.vendor, &affected.product) {
            products.insert((key.as_str(), record.cve.as_str()), ()).map_err(file::Error::from)?;
        }
    }
    Ok(())
}

fn updates(transaction: &WriteTransaction, path: &Path, tally: &mut Tally) -> Result<(), Error> {
    let mut products = std::collections::BTreeMap::<String, Product>::new();
    zipped(
        path,
        |name| name.ends_with(".csv"),
        |entry| {
            for (name, product) in microsoft::read(entry, |line, why| tally.refused.push((line, why))) {
                products.entry(name).or_default().rows.extend(product.rows);
            }
            Ok(())
        },
    )?;
    let mut table = emptied(transaction, UPDATES)?;
    for (name, product) in products {
        tally.records += product.rows.len() as u64;
        tally.source_date = tally.source_date.max(product.rows.iter().filter_map(|row| row.posted).max());
        table.insert(name.as_str(), pack(&product).as_slice()).map_err(file::Error::from)?;
    }
    Ok(())
}

fn pack(product: &Product) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing into memory does not fail.
    let _ = packer.write_all(&bytes(product));
    packer.finish().unwrap_or_default()
}

pub(super) fn unpack(packed: &[u8]) -> Product {
    let mut text = Vec::new();
    let read = flate2::read::DeflateDecoder::new(packed).take(256 << 20).read_to_end(&mut text);
    read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Our own types with text keys: they always become JSON.
fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn emptied<'t>(
    transaction: &'t WriteTransaction,
    table: TableDefinition<&'static str, &'static [u8]>,
) -> Result<redb::Table<'t, &'static str, &'static [u8]>, Error> {
    transaction.delete_table(table).map_err(file::Error::from)?;
    Ok(transaction.open_table(table).map_err(file::Error::from)?)
}

pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Error> {
    let file = BufReader::new(File::open(path).map_err(|e| Error::read(path, e))?);
    let packed = path.extension().is_some_and(|e| e == "gz");
    Ok(if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Calls for every line with its number. A line that is too long or not text ends the file with an error.
fn lines(path: &Path, mut with: impl FnMut(u64, &str) -> Result<(), Error>) -> Result<(), Error> {
    let mut reader = BufReader::new(open(path)?.take(MAX_FILE_BYTES));
    let (mut line, mut at) = (Vec::new(), 0);
    loop {
        line.clear();
        let read =
            (&mut reader).take(MAX_RECORD_BYTES).read_until(b'\n', &mut line).map_err(|e| Error::read(path, e))?;
        if read == 0 {
            return Ok(());
        }
        at += 1;
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            with(at, text.trim_end())?;
        }
    }
}

fn folder(path: &Path, depth: usize, with: &mut impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let entries = std::fs::read_dir(path).map_err(|e| Error::read(path, e))?;
    let mut entries: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() && depth < MAX_DEPTH {
            folder(&entry, depth + 1, with)?;
        } else if entry.extension().is_some_and(|e| e == "json") {
            let mut text = Vec::new();
            open(&entry)?.take(MAX_RECORD_BYTES).read_to_end(&mut text).map_err(|e| Error::read(&entry, e))?;
            with(&text)?;
        }
    }
    Ok(())
}

fn zipped(
    path: &Path,
    wanted: impl Fn(&str) -> bool,
    mut with: impl FnMut(&mut dyn Read) -> Result<(), Error>,
) -> Result<(), Error> {
    let form = |why: zip::result::ZipError| Error::Form { path: path.display().to_string(), why: why.to_string() };
    let file = BufReader::new(File::open(path).map_err(|e| Error::read(path, e))?);
    let mut archive = zip::ZipArchive::new(file).map_err(form)?;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(form)?;
        if entry.name().is_ok_and(|name| wanted(&name)) {
            with(&mut entry.take(MAX_FILE_BYTES))?;
        }
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read `{path}`: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("`{path}` is not of this form: {why}")]
    Form { path: String, why: String },
    #[error(transparent)]
    File(#[from] file::Error),
}

impl Error {
    fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.display().to_string(), source }
    }
}
