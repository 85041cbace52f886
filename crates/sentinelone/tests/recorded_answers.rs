//! What is made of answers that others recorded: the table of files, and the facts read from the real ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::fs;
use std::path::{Path, PathBuf};

use domain::Verdict;
use domain::alert::{
    Classification, Confidence, ConsoleStatus, Engine, Initiator, Kind as DetectionKind, MitigationAction,
    MitigationOutcome, MitigationState, Reputation, Signature, Source,
};
use domain::endpoint::{Machine, Network, Os};
use sentinelone::Taken;
use sentinelone::recorded::{Kind, Recorded, read};

/// File, what it is, records taken, and what is said of each refused one.
const TABLE: [(&str, Kind, usize, &[&str]); 35] = [
    ("demisto-content/get_threats_2_1_first_two.json", Kind::Threats, 2, &[]),
    ("demisto-content/event_collector_alerts_first.json", Kind::RuleAlerts, 1, &[]),
    ("demisto-content/agents_raw_response.json", Kind::NotThreats, 0, &["an agent"]),
    ("chronicle-content-hub/uam_alerts.json", Kind::UnifiedAlerts, 1, &[]),
    ("chronicle-content-hub/uam_details.json", Kind::UnifiedAlerts, 1, &[]),
    ("chronicle-content-hub/uam_users.json", Kind::NotThreats, 0, &["a user"]),
    ("rapid7-insightconnect-plugins/get_threat_summary_page_1.json", Kind::LegacyThreats, 1, &[]),
    ("rapid7-insightconnect-plugins/get_valid_threat_1.json", Kind::Threats, 0, &["placeholder"]),
    ("rapid7-insightconnect-plugins/get_valid_alert_1.json", Kind::RuleAlerts, 0, &["placeholder"]),
    ("rapid7-insightconnect-plugins/alerts.json", Kind::NotThreats, 0, &["a record of unknown kind"]),
    ("rapid7-insightconnect-plugins/affected_1.json", Kind::NotThreats, 0, &["the answer to an action"]),
    (
        "rapid7-insightconnect-plugins/activities_first_page.json",
        Kind::NotThreats,
        0,
        &["an entry of the activity log", "an entry of the activity log"],
    ),
    ("rapid7-insightconnect-plugins/activities_count_only.json", Kind::Empty, 0, &[]),
    ("rapid7-insightconnect-plugins/activities_types.json", Kind::NotThreats, 0, &["a type of activity"; 4]),
    ("rapid7-insightconnect-plugins/agents_summary.json", Kind::NotThreats, 0, &["a count of agents"]),
    ("rapid7-insightconnect-plugins/sites.json", Kind::NotThreats, 0, &["a record of unknown kind"; 4]),
    ("rapid7-insightconnect-plugins/get_query_status.json", Kind::NotThreats, 0, &["the state of a query"]),
    ("rapid7-insightconnect-plugins/restrictions.json", Kind::NotThreats, 0, &["a record of unknown kind"; 4]),
    (
        "rapid7-insightconnect-plugins/apps_by_agent_ids_success.json",
        Kind::NotThreats,
        0,
        &["an installed application"; 2],
    ),
    (
        "rapid7-insightconnect-plugins/get_events_success_page_1_first.json",
        Kind::NotThreats,
        0,
        &["an event of Deep Visibility"],
    ),
    ("cartography/agents_paginated_page_2.json", Kind::NotThreats, 0, &["an agent"]),
    ("cartography/sites_data.json", Kind::NotThreats, 0, &["a site"; 3]),
    ("cartography/accounts_data.json", Kind::NotThreats, 0, &["an account"; 3]),
    ("panther-analysis/activity_threat_samples_first.json", Kind::NotThreats, 0, &["an entry of the activity log"]),
    ("panther-analysis/activity_threat_samples.json", Kind::NotThreats, 0, &["an entry of the activity log"; 8]),
    ("demisto-content/event_collector_alerts.json", Kind::RuleAlerts, 2, &[]),
    ("cartography/agents_data.json", Kind::NotThreats, 0, &["an agent"; 3]),
    ("cartography/agents_paginated_page_1.json", Kind::NotThreats, 0, &["an agent"; 2]),
    ("rapid7-insightconnect-plugins/search_agents_all.json", Kind::NotThreats, 0, &["an agent"; 4]),
    (
        "rapid7-insightconnect-plugins/get_events_success_page_1.json",
        Kind::NotThreats,
        0,
        &["an event of Deep Visibility"; 3],
    ),
    ("rapid7-insightconnect-plugins/create_query.json", Kind::NotThreats, 0, &["the state of a query"]),
    ("rapid7-insightconnect-plugins/cancel_running_query.json", Kind::NotThreats, 0, &["the answer to an action"]),
    ("rapid7-insightconnect-plugins/mark_as_benign_success.json", Kind::NotThreats, 0, &["the answer to an action"]),
    ("rapid7-insightconnect-plugins/name_available.json", Kind::NotThreats, 0, &["a record of unknown kind"]),
    (
        "rapid7-insightconnect-plugins/protected_actions_session.json",
        Kind::NotThreats,
        0,
        &["a record of unknown kind"],
    ),
];

