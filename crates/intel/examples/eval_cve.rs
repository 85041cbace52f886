//! Prints the scorecard of `eval::cve` for a folder, until a command does.
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: eval_cve FOLDER")?;
    let card = intel::eval::cve(Path::new(&folder))?;
    println!("{}", serde_json::to_string_pretty(&card)?);
    Ok(())
}
