//! What customers were asked, as their own pages list it.

use domain::incident::Command;
use domain::question::Meaning;
use domain::{IncidentId, QuestionId, TenantId, Untrusted};
use store::Scope;

use super::database::Database;
use super::desk::{alert, execute, minutes, opened, person, tenant};

async fn asked(db: &Database, tenant: &TenantId, n: u32, at: i64) -> IncidentId {
    let incident = opened(&db.store, tenant, &alert(n), minutes(0)).await.id;
    let ask = Command::Ask { by: person("sato"), addition: None };
    execute(&db.store, tenant, incident, vec![ask], minutes(at)).await.expect("a commit");
    incident
}

async fn answered(db: &Database, tenant: &TenantId, incident: IncidentId) {
    let words = Untrusted::new("nobody here knows it");
    let answer =
        Command::RecordAnswer { by: person("yamada"), question: QuestionId(1), meaning: Meaning::Unknown, words };
    execute(&db.store, tenant, incident, vec![answer], minutes(30)).await.expect("a commit");
}

async fn listed(db: &Database, scope: &Scope, limit: i64) -> Vec<IncidentId> {
    db.store.asked(scope, limit).await.expect("a list").into_iter().map(|incident| incident.id).collect()
}

pub async fn what_waits_for_the_customer_comes_first_then_what_was_asked_last(db: &Database) {
    let acme = tenant("acme");
    let waiting = asked(db, &acme, 1, 1).await;
    let early = asked(db, &acme, 2, 2).await;
    let late = asked(db, &acme, 3, 3).await;
    let waiting_too = asked(db, &acme, 4, 4).await;
    opened(&db.store, &acme, &alert(5), minutes(0)).await;
    answered(db, &acme, late).await;
    answered(db, &acme, early).await;

    let own = Scope::Only(vec![acme]);
    assert_eq!(listed(db, &own, 10).await, [waiting_too, waiting, late, early]);
    assert_eq!(listed(db, &Scope::All, 10).await, [waiting_too, waiting, late, early]);
    assert_eq!(
        listed(db, &own, 3).await,
        [waiting_too, waiting, late],
        "what waits is never left out for what does not"
    );
}

pub async fn nobody_sees_what_another_tenant_was_asked(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let theirs = asked(db, &acme, 1, 1).await;
    let others = asked(db, &globex, 2, 2).await;
    for (scope, seen) in [
        (Scope::Only(vec![acme.clone()]), vec![theirs]),
        (Scope::Only(vec![globex.clone()]), vec![others]),
        (Scope::Only(vec![acme, globex]), vec![others, theirs]),
        (Scope::Only(vec![tenant("initech")]), vec![]),
        (Scope::Only(Vec::new()), vec![]),
    ] {
        assert_eq!(listed(db, &scope, 10).await, seen, "{scope:?}");
    }
}
