//! One error for everything that can go wrong with state.

/// Says what could not be done, and keeps the database's own words as its source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not {doing}")]
    Database { doing: &'static str, source: sqlx::Error },
    /// The connection broke while a unit of work was being committed. Trying again blindly could do it twice.
    #[error("could not learn whether a unit of work was committed: the connection broke")]
    CommitUnknown { source: sqlx::Error },
    /// A row that this program wrote does not read back. Either it was changed from outside or versions do not fit.
    #[error("stored {what} `{key}` cannot be read: {why}")]
    Corrupt { what: &'static str, key: String, why: String },
    #[error("`{given}` is not a store address: {why}; use `sqlite:PATH` or `postgres://USER@HOST/DATABASE`")]
    BadAddress { given: String, why: &'static str },
    /// The address is shown without its password.
    #[error("could not open the store `{address}`{}", hint(source))]
    Open { address: String, source: sqlx::Error },
    #[error("the store was written by a newer version of this program (schema {found}, this one knows {known})")]
    TooNew { found: i64, known: i64 },
}

impl Error {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    pub(crate) fn commit(source: sqlx::Error) -> Self {
        match source {
            sqlx::Error::Io(_) => Self::CommitUnknown { source },
            _ => Self::Database { doing: "commit a unit of work", source },
        }
    }

    /// Whether the same transaction may work when it is tried again: a lock, a serialisation failure, a lost connection.
    pub fn is_transient(&self) -> bool {
        let (Self::Database { source, .. } | Self::Open { source, .. }) = self else { return false };
        match source {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            sqlx::Error::Database(e) => e.code().is_some_and(|code| is_transient_code(&code)),
            _ => false,
        }
    }

    /// Two processes making the same table or row at once: the loser finds it there when it looks again.
    pub(crate) fn is_collision(&self) -> bool {
        let Self::Database { source: sqlx::Error::Database(e), .. } = self else { return false };
        e.code().is_some_and(|code| matches!(&*code, "23505" | "42P07"))
    }
}

/// PostgreSQL's codes are five characters, SQLite's are numbers whose low byte names the class.
fn is_transient_code(code: &str) -> bool {
    const SQLITE_BUSY: u32 = 5;
    match code {
        // Serialisation failure, deadlock, a lock that was not given in time, the server going down or coming up.
        "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" => true,
        // Too many connections, and connections that broke.
        "53300" => true,
        _ if code.len() == 5 => code.starts_with("08"),
        _ => code.parse::<u32>().is_ok_and(|number| number & 0xff == SQLITE_BUSY),
    }
}

/// What to do about the commonest reasons for a store that does not open.
fn hint(source: &sqlx::Error) -> &'static str {
    let sqlx::Error::Database(e) = source else { return "" };
    match e.code().as_deref() {
        Some("14") => ": is its folder there, and may this user write to it?",
        Some("26") => ": the file is there, but it is no SQLite database",
        Some("8" | "1032" | "1544") => ": it can only be read, not written",
        Some("28P01" | "28000") => ": the server refused user or password",
        Some("3D000") => ": the server has no such database; make it with `createdb`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient_code;

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        for passes in ["5", "517", "261", "773", "40001", "40P01", "55P03", "57P01", "08006"] {
            assert!(is_transient_code(passes), "{passes}");
        }
        for stays in ["1", "6", "13", "14", "1555", "23505", "42P01", "22021", "53100"] {
            assert!(!is_transient_code(stays), "{stays}");
        }
    }
}
