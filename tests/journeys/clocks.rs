//! Promises: people are called when nobody takes an incident, the customer's silence has an end, and every clock is proved
//! from its events at each step (`invariants`).

use domain::clock::{Kind as Clock, State};
use domain::incident::{Command, Event, Phase};
use domain::oncall::{Day, OnCall, Roster, Shift, Site};
use domain::question::Meaning;
use domain::rules::RuleId;
use domain::storm::Rollout;
use domain::tenant::{Email, Names};
use domain::{Language, Untrusted, Verdict};
use s1sim::{Role, Threat};
use sinks::mail::Fault;
use soc_tests::{TestSoc, customers, hours, minutes, seconds};

const CUSTOMER: &str = customers::JAPANESE;
/// As the console names the customer's site.
const SITE: &str = "本社・長野工場";
const ANALYST: &str = "mori@yagura-soc.example";
const OTHER_SITE: &str = "abe@yagura-soc.example";
const LEAD: &str = "kudo@yagura-soc.example";

#[tokio::test]
async fn seventy_two_hours_of_silence_end_in_suspicious_even_when_the_service_was_down_rel_15() {
    let soc = TestSoc::start().await;
    let threat = soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)));
    soc.settle().await;
    assert!(soc.mail().only_unread(CUSTOMER).text.as_ref().unwrap().contains("回答がない場合"));
    soc.pass(hours(24)).await;
    assert!(soc.mail().only_unread(CUSTOMER).subject.contains("再送"), "reminded after a day");
    soc.pass(hours(24)).await;
    assert!(soc.mail().only_unread(CUSTOMER).subject.contains("再送"), "and after two");
    // Down from the 50th to the 75th hour: the third reminder would come after the deadline, so it does not come.
    soc.pass(hours(2)).await;
    soc.outage(hours(25));
    soc.settle().await;
    let mails = soc.mail().unread(CUSTOMER);
    let [verdict] = &mails[..] else { panic!("one mail: {mails:#?}") };
    assert!(verdict.subject.contains("分析結果のご報告"), "{}", verdict.subject);
    assert_eq!(verdict.attachments.len(), 1, "with the report");
    let incident = soc.incident_of(&threat).await;
    assert_eq!((incident.verdict, incident.phase), (Verdict::Suspicious, Phase::Triaged), "a person still closes it");
    let console = soc.sentinelone().threat(threat.as_str()).unwrap();
    assert_eq!(console["threatInfo"]["analystVerdict"], "suspicious");

    // The customer answers all the same, after it was closed.
    soc.close(incident.id).await;
    soc.pass(hours(30)).await;
    let question = incident.questions.values().next().unwrap().id;
    let (by, words) = (soc.analyst(), Untrusted::new("出張中でした。自社のツールです。"));
    let answer = Command::RecordAnswer { by, question, meaning: Meaning::Ours, words };
    let reopened = soc.execute(incident.id, answer).await;
    assert!(reopened.phase.is_open());
    assert_eq!((reopened.judgement.rule, reopened.verdict), (RuleId::R13, Verdict::FalsePositive));
    soc.settle().await;
    soc.finish().await;
}

#[tokio::test]
async fn an_answer_in_the_last_second_wins_rel_15() {
    let soc = TestSoc::start().await;
    let threat = soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)));
    soc.settle().await;
    let incident = soc.incident_of(&threat).await;
    soc.pass(hours(72) - seconds(1)).await;
    soc.mail().skim();
    let question = incident.open_question().unwrap().id;
    let (by, words) = (soc.analyst(), Untrusted::new("not known to us"));
    soc.execute(incident.id, Command::RecordAnswer { by, question, meaning: Meaning::Unknown, words }).await;
    soc.pass(hours(2)).await;
    let incident = soc.incident_of(&threat).await;
    let events = soc.engine().store().events(&incident.tenant, incident.id).await.unwrap();
    assert!(!events.iter().any(|e| matches!(e.event, Event::AnswerOverdue { .. })));
    assert_eq!(incident.judgement.rule, RuleId::R14);
    soc.finish().await;
}

