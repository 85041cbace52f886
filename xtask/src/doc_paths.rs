//! Every path that a document names exists. A document that names a file which has moved misleads the one reader who
//! needed it. Looked at are the inline code and the links of the documents in the root, in `docs/` and at the top of each
//! crate; blocks of code are not, they hold drawings and commands. Notes beside data name where the data came from, and
//! are left alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// Folders in the root that a document names from the root.
const TOP: &[&str] = &["crates", "docs", "xtask", "tests", "fuzz", ".ci", ".cargo"];
/// Endings that make a word with a slash in it a path, whatever it starts with.
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".sql", ".typ"];

pub fn check(root: &Path) -> Outcome {
    let documents = documents(root)?;
    let rooms = folders_in(&root.join("crates"));
    let mut named = 0;
    let mut broken = Vec::new();
    for document in &documents {
        let text = fs::read_to_string(document).map_err(|e| format!("could not read `{}`: {e}", document.display()))?;
        let folder = document.parent().unwrap_or(root);
        for (line, path) in named_paths(&text, &rooms) {
            named += 1;
            // A path is written from where the reader is, from the root, or from `crates/`.
            if ![folder, root, &root.join("crates")].iter().any(|base| base.join(&path).exists()) {
                let shown = document.strip_prefix(root).unwrap_or(document).display();
                broken.push(format!("{shown}:{line} names `{path}`, which does not exist"));
            }
        }
    }
    println!("{named} paths in {} documents", documents.len());
    if broken.is_empty() { Ok(()) } else { Err(format!("\n  {}", broken.join("\n  "))) }
}

fn documents(root: &Path) -> Result<Vec<PathBuf>, String> {
    let crates = root.join("crates");
    let mut found = if root.join("docs").exists() { files_below(&root.join("docs"), "md")? } else { Vec::new() };
    for folder in [root.to_path_buf()].into_iter().chain(folders_in(&crates).iter().map(|name| crates.join(name))) {
        let entries = fs::read_dir(&folder).map_err(|e| format!("could not list `{}`: {e}", folder.display()))?;
        found.extend(entries.flatten().map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "md")));
    }
    Ok(found)
}

/// The files below a folder with one ending, without hidden folders and build output.
pub fn files_below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| format!("could not list `{}`: {e}", folder.display()))?;
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !name.to_string_lossy().starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn folders_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// The paths a document names, each with its line. `rooms` are the folders in `crates/`.
fn named_paths(text: &str, rooms: &BTreeSet<String>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let code = line.split('`').skip(1).step_by(2).filter(|word| looks_like_path(word, rooms));
            let links = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
            let links = links.filter(|target| !target.is_empty() && !target.contains(':'));
            found.extend(code.chain(links).map(|path| (index + 1, without_line_number(path).to_owned())));
        }
    }
    found
}

fn looks_like_path(word: &str, rooms: &BTreeSet<String>) -> bool {
    // Patterns, placeholders, addresses and commands are not paths; nor is what lies outside the clone.
    if word.starts_with(['/', '~']) || word.contains(|c: char| c.is_whitespace() || "*<>{}$|…?=\\\"()".contains(c)) {
        return false;
    }
    let Some((first, _)) = word.split_once('/') else { return false };
    if first.ends_with(':') {
        return false; // an address such as `http://…`
    }
    TOP.contains(&first) || rooms.contains(first) || ENDINGS.iter().any(|e| without_line_number(word).ends_with(e))
}

/// `src/decide.rs:40` names the file `src/decide.rs`.
fn without_line_number(path: &str) -> &str {
    match path.rsplit_once(':') {
        Some((file, line)) if line.bytes().all(|b| b.is_ascii_digit()) => file,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let rooms = BTreeSet::from(["domain".to_owned()]);
        named_paths(text, &rooms).into_iter().map(|(_, path)| path).collect()
    }

    #[test]
    fn code_and_links_name_paths() {
        assert_eq!(paths("see `crates/domain/src/lib.rs` and `xtask/`"), ["crates/domain/src/lib.rs", "xtask/"]);
        assert_eq!(paths("`domain/src/incident.rs:40`"), ["domain/src/incident.rs"]);
        assert_eq!(paths("[the map](ARCHITECTURE.md#rooms)"), ["ARCHITECTURE.md"]);
    }

    #[test]
    fn what_only_resembles_a_path_is_left_alone() {
        assert!(paths("`text/html`, `/api/v1`, `~/x.md`, `crates/*/src`, `http://a/b.md`, `and/or`").is_empty());
        assert!(paths("[site](https://example.org/a.md), [part](#part)").is_empty());
        assert!(paths("```text\n`crates/gone/lib.rs`\n```").is_empty(), "a drawing");
    }

    #[test]
    fn a_document_that_names_a_missing_file_fails_and_says_where() {
        let root = std::env::temp_dir().join(format!("doc-paths-{}", std::process::id()));
        fs::create_dir_all(root.join("crates/domain")).expect("a folder to work in");
        fs::create_dir_all(root.join("docs/operating")).expect("a folder to work in");
        fs::write(root.join("README.md"), "the `crates/domain` room\n\nand `crates/gone`\n").expect("a document");
        fs::write(root.join("docs/operating/install.md"), "see [setup](setup.md)\n").expect("a document");
        fs::write(root.join("crates/domain/README.md"), "see `domain/src/gone.rs`\n").expect("a document");
        let outcome = check(&root);
        fs::remove_dir_all(&root).expect("the folder goes");
        let message = outcome.expect_err("`crates/gone` does not exist");
        assert!(message.contains("README.md:3 names `crates/gone`"), "{message}");
        assert!(message.contains("docs/operating/install.md:1 names `setup.md`"), "{message}");
        assert!(message.contains("crates/domain/README.md:1 names `domain/src/gone.rs`"), "{message}");
        assert!(!message.contains("names `crates/domain`"), "{message}");
    }
}
