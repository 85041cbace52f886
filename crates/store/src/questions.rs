//! The incidents about which a customer was asked, for the customer's own pages. The events know who was asked what, so there
//! is no table of questions that could say something else.

use domain::incident::{Incident, Phase};
use sqlx::AssertSqlSafe;

use crate::rows::{from_json, text};
use crate::views::{Scope, stored_phase};
use crate::{Error, Store};

impl Store {
    /// At most `limit` incidents with a question in them: those that wait for the customer first, then those asked last.
    pub async fn asked(&self, scope: &Scope, limit: i64) -> Result<Vec<Incident>, Error> {
        let (phase, most) = match scope {
            Scope::All => (1, 2),
            Scope::Only(tenants) => (tenants.len() + 1, tenants.len() + 2),
        };
        let sql = format!(
            "SELECT i.id, i.body FROM incident i
             JOIN (SELECT tenant, incident, MAX(at) AS asked FROM event
                   WHERE kind = 'question_asked' AND {} GROUP BY tenant, incident) q
               ON q.tenant = i.tenant AND q.incident = i.id
             ORDER BY CASE WHEN i.phase = ${phase} THEN 0 ELSE 1 END, q.asked DESC, i.id LIMIT ${most}",
            scope.condition(1)
        );
        let rows = scope
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(stored_phase(Phase::Asked))
            .bind(limit)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list what customers were asked"))?;
        rows.iter().map(|row| from_json("incident", &text(row, "id")?, &text(row, "body")?)).collect()
    }
}
