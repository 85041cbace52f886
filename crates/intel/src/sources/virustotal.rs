//! VirusTotal, API v3: what its engines say of a file, domain, address or URL that it already has.
//!
//! Only look-ups exist here. Nothing is submitted, rescanned or uploaded: a file is asked about by its hash (SEC-43), and a URL
//! that VirusTotal has never seen stays unseen. An answer is believed only about the object that was asked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Untrusted;
use domain::ioc::{Engines, Gap, Ioc, Kind, Known, MAX_RAW_BYTES, Opinion, Outcome, Why};
use jiff::Timestamp;
use outbound::{Lane, Outbound, Rate, Request};
use serde_json::Value;
use url::Url;

use super::config::VirusTotalSettings;
use super::failure::{self, gap};
use super::{Found, PATIENCE, text_of};

const MOST_LABELS: usize = 12;
const MOST_NAMES: usize = 20;
/// There are some ninety engines; a larger count is no count.
const MOST_ENGINES: u64 = 1000;
const PAGES: &str = "https://www.virustotal.com/gui";

#[derive(Debug)]
pub(crate) struct VirusTotal {
    settings: VirusTotalSettings,
    lane: Lane,
}

impl VirusTotal {
    pub(crate) fn new(settings: VirusTotalSettings) -> Self {
        let pace = settings.quota.per_minute;
        let lane = Lane::new("virustotal", Rate::per_minute(pace).burst(pace));
        Self { settings, lane }
    }

    pub(crate) fn takes(kind: Kind) -> bool {
        matches!(kind, Kind::Sha256 | Kind::Sha1 | Kind::Md5 | Kind::Domain | Kind::Url | Kind::Ip)
    }

    pub(crate) async fn look_up(&self, outbound: &Outbound, ioc: &Ioc, now: Timestamp) -> Found {
        let Some(url) = self.address(ioc) else { return Found::gap(gap(Why::Malformed, "it makes no path")) };
        let request = Request::get(url, self.lane.clone())
            .secret_header("x-apikey", "", &self.settings.key)
            .header("accept", "application/json")
            .within(PATIENCE)
            .at_most(MAX_RAW_BYTES);
        match outbound.send(request, now).await {
            Ok(reply) => {
                let raw = text_of(&reply.body);
                let outcome =
                    read(&reply.body, ioc, now).map_or_else(Outcome::CouldNotAsk, |known| Outcome::Known(known.into()));
                Found { outcome, raw }
            }
            Err(error) => refused(&error),
        }
    }

    fn address(&self, ioc: &Ioc) -> Option<Url> {
        let (collection, id) = match ioc {
            Ioc::Hash(hash) => ("files", hash.as_str().to_owned()),
            Ioc::Domain(name) => ("domains", name.clone()),
            Ioc::Ip(address) => ("ip_addresses", address.to_string()),
            Ioc::Url(url) => ("urls", URL_SAFE_NO_PAD.encode(url)),
            Ioc::Path(_) | Ioc::RegistryKey(_) | Ioc::Email(_) => return None,
        };
        self.settings.at.origin.url(&format!("/api/v3/{collection}/{id}")).ok()
    }
}

/// Not known only in VirusTotal's own words: a proxy's 404 says nothing about the indicator.
fn refused(error: &outbound::Error) -> Found {
    let outbound::Error::Status { code: status, excerpt, .. } = error else {
        return Found::gap(failure::sort(error, None));
    };
    let raw = excerpt.for_matching();
    let said: Value = serde_json::from_str(raw).unwrap_or_default();
    // A word of theirs, from a short list; anything else is not repeated.
    let word = said["error"]["code"].as_str().filter(|w| w.len() <= 40 && w.bytes().all(|b| b.is_ascii_alphanumeric()));
    let outcome = match (status, word) {
        (404, Some("NotFoundError")) => Outcome::NotKnown,
        (404, _) => Outcome::CouldNotAsk(gap(Why::NotUnderstood, "a 404 that is not VirusTotal's")),
        (400, Some("NotAvailableYet")) => Outcome::CouldNotAsk(Gap { why: Why::Failing, ..failure::sort(error, word) }),
        _ => Outcome::CouldNotAsk(failure::sort(error, word)),
    };
    Found { outcome, raw: (!raw.is_empty()).then(|| raw.into()) }
}

