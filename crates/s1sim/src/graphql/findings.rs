//! What the two kinds of posture findings share: where a finding is, who looks after it, its notes and its history.
//! Findings follow from the world's endpoints each time they are asked for; they cannot be changed yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::filter::{Row, Selection, check_scope};
use super::{Ask, alerts, connection};
use crate::clock::{parse, print};
use crate::digest;
use crate::fleet::Role;
use crate::world::inventory::{category, criticality, kind_of};
use crate::world::{Agent, World, text};

pub(super) const SDL: &str = include_str!("findings.graphql");

/// A kind of finding.
pub(super) trait Kind {
    /// `vulnerability` or `misconfiguration`; arguments and members are named after it.
    const NAME: &'static str;
    /// Filter fields and where a finding has them.
    const FIELDS: &'static [(&'static str, &'static str)];

    /// The findings on one endpoint, without what all findings have.
    fn on(agent: &Agent) -> Vec<Value>;
}

/// Fields that every kind can be filtered and sorted by.
const FIELDS: &[(&str, &str)] = &[
    ("id", "/id"),
    ("name", "/name"),
    ("product", "/product"),
    ("vendor", "/vendor"),
    ("severity", "/severity"),
    ("status", "/status"),
    ("analystVerdict", "/analystVerdict"),
    ("detectedAt", "/detectedAt"),
    ("lastSeenAt", "/lastSeenAt"),
    ("assetId", "/asset/id"),
    ("assetName", "/asset/name"),
    ("assetType", "/asset/type"),
    ("assetCriticality", "/asset/criticality"),
    ("assetPrivileged", "/asset/privileged"),
    ("assetCloudResourceId", "/asset/cloudInfo/resourceId"),
    ("assigneeFullName", "/assignee/fullName"),
    ("accountId", "/scope/account/id"),
    ("siteId", "/scope/site/id"),
    ("groupId", "/scope/group/id"),
];

/// A finding, written out.
pub(super) struct Finding<K> {
    doc: Value,
    kind: std::marker::PhantomData<K>,
}

impl<K: Kind> Row for Finding<K> {
    fn knows(field: &str) -> bool {
        K::FIELDS.iter().chain(FIELDS).any(|(known, _)| *known == field)
    }

    fn id(&self) -> &str {
        text(&self.doc, "/id")
    }

    fn field(&self, field: &str) -> Value {
        let place = K::FIELDS.iter().chain(FIELDS).find(|(known, _)| *known == field);
        place.and_then(|(_, pointer)| self.doc.pointer(pointer)).cloned().unwrap_or_default()
    }

    fn place(&self) -> [&str; 3] {
        ["/scope/account/id", "/scope/site/id", "/scope/group/id"].map(|at| text(&self.doc, at))
    }
}

/// Every finding the caller may see.
fn all<K: Kind>(ask: &Ask<'_>) -> Vec<Finding<K>> {
    let scope = &ask.call.token.scope;
    let agents = ask.world.agents.values().filter(|agent| scope.sees(agent.account, agent.site));
    let on = |agent: &Agent| K::on(agent).into_iter().map(|doc| whole::<K>(ask.world, agent, doc)).collect::<Vec<_>>();
    agents.flat_map(on).map(|doc| Finding { doc, kind: std::marker::PhantomData }).collect()
}

pub(super) fn list<K: Kind>(ask: &Ask<'_>, takes: impl Fn(&Value) -> bool) -> Result<Value, String> {
    check_scope(ask.args, &ask.call.token.scope, |id| alerts::sees(ask.world, ask.call, id))?;
    let selection = Selection::read::<Finding<K>>(ask.args)?;
    let rows = all::<K>(ask).into_iter().filter(|row| takes(&row.doc) && selection.takes(row)).collect();
    connection::page(rows, ask.args, "detectedAt", |row| row.doc.clone())
}

pub(super) fn get<K: Kind>(ask: &Ask<'_>) -> Result<Value, String> {
    find::<K>(ask, ask.args["id"].as_str().unwrap_or_default()).map(|found| found.map_or(Value::Null, |row| row.doc))
}

/// The one note that a decided finding has.
pub(super) fn notes<K: Kind>(ask: &Ask<'_>) -> Result<Value, String> {
    let (id, finding) = named::<K>(ask)?;
    let mut notes = Vec::new();
    if let Some(words) = remark(text(&finding.doc, "/status")) {
        let mut note = json!({
            "id": digest::number(&format!("note {id}")).to_string(), "text": words,
            "author": {"id": finding.doc["assignee"]["id"], "email": null, "fullName": finding.doc["assignee"]["fullName"], "deleted": false},
            "createdAt": finding.doc["updatedAt"], "updatedAt": null,
        });
        note[format!("{}Id", K::NAME)] = id.into();
        notes.push(Entry(note));
    }
    connection::page(notes, ask.args, "createdAt", |note| note.0.clone())
}

