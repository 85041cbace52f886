//! `yagura eval cve`: how well versions, names, scores and updates are judged, against labels and against a public peer.
//!
//! Takes any folder of the form that `docs/benchmarks/cve-eval.md` describes; parts that are not there are left out and named.
//! What the data cannot decide is counted as not decided, never guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::Untrusted;
use domain::endpoint::Os;
use domain::version::upstream_of_package;
use domain::vulnerability::{Origin, Software, Sure};
use redb::backends::InMemoryBackend;
use redb::{Builder, ReadableDatabase};

use super::import::{self, Error, Format, read_into};
use super::judge::{Installed, Judged, judge};
use super::names::Names;
use super::record::{Edge, Extent, Record, Standing, Status};
use super::{Database, base_score, read_systeminfo};
use crate::eval::{Row, Score, Scorecard};
use crate::file;

/// The container that CISA adds to a record.
const SECOND_PUBLISHER: &str = "CISA-ADP";

pub fn cve(folder: &Path) -> Result<Scorecard, Error> {
    let store = Builder::new().create_with_backend(InMemoryBackend::new()).map_err(file::Error::from)?;
    let mut notes = Vec::new();
    let transaction = store.begin_write().map_err(file::Error::from)?;
    for (format, part, ending) in [
        (Format::CveRecords, "cve-records", ".jsonl.gz"),
        (Format::Kev, "kev", ".json"),
        (Format::EndOfLife, "endoflife", ".jsonl.gz"),
        (Format::Packages, "inventory", "purl_to_cpe_sample.csv"),
        (Format::MicrosoftUpdates, "ms-patches", ".zip"),
    ] {
        let files = files(&folder.join(part), ending);
        if files.is_empty() {
            notes.push(format!("no `{part}/*{ending}`: what rests on it was left out"));
        }
        for path in files {
            let tally = read_into(&transaction, format, &path)?;
            notes.push(format!("{}: {} records read, {} refused", format.name(), tally.records, tally.refused.len()));
        }
    }
    transaction.commit().map_err(file::Error::from)?;
    let read = store.begin_read().map_err(file::Error::from)?;
    let database = Database::of(&read, None)?;
    let mut rows = Vec::new();
    labels(&database, folder, &mut rows, &mut notes)?;
    publishers(&database, folder, &mut rows, &mut notes)?;
    scores(folder, &mut rows, &mut notes)?;
    hosts(&database, folder, &mut rows, &mut notes)?;
    let total = rows.first().map_or(Score::NONE, |row| row.score);
    Ok(Scorecard { name: "cve".to_owned(), total, rows, notes })
}

/// People's labels of (package, version, CVE), as far as a record of the CVE is there.
fn labels(database: &Database, folder: &Path, rows: &mut Vec<Row>, notes: &mut Vec<String>) -> Result<(), Error> {
    let (mut asked, mut decided, mut sure) = (Score::NONE, Score::NONE, Score::NONE);
    let (mut all, mut without_record, mut not_named, mut undecided) = (0_u64, 0_u64, 0_u64, 0_u64);
    for path in files(&folder.join("match-labels"), ".csv.gz") {
        for row in table(&path)? {
            let (Some(cve), Some(package), Some(version), Some(label)) =
                (row.get("effective_cve"), row.get("package"), row.get("version"), row.get("label"))
            else {
                continue;
            };
            all += 1;
            let records = database.records(cve)?;
            if records.is_empty() {
                without_record += 1;
                continue;
            }
            let truth = label == "TP";
            let origin = if upstream_of_package(version).is_some() { Origin::Distribution } else { Origin::Maker };
            let software = Software {
                product: Untrusted::new(package),
                publisher: None,
                version: Untrusted::some(Some(version)),
                origin,
            };
            let names = database.names(&software)?;
            let judged = judge(&records, &names, &Installed::of(&software), Os::Linux);
            let said = judged.as_ref().and_then(answer);
            count(&mut asked, truth, said.unwrap_or(false));
            match (&judged, said) {
                (None, _) => not_named += 1,
                (Some(_), None) => undecided += 1,
                (Some(judged), Some(said)) => {
                    count(&mut decided, truth, said);
                    if !said || judged.sure > Sure::Possible {
                        count(&mut sure, truth, said);
                    }
                }
            }
        }
    }
    if all == 0 {
        notes.push("no match labels: left out".to_owned());
        return Ok(());
    }
    notes.push(format!(
        "match labels: {all}; without a record of the CVE {without_record}; the record names no such product {not_named}; \
         its ranges decide nothing {undecided}; decided {}",
        decided.n
    ));
    for (name, score) in [
        ("match labels with a record, undecided counted as `not affected`", asked),
        ("match labels, decided", decided),
        ("match labels, decided without doubt (distribution packages in an affected range left out)", sure),
    ] {
        rows.push(Row { name: name.to_owned(), score });
    }
    Ok(())
}

