//! Indicators of compromise: typed values that can be looked up, searched for and shared.
//!
//! A value is parsed once, at the edge, and normalised: what stands in an `Ioc` is safe to ask a source for (SEC-45), and is shown
//! only defanged (SEC-34). Whether one is bad, sources say (`intel`), not this.

mod answer;
mod extract;
mod listed;
mod observed;
mod parse;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::alert::Hash;

pub use answer::{Answer, Engines, Gap, Known, MAX_RAW_BYTES, Mention, Opinion, Outcome, Source, Why};
pub use extract::{MAX_PER_TEXT, extract};
pub use listed::{ListBasis, ListHit};
pub use observed::{MAX_OBSERVED, observed};

/// What kind of thing a value is. The names are STIX 2.1 object types where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Sha256,
    Sha1,
    Md5,
    Domain,
    Url,
    Ip,
    /// A file's full path, or its name alone.
    Path,
    RegistryKey,
    Email,
}

/// How far an indicator may go (Permissible Actions Protocol, PAP 2.0). RED: nothing that leaves the house, so no query (SEC-43).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pap {
    Clear,
    Green,
    /// Passive look-ups at sources are allowed, nothing that the adversary could see. The default.
    #[default]
    Amber,
    Red,
}

/// One typed and normalised value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Ioc {
    Hash(Hash),
    /// Lower case, without a final dot, at least two labels, in its ASCII form.
    Domain(String),
    /// Scheme and host in lower case; without a fragment.
    Url(String),
    Ip(IpAddr),
    Path(String),
    RegistryKey(String),
    Email(String),
}

impl Ioc {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hash(hash) => match hash.algorithm() {
                "MD5" => Kind::Md5,
                "SHA-1" => Kind::Sha1,
                _ => Kind::Sha256,
            },
            Self::Domain(_) => Kind::Domain,
            Self::Url(_) => Kind::Url,
            Self::Ip(_) => Kind::Ip,
            Self::Path(_) => Kind::Path,
            Self::RegistryKey(_) => Kind::RegistryKey,
            Self::Email(_) => Kind::Email,
        }
    }

    /// The value alive, for looking up and matching only, never for showing.
    pub fn value(&self) -> String {
        match self {
            Self::Hash(hash) => hash.as_str().to_owned(),
            Self::Ip(address) => address.to_string(),
            Self::Domain(text) | Self::Url(text) | Self::Path(text) | Self::RegistryKey(text) | Self::Email(text) => {
                text.clone()
            }
        }
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
            Self::Domain => "domain",
            Self::Url => "URL",
            Self::Ip => "IP address",
            Self::Path => "path",
            Self::RegistryKey => "registry key",
            Self::Email => "e-mail address",
        }
    }
}

impl fmt::Display for Pap {
    /// `PAP:AMBER`, in English capitals and never translated (SEC-81).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear => "PAP:CLEAR",
            Self::Green => "PAP:GREEN",
            Self::Amber => "PAP:AMBER",
            Self::Red => "PAP:RED",
        })
    }
}
