//! One value, as a person or a list writes it, into an `Ioc` and back to text that nobody can click on (SEC-34).
//!
//! It reads hashes, addresses, URLs, domains and mail addresses. Names of files and of machines inside a network are none of
//! these. Names in other scripts are taken only in their ASCII form (`xn--`).

use std::net::{IpAddr, Ipv6Addr};

use super::Ioc;
use crate::alert::Hash;
use crate::defang;

/// Longest value that is read (SEC-38).
const MAX_VALUE_BYTES: usize = 4096;

impl Ioc {
    /// Reads what is alive or defanged in any usual manner; `evil[.]example`, `hxxp://…`, `192.0.2.7:443`, `host.example/path`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_VALUE_BYTES {
            return None;
        }
        of_alive(refang(text.trim()).trim_matches(is_wrapping))
    }

    /// For showing and sending: nothing that a program makes a link of, and `parse` gives the same indicator again.
    pub fn defanged(&self) -> String {
        match self {
            Self::Hash(hash) => hash.as_str().to_owned(),
            Self::Ip(IpAddr::V4(address)) => address.to_string().replace('.', "[.]"),
            Self::Ip(IpAddr::V6(address)) => address.to_string().replace(':', "[:]"),
            Self::Domain(name) => name.replace('.', "[.]"),
            Self::Email(address) => address.replace('@', "[@]").replace('.', "[.]"),
            Self::Url(url) => dead_url(url),
            Self::Path(text) | Self::RegistryKey(text) => defang::defang(text),
        }
    }
}

/// Gives back life to what `defang` and others have written: `[.]`, `(.)`, `[dot]`, `[:]`, `[@]`, `hxxp`.
pub(super) fn refang(text: &str) -> String {
    const WAYS: [(&str, &str); 12] = [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[://]", "://"),
        ("[:]", ":"),
        ("[@]", "@"),
        ("[at]", "@"),
        ("[/]", "/"),
        ("[DOT]", "."),
        ("[AT]", "@"),
    ];
    let mut alive = text.to_owned();
    for (dead, live) in WAYS.into_iter().filter(|(dead, _)| text.contains(dead)) {
        alive = alive.replace(dead, live);
    }
    defang::refang(&alive)
}

/// Scheme and host lose their life, the rest stays: `hxxps[://]evil[.]example/a.php`.
fn dead_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return defang::defang(url) };
    let scheme = if scheme.starts_with("http") { scheme.replacen("tt", "xx", 1) } else { scheme.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // Another address in the path or the query would be made a link of, too.
    format!("{scheme}[://]{}{}", host.replace('.', "[.]"), defang::defang(path))
}

fn of_alive(text: &str) -> Option<Ioc> {
    if let Some(hash) = Hash::parse(text) {
        return Some(Ioc::Hash(hash));
    }
    if let Some(address) = address(text) {
        return Some(Ioc::Ip(address));
    }
    if text.contains("://") {
        return url(text);
    }
    if let Some((user, host)) = text.split_once('@') {
        return email(user, host);
    }
    if let Some((host, path)) = text.split_once('/') {
        let bare = host.split_once(':').map_or(host, |(name, _)| name);
        // `10.0.0.0/8` is a network, and a lone `/` says nothing.
        let is_host = bare.parse::<IpAddr>().is_ok() || domain(bare).is_some();
        let is_network = path.bytes().all(|b| b.is_ascii_digit()) && bare.parse::<IpAddr>().is_ok();
        return (is_host && !is_network).then(|| url(&format!("http://{text}"))).flatten();
    }
    domain(without_port(text)).map(Ioc::Domain)
}

/// `192.0.2.7`, `192.0.2.7:443`, `2001:db8::1`, `[2001:db8::1]:443`.
fn address(text: &str) -> Option<IpAddr> {
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').filter(|(_, port)| port.is_empty() || is_port(port.strip_prefix(':')))?.0,
        None => without_port(text),
    };
    let parsed = inner.parse().or_else(|_| text.parse());
    parsed.ok().map(plain)
}

/// An IPv4 address written as IPv6 is the IPv4 address.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if is_port(Some(port)) && !host.contains(':') => host,
        _ => text,
    }
}

fn is_port(text: Option<&str>) -> bool {
    text.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_ok())
}

