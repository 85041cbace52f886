//! The text part: the form of a Japanese business letter, and a plain list of fields in English.
//!
//! Lines of ours begin at the margin, quoted words of others behind `> `: nothing quoted can look like ours.

use domain::Language;

use crate::letter::{Item, Letter, Line};

const RULE: &str = "----------------------------------------";

pub(super) fn render(letter: &Letter) -> String {
    let mut out = String::with_capacity(4096);
    addressees(letter, &mut out);
    paragraph(letter.greeting.as_deref(), &mut out);
    for line in &letter.conclusion {
        paragraph(Some(line), &mut out);
    }
    // 記 … 以上 frame the items of a Japanese letter.
    if letter.language == Language::Ja {
        out.push_str("　　　　　　　　　　　　記\n\n");
    }
    for item in &letter.items {
        write_item(item, letter.language, &mut out);
    }
    if letter.language == Language::Ja {
        out.push_str("\n　　　　　　　　　　　　　　　　　　　　　　以上\n");
    }
    out.push_str(&format!("\n{RULE}\n{}\n{RULE}\n", letter.signature.join("\n")));
    out
}

fn addressees(letter: &Letter, out: &mut String) {
    let lines = match letter.language {
        Language::Ja => letter.addressees.join("\n"),
        Language::En => format!("To: {}", letter.addressees.join("\n    ")),
    };
    out.push_str(&lines);
    out.push_str("\n\n");
}

fn paragraph(text: Option<&str>, out: &mut String) {
    if let Some(text) = text {
        out.push_str(text);
        out.push_str("\n\n");
    }
}

/// A single line stands beside its label, several stand below it.
fn write_item(item: &Item, language: Language, out: &mut String) {
    let (mark, colon) = match language {
        Language::Ja => ("■ ", "： "),
        Language::En => ("* ", ": "),
    };
    out.push_str(&format!("{mark}{}{colon}", item.label));
    if let [Line::Plain(line)] = item.lines.as_slice() {
        out.push_str(&format!("{line}\n"));
        return;
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push('\n');
    for line in &item.lines {
        let line = match (line, language) {
            (Line::Plain(text) | Line::Address(text), _) => format!("   {text}\n"),
            (Line::Point(text), Language::Ja) => format!("   ・{text}\n"),
            (Line::Point(text), Language::En) => format!("   - {text}\n"),
            (Line::Numbered(n, text), _) => format!("   {n}. {text}\n"),
            (Line::Quoted(text), _) => format!("   > {text}\n"),
        };
        out.push_str(&line);
    }
}
