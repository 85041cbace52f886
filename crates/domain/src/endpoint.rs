//! An endpoint as the EDR describes it, and the class that decides what may be done to it without asking.

use serde::{Deserialize, Serialize};

use crate::ids::AgentId;
use crate::language::Text;
use crate::untrusted::Untrusted;

/// Operating-system family (SentinelOne: `agentOsType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Os {
    Windows,
    Macos,
    Linux,
    #[default]
    Unknown,
}

/// Form of the machine (SentinelOne: `agentMachineType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Machine {
    Desktop,
    Laptop,
    Server,
    /// Kubernetes node or pod, container task, storage.
    Infrastructure,
    #[default]
    Unknown,
}

/// Whether the endpoint is cut from the network (SentinelOne: `agentNetworkStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    Connected,
    Disconnecting,
    Isolated,
    Reconnecting,
    #[default]
    Unknown,
}

/// What the alert says of its endpoint. Names and addresses are the endpoint's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub agent: AgentId,
    pub name: Untrusted,
    pub domain: Option<Untrusted>,
    pub os: Os,
    pub os_name: Option<Untrusted>,
    pub machine: Machine,
    pub group: Option<Untrusted>,
    pub site: Option<Untrusted>,
    pub last_user: Option<Untrusted>,
    pub addresses: Vec<Untrusted>,
    pub agent_version: Option<Untrusted>,
    pub network: Network,
    /// The sensor's heartbeat (SentinelOne: `agentIsActive`); `None` when the record does not say.
    pub online: Option<bool>,
}

impl Endpoint {
    /// Stands in `agent` when a record names no endpoint: the alert is kept, but nothing can be aimed at it.
    pub const UNNAMED: &str = "unknown";

    pub fn is_named(&self) -> bool {
        self.agent.as_str() != Self::UNNAMED
    }
}

/// What an endpoint is to its owner. Decides isolation (`practice.md` §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Workstation,
    VipWorkstation,
    Server,
    DomainController,
    /// Identity provider, hypervisor, backup, jump host, VDI, OT, medical, point of sale.
    Critical,
    /// Not known to be a workstation: treated as never to be isolated automatically.
    Unknown,
}

impl Class {
    pub fn text(self) -> Text {
        match self {
            Self::Workstation => Text::new("業務用PC", "Workstation"),
            Self::VipWorkstation => Text::new("重要利用者のPC", "VIP workstation"),
            Self::Server => Text::new("サーバー", "Server"),
            Self::DomainController => Text::new("ドメインコントローラー", "Domain controller"),
            Self::Critical => Text::new("基幹系システム", "Critical system"),
            Self::Unknown => Text::new("種別不明", "Unknown class"),
        }
    }

    /// Server or more critical: raises priority by one step.
    pub fn is_critical(self) -> bool {
        matches!(self, Self::Server | Self::DomainController | Self::Critical)
    }
}
