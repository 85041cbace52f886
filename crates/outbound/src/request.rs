//! What goes out and what comes back, without any HTTP library's types.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::far_side::Answer;
use crate::gate::{Lane, Turn, Urgency};

/// One request. Secrets are marked, so that neither `Debug` nor a log line shows them; nor does either show the query.
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, Value)>,
    pub(crate) body: Option<Body>,
    pub(crate) safety: Safety,
    pub(crate) lane: Lane,
    pub(crate) urgency: Urgency,
    pub(crate) turn: Option<Turn>,
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) max_body_bytes: Option<usize>,
}

impl Request {
    /// A read: it may be sent again at will.
    pub fn get(url: Url, lane: Lane) -> Self {
        Self::new(Method::Get, url, Safety::Repeatable, lane)
    }

    pub fn new(method: Method, url: Url, safety: Safety, lane: Lane) -> Self {
        let urgency = Urgency::default();
        Self {
            method,
            url,
            headers: vec![],
            body: None,
            safety,
            lane,
            urgency,
            turn: None,
            total_timeout: None,
            max_body_bytes: None,
        }
    }

    /// Goes out on a turn that was reserved, and takes no other.
    pub fn on_turn(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }

    pub fn urgency(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Value::Plain(value.into())));
        self
    }

    /// A header whose value is never shown, for instance `authorization`, with what stands before the secret.
    pub fn secret_header(mut self, name: &'static str, prefix: &'static str, secret: &Secret) -> Self {
        self.headers.push((name, Value::Secret(prefix, secret.clone())));
        self
    }

    pub fn json(self, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let bytes = serde_json::to_vec(value)?;
        Ok(self.body("application/json", bytes))
    }

    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.body("application/x-www-form-urlencoded", text.into_bytes())
    }

    pub fn body(mut self, content_type: &'static str, bytes: Vec<u8>) -> Self {
        self.body = Some(Body { content_type, bytes });
        self
    }

    pub fn safety(&self) -> Safety {
        self.safety
    }

    /// Another bound for the whole exchange than the door's own.
    pub fn within(mut self, total: Duration) -> Self {
        self.total_timeout = Some(total);
        self
    }

    /// Another bound for the answer than the door's own.
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.max_body_bytes = Some(bytes);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("path", &self.url.path())
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.as_ref().map(|b| b.bytes.len()))
            .field("safety", &self.safety)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether sending a second time could do a second thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Reads, and writes that the far side recognises as the same.
    Repeatable,
    /// When the answer is lost the caller must look before it sends again (REL-06).
    OnceOnly,
}

impl Safety {
    pub(crate) fn is_once_only(self) -> bool {
        self == Self::OnceOnly
    }
}

/// A token or password. It shows itself only to the door that writes it on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the one place that puts it on the wire or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Clone)]
pub(crate) enum Value {
    Plain(String),
    Secret(&'static str, Secret),
}

impl Value {
    pub(crate) fn on_the_wire(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Secret(prefix, secret) => format!("{prefix}{}", secret.expose()),
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(..))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(text) => fmt::Debug::fmt(text, f),
            Self::Secret(_, secret) => fmt::Debug::fmt(secret, f),
        }
    }
}

pub(crate) struct Body {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// A 2xx answer, read to its end.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Reply {
    pub(crate) fn new(answer: Answer) -> Self {
        Self { status: answer.status, headers: answer.headers, body: answer.body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

pub(crate) fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Rate;

    #[test]
    fn neither_a_secret_nor_the_query_is_shown_sec_11() {
        let url = Url::parse("https://a.example/x?key=canary-query").unwrap();
        let lane = Lane::new("test", Rate::per_second(1));
        let request = Request::get(url, lane)
            .secret_header("authorization", "ApiToken ", &Secret::new("canary-token"))
            .body("text/plain", b"canary-body".to_vec());
        let shown = format!("{request:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("Secret(…)"));
        assert!(request.headers[0].1.on_the_wire().ends_with("canary-token"));
    }
}
