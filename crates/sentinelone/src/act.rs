//! What can be done on the console, and how its answers are read.
//!
//! An answer of success only says "queued". `affected: 0` is a failure, more affected than named is an alarm, and whether
//! the act took place is seen by reading back.

use std::fmt;

use domain::{AlertId, Untrusted};
use serde_json::Value;

use crate::error::Error;
use crate::row::{Row, word};

/// What can be done to a threat's processes and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mitigate {
    Kill,
    Quarantine,
    Unquarantine,
    /// Windows and macOS.
    Remediate,
    /// Windows. One shot per approval (REL-06).
    Rollback,
}

impl Mitigate {
    pub const ALL: [Self; 5] = [Self::Kill, Self::Quarantine, Self::Unquarantine, Self::Remediate, Self::Rollback];

    /// The last part of the path; the answers use other words.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Quarantine => "quarantine",
            Self::Unquarantine => "un-quarantine",
            Self::Remediate => "remediate",
            Self::Rollback => "rollback-remediation",
        }
    }
}

/// The console took the act up. Not yet that it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub asked: usize,
    pub affected: usize,
    /// Targets that the console says it left out.
    pub passed_over: Vec<PassedOver>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    pub target: Option<AlertId>,
    pub why: Why,
}

/// Why the console left a target out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Permission,
    NotSupported,
    Precondition,
    AlreadySo,
    Other(Untrusted),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permission => f.write_str("the token may not do this"),
            Self::NotSupported => f.write_str("the endpoint does not support this"),
            Self::Precondition => f.write_str("a condition for it is not met"),
            Self::AlreadySo => f.write_str("it is already so"),
            Self::Other(text) => write!(f, "`{}`", text.short(80)),
        }
    }
}

/// Reads `{"data": {"affected": n, "details": […]}}` of an act on `asked` targets.
pub(crate) fn read(answer: &Value, asked: usize) -> Result<Accepted, Error> {
    let data = Row(answer).row("data");
    let Some(affected) = data.number("affected") else {
        return Err(Error::Malformed { what: "it does not say how many were affected".into(), in_doubt: true });
    };
    let passed_over: Vec<_> = data.rows("details").take(asked * 8).flat_map(passed_over).collect();
    match usize::try_from(affected) {
        Ok(0) => Err(Error::NothingAffected { passed_over }),
        Ok(affected) if affected <= asked => Ok(Accepted { asked, affected, passed_over }),
        _ => Err(Error::TooManyAffected { asked, affected }),
    }
}

/// A verdict's or status's `result`, or a mitigation's `skipped[].reason`.
fn passed_over(detail: Row<'_>) -> Vec<PassedOver> {
    let target = detail.text("threatId").and_then(|id| AlertId::new(&id).ok());
    let result = detail.text("result").filter(|r| !matches!(word(r).as_str(), "updated" | "created" | "success"));
    let skipped = detail.rows("skipped").filter_map(|s| s.text("reason").or_else(|| s.text("description")));
    let whys = result.into_iter().chain(skipped);
    whys.map(|text| PassedOver { target: target.clone(), why: why(&text) }).collect()
}

fn why(text: &str) -> Why {
    match word(text).as_str() {
        "permissions" | "missing_permissions" => Why::Permission,
        "not_supported" => Why::NotSupported,
        "precondition" | "conditions_not_met" => Why::Precondition,
        "not_changed" | "already_set" | "already_exists" | "triggered" => Why::AlreadySo,
        _ => Why::Other(Untrusted::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn success_with_nothing_affected_is_a_failure_with_its_reasons() {
        let error = read(&json!({"data": {"affected": 0, "details": [
            {"threatId": "1", "reports": [], "skipped": [{"action": "kill", "reason": "not_supported", "description": "x"}]},
            {"threatId": "2", "result": "missing_permissions"}]}}), 2).unwrap_err();
        assert_eq!(error.to_string(), "the console did nothing: the endpoint does not support this (and 1 more)");
        assert!(!error.is_transient() && !error.may_have_happened() && !error.was_already_so());
        let bare = read(&json!({"data": {"affected": 0}}), 1).unwrap_err();
        assert_eq!(bare.to_string(), "the console did nothing: it gives no reason");
        assert!(!bare.was_already_so());
    }

    #[test]
    fn already_so_is_told_apart_so_that_acts_can_converge_rel_06() {
        let set = json!({"data": {"affected": 0, "details": [{"threatId": "1", "result": "already_set"}]}});
        assert!(read(&set, 1).unwrap_err().was_already_so());
    }

    #[test]
    fn a_partial_success_names_who_was_left_out() {
        let answer = json!({"data": {"affected": "1", "details": [
            {"threatId": "1", "result": "updated"}, {"threatId": "2", "result": "something new"}]}});
        let accepted = read(&answer, 2).unwrap();
        assert_eq!((accepted.asked, accepted.affected), (2, 1));
        let [left_out] = &accepted.passed_over[..] else { panic!("{accepted:?}") };
        assert_eq!(left_out.target.as_ref().unwrap().as_str(), "2");
        assert_eq!(left_out.why, Why::Other(Untrusted::new("something new")));
    }

    #[test]
    fn more_affected_than_named_is_an_alarm() {
        let error = read(&json!({"data": {"affected": 5000}}), 1).unwrap_err();
        assert_eq!(error.to_string(), "the console acted on 5000 objects when 1 were named");
        assert!(error.may_have_happened() && !error.is_transient());
    }

    #[test]
    fn a_success_that_does_not_say_how_many_leaves_the_act_in_doubt() {
        for answer in [json!({"data": {"success": true}}), json!({}), json!("queued"), json!(null)] {
            assert!(read(&answer, 1).unwrap_err().may_have_happened(), "{answer}");
        }
    }
}
