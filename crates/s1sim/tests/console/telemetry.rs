//! What endpoints recorded: the threats' own events, Deep Visibility and PowerQuery as clients ask them.

use std::collections::BTreeSet;

use crate::support::{Probe, SITE};
use s1sim::scenario;
use serde_json::Value;

/// Every event of every threat that a scenario raised, a minute after its end.
async fn told(probe: &Probe, name: &str) -> Vec<(Value, Vec<Value>)> {
    let takes = probe.sim.play(name, SITE).expect("a scenario");
    probe.sim.advance(takes);
    probe.pass(60_000);
    let threats =
        probe.get("/threats?limit=1000&sortBy=createdAt").await.body["data"].as_array().expect("threats").clone();
    let mut told = Vec::new();
    for threat in threats {
        let path = format!("/threats/{}/explore/events?limit=1000", threat["id"].as_str().expect("an id"));
        let events = probe.get(&path).await.body["data"].as_array().expect("events").clone();
        told.push((threat, events));
    }
    told
}

#[tokio::test]
async fn every_threat_has_events_of_its_own_storyline_whose_causes_come_first() {
    for scenario in scenario::ALL {
        let probe = Probe::start().await;
        for (threat, events) in told(&probe, scenario.name).await {
            assert!(!events.is_empty(), "{}: a threat without events", scenario.name);
            let mut started = BTreeSet::new();
            let mut by_time = events.clone();
            by_time.sort_by_key(|event| event["createdAt"].as_str().map(str::to_owned));
            for event in &by_time {
                assert_eq!(event["agentId"], threat["agentRealtimeInfo"]["agentId"]);
                assert_eq!(event["relatedToThreat"], true);
                let key = event["processUniqueKey"].as_str().expect("a key").to_owned();
                if event["eventType"] == "Process Creation" {
                    assert_eq!(event["storyline"], threat["threatInfo"]["storyline"], "{}", scenario.name);
                    started.insert(key);
                } else if event["parentProcessUniqueKey"].is_string() {
                    assert!(started.contains(&key), "{}: {event} acts before it is started", scenario.name);
                }
            }
        }
    }
}

#[tokio::test]
async fn the_phishing_documents_shell_comes_out_of_the_mail_with_its_command_encoded() {
    let probe = Probe::start().await;
    let told = told(&probe, "phishing-document").await;
    assert_eq!(told[0].1, told[1].1, "both threats are one story");
    let shell = told[0].1.iter().find(|event| event["processName"] == "powershell.exe").expect("a shell");
    assert_eq!(shell["parentProcessName"], "WINWORD.EXE");
    assert!(shell["processCmd"].as_str().expect("a command").contains("-enc SQBFAFgA"));
    assert_eq!(shell["processImageSha1Hash"], told[1].0["threatInfo"]["sha1"], "the same file as the threat's");
    assert!(told[0].1.iter().any(|event| event["dnsRequest"] == "files.parcel-notice.example"));
}

#[tokio::test]
async fn a_killed_process_does_nothing_any_more() {
    let probe = Probe::start().await;
    probe.sim.play("ransomware-workstation", SITE).expect("a scenario");
    probe.pass(10_000);
    let id = probe.ids("/threats").await.remove(0);
    let renamed = async || {
        probe.get(&format!("/threats/{id}/explore/events?eventSubTypes=FILERENAME&countOnly=true")).await.body["pagination"]["totalItems"].as_u64()
    };
    let before = renamed().await.expect("a count");
    let order = serde_json::json!({"filter": {"ids": [id]}, "data": {}});
    probe.post("/threats/mitigate/kill", order).await;
    probe.pass(1_000);
    let at_kill = renamed().await.expect("a count");
    probe.pass(120_000);
    assert!(before > 40 && renamed().await == Some(at_kill), "the locker went on");
    let ended = probe
        .get(&format!("/threats/{id}/explore/events?eventSubTypes=PROCESSTERMINATION&processName__like=.exe&limit=100"))
        .await;
    assert!(ended.body["data"].to_string().contains("2026-11-24T01:00:10.8"), "its end was recorded: {}", ended.body);
}
