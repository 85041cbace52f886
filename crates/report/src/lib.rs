//! Reports: what is on record about an incident, set as a document that a customer can read, file and prove.
//!
//! Two steps that know nothing of each other. `facts` words the record in one language, section by section, without a guess
//! and without a look at any page. `typeset` sets such facts as a tagged PDF/A with the fonts and the template that are built
//! into the program: it opens no file, no socket and no clock (SEC-36), and keeps nothing of a document once it is made.

pub mod facts;
mod html;
mod incident;
mod markdown;
mod show;
#[cfg(test)]
mod tests;
mod typeset;

// The samples are written for users of the crate, and the tests inside it read them too.
#[cfg(test)]
extern crate self as report;

use std::collections::BTreeMap;

use domain::incident::{Incident, Recorded};
use domain::tenant::{Names, Tenant};
use domain::{Language, PersonId, Timestamp};
use sha2::{Digest, Sha256};

pub use facts::Facts;
pub use html::html;
pub use markdown::markdown;
pub use typeset::Renderer;

/// How the indicators in a report may be used (SEC-81): looked up passively, never probed or contacted.
pub const PAP: &str = "PAP:AMBER";

/// What a report needs besides the record itself.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// When the report is made. It appears in the report, so the same moment gives the same bytes.
    pub now: Timestamp,
    pub issuer: &'a Issuer,
}

/// Who sends the report: the provider of the service, and how its people are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    pub name: Names,
    /// Where the customer reaches the SOC, `None` to leave it out.
    pub contact: Option<Names>,
    /// Names by sign-in name. Who is not listed appears by the sign-in name.
    pub people: BTreeMap<PersonId, Names>,
}

/// A finished report in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub title: String,
    pub language: Language,
    pub pages: usize,
    file_name: String,
    pdf: Vec<u8>,
}

impl Document {
    pub fn pdf(&self) -> &[u8] {
        &self.pdf
    }

    /// ASCII, safe in a header and on every file system: `INC-2026-000123_ja.pdf`.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// SHA-256 of the PDF, lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.pdf))
    }

    pub fn into_pdf(self) -> Vec<u8> {
        self.pdf
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a built-in font could not be read")]
    Font,
    #[error("the facts of the report could not be handed to the template")]
    Facts(#[source] serde_json::Error),
    #[error("the report could not be set: {0}")]
    Typeset(String),
}

impl Error {
    /// The same facts give the same fault: trying again is of no use.
    pub fn is_transient(&self) -> bool {
        false
    }
}

impl Renderer {
    /// The incident report in one language. `events` are the incident's own, in order.
    pub fn incident(
        &self,
        incident: &Incident,
        events: &[Recorded],
        tenant: &Tenant,
        language: Language,
        options: Options<'_>,
    ) -> Result<Document, Error> {
        let facts = Facts::of(incident, events, tenant, language, options);
        let (pdf, pages) = self.pdf(&facts)?;
        let file_name = format!("{}_{}.pdf", incident.id, language.tag());
        Ok(Document { title: facts.title, language, pages, file_name, pdf })
    }
}

/// The incident report, with a renderer of its own. Whoever makes many keeps a `Renderer`.
pub fn incident(
    incident: &Incident,
    events: &[Recorded],
    tenant: &Tenant,
    language: Language,
    options: Options<'_>,
) -> Result<Document, Error> {
    Renderer::new()?.incident(incident, events, tenant, language, options)
}