/// One publisher's ranges as the questions, the other's as the key: the first version CISA calls affected, and the first it
/// calls fixed, are judged by what the CVE's own publisher wrote, in its own names and hand.
fn publishers(database: &Database, folder: &Path, rows: &mut Vec<Row>, notes: &mut Vec<String>) -> Result<(), Error> {
    let (mut score, mut found, mut pairs, mut undecided) = (Score::NONE, 0_u64, 0_u64, 0_u64);
    let cves: BTreeSet<String> =
        if files(&folder.join("cve-records"), ".jsonl.gz").is_empty() { BTreeSet::new() } else { database.known()? };
    for cve in &cves {
        let records = database.records(cve)?;
        let (mut theirs, mut own) = (Vec::new(), records.clone());
        for record in &mut own {
            let (second, first): (Vec<_>, Vec<_>) = record.affected.drain(..).partition(|a| a.by == SECOND_PUBLISHER);
            record.affected = first;
            theirs.extend(second);
        }
        if own.iter().all(|record: &Record| record.affected.is_empty()) {
            continue;
        }
        for affected in &theirs {
            let edges =
                affected.statements.iter().filter(|s| s.status == Status::Affected).filter_map(|s| match &s.extent {
                    Extent::Span {
                        from: Some(Edge { version: from, included: true }),
                        to: Some(Edge { version: to, included: false }),
                        worded: false,
                    } => Some([(from.clone(), true), (to.clone(), false)]),
                    _ => None,
                });
            let edges: Vec<(String, bool)> = edges.flatten().collect();
            // Where another of its ranges begins at the end of the first, the end is affected all the same.
            let starts: BTreeSet<String> = edges.iter().filter(|(_, truth)| *truth).map(|(v, _)| v.clone()).collect();
            if edges.is_empty() {
                continue;
            }
            pairs += 1;
            let mut named = false;
            for (version, truth) in edges.into_iter().filter(|(version, truth)| *truth || !starts.contains(version)) {
                let software = Software {
                    product: Untrusted::new(&affected.product),
                    publisher: Untrusted::some(Some(&affected.vendor)),
                    version: Untrusted::some(Some(&version)),
                    origin: Origin::Maker,
                };
                let names = Names::of(&software, Vec::new());
                let Some(judged) = judge(&own, &names, &Installed::of(&software), Os::Unknown) else { continue };
                named = true;
                match answer(&judged) {
                    Some(said) => count(&mut score, truth, said),
                    None => undecided += 1,
                }
            }
            found += u64::from(named);
        }
    }
    notes.push(format!("two publishers: {found} of {pairs} products of CISA's found under the CNA's own name; {undecided} versions not decided"));
    rows.push(Row { name: "range ends of CISA judged by the CNA's statements, decided".to_owned(), score });
    Ok(())
}

