//! The queue: its order, its filters, and who sees what (SEC-02).

use domain::incident::{Command, Incident, Phase, Role};
use domain::{IncidentId, Priority, TenantId, Untrusted, Verdict};
use store::{Counters, Outcome, Queue, QueueFilter, Refusal, Scope};

use super::database::Database;
use super::desk::{alert, execute, minutes, morning, opened, person, ransomware, tenant, to_close};

async fn page(db: &Database, scope: &Scope, filter: &QueueFilter) -> Queue {
    db.store.queue(scope, filter, 1000, 0).await.expect("the queue")
}

async fn ids(db: &Database, scope: &Scope, filter: &QueueFilter) -> Vec<IncidentId> {
    let queue = page(db, scope, filter).await;
    assert_eq!(queue.total, queue.rows.len() as u64, "the total counts what is shown");
    queue.rows.into_iter().map(|row| row.id).collect()
}

async fn assign(db: &Database, tenant: &TenantId, id: IncidentId, to: &str) {
    let command = Command::Assign { to: person(to), by: person("lead") };
    execute(&db.store, tenant, id, vec![command], minutes(3)).await.expect("a commit");
}

pub async fn what_is_due_next_comes_first_then_the_graver_then_the_older(db: &Database) {
    let acme = tenant("acme");
    let third = opened(&db.store, &acme, &alert(1), minutes(0)).await;
    let fourth = opened(&db.store, &acme, &alert(2), minutes(0)).await;
    let fifth = opened(&db.store, &acme, &alert(3), minutes(1)).await;
    // P0: ten minutes instead of sixty.
    let first = opened(&db.store, &acme, &ransomware(4), minutes(0)).await;
    let second = opened(&db.store, &acme, &ransomware(5), minutes(50)).await;
    // Closed and asked: nothing is due.
    let closed = opened(&db.store, &acme, &alert(6), minutes(0)).await.id;
    execute(&db.store, &acme, closed, to_close(Verdict::Suspicious), minutes(2)).await.expect("a commit");
    assert_eq!(second.next_due(), third.next_due(), "the story needs two that are due at once");
    let due: Vec<_> = [&first, &second, &third, &fourth, &fifth].map(Incident::next_due).to_vec();
    assert!(due.is_sorted() && due[0].is_some(), "{due:?}");

    let shown = ids(db, &Scope::All, &QueueFilter::default()).await;
    assert_eq!(shown, [first.id, second.id, third.id, fourth.id, fifth.id]);
}

pub async fn each_filter_shows_what_it_names(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let grave = opened(&db.store, &acme, &ransomware(1), minutes(0)).await;
    let mine = opened(&db.store, &acme, &alert(2), minutes(0)).await;
    let theirs = opened(&db.store, &globex, &alert(3), minutes(0)).await;
    assign(db, &acme, mine.id, "sato").await;
    execute(&db.store, &acme, mine.id, vec![Command::Acknowledge { by: person("sato") }], minutes(4))
        .await
        .expect("done");
    assign(db, &globex, theirs.id, "suzuki").await;

    let all = QueueFilter::default();
    let due = grave.next_due().expect("a due time");
    for (filter, expected) in [
        (QueueFilter { tenant: Some(globex.clone()), ..all.clone() }, vec![theirs.id]),
        (QueueFilter { priority: Some(Priority::P0), ..all.clone() }, vec![grave.id]),
        (QueueFilter { priority: Some(Priority::P1), ..all.clone() }, vec![]),
        (QueueFilter { assigned_to: Some(person("sato")), ..all.clone() }, vec![mine.id]),
        (QueueFilter { unassigned: true, ..all.clone() }, vec![grave.id]),
        (QueueFilter { unassigned: true, tenant: Some(globex.clone()), ..all.clone() }, vec![]),
        (QueueFilter { phase: Some(Phase::Acknowledged), ..all.clone() }, vec![mine.id]),
        (QueueFilter { phase: Some(Phase::Closed), ..all.clone() }, vec![]),
        (QueueFilter { due_before: Some(due), ..all.clone() }, vec![]),
        (
            QueueFilter {
                due_from: Some(due),
                due_before: Some(due + jiff::SignedDuration::from_secs(1)),
                ..all.clone()
            },
            vec![grave.id],
        ),
        (QueueFilter { closed: true, ..all.clone() }, vec![]),
    ] {
        assert_eq!(ids(db, &Scope::All, &filter).await, expected, "{filter:?}");
    }

    execute(&db.store, &acme, mine.id, to_close(Verdict::FalsePositive)[1..].to_vec(), minutes(9)).await.expect("done");
    let closed = QueueFilter { closed: true, ..all };
    for (filter, expected) in [
        (closed.clone(), vec![mine.id]),
        (QueueFilter { phase: Some(Phase::Closed), ..closed.clone() }, vec![mine.id]),
        (QueueFilter { phase: Some(Phase::Triaged), ..closed.clone() }, vec![]),
        (QueueFilter { assigned_to: Some(person("sato")), ..closed.clone() }, vec![mine.id]),
        (QueueFilter { tenant: Some(globex), ..closed.clone() }, vec![]),
        (QueueFilter { due_before: Some(minutes(10_000)), ..closed.clone() }, vec![]),
    ] {
        assert_eq!(ids(db, &Scope::All, &filter).await, expected, "{filter:?}");
    }
    let row = page(db, &Scope::All, &closed).await.rows.remove(0);
    assert_eq!((row.phase, row.verdict, row.due_at), (Phase::Closed, Verdict::FalsePositive, None));
    assert_eq!((row.assigned, row.received_at, row.updated_at), (Some(person("sato")), minutes(0), minutes(9)));
    assert_eq!((row.summary.host, row.summary.alerts), (Untrusted::new("ws-2"), 1));
}

