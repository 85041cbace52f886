//! What happens between an order and its effect, as a client sees it.

use crate::support::{Probe, SITE};
use s1sim::{Capability, Fault, FaultKind, Threat};
use serde_json::json;

#[tokio::test]
async fn a_kill_is_queued_then_done_and_the_second_one_is_skipped() {
    let probe = Probe::start().await;
    probe.sim.play("ransomware-workstation", SITE).expect("a scenario");
    let id = probe.ids("/threats").await.remove(0);
    assert_eq!(probe.sim.threat(&id).expect("there")["threatInfo"]["mitigationStatus"], "not_mitigated");

    let order = json!({"filter": {"ids": [id], "siteIds": [probe.sim.site_id(SITE)]}, "data": {}});
    let got = probe.post("/threats/mitigate/kill", order.clone()).await;
    assert_eq!(got.affected(), 1);
    assert_eq!(got.body["data"]["details"][0]["reports"][0]["status"], "pending");
    let pending = probe.get("/threats?pendingActions=true").await.body;
    assert_eq!(pending["data"][0]["mitigationStatus"][0]["action"], "kill");
    assert_eq!(pending["data"][0]["threatInfo"]["mitigationStatus"], "not_mitigated");

    probe.pass(2000);
    let done = probe.sim.threat(&id).expect("there");
    assert_eq!(done["mitigationStatus"][0]["status"], "success");
    assert_eq!(done["threatInfo"]["mitigationStatus"], "mitigated");
    assert_eq!(
        done["threatInfo"]["updatedAt"], "2026-11-24T01:00:00.800000Z",
        "the time it happened, not the time we looked"
    );
    assert_eq!(probe.ids(&format!("/activities?activityTypes=2001&threatIds={id}")).await.len(), 1);

    let again = probe.post("/threats/mitigate/kill", order).await;
    assert_eq!((again.status, again.affected()), (200, 0));
    assert_eq!(again.body["data"]["details"][0]["skipped"][0]["reason"], "triggered");
    let ledger = probe.sim.ledger();
    assert_eq!((ledger.times_told("kill", &id), ledger.times_effective("kill", &id)), (2, 1));
    assert_eq!(ledger.effects_on(&id)[0].outcome, "success");
}

#[tokio::test]
async fn isolation_goes_through_disconnecting_and_comes_back_through_connecting() {
    let probe = Probe::start().await;
    let agent = probe.sim.endpoints(SITE).remove(0);
    let state = || probe.sim.agent(&agent.id).expect("there")["networkStatus"].clone();
    let order = json!({"filter": {"ids": [agent.id]}});

    assert_eq!(probe.post("/agents/actions/disconnect", order.clone()).await.affected(), 1);
    assert_eq!(state(), "disconnecting");
    assert_eq!(probe.post("/agents/actions/disconnect", order.clone()).await.affected(), 0, "already on its way");
    probe.pass(1200);
    assert_eq!(state(), "disconnected");
    assert_eq!(probe.ids(&format!("/activities?activityTypes=1001&agentIds={}", agent.id)).await.len(), 1);

    assert_eq!(probe.post("/agents/actions/connect", order).await.affected(), 1);
    assert_eq!(state(), "connecting");
    probe.pass(1200);
    assert_eq!(state(), "connected");
    assert_eq!(probe.ids("/activities?activityTypes=1002").await.len(), 1);
}

#[tokio::test]
async fn an_overtaken_isolation_does_not_cut_the_endpoint_later() {
    let probe = Probe::start().await;
    let agent = probe.sim.endpoints(SITE).remove(0);
    let order = json!({"filter": {"ids": [agent.id]}});
    probe.post("/agents/actions/disconnect", order.clone()).await;
    probe.pass(500);
    probe.post("/agents/actions/connect", order).await;
    probe.pass(10_000);
    assert_eq!(probe.sim.agent(&agent.id).expect("there")["networkStatus"], "connected");
}

#[tokio::test]
async fn an_offline_endpoint_does_nothing_until_it_is_back() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    probe.sim.set_offline("HSM-PC-0101");
    let threat = json!({"filter": {"ids": [id]}});
    assert_eq!(probe.post("/threats/mitigate/quarantine", threat).await.affected(), 1);
    let agent = probe.sim.agent("HSM-PC-0101").expect("there");
    probe.post("/agents/actions/disconnect", json!({"filter": {"ids": [agent["id"]]}})).await;
    probe.pass(3_600_000);
    assert_eq!(probe.sim.threat(&id).expect("there")["mitigationStatus"][0]["status"], "pending");
    assert_eq!(probe.sim.agent("HSM-PC-0101").expect("there")["networkStatus"], "disconnecting");
    assert_eq!(probe.ids("/agents?isActive=false").await.len(), 1);

    probe.sim.set_online("HSM-PC-0101");
    probe.pass(2000);
    assert_eq!(probe.sim.threat(&id).expect("there")["mitigationStatus"][0]["status"], "success");
    assert_eq!(probe.sim.agent("HSM-PC-0101").expect("there")["networkStatus"], "disconnected");
}

