//! Runs Sigma rules over what endpoints recorded.
//!
//! It says which rule matched which record, with the rule's author and ATT&CK ids. A rule meets only events of its own log
//! source. It judges no incident, and it reads no clock and no network; only `load` reads files.

pub mod bench;
mod bounds;
pub mod eval;
mod event;
mod load;
mod record;
mod rules;
pub mod winlog;

pub use event::Event;
pub use load::Error;
pub use record::event_of;
pub use rules::{Match, Refused, Report, Rules};
