//! Which known vulnerabilities the endpoints of the world have: software in the version that a host's role and name
//! call for, and what is published about it. CVE, product and fix are facts; the EPSS values are those of one invented
//! day, and which host lags behind is invented, too.

use super::Agent;
use crate::digest;
use crate::fleet::Role;

/// A published vulnerability of one product, and where in the fleet the old version is still found.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) cve: &'static str,
    pub(crate) title: &'static str,
    pub(crate) vendor: &'static str,
    pub(crate) product: &'static str,
    pub(crate) version: &'static str,
    pub(crate) fixed: &'static str,
    pub(crate) os: bool,
    pub(crate) published: &'static str,
    pub(crate) score: f64,
    /// The CVSS 3.1 base vector, without its prefix.
    pub(crate) vector: &'static str,
    pub(crate) epss: (f64, f64),
    pub(crate) exploited: bool,
    pub(crate) kev: bool,
    roles: &'static [Role],
    /// Of a hundred such hosts, how many lag behind.
    share: u64,
}

const WORKSTATIONS: &[Role] = &[Role::Desktop, Role::Laptop, Role::Executive];

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    Known { cve: "CVE-2023-38831", title: "An archive can run a script when a harmless-looking file in it is opened", vendor: "RARLAB", product: "WinRAR", version: "6.22", fixed: "6.23", os: false, published: "2023-08-23", score: 7.8, vector: "AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", epss: (0.938, 0.998), exploited: true, kev: true, roles: WORKSTATIONS, share: 25 },
    Known { cve: "CVE-2025-0411", title: "Files extracted from a nested archive lose the mark of the web", vendor: "Igor Pavlov", product: "7-Zip", version: "24.08", fixed: "24.09", os: false, published: "2025-01-25", score: 7.0, vector: "AV:L/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H", epss: (0.462, 0.975), exploited: true, kev: true, roles: WORKSTATIONS, share: 30 },
    Known { cve: "CVE-2024-7971", title: "Type confusion in V8 lets a web page corrupt the heap", vendor: "Google", product: "Chrome", version: "127.0.6533.120", fixed: "128.0.6613.84", os: false, published: "2024-08-21", score: 8.8, vector: "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", epss: (0.014, 0.861), exploited: true, kev: true, roles: WORKSTATIONS, share: 15 },
    Known { cve: "CVE-2024-11692", title: "A select element can be drawn over another tab", vendor: "Mozilla", product: "Firefox", version: "132.0.2", fixed: "133.0", os: false, published: "2024-11-26", score: 4.3, vector: "AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N", epss: (0.001, 0.312), exploited: false, kev: false, roles: WORKSTATIONS, share: 20 },
    Known { cve: "CVE-2024-40711", title: "Unauthenticated deserialization runs code on the backup server", vendor: "Veeam", product: "Backup & Replication", version: "12.1.2.172", fixed: "12.2.0.334", os: false, published: "2024-09-07", score: 9.8, vector: "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", epss: (0.627, 0.983), exploited: true, kev: true, roles: &[Role::BackupServer], share: 100 },
    Known { cve: "CVE-2021-44228", title: "A logged text makes the library load and run remote code", vendor: "Apache", product: "Log4j", version: "2.14.1", fixed: "2.15.0", os: false, published: "2021-12-10", score: 10.0, vector: "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", epss: (0.944, 1.0), exploited: true, kev: true, roles: &[Role::AppServer], share: 100 },
    Known { cve: "CVE-2024-6387", title: "A race in the signal handler of the SSH server may run code before log-in", vendor: "OpenBSD", product: "OpenSSH", version: "9.6p1", fixed: "9.8p1", os: false, published: "2024-07-01", score: 8.1, vector: "AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", epss: (0.544, 0.979), exploited: false, kev: false, roles: &[Role::LinuxServer], share: 100 },
    Known { cve: "CVE-2024-38063", title: "Crafted IPv6 packets run code in the network stack", vendor: "Microsoft", product: "Windows Server 2022", version: "10.0.20348.2582", fixed: "10.0.20348.2655", os: true, published: "2024-08-13", score: 9.8, vector: "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", epss: (0.892, 0.995), exploited: false, kev: false, roles: &[Role::DomainController, Role::FileServer], share: 60 },
    Known { cve: "CVE-2024-43461", title: "A crafted page hides the type of the file it offers", vendor: "Microsoft", product: "Windows 11", version: "10.0.22631.4037", fixed: "10.0.22631.4169", os: true, published: "2024-09-10", score: 8.8, vector: "AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", epss: (0.118, 0.935), exploited: true, kev: true, roles: WORKSTATIONS, share: 10 },
];

/// The known vulnerabilities of an endpoint.
pub(crate) fn of(agent: &Agent) -> impl Iterator<Item = &'static Known> {
    let (role, host) = (agent.role, agent.host.clone());
    KNOWN.iter().filter(move |known| {
        known.roles.contains(&role) && digest::number(&format!("{host} {}", known.cve)) % 100 < known.share
    })
}
