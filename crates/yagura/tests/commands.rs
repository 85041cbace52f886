//! Commands as somebody types them: recorded alerts in, incidents and reports out, and proof that nothing was changed.

mod support;

use std::fs;
use std::path::Path;

use serde_json::json;
use support::{last_json, yagura};

/// Two recorded threats, one record that is none, and one that is broken.
fn recording(folder: &Path) -> String {
    let threat = |id: &str, host: &str, engine: &str| {
        json!({
            "id": id,
            "agentRealtimeInfo": {"agentComputerName": host, "agentId": "657613730168123595", "agentMachineType": "desktop",
                                  "agentOsType": "windows", "siteId": "475482421366727779"},
            "threatInfo": {"threatId": id, "threatName": "a.exe", "sha1": format!("{id:0>40}"), "detectionType": engine,
                           "confidenceLevel": "malicious", "mitigationStatus": "mitigated", "classification": "Malware",
                           "createdAt": "2026-09-15T12:05:49.095889Z", "updatedAt": "2026-09-15T12:05:49Z"},
        })
    };
    let data = json!({"data": [
        threat("715718962991148224", "PC-1", "static"),
        {"id": "1", "computerName": "PC-2", "agentVersion": "1"},
        threat("715718962991148225", "PC-2", "dynamic"),
    ]});
    let path = folder.join("recorded.json");
    fs::write(&path, data.to_string()).expect("the folder is writable");
    path.display().to_string()
}

#[test]
fn recorded_alerts_go_in_and_refusals_name_file_position_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path());
    let first = yagura(folder.path(), &["alerts", "import", &file, "--json"]);
    assert!(first.status.success(), "{first:?}");
    let imported = last_json(&first);
    assert_eq!(imported["accepted"], 2, "{imported}");
    assert_eq!(imported["refused"][0]["position"], 2, "{imported}");
    assert_eq!(imported["refused"][0]["file"], file.as_str());
    assert!(imported["refused"][0]["reason"].as_str().unwrap().contains("agent"), "{imported}");

    // Once more: nothing is doubled.
    let again = last_json(&yagura(folder.path(), &["alerts", "import", &file, "--json"]));
    assert_eq!((again["accepted"].as_u64(), again["repeated"].as_u64()), (Some(0), Some(2)), "{again}");

    let missing = yagura(folder.path(), &["alerts", "import", "nowhere.json", &file, "--json"]);
    assert!(!missing.status.success());
    assert_eq!(last_json(&missing)["refused"][0]["position"], 0);
}

#[test]
fn somebody_at_a_customer_answers_for_that_one_customer() {
    let folder = tempfile::tempdir().unwrap();
    let add = |tenants: &[&str]| {
        let named = ["staff", "add", "acme.yamada", "--name", "山田 太郎", "--role", "customer", "--json"];
        let tenants = tenants.iter().flat_map(|tenant| ["--tenant", tenant]);
        yagura(folder.path(), &named.into_iter().chain(tenants).collect::<Vec<_>>())
    };
    for tenants in [&[][..], &["acme", "globex"]] {
        let refused = add(tenants);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("exactly one `--tenant`"), "{refused:?}");
    }
    let added = add(&["acme"]);
    assert!(added.status.success(), "{added:?}");
    let added = last_json(&added);
    assert_eq!(added["person"], "acme.yamada");
    assert!(added["link"].as_str().unwrap().starts_with("/sign-in/link/"), "{added}");
}

#[test]
fn an_imported_incident_is_shown_with_reasons_and_reported_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path());
    yagura(folder.path(), &["alerts", "import", &file, "--tenant", "acme", "--json"]);
    let list = last_json(&yagura(folder.path(), &["incident", "list", "--json"]));
    assert_eq!(list["total"], 2, "{list}");
    assert_eq!(list["incidents"][0]["tenant"], "acme");
    let id = list["incidents"][0]["id"].as_str().unwrap();
    let shown = last_json(&yagura(folder.path(), &["incident", "show", id, "--json"]));
    assert!(!shown["incident"]["judgement"]["grounds"].as_array().unwrap().is_empty(), "{shown}");
    for language in ["ja", "en"] {
        let out = format!("{language}.pdf");
        let made = yagura(folder.path(), &["incident", "report", id, "--language", language, "--out", &out, "--json"]);
        assert!(made.status.success(), "{made:?}");
        assert!(fs::read(folder.path().join(&out)).unwrap().starts_with(b"%PDF-"));
    }
    let unknown = yagura(folder.path(), &["incident", "show", "INC-2026-999999"]);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("INC-2026-999999"));
}

