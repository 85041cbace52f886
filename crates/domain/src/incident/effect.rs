//! What has to be done in the outside world because of an event. The store keeps each as a job; a role claims it.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::*;
use crate::action::State;
use crate::notice::{self, Route};

/// Which process may claim a job (`design.md` §5). Only the actuator holds tokens that can write to a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Actuator,
    Notifier,
    /// Lets deadlines pass. It holds no secret.
    Timekeeper,
    /// Looks things up. It holds tokens that can look, and the keys of outside sources.
    Investigator,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Actuator => "actuator",
            Self::Notifier => "notifier",
            Self::Timekeeper => "timekeeper",
            Self::Investigator => "investigator",
        }
    }
}

/// One thing to do. Each may run twice: the doer reads the incident and the world first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Carry one action to its end.
    Act { action: ActionId },
    /// Deliver one notice on one route.
    Notify { notice: NoticeId, route: Route },
    /// Call one person of the SOC.
    Page { page: PageId },
    /// Let time pass, when the next deadline of the incident is there.
    Wake,
    /// Make the console say what we say: status, verdict, notes.
    UpdateConsole,
    /// Look something up.
    Gather { inquiry: Inquiry },
}

/// How long an update waits before it is written.
const GATHERING: SignedDuration = SignedDuration::from_secs(5);
/// Until when an update surely has not been written: clocks of two processes differ, and a decision takes time to commit.
pub(super) const TAKES_MORE: SignedDuration = SignedDuration::from_secs(3);

impl Effect {
    pub fn role(&self) -> Role {
        match self {
            Self::Act { .. } | Self::UpdateConsole => Role::Actuator,
            Self::Notify { .. } | Self::Page { .. } => Role::Notifier,
            Self::Wake => Role::Timekeeper,
            Self::Gather { .. } => Role::Investigator,
        }
    }

    /// Names the job within its incident. Two jobs of one name never exist, so doing a decision twice adds nothing, and
    /// two workers never write to the console about one incident at the same time.
    pub fn key(&self) -> String {
        match self {
            Self::Act { action } => format!("act/{action}"),
            Self::Notify { notice, route } => format!("notify/{notice}/{route}"),
            Self::Page { page } => format!("page/{page}"),
            Self::UpdateConsole => "console".into(),
            Self::Wake => "wake".into(),
            Self::Gather { inquiry } => format!("gather/{}", inquiry.key()),
        }
    }

    /// When it is to be done at the earliest. Updates gather for a moment: an attack that spreads over five endpoints in as
    /// many seconds is told in one mail, not in five. A wake-up waits for its time. Nothing else waits.
    pub fn not_before(&self, incident: &Incident, decided_at: Timestamp) -> Timestamp {
        match self {
            Self::Notify { notice, .. }
                if incident.notices.get(notice).map(|n| n.kind) == Some(notice::Kind::Update) =>
            {
                decided_at.saturating_add(GATHERING).unwrap_or(Timestamp::MAX)
            }
            Self::Wake => incident.next_alarm().unwrap_or(decided_at),
            _ => decided_at,
        }
    }

    /// Whether it is to be done again each time it is asked for: it makes a state agree, and there is always a newer state.
    /// A thousand alerts that join an incident are then one visit to the console, not a thousand.
    pub fn is_standing(&self) -> bool {
        matches!(self, Self::UpdateConsole | Self::Wake | Self::Gather { .. })
    }
}

impl Incident {
    /// What follows from a decision: what each of its events asks for, and a wake-up where the next deadline moved. `self` is
    /// the state after it, `before` the one before, `None` when the decision opened the incident.
    pub fn effects(&self, before: Option<&Incident>, recorded: &[Recorded], tenant: &Tenant) -> Vec<Effect> {
        let mut effects: Vec<Effect> = recorded.iter().flat_map(|entry| self.effects_of(entry, tenant)).collect();
        let alarm = self.next_alarm();
        if alarm.is_some() && alarm != before.and_then(Incident::next_alarm) {
            effects.push(Effect::Wake);
        }
        effects
    }

    fn effects_of(&self, recorded: &Recorded, tenant: &Tenant) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.inquiries_after(&recorded.event, tenant).collect();
        effects.extend(self.duties_after(&recorded.event, tenant));
        effects
    }

    /// What is looked up because of an event. A customer whose console is not connected can be asked nothing.
    fn inquiries_after(&self, event: &Event, tenant: &Tenant) -> impl Iterator<Item = Effect> {
        let inquiries = match event {
            _ if !tenant.connected => Vec::new(),
            Event::Received { alert, .. } | Event::AlertJoined { alert, .. } => self.inquiries_about(alert),
            Event::EvidenceGathered { evidence } => evidence.answer.inquiry.followed_by(),
            Event::InquiryRepeated { inquiry } => vec![inquiry.clone()],
            _ => Vec::new(),
        };
        inquiries.into_iter().map(|inquiry| Effect::Gather { inquiry })
    }

    fn duties_after(&self, event: &Event, tenant: &Tenant) -> Vec<Effect> {
        match event {
            Event::ActionDecided { action } if action.state == State::PreAuthorised => {
                vec![Effect::Act { action: action.id }]
            }
            Event::NoticeDecided { notice } => {
                notice.deliveries.keys().map(|route| Effect::Notify { notice: notice.id, route: *route }).collect()
            }
            Event::Paged { page } if page.to.is_some() => vec![Effect::Page { page: page.id }],
            Event::Judged { .. }
            | Event::AlertJoined { .. }
            | Event::VerdictGiven { .. }
            | Event::AnswerOverdue { .. }
            | Event::Closed
            | Event::Reopened { .. }
                if tenant.connected =>
            {
                vec![Effect::UpdateConsole]
            }
            _ => Vec::new(),
        }
    }
}
