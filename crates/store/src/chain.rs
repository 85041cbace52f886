//! How audit rows are tied together (SEC-60): each row's hash covers the row and the hash before it.
//!
//! There are two kinds of chain. Each tenant has one over its events; the root is one over all commits, each entry naming
//! the tenant's new head, so that a tenant cannot vanish as a whole. `audit` verifies both; see
//! `docs/decisions/0004-audit-chain.md` for what this proves and what only a hash that was handed out proves.

use sha2::{Digest, Sha256};

/// The hash before the first row of any chain.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an event's hash covers, besides the hash before it.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub tenant: &'a str,
    pub seq: i64,
    pub incident: &'a str,
    pub at: i64,
    pub actor: &'a str,
    pub kind: &'a str,
    pub body: &'a str,
}

impl Link<'_> {
    pub(crate) fn hash(&self, previous: &str) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.to_string());
        digest(&["event", previous, self.tenant, &seq, self.incident, &at, self.actor, self.kind, self.body])
    }
}

/// What the hash of the root's `n`-th entry covers, besides the hash before it: one commit moved a tenant's chain to `seq`.
#[derive(Debug)]
pub(crate) struct RootLink<'a> {
    pub n: i64,
    pub tenant: &'a str,
    pub seq: i64,
    pub head: &'a str,
}

impl RootLink<'_> {
    pub(crate) fn hash(&self, previous: &str) -> String {
        digest(&["root", previous, &self.n.to_string(), self.tenant, &self.seq.to_string(), self.head])
    }
}

/// SHA-256 over each field with its length before it, so that no two rows share an input.
fn digest(fields: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_text_from_one_field_to_the_next_changes_the_hash() {
        let link = |actor, kind| Link { tenant: "acme", seq: 1, incident: "i", at: 0, actor, kind, body: "" };
        assert_ne!(link("ab", "c").hash(START), link("a", "bc").hash(START));
    }
}
