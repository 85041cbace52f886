//! What was posted, how often under which key, and what the service is told to do wrong. Bounded like the ledger of the
//! mails: old posts go, the counts that prove a doubled post stay, and without room to count nothing is taken.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::{Fault, markup};

const KEPT_POSTS: usize = 10_000;
const KEPT_BYTES: usize = 64 * 1024 * 1024;
const COUNTED_KEYS: usize = 500_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// As the API wants it, `C0ACME`.
    pub id: String,
    /// As people see it, without `#`.
    pub name: String,
    /// Whether another company is in it (Slack Connect).
    pub shared: bool,
}

#[derive(Clone, Debug)]
pub struct Post {
    pub channel: String,
    /// Names the post within its channel, `1700000000.000100`.
    pub ts: String,
    /// The parent, if this is a reply.
    pub thread_ts: Option<String>,
    pub text: String,
    pub blocks: Vec<Value>,
    pub metadata: Option<Value>,
    pub client_msg_id: Option<String>,
    /// Whether Slack would fetch and show a preview of the links in it.
    pub unfurls: bool,
    pub accepted_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub edits: u32,
}

impl Post {
    /// What the sender calls this post: `idempotency_key` in the payload of its metadata, else `client_msg_id`.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        let payload = self.metadata.as_ref().and_then(|metadata| metadata.get("event_payload"));
        let key = payload.and_then(|payload| payload.get("idempotency_key")).and_then(Value::as_str);
        key.or(self.client_msg_id.as_deref())
    }

    /// The parent of the thread, which may be this post itself.
    #[must_use]
    pub fn root(&self) -> &str {
        self.thread_ts.as_deref().unwrap_or(&self.ts)
    }

    /// Everything a reader sees, block after block; the text where there are no blocks.
    #[must_use]
    pub fn words(&self) -> String {
        if self.blocks.is_empty() { self.text.clone() } else { self.texts().join("\n") }
    }

    /// Who is called by it: `!here`, `!channel`, `@U…`. Data from outside must never call anybody.
    #[must_use]
    pub fn mentions(&self) -> Vec<String> {
        self.texts().into_iter().chain([self.text.as_str()]).flat_map(markup::mentions).collect()
    }

    /// The contents of all text objects.
    fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        // The last in is looked at first, so children go in backwards. Depth is bounded by the JSON parser.
        let mut open: Vec<&Value> = self.blocks.iter().rev().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::Object(object) => {
                    if let (Some(Value::String(text)), Some(Value::String(_))) =
                        (object.get("text"), object.get("type"))
                    {
                        found.push(text.as_str());
                    }
                    let children: Vec<&Value> = ["text", "fields", "elements", "accessory", "title"]
                        .iter()
                        .filter_map(|k| object.get(*k))
                        .collect();
                    open.extend(children.into_iter().rev());
                }
                Value::Array(items) => open.extend(items.iter().rev()),
                _ => {}
            }
        }
        found
    }

    fn weight(&self) -> usize {
        let size = |value: &Value| value.to_string().len();
        self.text.len() + self.blocks.iter().map(size).sum::<usize>() + self.metadata.as_ref().map_or(0, size)
    }
}

/// What an edit replaces; what is not given stays.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) text: String,
    pub(super) blocks: Option<Vec<Value>>,
    pub(super) metadata: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Ledger {
    book: Mutex<Book>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    channels: Vec<Channel>,
    posts: VecDeque<Arc<Post>>,
    bytes: usize,
    last_ts: i64,
    accepted: u64,
    unkeyed: u64,
    /// How often each key came to each channel.
    copies: HashMap<(String, String), u32>,
    fault: Option<(Fault, u32)>,
}

impl Ledger {
    pub(super) fn new(channels: Vec<Channel>) -> Self {
        Self { book: Mutex::new(Book { channels, ..Book::default() }), changes: watch::Sender::new(0) }
    }

