//! What an endpoint recorded, as the console tells it: the events of one threat, and of Deep Visibility.
//!
//! The same flat record serves both; keys are missing, null, or of another type at will (`row`). A record is refused only when
//! it is another customer's or another endpoint's.

use std::net::IpAddr;

use domain::alert::Signature;
use domain::telemetry::{
    Direction, FileChange, Hashes, LogOn, Network, Parent, Process, Record, RegistryChange, TaskChange, What,
};
use domain::{AgentId, Untrusted};
use serde_json::Value;

use crate::console::Scope;
use crate::convert;
use crate::row::{Row, word};
use crate::rows::RefusalReason;
use crate::words;

/// A record and the console's own form of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordTaken {
    pub record: Record,
    pub raw: Value,
}

/// Reads one event of an endpoint that is known to be the customer's. Recorded answers often do not name the site: then the
/// endpoint decides.
pub(crate) fn record(raw: Value, scope: &Scope, agent: &AgentId) -> Result<RecordTaken, (RefusalReason, Value)> {
    let row = Row(&raw);
    if row.text("siteId").is_some()
        && let Err(foreign) = scope.check(row, &[""])
    {
        return Err((RefusalReason::Foreign(foreign), raw));
    }
    if row.text("agentId").is_some_and(|id| id.trim() != agent.as_str()) {
        return Err((RefusalReason::NotAsked, raw));
    }
    let Some(id) = row.untrusted("id") else { return Err((RefusalReason::NoId, raw)) };
    let (process, what) = happened(row);
    let record = Record {
        id,
        at: row.time("eventTime").or_else(|| row.time("createdAt")),
        agent: agent.clone(),
        host: row.first_untrusted(&["agentName", "endpointName"]).unwrap_or_default(),
        os: words::os(row.word("agentOs").or_else(|| row.word("endpointOs")).as_deref()),
        process,
        storyline: row.first_untrusted(&["storyline", "trueContext"]),
        what,
    };
    Ok(RecordTaken { record, raw })
}

/// Who did it, and what.
fn happened(row: Row<'_>) -> (Process, What) {
    let kind = row.text("eventType").map(|text| squeezed(&text)).unwrap_or_default();
    let object = row.word("objectType").unwrap_or_default();
    let actor = process(row);
    match kind.as_str() {
        // The record is the new process's own; who started it stands in the parent's fields.
        "processcreation" => return (starter(row), What::ProcessStarted(Box::new(actor))),
        "processtermination" | "processexit" => return (actor, What::ProcessEnded),
        "processmodification" | "openremoteprocesshandle" | "remotethreadcreation" | "duplicateprocesshandle" => {
            let how = row.first_untrusted(&["eventType"]).unwrap_or_default();
            return (actor, What::ProcessReached { target: Box::new(target(row)), how });
        }
        _ => {}
    }
    let what = match object.as_str() {
        "file" => file(row, &kind),
        "registry" => registry(row, &kind),
        "ip" => network(row, &kind),
        "dns" => dns(row),
        "url" => url(row),
        "logins" => log_on(row, &kind),
        "module" => module(row, &kind),
        "scheduled_task" => task(row, &kind),
        "indicators" => indicator(row),
        _ => by_kind(row, &kind),
    };
    (actor, what)
}

/// For records that do not say what kind of object they are about.
fn by_kind(row: Row<'_>, kind: &str) -> What {
    match kind {
        k if k.starts_with("file") => file(row, k),
        k if k.starts_with("reg") => registry(row, k),
        k if k.starts_with("tcp") || k.starts_with("ip") => network(row, k),
        k if k.starts_with("dns") => dns(row),
        k if k.starts_with("login") || k.starts_with("logout") => log_on(row, k),
        k if k.starts_with("schedtask") || k.starts_with("task") => task(row, k),
        k if k.starts_with("module") || k.starts_with("driver") => module(row, k),
        "behavioralindicators" => indicator(row),
        "http" | "get" | "post" | "put" | "head" => url(row),
        "commandscript" => {
            What::Script { content: row.first_untrusted(&["processCmd", "cmdScript"]).unwrap_or_default() }
        }
        _ => other(row),
    }
}

