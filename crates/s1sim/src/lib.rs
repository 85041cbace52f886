//! A simulated SentinelOne management console: the API v2.1 over TLS, with state, time and faults, for tests, the demo
//! and `yagura s1sim`. It shares no code or types with the client, so that one misreading of the API cannot hide in
//! both. It does not detect anything and does not talk to anybody; what comes up on it is a scenario or a test's threat.
//!
//! Start at [`S1Sim`]; [`scenario::ALL`] lists the plays, [`Fault`] what can go wrong, [`Ledger`] what happened.

// The agent object is one flat table of some hundred members.
#![recursion_limit = "256"]

mod api;
mod clock;
mod digest;
mod fault;
mod filter;
mod fleet;
mod graphql;
mod ids;
mod ledger;
mod limits;
mod load;
mod page;
mod query;
mod refusal;
mod run;
pub mod scenario;
mod scenarios;
pub mod schema;
mod server;
mod software;
mod telemetry;
mod threat;
mod tls;
mod token;
mod world;

pub use clock::Clock;
pub use fault::{Fault, Faults, Kind as FaultKind, Times};
pub use fleet::{Customer, Fleet, Host, Language, Role};
pub use ledger::{Done, Effect, Ledger, Raised, Target};
pub use load::Loaded;
pub use run::{Options, RunError, run, start_from};
pub use server::{Config, Endpoint, Error, S1Sim};
pub use threat::{Change, Engine, Outcome, Threat, indicator};
pub use token::{Capability, Scope};
pub use world::Latency;
pub use world::raise::NotRaised;
