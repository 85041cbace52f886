//! The way of an action through everything that can go wrong: told once to effect, proved by reading back (REL-06).

use domain::action::{Kind, Proof, State};
use domain::incident::{Command, Incident, Refused, Role as WorkerRole};
use domain::{ActionId, AlertId, Verdict};
use engine::ExecuteError;
use s1sim::{Fault, FaultKind, Role, Threat};
use sentinelone::{Mitigate, Targets};
use soc_tests::{TestSoc, customers, hours, minutes, seconds};

const CUSTOMER: &str = customers::JAPANESE;
const KILL: &str = "/threats/mitigate/kill";
const DISCONNECT: &str = "/agents/actions/disconnect";

#[tokio::test]
async fn a_lost_answer_is_read_back_and_never_told_again() {
    for status in [None, Some(504)] {
        for path in [KILL, DISCONNECT] {
            let soc = TestSoc::start().await;
            soc.sentinelone().faults().add(Fault::new(FaultKind::LostAnswer { status }).on("POST", path));
            let threat = ransomware(&soc);
            soc.pass(seconds(20)).await;
            assert_all_verified(&soc.incident_of(&threat).await);
            for call in soc.sentinelone().ledger().done {
                assert!(call.targets.iter().all(|t| t.told == 1), "{} was told again", call.action);
            }
            soc.mail().skim();
            soc.finish().await;
        }
    }
}

#[tokio::test]
async fn a_console_that_turns_an_action_away_for_now_is_asked_again() {
    for kind in [FaultKind::TooManyRequests { retry_after: Some(3) }, FaultKind::Status { status: 503 }] {
        let soc = TestSoc::start().await;
        soc.sentinelone().faults().add(Fault::new(kind).on("POST", KILL));
        let threat = ransomware(&soc);
        soc.pass(minutes(2)).await;
        assert_all_verified(&soc.incident_of(&threat).await);
        assert_eq!(soc.sentinelone().ledger().times_effective("kill", threat.as_str()), 1);
        soc.mail().skim();
        soc.finish().await;
    }
}

#[tokio::test]
async fn a_worker_that_dies_between_intent_and_sending_leaves_an_action_that_is_carried_out_once() {
    let soc = TestSoc::start().await;
    let (threat, kill) = intended_by_a_worker_that_dies(&soc).await;
    assert_eq!(soc.sentinelone().ledger().times_told("kill", threat.as_str()), 0);
    soc.pass(minutes(1)).await;
    assert_carried_out_once(&soc, &threat, kill).await;
    soc.finish().await;
}

#[tokio::test]
async fn a_worker_that_dies_after_sending_leaves_an_action_that_is_not_sent_again() {
    let soc = TestSoc::start().await;
    let (threat, kill) = intended_by_a_worker_that_dies(&soc).await;
    let console = soc.console_actuator(CUSTOMER);
    console.mitigate(Mitigate::Kill, &Targets::one(threat.clone()), soc.now()).await.unwrap();
    soc.pass(minutes(1)).await;
    assert_carried_out_once(&soc, &threat, kill).await;
    assert_eq!(soc.sentinelone().ledger().times_told("kill", threat.as_str()), 1);
    soc.finish().await;
}

#[tokio::test]
async fn an_endpoint_that_is_away_is_waited_for_and_then_verified() {
    let soc = TestSoc::start().await;
    let host = soc.host(CUSTOMER, Role::Desktop, 0);
    soc.sentinelone().set_offline(&host);
    let threat = ransomware(&soc);
    soc.pass(hours(1)).await;
    let incident = soc.incident_of(&threat).await;
    assert!(incident.actions.values().all(|a| a.state == State::Accepted), "{:?}", incident.actions);
    soc.mail().only_unread(CUSTOMER);
    soc.give_verdict(incident.id, Verdict::TruePositive).await;
    let refused = soc.try_execute(incident.id, Command::Close { by: soc.analyst() }).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(Refused::ActionRunning))), "{refused:?}");

    soc.sentinelone().set_online(&host);
    soc.pass(minutes(10)).await;
    assert_all_verified(&soc.incident_of(&threat).await);
    soc.close(incident.id).await;
    soc.settle().await;
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn an_action_that_fails_on_the_endpoint_is_told_as_failed_and_keeps_the_others_going() {
    let soc = TestSoc::start().await;
    soc.sentinelone().faults().add(Fault::new(FaultKind::ActionFails).on("POST", "/threats/mitigate/quarantine"));
    let threat = ransomware(&soc);
    soc.pass(seconds(20)).await;
    let incident = soc.incident_of(&threat).await;
    let state = |kind| incident.actions.values().find(|a| a.kind == kind).unwrap().state.clone();
    assert!(matches!(state(Kind::Quarantine), State::Refused { .. }));
    assert_eq!(state(Kind::Kill), State::Verified { how: Proof::ReadBack });
    assert_eq!(state(Kind::Isolate), State::Verified { how: Proof::ReadBack });
    let update = &soc.mail().unread(CUSTOMER)[1];
    assert!(update.text.as_ref().unwrap().contains("実施できず"), "{:?}", update.text);
    soc.finish().await;
}

