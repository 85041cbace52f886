//! The checks themselves: each of these breaks something on purpose, and must be found out.

use domain::AgentId;
use s1sim::{Fault, FaultKind, Role, Threat};
use sentinelone::Targets;
use soc_tests::{TestSoc, customers};

const CUSTOMER: &str = customers::ENGLISH;

#[tokio::test]
async fn an_alert_that_no_poll_brought_is_missed() {
    let soc = TestSoc::start().await;
    soc.sentinelone().faults().add(Fault::new(FaultKind::DropThreat));
    let hidden = soc.raise(CUSTOMER, &Threat::static_unknown("NML-PC-0101"));
    soc.settle_unchecked().await;
    let [found] = &soc.violations().await[..] else { panic!("one violation") };
    assert!(found.contains(hidden.as_str()) && found.contains("REL-03"), "{found}");
    soc.abandon();
}

#[tokio::test]
async fn an_endpoint_cut_off_without_authority_is_noticed() {
    let soc = TestSoc::start().await;
    soc.raise(CUSTOMER, &Threat::static_unknown("NML-PC-0101"));
    soc.settle().await;
    let agent: AgentId = soc.sentinelone().ledger().raised[0].agent_id.parse().unwrap();
    soc.console_actuator(CUSTOMER).disconnect(&Targets::one(agent), soc.now()).await.unwrap();
    let [found] = &soc.violations().await[..] else { panic!("one violation") };
    assert!(found.contains("had no authority"), "{found}");
    soc.abandon();
}

#[tokio::test]
async fn a_note_that_stands_twice_is_noticed() {
    let soc = TestSoc::start().await;
    let threat = soc.raise(CUSTOMER, &Threat::static_unknown("NML-PC-0101"));
    soc.settle().await;
    let note = soc.sentinelone().notes(threat.as_str())[0]["text"].as_str().unwrap().to_owned();
    soc.console_actuator(CUSTOMER).add_note(&Targets::one(threat), &note, soc.now()).await.unwrap();
    let [found] = &soc.violations().await[..] else { panic!("one violation") };
    assert!(found.contains("stands twice"), "{found}");
    soc.abandon();
}

#[tokio::test]
async fn a_job_that_waits_and_a_mail_that_nobody_read_fail_a_test_at_its_end() {
    let soc = TestSoc::start().await;
    soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)));
    soc.settle().await;
    let left = soc.leftovers().await.join("\n");
    assert!(left.contains("jobs wait") && left.contains("never read: it-security@northmere.example"), "{left}");
    soc.abandon();
}