pub async fn closed_incidents_are_listed_newest_first(db: &Database) {
    let acme = tenant("acme");
    let mut expected = Vec::new();
    for n in 0..3 {
        expected.push(opened(&db.store, &acme, &alert(n), morning()).await.id);
    }
    for (minute, n) in [(10, 1), (20, 0), (30, 2)] {
        execute(&db.store, &acme, expected[n], to_close(Verdict::Suspicious), minutes(minute)).await.expect("a commit");
    }
    let closed = QueueFilter { closed: true, ..QueueFilter::default() };
    assert_eq!(ids(db, &Scope::All, &closed).await, [expected[2], expected[0], expected[1]]);
}

pub async fn pages_follow_each_other_without_a_row_lost_or_doubled(db: &Database) {
    let acme = tenant("acme");
    for n in 0..7 {
        opened(&db.store, &acme, &alert(n), morning()).await;
    }
    let filter = QueueFilter::default();
    let whole = ids(db, &Scope::All, &filter).await;
    let mut paged = Vec::new();
    for offset in [0, 3, 6, 9] {
        let queue = db.store.queue(&Scope::All, &filter, 3, offset).await.expect("a page");
        assert_eq!(queue.total, 7);
        paged.extend(queue.rows.into_iter().map(|row| row.id));
    }
    assert_eq!(paged, whole);
}

pub async fn nobody_sees_another_tenants_rows(db: &Database) {
    let names = ["acme", "globex", "initech"].map(tenant);
    let mut open = Vec::new();
    for (n, tenant) in (0..).zip(&names) {
        open.push(opened(&db.store, tenant, &ransomware(n), morning()).await.id);
        let closed = opened(&db.store, tenant, &alert(10 + n), morning()).await.id;
        execute(&db.store, tenant, closed, to_close(Verdict::Suspicious), minutes(5)).await.expect("a commit");
    }
    let only = |indexes: &[usize]| Scope::Only(indexes.iter().map(|i| names[*i].clone()).collect());
    for closed in [false, true] {
        let all = QueueFilter { closed, ..QueueFilter::default() };
        assert_eq!(ids(db, &Scope::All, &all).await.len(), 3);
        for scope in [only(&[1]), only(&[2, 1])] {
            let rows = page(db, &scope, &all).await.rows;
            let Scope::Only(tenants) = &scope else { unreachable!("made above") };
            assert_eq!(rows.len(), tenants.len());
            assert!(rows.iter().all(|row| scope.holds(&row.tenant)), "SEC-02");
            let foreign = QueueFilter { tenant: Some(names[0].clone()), ..all.clone() };
            assert_eq!(ids(db, &scope, &foreign).await, [], "asking for a tenant by name opens nothing");
        }
    }
    let read = async |scope: &Scope| db.store.incident(scope, open[0]).await.expect("an answer");
    assert!(read(&Scope::All).await.is_some() && read(&only(&[0])).await.is_some());
    assert_eq!(read(&only(&[1, 2])).await, None, "as if it did not exist (SEC-01)");
    let counters = db.store.counters(&only(&[1]), morning(), minutes(1)).await.expect("counters");
    assert_eq!((counters.open, counters.p0), (1, 1));
}

