//! Threats coming up: from a builder to the object the console shows, the ledger row and the activity that go with
//! it, later changes, and the join with the live agent when somebody reads it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::activity::About;
use super::{Agent, MAX_THREATS, Shown, Stored, World, info, put, text};
use crate::clock::{later, print};
use crate::digest;
use crate::fault::RaiseFault;
use crate::fleet::{Host, Role};
use crate::ledger::Raised;
use crate::threat::{Change, Outcome, Threat};

/// Why a threat could not be raised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRaised {
    #[error("no site `{0}`")]
    NoSite(String),
    #[error("the console is full: it holds {MAX_THREATS} threats")]
    Full,
}

impl World {
    /// Raises a threat on a host of the site. A host the site does not have yet is enrolled as a desktop.
    pub(crate) fn raise(&mut self, site: u64, threat: &Threat, at: Timestamp) -> Result<u64, NotRaised> {
        if self.site(site).is_none() {
            return Err(NotRaised::NoSite(site.to_string()));
        }
        if self.threats.len() >= MAX_THREATS {
            return Err(NotRaised::Full);
        }
        let agent = match self.find_agent(site, &threat.host) {
            Some(agent) => agent.id,
            None => self.enrol(site, &Host::new(&threat.host, Role::Desktop, "user"), at),
        };
        let id = self.ids.mint(at);
        let doc = self.compose(id, agent, threat, at);
        self.store(id, agent, doc, threat.scenario.as_deref(), at);
        if let Some(stored) = self.threats.get_mut(&id) {
            stored.story.clone_from(&threat.story);
        }
        Ok(id)
    }

