//! An alert written out: the threat's and the endpoint's facts under the names of the unified schema. Severities are
//! our reading of confidence and classification; the console's own rule was not available.

use serde_json::{Value, json};

use super::{Alert, actions};
use crate::digest;
use crate::world::inventory::{category, kind_of};
use crate::world::text;
use crate::world::unified::Extra;

pub(super) const PRODUCT: &str = "EDR";
pub(super) const VENDOR: &str = "SentinelOne";

pub(super) fn write(alert: &Alert<'_>) -> Value {
    let (doc, agent) = (alert.doc, &alert.agent.doc);
    let found = &doc["threatInfo"];
    let asset = asset(alert);
    let scope = |at: &Value| {
        json!({
            "account": {"id": at["accountId"], "name": at["accountName"]}, "site": {"id": at["siteId"], "name": at["siteName"]},
            "group": {"id": at["groupId"], "name": at["groupName"]},
        })
    };
    let seen = &doc["agentDetectionInfo"];
    let (domain, user) = account(text(found, "/processUser"));
    let target = json!({"name": user, "domain": domain, "emailAddress": seen["agentLastLoggedInUserMail"]});
    let engine = &found["detectionEngines"][0];
    let assignee = alert.extra.and_then(|extra| extra.assignee);
    json!({
        "id": alert.uuid, "externalId": doc["id"], "name": found["threatName"],
        "description": description(doc, &alert.agent.host), "severity": severity(doc), "status": status(doc),
        "analystVerdict": Extra::verdict(alert.extra, text(found, "/analystVerdict")),
        "classification": classification(doc), "confidenceLevel": upper(text(found, "/confidenceLevel")),
        "result": result(doc),
        "preemptiveMitigationType": if found["mitigatedPreemptively"] == true { json!("BLOCKED") } else { Value::Null },
        "detectedAt": found["createdAt"], "createdAt": found["createdAt"], "updatedAt": found["updatedAt"],
        "firstSeenAt": found["identifiedAt"], "lastSeenAt": found["updatedAt"], "storylineId": found["storyline"],
        "selfLink": format!("/incidents/unified-alerts/{}", alert.uuid), "ticketId": found["externalTicketId"],
        "noteExists": !alert.stored.notes.is_empty(), "labels": [], "dataSources": [VENDOR], "attackSurfaces": ["ENDPOINT"],
        "detectionSource": {"product": PRODUCT, "vendor": VENDOR, "engine": engine["title"]},
        "analytics": {
            "category": engine["title"], "name": engine["key"], "type": "Engine", "uid": engine["key"],
            "typeValue": upper(text(found, "/detectionType")),
        },
        "asset": asset, "assets": [asset],
        "assignee": assignee.map(|id| json!({"userId": id.to_string(), "email": null, "fullName": alert.assignee})),
        "detectionTime": {
            "scope": {
                "accountId": seen["accountId"], "accountName": seen["accountName"], "siteId": seen["siteId"],
                "siteName": seen["siteName"], "groupId": seen["groupId"], "groupName": seen["groupName"],
            },
            "asset": asset, "assets": [asset], "attacker": null, "cloud": seen["cloudProviders"],
            "kubernetes": doc["kubernetesInfo"], "targetUser": target,
        },
        "realTime": {"scope": scope(agent)},
        "process": {
            "cmdLine": found["maliciousProcessArguments"], "parentName": found["originatorProcess"],
            "username": found["processUser"], "userDomain": domain, "userDisplayName": user,
            "file": {
                "name": found["threatName"], "path": found["filePath"], "size": found["fileSize"], "md5": found["md5"],
                "sha1": found["sha1"], "sha256": found["sha256"], "certSubject": some(&found["publisherName"]),
                "certSerialNumber": null, "certExpiresAt": null, "signatureVerification": found["fileVerificationType"],
            },
        },
        "indicators": indicators(alert), "observables": observables(alert), "rawData": ocsf(alert),
        "aiInvestigation": null, "exclusionHash": found["sha256"], "sloDetails": null,
        "availableActionIds": actions::IDS,
    })
}

pub(super) fn severity(doc: &Value) -> &'static str {
    let found = &doc["threatInfo"];
    match (text(found, "/confidenceLevel"), text(found, "/classification")) {
        (_, "Ransomware") => "CRITICAL",
        (_, "PUA" | "Adware") => "LOW",
        ("malicious", _) => "HIGH",
        ("suspicious", _) => "MEDIUM",
        ("n/a", _) => "INFO",
        _ => "UNKNOWN",
    }
}

pub(super) fn status(doc: &Value) -> &'static str {
    match text(doc, "/threatInfo/incidentStatus") {
        "in_progress" => "IN_PROGRESS",
        "resolved" => "RESOLVED",
        _ => "NEW",
    }
}

pub(super) fn result(doc: &Value) -> &'static str {
    match text(doc, "/threatInfo/mitigationStatus") {
        "mitigated" => "MITIGATED",
        "marked_as_benign" => "BENIGN",
        _ => "UNMITIGATED",
    }
}

pub(super) fn classification(doc: &Value) -> Option<String> {
    upper(text(doc, "/threatInfo/classification"))
}

pub(super) fn description(doc: &Value, host: &str) -> String {
    let found = &doc["threatInfo"];
    format!(
        "{} `{}` ({}) was detected on {host} by {}.",
        text(found, "/classification"),
        text(found, "/threatName"),
        text(found, "/confidenceLevel"),
        text(found, "/detectionEngines/0/title"),
    )
}

