use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::ioc::{Ioc, ListBasis, ListHit};

use super::*;
use crate::file::{Draft, Feed, IntelFile};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("intel.redb")
    }

    /// Imports by the recognised form.
    fn take(&self, name: &str, text: &str) -> (Format, Feed) {
        let source = self.folder.path().join("source");
        std::fs::write(&source, text).unwrap();
        let format = Format::recognise(&source).unwrap();
        (format, take(&self.path(), name, format, &source).unwrap())
    }

    fn lists(&self) -> Lists {
        Lists::load(&IntelFile::open(&self.path()).unwrap()).unwrap()
    }
}

fn take(file: &Path, name: &str, format: Format, source: &Path) -> Result<Feed, Error> {
    let draft = Draft::of(file)?;
    let feed = import(&draft, name, format, source, NOW)?;
    draft.publish()?;
    Ok(feed)
}

fn look_up(lists: &Lists, value: &str) -> Vec<ListHit> {
    lists.look_up(&Ioc::parse(value).unwrap()).unwrap()
}

fn basis(lists: &Lists, value: &str) -> Vec<(String, ListBasis)> {
    look_up(lists, value).into_iter().map(|hit| (hit.list, hit.basis)).collect()
}

fn label(lists: &Lists, value: &str) -> Option<String> {
    look_up(lists, value).first()?.label.as_ref().map(|label| label.for_matching().to_owned())
}

#[test]
fn one_bad_line_loses_nothing_and_is_told_with_its_number() {
    let house = House::new();
    let (format, feed) = house.take(
        "trails",
        "# Reference: https://report.example/1\n\nevil.example\n198.51.100.7:14235\n/gate.php\nbad.example/gate.php # Loader\n",
    );
    assert_eq!((format, feed.records, feed.refused), (Format::Plain, 3, 1));
    assert_eq!(feed.refused_lines[0].line, 5);
    let lists = house.lists();
    assert_eq!(lists.len(), 3);
    let hit = &look_up(&lists, "evil.example")[0];
    assert_eq!(hit.reference.as_ref().unwrap().for_matching(), "https://report.example/1");
    assert_eq!(label(&lists, "https://bad.example/gate.php").as_deref(), Some("Loader"));
    assert!(look_up(&lists, "198.51.100.8").is_empty());
}

#[test]
fn a_match_is_told_by_what_matched_and_never_above_a_registered_name() {
    let house = House::new();
    house.take("bad", "evil.example\nco.jp\n198.51.100.0/24\n2001:db8::/32\n203.0.113.9\nhttp://evil.example/a\n");
    let lists = house.lists();
    let one = |basis| vec![("bad".to_owned(), basis)];
    assert_eq!(basis(&lists, "evil.example"), one(ListBasis::Exact));
    assert_eq!(basis(&lists, "a.b.evil.example"), one(ListBasis::ParentDomain));
    assert_eq!(basis(&lists, "notevil.example"), []);
    assert_eq!(basis(&lists, "honest.co.jp"), []);
    assert_eq!(basis(&lists, "198.51.100.77"), one(ListBasis::Network));
    assert_eq!(basis(&lists, "198.51.101.77"), []);
    assert_eq!(basis(&lists, "2001:db8:1::1"), one(ListBasis::Network));
    assert_eq!(basis(&lists, "https://evil.example/a"), one(ListBasis::Exact));
    assert_eq!(basis(&lists, "https://www.evil.example/b"), one(ListBasis::Host));
    assert_eq!(basis(&lists, "http://203.0.113.9:8080/"), one(ListBasis::Host));
    assert_eq!(basis(&lists, "http://198.51.100.1/"), one(ListBasis::Network));
}

#[test]
fn an_import_replaces_the_list_of_its_name_and_readers_keep_theirs() {
    let house = House::new();
    house.take("one", "old.example\nboth.example\n");
    house.take("two", "other.example\n");
    let before = house.lists();
    house.take("one", "both.example\nnew.example\nnewer.example\n");
    let after = house.lists();
    assert_eq!((before.len(), after.len()), (3, 4));
    assert_eq!(look_up(&before, "old.example").len(), 1);
    assert_eq!(look_up(&after, "old.example").len(), 0);
    for value in ["both.example", "new.example", "newer.example", "other.example"] {
        assert_eq!(look_up(&after, value).len(), 1, "{value}");
    }
}

