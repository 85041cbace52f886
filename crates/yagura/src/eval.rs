//! Scorecards on any folder of the same form as the data that they were made with: data nobody here has seen included.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use crate::output::{say, say_json};

const EXAMPLES: &str = "\
Examples:
  yagura eval detect DATA --json
  yagura eval cve DATA/vuln --json";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// Detection rules on recorded events
    Detect {
        data: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// Vulnerabilities and patches on inventories and labels
    Cve {
        data: PathBuf,
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (card, json) = match self {
            Self::Detect { data, json } => {
                let named = || format!("could not evaluate detection on `{}`", data.display());
                (serde_json::to_value(detect::eval::eval(&data).with_context(named)?)?, json)
            }
            Self::Cve { data, json } => {
                let named = || format!("could not evaluate CVE matching on `{}`", data.display());
                (serde_json::to_value(intel::eval::cve(&data).with_context(named)?)?, json)
            }
        };
        if json {
            say_json(&card)?;
        } else {
            say(&serde_json::to_string_pretty(&card)?);
        }
        Ok(ExitCode::SUCCESS)
    }
}
