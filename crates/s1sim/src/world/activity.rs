//! The activity log: what the console writes down about threats, endpoints and users, and the list of activity types.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Activity, World, put, text};
use crate::clock::{later, print};
use crate::digest;
use crate::token::Token;

/// Activity types this console writes or lists: number, short name, template.
pub(crate) const TYPES: &[(i64, &str, &str)] = &[
    (
        18,
        "New Threat Mitigated",
        "Threat with confidence level {{ confidence_level }} detected and Mitigated: {{ file_display_name }}",
    ),
    (
        19,
        "New Malicious Threat Not Mitigated",
        "Threat with confidence level malicious detected: {{ file_display_name }}",
    ),
    (
        20,
        "New Threat Preemptive Block",
        "Threat with confidence level {{ confidence_level }} detected and Mitigated preemptively: {{ file_display_name }}",
    ),
    (27, "User Logged In", "The management user {{ username }} logged in to the management console"),
    (47, "Agent Decommissioned", "The agent {{ computer_name }} was decommissioned automatically"),
    (80, "Files Uploaded", "The agent {{ computer_name }} uploaded the fetched files"),
    (81, "Files Fetch Requested", "The management user {{ username }} requested files from {{ computer_name }}"),
    (86, "Threat File Uploaded", "The agent {{ computer_name }} uploaded the threat file"),
    (90, "Scan Started", "The agent {{ computer_name }} started a full disk scan"),
    (91, "Scan Aborted", "The agent {{ computer_name }} aborted the full disk scan"),
    (92, "Scan Completed", "The agent {{ computer_name }} completed the full disk scan"),
    (1001, "Network Quarantined", "The agent {{ computer_name }} was disconnected from the network"),
    (1002, "Network Unquarantined", "The agent {{ computer_name }} was connected to the network again"),
    (2001, "Threat Killed", "The agent {{ computer_name }} killed the threat {{ file_display_name }}"),
    (2004, "Threat Quarantined", "The agent {{ computer_name }} quarantined the threat {{ file_display_name }}"),
    (
        2009,
        "Quarantine Failed",
        "The agent {{ computer_name }} could not quarantine the threat {{ file_display_name }}",
    ),
    (2010, "Network Quarantine Failed", "The agent {{ computer_name }} could not be disconnected from the network"),
    (
        2030,
        "Analyst Verdict Changed",
        "The management user {{ username }} changed the analyst verdict to {{ new_value }}",
    ),
    (
        4003,
        "New Suspicious Threat Not Mitigated",
        "Threat with confidence level suspicious detected: {{ file_display_name }}",
    ),
    (4008, "Threat Status Changed", "The management user {{ username }} changed the threat status to {{ new_status }}"),
];

/// What an activity is about, besides its type.
#[derive(Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) threat: Option<u64>,
    pub(crate) agent: Option<u64>,
    pub(crate) by: Option<&'a Token>,
    pub(crate) data: Value,
}

impl World {
    /// Writes one activity. The sentence is the type's, with the names filled in.
    pub(crate) fn log(&mut self, kind: i64, about: &About<'_>, at: Timestamp) {
        let threat = about.threat.and_then(|id| self.threats.get(&id));
        let agent = about.agent.or(threat.map(|stored| stored.agent)).and_then(|id| self.agents.get(&id));
        let Some(agent) = agent else { return };
        let sees = &agent.doc;
        let (account, site, group) = (text(sees, "/accountName"), text(sees, "/siteName"), text(sees, "/groupName"));
        let mut data = json!({
            "accountName": account, "siteName": site, "groupName": group, "scopeLevel": "Group", "scopeName": group,
            "fullScopeDetails": format!("Group {group} in Site {site} of Account {account}"),
            "fullScopeDetailsPath": format!("Global / {account} / {site} / {group}"), "computerName": agent.host,
            "username": about.by.map(|token| token.name.as_str()), "externalIp": sees["externalIp"], "ipAddress": null,
            "realUser": null, "sourceType": if about.by.is_some() { "API" } else { "Agent" },
        });
        let mut hash = Value::Null;
        if let Some(stored) = threat {
            let found = &stored.doc["threatInfo"];
            hash = found["sha1"].clone();
            for (member, value) in [
                ("fileContentHash", &hash),
                ("fileDisplayName", &found["threatName"]),
                ("filePath", &found["filePath"]),
                ("confidenceLevel", &found["confidenceLevel"]),
                ("threatClassification", &found["classification"]),
                ("threatClassificationSource", &found["classificationSource"]),
                ("escapedMaliciousProcessArguments", &found["maliciousProcessArguments"]),
            ] {
                put(&mut data, member, value.clone());
            }
            put(&mut data, "globalStatus", Value::Null);
        }
        for (member, value) in about.data.as_object().into_iter().flatten() {
            put(&mut data, member, value.clone());
        }
        let sentence = TYPES.iter().find(|(known, ..)| *known == kind).map_or("", |(.., template)| template);
        let id = self.ids.mint(at);
        let doc = json!({
            "id": id.to_string(), "activityUuid": digest::dashed(&digest::uuid(&format!("activity {id}"))), "activityType": kind,
            "createdAt": print(at), "updatedAt": print(later(at, std::time::Duration::from_millis(2))),
            "primaryDescription": fill(sentence, &data), "secondaryDescription": hash, "description": null,
            "comments": null, "hash": hash, "osFamily": sees["osType"], "agentUpdatedVersion": null,
            "userId": about.by.map(|token| token.user_id.to_string()), "threatId": about.threat.map(|id| id.to_string()),
            "agentId": agent.id.to_string(), "accountId": agent.account.to_string(), "accountName": account,
            "siteId": agent.site.to_string(), "siteName": site, "groupId": sees["groupId"], "groupName": group, "data": data,
        });
        let (site, account) = (agent.site, agent.account);
        self.activities.push(Activity { site, account, doc });
    }
}

/// Fills `{{ snake_case }}` from the camelCase members of `data`.
fn fill(template: &str, data: &Value) -> String {
    let mut filled = String::new();
    for (n, part) in template.split("{{ ").enumerate() {
        let Some((name, rest)) = part.split_once(" }}").filter(|_| n > 0) else {
            filled.push_str(part);
            continue;
        };
        let mut words = name.split('_');
        let mut member = words.next().unwrap_or_default().to_owned();
        for word in words {
            let (first, tail) = word.split_at(word.len().min(1));
            member.push_str(&first.to_uppercase());
            member.push_str(tail);
        }
        filled.push_str(data[&member].as_str().unwrap_or("-"));
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_from_the_data_by_the_camel_case_name() {
        let data = json!({"computerName": "PC-1", "fileDisplayName": "a.exe"});
        let sentence = fill("The agent {{ computer_name }} killed {{ file_display_name }} for {{ nobody }}.", &data);
        assert_eq!(sentence, "The agent PC-1 killed a.exe for -.");
    }
}
