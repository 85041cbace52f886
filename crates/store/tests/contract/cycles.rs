//! What became of each promise: the rows that figures are made of.

use domain::attainment::{Measured, Span, Standing, Target};
use domain::calendar::Calendar;
use domain::clock::{self, Kind};
use domain::incident::{Command, Context, Incident};
use domain::notice::Kind as Notice;
use domain::oncall::NOBODY;
use domain::tenant::{Contact, Email, Names, Tenant};
use domain::{Priority, TenantId, Untrusted, Verdict};
use jiff::SignedDuration;
use store::{Period, Scope};

use super::database::Database;
use super::desk::{alert, customer, execute, minutes, note, opened, person, ransomware, tenant, to_close};

fn all() -> Period {
    Period { from: minutes(-600), to: minutes(60_000), tenant: None, priority: None }
}

async fn rows(db: &Database, scope: &Scope, period: &Period) -> Vec<Measured> {
    let cycles = db.store.cycles(scope, period).await.expect("the cycles");
    assert!(!cycles.cut);
    cycles.rows
}

/// Executes commands for a customer who can be told.
async fn execute_told(db: &Database, id: &Incident, commands: Vec<Command>, minute: i64) -> Incident {
    let name = Names { ja: "山田".into(), en: "Yamada".into() };
    let email = Email::try_from("yamada@acme.example".to_owned()).expect("an address");
    let contacts = vec![Contact { email, department: None, title: None, name }];
    let customer = Tenant { contacts, ..customer(&id.tenant) };
    let context = Context { tenant: &customer, roster: &NOBODY, calendar: &Calendar::japan(), now: minutes(minute) };
    let mut work = db.store.begin(&id.tenant).await.expect("a unit of work");
    let mut incident = work.incident(id.id).await.expect("a read").expect("the incident is there");
    for command in commands {
        let recorded = incident.decide(command, context).expect("a legal command");
        recorded.iter().for_each(|entry| incident.apply(entry));
        work.record(incident.clone(), &recorded, &[]).expect("it can be written");
    }
    work.commit().await.expect("a commit");
    incident
}

/// A channel takes the newest notice of a kind.
async fn told(db: &Database, incident: &Incident, kind: Notice, minute: i64) -> Incident {
    let notice = incident.notices.values().rev().find(|n| n.kind == kind).expect("such a notice");
    let route = *notice.deliveries.keys().next().expect("a route");
    let (notice, accepted_at) = (notice.id, minutes(minute));
    let taken = Command::ConfirmNotice { notice, route, reference: "sent".into(), accepted_at };
    execute_told(db, incident, vec![taken], minute).await
}

/// Each row says what the incident's events prove.
async fn holds_against_the_events(db: &Database, tenant: &TenantId, incident: &Incident, rows: &[Measured]) {
    let (now, events) = (minutes(50_000), db.store.events(tenant, incident.id).await.expect("events"));
    let proved = clock::prove(tenant, incident.id, &events, &Calendar::japan(), now).expect("a proof");
    let rows: Vec<_> = rows.iter().filter(|row| row.incident == incident.id).collect();
    assert_eq!(rows.len(), proved.len());
    for (row, cycle) in rows.into_iter().zip(proved) {
        assert!(cycle.differences.is_empty(), "{:#?}", cycle.differences);
        let clocks = cycle.clocks;
        assert_eq!((row.started, row.priority), (clocks.started, clocks.gravest()));
        assert_eq!(
            (row.first_notice, row.acknowledged, row.analysed),
            (clocks.first_notice, clocks.acknowledged, clocks.analysed)
        );
        assert_eq!((row.response_due, row.analysis_due), (clocks.due(Kind::FirstResponse), clocks.due(Kind::Analysis)));
    }
}

pub async fn what_became_of_a_promise_is_kept_with_the_incident(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &alert(1), minutes(0)).await;
    let row = rows(db, &Scope::All, &all()).await.remove(0);
    let due = minutes(60);
    assert_eq!((row.response_due, row.analysis_due, row.cycle), (Some(due), Some(due), 1));
    assert_eq!(row.standing(Target::FirstResponse, minutes(59)), Standing::Running);
    assert_eq!(row.standing(Target::FirstResponse, minutes(61)), Standing::Missed);

    let incident = execute_told(db, &incident, to_close(Verdict::FalsePositive), 40).await;
    // The channel takes the result after the incident was closed, and after the time was up.
    let incident = told(db, &incident, Notice::Verdict, 70).await;
    let rows = rows(db, &Scope::All, &all()).await;
    let row = &rows[0];
    assert_eq!(row.acknowledged_by, Some(person("sato")));
    assert_eq!(row.span(Span::ToAcknowledged), Some(SignedDuration::from_mins(40)));
    assert_eq!((row.closed, row.analysed), (Some(minutes(40)), Some(minutes(70))));
    assert_eq!(row.standing(Target::FirstResponse, minutes(71)), Standing::Met);
    assert_eq!(row.standing(Target::Analysis, minutes(71)), Standing::Missed);
    holds_against_the_events(db, &acme, &incident, &rows).await;
}

