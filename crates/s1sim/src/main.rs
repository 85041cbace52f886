//! The simulated console as a program of its own. Everything is in the library.

use std::process::ExitCode;

use clap::Parser;

/// A simulated SentinelOne management console: API v2.1 with state, time and faults.
#[derive(Debug, Parser)]
#[command(name = "s1sim", version)]
struct Cli {
    #[command(flatten)]
    options: s1sim::Options,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt().with_env_filter("warn").with_ansi(false).with_writer(std::io::stderr).init();
    match s1sim::run(&cli.options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "s1sim stopped");
            ExitCode::FAILURE
        }
    }
}
