//! What can be typed. Every command has `--json`; exit code 0 means that what it says it did is true.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use domain::calendar::Calendar;
use domain::calendar::Hours;
use domain::{IncidentId, Language, PersonId, TenantId, Timestamp};
use store::AccountRole;

use crate::bench::Bench;
use crate::{
    alerts, audit, clock, config, demo, doctor, eval, figures, incident, intelligence, roles, simulate, staff,
    staffing, watch,
};

const EXAMPLES: &str = "\
Examples:
  yagura demo                                  the whole service on this machine, to look at
  yagura demo --headless --for 60s --json      the same, judged by what reached the far sides
  yagura run --config yagura.toml              production, all roles in one process
  yagura run --config yagura.toml --role actuator
  yagura incident list                         the queue, from ./yagura.db
  yagura incident report INC-2026-000001 --language ja --out report.pdf
  yagura s1sim --scenario ransomware-workstation
  yagura alerts import threats.json            recorded alerts, offline
  yagura clock due --start 2026-09-18T17:30:00+09:00 --minutes 60
  yagura figures --from 2026-10-01 --to 2026-10-31
  yagura watch --url https://soc.example.jp/healthz --once
  yagura audit verify                          proof that no event was changed
  yagura simulate --seeds 20                   the whole service on virtual time, with every fault";

/// Runs a managed security service on top of an EDR.
#[derive(Debug, Parser)]
#[command(name = "yagura", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What to log, as `warn`, `info` or `engine=debug,warn`
    #[arg(long, global = true, env = "YAGURA_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole service on one machine, with a simulated console and local mail and chat sinks
    Demo(demo::Options),
    /// Production: every role, or those named
    Run(RunOptions),
    /// The simulated SentinelOne console alone
    S1sim(s1sim::Options),
    /// The queue and one case from a terminal
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Recorded console JSON
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Proof that nothing was changed afterwards
    #[command(subcommand)]
    Audit(AuditCommand),
    /// By when something is promised, and why
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Who works here
    #[command(subcommand)]
    Staff(StaffCommand),
    /// The whole service on virtual time, with everything that can go wrong: what must hold, holds
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(simulate::Options),
    /// How many analysts hold the targets, from the same simulation
    #[command(after_help = STAFFING_EXAMPLES)]
    Staffing(staffing::Options),
    /// What is wrong with this installation, and how to mend it
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        /// Configuration file
        #[arg(long, default_value = "yagura.toml")]
        config: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Watches a service from another machine, and tells people when it does not work
    Watch(watch::Options),
    /// How well the promises were kept in a period: attainment and times by customer and priority
    #[command(after_help = FIGURES_EXAMPLES)]
    Figures(figures::Options),
    /// Lists, vulnerability feeds: into one file, and one look-up out of it, explained
    #[command(subcommand)]
    Intel(intelligence::Command),
    /// Scorecards on any folder of the same form as the data they were made with
    #[command(subcommand)]
    Eval(eval::Command),
    /// The figures in the README, on this machine
    #[command(subcommand)]
    Bench(Bench),
}

const FIGURES_EXAMPLES: &str = "\
Examples:
  yagura figures --config yagura.toml
  yagura figures --from 2026-10-01 --to 2026-10-31 --tenant acme --json
  yagura figures --from 2026-10-01 --to 2026-10-31 --cycles > cycles.csv";

const RUN_EXAMPLES: &str = "\
Examples:
  yagura run --config yagura.toml
  yagura run --config yagura.toml --role intake --role notifier";

#[derive(Debug, clap::Args)]
#[command(after_help = RUN_EXAMPLES)]
struct RunOptions {
    /// Configuration file
    #[arg(long, default_value = "yagura.toml")]
    config: PathBuf,
    /// Role to run; may be repeated; all roles when not given
    #[arg(long = "role", value_enum)]
    roles: Vec<roles::Role>,
    /// Print one JSON object when it stops
    #[arg(long)]
    json: bool,
}

