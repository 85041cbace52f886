//! Messages to customers: what an incident's facts read like in Japanese and English, and the channels that carry them.
//!
//! `letter` writes a message from `domain::notice::Facts` and nothing else; `mail` gives it the form of an e-mail and hands
//! it to a mail server. Writing is pure. No channel knows an address: it sends to whom the caller names (SEC-04), once,
//! and says what became of it; trying again is the caller's decision.

mod letter;
pub mod mail;
mod sender;
mod shown;

pub use sender::{Sender, Telephone};
pub use shown::{defang, refang};

#[cfg(test)]
mod samples;
