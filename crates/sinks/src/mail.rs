//! A mail server that keeps what it is given: RFC 5321 on one port, a page with the mails on another.
//! It is as strict as the strictest real server (line ends, line lengths, undeclared 8-bit text, missing headers), so
//! that a mail it takes is a mail that arrives. It relays nothing, adds no header, and offers neither TLS nor sign-in.

mod dialogue;
mod ledger;
mod message;
mod page;
mod server;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Now;
use crate::web::Site;
use ledger::Ledger;
use server::Server;

pub use message::{Attachment, Mail};

/// Where the sink listens (port 0 lets the system choose), and where it has its time from.
#[derive(Clone, Debug)]
pub struct Options {
    pub smtp: SocketAddr,
    pub http: SocketAddr,
    pub now: Now,
}

/// What the server does instead of simply taking a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refuses for now, with 451.
    Temporary,
    /// Refuses for good, with 550.
    Permanent,
    /// Takes the mail and hangs up before saying so: the sender cannot know that it was taken.
    LostAnswer,
    /// Takes the mail and says so only after this long.
    Slow(Duration),
}

/// A running mail server with its page. Ends when dropped.
#[derive(Debug)]
pub struct MailSink {
    ledger: Arc<Ledger>,
    server: Server,
    site: Site,
}

impl MailSink {
    /// Listens on both ports.
    ///
    /// # Errors
    /// When a port is taken or an address is not on the local machine.
    pub async fn start(options: Options) -> io::Result<Self> {
        let ledger = Arc::new(Ledger::new());
        let site = Site::open(options.http, page::routes(Arc::clone(&ledger)))?;
        let server = Server::open(options.smtp, Arc::clone(&ledger), options.now).await?;
        Ok(Self { ledger, server, site })
    }

    #[must_use]
    pub fn smtp_addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The address of the page, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.site.url()
    }

    /// The mails, oldest first. Of very many, the newest.
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<Mail>> {
        self.ledger.messages()
    }

    /// The mails to one recipient, oldest first.
    #[must_use]
    pub fn to(&self, recipient: &str) -> Vec<Arc<Mail>> {
        self.ledger.messages().into_iter().filter(|mail| mail.is_to(recipient)).collect()
    }

    /// How many mails were accepted since the start, including those no longer kept.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.ledger.accepted()
    }

    /// The Message-IDs that reached some recipient more than once, in order.
    #[must_use]
    pub fn doubled(&self) -> Vec<String> {
        self.ledger.doubled()
    }

    /// How often the recipient who got it most often got this Message-ID.
    #[must_use]
    pub fn copies(&self, message_id: &str) -> u32 {
        self.ledger.copies(message_id)
    }

    /// Does `fault` to the next `mails` mails. Replaces an earlier fault; zero ends it.
    pub fn set_fault(&self, fault: Fault, mails: u32) {
        self.ledger.set_fault(fault, mails);
    }

    /// Returns when `count` mails have been accepted since the start. The caller sets the time-out.
    pub async fn wait_for(&self, count: u64) {
        self.wait_until(|_| self.accepted() >= count).await;
    }

    /// Returns when the kept mails fulfil `condition`. The caller sets the time-out.
    pub async fn wait_until(&self, mut condition: impl FnMut(&[Arc<Mail>]) -> bool) {
        let mut changes = self.ledger.changes();
        // The sender of the changes is in our own ledger: waiting ends by the condition, not by an error.
        while !condition(&self.messages()) && changes.changed().await.is_ok() {}
    }

    /// Hangs up on everybody and returns when both ports are free.
    pub async fn stop(self) {
        self.server.stop().await;
        self.site.stop().await;
    }
}

#[cfg(test)]
mod tests;
