//! The HTML part: one column that reads on a telephone, no picture, no link, no script, all style inline.
//!
//! Every colour comes with its background, so that a client that turns mails dark turns both or neither. Priority is told
//! by colour, by shape and in words. maud escapes every string (SEC-30).

use domain::notice::TLP;
use domain::{Language, Priority};
use maud::{DOCTYPE, Markup, html};

use crate::letter::{Item, Letter, Line};

const FONT: &str = "font-family:'Hiragino Sans','Hiragino Kaku Gothic ProN','BIZ UDPGothic','Yu Gothic UI',Meiryo,\
                    'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
const PAGE: &str = "margin:0;padding:0;background-color:#eef0f3;color:#1d2129;-webkit-text-size-adjust:100%;";
const CARD: &str = "width:100%;max-width:640px;background-color:#ffffff;color:#1d2129;border-collapse:separate;\
                    border-spacing:0;border-radius:6px;overflow:hidden;";
const BODY: &str = "color:#1d2129;background-color:#ffffff;font-size:15px;line-height:25px;overflow-wrap:anywhere;";
/// Label and value stand side by side where both fit, and one below the other on a telephone.
const LABEL: &str =
    "display:inline-block;width:148px;vertical-align:top;color:#5a6270;font-size:12px;line-height:22px;";
const VALUE: &str = "display:inline-block;width:100%;max-width:450px;vertical-align:top;color:#1d2129;font-size:14px;\
                     line-height:22px;overflow-wrap:anywhere;";

/// A longer word may break, or it would widen the mail on a telephone.
const LONGEST_UNBROKEN: usize = 24;

/// How a priority looks: colour of the band, and of the tint behind the summary.
struct Look {
    band: &'static str,
    tint: &'static str,
}

fn look(priority: Priority) -> Look {
    match priority {
        Priority::P0 => Look { band: "#c4351c", tint: "#fdf1ee" },
        Priority::P1 => Look { band: "#9a5b00", tint: "#fdf5e6" },
        Priority::P2 => Look { band: "#1f5fa8", tint: "#eef4fb" },
        Priority::P3 => Look { band: "#59616d", tint: "#f3f4f6" },
    }
}

pub(super) fn render(letter: &Letter) -> String {
    html! {
        (DOCTYPE)
        html lang=(letter.language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light";
                meta name="supported-color-schemes" content="light";
                // Mail clients must not turn numbers and dates of ours into links.
                meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no";
                title { (letter.subject()) }
            }
            body style=(PAGE) {
                table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
                    style=(format!("background-color:#eef0f3;{FONT}")) {
                    tr { td align="center" style="padding:16px 8px;" { (card(letter)) } }
                }
            }
        }
    }
    .into_string()
}

fn card(letter: &Letter) -> Markup {
    let look = look(letter.priority);
    html! {
        table role="presentation" cellpadding="0" cellspacing="0" border="0" style=(CARD) {
            (band(letter, &look))
            (summary(letter, &look))
            (opening(letter))
            (items(letter))
            (signature(letter))
        }
    }
}

/// Priority, need and marking, then what this message is.
fn band(letter: &Letter, look: &Look) -> Markup {
    let (language, band) = (letter.language, look.band);
    let priority = letter.priority;
    let severity = priority.severity().in_language(language);
    let need = letter.need.text().in_language(language);
    html! {
        tr { td style=(format!("background-color:{band};color:#ffffff;padding:16px 20px 18px;")) {
            div style="font-size:14px;line-height:26px;font-weight:bold;" {
                span aria-hidden="true" { (letter.shape()) } " " (priority.name()) " " (severity)
                span style="font-weight:normal;" { "　|　" } (need)
                // The marking's own colours, as the standard gives them.
                "　" span style="background-color:#000000;color:#ffc000;font-size:12px;padding:3px 8px;\
                            border-radius:3px;white-space:nowrap;" { (TLP) }
            }
            h1 style="margin:10px 0 0;font-size:20px;line-height:29px;font-weight:bold;color:#ffffff;" {
                (letter.title())
            }
            div style="font-size:14px;line-height:22px;padding-top:4px;overflow-wrap:anywhere;" {
                (words(&letter.incident)) "　" (words(&letter.host))
            }
        } }
    }
}

