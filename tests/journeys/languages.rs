//! Each customer hears in the languages they read, and nobody hears of another.

use domain::Language;
use s1sim::{Role, Threat};
use soc_tests::{TestSoc, customers};

#[tokio::test]
async fn each_customer_is_told_in_the_languages_they_read() {
    let soc = TestSoc::start().await;
    for customer in customers::ALL {
        let host = soc.host(customer, Role::Desktop, 0);
        soc.raise(customer, &Threat::ransomware(&host));
    }
    soc.settle().await;

    let japanese = soc.mail().only_unread(customers::JAPANESE);
    assert_eq!(language(&japanese.subject), Language::Ja);
    assert!(japanese.text.as_ref().unwrap().contains("星見精工株式会社"));
    let english = soc.mail().only_unread(customers::ENGLISH);
    assert_eq!(language(&english.subject), Language::En);
    assert!(english.text.as_ref().unwrap().contains("Northmere Logistics Ltd."));
    assert!(english.text.as_ref().unwrap().is_ascii() || !english.text.as_ref().unwrap().contains('、'));

    let both = soc.mail().unread(customers::BILINGUAL);
    let mut languages: Vec<Language> = both.iter().map(|mail| language(&mail.subject)).collect();
    languages.sort();
    assert_eq!(languages, [Language::Ja, Language::En]);
    assert_ne!(both[0].message_id, both[1].message_id);
    soc.pass(soc_tests::seconds(10)).await;
    assert_eq!(soc.mail().skim(), 4, "an update to each, in each language");
    soc.finish().await;
}

fn language(subject: &str) -> Language {
    match subject {
        ja if ja.starts_with("【P0・要対応】【TLP:AMBER+STRICT】INC-") => Language::Ja,
        en if en.starts_with("[P0 - Action required] [TLP:AMBER+STRICT] INC-") => Language::En,
        other => panic!("an unknown form of subject: {other}"),
    }
}
