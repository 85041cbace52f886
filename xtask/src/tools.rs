//! The programs from the system's packages that tests call: a browser, PDF readers, PostgreSQL. What is there is used;
//! what is missing is installed if this user may, and otherwise named. Nothing already installed is touched.

use std::fs;
use std::path::Path;

use crate::{Outcome, output, run};

/// Programs that come together, and what they are for.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// The word that asks for it: `cargo xtask test TOPIC`.
    pub topic: &'static str,
    programs: &'static [&'static str],
    packages: &'static [&'static str],
}

pub const POSTGRES: Tool = Tool { topic: "postgres", programs: &["initdb", "pg_ctl"], packages: &["postgresql"] };

pub const ALL: &[Tool] = &[
    Tool { topic: "browser", programs: &["chromium", "chromedriver"], packages: &["chromium", "chromium-driver"] },
    Tool { topic: "pdf", programs: &["pdftotext", "pdftoppm"], packages: &["poppler-utils"] },
    POSTGRES,
];

/// Makes sure that the programs are there.
pub fn ensure(tools: &[Tool]) -> Outcome {
    let path = search_path();
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !is_there(**tool)).collect();
    if missing.is_empty() {
        println!("all there");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
    install(&packages)?;
    match missing.iter().flat_map(|tool| tool.programs).find(|program| !exists(program, &path)) {
        None => Ok(()),
        Some(program) => Err(format!("`{program}` is still missing after installing {}", packages.join(" "))),
    }
}

pub fn is_there(tool: Tool) -> bool {
    let path = search_path();
    tool.programs.iter().all(|program| exists(program, &path))
}

fn install(packages: &[&str]) -> Outcome {
    let by_hand = format!("install them by hand, on Debian: apt-get install {}", packages.join(" "));
    if !exists("apt-get", &search_path()) {
        return Err(format!("programs are missing and there is no `apt-get`; {by_hand}"));
    }
    let mut become_root: Vec<&str> = Vec::new();
    if output("id", &["-u"])?.trim() != "0" {
        output("sudo", &["-n", "true"]).map_err(|_| format!("programs are missing and this is not root; {by_hand}"))?;
        become_root.extend(["sudo", "-n"]);
    }
    become_root.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
    let apt = |arguments: &[&str]| {
        let words = [&become_root, arguments].concat();
        run(words[0], &words[1..])
    };
    apt(&["update"]).and_then(|()| apt(&[&["install", "-y", "--no-install-recommends"], packages].concat()))
}

/// The folders programs are looked for in. Debian keeps the server programs of PostgreSQL off the search path, in one
/// folder a version.
fn search_path() -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "finding a program the way a shell does, no part of the product")]
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders: Vec<String> = path.split(':').filter(|f| !f.is_empty()).map(String::from).collect();
    for version in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        folders.push(version.path().join("bin").to_string_lossy().into_owned());
    }
    folders
}

fn exists(program: &str, path: &[String]) -> bool {
    path.iter().any(|folder| Path::new(folder).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::{exists, search_path};

    #[test]
    fn a_program_is_found_where_a_shell_would_find_it() {
        assert!(exists("cargo", &search_path()), "cargo runs this test");
        assert!(!exists("no-such-program-anywhere", &search_path()));
    }
}
