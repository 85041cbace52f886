//! The software on each endpoint: names, makers and versions as they exist, some of them old enough for known
//! vulnerabilities. Which endpoint has what is decided by its name, so an inventory never changes by itself.

use crate::digest;
use crate::fleet::Role;
use crate::world::Agent;

/// A product in one version on one endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installed {
    pub(crate) name: &'static str,
    pub(crate) publisher: &'static str,
    pub(crate) version: &'static str,
    /// What the console says of its known vulnerabilities.
    pub(crate) risk: &'static str,
    pub(crate) megabytes: u64,
}

/// A product: its share of endpoints in percent, and versions from the newest with the share of each.
struct Product {
    name: &'static str,
    publisher: &'static str,
    share: u64,
    megabytes: u64,
    versions: &'static [(&'static str, u64, &'static str)],
}

const fn product(
    name: &'static str,
    publisher: &'static str,
    share: u64,
    megabytes: u64,
    versions: &'static [(&'static str, u64, &'static str)],
) -> Product {
    Product { name, publisher, share, megabytes, versions }
}

const OFFICE: &[Product] = &[
    product(
        "Google Chrome",
        "Google LLC",
        70,
        480,
        &[("142.0.7444.60", 80, "none"), ("126.0.6478.114", 100, "critical")],
    ),
    product(
        "Microsoft Edge",
        "Microsoft Corporation",
        100,
        620,
        &[("142.0.3595.53", 90, "none"), ("128.0.2739.42", 100, "high")],
    ),
    product(
        "Microsoft 365 Apps for business",
        "Microsoft Corporation",
        95,
        1_900,
        &[("16.0.19328.20158", 100, "none")],
    ),
    product("Microsoft OneDrive", "Microsoft Corporation", 100, 310, &[("25.199.1012.0002", 100, "none")]),
    // Older than 24.09: the mark of the web is lost (CVE-2025-0411).
    product("7-Zip (x64)", "Igor Pavlov", 60, 6, &[("25.01", 55, "none"), ("22.01", 100, "high")]),
    // Older than 6.23: opening a picture runs a script (CVE-2023-38831).
    product("WinRAR (64-bit)", "win.rar GmbH", 12, 9, &[("6.11.0", 100, "critical")]),
    product(
        "FortiClient VPN",
        "Fortinet Technologies (Canada) Inc",
        45,
        210,
        &[("7.4.3.1790", 50, "none"), ("7.0.9.0493", 100, "high")],
    ),
    product(
        "Adobe Acrobat (64-bit)",
        "Adobe",
        65,
        1_100,
        &[("25.001.20844", 70, "none"), ("23.001.20093", 100, "high")],
    ),
];

const SERVER: &[Product] = &[
    product("Microsoft Edge", "Microsoft Corporation", 100, 620, &[("128.0.2739.42", 100, "high")]),
    product("7-Zip (x64)", "Igor Pavlov", 50, 6, &[("22.01", 100, "high")]),
    product(
        "Microsoft Visual C++ 2015-2022 Redistributable (x64)",
        "Microsoft Corporation",
        100,
        20,
        &[("14.40.33810.0", 100, "none")],
    ),
];

const LINUX: &[Product] = &[
    product("nginx", "Ubuntu Developers", 100, 2, &[("1.24.0-2ubuntu7.5", 100, "none")]),
    product("openssh-server", "Ubuntu Developers", 100, 2, &[("1:9.6p1-3ubuntu13", 100, "high")]),
    product("openssl", "Ubuntu Developers", 100, 2, &[("3.0.13-0ubuntu3.6", 100, "none")]),
];

const MAC: &[Product] = &[
    product("Google Chrome", "Google LLC", 80, 480, &[("142.0.7444.60", 100, "none")]),
    product("Safari", "Apple Inc.", 100, 40, &[("18.6", 100, "none")]),
];

pub(crate) fn on(agent: &Agent) -> Vec<Installed> {
    let products = match agent.role {
        Role::LinuxServer => LINUX,
        Role::Mac => MAC,
        Role::Desktop | Role::Laptop | Role::Executive => OFFICE,
        _ => SERVER,
    };
    let percent = |what: &str, name: &str| digest::number(&format!("{what} {name} {}", agent.host)) % 100;
    let there = products.iter().filter(|product| percent("has", product.name) < product.share);
    let installed = there.filter_map(|product| {
        let lot = percent("version", product.name);
        let (version, _, risk) = product.versions.iter().find(|(_, up_to, _)| lot < *up_to)?;
        let Product { name, publisher, megabytes, .. } = *product;
        Some(Installed { name, publisher, version, risk, megabytes })
    });
    installed.collect()
}
