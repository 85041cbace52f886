//! What clients can have done: mitigations, network isolation, scans, verdicts, incident states. Orders are answered
//! at once and carried out later; the tables here say when the console skips one and what becomes visible when.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::activity::About;
use super::raise::{finished, title};
use super::{Effect, Stored, World, info, put, text};
use crate::clock::{later, print};
use crate::token::Token;

/// The orders of `/threats/mitigate/{action}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mitigation {
    Kill,
    Quarantine,
    Unquarantine,
    Remediate,
    Rollback,
}

impl Mitigation {
    pub(crate) fn from_verb(verb: &str) -> Option<Self> {
        Some(match verb {
            "kill" => Self::Kill,
            "quarantine" => Self::Quarantine,
            "un-quarantine" => Self::Unquarantine,
            "remediate" => Self::Remediate,
            "rollback-remediation" => Self::Rollback,
            _ => return None,
        })
    }

    /// The name in `mitigationStatus`, which for two of them is not the verb of the URL.
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Quarantine => "quarantine",
            Self::Unquarantine => "unquarantine",
            Self::Remediate => "remediate",
            Self::Rollback => "rollback",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Unquarantine => "un-quarantine",
            Self::Rollback => "rollback-remediation",
            other => other.name(),
        }
    }

    /// The activity written at the end, where the type is known.
    fn activity(self, fails: bool) -> Option<i64> {
        match (self, fails) {
            (Self::Kill, false) => Some(2001),
            (Self::Quarantine, false) => Some(2004),
            (Self::Quarantine, true) => Some(2009),
            _ => None,
        }
    }
}

/// What became of an order for one threat.
#[derive(Debug)]
pub(crate) enum Ordered {
    /// Queued: the report so far, and when it should be done.
    Queued(Value, Timestamp),
    /// Left out, with the console's reason.
    Skipped(Value),
}

impl World {
    pub(crate) fn mitigate(&mut self, id: u64, action: Mitigation, fails: bool, now: Timestamp) -> Option<Ordered> {
        let os = self
            .threats
            .get(&id)
            .and_then(|stored| self.agents.get(&stored.agent))
            .map(|agent| text(&agent.doc, "/osType").to_owned())?;
        let due = later(now, self.latency.mitigation);
        let stored = self.threats.get_mut(&id)?;
        if let Some((reason, description)) = objection(&stored.doc, action, &os) {
            return Some(Ordered::Skipped(
                json!({"action": action.name(), "reason": reason, "description": description}),
            ));
        }
        let report = json!({
            "action": action.name(), "status": "pending", "actionsCounters": null, "agentSupportsReport": true,
            "groupNotFound": false, "lastUpdate": print(now), "latestReport": null, "reportId": null,
            "mitigationStartedAt": print(now), "mitigationEndedAt": null,
        });
        replace(&mut stored.doc, action.name(), report.clone());
        if let Some(found) = info(&mut stored.doc) {
            found.insert("pendingActions".to_owned(), true.into());
        }
        self.touch(id, now);
        self.plan(due, Effect::Mitigated { threat: id, action, fails });
        Some(Ordered::Queued(report, due))
    }

    /// The endpoint reports back.
    pub(super) fn mitigated(&mut self, id: u64, action: Mitigation, fails: bool, at: Timestamp) {
        let report = self.ids.mint(at);
        let Some(stored) = self.threats.get_mut(&id) else { return };
        let started = status_of(&stored.doc, action.name())
            .and_then(|entry| crate::clock::parse(text(entry, "/mitigationStartedAt")));
        let status = if fails { "failed" } else { "success" };
        replace(&mut stored.doc, action.name(), finished(action.name(), status, report, started.unwrap_or(at), at));
        if !fails {
            match action {
                // A file that was given back can be put away again, and the other way round.
                Mitigation::Unquarantine => forget(&mut stored.doc, "quarantine"),
                Mitigation::Quarantine => forget(&mut stored.doc, "unquarantine"),
                _ => {}
            }
        }
        settle_status(&mut stored.doc);
        let agent = stored.agent;
        self.touch(id, at);
        self.recount(agent, at);
        self.note_effect(at, action.verb(), id, fails);
        if let Some(kind) = action.activity(fails) {
            self.log(kind, &About { threat: Some(id), ..About::default() }, at);
        }
    }