fn summary(letter: &Letter, look: &Look) -> Markup {
    let tint = look.tint;
    html! {
        tr { td style=(format!("background-color:{tint};color:#1d2129;padding:14px 20px 6px;")) {
            @for (label, text) in &letter.summary {
                div style="padding-bottom:10px;" {
                    div style="color:#5a6270;font-size:12px;line-height:18px;" { (label) }
                    div style="color:#1d2129;font-size:15px;line-height:23px;font-weight:bold;overflow-wrap:anywhere;" {
                        (words(text))
                    }
                }
            }
        } }
    }
}

/// Addressees, greeting and conclusion.
fn opening(letter: &Letter) -> Markup {
    html! {
        tr { td style=(format!("{BODY}padding:20px 20px 4px;")) {
            p style="margin:0 0 14px;" {
                @for line in &letter.addressees { (line) br; }
            }
            @if let Some(greeting) = &letter.greeting { p style="margin:0 0 14px;" { (greeting) } }
            @for paragraph in &letter.conclusion { p style="margin:0 0 14px;" { (words(paragraph)) } }
            @if letter.language == Language::Ja {
                p style="margin:14px 0 12px;text-align:center;" { "記" }
            }
        } }
    }
}

fn items(letter: &Letter) -> Markup {
    html! {
        @for item in &letter.items {
            tr { td style=(format!("{BODY}padding:0 20px;")) { (one_item(item)) } }
        }
        @if letter.language == Language::Ja {
            tr { td style=(format!("{BODY}padding:4px 20px 12px;text-align:right;")) { "以上" } }
        }
    }
}

fn one_item(item: &Item) -> Markup {
    html! {
        div style="border-top:1px solid #e3e6eb;padding:7px 0 8px;font-size:0;" {
            div style=(LABEL) { (item.label) }
            div style=(VALUE) {
                @for line in &item.lines { (one_line(line)) }
            }
        }
    }
}

fn one_line(line: &Line) -> Markup {
    html! {
        @match line {
            Line::Plain(text) => div { (words(text)) },
            Line::Address(text) => div { (text) },
            Line::Point(text) => div style="padding-left:14px;text-indent:-14px;" { "• " (words(text)) },
            Line::Numbered(n, text) => div style="padding-left:20px;text-indent:-20px;" { (n) ". " (words(text)) },
            Line::Quoted(text) => div style="border-left:3px solid #c3c9d2;padding-left:11px;" { (words(text)) },
        }
    }
}

/// A text in which dates, ids and host names are not broken at their hyphens.
fn words(text: &str) -> Markup {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.len() - rest.trim_start_matches(is_part).len();
        let gap = rest[length..].find(is_part).unwrap_or(rest.len() - length);
        let (word, after) = rest.split_at(length);
        let (between, next) = after.split_at(gap);
        pieces.push((word, between));
        rest = next;
    }
    html! {
        @for (word, between) in pieces {
            @if word.contains('-') && word.len() <= LONGEST_UNBROKEN {
                span style="white-space:nowrap;" { (word) }
            } @else {
                (word)
            }
            @for piece in between.split_inclusive(['\\', '/']) {
                (piece)
                // A path is best broken between its folders.
                @if piece.ends_with(['\\', '/']) { wbr; }
            }
        }
    }
}

fn signature(letter: &Letter) -> Markup {
    html! {
        tr { td style="background-color:#f6f7f9;color:#5a6270;font-size:12px;line-height:20px;padding:14px 20px 16px;" {
            @for line in &letter.signature { (line) br; }
        } }
    }
}
