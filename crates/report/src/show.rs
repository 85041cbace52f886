//! How single values are shown: times, spans, names, and text from endpoints.
//!
//! Times are JST for people, with the UTC offset where they prove something. Foreign text comes out with deceiving characters
//! escaped (SEC-35) and addresses defanged, so that no viewer makes a live link of them (SEC-34).

use domain::calendar::in_japan;
use domain::defang::{defang, defang_account};
use domain::reason::{self, Ground};
use domain::tenant::Names;
use domain::{Language, PersonId, Text, Timestamp, Untrusted};
use jiff::SignedDuration;

use crate::Issuer;

/// A reader's language, with what it takes to write in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Say(pub(crate) Language);

impl Say {
    pub(crate) fn text(self, text: Text) -> &'static str {
        text.in_language(self.0)
    }

    pub(crate) fn pick<T>(self, ja: T, en: T) -> T {
        match self.0 {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    /// Begins a statement of its own: English with a capital letter.
    pub(crate) fn begin(self, text: &str) -> String {
        let mut chars = text.chars();
        match (self.0, chars.next()) {
            (Language::En, Some(first)) => first.to_uppercase().chain(chars).collect(),
            _ => text.to_owned(),
        }
    }

    pub(crate) fn not_recorded(self) -> &'static str {
        self.pick("記録なし", "Not recorded")
    }

    /// Joins parts of one sentence.
    pub(crate) fn list(self, parts: &[String]) -> String {
        parts.join(self.pick("、", ", "))
    }

    /// A name from outside within our own sentence.
    pub(crate) fn name(self, name: &Untrusted) -> String {
        self.within_quotes(&defang(&name.short(80)))
    }

    /// The same for the name of an account.
    pub(crate) fn account(self, name: &Untrusted) -> String {
        self.within_quotes(&defang_account(&name.short(80)))
    }

    fn within_quotes(self, shown: &str) -> String {
        self.pick(format!("「{shown}」"), format!("“{shown}”"))
    }

    /// Why something was decided, with names from outside in it.
    pub(crate) fn grounds(self, grounds: &[Ground]) -> String {
        defang(&reason::sentence(grounds, self.0))
    }

    pub(crate) fn person(self, id: &PersonId, issuer: &Issuer) -> String {
        issuer.people.get(id).map_or_else(|| id.to_string(), |names| names.in_language(self.0).to_owned())
    }

    pub(crate) fn names(self, names: &Names) -> String {
        names.in_language(self.0).to_owned()
    }

    /// To the minute, for sentences.
    pub(crate) fn moment(self, at: Timestamp) -> String {
        let t = in_japan(at);
        self.pick(
            format!("{}年{}月{}日 {:02}:{:02}（JST）", t.year(), t.month(), t.day(), t.hour(), t.minute()),
            format!("{} {} {}, {:02}:{:02} JST", t.day(), month(t.month()), t.year(), t.hour(), t.minute()),
        )
    }

    /// To the second, for tables: `2026-11-24 10:12:03`, wall clock in Japan.
    pub(crate) fn second(self, at: Timestamp) -> String {
        in_japan(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    pub(crate) fn day(self, at: Timestamp) -> String {
        let t = in_japan(at);
        self.pick(
            format!("{}年{}月{}日", t.year(), t.month(), t.day()),
            format!("{} {} {}", t.day(), month(t.month()), t.year()),
        )
    }

    /// The two greatest units of a span, without a sign.
    pub(crate) fn span(self, span: SignedDuration) -> String {
        let s = span.as_secs().unsigned_abs();
        let units = [
            (s / 86_400, self.pick("日", " d")),
            (s / 3_600 % 24, self.pick("時間", " h")),
            (s / 60 % 60, self.pick("分", " min")),
            (s % 60, self.pick("秒", " s")),
        ];
        let shown: Vec<String> = units
            .iter()
            .skip_while(|(n, _)| *n == 0)
            .take(2)
            .filter(|(n, _)| *n > 0)
            .map(|(n, unit)| format!("{n}{unit}"))
            .collect();
        if shown.is_empty() { self.pick("0秒", "0 s").to_owned() } else { shown.join(self.pick("", " ")) }
    }
}

/// `2026-11-24T01:12:03Z`, for proof.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The whole of a foreign text, harmless.
pub(crate) fn foreign(text: &Untrusted) -> String {
    defang(&text.quoted())
}

/// The name of an account, harmless and readable.
pub(crate) fn account(name: &Untrusted) -> String {
    defang_account(&name.quoted())
}

fn month(number: i8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    usize::try_from(number - 1).ok().and_then(|i| NAMES.get(i)).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_two_units() {
        let say = Say(Language::Ja);
        assert_eq!(say.span(SignedDuration::from_secs(192)), "3分12秒");
        assert_eq!(Say(Language::En).span(SignedDuration::from_secs(90_000)), "1 d 1 h");
        assert_eq!(say.span(SignedDuration::ZERO), "0秒");
        assert_eq!(say.span(SignedDuration::from_secs(-86_460)), "1日");
    }
}
