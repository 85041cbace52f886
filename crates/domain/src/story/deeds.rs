//! What a process did, in counts and the most telling few.
//!
//! Telling is what an analyst looks for first: programs written, places that start by themselves, addresses outside, credentials.
//! It orders what is shown; it is no judgement.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MAX_TELLING;
use crate::language::Text;
use crate::telemetry::{Direction, FileChange, LogOn, Record, RegistryChange, TaskChange, What};
use crate::untrusted::Untrusted;

/// All that a process did of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deeds {
    pub verb: Verb,
    pub count: u32,
    /// How many different objects.
    pub distinct: u32,
    pub telling: Vec<Deed>,
}

/// One deed, as often as it was repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    pub verb: Verb,
    pub object: Untrusted,
    /// The first record of it, by place and by the source's id.
    pub record: usize,
    pub id: Untrusted,
    pub times: u32,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Started,
    Ended,
    Reached,
    Indicated,
    FileCreated,
    FileModified,
    FileDeleted,
    FileRenamed,
    FileRead,
    RegistrySet,
    RegistryDeleted,
    RegistryChanged,
    Connected,
    ConnectionFailed,
    Accepted,
    Listened,
    Resolved,
    Requested,
    LoggedOn,
    LogOnFailed,
    LoggedOff,
    Loaded,
    DriverLoaded,
    TaskChanged,
    TaskStarted,
    ScriptRan,
    Other,
}

impl Verb {
    pub fn text(self) -> Text {
        match self {
            Self::Started => Text::new("プロセスを起動", "Started a process"),
            Self::Ended => Text::new("プロセスが終了", "Process ended"),
            Self::Reached => Text::new("他プロセスへアクセス", "Reached into a process"),
            Self::Indicated => Text::new("センサーの検知指標", "Sensor's indicator"),
            Self::FileCreated => Text::new("ファイルを作成", "Created a file"),
            Self::FileModified => Text::new("ファイルを変更", "Modified a file"),
            Self::FileDeleted => Text::new("ファイルを削除", "Deleted a file"),
            Self::FileRenamed => Text::new("ファイル名を変更", "Renamed a file"),
            Self::FileRead => Text::new("ファイルを読み取り", "Read a file"),
            Self::RegistrySet => Text::new("レジストリに書き込み", "Wrote to the registry"),
            Self::RegistryDeleted => Text::new("レジストリから削除", "Deleted from the registry"),
            Self::RegistryChanged => Text::new("レジストリを操作", "Changed the registry"),
            Self::Connected => Text::new("外向きに接続", "Connected to"),
            Self::ConnectionFailed => Text::new("接続に失敗", "Failed to connect to"),
            Self::Accepted => Text::new("接続を受け付け", "Accepted a connection from"),
            Self::Listened => Text::new("待ち受けを開始", "Listened on"),
            Self::Resolved => Text::new("名前を解決", "Resolved a name"),
            Self::Requested => Text::new("URLへアクセス", "Requested a URL"),
            Self::LoggedOn => Text::new("ログオン", "Logged on"),
            Self::LogOnFailed => Text::new("ログオンに失敗", "Failed to log on"),
            Self::LoggedOff => Text::new("ログオフ", "Logged off"),
            Self::Loaded => Text::new("モジュールを読み込み", "Loaded a module"),
            Self::DriverLoaded => Text::new("ドライバーを読み込み", "Loaded a driver"),
            Self::TaskChanged => Text::new("タスクを登録・変更", "Registered or changed a task"),
            Self::TaskStarted => Text::new("タスクを実行", "Ran a task"),
            Self::ScriptRan => Text::new("スクリプトを実行", "Ran a script"),
            Self::Other => Text::new("その他の記録", "Other record"),
        }
    }
}

