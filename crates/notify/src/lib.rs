//! Messages to customers: what an incident's facts read like in Japanese and English, and the channels that carry them.
//!
//! `letter` writes a message from `domain::notice::Facts` and nothing else; `mail` gives it the form of an e-mail and hands
//! it to a mail server, `slack` that of a post in a channel. Writing is pure. No channel knows an address: it sends to whom
//! the caller names (SEC-04), once, and says what became of it; trying again is the caller's decision.

mod letter;
pub mod mail;
pub mod page;
mod sender;
mod shown;
pub mod slack;

pub use sender::{Sender, Telephone};

use domain::notice::Facts;
use domain::{Language, NoticeId};

/// Names one notice in one language for ever: `inc-2026-000123.n1.ja.acme`. Made of typed ids, so it is safe in a header.
fn key(facts: &Facts<'_>, notice: NoticeId, language: Language) -> String {
    format!("{}.{notice}.{}.{}", facts.incident, language.tag(), facts.tenant.id).to_lowercase()
}

#[cfg(test)]
mod samples;
