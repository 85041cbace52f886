//! Jobs: claimed by one, retried, given up where people see it, and ended together with their result.

use std::collections::BTreeSet;

use domain::incident::{Effect, Role};
use domain::{Priority, Timestamp};
use store::{Job, JobCounts, Outcome, Store};

use super::database::Database;
use super::desk::{alert, decide, minutes, morning, note, open, opened, ransomware, tenant};

/// `count` incidents, each with one job for the notifier and some for the actuator.
async fn incidents(store: &Store, count: u32) {
    let acme = tenant("acme");
    let mut work = store.begin(&acme).await.expect("a unit of work");
    for n in 0..count {
        open(&mut work, &acme, &alert(n), morning()).await;
    }
    work.commit().await.expect("a commit");
}

/// Claims as `worker` for ten minutes.
async fn claim(store: &Store, worker: &str, now: Timestamp, limit: i64) -> Vec<Job> {
    store.claim(Role::Actuator, worker, now, now + TEN_MINUTES, limit).await.expect("a claim")
}

const TEN_MINUTES: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

async fn all_claimed(store: &Store, worker: &str, now: Timestamp) -> Vec<Job> {
    claim(store, worker, now, 10_000).await
}

pub async fn no_job_is_claimed_twice_by_eight_workers(db: &Database) {
    incidents(&db.store, 60).await;
    let waiting = db.number("SELECT COUNT(*) FROM job WHERE role = 'actuator'").await;
    assert!(waiting >= 60);
    let second = db.open_again().await;
    let mut workers = Vec::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { db.store.clone() } else { second.clone() };
        workers.push(tokio::spawn(async move {
            let (name, mut keys) = (format!("worker-{n}"), Vec::new());
            loop {
                let jobs = claim(&store, &name, morning(), 3).await;
                if jobs.is_empty() {
                    return keys;
                }
                keys.extend(jobs.into_iter().map(|job| job.key));
            }
        }));
    }
    let mut keys = Vec::new();
    for worker in workers {
        keys.extend(worker.await.expect("a worker that ends well"));
    }
    let distinct: BTreeSet<&String> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len(), "one of them was claimed twice");
    let left = all_claimed(&db.store, "last", morning()).await;
    assert_eq!(i64::try_from(keys.len() + left.len()).expect("a small number"), waiting);
}

pub async fn a_claim_takes_no_more_than_it_asked_for(db: &Database) {
    incidents(&db.store, 20).await;
    for limit in 1..=3 {
        let worker = format!("worker-{limit}");
        assert_eq!(claim(&db.store, &worker, morning(), limit).await.len(), usize::try_from(limit).expect("small"));
        assert_eq!(db.store.held_by(&worker).await.expect("a count"), limit.unsigned_abs());
    }
}

pub async fn a_lease_that_ran_out_comes_back(db: &Database) {
    incidents(&db.store, 1).await;
    let first = all_claimed(&db.store, "first", minutes(0)).await;
    assert!(!first.is_empty() && first.iter().all(|job| job.attempts == 1 && job.made_at == morning()));
    assert_eq!(all_claimed(&db.store, "second", minutes(9)).await.len(), 0, "it is still held");
    let second = all_claimed(&db.store, "second", minutes(11)).await;
    assert_eq!(second.len(), first.len());
    assert!(second.iter().all(|job| job.attempts == 2 && job.lease == "second"));
}

pub async fn a_lease_is_over_at_the_instant_it_names_and_one_of_two_gets_the_job(db: &Database) {
    incidents(&db.store, 1).await;
    let dead = all_claimed(&db.store, "dead", minutes(0)).await;
    assert!(!dead.is_empty());
    let end = db.store.next_job_at(Role::Actuator).await.expect("an answer").expect("a dead worker's jobs come back");
    assert_eq!(end, minutes(10));
    assert_eq!(all_claimed(&db.store, "early", end - jiff::SignedDuration::from_micros(1)).await.len(), 0);
    let other = db.open_again().await;
    let (one, two) = tokio::join!(all_claimed(&db.store, "one", end), all_claimed(&other, "two", end));
    assert_eq!(one.len() + two.len(), dead.len(), "what is due can be claimed, by one");
    let (first, second) = (BTreeSet::from_iter(one.iter().map(|job| &job.key)), two.iter().map(|job| &job.key));
    assert!(second.into_iter().all(|key| !first.contains(key)));
    let late = db.store.settle(&dead[0], &Outcome::Done, end).await.expect("an answer");
    assert!(!late, "who held it has lost it, even at the same instant");
}

