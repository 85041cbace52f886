//! Speaks the SentinelOne Management API 2.1 and turns its records into `domain` types.
//!
//! Two capabilities, two types: a `Reader` holds a token that can look, an `Actuator` one that can act (SEC-10, SEC-13).
//! Neither waits nor retries: every error says whether it is transient and whether the act may have happened. Every call
//! names the customer's sites or accounts, and every row that comes back is checked against them again, because the
//! console ignores what it does not understand. Wire formats stay in here; the record as it came stays beside each result.

mod act;
mod actuator;
mod call;
mod console;
mod convert;
mod cursor;
mod error;
mod events;
mod power;
mod query;
mod reader;
pub mod recorded;
mod reputation;
mod row;
mod rows;
mod software;
mod targets;
mod token;
mod words;

pub use act::{Accepted, Mitigate, PassedOver, Why};
pub use actuator::{Acting, Actuator, Reserved};
pub use console::{ActToken, Console, InvalidScope, ReadToken, Scope, ScopeId};
pub use convert::UNKNOWN_AGENT;
pub use cursor::Cursor;
pub use error::Error;
pub use events::RecordTaken;
pub use power::{Progress as PowerProgress, QueryId, Table};
pub use reader::{ActivityPage, Changes, EventPage, MIN_OVERLAP, Page, Reader};
pub use reputation::{HIGHEST_RANK, Reputation};
pub use rows::{Activity, Agent, Foreign, Note, Refusal, RefusalReason, Site, Taken};
pub use software::Application;
pub use targets::{InvalidTargets, MAX_TARGETS, Targets};
pub use token::{Reach, TokenFacts};
