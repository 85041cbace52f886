//! Writes the reports of the sample incidents, to look at: `cargo run -p report --example reports -- DIRECTORY`.

#[path = "../samples/mod.rs"]
mod samples;

use std::error::Error;
use std::path::PathBuf;

use domain::Language;
use report::{Facts, Options, Renderer};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("name a directory to write to")?);
    std::fs::create_dir_all(&directory)?;
    let (renderer, issuer) = (Renderer::new()?, samples::issuer());
    for case in samples::all() {
        for language in Language::ALL {
            let options = Options { now: case.now, issuer: &issuer };
            let document = renderer.incident(&case.incident, &case.events, &case.tenant, language, options)?;
            std::fs::write(directory.join(format!("{}_{}", case.name, document.file_name())), document.pdf())?;
            let facts = Facts::of(&case.incident, &case.events, &case.tenant, language, options);
            std::fs::write(directory.join(format!("{}_{}.md", case.name, language.tag())), report::markdown(&facts))?;
            std::fs::write(directory.join(format!("{}_{}.html", case.name, language.tag())), report::html(&facts))?;
            println!("{} {}: {} pages, {} bytes", case.name, language.tag(), document.pages, document.pdf().len());
        }
    }
    Ok(())
}
