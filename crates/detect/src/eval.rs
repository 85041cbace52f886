//! How well the rules find what they should: `yagura eval detect DATA`.
//!
//! Four parts, each counted in its own unit: recordings that a named rule must match, attack recordings labelled with a technique
//! (two kinds), and logs that are no attack. The headline joins the first and the last, both in events. Nothing here knows a
//! file, rule or hash by name.

mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::attack::Technique;
use domain::detection::Level;
use domain::scorecard::{Counts, Intervals, Scorecard};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::ungated::Gate;
use crate::event::Event;
use crate::load::Error;
use crate::rules::Rules;
use crate::winlog;

mod ungated;

/// Below it a match on an ordinary log is expected: such rules tell what happens, not that something is wrong.
const ALARM: Level = Level::Medium;
const MAX_NAMED: usize = 100;

#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Regression and background, in events.
    #[serde(flatten)]
    pub scorecard: Scorecard,
    pub parts: Vec<Part>,
    pub other_log_source: Gate,
    pub rules: usize,
    pub refused: usize,
    pub events: usize,
    pub unreadable: usize,
}

#[derive(Debug, Serialize)]
pub struct Part {
    pub name: &'static str,
    pub unit: &'static str,
    #[serde(flatten)]
    pub scorecard: Scorecard,
    pub events: usize,
    /// Matches of rules of at least medium level, and how many events had one.
    pub alarms: usize,
    pub events_with_alarm: usize,
    /// Labelled cases that nothing could be said of: the rule that a test names is not in the collection.
    pub not_judged: usize,
    /// Labelled recordings in which any rule of at least medium level fired, whatever its technique.
    pub recordings_with_alarm: usize,
    /// What was missed, fired on an ordinary log or was not judged, by name; at most 100.
    pub faults: Vec<String>,
}

/// One test recording: `regression*.jsonl`.
#[derive(Deserialize)]
struct Regression {
    rule_id: String,
    expected_match_count: u64,
    events: Vec<Value>,
}

/// Evaluates any folder of the form of the shared data: `rules/sigma` and `telemetry/*`. A part that is not there is
/// left out; no rules is an error.
pub fn eval(root: &Path) -> Result<Outcome, Error> {
    let rules = rules_of(root)?;
    let mut gate = Gate::new(root)?;
    let mut unreadable = 0;
    let telemetry = root.join("telemetry");
    let mut counts = Counts::default();
    let mut parts = Vec::new();

    for (name, part) in [
        ("sigma-regression", regression as fn(&mut Run<'_>, &Path) -> Result<Tally, Error>),
        ("evtx-background", background),
        ("otrf", otrf),
        ("evtx-to-mitre", evtx_to_mitre),
    ] {
        let folder = telemetry.join(name);
        if !folder.is_dir() {
            continue;
        }
        let mut run = Run { rules: &rules, gate: &mut gate, bad: 0, events: 0, alarms: 0, events_with_alarm: 0 };
        let tally = part(&mut run, &folder)?;
        unreadable += run.bad;
        if tally.unit == "event" {
            counts += tally.counts;
        }
        parts.push(Part {
            name,
            unit: tally.unit,
            scorecard: card(&tally),
            events: run.events,
            alarms: run.alarms,
            events_with_alarm: run.events_with_alarm,
            not_judged: tally.not_judged,
            recordings_with_alarm: tally.with_alarm,
            faults: tally.faults.into_iter().take(MAX_NAMED).collect(),
        });
    }
    Ok(Outcome {
        scorecard: counts.scorecard(),
        events: parts.iter().map(|part| part.events).sum(),
        parts,
        other_log_source: gate,
        rules: rules.len(),
        refused: rules.refused().len(),
        unreadable,
    })
}

/// Every event of the telemetry, in the order of folders, files and lines.
pub(crate) fn all_records(root: &Path) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for (_, file) in telemetry_files(root)? {
        all.extend(flattened(data::records(&file)?.records));
    }
    Ok(all)
}

/// Every match of every event, as `file:number` with the rules' ids: what another engine's hits are compared with.
pub fn hits(root: &Path, mut say: impl FnMut(&str, usize, &BTreeSet<String>)) -> Result<(), Error> {
    let rules = rules_of(root)?;
    for (name, file) in telemetry_files(root)? {
        for (number, record) in flattened(data::records(&file)?.records).enumerate() {
            let found = winlog::event_of(&record).map(|event| ids(&rules, &event)).unwrap_or_default();
            say(&name, number, &found);
        }
    }
    Ok(())
}

fn telemetry_files(root: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut found = Vec::new();
    for folder in ["sigma-regression", "otrf", "evtx-to-mitre", "evtx-background"] {
        let path = root.join("telemetry").join(folder);
        if path.is_dir() {
            for file in data::files(&path, &[".jsonl", ".jsonl.gz", ".evtx"])? {
                found.push((format!("{folder}/{}", file.file_name().unwrap_or_default().to_string_lossy()), file));
            }
        }
    }
    Ok(found)
}

/// Records, where a line holds several (a regression test), one after the other.
pub(crate) fn flattened(records: Vec<Value>) -> impl Iterator<Item = Value> {
    records.into_iter().flat_map(|mut record| match record.get_mut("events").map(Value::take) {
        Some(Value::Array(events)) => events,
        _ => vec![record],
    })
}

fn ids(rules: &Rules, event: &Event) -> BTreeSet<String> {
    rules.matches(event).iter().map(|found| found.rule.id.for_matching().to_owned()).collect()
}

pub(crate) fn rules_of(root: &Path) -> Result<Rules, Error> {
    let paths = collections(&root.join("rules/sigma"))?;
    let rules = Rules::load_all(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), "")?;
    if rules.is_empty() {
        return Err(Error::Form { path: root.join("rules/sigma"), why: "no rule could be loaded".to_owned() });
    }
    Ok(rules)
}

