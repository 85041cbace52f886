//! The methods of the Web API: `auth.test`, `chat.postMessage`, `chat.update`, and for reading back what was taken
//! `conversations.info`, `.history` and `.replies`. Refusals come as Slack gives them: status 200, `ok` false, and a word.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Fault;
use super::arguments::Arguments;
use super::blocks::{self, Flaw};
use super::ledger::{Channel, Edit, Ledger, Post};
use crate::Now;
use crate::web::{hang_up, pause};

const TEAM: &str = "T0SINK";
const USER: &str = "U0SINK";
const BOT: &str = "B0SINK";
const APP: &str = "A0SINK";
const SCOPES: &str = "chat:write,channels:read,groups:read,channels:history,groups:history,metadata.message:read";
const MAX_TEXT: usize = 40_000;
const MAX_PAGE: usize = 999;
const USUAL_PAGE: usize = 100;

/// Everything the methods work with.
#[derive(Debug)]
pub(super) struct Desk {
    token: String,
    pub(super) ledger: Ledger,
    now: Now,
}

impl Desk {
    pub(super) fn new(token: String, channels: Vec<Channel>, now: Now) -> Self {
        Self { token, ledger: Ledger::new(channels), now }
    }
}

pub(super) fn routes(desk: Arc<Desk>) -> Router {
    Router::new().route("/api/{method}", any(call)).with_state(desk)
}

/// Slack's word for why not, and details for people.
#[derive(Debug)]
struct Refusal {
    error: String,
    details: Vec<String>,
}

impl From<&str> for Refusal {
    fn from(error: &str) -> Self {
        Self { error: error.to_owned(), details: Vec::new() }
    }
}

