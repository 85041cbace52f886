//! `/threats/{id}/explore/events`: what the endpoint recorded of a threat's chain of causes.

use serde_json::Value;

use super::{Answer, Call, paged};
use crate::filter::Kind::{Among, Contains, Equal};
use crate::filter::{Field, Filter, Row, field};
use crate::page::{self, Shape};
use crate::refusal::Refusal;
use crate::telemetry::{Form, show};
use crate::world::World;

const TYPES: &[&str] =
    &["events", "file", "ip", "url", "dns", "process", "registry", "scheduled_task", "logins", "indicators", "module"];
const SUB_TYPES: &[&str] = &[
    "PROCESSCREATION",
    "PROCESSTERMINATION",
    "PROCESSMODIFICATION",
    "TCPV4",
    "TCPV6",
    "TCPV4LISTEN",
    "TCPV6LISTEN",
    "FILEMODIFICATION",
    "FILESCAN",
    "FILECREATION",
    "FILEDELETION",
    "FILERENAME",
    "LOGIN",
    "LOGOUT",
    "HTTP",
    "DNS",
    "SCHEDTASKREGISTER",
    "SCHEDTASKSTART",
    "SCHEDTASKUPDATE",
    "SCHEDTASKTRIGGER",
    "SCHEDTASKDELETE",
    "REGKEYCREATE",
    "REGKEYRENAME",
    "REGKEYDELETE",
    "REGKEYEXPORT",
    "REGKEYSECURITYCHANGED",
    "REGKEYIMPORT",
    "REGVALUEMODIFIED",
    "REGVALUECREATE",
    "REGISTRYACTION",
    "BEHAVIORALINDICATORS",
    "MODULE",
];

pub(super) const FILTERS: &[Field] = &[
    field("eventTypes", Among(TYPES), &["/objectType"]),
    field("eventSubTypes", Among(SUB_TYPES), &["#subType"]),
    field("eventId", Equal, &["/id"]),
    field("processName", Contains, &["/processName"]),
];

const SHAPE: Shape = Shape {
    max_limit: 1000,
    max_skip: 1_000_000,
    sorts: &[
        ("id", "/id"),
        ("createdAt", "/createdAt"),
        ("eventType", "/eventType"),
        ("fileSize", "/fileSize"),
        ("fileType", "/fileType"),
        ("registryPath", "/registryPath"),
        ("registryId", "/registryId"),
        ("registryClassification", "/registryClassification"),
        ("pid", "/pid"),
        ("processName", "/processName"),
    ],
};

struct EventRow {
    sub_type: Value,
    doc: Value,
}

impl Row for EventRow {
    fn at(&self, pointer: &str) -> Option<&Value> {
        if pointer == "#subType" { Some(&self.sub_type) } else { self.doc.pointer(pointer) }
    }
}

pub(super) fn events(world: &World, call: &Call, id: &str) -> Answer {
    let stored = super::threats::one(world, call, id)?;
    let agent = world.agents.get(&stored.agent).ok_or_else(|| Refusal::NotFound(format!("no agent of threat {id}")))?;
    let filter = Filter::parse(&call.params, FILTERS)?;
    let rows = world
        .events_of_threat(stored, call.now)
        .into_iter()
        .map(|event| EventRow { sub_type: event.what.words().2.into(), doc: show(&event, agent, Form::Explore) });
    paged(page::cut(rows, &filter, &call.params, &SHAPE, call.strike.twice)?, |row| row.doc)
}
