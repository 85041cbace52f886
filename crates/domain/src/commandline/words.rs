//! Cuts a line into words, as far as command prompts and shells agree on what a word is.

use super::powershell;

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// Without the quotes around it.
    pub(super) text: &'a str,
    /// Where `text` begins in the line.
    pub(super) at: usize,
    /// It stands where a program is named: first in a statement, behind a pipe, a bracket, `/c` or `sudo`.
    pub(super) commands: bool,
}

/// Most words of a line that are looked at.
const MAX_WORDS: usize = 4_000;

/// What may stand before the name of a program.
#[rustfmt::skip]
const BEFORE: [&str; 42] = [
    "/c", "/k", "/r", "/b", "-c", "-command", "-lc", "-e", "sudo", "doas", "call", "start", "do", "then", "else", "exec", "nohup", "xargs",
    "time", "env", "if", "while", "!", "&", "start-process", "saps", "-filepath", "-exec", "/tr", "-execute", "create", "cmd", "cmd.exe",
    "powershell", "powershell.exe", "pwsh", "-nop", "-noprofile", "/wait", "/min", "@echo", "eval",
];

impl Word<'_> {
    /// Names one of these programs, where a program is named.
    pub(super) fn is_program(&self, names: &[&str]) -> bool {
        self.commands && names.iter().any(|name| program(self.text).eq_ignore_ascii_case(name))
    }
}

/// The name of a program without its folder and ending.
pub(super) fn program(word: &str) -> &str {
    let name = word.rsplit(['\\', '/']).next().unwrap_or(word).trim_start_matches('@');
    let cut = name.len().saturating_sub(4);
    match name.get(cut..) {
        Some(end) if [".exe", ".com", ".cmd", ".bat", ".ps1"].iter().any(|e| end.eq_ignore_ascii_case(e)) => {
            &name[..cut]
        }
        _ => name,
    }
}

/// All words in order. What is quoted counts as one word and, when it holds several, as those as well.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    cut(text, 0, true, &mut found);
    found
}

fn cut<'a>(text: &'a str, base: usize, outermost: bool, found: &mut Vec<Word<'a>>) {
    let mut at = 0;
    // A statement begins, or something that a program's name follows.
    let mut commands = true;
    while let Some(c) = text[at..].chars().next() {
        if found.len() >= MAX_WORDS {
            return;
        }
        match c {
            '|' | '&' | ';' | '\n' | '(' | '{' | '`' => {
                commands = true;
                at += 1;
            }
            '"' | '\'' => {
                let inside = at + 1;
                let end = text[inside..].find(c).map_or(text.len(), |end| inside + end);
                let quoted = &text[inside..end];
                if !quoted.is_empty() {
                    found.push(Word { text: quoted, at: base + inside, commands });
                    if outermost && quoted.contains([' ', ';', '|', '(']) {
                        let first = found.len();
                        cut(quoted, base + inside, false, found);
                        if let Some(word) = found.get_mut(first) {
                            word.commands = commands;
                        }
                    }
                }
                commands = false;
                at = (end + 1).min(text.len());
            }
            c if c.is_whitespace() || matches!(c, ')' | '}' | '=' | ',' | '<' | '>' | '$') => at += c.len_utf8(),
            _ => {
                let end = text[at..]
                    .find(|c: char| c.is_whitespace() || "|&;(){}\"'`,<>".contains(c))
                    .map_or(text.len(), |end| at + end);
                let word = &text[at..end];
                found.push(Word { text: word, at: base + at, commands });
                let lower = word.to_ascii_lowercase();
                commands = BEFORE.contains(&lower.as_str()) || powershell::takes_command(word);
                at = end;
            }
        }
    }
}
