//! The mail server, in this process: takes what `notify` composed, byte for byte, and misbehaves when told to.
//!
//! Its book is what the story is judged by. It does not know what we think was sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::tenant::Email;
use domain::{IncidentId, TenantId, Timestamp, Untrusted};
use notify::mail::{Error, FarSide, Mail, Refusal, Step, Taking};
use sha2::{Digest as _, Sha256};

use crate::seams::{AtCall, Seams};

/// What the server does to the next mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    RefusesForNow,
    RefusesForGood,
    LosesItsAnswer,
    LosesTheMail,
}

/// Cheap to clone; clones share the book.
#[derive(Debug, Clone)]
pub(crate) struct MailServer {
    book: Arc<Mutex<Book>>,
    seams: Seams,
}

#[derive(Debug, Default)]
struct Book {
    moods: VecDeque<Mood>,
    away: bool,
    /// By Message-ID.
    taken: BTreeMap<String, Taken>,
    /// Not looked at yet.
    fresh: Vec<Letter>,
    count: u64,
    lost: u64,
    /// Copies that somebody had a reason to send.
    copied: u64,
    trace: Sha256,
    now: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// Whether whoever sent the last copy was told that it was taken.
    answered: bool,
    /// Faults of ours up to the last copy.
    struck: u64,
    /// When the first copy came, in true time.
    first_at: Timestamp,
}

/// A mail that the server took, for the watch to look at.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) message_id: String,
    pub(crate) to: Vec<String>,
    pub(crate) words: String,
    pub(crate) about: Option<IncidentId>,
    /// A copy that nobody had a reason to send.
    pub(crate) needless_copy: bool,
}

impl MailServer {
    pub(crate) fn new(seams: Seams) -> Self {
        Self { book: Arc::default(), seams }
    }

    pub(crate) fn expect(&self, mood: Mood) {
        self.book().moods.push_back(mood);
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.book().away = away;
    }

    pub(crate) fn recover(&self) {
        let mut book = self.book();
        book.moods.clear();
        book.away = false;
    }

    pub(crate) fn took(&self, message_id: &str) -> bool {
        self.book().taken.contains_key(message_id)
    }

    /// When a mail was first taken, in true time.
    pub(crate) fn taken_at(&self, message_id: &str) -> Option<Timestamp> {
        self.book().taken.get(message_id).map(|taken| taken.first_at)
    }

    pub(crate) fn set_time(&self, now: Timestamp) {
        self.book().now = now;
    }

    pub(crate) fn count(&self) -> u64 {
        self.book().count
    }

    pub(crate) fn lost(&self) -> u64 {
        self.book().lost
    }

    pub(crate) fn copied(&self) -> u64 {
        self.book().copied
    }

    /// What came since the last call.
    pub(crate) fn fresh(&self) -> Vec<Letter> {
        std::mem::take(&mut self.book().fresh)
    }

    /// A digest of every mail taken, in order.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.book().trace.clone().finalize().into()
    }

    fn enter(&self, mail: &Mail, to: &[&Email], bytes: &[u8], answered: bool) {
        let struck = self.seams.struck();
        let mut book = self.book();
        let needless_copy = book.taken.get(&mail.message_id).is_some_and(|last| last.answered && last.struck == struck);
        book.copied += u64::from(book.taken.contains_key(&mail.message_id) && !needless_copy);
        let first_at = book.taken.get(&mail.message_id).map_or(book.now, |first| first.first_at);
        book.taken.insert(mail.message_id.clone(), Taken { answered, struck, first_at });
        book.count += 1;
        let to: Vec<String> = to.iter().map(|address| address.as_str().to_owned()).collect();
        for part in [mail.message_id.as_bytes(), to.join(",").as_bytes(), &Sha256::digest(bytes)] {
            book.trace.update(part);
        }
        let words = format!("{}\n{}\n{}", mail.subject, mail.text, mail.html.as_deref().unwrap_or_default());
        let about = mail.about.map(|(incident, _)| incident);
        book.fresh.push(Letter { message_id: mail.message_id.clone(), to, words, about, needless_copy });
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FarSide for MailServer {
    fn take<'a>(&'a self, mail: &'a Mail, to: &'a [&'a Email], bytes: &'a [u8]) -> Taking<'a> {
        Box::pin(async move {
            let dies = self.seams.at_call();
            if dies == Some(AtCall::DiesBefore) {
                return std::future::pending().await;
            }
            if self.book().away {
                return Err(Error::TimedOut { step: Step::Connect, after: Duration::from_secs(10) });
            }
            let mood = self.book().moods.pop_front();
            match mood {
                Some(Mood::RefusesForNow) => return Err(refused(451, "try again later")),
                Some(Mood::RefusesForGood) => return Err(refused(550, "no such mailbox")),
                Some(Mood::LosesItsAnswer) => {
                    self.enter(mail, to, bytes, false);
                    return Err(Error::TimedOut { step: Step::Content, after: Duration::from_secs(60) });
                }
                Some(Mood::LosesTheMail) => self.book().lost += 1,
                None => {}
            }
            self.enter(mail, to, bytes, dies.is_none());
            if dies == Some(AtCall::DiesAfter) {
                return std::future::pending().await;
            }
            Ok("250 2.0.0 taken".to_owned())
        })
    }
}

fn refused(code: u16, words: &str) -> Error {
    Error::Refused { step: Step::Recipient, refusal: Refusal { code, words: Untrusted::new(words) } }
}

/// Whose mailbox an address is.
pub(crate) fn owner(address: &str) -> Option<TenantId> {
    address.rsplit_once('@')?.1.strip_suffix(".example")?.parse().ok()
}
