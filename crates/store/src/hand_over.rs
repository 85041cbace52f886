//! What one shift hands to the next: the open incidents whole, and those about which people were called.
//!
//! Reads more of each incident than a list does, so both are bounded and neither is for the queue.

use domain::incident::Incident;
use domain::{PersonId, Timestamp};
use sqlx::AssertSqlSafe;

use crate::rows::{from_json, micros, placeholders, text};
use crate::views::Scope;
use crate::{Error, Store};

/// Whose incidents are handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    Anybody,
    Nobody,
    /// One of these people.
    OneOf(Vec<PersonId>),
}

impl Store {
    /// At most `limit` open incidents, due next first.
    pub async fn open_incidents(&self, scope: &Scope, holder: &Holder, limit: i64) -> Result<Vec<Incident>, Error> {
        let scoped = scope.parameters();
        let people: Vec<&str> = match holder {
            Holder::Anybody => Vec::new(),
            // Nobody has it: the column is empty.
            Holder::Nobody => vec![""],
            Holder::OneOf(people) if people.is_empty() => return Ok(Vec::new()),
            Holder::OneOf(people) => people.iter().map(PersonId::as_str).collect(),
        };
        let held = match people.len() {
            0 => "1 = 1".to_owned(),
            n => format!("assigned IN ({})", placeholders(scoped + 1, n)),
        };
        let sql = format!(
            "SELECT id, body FROM incident WHERE is_open = 1 AND {} AND {held} ORDER BY due_at, priority, id LIMIT ${}",
            scope.condition(1),
            scoped + people.len() + 1,
        );
        let query = scope.bind(sqlx::query(AssertSqlSafe(sql)));
        let query = people.iter().fold(query, |query, person| query.bind((*person).to_owned()));
        let rows = query
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list what is open for the hand-over"))?;
        rows.iter().map(|row| from_json("incident", &text(row, "id")?, &text(row, "body")?)).collect()
    }

    /// At most `limit` incidents about which somebody was called since then, the newest call first.
    pub async fn called_about(&self, scope: &Scope, since: Timestamp, limit: i64) -> Result<Vec<Incident>, Error> {
        let scoped = scope.parameters();
        let sql = format!(
            "SELECT i.id, i.body FROM incident i
             JOIN (SELECT tenant, incident, MAX(at) AS called FROM event
                   WHERE kind = 'paged' AND {} AND at >= ${} GROUP BY tenant, incident) c
               ON c.tenant = i.tenant AND c.incident = i.id
             ORDER BY c.called DESC, i.id LIMIT ${}",
            scope.condition(1),
            scoped + 1,
            scoped + 2,
        );
        let rows = scope
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(micros(since))
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list what people were called about"))?;
        rows.iter().map(|row| from_json("incident", &text(row, "id")?, &text(row, "body")?)).collect()
    }
}
