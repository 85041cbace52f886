//! A signed tool that runs commands on other computers. It is somebody's working tool or somebody's weapon; apart
//! from its being there nothing else is wrong, so who ran it and why has to be asked.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
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
        .indicator(indicator("General", "The program can run commands on other computers.", &[101], &[]));
    vec![at(0.0).raise("tool", threat)]
}
