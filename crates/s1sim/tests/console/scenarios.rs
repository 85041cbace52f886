//! The plays: all of them can be played on every customer, in the described form, and show what they promise.

use std::collections::BTreeSet;

use crate::support::{Probe, SITE};
use s1sim::{Capability, scenario};
use serde_json::Value;

/// Plays one scenario to its end and gives all its threats.
async fn play(name: &str) -> Vec<Value> {
    let probe = Probe::start().await;
    let takes = probe.sim.play(name, SITE).expect("a scenario");
    probe.sim.advance(takes);
    let got = probe.get("/threats?limit=1000&sortBy=createdAt").await;
    got.body["data"].as_array().expect("threats").clone()
}

fn techniques(threat: &Value) -> BTreeSet<String> {
    let indicators = threat["indicators"].as_array().into_iter().flatten();
    let tactics = indicators.flat_map(|indicator| indicator["tactics"].as_array().into_iter().flatten());
    let techniques = tactics.flat_map(|tactic| tactic["techniques"].as_array().into_iter().flatten());
    techniques.filter_map(|technique| technique["name"].as_str()).map(str::to_owned).collect()
}

#[track_caller]
fn shows(threat: &Value, wanted: &[&str]) {
    let found = techniques(threat);
    for technique in wanted {
        assert!(found.contains(*technique), "{technique} is not in {found:?}");
    }
}

#[tokio::test]
async fn every_scenario_plays_on_every_customer_in_the_described_form() {
    let probe = Probe::start().await;
    for customer in ["hoshimi", "northmere", "kanata"] {
        for scenario in scenario::ALL {
            probe.sim.play(scenario.name, customer).expect("a scenario");
        }
    }
    probe.pass(300_000);
    let ledger = probe.sim.ledger();
    for customer in ["hoshimi", "northmere", "kanata"] {
        let token = probe.sim.token(customer, Capability::Read);
        let seen = probe.get_as("/threats?limit=1000", &token).await.body["data"].as_array().expect("threats").len();
        assert_eq!(seen, ledger.raised.iter().filter(|raised| raised.site == customer).count());
        for scenario in scenario::ALL {
            let raised = ledger
                .raised
                .iter()
                .any(|raised| raised.site == customer && raised.scenario.as_deref() == Some(scenario.name));
            assert!(raised, "{} left no threat on {customer}", scenario.name);
        }
    }
    assert_eq!(probe.ids("/agents?scanStatuses=finished&computerName__contains=NB-NEW").await.len(), 1);
}

#[tokio::test]
async fn ransomware_on_a_workstation_is_running_and_gets_worse() {
    let probe = Probe::start().await;
    probe.sim.play("ransomware-workstation", SITE).expect("a scenario");
    let before = probe.get("/threats").await.body["data"][0].clone();
    assert_eq!(before["threatInfo"]["mitigationStatus"], "not_mitigated");
    assert_eq!(before["threatInfo"]["engines"][0], "DBT - Executables");
    assert_eq!(before["threatInfo"]["detectionEngines"][0]["title"], "Behavioral AI");
    assert_eq!(before["agentDetectionInfo"]["agentMitigationMode"], "detect");
    assert_eq!(before["agentRealtimeInfo"]["agentMachineType"], "desktop");
    shows(&before, &["T1486"]);
    probe.pass(10_000);
    let after = probe.get("/threats?updatedAt__gt=2026-11-24T01:00:01Z").await.body["data"][0].clone();
    assert_eq!(after["id"], before["id"], "the same threat, updated");
    shows(&after, &["T1486", "T1490", "T1489"]);
}

