//! The dotted names of the data lake, looked up on an event: `src.process.cmdline`, `tgt.file.path`, `site.id`. The
//! query languages know an event only through them.

use serde_json::Value;

use super::{Event, Process, What};
use crate::clock::print;
use crate::world::{Agent, text};

/// A value in a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Number(i64),
    Bool(bool),
}

impl Cell {
    fn text(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text.to_owned()) }
    }

    fn number(number: impl TryInto<i64>) -> Self {
        number.try_into().map_or(Self::Null, Self::Number)
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Bool(truth) => (*truth).into(),
        }
    }

    /// As the languages compare it: everything is also a text.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
        }
    }
}

/// The value of a field, whose name is in lower case. A name nobody knows has no value, as in the real lake.
pub(crate) fn value(event: &Event, agent: &Agent, name: &str) -> Cell {
    if let Some(rest) = name.strip_prefix("src.process.") {
        return process(&event.process, rest);
    }
    if let Some(rest) = name.strip_prefix("tgt.process.") {
        return match &event.what {
            What::Started(target) | What::Reached { target, .. } => process(target, rest),
            _ => Cell::Null,
        };
    }
    let (kind, object, constant) = event.what.words();
    let doc = |at: &str| Cell::text(text(&agent.doc, at));
    match name {
        "event.type" => Cell::text(kind),
        "event.category" => Cell::text(object),
        "meta.event.name" => Cell::text(constant),
        "event.time" | "timestamp" => Cell::Number(event.at.as_millisecond()),
        "event.id" => Cell::Text(event.id.to_string()),
        "created.at" => Cell::Text(print(event.at)),
        "endpoint.name" => doc("/computerName"),
        "endpoint.type" => doc("/machineType"),
        "endpoint.os" => Cell::text(match text(&agent.doc, "/osType") {
            "macos" => "osx",
            "linux" => "linux",
            _ => "windows",
        }),
        "agent.uuid" => doc("/uuid"),
        "agent.version" => doc("/agentVersion"),
        "agent.id" => doc("/id"),
        "site.id" => doc("/siteId"),
        "site.name" => doc("/siteName"),
        "account.id" => doc("/accountId"),
        "account.name" => doc("/accountName"),
        "group.id" => doc("/groupId"),
        "datasource.name" => Cell::text("SentinelOne"),
        // Every record of the lake has a severity of 0 to 6, of which 3 is the usual, and says where it came from.
        "severity" => Cell::Number(3),
        "source" => Cell::text("edr"),
        "datasource.vendor" => Cell::text("SentinelOne"),
        "datasource.category" => Cell::text("security"),
        "i.scheme" => Cell::text("edr"),
        _ => particular(&event.what, name),
    }
}

/// Fields that only some kinds of events have.
fn particular(what: &What, name: &str) -> Cell {
    match (what, name) {
        (What::File { path, .. }, "tgt.file.path") => Cell::text(path),
        (What::File { old_path, .. }, "tgt.file.oldpath") => Cell::text(old_path),
        (What::File { hashes, .. }, "tgt.file.sha1") => Cell::text(&hashes.sha1),
        (What::File { hashes, .. }, "tgt.file.sha256") => Cell::text(&hashes.sha256),
        (What::File { hashes, .. }, "tgt.file.md5") => Cell::text(&hashes.md5),
        (What::File { size, .. }, "tgt.file.size") => Cell::number(*size),
        (What::File { path, .. }, "tgt.file.extension") => {
            path.rsplit_once('.').map_or(Cell::Null, |(_, end)| Cell::Text(end.to_lowercase()))
        }
        (What::Registry { key, value, .. }, "registry.keypath") => {
            Cell::Text(if value.is_empty() { key.clone() } else { format!(r"{key}\{value}") })
        }
        (What::Registry { data, .. }, "registry.value") => Cell::text(data),
        (What::Registry { old_data, .. }, "registry.oldvalue") => Cell::text(old_data),
        (What::Connect { from, .. } | What::LogOn { from, .. }, "src.ip.address") => Cell::text(from),
        (What::Connect { from_port, .. }, "src.port.number") => Cell::number(*from_port),
        (What::Connect { to, .. }, "dst.ip.address") => Cell::text(to),
        (What::Connect { port, .. }, "dst.port.number") => Cell::number(*port),
        (What::Connect { incoming, .. }, "event.network.direction") => {
            Cell::text(if *incoming { "INCOMING" } else { "OUTGOING" })
        }
        (What::Connect { succeeded, .. }, "event.network.connectionstatus") => {
            Cell::text(if *succeeded { "SUCCESS" } else { "FAILURE" })
        }
        (What::Connect { .. }, "event.network.protocolname") => Cell::text("tcp"),
        (What::Dns { name, .. }, "event.dns.request") => Cell::text(name),
        (What::Dns { answers, .. }, "event.dns.response") => Cell::text(answers),
        (What::Url { url, .. }, "url.address") => Cell::text(url),
        (What::Url { method, .. }, "event.url.action") => Cell::text(method),
        (What::LogOn { user, .. }, "event.login.username") => Cell::text(user),
        (What::LogOn { domain, .. }, "event.login.accountdomain") => Cell::text(domain),
        (What::LogOn { kind, .. }, "event.login.type") => Cell::text(kind),
        (What::LogOn { succeeded, .. }, "event.login.loginissuccessful") => Cell::Bool(*succeeded),
        (What::Module { path, .. }, "module.path") => Cell::text(path),
        (What::Module { hashes, .. }, "module.sha1") => Cell::text(&hashes.sha1),
        (What::Module { hashes, .. }, "module.md5") => Cell::text(&hashes.md5),
        (What::Task { name, .. }, "task.name") => Cell::text(name),
        (What::Task { path, .. }, "task.path") => Cell::text(path),
        (What::Indicator { name, .. }, "indicator.name") => Cell::text(name),
        (What::Indicator { category, .. }, "indicator.category") => Cell::text(category),
        (What::Indicator { description, .. }, "indicator.description") => Cell::text(description),
        (What::Indicator { metadata, .. }, "indicator.metadata") => Cell::text(metadata),
        (What::Script { content }, "cmdscript.content") => Cell::text(content),
        _ => Cell::Null,
    }
}

fn process(process: &Process, name: &str) -> Cell {
    if let Some(rest) = name.strip_prefix("parent.") {
        return process.parent.as_deref().map_or(Cell::Null, |parent| self::process(parent, rest));
    }
    match name {
        "name" | "displayname" => Cell::text(&process.name),
        "cmdline" => Cell::text(&process.command),
        "image.path" => Cell::text(&process.image),
        "image.sha1" => Cell::text(&process.hashes.sha1),
        "image.sha256" => Cell::text(&process.hashes.sha256),
        "image.md5" => Cell::text(&process.hashes.md5),
        "user" => Cell::text(&process.user),
        "pid" => Cell::number(process.pid),
        "uid" => Cell::text(&process.key),
        "storyline.id" => Cell::text(&process.storyline),
        "integritylevel" => Cell::text(process.integrity),
        "signedstatus" => Cell::text(if process.publisher.is_empty() { "unsigned" } else { "signed" }),
        "publisher" => Cell::text(&process.publisher),
        "starttime" => process.started.map_or(Cell::Null, |started| Cell::Number(started.as_millisecond())),
        _ => Cell::Null,
    }
}
