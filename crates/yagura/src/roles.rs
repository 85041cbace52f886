//! Puts the parts together: which loops run in this process, each with no more secrets than its role may hold.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use domain::calendar::Calendar;
use domain::oncall::Roster;
use domain::tenant::{Names, Tenant};
use engine::actuator::Actuator;
use engine::investigator::Investigator;
use engine::notifier::{Documents, Notifier};
use engine::{Engine, Poller, Worker, beat};
use notify::Sender;
use notify::mail::Smtp;
use notify::slack::{self, Slack};
use outbound::{Allowed, Origin, Outbound};
use report::{Issuer, Renderer};
use sentinelone::{ActToken, Console, ReadToken, Reader};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::intelligence::Intelligence;
use crate::metrics;
use crate::output;
use crate::source::{MachineEntropy, MachineTime};

/// Workers of one role in one process: a slow far side holds up only one of them.
const WORKERS: usize = 4;
/// How far back the very first poll of a console looks.
const FIRST_LOOK_BACK: Duration = Duration::from_secs(24 * 3600);

/// What a process may be (`docs/ARCHITECTURE.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Polls the customers' consoles; holds tokens that can only look
    Intake,
    /// Acts on the customers' consoles; the only holder of tokens that can
    Actuator,
    /// Sends messages; holds the mail server's password
    Notifier,
    /// Lets deadlines pass: reminders, 72 hours, calls; holds no secret
    Timekeeper,
    /// Looks up what an analyst would; holds tokens that can only look, and keys of outside sources
    Investigator,
    /// Serves the analysts' pages; holds no token
    Console,
}

impl Role {
    pub(crate) const ALL: [Self; 6] =
        [Self::Intake, Self::Actuator, Self::Notifier, Self::Timekeeper, Self::Investigator, Self::Console];
}

/// Everything that is needed to start, already checked.
#[derive(Debug)]
pub(crate) struct Setup {
    pub store: String,
    pub tenants: Vec<Tenant>,
    pub edrs: Vec<Edr>,
    pub sender: Sender,
    pub smtp: Option<notify::mail::Settings>,
    pub slack: Option<slack::Settings>,
    pub poll_every: Duration,
    pub intelligence: Intelligence,
    pub sources: Option<intel::sources::Settings>,
    pub calendar: Calendar,
    pub roster: Roster,
    pub web: Web,
    /// Where the metrics are served, beside the console.
    pub metrics: Option<SocketAddr>,
}

/// One customer's console and the tokens that this process may hold for it.
#[derive(Debug)]
pub(crate) struct Edr {
    pub console: Console,
    pub roots_pem: Option<String>,
    pub read: Option<ReadToken>,
    pub act: Option<ActToken>,
}

#[derive(Debug)]
pub(crate) struct Web {
    pub listen: SocketAddr,
    /// `None`: plain HTTP on the address that was bound, for the demo.
    pub public_origin: Option<String>,
    pub links: Vec<console::Link>,
}

