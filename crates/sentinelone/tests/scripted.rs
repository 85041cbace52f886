//! The client against a console that follows a script: what is sent, and what is made of each answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::alert::ConsoleStatus;
use domain::{AgentId, AlertId, Verdict};
use jiff::{SignedDuration, Timestamp};
use outbound::{Allowed, Answer, Call, FarSide, Outbound, Secret, Settings, Unreachable};
use sentinelone::{
    ActToken, Activity, Actuator, Changes, Console, Error, Foreign, Mitigate, PowerProgress, ReadToken, Reader,
    RefusalReason, Scope, Targets,
};
use serde_json::{Value, json};

/// Answers in the order written, whatever is asked, and keeps what was asked.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Answer, Unreachable>>>,
    asked: Mutex<Vec<Call>>,
}

impl FarSide for Script {
    fn answer(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + '_>> {
        self.asked.lock().unwrap().push(call);
        let answer = self.answers.lock().unwrap().pop_front().expect("the script is over");
        Box::pin(async { answer })
    }
}

impl Script {
    fn url(&self, n: usize) -> String {
        self.asked.lock().unwrap()[n].url.clone()
    }

    /// The query of the n-th call, decoded, in order.
    fn query(&self, n: usize) -> Vec<(String, String)> {
        let url = url::Url::parse(&self.url(n)).unwrap();
        url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect()
    }

    fn body(&self, n: usize) -> Value {
        serde_json::from_slice(&self.asked.lock().unwrap()[n].body).unwrap()
    }
}

fn says(status: u16, body: &Value) -> Result<Answer, Unreachable> {
    Ok(Answer { status, headers: vec![], body: body.to_string().into_bytes() })
}

fn console() -> Console {
    Console {
        origin: "https://console.example".parse().unwrap(),
        tenant: "acme".parse().unwrap(),
        scope: Scope::new(vec!["11".parse().unwrap(), "12".parse().unwrap()], vec!["7".parse().unwrap()]).unwrap(),
    }
}

fn door(answers: impl IntoIterator<Item = Result<Answer, Unreachable>>) -> (Outbound, Arc<Script>) {
    let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), asked: Mutex::default() });
    let settings = Settings::new(vec![Allowed::public(console().origin)]);
    (Outbound::in_process(&settings, Arc::clone(&script) as _), script)
}

fn reader(answers: impl IntoIterator<Item = Result<Answer, Unreachable>>) -> (Reader, Arc<Script>) {
    let (door, script) = door(answers);
    (Reader::new(&console(), ReadToken(Secret::new("canary-read")), door), script)
}

fn actuator(answers: impl IntoIterator<Item = Result<Answer, Unreachable>>) -> (Actuator, Arc<Script>) {
    let (door, script) = door(answers);
    (Actuator::new(&console(), ActToken(Secret::new("canary-act")), door), script)
}

fn now() -> Timestamp {
    "2026-09-18T08:30:00Z".parse().unwrap()
}

fn changes() -> Changes {
    Changes { checkpoint: "2026-09-18T08:00:00Z".parse().unwrap(), overlap: Duration::ZERO, limit: 2 }
}

fn threat(id: &str, updated: &str, site: &str) -> Value {
    json!({"id": id, "threatInfo": {"threatName": "x.exe", "createdAt": "2026-09-18T08:00:00Z", "updatedAt": updated},
        "agentRealtimeInfo": {"siteId": site, "accountId": "7", "agentId": "9", "agentComputerName": "ws-17"}})
}

fn page(threats: &[Value], next: &Value) -> Result<Answer, Unreachable> {
    says(200, &json!({"data": threats, "pagination": {"nextCursor": next, "totalItems": 9}}))
}

fn threats(ids: &[&str]) -> Targets<AlertId> {
    Targets::new(&ids.iter().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).unwrap()
}

fn agent(id: &str) -> Targets<AgentId> {
    Targets::one(id.parse().unwrap())
}