#[test]
fn hashes_with_comments_and_tables_with_headers_are_read() {
    let house = House::new();
    let (format, feed) = house.take("sigs", &format!("# h\n{SHA256};Dark Loader - dll\nnothing;x\n198.51.100.3;65\n"));
    assert_eq!((format, feed.records, feed.refused), (Format::Commented, 2, 1));
    let threatfox = format!(
        "################\n# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"malware_printable\",\"reference\"\n\
         \"2026-11-01 10:00:00\", \"1\", \"198.51.100.9:443\", \"ip:port\", \"Lumma, \"\"C2\"\"\", \"None\"\n\
         \"x\", \"2\", \"no value\", \"y\", \"z\", \"\"\n\"2026-11-02 10:00:00\", \"3\", \"{MD5}\", \"md5_hash\", \"Other\", \"\"\n# Number of entries: 3\n"
    );
    let (format, feed) = house.take("fox", &threatfox);
    assert_eq!((format, feed.records, feed.refused), (Format::Csv, 2, 1));
    let lists = house.lists();
    assert_eq!(label(&lists, SHA256).as_deref(), Some("Dark Loader - dll"));
    assert_eq!(label(&lists, "198.51.100.3"), None);
    let hit = &look_up(&lists, "198.51.100.9")[0];
    assert_eq!(hit.label.as_ref().unwrap().for_matching(), "Lumma, \"C2\"");
    assert_eq!(hit.first_seen, Some("2026-11-01T10:00:00Z".parse().unwrap()));
}

#[test]
fn warning_lists_speak_against_by_their_own_breadth() {
    let house = House::new();
    let list = |kind: &str, values: &str| {
        format!(r#"{{"name": "Common {kind}", "type": "{kind}", "matching_attributes": ["domain"], "list": {values}}}"#)
    };
    let (format, _) = house.take("string", &list("string", r#"["popular.example", 7, "AAA"]"#));
    assert_eq!(format, Format::MispWarnings);
    house.take("hostname", &list("hostname", r#"[".cdn.example", "push.example"]"#));
    house.take("cidr", &list("cidr", r#"["198.51.100.0/25"]"#));
    let lists = house.lists();
    assert!(look_up(&lists, "popular.example")[0].warning);
    assert_eq!(basis(&lists, "sub.popular.example"), []);
    assert_eq!(basis(&lists, "a.cdn.example"), [("hostname".to_owned(), ListBasis::ParentDomain)]);
    assert_eq!(basis(&lists, "http://push.example/x"), [("hostname".to_owned(), ListBasis::Host)]);
    assert_eq!(basis(&lists, "198.51.100.5"), [("cidr".to_owned(), ListBasis::Network)]);
    let source = house.folder.path().join("regex.json");
    std::fs::write(&source, list("regex", r#"["/x/"]"#)).unwrap();
    let refused = take(&house.path(), "regex", Format::MispWarnings, &source).unwrap_err().to_string();
    assert!(refused.contains("type `regex` are not read"), "{refused}");
}

#[test]
fn events_and_bundles_give_what_their_publisher_marked() {
    let house = House::new();
    let event = format!(
        r#"{{"Event": {{"info": "Wave", "uuid": "u-1", "Attribute": [
            {{"type": "filename|sha256", "value": "a.exe|{SHA256}", "to_ids": true}},
            {{"type": "domain", "value": "context.example", "to_ids": false}},
            {{"type": "mutex", "value": "m", "to_ids": true}}],
            "Object": [{{"Attribute": [{{"type": "ip-dst|port", "value": "198.51.100.9|443", "to_ids": true, "comment": "C2"}}]}}]}}}}"#
    );
    let (format, feed) = house.take("misp", &event);
    assert_eq!((format, feed.records, feed.refused), (Format::MispEvent, 2, 2));
    let bundle = format!(
        r#"{{"type": "bundle", "objects": [
            {{"type": "domain-name", "value": "seen.example"}},
            {{"type": "indicator", "spec_version": "2.1", "name": "Drop", "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
              "pattern": "[file:hashes.'SHA-256' = '{SHA256}' OR file:hashes.MD5 = '{MD5}']"}},
            {{"type": "indicator", "pattern": "[url:value = 'http://evil.example/it\\'s'] OR [domain-name:value = 'evil.example']"}},
            {{"type": "indicator", "pattern": "[ipv4-addr:value != '198.51.100.1']"}},
            {{"type": "indicator", "pattern": "[domain-name:value = 'a.example' AND ipv4-addr:value = '198.51.100.2']"}},
            {{"type": "indicator", "pattern": "[domain-name:value = 'revoked.example']", "revoked": true}},
            {{"type": "indicator"}}]}}"#
    );
    let (format, feed) = house.take("stix", &bundle);
    assert_eq!((format, feed.records, feed.refused), (Format::Stix, 4, 4));
    let lists = house.lists();
    assert_eq!(look_up(&lists, SHA256).len(), 2);
    assert_eq!(label(&lists, "198.51.100.9").as_deref(), Some("Wave: C2"));
    assert_eq!(label(&lists, MD5).as_deref(), Some("Drop"));
    assert_eq!(basis(&lists, "http://evil.example/it's"), [("stix".to_owned(), ListBasis::Exact)]);
    assert!(look_up(&lists, "seen.example").is_empty());
}

#[test]
fn every_value_of_a_large_list_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(20_000, folder.path()).unwrap();
    assert_eq!(bench.lists.len(), 20_000);
    assert!(bench.lists.memory_bytes() < 20_000 * 14);
    assert!(bench.listed.iter().all(|ioc| bench.lists.look_up(ioc).unwrap().len() == 1));
    assert!(bench.unlisted.iter().all(|ioc| bench.lists.look_up(ioc).unwrap().is_empty()));
}

