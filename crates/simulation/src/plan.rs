//! What is to be simulated, and what is told of it afterwards.

use std::collections::BTreeMap;

use domain::{IncidentId, Priority, Timestamp};

use crate::faults::Faults;
use crate::reached::Reached;
use crate::service::ServiceTime;

/// The size of a world, and what may go wrong in it.
#[derive(Debug, Clone)]
pub struct Plan {
    pub days: u32,
    pub customers: usize,
    /// For each customer, on an ordinary day. Storms come on top.
    pub alerts_per_day: u32,
    pub faults: Faults,
    pub crew: Crew,
    /// Sets the reports that go with verdicts. Otherwise a stand-in is attached, which saves most of the time.
    pub real_documents: bool,
    /// A mistake that the story must find.
    pub planted: Option<Planted>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            days: 3,
            customers: 3,
            alerts_per_day: 10,
            faults: Faults::all(),
            crew: Crew::Mixed,
            real_documents: false,
            planted: None,
        }
    }
}

/// Who works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crew {
    /// Analysts for this many customers, who go from one incident to another and answer calls, mostly.
    Mixed,
    /// So many analysts on duty in business hours, and nobody who is called. Each takes one incident, is busy with it for
    /// the time that is drawn, and takes the next.
    OneByOne { analysts: usize, service: ServiceTime },
}

/// First responses in the meaning of the contract: in time, and not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Responses {
    pub met: u64,
    pub missed: u64,
}

/// Mistakes at the seams, to prove that the watch sees them. They stand in this crate alone; no code of the service knows
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A notice's job is ended without sending it.
    DroppedNotice,
    /// Orders to a console are sent again without looking.
    DoneTwice,
    /// A customer's reader asks for the neighbours' sites, too.
    NoTenantFilter,
    /// The 72 hours end four hours early.
    EarlySilence,
    /// A question's acceptance is recorded without the pause that begins with it.
    LostPause,
}

/// One thing that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub seed: u64,
    pub at: Timestamp,
    pub incident: Option<IncidentId>,
    pub what: String,
}

/// What became of one seed.
#[derive(Debug, Clone)]
pub struct Story {
    pub seed: u64,
    pub violations: Vec<Violation>,
    pub reached: Reached,
    /// By priority, what was excluded left out.
    pub responses: BTreeMap<Priority, Responses>,
    pub alerts: u64,
    pub incidents: u64,
    pub mails: u64,
    /// Virtual time from the first alert to the end, in hours.
    pub hours: u64,
    /// SHA-256 over the end of the audit's root, which stands for every event, and over every mail.
    pub trace: String,
}