#[test]
fn every_recorded_file_is_taken_for_what_it_is() {
    for (file, kind, taken, refused) in TABLE {
        let recorded = load(file);
        assert_eq!((recorded.kind, recorded.threats.len()), (kind, taken), "{file}");
        let said: Vec<_> = recorded.refused.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), refused.len(), "{file}: {said:?}");
        for ((text, expected), position) in said.iter().zip(refused).zip(1..) {
            assert!(text.starts_with(&format!("record {position}: ")) && text.contains(expected), "{file}: {text}");
        }
    }
}

#[test]
fn no_recorded_file_is_missing_from_the_table() {
    let mut found: Vec<_> =
        folder().read_dir().unwrap().flat_map(|e| e.unwrap().path().read_dir().into_iter().flatten()).collect();
    found.retain(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "json"));
    assert_eq!(found.len(), TABLE.len());
}

#[test]
fn a_real_threat_keeps_its_facts() {
    let recorded = load("demisto-content/get_threats_2_1_first_two.json");
    let [first, second] = &recorded.threats[..] else { panic!("two threats") };
    let alert = &first.alert;
    assert_eq!((alert.id.as_str(), alert.source), ("715718962991148224", Source::Threat));
    assert_eq!(alert.name.quoted(), "Unconfirmed 123490.crdownload");
    assert_eq!(alert.detected_at.to_string(), "2019-09-15T12:05:49.009Z");
    assert_eq!(alert.created_at.to_string(), "2019-09-15T12:05:49.095889Z");
    assert_eq!(alert.version.to_string(), "2020-04-02T14:52:28.528753Z");
    assert_eq!(alert.file.sha1.as_ref().unwrap().as_str(), "3395856ce81f2b7382dee72602f798b642f14140");
    assert_eq!(
        (alert.file.size_bytes, &alert.file.sha256, &alert.file.signature),
        (None, &None, &Signature::NotSigned)
    );
    assert_eq!(alert.process.user.as_ref().unwrap().quoted(), "EC2AMAZ-AJ0KANC\\Administrator");
    assert_eq!(alert.process.command_line, None);
    let detection = &alert.detection;
    assert_eq!((detection.kind, &detection.engines[..]), (DetectionKind::Static, [Engine::Reputation].as_slice()));
    assert_eq!((detection.confidence, &detection.classification), (Confidence::Malicious, &Classification::Malware));
    assert_eq!((detection.initiated_by, detection.reputation), (Initiator::AgentPolicy, Reputation::KnownMalicious));
    assert_eq!(alert.mitigation.state, MitigationState::Mitigated);
    assert_eq!(alert.outcome_of(MitigationAction::Quarantine), Some(MitigationOutcome::Success));
    assert_eq!((alert.console.verdict, alert.console.status), (Verdict::Undetermined, ConsoleStatus::Resolved));
    assert_eq!(alert.storyline.as_ref().unwrap().quoted(), "A8F6CB4CB9AE09A1");

    // All of `agentDetectionInfo` is null here: the live half speaks for it.
    let endpoint = &alert.endpoint;
    assert_eq!((endpoint.agent.as_str(), endpoint.name.quoted().as_str()), ("657613730168123595", "EC2AMAZ-AJ0KANC"));
    assert_eq!(
        (endpoint.os, endpoint.machine, endpoint.network),
        (Os::Windows, Machine::Server, Network::Reconnecting)
    );
    assert_eq!(endpoint.online, Some(false));
    assert_eq!(endpoint.site.as_ref().unwrap().quoted(), "demisto");
    let addresses: Vec<_> = endpoint.addresses.iter().map(domain::Untrusted::quoted).collect();
    assert_eq!(addresses, ["8.8.8.8", "fe80::1da3:1ca8:b311:af32"]);

    assert!(
        matches!(&second.alert.file.signature, Signature::Valid { publisher: Some(p) } if p.quoted() == "CHIP DIGITAL GMBH")
    );
    assert_eq!(second.alert.detection.engines, [Engine::StaticOnWrite]);
    assert_eq!(second.alert.detection.reputation, Reputation::NotKnown);
    assert_eq!(second.alert.detection.indicators.len(), 4);
}

