//! The one HTTP door to others (REL-07, SEC-14, SEC-74).
//!
//! Every request passes the allow-list, a budget and a breaker, runs under time-outs and a body bound, and comes back as a
//! `Reply` or as an `Error` that says what a caller must know: is it worth trying again, when, and may it have happened
//! all the same. It follows no redirect, uses no proxy, never waits and never retries: whoever called decides, with a job
//! that has a time to run. There is no switch that turns certificate checks off.

mod backoff;
mod error;
mod far_side;
mod gate;
mod origin;
mod real;
mod request;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use backoff::backoff;
pub use error::Error;
pub use far_side::{Answer, Call, FarSide, Unreachable};
pub use gate::{BreakerSettings, Lane, Rate, Turn, Urgency};
pub use origin::{Allowed, InvalidOrigin, Origin};
pub use real::InvalidRoots;
pub use request::{Method, Reply, Request, Safety, Secret};

use gate::Gates;
use real::Real;

/// Bounds and the allow-list. Parsed from the configuration once, at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    pub allowed: Vec<Allowed>,
    /// Name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the first byte to the last of the answer; a request may ask for another.
    pub total_timeout: Duration,
    /// Of the unpacked answer; a request may ask for another.
    pub max_body_bytes: usize,
    pub breaker: BreakerSettings,
}

impl Settings {
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self {
            allowed,
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(30),
            max_body_bytes: 16 * 1024 * 1024,
            breaker: BreakerSettings::default(),
        }
    }
}

/// The door. Cheap to clone; all clones share pools, budgets and breakers.
#[derive(Debug, Clone)]
pub struct Outbound {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    allowed: Vec<Origin>,
    gates: Gates,
    total_timeout: Duration,
    max_body_bytes: usize,
}

#[derive(Debug)]
enum Transport {
    Real(Real),
    InProcess(Arc<dyn FarSide>),
}

impl Outbound {
    /// Over real sockets.
    pub fn new(settings: &Settings) -> Result<Self, InvalidRoots> {
        Ok(Self::with(settings, Transport::Real(Real::new(settings)?)))
    }

    /// To a far side inside this process: everything but the sockets is the same code.
    pub fn in_process(settings: &Settings, far_side: Arc<dyn FarSide>) -> Self {
        Self::with(settings, Transport::InProcess(far_side))
    }

    fn with(settings: &Settings, transport: Transport) -> Self {
        let inner = Inner {
            transport,
            allowed: settings.allowed.iter().map(|a| a.origin.clone()).collect(),
            gates: Gates::new(settings.breaker),
            total_timeout: settings.total_timeout,
            max_body_bytes: settings.max_body_bytes,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes a turn now for a request that follows; if there is none, the error says when. For work that must not begin
    /// what it cannot end.
    pub fn reserve(&self, lane: Lane, urgency: Urgency, now: Timestamp) -> Result<Turn, Error> {
        self.inner.gates.admit(&lane, urgency, now)?;
        Ok(Turn { lane })
    }

    /// Sends once. `now` drives budget and breaker; the time-outs run on the machine's monotonic clock.
    pub async fn send(&self, request: Request, now: Timestamp) -> Result<Reply, Error> {
        let inner = &*self.inner;
        let origin = inner.allow(&request)?;
        // A turn of another lane would let this one past its own budget.
        if request.turn.as_ref().is_none_or(|turn| turn.lane.name != request.lane.name) {
            inner.gates.admit(&request.lane, request.urgency, now)?;
        }
        let result = inner.exchange(&request, &origin, now).await;
        inner.gates.settle(&request.lane, result.as_ref().err(), now);
        tracing::debug!(
            http.method = request.method.name(),
            http.origin = %origin,
            http.path = request.url.path(),
            http.status = match &result {
                Ok(reply) => Some(reply.status),
                Err(Error::Status { code, .. }) => Some(*code),
                Err(_) => None,
            },
            "sent a request"
        );
        result
    }
}

impl Inner {
    fn allow(&self, request: &Request) -> Result<Origin, Error> {
        let origin =
            Origin::of(&request.url).map_err(|_| Error::NotAllowed { origin: "a URL without an origin".into() })?;
        if !self.allowed.contains(&origin) {
            return Err(Error::NotAllowed { origin: origin.to_string() });
        }
        Ok(origin)
    }

    async fn exchange(&self, request: &Request, origin: &Origin, now: Timestamp) -> Result<Reply, Error> {
        let limit = request.max_body_bytes.unwrap_or(self.max_body_bytes);
        let answer = match &self.transport {
            Transport::Real(real) => {
                let timeout = request.total_timeout.unwrap_or(self.total_timeout);
                real.exchange(request, origin, timeout, limit).await?
            }
            Transport::InProcess(far_side) => far_side::exchange(&**far_side, request, origin, limit).await?,
        };
        if (200..300).contains(&answer.status) {
            return Ok(Reply::new(answer));
        }
        Err(Error::of_status(&answer, request.safety, now))
    }
}
