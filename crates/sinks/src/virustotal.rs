//! A reputation service that answers look-ups as VirusTotal's API v3 documents them, from a catalogue that it is given.
//! It takes no upload, and knows nothing but its catalogue; what is not in it is not found.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Now;
use crate::questions::{Fault, Questions, Quota, json as answer, spoil};
use crate::web::Site;

/// Where the service listens (port 0 lets the system choose), the one key it knows, and what it knows.
#[derive(Clone, Debug)]
pub struct Options {
    pub http: SocketAddr,
    pub key: String,
    /// The public key has 4 a minute and 500 a day.
    pub quota: Option<Quota>,
    pub catalogue: Vec<Entry>,
    pub now: Now,
}

/// One object with what the engines say of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub object: Object,
    pub malicious: u32,
    pub suspicious: u32,
    pub harmless: u32,
    pub undetected: u32,
    /// As `ransomware.lockbit/black`.
    pub threat_label: Option<String>,
    pub type_description: Option<String>,
    pub names: Vec<String>,
    pub signer: Option<String>,
    pub first_submission_date: i64,
    pub last_analysis_date: i64,
    pub times_submitted: u32,
    pub reputation: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    File {
        sha256: String,
        sha1: String,
        md5: String,
    },
    Domain(String),
    Ip(String),
    /// With the digest that names it.
    Url {
        url: String,
        sha256: String,
    },
}

impl Entry {
    /// An object of which nobody says anything bad yet.
    #[must_use]
    pub fn of(object: Object) -> Self {
        Self {
            object,
            malicious: 0,
            suspicious: 0,
            harmless: 0,
            undetected: 70,
            threat_label: None,
            type_description: None,
            names: Vec::new(),
            signer: None,
            first_submission_date: 1_700_000_000,
            last_analysis_date: 1_750_000_000,
            times_submitted: 1,
            reputation: 0,
        }
    }

    /// Called `label` by `malicious` of seventy engines.
    #[must_use]
    pub fn bad(self, malicious: u32, label: &str) -> Self {
        let threat_label = Some(label.to_owned());
        Self { malicious, undetected: 70_u32.saturating_sub(malicious), threat_label, ..self }
    }
}

/// A running service. Ends when dropped.
#[derive(Debug)]
pub struct VirusTotalSink {
    desk: Arc<Desk>,
    site: Site,
}

#[derive(Debug)]
struct Desk {
    key: String,
    catalogue: Mutex<Vec<Entry>>,
    questions: Questions,
}

impl VirusTotalSink {
    /// # Errors
    /// When the port is taken or the address is not on the local machine.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(options: Options) -> io::Result<Self> {
        let Options { http, key, quota, catalogue, now } = options;
        let desk = Arc::new(Desk { key, catalogue: Mutex::new(catalogue), questions: Questions::new(quota, now) });
        let routes = Router::new().route("/api/v3/{collection}/{id}", get(look_up)).with_state(Arc::clone(&desk));
        Ok(Self { site: Site::open(http, routes)?, desk })
    }

    /// Without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.site.url()
    }

    pub fn add(&self, entry: Entry) {
        self.desk.catalogue.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// What was asked, as `files/…`, oldest first.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.desk.questions.asked()
    }

    /// Does `fault` to the next `times` questions. Replaces an earlier fault; zero ends it.
    pub fn set_fault(&self, fault: Fault, times: u32) {
        self.desk.questions.set_fault(fault, times);
    }

    /// Hangs up on everybody and returns when the port is free.
    pub async fn stop(self) {
        self.site.stop().await;
    }
}

