//! Opening the store: what is there stays, and what is wrong is said so that an operator can act on it.

use store::{Error, Scope, Store};

use super::database::Database;
use super::desk::{alert, morning, opened, tenant};

pub async fn what_was_committed_is_there_after_reopening(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &alert(1), morning()).await;
    db.store.close().await;

    let again = db.open_again().await;
    assert_eq!(again.incident(&Scope::All, incident.id).await.expect("a read"), Some(incident));
    assert_eq!(again.verify_audit(None).await.expect("a verification").faults, []);
}

pub async fn two_programs_may_make_the_same_new_database_at_once(db: &Database) {
    // Back to nothing, as on the first start of all.
    for table in TABLES {
        db.run(&format!("DROP TABLE {table}")).await;
    }
    let stores = tokio::join!(Store::open(&db.address), Store::open(&db.address), Store::open(&db.address));
    for store in [stores.0, stores.1, stores.2] {
        assert_eq!(store.expect("it opens").root().await.expect("a root").n, 0);
    }
    assert_eq!(db.count("schema_version").await, db.number("SELECT MAX(version) + 1 FROM schema_version").await);
}

const TABLES: [&str; 19] = [
    "content",
    "schema_version",
    "chain_head",
    "event",
    "root",
    "root_head",
    "incident",
    "counter",
    "alert",
    "alert_key",
    "refusal",
    "checkpoint",
    "job",
    "staff",
    "session",
    "sign_in_link",
    "clock_cycle",
    "heartbeat",
    "clock_step",
];

pub async fn a_store_of_a_newer_program_is_refused(db: &Database) {
    db.run("INSERT INTO schema_version (version) VALUES (999)").await;
    let error = Store::open(&db.address).await.expect_err("it is too new");
    assert!(matches!(error, Error::TooNew { found: 999, .. }), "{error}");
    assert!(!error.is_transient());
}

pub async fn an_address_that_leads_nowhere_says_what_to_do(db: &Database) {
    let (address, expected) = if db.is_sqlite {
        ("sqlite:/no/such/folder/yagura.db".to_owned(), "is its folder there")
    } else {
        let server = db.address.rsplit_once('/').expect("an address").0;
        let with_password = server.replace("postgres@", "postgres:s3cr3t@");
        (format!("{with_password}/no_such_database"), "no such database")
    };
    let error = Store::open(&address).await.expect_err("it leads nowhere");
    let message = error.to_string();
    assert!(message.contains(expected), "{message}");
    assert!(!format!("{error:?}{message}").contains("s3cr3t"), "{error:?}");
    assert!(!error.is_transient(), "trying again will not help: {message}");
}
