//! A threat of API 2.1, and the parts that other records share with it, as a `domain` alert.
//!
//! The console freezes `agentDetectionInfo` at detection and joins `agentRealtimeInfo` live; either may be all null. A
//! threat is refused only without an id or any time: one that does not name its endpoint is still a threat, and gets
//! `UNKNOWN_AGENT`, on which nothing is ever isolated automatically.

use domain::alert::{
    Alert, ConsoleState, Detection, Engine, File, Hash, Indicator, Kind, MAX_INDICATORS, Mitigation, MitigationStep,
    Process, Source,
};
use domain::attack::Technique;
use domain::endpoint::Endpoint;
use domain::{AgentId, AlertId, Untrusted};
use jiff::Timestamp;

use crate::row::Row;
use crate::rows::RefusalReason;
use crate::words;

/// Stands where the console names no endpoint.
pub const UNKNOWN_AGENT: &str = "unknown";

const MAX_ADDRESSES: usize = 32;
const MAX_ENGINES: usize = 16;
const MAX_STEPS: usize = 64;
const MAX_TECHNIQUES: usize = 64;

pub(crate) fn threat(row: Row<'_>) -> Result<Alert, RefusalReason> {
    let info = row.row("threatInfo");
    let id = row.text("id").or_else(|| info.text("threatId"));
    let id = alert_id(id.as_deref())?;
    let times = Times::of(info, &["identifiedAt"], "createdAt", "updatedAt")?;
    let engines = engines(info);
    let detection = Detection {
        kind: match words::kind(info.word("detectionType").as_deref()) {
            Kind::Unknown if engines.iter().any(Engine::is_behavioural) => Kind::Behavioural,
            known => known,
        },
        confidence: words::confidence(info.word("confidenceLevel").as_deref()),
        classification: words::classification(info.text("classification").as_deref()),
        initiated_by: words::initiator(info.word("initiatedBy").as_deref()),
        reputation: words::reputation(info.word("cloudFilesHashVerdict").as_deref()),
        engines,
        ..indicators(row.rows("indicators"))
    };
    Ok(Alert {
        name: name(info, &["threatName"], "filePath", &id),
        source: Source::Threat,
        version: times.version,
        detected_at: times.detected,
        created_at: times.created,
        endpoint: endpoint_of_threat(row),
        file: File {
            path: info.untrusted("filePath"),
            size_bytes: info.number("fileSize").filter(|size| *size > 0),
            sha1: hash(info, "sha1"),
            sha256: hash(info, "sha256"),
            md5: hash(info, "md5"),
            signature: words::signature(
                info.word("fileVerificationType").as_deref(),
                info.flag("isValidCertificate"),
                info.untrusted("publisherName"),
            ),
        },
        process: Process {
            user: info.untrusted("processUser"),
            originator: info.untrusted("originatorProcess"),
            command_line: info.untrusted("maliciousProcessArguments"),
        },
        detection,
        mitigation: Mitigation {
            state: words::mitigation_state(info.word("mitigationStatus").as_deref()),
            preemptive: info.flag("mitigatedPreemptively").unwrap_or(false),
            steps: row.rows("mitigationStatus").take(MAX_STEPS).map(step).collect(),
        },
        console: ConsoleState {
            verdict: words::verdict(info.word("analystVerdict").as_deref()),
            status: words::status(info.word("incidentStatus").as_deref()),
        },
        storyline: info.untrusted("storyline"),
        id,
    })
}

/// Detected, recorded, last changed. A record that gives only some of them lends those to the others; none is invented.
pub(crate) struct Times {
    pub(crate) detected: Timestamp,
    pub(crate) created: Timestamp,
    pub(crate) version: Timestamp,
}

impl Times {
    pub(crate) fn of(row: Row<'_>, detected: &[&str], created: &str, updated: &str) -> Result<Self, RefusalReason> {
        let detected = detected.iter().find_map(|path| row.time(path));
        let created = row.time(created);
        let updated = row.time(updated);
        let known = detected.or(created).or(updated).ok_or(RefusalReason::NoTime)?;
        Ok(Self {
            detected: detected.or(created).unwrap_or(known),
            created: created.or(detected).unwrap_or(known),
            // A new threat's change may be stamped some milliseconds before its creation.
            version: updated.or(created).unwrap_or(known),
        })
    }
}

pub(crate) fn alert_id(text: Option<&str>) -> Result<AlertId, RefusalReason> {
    let text = text.ok_or(RefusalReason::NoId)?;
    AlertId::new(text.trim()).map_err(RefusalReason::BadId)
}

pub(crate) fn agent_id(row: Row<'_>, paths: &[&str]) -> AgentId {
    let named = paths.iter().find_map(|path| AgentId::new(row.text(path)?.trim()).ok());
    named.unwrap_or_else(|| {
        // Letters only: always a valid id.
        AgentId::new(UNKNOWN_AGENT).unwrap_or_else(|_| unreachable!("`unknown` is made of letters"))
    })
}

