//! One locker on three machines within seconds, among them the file server. Same content, three threats, no agent
//! stops it; on the server it is seen to have come over an administrative share.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::programs::{self as on, Program};
use crate::telemetry::story::Who;
use crate::telemetry::{FileChange, Story};
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
        at(0.0).raise(
            "first",
            locker(&first, note, "explorer.exe").told_by(entry(cast, &first, note, &[&second, &server])),
        ),
        at(2.0).raise("second", locker(&second, note, "services.exe").told_by(spread_to(cast, &second, note, &first))),
        at(3.5).raise("server", locker(&server, note, "services.exe").told_by(spread_to(cast, &server, note, &first))),
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

fn program() -> Program {
    Program::brought("svcupd64.exe", r"C:\ProgramData\svcupd64.exe", "ransomware-hosts locker")
}

/// Where it began: somebody starts it, it looks for shares and copies itself to the others.
fn entry(cast: &Cast<'_>, host: &str, note: &str, others: &[&String]) -> Story {
    let mut story = Story::on(host);
    let desktop = story.running(on::EXPLORER);
    let browser = story.running(on::EDGE);
    story.visit(-300.0, browser, "files.toolmirror.example", "203.0.113.140", 443);
    story.drop(-295.0, browser, &program());
    let locker =
        story.start(-90.0, desktop, program(), &format!(r"C:\ProgramData\svcupd64.exe --shares --note {note}"));
    let net = story.start(-80.0, locker, on::NET, "net view /all");
    story.run(-79.8, net, on::NET1, r"C:\Windows\system32\net1 view /all");
    let user = cast.user(host);
    for (n, other) in others.iter().enumerate() {
        let at = -40.0 + n as f64 * 6.0;
        story.connect(at, locker, &cast.address(other), 445);
        story.file(at + 1.0, locker, FileChange::Created, &format!(r"\\{other}\C$\ProgramData\svcupd64.exe"));
        story.run(
            at + 2.0,
            locker,
            on::SC,
            &format!(r"sc.exe \\{other} create svcupd binPath= C:\ProgramData\svcupd64.exe start= demand"),
        );
        let there = story.running_on(other, on::LSASS);
        story.log_on(at + 0.2, there, &user, "NETWORK", &cast.address(host));
    }
    encrypt(&mut story, locker, note);
    story
}

/// Where it went: a service brings it up.
fn spread_to(cast: &Cast<'_>, host: &str, note: &str, from: &str) -> Story {
    let mut story = Story::on(host);
    let system = story.running(on::SYSTEM);
    let services = story.running(on::SERVICES);
    story.accept(-36.0, system, &cast.address(from), 445);
    story.drop(-35.0, system, &program());
    story.registry(
        -34.0,
        services,
        r"MACHINE\SYSTEM\ControlSet001\Services\svcupd",
        "ImagePath",
        r"C:\ProgramData\svcupd64.exe",
    );
    let locker = story.start(
        -30.0,
        services,
        program().of_the_machine(),
        &format!(r"C:\ProgramData\svcupd64.exe --shares --note {note}"),
    );
    for service in ["MSSQLSERVER", "BkAgent", "ErpService"] {
        let net = story.start(-28.0, locker, on::NET, &format!("net stop {service} /y"));
        story.run(-27.9, net, on::NET1, &format!(r"C:\Windows\system32\net1 stop {service} /y"));
    }
    encrypt(&mut story, locker, note);
    story
}

fn encrypt(story: &mut Story, locker: Who, note: &str) {
    story.run(-12.0, locker, on::VSSADMIN, "vssadmin.exe delete shadows /all /quiet");
    for n in 0..60 {
        let path = format!(r"D:\Shared\Orders\order_{n:04}.pdf");
        story.rename(-10.0 + f64::from(n) * 0.5, locker, &path, &format!("{path}.upd64"));
    }
    for n in 0..6 {
        story.file(-8.0 + f64::from(n), locker, FileChange::Created, &format!(r"D:\Shared\Orders\{n}\{note}"));
    }
    story.indicate(
        -0.5,
        locker,
        "Ransomware",
        "RansomwareRename",
        "Many files were encrypted and renamed within one minute.",
    );
}
