//! Unified alerts: every threat of the world as an alert, to be listed, read, noted on and decided about. Nothing is
//! kept here; what a mutation changes is the threat itself, so `/threats` shows it too.

mod actions;
mod node;

use serde_json::{Value, json};

use super::filter::{Row, Selection, check_scope};
use super::{Ask, Root, connection};
use crate::api::Call;
use crate::clock::parse;
use crate::token::Need;
use crate::world::unified::{self, Extra};
use crate::world::{Agent, Stored, World, text};

pub(super) const SDL: &str = include_str!("alerts.graphql");

pub(super) const ROOTS: &[(&str, Root)] = &[
    ("alert", alert),
    ("alertWithRawIndicators", with_raw_indicators),
    ("alerts", alerts),
    ("alertNotes", notes),
    ("alertHistory", history),
    ("alertAvailableActions", actions::available),
    ("alertFiltersCount", filters_count),
    ("alertTriggerActions", actions::trigger),
    ("addAlertNote", add_note),
];

const FIELDS: &[&str] = &[
    "id",
    "externalId",
    "alertName",
    "name",
    "description",
    "severity",
    "status",
    "analystVerdict",
    "classification",
    "confidenceLevel",
    "result",
    "detectedAt",
    "createdAt",
    "updatedAt",
    "firstSeenAt",
    "lastSeenAt",
    "storylineId",
    "ticketId",
    "alertNoteExists",
    "noteExists",
    "assigneeUserId",
    "assigneeFullName",
    "assetName",
    "assetId",
    "detectionProduct",
    "detectionVendor",
    "accountId",
    "siteId",
    "groupId",
    "fileHash",
];

/// An alert as a query looks at it.
struct Alert<'a> {
    id: u64,
    uuid: String,
    stored: &'a Stored,
    doc: &'a Value,
    agent: &'a Agent,
    extra: Option<&'a Extra>,
    /// The name of whom it is assigned to.
    assignee: Option<&'a str>,
}

impl Row for Alert<'_> {
    fn knows(field: &str) -> bool {
        FIELDS.contains(&field)
    }

    fn id(&self) -> &str {
        &self.uuid
    }

    fn field(&self, field: &str) -> Value {
        let found = &self.doc["threatInfo"];
        match field {
            "id" => self.uuid.as_str().into(),
            "externalId" => self.doc["id"].clone(),
            "alertName" | "name" => found["threatName"].clone(),
            "description" => node::description(self.doc, &self.agent.host).into(),
            "severity" => node::severity(self.doc).into(),
            "status" => node::status(self.doc).into(),
            "analystVerdict" => Extra::verdict(self.extra, text(found, "/analystVerdict")).into(),
            "classification" => node::classification(self.doc).into(),
            "confidenceLevel" => node::upper(text(found, "/confidenceLevel")).into(),
            "result" => node::result(self.doc).into(),
            "detectedAt" | "createdAt" => found["createdAt"].clone(),
            "updatedAt" | "lastSeenAt" => found["updatedAt"].clone(),
            "firstSeenAt" => found["identifiedAt"].clone(),
            "storylineId" => found["storyline"].clone(),
            "ticketId" => found["externalTicketId"].clone(),
            "alertNoteExists" | "noteExists" => (!self.stored.notes.is_empty()).into(),
            "assigneeUserId" => self.extra.and_then(|extra| extra.assignee).map(|id| id.to_string()).into(),
            "assigneeFullName" => self.assignee.into(),
            "assetName" => self.agent.host.as_str().into(),
            "assetId" => self.agent.id.to_string().into(),
            "detectionProduct" => node::PRODUCT.into(),
            "detectionVendor" => node::VENDOR.into(),
            "fileHash" => json!([found["sha1"], found["sha256"], found["md5"]]),
            "accountId" | "siteId" | "groupId" => self.agent.doc[field].clone(),
            _ => Value::Null,
        }
    }

    fn place(&self) -> [&str; 3] {
        ["/accountId", "/siteId", "/groupId"].map(|at| text(&self.agent.doc, at))
    }
}

