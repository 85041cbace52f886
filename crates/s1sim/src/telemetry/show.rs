//! An event as the console writes it out: under the names of threat events and Deep Visibility, with what real
//! answers are known to leave empty or get wrong.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Event, Process, What};
use crate::clock::print;
use crate::world::Agent;

/// Who asked, which decides types and extra members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `/threats/{id}/explore/events`.
    Explore,
    /// `/dv/events`; with the source and target families when the query was verbose.
    Deep { verbose: bool, related: bool },
}

pub(crate) fn show(event: &Event, agent: &Agent, form: Form) -> Value {
    let (kind, object, _) = event.what.words();
    let sees = &agent.doc;
    let at = print(event.at);
    // The row is about the process that was begun, else about the one that acted.
    let subject = match &event.what {
        What::Started(begun) => begun,
        _ => &event.process,
    };
    let mut row = json!({
        "id": event.id.to_string(), "agentId": sees["id"], "agentUuid": sees["uuid"], "agentName": sees["computerName"],
        "agentDomain": sees["domain"], "agentGroupId": sees["groupId"], "agentIp": sees["externalIp"],
        "agentInfected": sees["infected"], "agentIsActive": sees["isActive"],
        "agentIsDecommissioned": sees["isDecommissioned"], "agentMachineType": sees["machineType"],
        "agentNetworkStatus": sees["networkStatus"], "agentOs": sees["osType"], "agentVersion": null,
        "accountId": sees["accountId"], "siteId": sees["siteId"], "siteName": sees["siteName"],
        "agentTimestamp": at, "createdAt": at, "eventTime": event_time(event), "eventType": kind, "objectType": object,
        "endpointName": sees["computerName"], "endpointOs": sees["osType"], "endpointMachineType": sees["machineType"],
        "lastActivatedAt": sees["lastActiveDate"],
    });
    let Some(members) = row.as_object_mut() else { return row };
    put_process(members, subject, &event.what);
    put_what(members, &event.what);
    match form {
        Form::Explore => {
            // Threat events have no type of their own for one process reaching into another.
            if object == "cross_process" {
                set(members, "objectType", "events");
            }
            set(members, "relatedToThreat", true);
            set(members, "hasActiveContent", false);
            set(members, "activeContentFileId", Value::Null);
            set(members, "activeContentHash", Value::Null);
            set(members, "activeContentPath", Value::Null);
        }
        Form::Deep { verbose, related } => {
            set(members, "relatedToThreat", if related { "True" } else { "False" });
            set(members, "isAgentVersionFullySupportedForPg", false);
            set(members, "isAgentVersionFullySupportedForPgMessage", Value::Null);
            if verbose {
                put_family(members, "srcProc", &event.process);
                if let What::Started(target) | What::Reached { target, .. } = &event.what {
                    put_family(members, "tgtProc", target);
                }
            }
        }
    }
    row
}

/// One event in some sixty carries a time that cannot be true.
fn event_time(event: &Event) -> String {
    let odd = matches!(event.what, What::Module { .. } | What::Task { .. }) && event.id.is_multiple_of(61);
    let far = Timestamp::from_second(6_801_062_400).unwrap_or(event.at);
    print(if odd { far } else { event.at })
}

fn put_process(row: &mut Map<String, Value>, process: &Process, what: &What) {
    let parent = process.parent.as_deref();
    // Rows about tasks do not name the process, only its keys.
    let unnamed = matches!(what, What::Task { .. });
    let named = |text: &str| if unnamed || text.is_empty() { Value::Null } else { text.into() };
    let started = process.started.unwrap_or(Timestamp::UNIX_EPOCH);
    let signed = !process.publisher.is_empty();
    for (member, value) in [
        ("pid", process.pid.to_string().into()),
        ("tid", Value::Null),
        ("rpid", Value::Null),
        ("processName", named(&process.name)),
        ("processDisplayName", named(&process.name)),
        ("processCmd", named(&process.command)),
        ("processImagePath", named(&process.image)),
        ("processImageSha1Hash", named(&process.hashes.sha1)),
        ("processUserName", named(&process.user)),
        ("user", named(&process.user)),
        ("processGroupId", process.storyline.clone().into()),
        ("processUniqueKey", process.key.clone().into()),
        ("processStartTime", print(started).into()),
        ("processSessionId", if process.integrity == "SYSTEM" { "0" } else { "1" }.into()),
        ("processIntegrityLevel", if unnamed { "INTEGRITY_LEVEL_UNKNOWN" } else { process.integrity }.into()),
        ("processRoot", "False".into()),
        ("processIsWow64", "False".into()),
        ("processIsRedirectedCommandProcessor", "False".into()),
        ("processSubSystem", "SYS_WIN32".into()),
        ("storyline", process.storyline.clone().into()),
        ("trueContext", process.storyline.clone().into()),
        ("publisher", named(&process.publisher)),
        ("signedStatus", if signed { "signed" } else { "unsigned" }.into()),
        ("verifiedStatus", if signed { "verified".into() } else { Value::Null }),
        ("signatureSignedInvalidReason", Value::Null),
        ("parentPid", parent.map(|parent| parent.pid.to_string()).into()),
        ("parentProcessName", parent.map(|parent| parent.name.clone()).into()),
        ("parentProcessUniqueKey", parent.map(|parent| parent.key.clone()).into()),
        ("parentProcessGroupId", parent.map(|parent| parent.storyline.clone()).into()),
        ("parentProcessStartTime", parent.and_then(|parent| parent.started).map(print).into()),
        ("childProcCount", Value::Null),
        ("registryChangeCount", Value::Null),
    ] {
        set(row, member, value);
    }
    if matches!(what, What::Started(_)) {
        set(row, "sha1", named(&process.hashes.sha1));
        set(row, "sha256", named(&process.hashes.sha256));
        set(row, "md5", named(&process.hashes.md5));
    }
}

