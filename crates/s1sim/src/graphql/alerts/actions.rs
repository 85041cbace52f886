//! What can be done to alerts. As on the console, an action is answered per alert (success, failure, skip), a refusal
//! is a failure inside a well-formed answer, and no filter at all means every alert in scope.

use serde_json::{Value, json};

use super::selected;
use crate::api::{Call, target};
use crate::graphql::Ask;
use crate::ledger::Done;
use crate::token::{Need, Scope, Token};
use crate::world::World;
use crate::world::unified::plain_verdict;

/// The actions every alert allows.
pub(super) const IDS: &[&str] = &[STATUS, VERDICT, ASSIGN, NOTE, TICKET];

const STATUS: &str = "S1/alert/statusUpdate";
const VERDICT: &str = "S1/alert/analystVerdictUpdate";
const ASSIGN: &str = "S1/alert/assignUser";
const NOTE: &str = "S1/alert/addNote";
const TICKET: &str = "S1/alert/setTicketId";

const MAX_ACTIONS: usize = 20;
const NO_PERMISSION: &str = "Missing UAM manage permissions";

pub(super) fn available(ask: &mut Ask<'_>) -> Result<Value, String> {
    let none = ask.args["filter"].is_null() || selected(ask.world, ask.call, ask.args)?.is_empty();
    let disabled = !ask.call.token.capability.covers(Need::Write);
    let reason = if disabled { json!(NO_PERMISSION) } else { Value::Null };
    let write = |(id, title, kind): (&str, &str, &str)| {
        json!({
            "id": id, "title": title, "type": kind, "types": [kind], "isDisabled": disabled, "disabledReason": reason,
            "triggeredAfter": [], "triggersActions": [],
        })
    };
    let listed = [
        (STATUS, "Set status", "STATUS_UPDATE"),
        (VERDICT, "Set analyst verdict", "ANALYST_VERDICT_UPDATE"),
        (ASSIGN, "Assign user", "ASSIGN_USER"),
        (NOTE, "Add note", "ADD_NOTE"),
        (TICKET, "Set ticket", "SET_TICKET_ID"),
    ];
    let data: Vec<Value> = if none { Vec::new() } else { listed.into_iter().map(write).collect() };
    Ok(json!({"data": data, "errors": []}))
}

/// An action that a payload asks for, checked.
enum Order<'a> {
    Status(&'static str, &'a str),
    Verdict(&'a str),
    Assign(Option<u64>),
    Note(&'a str, Option<&'a str>),
    Ticket(&'a str),
    /// An id no service answers for.
    Unknown,
}

pub(super) fn trigger(ask: &mut Ask<'_>) -> Result<Value, String> {
    let Ask { world, call, args } = ask;
    let asked = args["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if asked.is_empty() || asked.len() > MAX_ACTIONS {
        return Ok(refused(&format!("between 1 and {MAX_ACTIONS} actions are needed"), &Value::Null));
    }
    let mut orders = Vec::new();
    for action in asked {
        let id = action["id"].as_str().unwrap_or_default();
        match order(world, call, id, &action["payload"]) {
            Ok(order) => orders.push((id, order)),
            Err(message) => return Ok(refused(&message, action)),
        }
    }
    let alerts: Vec<(u64, String)> =
        selected(world, call, args)?.into_iter().map(|alert| (alert.id, alert.uuid)).collect();
    let actions: Vec<Value> = orders.iter().map(|(id, order)| carry_out(world, call, id, order, &alerts)).collect();
    Ok(json!({"__typename": "ActionsTriggered", "actions": actions}))
}

fn refused(message: &str, payload: &Value) -> Value {
    json!({"__typename": "TriggerActionsError", "errors": [{"errorMessage": message, "errorPayload": payload}]})
}

fn order<'a>(world: &World, call: &Call, id: &str, payload: &'a Value) -> Result<Order<'a>, String> {
    let value = |member: &str| payload[member]["value"].as_str();
    let missing = |member: &str| format!("Invalid payload for {id}: {member}.value is missing");
    Ok(match id {
        STATUS => {
            let word = value("status").ok_or_else(|| missing("status"))?;
            let status = match word {
                "NEW" => "unresolved",
                "IN_PROGRESS" => "in_progress",
                "RESOLVED" => "resolved",
                _ => return Err(format!("Invalid input for enum 'Status': {word}")),
            };
            Order::Status(status, word)
        }
        VERDICT => {
            let word = value("analystVerdict").ok_or_else(|| missing("analystVerdict"))?;
            plain_verdict(word).ok_or_else(|| format!("Invalid input for enum 'AnalystVerdict': {word}"))?;
            Order::Verdict(word)
        }
        ASSIGN => match &payload["assignUser"] {
            Value::Object(user) if user.get("value").is_some_and(Value::is_null) => Order::Assign(None),
            user => {
                let user = user["value"]
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| user["value"].as_u64().map(|id| id.to_string()));
                let user = user.ok_or_else(|| missing("assignUser"))?;
                let known = user.parse().ok().and_then(|id: u64| world.user(id));
                let known = known.filter(|user| user.user_id == call.token.user_id || sees(call, world, user));
                Order::Assign(Some(known.ok_or_else(|| format!("User with ID {user} not found"))?.user_id))
            }
        },
        NOTE => {
            let (plain, formatted) = (&payload["note"], &payload["formattedNote"]);
            let words = plain["value"].as_str().or(plain["text"].as_str()).or(formatted["text"].as_str());
            Order::Note(words.ok_or_else(|| missing("note"))?, formatted["type"].as_str())
        }
        TICKET => Order::Ticket(value("setTicketId").or_else(|| value("ticketId")).ok_or_else(|| missing("ticketId"))?),
        _ => Order::Unknown,
    })
}

