//! Mistakes made on purpose at the seams, to prove that the watch finds them. No code of the service knows of them.

use std::sync::Arc;

use anyhow::Context as _;
use domain::Timestamp;
use domain::incident::{Command, Context, Effect, Event, Recorded, Role};
use domain::notice::{Facts, Kind};
use domain::question::Question;
use engine::Engine;
use engine::notifier::Notifier;
use jiff::SignedDuration;
use notify::mail;
use store::{Job, Outcome, Scope};

const LEASE: SignedDuration = SignedDuration::from_secs(30);
const FOUR_HOURS: SignedDuration = SignedDuration::from_hours(4);
/// More jobs than a story has.
const ALL: i64 = 10_000;

/// A notifier that says it is done and has sent nothing, for some of the notices.
pub(crate) async fn drop_a_notice(engine: &Engine, now: Timestamp) -> anyhow::Result<()> {
    for job in engine.store().claim(Role::Notifier, "forgetful", now, now + LEASE, 1).await? {
        let chosen = job.key.bytes().map(u64::from).sum::<u64>().is_multiple_of(20);
        let outcome = if chosen { Outcome::Done } else { leave(now) };
        engine.store().settle(&job, &outcome, now).await?;
    }
    Ok(())
}

/// A notifier that delivers questions as it should and records them without the pause that begins with them.
pub(crate) async fn lose_a_pause(engine: &Engine, notifier: &Arc<Notifier>, now: Timestamp) -> anyhow::Result<()> {
    for job in engine.store().claim(Role::Notifier, "careless", now, now + LEASE, 4).await? {
        if !deliver(engine, notifier, &job, now).await? {
            engine.store().settle(&job, &leave(now), now).await?;
        }
    }
    Ok(())
}

/// A timekeeper for whom 72 hours end four hours early, and who does everything else on time.
pub(crate) async fn end_silence_early(engine: &Engine, now: Timestamp) -> anyhow::Result<()> {
    let ahead = now + FOUR_HOURS;
    for job in engine.store().claim(Role::Timekeeper, "hasty", ahead, ahead + LEASE, ALL).await? {
        let incident = engine.store().incident(&Scope::All, job.incident).await?.context("the incident is missing")?;
        let deadline = incident.open_question().filter(|question| question.waits()).and_then(Question::deadline);
        let outcome = if deadline.is_some_and(|deadline| deadline <= ahead) {
            engine.execute(&job.tenant, job.incident, Command::LetTimePass, ahead).await?;
            Outcome::Done
        } else {
            leave(incident.next_alarm().unwrap_or(now))
        };
        engine.store().settle(&job, &outcome, now).await?;
    }
    Ok(())
}

fn leave(now: Timestamp) -> Outcome {
    Outcome::Wait { at: now, why: "left to its owner".into() }
}

/// `false` when it is no question, or it could not be sent.
async fn deliver(engine: &Engine, notifier: &Notifier, job: &Job, now: Timestamp) -> anyhow::Result<bool> {
    let Effect::Notify { notice, route } = job.effect else { return Ok(false) };
    let tenant = engine.tenant(&job.tenant).context("the tenant is not configured")?;
    let incident = engine.store().incident(&Scope::All, job.incident).await?.context("the incident is missing")?;
    if incident.notices.get(&notice).map(|notice| notice.kind) != Some(Kind::Question) {
        return Ok(false);
    }
    let facts = Facts::of(&incident, tenant, notice).context("the notice has no facts")?;
    let mail = mail::compose(&facts, route.language, &notifier.sender, Vec::new());
    let to: Vec<_> = tenant.contacts.iter().map(|contact| contact.email.clone()).collect();
    let Ok(accepted) = notifier.smtp.send(&mail, &to, now).await else { return Ok(false) };
    let confirm = Command::ConfirmNotice { notice, route, reference: accepted.message_id, accepted_at: now };

    let mut work = engine.store().begin(&job.tenant).await?;
    let before = work.incident(job.incident).await?.context("the incident is missing")?;
    work.finish_job(job, now).await?;
    let context = Context { tenant, roster: engine.roster(), calendar: engine.calendar(), now };
    let mut recorded: Vec<Recorded> = before.decide(confirm, context)?;
    recorded.retain(|entry| !matches!(entry.event, Event::ClocksPaused { .. }));
    let mut after = before.clone();
    for entry in &recorded {
        after.apply(entry);
    }
    let effects = after.effects(Some(&before), &recorded, tenant);
    work.record(after, &recorded, &effects)?;
    work.commit().await?;
    Ok(true)
}
