//! `audit verify`: whatever is done to the audit behind the store's back is found and named (SEC-60).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use store::{Audit, Fault, Place, Root};

use super::database::Database;
use super::desk::{alert, execute, minutes, morning, note, opened, tenant};

/// Two tenants with some events each; those of `acme` are numbered from 1 to `EVENTS`.
async fn prepared(db: &Database) {
    for name in ["acme", "globex"] {
        let tenant = tenant(name);
        let id = opened(&db.store, &tenant, &alert(1), morning()).await.id;
        for n in 1..=6 {
            execute(&db.store, &tenant, id, vec![note(&format!("note {n}"))], minutes(n)).await.expect("a commit");
        }
    }
    assert!(db.number("SELECT MAX(seq) FROM event WHERE tenant = 'acme'").await >= 8);
    assert_eq!(verified(db).await.faults, []);
}

async fn verified(db: &Database) -> Audit {
    db.store.verify_audit(None).await.expect("a verification")
}

/// The one fault there is, as an operator reads it.
async fn fault(db: &Database) -> String {
    let faults = verified(db).await.faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].to_string()
}

async fn last(db: &Database, tenant: &str) -> i64 {
    db.number(&format!("SELECT MAX(seq) FROM event WHERE tenant = '{tenant}'")).await
}

pub async fn an_honest_audit_holds_and_counts_its_rows(db: &Database) {
    let empty = verified(db).await;
    assert_eq!((empty.tenants, empty.rows, empty.faults), (0, 0, vec![]));
    // Committed without an event: a head that has not moved yet.
    db.store.begin(&tenant("initech")).await.expect("a unit of work").commit().await.expect("a commit");
    prepared(db).await;
    let audit = verified(db).await;
    assert_eq!(audit.tenants, 3);
    assert_eq!(i64::try_from(audit.rows).expect("a small number"), db.count("event").await);
    assert_eq!(audit.root, db.store.root().await.expect("a root"));
    assert_eq!(audit.root.n, 14, "one entry a commit that had events");
}

pub async fn an_audit_holds_while_others_write(db: &Database) {
    let acme = tenant("acme");
    let id = opened(&db.store, &acme, &alert(1), morning()).await.id;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (store, stop) = (db.open_again().await, Arc::clone(&stop));
        async move {
            while !stop.load(Ordering::Relaxed) {
                execute(&store, &acme, id, vec![note("busy")], minutes(1)).await.expect("a commit");
            }
        }
    });
    let before = db.count("event").await;
    for _ in 0..20 {
        assert_eq!(verified(db).await.faults, []);
    }
    assert!(db.count("event").await > before, "somebody was writing all the while");
    stop.store(true, Ordering::Relaxed);
    writer.await.expect("the writer ends well");
}

pub async fn a_flipped_field_is_named(db: &Database) {
    prepared(db).await;
    for (column, forged) in [
        ("incident", "'INC-2026-000777'"),
        ("at", "at + 1"),
        ("actor", "'\"intake\"'"),
        ("kind", "'closed'"),
        ("body", "'\"closed\"'"),
        ("hash", "'00'"),
    ] {
        let row = "WHERE tenant = 'acme' AND seq = 5";
        db.run("CREATE TABLE kept AS SELECT * FROM event WHERE tenant = 'acme' AND seq = 5").await;
        assert_eq!(db.run(&format!("UPDATE event SET {column} = {forged} {row}")).await, 1);
        let found = fault(db).await;
        assert!(found.starts_with("event 5 of `acme` (INC-2026-"), "{column}: {found}");
        assert!(found.ends_with("the row, or its place in the order, was changed"), "{column}: {found}");
        db.run(&format!("DELETE FROM event {row}")).await;
        db.run("INSERT INTO event SELECT * FROM kept").await;
        db.run("DROP TABLE kept").await;
        assert_eq!(verified(db).await.faults, [], "as it was");
    }
}

pub async fn a_deleted_event_is_named(db: &Database) {
    prepared(db).await;
    db.run("DELETE FROM event WHERE tenant = 'globex' AND seq = 1").await;
    assert_eq!(
        fault(db).await,
        "event 1 of `globex` (INC-2026-000002): a row is missing here, or its number was changed"
    );
}

