//! The GraphQL surfaces and the asset inventory over TLS, as other people's clients use them: what is asked is a story,
//! what is answered is compared with what the REST API says of the same world.

use axum::body::Body;
use axum::http::Request;
use s1sim::{Capability, Clock, Config, Fault, FaultKind, S1Sim, Threat};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::wire::{connect, talk};

const ALERTS: &str = "/web/api/v2.1/unifiedalerts/graphql";
const VULNERABILITIES: &str = "/web/api/v2.1/xspm/findings/vulnerabilities/graphql";
const MISCONFIGURATIONS: &str = "/web/api/v2.1/xspm/findings/misconfigurations/graphql";
const PURPLE: &str = "/web/api/v2.1/graphql";

struct Console {
    sim: S1Sim,
    /// A full token of the first customer's site.
    token: String,
}

impl Console {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let clock = Clock::manual("2026-11-24T01:00:00Z".parse().expect("a time"));
        let sim = S1Sim::start(Config { clock, ..config }).await.expect("the simulator starts");
        let token = sim.token("hoshimi", Capability::Full);
        Self { sim, token }
    }

    /// One call over TLS: the status, and the body if it is JSON.
    async fn call(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
        let stream = connect(&self.sim, self.sim.ca_pem()).await.expect("a trusted connection");
        let (answer, _) = talk(stream, method, path, token, body).await;
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Asks a GraphQL surface, whose answers are always 200.
    async fn ask_as(&self, token: &str, path: &str, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string();
        let (status, answer) = self.call("POST", path, token, &body).await;
        assert_eq!(status, 200, "{query}: {answer}");
        answer
    }

    async fn ask(&self, path: &str, query: &str, variables: Value) -> Value {
        let answer = self.ask_as(&self.token, path, query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {}", answer["errors"]);
        answer["data"].clone()
    }

    /// The error text of a query that fails.
    async fn fails(&self, path: &str, query: &str, variables: Value) -> String {
        let answer = self.ask_as(&self.token, path, query, variables).await;
        assert!(answer["data"].is_null(), "{answer}");
        answer["errors"][0]["message"].as_str().expect("an error").to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call("GET", &format!("/web/api/v2.1{path}"), &self.token, "").await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", &format!("/web/api/v2.1{path}"), &self.token, &body.to_string()).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    fn raise(&self, threat: &Threat) -> String {
        self.sim.raise("hoshimi", threat).expect("raised")
    }

    /// The unified alert of a threat.
    async fn alert_of(&self, threat: &str, fields: &str) -> Value {
        let query = format!(
            "query One($filters: [FilterInput!]) {{ alerts(filters: $filters, first: 1) {{ totalCount edges {{ node {{ {fields} }} }} }} }}"
        );
        let filters = json!([{"fieldId": "externalId", "stringEqual": {"value": threat}}]);
        let found = self.ask(ALERTS, &query, json!({"filters": filters})).await;
        assert_eq!(found["alerts"]["totalCount"], 1);
        found["alerts"]["edges"][0]["node"].clone()
    }

    /// Triggers one action on one alert.
    async fn trigger(&self, token: &str, alert: &str, action: &str, payload: Value) -> Value {
        let query = "mutation Do($actions: [TriggerActionInput!]!, $filter: OrFilterSelectionInput) {
            alertTriggerActions(actions: $actions, filter: $filter) { __typename
                ... on ActionsTriggered { actions { actionId alertCount success { id } failure { id errorMessage } skip { id skipMessage } } }
                ... on TriggerActionsError { errors { errorMessage } } } }";
        let filter = json!({"or": [{"and": [{"fieldId": "id", "stringIn": {"values": [alert]}}]}]});
        let variables = json!({"actions": [{"id": action, "payload": payload}], "filter": filter});
        let answer = self.ask_as(token, ALERTS, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["alertTriggerActions"].clone()
    }
}

/// A filter as the vendor's client sends it: every unused operator an explicit null.
fn filter(field: &str, operator: &str, operand: Value) -> Value {
    let mut filter = json!({
        "fieldId": field, "isNegated": false, "booleanEqual": null, "booleanIn": null, "dateTimeRange": null, "intEqual": null,
        "intIn": null, "intRange": null, "longEqual": null, "longIn": null, "longRange": null, "match": null,
        "stringEqual": null, "stringIn": null,
    });
    filter[operator] = operand;
    filter
}

#[tokio::test]
async fn a_threat_is_a_unified_alert_with_the_same_facts() {
    let console = Console::start().await;
    let threat = console.raise(&Threat::ransomware("HSM-PC-0101"));
    console.raise(&Threat::static_unknown("HSM-PC-0102"));
    let doc = console.get(&format!("/threats?ids={threat}")).await["data"][0].clone();
    let found = &doc["threatInfo"];

    let alert = console
        .alert_of(
            &threat,
            "id externalId name severity status analystVerdict classification confidenceLevel result detectedAt storylineId
             noteExists dataSources detectionSource { product vendor engine } asset { id name agentUuid connectivityToConsole }
             process { cmdLine parentName file { path sha1 sha256 } } realTime { scope { account { id } site { id name } } }
             detectionTime { targetUser { name domain } } indicators { type message } observables { name value } rawData
             availableActionIds assignee { userId }",
        )
        .await;
    assert_eq!((&alert["externalId"], &alert["name"]), (&json!(threat), &found["threatName"]));
    assert_eq!(
        (&alert["severity"], &alert["status"], &alert["result"]),
        (&json!("CRITICAL"), &json!("NEW"), &json!("UNMITIGATED"))
    );
    assert_eq!((&alert["classification"], &alert["confidenceLevel"]), (&json!("RANSOMWARE"), &json!("MALICIOUS")));
    assert_eq!((&alert["detectedAt"], &alert["storylineId"]), (&found["createdAt"], &found["storyline"]));
    assert_eq!(alert["process"]["cmdLine"], found["maliciousProcessArguments"]);
    assert_eq!(alert["process"]["file"]["sha256"], found["sha256"]);
    assert_eq!(alert["asset"]["agentUuid"], doc["agentRealtimeInfo"]["agentUuid"]);
    assert_eq!(alert["realTime"]["scope"]["site"]["id"], json!(console.sim.site_id("hoshimi")));
    assert_eq!(alert["detectionTime"]["targetUser"], json!({"name": "sato.kenji", "domain": "HOSHIMI"}));
    assert_eq!(alert["indicators"][0]["message"], doc["indicators"][0]["description"]);
    assert!(
        alert["observables"]
            .as_array()
            .expect("a list")
            .contains(&json!({"name": "file.hashes.sha1", "value": found["sha1"]}))
    );
    assert_eq!(alert["rawData"]["finding_info"]["uid"], json!(threat));

    let raw = "query($id: ID!) { alertWithRawIndicators(id: $id) { alert { externalId } rawIndicators } }";
    let raw = console.ask(ALERTS, raw, json!({"id": alert["id"]})).await["alertWithRawIndicators"].clone();
    assert_eq!((&raw["alert"]["externalId"], &raw["rawIndicators"]), (&json!(threat), &doc["indicators"]));

    let counts = "query($ids: [String!]!) { alertFiltersCount(fieldIds: $ids) { data { fieldId hasNextPage values { value label count } } } }";
    let counts = console.ask(ALERTS, counts, json!({"ids": ["severity"]})).await;
    let expected = json!([{"value": "CRITICAL", "label": "Critical", "count": 1}, {"value": "MEDIUM", "label": "Medium", "count": 1}]);
    assert_eq!(counts["alertFiltersCount"]["data"][0]["values"], expected);
}

#[tokio::test]
async fn what_is_decided_on_one_surface_shows_on_the_other() {
    let console = Console::start().await;
    let threat = console.raise(&Threat::ransomware("HSM-PC-0101"));
    let alert = console.alert_of(&threat, "id").await["id"].as_str().expect("an id").to_owned();

    let status = json!({"status": {"value": "IN_PROGRESS"}});
    let done = console.trigger(&console.token, &alert, "S1/alert/statusUpdate", status.clone()).await;
    assert_eq!(done["actions"][0]["success"], json!([{"id": alert}]));
    let verdict = json!({"analystVerdict": {"value": "TRUE_POSITIVE_RANSOMWARE"}});
    console.trigger(&console.token, &alert, "S1/alert/analystVerdictUpdate", verdict).await;
    let again = console.trigger(&console.token, &alert, "S1/alert/statusUpdate", status).await;
    assert_eq!((&again["actions"][0]["success"], &again["actions"][0]["skip"][0]["id"]), (&json!([]), &json!(alert)));
    let info = console.get(&format!("/threats?ids={threat}")).await["data"][0]["threatInfo"].clone();
    assert_eq!((&info["incidentStatus"], &info["analystVerdict"]), (&json!("in_progress"), &json!("true_positive")));
    let seen = console.alert_of(&threat, "status analystVerdict result").await;
    assert_eq!(
        seen,
        json!({"status": "IN_PROGRESS", "analystVerdict": "TRUE_POSITIVE_RANSOMWARE", "result": "UNMITIGATED"})
    );

    let ids = json!({"ids": [threat]});
    console
        .post("/threats/analyst-verdict", json!({"filter": ids, "data": {"analystVerdict": "false_positive"}}))
        .await;
    console.post("/threats/incident", json!({"filter": ids, "data": {"incidentStatus": "resolved"}})).await;
    let seen = console.alert_of(&threat, "status analystVerdict result").await;
    assert_eq!(seen, json!({"status": "RESOLVED", "analystVerdict": "FALSE_POSITIVE_UNDEFINED", "result": "BENIGN"}));

    let me = console.get("/user").await["data"]["id"].clone();
    console.trigger(&console.token, &alert, "S1/alert/assignUser", json!({"assignUser": {"value": me}})).await;
    assert_eq!(
        console.alert_of(&threat, "assignee { userId fullName }").await["assignee"],
        json!({"userId": me, "fullName": "hoshimi/full"})
    );
    let mine =
        "{ alerts(viewType: ASSIGNED_TO_ME) { totalCount } nobodys: alerts(viewType: UNASSIGNED) { totalCount } }";
    let mine = console.ask(ALERTS, mine, json!({})).await;
    assert_eq!((&mine["alerts"]["totalCount"], &mine["nobodys"]["totalCount"]), (&json!(1), &json!(0)));
    console.trigger(&console.token, &alert, "S1/alert/assignUser", json!({"assignUser": {"value": null}})).await;
    assert!(console.alert_of(&threat, "assignee { userId }").await["assignee"].is_null());

    let history = "query($id: ID!) { alertHistory(alertId: $id, first: 20) { totalCount edges { node { eventType
        historyItemCreator { __typename ... on UserHistoryItemCreator { userId } } } } } }";
    let history = console.ask(ALERTS, history, json!({"id": alert})).await["alertHistory"].clone();
    assert_eq!(history["totalCount"], 7);
    let of = |kind: &str| {
        let edges = history["edges"].as_array().expect("edges");
        edges
            .iter()
            .filter(|edge| edge["node"]["eventType"] == kind)
            .map(|edge| edge["node"]["historyItemCreator"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("CREATION"), [json!({"__typename": "SystemHistoryItemCreator"})]);
    assert_eq!(of("STATUS_UPDATE"), vec![json!({"__typename": "UserHistoryItemCreator", "userId": me}); 2]);
    let ledger = console.sim.ledger();
    let told = ledger.done.iter().filter(|done| done.path == "/unifiedalerts/graphql" && done.action == "incident");
    assert_eq!(
        told.map(|done| done.affected).collect::<Vec<_>>(),
        [1, 0],
        "the ledger tells which call changed something"
    );
}

#[tokio::test]
async fn notes_are_shared_both_ways() {
    let console = Console::start().await;
    let threat = console.raise(&Threat::ransomware("HSM-PC-0101"));
    let alert = console.alert_of(&threat, "id noteExists").await;
    assert_eq!(alert["noteExists"], false);
    let add = "mutation($id: ID!, $text: String!) { addAlertNote(alertId: $id, text: $text, type: MARKDOWN) { data { text type author { fullName } } } }";
    let note = console.ask(ALERTS, add, json!({"id": alert["id"], "text": "**端末を確認中**"})).await;
    assert_eq!(
        note["addAlertNote"]["data"],
        json!([{"text": "**端末を確認中**", "type": "MARKDOWN", "author": {"fullName": "hoshimi/full"}}])
    );
    let rest = json!({"filter": {"ids": [threat]}, "data": {"text": "Seen by the SOC"}});
    console.post("/threats/notes", rest).await;

    let notes = console.get(&format!("/threats/{threat}/notes")).await;
    assert_eq!(
        (&notes["data"][0]["text"], &notes["data"][1]["text"]),
        (&json!("**端末を確認中**"), &json!("Seen by the SOC"))
    );
    let read = "query($id: ID!) { alertNotes(alertId: $id) { data { id text type alertId createdAt } } }";
    let read = console.ask(ALERTS, read, json!({"id": alert["id"]})).await["alertNotes"]["data"].clone();
    assert_eq!(
        (&read[1]["text"], &read[1]["type"], &read[1]["alertId"]),
        (&json!("Seen by the SOC"), &json!("PLAIN_TEXT"), &alert["id"])
    );
    assert_eq!(read[0]["id"], notes["data"][0]["id"]);
    let noted = json!({"filters": [filter("alertNoteExists", "booleanIn", json!({"values": [true]}))]});
    let noted =
        console.ask(ALERTS, "query($filters: [FilterInput]) { alerts(filters: $filters) { totalCount } }", noted).await;
    assert_eq!(noted["alerts"]["totalCount"], 1);
}

#[tokio::test]
async fn a_collector_polls_by_time_and_page_and_sees_each_alert_once() {
    let console = Console::start().await;
    let mut raised = Vec::new();
    for n in 0..7 {
        console.sim.advance(std::time::Duration::from_secs(60));
        raised.push(console.raise(&Threat::new("HSM-PC-0101", &format!("tool{n}.exe"), s1sim::Engine::Behavioral)));
    }
    let query = "query Poll($filters: [FilterInput!], $first: Int!, $after: String) {
        alerts(filters: $filters, first: $first, after: $after, sort: {by: \"detectedAt\", order: ASC}) {
            edges { node { externalId detectedAt } cursor } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } }";
    let first: jiff::Timestamp = "2026-11-24T01:01:00Z".parse().expect("a time");
    let range = json!({"start": first.as_millisecond(), "startInclusive": false, "end": null, "endInclusive": true});
    let filters = json!([filter("detectedAt", "dateTimeRange", range)]);
    let (mut seen, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let page =
            console.ask(ALERTS, query, json!({"filters": filters, "first": 2, "after": after})).await["alerts"].clone();
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasPreviousPage"]), (&json!(6), &json!(pages > 0)));
        let edges = page["edges"].as_array().expect("edges").clone();
        seen.extend(edges.iter().map(|edge| edge["node"]["externalId"].as_str().expect("an id").to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!((pages, &seen[..]), (3, &raised[1..]), "the checkpoint itself is not repeated");
}

#[tokio::test]
async fn errors_are_answered_with_200_in_words_that_clients_look_for() {
    let console = Console::start().await;
    let one = "query($id: ID!) { alert(id: $id) { id } }";
    let fails = async |query: &str, id: &str| console.fails(ALERTS, query, json!({"id": id})).await;
    assert!(fails(one, "invalid-alert-id-12345").await.contains("Invalid UUID"));
    let field = fails("query($id: ID!) { alert(id: $id) { id mood } }", "x").await;
    assert!(field.starts_with("Cannot query field \"mood\" on type \"Alert\""), "{field}");
    let argument = fails("query($id: ID!) { alert(id: $id, loud: true) { id } }", "x").await;
    assert!(argument.starts_with("Unknown argument \"loud\""), "{argument}");
    for query in [
        "{ alerts(first: 0) { totalCount } }",
        "{ alerts(first: 101) { totalCount } }",
        "{ alerts(after: \"nothing\") { totalCount } }",
        "{ alerts(viewType: MINE) { totalCount } }",
        "{ alerts(sort: {by: \"mood\"}) { totalCount } }",
        "{ alerts(filters: [{fieldId: \"mood\", stringEqual: {value: \"x\"}}]) { totalCount } }",
        "{ alerts { totalCount ",
        "subscription { alerts { totalCount } }",
    ] {
        console.fails(ALERTS, query, json!({})).await;
    }
    let gone = console.ask(ALERTS, one, json!({"id": "0199f5c0-0000-7000-8000-000000000000"})).await;
    assert!(gone["alert"].is_null(), "an id of nothing is no error");
    let (status, _) = console.call("POST", ALERTS, &console.token, "{}").await;
    assert_eq!(status, 400, "a body without a query is no GraphQL request");
    let (status, _) = console.call("POST", ALERTS, "not-a-token", "{\"query\": \"{ __typename }\"}").await;
    assert_eq!(status, 401);
    // What is nested or repeated without end is refused before it is worked on.
    for query in [
        format!("{}{}", "{a".repeat(50_000), "}".repeat(50_000)),
        format!("{{ alerts(filters: {}{}) {{ totalCount }} }}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{{ {} }}", "alerts { totalCount } ".repeat(5_000)),
        "x".repeat(200_000),
    ] {
        console.fails(ALERTS, &query, json!({})).await;
    }
    let schema = console.ask(ALERTS, "{ __schema { queryType { name } types { name } } }", json!({})).await;
    assert!(schema["__schema"]["types"].as_array().expect("types").iter().any(|kind| kind["name"] == "FilterInput"));
}

#[tokio::test]
async fn a_token_sees_and_changes_its_own_part_alone() {
    let console = Console::start().await;
    let ours = console.raise(&Threat::ransomware("HSM-PC-0101"));
    let theirs = console.sim.raise("kanata", &Threat::ransomware("KNT-PC-0101")).expect("raised");
    let all = "{ alerts { totalCount edges { node { id externalId } } } }";
    assert_eq!(console.ask(ALERTS, all, json!({})).await["alerts"]["totalCount"], 1);
    let whole = console.sim.console_token(Capability::Full);
    let whole = console.ask_as(&whole, ALERTS, all, json!({})).await["data"]["alerts"].clone();
    assert_eq!(whole["totalCount"], 2);
    let edges = whole["edges"].as_array().expect("edges");
    let foreign =
        edges.iter().find(|edge| edge["node"]["externalId"] == json!(theirs)).expect("theirs")["node"]["id"].clone();
    let one = console.ask(ALERTS, "query($id: ID!) { alert(id: $id) { id } }", json!({"id": foreign})).await;
    assert!(one["alert"].is_null());
    let done = console
        .trigger(
            &console.token,
            foreign.as_str().expect("an id"),
            "S1/alert/statusUpdate",
            json!({"status": {"value": "RESOLVED"}}),
        )
        .await;
    assert_eq!(done["actions"][0]["alertCount"], 0);

    let scoped = "query($scope: ScopeSelectorInput) { alerts(scope: $scope) { totalCount } }";
    let site = json!({"scope": {"scopeIds": [console.sim.site_id("hoshimi")], "scopeType": "SITE"}});
    assert_eq!(console.ask(ALERTS, scoped, site).await["alerts"]["totalCount"], 1);
    let other = json!({"scope": {"scopeIds": [console.sim.account_id("kanata")], "scopeType": "ACCOUNT"}});
    assert!(console.fails(ALERTS, scoped, other).await.contains("permissions"));
    let global = json!({"scope": {"scopeIds": [], "scopeType": "GLOBAL"}});
    assert!(console.fails(ALERTS, scoped, global).await.contains("permissions"));

    let alert = console.alert_of(&ours, "id").await["id"].as_str().expect("an id").to_owned();
    let reader = console.sim.token("hoshimi", Capability::Read);
    let refused =
        console.trigger(&reader, &alert, "S1/alert/statusUpdate", json!({"status": {"value": "RESOLVED"}})).await;
    assert_eq!(refused["__typename"], "ActionsTriggered", "a refusal looks like an answer");
    assert_eq!(refused["actions"][0]["failure"][0]["errorMessage"], "Missing UAM manage permissions");
    assert_eq!(console.alert_of(&ours, "status").await["status"], "NEW");
}

#[tokio::test]
async fn an_action_without_a_filter_reaches_everything_and_an_unknown_one_nothing() {
    let console = Console::start().await;
    let one = console.raise(&Threat::ransomware("HSM-PC-0101"));
    console.raise(&Threat::static_unknown("HSM-PC-0102"));
    let id = console.alert_of(&one, "id").await["id"].as_str().expect("an id").to_owned();
    let unknown = console.trigger(&console.token, &id, "S1/alert/dance", json!({})).await;
    assert_eq!(unknown["actions"][0]["failure"][0]["errorMessage"], "No result returned by target service");
    let wrong =
        console.trigger(&console.token, &id, "S1/alert/statusUpdate", json!({"status": {"value": "CLOSED"}})).await;
    assert_eq!(wrong["__typename"], "TriggerActionsError");

    let verdict = json!({"analystVerdict": {"value": "TRUE_POSITIVE_MAYBE"}});
    let wrong = console.trigger(&console.token, &id, "S1/alert/analystVerdictUpdate", verdict).await;
    assert_eq!(wrong["__typename"], "TriggerActionsError");

    // As written by hand: enum words without quotes inside the payload.
    let all = "mutation { alertTriggerActions(actions: [{id: \"S1/alert/statusUpdate\", payload: {status: {value: RESOLVED}}}]) {
        ... on ActionsTriggered { actions { alertCount success { id } } } } }";
    let all = console.ask(ALERTS, all, json!({})).await["alertTriggerActions"]["actions"][0].clone();
    assert_eq!(all["alertCount"], 2, "no filter means every alert in scope, as on the console");
    assert_eq!(console.get("/threats?resolved=true").await["pagination"]["totalItems"], 2);
    let offered = "query($filter: OrFilterSelectionInput) { alertAvailableActions(filter: $filter) { data { id isDisabled } errors { errorMessage } } }";
    let by_id = json!({"filter": {"or": [{"and": [{"fieldId": "id", "stringEqual": {"value": id}}]}]}});
    let offered = console.ask(ALERTS, offered, by_id).await["alertAvailableActions"]["data"].clone();
    assert_eq!(offered[0], json!({"id": "S1/alert/statusUpdate", "isDisabled": false}));
}

#[tokio::test]
async fn every_field_the_vendors_client_filters_by_is_known() {
    let console = Console::start().await;
    console.raise(&Threat::ransomware("HSM-PC-0101"));
    let text = json!({"values": ["HIGH", "server", "x"]});
    let (alerts, vulnerabilities, misconfigurations) = (
        "id alertName severity status analystVerdict storylineId assigneeFullName",
        "name product vendor severity status analystVerdict assetName assetType assetCriticality assetCloudResourceId
         assigneeFullName cveId cveEpssScore cveExploitMaturity softwareName softwareType softwareVersion",
        "name product vendor severity status analystVerdict assetId assetName assetType assetCriticality assetCloudResourceId
         assigneeFullName commitedBy complianceStandards dataClassificationCategories enforcementAction environment exposureReason
         findingType iacFramework misconfigurationType organization requestCategory requestResourceName requestResourceType
         requestUserName secretHash secretType",
    );
    for (path, root, fields, flags) in [
        (ALERTS, "alerts", alerts, "alertNoteExists"),
        (
            VULNERABILITIES,
            "vulnerabilities",
            vulnerabilities,
            "cveExploitedInTheWild cveKevAvailable softwareFixVersionAvailable remediationInsightsAvailable",
        ),
        (
            MISCONFIGURATIONS,
            "misconfigurations",
            misconfigurations,
            "mitigable verifiedExploitable hasClassifiedData secretValidity assetPrivileged",
        ),
    ] {
        let query = format!("query($filters: [FilterInput]) {{ {root}(filters: $filters) {{ totalCount }} }}");
        let texts = fields.split_whitespace().map(|field| filter(field, "stringIn", text.clone()));
        let flags =
            flags.split_whitespace().map(|field| filter(field, "booleanIn", json!({"values": [true, false, null]})));
        let time = json!({"start": 0, "startInclusive": true, "end": null, "endInclusive": true});
        let rest = [filter("detectedAt", "dateTimeRange", time)];
        for filter in texts.chain(flags).chain(rest) {
            console.ask(path, &query, json!({"filters": [filter]})).await;
        }
        let all = console.ask(path, &query, json!({"filters": null})).await[root]["totalCount"].as_u64();
        assert!(all.is_some_and(|all| all > 0), "{root}");
    }
}

#[tokio::test]
async fn vulnerabilities_follow_from_the_endpoints_and_can_be_narrowed_down() {
    let console = Console::start().await;
    let list = "query($filters: [FilterInput!], $first: Int!, $after: String) { vulnerabilities(filters: $filters, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { node { id severity status detectedAt
            asset { name type criticality agentUuid osType } scope { site { id } }
            cve { id epssScore kevAvailable nvdBaseScore s1BaseValues { attackVector } } software { name version fixVersion type } } } } }";
    let backup = json!([filter("assetName", "match", json!({"values": ["bk01"]}))]);
    let found =
        console.ask(VULNERABILITIES, list, json!({"filters": backup, "first": 10})).await["vulnerabilities"].clone();
    assert_eq!(found["totalCount"], 1);
    let node = &found["edges"][0]["node"];
    assert_eq!(
        (&node["cve"]["id"], &node["severity"], &node["asset"]["criticality"]),
        (&json!("CVE-2024-40711"), &json!("CRITICAL"), &json!("CRITICAL"))
    );
    assert_eq!(
        node["software"],
        json!({"name": "Backup & Replication", "version": "12.1.2.172", "fixVersion": "12.2.0.334", "type": "APP"})
    );
    assert_eq!(node["cve"]["s1BaseValues"]["attackVector"], "NETWORK");
    let agent = console.get("/agents?computerName__contains=BK01").await["data"][0].clone();
    assert_eq!(node["asset"]["agentUuid"], agent["uuid"]);

    let likely = json!([filter("cveEpssScore", "stringIn", json!({"values": ["0.75-1.0"]}))]);
    let likely =
        console.ask(VULNERABILITIES, list, json!({"filters": likely, "first": 100})).await["vulnerabilities"].clone();
    let edges = likely["edges"].as_array().expect("edges");
    assert!(
        !edges.is_empty()
            && edges.iter().all(|edge| edge["node"]["cve"]["epssScore"].as_f64().is_some_and(|score| score >= 0.75))
    );
    let not_listed = json!([filter("cveKevAvailable", "booleanEqual", json!({"value": false}))]);
    let not_listed =
        console.ask(VULNERABILITIES, list, json!({"filters": not_listed, "first": 100})).await["vulnerabilities"]
            .clone();
    assert!(
        not_listed["edges"].as_array().expect("edges").iter().all(|edge| edge["node"]["cve"]["kevAvailable"] == false)
    );

    let (mut seen, mut after, mut total) = (std::collections::BTreeSet::new(), Value::Null, 0);
    loop {
        let page =
            console.ask(VULNERABILITIES, list, json!({"first": 3, "after": after})).await["vulnerabilities"].clone();
        let edges = page["edges"].as_array().expect("edges").clone();
        total += edges.len();
        seen.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!((json!(seen.len()), seen.len()), (page["totalCount"].clone(), total));
            break;
        }
    }
    let one = "query($id: ID!) { vulnerability(id: $id) { id externalId scopeLevel cve { description riskIndicators { severity values } timeline { key } }
            findingData { context } paidScope selfLink }
        vulnerabilityNotes(vulnerabilityId: $id) { totalCount edges { node { text vulnerabilityId author { fullName } } } }
        vulnerabilityHistory(vulnerabilityId: $id) { totalCount edges { node { eventType eventText createdAt } } } }";
    let whole = console.ask(VULNERABILITIES, one, json!({"id": node["id"]})).await;
    assert_eq!(whole["vulnerability"]["externalId"], "CVE-2024-40711 Backup & Replication");
    let decided = node["status"] != "NEW";
    assert_eq!(whole["vulnerabilityNotes"]["totalCount"], json!(u8::from(decided)));
    assert_eq!(whole["vulnerabilityHistory"]["totalCount"], json!(if decided { 3 } else { 1 }));
    assert!(console.fails(VULNERABILITIES, one, json!({"id": "nonsense"})).await.contains("Invalid UUID"));
}