    /// Keeps a finished threat object and tells ledger, agent and activity log.
    pub(crate) fn store(&mut self, id: u64, agent: u64, doc: Value, scenario: Option<&str>, at: Timestamp) {
        let Some(Agent { site, account, host, .. }) = self.agents.get(&agent) else { return };
        let (site, account, host) = (*site, *account, host.clone());
        let key = self.site(site).map(|site| site.key.clone()).unwrap_or_default();
        let shown = match self.faults.on_raise(&key, scenario, true) {
            Some(RaiseFault::Drop) => Shown::Later(Timestamp::MAX, None),
            Some(RaiseFault::Late(by)) => Shown::Later(later(at, by), None),
            None => Shown::Now,
        };
        let visible_at = match &shown {
            Shown::Now => Some(at),
            Shown::Later(until, _) => (*until < Timestamp::MAX).then_some(*until),
        };
        self.ledger.raised.push(Raised {
            threat_id: id.to_string(),
            site_id: site.to_string(),
            site: key,
            agent_id: agent.to_string(),
            host,
            scenario: scenario.map(str::to_owned),
            at,
            visible_at,
        });
        let preempted = doc.pointer("/threatInfo/mitigatedPreemptively") == Some(&json!(true));
        let kind = match (text(&doc, "/threatInfo/mitigationStatus"), text(&doc, "/threatInfo/confidenceLevel")) {
            _ if preempted => 20,
            ("mitigated", _) => 18,
            (_, "suspicious") => 4003,
            _ => 19,
        };
        if let Shown::Later(until, _) = shown
            && until < Timestamp::MAX
        {
            self.plan(until, super::Effect::Shown { site });
        }
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.threats.push(id);
        }
        self.threats.insert(id, Stored { agent, site, account, doc, notes: Vec::new(), shown, story: None });
        *self.news.entry(site).or_default() += 1;
        self.recount(agent, at);
        // Whoever hides a threat hides what the log says about it, too.
        if visible_at.is_some() {
            self.log(kind, &About { threat: Some(id), ..About::default() }, at);
        }
    }

    /// More becomes known about a threat.
    pub(crate) fn change(&mut self, id: u64, change: &Change, at: Timestamp) {
        let Some(stored) = self.threats.get_mut(&id) else { return };
        let before = stored.doc.clone();
        if let Some(found) = info(&mut stored.doc) {
            found.extend(change.info.clone());
        }
        if let Some(Value::Array(indicators)) = stored.doc.get_mut("indicators") {
            indicators.extend(change.indicators.iter().cloned());
        }
        let site = stored.site;
        let agent = stored.agent;
        self.touch(id, at);
        let key = self.site(site).map(|site| site.key.clone()).unwrap_or_default();
        if let Some(RaiseFault::Late(by)) = self.faults.on_raise(&key, None, false)
            && let Some(stored) = self.threats.get_mut(&id)
            && !matches!(stored.shown, Shown::Later(until, _) if until > at)
        {
            stored.shown = Shown::Later(later(at, by), Some(Box::new(before)));
            self.plan(later(at, by), super::Effect::Shown { site });
        }
        self.recount(agent, at);
    }

    pub(crate) fn touch(&mut self, id: u64, at: Timestamp) {
        let Some(stored) = self.threats.get_mut(&id) else { return };
        *self.news.entry(stored.site).or_default() += 1;
        if let Some(found) = info(&mut stored.doc) {
            found.insert("updatedAt".to_owned(), print(at).into());
        }
    }

    /// Counts an agent's open threats again.
    pub(crate) fn recount(&mut self, agent: u64, at: Timestamp) {
        let Some(agent) = self.agents.get_mut(&agent) else { return };
        let open = |stored: &&Stored| {
            text(&stored.doc, "/threatInfo/mitigationStatus") == "not_mitigated"
                && text(&stored.doc, "/threatInfo/incidentStatus") != "resolved"
        };
        let count = agent.threats.iter().filter_map(|id| self.threats.get(id)).filter(open).count();
        if agent.doc["activeThreats"] != json!(count) {
            put(&mut agent.doc, "activeThreats", count);
            put(&mut agent.doc, "infected", count > 0);
            put(&mut agent.doc, "updatedAt", print(at));
        }
    }

    /// A threat with the agent's present state joined in, as lists show it.
    pub(crate) fn join(&self, stored: &Stored, doc: &Value) -> Value {
        let mut whole = doc.clone();
        if let Some(agent) = self.agents.get(&stored.agent) {
            put(&mut whole, "agentRealtimeInfo", realtime(&agent.doc));
        }
        whole
    }

    /// Writes the threat object. The console stamps `updatedAt` a few milliseconds before `createdAt`, and the agent
    /// saw the thing a little earlier still.
    fn compose(&mut self, id: u64, agent: u64, threat: &Threat, at: Timestamp) -> Value {
        let Some(agent) = self.agents.get(&agent) else { return Value::Null };
        let sha1 = threat.info.get("sha1").and_then(Value::as_str).unwrap_or_default().to_owned();
        let collection = match self.collections.get(&(agent.account, sha1.clone())) {
            Some(known) => *known,
            None => {
                let fresh = self.ids.mint(at);
                self.collections.insert((agent.account, sha1), fresh);
                fresh
            }
        };
        let millis = |by: u64| Duration::from_millis(by);
        let updated = at.checked_sub(millis(2 + id % 7)).unwrap_or(at);
        let identified = at.checked_sub(millis(60 + id % 900)).unwrap_or(at);
        let dynamic = threat.info.get("detectionType").and_then(Value::as_str) == Some("dynamic");
        let mitigated = threat.outcome != Outcome::NotMitigated;
        let storyline = match &threat.storyline {
            Some(label) => format!("{}/{label}", agent.id),
            None => id.to_string(),
        };
        let sees = &agent.doc;

        let mut found = json!({
            "threatId": id.to_string(), "collectionId": collection.to_string(),
            "storyline": digest::storyline(&storyline),
            "incidentStatus": "unresolved", "incidentStatusDescription": "Unresolved",
            "analystVerdict": "undefined", "analystVerdictDescription": "Undefined",
            "mitigationStatus": if mitigated { "mitigated" } else { "not_mitigated" },
            "mitigationStatusDescription": if mitigated { "Mitigated" } else { "Not mitigated" },
            "mitigatedPreemptively": threat.outcome == Outcome::Blocked,
            "createdAt": print(at), "updatedAt": print(updated), "identifiedAt": print(identified),
            "processUser": agent.user, "originatorProcess": null, "maliciousProcessArguments": null,
            "publisherName": "", "certificateId": "", "isValidCertificate": false, "initiatingUserId": null,
            "initiatingUsername": null, "browserType": null, "macroModules": null, "automaticallyResolved": false,
            "pendingActions": false, "failedActions": false, "rebootRequired": false, "reachedEventsLimit": false,
            "externalTicketExists": false, "externalTicketId": null, "rootProcessUpn": null,
        });
        for (member, value) in &threat.info {
            put(&mut found, member, named(value, agent.user.rsplit('\\').next().unwrap_or_default()));
        }
        let initiator = text(&found, "/initiatedBy").to_owned();
        put(&mut found, "initiatedByDescription", title(&initiator));

        let done: &[&str] = match threat.outcome {
            Outcome::NotMitigated => &[],
            Outcome::Mitigated => &["kill", "quarantine"],
            Outcome::Quarantined => &["quarantine"],
            Outcome::Blocked => &["kill"],
        };
        let mitigations: Vec<Value> = done.iter().map(|action| finished(action, "success", id, at, at)).collect();
        let inet: Vec<&str> = addresses(sees, "inet");
        let inet6: Vec<&str> = addresses(sees, "inet6");
        let mut doc = json!({
            "id": id.to_string(), "threatInfo": found, "indicators": threat.indicators, "mitigationStatus": mitigations,
            "agentDetectionInfo": {
                "accountId": sees["accountId"], "accountName": sees["accountName"], "siteId": sees["siteId"],
                "siteName": sees["siteName"], "groupId": sees["groupId"], "groupName": sees["groupName"],
                "agentUuid": sees["uuid"], "agentVersion": sees["agentVersion"], "assetVersion": null,
                "agentDomain": sees["domain"], "agentOsName": sees["osName"], "agentOsRevision": sees["osRevision"],
                "agentMitigationMode": sees["mitigationMode"], "agentDetectionState": null,
                "agentRegisteredAt": sees["registeredAt"], "agentIpV4": inet.join(","), "agentIpV6": inet6.join(","),
                "externalIp": sees["externalIp"], "agentLastLoggedInUserName": sees["lastLoggedInUserName"],
                "agentLastLoggedInUpn": null, "agentLastLoggedInUserMail": null, "cloudProviders": {},
            },
            "kubernetesInfo": {
                "cluster": null, "controllerKind": null, "controllerLabels": null, "controllerName": null,
                "isContainerQuarantine": null, "namespace": null, "namespaceLabels": null, "node": null,
                "nodeLabels": null, "pod": null, "podLabels": null,
            },
            "containerInfo": {"id": null, "image": null, "isContainerQuarantine": null, "labels": null, "name": null},
            "ecsInfo": null,
            "whiteningOptions": if dynamic { json!(["hash", "path"]) } else { json!(["hash"]) },
        });
        for (pointer, value) in &threat.overrides {
            set(&mut doc, pointer, value.clone());
        }
        if let Some(patch) = &threat.patch {
            merge(&mut doc, patch);
        }
        // Whatever was overridden, a threat is found under its own id and has a `threatInfo`.
        put(&mut doc, "id", id.to_string());
        if !doc["threatInfo"].is_object() {
            put(&mut doc, "threatInfo", json!({}));
        }
        set(&mut doc, "/threatInfo/threatId", id.to_string().into());
        doc
    }
}

