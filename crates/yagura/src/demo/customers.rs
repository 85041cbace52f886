//! The demo's three customers: one reads Japanese, one English, one both. All of them are made up.

use std::collections::BTreeMap;

use domain::Language::{self, En, Ja};
use domain::endpoint::Class;
use domain::oncall::{Day, OnCall, Roster, Shift, Site};
use domain::tenant::{Contact, Email, Names, ResponsePolicy, Tenant};
use sinks::chat::Channel;

/// As the simulated console calls them.
pub(crate) const KEYS: [&str; 3] = ["hoshimi", "northmere", "kanata"];

/// This customer is told by mail and in Slack.
const NORTHMERE_CHANNEL: &str = "C0NORTHMERE";

pub(crate) fn all() -> anyhow::Result<Vec<Tenant>> {
    Ok(vec![
        tenant(
            "hoshimi",
            names("星見精工株式会社", "Hoshimi Seiko Co., Ltd."),
            &[Ja],
            names("情報システム部", "Information Systems"),
            names("課長", "Manager"),
            names("長谷川 由佳", "Yuka Hasegawa"),
        )?,
        tenant(
            "northmere",
            names("Northmere Logistics Ltd.", "Northmere Logistics Ltd."),
            &[En],
            names("IT Operations", "IT Operations"),
            names("Head of IT Operations", "Head of IT Operations"),
            names("Alison Whitlock", "Alison Whitlock"),
        )?,
        tenant(
            "kanata",
            names("彼方ホールディングス株式会社", "Kanata Holdings, Inc."),
            &[Ja, En],
            names("グローバルIT推進室", "Global IT Office"),
            names("室長", "Director"),
            names("神谷 玲子", "Reiko Kamiya"),
        )?,
    ])
}

/// The chat channels of those customers that are told there.
pub(super) fn chat_channels() -> Vec<Channel> {
    vec![Channel { id: NORTHMERE_CHANNEL.into(), name: "northmere-soc".into(), shared: true }]
}

/// Two sites with people on duty in business hours, and a lead at any hour.
pub(crate) fn roster() -> anyhow::Result<Roster> {
    let on_call = |person: &str| -> anyhow::Result<OnCall> {
        let email = Email::try_from(format!("{person}@yagura-soc.example")).map_err(anyhow::Error::msg)?;
        Ok(OnCall { person: person.parse()?, email, language: Ja })
    };
    let site = |id: &str, name: Names, person: &str| -> anyhow::Result<Site> {
        let days = vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
        let shift = Shift { days, from: "09:00".parse()?, to: "18:00".parse()?, people: vec![on_call(person)?] };
        Ok(Site { id: id.parse()?, name, shifts: vec![shift] })
    };
    Ok(Roster {
        sites: vec![
            site("sapporo", names("札幌", "Sapporo"), "sapporo.mori")?,
            site("fukuoka", names("福岡", "Fukuoka"), "fukuoka.abe")?,
        ],
        leads: vec![on_call("tokyo.kudo")?],
    })
}

fn names(ja: &str, en: &str) -> Names {
    Names { ja: ja.into(), en: en.into() }
}

fn tenant(
    id: &str,
    name: Names,
    languages: &[Language],
    department: Names,
    title: Names,
    person: Names,
) -> anyhow::Result<Tenant> {
    let email = Email::try_from(format!("it-security@{id}.example")).map_err(anyhow::Error::msg)?;
    Ok(Tenant {
        id: id.parse()?,
        name,
        languages: languages.to_vec(),
        contacts: vec![Contact { email, department: Some(department), title: Some(title), name: person }],
        slack_channel: if id == "northmere" { Some(NORTHMERE_CHANNEL.parse()?) } else { None },
        connected: true,
        policy: ResponsePolicy { group_classes: group_classes(), ..ResponsePolicy::default() },
        rollouts: Vec::new(),
        service_levels: domain::clock::ServiceLevels::default(),
    })
}

/// The console's groups, and what they mean for what may be done automatically.
fn group_classes() -> BTreeMap<String, Class> {
    [
        ("Executives", Class::VipWorkstation),
        ("Servers", Class::Server),
        ("Domain Controllers", Class::DomainController),
        ("Backup", Class::Critical),
    ]
    .into_iter()
    .map(|(group, class)| (group.to_owned(), class))
    .collect()
}
