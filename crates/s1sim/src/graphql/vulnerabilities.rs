//! Vulnerability findings: one per endpoint and known vulnerability of the software on it.

use serde_json::{Value, json};

use super::Root;
use super::findings::{self, Kind};
use crate::world::Agent;
use crate::world::software::{self, Known};

pub(super) const SDL: &str = include_str!("vulnerabilities.graphql");

pub(super) const ROOTS: &[(&str, Root)] = &[
    ("vulnerability", |ask| findings::get::<Vulnerability>(ask)),
    ("vulnerabilities", |ask| findings::list::<Vulnerability>(ask, |_| true)),
    ("vulnerabilityNotes", |ask| findings::notes::<Vulnerability>(ask)),
    ("vulnerabilityHistory", |ask| findings::history::<Vulnerability>(ask)),
];

struct Vulnerability;

impl Kind for Vulnerability {
    const NAME: &'static str = "vulnerability";
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("cveId", "/cve/id"),
        // A range such as `0.75-1.0`, which is how this field is filtered.
        ("cveEpssScore", "/epssRange"),
        ("cveNvdBaseScore", "/cve/nvdBaseScore"),
        ("cveExploitMaturity", "/cve/exploitMaturity"),
        ("cveExploitedInTheWild", "/cve/exploitedInTheWild"),
        ("cveKevAvailable", "/cve/kevAvailable"),
        ("softwareName", "/software/name"),
        ("softwareType", "/software/type"),
        ("softwareVersion", "/software/version"),
        ("softwareVendor", "/software/vendor"),
        ("softwareFixVersionAvailable", "/fixAvailable"),
        ("remediationInsightsAvailable", "/remediationInsightsAvailable"),
    ];

    fn on(agent: &Agent) -> Vec<Value> {
        software::of(agent).map(write).collect()
    }
}

fn write(known: &Known) -> Value {
    let severity = match known.score {
        score if score >= 9.0 => "CRITICAL",
        score if score >= 7.0 => "HIGH",
        score if score >= 4.0 => "MEDIUM",
        _ => "LOW",
    };
    let range = match known.epss.0 {
        share if share < 0.35 => "0.0-0.35",
        share if share < 0.5 => "0.35-0.5",
        share if share < 0.75 => "0.5-0.75",
        _ => "0.75-1.0",
    };
    let maturity = match (known.exploited, known.epss.0 > 0.5) {
        (true, true) => "HIGH",
        (true, false) => "FUNCTIONAL",
        (false, true) => "PROOF_OF_CONCEPT",
        (false, false) => "UNPROVEN",
    };
    // Exploitation weighs more than a tenth of the base score, up to the scale's end.
    let risk = if known.exploited { (known.score + 1.0).min(10.0) } else { known.score };
    let mut indicators = Vec::new();
    if known.kev {
        indicators
            .push(json!({"severity": "CRITICAL", "values": ["In the catalogue of known exploited vulnerabilities"]}));
    }
    if known.epss.0 >= 0.5 {
        indicators.push(json!({"severity": "HIGH", "values": ["More likely than not to be exploited within 30 days"]}));
    }
    json!({
        "externalId": format!("{} {}", known.cve, known.product), "name": format!("{}: {}", known.cve, known.title),
        "severity": severity, "product": known.product, "vendor": known.vendor, "epssRange": range, "fixAvailable": true,
        "cve": {
            "id": known.cve, "description": known.title, "nvdBaseScore": known.score, "riskScore": risk, "score": risk,
            "publishedDate": known.published, "epssScore": known.epss.0, "epssPercentile": known.epss.1,
            "epssLastUpdatedDate": "2026-11-01", "exploitMaturity": maturity, "exploitedInTheWild": known.exploited,
            "kevAvailable": known.kev, "remediationLevel": "OFFICIAL_FIX", "reportConfidence": "CONFIRMED",
            "s1BaseValues": base_values(known.vector), "riskIndicators": indicators,
            "mitreReferenceUrl": format!("https://www.cve.org/CVERecord?id={}", known.cve),
            "nvdReferenceUrl": format!("https://nvd.nist.gov/vuln/detail/{}", known.cve),
            "timeline": [{"date": known.published, "key": "PUBLISHED"}],
        },
        "software": {
            "name": known.product, "version": known.version, "fixVersion": known.fixed, "vendor": known.vendor,
            "type": if known.os { "OS" } else { "APP" },
        },
        "findingData": {"context": {"installedVersion": known.version, "fixedIn": known.fixed}},
        "paidScope": true, "remediationInsightsAvailable": true,
    })
}

/// The metrics of a CVSS vector by their long names.
fn base_values(vector: &str) -> Value {
    let metric = |wanted: &str| {
        let value = vector.split('/').find_map(|part| part.strip_prefix(wanted)?.strip_prefix(':'))?;
        Some(match (wanted, value) {
            ("AV", "N") => "NETWORK",
            ("AV", "A") => "ADJACENT",
            ("AV", "L") => "LOCAL",
            ("AV", _) => "PHYSICAL",
            ("UI", "R") => "REQUIRED",
            ("S", "U") => "UNCHANGED",
            ("S", _) => "CHANGED",
            (_, "H") => "HIGH",
            (_, "L") => "LOW",
            _ => "NONE",
        })
    };
    json!({
        "attackVector": metric("AV"), "attackComplexity": metric("AC"), "privilegesRequired": metric("PR"),
        "userInteractions": metric("UI"), "scope": metric("S"), "confidentiality": metric("C"), "integrity": metric("I"),
        "availability": metric("A"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_told_apart_by_metric() {
        let values = base_values("AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:L/A:N");
        let expected = json!({
            "attackVector": "NETWORK", "attackComplexity": "LOW", "privilegesRequired": "NONE", "userInteractions": "REQUIRED",
            "scope": "CHANGED", "confidentiality": "HIGH", "integrity": "LOW", "availability": "NONE",
        });
        assert_eq!(values, expected);
    }
}
