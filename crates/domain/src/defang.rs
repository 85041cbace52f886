//! Takes the life out of addresses in what we send, and gives it back to whoever has to look one up (SEC-34).
//!
//! `hxxp[://]evil[.]example`, `192[.]0[.]2[.]7`: nothing that a reader's program makes a link of, and nothing lost. When in
//! doubt, an address. It escapes nothing for HTML or chat, and characters that deceive are the business of `Untrusted`.

use std::net::Ipv4Addr;

/// File names and version numbers stay as they are unless their ending is also a top-level domain, and so do addresses
/// within the company's own network.
pub fn defang(text: &str) -> String {
    defang_unless(text, |_| false)
}

/// The name of an account, which is the customer's own: `taro.yamada` stays readable, while a name that anybody's mail
/// client would make a link of does not stay alive.
pub fn defang_account(name: &str) -> String {
    // Only what is nothing but an account: in an address or a sentence no part is spared.
    let is_account = name.chars().all(|c| is_host_character(c) || c == '\\');
    if is_account { defang_unless(name, is_first_and_last_name) } else { defang(name) }
}

/// Undoes `defang`, and what others write in its manner (`hxxp://evil[.]example`).
pub fn refang(text: &str) -> String {
    let alive = text.replace("[.]", ".").replace("[://]", "://");
    let Some((before, last)) = alive.rsplit_once("://") else { return alive };
    let schemes = before.split("://").map(|part| with_other_scheme(part, ["hxxps", "hxxp"]) + "://");
    schemes.chain([last.to_owned()]).collect()
}

fn defang_unless(text: &str, spared: fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if is_host_character(first) {
            let word;
            (word, rest) = rest.split_at(rest.find(|c| !is_host_character(c)).unwrap_or(rest.len()));
            let dead =
                if rest.starts_with("://") { with_other_scheme(word, ["https", "http"]) } else { word.to_owned() };
            let keep = !is_address(&dead) || spared(word) || is_profile(word, &out, rest);
            out.push_str(&if keep { dead } else { dead.replace('.', "[.]") });
        } else if let Some(after) = rest.strip_prefix("://") {
            let is_dead = out.ends_with('[') && after.starts_with(']');
            out.push_str(if is_dead { "://" } else { "[://]" });
            rest = after;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Turns `http` at the end into `hxxp` and back: `text` with `t` and `x` exchanged in the scheme, if it ends in one.
fn with_other_scheme(text: &str, schemes: [&str; 2]) -> String {
    let Some(scheme) = schemes.into_iter().find(|scheme| ends_with(text, scheme)) else { return text.to_owned() };
    let (before, tail) = text.split_at(text.len() - scheme.len());
    let exchanged = tail.chars().map(|c| match c {
        't' => 'x',
        'T' => 'X',
        'x' => 't',
        'X' => 'T',
        other => other,
    });
    before.chars().chain(exchanged).collect()
}

/// Whatever the case of its letters.
fn ends_with(text: &str, tail: &str) -> bool {
    let at = text.len().checked_sub(tail.len());
    at.and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(tail))
}

fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || c == '.'
}

fn is_address(word: &str) -> bool {
    let labels: Vec<&str> = word.trim_matches('.').split('.').collect();
    let Some((last, others)) = labels.split_last() else { return false };
    if others.is_empty() || labels.iter().any(|l| l.is_empty()) {
        return false;
    }
    let is_top_level = last.chars().count() >= 2
        && (last.chars().all(char::is_alphabetic) || last.to_ascii_lowercase().starts_with("xn--"));
    is_outside_address(&labels) || (is_top_level && !is_never_a_domain(last))
}

/// Four numbers that lead out of the company's own network.
fn is_outside_address(labels: &[&str]) -> bool {
    let numbers: Vec<u8> = labels.iter().filter_map(|l| l.parse().ok()).collect();
    let Ok(octets) = <[u8; 4]>::try_from(numbers) else { return false };
    let address = Ipv4Addr::from(octets);
    labels.len() == 4 && !(address.is_private() || address.is_loopback() || address.is_link_local())
}

