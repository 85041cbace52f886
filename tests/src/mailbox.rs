//! What the customers' mailboxes hold. Reading a mail marks it: a mail that no test reads fails the test at its end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use sinks::MailSink;
use sinks::mail::{Fault, Mail};

use crate::customers;

#[derive(Debug)]
pub struct Mailbox<'a> {
    pub(crate) sink: &'a MailSink,
    pub(crate) read: &'a Mutex<BTreeSet<u64>>,
}

impl Mailbox<'_> {
    /// The mails of a customer that were not read yet, oldest first.
    pub fn unread(&self, customer: &str) -> Vec<Arc<Mail>> {
        self.calls(&customers::address(customer))
    }

    /// The calls to a member of the staff that were not read yet, oldest first.
    pub fn calls(&self, address: &str) -> Vec<Arc<Mail>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut mails = self.sink.to(address);
        mails.retain(|mail| read.insert(mail.number));
        mails
    }

    /// The one mail of a customer that was not read yet.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub fn only_unread(&self, customer: &str) -> Arc<Mail> {
        let mails = self.unread(customer);
        let [mail] = &mails[..] else {
            panic!("one unread mail to {customer} expected, there are: {:#?}", subjects(&mails));
        };
        mail.clone()
    }

    /// Says that the test is not about the mails up to now, and how many those were.
    pub fn skim(&self) -> usize {
        customers::ALL.iter().map(|customer| self.unread(customer).len()).sum()
    }

    /// How many mails were accepted since the start.
    pub fn count(&self) -> u64 {
        self.sink.accepted()
    }

    pub fn copies(&self, message_id: &str) -> u32 {
        self.sink.copies(message_id)
    }

    /// Lets the mail server do `fault` to the next `mails` mails; zero ends it.
    pub fn set_fault(&self, fault: Fault, mails: u32) {
        self.sink.set_fault(fault, mails);
    }

    pub(crate) fn never_read(&self) -> Vec<String> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let unread: Vec<_> = self.sink.messages().into_iter().filter(|mail| !read.contains(&mail.number)).collect();
        subjects(&unread)
    }
}

fn subjects(mails: &[Arc<Mail>]) -> Vec<String> {
    mails.iter().map(|mail| format!("{}: {}", mail.to.join(", "), mail.subject)).collect()
}
