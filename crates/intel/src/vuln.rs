//! Known vulnerabilities of installed software, and whether a patch exists.
