//! Indicator lists: import into the intelligence file, and look-up in memory.
//!
//! A list says what its publisher holds for bad, or for common (`Kind::Warnings`); nothing here judges. An import replaces the
//! list of the same name. `Lists` keeps twelve bytes of an entry in memory and reads the rest from the file on a hit.

mod bench;
mod entry;
mod format;
mod import;
mod json;
mod lists;
mod text;

pub use bench::{Bench, bench};
pub use format::Format;
pub use import::{Error, import};
pub use lists::Lists;

#[cfg(test)]
mod tests;
