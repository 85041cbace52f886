//! A wiper on the backup server: files are overwritten and then the start of the disk. There is no ransom to pay and
//! no key to recover; every second counts.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::programs::{self as on, Program};
use crate::telemetry::{FileChange, Story};
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
        ))
        .told_by(story(&host));
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

/// A service starts it; backups go first, then files, then the disk and the logs.
fn story(host: &str) -> Story {
    let mut story = Story::on(host);
    let (system, services) = (story.running(on::SYSTEM), story.running(on::SERVICES));
    let wiper =
        Program::brought("dskmaint.exe", r"C:\Windows\Temp\dskmaint.exe", "wiper maintenance tool").of_the_machine();
    story.drop(-95.0, system, &wiper);
    story.registry(
        -90.0,
        services,
        r"MACHINE\SYSTEM\ControlSet001\Services\dskmaint",
        "ImagePath",
        r"C:\Windows\Temp\dskmaint.exe /all /q",
    );
    let wiper = story.start(-30.0, services, wiper, r"C:\Windows\Temp\dskmaint.exe /all /q");
    story.run(-28.0, wiper, on::VSSADMIN, "vssadmin.exe delete shadows /all /quiet");
    story.run(-27.0, wiper, on::WBADMIN, "wbadmin delete systemstatebackup -keepversions:0 -quiet");
    for n in 0..50 {
        let path = format!(r"D:\Backup\nightly_{n:03}.bkf");
        story.file(-20.0 + f64::from(n) * 0.5, wiper, FileChange::Modified, &path);
        story.file(-19.8 + f64::from(n) * 0.5, wiper, FileChange::Deleted, &path);
    }
    story.indicate(-0.5, wiper, "Ransomware", "MassOverwrite", "Files were overwritten with random bytes and deleted.");
    story.file(3.0, wiper, FileChange::Modified, r"\\.\PhysicalDrive1");
    story.run(3.6, wiper, on::WEVTUTIL, "wevtutil.exe cl Security");
    story.run(3.8, wiper, on::WEVTUTIL, "wevtutil.exe cl System");
    story
}
