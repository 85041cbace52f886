//! How things from outside are shown in a message: as text that nobody can click, reorder or mistake for ours.
//!
//! Deceiving characters are made visible by `Untrusted` (SEC-35); here addresses lose their dots (SEC-34), words lose what
//! a header would decode (SEC-32), and instants get the wall clock that people read. Escaping for HTML or chat stays with
//! the writer of that form.

use domain::calendar::in_japan;
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

/// The name of an account, which is the customer's own: `taro.yamada` stays readable, while a name that anybody's mail
/// client would make a link of does not stay alive.
pub(crate) fn account(name: &Untrusted, max: usize) -> String {
    let name = name.short(max);
    // Only what is nothing but an account: in an address or a sentence no part is spared.
    let is_account = name.chars().all(|c| is_host_character(c) || c == '\\');
    if is_account { defang_unless(&name, is_first_and_last_name) } else { defang(&name) }
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

/// Takes the life out of addresses: `hxxp[://]evil[.]example`, `192[.]0[.]2[.]7`. File names and version numbers stay as
/// they are, unless their ending is also a top-level domain.
pub fn defang(text: &str) -> String {
    defang_unless(text, |_| false)
}

fn defang_unless(text: &str, spared: fn(&str) -> bool) -> String {
    let text = text.replace("://", "[://]");
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let word = rest.len() - rest.trim_start_matches(is_host_character).len();
        let (host, after) = rest.split_at(word);
        let scheme = after.starts_with("[://]").then(|| scheme(host)).flatten();
        match scheme {
            Some((before, dead)) => {
                out.push_str(before);
                out.push_str(dead);
            }
            None if is_address(host) && !spared(host) => out.push_str(&host.replace('.', "[.]")),
            None => out.push_str(host),
        }
        let gap = after.len() - after.trim_start_matches(|c| !is_host_character(c)).len();
        out.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    out
}

/// Undoes `defang`, for whoever has to look an indicator up.
pub fn refang(text: &str) -> String {
    text.replace("hxxp[://]", "http://").replace("hxxps[://]", "https://").replace("[://]", "://").replace("[.]", ".")
}

fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || c == '.'
}

/// Splits `…http` into what stands before and the dead form of the scheme.
fn scheme(word: &str) -> Option<(&str, &'static str)> {
    word.strip_suffix("https").map(|b| (b, "hxxps")).or_else(|| word.strip_suffix("http").map(|b| (b, "hxxp")))
}

fn is_address(word: &str) -> bool {
    let labels: Vec<&str> = word.trim_matches('.').split('.').collect();
    let Some((last, others)) = labels.split_last() else { return false };
    if others.is_empty() || labels.iter().any(|l| l.is_empty()) {
        return false;
    }
    let is_ipv4 = labels.len() == 4 && labels.iter().all(|l| l.parse::<u8>().is_ok());
    let is_top_level = last.chars().count() >= 2
        && (last.chars().all(char::is_alphabetic) || last.to_ascii_lowercase().starts_with("xn--"));
    is_ipv4 || (is_top_level && !is_never_a_domain(last))
}

/// Two words with one dot, the second of which is no country and none of the endings that anybody can buy for little.
fn is_first_and_last_name(word: &str) -> bool {
    const BOUGHT: [&str; 40] = [
        "com", "net", "org", "info", "biz", "name", "pro", "xyz", "top", "site", "online", "shop", "store", "club",
        "live", "link", "click", "work", "app", "dev", "page", "web", "zip", "mov", "icu", "cyou", "rest", "fun",
        "space", "tech", "cloud", "website", "host", "press", "help", "support", "email", "mobi", "vip", "win",
    ];
    let Some((first, last)) = word.split_once('.') else { return false };
    let is_word = |w: &str| w.len() >= 3 && w.chars().all(|c| c.is_ascii_alphabetic());
    first.chars().all(|c| c.is_ascii_alphanumeric())
        && is_word(last)
        && !BOUGHT.contains(&last.to_ascii_lowercase().as_str())
}

/// Endings of files and of names inside a company that no mail client takes for a top-level domain.
fn is_never_a_domain(ending: &str) -> bool {
    const ENDINGS: [&str; 60] = [
        "exe",
        "dll",
        "sys",
        "bat",
        "cmd",
        "ps1",
        "psm",
        "vbs",
        "vbe",
        "js",
        "jse",
        "wsf",
        "hta",
        "lnk",
        "msi",
        "msix",
        "scr",
        "reg",
        "inf",
        "chm",
        "doc",
        "docx",
        "docm",
        "xls",
        "xlsx",
        "xlsm",
        "ppt",
        "pptx",
        "pptm",
        "pdf",
        "rtf",
        "txt",
        "log",
        "csv",
        "json",
        "xml",
        "ini",
        "cfg",
        "dat",
        "tmp",
        "bin",
        "iso",
        "img",
        "vhd",
        "rar",
        "gz",
        "tar",
        "jar",
        "apk",
        "dmg",
        "pkg",
        "png",
        "jpg",
        "gif",
        "local",
        "lan",
        "internal",
        "corp",
        "home",
        "localdomain",
    ];
    ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_from_outside_is_left_alive_and_each_can_be_restored_sec_34() {
        for (alive, dead) in [
            ("see http://evil.example/a?b=c now", "see hxxp[://]evil[.]example/a?b=c now"),
            ("https://192.0.2.7:8080/x.exe", "hxxps[://]192[.]0[.]2[.]7:8080/x.exe"),
            ("call www.evil.com.", "call www[.]evil[.]com[.]"),
            ("ftp://a.example", "ftp[://]a[.]example"),
            ("invoice.zip", "invoice[.]zip"),
            ("請求書.xn--q9jyb4c", "請求書[.]xn--q9jyb4c"),
            ("file://share/x", "file[://]share/x"),
        ] {
            assert_eq!(defang(alive), dead);
            assert_eq!(refang(dead), alive);
        }
    }

    #[test]
    fn names_that_are_no_addresses_stay_readable() {
        for name in [
            "C:\\Users\\taro\\invoice.pdf.exe",
            "T1003.001",
            "10.0.19045.3803",
            "ws-17.acme.local",
            "請求書(最終版).xlsm",
            "Sakura Systems Co., Ltd.",
            "...",
        ] {
            assert_eq!(defang(name), name);
        }
    }

    #[test]
    fn an_account_keeps_its_dot_but_no_link_is_made_of_a_name() {
        let shown = |name| account(&Untrusted::new(name), 60);
        assert_eq!(shown("ACME\\taro.yamada"), "ACME\\taro.yamada");
        assert_eq!(shown("ken.ito"), "ken.ito");
        for alive in [
            "evil.com",
            "evil.jp",
            "www.evil.plumbing",
            "192.0.2.1",
            "http://evil",
            "<https://evil.plumbing|x>",
            "a@b.plumbing",
        ] {
            assert_ne!(shown(alive), alive);
        }
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
