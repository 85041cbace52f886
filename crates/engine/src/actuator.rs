//! The only role that tells a console to do something: actions on endpoints, and verdict, status and notes (SEC-13).
//!
//! Every job reads the world first and tells it only what is missing, so running one twice changes nothing the second
//! time. An intent is committed before anything is sent; after a lost answer the state is read back before any resend
//! (REL-06).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use domain::action::{Action, Kind, Proof, State};
use domain::alert::{Alert, MitigationAction, MitigationOutcome};
use domain::endpoint::Network;
use domain::incident::{Actor, Command, Effect, Incident, SendAnswer};
use domain::{ActionId, TenantId, Timestamp, Untrusted};
use sentinelone::{Accepted, Acting, Mitigate, Reserved, Targets};
use store::{Job, Outcome, Scope};

use crate::Engine;
use crate::worker::later;

mod mirror;

/// How soon after sending the console is read back. Grows with the age of the request.
const FIRST_LOOK: Duration = Duration::from_millis(500);
/// An alert read this recently still says what the console shows.
const FRESH: Duration = Duration::from_secs(60);
/// How long a freshly sent request may leave no trace on the console before it counts as not arrived.
const TRACE: Duration = Duration::from_secs(60);
/// How long an endpoint may take, being offline included, before a person has to look.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// Sends per action: the first, and two more when answers were lost and the state was read back as undone.
const MAX_SENDS: u8 = 3;

/// Holds the tokens that can act, one per customer.
#[derive(Debug)]
pub struct Actuator {
    consoles: BTreeMap<TenantId, sentinelone::Actuator>,
}

/// What the console shows of a wanted state.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    InEffect,
    UnderWay,
    NotThere,
    Failed(Untrusted),
}

impl Actuator {
    pub fn new(consoles: BTreeMap<TenantId, sentinelone::Actuator>) -> Self {
        Self { consoles }
    }

    pub(crate) async fn carry_out(&self, engine: &Engine, job: &Job, now: Timestamp) -> anyhow::Result<Outcome> {
        let Some(console) = self.consoles.get(&job.tenant) else {
            return Ok(Outcome::GaveUp { why: "no console with an acting token is configured".into() });
        };
        let scope = Scope::Only(vec![job.tenant.clone()]);
        let incident = engine.store().incident(&scope, job.incident).await?.context("the job's incident is missing")?;
        match &job.effect {
            Effect::Act { action } => act(engine, console, job, &incident, *action, now).await,
            Effect::UpdateConsole => mirror::update(engine, console, job, &incident, now).await,
            Effect::Notify { .. } | Effect::Page { .. } | Effect::Wake | Effect::Gather { .. } => {
                Ok(Outcome::GaveUp { why: "only actions and the console's state are the actuator's".into() })
            }
        }
    }
}

/// Carries one action one step further.
async fn act(
    engine: &Engine,
    console: &sentinelone::Actuator,
    job: &Job,
    incident: &Incident,
    id: ActionId,
    now: Timestamp,
) -> anyhow::Result<Outcome> {
    let Some(action) = incident.actions.get(&id) else {
        return Ok(Outcome::GaveUp { why: format!("action `{id}` does not exist") });
    };
    if !action.state.is_running() {
        return Ok(Outcome::Done);
    }
    // Told for the first time, moments after the alert was read: there is nothing to look for yet.
    let fresh = action.state == State::PreAuthorised && age(action, now) < FRESH;
    let seen = if fresh { Seen::NotThere } else { look(console, action, now).await? };
    let sent = action.sends > 0;
    match (&action.state, seen) {
        (_, Seen::InEffect) => {
            let how = if sent || action.state == State::IntentRecorded { Proof::ReadBack } else { Proof::AlreadySo };
            finish(engine, job, Command::ConfirmAction { action: id, how }, now).await
        }
        (_, Seen::Failed(why)) if sent => finish(engine, job, Command::RefuseAction { action: id, why }, now).await,
        (_, Seen::UnderWay) => wait(engine, job, action, now).await,
        (State::Accepted | State::Sent, Seen::NotThere | Seen::Failed(_)) => no_trace(engine, job, action, now).await,
        (State::Unknown { .. }, _) if action.sends >= MAX_SENDS => {
            let why = Untrusted::new("the console's answers were lost and a read-back shows no effect");
            finish(engine, job, Command::RefuseAction { action: id, why }, now).await
        }
        (State::PreAuthorised | State::Unknown { .. } | State::IntentRecorded, _) => {
            send(engine, console, job, action, now).await
        }
        (State::Proposed | State::Verified { .. } | State::Refused { .. }, _) => Ok(Outcome::Done),
    }
}

