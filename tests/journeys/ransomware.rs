//! The story the service is for: ransomware on a workstation is stopped, told, analysed, reported and closed.

use domain::action::{Kind, Proof, State};
use domain::rules::RuleId;
use domain::{Priority, Verdict};
use s1sim::{Role, Threat};
use soc_tests::{TestSoc, customers, minutes, seconds};

#[tokio::test]
async fn ransomware_on_a_workstation_is_stopped_told_analysed_and_closed() {
    let soc = TestSoc::start().await;
    let host = soc.host(customers::JAPANESE, Role::Desktop, 0);
    let threat = soc.raise(customers::JAPANESE, &Threat::ransomware(&host));

    // At once: judged, told, and the console told what to do.
    soc.settle().await;
    let incident = soc.incident_of(&threat).await;
    assert_eq!((incident.judgement.rule, incident.priority()), (RuleId::R01, Priority::P0));
    assert!(incident.dfir);
    let first = soc.mail().only_unread(customers::JAPANESE);
    assert!(first.subject.starts_with("【P0・要対応】【TLP:AMBER+STRICT】"), "{}", first.subject);
    assert!(first.subject.contains(&host) && first.subject.contains("第一報"), "{}", first.subject);
    assert_eq!(first.accepted_at, soc.now());

    // Seconds later: verified by reading back, and the customer hears of it.
    soc.pass(seconds(10)).await;
    let incident = soc.incident_of(&threat).await;
    let kinds: Vec<Kind> = incident.actions.values().map(|a| a.kind).collect();
    assert_eq!(kinds, [Kind::Kill, Kind::Quarantine, Kind::Isolate]);
    for action in incident.actions.values() {
        assert_eq!(action.state, State::Verified { how: Proof::ReadBack }, "{:?}", action.kind);
    }
    let ledger = soc.sentinelone().ledger();
    let agent = &ledger.raised[0].agent_id;
    assert_eq!(ledger.times_effective("kill", threat.as_str()), 1);
    assert_eq!(ledger.times_effective("quarantine", threat.as_str()), 1);
    assert_eq!(ledger.times_effective("disconnect", agent), 1);
    assert_eq!(soc.sentinelone().agent(agent).unwrap()["networkStatus"], "disconnected");
    let update = soc.mail().only_unread(customers::JAPANESE);
    assert_eq!(update.in_reply_to.as_deref(), Some(first.message_id.as_str()));
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["incidentStatus"], "in_progress");
    assert_eq!(console["threatInfo"]["analystVerdict"], "undefined");
    assert_eq!(soc.sentinelone().notes(threat.as_str()).len(), 1);

    // An analyst takes it, says what it was, and the report goes with that.
    soc.pass(minutes(5)).await;
    soc.acknowledge(incident.id).await;
    soc.give_verdict(incident.id, Verdict::TruePositive).await;
    soc.settle().await;
    let verdict = soc.mail().only_unread(customers::JAPANESE);
    assert_eq!(verdict.attachments.len(), 1);
    assert_eq!(verdict.attachments[0].media_type, "application/pdf");
    assert!(verdict.attachment(0).unwrap().starts_with(b"%PDF-"));
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["analystVerdict"], "true_positive");

    soc.close(incident.id).await;
    soc.settle().await;
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["incidentStatus"], "resolved");
    assert_eq!(soc.sentinelone().notes(threat.as_str()).len(), 2);
    soc.finish().await;
}