#[tokio::test]
async fn verdict_and_status_answer_per_threat_and_leave_activities() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    let with = |data| json!({"filter": {"ids": [id]}, "data": data});
    let detail = |got: &crate::support::Got| got.body["data"]["details"][0].clone();

    let got = probe.post("/threats/analyst-verdict", with(json!({"analystVerdict": "true_positive"}))).await;
    assert_eq!((got.affected(), detail(&got)["result"].clone()), (1, json!("updated")));
    let got = probe
        .post("/threats/incident", with(json!({"incidentStatus": "resolved", "analystVerdict": "true_positive"})))
        .await;
    assert_eq!(
        (detail(&got)["result"].clone(), detail(&got)["analystVerdict"].clone()),
        (json!("updated"), json!("already_set"))
    );
    let got = probe.post("/threats/incident", with(json!({"incidentStatus": "resolved"}))).await;
    assert_eq!((got.affected(), detail(&got)["result"].clone()), (0, json!("already_set")));
    let threat = probe.sim.threat(&id).expect("there");
    assert_eq!(threat["threatInfo"]["analystVerdictDescription"], "True positive");
    assert_eq!(threat["threatInfo"]["mitigationStatus"], "not_mitigated", "resolving does not stop anything");
    assert_eq!(probe.ids("/activities?activityTypes=2030,4008").await.len(), 2);

    probe.post("/threats/analyst-verdict", with(json!({"analystVerdict": "false_positive"}))).await;
    assert_eq!(probe.sim.threat(&id).expect("there")["threatInfo"]["mitigationStatus"], "marked_as_benign");
    assert_eq!(probe.post("/threats/analyst-verdict", with(json!({"analystVerdict": "nice"}))).await.code(), 4_000_010);
}

#[tokio::test]
async fn notes_and_ticket_numbers_are_kept() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::static_unknown("HSM-NB-0201")).expect("raised");
    assert_eq!(probe.ids("/threats?noteExists=true").await.len(), 0);
    let note = json!({"filter": {"ids": [id]}, "data": {"text": "お客様に確認中 / asked the customer"}});
    assert_eq!(probe.post("/threats/notes", note.clone()).await.affected(), 1);
    assert_eq!(
        probe.post("/threats/notes", json!({"filter": {"ids": [id]}, "data": {"text": "x"}})).await.code(),
        4_000_010
    );
    let notes = probe.get(&format!("/threats/{id}/notes")).await.body;
    assert_eq!(notes["data"][0]["text"], note["data"]["text"]);
    assert_eq!(probe.ids("/threats?noteExists=true").await, std::slice::from_ref(&id));

    let ticket = json!({"filter": {"ids": [id]}, "data": {"externalTicketId": "INC-2026-000123"}});
    assert_eq!(probe.post("/threats/external-ticket-id", ticket).await.affected(), 1);
    assert_eq!(probe.ids("/threats?externalTicketIds=INC-2026-000123").await, [id]);
}

#[tokio::test]
async fn an_empty_or_misspelt_filter_acts_on_everything_in_scope() {
    let probe = Probe::start().await;
    for host in ["HSM-PC-0101", "HSM-PC-0102"] {
        probe.sim.raise(SITE, &Threat::ransomware(host)).expect("raised");
    }
    let other = probe.sim.raise("northmere", &Threat::ransomware("NML-PC-0101")).expect("raised");
    let misspelt = json!({"filter": {"id": ["1"]}});
    assert_eq!(probe.post("/threats/mitigate/kill", misspelt).await.affected(), 2);
    assert_eq!(probe.post("/threats/mitigate/quarantine", json!({"filter": {}})).await.affected(), 2);
    assert!(probe.sim.ledger().effects_on(&other).is_empty());
    assert_eq!(probe.post("/threats/mitigate/kill", json!({})).await.code(), 4_000_010, "no filter at all is refused");

    assert_eq!(probe.post("/agents/actions/disconnect", json!({"filter": {}})).await.code(), 4_000_010);
    assert_eq!(probe.post("/agents/actions/disconnect", json!({"filter": {"ids": []}})).await.code(), 4_000_010);
    let all = u64::try_from(probe.sim.endpoints(SITE).len()).expect("small");
    assert_eq!(probe.post("/agents/actions/initiate-scan", json!({"filter": {}})).await.affected(), all);
}

