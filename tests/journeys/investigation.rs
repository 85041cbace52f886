//! The evidence is there before the analyst opens the incident, and what could not be learnt has a name (R23).

use std::net::SocketAddr;
use std::time::Duration;

use domain::TenantId;
use domain::evidence::{Inquiry, Outcome, Summary};
use domain::incident::{Command, Incident, Refused, Role};
use domain::story::{Context, Story};
use engine::investigator::Knowledge;
use intel::sources::{Quota, Sources, VirusTotalSettings};
use outbound::{Allowed, Outbound, Secret};
use s1sim::{Fault, FaultKind, Role as HostRole, Threat, Times};
use sinks::questions::Fault as SourceFault;
use sinks::virustotal::{self, Entry, Object};
use sinks::{Now, VirusTotalSink};
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

/// While the first search still runs, the indicators are looked up once more: the last search is of that check.
#[tokio::test]
async fn what_is_found_while_a_search_runs_is_searched_for_as_well() {
    let soc = TestSoc::start().await;
    let host = soc.host(customers::JAPANESE, HostRole::Desktop, 0);
    let threat = soc.raise(customers::JAPANESE, &Threat::ransomware(&host));
    soc.settle().await;
    let incident = soc.incident_of(&threat).await;
    assert!(incident.answer_to(&Inquiry::Indicators).is_some(), "checked");
    assert!(incident.answer_to(&Inquiry::Sweep).is_none(), "and still being searched for");
    soc.sentinelone().advance(Duration::from_millis(200));
    soc.execute(incident.id, Command::AskAgain { by: soc.analyst(), inquiry: Inquiry::Indicators }).await;
    soc.pass(minutes(1)).await;
    let incident = soc.incident(incident.id).await;
    let [check, sweep] = [Inquiry::Indicators, Inquiry::Sweep].map(|i| incident.answer_to(&i).unwrap().answer.clone());
    let began = sweep.window.unwrap().to;
    assert!(began >= check.obtained_at, "searched for what was known at {began}, checked at {}", check.obtained_at);
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

/// A reputation service that knows one domain of the attack and one of another, and how to ask it.
fn reputation() -> (VirusTotalSink, Knowledge) {
    let service = VirusTotalSink::start(virustotal::Options {
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        key: "test-only".into(),
        quota: None,
        catalogue: ["keys.gate-relay.example", "other.example"]
            .map(|name| Entry::of(Object::Domain(name.into())).bad(11, "trojan.test"))
            .into(),
        now: Now::new(|| "2026-11-24T01:00:00Z".parse().unwrap()),
    })
    .unwrap();
    let at = Allowed::public(service.url().parse().unwrap());
    let quota = Quota { per_minute: 600, per_day: 10_000 };
    let virustotal = Some(VirusTotalSettings { key: Secret::new("test-only"), quota, at });
    let settings = intel::sources::Settings { virustotal, ..Default::default() };
    let door = Outbound::new(&outbound::Settings::new(settings.allowed())).unwrap();
    let sources = Some(Sources::new(door, settings, customers::ALL.len()));
    (service, Knowledge { sources, ..Knowledge::default() })
}

#[tokio::test]
async fn what_a_source_knows_stands_beside_the_indicator_and_what_it_cannot_say_is_a_gap_r23() {
    let faults = [None, Some(SourceFault::Dead), Some(SourceFault::Lies), Some(SourceFault::Malformed)];
    for fault in faults {
        let (service, knowledge) = reputation();
        if let Some(fault) = &fault {
            service.set_fault(fault.clone(), 1_000);
        }
        let soc = TestSoc::start_knowing(knowledge).await;
        soc.play("ransomware-workstation", customers::JAPANESE).await;
        soc.pass(minutes(1)).await;
        let incident = soc.incidents().await.remove(0);
        let findings = soc.engine().findings(&incident).await.unwrap();
        let domain = findings.indicators.iter().find(|l| l.ioc.value() == "keys.gate-relay.example").unwrap();
        match fault {
            None => assert!(domain.is_bad() && !domain.has_gap(), "{domain:?}"),
            Some(_) => assert!(!domain.is_bad() && domain.has_gap(), "{fault:?}: {domain:?}"),
        }
        // Either way the incident went on: all endpoints were searched.
        assert!(matches!(outcome(&incident, |i| *i == Inquiry::Sweep), Outcome::Found(_)), "{fault:?}");
        soc.mail().skim();
        soc.finish().await;
        service.stop().await;
    }
}

#[tokio::test]
async fn processes_that_die_over_an_inquiry_leave_a_gap_and_not_an_endless_job_rel_16() {
    let soc = TestSoc::start().await;
    let host = soc.host(customers::JAPANESE, HostRole::Desktop, 0);
    soc.raise(customers::JAPANESE, &Threat::ransomware(&host));
    let engine = soc.engine();
    let tenant: TenantId = customers::JAPANESE.parse().unwrap();
    soc.poll(customers::JAPANESE).await;
    // Claimed again and again, and never heard of: each lease is over at the instant it begins.
    for _ in 0..4 {
        let claimed = engine.store().claim(Role::Investigator, "dead", soc.now(), soc.now(), 100).await.unwrap();
        assert!(claimed.iter().any(|job| job.tenant == tenant));
    }
    soc.pass(minutes(1)).await;
    let incident = soc.incidents().await.remove(0);
    let events = outcome(&incident, |i| matches!(i, Inquiry::Events { .. }));
    assert!(matches!(events, Outcome::CouldNotAsk { .. }), "{events:?}");
    soc.mail().skim();
    soc.finish().await;
}
