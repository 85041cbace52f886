//! The mail server fails. A notice is late rather than lost, never sent to nobody's knowledge, and never twice without need.

use domain::notice::Delivery;
use domain::tenant::{Contact, Email};
use s1sim::{Role, Threat};
use sinks::mail::Fault;
use soc_tests::{TestSoc, customers, hours, minutes, seconds};

const CUSTOMER: &str = customers::JAPANESE;

#[tokio::test]
async fn an_hour_without_a_mail_server_delays_each_notice_and_doubles_none() {
    let soc = TestSoc::start().await;
    soc.mail().set_fault(Fault::Temporary, u32::MAX);
    ransomware(&soc);
    soc.pass(hours(1)).await;
    assert_eq!(soc.mail().count(), 0);
    soc.mail().set_fault(Fault::Temporary, 0);
    soc.pass(minutes(10)).await;
    let mails = soc.mail().unread(CUSTOMER);
    assert_eq!(mails.len(), 2, "the first notice, and what became of the actions");
    soc.finish().await;
}

#[tokio::test]
async fn a_lost_answer_of_the_mail_server_costs_a_copy_that_is_known_by_its_id() {
    let soc = TestSoc::start().await;
    soc.expect_copies();
    soc.mail().set_fault(Fault::LostAnswer, 1);
    soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)));
    soc.pass(minutes(1)).await;
    let mails = soc.mail().unread(CUSTOMER);
    assert_eq!((mails.len(), soc.mail().copies(&mails[0].message_id)), (2, 2));
    soc.finish().await;
}

#[tokio::test]
async fn a_notice_that_is_refused_for_good_stands_where_people_work() {
    let soc = TestSoc::start().await;
    soc.mail().set_fault(Fault::Permanent, 1);
    let threat = soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)));
    soc.pass(minutes(1)).await;
    let incident = soc.incident_of(&threat).await;
    let deliveries: Vec<&Delivery> = incident.notices.values().flat_map(|n| n.deliveries.values()).collect();
    assert!(matches!(deliveries[..], [Delivery::Failed { .. }]), "{deliveries:?}");
    assert_eq!(incident.troubles.len(), 1);
    assert_eq!(soc.given_up().await.len(), 1);
    soc.finish().await;
}

#[tokio::test]
async fn a_refused_recipient_keeps_no_mail_from_the_others_and_is_shown() {
    // The local part is longer than any server takes.
    let refused = format!("{}@{CUSTOMER}.example", "a".repeat(70));
    let soc = TestSoc::start_with(|tenant| {
        if tenant.id.as_str() == CUSTOMER {
            let first = tenant.contacts[0].clone();
            tenant.contacts.push(Contact { email: Email::try_from(refused.clone()).unwrap(), ..first });
        }
    })
    .await;
    let threat = soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)));
    soc.pass(seconds(10)).await;
    assert_eq!(soc.mail().only_unread(CUSTOMER).to, [customers::address(CUSTOMER)]);
    let troubles = soc.incident_of(&threat).await.troubles;
    assert!(troubles.len() == 1 && troubles[0].quoted().contains(&refused), "{troubles:?}");
    soc.finish().await;
}

fn ransomware(soc: &TestSoc) {
    soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)));
}
