//! Opening the store. SQLite gets one writing connection, since it has one writer anyway, and several reading ones.

use std::str::FromStr;
use std::sync::Arc;

use domain::TenantId;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Executor};

use crate::{Error, Trouble, Work, schema};

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
    pub(crate) backend: Backend,
    /// Only a simulation has any.
    pub(crate) trouble: Option<Arc<dyn Trouble>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Store {
    /// Opens `sqlite:PATH` (made if missing) or `postgres://…`, and brings its tables up to date.
    pub async fn open(address: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let (backend, url) = parse(address)?;
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|_| Error::BadAddress { given: shown(address), why: "it cannot be read" })?
            // A statement for five hundred rows is no log line that anybody reads.
            .disable_statement_logging();
        let (writers, readers) = match backend {
            Backend::Sqlite => (1, 4),
            Backend::Postgres => (8, 8),
        };
        let failed = |source| Error::Open { address: shown(address), source };
        let store = Self {
            writer: connect(writers, options.clone(), settings(backend)).await.map_err(failed)?,
            reader: connect(readers, options, settings(backend)).await.map_err(failed)?,
            backend,
            trouble: None,
        };
        schema::migrate(&store.writer).await?;
        Ok(store)
    }

    /// Begins one unit of work for one tenant. Everything in it commits together or not at all.
    pub async fn begin(&self, tenant: &TenantId) -> Result<Work, Error> {
        Work::begin(self, tenant).await
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// What a connection is told first. Every wait for a lock has a bound, and a process that was stopped in the middle of a
/// transaction does not hold the others up for ever. One customer has a hundred incidents and another a million: PostgreSQL
/// is to plan for the one that is asked about.
fn settings(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => {
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        }
        Backend::Postgres => {
            "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'; \
             SET default_transaction_isolation = 'read committed'; SET synchronous_commit = 'on'; \
             SET plan_cache_mode = 'force_custom_plan';"
        }
    }
}

async fn connect(size: u32, options: AnyConnectOptions, settings: &'static str) -> Result<AnyPool, sqlx::Error> {
    AnyPoolOptions::new()
        .max_connections(size)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(settings).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
}

/// The kind of database, and its address in the driver's form.
fn parse(address: &str) -> Result<(Backend, String), Error> {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return Ok((Backend::Postgres, address.to_owned()));
    }
    let bad = |why| Error::BadAddress { given: shown(address), why };
    let path = address.strip_prefix("sqlite:").ok_or_else(|| bad("it is of no known kind"))?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() {
        return Err(bad("it names no file"));
    }
    if path.starts_with(":memory:") {
        // Each connection would have a database of its own.
        return Err(bad("state in memory is lost with the program"));
    }
    // A path is a path: nothing in it is an option of the driver.
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok((Backend::Sqlite, format!("sqlite:{path}?mode=rwc")))
}

/// An address for people: without its password, and without options, which may hold one.
fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") else {
        return address.to_owned();
    };
    let rest = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((user, place)) => format!("{scheme}://{}@{place}", user.split(':').next().unwrap_or_default()),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(shown("postgres://soc:s3cr3t@db:5432/yagura"), "postgres://soc@db:5432/yagura");
        assert_eq!(shown("postgres://soc:p@ss@db/yagura?password=s3cr3t"), "postgres://soc@db/yagura");
        assert_eq!(shown("postgres://db/yagura"), "postgres://db/yagura");
        assert_eq!(shown("sqlite:/var/lib/yagura/a@b.db"), "sqlite:/var/lib/yagura/a@b.db");
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for (address, why) in [
            ("yagura.db", "no known kind"),
            ("mysql://root@db/x", "no known kind"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "lost with the program"),
        ] {
            let message = parse(address).expect_err(address).to_string();
            assert!(message.contains(why) && message.contains("use `sqlite:PATH`"), "{message}");
        }
    }

    #[test]
    fn a_path_is_a_path_whatever_is_in_it() {
        let (_, url) = parse("sqlite:/srv/100%/what?/#1.db").expect("a path");
        assert_eq!(url, "sqlite:/srv/100%25/what%3F/%231.db?mode=rwc");
    }
}
