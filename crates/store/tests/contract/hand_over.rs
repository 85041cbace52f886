//! What one shift hands to the next, and what the queue says of promises.

use domain::clock::{Kind, PauseReason};
use domain::incident::Command;
use domain::{IncidentId, PersonId, TenantId, Untrusted, Verdict};
use store::{Holder, Promised, QueueFilter, Scope};

use super::database::Database;
use super::desk::{alert, execute, minutes, opened, person, ransomware, tenant, to_close};

async fn run(db: &Database, tenant: &TenantId, incident: IncidentId, command: Command, at: i64) {
    execute(&db.store, tenant, incident, vec![command], minutes(at)).await.expect("a commit");
}

async fn open(db: &Database, scope: &Scope, holder: &Holder, limit: i64) -> Vec<IncidentId> {
    let incidents = db.store.open_incidents(scope, holder, limit).await.expect("a list");
    incidents.into_iter().map(|incident| incident.id).collect()
}

async fn assign(db: &Database, tenant: &TenantId, incident: IncidentId, to: &PersonId) {
    run(db, tenant, incident, Command::Assign { to: to.clone(), by: person("lead") }, 3).await;
}

pub async fn what_is_open_is_handed_over_by_who_has_it_and_due_next_first(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let (sato, mori) = (person("sato"), person("mori"));
    let later = opened(&db.store, &acme, &alert(1), minutes(0)).await.id;
    let next = opened(&db.store, &acme, &ransomware(2), minutes(0)).await.id;
    let theirs = opened(&db.store, &globex, &alert(3), minutes(2)).await.id;
    let closed = opened(&db.store, &acme, &alert(4), minutes(0)).await.id;
    execute(&db.store, &acme, closed, to_close(Verdict::Suspicious), minutes(2)).await.expect("a commit");
    assign(db, &acme, later, &sato).await;
    assign(db, &globex, theirs, &mori).await;

    let (own, both) = (Scope::Only(vec![acme.clone()]), Scope::Only(vec![acme, globex]));
    for scope in [&Scope::All, &both] {
        assert_eq!(open(db, scope, &Holder::Anybody, 10).await, [next, later, theirs]);
        assert_eq!(open(db, scope, &Holder::Anybody, 2).await, [next, later]);
        assert_eq!(open(db, scope, &Holder::Nobody, 10).await, [next]);
        assert_eq!(open(db, scope, &Holder::OneOf(vec![sato.clone()]), 10).await, [later]);
        assert_eq!(open(db, scope, &Holder::OneOf(vec![mori.clone(), sato.clone()]), 10).await, [later, theirs]);
        assert!(open(db, scope, &Holder::OneOf(Vec::new()), 10).await.is_empty());
    }
    assert_eq!(open(db, &own, &Holder::Anybody, 10).await, [next, later], "SEC-02");
    assert!(open(db, &own, &Holder::OneOf(vec![mori]), 10).await.is_empty(), "SEC-02");
    assert!(open(db, &Scope::Only(Vec::new()), &Holder::Anybody, 10).await.is_empty());
}

pub async fn calls_of_late_are_listed_newest_first_whether_or_not_it_is_still_open(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let first = opened(&db.store, &acme, &ransomware(1), minutes(0)).await.id;
    run(db, &acme, first, Command::LetTimePass, 6).await;
    let second = opened(&db.store, &acme, &ransomware(2), minutes(20)).await.id;
    run(db, &acme, second, Command::LetTimePass, 26).await;
    let theirs = opened(&db.store, &globex, &ransomware(3), minutes(30)).await.id;
    run(db, &globex, theirs, Command::LetTimePass, 36).await;
    opened(&db.store, &acme, &alert(4), minutes(0)).await;

    let own = Scope::Only(vec![acme.clone()]);
    let listed = async |scope: &Scope, since: i64, limit: i64| -> Vec<IncidentId> {
        let incidents = db.store.called_about(scope, minutes(since), limit).await.expect("a list");
        incidents.into_iter().map(|incident| incident.id).collect()
    };
    assert_eq!(listed(&Scope::All, 0, 10).await, [theirs, second, first]);
    assert_eq!(listed(&Scope::All, 0, 1).await, [theirs]);
    assert_eq!(listed(&own, 0, 10).await, [second, first], "SEC-02");
    assert_eq!(listed(&own, 26, 10).await, [second], "from that very moment on");
    assert_eq!(listed(&Scope::Only(Vec::new()), 0, 10).await, []);
}

pub async fn the_queue_says_what_is_promised_and_whether_its_clock_runs(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &alert(1), minutes(0)).await.id;
    let promised = async |id: IncidentId| {
        let queue = db.store.queue(&Scope::All, &QueueFilter::default(), 10, 0).await.expect("the queue");
        let row = queue.rows.into_iter().find(|row| row.id == id).expect("a row");
        (row.summary.promise, row.due_at)
    };
    let (running, due) = promised(incident).await;
    assert_eq!((running, due.is_some()), (Some(Promised::Running(Kind::FirstResponse)), true));

    // What is on hold has no due time; what was late before stays late.
    let hold = || Command::Hold { by: person("sato"), reason: Untrusted::new("the customer asked to wait") };
    let waits = |late| Some(Promised::Paused { kind: Kind::Analysis, why: PauseReason::CustomerHold, late });
    run(db, &acme, incident, hold(), 5).await;
    assert_eq!(promised(incident).await, (waits(false), None));
    let held = opened(&db.store, &acme, &alert(2), minutes(0)).await.id;
    run(db, &acme, held, hold(), 300).await;
    assert_eq!(promised(held).await, (waits(true), None));
    run(db, &acme, held, Command::EndHold { by: person("sato") }, 301).await;
    assert_eq!(promised(held).await.0, Some(Promised::Running(Kind::Analysis)));
    let reason = Untrusted::new("seen before, in writing");
    let verdict = Command::GiveVerdict { by: person("sato"), verdict: Verdict::Suspicious, reason };
    run(db, &acme, held, verdict, 302).await;
    assert_eq!(promised(held).await, (None, None), "the analysis is done");
}
