//! MITRE ATT&CK technique ids as alerts carry them.
//!
//! Only ids are kept; tactics and names are looked up in the ATT&CK version that a report names, since tactics move between
//! versions while ids stay.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `T1486`, or a sub-technique `T1003.001`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Technique {
    pub number: u16,
    pub sub: Option<u16>,
}

impl Technique {
    pub const fn new(number: u16) -> Self {
        Self { number, sub: None }
    }

    pub const fn sub(number: u16, sub: u16) -> Self {
        Self { number, sub: Some(sub) }
    }

    /// Whether `self` is `other` or one of its sub-techniques.
    pub fn is_within(self, other: Self) -> bool {
        self.number == other.number && (other.sub.is_none() || self.sub == other.sub)
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sub {
            Some(sub) => write!(f, "T{:04}.{sub:03}", self.number),
            None => write!(f, "T{:04}", self.number),
        }
    }
}

impl fmt::Debug for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Technique {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let rest = text.strip_prefix('T')?;
            let (number, sub) = match rest.split_once('.') {
                Some((number, sub)) if sub.len() == 3 => (number, Some(sub.parse().ok()?)),
                Some(_) => return None,
                None => (rest, None),
            };
            (number.len() == 4).then_some(Self { number: number.parse().ok()?, sub })
        };
        parse().ok_or_else(|| {
            format!("`{}` is not a technique id", text.chars().take(20).collect::<String>().escape_debug())
        })
    }
}

impl TryFrom<String> for Technique {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Technique> for String {
    fn from(technique: Technique) -> String {
        technique.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_techniques_belong_to_their_technique() {
        let lsass: Technique = "T1003.001".parse().unwrap();
        assert!(lsass.is_within(Technique::new(1003)));
        assert!(!Technique::new(1003).is_within(lsass));
        assert_eq!(lsass.to_string(), "T1003.001");
        assert!("T10030.1".parse::<Technique>().is_err() && "1003".parse::<Technique>().is_err());
    }
}
