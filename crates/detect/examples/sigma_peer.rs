//! What `docs/benchmarks/sigma-peer.py` compares with: `hits DATA` prints every match, `records DATA COUNT` the events of the
//! benchmark, `bench DATA COUNT` measures it, `eval DATA` prints the scorecard, `refused RULES` what a collection lost and why.
use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::Duration;

use detect::{bench, eval};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = || arguments.get(2).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let mut out = stdout().lock();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["eval", data, ..] => writeln!(out, "{}", serde_json::to_string(&eval::eval(Path::new(data))?)?)?,
        ["hits", data, ..] => eval::hits(Path::new(data), |file, number, rules| {
            for rule in rules {
                // A closed pipe ends the listing, not the program's result.
                let _ = writeln!(out, "{file}\t{number}\t{rule}");
            }
        })?,
        ["refused", collection] => {
            for refused in detect::Rules::load(Path::new(collection), "")?.refused() {
                writeln!(out, "{}: {}", refused.file.quoted(), refused.why.quoted())?;
            }
        }
        ["records", data, ..] => {
            for record in bench::records(Path::new(data), count())? {
                writeln!(out, "{record}")?;
            }
        }
        ["bench", data, ..] => {
            let records = bench::records(Path::new(data), count())?;
            let started = cpu_time()?;
            let rules = bench::rules(Path::new(data))?;
            let loaded = cpu_time()?;
            let events = bench::events(&records);
            let mapped = cpu_time()?;
            let hits = bench::run(&rules, &events);
            let matched = cpu_time()?;
            writeln!(
                out,
                "{{\"rules\": {}, \"events\": {}, \"hits\": {hits}, \"load_ms\": {}, \"map_us_per_event\": {:.2}, \"match_us_per_event\": {:.2}}}",
                rules.len(),
                events.len(),
                (loaded - started).as_millis(),
                (mapped - loaded).as_secs_f64() * 1e6 / events.len() as f64,
                (matched - mapped).as_secs_f64() * 1e6 / events.len() as f64,
            )?;
        }
        _ => return Err("usage: sigma_peer eval|hits|records|bench DATA [COUNT], or refused RULES".into()),
    }
    Ok(())
}

/// Time that the kernel booked to this thread: on a busy machine the clock on the wall says little.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let booked = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(booked.split_whitespace().next().unwrap_or_default().parse()?))
}
