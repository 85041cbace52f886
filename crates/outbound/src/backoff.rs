//! How long to wait before the next try. A pure function: the same attempt and seed give the same wait (REL-01, REL-07).

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// Doubles with each attempt (the first is 0) up to five minutes, and takes between half and the whole of that, by `seed`,
/// so that many callers that failed together do not come back together.
pub fn backoff(attempt: u32, seed: u64) -> Duration {
    let whole = FIRST.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(LONGEST);
    let half = whole / 2;
    let share = mix(seed.wrapping_add(u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15))) % 1000;
    half + half * u32::try_from(share).unwrap_or(0) / 1000
}

/// Spreads nearby seeds over the whole range (the finaliser of SplitMix64).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_but_never_past_five_minutes() {
        for seed in 0..200 {
            assert!((500..=1000).contains(&backoff(0, seed).as_millis()));
            assert!((4000..=8000).contains(&backoff(3, seed).as_millis()));
            for attempt in [9, 31, 32, 64, u32::MAX] {
                assert!((150..=300).contains(&backoff(attempt, seed).as_secs()));
            }
        }
    }

    #[test]
    fn callers_that_failed_together_come_back_apart() {
        let distinct: std::collections::BTreeSet<_> = (0..100).map(|seed| backoff(4, seed)).collect();
        assert!(distinct.len() > 80);
        assert_eq!(backoff(4, 7), backoff(4, 7));
    }
}
