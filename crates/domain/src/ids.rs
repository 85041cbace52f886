//! Typed identifiers. Each is parsed once, at the edge, and trusted from then on.
//!
//! Ids that people read aloud (`INC-2026-000123`) are short and ordered; ids that come from the endpoint product stay the
//! strings they were, bounded and without anything that could become a path, a query or a header.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Says which kind of identifier was refused and why. The text is bounded and safe to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a valid {kind}: {why}")]
pub struct InvalidId {
    kind: &'static str,
    shown: String,
    why: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, given: &str, why: &'static str) -> Self {
        let shown = given.chars().take(40).flat_map(char::escape_default).collect();
        Self { kind, shown, why }
    }
}

/// An identifier made of a small safe alphabet, at most `MAX` characters long.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $allowed:expr, $why:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.chars().all(allowed) {
                    return Err(InvalidId::new($kind, text, $why));
                }
                Ok(Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A customer. Part of every key, row, path and prompt.
    TenantId, "tenant id", 40,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    "use 1 to 40 characters of a-z, 0-9 and -"
);
text_id!(
    /// A member of the staff (analyst, manager, operator): the sign-in name.
    PersonId, "person id", 60,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c),
    "use 1 to 60 characters of a-z, 0-9 and - . _"
);
text_id!(
    /// The endpoint product's own id of an alert (SentinelOne: threat id, STAR alert id or unified alert id).
    AlertId, "alert id", 80,
    |c| c.is_ascii_alphanumeric() || "-_.:".contains(c),
    "use 1 to 80 characters of a-z, A-Z, 0-9 and - _ . :"
);
text_id!(
    /// The endpoint product's id of the sensor on an endpoint (SentinelOne: `agentId`).
    AgentId, "agent id", 80,
    |c| c.is_ascii_alphanumeric() || "-_.:".contains(c),
    "use 1 to 80 characters of a-z, A-Z, 0-9 and - _ . :"
);

text_id!(
    /// A site of the SOC, `sapporo`.
    SiteId, "site id", 40,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    "use 1 to 40 characters of a-z, 0-9 and -"
);
text_id!(
    /// A channel of a Slack workspace, `C0123456789`.
    SlackChannelId, "Slack channel id", 30,
    |c| c.is_ascii_uppercase() || c.is_ascii_digit(),
    "use 1 to 30 characters of A-Z and 0-9"
);

/// An incident: `INC-2026-000123`, the year in UTC and a number that only grows within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentId {
    pub year: i16,
    pub number: u32,
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INC-{:04}-{:06}", self.year, self.number)
    }
}

impl FromStr for IncidentId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parsed = text.strip_prefix("INC-").and_then(|rest| {
            let (year, number) = rest.split_once('-')?;
            let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
            let lengths = year.len() == 4 && (6..=9).contains(&number.len());
            if !lengths || !digits(year) || !digits(number) {
                return None;
            }
            Some(Self { year: year.parse().ok()?, number: number.parse().ok()? })
        });
        parsed.ok_or_else(|| InvalidId::new("incident id", text, "it looks like INC-2026-000123"))
    }
}

impl TryFrom<String> for IncidentId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<IncidentId> for String {
    fn from(id: IncidentId) -> String {
        id.to_string()
    }
}

/// The n-th thing of its kind within one incident, shown as `INC-2026-000123/A1`.
macro_rules! part_id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($letter)
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| InvalidId::new(stringify!($name), text, concat!("it looks like ", $letter, "1")))
            }
        }
    };
}

part_id!(/// An action on an endpoint or a file, within its incident.
    ActionId, "A");
part_id!(/// A message to the customer, within its incident.
    NoticeId, "N");
part_id!(/// A question to the customer, within its incident.
    QuestionId, "Q");
part_id!(/// An item of evidence, within its incident.
    EvidenceId, "E");
part_id!(/// A call for a person of the SOC, within its incident.
    PageId, "C");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_id_survives_reading_it_aloud_and_typing_it_in() {
        let id = IncidentId { year: 2026, number: 123 };
        assert_eq!(id.to_string(), "INC-2026-000123");
        assert_eq!("INC-2026-000123".parse::<IncidentId>().unwrap(), id);
    }

    #[test]
    fn what_could_become_a_path_or_a_query_is_no_id() {
        for hostile in ["", "../etc", "a b", "Acme", "acme'--", "a\u{202e}b", "INC-2026-1", "INC-26-000001"] {
            assert!(TenantId::new(hostile).is_err(), "{hostile:?}");
            assert!(hostile.parse::<IncidentId>().is_err(), "{hostile:?}");
        }
        assert!(AlertId::new("1; DROP TABLE").is_err());
        let shown = TenantId::new("a\u{202e}\n").unwrap_err().to_string();
        assert!(!shown.contains('\n') && !shown.contains('\u{202e}'));
    }
}
