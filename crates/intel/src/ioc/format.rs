//! The forms in which lists come, and which one a file has.

use std::io::Read;
use std::path::Path;

use super::Error;
use super::import::open;
use super::text::{csv_columns, is_commented_value};
use crate::file::Kind;

/// So much of a file is looked at.
const HEAD_BYTES: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One value a line, with `#` comments: maltrail's trails, and most lists of addresses.
    Plain,
    /// `VALUE;COMMENT`, as in Neo23x0's signature-base.
    Commented,
    /// With a header that names its columns: abuse.ch, ESET, LOLDrivers.
    Csv,
    MispWarnings,
    MispEvent,
    /// A bundle of STIX 2.0 or 2.1 with indicators.
    Stix,
}

impl Format {
    pub const ALL: [Self; 6] =
        [Self::Plain, Self::Commented, Self::Csv, Self::MispWarnings, Self::MispEvent, Self::Stix];

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Commented => "value-comment",
            Self::Csv => "csv",
            Self::MispWarnings => "misp-warninglist",
            Self::MispEvent => "misp-event",
            Self::Stix => "stix-2",
        }
    }

    pub fn kind(self) -> Kind {
        if self == Self::MispWarnings { Kind::Warnings } else { Kind::Indicators }
    }

    /// By the content, never by the name. A text that is nothing else is a plain list.
    pub fn recognise(path: &Path) -> Result<Self, Error> {
        let mut head = Vec::new();
        open(path)?.take(HEAD_BYTES).read_to_end(&mut head).map_err(|e| Error::read(path, e))?;
        Ok(Self::of_head(&String::from_utf8_lossy(&head)))
    }

    fn of_head(head: &str) -> Self {
        let head = head.trim_start_matches('\u{feff}').trim_start();
        if head.starts_with(['{', '[']) {
            let has = |name: &str| head.contains(name);
            return match () {
                () if has("\"matching_attributes\"") || (has("\"list\"") && !has("\"objects\"")) => Self::MispWarnings,
                () if has("\"Event\"") || has("\"Attribute\"") => Self::MispEvent,
                () => Self::Stix,
            };
        }
        if head.lines().any(|line| csv_columns(line).is_some()) {
            return Self::Csv;
        }
        let mut values = head.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).take(50);
        if values.any(is_commented_value) { Self::Commented } else { Self::Plain }
    }
}