#[test]
fn a_rule_alert_is_dated_by_its_event_and_named_by_its_rule() {
    let taken = only("demisto-content/event_collector_alerts_first.json");
    let alert = taken.alert;
    assert_eq!((alert.source, alert.name.quoted().as_str()), (Source::RuleAlert, "user-alerts"));
    assert_eq!(alert.detected_at.to_string(), "2022-12-20T13:54:43.04Z");
    assert_eq!(alert.created_at.to_string(), "2022-12-20T13:54:47.350882Z");
    assert_eq!(
        (alert.detection.confidence, &alert.detection.engines[..]),
        (Confidence::Malicious, [Engine::CustomRule].as_slice())
    );
    assert_eq!(alert.detection.indicators[0].category.as_ref().unwrap().quoted(), "REGVALUEMODIFIED");
    assert_eq!(alert.detection.indicators[0].description.quoted(), "EndpointName exists");
    assert_eq!((alert.endpoint.name.quoted().as_str(), alert.endpoint.machine), ("DESKTOP", Machine::Desktop));
    assert_eq!((alert.console.verdict, alert.console.status), (Verdict::Undetermined, ConsoleStatus::Unresolved));
    assert_eq!(alert.mitigation.state, MitigationState::Unknown);
}

#[test]
fn a_unified_alert_is_read_from_a_list_and_from_its_details() {
    let brief = only("chronicle-content-hub/uam_alerts.json").alert;
    let full = only("chronicle-content-hub/uam_details.json").alert;
    assert_eq!((&brief.id, brief.version), (&full.id, full.version));
    assert_eq!(full.name.quoted(), "avm.exe detected as Malware");
    assert_eq!(
        (full.detection.kind, full.detection.initiated_by),
        (DetectionKind::Behavioural, Initiator::AgentPolicy)
    );
    assert_eq!(full.mitigation.state, MitigationState::NotMitigated);
    assert_eq!(full.endpoint.agent.as_str(), "817398809a406af377ebb6bb617a2e05a89e5e7e");
    assert_eq!((full.endpoint.machine, full.endpoint.online), (Machine::Server, Some(true)));
    assert_eq!((full.file.size_bytes, &full.file.signature), (Some(422_912), &Signature::NotSigned));
    assert!(full.file.sha256.is_some() && full.file.md5.is_none());
    let [about, indicator] = &full.detection.indicators[..] else { panic!("the description and one indicator") };
    assert!(about.description.quoted().starts_with("Windows memory events analysis"));
    assert_eq!(indicator.description.quoted(), "Information gathered for kernel exploitation");
    // The list knows neither asset nor scope, and invents none.
    assert_eq!(brief.endpoint.agent.as_str(), sentinelone::UNKNOWN_AGENT);
    assert_eq!((brief.endpoint.site, brief.file.path), (None, None));
}

