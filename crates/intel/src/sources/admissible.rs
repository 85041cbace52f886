//! Whether an indicator may be put to a source outside the house at all (SEC-43, SEC-45). Pure.
//!
//! Nothing here resolves a name: a source is asked about a name, and the only hosts that we speak to are the sources' own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::ioc::{Ioc, Pap, Source, Why};
use url::{Host, Url};

/// Names that exist only inside a network.
const INSIDE: [&str; 10] =
    ["local", "localhost", "localdomain", "lan", "home", "internal", "intranet", "private", "corp", "arpa"];

/// What keeps `ioc` from being put to `source`; `None` if nothing does.
pub(crate) fn hindrance(ioc: &Ioc, pap: Pap, source: Source) -> Option<Why> {
    let pap_allows = match pap {
        Pap::Red => false,
        Pap::Amber => is_passive(source),
        Pap::Green | Pap::Clear => true,
    };
    if !pap_allows {
        return Some(Why::PapForbids);
    }
    match ioc {
        Ioc::Hash(_) => None,
        Ioc::Ip(address) => (!is_public(*address)).then_some(Why::NotPublic),
        Ioc::Domain(name) => of_name(name),
        Ioc::Url(text) => of_url(text),
        // Where files lie and who writes to whom is the customer's own business.
        Ioc::Path(_) | Ioc::RegistryKey(_) | Ioc::Email(_) => Some(Why::Personal),
    }
}

/// Whether the source only looks up what it holds, so that whoever owns the indicator cannot notice the question. A source that
/// visits what it is asked about is not passive.
fn is_passive(source: Source) -> bool {
    match source {
        Source::VirusTotal | Source::WebSearch | Source::Console => true,
    }
}

fn of_name(name: &str) -> Option<Why> {
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    if name.len() > 253 || !labels.iter().all(is_label) {
        return Some(Why::Malformed);
    }
    let last = labels.last().copied().unwrap_or_default();
    (labels.len() < 2 || INSIDE.contains(&last)).then_some(Why::NotPublic)
}

fn of_url(text: &str) -> Option<Why> {
    let Ok(url) = Url::parse(text) else { return Some(Why::Malformed) };
    if !matches!(url.scheme(), "http" | "https" | "ftp") || text.len() > 2048 {
        return Some(Why::Malformed);
    }
    // The victim's address often stands in the link that was sent to them.
    let lower = text.to_ascii_lowercase();
    if !url.username().is_empty() || url.password().is_some() || lower.contains('@') || lower.contains("%40") {
        return Some(Why::Personal);
    }
    match url.host() {
        Some(Host::Ipv4(address)) => (!is_public(address.into())).then_some(Why::NotPublic),
        Some(Host::Ipv6(address)) => (!is_public(address.into())).then_some(Why::NotPublic),
        Some(Host::Domain(name)) => of_name(name.strip_suffix('.').unwrap_or(name)),
        None => Some(Why::Malformed),
    }
}

/// Addresses set aside for documentation count as public: nobody's network is behind them.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public_v4(v4),
            None => !is_inside_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_benchmark = a == 198 && matches!(b, 18 | 19);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || is_shared
        || is_benchmark)
}

fn is_inside_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    let is_unique_local = first & 0xfe00 == 0xfc00;
    let is_link_or_site_local = first & 0xff80 == 0xfe80;
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || is_unique_local
        || is_link_or_site_local
}

/// The IPv4 address within a mapped or translated one.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let low = || Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    match s {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(low()),
        [0x2002, high, next, ..] => Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(next))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::alert::Hash;

    use super::*;

    fn asked(ioc: &Ioc, pap: Pap) -> Option<Why> {
        hindrance(ioc, pap, Source::VirusTotal)
    }

    #[test]
    fn red_leaves_the_house_never_and_amber_only_to_look_sec_43() {
        let hash = Ioc::Hash(Hash::parse(&"a".repeat(64)).unwrap());
        assert_eq!(asked(&hash, Pap::Red), Some(Why::PapForbids));
        for pap in [Pap::Amber, Pap::Green, Pap::Clear] {
            assert_eq!(asked(&hash, pap), None);
        }
    }

    #[test]
    fn addresses_inside_a_network_are_not_asked_about_in_whatever_form_sec_45() {
        for inside in [
            "10.0.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::c0a8:101",
            "2002:a00:1::",
        ] {
            let address = Ioc::Ip(inside.parse().unwrap());
            assert_eq!(asked(&address, Pap::Amber), Some(Why::NotPublic), "{inside}");
        }
        for outside in ["8.8.8.8", "192.0.2.7", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
            assert_eq!(asked(&Ioc::Ip(outside.parse().unwrap()), Pap::Amber), None, "{outside}");
        }
        for url in ["http://10.0.0.1/x", "http://[::1]/", "http://0x0a000001/", "http://intranet/", "https://a.corp/x"]
        {
            assert_eq!(asked(&Ioc::Url(url.into()), Pap::Amber), Some(Why::NotPublic), "{url}");
        }
    }

    #[test]
    fn what_carries_a_person_or_is_not_well_formed_is_not_asked_about() {
        for personal in
            ["http://u:p@evil.example/", "http://evil.example/?to=taro%40acme.example", "http://evil.example/#a@b"]
        {
            assert_eq!(asked(&Ioc::Url(personal.into()), Pap::Clear), Some(Why::Personal), "{personal}");
        }
        assert_eq!(asked(&Ioc::Email("taro@acme.example".into()), Pap::Clear), Some(Why::Personal));
        assert_eq!(asked(&Ioc::Path("C:\\Users\\taro\\x.exe".into()), Pap::Clear), Some(Why::Personal));
        for malformed in ["..", "evil.example/x", "evil..example", "a b.example", "\"x.example", "Evil.example", ""] {
            assert_eq!(asked(&Ioc::Domain(malformed.into()), Pap::Clear), Some(Why::Malformed), "{malformed}");
        }
        assert_eq!(asked(&Ioc::Url("javascript:alert(1)".into()), Pap::Clear), Some(Why::Malformed));
        assert_eq!(asked(&Ioc::Domain("ws-17.acme.local".into()), Pap::Clear), Some(Why::NotPublic));
        assert_eq!(asked(&Ioc::Domain("evil.example".into()), Pap::Clear), None);
        assert_eq!(asked(&Ioc::Url("https://evil.example/a?b=c".into()), Pap::Clear), None);
    }
}
