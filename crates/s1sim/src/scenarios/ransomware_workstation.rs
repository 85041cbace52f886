//! A desktop opens a faked delivery note and its files begin to be encrypted. The agent is in detect mode, so nothing
//! has been stopped when the alert comes; seconds later recovery is switched off as well.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::programs::{self as on, Program};
use crate::telemetry::{FileChange, Story};
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
        ))
        .told_by(story(cast, &host, file, &command));
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

/// A mail's link, a download, a double click; files go, then what could bring them back.
fn story(cast: &Cast<'_>, host: &str, file: &str, command: &str) -> Story {
    let note = cast.say("復元方法.txt", "HOW_TO_RESTORE.txt");
    let folder = cast.say("見積書", "Quotations");
    let mut story = Story::on(host);
    let desktop = story.running(on::EXPLORER);
    let browser = story.running(on::CHROME);
    let locker =
        Program::brought(file, &format!(r"C:\Users\{{user}}\Downloads\{file}"), "ransomware-workstation locker");
    story.visit(-210.0, browser, "dl.parcel-track.example", "203.0.113.88", 443);
    story.fetch(-209.0, browser, "GET", "https://dl.parcel-track.example/note/7714");
    story.drop(-205.0, browser, &locker);
    let locker = story.start(-62.0, desktop, locker, command);
    story.visit(-60.0, locker, "keys.gate-relay.example", "203.0.113.91", 443);
    story.registry(
        -58.0,
        locker,
        r"USER\SOFTWARE\Microsoft\Windows\CurrentVersion\Run",
        "DeliveryNote",
        r"C:\Users\{user}\AppData\Roaming\dnote.exe",
    );
    story.indicate(-20.0, locker, "Discovery", "DriveListing", "The process listed local and mapped drives.");
    for n in 0..40 {
        let path = format!(r"C:\Users\{{user}}\Documents\{folder}\{folder}_{n:03}.xlsx");
        let at = -18.0 + f64::from(n) * 0.7;
        story.file(at, locker, FileChange::Modified, &path);
        story.rename(at + 0.2, locker, &path, &format!("{path}.hoshikage"));
    }
    for (n, place) in
        ["Documents", "Desktop", "Downloads", "Pictures", r"Documents\Mail", r"Documents\Project"].iter().enumerate()
    {
        story.file(-10.0 + n as f64, locker, FileChange::Created, &format!(r"C:\Users\{{user}}\{place}\{note}"));
    }
    story.indicate(
        -0.5,
        locker,
        "Ransomware",
        "RansomwareRename",
        "Many user files were encrypted and renamed within one minute.",
    );
    let shell = story.start(3.5, locker, on::CMD, "cmd.exe /c vssadmin.exe delete shadows /all /quiet & bcdedit /set {default} recoveryenabled no & wbadmin delete catalog -quiet");
    story.run(3.8, shell, on::VSSADMIN, "vssadmin.exe delete shadows /all /quiet");
    story.run(4.4, shell, on::BCDEDIT, "bcdedit /set {default} recoveryenabled no");
    story.run(4.9, shell, on::WBADMIN, "wbadmin delete catalog -quiet");
    for (n, service) in ["VSS", "BkAgent", "SQLWriter"].iter().enumerate() {
        let net = story.start(5.1 + n as f64 * 0.2, locker, on::NET, &format!("net stop {service} /y"));
        story.run(5.15 + n as f64 * 0.2, net, on::NET1, &format!(r"C:\Windows\system32\net1 stop {service} /y"));
    }
    story.indicate(
        5.8,
        locker,
        "Ransomware",
        "ShadowCopyDelete",
        "Shadow copies were deleted and recovery was switched off.",
    );
    for n in 40..120 {
        let path = format!(r"D:\{folder}\{folder}_{n:03}.dwg");
        story.rename(6.0 + f64::from(n - 40) * 0.8, locker, &path, &format!("{path}.hoshikage"));
    }
    story
}
