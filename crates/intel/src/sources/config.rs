//! Which sources may be asked, with which key and at which pace: as the configuration file says it, and as it is used.
//!
//! Keys stand in files of their own (SEC-13); whoever reads the configuration hands in how a file is read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outbound::{Allowed, Origin, Secret};
use serde::Deserialize;

use super::budget::Quota;
use super::cache::Ages;

/// `[sources]` of the configuration file. A source that has no section is not asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcesConfig {
    #[serde(default)]
    pub virustotal: Option<VirusTotalConfig>,
    #[serde(default)]
    pub web_search: Option<WebSearchConfig>,
    /// How long a known indicator's answer may stand for a new question.
    #[serde(default = "known_max_age")]
    pub known_max_age_min: u64,
    /// The same for an indicator that the source did not know.
    #[serde(default = "not_known_max_age")]
    pub not_known_max_age_min: u64,
}

/// `[sources.virustotal]`. The quota is the public key's unless said otherwise; VirusTotal does not permit the public key in a
/// commercial service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirusTotalConfig {
    pub key_file: PathBuf,
    #[serde(default = "VirusTotalConfig::usual_per_minute")]
    pub per_minute: u32,
    #[serde(default = "VirusTotalConfig::usual_per_day")]
    pub per_day: u32,
    /// Only for a far side of one's own.
    #[serde(default)]
    pub origin: Option<String>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// `[sources.web_search]`: a Programmable Search Engine that searches the whole web.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSearchConfig {
    pub key_file: PathBuf,
    /// The engine's id, `cx`.
    pub engine: String,
    #[serde(default = "WebSearchConfig::usual_per_minute")]
    pub per_minute: u32,
    #[serde(default = "WebSearchConfig::usual_per_day")]
    pub per_day: u32,
    #[serde(default)]
    pub origin: Option<String>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// Everything that asking needs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub virustotal: Option<VirusTotalSettings>,
    pub web_search: Option<WebSearchSettings>,
    pub ages: Ages,
}

#[derive(Debug, Clone)]
pub struct VirusTotalSettings {
    pub key: Secret,
    pub quota: Quota,
    pub at: Allowed,
}

#[derive(Debug, Clone)]
pub struct WebSearchSettings {
    pub key: Secret,
    pub engine: String,
    pub quota: Quota,
    pub at: Allowed,
}

/// A section that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("sources: {section}: {why}")]
pub struct InvalidSources {
    section: &'static str,
    why: String,
}

const VIRUSTOTAL: &str = "https://www.virustotal.com";
const GOOGLE: &str = "https://www.googleapis.com";
/// Beyond these a number is a slip of the pen.
const MOST_PER_MINUTE: u32 = 60_000;
const MOST_PER_DAY: u32 = 10_000_000;
const LONGEST_AGE_MIN: u64 = 30 * 24 * 60;

impl SourcesConfig {
    /// Reads the files that the sections name, with `read`, and checks the rest.
    pub fn settings<E: fmt::Display>(
        &self,
        mut read: impl FnMut(&Path) -> Result<String, E>,
    ) -> Result<Settings, InvalidSources> {
        let virustotal = self.virustotal.as_ref().map(|config| {
            let section = Section { name: "virustotal", usual_origin: VIRUSTOTAL };
            Ok(VirusTotalSettings {
                key: section.key(&config.key_file, &mut read)?,
                quota: section.quota(config.per_minute, config.per_day)?,
                at: section.allowed(config.origin.as_deref(), config.ca_file.as_deref(), &mut read)?,
            })
        });
        let web_search = self.web_search.as_ref().map(|config| {
            let section = Section { name: "web_search", usual_origin: GOOGLE };
            Ok(WebSearchSettings {
                key: section.key(&config.key_file, &mut read)?,
                engine: section.engine(&config.engine)?,
                quota: section.quota(config.per_minute, config.per_day)?,
                at: section.allowed(config.origin.as_deref(), config.ca_file.as_deref(), &mut read)?,
            })
        });
        let age = |minutes: u64| Duration::from_secs(minutes.min(LONGEST_AGE_MIN) * 60);
        Ok(Settings {
            virustotal: virustotal.transpose()?,
            web_search: web_search.transpose()?,
            ages: Ages { known: age(self.known_max_age_min), not_known: age(self.not_known_max_age_min) },
        })
    }
}

impl Default for SourcesConfig {
    fn default() -> Self {
        Self {
            virustotal: None,
            web_search: None,
            known_max_age_min: known_max_age(),
            not_known_max_age_min: not_known_max_age(),
        }
    }
}

