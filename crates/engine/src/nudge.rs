//! Hints between the loops of one process, and to open browser pages, that something is new.

use domain::{IncidentId, TenantId};
use tokio::sync::broadcast;

/// An incident changed; jobs may be waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudge {
    pub tenant: TenantId,
    pub incident: IncidentId,
}

#[derive(Debug)]
pub(crate) struct Nudges(broadcast::Sender<Nudge>);

impl Default for Nudges {
    fn default() -> Self {
        Self(broadcast::channel(1024).0)
    }
}

impl Nudges {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Nudge> {
        self.0.subscribe()
    }

    pub(crate) fn send(&self, nudge: Nudge) {
        // Nobody listening is normal: a lone role has no pages open.
        let _ = self.0.send(nudge);
    }
}