/// Scheme and host in lower case, without fragment and usual port, with at least `/` as its path.
fn url(text: &str) -> Option<Ioc> {
    const SCHEMES: [(&str, &str); 7] = [
        ("http", ":80"),
        ("https", ":443"),
        ("ftp", ":21"),
        ("ftps", ":990"),
        ("sftp", ":22"),
        ("ws", ":80"),
        ("wss", ":443"),
    ];
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (_, usual_port) = SCHEMES.into_iter().find(|(known, _)| *known == scheme)?;
    let rest = rest.split('#').next().unwrap_or(rest);
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(usual_port).unwrap_or(&host);
    let host = host.strip_suffix(':').unwrap_or(host);
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at(end + 1),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    if !(port.is_empty() || is_port(port.strip_prefix(':'))) {
        return None;
    }
    let name = match name.strip_prefix('[') {
        Some(inner) => format!("[{}]", inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
        None if name.parse::<IpAddr>().is_ok() => name.to_owned(),
        None => domain(name)?,
    };
    let at = if user.is_empty() { "" } else { "@" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    // What is read back must be what was read: a text that still changes when refanged has no lossless form.
    let url = format!("{scheme}://{user}{at}{name}{port}{slash}{path}");
    (refang(&url) == url && url.len() <= MAX_VALUE_BYTES && !url.ends_with(is_wrapping)).then_some(Ioc::Url(url))
}

fn email(user: &str, host: &str) -> Option<Ioc> {
    let is_user = (1..=64).contains(&user.len())
        && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._%+-".contains(&b))
        && !user.starts_with('.')
        && !user.ends_with('.');
    let host = domain(host)?;
    is_user.then(|| Ioc::Email(format!("{}@{host}", user.to_ascii_lowercase())))
}

/// A name that may stand in the public DNS: at least two labels, and no ending of files or of inner networks.
pub(super) fn domain(text: &str) -> Option<String> {
    const INSIDE: [&str; 8] = ["localhost", "intranet", "private", "arpa", "workgroup", "dhcp", "invalid", "lokal"];
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let (_, last) = name.rsplit_once('.')?;
    let is_ending = last.len() >= 2 && (last.bytes().all(|b| b.is_ascii_alphabetic()) || last.starts_with("xn--"));
    let is_outside = !defang::is_never_a_domain(last) && !INSIDE.contains(&last);
    (name.len() <= 253 && is_ending && is_outside && name.split('.').all(is_label)).then_some(name)
}

/// What people and mail programs put around a value.
fn is_wrapping(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ',' | ';' | '(' | ')')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Option<(&'static str, String)> {
        Ioc::parse(text).map(|ioc| (ioc.kind().name(), ioc.value()))
    }

    #[test]
    fn a_value_is_read_in_every_usual_writing_and_comes_out_in_one() {
        for (text, kind, alive) in [
            ("EVIL[.]Example.", "domain", "evil.example"),
            ("evil(.)example:8443", "domain", "evil.example"),
            ("evil[dot]example", "domain", "evil.example"),
            ("<hxxps://Evil[.]example:443/A?b#c>", "URL", "https://evil.example/A?b"),
            ("HXXP[:]//198[.]51[.]100[.]3", "URL", "http://198.51.100.3/"),
            ("evil.example/gate.php", "URL", "http://evil.example/gate.php"),
            ("198.51.100.3:14235", "IP address", "198.51.100.3"),
            ("2001[:]db8::0001", "IP address", "2001:db8::1"),
            ("::ffff:198.51.100.3", "IP address", "198.51.100.3"),
            ("Billing[@]evil[.]example", "e-mail address", "billing@evil.example"),
            ("D41D8CD98F00B204E9800998ECF8427E", "MD5", "d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            assert_eq!(value(text), Some((kind, alive.to_owned())), "{text}");
        }
    }

    #[test]
    fn files_versions_and_names_inside_a_network_are_no_indicators() {
        for text in [
            "update.exe",
            "10.0.19045.3803",
            "dc01.acme.local",
            "ws-17.lan",
            "server",
            "/gate.php",
            "10.0.0.0/8",
            "7.113.0.203.in-addr.arpa",
            "javascript://evil.example/",
            "http://intranet/",
            "evil..example",
            "",
            "a b.example",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn no_live_link_is_left_in_what_is_shown_sec_34() {
        for (text, dead) in [
            ("https://evil.example/r?u=http://next.example/", "hxxps[://]evil[.]example/r?u=hxxp[://]next[.]example/"),
            ("2001:db8::1", "2001[:]db8[:][:]1"),
            ("a@evil.example", "a[@]evil[.]example"),
        ] {
            assert_eq!(Ioc::parse(text).unwrap().defanged(), dead);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn defanging_loses_nothing_sec_34(
            text in "(hxxps?|https?|ftp|HTTP)?(://|\\[://\\]|)([a-z0-9@]{1,4}(\\.|\\[\\.\\]|:|@)){1,4}(com|example|7|xn--a)(:[0-9]{1,5})?(/[ -~]{0,24})?",
        ) {
            if let Some(ioc) = Ioc::parse(&text) {
                prop_assert_eq!(Ioc::parse(&ioc.defanged()), Some(ioc.clone()));
                prop_assert_eq!(Ioc::parse(&ioc.value()), Some(ioc));
            }
        }

        #[test]
        fn no_text_whatever_makes_it_fail(text in "\\PC{0,200}") {
            if let Some(ioc) = Ioc::parse(&text) {
                prop_assert_eq!(Ioc::parse(&ioc.defanged()), Some(ioc));
            }
        }
    }
}
