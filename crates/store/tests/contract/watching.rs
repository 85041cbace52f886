//! What monitoring reads: signs of life, steps of the clock, and the figures.

use std::time::Duration;

use domain::incident::{Phase, Role};
use domain::{Priority, Verdict};
use jiff::SignedDuration;
use store::{ClockStep, Heartbeat, Outcome, RoleFigures};

use super::database::Database;
use super::desk::{alert, execute, minutes, morning, opened, ransomware, tenant, to_close};

fn beat(name: &str, minute: i64) -> Heartbeat {
    Heartbeat { name: name.into(), started_at: morning(), at: minutes(minute), every: Duration::from_secs(15) }
}

pub async fn each_loop_has_one_heartbeat_the_one_written_last(db: &Database) {
    assert_eq!(db.store.heartbeats().await.expect("a read"), []);
    let second = db.open_again().await;
    for written in [beat("notifier", 1), beat("intake/acme", 1), beat("notifier", 5)] {
        db.store.beat(&written).await.expect("a write");
    }
    // Of another process, whose clock was set back: what was said before it no longer counts.
    second.beat(&beat("intake/acme", -30)).await.expect("a write");
    assert_eq!(db.store.heartbeats().await.expect("a read"), [beat("intake/acme", -30), beat("notifier", 5)]);
}

pub async fn the_last_step_of_the_clock_is_known(db: &Database) {
    assert_eq!(db.store.last_clock_step().await.expect("a read"), None);
    let step = |minute, by| ClockStep { at: minutes(minute), by: SignedDuration::from_secs(by) };
    for step in [step(1, 90), step(9, -3600), step(5, 61), step(9, -3600)] {
        db.store.keep_clock_step(step).await.expect("a write");
    }
    assert_eq!(db.store.last_clock_step().await.expect("a read"), Some(step(9, -3600)));
    assert_eq!(db.count("clock_step").await, 3);
}

pub async fn the_figures_say_what_is_open_overdue_waiting_and_counted(db: &Database) {
    let store = &db.store;
    assert_eq!(store.figures(morning()).await.expect("figures"), store::Figures::default());
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let closed = opened(store, &acme, &alert(1), morning()).await;
    execute(store, &acme, closed.id, to_close(Verdict::FalsePositive), minutes(1)).await.expect("it is closed");
    let open = opened(store, &acme, &alert(2), minutes(1)).await;
    let grave = opened(store, &globex, &ransomware(3), minutes(1)).await;
    assert!(grave.priority() == Priority::P0 && open.priority() > Priority::P0);

    let figures = store.figures(minutes(20)).await.expect("figures");
    let seen: Vec<_> = figures.open.iter().map(|f| (f.priority, f.phase, f.open, f.overdue)).collect();
    // P0 was to be answered within ten minutes, the other within sixty.
    assert_eq!(seen, [(Priority::P0, Phase::Triaged, 1, 1), (open.priority(), Phase::Triaged, 1, 0)]);
    assert_eq!(figures.alerts.into_iter().collect::<Vec<_>>(), [(acme.clone(), 2), (globex, 1)]);
    assert_eq!(figures.notices.len(), 0, "nobody was told yet");
}

pub async fn the_figures_hold_each_job_once(db: &Database) {
    let (store, acme) = (&db.store, tenant("acme"));
    for n in 1..=3 {
        opened(store, &acme, &alert(n), morning()).await;
    }
    let role = async |minute| {
        let figures = store.figures(minutes(minute)).await.expect("figures");
        figures.jobs.get("actuator").copied().unwrap_or_default()
    };
    let all = role(0).await.waiting;
    assert!(all >= 3, "{all}");
    assert_eq!(role(-1).await.oldest_due_at, None, "nothing is due yet");

    let held = store.claim(Role::Actuator, "worker", minutes(1), minutes(10), 2).await.expect("a claim");
    let gone = Outcome::GaveUp { why: "no such agent".into() };
    assert!(store.settle(&held[0], &gone, minutes(1)).await.expect("an answer"));
    let expected = RoleFigures { waiting: all - 2, leased: 1, dead: 1, oldest_due_at: Some(morning()) };
    assert_eq!(role(2).await, expected);
    let expected = RoleFigures { waiting: all - 1, leased: 0, ..expected };
    assert_eq!(role(11).await, expected, "a lease that ran out holds nothing");
}

pub async fn a_store_of_before_the_counters_counts_what_it_has(db: &Database) {
    let acme = tenant("acme");
    for n in 1..=3 {
        opened(&db.store, &acme, &alert(n), morning()).await;
    }
    // As the program before this one left it.
    for sql in [
        "DELETE FROM counter WHERE name LIKE 'alerts/%' OR name LIKE 'notices/%'",
        "DROP TABLE heartbeat",
        "DROP TABLE clock_step",
        "DROP INDEX event_question",
        "DROP TABLE clock_cycle",
        "DROP INDEX event_paged",
        "DROP TABLE content",
        "DROP INDEX event_evidence",
        "DELETE FROM schema_version WHERE version > 1",
    ] {
        db.run(sql).await;
    }
    let again = db.open_again().await;
    opened(&again, &acme, &alert(4), minutes(1)).await;
    assert_eq!(again.figures(minutes(1)).await.expect("figures").alerts[&acme], 4);
}