pub async fn only_the_holder_settles_a_job(db: &Database) {
    incidents(&db.store, 1).await;
    let settle = async |job: &Job, outcome, now| db.store.settle(job, &outcome, now).await.expect("an answer");
    let first = all_claimed(&db.store, "first", minutes(0)).await;
    let second = all_claimed(&db.store, "second", minutes(11)).await;
    let held = second.iter().find(|job| job.key == first[0].key).expect("the same job");
    assert!(!settle(&first[0], Outcome::Done, minutes(12)).await);
    assert!(!settle(&first[0], Outcome::GaveUp { why: "too late".into() }, minutes(12)).await);
    assert_eq!(db.store.job_counts().await.expect("counts").dead, 0);
    assert!(settle(held, Outcome::Done, minutes(12)).await);
    assert!(!settle(held, Outcome::Done, minutes(12)).await, "once");
    let back = all_claimed(&db.store, "third", minutes(60)).await;
    assert!(back.iter().all(|job| job.key != held.key), "what is done is done");
}

pub async fn a_worker_that_comes_back_late_is_not_its_successor(db: &Database) {
    incidents(&db.store, 1).await;
    let before = all_claimed(&db.store, "worker", minutes(0)).await;
    let after = all_claimed(&db.store, "worker", minutes(11)).await;
    let stale = before.iter().find(|job| job.key == after[0].key).expect("the same job");
    assert!(
        !db.store.settle(stale, &Outcome::Done, minutes(12)).await.expect("an answer"),
        "of one name, not of one claim"
    );
    let mut work = db.store.begin(&tenant("acme")).await.expect("a unit of work");
    assert!(!work.finish_job(stale, minutes(12)).await.expect("an answer"));
    assert!(work.finish_job(&after[0], minutes(12)).await.expect("an answer"));
}

pub async fn urgent_jobs_come_first_then_old_ones(db: &Database) {
    let acme = tenant("acme");
    let later = opened(&db.store, &acme, &alert(1), minutes(2)).await;
    let sooner = opened(&db.store, &acme, &alert(2), minutes(1)).await;
    let grave = opened(&db.store, &acme, &ransomware(3), minutes(3)).await;
    assert!(grave.priority() == Priority::P0 && later.priority() > Priority::P0);
    let jobs = all_claimed(&db.store, "worker", minutes(5)).await;
    let mut order: Vec<_> = jobs.iter().map(|job| job.incident).collect();
    order.dedup();
    assert_eq!(order, [grave.id, sooner.id, later.id]);
    db.run("UPDATE job SET lease_until = 0").await;
    assert_eq!(
        claim(&db.store, "worker", minutes(5), 1).await[0].incident,
        grave.id,
        "a bounded claim takes the gravest"
    );
}

pub async fn a_job_waits_for_its_time(db: &Database) {
    incidents(&db.store, 1).await;
    for job in all_claimed(&db.store, "worker", minutes(0)).await {
        let outcome = Outcome::Again { at: minutes(5), why: "the console is away".into() };
        assert!(db.store.settle(&job, &outcome, minutes(1)).await.expect("an answer"));
    }
    assert_eq!(all_claimed(&db.store, "worker", minutes(4)).await.len(), 0);
    let again = all_claimed(&db.store, "worker", minutes(5)).await;
    assert!(!again.is_empty() && again.iter().all(|job| job.attempts == 2));
}

pub async fn each_role_claims_its_own(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &ransomware(1), morning()).await;
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    work.record(incident, &[], &[Effect::UpdateConsole]).expect("it can be written");
    work.commit().await.expect("a commit");
    for role in [Role::Actuator, Role::Notifier] {
        let jobs = db.store.claim(role, "worker", minutes(1), minutes(2), 100).await.expect("a claim");
        assert!(jobs.iter().all(|job| job.effect.role() == role && job.tenant == acme), "{role:?}");
        assert_eq!(
            jobs.is_empty(),
            db.number(&format!("SELECT COUNT(*) FROM job WHERE role = '{}'", role.name())).await == 0
        );
    }
}

pub async fn a_job_ends_with_its_result_or_not_at_all(db: &Database) {
    let acme = tenant("acme");
    let id = opened(&db.store, &acme, &alert(1), morning()).await.id;
    let job = claim(&db.store, "worker", minutes(0), 1).await.remove(0);
    for commit in [false, true] {
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        let incident = work.incident(id).await.expect("a read").expect("it is there");
        decide(&mut work, &incident, note("done"), minutes(1));
        assert!(work.finish_job(&job, minutes(1)).await.expect("an answer"));
        if commit {
            work.commit().await.expect("a commit");
        }
        let done = db.number("SELECT COUNT(*) FROM job WHERE done_at > 0").await;
        let notes = db.number("SELECT COUNT(*) FROM event WHERE kind = 'note_added'").await;
        assert_eq!((done, notes), (commit.into(), commit.into()));
    }
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    assert!(!work.finish_job(&job, minutes(2)).await.expect("an answer"), "its result is in already");
}