/// One threat as an alert, if the caller may see it and lists show it yet.
fn shown<'a>(world: &'a World, call: &Call, id: u64) -> Option<Alert<'a>> {
    let stored = world.threats.get(&id)?;
    let doc = stored.visible(call.now).filter(|_| call.token.scope.sees(stored.account, stored.site))?;
    let agent = world.agents.get(&stored.agent)?;
    let extra = world.unified.get(&id);
    let assignee = extra.and_then(|extra| world.user(extra.assignee?)).map(|user| user.name.as_str());
    let created = parse(text(doc, "/threatInfo/createdAt")).unwrap_or_default();
    Some(Alert { id, uuid: unified::uuid(id, created), stored, doc, agent, extra, assignee })
}

/// The alert that an argument names.
fn find<'a>(world: &'a World, call: &Call, uuid: &str) -> Result<Option<Alert<'a>>, String> {
    let found = shown(world, call, unified::id_of(uuid)?);
    Ok(found.filter(|alert| alert.uuid.eq_ignore_ascii_case(uuid)))
}

fn known<'a>(world: &'a World, call: &Call, args: &Value) -> Result<Alert<'a>, String> {
    let uuid = args["alertId"].as_str().unwrap_or_default();
    find(world, call, uuid)?.ok_or_else(|| format!("Alert with ID {uuid} not found"))
}

/// The alerts that the arguments select.
fn selected<'a>(world: &'a World, call: &Call, args: &Value) -> Result<Vec<Alert<'a>>, String> {
    check_scope(args, &call.token.scope, |id| sees(world, call, id))?;
    let selection = Selection::read::<Alert<'_>>(args)?;
    let view = args["viewType"].as_str().unwrap_or("ALL");
    let me = call.token.user_id;
    let in_view = |alert: &Alert<'_>| {
        let assignee = alert.extra.and_then(|extra| extra.assignee);
        match view {
            "ASSIGNED_TO_ME" => assignee == Some(me),
            "UNASSIGNED" => assignee.is_none(),
            // A team is everybody whose token sees just what the caller's does.
            "MY_TEAM" => assignee.and_then(|id| world.user(id)).is_some_and(|user| user.scope == call.token.scope),
            "ALL" | "ENDPOINT" => true,
            _ => false,
        }
    };
    let all = world.threats.keys().filter_map(|id| shown(world, call, *id));
    Ok(all.filter(|alert| in_view(alert) && selection.takes(alert)).collect())
}

/// Whether an account, site or group of this id is within the caller's scope.
pub(super) fn sees(world: &World, call: &Call, id: &str) -> bool {
    let id: Option<u64> = id.parse().ok();
    world.sites.iter().any(|site| {
        let group = |group: &crate::world::Group| group.site == site.id && Some(group.id) == id;
        call.token.scope.sees(site.account, site.id)
            && (Some(site.id) == id || Some(site.account) == id || world.groups.iter().any(group))
    })
}

fn alert(ask: &mut Ask<'_>) -> Result<Value, String> {
    let found = find(ask.world, ask.call, ask.args["id"].as_str().unwrap_or_default())?;
    Ok(found.map_or(Value::Null, |alert| node::write(&alert)))
}

fn with_raw_indicators(ask: &mut Ask<'_>) -> Result<Value, String> {
    let found = find(ask.world, ask.call, ask.args["id"].as_str().unwrap_or_default())?;
    Ok(found
        .map_or(Value::Null, |alert| json!({"alert": node::write(&alert), "rawIndicators": alert.doc["indicators"]})))
}

fn alerts(ask: &mut Ask<'_>) -> Result<Value, String> {
    connection::page(selected(ask.world, ask.call, ask.args)?, ask.args, "detectedAt", node::write)
}

fn notes(ask: &mut Ask<'_>) -> Result<Value, String> {
    let alert = known(ask.world, ask.call, ask.args)?;
    Ok(json!({"data": node::notes(&alert)}))
}