pub async fn reordered_events_are_named(db: &Database) {
    prepared(db).await;
    db.run("UPDATE event SET seq = -5 WHERE tenant = 'acme' AND seq = 5").await;
    db.run("UPDATE event SET seq = 5 WHERE tenant = 'acme' AND seq = 6").await;
    db.run("UPDATE event SET seq = 6 WHERE tenant = 'acme' AND seq = -5").await;
    assert!(fault(db).await.starts_with("event 5 of `acme`"));
}

pub async fn an_inserted_event_is_named(db: &Database) {
    prepared(db).await;
    let end = last(db, "acme").await;
    let copy = |seq: i64| {
        format!(
            "INSERT INTO event (tenant, seq, incident, at, actor, kind, body, hash)
             SELECT tenant, {seq}, incident, at, actor, kind, body, hash FROM event WHERE tenant = 'acme' AND seq = {end}"
        )
    };
    db.run(&copy(end + 1)).await;
    assert!(fault(db).await.starts_with(&format!("event {} of `acme`", end + 1)));
    db.run(&format!("DELETE FROM event WHERE tenant = 'acme' AND seq = {}", end + 1)).await;
    // Before the first, where nobody looks.
    db.run(&copy(0)).await;
    assert!(fault(db).await.contains("of `acme`"), "a row at 0");
    db.run("DELETE FROM event WHERE tenant = 'acme' AND seq = 0").await;
    assert_eq!(verified(db).await.faults, []);
}

pub async fn a_value_of_the_wrong_kind_is_named(db: &Database) {
    prepared(db).await;
    // SQLite takes any value in any column. PostgreSQL does not: there the nearest thing is a very odd one.
    let forged =
        if db.is_sqlite { "at = 'yesterday', body = x'ff00fe'" } else { "at = -9223372036854775808, body = ''" };
    db.run(&format!("UPDATE event SET {forged} WHERE tenant = 'acme' AND seq = 3")).await;
    assert!(fault(db).await.starts_with("event 3 of `acme`"));
}

pub async fn a_truncated_chain_is_found_even_with_its_head_put_right(db: &Database) {
    prepared(db).await;
    let end = last(db, "acme").await;
    db.run(&format!("DELETE FROM event WHERE tenant = 'acme' AND seq > {}", end - 2)).await;
    let expected = format!("the chain of `acme` after event {}: events are missing at the end", end - 2);
    assert_eq!(fault(db).await, expected);
    db.run(&format!(
        "UPDATE chain_head SET seq = {}, hash = (SELECT hash FROM event WHERE tenant = 'acme' AND seq = {})
         WHERE tenant = 'acme'",
        end - 2,
        end - 2
    ))
    .await;
    assert_eq!(fault(db).await, expected, "the root remembers");
}

pub async fn a_chain_rewritten_from_the_middle_is_found(db: &Database) {
    prepared(db).await;
    // Somebody who knows the program lets it write another history, and puts it in place of the true one.
    let end = last(db, "acme").await;
    db.run("CREATE TABLE true_root AS SELECT * FROM root").await;
    db.run("CREATE TABLE true_root_head AS SELECT * FROM root_head").await;
    db.run("DELETE FROM event WHERE tenant = 'acme' AND seq > 4").await;
    db.run("UPDATE chain_head SET seq = 4, hash = (SELECT hash FROM event WHERE tenant = 'acme' AND seq = 4) WHERE tenant = 'acme'")
        .await;
    let id = db.text("SELECT incident FROM event WHERE tenant = 'acme' AND seq = 1").await.parse().expect("an id");
    while last(db, "acme").await < end {
        execute(&db.store, &tenant("acme"), id, vec![note("nothing happened")], minutes(9)).await.expect("a commit");
    }
    db.run("DELETE FROM root").await;
    db.run("INSERT INTO root SELECT * FROM true_root").await;
    db.run("DELETE FROM root_head").await;
    db.run("INSERT INTO root_head SELECT * FROM true_root_head").await;
    let found = fault(db).await;
    assert!(found.contains("`acme`") && found.ends_with("is not the one that was committed"), "{found}");
}

