//! `/agents`: the list with its filters, isolation, reconnection and scans.

use serde_json::{Value, json};

use super::{Answer, Call, ok, paged, record, target};
use crate::filter::Kind::{Among, Bool, Contains, Equal, Find, Ids, Nothing, Number, OneOf, Time, Unplayed, Version};
use crate::filter::{Field, Filter, Row, field};
use crate::page::{self, Shape};
use crate::refusal::Refusal;
use crate::token::Need;
use crate::world::{Agent, World};

const DIRECTORY: &[&str] = &[
    "/activeDirectory/computerDistinguishedName",
    "/activeDirectory/computerMemberOf",
    "/activeDirectory/lastUserDistinguishedName",
    "/activeDirectory/lastUserMemberOf",
];

#[rustfmt::skip]
pub(super) const FILTERS: &[Field] = &[
    field("ids", Ids, &["/id"]),
    field("uuids", OneOf, &["/uuid"]),
    field("uuid", Contains, &["/uuid"]),
    field("uuid", Equal, &["/uuid"]),
    field("siteIds", Ids, &["/siteId"]),
    field("filteredSiteIds", Ids, &["/siteId"]),
    field("accountIds", Ids, &["/accountId"]),
    field("groupIds", Ids, &["/groupId"]),
    field("filteredGroupIds", Ids, &["/groupId"]),
    field("computerName", Contains, &["/computerName"]),
    field("computerName", Equal, &["/computerName"]),
    field("query", Find, &["/computerName", "/uuid", "/id", "/externalIp", "/lastIpToMgmt", "/lastLoggedInUserName", "/domain", "/siteName", "/groupName", "/osName", "/agentVersion"]),
    field("domains", OneOf, &["/domain"]),
    field("externalIp", Contains, &["/externalIp"]),
    field("externalId", Contains, &["/externalId"]),
    field("lastLoggedInUserName", Contains, &["/lastLoggedInUserName"]),
    field("networkInterfaceInet", Contains, &["/networkInterfaces/0/inet"]),
    field("networkInterfacePhysical", Contains, &["/networkInterfaces/0/physical"]),
    field("networkInterfaceGatewayMacAddress", Contains, &["/networkInterfaces/0/gatewayMacAddress"]),
    field("gatewayIp", Equal, &["/networkInterfaces/0/gatewayIp"]),
    field("serialNumber", Contains, &["/serialNumber"]),
    field("osVersion", Contains, &["/osName", "/osRevision"]),
    field("osTypes", Among(&["windows", "windows_legacy", "linux", "macos"]), &["/osType"]),
    field("osArch", Among(&["32 bit", "64 bit", "ARM64"]), &["/osArch"]),
    field("machineTypes", OneOf, &["/machineType"]),
    field("agentVersions", OneOf, &["/agentVersion"]),
    field("networkStatuses", Among(&["connected", "disconnected", "connecting", "disconnecting"]), &["/networkStatus"]),
    field("mitigationMode", Among(&["detect", "protect"]), &["/mitigationMode"]),
    field("mitigationModeSuspicious", Among(&["detect", "protect"]), &["/mitigationModeSuspicious"]),
    field("scanStatus", Among(&["none", "started", "aborted", "finished"]), &["/scanStatus"]),
    field("scanStatuses", Among(&["none", "started", "aborted", "finished"]), &["/scanStatus"]),
    field("appsVulnerabilityStatuses", OneOf, &["/appsVulnerabilityStatus"]),
    field("consoleMigrationStatuses", OneOf, &["/consoleMigrationStatus"]),
    field("installerTypes", OneOf, &["/installerType"]),
    field("operationalStates", OneOf, &["/operationalState"]),
    field("rangerStatus", OneOf, &["/rangerStatus"]),
    field("rangerStatuses", OneOf, &["/rangerStatus"]),
    field("rangerVersions", OneOf, &["/rangerVersion"]),
    field("remoteProfilingStates", OneOf, &["/remoteProfilingState"]),
    field("userActionsNeeded", OneOf, &["/userActionsNeeded"]),
    field("infected", Bool, &["/infected"]),
    field("isActive", Bool, &["/isActive"]),
    field("isDecommissioned", Bool, &["/isDecommissioned"]),
    field("isUninstalled", Bool, &["/isUninstalled"]),
    field("isPendingUninstall", Bool, &["/isPendingUninstall"]),
    field("isUpToDate", Bool, &["/isUpToDate"]),
    field("encryptedApplications", Bool, &["/encryptedApplications"]),
    field("firewallEnabled", Bool, &["/firewallEnabled"]),
    field("locationEnabled", Bool, &["/locationEnabled"]),
    field("networkQuarantineEnabled", Bool, &["/networkQuarantineEnabled"]),
    field("threatRebootRequired", Bool, &["/threatRebootRequired"]),
    field("hasTags", Bool, &["/hasTags"]),
    field("activeThreats", Number, &["/activeThreats"]),
    field("coreCount", Number, &["/coreCount"]),
    field("cpuCount", Number, &["/cpuCount"]),
    field("totalMemory", Number, &["/totalMemory"]),
    field("createdAt", Time, &["/createdAt"]),
    field("updatedAt", Time, &["/updatedAt"]),
    field("registeredAt", Time, &["/registeredAt"]),
    field("lastActiveDate", Time, &["/lastActiveDate"]),
    field("lastSuccessfulScanDate", Time, &["/lastSuccessfulScanDate"]),
    field("adComputerName", Contains, &["/activeDirectory/computerDistinguishedName"]),
    field("adComputerMember", Contains, &["/activeDirectory/computerMemberOf"]),
    field("adComputerQuery", Contains, &["/activeDirectory/computerDistinguishedName", "/activeDirectory/computerMemberOf"]),
    field("adUserName", Contains, &["/activeDirectory/lastUserDistinguishedName"]),
    field("adUserMember", Contains, &["/activeDirectory/lastUserMemberOf"]),
    field("adUserQuery", Contains, &["/activeDirectory/lastUserDistinguishedName", "/activeDirectory/lastUserMemberOf"]),
    field("adQuery", Contains, DIRECTORY),
    field("adQuery", Find, DIRECTORY),
    field("agentVersion", Version, &["/agentVersion"]),
    field("cpuId", Contains, &["/cpuId"]),
    field("decommissionedAt", Time, &["/decommissionedAt"]),
    field("liveUpdateId", Contains, &["/liveUpdateId"]),
    field("migrationStatus", OneOf, &["/consoleMigrationStatus"]),
    field("missingPermissions", OneOf, &["/missingPermissions"]),
    field("threatContentHash", Unplayed, &[]),
    field("threatCreatedAt", Unplayed, &[]),
    field("threatHidden", Unplayed, &[]),
    field("threatMitigationStatus", Unplayed, &[]),
    field("threatResolved", Unplayed, &[]),
    field("hasLocalConfiguration", Unplayed, &[]),
    field("remoteOpsForensicsSupported", Unplayed, &[]),
    field("rsoLevel", Unplayed, &[]),
    field("agentNamespace", Nothing, &[]),
    field("agentPodName", Nothing, &[]),
    field("awsRole", Nothing, &[]),
    field("awsSecurityGroups", Nothing, &[]),
    field("awsSubnetIds", Nothing, &[]),
    field("azureResourceGroup", Nothing, &[]),
    field("gcpServiceAccount", Nothing, &[]),
    field("cloudInstanceSize", Nothing, &[]),
    field("cloudTags", Nothing, &[]),
    field("k8sNodeLabels", Nothing, &[]),
    field("filterId", Nothing, &[]),
    field("csvFilterId", Nothing, &[]),
    field("tagsData", Nothing, &[]),
    field("locationIds", Nothing, &[]),
    field("cloudProvider", Nothing, &[]),
    field("cloudAccount", Nothing, &[]),
    field("cloudImage", Nothing, &[]),
    field("cloudInstanceId", Nothing, &[]),
    field("cloudLocation", Nothing, &[]),
    field("cloudNetwork", Nothing, &[]),
    field("clusterName", Nothing, &[]),
    field("k8sNodeName", Nothing, &[]),
    field("k8sType", Nothing, &[]),
    field("k8sVersion", Nothing, &[]),
];

