//! Something done to an endpoint or a file, from the first thought to the proof that it worked (REL-06).
//!
//! It knows the states and who may authorise what; it does not know how a console is told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Class;
use crate::ids::{ActionId, AgentId, AlertId};
use crate::language::Text;
use crate::reason::Ground;
use crate::rules::{RuleId, Strength};
use crate::tenant::{IsolateWorkstations, ResponsePolicy};
use crate::untrusted::Untrusted;

/// All of these set a state: told twice, they change nothing the second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Kill,
    Quarantine,
    Isolate,
}

impl Kind {
    pub fn text(self) -> Text {
        match self {
            Self::Kill => Text::new("プロセスの強制終了", "Kill the process"),
            Self::Quarantine => Text::new("ファイルの隔離", "Quarantine the file"),
            Self::Isolate => Text::new("端末のネットワーク隔離", "Isolate the endpoint from the network"),
        }
    }

    /// How it is undone, named before it is done.
    pub fn undo(self) -> Text {
        match self {
            Self::Kill => {
                Text::new("不要（プログラムは再度起動できます）", "Not needed: the program can be started again")
            }
            Self::Quarantine => Text::new("隔離ファイルの復元", "Restore the file from quarantine"),
            Self::Isolate => Text::new("ネットワーク隔離の解除", "Reconnect the endpoint"),
        }
    }
}

/// What it is done to. `alert` names the threat for file and process actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub agent: AgentId,
    pub endpoint: Untrusted,
    pub class: Class,
    pub alert: Option<AlertId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub id: ActionId,
    pub kind: Kind,
    pub target: Target,
    /// The rule that called for it, and the grounds of its authority.
    pub rule: RuleId,
    pub grounds: Vec<Ground>,
    pub state: State,
    pub decided_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    /// How often the console was told. More than one only after an answer was lost and the state read back as undone.
    pub sends: u8,
}

/// REL-06. `IntentRecorded` found after a restart means "perhaps sent": read back before any resend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for people.
    Proposed,
    PreAuthorised,
    IntentRecorded,
    Sent,
    Accepted,
    /// The answer was lost; a read-back decides.
    Unknown {
        why: Untrusted,
    },
    Verified {
        how: Proof,
    },
    Refused {
        why: Untrusted,
    },
}

/// What proves that an action took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Read back from the console after we sent it.
    ReadBack,
    /// The console already showed the wanted state, so nothing was sent.
    AlreadySo,
}

impl State {
    pub fn text(&self) -> Text {
        match self {
            Self::Proposed => Text::new("承認待ち", "Waiting for approval"),
            Self::PreAuthorised => Text::new("事前許可済み・実行待ち", "Authorised in advance, queued"),
            Self::IntentRecorded | Self::Sent => Text::new("送信中", "Being sent"),
            Self::Accepted => Text::new("受付済み・結果確認中", "Accepted, being verified"),
            Self::Unknown { .. } => Text::new("応答不明・確認中", "Answer lost, being verified"),
            Self::Verified { how: Proof::ReadBack } => Text::new("実施・結果確認済み", "Done and verified"),
            Self::Verified { how: Proof::AlreadySo } => {
                Text::new("実施済みであることを確認", "Verified: already in effect")
            }
            Self::Refused { .. } => Text::new("実施できず", "Could not be done"),
        }
    }

    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Refused { .. })
    }

    /// Whether the actuator still has something to do.
    pub fn is_running(&self) -> bool {
        !self.is_settled() && !matches!(self, Self::Proposed)
    }
}

/// Who may do it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    PreAuthorised(Vec<Ground>),
    /// People must decide; the grounds say why.
    Ask(Vec<Ground>),
}

/// The one function that says whether something may be done without asking (`practice.md` §1, isolation).
pub fn authorise(kind: Kind, class: Class, strength: Strength, policy: &ResponsePolicy) -> Authority {
    use Authority::{Ask, PreAuthorised};
    let allowed = |allowed: bool| {
        if allowed { PreAuthorised(vec![Ground::PolicyAllows]) } else { Ask(vec![Ground::PolicyForbids]) }
    };
    match kind {
        Kind::Kill => allowed(policy.kill),
        Kind::Quarantine => allowed(policy.quarantine),
        Kind::Isolate if policy.rollout_tuning => Ask(vec![Ground::RolloutTuning]),
        Kind::Isolate => match class {
            Class::Workstation => isolate_workstation(strength, policy.isolate_workstations),
            Class::VipWorkstation if !policy.isolate_vip_workstations => {
                Ask(vec![Ground::EndpointClass(class), Ground::PolicyForbids])
            }
            Class::VipWorkstation => isolate_workstation(strength, IsolateWorkstations::OnDecisiveEvidence),
            Class::Server => Ask(vec![Ground::EndpointClass(class), Ground::TwoPeopleRequired]),
            Class::DomainController | Class::Critical | Class::Unknown => {
                Ask(vec![Ground::EndpointClass(class), Ground::NeverAutomatic, Ground::TwoPeopleRequired])
            }
        },
    }
}

fn isolate_workstation(strength: Strength, policy: IsolateWorkstations) -> Authority {
    let enough = match policy {
        IsolateWorkstations::Never => return Authority::Ask(vec![Ground::PolicyForbids]),
        IsolateWorkstations::OnDecisiveEvidence => strength >= Strength::Decisive,
        IsolateWorkstations::OnStrongEvidence => strength >= Strength::Strong,
    };
    if enough {
        let why = if strength == Strength::Decisive { vec![Ground::EvidenceDecisive] } else { vec![] };
        Authority::PreAuthorised([why, vec![Ground::PolicyAllows]].concat())
    } else {
        Authority::Ask(vec![Ground::EvidenceNotDecisive])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_server_is_ever_isolated_without_people_whatever_the_policy_says() {
        let generous = ResponsePolicy {
            isolate_workstations: IsolateWorkstations::OnStrongEvidence,
            isolate_vip_workstations: true,
            ..ResponsePolicy::default()
        };
        for class in [Class::Server, Class::DomainController, Class::Critical, Class::Unknown] {
            let authority = authorise(Kind::Isolate, class, Strength::Decisive, &generous);
            assert!(matches!(authority, Authority::Ask(_)), "{class:?}");
        }
    }

    #[test]
    fn a_workstation_is_isolated_on_decisive_evidence_but_not_while_a_rollout_is_tuned() {
        let policy = ResponsePolicy::default();
        let isolate = |strength, policy: &_| authorise(Kind::Isolate, Class::Workstation, strength, policy);
        assert!(matches!(isolate(Strength::Decisive, &policy), Authority::PreAuthorised(_)));
        assert!(matches!(isolate(Strength::Strong, &policy), Authority::Ask(_)));
        let tuning = ResponsePolicy { rollout_tuning: true, ..policy };
        assert_eq!(isolate(Strength::Decisive, &tuning), Authority::Ask(vec![Ground::RolloutTuning]));
    }
}
