//! The content of a report in one language: worded, ordered and bounded, but without a page.
//!
//! PDF, HTML and Markdown are made from these facts and from nothing else, so they cannot say different things. Text
//! from endpoints has already become harmless text here (`show`); how a format escapes it is the duty of that format.

use jiff::civil::DateTime;
use serde::Serialize;

/// Everything that an incident report says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// BCP 47: `ja` or `en`.
    pub language: &'static str,
    /// `INC-2026-000123`.
    pub id: String,
    /// For the document's own description: kind of report and id.
    pub title: String,
    pub heading: String,
    /// TLP marking, on every page.
    pub tlp: &'static str,
    pub priority: Priority,
    /// Whom it is for, line by line.
    pub addressee: Vec<String>,
    /// Who sends it, line by line; the first is the name.
    pub issuer: Vec<String>,
    pub issued: String,
    /// `issued` in UTC for the file's metadata.
    pub date: Date,
    /// The one sentence that the reader must not miss.
    pub headline: String,
    /// What is wrong, how sure we are, what was done, what is asked of whom by when.
    pub summary: Vec<Row>,
    pub control: Section,
    pub sections: Vec<Section>,
    pub words: Words,
}

/// Shown by colour, shape and text together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Priority {
    /// `P0` to `P3`.
    pub name: &'static str,
    pub severity: &'static str,
    pub label: &'static str,
}

/// The few words that a page needs around the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    pub summary: &'static str,
    pub page: &'static str,
    pub end: &'static str,
}

/// A moment in the parts that a PDF's metadata wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Date {
    pub year: i16,
    pub month: i8,
    pub day: i8,
    pub hour: i8,
    pub minute: i8,
    pub second: i8,
}

impl From<DateTime> for Date {
    fn from(at: DateTime) -> Self {
        let (year, month, day) = (at.year(), at.month(), at.day());
        Self { year, month, day, hour: at.hour(), minute: at.minute(), second: at.second() }
    }
}

/// Numbers are those of `practice.md` §3 and never move: what was not investigated is left out, and its number with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    pub number: String,
    pub title: String,
    pub blocks: Vec<Block>,
}

impl Section {
    pub(crate) fn new(number: &str, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { number: number.to_owned(), title: title.into(), blocks }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A heading within the section.
    Heading {
        text: String,
    },
    Text {
        text: String,
    },
    /// A remark in smaller type: how to read what stands beside it.
    Note {
        text: String,
    },
    /// Words of a person, set off from ours.
    Quote {
        text: String,
    },
    List {
        items: Vec<String>,
    },
    Rows {
        rows: Vec<Row>,
    },
    Table {
        columns: Vec<Column>,
        rows: Vec<Vec<Cell>>,
    },
}

impl Block {
    pub(crate) fn heading(text: impl Into<String>) -> Self {
        Self::Heading { text: text.into() }
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    pub(crate) fn note(text: impl Into<String>) -> Self {
        Self::Note { text: text.into() }
    }
}

/// A label and what is on record for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub label: String,
    pub value: Cell,
}

/// `width` is a share of the table's width.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    pub title: String,
    pub width: u8,
}

/// The lines of a table's cell or of a row's value.
pub type Cell = Vec<Line>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub text: String,
    pub style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Plain,
    Strong,
    /// Of less weight: a source, an id, a condition.
    Small,
    /// A path, a hash, a command line: shown as it is, may break anywhere.
    Code,
    /// Something that the reader should notice: a gap, a failure.
    Alarm,
}

impl Line {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Plain }
    }

    pub(crate) fn strong(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Strong }
    }

    pub(crate) fn small(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Small }
    }

    pub(crate) fn code(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Code }
    }

    pub(crate) fn alarm(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Alarm }
    }
}

/// One plain line.
pub(crate) fn cell(text: impl Into<String>) -> Cell {
    vec![Line::plain(text)]
}

pub(crate) fn row(label: impl Into<String>, value: Cell) -> Row {
    Row { label: label.into(), value }
}

pub(crate) fn columns(titles: &[(&str, u8)]) -> Vec<Column> {
    titles.iter().map(|(title, width)| Column { title: (*title).to_owned(), width: *width }).collect()
}
