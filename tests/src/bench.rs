//! Puts one SOC together as the program does, each role with its own token.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::TenantId;
use domain::calendar::Calendar;
use domain::oncall::Roster;
use domain::tenant::{Email, Tenant};
use engine::actuator::Actuator;
use engine::investigator::{Investigator, Knowledge};
use engine::notifier::{Documents, Notifier};
use engine::{Engine, Poller, Worker};
use notify::Sender;
use notify::mail::{Security, Smtp};
use outbound::{Allowed, Outbound, Secret};
use report::{Issuer, Renderer};
use s1sim::{Capability, Clock, S1Sim};
use sentinelone::{ActToken, Console, ReadToken, Reader, Scope};
use sinks::{MailSink, Now};
use store::Store;

use crate::customers;

/// As the program's roles have it.
const FIRST_LOOK_BACK: Duration = Duration::from_secs(24 * 3600);
/// Where customers are told to find their pages.
pub const PAGES: &str = "https://soc.yagura.example";
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(crate) async fn simulator(start: domain::Timestamp) -> S1Sim {
    let config = s1sim::Config { clock: Clock::manual(start), ..s1sim::Config::default() };
    S1Sim::start(config).await.expect("the simulated console starts")
}

pub(crate) async fn mail_server(clock: Clock) -> MailSink {
    let now = Now::new(move || clock.now());
    MailSink::start(sinks::mail::Options { smtp: LOOPBACK, http: LOOPBACK, now }).await.expect("the mail server starts")
}

pub(crate) async fn engine(folder: &tempfile::TempDir, tenants: Vec<Tenant>, roster: Roster) -> Engine {
    let address = format!("sqlite:{}", folder.path().join("soc.db").display());
    let store = Store::open(&address).await.expect("the store opens");
    Engine::with_roster(store, tenants, Calendar::japan(), roster)
}

/// The door of one process to the console.
pub(crate) fn door(sim: &S1Sim) -> Outbound {
    let origin = sim.url().parse().unwrap();
    let allowed = Allowed::with_roots(origin, vec![sim.ca_pem().to_owned()]);
    Outbound::new(&outbound::Settings::new(vec![allowed])).expect("the simulator's authority is one")
}

pub(crate) fn console(sim: &S1Sim, customer: &str) -> Console {
    Console {
        origin: sim.url().parse().unwrap(),
        tenant: customer.parse().unwrap(),
        scope: Scope::of_sites(&[&sim.site_id(customer)]).unwrap(),
    }
}

pub(crate) fn pollers(sim: &S1Sim, door: &Outbound) -> Vec<Poller> {
    let poller =
        |customer: &&str| Poller::new(customer.parse().unwrap(), console_reader(sim, door, customer), FIRST_LOOK_BACK);
    customers::ALL.iter().map(poller).collect()
}

fn console_reader(sim: &S1Sim, door: &Outbound, customer: &str) -> Reader {
    let token = ReadToken(Secret::new(&sim.token(customer, Capability::Read)));
    Reader::new(&console(sim, customer), token, door.clone())
}

pub(crate) fn console_actuator(sim: &S1Sim, door: &Outbound, customer: &str) -> sentinelone::Actuator {
    let token = ActToken(Secret::new(&sim.token(customer, Capability::Full)));
    sentinelone::Actuator::new(&console(sim, customer), token, door.clone())
}

/// One worker of each role.
pub(crate) fn workers(sim: &S1Sim, door: &Outbound, mail: &MailSink, knowledge: Knowledge) -> Vec<Worker> {
    let consoles: BTreeMap<TenantId, _> =
        customers::ALL.iter().map(|c| (c.parse().unwrap(), console_actuator(sim, door, c))).collect();
    let actuator = Arc::new(Actuator::new(consoles));
    let readers = customers::ALL.iter().map(|c| (c.parse().unwrap(), console_reader(sim, door, c))).collect();
    let investigator = Arc::new(Investigator::new(readers, knowledge));
    vec![
        Worker::Actuator { name: "actuator".into(), actuator },
        Worker::Notifier { name: "notifier".into(), notifier: Arc::new(notifier(mail)) },
        Worker::Timekeeper { name: "timekeeper".into() },
        Worker::Investigator { name: "investigator".into(), investigator },
    ]
}

fn notifier(mail: &MailSink) -> Notifier {
    let at = mail.smtp_addr();
    let mut settings = notify::mail::Settings::new(&at.ip().to_string(), at.port(), Security::PlainOnLoopback);
    settings.hello = Some("soc.yagura.example".into());
    let name = customers::names("やぐらSOC", "Yagura SOC");
    let sender = Sender {
        name: name.clone(),
        address: Email::try_from("soc@yagura.example".to_owned()).unwrap(),
        telephone: Some("+81 11 000 0000".to_owned().try_into().unwrap()),
        pages: Some(PAGES.into()),
    };
    let issuer = Issuer { name, contact: None, people: BTreeMap::new() };
    let smtp = Smtp::new(settings).expect("the settings fit");
    let documents = Documents::Set(Arc::new(Renderer::new().expect("the built-in fonts are fonts")));
    Notifier { smtp, slack: None, sender, issuer, documents }
}
