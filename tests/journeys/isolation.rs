//! Who is cut off from the network without asking, and who never is (`practice.md` §1).

use domain::action::{Kind, State};
use domain::incident::Incident;
use s1sim::{Role, Threat};
use soc_tests::{TestSoc, customers, hours, seconds};

const CUSTOMER: &str = customers::JAPANESE;

#[tokio::test]
async fn no_server_is_ever_cut_off_by_itself_but_what_runs_on_it_is_stopped() {
    let soc = TestSoc::start().await;
    for role in [Role::FileServer, Role::BackupServer, Role::LinuxServer, Role::DomainController] {
        let host = soc.host(CUSTOMER, role, 0);
        // Each its own file, or they would be one campaign.
        let file = format!("locker-{host}.exe");
        let threat = soc.raise(CUSTOMER, &Threat::ransomware(&host).file(&file).hashed_from(&file));
        soc.pass(seconds(5)).await;
        let incident = soc.incident_of(&threat).await;
        assert_eq!(isolation(&incident).unwrap(), &State::Proposed, "{host}");
        let ledger = soc.sentinelone().ledger();
        assert_eq!(ledger.times_effective("kill", threat.as_str()), 1, "{host}");
        assert_eq!(ledger.times_effective("quarantine", threat.as_str()), 1, "{host}");
    }
    soc.pass(hours(2)).await;
    assert!(soc.sentinelone().ledger().calls("disconnect").is_empty());
    soc.mail().skim();
    soc.finish().await;
}

#[tokio::test]
async fn an_executives_laptop_is_cut_off_only_where_the_customer_allows_it() {
    for allowed in [false, true] {
        let soc = TestSoc::start_with(|tenant| tenant.policy.isolate_vip_workstations = allowed).await;
        let host = soc.host(CUSTOMER, Role::Executive, 0);
        let threat = soc.raise(CUSTOMER, &Threat::ransomware(&host));
        soc.pass(seconds(10)).await;
        let state = isolation(&soc.incident_of(&threat).await).unwrap().clone();
        assert_eq!(state == State::Proposed, !allowed, "{state:?}");
        assert_eq!(soc.sentinelone().ledger().calls("disconnect").len(), usize::from(allowed));
        soc.mail().skim();
        soc.finish().await;
    }
}

#[tokio::test]
async fn while_a_rollout_is_tuned_nobody_is_cut_off() {
    let soc = TestSoc::start_with(|tenant| tenant.policy.rollout_tuning = true).await;
    let threat = soc.raise(CUSTOMER, &Threat::ransomware(&soc.host(CUSTOMER, Role::Desktop, 0)));
    soc.pass(seconds(10)).await;
    assert_eq!(isolation(&soc.incident_of(&threat).await).unwrap(), &State::Proposed);
    assert!(soc.sentinelone().ledger().calls("disconnect").is_empty());
    soc.mail().skim();
    soc.finish().await;
}

fn isolation(incident: &Incident) -> Option<&State> {
    incident.actions.values().find(|a| a.kind == Kind::Isolate).map(|a| &a.state)
}