/// Whatever stands in a file: an answer or an error, and never more than the file holds.
#[test]
fn rubbish_in_every_form_makes_nothing_fail() {
    let house = House::new();
    let source = house.folder.path().join("rubbish");
    for text in [
        "",
        "\0\0\0",
        "{",
        "[]",
        "{}",
        "null",
        "[1,2]",
        "{\"Event\":{}}",
        "{\"list\":[]}",
        ";;;;",
        "\"",
        ",,,\n\"\"\"",
        "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[file:hashes.'\"}]}",
        "\u{feff}#\n\u{202e}evil.example",
    ] {
        std::fs::write(&source, text).unwrap();
        Format::recognise(&source).unwrap();
        for format in Format::ALL {
            if let Ok(feed) = take(&house.path(), "rubbish", format, &source) {
                assert_eq!(feed.records, 0, "{text} as {}", format.name());
            }
        }
    }
    std::fs::write(&source, "x".repeat(1 << 20) + "\nevil.example\n").unwrap();
    let feed = take(&house.path(), "long", Format::Plain, &source).unwrap();
    assert_eq!((feed.records, feed.refused), (1, 1));
}

#[test]
fn lists_are_shared_between_tasks() {
    fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
    shared::<Lists>();
}

/// Real lists of the folder that `YAGURA_TEST_INTEL` names: nearly every line is taken, and each is found again.
#[test]
fn real_lists_come_in_nearly_whole() {
    #[expect(clippy::disallowed_methods, reason = "where the real lists lie, only the tester knows")]
    let Ok(folder) = std::env::var("YAGURA_TEST_INTEL") else { return };
    let house = House::new();
    let draft = Draft::of(&house.path()).unwrap();
    let mut folders = vec![PathBuf::from(folder)];
    let (mut records, mut refused) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let format = Format::recognise(&path).unwrap();
            match import(&draft, &name, format, &path, NOW) {
                Ok(feed) => {
                    println!(
                        "{name} {} {} {} {:?}",
                        format.name(),
                        feed.records,
                        feed.refused,
                        feed.refused_lines.first()
                    );
                    records += feed.records;
                    refused += feed.refused;
                }
                Err(why) => println!("{name}: {why}"),
            }
        }
    }
    let lists = Lists::load(&draft.publish().unwrap()).unwrap();
    println!("{records} records, {refused} refused, {} bytes", lists.memory_bytes());
    assert_eq!(lists.len() as u64, records);
}