#[tokio::test]
async fn every_page_carries_the_same_filters_and_the_overlap_is_never_less_than_ten_minutes_rel_04() {
    let (reader, script) = reader([
        page(
            &[threat("1", "2026-09-18T08:01:00Z", "11"), threat("2", "2026-09-18T08:02:00Z", "12")],
            &json!("a%3D%3D"),
        ),
        page(&[threat("3", "2026-09-18T08:03:00Z", "11")], &json!("null")),
    ]);
    let first = reader.changes_since(&changes(), None, now()).await.unwrap();
    assert_eq!(first.alerts.iter().filter(|a| a.is_ok()).count(), 2);
    assert_eq!(first.newest.to_string(), "2026-09-18T08:02:00Z");
    // A stored cursor leads on, even when the checkpoint has moved meanwhile.
    let stored = serde_json::to_string(&first.next.unwrap()).unwrap();
    let moved = Changes { checkpoint: first.newest, ..changes() };
    let second = reader.changes_since(&moved, Some(&serde_json::from_str(&stored).unwrap()), now()).await.unwrap();
    assert!(second.next.is_none());
    assert_eq!(second.newest.to_string(), "2026-09-18T08:03:00Z");

    let expected = [
        ("updatedAt__gte", "2026-09-18T07:50:00.000000Z"),
        ("sortBy", "updatedAt"),
        ("sortOrder", "asc"),
        ("limit", "2"),
        ("siteIds", "11,12"),
        ("accountIds", "7"),
    ];
    let query = script.query(0);
    assert_eq!(query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    let (cursor, same) = script.query(1).split_last().map(|(last, rest)| (last.clone(), rest.to_vec())).unwrap();
    assert_eq!((cursor.0.as_str(), cursor.1.as_str()), ("cursor", "a=="), "encoded once, not twice");
    assert_eq!(same, query);
    assert!(script.url(1).ends_with("cursor=a%3D%3D"));
}

#[tokio::test]
async fn one_bad_row_is_refused_at_its_place_and_the_others_come_through() {
    let bad_id = json!({"id": "a b", "threatInfo": {"createdAt": "2026-09-18T08:00:00Z"},
        "agentRealtimeInfo": {"siteId": "11", "accountId": "7"}});
    let (reader, _) = reader([page(
        &[json!("nonsense"), threat("1", "2026-09-18T08:01:00Z", "11"), bad_id, json!({"id": "4"})],
        &Value::Null,
    )]);
    let page = reader.changes_since(&changes(), None, now()).await.unwrap();
    let refused: Vec<_> = page.alerts.iter().filter_map(|a| a.as_ref().err()).map(ToString::to_string).collect();
    assert_eq!(page.alerts.len() - refused.len(), 1);
    assert_eq!(refused[0], "record 1: it does not say which site it belongs to");
    assert!(refused[1].starts_with("record 3: `a b` is not a valid alert id"), "{}", refused[1]);
}

#[tokio::test]
async fn a_row_of_another_customer_is_reported_and_never_used_sec_01() {
    let (reader, _) = reader([
        page(&[threat("1", "2026-09-18T08:01:00Z", "99")], &Value::Null),
        page(&[threat("2", "2026-09-18T08:01:00Z", "11")], &Value::Null),
    ]);
    let page = reader.changes_since(&changes(), None, now()).await.unwrap();
    let refusal = page.alerts[0].as_ref().unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::Foreign(Foreign::Site));
    assert_eq!(refusal.id.as_ref().unwrap().quoted(), "1");
    // A console that does not understand `ids` returns everything.
    let found = reader.threats(&threats(&["1"]), now()).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap_err().reason, RefusalReason::NotAsked);
}

#[tokio::test]
async fn a_list_that_repeats_a_page_is_an_error_and_one_that_forgot_its_place_begins_again() {
    let one = [threat("1", "2026-09-18T08:01:00Z", "11")];
    let (reader, _) = reader([page(&one, &json!("a")), page(&one, &json!("a")), says(400, &json!({"errors": []}))]);
    let first = reader.changes_since(&changes(), None, now()).await.unwrap();
    let error = reader.changes_since(&changes(), first.next.as_ref(), now()).await.unwrap_err();
    assert!(matches!(error, Error::CursorLoops { pages: 2 }) && error.is_transient());
    let error = reader.changes_since(&changes(), first.next.as_ref(), now()).await.unwrap_err();
    assert!(matches!(error, Error::CursorRefused) && error.is_transient());
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_an_error_and_never_an_empty_list() {
    let html = Ok(Answer { status: 200, headers: vec![], body: b"<html>".to_vec() });
    let (reader, _) = reader([html, says(200, &json!({"data": null})), says(200, &json!({"errors": [{"code": 1}]}))]);
    for _ in 0..3 {
        let error = reader.changes_since(&changes(), None, now()).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }) && error.is_transient() && !error.may_have_happened());
    }
}