/// Records the intent, tells the console, records what it answered.
async fn send(
    engine: &Engine,
    console: &sentinelone::Actuator,
    job: &Job,
    action: &Action,
    now: Timestamp,
) -> anyhow::Result<Outcome> {
    let reserved = console.reserve(acting(action.kind), now)?;
    if action.state != State::IntentRecorded {
        engine.execute(&job.tenant, job.incident, Command::IntendAction { action: action.id }, now).await?;
    }
    let answer = match tell(reserved, action, now).await {
        Ok(_) => SendAnswer::Accepted,
        Err(error) if error.may_have_happened() => SendAnswer::Lost { why: Untrusted::new(&error.to_string()) },
        // Nothing was sent, or it was turned away for now: the intent stands, and the job comes back to it.
        Err(error) if error.is_transient() => return Err(error.into()),
        Err(error) if error.was_already_so() => SendAnswer::Accepted,
        Err(error) if look(console, action, now).await? == Seen::InEffect => {
            tracing::info!(incident.id = %job.incident, action = %action.id, error = %error, "it was already so");
            let how = Proof::AlreadySo;
            return finish(engine, job, Command::ConfirmAction { action: action.id, how }, now).await;
        }
        Err(error) => SendAnswer::Refused { why: Untrusted::new(&error.to_string()) },
    };
    let report = Command::ReportSend { action: action.id, sent_at: now, answer };
    let after = engine.execute(&job.tenant, job.incident, report, now).await?;
    match after.actions.get(&action.id) {
        Some(action) if action.state.is_running() => wait(engine, job, action, now).await,
        _ => Ok(Outcome::Done),
    }
}

/// Accepted, but nothing shows on the console: wait a little, then let people know.
async fn no_trace(engine: &Engine, job: &Job, action: &Action, now: Timestamp) -> anyhow::Result<Outcome> {
    if age(action, now) < TRACE {
        return wait(engine, job, action, now).await;
    }
    let why = Untrusted::new("the console accepted it, but shows no trace of it");
    finish(engine, job, Command::RefuseAction { action: action.id, why }, now).await
}

async fn finish(engine: &Engine, job: &Job, command: Command, now: Timestamp) -> anyhow::Result<Outcome> {
    engine.finish(job, &[command], now).await?;
    Ok(Outcome::Done)
}

/// Looks again soon while it is fresh, and less often the longer it takes. After a day a person has to look: the action
/// ends, so that it does not hold its incident open, and stands among what gave up.
async fn wait(engine: &Engine, job: &Job, action: &Action, now: Timestamp) -> anyhow::Result<Outcome> {
    let age = age(action, now);
    if age > PATIENCE {
        let why = Untrusted::new("the endpoint has not carried it out within 24 hours");
        let what = Untrusted::new(&format!("{}: {}", job.key, why.for_matching()));
        let refuse = Command::RefuseAction { action: action.id, why };
        engine.finish(job, &[refuse, Command::GiveUpJob { by: Actor::Actuator, what }], now).await?;
        return Ok(Outcome::Done);
    }
    let pause = (age / 4).clamp(FIRST_LOOK, Duration::from_secs(300));
    Ok(Outcome::Wait { at: later(now, pause), why: "waiting for the console to show the result".into() })
}

fn age(action: &Action, now: Timestamp) -> Duration {
    let since = action.sent_at.unwrap_or(action.decided_at);
    now.duration_since(since).try_into().unwrap_or_default()
}

fn acting(kind: Kind) -> Acting {
    match kind {
        Kind::Isolate => Acting::OnAgents,
        Kind::Kill | Kind::Quarantine => Acting::OnThreats,
    }
}

async fn tell(console: Reserved<'_>, action: &Action, now: Timestamp) -> Result<Accepted, sentinelone::Error> {
    let mitigation = match action.kind {
        Kind::Isolate => return console.disconnect(&Targets::one(action.target.agent.clone()), now).await,
        Kind::Kill => Mitigate::Kill,
        Kind::Quarantine => Mitigate::Quarantine,
    };
    match &action.target.alert {
        Some(alert) => console.mitigate(mitigation, &Targets::one(alert.clone()), now).await,
        None => Err(sentinelone::Error::Unsendable("the action names no threat")),
    }
}

async fn look(console: &sentinelone::Actuator, action: &Action, now: Timestamp) -> anyhow::Result<Seen> {
    let reader = console.reader();
    match (action.kind, &action.target.alert) {
        (Kind::Isolate, _) => {
            let found = reader.agents(&Targets::one(action.target.agent.clone()), now).await?;
            let endpoint = found.into_iter().find_map(Result::ok).map(|agent| agent.endpoint);
            Ok(match endpoint.map(|e| e.network) {
                Some(Network::Isolated) => Seen::InEffect,
                Some(Network::Disconnecting) => Seen::UnderWay,
                _ => Seen::NotThere,
            })
        }
        (Kind::Kill | Kind::Quarantine, Some(alert)) => {
            let found = reader.threats(&Targets::one(alert.clone()), now).await?;
            let alert = found.into_iter().find_map(Result::ok).map(|taken| taken.alert);
            Ok(alert.map_or(Seen::NotThere, |alert| mitigation_seen(&alert, action.kind)))
        }
        (Kind::Kill | Kind::Quarantine, None) => Ok(Seen::NotThere),
    }
}

fn mitigation_seen(alert: &Alert, kind: Kind) -> Seen {
    let step = match kind {
        Kind::Kill => MitigationAction::Kill,
        _ => MitigationAction::Quarantine,
    };
    match alert.outcome_of(step) {
        Some(MitigationOutcome::Success) => Seen::InEffect,
        Some(MitigationOutcome::Pending) => Seen::UnderWay,
        Some(MitigationOutcome::Failed | MitigationOutcome::Partial) => {
            Seen::Failed(Untrusted::new("the endpoint reports that it failed or succeeded only in part"))
        }
        Some(MitigationOutcome::Unknown) | None => Seen::NotThere,
    }
}