const SHAPE: Shape = Shape {
    max_limit: 1000,
    max_skip: page::MAX_SKIP,
    sorts: &[
        ("id", "/id"),
        ("createdAt", "/createdAt"),
        ("updatedAt", "/updatedAt"),
        ("registeredAt", "/registeredAt"),
        ("lastActiveDate", "/lastActiveDate"),
        ("computerName", "/computerName"),
        ("uuid", "/uuid"),
        ("groupId", "/groupId"),
        ("groupName", "/groupName"),
        ("siteId", "/siteId"),
        ("siteName", "/siteName"),
        ("accountName", "/accountName"),
        ("osType", "/osType"),
        ("osName", "/osName"),
        ("osArch", "/osArch"),
        ("machineType", "/machineType"),
        ("agentVersion", "/agentVersion"),
        ("networkStatus", "/networkStatus"),
        ("scanStatus", "/scanStatus"),
        ("domain", "/domain"),
        ("externalIp", "/externalIp"),
        ("infected", "/infected"),
        ("isActive", "/isActive"),
        ("activeThreats", "/activeThreats"),
        ("mitigationMode", "/mitigationMode"),
        ("lastLoggedInUserName", "/lastLoggedInUserName"),
        ("lastSuccessfulScanDate", "/lastSuccessfulScanDate"),
    ],
};