fn put_what(row: &mut Map<String, Value>, what: &What) {
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
    match what {
        What::File { path, old_path, hashes, size, .. } => {
            let extension = path.rsplit_once('.').map(|(_, end)| end.to_lowercase()).unwrap_or_default();
            set(row, "fileFullName", path.as_str());
            set(row, "fileId", crate::digest::storyline(path));
            set(row, "fileType", extension);
            set(row, "fileSize", size.to_string());
            for (member, value) in [("Sha1", &hashes.sha1), ("Sha256", &hashes.sha256), ("Md5", &hashes.md5)] {
                set(row, &format!("file{member}"), text(value));
                set(row, &member.to_lowercase(), text(value));
            }
            if !old_path.is_empty() {
                set(row, "oldFileName", old_path.as_str());
            }
        }
        What::Registry { key, value, data, old_data, .. } => {
            let path = if value.is_empty() { key.clone() } else { format!(r"{key}\{value}") };
            set(row, "registryId", crate::digest::storyline(&path));
            set(row, "registryPath", path);
            set(row, "registryClassification", Value::Null);
            set(row, "registryKeyPath", key.as_str());
            set(row, "registryValue", text(data));
            set(row, "registryOldValue", text(old_data));
        }
        What::Connect { from, from_port, to, port, incoming, succeeded } => {
            set(row, "srcIp", from.as_str());
            set(row, "srcPort", *from_port);
            set(row, "dstIp", to.as_str());
            set(row, "dstPort", *port);
            set(row, "direction", if *incoming { "INCOMING" } else { "OUTGOING" });
            set(row, "connectionStatus", if *succeeded { "SUCCESS" } else { "FAILURE" });
            set(row, "protocol", "tcp");
        }
        What::Dns { name, answers } => {
            set(row, "dnsRequest", name.as_str());
            set(row, "dnsResponse", answers.as_str());
        }
        What::Url { method, url } => {
            set(row, "networkMethod", *method);
            set(row, "networkUrl", url.as_str());
            set(row, "networkSource", text(""));
        }
        What::LogOn { user, domain, kind, from, succeeded, .. } => {
            set(row, "loginsUserName", format!(r"{domain}\{user}"));
            set(row, "loginsBaseType", *kind);
            set(row, "loginIsSuccessful", *succeeded);
            set(row, "srcIp", text(from));
        }
        What::Module { path, hashes, publisher, .. } => {
            set(row, "fileFullName", path.as_str());
            set(row, "fileSha1", text(&hashes.sha1));
            set(row, "fileSha256", text(&hashes.sha256));
            set(row, "fileMd5", text(&hashes.md5));
            set(row, "publisher", text(publisher));
            set(row, "signedStatus", if publisher.is_empty() { "unsigned" } else { "signed" });
        }
        What::Task { name, path, .. } => {
            set(row, "taskName", name.as_str());
            set(row, "taskPath", text(path));
        }
        What::Indicator { name, category, description, metadata } => {
            set(row, "indicatorName", name.as_str());
            set(row, "indicatorCategory", category.as_str());
            set(row, "indicatorDescription", description.as_str());
            set(row, "indicatorMetadata", text(metadata));
        }
        What::Script { content } => set(row, "cmdScript", content.as_str()),
        What::Started(_) | What::Ended | What::Reached { .. } => {}
    }
}

fn put_family(row: &mut Map<String, Value>, family: &str, process: &Process) {
    let parent = process.parent.as_deref();
    let members: [(&str, Value); 19] = [
        ("Name", process.name.clone().into()),
        ("CmdLine", process.command.clone().into()),
        ("ImagePath", process.image.clone().into()),
        ("ImageSha1", process.hashes.sha1.clone().into()),
        ("ImageSha256", process.hashes.sha256.clone().into()),
        ("ImageMd5", process.hashes.md5.clone().into()),
        ("User", process.user.clone().into()),
        ("Pid", process.pid.to_string().into()),
        ("Uid", process.key.clone().into()),
        ("StorylineId", process.storyline.clone().into()),
        ("IntegrityLevel", process.integrity.into()),
        ("Publisher", process.publisher.clone().into()),
        ("SignedStatus", if process.publisher.is_empty() { "unsigned" } else { "signed" }.into()),
        ("StartTime", print(process.started.unwrap_or(Timestamp::UNIX_EPOCH)).into()),
        ("ParentName", parent.map(|parent| parent.name.clone()).into()),
        ("ParentCmdLine", parent.map(|parent| parent.command.clone()).into()),
        ("ParentImagePath", parent.map(|parent| parent.image.clone()).into()),
        ("ParentPid", parent.map(|parent| parent.pid.to_string()).into()),
        ("ParentUid", parent.map(|parent| parent.key.clone()).into()),
    ];
    for (member, value) in members {
        set(row, &format!("{family}{member}"), value);
    }
}

fn set(row: &mut Map<String, Value>, member: &str, value: impl Into<Value>) {
    row.insert(member.to_owned(), value.into());
}
