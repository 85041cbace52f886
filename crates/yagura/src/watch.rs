//! The watcher on another machine (REL-10): looks at a service's `/healthz` and tells people by mail when it does not work,
//! and when it works again. Needs no store and no token: only the address, and a mail server that is not the service's own.

mod alarm;
mod look;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::source::TimeSource as _;
use domain::tenant::Email;
use domain::{Language, Timestamp};
use notify::Sender;
use notify::mail::Smtp;
use outbound::{Allowed, BreakerSettings, Origin, Outbound};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{self, MailConfig};
use crate::demo::duration;
use crate::output::{say, say_json};
use crate::roles::wait_for_signal;
use crate::source::MachineTime;

use alarm::{Alarm, Tell};
use look::Reason;

const EXAMPLES: &str = "\
Examples:
  yagura watch --url https://soc.example.jp/healthz --once
  yagura watch --url https://soc.example.jp/healthz --once --json
  yagura watch --config watch.toml --every 30s";

/// More seldom, and the alarm would come later than three minutes after a loop stopped.
const MOST_SELDOM: Duration = Duration::from_secs(30);
const MOST_OFTEN: Duration = Duration::from_secs(5);
/// A mail must not keep the watcher from looking.
const MAIL_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The health page of the service; else the one of the configuration
    #[arg(long, required_unless_present = "config")]
    url: Option<Url>,
    /// Pause between two looks, 5s to 30s
    #[arg(long, default_value = "30s", value_parser = pause, value_name = "TIME")]
    every: Duration,
    /// Look once and end; the exit code says whether all is well
    #[arg(long)]
    once: bool,
    /// Who is told, and by which mail server; without it nobody is told
    #[arg(long)]
    config: Option<PathBuf>,
    /// Print a JSON object for each change instead of text
    #[arg(long)]
    json: bool,
}

