//! What only the customer can say: asked, answered, and judged by the answer (R11 to R14).

use domain::incident::{Command, Incident, Phase};
use domain::question::Meaning;
use domain::rules::RuleId;
use domain::{AlertId, Priority, Untrusted, Verdict};
use s1sim::{Role, Threat};
use soc_tests::{TestSoc, customers, hours};

const CUSTOMER: &str = customers::ENGLISH;

#[tokio::test]
async fn an_unknown_file_stays_in_progress_until_the_customer_says_it_is_theirs() {
    let soc = TestSoc::start().await;
    let (threat, incident) = asked(&soc).await;
    assert_eq!((incident.judgement.rule, incident.verdict), (RuleId::R12, Verdict::Undetermined));
    assert_eq!((incident.priority(), incident.phase), (Priority::P3, Phase::Asked));
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["incidentStatus"], "in_progress");
    assert_eq!(console["threatInfo"]["analystVerdict"], "undefined");

    soc.pass(hours(20)).await;
    let incident = answer(&soc, &incident, Meaning::Ours).await;
    assert_eq!((incident.judgement.rule, incident.verdict), (RuleId::R13, Verdict::FalsePositive));
    soc.settle().await;
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["analystVerdict"], "undefined", "a person confirms before the console is told");

    soc.give_verdict(incident.id, Verdict::FalsePositive).await;
    soc.close(incident.id).await;
    soc.settle().await;
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["analystVerdict"], "false_positive");
    assert_eq!(console["threatInfo"]["incidentStatus"], "resolved");
    let verdict = soc.mail().only_unread(CUSTOMER);
    assert_eq!(verdict.attachments.len(), 1);
    soc.finish().await;
}

#[tokio::test]
async fn a_file_the_customer_does_not_know_is_suspicious() {
    let soc = TestSoc::start().await;
    let (_, incident) = asked(&soc).await;
    let incident = answer(&soc, &incident, Meaning::Unknown).await;
    assert_eq!((incident.judgement.rule, incident.verdict), (RuleId::R14, Verdict::Suspicious));
    soc.settle().await;
    soc.finish().await;
}

#[tokio::test]
async fn a_later_repeat_does_not_undo_what_the_customer_said() {
    let soc = TestSoc::start().await;
    let (_, incident) = asked(&soc).await;
    answer(&soc, &incident, Meaning::Ours).await;
    let again = soc.raise(CUSTOMER, &unknown_file(&soc));
    soc.settle().await;
    let incident = soc.incident_of(&again).await;
    assert_eq!((incident.judgement.rule, incident.verdict), (RuleId::R13, Verdict::FalsePositive));
    assert_eq!(incident.alert_count, 2);
    soc.finish().await;
}

fn unknown_file(soc: &TestSoc) -> Threat {
    Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0))
}

/// An unknown file about which the customer has been asked.
async fn asked(soc: &TestSoc) -> (AlertId, Incident) {
    let threat = soc.raise(CUSTOMER, &unknown_file(soc));
    soc.settle().await;
    let first = soc.mail().only_unread(CUSTOMER);
    assert!(first.subject.contains("(first notice)"), "{}", first.subject);
    let incident = soc.incident_of(&threat).await;
    soc.execute(incident.id, Command::Ask { by: soc.analyst(), addition: None }).await;
    soc.settle().await;
    let question = soc.mail().only_unread(CUSTOMER);
    assert!(question.subject.starts_with("[P3 - Please check]"), "{}", question.subject);
    assert!(question.text.as_ref().unwrap().contains("Do you know this file"));
    let incident = soc.incident_of(&threat).await;
    (threat, incident)
}

async fn answer(soc: &TestSoc, incident: &Incident, meaning: Meaning) -> Incident {
    let question = incident.open_question().unwrap().id;
    let words = Untrusted::new("Alison Whitlock, by mail: see the change request of Monday.");
    soc.execute(incident.id, Command::RecordAnswer { by: soc.analyst(), question, meaning, words }).await
}
