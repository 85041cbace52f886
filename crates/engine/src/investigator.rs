//! Looks things up about an incident, one inquiry a job, and brings back what was found, that nothing was found, or why it
//! could not be asked (R23). It holds tokens that can look and keys of outside sources, and can change nothing anywhere.
//!
//! An inquiry is tried a few times; then the gap is recorded, the incident moves on, and a person may ask again. A P0's first
//! notice waits for none of this (REL-08).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::evidence::{Answer, Content, Inquiry, Outcome as Found, Window};
use domain::incident::{Command, Effect, Incident};
use domain::{TenantId, Timestamp, Untrusted};
use jiff::SignedDuration;
use sentinelone::Reader;
use store::{Job, MAX_CONTENT, Outcome, Piece, Scope};

use crate::Engine;
use crate::worker::{later, told_when, turn};

mod detections;
mod events;
mod indicators;
mod software;
mod sweep;

/// Tries before a gap is recorded. With the pauses between them this is about ten seconds.
const MAX_TRIES: u32 = 4;
/// How long an inquiry may wait for its turn at a source, all turns together.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// Holds what can be asked.
#[derive(Debug)]
pub struct Investigator {
    consoles: BTreeMap<TenantId, Reader>,
    knowledge: Knowledge,
    sweeps: sweep::UnderWay,
}

/// What is known beyond the customer's endpoints. What is missing here becomes a named gap in the evidence.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    pub lists: Option<Arc<intel::ioc::Lists>>,
    pub sources: Option<intel::sources::Sources>,
    pub vulnerabilities: Option<Arc<intel::vuln::Database>>,
    pub rules: Option<Arc<detect::Rules>>,
}

/// What a look-up needs to know.
struct Case<'a> {
    incident: &'a Incident,
    console: &'a Reader,
    now: Timestamp,
    /// Not its first try.
    again: bool,
    /// What fails now is a gap.
    last_try: bool,
    /// It may still wait for a turn.
    patient: bool,
}

/// What came of one step of an inquiry.
enum Step {
    Answered(Box<Gathered>),
    /// The source is at work, or has nothing yet that it should have soon.
    Later(Duration),
}

impl Step {
    fn answered(gathered: Gathered) -> Self {
        Self::Answered(Box::new(gathered))
    }

    fn gap(inquiry: &Inquiry, why: &str) -> Self {
        Self::answered(gap(inquiry, why))
    }
}

/// An answer on its way into the store: what stands in the evidence, and the content that it names.
struct Gathered {
    source: &'static str,
    query: String,
    window: Option<Window>,
    outcome: Found,
    findings: Option<Piece>,
    raw: Option<Piece>,
}

impl Investigator {
    pub fn new(consoles: BTreeMap<TenantId, Reader>, knowledge: Knowledge) -> Self {
        Self { consoles, knowledge, sweeps: sweep::UnderWay::default() }
    }

    pub(crate) async fn carry_out(&self, engine: &Engine, job: &Job, now: Timestamp) -> anyhow::Result<Outcome> {
        let Effect::Gather { inquiry } = &job.effect else {
            return Ok(Outcome::GaveUp { why: "only inquiries are the investigator's".into() });
        };
        let scope = Scope::Only(vec![job.tenant.clone()]);
        let incident = engine.store().incident(&scope, job.incident).await?.context("the job's incident is missing")?;
        let gathered = match self.consoles.get(&job.tenant) {
            None => gap(inquiry, "no console with a token that can look is configured"),
            // The tries before this one said nothing at all: they took too long, or their process died over them.
            Some(_) if job.attempts > MAX_TRIES => gap(inquiry, "several tries did not come to an end"),
            Some(console) => {
                let patient = now.duration_since(job.made_at) < PATIENCE;
                let (again, last_try) = (job.attempts > 1, job.attempts == MAX_TRIES);
                let case = Case { incident: &incident, console, now, again, last_try, patient };
                match self.ask(&case, engine, job, inquiry).await {
                    Ok(Step::Later(pause)) => return Ok(not_yet(inquiry, later(now, pause))),
                    Ok(Step::Answered(gathered)) => *gathered,
                    Err(error) if patient && told_when(&error).is_some() => return Ok(in_turn(job, &error, now)),
                    Err(error) if may_pass(&error) && !last_try => return Err(error),
                    Err(error) => gap(inquiry, &format!("{error:#}")),
                }
            }
        };
        self.record(engine, job, inquiry, gathered, now).await
    }

