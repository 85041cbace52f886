//! The installation in numbers for Prometheus, on a listener of its own: these figures are customers' volume, so they are not
//! on the analysts' pages, and off this machine only where somebody said so.
//!
//! Every scrape asks the store, which answers from small indexes however many incidents are closed.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::attainment::{Standing, Target};
use domain::calendar::in_japan;
use domain::incident::Phase;
use domain::judgement::Priority;
use domain::source::TimeSource;
use domain::{TenantId, Timestamp};
use engine::Engine;
use engine::heart::{self, Health, State as LoopState};
use store::Figures;
use tokio::sync::watch;
use tokio::task::JoinSet;

use text::{Page, Sample, count, number};

/// Serves `/metrics` until told to stop, and says where.
pub(crate) async fn serve(
    engine: Engine,
    listen: SocketAddr,
    time: Arc<dyn TimeSource>,
    mut stopped: watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<SocketAddr> {
    let listener =
        tokio::net::TcpListener::bind(listen).await.with_context(|| format!("could not listen on `{listen}`"))?;
    let address = listener.local_addr()?;
    let only_here = address.ip().is_loopback();
    let router = Router::new().route("/metrics", get(page)).with_state(Served { engine, time, only_here });
    tasks.spawn(async move {
        let stop = async move {
            // A closed channel means that the program is ending, too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
            tracing::error!(error = %error, "the metrics are no longer served");
        }
    });
    Ok(address)
}

#[derive(Debug, Clone)]
struct Served {
    engine: Engine,
    time: Arc<dyn TimeSource>,
    only_here: bool,
}

async fn page(State(served): State<Served>, headers: HeaderMap) -> Response {
    if served.only_here && !is_asked_here(&headers) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let now = served.time.now();
    match Numbers::read(&served.engine, now).await {
        Ok(numbers) => ([(header::CONTENT_TYPE, text::CONTENT_TYPE)], numbers.page(now)).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "the figures could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Whether this machine was asked under a name of its own. A web page on this machine can make a name of its own lead here,
/// and would then read our figures.
fn is_asked_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.contains(']') { host } else { name });
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// Everything that the page shows.
#[derive(Debug)]
struct Numbers {
    figures: Figures,
    health: Health,
    horizon_days: i64,
    /// Customers who are served now: they are shown before their first alert, too.
    tenants: Vec<TenantId>,
}

impl Numbers {
    async fn read(engine: &Engine, now: Timestamp) -> Result<Self, store::Error> {
        Ok(Self {
            figures: engine.store().figures(now).await?,
            health: engine.health(now).await?,
            horizon_days: engine.calendar().days_to_horizon(in_japan(now).date()),
            tenants: engine.tenants().map(|tenant| tenant.id.clone()).collect(),
        })
    }

    fn page(&self, now: Timestamp) -> String {
        let mut page = Page::default();
        page.gauge(
            "yagura_build_info",
            "The program that serves this page.",
            [count(&[("version", env!("CARGO_PKG_VERSION"))], 1)],
        );
        self.incidents(&mut page);
        self.jobs(&mut page, now);
        self.loops(&mut page);
        let totals = |of| self.totals(of);
        let (alerts, notices) = (totals(&self.figures.alerts), totals(&self.figures.notices));
        page.counter("yagura_alerts_taken_total", "Alerts taken in, by customer.", samples(&alerts));
        page.counter(
            "yagura_notices_accepted_total",
            "Notices that a channel accepted, by customer.",
            samples(&notices),
        );
        self.targets(&mut page);
        let days = self.horizon_days as f64;
        page.gauge("yagura_calendar_horizon_days", "Days until holidays are no longer known.", [number(&[], days)]);
        if let Some(step) = self.health.clock_step {
            let (at, by) = (step.at.as_second() as f64, step.by.as_secs() as f64);
            page.gauge("yagura_clock_step_timestamp_seconds", "When the clock last stepped.", [number(&[], at)]);
            page.gauge("yagura_clock_step_seconds", "By how much the clock last stepped.", [number(&[], by)]);
        }
        page.into_text()
    }

    fn incidents(&self, page: &mut Page) {
        // A series that vanishes at zero cannot be alarmed on.
        let mut open: BTreeMap<(Priority, String), u64> = BTreeMap::new();
        let mut overdue: BTreeMap<Priority, u64> = BTreeMap::new();
        for priority in Priority::ALL {
            overdue.insert(priority, 0);
            for phase in [Phase::Triaged, Phase::Acknowledged, Phase::Analysing, Phase::Asked, Phase::Answered] {
                open.insert((priority, phase_name(phase)), 0);
            }
        }
        for row in &self.figures.open {
            *open.entry((row.priority, phase_name(row.phase))).or_default() += row.open;
            *overdue.entry(row.priority).or_default() += row.overdue;
        }
        let of_open = |((priority, phase), n): (&'_ (Priority, String), &u64)| (*priority, phase.clone(), *n);
        let open: Vec<_> = open.iter().map(of_open).collect();
        page.gauge(
            "yagura_open_incidents",
            "Open incidents.",
            open.iter().map(|(priority, phase, n)| count(&[("priority", priority.name()), ("phase", phase)], *n)),
        );
        page.gauge(
            "yagura_overdue_promises",
            "Open incidents whose next promise should have been kept by now.",
            overdue.iter().map(|(priority, n)| count(&[("priority", priority.name())], *n)),
        );
    }

    /// What is past its time and still open is in `yagura_overdue_promises`, and here when its clock stops.
    fn targets(&self, page: &mut Page) {
        let mut samples = Vec::new();
        for target in [Target::FirstResponse, Target::Analysis] {
            for priority in Priority::ALL {
                for standing in [Standing::Met, Standing::Missed] {
                    let n = self.figures.targets.get(&(target, priority, standing)).copied().unwrap_or_default();
                    samples.push((target.name(), priority.name(), standing.name(), n));
                }
            }
        }
        page.counter(
            "yagura_targets_total",
            "Clocks that stopped, by whether their target was met.",
            samples.iter().map(|(clock, priority, result, n)| {
                count(&[("clock", clock), ("priority", priority), ("result", result)], *n)
            }),
        );
    }

    fn jobs(&self, page: &mut Page, now: Timestamp) {
        let mut jobs = self.figures.jobs.clone();
        for role in heart::roles() {
            jobs.entry(role.name().to_owned()).or_default();
        }
        let states = jobs.iter().flat_map(|(role, of)| {
            let states = [("waiting", of.waiting), ("leased", of.leased), ("dead", of.dead)];
            states.map(|(state, n)| count(&[("role", role.as_str()), ("state", state)], n))
        });
        page.gauge("yagura_jobs", "Jobs: waiting, held by a worker, or given up.", states);
        let ages = jobs.iter().map(|(role, of)| {
            let age = of.oldest_due_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
            number(&[("role", role.as_str())], age)
        });
        page.gauge(
            "yagura_oldest_due_job_age_seconds",
            "Since when the oldest due job is not done; 0 when none is.",
            ages,
        );
    }

    fn loops(&self, page: &mut Page) {
        let loops = &self.health.loops;
        let ok = loops.iter().map(|l| count(&[("loop", l.name.as_str())], (l.state == LoopState::Ok).into()));
        page.gauge("yagura_loop_ok", "1 while a loop works, 0 when it is late or never reported.", ok);
        let ages = loops.iter().filter_map(|l| Some(number(&[("loop", l.name.as_str())], l.age?.as_secs_f64())));
        page.gauge("yagura_loop_heartbeat_age_seconds", "Since the last success that a loop reported.", ages);
        let every = loops.iter().filter_map(|l| Some(number(&[("loop", l.name.as_str())], l.every?.as_secs_f64())));
        page.gauge("yagura_loop_interval_seconds", "How often a loop means to succeed.", every);
    }

    fn totals(&self, of: &BTreeMap<TenantId, u64>) -> Vec<(String, u64)> {
        let names: BTreeSet<&TenantId> = self.tenants.iter().chain(of.keys()).collect();
        names.into_iter().map(|id| (id.to_string(), of.get(id).copied().unwrap_or_default())).collect()
    }
}

fn samples(totals: &[(String, u64)]) -> impl Iterator<Item = Sample<'_>> {
    totals.iter().map(|(tenant, n)| count(&[("tenant", tenant.as_str())], *n))
}

/// As the events and the database spell it.
fn phase_name(phase: Phase) -> String {
    match serde_json::to_value(phase) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{phase:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::heart::LoopHealth;
    use jiff::SignedDuration;
    use store::{ClockStep, OpenFigures, RoleFigures};

    use super::*;

    fn numbers(now: Timestamp) -> Numbers {
        let acme = TenantId::new("acme").unwrap();
        let gone = TenantId::new("gone").unwrap();
        let row = |priority, phase, open, overdue| OpenFigures { priority, phase, open, overdue };
        let oldest_due_at = now.checked_sub(SignedDuration::from_secs(90)).ok();
        let beating = |name: &str, state, age: Option<i64>| LoopHealth {
            name: name.into(),
            kind: "x",
            state,
            age: age.map(SignedDuration::from_secs),
            every: age.map(|_| Duration::from_secs(15)),
        };
        Numbers {
            figures: Figures {
                open: vec![row(Priority::P0, Phase::Triaged, 2, 1), row(Priority::P0, Phase::Asked, 3, 3)],
                jobs: [("actuator".to_owned(), RoleFigures { waiting: 4, leased: 1, dead: 2, oldest_due_at })].into(),
                alerts: [(gone.clone(), 7)].into(),
                notices: [(acme.clone(), 9)].into(),
                targets: [((Target::Analysis, Priority::P1, Standing::Missed), 5)].into(),
            },
            health: Health {
                loops: vec![
                    beating("intake/acme", LoopState::Late, Some(121)),
                    beating("notifier", LoopState::Missing, None),
                ],
                clock_step: Some(ClockStep { at: now, by: SignedDuration::from_secs(-75) }),
            },
            horizon_days: 410,
            tenants: vec![acme],
        }
    }

    #[test]
    fn each_number_stands_on_the_page_and_zeros_stay_in_sight() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let page = numbers(now).page(now);
        for line in [
            concat!("yagura_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "yagura_open_incidents{priority=\"P0\",phase=\"triaged\"} 2",
            "yagura_open_incidents{priority=\"P3\",phase=\"answered\"} 0",
            "yagura_overdue_promises{priority=\"P0\"} 4",
            "yagura_overdue_promises{priority=\"P1\"} 0",
            "yagura_jobs{role=\"actuator\",state=\"dead\"} 2",
            "yagura_jobs{role=\"notifier\",state=\"waiting\"} 0",
            "yagura_oldest_due_job_age_seconds{role=\"actuator\"} 90",
            "yagura_oldest_due_job_age_seconds{role=\"notifier\"} 0",
            "yagura_loop_ok{loop=\"intake/acme\"} 0",
            "yagura_loop_heartbeat_age_seconds{loop=\"intake/acme\"} 121",
            "yagura_alerts_taken_total{tenant=\"acme\"} 0",
            "yagura_alerts_taken_total{tenant=\"gone\"} 7",
            "yagura_notices_accepted_total{tenant=\"acme\"} 9",
            "yagura_targets_total{clock=\"analysis\",priority=\"P1\",result=\"missed\"} 5",
            "yagura_targets_total{clock=\"first_response\",priority=\"P0\",result=\"met\"} 0",
            "yagura_calendar_horizon_days 410",
            "yagura_clock_step_timestamp_seconds 1790000000",
            "yagura_clock_step_seconds -75",
        ] {
            assert!(page.lines().any(|l| l == line), "no line `{line}` in\n{page}");
        }
        assert!(!page.contains("age_seconds{loop=\"notifier\"}"), "what never reported has no age");
    }

    /// The rules that Prometheus' own parser holds a page to.
    #[test]
    fn every_sample_belongs_to_the_family_above_it_and_none_stands_twice() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let page = numbers(now).page(now);
        let (mut family, mut kind, mut seen) = ("", "", BTreeSet::new());
        for line in page.lines() {
            assert!(seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()), "twice: {line}");
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().unwrap();
                assert!(family.starts_with("yagura_"), "{line}");
                kind = "";
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                kind = rest.strip_prefix(family).unwrap().trim();
                assert_eq!(kind == "counter", family.ends_with("_total"), "{line}");
            } else {
                assert!(!kind.is_empty(), "no type before: {line}");
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert_eq!(name.split('{').next(), Some(family), "{line}");
                assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            }
        }
        assert!(page.ends_with('\n'));
    }

    #[test]
    fn a_web_page_that_makes_its_own_name_lead_here_reads_nothing() {
        let asked = |host: &'static str| is_asked_here(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]));
        for host in ["127.0.0.1:9464", "localhost:9464", "localhost", "[::1]:9464", "[::1]", "127.0.0.1"] {
            assert!(asked(host), "{host}");
        }
        for host in ["evil.example:9464", "evil.example", "127.0.0.1.evil.example", ""] {
            assert!(!asked(host), "{host}");
        }
    }
}
