//! A notice as a post in a customer's Slack channel: composing is pure, `Slack` posts through the one HTTP door.
//!
//! All notices of an incident stand in the thread of its first. Slack does not recognise a repeated post, so each carries
//! its key as metadata, and after a lost answer the channel is read before anything is posted again (REL-06).

use std::fmt;
use std::time::Duration;

use domain::{SlackChannelId, Timestamp, Untrusted};
use outbound::{Lane, Method, Outbound, Rate, Reply, Request, Safety, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

mod error;
mod post;
#[cfg(test)]
mod tests;

pub use error::{Cause, Error};
pub use post::{Post, compose};

/// What Slack allows an app: a post a second in a channel, and some fifty reading calls a minute.
const POSTS: Rate = Rate::per_second(1).burst(4);
const READS: Rate = Rate::per_minute(50).burst(10);
/// Slack answers in well under a second; a P0 must not hang on it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most posts that are read when looking for one of ours.
const PAGE: u32 = 200;
const MAX_PAGES: u32 = 5;
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// The name of our metadata.
const EVENT: &str = "yagura_notice";

#[derive(Debug, Clone)]
pub struct Settings {
    /// A bot token with `chat:write`, and for looking before posting again the history scopes and `metadata.message:read`.
    pub token: Secret,
    /// Where the methods are; ends with a slash.
    pub api: Url,
}

impl Settings {
    pub fn new(token: Secret) -> Self {
        // A constant that a unit test parses.
        let api = Url::parse(API).expect("a constant URL");
        Self { token, api }
    }
}

const API: &str = "https://slack.com/api/";

/// One workspace as our app sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slack {
    outbound: Outbound,
    settings: Settings,
}

/// A post within its channel, `1700000000.000100`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp(String);

/// The channel took the post (T3a).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub channel: SlackChannelId,
    /// Of a first notice: what later notices pass as their thread.
    pub stamp: Stamp,
}

/// Who the token makes us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub team: Untrusted,
    pub user: Untrusted,
    bot: Option<String>,
}

impl Slack {
    pub fn new(outbound: Outbound, settings: Settings) -> Self {
        Self { outbound, settings }
    }

    /// Posts once. `thread` is the stamp of the incident's first notice, `None` for that notice itself.
    pub async fn send(
        &self,
        post: &Post,
        channel: &SlackChannelId,
        thread: Option<&Stamp>,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let mut body = post.body();
        body["channel"] = channel.as_str().into();
        if let Some(thread) = thread {
            body["thread_ts"] = thread.0.as_str().into();
        }
        let lane = Lane::new(&format!("slack post {channel}"), POSTS);
        let request = self.request(POST, Safety::OnceOnly, lane)?.body(JSON, body.to_string().into_bytes());
        let answer: Posted = self.call(POST, request, now).await?;
        tracing::debug!(slack.channel = channel.as_str(), slack.ts = answer.ts.0, "the channel took a post");
        Ok(Accepted { channel: channel.clone(), stamp: answer.ts })
    }

    /// Looks whether `post` already stands there, for after an error that `may_have_been_sent`. `since` is from when on it
    /// can have been posted. Only a post of our own app counts.
    pub async fn find(
        &self,
        post: &Post,
        channel: &SlackChannelId,
        thread: Option<&Stamp>,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Accepted>, Error> {
        let own = self.identify(now).await?.bot;
        let method = if thread.is_some() { REPLIES } else { HISTORY };
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let (limit, oldest) = (PAGE.to_string(), format!("{}.000000", since.as_second().max(0)));
            let mut form = vec![
                ("channel", channel.as_str()),
                ("limit", &limit),
                ("oldest", &oldest),
                ("include_all_metadata", "true"),
            ];
            form.extend(thread.map(|t| ("ts", t.0.as_str())));
            form.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
            let request = self.request(method, Safety::Repeatable, Lane::new("slack read", READS))?.form(&form);
            let page: Page = self.call(method, request, now).await?;
            let mine = |m: &&Message| m.bot_id == own && m.key() == Some(post.key());
            if let Some(found) = page.messages.iter().find(mine) {
                return Ok(Some(Accepted { channel: channel.clone(), stamp: found.ts.clone() }));
            }
            cursor = page.response_metadata.unwrap_or_default().next_cursor;
            if cursor.is_empty() {
                return Ok(None);
            }
        }
        Err(Error::TooMuchToRead { posts: PAGE * MAX_PAGES })
    }

    /// Checks the token.
    pub async fn identify(&self, now: Timestamp) -> Result<Identity, Error> {
        let request = self.request(AUTH, Safety::Repeatable, Lane::new("slack read", READS))?.form(&[]);
        let who: Who = self.call(AUTH, request, now).await?;
        Ok(Identity { team: Untrusted::new(&who.team), user: Untrusted::new(&who.user), bot: who.bot_id })
    }

    fn request(&self, method: &'static str, safety: Safety, lane: Lane) -> Result<Request, Error> {
        let url = self.settings.api.join(method).map_err(|_| Error::Address)?;
        Ok(Request::new(Method::Post, url, safety, lane)
            .secret_header("authorization", "Bearer ", &self.settings.token)
            .within(PATIENCE)
            .at_most(MAX_ANSWER))
    }

    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: &'static str,
        request: Request,
        now: Timestamp,
    ) -> Result<T, Error> {
        let reply = self.outbound.send(request, now).await.map_err(|source| Error::Door { method, source })?;
        read(method, &reply)
    }
}

const POST: &str = "chat.postMessage";
const HISTORY: &str = "conversations.history";
const REPLIES: &str = "conversations.replies";
const AUTH: &str = "auth.test";
const JSON: &str = "application/json; charset=utf-8";

/// Slack answers 200 to almost everything; `ok` says whether it did what it was asked.
fn read<T: serde::de::DeserializeOwned>(method: &'static str, reply: &Reply) -> Result<T, Error> {
    let unreadable = |source| Error::Unreadable { method, source };
    let value: Value = reply.json().map_err(unreadable)?;
    if value["ok"] == true {
        return T::deserialize(value).map_err(unreadable);
    }
    let word = value["error"].as_str().unwrap_or("no reason given");
    let details = value["response_metadata"]["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let details = details.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
    Err(Error::Refused { method, word: Untrusted::new(word), details: Untrusted::new(&details) })
}

#[derive(Debug, Deserialize)]
struct Posted {
    ts: Stamp,
}

#[derive(Debug, Deserialize)]
struct Who {
    #[serde(default)]
    team: String,
    #[serde(default)]
    user: String,
    bot_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Page {
    messages: Vec<Message>,
    response_metadata: Option<Next>,
}

#[derive(Debug, Default, Deserialize)]
struct Next {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Debug, Deserialize)]
struct Message {
    ts: Stamp,
    bot_id: Option<String>,
    #[serde(default)]
    metadata: Value,
}

impl Message {
    fn key(&self) -> Option<&str> {
        (self.metadata["event_type"] == EVENT).then(|| self.metadata["event_payload"]["idempotency_key"].as_str())?
    }
}

/// What makes a post ours, for Slack and for whoever counts.
fn metadata(key: &str) -> Value {
    json!({ "event_type": EVENT, "event_payload": { "idempotency_key": key } })
}

impl TryFrom<String> for Stamp {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let valid = text.len() <= 40 && text.split_once('.').is_some_and(|(s, n)| digits(s) && digits(n));
        if valid { Ok(Self(text)) } else { Err(format!("`{}` does not name a post", text.escape_default())) }
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> String {
        stamp.0
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
