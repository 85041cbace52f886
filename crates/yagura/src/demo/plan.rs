//! What happens in the demo, and when: every scenario at least once, spread over the customers.

use std::time::Duration;

use s1sim::S1Sim;

/// Seconds after the start, scenario, customer. The first is on screen right away.
const PLAN: &[(u64, &str, &str)] = &[
    (0, "ransomware-workstation", "hoshimi"),
    (1, "static-unknown-file", "northmere"),
    (4, "phishing-document", "kanata"),
    (7, "pua", "hoshimi"),
    (10, "admin-tool", "kanata"),
    (13, "credential-theft-lateral", "northmere"),
    (17, "full-disk-scan", "kanata"),
    (21, "exfiltration", "hoshimi"),
    (25, "wiper", "northmere"),
    (29, "ransomware-hosts", "kanata"),
    (33, "static-unknown-file", "hoshimi"),
];

/// Plays the part of the plan that lies before `until`.
pub(super) async fn play(sim: &S1Sim, until: Duration) {
    let mut passed = 0;
    for (at, scenario, customer) in PLAN.iter().filter(|(at, ..)| Duration::from_secs(*at) < until) {
        super::pause(Duration::from_secs(at - passed)).await;
        passed = *at;
        if let Err(error) = sim.play(scenario, customer) {
            tracing::error!(scenario, customer, error = %error, "a scenario could not be played");
        }
    }
}
