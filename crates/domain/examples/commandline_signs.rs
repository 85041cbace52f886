//! Measures how many lines of a file carry a sign: `cargo run -p domain --example commandline_signs -- FILE.jsonl…`
//!
//! Each line is a JSON object with the key `command`. Prints, per file, the share with any sign, with a suspicious or graver one,
//! and with a grave one.

use std::io::Write;

use domain::commandline::{Weight, decode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let (mut lines, mut counts, mut layered) = (0_u32, [0_u32; 3], 0_u32);
        for line in std::fs::read_to_string(&path)?.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            let Some(command) = line["command"].as_str() else { continue };
            let decoded = decode(command);
            lines += 1;
            layered += u32::from(!decoded.layers.is_empty());
            let gravest = decoded.signs.iter().map(|sign| sign.kind.weight()).max();
            for (count, weight) in counts.iter_mut().zip([Weight::Context, Weight::Suspicious, Weight::Grave]) {
                *count += u32::from(gravest >= Some(weight));
            }
        }
        let share = |count: u32| f64::from(count) * 100.0 / f64::from(lines.max(1));
        let name = std::path::Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
        let [any, suspicious, grave] = counts.map(share);
        writeln!(
            out,
            "{name}: n {lines}, any {any:.1} %, suspicious {suspicious:.1} %, grave {grave:.1} %, unwrapped {:.1} %",
            share(layered)
        )?;
    }
    Ok(())
}
