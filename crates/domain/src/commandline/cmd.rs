//! How the Windows command prompt hides letters: carets, quotes within words, and pieces of variables.

use std::collections::BTreeMap;

/// `p^ow^er` → `power`. Only in words where a caret stands between letters: `^&` and `"^start"` are honest.
pub(super) fn without_carets(text: &str) -> Option<String> {
    without_within_words(text, '^', |word| between_letters(word, '^') >= 1)
}

/// `p"ow"er` → `power`, `w''hoami` → `whoami`.
pub(super) fn without_inserted_quotes(text: &str) -> Option<String> {
    let double = without_within_words(text, '"', |word| is_broken_by(word, '"'));
    let single = without_within_words(double.as_deref().unwrap_or(text), '\'', |word| is_broken_by(word, '\''));
    single.or(double)
}

/// Takes `sign` out of every word that `hides` names.
pub(super) fn without_within_words(text: &str, sign: char, hides: impl Fn(&str) -> bool) -> Option<String> {
    if !text.contains(sign) {
        return None;
    }
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        if hides(word) {
            changed = true;
            out.extend(word.chars().filter(|c| *c != sign));
        } else {
            out.push_str(word);
        }
    }
    changed.then_some(out)
}

/// How often `sign` stands directly between two letters.
pub(super) fn between_letters(word: &str, sign: char) -> usize {
    let bytes = word.as_bytes();
    bytes
        .windows(3)
        .filter(|w| char::from(w[1]) == sign && w[0].is_ascii_alphabetic() && w[2].is_ascii_alphabetic())
        .count()
}

/// A word that pairs of quotes cut into pieces, and that is nothing else: no assignment, list, path or code.
fn is_broken_by(word: &str, quote: char) -> bool {
    let word = word.trim();
    let simple = |c: char| c.is_ascii_alphanumeric() || c == quote || "._-/\\:".contains(c);
    if !word.chars().all(simple) || !word.matches(quote).count().is_multiple_of(2) {
        return false;
    }
    let doubled: String = [quote, quote].iter().collect();
    let empties = word.match_indices(&doubled).filter(|(at, _)| {
        let letter = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphabetic());
        letter(at.checked_sub(1).map(|b| word.as_bytes()[b])) && letter(word.as_bytes().get(at + 2).copied())
    });
    empties.count() >= 1 || between_letters(word, quote) >= 2
}

/// Puts in what variables are known to hold: those set in the line, and the parts of Windows' own (`%COMSPEC:~0,1%`).
///
/// A whole `%TEMP%` stays: it hides nothing, and where it leads depends on the endpoint.
pub(super) fn with_environment(text: &str) -> Option<String> {
    if !text.contains(['%', '!']) {
        return None;
    }
    let own = set_in(text);
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '!']) {
        let mark = rest.as_bytes()[at];
        out.push_str(&rest[..at]);
        let inner = &rest[at + 1..];
        let end = inner.bytes().take(200).position(|b| b == mark || b == b'\n');
        let value = end.filter(|end| inner.as_bytes()[*end] == mark).and_then(|end| {
            let value = value_of(&inner[..end], &own, out.chars().last(), inner[end + 1..].chars().next())?;
            Some((value, end))
        });
        if let Some((value, end)) = value.filter(|_| out.len() < super::MAX_TEXT) {
            out.push_str(&value);
            rest = &inner[end + 1..];
            changed = true;
        } else {
            out.push(char::from(mark));
            rest = inner;
        }
    }
    out.push_str(rest);
    changed.then_some(out)
}

fn value_of(inner: &str, own: &BTreeMap<String, String>, before: Option<char>, after: Option<char>) -> Option<String> {
    let (name, part) = inner.split_once(':').map_or((inner, None), |(name, part)| (name, Some(part)));
    let name = name.to_ascii_lowercase();
    let known = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let value = own.get(&name).map(String::as_str).or(known)?;
    let Some(part) = part else {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        // `%COMSPEC%` stands for the program itself. Others only hide something when they are glued into a word.
        let hides = own.contains_key(&name) || name == "comspec" || (letter(before) && letter(after));
        return hides.then(|| value.to_owned());
    };
    if let Some(range) = part.strip_prefix('~') {
        let (from, length) = range.split_once(',').map_or((range, None), |(from, length)| (from, Some(length)));
        return substring(value, from.trim().parse().ok()?, length.map(|l| l.trim().parse()).transpose().ok()?);
    }
    let (old, new) = part.split_once('=')?;
    (!old.is_empty()).then(|| replace_any_case(value, old, new))
}

/// As `%X:~from,length%` cuts: negative numbers count from the end.
fn substring(value: &str, from: i64, length: Option<i64>) -> Option<String> {
    let chars: Vec<char> = value.chars().collect();
    let size = i64::try_from(chars.len()).ok()?;
    let start = if from < 0 { size.saturating_add(from).max(0) } else { from.min(size) };
    let end = match length {
        None => size,
        Some(length) if length < 0 => size.saturating_add(length),
        Some(length) => start.saturating_add(length).min(size),
    };
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end.max(start)).ok()?);
    Some(chars[start..end].iter().collect())
}

fn replace_any_case(value: &str, old: &str, new: &str) -> String {
    let (lower, old) = (value.to_ascii_lowercase(), old.to_ascii_lowercase());
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in lower.match_indices(&old) {
        out.push_str(&value[from..at]);
        out.push_str(new);
        from = at + old.len();
    }
    out + &value[from..]
}

/// `set a=po& set "b=wer"`: variables that the line gives itself. At most a few dozen, each short.
fn set_in(text: &str) -> BTreeMap<String, String> {
    let mut own = BTreeMap::new();
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices("set ").take(64) {
        if lower[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            continue;
        }
        let statement = text[at + 4..].split(['&', '|', '\n']).next().unwrap_or_default();
        let statement = statement.trim_start().trim_start_matches('"');
        let Some((name, value)) = statement.split_once('=') else { continue };
        let is_name = !name.is_empty() && name.len() <= 40 && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let value = value.trim_end_matches(['"', ')']);
        if is_name && value.len() <= 400 && !value.contains('%') {
            own.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    own
}

/// What stands in these on every Windows. Nothing that depends on the user.
const KNOWN: [(&str, &str); 17] = [
    ("allusersprofile", "C:\\ProgramData"),
    ("commonprogramfiles", "C:\\Program Files\\Common Files"),
    ("commonprogramw6432", "C:\\Program Files\\Common Files"),
    ("comspec", "C:\\Windows\\system32\\cmd.exe"),
    ("homedrive", "C:"),
    ("os", "Windows_NT"),
    ("pathext", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"),
    ("processor_architecture", "AMD64"),
    ("programdata", "C:\\ProgramData"),
    ("programfiles", "C:\\Program Files"),
    ("programfiles(x86)", "C:\\Program Files (x86)"),
    ("programw6432", "C:\\Program Files"),
    (
        "psmodulepath",
        "C:\\Program Files\\WindowsPowerShell\\Modules;C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules",
    ),
    ("public", "C:\\Users\\Public"),
    ("systemdrive", "C:"),
    ("systemroot", "C:\\Windows"),
    ("windir", "C:\\Windows"),
];
