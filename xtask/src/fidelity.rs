//! Proof that the simulated console is what it says: clients that others wrote, unchanged, against `s1sim` over TLS.
//! Their source is cloned at a fixed commit into the target folder and run from there, never built, never kept. Where
//! it cannot be had (no network), the check says so and is skipped.

mod purple_mcp;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Outcome, output, root, run, step};

/// Somebody else's client.
struct Peer {
    name: &'static str,
    repository: &'static str,
    commit: &'static str,
    /// What it needs from the Python package index, in the versions it was tried with.
    packages: &'static [&'static str],
    check: fn(&Tried<'_>) -> Outcome,
}

const PEERS: &[Peer] = &[purple_mcp::PEER];

/// A client ready to be run against a console that is listening.
struct Tried<'a> {
    python: &'a Path,
    source: &'a Path,
    console: &'a Console,
}

/// Runs the named client's check, or all of them. `source` is a folder or address to clone from instead.
pub fn check(name: Option<&str>, source: Option<&str>) -> Outcome {
    let wanted: Vec<&Peer> = PEERS.iter().filter(|peer| name.is_none_or(|name| name == peer.name)).collect();
    if wanted.is_empty() {
        let known: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
        return Err(format!("no such client: `{}`; known are {}", name.unwrap_or_default(), known.join(", ")));
    }
    run("cargo", &["build", "--package", "s1sim", "--locked"])?;
    wanted.into_iter().try_for_each(|peer| step(peer.name, || try_peer(peer, source)))
}

fn try_peer(peer: &Peer, source: Option<&str>) -> Outcome {
    let folder = folder()?.join(peer.name);
    fs::create_dir_all(&folder).map_err(|e| format!("could not make `{}`: {e}", folder.display()))?;
    let ready =
        clone(peer, source.unwrap_or(peer.repository), &folder).and_then(|code| Ok((code, python(peer, &folder)?)));
    match ready {
        Ok((code, python)) => {
            let console = Console::start(&folder)?;
            (peer.check)(&Tried { python: &python, source: &code, console: &console })
        }
        // With a source named by hand there is no excuse.
        Err(why) if source.is_none() => {
            println!("skipped: {why}\na clone can be named instead: cargo xtask fidelity {} FOLDER", peer.name);
            Ok(())
        }
        Err(why) => Err(why),
    }
}

/// The client's source at its commit, cloned once.
fn clone(peer: &Peer, from: &str, folder: &Path) -> Result<PathBuf, String> {
    let code = folder.join("source");
    let there = text(&code)?;
    if !code.join(".git").exists() {
        output("git", &["clone", "--quiet", "--no-checkout", from, &there])?;
    }
    output("git", &["-C", &there, "checkout", "--quiet", "--force", peer.commit])?;
    let changed = output("git", &["-C", &there, "status", "--porcelain", "--untracked-files=no"])?;
    if changed.trim().is_empty() { Ok(code) } else { Err(format!("`{there}` is not as it was cloned:\n{changed}")) }
}

/// An environment with the client's packages; made again when they change.
fn python(peer: &Peer, folder: &Path) -> Result<PathBuf, String> {
    let environment = folder.join("python");
    let python = environment.join("bin/python");
    let installed = environment.join("installed");
    let wanted = peer.packages.join("\n");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    output("python3", &["-m", "venv", "--clear", &text(&environment)?])?;
    let pip = |what: &[&str]| {
        output(&text(&python)?, &[&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"], what].concat())
    };
    // The pip that comes with an older Python gives up on some of the packages' extras.
    pip(&["--upgrade", "pip"])?;
    pip(peer.packages)?;
    fs::write(&installed, wanted).map_err(|e| format!("could not write `{}`: {e}", installed.display()))?;
    Ok(python)
}

/// A simulated console with every scenario played on every customer, and its authority in a file.
struct Console {
    program: Child,
    authority: PathBuf,
    url: String,
    /// What it printed at its start; the tokens are in it.
    said: String,
}

impl Console {
    fn start(folder: &Path) -> Result<Self, String> {
        let authority = folder.join("authority.pem");
        // xtask and the simulator are built into the same folder.
        let ours = std::env::current_exe().map_err(|e| format!("could not find xtask itself: {e}"))?;
        let mut program = Command::new(ours.with_file_name("s1sim"))
            .args(["--listen", "127.0.0.1:0", "--scenario", "all", "--small", "--json", "--ca-out", &text(&authority)?])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("could not start `s1sim`: {e}"))?;
        let mut said = String::new();
        let read = program.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut said));
        let mut console = Self { program, authority, url: String::new(), said };
        console.url =
            console.word("url").filter(|_| matches!(read, Some(Ok(_)))).ok_or("`s1sim` did not say where it is")?;
        Ok(console)
    }

    /// The token of this name.
    fn token(&self, name: &str) -> Result<String, String> {
        self.word(name).ok_or_else(|| format!("`s1sim` has no token `{name}`"))
    }

    /// The text member of this name. The answer is flat enough to be searched as text.
    fn word(&self, name: &str) -> Option<String> {
        let (_, rest) = self.said.split_once(&format!("\"{name}\":\""))?;
        rest.split_once('"').map(|(word, _)| word.to_owned())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Where clones, environments and certificates are kept: in the target folder, whichever it is.
fn folder() -> Result<PathBuf, String> {
    let ours = std::env::current_exe().map_err(|e| format!("could not find xtask itself: {e}"))?;
    let target = ours.ancestors().nth(2).ok_or("xtask is in no target folder")?;
    Ok(target.join("fidelity"))
}

fn text(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("`{}` is not text", path.display()))
}

impl Tried<'_> {
    /// Runs Python in the client's folder, with its own code and our authority in reach, and returns what it printed.
    fn run(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Result<(bool, String), String> {
        let authority = text(&self.console.authority)?;
        let result = Command::new(self.python)
            .args(arguments)
            .current_dir(self.source)
            .env("PYTHONPATH", self.source.join("src"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs([("SSL_CERT_FILE", &authority), ("REQUESTS_CA_BUNDLE", &authority)])
            .envs(environment.iter().copied())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| format!("could not start `{}`: {e}", self.python.display()))?;
        Ok((result.status.success(), String::from_utf8_lossy(&result.stdout).into_owned()))
    }

    /// A file of our own beside this one.
    fn script(name: &str) -> Result<String, String> {
        text(&root()?.join("xtask/src/fidelity").join(name))
    }
}
