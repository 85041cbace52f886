//! Reads CVE records of schema 5 (the CVE programme's own form), with what CISA's ADP container adds.

use domain::Untrusted;
use domain::version::Version;
use domain::vulnerability::{Source, is_cve};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::record::{Affected, Edge, Extent, PublishedScore, Record, Statement, Status};

/// More than any record has; what is beyond is a reason to refuse the record.
const MAX_STATEMENTS: usize = 20_000;

/// `Ok(None)`: a rejected or reserved number, which says nothing.
pub(crate) fn read(text: &[u8]) -> Result<Option<Record>, String> {
    let wire: Wire = serde_json::from_slice(text).map_err(|e| format!("not a CVE record: {e}"))?;
    let cve = wire.meta.cve;
    if !is_cve(&cve) {
        return Err(format!("`{}` is not a CVE number", cve.escape_default()));
    }
    if wire.meta.state.as_deref() != Some("PUBLISHED") {
        return Ok(None);
    }
    let cna = wire.containers.cna;
    let title = cna.title.clone().or_else(|| cna.descriptions.first().map(|d| d.value.clone()));
    let mut record = Record {
        cve,
        source: Source::Cve,
        id: None,
        published: wire.meta.published.as_deref().and_then(day),
        title: title.map(|t| Untrusted::new(&t.chars().take(200).collect::<String>())),
        scores: Vec::new(),
        workaround: !cna.workarounds.is_empty(),
        affected: Vec::new(),
    };
    for container in std::iter::once(cna).chain(wire.containers.adp) {
        let by = container.provider.name;
        record.scores.extend(container.metrics.iter().flat_map(|metric| scores(metric, &by)));
        record.affected.extend(container.affected.into_iter().map(|product| affected(product, &by)));
    }
    if record.affected.iter().map(|a| a.statements.len()).sum::<usize>() > MAX_STATEMENTS {
        return Err(format!("`{}` names more than {MAX_STATEMENTS} version ranges", record.cve));
    }
    record.scores.sort_by(|a, b| b.version.cmp(&a.version));
    Ok(Some(record))
}

/// The day of a time that may lack its zone.
pub(crate) fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

fn scores(metric: &Value, by: &str) -> Vec<PublishedScore> {
    ["cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"]
        .iter()
        .filter_map(|key| metric.get(key))
        .filter_map(|cvss| {
            Some(PublishedScore {
                version: cvss.get("version")?.as_str()?.to_owned(),
                vector: cvss.get("vectorString")?.as_str()?.to_owned(),
                score: cvss.get("baseScore")?.as_f64()?,
                by: Untrusted::new(by),
            })
        })
        .collect()
}

fn affected(wire: WireAffected, by: &str) -> Affected {
    let otherwise = status(wire.default_status.as_deref().unwrap_or_default());
    let mut statements: Vec<Statement> = wire.versions.iter().map(statement).collect();
    join_halves(&mut statements);
    let product = if wire.product.trim().is_empty() { wire.package_name } else { wire.product };
    Affected { vendor: wire.vendor, product, by: by.to_owned(), otherwise, statements, platforms: wire.platforms }
}

fn status(text: &str) -> Status {
    match text {
        "affected" => Status::Affected,
        "unaffected" => Status::Unaffected,
        _ => Status::Unknown,
    }
}

fn statement(wire: &WireVersion) -> Statement {
    let from = match wire.version.trim() {
        "" | "0" | "*" | "unspecified" | "n/a" | "-" => None,
        version => Edge::included(version),
    };
    let low = from.as_ref().is_none_or(|edge| Version::parse(&edge.version).is_some());
    let extent = match (&wire.less_than, &wire.less_than_or_equal) {
        _ if wire.version_type.as_deref() == Some("git") => Extent::Unreadable(wire.version.clone()),
        (None, None) if wire.version.trim() == "unspecified" => Extent::Unreadable("unspecified".to_owned()),
        (None, None) => Extent::read(&wire.version),
        (Some(below), _) | (None, Some(below)) => {
            let included = wire.less_than.is_none();
            let below = below.trim();
            match below {
                "*" => Extent::Span { from, to: None, worded: false },
                _ if low && (Version::parse(below).is_some() || below == "unspecified") => {
                    Extent::Span { from, to: Some(Edge { version: below.to_owned(), included }), worded: false }
                }
                _ => Extent::Unreadable(format!("{} .. {below}", wire.version).chars().take(200).collect()),
            }
        }
    };
    let changes = wire.changes.iter().map(|change| (change.at.clone(), status(&change.status))).collect();
    Statement { status: status(&wire.status), extent, changes }
}

