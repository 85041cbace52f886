//! kill -9 in the middle of writing: what was said to be committed is there, and nothing is there by half (REL-16).

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use domain::{Priority, Timestamp};
use store::{QueueFilter, Scope, Store};

use super::database::Database;
use super::desk::{alert, morning, opened, tenant};

const ADDRESS: &str = "YAGURA_TEST_STORE_TO_WRITE";
/// Incidents that the writer has reported before it is killed.
const REPORTED: usize = 25;

pub async fn a_killed_program_loses_nothing_that_it_said_was_committed(db: &Database) {
    let mut writer = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "contract::killed::the_writer_that_is_killed", "--ignored", "--nocapture"])
        .env(ADDRESS, &db.address)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second program");
    let output = BufReader::new(writer.stdout.take().expect("its output"));
    let reported: Vec<String> =
        output.lines().map_while(Result::ok).filter(|l| l.starts_with("INC-")).take(REPORTED).collect();
    writer.kill().expect("kill -9");
    writer.wait().expect("its end");
    assert_eq!(reported.len(), REPORTED);

    let store = db.open_again().await;
    let acme = tenant("acme");
    // The next one follows without a gap, and whatever the killed program held is free.
    let next = opened(&store, &acme, &alert(999_999), morning()).await;
    let kept = store.queue(&Scope::All, &QueueFilter::default(), 1000, 0).await.expect("the queue").rows;
    assert_eq!(u32::try_from(kept.len()).expect("a small number"), next.id.number);
    for id in &reported {
        assert!(kept.iter().any(|row| row.id.to_string() == *id), "{id} was reported and is lost");
    }
    let alerts = db.count("alert").await;
    let with_both = db
        .number(
            "SELECT COUNT(*) FROM alert a WHERE EXISTS (SELECT 1 FROM incident i WHERE i.id = a.incident)
             AND EXISTS (SELECT 1 FROM event e WHERE e.incident = a.incident)
             AND EXISTS (SELECT 1 FROM job j WHERE j.incident = a.incident)",
        )
        .await;
    assert_eq!((alerts, with_both), (i64::from(next.id.number), alerts));
    assert!(kept.iter().all(|row| row.priority >= Priority::P1));
    assert_eq!(store.verify_audit(None).await.expect("a verification").faults, []);
}

/// Not a story of its own: what the one above starts and kills.
#[tokio::test]
#[ignore = "writes until it is killed; another test starts it"]
async fn the_writer_that_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how one test program tells the other what to do")]
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let store = Store::open(&address).await.expect("the store opens");
    let now: Timestamp = morning();
    for n in 0..100_000 {
        let incident = opened(&store, &tenant("acme"), &alert(n), now).await;
        println!("{}", incident.id);
    }
}
