//! Passwords as Argon2id hashes in PHC form, and their check, which takes as long for somebody who does not exist.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use domain::source::Entropy;

/// Hashes computed side by side. Each takes 19 MiB and a core for some tens of milliseconds.
pub(crate) const AT_ONCE: usize = 2;
/// Longest password looked at, in bytes.
pub(crate) const MAX_BYTES: usize = 1024;

/// Hashes a password for `store::Person::password`, with a salt from `entropy`.
pub fn hash(password: &str, entropy: &dyn Entropy) -> String {
    with_salt(password, &entropy.bytes()[..16])
}

fn with_salt(password: &str, salt: &[u8]) -> String {
    // Fails only for salts and parameters out of bounds; 16 bytes and the defaults are within.
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    hash.expect("default parameters and 16 bytes of salt are valid").to_string()
}

/// Whether `password` is the one behind `stored`. Without a stored hash the same work is done for nothing, so that the time
/// does not tell who exists.
pub(crate) fn matches(password: &str, stored: Option<&str>) -> bool {
    static NOBODY: LazyLock<String> = LazyLock::new(|| with_salt("nobody signs in with this", &[0x5a; 16]));
    let known = stored.filter(|hash| !hash.is_empty());
    let right = Argon2::default().verify_password(password.as_bytes(), known.unwrap_or(&NOBODY)).is_ok();
    right && known.is_some()
}
