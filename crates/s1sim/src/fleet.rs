//! Whose endpoints the simulated console watches: customers with one account and one site each, groups, hosts.
//! This is a plan in plain data; the world turns it into accounts, sites, groups and agents with fixed ids, so the
//! same plan always gives the same ids. Everything and everybody in it is made up.

mod demo;

use serde::Serialize;

/// The plan of a whole console.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub customers: Vec<Customer>,
}

impl Fleet {
    /// Three customers (`hoshimi` Japanese, `northmere` English, `kanata` both) with some 260 endpoints each.
    pub fn demo() -> Self {
        demo::fleet(260)
    }

    /// The same three customers with only the endpoints that scenarios need.
    pub fn small() -> Self {
        demo::fleet(0)
    }

    pub fn with(mut self, customer: Customer) -> Self {
        self.customers.push(customer);
        self
    }
}

/// One customer: an account with one site.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Short name for code and command lines, e.g. `hoshimi`.
    pub key: String,
    pub account: String,
    pub site: String,
    pub language: Language,
    /// The Windows domain, e.g. `HOSHIMI`.
    pub domain: String,
    /// The address the customer's traffic comes from.
    pub external_ip: String,
    pub hosts: Vec<Host>,
}

impl Customer {
    pub fn new(key: &str, account: &str, language: Language) -> Self {
        Self {
            key: key.to_owned(),
            account: account.to_owned(),
            site: "Head Office".to_owned(),
            language,
            domain: key.to_uppercase(),
            external_ip: "203.0.113.10".to_owned(),
            hosts: Vec::new(),
        }
    }

    pub fn with(mut self, host: Host) -> Self {
        self.hosts.push(host);
        self
    }
}

/// The language of a customer's file names and folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Japanese,
    English,
    Both,
}

/// One endpoint to be.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: String,
    pub role: Role,
    /// Whoever logged in last, without the domain.
    pub user: String,
}

impl Host {
    pub fn new(name: &str, role: Role, user: &str) -> Self {
        Self { name: name.to_owned(), role, user: user.to_owned() }
    }
}

/// What an endpoint is for. Group, operating system, machine type and policy follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Desktop,
    Laptop,
    Mac,
    /// The laptop of somebody whose work must not be cut off lightly.
    Executive,
    FileServer,
    AppServer,
    BackupServer,
    LinuxServer,
    DomainController,
}

impl Role {
    pub fn group(self) -> &'static str {
        match self {
            Self::Desktop | Self::Laptop | Self::Mac => "Workstations",
            Self::Executive => "Executives",
            Self::FileServer | Self::AppServer | Self::BackupServer | Self::LinuxServer => "Servers",
            Self::DomainController => "Domain Controllers",
        }
    }

    pub(crate) fn machine_type(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Laptop | Self::Mac | Self::Executive => "laptop",
            _ => "server",
        }
    }

    pub(crate) fn os_type(self) -> &'static str {
        match self {
            Self::Mac => "macos",
            Self::LinuxServer => "linux",
            _ => "windows",
        }
    }

    pub(crate) fn os_name(self) -> (&'static str, &'static str) {
        match self {
            Self::Mac => ("macOS Sequoia", "15.6.1 (24G90)"),
            Self::LinuxServer => ("Linux", "Ubuntu 24.04.3 LTS 6.8.0-79-generic"),
            Self::Desktop | Self::Laptop | Self::Executive => ("Windows 11 Pro", "22631"),
            _ => ("Windows Server 2022 Standard", "20348"),
        }
    }

    /// Desktops and servers still run in the detect mode of a roll-out, portable machines already protect themselves.
    pub(crate) fn mode(self) -> &'static str {
        if self.machine_type() == "laptop" { "protect" } else { "detect" }
    }
}