/// The name given, else the file's own name, else the id: an alert always has something to be called by.
pub(crate) fn name(row: Row<'_>, names: &[&str], path: &str, id: &AlertId) -> Untrusted {
    let given = row.first_untrusted(names);
    let file = || {
        let path = row.text(path)?;
        let last = path.rsplit(['\\', '/']).find(|part| !part.is_empty())?;
        Some(Untrusted::new(last))
    };
    given.or_else(file).unwrap_or_else(|| Untrusted::new(id.as_str()))
}

pub(crate) fn hash(row: Row<'_>, path: &str) -> Option<Hash> {
    Hash::parse(row.text(path)?.trim())
}

fn endpoint_of_threat(row: Row<'_>) -> Endpoint {
    let (live, then) = (row.row("agentRealtimeInfo"), row.row("agentDetectionInfo"));
    let either = |in_live: &str, in_then: &str| live.untrusted(in_live).or_else(|| then.untrusted(in_then));
    let v4 = then.texts("agentIpV4").into_iter().chain(interfaces(live, "inet"));
    let v6 = then.texts("agentIpV6").into_iter().chain(interfaces(live, "inet6"));
    Endpoint {
        agent: agent_id(
            row,
            &["agentRealtimeInfo.agentId", "agentRealtimeInfo.agentUuid", "agentDetectionInfo.agentUuid"],
        ),
        name: live.untrusted("agentComputerName").unwrap_or_else(|| Untrusted::new(UNKNOWN_AGENT)),
        domain: either("agentDomain", "agentDomain"),
        os: words::os(live.word("agentOsType").as_deref()),
        os_name: either("agentOsName", "agentOsName"),
        machine: words::machine(live.word("agentMachineType").as_deref()),
        group: either("groupName", "groupName"),
        site: either("siteName", "siteName"),
        last_user: then.untrusted("agentLastLoggedInUserName"),
        addresses: addresses(v4.chain(v6)),
        agent_version: either("agentVersion", "agentVersion"),
        network: words::network(live.word("agentNetworkStatus").as_deref()),
        online: live.flag("agentIsActive"),
    }
}

pub(crate) fn interfaces<'a>(row: Row<'a>, family: &'static str) -> impl Iterator<Item = std::borrow::Cow<'a, str>> {
    row.rows("networkInterfaces").flat_map(move |interface| interface.texts(family))
}

/// In order, each once, bounded.
pub(crate) fn addresses<T: AsRef<str>>(all: impl Iterator<Item = T>) -> Vec<Untrusted> {
    let mut kept = Vec::new();
    for address in all.map(|a| Untrusted::new(a.as_ref().trim())) {
        if kept.len() < MAX_ADDRESSES && !kept.contains(&address) {
            kept.push(address);
        }
    }
    kept
}

/// `detectionEngines` holds objects with key and title, sometimes bare keys; older consoles have only `engines`.
pub(crate) fn engines(info: Row<'_>) -> Vec<Engine> {
    let named = info.rows("detectionEngines").filter_map(|e| e.text("key").or_else(|| e.text("title")));
    let bare = info.texts("detectionEngines").into_iter().chain(info.texts("engines"));
    let mut kept = Vec::new();
    for engine in named.chain(bare).map(|text| words::engine(&text)) {
        if kept.len() < MAX_ENGINES && !kept.contains(&engine) {
            kept.push(engine);
        }
    }
    kept
}

/// The indicator part of a detection; the rest is its default.
fn indicators<'a>(rows: impl Iterator<Item = Row<'a>>) -> Detection {
    let mut detection = Detection::default();
    for row in rows {
        let named = row.rows("tactics").flat_map(|tactic| tactic.rows("techniques"));
        let techniques = techniques(named.filter_map(|t| t.text("name")));
        add_indicator(&mut detection, row.untrusted("category"), row.untrusted("description"), techniques);
    }
    detection
}

pub(crate) fn add_indicator(
    detection: &mut Detection,
    category: Option<Untrusted>,
    description: Option<Untrusted>,
    techniques: Vec<Technique>,
) {
    for technique in &techniques {
        if detection.techniques.len() < MAX_TECHNIQUES && !detection.techniques.contains(technique) {
            detection.techniques.push(*technique);
        }
    }
    let Some(description) = description.or_else(|| category.clone()) else { return };
    if detection.indicators.len() < MAX_INDICATORS {
        detection.indicators.push(Indicator { category, description, techniques });
    } else {
        detection.indicators_left_out = detection.indicators_left_out.saturating_add(1);
    }
}

