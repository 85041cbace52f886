//! What an imported list says of an indicator.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::untrusted::Untrusted;

/// One list that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListHit {
    /// The list's name, as it was imported.
    pub list: String,
    /// A list of common or harmless things: it speaks against the indicator, and hides nothing.
    pub warning: bool,
    /// Malware family, campaign or comment, as the list has it.
    pub label: Option<Untrusted>,
    pub basis: ListBasis,
    pub first_seen: Option<Timestamp>,
    pub reference: Option<Untrusted>,
    /// How old what we know is.
    pub imported_at: Timestamp,
}

/// What of the indicator stands in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListBasis {
    Exact,
    /// A domain above it.
    ParentDomain,
    /// The host of a URL.
    Host,
    /// An address range.
    Network,
    /// Part of it, for lists of patterns.
    Pattern,
}
