//! One mail as it was accepted: who it went to by the envelope, and what it says by its own headers and parts.
//! A mail that a careful server would refuse is refused here, with the words the sender gets to hear.

use jiff::Timestamp;
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders, PartType};

use super::dialogue::Envelope;

#[derive(Clone, Debug)]
pub struct Mail {
    /// Counts from 1 in the order of acceptance.
    pub number: u64,
    pub accepted_at: Timestamp,
    /// The reverse path of the envelope; empty for a bounce.
    pub sender: String,
    /// The recipients of the envelope: who really gets it.
    pub to: Vec<String>,
    /// The author named in the header, as `Name <address>`.
    pub from: String,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    /// Without its angle brackets, like the other ids.
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    /// Every header as it stands in the mail, in order.
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
    /// The bytes between `DATA` and the final dot, dots unstuffed.
    pub raw: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub size: usize,
}

impl Mail {
    /// Reads an accepted message, or says as an SMTP answer why it is not acceptable. The ledger numbers it.
    pub(super) fn read(envelope: Envelope, raw: Vec<u8>, accepted_at: Timestamp) -> Result<Self, &'static str> {
        declared(&envelope, &raw)?;
        let message = MessageParser::default().parse(&raw).ok_or("554 5.6.0 this is not a message")?;
        complete(&message)?;
        let mail = Self {
            number: 0,
            accepted_at,
            sender: envelope.sender,
            to: envelope.recipients,
            from: message.from().map(author).unwrap_or_default(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.text_bodies().find_map(|part| match &part.body {
                PartType::Text(text) => Some(text.clone().into_owned()),
                _ => None,
            }),
            html: message.html_bodies().find_map(|part| match &part.body {
                PartType::Html(html) => Some(html.clone().into_owned()),
                _ => None,
            }),
            message_id: message.message_id().unwrap_or_default().to_owned(),
            in_reply_to: ids(message.in_reply_to()).into_iter().next(),
            references: ids(message.references()),
            headers: message.headers_raw().map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
            attachments: message
                .attachments()
                .map(|part| Attachment {
                    name: part.attachment_name().unwrap_or_default().to_owned(),
                    media_type: part.content_type().map(media_type).unwrap_or_default(),
                    size: part.len(),
                })
                .collect(),
            raw: Vec::new(),
        };
        Ok(Self { raw, ..mail })
    }

    #[must_use]
    pub fn is_to(&self, recipient: &str) -> bool {
        self.to.iter().any(|r| r.to_lowercase() == recipient.to_lowercase())
    }

    /// The value of the first header of this name, as it stands in the mail.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The decoded content of one of the attachments.
    #[must_use]
    pub fn attachment(&self, index: usize) -> Option<Vec<u8>> {
        let message = MessageParser::default().parse(&self.raw)?;
        message.attachments().nth(index).map(|part| part.contents().to_vec())
    }
}

/// Bytes above 127 travel only where the sender declared them.
fn declared(envelope: &Envelope, raw: &[u8]) -> Result<(), &'static str> {
    let end_of_head = raw.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(raw.len());
    let (head, body) = raw.split_at(end_of_head);
    if !head.is_ascii() && !envelope.utf8 {
        return Err("550 5.6.7 a header has bytes above 127: encode it, or declare SMTPUTF8");
    }
    if !body.is_ascii() && !envelope.eight_bit {
        return Err("554 5.6.1 the body has bytes above 127: encode it, or declare BODY=8BITMIME");
    }
    Ok(())
}

/// RFC 5322 wants From and Date, every large receiver wants a Message-ID, and nobody knows what two of one mean.
fn complete(message: &Message<'_>) -> Result<(), &'static str> {
    let count = |name: &str| message.headers_raw().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count();
    if ["From", "Date", "Message-ID", "To", "Subject", "In-Reply-To", "References"].iter().any(|name| count(name) > 1) {
        return Err("554 5.6.0 a header that may stand once stands twice");
    }
    if message.from().is_none_or(|from| from.first().is_none_or(|first| first.address.is_none())) {
        return Err("554 5.6.0 From is missing or names nobody");
    }
    if message.date().is_none_or(|date| !date.is_valid()) {
        return Err("554 5.6.0 Date is missing or wrong");
    }
    if message.message_id().is_none_or(|id| !id.contains('@')) {
        return Err("554 5.6.0 Message-ID is missing or wrong");
    }
    Ok(())
}

fn author(from: &Address<'_>) -> String {
    let Some(first) = from.first() else { return String::new() };
    let address = first.address.as_deref().unwrap_or_default();
    first.name.as_deref().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(id) => vec![id.clone().into_owned()],
        HeaderValue::TextList(ids) => ids.iter().map(|id| id.clone().into_owned()).collect(),
        _ => Vec::new(),
    }
}

fn media_type(content: &mail_parser::ContentType<'_>) -> String {
    let kind = content.c_type.to_ascii_lowercase();
    content.c_subtype.as_deref().map_or_else(|| kind.clone(), |sub| format!("{kind}/{}", sub.to_ascii_lowercase()))
}
