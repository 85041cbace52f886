//! How things from outside are shown in a message: as text that nobody can click, reorder or mistake for ours.
//!
//! Deceiving characters are made visible by `Untrusted` (SEC-35); here addresses lose their dots (SEC-34), words lose what
//! a header would decode (SEC-32), and instants get the wall clock that people read. Escaping for HTML or chat stays with
//! the writer of that form.

use domain::calendar::in_japan;
use domain::defang::{defang, defang_account};
use domain::{Language, Timestamp, Untrusted};
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Most lines and characters that are quoted of one text of an analyst.
const MAX_LINES: usize = 40;
const MAX_LINE: usize = 600;

/// Foreign text in one line, at most `max` characters of it.
pub(crate) fn one_line(text: &Untrusted, max: usize) -> String {
    defang(&text.short(max))
}

pub(crate) fn account(name: &Untrusted, max: usize) -> String {
    defang_account(&name.short(max))
}

/// A path in one line. Its beginning and its end tell what it is, so the middle is cut.
pub(crate) fn path(path: &Untrusted, max: usize) -> String {
    let whole = path.quoted();
    let length = whole.chars().count();
    if length <= max {
        return defang(&whole);
    }
    let head = max / 3;
    let tail = max.saturating_sub(head + 1);
    let kept = |from, n| whole.chars().skip(from).take(n).collect::<String>();
    defang(&format!("{}…{}", kept(0, head), kept(length - tail, tail)))
}

/// A text of several lines, as a person typed it, line by line. What is cut is marked.
pub(crate) fn lines(text: &Untrusted) -> Vec<String> {
    // Split first, quote after: a line break typed by an analyst is meant, all other control characters are not.
    let mut all = text.for_matching().trim().lines().map(|l| one_line(&Untrusted::new(l.trim_end()), MAX_LINE));
    let mut kept: Vec<String> = all.by_ref().take(MAX_LINES).collect();
    if all.next().is_some() {
        kept.push("…".into());
    }
    kept
}

/// `2026-11-24 09:15 JST`, for English readers with the UTC beside it.
pub(crate) fn time(at: Timestamp, language: Language) -> String {
    let japan = in_japan(at);
    let here = format!("{} {} JST", japan.date(), clock(japan));
    if language == Language::Ja {
        return here;
    }
    let utc = Offset::UTC.to_datetime(at);
    if utc.date() == japan.date() {
        format!("{here} ({} UTC)", clock(utc))
    } else {
        format!("{here} ({} {} UTC)", utc.date(), clock(utc))
    }
}

fn clock(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// A word of a header: nothing in it is decoded a second time, and it cannot end the line (SEC-32).
pub(crate) fn header(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    one_line.replace("=?", "=\\u{3f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_keeps_its_beginning_and_the_name_of_the_file() {
        let long = format!("C:\\Users\\taro.yamada\\{}\\請求書.exe", "deep\\".repeat(100));
        let shown = path(&Untrusted::new(&long), 80);
        assert_eq!(shown.chars().count(), 80);
        assert!(shown.starts_with("C:\\Users\\taro.yamada\\") && shown.ends_with("\\請求書.exe"), "{shown}");
        assert_eq!(path(&Untrusted::new("C:\\a\u{202e}\\b.exe"), 80), "C:\\a\\u{202e}\\b.exe");
        assert!(!path(&Untrusted::new(&"http://evil.example/".repeat(50)), 80).contains("evil.example"));
    }

    #[test]
    fn english_readers_get_the_utc_beside_and_its_date_when_it_differs() {
        let at: Timestamp = "2026-11-24T00:15:00Z".parse().unwrap();
        assert_eq!(time(at, Language::Ja), "2026-11-24 09:15 JST");
        assert_eq!(time(at, Language::En), "2026-11-24 09:15 JST (00:15 UTC)");
        let night: Timestamp = "2026-11-23T20:05:00Z".parse().unwrap();
        assert_eq!(time(night, Language::En), "2026-11-24 05:05 JST (2026-11-23 20:05 UTC)");
    }

    #[test]
    fn a_header_word_is_decoded_only_once_sec_32() {
        assert_eq!(header("=?utf-8?B?44GC?="), "=\\u{3f}utf-8?B?44GC?=");
        assert_eq!(header("a\r\nBcc: x"), "a  Bcc: x");
    }

    #[test]
    fn an_analysts_line_breaks_are_kept_and_other_control_characters_shown() {
        let text = Untrusted::new("一行目\r\n二行目\u{202e}\n");
        assert_eq!(lines(&text), ["一行目", "二行目\\u{202e}"]);
        let long = Untrusted::new(&"行\n".repeat(100));
        assert_eq!(lines(&long).len(), MAX_LINES + 1);
    }
}
