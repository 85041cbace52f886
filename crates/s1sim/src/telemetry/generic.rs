//! The story of a threat that no scenario wrote one for: the file comes onto the disk, is started by the process the
//! threat names, and behaves as its indicators say.

use serde_json::Value;

use super::programs::{self, Program};
use super::{FileChange, Hashes, Story};
use crate::world::text;

pub(crate) fn story(doc: &Value, host: &str) -> Story {
    let found = &doc["threatInfo"];
    let name = text(found, "/threatName");
    let path = on_drive(text(found, "/filePath"));
    let hash = |at: &str| text(found, at).to_owned();
    let hashes = Hashes { sha1: hash("/sha1"), sha256: hash("/sha256"), md5: hash("/md5") };
    let program = Program::brought(name, &path, name).with(hashes).signed_by(text(found, "/publisherName"));

    let mut story = Story::on(host);
    if text(found, "/initiatedBy") == "full_disk_scan" {
        let system = story.running(programs::SYSTEM);
        story.involve(system);
        story.found(-0.5, system, &program);
        return story;
    }
    let (desktop, browser) = match path.chars().next() {
        Some('/') if path.starts_with("/Users") => (programs::LAUNCHD, programs::SAFARI),
        Some('/') => (programs::SYSTEMD, programs::SH),
        _ => (programs::EXPLORER, programs::CHROME),
    };
    let browser = story.running(browser);
    story.drop(-60.0, browser, &program);
    let command = text(found, "/maliciousProcessArguments");
    if command.is_empty() {
        story.involve(browser);
        return story;
    }
    let parent = programs::named(text(found, "/originatorProcess")).unwrap_or(desktop);
    let parent = story.running(parent);
    let it = story.start(-20.0, parent, program, command);
    for indicator in doc["indicators"].as_array().into_iter().flatten() {
        let category = text(indicator, "/category");
        story.indicate(-1.0, it, category, category, text(indicator, "/description"));
    }
    if text(found, "/classification") == "Ransomware" {
        for n in 0..12 {
            let file = format!(r"C:\Users\{{user}}\Documents\Report_{n:02}.xlsx");
            story.rename(-10.0 + f64::from(n) * 2.0, it, &file, &format!("{file}.locked"));
        }
        story.file(-9.0, it, FileChange::Created, r"C:\Users\{user}\Documents\README_RESTORE.txt");
    }
    story
}

/// `\Device\HarddiskVolume3\…` as the drive letter people know.
pub(crate) fn on_drive(path: &str) -> String {
    let below = path.strip_prefix(r"\Device\HarddiskVolume").and_then(|rest| rest.split_once('\\'));
    below.map_or_else(|| path.to_owned(), |(_, rest)| format!(r"C:\{rest}"))
}
