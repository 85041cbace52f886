//! Lists, vulnerability feeds and rules: where they are, how they come in, and one look-up explained.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use domain::source::TimeSource as _;
use engine::investigator::Knowledge;
use intel::file::{Draft, Feed, IntelFile};
use intel::sources::Sources;
use intel::vuln;
use outbound::Outbound;
use serde::Deserialize;
use serde_json::json;

use crate::output::{say, say_json};
use crate::source::MachineTime;

/// Where the files are. Without them an investigation names the gap and goes on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intelligence {
    /// What `yagura intel import` writes.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Folders of Sigma rules, or `.tar.gz` of them.
    #[serde(default)]
    pub rules: Vec<PathBuf>,
    /// The version of ATT&CK that the rules' technique ids are read in.
    #[serde(default = "attack_version")]
    pub attack_version: String,
}

pub(crate) fn attack_version() -> String {
    "18.1".to_owned()
}

impl Intelligence {
    /// Paths in a configuration file are relative to where it stands.
    pub(crate) fn within(self, folder: &Path) -> Self {
        let place = |path: PathBuf| folder.join(path);
        Self { file: self.file.map(place), rules: self.rules.into_iter().map(place).collect(), ..self }
    }

    /// Opens and loads all of it.
    pub(crate) fn knowledge(
        &self,
        sources: Option<intel::sources::Settings>,
        tenants: usize,
    ) -> anyhow::Result<Knowledge> {
        let mut knowledge = Knowledge::default();
        if let Some(path) = &self.file {
            let named = || format!("the intelligence file `{}`", path.display());
            let file = IntelFile::open(path).with_context(named)?;
            knowledge.lists = Some(Arc::new(intel::ioc::Lists::load(&file).with_context(named)?));
            knowledge.vulnerabilities = Some(Arc::new(vuln::Database::open(&file).with_context(named)?));
        }
        if !self.rules.is_empty() {
            let paths: Vec<&Path> = self.rules.iter().map(PathBuf::as_path).collect();
            let rules = detect::Rules::load_all(&paths, &self.attack_version).context("the detection rules")?;
            for refused in rules.refused() {
                tracing::warn!(
                    file = refused.file.short(200),
                    why = refused.why.short(300),
                    "a detection rule is not used"
                );
            }
            knowledge.rules = Some(Arc::new(rules));
        }
        if let Some(settings) = sources {
            let door = Outbound::new(&outbound::Settings::new(settings.allowed()))?;
            knowledge.sources = Some(Sources::new(door, settings, tenants));
        }
        Ok(knowledge)
    }
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  yagura intel import --format kev known_exploited_vulnerabilities.json
  yagura intel import --format cve-5 cves/ --file /var/lib/yagura/intel.redb
  yagura intel import --format iocs c2.txt --name 'partner C2' --json";

const LOOKUP_EXAMPLES: &str = "\
Examples:
  yagura intel lookup CVE-2023-38831
  yagura intel lookup 'hxxp[://]evil[.]example/a' --json";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Takes one feed into the file, all of it or nothing; a feed of the same name is replaced
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        path: PathBuf,
        /// What it is
        #[arg(long, value_enum)]
        format: Format,
        /// What people call it; by default the file's name
        #[arg(long)]
        name: Option<String>,
        /// The intelligence file
        #[arg(long, default_value = "intel.redb")]
        file: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Which feeds the file holds, and how old they are
    Feeds {
        #[arg(long, default_value = "intel.redb")]
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// What is known of one CVE or one indicator
    #[command(after_help = LOOKUP_EXAMPLES)]
    Lookup {
        value: String,
        #[arg(long, default_value = "intel.redb")]
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// CVE records of schema 5: a file, a folder, one a line, or a .zip
    #[value(name = "cve-5")]
    Cve5,
    /// CISA's known exploited vulnerabilities
    Kev,
    /// FIRST's EPSS, as CSV or .gz
    Epss,
    /// endoflife.date products, one JSON a line
    Endoflife,
    /// purl2cpe pairs as CSV
    Purl2cpe,
    /// wesng's definitions of Microsoft updates
    Wesng,
    /// A list of indicators, of any form that is recognised by its content
    Iocs,
    /// A warning list: common and harmless things
    Warnings,
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Import { path, format, name, file, json } => import(&path, format, name, &file, json),
            Self::Feeds { file, json } => feeds(&file, json),
            Self::Lookup { value, file, json } => lookup(&value, &file, json),
        }
    }
}