fn other(row: Row<'_>) -> What {
    What::Other {
        kind: row.first_untrusted(&["eventType", "objectType"]).unwrap_or_default(),
        detail: row.first_untrusted(&["fileFullName", "registryPath", "taskName", "processCmd"]),
    }
}

fn process(row: Row<'_>) -> Process {
    let parent = Parent {
        key: row.untrusted("parentProcessUniqueKey"),
        pid: small(row, "parentPid"),
        name: row.untrusted("parentProcessName"),
        image: row.first_untrusted(&["srcProcParentImagePath", "parentProcessImagePath"]),
        command_line: row.first_untrusted(&["srcProcParentCmdLine", "parentProcessCmd"]),
    };
    Process {
        key: row.untrusted("processUniqueKey"),
        parent: (parent != Parent::default()).then_some(parent),
        pid: small(row, "pid"),
        name: row.first_untrusted(&["processName", "processDisplayName"]),
        image: row.untrusted("processImagePath"),
        command_line: row.untrusted("processCmd"),
        user: row.first_untrusted(&["processUserName", "user"]),
        started_at: row.time("processStartTime"),
        integrity: row.untrusted("processIntegrityLevel").filter(|level| !level.for_matching().ends_with("UNKNOWN")),
        hashes: Hashes {
            sha256: convert::hash(row, "processImageSha256Hash").or_else(|| convert::hash(row, "sha256")),
            sha1: convert::hash(row, "processImageSha1Hash").or_else(|| convert::hash(row, "sha1")),
            md5: convert::hash(row, "processImageMd5Hash").or_else(|| convert::hash(row, "md5")),
        },
        signature: signature(row),
    }
}

/// The parent as a process of its own, as far as its child's record tells.
fn starter(row: Row<'_>) -> Process {
    Process {
        key: row.untrusted("parentProcessUniqueKey"),
        pid: small(row, "parentPid"),
        name: row.untrusted("parentProcessName"),
        image: row.first_untrusted(&["srcProcParentImagePath", "parentProcessImagePath"]),
        command_line: row.first_untrusted(&["srcProcParentCmdLine", "parentProcessCmd"]),
        started_at: row.time("parentProcessStartTime"),
        ..Process::default()
    }
}

fn target(row: Row<'_>) -> Process {
    Process {
        key: row.untrusted("tgtProcUid"),
        pid: small(row, "tgtProcPid"),
        name: row.first_untrusted(&["tgtProcName", "tgtProcDisplayName"]),
        image: row.untrusted("tgtProcImagePath"),
        command_line: row.untrusted("tgtProcCmdLine"),
        ..Process::default()
    }
}

fn signature(row: Row<'_>) -> Signature {
    let publisher = row.untrusted("publisher");
    match (row.word("signedStatus").as_deref(), row.word("verifiedStatus").as_deref()) {
        (Some("signed"), Some("verified")) => Signature::Valid { publisher },
        (Some("signed"), Some(_)) => Signature::Invalid { publisher },
        (Some("unsigned"), _) => Signature::NotSigned,
        _ => Signature::Unknown,
    }
}

fn file(row: Row<'_>, kind: &str) -> What {
    let change = match kind {
        "filecreation" => FileChange::Created,
        "filedeletion" | "filedelete" => FileChange::Deleted,
        "filerename" => FileChange::Renamed,
        "filescan" | "fileread" => FileChange::Read,
        _ => FileChange::Modified,
    };
    What::File {
        change,
        path: row.first_untrusted(&["fileFullName", "tgtFilePath"]).unwrap_or_default(),
        old_path: row.first_untrusted(&["oldFileName", "tgtFileOldPath"]),
        size_bytes: row.number("fileSize"),
        hashes: Hashes {
            sha256: convert::hash(row, "fileSha256"),
            sha1: convert::hash(row, "fileSha1"),
            md5: convert::hash(row, "fileMd5"),
        },
    }
}

