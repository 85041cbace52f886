//! The control endpoints, hidden and late threats, and what the ledger keeps.

use crate::support::{Got, Probe, SITE};
use axum::body::Body;
use s1sim::{Capability, Fault, FaultKind, Threat, Times};
use serde_json::{Value, json};

async fn control(probe: &Probe, method: &str, path: &str, body: Value) -> Got {
    let header = format!("ApiToken {}", probe.sim.control_token());
    probe.call(method, path, &header, Body::from(body.to_string())).await
}

#[tokio::test]
async fn scenarios_threats_and_faults_can_be_ordered_from_outside() {
    let probe = Probe::start().await;
    let raised = control(&probe, "POST", "/_sim/raise", json!({"scenario": "pua", "site": SITE})).await;
    assert_eq!(raised.status, 200, "{}", raised.body);
    let patch =
        json!({"threatInfo": {"threatName": "own.exe", "sha1": "ab".repeat(20)}, "indicators": [], "unknownMember": 1});
    let custom = control(
        &probe,
        "POST",
        "/_sim/threat",
        json!({"siteId": probe.sim.site_id(SITE), "host": "NEW-PC", "patch": patch}),
    )
    .await;
    let id = custom.body["threatId"].as_str().expect("an id").to_owned();
    let shown = probe.get("/threats?query=own.exe").await.body;
    assert_eq!((&shown["data"][0]["id"], &shown["data"][0]["unknownMember"]), (&json!(id), &json!(1)));
    assert_eq!(shown["data"][0]["agentRealtimeInfo"]["agentComputerName"], "NEW-PC");

    let fault = json!({"kind": "status", "status": 500, "path": "/threats", "times": {"count": 2}});
    assert_eq!(control(&probe, "POST", "/_sim/faults", fault).await.body["armed"], 1);
    assert_eq!(probe.get("/threats").await.status, 500);
    assert_eq!(control(&probe, "GET", "/_sim/faults", Value::Null).await.body[0]["times"]["count"], 1);
    control(&probe, "DELETE", "/_sim/faults", Value::Null).await;
    assert_eq!(probe.get("/threats").await.status, 200);

    let ledger = control(&probe, "GET", "/_sim/ledger", Value::Null).await.body;
    assert_eq!(ledger["raised"].as_array().expect("rows").len(), 2);
    assert_eq!(ledger["raised"][0]["scenario"], "pua");
    let agent = control(&probe, "GET", "/_sim/fleet", Value::Null).await.body["sites"][0]["agents"][0]["id"].clone();
    control(&probe, "POST", "/_sim/offline", json!({"agentId": agent})).await;
    assert_eq!(probe.sim.agent(agent.as_str().expect("an id")).expect("there")["isActive"], false);
}

#[tokio::test]
async fn a_broken_patch_cannot_make_a_threat_without_its_own_id_or_facts() {
    let probe = Probe::start().await;
    for patch in
        [json!(null), json!("text"), json!({"id": "1", "threatInfo": 5, "mitigationStatus": "none", "indicators": 7})]
    {
        let got = control(&probe, "POST", "/_sim/threat", json!({"site": SITE, "patch": patch})).await;
        let id = got.body["threatId"].as_str().expect("an id").to_owned();
        assert_eq!(probe.sim.threat(&id).expect("there")["threatInfo"]["threatId"], id);
        assert_eq!(probe.post("/threats/mitigate/kill", json!({"filter": {"ids": [id]}})).await.affected(), 1);
        probe.pass(2000);
        assert_eq!(probe.sim.threat(&id).expect("there")["threatInfo"]["mitigationStatus"], "mitigated");
    }
    for bad in [json!({"site": "nobody"}), json!({"site": SITE, "scenario": "none"})] {
        assert_ne!(control(&probe, "POST", "/_sim/raise", bad).await.status, 200);
    }
    assert_eq!(control(&probe, "POST", "/_sim/faults", json!({"kind": "earthquake"})).await.code(), 4_000_010);
}

#[tokio::test]
async fn control_needs_its_own_token() {
    let probe = Probe::start().await;
    for header in [
        format!("ApiToken {}", probe.sim.token(SITE, Capability::Full)),
        format!("ApiToken {}", probe.sim.console_token(Capability::Full)),
        String::new(),
    ] {
        assert_eq!(probe.call("GET", "/_sim/ledger", &header, Body::empty()).await.status, 401);
    }
    assert_eq!(probe.get_as("/threats", &probe.sim.control_token()).await.status, 401, "and it opens nothing else");
}