#[tokio::test]
async fn misconfigurations_say_what_the_agents_say() {
    let console = Console::start().await;
    let query = "query($filters: [FilterInput], $view: ViewType) { misconfigurations(filters: $filters, first: 100, viewType: $view) {
        totalCount edges { node { id externalId asset { name privileged } complianceStandards evidence { fileName secret { type valid } }
            mitreAttacks { techniqueId tacticName } remediation { mitigable mitigationSteps } } } } }";
    let ask = async |filters: Value, view: &str| {
        console.ask(MISCONFIGURATIONS, query, json!({"filters": filters, "view": view})).await["misconfigurations"]
            .clone()
    };
    let all = ask(Value::Null, "ALL").await;
    let edges = all["edges"].as_array().expect("edges");
    let mut detecting: Vec<&str> = edges
        .iter()
        .filter(|edge| edge["node"]["externalId"] == "s1-detect-only")
        .filter_map(|edge| edge["node"]["asset"]["name"].as_str())
        .collect();
    detecting.sort_unstable();
    let agents = console.get("/agents?mitigationMode=detect&limit=100").await;
    let mut modes: Vec<&str> =
        agents["data"].as_array().expect("agents").iter().filter_map(|agent| agent["computerName"].as_str()).collect();
    modes.sort_unstable();
    assert_eq!(detecting, modes);
    let secrets = ask(Value::Null, "SECRET_SCANNING").await;
    assert_eq!(
        (&secrets["totalCount"], &secrets["edges"][0]["node"]["evidence"]["secret"]),
        (&json!(1), &json!({"type": "PASSWORD", "valid": true}))
    );
    assert_eq!(ask(Value::Null, "KUBERNETES").await["totalCount"], 0);
    let pci = ask(json!([filter("complianceStandards", "match", json!({"values": ["pci"]}))]), "ALL").await;
    let pci = pci["edges"].as_array().expect("edges");
    assert!(
        !pci.is_empty() && pci.iter().all(|edge| edge["node"]["complianceStandards"].to_string().contains("PCI DSS"))
    );
    let privileged = ask(json!([filter("assetPrivileged", "booleanEqual", json!({"value": true}))]), "IDENTITY").await;
    assert_eq!(privileged["totalCount"], 2, "both domain controllers");
}

