//! The far sides of our messages: a mail server and a chat service that take what we send, as strictly as the real ones
//! do, keep a ledger of it, and show it on a page; and of our questions: a reputation service and a search engine. Tests and the demo judge us by these ledgers, not by our own
//! records, and can tell a sink to refuse, to be slow or to lose its answer.
//! They know no other crate of ours, so that one misreading of a protocol cannot hide on both sides. They deliver
//! nothing to anybody, and listen on the local machine only.

pub mod chat;
pub mod mail;
pub mod questions;
pub mod search;
pub mod virustotal;
mod web;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

pub use chat::ChatSink;
pub use mail::MailSink;
pub use search::SearchSink;
pub use virustotal::VirusTotalSink;

/// Where a sink has its time from. Tests move it, the demo hands in the real one.
#[derive(Clone)]
pub struct Now(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Now {
    pub fn new(ask: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    fn ask(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}
