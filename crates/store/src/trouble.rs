//! What a simulation does to units of work on purpose (REL-17), and the store that lets it.
//!
//! Only `Store::for_simulation` takes it; a store that is opened for service knows no trouble but the real one.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;

use domain::TenantId;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::pool::Backend;
use crate::{Error, Store, schema};

pub trait Trouble: Send + Sync + fmt::Debug {
    /// Asked once before each commit.
    fn at_commit(&self, tenant: &TenantId) -> Option<AtCommit>;

    /// Told at the moment at which the process ends.
    fn died(&self);
}

/// What happens to a unit of work at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtCommit {
    /// Nothing of it is written, and whoever waits learns so.
    Fails,
    /// All of it is written, but the connection breaks before anybody learns so.
    AnswerLost,
    /// The process ends before anything is written: the call never returns, its caller is to be dropped.
    DiesBefore,
    /// The process ends when all of it is written.
    DiesAfter,
}

/// Nothing has to survive the process. One connection reads and writes, so that the same calls always take the same turns.
const SETTINGS: &str = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;";

impl Store {
    /// A new SQLite store in memory, lost with the value. A read beside an unfinished unit of work would wait for it for
    /// ever: within one, everything is asked of the unit of work.
    pub async fn for_simulation(trouble: Arc<dyn Trouble>) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let failed = |source| Error::Open { address: "a simulation's memory".into(), source };
        let options = AnyConnectOptions::from_str("sqlite::memory:").map_err(failed)?.disable_statement_logging();
        let pool = AnyPoolOptions::new()
            .max_connections(1)
            // The state is the connection's: it must never be exchanged for a fresh one.
            .min_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(SETTINGS).await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        schema::migrate(&pool).await?;
        Ok(Self { writer: pool.clone(), reader: pool, backend: Backend::Sqlite, trouble: Some(trouble) })
    }
}
