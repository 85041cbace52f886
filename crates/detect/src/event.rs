//! One event as rules see it: named fields, and the log source it comes from.

use domain::Untrusted;
use serde_json::{Map, Value};

/// Categories of one event: a registry value that was set is `registry_set` and `registry_event`.
pub(crate) type Categories = &'static [&'static str];

/// An event in Sigma's words. `record::event_of` and `winlog` make it.
#[derive(Debug, Clone)]
pub struct Event {
    /// Names it in its source.
    pub id: Untrusted,
    pub(crate) product: &'static str,
    /// The log it was written to, where there is one: `security`, `sysmon`.
    pub(crate) service: Option<&'static str>,
    pub(crate) categories: Categories,
    /// Always an object.
    pub(crate) fields: Value,
}

impl Event {
    pub(crate) fn new(id: Untrusted, product: &'static str, fields: Map<String, Value>) -> Self {
        Self { id, product, service: None, categories: &[], fields: Value::Object(fields) }
    }

    /// Whether a rule could be meant for it at all: rules name a log source.
    pub fn has_source(&self) -> bool {
        self.service.is_some() || !self.categories.is_empty()
    }

    /// The log sources that a rule may name to be meant for this event, from the most to the least particular.
    pub(crate) fn sources(&self) -> impl Iterator<Item = SourceKey<'_>> {
        let products = [Some(self.product), None];
        let services = [self.service, None];
        let services = services.into_iter().take(if self.service.is_some() { 2 } else { 1 });
        let categories = || self.categories.iter().copied().map(Some).chain([None]);
        products.into_iter().flat_map(move |product| {
            services.clone().flat_map(move |service| categories().map(move |category| (product, category, service)))
        })
    }
}

/// Product, category, service.
pub(crate) type SourceKey<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);
