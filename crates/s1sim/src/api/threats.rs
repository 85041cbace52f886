//! `/threats`: the list with its filters, and everything that can be done to what a filter finds.

use serde_json::{Value, json};

use super::{Answer, Call, Reply, ok, paged, record};
use crate::filter::Kind::{Among, Bool, Contains, Equal, Exists, Find, Ids, Nothing, OneOf, Time, Unplayed};
use crate::filter::{Field, Filter, Row, field};
use crate::ledger::Target;
use crate::page::{self, Shape};
use crate::refusal::Refusal;
use crate::token::Need;
use crate::world::respond::{Mitigation, Ordered};
use crate::world::{Agent, Stored, World, text};

const VERDICTS: &[&str] = &["undefined", "true_positive", "false_positive", "suspicious"];
const INCIDENTS: &[&str] = &["unresolved", "in_progress", "resolved"];
const MITIGATIONS: &[&str] = &["not_mitigated", "mitigated", "marked_as_benign"];
const CONFIDENCES: &[&str] = &["malicious", "suspicious", "n/a"];
const OS_TYPES: &[&str] = &["windows", "windows_legacy", "linux", "macos"];
const SOURCES: &[&str] = &["Cloud", "Behavioral", "Static", "Engine"];
const INITIATORS: &[&str] = &[
    "agent_policy",
    "full_disk_scan",
    "sentinelctl",
    "dv_command",
    "console_api",
    "on_demand_scan",
    "star_active",
    "star_manual",
    "cloud_detection",
    "threat_intelligence",
    "watchtower_cloud_detection",
    "multiple",
];
const MACHINES: &[&str] =
    &["unknown", "desktop", "laptop", "server", "kubernetes node", "storage", "kubernetes pod", "ecs task"];

