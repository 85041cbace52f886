//! Decides whether what the sources say of one CVE holds for one installed thing, how sure that is, and on what basis.
//!
//! Publishers are asked one by one and may disagree; a disagreement is shown, never settled by a majority.

use domain::endpoint::Os;
use domain::version::{Version, upstream_of_package};
use domain::vulnerability::{Basis, Doubt, Origin, Patch, Range, Software, Sure};

use super::names::{Fit, Names};
use super::record::{Affected, Finding, Record, Standing};

/// Most ranges that a match shows.
const MAX_RANGES: usize = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) standing: Standing,
    pub(crate) sure: Sure,
    pub(crate) doubts: Vec<Doubt>,
    pub(crate) basis: Basis,
    pub(crate) patch: Patch,
    pub(crate) ranges: Vec<Range>,
}

/// The installed version, in the form that ranges are compared with.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    version: Option<Version>,
    origin: Origin,
}

impl Installed {
    pub(crate) fn of(software: &Software) -> Self {
        let text = software.version.as_ref().map(domain::Untrusted::for_matching);
        let upstream = match software.origin {
            Origin::Maker => text,
            Origin::Distribution => text.map(|t| upstream_of_package(t).unwrap_or(t)),
        };
        Self { version: upstream.and_then(Version::parse), origin: software.origin }
    }
}

/// `None` when no record speaks of this product.
pub(crate) fn judge(records: &[Record], names: &Names, installed: &Installed, os: Os) -> Option<Judged> {
    let spoken: Vec<(&Affected, Fit)> = records
        .iter()
        .flat_map(|record| &record.affected)
        .filter(|affected| is_for(affected, os))
        .filter_map(|affected| Some((affected, names.fits(&affected.vendor, &affected.product)?)))
        .collect();
    let fit = spoken.iter().map(|(_, fit)| *fit).max()?;
    // A publisher that names the maker is better evidence than one where only the word agrees.
    let spoken: Vec<&Affected> = spoken.into_iter().filter(|(_, f)| *f == fit).map(|(affected, _)| affected).collect();
    let ranges: Vec<Range> = spoken.iter().flat_map(|affected| affected.ranges()).take(MAX_RANGES).collect();
    let mut doubts = Vec::new();
    let Some(version) = &installed.version else {
        let undecided = Judged {
            standing: Standing::Undecided,
            sure: Sure::Possible,
            doubts: vec![Doubt::InstalledVersionUnknown],
            basis: basis(fit, false),
            patch: Patch::Unknown,
            ranges,
        };
        return Some(undecided);
    };
    let findings: Vec<(&str, Finding)> = spoken.iter().map(|a| (a.by.as_str(), a.judge(version))).collect();
    let says = |standing| findings.iter().any(|(_, finding)| finding.standing == standing);
    let standing = match (says(Standing::Affected), says(Standing::NotAffected), says(Standing::Undecided)) {
        (true, ..) => Standing::Affected,
        // What one publisher cannot say in numbers, another may: but silence beside an unreadable range proves nothing.
        (false, true, false) => Standing::NotAffected,
        _ => Standing::Undecided,
    };
    // One publisher lists a product many times, once for each line: only another publisher can disagree.
    let affected_by = |by: &str| findings.iter().any(|(other, f)| *other == by && f.standing == Standing::Affected);
    if standing == Standing::Affected
        && findings.iter().any(|(by, f)| f.standing == Standing::NotAffected && !affected_by(by))
    {
        doubts.push(Doubt::SourcesDisagree);
    }
    let deciding: Vec<&Finding> = findings.iter().map(|(_, f)| f).filter(|f| f.standing == standing).collect();
    doubts.extend(deciding.iter().flat_map(|finding| finding.doubts.iter().copied()));
    if standing == Standing::Affected && installed.origin == Origin::Distribution {
        doubts.push(Doubt::Backports);
    }
    if fit == Fit::NameOnly {
        doubts.push(Doubt::MakerUnknown);
    }
    doubts.sort_unstable();
    doubts.dedup();
    let exact = deciding.iter().any(|finding| finding.exact);
    let patch = deciding.iter().map(|f| &f.patch).min_by_key(|patch| rank(patch)).cloned().unwrap_or(Patch::Unknown);
    Some(Judged { standing, sure: sureness(&doubts), doubts, basis: basis(fit, exact), patch, ranges })
}

fn sureness(doubts: &[Doubt]) -> Sure {
    if doubts.is_empty() {
        Sure::Confirmed
    } else if doubts == [Doubt::RangeInWords] {
        Sure::Likely
    } else {
        Sure::Possible
    }
}

fn basis(fit: Fit, exact: bool) -> Basis {
    match (fit, exact) {
        (Fit::Maker, true) => Basis::CpeExact,
        (Fit::Maker, false) => Basis::CpeRange,
        (Fit::Packaged, _) => Basis::Package,
        (Fit::NameOnly, _) => Basis::NameAndVersion,
    }
}

/// The most telling state first.
fn rank(patch: &Patch) -> u8 {
    match patch {
        Patch::Released { .. } => 0,
        Patch::MitigationOnly => 1,
        Patch::EndOfLife { .. } => 2,
        Patch::None => 3,
        Patch::Unknown => 4,
    }
}

/// Whether a product that is limited to some platforms is meant for this one. A platform that is not an operating system's
/// family (`x64-based Systems`) limits nothing here.
fn is_for(affected: &Affected, os: Os) -> bool {
    let family = |platform: &String| {
        let platform = platform.to_lowercase();
        [
            ("windows", Os::Windows),
            ("mac", Os::Macos),
            ("linux", Os::Linux),
            ("android", Os::Unknown),
            ("ios", Os::Unknown),
        ]
        .into_iter()
        .find(|(word, _)| platform.starts_with(word))
        .map(|(_, os)| os)
    };
    let families: Option<Vec<Os>> = affected.platforms.iter().map(family).collect();
    match families {
        Some(families) if !families.is_empty() && os != Os::Unknown => families.contains(&os),
        _ => true,
    }
}