fn registry(row: Row<'_>, kind: &str) -> What {
    let change = match kind {
        "regkeycreate" | "registrykeycreate" => RegistryChange::KeyCreated,
        "regkeyrename" | "registrykeyrename" => RegistryChange::KeyRenamed,
        "regkeydelete" | "registrykeydelete" => RegistryChange::KeyDeleted,
        "regvaluecreate" | "regvaluemodified" | "registryvaluecreate" | "registryvaluemodified" => {
            RegistryChange::ValueSet
        }
        "regvaluedelete" | "registryvaluedelete" => RegistryChange::ValueDeleted,
        _ => RegistryChange::Other,
    };
    What::Registry {
        change,
        key: row.first_untrusted(&["registryPath", "registryKeyPath"]).unwrap_or_default(),
        value: row.untrusted("registryValueName"),
        data: row.first_untrusted(&["registryValue", "registryData"]),
    }
}

fn network(row: Row<'_>, kind: &str) -> What {
    let direction = match row.word("direction").as_deref() {
        _ if kind.ends_with("listen") => Direction::Listening,
        Some("outgoing" | "outbound") => Direction::Outgoing,
        Some("incoming" | "inbound") => Direction::Incoming,
        _ => Direction::Unknown,
    };
    let succeeded = match row.word("connectionStatus").as_deref() {
        Some("success" | "established" | "succeeded") => Some(true),
        Some("failure" | "failed" | "refused") => Some(false),
        _ => None,
    };
    What::Network(Network {
        direction,
        protocol: row.untrusted("protocol"),
        source: address(row, "srcIp"),
        source_port: port(row, "srcPort"),
        destination: address(row, "dstIp"),
        destination_port: port(row, "dstPort"),
        succeeded,
    })
}

/// At most this many answers to one name.
const MAX_ANSWERS: usize = 32;

fn dns(row: Row<'_>) -> What {
    let answers = row.text("dnsResponse").unwrap_or_default();
    let each = answers.split([';', ',']).map(str::trim).filter(|answer| !answer.is_empty());
    What::Dns {
        name: row.untrusted("dnsRequest").unwrap_or_default(),
        answers: each.take(MAX_ANSWERS).map(Untrusted::new).collect(),
    }
}

fn url(row: Row<'_>) -> What {
    What::Http {
        method: row.first_untrusted(&["networkMethod", "eventType"]),
        url: row.untrusted("networkUrl").unwrap_or_default(),
    }
}

fn log_on(row: Row<'_>, kind: &str) -> What {
    What::LogOn(LogOn {
        user: row.untrusted("loginsUserName"),
        kind: row.untrusted("loginsBaseType"),
        source: address(row, "srcIp").or_else(|| address(row, "srcMachineIp")),
        succeeded: row.flag("loginIsSuccessful"),
        log_off: kind.starts_with("logout"),
    })
}

fn module(row: Row<'_>, kind: &str) -> What {
    What::Module {
        path: row.first_untrusted(&["fileFullName", "modulePath"]).unwrap_or_default(),
        hashes: Hashes {
            sha256: convert::hash(row, "fileSha256"),
            sha1: convert::hash(row, "fileSha1").or_else(|| convert::hash(row, "moduleSha1")),
            md5: convert::hash(row, "fileMd5"),
        },
        signature: Signature::Unknown,
        driver: kind.starts_with("driver"),
    }
}

fn task(row: Row<'_>, kind: &str) -> What {
    let change = match kind {
        "schedtaskregister" | "taskregister" => TaskChange::Registered,
        "schedtaskdelete" | "taskdelete" => TaskChange::Deleted,
        "schedtaskstart" | "schedtasktrigger" | "taskstart" | "tasktrigger" => TaskChange::Started,
        _ => TaskChange::Updated,
    };
    What::ScheduledTask { change, name: row.untrusted("taskName").unwrap_or_default(), path: row.untrusted("taskPath") }
}

fn indicator(row: Row<'_>) -> What {
    What::Indicator {
        name: row.untrusted("indicatorName").unwrap_or_default(),
        category: row.untrusted("indicatorCategory"),
        description: row.untrusted("indicatorDescription"),
    }
}

/// `Process Creation` and `PROCESSCREATION` are the same word.
fn squeezed(text: &str) -> String {
    word(text).replace('_', "")
}

fn small(row: Row<'_>, path: &str) -> Option<u32> {
    row.number(path).and_then(|n| u32::try_from(n).ok())
}

