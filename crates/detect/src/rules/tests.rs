use std::fs;
use std::io::Write;

use domain::AgentId;
use domain::endpoint::Os;
use domain::telemetry::{Process, What};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::winlog;

const STARTS: &str = "{product: windows, category: process_creation}";

fn rule(id: &str, source: &str, detection: &str) -> String {
    format!(
        "title: Rule {id}\nid: {id}\nstatus: test\nlevel: high\nauthor: A. Author\ntags: [attack.execution, attack.t1059.001]\n\
         logsource: {source}\ndetection:\n  selection:\n    {detection}\n  condition: selection\n"
    )
}

fn loaded(files: &[(&str, String)]) -> Rules {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Rules::load(folder.path(), "18.1").unwrap()
}

fn sysmon_start(command_line: &str) -> Event {
    winlog::event_of(&json!({"Event": {
        "System": {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "EventRecordID": 7},
        "EventData": {"Image": "C:\\Windows\\System32\\whoami.exe", "CommandLine": command_line},
    }}))
    .unwrap()
}

#[test]
fn a_rule_meets_only_events_of_its_own_log_source() {
    let sources = [
        ("windows.yml", STARTS),
        ("sysmon.yml", "{product: windows, service: sysmon}"),
        ("any-product.yml", "{category: process_creation}"),
        ("macos.yml", "{product: macos, category: process_creation}"),
        ("zeek.yml", "{product: zeek, service: http}"),
        ("cisco.yml", "{product: cisco}"),
        ("security.yml", "{product: windows, service: security}"),
        ("registry.yml", "{product: windows, category: registry_set}"),
        ("proxy.yml", "{category: proxy}"),
    ];
    let files = sources.map(|(name, source)| (name, rule(name, source, "CommandLine|contains: whoami")));
    let rules = loaded(&files);
    assert_eq!(rules.len(), sources.len());

    let mut fired: Vec<_> = rules.matches(&sysmon_start("whoami /all")).iter().map(|m| m.rule.id.quoted()).collect();
    fired.sort();
    assert_eq!(fired, ["any-product.yml", "sysmon.yml", "windows.yml"]);
    assert!(rules.matches(&sysmon_start("ipconfig")).is_empty());
}

#[test]
fn a_bad_rule_is_named_and_the_others_load() {
    let rules = loaded(&[
        ("a-good.yml", rule("good", STARTS, "CommandLine|contains: whoami")),
        ("b-twice.yml", rule("good", STARTS, "CommandLine|contains: whoami")),
        ("c-modifier.yml", rule("modifier", STARTS, "CommandLine|sounds_like: whoami")),
        ("d-everywhere.yml", rule("everywhere", "{definition: none}", "CommandLine: x")),
        ("e-no-yaml.yml", "{{{".to_owned()),
        ("f-heavy.yml", rule("heavy", STARTS, r"CommandLine|re: '(((\w{50}){50}){50}){50}'")),
        ("g-dashes.yml", rule("dashes", STARTS, "CommandLine|windash|contains: '-a -b -c -d -e -f -g'")),
        ("h-unclosed.yml", rule("unclosed", STARTS, "CommandLine|re: '(('")),
        ("not-a-rule.txt", "ignored".to_owned()),
    ]);
    assert_eq!(rules.len(), 1);
    let named: Vec<_> = rules.refused().iter().map(|refused| refused.file.quoted()).collect();
    for letter in ["b", "c", "d", "e", "f", "g", "h"] {
        assert!(named.iter().any(|name| name.starts_with(letter)), "{letter} is not among {named:?}");
    }
    assert!(rules.refused().iter().all(|refused| !refused.why.quoted().is_empty()));
}

#[test]
fn a_hit_shows_author_level_technique_and_what_matched() {
    let rules = loaded(&[("one.yml", rule("one", STARTS, "CommandLine|contains: whoami"))]);
    let started = Process { command_line: Some(Untrusted::new("cmd /c WHOAMI")), ..Process::default() };
    let record = Record {
        id: Untrusted::new("r-1"),
        at: None,
        agent: AgentId::new("225494730938493804").unwrap(),
        host: Untrusted::new("ws-17"),
        os: Os::Windows,
        process: Process::default(),
        storyline: None,
        what: What::ProcessStarted(Box::new(started)),
    };
    let report = rules.run_records(&vec![record; MAX_RECORDS + 5]);
    let [hit] = report.hits.as_slice() else { panic!("{report:?}") };
    assert_eq!((hit.rule.level, hit.rule.status), (Level::High, Status::Test));
    assert_eq!(hit.rule.author, Some(Untrusted::new("A. Author")));
    assert_eq!(hit.rule.techniques, ["T1059.001".parse().unwrap()]);
    assert_eq!((hit.rule.attack_version.as_str(), hit.rule.file_sha256.len()), ("18.1", 64));
    assert_eq!(hit.rule.source.to_string(), "windows/process_creation");
    assert_eq!((hit.records.len(), hit.count as usize), (MAX_RECORDS, MAX_RECORDS + 5));
    assert_eq!(hit.fields[0].value, Untrusted::new("cmd /c WHOAMI"));
}

#[test]
fn an_archive_holds_the_same_rules_as_its_folder() {
    let text = rule("one", STARTS, "CommandLine|contains: whoami");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.tar.gz");
    let zipped = flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(zipped);
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    archive.append_data(&mut header, "deep/one.yml", text.as_bytes()).unwrap();
    archive.into_inner().unwrap().finish().unwrap().flush().unwrap();

    let packed = Rules::load(&path, "18.1").unwrap();
    let plain = loaded(&[("one.yml", text)]);
    assert_eq!(packed.all()[0].file_sha256, plain.all()[0].file_sha256);
    assert_eq!(packed.all()[0].file, Untrusted::new("deep/one.yml"));
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("outside.yml"), rule("outside", STARTS, "CommandLine: x")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("outside.yml"), folder.path().join("link.yml")).unwrap();
    assert!(Rules::load(folder.path(), "18.1").unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_rule_file_can_make_loading_or_matching_panic(
        detection in "[A-Za-z|]{0,12}: [-'\"\\[\\]{}()*?\\\\|^$.a-z0-9 ]{0,40}",
        condition in "(selection|not|and|or|1 of|all of|them|[()*]| ){0,8}",
        cut in 0usize..400,
    ) {
        let mut text = rule("any", STARTS, &detection)
            .replace("condition: selection", &format!("condition: {condition}"));
        let mut end = cut.min(text.len());
        while !text.is_char_boundary(end) { end -= 1; }
        if cut % 3 == 0 { text.truncate(end); }
        let rules = loaded(&[("any.yml", text)]);
        rules.matches(&sysmon_start("cmd /c dir"));
    }
}
