use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::endpoint::Os;
use crate::ids::AgentId;
use crate::telemetry::{FileChange, Hashes, Parent, Process, What};
use crate::untrusted::Untrusted;

fn some(text: &str) -> Option<Untrusted> {
    Some(Untrusted::new(text))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn process(key: &str, name: &str) -> Process {
    Process { key: some(key), name: some(name), ..Process::default() }
}

fn record(id: u32, second: i64, process: Process, what: What) -> Record {
    Record {
        id: Untrusted::new(&id.to_string()),
        at: Some(at(second)),
        agent: AgentId::new("a1").unwrap(),
        host: Untrusted::new("ws-17"),
        os: Os::Windows,
        process,
        storyline: None,
        what,
    }
}

fn started(id: u32, second: i64, parent: Process, child: Process) -> Record {
    record(id, second, parent, What::ProcessStarted(Box::new(child)))
}

fn wrote(id: u32, second: i64, by: Process, path: &str) -> Record {
    let what = What::File {
        change: FileChange::Created,
        path: Untrusted::new(path),
        old_path: None,
        size_bytes: None,
        hashes: Hashes::default(),
    };
    record(id, second, by, what)
}

fn story(records: &[Record]) -> Story {
    Story::of(records, &[], &Context::default())
}

fn names(story: &Story) -> Vec<&str> {
    let name = |n: &NodeId| story.tree.nodes[*n].process.name.as_ref().map_or("", Untrusted::for_matching);
    story.tree.walk().iter().map(name).collect()
}

#[test]
fn who_started_whom_is_drawn_with_what_each_did() {
    let mut word = process("1", "winword.exe");
    word.parent = Some(Parent { name: some("explorer.exe"), ..Parent::default() });
    let mut shell = process("2", "powershell.exe");
    shell.command_line = some("powershell -w hidden whoami");
    let story = story(&[started(1, 0, word, shell.clone()), wrote(2, 5, shell, "C:\\Users\\Public\\a.exe")]);
    assert_eq!(names(&story), ["explorer.exe", "winword.exe", "powershell.exe"]);
    let [explorer, _, shell] = &story.tree.nodes[..] else { panic!("{story:?}") };
    assert!(explorer.named_only && !shell.named_only);
    assert_eq!((shell.depth, shell.did[0].verb, shell.did[0].count), (2, Verb::FileCreated, 1));
    assert!(shell.command.as_ref().unwrap().signs.iter().any(|s| s.kind == crate::commandline::SignKind::HiddenWindow));
}

#[test]
fn a_pid_used_twice_is_two_processes_and_each_deed_goes_to_the_one_of_its_time() {
    let with = |start: Option<i64>, name: &str| Process {
        pid: Some(400),
        started_at: start.map(at),
        name: some(name),
        ..Process::default()
    };
    let records = [
        wrote(1, 1, with(Some(0), "a.exe"), "C:\\one"),
        wrote(2, 101, with(Some(100), "a.exe"), "C:\\two"),
        wrote(3, 50, with(None, "a.exe"), "C:\\three"),
    ];
    let story = story(&records);
    let counts: Vec<u32> = story.tree.nodes.iter().map(|n| n.did[0].count).collect();
    assert_eq!(counts, [2, 1]);
}

#[test]
fn a_circle_of_parents_is_cut_and_said() {
    let of = |key: &str, parent: &str| {
        let mut p = process(key, key);
        p.parent = Some(Parent { key: some(parent), ..Parent::default() });
        p
    };
    let story =
        story(&[wrote(1, 1, of("x", "y"), "1"), wrote(2, 2, of("y", "z"), "2"), wrote(3, 3, of("z", "x"), "3")]);
    assert_eq!(names(&story), ["x", "z", "y"]);
    assert_eq!(story.tree.nodes.iter().filter(|n| n.circular).count(), 1);
}

#[test]
fn a_chain_deeper_than_a_tree_goes_on_as_another_and_a_flood_is_counted_sec_38() {
    let chain: Vec<Record> = (0..MAX_DEPTH * 2 + 5)
        .map(|n| started(n, i64::from(n), process(&n.to_string(), "c"), process(&(n + 1).to_string(), "c")))
        .collect();
    let deep = story(&chain);
    assert_eq!(deep.tree.nodes.len(), chain.len() + 1);
    assert_eq!(deep.tree.nodes.iter().filter(|n| n.continues.is_some()).count(), 2);
    assert!(deep.tree.nodes.iter().all(|n| n.depth < MAX_DEPTH));

    let flood: Vec<Record> = (0..u32::try_from(MAX_NODES).unwrap() + 50)
        .map(|n| started(n, i64::from(n), process("root", "r"), process(&n.to_string(), "c")))
        .collect();
    let flood = story(&flood);
    assert_eq!((flood.tree.nodes.len(), flood.tree.processes_left_out), (MAX_NODES, 51));
    assert_eq!(flood.tree.nodes[0].children_left_out, 51);
}

#[test]
fn repeats_are_one_line_and_silence_is_a_line_of_its_own() {
    let mut records: Vec<Record> = (0..10).map(|n| wrote(n, i64::from(n), process("1", "a"), "C:\\x")).collect();
    records.push(wrote(99, 7_200, process("1", "a"), "C:\\x"));
    records.push(records[0].clone());
    let timeline = story(&records).timeline;
    let times: Vec<u32> = timeline.entries.iter().map(|e| e.times).collect();
    assert_eq!((times, timeline.repeated), (vec![10, 0, 1], 1));
    let Item::Gap(gap) = &timeline.entries[1].item else { panic!("{timeline:?}") };
    assert_eq!((gap.kind, gap.from, gap.to), (GapKind::Between, at(9), at(7_200)));
    assert_eq!(timeline.accounted_for(), records.len());
}

fn alert(storyline: &str, path: &str, second: i64) -> Alert {
    let endpoint = serde_json::json!({
        "agent": "a1", "name": "ws-17", "domain": null, "os": "windows", "os_name": null, "machine": "desktop",
        "group": null, "site": null, "last_user": null, "addresses": [], "agent_version": null,
        "network": "connected", "online": true,
    });
    Alert {
        id: crate::AlertId::new("t1").unwrap(),
        source: crate::alert::Source::Threat,
        version: at(second),
        detected_at: at(second),
        created_at: at(second),
        name: Untrusted::new("bad.exe"),
        endpoint: serde_json::from_value(endpoint).unwrap(),
        file: crate::alert::File { path: some(path), ..Default::default() },
        process: Default::default(),
        detection: Default::default(),
        mitigation: Default::default(),
        console: Default::default(),
        storyline: some(storyline),
    }
}

#[test]
fn the_branch_that_leads_to_the_alerts_file_is_marked_and_the_silence_after_it_named() {
    let mut bad = process("3", "bad.exe");
    bad.image = some("\\Device\\HarddiskVolume3\\Users\\Public\\BAD.exe");
    let mut records = [
        started(1, 0, process("1", "explorer.exe"), process("2", "cmd.exe")),
        started(2, 10, process("2", "cmd.exe"), bad),
        started(3, 20, process("1", "explorer.exe"), process("4", "notepad.exe")),
    ];
    records[1].storyline = some("S1");
    let context = Context { until: Some(at(7_200)), ..Context::default() };
    let story = Story::of(&records, &[alert("S1", "C:\\Users\\Public\\bad.exe", 12)], &context);
    let led: Vec<&str> = story
        .tree
        .nodes
        .iter()
        .filter(|n| n.ties.leads_to_alert)
        .map(|n| n.process.name.as_ref().unwrap().for_matching())
        .collect();
    assert_eq!(led, ["explorer.exe", "cmd.exe", "bad.exe"]);
    let of_alert = story.tree.nodes.iter().find(|n| n.ties.alerts_file).unwrap();
    assert!(of_alert.ties.storyline);
    assert_eq!(story.timeline.accounted_for(), 4);
    let silent = story.timeline.entries.iter().find_map(|e| match &e.item {
        Item::Gap(gap) => Some((gap.kind, gap.from, gap.after_alert)),
        _ => None,
    });
    assert_eq!(silent, Some((GapKind::Silent, at(20), true)));
}

fn any_process() -> impl Strategy<Value = Process> {
    let small = || proptest::option::of("[abc]".prop_map(|t| Untrusted::new(&t)));
    let parent = (small(), proptest::option::of(0_u32..4), small()).prop_map(|(key, pid, name)| Parent {
        key,
        pid,
        name,
        ..Parent::default()
    });
    (small(), proptest::option::of(0_u32..4), proptest::option::of(0_i64..4), small(), proptest::option::of(parent))
        .prop_map(|(key, pid, start, name, parent)| Process {
            key,
            pid,
            started_at: start.map(at),
            name,
            parent,
            ..Process::default()
        })
}

fn any_record() -> impl Strategy<Value = Record> {
    let what = prop_oneof![
        any_process().prop_map(|p| What::ProcessStarted(Box::new(p))),
        any_process().prop_map(|p| What::ProcessReached { target: Box::new(p), how: Untrusted::default() }),
        Just(What::ProcessEnded),
        "[xy]".prop_map(|name| What::Dns { name: Untrusted::new(&name), answers: Vec::new() }),
    ];
    (0_u32..50, proptest::option::of(0_i64..9_000), any_process(), what, 0..2).prop_map(
        |(id, second, process, what, agent)| Record {
            at: second.map(at),
            agent: AgentId::new(if agent == 0 { "a1" } else { "a2" }).unwrap(),
            ..record(id, 0, process, what)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn however_records_contradict_each_other_the_tree_is_one_and_the_timeline_loses_nothing(
        records in proptest::collection::vec(any_record(), 0..60),
    ) {
        let story = story(&records);
        prop_assert_eq!(story.timeline.accounted_for(), records.len());

        let tree = &story.tree;
        let walk = tree.walk();
        prop_assert_eq!(walk.len(), tree.nodes.len());
        prop_assert_eq!(walk.iter().collect::<BTreeSet<_>>().len(), tree.nodes.len());
        for (id, node) in tree.nodes.iter().enumerate() {
            prop_assert!(node.parent.is_none_or(|p| p < id && tree.nodes[p].depth + 1 == node.depth));
        }
        // Every key of an endpoint is one process, and every record of a keyed process is in the tree.
        let keys: Vec<_> = tree.nodes.iter().filter_map(|n| Some((&n.agent, n.process.key.as_ref()?))).collect();
        prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        let told: BTreeSet<_> = records.iter().filter_map(|r| Some((&r.agent, r.process.key.as_ref()?))).collect();
        prop_assert!(told.iter().all(|key| keys.contains(key)));
        let deeds: usize = tree.nodes.iter().flat_map(|n| &n.did).map(|d| d.count as usize).sum();
        prop_assert_eq!(deeds + tree.records_without_place + story.timeline.repeated, records.len());
    }
}
