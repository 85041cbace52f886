//! One locker on three machines within seconds, among them the file server. Same content, three threats, no agent
//! stops it; on the server it is seen to have come over an administrative share.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Change, Engine, Threat, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "ransomware-hosts", about: "the same ransomware on two desktops and the file server", steps };

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let first = cast.host(Role::Desktop, 1);
    let second = cast.host(Role::Desktop, 2);
    let server = cast.host(Role::FileServer, 0);
    let note = cast.say("復元方法.txt", "HOW_TO_RESTORE.txt");
    let spread = Change::new()
        .indicator(indicator(
            "Lateral Movement",
            "The file arrived over an administrative share.",
            &[347],
            &[("Lateral Movement", &["T1021.002", "T1570"])],
        ))
        .indicator(indicator(
            "Ransomware",
            "Backup and database services were stopped.",
            &[406],
            &[("Impact", &["T1489"])],
        ));
    vec![
        at(0.0).raise("first", locker(&first, note, "explorer.exe")),
        at(2.0).raise("second", locker(&second, note, "services.exe")),
        at(3.5).raise("server", locker(&server, note, "services.exe")),
        at(7.0).change("server", spread),
    ]
}

fn locker(host: &str, note: &str, parent: &str) -> Threat {
    Threat::new(host, "svcupd64.exe", Engine::Behavioral)
        .path(r"\Device\HarddiskVolume3\ProgramData\svcupd64.exe")
        .hashed_from("ransomware-hosts locker")
        .classified("Ransomware")
        .known_bad()
        .ran(&format!(r"C:\ProgramData\svcupd64.exe --shares --note {note}"), parent)
        .indicator(indicator(
            "Ransomware",
            "Many files were encrypted and renamed within one minute.",
            &[403],
            &[("Impact", &["T1486"])],
        ))
        .indicator(indicator(
            "Ransomware",
            "Shadow copies were deleted with vssadmin.",
            &[405],
            &[("Impact", &["T1490"])],
        ))
        .indicator(indicator("Discovery", "Network shares were listed.", &[188], &[("Discovery", &["T1135", "T1018"])]))
}
