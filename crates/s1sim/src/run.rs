//! The simulator as a program: what its command line can say, and running it until it is told to stop. `yagura s1sim`
//! uses the same options and the same function.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::fleet::Fleet;
use crate::load;
use crate::server::{Config, Error, S1Sim};
use crate::token::Capability;
use crate::{Clock, scenario};

const EXAMPLES: &str = "\
Examples:
  s1sim
      three customers on https://127.0.0.1:8443, nothing happening yet
  s1sim --scenario ransomware-workstation --site hoshimi --ca-out ca.pem
      one attack on one customer; clients trust ca.pem
  s1sim --scenario all --listen 127.0.0.1:0
      every scenario on every customer, on a free port
  s1sim --load recorded/ --plain
      recorded threats from JSON files, over plain HTTP

While it runs:
  curl --cacert ca.pem -H \"Authorization: ApiToken TOKEN\" https://127.0.0.1:8443/web/api/v2.1/threats
  curl --cacert ca.pem -H \"Authorization: ApiToken CONTROL\" https://127.0.0.1:8443/_sim/ledger";

/// Options of `s1sim` and `yagura s1sim`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Scenario to play at start, or `all`; may be repeated
    #[arg(long = "scenario", value_name = "NAME")]
    pub scenarios: Vec<String>,
    /// Customer (or site id) the scenarios play on; may be repeated; all customers when not given
    #[arg(long = "site", value_name = "CUSTOMER")]
    pub sites: Vec<String>,
    /// Folder with recorded threats (JSON of the API v2.1)
    #[arg(long, value_name = "DIR")]
    pub load: Option<PathBuf>,
    /// Serve HTTPS, which is the default
    #[arg(long, conflicts_with = "plain")]
    pub tls: bool,
    /// Serve plain HTTP instead of HTTPS
    #[arg(long)]
    pub plain: bool,
    /// Write the certificate authority's PEM here
    #[arg(long, value_name = "FILE")]
    pub ca_out: Option<PathBuf>,
    /// Only the endpoints scenarios need, instead of some 260 per customer
    #[arg(long)]
    pub small: bool,
    /// Tokens are derived from this number
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Tell tokens that call too often to wait, as the console does
    #[arg(long)]
    pub rate_limits: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Starts a simulator as the options say.
pub async fn start_from(options: &Options) -> Result<(S1Sim, Vec<load::Loaded>), RunError> {
    let names: Vec<&str> = match options.scenarios.as_slice() {
        [all] if all == "all" => scenario::ALL.iter().map(|scenario| scenario.name).collect(),
        some => some.iter().map(String::as_str).collect(),
    };
    let fleet = if options.small { Fleet::small() } else { Fleet::demo() };
    let customers: Vec<String> = fleet.customers.iter().map(|customer| customer.key.clone()).collect();
    let config = Config {
        listen: options.listen,
        tls: !options.plain,
        fleet,
        clock: Clock::real(),
        seed: options.seed,
        rate_limits: options.rate_limits,
        ..Config::default()
    };
    let sim = S1Sim::start(config).await?;
    let loaded = match &options.load {
        Some(folder) => sim
            .with_world(|world| load::folder(world, folder))
            .map_err(|source| RunError::Load { folder: folder.clone(), source })?,
        None => Vec::new(),
    };
    let sites = if options.sites.is_empty() { &customers } else { &options.sites };
    for site in sites {
        for name in &names {
            sim.play(name, site)?;
        }
    }
    if let Some(file) = &options.ca_out {
        fs::write(file, sim.ca_pem()).map_err(|source| RunError::CaOut { file: file.clone(), source })?;
    }
    Ok((sim, loaded))
}

/// Starts a simulator, prints where it is and how to get in, and serves until Ctrl-C.
pub async fn run(options: &Options) -> Result<(), RunError> {
    let (sim, loaded) = start_from(options).await?;
    let report = if options.json { as_json(&sim, &loaded) } else { as_text(&sim, &loaded) };
    writeln!(io::stdout(), "{report}").map_err(RunError::Print)?;
    tokio::signal::ctrl_c().await.map_err(RunError::Signal)?;
    sim.stop().await;
    Ok(())
}

fn tokens(sim: &S1Sim) -> Vec<(String, String)> {
    let mut list = sim.with_world(|world| {
        world.tokens.list.iter().map(|token| (token.name.clone(), token.secret.clone())).collect::<Vec<_>>()
    });
    list.push(("console/full".to_owned(), sim.console_token(Capability::Full)));
    list.dedup();
    list
}

fn as_text(sim: &S1Sim, loaded: &[load::Loaded]) -> String {
    let mut lines =
        vec![format!("console   {}", sim.url()), format!("control   {}", sim.control_token()), String::new()];
    lines.extend(sim.with_world(|world| {
        world.sites.iter().map(|site| format!("site      {}  {}", site.id, site.key)).collect::<Vec<_>>()
    }));
    lines.push(String::new());
    lines.extend(tokens(sim).iter().map(|(name, secret)| format!("{name:<24} {secret}")));
    lines.extend(loaded.iter().map(|one| {
        format!("loaded    {} threats from {} {}", one.threats, one.file, one.left_out.as_deref().unwrap_or_default())
    }));
    lines.join("\n")
}

fn as_json(sim: &S1Sim, loaded: &[load::Loaded]) -> String {
    let sites = sim.with_world(|world| {
        world
            .sites
            .iter()
            .map(|site| (site.key.clone(), site.id.to_string()))
            .collect::<std::collections::BTreeMap<_, _>>()
    });
    let tokens: std::collections::BTreeMap<_, _> = tokens(sim).into_iter().collect();
    let loaded: Vec<_> = loaded
        .iter()
        .map(|one| serde_json::json!({"file": one.file, "threats": one.threats, "leftOut": one.left_out}))
        .collect();
    serde_json::json!({"url": sim.url(), "control": sim.control_token(), "sites": sites, "tokens": tokens, "loaded": loaded}).to_string()
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Start(#[from] Error),
    #[error("could not read recorded threats from `{}`", folder.display())]
    Load { folder: PathBuf, source: io::Error },
    #[error("could not write the authority to `{}`", file.display())]
    CaOut { file: PathBuf, source: io::Error },
    #[error("could not print where the console is")]
    Print(#[source] io::Error),
    #[error("could not wait for the signal to stop")]
    Signal(#[source] io::Error),
}
