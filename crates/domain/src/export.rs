//! What an incident's records and alerts look like to other programs, as text.
//!
//! Pure functions: who may have it, where it goes and how it is packed is decided elsewhere. Whatever a reader's program could
//! take for a command is made harmless here (SEC-33).

pub mod timesketch;
