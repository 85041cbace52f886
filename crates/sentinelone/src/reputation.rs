//! What the console's reputation service says of one file. A file that it does not know is not a clean one.

use serde_json::Value;

use crate::error::Error;

/// The end of the console's scale.
pub const HIGHEST_RANK: u8 = 10;
/// From here on the console calls a file malicious.
const MALICIOUS_FROM: u8 = 5;

/// The answer as it came, with its place on the scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reputation {
    /// 1 to 10; `None` when the service does not know the file.
    pub rank: Option<u8>,
    pub raw: Value,
}

impl Reputation {
    pub fn is_malicious(&self) -> bool {
        self.rank.is_some_and(|rank| rank >= MALICIOUS_FROM)
    }

    /// An unknown file has no rank, or rank 0. Anything else that is no rank is no answer.
    pub(crate) fn read(raw: Value) -> Result<Self, Error> {
        let rank = match raw.get("rank") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.parse().ok()),
            Some(other) => Some(other.as_u64().and_then(|rank| u8::try_from(rank).ok())),
        };
        match rank {
            None | Some(Some(0)) => Ok(Self { rank: None, raw }),
            Some(Some(rank)) if rank <= HIGHEST_RANK => Ok(Self { rank: Some(rank), raw }),
            Some(_) => Err(Error::Malformed { what: "its rank is not one of 0 to 10".into(), in_doubt: false }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_is_no_rank_and_rubbish_is_no_answer() {
        let read = |said: Value| Reputation::read(said).map(|r| (r.rank, r.is_malicious()));
        for unknown in [json!({}), json!({"rank": "0"}), json!({"rank": null})] {
            assert_eq!(read(unknown).unwrap(), (None, false));
        }
        assert_eq!(read(json!({"rank": "4"})).unwrap(), (Some(4), false));
        assert_eq!(read(json!({"rank": "5"})).unwrap(), (Some(5), true));
        assert_eq!(read(json!({"rank": 10})).unwrap(), (Some(10), true));
        for rubbish in [json!({"rank": "11"}), json!({"rank": "bad"}), json!({"rank": -1}), json!({"rank": {}})] {
            assert!(read(rubbish).is_err());
        }
    }
}
