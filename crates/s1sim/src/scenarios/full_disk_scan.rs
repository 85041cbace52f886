//! A laptop that ran for years without an agent gets one, and its first full-disk scan finds sixty old files within
//! minutes. None of them runs; the noise is the point.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Engine, Outcome, Threat, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "full-disk-scan", about: "the first full-disk scan of a new agent finds sixty old files", steps };

const COUNT: usize = 60;
const SECONDS_BETWEEN: f64 = 2.5;

/// Name, classification, engine, whether the reputation service knows it.
const KINDS: [(&str, &str, Engine, bool); 12] = [
    ("keygen.exe", "Hacktool", Engine::OnWriteStatic, true),
    ("crack_patch.exe", "Hacktool", Engine::OnWriteStatic, true),
    ("toolbar_setup.exe", "PUA", Engine::OnWriteStaticSuspicious, false),
    ("video_codec_pack.exe", "Adware", Engine::OnWriteStatic, true),
    ("driver_update_helper.exe", "PUA", Engine::OnWriteStaticSuspicious, false),
    ("invoice_2019.scr", "Trojan", Engine::Reputation, true),
    ("scan0042.doc", "Downloader", Engine::OnWriteStatic, true),
    ("coin_helper.exe", "Malware", Engine::OnWriteStatic, true),
    ("old_autorun.exe", "Virus", Engine::Reputation, true),
    ("game_trainer.dll", "Hacktool", Engine::OnWriteStaticSuspicious, false),
    ("macro_template.xlsm", "Malware", Engine::OnWriteStaticSuspicious, false),
    ("remote_helper_portable.exe", "PUA", Engine::OnWriteStaticSuspicious, false),
];

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let name = cast.fresh_name("NB-NEW");
    let host = cast.install(&name, Role::Laptop);
    let folders = [
        cast.say("ダウンロード_旧PC", "Old PC Downloads"),
        cast.say("バックアップ2019", "Backup 2019"),
        cast.say("受信添付", "Mail Attachments"),
        cast.say("デスクトップ整理", "Desktop Cleanup"),
        cast.say("USBメモリ", "USB Copy"),
    ];
    let mut steps = vec![at(0.0).scan(&host)];
    steps.extend((0..COUNT).map(|n| {
        let (file, classification, engine, known) = KINDS[n % KINDS.len()];
        let folder = folders[n / KINDS.len() % folders.len()];
        let threat = Threat::new(&host, file, engine)
            .path(&format!(r"\Device\HarddiskVolume3\Users\{{user}}\Documents\{folder}\{file}"))
            .hashed_from(&format!("full-disk-scan {file} {}", n / KINDS.len()))
            .classified(classification)
            .initiated_by("full_disk_scan")
            .outcome(Outcome::Quarantined)
            .indicator(indicator("General", "The file was found at rest by a scan.", &[7], &[]));
        let threat = if known { threat.known_bad() } else { threat.suspicious() };
        // No later step refers to them, so they may share a label.
        at(1.0 + SECONDS_BETWEEN * f64::from(u32::try_from(n).unwrap_or_default())).raise("finding", threat)
    }));
    steps
}
