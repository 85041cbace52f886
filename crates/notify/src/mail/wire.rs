//! A mail as the bytes that go to a server: ASCII throughout, so that no server has to be asked what it can take.

use domain::tenant::Email;
use domain::{Language, Timestamp};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, InReplyTo, References};
use lettre::message::{Attachment as Part, Body, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, message};
use sha2::{Digest, Sha256};

use super::{Attachment, Mail};
use crate::shown;

/// `None` when an address cannot stand in a header after all, or the date is beyond what mail can say.
pub(super) fn bytes(mail: &Mail, to: &[Address], now: Timestamp) -> Option<Vec<u8>> {
    let from: Address = address(&mail.from)?;
    let envelope = lettre::address::Envelope::new(Some(from.clone()), to.to_vec()).ok()?;
    let mut builder = Message::builder()
        .envelope(envelope)
        .from(Mailbox::new(Some(shown::header(&mail.from_name)), from))
        .mailbox(message::header::To::from(to.iter().cloned().map(Mailbox::from).collect::<message::Mailboxes>()))
        .subject(mail.subject.clone())
        .message_id(Some(format!("<{}>", mail.message_id)))
        .raw_header(date(now)?);
    if let Some(first) = &mail.in_reply_to {
        builder = builder.header(InReplyTo::from(format!("<{first}>"))).header(References::from(format!("<{first}>")));
    }
    for (name, value) in marks(mail) {
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
    }
    let message = match &mail.html {
        Some(html) => builder.multipart(parts(mail, html)),
        None => builder.singlepart(words(&mail.text, ContentType::TEXT_PLAIN, mail.language)),
    };
    message.ok().map(|message| message.formatted())
}

pub(super) fn address(email: &Email) -> Option<Address> {
    email.as_str().parse().ok()
}

/// For filters and people: written by a program, do not answer with a program, how it may be shared, and how urgent it is.
fn marks(mail: &Mail) -> Vec<(&'static str, String)> {
    let mut marks = vec![
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "OOF, AutoReply".into()),
        ("Content-Language", mail.language.tag().into()),
        ("X-TLP", domain::notice::TLP.into()),
    ];
    if let Some((incident, priority)) = mail.about {
        marks.push(("X-Yagura-Incident", incident.to_string()));
        marks.push(("X-Yagura-Priority", priority.name().into()));
    }
    if mail.urgent {
        marks.push(("Importance", "high".into()));
    }
    marks
}

/// In UTC, with an offset that every parser reads, and two digits for the day: where the mail library cannot read a date
/// back, it puts the machine's own in its place.
fn date(now: Timestamp) -> Option<HeaderValue> {
    let text = strtime::format("%a, %d %b %Y %H:%M:%S +0000", &now.to_zoned_datetime(TimeZone::UTC)).ok()?;
    Some(HeaderValue::new(HeaderName::new_from_ascii_str("Date"), text))
}

fn parts(mail: &Mail, html: &str) -> MultiPart {
    let both = MultiPart::alternative()
        .boundary(boundary(mail, "alternative"))
        .singlepart(words(&mail.text, ContentType::TEXT_PLAIN, mail.language))
        .singlepart(words(html, ContentType::TEXT_HTML, mail.language));
    if mail.attachments.is_empty() {
        return both;
    }
    let whole = MultiPart::mixed().boundary(boundary(mail, "mixed")).multipart(both);
    mail.attachments.iter().fold(whole, |whole, file| whole.singlepart(attached(file)))
}

/// Always encoded: long lines, dots and bytes above 127 then cannot matter, and no line of it can be a boundary.
fn words(text: &str, kind: ContentType, language: Language) -> SinglePart {
    let encoding = match language {
        Language::Ja => ContentTransferEncoding::Base64,
        Language::En => ContentTransferEncoding::QuotedPrintable,
    };
    // Both encodings take any bytes; the fallback lets the library choose.
    let body = Body::new_with_encoding(text.to_owned(), encoding).unwrap_or_else(|_| Body::new(text.to_owned()));
    SinglePart::builder().header(kind).body(body)
}

fn attached(file: &Attachment) -> SinglePart {
    let kind = ContentType::parse("application/pdf").unwrap_or(ContentType::TEXT_PLAIN);
    Part::new(file.name.clone()).body(file.bytes.clone(), kind)
}

/// The same mail has the same boundaries (REL-01). `=_` cannot occur in an encoded body.
fn boundary(mail: &Mail, of: &str) -> String {
    let digest = Sha256::digest(format!("{of} {}", mail.message_id));
    format!("=_{}", &hex::encode(digest)[..32])
}
