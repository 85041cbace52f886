//! Who may sign in, from a terminal: adding somebody of the SOC or of a customer, and a link with which they sign in.

use anyhow::bail;
use domain::source::TimeSource as _;
use domain::{Language, PersonId, TenantId};
use jiff::SignedDuration;
use store::{AccountRole, Person, Scope};

use crate::cli::StoreOptions;
use crate::config::Config;
use crate::incident::Opened;
use crate::output::{say, say_json};
use crate::source::{MachineEntropy, MachineTime};

/// How long a printed link can be used, once.
const LINK_HOURS: i64 = 24;

/// Somebody to add.
#[derive(Debug)]
pub(crate) struct New {
    pub id: PersonId,
    pub name: String,
    pub role: AccountRole,
    pub tenants: Vec<TenantId>,
    pub language: Language,
}

/// Adds or changes a person and prints a link that signs them in once. There is no default account (SEC-75).
pub(crate) async fn add(options: &StoreOptions, new: New) -> anyhow::Result<()> {
    let scope = scope(&new)?;
    let opened = Opened::at(options).await?;
    let known = opened.store.person(&new.id).await?;
    let person = Person {
        id: new.id.clone(),
        name: new.name,
        role: new.role,
        scope,
        language: new.language,
        password: known.map(|p| p.password).unwrap_or_default(),
        disabled: false,
    };
    opened.store.save_person(&person).await?;
    let (token, hash) = console::link_token(&MachineEntropy);
    let expires_at = MachineTime.now() + SignedDuration::from_hours(LINK_HOURS);
    opened.store.save_link(&hash, &new.id, expires_at).await?;
    opened.store.close().await;
    let origin = match &options.config {
        Some(path) => Config::read(path)?.console.public_origin,
        None => String::new(),
    };
    let link = format!("{}/sign-in/link/{token}", origin.trim_end_matches('/'));
    if options.json {
        return say_json(&serde_json::json!({"person": new.id, "link": link, "expires_at": expires_at}));
    }
    say(&format!("`{}` can sign in once within {LINK_HOURS} hours: {link}", new.id));
    Ok(())
}

/// Staff may work for several customers or for all. Who answers for a customer answers for that one alone.
fn scope(new: &New) -> anyhow::Result<Scope> {
    match (new.role, new.tenants.len()) {
        (AccountRole::Customer, 1) => {}
        (AccountRole::Customer, n) => bail!(
            "`{}` would answer for {n} customers: the role customer takes exactly one `--tenant`; \
             make an account for each customer",
            new.id
        ),
        (_, 0) => return Ok(Scope::All),
        _ => {}
    }
    Ok(Scope::Only(new.tenants.clone()))
}

/// Shuts somebody out: their sessions end at once (SEC-08).
pub(crate) async fn disable(options: &StoreOptions, id: &PersonId) -> anyhow::Result<()> {
    let opened = Opened::at(options).await?;
    let Some(person) = opened.store.person(id).await? else { bail!("`{id}` has no account") };
    opened.store.save_person(&Person { disabled: true, ..person }).await?;
    opened.store.close().await;
    if options.json {
        return say_json(&serde_json::json!({"person": id, "disabled": true}));
    }
    say(&format!("`{id}` can no longer sign in, and has no session"));
    Ok(())
}
