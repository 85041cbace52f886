//! Who may sign in, the SOC's own people and those of customers, and their sessions. Only hashes of tokens and passwords are
//! stored.

use domain::{Language, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use crate::rows::{from_json, micros, number, parsed, text, to_json, without_nul};
use crate::{Error, Scope, Store};

/// What somebody who signs in may do. Routes are checked against it, deny by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRole {
    Analyst,
    Manager,
    /// Runs the installation; sees no customer's incidents.
    Operator,
    /// Answers for one customer, and sees nothing but what that customer is asked. Its scope is exactly one tenant.
    Customer,
}

impl AccountRole {
    /// One of the SOC's own people.
    pub fn is_staff(self) -> bool {
        self != Self::Customer
    }

    /// May see incidents of the tenants in their scope, and work them.
    pub fn works_incidents(self) -> bool {
        matches!(self, Self::Analyst | Self::Manager)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub role: AccountRole,
    pub scope: Scope,
    pub language: Language,
    /// Argon2id in PHC form; empty when the person can only use a sign-in link.
    pub password: String,
    pub disabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub person: Person,
    pub expires_at: Timestamp,
}

impl Store {
    /// Adds a person or replaces what is known of them.
    pub async fn save_person(&self, person: &Person) -> Result<(), Error> {
        let tenants = match &person.scope {
            Scope::All => "*".to_owned(),
            Scope::Only(tenants) => to_json("person", person.id.as_str(), tenants)?,
        };
        sqlx::query(
            "INSERT INTO staff (id, name, role, tenants, language, password, disabled)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = excluded.role, tenants = excluded.tenants,
               language = excluded.language, password = excluded.password, disabled = excluded.disabled",
        )
        .bind(person.id.as_str())
        .bind(without_nul(&person.name))
        .bind(to_json("person", person.id.as_str(), &person.role)?)
        .bind(tenants)
        .bind(person.language.tag())
        .bind(&person.password)
        .bind(i64::from(person.disabled))
        .execute(&self.writer)
        .await
        .map_err(Error::database("save a person"))?;
        Ok(())
    }

    /// Keeps how somebody likes to read, and touches nothing else of them: they may be shut out at this very moment.
    pub async fn save_language(&self, person: &PersonId, language: Language) -> Result<(), Error> {
        sqlx::query("UPDATE staff SET language = $1 WHERE id = $2")
            .bind(language.tag())
            .bind(person.as_str())
            .execute(&self.writer)
            .await
            .map_err(Error::database("save a person's language"))?;
        Ok(())
    }

    pub async fn person(&self, id: &PersonId) -> Result<Option<Person>, Error> {
        let row = sqlx::query("SELECT * FROM staff WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(Error::database("read a person"))?;
        row.as_ref().map(person).transpose()
    }

    /// Everybody who has an account, customers' people included, by name.
    pub async fn staff(&self) -> Result<Vec<Person>, Error> {
        let rows = sqlx::query("SELECT * FROM staff ORDER BY name, id")
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("list the staff"))?;
        rows.iter().map(person).collect()
    }

    /// Opens a session for a token whose hash this is.
    pub async fn open_session(
        &self,
        token_hash: &str,
        person: &PersonId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("INSERT INTO session (token, person, made_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(token_hash)
            .bind(person.as_str())
            .bind(micros(now))
            .bind(micros(expires_at))
            .execute(&self.writer)
            .await
            .map_err(Error::database("open a session"))?;
        Ok(())
    }

    /// The session of a token, unless it has expired or its person was disabled (SEC-08: at once).
    pub async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<Session>, Error> {
        let row = sqlx::query(
            "SELECT s.expires_at, p.* FROM session s JOIN staff p ON p.id = s.person
             WHERE s.token = $1 AND s.expires_at > $2 AND p.disabled = 0",
        )
        .bind(token_hash)
        .bind(micros(now))
        .fetch_optional(&self.reader)
        .await
        .map_err(Error::database("read a session"))?;
        let Some(row) = row else { return Ok(None) };
        let expires_at = crate::rows::timestamp(number(&row, "expires_at")?);
        Ok(Some(Session { person: person(&row)?, expires_at }))
    }

    pub async fn close_session(&self, token_hash: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM session WHERE token = $1")
            .bind(token_hash)
            .execute(&self.writer)
            .await
            .map_err(Error::database("close a session"))?;
        Ok(())
    }

    /// Keeps a sign-in link that works once until it expires.
    pub async fn save_link(&self, token_hash: &str, person: &PersonId, expires_at: Timestamp) -> Result<(), Error> {
        sqlx::query("INSERT INTO sign_in_link (token, person, expires_at, used_at) VALUES ($1, $2, $3, 0)")
            .bind(token_hash)
            .bind(person.as_str())
            .bind(micros(expires_at))
            .execute(&self.writer)
            .await
            .map_err(Error::database("save a sign-in link"))?;
        Ok(())
    }

    /// Uses a link up. `None` when it is unknown, used or expired.
    pub async fn use_link(&self, token_hash: &str, now: Timestamp) -> Result<Option<PersonId>, Error> {
        // Reading to the end of the answer is what makes a failed commit known.
        let rows = sqlx::query(
            "UPDATE sign_in_link SET used_at = $1 WHERE token = $2 AND used_at = 0 AND expires_at > $1 RETURNING person",
        )
        .bind(micros(now))
        .bind(token_hash)
        .fetch_all(&self.writer)
        .await
        .map_err(Error::database("use a sign-in link"))?;
        rows.first().map(|r| parsed(r, "person id", "person")).transpose()
    }
}

fn person(row: &AnyRow) -> Result<Person, Error> {
    let id: PersonId = parsed(row, "person id", "id")?;
    let tenants = text(row, "tenants")?;
    let scope = match tenants.as_str() {
        "*" => Scope::All,
        list => Scope::Only(from_json("person", id.as_str(), list)?),
    };
    Ok(Person {
        name: text(row, "name")?,
        role: from_json("person", id.as_str(), &text(row, "role")?)?,
        scope,
        language: parsed(row, "language", "language")?,
        password: text(row, "password")?,
        disabled: number(row, "disabled")? != 0,
        id,
    })
}
