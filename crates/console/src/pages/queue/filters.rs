//! What the queue shows, as its address says it: so a view can be shared and bookmarked.

use domain::incident::Phase;
use domain::judgement::Priority;
use domain::{PersonId, TenantId, Timestamp};
use serde::Deserialize;
use store::QueueFilter;

use crate::access::url_encoded;
use crate::show;

/// What the address asks for. Whatever does not parse is as good as absent.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Asked {
    pub(super) view: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) priority: Option<String>,
    pub(super) q: Option<String>,
    pub(super) page: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Open,
    Unassigned,
    Mine,
    AtRisk,
    Overdue,
    Waiting,
    Closed,
}

impl View {
    pub(super) const ALL: [(Self, &'static str); 7] = [
        (Self::Open, "open"),
        (Self::Unassigned, "unassigned"),
        (Self::Mine, "mine"),
        (Self::AtRisk, "risk"),
        (Self::Overdue, "overdue"),
        (Self::Waiting, "waiting"),
        (Self::Closed, "closed"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(view, _)| *view == self).map_or("open", |(_, name)| name)
    }
}

/// A parsed address.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    pub(super) view: View,
    pub(super) tenant: Option<TenantId>,
    pub(super) priority: Option<Priority>,
    pub(super) word: String,
    pub(super) page: usize,
}

impl Filters {
    pub(super) fn of(asked: &Asked) -> Self {
        let view = View::ALL.into_iter().find(|(_, name)| Some(*name) == asked.view.as_deref());
        Self {
            view: view.map_or(View::Open, |(view, _)| view),
            tenant: asked.tenant.as_deref().and_then(|t| t.parse().ok()),
            priority: asked.priority.as_deref().and_then(|p| p.parse().ok()),
            word: asked.q.as_deref().unwrap_or_default().trim().chars().take(100).collect(),
            page: asked.page.as_deref().and_then(|p| p.parse().ok()).unwrap_or(1).clamp(1, 100_000),
        }
    }

    pub(super) fn query(&self, me: &PersonId, now: Timestamp) -> QueueFilter {
        let soon = now.checked_add(show::AT_RISK).unwrap_or(Timestamp::MAX);
        let base = QueueFilter { tenant: self.tenant.clone(), priority: self.priority, ..QueueFilter::default() };
        match self.view {
            View::Open => base,
            View::Unassigned => QueueFilter { unassigned: true, ..base },
            View::Mine => QueueFilter { assigned_to: Some(me.clone()), ..base },
            View::AtRisk => QueueFilter { due_from: Some(now), due_before: Some(soon), ..base },
            View::Overdue => QueueFilter { due_before: Some(now), ..base },
            View::Waiting => QueueFilter { phase: Some(Phase::Asked), ..base },
            View::Closed => QueueFilter { closed: true, ..base },
        }
    }

    /// The address of this view, without the path.
    pub(super) fn search(&self) -> String {
        let mut parts = Vec::new();
        if self.view != View::Open {
            parts.push(format!("view={}", self.view.name()));
        }
        if let Some(tenant) = &self.tenant {
            parts.push(format!("tenant={tenant}"));
        }
        if let Some(priority) = self.priority {
            parts.push(format!("priority={}", priority.name()));
        }
        if !self.word.is_empty() {
            parts.push(format!("q={}", url_encoded(&self.word)));
        }
        if self.page > 1 {
            parts.push(format!("page={}", self.page));
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { page: 1, ..self.clone() };
        change(&mut other);
        format!("/{}", other.search())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_survives_its_address() {
        let asked = Asked {
            view: Some("mine".into()),
            tenant: Some("acme".into()),
            priority: Some("P1".into()),
            q: Some("請求書 & more".into()),
            page: Some("3".into()),
        };
        let search = Filters::of(&asked).search();
        assert_eq!(search, "?view=mine&tenant=acme&priority=P1&q=%E8%AB%8B%E6%B1%82%E6%9B%B8%20%26%20more&page=3");
        let nonsense = Asked { view: Some("'; --".into()), tenant: Some("../x".into()), ..Asked::default() };
        assert_eq!(Filters::of(&nonsense).search(), "");
    }
}
