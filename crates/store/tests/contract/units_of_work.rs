//! A unit of work commits as a whole or not at all, and one tenant's are done one after the other (REL-05).

use domain::incident::{Effect, Incident};
use domain::{IncidentId, TenantId, Timestamp};
use store::{Error, Scope, Store};

use super::database::Database;
use super::desk::{alert, decide, execute, minutes, morning, note, open, opened, ransomware, tenant};

/// What a unit of work writes to.
const TABLES: [&str; 5] = ["event", "incident", "job", "alert", "root"];

async fn rows(db: &Database) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in TABLES {
        rows.push(db.count(table).await);
    }
    rows
}

pub async fn events_jobs_views_and_alerts_are_committed_together(db: &Database) {
    let acme = tenant("acme");
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let incident = open(&mut work, &acme, &ransomware(1), morning()).await;
    assert_eq!(rows(db).await, [0; 5], "nothing is seen before the commit");
    work.commit().await.expect("a commit");

    let version = i64::try_from(incident.version).expect("a small number");
    assert!(version >= 2 && db.count("job").await >= 2, "there was something to write");
    assert_eq!(rows(db).await, [version, 1, db.count("job").await, 1, 1]);
    let seen = db.store.incident(&Scope::All, incident.id).await.expect("a read");
    assert_eq!(seen, Some(incident));
}

pub async fn a_dropped_unit_of_work_leaves_nothing_behind(db: &Database) {
    let acme = tenant("acme");
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    open(&mut work, &acme, &alert(1), morning()).await;
    work.set_checkpoint("threats", "page-2").await.expect("a checkpoint");
    drop(work);

    assert_eq!(rows(db).await, [0; 5]);
    // It does not stand in the way of the next one either.
    let incident = opened(&db.store, &acme, &alert(2), minutes(1)).await;
    assert_eq!(incident.id.number, 1);
    assert_eq!(db.store.checkpoint(&acme, "threats").await.expect("a read"), None);
}

pub async fn a_failing_statement_leaves_nothing_behind(db: &Database) {
    let acme = tenant("acme");
    for table in TABLES {
        db.run(&format!("ALTER TABLE {table} RENAME TO {table}_away")).await;
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        open(&mut work, &acme, &alert(1), morning()).await;
        let error = work.commit().await.expect_err("a table is missing");
        assert!(!error.is_transient(), "{error}");
        db.run(&format!("ALTER TABLE {table}_away RENAME TO {table}")).await;
        assert_eq!(rows(db).await, [0; 5], "without `{table}`");
    }
    assert_eq!(opened(&db.store, &acme, &alert(1), morning()).await.id.number, 1);
    assert_eq!(db.store.verify_audit(None).await.expect("a verification").faults, []);
}

pub async fn work_for_one_tenant_is_done_one_after_the_other_without_gaps(db: &Database) {
    const TASKS: usize = 8;
    const NOTES: usize = 5;
    let acme = tenant("acme");
    let id = opened(&db.store, &acme, &alert(1), morning()).await.id;
    let second = db.open_again().await;

    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let store = if task % 2 == 0 { db.store.clone() } else { second.clone() };
        let acme = acme.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..NOTES {
                add_note(&store, &acme, id, &format!("{task}.{n}"), minutes(1)).await;
            }
        }));
    }
    for task in tasks {
        task.await.expect("a task that ends well");
    }

    let incident = db.store.incident(&Scope::All, id).await.expect("a read").expect("it is there");
    assert_eq!(incident.notes.len(), TASKS * NOTES, "no note was decided on a state that was already gone");
    let events = db.count("event").await;
    assert_eq!(db.number("SELECT MAX(seq) FROM event").await, events, "no gap, so a reader may follow by number");
    assert_eq!(i64::try_from(incident.version).expect("a small number"), events);
    assert_eq!(db.store.verify_audit(None).await.expect("a verification").faults, []);
}

/// As `engine` does it: what the database reports as a conflict is tried again.
async fn add_note(store: &Store, acme: &TenantId, id: IncidentId, text: &str, now: Timestamp) -> Incident {
    for _ in 0..20 {
        match execute(store, acme, id, vec![note(text)], now).await {
            Err(error) if error.is_transient() => {}
            outcome => return outcome.expect("a commit"),
        }
    }
    panic!("it never got its turn");
}

