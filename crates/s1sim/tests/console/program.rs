//! The options of the program, and recorded threats.

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use s1sim::{Capability, Options};
use serde_json::{Value, json};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn options(words: &[&str]) -> Options {
    let start = ["s1sim", "--listen", "127.0.0.1:0", "--small"];
    Cli::try_parse_from(start.iter().chain(words)).expect("good options").options
}

/// A folder of its own below the target directory, removed when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("written");
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn recorded() -> Value {
    json!({"data": [{
        "id": "700000000000000001",
        "threatInfo": {"threatId": "700000000000000001", "threatName": "old.exe", "createdAt": "2019-09-15T12:05:49Z", "updatedAt": "2020-04-02T14:52:28.528753Z", "sha1": "cd".repeat(20), "mitigationStatus": "mitigated", "incidentStatus": "resolved", "analystVerdict": "undefined"},
        "agentRealtimeInfo": {"agentId": "600000000000000001", "accountId": "400000000000000001", "accountName": "Recorded", "siteId": "500000000000000001", "siteName": "recorded-site", "agentComputerName": "OLD-1", "agentIsActive": false, "agentOsType": "windows"},
        "indicators": [], "mitigationStatus": [], "extra": {"kept": true},
    }, {"id": "not a threat"}]})
}

#[tokio::test]
async fn recorded_threats_are_served_as_they_were_recorded() {
    let folder = Folder::new("recorded");
    folder.write("a_threats.json", &recorded().to_string());
    folder.write("b_broken.json", "{");
    folder.write("c_other.json", r#"{"data": [{"id": "1"}]}"#);
    folder.write("readme.txt", "not looked at");
    let (sim, loaded) = s1sim::start_from(&options(&["--plain", "--load", folder.path()])).await.expect("started");
    let taken: Vec<usize> = loaded.iter().map(|one| one.threats).collect();
    assert_eq!(taken, [1, 0, 0]);
    assert!(loaded.iter().all(|one| one.left_out.is_some()), "{loaded:?}");
    let threat = sim.threat("700000000000000001").expect("there");
    assert_eq!(
        (&threat["extra"]["kept"], &threat["threatInfo"]["createdAt"]),
        (&json!(true), &json!("2019-09-15T12:05:49.000000Z"))
    );
    assert_eq!(threat["agentRealtimeInfo"]["agentComputerName"], "OLD-1");
    sim.stop().await;
}

#[tokio::test]
async fn a_start_with_scenarios_writes_its_authority_and_has_threats_at_once() {
    let folder = Folder::new("authority");
    let file = format!("{}/ca.pem", folder.path());
    let words = ["--scenario", "pua", "--scenario", "wiper", "--site", "kanata", "--ca-out", &file];
    let (sim, _) = s1sim::start_from(&options(&words)).await.expect("started");
    assert_eq!(fs::read_to_string(&file).expect("written"), sim.ca_pem());
    assert!(sim.url().starts_with("https://127.0.0.1:"));
    let ledger = sim.ledger();
    assert_eq!((ledger.raised.len(), ledger.raised[0].site.as_str()), (2, "kanata"));
    assert_eq!(sim.token("kanata", Capability::Read).len(), 80);
    sim.stop().await;
}

#[tokio::test]
async fn a_misspelt_scenario_or_customer_is_refused_at_start() {
    for words in [["--scenario", "pwa", "--site", "kanata"], ["--scenario", "pua", "--site", "nobody"]] {
        let error = s1sim::start_from(&options(&words)).await.expect_err("refused");
        assert!(error.to_string().contains(words[if words[1] == "pwa" { 1 } else { 3 }]), "{error}");
    }
}
