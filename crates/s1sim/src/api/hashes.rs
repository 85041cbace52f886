//! `/hashes/{sha1}/…`: what the reputation service says of a hash. It knows the hashes of threats whose cloud verdict
//! was black and nothing else, so an unknown hash gets an empty or "unknown" answer.

use serde_json::json;

use super::{Answer, Call, ok};
use crate::refusal::Refusal;
use crate::world::{World, text};

pub(super) fn ask(world: &World, call: &Call, hash: &str, question: &str) -> Answer {
    if hash.len() != 40 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::Invalid(format!("hash: `{hash}` is not a SHA-1")));
    }
    let mut seen = world.threats.values().filter_map(|stored| stored.visible(call.now));
    let bad = seen.find(|doc| {
        text(doc, "/threatInfo/sha1").eq_ignore_ascii_case(hash)
            && text(doc, "/threatInfo/cloudFilesHashVerdict") == "black"
    });
    match (question, bad) {
        ("verdict", bad) => ok(json!({"verdict": if bad.is_some() { "malicious" } else { "unknown" }})),
        ("reputation", Some(_)) => ok(json!({"rank": "9"})),
        ("reputation", None) => ok(json!({})),
        ("classification", Some(doc)) => {
            let found = &doc["threatInfo"];
            ok(
                json!({"classification": found["classification"], "classificationSource": found["classificationSource"]}),
            )
        }
        ("classification", None) => Err(Refusal::NotFound(format!("no classification for {hash}"))),
        _ => Err(Refusal::NotFound(format!("no such call: {}", call.path))),
    }
}
