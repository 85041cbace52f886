//! All lists in memory: a fingerprint and the number of each entry, sorted, with an index over the fingerprints' first bits.
//!
//! Fingerprints are keyed anew at each loading, so nobody can write a list whose entries collide. A fingerprint alone is never
//! a hit: the row is read from the file, and its whole value compared.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use domain::Timestamp;
use domain::ioc::{Ioc, ListBasis, ListHit};
use domain::untrusted::Untrusted;
use redb::{ReadOnlyTable, ReadableTable};

use super::entry::{Row, key, network_key, network_length};
use super::import::{ENTRIES, RANGES};
use crate::file::{Error, IntelFile, Kind, table_or_none};

/// Most lists named for one indicator.
const MAX_HITS: usize = 64;
/// Entries that share one place of the index, on average.
const PER_BUCKET: usize = 8;

/// One edition of the file. It stays whole and readable also when a newer edition has taken the file's place.
pub struct Lists {
    key: RandomState,
    fingerprints: Vec<u64>,
    rows: Vec<u32>,
    /// Where the fingerprints that begin with each number start.
    index: Vec<u32>,
    /// How many first bits count.
    bits: u32,
    /// Lengths of networks that occur.
    lengths_v4: u64,
    lengths_v6: [u128; 2],
    sources: Vec<SourceList>,
    entries: Option<ReadOnlyTable<u32, &'static [u8]>>,
}

struct SourceList {
    first: u32,
    count: u32,
    name: String,
    warning: bool,
    imported_at: Timestamp,
}

