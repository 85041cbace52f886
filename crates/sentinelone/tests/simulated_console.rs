//! The client against the simulated console, over TLS. What counts is the console's own ledger and list, not what the client
//! says of itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::collections::BTreeSet;
use std::time::Duration;

use domain::alert::{Confidence, ConsoleStatus, Hash, MitigationAction, MitigationOutcome, MitigationState};
use domain::endpoint::Network;
use domain::{AgentId, AlertId, Verdict};
use jiff::Timestamp;
use outbound::{Allowed, Outbound, Secret, Settings};
use s1sim::{Capability, Clock, Config, Fault, FaultKind, S1Sim, Threat, Times};
use sentinelone::{
    ActToken, Activity, Actuator, Agent, Changes, Console, Cursor, Error, Foreign, Mitigate, Page, Reach, ReadToken,
    Reader, RefusalReason, Scope, Taken, Targets,
};

const CUSTOMER: &str = "hoshimi";
const OTHER: &str = "northmere";

struct Bench {
    sim: S1Sim,
    door: Outbound,
    start: Timestamp,
}

impl Bench {
    async fn start() -> Self {
        let start: Timestamp = "2026-11-24T01:00:00Z".parse().unwrap();
        let sim = S1Sim::start(Config { clock: Clock::manual(start), ..Config::default() }).await.unwrap();
        let origin = sim.url().parse().unwrap();
        let door =
            Outbound::new(&Settings::new(vec![Allowed::with_roots(origin, vec![sim.ca_pem().to_owned()])])).unwrap();
        Self { sim, door, start }
    }

    fn console(&self) -> Console {
        Console {
            origin: self.sim.url().parse().unwrap(),
            tenant: CUSTOMER.parse().unwrap(),
            scope: Scope::of_sites(&[&self.sim.site_id(CUSTOMER)]).unwrap(),
        }
    }

    fn reader(&self) -> Reader {
        self.reader_with(&self.sim.token(CUSTOMER, Capability::Read))
    }

    fn reader_with(&self, token: &str) -> Reader {
        Reader::new(&self.console(), ReadToken(Secret::new(token)), self.door.clone())
    }

    fn actuator(&self) -> Actuator {
        let token = self.sim.token(CUSTOMER, Capability::Full);
        Actuator::new(&self.console(), ActToken(Secret::new(&token)), self.door.clone())
    }

    fn now(&self) -> Timestamp {
        self.sim.clock().now()
    }

    fn pass(&self, seconds: u64) {
        self.sim.advance(Duration::from_secs(seconds));
    }

    fn host(&self) -> (AgentId, String) {
        let host = self.sim.endpoints(CUSTOMER).remove(0);
        (host.id.parse().unwrap(), host.host)
    }

    fn raise(&self) -> AlertId {
        self.sim.raise(CUSTOMER, &Threat::ransomware(&self.host().1)).unwrap().parse().unwrap()
    }

    /// Every scenario once, and fifty unknown files one after the other.
    fn busy_hour(&self, customer: &str) {
        for scenario in s1sim::scenario::ALL {
            self.sim.play(scenario.name, customer).unwrap();
        }
        let hosts = self.sim.endpoints(customer);
        for (n, host) in (0..50).zip(hosts.iter().cycle()) {
            let file = format!("tool-{n}.exe");
            self.sim.raise(customer, &Threat::static_unknown(&host.host).file(&file).hashed_from(&file)).unwrap();
            self.sim.advance(Duration::from_millis(n % 3));
        }
        self.pass(3600);
    }

    fn changes(&self, limit: u16) -> Changes {
        Changes { checkpoint: self.start, overlap: Duration::from_secs(600), limit }
    }

    /// Reads on to the end of the list, beginning again from the checkpoint when the place is lost, as intake does.
    async fn read_all(&self, changes: &Changes) -> Vec<Page> {
        self.read_on(changes).await.0
    }

    /// The pages, and how often something went wrong on the way.
    async fn read_on(&self, changes: &Changes) -> (Vec<Page>, usize) {
        let reader = self.reader();
        let mut failures = 0;
        let mut pages = Vec::new();
        let mut cursor: Option<Cursor> = None;
        for _ in 0..200 {
            match reader.changes_since(changes, cursor.as_ref(), self.now()).await {
                Ok(page) => {
                    cursor = page.next.clone();
                    pages.push(page);
                    if cursor.is_none() {
                        return (pages, failures);
                    }
                }
                Err(error) => {
                    assert!(error.is_transient(), "{error:?}");
                    failures += 1;
                    cursor = None;
                    self.pass(error.retry_after().map_or(1, |wait| wait.as_secs() + 1));
                }
            }
        }
        panic!("the list does not end");
    }

