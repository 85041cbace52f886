//! A search engine that answers as Google's Programmable Search JSON interface documents it, from pages that it is given.
//! It knows one key and one engine, and finds only what is searched for in quotation marks.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Now;
use crate::questions::{Fault, Questions, Quota, json as answer, spoil};
use crate::web::Site;

/// Where the engine listens (port 0 lets the system choose), whom it knows, and what it has read.
#[derive(Clone, Debug)]
pub struct Options {
    pub http: SocketAddr,
    pub key: String,
    pub engine: String,
    pub quota: Option<Quota>,
    pub pages: Vec<Page>,
    pub now: Now,
}

/// A page that is found by the words in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub link: String,
    pub text: String,
}

/// A running engine. Ends when dropped.
#[derive(Debug)]
pub struct SearchSink {
    desk: Arc<Desk>,
    site: Site,
}

#[derive(Debug)]
struct Desk {
    key: String,
    engine: String,
    pages: Mutex<Vec<Page>>,
    questions: Questions,
}

impl SearchSink {
    /// # Errors
    /// When the port is taken or the address is not on the local machine.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(options: Options) -> io::Result<Self> {
        let Options { http, key, engine, quota, pages, now } = options;
        let desk = Arc::new(Desk { key, engine, pages: Mutex::new(pages), questions: Questions::new(quota, now) });
        let routes = Router::new().route("/customsearch/v1", get(search)).with_state(Arc::clone(&desk));
        Ok(Self { site: Site::open(http, routes)?, desk })
    }

    /// Without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.site.url()
    }

    pub fn add(&self, page: Page) {
        self.desk.pages.lock().unwrap_or_else(PoisonError::into_inner).push(page);
    }

    /// What was searched for, oldest first.
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

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    key: String,
    #[serde(default)]
    cx: String,
    #[serde(default)]
    q: String,
    num: Option<usize>,
}

async fn search(State(desk): State<Arc<Desk>>, Query(asked): Query<Asked>) -> Response {
    desk.questions.note(asked.q.clone());
    if asked.key != desk.key {
        // The real one repeats nothing of the key; a worse one might, and the client must not pass that on.
        let message = format!("API key not valid: {}", asked.key);
        return refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "API_KEY_INVALID", &message);
    }
    let num = asked.num.unwrap_or(10);
    if asked.cx != desk.engine || asked.q.is_empty() || !(1..=10).contains(&num) {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "invalid", "Request contains an invalid argument.");
    }
    let fault = desk.questions.take_fault();
    if let Some(Fault::QuotaUsed { retry_after_s }) = fault {
        return quota_used(retry_after_s);
    }
    if !desk.questions.count() {
        return quota_used(None);
    }
    let terms = if fault == Some(Fault::Lies) { "\"something else\"" } else { asked.q.as_str() };
    let good = answer(StatusCode::OK, desk.found(terms, num).to_string());
    match fault {
        Some(fault) => spoil(fault, good).await,
        None => good,
    }
}

impl Desk {
    fn found(&self, terms: &str, num: usize) -> Value {
        let words = terms.trim_matches('"').to_lowercase();
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let hits: Vec<&Page> = pages.iter().filter(|page| page.text.to_lowercase().contains(&words)).collect();
        let items: Vec<Value> = hits
            .iter()
            .take(num)
            .map(|page| {
                json!({"kind": "customsearch#result", "title": page.title, "link": page.link, "snippet": page.text})
            })
            .collect();
        let total = hits.len().to_string();
        let mut said = json!({
            "kind": "customsearch#search",
            "queries": {"request": [{
                "title": "Google Custom Search", "totalResults": total, "searchTerms": terms, "count": items.len(),
                "startIndex": 1, "cx": self.engine,
            }]},
            "searchInformation": {"searchTime": 0.2, "totalResults": total},
        });
        if !items.is_empty() {
            said["items"] = items.into();
        }
        said
    }
}

fn quota_used(retry_after_s: Option<u32>) -> Response {
    let mut answer = refuse(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "rateLimitExceeded", "Quota exceeded");
    if let Some(seconds) = retry_after_s {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

fn refuse(status: StatusCode, word: &str, reason: &str, message: &str) -> Response {
    let body = json!({"error": {
        "code": status.as_u16(), "message": message, "status": word,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }});
    answer(status, body.to_string())
}
