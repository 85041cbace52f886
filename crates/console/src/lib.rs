//! The SOC's screens: sign-in, the queue, one incident and all its evidence, what went wrong; and the pages on which a
//! customer answers what they are asked. Server-rendered pages that work without scripts, made quick by a little JavaScript
//! of our own.
//!
//! It decides nothing: a form becomes a command, `engine` carries it out, and the domain's refusal is shown where it was typed.
//! Every route is listed once, in `routes`, with who may use it; every read is limited to what the visitor may see.

mod access;
mod assets;
mod due;
mod error;
mod headers;
mod layout;
mod live;
mod pages;
pub mod password;
mod preferences;
pub mod routes;
mod say;
mod session;
mod show;
mod tries;
mod visitor;
mod watch;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use domain::source::{Entropy, TimeSource};
use domain::tenant::Names;
use domain::{PersonId, Timestamp};
use engine::Engine;
use tokio::sync::Semaphore;

pub use session::link_token;

/// What an installation decides about its console.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme, host and port as browsers see them, for instance `https://soc.example.jp`. Forms from elsewhere are refused.
    pub public_origin: String,
    /// `true` wherever browsers come by TLS: cookies get the `__Host-` prefix and the attribute `Secure`.
    pub secure_cookies: bool,
    /// Who provides the service, as the reports name it.
    pub provider: Names,
    /// Where a customer reaches the SOC, for the reports.
    pub contact: Option<Names>,
    /// Neighbouring pages worth a link, such as the demo's mailbox.
    pub links: Vec<Link>,
}

/// A page outside the console.
#[derive(Debug, Clone)]
pub struct Link {
    pub name: Names,
    pub url: String,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("`{0}` is not an origin: use scheme, host and port, such as `https://soc.example.jp`")]
    BadOrigin(String),
}

/// The console, ready to be served. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    time: Arc<dyn TimeSource>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    tries: Mutex<tries::Tries>,
    /// Hashing a password takes memory and time: only so many at once.
    hashing: Semaphore,
    /// Setting a report, likewise.
    rendering: Semaphore,
    /// Open event streams.
    streams: Arc<Semaphore>,
    stopped: tokio::sync::watch::Sender<bool>,
    renderer: OnceLock<Result<report::Renderer, String>>,
}

impl App {
    pub fn new(
        engine: Engine,
        time: Arc<dyn TimeSource>,
        entropy: Arc<dyn Entropy>,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let _checked = headers::csrf(&settings.public_origin)?;
        let inner = Inner {
            engine,
            time,
            entropy,
            settings,
            tries: Mutex::default(),
            hashing: Semaphore::new(password::AT_ONCE),
            rendering: Semaphore::new(pages::report::AT_ONCE),
            streams: Arc::new(Semaphore::new(live::MAX_STREAMS)),
            stopped: tokio::sync::watch::Sender::new(false),
            renderer: OnceLock::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Everything in `routes::ALL`, behind the headers, limits and checks that hold for all of it.
    ///
    /// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that sign-in attempts count per address.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// Ends the event streams of all open pages, and every later one at once. Without it a server that waits for its last
    /// answer to be finished waits for as long as somebody looks at a page.
    pub fn stop(&self) {
        self.inner.stopped.send_replace(true);
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.time.now()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.inner.entropy
    }

    /// The names of the staff, by sign-in name.
    pub(crate) async fn people(&self) -> Result<BTreeMap<PersonId, String>, store::Error> {
        let staff = self.engine().store().staff().await?;
        Ok(staff.into_iter().map(|p| (p.id, p.name)).collect())
    }

    /// Reads the fonts at the first report rather than at the start.
    pub(crate) fn renderer(&self) -> Result<&report::Renderer, String> {
        let made = self.inner.renderer.get_or_init(|| report::Renderer::new().map_err(|e| e.to_string()));
        made.as_ref().map_err(Clone::clone)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}
