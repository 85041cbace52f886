//! The whole service on one machine: a simulated console, three customers, a mail sink, and the real roles in between.
//!
//! Real: everything from the poll to the mail server's answer. Simulated: the console with its endpoints, and the
//! customers' mailboxes. `--headless` judges itself by what those far sides saw, not by its own records.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use domain::PersonId;
use domain::calendar::Calendar;
use domain::source::TimeSource as _;
use domain::tenant::{Email, Names};
use notify::Sender;
use notify::mail::Security;
use notify::slack;
use outbound::Secret;
use s1sim::{Capability, Clock, Fleet, S1Sim};
use sentinelone::{ActToken, Console, ReadToken};
use sinks::{ChatSink, MailSink, Now, VirusTotalSink};
use store::{AccountRole, Person, Scope, Store};

use crate::output::{say, say_json};
use crate::roles::{self, Edr, Role, Running, Setup, Web};
use crate::source::{MachineEntropy, MachineTime};

mod customers;
mod knowledge;
mod plan;
mod summary;

/// Opens the chat sink, and nothing else.
const CHAT_TOKEN: &str = "xoxb-demo-only";
/// Whom the printed links sign in: one of the SOC, and one of a customer.
const ANALYST: &str = "sapporo.mori";
const CUSTOMER: &str = "hoshimi.hasegawa";
/// How often the demo polls its console.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Nothing new is raised in the last part of a headless run, so that everything can come to its end.
const QUIET_END: Duration = Duration::from_secs(20);
/// After the time is up, running actions and notices get this long to end.
const GRACE: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  yagura demo
  yagura demo --port 8080
  yagura demo --headless --for 60s --json";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// No pages to look at: run for a while, then judge and end
    #[arg(long)]
    headless: bool,
    /// How long a headless run takes, as `60s` or `5m`
    #[arg(long = "for", default_value = "60s", value_parser = duration, value_name = "TIME")]
    lasts: Duration,
    /// Port of the analysts' console; 0 takes a free one
    #[arg(long, default_value_t = 8700)]
    port: u16,
    /// Print one JSON object on the last line
    #[arg(long)]
    json: bool,
    /// Hide one alert from every list, to see that the judging notices
    #[arg(long, hide = true)]
    drop_one_alert: bool,
}

/// The far sides, and the service between them.
struct Demo {
    sim: S1Sim,
    mail: MailSink,
    chat: ChatSink,
    virustotal: VirusTotalSink,
    running: Running,
    // Holds the database until the end.
    _folder: tempfile::TempDir,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let demo = Demo::start(&options).await?;
    if options.drop_one_alert {
        summary::hide_next_alert(&demo.sim);
    }
    if options.headless { demo.judge(&options).await } else { demo.show(&options).await }
}

