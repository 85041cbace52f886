//! The reader's language, with what it takes to write in it. Every text is given in both, so a missing one does not compile.

use domain::tenant::Names;
use domain::{Language, Text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Say(pub(crate) Language);

impl Say {
    pub(crate) fn pick<T>(self, ja: T, en: T) -> T {
        match self.0 {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    pub(crate) fn text(self, text: Text) -> &'static str {
        text.in_language(self.0)
    }

    pub(crate) fn names(self, names: &Names) -> &str {
        names.in_language(self.0)
    }

    /// `3 alerts` in English, `3件` in Japanese.
    pub(crate) fn count(self, n: u64, unit_ja: &str, one: &str, many: &str) -> String {
        self.pick(format!("{n}{unit_ja}"), format!("{n} {}", if n == 1 { one } else { many }))
    }
}
