//! What a source says of one CVE, in the form it is kept in, and the decision whether one version is among what it names.
//!
//! Ranges come in many hands: schema fields, comparison signs, words, placeholders of an older schema. Each is read for what
//! it says; what cannot be read stays as `Extent::Unreadable` and never decides anything.

use domain::Untrusted;
use domain::version::Version;
use domain::vulnerability::{Bound, Doubt, Patch, Range, Source};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One source's record of one CVE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) cve: String,
    pub(crate) source: Source,
    /// The source's own number, where it has one.
    pub(crate) id: Option<String>,
    pub(crate) published: Option<Date>,
    pub(crate) title: Option<Untrusted>,
    pub(crate) scores: Vec<PublishedScore>,
    /// A workaround is published.
    pub(crate) workaround: bool,
    pub(crate) affected: Vec<Affected>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PublishedScore {
    pub(crate) version: String,
    pub(crate) vector: String,
    pub(crate) score: f64,
    pub(crate) by: Untrusted,
}

/// What one publisher says of one product.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Affected {
    pub(crate) vendor: String,
    pub(crate) product: String,
    /// Who says so: the CNA's or the ADP's short name.
    pub(crate) by: String,
    /// Of versions that no statement names.
    pub(crate) otherwise: Status,
    pub(crate) statements: Vec<Statement>,
    /// Operating systems it is limited to, as written; empty: not limited.
    pub(crate) platforms: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Status {
    Affected,
    Unaffected,
    #[default]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) status: Status,
    pub(crate) extent: Extent,
    /// Within the range, from this version on another status holds.
    pub(crate) changes: Vec<(String, Status)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Extent {
    Exact(String),
    Span { from: Option<Edge>, to: Option<Edge>, worded: bool },
    Unreadable(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) version: String,
    pub(crate) included: bool,
}

impl Edge {
    pub(crate) fn included(version: &str) -> Option<Self> {
        Some(Self { version: version.to_owned(), included: true })
    }

    pub(crate) fn excluded(version: &str) -> Option<Self> {
        Some(Self { version: version.to_owned(), included: false })
    }
}

/// What a publisher's statements say of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) standing: Standing,
    pub(crate) doubts: Vec<Doubt>,
    /// It is named itself, not by a range.
    pub(crate) exact: bool,
    pub(crate) patch: Patch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Affected,
    /// It lies outside everything that is named.
    NotAffected,
    /// The data decide nothing.
    Undecided,
}

impl Affected {
    /// Whether `installed` is among what this publisher calls affected.
    pub(crate) fn judge(&self, installed: &Version) -> Finding {
        let mut doubts = Vec::new();
        if !installed.is_plain() {
            doubts.push(Doubt::OrderUnknown);
        }
        let mut found: Option<(Status, &Statement)> = None;
        let mut unreadable = false;
        for statement in &self.statements {
            match statement.extent.holds(installed) {
                Some(true) => {
                    let exact = matches!(statement.extent, Extent::Exact(_));
                    // A version named itself overrules a range; of two ranges the one that says "affected" is believed.
                    let replaces = found.is_none_or(|(status, before)| {
                        exact && !matches!(before.extent, Extent::Exact(_)) || status != Status::Affected
                    });
                    if replaces {
                        found = Some((statement.status_at(installed), statement));
                    }
                }
                Some(false) => {}
                None => unreadable = true,
            }
        }
        let (standing, patch, exact) = match found {
            Some((Status::Affected, statement)) => {
                doubts.extend(statement.extent.doubt());
                (Standing::Affected, self.patch(statement, installed), matches!(statement.extent, Extent::Exact(_)))
            }
            Some((Status::Unaffected, statement)) => {
                doubts.extend(statement.extent.doubt());
                (Standing::NotAffected, Patch::Unknown, false)
            }
            Some((Status::Unknown, _)) => (Standing::Undecided, Patch::Unknown, false),
            None if unreadable => {
                doubts.push(Doubt::RangeUnreadable);
                (Standing::Undecided, Patch::Unknown, false)
            }
            None => match self.otherwise {
                Status::Affected => (Standing::Affected, self.patch_elsewhere(installed), false),
                _ if self.statements.is_empty() => (Standing::Undecided, Patch::Unknown, false),
                // Publishers list what is affected; `unknown` is the schema's default, not a statement about the rest.
                _ => (Standing::NotAffected, Patch::Unknown, false),
            },
        };
        Finding { standing, doubts, exact, patch }
    }