pub async fn incident_numbers_have_no_gaps_after_an_undone_unit_of_work(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert_eq!(opened(&db.store, &acme, &alert(1), morning()).await.id.to_string(), "INC-2026-000001");
    for tenant in [&acme, &globex] {
        let mut work = db.store.begin(tenant).await.expect("a unit of work");
        assert_eq!(work.next_incident_id(2026).await.expect("a number").number, 2);
        assert_eq!(work.next_incident_id(2026).await.expect("a number").number, 3);
        drop(work);
    }
    let mut work = db.store.begin(&globex).await.expect("a unit of work");
    assert_eq!(open(&mut work, &globex, &alert(2), morning()).await.id.number, 2);
    assert_eq!(open(&mut work, &globex, &alert(3), morning()).await.id.number, 3);
    assert_eq!(work.next_incident_id(2027).await.expect("a number").number, 1, "each year counts for itself");
    work.commit().await.expect("a commit");
    assert_eq!(opened(&db.store, &acme, &alert(4), morning()).await.id.number, 4);
}

pub async fn a_lock_that_is_not_given_in_time_is_worth_another_try(db: &Database) {
    let acme = tenant("acme");
    let second = db.open_again().await;
    let held = db.store.begin(&acme).await.expect("a unit of work");
    let error: Error = second.begin(&acme).await.expect_err("somebody else is at it, for longer than one waits");
    assert!(error.is_transient(), "{error:?}");
    drop(held);
    second.begin(&acme).await.expect("now it is free").commit().await.expect("a commit");
}

pub async fn a_second_program_waits_for_the_first(db: &Database) {
    let acme = tenant("acme");
    let second = db.open_again().await;
    let mut first = db.store.begin(&acme).await.expect("a unit of work");
    let waiting = tokio::spawn({
        let acme = acme.clone();
        async move { opened(&second, &acme, &alert(2), minutes(1)).await }
    });
    // Long enough for the other one to have come to the lock.
    for _ in 0..100 {
        assert_eq!(db.count("incident").await, 0);
    }
    assert!(!waiting.is_finished());
    let incident = open(&mut first, &acme, &alert(1), morning()).await;
    first.commit().await.expect("a commit");
    assert_eq!((incident.id.number, waiting.await.expect("it got its turn").id.number), (1, 2));
}

pub async fn a_unit_of_work_sees_its_own_incident_before_the_commit(db: &Database) {
    let acme = tenant("acme");
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let incident = open(&mut work, &acme, &alert(1), morning()).await;
    let id = incident.id;
    let after = decide(&mut work, &incident, note("seen"), minutes(1));
    assert_eq!(work.incident(id).await.expect("a read"), Some(after.clone()));
    assert_eq!(db.store.incident(&Scope::All, id).await.expect("a read"), None, "others do not");
    work.commit().await.expect("a commit");

    let mut other = db.store.begin(&tenant("globex")).await.expect("a unit of work");
    assert_eq!(other.incident(id).await.expect("a read"), None, "another tenant's unit of work never does (SEC-02)");
}

pub async fn a_decision_taken_twice_makes_its_jobs_once(db: &Database) {
    let acme = tenant("acme");
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let incident = open(&mut work, &acme, &alert(1), morning()).await;
    work.commit().await.expect("a commit");
    let made = db.number("SELECT COUNT(*) FROM job WHERE key LIKE '%/console'").await;
    let before = db.count("job").await;
    assert_eq!(made, 1);
    for _ in 0..2 {
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        work.record(incident.clone(), &[], &[Effect::UpdateConsole, Effect::UpdateConsole]).expect("it can be written");
        work.commit().await.expect("a commit");
    }
    assert_eq!(db.count("job").await, before, "jobs of one name are one job");
}

pub async fn state_is_the_fold_of_the_events(db: &Database) {
    let acme = tenant("acme");
    let id = opened(&db.store, &acme, &ransomware(1), morning()).await.id;
    opened(&db.store, &acme, &alert(2), morning()).await;
    execute(&db.store, &acme, id, vec![note("one"), note("two")], minutes(2)).await.expect("a commit");
    let events = db.store.events(&acme, id).await.expect("events");
    let kept = db.store.incident(&Scope::All, id).await.expect("a read");
    assert_eq!(Incident::replay(&acme, id, &events), kept);
    assert_eq!(
        db.store.events(&tenant("globex"), id).await.expect("a read"),
        [],
        "another tenant's are nobody's (SEC-02)"
    );
}