/// What a record says in one line: verb and object.
pub(crate) fn told(record: &Record) -> (Verb, Untrusted) {
    let process = |p: &crate::telemetry::Process| {
        [&p.command_line, &p.image, &p.name].into_iter().flatten().next().cloned().unwrap_or_default()
    };
    match &record.what {
        What::ProcessStarted(started) => (Verb::Started, process(started)),
        What::ProcessEnded => (Verb::Ended, process(&record.process)),
        What::ProcessReached { target, how } => (
            Verb::Reached,
            join(target.image.as_ref().or(target.name.as_ref()).map_or("", Untrusted::for_matching), " · ", how),
        ),
        What::File { change, path, old_path, .. } => match (change, old_path) {
            (FileChange::Renamed, Some(old)) => (Verb::FileRenamed, join(old.for_matching(), " → ", path)),
            (FileChange::Renamed, None) => (Verb::FileRenamed, path.clone()),
            (FileChange::Created, _) => (Verb::FileCreated, path.clone()),
            (FileChange::Modified, _) => (Verb::FileModified, path.clone()),
            (FileChange::Deleted, _) => (Verb::FileDeleted, path.clone()),
            (FileChange::Read, _) => (Verb::FileRead, path.clone()),
        },
        What::Registry { change, key, value, data } => {
            let verb = match change {
                RegistryChange::ValueSet | RegistryChange::KeyCreated => Verb::RegistrySet,
                RegistryChange::KeyDeleted | RegistryChange::ValueDeleted => Verb::RegistryDeleted,
                RegistryChange::KeyRenamed | RegistryChange::Other => Verb::RegistryChanged,
            };
            let named = value.as_ref().map_or_else(|| key.clone(), |v| join(key.for_matching(), "\\", v));
            (verb, data.as_ref().map_or_else(|| named.clone(), |d| join(named.for_matching(), " = ", d)))
        }
        What::Network(network) => {
            let far = |address: Option<IpAddr>, port: Option<u16>| match (address, port) {
                (Some(IpAddr::V6(a)), Some(p)) => Untrusted::new(&format!("[{a}]:{p}")),
                (Some(a), Some(p)) => Untrusted::new(&format!("{a}:{p}")),
                (Some(a), None) => Untrusted::new(&a.to_string()),
                (None, Some(p)) => Untrusted::new(&format!(":{p}")),
                (None, None) => Untrusted::default(),
            };
            match network.direction {
                Direction::Listening => (Verb::Listened, far(network.source, network.source_port)),
                // The far side's own port is chance, so that repeats of one caller fold.
                Direction::Incoming => (Verb::Accepted, far(network.source, None)),
                Direction::Outgoing | Direction::Unknown => {
                    let verb = if network.succeeded == Some(false) { Verb::ConnectionFailed } else { Verb::Connected };
                    (verb, far(network.destination, network.destination_port))
                }
            }
        }
        What::Dns { name, .. } => (Verb::Resolved, name.clone()),
        What::Http { url, .. } => (Verb::Requested, url.clone()),
        What::LogOn(log_on) => told_of_log_on(log_on),
        What::Module { path, driver, .. } => (if *driver { Verb::DriverLoaded } else { Verb::Loaded }, path.clone()),
        What::ScheduledTask { change, name, .. } => {
            (if *change == TaskChange::Started { Verb::TaskStarted } else { Verb::TaskChanged }, name.clone())
        }
        What::Indicator { name, .. } => (Verb::Indicated, name.clone()),
        What::Script { content } => (Verb::ScriptRan, content.clone()),
        What::Other { kind, detail } => {
            (Verb::Other, detail.as_ref().map_or_else(|| kind.clone(), |d| join(kind.for_matching(), ": ", d)))
        }
    }
}

