//! The proof that log sources are kept apart: what fires is checked against the event again, and beside it stands how often
//! rules of other log sources would have fired had nothing kept them away.

use std::path::Path;

use domain::detection::LogSource;
use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use serde::Serialize;
use serde_json::Value;

use crate::event::Event;
use crate::load::{Error, rule_files};

/// Events that are shown to all rules at once. It shows what the gate prevents, and need not be done for every event.
const SHOWN: usize = 2_000;

#[derive(Serialize)]
pub struct Gate {
    /// Matches of rules whose log source is not the event's. Must be 0.
    pub fired: u64,
    /// The same without the gate, over the first events.
    pub would_have_fired: u64,
    pub shown: usize,
    #[serde(skip)]
    all: Engine,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate(fired {}, would have fired {})", self.fired, self.would_have_fired)
    }
}

impl Gate {
    pub(super) fn new(root: &Path) -> Result<Self, Error> {
        let mut all = Engine::new();
        for path in super::collections(&root.join("rules/sigma"))? {
            let (files, _) = rule_files(&path)?;
            let rules: Vec<_> = files
                .iter()
                .filter_map(|file| rsigma_parser::parse_sigma_yaml(&file.text).ok())
                .flat_map(|parsed| parsed.rules)
                .collect();
            all.add_rules(&rules);
        }
        Ok(Self { fired: 0, would_have_fired: 0, shown: 0, all })
    }

    pub(super) fn check(&mut self, source: &LogSource, event: &Event) {
        self.fired += u64::from(is_foreign(source, event));
    }

    /// The engine does not say a match's log source: the rule is told by its place, looked up by id.
    pub(super) fn ungated(&mut self, event: &Event) {
        if self.shown >= SHOWN {
            return;
        }
        self.shown += 1;
        for found in self.all.evaluate(&JsonEvent::borrow(&event.fields)) {
            let rule = self.all.rules().iter().find(|rule| rule.id == found.header.rule_id);
            let source = rule.map(|rule| LogSource {
                product: rule.logsource.product.clone(),
                category: rule.logsource.category.clone(),
                service: rule.logsource.service.clone(),
            });
            self.would_have_fired += u64::from(source.is_some_and(|source| is_foreign(&source, event)));
        }
    }
}

/// Written apart from the shelves, from the raw event where it says it: the product is Windows', and a service's or a category's
/// rule is foreign when the event is of neither.
fn is_foreign(source: &LogSource, event: &Event) -> bool {
    let windows = event.fields.get("Channel").is_some_and(Value::is_string);
    let product = source.product.as_deref().is_some_and(|p| if windows { p != "windows" } else { p != event.product });
    let category = source.category.as_deref().is_some_and(|c| !event.categories.contains(&c));
    let service = source.service.as_deref().is_some_and(|s| event.service != Some(s));
    product || category || service
}
