//! Other programs that make the same PDF from the same facts, run beside ours in the same minute on the same machine.
//!
//! Each prints the HTML form of a report, and its CPU time is what the system counted: user and system time of the whole
//! tree of processes. Asked as here, neither makes what ours is: the same bytes each time, in the form for archives (PDF/A).

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;
use rustix::process::{WaitOptions, getpid, getuid, set_child_subreaper, wait};
use serde::Serialize;
use tempfile::TempDir;

/// What one report may take before the run fails.
const PATIENCE_S: u32 = 60;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Peer {
    /// A browser without window, started for each report
    Chromium,
    /// A renderer of documents, started once for all reports
    Weasyprint,
}

/// What a peer needed for the same items.
#[derive(Debug, Serialize)]
pub(super) struct PeerFigures {
    pub name: String,
    pub items: usize,
    pub cpu_ms_per_item: f64,
}

/// A peer at work. It counts from its making; what it needs to get ready is not counted where it can stay ready.
#[derive(Debug)]
pub(super) struct Printer {
    folder: TempDir,
    program: Program,
    name: String,
    printed: usize,
    cpu_ms_before: f64,
}

#[derive(Debug)]
enum Program {
    Chromium,
    Weasyprint(Conversation),
}

impl Printer {
    pub fn start(peer: Peer) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("could not make a folder")?;
        let (program, name) = match peer {
            Peer::Chromium => (Program::Chromium, chromium_ready()?),
            Peer::Weasyprint => {
                let mut conversation = Conversation::start()?;
                let version = conversation.hear().context(NO_WEASYPRINT)?;
                (Program::Weasyprint(conversation), format!("WeasyPrint {version}"))
            }
        };
        let cpu_ms_before = program.cpu_ms()?;
        Ok(Self { folder, program, name, printed: 0, cpu_ms_before })
    }

    /// Makes one PDF from one page, and looks whether it is one.
    pub fn print(&mut self, html: &str) -> anyhow::Result<()> {
        let (page, pdf) = (self.path("html"), self.path("pdf"));
        std::fs::write(&page, html).context("could not write the peer's page")?;
        match &mut self.program {
            Program::Chromium => chromium(&page, &pdf, self.folder.path())?,
            Program::Weasyprint(conversation) => conversation.print(&page, &pdf)?,
        }
        let made = std::fs::read(&pdf).with_context(|| format!("{} made no file", self.name))?;
        ensure!(made.starts_with(b"%PDF-"), "{} made something that is no PDF", self.name);
        self.printed += 1;
        Ok(())
    }

    pub fn stop(self) -> anyhow::Result<PeerFigures> {
        let cpu_ms = self.program.cpu_ms()? - self.cpu_ms_before;
        #[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
        let cpu_ms_per_item = cpu_ms / self.printed as f64;
        Ok(PeerFigures { name: self.name, items: self.printed, cpu_ms_per_item })
    }

    fn path(&self, kind: &str) -> PathBuf {
        self.folder.path().join(format!("{}.{kind}", self.printed))
    }
}

impl Program {
    fn cpu_ms(&self) -> anyhow::Result<f64> {
        match self {
            // Nothing else is a child of ours, and a child's time arrives when it was waited for.
            Self::Chromium => ticks_ms("self", 13),
            Self::Weasyprint(conversation) => ticks_ms(&conversation.child.id().to_string(), 11),
        }
    }
}

/// Two neighbouring fields of proc(5), `stat`, in ticks of 10 ms: a process's own time is in 11 and 12 after the name,
/// that of its finished children in 13 and 14.
fn ticks_ms(process: &str, first: usize) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name in brackets and may hold blanks.
    let after_name = stat.rsplit_once(')').map_or(stat.as_str(), |(_, rest)| rest);
    let ticks: f64 = after_name.split_whitespace().skip(first).take(2).filter_map(|f| f.parse::<f64>().ok()).sum();
    Ok(ticks * 10.0)
}

/// Whether Chromium is there, and which.
fn chromium_ready() -> anyhow::Result<String> {
    // Its helpers outlive it for a moment: they become our children then, so that their time is counted, too.
    set_child_subreaper(Some(getpid())).context("could not adopt the browser's helpers")?;
    let said = Command::new("chromium").arg("--version").output();
    let said = said.context("`chromium` does not start: install the package `chromium`")?;
    let version = String::from_utf8_lossy(&said.stdout);
    let version: Vec<&str> = version.split_whitespace().take(2).collect();
    ensure!(said.status.success() && version.len() == 2, "`chromium --version` names no version");
    Ok(version.join(" "))
}

fn chromium(page: &Path, pdf: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("timeout");
    command.arg(format!("--kill-after={PATIENCE_S}")).arg(PATIENCE_S.to_string());
    command.args(["chromium", "--headless", "--disable-gpu", "--disable-extensions", "--disable-breakpad"]);
    command.args(["--disable-background-networking", "--no-first-run", "--no-pdf-header-footer"]);
    if getuid().is_root() {
        // It refuses to run as root with its sandbox. The page is our own and holds no script.
        command.arg("--no-sandbox");
    }
    // One profile for the whole run, so that only the first print pays for making it.
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg(format!("--print-to-pdf={}", pdf.display())).arg(format!("file://{}", page.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let status = command.status().context("`timeout` of coreutils does not start")?;
    // What is left ends by itself, because the browser that it served is gone.
    while wait(WaitOptions::empty()).is_ok() {}
    ensure!(status.success(), "chromium did not print a report within {PATIENCE_S} s: {status}");
    Ok(())
}

const NO_WEASYPRINT: &str =
    "`python3` has no module `weasyprint`: install the package `weasyprint`, or `pip install weasyprint`";

/// One Python that prints what it is told, a line each: interpreter, imports and fonts are paid once and not counted.
const WEASYPRINT: &str = "\
import logging, signal, sys, weasyprint
from weasyprint.text.fonts import FontConfiguration
logging.getLogger('weasyprint').setLevel(logging.CRITICAL)
patience, fonts = int(sys.argv[1]), FontConfiguration()
print(weasyprint.__version__, flush=True)
for line in sys.stdin:
    page, pdf = line.rstrip('\\n').split('\\t')
    signal.alarm(patience)
    weasyprint.HTML(page).write_pdf(pdf, font_config=fonts)
    signal.alarm(0)
    print('printed', flush=True)
";

#[derive(Debug)]
struct Conversation {
    child: Child,
    /// `None` once there is nothing more to say.
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Conversation {
    fn start() -> anyhow::Result<Self> {
        let mut command = Command::new("python3");
        command.args(["-c", WEASYPRINT, &PATIENCE_S.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("`python3` does not start: install the package `python3`")?;
        let to = child.stdin.take();
        let from = child.stdout.take().context("the peer has no output")?;
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    fn print(&mut self, page: &Path, pdf: &Path) -> anyhow::Result<()> {
        let to = self.to.as_mut().context("the peer has no input")?;
        writeln!(to, "{}\t{}", page.display(), pdf.display()).context("the peer has ended")?;
        let said = self.hear()?;
        ensure!(said == "printed", "the peer said `{said}`");
        Ok(())
    }

    fn hear(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.from.read_line(&mut line).context("could not read what the peer says")?;
        if line.is_empty() {
            bail!("the peer has ended");
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Conversation {
    /// The end of its input ends it.
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_finished_child_is_counted() {
        let before = ticks_ms("self", 13).unwrap();
        let busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        assert!(Command::new("sh").args(["-c", busy]).status().unwrap().success());
        assert!(ticks_ms("self", 13).unwrap() > before);
    }
}
