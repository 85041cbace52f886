//! Who may depend on whom. The rooms of the design stand on one another, a crate uses what is below it and never what
//! is beside or above it; a few libraries belong to one room; a few may not be in the tree at all.
//! The tables below are the rule. What cargo says about the tree is compared with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::{Outcome, output, root};

/// The rooms from the ground up. Those on one line stand side by side, unaware of one another.
const ROOMS: &[&[&str]] = &[
    &["domain"],
    &["outbound"],
    &["store", "sentinelone", "intel", "detect", "triage", "analysis", "sandbox", "notify", "report"],
    &["engine"],
    &["console", "simulation"],
    &["yagura"],
];

/// The far sides: what the product talks to, played for tests and the demo. They know none of our crates, so that one
/// misreading of a protocol cannot hide on both sides. The program and the simulation may start them, and any test may talk
/// to them.
const FAR_SIDES: &[&str] = &["s1sim", "sinks"];

/// Stand outside the house: may use every room, and no room may use them.
const OUTSIDE: &[&str] = &["soc-tests"];

/// Use no crate of ours at all, and none may use them.
const APART: &[&str] = &["xtask"];

/// Libraries that belong to the crates named with them. A name that ends in `*` is a family.
const BELONGS: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("reqwest", &["outbound"]),
    ("lettre", &["notify"]),
    ("typst*", &["report"]),
    ("rsigma*", &["detect"]),
    ("evtx", &["detect"]),
    ("redb", &["intel"]),
    ("async-graphql", &["s1sim"]),
    ("anyhow", &["engine", "simulation", "yagura", "soc-tests"]),
];

/// Rooms that decide and do nothing, and what must not be anywhere below them.
const PURE: &[&str] = &["domain", "detect", "analysis"];
const IMPURE: &[&str] = &["tokio", "async-std", "mio", "socket2", "hyper", "axum", "reqwest", "sqlx", "sqlx-core"];

/// Never in the tree: a second TLS stack is a second set of advisories (SEC-70, SEC-74).
const BANNED: &[&str] = &["aws-lc-sys", "aws-lc-rs", "openssl-sys", "native-tls"];

pub fn check() -> Outcome {
    let tree = Tree::ask_cargo()?;
    let lock = root()?.join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(|e| format!("could not read `{}`: {e}", lock.display()))?;
    let mut faults = faults_in(&tree);
    faults.extend(banned_in(&lock));
    println!("{} crates of ours, {} dependencies between them", tree.direct.len(), tree.between_ours());
    if faults.is_empty() { Ok(()) } else { Err(format!("\n  {}", faults.join("\n  "))) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Built,
    Tests,
}

/// The part of the dependency tree that the rules speak of.
#[derive(Debug, Default)]
struct Tree {
    /// Our crates with what they name themselves.
    direct: BTreeMap<String, BTreeSet<(Kind, String)>>,
    /// Pure crates with everything that is below them.
    below: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    fn ask_cargo() -> Result<Self, String> {
        let mut tree = Self::default();
        for (kind, edges) in [(Kind::Built, "normal,build"), (Kind::Tests, "dev")] {
            tree.add(kind, &cargo_tree(&["--workspace", "--depth", "1", "--no-dedupe", "--edges", edges])?);
        }
        for pure in PURE.iter().filter(|name| tree.direct.contains_key(**name)) {
            let below = cargo_tree(&["--package", pure, "--edges", "normal,build"])?;
            tree.below.insert((*pure).to_owned(), below.lines().filter_map(package).map(|(_, name)| name).collect());
        }
        Ok(tree)
    }

    fn add(&mut self, kind: Kind, printed: &str) {
        let mut owner = String::new();
        for (depth, name) in printed.lines().filter_map(package) {
            if depth == 0 {
                self.direct.entry(name.clone()).or_default();
                owner = name;
            } else if name != owner {
                self.direct.entry(owner.clone()).or_default().insert((kind, name));
            }
        }
    }

    fn between_ours(&self) -> usize {
        self.direct.values().flatten().filter(|(_, name)| self.direct.contains_key(name)).count()
    }
}

fn cargo_tree(arguments: &[&str]) -> Result<String, String> {
    let fixed = ["tree", "--locked", "--all-features", "--target", "all", "--prefix", "depth", "--format", " {p}"];
    output("cargo", &[&fixed, arguments].concat())
}

/// One line of cargo's tree, `1 domain v0.1.0 (…)`, as depth and name.
fn package(line: &str) -> Option<(u32, String)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
}

fn faults_in(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (user, used) in &tree.direct {
        if !is_known(user) {
            faults.push(format!("`{user}` stands nowhere: give it a place in `xtask/src/deps.rs` and in the design"));
        }
        for (kind, name) in used {
            if tree.direct.contains_key(name) && !may_use(user, name, *kind) {
                faults.push(format!("`{user}` may not use `{name}`: a crate uses what is below it"));
            }
            if let Some((_, owners)) = BELONGS.iter().find(|(pattern, _)| matches(pattern, name))
                && !owners.contains(&user.as_str())
            {
                faults.push(format!("`{user}` may not use `{name}`: it belongs to `{}`", owners.join("`, `")));
            }
        }
    }
    for (pure, below) in &tree.below {
        for name in below.iter().filter(|name| IMPURE.contains(&name.as_str())) {
            faults.push(format!("`{pure}` is pure and must not have `{name}` below it"));
        }
    }
    faults
}