#[tokio::test]
async fn a_dropped_threat_is_in_the_ledger_and_nowhere_else() {
    let probe = Probe::start().await;
    probe.sim.faults().add(Fault::new(FaultKind::DropThreat).in_scenario("wiper"));
    probe.sim.play("pua", SITE).expect("a scenario");
    probe.sim.play("wiper", SITE).expect("a scenario");
    probe.pass(60_000);
    assert_eq!(probe.ids("/threats").await.len(), 1);
    assert_eq!(probe.ids("/activities?activityTypes=18,19,20,4003").await.len(), 1);
    let ledger = probe.sim.ledger();
    let hidden: Vec<_> = ledger.raised.iter().filter(|raised| raised.visible_at.is_none()).collect();
    assert_eq!((ledger.raised.len(), hidden.len(), hidden[0].scenario.as_deref()), (2, 1, Some("wiper")));
    assert_eq!(
        probe.post("/threats/mitigate/kill", json!({"filter": {"ids": [hidden[0].threat_id]}})).await.affected(),
        0
    );
}

#[tokio::test]
async fn a_late_threat_appears_with_a_time_that_has_passed() {
    let probe = Probe::start().await;
    probe.sim.faults().add(Fault::new(FaultKind::LateThreat { seconds: 30 }).at(SITE));
    probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    probe.pass(29_000);
    assert_eq!(probe.ids("/threats").await.len(), 0);
    probe.pass(1000);
    let shown = probe.get("/threats").await.body;
    assert!(shown["data"][0]["threatInfo"]["updatedAt"].as_str().expect("a time") < "2026-11-24T01:00:00");
}

#[tokio::test]
async fn a_late_change_shows_the_old_state_until_then() {
    let probe = Probe::start().await;
    probe.sim.play("exfiltration", SITE).expect("a scenario");
    probe.sim.faults().add(Fault::new(FaultKind::LateThreat { seconds: 60 }).times(Times::Always));
    probe.pass(10_000);
    let count = async || probe.get("/threats").await.body["data"][0]["indicators"].as_array().expect("a list").len();
    assert_eq!(count().await, 2);
    probe.pass(60_000);
    assert_eq!(count().await, 4);
}

#[tokio::test]
async fn a_slow_answer_keeps_its_client_waiting_and_nobody_else() {
    let probe = Probe::start().await;
    probe.sim.faults().add(Fault::new(FaultKind::Slow { millis: 600_000 }).on("GET", "/agents"));
    let patience = std::time::Duration::from_millis(30);
    assert!(tokio::time::timeout(patience, probe.get("/agents")).await.is_err());
    assert_eq!(probe.get("/threats").await.status, 200);
    assert_eq!(probe.get("/agents").await.status, 200, "only once");
}

#[tokio::test]
async fn conditions_not_met_changes_nothing_and_is_not_counted() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    probe.sim.faults().add(Fault::new(FaultKind::ConditionsNotMet).on("POST", "/threats/incident"));
    let order = json!({"filter": {"ids": [id]}, "data": {"incidentStatus": "resolved"}});
    let got = probe.post("/threats/incident", order.clone()).await;
    assert_eq!((got.affected(), &got.body["data"]["details"][0]["result"]), (0, &json!("conditions_not_met")));
    assert_eq!(probe.sim.threat(&id).expect("there")["threatInfo"]["incidentStatus"], "unresolved");
    assert_eq!(probe.post("/threats/incident", order).await.affected(), 1);
}

#[tokio::test]
async fn the_ledger_names_the_token_the_value_and_the_times_told() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    let note = json!({"filter": {"ids": [id]}, "data": {"text": "twice"}});
    let token = probe.sim.token(SITE, Capability::Write);
    for _ in 0..2 {
        probe.post_as("/threats/notes", note.clone(), &token).await;
    }
    let ledger = probe.sim.ledger();
    let last = ledger.calls("note")[1];
    assert_eq!(
        (last.token.as_str(), last.value.as_deref(), last.targets[0].told_effectively),
        ("hoshimi/write", Some("twice"), 2)
    );
    assert!(!serde_json::to_string(&ledger).expect("JSON").contains(&token), "a secret is never written down");
}

#[tokio::test]
async fn time_can_be_moved_from_outside_and_the_next_event_is_known() {
    let probe = Probe::start().await;
    assert_eq!(probe.sim.next_due(), None);
    probe.sim.play("exfiltration", SITE).expect("a scenario");
    assert_eq!(probe.sim.next_due().map(|at| at.to_string()).as_deref(), Some("2026-11-24T01:00:05Z"));
    let got = control(&probe, "POST", "/_sim/advance", json!({"seconds": 5})).await;
    assert_eq!(got.body["now"], "2026-11-24T01:00:05.000000Z");
    assert_eq!(probe.sim.next_due(), None);
}
