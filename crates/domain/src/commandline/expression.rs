//! PowerShell that puts its text together when it runs, as far as only literals are used: `'a'+'b'`, `[char]105`, `-f`, `-replace`.
//!
//! It evaluates nothing: variables, calls and conditions stay as they are.

/// One literal in single or double quotes.
#[derive(Debug, Clone, Copy)]
struct Literal<'a> {
    start: usize,
    end: usize,
    value: &'a str,
}

/// Most rewritings of one line.
const MAX_STEPS: usize = 512;

/// The line with everything put together that consists of literals alone.
pub(super) fn simplified(text: &str) -> Option<String> {
    if !text.contains(['\'', '"', '[']) {
        return None;
    }
    let mut text = text.to_owned();
    let mut changed = false;
    for _ in 0..MAX_STEPS {
        let Some(next) = without_char_codes(&text).or_else(|| one_step(&text)) else { break };
        text = next;
        changed = true;
    }
    changed.then_some(text)
}

/// `[char]105` and `[char]0x69` as literals. Characters that cannot be seen stay as codes: those a reader must see.
fn without_char_codes(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("[char]").find_map(|(at, cast)| {
        let after = &text[at + cast.len()..];
        let bare = after.trim_start_matches(['(', ' ']);
        let opened = after[..after.len() - bare.len()].matches('(').count();
        let (digits, radix) = bare.strip_prefix("0x").map_or((bare, 10), |hex| (hex, 16));
        let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let c = char::from_u32(u32::from_str_radix(&digits[..length], radix).ok()?)?;
        let closing = &digits[length..];
        let closed: String = ")".repeat(opened);
        let rest = closing.strip_prefix(closed.as_str())?;
        let seen = c.is_ascii_graphic() && !matches!(c, '\'' | '"') || c == ' ';
        seen.then(|| format!("{}'{c}'{rest}", &text[..at]))
    })
}

fn one_step(text: &str) -> Option<String> {
    let literals = literals(text);
    let joined = literals.windows(2).find_map(|pair| {
        let between = text[pair[0].end..pair[1].start].trim();
        (between == "+").then(|| with(text, pair[0].start, pair[1].end, &format!("{}{}", pair[0].value, pair[1].value)))
    });
    joined.flatten().or_else(|| literals.iter().enumerate().find_map(|(n, l)| operator(text, *l, &literals[n + 1..])))
}

/// `-f`, `-replace` and `.Replace` on a literal.
fn operator(text: &str, literal: Literal<'_>, after: &[Literal<'_>]) -> Option<String> {
    let Literal { start, mut end, value } = literal;
    let mut start = start;
    // `("{0}")-f …`: the bracket around one literal goes with it.
    if text[..start].ends_with('(') && text[end..].starts_with(')') {
        (start, end) = (start - 1, end + 1);
    }
    let tail = text[end..].trim_start();
    let lower: String = tail.chars().take(16).collect::<String>().to_ascii_lowercase();
    if lower.starts_with("-f") && value.contains('{') {
        let mut filled = value.to_owned();
        let mut last = end;
        for (n, part) in after.iter().take(64).enumerate() {
            let between = text[last..part.start].trim();
            let first = n == 0 && matches!(between.to_ascii_lowercase().as_str(), "-f" | "-f(" | "-f (");
            if !(first || n > 0 && between == ",") {
                break;
            }
            filled = filled.replace(&format!("{{{n}}}"), part.value);
            last = part.end;
        }
        return (last > end && !filled.contains('{')).then(|| with(text, start, last, &filled)).flatten();
    }
    let [old, new, ..] = after else { return None };
    let between = |from: usize, to: usize| text[from..to].trim().to_ascii_lowercase();
    let call = between(end, old.start);
    let plain = |text: &str| !text.contains(['\\', '[', '(', '*', '+', '?', '^', '$', '|', '.']);
    let is_call = call == ".replace(" && text[new.end..].trim_start().starts_with(')');
    let is_operator = matches!(call.as_str(), "-replace" | "-creplace") && plain(old.value);
    if !(is_call || is_operator) || between(old.end, new.start) != "," || old.value.is_empty() {
        return None;
    }
    let close = if is_call { text[new.end..].find(')')? + 1 } else { 0 };
    with(text, start, new.end + close, &value.replace(old.value, new.value))
}

/// `text` with one literal from `start` to `end`; not when its value cannot stand in quotes, or grows too long.
fn with(text: &str, start: usize, end: usize, value: &str) -> Option<String> {
    let quote = if value.contains('\'') { '"' } else { '\'' };
    let fits = !value.contains(quote) && value.len() <= super::MAX_TEXT;
    fits.then(|| format!("{}{quote}{value}{quote}{}", &text[..start], &text[end..]))
}

fn literals(text: &str) -> Vec<Literal<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(['\'', '"']).map(|start| at + start) {
        let quote = char::from(text.as_bytes()[start]);
        let Some(length) = text[start + 1..].find(quote) else { break };
        let end = start + 1 + length + 1;
        let value = &text[start + 1..end - 1];
        // A text with variables in it is none that is known.
        if quote == '\'' || !value.contains('$') {
            found.push(Literal { start, end, value });
        }
        at = end;
        if found.len() >= 1_000 {
            break;
        }
    }
    found
}