/// `Lateral Movement` as the unified schema writes it: `LATERAL_MOVEMENT`. Nothing for an empty text.
pub(super) fn upper(word: &str) -> Option<String> {
    let letters = word.chars().map(|letter| if letter.is_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    (!word.is_empty()).then(|| letters.collect())
}

/// `IN_PROGRESS` as a person reads it: `In progress`. What is no such word stays as it is.
pub(super) fn label(value: &str) -> String {
    let word = value.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    match value.split_at_checked(1) {
        Some((first, rest)) if word => format!("{first}{}", rest.to_lowercase().replace('_', " ")),
        _ => value.to_owned(),
    }
}

/// The notes, oldest first.
pub(super) fn notes(alert: &Alert<'_>) -> Vec<Value> {
    let kind = |id: &str| {
        let kinds = alert.extra.into_iter().flat_map(|extra| &extra.note_types);
        kinds.into_iter().find(|(note, _)| note == id).map_or("PLAIN_TEXT", |(_, kind)| kind.as_str())
    };
    let write = |note: &Value| {
        json!({
            "id": note["id"], "alertId": alert.uuid, "text": note["text"], "type": kind(text(note, "/id")),
            "author": {"userId": note["creatorId"], "email": null, "fullName": note["creator"]},
            "createdAt": note["createdAt"], "updatedAt": note["updatedAt"],
        })
    };
    alert.stored.notes.iter().map(write).collect()
}

fn asset(alert: &Alert<'_>) -> Value {
    let agent = &alert.agent.doc;
    let machine = text(agent, "/machineType");
    json!({
        "id": agent["id"], "name": agent["computerName"], "type": upper(machine),
        "category": category(agent), "subcategory": kind_of(agent),
        "assetTypeClassifier": "ENDPOINT", "osType": upper(text(agent, "/osType")), "osVersion": format!("{} {}", text(agent, "/osName"), text(agent, "/osRevision")),
        "agentUuid": agent["uuid"], "agentVersion": agent["agentVersion"],
        "connectivityToConsole": if alert.agent.online { "ONLINE" } else { "OFFLINE" },
        "status": if agent["isActive"] == true { "ACTIVE" } else { "INACTIVE" }, "primary": true,
        "decommissioned": agent["isDecommissioned"], "deleted": agent["isUninstalled"],
        "pendingReboot": agent["threatRebootRequired"], "lastLoggedInUser": agent["lastLoggedInUserName"],
        "policy": agent["mitigationMode"], "role": agent["groupName"], "origin": "AGENT",
    })
}

fn indicators(alert: &Alert<'_>) -> Vec<Value> {
    let listed = alert.doc["indicators"].as_array().map(Vec::as_slice).unwrap_or_default();
    let write = |(n, indicator): (usize, &Value)| {
        json!({
            "uid": digest::uuid(&format!("indicator {} {n}", alert.id)), "type": indicator["category"],
            "title": indicator["category"], "description": indicator["description"], "message": indicator["description"],
            "eventTime": alert.doc["threatInfo"]["identifiedAt"], "severity": severity(alert.doc), "observables": [],
        })
    };
    listed.iter().enumerate().map(write).collect()
}

fn observables(alert: &Alert<'_>) -> Vec<Value> {
    let found = &alert.doc["threatInfo"];
    let candidates = [
        ("file.hashes.sha1", "HASH", "Hash", &found["sha1"]),
        ("file.hashes.sha256", "HASH", "Hash", &found["sha256"]),
        ("file.hashes.md5", "HASH", "Hash", &found["md5"]),
        ("file.name", "FILE_NAME", "File Name", &found["threatName"]),
        ("process.cmd_line", "COMMAND_LINE", "Command Line", &found["maliciousProcessArguments"]),
        ("actor.user.name", "USER_NAME", "User Name", &found["processUser"]),
        ("device.hostname", "HOSTNAME", "Hostname", &alert.agent.doc["computerName"]),
    ];
    let told = candidates.into_iter().filter(|(.., value)| value.as_str().is_some_and(|value| !value.is_empty()));
    told.map(|(name, kind, title, value)| json!({"name": name, "type": kind, "typeName": title, "value": value}))
        .collect()
}

/// The alert as an OCSF detection finding.
fn ocsf(alert: &Alert<'_>) -> Value {
    let found = &alert.doc["threatInfo"];
    let severity = match severity(alert.doc) {
        "CRITICAL" => 5,
        "HIGH" => 4,
        "MEDIUM" => 3,
        "LOW" => 2,
        "INFO" => 1,
        _ => 0,
    };
    json!({
        "category_uid": 2, "class_uid": 2004, "class_name": "Detection Finding", "activity_id": 1, "type_uid": 200_401,
        "severity_id": severity, "time": crate::clock::parse(text(found, "/createdAt")).map(jiff::Timestamp::as_millisecond),
        "metadata": {"version": "1.1.0", "product": {"name": PRODUCT, "vendor_name": VENDOR}, "uid": alert.uuid},
        "finding_info": {"uid": alert.doc["id"], "title": found["threatName"], "types": [found["classification"]]},
        "device": {"hostname": alert.agent.doc["computerName"], "uid": alert.agent.doc["uuid"], "os": {"name": alert.agent.doc["osName"]}},
        "evidences": [{"process": {"cmd_line": found["maliciousProcessArguments"], "file": {"path": found["filePath"], "name": found["threatName"]}}}],
    })
}

fn account(user: &str) -> (Option<&str>, &str) {
    user.split_once('\\').map_or((None, user), |(domain, name)| (Some(domain), name))
}

fn some(value: &Value) -> Value {
    if value == "" { Value::Null } else { value.clone() }
}
