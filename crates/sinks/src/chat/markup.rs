//! Slack's own markup, `mrkdwn`, as a page: bold, italic, struck, code, quotes, links, mentions. Only what Slack itself
//! would make of a text, so that the page shows a mention or a link that data has smuggled in.

use maud::{Markup, PreEscaped, html};

use crate::web::{link, visible};

/// How deep `*bold _and italic_*` is followed.
const MAX_DEPTH: u8 = 4;
/// How far the end of a mark is looked for.
const MAX_REACH: usize = 3_000;

/// A whole text with its lines, quotes and code blocks.
pub(super) fn mrkdwn(text: &str) -> Markup {
    let mut page = String::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 1 {
            page.push_str(&html! { pre { (visible(&unescaped(part.trim_matches('\n')))) } }.into_string());
            continue;
        }
        // A quote is a block of its own: the line ends beside it are no empty lines.
        let mut needs_break = false;
        for line in part.split('\n') {
            let quote = line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>'));
            if needs_break && quote.is_none() {
                page.push('\n');
            }
            needs_break = quote.is_none();
            let shown = match quote {
                Some(quoted) => html! { blockquote { (inline(quoted.trim_start(), 0)) } },
                None => inline(line, 0),
            };
            page.push_str(&shown.into_string());
        }
    }
    PreEscaped(page)
}

/// Who a text calls, in the order of their standing.
pub(super) fn mentions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((inner, after)) = rest.split_once('<').and_then(|(_, from)| from.split_once('>')) {
        let name = inner.split('|').next().unwrap_or_default();
        if name.starts_with('@') || (name.starts_with('!') && !name.starts_with("!date")) {
            found.push(name.to_owned());
        }
        rest = after;
    }
    found
}

fn inline(text: &str, depth: u8) -> Markup {
    let mut page = String::new();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let before = text[..at].chars().next_back();
        let Some((markup, length)) = mark(&text[at..], before, depth) else {
            at += c.len_utf8();
            continue;
        };
        page.push_str(&html! { (visible(&unescaped(&text[plain_from..at]))) (markup) }.into_string());
        at += length;
        plain_from = at;
    }
    page.push_str(&html! { (visible(&unescaped(&text[plain_from..]))) }.into_string());
    PreEscaped(page)
}

/// The mark that starts here, if one does, and how long it is.
fn mark(text: &str, before: Option<char>, depth: u8) -> Option<(Markup, usize)> {
    let sign = text.chars().next()?;
    let inner = text.get(1..)?;
    if sign == '<' {
        let inner = &inner[..inner.find('>')?];
        return Some((reference(inner), inner.len() + 2));
    }
    if !"*_~`".contains(sign) || before.is_some_and(char::is_alphanumeric) || depth >= MAX_DEPTH {
        return None;
    }
    let inner = &inner[..end_of(inner, sign)?];
    let markup = match sign {
        '`' => html! { code { (visible(&unescaped(inner))) } },
        '*' => html! { strong { (inline(inner, depth + 1)) } },
        '_' => html! { em { (inline(inner, depth + 1)) } },
        _ => html! { s { (inline(inner, depth + 1)) } },
    };
    Some((markup, inner.len() + 2))
}

/// Where the closing sign stands: not after a space, and not before a letter.
fn end_of(inner: &str, sign: char) -> Option<usize> {
    if inner.starts_with(|c: char| c.is_whitespace() || c == sign) {
        return None;
    }
    inner.char_indices().take(MAX_REACH).find_map(|(at, c)| {
        let spaced = inner[..at].ends_with(char::is_whitespace);
        let glued = inner[at..].chars().nth(1).is_some_and(|next| next.is_ascii_alphanumeric());
        (c == sign && !spaced && !glued).then_some(at)
    })
}

/// What stands between angle brackets.
fn reference(inner: &str) -> Markup {
    let (target, label) = inner.split_once('|').unwrap_or((inner, inner));
    match target.chars().next() {
        Some('!') if target.starts_with("!date") => html! { (visible(&unescaped(label))) },
        Some('@') => html! { span.mention { (visible(if label == inner { target } else { label })) } },
        Some('!') => html! { span.mention { "@" (visible(&target[1..])) } },
        Some('#') => html! { span.mention { "#" (visible(if label == inner { &target[1..] } else { label })) } },
        _ => link(&unescaped(target), &unescaped(label)),
    }
}

/// Slack's three escapes, and no others. It decodes them in every text object, whatever its kind.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        mrkdwn(text).into_string()
    }

    #[test]
    fn marks_become_elements() {
        assert_eq!(
            shown("*P0* _緊急_ ~旧~ `cmd.exe`"),
            "<strong>P0</strong> <em>緊急</em> <s>旧</s> <code>cmd.exe</code>"
        );
        assert_eq!(shown("*bold _and italic_*"), "<strong>bold <em>and italic</em></strong>");
        assert_eq!(shown("a\n&gt; quoted\nb\nc"), "a<blockquote>quoted</blockquote>b\nc");
        assert_eq!(shown("```\n*not bold*\n```"), "<pre>*not bold*</pre>");
        assert_eq!(
            shown("<https://soc.example/i?a=1&amp;b=2|INC-2026-000123>"),
            r#"<a href="https://soc.example/i?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">INC-2026-000123</a>"#
        );
    }

    #[test]
    fn what_only_resembles_a_mark_stays_text() {
        for text in ["2 * 3 * 4", "snake_case_name", "a*b*c", "* not closed", "**", "_", "`", "<"] {
            assert_eq!(shown(text).replace("&lt;", "<"), text);
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(shown("&lt;!channel&gt; &amp;lt;b&amp;gt;"), "&lt;!channel&gt; &amp;lt;b&amp;gt;");
        assert_eq!(shown("<javascript:alert(1)|open>"), "open");
        assert_eq!(shown("<https://a.example/\"onclick=x|\u{202e}y>").matches("⟨U+202E⟩").count(), 1);
        assert!(!shown("<img src=x onerror=alert(1)>").contains("<img"));
    }

    #[test]
    fn a_mention_is_found_and_an_escaped_one_is_none() {
        assert_eq!(mentions("<!here> see <@U123|ann>, <https://a.example|x>, <!date^1^{date}|d>"), ["!here", "@U123"]);
        assert_eq!(mentions("&lt;!here&gt; @channel"), [""; 0]);
        assert!(shown("<!channel>").contains(r#"class="mention">@channel"#));
    }

    #[test]
    fn no_text_can_panic_or_nest_without_end() {
        for text in ["*_~`<", "<|>", "<>", "<!>", "<@>", "<#>", "&gt;", "```", "検*知*", "*検*知", "*"] {
            let _any_page = shown(&text.repeat(500));
        }
        assert!(shown("*_*_*_*_x_*_*_*_*").contains("x"));
    }
}
