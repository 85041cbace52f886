//! A notice as an e-mail: composing is pure, `Smtp` sends.
//!
//! The same notice in the same language always has the same Message-ID, so a copy sent twice is recognised as one; all
//! notices of an incident form a thread under its first. It holds no address of a recipient (SEC-04).

use domain::notice::Facts;
use domain::tenant::Email;
use domain::{IncidentId, Language, NoticeId, Priority};

use crate::letter::{Letter, Medium};
use crate::{Sender, key, shown};

mod html;
mod smtp;
mod text;
mod wire;

#[cfg(test)]
mod tests;

pub use smtp::{
    Accepted, Credentials, Error, FarSide, InvalidSettings, Refusal, Security, Settings, Smtp, Step, Taking,
};

/// Longest subject, in characters: what a list of mails shows, with room for a host name.
const MAX_SUBJECT: usize = 160;
/// Longest name of an attached file, in characters.
const MAX_FILE_NAME: usize = 100;

/// A mail ready to be sent to whom the caller names. Only `compose` and `plain` make one.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// Without angle brackets: `inc-2026-000123.n1.ja.acme@soc.example`.
    pub message_id: String,
    /// The first notice of the incident, unless this is it.
    pub in_reply_to: Option<String>,
    /// What it is about, and how grave that is. `None`: it is about the service itself.
    pub about: Option<(IncidentId, Priority)>,
    /// Somebody should look at once.
    pub urgent: bool,
    pub language: Language,
    pub from_name: String,
    pub from: Email,
    pub subject: String,
    pub text: String,
    /// The same with emphasis; not every mail has it.
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    name: String,
    bytes: Vec<u8>,
}

impl Attachment {
    /// A report. The name is cut and freed of what could be a path or a header.
    pub fn pdf(name: &str, bytes: Vec<u8>) -> Self {
        let harmless = |c: char| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c };
        Self { name: name.chars().take(MAX_FILE_NAME).map(harmless).collect(), bytes }
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attachment({:?}, {} bytes)", self.name, self.bytes.len())
    }
}

/// Writes one notice in one language.
pub fn compose(facts: &Facts<'_>, language: Language, sender: &Sender, attachments: Vec<Attachment>) -> Mail {
    let attached: Vec<&str> = attachments.iter().map(Attachment::name).collect();
    let letter = Letter::write(facts, language, Medium::Mail, sender, &attached);
    // A key holds only characters that may stand in a Message-ID, and so does the domain.
    let id = |notice| format!("{}@{}", key(facts, notice, language), sender.domain());
    Mail {
        message_id: id(facts.notice),
        in_reply_to: (facts.notice != FIRST).then(|| id(FIRST)),
        about: Some((facts.incident, facts.priority)),
        urgent: facts.priority <= Priority::P1,
        language,
        from_name: sender.name(language).to_owned(),
        from: sender.address.clone(),
        subject: subject(&letter.subject()),
        text: text::render(&letter),
        html: Some(html::render(&letter)),
        attachments,
    }
}

/// What a mail says that is no notice of an incident.
#[derive(Debug)]
pub struct Plain<'a> {
    /// Names the mail for ever, within the sender's domain: letters, digits, `.` and `-`.
    pub key: &'a str,
    /// The mail that this one answers.
    pub answers: Option<&'a str>,
    pub urgent: bool,
    pub subject: &'a str,
    pub text: String,
}

/// A mail in plain words, to our own people.
pub fn plain(words: Plain<'_>, language: Language, sender: &Sender) -> Mail {
    let harmless = |c: &char| c.is_ascii_alphanumeric() || ".-".contains(*c);
    let id = |key: &str| format!("{}@{}", key.chars().filter(harmless).collect::<String>(), sender.domain());
    Mail {
        message_id: id(words.key),
        in_reply_to: words.answers.map(id),
        about: None,
        urgent: words.urgent,
        language,
        from_name: sender.name(language).to_owned(),
        from: sender.address.clone(),
        subject: subject(words.subject),
        text: words.text,
        html: None,
        attachments: Vec::new(),
    }
}

fn subject(text: &str) -> String {
    shown::header(text).chars().take(MAX_SUBJECT).collect()
}

/// The notice that a thread begins with.
const FIRST: NoticeId = NoticeId(1);
