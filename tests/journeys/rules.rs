//! Each rule of the floor that can match is reached by an alert that comes in through the console, with the verdict and
//! the priority that the practice page gives it. A rule that becomes reachable without an entry here fails the test.

use std::collections::BTreeSet;

use domain::incident::{Command, Event, Incident};
use domain::question::Meaning;
use domain::reason::Ground;
use domain::rules::{FLOOR, RuleId};
use domain::{AlertId, Priority, Untrusted, Verdict};
use s1sim::{Engine, Outcome, Role, Threat, indicator};
use soc_tests::{TestSoc, customers, minutes, seconds};

use Engine::{Behavioral, Documents, OnWriteStatic, OnWriteStaticSuspicious, Reputation, UnwantedApplications};
use Priority::{P0, P1, P2, P3};
use RuleId::*;
use Verdict::{FalsePositive, Suspicious, TruePositive, Undetermined};

/// Where alerts are judged one by one.
const CUSTOMER: &str = customers::JAPANESE;
/// Where history is made.
const OTHER: &str = customers::ENGLISH;

#[tokio::test]
async fn every_rule_that_can_match_is_reached_by_an_alert_through_the_console() {
    let soc = TestSoc::start().await;
    let expected: Vec<(AlertId, RuleId, Verdict, Priority)> = by_the_alert_itself(&soc)
        .into_iter()
        .map(|(rule, verdict, priority, threat)| (soc.raise(CUSTOMER, &threat), rule, verdict, priority))
        .collect();
    soc.settle().await;
    let mut reached = BTreeSet::new();
    for (alert, rule, verdict, priority) in expected {
        let incident = soc.incident_of(&alert).await;
        let judged = (incident.judgement.rule, incident.verdict, incident.priority());
        assert_eq!(judged, (rule, verdict, priority), "{}", incident.title.quoted());
        reached.insert(rule);
    }
    // So many at once use the console's budget up, which comes back with time.
    soc.pass(minutes(2)).await;
    reached.extend(by_the_answer(&soc).await);
    reached.extend(by_history(&soc).await);

    let can_match: BTreeSet<RuleId> = FLOOR.iter().filter(|rule| rule.needs.is_met()).map(|rule| rule.id).collect();
    assert_eq!(reached, can_match);
    soc.pass(seconds(10)).await;
    soc.mail().skim();
    soc.finish().await;
}

#[test]
fn these_rules_still_wait_for_what_they_need() {
    let waiting: Vec<RuleId> = FLOOR.iter().filter(|rule| !rule.needs.is_met()).map(|rule| rule.id).collect();
    assert_eq!(waiting, [R16, R17, R15, R27, R21]);
}

/// Each on hosts and with a file of its own, so that nothing belongs together. Unless it says otherwise, a threat is on a
/// desktop and nobody has stopped it.
fn by_the_alert_itself(soc: &TestSoc) -> Vec<(RuleId, Verdict, Priority, Threat)> {
    let server = |role| soc.host(CUSTOMER, role, 0);
    let on = |host: &str, name: &str, engine| {
        let file = format!("{name}.exe");
        Threat::new(host, &file, engine).hashed_from(&file)
    };
    let desktop = |name: &str, engine| on(&format!("HSM-PC-{name}"), name, engine);
    let ran = |name: &str, techniques: &[&str]| seen(desktop(name, Behavioral).suspicious(), techniques);
    vec![
        (R01, TruePositive, P0, seen(desktop("locker", Behavioral), &["T1486", "T1490"])),
        (R01, TruePositive, P0, seen(on(&server(Role::BackupServer), "wiper", Behavioral), &["T1485"])),
        (R02, TruePositive, P0, ran("dumper", &["T1003.001", "T1021.002"])),
        (R02, TruePositive, P0, on(&server(Role::DomainController), "implant", Behavioral)),
        (R03, TruePositive, P0, ran("hands", &["T1059.001", "T1082", "T1018"])),
        (R04, TruePositive, P1, seen(on(&server(Role::LinuxServer), "page", OnWriteStatic), &["T1505.003"])),
        (R04, TruePositive, P0, seen(on(&server(Role::AppServer), "shell", Behavioral), &["T1505.003", "T1059.003"])),
        (R22, Suspicious, P1, ran("blinder", &["T1562.001"])),
        (R25, Suspicious, P1, ran("uploader", &["T1567.002"])),
        (R25, TruePositive, P1, ran("thief", &["T1567.002", "T1219"])),
        (R26, TruePositive, P1, on("HSM-PC-W1", "worm", Behavioral)),
        (R26, TruePositive, P1, on("HSM-PC-W2", "worm", Behavioral)),
        (
            R10,
            Suspicious,
            P3,
            desktop("toolbar", UnwantedApplications).classified("PUA").suspicious().outcome(Outcome::Quarantined),
        ),
        (R10, TruePositive, P2, desktop("miner", Behavioral).classified("Cryptominer").outcome(Outcome::Mitigated)),
        (R05, TruePositive, P1, desktop("backdoor", Behavioral)),
        (R06, TruePositive, P2, desktop("stopped", Behavioral).outcome(Outcome::Mitigated)),
        (R06, TruePositive, P1, on(&server(Role::FileServer), "served", Behavioral).outcome(Outcome::Mitigated)),
        (R07, TruePositive, P3, desktop("trojan", Reputation).outcome(Outcome::Quarantined)),
        (R07, TruePositive, P1, desktop("trojan2", Reputation)),
        (R08, Suspicious, P1, ran("exploit", &["T1203"])),
        (R08, TruePositive, P1, ran("exploited", &["T1203", "T1105"])),
        (R09, Suspicious, P2, ran("beacon", &["T1071.001"]).outcome(Outcome::Mitigated)),
        (
            R11,
            Undetermined,
            P2,
            desktop("farcmd", Behavioral).classified("Hacktool").suspicious().outcome(Outcome::Mitigated),
        ),
        (R12, Undetermined, P3, desktop("unknown", OnWriteStaticSuspicious).suspicious().outcome(Outcome::Quarantined)),
        (R23, Undetermined, P2, desktop("letter", Documents).suspicious().outcome(Outcome::Mitigated)),
    ]
}