/// Where the incidents are.
#[derive(Debug, clap::Args)]
pub(crate) struct StoreOptions {
    /// Configuration file; without it, ./yagura.db is read
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    pub json: bool,
}

const LIST_EXAMPLES: &str = "\
Examples:
  yagura incident list
  yagura incident list --closed --json
  yagura incident list --config yagura.toml";

const SHOW_EXAMPLES: &str = "\
Examples:
  yagura incident show INC-2026-000001
  yagura incident show INC-2026-000001 --language ja
  yagura incident show INC-2026-000001 --json";

const REPORT_EXAMPLES: &str = "\
Examples:
  yagura incident report INC-2026-000001 --language ja
  yagura incident report INC-2026-000001 --language en --out report.pdf --json";

#[derive(Debug, Subcommand)]
enum IncidentCommand {
    /// Incidents, what is due next first
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        store: StoreOptions,
        /// Closed incidents instead of open ones
        #[arg(long)]
        closed: bool,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One incident with its timeline and reasons
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        id: IncidentId,
        #[command(flatten)]
        store: StoreOptions,
        /// ja or en
        #[arg(long, default_value = "en")]
        language: Language,
    },
    /// The incident's report as PDF
    #[command(after_help = REPORT_EXAMPLES)]
    Report {
        id: IncidentId,
        #[command(flatten)]
        store: StoreOptions,
        /// ja or en
        #[arg(long, default_value = "ja")]
        language: Language,
        /// Where to write it; by default INC-….pdf beside you
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  yagura alerts import threats.json
  yagura alerts import recorded/*.json --tenant acme --json";

#[derive(Debug, Subcommand)]
enum AlertsCommand {
    /// Takes recorded alerts in, offline: nothing is acted on and nobody is told
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Whose alerts they are
        #[arg(long, default_value = "imported")]
        tenant: TenantId,
        #[command(flatten)]
        store: StoreOptions,
    },
}

const DUE_EXAMPLES: &str = "\
Examples:
  yagura clock due --start 2026-09-18T17:30:00+09:00 --minutes 60
  yagura clock due --start 2026-09-18T08:30:00Z --minutes 60 --json
  yagura clock due --start 2026-12-31T23:55:00+09:00 --minutes 10 --calendar always";

#[derive(Debug, Subcommand)]
enum ClockCommand {
    /// When so many minutes have passed, with each step: counted, night, weekend, holiday or closed day
    #[command(after_help = DUE_EXAMPLES)]
    Due {
        /// With its offset, as 2026-09-18T17:30:00+09:00
        #[arg(long, value_name = "TIME", value_parser = clock::start)]
        start: Timestamp,
        /// How many minutes have to pass, at most a year of them
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..=clock::MOST_MINUTES))]
        minutes: i64,
        /// Which hours count: `business` (Monday to Friday 09:00-18:00 JST, less national holidays and closed days),
        /// `always`, or those of a contract, `"08:00-20:00 weekends holidays"`
        #[arg(long, default_value = "business")]
        calendar: Hours,
        /// Configuration file with the provider's closed days; without it, 29 December to 3 January
        #[arg(long)]
        config: Option<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  yagura doctor --config yagura.toml
  yagura doctor --config yagura.toml --json";

const SIMULATE_EXAMPLES: &str = "\
Examples:
  yagura simulate --seeds 200
  yagura simulate --seeds 200 --days 30 --customers 50 --faults all --json
  yagura simulate --seeds 20 --faults crash,channel,clock-back
  yagura simulate --seed 4711 --seeds 1";

const STAFFING_EXAMPLES: &str = "\
Examples:
  yagura staffing --analysts 1..6
  yagura staffing --analysts 4..12 --customers 50 --alerts-per-day 10 --days 5 --seeds 20 --target 99.5 --json";

const STAFF_EXAMPLES: &str = "\
Examples:
  yagura staff add sapporo.mori --name 'Mori Haruto' --config yagura.toml
  yagura staff add tokyo.kudo --name 'Kudo Ren' --role manager --language en
  yagura staff add desk.acme --name 'Acme desk' --tenant acme
  yagura staff add acme.yamada --name 'Taro Yamada' --role customer --tenant acme";

#[derive(Debug, Subcommand)]
enum StaffCommand {
    /// Adds somebody, or changes what they may do, and prints a link that signs them in once
    #[command(after_help = STAFF_EXAMPLES)]
    Add {
        id: PersonId,
        /// As colleagues and reports name them
        #[arg(long)]
        name: String,
        #[arg(long, value_enum, default_value = "analyst")]
        role: AccountRoleName,
        /// A customer whose incidents they see; may be repeated; all customers when not given. The role customer takes
        /// exactly one: the company that they answer for
        #[arg(long = "tenant")]
        tenants: Vec<TenantId>,
        /// ja or en
        #[arg(long, default_value = "ja")]
        language: Language,
        #[command(flatten)]
        store: StoreOptions,
    },
    /// Shuts somebody out at once
    Disable {
        id: PersonId,
        #[command(flatten)]
        store: StoreOptions,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AccountRoleName {
    Analyst,
    Manager,
    Operator,
    /// Somebody at a customer who answers our questions; sees nothing else
    Customer,
}

impl From<AccountRoleName> for AccountRole {
    fn from(name: AccountRoleName) -> Self {
        match name {
            AccountRoleName::Analyst => Self::Analyst,
            AccountRoleName::Manager => Self::Manager,
            AccountRoleName::Operator => Self::Operator,
            AccountRoleName::Customer => Self::Customer,
        }
    }
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  yagura audit verify
  yagura audit verify --config yagura.toml --json";

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Recomputes the chain of every tenant's events and names the first fault
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        /// A root printed earlier and kept elsewhere: proves that nothing before it was rewritten since
        #[arg(long, value_name = "N:HASH")]
        root: Option<audit::HandedOut>,
        #[command(flatten)]
        store: StoreOptions,
    },
}

impl Arguments {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo(options) => demo::run(options).await,
            Command::Run(options) => {
                let config = config::Config::read(&options.config)?;
                roles::run_until_stopped(config, &options.roles, options.json).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::S1sim(options) => {
                s1sim::run(&options).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Alerts(AlertsCommand::Import { files, tenant, store }) => {
                alerts::import(&files, tenant, &store).await
            }
            Command::Audit(AuditCommand::Verify { root, store }) => audit::verify(&store, root).await,
            Command::Clock(ClockCommand::Due { start, minutes, calendar, config, json }) => {
                let known = match config {
                    Some(path) => config::Config::read(&path)?.calendar(),
                    None => Calendar::japan(),
                };
                clock::due(&known, start, minutes, calendar, json)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Watch(options) => watch::run(options).await,
            Command::Simulate(options) => simulate::run(options).await,
            Command::Staffing(options) => staffing::run(options).await,
            Command::Doctor { config, json } => doctor::run(&config, json).await,
            Command::Staff(command) => {
                match command {
                    StaffCommand::Add { id, name, role, tenants, language, store } => {
                        let new = staff::New { id, name, role: role.into(), tenants, language };
                        staff::add(&store, new).await?;
                    }
                    StaffCommand::Disable { id, store } => staff::disable(&store, &id).await?,
                }
                Ok(ExitCode::SUCCESS)
            }
            Command::Figures(options) => {
                figures::run(&options).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Intel(command) => command.run(),
            Command::Eval(command) => command.run(),
            Command::Bench(bench) => {
                bench.run().await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Incident(command) => {
                match command {
                    IncidentCommand::List { store, closed, limit } => incident::list(&store, closed, limit).await?,
                    IncidentCommand::Show { id, store, language } => incident::show(&store, id, language).await?,
                    IncidentCommand::Report { id, store, language, out } => {
                        incident::report(&store, id, language, out).await?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
