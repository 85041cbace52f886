//! One incident worked in a real browser, from the queue to the PDF, against the built demo. Any error in the browser's log
//! fails the test.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly, too")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use support::program;

/// Ends with the test, however it ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_works_one_incident_from_the_queue_to_the_report() {
    let (_demo, addresses) = demo();
    let (_driver, browser) = browser().await;
    sign_in(&browser, addresses["console"].as_str().unwrap()).await;

    let path = open_the_first_incident(&browser).await;
    see(&browser, "form[data-tool='acknowledge'] button").await.click().await.unwrap();
    gone(&browser, "form[data-tool='acknowledge']").await;

    see(&browser, "details[data-tool='note'] summary").await.click().await.unwrap();
    see(&browser, "details[data-tool='note'] textarea").await.send_keys("利用者に電話で確認した。").await.unwrap();
    see(&browser, "details[data-tool='note'] button.primary").await.click().await.unwrap();
    see_text(&browser, "利用者に電話で確認した。").await;

    see(&browser, "details[data-tool='verdict'] summary").await.click().await.unwrap();
    see(&browser, "details[data-tool='verdict'] input[value='true_positive']").await.click().await.unwrap();
    see(&browser, "details[data-tool='verdict'] textarea").await.send_keys("暗号化の挙動を確認した。").await.unwrap();
    see(&browser, "details[data-tool='verdict'] button.primary").await.click().await.unwrap();
    see(&browser, "dialog[open] button.primary").await.click().await.unwrap();
    see(&browser, "form[data-tool='close'] button").await;

    for language in ["ja", "en"] {
        let script = "const [path, done] = arguments; fetch(path).then(r => r.arrayBuffer())
            .then(b => done([b.byteLength, String.fromCharCode(...new Uint8Array(b.slice(0, 5)))]))";
        let report = format!("{path}/report/{language}.pdf");
        let got = browser.execute_async(script, vec![json!(report)]).await.unwrap();
        assert_eq!(got[1], "%PDF-", "{language}: {got}");
        assert!(got[0].as_u64() > Some(20_000), "{language}: {got}");
    }

    see(&browser, "form[data-tool='close'] button").await.click().await.unwrap();
    see(&browser, "dialog[open] button.primary").await.click().await.unwrap();
    see(&browser, "details[data-tool='reopen']").await;

    // The customer has the verdict in the mailbox, with the report.
    no_errors(&browser).await;
    browser.goto(addresses["mailbox"].as_str().unwrap()).await.unwrap();
    see_text(&browser, "分析結果のご報告").await;
    no_errors(&browser).await;
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_nothing_is_wider_than_the_screen() {
    let (_demo, addresses) = demo();
    let (_driver, browser) = browser().await;
    browser.set_window_size(500, 900).await.unwrap();
    sign_in(&browser, addresses["console"].as_str().unwrap()).await;
    see(&browser, "main a[href^='/incidents/INC-']").await;
    fits(&browser).await;
    open_the_first_incident(&browser).await;
    see(&browser, "form[data-tool='acknowledge'] button").await;
    fits(&browser).await;
    no_errors(&browser).await;
    browser.close().await.unwrap();
}

/// Opens the incident that is due next by its link. The queue is live: a row may be replaced while we look at it, so the
/// link is read and clicked in one breath.
async fn open_the_first_incident(browser: &Client) -> String {
    see(browser, "main a[href^='/incidents/INC-']").await;
    let script = "const link = document.querySelector(\"main a[href^='/incidents/INC-']\");
        const path = link.getAttribute('href'); link.click(); return path";
    let path = browser.execute(script, vec![]).await.unwrap();
    path.as_str().expect("a path").to_owned()
}

async fn fits(browser: &Client) {
    let script = "return document.scrollingElement.scrollWidth - window.innerWidth";
    let over = browser.execute(script, vec![]).await.unwrap();
    assert!(over.as_i64() <= Some(0), "{over} px too wide at {}", browser.current_url().await.unwrap());
}

/// The built demo, and the addresses that it prints.
fn demo() -> (Process, Value) {
    let started = program().args(["demo", "--json", "--port", "0"]).stdout(Stdio::piped()).spawn();
    let mut process = Process(started.expect("the demo starts"));
    let output = process.0.stdout.take().expect("its output is ours");
    let line = BufReader::new(output).lines().map_while(Result::ok).find(|line| line.starts_with('{'));
    let addresses = serde_json::from_str(&line.expect("it prints its addresses")).expect("one JSON object");
    (process, addresses)
}

/// Chromium behind its driver, with a fresh profile and a log of everything.
async fn browser() -> (Process, Client) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let started =
        Command::new("chromedriver").arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let driver = Process(started.expect("chromedriver is missing: install the packages chromium and chromium-driver"));
    let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--lang=ja"];
    let capabilities: Capabilities = [
        ("goog:chromeOptions".to_owned(), json!({"args": arguments})),
        ("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"})),
    ]
    .into_iter()
    .collect();
    for _ in 0..100 {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.clone());
        if let Ok(client) = builder.connect(&format!("http://127.0.0.1:{port}")).await {
            return (driver, client);
        }
        support::for_a_while(Duration::from_millis(100)).await;
    }
    panic!("chromedriver does not answer: is the package chromium installed?");
}

async fn sign_in(browser: &Client, link: &str) {
    browser.goto(link).await.unwrap();
    see(browser, "main form button").await.click().await.unwrap();
}

async fn see(browser: &Client, what: &str) -> fantoccini::elements::Element {
    let found = browser.wait().at_most(Duration::from_secs(15)).for_element(Locator::Css(what)).await;
    match found {
        Ok(element) => element,
        Err(error) => panic!("{what}: {error}; the page: {}", browser.source().await.unwrap_or_default()),
    }
}

async fn see_text(browser: &Client, text: &str) {
    let path = format!("//*[contains(text(), '{text}')]");
    let found = browser.wait().at_most(Duration::from_secs(15)).for_element(Locator::XPath(&path)).await;
    assert!(found.is_ok(), "`{text}` is not on {}", browser.current_url().await.unwrap());
}

async fn gone(browser: &Client, what: &str) {
    for _ in 0..150 {
        if browser.find(Locator::Css(what)).await.is_err() {
            return;
        }
        support::for_a_while(Duration::from_millis(100)).await;
    }
    panic!("{what} is still there");
}

/// What the browser itself complained about since the last look.
async fn no_errors(browser: &Client) {
    let entries = browser.issue_cmd(Log).await.expect("the browser's log");
    let errors: Vec<&Value> = entries.as_array().into_iter().flatten().filter(|e| e["level"] == "SEVERE").collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Chromium's own log, which WebDriver does not know.
#[derive(Debug)]
struct Log;

impl fantoccini::wd::WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}
