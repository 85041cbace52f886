//! How single values are shown: times, spans, names, and text from endpoints.
//!
//! Times are JST for people, with the UTC offset where they prove something. Foreign text comes out with deceiving characters
//! escaped (SEC-35) and addresses defanged, so that no viewer makes a live link of them (SEC-34).

use domain::calendar::in_japan;
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
        let shown = defang(&name.short(80));
        self.pick(format!("「{shown}」"), format!("“{shown}”"))
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

/// `http://a.example/x` becomes `hxxp://a[.]example/x`. Paths and ordinary words stay as they are.
pub(crate) fn defang(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, scheme, after)) = next_address(rest) {
        out.push_str(before);
        out.push_str(&scheme.replace('t', "x").replace('T', "X"));
        let host = after.find(|c: char| !(c.is_alphanumeric() || ".-_:@[]%".contains(c))).unwrap_or(after.len());
        out.push_str(&after[..host].replace('.', "[.]"));
        rest = &after[host..];
    }
    out.push_str(rest);
    out
}

/// Splits at the first web address: before it, its scheme, and the rest from the host on.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    const SCHEMES: [&str; 4] = ["https://", "http://", "ftp://", "www."];
    // ASCII only changes in length-preserving ways, so positions in the copy hold for the original.
    let lower = text.to_ascii_lowercase();
    let (at, scheme) = SCHEMES.iter().filter_map(|s| Some((lower.find(s)?, *s))).min_by_key(|(at, _)| *at)?;
    // `www.` belongs to the host: nothing to replace in front of it.
    let end = at + if scheme == "www." { 0 } else { scheme.len() };
    if scheme == "www." {
        // Only its own dots must go; `next_address` would otherwise find it for ever.
        return Some((&text[..at], "", &text[end..]));
    }
    Some((&text[..at], &text[at..end], &text[end..]))
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
    fn no_address_in_a_report_is_a_live_link_and_each_can_be_restored_sec_34() {
        for (alive, dead) in [
            ("http://evil.example/a.exe?x=1.2", "hxxp://evil[.]example/a.exe?x=1.2"),
            ("IEX('HTTPS://10.1.2.3:8080/p');", "IEX('HXXPS://10[.]1[.]2[.]3:8080/p');"),
            ("ftp://a.b www.c.d/e.f", "fxp://a[.]b www[.]c[.]d/e.f"),
            (r"C:\Users\a.b\setup.exe", r"C:\Users\a.b\setup.exe"),
            ("http://", "hxxp://"),
        ] {
            assert_eq!(defang(alive), dead);
            let restored =
                dead.replace("hxxp", "http").replace("HXXP", "HTTP").replace("fxp", "ftp").replace("[.]", ".");
            assert_eq!(restored, alive);
        }
    }

    #[test]
    fn spans_are_said_in_two_units() {
        let say = Say(Language::Ja);
        assert_eq!(say.span(SignedDuration::from_secs(192)), "3分12秒");
        assert_eq!(Say(Language::En).span(SignedDuration::from_secs(90_000)), "1 d 1 h");
        assert_eq!(say.span(SignedDuration::ZERO), "0秒");
        assert_eq!(say.span(SignedDuration::from_secs(-86_460)), "1日");
    }
}