fn read(body: &[u8], ioc: &Ioc, now: Timestamp) -> Result<Known, Gap> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| gap(Why::NotUnderstood, &error.to_string()))?;
    let data = &answer["data"];
    let attributes = &data["attributes"];
    if !is_about(data, ioc) {
        let shown: String = data["id"].as_str().unwrap_or("no id").chars().take(80).collect();
        return Err(gap(Why::OtherObject, &format!("it is about `{shown}`")));
    }
    let time = |name: &str| attributes[name].as_i64().and_then(|second| plausible(second, now));
    Ok(Known {
        opinion: Opinion::Engines(engines(&attributes["last_analysis_stats"])?),
        described_as: Untrusted::some(attributes["type_description"].as_str()),
        labels: labels(&attributes["popular_threat_classification"]),
        names: texts(&attributes["names"], MOST_NAMES, Value::as_str),
        signer: signer(&attributes["signature_info"]),
        votes: attributes["reputation"].as_i64(),
        submissions: attributes["times_submitted"].as_u64(),
        first_seen: time("first_submission_date"),
        last_seen: time("last_analysis_date"),
        reference: reference(data, ioc),
    })
}

/// Whether the object is the one that was asked for. Its `id` repeats a SHA-256, name or address; a file asked for by an older
/// hash repeats that among its attributes, and a URL stands there as VirusTotal writes it.
fn is_about(data: &Value, ioc: &Ioc) -> bool {
    let id = data["id"].as_str().unwrap_or_default();
    let is = |kind: &str| data["type"] == kind;
    match ioc {
        Ioc::Hash(hash) => {
            let echoed = match ioc.kind() {
                Kind::Md5 => data["attributes"]["md5"].as_str().unwrap_or_default(),
                Kind::Sha1 => data["attributes"]["sha1"].as_str().unwrap_or_default(),
                _ => id,
            };
            is("file") && echoed.eq_ignore_ascii_case(hash.as_str())
        }
        Ioc::Domain(name) => is("domain") && id.eq_ignore_ascii_case(name),
        Ioc::Ip(address) => is("ip_address") && id.parse() == Ok(*address),
        Ioc::Url(url) => {
            let echoed = data["attributes"]["url"].as_str().unwrap_or_default();
            let normal = |text: &str| {
                let mut url = Url::parse(text).ok()?;
                url.set_fragment(None);
                Some(url)
            };
            is("url") && normal(echoed).is_some() && normal(echoed) == normal(url)
        }
        Ioc::Path(_) | Ioc::RegistryKey(_) | Ioc::Email(_) => false,
    }
}

fn engines(stats: &Value) -> Result<Engines, Gap> {
    let Some(stats) = stats.as_object() else { return Err(gap(Why::NotUnderstood, "it holds no last_analysis_stats")) };
    let mut engines = Engines::default();
    for (name, count) in stats {
        let count = count.as_u64().filter(|count| *count <= MOST_ENGINES).and_then(|count| u32::try_from(count).ok());
        let Some(count) = count else {
            return Err(gap(Why::NotUnderstood, "a count in last_analysis_stats is none"));
        };
        match name.as_str() {
            "malicious" => engines.malicious = count,
            "suspicious" => engines.suspicious = count,
            "harmless" => engines.harmless = count,
            "undetected" => engines.undetected = count,
            // `timeout`, `confirmed-timeout`, `failure`, `type-unsupported`, and what may come.
            _ => engines.silent = engines.silent.saturating_add(count),
        }
    }
    if !stats.contains_key("malicious") {
        return Err(gap(Why::NotUnderstood, "last_analysis_stats does not say how many found it malicious"));
    }
    Ok(engines)
}

/// The suggested label first, then families and categories.
fn labels(found: &Value) -> Vec<Untrusted> {
    let mut labels: Vec<Untrusted> = Untrusted::some(found["suggested_threat_label"].as_str()).into_iter().collect();
    for list in ["popular_threat_name", "popular_threat_category"] {
        labels.extend(texts(&found[list], MOST_LABELS, |one| one["value"].as_str()));
    }
    let mut seen = std::collections::BTreeSet::new();
    labels.retain(|label| seen.insert(label.clone()));
    labels.truncate(MOST_LABELS);
    labels
}

/// The first of the signers, which are written `A; B; C` from the file's own to the root, and only of a signature that holds.
fn signer(signature: &Value) -> Option<Untrusted> {
    let is_verified = signature["verified"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("signed"));
    let signers = signature["signers"].as_str().filter(|_| is_verified)?;
    Untrusted::some(signers.split(';').next().map(str::trim))
}

fn texts<'a>(list: &'a Value, most: usize, text: impl Fn(&'a Value) -> Option<&'a str>) -> Vec<Untrusted> {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(|one| Untrusted::some(text(one))).take(most).collect()
}

/// Neither before there were computers nor after tomorrow.
fn plausible(second: i64, now: Timestamp) -> Option<Timestamp> {
    let tomorrow = now.as_second() + 24 * 3600;
    if (1..=tomorrow).contains(&second) { Timestamp::from_second(second).ok() } else { None }
}