/// Archives of rules in a folder; a folder without one is itself the collection.
fn collections(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let archives = data::files(folder, &[".tar.gz", ".tgz"])?;
    Ok(if archives.is_empty() { vec![folder.to_owned()] } else { archives })
}

/// Without a case that must not match there is a recall, and no precision.
fn card(tally: &Tally) -> Scorecard {
    let card = tally.counts.scorecard();
    if tally.counts.false_positive + tally.counts.true_negative > 0 {
        return card;
    }
    Scorecard { precision: None, f1: None, interval: Intervals { precision: None, ..card.interval }, ..card }
}

struct Run<'a> {
    rules: &'a Rules,
    gate: &'a mut Gate,
    bad: usize,
    events: usize,
    alarms: usize,
    events_with_alarm: usize,
}

#[derive(Default)]
struct Tally {
    unit: &'static str,
    counts: Counts,
    not_judged: usize,
    with_alarm: usize,
    faults: Vec<String>,
}

/// What matched one event.
#[derive(Default)]
struct Found {
    ids: BTreeSet<String>,
    techniques: BTreeSet<Technique>,
    alarms: Vec<String>,
}

impl Run<'_> {
    fn read(&mut self, file: &Path) -> Result<Vec<Value>, Error> {
        let read = data::records(file)?;
        self.bad += read.bad;
        Ok(read.records)
    }

    fn look(&mut self, record: &Value) -> Found {
        self.events += 1;
        let Some(event) = winlog::event_of(record) else { return Found::default() };
        let mut found = Found::default();
        for matched in self.rules.matches(&event) {
            self.gate.check(&matched.rule.source, &event);
            found.ids.insert(matched.rule.id.for_matching().to_owned());
            found.techniques.extend(&matched.rule.techniques);
            if matched.rule.level >= ALARM {
                found.alarms.push(matched.rule.title.quoted());
            }
        }
        self.gate.ungated(&event);
        self.alarms += found.alarms.len();
        self.events_with_alarm += usize::from(!found.alarms.is_empty());
        found
    }
}

