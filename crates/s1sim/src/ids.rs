//! Object ids as the console makes them: decimal strings of 18 to 19 digits that grow with time.
//! The high bits are milliseconds since 2017, as in recorded consoles; the low bits only keep neighbours apart.

use jiff::Timestamp;

const EPOCH_MS: i64 = 1_483_228_800_000;
const LOW_BITS: u32 = 23;
/// The console's ids start at 10^17, about 138 days after its epoch.
const EARLIEST_MS: i64 = 12_000_000_000;

#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: u64,
    minted: u64,
}

impl Ids {
    pub(crate) fn mint(&mut self, at: Timestamp) -> u64 {
        self.minted += 1;
        let ms = at.as_millisecond().saturating_sub(EPOCH_MS).max(EARLIEST_MS).unsigned_abs();
        let low = self.minted.wrapping_mul(7919) & ((1 << LOW_BITS) - 1);
        self.last = (self.last + 1).max(ms << LOW_BITS | low);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_time_and_within_one_millisecond() {
        let mut ids = Ids::default();
        let at: Timestamp = "2026-11-24T01:00:00Z".parse().expect("a time");
        let minted: Vec<u64> = (0..2000).map(|_| ids.mint(at)).collect();
        assert!(minted.is_sorted_by(|a, b| a < b));
        assert_eq!(minted[0].to_string().len(), 19);
        assert!(ids.mint(Timestamp::UNIX_EPOCH) > minted[1999], "even when a clock goes back");
    }
}
