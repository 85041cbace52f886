//! What binds a process to the alert: its storyline, the file that the alert is about, and the way that leads there.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::census::Census;
use crate::alert::Alert;
use crate::telemetry::{Record, What};
use crate::untrusted::Untrusted;

/// How a process belongs to the incident's alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ties {
    /// A record of it bears an alert's storyline.
    pub storyline: bool,
    /// It runs the file that an alert is about.
    pub alerts_file: bool,
    /// It wrote or renamed that file.
    pub wrote_alerts_file: bool,
    /// It is an alert's file or storyline, or one of those that led to it: a page opens this branch and folds the rest.
    pub leads_to_alert: bool,
}

impl Ties {
    pub fn any(self) -> bool {
        self.storyline || self.alerts_file || self.wrote_alerts_file || self.leads_to_alert
    }
}

/// By process. `leads_to_alert` is left to the tree, which knows the ancestors.
pub(super) fn of(records: &[Record], alerts: &[Alert], repeated: &[bool], census: &Census<'_>) -> Vec<Ties> {
    let mut ties = vec![Ties::default(); census.drafts.len()];
    let storylines: HashSet<(&str, &str)> =
        alerts.iter().filter_map(|a| Some((a.endpoint.agent.as_str(), a.storyline.as_ref()?.for_matching()))).collect();
    let hashes: HashSet<(&str, &str)> = alerts
        .iter()
        .flat_map(|a| [&a.file.sha256, &a.file.sha1, &a.file.md5].into_iter().flatten().map(move |h| (a, h)))
        .map(|(a, h)| (a.endpoint.agent.as_str(), h.as_str()))
        .collect();
    let paths: HashSet<(&str, String)> = alerts
        .iter()
        .filter_map(|a| Some((a.endpoint.agent.as_str(), without_volume(a.file.path.as_ref()?))))
        .filter(|(_, path)| !path.is_empty())
        .collect();

    for (draft, tie) in census.drafts.iter().zip(&mut ties) {
        let agent = draft.agent.as_str();
        tie.alerts_file = draft.process.hashes.all().any(|h| hashes.contains(&(agent, h.as_str())))
            || draft.process.image.as_ref().is_some_and(|image| paths.contains(&(agent, without_volume(image))));
    }
    for (index, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
        let agent = record.agent.as_str();
        let subject = match record.what {
            What::ProcessStarted(_) => census.targets[index],
            _ => census.actors[index],
        };
        let Some(subject) = subject else { continue };
        if record.storyline.as_ref().is_some_and(|s| storylines.contains(&(agent, s.for_matching()))) {
            ties[subject].storyline = true;
        }
        if let What::File { change, path, hashes: of_file, .. } = &record.what
            && *change != crate::telemetry::FileChange::Read
            && (paths.contains(&(agent, without_volume(path)))
                || of_file.all().any(|h| hashes.contains(&(agent, h.as_str()))))
        {
            ties[subject].wrote_alerts_file = true;
        }
    }
    ties
}

/// A path as two sources agree on it: `C:\x` and `\Device\HarddiskVolume3\x` are one file.
fn without_volume(path: &Untrusted) -> String {
    let path = path.for_matching().trim().to_lowercase().replace('/', "\\");
    if let Some(rest) = path.strip_prefix("\\device\\harddiskvolume") {
        return rest.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
    }
    let plain = path.strip_prefix("\\\\?\\").unwrap_or(&path);
    match plain.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 => rest.to_owned(),
        _ => plain.to_owned(),
    }
}