    async fn one(&self, id: &AlertId) -> Taken {
        let mut found = self.reader().threats(&Targets::one(id.clone()), self.now()).await.unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0).unwrap()
    }

    async fn agent(&self, id: &AgentId) -> Agent {
        let mut found = self.reader().agents(&Targets::one(id.clone()), self.now()).await.unwrap();
        assert_eq!(found.len(), 1);
        found.remove(0).unwrap()
    }
}

fn ids(pages: &[Page]) -> BTreeSet<String> {
    let rows = pages.iter().flat_map(|page| &page.alerts);
    rows.map(|row| row.as_ref().unwrap().alert.id.to_string()).collect()
}

fn raised(bench: &Bench, customer: &str) -> BTreeSet<String> {
    bench.sim.ledger().raised.into_iter().filter(|r| r.site == customer).map(|r| r.threat_id).collect()
}

#[tokio::test]
async fn every_threat_of_every_scenario_is_taken_and_none_of_another_customer() {
    let bench = Bench::start().await;
    bench.busy_hour(CUSTOMER);
    bench.busy_hour(OTHER);
    let pages = bench.read_all(&bench.changes(7)).await;
    assert!(pages.len() > 3, "{} pages", pages.len());
    assert_eq!(ids(&pages), raised(&bench, CUSTOMER));
    assert!(!raised(&bench, OTHER).is_empty());
    for taken in pages.iter().flat_map(|page| &page.alerts).map(|row| row.as_ref().unwrap()) {
        let alert = &taken.alert;
        assert_ne!(alert.endpoint.agent.as_str(), sentinelone::UNKNOWN_AGENT);
        assert_ne!(alert.detection.confidence, Confidence::Unknown, "{alert:?}");
        assert!(!alert.detection.engines.is_empty() && alert.file.best_hash().is_some(), "{alert:?}");
        assert!(alert.detected_at <= bench.now() && alert.created_at >= bench.start);
        assert_eq!(taken.raw["id"], alert.id.as_str());
    }
}