#[tokio::test]
async fn the_inventory_counts_the_endpoints_and_refuses_keys_it_does_not_know() {
    let console = Console::start().await;
    let agents = console.get("/agents?countOnly=true").await["pagination"]["totalItems"].clone();
    let endpoints = console.get("/xdr/assets/surface/endpoint?limit=5&skip=3").await;
    assert_eq!(endpoints["pagination"]["totalCount"], agents);
    assert_eq!(endpoints["data"].as_array().map(Vec::len), Some(5));
    let everything = console.get("/xdr/assets?limit=1000").await;
    assert_eq!(endpoints["data"][0], everything["data"][3]);
    let people = console.get("/xdr/assets/surface/identity?limit=100").await;
    let admin = people["data"]
        .as_array()
        .expect("people")
        .iter()
        .find(|asset| asset["name"] == "HOSHIMI\\administrator")
        .expect("the administrator");
    assert_eq!((&admin["privileged"], &admin["hostnames"]), (&json!(true), &json!(["HSM-DC01", "HSM-DC02"])));
    assert_eq!(console.get("/xdr/assets/surface/cloud").await["pagination"]["totalCount"], 0);

    let search = async |filter: Value| console.post("/xdr/assets", json!({"filter": filter})).await;
    let servers = search(json!({"resourceType": ["windows server"], "assetStatus": ["Active"], "name__contains": ["dc"], "limit": 50, "skip": 0})).await;
    assert_eq!(servers["pagination"]["totalCount"], 2);
    let dc = &servers["data"][0];
    assert_eq!(
        (&dc["name"], &dc["assetCriticality"], &dc["osFamily"]),
        (&json!("HSM-DC01"), &json!("Critical"), &json!("Windows"))
    );
    assert_eq!(search(json!({"id__in": [dc["id"]]})).await["data"][0], *dc);
    console.sim.set_offline("HSM-DC01");
    assert_eq!(search(json!({"assetStatus": ["Inactive"]})).await["data"][0]["name"], "HSM-DC01");
    let active = json!({"lastActiveDt__between": {"from": "2026-11-24", "to": "2026-11-25"}});
    assert_eq!(search(active).await["pagination"]["totalCount"], everything["pagination"]["totalCount"]);
    let typo = json!({"filter": {"resourceTypes": ["Windows Server"]}}).to_string();
    assert_eq!(console.call("POST", "/web/api/v2.1/xdr/assets", &console.token, &typo).await.0, 400);
    assert_eq!(console.call("GET", "/web/api/v2.1/xdr/assets?limit=1001", &console.token, "").await.0, 400);
}

