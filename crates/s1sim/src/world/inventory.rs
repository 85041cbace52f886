//! The asset inventory: every endpoint and every account that works on one, in the words of the console's inventory,
//! which are not those of its agent list. Clouds and unmanaged devices are not part of the world.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Agent, World, text};
use crate::digest;
use crate::fleet::Role;
use crate::token::Scope;

/// The inventory of what a scope sees: endpoints first, then accounts.
pub(crate) fn all(world: &World, scope: &Scope) -> Vec<Value> {
    let seen = || world.agents.values().filter(|agent| scope.sees(agent.account, agent.site));
    let mut users: BTreeMap<(u64, &str), Vec<&Agent>> = BTreeMap::new();
    for agent in seen() {
        users.entry((agent.site, &agent.user)).or_default().push(agent);
    }
    seen().map(endpoint).chain(users.iter().map(|((_, user), agents)| identity(user, agents))).collect()
}

/// What kind of machine an endpoint is: `Windows Server`.
pub(crate) fn kind_of(agent: &Value) -> String {
    let system = match text(agent, "/osType") {
        "macos" => "macOS",
        "linux" => "Linux",
        _ => "Windows",
    };
    let machine = match text(agent, "/machineType") {
        "server" => "Server",
        "laptop" => "Laptop",
        _ => "Workstation",
    };
    format!("{system} {machine}")
}

/// `Server` or `Workstation`.
pub(crate) fn category(agent: &Value) -> &'static str {
    if text(agent, "/machineType") == "server" { "Server" } else { "Workstation" }
}

/// How much depends on an endpoint, in four capital words.
pub(crate) fn criticality(role: Role) -> &'static str {
    match role {
        Role::DomainController | Role::BackupServer => "CRITICAL",
        Role::FileServer | Role::AppServer | Role::Executive => "HIGH",
        Role::LinuxServer => "MEDIUM",
        Role::Desktop | Role::Laptop | Role::Mac => "LOW",
    }
}

fn endpoint(agent: &Agent) -> Value {
    let doc = &agent.doc;
    let system = match text(doc, "/osType") {
        "macos" => "macOS",
        "linux" => "Linux",
        _ => "Windows",
    };
    let interface = &doc["networkInterfaces"][0];
    let memory = doc["totalMemory"].as_u64().unwrap_or_default();
    let mut asset = json!({
        "id": digest::dashed(&digest::uuid(&format!("asset {}", agent.id))), "idSecondary": [doc["uuid"]], "name": doc["computerName"],
        "assetCriticality": capital(criticality(agent.role)), "assetEnvironment": "Production",
        "assetStatus": if agent.online { "Active" } else { "Inactive" }, "category": category(doc),
        "resourceType": kind_of(doc), "subCategory": text(doc, "/machineType"), "surfaces": ["ENDPOINT"],
        "activeCoverage": ["EPP"], "missingCoverage": [], "riskFactors": [], "deviceReview": "Allowed",
        "infectionStatus": if doc["infected"] == true { "Infected" } else { "Healthy" }, "lastActiveDt": doc["lastActiveDate"],
        "createdTime": doc["createdAt"], "architecture": doc["osArch"], "coreCount": doc["coreCount"], "domain": doc["domain"],
        "hostnames": [doc["computerName"]], "internalIps": interface["inet"], "internalIpsV6": interface["inet6"],
        "ipAddress": doc["externalIp"], "macAddresses": [interface["physical"]], "gatewayIps": [interface["gatewayIp"]],
        "gatewayMacs": [interface["gatewayMacAddress"]], "memory": memory, "memoryReadable": format!("{} GB", memory / 1024),
        "networkInterfaces": [{
            "name": interface["name"], "ip": interface["inet"][0], "mac": interface["physical"],
            "gatewayIp": interface["gatewayIp"], "gatewayMac": interface["gatewayMacAddress"],
        }],
        "os": system, "osFamily": system, "osVersion": doc["osRevision"], "osUsername": doc["osUsername"],
        "osNameVersion": format!("{} {}", text(doc, "/osName"), text(doc, "/osRevision")), "modelName": doc["modelName"],
    });
    place(&mut asset, doc);
    asset
}

/// An account and the machines it works on. Agents are never none.
fn identity(user: &str, agents: &[&Agent]) -> Value {
    let (domain, name) = user.split_once('\\').unwrap_or(("", user));
    let Some(doc) = agents.first().map(|agent| &agent.doc) else { return Value::Null };
    let mightiest = agents.iter().map(|agent| agent.role).min_by_key(|role| rank(*role)).unwrap_or(Role::Desktop);
    let privileged = mightiest == Role::DomainController;
    let mut asset = json!({
        "id": digest::dashed(&digest::uuid(&format!("identity {} {user}", text(doc, "/siteId")))), "name": user, "cn": name, "samAccountName": name,
        "domain": domain, "displayName": name, "category": "Identity", "resourceType": "Active Directory User",
        "subCategory": "User", "surfaces": ["IDENTITY"], "assetStatus": "Active", "assetEnvironment": "Production",
        "assetCriticality": capital(criticality(mightiest)), "infectionStatus": null, "privileged": privileged, "enabled": true,
        "serviceAccount": name.starts_with("svc-"), "adminCount": u8::from(privileged), "lastActiveDt": doc["lastActiveDate"],
        "hostnames": agents.iter().map(|agent| agent.host.as_str()).collect::<Vec<_>>(),
    });
    place(&mut asset, doc);
    asset
}

fn rank(role: Role) -> usize {
    ["CRITICAL", "HIGH", "MEDIUM", "LOW"].iter().position(|word| *word == criticality(role)).unwrap_or(4)
}

/// Where in the console's tree the asset is.
fn place(asset: &mut Value, agent: &Value) {
    for (member, from) in [
        ("s1AccountId", "accountId"),
        ("s1AccountName", "accountName"),
        ("s1SiteId", "siteId"),
        ("s1SiteName", "siteName"),
        ("s1GroupId", "groupId"),
        ("s1GroupName", "groupName"),
    ] {
        super::put(asset, member, agent[from].clone());
    }
    let path = ["/accountName", "/siteName", "/groupName"].map(|at| text(agent, at));
    super::put(asset, "s1ScopePath", format!("Global / {}", path.join(" / ")));
    super::put(asset, "s1ScopeLevel", "group");
}

/// `CRITICAL` as the inventory writes it: `Critical`.
fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    format!("{first}{}", rest.to_lowercase())
}
