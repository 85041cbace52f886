//! Who a message comes from: the SOC as it signs, and how a customer reaches it.

use domain::Language;
use domain::tenant::{Email, Names};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// As it signs.
    pub name: Names,
    /// Mails come from here, and answers go there.
    pub address: Email,
    /// The emergency line, answered around the clock.
    #[serde(default)]
    pub telephone: Option<Telephone>,
    /// Where customers answer questions, as the pages' setting says: scheme, host and port.
    #[serde(skip)]
    pub pages: Option<String>,
}

impl Sender {
    pub fn name(&self, language: Language) -> &str {
        self.name.in_language(language)
    }

    /// What stands behind the `@`: the domain that vouches for our mails and names them.
    pub(crate) fn domain(&self) -> &str {
        // `Email` holds exactly one `@`; without one the whole would do.
        self.address.as_str().split_once('@').map_or(self.address.as_str(), |(_, domain)| domain)
    }
}

/// A telephone number as it is dialled from abroad or at home: digits, blanks and `+ - ( )`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Telephone(String);

impl Telephone {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Telephone {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let allowed = text.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c));
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let valid = allowed && (3..=20).contains(&digits) && text.len() <= 32;
        if valid { Ok(Self(text)) } else { Err(format!("`{}` is not a telephone number", text.escape_default())) }
    }
}

impl From<Telephone> for String {
    fn from(number: Telephone) -> String {
        number.0
    }
}
