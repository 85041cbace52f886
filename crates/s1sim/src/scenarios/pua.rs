//! A bundled browser helper that changes the search page: signed, unwanted, removed before it did anything.

use crate::fleet::Role;
use crate::scenario::{Cast, Scenario, Step, at};
use crate::threat::{Engine, Outcome, Threat, indicator};

pub(crate) const SCENARIO: Scenario =
    Scenario { name: "pua", about: "an unwanted program that came with a free converter", steps };

fn steps(cast: &mut Cast<'_>) -> Vec<Step> {
    let host = cast.host(Role::Laptop, 2);
    let file = cast.say("無料PDF変換_セットアップ.exe", "FreePdfConvert_Setup.exe");
    let threat = Threat::new(&host, file, Engine::UnwantedApplications)
        .path(&format!(r"\Device\HarddiskVolume3\Users\{{user}}\Downloads\{file}"))
        .hashed_from("pua converter bundle")
        .classified("PUA")
        .suspicious()
        .known_bad()
        .signed_by("BRIGHTFOX MEDIA BUNDLES SARL")
        .outcome(Outcome::Quarantined)
        .indicator(indicator("General", "The installer bundles offers from third parties.", &[95], &[]));
    vec![at(0.0).raise("bundle", threat)]
}