    /// The ranges that are affected, as shown.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range> {
        self.statements.iter().filter(|s| s.status == Status::Affected).map(|s| s.extent.shown())
    }

    /// The first fixed version, read from the statement that says it is affected.
    fn patch(&self, statement: &Statement, installed: &Version) -> Patch {
        let released = |fixed: &str| Patch::Released { fixed: fixed.to_owned(), on: None };
        let change = statement
            .changes
            .iter()
            .filter(|(_, status)| *status == Status::Unaffected)
            .find_map(|(at, _)| Version::parse(at).is_some_and(|at| at > *installed).then(|| released(at)));
        if let Some(patch) = change {
            return patch;
        }
        match &statement.extent {
            Extent::Span { to: Some(Edge { version, included: false }), .. } => released(version),
            Extent::Span { to: None, .. } => match self.patch_elsewhere(installed) {
                Patch::Unknown => Patch::None,
                patch => patch,
            },
            _ => self.patch_elsewhere(installed),
        }
    }

    /// A version that another statement calls unaffected, above the installed one.
    fn patch_elsewhere(&self, installed: &Version) -> Patch {
        let mut later: Vec<(Version, &str)> = self
            .statements
            .iter()
            .filter(|s| s.status == Status::Unaffected)
            .filter_map(|s| match &s.extent {
                Extent::Exact(version) => Some(version),
                Extent::Span { from: Some(Edge { version, included: true }), .. } => Some(version),
                _ => None,
            })
            .filter_map(|text| Some((Version::parse(text)?, text.as_str())))
            .filter(|(version, _)| version > installed)
            .collect();
        later.sort_by(|a, b| a.0.cmp(&b.0));
        later.first().map_or(Patch::Unknown, |(_, text)| Patch::Released { fixed: (*text).to_owned(), on: None })
    }
}

impl Statement {
    #[cfg(test)]
    pub(crate) fn new(status: Status, extent: Extent) -> Self {
        Self { status, extent, changes: Vec::new() }
    }

    fn status_at(&self, installed: &Version) -> Status {
        self.changes
            .iter()
            .filter_map(|(at, status)| Some((Version::parse(at)?, *status)))
            .filter(|(at, _)| at <= installed)
            .max_by(|a, b| a.0.cmp(&b.0))
            .map_or(self.status, |(_, status)| status)
    }
}

impl Extent {
    /// `None` when its bounds cannot be compared.
    fn holds(&self, installed: &Version) -> Option<bool> {
        match self {
            Self::Exact(version) => Some(Version::parse(version)? == *installed),
            Self::Unreadable(_) => None,
            Self::Span { from, to, .. } => {
                let above = match from {
                    None => true,
                    Some(edge) => {
                        let bound = Version::parse(&edge.version)?;
                        bound < *installed || edge.included && bound == *installed
                    }
                };
                let below = match to {
                    None => true,
                    Some(edge) => {
                        let bound = Version::parse(&edge.version)?;
                        *installed < bound || edge.included && bound == *installed
                    }
                };
                Some(above && below)
            }
        }
    }

    fn doubt(&self) -> Option<Doubt> {
        let plain = |edge: &Option<Edge>| {
            edge.as_ref().is_none_or(|e| Version::parse(&e.version).is_some_and(|v| v.is_plain()))
        };
        match self {
            Self::Span { worded: true, .. } => Some(Doubt::RangeInWords),
            Self::Span { from, to, .. } if !plain(from) || !plain(to) => Some(Doubt::OrderUnknown),
            _ => None,
        }
    }