fn rows<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = &'a Agent> {
    world.agents.values().filter(|agent| call.token.scope.sees(agent.account, agent.site))
}

impl Row for &Agent {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.doc.pointer(pointer)
    }
}

pub(super) fn list(world: &World, call: &Call) -> Answer {
    let filter = Filter::parse(&call.params, FILTERS)?;
    paged(page::cut(rows(world, call), &filter, &call.params, &SHAPE, call.strike.twice)?, |agent| agent.doc.clone())
}

pub(super) fn count(world: &World, call: &Call) -> Answer {
    let filter = Filter::parse(&call.params, FILTERS)?;
    ok(json!({"total": rows(world, call).filter(|agent| filter.matches(agent)).count()}))
}

/// Cutting endpoints off is one of the orders the console refuses without a narrowing filter.
pub(super) fn disconnect(world: &mut World, call: &Call) -> Answer {
    if !["ids", "groupIds", "filterId"].iter().any(|key| call.params.has(key)) {
        return Err(Refusal::Invalid("filter: one of ids, groupIds, filterId is required for this action".to_owned()));
    }
    order(world, call, "disconnect", |world, id| world.network(id, true, call.strike.action_fails, call.now))
}

/// Reconnecting is not: an empty filter means every endpoint in scope.
pub(super) fn connect(world: &mut World, call: &Call) -> Answer {
    order(world, call, "connect", |world, id| world.network(id, false, call.strike.action_fails, call.now))
}

pub(super) fn scan(world: &mut World, call: &Call) -> Answer {
    order(world, call, "initiate-scan", |world, id| world.scan(id, call.now))
}

fn order(
    world: &mut World,
    call: &Call,
    action: &str,
    act: impl Fn(&mut World, u64) -> Option<jiff::Timestamp>,
) -> Answer {
    call.need(Need::Act)?;
    call.filter_given()?;
    let filter = Filter::parse(&call.params, FILTERS)?;
    let found: Vec<(u64, u64)> =
        rows(world, call).filter(|agent| filter.matches(agent)).map(|agent| (agent.id, agent.site)).collect();
    let mut targets = Vec::new();
    for (id, site) in found {
        let due = act(world, id);
        targets.push(target(id, Some(site), due.is_some(), due));
    }
    let affected = record(world, call, action, None, targets);
    ok(json!({"affected": affected}))
}
