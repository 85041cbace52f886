//! kill -9 under load, again and again: nothing is lost, and no endpoint is told anything twice (REL-16). Judged by the
//! simulated console's ledger, not by what the program believes.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::Timestamp;
use domain::incident::Role as JobRole;
use s1sim::{Role, Threat};
use store::Store;
use support::{CUSTOMER, Site, for_a_while};

/// How often it is killed. `YAGURA_KILLS=100` is the full proof; every test run does a part of it.
fn kills() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how long the proof runs is the caller's choice")]
    let wanted = std::env::var("YAGURA_KILLS");
    wanted.ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_loses_nothing_and_tells_no_endpoint_twice_rel_16() {
    let site = Site::prepare().await;
    // Workstations are isolated without asking.
    let workstations = site.sim.endpoints(CUSTOMER).into_iter().filter(|e| e.role == Role::Desktop);
    let hosts: Vec<String> = workstations.map(|e| e.host).collect();
    let mut raised = BTreeSet::new();
    let mut busy = 0;
    for round in 0..kills() {
        // The console's own limit of ten calls a second is kept: a long proof raises less at a time.
        let at_once = if kills() > 20 { 1 } else { 2 };
        for n in 0..at_once {
            let file = format!("payload-{round}-{n}.exe");
            let threat = Threat::ransomware(&hosts[(round * 2 + n) % hosts.len()]).file(&file).hashed_from(&file);
            raised.insert(site.sim.raise(CUSTOMER, &threat).expect("raised"));
        }
        let mut program = site.run();
        until_the_moment(&site, round).await;
        program.kill().expect("killed");
        program.wait().expect("ended");
        busy += usize::from(held_by(&site, program.id()).await > 0);
    }
    let mut program = site.run();
    settle(&site, &raised).await;
    program.kill().expect("killed");
    program.wait().expect("ended");

    eprintln!("{} kills, {busy} of them with a job leased", kills());
    assert!(busy * 2 >= kills(), "only {busy} of {} kills hit a job at work", kills());
    let ledger = site.sim.ledger();
    for id in &raised {
        let incident = incident_of(&site, id).await;
        assert!(incident.is_some(), "alert {id} is in no incident");
        for action in ["kill", "quarantine"] {
            assert_eq!(ledger.times_effective(action, id), 1, "alert {id} was told `{action}`");
        }
    }
    let agents: BTreeSet<&String> = ledger.raised.iter().map(|raised| &raised.agent_id).collect();
    for agent in agents {
        assert_eq!(ledger.times_effective("disconnect", agent), 1, "endpoint {agent} was told to disconnect");
    }
    let audit = Store::open(&site.store_address()).await.unwrap().verify_audit(None).await.unwrap();
    assert!(audit.faults.is_empty(), "{:?}", audit.faults);
}

/// Waits until every raised alert is dealt with; a lease of a killed worker takes 30 seconds to run out.
async fn settle(site: &Site, raised: &BTreeSet<String>) {
    for _ in 0..600 {
        for_a_while(Duration::from_millis(500)).await;
        let ledger = site.sim.ledger();
        let told = raised.iter().all(|id| ledger.times_effective("quarantine", id) > 0);
        if told && next_errand(site).await.is_none() {
            return;
        }
    }
    panic!("five minutes after the last start there is still work: {:?}", next_errand(site).await);
}

/// A different moment each time: when the console has just been told something, when the mail server has just taken a
/// mail, or at any time from before the first poll to after the last mail.
async fn until_the_moment(site: &Site, round: usize) {
    let (told, mails) = (site.sim.ledger().done.len(), site.mail.accepted());
    let any_time = Duration::from_millis(100 + (round as u64 * 97) % 600);
    for _ in 0..1000 {
        let now = match round % 4 {
            0 | 1 => site.sim.ledger().done.len() > told + round % 3,
            2 => site.mail.accepted() > mails,
            _ => true,
        };
        if now {
            break;
        }
        for_a_while(Duration::from_millis(3)).await;
    }
    if round % 4 == 3 {
        for_a_while(any_time).await;
    }
}

/// The jobs that a killed process had claimed and not given back.
async fn held_by(site: &Site, process: u32) -> u64 {
    let Ok(store) = Store::open(&site.store_address()).await else { return 0 };
    let mut held = 0;
    for role in ["actuator", "notifier"] {
        for n in 1..=4 {
            held += store.held_by(&format!("{role}-{process}-{n}")).await.expect("an answer");
        }
    }
    store.close().await;
    held
}

/// `None` while the store does not exist yet.
/// When the next job that does something outside is due. Deadlines of open incidents lie ahead, and are none.
async fn next_errand(site: &Site) -> Option<Timestamp> {
    let store = Store::open(&site.store_address()).await.ok()?;
    let errands = [store.next_job_at(JobRole::Actuator).await, store.next_job_at(JobRole::Notifier).await];
    store.close().await;
    errands.into_iter().filter_map(|at| at.expect("an answer")).min()
}

async fn incident_of(site: &Site, alert: &str) -> Option<domain::IncidentId> {
    let store = Store::open(&site.store_address()).await.ok()?;
    let incident = store.incident_of(&CUSTOMER.parse().ok()?, &alert.parse().ok()?).await.ok()?;
    store.close().await;
    incident
}
