//! A place in a list of the console.
//!
//! The console ties its cursors to one sort and filter and does not say how long they live. So a `Cursor` carries the
//! filter it belongs to, notices when the list leads back to where it was, and ends after a bounded number of pages.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A million rows at a thousand a page: beyond this the list is taken for endless.
const MAX_PAGES: usize = 1000;

/// Where the next page begins. May be stored between two steps; when the console has forgotten it, begin again from the
/// checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(crate) since: Timestamp,
    pub(crate) limit: u16,
    pub(crate) token: String,
    pub(crate) progress: Progress,
    /// Digests of the tokens used so far, this one included.
    used: Vec<u64>,
}

impl Cursor {
    /// The place that follows `before`, if the console names one.
    pub(crate) fn after(
        before: Option<&Self>,
        since: Timestamp,
        limit: u16,
        progress: Progress,
        token: Option<String>,
    ) -> Result<Option<Self>, Error> {
        let Some(token) = token else { return Ok(None) };
        let mut used = before.map(|cursor| cursor.used.clone()).unwrap_or_default();
        let digest = digest(&token);
        if used.contains(&digest) || used.len() >= MAX_PAGES {
            return Err(Error::CursorLoops { pages: used.len() + 1 });
        }
        used.push(digest);
        Ok(Some(Self { since, limit, token, progress, used }))
    }
}

/// How far a list has been read, and whether it really came in the order that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    highest: Timestamp,
    last: Option<Timestamp>,
    in_order: bool,
}

impl Progress {
    pub(crate) fn from(checkpoint: Timestamp) -> Self {
        Self { highest: checkpoint, last: None, in_order: true }
    }

    /// Takes a page's times in. A time later than `now` is a clock that is wrong, and must not carry the checkpoint along.
    pub(crate) fn with(mut self, times: impl Iterator<Item = Timestamp>, now: Timestamp) -> Self {
        for time in times {
            self.in_order &= self.last.is_none_or(|last| last <= time);
            self.last = Some(time);
            if time <= now {
                self.highest = self.highest.max(time);
            }
        }
        self
    }

    /// Up to where all is read: while pages are left, that holds only for a list in order.
    pub(crate) fn read_up_to(self, is_last: bool, checkpoint: Timestamp) -> Timestamp {
        if is_last || self.in_order { self.highest } else { checkpoint }
    }
}

/// The console's token in its plain form. It comes plain or already percent-encoded; the last page has null, nothing, or
/// the word `null`.
pub(crate) fn next_token(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text == "null" {
        return None;
    }
    Some(percent_decoded(text).unwrap_or_else(|| text.to_owned()))
}

/// `None` when there is nothing to decode or what is there is no encoding. A `+` stays: it is part of base64.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok().filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn digest(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(before: Option<&Cursor>, token: &str) -> Result<Option<Cursor>, Error> {
        let progress = Progress::from(Timestamp::UNIX_EPOCH);
        Cursor::after(before, Timestamp::UNIX_EPOCH, 10, progress, Some(token.to_owned()))
    }

    #[test]
    fn the_last_page_is_said_in_four_ways() {
        for last in ["", " ", "null"] {
            assert_eq!(next_token(last), None);
        }
    }

    #[test]
    fn a_token_is_the_same_however_it_was_encoded_and_is_decoded_once() {
        assert_eq!(next_token("eyJ+a/b==").unwrap(), "eyJ+a/b==");
        assert_eq!(next_token("eyJ%2Ba%2Fb%3D%3d").unwrap(), "eyJ+a/b==");
        assert_eq!(next_token("%253D").unwrap(), "%3D");
        for odd in ["100%", "%zz", "%+1", "%ff"] {
            assert_eq!(next_token(odd).unwrap(), odd);
        }
    }

    #[test]
    fn a_list_that_leads_back_is_noticed_at_once_however_long_the_circle() {
        let a = step(None, "a").unwrap();
        let b = step(a.as_ref(), "b").unwrap();
        let c = step(b.as_ref(), "c").unwrap();
        assert!(matches!(step(c.as_ref(), "a"), Err(Error::CursorLoops { pages: 4 })));
        assert!(matches!(step(c.as_ref(), "c"), Err(Error::CursorLoops { .. })));
    }

    #[test]
    fn a_checkpoint_moves_within_a_list_only_while_the_list_is_in_order_rel_04() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let start = Progress::from(at(100));
        let ordered = start.with([at(90), at(110), at(120)].into_iter(), at(1000));
        assert_eq!(ordered.read_up_to(false, at(100)), at(120));
        let unordered = start.with([at(130), at(110)].into_iter(), at(1000));
        assert_eq!(unordered.read_up_to(false, at(100)), at(100));
        assert_eq!(unordered.read_up_to(true, at(100)), at(130));
        let over_two_pages = ordered.with([at(119)].into_iter(), at(1000));
        assert_eq!(over_two_pages.read_up_to(false, at(100)), at(100));
    }

    #[test]
    fn a_wrong_clock_on_the_console_does_not_carry_the_checkpoint_into_the_future() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let read = Progress::from(at(100)).with([at(150), at(99_999)].into_iter(), at(200));
        assert_eq!(read.read_up_to(true, at(100)), at(150));
    }

    #[test]
    fn a_list_without_end_ends() {
        let mut cursor = None;
        let failed = (0..2000_usize).find(|n| match step(cursor.as_ref(), &n.to_string()) {
            Ok(next) => {
                cursor = next;
                false
            }
            Err(_) => true,
        });
        assert_eq!(failed, Some(MAX_PAGES));
    }
}
