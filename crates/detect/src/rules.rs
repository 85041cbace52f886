//! A loaded collection of rules, and what of it matches.
//!
//! Rules stand on shelves, one per log source, and an event is shown to the shelves of its own sources only: a rule for Zeek,
//! Cisco or macOS never sees a Windows event. A bad rule is refused by name; the others load.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use domain::attack::Technique;
use domain::detection::{Field, Hit, Level, LogSource, MAX_FIELDS, MAX_RECORDS, RuleRef, Status};
use domain::telemetry::Record;
use domain::untrusted::Untrusted;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{Engine, EvaluationResult};
use rsigma_parser::{SigmaRule, parse_sigma_yaml};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::bounds;
use crate::event::{Event, SourceKey};
use crate::load::{self, Error, RuleFile};
use crate::record::event_of;

/// Most rules of one collection. Sigma's whole tree has 3,754.
const MAX_RULES: usize = 20_000;

/// Rules ready to run. Sharing it between threads is cheap.
pub struct Rules {
    rules: Vec<Arc<RuleRef>>,
    refused: Vec<Refused>,
    shelves: HashMap<LogSource, Engine>,
}

/// A rule or file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub file: Untrusted,
    pub why: Untrusted,
}

impl Refused {
    pub(crate) fn new(file: &str, why: impl AsRef<str>) -> Self {
        Self { file: Untrusted::new(file), why: Untrusted::new(why.as_ref()) }
    }
}

/// One rule on one event.
#[derive(Debug, Clone)]
pub struct Match {
    pub rule: Arc<RuleRef>,
    pub fields: Vec<Field>,
}

/// What a run over the events of one case found, and what it could not look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The gravest first.
    pub hits: Vec<Hit>,
    pub events: usize,
    /// Events of no log source that any rule could name: they were not examined.
    pub without_source: usize,
    pub rules: usize,
    pub refused: usize,
}

impl Rules {
    /// Loads a folder or `.tar.gz`. `attack_version` is the ATT&CK version that the rules' ids are read in.
    pub fn load(path: &Path, attack_version: &str) -> Result<Self, Error> {
        Self::load_all(&[path], attack_version)
    }

    /// Several collections as one. Of two rules with the same id the first stays.
    pub fn load_all(paths: &[&Path], attack_version: &str) -> Result<Self, Error> {
        let mut builder = Builder { attack_version: attack_version.to_owned(), ..Builder::default() };
        for path in paths {
            let (files, refused) = load::rule_files(path)?;
            builder.refused.extend(refused);
            files.iter().for_each(|file| builder.add_file(file));
        }
        Ok(builder.build())
    }

    /// The rules of one log source alone.
    pub(crate) fn only(mut self, source: &LogSource) -> Self {
        self.shelves.retain(|of, _| of == source);
        self
    }

