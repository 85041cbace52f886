//! A browser of one person: keeps cookies, sends forms as a page of ours would.

#![allow(dead_code, clippy::unwrap_used, reason = "each user takes what it needs, and a test that cannot go on stops")]

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tower::ServiceExt;

use super::{ORIGIN, PASSWORD, Soc};

pub struct Browser<'a> {
    pub soc: &'a Soc,
    pub cookies: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |l| l.to_str().unwrap())
    }
}

impl<'a> Browser<'a> {
    pub fn new(soc: &'a Soc) -> Self {
        Self { soc, cookies: Vec::new() }
    }

    pub async fn signed_in(soc: &'a Soc, person: &str) -> Self {
        let mut browser = Self::new(soc);
        let answer = browser.post("/sign-in", &[("person", person), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{person} signs in: {}", answer.body);
        browser
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, "text/html", &[], Some("same-origin")).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.ask(Method::POST, path, "text/html", form, Some("same-origin")).await
    }

    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        accept: &str,
        form: &[(&str, &str)],
        site: Option<&str>,
    ) -> Answer {
        let headers: Vec<(&str, &str)> = site.map(|site| ("sec-fetch-site", site)).into_iter().collect();
        self.ask_with(method, path, accept, form, &headers).await
    }

    pub async fn ask_with(
        &mut self,
        method: Method,
        path: &str,
        accept: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        request = request.header(header::HOST, ORIGIN.trim_start_matches("http://"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body: Vec<String> = form.iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect();
        let request = request.body(Body::from(body.join("&"))).unwrap();
        let response = self.soc.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        // An event stream never ends; its head is enough.
        let streams = parts.headers.get(header::CONTENT_TYPE).is_some_and(|t| t == "text/event-stream");
        let bytes = if streams { Vec::new() } else { to_bytes(body, 16 << 20).await.unwrap().to_vec() };
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
