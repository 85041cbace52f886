//! The figures, from a number on the page down to the events it comes from.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use domain::IncidentId;
use domain::incident::Command;
use domain::judgement::Verdict;
use domain::{TenantId, Untrusted};
use jiff::SignedDuration;
use store::Scope;
use support::browser::Browser;
use support::markup::{pieces, text};
use support::{Soc, id, person};

async fn execute(soc: &Soc, tenant: &TenantId, incident: IncidentId, command: Command) {
    soc.engine.execute(tenant, incident, command, soc.now()).await.unwrap();
}

/// Every message that waits is taken by its channel.
async fn tell(soc: &Soc, tenant: &TenantId, incident: IncidentId) {
    let state = soc.engine.store().incident(&Scope::All, incident).await.unwrap().unwrap();
    for notice in state.notices.values().filter(|n| n.told_at().is_none()) {
        for route in notice.deliveries.keys() {
            let (notice, accepted_at) = (notice.id, soc.now());
            execute(
                soc,
                tenant,
                incident,
                Command::ConfirmNotice { notice, route: *route, reference: "sent".into(), accepted_at },
            )
            .await;
        }
    }
}

/// One that met both targets, one that missed both, one that still runs: all on 24 November, in Japan.
async fn played(soc: &Soc) -> [IncidentId; 3] {
    let by = person("sato");
    let mut raised = Vec::new();
    for (n, tenant) in [(1, "sakura"), (2, "sakura"), (3, "northwind")] {
        raised.push(soc.raise(tenant, support::unwanted(n, &format!("PC-{n}"), soc.now())).await);
    }
    for (incident, minutes) in [(raised[0], 20), (raised[1], 50)] {
        soc.time.pass(SignedDuration::from_mins(minutes));
        let tenant = id("sakura");
        execute(soc, &tenant, incident, Command::Acknowledge { by: by.clone() }).await;
        let reason = Untrusted::new("seen before, in writing");
        execute(soc, &tenant, incident, Command::GiveVerdict { by: by.clone(), verdict: Verdict::Suspicious, reason })
            .await;
        tell(soc, &tenant, incident).await;
    }
    raised.try_into().unwrap()
}

#[tokio::test]
async fn a_number_leads_to_its_incidents_and_each_of_them_to_its_proof() {
    let soc = Soc::open().await;
    let [met, missed, open] = played(&soc).await;
    let mut smith = Browser::signed_in(&soc, "smith").await;
    let page = smith.get("/figures?period=this-month&tenant=sakura").await.body;
    let said = text(&pieces(&page));
    assert!(said.contains("50.0%") && said.contains("n = 2"), "{said}");
    assert!(said.contains("few"), "two are few, and it is said");

    let link = "/figures/incidents?period=this-month&amp;tenant=sakura&amp;clock=first_response&amp;standing=missed";
    assert!(page.contains(link), "{page}");
    let list = smith.get(&link.replace("&amp;", "&")).await.body;
    assert!(list.contains(&missed.to_string()) && !list.contains(&met.to_string()), "{list}");
    let proof = format!("/incidents/{missed}/clocks");
    assert!(list.contains(&format!("{proof}#cycle-1")), "{list}");

    let proof = text(&pieces(&smith.get(&proof).await.body));
    for word in [
        "agrees",
        "Target missed",
        "2026-11-24 11:00:00",
        "Counted 1 h 00 min in all, as promised: 60 min",
        "acknowledged",
    ] {
        assert!(proof.contains(word), "no `{word}` in {proof}");
    }
    // The same incident counts among the running ones of its own customer, and not in the denominator.
    let others = text(&pieces(&smith.get("/figures?tenant=northwind").await.body));
    assert!(others.contains("n = 1"), "past its time and open is missed: {others}");
    assert!(
        smith
            .get("/figures/incidents?tenant=northwind&clock=analysis&standing=missed")
            .await
            .body
            .contains(&open.to_string())
    );
}

#[tokio::test]
async fn an_analyst_counts_only_what_they_may_see_sec_02() {
    let soc = Soc::open().await;
    let [.., others] = played(&soc).await;
    let mut mori = Browser::signed_in(&soc, "mori").await;
    for path in ["/figures", "/figures?tenant=northwind", "/figures/incidents", "/figures/incidents?tenant=northwind"] {
        let page = mori.get(path).await.body;
        assert!(!page.contains(&others.to_string()) && !page.contains("ノースウィンド"), "{path}: {page}");
    }
    let mut sato = Browser::signed_in(&soc, "sato").await;
    let page = sato.get("/figures").await.body;
    assert!(page.contains("ノースウィンド商事") && page.contains("目標超過"), "{page}");
    assert!(!page.contains("違反"), "a target is no contract");
}