    /// Orders an endpoint cut from the network (`cut`) or let back. `None`: it is in that state or on its way.
    pub(crate) fn network(&mut self, id: u64, cut: bool, fails: bool, now: Timestamp) -> Option<Timestamp> {
        let due = later(now, self.latency.network);
        let agent = self.agents.get_mut(&id)?;
        let there = if cut { ["disconnected", "disconnecting"] } else { ["connected", "connecting"] };
        if there.contains(&text(&agent.doc, "/networkStatus")) {
            return None;
        }
        agent.network_turn += 1;
        let turn = agent.network_turn;
        put(&mut agent.doc, "networkStatus", if cut { "disconnecting" } else { "connecting" });
        put(&mut agent.doc, "updatedAt", print(now));
        self.plan(due, Effect::Network { agent: id, turn, cut, fails });
        Some(due)
    }

    pub(super) fn network_settled(&mut self, id: u64, turn: u32, cut: bool, fails: bool, at: Timestamp) {
        let Some(agent) = self.agents.get_mut(&id).filter(|agent| agent.network_turn == turn) else { return };
        put(&mut agent.doc, "networkStatus", if cut == fails { "connected" } else { "disconnected" });
        put(&mut agent.doc, "updatedAt", print(at));
        match (cut, fails, agent.cuts.last_mut()) {
            (true, false, _) => agent.cuts.push((at, None)),
            (false, false, Some((_, until @ None))) => *until = Some(at),
            _ => {}
        }
        self.note_effect(at, if cut { "disconnect" } else { "connect" }, id, fails);
        let kind = match (cut, fails) {
            (true, false) => Some(1001),
            (true, true) => Some(2010),
            (false, false) => Some(1002),
            (false, true) => None,
        };
        if let Some(kind) = kind {
            self.log(kind, &About { agent: Some(id), ..About::default() }, at);
        }
    }

    /// Starts a full disk scan. `None`: one is running.
    pub(crate) fn scan(&mut self, id: u64, now: Timestamp) -> Option<Timestamp> {
        let due = later(now, self.latency.scan);
        let agent = self.agents.get_mut(&id)?;
        if text(&agent.doc, "/scanStatus") == "started" {
            return None;
        }
        put(&mut agent.doc, "scanStatus", "started");
        put(&mut agent.doc, "scanStartedAt", print(now));
        put(&mut agent.doc, "scanFinishedAt", Value::Null);
        put(&mut agent.doc, "updatedAt", print(now));
        self.plan(due, Effect::Scanned { agent: id });
        self.log(90, &About { agent: Some(id), data: json!({"status": "started"}), ..About::default() }, now);
        Some(due)
    }

    pub(super) fn scanned(&mut self, id: u64, at: Timestamp) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        for member in ["scanFinishedAt", "fullDiskScanLastUpdatedAt", "lastSuccessfulScanDate", "updatedAt"] {
            put(&mut agent.doc, member, print(at));
        }
        put(&mut agent.doc, "scanStatus", "finished");
        self.note_effect(at, "initiate-scan", id, false);
        self.log(92, &About { agent: Some(id), data: json!({"status": "finished"}), ..About::default() }, at);
    }

    /// Sets the analyst's verdict and says the console's result word.
    pub(crate) fn set_verdict(&mut self, id: u64, verdict: &str, by: &Token, now: Timestamp) -> &'static str {
        let Some(stored) = self.threats.get_mut(&id) else { return "not_changed" };
        let before = text(&stored.doc, "/threatInfo/analystVerdict").to_owned();
        if before == verdict {
            return "already_set";
        }
        if let Some(found) = info(&mut stored.doc) {
            found.insert("analystVerdict".to_owned(), verdict.into());
            found.insert("analystVerdictDescription".to_owned(), sentence(verdict).into());
        }
        settle_status(&mut stored.doc);
        let agent = stored.agent;
        self.touch(id, now);
        self.recount(agent, now);
        let data = json!({"originalValue": sentence(&before), "newValue": sentence(verdict)});
        self.log(2030, &About { threat: Some(id), by: Some(by), data, ..About::default() }, now);
        "updated"
    }

    /// Sets the incident's state and says the console's result word.
    pub(crate) fn set_incident(&mut self, id: u64, status: &str, by: &Token, now: Timestamp) -> &'static str {
        let Some(stored) = self.threats.get_mut(&id) else { return "not_changed" };
        let before = text(&stored.doc, "/threatInfo/incidentStatus").to_owned();
        if before == status {
            return "already_set";
        }
        if let Some(found) = info(&mut stored.doc) {
            found.insert("incidentStatus".to_owned(), status.into());
            found.insert("incidentStatusDescription".to_owned(), sentence(status).into());
        }
        let agent = stored.agent;
        self.touch(id, now);
        self.recount(agent, now);
        let data = json!({"originalStatus": sentence(&before), "newStatus": sentence(status)});
        self.log(4008, &About { threat: Some(id), by: Some(by), data, ..About::default() }, now);
        "updated"
    }

    pub(crate) fn add_note(&mut self, id: u64, words: &str, by: &Token, now: Timestamp) {
        let note = self.ids.mint(now);
        if let Some(Stored { notes, .. }) = self.threats.get_mut(&id) {
            notes.push(json!({
                "id": note.to_string(), "text": words, "creator": by.name, "creatorId": by.user_id.to_string(),
                "createdAt": print(now), "updatedAt": print(now), "edited": false,
            }));
        }
    }

    pub(crate) fn set_ticket(&mut self, id: u64, ticket: &str, now: Timestamp) {
        if let Some(found) = self.threats.get_mut(&id).and_then(|stored| info(&mut stored.doc)) {
            let given = !ticket.is_empty();
            found.insert("externalTicketId".to_owned(), if given { ticket.into() } else { Value::Null });
            found.insert("externalTicketExists".to_owned(), given.into());
        }
        self.touch(id, now);
    }
}

