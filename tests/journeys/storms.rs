//! Many alerts at once: few incidents, and every alert kept (REL-03, REL-19). Without a console, to be fast.

use std::collections::BTreeSet;

use domain::alert::{Alert, MitigationState};
use domain::endpoint::Machine;
use domain::{TenantId, Timestamp, Untrusted};
use engine::{Engine, Incoming};
use s1sim::{Outcome, Threat};
use soc_tests::{TestSoc, customers};

const CUSTOMER: &str = customers::JAPANESE;

#[tokio::test]
async fn ten_thousand_alerts_of_one_file_in_ten_minutes_are_at_most_five_incidents_rel_19() {
    let storm = Storm::of(&Threat::new("HSM-PC-0101", "worm.exe", s1sim::Engine::Behavioral)).await;
    // Most are stopped before they run; here and there one ran, was not stopped, or is on a server.
    let incidents = storm
        .blow(10_000, |n, alert| {
            let ran = n % 7 == 3;
            if !ran {
                alert.detection.kind = domain::alert::Kind::Static;
                alert.detection.engines = vec![domain::alert::Engine::StaticOnWrite];
            }
            if n % 11 != 5 {
                alert.mitigation.state = MitigationState::Mitigated;
            }
            if n % 101 == 7 {
                alert.endpoint.machine = Machine::Server;
            }
        })
        .await;
    assert!(incidents <= 5, "{incidents} incidents");
}

#[tokio::test]
async fn a_storm_of_one_kind_is_one_incident_whatever_the_kind_rel_19() {
    let threat = || Threat::new("HSM-PC-0101", "worm.exe", s1sim::Engine::Behavioral);
    let looked_at = || Threat::new("HSM-PC-0101", "worm.exe", s1sim::Engine::OnWriteStaticSuspicious).suspicious();
    for (kind, threat) in [
        ("it ran", threat()),
        ("it ran and was stopped", threat().outcome(Outcome::Mitigated)),
        ("by its looks, not stopped", looked_at()),
        ("by its looks, stopped", looked_at().outcome(Outcome::Quarantined)),
        (
            "known, stopped",
            Threat::new("HSM-PC-0101", "w.exe", s1sim::Engine::Reputation).outcome(Outcome::Quarantined),
        ),
    ] {
        let incidents = Storm::of(&threat).await.blow(300, |_, _| {}).await;
        assert_eq!(incidents, 1, "{kind}");
    }
}

/// Copies of one real alert, each of another endpoint.
struct Storm {
    engine: Engine,
    first: Alert,
    start: Timestamp,
    _folder: tempfile::TempDir,
}

impl Storm {
    /// Reads the alert off a console, as a poll would.
    async fn of(threat: &Threat) -> Self {
        let soc = TestSoc::start().await;
        let id = soc.raise(CUSTOMER, threat);
        let shown = soc.sentinelone().threat(id.as_str()).unwrap().to_string();
        let first = sentinelone::recorded::read(shown.as_bytes()).threats.remove(0).alert;
        let start = soc.now();
        soc.abandon();
        let (engine, folder) = soc_tests::engine_alone().await;
        Self { engine, first, start, _folder: folder }
    }

    /// Takes `count` alerts in within ten minutes, checks that each is kept in exactly one incident, and counts these.
    async fn blow(&self, count: usize, vary: impl Fn(usize, &mut Alert)) -> usize {
        const BATCH: usize = 200;
        let tenant: TenantId = CUSTOMER.parse().unwrap();
        let ids: Vec<String> = (0..count).map(|n| format!("storm-{n}")).collect();
        let mut incidents = Vec::new();
        for (at, batch) in ids.chunks(BATCH).enumerate() {
            let now = self.start + jiff::SignedDuration::from_secs((600 * at / count.div_ceil(BATCH)) as i64);
            let incoming: Vec<Incoming> = (at * BATCH..).zip(batch).map(|(n, id)| self.copy(n, id, &vary)).collect();
            incidents.extend(self.engine.take_in(&tenant, &incoming, &[], None, now).await.unwrap().opened);
        }
        let mut kept = Vec::new();
        for incident in &incidents {
            let alerts = self.engine.store().alert_ids(&tenant, *incident).await.unwrap();
            kept.extend(alerts.into_iter().map(|(id, _)| id.to_string()));
        }
        assert_eq!(kept.len(), count, "each in one incident");
        assert_eq!(kept.into_iter().collect::<BTreeSet<_>>(), ids.into_iter().collect());
        incidents.len()
    }

    fn copy(&self, n: usize, id: &str, vary: impl Fn(usize, &mut Alert)) -> Incoming {
        let mut alert = self.first.clone();
        alert.id = id.parse().unwrap();
        alert.storyline = Some(Untrusted::new(id));
        alert.endpoint.agent = format!("agent-{}", n % 60).parse().unwrap();
        alert.endpoint.group = None;
        vary(n, &mut alert);
        Incoming { alert, raw: format!("{{\"id\": \"{id}\"}}") }
    }
}
