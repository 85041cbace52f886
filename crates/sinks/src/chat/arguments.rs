//! What a call says, whichever way it says it: a JSON object, a form, or (for reading calls) the query of its address.

use axum::RequestExt;
use axum::extract::{Form, Request};
use axum::http::{Method, header};
use serde_json::{Map, Value};

/// The arguments of one call by name. In a form everything is text, so every reader takes text for what it stands for.
#[derive(Debug)]
pub(super) struct Arguments {
    given: Map<String, Value>,
    /// Slack takes JSON without `charset=utf-8` and complains about it in its answer.
    pub(super) lacks_charset: bool,
}

impl Arguments {
    /// Reads them, or says with Slack's word for it why that is not possible.
    pub(super) async fn read(request: Request) -> Result<Self, &'static str> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        if request.method() == Method::GET || kind.starts_with("application/x-www-form-urlencoded") {
            let Form(pairs) =
                request.extract::<Form<Vec<(String, String)>>, _>().await.map_err(|_| "invalid_form_data")?;
            let given = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
            return Ok(Self { given, lacks_charset: false });
        }
        if kind.starts_with("application/json") {
            let body = request.extract::<String, _>().await.map_err(|_| "invalid_json")?;
            let Value::Object(given) = serde_json::from_str(&body).map_err(|_| "invalid_json")? else {
                return Err("json_not_object");
            };
            return Ok(Self { given, lacks_charset: !kind.contains("charset") });
        }
        if kind.is_empty() { Ok(Self { given: Map::new(), lacks_charset: false }) } else { Err("invalid_post_type") }
    }

    /// Text that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.given.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => Some(matches!(text.as_str(), "true" | "1")),
            Value::Number(number) => Some(number.as_i64() == Some(1)),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        match self.given.get(name)? {
            Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// An argument that is JSON itself, as it is or written out as text.
    pub(super) fn structured(&self, name: &str) -> Result<Option<Value>, serde_json::Error> {
        match self.given.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}
