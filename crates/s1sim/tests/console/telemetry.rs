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

fn asked(query: &str) -> Value {
    serde_json::json!({"query": query, "fromDate": "2026-11-20T00:00:00Z", "toDate": "2026-11-25T00:00:00Z"})
}

#[tokio::test]
async fn deep_visibility_is_asked_waited_for_and_read() {
    let probe = Probe::start().await;
    let threats = told(&probe, "phishing-document").await;
    let query = asked(r#"EventType = "Process Creation" AND TgtProcCmdLine ContainsCIS "-ENC""#);
    let token = probe.sim.token(SITE, s1sim::Capability::Read);
    let got = probe.post_as("/dv/init-query", query.clone(), &token).await;
    let id = got.body["data"]["queryId"].as_str().expect("an id").to_owned();
    assert_eq!(probe.post_as("/dv/init-query", query.clone(), &token).await.status, 409, "one runs already");
    assert_eq!(probe.get(&format!("/dv/query-status?queryId={id}")).await.body["data"]["responseState"], "RUNNING");
    probe.pass(2_000);
    assert_eq!(probe.get(&format!("/dv/query-status?queryId={id}")).await.body["data"]["responseState"], "FINISHED");
    let found = probe.get(&format!("/dv/events?queryId={id}&limit=1000")).await.body["data"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found[0]["storyline"], threats[0].0["threatInfo"]["storyline"]);
    assert_eq!(found[0]["relatedToThreat"], "True", "a text here");
    assert_eq!(probe.post_as("/dv/init-query", query.clone(), &token).await.status, 429, "one a minute");
    probe.pass(60_000);
    let bad = probe.post_as("/dv/init-query", asked("EventType ~ 1"), &token).await;
    assert_eq!((bad.status, bad.code()), (400, 4_000_040));
    probe.pass(600_000);
    assert_eq!(probe.get(&format!("/dv/events?queryId={id}")).await.status, 404, "ids do not live long");
}

/// Rows of a PowerQuery asked by the whole console's user.
async fn rows(probe: &Probe, mut body: Value, more: Value) -> Vec<Vec<Value>> {
    let token = probe.sim.console_token(s1sim::Capability::Read);
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let got = probe.post_as("/dv/events/pq", body, &token).await;
    let id = got.body["data"]["queryId"].as_str().unwrap_or_else(|| panic!("{}", got.body)).to_owned();
    let got = probe.get_as(&format!("/dv/events/pq-ping?queryId={id}"), &token).await;
    probe.pass(1_000);
    assert_eq!(got.body["data"]["status"], "FINISHED");
    serde_json::from_value(got.body["data"]["data"].clone()).expect("rows")
}

#[tokio::test]
async fn power_query_counts_over_endpoints_and_forgets_sites_that_come_without_their_account() {
    let probe = Probe::start().await;
    told(&probe, "ransomware-hosts").await;
    let query = r#"event.type = "Process Creation" tgt.process.name = 'x'"#;
    let token = probe.sim.console_token(s1sim::Capability::Read);
    assert_eq!(probe.post_as("/dv/events/pq", asked(query), &token).await.code(), 4_000_040);
    let query = asked(
        "event.type = 'File Rename' and tgt.file.extension = 'upd64' | group n = count(), hosts = estimate_distinct(endpoint.name) by src.process.name | sort -n",
    );
    assert_eq!(rows(&probe, query, serde_json::json!({})).await, [["svcupd64.exe".into(), 180.into(), Value::from(3)]]);
    let everywhere = asked("tgt.process.name contains:anycase 'OUTLOOK' | group count() by site.id");
    let (site, account) = (probe.sim.site_id(SITE), probe.sim.account_id(SITE));
    let both = serde_json::json!({"siteIds": [site], "accountIds": [account]});
    assert_eq!(rows(&probe, everywhere.clone(), both).await.len(), 1);
    let alone = rows(&probe, everywhere, serde_json::json!({"siteIds": [site]})).await;
    assert_eq!(alone.len(), 3, "rows of other customers come back");
    let many = rows(&probe, asked("event.type = * | columns event.id"), serde_json::json!({})).await;
    assert_eq!(many.len(), 1_000, "the default");
    assert!(rows(&probe, asked("event.type = * | limit 1500"), serde_json::json!({})).await.len() == 1_500);
}

#[tokio::test]
async fn an_inventory_counts_what_the_endpoints_list() {
    let probe = Probe::start().await;
    let archivers = probe.get("/installed-applications?limit=1000&name__contains=7-Zip").await.body["data"].clone();
    let archivers = archivers.as_array().expect("rows");
    let old = archivers.iter().filter(|row| row["version"] == "22.01").count();
    assert!(old > 0 && old < archivers.len(), "some are old and some are not: {archivers:?}");
    let counted = probe.get("/application-management/inventory?name__contains=7-Zip").await.body["data"][0].clone();
    assert_eq!(
        (&counted["endpointsCount"], &counted["applicationVersionsCount"]),
        (&archivers.len().into(), &2.into())
    );
    let agent = archivers[0]["agentId"].as_str().expect("an id");
    let listed = probe.get(&format!("/agents/applications?ids={agent}")).await.body["data"].to_string();
    assert!(listed.contains("7-Zip"), "{listed}");
    let stranger = probe.sim.token("northmere", s1sim::Capability::Read);
    let seen = probe.get_as(&format!("/agents/applications?ids={agent}"), &stranger).await;
    assert_eq!(seen.body["data"], serde_json::json!([]), "another customer sees nothing of it");
}
