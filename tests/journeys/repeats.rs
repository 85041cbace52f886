//! What belongs together, what came back, and what changed afterwards (R18, R19, R20, R24).

use domain::incident::{Command, Phase, Refused};
use domain::rules::RuleId;
use domain::{AlertId, IncidentId, Priority, Verdict};
use engine::ExecuteError;
use s1sim::{Engine, Outcome, Role, Threat};
use soc_tests::{TestSoc, customers, hours, minutes, seconds};

const CUSTOMER: &str = customers::ENGLISH;

#[tokio::test]
async fn the_same_event_joins_its_open_incident_and_is_told_once() {
    let soc = TestSoc::start().await;
    let first = soc.raise(CUSTOMER, &unknown_file(&soc));
    soc.pass(minutes(40)).await;
    let second = soc.raise(CUSTOMER, &unknown_file(&soc));
    soc.settle().await;
    let incident = soc.incident_of(&second).await;
    assert_eq!(incident.id, soc.incident_of(&first).await.id);
    assert_eq!((incident.alert_count, incident.alerts.len()), (2, 2));
    soc.mail().only_unread(CUSTOMER);
    // Both alerts show on the console that somebody works on them.
    for alert in [&first, &second] {
        let console = soc.sentinelone().threat(alert.as_str()).unwrap();
        assert_eq!(console["threatInfo"]["incidentStatus"], "in_progress");
    }
    soc.finish().await;
}

#[tokio::test]
async fn alerts_that_come_together_are_written_about_once_on_the_console() {
    let soc = TestSoc::start().await;
    let host = soc.host(CUSTOMER, Role::Desktop, 0);
    let of_one_attack = |file: &str| Threat::ransomware(&host).file(file).hashed_from(file).storyline("attack");
    for file in ["dropper.exe", "locker.exe", "cleaner.exe"] {
        soc.raise(CUSTOMER, &of_one_attack(file));
    }
    soc.pass(seconds(10)).await;
    assert_eq!(soc.incidents().await.len(), 1);
    soc.mail().skim();
    // That no note stands twice is an invariant.
    soc.finish().await;
}

#[tokio::test]
async fn reading_the_overlap_again_brings_nothing_twice_rel_04() {
    let soc = TestSoc::start().await;
    soc.raise(CUSTOMER, &unknown_file(&soc));
    soc.settle().await;
    let before = soc.incidents().await;
    for _ in 0..8 {
        soc.sentinelone().advance(minutes(1));
        let report = soc.poll(CUSTOMER).await;
        assert_eq!((report.taken.repeated, report.taken.updated), (1, 0));
    }
    assert_eq!(soc.incidents().await, before);
    soc.mail().only_unread(CUSTOMER);
    soc.finish().await;
}

#[tokio::test]
async fn a_full_disk_scan_is_few_incidents_and_every_finding_is_kept_r19() {
    let soc = TestSoc::start().await;
    soc.play("full-disk-scan", CUSTOMER).await;
    let incidents = soc.incidents().await;
    assert!(incidents.len() <= 2, "{} incidents", incidents.len());
    assert_eq!(incidents.iter().map(|i| i.alert_count).sum::<u32>(), 60);
    assert!(soc.mail().skim() <= 4);
    soc.finish().await;
}

