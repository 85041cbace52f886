//! The project's own commands: `cargo xtask test` is the whole gate, `.ci/run` calls nothing else. It uses the
//! standard library alone, so that it is built in a second and works before any dependency does.
//! It decides nothing about the product: it runs other programs in order, shows what each took, and stops at the
//! first that fails.

mod deps;
mod doc_paths;
mod fidelity;
mod postgres;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const HELP: &str = "\
cargo xtask test               everything that must hold before a change lands
cargo xtask test NAME…         only the tests whose names contain one of NAME
cargo xtask test postgres      only those, with PostgreSQL installed first (likewise: browser)
cargo xtask postgres COMMAND…  runs COMMAND with a PostgreSQL of its own, as the tests want it
cargo xtask check              formatting and lints
cargo xtask deps               who may depend on whom
cargo xtask docs               every path that the documents name exists
cargo xtask fidelity           clients that others wrote, unchanged, against the simulated console
cargo xtask fidelity NAME…     one of them (purple-mcp), cloned from the folder or address after its name if one is given
";

/// Where tests find the server that was started for them.
const POSTGRES_ADDRESS: &str = "YAGURA_TEST_POSTGRES";

/// What went wrong, in words for the person at the terminal.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => test_everything(),
        ["test", names @ ..] => test_some(names),
        ["postgres", command @ ..] => run_with_postgres(command),
        ["check"] => check(),
        ["deps"] => step("who depends on whom", deps::check),
        ["docs"] => step("paths in documents", || doc_paths::check(&root()?)),
        ["fidelity"] => fidelity::check(None, None),
        ["fidelity", name] => fidelity::check(Some(name), None),
        ["fidelity", name, source] => fidelity::check(Some(name), Some(source)),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("no such command: `{}`\n\n{HELP}", other.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test_everything() -> Outcome {
    step("tools", || tools::ensure(tools::ALL))?;
    check()?;
    step("who depends on whom", deps::check)?;
    step("paths in documents", || doc_paths::check(&root()?))?;
    step("tests", || run_tests(&[]))?;
    step("examples in documentation", run_doc_tests)
}

fn test_some(names: &[&str]) -> Outcome {
    let needed: Vec<tools::Tool> = tools::ALL.iter().copied().filter(|tool| names.contains(&tool.topic)).collect();
    step("tools", || tools::ensure(&needed))?;
    step("tests", || run_tests(names))
}

fn check() -> Outcome {
    step("formatting", || run("cargo", &["fmt", "--all", "--", "--check"]))?;
    step("lints", || run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))
}

/// nextest where it is installed, because it runs the tests of all crates side by side; else the built-in runner,
/// which takes one name at a time and does not mind when no test bears it.
fn run_tests(names: &[&str]) -> Outcome {
    // One server for all of them. Where PostgreSQL is missing and was not asked for, the tests that need it say so.
    let server = if tools::is_there(tools::POSTGRES) { Some(postgres::Server::start()?) } else { None };
    let address = server.as_ref().map(postgres::Server::address);
    let environment: Vec<(&str, &str)> = address.iter().map(|a| (POSTGRES_ADDRESS, a.as_str())).collect();
    if has_nextest() {
        let arguments = [&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"], names].concat();
        return run_within(&environment, "cargo", &arguments);
    }
    let all = [""];
    for name in if names.is_empty() { &all } else { names } {
        run_within(&environment, "cargo", &["test", "--workspace", "--locked", "--lib", "--bins", "--tests", name])?;
    }
    Ok(())
}

/// Runs a command that finds the address of a server of its own where the tests look for it.
fn run_with_postgres(command: &[&str]) -> Outcome {
    tools::ensure(&[tools::POSTGRES])?;
    let server = postgres::Server::start()?;
    let (program, arguments) = command.split_first().ok_or("name a command to run")?;
    run_within(&[(POSTGRES_ADDRESS, &server.address())], program, arguments)
}

/// Documentation tests link one program each, so they are only asked for where there are any.
fn run_doc_tests() -> Outcome {
    let crates = doc_paths::files_below(&root()?.join("crates"), "rs")?;
    for file in crates {
        let text = std::fs::read_to_string(&file).map_err(|e| format!("could not read `{}`: {e}", file.display()))?;
        if has_example(&text) {
            return run("cargo", &["test", "--workspace", "--locked", "--doc"]);
        }
    }
    println!("none");
    Ok(())
}

/// Whether a documentation comment opens a code block that the compiler would run.
fn has_example(source: &str) -> bool {
    let mut inside = false;
    source.lines().map(str::trim_start).any(|line| {
        let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            return false;
        };
        let Some(kind) = comment.trim().strip_prefix("```") else { return false };
        inside = !inside;
        inside && matches!(kind, "" | "rust" | "no_run" | "should_panic")
    })
}

fn has_nextest() -> bool {
    let asked =
        Command::new("cargo").args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Runs one named step, and says what it took whether or not it held.
fn step(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    println!("\n── {name}");
    let (outcome, took) = timed(work);
    let mark = if outcome.is_ok() { "✓" } else { "✗" };
    println!("── {mark} {name} ({:.1} s)", took.as_secs_f64());
    outcome.map_err(|message| format!("{name}: {message}"))
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch for the person at the terminal, no part of the product")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// Runs a program in the repository's root, its output going straight to the terminal.
fn run(program: &str, arguments: &[&str]) -> Outcome {
    run_within(&[], program, arguments)
}

/// As `run`, with some variables of the environment set.
fn run_within(environment: &[(&str, &str)], program: &str, arguments: &[&str]) -> Outcome {
    let said = format!("{program} {}", arguments.join(" "));
    println!("$ {}", said.trim_end());
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root()?)
        .status()
        .map_err(|e| format!("could not start `{program}`: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", said.trim_end())) }
}

/// Runs a program and returns what it printed.
fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let said = format!("{program} {}", arguments.join(" "));
    let result =
        Command::new(program).args(arguments).output().map_err(|e| format!("could not start `{program}`: {e}"))?;
    if !result.status.success() {
        return Err(format!("`{said}` failed: {}", String::from_utf8_lossy(&result.stderr).trim()));
    }
    String::from_utf8(result.stdout).map_err(|e| format!("`{said}` did not print text: {e}"))
}

/// The root of the clone this was started in. Asked at run time: two clones may share one build cache, and so one
/// xtask, and must not check each other.
fn root() -> Result<PathBuf, String> {
    let manifest = output("cargo", &["locate-project", "--workspace", "--message-format", "plain"])?;
    let folder = Path::new(manifest.trim()).parent();
    folder.map(Path::to_path_buf).ok_or_else(|| format!("`{}` has no folder", manifest.trim()))
}

#[cfg(test)]
mod tests {
    use super::has_example;

    #[test]
    fn only_a_block_that_the_compiler_runs_is_an_example() {
        assert!(has_example("/// Adds.\n///\n/// ```\n/// assert_eq!(add(1, 1), 2);\n/// ```\nfn add() {}"));
        assert!(has_example("//! ```no_run\n//! serve();\n//! ```"));
        assert!(!has_example("//! ```text\n//! a ─▶ b\n//! ```\n"), "a drawing is not run, nor is its closing fence");
        assert!(!has_example("let fence = \"\n```\n\";"), "a string is no documentation");
    }
}