/// A page for a person. A URL's page is named by its digest, which `id` is.
fn reference(data: &Value, ioc: &Ioc) -> Option<String> {
    match ioc {
        Ioc::Hash(hash) => Some(format!("{PAGES}/file/{}", hash.as_str())),
        Ioc::Domain(name) => Some(format!("{PAGES}/domain/{name}")),
        Ioc::Ip(address) => Some(format!("{PAGES}/ip-address/{address}")),
        Ioc::Url(_) => {
            let digest = domain::alert::Hash::parse(data["id"].as_str()?).filter(|h| h.algorithm() == "SHA-256")?;
            Some(format!("{PAGES}/url/{}", digest.as_str()))
        }
        Ioc::Path(_) | Ioc::RegistryKey(_) | Ioc::Email(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::alert::Hash;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T01:00:00Z".parse().unwrap()
    }

    fn file(attributes: &Value) -> Result<Known, Gap> {
        let id = "a".repeat(64);
        let ioc = Ioc::Hash(Hash::parse(&id).unwrap());
        read(json!({"data": {"id": id, "type": "file", "attributes": attributes}}).to_string().as_bytes(), &ioc, now())
    }

    #[test]
    fn a_count_that_is_none_spoils_the_answer_and_other_fields_only_themselves() {
        let good = json!({"malicious": 42, "suspicious": 1, "undetected": 20, "harmless": 0, "type-unsupported": 5, "failure": 3});
        let known = file(&json!({
            "last_analysis_stats": good, "names": ["a.exe", 7, null, "", "b.exe"], "reputation": "bad",
            "first_submission_date": 99_999_999_999_i64, "last_analysis_date": 1_790_000_000,
            "signature_info": {"verified": "Signed", "signers": "Acme K.K.; Acme CA; Root"}, "times_submitted": -4,
            "popular_threat_classification": {
                "suggested_threat_label": "ransomware.lockbit/black",
                "popular_threat_name": [{"value": "lockbit", "count": 9}, {"value": "lockbit", "count": 1}],
                "popular_threat_category": "ransomware",
            },
        }))
        .unwrap();
        let Opinion::Engines(engines) = known.opinion else { panic!("{:?}", known.opinion) };
        assert_eq!((engines.malicious, engines.silent, engines.heard()), (42, 8, 63));
        assert_eq!(known.names, [Untrusted::new("a.exe"), Untrusted::new("b.exe")]);
        assert_eq!(known.labels, [Untrusted::new("ransomware.lockbit/black"), Untrusted::new("lockbit")]);
        assert_eq!(known.signer, Some(Untrusted::new("Acme K.K.")));
        assert_eq!((known.votes, known.submissions, known.first_seen), (None, None, None));
        assert_eq!(known.last_seen, Some(Timestamp::from_second(1_790_000_000).unwrap()));
        for broken in [
            json!({"malicious": -1}),
            json!({"malicious": 1.5}),
            json!({"malicious": "3"}),
            json!({"malicious": u64::MAX}),
            json!({"undetected": 3}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(file(&json!({"last_analysis_stats": broken})).unwrap_err().why, Why::NotUnderstood, "{broken}");
        }
    }

    #[test]
    fn a_signature_that_does_not_hold_names_nobody() {
        let known = file(&json!({
            "last_analysis_stats": {"malicious": 0},
            "signature_info": {"verified": "A certificate was revoked", "signers": "Acme K.K."},
        }));
        assert_eq!(known.unwrap().signer, None);
    }

    #[test]
    fn each_kind_is_recognised_by_its_own_echo_and_nothing_else_passes() {
        let is = |data: Value, ioc: &Ioc| is_about(&data, ioc);
        let sha1 = Ioc::Hash(Hash::parse(&"b".repeat(40)).unwrap());
        assert!(is(json!({"type": "file", "id": "c".repeat(64), "attributes": {"sha1": "B".repeat(40)}}), &sha1));
        assert!(!is(json!({"type": "file", "id": "b".repeat(40)}), &sha1));
        let domain = Ioc::Domain("evil.example".into());
        assert!(is(json!({"type": "domain", "id": "evil.example"}), &domain));
        assert!(!is(json!({"type": "url", "id": "evil.example"}), &domain));
        assert!(!is(json!({"type": "domain", "id": "evil.example.org"}), &domain));
        let v6 = Ioc::Ip("2001:db8::1".parse().unwrap());
        assert!(is(json!({"type": "ip_address", "id": "2001:0db8:0:0::1"}), &v6));
        let url = Ioc::Url("http://evil.example".into());
        assert!(is(json!({"type": "url", "attributes": {"url": "http://evil.example/"}}), &url));
        assert!(!is(json!({"type": "url", "attributes": {"url": "http://evil.example/x"}}), &url));
        assert!(!is(json!({"type": "url", "attributes": {}}), &Ioc::Url("not a url".into())));
    }
}
