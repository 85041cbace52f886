//! A chat service that keeps what is posted to it: the part of Slack's Web API that a notifier uses, and a page with the
//! channels and threads as their members see them.
//! It is stricter than Slack: a message needs a text beside its blocks, a thread needs a parent that exists, and block
//! types that the page cannot show are refused. It pushes no events and has no people in it.

mod api;
mod arguments;
mod blocks;
mod ledger;
mod markup;
mod page;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Now;
use crate::web::Site;
use api::Desk;

pub use ledger::{Channel, Post};

/// Where the sink listens (port 0 lets the system choose), the one token it knows, and its channels.
#[derive(Clone, Debug)]
pub struct Options {
    pub http: SocketAddr,
    pub token: String,
    pub channels: Vec<Channel>,
    pub now: Now,
}

/// What the service does instead of simply taking a post or an edit. Reading calls are not affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers 429 with this `Retry-After`.
    RateLimited { retry_after_s: u32 },
    /// Answers `{"ok": false, "error": …}` with this error.
    Refused(String),
    /// Answers 503, without JSON.
    Unavailable,
    /// Takes the post and hangs up before saying so: the sender cannot know that it was taken.
    LostAnswer,
    /// Takes the post and says so only after this long.
    Slow(Duration),
}

/// A running chat service with its page. Ends when dropped.
#[derive(Debug)]
pub struct ChatSink {
    desk: Arc<Desk>,
    site: Site,
}

impl ChatSink {
    /// Listens for API calls and readers on one port.
    ///
    /// # Errors
    /// When the port is taken or the address is not on the local machine.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(options: Options) -> io::Result<Self> {
        let desk = Arc::new(Desk::new(options.token, options.channels, options.now));
        let routes = api::routes(Arc::clone(&desk)).merge(page::routes(Arc::clone(&desk)));
        Ok(Self { site: Site::open(options.http, routes)?, desk })
    }

    /// The address of the page, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// Where the methods are: `chat.postMessage` is at this address followed by its name.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api/", self.site.url())
    }

    /// Opens another channel; one with the same id is replaced, its posts stay.
    pub fn add_channel(&self, channel: Channel) {
        self.desk.ledger.add_channel(channel);
    }

    /// The posts, oldest first. Of very many, the newest.
    #[must_use]
    pub fn posts(&self) -> Vec<Arc<Post>> {
        self.desk.ledger.posts()
    }

    /// The posts in one channel, oldest first.
    #[must_use]
    pub fn in_channel(&self, channel: &str) -> Vec<Arc<Post>> {
        self.posts().into_iter().filter(|post| post.channel == channel).collect()
    }

    /// A thread, its parent first.
    #[must_use]
    pub fn thread(&self, channel: &str, parent_ts: &str) -> Vec<Arc<Post>> {
        self.in_channel(channel).into_iter().filter(|post| post.root() == parent_ts).collect()
    }

    /// How many posts were accepted since the start, without edits, including those no longer kept.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.desk.ledger.accepted()
    }

    /// The keys (see [`Post::key`]) that were posted to some channel more than once, in order.
    #[must_use]
    pub fn doubled(&self) -> Vec<String> {
        self.desk.ledger.doubled()
    }

    /// How many posts had no key, so that nobody can tell whether they were doubled.
    #[must_use]
    pub fn unkeyed(&self) -> u64 {
        self.desk.ledger.unkeyed()
    }

    /// Does `fault` to the next `posts` posts or edits. Replaces an earlier fault; zero ends it.
    pub fn set_fault(&self, fault: Fault, posts: u32) {
        self.desk.ledger.set_fault(fault, posts);
    }

    /// Returns when `count` posts have been accepted since the start. The caller sets the time-out.
    pub async fn wait_for(&self, count: u64) {
        self.wait_until(|_| self.accepted() >= count).await;
    }

    /// Returns when the kept posts fulfil `condition`, which is asked after every post and edit. The caller sets the
    /// time-out.
    pub async fn wait_until(&self, mut condition: impl FnMut(&[Arc<Post>]) -> bool) {
        let mut changes = self.desk.ledger.changes();
        // The sender of the changes is in our own ledger: waiting ends by the condition, not by an error.
        while !condition(&self.posts()) && changes.changed().await.is_ok() {}
    }

    /// Hangs up on everybody and returns when the port is free.
    pub async fn stop(self) {
        self.site.stop().await;
    }
}

#[cfg(test)]
mod tests;
