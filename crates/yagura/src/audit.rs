//! Proves that no event was changed, removed, added or moved since it was written.

use std::process::ExitCode;
use std::str::FromStr;

use serde::Serialize;
use store::Root;

use crate::cli::StoreOptions;
use crate::incident::Opened;
use crate::output::{say, say_json};

/// A root that was handed out earlier, as `verify` prints it: `N:HASH`.
#[derive(Debug, Clone)]
pub(crate) struct HandedOut(Root);

impl FromStr for HandedOut {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed =
            text.split_once(':').and_then(|(n, hash)| Some(Root { n: n.parse().ok()?, hash: hash.to_owned() }));
        parsed.map(Self).ok_or_else(|| "a root looks like 1234:HASH, as `yagura audit verify` prints it".to_owned())
    }
}

#[derive(Debug, Serialize)]
struct Verdict {
    rows: u64,
    /// Pieces of evidence whose digest holds or not.
    evidence: u64,
    ok: bool,
    first_fault: Option<String>,
    faults: Vec<String>,
    tenants: u64,
    root: String,
}

pub(crate) async fn verify(options: &StoreOptions, handed_out: Option<HandedOut>) -> anyhow::Result<ExitCode> {
    let store = Opened::at(options).await?.store;
    let audit = store.verify_audit(handed_out.as_ref().map(|h| &h.0)).await?;
    let contents = store.verify_contents().await?;
    store.close().await;
    let chained = audit.faults.iter().map(ToString::to_string);
    let faults: Vec<String> = chained.chain(contents.faults.iter().map(ToString::to_string)).collect();
    let verdict = Verdict {
        rows: audit.rows,
        evidence: contents.pieces,
        ok: faults.is_empty(),
        first_fault: faults.first().cloned(),
        faults,
        tenants: audit.tenants,
        root: format!("{}:{}", audit.root.n, audit.root.hash),
    };
    if options.json {
        say_json(&verdict)?;
    } else {
        verdict.faults.iter().for_each(|fault| say(fault));
        say(&format!(
            "{} events of {} tenants and {} pieces of evidence hold; root {}",
            verdict.rows, verdict.tenants, verdict.evidence, verdict.root
        ));
    }
    Ok(if verdict.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
