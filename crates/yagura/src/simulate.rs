//! `yagura simulate`: plays seeds of the whole service on virtual time and says what it found.
//!
//! One story after the other on one thread, so that months per core-second are what they say. What is played is the
//! `simulation` crate's business; exit code 0 means that no invariant was violated.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use simulation::{Crew, Faults, Plan, Reached, Story};

use crate::output::{say, say_json};

/// A run that lasts longer says how far it is, as often as this.
const PROGRESS: Duration = Duration::from_secs(2);
/// Thirty days: what a month is in months per core-second.
const MONTH_DAYS: f64 = 30.0;
/// Violations that are printed; the first says most.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Virtual days with alerts; what they begin then comes to its end
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Customers of the SOC
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    customers: u16,
    /// For each customer, storms not counted
    #[arg(long, default_value_t = 10)]
    alerts_per_day: u32,
    /// all, none, or names and groups with commas between
    #[arg(long, default_value = "all")]
    faults: Faults,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Sets the real reports in every so many seeds; in the others a file stands for them. 0: never
    #[arg(long, default_value_t = 50)]
    reports_every: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    seeds: u64,
    violations: Vec<Found>,
    states_reached: BTreeMap<&'static str, u64>,
    never_reached: Vec<&'static str>,
    /// Months of `customers` customers per second of CPU time, over the days with alerts.
    months_per_core_second: f64,
    /// Of all stories, in their order.
    trace_hash: String,
    customers: u16,
    days: u32,
    faults: String,
    alerts: u64,
    incidents: u64,
    mails: u64,
    simulated_hours: u64,
    seeds_with_real_reports: u64,
    cpu_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Found {
    seed: u64,
    at: String,
    incident: Option<String>,
    what: String,
    repeat: String,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let json = options.json;
    // A story has a runtime of its own, which must not stand inside this one.
    let answer = tokio::task::spawn_blocking(move || play(&options)).await.context("the simulation ended early")??;
    if json {
        say_json(&answer)?;
    } else {
        print(&answer);
    }
    Ok(if answer.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn play(options: &Options) -> anyhow::Result<Answer> {
    let (began, mut told_at, cpu) = (monotonic(), monotonic(), cpu_seconds());
    let mut sum = Sum::default();
    for n in 0..options.seeds {
        let seed = options.seed.wrapping_add(n);
        let real_documents = options.reports_every > 0 && n % options.reports_every == 0;
        let plan = options.plan(real_documents);
        let story = simulation::play(seed, &plan).with_context(|| format!("seed `{seed}` cannot be played"))?;
        sum.add(options, &story, real_documents);
        if monotonic().duration_since(told_at) >= PROGRESS {
            told_at = monotonic();
            let (seconds, found) = (began.elapsed().as_secs(), sum.violations.len());
            let _ = writeln!(io::stderr(), "{} of {} seeds in {seconds} s, {found} violations", n + 1, options.seeds);
        }
    }
    Ok(sum.answer(options, cpu_seconds() - cpu))
}

impl Options {
    fn plan(&self, real_documents: bool) -> Plan {
        Plan {
            days: self.days,
            customers: self.customers.into(),
            alerts_per_day: self.alerts_per_day,
            faults: self.faults.clone(),
            crew: Crew::Mixed,
            real_documents,
            planted: None,
        }
    }

    /// The command that plays one seed again.
    fn repeat(&self, seed: u64, real_documents: bool) -> String {
        let Self { days, customers, alerts_per_day, faults, .. } = self;
        format!(
            "yagura simulate --seed {seed} --seeds 1 --days {days} --customers {customers} --alerts-per-day {alerts_per_day} \
             --faults {faults} --reports-every {}",
            u8::from(real_documents)
        )
    }
}

/// What all stories together came to.
#[derive(Default)]
struct Sum {
    violations: Vec<Found>,
    reached: Reached,
    trace: Sha256,
    alerts: u64,
    incidents: u64,
    mails: u64,
    hours: u64,
    real: u64,
}

impl Sum {
    fn add(&mut self, options: &Options, story: &Story, real_documents: bool) {
        self.violations.extend(story.violations.iter().map(|violation| Found {
            seed: violation.seed,
            at: violation.at.to_string(),
            incident: violation.incident.map(|id| id.to_string()),
            what: violation.what.clone(),
            repeat: options.repeat(violation.seed, real_documents),
        }));
        self.reached.add(&story.reached);
        self.trace.update(story.trace.as_bytes());
        self.alerts += story.alerts;
        self.incidents += story.incidents;
        self.mails += story.mails;
        self.hours += story.hours;
        self.real += u64::from(real_documents);
    }

    fn answer(self, options: &Options, cpu_seconds: f64) -> Answer {
        #[expect(clippy::cast_precision_loss, reason = "seeds and days are far below 2^52")]
        let months = options.seeds as f64 * f64::from(options.days) / MONTH_DAYS;
        Answer {
            seeds: options.seeds,
            violations: self.violations,
            states_reached: self.reached.counts(),
            never_reached: self.reached.never(),
            months_per_core_second: months / cpu_seconds,
            trace_hash: hex::encode(self.trace.finalize()),
            customers: options.customers,
            days: options.days,
            faults: options.faults.to_string(),
            alerts: self.alerts,
            incidents: self.incidents,
            mails: self.mails,
            simulated_hours: self.hours,
            seeds_with_real_reports: self.real,
            cpu_seconds,
        }
    }
}

fn print(answer: &Answer) {
    let Answer { seeds, customers, days, faults, alerts, incidents, mails, .. } = answer;
    say(&format!("{seeds} seeds of {customers} customers and {days} days, faults: {faults}"));
    let (hours, real) = (answer.simulated_hours, answer.seeds_with_real_reports);
    say(&format!(
        "{alerts} alerts, {incidents} incidents, {mails} mails in {hours} simulated hours; real reports in {real} seeds"
    ));
    let (months, cpu) = (answer.months_per_core_second, answer.cpu_seconds);
    say(&format!("{months:.4} months of {customers} customers per core-second ({cpu:.1} s of CPU)"));
    for (state, count) in &answer.states_reached {
        say(&format!("  {state:<24} {count}"));
    }
    if !answer.never_reached.is_empty() {
        say(&format!("never reached: {}", answer.never_reached.join(", ")));
    }
    say(&format!("trace {}", answer.trace_hash));
    for found in answer.violations.iter().take(SHOWN) {
        let Found { seed, at, what, repeat, .. } = found;
        let incident = found.incident.as_deref().unwrap_or("no incident");
        say(&format!("VIOLATED seed {seed}, {at}, {incident}: {what}\n  repeat: {repeat}"));
    }
    say(&format!("{} violations", answer.violations.len()));
}

#[expect(clippy::disallowed_methods, reason = "a run says how long it takes")]
fn monotonic() -> Instant {
    Instant::now()
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a run takes far less than 2^52 ns")]
    let (seconds, nanoseconds) = (spent.tv_sec as f64, spent.tv_nsec as f64);
    seconds + nanoseconds / 1e9
}
