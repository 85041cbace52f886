//! The flat threat of API 2.0.
//!
//! It has no confidence of its own: a threat whose mitigation status begins with `suspicious` is suspicious, the others are
//! what that API called malicious. Its indicators are bare numbers and stay in the record.

use domain::Untrusted;
use domain::alert::{
    Alert, Confidence, ConsoleState, ConsoleStatus, Detection, File, Initiator, Mitigation, MitigationState,
    MitigationStep, Process, Source,
};
use domain::endpoint::Endpoint;

use crate::convert::{self, Times, UNKNOWN_AGENT};
use crate::row::Row;
use crate::rows::RefusalReason;
use crate::words;

pub(super) fn read(row: Row<'_>) -> Result<Alert, RefusalReason> {
    let id = convert::alert_id(row.text("id").as_deref())?;
    let times = Times::of(row, &["createdDate"], "createdAt", "updatedAt")?;
    let mitigation = row.word("mitigationStatus");
    let suspicious = mitigation.as_deref().is_some_and(|word| word.starts_with("suspicious"));
    Ok(Alert {
        name: convert::name(row, &["threatName", "fileDisplayName"], "filePath", &id),
        source: Source::LegacyThreat,
        version: times.version,
        detected_at: times.detected,
        created_at: times.created,
        endpoint: endpoint(row),
        file: File {
            path: row.untrusted("filePath"),
            size_bytes: None,
            sha1: convert::hash(row, "fileContentHash"),
            sha256: convert::hash(row, "fileSha256"),
            md5: None,
            signature: words::signature(
                row.word("fileVerificationType").as_deref(),
                row.flag("isCertValid"),
                row.untrusted("publisher"),
            ),
        },
        process: Process {
            user: row.untrusted("username"),
            originator: None,
            command_line: row.untrusted("maliciousProcessArguments"),
        },
        detection: Detection {
            kind: words::kind(row.word("classifierName").as_deref()),
            engines: convert::engines(row),
            confidence: if suspicious { Confidence::Suspicious } else { Confidence::Malicious },
            classification: words::classification(row.text("classification").as_deref()),
            initiated_by: initiator(row),
            reputation: words::reputation(row.word("cloudVerdict").as_deref()),
            ..Detection::default()
        },
        mitigation: Mitigation {
            state: match row.flag("markedAsBenign") {
                Some(true) => MitigationState::MarkedBenign,
                _ => words::mitigation_state(mitigation.as_deref()),
            },
            preemptive: mitigation.as_deref() == Some("blocked"),
            steps: steps(row),
        },
        console: ConsoleState {
            status: if row.flag("resolved") == Some(true) {
                ConsoleStatus::Resolved
            } else {
                ConsoleStatus::Unresolved
            },
            ..ConsoleState::default()
        },
        storyline: None,
        id,
    })
}

fn initiator(row: Row<'_>) -> Initiator {
    match words::initiator(row.word("initiatedBy").as_deref()) {
        Initiator::Other if row.flag("fromScan") == Some(true) => Initiator::FullDiskScan,
        known => known,
    }
}

fn endpoint(row: Row<'_>) -> Endpoint {
    Endpoint {
        agent: convert::agent_id(row, &["agentId"]),
        name: row.untrusted("agentComputerName").unwrap_or_else(|| Untrusted::new(UNKNOWN_AGENT)),
        domain: row.untrusted("agentDomain"),
        os: words::os(row.word("agentOsType").as_deref()),
        os_name: None,
        machine: words::machine(row.word("agentMachineType").as_deref()),
        group: None,
        site: row.untrusted("siteName"),
        last_user: None,
        addresses: convert::addresses(row.texts("agentIp").into_iter()),
        agent_version: row.untrusted("agentVersion"),
        network: words::network(row.word("agentNetworkStatus").as_deref()),
        online: row.flag("agentIsActive"),
    }
}

/// `{"kill": {"status": "success"}, "rollback": {"status": null}, …}`; what has no status was not tried.
fn steps(row: Row<'_>) -> Vec<MitigationStep> {
    let report = row.row("mitigationReport");
    let tried = ["kill", "quarantine", "remediate", "rollback", "unquarantine", "network_quarantine"].into_iter();
    tried
        .filter_map(|action| {
            let outcome = report.row(action).word("status")?;
            Some(MitigationStep {
                action: words::mitigation_action(Some(action)),
                outcome: words::mitigation_outcome(Some(&outcome)),
                at: None,
            })
        })
        .collect()
}
