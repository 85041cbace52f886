//! What is installed: on one endpoint, on all of them row by row, and counted by product.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Answer, Call, ok, paged};
use crate::digest;
use crate::filter::Kind::{Among, Bool, Contains, Ids, OneOf, Unplayed};
use crate::filter::{Field, Filter, field};
use crate::page::{self, MAX_SKIP, Shape};
use crate::refusal::Refusal;
use crate::software::{self, Installed};
use crate::world::{Agent, World};

const RISKS: &[&str] = &["none", "low", "medium", "high", "critical"];

pub(super) const INSTALLED: &[Field] = &[
    field("ids", Ids, &["/id"]),
    field("siteIds", Ids, &["/siteId"]),
    field("accountIds", Ids, &["/accountId"]),
    field("groupIds", Ids, &["/groupId"]),
    field("name", Contains, &["/name"]),
    field("publisher", Contains, &["/publisher"]),
    field("version", Contains, &["/version"]),
    field("agentComputerName", Contains, &["/agentComputerName"]),
    field("agentUuid", Contains, &["/agentUuid"]),
    field("agentOsVersion", Contains, &["/agentOsVersion"]),
    field("agentMachineTypes", OneOf, &["/agentMachineType"]),
    field("agentIsDecommissioned", Bool, &["/agentIsDecommissioned"]),
    field("osTypes", OneOf, &["/osType"]),
    field("riskLevels", Among(RISKS), &["/riskLevel"]),
    field("types", OneOf, &["/type"]),
    field("installedAt", Unplayed, &[]),
    field("size", Unplayed, &[]),
];

fn seen<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = &'a Agent> {
    world.agents.values().filter(|agent| call.token.scope.sees(agent.account, agent.site))
}

/// `/agents/applications?ids=`: one endpoint's list, without pages.
pub(super) fn of_agent(world: &World, call: &Call) -> Answer {
    let ids = call.params.many("ids");
    let [id] = ids.as_slice() else { return Err(Refusal::Invalid("ids: exactly one agent id is required".to_owned())) };
    let agent = seen(world, call).find(|agent| agent.id.to_string() == *id);
    let rows = agent.into_iter().flat_map(|agent| {
        let dated = |one: Installed| {
            json!({
                "name": one.name, "version": one.version, "publisher": one.publisher, "size": one.megabytes << 20,
                "installedDate": agent.doc["registeredAt"],
            })
        };
        software::on(agent).into_iter().map(dated)
    });
    ok(rows.collect())
}

/// `/installed-applications`: one row for each product on each endpoint.
pub(super) fn installed(world: &World, call: &Call) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: MAX_SKIP,
        sorts: &[
            ("id", "/id"),
            ("name", "/name"),
            ("publisher", "/publisher"),
            ("version", "/version"),
            ("riskLevel", "/riskLevel"),
            ("agentComputerName", "/agentComputerName"),
        ],
    };
    let filter = Filter::parse(&call.params, INSTALLED)?;
    let rows: Vec<Value> =
        seen(world, call).flat_map(|agent| software::on(agent).into_iter().map(|one| row(agent, one))).collect();
    paged(page::cut(rows.iter(), &filter, &call.params, &SHAPE, call.strike.twice)?, Clone::clone)
}

fn row(agent: &Agent, one: Installed) -> Value {
    let sees = &agent.doc;
    let id = 100_000_000_000_000_000 + digest::number(&format!("{} {}", agent.id, one.name)) % 900_000_000_000_000_000;
    json!({
        "id": id.to_string(), "name": one.name, "version": one.version, "publisher": one.publisher, "type": "app",
        "riskLevel": one.risk, "signed": !one.name.starts_with("7-Zip"), "size": one.megabytes << 20,
        "installedAt": sees["registeredAt"], "createdAt": sees["registeredAt"], "updatedAt": sees["registeredAt"],
        "osType": sees["osType"], "agentId": sees["id"], "agentUuid": sees["uuid"],
        "agentComputerName": sees["computerName"], "agentDomain": sees["domain"], "agentVersion": sees["agentVersion"],
        "agentMachineType": sees["machineType"], "agentOsType": sees["osType"], "agentOsVersion": sees["osName"],
        "agentInfected": sees["infected"], "agentIsActive": sees["isActive"],
        "agentIsDecommissioned": sees["isDecommissioned"], "agentNetworkStatus": sees["networkStatus"],
        "agentOperationalState": sees["operationalState"], "siteId": sees["siteId"], "accountId": sees["accountId"],
        "groupId": sees["groupId"],
    })
}

/// `/application-management/inventory`: one row for each product.
pub(super) fn inventory(world: &World, call: &Call) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: MAX_SKIP,
        sorts: &[
            ("id", "/applicationName"),
            ("applicationName", "/applicationName"),
            ("applicationVendor", "/applicationVendor"),
            ("applicationVersionsCount", "/applicationVersionsCount"),
            ("endpointsCount", "/endpointsCount"),
        ],
    };
    /// Narrow the endpoints, before products are counted.
    const ENDPOINTS: &[Field] = &[
        field("siteIds", Ids, &["/siteId"]),
        field("accountIds", Ids, &["/accountId"]),
        field("groupIds", Ids, &["/groupId"]),
        field("endpointName", Contains, &["/computerName"]),
        field("endpointUuid", Contains, &["/uuid"]),
        field("osTypes", OneOf, &["/osType"]),
        field("osVersion", Contains, &["/osName"]),
        field("osVersions", OneOf, &["/osName"]),
        field("osArchitectures", OneOf, &["/osArch"]),
    ];
    const PRODUCTS: &[Field] = &[
        field("name", Contains, &["/applicationName"]),
        field("vendor", Contains, &["/applicationVendor"]),
        field("vendors", OneOf, &["/applicationVendor"]),
    ];
    let endpoints = Filter::parse(&call.params, ENDPOINTS)?;
    let mut counted: BTreeMap<(&str, &str), (BTreeSet<&str>, usize)> = BTreeMap::new();
    for agent in seen(world, call).filter(|agent| endpoints.matches(agent)) {
        for one in software::on(agent) {
            let (versions, count) = counted.entry((one.name, one.publisher)).or_default();
            versions.insert(one.version);
            *count += 1;
        }
    }
    let rows: Vec<Value> = counted
        .into_iter()
        .map(|((name, vendor), (versions, count))| {
            json!({
                "id": name, "applicationName": name, "applicationVendor": vendor,
                "applicationVersionsCount": versions.len(), "endpointsCount": count, "estimate": false,
            })
        })
        .collect();
    let products = Filter::parse(&call.params, PRODUCTS)?;
    paged(page::cut(rows.iter(), &products, &call.params, &SHAPE, call.strike.twice)?, Clone::clone)
}
