//! The evidence is there before the analyst opens the incident, and what could not be learnt has a name (R23).

use domain::evidence::{Inquiry, Outcome, Summary};
use domain::incident::{Command, Incident, Refused};
use domain::story::{Context, Story};
use s1sim::{Fault, FaultKind, Times};
use soc_tests::{TestSoc, customers, minutes};

fn outcome(incident: &Incident, asked: impl Fn(&Inquiry) -> bool) -> &Outcome {
    let found = incident.evidence.values().find(|e| asked(&e.answer.inquiry));
    &found.unwrap_or_else(|| panic!("not asked; there is {:?}", incident.evidence)).answer.outcome
}

#[tokio::test]
async fn within_a_minute_the_story_the_software_and_the_sweep_are_there() {
    let soc = TestSoc::start().await;
    soc.play("ransomware-workstation", customers::JAPANESE).await;
    soc.pass(minutes(1)).await;
    let incident = soc.incidents().await.remove(0);

    assert!(matches!(outcome(&incident, |i| matches!(i, Inquiry::Events { .. })), Outcome::Found(_)));
    assert!(matches!(outcome(&incident, |i| matches!(i, Inquiry::Software { .. })), Outcome::Found(_)));
    let Outcome::Found(Summary::Sweep { looked_for, hits, agents_online, agents_total, .. }) =
        outcome(&incident, |i| *i == Inquiry::Sweep)
    else {
        panic!("{:?}", incident.evidence)
    };
    assert!(*looked_for > 0 && *hits > 0, "the attack's own endpoint has them");
    assert!(*agents_online > 0 && agents_online <= agents_total);

    // What the tree is drawn from is really there, and leads to the alert.
    let findings = soc.engine().findings(&incident).await.unwrap();
    assert_eq!(findings.damaged, []);
    let story = Story::of(&findings.records, &incident.alerts, &Context::default());
    assert!(story.tree.nodes.iter().any(|node| node.ties.leads_to_alert && node.command.is_some()));
    assert!(findings.indicators.iter().all(|looked| !looked.origins.is_empty()));
    let audit = soc.engine().store().verify_contents().await.unwrap();
    assert!(audit.pieces > 0 && audit.faults.is_empty(), "{audit:?}");
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_gap_and_the_incident_moves_on_all_the_same_r23() {
    let soc = TestSoc::start().await;
    let down = Fault::new(FaultKind::Status { status: 502 }).on("GET", "/agents/applications").times(Times::Always);
    soc.sentinelone().faults().add(down);
    soc.play("ransomware-workstation", customers::JAPANESE).await;
    soc.pass(minutes(2)).await;
    let incident = soc.incidents().await.remove(0);

    assert!(matches!(outcome(&incident, |i| matches!(i, Inquiry::Software { .. })), Outcome::CouldNotAsk { .. }));
    // Nobody imported a feed here: that is said, and not that there are no vulnerabilities.
    assert!(matches!(
        outcome(&incident, |i| matches!(i, Inquiry::Vulnerabilities { .. })),
        Outcome::CouldNotAsk { .. }
    ));
    assert!(!incident.notices.is_empty() && incident.actions_settled());

    // The fault is gone: a person asks again, and the record replaces the gap.
    soc.sentinelone().faults().clear();
    let software = incident.evidence.values().find(|e| matches!(e.answer.inquiry, Inquiry::Software { .. }));
    let inquiry = software.unwrap().answer.inquiry.clone();
    soc.execute(incident.id, Command::AskAgain { by: soc.analyst(), inquiry: inquiry.clone() }).await;
    soc.pass(minutes(3)).await;
    let after = soc.incident(incident.id).await;
    assert!(!after.answer_to(&inquiry).unwrap().answer.is_gap(), "{:?}", after.evidence);
    let refused = soc
        .try_execute(
            incident.id,
            Command::AskAgain { by: soc.analyst(), inquiry: Inquiry::Software { agent: "1".parse().unwrap() } },
        )
        .await;
    assert!(matches!(refused, Err(engine::ExecuteError::Refused(Refused::NoSuchInquiry))), "{refused:?}");
    soc.mail().skim();
    soc.finish().await;
}
