//! The service itself: the same store, engine, pollers and workers that `yagura run` puts together, with far sides in this
//! process. It takes one step at a time and knows nothing of the story.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use domain::calendar::Calendar;
use domain::clock::ServiceLevels;
use domain::endpoint::Class;
use domain::incident::Role;
use domain::oncall::{Day, OnCall, Roster, Shift, Site};
use domain::storm::Rollout;
use domain::tenant::{Contact, Email, Names, ResponsePolicy, Tenant};
use domain::{Language, TenantId, Timestamp};
use engine::actuator::Actuator;
use engine::investigator::{Investigator, Knowledge};
use engine::notifier::{Documents, Notifier};
use engine::{Engine, PollReport, Poller, Worker};
use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use notify::Sender;
use notify::mail::Smtp;
use report::{Issuer, Renderer};
use store::Store;

use crate::consoles::{Consoles, key, tenant_id};
use crate::mail::MailServer;
use crate::plan::{Plan, Planted};
use crate::planted;
use crate::seams::Seams;

/// Where our own people get their mail.
pub(crate) const OUR_DOMAIN: &str = "yagura.example";
/// As the program's roles have it.
const FIRST_LOOK_BACK: Duration = Duration::from_secs(24 * 3600);
/// Steps of work at one instant. Beyond it something asks for itself again and again.
const MAX_ROUNDS: usize = 100_000;
/// A worker whose step failed as a whole comes back after this.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);

pub(crate) struct Soc {
    pub(crate) engine: Engine,
    pollers: Vec<Poller>,
    actuator: Arc<Actuator>,
    notifier: Arc<Notifier>,
    investigator: Arc<Investigator>,
    workers: Vec<Worker>,
    /// When each worker has something to do by itself.
    due: Vec<Option<Timestamp>>,
    seams: Seams,
    /// Processes that died, which also numbers their successors.
    deaths: u64,
    planted: Option<Planted>,
}

/// What one step of the service came to.
#[derive(Debug, Default)]
pub(crate) struct Worked {
    pub(crate) died: bool,
    pub(crate) failed: bool,
    /// Some deadline had come.
    pub(crate) kept_time: bool,
}

impl Soc {
    pub(crate) async fn new(
        plan: &Plan,
        consoles: &Consoles,
        mail: &MailServer,
        seams: &Seams,
    ) -> anyhow::Result<Self> {
        let customers = 0..plan.customers;
        let tenants = customers.clone().map(tenant).collect::<anyhow::Result<Vec<_>>>()?;
        let store = Store::for_simulation(Arc::new(seams.clone())).await?;
        let engine = Engine::with_roster(store, tenants, Calendar::japan(), roster()?);
        let pollers = customers
            .clone()
            .map(|n| Ok(Poller::new(tenant_id(n)?, consoles.reader(n)?, FIRST_LOOK_BACK)))
            .collect::<anyhow::Result<_>>()?;
        let looking =
            customers.clone().map(|n| Ok((tenant_id(n)?, consoles.reader(n)?))).collect::<anyhow::Result<_>>()?;
        let acting = customers
            .map(|n| Ok((tenant_id(n)?, consoles.actuator(n)?)))
            .collect::<anyhow::Result<BTreeMap<TenantId, sentinelone::Actuator>>>()?;
        let mut soc = Self {
            engine,
            pollers,
            actuator: Arc::new(Actuator::new(acting)),
            notifier: Arc::new(notifier(plan, mail)?),
            investigator: Arc::new(Investigator::new(looking, Knowledge::default())),
            workers: Vec::new(),
            due: Vec::new(),
            seams: seams.clone(),
            deaths: 0,
            planted: plan.planted,
        };
        soc.hire();
        Ok(soc)
    }

    fn hire(&mut self) {
        let name = |role: &str| format!("{role}-{}", self.deaths);
        self.workers = vec![
            Worker::Actuator { name: name("actuator"), actuator: self.actuator.clone() },
            Worker::Notifier { name: name("notifier"), notifier: self.notifier.clone() },
            Worker::Timekeeper { name: name("timekeeper") },
            Worker::Investigator { name: name("investigator"), investigator: self.investigator.clone() },
        ];
        self.due = vec![Some(Timestamp::MIN); self.workers.len()];
    }

    /// Somebody may have left work.
    pub(crate) fn nudge(&mut self) {
        self.due.fill(Some(Timestamp::MIN));
    }