#[tokio::test]
async fn every_act_names_its_targets_and_the_customers_scope_and_nothing_else() {
    let done = || says(200, &json!({"data": {"affected": 1}}));
    let (actuator, script) = actuator(std::iter::repeat_with(done).take(10));
    let (one, host) = (threats(&["715718962991148224"]), agent("657613730168123595"));
    for what in Mitigate::ALL {
        actuator.mitigate(what, &one, now()).await.unwrap();
    }
    actuator.disconnect(&host, now()).await.unwrap();
    actuator.connect(&host, now()).await.unwrap();
    actuator.set_verdict(&one, Verdict::FalsePositive, now()).await.unwrap();
    actuator.set_status(&one, ConsoleStatus::InProgress, now()).await.unwrap();
    actuator.add_note(&one, "調査を開始しました。", now()).await.unwrap();

    let expected = [
        ("/threats/mitigate/kill", json!({})),
        ("/threats/mitigate/quarantine", json!({})),
        ("/threats/mitigate/un-quarantine", json!({})),
        ("/threats/mitigate/remediate", json!({})),
        ("/threats/mitigate/rollback-remediation", json!({})),
        ("/agents/actions/disconnect", json!({})),
        ("/agents/actions/connect", json!({})),
        ("/threats/analyst-verdict", json!({"analystVerdict": "false_positive"})),
        ("/threats/incident", json!({"incidentStatus": "in_progress"})),
        ("/threats/notes", json!({"text": "調査を開始しました。"})),
    ];
    for (n, (path, data)) in expected.into_iter().enumerate() {
        assert_eq!(script.url(n), format!("https://console.example/web/api/v2.1{path}"));
        let ids = if path.starts_with("/agents") { "657613730168123595" } else { "715718962991148224" };
        let filter = json!({"ids": [ids], "siteIds": ["11", "12"], "accountIds": ["7"]});
        assert_eq!(script.body(n), json!({"filter": filter, "data": data}), "{path}");
    }
}

#[tokio::test]
async fn an_act_whose_answer_is_lost_is_in_doubt_and_a_refused_one_is_not_rel_06() {
    let html = Ok(Answer { status: 200, headers: vec![], body: b"<html>".to_vec() });
    let gateway = Ok(Answer { status: 502, headers: vec![], body: b"<html>".to_vec() });
    let lost = [Err(Unreachable::NoAnswer), Err(Unreachable::Broken), gateway, html];
    let (acting, _) = actuator(lost);
    for _ in 0..4 {
        let error = acting.disconnect(&agent("1"), now()).await.unwrap_err();
        assert!(error.may_have_happened() && error.is_transient(), "{error:?}");
    }
    let busy = Ok(Answer { status: 429, headers: vec![("Retry-After".into(), "9".into())], body: vec![] });
    let (acting, _) = actuator([Err(Unreachable::NoConnection), busy]);
    for wait in [None, Some(Duration::from_secs(9))] {
        let error = acting.disconnect(&agent("1"), now()).await.unwrap_err();
        assert!(!error.may_have_happened() && error.is_transient(), "{error:?}");
        assert_eq!(error.retry_after(), wait);
    }
}

#[tokio::test]
async fn refusals_of_the_token_are_for_a_person_and_show_no_token_sec_11() {
    let failed = json!({"errors": [{"code": 4_010_010, "title": "Authentication Failed", "detail": null}]});
    let denied = json!({"errors": [{"code": 4_030_010, "title": "Insufficient permissions", "detail": "x"}]});
    let (acting, _) = actuator([says(401, &failed), says(403, &denied)]);
    let error = acting.set_status(&threats(&["1"]), ConsoleStatus::Resolved, now()).await.unwrap_err();
    assert!(matches!(error, Error::TokenRefused { code: Some(4_010_010) }) && !error.is_transient());
    let error = acting.set_status(&threats(&["1"]), ConsoleStatus::Resolved, now()).await.unwrap_err();
    assert!(matches!(error, Error::Scope { code: Some(4_030_010) }) && !error.may_have_happened());
    assert!(!format!("{acting:?} {error:?} {error}").contains("canary"));
}

