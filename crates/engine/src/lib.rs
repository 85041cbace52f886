//! The use cases: take alerts in, execute commands, carry jobs out. Loads, lets `domain` decide, writes all of it in one
//! transaction, nudges.
//!
//! It knows what has to happen, but not how a console, a mail server or a database is spoken to. Only `beat` waits and asks
//! for the time; everything else takes `now` and may run twice.

pub mod actuator;
pub mod beat;
mod command;
mod findings;
pub mod heart;
mod intake;
pub mod investigator;
pub mod notifier;
mod nudge;
mod poll;
mod timekeeper;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::calendar::Calendar;
use domain::incident::Context;
use domain::oncall::Roster;
use domain::tenant::Tenant;
use domain::{TenantId, Timestamp};
use store::Store;

pub use command::ExecuteError;
pub use intake::{Incoming, Taken};
pub use nudge::Nudge;
pub use poll::{PollReport, Poller};
pub use worker::{StepReport, Worker};

/// What every use case works on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    tenants: BTreeMap<TenantId, Tenant>,
    calendar: Calendar,
    roster: Roster,
    nudges: nudge::Nudges,
    pulse: heart::Pulse,
}

impl Engine {
    /// A service that calls nobody.
    pub fn new(store: Store, tenants: impl IntoIterator<Item = Tenant>, calendar: Calendar) -> Self {
        Self::with_roster(store, tenants, calendar, Roster::default())
    }

    pub fn with_roster(
        store: Store,
        tenants: impl IntoIterator<Item = Tenant>,
        calendar: Calendar,
        roster: Roster,
    ) -> Self {
        let tenants = tenants.into_iter().map(|t| (t.id.clone(), t)).collect();
        Self {
            inner: Arc::new(Inner {
                store,
                tenants,
                calendar,
                roster,
                nudges: nudge::Nudges::default(),
                pulse: heart::Pulse::default(),
            }),
        }
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn tenant(&self, id: &TenantId) -> Option<&Tenant> {
        self.inner.tenants.get(id)
    }

    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.inner.tenants.values()
    }

    pub fn calendar(&self) -> &Calendar {
        &self.inner.calendar
    }

    /// Who of the SOC is called when nobody takes an incident.
    pub fn roster(&self) -> &Roster {
        &self.inner.roster
    }

    fn context<'a>(&'a self, tenant: &'a Tenant, now: Timestamp) -> Context<'a> {
        Context { tenant, roster: self.roster(), calendar: self.calendar(), now }
    }

    /// Hints that something changed. Losing one loses nothing: the database is the truth.
    pub fn nudges(&self) -> tokio::sync::broadcast::Receiver<Nudge> {
        self.inner.nudges.subscribe()
    }

    fn nudge(&self, nudge: Nudge) {
        self.inner.nudges.send(nudge);
    }
}
