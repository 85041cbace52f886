//! Makes the console say what we say: status, verdict and our notes. Reads first and writes only differences.

use domain::alert::{Alert, ConsoleStatus};
use domain::incident::{Command, ConsoleWrite, Incident};
use domain::judgement::Verdict;
use domain::notice::{console_notes, note_mark};
use domain::{AlertId, Language, Timestamp};
use sentinelone::{Accepted, MAX_TARGETS, Targets};
use store::{Job, Outcome};

use crate::Engine;

/// Brings every alert of the incident in line, at most `MAX_TARGETS` a call.
pub(super) async fn update(
    engine: &Engine,
    console: &sentinelone::Actuator,
    job: &Job,
    incident: &Incident,
    now: Timestamp,
) -> anyhow::Result<Outcome> {
    let wanted = Wanted::of(incident);
    let ids: Vec<AlertId> =
        engine.store().alert_ids(&job.tenant, job.incident).await?.into_iter().map(|(id, _)| id).collect();
    let mut done: Vec<Command> = Vec::new();
    for part in ids.chunks(MAX_TARGETS) {
        let found = console.reader().threats(&Targets::new(part)?, now).await?;
        let alerts: Vec<Alert> = found.into_iter().filter_map(Result::ok).map(|taken| taken.alert).collect();
        if let Some(verdict) = wanted.verdict {
            let differs = |a: &Alert| a.console.verdict != verdict;
            if let Some(targets) = those(&alerts, differs)? {
                let accepted = settled(console.set_verdict(&targets, verdict, now).await)?;
                done.push(confirm(ConsoleWrite::Verdict(verdict), accepted));
            }
        }
        let differs = |a: &Alert| a.console.status != wanted.status;
        if let Some(targets) = those(&alerts, differs)? {
            let accepted = settled(console.set_status(&targets, wanted.status, now).await)?;
            done.push(confirm(ConsoleWrite::Status(wanted.status), accepted));
        }
    }
    done.extend(write_notes(engine, console, job, incident, now).await?);
    engine.finish(job, &done, now).await?;
    Ok(Outcome::Done)
}

#[derive(Debug)]
struct Wanted {
    status: ConsoleStatus,
    /// Only what a person said; the rule floor's opinion stays ours. Once a verdict was written and no longer stands,
    /// the console must not go on saying it.
    verdict: Option<Verdict>,
}

impl Wanted {
    fn of(incident: &Incident) -> Self {
        let status = if incident.phase.is_open() { ConsoleStatus::InProgress } else { ConsoleStatus::Resolved };
        let given = incident.verdict_given.as_ref().map(|_| incident.verdict);
        let written = incident.console_writes.iter().any(|w| matches!(w, ConsoleWrite::Verdict(_)));
        Self { status, verdict: given.or(written.then_some(Verdict::Undetermined)) }
    }
}

fn those(
    alerts: &[Alert],
    differs: impl Fn(&Alert) -> bool,
) -> Result<Option<Targets<AlertId>>, sentinelone::InvalidTargets> {
    let ids: Vec<AlertId> = alerts.iter().filter(|a| differs(a)).map(|a| a.id.clone()).collect();
    if ids.is_empty() { Ok(None) } else { Targets::new(&ids).map(Some) }
}

/// "Already so" is as good as done; the number is then zero.
fn settled(answer: Result<Accepted, sentinelone::Error>) -> Result<usize, sentinelone::Error> {
    match answer {
        Ok(accepted) => Ok(accepted.affected),
        Err(error) if error.was_already_so() => Ok(0),
        Err(error) => Err(error),
    }
}

fn confirm(write: ConsoleWrite, alerts: usize) -> Command {
    Command::ConfirmConsole { write, alerts: u32::try_from(alerts).unwrap_or(u32::MAX) }
}

/// Our notes stand on the incident's first alert. Each begins with its mark, by which one that is there is recognised.
async fn write_notes(
    engine: &Engine,
    console: &sentinelone::Actuator,
    job: &Job,
    incident: &Incident,
    now: Timestamp,
) -> anyhow::Result<Vec<Command>> {
    let language = engine.tenant(&job.tenant).and_then(|t| t.languages.first().copied()).unwrap_or(Language::Ja);
    let events = engine.store().events(&job.tenant, job.incident).await?;
    let unwritten: Vec<(u32, String)> = console_notes(incident, &events, language)
        .into_iter()
        .filter(|(number, _)| !incident.console_writes.contains(&ConsoleWrite::Note(*number)))
        .collect();
    let (Some(first), false) = (incident.alerts.first(), unwritten.is_empty()) else { return Ok(Vec::new()) };
    let there: Vec<String> = console
        .reader()
        .notes(&first.id, now)
        .await?
        .into_iter()
        .filter_map(Result::ok)
        .map(|note| note.text.for_matching().to_owned())
        .collect();
    let mut written = Vec::new();
    for (number, text) in unwritten {
        let mark = note_mark(incident.id, number);
        if !there.iter().any(|note| note.starts_with(&mark)) {
            console.add_note(&Targets::one(first.id.clone()), &text, now).await?;
        }
        written.push(confirm(ConsoleWrite::Note(number), 1));
    }
    Ok(written)
}
