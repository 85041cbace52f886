//! Orders version numbers as their makers mean them: `1.0rc1` < `1.0` < `1.0.1`, `1.1.1` < `1.1.1k`, `1.8.0_202` < `1.8.0_211`.
//!
//! Works on what Windows shows, on CVE ranges and on the upstream part of rpm, deb and apk numbers. Words it does not know are
//! ordered by the alphabet and make the version not `plain`, so that whoever decides by it says it is not sure. It does not
//! know any one product's numbering, and compares no commit ids.

use std::cmp::Ordering;

/// Longer texts are not version numbers.
const MAX_CHARACTERS: usize = 128;
const MAX_PARTS: usize = 32;

#[derive(Debug, Clone)]
pub struct Version {
    parts: Vec<Part>,
    plain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Stands before the release it belongs to: `alpha`, `rc`. The number orders the kinds.
    Before(u8, String),
    /// Nothing more, or a zero: `1.0` and `1.0.0` are one version.
    End,
    /// Stands behind its release: `p1`, `sp2`, the `k` of `1.1.1k`, and every unknown word.
    After(String),
    Number(u128),
}

impl Version {
    /// `None` when the text has no number that could be ordered.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().count() > MAX_CHARACTERS {
            return None;
        }
        let text = without_epoch(text).trim_start_matches(['v', 'V']);
        // What follows a plus names a build, not another version.
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut version = Self { parts: Vec::new(), plain: text.is_ascii() };
        let pieces = pieces(text);
        if pieces.len() > MAX_PARTS {
            return None;
        }
        for (i, piece) in pieces.iter().enumerate() {
            let number_follows = pieces.get(i + 1).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
            let (part, plain) = if piece.starts_with(|c: char| c.is_ascii_digit()) {
                let number: u128 = piece.parse().ok()?;
                (Some(if number == 0 { Part::End } else { Part::Number(number) }), true)
            } else {
                word(&piece.to_ascii_lowercase(), number_follows)
            };
            version.parts.extend(part);
            version.plain &= plain;
        }
        Some(version)
    }

    /// Whether every part of it is a number or a word with a known place.
    pub fn is_plain(&self) -> bool {
        self.plain
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.parts.len().max(other.parts.len());
        (0..longest)
            .map(|i| self.parts.get(i).unwrap_or(&Part::End).cmp(other.parts.get(i).unwrap_or(&Part::End)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// The upstream version within a distribution's package version, when the text has a distribution's form: `1:1.1.1k-5.el8_5` is
/// `1.1.1k`. Fixes are carried back under an old upstream version, so "in the affected range" proves little for such a package.
pub fn upstream_of_package(text: &str) -> Option<&str> {
    let bare = without_epoch(text.trim());
    let (upstream, release) = bare.rsplit_once('-')?;
    let digits = release.strip_prefix('r').unwrap_or(release);
    let is_release = digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits.len() < release.len() && digits.chars().all(|c| c.is_ascii_digit())
            || release.chars().all(|c| c.is_ascii_alphanumeric() || "._+~".contains(c)));
    let looks_whole = upstream.starts_with(|c: char| c.is_ascii_digit());
    (is_release && looks_whole).then(|| upstream.split(['+', '~']).next().unwrap_or(upstream))
}

fn without_epoch(text: &str) -> &str {
    match text.split_once(':') {
        Some((epoch, rest)) if !epoch.is_empty() && epoch.chars().all(|c| c.is_ascii_digit()) => rest,
        _ => text,
    }
}

/// Runs of digits and runs of letters; everything else separates.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let class = |c: char| {
        if c.is_ascii_digit() {
            1
        } else if c.is_alphabetic() {
            2
        } else {
            0
        }
    };
    let mut last = 0;
    for (at, c) in text.char_indices() {
        if class(c) != last {
            if last != 0 {
                pieces.push(&text[start..at]);
            }
            (start, last) = (at, class(c));
        }
    }
    if last != 0 {
        pieces.push(&text[start..]);
    }
    pieces
}

/// Where a word stands, and whether that is known. `None`: it says nothing about the order.
fn word(word: &str, number_follows: bool) -> (Option<Part>, bool) {
    let before = |rank| (Some(Part::Before(rank, String::new())), true);
    match word {
        "final" | "ga" | "release" | "stable" | "lts" | "esr" | "jre" | "jdk" | "android" | "build" => (None, true),
        "dev" | "snapshot" | "nightly" => before(0),
        "alpha" => before(1),
        "beta" => before(2),
        "m" | "milestone" | "pre" | "preview" | "ea" => before(3),
        "rc" | "cr" => before(4),
        "a" if number_follows => before(1),
        "b" if number_follows => before(2),
        "c" if number_follows => before(4),
        "p" | "pl" | "patch" | "post" | "sp" | "u" | "update" | "hotfix" | "r" if number_follows => {
            (Some(Part::After(String::new())), true)
        }
        one if one.len() == 1 && !number_follows => (Some(Part::After(one.to_owned())), true),
        other => (Some(Part::After(other.to_owned())), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` was not read"))
    }

    #[test]
    fn versions_stand_in_the_order_their_makers_mean() {
        let rising = [
            "0.9",
            "1.0.dev1",
            "1.0a1",
            "1.0-beta.2",
            "1.0rc1",
            "1.0",
            "1.0p1",
            "1.0.1",
            "1.0.2k",
            "1.0.2za",
            "1.1.1",
            "1.1.1k",
            "1.1.1l",
            "1.8.0_202",
            "1.8.0_211",
            "2.0",
            "10.0.17763.100",
            "10.0.17763.6189",
            "115.9.0",
            "124.0.6367.91",
        ];
        for pair in rising.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "`{}` is not below `{}`", pair[0], pair[1]);
        }
    }

    #[test]
    fn different_spellings_of_one_version_are_one_version() {
        for (a, b) in [
            ("1.0", "1.0.0"),
            ("v2.3", "2.3"),
            ("115.9.0esr", "115.9.0"),
            ("4.1.0.Final", "4.1"),
            ("08.02", "8.2"),
            ("2:1.4", "1.4"),
            ("1.2+b7", "1.2"),
        ] {
            assert_eq!(version(a), version(b), "`{a}` and `{b}`");
        }
    }

    #[test]
    fn a_word_nobody_knows_makes_the_version_unsure() {
        assert!(!version("17.11.99SW").is_plain());
        assert!(version("9.2(4)").is_plain());
    }

    #[test]
    fn what_is_no_version_is_not_ordered() {
        for text in ["", "n/a", "unspecified", "see references", "*", "-", &"1.".repeat(200), &"9".repeat(60)] {
            assert!(Version::parse(text).is_none(), "`{text}` was read as a version");
        }
    }

    #[test]
    fn a_package_version_is_split_into_upstream_and_release() {
        for (package, upstream) in [
            ("1:1.1.1k-5.el8_5", "1.1.1k"),
            ("1.1.1d-0+deb10u2", "1.1.1d"),
            ("1.0.2k-r0", "1.0.2k"),
            ("1.40.0-3.11.1", "1.40.0"),
        ] {
            assert_eq!(upstream_of_package(package), Some(upstream));
        }
        for program in ["124.0.6367.91", "3.0.0", "1.0.0-alpha", "2.0-rc1"] {
            assert_eq!(upstream_of_package(program), None, "{program}");
        }
    }
}
