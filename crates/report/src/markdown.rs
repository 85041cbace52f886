//! The same facts as Markdown (CommonMark with tables), for terminals, tickets and reviews.
//!
//! Every text is escaped: nothing in the facts can become a heading, a link, an image or HTML (SEC-30).

use std::fmt::Write;

use crate::facts::{Block, Cell, Facts, Row, Section, Style};

pub fn markdown(facts: &Facts) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, facts);
    out
}

fn write(out: &mut String, facts: &Facts) -> std::fmt::Result {
    writeln!(out, "# {} {}\n", escape(&facts.heading), facts.id)?;
    writeln!(
        out,
        "**{}** · {} {} ({}) · {}\n",
        facts.tlp, facts.priority.label, facts.priority.name, facts.priority.severity, facts.issued
    )?;
    for line in facts.addressee.iter().chain(&facts.issuer) {
        writeln!(out, "{}  ", escape(line))?;
    }
    writeln!(out, "\n## 1 {}\n\n**{}**\n", facts.words.summary, escape(&facts.headline))?;
    rows(out, &facts.summary)?;
    for section in std::iter::once(&facts.control).chain(&facts.sections) {
        write_section(out, section)?;
    }
    writeln!(out, "{}", facts.words.end)
}

fn write_section(out: &mut String, section: &Section) -> std::fmt::Result {
    writeln!(out, "## {} {}\n", section.number, escape(&section.title))?;
    for block in &section.blocks {
        match block {
            Block::Heading { text } => writeln!(out, "### {}\n", escape(text))?,
            Block::Text { text } | Block::Note { text } => writeln!(out, "{}\n", escape(text))?,
            Block::Quote { text } => writeln!(out, "> {}\n", escape(text))?,
            Block::List { items } => {
                for item in items {
                    writeln!(out, "- {}", escape(item))?;
                }
                writeln!(out)?;
            }
            Block::Rows { rows: list } => rows(out, list)?,
            Block::Table { columns, rows } => {
                let titles: Vec<String> = columns.iter().map(|c| escape(&c.title)).collect();
                writeln!(out, "| {} |\n|{}", titles.join(" | "), " --- |".repeat(columns.len()))?;
                for row in rows {
                    writeln!(out, "| {} |", row.iter().map(inline).collect::<Vec<_>>().join(" | "))?;
                }
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn rows(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    for row in rows {
        writeln!(out, "- **{}**: {}", escape(&row.label), inline(&row.value))?;
    }
    writeln!(out)
}

/// A cell on one line.
fn inline(cell: &Cell) -> String {
    let line = |l: &crate::facts::Line| match l.style {
        Style::Strong | Style::Alarm => format!("**{}**", escape(&l.text)),
        Style::Plain | Style::Small | Style::Code => escape(&l.text),
    };
    cell.iter().map(line).collect::<Vec<_>>().join(" / ")
}

/// Every ASCII mark that means something to Markdown or HTML gets a backslash. Facts hold no line breaks.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if "\\`*_{}[]<>#+|~!&$@".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}
