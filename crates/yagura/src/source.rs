//! The machine's own clock and randomness: the two doors that everything else gets handed.

use domain::Timestamp;
use domain::source::{Entropy, TimeSource};

#[derive(Debug, Clone, Copy)]
pub(crate) struct MachineTime;

impl TimeSource for MachineTime {
    #[expect(clippy::disallowed_methods, reason = "the one door to the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
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