#[test]
fn the_audit_holds_and_a_configuration_with_a_misspelt_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path());
    yagura(folder.path(), &["alerts", "import", &file, "--json"]);
    let verified = yagura(folder.path(), &["audit", "verify", "--json"]);
    let verdict = last_json(&verified);
    assert!(verified.status.success() && verdict["ok"] == true && verdict["rows"].as_u64() > Some(3), "{verdict}");
    let root = verdict["root"].as_str().unwrap();
    let with_root = yagura(folder.path(), &["audit", "verify", "--root", root, "--json"]);
    assert!(with_root.status.success(), "{with_root:?}");
    let forged = yagura(folder.path(), &["audit", "verify", "--root", "1:00", "--json"]);
    assert!(!forged.status.success());

    fs::write(folder.path().join("yagura.toml"), "stroe = \"sqlite:x\"\n").unwrap();
    let refused = yagura(folder.path(), &["run", "--config", "yagura.toml"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stroe"), "{refused:?}");
}

#[test]
fn a_due_time_is_proved_step_by_step_and_never_guessed_rel_12() {
    let folder = tempfile::tempdir().unwrap();
    let due = |start: &str, more: &[&str]| {
        yagura(folder.path(), &[&["clock", "due", "--start", start, "--minutes", "60"], more].concat())
    };
    let proved = due("2026-09-18T17:30:00+09:00", &["--json"]);
    assert!(proved.status.success(), "{proved:?}");
    let answer = last_json(&proved);
    assert_eq!(answer["due"], "2026-09-24T09:30:00+09:00");
    let steps: Vec<_> = answer["steps"].as_array().unwrap().iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(steps, ["counted", "night", "weekend", "holiday", "holiday", "holiday", "night", "counted"]);
    assert_eq!(answer["steps"][3]["name"], "敬老の日");
    assert_eq!(answer["steps"][7]["seconds"], 1800);
    // The same instant in UTC is due at the same time, and people read the same.
    let text = due("2026-09-18T08:30:00Z", &[]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("敬老の日") && text.ends_with("due Thu 2026-09-24 09:30:00 JST\n"), "{text}");
    let always = last_json(&due("2026-09-18T17:30:00+09:00", &["--calendar", "always", "--json"]));
    assert_eq!(always["due"], "2026-09-18T18:30:00+09:00");

    for (start, told) in [
        ("2026-09-18T17:30:00", "write `2026-09-18T17:30:00+09:00` for Japan"),
        ("yesterday", "2026-09-18T17:30:00+09:00"),
        ("2027-12-28T17:30:00+09:00", "to `2027-12-31`"),
    ] {
        let refused = due(start, &["--json"]);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && refused.stdout.is_empty() && words.contains(told), "{start}: {refused:?}");
    }
}

#[test]
fn a_provider_that_works_on_29_december_says_so_in_its_configuration_rel_11() {
    let folder = tempfile::tempdir().unwrap();
    let due = |closed_days: &str| {
        let text = format!(
            "closed_days = {closed_days}\n\
             [console]\nlisten = \"127.0.0.1:0\"\npublic_origin = \"https://soc.example.jp\"\n\
             [sender]\nname = {{ ja = \"SOC\", en = \"SOC\" }}\naddress = \"soc@example.jp\"\n\
             [mail]\nhost = \"smtp.example.jp\"\nport = 587\nsecurity = \"start-tls\"\n"
        );
        fs::write(folder.path().join("yagura.toml"), text).unwrap();
        let start = "2026-12-28T17:30:00+09:00";
        let given = ["clock", "due", "--start", start, "--minutes", "60", "--config", "yagura.toml", "--json"];
        yagura(folder.path(), &given)
    };
    assert_eq!(last_json(&due("[\"12-31\", \"01-01\"]"))["due"], "2026-12-29T09:30:00+09:00");
    assert_eq!(last_json(&due("[\"2026-12-29\", \"12-30\"]"))["due"], "2026-12-31T09:30:00+09:00");
    let refused = due("[\"29 December\"]");
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && words.contains("is not a closed day: write `12-29`"), "{words}");
}

#[test]
fn every_command_explains_itself_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        vec!["demo"],
        vec!["run"],
        vec!["s1sim"],
        vec!["doctor"],
        vec!["incident", "list"],
        vec!["incident", "show"],
        vec!["incident", "report"],
        vec!["alerts", "import"],
        vec!["audit", "verify"],
        vec!["clock", "due"],
        vec!["staff", "add"],
        vec!["bench", "ingest"],
    ] {
        let mut arguments = command.clone();
        arguments.push("--help");
        let help = yagura(folder.path(), &arguments);
        let text = String::from_utf8_lossy(&help.stdout);
        assert!(help.status.success() && text.contains("Examples:") && text.contains("--json"), "{command:?}: {text}");
    }
}
