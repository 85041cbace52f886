//! What is installed on an endpoint (`GET /agents/applications`).

use domain::Untrusted;
use jiff::Timestamp;
use serde_json::Value;

use crate::row::Row;
use crate::rows::RefusalReason;

/// One installed program, as the console lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    pub name: Untrusted,
    pub version: Option<Untrusted>,
    pub publisher: Option<Untrusted>,
    pub installed_at: Option<Timestamp>,
    pub raw: Value,
}

pub(crate) fn application(raw: Value) -> Result<Application, (RefusalReason, Value)> {
    let row = Row(&raw);
    let Some(name) = row.untrusted("name") else { return Err((RefusalReason::NoId, raw)) };
    Ok(Application {
        name,
        version: row.untrusted("version"),
        publisher: row.untrusted("publisher"),
        installed_at: row.time("installedDate"),
        raw,
    })
}
