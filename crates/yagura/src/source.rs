//! The machine's own clock and randomness: the two doors that everything else gets handed.

use domain::Timestamp;
use domain::source::{Entropy, TimeSource};

/// In whole microseconds, as the store keeps them: with finer times an incident would not be what its stored events give,
/// and no proof of its clocks would agree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MachineTime;

impl TimeSource for MachineTime {
    #[expect(clippy::disallowed_methods, reason = "the one door to the machine's clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MachineEntropy;

impl Entropy for MachineEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one door to the machine's randomness")]
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // Without randomness no session may be opened: there is nothing sensible left to do.
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_as_fine_as_the_store_keeps_it() {
        for _ in 0..20 {
            assert_eq!(MachineTime.now().subsec_nanosecond() % 1000, 0);
        }
    }
}
