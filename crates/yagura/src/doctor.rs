//! Looks for what is wrong with an installation, and says how to mend it. Changes nothing.

use std::path::Path;
use std::process::ExitCode;

use domain::Timestamp;
use domain::calendar::{Calendar, in_japan};
use domain::source::TimeSource as _;
use notify::mail::Smtp;
use outbound::Outbound;
use sentinelone::{Reach, Reader};
use serde::Serialize;
use store::Store;

use crate::config::Config;
use crate::output::{say, say_json};
use crate::roles::{self, Edr, Role, Setup};
use crate::source::MachineTime;

/// A calendar that ends sooner than this needs a newer holiday table (REL-12).
const HORIZON_DAYS: i64 = 400;
/// A token that expires sooner than this needs a new one (SEC-12).
const TOKEN_DAYS: i64 = 14;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    state: Condition,
    /// What was found, and for anything but `ok` what to do.
    words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Condition {
    Ok,
    Warning,
    Fault,
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, state: Condition, what: impl Into<String>, words: impl Into<String>) {
        self.0.push(Finding { what: what.into(), state, words: words.into() });
    }

    fn ok(&mut self, what: impl Into<String>, words: impl Into<String>) {
        self.add(Condition::Ok, what, words);
    }

    fn fault(&mut self, what: impl Into<String>, words: impl Into<String>) {
        self.add(Condition::Fault, what, words);
    }

    fn warn(&mut self, what: impl Into<String>, words: impl Into<String>) {
        self.add(Condition::Warning, what, words);
    }
}

pub(crate) async fn run(config: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    look(config, &mut findings).await;
    let healthy = findings.0.iter().all(|f| f.state != Condition::Fault);
    if json {
        say_json(&serde_json::json!({"healthy": healthy, "findings": findings.0}))?;
    } else {
        for Finding { what, state, words } in &findings.0 {
            let mark = match state {
                Condition::Ok => "ok     ",
                Condition::Warning => "WARNING",
                Condition::Fault => "FAULT  ",
            };
            say(&format!("{mark} {what}: {words}"));
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn look(path: &Path, findings: &mut Findings) {
    let now = MachineTime.now();
    calendar(now, findings);
    let setup = match Config::read(path).and_then(|config| config.setup(&Role::ALL)) {
        Ok(setup) => setup,
        Err(error) => return findings.fault("configuration", format!("{error:#}")),
    };
    findings.ok("configuration", format!("{} customers", setup.tenants.len()));
    store(&setup.store, findings).await;
    on_call(&setup, findings);
    mail(&setup, findings).await;
    slack(&setup, now, findings).await;
    match roles::door(&setup.edrs) {
        Ok(door) => {
            for edr in &setup.edrs {
                console(edr, &door, now, findings).await;
            }
        }
        Err(error) => findings.fault("consoles", format!("{error:#}; check `ca_file`")),
    }
}

/// Shifts leave hours open; a lead is called at any hour (REL-09).
fn on_call(setup: &Setup, findings: &mut Findings) {
    let (sites, leads) = (setup.roster.sites.len(), setup.roster.leads.len());
    if leads == 0 {
        let words = "no lead is named: outside of shifts nobody is called when a P0 waits; add `[[on_call.lead]]`";
        findings.warn("on call", words);
    } else {
        findings.ok("on call", format!("{sites} sites, {leads} leads"));
    }
}

fn calendar(now: Timestamp, findings: &mut Findings) {
    let calendar = Calendar::japan();
    let (horizon, days) = (calendar.horizon(), calendar.days_to_horizon(in_japan(now).date()));
    if days < HORIZON_DAYS {
        let words =
            format!("holidays are known for {days} more days, until {horizon}; install a release with a newer table");
        findings.warn("calendar", words);
    } else {
        findings.ok("calendar", format!("holidays are known until {horizon}"));
    }
}

async fn store(address: &str, findings: &mut Findings) {
    let store = match Store::open(address).await {
        Ok(store) => store,
        Err(error) => {
            let words = format!("{:#}; check `store` and who may write there", anyhow::Error::new(error));
            return findings.fault("store", words);
        }
    };
    match store.job_counts().await {
        Ok(counts) if counts.dead > 0 => {
            findings.warn("jobs", format!("{} gave up: see the page /trouble", counts.dead));
        }
        Ok(counts) => findings.ok("jobs", format!("{} waiting", counts.waiting)),
        Err(error) => findings.fault("jobs", error.to_string()),
    }
    match store.refusals(1).await {
        Ok(list) if !list.is_empty() => {
            findings.warn("intake", "records could not be read as alerts: see the page /trouble");
        }
        Ok(_) => findings.ok("intake", "no refused record"),
        Err(error) => findings.fault("intake", error.to_string()),
    }
    match store.staff().await {
        Ok(people) if !people.iter().any(|p| p.role.is_staff() && !p.disabled) => {
            findings.warn("staff", "nobody can sign in: add somebody with `yagura staff add`");
        }
        Ok(people) => {
            let staff = people.iter().filter(|p| p.role.is_staff()).count();
            findings.ok("staff", format!("{staff} people, and {} at customers", people.len() - staff));
        }
        Err(error) => findings.fault("staff", error.to_string()),
    }
    store.close().await;
}

async fn mail(setup: &Setup, findings: &mut Findings) {
    let Some(settings) = setup.smtp.clone() else { return };
    let result = match Smtp::new(settings) {
        Ok(smtp) => smtp.check(&setup.sender.address).await.map_err(anyhow::Error::new),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => findings.ok("mail server", "connected and signed in"),
        Err(error) => findings.fault("mail server", format!("{error:#}; check the section `[mail]`")),
    }
}

async fn slack(setup: &Setup, now: Timestamp, findings: &mut Findings) {
    let Some(settings) = setup.slack.clone() else { return };
    let result = match roles::chat(settings) {
        Ok(slack) => slack.identify(now).await.map_err(anyhow::Error::new),
        Err(error) => Err(error),
    };
    match result {
        Ok(who) => findings.ok("Slack", format!("{} in {}", who.user.short(40), who.team.short(40))),
        Err(error) => findings.fault("Slack", format!("{error:#}; check the token of the section `[slack]`")),
    }
}

async fn console(edr: &Edr, door: &Outbound, now: Timestamp, findings: &mut Findings) {
    // Each capability asks with its own token, as its role would.
    let read = edr.read.clone().map(|token| ("read token", Reader::new(&edr.console, token, door.clone())));
    let act = edr
        .act
        .clone()
        .map(|token| ("act token", sentinelone::Actuator::new(&edr.console, token, door.clone()).reader().clone()));
    for (name, reader) in read.into_iter().chain(act) {
        let what = format!("{} {name}", edr.console.tenant);
        match reader.token(now).await {
            Err(error) => {
                let words = format!("{:#}; check `origin`, `ca_file` and the token's file", anyhow::Error::new(error));
                findings.fault(what, words);
            }
            Ok(facts) if facts.reach == Reach::Wider => {
                findings.fault(what, "reaches beyond this customer; make one for its sites only (SEC-10)");
            }
            Ok(facts) => match facts.expires_at.map(|at| at.duration_since(now).as_hours() / 24) {
                Some(days) if days < TOKEN_DAYS => findings.warn(what, format!("expires in {days} days; renew it")),
                Some(days) => findings.ok(what, format!("works, expires in {days} days")),
                None => findings.warn(what, "works, but the console does not say when it expires"),
            },
        }
    }
}