    fn shown(&self) -> Range {
        let bound = |edge: &Edge| Bound { version: Untrusted::new(&edge.version), included: edge.included };
        match self {
            Self::Exact(version) => {
                let here = Some(Bound { version: Untrusted::new(version), included: true });
                Range { from: here.clone(), to: here, words: None }
            }
            Self::Span { from, to, .. } => {
                Range { from: from.as_ref().map(bound), to: to.as_ref().map(bound), words: None }
            }
            Self::Unreadable(words) => Range { from: None, to: None, words: Some(Untrusted::new(words)) },
        }
    }

    /// Reads one free text: `>= 8.3.0, < 8.3.5`, `1.2 and prior`, `6.0.x`, `all versions`, `2.4.1`.
    pub(crate) fn read(text: &str) -> Self {
        let lower = text.trim().to_lowercase();
        if matches!(lower.as_str(), "*" | "all" | "all versions" | "all version" | "any") {
            return Self::Span { from: None, to: None, worded: false };
        }
        signs(&lower)
            .or_else(|| words(&lower))
            .or_else(|| family(&lower))
            .or_else(|| Version::parse(&lower).map(|_| Self::Exact(text.trim().to_owned())))
            .unwrap_or_else(|| Self::Unreadable(text.chars().take(200).collect()))
    }
}

/// `>= 1.0, < 1.4`: every comparison has to be read, or none is.
fn signs(text: &str) -> Option<Extent> {
    if !text.starts_with(['<', '>', '=']) {
        return None;
    }
    let (mut from, mut to) = (None, None);
    for part in text.split([',', '&']).map(str::trim).filter(|p| !p.is_empty()) {
        let (sign, version) = part.split_at(part.find(|c| !"<>=".contains(c))?);
        let version = version.trim();
        // Words behind the number mean that more was said than a bound.
        if version.contains(' ') || Version::parse(version).is_none() {
            return None;
        }
        match sign {
            ">=" if from.is_none() => from = Edge::included(version),
            ">" if from.is_none() => from = Edge::excluded(version),
            "<=" if to.is_none() => to = Edge::included(version),
            "<" if to.is_none() => to = Edge::excluded(version),
            "=" | "==" if from.is_none() && to.is_none() => {
                (from, to) = (Edge::included(version), Edge::included(version));
            }
            _ => return None,
        }
    }
    Some(Extent::Span { from, to, worded: false })
}

/// `versions 66 and prior`, `before 1.4`, `1.0 through 1.4`, `v1.2 and earlier versions`.
fn words(text: &str) -> Option<Extent> {
    // `fixed in 1.1.1j (affected 1.1.1-1.1.1i)`
    if let Some((low, high)) = text
        .split_once("(affected ")
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(inside, _)| inside.split_once('-'))
    {
        let edge = |v: &str| Version::parse(v).and_then(|_| Edge::included(v.trim()));
        return Some(Extent::Span { from: Some(edge(low)?), to: Some(edge(high)?), worded: true });
    }
    let text =
        ["versions ", "version ", "ver. ", "ver "].iter().find_map(|w| text.strip_prefix(w)).unwrap_or(text).trim();
    let one = |v: &str| (!v.contains(' ') && Version::parse(v).is_some()).then(|| v.trim_start_matches('v').to_owned());
    let span = |from, to| Some(Extent::Span { from, to, worded: true });
    for start in ["before ", "prior to ", "earlier than ", "below ", "older than "] {
        if let Some(rest) = text.strip_prefix(start) {
            let rest = ["versions ", "version "].iter().find_map(|w| rest.strip_prefix(w)).unwrap_or(rest);
            return span(None, Edge::excluded(&one(rest.trim())?));
        }
    }
    for middle in [" through ", " to ", " - "] {
        if let Some((low, high)) = text.split_once(middle) {
            return span(Edge::included(&one(low.trim())?), Edge::included(&one(high.trim())?));
        }
    }
    const ENDS: [&str; 12] = [
        " and prior",
        " and earlier",
        " and below",
        " and older",
        " or prior",
        " or earlier",
        " or below",
        " or lower",
        " and lower",
        " and previous",
        " and before",
        " or older",
    ];
    let bare = [" versions", " version", " releases"].iter().find_map(|w| text.strip_suffix(w)).unwrap_or(text);
    ENDS.iter().find_map(|end| bare.strip_suffix(end)).and_then(|v| span(None, Edge::included(&one(v.trim())?)))
}