/// One finished entry of `mitigationStatus`.
pub(super) fn finished(action: &str, status: &str, report: u64, started: Timestamp, ended: Timestamp) -> Value {
    let failed = usize::from(status != "success");
    json!({
        "action": action, "status": status, "agentSupportsReport": true, "groupNotFound": false,
        "actionsCounters": {"total": 1, "success": 1 - failed, "failed": failed, "pendingReboot": 0, "notFound": 0},
        "lastUpdate": print(ended), "latestReport": format!("/threats/mitigation-report/{report}"),
        "reportId": report.to_string(), "mitigationStartedAt": print(started), "mitigationEndedAt": print(ended),
    })
}

/// The members of `agentRealtimeInfo`, from the agent as it is now.
fn realtime(agent: &Value) -> Value {
    let interfaces = agent["networkInterfaces"].as_array().map(|list| {
        let keep = |interface: &Value| {
            json!({"id": interface["id"], "name": interface["name"], "physical": interface["physical"], "inet": interface["inet"], "inet6": interface["inet6"]})
        };
        list.iter().map(keep).collect::<Vec<_>>()
    });
    json!({
        "accountId": agent["accountId"], "accountName": agent["accountName"], "siteId": agent["siteId"],
        "siteName": agent["siteName"], "groupId": agent["groupId"], "groupName": agent["groupName"],
        "agentId": agent["id"], "agentUuid": agent["uuid"], "agentComputerName": agent["computerName"],
        "agentDomain": agent["domain"], "agentVersion": agent["agentVersion"], "agentOsName": agent["osName"],
        "agentOsRevision": agent["osRevision"], "agentOsType": agent["osType"], "agentMachineType": agent["machineType"],
        "agentInfected": agent["infected"], "agentIsActive": agent["isActive"],
        "agentIsDecommissioned": agent["isDecommissioned"], "agentDecommissionedAt": null,
        "agentNetworkStatus": agent["networkStatus"], "agentMitigationMode": agent["mitigationMode"],
        "activeThreats": agent["activeThreats"], "networkInterfaces": interfaces,
        "operationalState": agent["operationalState"], "rebootRequired": agent["threatRebootRequired"],
        "scanStatus": agent["scanStatus"], "scanStartedAt": agent["scanStartedAt"],
        "scanFinishedAt": agent["scanFinishedAt"], "scanAbortedAt": agent["scanAbortedAt"], "storageName": null,
        "storageType": null, "userActionsNeeded": agent["userActionsNeeded"],
    })
}

