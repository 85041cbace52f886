//! The three customers of the simulated console as tenants: one reads Japanese, one English, one both.

use domain::Language::{self, En, Ja};
use domain::clock::ServiceLevels;
use domain::endpoint::Class;
use domain::tenant::{Contact, Email, Names, ResponsePolicy, Tenant};

pub const JAPANESE: &str = "hoshimi";
pub const ENGLISH: &str = "northmere";
pub const BILINGUAL: &str = "kanata";

pub const ALL: [&str; 3] = [JAPANESE, ENGLISH, BILINGUAL];

/// Where a customer gets its mail.
pub fn address(customer: &str) -> String {
    format!("it-security@{customer}.example")
}

/// The name that all host names of a customer begin with.
pub fn host_prefix(customer: &str) -> &'static str {
    match customer {
        JAPANESE => "HSM-",
        ENGLISH => "NML-",
        _ => "KNT-",
    }
}

pub(crate) fn tenant(customer: &str) -> Tenant {
    let (name, languages): (Names, &[Language]) = match customer {
        JAPANESE => (names("星見精工株式会社", "Hoshimi Seiko Co., Ltd."), &[Ja]),
        ENGLISH => (names("Northmere Logistics Ltd.", "Northmere Logistics Ltd."), &[En]),
        _ => (names("彼方ホールディングス株式会社", "Kanata Holdings, Inc."), &[Ja, En]),
    };
    let contact = Contact {
        email: Email::try_from(address(customer)).unwrap(),
        department: Some(names("情報システム部", "Information Systems")),
        title: None,
        name: names("長谷川 由佳", "Yuka Hasegawa"),
    };
    let groups = [
        ("Executives", Class::VipWorkstation),
        ("Servers", Class::Server),
        ("Domain Controllers", Class::DomainController),
    ];
    let group_classes = groups.into_iter().map(|(group, class)| (group.to_owned(), class)).collect();
    Tenant {
        id: customer.parse().unwrap(),
        name,
        languages: languages.to_vec(),
        contacts: vec![contact],
        slack_channel: None,
        connected: true,
        policy: ResponsePolicy { group_classes, ..ResponsePolicy::default() },
        service_levels: ServiceLevels::default(),
        rollouts: Vec::new(),
    }
}

pub(crate) fn names(ja: &str, en: &str) -> Names {
    Names { ja: ja.into(), en: en.into() }
}