#[tokio::test]
async fn an_earlier_false_positive_that_now_runs_is_reopened_r20() {
    let soc = TestSoc::start().await;
    let (_, closed) = false_positive(&soc).await;
    soc.pass(hours(30)).await;
    let now_running = Threat::new(&soc.host(CUSTOMER, Role::Laptop, 0), "label_print_tool.exe", Engine::Behavioral);
    let changed = soc.raise(CUSTOMER, &now_running);
    soc.pass(seconds(10)).await;
    let incident = soc.incident_of(&changed).await;
    assert_eq!(incident.id, closed);
    assert!(incident.phase.is_open());
    assert_eq!((incident.verdict, incident.judgement.rule), (Verdict::TruePositive, RuleId::R05));
    assert_eq!(soc.sentinelone().ledger().times_effective("kill", changed.as_str()), 1);
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn an_earlier_false_positive_with_another_parent_is_undetermined_again_r20() {
    let soc = TestSoc::start().await;
    let (first, closed) = false_positive(&soc).await;
    let changed = soc.raise(CUSTOMER, &unknown_file(&soc).info("originatorProcess", "wscript.exe"));
    soc.settle().await;
    let incident = soc.incident_of(&changed).await;
    assert_eq!((incident.id, incident.phase), (closed, Phase::Triaged), "somebody has to take it anew");
    assert_eq!(incident.verdict, Verdict::Undetermined, "nobody has judged the change yet");
    assert_eq!(incident.priority(), Priority::P2);
    // The console no longer says what nobody says any more.
    for alert in [&first, &changed] {
        let console = soc.sentinelone().threat(alert.as_str()).unwrap();
        assert_eq!(console["threatInfo"]["incidentStatus"], "in_progress");
        assert_eq!(console["threatInfo"]["analystVerdict"], "undefined");
    }
    soc.pass(seconds(10)).await;
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn the_same_event_after_its_incident_was_closed_refers_to_it_r24() {
    let soc = TestSoc::start().await;
    let (_, closed) = false_positive(&soc).await;
    soc.pass(hours(2)).await;
    let again = soc.raise(CUSTOMER, &unknown_file(&soc));
    soc.settle().await;
    let incident = soc.incident_of(&again).await;
    assert_ne!(incident.id, closed);
    assert_eq!(incident.refers_to, Some(closed));
    assert_eq!(incident.verdict, Verdict::Undetermined, "an analyst closes it, in one click");
    soc.mail().skim();
    let after = soc.execute(incident.id, Command::CloseAsRepeat { by: soc.analyst() }).await;
    assert_eq!((after.phase, after.verdict), (Phase::Closed, Verdict::FalsePositive));
    soc.settle().await;
    let told = soc.mail().only_unread(CUSTOMER);
    assert!(told.text.as_ref().unwrap().contains("(equal: endpoint, detection name, hash"), "{told:?}");
    let console = soc.sentinelone().threat(again.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["incidentStatus"], "resolved");
    let notes = soc.sentinelone().notes(again.as_str());
    assert!(notes.iter().any(|n| n["text"].as_str().unwrap().contains(&closed.to_string())), "{notes:?}");
    soc.finish().await;
}

#[tokio::test]
async fn a_repeat_that_another_program_has_joined_is_no_mere_repeat_any_more_r24() {
    let soc = TestSoc::start().await;
    false_positive(&soc).await;
    let host = soc.host(CUSTOMER, Role::Laptop, 0);
    let again = soc.raise(CUSTOMER, &unknown_file(&soc).storyline("one"));
    soc.settle().await;
    let id = soc.incident_of(&again).await.id;
    soc.raise(CUSTOMER, &Threat::ransomware(&host).storyline("one"));
    soc.pass(seconds(10)).await;
    let repeat = Command::CloseAsRepeat { by: soc.analyst() };
    let refused = soc.try_execute(id, repeat).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused(Refused::NotARepeat)), "{refused}");
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn new_behaviour_of_an_alert_reopens_its_closed_incident_rel_04() {
    let soc = TestSoc::start().await;
    // The second part of this attack becomes known five seconds after the first.
    soc.sentinelone().play("exfiltration", CUSTOMER).unwrap();
    soc.pass(seconds(3)).await;
    let [incident] = &soc.incidents().await[..] else { panic!("one incident") };
    soc.give_verdict(incident.id, Verdict::Suspicious).await;
    soc.close(incident.id).await;
    soc.settle().await;
    soc.mail().skim();

    soc.pass(seconds(20)).await;
    let incident = soc.incident(incident.id).await;
    assert!(incident.phase.is_open());
    assert_eq!(incident.verdict_given, None);
    let console = soc.sentinelone().threat(incident.alerts[0].id.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["incidentStatus"], "in_progress");
    soc.mail().skim();
    soc.finish().await;
}

fn unknown_file(soc: &TestSoc) -> Threat {
    Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)).outcome(Outcome::Quarantined)
}

/// An unknown file that an analyst found to be harmless.
async fn false_positive(soc: &TestSoc) -> (AlertId, IncidentId) {
    let threat = soc.raise(CUSTOMER, &unknown_file(soc));
    soc.settle().await;
    let id = soc.incident_of(&threat).await.id;
    soc.give_verdict(id, Verdict::FalsePositive).await;
    soc.close(id).await;
    soc.settle().await;
    soc.mail().skim();
    (threat, id)
}
