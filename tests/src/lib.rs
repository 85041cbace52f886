//! A whole SOC for one test: real store, engine, client and mail, between a simulated console and a mail server of our own.
//!
//! Nothing sleeps. One manual clock drives the simulator and every step of ours; `pass` moves it. After every settling the
//! invariants are checked against the ledgers of the far sides (`invariants`), and `finish` fails when something was left
//! over: a job, a mail nobody looked at, a failure nobody expected. It serves no pages: those have tests of their
//! own, and a journey that needs one puts it over `engine`.

#![allow(clippy::unwrap_used, reason = "a test bench fails loudly")]

mod bench;
pub mod customers;
mod invariants;
mod mailbox;
mod soc;

pub use bench::PAGES;
pub use mailbox::Mailbox;
pub use soc::TestSoc;

use std::time::Duration;

/// An engine with its store and the usual customers, and nothing around it. The folder holds the store.
pub async fn engine_alone() -> (engine::Engine, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the store");
    let tenants = customers::ALL.iter().map(|customer| customers::tenant(customer));
    (bench::engine(&folder, tenants.collect(), domain::oncall::Roster::default()).await, folder)
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

pub fn hours(n: u64) -> Duration {
    Duration::from_secs(3600 * n)
}