/// Whether a user is within what the caller sees.
fn sees(call: &Call, world: &World, user: &Token) -> bool {
    match user.scope {
        Scope::Console => call.token.scope == Scope::Console,
        Scope::Account(id) => call.token.scope.sees(id, 0),
        Scope::Site(id) => world.site(id).is_some_and(|site| call.token.scope.sees(site.account, site.id)),
    }
}

fn carry_out(world: &mut World, call: &Call, id: &str, order: &Order<'_>, alerts: &[(u64, String)]) -> Value {
    let (mut success, mut failure, mut skip, mut done) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let allowed = call.token.capability.covers(Need::Write);
    for (threat, uuid) in alerts {
        let outcome = match order {
            Order::Unknown => Err("No result returned by target service".to_owned()),
            _ if !allowed => Err(NO_PERMISSION.to_owned()),
            _ if call.strike.conditions_not_met => Err("conditions_not_met".to_owned()),
            order => one(world, call, *threat, order),
        };
        done.push((*threat, outcome == Ok(true)));
        match outcome {
            Ok(true) => success.push(json!({"id": uuid})),
            Ok(false) => skip.push(
                json!({"id": uuid, "skipMessage": "The alert has this value already", "skipType": "ALREADY_SET"}),
            ),
            Err(message) => failure.push(json!({"id": uuid, "errorMessage": message, "errorType": "ACTION_FAILED"})),
        }
    }
    let (action, value) = match order {
        Order::Status(_, word) => ("incident", Some(*word)),
        Order::Verdict(word) => ("analyst-verdict", Some(*word)),
        Order::Assign(_) => ("assign-user", None),
        Order::Note(words, _) => ("note", Some(*words)),
        Order::Ticket(ticket) => ("external-ticket-id", Some(*ticket)),
        Order::Unknown => ("unknown", None),
    };
    let asked = alerts.iter().map(|(_, uuid)| uuid.clone()).collect();
    record(world, call, asked, action, value, &done);
    json!({"actionId": id, "alertCount": alerts.len(), "success": success, "failure": failure, "skip": skip})
}

/// Does one action to one alert; `false` when there was nothing to change.
fn one(world: &mut World, call: &Call, threat: u64, order: &Order<'_>) -> Result<bool, String> {
    let (by, now) = (&call.token, call.now);
    Ok(match order {
        Order::Status(status, _) => world.set_incident(threat, status, by, now) == "updated",
        Order::Verdict(word) => world.set_fine_verdict(threat, word, by, now) == "updated",
        Order::Assign(user) => world.assign(threat, *user, by, now),
        Order::Note(words, kind) => {
            note(world, call, threat, words, *kind)?;
            true
        }
        Order::Ticket(ticket) => {
            world.set_ticket(threat, ticket, now);
            true
        }
        Order::Unknown => false,
    })
}

/// Writes a note. The bounds are those of `/threats/notes`.
pub(super) fn note(world: &mut World, call: &Call, threat: u64, words: &str, kind: Option<&str>) -> Result<(), String> {
    if !(2..=10_000).contains(&words.chars().count()) {
        return Err("Invalid note: its length must be between 2 and 10000".to_owned());
    }
    world.add_note(threat, words, &call.token, call.now);
    world.touch(threat, call.now);
    let id = world.threats.get(&threat).and_then(|stored| stored.notes.last()).and_then(|note| note["id"].as_str());
    if let (Some(id), Some(kind)) = (id.map(str::to_owned), kind.filter(|kind| *kind != "PLAIN_TEXT")) {
        world.unified.entry(threat).or_default().note_types.push((id, kind.to_owned()));
    }
    Ok(())
}

/// Writes a mutation into the ledger, as the REST calls do.
pub(super) fn record(
    world: &mut World,
    call: &Call,
    asked: Vec<String>,
    action: &str,
    value: Option<&str>,
    done: &[(u64, bool)],
) {
    let targets = done
        .iter()
        .map(|(id, effective)| target(*id, world.threats.get(id).map(|stored| stored.site), *effective, None));
    let targets = targets.collect::<Vec<_>>();
    world.ledger.record(Done {
        at: call.now,
        method: call.method.to_string(),
        path: call.path.clone(),
        action: action.to_owned(),
        value: value.map(str::to_owned),
        token: call.token.name.clone(),
        asked,
        affected: done.iter().filter(|(_, effective)| *effective).count(),
        targets,
        answered: call.strike.lost.is_none(),
    });
}