impl Lists {
    pub fn load(file: &IntelFile) -> Result<Self, Error> {
        let transaction = file.read()?;
        let entries = table_or_none(transaction.open_table(ENTRIES))?;
        let mut sources = Vec::new();
        if let Some(ranges) = table_or_none(transaction.open_table(RANGES))? {
            let ranges: BTreeMap<u32, (u32, u32)> = ranges
                .iter()?
                .map(|row| row.map(|(id, range)| (id.value(), range.value())))
                .collect::<Result<_, _>>()?;
            sources = file
                .feeds()?
                .into_iter()
                .filter_map(|feed| {
                    let &(first, count) = ranges.get(&feed.id)?;
                    let warning = feed.about.kind != Kind::Indicators;
                    Some(SourceList { first, count, name: feed.about.name, warning, imported_at: feed.imported_at })
                })
                .collect();
            sources.sort_by_key(|source| source.first);
        }
        let mut lists = Self {
            key: new_key(),
            fingerprints: Vec::new(),
            rows: Vec::new(),
            index: Vec::new(),
            bits: 0,
            lengths_v4: 0,
            lengths_v6: [0; 2],
            sources,
            entries,
        };
        lists.fill()?;
        Ok(lists)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is kept in memory, without the file's own cache.
    pub fn memory_bytes(&self) -> usize {
        self.fingerprints.capacity() * 8 + (self.rows.capacity() + self.index.capacity()) * 4
    }

    /// Every list that has it, by its nearest match: the value itself, else a domain above it, the host of a URL, a network.
    pub fn look_up(&self, ioc: &Ioc) -> Result<Vec<ListHit>, Error> {
        let mut hits: Vec<ListHit> = Vec::new();
        let Some(entries) = &self.entries else { return Ok(hits) };
        for (key, basis, below) in self.questions(ioc) {
            for &number in self.candidates(&key) {
                let Some(found) = entries.get(number)? else { continue };
                // A damaged row says nothing.
                let Some(row) = Row::read(found.value()).filter(|row| row.key == key && !(below && row.alone)) else {
                    continue;
                };
                let Some(source) = self.source(number) else { continue };
                if hits.len() == MAX_HITS
                    || hits.iter().any(|hit| hit.list == source.name && hit.warning == source.warning)
                {
                    continue;
                }
                let detail = row.detail();
                hits.push(ListHit {
                    list: source.name.clone(),
                    warning: source.warning,
                    label: Untrusted::some(detail.label.as_deref()),
                    basis,
                    first_seen: detail.first_seen,
                    reference: Untrusted::some(detail.reference.as_deref()),
                    imported_at: source.imported_at,
                });
            }
        }
        Ok(hits)
    }

    /// Keys to look for, nearest first; the flag says that the entry must speak for what is below it.
    fn questions(&self, ioc: &Ioc) -> Vec<(String, ListBasis, bool)> {
        let mut questions = vec![(key(ioc), ListBasis::Exact, false)];
        match ioc {
            Ioc::Domain(name) => {
                questions.extend(parents(name).map(|p| (format!("d{p}"), ListBasis::ParentDomain, true)));
            }
            Ioc::Ip(address) => questions.extend(self.networks(*address).map(|key| (key, ListBasis::Network, false))),
            Ioc::Url(url) => match host(url) {
                Some(Ioc::Domain(name)) => {
                    questions.push((format!("d{name}"), ListBasis::Host, false));
                    questions.extend(parents(&name).map(|p| (format!("d{p}"), ListBasis::Host, true)));
                }
                Some(Ioc::Ip(address)) => {
                    questions.push((key(&Ioc::Ip(address)), ListBasis::Host, false));
                    questions.extend(self.networks(address).map(|key| (key, ListBasis::Network, false)));
                }
                _ => {}
            },
            // A mail address at a listed domain is not itself listed, but whoever warns of the domain means its mail.
            Ioc::Email(address) => {
                if let Some((_, name)) = address.rsplit_once('@') {
                    questions.push((format!("d{name}"), ListBasis::Host, false));
                }
            }
            Ioc::Hash(_) | Ioc::Path(_) | Ioc::RegistryKey(_) => {}
        }
        questions
    }

    fn networks(&self, address: IpAddr) -> impl Iterator<Item = String> {
        let (is_v4, longest) = (address.is_ipv4(), if address.is_ipv4() { 32 } else { 128 });
        (0..=longest).rev().filter(move |length| self.has_length(is_v4, *length)).map(move |l| network_key(address, l))
    }

    fn has_length(&self, is_v4: bool, length: u8) -> bool {
        if is_v4 {
            self.lengths_v4 >> length & 1 == 1
        } else {
            self.lengths_v6[usize::from(length >> 7)] >> (length & 127) & 1 == 1
        }
    }

    fn candidates(&self, key: &str) -> &[u32] {
        let wanted = self.key.hash_one(key);
        let bucket = self.bucket(wanted);
        let (Some(&from), Some(&to)) = (self.index.get(bucket), self.index.get(bucket + 1)) else { return &[] };
        let (from, to) = (from as usize, to as usize);
        let within = &self.fingerprints[from..to];
        let start = from + within.partition_point(|&f| f < wanted);
        let end = from + within.partition_point(|&f| f <= wanted);
        &self.rows[start..end]
    }

    fn bucket(&self, fingerprint: u64) -> usize {
        // At most 2^28 places: it fits.
        usize::try_from(fingerprint.checked_shr(64 - self.bits).unwrap_or(0)).unwrap_or(0)
    }

    fn source(&self, number: u32) -> Option<&SourceList> {
        let after = self.sources.partition_point(|source| source.first <= number);
        let found = self.sources[..after].iter().rev().find(|source| source.count > 0)?;
        (number - found.first < found.count).then_some(found)
    }

    fn fill(&mut self) -> Result<(), Error> {
        let Some(entries) = &self.entries else { return Ok(()) };
        let mut pairs: Vec<(u64, u32)> = Vec::new();
        for found in entries.iter()? {
            let (number, row) = found?;
            let Some(row) = Row::read(row.value()) else { continue };
            match network_length(row.key) {
                Some((true, length)) => self.lengths_v4 |= 1 << length.min(32),
                Some((false, length)) => self.lengths_v6[usize::from(length >> 7)] |= 1 << (length & 127),
                None => {}
            }
            pairs.push((self.key.hash_one(row.key), number.value()));
        }
        pairs.sort_unstable();
        self.bits = (pairs.len() / PER_BUCKET).max(1).ilog2().min(28);
        self.index = Vec::with_capacity((1 << self.bits) + 1);
        let mut at = 0;
        for bucket in 0..1_usize << self.bits {
            while pairs.get(at).is_some_and(|(fingerprint, _)| self.bucket(*fingerprint) < bucket) {
                at += 1;
            }
            // Numbers of entries are 32 bits, so their places are.
            self.index.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
        self.index.push(u32::try_from(pairs.len()).unwrap_or(u32::MAX));
        self.fingerprints = pairs.iter().map(|(fingerprint, _)| *fingerprint).collect();
        self.rows = pairs.iter().map(|(_, number)| *number).collect();
        Ok(())
    }
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lists")
            .field("lists", &self.sources.len())
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

fn host(url: &str) -> Option<Ioc> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Ioc::parse(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// The names above it down to the one that somebody registered, never a registry's own (`com`, `co.jp`).
fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| Some(name.split_once('.')?.1))
        .skip(1)
        .filter(|parent| !is_registrys(parent))
}

/// The common second levels under countries. A registry with others is taken for somebody's name, which only finds what a list
/// itself has at that level.
fn is_registrys(name: &str) -> bool {
    const SECOND: [&str; 26] = [
        "co", "com", "ac", "ne", "or", "go", "gov", "org", "net", "edu", "ad", "ed", "gr", "lg", "mil", "nom", "id",
        "in", "web", "sch", "ltd", "plc", "me", "gob", "gouv", "info",
    ];
    match name.split_once('.') {
        None => true,
        Some((second, country)) => country.len() == 2 && SECOND.contains(&second),
    }
}

#[expect(clippy::disallowed_methods, reason = "nobody may know which entries collide; no answer depends on the key")]
fn new_key() -> RandomState {
    RandomState::new()
}
