//! A desktop opens a faked delivery note and its files begin to be encrypted. The agent is in detect mode, so nothing
//! has been stopped when the alert comes; seconds later recovery is switched off as well.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Change, Engine, Threat, indicator};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "ransomware-workstation",
    about: "ransomware runs on one desktop and is not stopped by the agent",
    steps,
};

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::Desktop, 0);
    let file = cast.say("納品書_2026年11月.exe", "Delivery_Note_Nov_2026.exe");
    let path = format!(r"\Device\HarddiskVolume3\Users\{{user}}\Downloads\{file}");
    let command = format!(r#""C:\Users\{{user}}\Downloads\{file}" -e full -p C:\Users,D:\"#);
    let threat = Threat::new(&host, file, Engine::Behavioral)
        .path(&path)
        .hashed_from("ransomware-workstation locker")
        .classified("Ransomware")
        .known_bad()
        .ran(&command, "explorer.exe")
        .indicator(indicator(
            "Ransomware",
            "Many user files were encrypted and renamed within one minute.",
            &[403],
            &[("Impact", &["T1486"])],
        ))
        .indicator(indicator(
            "Ransomware",
            "A ransom note was dropped into several folders.",
            &[404],
            &[("Impact", &["T1486"])],
        ))
        .indicator(indicator(
            "Discovery",
            "The process listed local and mapped drives.",
            &[187],
            &[("Discovery", &["T1083", "T1135"])],
        ));
    let more = Change::new()
        .indicator(indicator(
            "Ransomware",
            "Shadow copies were deleted and recovery was switched off.",
            &[405],
            &[("Impact", &["T1490"])],
        ))
        .indicator(indicator(
            "Evasion",
            "The process stopped backup and security services.",
            &[276],
            &[("Impact", &["T1489"]), ("Defense Evasion", &["T1562.001"])],
        ));
    vec![at(0.0).raise("locker", threat), at(6.0).change("locker", more)]
}
