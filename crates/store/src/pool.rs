//! Opening the store. SQLite gets one writing connection, since it has one writer anyway, and several reading ones.

use std::str::FromStr;

use domain::TenantId;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Executor};

use crate::{Error, Work, schema};

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) writer: AnyPool,
    pub(crate) reader: AnyPool,
    pub(crate) backend: Backend,
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
        let backend = if address.starts_with("sqlite:") {
            Backend::Sqlite
        } else if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            Backend::Postgres
        } else {
            return Err(Error::BadAddress(address.to_owned()));
        };
        let url = match backend {
            Backend::Sqlite if !address.contains('?') => format!("{address}?mode=rwc"),
            _ => address.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&url).map_err(Error::database("read the store's address"))?;
        let (writers, readers) = match backend {
            Backend::Sqlite => (1, 4),
            Backend::Postgres => (8, 8),
        };
        let store = Self {
            writer: connect(backend, writers, options.clone()).await?,
            reader: connect(backend, readers, options).await?,
            backend,
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

async fn connect(backend: Backend, size: u32, options: AnyConnectOptions) -> Result<AnyPool, Error> {
    AnyPoolOptions::new()
        .max_connections(size)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if backend == Backend::Sqlite {
                    connection
                        .execute(
                            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; \
                             PRAGMA foreign_keys = ON;",
                        )
                        .await?;
                }
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(Error::database("open the store"))
}