#[test]
fn a_legacy_threat_is_read_from_its_flat_form() {
    let alert = only("rapid7-insightconnect-plugins/get_threat_summary_page_1.json").alert;
    assert_eq!((alert.source, alert.name.quoted().as_str()), (Source::LegacyThreat, "test.txt"));
    assert_eq!(alert.detected_at.to_string(), "2020-07-19T14:58:59.51Z");
    assert_eq!(
        (alert.detection.kind, &alert.detection.engines[..]),
        (DetectionKind::Static, [Engine::StaticOnWrite].as_slice())
    );
    assert_eq!(
        (alert.detection.initiated_by, &alert.detection.classification),
        (Initiator::AgentPolicy, &Classification::Trojan)
    );
    assert_eq!(alert.detection.reputation, Reputation::KnownMalicious);
    assert_eq!(alert.file.best_hash().unwrap().as_str(), "02699626f388ed830012e5b787640e71c56d42d8");
    let steps: Vec<_> = alert.mitigation.steps.iter().map(|s| (s.action, s.outcome)).collect();
    assert_eq!(
        steps,
        [
            (MitigationAction::Kill, MitigationOutcome::Success),
            (MitigationAction::Quarantine, MitigationOutcome::Success)
        ]
    );
    assert_eq!((alert.console.status, alert.process.user), (ConsoleStatus::Resolved, None));
}

#[test]
fn every_record_taken_keeps_the_record_as_it_came() {
    for (file, _, taken, _) in TABLE.iter().filter(|(_, _, taken, _)| *taken > 0) {
        let text = fs::read_to_string(folder().join(file)).unwrap();
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        let recorded = load(file);
        assert_eq!(recorded.threats.len(), *taken);
        for one in recorded.threats {
            assert!(contains(&whole, &one.raw), "{file}");
        }
    }
}

#[test]
fn no_single_field_of_the_wrong_type_loses_a_record() {
    use serde_json::{Value, json};
    let wrong = [json!(null), json!(true), json!(-7), json!("None"), json!("\u{202e}"), json!([1]), json!({"a": {}})];
    for (file, needed) in [
        ("demisto-content/get_threats_2_1_first_two.json", &["id"][..]),
        ("demisto-content/event_collector_alerts_first.json", &["alertId"]),
        ("chronicle-content-hub/uam_details.json", &["id", "name", "detectedAt"]),
        ("rapid7-insightconnect-plugins/get_threat_summary_page_1.json", &["id", "agentId"]),
    ] {
        let raw = load(file).threats.remove(0).raw;
        let leaves = leaves(&raw, "");
        assert!(leaves.len() > 40, "{file}");
        for pointer in leaves {
            if needed.contains(&pointer.trim_start_matches("/alertInfo").trim_start_matches('/')) {
                continue;
            }
            for value in &wrong {
                let mut changed = raw.clone();
                *changed.pointer_mut(&pointer).unwrap() = value.clone();
                let recorded = read(changed.to_string().as_bytes());
                assert_eq!(recorded.threats.len(), 1, "{file} {pointer} {value}: {:?}", recorded.refused);
            }
        }
    }

    fn leaves(value: &Value, at: &str) -> Vec<String> {
        match value {
            Value::Object(members) => members.iter().flat_map(|(key, v)| leaves(v, &format!("{at}/{key}"))).collect(),
            Value::Array(items) => items.iter().zip(0..).flat_map(|(v, n)| leaves(v, &format!("{at}/{n}"))).collect(),
            _ => vec![at.to_owned()],
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_and_not_half_read() {
    let whole = fs::read(folder().join("rapid7-insightconnect-plugins/get_threat_summary_page_1.json")).unwrap();
    let end = whole.trim_ascii_end().len();
    for cut in 0..end {
        let recorded = read(&whole[..cut]);
        assert_eq!((recorded.kind, recorded.threats.len(), recorded.refused.len()), (Kind::NotJson, 0, 1), "{cut}");
    }
}

// Helpers

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

fn load(file: &str) -> Recorded {
    read(&fs::read(folder().join(file)).unwrap())
}

fn only(file: &str) -> Taken {
    let mut threats = load(file).threats;
    assert_eq!(threats.len(), 1, "{file}");
    threats.remove(0)
}

fn contains(whole: &serde_json::Value, part: &serde_json::Value) -> bool {
    whole == part
        || whole.as_array().is_some_and(|items| items.iter().any(|v| contains(v, part)))
        || whole.as_object().is_some_and(|items| items.values().any(|v| contains(v, part)))
}