#[tokio::test]
async fn a_token_that_sees_more_than_the_customer_still_gives_only_the_customers_rows_sec_01() {
    let bench = Bench::start().await;
    let ours = bench.raise();
    let host = bench.sim.endpoints(OTHER).remove(0).host;
    let theirs: AlertId = bench.sim.raise(OTHER, &Threat::ransomware(&host)).unwrap().parse().unwrap();
    let wide = bench.reader_with(&bench.sim.console_token(Capability::Full));
    let page = wide.changes_since(&bench.changes(100), None, bench.now()).await.unwrap();
    assert_eq!(ids(&[page]), BTreeSet::from([ours.to_string()]));
    assert!(wide.threats(&Targets::one(theirs), bench.now()).await.unwrap().is_empty());
    let sites = wide.sites(bench.now()).await.unwrap();
    assert!(sites.iter().all(|s| {
        s.as_ref()
            .map_or_else(|r| r.reason == RefusalReason::Foreign(Foreign::Site), |s| s.id == bench.sim.site_id(CUSTOMER))
    }));
    assert_eq!(sites.iter().filter(|s| s.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_change_is_seen_again_and_the_checkpoint_follows() {
    let bench = Bench::start().await;
    // A new threat's change is stamped some milliseconds before the threat itself.
    bench.pass(1);
    let id = bench.raise();
    let pages = bench.read_all(&bench.changes(10)).await;
    let first = pages[0].alerts[0].as_ref().unwrap().alert.clone();
    let newest = pages[0].newest;
    assert_eq!(newest, first.version);
    bench.pass(3600);
    bench.actuator().set_status(&Targets::one(id.clone()), ConsoleStatus::InProgress, bench.now()).await.unwrap();
    let later = Changes { checkpoint: newest, ..bench.changes(10) };
    let pages = bench.read_all(&later).await;
    let again = &pages[0].alerts.last().unwrap().as_ref().unwrap().alert;
    assert_eq!((&again.id, again.console.status), (&id, ConsoleStatus::InProgress));
    assert!(again.version > first.version && pages[0].newest == again.version);
    // Nothing new: the checkpoint stays where it is.
    bench.pass(3600);
    let later = Changes { checkpoint: pages[0].newest, ..later };
    let pages = bench.read_all(&later).await;
    assert_eq!(pages[0].newest, later.checkpoint);
}

#[tokio::test]
async fn kill_and_quarantine_are_accepted_first_and_seen_done_later() {
    let bench = Bench::start().await;
    let id = bench.raise();
    let target = Targets::one(id.clone());
    let actuator = bench.actuator();
    assert_eq!(bench.one(&id).await.alert.mitigation.state, MitigationState::NotMitigated);
    for what in [Mitigate::Kill, Mitigate::Quarantine] {
        let accepted = actuator.mitigate(what, &target, bench.now()).await.unwrap();
        assert_eq!((accepted.asked, accepted.affected), (1, 1));
    }
    bench.pass(5);
    let alert = bench.one(&id).await.alert;
    assert_eq!(alert.mitigation.state, MitigationState::Mitigated);
    for action in [MitigationAction::Kill, MitigationAction::Quarantine] {
        assert_eq!(alert.outcome_of(action), Some(MitigationOutcome::Success));
    }
    let ledger = bench.sim.ledger();
    assert_eq!((ledger.times_told("kill", id.as_str()), ledger.times_told("quarantine", id.as_str())), (1, 1));
}

#[tokio::test]
async fn an_endpoint_is_cut_off_and_reconnected_and_the_log_says_so() {
    let bench = Bench::start().await;
    let (agent, _) = bench.host();
    let target = Targets::one(agent.clone());
    let actuator = bench.actuator();
    actuator.disconnect(&target, bench.now()).await.unwrap();
    assert_eq!(bench.agent(&agent).await.endpoint.network, Network::Disconnecting);
    bench.pass(5);
    assert_eq!(bench.agent(&agent).await.endpoint.network, Network::Isolated);
    actuator.connect(&target, bench.now()).await.unwrap();
    bench.pass(5);
    assert_eq!(bench.agent(&agent).await.endpoint.network, Network::Connected);

    let kinds = [Activity::ISOLATED, Activity::RECONNECTED, Activity::ISOLATION_FAILED];
    let page = actuator.reader().activities_since(bench.start, &kinds, Some(&target), None, bench.now()).await.unwrap();
    let seen: Vec<_> = page.activities.iter().map(|a| a.as_ref().unwrap()).collect();
    assert_eq!(seen.iter().map(|a| a.kind).collect::<Vec<_>>(), [Activity::ISOLATED, Activity::RECONNECTED]);
    assert!(seen.iter().all(|a| a.agent.as_ref() == Some(&agent)));
}

#[tokio::test]
async fn verdict_status_and_note_arrive_as_they_were_given() {
    let bench = Bench::start().await;
    let id = bench.raise();
    let target = Targets::one(id.clone());
    let actuator = bench.actuator();
    actuator.set_verdict(&target, Verdict::TruePositive, bench.now()).await.unwrap();
    actuator.set_status(&target, ConsoleStatus::Resolved, bench.now()).await.unwrap();
    actuator.add_note(&target, "INC-2026-000001: 隔離済みです。", bench.now()).await.unwrap();
    let console = bench.one(&id).await.alert.console;
    assert_eq!((console.verdict, console.status), (Verdict::TruePositive, ConsoleStatus::Resolved));
    let notes = actuator.reader().notes(&id, bench.now()).await.unwrap();
    assert_eq!(notes[0].as_ref().unwrap().text.quoted(), "INC-2026-000001: 隔離済みです。");
    assert_eq!(bench.sim.notes(id.as_str()).len(), 1);
}

#[tokio::test]
async fn an_act_on_nothing_is_a_failure() {
    let bench = Bench::start().await;
    let nobody = Targets::one("999999999999999999".parse().unwrap());
    let error = bench.actuator().mitigate(Mitigate::Kill, &nobody, bench.now()).await.unwrap_err();
    assert!(matches!(error, Error::NothingAffected { .. }) && !error.may_have_happened(), "{error:?}");
    let id = bench.raise();
    bench.sim.faults().add(Fault::new(FaultKind::ConditionsNotMet));
    let error = bench.actuator().set_status(&Targets::one(id), ConsoleStatus::Resolved, bench.now()).await.unwrap_err();
    assert!(matches!(&error, Error::NothingAffected { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the console did nothing: a condition for it is not met");
}

#[tokio::test]
async fn an_act_whose_answer_is_lost_is_found_done_by_reading_back_rel_06() {
    let bench = Bench::start().await;
    let id = bench.raise();
    for status in [None, Some(502)] {
        bench.sim.faults().add(Fault::new(FaultKind::LostAnswer { status }).on("POST", "/threats/mitigate"));
        let what = if status.is_none() { Mitigate::Kill } else { Mitigate::Quarantine };
        let error = bench.actuator().mitigate(what, &Targets::one(id.clone()), bench.now()).await.unwrap_err();
        assert!(error.may_have_happened() && error.is_transient(), "{error:?}");
    }
    bench.pass(5);
    let alert = bench.one(&id).await.alert;
    assert_eq!(alert.outcome_of(MitigationAction::Kill), Some(MitigationOutcome::Success));
    assert_eq!(alert.outcome_of(MitigationAction::Quarantine), Some(MitigationOutcome::Success));
}

#[tokio::test]
async fn a_token_that_may_only_look_cannot_act_and_an_expired_one_is_said_to_be_sec_10() {
    let bench = Bench::start().await;
    let id = Targets::one(bench.raise());
    let token = bench.sim.token(CUSTOMER, Capability::Read);
    let acting = Actuator::new(&bench.console(), ActToken(Secret::new(&token)), bench.door.clone());
    let error = acting.mitigate(Mitigate::Kill, &id, bench.now()).await.unwrap_err();
    assert!(matches!(error, Error::Scope { .. }), "{error:?}");
    assert!(bench.sim.ledger().done.iter().all(|done| done.affected == 0));
    bench.sim.expire(&token, bench.now());
    bench.pass(1);
    let error = bench.reader().threats(&id, bench.now()).await.unwrap_err();
    assert!(matches!(error, Error::TokenRefused { .. }) && !error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn the_console_says_how_far_a_token_reaches_and_how_long_it_lives_sec_10_sec_12() {
    let bench = Bench::start().await;
    let token = bench.sim.token(CUSTOMER, Capability::Read);
    let expiry = bench.start + Duration::from_secs(86_400);
    bench.sim.expire(&token, expiry);
    let facts = bench.reader().token(bench.now()).await.unwrap();
    assert_eq!((facts.reach, facts.expires_at), (Reach::Within, Some(expiry)));
    for wide in [bench.sim.account_token(CUSTOMER, Capability::Read), bench.sim.console_token(Capability::Read)] {
        bench.pass(1);
        assert_eq!(bench.reader_with(&wide).token(bench.now()).await.unwrap().reach, Reach::Wider);
    }
    let hosts = bench.sim.endpoints(CUSTOMER).len() as u64;
    let wide = bench.reader_with(&bench.sim.console_token(Capability::Read));
    assert_eq!(wide.agent_count(bench.now()).await.unwrap(), hosts);
}

#[tokio::test]
async fn whatever_happens_on_the_way_nothing_is_lost_rel_04() {
    let bench = Bench::start().await;
    bench.busy_hour(CUSTOMER);
    let faults = bench.sim.faults();
    for (seed, kind) in [
        FaultKind::TooManyRequests { retry_after: Some(3) },
        FaultKind::TooManyRequests { retry_after: None },
        FaultKind::Status { status: 503 },
        FaultKind::Truncated,
        FaultKind::DuplicatePage,
        FaultKind::LostAnswer { status: None },
    ]
    .into_iter()
    .enumerate()
    {
        let times = Times::Chance { share: 0.1, seed: seed as u64 };
        faults.add(Fault::new(kind).on("GET", "/threats").times(times));
    }
    let (pages, failures) = bench.read_on(&bench.changes(9)).await;
    assert!(failures > 0, "the faults did strike");
    assert_eq!(ids(&pages), raised(&bench, CUSTOMER));
}

#[tokio::test]
async fn the_consoles_reputation_knows_a_bad_file_and_says_nothing_of_an_unknown_one() {
    let bench = Bench::start().await;
    let host = bench.host().1;
    for (label, known) in [("bad.exe", true), ("new.exe", false)] {
        let threat = Threat::static_unknown(&host);
        let threat = if known { threat.known_bad() } else { threat };
        bench.sim.raise(CUSTOMER, &threat.hashed_from(label)).unwrap();
    }
    bench.pass(600);
    let taken = bench.read_all(&bench.changes(100)).await.remove(0).alerts;
    let mut ranks = Vec::new();
    for alert in taken.into_iter().map(|taken| taken.unwrap().alert) {
        let said = bench.reader().reputation(&alert.file.sha1.unwrap(), bench.now()).await.unwrap();
        ranks.push((said.rank, said.is_malicious()));
    }
    ranks.sort_unstable();
    assert_eq!(ranks, [(None, false), (Some(9), true)]);
    let sha256 = Hash::parse(&"a".repeat(64)).unwrap();
    assert!(matches!(bench.reader().reputation(&sha256, bench.now()).await, Err(Error::Unsendable(_))));
}
