//! Encodings of text: base64 with and without compression, hexadecimal and URL escapes. Output is bounded before it is made.

use std::io::Read;

use super::{How, MAX_TEXT, Unread};

/// Shortest base64 taken for one where nothing says that it is: by chance, 18 readable bytes come once in 50 million.
const SHORTEST: usize = 24;
/// Where the line itself speaks of decoding.
const SHORTEST_NAMED: usize = 8;

/// The line with the first base64 that holds text in plain words.
pub(super) fn without_base64(text: &str, unread: &mut Vec<Unread>) -> Option<(How, String)> {
    let lower = text.to_ascii_lowercase();
    let named = ["base64", "b64decode"].iter().any(|word| lower.contains(word));
    let shortest = if named { SHORTEST_NAMED } else { SHORTEST };
    let mut binary = None;
    for (at, run) in runs(text, is_base64).filter(|(_, run)| run.len() >= shortest).take(64) {
        let Some(bytes) = base64(run) else { continue };
        let unpacked = unpack(&bytes);
        let how = if unpacked.is_some() { How::CompressedBase64 } else { How::Base64 };
        let plain = unpacked.as_deref().unwrap_or(&bytes);
        let readable = utf16_text(plain).or_else(|| utf8_text(plain)).filter(|plain| plain.trim() != run);
        if let Some(plain) = readable {
            return Some((how, format!("{}{plain}{}", &text[..at], &text[at + run.len()..])));
        }
        if named && bytes.len() >= 64 {
            binary.get_or_insert(bytes.len());
        }
    }
    if let Some(bytes) = binary
        && !unread.contains(&Unread::Binary(bytes))
    {
        unread.push(Unread::Binary(bytes));
    }
    None
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// The longest pieces of `text` of which every character fits, with their place.
fn runs(text: &str, fits: fn(char) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(move |c| !fits(c)).map(move |run| {
        let place = text[at..].find(run).map_or(at, |found| at + found);
        at = place + run.len();
        (place, run)
    })
}

/// Standard base64; padding may be missing, as PowerShell's own decoder would not allow but others do.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if digits.is_empty() || digits.len() % 4 == 1 || text.len() - digits.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

/// Gzip, or zlib, never more than `MAX_TEXT` bytes of it.
fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let limit = MAX_TEXT as u64;
    match bytes {
        [0x1f, 0x8b, ..] => flate2::read::GzDecoder::new(bytes).take(limit).read_to_end(&mut out),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => {
            flate2::read::ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out)
        }
        _ => return None,
    }
    .ok()?;
    Some(out)
}

/// Text as PowerShell encodes it: two bytes a character, the low one first.
pub(super) fn utf16_text(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    // What is not mostly Latin is more likely something else read as characters.
    let latin = units.iter().filter(|unit| **unit < 0x80).count();
    let text = String::from_utf16(&units).ok()?;
    (latin * 10 >= units.len() * 7 && is_readable(&text)).then_some(text)
}

fn utf8_text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.trim().is_empty() && is_readable(text)).then(|| text.to_owned())
}

fn is_readable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}

/// `\x69\x64` → `id`, where at least four follow one another.
pub(super) fn without_hex_escapes(text: &str) -> Option<String> {
    decoded_runs(text, "\\x", 4)
}

/// `%69%64` → `id`, where at least three follow one another: a lone `%20` hides nothing.
pub(super) fn without_url_encoding(text: &str) -> Option<String> {
    decoded_runs(text, "%", 3)
}

fn decoded_runs(text: &str, mark: &str, shortest: usize) -> Option<String> {
    let step = mark.len() + 2;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find(mark) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut bytes = Vec::new();
        while let Some(piece) = rest.get(bytes.len() * step..(bytes.len() + 1) * step)
            && let Some(byte) = piece.strip_prefix(mark).and_then(hex_byte)
        {
            bytes.push(byte);
        }
        match utf8_text(&bytes).filter(|_| bytes.len() >= shortest) {
            Some(plain) => {
                out.push_str(&plain);
                rest = &rest[bytes.len() * step..];
                changed = true;
            }
            None => {
                let over = (bytes.len() * step).max(mark.len());
                out.push_str(&rest[..over]);
                rest = &rest[over..];
            }
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn hex_byte(digits: &str) -> Option<u8> {
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?
}