#[tokio::test]
async fn a_note_that_the_console_would_refuse_is_not_sent() {
    let (acting, script) = actuator([]);
    for text in ["", "x", &"長".repeat(10_001)] {
        let error = acting.add_note(&threats(&["1"]), text, now()).await.unwrap_err();
        assert!(matches!(error, Error::Unsendable(_)));
    }
    assert!(script.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn agents_notes_activities_and_sites_are_read() {
    let agent_row = json!({"id": "9", "uuid": "u", "siteId": "11", "accountId": "7", "computerName": "ws-17",
        "networkStatus": "disconnected", "isActive": true, "machineType": "laptop", "osType": "windows_legacy"});
    let activity = json!({"id": "5", "activityType": "1001", "createdAt": "2026-09-18T08:20:00Z", "siteId": "11",
        "accountId": "7", "agentId": "9", "threatId": null, "primaryDescription": "d"});
    let account_wide = json!({"id": "6", "activityType": 27, "createdAt": "2026-09-18T08:20:00Z", "siteId": null,
        "accountId": "7"});
    let sites = json!({"sites": [{"id": "11", "name": "HQ", "accountId": "7"}, {"id": "99", "accountId": "7"}]});
    let (looking, script) = reader([
        says(200, &json!({"data": [agent_row]})),
        says(200, &json!({"data": [{"id": "3", "text": "n", "creator": "c", "createdAt": "2026-09-18T08:20:00Z"}]})),
        says(200, &json!({"data": [activity, account_wide]})),
        says(200, &json!({"data": sites})),
    ]);
    let agents = looking.agents(&agent("9"), now()).await.unwrap();
    let found = agents[0].as_ref().unwrap();
    assert_eq!(found.endpoint.network, domain::endpoint::Network::Isolated);
    assert_eq!(found.endpoint.machine, domain::endpoint::Machine::Laptop);

    let notes = looking.notes(&"1".parse().unwrap(), now()).await.unwrap();
    assert_eq!(notes[0].as_ref().unwrap().text.quoted(), "n");
    assert!(script.url(1).contains("/threats/1/notes?"));

    let kinds = [Activity::ISOLATED, Activity::ISOLATION_FAILED];
    let page = looking.activities_since(now(), &kinds, Some(&agent("9")), None, now()).await.unwrap();
    assert_eq!(page.activities[0].as_ref().unwrap().kind, Activity::ISOLATED);
    assert_eq!(page.activities[1].as_ref().unwrap_err().reason, RefusalReason::Foreign(Foreign::NoSite));
    assert!(script.query(2).contains(&("activityTypes".into(), "1001,2010".into())));

    let sites = looking.sites(now()).await.unwrap();
    assert_eq!(sites[0].as_ref().unwrap().name.quoted(), "HQ");
    assert_eq!(sites[1].as_ref().unwrap_err().reason, RefusalReason::Foreign(Foreign::Site));
}

#[tokio::test]
async fn each_family_and_each_token_has_its_own_budget() {
    let empty = || says(200, &json!({"data": []}));
    let (looking, script) = reader(std::iter::repeat_with(empty).take(60));
    let mut passed = 0;
    let refused = loop {
        match looking.changes_since(&changes(), None, now()).await {
            Ok(_) => passed += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(passed, 50, "the burst that the console allows for threats");
    assert!(refused.is_transient() && refused.retry_after().is_some());
    looking.agents(&agent("9"), now()).await.unwrap();
    assert_eq!(script.asked.lock().unwrap().len(), 51);
}

// ── looking things up ───────────────────────────────────────────────────────────────────────────────────────────────────

fn answered(status: &str, columns: &[&str], rows: &Value) -> Result<Answer, Unreachable> {
    let columns: Vec<Value> = columns.iter().map(|name| json!({"name": name, "type": "STRING"})).collect();
    says(200, &json!({"data": {"queryId": "pq-1", "status": status, "columns": columns, "data": rows}}))
}

fn own_sites() -> Result<Answer, Unreachable> {
    page(&[json!({"id": "11", "name": "Tokyo", "accountId": "7"})], &Value::Null)
}

const SPAN: (&str, &str) = ("2026-09-04T08:30:00Z", "2026-09-18T08:30:00Z");

/// Asked in the n-th second: the console takes four a second, and so does the client's budget.
async fn power(reader: &Reader, n: i64) -> Result<PowerProgress, Error> {
    let at = now() + SignedDuration::from_secs(n);
    reader.power_query("event.type = *", (SPAN.0.parse().unwrap(), SPAN.1.parse().unwrap()), at).await
}

#[tokio::test]
async fn rows_of_others_that_a_power_query_returns_are_dropped_counted_and_not_kept_as_they_came_sec_01() {
    let columns = ["endpoint.name", "site.id", "account.id"];
    let rows = json!([["ws-17", "11", "7"], ["their-pc", "99", "7"], ["theirs", "11", "8"], ["nobodys", null, null]]);
    let (reader, script) = reader([own_sites(), answered("FINISHED", &columns, &rows)]);
    let PowerProgress::Done(table) = power(&reader, 0).await.unwrap() else { panic!("it is finished") };
    assert_eq!((table.rows.len(), table.foreign), (1, 3));
    assert_eq!(table.cell(&table.rows[0], "endpoint.name").unwrap().for_matching(), "ws-17");
    assert!(table.raw.is_null(), "evidence must not hold another customer's rows");
    // The question itself names the sites and their account, without which the whole console would answer.
    let body = script.body(1);
    assert_eq!((&body["siteIds"], &body["accountIds"]), (&json!(["11", "12"]), &json!(["7"])));
}

#[tokio::test]
async fn a_power_query_that_does_not_say_whose_its_rows_are_proves_nothing() {
    let (reader, _) = reader([own_sites(), answered("FINISHED", &["endpoint.name"], &json!([["ws-17"]]))]);
    let PowerProgress::Done(table) = power(&reader, 0).await.unwrap() else { panic!("it is finished") };
    assert_eq!((table.rows.len(), table.foreign), (0, 1));
}

#[tokio::test]
async fn a_power_query_runs_fails_or_is_not_understood_and_each_is_said() {
    let hostile = says(200, &json!({"data": {"queryId": "../../users?x=", "status": "RUNNING"}}));
    let nameless = says(200, &json!({"data": {"columns": [], "data": []}}));
    let (reader, script) = reader([
        own_sites(),
        answered("RUNNING", &[], &json!([])),
        answered("FAILED_CLIENT", &[], &json!([])),
        own_sites(),
        hostile,
        own_sites(),
        nameless,
    ]);
    let PowerProgress::Running(id) = power(&reader, 0).await.unwrap() else { panic!("it runs") };
    let later = now() + SignedDuration::from_secs(1);
    assert!(matches!(reader.power_query_result(&id, later).await.unwrap(), PowerProgress::Failed(_)));
    assert!(script.url(2).ends_with("/dv/events/pq-ping?queryId=pq-1"), "{}", script.url(2));
    for n in [2, 3] {
        assert!(matches!(power(&reader, n).await, Err(Error::Malformed { .. })));
    }
}

#[tokio::test]
async fn events_of_another_customer_or_endpoint_are_refused_one_by_one_sec_01() {
    let event = |id: &str, site: &Value, agent: &str| {
        json!({"id": id, "siteId": site, "accountId": "7", "agentId": agent, "eventType": "FILECREATION",
            "objectType": "file", "fileFullName": "C:\\x\u{202e}exe.txt", "createdAt": "2026-09-18T08:00:00Z"})
    };
    let events = [
        event("1", &json!("11"), "9"),
        event("2", &json!("99"), "9"),
        event("3", &json!("11"), "8"),
        event("4", &Value::Null, "9"),
    ];
    let (reader, _) = reader([page(&events, &Value::Null)]);
    let found = reader.events_of(&"1".parse().unwrap(), &"9".parse().unwrap(), 100, now()).await.unwrap();
    let kept: Vec<&str> = found.records.iter().flatten().map(|taken| taken.record.id.for_matching()).collect();
    assert_eq!((kept, found.records.len(), found.cut), (vec!["1", "4"], 4, false));
}

#[tokio::test]
async fn software_is_asked_only_about_an_endpoint_that_is_the_customers_own_sec_01() {
    let theirs = json!({"id": "9", "siteId": "99", "accountId": "8", "computerName": "their-pc"});
    let (reader, script) = reader([page(&[theirs], &Value::Null)]);
    assert!(reader.applications(&"9".parse().unwrap(), now()).await.unwrap().is_none());
    assert_eq!(script.asked.lock().unwrap().len(), 1, "nothing was asked about their software");
}