pub async fn a_standing_job_asked_for_while_it_runs_runs_once_more_and_never_beside_itself(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &alert(1), morning()).await;
    let ask_again = async || {
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        work.record(incident.clone(), &[], &[Effect::UpdateConsole]).expect("it can be written");
        work.commit().await.expect("a commit");
    };
    let claimed = async |worker, now| {
        all_claimed(&db.store, worker, now).await.into_iter().find(|job| job.effect == Effect::UpdateConsole)
    };
    let finish = async |job: &Job, now| {
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        assert!(work.finish_job(job, now).await.expect("an answer"), "its result counts");
        work.commit().await.expect("a commit");
    };

    let first = claimed("first", minutes(0)).await.expect("it is due");
    ask_again().await;
    assert!(claimed("second", minutes(1)).await.is_none(), "the first is still at it");
    finish(&first, minutes(2)).await;
    let second = claimed("second", minutes(2)).await.expect("once more");

    ask_again().await;
    let later = Outcome::Again { at: minutes(60), why: "busy".into() };
    assert!(db.store.settle(&second, &later, minutes(3)).await.expect("an answer"));
    let third = claimed("third", minutes(3)).await.expect("asked for anew, it does not wait");
    finish(&third, minutes(4)).await;
    assert!(claimed("fourth", minutes(600)).await.is_none());
    ask_again().await;
    assert!(claimed("fourth", minutes(600)).await.is_some());
}

pub async fn a_dead_job_is_shown_and_can_be_revived(db: &Database) {
    incidents(&db.store, 2).await;
    let jobs = all_claimed(&db.store, "worker", minutes(0)).await;
    let total = jobs.len() as u64;
    // Each incident also waits for its next deadline, and to be looked into: other roles' business.
    let counts = async || {
        let counts = db.store.job_counts().await.expect("counts");
        JobCounts { waiting: counts.waiting - 6, ..counts }
    };
    assert_eq!(counts().await, JobCounts { waiting: total, leased: total, dead: 0 });
    for (n, job) in (1..).zip(&jobs) {
        let outcome = Outcome::GaveUp { why: format!("no such agent\0 ({n})") };
        assert!(db.store.settle(job, &outcome, minutes(n)).await.expect("an answer"));
    }
    assert_eq!(counts().await, JobCounts { waiting: 0, leased: 0, dead: total });
    assert_eq!(all_claimed(&db.store, "worker", minutes(600)).await.len(), 0, "it does not come back by itself");

    let dead = db.store.dead_jobs(100).await.expect("dead jobs");
    let (newest, last) = (dead.first().expect("one"), jobs.last().expect("one"));
    assert_eq!((newest.key.as_str(), newest.attempts, &newest.tenant), (last.key.as_str(), 1, &last.tenant));
    assert_eq!(newest.why, format!("no such agent\u{2400} ({total})"));
    assert_eq!(db.store.dead_jobs(1).await.expect("dead jobs").len(), 1);

    assert!(db.store.revive_job(&last.key, minutes(700)).await.expect("an answer"));
    assert!(!db.store.revive_job(&last.key, minutes(700)).await.expect("an answer"), "it lives already");
    assert!(!db.store.revive_job("no/such/job", minutes(700)).await.expect("an answer"));
    assert_eq!(counts().await, JobCounts { waiting: 1, leased: 0, dead: total - 1 });
    let back = all_claimed(&db.store, "worker", minutes(700)).await;
    assert_eq!((back.len(), back[0].key.as_str(), back[0].attempts), (1, last.key.as_str(), 1));
}

pub async fn the_next_job_is_known_by_its_time_or_by_the_end_of_its_lease(db: &Database) {
    let next = async || db.store.next_job_at(Role::Actuator).await.expect("an answer");
    assert_eq!(next().await, None);
    incidents(&db.store, 1).await;
    assert_eq!(next().await, Some(morning()));
    let jobs = all_claimed(&db.store, "worker", minutes(1)).await;
    assert_eq!(next().await, Some(minutes(11)), "should its worker die");
    for job in &jobs {
        let outcome = Outcome::Again { at: minutes(30), why: String::new() };
        db.store.settle(job, &outcome, minutes(2)).await.expect("an answer");
    }
    assert_eq!(next().await, Some(minutes(30)));
    for job in all_claimed(&db.store, "worker", minutes(30)).await {
        db.store.settle(&job, &Outcome::Done, minutes(31)).await.expect("an answer");
    }
    assert_eq!(next().await, None);
}
