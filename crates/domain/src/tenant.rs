//! A customer: who they are, what language they read, whom we tell, and what we may do to their endpoints without asking.
//!
//! It does not know how they are reached (that is `notify`) or with which tokens (that is configuration of the roles).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::ServiceLevels;
use crate::endpoint::{Class, Endpoint, Machine};
use crate::ids::{SlackChannelId, TenantId};
use crate::language::Language;
use crate::notice::{Channel, Route};
use crate::storm::Rollout;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    pub id: TenantId,
    pub name: Names,
    /// One language, or both: then every message is sent in each.
    pub languages: Vec<Language>,
    pub contacts: Vec<Contact>,
    /// Where notices are posted, beside the mails to the contacts.
    #[serde(default)]
    pub slack_channel: Option<SlackChannelId>,
    /// `false` for recorded alerts taken in offline: there is no console to act on or write to.
    #[serde(default = "yes")]
    pub connected: bool,
    #[serde(default)]
    pub policy: ResponsePolicy,
    #[serde(default)]
    pub service_levels: ServiceLevels,
    /// When and where agents are being rolled out.
    #[serde(default)]
    pub rollouts: Vec<Rollout>,
}

impl Tenant {
    /// Every way a notice takes: each registered channel, in each of the customer's languages.
    pub fn routes(&self) -> impl Iterator<Item = Route> {
        let mail = (!self.contacts.is_empty()).then_some(Channel::Mail);
        let slack = self.slack_channel.is_some().then_some(Channel::Slack);
        let channels = [mail, slack].into_iter().flatten();
        channels.flat_map(|channel| self.languages.iter().map(move |&language| Route { channel, language }))
    }

    /// Stands for recorded alerts taken in without a customer's configuration: nobody to tell, nothing to act on.
    pub fn offline(id: TenantId) -> Self {
        let name = Names { ja: id.to_string(), en: id.to_string() };
        Self {
            id,
            name,
            languages: vec![Language::Ja, Language::En],
            contacts: Vec::new(),
            slack_channel: None,
            connected: false,
            policy: ResponsePolicy::default(),
            service_levels: ServiceLevels::default(),
            rollouts: Vec::new(),
        }
    }
}

fn yes() -> bool {
    true
}

/// A company's name as its own people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    pub ja: String,
    pub en: String,
}

impl Names {
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Ja => &self.ja,
            Language::En => &self.en,
        }
    }
}

/// A person or list registered to receive notices (SEC-04).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub email: Email,
    #[serde(default)]
    pub department: Option<Names>,
    #[serde(default)]
    pub title: Option<Names>,
    pub name: Names,
}

/// An address that can stand in a header: one `@`, no blanks, no control characters (SEC-32).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let plain = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_graphic() && !"<>(),;:\"\\[]@".contains(c));
        let valid = text.len() <= 254 && text.split_once('@').is_some_and(|(local, host)| plain(local) && plain(host));
        if valid { Ok(Self(text)) } else { Err(format!("`{}` is not an e-mail address", text.escape_default())) }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// What may be done automatically. The default does everything the decision table allows on strong grounds only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponsePolicy {
    pub kill: bool,
    pub quarantine: bool,
    pub isolate_workstations: IsolateWorkstations,
    pub isolate_vip_workstations: bool,
    /// During the tuning of a roll-out nothing is isolated automatically.
    pub rollout_tuning: bool,
    /// Class by the console's group name, compared without case. Wins over the machine type.
    pub group_classes: BTreeMap<String, Class>,
}

impl Default for ResponsePolicy {
    fn default() -> Self {
        Self {
            kill: true,
            quarantine: true,
            isolate_workstations: IsolateWorkstations::OnDecisiveEvidence,
            isolate_vip_workstations: false,
            rollout_tuning: false,
            group_classes: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolateWorkstations {
    Never,
    OnDecisiveEvidence,
    OnStrongEvidence,
}

impl ResponsePolicy {
    /// What the endpoint is to the customer: their groups first, then the form of the machine.
    pub fn class_of(&self, endpoint: &Endpoint) -> Class {
        let by_group = endpoint.group.as_ref().and_then(|group| {
            let wanted = group.for_matching().to_lowercase();
            self.group_classes.iter().find(|(name, _)| name.to_lowercase() == wanted).map(|(_, class)| *class)
        });
        by_group.unwrap_or(match endpoint.machine {
            Machine::Desktop | Machine::Laptop => Class::Workstation,
            Machine::Server => Class::Server,
            Machine::Infrastructure => Class::Critical,
            Machine::Unknown => Class::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_could_forge_a_header_is_refused_sec_32() {
        for bad in ["a@b\r\nBcc: x@y", "a b@c", "a@b@c", "@b", "a@", "<a@b>"] {
            assert!(Email::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(Email::try_from("soc+alerts@example.co.jp".to_owned()).is_ok());
    }
}
