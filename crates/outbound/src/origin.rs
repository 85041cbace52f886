//! Where requests may go: scheme, host and port, nothing finer and nothing coarser (SEC-14).
//!
//! Plain HTTP is accepted only for a loopback address, for far sides on the same machine; everything else is HTTPS
//! (SEC-74).

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// One entry of the allow-list.
#[derive(Debug, Clone)]
pub struct Allowed {
    pub origin: Origin,
    /// PEM certificates of authorities trusted for this origin alone, besides the public ones.
    pub extra_roots_pem: Vec<String>,
}

impl Allowed {
    pub fn public(origin: Origin) -> Self {
        Self { origin, extra_roots_pem: Vec::new() }
    }

    pub fn with_roots(origin: Origin, extra_roots_pem: Vec<String>) -> Self {
        Self { origin, extra_roots_pem }
    }
}

/// `https://console.example:443`, written without the port when it is the usual one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL, whatever its path and query.
    pub fn of(url: &Url) -> Result<Self, InvalidOrigin> {
        let host = url.host().ok_or(InvalidOrigin::NoHost)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidOrigin::Credentials);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err(InvalidOrigin::PlainText),
            _ => return Err(InvalidOrigin::Scheme),
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// A URL at this origin. `path` begins with `/` and is already encoded.
    pub fn url(&self, path: &str) -> Result<Url, InvalidOrigin> {
        let url = Url::parse(&self.0).and_then(|base| base.join(path)).map_err(|_| InvalidOrigin::Unreadable)?;
        // `join` would follow `//elsewhere` to another host.
        if Self::of(&url)? != *self {
            return Err(InvalidOrigin::MoreThanOrigin);
        }
        Ok(url)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text).map_err(|_| InvalidOrigin::Unreadable)?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let origin = Self::of(&url)?;
        if bare { Ok(origin) } else { Err(InvalidOrigin::MoreThanOrigin) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    #[error("not a URL: write it like `https://console.example`")]
    Unreadable,
    #[error("a URL without a host")]
    NoHost,
    #[error("only `https` is spoken here")]
    Scheme,
    #[error("plain `http` is accepted for a loopback address only")]
    PlainText,
    #[error("a URL must not carry a user name or password")]
    Credentials,
    #[error("an origin is scheme, host and port without a path")]
    MoreThanOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin: Origin = "https://Console.Example:443/".parse().unwrap();
        assert_eq!(origin.as_str(), "https://console.example");
        assert_ne!(origin, "https://console.example:8443".parse().unwrap());
        assert_eq!(origin.url("/web/api?a=b").unwrap().as_str(), "https://console.example/web/api?a=b");
    }

    #[test]
    fn a_path_that_leads_to_another_host_is_refused_sec_14() {
        let origin: Origin = "https://console.example".parse().unwrap();
        for path in ["//evil.example/x", "https://evil.example/", "/\\evil.example", "\\\\evil.example"] {
            if let Ok(url) = origin.url(path) {
                assert_eq!(url.host_str(), Some("console.example"), "{path}");
            }
        }
        assert!(origin.url("//evil.example/x").is_err());
    }

    #[test]
    fn plain_text_leaves_the_machine_never_sec_74() {
        assert!("http://127.0.0.1:8080".parse::<Origin>().is_ok());
        assert!("http://[::1]:8080".parse::<Origin>().is_ok());
        assert_eq!("http://console.example".parse::<Origin>(), Err(InvalidOrigin::PlainText));
        // A name can be made to resolve anywhere.
        assert_eq!("http://localhost".parse::<Origin>(), Err(InvalidOrigin::PlainText));
        assert_eq!("ftp://console.example".parse::<Origin>(), Err(InvalidOrigin::Scheme));
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        assert_eq!("https://a.example/web".parse::<Origin>(), Err(InvalidOrigin::MoreThanOrigin));
        assert_eq!("https://a.example/?x".parse::<Origin>(), Err(InvalidOrigin::MoreThanOrigin));
        assert_eq!("https://user:pw@a.example".parse::<Origin>(), Err(InvalidOrigin::Credentials));
        assert_eq!("a.example".parse::<Origin>(), Err(InvalidOrigin::Unreadable));
    }
}