fn addresses<'a>(agent: &'a Value, member: &str) -> Vec<&'a str> {
    let interfaces = agent["networkInterfaces"].as_array().into_iter().flatten();
    interfaces
        .flat_map(|interface| interface[member].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect()
}

/// Puts the host's user where a text says `{user}`.
fn named(value: &Value, user: &str) -> Value {
    match value {
        Value::String(text) => Value::from(text.replace("{user}", user)),
        other => other.clone(),
    }
}

/// `agent_policy` as the console writes it out: `Agent Policy`.
pub(crate) fn title(word: &str) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_uppercase() + rest
    };
    word.split('_').map(capital).collect::<Vec<_>>().join(" ")
}

/// Sets a value by JSON pointer, making the last member if its object exists.
pub(crate) fn set(doc: &mut Value, pointer: &str, value: Value) {
    if let Some(slot) = doc.pointer_mut(pointer) {
        *slot = value;
    } else if let Some((parent, member)) = pointer.rsplit_once('/')
        && let Some(parent) = doc.pointer_mut(parent)
    {
        put(parent, member, value);
    }
}

/// Merges by RFC 7386, but an object is never replaced by something else and nothing is removed.
fn merge(doc: &mut Value, patch: &Value) {
    for (member, value) in patch.as_object().into_iter().flatten() {
        match doc.get_mut(member) {
            Some(inner) if inner.is_object() && value.is_object() => merge(inner, value),
            Some(inner) if inner.is_object() => {}
            _ => put(doc, member, value.clone()),
        }
    }
}