/// A running set of roles.
#[derive(Debug)]
pub(crate) struct Running {
    pub engine: Engine,
    /// Where the pages are, when this process serves them.
    pub web: Option<SocketAddr>,
    /// Where the metrics are, likewise.
    pub metrics: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts the loops of the given roles.
pub(crate) async fn start(setup: Setup, roles: &[Role]) -> anyhow::Result<Running> {
    let store = Store::open(&setup.store).await.context("could not open the store")?;
    let engine = Engine::with_roster(store, setup.tenants, setup.calendar, setup.roster);
    let outbound = door(&setup.edrs)?;
    let listener = if roles.contains(&Role::Console) { Some(listen(setup.web.listen).await?) } else { None };
    let public_origin = setup.web.public_origin(listener.as_ref())?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let time = Arc::new(MachineTime);
    tasks.spawn(beat::clock(engine.clone(), time.clone(), stopped.clone()));

    if roles.contains(&Role::Intake) {
        for edr in &setup.edrs {
            let Some(token) = edr.read.clone() else { continue };
            let reader = Reader::new(&edr.console, token, outbound.clone());
            let poller = Poller::new(edr.console.tenant.clone(), reader, FIRST_LOOK_BACK);
            tasks.spawn(beat::poll(engine.clone(), poller, setup.poll_every, time.clone(), stopped.clone()));
        }
    }
    if roles.contains(&Role::Actuator) {
        let consoles: BTreeMap<_, _> = setup
            .edrs
            .iter()
            .filter_map(|edr| Some((edr, edr.act.clone()?)))
            .map(|(edr, token)| {
                (edr.console.tenant.clone(), sentinelone::Actuator::new(&edr.console, token, outbound.clone()))
            })
            .collect();
        let actuator = Arc::new(Actuator::new(consoles));
        for n in 1..=WORKERS {
            let worker = Worker::Actuator { name: worker_name("actuator", n), actuator: actuator.clone() };
            tasks.spawn(beat::work(engine.clone(), worker, time.clone(), stopped.clone()));
        }
    }
    if roles.contains(&Role::Notifier) {
        let settings = setup.smtp.clone().context("no mail server is configured")?;
        let smtp = Smtp::new(settings).context("the mail settings do not fit")?;
        let issuer = issuer(&engine, &setup.sender).await?;
        let slack = setup.slack.clone().map(chat).transpose()?;
        let documents = Documents::Set(Arc::new(Renderer::new()?));
        let sender = Sender { pages: public_origin.clone(), ..setup.sender.clone() };
        let notifier = Arc::new(Notifier { smtp, slack, sender, issuer, documents });
        for n in 1..=WORKERS {
            let worker = Worker::Notifier { name: worker_name("notifier", n), notifier: notifier.clone() };
            tasks.spawn(beat::work(engine.clone(), worker, time.clone(), stopped.clone()));
        }
    }
    if roles.contains(&Role::Timekeeper) {
        let worker = Worker::Timekeeper { name: worker_name("timekeeper", 1) };
        tasks.spawn(beat::work(engine.clone(), worker, time.clone(), stopped.clone()));
    }
    if roles.contains(&Role::Investigator) {
        let consoles = setup
            .edrs
            .iter()
            .filter_map(|edr| Some((edr, edr.read.clone()?)))
            .map(|(edr, token)| (edr.console.tenant.clone(), Reader::new(&edr.console, token, outbound.clone())))
            .collect();
        let knowledge = setup.intelligence.knowledge(setup.sources.clone(), engine.tenants().count())?;
        let investigator = Arc::new(Investigator::new(consoles, knowledge));
        for n in 1..=WORKERS {
            let name = worker_name("investigator", n);
            let worker = Worker::Investigator { name, investigator: investigator.clone() };
            tasks.spawn(beat::work(engine.clone(), worker, time.clone(), stopped.clone()));
        }
    }
    let web = match (listener, public_origin) {
        (Some(listener), Some(origin)) => {
            let address = listener.local_addr()?;
            serve(&engine, listener, pages(&setup.web, &setup.sender, origin), stopped.clone(), &mut tasks)?;
            Some(address)
        }
        _ => None,
    };
    let metrics = match setup.metrics {
        Some(listen) if web.is_some() => {
            Some(metrics::serve(engine.clone(), listen, time.clone(), stopped, &mut tasks).await?)
        }
        _ => None,
    };
    Ok(Running { engine, web, metrics, stop, tasks })
}

impl Running {
    /// Tells every loop to stop, waits for what they are doing, and closes the store.
    pub(crate) async fn stop(mut self) {
        // Nobody listening means that every loop has ended already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        self.engine.store().close().await;
    }
}

/// Production: runs until the operating system asks to stop.
pub(crate) async fn run_until_stopped(config: Config, roles: &[Role], json: bool) -> anyhow::Result<()> {
    let roles = if roles.is_empty() { Role::ALL.to_vec() } else { roles.to_vec() };
    let running = start(config.setup(&roles)?, &roles).await?;
    if let Some(web) = running.web {
        output::say(&format!("console on http://{web}"));
    }
    if let Some(metrics) = running.metrics {
        output::say(&format!("metrics on http://{metrics}/metrics"));
    }
    wait_for_signal().await?;
    running.stop().await;
    if json {
        output::say_json(&serde_json::json!({"stopped": true}))?;
    }
    Ok(())
}

/// Ctrl-C, or the service manager's request to end.
pub(crate) async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// The chat service, behind a door that is open to its origin alone.
pub(crate) fn chat(settings: slack::Settings) -> anyhow::Result<Slack> {
    let origin = Origin::of(&settings.api)?;
    let outbound = Outbound::new(&outbound::Settings::new(vec![Allowed::public(origin)]))?;
    Ok(Slack::new(outbound, settings))
}

/// One door for all consoles of this process, open to exactly their origins.
pub(crate) fn door(edrs: &[Edr]) -> anyhow::Result<Outbound> {
    let allowed = edrs
        .iter()
        .map(|edr| Allowed::with_roots(edr.console.origin.clone(), edr.roots_pem.iter().cloned().collect()))
        .collect();
    Ok(Outbound::new(&outbound::Settings::new(allowed))?)
}

/// Who signs reports: the provider, and its people by name.
pub(crate) async fn issuer(engine: &Engine, sender: &Sender) -> anyhow::Result<Issuer> {
    let people = engine.store().staff().await?;
    let names = |name: String| Names { ja: name.clone(), en: name };
    Ok(Issuer {
        name: sender.name.clone(),
        contact: Some(names(sender.address.as_str().to_owned())),
        people: people.into_iter().map(|p| (p.id, names(p.name))).collect(),
    })
}

fn worker_name(role: &str, n: usize) -> String {
    format!("{role}-{}-{n}", std::process::id())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("could not listen on `{address}`"))
}

impl Web {
    /// Where browsers find the pages, and messages lead. `None` when they are not served here and nobody said where.
    fn public_origin(&self, listener: Option<&TcpListener>) -> anyhow::Result<Option<String>> {
        match (&self.public_origin, listener) {
            (Some(origin), _) => Ok(Some(origin.clone())),
            (None, Some(listener)) => Ok(Some(format!("http://{}", listener.local_addr()?))),
            (None, None) => Ok(None),
        }
    }
}

fn pages(web: &Web, sender: &Sender, public_origin: String) -> console::Settings {
    let both = |text: &str| Names { ja: text.to_owned(), en: text.to_owned() };
    console::Settings {
        secure_cookies: public_origin.starts_with("https://"),
        public_origin,
        provider: sender.name.clone(),
        contact: Some(both(sender.address.as_str())),
        links: web.links.clone(),
    }
}

fn serve(
    engine: &Engine,
    listener: TcpListener,
    settings: console::Settings,
    mut stopped: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let app = console::App::new(engine.clone(), Arc::new(MachineTime), Arc::new(MachineEntropy), settings)?;
    let service = app.router().into_make_service_with_connect_info::<SocketAddr>();
    tasks.spawn(async move {
        let stop = async move {
            // A closed channel means that the program is ending, too.
            let _ = stopped.wait_for(|stop| *stop).await;
            app.stop();
        };
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop).await {
            tracing::error!(error = %error, "the console stopped serving");
        }
    });
    Ok(())
}
