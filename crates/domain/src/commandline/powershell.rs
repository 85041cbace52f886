//! PowerShell's own arguments, which it takes in any abbreviation, and its escape character.

use super::cmd::{between_letters, without_within_words};
use super::encoding;
use super::words::{Word, words};

/// What the call of PowerShell asks for.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) encoded: Option<Word<'a>>,
    /// The words that ask for it.
    pub(super) hidden: Option<(Word<'a>, Word<'a>)>,
    pub(super) bypass: Option<(Word<'a>, Word<'a>)>,
}

/// Its parameters that take a value, with their shortest form.
const WITH_VALUE: [(&str, usize); 12] = [
    ("encodedcommand", 1),
    ("windowstyle", 1),
    ("executionpolicy", 2),
    ("command", 1),
    ("file", 1),
    ("version", 1),
    ("psconsolefile", 2),
    ("inputformat", 3),
    ("outputformat", 1),
    ("configurationname", 3),
    ("workingdirectory", 2),
    ("custompipename", 2),
];

/// Every call of PowerShell in a line.
pub(super) fn calls(text: &str) -> Vec<Call<'_>> {
    let all = words(text);
    let starts = (0..all.len()).filter(|at| all[*at].is_program(&["powershell", "pwsh", "powershell_ise"]));
    starts.take(32).map(|at| read(&all[at + 1..])).collect()
}

fn read<'a>(arguments: &[Word<'a>]) -> Call<'a> {
    let mut call = Call::default();
    let mut rest = arguments.iter().take(40);
    while let Some(word) = rest.next() {
        let Some(name) = option(word.text) else { continue };
        match parameter(&name) {
            Some("encodedcommand") => {
                call.encoded = rest.next().copied();
                break;
            }
            Some("command" | "file") => break,
            Some("windowstyle") => {
                let Some(value) = rest.next() else { break };
                let hidden = value.text.trim_matches(['"', '\'']).to_ascii_lowercase();
                if hidden == "1" || (!hidden.is_empty() && "hidden".starts_with(&hidden)) {
                    call.hidden = Some((*word, *value));
                }
            }
            Some("executionpolicy") => {
                let Some(value) = rest.next() else { break };
                let policy = value.text.trim_matches(['"', '\'']).to_ascii_lowercase();
                if policy.starts_with("by") || policy.starts_with("unr") {
                    call.bypass = Some((*word, *value));
                }
            }
            Some(_) => _ = rest.next(),
            None => {}
        }
    }
    call
}

/// `-enc`, `/enc`, and the dashes that only look like one.
fn option(word: &str) -> Option<String> {
    let name = word.strip_prefix(['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'])?;
    let name = name.trim_end_matches(':');
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic())).then(|| name.to_ascii_lowercase())
}

/// Whether what follows this word is run: `-Command`, or `-EncodedCommand` once it is decoded in its place.
pub(super) fn takes_command(word: &str) -> bool {
    option(word).is_some_and(|name| matches!(parameter(&name), Some("command" | "encodedcommand")))
}

fn parameter(name: &str) -> Option<&'static str> {
    match name {
        "ec" => Some("encodedcommand"),
        "ep" => Some("executionpolicy"),
        _ => WITH_VALUE
            .into_iter()
            .find(|(full, shortest)| name.len() >= *shortest && full.starts_with(name))
            .map(|(full, _)| full),
    }
}

/// The line with the argument of `-EncodedCommand` in plain words.
pub(super) fn encoded_command(text: &str) -> Option<String> {
    calls(text).iter().find_map(|call| {
        let word = call.encoded?;
        let plain = encoding::utf16_text(&encoding::base64(word.text)?)?;
        Some(format!("{}{plain}{}", &text[..word.at], &text[word.at + word.text.len()..]))
    })
}

/// `` i`e`x `` → `iex`. A lone escape that PowerShell knows, such as `` `n ``, stays.
pub(super) fn without_backticks(text: &str) -> Option<String> {
    without_within_words(text, '`', |word| {
        let known = ["`0", "`a", "`b", "`f", "`n", "`r", "`t", "`v"];
        let meant = known.iter().map(|escape| word.matches(escape).count()).sum::<usize>();
        let between = between_letters(word, '`');
        between > meant || (between >= 2 && !word.contains(['"', '\'', '$']))
    })
}
