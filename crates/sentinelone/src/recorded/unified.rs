//! A unified alert: a node of the console's GraphQL interface.
//!
//! Its own id is kept, not the threat id in `externalId`: the two records are told apart by their source and brought
//! together by their storyline. Agents are named by their uuid here.

use domain::Untrusted;
use domain::alert::{Alert, ConsoleState, ConsoleStatus, Detection, Engine, File, Mitigation, Process, Source};
use domain::endpoint::{Endpoint, Network};
use domain::judgement::Verdict;

use crate::convert::{self, Times, UNKNOWN_AGENT};
use crate::row::Row;
use crate::rows::RefusalReason;
use crate::words;

pub(super) fn read(row: Row<'_>) -> Result<Alert, RefusalReason> {
    let id = convert::alert_id(row.text("id").as_deref())?;
    let updated = if row.time("updatedAt").is_some() { "updatedAt" } else { "lastSeenAt" };
    let times = Times::of(row, &["detectedAt", "firstSeenAt"], "createdAt", updated)?;
    let (process, file) = (row.row("process"), row.row("process.file"));
    Ok(Alert {
        name: convert::name(row, &["name"], "process.file.path", &id),
        source: Source::UnifiedAlert,
        version: times.version,
        detected_at: times.detected,
        created_at: times.created,
        endpoint: endpoint(row),
        file: File {
            path: file.untrusted("path"),
            size_bytes: file.number("size").filter(|size| *size > 0),
            sha1: convert::hash(file, "sha1"),
            sha256: convert::hash(file, "sha256"),
            md5: convert::hash(file, "md5"),
            signature: words::signature(
                file.word("signatureVerification").as_deref(),
                None,
                file.untrusted("certSubject"),
            ),
        },
        process: Process {
            user: process.untrusted("username"),
            originator: process.untrusted("parentName"),
            command_line: process.untrusted("cmdLine"),
        },
        detection: detection(row),
        mitigation: Mitigation {
            state: words::mitigation_state(row.word("result").as_deref()),
            preemptive: row.text("preemptiveMitigationType").is_some(),
            steps: Vec::new(),
        },
        console: console(row),
        storyline: row.untrusted("storylineId"),
        id,
    })
}

fn console(row: Row<'_>) -> ConsoleState {
    let status = row.word("status");
    let verdict = words::verdict(row.word("analystVerdict").as_deref());
    // The status `FALSE_POSITIVE` is a verdict, too.
    let verdict = match (verdict, status.as_deref()) {
        (Verdict::Undetermined, Some("false_positive")) => Verdict::FalsePositive,
        (given, _) => given,
    };
    let status: ConsoleStatus = words::status(status.as_deref());
    ConsoleState { verdict, status }
}

fn endpoint(row: Row<'_>) -> Endpoint {
    let primary = row.rows("assets").find(|asset| asset.flag("primary") == Some(true));
    let asset = primary.or_else(|| row.rows("assets").next()).unwrap_or_else(|| row.row("asset"));
    let scope = row.row("detectionTime.scope");
    Endpoint {
        agent: convert::agent_id(asset, &["agentUuid", "id"]),
        name: asset.untrusted("name").unwrap_or_else(|| Untrusted::new(UNKNOWN_AGENT)),
        domain: row.untrusted("detectionTime.targetUser.domain"),
        os: words::os(asset.word("osType").as_deref()),
        os_name: asset.untrusted("osVersion"),
        machine: words::machine(asset.word("category").as_deref()),
        group: scope.untrusted("groupName"),
        site: scope.untrusted("siteName"),
        last_user: asset.untrusted("lastLoggedInUser"),
        addresses: Vec::new(),
        agent_version: asset.untrusted("agentVersion"),
        network: Network::Unknown,
        online: match asset.word("connectivityToConsole").as_deref() {
            Some("online") => Some(true),
            Some("offline") => Some(false),
            _ => None,
        },
    }
}

fn detection(row: Row<'_>) -> Detection {
    let named = ["detectionSource.engine", "analytics.category"].iter().filter_map(|path| row.text(path));
    let mut engines: Vec<Engine> = Vec::new();
    for engine in named.map(|text| words::engine(&text)) {
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    if row.word("detectionSource.product").as_deref() == Some("star") && !engines.contains(&Engine::CustomRule) {
        engines.push(Engine::CustomRule);
    }
    let mut detection = Detection {
        kind: words::kind(row.word("analytics.typeValue").as_deref()),
        engines,
        confidence: words::confidence(row.word("confidenceLevel").as_deref()),
        classification: words::classification(row.text("classification").as_deref()),
        initiated_by: words::initiator(row.word("analytics.name").as_deref()),
        ..Detection::default()
    };
    convert::add_indicator(&mut detection, None, row.untrusted("description"), Vec::new());
    for indicator in row.rows("indicators") {
        let described = indicator.untrusted("message").or_else(|| indicator.untrusted("type"));
        convert::add_indicator(&mut detection, indicator.untrusted("type"), described, Vec::new());
    }
    detection
}