/// `watch.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchConfig {
    url: String,
    /// Trusted for this address beside the public authorities.
    #[serde(default)]
    ca_file: Option<PathBuf>,
    recipients: Vec<Email>,
    language: Language,
    sender: Sender,
    mail: MailConfig,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let mut watcher = Watcher::prepare(&options)?;
    if options.once {
        let seen = watcher.look(MachineTime.now()).await;
        watcher.print(&seen, options.json)?;
        return Ok(if seen.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if watcher.letterbox.is_none() {
        say("No --config: changes are printed, and nobody is told.");
    }
    let watching = async {
        let mut before = None;
        loop {
            let seen = watcher.step(MachineTime.now()).await;
            if before.as_ref().is_none_or(|before: &Seen| before.ok != seen.ok) {
                watcher.print(&seen, options.json)?;
            }
            before = Some(seen);
            wait(options.every).await;
        }
    };
    tokio::select! {
        result = watching => result,
        result = wait_for_signal() => result.map(|()| ExitCode::SUCCESS),
    }
}

/// What one look found.
#[derive(Debug, Serialize)]
struct Seen {
    ok: bool,
    at: Timestamp,
    why: Vec<Reason>,
}

/// What it watches, whom it tells, and what it has seen.
#[derive(Debug)]
struct Watcher {
    url: Url,
    door: Outbound,
    letterbox: Option<Letterbox>,
    alarm: Alarm,
    /// What was wrong when something last was.
    last_why: Vec<Reason>,
}

#[derive(Debug)]
struct Letterbox {
    smtp: Smtp,
    sender: Sender,
    recipients: Vec<Email>,
    language: Language,
}

impl Watcher {
    fn prepare(options: &Options) -> anyhow::Result<Self> {
        let file = options.config.as_deref().map(read).transpose()?;
        let folder = options.config.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
        let url = match (&options.url, &file) {
            (Some(url), _) => url.clone(),
            (None, Some(file)) => file.url.parse().with_context(|| format!("`{}` is not an address", file.url))?,
            (None, None) => bail!("no address to watch"),
        };
        let roots = file.as_ref().and_then(|f| f.ca_file.as_deref()).map(|ca| config::text(&folder, ca)).transpose()?;
        let door = Outbound::new(&door(&url, roots)?)?;
        let letterbox = file.map(|file| Letterbox::open(file, &folder)).transpose()?;
        Ok(Self { url, door, letterbox, alarm: Alarm::default(), last_why: Vec::new() })
    }

    async fn look(&self, now: Timestamp) -> Seen {
        let why = look::look(&self.door, &self.url, now).await;
        Seen { ok: why.is_empty(), at: now, why }
    }

    /// Looks, and tells what is to be told. What cannot be told now is told after a later look.
    async fn step(&mut self, now: Timestamp) -> Seen {
        let seen = self.look(now).await;
        if !seen.ok {
            self.last_why.clone_from(&seen.why);
        }
        let Some(tell) = self.alarm.look(seen.ok, now) else { return seen };
        let Some(letterbox) = &self.letterbox else {
            self.alarm.told(tell);
            return seen;
        };
        match letterbox.send(tell, &self.last_why, self.url.as_str(), now).await {
            Ok(()) => self.alarm.told(tell),
            Err(error) => tracing::error!(error = format!("{error:#}"), "a mail could not be sent; trying again"),
        }
        seen
    }

    fn print(&self, seen: &Seen, json: bool) -> anyhow::Result<()> {
        if json {
            return say_json(seen);
        }
        let state = if seen.ok { "ok".to_owned() } else { format!("NOT OK {}", serde_json::to_string(&seen.why)?) };
        say(&format!("{:.0} {} {state}", seen.at, self.url));
        Ok(())
    }
}

impl Letterbox {
    fn open(file: WatchConfig, folder: &Path) -> anyhow::Result<Self> {
        if file.recipients.is_empty() {
            bail!("`recipients` is empty: nobody would be told");
        }
        let mut settings = file.mail.settings(folder)?;
        settings.connect_timeout = MAIL_WITHIN;
        settings.command_timeout = MAIL_WITHIN;
        settings.content_timeout = MAIL_WITHIN;
        let smtp = Smtp::new(settings).context("the mail settings do not fit")?;
        Ok(Self { smtp, sender: file.sender, recipients: file.recipients, language: file.language })
    }

    async fn send(&self, tell: Tell, reasons: &[Reason], url: &str, now: Timestamp) -> anyhow::Result<()> {
        let mail = words::write(tell, reasons, url, self.language, &self.sender);
        let accepted = self.smtp.send(&mail, &self.recipients, now).await?;
        for (recipient, _) in accepted.refused {
            tracing::error!(recipient = recipient.as_str(), "the mail server does not take mails for a recipient");
        }
        Ok(())
    }
}

fn read(path: &Path) -> anyhow::Result<WatchConfig> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read `{}`", path.display()))?;
    toml::from_str(&text).with_context(|| format!("`{}` is not a valid configuration", path.display()))
}

/// Open to one origin. It never rests: a watcher that stops looking at what fails would see its recovery late.
fn door(url: &Url, roots: Option<String>) -> anyhow::Result<outbound::Settings> {
    let origin = Origin::of(url).with_context(|| format!("`{url}` cannot be watched"))?;
    let allowed = Allowed::with_roots(origin, roots.into_iter().collect());
    let breaker = BreakerSettings { failures: u32::MAX, ..BreakerSettings::default() };
    Ok(outbound::Settings { breaker, ..outbound::Settings::new(vec![allowed]) })
}

fn pause(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    let fits = (MOST_OFTEN..=MOST_SELDOM).contains(&every);
    if fits { Ok(every) } else { Err("write 5s to 30s: looking more seldom would make the alarm late".into()) }
}

#[expect(clippy::disallowed_methods, reason = "the watcher is an outermost loop")]
async fn wait(by: Duration) {
    tokio::time::sleep(by).await;
}

#[cfg(test)]
mod tests;