fn add_note(ask: &mut Ask<'_>) -> Result<Value, String> {
    let Ask { world, call, args } = ask;
    let id = known(world, call, args)?.id;
    if !call.token.capability.covers(Need::Write) {
        return Err("Missing UAM manage permissions".to_owned());
    }
    let words = args["text"].as_str().unwrap_or_default();
    let asked = vec![args["alertId"].as_str().unwrap_or_default().to_owned()];
    actions::note(world, call, id, words, args["type"].as_str())?;
    actions::record(world, call, asked, "note", Some(words), &[(id, true)]);
    let alert = known(world, call, args)?;
    Ok(json!({"data": node::notes(&alert)}))
}

/// The alert's life, newest first: what the activity log says of the threat, its notes and its assignments.
fn history(ask: &mut Ask<'_>) -> Result<Value, String> {
    let alert = known(ask.world, ask.call, ask.args)?;
    let threat = text(alert.doc, "/id");
    let logged =
        ask.world.activities.iter().map(|activity| &activity.doc).filter(|doc| text(doc, "/threatId") == threat);
    let logged = logged.map(|doc| {
        let kind = match doc["activityType"].as_i64() {
            Some(18..=20 | 4003) => "CREATION",
            Some(2030) => "ANALYST_VERDICT_UPDATE",
            Some(4008) => "STATUS_UPDATE",
            _ => "MITIGATION_ACTION",
        };
        json!({"createdAt": doc["createdAt"], "eventText": doc["primaryDescription"], "eventType": kind, "userId": doc["userId"]})
    });
    let noted = alert.stored.notes.iter().map(|note| {
        let words = format!("The management user {} added a note", text(note, "/creator"));
        json!({"createdAt": note["createdAt"], "eventText": words, "eventType": "NOTE_ADDED", "userId": note["creatorId"]})
    });
    let assigned = alert.extra.into_iter().flat_map(|extra| &extra.history).cloned();
    let mut items: Vec<Value> = logged.chain(noted).chain(assigned).collect();
    items.sort_by(|one, other| text(other, "/createdAt").cmp(text(one, "/createdAt")));
    let items = items.into_iter().enumerate().map(|(n, doc)| Item(format!("{n:06}"), doc)).collect();
    let report = |item: &Item| -> Value {
        let user = &item.1["userId"];
        let creator = if user.is_null() {
            json!({"__typename": "SystemHistoryItemCreator", "name": "SentinelOne"})
        } else {
            json!({"__typename": "UserHistoryItemCreator", "userId": user, "userType": "SERVICE_USER"})
        };
        json!({"createdAt": item.1["createdAt"], "eventText": item.1["eventText"], "eventType": item.1["eventType"], "reportUrl": null, "historyItemCreator": creator})
    };
    connection::page(items, ask.args, "createdAt", report)
}

/// An entry of the history, with its place among those of one instant.
struct Item(String, Value);

impl Row for Item {
    fn knows(field: &str) -> bool {
        field == "createdAt"
    }
    fn id(&self) -> &str {
        &self.0
    }
    fn field(&self, field: &str) -> Value {
        self.1[field].clone()
    }
    fn place(&self) -> [&str; 3] {
        [""; 3]
    }
}

/// How many of the selected alerts have which value of a field.
fn filters_count(ask: &mut Ask<'_>) -> Result<Value, String> {
    let alerts = selected(ask.world, ask.call, ask.args)?;
    let limit = ask.args["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100);
    let fields = ask.args["fieldIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let count = |field: &str| {
        if !Alert::knows(field) {
            return Err(format!("Invalid field: unknown fieldId `{field}`"));
        }
        let mut counts: Vec<(Value, u64)> = Vec::new();
        for value in alerts.iter().map(|alert| alert.field(field)).filter(|value| !value.is_null()) {
            match counts.iter_mut().find(|(known, _)| *known == value) {
                Some((_, count)) => *count += 1,
                None => counts.push((value, 1)),
            }
        }
        counts.sort_by(|(one, many), (other, few)| few.cmp(many).then_with(|| one.to_string().cmp(&other.to_string())));
        let more = counts.len() > limit;
        let values = counts.into_iter().take(limit).map(|(value, count)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            json!({"value": value, "label": node::label(&value), "count": count})
        });
        Ok(json!({"fieldId": field, "hasNextPage": more, "values": values.collect::<Vec<_>>()}))
    };
    Ok(json!({"data": fields.map(count).collect::<Result<Vec<_>, _>>()?}))
}