#[tokio::test]
async fn unknown_and_foreign_ids_are_affected_zero_with_200() {
    let probe = Probe::start().await;
    let foreign = probe.sim.raise("northmere", &Threat::ransomware("NML-PC-0101")).expect("raised");
    for id in ["2600000000000000000", foreign.as_str()] {
        let got = probe.post("/threats/mitigate/kill", json!({"filter": {"ids": [id]}})).await;
        assert_eq!((got.status, got.affected()), (200, 0));
    }
    assert_eq!(probe.sim.ledger().calls("kill")[1].asked, [foreign]);
}

#[tokio::test]
async fn orders_an_os_cannot_follow_are_skipped_with_the_reason() {
    let probe = Probe::start().await;
    let linux = probe.sim.raise(SITE, &Threat::ransomware("HSM-WEB01")).expect("raised");
    let windows = probe.sim.raise(SITE, &Threat::ransomware("HSM-FS01")).expect("raised");
    for (verb, id, reason) in [
        ("rollback-remediation", &linux, "not_supported"),
        ("remediate", &linux, "not_supported"),
        ("un-quarantine", &windows, "precondition"),
    ] {
        let got = probe.post(&format!("/threats/mitigate/{verb}"), json!({"filter": {"ids": [id]}})).await;
        assert_eq!(
            (got.affected(), got.body["data"]["details"][0]["skipped"][0]["reason"].clone()),
            (0, json!(reason)),
            "{verb}"
        );
    }
    assert_eq!(
        probe.post("/threats/mitigate/rollback-remediation", json!({"filter": {"ids": [windows]}})).await.affected(),
        1
    );
    probe.pass(2000);
    assert_eq!(
        probe.sim.threat(&windows).expect("there")["mitigationStatus"][0]["action"],
        "rollback",
        "not the verb of the URL"
    );
    let report = probe.sim.threat(&windows).expect("there")["mitigationStatus"][0]["latestReport"].clone();
    assert!(probe.get(report.as_str().expect("a path")).await.body.as_str().expect("CSV").contains("rollback"));
    assert_eq!(probe.post("/threats/mitigate/explode", json!({"filter": {}})).await.code(), 4_000_010);
}

#[tokio::test]
async fn an_order_the_endpoint_cannot_follow_ends_as_failed() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    probe.sim.faults().add(Fault::new(FaultKind::ActionFails).on("POST", "/threats/mitigate/quarantine"));
    probe.sim.faults().add(Fault::new(FaultKind::ActionFails).on("POST", "/agents/actions/disconnect"));
    let agent = probe.sim.agent("HSM-PC-0101").expect("there")["id"].clone();
    probe.post("/threats/mitigate/quarantine", json!({"filter": {"ids": [id]}})).await;
    probe.post("/agents/actions/disconnect", json!({"filter": {"ids": [agent]}})).await;
    probe.pass(2000);
    let threat = probe.sim.threat(&id).expect("there");
    assert_eq!(
        (&threat["mitigationStatus"][0]["status"], &threat["threatInfo"]["failedActions"]),
        (&json!("failed"), &json!(true))
    );
    assert_eq!(threat["threatInfo"]["mitigationStatus"], "not_mitigated");
    assert_eq!(threat["agentRealtimeInfo"]["agentNetworkStatus"], "connected");
    assert_eq!(probe.ids("/activities?activityTypes=2009,2010").await.len(), 2);
    assert_eq!(
        probe.post("/threats/mitigate/quarantine", json!({"filter": {"ids": [id]}})).await.affected(),
        1,
        "it may be tried again"
    );
}

#[tokio::test]
async fn a_token_may_only_do_what_its_role_allows() {
    let probe = Probe::start().await;
    let id = probe.sim.raise(SITE, &Threat::ransomware("HSM-PC-0101")).expect("raised");
    let filter = json!({"ids": [id]});
    let kill = json!({"filter": filter});
    let verdict = json!({"filter": filter, "data": {"analystVerdict": "suspicious"}});
    for (capability, may_kill, may_judge) in
        [(Capability::Read, false, false), (Capability::Act, true, false), (Capability::Write, false, true)]
    {
        let token = probe.sim.token(SITE, capability);
        let killed = probe.post_as("/threats/mitigate/kill", kill.clone(), &token).await;
        assert_eq!(killed.status == 200, may_kill, "{capability:?}");
        let judged = probe.post_as("/threats/analyst-verdict", verdict.clone(), &token).await;
        assert_eq!(judged.status == 200, may_judge, "{capability:?}");
        for refused in [killed, judged].iter().filter(|got| got.status != 200) {
            assert_eq!((refused.status, refused.code()), (403, 4_030_010));
        }
        assert_eq!(probe.get_as("/threats", &token).await.status, 200);
    }
}
