//! The content of evidence, under its digest and its tenant. Written once, never changed (REL-22, SEC-62).

use std::collections::BTreeMap;

use domain::TenantId;
use domain::evidence::Content;
use domain::incident::Event;
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_PER_STATEMENT, from_json, number, parsed, placeholders, text, values, without_nul};
use crate::work::{Work, run};
use crate::{Error, Store};

/// Largest piece kept, in bytes. Whoever gathers cuts before, and says so.
pub const MAX_CONTENT: usize = 8 * 1024 * 1024;

/// A piece of content on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub content: Content,
    pub text: String,
}

impl Piece {
    /// What cannot be kept as text in either database (the character NUL) is taken out before the digest is taken.
    pub fn new(text: &str) -> Self {
        let text = without_nul(text);
        let content = Content { sha256: digest(&text), bytes: text.len() as u64 };
        Self { content, text }
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Work {
    /// Keeps a piece of content with what this unit of work says about it.
    pub fn keep_content(&mut self, piece: Piece) {
        self.contents.insert(piece.content.sha256, piece.text);
    }

    pub(crate) async fn write_contents(&mut self) -> Result<(), Error> {
        let rows: Vec<(String, String)> = std::mem::take(&mut self.contents).into_iter().collect();
        for part in rows.chunks(ROWS_PER_STATEMENT) {
            let sql = format!(
                "INSERT INTO content (tenant, sha256, body) VALUES {} ON CONFLICT (tenant, sha256) DO NOTHING",
                values(part.len(), 3)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (sha256, body) in part {
                query = query.bind(self.tenant.as_str()).bind(sha256).bind(body);
            }
            run(query, &mut self.transaction, "keep evidence").await?;
        }
        Ok(())
    }
}

/// What a check of all content found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentAudit {
    /// Pieces that evidence names.
    pub pieces: u64,
    pub faults: Vec<ContentFault>,
}

/// A piece that evidence names, and that is gone or is not what its digest says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("evidence of tenant `{tenant}`, event {seq}: content `{sha256}` is missing or was changed")]
pub struct ContentFault {
    pub tenant: TenantId,
    pub seq: i64,
    pub sha256: String,
}

impl Store {
    /// The pieces of one tenant with these digests. One that is missing or damaged is left out: its digest is in the
    /// evidence, and the audit finds it.
    pub async fn contents(&self, tenant: &TenantId, wanted: &[&Content]) -> Result<BTreeMap<String, String>, Error> {
        let mut found = BTreeMap::new();
        for part in wanted.chunks(ROWS_PER_STATEMENT) {
            let sql = format!(
                "SELECT sha256, body FROM content WHERE tenant = $1 AND sha256 IN ({})",
                placeholders(2, part.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(tenant.as_str());
            for content in part {
                query = query.bind(content.sha256.as_str());
            }
            let rows = query.fetch_all(&self.reader).await.map_err(Error::database("read evidence"))?;
            for row in &rows {
                let (sha256, body) = (text(row, "sha256")?, text(row, "body")?);
                if digest(&body) == sha256 {
                    found.insert(sha256, body);
                } else {
                    tracing::error!(tenant.id = %tenant, sha256, "a piece of evidence is damaged");
                }
            }
        }
        Ok(found)
    }

    /// Reads every piece that any evidence names, and computes its digest again.
    pub async fn verify_contents(&self) -> Result<ContentAudit, Error> {
        let mut audit = ContentAudit::default();
        let mut after = (String::new(), 0_i64);
        loop {
            let rows = sqlx::query(
                "SELECT tenant, seq, body FROM event WHERE kind = 'evidence_gathered'
                 AND (tenant > $1 OR (tenant = $1 AND seq > $2)) ORDER BY tenant, seq LIMIT 20",
            )
            .bind(&after.0)
            .bind(after.1)
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("read what evidence there is"))?;
            let Some(last) = rows.last() else { return Ok(audit) };
            after = (text(last, "tenant")?, number(last, "seq")?);
            for row in &rows {
                self.verify_named(row, &mut audit).await?;
            }
        }
    }

    async fn verify_named(&self, row: &sqlx::any::AnyRow, audit: &mut ContentAudit) -> Result<(), Error> {
        let (tenant, seq) = (parsed::<TenantId>(row, "tenant id", "tenant")?, number(row, "seq")?);
        let Event::EvidenceGathered { evidence } = from_json("event", &seq.to_string(), &text(row, "body")?)? else {
            return Ok(());
        };
        let named: Vec<&Content> = [&evidence.answer.findings, &evidence.answer.raw].into_iter().flatten().collect();
        let found = self.contents(&tenant, &named).await?;
        audit.pieces += named.len() as u64;
        let lost = named.iter().filter(|content| !found.contains_key(&content.sha256));
        audit.faults.extend(lost.map(|c| ContentFault { tenant: tenant.clone(), seq, sha256: c.sha256.clone() }));
        Ok(())
    }
}