fn seen(threat: Threat, techniques: &[&str]) -> Threat {
    threat.indicator(indicator("General", "Observed while it ran.", &[1], &[("Various", techniques)]))
}

async fn by_the_answer(soc: &TestSoc) -> Vec<RuleId> {
    let mut reached = Vec::new();
    for (meaning, rule, verdict) in [(Meaning::Ours, R13, FalsePositive), (Meaning::Unknown, R14, Suspicious)] {
        let file = format!("{meaning:?}.exe");
        let threat = Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)).file(&file).hashed_from(&file);
        let id = soc.raise(CUSTOMER, &threat);
        soc.settle().await;
        let incident = soc.incident_of(&id).await;
        let incident = soc.execute(incident.id, Command::Ask { by: soc.analyst(), addition: None }).await;
        let (question, words) = (incident.open_question().unwrap().id, Untrusted::new("電話で回答をいただいた"));
        let answer = Command::RecordAnswer { by: soc.analyst(), question, meaning, words };
        let incident = soc.execute(incident.id, answer).await;
        // The file was stopped before it ran on a workstation, which lowers R14 by one step.
        let judged = (incident.judgement.rule, incident.verdict, incident.priority());
        assert_eq!(judged, (rule, verdict, P3));
        soc.pass(seconds(5)).await;
        reached.push(incident.judgement.rule);
    }
    reached
}

async fn by_history(soc: &TestSoc) -> BTreeSet<RuleId> {
    let host = soc.host(OTHER, Role::Laptop, 0);
    let unknown = || Threat::static_unknown(&host);
    // R18: the same again. R24: the same after it was closed. R20: the same file, started by something else.
    soc.raise(OTHER, &unknown());
    soc.pass(seconds(2)).await;
    let joined = soc.raise(OTHER, &unknown());
    soc.pass(seconds(2)).await;
    let first = soc.incident_of(&joined).await.id;
    soc.give_verdict(first, FalsePositive).await;
    soc.close(first).await;
    soc.pass(seconds(2)).await;
    let referring = soc.raise(OTHER, &unknown());
    soc.pass(seconds(2)).await;
    let second = soc.incident_of(&referring).await;
    assert_eq!(second.refers_to, Some(first));
    soc.give_verdict(second.id, FalsePositive).await;
    soc.close(second.id).await;
    soc.pass(seconds(2)).await;
    let changed = soc.raise(OTHER, &unknown().info("originatorProcess", "wscript.exe"));
    // R19: findings of one scan.
    for n in 0..3 {
        let file = format!("old-{n}.exe");
        let found =
            Threat::static_unknown(&soc.host(customers::BILINGUAL, Role::Laptop, 0)).file(&file).hashed_from(&file);
        soc.raise(customers::BILINGUAL, &found.initiated_by("full_disk_scan"));
    }
    soc.pass(seconds(2)).await;
    let reopened = soc.incident_of(&changed).await;
    assert_eq!((reopened.id, reopened.priority()), (second.id, P2));

    let mut reached = BTreeSet::new();
    for incident in soc.incidents().await.iter().filter(|i| i.tenant.as_str() != CUSTOMER) {
        reached.extend(rules_of_history(soc, incident).await);
    }
    reached
}

/// The rules that `grouping` applied to an incident, by its events.
async fn rules_of_history(soc: &TestSoc, incident: &Incident) -> Vec<RuleId> {
    let events = soc.engine().store().events(&incident.tenant, incident.id).await.unwrap();
    let of_event = |event: &Event| match event {
        Event::AlertJoined { rule, .. } => Some(*rule),
        Event::Received { refers_to: Some(earlier), grounds, .. } if matches!(&grounds[..], [Ground::RepeatOf { incident, .. }] if incident == earlier) => {
            Some(R24)
        }
        _ => None,
    };
    events.iter().filter_map(|recorded| of_event(&recorded.event)).collect()
}