impl Settings {
    /// What the door must let through.
    pub fn allowed(&self) -> Vec<Allowed> {
        let virustotal = self.virustotal.iter().map(|s| s.at.clone());
        virustotal.chain(self.web_search.iter().map(|s| s.at.clone())).collect()
    }
}

struct Section {
    name: &'static str,
    usual_origin: &'static str,
}

impl Section {
    fn key<E: fmt::Display>(
        &self,
        file: &Path,
        read: &mut impl FnMut(&Path) -> Result<String, E>,
    ) -> Result<Secret, InvalidSources> {
        let key = Secret::new(&read(file).map_err(|error| self.invalid(&error))?);
        let is_usable = key.expose().bytes().all(|b| b.is_ascii_graphic());
        if key.is_empty() || !is_usable {
            return Err(self.invalid(&format_args!("`{}` holds no key", file.display())));
        }
        Ok(key)
    }

    fn quota(&self, per_minute: u32, per_day: u32) -> Result<Quota, InvalidSources> {
        if !(1..=MOST_PER_MINUTE).contains(&per_minute) || !(1..=MOST_PER_DAY).contains(&per_day) {
            let why = format_args!("`per_minute` is 1 to {MOST_PER_MINUTE}, `per_day` 1 to {MOST_PER_DAY}");
            return Err(self.invalid(&why));
        }
        Ok(Quota { per_minute, per_day })
    }

    fn engine(&self, engine: &str) -> Result<String, InvalidSources> {
        let is_usable = (1..=128).contains(&engine.len()) && engine.bytes().all(|b| b.is_ascii_graphic());
        if is_usable { Ok(engine.to_owned()) } else { Err(self.invalid(&"`engine` is not a search engine id")) }
    }

    fn allowed<E: fmt::Display>(
        &self,
        origin: Option<&str>,
        ca_file: Option<&Path>,
        read: &mut impl FnMut(&Path) -> Result<String, E>,
    ) -> Result<Allowed, InvalidSources> {
        let origin: Origin = origin
            .unwrap_or(self.usual_origin)
            .parse()
            .map_err(|error| self.invalid(&format_args!("origin: {error}")))?;
        let roots = ca_file.map(|file| read(file).map_err(|error| self.invalid(&error))).transpose()?;
        Ok(Allowed::with_roots(origin, roots.into_iter().collect()))
    }

    fn invalid(&self, why: &dyn fmt::Display) -> InvalidSources {
        InvalidSources { section: self.name, why: why.to_string() }
    }
}

impl VirusTotalConfig {
    fn usual_per_minute() -> u32 {
        4
    }

    fn usual_per_day() -> u32 {
        500
    }
}

impl WebSearchConfig {
    fn usual_per_minute() -> u32 {
        10
    }

    /// What Google gives without charge.
    fn usual_per_day() -> u32 {
        100
    }
}

fn known_max_age() -> u64 {
    24 * 60
}

fn not_known_max_age() -> u64 {
    60
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str, key: &str) -> Result<Settings, InvalidSources> {
        let config: SourcesConfig = serde_json::from_str(json).unwrap();
        config.settings(|_| Ok::<_, String>(key.to_owned()))
    }

    #[test]
    fn a_section_needs_little_and_goes_to_the_sources_own_host() {
        let read = settings(r#"{"virustotal":{"key_file":"k"},"web_search":{"key_file":"k","engine":"0:a"}}"#, " k\n")
            .unwrap();
        let hosts: Vec<String> = read.allowed().iter().map(|a| a.origin.to_string()).collect();
        assert_eq!(hosts, [VIRUSTOTAL, GOOGLE]);
        assert_eq!(read.virustotal.unwrap().quota, Quota { per_minute: 4, per_day: 500 });
        assert!(settings("{}", "").unwrap().allowed().is_empty());
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start_and_names_its_section() {
        for (json, key) in [
            (r#"{"virustotal":{"key_file":"k"}}"#, " \n"),
            (r#"{"virustotal":{"key_file":"k"}}"#, "two\nlines"),
            (r#"{"virustotal":{"key_file":"k","per_minute":0}}"#, "k"),
            (r#"{"virustotal":{"key_file":"k","origin":"http://evil.example"}}"#, "k"),
        ] {
            let error = settings(json, key).unwrap_err().to_string();
            assert!(error.starts_with("sources: virustotal: ") && !error.contains("two"), "{error}");
        }
        assert!(settings(r#"{"web_search":{"key_file":"k","engine":"a b"}}"#, "k").is_err());
        assert!(serde_json::from_str::<SourcesConfig>(r#"{"virustotal":{"key":"secret"}}"#).is_err());
    }
}
