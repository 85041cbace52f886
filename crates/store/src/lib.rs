//! All state, behind one door: what happened (chained events), what is to be done (jobs), and views to read quickly.
//!
//! The only crate that knows SQL. The same statements run on SQLite and PostgreSQL. It decides nothing: `engine` brings
//! events that `domain` decided, and everything that belongs together is written in one transaction (`Work`, REL-05).

mod alerts;
mod audit;
mod chain;
mod contents;
mod cycles;
mod error;
mod figures;
mod hand_over;
mod heartbeats;
mod jobs;
mod pool;
mod questions;
mod queue;
mod rows;
mod schema;
mod staff;
mod trouble;
mod views;
mod work;

pub use alerts::{AlertRow, KnownAlert, Refusal};
pub use audit::{Audit, Fault, Place, Root};
pub use contents::{ContentAudit, ContentFault, MAX_CONTENT, Piece};
pub use cycles::{Cycles, Period};
pub use error::Error;
pub use figures::{Figures, OpenFigures, RoleFigures};
pub use hand_over::Holder;
pub use heartbeats::{ClockStep, Heartbeat};
pub use jobs::{DeadJob, Job, JobCounts, Outcome};
pub use pool::Store;
pub use queue::{Counters, Queue, QueueFilter, QueueRow};
pub use staff::{AccountRole, Person, Session};
pub use trouble::{AtCommit, Trouble};
pub use views::{Promised, Scope, Summary};
pub use work::Work;