    /// Rules that are ready to match.
    pub fn len(&self) -> usize {
        self.shelves.values().map(Engine::rule_count).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn all(&self) -> &[Arc<RuleRef>] {
        &self.rules
    }

    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Every rule that matches the event, in the order of loading.
    pub fn matches(&self, event: &Event) -> Vec<Match> {
        let seen = JsonEvent::borrow(&event.fields);
        let mut found: Vec<(usize, Match)> = event
            .sources()
            .filter_map(|key| self.shelves.get(&source_of(key)))
            .flat_map(|shelf| shelf.evaluate(&seen))
            .filter_map(|result| self.named(&result))
            .collect();
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// Runs all rules over the events of one case.
    pub fn run_records(&self, records: &[Record]) -> Report {
        self.run(records.iter().map(event_of))
    }

    /// The same over events that are made already.
    pub fn run<E: std::borrow::Borrow<Event>>(&self, events: impl IntoIterator<Item = E>) -> Report {
        let mut report = Report { rules: self.len(), refused: self.refused.len(), ..Report::default() };
        let mut hits: BTreeMap<Untrusted, Hit> = BTreeMap::new();
        for event in events {
            let event = event.borrow();
            report.events += 1;
            report.without_source += usize::from(!event.has_source());
            for Match { rule, fields } in self.matches(event) {
                let hit = hits.entry(rule.id.clone()).or_insert_with(|| Hit {
                    rule: RuleRef::clone(&rule),
                    records: Vec::new(),
                    count: 0,
                    fields,
                });
                hit.count = hit.count.saturating_add(1);
                if hit.records.len() < MAX_RECORDS {
                    hit.records.push(event.id.clone());
                }
            }
        }
        report.hits = hits.into_values().collect();
        report.hits.sort_by(|a, b| b.rule.level.cmp(&a.rule.level).then_with(|| a.rule.id.cmp(&b.rule.id)));
        report
    }

    fn named(&self, result: &EvaluationResult) -> Option<(usize, Match)> {
        let index: usize = result.header.rule_id.as_deref()?.parse().ok()?;
        let fields = result.as_detection().map_or_else(Vec::new, |body| {
            body.matched_fields
                .iter()
                .take(MAX_FIELDS)
                .map(|field| Field {
                    name: Untrusted::new(&field.field),
                    value: match &field.value {
                        serde_json::Value::String(text) => Untrusted::new(text),
                        other => Untrusted::new(&other.to_string()),
                    },
                })
                .collect()
        });
        Some((index, Match { rule: Arc::clone(self.rules.get(index)?), fields }))
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules({} loaded, {} refused)", self.rules.len(), self.refused.len())
    }
}

#[derive(Default)]
struct Builder {
    budget: bounds::Budget,
    attack_version: String,
    refused: Vec<Refused>,
    rules: Vec<Arc<RuleRef>>,
    ids: std::collections::HashSet<Untrusted>,
    shelves: HashMap<LogSource, Vec<(SigmaRule, usize)>>,
}

impl Builder {
    fn add_file(&mut self, file: &RuleFile) {
        let parsed = match parse_sigma_yaml(&file.text) {
            Ok(parsed) => parsed,
            Err(e) => return self.refuse(file, e.to_string()),
        };
        for error in &parsed.errors {
            self.refuse(file, error);
        }
        if !parsed.correlations.is_empty() || !parsed.filters.is_empty() {
            self.refuse(file, "correlation and filter rules are not run: the events of one case are no stream");
        }
        let sha256 = hex(&Sha256::digest(&file.text));
        for rule in parsed.rules {
            if let Err(why) = self.add_rule(rule, file, &sha256) {
                self.refuse(file, why);
            }
        }
    }

    fn add_rule(&mut self, mut rule: SigmaRule, file: &RuleFile, sha256: &str) -> Result<(), String> {
        if self.rules.len() >= MAX_RULES {
            return Err(format!("more than {MAX_RULES} rules"));
        }
        let source = source_named(&rule)?;
        bounds::check(&rule, &mut self.budget)?;
        // Compiled once for its verdict alone: a rule that does not compile must not take a place.
        rsigma_eval::compile_rule(&rule).map_err(|e| e.to_string())?;
        let about = about(&rule, source.clone(), file, sha256, &self.attack_version)?;
        if !self.ids.insert(about.id.clone()) {
            return Err(format!("another rule has the id `{}` already", about.id.quoted()));
        }
        let index = self.rules.len();
        // The engine gives a rule's id back with a match. Ours is the place in `rules`: short, unique and not the file's to choose.
        rule.id = Some(index.to_string());
        // Not needed for matching, and a rule must not switch on what costs (`rsigma.include_event`).
        rule.custom_attributes.clear();
        self.rules.push(Arc::new(about));
        self.shelves.entry(source).or_default().push((rule, index));
        Ok(())
    }

    fn refuse(&mut self, file: &RuleFile, why: impl AsRef<str>) {
        self.refused.push(Refused::new(&file.name, why));
    }

    fn build(mut self) -> Rules {
        let mut shelves = HashMap::new();
        for (source, rules) in self.shelves {
            let mut engine = Engine::new();
            for (position, error) in engine.add_rules(rules.iter().map(|(rule, _)| rule)) {
                // Did compile before; named all the same, should the engine ever differ from itself.
                if let Some(about) = rules.get(position).and_then(|(_, index)| self.rules.get(*index)) {
                    self.refused.push(Refused { file: about.file.clone(), why: Untrusted::new(&error.to_string()) });
                }
            }
            shelves.insert(source, engine);
        }
        Rules { rules: self.rules, refused: self.refused, shelves }
    }
}

/// A rule of no log source would meet every event, one with dimensions of its own none that we know.
fn source_named(rule: &SigmaRule) -> Result<LogSource, String> {
    let named =
        |text: &Option<String>| text.as_deref().map(|t| t.trim().to_ascii_lowercase()).filter(|t| !t.is_empty());
    let source = LogSource {
        product: named(&rule.logsource.product),
        category: named(&rule.logsource.category),
        service: named(&rule.logsource.service),
    };
    if source == LogSource::default() {
        return Err("it names no log source".to_owned());
    }
    Ok(source)
}

fn source_of((product, category, service): SourceKey<'_>) -> LogSource {
    LogSource {
        product: product.map(str::to_owned),
        category: category.map(str::to_owned),
        service: service.map(str::to_owned),
    }
}

fn about(
    rule: &SigmaRule,
    source: LogSource,
    file: &RuleFile,
    sha256: &str,
    attack_version: &str,
) -> Result<RuleRef, String> {
    let id = Untrusted::some(rule.id.as_deref()).ok_or("it has no id")?;
    Ok(RuleRef {
        id,
        title: Untrusted::new(&rule.title),
        level: rule.level.map_or(Level::default(), level),
        status: rule.status.map_or(Status::Unknown, status),
        author: Untrusted::some(rule.author.as_deref()),
        licence: Untrusted::some(rule.license.as_deref()),
        techniques: techniques(&rule.tags),
        attack_version: attack_version.to_owned(),
        source,
        file: Untrusted::new(&file.name),
        file_sha256: sha256.to_owned(),
    })
}

/// `attack.t1003.001` is a technique; other tags of the name space are tactics and groups.
fn techniques(tags: &[String]) -> Vec<Technique> {
    let ids = tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
    let mut found: Vec<Technique> = ids.filter_map(|id| id.to_ascii_uppercase().parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MAX_FIELDS);
    found
}

fn level(level: rsigma_parser::Level) -> Level {
    match level {
        rsigma_parser::Level::Informational => Level::Informational,
        rsigma_parser::Level::Low => Level::Low,
        rsigma_parser::Level::Medium => Level::Medium,
        rsigma_parser::Level::High => Level::High,
        rsigma_parser::Level::Critical => Level::Critical,
    }
}

fn status(status: rsigma_parser::Status) -> Status {
    match status {
        rsigma_parser::Status::Stable => Status::Stable,
        rsigma_parser::Status::Test => Status::Test,
        rsigma_parser::Status::Experimental => Status::Experimental,
        rsigma_parser::Status::Deprecated => Status::Deprecated,
        rsigma_parser::Status::Unsupported => Status::Unsupported,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests;