pub(super) fn history<K: Kind>(ask: &Ask<'_>) -> Result<Value, String> {
    let (_, finding) = named::<K>(ask)?;
    let doc = &finding.doc;
    let mut items = vec![Entry(json!({
        "id": "1", "eventType": "CREATION", "eventText": format!("The {} was found on {}", K::NAME, text(doc, "/asset/name")),
        "createdAt": doc["detectedAt"],
    }))];
    let status = text(doc, "/status");
    if remark(status).is_some() {
        let by = text(doc, "/assignee/fullName");
        items.push(Entry(json!({
            "id": "2", "eventType": "USER_ASSIGNMENT", "eventText": format!("Assigned to {by}"), "createdAt": doc["updatedAt"],
        })));
        items.push(Entry(json!({
            "id": "3", "eventType": "STATUS", "eventText": format!("The status was changed from NEW to {status} by {by}"),
            "createdAt": doc["updatedAt"],
        })));
    }
    connection::page(items, ask.args, "createdAt", |item| item.0.clone())
}

fn named<K: Kind>(ask: &Ask<'_>) -> Result<(String, Finding<K>), String> {
    let id = ask.args[format!("{}Id", K::NAME)].as_str().unwrap_or_default();
    let found = find::<K>(ask, id)?.ok_or_else(|| format!("{} with ID {id} not found", K::NAME));
    Ok((id.to_owned(), found?))
}

fn find<K: Kind>(ask: &Ask<'_>, id: &str) -> Result<Option<Finding<K>>, String> {
    let hex = id.len() == 36 && id.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit());
    if !hex {
        return Err(format!("Invalid UUID string: {id}"));
    }
    Ok(all::<K>(ask).into_iter().find(|row| row.id() == id))
}

/// A note or an entry of a history.
struct Entry(Value);

impl Row for Entry {
    fn knows(field: &str) -> bool {
        field == "createdAt"
    }
    fn id(&self) -> &str {
        text(&self.0, "/id")
    }
    fn field(&self, field: &str) -> Value {
        self.0[field].clone()
    }
    fn place(&self) -> [&str; 3] {
        [""; 3]
    }
}

/// Adds to a finding what all findings have. The part that looks random is drawn from endpoint and name.
fn whole<K: Kind>(world: &World, agent: &Agent, mut doc: Value) -> Value {
    let label = format!("{} {} {}", K::NAME, text(&agent.doc, "/uuid"), text(&doc, "/externalId"));
    let number = digest::number(&label);
    let status = match number % 10 {
        0 => "IN_PROGRESS",
        1 => "TO_BE_PATCHED",
        2 => "RISK_ACKED",
        _ => "NEW",
    };
    let decided = remark(status).is_some();
    let registered = parse(text(&agent.doc, "/registeredAt")).unwrap_or_default();
    let published = parse(&format!("{}T00:00:00Z", text(&doc, "/cve/publishedDate"))).unwrap_or(registered);
    let detected = after(registered.max(published), 1 + number % 72);
    let updated = if decided { after(detected, 24 + number % 200) } else { detected };
    let assignee = world.tokens.list.iter().find(|token| token.name == format!("{}/write", site_key(world, agent)));
    let assignee = assignee
        .filter(|_| decided)
        .map(|user| json!({"id": user.user_id.to_string(), "email": null, "fullName": user.name, "deleted": false}));
    let id = digest::dashed(&digest::uuid(&label));
    let rest = json!({
        "selfLink": format!("/xspm/{}/{id}", K::NAME), "id": id, "status": status,
        "analystVerdict": if decided { json!("TRUE_POSITIVE") } else { Value::Null }, "assignee": assignee,
        "asset": asset(agent), "scope": scope(agent), "scopeLevel": "group", "detectedAt": print(detected),
        "lastSeenAt": agent.doc["lastActiveDate"], "updatedAt": print(updated), "exclusionPolicyId": null,
    });
    if let (Some(members), Value::Object(rest)) = (doc.as_object_mut(), rest) {
        for (member, value) in rest {
            members.entry(member).or_insert(value);
        }
    }
    doc
}

fn site_key<'a>(world: &'a World, agent: &Agent) -> &'a str {
    world.site(agent.site).map_or("", |site| site.key.as_str())
}

/// What the note of a finding in this state says; none for a new one.
fn remark(status: &str) -> Option<&'static str> {
    match status {
        "IN_PROGRESS" => Some("We are checking with the system's owner whether the service can be restarted."),
        "TO_BE_PATCHED" => Some("Planned for the next maintenance window."),
        "RISK_ACKED" => Some("Accepted until the system is replaced; it is not reachable from other networks."),
        _ => None,
    }
}

fn after(at: Timestamp, hours: u64) -> Timestamp {
    crate::clock::later(at, std::time::Duration::from_secs(hours * 3600))
}

fn asset(agent: &Agent) -> Value {
    let doc = &agent.doc;
    json!({
        "id": doc["id"], "externalId": doc["uuid"], "name": doc["computerName"],
        "type": category(doc).to_uppercase(), "category": category(doc),
        "subcategory": kind_of(doc), "domain": doc["domain"], "agentUuid": doc["uuid"],
        "privileged": agent.role == Role::DomainController, "criticality": criticality(agent.role),
        "osType": text(doc, "/osType").to_uppercase(), "cloudInfo": null, "kubernetesInfo": null,
    })
}

fn scope(agent: &Agent) -> Value {
    let doc = &agent.doc;
    json!({
        "account": {"id": doc["accountId"], "name": doc["accountName"]}, "site": {"id": doc["siteId"], "name": doc["siteName"]},
        "group": {"id": doc["groupId"], "name": doc["groupName"]},
    })
}