/// Places beginning with `@` are members of the agent as it is now.
#[rustfmt::skip]
pub(super) const FILTERS: &[Field] = &[
    field("ids", Ids, &["/id"]),
    field("agentIds", Ids, &["@/id"]),
    field("siteIds", Ids, &["@/siteId"]),
    field("accountIds", Ids, &["@/accountId"]),
    field("groupIds", Ids, &["@/groupId"]),
    field("collectionIds", Ids, &["/threatInfo/collectionId"]),
    field("contentHashes", OneOf, &["/threatInfo/sha1", "/threatInfo/sha256", "/threatInfo/md5"]),
    field("contentHash", Contains, &["/threatInfo/sha1", "/threatInfo/sha256", "/threatInfo/md5"]),
    field("storylines", OneOf, &["/threatInfo/storyline"]),
    field("storyline", Contains, &["/threatInfo/storyline"]),
    field("displayName", Equal, &["/threatInfo/threatName"]),
    field("query", Find, &["/threatInfo/threatName", "/threatInfo/filePath", "/threatInfo/sha1", "/threatInfo/sha256", "/threatInfo/storyline", "/threatInfo/maliciousProcessArguments", "/threatInfo/processUser", "@/computerName", "@/uuid"]),
    field("createdAt", Time, &["/threatInfo/createdAt"]),
    field("updatedAt", Time, &["/threatInfo/updatedAt"]),
    field("incidentStatuses", Among(INCIDENTS), &["/threatInfo/incidentStatus"]),
    field("analystVerdicts", Among(VERDICTS), &["/threatInfo/analystVerdict"]),
    field("mitigationStatuses", Among(MITIGATIONS), &["/threatInfo/mitigationStatus"]),
    field("confidenceLevels", Among(CONFIDENCES), &["/threatInfo/confidenceLevel"]),
    field("classifications", OneOf, &["/threatInfo/classification"]),
    field("classificationSources", Among(SOURCES), &["/threatInfo/classificationSource"]),
    field("initiatedBy", Among(INITIATORS), &["/threatInfo/initiatedBy"]),
    field("engines", OneOf, &["/threatInfo/detectionEngines"]),
    field("detectionEngines", OneOf, &["/threatInfo/detectionEngines"]),
    field("osTypes", Among(OS_TYPES), &["@/osType"]),
    field("osNames", OneOf, &["@/osName"]),
    field("osArchs", OneOf, &["@/osArch"]),
    field("agentVersions", OneOf, &["@/agentVersion"]),
    field("agentMachineTypes", Among(MACHINES), &["@/machineType"]),
    field("agentIsActive", Bool, &["@/isActive"]),
    field("hasAgentTags", Bool, &["@/hasTags"]),
    field("rebootRequired", Bool, &["/threatInfo/rebootRequired"]),
    field("pendingActions", Bool, &["/threatInfo/pendingActions"]),
    field("failedActions", Bool, &["/threatInfo/failedActions"]),
    field("mitigatedPreemptively", Bool, &["/threatInfo/mitigatedPreemptively"]),
    field("externalTicketExists", Bool, &["/threatInfo/externalTicketExists"]),
    field("externalTicketIds", OneOf, &["/threatInfo/externalTicketId"]),
    field("externalTicketId", Contains, &["/threatInfo/externalTicketId"]),
    field("noteExists", Exists, &["#notes"]),
    field("resolved", Bool, &["#resolved"]),
    field("computerName", Contains, &["@/computerName"]),
    field("uuid", Contains, &["@/uuid"]),
    field("filePath", Contains, &["/threatInfo/filePath"]),
    field("threatDetails", Contains, &["/threatInfo/threatName"]),
    field("commandLineArguments", Contains, &["/threatInfo/maliciousProcessArguments"]),
    field("originatedProcess", Contains, &["/threatInfo/originatorProcess"]),
    field("publisherName", Contains, &["/threatInfo/publisherName"]),
    field("initiatedByUsername", Contains, &["/threatInfo/initiatingUsername"]),
    field("realtimeAgentVersion", Contains, &["@/agentVersion"]),
    field("detectionAgentVersion", Contains, &["/agentDetectionInfo/agentVersion"]),
    field("detectionAgentDomain", Contains, &["/agentDetectionInfo/agentDomain"]),
    field("containerName", Contains, &["/containerInfo/name"]),
    field("containerImageName", Contains, &["/containerInfo/image"]),
    field("containerLabels", Contains, &["/containerInfo/labels"]),
    field("k8sClusterName", Contains, &["/kubernetesInfo/cluster"]),
    field("k8sControllerName", Contains, &["/kubernetesInfo/controllerName"]),
    field("k8sControllerLabels", Contains, &["/kubernetesInfo/controllerLabels"]),
    field("k8sNamespaceName", Contains, &["/kubernetesInfo/namespace"]),
    field("k8sNamespaceLabels", Contains, &["/kubernetesInfo/namespaceLabels"]),
    field("k8sNodeName", Contains, &["/kubernetesInfo/node"]),
    field("k8sNodeLabels", Contains, &["/kubernetesInfo/nodeLabels"]),
    field("k8sPodName", Contains, &["/kubernetesInfo/pod"]),
    field("k8sPodLabels", Contains, &["/kubernetesInfo/podLabels"]),
    field("countsFor", Unplayed, &[]),
    field("agentTagsData", Nothing, &[]),
    field("awsRole", Nothing, &[]),
    field("awsSecurityGroups", Nothing, &[]),
    field("awsSubnetIds", Nothing, &[]),
    field("azureResourceGroup", Nothing, &[]),
    field("gcpServiceAccount", Nothing, &[]),
    field("cloudAccount", Nothing, &[]),
    field("cloudImage", Nothing, &[]),
    field("cloudInstanceId", Nothing, &[]),
    field("cloudInstanceSize", Nothing, &[]),
    field("cloudLocation", Nothing, &[]),
    field("cloudNetwork", Nothing, &[]),
    field("cloudProvider", Nothing, &[]),
];

const SHAPE: Shape = Shape {
    max_limit: 1000,
    max_skip: page::MAX_SKIP,
    sorts: &[
        ("id", "/id"),
        ("createdAt", "/threatInfo/createdAt"),
        ("createdDate", "/threatInfo/createdAt"),
        ("updatedAt", "/threatInfo/updatedAt"),
        ("mitigationStatus", "/threatInfo/mitigationStatus"),
        ("fileDisplayName", "/threatInfo/threatName"),
        ("filePath", "/threatInfo/filePath"),
        ("contentHash", "/threatInfo/sha1"),
        ("collectionId", "/threatInfo/collectionId"),
        ("classification", "/threatInfo/classification"),
        ("agentVersion", "@/agentVersion"),
        ("agentMachineType", "@/machineType"),
        ("agentComputerName", "@/computerName"),
        ("siteId", "@/siteId"),
        ("siteName", "@/siteName"),
    ],
};

struct ThreatRow<'a> {
    stored: &'a Stored,
    doc: &'a Value,
    agent: &'a Agent,
}

