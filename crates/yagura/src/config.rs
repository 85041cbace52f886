//! The configuration file, read once and checked as a whole before anything starts.
//!
//! Secrets stand in files of their own, and each role reads only those it may hold (SEC-13): a process that runs `console`
//! never opens a token.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use domain::calendar::{Calendar, ClosedDay};
use domain::oncall::Roster;
use domain::tenant::Tenant;
use intel::sources::SourcesConfig;
use notify::Sender;
use notify::mail::{Credentials, Security};
use notify::slack;
use outbound::{Origin, Secret};
use sentinelone::{ActToken, Console, ReadToken, ScopeId};
use serde::Deserialize;

use crate::intelligence::Intelligence;
use crate::roles::{Edr, Role, Setup, Web};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// `sqlite:PATH` or `postgres://…`
    #[serde(default = "default_store")]
    pub store: String,
    pub console: ConsoleConfig,
    /// Who signs mails and reports.
    pub sender: Sender,
    pub mail: MailConfig,
    /// The workspace that customers' channels are in, when some are told in Slack.
    #[serde(default)]
    pub slack: Option<SlackConfig>,
    /// Where the metrics are served; not at all without it.
    #[serde(default)]
    pub metrics: Option<MetricsConfig>,
    #[serde(default = "default_poll")]
    pub poll_every_s: u64,
    /// The SOC's own closed days instead of 29 December to 3 January: `12-29` each year, `2026-08-13` once.
    #[serde(default)]
    pub closed_days: Option<Vec<ClosedDay>>,
    /// Lists, vulnerability feeds and detection rules, all of them files on this machine.
    #[serde(default)]
    pub intelligence: Intelligence,
    /// Sources that are asked over the network about an incident's indicators.
    #[serde(default)]
    pub sources: Option<SourcesConfig>,
    /// Sites, shifts and leads: who is called when nobody takes an incident.
    #[serde(default)]
    pub on_call: Roster,
    #[serde(default, rename = "customer")]
    pub customers: Vec<CustomerConfig>,
    /// Where the file stood: paths in it are relative to that.
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsoleConfig {
    pub listen: SocketAddr,
    /// As browsers see it: `https://soc.example.jp`.
    pub public_origin: String,
}