/// `6.0.x` is everything from `6.0` until `6.1`.
fn family(text: &str) -> Option<Extent> {
    let stem = text.strip_suffix(".x").or_else(|| text.strip_suffix(".*"))?.trim_start_matches('v');
    if !stem.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let (head, last) = stem.rsplit_once('.').map_or(("", stem), |(head, last)| (head, last));
    let next = last.parse::<u64>().ok()?.checked_add(1)?;
    let next = if head.is_empty() { next.to_string() } else { format!("{head}.{next}") };
    Some(Extent::Span { from: Edge::included(stem), to: Edge::excluded(&next), worded: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affected(texts: &[&str]) -> Affected {
        let statements = texts.iter().map(|t| Statement::new(Status::Affected, Extent::read(t))).collect();
        Affected { vendor: "v".into(), product: "p".into(), by: "t".into(), statements, ..Affected::default() }
    }

    fn standing(texts: &[&str], installed: &str) -> Standing {
        affected(texts).judge(&Version::parse(installed).expect("a version")).standing
    }

    #[test]
    fn every_hand_that_a_range_is_written_in_is_read() {
        for (text, inside, outside) in [
            (">= 8.3.0, < 8.3.5", "8.3.4", "8.3.5"),
            ("<= 1.2", "1.2", "1.2.1"),
            ("1.2 and prior", "1.1", "1.3"),
            ("versions 66 and prior", "66", "67"),
            ("before 2.0", "1.9", "2.0"),
            ("1.0 through 1.4", "1.4", "1.5"),
            ("v1.08 and earlier", "1.7", "1.9"),
            ("Fixed in Thing 1.1.1j (Affected 1.1.1-1.1.1i)", "1.1.1c", "1.1.1j"),
            ("6.0.x", "6.0.9", "6.1"),
            ("2.4.1", "2.4.1", "2.4.2"),
        ] {
            assert_eq!(standing(&[text], inside), Standing::Affected, "`{text}` holds {inside}");
            assert_eq!(standing(&[text], outside), Standing::NotAffected, "`{text}` does not hold {outside}");
        }
        assert_eq!(standing(&["all versions"], "7"), Standing::Affected);
    }

    #[test]
    fn a_range_that_cannot_be_read_decides_nothing() {
        for text in [
            "n/a",
            "see references",
            "The first 5 digits of serial No. \"26061\" and prior",
            ">= 1.0 with the plug-in",
            "publication",
        ] {
            let finding = affected(&[text]).judge(&Version::parse("1.0").expect("a version"));
            assert_eq!(finding.standing, Standing::Undecided, "`{text}`");
            assert_eq!(finding.doubts, [Doubt::RangeUnreadable], "`{text}`");
        }
    }

    #[test]
    fn a_change_within_a_range_ends_it_and_names_the_fix() {
        let mut product = affected(&[]);
        product.statements.push(Statement {
            status: Status::Affected,
            extent: Extent::Span { from: Edge::included("10.1"), to: Edge::excluded("10.1.14-h9"), worded: false },
            changes: vec![("10.1.9".into(), Status::Unaffected)],
        });
        let judge = |v: &str| product.judge(&Version::parse(v).expect("a version"));
        assert_eq!(judge("10.1.8").standing, Standing::Affected);
        assert_eq!(judge("10.1.8").patch, Patch::Released { fixed: "10.1.9".into(), on: None });
        assert_eq!(judge("10.1.10").standing, Standing::NotAffected);
    }

    #[test]
    fn affected_without_an_end_has_no_patch() {
        let finding = affected(&["*"]).judge(&Version::parse("3.2").expect("a version"));
        assert_eq!((finding.standing, finding.patch), (Standing::Affected, Patch::None));
    }
}
