//! How often somebody may try to sign in: a small table of failed attempts per person and address, in memory.
//!
//! Counting by both keeps a stranger from locking a person out, and one address from trying everybody.

use std::collections::HashMap;
use std::net::IpAddr;

use domain::Timestamp;
use jiff::SignedDuration;

/// Failed attempts after which one has to wait.
const PER_PERSON_AND_ADDRESS: u32 = 5;
const PER_ADDRESS: u32 = 30;
/// How long failures count.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Most entries kept. When full, what is oldest makes room.
const MAX_ENTRIES: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Tries {
    failed: HashMap<Key, Failures>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    address: Option<IpAddr>,
    /// `None` counts everybody from this address.
    person: Option<String>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    since: Timestamp,
}

impl Tries {
    /// Until when `person` has to wait at `address`, `None` when another attempt is welcome.
    pub(crate) fn wait_until(&self, person: &str, address: Option<IpAddr>, now: Timestamp) -> Option<Timestamp> {
        let limits = [(key(Some(person), address), PER_PERSON_AND_ADDRESS), (key(None, address), PER_ADDRESS)];
        let waits = limits.into_iter().filter_map(|(key, limit)| {
            let failures = self.failed.get(&key).filter(|f| f.count >= limit)?;
            Some(end(failures)).filter(|end| *end > now)
        });
        waits.max()
    }

    pub(crate) fn failed(&mut self, person: &str, address: Option<IpAddr>, now: Timestamp) {
        self.make_room(now);
        for key in [key(Some(person), address), key(None, address)] {
            let failures = self.failed.entry(key).or_insert(Failures { count: 0, since: now });
            if end(failures) <= now {
                *failures = Failures { count: 0, since: now };
            }
            failures.count = failures.count.saturating_add(1);
        }
    }

    pub(crate) fn succeeded(&mut self, person: &str, address: Option<IpAddr>) {
        self.failed.remove(&key(Some(person), address));
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.failed.len() + 2 <= MAX_ENTRIES {
            return;
        }
        self.failed.retain(|_, failures| end(failures) > now);
        while self.failed.len() + 2 > MAX_ENTRIES {
            let oldest = self.failed.iter().min_by_key(|(_, f)| f.since).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            self.failed.remove(&oldest);
        }
    }
}

fn key(person: Option<&str>, address: Option<IpAddr>) -> Key {
    // Long names cannot exist; cutting them bounds what a stranger can make us keep.
    let person = person.map(|p| p.chars().take(60).collect());
    Key { address, person }
}

fn end(failures: &Failures) -> Timestamp {
    failures.since.checked_add(WINDOW).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_sixth_try_waits_until_the_window_is_over_and_other_addresses_do_not() {
        let mut tries = Tries::default();
        for n in 0..5 {
            assert_eq!(tries.wait_until("sato", HERE, at(n)), None, "try {n}");
            tries.failed("sato", HERE, at(n));
        }
        assert_eq!(tries.wait_until("sato", HERE, at(5)), Some(at(300)));
        assert_eq!(tries.wait_until("sato", THERE, at(5)), None);
        assert_eq!(tries.wait_until("sato", HERE, at(300)), None);
    }

    #[test]
    fn one_address_cannot_try_one_password_on_everybody() {
        let mut tries = Tries::default();
        for n in 0..30 {
            tries.failed(&format!("person-{n}"), HERE, at(0));
        }
        assert!(tries.wait_until("somebody-else", HERE, at(1)).is_some());
    }

    #[test]
    fn the_table_never_grows_beyond_its_bound() {
        let mut tries = Tries::default();
        for n in 0..(MAX_ENTRIES as i64 + 50) {
            tries.failed(&format!("p{n}"), THERE, at(n / 1000));
        }
        assert!(tries.failed.len() <= MAX_ENTRIES);
    }
}
