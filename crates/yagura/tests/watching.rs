//! `yagura watch` against the program itself: well, ill when the program is gone, and figures only where they may be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::json;
use support::{Site, for_a_while, last_json, yagura};

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn get(at: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_service_is_well_and_a_killed_one_is_not_rel_10() {
    let site = Site::prepare().await;
    let (console, metrics) = (free(), free());
    let text = fs::read_to_string(site.config()).unwrap();
    let text = text.replace("127.0.0.1:0", &console.to_string());
    let with =
        |section: &str| fs::write(site.config(), text.replace("[sender]", &format!("{section}\n[sender]"))).unwrap();

    with("[metrics]\nlisten = \"0.0.0.0:0\"\n");
    let refused = yagura(site.folder.path(), &["run", "--config", "yagura.toml"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("allow_remote = true"), "{refused:?}");

    with(&format!("[metrics]\nlisten = \"{metrics}\"\n"));
    let mut service = site.run();
    let url = format!("http://{console}/healthz");
    let watch = || yagura(site.folder.path(), &["watch", "--url", &url, "--once", "--json"]);
    let mut seen = watch();
    for _ in 0..60 {
        if seen.status.success() {
            break;
        }
        for_a_while(Duration::from_millis(250)).await;
        seen = watch();
    }
    assert_eq!(last_json(&seen)["ok"], true, "{seen:?}");

    let page = get(metrics, "/metrics");
    assert!(page.contains("content-type: text/plain; version=0.0.4"), "{page}");
    for line in ["yagura_loop_ok{loop=\"intake/hoshimi\"} 1", "yagura_loop_ok{loop=\"notifier\"} 1"] {
        assert!(page.contains(line), "{page}");
    }
    assert!(get(console, "/metrics").starts_with("HTTP/1.1 404"), "not where everybody comes");

    service.kill().unwrap();
    service.wait().unwrap();
    let seen = watch();
    assert!(!seen.status.success());
    assert_eq!(last_json(&seen)["why"], json!(["no_connection"]), "{seen:?}");
}
