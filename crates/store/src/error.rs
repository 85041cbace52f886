//! One error for everything that can go wrong with state.

/// Says what could not be done, and keeps the database's own words as its source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not {doing}")]
    Database { doing: &'static str, source: sqlx::Error },
    /// A row that this program wrote does not read back. Either it was changed from outside or versions do not fit.
    #[error("stored {what} `{key}` cannot be read: {why}")]
    Corrupt { what: &'static str, key: String, why: String },
    #[error("`{0}` is not a store address: use `sqlite:PATH` or `postgres://…`")]
    BadAddress(String),
    #[error("the store was written by a newer version of this program (schema {found}, this one knows {known})")]
    TooNew { found: i64, known: i64 },
}

impl Error {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    /// Whether the same transaction may work when it is tried again: a lock, a serialisation failure, a lost connection.
    pub fn is_transient(&self) -> bool {
        let Self::Database { source, .. } = self else { return false };
        match source {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            // PostgreSQL serialisation failure and deadlock; SQLite busy and busy snapshot.
            sqlx::Error::Database(e) => {
                e.code().is_some_and(|c| matches!(&*c, "40001" | "40P01" | "5" | "517" | "261"))
            }
            _ => false,
        }
    }
}