/// Each recording names the rule that must match it, and how often at least: some tests count a recording of several events that all
/// match as one. More matches than that are named, and are no fault; other rules may match, too.
fn regression(run: &mut Run<'_>, folder: &Path) -> Result<Tally, Error> {
    let mut tally = Tally { unit: "event", ..Tally::default() };
    let known: BTreeSet<&str> = run.rules.all().iter().map(|rule| rule.id.for_matching()).collect();
    for file in data::files(folder, &[".jsonl", ".jsonl.gz"])? {
        for line in run.read(&file)? {
            let Ok(test) = serde_json::from_value::<Regression>(line) else {
                run.bad += 1;
                continue;
            };
            if !known.contains(test.rule_id.as_str()) {
                tally.not_judged += 1;
                tally.faults.push(format!("{}: not in the collection of rules", test.rule_id));
                continue;
            }
            let matched = test.events.iter().filter(|event| run.look(event).ids.contains(&test.rule_id)).count() as u64;
            let wanted = test.expected_match_count;
            tally.counts.true_positive += matched.min(wanted);
            tally.counts.false_negative += wanted.saturating_sub(matched);
            if matched != wanted {
                tally.faults.push(format!("{}: {matched} matches, {wanted} expected", test.rule_id));
            }
        }
    }
    Ok(tally)
}

/// Ordinary logs: every event on which a rule of at least medium level fires counts against us, though nobody certified them clean.
fn background(run: &mut Run<'_>, folder: &Path) -> Result<Tally, Error> {
    let mut counts = Counts::default();
    let mut titles: BTreeMap<String, usize> = BTreeMap::new();
    for file in data::files(folder, &[".jsonl", ".jsonl.gz", ".evtx"])? {
        for record in run.read(&file)? {
            let found = run.look(&record);
            if found.alarms.is_empty() {
                counts.true_negative += 1;
            } else {
                counts.false_positive += 1;
            }
            found.alarms.into_iter().for_each(|title| *titles.entry(title).or_default() += 1);
        }
    }
    let faults = titles.into_iter().map(|(title, times)| format!("{title}: {times}")).collect();
    Ok(Tally { unit: "event", counts, faults, ..Tally::default() })
}

#[derive(Deserialize)]
struct Labelled {
    file: String,
    techniques: Vec<String>,
}

fn otrf(run: &mut Run<'_>, folder: &Path) -> Result<Tally, Error> {
    let path = folder.join("manifest.json");
    let manifest = std::fs::read(&path).map_err(crate::load::at(&path))?;
    let sets: Vec<Labelled> =
        serde_json::from_slice(&manifest).map_err(|e| Error::Form { path, why: e.to_string() })?;
    labelled(run, folder, &sets)
}

fn evtx_to_mitre(run: &mut Run<'_>, folder: &Path) -> Result<Tally, Error> {
    let path = folder.join("labels.csv");
    let labels = std::fs::read_to_string(&path).map_err(crate::load::at(&path))?;
    // The columns that matter come first and are plain; only the last one is ever quoted.
    let sets: Vec<Labelled> = labels
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split(',');
            let (file, technique) = (columns.next()?, columns.nth(1)?);
            Some(Labelled { file: file.to_owned(), techniques: vec![technique.to_owned()] })
        })
        .collect();
    labelled(run, folder, &sets)
}

/// A set is found when a rule that fires in it carries its technique, or one above or below it. What else fires in a set is no fault:
/// labels name one step of an attack among ordinary noise. So there is a recall here, and no precision.
fn labelled(run: &mut Run<'_>, folder: &Path, sets: &[Labelled]) -> Result<Tally, Error> {
    let mut tally = Tally { unit: "recording", ..Tally::default() };
    for set in sets {
        let wanted: Vec<Technique> = set.techniques.iter().filter_map(|t| t.parse().ok()).collect();
        let safe = Path::new(&set.file).file_name().is_some_and(|name| name == set.file.as_str());
        if wanted.is_empty() || !safe {
            continue;
        }
        let mut seen = BTreeSet::new();
        let before = run.alarms;
        for record in run.read(&folder.join(&set.file))? {
            seen.extend(run.look(&record).techniques);
        }
        tally.with_alarm += usize::from(run.alarms > before);
        if wanted.iter().any(|w| seen.iter().any(|s| s.is_within(*w) || w.is_within(*s))) {
            tally.counts.true_positive += 1;
        } else {
            tally.counts.false_negative += 1;
            tally.faults.push(format!("{}: {}", set.file, set.techniques.join(" ")));
        }
    }
    Ok(tally)
}
