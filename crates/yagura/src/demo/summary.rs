//! Judges a headless demo by the ledgers of the far sides: what the simulated console raised and was told, and what the
//! mail server took. Our own records only say which incident belongs to which alert, and when the poll saw it.

use std::collections::BTreeMap;
use std::fmt;

use domain::action::{Kind, Proof, State};
use domain::incident::Incident;
use domain::notice::Channel;
use domain::{AlertId, TenantId, Timestamp};
use engine::Engine;
use s1sim::{Fault, FaultKind, Ledger, S1Sim};
use serde::Serialize;
use sinks::chat::Post;
use sinks::{ChatSink, MailSink};
use store::{QueueFilter, Scope};

/// From the raising: a poll takes up to five seconds in a demo, and two more are the target from the poll.
const LATE_MS: i64 = 10_000;
const MANY: i64 = 10_000;

#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub alerts: usize,
    pub incidents: usize,
    /// Told by us, in effect by the console's ledger, and read back.
    pub actions_verified: usize,
    pub notices_accepted: u64,
    /// Alerts in no incident, first notices that no mailbox holds, and authorised actions that never came to an end.
    pub lost: usize,
    pub late: usize,
    pub doubled: usize,
    /// From the poll that saw the alert.
    pub latency_ms: Latencies,
    /// From the raising on the console.
    pub raised_ms: Latencies,
    /// Each thing that was lost, late or doubled, by name.
    pub faults: Vec<String>,
    #[serde(skip)]
    unsettled: usize,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Latencies {
    pub first_notice: Percentiles,
    pub containment: Percentiles,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Percentiles {
    pub n: usize,
    pub p50: i64,
    pub p99: i64,
}

impl Summary {
    pub(crate) fn is_good(&self) -> bool {
        self.lost == 0 && self.late == 0 && self.doubled == 0 && self.alerts > 0
    }

    /// Whether nothing is under way any more.
    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled == 0 && self.lost == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |l: &Percentiles| format!("p50 {} ms, p99 {} ms (n = {})", l.p50, l.p99, l.n);
        writeln!(f, "alerts raised       {}", self.alerts)?;
        writeln!(f, "incidents           {}", self.incidents)?;
        writeln!(f, "actions verified    {}", self.actions_verified)?;
        writeln!(f, "notices accepted    {}", self.notices_accepted)?;
        writeln!(f, "first notice        {} after the poll", line(&self.latency_ms.first_notice))?;
        writeln!(f, "containment sent    {} after the poll", line(&self.latency_ms.containment))?;
        write!(f, "lost {}, late {}, doubled {}", self.lost, self.late, self.doubled)?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// Makes the simulated console hide the next alert from every list: the judging must then find one lost.
pub(super) fn hide_next_alert(sim: &S1Sim) {
    sim.faults().add(Fault::new(FaultKind::DropThreat));
}

pub(crate) async fn judge(sim: &S1Sim, mail: &MailSink, chat: &ChatSink, engine: &Engine) -> anyhow::Result<Summary> {
    let ledger = sim.ledger();
    let incidents = all_incidents(engine).await?;
    let places = places(engine, &ledger, &incidents).await?;
    let (mails, posts) = (mail.messages(), chat.posts());

    let (mut from_poll, mut from_raising) = (Series::default(), Series::default());
    let (mut lost, mut late, mut unsettled) = (Vec::new(), Vec::new(), 0);
    for (raised, place) in ledger.raised.iter().zip(&places) {
        if place.is_none() {
            lost.push(format!("alert {} of {} is in no incident", raised.threat_id, raised.site));
        }
    }
    for (at, incident) in incidents.iter().enumerate() {
        let raised = ledger.raised.iter().zip(&places).filter(|(_, place)| **place == Some(at));
        let Some(raised_at) = raised.map(|(raised, _)| raised.at).min() else { continue };
        for route in engine.tenant(&incident.tenant).into_iter().flat_map(domain::tenant::Tenant::routes) {
            let id = format!("{}.n1.{}.", incident.id.to_string().to_lowercase(), route.language.tag());
            let arrived = match route.channel {
                Channel::Mail => mails.iter().filter(|m| m.message_id.starts_with(&id)).map(|m| m.accepted_at).min(),
                Channel::Slack => posts.iter().filter(|p| has_key(p, &id)).map(|p| p.accepted_at).min(),
            };
            match arrived {
                None => lost.push(format!("first notice {id} did not arrive by {route}")),
                Some(accepted) => {
                    from_poll.first_notice.push(ms(incident.received_at, accepted));
                    from_raising.first_notice.push(ms(raised_at, accepted));
                    if ms(raised_at, accepted) > LATE_MS {
                        late.push(format!("first notice {id} took {} ms", ms(raised_at, accepted)));
                    }
                }
            }
        }
        if let Some(told) = first_told(&ledger, incident) {
            from_poll.containment.push(ms(incident.received_at, told));
            from_raising.containment.push(ms(raised_at, told));
            if ms(raised_at, told) > LATE_MS {
                late.push(format!("containment of {} took {} ms", incident.id, ms(raised_at, told)));
            }
        }
        for action in incident.actions.values().filter(|a| a.state.is_running()) {
            unsettled += 1;
            lost.push(format!("action {} of {} has not come to an end", action.id, incident.id));
        }
    }
    let mut doubled: Vec<String> = mail.doubled().into_iter().map(|id| format!("mail {id} was sent twice")).collect();
    doubled.extend(chat.doubled().into_iter().map(|key| format!("post {key} stands twice")));
    doubled.extend(told_twice(&ledger));
    Ok(Summary {
        alerts: ledger.raised.len(),
        incidents: incidents.len(),
        actions_verified: incidents.iter().map(|i| verified(&ledger, i)).sum(),
        notices_accepted: mail.accepted() + chat.accepted(),
        lost: lost.len(),
        late: late.len(),
        doubled: doubled.len(),
        latency_ms: from_poll.percentiles(),
        raised_ms: from_raising.percentiles(),
        faults: [lost, late, doubled].concat(),
        unsettled,
    })
}

async fn all_incidents(engine: &Engine) -> anyhow::Result<Vec<Incident>> {
    let mut incidents = Vec::new();
    for closed in [false, true] {
        let filter = QueueFilter { closed, ..QueueFilter::default() };
        for row in engine.store().queue(&Scope::All, &filter, MANY, 0).await?.rows {
            incidents.extend(engine.store().incident(&Scope::All, row.id).await?);
        }
    }
    Ok(incidents)
}

/// For each raised alert the incident it is in, `None` when it is in none.
async fn places(engine: &Engine, ledger: &Ledger, incidents: &[Incident]) -> anyhow::Result<Vec<Option<usize>>> {
    let index: BTreeMap<_, _> = incidents.iter().enumerate().map(|(at, i)| (i.id, at)).collect();
    let mut places = Vec::with_capacity(ledger.raised.len());
    for raised in &ledger.raised {
        let (tenant, alert): (TenantId, AlertId) = (raised.site.parse()?, raised.threat_id.parse()?);
        let incident = engine.store().incident_of(&tenant, &alert).await?;
        places.push(incident.and_then(|id| index.get(&id).copied()));
    }
    Ok(places)
}

/// What the simulated console calls an action of ours.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Kill => "kill",
        Kind::Quarantine => "quarantine",
        Kind::Isolate => "disconnect",
    }
}

