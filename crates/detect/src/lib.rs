//! Runs Sigma rules over what endpoints recorded.
//!
//! It says which rule matched which record, with the rule's author and ATT&CK ids. It judges no incident.
