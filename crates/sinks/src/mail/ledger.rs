//! What was accepted, who got it how often, and what the server is told to do wrong.
//! The mails themselves are kept in bounded number; the counts that prove a doubled mail are kept for all of them, and
//! when even these would not fit, mails are refused rather than taken without being counted.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::Fault;
use super::message::Mail;

const KEPT_MAILS: usize = 5_000;
const KEPT_BYTES: usize = 64 * 1024 * 1024;
const COUNTED_COPIES: usize = 500_000;

#[derive(Debug)]
pub(super) struct Ledger {
    book: Mutex<Book>,
    accepted: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    mails: VecDeque<Arc<Mail>>,
    bytes: usize,
    /// How often each recipient got each Message-ID.
    copies: HashMap<(String, String), u32>,
    fault: Option<(Fault, u32)>,
}

/// The ledger cannot count any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Ledger {
    pub(super) fn new() -> Self {
        Self { book: Mutex::default(), accepted: watch::Sender::new(0) }
    }

    /// Enters a mail and returns its number.
    pub(super) fn accept(&self, mut mail: Mail) -> Result<u64, Full> {
        let mut book = self.book();
        if book.copies.len() + mail.to.len() > COUNTED_COPIES {
            return Err(Full);
        }
        for recipient in mail.to.iter().map(|r| r.to_lowercase()).collect::<BTreeSet<_>>() {
            *book.copies.entry((mail.message_id.clone(), recipient)).or_default() += 1;
        }
        let number = *self.accepted.borrow() + 1;
        mail.number = number;
        book.bytes += weight(&mail);
        book.mails.push_back(Arc::new(mail));
        while book.mails.len() > KEPT_MAILS || (book.bytes > KEPT_BYTES && book.mails.len() > 1) {
            let oldest = book.mails.pop_front();
            book.bytes -= oldest.map_or(0, |mail| weight(&mail));
        }
        self.accepted.send_replace(number);
        Ok(number)
    }

    pub(super) fn accepted(&self) -> u64 {
        *self.accepted.borrow()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.accepted.subscribe()
    }

    pub(super) fn messages(&self) -> Vec<Arc<Mail>> {
        self.book().mails.iter().cloned().collect()
    }

    pub(super) fn find(&self, number: u64) -> Option<Arc<Mail>> {
        self.book().mails.iter().find(|mail| mail.number == number).cloned()
    }

    pub(super) fn doubled(&self) -> Vec<String> {
        let book = self.book();
        let ids: BTreeSet<&String> = book.copies.iter().filter(|(_, n)| **n > 1).map(|((id, _), _)| id).collect();
        ids.into_iter().cloned().collect()
    }

    pub(super) fn copies(&self, message_id: &str) -> u32 {
        let book = self.book();
        book.copies.iter().filter(|((id, _), _)| id == message_id).map(|(_, n)| *n).max().unwrap_or(0)
    }

    pub(super) fn set_fault(&self, fault: Fault, mails: u32) {
        self.book().fault = (mails > 0).then_some((fault, mails));
    }

    /// The fault for the mail at hand, if any is due.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        let mut book = self.book();
        let (fault, left) = book.fault?;
        book.fault = (left > 1).then_some((fault, left - 1));
        Some(fault)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing panics between two changes that belong together, so what is there is whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn weight(mail: &Mail) -> usize {
    mail.raw.len() + mail.text.as_ref().map_or(0, String::len) + mail.html.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, body: usize) -> Mail {
        Mail {
            number: 0,
            accepted_at: jiff::Timestamp::UNIX_EPOCH,
            sender: String::new(),
            to: vec!["a@acme.example".into()],
            from: String::new(),
            subject: String::new(),
            text: None,
            html: None,
            message_id: id.to_owned(),
            in_reply_to: None,
            references: Vec::new(),
            headers: Vec::new(),
            attachments: Vec::new(),
            raw: vec![b'x'; body],
        }
    }

    #[test]
    fn mails_are_kept_in_bounded_number_and_counted_all_the_same() {
        let ledger = Ledger::new();
        for id in 0..=KEPT_MAILS {
            ledger.accept(mail(&id.to_string(), 1)).expect("room to count");
        }
        assert_eq!((ledger.messages().len(), ledger.accepted()), (KEPT_MAILS, KEPT_MAILS as u64 + 1));
        assert!(ledger.find(1).is_none(), "the oldest went");
        ledger.accept(mail("0", 1)).expect("room to count");
        assert_eq!(ledger.doubled(), ["0"], "a mail that is no longer kept is still known");
    }

    #[test]
    fn mails_are_kept_in_bounded_size() {
        let ledger = Ledger::new();
        for id in 0..5 {
            ledger.accept(mail(&id.to_string(), KEPT_BYTES / 3)).expect("room to count");
        }
        assert_eq!(ledger.messages().iter().map(|m| m.number).collect::<Vec<_>>(), [3, 4, 5]);
    }
}