async fn look_up(
    State(desk): State<Arc<Desk>>,
    Path((collection, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    desk.questions.note(format!("{collection}/{id}"));
    match headers.get("x-apikey").map(|key| key.as_bytes() == desk.key.as_bytes()) {
        None => return refuse(StatusCode::UNAUTHORIZED, "AuthenticationRequiredError", "X-Apikey header is missing"),
        Some(false) => return refuse(StatusCode::UNAUTHORIZED, "WrongCredentialsError", "Wrong API key"),
        Some(true) => {}
    }
    let fault = desk.questions.take_fault();
    if let Some(Fault::QuotaUsed { retry_after_s }) = fault {
        return quota_used(retry_after_s);
    }
    if !desk.questions.count() {
        return quota_used(None);
    }
    let lies = fault == Some(Fault::Lies);
    let good = desk.answer(&collection, &id, lies);
    match fault {
        Some(fault) => spoil(fault, good).await,
        None => good,
    }
}

impl Desk {
    fn answer(&self, collection: &str, id: &str, lies: bool) -> Response {
        let catalogue = self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        let is_asked = |entry: &&Entry| entry.object.is_called(collection, id);
        let found = if lies { catalogue.iter().find(|e| !is_asked(e)) } else { catalogue.iter().find(is_asked) };
        match found {
            Some(entry) => answer(StatusCode::OK, json!({"data": entry.written()}).to_string()),
            None => refuse(StatusCode::NOT_FOUND, "NotFoundError", &format!("\"{id}\" not found")),
        }
    }
}

impl Object {
    fn is_called(&self, collection: &str, id: &str) -> bool {
        match (self, collection) {
            (Self::File { sha256, sha1, md5 }, "files") => {
                [sha256, sha1, md5].iter().any(|hash| hash.eq_ignore_ascii_case(id))
            }
            (Self::Domain(name), "domains") => name.eq_ignore_ascii_case(id),
            (Self::Ip(address), "ip_addresses") => address == id,
            (Self::Url { url, sha256 }, "urls") => {
                sha256 == id || URL_SAFE_NO_PAD.decode(id).is_ok_and(|decoded| decoded == url.as_bytes())
            }
            _ => false,
        }
    }
}

impl Entry {
    fn written(&self) -> Value {
        let mut attributes = json!({
            "last_analysis_stats": {
                "malicious": self.malicious, "suspicious": self.suspicious, "harmless": self.harmless,
                "undetected": self.undetected, "timeout": 0, "failure": 1, "type-unsupported": 2,
            },
            "last_analysis_date": self.last_analysis_date,
            "first_submission_date": self.first_submission_date,
            "times_submitted": self.times_submitted,
            "reputation": self.reputation,
            "names": self.names,
        });
        if let Some(label) = &self.threat_label {
            let category = label.split('.').next().unwrap_or_default();
            attributes["popular_threat_classification"] = json!({
                "suggested_threat_label": label,
                "popular_threat_category": [{"value": category, "count": self.malicious}],
            });
        }
        if let Some(kind) = &self.type_description {
            attributes["type_description"] = kind.as_str().into();
        }
        if let Some(signer) = &self.signer {
            attributes["signature_info"] =
                json!({"verified": "Signed", "signers": format!("{signer}; Example CA; Example Root")});
        }
        let (kind, collection, id) = match &self.object {
            Object::File { sha256, sha1, md5 } => {
                attributes["sha256"] = sha256.as_str().into();
                attributes["sha1"] = sha1.as_str().into();
                attributes["md5"] = md5.as_str().into();
                ("file", "files", sha256)
            }
            Object::Domain(name) => ("domain", "domains", name),
            Object::Ip(address) => ("ip_address", "ip_addresses", address),
            Object::Url { url, sha256 } => {
                attributes["url"] = url.as_str().into();
                ("url", "urls", sha256)
            }
        };
        json!({
            "id": id, "type": kind, "attributes": attributes,
            "links": {"self": format!("https://www.virustotal.com/api/v3/{collection}/{id}")},
        })
    }
}

fn quota_used(retry_after_s: Option<u32>) -> Response {
    let mut answer = refuse(StatusCode::TOO_MANY_REQUESTS, "QuotaExceededError", "Quota exceeded");
    if let Some(seconds) = retry_after_s {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    answer(status, json!({"error": {"code": code, "message": message}}).to_string()).into_response()
}
