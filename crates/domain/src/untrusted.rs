//! Text that came from an endpoint, a mail, a chat or a sample. It is hostile until quoted.
//!
//! There is no `Display`: whoever shows it must choose how. `quoted` makes every character that could deceive a reader
//! visible (SEC-35); escaping for HTML, SQL or Slack stays the duty of the door that writes there.

use serde::{Deserialize, Serialize};

/// Longest text kept from outside, in bytes. What is cut is marked (SEC-38); the raw record keeps the whole.
pub const MAX_BYTES: usize = 4096;

/// One bounded piece of foreign text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Untrusted(String);

impl Untrusted {
    pub fn new(text: &str) -> Self {
        if text.len() <= MAX_BYTES {
            return Self(text.to_owned());
        }
        let mut end = MAX_BYTES - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(format!("{}…", &text[..end]))
    }

    /// `None` for an absent or blank value, which consoles send as `null`, `""` or blanks alike.
    pub fn some(text: Option<&str>) -> Option<Self> {
        text.filter(|t| !t.trim().is_empty()).map(Self::new)
    }

    /// For people: control, bidirectional and zero-width characters appear as `\u{…}`.
    pub fn quoted(&self) -> String {
        self.0.chars().fold(String::with_capacity(self.0.len()), |mut out, c| {
            if deceives(c) {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
            out
        })
    }

    /// Like `quoted`, cut to `max` characters with a mark, for one line of a table or a subject.
    pub fn short(&self, max: usize) -> String {
        let quoted = self.quoted();
        if quoted.chars().count() <= max {
            return quoted;
        }
        quoted.chars().take(max.saturating_sub(1)).chain(['…']).collect()
    }

    /// For comparing and matching only, never for showing or sending.
    pub fn for_matching(&self) -> &str {
        &self.0
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Untrusted> for String {
    fn from(text: Untrusted) -> String {
        text.0
    }
}

impl std::fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Untrusted({:?})", self.quoted())
    }
}

/// Whether a character hides, reorders or forges what a reader sees.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_reads_backwards_is_shown_as_it_is_sec_35() {
        let name = Untrusted::new("invoice\u{202e}fdp.exe");
        assert_eq!(name.quoted(), "invoice\\u{202e}fdp.exe");
        assert_eq!(Untrusted::new("a\u{1b}[31mb\r\n").quoted(), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(Untrusted::new("a\u{1bca0}b\u{1d173}").quoted(), "a\\u{1bca0}b\\u{1d173}");
    }

    #[test]
    fn ordinary_japanese_stays_as_it_is() {
        assert_eq!(Untrusted::new("請求書(最終版).xlsm").quoted(), "請求書(最終版).xlsm");
    }

    #[test]
    fn a_text_too_long_is_cut_at_a_character_and_marked_sec_38() {
        let cut = Untrusted::new(&"あ".repeat(3000));
        assert!(cut.for_matching().len() <= MAX_BYTES);
        assert!(cut.for_matching().ends_with('…'));
        assert_eq!(Untrusted::new("abcdef").short(4), "abc…");
    }
}
