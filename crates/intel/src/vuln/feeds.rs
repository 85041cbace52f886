//! The small feeds beside the records: what is being exploited (KEV), how likely that is (EPSS), until when a product is
//! maintained (endoflife.date), and which package is which product (purl2cpe).

use std::collections::BTreeMap;

use domain::version::Version;
use domain::vulnerability::{Epss, Kev, is_cve};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Reads CISA's catalogue. A bad entry is reported by its place, the rest are kept.
pub(crate) fn kev(text: &[u8]) -> Result<Catalogue, String> {
    let wire: WireCatalogue = serde_json::from_slice(text).map_err(|e| format!("not a KEV catalogue: {e}"))?;
    let entries = wire.vulnerabilities.into_iter().map(|entry| {
        let entry: WireKev = serde_json::from_value(entry).map_err(|e| e.to_string())?;
        if !is_cve(&entry.cve) {
            return Err(format!("`{}` is not a CVE number", entry.cve.escape_default()));
        }
        let ransomware = entry.ransomware.as_deref() == Some("Known");
        Ok((entry.cve, Kev { added: entry.added, due: entry.due, ransomware }))
    });
    Ok(Catalogue { released: wire.released.as_deref().and_then(super::cve::day), entries: entries.collect() })
}

pub(crate) struct Catalogue {
    pub(crate) released: Option<Date>,
    pub(crate) entries: Vec<Result<(String, Kev), String>>,
}

/// One line of FIRST's EPSS file; `Ok(None)` for its comment and its heading.
pub(crate) fn epss(line: &str) -> Result<Option<(String, Epss)>, String> {
    if line.starts_with('#') || line.starts_with("cve,") || line.trim().is_empty() {
        return Ok(None);
    }
    let mut fields = line.trim().split(',');
    let cve = fields.next().unwrap_or_default();
    let mut share = || fields.next()?.parse::<f64>().ok().filter(|x| (0.0..=1.0).contains(x));
    match (is_cve(cve), share(), share()) {
        (true, Some(probability), Some(percentile)) => Ok(Some((cve.to_owned(), Epss { probability, percentile }))),
        _ => Err(format!(
            "not `CVE,probability,percentile`: `{}`",
            line.chars().take(60).collect::<String>().escape_default()
        )),
    }
}

/// The day in EPSS's first line: `#model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000`.
pub(crate) fn epss_day(line: &str) -> Option<Date> {
    super::cve::day(line.strip_prefix('#')?.split_once("score_date:")?.1)
}

/// A product's lines of releases, as endoflife.date keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lifecycle {
    /// Vendor and product of its CPE names.
    pub(crate) names: Vec<(String, String)>,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) ends: Option<Date>,
    pub(crate) latest: Option<String>,
    pub(crate) latest_on: Option<Date>,
}

pub(crate) fn lifecycle(text: &[u8]) -> Result<Lifecycle, String> {
    let wire: WireProduct =
        serde_json::from_slice(text).map_err(|e| format!("not a product of endoflife.date: {e}"))?;
    let names = wire.identifiers.iter().filter_map(|id| cpe_names(id.get("cpe")?)).collect();
    let lines = wire.releases.into_iter().map(|release| Line {
        name: match release.cycle {
            Value::String(name) => name,
            other => other.to_string(),
        },
        ends: release.eol.as_ref().and_then(Value::as_str).and_then(|text| text.parse().ok()),
        latest: release.latest.and_then(|v| v.as_str().map(str::to_owned)),
        latest_on: release.latest_on.and_then(|text| text.parse().ok()),
    });
    Ok(Lifecycle { names, lines: lines.collect() })
}

impl Lifecycle {
    /// The line that a version belongs to: the one whose numbers it begins with, the most exact if there are several.
    pub(crate) fn line_of(&self, version: &str) -> Option<&Line> {
        Version::parse(version)?;
        let begins = |line: &str| {
            version == line
                || version.strip_prefix(line).is_some_and(|rest| rest.starts_with(|c: char| !c.is_ascii_digit()))
        };
        let numbers = |line: &&Line| line.name.starts_with(|c: char| c.is_ascii_digit());
        self.lines.iter().filter(numbers).filter(|line| begins(&line.name)).max_by_key(|line| line.name.len())
    }
}

