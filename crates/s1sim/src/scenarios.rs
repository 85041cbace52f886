//! The plays, one file each. All hosts, people, companies, files, addresses and hashes in them are made up.

pub(crate) mod admin_tool;
pub(crate) mod credential_theft_lateral;
pub(crate) mod exfiltration;
pub(crate) mod full_disk_scan;
pub(crate) mod phishing_document;
pub(crate) mod pua;
pub(crate) mod ransomware_hosts;
pub(crate) mod ransomware_workstation;
pub(crate) mod static_unknown_file;
pub(crate) mod wiper;
