//! Accounts, sites, groups and agents as the console shows them, made from the fleet plan. Their ids come from a
//! fixed date, so a plan gives the same ids in every run.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Account, Agent, Group, Site, World, text};
use crate::clock::{later, print};
use crate::digest;
use crate::fleet::{Customer, Host, Role};
use crate::token::{Capability, Scope, Token};

const GROUPS: [&str; 5] = ["Default Group", "Workstations", "Servers", "Domain Controllers", "Executives"];
const AGENT_VERSION: &str = "25.1.3.334";
const TOKEN_LIFE: Duration = Duration::from_secs(180 * 24 * 3600);

/// When every customer of the plan was set up: 2025-04-01 00:00 UTC.
fn founded() -> Timestamp {
    Timestamp::from_second(1_743_465_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl World {
    /// Sets a customer up: account, site, groups, agents and one token per capability.
    pub(super) fn found(&mut self, customer: &Customer) {
        let at = founded();
        let account = self.ids.mint(at);
        self.keep_account(account, &customer.account, at);
        let site = self.ids.mint(at);
        let entry = Site {
            id: site,
            account,
            key: customer.key.clone(),
            language: customer.language,
            domain: customer.domain.clone(),
            external_ip: customer.external_ip.clone(),
            doc: json!({"name": customer.site, "accountName": customer.account}),
        };
        self.keep_site(entry, customer.hosts.len(), at);
        for group in GROUPS {
            self.add_group(site, group, at);
        }
        for host in &customer.hosts {
            self.enrol(site, host, at);
        }
        for capability in [Capability::Read, Capability::Act, Capability::Write, Capability::Full] {
            self.issue(&format!("{}/{}", customer.key, capability.word()), Scope::Site(site), capability);
            let name = format!("{}-account/{}", customer.key, capability.word());
            self.issue(&name, Scope::Account(account), capability);
        }
    }

    /// Adds an account under a given id.
    pub(crate) fn keep_account(&mut self, id: u64, name: &str, at: Timestamp) {
        self.accounts.push(Account { id, doc: account_doc(id, name, at) });
    }

    /// Adds a site whose `doc` holds at least its own and its account's name.
    pub(crate) fn keep_site(&mut self, mut site: Site, agents: usize, at: Timestamp) {
        let (name, account_name) = (text(&site.doc, "/name"), text(&site.doc, "/accountName"));
        site.doc = site_doc(site.id, name, site.account, account_name, agents, at);
        self.sites.push(site);
    }

    fn add_group(&mut self, site: u64, name: &str, at: Timestamp) -> u64 {
        let id = self.ids.mint(at);
        let rank = self.groups.iter().filter(|group| group.site == site).count();
        let is_default = name == GROUPS[0];
        let doc = json!({
            "id": id.to_string(), "name": name, "siteId": site.to_string(), "type": "static",
            "description": null, "rank": if is_default { Value::Null } else { json!(rank) }, "inherits": true,
            "isDefault": is_default, "filterId": null, "filterName": null, "totalAgents": 0, "creator": "MSSP Setup",
            "creatorId": site.to_string(), "registrationToken": null, "createdAt": print(at), "updatedAt": print(at),
        });
        self.groups.push(Group { id, site, name: name.to_owned(), doc });
        id
    }

    /// Installs an agent. `at` is the time it registered.
    pub(crate) fn enrol(&mut self, site: u64, host: &Host, at: Timestamp) -> u64 {
        let id = self.ids.mint(at);
        let Some(site) = self.site(site).cloned() else { return id };
        let wanted = host.role.group();
        let group = self.groups.iter_mut().find(|group| group.site == site.id && group.name == wanted);
        let group = group.map(|group| {
            let total = group.doc["totalAgents"].as_u64().unwrap_or(0);
            group.doc["totalAgents"] = json!(total + 1);
            group.id
        });
        let group = group.unwrap_or_else(|| self.add_group(site.id, wanted, at));
        let interface = self.ids.mint(at);
        let doc = agent_doc(id, interface, group, &site, host, at);
        let agent = Agent {
            id,
            site: site.id,
            account: site.account,
            role: host.role,
            host: host.name.clone(),
            user: format!("{}\\{}", site.domain, host.user),
            online: true,
            network_turn: 0,
            threats: Vec::new(),
            waiting: Vec::new(),
            cuts: Vec::new(),
            loaded: Vec::new(),
            doc,
        };
        self.agents.insert(id, agent);
        id
    }

    /// Takes over an agent that a recorded threat describes.
    pub(crate) fn adopt(&mut self, id: u64, account: u64, site: u64, doc: Value) {
        let machine_type = text(&doc, "/machineType");
        let agent = Agent {
            id,
            site,
            account,
            role: if machine_type == "server" { Role::AppServer } else { Role::Desktop },
            host: text(&doc, "/computerName").to_owned(),
            user: text(&doc, "/lastLoggedInUserName").to_owned(),
            online: doc["isActive"].as_bool().unwrap_or(true),
            network_turn: 0,
            threats: Vec::new(),
            waiting: Vec::new(),
            cuts: Vec::new(),
            loaded: Vec::new(),
            doc,
        };
        self.agents.entry(id).or_insert(agent);
    }

    /// Issues a token and returns its secret; a name that has one gets the same again.
    pub(crate) fn issue(&mut self, name: &str, scope: Scope, capability: Capability) -> String {
        if let Some(token) = self.tokens.list.iter().find(|token| token.name == name) {
            return token.secret.clone();
        }
        let now = self.clock.now();
        let secret = digest::token(self.tokens.seed, name);
        let token = Token {
            name: name.to_owned(),
            secret: secret.clone(),
            capability,
            scope,
            user_id: self.ids.mint(founded()),
            created: now,
            expires: later(now, TOKEN_LIFE),
        };
        self.tokens.list.push(token);
        secret
    }
}

fn licences(count: usize) -> Value {
    json!({
        "bundles": [{"name": "complete", "displayName": "Complete", "majorVersion": 1, "minorVersion": 1, "totalSurfaces": count, "surfaces": [{"name": "Total Agents", "count": count}]}],
        "modules": [], "settings": [],
    })
}

fn account_doc(id: u64, name: &str, at: Timestamp) -> Value {
    json!({
        "id": id.to_string(), "name": name, "accountType": "Paid", "state": "active", "usageType": "customer",
        "billingMode": "subscription", "activeAgents": 0, "numberOfSites": 1, "totalLicenses": 500,
        "skus": [{"type": "Complete", "totalLicenses": 500, "unlimited": false, "agentsInSku": 0}],
        "licenses": licences(500), "expiration": null, "unlimitedExpiration": true, "creator": "MSSP Setup",
        "creatorId": id.to_string(), "externalId": null, "salesforceId": null, "isDefault": false,
        "createdAt": print(at), "updatedAt": print(at),
    })
}

fn site_doc(id: u64, name: &str, account: u64, account_name: &str, agents: usize, at: Timestamp) -> Value {
    json!({
        "id": id.to_string(), "name": name, "accountId": account.to_string(), "accountName": account_name,
        "siteType": "Paid", "state": "active", "suite": "Complete", "sku": "Complete", "activeLicenses": agents,
        "totalLicenses": 500, "unlimitedLicenses": false, "expiration": null, "unlimitedExpiration": true,
        "registrationToken": null, "healthStatus": true, "description": null, "externalId": null, "isDefault": false,
        "creator": "MSSP Setup", "creatorId": account.to_string(), "licenses": licences(500),
        "createdAt": print(at), "updatedAt": print(at),
    })
}

fn agent_doc(id: u64, interface: u64, group: u64, site: &Site, host: &Host, at: Timestamp) -> Value {
    let (os_name, os_revision) = host.role.os_name();
    let number = digest::number(&host.name);
    let octet = |shift: u32| (number >> shift & 0xff).max(2);
    let mode = host.role.mode();
    let server = host.role.machine_type() == "server";
    let installer = match host.role {
        Role::Mac => ".pkg",
        Role::LinuxServer => ".deb",
        _ => ".msi",
    };
    let group_ip = site.external_ip.rsplit_once('.').map_or_else(String::new, |(net, _)| format!("{net}.x"));
    json!({
        "id": id.to_string(), "uuid": digest::uuid(&format!("{}/{}", site.key, host.name)),
        "accountId": site.account.to_string(), "accountName": site.doc["accountName"], "siteId": site.id.to_string(),
        "siteName": site.doc["name"], "groupId": group.to_string(), "groupName": host.role.group(), "groupIp": group_ip,
        "groupUpdatedAt": print(at), "policyUpdatedAt": print(at), "computerName": host.name, "domain": site.domain,
        "externalId": null, "externalIp": site.external_ip, "lastIpToMgmt": format!("10.20.{}.{}", octet(8), octet(16)),
        "serialNumber": format!("SN{:08X}", number >> 32), "modelName": if server { "Virtual Platform" } else { "Business PC 14" },
        "machineType": host.role.machine_type(), "osName": os_name, "osType": host.role.os_type(), "osArch": "64 bit",
        "osRevision": os_revision, "osStartTime": print(at), "osUsername": host.user, "cpuId": "x86-64, 4 cores",
        "cpuCount": 1, "coreCount": if server { 8 } else { 4 }, "totalMemory": if server { 32_768 } else { 16_384 },
        "installerType": installer, "agentVersion": AGENT_VERSION, "isUpToDate": true, "isActive": true,
        "isDecommissioned": false, "isPendingUninstall": false, "isUninstalled": false, "infected": false,
        "activeThreats": 0, "threatRebootRequired": false, "mitigationMode": mode, "mitigationModeSuspicious": mode,
        "detectionState": null, "operationalState": "na", "operationalStateExpiration": null,
        "networkStatus": "connected", "networkQuarantineEnabled": false, "firewallEnabled": true,
        "networkInterfaces": [{
            "id": interface.to_string(), "name": "Ethernet",
            "physical": format!("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", octet(0), octet(8), octet(16), octet(24), octet(32)),
            "inet": [format!("10.20.{}.{}", octet(8), octet(16))], "inet6": [format!("fe80::{:x}:{:x}", octet(24), octet(32))],
            "gatewayIp": format!("10.20.{}.1", octet(8)), "gatewayMacAddress": "02:00:5e:00:53:01",
        }],
        "locationEnabled": true, "locationType": "fallback", "locations": [{"id": site.id.to_string(), "name": "Fallback", "scope": "global"}],
        "scanStatus": "finished", "scanStartedAt": print(at), "scanFinishedAt": print(at), "scanAbortedAt": null,
        "fullDiskScanLastUpdatedAt": print(at), "lastSuccessfulScanDate": print(at), "firstFullModeTime": print(at),
        "appsVulnerabilityStatus": "up_to_date", "encryptedApplications": !server, "allowRemoteShell": false,
        "inRemoteShellSession": false, "remoteProfilingState": "disabled", "remoteProfilingStateExpiration": null,
        "rangerStatus": "Enabled", "rangerVersion": "25.1.0.26", "consoleMigrationStatus": "N/A", "licenseKey": "",
        "lastLoggedInUserName": host.user,
        "activeDirectory": {
            "computerDistinguishedName": format!("CN={},OU={},DC={}", host.name, host.role.group(), site.domain.to_lowercase()),
            "computerMemberOf": [], "lastUserDistinguishedName": null, "lastUserMemberOf": [], "userPrincipalName": null, "mail": null,
        },
        "cloudProviders": {}, "tags": {"sentinelone": []}, "storageName": null, "storageType": null,
        "proxyStates": {"console": false, "deepVisibility": false}, "showAlertIcon": false, "userActionsNeeded": [],
        "missingPermissions": [], "lastActiveDate": print(at), "registeredAt": print(at), "createdAt": print(at), "updatedAt": print(at),
    })
}
