//! The assistant. No language model runs here: the answer is one sentence that says so and the figures of the caller's
//! part of the world that bear on the question's words. A request to be shown something gets the query to run.

use serde_json::{Value, json};

use super::{Ask, Root};
use crate::digest;
use crate::world::text;

pub(super) const SDL: &str = include_str!("purple.graphql");

pub(super) const ROOTS: &[(&str, Root)] = &[("purpleLaunchQuery", launch)];

const MAX_QUESTION: usize = 8_192;

/// Words of a question, and the query over telemetry that shows what it is about.
const QUERIES: &[(&[&str], &str)] = &[
    (
        &["network", "traffic", "connection"],
        "event.category = 'ip' | group hits = count() by dst.ip.address, dst.port.number | sort -hits | limit 100",
    ),
    (&["dns", "domain"], "event.category = 'dns' | group hits = count() by event.dns.request | sort -hits | limit 100"),
    (&["file"], "event.category = 'file' | group hits = count() by tgt.file.path | sort -hits | limit 100"),
    (
        &["log-in", "login", "logon", "logins"],
        "event.category = 'logins' | group hits = count() by endpoint.name | sort -hits | limit 100",
    ),
    (&["registry"], "event.category = 'registry' | group hits = count() by registry.keyPath | sort -hits | limit 100"),
    (
        &["process", "command", "powershell"],
        "event.type = 'Process Creation' | columns event.time, endpoint.name, src.process.name, tgt.process.cmdline | limit 100",
    ),
];

/// Beginnings of a request to be shown something.
const SHOW: &[&str] = &["show", "list", "find", "search", "hunt"];

fn launch(ask: &mut Ask<'_>) -> Result<Value, String> {
    let content = &ask.args["request"]["inputContent"];
    let question = content["userInput"].as_str().unwrap_or_default();
    if question.trim().is_empty() || question.len() > MAX_QUESTION {
        return Ok(failed(&format!("the question must have between 1 and {MAX_QUESTION} bytes")));
    }
    let words = question.to_lowercase();
    let topic =
        QUERIES.iter().find(|(terms, _)| terms.iter().any(|term| words.contains(term))).map(|(_, query)| *query);
    let range = &content["displayedTimeRange"];
    let shows = words.split_whitespace().next().is_some_and(|first| SHOW.contains(&first));
    let query = topic.filter(|_| shows);
    let summary = figures(ask);
    let suggested: Vec<Value> = topic
        .map(|query| json!({"powerQuery": query, "question": "Show me the events behind this"}))
        .into_iter()
        .collect();
    Ok(json!({
        "result": {
            "message": format!("This console is simulated and no language model runs in it. What the security data in your scope says: {summary}"),
            "summary": summary,
            "powerQuery": query.map(|query| json!({
                "query": query, "viewSelector": "EDR",
                "timeRange": if range.is_null() { Value::Null } else { json!({"start": range["start"], "end": range["end"]}) },
            })),
            "starRule": null, "suggestedActions": [], "suggestedQuestions": suggested, "maskedMetadata": null,
        },
        "resultType": if query.is_some() { "POWER_QUERY" } else { "MESSAGE" },
        "status": {"state": "COMPLETED", "error": null}, "stepsCompleted": 1,
        "token": digest::uuid(&format!("purple {question}")),
    }))
}

fn failed(detail: &str) -> Value {
    json!({
        "result": null, "resultType": null, "stepsCompleted": 0, "token": null,
        "status": {"state": "FAILED", "error": {"errorDetail": detail, "errorType": "INVALID_INPUT", "origin": "console"}},
    })
}

/// What there is to say of the caller's part of the world.
fn figures(ask: &Ask<'_>) -> String {
    let (world, call) = (&ask.world, ask.call);
    let agents = world.agents.values().filter(|agent| call.token.scope.sees(agent.account, agent.site));
    let (endpoints, infected, cut_off) = agents.fold((0, 0, 0), |(all, infected, cut), agent| {
        let ill = agent.doc["infected"] == true;
        let off = text(&agent.doc, "/networkStatus") == "disconnected";
        (all + 1, infected + u32::from(ill), cut + u32::from(off))
    });
    let seen = world.threats.values().filter(|stored| call.token.scope.sees(stored.account, stored.site));
    let docs: Vec<&Value> = seen.filter_map(|stored| stored.visible(call.now)).collect();
    let count = |pointer: &str, value: &str| docs.iter().filter(|doc| text(doc, pointer) == value).count();
    format!(
        "{endpoints} endpoints are enrolled, {infected} of them infected and {cut_off} cut off from the network; {} alerts are known, {} of them unresolved and {} not mitigated; {} indicators of compromise or attack were recorded with them.",
        docs.len(),
        count("/threatInfo/incidentStatus", "unresolved"),
        count("/threatInfo/mitigationStatus", "not_mitigated"),
        docs.iter().filter_map(|doc| doc["indicators"].as_array()).map(Vec::len).sum::<usize>(),
    )
}