impl Demo {
    async fn start(options: &Options) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("could not make a folder for the demo")?;
        let sim =
            S1Sim::start(s1sim::Config { fleet: Fleet::demo(), clock: Clock::real(), ..s1sim::Config::default() })
                .await
                .context("could not start the simulated console")?;
        let mail = MailSink::start(sinks::mail::Options {
            smtp: loopback(0),
            http: loopback(0),
            now: Now::new(|| MachineTime.now()),
        })
        .await
        .context("could not start the mail sink")?;
        let chat = ChatSink::start(sinks::chat::Options {
            http: loopback(0),
            token: CHAT_TOKEN.into(),
            channels: customers::chat_channels(),
            now: Now::new(|| MachineTime.now()),
        })
        .context("could not start the chat sink")?;
        let virustotal = knowledge::virustotal()?;
        let address = format!("sqlite:{}", folder.path().join("yagura.db").display());
        add_people(&address).await?;
        let setup = Setup {
            store: address,
            tenants: customers::all()?,
            edrs: customers::KEYS.iter().map(|key| edr(&sim, key)).collect::<anyhow::Result<_>>()?,
            sender: sender()?,
            smtp: Some(smtp(&mail)),
            slack: Some(slack::Settings { token: Secret::new(CHAT_TOKEN), api: chat.api_url().parse()? }),
            poll_every: POLL_EVERY,
            intelligence: knowledge::prepare(folder.path())?,
            sources: Some(knowledge::sources(&virustotal)?),
            calendar: Calendar::japan(),
            roster: customers::roster()?,
            web: Web {
                listen: loopback(if options.headless { 0 } else { options.port }),
                public_origin: None,
                links: vec![
                    link("お客様のメールボックス", "Customers' mailbox", mail.url()),
                    link("お客様のチャット", "Customers' chat", chat.url()),
                ],
            },
            metrics: Some(loopback(0)),
        };
        let running = roles::start(setup, &Role::ALL).await?;
        Ok(Self { sim, mail, chat, virustotal, running, _folder: folder })
    }

    async fn show(self, options: &Options) -> anyhow::Result<ExitCode> {
        let metrics = self.running.metrics.context("the metrics are not served")?;
        let addresses = [
            ("console (this link signs you in once)", sign_in_link(&self.running, ANALYST).await?),
            ("customer's page (this one, too)", sign_in_link(&self.running, CUSTOMER).await?),
            ("customers' mailbox", self.mail.url()),
            ("customers' chat", self.chat.url()),
            ("simulated SentinelOne console", self.sim.url().to_owned()),
            ("metrics", format!("http://{metrics}/metrics")),
        ];
        for (what, address) in &addresses {
            say(&format!("{what:<40} {address}"));
        }
        if options.json {
            let [console, customer, mailbox, chat, sentinelone, metrics] = addresses.map(|(_, address)| address);
            say_json(&serde_json::json!({
                "console": console, "customer": customer, "mailbox": mailbox, "chat": chat, "sentinelone": sentinelone,
                "metrics": metrics
            }))?;
        }
        say("Ctrl-C ends the demo.");
        let playing = plan::play(&self.sim, Duration::MAX);
        tokio::select! {
            () = async { playing.await; std::future::pending().await } => {}
            result = roles::wait_for_signal() => result?,
        }
        self.end().await;
        Ok(ExitCode::SUCCESS)
    }

    async fn judge(self, options: &Options) -> anyhow::Result<ExitCode> {
        let playing_time = options.lasts.saturating_sub(QUIET_END).max(options.lasts / 2);
        tokio::join!(plan::play(&self.sim, playing_time), pause(options.lasts));
        let mut waited = Duration::ZERO;
        let mut summary = self.summary().await?;
        while !summary.is_settled() && waited < GRACE {
            pause(Duration::from_millis(500)).await;
            waited += Duration::from_millis(500);
            summary = self.summary().await?;
        }
        self.end().await;
        if options.json {
            say_json(&summary)?;
        } else {
            say(&summary.to_string());
        }
        Ok(if summary.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn summary(&self) -> anyhow::Result<summary::Summary> {
        summary::judge(&self.sim, &self.mail, &self.chat, &self.running.engine).await
    }

    async fn end(self) {
        self.running.stop().await;
        self.mail.stop().await;
        self.chat.stop().await;
        self.virustotal.stop().await;
        self.sim.stop().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the demo is an outermost loop")]
async fn pause(by: Duration) {
    tokio::time::sleep(by).await;
}

fn link(ja: &str, en: &str, url: String) -> console::Link {
    console::Link { name: Names { ja: ja.into(), en: en.into() }, url }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn edr(sim: &S1Sim, customer: &str) -> anyhow::Result<Edr> {
    Ok(Edr {
        console: Console {
            origin: sim.url().parse()?,
            tenant: customer.parse()?,
            scope: sentinelone::Scope::of_sites(&[&sim.site_id(customer)])?,
        },
        roots_pem: Some(sim.ca_pem().to_owned()),
        read: Some(ReadToken(Secret::new(&sim.token(customer, Capability::Read)))),
        act: Some(ActToken(Secret::new(&sim.token(customer, Capability::Full)))),
    })
}

fn smtp(mail: &MailSink) -> notify::mail::Settings {
    let at = mail.smtp_addr();
    let mut settings = notify::mail::Settings::new(&at.ip().to_string(), at.port(), Security::PlainOnLoopback);
    settings.hello = Some("soc.yagura.example".into());
    settings
}

fn sender() -> anyhow::Result<Sender> {
    let address = Email::try_from("soc@yagura.example".to_owned()).map_err(anyhow::Error::msg)?;
    let telephone = "+81 11 000 0000".to_owned().try_into().map_err(anyhow::Error::msg)?;
    let name = Names { ja: "やぐらSOC".into(), en: "Yagura SOC".into() };
    Ok(Sender { name, address, telephone: Some(telephone), pages: None })
}

/// Two analysts at two sites and a manager, and one person at each customer. Nobody has a password: the demo prints links.
async fn add_people(address: &str) -> anyhow::Result<()> {
    let store = Store::open(address).await?;
    let staff = [
        ("sapporo.mori", "Mori Haruto / 森 陽斗", AccountRole::Analyst),
        ("fukuoka.abe", "Abe Mizuki / 阿部 瑞希", AccountRole::Analyst),
        ("tokyo.kudo", "Kudo Ren / 工藤 蓮", AccountRole::Manager),
    ];
    let staff = staff.map(|(id, name, role)| {
        Ok(Person {
            id: id.parse()?,
            name: name.into(),
            role,
            scope: Scope::All,
            language: domain::Language::Ja,
            password: String::new(),
            disabled: false,
        })
    });
    for person in staff.into_iter().collect::<anyhow::Result<Vec<_>>>()?.iter().chain(&customers::people()?) {
        store.save_person(person).await?;
    }
    store.close().await;
    Ok(())
}

/// A link that signs somebody of the demo in, once.
async fn sign_in_link(running: &Running, who: &str) -> anyhow::Result<String> {
    let (web, who) = (running.web.context("the console does not run")?, who.parse::<PersonId>()?);
    let expires = MachineTime.now() + jiff::SignedDuration::from_hours(12);
    let (token, hash) = console::link_token(&MachineEntropy);
    running.engine.store().save_link(&hash, &who, expires).await?;
    Ok(format!("http://{web}/sign-in/link/{token}"))
}

/// `60s`, `5m` or `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    units
        .iter()
        .find_map(|(unit, seconds)| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Duration::from_secs(count.checked_mul(*seconds)?))
        })
        .filter(|d| !d.is_zero())
        .ok_or_else(|| format!("`{}` is not a time: write 60s, 5m or 1h", text.escape_default()))
}