/// `taro.yamada` in `C:\Users\taro.yamada\Downloads`.
fn is_profile(word: &str, before: &str, after: &str) -> bool {
    const PARENTS: [&str; 3] = ["\\users\\", "/users/", "/home/"];
    after.starts_with(['\\', '/'])
        && is_first_and_last_name(word)
        && PARENTS.iter().any(|parent| ends_with(before, parent))
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
pub(crate) fn is_never_a_domain(ending: &str) -> bool {
    #[rustfmt::skip]
    const ENDINGS: [&str; 66] = [
        "exe", "dll", "sys", "bat", "cmd", "ps1", "psm", "vbs", "vbe", "js", "jse", "wsf", "hta", "lnk", "msi", "msix",
        "scr", "reg", "inf", "chm", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "pptm", "pdf", "rtf",
        "txt", "log", "csv", "json", "xml", "ini", "cfg", "dat", "tmp", "bin", "iso", "img", "vhd", "rar", "gz", "tar",
        "jar", "apk", "dmg", "pkg", "png", "jpg", "gif", "html", "htm", "php", "asp", "aspx", "jsp",
        "local", "lan", "internal", "corp", "home", "localdomain",
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
            ("IEX('HTTPS://198.51.100.3/p.php');", "IEX('HXXPS[://]198[.]51[.]100[.]3/p.php');"),
            ("call www.evil.com.", "call www[.]evil[.]com[.]"),
            ("www.evil.com.http://x", "www[.]evil[.]com[.]hxxp[://]x"),
            ("ftp://a.example a@evil.example", "ftp[://]a[.]example a@evil[.]example"),
            ("[://evil.example", "[[://]evil[.]example"),
            ("invoice.zip", "invoice[.]zip"),
            ("請求書.xn--q9jyb4c", "請求書[.]xn--q9jyb4c"),
            ("file://share/x", "file[://]share/x"),
        ] {
            assert_eq!(defang(alive), dead);
            assert_eq!(refang(dead), alive);
        }
        assert_eq!(refang("hxxp://evil[.]example"), "http://evil.example");
    }

    /// All texts of four pieces: what is dead stays as it is, and reading it back gives what was there.
    #[test]
    fn defanging_twice_is_defanging_once_and_loses_nothing() {
        let pieces = [
            "http",
            "HttpS",
            "hxxp",
            "://",
            ".",
            "[.]",
            "[",
            "]",
            "evil",
            "com",
            "exe",
            "7",
            "あ",
            "-",
            "/",
            "\\Users\\",
        ];
        for n in 0..pieces.len().pow(4) {
            let text: String = (0..4).map(|place| pieces[n / pieces.len().pow(place) % pieces.len()]).collect();
            let dead = defang(&text);
            assert_eq!(defang(&dead), dead, "{text}");
            assert_eq!(refang(&dead), refang(&text), "{text}");
        }
    }

    #[test]
    fn names_that_are_no_addresses_stay_readable() {
        for name in [
            "C:\\Users\\taro\\invoice.pdf.exe",
            "\\Device\\HarddiskVolume3\\Users\\taro.yamada\\Downloads\\update.exe",
            "T1003.001",
            "10.0.19045.3803",
            "10.20.30.17, 192.168.1.1, 127.0.0.1",
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
        assert_eq!(defang_account("ACME\\taro.yamada"), "ACME\\taro.yamada");
        assert_eq!(defang_account("ken.ito"), "ken.ito");
        for alive in [
            "evil.com",
            "evil.jp",
            "www.evil.plumbing",
            "192.0.2.1",
            "http://evil",
            "<https://evil.plumbing|x>",
            "a@b.plumbing",
        ] {
            assert_ne!(defang_account(alive), alive);
        }
        for alive in ["C:\\Users\\evil.com\\x", "C:\\Users\\evil.plumbing", "C:\\evil.plumbing\\x"] {
            assert_ne!(defang(alive), alive);
        }
    }
}