pub async fn a_reopening_ends_a_cycle_and_begins_another(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &alert(1), minutes(0)).await;
    execute(&db.store, &acme, incident.id, to_close(Verdict::FalsePositive), minutes(5)).await.expect("a commit");
    let again = Command::Reopen { by: person("mori"), reason: Untrusted::new("the customer saw it again") };
    let incident = execute(&db.store, &acme, incident.id, vec![again], minutes(300)).await.expect("a commit");
    let rows = rows(db, &Scope::All, &all()).await;
    let [first, second] = rows.as_slice() else { panic!("{rows:#?}") };
    assert_eq!((first.cycle, first.closed, first.ended), (1, Some(minutes(5)), Some(minutes(300))));
    assert_eq!((second.cycle, second.started, second.ended, second.closed), (2, minutes(300), None, None));
    // The result was never delivered: the first cycle missed its time, and stays so whatever comes after it.
    assert_eq!(first.standing(Target::Analysis, minutes(301)), Standing::Missed);
    assert_eq!(second.standing(Target::Analysis, minutes(301)), Standing::Running);
    holds_against_the_events(db, &acme, &incident, &rows).await;
}

pub async fn an_event_that_moves_no_clock_writes_no_row(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &alert(1), minutes(0)).await;
    let acknowledge = Command::Acknowledge { by: person("sato") };
    execute(&db.store, &acme, incident.id, vec![acknowledge], minutes(3)).await.expect("a commit");
    db.run("UPDATE clock_cycle SET paused_s = 777").await;
    execute(&db.store, &acme, incident.id, vec![note("looked at it")], minutes(4)).await.expect("a commit");
    assert_eq!(rows(db, &Scope::All, &all()).await[0].paused_s, 777);
    execute(&db.store, &acme, incident.id, to_close(Verdict::FalsePositive)[1..].to_vec(), minutes(9))
        .await
        .expect("a commit");
    assert_eq!(rows(db, &Scope::All, &all()).await[0].paused_s, 0, "closing does");
}

pub async fn a_period_holds_what_began_in_it_and_a_scope_what_it_may_see(db: &Database) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let early = opened(&db.store, &acme, &alert(1), minutes(0)).await.id;
    let grave = opened(&db.store, &acme, &ransomware(2), minutes(10)).await.id;
    let others = opened(&db.store, &globex, &alert(3), minutes(20)).await.id;
    let seen = async |scope: &Scope, period: Period| {
        rows(db, scope, &period).await.into_iter().map(|row| row.incident).collect::<Vec<_>>()
    };
    let only = |tenants: &[&TenantId]| Scope::Only(tenants.iter().map(|t| (*t).clone()).collect());
    assert_eq!(seen(&Scope::All, all()).await, [early, grave, others]);
    assert_eq!(seen(&only(&[&acme]), all()).await, [early, grave]);
    assert_eq!(seen(&only(&[&globex, &acme]), all()).await, [early, grave, others]);
    assert_eq!(seen(&only(&[]), all()).await, []);
    let of = |tenant: &TenantId| Period { tenant: Some(tenant.clone()), ..all() };
    assert_eq!(seen(&only(&[&acme]), of(&globex)).await, [], "a filter widens no scope");
    assert_eq!(seen(&Scope::All, of(&globex)).await, [others]);
    let p0 = Period { priority: Some(Priority::P0), ..all() };
    assert_eq!(seen(&only(&[&acme, &globex]), Period { tenant: Some(acme.clone()), ..p0 }).await, [grave]);
    let between = Period { from: minutes(10), to: minutes(20), ..all() };
    assert_eq!(seen(&Scope::All, between).await, [grave], "the end is not in it");
}

pub async fn a_clock_that_stops_is_counted_once(db: &Database) {
    let acme = tenant("acme");
    let incident = opened(&db.store, &acme, &ransomware(1), minutes(0)).await;
    let acknowledge = vec![Command::Acknowledge { by: person("sato") }];
    let incident = execute(&db.store, &acme, incident.id, acknowledge, minutes(11)).await.expect("a commit");
    execute(&db.store, &acme, incident.id, vec![note("looked at it")], minutes(12)).await.expect("a commit");
    opened(&db.store, &tenant("globex"), &alert(2), minutes(0)).await;
    let targets = db.store.figures(minutes(20)).await.expect("figures").targets;
    let expected = [((Target::FirstResponse, Priority::P0, Standing::Missed), 1)];
    assert_eq!(targets.into_iter().collect::<Vec<_>>(), expected);
}
