//! Acts. Only the role `actuator` holds one (SEC-13).
//!
//! Every act is sent once, aimed at named targets within the customer's scope, and answered with "queued" at best. Whether
//! it happened is seen by reading back, through `reader`. Approval, caps and the kill switch are the caller's.

use std::fmt;

use domain::alert::ConsoleStatus;
use domain::{AgentId, AlertId, Verdict};
use jiff::Timestamp;
use outbound::{Outbound, Turn};
use serde_json::json;

use crate::act::{Accepted, Mitigate};
use crate::call::{Caller, Capability};
use crate::console::{ActToken, Console};
use crate::error::Error;
use crate::query::Family;
use crate::reader::Reader;
use crate::targets::Targets;
use crate::words::{status_on_the_wire, verdict_on_the_wire};

/// What a note may hold, in characters.
const NOTE: std::ops::RangeInclusive<usize> = 2..=10_000;

/// What an act is aimed at; each has a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acting {
    OnThreats,
    OnAgents,
}

/// One customer's console, with a token that can act.
#[derive(Debug, Clone)]
pub struct Actuator {
    reader: Reader,
}

/// A turn to stop an attack, taken before its intent is recorded: after an intent the state would have to be read back
/// first, for which there may be no turn either.
#[derive(Debug)]
#[must_use]
pub struct Reserved<'a> {
    caller: &'a Caller,
    family: Family,
    turn: Turn,
}

impl Actuator {
    pub fn new(console: &Console, token: ActToken, outbound: Outbound) -> Self {
        Self { reader: Reader { caller: Caller::new(console, token.0, outbound, Capability::Act) } }
    }

    /// For reading back with the same token.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Goes before everything that looks or writes down. If there is no turn, the error says when.
    pub fn reserve(&self, on: Acting, now: Timestamp) -> Result<Reserved<'_>, Error> {
        let family = match on {
            Acting::OnThreats => Family::Threats,
            Acting::OnAgents => Family::Agents,
        };
        let caller = &self.reader.caller;
        Ok(Reserved { caller, family, turn: caller.reserve(family, now)? })
    }

    pub async fn mitigate(
        &self,
        what: Mitigate,
        threats: &Targets<AlertId>,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        self.reserve(Acting::OnThreats, now)?.mitigate(what, threats, now).await
    }

    /// Cuts endpoints from the network; their sensors stay reachable. They pass through *disconnecting*.
    pub async fn disconnect(&self, agents: &Targets<AgentId>, now: Timestamp) -> Result<Accepted, Error> {
        self.reserve(Acting::OnAgents, now)?.disconnect(agents, now).await
    }

    /// Undoes `disconnect`.
    pub async fn connect(&self, agents: &Targets<AgentId>, now: Timestamp) -> Result<Accepted, Error> {
        self.reserve(Acting::OnAgents, now)?.act("/agents/actions/connect", agents, now).await
    }

    /// *False positive* makes the console mark the threat as benign.
    pub async fn set_verdict(
        &self,
        threats: &Targets<AlertId>,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let data = json!({"analystVerdict": verdict_on_the_wire(verdict)});
        self.reader.caller.act((Family::Threats, None), "/threats/analyst-verdict", threats, data, now).await
    }

    pub async fn set_status(
        &self,
        threats: &Targets<AlertId>,
        status: ConsoleStatus,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let data = json!({"incidentStatus": status_on_the_wire(status)});
        self.reader.caller.act((Family::Threats, None), "/threats/incident", threats, data, now).await
    }

    /// Adds a note. Not the same twice: look through `reader().notes` before sending again.
    pub async fn add_note(&self, threats: &Targets<AlertId>, text: &str, now: Timestamp) -> Result<Accepted, Error> {
        if !NOTE.contains(&text.chars().count()) {
            return Err(Error::Unsendable("a note has 2 to 10000 characters"));
        }
        self.reader.caller.act((Family::Threats, None), "/threats/notes", threats, json!({"text": text}), now).await
    }
}

impl Reserved<'_> {
    /// See [`Actuator::mitigate`].
    pub async fn mitigate(self, what: Mitigate, threats: &Targets<AlertId>, now: Timestamp) -> Result<Accepted, Error> {
        self.act(&format!("/threats/mitigate/{}", what.verb()), threats, now).await
    }

    /// See [`Actuator::disconnect`].
    pub async fn disconnect(self, agents: &Targets<AgentId>, now: Timestamp) -> Result<Accepted, Error> {
        self.act("/agents/actions/disconnect", agents, now).await
    }

    async fn act<T: Clone + PartialEq + fmt::Display>(
        self,
        path: &str,
        targets: &Targets<T>,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        self.caller.act((self.family, Some(self.turn)), path, targets, json!({}), now).await
    }
}
