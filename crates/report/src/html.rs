//! The same facts as one HTML page that needs nothing else: no script, no image, no font and no address from outside.
//!
//! `maud` escapes every text (SEC-30), and the page forbids itself to load or run anything.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::facts::{Block, Cell, Facts, Line, Row, Section, Style};

const STYLE: &str = include_str!("incident.css");

pub fn html(facts: &Facts) -> String {
    page(facts).into_string()
}

fn page(facts: &Facts) -> Markup {
    let priority = &facts.priority;
    html! {
        (DOCTYPE)
        html lang=(facts.language) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (facts.title) }
                // Our own file, which holds no `<`.
                style { (PreEscaped(STYLE)) }
            }
            body class=(priority.name) {
                header { span { (facts.heading) " " strong { (facts.id) } } span.tlp { (facts.tlp) } }
                div.ends {
                    address { @for line in &facts.addressee { (line) br; } }
                    address { (facts.issued) br; @for line in &facts.issuer { (line) br; } }
                }
                h1 { (facts.heading) " " (facts.id) }
                p.badge { (shape(priority.name)) " " (priority.label) " " (priority.name) " (" (priority.severity) ")" }
                main {
                    section.summary {
                        h2 { "1 " (facts.words.summary) }
                        p.headline { (facts.headline) }
                        (rows(&facts.summary))
                    }
                    @for s in std::iter::once(&facts.control).chain(&facts.sections) { (section(s)) }
                }
                footer { (facts.words.end) }
            }
        }
    }
}

/// Colour alone says nothing to many readers: each priority has its shape, as in the PDF.
fn shape(priority: &str) -> &'static str {
    match priority {
        "P0" => "◆",
        "P1" => "▲",
        "P2" => "●",
        _ => "■",
    }
}

fn section(section: &Section) -> Markup {
    html! {
        section {
            h2 { @if section.number != "0" { (section.number) " " } (section.title) }
            @for b in &section.blocks { (block(b)) }
        }
    }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Heading { text } => h3 { (text) },
            Block::Text { text } => p { (text) },
            Block::Note { text } => p.note { (text) },
            Block::Quote { text } => blockquote { (text) },
            Block::List { items } => ul { @for item in items { li { (item) } } },
            Block::Rows { rows: list } => (rows(list)),
            Block::Table { columns, rows } => table {
                thead { tr { @for c in columns { th scope="col" { (c.title) } } } }
                tbody { @for row in rows { tr { @for c in row { td { (cell(c)) } } } } }
            },
        }
    }
}

fn rows(rows: &[Row]) -> Markup {
    html! { dl { @for row in rows { dt { (row.label) } dd { (cell(&row.value)) } } } }
}

fn cell(cell: &Cell) -> Markup {
    html! { @for line in cell { (self::line(line)) } }
}

fn line(line: &Line) -> Markup {
    html! {
        @match line.style {
            Style::Plain => div { (line.text) },
            Style::Strong => div { strong { (line.text) } },
            Style::Small => div.small { (line.text) },
            Style::Code => div { code { (line.text) } },
            Style::Alarm => div.alarm { "▲ " (line.text) },
        }
    }
}