async fn call(State(desk): State<Arc<Desk>>, Path(method): Path<String>, request: Request) -> Response {
    let writes = matches!(method.as_str(), "chat.postMessage" | "chat.update");
    if request.method() != Method::POST && (writes || request.method() != Method::GET) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let fault = if writes { desk.ledger.take_fault() } else { None };
    match &fault {
        Some(Fault::RateLimited { retry_after_s }) => {
            let headers = [(header::RETRY_AFTER, retry_after_s.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, headers, refused(&"ratelimited".into())).into_response();
        }
        Some(Fault::Refused(error)) => return refused(&error.as_str().into()).into_response(),
        Some(Fault::Unavailable) => return (StatusCode::SERVICE_UNAVAILABLE, "upstream is away").into_response(),
        Some(Fault::LostAnswer | Fault::Slow(_)) | None => {}
    }
    let answer = answer(&desk, &method, request).await;
    match fault {
        Some(Fault::LostAnswer) => hang_up(),
        Some(Fault::Slow(delay)) => {
            pause(delay).await;
            answer
        }
        _ => answer,
    }
}

async fn answer(desk: &Desk, method: &str, request: Request) -> Response {
    let result = async {
        admit(&desk.token, request.headers())?;
        let arguments = Arguments::read(request).await?;
        let mut said = dispatch(desk, method, &arguments)?;
        said["ok"] = true.into();
        if arguments.lacks_charset {
            said["warning"] = "missing_charset".into();
            said["response_metadata"]["warnings"] = json!(["missing_charset"]);
        }
        Ok::<Value, Refusal>(said)
    };
    let body = match result.await {
        Ok(said) => Json(said),
        Err(refusal) => refused(&refusal),
    };
    ([("x-oauth-scopes", SCOPES)], body).into_response()
}

fn admit(token: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match given.and_then(|value| value.strip_prefix("Bearer ")) {
        None => Err("not_authed".into()),
        Some(given) if given == token => Ok(()),
        Some(_) => Err("invalid_auth".into()),
    }
}

fn dispatch(desk: &Desk, method: &str, arguments: &Arguments) -> Result<Value, Refusal> {
    match method {
        "auth.test" => Ok(json!({
            "url": "https://sink.slack.example/", "team": "Sink", "user": "yagura",
            "team_id": TEAM, "user_id": USER, "bot_id": BOT, "is_enterprise_install": false,
        })),
        "chat.postMessage" => post(desk, arguments),
        "chat.update" => update(desk, arguments),
        "conversations.info" => info(desk, arguments),
        "conversations.history" => history(desk, arguments),
        "conversations.replies" => replies(desk, arguments),
        _ => Err("unknown_method".into()),
    }
}

fn post(desk: &Desk, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = arguments.text("channel").ok_or("channel_not_found")?.to_owned();
    let (text, blocks, metadata) = content(arguments)?;
    let post = desk.ledger.accept(Post {
        channel,
        ts: String::new(),
        thread_ts: arguments.text("thread_ts").map(str::to_owned),
        text,
        blocks: blocks.unwrap_or_default(),
        metadata,
        client_msg_id: arguments.text("client_msg_id").map(str::to_owned),
        unfurls: arguments.flag("unfurl_links") == Some(true) || arguments.flag("unfurl_media") != Some(false),
        accepted_at: desk.now.ask(),
        edited_at: None,
        edits: 0,
    })?;
    Ok(json!({ "channel": post.channel, "ts": post.ts, "message": message(&post, true) }))
}

fn update(desk: &Desk, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = arguments.text("channel").ok_or("channel_not_found")?;
    let ts = arguments.text("ts").ok_or("message_not_found")?;
    let (text, blocks, metadata) = content(arguments)?;
    let post = desk.ledger.edit(channel, ts, Edit { text, blocks, metadata }, desk.now.ask())?;
    Ok(json!({ "channel": post.channel, "ts": post.ts, "text": post.text, "message": message(&post, true) }))
}

type Content = (String, Option<Vec<Value>>, Option<Value>);

/// What a post or an edit says, checked.
fn content(arguments: &Arguments) -> Result<Content, Refusal> {
    let text = arguments.text("text").ok_or("no_text")?.to_owned();
    if text.chars().count() > MAX_TEXT {
        return Err("msg_too_long".into());
    }
    let blocks = match arguments.structured("blocks") {
        Ok(None) => None,
        Ok(Some(Value::Array(blocks))) => Some(blocks),
        Ok(Some(_)) | Err(_) => return Err("invalid_blocks_format".into()),
    };
    match blocks::check(blocks.as_deref().unwrap_or_default()) {
        Ok(()) => {}
        Err(Flaw::TooLong) => return Err("msg_blocks_too_long".into()),
        Err(Flaw::Invalid(details)) => return Err(Refusal { error: "invalid_blocks".into(), details }),
    }
    let metadata = arguments.structured("metadata").map_err(|_| "invalid_metadata_format")?;
    if let Some(metadata) = &metadata
        && !(metadata["event_type"].is_string() && metadata["event_payload"].is_object())
    {
        return Err("invalid_metadata_format".into());
    }
    Ok((text, blocks, metadata))
}

fn info(desk: &Desk, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = known_channel(desk, arguments)?;
    Ok(json!({ "channel": {
        "id": channel.id, "name": channel.name, "name_normalized": channel.name, "context_team_id": TEAM,
        "is_channel": true, "is_group": false, "is_im": false, "is_mpim": false, "is_private": false,
        "is_archived": false, "is_general": false, "is_member": true,
        "is_shared": channel.shared, "is_ext_shared": channel.shared, "is_org_shared": false,
    } }))
}

fn known_channel(desk: &Desk, arguments: &Arguments) -> Result<Channel, Refusal> {
    let id = arguments.text("channel").ok_or("channel_not_found")?;
    desk.ledger.channels().into_iter().find(|channel| channel.id == id).ok_or_else(|| "channel_not_found".into())
}

/// The parents and lone posts of a channel, newest first.
fn history(desk: &Desk, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = known_channel(desk, arguments)?;
    let posts = desk.ledger.posts();
    let mut found: Vec<&Post> = posts.iter().map(AsRef::as_ref).filter(|p| p.channel == channel.id).collect();
    found.retain(|post| post.thread_ts.is_none() && in_range(&post.ts, arguments));
    found.reverse();
    page(&found, arguments, |post, after| post.ts.as_str() < after)
}

/// One thread, its parent first.
fn replies(desk: &Desk, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = known_channel(desk, arguments)?;
    let ts = arguments.text("ts").ok_or("thread_not_found")?;
    let posts = desk.ledger.posts();
    let mut found: Vec<&Post> = posts.iter().map(AsRef::as_ref).filter(|p| p.channel == channel.id).collect();
    let root = found.iter().find(|post| post.ts == ts).map(|post| post.root().to_owned()).ok_or("thread_not_found")?;
    found.retain(|post| post.root() == root && (post.ts == root || in_range(&post.ts, arguments)));
    page(&found, arguments, |post, after| post.ts.as_str() > after)
}

/// Stamps have one length for the next two centuries, so their order is the order of their text.
fn in_range(ts: &str, arguments: &Arguments) -> bool {
    let inclusive = arguments.flag("inclusive") == Some(true);
    let on_edge = |edge: &str| inclusive && ts == edge;
    arguments.text("oldest").is_none_or(|oldest| ts > oldest || on_edge(oldest))
        && arguments.text("latest").is_none_or(|latest| ts < latest || on_edge(latest))
}

/// One page of posts. The cursor names the last post of the page before.
fn page(posts: &[&Post], arguments: &Arguments, comes_after: impl Fn(&Post, &str) -> bool) -> Result<Value, Refusal> {
    let limit = arguments.number("limit").unwrap_or(USUAL_PAGE).clamp(1, MAX_PAGE);
    let after = match arguments.text("cursor") {
        None => None,
        Some(cursor) => Some(read_cursor(cursor).ok_or("invalid_cursor")?),
    };
    let left: Vec<&&Post> =
        posts.iter().filter(|p| after.as_deref().is_none_or(|after| comes_after(p, after))).collect();
    let shown = &left[..left.len().min(limit)];
    let with_metadata = arguments.flag("include_all_metadata") == Some(true);
    let next = if left.len() > limit { shown.last().map(|last| write_cursor(&last.ts)) } else { None };
    Ok(json!({
        "messages": shown.iter().map(|post| message(post, with_metadata)).collect::<Vec<_>>(),
        "has_more": next.is_some(),
        "response_metadata": { "next_cursor": next.unwrap_or_default() },
    }))
}

fn write_cursor(ts: &str) -> String {
    STANDARD.encode(format!("next_ts:{ts}"))
}

fn read_cursor(cursor: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("next_ts:").map(str::to_owned)
}

fn message(post: &Post, with_metadata: bool) -> Value {
    let mut message = json!({
        "type": "message", "user": USER, "bot_id": BOT, "app_id": APP, "team": TEAM, "text": post.text, "ts": post.ts,
    });
    if !post.blocks.is_empty() {
        message["blocks"] = post.blocks.clone().into();
    }
    if let Some(parent) = &post.thread_ts {
        message["thread_ts"] = parent.as_str().into();
    }
    if let Some(id) = &post.client_msg_id {
        message["client_msg_id"] = id.as_str().into();
    }
    if let Some(metadata) = post.metadata.as_ref().filter(|_| with_metadata) {
        message["metadata"] = metadata.clone();
    }
    if let Some(edited) = post.edited_at {
        message["edited"] = json!({ "user": USER, "ts": format!("{}.000000", edited.as_second()) });
    }
    message
}

fn refused(refusal: &Refusal) -> Json<Value> {
    let mut body = json!({ "ok": false, "error": refusal.error });
    if !refusal.details.is_empty() {
        let messages: Vec<String> = refusal.details.iter().map(|detail| format!("[ERROR] {detail}")).collect();
        body["errors"] = json!(refusal.details);
        body["response_metadata"] = json!({ "messages": messages });
    }
    Json(body)
}