    async fn ask(&self, case: &Case<'_>, engine: &Engine, job: &Job, inquiry: &Inquiry) -> anyhow::Result<Step> {
        match inquiry {
            Inquiry::Events { alert } => events::of(case, alert).await,
            Inquiry::Software { agent } => software::installed(case, agent).await,
            Inquiry::Vulnerabilities { agent } => software::vulnerable(case, engine, &self.knowledge, agent).await,
            Inquiry::Detections => detections::run(case, engine, &self.knowledge).await,
            Inquiry::Indicators => indicators::look_up(case, engine, &self.knowledge).await,
            Inquiry::Sweep => sweep::over_endpoints(case, engine, &self.sweeps, &job.key).await,
        }
    }

    async fn record(
        &self,
        engine: &Engine,
        job: &Job,
        inquiry: &Inquiry,
        gathered: Gathered,
        now: Timestamp,
    ) -> anyhow::Result<Outcome> {
        let Gathered { source, query, window, outcome, findings, raw } = gathered;
        let content = |piece: &Option<Piece>| -> Option<Content> { piece.as_ref().map(|p| p.content.clone()) };
        let answer = Answer {
            inquiry: inquiry.clone(),
            source: source.to_owned(),
            query: Untrusted::new(&query),
            window,
            obtained_at: now,
            outcome,
            findings: content(&findings),
            raw: content(&raw),
        };
        let pieces: Vec<Piece> = [findings, raw].into_iter().flatten().collect();
        engine.finish_with(job, Command::RecordAnswerTo { answer: Box::new(answer) }, &pieces, now).await?;
        Ok(Outcome::Done)
    }
}

/// Waiting for one's turn is no failed try: a budget is shared by all incidents of a customer.
fn in_turn(job: &Job, error: &anyhow::Error, now: Timestamp) -> Outcome {
    let pause = turn(job, told_when(error).unwrap_or_default());
    Outcome::Wait { at: later(now, pause), why: format!("{error:#}") }
}

/// A search that runs is no failed try; an answer that was empty is one.
fn not_yet(inquiry: &Inquiry, at: Timestamp) -> Outcome {
    let why = "the source is not ready yet".to_owned();
    if *inquiry == Inquiry::Sweep { Outcome::Wait { at, why } } else { Outcome::Again { at, why } }
}

/// Not learnt, and why.
fn gap(inquiry: &Inquiry, why: &str) -> Gathered {
    Gathered {
        source: "",
        query: inquiry.key(),
        window: None,
        outcome: Found::CouldNotAsk { why: Untrusted::new(why) },
        findings: None,
        raw: None,
    }
}

/// Whether asking again in a moment may help.
fn may_pass(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<sentinelone::Error>() {
        Some(error) => error.is_transient(),
        // The store's troubles are ours, not the source's: they are tried again like any job's.
        None => error.downcast_ref::<store::Error>().is_some_and(store::Error::is_transient),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What was read out of an answer. If it is too large to be kept, the answer is a gap: a summary without its findings proves
/// nothing.
fn findings(value: &impl serde::Serialize) -> anyhow::Result<Option<Piece>> {
    let found = raw(value)?;
    anyhow::ensure!(found.is_some(), "what was found is larger than the {MAX_CONTENT} bytes that are kept");
    Ok(found)
}

/// An answer as it came, if it is not too large to be kept.
fn raw(value: &impl serde::Serialize) -> anyhow::Result<Option<Piece>> {
    let text = serde_json::to_string(value).context("evidence could not be written as JSON")?;
    Ok((text.len() <= MAX_CONTENT).then(|| Piece::new(&text)))
}