/// Published base scores against the ones worked out here.
fn scores(folder: &Path, rows: &mut Vec<Row>, notes: &mut Vec<String>) -> Result<(), Error> {
    let mut by_version: BTreeMap<String, Score> = BTreeMap::new();
    let mut other = 0_u64;
    for path in files(&folder.join("cvss"), ".csv.gz") {
        for row in table(&path)? {
            let text = |name: &str| row.get(name).map(String::as_str).unwrap_or_default();
            let Ok(published) = text("base_score").parse::<f64>() else { continue };
            if text("published_score_is") != "base" {
                other += 1;
                continue;
            }
            let score = by_version.entry(text("cvss_version").to_owned()).or_insert(Score::NONE);
            score.n += 1;
            match base_score(text("vector")) {
                Some(ours) if (ours - published).abs() < 0.001 => score.true_positives += 1,
                Some(_) => score.false_positives += 1,
                None => score.false_negatives += 1,
            }
        }
    }
    notes.push(format!("CVSS: {other} vectors whose published number is not the base score were left out"));
    let named =
        |(version, score)| Row { name: format!("CVSS {version} base scores: equal, different, not read"), score };
    rows.extend(by_version.into_iter().map(named));
    Ok(())
}

/// CVEs that are open on real Windows hosts, beside what a peer says of the same hosts.
fn hosts(database: &Database, folder: &Path, rows: &mut Vec<Row>, notes: &mut Vec<String>) -> Result<(), Error> {
    let folder = folder.join("ms-patches");
    let (mut agreement, mut open_total, mut compared) = (Score::NONE, 0_u64, 0_u64);
    let mut unread = Vec::new();
    let mut peer_only_closed = 0_u64;
    for path in files(&folder.join("hosts"), ".txt").into_iter().filter(|p| p.to_string_lossy().contains("systeminfo"))
    {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = std::fs::read(&path).map_err(|e| Error::Read { path: path.display().to_string(), source: e })?;
        let system = match read_systeminfo(&bytes) {
            Ok(system) => system,
            Err(why) => {
                unread.push(format!("{name}: {why}"));
                continue;
            }
        };
        let updates = system.updates.clone().unwrap_or_default();
        let open = database.open_on(&system, &updates)?;
        open_total += open.len() as u64;
        let peer = folder.join("peer").join(format!("{name}.csv"));
        if !peer.exists() {
            continue;
        }
        compared += 1;
        let peer = table(&peer)?;
        let theirs: BTreeSet<&str> = peer
            .iter()
            .filter_map(|row| row.get("CVE"))
            .map(String::as_str)
            .filter(|c| c.starts_with("CVE-"))
            .collect();
        let ours: BTreeSet<&str> = open.iter().map(|open| open.cve.as_str()).collect();
        agreement.n += ours.union(&theirs).count() as u64;
        agreement.true_positives += ours.intersection(&theirs).count() as u64;
        agreement.false_positives += ours.difference(&theirs).count() as u64;
        agreement.false_negatives += theirs.difference(&ours).count() as u64;
        peer_only_closed += theirs.difference(&ours).count() as u64;
    }
    notes.push(format!(
        "windows hosts: {open_total} open CVEs; {compared} hosts compared with the peer; peer alone {peer_only_closed}"
    ));
    notes.extend(unread.into_iter().map(|why| format!("host not read: {why}")));
    if compared == 0 {
        notes.push("no `ms-patches/peer/*.csv`: the peer was not compared".to_owned());
        return Ok(());
    }
    rows.push(Row { name: "windows hosts: every open CVE, peer as key".to_owned(), score: agreement });
    Ok(())
}

fn answer(judged: &Judged) -> Option<bool> {
    match judged.standing {
        Standing::Affected => Some(true),
        Standing::NotAffected => Some(false),
        Standing::Undecided => None,
    }
}

fn count(score: &mut Score, truth: bool, said: bool) {
    score.n += 1;
    match (truth, said) {
        (true, true) => score.true_positives += 1,
        (false, true) => score.false_positives += 1,
        (true, false) => score.false_negatives += 1,
        (false, false) => {}
    }
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

fn table(path: &Path) -> Result<Vec<BTreeMap<String, String>>, Error> {
    let form = |e: csv::Error| Error::Form { path: path.display().to_string(), why: e.to_string() };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(import::open(path)?);
    reader.deserialize().map(|row| row.map_err(form)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_gives_no_figures_and_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let card = cve(folder.path()).unwrap();
        assert_eq!(card.total, Score::NONE);
        assert!(card.notes.iter().any(|note| note.contains("cve-records")));
    }
}
