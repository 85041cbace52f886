//! What a command line says once its wrapping is taken off, and what in it speaks of an attack.
//!
//! Attackers wrap what they run: base64, carets, quotes, pieces put together at run time. `decode` takes off one layer after the
//! other and keeps each, so that a reader can follow; `Sign`s name what the text asks for and the words that they rest on. It runs
//! nothing, guesses at no value it cannot see, and judges nobody: an administrator leaves signs too.

use serde::{Deserialize, Serialize};

use crate::language::Text;
use crate::untrusted::Untrusted;

mod cmd;
mod encoding;
mod expression;
mod powershell;
mod rules;
mod signs;
mod words;

pub use signs::{Sign, SignKind, Weight};

/// Longest text worked on, in bytes; a layer that would grow beyond is cut.
pub const MAX_TEXT: usize = 32 * 1024;
/// Most layers taken off.
pub const MAX_LAYERS: usize = 10;

/// A command line, unwrapped as far as it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoded {
    /// From the outside in; empty when nothing was wrapped.
    pub layers: Vec<Layer>,
    /// The innermost text: that of the last layer, or the line itself.
    pub text: Untrusted,
    pub signs: Vec<Sign>,
    /// What is wrapped and could not be read here.
    pub unread: Vec<Unread>,
}

/// The whole line after one wrapping was taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    pub how: How,
    pub text: Untrusted,
}

/// What was taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Carets,
    Quotes,
    Backticks,
    /// Parts of `%VARIABLES%` put together, or variables set in the line itself.
    Environment,
    /// PowerShell's `-EncodedCommand`.
    EncodedCommand,
    Base64,
    CompressedBase64,
    /// Pieces of text joined, formatted, replaced or reversed at run time.
    Expression,
    UrlEncoding,
    HexEscapes,
}

/// Something that stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what", content = "bytes")]
pub enum Unread {
    /// Base64 of what is no text: a program, machine code, or something encrypted.
    Binary(usize),
    /// More layers than `MAX_LAYERS`.
    Deeper,
}

impl How {
    pub fn text(self) -> Text {
        match self {
            Self::Carets => Text::new("キャレット(^)の挿入を除去", "carets taken out"),
            Self::Quotes => Text::new("引用符の挿入を除去", "inserted quotes taken out"),
            Self::Backticks => Text::new("バッククォートの挿入を除去", "backticks taken out"),
            Self::Environment => Text::new("環境変数を展開", "environment variables put in"),
            Self::EncodedCommand => Text::new("-EncodedCommandを復号", "-EncodedCommand decoded"),
            Self::Base64 => Text::new("Base64を復号", "base64 decoded"),
            Self::CompressedBase64 => Text::new("圧縮されたBase64を展開", "compressed base64 unpacked"),
            Self::Expression => Text::new("文字列の組み立てを解決", "pieces of text put together"),
            Self::UrlEncoding => Text::new("URLエンコードを復号", "URL encoding decoded"),
            Self::HexEscapes => Text::new("16進表記を復号", "hexadecimal escapes decoded"),
        }
    }
}

/// One way of taking a wrapping off: the new text, or nothing when the wrapping is not there.
type Unwrap = fn(&str, &mut Vec<Unread>) -> Option<(How, String)>;

/// In this order, since what hides letters hides the other wrappings too.
const WAYS: [Unwrap; 9] = [
    |text, _| cmd::without_carets(text).map(|t| (How::Carets, t)),
    |text, _| cmd::without_inserted_quotes(text).map(|t| (How::Quotes, t)),
    |text, _| powershell::without_backticks(text).map(|t| (How::Backticks, t)),
    |text, _| cmd::with_environment(text).map(|t| (How::Environment, t)),
    |text, _| powershell::encoded_command(text).map(|t| (How::EncodedCommand, t)),
    |text, _| expression::simplified(text).map(|t| (How::Expression, t)),
    encoding::without_base64,
    |text, _| encoding::without_hex_escapes(text).map(|t| (How::HexEscapes, t)),
    |text, _| encoding::without_url_encoding(text).map(|t| (How::UrlEncoding, t)),
];

/// Unwraps `line` and reads its signs.
pub fn decode(line: &str) -> Decoded {
    let mut text = cut(line).to_owned();
    let mut signs = signs::read(&text, 0);
    let mut layers = Vec::new();
    let mut unread = Vec::new();
    while let Some((how, next)) = WAYS.iter().find_map(|way| way(&text, &mut unread)) {
        if layers.len() == MAX_LAYERS {
            unread.push(Unread::Deeper);
            break;
        }
        text = cut(&next).to_owned();
        layers.push(Layer { how, text: Untrusted::new(&text) });
        signs::add(&mut signs, signs::of_wrapping(how, &text, layers.len()));
        signs::add(&mut signs, signs::read(&text, layers.len()));
    }
    unread.truncate(MAX_LAYERS);
    unread.dedup();
    signs.sort_by_key(|sign| (std::cmp::Reverse(sign.kind.weight()), sign.kind, sign.technique));
    Decoded { layers, text: Untrusted::new(&text), signs, unread }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

#[cfg(test)]
mod tests;