pub async fn what_went_wrong_is_shown_within_a_scope(db: &Database) {
    let names = ["acme", "globex"].map(tenant);
    for (n, tenant) in (0..).zip(&names) {
        opened(&db.store, tenant, &alert(n), morning()).await;
        let mut work = db.store.begin(tenant).await.expect("a unit of work");
        let raw = tenant.to_string();
        let refusal = Refusal { at: minutes(n.into()), source: "threats".into(), reason: "no id".into(), raw };
        work.refuse(&refusal).await.expect("a refusal");
        work.commit().await.expect("a commit");
    }
    for job in db.store.claim(Role::Actuator, "worker", minutes(1), minutes(2), 100).await.expect("a claim") {
        let outcome = Outcome::GaveUp { why: "no such agent".into() };
        db.store.settle(&job, &outcome, minutes(1)).await.expect("an answer");
    }
    // One row asked for: another tenant's newer one must not take its place.
    let acme = Scope::Only(vec![names[0].clone()]);
    let shown = async |scope: &Scope| {
        let refusals = db.store.refusals_within(scope, 1).await.expect("refusals");
        let jobs = db.store.dead_jobs_within(scope, 1).await.expect("dead jobs");
        (refusals.into_iter().map(|(tenant, _)| tenant).next(), jobs.into_iter().map(|job| job.tenant).next())
    };
    assert_eq!(shown(&acme).await, (Some(names[0].clone()), Some(names[0].clone())), "SEC-02");
    assert_eq!(shown(&Scope::All).await.0, Some(names[1].clone()));
    assert_eq!(shown(&Scope::Only(Vec::new())).await, (None, None));
}

pub async fn an_empty_scope_sees_nothing(db: &Database) {
    let incident = opened(&db.store, &tenant("acme"), &ransomware(1), morning()).await;
    let nobody = Scope::Only(Vec::new());
    for closed in [false, true] {
        assert_eq!(ids(db, &nobody, &QueueFilter { closed, ..QueueFilter::default() }).await, []);
    }
    assert_eq!(db.store.incident(&nobody, incident.id).await.expect("an answer"), None);
    assert_eq!(db.store.counters(&nobody, minutes(0), minutes(1)).await.expect("counters"), Counters::default());
}

pub async fn the_counters_count_what_the_lists_show(db: &Database) {
    let acme = tenant("acme");
    for n in 0..2 {
        opened(&db.store, &acme, &ransomware(n), minutes(0)).await;
    }
    for n in 2..5 {
        opened(&db.store, &acme, &alert(n), minutes(0)).await;
    }
    let asked = opened(&db.store, &acme, &alert(5), minutes(0)).await.id;
    let by = person("sato");
    let ask = vec![Command::Acknowledge { by: by.clone() }, Command::Ask { by, addition: None }];
    execute(&db.store, &acme, asked, ask, minutes(1)).await.expect("a commit");
    let taken = opened(&db.store, &acme, &alert(6), minutes(0)).await.id;
    assign(db, &acme, taken, "sato").await;
    let closed = opened(&db.store, &acme, &alert(7), minutes(0)).await.id;
    execute(&db.store, &acme, closed, to_close(Verdict::Suspicious), minutes(2)).await.expect("a commit");

    let (now, soon) = (minutes(50), minutes(65));
    let counters = db.store.counters(&Scope::All, now, soon).await.expect("counters");
    let count = async |filter: QueueFilter| ids(db, &Scope::All, &filter).await.len() as u64;
    let all = QueueFilter::default();
    let listed = Counters {
        open: count(all.clone()).await,
        unassigned: count(QueueFilter { unassigned: true, ..all.clone() }).await,
        overdue: count(QueueFilter { due_before: Some(now), ..all.clone() }).await,
        at_risk: count(QueueFilter { due_from: Some(now), due_before: Some(soon), ..all.clone() }).await,
        waiting_for_customer: count(QueueFilter { phase: Some(Phase::Asked), ..all.clone() }).await,
        p0: count(QueueFilter { priority: Some(Priority::P0), ..all }).await,
    };
    assert_eq!(counters, listed);
    assert_eq!((counters.open, counters.overdue, counters.at_risk, counters.p0), (7, 2, 5, 2));
    // No channel has the question yet, so the clock still runs.
    assert_eq!(counters.waiting_for_customer, 1);
}

pub async fn counting_stops_where_nobody_reads_on(db: &Database) {
    opened(&db.store, &tenant("acme"), &alert(1), morning()).await;
    db.run(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 11000)
         INSERT INTO incident
         SELECT tenant, 'INC-2026-' || (100000 + n), version, is_open, phase, priority, verdict, assigned, due_at,
                received_at, updated_at, summary, body
         FROM incident, n",
    )
    .await;
    assert_eq!(db.count("incident").await, 11_001);
    let queue = db.store.queue(&Scope::All, &QueueFilter::default(), 5, 0).await.expect("a page");
    assert_eq!((queue.rows.len(), queue.total), (5, Queue::COUNTED_TO));
}