#[tokio::test]
async fn ransomware_on_hosts_is_one_file_on_three_machines_with_a_server_among_them() {
    let threats = play("ransomware-hosts").await;
    let of = |member: &str| {
        threats.iter().map(|threat| threat["threatInfo"][member].to_string()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((threats.len(), of("sha1"), of("collectionId"), of("storyline")), (3, 1, 1, 3));
    assert_eq!(threats[2]["agentRealtimeInfo"]["agentMachineType"], "server");
    shows(&threats[2], &["T1021.002", "T1489"]);
}

#[tokio::test]
async fn stolen_credentials_end_on_a_domain_controller() {
    let threats = play("credential-theft-lateral").await;
    shows(&threats[0], &["T1003.001", "T1018"]);
    shows(&threats[1], &["T1021.002", "T1569.002"]);
    shows(&threats[2], &["T1003.003", "T1021.006"]);
    assert_eq!(threats[2]["agentRealtimeInfo"]["groupName"], "Domain Controllers");
    assert!(threats.iter().all(|threat| threat["threatInfo"]["mitigationStatus"] == "not_mitigated"));
}

#[tokio::test]
async fn a_phishing_document_was_stopped_by_the_agent_with_its_shell() {
    let threats = play("phishing-document").await;
    assert_eq!(threats[0]["threatInfo"]["fileExtensionType"], "Document");
    assert_eq!(threats[0]["threatInfo"]["storyline"], threats[1]["threatInfo"]["storyline"]);
    assert_eq!(threats[1]["threatInfo"]["originatorProcess"], "WINWORD.EXE");
    shows(&threats[1], &["T1059.001"]);
    for threat in &threats {
        assert_eq!(threat["threatInfo"]["mitigationStatus"], "mitigated");
        assert_eq!(threat["mitigationStatus"][1]["status"], "success");
    }
}

#[tokio::test]
async fn quiet_findings_carry_no_sign_of_an_attack() {
    for (name, classification, outcome) in [
        ("pua", "PUA", "mitigated"),
        ("admin-tool", "Hacktool", "not_mitigated"),
        ("static-unknown-file", "Malware", "mitigated"),
    ] {
        let threats = play(name).await;
        let info = &threats[0]["threatInfo"];
        assert_eq!(
            (threats.len(), &info["classification"], &info["mitigationStatus"]),
            (1, &classification.into(), &outcome.into()),
            "{name}"
        );
        assert_eq!(
            (&info["confidenceLevel"], &info["detectionType"]),
            (&"suspicious".into(), &"static".into()),
            "{name}"
        );
        assert!(techniques(&threats[0]).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_first_scan_finds_sixty_old_files_on_one_new_laptop() {
    let threats = play("full-disk-scan").await;
    let hashes: BTreeSet<_> = threats.iter().map(|threat| threat["threatInfo"]["sha1"].to_string()).collect();
    let agents: BTreeSet<_> = threats.iter().map(|threat| threat["agentRealtimeInfo"]["agentId"].to_string()).collect();
    assert_eq!((threats.len(), hashes.len(), agents.len()), (60, 60, 1));
    assert!(threats.iter().all(|threat| threat["threatInfo"]["initiatedBy"] == "full_disk_scan"
        && threat["threatInfo"]["detectionType"] == "static"));
    assert_eq!(threats[0]["agentRealtimeInfo"]["agentMachineType"], "laptop");
}

#[tokio::test]
async fn exfiltration_and_wiper_name_what_they_do() {
    shows(&play("exfiltration").await[0], &["T1567.002", "T1048.002", "T1560.001"]);
    let wiper = play("wiper").await;
    shows(&wiper[0], &["T1485", "T1561.002"]);
    assert_eq!(wiper[0]["agentRealtimeInfo"]["agentMachineType"], "server");
}

#[tokio::test]
async fn the_same_play_shows_the_same_files_in_the_customers_language() {
    let probe = Probe::start().await;
    for customer in ["hoshimi", "northmere"] {
        probe.sim.play("ransomware-workstation", customer).expect("a scenario");
        probe.sim.play("ransomware-workstation", customer).expect("a scenario");
    }
    let ledger = probe.sim.ledger();
    let threats: Vec<Value> =
        ledger.raised.iter().map(|raised| probe.sim.threat(&raised.threat_id).expect("there")).collect();
    let info = |n: usize, member: &str| threats[n]["threatInfo"][member].as_str().expect("a text").to_owned();
    assert_eq!(info(0, "sha1"), info(2, "sha1"));
    assert_ne!(info(0, "storyline"), info(1, "storyline"), "a second play is another story");
    assert!(info(0, "threatName").starts_with("納品書") && info(2, "threatName").starts_with("Delivery"));
    assert!(info(0, "filePath").contains("sato.kenji") && !info(0, "maliciousProcessArguments").contains("{user}"));
}

#[tokio::test]
async fn two_consoles_tell_the_same_story_with_the_same_ids() {
    let told = async || {
        let probe = Probe::start().await;
        probe.sim.play("credential-theft-lateral", "kanata").expect("a scenario");
        probe.pass(20_000);
        probe.get_as("/threats", &probe.sim.token("kanata", Capability::Read)).await.body
    };
    assert_eq!(told().await, told().await);
}