impl Row for ThreatRow<'_> {
    fn at(&self, pointer: &str) -> Option<&Value> {
        match pointer {
            "#notes" => self.stored.notes.first(),
            "#resolved" => {
                Some(if text(self.doc, "/threatInfo/incidentStatus") == "resolved" { &TRUE } else { &FALSE })
            }
            _ => match pointer.strip_prefix('@') {
                Some(pointer) => self.agent.doc.pointer(pointer),
                None => self.doc.pointer(pointer),
            },
        }
    }
}

static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);

/// The threats a token sees now.
fn rows<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = ThreatRow<'a>> {
    world.threats.values().filter_map(|stored| {
        let doc = stored.visible(call.now).filter(|_| call.token.scope.sees(stored.account, stored.site))?;
        Some(ThreatRow { stored, doc, agent: world.agents.get(&stored.agent)? })
    })
}

pub(super) fn list(world: &World, call: &Call) -> Answer {
    let filter = Filter::parse(&call.params, FILTERS)?;
    let page = page::cut(rows(world, call), &filter, &call.params, &SHAPE, call.strike.twice)?;
    paged(page, |row| world.join(row.stored, row.doc))
}

/// The ids of the threats that the body's filter finds. An empty filter finds everything in scope.
fn found(world: &World, call: &Call) -> Result<Vec<u64>, Refusal> {
    call.filter_given()?;
    let filter = Filter::parse(&call.params, FILTERS)?;
    let matching = rows(world, call).filter(|row| filter.matches(row));
    Ok(matching.filter_map(|row| text(row.doc, "/id").parse().ok()).collect())
}

pub(super) fn mitigate(world: &mut World, call: &Call, verb: &str) -> Answer {
    call.need(Need::Act)?;
    let Some(action) = Mitigation::from_verb(verb) else {
        return Err(Refusal::Invalid(format!("action: `{verb}` is not a mitigation this console can do")));
    };
    let mut details = Vec::new();
    let mut targets = Vec::new();
    for id in found(world, call)? {
        let (reports, skipped, due) = match world.mitigate(id, action, call.strike.action_fails, call.now) {
            Some(Ordered::Queued(report, due)) => (vec![report], vec![], Some(due)),
            Some(Ordered::Skipped(reason)) => (vec![], vec![reason], None),
            None => continue,
        };
        details.push(json!({"threatId": id.to_string(), "reports": reports, "skipped": skipped}));
        targets.push(target(world, id, due.is_some(), due));
    }
    let affected = record(world, call, verb, None, targets);
    ok(json!({"affected": affected, "details": details}))
}

pub(super) fn set_verdict(world: &mut World, call: &Call) -> Answer {
    call.need(Need::Write)?;
    let verdict = one_of(call, "analystVerdict", VERDICTS)?;
    let mut details = Vec::new();
    let mut targets = Vec::new();
    for id in found(world, call)? {
        let result = if call.strike.conditions_not_met {
            "conditions_not_met"
        } else {
            world.set_verdict(id, verdict, &call.token, call.now)
        };
        details.push(json!({"threatId": id.to_string(), "result": result}));
        targets.push(target(world, id, result == "updated", None));
    }
    let affected = record(world, call, "analyst-verdict", Some(verdict), targets);
    ok(json!({"affected": affected, "details": details}))
}

pub(super) fn set_incident(world: &mut World, call: &Call) -> Answer {
    call.need(Need::Write)?;
    let status = one_of(call, "incidentStatus", INCIDENTS)?;
    let verdict = match call.body.pointer("/data/analystVerdict") {
        None | Some(Value::Null) => None,
        Some(_) => Some(one_of(call, "analystVerdict", VERDICTS)?),
    };
    let mut details = Vec::new();
    let mut targets = Vec::new();
    for id in found(world, call)? {
        let (result, judged) = if call.strike.conditions_not_met {
            ("conditions_not_met", "conditions_not_met")
        } else {
            let judged = verdict.map_or("not_changed", |verdict| world.set_verdict(id, verdict, &call.token, call.now));
            (world.set_incident(id, status, &call.token, call.now), judged)
        };
        details.push(json!({"threatId": id.to_string(), "result": result, "analystVerdict": judged}));
        targets.push(target(world, id, result == "updated" || judged == "updated", None));
    }
    let value = verdict.map_or(status.to_owned(), |verdict| format!("{status}, {verdict}"));
    let affected = record(world, call, "incident", Some(&value), targets);
    ok(json!({"affected": affected, "details": details}))
}

