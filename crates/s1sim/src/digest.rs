//! Made-up file hashes, storylines, uuids and token texts, all derived from a label so that the same scenario shows
//! the same values every time. They have the right form; they are not the hash of any file.

use sha2::{Digest, Sha256};

fn raw(kind: &str, label: &str) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(label).finalize().into()
}

pub(crate) fn sha256(label: &str) -> String {
    hex::encode(raw("sha256", label))
}

pub(crate) fn sha1(label: &str) -> String {
    hex::encode(&raw("sha1", label)[..20])
}

pub(crate) fn md5(label: &str) -> String {
    hex::encode(&raw("md5", label)[..16])
}

/// The agent's name for everything that grew out of one first process: 16 upper-case hex digits.
pub(crate) fn storyline(label: &str) -> String {
    hex::encode_upper(&raw("storyline", label)[..8])
}

/// An endpoint's uuid: 32 hex digits without dashes.
pub(crate) fn uuid(label: &str) -> String {
    md5(&format!("uuid {label}"))
}

/// 32 hex digits in the groups of a UUID.
pub(crate) fn dashed(hex: &str) -> String {
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// An opaque API token of 80 characters.
pub(crate) fn token(seed: u64, name: &str) -> String {
    let label = format!("{seed} {name}");
    hex::encode(raw("token", &label)) + &hex::encode(&raw("token-tail", &label)[..8])
}

/// A number that looks random and never changes, for ports, sizes and process ids.
pub(crate) fn number(label: &str) -> u64 {
    raw("number", label)[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
