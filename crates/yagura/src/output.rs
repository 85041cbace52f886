//! How commands speak: text for people, one JSON object on the last line for programs, logs to standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Logs go to standard error so that standard output stays what was asked for.
pub(crate) fn start_log(filter: Option<&str>) {
    let filter = EnvFilter::try_new(filter.unwrap_or("warn")).unwrap_or_else(|_| EnvFilter::new("warn"));
    // A second start keeps the first log.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
}

/// Prints lines to standard output. A reader that has gone away is not an error of ours.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

pub(crate) fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string(value)?);
    Ok(())
}

pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(io::stderr(), "yagura: {error:#}");
    ExitCode::FAILURE
}
