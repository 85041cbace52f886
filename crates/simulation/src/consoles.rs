//! The simulated consoles, in this process: several customers share one, as at a provider, each with a site of its own.
//!
//! Nothing of the client is replaced: requests pass the real door (allow-list, budget, breaker) and are answered by the
//! router that `s1sim` serves over TLS elsewhere.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use domain::{TenantId, Timestamp};
use outbound::{Allowed, Answer, Call, FarSide, Origin, Outbound, Secret, Unreachable};
use s1sim::{Capability, Clock, Fleet, Host, Language, Role, S1Sim};
use sentinelone::{ActToken, Console, ReadToken, Reader, Scope};
use tower::ServiceExt as _;

use crate::plan::Planted;
use crate::seams::{AtCall, Seams};

/// Customers that share a console.
pub(crate) const SHARE: usize = 4;
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Every console of a story, and the door to them.
#[derive(Debug)]
pub(crate) struct Consoles {
    pub(crate) sims: Vec<Arc<S1Sim>>,
    pub(crate) clock: Clock,
    door: Outbound,
    customers: usize,
    planted: Option<Planted>,
}

impl Consoles {
    pub(crate) fn new(
        customers: usize,
        start: Timestamp,
        seams: &Seams,
        planted: Option<Planted>,
    ) -> anyhow::Result<Self> {
        let clock = Clock::manual(start);
        let numbers: Vec<usize> = (0..customers).collect();
        let (mut sims, mut allowed, mut sides) = (Vec::new(), Vec::new(), Vec::new());
        for (n, share) in numbers.chunks(SHARE).enumerate() {
            let fleet = Fleet { customers: share.iter().map(|customer| plan(*customer)).collect() };
            let config = s1sim::Config { fleet, clock: clock.clone(), ..s1sim::Config::default() };
            let sim = Arc::new(S1Sim::in_process(&format!("https://console-{n}.example"), &config));
            let origin: Origin = sim.url().parse()?;
            allowed.push(Allowed::public(origin.clone()));
            sides.push((sim.url().to_owned(), sim.router()));
            sims.push(sim);
        }
        let side = Side { sides, seams: seams.clone(), retries_blindly: planted == Some(Planted::DoneTwice) };
        let door = Outbound::in_process(&outbound::Settings::new(allowed), Arc::new(side));
        Ok(Self { sims, clock, door, customers, planted })
    }

    pub(crate) fn of(&self, customer: usize) -> &S1Sim {
        &self.sims[customer / SHARE]
    }

    pub(crate) fn reader(&self, customer: usize) -> anyhow::Result<Reader> {
        let sim = self.of(customer);
        let key = key(customer);
        let mut place = self.place(customer)?;
        let mut token = sim.token(&key, Capability::Read);
        if self.planted == Some(Planted::NoTenantFilter) {
            // What a configuration that names too much would do: the neighbours' sites are read, too.
            let mates = (customer / SHARE * SHARE..self.customers).take(SHARE);
            let sites: Vec<String> = mates.map(|mate| sim.site_id(&crate::consoles::key(mate))).collect();
            place.scope = Scope::of_sites(&sites.iter().map(String::as_str).collect::<Vec<_>>())?;
            token = sim.console_token(Capability::Read);
        }
        Ok(Reader::new(&place, ReadToken(Secret::new(&token)), self.door.clone()))
    }

    pub(crate) fn actuator(&self, customer: usize) -> anyhow::Result<sentinelone::Actuator> {
        let token = ActToken(Secret::new(&self.of(customer).token(&key(customer), Capability::Full)));
        Ok(sentinelone::Actuator::new(&self.place(customer)?, token, self.door.clone()))
    }

    fn place(&self, customer: usize) -> anyhow::Result<Console> {
        let sim = self.of(customer);
        Ok(Console {
            origin: sim.url().parse()?,
            tenant: tenant_id(customer)?,
            scope: Scope::of_sites(&[&sim.site_id(&key(customer))])?,
        })
    }
}

/// `cust007`: stands in every name that a customer's data holds, so that a leak can be seen wherever it comes out.
pub(crate) fn key(customer: usize) -> String {
    format!("cust{customer:03}")
}

pub(crate) fn tenant_id(customer: usize) -> anyhow::Result<TenantId> {
    Ok(key(customer).parse()?)
}

/// A customer's endpoints.
pub(crate) const HOSTS: &[(&str, Role)] = &[
    ("PC01", Role::Desktop),
    ("PC02", Role::Desktop),
    ("PC03", Role::Desktop),
    ("NB01", Role::Laptop),
    ("NB02", Role::Laptop),
    ("NB03", Role::Laptop),
    ("EX01", Role::Executive),
    ("FS01", Role::FileServer),
    ("AP01", Role::AppServer),
    ("DC01", Role::DomainController),
];

pub(crate) fn host(customer: usize, name: &str) -> String {
    format!("{}-{name}", key(customer).to_uppercase())
}

fn plan(customer: usize) -> s1sim::Customer {
    let language = match customer % 3 {
        0 => Language::Japanese,
        1 => Language::English,
        _ => Language::Both,
    };
    let key = key(customer);
    let named = s1sim::Customer::new(&key, &format!("{key} account"), language);
    HOSTS.iter().fold(named, |named, (name, role)| {
        named.with(Host::new(&host(customer, name), *role, &format!("user.{}", name.to_lowercase())))
    })
}

/// The far side of the door: picks the console by its origin.
#[derive(Debug)]
struct Side {
    sides: Vec<(String, Router)>,
    seams: Seams,
    retries_blindly: bool,
}

impl FarSide for Side {
    fn answer(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + '_>> {
        Box::pin(async move {
            let dies = self.seams.at_call();
            if dies == Some(AtCall::DiesBefore) {
                return std::future::pending().await;
            }
            if self.retries_blindly && call.method == "POST" && call.url.contains("/mitigate/") {
                // A client that sends an order again without looking.
                let _ = self.once(call.clone()).await;
            }
            let answer = self.once(call).await;
            if dies == Some(AtCall::DiesAfter) {
                return std::future::pending().await;
            }
            answer
        })
    }
}

impl Side {
    async fn once(&self, call: Call) -> Result<Answer, Unreachable> {
        let known = self.sides.iter().find_map(|(origin, router)| Some((call.url.strip_prefix(origin)?, router)));
        let (path, router) = known.ok_or(Unreachable::NoConnection)?;
        let mut request = Request::builder().method(call.method).uri(path);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(call.body)).map_err(|_| Unreachable::NoConnection)?;
        let Ok(response) = router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let headers = parts.headers.iter();
        let headers =
            headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
        // A body that breaks off is a connection that broke.
        let body = to_bytes(body, LARGEST_ANSWER).await.map_err(|_| Unreachable::Broken)?;
        Ok(Answer { status: parts.status.as_u16(), headers, body: body.to_vec() })
    }
}
