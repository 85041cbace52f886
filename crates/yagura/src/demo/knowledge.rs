//! What the demo knows beyond its endpoints: a few feeds, imported as any others, and a reputation service of its own.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use domain::source::TimeSource as _;
use intel::file::Draft;
use intel::sources::{Quota, Settings, VirusTotalSettings};
use outbound::{Allowed, Secret};
use sinks::virustotal::{self, Entry, Object};
use sinks::{Now, VirusTotalSink};

use super::loopback;
use crate::intelligence::{self, Format, Intelligence};
use crate::source::MachineTime;

const KEY: &str = "demo-only";
const FEEDS: [(&str, Format, &str); 3] = [
    ("cve.jsonl", Format::Cve5, include_str!("knowledge/cve.jsonl")),
    ("kev.json", Format::Kev, include_str!("knowledge/kev.json")),
    ("c2.txt", Format::Iocs, include_str!("knowledge/c2.txt")),
];
const RULES: [(&str, &str); 4] = [
    ("shadow_copies_deleted.yml", include_str!("knowledge/rules/shadow_copies_deleted.yml")),
    ("encoded_powershell.yml", include_str!("knowledge/rules/encoded_powershell.yml")),
    ("office_starts_shell.yml", include_str!("knowledge/rules/office_starts_shell.yml")),
    ("run_key.yml", include_str!("knowledge/rules/run_key.yml")),
];
/// Domains of the demo's attackers, and how many engines know them.
const KNOWN_BAD: [(&str, u32); 3] =
    [("keys.gate-relay.example", 11), ("files.parcel-notice.example", 7), ("cdn.sys-assist.example", 19)];

/// Imports the demo's feeds into a file of its own.
pub(super) fn prepare(folder: &Path) -> anyhow::Result<Intelligence> {
    let file = folder.join("intel.redb");
    let draft = Draft::of(&file).context("could not make the demo's intelligence file")?;
    for (name, format, text) in FEEDS {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("could not write `{}`", path.display()))?;
        intelligence::take(&draft, name, format, &path)?;
    }
    draft.publish()?;
    let rules = folder.join("rules");
    fs::create_dir(&rules).context("could not make the demo's folder of rules")?;
    for (name, text) in RULES {
        fs::write(rules.join(name), text).context("could not write the demo's rules")?;
    }
    Ok(Intelligence { file: Some(file), rules: vec![rules], attack_version: intelligence::attack_version() })
}

/// A reputation service on this machine.
pub(super) fn virustotal() -> anyhow::Result<VirusTotalSink> {
    let catalogue = KNOWN_BAD
        .iter()
        .map(|(domain, engines)| Entry::of(Object::Domain((*domain).to_owned())).bad(*engines, "trojan.demo"))
        .collect();
    let now = Now::new(|| MachineTime.now());
    VirusTotalSink::start(virustotal::Options { http: loopback(0), key: KEY.into(), quota: None, catalogue, now })
        .context("could not start the reputation service")
}

pub(super) fn sources(service: &VirusTotalSink) -> anyhow::Result<Settings> {
    let virustotal = VirusTotalSettings {
        key: Secret::new(KEY),
        quota: Quota { per_minute: 600, per_day: 100_000 },
        at: Allowed::public(service.url().parse()?),
    };
    Ok(Settings { virustotal: Some(virustotal), ..Settings::default() })
}
