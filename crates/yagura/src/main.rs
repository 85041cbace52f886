//! The one program: reads the configuration, puts the parts together, and offers the commands.
//!
//! The only place that reads the environment, asks the machine for time and randomness, and knows every crate.

mod alerts;
mod audit;
mod bench;
mod cli;
mod clock;
mod config;
mod demo;
mod doctor;
mod eval;
mod figures;
mod incident;
mod intelligence;
mod metrics;
mod output;
mod roles;
mod simulate;
mod source;
mod staff;
mod staffing;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // Before anything else: one TLS provider for everybody. An error only means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = cli::Arguments::parse();
    output::start_log(arguments.log.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&anyhow::Error::new(error).context("could not start")),
    };
    match runtime.block_on(arguments.run()) {
        Ok(code) => code,
        Err(error) => output::failed(&error),
    }
}
