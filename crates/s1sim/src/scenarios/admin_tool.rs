//! A signed tool that runs commands on other computers. It is somebody's working tool or somebody's weapon; apart
//! from its being there nothing else is wrong, so who ran it and why has to be asked.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::telemetry::Story;
use crate::telemetry::programs::{self as on, Program};
use crate::threat::{Engine, Threat, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "admin-tool", about: "a dual-use remote administration tool, without any other sign", steps };

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::Desktop, 5);
    let server = cast.host(Role::FileServer, 0);
    let folder = cast.say("運用ツール", "AdminTools");
    let threat = Threat::new(&host, "FarCmd64.exe", Engine::OnWriteStaticSuspicious)
        .path(&format!(r"\Device\HarddiskVolume3\{folder}\FarCmd64.exe"))
        .hashed_from("admin-tool farcmd")
        .classified("Hacktool")
        .suspicious()
        .signed_by("KESTRELWORKS SOFTWARE LTD")
        .ran(&format!(r"C:\{folder}\FarCmd64.exe \\{server} -cmd ipconfig /all"), "cmd.exe")
        .indicator(indicator("General", "The program can run commands on other computers.", &[101], &[]))
        .told_by(story(cast, &host, &server, folder));
    vec![at(0.0).raise("tool", threat)]
}

/// Somebody opens a shell and uses the tool on the file server, as an administrator would.
fn story(cast: &Cast<'_>, host: &str, server: &str, folder: &str) -> Story {
    let mut story = Story::on(host);
    let desktop = story.running(on::EXPLORER);
    let tool = Program::brought("FarCmd64.exe", &format!(r"C:\{folder}\FarCmd64.exe"), "admin-tool farcmd")
        .signed_by("KESTRELWORKS SOFTWARE LTD");
    story.drop(-600.0, desktop, &tool);
    let shell = story.start(-45.0, desktop, on::CMD, "cmd.exe");
    let tool = story.start(-2.0, shell, tool, &format!(r"C:\{folder}\FarCmd64.exe \\{server} -cmd ipconfig /all"));
    story.connect(-1.5, tool, &cast.address(server), 445);
    let (there, services) = (story.running_on(server, on::LSASS), story.running_on(server, on::SERVICES));
    story.log_on(-1.4, there, &cast.user(host), "NETWORK", &cast.address(host));
    story.run(-1.0, services, on::IPCONFIG, "ipconfig /all");
    story.end(0.2, tool);
    story
}
