//! A wiper on the backup server: files are overwritten and then the start of the disk. There is no ransom to pay and
//! no key to recover; every second counts.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Change, Engine, Threat, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "wiper", about: "data and disks are destroyed on the backup server", steps };

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::BackupServer, 0);
    let threat = Threat::new(&host, "dskmaint.exe", Engine::Behavioral)
        .path(r"\Device\HarddiskVolume2\Windows\Temp\dskmaint.exe")
        .hashed_from("wiper maintenance tool")
        .classified("Malware")
        .ran(r"C:\Windows\Temp\dskmaint.exe /all /q", "services.exe")
        .indicator(indicator(
            "Ransomware",
            "Files were overwritten with random bytes and deleted.",
            &[410],
            &[("Impact", &["T1485"])],
        ))
        .indicator(indicator(
            "Ransomware",
            "Backup catalogues and shadow copies were deleted.",
            &[405],
            &[("Impact", &["T1490"])],
        ));
    let more = Change::new()
        .indicator(indicator(
            "Ransomware",
            "The first sectors of a disk were overwritten.",
            &[411],
            &[("Impact", &["T1561.002"])],
        ))
        .indicator(indicator("Evasion", "Event logs were cleared.", &[277], &[("Defense Evasion", &["T1070.001"])]));
    vec![at(0.0).raise("wiper", threat), at(4.0).change("wiper", more)]
}
