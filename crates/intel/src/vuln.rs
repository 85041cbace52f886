//! Known vulnerabilities of installed software, and whether a patch exists.
//!
//! `import` reads public feeds offline into the intelligence file; `Database` answers from it: what applies to the software and
//! the system of one endpoint, and what is known of one CVE. Every match says on what basis and how sure. It asks nobody over
//! the network, and where the data decide nothing it says nothing: no match is no proof of safety.

mod cve;
pub(crate) mod evaluation;
mod feeds;
mod import;
mod judge;
mod lookup;
mod microsoft;
mod names;
mod record;
mod score;
mod systeminfo;

use std::collections::BTreeSet;

use domain::vulnerability::{
    Basis, Doubt, Epss, Kev, Match, Patch, Published, Range, Software, Source, Sure, System, Title,
};
use domain::{Timestamp, Untrusted};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use redb::{ReadOnlyTable, ReadTransaction, TableDefinition};

use crate::file::{Error, IntelFile, Kind, table_or_none};
use feeds::Lifecycle;
use judge::{Installed, judge};
use names::Names;
use record::{Record, Standing};

pub use import::{Format, Tally, import, read_into};
pub use lookup::Explained;
pub use score::base_score;
pub use systeminfo::read as read_systeminfo;

/// `CVE-…` and source, with a NUL between → the record as JSON.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("vuln_records");
/// Product key, CVE → that some record of the CVE names the product.
const PRODUCTS: TableDefinition<(&str, &str), ()> = TableDefinition::new("vuln_products");
const KEV: TableDefinition<&str, &[u8]> = TableDefinition::new("vuln_kev");
const EPSS: TableDefinition<&str, (f64, f64)> = TableDefinition::new("vuln_epss");
/// Product key → its lines of releases as JSON.
const LIFECYCLES: TableDefinition<&str, &[u8]> = TableDefinition::new("vuln_lifecycles");
/// Package name → the products it may be, as JSON.
const PACKAGES: TableDefinition<&str, &[u8]> = TableDefinition::new("vuln_packages");
/// Microsoft's product name → its updates as JSON, deflated.
const UPDATES: TableDefinition<&str, &[u8]> = TableDefinition::new("vuln_updates");

/// Most software of one endpoint that is looked at, and most CVEs for one of them.
const MAX_SOFTWARE: usize = 5_000;
const MAX_CANDIDATES: usize = 20_000;

/// The vulnerability part of one edition of the intelligence file.
pub struct Database {
    records: Option<ReadOnlyTable<&'static str, &'static [u8]>>,
    products: Option<ReadOnlyTable<(&'static str, &'static str), ()>>,
    kev: Option<ReadOnlyTable<&'static str, &'static [u8]>>,
    epss: Option<ReadOnlyTable<&'static str, (f64, f64)>>,
    lifecycles: Option<ReadOnlyTable<&'static str, &'static [u8]>>,
    packages: Option<ReadOnlyTable<&'static str, &'static [u8]>>,
    updates: Option<ReadOnlyTable<&'static str, &'static [u8]>>,
    as_of: Option<Date>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

impl Database {
    pub fn open(file: &IntelFile) -> Result<Self, Error> {
        let feeds = file.feeds()?.into_iter().filter(|feed| feed.about.kind == Kind::Vulnerabilities);
        let oldest = feeds.map(|feed| feed.about.source_date.unwrap_or(feed.imported_at)).min();
        Self::of(&file.read()?, oldest.map(|at| TimeZone::UTC.to_datetime(at).date()))
    }

    pub(crate) fn of(transaction: &ReadTransaction, as_of: Option<Date>) -> Result<Self, Error> {
        Ok(Self {
            records: table_or_none(transaction.open_table(RECORDS))?,
            products: table_or_none(transaction.open_table(PRODUCTS))?,
            kev: table_or_none(transaction.open_table(KEV))?,
            epss: table_or_none(transaction.open_table(EPSS))?,
            lifecycles: table_or_none(transaction.open_table(LIFECYCLES))?,
            packages: table_or_none(transaction.open_table(PACKAGES))?,
            updates: table_or_none(transaction.open_table(UPDATES))?,
            as_of,
        })
    }

    /// The oldest date of the feeds in it. `None`: nothing was imported, so nothing can be said.
    pub fn as_of(&self) -> Option<Date> {
        self.as_of
    }

    /// What applies to the software of one endpoint, worst first: exploited, then by score.
    pub fn matches(&self, software: &[Software], system: &System, now: Timestamp) -> Result<Vec<Match>, Error> {
        let today = TimeZone::UTC.to_datetime(now).date();
        let mut matches = Vec::new();
        for one in software.iter().take(MAX_SOFTWARE) {
            self.of_software(one, system, today, &mut matches)?;
        }
        matches.extend(self.of_windows(system)?);
        matches.sort_by(|a, b| urgency(b).total_cmp(&urgency(a)).then_with(|| b.cve.cmp(&a.cve)));
        Ok(matches)
    }

