//! What went wrong on the way to a mail server, in the terms a caller acts on.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use domain::Untrusted;

type Source = lettre::transport::smtp::Error;

/// How far the conversation had come. Only after `Content` began can the mail have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Connect,
    SignIn,
    Sender,
    Recipient,
    Data,
    Content,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::SignIn => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming a recipient",
            Self::Data => "asking to send the content",
            Self::Content => "sending the content",
        })
    }
}

/// A server's no, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub words: Untrusted,
}

impl Refusal {
    /// The server may say yes later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    pub(super) fn not_an_address() -> Self {
        Self { code: 553, words: Untrusted::new("not an address that mail can carry") }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.words.short(200))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a mail needs 1 to 100 recipients with an address, {count} are named")]
    Recipients { count: usize },
    #[error("the mail cannot be written down: sender or date is not possible")]
    Unsendable,
    #[error("the mail server refused while {step}: `{refusal}`")]
    Refused { step: Step, refusal: Refusal },
    #[error("the mail server does not offer what the settings demand, while {step}")]
    NotOffered { step: Step, source: Source },
    #[error("the certificate of the mail server is not accepted")]
    Certificate { source: Source },
    #[error("the connection to the mail server failed while {step}")]
    Lost { step: Step, source: Source },
    #[error("no answer from the mail server within {} ms while {step}", .after.as_millis())]
    TimedOut { step: Step, after: Duration },
}

impl Error {
    /// Whether the same mail may go through later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::TimedOut { .. } => true,
            Self::Refused { refusal, .. } => refusal.is_transient(),
            Self::Recipients { .. } | Self::Unsendable | Self::NotOffered { .. } | Self::Certificate { .. } => false,
        }
    }

    /// Whether the server may hold the mail although it did not say so. Sending again then is right for a notice, since
    /// the Message-ID stays the same (REL-24).
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self, Self::Lost { step: Step::Content, .. } | Self::TimedOut { step: Step::Content, .. })
    }

    pub(super) fn at(step: Step, error: Source) -> Self {
        if let Some(code) = error.status() {
            let words = error.source().map(ToString::to_string).unwrap_or_default();
            return Self::Refused { step, refusal: Refusal { code: code.into(), words: Untrusted::new(&words) } };
        }
        if error.is_client() {
            return Self::NotOffered { step, source: error };
        }
        if step == Step::Connect && is_tls_refusal(&error) {
            return Self::Certificate { source: error };
        }
        Self::Lost { step, source: error }
    }
}

/// The TLS library reports every handshake that it does not accept as invalid data.
fn is_tls_refusal(error: &Source) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Settings that cannot work, or must not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    #[error("`{host}` is not on this machine: mail to it must be encrypted, use `tls` or `start-tls`")]
    NotLoopback { host: String },
    #[error("credentials are not sent over an unencrypted connection")]
    CredentialsInTheClear,
    #[error("an extra root certificate cannot be used: {why}")]
    Root { why: String },
}