fn told_of_log_on(log_on: &LogOn) -> (Verb, Untrusted) {
    let verb = match log_on {
        LogOn { log_off: true, .. } => Verb::LoggedOff,
        LogOn { succeeded: Some(false), .. } => Verb::LogOnFailed,
        _ => Verb::LoggedOn,
    };
    let parts = [
        log_on.user.as_ref().map(|u| u.for_matching().to_owned()),
        log_on.kind.as_ref().map(|k| k.for_matching().to_owned()),
        log_on.source.map(|s| s.to_string()),
    ];
    (verb, Untrusted::new(&parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")))
}

fn join(before: &str, between: &str, after: &Untrusted) -> Untrusted {
    Untrusted::new(&format!("{before}{between}{}", after.for_matching()))
}

/// How much an analyst wants to see it, 0 to 3.
pub(super) fn tells(record: &Record) -> u8 {
    match &record.what {
        What::Indicator { .. } | What::ProcessReached { .. } => 3,
        What::ScheduledTask { .. } => 2,
        What::Module { driver: true, .. } => 3,
        What::ProcessStarted(_) | What::Script { .. } | What::Http { .. } => 2,
        What::File { change, path, .. } => {
            let path = path.for_matching().to_lowercase();
            let changed = *change != FileChange::Read;
            let runs = RUNS.iter().any(|ending| path.ends_with(ending));
            let starts = STARTS.iter().any(|place| path.contains(place));
            let secret = SECRETS.iter().any(|secret| path.contains(secret));
            if changed && starts || secret { 3 } else { u8::from(changed) * (1 + u8::from(runs)) }
        }
        What::Registry { change, key, .. } => {
            let key = key.for_matching().to_lowercase();
            let starts = REGISTRY_STARTS.iter().any(|place| key.contains(place));
            if starts { 3 } else { u8::from(*change == RegistryChange::ValueSet) }
        }
        What::Network(network) => {
            let outside = network.destination.is_some_and(is_outside);
            match (network.direction, outside) {
                (Direction::Outgoing | Direction::Unknown, true) => 2,
                (Direction::Listening, _) => 1,
                _ => u8::from(network.destination_port.is_some_and(|port| LATERAL_PORTS.contains(&port))) * 2,
            }
        }
        What::Dns { name, .. } => u8::from(name.for_matching().contains('.')),
        What::LogOn(log_on) => {
            if log_on.source.is_some_and(|s| !s.is_loopback()) {
                3
            } else {
                1
            }
        }
        What::Module { .. } | What::ProcessEnded | What::Other { .. } => 0,
    }
}

const RUNS: [&str; 18] = [
    ".exe", ".dll", ".sys", ".scr", ".ps1", ".bat", ".cmd", ".vbs", ".js", ".hta", ".lnk", ".msi", ".jar", ".sh",
    ".py", ".so", ".dylib", ".iso",
];
const STARTS: [&str; 9] = [
    "\\start menu\\programs\\startup\\",
    "\\system32\\tasks\\",
    "/launchagents/",
    "/launchdaemons/",
    "/etc/cron",
    "/etc/systemd/",
    "/etc/rc",
    "/etc/profile",
    "/.ssh/authorized_keys",
];
const SECRETS: [&str; 8] =
    ["\\config\\sam", "\\config\\security", "ntds.dit", "lsass", "login data", "/etc/shadow", "\\keepass", "/.aws/"];
const REGISTRY_STARTS: [&str; 8] = [
    "\\currentversion\\run",
    "\\services\\",
    "\\winlogon",
    "\\image file execution options\\",
    "\\appinit_dlls",
    "\\windows defender",
    "\\control\\lsa",
    "\\inprocserver32",
];
/// SMB, RPC, RDP, WinRM, SSH.
const LATERAL_PORTS: [u16; 6] = [22, 135, 445, 3389, 5985, 5986];

/// Whether an address can be reached over the internet.
pub(super) fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_unspecified()
                || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_unique_local()
                || v6.is_multicast()
                || v6.is_unspecified())
        }
    }
}

/// Counts the deeds of one process while records go by.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<Verb, HashMap<Untrusted, Line>>);

#[derive(Debug)]
struct Line {
    record: usize,
    tells: u8,
    times: u32,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Ledger {
    pub(super) fn enter(&mut self, index: usize, record: &Record) {
        let (verb, object) = told(record);
        let line = self.0.entry(verb).or_default().entry(object).or_insert_with(|| Line {
            record: index,
            tells: tells(record),
            times: 0,
            first: None,
            last: None,
        });
        line.times = line.times.saturating_add(1);
        line.tells = line.tells.max(tells(record));
        if let Some(at) = record.at {
            line.first = Some(line.first.map_or(at, |first| first.min(at)));
            line.last = Some(line.last.map_or(at, |last| last.max(at)));
        }
    }

    pub(super) fn deeds(self, records: &[Record]) -> Vec<Deeds> {
        self.0
            .into_iter()
            .map(|(verb, lines)| {
                let count = lines.values().fold(0_u32, |sum, line| sum.saturating_add(line.times));
                let distinct = u32::try_from(lines.len()).unwrap_or(u32::MAX);
                let mut lines: Vec<(Untrusted, Line)> = lines.into_iter().collect();
                lines.sort_by_key(|(_, l)| (Reverse(l.tells), l.first.is_none(), l.first, l.record));
                lines.truncate(MAX_TELLING);
                let telling = lines.into_iter().map(|(object, l)| Deed {
                    verb,
                    object,
                    record: l.record,
                    id: records[l.record].id.clone(),
                    times: l.times,
                    first: l.first,
                    last: l.last,
                });
                Deeds { verb, count, distinct, telling: telling.collect() }
            })
            .collect()
    }
}
