//! Takes recorded console JSON in, offline: no console is asked, nothing is acted on, nobody is told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use domain::TenantId;
use domain::calendar::Calendar;
use domain::source::TimeSource as _;
use domain::tenant::Tenant;
use engine::{Engine, Incoming};
use sentinelone::recorded::{self, Kind};
use serde::Serialize;
use store::Refusal;

use crate::cli::StoreOptions;
use crate::incident::Opened;
use crate::output::{say, say_json};
use crate::source::MachineTime;

/// Alerts written in one transaction.
const BATCH: usize = 200;

/// What became of all files.
#[derive(Debug, Default, Serialize)]
struct Imported {
    /// Alerts that are in an incident now and were not before.
    accepted: usize,
    /// Of these, how many belong to an incident that was there already.
    joined: usize,
    /// Alerts that were here already, in the same or a newer version.
    repeated: u64,
    updated: u64,
    refused: Vec<Refused>,
    files: Vec<File>,
}

#[derive(Debug, Serialize)]
struct File {
    file: PathBuf,
    kind: Option<Kind>,
    taken: usize,
    refused: usize,
}

#[derive(Debug, Serialize)]
struct Refused {
    file: PathBuf,
    /// Counted from 1; 0 stands for the file as a whole.
    position: usize,
    reason: String,
}

pub(crate) async fn import(files: &[PathBuf], tenant: TenantId, options: &StoreOptions) -> anyhow::Result<ExitCode> {
    let opened = Opened::at(options).await?;
    let known = opened.tenants.iter().find(|t| t.id == tenant).cloned();
    // A configured customer's recorded alerts are history: they must not make the actuator or the notifier work.
    let offline = Tenant { contacts: Vec::new(), connected: false, ..known.unwrap_or_else(|| Tenant::offline(tenant)) };
    let engine = Engine::new(opened.store, [offline.clone()], Calendar::japan());
    let mut imported = Imported::default();
    for (done, file) in files.iter().enumerate() {
        import_file(&engine, &offline.id, file, &mut imported).await?;
        if !options.json && files.len() > 1 {
            say(&format!("{}/{} {}", done + 1, files.len(), file.display()));
        }
    }
    engine.store().close().await;
    tell(&imported, options.json)?;
    let unreadable = imported.refused.iter().any(|r| r.position == 0);
    Ok(if unreadable { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn import_file(engine: &Engine, tenant: &TenantId, file: &Path, imported: &mut Imported) -> anyhow::Result<()> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = format!("could not be read: {error}");
            imported.refused.push(Refused { file: file.into(), position: 0, reason });
            imported.files.push(File { file: file.into(), kind: None, taken: 0, refused: 1 });
            return Ok(());
        }
    };
    let recorded = recorded::read(&bytes);
    let now = MachineTime.now();
    let source = format!("file {}", file.display());
    let refusals: Vec<Refusal> = recorded
        .refused
        .iter()
        .map(|r| Refusal { at: now, source: source.clone(), reason: r.to_string(), raw: r.raw.to_string() })
        .collect();
    let batch: Vec<Incoming> =
        recorded.threats.iter().map(|t| Incoming { alert: t.alert.clone(), raw: t.raw.to_string() }).collect();
    for part in batch.chunks(BATCH) {
        let taken = engine
            .take_in(tenant, part, &[], None, now)
            .await
            .with_context(|| format!("could not take `{}` in", file.display()))?;
        imported.accepted += taken.opened.len() + taken.joined.len();
        imported.joined += taken.joined.len();
        imported.repeated += taken.repeated;
        imported.updated += taken.updated;
    }
    engine.take_in(tenant, &[], &refusals, None, now).await?;
    imported.files.push(File {
        file: file.into(),
        kind: Some(recorded.kind),
        taken: batch.len(),
        refused: recorded.refused.len(),
    });
    imported.refused.extend(recorded.refused.into_iter().map(|r| Refused {
        file: file.into(),
        position: r.position,
        reason: r.reason.to_string(),
    }));
    Ok(())
}

fn tell(imported: &Imported, json: bool) -> anyhow::Result<()> {
    if json {
        return say_json(imported);
    }
    for Refused { file, position, reason } in &imported.refused {
        say(&format!("refused  {} record {position}: {reason}", file.display()));
    }
    let Imported { accepted, joined, repeated, updated, refused, .. } = imported;
    let refused = refused.len();
    say(&format!("accepted {accepted} ({joined} joined), updated {updated}, repeated {repeated}, refused {refused}"));
    Ok(())
}