#[tokio::test]
async fn ransomware_at_two_in_the_morning_calls_a_lead_and_stops_calling_once_taken_rel_09() {
    let soc = TestSoc::start_staffed(|_| {}, roster()).await;
    // From ten in the morning to two in the night: nobody is on a shift.
    soc.pass(hours(16)).await;
    let threat = soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)));
    soc.pass(minutes(5) + seconds(2)).await;
    let [call] = &soc.mail().calls(LEAD)[..] else { panic!("one call") };
    assert!(call.subject.starts_with("【呼び出し・P0】"), "{}", call.subject);
    let incident = soc.incident_of(&threat).await;
    assert!(call.text.as_ref().unwrap().contains(&format!("/incidents/{}", incident.id)));
    soc.acknowledge(incident.id).await;
    soc.pass(minutes(30)).await;
    assert!(soc.mail().calls(LEAD).is_empty(), "it has been taken");
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn in_business_hours_the_call_rises_from_analyst_to_site_to_lead_rel_09() {
    let soc = TestSoc::start_staffed(|_| {}, roster()).await;
    soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)));
    soc.pass(minutes(5) + seconds(2)).await;
    assert_eq!((soc.mail().calls(ANALYST).len(), soc.mail().calls(OTHER_SITE).len()), (1, 0));
    soc.pass(seconds(90)).await;
    assert_eq!((soc.mail().calls(OTHER_SITE).len(), soc.mail().calls(LEAD).len()), (1, 0));
    soc.pass(seconds(90)).await;
    assert_eq!(soc.mail().calls(LEAD).len(), 1);
    soc.pass(minutes(60)).await;
    assert!(soc.mail().calls(ANALYST).is_empty());
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn when_no_channel_confirms_a_person_calls_the_customer_rel_09() {
    let soc = TestSoc::start_staffed(|_| {}, roster()).await;
    soc.mail().set_fault(Fault::Temporary, 100);
    let threat = soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)));
    soc.settle().await;
    let incident = soc.incident_of(&threat).await;
    soc.acknowledge(incident.id).await;
    soc.pass(minutes(3)).await;
    let incident = soc.incident_of(&threat).await;
    assert!(incident.notices.values().any(|n| n.unconfirmed), "{:?}", incident.notices);
    soc.mail().set_fault(Fault::Temporary, 0);
    soc.pass(minutes(20)).await;
    let calls = soc.mail().calls(ANALYST);
    assert!(calls.iter().any(|c| c.subject.contains("電話")), "{calls:?}");
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn the_storm_of_a_first_scan_is_excluded_with_a_reason_and_below_the_threshold_it_counts() {
    for (threshold, state) in [(50, State::Excluded), (60, State::Running)] {
        let soc = TestSoc::start_with(|tenant| {
            tenant.service_levels.storm_alerts_per_hour = threshold;
            let (from, to) = ("2026-11-20".parse().unwrap(), "2026-11-30".parse().unwrap());
            tenant.rollouts = vec![Rollout { site: SITE.to_owned(), from, to }];
        })
        .await;
        soc.play("full-disk-scan", CUSTOMER).await;
        let incidents = soc.incidents().await;
        let scan = incidents.iter().max_by_key(|i| i.alert_count).unwrap();
        assert_eq!(scan.alert_count, 60);
        assert_eq!(scan.clocks.as_ref().unwrap().state(Clock::Analysis, soc.now()), state, "threshold {threshold}");
        let told = soc.mail().unread(CUSTOMER);
        let why = told.iter().filter(|m| m.text.as_ref().unwrap().contains("対応目標の対象外")).count();
        assert_eq!(why, usize::from(state == State::Excluded));
        soc.finish().await;
    }
}

fn roster() -> Roster {
    let on_call = |email: &str| OnCall {
        person: email.split_once('@').unwrap().0.parse().unwrap(),
        email: Email::try_from(email.to_owned()).unwrap(),
        language: Language::Ja,
    };
    let site = |id: &str, email: &str| Site {
        id: id.parse().unwrap(),
        name: Names { ja: id.into(), en: id.into() },
        shifts: vec![Shift {
            days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
            from: "09:00".parse().unwrap(),
            to: "18:00".parse().unwrap(),
            people: vec![on_call(email)],
        }],
    };
    Roster { sites: vec![site("sapporo", ANALYST), site("fukuoka", OTHER_SITE)], leads: vec![on_call(LEAD)] }
}
