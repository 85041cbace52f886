//! An alert of a detection rule (STAR).
//!
//! Its `createdAt` is the time of the event and `reportedAt` that of the alert. It is about what a process did, so the file
//! is the acting process's image, or the target when the process is not known. Nothing is known of mitigation.

use domain::Untrusted;
use domain::alert::{
    Alert, ConsoleState, Detection, Engine, File, Initiator, Kind, Mitigation, Process, Signature, Source,
};
use domain::endpoint::{Endpoint, Network};

use crate::convert::{self, Times, UNKNOWN_AGENT};
use crate::row::Row;
use crate::rows::RefusalReason;
use crate::words;

pub(super) fn read(row: Row<'_>) -> Result<Alert, RefusalReason> {
    let (info, rule) = (row.row("alertInfo"), row.row("ruleInfo"));
    let (actor, parent) = (row.row("sourceProcessInfo"), row.row("sourceParentProcessInfo"));
    let id = convert::alert_id(info.text("alertId").or_else(|| row.text("id")).as_deref())?;
    let times = Times::of(info, &["createdAt"], "reportedAt", "updatedAt")?;
    let file = file(actor, row.row("targetProcessInfo"));
    Ok(Alert {
        name: rule.untrusted("name").unwrap_or_else(|| convert::name(actor, &["name"], "filePath", &id)),
        source: Source::RuleAlert,
        version: times.version,
        detected_at: times.detected,
        created_at: times.created,
        endpoint: endpoint(row),
        file,
        process: Process {
            user: actor.untrusted("user"),
            originator: parent.untrusted("name").or_else(|| parent.untrusted("filePath")),
            command_line: actor.untrusted("commandline").or_else(|| row.untrusted("targetProcessInfo.tgtProcCmdLine")),
        },
        detection: detection(info, rule),
        mitigation: Mitigation::default(),
        console: ConsoleState {
            verdict: words::verdict(info.word("analystVerdict").as_deref()),
            status: words::status(info.word("incidentStatus").as_deref()),
        },
        storyline: actor.untrusted("storyline"),
        id,
    })
}

fn endpoint(row: Row<'_>) -> Endpoint {
    let (live, then) = (row.row("agentRealtimeInfo"), row.row("agentDetectionInfo"));
    let either = |a: &str, b: &str| live.word(a).or_else(|| then.word(b));
    Endpoint {
        agent: convert::agent_id(row, &["agentRealtimeInfo.id", "agentRealtimeInfo.uuid", "agentDetectionInfo.uuid"]),
        name: live
            .untrusted("name")
            .or_else(|| then.untrusted("name"))
            .unwrap_or_else(|| Untrusted::new(UNKNOWN_AGENT)),
        domain: None,
        os: words::os(either("os", "osFamily").as_deref()),
        os_name: then.untrusted("osName"),
        machine: words::machine(either("machineType", "machineType").as_deref()),
        group: None,
        site: None,
        last_user: None,
        addresses: convert::addresses(row.texts("alertInfo.srcMachineIp").into_iter()),
        agent_version: then.untrusted("version"),
        network: Network::Unknown,
        online: live.flag("isActive"),
    }
}

/// Path and hashes of one and the same file, never of two.
fn file(actor: Row<'_>, target: Row<'_>) -> File {
    let acting = File {
        path: actor.untrusted("filePath"),
        sha1: convert::hash(actor, "fileHashSha1"),
        sha256: convert::hash(actor, "fileHashSha256"),
        md5: convert::hash(actor, "fileHashMd5"),
        size_bytes: None,
        signature: Signature::Unknown,
    };
    if acting.path.is_some() || acting.best_hash().is_some() {
        return acting;
    }
    File {
        path: target.untrusted("tgtFilePath"),
        sha1: convert::hash(target, "tgtFileHashSha1"),
        sha256: convert::hash(target, "tgtFileHashSha256"),
        ..File::default()
    }
}

fn detection(info: Row<'_>, rule: Row<'_>) -> Detection {
    let mut engines = vec![Engine::CustomRule];
    if info.text("tiIndicatorType").is_some() {
        engines.push(Engine::ThreatIntelligence);
    }
    let mut detection = Detection {
        kind: Kind::Behavioural,
        engines,
        confidence: words::confidence(rule.word("treatAsThreat").as_deref()),
        initiated_by: Initiator::Rule,
        ..Detection::default()
    };
    let category = info.first_untrusted(&["indicatorCategory", "eventType"]);
    let described = info.first_untrusted(&["indicatorDescription", "indicatorName"]);
    let described = described.or_else(|| rule.first_untrusted(&["description", "s1ql"]));
    convert::add_indicator(&mut detection, category, described, Vec::new());
    detection
}
