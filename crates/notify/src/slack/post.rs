//! What a post looks like: a headline, four lines that say it all, then the items of the letter.
//!
//! Words from outside stand in `plain_text` only, so nothing in them is bold, a link or a call (SEC-31); `mrkdwn` holds
//! labels of ours. The three characters that Slack gives a meaning are escaped everywhere, and nothing unfolds.

use domain::notice::{Facts, TLP};
use domain::{Language, NoticeId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::letter::{Item, Letter, Line, Medium};
use crate::{Sender, key};

/// Slack's bounds, in characters. The whole stays below what it takes, which it does not publish.
const MAX_HEADER: usize = 150;
const MAX_FIELD: usize = 1_000;
const MAX_SECTION: usize = 2_500;
const MAX_WHOLE: usize = 9_000;

/// A post ready to be sent to the channel that the caller names.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    key: String,
    text: String,
    blocks: Vec<Value>,
}

impl Post {
    /// Names the notice, the language and the tenant; the same for every try.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What a notification on a telephone shows.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn blocks(&self) -> &[Value] {
        &self.blocks
    }

    pub(super) fn body(&self) -> Value {
        json!({
            "text": self.text,
            "blocks": self.blocks,
            "metadata": super::metadata(&self.key),
            "client_msg_id": uuid_of(&self.key),
            "mrkdwn": false,
            "parse": "none",
            "link_names": false,
            "unfurl_links": false,
            "unfurl_media": false,
        })
    }
}

/// Writes one notice in one language.
pub fn compose(facts: &Facts<'_>, language: Language, sender: &Sender) -> Post {
    let letter = Letter::write(facts, language, Medium::Chat, sender, &[]);
    let mut left = MAX_WHOLE;
    let mut blocks = vec![
        json!({ "type": "header", "text": plain(&headline(&letter), MAX_HEADER, &mut left) }),
        json!({ "type": "context", "elements": [
            plain(&letter.incident, MAX_FIELD, &mut left),
            plain(&letter.host, MAX_FIELD, &mut left),
            plain(TLP, MAX_FIELD, &mut left),
        ] }),
        summary(&letter, &mut left),
        json!({ "type": "divider" }),
    ];
    for item in &letter.items {
        if left == 0 {
            break;
        }
        blocks.push(json!({ "type": "context", "elements": [label(item.label)] }));
        blocks.push(json!({ "type": "section", "text": plain(&value(item), MAX_SECTION, &mut left) }));
    }
    let notice: NoticeId = facts.notice;
    Post { key: key(facts, notice, language), text: escaped(&letter.subject()), blocks }
}

/// `◆ P0 緊急｜要対応｜不審な活動の検知（第一報）`.
fn headline(letter: &Letter) -> String {
    let (Letter { language, priority, need, .. }, heading) = (letter, letter.title());
    let (severity, need) = (priority.severity().in_language(*language), need.text().in_language(*language));
    let priority = priority.name();
    match language {
        Language::Ja => format!("{} {priority} {severity}｜{need}｜{heading}", letter.shape()),
        Language::En => format!("{} {priority} {severity} | {need} | {heading}", letter.shape()),
    }
}

/// Four fields, which Slack shows two by two, or one below the other on a telephone.
fn summary(letter: &Letter, left: &mut usize) -> Value {
    let field = |(label, text): &(&str, String)| plain(&format!("■ {label}\n{text}"), MAX_FIELD, left);
    let fields: Vec<Value> = letter.summary.iter().map(field).collect();
    json!({ "type": "section", "fields": fields })
}

fn value(item: &Item) -> String {
    let line = |line: &Line| match line {
        Line::Plain(text) | Line::Address(text) => text.clone(),
        Line::Point(text) => format!("• {text}"),
        Line::Numbered(n, text) => format!("{n}. {text}"),
        Line::Quoted(text) => format!("│ {text}"),
    };
    item.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Words of ours, in bold.
fn label(text: &'static str) -> Value {
    json!({ "type": "mrkdwn", "text": format!("*{}*", escaped(text)), "verbatim": true })
}

/// Words of anybody, as they are. Cut with a mark, since the mail and the report hold the whole (SEC-38).
fn plain(text: &str, most: usize, left: &mut usize) -> Value {
    let escaped = escaped(text);
    let (text, length) = cut(&escaped, most.min(*left));
    *left = left.saturating_sub(length);
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// At most `most` characters, never within an escape, never nothing.
fn cut(text: &str, most: usize) -> (String, usize) {
    let length = text.chars().count();
    match length {
        0 => ("-".into(), 1),
        _ if length <= most => (text.to_owned(), length),
        _ => {
            let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
            if let Some(start) = kept.rfind('&').filter(|start| !kept[*start..].contains(';')) {
                kept.truncate(start);
            }
            kept.push('…');
            let length = kept.chars().count();
            (kept, length)
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A name-based UUID of a key (RFC 9562, version 8: our own way to fill it).
fn uuid_of(key: &str) -> String {
    let mut bytes: [u8; 32] = Sha256::digest(key).into();
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits = hex::encode(&bytes[..16]);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_escapes_whole_and_never_leaves_nothing() {
        assert_eq!(cut("a&amp;b", 5).0, "a…");
        assert_eq!(cut("a&amp;bc", 7).0, "a&amp;…");
        assert_eq!(cut("", 10).0, "-");
        assert_eq!(cut("abc", 0).0, "…");
    }

    #[test]
    fn a_key_always_has_the_same_uuid() {
        let uuid = uuid_of("inc-2026-000123.n1.ja.acme");
        assert_eq!(uuid, uuid_of("inc-2026-000123.n1.ja.acme"));
        assert_ne!(uuid, uuid_of("inc-2026-000123.n2.ja.acme"));
        assert_eq!((uuid.len(), uuid.as_bytes()[14], b"89ab".contains(&uuid.as_bytes()[19])), (36, b'8', true));
    }
}
