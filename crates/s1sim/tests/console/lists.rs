//! What lists show to whom: scope, filters, pages, errors.

use crate::support::{Probe, SITE};
use axum::body::Body;
use jiff::Timestamp;
use s1sim::{Capability, Fault, FaultKind, Threat};
use serde_json::{Value, json};

#[tokio::test]
async fn every_call_answers_in_the_described_form() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101").known_bad()).expect("raised");
    let filter = json!({"ids": [id]});
    for action in ["kill", "quarantine", "remediate", "rollback-remediation", "un-quarantine"] {
        assert_eq!(probe.post(&format!("/threats/mitigate/{action}"), json!({"filter": filter})).await.status, 200);
    }
    probe.pass(5000);
    probe.post("/threats/notes", json!({"filter": filter, "data": {"text": "seen"}})).await;
    let threat = probe.sim.threat(&id).expect("there");
    let sha1 = threat["threatInfo"]["sha1"].as_str().expect("a hash");
    let user = probe.get("/user").await.body["data"]["id"].as_str().expect("an id").to_owned();
    for path in [
        "/threats".to_owned(),
        "/agents".to_owned(),
        "/agents/count".to_owned(),
        "/activities".to_owned(),
        "/activities/types".to_owned(),
        "/sites".to_owned(),
        "/groups".to_owned(),
        "/user".to_owned(),
        "/system/info".to_owned(),
        "/system/status".to_owned(),
        format!("/threats/{id}/notes"),
        format!("/threats/{id}/timeline"),
        format!("/hashes/{sha1}/verdict"),
        format!("/hashes/{sha1}/reputation"),
        format!("/hashes/{sha1}/classification"),
        format!("/users/{user}/api-token-details"),
    ] {
        let got = probe.get(&path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        assert!(!got.body["data"].is_null(), "{path}");
    }
    let account = probe.sim.account_token(SITE, Capability::Read);
    assert_eq!(probe.get_as("/accounts", &account).await.body["pagination"]["totalItems"], 1);
    let token = json!({"data": {"apiToken": account}});
    assert_eq!(probe.post("/users/api-token-details", token).await.status, 200);
}

#[tokio::test]
async fn filters_find_a_threat_by_what_it_is() {
    let probe = Probe::start().await;
    probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    probe.pass(60_000);
    let tool = probe.sim.raise(SITE, &Threat::static_unknown("HSM-NB-0201")).expect("raised");
    let threat = probe.sim.threat(&tool).expect("there");
    let info = |member: &str| threat["threatInfo"][member].as_str().expect("a text").to_owned();
    let realtime = |member: &str| threat["agentRealtimeInfo"][member].as_str().expect("a text").to_owned();
    for query in [
        format!("ids={tool}"),
        format!("contentHashes={}", info("sha1")),
        format!("contentHashes={}", info("sha256")),
        format!("storylines={}", info("storyline")),
        format!("agentIds={}", realtime("agentId")),
        format!("collectionIds={}", info("collectionId")),
        "computerName__contains=nb-02".to_owned(),
        "confidenceLevels=suspicious".to_owned(),
        "mitigationStatuses=mitigated".to_owned(),
        "query=label_print".to_owned(),
        "engines=pre_execution_suspicious".to_owned(),
        "agentMachineTypes=laptop".to_owned(),
        "classificationsNin=Ransomware".to_owned(),
        "createdAt__gt=2026-11-24T01:00:30Z".to_owned(),
        "updatedAt__gte=2026-11-24T01:00:30.000000Z&resolved=false".to_owned(),
        "filePath__contains=label_print_tool,zz".to_owned(),
    ] {
        assert_eq!(probe.ids(&format!("/threats?{query}")).await, std::slice::from_ref(&tool), "{query}");
    }
    for all in [
        "incidentStatuses=unresolved,in_progress",
        "osTypes=windows",
        "initiatedBy=agent_policy",
        "limit=5&sortBy=createdAt",
    ] {
        assert_eq!(probe.ids(&format!("/threats?{all}")).await.len(), 2, "{all}");
    }
    for bad in [
        "limit=0",
        "limit=1001",
        "createdAt__gt=tomorrow",
        "incidentStatuses=open",
        "sortBy=shoeSize",
        "resolved=perhaps",
        "ids=x",
    ] {
        let got = probe.get(&format!("/threats?{bad}")).await;
        assert_eq!((got.status, got.code()), (400, 4_000_010), "{bad}");
    }
    assert_eq!(probe.get("/groups?limit=301").await.code(), 4_000_010);
    assert_eq!(probe.get("/groups?limit=300").await.status, 200);
}

