//! A tool nobody knows is written to a laptop: static engine only, no reputation, never started, already in quarantine.
//! Whether it is wanted only the customer can say.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Engine, Outcome, Threat, indicator};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "static-unknown-file",
    about: "an unknown tool is found while it is written to disk; it never ran",
    steps,
};

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::Laptop, 0);
    let file = cast.say("ラベル一括印刷ツール.exe", "BatchLabelPrint.exe");
    let folder = cast.say("社内ツール", "Internal Tools");
    let threat = Threat::new(&host, file, Engine::OnWriteStaticSuspicious)
        .path(&format!(r"\Device\HarddiskVolume3\Users\{{user}}\Documents\{folder}\{file}"))
        .hashed_from("static-unknown-file tool")
        .suspicious()
        .outcome(Outcome::Quarantined)
        .indicator(indicator("General", "The binary is packed and hides most of its imports.", &[12], &[]))
        .indicator(indicator("General", "The binary contains a section that is writable and executable.", &[29], &[]));
    vec![at(0.0).raise("tool", threat)]
}
