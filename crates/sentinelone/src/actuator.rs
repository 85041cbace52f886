//! Acts. Only the role `actuator` holds one (SEC-13).
//!
//! Every act is sent once, aimed at named targets within the customer's scope, and answered with "queued" at best. Whether
//! it happened is seen by reading back, through `reader`. Approval, caps and the kill switch are the caller's.

use domain::alert::ConsoleStatus;
use domain::{AgentId, AlertId, Verdict};
use jiff::Timestamp;
use outbound::Outbound;
use serde_json::json;

use crate::act::{Accepted, Mitigate};
use crate::call::Caller;
use crate::console::{ActToken, Console};
use crate::error::Error;
use crate::query::Family;
use crate::reader::Reader;
use crate::targets::Targets;
use crate::words::{status_on_the_wire, verdict_on_the_wire};

/// What a note may hold, in characters.
const NOTE: std::ops::RangeInclusive<usize> = 2..=10_000;

/// One customer's console, with a token that can act.
#[derive(Debug, Clone)]
pub struct Actuator {
    reader: Reader,
}

impl Actuator {
    pub fn new(console: &Console, token: ActToken, outbound: Outbound) -> Self {
        Self { reader: Reader { caller: Caller::new(console, token.0, outbound, "act") } }
    }

    /// For reading back with the same token.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    pub async fn mitigate(
        &self,
        what: Mitigate,
        threats: &Targets<AlertId>,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let path = format!("/threats/mitigate/{}", what.verb());
        self.reader.caller.act(Family::Threats, &path, threats, json!({}), now).await
    }

    /// Cuts endpoints from the network; their sensors stay reachable. They pass through *disconnecting*.
    pub async fn disconnect(&self, agents: &Targets<AgentId>, now: Timestamp) -> Result<Accepted, Error> {
        self.reader.caller.act(Family::Agents, "/agents/actions/disconnect", agents, json!({}), now).await
    }

    /// Undoes `disconnect`.
    pub async fn connect(&self, agents: &Targets<AgentId>, now: Timestamp) -> Result<Accepted, Error> {
        self.reader.caller.act(Family::Agents, "/agents/actions/connect", agents, json!({}), now).await
    }

    /// *False positive* makes the console mark the threat as benign.
    pub async fn set_verdict(
        &self,
        threats: &Targets<AlertId>,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let data = json!({"analystVerdict": verdict_on_the_wire(verdict)});
        self.reader.caller.act(Family::Threats, "/threats/analyst-verdict", threats, data, now).await
    }

    pub async fn set_status(
        &self,
        threats: &Targets<AlertId>,
        status: ConsoleStatus,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let data = json!({"incidentStatus": status_on_the_wire(status)});
        self.reader.caller.act(Family::Threats, "/threats/incident", threats, data, now).await
    }

    /// Adds a note. Not the same twice: look through `reader().notes` before sending again.
    pub async fn add_note(&self, threats: &Targets<AlertId>, text: &str, now: Timestamp) -> Result<Accepted, Error> {
        if !NOTE.contains(&text.chars().count()) {
            return Err(Error::Unsendable("a note has 2 to 10000 characters"));
        }
        self.reader.caller.act(Family::Threats, "/threats/notes", threats, json!({"text": text}), now).await
    }
}
