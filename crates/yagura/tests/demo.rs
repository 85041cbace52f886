//! The demo judges itself, and cannot be fooled by our own records.

mod support;

use support::{last_json, yagura};

#[test]
fn a_headless_demo_contains_tells_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = yagura(folder.path(), &["demo", "--headless", "--for", "20s", "--json"]);
    let summary = last_json(&output);
    assert!(output.status.success(), "{summary}");
    assert!(summary["alerts"].as_u64() >= Some(4), "{summary}");
    assert!(summary["actions_verified"].as_u64() >= Some(3), "{summary}");
    assert!(summary["notices_accepted"].as_u64() >= summary["incidents"].as_u64(), "{summary}");
    for key in ["lost", "late", "doubled"] {
        assert_eq!(summary[key], 0, "{summary}");
    }
    for clock in ["latency_ms", "raised_ms"] {
        for what in ["first_notice", "containment"] {
            assert!(summary[clock][what]["p99"].as_i64() > Some(0), "{clock}.{what}: {summary}");
        }
    }
}

#[test]
fn an_alert_that_the_console_hides_is_noticed_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let output = yagura(folder.path(), &["demo", "--headless", "--for", "12s", "--json", "--drop-one-alert"]);
    let summary = last_json(&output);
    assert!(!output.status.success(), "{summary}");
    assert_eq!(summary["lost"], 1, "{summary}");
}