    /// Enters a post under the next free `ts`. The refusal is Slack's word for it.
    pub(super) fn accept(&self, mut post: Post) -> Result<Arc<Post>, &'static str> {
        let mut book = self.book();
        if !book.channels.iter().any(|channel| channel.id == post.channel) {
            return Err("channel_not_found");
        }
        if let Some(parent) = &post.thread_ts
            && !book.posts.iter().any(|p| p.channel == post.channel && p.ts == *parent && p.thread_ts.is_none())
        {
            return Err("thread_not_found");
        }
        if book.copies.len() >= COUNTED_KEYS {
            return Err("message_limit_exceeded");
        }
        match post.key() {
            Some(key) => *book.copies.entry((post.channel.clone(), key.to_owned())).or_default() += 1,
            None => book.unkeyed += 1,
        }
        book.last_ts = post.accepted_at.as_microsecond().max(book.last_ts + 1);
        post.ts = format!("{}.{:06}", book.last_ts.div_euclid(1_000_000), book.last_ts.rem_euclid(1_000_000));
        let post = Arc::new(post);
        book.accepted += 1;
        book.bytes += post.weight();
        book.posts.push_back(Arc::clone(&post));
        book.forget_the_oldest();
        self.changes.send_modify(|changes| *changes += 1);
        Ok(post)
    }

    pub(super) fn edit(&self, channel: &str, ts: &str, edit: Edit, now: Timestamp) -> Result<Arc<Post>, &'static str> {
        let mut book = self.book();
        if !book.channels.iter().any(|c| c.id == channel) {
            return Err("channel_not_found");
        }
        let at = book.posts.iter().position(|p| p.channel == channel && p.ts == ts).ok_or("message_not_found")?;
        let old = Arc::clone(&book.posts[at]);
        let new = Arc::new(Post {
            text: edit.text,
            blocks: edit.blocks.unwrap_or_else(|| old.blocks.clone()),
            metadata: edit.metadata.or_else(|| old.metadata.clone()),
            edited_at: Some(now),
            edits: old.edits.saturating_add(1),
            ..(*old).clone()
        });
        book.bytes = book.bytes - old.weight() + new.weight();
        book.posts[at] = Arc::clone(&new);
        book.forget_the_oldest();
        self.changes.send_modify(|changes| *changes += 1);
        Ok(new)
    }

    pub(super) fn add_channel(&self, channel: Channel) {
        let mut book = self.book();
        book.channels.retain(|c| c.id != channel.id);
        book.channels.push(channel);
    }

    pub(super) fn channels(&self) -> Vec<Channel> {
        self.book().channels.clone()
    }

    pub(super) fn posts(&self) -> Vec<Arc<Post>> {
        self.book().posts.iter().cloned().collect()
    }

    pub(super) fn accepted(&self) -> u64 {
        self.book().accepted
    }

    pub(super) fn unkeyed(&self) -> u64 {
        self.book().unkeyed
    }

    pub(super) fn doubled(&self) -> Vec<String> {
        let book = self.book();
        let keys: BTreeSet<&String> = book.copies.iter().filter(|(_, n)| **n > 1).map(|((_, key), _)| key).collect();
        keys.into_iter().cloned().collect()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn set_fault(&self, fault: Fault, posts: u32) {
        self.book().fault = (posts > 0).then_some((fault, posts));
    }

    /// The fault for the call at hand, if any is due.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        let mut book = self.book();
        let (fault, left) = book.fault.take()?;
        book.fault = (left > 1).then(|| (fault.clone(), left - 1));
        Some(fault)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing panics between two changes that belong together, so what is there is whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn forget_the_oldest(&mut self) {
        while self.posts.len() > KEPT_POSTS || (self.bytes > KEPT_BYTES && self.posts.len() > 1) {
            let oldest = self.posts.pop_front();
            self.bytes -= oldest.map_or(0, |post| post.weight());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(second: i64, key: &str) -> Post {
        Post {
            channel: "C0ACME".into(),
            ts: String::new(),
            thread_ts: None,
            text: "text".into(),
            blocks: Vec::new(),
            metadata: None,
            client_msg_id: Some(key.into()),
            unfurls: false,
            accepted_at: Timestamp::from_second(second).expect("a time"),
            edited_at: None,
            edits: 0,
        }
    }

    fn ledger() -> Ledger {
        Ledger::new(vec![Channel { id: "C0ACME".into(), name: "acme".into(), shared: true }])
    }

    #[test]
    fn stamps_are_unique_and_rise_even_when_time_stands_still_or_goes_back() {
        let ledger = ledger();
        let stamp = |second| ledger.accept(post(second, "k")).expect("accepted").ts.clone();
        assert_eq!(stamp(1_700_000_000), "1700000000.000000");
        assert_eq!(stamp(1_700_000_000), "1700000000.000001");
        assert_eq!(stamp(1_600_000_000), "1700000000.000002");
        assert_eq!(stamp(1_700_000_001), "1700000001.000000");
    }

    #[test]
    fn posts_are_kept_in_bounded_number_and_counted_all_the_same() {
        let ledger = ledger();
        for second in 0..=KEPT_POSTS {
            ledger.accept(post(i64::try_from(second).expect("small"), &second.to_string())).expect("accepted");
        }
        assert_eq!((ledger.posts().len(), ledger.accepted()), (KEPT_POSTS, KEPT_POSTS as u64 + 1));
        ledger.accept(post(20_000, "0")).expect("accepted");
        assert_eq!(ledger.doubled(), ["0"], "a post that is no longer kept is still known");
    }
}
