//! A PostgreSQL server of our own for one run of the tests: new, on a free port, as a user who is not root, gone at the
//! end, whatever the end was: a guard beside it stops it as soon as this process is no more.
//!
//! The contract tests of the store compile this very file, so that they also run without xtask. It therefore knows
//! nothing of xtask, and uses the standard library alone.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Tries to find a port that nobody else takes between our asking and the server's binding.
const TRIES: u32 = 5;

/// A running server. Dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct Server {
    guard: Child,
    port: u16,
}

impl Server {
    /// Starts a server with an empty cluster and waits until it answers.
    pub fn start() -> Result<Self, String> {
        let mut failures = String::new();
        for _ in 0..TRIES {
            match Self::try_start() {
                Ok(server) => return Ok(server),
                Err(Failed::Port(why)) => writeln!(failures, "{why}").map_err(|e| e.to_string())?,
                Err(Failed::Otherwise(why)) => return Err(why),
            }
        }
        Err(failures)
    }

    /// Where its superuser reaches it. To be followed by the name of a database; `postgres` is there from the start.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/", self.port)
    }

    fn try_start() -> Result<Self, Failed> {
        let programs = programs().map_err(Failed::Otherwise)?;
        let user = User::find().map_err(Failed::Otherwise)?;
        let folder = new_folder(&user).map_err(Failed::Otherwise)?;
        let port = free_port().map_err(Failed::Otherwise)?;
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard"]).args([&programs, &folder]).arg(port.to_string());
        command.current_dir(&folder).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        // Its own group: what interrupts us at the terminal must not interrupt the guard, too.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some((uid, gid)) = user.other {
            command.uid(uid).gid(gid);
        }
        let mut guard = command.spawn().map_err(|e| Failed::Otherwise(format!("could not start `sh`: {e}")))?;
        let said = first_line_or_all(&mut guard).map_err(Failed::Otherwise)?;
        if said == "ready\n" {
            return Ok(Self { guard, port });
        }
        guard.wait().map_err(|e| Failed::Otherwise(format!("could not wait for the guard: {e}")))?;
        let why = format!("PostgreSQL did not start:\n{said}");
        Err(if said.contains("Address already in use") { Failed::Port(why) } else { Failed::Otherwise(why) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is what the guard waits for.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

enum Failed {
    Port(String),
    Otherwise(String),
}

/// Makes a cluster, starts a server on it, and waits for the end of its input, which comes when whoever started it closes
/// the pipe or dies. Arguments: folder of the programs, folder for the files, port. Says `ready`, or why not.
///
/// Nothing of it needs to survive a power failure, so nothing is forced to the disk.
const GUARD: &str = r#"
bin=$1 dir=$2 port=$3
trap 'cd /; rm -rf "$dir"' EXIT
{
  "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync &&
  "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories=$dir -c fsync=off -c full_page_writes=off -c max_connections=200" start
} >"$dir/starting" 2>&1 || { cat "$dir/starting" "$dir/log" 2>&1; exit 1; }
echo ready
cat >/dev/null
"$bin/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null 2>&1
"#;

/// The guard's `ready` alone, or everything it says before it ends.
fn first_line_or_all(guard: &mut Child) -> Result<String, String> {
    // The pipe was asked for when the guard was started.
    let mut output = BufReader::new(guard.stdout.take().ok_or("the guard has no output")?);
    let failed = |e| format!("could not read what the guard says: {e}");
    let mut said = String::new();
    output.read_line(&mut said).map_err(failed)?;
    if said != "ready\n" {
        output.read_to_string(&mut said).map_err(failed)?;
    }
    Ok(said)
}

/// PostgreSQL refuses to run as root: then another user runs it.
struct User {
    other: Option<(u32, u32)>,
}

impl User {
    fn find() -> Result<Self, String> {
        if id(&["-u"])? != 0 {
            return Ok(Self { other: None });
        }
        let other =
            ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name]).ok()?, id(&["-g", name]).ok()?)));
        other
            .map(|other| Self { other: Some(other) })
            .ok_or_else(|| "there is no user `postgres` or `nobody`".to_owned())
    }
}

fn id(arguments: &[&str]) -> Result<u32, String> {
    let output = Command::new("id").args(arguments).output().map_err(|e| format!("could not start `id`: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| format!("`id {}` said `{}`", arguments.join(" "), said.trim()))
}

/// Where Debian keeps the server's programs: one folder a version, off the search path. The newest wins.
fn programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(version, folder)| *version >= 15 && folder.join("initdb").is_file())
        .max();
    newest.map(|(_, folder)| folder).ok_or_else(|| {
        "PostgreSQL 15 or newer is not installed: `cargo xtask test postgres` installs it and runs these tests"
            .to_owned()
    })
}

fn new_folder(user: &User) -> Result<PathBuf, String> {
    let failed = |folder: &Path, e| format!("could not make `{}`: {e}", folder.display());
    let mut n = 0;
    loop {
        let folder = std::env::temp_dir().join(format!("yagura-postgres-{}-{n}", std::process::id()));
        match fs::create_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
            Err(e) => return Err(failed(&folder, e)),
            Ok(()) => {
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(|e| failed(&folder, e))?;
                if let Some((uid, gid)) = user.other {
                    chown(&folder, Some(uid), Some(gid)).map_err(|e| failed(&folder, e))?;
                }
                return Ok(folder);
            }
        }
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("there is no free port: {e}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|e| format!("there is no free port: {e}"))
}
