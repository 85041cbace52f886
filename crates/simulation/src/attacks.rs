//! What comes up on the consoles: single threats of the kinds a SOC sees, whole plays of `s1sim`, and storms.

use s1sim::{Engine, Outcome, S1Sim, Threat};

use crate::consoles::{HOSTS, host, key};
use crate::dice::Dice;

/// Plays that are no storm. `full-disk-scan` is.
const PLAYS: &[&str] = &[
    "ransomware-workstation",
    "ransomware-hosts",
    "credential-theft-lateral",
    "phishing-document",
    "pua",
    "admin-tool",
    "static-unknown-file",
    "exfiltration",
    "wiper",
];

/// Raises one alert, or starts a play of a few.
pub(crate) fn strike(sim: &S1Sim, customer: usize, dice: &mut Dice) -> anyhow::Result<()> {
    if dice.percent(6) {
        sim.play(dice.pick(PLAYS), &key(customer))?;
        return Ok(());
    }
    let (name, _) = dice.pick(HOSTS);
    let on = host(customer, name);
    // Few names, so that the same file comes up again, on the same endpoint and on others.
    let file = format!("{}-tool-{}.exe", key(customer), dice.below(40));
    let threat = match dice.below(100) {
        0..45 => Threat::static_unknown(&on),
        45..62 => Threat::static_unknown(&on).known_bad(),
        62..72 => Threat::new(&on, &file, Engine::Reputation).outcome(Outcome::Quarantined),
        72..80 => Threat::new(&on, &file, Engine::Behavioral)
            .ran(r"C:\Temp\tool.exe -q", "cmd.exe")
            .outcome(Outcome::Mitigated),
        80..88 => Threat::new(&on, &file, Engine::Behavioral).ran(r"C:\Temp\tool.exe -q", "powershell.exe"),
        88..92 => Threat::ransomware(&on),
        92..96 => Threat::new(&on, &file, Engine::OnWriteStatic).known_bad(),
        _ => Threat::static_unknown(&on).signed_by("EXAMPLE SOFTWARE GMBH").outcome(Outcome::NotMitigated),
    };
    sim.raise(&key(customer), &threat.file(&file).hashed_from(&file))?;
    Ok(())
}

/// One of a storm's alerts, and how many seconds after its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Gust {
    pub(crate) after_s: u64,
    pub(crate) threat: Threat,
}

/// The first full-disk scan of an endpoint, or one file on every endpoint within ten minutes.
pub(crate) fn storm(sim: &S1Sim, customer: usize, dice: &mut Dice) -> anyhow::Result<Vec<Gust>> {
    if dice.percent(50) {
        sim.play("full-disk-scan", &key(customer))?;
        return Ok(Vec::new());
    }
    let file = format!("{}-storm-{}.exe", key(customer), dice.below(1000));
    let gusts = dice.between(55, 120);
    Ok((0..gusts)
        .map(|n| {
            let on = host(customer, dice.pick(HOSTS).0);
            let threat = Threat::new(&on, &file, Engine::Reputation).outcome(Outcome::Quarantined);
            // Now and then it is seen running: that one must not drown in the rest.
            let threat = if dice.percent(2) { Threat::ransomware(&on) } else { threat };
            Gust { after_s: n * 600 / gusts, threat: threat.file(&file).hashed_from(&file) }
        })
        .collect())
}