    fn of_software(&self, one: &Software, system: &System, today: Date, into: &mut Vec<Match>) -> Result<(), Error> {
        let names = self.names(one)?;
        let installed = Installed::of(one);
        let ended = self.end_of_life(&names, one)?.filter(|end| *end <= today);
        for cve in self.candidates(&names)? {
            let records = self.records(&cve)?;
            let Some(judged) = judge(&records, &names, &installed, system.os) else { continue };
            if judged.standing != Standing::Affected {
                continue;
            }
            let workaround = records.iter().any(|record| record.workaround);
            let patch = match judged.patch {
                Patch::None | Patch::Unknown if workaround => Patch::MitigationOnly,
                Patch::None | Patch::Unknown => ended.map_or(judged.patch, |since| Patch::EndOfLife { since }),
                patch => patch,
            };
            let about =
                About { judged: judged.ranges, basis: judged.basis, sure: judged.sure, doubts: judged.doubts, patch };
            let installed = one.version.clone();
            into.push(self.build(&cve, &records, about, one.product.clone(), installed, ended)?);
        }
        Ok(())
    }

    /// What no installed update of Windows closes. Nothing when the updates or the edition are not known.
    fn of_windows(&self, system: &System) -> Result<Vec<Match>, Error> {
        let Some(updates) = &system.updates else { return Ok(Vec::new()) };
        let open = self.open_on(system, updates)?;
        let product = |open: &microsoft::Open| {
            if open.title.is_empty() { system.name.clone() } else { Untrusted::new(&open.title) }
        };
        open.iter()
            .map(|open| {
                let records = self.records(&open.cve)?;
                let patch = open
                    .update
                    .map_or(Patch::Unknown, |kb| Patch::Released { fixed: format!("KB{kb}"), on: open.posted });
                let mut doubts = Vec::new();
                if open.update.is_none() {
                    doubts.push(Doubt::NoUpdateNamed);
                }
                let sure = match (open.update.is_some(), open.component_only) {
                    (true, false) => Sure::Confirmed,
                    (true, true) => Sure::Likely,
                    (false, _) => Sure::Possible,
                };
                let about =
                    About { judged: Vec::new(), basis: Basis::KbMissing { kb: open.update }, sure, doubts, patch };
                let mut found =
                    self.build(&open.cve, &records, about, system.name.clone(), system.build.clone(), None)?;
                found.title.get_or_insert_with(|| Title { ja: None, en: Some(product(open)) });
                let by_microsoft = open.posted.map(|on| Published { by: Source::Microsoft, on, id: None });
                if found.published.is_empty() {
                    found.published.extend(by_microsoft);
                }
                Ok(found)
            })
            .collect()
    }

    pub(crate) fn open_on(&self, system: &System, updates: &[u32]) -> Result<Vec<microsoft::Open>, Error> {
        let (Some(table), Some(edition)) = (&self.updates, microsoft::Edition::of(system)) else {
            return Ok(Vec::new());
        };
        let mut products = Vec::new();
        for row in redb::ReadableTable::iter(table)? {
            let (name, packed) = row?;
            if let Some((component, of)) = microsoft::Edition::named(name.value())
                && of == edition
            {
                products.push((component, import::unpack(packed.value())));
            }
        }
        Ok(microsoft::open(&products, updates))
    }

    fn build(
        &self,
        cve: &str,
        records: &[Record],
        about: About,
        product: Untrusted,
        installed: Option<Untrusted>,
        end_of_life: Option<Date>,
    ) -> Result<Match, Error> {
        let (published, title) = told(records);
        Ok(Match {
            cve: cve.to_owned(),
            title,
            published,
            cvss: records.iter().flat_map(|record| record.scores.iter().map(score::shown)).collect(),
            epss: self.epss(cve)?,
            kev: self.kev(cve)?,
            affected: about.judged,
            product,
            installed,
            basis: about.basis,
            sure: about.sure,
            doubts: about.doubts,
            patch: about.patch,
            end_of_life,
            data_as_of: self.as_of,
        })
    }