pub(super) fn add_notes(world: &mut World, call: &Call) -> Answer {
    call.need(Need::Write)?;
    let words = call.data("text")?;
    if !(2..=10_000).contains(&words.chars().count()) {
        return Err(Refusal::Invalid("data.text: length must be between 2 and 10000".to_owned()));
    }
    let mut targets = Vec::new();
    for id in found(world, call)? {
        world.add_note(id, words, &call.token, call.now);
        targets.push(target(world, id, true, None));
    }
    let affected = record(world, call, "note", Some(words), targets);
    ok(json!({"affected": affected}))
}

pub(super) fn set_ticket(world: &mut World, call: &Call) -> Answer {
    call.need(Need::Write)?;
    let ticket = call.data("externalTicketId")?;
    let mut targets = Vec::new();
    for id in found(world, call)? {
        world.set_ticket(id, ticket, call.now);
        targets.push(target(world, id, true, None));
    }
    let affected = record(world, call, "external-ticket-id", Some(ticket), targets);
    ok(json!({"affected": affected}))
}

impl Row for &Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.pointer(pointer)
    }
}

pub(super) fn notes(world: &World, call: &Call, id: &str) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: page::MAX_SKIP,
        sorts: &[("id", "/id"), ("createdAt", "/createdAt"), ("updatedAt", "/updatedAt")],
    };
    const FILTERS: &[Field] = &[field("creatorId", Ids, &["/creatorId"]), field("creator", Contains, &["/creator"])];
    let stored = one(world, call, id)?;
    let filter = Filter::parse(&call.params, FILTERS)?;
    paged(page::cut(stored.notes.iter(), &filter, &call.params, &SHAPE, call.strike.twice)?, Clone::clone)
}

pub(super) fn timeline(world: &World, call: &Call, id: &str) -> Answer {
    const SHAPE: Shape = Shape {
        max_limit: 1000,
        max_skip: page::MAX_SKIP,
        sorts: &[
            ("id", "/id"),
            ("createdAt", "/createdAt"),
            ("activityType", "/activityType"),
            ("hash", "/hash"),
            ("primaryDescription", "/primaryDescription"),
            ("secondaryDescription", "/secondaryDescription"),
        ],
    };
    const FILTERS: &[Field] = &[
        field("activityTypes", OneOf, &["/activityType"]),
        field("query", Find, &["/primaryDescription", "/secondaryDescription"]),
    ];
    one(world, call, id)?;
    let filter = Filter::parse(&call.params, FILTERS)?;
    let about = world.activities.iter().map(|activity| &activity.doc).filter(|doc| text(doc, "/threatId") == id);
    paged(page::cut(about, &filter, &call.params, &SHAPE, call.strike.twice)?, Clone::clone)
}

/// The report that `mitigationStatus[].latestReport` points at.
pub(super) fn mitigation_report(world: &World, call: &Call, report: &str) -> Answer {
    for row in rows(world, call) {
        let entries = row.doc["mitigationStatus"].as_array().into_iter().flatten();
        if let Some(entry) = entries.into_iter().find(|entry| text(entry, "/reportId") == report) {
            let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let line = ["/action", "/status", "/lastUpdate"].map(|at| cell(text(entry, at))).join(",");
            let path = cell(text(row.doc, "/threatInfo/filePath"));
            return Ok(Reply::Csv(format!("Action,Status,Time,Path\r\n{line},{path}\r\n")));
        }
    }
    Err(Refusal::NotFound(format!("no mitigation report {report}")))
}

pub(super) fn one<'a>(world: &'a World, call: &'a Call, id: &str) -> Result<&'a Stored, Refusal> {
    let found = rows(world, call).find(|row| text(row.doc, "/id") == id);
    found.map(|row| row.stored).ok_or_else(|| Refusal::NotFound(format!("no threat {id}")))
}

fn one_of<'a>(call: &'a Call, member: &str, allowed: &[&str]) -> Result<&'a str, Refusal> {
    let value = call.data(member)?;
    if allowed.contains(&value) {
        return Ok(value);
    }
    Err(Refusal::Invalid(format!("data.{member}: `{value}` is not one of {}", allowed.join(", "))))
}

fn target(world: &World, id: u64, effective: bool, due_at: Option<jiff::Timestamp>) -> Target {
    let site = world.threats.get(&id).map(|stored| stored.site);
    super::target(id, site, effective, due_at)
}
