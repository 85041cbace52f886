//! The ledger: what was raised, what clients did, and what came of it. It is only ever appended to, and it is what
//! tests and the demo are judged by, so it does not depend on anything a client says it did.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// Everything that happened since the start. Times are the simulator's.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ledger {
    pub raised: Vec<Raised>,
    pub done: Vec<Done>,
    pub effects: Vec<Effect>,
    /// By action and target: how often told, and how often to effect. Kept so that appending stays cheap.
    #[serde(skip)]
    told: BTreeMap<(String, String), (usize, usize)>,
}

/// A threat came up.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Raised {
    pub threat_id: String,
    pub site_id: String,
    /// The customer's short name.
    pub site: String,
    pub agent_id: String,
    pub host: String,
    pub scenario: Option<String>,
    pub at: Timestamp,
    /// When lists begin to show it; `None` means never (a fault hides it).
    pub visible_at: Option<Timestamp>,
}

/// A client changed something, or tried to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    /// `kill`, `disconnect`, `analyst-verdict`, `note` and so on.
    pub action: String,
    /// The text or value that came with it, if any.
    pub value: Option<String>,
    /// The token's name, never its secret.
    pub token: String,
    /// `filter.ids` as the client sent it.
    pub asked: Vec<String>,
    pub affected: usize,
    pub targets: Vec<Target>,
    /// Whether the answer was sent; `false` when a fault lost it after the fact.
    pub answered: bool,
}

/// One object that a call reached.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub id: String,
    pub site_id: String,
    /// Whether this call changed anything for it.
    pub effective: bool,
    /// When the change is due, had nothing come in between.
    pub due_at: Option<Timestamp>,
    /// How often it has been told this action, this time included, and how often to effect.
    pub told: usize,
    pub told_effectively: usize,
}

/// Something that takes time has come to its end.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    pub at: Timestamp,
    pub action: String,
    pub target: String,
    /// `success` or `failed`.
    pub outcome: String,
}

impl Ledger {
    /// How often `target` was told `action` to effect. More than once means somebody did it twice.
    pub fn times_effective(&self, action: &str, target: &str) -> usize {
        self.told(action, target).1
    }

    /// How often `target` was told `action` at all.
    pub fn times_told(&self, action: &str, target: &str) -> usize {
        self.told(action, target).0
    }

    /// What ended for `target`, oldest first.
    pub fn effects_on(&self, target: &str) -> Vec<&Effect> {
        self.effects.iter().filter(|effect| effect.target == target).collect()
    }

    /// Every call that did `action`, oldest first.
    pub fn calls(&self, action: &str) -> Vec<&Done> {
        self.done.iter().filter(|done| done.action == action).collect()
    }

    fn told(&self, action: &str, target: &str) -> (usize, usize) {
        self.told.get(&(action.to_owned(), target.to_owned())).copied().unwrap_or_default()
    }

    /// Appends a call, counting how often each target has heard the same before.
    pub(crate) fn record(&mut self, mut done: Done) {
        for target in &mut done.targets {
            let (told, effectively) = self.told.entry((done.action.clone(), target.id.clone())).or_default();
            *told += 1;
            *effectively += usize::from(target.effective);
            (target.told, target.told_effectively) = (*told, *effectively);
        }
        self.done.push(done);
    }
}
