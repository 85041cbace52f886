//! Reads HTML as a browser would cut it up, far enough to tell what a page is made of from what it says.

#![allow(dead_code, reason = "each user takes what it needs")]

/// One piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Open {
        name: String,
        attributes: Vec<(String, String)>,
    },
    Close(String),
    /// Comments, doctypes and whatever else begins with `<!` or `<?`.
    Declaration(String),
    Text(String),
}

/// Elements whose content has no tags in it until their own end.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

pub fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while !rest.is_empty() {
        let Some(at) = begins_tag(rest) else {
            pieces.push(Piece::Text(plain(rest)));
            break;
        };
        if at > 0 {
            pieces.push(Piece::Text(plain(&rest[..at])));
        }
        let (piece, after) = tag(&rest[at..]);
        rest = after;
        let raw = match &piece {
            Piece::Open { name, .. } if RAW.contains(&name.as_str()) => Some(name.clone()),
            _ => None,
        };
        pieces.push(piece);
        if let Some(name) = raw {
            let ends = |at: &usize| rest[at + 2..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(&name));
            let at = rest.match_indices("</").map(|(at, _)| at).find(ends).unwrap_or(rest.len());
            pieces.push(Piece::Text(plain(&rest[..at])));
            rest = &rest[at..];
        }
    }
    pieces
}

/// All that a reader sees of a page, and what its fields hold.
pub fn text(pieces: &[Piece]) -> String {
    pieces.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None }).collect()
}

/// Where the next tag begins: a `<` followed by what makes it one.
fn begins_tag(text: &str) -> Option<usize> {
    let makes_one = |at: usize| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    text.match_indices('<').map(|(at, _)| at).find(|at| makes_one(*at))
}

fn tag(text: &str) -> (Piece, &str) {
    let inside = &text[1..];
    if inside.starts_with(['!', '?']) {
        let end = inside.find('>').unwrap_or(inside.len());
        return (Piece::Declaration(inside[..end].to_owned()), &inside[(end + 1).min(inside.len())..]);
    }
    let closes = inside.starts_with('/');
    let inside = inside.trim_start_matches('/');
    let end = inside.find(|c: char| c.is_ascii_whitespace() || "/>".contains(c)).unwrap_or(inside.len());
    let name = inside[..end].to_ascii_lowercase();
    let (attributes, after) = attributes(&inside[end..]);
    (if closes { Piece::Close(name) } else { Piece::Open { name, attributes } }, after)
}

fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (found, rest.strip_prefix('>').unwrap_or(rest));
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || "=/>".contains(c)).unwrap_or(rest.len()).max(1);
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_whitespace());
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let quote = after.chars().next().filter(|c| "\"'".contains(*c));
            let (from, until): (usize, &dyn Fn(char) -> bool) = match quote {
                Some('"') => (1, &|c| c == '"'),
                Some(_) => (1, &|c| c == '\''),
                None => (0, &|c: char| c.is_ascii_whitespace() || c == '>'),
            };
            let end = after[from..].find(until).map_or(after.len(), |end| from + end);
            value = &after[from..end];
            rest = &after[(end + from).min(after.len())..];
        }
        found.push((name, plain(value)));
    }
}

/// The four references that our pages use.
fn plain(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_where_a_browser_cuts_it() {
        let page =
            r#"a &lt;b&gt; < 3<p class="x" title='a>b' hidden data-n=1>t</p><textarea><img></textarea><br/><!--<i>-->"#;
        let open = |name: &str, attributes: &[(&str, &str)]| Piece::Open {
            name: name.into(),
            attributes: attributes.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        };
        let text = |text: &str| Piece::Text(text.into());
        let p = open("p", &[("class", "x"), ("title", "a>b"), ("hidden", ""), ("data-n", "1")]);
        assert_eq!(
            pieces(page)[..5],
            [text("a <b> < 3"), p, text("t"), Piece::Close("p".into()), open("textarea", &[])]
        );
        assert_eq!(pieces(page)[5..8], [text("<img>"), Piece::Close("textarea".into()), open("br", &[])]);
        let attack = pieces(r#"<b title="x" onclick=alert(1) y="">"#);
        assert_eq!(attack, [open("b", &[("title", "x"), ("onclick", "alert(1)"), ("y", "")])]);
    }
}