fn target(action: &domain::action::Action) -> String {
    action.target.alert.as_ref().map_or_else(|| action.target.agent.to_string(), ToString::to_string)
}

/// When the console was first told something about this incident that stops an attack.
fn first_told(ledger: &Ledger, incident: &Incident) -> Option<Timestamp> {
    let ours = |id: &str| incident.actions.values().any(|a| target(a) == id);
    ledger
        .done
        .iter()
        .filter(|done| matches!(done.action.as_str(), "kill" | "quarantine" | "disconnect"))
        .filter(|done| done.targets.iter().any(|t| ours(&t.id)))
        .map(|done| done.at)
        .min()
}

/// Actions that we told, that took effect by the console's own ledger, and that we read back.
fn verified(ledger: &Ledger, incident: &Incident) -> usize {
    let in_ledger = |kind: Kind, target: &str| {
        ledger.times_effective(word(kind), target) == 1
            && ledger.effects_on(target).iter().any(|e| e.action == word(kind) && e.outcome == "success")
    };
    incident
        .actions
        .values()
        .filter(|a| a.state == State::Verified { how: Proof::ReadBack } && in_ledger(a.kind, &target(a)))
        .count()
}

/// Targets that were told the same thing to effect more than once; for a note, the same text.
fn told_twice(ledger: &Ledger) -> Vec<String> {
    let mut told: BTreeMap<(&str, Option<&str>, &str), usize> = BTreeMap::new();
    for done in &ledger.done {
        for target in done.targets.iter().filter(|target| target.effective) {
            *told.entry((&done.action, done.value.as_deref(), &target.id)).or_default() += 1;
        }
    }
    told.into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|((action, _, target), times)| format!("{target} was told `{action}` to effect {times} times"))
        .collect()
}

fn has_key(post: &Post, start: &str) -> bool {
    post.key().is_some_and(|key| key.starts_with(start))
}

fn ms(from: Timestamp, to: Timestamp) -> i64 {
    to.as_millisecond() - from.as_millisecond()
}

#[derive(Default)]
struct Series {
    first_notice: Vec<i64>,
    containment: Vec<i64>,
}

impl Series {
    fn percentiles(self) -> Latencies {
        Latencies { first_notice: percentiles(self.first_notice), containment: percentiles(self.containment) }
    }
}

fn percentiles(mut values: Vec<i64>) -> Percentiles {
    values.sort_unstable();
    // The smallest value that at least this share of all values does not exceed.
    let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Percentiles { n: values.len(), p50: at(50).unwrap_or(0), p99: at(99).unwrap_or(0) }
}
