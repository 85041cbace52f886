//! What Yagura knows and decides, without touching the world.
//!
//! Plain data and pure functions: no async, clock, randomness, files or network. State, input and `now` go in; events and
//! effects come out. It deliberately knows neither SQL nor HTTP nor any console's wire format.

pub mod action;
pub mod alert;
pub mod attack;
pub mod attainment;
pub mod calendar;
pub mod clock;
pub mod commandline;
pub mod defang;
pub mod detection;
pub mod endpoint;
pub mod evidence;
pub mod export;
pub mod grouping;
pub mod ids;
pub mod incident;
pub mod ioc;
pub mod judgement;
pub mod language;
pub mod notice;
pub mod oncall;
pub mod question;
pub mod reason;
pub mod rules;
pub mod scorecard;
pub mod source;
pub mod storm;
pub mod story;
pub mod telemetry;
pub mod tenant;
pub mod untrusted;
pub mod version;
pub mod vulnerability;

pub use ids::{
    ActionId, AgentId, AlertId, EvidenceId, IncidentId, NoticeId, PageId, PersonId, QuestionId, SiteId, SlackChannelId,
    TenantId,
};
pub use judgement::{Priority, Verdict};
pub use language::{Language, Text};
pub use untrusted::Untrusted;

/// Instants are UTC everywhere inside; zones exist only at the edge (REL-13).
pub use jiff::Timestamp;