fn import(path: &Path, format: Format, name: Option<String>, file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let called = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let name = name.or(called).context("give the feed a name with `--name`")?;
    let draft = Draft::of(file).with_context(|| format!("could not write `{}`", file.display()))?;
    let feed = take(&draft, &name, format, path).with_context(|| format!("could not import `{}`", path.display()))?;
    draft.publish()?;
    if json {
        say_json(&shown(&feed))?;
    } else {
        for refused in &feed.refused_lines {
            say(&format!("line {}: {}", refused.line, refused.why));
        }
        say(&format!("{name}: {} records, {} refused", feed.records, feed.refused));
    }
    // A feed of which nothing could be read was not imported, whatever else is true.
    Ok(if feed.records == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One feed into a draft.
pub(crate) fn take(draft: &Draft, name: &str, format: Format, path: &Path) -> anyhow::Result<Feed> {
    let now = MachineTime.now();
    let of_cves = |format| vuln::import(draft, name, format, path, now);
    Ok(match format {
        Format::Cve5 => of_cves(vuln::Format::CveRecords)?,
        Format::Kev => of_cves(vuln::Format::Kev)?,
        Format::Epss => of_cves(vuln::Format::Epss)?,
        Format::Endoflife => of_cves(vuln::Format::EndOfLife)?,
        Format::Purl2cpe => of_cves(vuln::Format::Packages)?,
        Format::Wesng => of_cves(vuln::Format::MicrosoftUpdates)?,
        Format::Iocs => intel::ioc::import(draft, name, intel::ioc::Format::recognise(path)?, path, now)?,
        Format::Warnings => intel::ioc::import(draft, name, intel::ioc::Format::MispWarnings, path, now)?,
    })
}

fn shown(feed: &Feed) -> serde_json::Value {
    json!({
        "name": feed.about.name, "format": feed.about.format, "records": feed.records, "refused": feed.refused,
        "source_date": feed.about.source_date, "imported_at": feed.imported_at,
    })
}

fn feeds(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let feeds = IntelFile::open(file).with_context(|| format!("`{}`", file.display()))?.feeds()?;
    if json {
        say_json(&json!({"feeds": feeds.iter().map(shown).collect::<Vec<_>>()}))?;
    } else {
        for feed in feeds {
            let dated = feed.about.source_date.map_or("no date".to_owned(), |at| at.to_string());
            say(&format!("{:<32} {:>9} records, of {dated}", feed.about.name, feed.records));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lookup(value: &str, file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let opened = IntelFile::open(file).with_context(|| format!("`{}`", file.display()))?;
    let value = value.trim();
    if domain::vulnerability::is_cve(value) {
        let found = vuln::Database::open(&opened)?.lookup_explained(value)?;
        let text = serde_json::to_string_pretty(&found)?;
        if json {
            say_json(&json!({"found": found}))?;
        } else {
            say(if found.is_some() {
                &text
            } else {
                "not in any feed that was imported, which does not mean that it does not apply"
            });
        }
        return Ok(ExitCode::SUCCESS);
    }
    let ioc = domain::ioc::Ioc::parse(value)
        .with_context(|| format!("`{}` is neither a CVE id nor an indicator", value.escape_default()))?;
    let hits = intel::ioc::Lists::load(&opened)?.look_up(&ioc)?;
    if json {
        say_json(&json!({"kind": ioc.kind().name(), "defanged": ioc.defanged(), "hits": hits}))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{} {}", ioc.kind().name(), ioc.defanged()));
    for hit in &hits {
        let label = hit.label.as_ref().map(|label| label.short(80)).unwrap_or_default();
        let what = if hit.warning { "common or harmless, by" } else { "on" };
        say(&format!("  {what} {} ({:?}) {label}", hit.list, hit.basis));
    }
    if hits.is_empty() {
        say("  on no list, which does not mean that it is clean");
    }
    Ok(ExitCode::SUCCESS)
}
