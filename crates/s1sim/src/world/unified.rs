//! What only the unified alerts know of a threat: its other id, the finer verdict, who it is assigned to. Status, verdict
//! and notes themselves are the threat's own, so a change made on either surface shows on both.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{World, text};
use crate::clock::print;
use crate::token::Token;

/// A multiplier that scatters ids over the random bits, and the one that undoes it (modulo 2^64).
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
const GATHER: u64 = 0xf1de_83e1_9937_733d;

/// The finer verdict that a plain one stands for, and back. The vendor's own table was not available: that `suspicious`
/// is the true positive which is benign but suspicious is our reading.
const VERDICTS: &[(&str, &str)] = &[
    ("undefined", "UNDEFINED"),
    ("true_positive", "TRUE_POSITIVE_UNDEFINED"),
    ("false_positive", "FALSE_POSITIVE_UNDEFINED"),
    ("suspicious", "TRUE_POSITIVE_BENIGN_BUT_SUSPICIOUS"),
];

/// What else a true and a false positive can be.
const TRUE_KINDS: &[&str] = &[
    "ADVANCED_PERSISTENT_THREAT",
    "BENIGN",
    "DATA_EXFILTRATION",
    "DENIAL_OF_SERVICE",
    "EXPLOITATION_TOOLS",
    "INSIDER_THREAT",
    "MALWARE",
    "PHISHING_ATTACK",
    "POLICY_VIOLATION",
    "PUA_ADWARE",
    "RANSOMWARE",
    "UNAUTHORIZED_ACCESS",
];
const FALSE_KINDS: &[&str] = &["BENIGN", "BENIGN_BUT_SUSPICIOUS", "SYSTEM_ERROR", "USER_ERROR"];

/// What is kept for one alert beside its threat.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    verdict: Option<String>,
    pub(crate) assignee: Option<u64>,
    /// The content type of notes that are not plain text, by note id.
    pub(crate) note_types: Vec<(String, String)>,
    /// Assignments, which the activity log does not have.
    pub(crate) history: Vec<Value>,
}

