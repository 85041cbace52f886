//! A running simulated console: the handle that tests and the demo hold. Several can run in one process; each has its
//! own world, port and certificate authority.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::api::{self, Shared};
use crate::clock::Clock;
use crate::fault::Faults;
use crate::fleet::{Fleet, Role};
use crate::ledger::Ledger;
use crate::scenario;
use crate::threat::Threat;
use crate::tls::{self, Identity};
use crate::token::{Capability, Scope};
use crate::world::raise::NotRaised;
use crate::world::{Latency, World};

/// How to start.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// HTTPS with an own authority, or plain HTTP.
    pub tls: bool,
    pub fleet: Fleet,
    pub clock: Clock,
    pub latency: Latency,
    /// Tokens are derived from it.
    pub seed: u64,
    /// Whether a token that calls too often is told to wait.
    pub rate_limits: bool,
}

impl Default for Config {
    /// The small fleet over TLS on a free loopback port, in real time.
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            tls: true,
            fleet: Fleet::small(),
            clock: Clock::real(),
            latency: Latency::default(),
            seed: 1,
            rate_limits: false,
        }
    }
}

/// A simulated console that is listening until it is stopped or dropped.
#[derive(Debug)]
pub struct S1Sim {
    world: Shared,
    faults: Faults,
    clock: Clock,
    router: Router,
    url: String,
    ca_pem: String,
    /// `None` when it answers inside this process only.
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    handle: Handle<SocketAddr>,
    server: JoinHandle<io::Result<()>>,
}

/// An endpoint as tests refer to it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: String,
    pub host: String,
    pub role: Role,
}

impl S1Sim {
    pub async fn start(config: Config) -> Result<Self, Error> {
        let listener = TcpListener::bind(config.listen).map_err(|source| Error::Bind { at: config.listen, source })?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        let faults = Faults::default();
        let mut world = World::new(&config.fleet, config.clock.clone(), config.latency, faults.clone(), config.seed);
        world.limits.on = config.rate_limits;
        let world = Shared::new(world);
        let router = api::router(world.clone(), faults.clone());
        let handle = Handle::new();
        let service = router.clone().into_make_service();
        let (server, scheme, ca_pem) = if config.tls {
            let identity = Identity::make(at.ip())?;
            let server = axum_server::from_tcp_rustls(listener, identity.config)?.handle(handle.clone());
            (tokio::spawn(server.serve(service)), "https", identity.ca_pem)
        } else {
            let server = axum_server::from_tcp(listener)?.handle(handle.clone());
            (tokio::spawn(server.serve(service)), "http", String::new())
        };
        let listening = Some(Listening { handle, server });
        Ok(Self { world, faults, clock: config.clock, router, url: format!("{scheme}://{at}"), ca_pem, listening })
    }

    /// The same console without a socket or a task: only its `router` answers. `url` is the origin it is known by.
    pub fn in_process(url: &str, config: &Config) -> Self {
        let faults = Faults::default();
        let mut world = World::new(&config.fleet, config.clock.clone(), config.latency, faults.clone(), config.seed);
        world.limits.on = config.rate_limits;
        let world = Shared::new(world);
        let router = api::router(world.clone(), faults.clone());
        let clock = config.clock.clone();
        Self { world, faults, clock, router, url: url.to_owned(), ca_pem: String::new(), listening: None }
    }

