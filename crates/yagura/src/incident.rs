//! The queue and one case from a terminal.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use domain::calendar::in_japan;
use domain::incident::Incident;
use domain::tenant::{Names, Tenant};
use domain::{IncidentId, Language, Timestamp, reason, rules};
use notify::Sender;
use report::{Issuer, Renderer};
use store::{QueueFilter, Scope, Store};

use crate::cli::StoreOptions;
use crate::config::Config;
use crate::output::{say, say_json};
use crate::source::MachineTime;
use domain::source::TimeSource as _;

/// What the commands work on: the configured store and customers, or `./yagura.db` with whatever was imported there.
pub(crate) struct Opened {
    pub store: Store,
    pub tenants: Vec<Tenant>,
    pub sender: Option<Sender>,
}

/// Where incidents are when there is no configuration.
pub(crate) const LOCAL_STORE: &str = "sqlite:yagura.db";

impl Opened {
    pub(crate) async fn at(options: &StoreOptions) -> anyhow::Result<Self> {
        let Some(path) = &options.config else {
            let store = Store::open(LOCAL_STORE).await.context("could not open ./yagura.db")?;
            return Ok(Self { store, tenants: Vec::new(), sender: None });
        };
        let config = Config::read(path)?;
        let store = Store::open(&config.store).await.context("could not open the store")?;
        let tenants = config.customers.into_iter().map(|c| c.tenant).collect();
        Ok(Self { store, tenants, sender: Some(config.sender) })
    }

    async fn incident(&self, id: IncidentId) -> anyhow::Result<Incident> {
        match self.store.incident(&Scope::All, id).await? {
            Some(incident) => Ok(incident),
            None => bail!("incident `{id}` does not exist here"),
        }
    }

    fn tenant(&self, incident: &Incident) -> Tenant {
        let known = self.tenants.iter().find(|t| t.id == incident.tenant);
        known.cloned().unwrap_or_else(|| Tenant::offline(incident.tenant.clone()))
    }

    async fn issuer(&self) -> anyhow::Result<Issuer> {
        let people = self.store.staff().await?;
        let both = |name: &str| Names { ja: name.to_owned(), en: name.to_owned() };
        Ok(Issuer {
            name: self.sender.as_ref().map_or_else(|| both("Yagura SOC"), |s| s.name.clone()),
            contact: self.sender.as_ref().map(|s| both(s.address.as_str())),
            people: people.iter().map(|p| (p.id.clone(), both(&p.name))).collect(),
        })
    }
}

pub(crate) async fn list(options: &StoreOptions, closed: bool, limit: u32) -> anyhow::Result<()> {
    let opened = Opened::at(options).await?;
    let filter = QueueFilter { closed, ..QueueFilter::default() };
    let queue = opened.store.queue(&Scope::All, &filter, limit.into(), 0).await?;
    if options.json {
        return say_json(&serde_json::json!({"total": queue.total, "incidents": queue.rows}));
    }
    for row in &queue.rows {
        let due = row.due_at.map_or_else(|| "-".to_owned(), jst);
        say(&format!(
            "{}  {}  due {due:<16}  {:<12}  {:<22}  {}  {}",
            row.priority.name(),
            row.id,
            row.tenant,
            row.phase.text().en,
            row.summary.host.short(24),
            row.summary.title.short(40)
        ));
    }
    say(&format!("{} of {} {}", queue.rows.len(), queue.total, if closed { "closed" } else { "open" }));
    Ok(())
}

pub(crate) async fn show(options: &StoreOptions, id: IncidentId, language: Language) -> anyhow::Result<()> {
    let opened = Opened::at(options).await?;
    let incident = opened.incident(id).await?;
    let events = opened.store.events(&incident.tenant, id).await?;
    if options.json {
        return say_json(&serde_json::json!({"incident": incident, "events": events}));
    }
    let tenant = opened.tenant(&incident);
    let issuer = opened.issuer().await?;
    let options = report::Options { now: MachineTime.now(), issuer: &issuer };
    let facts = report::Facts::of(&incident, &events, &tenant, language, options);
    say(&report::markdown(&facts));
    let rule = rules::rule(incident.judgement.rule);
    say(&format!(
        "{} {}: {}",
        rule.id,
        rule.title.in_language(language),
        reason::sentence(&incident.judgement.grounds, language)
    ));
    Ok(())
}

pub(crate) async fn report(
    options: &StoreOptions,
    id: IncidentId,
    language: Language,
    out: Option<PathBuf>,
) -> anyhow::Result<()> {
    let opened = Opened::at(options).await?;
    let incident = opened.incident(id).await?;
    let events = opened.store.events(&incident.tenant, id).await?;
    let issuer = opened.issuer().await?;
    let tenant = opened.tenant(&incident);
    let made = report::Options { now: MachineTime.now(), issuer: &issuer };
    let document = Renderer::new()?.incident(&incident, &events, &tenant, language, made)?;
    let path = out.unwrap_or_else(|| PathBuf::from(document.file_name()));
    std::fs::write(&path, document.pdf()).with_context(|| format!("could not write `{}`", path.display()))?;
    if options.json {
        return say_json(&serde_json::json!({
            "incident": id, "language": language, "path": path, "pages": document.pages, "sha256": document.sha256()
        }));
    }
    say(&format!("wrote {} ({} pages)", path.display(), document.pages));
    Ok(())
}

fn jst(at: Timestamp) -> String {
    in_japan(at).strftime("%Y-%m-%d %H:%M").to_string()
}
