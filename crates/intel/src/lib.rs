//! What is known outside the customer's endpoints: indicator lists, vulnerabilities, and the sources that can be asked.
//!
//! Lists are imported offline into one file and read from there; sources are asked through `outbound`, within one budget each.
//! It says what a source said and when. It judges nothing, and never takes "not found" for "clean".

pub mod eval;
pub mod file;
pub mod ioc;
pub mod sources;
pub mod vuln;