pub async fn a_tenant_that_vanished_as_a_whole_is_found(db: &Database) {
    prepared(db).await;
    db.run("DELETE FROM event WHERE tenant = 'acme'").await;
    db.run("DELETE FROM chain_head WHERE tenant = 'acme'").await;
    assert_eq!(fault(db).await, "the chain of `acme` after event 0: the whole chain is missing");
    db.run("DELETE FROM root WHERE tenant = 'acme'").await;
    assert_eq!(fault(db).await, "entry 1 of the root: a row is missing here, or its number was changed");
}

pub async fn an_event_of_an_invented_tenant_is_found(db: &Database) {
    prepared(db).await;
    db.run(
        "INSERT INTO event (tenant, seq, incident, at, actor, kind, body, hash)
         SELECT 'NO\u{202e}ONE', 1, incident, at, actor, kind, body, hash FROM event WHERE tenant = 'acme' AND seq = 1",
    )
    .await;
    let found = fault(db).await;
    assert!(found.starts_with(r"event 1 of `NO\u{202e}ONE`"), "shown so that it cannot mislead: {found}");
}

pub async fn a_changed_root_is_named(db: &Database) {
    prepared(db).await;
    let root = db.store.root().await.expect("a root");
    db.run("UPDATE root SET seq = seq + 1 WHERE n = 3").await;
    assert_eq!(fault(db).await, "entry 3 of the root: the row, or its place in the order, was changed");
    db.run("UPDATE root SET seq = seq - 1 WHERE n = 3").await;
    db.run("UPDATE root_head SET hash = '00' WHERE id = 1").await;
    assert_eq!(fault(db).await, format!("entry {} of the root: the end of the root was changed", root.n + 1));
    db.run(&format!("UPDATE root_head SET n = n + 1, hash = '{}' WHERE id = 1", root.hash)).await;
    assert_eq!(fault(db).await, format!("entry {} of the root: entries are missing at the end", root.n + 1));
}

pub async fn a_root_that_was_handed_out_finds_what_was_rewritten_as_a_whole(db: &Database) {
    prepared(db).await;
    let given = db.store.root().await.expect("a root");
    let id = db.text("SELECT incident FROM event WHERE tenant = 'acme' AND seq = 1").await.parse().expect("an id");
    execute(&db.store, &tenant("acme"), id, vec![note("later")], minutes(30)).await.expect("a commit");
    let check = async |root: &Root| db.store.verify_audit(Some(root)).await.expect("a verification").faults;
    assert_eq!(check(&given).await, [], "what came later does not matter");

    let forged = Root { hash: "00".repeat(32), ..given.clone() };
    let what = "it is not the one that was handed out";
    assert_eq!(check(&forged).await, [Fault { place: Place::Root { n: given.n }, what }]);

    // Everything is gone, consistently, as if nothing had ever happened. Only who holds a root can tell.
    for table in ["event", "chain_head", "root", "root_head"] {
        db.run(&format!("DELETE FROM {table}")).await;
    }
    db.run(&format!("INSERT INTO root_head (id, n, hash) VALUES (1, 0, '{}')", "0".repeat(64))).await;
    assert_eq!(verified(db).await.faults, []);
    let what = "entries are missing at the end";
    assert_eq!(check(&given).await, [Fault { place: Place::Root { n: 1 }, what }]);
}

pub async fn a_fault_of_one_tenant_does_not_hide_another(db: &Database) {
    prepared(db).await;
    db.run("UPDATE event SET body = '{}' WHERE tenant = 'acme' AND seq = 2").await;
    db.run("UPDATE event SET body = '{}' WHERE tenant = 'globex' AND seq = 7").await;
    let places: Vec<Place> = verified(db).await.faults.into_iter().map(|fault| fault.place).collect();
    let place =
        |tenant: &str, seq, incident: &str| Place::Event { tenant: tenant.into(), seq, incident: incident.into() };
    assert_eq!(places, [place("acme", 2, "INC-2026-000001"), place("globex", 7, "INC-2026-000002")]);
}
