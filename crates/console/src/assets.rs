//! The files that pages are made of, built into the program.
//!
//! Their address holds a hash over all of them, so browsers may keep them for ever, and modules that import one another by
//! relative names always get the versions that belong together.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::error::Fault;

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $kind:literal) => {
        Asset { name: $name, kind: $kind, body: include_bytes!(concat!("../assets/", $name)) }
    };
}

const ALL: &[Asset] = &[
    asset!("console.css", "text/css; charset=utf-8"),
    asset!("console.js", "text/javascript; charset=utf-8"),
    asset!("dialogs.js", "text/javascript; charset=utf-8"),
    asset!("hand-over.js", "text/javascript; charset=utf-8"),
    asset!("incident.js", "text/javascript; charset=utf-8"),
    asset!("keys.js", "text/javascript; charset=utf-8"),
    asset!("live.js", "text/javascript; charset=utf-8"),
    asset!("queue.js", "text/javascript; charset=utf-8"),
    asset!("time.js", "text/javascript; charset=utf-8"),
    asset!("yagura.svg", "image/svg+xml"),
];

/// Changes when any of the files does.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    for asset in ALL {
        hasher.update(asset.name.as_bytes());
        hasher.update(asset.body.len().to_be_bytes());
        hasher.update(asset.body);
    }
    hex::encode(&hasher.finalize()[..8])
});

/// Where a page finds one of the files.
pub(crate) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

pub(crate) async fn serve(
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let asset = ALL.iter().find(|a| a.name == name).ok_or(Fault::NotFound)?;
    // Another version's files are gone; answering with ours would mix the two.
    if version != *VERSION {
        return Err(Fault::NotFound);
    }
    let etag = format!("\"{version}\"");
    let fixed =
        [(header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()), (header::ETAG, etag.clone())];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    Ok((fixed, [(header::CONTENT_TYPE, asset.kind)], asset.body).into_response())
}
