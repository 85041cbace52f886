//! Wakes incidents when a deadline of theirs has come. What is due then, the incident itself knows (`Incident::next_alarm`).

use anyhow::Context as _;
use domain::Timestamp;
use domain::incident::{Command, Effect};
use store::{Job, Outcome, Scope};

use crate::Engine;

pub(crate) async fn carry_out(engine: &Engine, job: &Job, now: Timestamp) -> anyhow::Result<Outcome> {
    if job.effect != Effect::Wake {
        return Ok(Outcome::GaveUp { why: "only wake-ups are the timekeeper's".into() });
    }
    let scope = Scope::Only(vec![job.tenant.clone()]);
    let incident = engine.store().incident(&scope, job.incident).await?.context("the job's incident is missing")?;
    match incident.next_alarm() {
        None => Ok(Outcome::Done),
        // Claimed for an earlier deadline that is no more, or by a machine whose clock is ahead.
        Some(at) if at > now => Ok(Outcome::Wait { at, why: "the next deadline is not there yet".into() }),
        // The decision itself asks to be woken for the deadline after this one.
        Some(_) => {
            engine.finish(job, &[Command::LetTimePass], now).await?;
            Ok(Outcome::Done)
        }
    }
}
