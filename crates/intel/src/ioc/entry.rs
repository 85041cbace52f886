//! One entry of a list: what it names, in which breadth, and what the list says of it. And its form as a row of the file.

use std::net::IpAddr;

use domain::Timestamp;
use domain::ioc::Ioc;
use serde::{Deserialize, Serialize};

/// Longer labels and references are cut (SEC-38).
const MAX_TEXT: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: String,
    /// A domain that stands for itself only, not for the names below it.
    pub alone: bool,
    pub detail: Detail,
}

/// What a hit is told with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Detail {
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
}

impl Entry {
    pub fn of(ioc: &Ioc, detail: Detail) -> Self {
        Self { key: key(ioc), alone: false, detail: detail.bounded() }
    }

    /// Reads an indicator or a network (`198.51.100.0/24`).
    pub fn read(value: &str, detail: Detail) -> Result<Self, String> {
        let value = value.trim();
        if let Some((address, length)) = network(value) {
            let is_one = length == if address.is_ipv4() { 32 } else { 128 };
            let key = if is_one { key(&Ioc::Ip(address)) } else { network_key(address, length) };
            return Ok(Self { key, alone: false, detail: detail.bounded() });
        }
        match Ioc::parse(value) {
            Some(ioc) => Ok(Self::of(&ioc, detail)),
            None => Err(format!("no indicator: `{}`", shown(value))),
        }
    }

    /// One byte of flags, the key's length, the key, then the detail as JSON.
    pub fn row(&self) -> Vec<u8> {
        let mut row = vec![u8::from(self.alone)];
        // Keys are bounded by the parser at some 4 KiB.
        row.extend(u16::try_from(self.key.len()).unwrap_or(u16::MAX).to_le_bytes());
        row.extend(self.key.bytes().take(usize::from(u16::MAX)));
        if self.detail != Detail::default() {
            // Texts and a time: they always become JSON.
            row.extend(serde_json::to_vec(&self.detail).unwrap_or_default());
        }
        row
    }
}

impl Detail {
    fn bounded(mut self) -> Self {
        for text in [&mut self.label, &mut self.reference] {
            *text = text.take().map(|t| t.trim().chars().take(MAX_TEXT).collect::<String>()).filter(|t| !t.is_empty());
        }
        self
    }
}

/// A row of the file, as it lies there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub alone: bool,
    pub key: &'a str,
    detail: &'a [u8],
}

impl<'a> Row<'a> {
    /// `None` for a damaged row.
    pub fn read(row: &'a [u8]) -> Option<Self> {
        let (&[alone, low, high], rest) = row.split_first_chunk::<3>()?;
        let (key, detail) = rest.split_at_checked(usize::from(u16::from_le_bytes([low, high])))?;
        Some(Self { alone: alone != 0, key: std::str::from_utf8(key).ok()?, detail })
    }

    pub fn detail(&self) -> Detail {
        serde_json::from_slice(self.detail).unwrap_or_default()
    }
}

/// What is compared: a letter for the kind, so that no kind meets another, and the value. URLs are compared without scheme, since
/// many lists leave it away.
pub(super) fn key(ioc: &Ioc) -> String {
    match ioc {
        Ioc::Hash(hash) => format!("h{}", hash.as_str()),
        Ioc::Ip(address) => format!("i{address}"),
        Ioc::Domain(name) => format!("d{name}"),
        Ioc::Url(url) => format!("u{}", url.split_once("://").map_or(url.as_str(), |(_, rest)| rest)),
        Ioc::Email(address) => format!("e{address}"),
        Ioc::Path(path) => format!("p{}", path.to_lowercase()),
        Ioc::RegistryKey(name) => format!("r{}", name.to_lowercase()),
    }
}

/// The network of that length around an address.
pub(super) fn network_key(address: IpAddr, length: u8) -> String {
    let base = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & mask).into())
        }
    };
    format!("n{base}/{length}")
}

/// The length that a key of `network_key` ends in.
pub(super) fn network_length(key: &str) -> Option<(bool, u8)> {
    let (base, length) = key.strip_prefix('n')?.rsplit_once('/')?;
    Some((!base.contains(':'), length.parse().ok()?))
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let (address, length): (IpAddr, u8) = (address.parse().ok()?, length.parse().ok()?);
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

/// A piece of a refused line for the register: short, and without characters that deceive.
pub(super) fn shown(text: &str) -> String {
    domain::untrusted::Untrusted::new(text).short(80)
}