/// Records converted from schema 4 say one range in two entries: from `8.6.0` to `unspecified`, then from `unspecified` to
/// `8.13.4`. Left apart, both halves would hold nearly everything.
fn join_halves(statements: &mut Vec<Statement>) {
    let mut at = 0;
    while at < statements.len() {
        let open = match &statements[at].extent {
            Extent::Span { from, to: Some(to), .. } if to.version == "unspecified" => from.clone(),
            _ => {
                at += 1;
                continue;
            }
        };
        let end = statements.get(at + 1).and_then(|next| match &next.extent {
            Extent::Span { from: None, to: Some(to), .. } if to.version != "unspecified" => Some(to.clone()),
            _ => None,
        });
        let rising = match (&open, &end) {
            (Some(open), Some(end)) => Version::parse(&open.version) < Version::parse(&end.version),
            _ => false,
        };
        if rising {
            statements[at].extent = Extent::Span { from: open, to: end, worded: false };
            statements.remove(at + 1);
        } else {
            statements[at].extent =
                Extent::Unreadable(format!("{} ..", open.map_or(String::new(), |edge| edge.version)));
        }
        at += 1;
    }
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "cveMetadata")]
    meta: WireMeta,
    containers: WireContainers,
}

#[derive(Deserialize)]
struct WireMeta {
    #[serde(rename = "cveId")]
    cve: String,
    state: Option<String>,
    #[serde(rename = "datePublished")]
    published: Option<String>,
}

#[derive(Deserialize)]
struct WireContainers {
    cna: WireContainer,
    #[serde(default)]
    adp: Vec<WireContainer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireContainer {
    title: Option<String>,
    #[serde(default)]
    descriptions: Vec<WireText>,
    #[serde(default)]
    affected: Vec<WireAffected>,
    #[serde(default)]
    metrics: Vec<Value>,
    #[serde(default)]
    workarounds: Vec<Value>,
    #[serde(rename = "providerMetadata")]
    provider: WireProvider,
}

#[derive(Deserialize)]
struct WireText {
    value: String,
}

#[derive(Deserialize)]
struct WireProvider {
    #[serde(rename = "shortName", default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAffected {
    #[serde(default)]
    vendor: String,
    #[serde(default)]
    product: String,
    #[serde(default)]
    package_name: String,
    default_status: Option<String>,
    #[serde(default)]
    versions: Vec<WireVersion>,
    #[serde(default)]
    platforms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVersion {
    version: String,
    status: String,
    version_type: Option<String>,
    less_than: Option<String>,
    less_than_or_equal: Option<String>,
    #[serde(default)]
    changes: Vec<WireChange>,
}

#[derive(Deserialize)]
struct WireChange {
    at: String,
    status: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vuln::record::Standing;

    fn record(versions: &str) -> Record {
        let text = format!(
            r#"{{"cveMetadata":{{"cveId":"CVE-2021-12345","state":"PUBLISHED","datePublished":"2021-02-03T00:00:00"}},
            "containers":{{"cna":{{"providerMetadata":{{"shortName":"maker"}},"title":"t",
            "affected":[{{"vendor":"Maker","product":"Thing","versions":{versions}}}]}}}}}}"#
        );
        read(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_range_told_in_two_halves_is_one_range() {
        let record = record(
            r#"[{"version":"unspecified","lessThan":"8.5.12","status":"affected"},
                {"version":"8.6.0","lessThan":"unspecified","status":"affected"},
                {"version":"unspecified","lessThan":"8.13.4","status":"affected"}]"#,
        );
        let standing = |v: &str| record.affected[0].judge(&Version::parse(v).unwrap()).standing;
        assert_eq!(standing("8.5.11"), Standing::Affected);
        assert_eq!(standing("8.5.12"), Standing::NotAffected);
        assert_eq!(standing("8.13.3"), Standing::Affected);
        assert_eq!(standing("9.0"), Standing::NotAffected);
        assert_eq!(record.published, Some(jiff::civil::date(2021, 2, 3)));
    }

    #[test]
    fn what_is_no_record_is_refused_with_a_reason() {
        assert!(read(b"{").unwrap_err().contains("not a CVE record"));
        let bad = r#"{"cveMetadata":{"cveId":"X"},"containers":{"cna":{"providerMetadata":{}}}}"#;
        assert!(read(bad.as_bytes()).unwrap_err().contains("not a CVE number"));
    }
}
