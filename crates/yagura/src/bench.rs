//! Measures this program on this machine: the figures in the README. Each run works on distinct inputs made before the
//! clock starts, commits as in production, and counts again afterwards what it claims to have done.

use std::time::Instant;

use clap::Subcommand;
use serde::Serialize;

use crate::output::{say, say_json};
use peer::{Peer, PeerFigures};

mod ingest;
mod peer;
mod report;

const INGEST_EXAMPLES: &str = "\
Examples:
  yagura bench ingest
  yagura bench ingest --alerts 100000 --json";

const REPORT_EXAMPLES: &str = "\
Examples:
  yagura bench report
  yagura bench report --peer weasyprint
  yagura bench report --incidents 10 --peer chromium --json";

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Distinct alerts through the poll path into durable, triaged incidents with their jobs
    #[command(after_help = INGEST_EXAMPLES)]
    Ingest {
        /// How many alerts
        #[arg(long, default_value_t = 20_000)]
        alerts: usize,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Fifty different incidents as PDF, in each language
    #[command(after_help = REPORT_EXAMPLES)]
    Report {
        /// How many incidents
        #[arg(long, default_value_t = 50)]
        incidents: usize,
        /// Let another program make the same reports from their HTML form, in turns with ours
        #[arg(long)]
        peer: Option<Peer>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

impl Bench {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Ingest { alerts, json } => print(&ingest::measure(alerts).await?, json),
            Self::Report { incidents, peer, json } => print(&report::measure(incidents, peer)?, json),
        }
    }
}

/// One measurement, under the names that other programs may rely on.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    items: usize,
    cpu_ms_per_item: f64,
    items_per_s: f64,
    /// Wall time of one unit: a transaction of alerts, a report.
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    peak_rss_mb: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<PeerFigures>,
}

fn print(figures: &Figures, json: bool) -> anyhow::Result<()> {
    if json {
        return say_json(figures);
    }
    let Figures { name, items, cpu_ms_per_item, items_per_s, p50_ms, p95_ms, p99_ms, peak_rss_mb, peer } = figures;
    say(&format!(
        "{name}: {items} items, {cpu_ms_per_item:.3} CPU-ms each, {items_per_s:.0} a second, \
         p50 {p50_ms:.1} ms, p95 {p95_ms:.1} ms, p99 {p99_ms:.1} ms, at most {peak_rss_mb:.0} MB"
    ));
    let Some(PeerFigures { name, items, cpu_ms_per_item: peer_ms }) = peer else { return Ok(()) };
    let ratio = peer_ms / cpu_ms_per_item;
    say(&format!("{name}: {items} items, {peer_ms:.3} CPU-ms each, {ratio:.2} times ours"));
    Ok(())
}

/// Runs from its making: wall time by the monotonic clock, CPU time of the whole process.
#[derive(Debug)]
struct Stopwatch {
    wall: Instant,
    cpu_ms: f64,
    laps_ms: Vec<f64>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: monotonic(), cpu_ms: cpu_ms(), laps_ms: Vec::new() }
    }

    /// Does something that is not to be measured.
    fn aside<T>(&mut self, other: impl FnOnce() -> T) -> T {
        let (wall, cpu) = (monotonic(), cpu_ms());
        let done = other();
        self.wall += monotonic().duration_since(wall);
        self.cpu_ms += cpu_ms() - cpu;
        done
    }

    /// Notes how long one unit took.
    fn lap(&mut self, since: Instant) {
        self.laps_ms.push(monotonic().duration_since(since).as_secs_f64() * 1000.0);
    }

    fn stop(mut self, name: &'static str, items: usize) -> anyhow::Result<Figures> {
        let wall_s = monotonic().duration_since(self.wall).as_secs_f64();
        let cpu_ms = cpu_ms() - self.cpu_ms;
        self.laps_ms.sort_by(f64::total_cmp);
        let count = self.laps_ms.len();
        let at = |percent: usize| self.laps_ms.get((count * percent).div_ceil(100).saturating_sub(1)).copied();
        #[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
        let per = items as f64;
        Ok(Figures {
            name,
            items,
            cpu_ms_per_item: cpu_ms / per,
            items_per_s: per / wall_s,
            p50_ms: at(50).unwrap_or(0.0),
            p95_ms: at(95).unwrap_or(0.0),
            p99_ms: at(99).unwrap_or(0.0),
            peak_rss_mb: peak_rss_mb()?,
            peer: None,
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures elapsed time")]
fn monotonic() -> Instant {
    Instant::now()
}

/// User and system time of this process so far, of all its threads and none of its children.
fn cpu_ms() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a bench runs for far less than 2^52 ns")]
    let (seconds, nanoseconds) = (spent.tv_sec as f64, spent.tv_nsec as f64);
    seconds * 1e3 + nanoseconds / 1e6
}

/// The most memory this process ever held (proc(5), `status`, `VmHWM`, in kB).
fn peak_rss_mb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0);
    Ok(kilobytes / 1024.0)
}