/// Names such as `T1055.001` or `T1055.001 - Process Injection`; anything else is left to the raw record.
pub(crate) fn techniques<T: AsRef<str>>(names: impl Iterator<Item = T>) -> Vec<Technique> {
    let mut kept: Vec<Technique> = Vec::new();
    for name in names {
        let first =
            name.as_ref().split(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).find(|part| !part.is_empty());
        if let Some(technique) = first.and_then(|id| id.parse().ok())
            && kept.len() < MAX_TECHNIQUES
            && !kept.contains(&technique)
        {
            kept.push(technique);
        }
    }
    kept
}

fn step(row: Row<'_>) -> MitigationStep {
    MitigationStep {
        action: words::mitigation_action(row.word("action").as_deref()),
        outcome: words::mitigation_outcome(row.word("status").as_deref()),
        at: ["lastUpdate", "mitigationEndedAt", "mitigationStartedAt"].iter().find_map(|path| row.time(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::alert::{Classification, Confidence, MitigationOutcome, MitigationState, Signature};
    use serde_json::{Value, json};

    fn read(value: &Value) -> Alert {
        threat(Row(value)).unwrap()
    }

    #[test]
    fn a_threat_with_nothing_but_an_id_and_a_time_is_still_an_alert() {
        let alert = read(&json!({"id": "1", "threatInfo": {"createdAt": "2026-09-18T08:30:00Z"}, "indicators": null,
            "agentRealtimeInfo": null, "mitigationStatus": "nonsense"}));
        assert_eq!(alert.name.for_matching(), "1");
        assert_eq!(alert.endpoint.agent.as_str(), UNKNOWN_AGENT);
        assert_eq!((alert.detected_at, alert.version), (alert.created_at, alert.created_at));
        assert_eq!(alert.detection.classification, Classification::Unknown);
        assert_eq!(alert.mitigation.state, MitigationState::Unknown);
    }

    #[test]
    fn without_an_id_or_any_time_it_is_refused() {
        assert!(matches!(threat(Row(&json!({"threatInfo": {}}))), Err(RefusalReason::NoId)));
        assert!(matches!(threat(Row(&json!({"id": "../x", "threatInfo": {}}))), Err(RefusalReason::BadId(_))));
        let absurd = json!({"id": "1", "threatInfo": {"createdAt": "1970-01-01T00:00:00Z"}});
        assert!(matches!(threat(Row(&absurd)), Err(RefusalReason::NoTime)));
    }

    #[test]
    fn fields_of_the_wrong_type_lose_only_themselves() {
        let alert = read(&json!({"id": 715_718_962_991_148_224_u64, "threatInfo": {
            "createdAt": "2026-09-18T08:30:00Z", "updatedAt": false, "fileSize": "12", "sha1": {}, "engines": "Reputation",
            "detectionEngines": ["pre_execution", {"key": "executables", "title": "Behavioral AI"}, 3, null],
            "confidenceLevel": ["malicious"], "fileVerificationType": "SignedVerified", "publisherName": "Acme\u{202e}"}}));
        assert_eq!(alert.id.as_str(), "715718962991148224");
        assert_eq!(alert.file.size_bytes, Some(12));
        assert_eq!(alert.detection.confidence, Confidence::Unknown);
        assert!(alert.detection.engines.contains(&Engine::Behavioural));
        assert!(alert.detection.engines.contains(&Engine::Reputation));
        assert_eq!(alert.detection.kind, Kind::Behavioural);
        assert!(matches!(alert.file.signature, Signature::Valid { publisher: Some(_) }));
    }

    #[test]
    fn a_thousand_indicators_are_bounded_and_counted_sec_38() {
        let one = json!({"category": "General", "description": "d", "tactics": [{"name": "x", "techniques":
            [{"name": "T1055.001"}, {"name": "T1486 - Data Encrypted for Impact"}, {"name": "none"}]}]});
        let alert = read(&json!({"id": "1", "threatInfo": {"createdAt": "2026-09-18T08:30:00Z"},
            "indicators": vec![one; 1000]}));
        assert_eq!(alert.detection.indicators.len(), MAX_INDICATORS);
        assert_eq!(alert.detection.indicators_left_out, 936);
        assert_eq!(alert.detection.techniques, [Technique::sub(1055, 1), Technique::new(1486)]);
    }

    #[test]
    fn mitigation_steps_carry_the_answers_own_words() {
        let alert = read(&json!({"id": "1", "threatInfo": {"createdAt": "2026-09-18T08:30:00Z"}, "mitigationStatus": [
            {"action": "kill", "status": "success", "lastUpdate": "2026-09-18T08:31:00Z"},
            {"action": "quarantine", "status": "pending-reboot"}, {"action": "dance", "status": "great"}]}));
        let outcomes: Vec<_> = alert.mitigation.steps.iter().map(|s| s.outcome).collect();
        assert_eq!(outcomes, [MitigationOutcome::Success, MitigationOutcome::Pending, MitigationOutcome::Unknown]);
    }
}
