//! What intake relies on: checkpoints, alerts by version, and the memory that grouping works from (REL-03, REL-04).

use domain::AlertId;
use domain::grouping::{self, Earlier, Key, Likeness};
use domain::incident::Incident;
use domain::{Timestamp, Verdict};
use store::{KnownAlert, QueueFilter, Refusal, Scope, Store, Work};

use super::database::Database;
use super::desk::{alert, decide, execute, minutes, morning, note, open, opened, row, tenant, to_close};

pub async fn a_checkpoint_moves_with_the_commit_alone(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let read = async |tenant, source| db.store.checkpoint(tenant, source).await.expect("a read");
    for value in ["page-1", "page-2"] {
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        work.set_checkpoint("threats", value).await.expect("a checkpoint");
        work.commit().await.expect("a commit");
    }
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    work.set_checkpoint("threats", "page-3").await.expect("a checkpoint");
    drop(work);
    assert_eq!(read(&acme, "threats").await.as_deref(), Some("page-2"));
    assert_eq!((read(&acme, "alerts").await, read(&globex, "threats").await), (None, None));
}

pub async fn a_newer_version_replaces_an_alert_and_keeps_its_incident(db: &Database) {
    let acme = tenant("acme");
    let first = alert(1);
    let incident = opened(&db.store, &acme, &first, morning()).await;

    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let mut newer = row(&first, incident.id, minutes(5));
    newer.version = minutes(4);
    newer.raw = "{\"id\":\"alert-1\",\"mitigated\":true}".into();
    work.keep_alert(newer.clone());
    work.commit().await.expect("a commit");

    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let known = work.known_alerts(&[first.id.clone(), alert(2).id]).await.expect("a look");
    assert_eq!(known.len(), 1);
    assert_eq!(known[&first.id], KnownAlert { incident: incident.id, version: minutes(4) });
    drop(work);
    assert_eq!(db.store.raw_alert(&acme, &first.id).await.expect("a read"), Some(newer.raw));
    let ids = db.store.alert_ids(&acme, incident.id).await.expect("a read");
    assert_eq!(ids, [(first.id.clone(), morning())], "once, as of when it came first");
    assert_eq!(db.store.incident_of(&acme, &first.id).await.expect("a read"), Some(incident.id));
    assert_eq!(db.store.count_alerts().await.expect("a count"), 1);

    // The same id at another customer is another alert (SEC-02).
    let globex = tenant("globex");
    assert_eq!(db.store.incident_of(&globex, &first.id).await.expect("a read"), None);
    assert_eq!(db.store.raw_alert(&globex, &first.id).await.expect("a read"), None);
    assert_eq!(db.store.alert_ids(&globex, incident.id).await.expect("a read"), []);
    let mut work = db.store.begin(&globex).await.expect("a unit of work");
    assert!(work.known_alerts(std::slice::from_ref(&first.id)).await.expect("a look").is_empty());
}

pub async fn alerts_are_known_within_the_unit_of_work_that_took_them(db: &Database) {
    let acme = tenant("acme");
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let incident = open(&mut work, &acme, &alert(1), morning()).await;
    let known = work.known_alerts(&[alert(1).id]).await.expect("a look");
    assert_eq!(known[&alert(1).id].incident, incident.id);
    assert!(work.known_alerts(&[]).await.expect("a look").is_empty());
}

fn key(likeness: Likeness, value: &str) -> Key {
    Key { likeness, value: value.into() }
}

async fn recalled(store: &Store, tenant: &domain::TenantId, keys: &[Key]) -> Vec<Earlier> {
    let mut work = store.begin(tenant).await.expect("a unit of work");
    work.recall(keys).await.expect("a look back");
    work.remembered(keys)
}

/// Opens an incident and remembers it under a key.
async fn remembered(work: &mut Work, n: u32, key: &Key, now: Timestamp) -> Incident {
    let acme = tenant("acme");
    let incident = open(work, &acme, &alert(n), now).await;
    work.remember(std::slice::from_ref(key), &incident, "static", now);
    incident
}

pub async fn keys_are_recalled_as_of_now(db: &Database) {
    let acme = tenant("acme");
    let keys = grouping::keys(&alert(1));
    assert!(keys.len() >= 2, "{keys:?}");
    assert_eq!(recalled(&db.store, &acme, &keys).await, []);

    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    work.recall(&keys).await.expect("a look back");
    let incident = open(&mut work, &acme, &alert(1), morning()).await;
    work.remember(&keys, &incident, "static", morning());
    let within = work.remembered(&keys);
    work.commit().await.expect("a commit");
    let expected: Vec<Earlier> = keys
        .iter()
        .map(|key| Earlier {
            likeness: key.likeness,
            incident: incident.id,
            at: morning(),
            behaviour: "static".into(),
            closed: false,
            verdict: Verdict::Undetermined,
            priority: incident.priority(),
        })
        .collect();
    assert_eq!(within, expected, "a unit of work remembers what it took in itself");
    assert_eq!(recalled(&db.store, &acme, &keys).await, expected, "and so does the next");

    // What the unit of work decides about the incident shows in what it remembers, before and after the commit.
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    work.recall(&keys).await.expect("a look back");
    let mut incident = work.incident(incident.id).await.expect("a read").expect("it is there");
    for command in to_close(Verdict::FalsePositive) {
        incident = decide(&mut work, &incident, command, minutes(10));
    }
    work.remember(&keys, &incident, "ran", minutes(11));
    let within = work.remembered(&keys);
    assert_eq!(within.len(), keys.len(), "one incident is remembered once under each key");
    work.commit().await.expect("a commit");
    for earlier in within.into_iter().chain(recalled(&db.store, &acme, &keys).await) {
        assert_eq!((earlier.closed, earlier.verdict), (true, Verdict::FalsePositive));
        assert_eq!((earlier.at, earlier.behaviour.as_str()), (minutes(11), "ran"));
    }
}

