//! Events for measuring the engine: real process starts, repeated with small differences until there are enough.
//!
//! Whoever measures keeps the time; this only makes the same events every time, and runs them.

use std::path::Path;

use domain::detection::LogSource;
use serde_json::Value;

use crate::eval;
use crate::event::Event;
use crate::load::Error;
use crate::rules::Rules;
use crate::winlog;

/// The process starts of a data folder as Windows logged them, varied up to `count`: a number in the command line and the
/// process id change, so that no two are equal. Sysmon's only: a peer sees the same fields.
pub fn records(root: &Path, count: usize) -> Result<Vec<Value>, Error> {
    let real: Vec<Value> = eval::all_records(root)?.into_iter().filter(is_process_start).collect();
    if real.is_empty() {
        return Err(Error::Form { path: root.join("telemetry"), why: "no Sysmon process start in it".to_owned() });
    }
    Ok((0..count).map(|number| varied(&real[number % real.len()], number)).collect())
}

pub fn events(records: &[Value]) -> Vec<Event> {
    records.iter().filter_map(winlog::event_of).collect()
}

/// All rules for Windows process starts of a data folder, and no others.
pub fn rules(root: &Path) -> Result<Rules, Error> {
    let source =
        LogSource { product: Some("windows".to_owned()), category: Some("process_creation".to_owned()), service: None };
    Ok(eval::rules_of(root)?.only(&source))
}

/// How often any rule matched.
pub fn run(rules: &Rules, events: &[Event]) -> usize {
    events.iter().map(|event| rules.matches(event).len()).sum()
}

fn is_process_start(record: &Value) -> bool {
    winlog::event_of(record).is_some_and(|e| e.service == Some("sysmon") && e.categories == ["process_creation"])
}

fn varied(record: &Value, number: usize) -> Value {
    let mut record = record.clone();
    let data = if record.get("Event").is_some() { record.pointer_mut("/Event/EventData") } else { Some(&mut record) };
    if let Some(data) = data.and_then(Value::as_object_mut) {
        if let Some(Value::String(line)) = data.get_mut("CommandLine") {
            line.push_str(&format!(" {number}"));
        }
        data.insert("ProcessId".to_owned(), (number % 65_536).into());
    }
    record
}