fn port(row: Row<'_>, path: &str) -> Option<u16> {
    row.number(path).and_then(|n| u16::try_from(n).ok())
}

fn address(row: Row<'_>, path: &str) -> Option<IpAddr> {
    row.text(path)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Record {
        let scope = Scope::of_sites(&["11"]).unwrap();
        record(value, &scope, &AgentId::new("7").unwrap()).unwrap().record
    }

    #[test]
    fn a_new_process_is_told_by_its_own_record_and_its_parent_by_the_parents_fields() {
        let record = read(json!({"id": "1", "eventType": "PROCESSCREATION", "objectType": "process", "agentId": 7,
            "eventTime": "2026-01-02T03:04:05.000Z", "processName": "powershell.exe", "pid": "4242",
            "processUniqueKey": "B", "processCmd": "powershell -enc AAAA", "parentProcessUniqueKey": "A",
            "parentProcessName": "winword.exe", "signedStatus": "signed", "verifiedStatus": "verified"}));
        let What::ProcessStarted(child) = &record.what else { panic!("{record:?}") };
        assert_eq!((child.pid, child.key.as_ref().unwrap().for_matching()), (Some(4242), "B"));
        assert_eq!(record.process.key.as_ref().unwrap().for_matching(), "A");
        assert_eq!(record.process.name.as_ref().unwrap().for_matching(), "winword.exe");
        assert!(matches!(child.signature, Signature::Valid { .. }));
    }

    #[test]
    fn each_kind_of_event_is_read_with_and_without_its_object_type() {
        let kinds = [
            (json!({"id": "1", "eventType": "File Rename", "oldFileName": "a", "fileFullName": "b"}), "file"),
            (json!({"id": "1", "objectType": "file", "eventType": "FILECREATION", "fileFullName": "b"}), "file"),
            (json!({"id": "1", "objectType": "ip", "eventType": "TCPV4", "dstIp": "192.0.2.1", "dstPort": 443}), "ip"),
            (json!({"id": "1", "eventType": "IP Connect", "direction": "OUTGOING", "dstIp": "192.0.2.1"}), "ip"),
            (json!({"id": "1", "eventType": "DNS", "dnsRequest": "a.example", "dnsResponse": "192.0.2.1;"}), "dns"),
            (json!({"id": "1", "eventType": "REGVALUECREATE", "registryPath": "HKLM"}), "registry"),
            (json!({"id": "1", "eventType": "Login", "loginsUserName": "x"}), "logon"),
            (json!({"id": "1", "eventType": "Task Update", "objectType": "scheduled_task"}), "task"),
            (json!({"id": "1", "eventType": "BEHAVIORALINDICATORS", "indicatorName": "x"}), "indicator"),
            (json!({"id": "1", "eventType": "Something new"}), "other"),
            (json!({"id": "1"}), "other"),
        ];
        for (value, expected) in kinds {
            let found = match read(value.clone()).what {
                What::File { .. } => "file",
                What::Network(_) => "ip",
                What::Dns { .. } => "dns",
                What::Registry { .. } => "registry",
                What::LogOn(_) => "logon",
                What::ScheduledTask { .. } => "task",
                What::Indicator { .. } => "indicator",
                What::Other { .. } => "other",
                _ => "?",
            };
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn a_record_of_another_customer_or_endpoint_is_refused_sec_01() {
        let scope = Scope::of_sites(&["11"]).unwrap();
        let agent = AgentId::new("7").unwrap();
        assert!(record(json!({"id": "1", "siteId": "12", "agentId": "7"}), &scope, &agent).is_err());
        assert!(record(json!({"id": "1", "siteId": "11", "agentId": "8"}), &scope, &agent).is_err());
        assert!(record(json!({"id": "1", "siteId": null, "agentId": "7"}), &scope, &agent).is_ok());
    }

    #[test]
    fn times_that_cannot_be_true_are_left_out_and_the_record_is_kept() {
        assert_eq!(read(json!({"id": "1", "eventTime": "2185-01-01T00:00:00Z"})).at, None);
        let fallen_back =
            read(json!({"id": "1", "eventTime": "1970-01-01T00:00:00Z", "createdAt": "2026-01-01T00:00:00Z"}));
        assert!(fallen_back.at.is_some());
    }
}