    /// When something is due by itself, in the service's own time.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.iter().flatten().min().copied()
    }

    pub(crate) fn deaths(&self) -> u64 {
        self.deaths
    }

    /// Reads one customer's console. `Ok(None)` when the process died over it.
    pub(crate) async fn poll(&mut self, customer: usize, now: Timestamp) -> anyhow::Result<Option<PollReport>> {
        let step = self.pollers[customer].step(&self.engine, now);
        let Some(report) = self.seams.alive(step).await else {
            self.deaths += 1;
            return Ok(None);
        };
        report.map(Some)
    }

    /// Lets every worker that has something to do work until nothing is due at this instant.
    pub(crate) async fn work(&mut self, now: Timestamp) -> anyhow::Result<Worked> {
        let (mut worked, mut died_now) = (Worked::default(), false);
        if self.planted == Some(Planted::EarlySilence) {
            planted::end_silence_early(&self.engine, now).await?;
            worked.kept_time = true;
        }
        for _ in 0..MAX_ROUNDS {
            let mut claimed = 0;
            for n in 0..self.workers.len() {
                if self.due[n].is_none_or(|due| due > now) {
                    continue;
                }
                let role = self.workers[n].role();
                match self.planted.filter(|_| role == Role::Notifier) {
                    Some(Planted::DroppedNotice) => planted::drop_a_notice(&self.engine, now).await?,
                    Some(Planted::LostPause) => planted::lose_a_pause(&self.engine, &self.notifier, now).await?,
                    _ => {}
                }
                let step = self.workers[n].step(&self.engine, now);
                match self.seams.alive(step).await {
                    Some(Ok(report)) => {
                        claimed += report.claimed;
                        worked.kept_time |= report.claimed > 0 && role == Role::Timekeeper;
                        self.due[n] = report.next_at;
                    }
                    // The loop around it logs this and comes back; what it held comes back with its lease.
                    Some(Err(_)) => {
                        worked.failed = true;
                        self.due[n] = Some(now + AFTER_FAILURE);
                    }
                    None => {
                        (worked.died, died_now) = (true, true);
                        self.deaths += 1;
                    }
                }
            }
            if claimed > 0 {
                // What one did may be another's work.
                self.nudge();
            }
            let died = std::mem::take(&mut died_now);
            if died {
                self.hire();
            }
            if claimed == 0 && !died {
                return Ok(worked);
            }
        }
        ensure!(false, "the work has no end at {now}");
        Ok(worked)
    }
}

fn notifier(plan: &Plan, mail: &MailServer) -> anyhow::Result<Notifier> {
    let name = names("やぐらSOC", "Yagura SOC");
    let sender = Sender {
        name: name.clone(),
        address: address(&format!("soc@{OUR_DOMAIN}"))?,
        telephone: Some("+81 11 000 0000".to_owned().try_into().map_err(anyhow::Error::msg)?),
        pages: None,
    };
    let documents =
        if plan.real_documents { Documents::SetInStep(Arc::new(Renderer::new()?)) } else { Documents::StandIn };
    let issuer = Issuer { name, contact: None, people: BTreeMap::new() };
    Ok(Notifier { smtp: Smtp::in_process(Arc::new(mail.clone())), slack: None, sender, issuer, documents })
}

fn tenant(customer: usize) -> anyhow::Result<Tenant> {
    let key = key(customer);
    let languages = match customer % 3 {
        0 => vec![Language::Ja],
        1 => vec![Language::En],
        _ => vec![Language::Ja, Language::En],
    };
    let contact = Contact {
        email: address(&format!("it-security@{key}.example"))?,
        department: Some(names("情報システム部", "Information Systems")),
        title: None,
        name: names("長谷川 由佳", "Yuka Hasegawa"),
    };
    let groups = [
        ("Executives", Class::VipWorkstation),
        ("Servers", Class::Server),
        ("Domain Controllers", Class::DomainController),
    ];
    // Every other customer is still rolling out.
    let rollouts = if customer.is_multiple_of(2) { vec![rollout()] } else { Vec::new() };
    let group_classes = groups.into_iter().map(|(group, class)| (group.to_owned(), class)).collect();
    Ok(Tenant {
        id: tenant_id(customer)?,
        name: names(&format!("{key}株式会社"), &format!("{key} Ltd.")),
        languages,
        contacts: vec![contact],
        slack_channel: None,
        connected: true,
        rollouts,
        policy: ResponsePolicy { group_classes, ..ResponsePolicy::default() },
        service_levels: ServiceLevels::default(),
    })
}

/// As long as any story may last.
fn rollout() -> Rollout {
    Rollout { site: "Head Office".into(), from: Date::constant(2026, 4, 1), to: Date::constant(2027, 12, 31) }
}

/// Two sites with people on weekdays, and a lead who is called when nobody else is there.
fn roster() -> anyhow::Result<Roster> {
    let call = |person: &str| {
        let email = address(&format!("{person}@{OUR_DOMAIN}"))?;
        anyhow::Ok(OnCall { person: person.parse()?, email, language: Language::Ja })
    };
    let weekdays = vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
    let site = |id: &str, people: Vec<OnCall>| {
        let shift =
            Shift { days: weekdays.clone(), from: Time::constant(9, 0, 0, 0), to: Time::constant(18, 0, 0, 0), people };
        anyhow::Ok(Site { id: id.parse()?, name: names(id, id), shifts: vec![shift] })
    };
    Ok(Roster {
        sites: vec![
            site("sapporo", vec![call("sapporo.analyst0")?, call("sapporo.analyst3")?])?,
            site("fukuoka", vec![call("fukuoka.analyst1")?])?,
        ],
        leads: vec![call("tokyo.lead")?],
    })
}

fn address(text: &str) -> anyhow::Result<Email> {
    Email::try_from(text.to_owned()).map_err(anyhow::Error::msg)
}

fn names(ja: &str, en: &str) -> Names {
    Names { ja: ja.into(), en: en.into() }
}