#[tokio::test]
async fn the_assistant_tells_the_figures_of_the_callers_part_and_how_to_look() {
    let console = Console::start().await;
    let query = "query Ask($input: String!) { purpleLaunchQuery(request: {
        isAsync: false contentType: NATURAL_LANGUAGE consoleDetails: {baseUrl: \"https://x\", version: \"S\"}
        conversation: {id: \"c1\", messages: [], entitlements: null}
        inputContent: {userInput: $input displayedTimeRange: {start: 1, end: 2} viewSelector: EDR contentType: NATURAL_LANGUAGE
            userDetails: {accountId: \"0\" teamToken: \"0\" sessionId: null emailAddress: null userAgent: \"t\" buildDate: null buildHash: null}} }) {
        result { message summary powerQuery { query timeRange { start end } viewSelector } suggestedQuestions { powerQuery question } }
        resultType status { state error { errorDetail errorType origin } } stepsCompleted token } }";
    let ask =
        async |input: &str| console.ask(PURPLE, query, json!({"input": input})).await["purpleLaunchQuery"].clone();
    let before = ask("What happened?").await;
    console.raise(&Threat::ransomware("HSM-PC-0101"));
    console.sim.raise("kanata", &Threat::ransomware("KNT-PC-0101")).expect("raised");
    let after = ask("What happened?").await;
    assert_eq!((&after["resultType"], &after["status"]["state"]), (&json!("MESSAGE"), &json!("COMPLETED")));
    let summary = |answer: &Value| answer["result"]["summary"].as_str().expect("a summary").to_owned();
    assert!(
        summary(&before).contains("0 alerts are known") && summary(&after).contains("1 alerts are known"),
        "{}",
        summary(&after)
    );
    assert!(after["result"]["message"].as_str().expect("a message").contains("no language model"));
    let shown = ask("Show me network connections").await;
    assert_eq!(shown["resultType"], "POWER_QUERY");
    let expected = json!({"query": "event.category = 'ip' | group hits = count() by dst.ip.address, dst.port.number | sort -hits | limit 100",
        "timeRange": {"start": 1, "end": 2}, "viewSelector": "EDR"});
    assert_eq!(shown["result"]["powerQuery"], expected);
    assert_eq!(ask(" ").await["status"]["error"]["errorType"], "INVALID_INPUT");
}

#[tokio::test]
async fn every_surface_takes_a_token_under_each_of_its_four_names() {
    let sim = S1Sim::in_process("https://console.test", &Config::default());
    let token = sim.token("hoshimi", Capability::Read);
    for path in [ALERTS, VULNERABILITIES, MISCONFIGURATIONS, PURPLE, "/web/api/v2.1/xdr/assets"] {
        for (scheme, expected) in
            [("ApiToken", 200), ("APIToken", 200), ("Token", 200), ("bearer", 200), ("Basic", 401)]
        {
            let request = Request::post(path).header("authorization", format!("{scheme} {token}"));
            let request = request.body(Body::from(r#"{"query": "{ __typename }"}"#)).expect("a request");
            let answer = sim.router().oneshot(request).await.expect("the service never fails");
            assert_eq!(answer.status(), expected, "{scheme} on {path}");
        }
    }
}

#[tokio::test]
async fn faults_and_limits_apply_to_these_surfaces_too() {
    let console = Console::with(Config { rate_limits: true, ..Config::default() }).await;
    let body = json!({"query": "{ alerts { totalCount } }"}).to_string();
    let status = async |token: &str| console.call("POST", ALERTS, token, &body).await.0;
    console.sim.faults().add(Fault::new(FaultKind::Status { status: 503 }).on("POST", "/unifiedalerts"));
    console
        .sim
        .faults()
        .add(Fault::new(FaultKind::TooManyRequests { retry_after: Some(3) }).on("POST", "/unifiedalerts"));
    assert!([429, 503].contains(&status(&console.token).await));
    for _ in 0..25 {
        assert_eq!(status(&console.token).await, 200);
    }
    assert_eq!(status(&console.token).await, 429, "25 a second and token");
    assert_eq!(status(&console.sim.token("kanata", Capability::Read)).await, 200, "another token is not held up");
    console.sim.advance(std::time::Duration::from_secs(1));
    assert_eq!(status(&console.token).await, 200);
}

const SDL: &str = "/sdl/v2/api/queries";

impl Console {
    /// A call of the data lake, with headers of its own; the answer's status, forward tag and body.
    async fn lake(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> (u16, String, Value) {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if method == "POST" { Body::from(body.to_string()) } else { Body::empty() };
        let answer =
            self.sim.router().oneshot(request.body(body).expect("a request")).await.expect("the service never fails");
        let tag = answer
            .headers()
            .get("x-dataset-query-forward-tag")
            .and_then(|tag| tag.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a whole body");
        (status, tag, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Launches a query over the last hour and looks at it until it is answered.
    async fn lake_rows(&self, token: &str, query: &str, more: Value) -> Result<Value, (u16, Value)> {
        let mut body = json!({"queryType": "PQ", "queryPriority": "LOW", "startTime": "1h", "endTime": "0s", "pq": {"query": query, "resultType": "TABLE"}});
        for (member, value) in more.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        let (status, tag, mut answer) = self.lake("POST", SDL, token, &[], body).await;
        if status != 200 {
            return Err((status, answer));
        }
        let path = format!("{SDL}/{}", answer["id"].as_str().expect("an id"));
        let tag = [("x-dataset-query-forward-tag", tag.as_str())];
        for _ in 0..10 {
            if answer["stepsCompleted"] == answer["totalSteps"] {
                assert_eq!(self.lake("DELETE", &path, token, &tag, Value::Null).await.0, 204);
                return Ok(answer["data"].clone());
            }
            assert!(answer["data"].is_null(), "nothing before the last step");
            let looked = format!("{path}?lastStepSeen={}", answer["stepsCompleted"]);
            answer = self.lake("GET", &looked, token, &tag, Value::Null).await.2;
        }
        panic!("the query never ends");
    }
}

#[tokio::test]
async fn a_long_running_query_finds_what_the_endpoints_recorded() {
    let console = Console::start().await;
    console.raise(&Threat::ransomware("HSM-PC-0101"));
    console.sim.raise("kanata", &Threat::ransomware("KNT-PC-0101")).expect("raised");
    console.sim.advance(std::time::Duration::from_secs(300));
    let query = "event.type = 'Process Creation' and tgt.process.cmdline contains 'all-drives' | columns endpoint.name, site.id, tgt.process.cmdline, event.time | limit 10";
    let found = console.lake_rows(&console.token, query, json!({})).await.expect("rows");
    let names: Vec<&str> =
        found["columns"].as_array().expect("columns").iter().filter_map(|column| column["name"].as_str()).collect();
    assert_eq!(names, ["endpoint.name", "site.id", "tgt.process.cmdline", "event.time"]);
    let rows = found["values"].as_array().expect("rows");
    assert_eq!((rows.len(), &found["matchCount"]), (1, &json!(1)), "{found}");
    assert_eq!((&rows[0][0], &rows[0][1]), (&json!("HSM-PC-0101"), &json!(console.sim.site_id("hoshimi"))));
    assert!(rows[0][2].as_str().is_some_and(|line| line.contains("--all-drives")));

    let named = console.lake_rows(&console.token, &format!("filter {query}"), json!({})).await.expect("rows");
    assert_eq!(named, found, "the first condition may be named");

    let whole = console.sim.console_token(Capability::Read);
    let rows = async |more: Value| {
        console.lake_rows(&whole, query, more).await.map(|found| found["values"].as_array().map_or(0, Vec::len))
    };
    assert_eq!(rows(json!({"tenant": true})).await, Ok(2));
    assert_eq!(rows(json!({"accountIds": [console.sim.account_id("kanata")]})).await, Ok(1));
    let both = json!({"tenant": true, "accountIds": [console.sim.account_id("kanata")]});
    assert_eq!(rows(both).await.map_err(|(status, _)| status), Err(400));
    let foreign = json!({"accountIds": [console.sim.account_id("kanata")]});
    assert_eq!(console.lake_rows(&console.token, query, foreign).await.map_err(|(status, _)| status), Err(403));
    for (query, more) in [
        ("invalid_syntax | bad_operator", json!({})),
        (query, json!({"startTime": "0s", "endTime": "1h"})),
        (query, json!({"startTime": "yesterday"})),
        (query, json!({"queryType": "LOG"})),
        (query, json!({"pq": {"query": query, "resultType": "PLOT"}})),
    ] {
        assert_eq!(console.lake_rows(&console.token, query, more).await.map_err(|(status, _)| status), Err(400));
    }
}

#[tokio::test]
async fn a_long_running_query_needs_its_tag_and_lives_half_a_minute() {
    let console = Console::start().await;
    let body =
        json!({"queryType": "PQ", "startTime": "1h", "pq": {"query": "dataSource.vendor = 'SentinelOne' | limit 1"}});
    let (status, tag, answer) = console.lake("POST", SDL, &console.token, &[], body).await;
    assert_eq!(status, 200, "{answer}");
    let path = format!("{SDL}/{}", answer["id"].as_str().expect("an id"));
    let tag = [("x-dataset-query-forward-tag", tag.as_str())];
    let look = async |token: &str, tag: &[(&str, &str)]| console.lake("GET", &path, token, tag, Value::Null).await.0;
    assert_eq!(look(&console.token, &[]).await, 404);
    assert_eq!(look(&console.sim.token("kanata", Capability::Full), &tag).await, 404);
    assert_eq!(look(&console.token, &tag).await, 200);
    console.sim.advance(std::time::Duration::from_secs(31));
    assert_eq!(look(&console.token, &tag).await, 404);
    assert_eq!(console.lake("DELETE", &path, &console.token, &tag, Value::Null).await.0, 404);
    assert_eq!(console.lake("DELETE", "/web/api/v2.1/threats/notes", &console.token, &[], Value::Null).await.0, 404);
}