/// The unified alert's id, a UUID of version 7. It holds the threat's id, so nothing has to remember the pair.
pub(crate) fn uuid(id: u64, created: Timestamp) -> String {
    let millis = u128::from(created.as_millisecond().unsigned_abs()) & ((1 << 48) - 1);
    let scattered = id.wrapping_mul(SCATTER);
    let (a, b) = (u128::from(scattered >> 52), u128::from(scattered & ((1 << 52) - 1)));
    let value = millis << 80 | 7 << 76 | a << 64 | 2 << 62 | b << 10 | u128::from(id % 1009);
    let hex = format!("{value:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The id inside a unified alert's id. An error for what is no UUID at all; whether it is one of ours shows only by
/// writing it again.
pub(crate) fn id_of(uuid: &str) -> Result<u64, String> {
    let invalid = || format!("Invalid UUID string: {uuid}");
    let groups: Vec<usize> = uuid.split('-').map(str::len).collect();
    if groups != [8, 4, 4, 4, 12] {
        return Err(invalid());
    }
    let value = u128::from_str_radix(&uuid.replace('-', ""), 16).map_err(|_| invalid())?;
    let a = u64::try_from(value >> 64 & 0xfff).map_err(|_| invalid())?;
    let b = u64::try_from(value >> 10 & ((1 << 52) - 1)).map_err(|_| invalid())?;
    Ok((a << 52 | b).wrapping_mul(GATHER))
}

/// The plain verdict under a finer one, or nothing for a word that is no verdict.
pub(crate) fn plain_verdict(fine: &str) -> Option<&'static str> {
    if let Some((plain, _)) = VERDICTS.iter().find(|(_, name)| *name == fine) {
        return Some(plain);
    }
    let kind = |prefix: &str, kinds: &[&str]| fine.strip_prefix(prefix).is_some_and(|kind| kinds.contains(&kind));
    match fine {
        _ if kind("TRUE_POSITIVE_", TRUE_KINDS) => Some("true_positive"),
        _ if kind("FALSE_POSITIVE_", FALSE_KINDS) => Some("false_positive"),
        _ => None,
    }
}

impl Extra {
    /// The verdict to show beside a threat's plain one: the finer one while it still says the same.
    pub(crate) fn verdict(extra: Option<&Self>, plain: &str) -> String {
        let kept = extra.and_then(|extra| extra.verdict.clone()).filter(|fine| plain_verdict(fine) == Some(plain));
        let usual = VERDICTS.iter().find(|(name, _)| *name == plain).map_or("UNDEFINED", |(_, fine)| *fine);
        kept.unwrap_or_else(|| usual.to_owned())
    }
}

impl World {
    /// Sets the finer verdict, and the threat's plain one with it. Says the console's result word.
    pub(crate) fn set_fine_verdict(&mut self, id: u64, fine: &str, by: &Token, now: Timestamp) -> &'static str {
        let Some(plain) = plain_verdict(fine) else { return "not_changed" };
        let Some(stored) = self.threats.get(&id) else { return "not_changed" };
        let shown = Extra::verdict(self.unified.get(&id), text(&stored.doc, "/threatInfo/analystVerdict"));
        if shown == fine {
            return "already_set";
        }
        self.unified.entry(id).or_default().verdict = Some(fine.to_owned());
        if self.set_verdict(id, plain, by, now) == "already_set" {
            // Only the finer half changed.
            self.touch(id, now);
        }
        "updated"
    }

    /// Assigns an alert to a user, or to nobody. Says whether that changed anything.
    pub(crate) fn assign(&mut self, id: u64, user: Option<u64>, by: &Token, now: Timestamp) -> bool {
        let extra = self.unified.entry(id).or_default();
        if extra.assignee == user {
            return false;
        }
        extra.assignee = user;
        let to = user.and_then(|user| self.user(user)).map_or("nobody".to_owned(), |user| user.name.clone());
        let sentence = format!("The management user {} assigned the alert to {to}", by.name);
        let item = json!({"createdAt": print(now), "eventText": sentence, "eventType": "ASSIGNEE_UPDATE", "userId": by.user_id.to_string()});
        self.unified.entry(id).or_default().history.push(item);
        self.touch(id, now);
        true
    }

    /// The holder of a user id.
    pub(crate) fn user(&self, id: u64) -> Option<&Token> {
        self.tokens.list.iter().find(|token| token.user_id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alerts_id_is_a_uuid_of_version_7_and_leads_back_to_its_threat() {
        let at: Timestamp = "2026-11-24T01:00:00Z".parse().expect("a time");
        for id in [100_000_000_000_000_000, 2_604_177_391_488_393_217, u64::MAX] {
            let uuid = uuid(id, at);
            assert_eq!((&uuid[14..15], uuid.len()), ("7", 36), "{uuid}");
            assert!(["8", "9", "a", "b"].contains(&&uuid[19..20]), "{uuid}");
            assert_eq!(id_of(&uuid), Ok(id));
        }
        let later = at + jiff::SignedDuration::from_secs(1);
        assert!(uuid(5, at) < uuid(4, later), "they sort by time");
        assert!(id_of("invalid-alert-id-12345").is_err());
    }

    #[test]
    fn the_finer_verdict_shows_only_while_it_agrees_with_the_plain_one() {
        let extra = Extra { verdict: Some("TRUE_POSITIVE_RANSOMWARE".to_owned()), ..Extra::default() };
        assert_eq!(Extra::verdict(Some(&extra), "true_positive"), "TRUE_POSITIVE_RANSOMWARE");
        assert_eq!(Extra::verdict(Some(&extra), "false_positive"), "FALSE_POSITIVE_UNDEFINED");
        assert_eq!(plain_verdict("TRUE_POSITIVE_BENIGN_BUT_SUSPICIOUS"), Some("suspicious"));
        assert_eq!(plain_verdict("FALSE_POSITIVE_USER_ERROR"), Some("false_positive"));
        assert_eq!((plain_verdict("MAYBE"), plain_verdict("TRUE_POSITIVE_MAYBE")), (None, None));
    }
}