fn may_use(user: &str, used: &str, kind: Kind) -> bool {
    if FAR_SIDES.contains(&user) || APART.contains(&user) {
        return false;
    }
    if FAR_SIDES.contains(&used) {
        return OUTSIDE.contains(&user)
            || ["simulation", "yagura"].contains(&user)
            || (kind == Kind::Tests && !PURE.contains(&user));
    }
    match (floor(user), floor(used)) {
        (Some(user), Some(used)) => used < user,
        (None, Some(_)) => OUTSIDE.contains(&user),
        (_, None) => false,
    }
}

fn is_known(name: &str) -> bool {
    floor(name).is_some() || [FAR_SIDES, OUTSIDE, APART].concat().contains(&name)
}

fn floor(name: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&name))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |family| name.starts_with(family))
}

fn banned_in(lock: &str) -> Vec<String> {
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| BANNED.contains(name)).map(|name| format!("`{name}` may not be in the tree")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(built: &str, tests: &str) -> Vec<String> {
        let mut tree = Tree::default();
        tree.add(Kind::Built, built);
        tree.add(Kind::Tests, tests);
        faults_in(&tree)
    }

    const SOUND: &str = "\
0 domain v0.1.0 (/src/crates/domain)
1 serde v1.0.0

0 store v0.1.0 (/src/crates/store)
1 domain v0.1.0 (/src/crates/domain)
1 sqlx v0.9.0

0 notify v0.1.0 (/src/crates/notify)
1 domain v0.1.0 (/src/crates/domain)

0 sinks v0.1.0 (/src/crates/sinks)

0 xtask v0.1.0 (/src/xtask)
";

    #[test]
    fn a_sound_tree_has_no_faults() {
        assert_eq!(faults(SOUND, "0 notify v0.1.0\n1 sinks v0.1.0\n"), [""; 0]);
    }

    #[test]
    fn a_crate_uses_neither_what_is_beside_it_nor_what_is_above_it() {
        let beside = faults(&format!("{SOUND}\n0 notify v0.1.0\n1 store v0.1.0\n"), "");
        assert_eq!(beside, ["`notify` may not use `store`: a crate uses what is below it"]);
        let above = faults(&format!("{SOUND}\n0 domain v0.1.0\n1 store v0.1.0\n"), "");
        assert_eq!(above, ["`domain` may not use `store`: a crate uses what is below it"]);
    }

    #[test]
    fn a_far_side_knows_none_of_ours_and_is_built_into_the_program_alone() {
        let knows = faults(&format!("{SOUND}\n0 sinks v0.1.0\n1 domain v0.1.0\n"), "");
        assert_eq!(knows, ["`sinks` may not use `domain`: a crate uses what is below it"]);
        let tests_it = faults(SOUND, "0 sinks v0.1.0\n1 notify v0.1.0\n");
        assert_eq!(tests_it.len(), 1, "not even in its tests: {tests_it:?}");
        let built_in = faults(&format!("{SOUND}\n0 notify v0.1.0\n1 sinks v0.1.0\n"), "");
        assert_eq!(built_in, ["`notify` may not use `sinks`: a crate uses what is below it"]);
    }

    #[test]
    fn a_library_stays_in_its_room() {
        let database = faults(&format!("{SOUND}\n0 notify v0.1.0\n1 sqlx v0.9.0\n"), "");
        assert_eq!(database, ["`notify` may not use `sqlx`: it belongs to `store`"]);
        let family = faults(SOUND, "0 notify v0.1.0\n1 typst-pdf v0.15.1\n");
        assert_eq!(family, ["`notify` may not use `typst-pdf`: it belongs to `report`"]);
    }

    #[test]
    fn a_crate_without_a_place_is_a_fault() {
        let found = faults(&format!("{SOUND}\n0 helpers v0.1.0\n"), "");
        assert!(found.iter().any(|f| f.starts_with("`helpers` stands nowhere")), "{found:?}");
    }

    #[test]
    fn a_pure_room_has_nothing_impure_anywhere_below_it() {
        let mut tree = Tree::default();
        let below = ["domain", "serde", "tokio"].map(String::from);
        tree.below.insert("domain".to_owned(), BTreeSet::from(below));
        assert_eq!(faults_in(&tree), ["`domain` is pure and must not have `tokio` below it"]);
    }

    #[test]
    fn a_second_tls_stack_in_the_lock_file_is_a_fault() {
        let lock = "[[package]]\nname = \"ring\"\n\n[[package]]\nname = \"openssl-sys\"\nversion = \"0.9.1\"\n";
        assert_eq!(banned_in(lock), ["`openssl-sys` may not be in the tree"]);
    }

    #[test]
    fn this_workspace_keeps_the_rules() {
        assert_eq!(check(), Ok(()));
    }
}
