//! What `docs/benchmarks/sigma-peer.py` compares with: `hits DATA` prints every match, `records DATA COUNT` the events of the
//! benchmark, `bench DATA COUNT` measures it, `eval DATA` prints the scorecard, `refused RULES` what a collection lost and why.
#![expect(clippy::disallowed_methods, reason = "a measurement of its own, outside the product")]

use std::error::Error;
use std::io::{Write, stdout};
use std::path::Path;
use std::time::Instant;

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
            let start = Instant::now();
            let rules = bench::rules(Path::new(data))?;
            let loaded = start.elapsed();
            let start = Instant::now();
            let events = bench::events(&records);
            let mapped = start.elapsed();
            let start = Instant::now();
            let hits = bench::run(&rules, &events);
            let matched = start.elapsed();
            writeln!(
                out,
                "{{\"rules\": {}, \"events\": {}, \"hits\": {hits}, \"load_ms\": {}, \"map_us_per_event\": {:.2}, \"match_us_per_event\": {:.2}}}",
                rules.len(),
                events.len(),
                loaded.as_millis(),
                mapped.as_secs_f64() * 1e6 / events.len() as f64,
                matched.as_secs_f64() * 1e6 / events.len() as f64,
            )?;
        }
        _ => return Err("usage: sigma_peer eval|hits|records|bench DATA [COUNT], or refused RULES".into()),
    }
    Ok(())
}
