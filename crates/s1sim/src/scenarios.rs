//! The plays, one file each. All hosts, people, companies, files and hashes in them are made up.

pub(crate) mod ransomware_workstation;
pub(crate) mod static_unknown_file;