/// Why the console would leave this threat out.
fn objection(doc: &Value, action: Mitigation, os: &str) -> Option<(&'static str, &'static str)> {
    let state = |action: Mitigation| status_of(doc, action.name()).map(|entry| text(entry, "/status"));
    match action {
        Mitigation::Rollback if !os.starts_with("windows") => return Some(("not_supported", "Rollback needs Windows")),
        Mitigation::Remediate if os == "linux" => {
            return Some(("not_supported", "Remediate is not available on Linux"));
        }
        Mitigation::Unquarantine if state(Mitigation::Quarantine) != Some("success") => {
            return Some(("precondition", "The file is not in quarantine"));
        }
        _ => {}
    }
    match state(action) {
        Some("pending" | "success") => Some(("triggered", "The action was already triggered")),
        _ => None,
    }
}

fn status_of<'a>(doc: &'a Value, action: &str) -> Option<&'a Value> {
    doc["mitigationStatus"].as_array()?.iter().find(|entry| entry["action"] == action)
}

fn replace(doc: &mut Value, action: &str, entry: Value) {
    forget(doc, action);
    match doc.get_mut("mitigationStatus") {
        Some(Value::Array(entries)) => entries.push(entry),
        _ => put(doc, "mitigationStatus", json!([entry])),
    }
}

fn forget(doc: &mut Value, action: &str) {
    if let Some(Value::Array(entries)) = doc.get_mut("mitigationStatus") {
        entries.retain(|entry| entry["action"] != action);
    }
}

/// Draws `threatInfo`'s summary from the verdict and the single actions.
fn settle_status(doc: &mut Value) {
    let entries = doc["mitigationStatus"].as_array().cloned().unwrap_or_default();
    let any = |status: &str, actions: &[&str]| {
        entries
            .iter()
            .any(|entry| entry["status"] == status && (actions.is_empty() || actions.contains(&text(entry, "/action"))))
    };
    let benign = text(doc, "/threatInfo/analystVerdict") == "false_positive";
    let untold = entries.is_empty() && text(doc, "/threatInfo/mitigationStatus") == "mitigated";
    let stopped = untold || any("success", &["kill", "quarantine", "remediate", "rollback", "unquarantine"]);
    let (status, words) = match (benign, stopped) {
        (true, _) => ("marked_as_benign", "Marked as benign"),
        (false, true) => ("mitigated", "Mitigated"),
        (false, false) => ("not_mitigated", "Not mitigated"),
    };
    let (pending, failed) = (any("pending", &[]), any("failed", &[]));
    if let Some(found) = info(doc) {
        found.insert("mitigationStatus".to_owned(), status.into());
        found.insert("mitigationStatusDescription".to_owned(), words.into());
        found.insert("pendingActions".to_owned(), pending.into());
        found.insert("failedActions".to_owned(), failed.into());
    }
}

/// `true_positive` as the console writes it out: `True positive`.
fn sentence(word: &str) -> String {
    let spaced = title(word).to_lowercase();
    let (first, rest) = spaced.split_at(spaced.len().min(1));
    first.to_uppercase() + rest
}
