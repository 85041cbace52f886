//! API tokens: what each may do (capability) and what it may see (scope). The texts are derived from a seed, so a
//! configuration written once keeps working after a restart.

use jiff::Timestamp;
use serde::Serialize;

use crate::digest;

/// What a token may do. Acting and writing include reading, because both must be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    Read,
    /// Mitigate threats, cut endpoints from the network and reconnect them, start scans.
    Act,
    /// Set verdicts and incident states, write notes and ticket numbers.
    Write,
    Full,
}

/// What one call needs beyond reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Act,
    Write,
}

impl Capability {
    pub(crate) fn covers(self, need: Need) -> bool {
        match need {
            Need::Act => matches!(self, Self::Act | Self::Full),
            Need::Write => matches!(self, Self::Write | Self::Full),
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
            Self::Write => "write",
            Self::Full => "full",
        }
    }
}

/// The part of the tree console > account > site that a token sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Console,
    Account(u64),
    Site(u64),
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// `customer/capability`, as the ledger prints it. Never the secret.
    pub(crate) name: String,
    pub(crate) secret: String,
    pub(crate) capability: Capability,
    pub(crate) scope: Scope,
    pub(crate) user_id: u64,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

/// All tokens of one simulated console, and the one that opens its control endpoints.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) seed: u64,
    pub(crate) control: String,
    pub(crate) list: Vec<Token>,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, control: digest::token(seed, "control"), list: Vec::new() }
    }

    /// Finds the holder of an `Authorization` header. Clients write the scheme in four ways and any case.
    pub(crate) fn holder(&self, header: &str, now: Timestamp) -> Option<&Token> {
        let secret = secret(header)?;
        self.list.iter().find(|token| token.secret == secret && now < token.expires)
    }

    pub(crate) fn is_control(&self, header: &str) -> bool {
        secret(header) == Some(self.control.as_str())
    }
}

fn secret(header: &str) -> Option<&str> {
    let (scheme, secret) = header.trim().split_once(' ')?;
    let known = ["apitoken", "token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    known.then(|| secret.trim())
}