/// Vendor and product of a CPE name of either form.
pub(crate) fn cpe_names(cpe: &str) -> Option<(String, String)> {
    let rest = cpe.strip_prefix("cpe:2.3:").or_else(|| cpe.strip_prefix("cpe:/"))?;
    let mut fields = rest.split(':').skip(1);
    Some((fields.next()?.to_owned(), fields.next().filter(|p| !p.is_empty())?.to_owned()))
}

/// `pkg:deb/debian/openssl,a:openssl:openssl`: the package's own name, vendor and product.
pub(crate) fn package(line: &str) -> Option<(String, String, String)> {
    let (purl, cpe) = line.trim().split_once(',')?;
    let kind = purl.strip_prefix("pkg:")?.split('/').next()?.to_lowercase();
    // Names on hosting sites repeat without being the same thing.
    if !matches!(
        kind.as_str(),
        "deb" | "rpm" | "apk" | "npm" | "pypi" | "gem" | "maven" | "nuget" | "cargo" | "composer" | "golang"
    ) {
        return None;
    }
    let name = purl.rsplit('/').next()?.split(['@', '?', '#']).next()?;
    let mut fields = cpe.split(':').skip(1);
    Some((name.to_lowercase(), fields.next()?.to_owned(), fields.next()?.to_owned()))
}

#[derive(Deserialize)]
struct WireCatalogue {
    #[serde(rename = "dateReleased")]
    released: Option<String>,
    vulnerabilities: Vec<Value>,
}

#[derive(Deserialize)]
struct WireKev {
    #[serde(rename = "cveID")]
    cve: String,
    #[serde(rename = "dateAdded")]
    added: Date,
    #[serde(rename = "dueDate")]
    due: Option<Date>,
    #[serde(rename = "knownRansomwareCampaignUse")]
    ransomware: Option<String>,
}

#[derive(Deserialize)]
struct WireProduct {
    #[serde(default)]
    identifiers: Vec<BTreeMap<String, String>>,
    releases: Vec<WireRelease>,
}

#[derive(Deserialize)]
struct WireRelease {
    #[serde(rename = "releaseCycle")]
    cycle: Value,
    eol: Option<Value>,
    latest: Option<Value>,
    #[serde(rename = "latestReleaseDate")]
    latest_on: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_bad_entry_of_the_catalogue_does_not_lose_the_others() {
        let text = r#"{"dateReleased":"2025-08-25T17:04:19.9Z","vulnerabilities":[
            {"cveID":"nonsense","dateAdded":"2025-08-25"},
            {"cveID":"CVE-2025-48384","dateAdded":"2025-08-25","dueDate":"2025-09-15","knownRansomwareCampaignUse":"Known"}]}"#;
        let found = kev(text.as_bytes()).unwrap();
        assert_eq!(found.released, Some(date(2025, 8, 25)));
        assert!(found.entries[0].as_ref().unwrap_err().contains("nonsense"));
        let due = Some(date(2025, 9, 15));
        assert_eq!(found.entries[1].as_ref().unwrap().1, Kev { added: date(2025, 8, 25), due, ransomware: true });
    }

    #[test]
    fn an_epss_line_is_read_or_refused() {
        let first = "#model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000";
        assert_eq!(epss_day(first), Some(date(2025, 8, 25)));
        assert_eq!(epss(first), Ok(None));
        let read = epss("CVE-2024-3094,0.84,0.99").unwrap().unwrap();
        assert_eq!(read.1, Epss { probability: 0.84, percentile: 0.99 });
        assert!(epss("CVE-2024-3094,8.4,0.99").is_err() && epss("x").is_err());
    }

    #[test]
    fn a_version_belongs_to_the_most_exact_line() {
        let text = r#"{"identifiers":[{"cpe":"cpe:2.3:a:m:thing"}],"releases":[{"releaseCycle":"3.1","eol":"2024-01-02"},
            {"releaseCycle":"3","eol":false},{"releaseCycle":"31","eol":"2020-01-01"}]}"#;
        let thing = lifecycle(text.as_bytes()).unwrap();
        assert_eq!(thing.names, [("m".to_owned(), "thing".to_owned())]);
        assert_eq!(thing.line_of("3.1.7").unwrap().ends, Some(date(2024, 1, 2)));
        assert_eq!(thing.line_of("3.2").unwrap().name, "3");
        assert_eq!(thing.line_of("4.0"), None);
    }
}