#[tokio::test]
async fn a_token_sees_its_scope_and_nothing_else() {
    let probe = Probe::start().await;
    for (site, host) in [(SITE, "HSM-PC-0101"), ("northmere", "NML-PC-0101")] {
        probe.sim.raise(site, &Threat::ransomware(host)).expect("raised");
    }
    let foreign = probe.sim.site_id("northmere");
    assert_eq!(probe.ids("/threats").await.len(), 1);
    assert_eq!(probe.ids(&format!("/threats?siteIds={foreign}")).await.len(), 0);
    assert_eq!(probe.get("/activities?limit=100").await.body["data"].as_array().expect("rows").len(), 1);
    assert_eq!(probe.get("/sites").await.body["data"]["sites"].as_array().expect("sites").len(), 1);
    assert_eq!(probe.get("/groups").await.body["pagination"]["totalItems"], 5);
    assert_eq!(probe.get("/accounts").await.code(), 4_030_010);
    assert_eq!(probe.get("/threats?tenant=true").await.code(), 4_030_010);

    let all = probe.sim.console_token(Capability::Read);
    assert_eq!(probe.get_as("/threats?tenant=true", &all).await.body["pagination"]["totalItems"], 2);
    assert_eq!(probe.get_as(&format!("/threats?tenant=true&siteIds={foreign}"), &all).await.code(), 4_000_010);
    assert_eq!(probe.get_as("/accounts", &all).await.body["pagination"]["totalItems"], 3);
    let other = probe.sim.threat(probe.sim.ledger().raised[1].threat_id.as_str()).expect("there");
    let path = format!("/threats/{}/notes", other["id"].as_str().expect("an id"));
    assert_eq!(probe.get(&path).await.code(), 4_040_010);
}

#[tokio::test]
async fn four_ways_of_naming_the_token_are_accepted_and_no_other() {
    let probe = Probe::start().await;
    let token = probe.sim.token(SITE, Capability::Read);
    for scheme in ["ApiToken", "APIToken", "apitoken", "Token", "Bearer"] {
        assert_eq!(
            probe.call("GET", "/threats", &format!("{scheme} {token}"), Body::empty()).await.status,
            200,
            "{scheme}"
        );
    }
    for header in [format!("Basic {token}"), token.clone(), "ApiToken wrong".to_owned(), String::new()] {
        let got = probe.call("GET", "/threats", &header, Body::empty()).await;
        assert_eq!((got.status, got.code()), (401, 4_010_010));
        assert_eq!(got.body["errors"][0]["detail"], Value::Null);
    }
    assert_eq!(probe.call("GET", "/system/status", "", Body::empty()).await.body["data"]["health"], "ok");

    let soon: Timestamp = "2026-11-24T01:00:10Z".parse().expect("a time");
    probe.sim.expire(&token, soon);
    assert_eq!(probe.get("/threats").await.status, 200);
    probe.pass(10_000);
    assert_eq!(probe.get("/threats").await.code(), 4_010_010);
}

#[tokio::test]
async fn a_fresh_threat_was_updated_before_it_was_created() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    let threat = probe.sim.threat(&id).expect("there");
    let time = |member: &str| threat["threatInfo"][member].as_str().expect("a time").to_owned();
    assert_eq!(time("createdAt"), "2026-11-24T01:00:00.000000Z");
    assert!(time("identifiedAt") < time("updatedAt") && time("updatedAt") < time("createdAt"));
}

#[tokio::test]
async fn walking_pages_by_cursor_sees_every_threat_once() {
    let probe = Probe::start().await;
    for _ in 0..23 {
        probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    }
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let got =
            probe.get(&format!("/threats?limit=5&sortBy=updatedAt&siteIds={}{next}", probe.sim.site_id(SITE))).await;
        seen.extend(got.body["data"].as_array().expect("rows").iter().map(|row| row["id"].clone()));
        let Some(cursor) = got.body["pagination"]["nextCursor"].as_str() else { break };
        next = format!("&cursor={}", cursor.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F"));
    }
    let count = seen.len();
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    assert_eq!((count, seen.len()), (23, 23));
}

#[tokio::test]
async fn a_duplicate_page_is_handed_out_twice_and_then_the_walk_goes_on() {
    let probe = Probe::start().await;
    for _ in 0..6 {
        probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    }
    probe.sim.faults().add(Fault::new(FaultKind::DuplicatePage).on("GET", "/threats"));
    let first = probe.get("/threats?limit=4").await.body;
    let follow = |page: &Value| {
        page["pagination"]["nextCursor"].as_str().map(|cursor| format!("/threats?limit=4&cursor={cursor}"))
    };
    let again = probe.get(&follow(&first).expect("a cursor")).await.body;
    assert_eq!(first["data"], again["data"]);
    let rest = probe.get(&follow(&again).expect("a cursor")).await.body;
    assert_eq!((rest["data"].as_array().expect("rows").len(), follow(&rest)), (2, None));
}

#[tokio::test]
async fn hashes_are_known_only_when_the_cloud_called_them_bad() {
    let probe = Probe::start().await;
    probe.sim.play("ransomware-workstation", SITE).expect("a scenario");
    probe.sim.play("static-unknown-file", SITE).expect("a scenario");
    let hash = |n: usize| {
        probe.sim.threat(&probe.sim.ledger().raised[n].threat_id).expect("there")["threatInfo"]["sha1"]
            .as_str()
            .expect("a hash")
            .to_owned()
    };
    let (bad, unknown) = (hash(0), hash(1));
    assert_eq!(probe.get(&format!("/hashes/{bad}/verdict")).await.body["data"]["verdict"], "malicious");
    assert_eq!(probe.get(&format!("/hashes/{bad}/reputation")).await.body["data"]["rank"], "9");
    assert_eq!(probe.get(&format!("/hashes/{unknown}/verdict")).await.body["data"]["verdict"], "unknown");
    assert_eq!(probe.get(&format!("/hashes/{unknown}/reputation")).await.body["data"], json!({}));
    assert_eq!(probe.get("/hashes/0000000000000000000000000000000000000000/classification").await.code(), 4_040_010);
    assert_eq!(probe.get("/hashes/abc/verdict").await.code(), 4_000_010);
}