    /// The origin, without a path: `https://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The authority that signed the server's certificate; empty without TLS.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The same service without a socket.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Moves the clock and lets everything happen that is then due.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.world.lock().settle();
    }

    /// When the next thing happens by itself: a step of a scenario, or an endpoint's report.
    pub fn next_due(&self) -> Option<Timestamp> {
        let mut world = self.world.lock();
        world.settle();
        world.next_due()
    }

    /// The token of a customer that sees just its site.
    ///
    /// # Panics
    /// When the fleet has no such customer.
    pub fn token(&self, customer: &str, capability: Capability) -> String {
        self.issued(&format!("{customer}/{}", capability.word()))
    }

    /// The token of a customer that sees its whole account.
    ///
    /// # Panics
    /// When the fleet has no such customer.
    pub fn account_token(&self, customer: &str, capability: Capability) -> String {
        self.issued(&format!("{customer}-account/{}", capability.word()))
    }

    /// A token for the whole console, as the MSSP's own administrators have.
    pub fn console_token(&self, capability: Capability) -> String {
        self.world.lock().issue(&format!("console/{}", capability.word()), Scope::Console, capability)
    }

    /// The token that opens `/_sim/…`.
    pub fn control_token(&self) -> String {
        self.world.lock().tokens.control.clone()
    }

    /// Lets a token expire at `at`.
    pub fn expire(&self, token: &str, at: Timestamp) {
        let mut world = self.world.lock();
        if let Some(found) = world.tokens.list.iter_mut().find(|known| known.secret == token) {
            found.expires = at;
        }
    }

    /// The id of a customer's site.
    ///
    /// # Panics
    /// When the fleet has no such customer.
    pub fn site_id(&self, customer: &str) -> String {
        self.of_site(customer, |site, _| site.to_string())
    }

    /// The id of a customer's account.
    ///
    /// # Panics
    /// When the fleet has no such customer.
    pub fn account_id(&self, customer: &str) -> String {
        self.of_site(customer, |_, account| account.to_string())
    }

    /// A customer's endpoints, in the order they were enrolled.
    pub fn endpoints(&self, customer: &str) -> Vec<Endpoint> {
        let world = self.world.lock();
        let site = world.find_site(customer).map(|site| site.id);
        let of_site = world.agents.values().filter(|agent| Some(agent.site) == site);
        of_site.map(|agent| Endpoint { id: agent.id.to_string(), host: agent.host.clone(), role: agent.role }).collect()
    }

    /// Raises one threat now and says its id. `site` is a customer's short name or a site id.
    pub fn raise(&self, site: &str, threat: &Threat) -> Result<String, NotRaised> {
        let mut world = self.world.lock();
        let now = world.settle();
        let site = world.find_site(site).map(|site| site.id).ok_or_else(|| NotRaised::NoSite(site.to_owned()))?;
        world.raise(site, threat, now).map(|id| id.to_string())
    }

    /// Starts a scenario now and says how long it takes.
    pub fn play(&self, scenario: &str, site: &str) -> Result<Duration, Error> {
        let scenario = scenario::find(scenario).ok_or_else(|| Error::NoScenario(scenario.to_owned()))?;
        let mut world = self.world.lock();
        let now = world.settle();
        let site = world.find_site(site).map(|site| site.id).ok_or_else(|| NotRaised::NoSite(site.to_owned()))?;
        let takes = world.play(scenario, site, now);
        world.settle();
        Ok(takes)
    }

    /// What was raised and done up to now.
    pub fn ledger(&self) -> Ledger {
        let mut world = self.world.lock();
        world.settle();
        world.ledger.clone()
    }

    /// Looks at what was raised and done up to now without copying it.
    pub fn with_ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        let mut world = self.world.lock();
        world.settle();
        look(&world.ledger)
    }

    /// How often something changed in what lists show of a customer's threats. While it stays the same, a poll finds
    /// nothing new.
    pub fn news(&self, customer: &str) -> u64 {
        let mut world = self.world.lock();
        world.settle();
        let site = world.find_site(customer).map(|site| site.id);
        site.and_then(|site| world.news.get(&site)).copied().unwrap_or_default()
    }

    /// Forgets resolved threats that nobody touched since `before`, and older activities, as a console does after its
    /// time of keeping. The ledger keeps everything.
    pub fn forget(&self, before: Timestamp) {
        self.world.lock().forget(before);
    }

    /// Takes an endpoint (id or host name) off the net. What it is told waits until it is back.
    pub fn set_offline(&self, agent: &str) {
        self.set_online_to(agent, false);
    }

    /// Brings an endpoint back; what waited for it happens shortly after.
    pub fn set_online(&self, agent: &str) {
        self.set_online_to(agent, true);
    }

    /// A threat as the console's list would show it to somebody who may see everything.
    pub fn threat(&self, id: &str) -> Option<Value> {
        let mut world = self.world.lock();
        world.settle();
        let stored = world.threats.get(&id.parse().ok()?)?;
        Some(world.join(stored, &stored.doc))
    }

    /// The notes on a threat, oldest first.
    pub fn notes(&self, threat: &str) -> Vec<Value> {
        let world = self.world.lock();
        let id = threat.parse().ok();
        id.and_then(|id: u64| world.threats.get(&id)).map(|stored| stored.notes.clone()).unwrap_or_default()
    }

    /// An endpoint, by id or host name.
    pub fn agent(&self, agent: &str) -> Option<Value> {
        let mut world = self.world.lock();
        world.settle();
        let id = agent_id(&world, agent)?;
        world.agents.get(&id).map(|agent| agent.doc.clone())
    }

    /// Stops listening and waits for the server's end.
    pub async fn stop(mut self) {
        let Some(mut listening) = self.listening.take() else { return };
        listening.handle.graceful_shutdown(Some(Duration::from_millis(200)));
        if let Err(error) = (&mut listening.server).await {
            tracing::warn!(%error, "the simulated console did not end well");
        }
    }

    pub(crate) fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.world.lock())
    }

    fn issued(&self, name: &str) -> String {
        let world = self.world.lock();
        let token = world.tokens.list.iter().find(|token| token.name == name);
        token.map(|token| token.secret.clone()).unwrap_or_else(|| panic!("the fleet has no customer for `{name}`"))
    }

    fn of_site(&self, customer: &str, pick: impl Fn(u64, u64) -> String) -> String {
        let world = self.world.lock();
        let site = world.find_site(customer);
        site.map(|site| pick(site.id, site.account)).unwrap_or_else(|| panic!("the fleet has no customer `{customer}`"))
    }

    fn set_online_to(&self, agent: &str, online: bool) {
        let mut world = self.world.lock();
        let now = world.settle();
        if let Some(id) = agent_id(&world, agent) {
            world.set_online(id, online, now);
        }
    }
}

impl Drop for S1Sim {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.handle.shutdown();
        }
    }
}

fn agent_id(world: &World, name: &str) -> Option<u64> {
    let known = name.parse().ok().filter(|id| world.agents.contains_key(id));
    known.or_else(|| world.agents.values().find(|agent| agent.host.eq_ignore_ascii_case(name)).map(|agent| agent.id))
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not listen on `{at}`")]
    Bind { at: SocketAddr, source: io::Error },
    #[error("could not set the listener up")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Identity(#[from] tls::Error),
    #[error("no scenario `{0}`")]
    NoScenario(String),
    #[error(transparent)]
    NotRaised(#[from] NotRaised),
}
