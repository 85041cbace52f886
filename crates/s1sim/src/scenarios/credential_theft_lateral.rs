//! Hands on a keyboard: passwords are read from memory on a desktop, used to start a service on the application
//! server, and the directory is copied on a domain controller.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
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
        ));
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
        ));

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
        ));

    vec![
        at(0.0).raise("dumper", dumper),
        at(3.0).change("dumper", looks_around),
        at(5.0).raise("service", service),
        at(9.0).raise("controller", copier),
    ]
}