/// They are customers' volume: off this machine only when somebody says so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsConfig {
    pub listen: SocketAddr,
    #[serde(default)]
    pub allow_remote: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailConfig {
    pub host: String,
    pub port: u16,
    /// `tls`, `start-tls`, or `plain-on-loopback`.
    pub security: Security,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlackConfig {
    /// Holds a bot token with `chat:write`, `channels:history`, `groups:history` and `metadata.message:read`.
    pub token_file: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerConfig {
    pub tenant: Tenant,
    pub edr: EdrConfig,
}

/// The customer's place on a SentinelOne console.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdrConfig {
    pub origin: String,
    #[serde(default)]
    pub sites: Vec<String>,
    #[serde(default)]
    pub accounts: Vec<String>,
    pub read_token_file: PathBuf,
    pub act_token_file: PathBuf,
    pub ca_file: Option<PathBuf>,
}

fn default_store() -> String {
    "sqlite:yagura.db".to_owned()
}

fn default_poll() -> u64 {
    15
}

/// Most seconds between two polls of a console.
const LONGEST_POLL_S: u64 = 60;

impl Config {
    /// National holidays, and the days on which this provider is closed.
    pub(crate) fn calendar(&self) -> Calendar {
        match &self.closed_days {
            Some(days) => Calendar::japan().with_closed_days(days.iter().copied()),
            None => Calendar::japan(),
        }
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("could not read `{}`", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("`{}` is not a valid configuration", path.display()))?;
        config.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        config.check().with_context(|| format!("`{}` is not a valid configuration", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.poll_every_s > LONGEST_POLL_S {
            // Beyond that a console that is polled as told would look like one that is no longer polled (REL-10).
            bail!("`poll_every_s` is at most {LONGEST_POLL_S}");
        }
        if let Some(MetricsConfig { listen, allow_remote: false }) = &self.metrics
            && !listen.ip().is_loopback()
        {
            bail!("metrics: `{listen}` can be reached from elsewhere; set `allow_remote = true` if that is meant");
        }
        for (at, customer) in self.customers.iter().enumerate() {
            let id = &customer.tenant.id;
            if self.customers[..at].iter().any(|other| other.tenant.id == *id) {
                bail!("customer `{id}` stands twice");
            }
            if customer.tenant.languages.is_empty() {
                bail!("customer `{id}` has no language: use `ja`, `en` or both");
            }
            if customer.tenant.routes().next().is_none() {
                bail!("customer `{id}` has neither a contact nor a Slack channel: nobody could be told");
            }
            if customer.tenant.slack_channel.is_some() && self.slack.is_none() {
                bail!("customer `{id}` has a Slack channel, but there is no `[slack]` section");
            }
        }
        Ok(())
    }

    /// Opens what the named roles need, and nothing else.
    pub(crate) fn setup(self, roles: &[Role]) -> anyhow::Result<Setup> {
        let notifies = roles.contains(&Role::Notifier);
        let smtp = if notifies { Some(self.smtp()?) } else { None };
        let slack = match &self.slack {
            Some(slack) if notifies => Some(slack::Settings::new(self.secret(&slack.token_file)?)),
            _ => None,
        };
        let investigates = roles.contains(&Role::Investigator);
        let sources = match &self.sources {
            Some(sources) if investigates => Some(sources.settings(|path| text(&self.folder, path))?),
            _ => None,
        };
        let intelligence = self.intelligence.clone().within(&self.folder);
        let edrs = self.customers.iter().map(|c| self.edr(c, roles)).collect::<anyhow::Result<Vec<_>>>()?;
        let calendar = self.calendar();
        Ok(Setup {
            store: self.store,
            tenants: self.customers.into_iter().map(|c| c.tenant).collect(),
            edrs,
            sender: self.sender,
            smtp,
            slack,
            poll_every: Duration::from_secs(self.poll_every_s.max(1)),
            intelligence,
            sources,
            calendar,
            roster: self.on_call,
            web: Web {
                listen: self.console.listen,
                public_origin: Some(self.console.public_origin),
                links: Vec::new(),
            },
            metrics: self.metrics.map(|metrics| metrics.listen),
        })
    }

    fn edr(&self, customer: &CustomerConfig, roles: &[Role]) -> anyhow::Result<Edr> {
        let CustomerConfig { tenant, edr } = customer;
        let id = &tenant.id;
        let scope_ids = |list: &[String]| list.iter().map(|s| s.parse()).collect::<Result<Vec<ScopeId>, _>>();
        let scope = sentinelone::Scope::new(scope_ids(&edr.sites)?, scope_ids(&edr.accounts)?)
            .with_context(|| format!("customer `{id}` names no usable site or account"))?;
        let origin: Origin = edr.origin.parse().with_context(|| format!("customer `{id}`: bad console origin"))?;
        let token = |wanted: &[Role], file: &Path| -> anyhow::Result<Option<Secret>> {
            if !wanted.iter().any(|role| roles.contains(role)) {
                return Ok(None);
            }
            self.secret(file).with_context(|| format!("customer `{id}`: no token")).map(Some)
        };
        Ok(Edr {
            console: Console { origin, tenant: id.clone(), scope },
            roots_pem: edr.ca_file.as_deref().map(|f| self.text(f)).transpose()?,
            read: token(&[Role::Intake, Role::Investigator], &edr.read_token_file)?.map(ReadToken),
            act: token(&[Role::Actuator], &edr.act_token_file)?.map(ActToken),
        })
    }

    fn smtp(&self) -> anyhow::Result<notify::mail::Settings> {
        let mut settings = self.mail.settings(&self.folder)?;
        // A job has 25 seconds in all.
        settings.content_timeout = Duration::from_secs(15);
        Ok(settings)
    }

    fn secret(&self, file: &Path) -> anyhow::Result<Secret> {
        secret(&self.folder, file)
    }

    fn text(&self, file: &Path) -> anyhow::Result<String> {
        text(&self.folder, file)
    }
}

impl MailConfig {
    /// Opens the files that the section names, beside the file that it stands in.
    pub(crate) fn settings(&self, folder: &Path) -> anyhow::Result<notify::mail::Settings> {
        let Self { host, port, security, user, password_file, ca_file } = self;
        let mut settings = notify::mail::Settings::new(host, *port, *security);
        settings.credentials = match (user, password_file) {
            (Some(user), Some(file)) => Some(Credentials { user: user.clone(), password: secret(folder, file)? }),
            (None, None) => None,
            _ => bail!("mail: give both `user` and `password_file`, or neither"),
        };
        settings.extra_roots_pem = ca_file.as_deref().map(|f| text(folder, f)).transpose()?.into_iter().collect();
        Ok(settings)
    }
}

fn secret(folder: &Path, file: &Path) -> anyhow::Result<Secret> {
    let secret = Secret::new(text(folder, file)?.trim());
    if secret.is_empty() {
        bail!("`{}` is empty", file.display());
    }
    Ok(secret)
}

/// Paths in a configuration file are relative to where it stands.
pub(crate) fn text(folder: &Path, file: &Path) -> anyhow::Result<String> {
    let path = folder.join(file);
    fs::read_to_string(&path).with_context(|| format!("could not read `{}`", path.display()))
}