pub async fn one_tenants_keys_are_not_anothers(db: &Database) {
    let (acme, same_file) = (tenant("acme"), key(Likeness::SameFile, "abc"));
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    remembered(&mut work, 1, &same_file, morning()).await;
    work.commit().await.expect("a commit");
    assert_eq!(recalled(&db.store, &acme, std::slice::from_ref(&same_file)).await.len(), 1);
    assert_eq!(recalled(&db.store, &tenant("globex"), &[same_file]).await, [], "SEC-02");
    assert_eq!(recalled(&db.store, &acme, &[key(Likeness::SameScan, "abc")]).await, [], "a key is more than its value");
}

pub async fn a_key_with_a_long_history_gives_its_newest(db: &Database) {
    let (acme, intrusion) = (tenant("acme"), key(Likeness::SameIntrusion, "intrusion"));
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let mut newest = None;
    for n in 0..100 {
        newest = Some(remembered(&mut work, n, &intrusion, minutes(n.into())).await.id);
    }
    work.commit().await.expect("a commit");
    let mut earlier = recalled(&db.store, &acme, &[intrusion]).await;
    earlier.sort_by_key(|e| e.at);
    assert!((10..=50).contains(&earlier.len()), "bounded: {}", earlier.len());
    assert_eq!(earlier.last().map(|e| e.incident), newest);
    let oldest = earlier.first().map(|e| e.at);
    assert_eq!(oldest, Some(minutes(100 - i64::try_from(earlier.len()).expect("a small number"))), "without a hole");
}

pub async fn a_large_batch_fits(db: &Database) {
    const MANY: u32 = 1_203;
    let acme = tenant("acme");
    let ids: Vec<AlertId> = (0..MANY).map(|n| alert(n).id).collect();
    let keys: Vec<Key> = (0..MANY).flat_map(|n| grouping::keys(&alert(n))).collect();
    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    assert!(work.known_alerts(&ids).await.expect("a look").is_empty());
    work.recall(&keys).await.expect("a look back");
    for n in 0..MANY {
        let incident = open(&mut work, &acme, &alert(n), morning()).await;
        work.remember(&grouping::keys(&alert(n)), &incident, "static", morning());
    }
    work.commit().await.expect("a commit");

    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    assert_eq!(work.known_alerts(&ids).await.expect("a look").len(), ids.len());
    work.recall(&keys).await.expect("a look back");
    assert_eq!(work.remembered(&keys).len(), keys.len());
    drop(work);
    let queue = db.store.queue(&Scope::All, &QueueFilter::default(), 10, 0).await.expect("the queue");
    assert_eq!(queue.total, u64::from(MANY));
    assert_eq!(db.store.verify_audit(None).await.expect("a verification").faults, []);
}

pub async fn text_that_a_database_cannot_hold_holds_nothing_up(db: &Database) {
    let acme = tenant("acme");
    let hostile = "a\0b\u{202e}'); DROP TABLE event; --";
    let mut hostile_alert = alert(1);
    hostile_alert.name = domain::Untrusted::new(hostile);
    let same_file = key(Likeness::SameFile, hostile);

    let mut work = db.store.begin(&acme).await.expect("a unit of work");
    let incident = open(&mut work, &acme, &hostile_alert, morning()).await;
    let mut kept = row(&hostile_alert, incident.id, morning());
    kept.raw = hostile.into();
    work.keep_alert(kept);
    work.remember(std::slice::from_ref(&same_file), &incident, hostile, morning());
    let refusal = Refusal { at: morning(), source: hostile.into(), reason: hostile.into(), raw: hostile.into() };
    work.refuse(&refusal).await.expect("a refusal");
    work.commit().await.expect("a commit");

    let (id, jobs) = (incident.id, db.store.job_counts().await.expect("counts"));
    assert_eq!(db.store.incident(&Scope::All, id).await.expect("a read"), Some(incident), "to the last byte");
    let earlier = recalled(&db.store, &acme, &[same_file]).await;
    assert_eq!(earlier[0].behaviour, hostile, "or the next alert would seem to behave differently");
    let shown = "a\u{2400}b\u{202e}'); DROP TABLE event; --";
    assert_eq!(db.store.raw_alert(&acme, &hostile_alert.id).await.expect("a read").as_deref(), Some(shown));
    assert_eq!(db.store.refusals(10).await.expect("refusals")[0].1.raw, shown);
    execute(&db.store, &acme, id, vec![note(hostile)], minutes(1)).await.expect("a commit");
    assert_eq!(db.store.job_counts().await.expect("counts"), jobs);
    assert_eq!(db.store.verify_audit(None).await.expect("a verification").faults, []);
}

pub async fn the_same_refused_record_is_kept_once(db: &Database) {
    let acme = tenant("acme");
    let refusal = |n: i64, raw: &str| Refusal {
        at: minutes(n),
        source: "threats".into(),
        reason: "no id".into(),
        raw: raw.to_owned(),
    };
    for (n, raw) in [(1, "{}"), (2, "{}"), (3, "[]"), (4, "null")] {
        let mut work = db.store.begin(&acme).await.expect("a unit of work");
        work.refuse(&refusal(n, raw)).await.expect("a refusal");
        work.commit().await.expect("a commit");
    }
    let refusals = db.store.refusals(2).await.expect("refusals");
    assert_eq!(refusals, [(acme.clone(), refusal(4, "null")), (acme.clone(), refusal(3, "[]"))], "the newest, bounded");
    assert_eq!(db.store.refusals(10).await.expect("refusals").last(), Some(&(acme, refusal(1, "{}"))));
}
