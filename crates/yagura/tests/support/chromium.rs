//! A real Chromium, worked as a person works it: it looks until it sees, clicks what is there, and presses keys. Whatever
//! the browser itself complains about is kept.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::support::for_a_while;

/// How often a person looks again before giving up, and how long they wait between.
const LOOKS: usize = 200;
const BETWEEN: Duration = Duration::from_millis(100);
const ARGUMENTS: [&str; 6] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--lang=ja",
];

/// One browser with a fresh profile. Its driver ends, and takes it along, when this is dropped.
pub struct Chromium {
    pub client: Client,
    _driver: Driver,
}

impl Chromium {
    pub async fn start() -> Self {
        let driver = Driver::start();
        let options = json!({ "args": ARGUMENTS });
        let capabilities: Capabilities =
            [("goog:chromeOptions".to_owned(), options), ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }))]
                .into_iter()
                .collect();
        let mut refused = None;
        for _ in 0..LOOKS {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            match builder.capabilities(capabilities.clone()).connect(&format!("http://{}", driver.address)).await {
                Ok(client) => {
                    let chromium = Self { client, _driver: driver };
                    let screen = json!({ "width": 1440, "height": 860, "deviceScaleFactor": 1, "mobile": false });
                    chromium.have_a_screen(screen).await;
                    return chromium;
                }
                Err(error) => refused = Some(error),
            }
            for_a_while(BETWEEN).await;
        }
        panic!(
            "no browser: {refused:?}; install the packages `chromium` and `chromium-driver` (`cargo xtask test browser` does)"
        );
    }

    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.expect("the page is there");
    }

    pub async fn address(&self) -> String {
        self.client.current_url().await.expect("a page is open").to_string()
    }

    /// The first element for `css`, as soon as there is one.
    pub async fn see(&self, css: &str) -> Element {
        self.find(Locator::Css(css)).await.unwrap_or_else(|| panic!("`{css}` does not appear"))
    }

    /// Waits until `css` says `text`.
    pub async fn see_text(&self, css: &str, text: &str) {
        let mut last = String::new();
        for _ in 0..LOOKS {
            // Pages are live: what was found may be replaced before it is read.
            if let Ok(element) = self.client.find(Locator::Css(css)).await {
                last = element.text().await.unwrap_or_default();
                if last.contains(text) {
                    return;
                }
            }
            for_a_while(BETWEEN).await;
        }
        panic!("`{css}` does not say `{text}` but: {last}");
    }

    pub async fn see_nothing_of(&self, css: &str) {
        for _ in 0..LOOKS {
            if self.client.find_all(Locator::Css(css)).await.is_ok_and(|found| found.is_empty()) {
                return;
            }
            for_a_while(BETWEEN).await;
        }
        panic!("`{css}` stays");
    }

    pub async fn click(&self, css: &str) {
        self.click_on(Locator::Css(css), css).await;
    }

    pub async fn click_xpath(&self, path: &str) {
        self.click_on(Locator::XPath(path), path).await;
    }

    /// Clicks with the mouse, once it can be clicked. A live page may exchange it at that very moment; then once more.
    async fn click_on(&self, what: Locator<'_>, name: &str) {
        let mut last: Option<CmdError> = None;
        for _ in 0..LOOKS {
            match self.client.find(what).await {
                Ok(element) => match element.click().await {
                    Ok(()) => return,
                    Err(error) => last = Some(error),
                },
                Err(error) => last = Some(error),
            }
            for_a_while(BETWEEN).await;
        }
        panic!("`{name}` cannot be clicked: {last:?}");
    }

    pub async fn write(&self, css: &str, text: &str) {
        self.see(css).await.send_keys(text).await.unwrap_or_else(|error| panic!("`{css}`: {error}"));
    }

    /// Presses keys wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let focus = self.client.active_element().await.expect("something has the focus");
        focus.send_keys(keys).await.unwrap_or_else(|error| panic!("{keys:?}: {error}"));
    }

    /// What a script answers that waits for itself.
    pub async fn ask(&self, script: &str, arguments: Vec<Value>) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done)");
        self.client.execute_async(&script, arguments).await.expect("the script runs")
    }

    /// Fetches an address of the page's own site, with the session that the browser has.
    pub async fn fetch(&self, path: &str) -> Vec<u8> {
        let script = "const answer = await fetch(arguments[0]);
            return [answer.status, [...new Uint8Array(await answer.arrayBuffer())]];";
        let got = self.ask(script, vec![json!(path)]).await;
        assert_eq!(got[0], 200, "{path}");
        serde_json::from_value(got[1].clone()).expect("bytes")
    }

    /// Keeps what the window shows, as a PNG.
    pub async fn take_picture(&self, file: &Path) {
        let png = self.client.screenshot().await.expect("a picture");
        fs::write(file, png).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Shows pages as a telephone with this many pixels would.
    pub async fn be_a_phone(&self, width: u32, height: u32) {
        self.have_a_screen(json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true })).await;
    }

    async fn have_a_screen(&self, screen: Value) {
        let emulate = Own::Devtools("Emulation.setDeviceMetricsOverride", screen);
        self.client.issue_cmd(emulate).await.expect("the screen changes");
    }

    /// Fails when the browser has complained of anything since it was asked last.
    pub async fn has_no_complaints(&self) {
        let entries = self.client.issue_cmd(Own::Log).await.expect("the browser's log");
        let errors: Vec<&Value> = entries.as_array().into_iter().flatten().filter(|e| e["level"] == "SEVERE").collect();
        assert!(errors.is_empty(), "on {}: {errors:#?}", self.address().await);
    }

    async fn find(&self, what: Locator<'_>) -> Option<Element> {
        for _ in 0..LOOKS {
            if let Ok(element) = self.client.find(what).await {
                return Some(element);
            }
            for_a_while(BETWEEN).await;
        }
        None
    }
}

/// Commands of Chromium's own, which WebDriver does not know.
#[derive(Debug)]
enum Own {
    Log,
    Devtools(&'static str, Value),
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        let path = match self {
            Self::Log => "se/log",
            Self::Devtools(..) => "goog/cdp/execute",
        };
        base.join(&format!("session/{}/{path}", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = match self {
            Self::Log => json!({ "type": "browser" }),
            Self::Devtools(command, parameters) => json!({ "cmd": command, "params": parameters }),
        };
        (http::Method::POST, Some(body.to_string()))
    }
}

/// The program between us and the browser.
struct Driver {
    process: Child,
    address: SocketAddr,
}

impl Driver {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={}", address.port())).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn();
        let process = started.unwrap_or_else(|error| {
            panic!("chromedriver: {error}; install the packages `chromium` and `chromium-driver` (`cargo xtask test browser` does)")
        });
        Self { process, address }
    }

    /// Asks it to end all its browsers: one that is merely killed leaves them behind.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        stream.read_to_end(&mut Vec::new()).map(|_| ())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may be gone already, or slow to go; then it is killed.
        let _ = self.shut_down();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