fn ransomware(soc: &TestSoc) -> AlertId {
    soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)))
}

/// Ransomware is taken in; a worker claims its jobs, records the intent to kill, and is never heard of again.
async fn intended_by_a_worker_that_dies(soc: &TestSoc) -> (AlertId, ActionId) {
    let threat = ransomware(soc);
    soc.poll(CUSTOMER).await;
    let until = soc.now() + jiff::SignedDuration::from_secs(30);
    let claimed = soc.engine().store().claim(WorkerRole::Actuator, "dead", soc.now(), until, 10).await.unwrap();
    assert!(claimed.len() >= 3);
    let incident = soc.incident_of(&threat).await;
    let kill = incident.actions.values().find(|a| a.kind == Kind::Kill).unwrap().id;
    soc.execute(incident.id, Command::IntendAction { action: kill }).await;
    (threat, kill)
}

async fn assert_carried_out_once(soc: &TestSoc, threat: &AlertId, kill: ActionId) {
    let incident = soc.incident_of(threat).await;
    assert_eq!(incident.actions[&kill].state, State::Verified { how: Proof::ReadBack });
    assert_all_verified(&incident);
    assert_eq!(soc.sentinelone().ledger().times_effective("kill", threat.as_str()), 1);
    soc.mail().skim();
}

fn assert_all_verified(incident: &Incident) {
    for action in incident.actions.values() {
        assert_eq!(action.state, State::Verified { how: Proof::ReadBack }, "{:?}", action.kind);
    }
    assert_eq!(incident.actions.len(), 3);
}

/// The console takes ten calls a second of one token. What stops an attack goes before everything that only looks or
/// records, or the last of forty attacks would wait for the first one's paperwork.
#[tokio::test]
async fn forty_attacks_at_once_at_one_customer_are_stopped_before_anything_is_written_up() {
    let soc = TestSoc::start().await;
    let raised_at = soc.now();
    for n in 0..40 {
        let file = format!("locker-{n}.exe");
        let host = soc.host(CUSTOMER, Role::Desktop, n % 3);
        soc.raise(CUSTOMER, &Threat::ransomware(&host).file(&file).hashed_from(&file));
    }
    soc.pass(minutes(3)).await;
    let mut sent = Vec::new();
    for incident in soc.incidents().await {
        assert!(incident.actions_settled(), "{}", incident.id);
        sent.extend(incident.actions.values().filter_map(|a| a.sent_at));
    }
    let last = sent.iter().max().expect("something was sent").duration_since(raised_at);
    // The figure in the README.
    eprintln!("{} acts, the last sent {last:#} after the raising", sent.len());
    assert!(last.as_secs() <= 8, "the last action was sent after {last:#}");
    soc.mail().skim();
    soc.finish().await;
}

/// Nobody can wait for ever: after a day the incident says so, and can be closed.
#[tokio::test]
async fn an_endpoint_that_stays_away_for_a_day_leaves_its_action_to_a_person() {
    let soc = TestSoc::start().await;
    let host = soc.host(CUSTOMER, Role::Desktop, 0);
    soc.sentinelone().set_offline(&host);
    let threat = ransomware(&soc);
    soc.pass(hours(25)).await;
    let incident = soc.incident_of(&threat).await;
    assert!(incident.actions_settled(), "{:?}", incident.actions);
    assert!(incident.actions.values().all(|a| matches!(a.state, State::Refused { .. })), "{:?}", incident.actions);
    assert_eq!(incident.troubles.len(), incident.actions.len(), "each stands where people look");
    soc.give_verdict(incident.id, Verdict::TruePositive).await;
    soc.settle().await;
    soc.close(incident.id).await;
    soc.settle().await;
    soc.mail().skim();
    soc.finish().await;
}
