//! The console fails while it is read. Whatever it answers, nothing is lost and nothing comes twice (REL-03, REL-04).

use s1sim::{Fault, FaultKind, Role, Threat, Times};
use soc_tests::{TestSoc, customers, minutes};

/// The simulator asks the customers in this order; a fault that strikes once strikes the first.
const CUSTOMER: &str = customers::JAPANESE;

#[tokio::test]
async fn a_console_that_fails_while_it_is_read_delays_and_loses_nothing() {
    let faults = [
        (FaultKind::TooManyRequests { retry_after: Some(5) }, 1),
        (FaultKind::TooManyRequests { retry_after: None }, 1),
        (FaultKind::Status { status: 502 }, 1),
        (FaultKind::Truncated, 1),
        (FaultKind::DuplicatePage, 0),
    ];
    let soc = TestSoc::start().await;
    for (n, (kind, failures)) in faults.into_iter().enumerate() {
        let name = format!("{kind:?}");
        soc.sentinelone().faults().add(Fault::new(kind).on("GET", "/threats"));
        let host = soc.host(CUSTOMER, Role::Desktop, n);
        let file = format!("tool-{n}.exe");
        let threat = soc.raise(CUSTOMER, &Threat::static_unknown(&host).file(&file).hashed_from(&file));
        soc.settle().await;
        assert_eq!(soc.poll_failures().len(), failures, "{name}");
        soc.pass(minutes(1)).await;
        // The console's budget may have been held back for some seconds more.
        soc.poll_failures();
        soc.settle().await;
        assert_eq!(soc.poll_failures(), Vec::<String>::new(), "{name}");
        soc.incident_of(&threat).await;
        soc.mail().only_unread(CUSTOMER);
    }
    soc.finish().await;
}

#[tokio::test]
async fn an_hour_without_the_console_is_caught_up_with() {
    let soc = TestSoc::start().await;
    let broken = Fault::new(FaultKind::Status { status: 503 }).on("GET", "/threats").times(Times::Always);
    soc.sentinelone().faults().add(broken);
    for n in 0..4 {
        let file = format!("tool-{n}.exe");
        let host = soc.host(CUSTOMER, Role::Desktop, n);
        soc.raise(CUSTOMER, &Threat::static_unknown(&host).file(&file).hashed_from(&file));
        soc.pass(minutes(15)).await;
    }
    assert!(!soc.poll_failures().is_empty());
    assert!(soc.incidents().await.is_empty());
    soc.sentinelone().faults().clear();
    soc.pass(minutes(2)).await;
    // The breaker may have kept the first poll back.
    soc.poll_failures();
    soc.settle().await;
    assert_eq!(soc.incidents().await.len(), 4);
    assert_eq!(soc.mail().skim(), 4);
    soc.finish().await;
}

#[tokio::test]
async fn a_threat_that_shows_late_and_with_an_old_time_is_taken_in() {
    let soc = TestSoc::start().await;
    soc.sentinelone().faults().add(Fault::new(FaultKind::LateThreat { seconds: 240 }).at(CUSTOMER));
    let late = soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Desktop, 0)));
    soc.pass(minutes(1)).await;
    let other = Threat::static_unknown(&soc.host(CUSTOMER, Role::Desktop, 1)).file("b.exe").hashed_from("b");
    soc.raise(CUSTOMER, &other);
    soc.pass(minutes(5)).await;
    soc.incident_of(&late).await;
    assert_eq!(soc.mail().skim(), 2);
    soc.finish().await;
}