    pub(crate) fn names(&self, software: &Software) -> Result<Names, Error> {
        let packaged = match (&self.packages, software.origin) {
            (Some(table), domain::vulnerability::Origin::Distribution) => {
                let name = software.product.for_matching().to_lowercase();
                json(table.get(name.as_str())?.map(|row| row.value().to_vec())).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(Names::of(software, packaged))
    }

    fn candidates(&self, names: &Names) -> Result<BTreeSet<String>, Error> {
        let Some(table) = &self.products else { return Ok(BTreeSet::new()) };
        let mut found = BTreeSet::new();
        for key in &names.keys {
            // `CVE` sorts before `CVF`: everything filed under this key.
            for row in table.range((key.as_str(), "CVE")..(key.as_str(), "CVF"))?.take(MAX_CANDIDATES) {
                found.insert(row?.0.value().1.to_owned());
            }
        }
        Ok(found)
    }

    pub(crate) fn records(&self, cve: &str) -> Result<Vec<Record>, Error> {
        let Some(table) = &self.records else { return Ok(Vec::new()) };
        let (from, to) = (format!("{cve}\0"), format!("{cve}\u{1}"));
        let mut records = Vec::new();
        for row in table.range(from.as_str()..to.as_str())? {
            records.extend(json(Some(row?.1.value().to_vec())));
        }
        Ok(records)
    }

    /// Every CVE that a record is there of.
    pub(crate) fn known(&self) -> Result<BTreeSet<String>, Error> {
        let Some(table) = &self.records else { return Ok(BTreeSet::new()) };
        let mut known = BTreeSet::new();
        for row in redb::ReadableTable::iter(table)? {
            known.extend(row?.0.value().split('\0').next().map(str::to_owned));
        }
        Ok(known)
    }

    fn kev(&self, cve: &str) -> Result<Option<Kev>, Error> {
        let Some(table) = &self.kev else { return Ok(None) };
        Ok(json(table.get(cve)?.map(|row| row.value().to_vec())))
    }

    fn epss(&self, cve: &str) -> Result<Option<Epss>, Error> {
        let Some(table) = &self.epss else { return Ok(None) };
        Ok(table.get(cve)?.map(|row| row.value()).map(|(probability, percentile)| Epss { probability, percentile }))
    }

    fn end_of_life(&self, names: &Names, software: &Software) -> Result<Option<Date>, Error> {
        let (Some(table), Some(version)) = (&self.lifecycles, &software.version) else { return Ok(None) };
        for key in &names.keys {
            let Some(life) = json::<Lifecycle>(table.get(key.as_str())?.map(|row| row.value().to_vec())) else {
                continue;
            };
            if life
                .names
                .iter()
                .any(|(vendor, product)| names.fits(vendor, product).is_some_and(|fit| fit > names::Fit::NameOnly))
            {
                return Ok(life.line_of(version.for_matching()).and_then(|line| line.ends));
            }
        }
        Ok(None)
    }
}

/// What was decided, before the CVE's own facts are put to it.
struct About {
    judged: Vec<Range>,
    basis: Basis,
    sure: Sure,
    doubts: Vec<Doubt>,
    patch: Patch,
}

/// When the sources published it, and what they call it.
fn told(records: &[Record]) -> (Vec<Published>, Option<Title>) {
    let published = records
        .iter()
        .filter_map(|record| Some(Published { by: record.source, on: record.published?, id: record.id.clone() }))
        .collect();
    let title = |japanese: bool| {
        records.iter().filter(|r| (r.source == Source::Jvn) == japanese).find_map(|record| record.title.clone())
    };
    let title = Title { ja: title(true), en: title(false) };
    (published, (title != Title::default()).then_some(title))
}

/// Exploited first, then by the worst score, then by what is likely to be exploited.
fn urgency(found: &Match) -> f64 {
    let exploited = if found.kev.is_some() { 100.0 } else { 0.0 };
    let worst = found.cvss.iter().map(|score| score.score).fold(0.0, f64::max);
    exploited + worst + found.epss.map_or(0.0, |epss| epss.probability)
}

/// Rows are written here alone; one that no longer reads is as good as absent.
fn json<T: serde::de::DeserializeOwned>(bytes: Option<Vec<u8>>) -> Option<T> {
    serde_json::from_slice(&bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Draft;

    const RECORD: &str = r#"{"cveMetadata":{"cveId":"CVE-2024-90001","state":"PUBLISHED","datePublished":"2024-03-04T00:00:00"},"containers":{"cna":{"providerMetadata":{"shortName":"maker"},"title":"Overflow","affected":[{"vendor":"Example Corp","product":"Viewer","versions":[{"version":"2.0","lessThan":"2.4.1","status":"affected","versionType":"semver"}]}]}}}"#;

    #[test]
    fn what_is_imported_is_matched_with_its_fix_and_a_broken_line_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let feed = folder.path().join("records.jsonl");
        std::fs::write(&feed, format!("{{broken\n{RECORD}\n")).unwrap();
        let path = folder.path().join("intel.redb");
        let now: Timestamp = "2024-06-01T00:00:00Z".parse().unwrap();
        let draft = Draft::of(&path).unwrap();
        let imported = import(&draft, "records", Format::CveRecords, &feed, now).unwrap();
        assert_eq!((imported.records, imported.refused, imported.refused_lines[0].line), (1, 1, 1));
        let database = Database::open(&draft.publish().unwrap()).unwrap();
        let installed = |version: &str| Software {
            product: Untrusted::new(&format!("Example Viewer {version} (x64)")),
            publisher: Untrusted::some(Some("Example Corporation")),
            version: Untrusted::some(Some(version)),
            ..Software::default()
        };
        let software = [installed("2.4.0"), installed("2.4.1")];
        let found = database.matches(&software, &System::default(), now).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].patch, Patch::Released { fixed: "2.4.1".into(), on: None });
        assert_eq!((found[0].sure, &found[0].basis), (Sure::Confirmed, &Basis::CpeRange));
        assert_eq!(found[0].published[0].on, jiff::civil::date(2024, 3, 4));
        let explained = database.lookup_explained("cve-2024-90001").unwrap().unwrap();
        assert_eq!(explained.products[0].vendor, "Example Corp");
    }
}
