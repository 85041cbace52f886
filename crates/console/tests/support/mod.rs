//! A SOC in a box for tests and for looking at the pages: real store, real engine, time by hand, alerts made to measure.

#![allow(dead_code, clippy::unwrap_used, reason = "each user takes what it needs, and a test that cannot go on stops")]

pub mod browser;
pub mod gathered;
pub mod markup;
pub mod payloads;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use console::{App, Link, Settings};
use domain::alert::{
    Alert, Classification, Confidence, ConsoleState, Detection, Engine as DetectionEngine, File, Hash, Indicator,
    Initiator, Kind, Mitigation, MitigationAction, MitigationOutcome, MitigationState, MitigationStep, Process,
    Reputation, Signature, Source,
};
use domain::attack::Technique;
use domain::calendar::Calendar;
use domain::endpoint::{Endpoint, Machine, Network, Os};
use domain::oncall::Roster;
use domain::source::{Entropy, TimeSource};
use domain::tenant::{Contact, Email, Names, ResponsePolicy, Tenant};
use domain::{AgentId, AlertId, IncidentId, Language, PersonId, TenantId, Timestamp, Untrusted};
use engine::{Engine, Incoming};
use jiff::SignedDuration;
use store::{AccountRole, Person, Scope, Store};

pub const PASSWORD: &str = "correct horse battery staple";
pub const ORIGIN: &str = "http://127.0.0.1:8080";

/// Time that moves only when told to.
#[derive(Debug)]
pub struct ManualTime(Mutex<Timestamp>);

impl ManualTime {
    pub fn at(text: &str) -> Self {
        Self(Mutex::new(text.parse().expect("a timestamp")))
    }

    pub fn pass(&self, span: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now += span;
    }
}

impl TimeSource for ManualTime {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Bytes that never repeat and that everybody could guess: for tests only.
#[derive(Debug, Default)]
pub struct Counting(AtomicU64);

impl Entropy for Counting {
    fn bytes(&self) -> [u8; 32] {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        bytes
    }
}

pub struct Soc {
    pub app: App,
    pub router: axum::Router,
    pub engine: Engine,
    pub time: Arc<ManualTime>,
    pub entropy: Arc<Counting>,
    pub directory: tempfile::TempDir,
}

impl Soc {
    /// Three customers with a person at two of them, and staff of every role. It is Tuesday 24 November 2026, 10:00 in Japan.
    pub async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}/console.db", directory.path().display())).await.unwrap();
        let engine = Engine::with_roster(store, tenants(), Calendar::japan(), roster());
        let time = Arc::new(ManualTime::at("2026-11-24T01:00:00Z"));
        let entropy = Arc::new(Counting::default());
        let app = App::new(engine.clone(), time.clone(), entropy.clone(), settings()).unwrap();
        let soc = Self { router: app.router(), app, engine, time, entropy, directory };
        let password = console::password::hash(PASSWORD, &*soc.entropy);
        for person in staff(&password) {
            soc.engine.store().save_person(&person).await.unwrap();
        }
        soc
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Every loop reports as if all were at work.
    pub async fn beat(&self) {
        for one in self.engine.health(self.now()).await.unwrap().loops {
            let name = one.name;
            let every = std::time::Duration::from_secs(15);
            let beat = store::Heartbeat { name, started_at: self.now(), at: self.now(), every };
            self.engine.store().beat(&beat).await.unwrap();
        }
    }

    /// Takes one alert in and says which incident it is in.
    pub async fn raise(&self, tenant: &str, alert: Alert) -> IncidentId {
        let raw = raw(&alert);
        let incoming = [Incoming { alert, raw }];
        let taken = self.engine.take_in(&id(tenant), &incoming, &[], None, self.now()).await.unwrap();
        *taken.opened.first().or(taken.joined.first()).expect("an incident")
    }
}

/// Sato by day at Sapporo, Mori in the evening at Fukuoka, Smith as the lead and for an hour at night in Tokyo.
pub fn roster() -> Roster {
    let on_call = |who: &str| serde_json::json!({ "person": who, "email": format!("{who}@soc.example") });
    let site = |id: &str, ja: &str, en: &str, from: &str, to: &str, who: &str| {
        let shift = serde_json::json!({ "from": from, "to": to, "people": [on_call(who)] });
        serde_json::json!({ "id": id, "name": { "ja": ja, "en": en }, "shift": [shift] })
    };
    let sites = [
        site("sapporo", "札幌", "Sapporo", "09:00:00", "18:00:00", "sato"),
        site("fukuoka", "福岡", "Fukuoka", "17:00:00", "01:00:00", "mori"),
        site("tokyo", "東京", "Tokyo", "03:00:00", "04:00:00", "smith"),
    ];
    serde_json::from_value(serde_json::json!({ "site": sites, "lead": [on_call("smith")] })).unwrap()
}

pub fn id(tenant: &str) -> TenantId {
    tenant.parse().unwrap()
}

pub fn person(name: &str) -> PersonId {
    name.parse().unwrap()
}

pub fn settings() -> Settings {
    Settings {
        public_origin: ORIGIN.into(),
        secure_cookies: false,
        provider: names("櫓セキュリティ株式会社", "Yagura Security K.K."),
        contact: Some(names("SOC 窓口", "SOC desk")),
        links: vec![Link {
            name: names("デモのメールボックス", "Demo mailbox"), url: "http://127.0.0.1:8025/".into()
        }],
    }
}

pub fn names(ja: &str, en: &str) -> Names {
    Names { ja: ja.into(), en: en.into() }
}

pub fn tenants() -> Vec<Tenant> {
    let tenant = |id_: &str, name, languages, isolate_vip| Tenant {
        id: id(id_),
        name,
        languages,
        contacts: vec![Contact {
            email: Email::try_from(format!("security@{id_}.example")).unwrap(),
            department: Some(names("情報システム部", "IT Department")),
            title: None,
            name: names("山本 花子", "Hanako Yamamoto"),
        }],
        slack_channel: None,
        connected: true,
        policy: ResponsePolicy { isolate_vip_workstations: isolate_vip, ..ResponsePolicy::default() },
        service_levels: domain::clock::ServiceLevels::default(),
        rollouts: Vec::new(),
    };
    vec![
        tenant("sakura", names("さくら製作所", "Sakura Works"), vec![Language::Ja], false),
        tenant("northwind", names("ノースウィンド商事", "Northwind Trading"), vec![Language::En], false),
        tenant("minato", names("みなと物流", "Minato Logistics"), vec![Language::Ja, Language::En], true),
    ]
}

pub fn staff(password: &str) -> Vec<Person> {
    let person = |id: &str, name: &str, role, scope, language| Person {
        id: id.parse().unwrap(),
        name: name.into(),
        role,
        scope,
        language,
        password: password.into(),
        disabled: false,
    };
    vec![
        person("sato", "佐藤 健", AccountRole::Analyst, Scope::All, Language::Ja),
        person("mori", "森 由紀", AccountRole::Analyst, Scope::Only(vec![id("sakura")]), Language::Ja),
        person("smith", "Alex Smith", AccountRole::Manager, Scope::All, Language::En),
        person("ops", "運用 太郎", AccountRole::Operator, Scope::All, Language::Ja),
        person("hanako", "山本 花子", AccountRole::Customer, Scope::Only(vec![id("sakura")]), Language::Ja),
        person("jones", "Bronwen Jones", AccountRole::Customer, Scope::Only(vec![id("northwind")]), Language::En),
    ]
}

fn text(text: &str) -> Untrusted {
    Untrusted::new(text)
}

/// A static detection of an unknown file on a workstation: everything else starts from it.
pub fn unknown_file(n: u32, host: &str, at: Timestamp) -> Alert {
    Alert {
        id: AlertId::new(&format!("20{n:017}")).unwrap(),
        source: Source::Threat,
        version: at,
        detected_at: at - SignedDuration::from_secs(41),
        created_at: at - SignedDuration::from_secs(38),
        name: text("setup_helper.exe"),
        endpoint: Endpoint {
            agent: AgentId::new(&format!("agent-{host}")).unwrap(),
            name: text(host),
            domain: Some(text("CORP")),
            os: Os::Windows,
            os_name: Some(text("Windows 11 Pro")),
            machine: Machine::Laptop,
            group: Some(text("Default Group")),
            site: Some(text("Head Office")),
            last_user: Some(text("CORP\\h.tanaka")),
            addresses: vec![text("10.20.4.17")],
            agent_version: Some(text("24.2.3.471")),
            network: Network::Connected,
            online: Some(true),
        },
        file: File {
            path: Some(text("C:\\Users\\h.tanaka\\Downloads\\setup_helper.exe")),
            size_bytes: Some(482_304),
            sha1: Hash::parse(&format!("{:040x}", 0xabcd_0000_u64 + u64::from(n))),
            sha256: Hash::parse(&format!("{:064x}", 0x9f3c_0000_u64 + u64::from(n))),
            md5: None,
            signature: Signature::NotSigned,
        },
        process: Process::default(),
        detection: Detection {
            kind: Kind::Static,
            engines: vec![DetectionEngine::StaticSuspicious],
            confidence: Confidence::Suspicious,
            classification: Classification::Unknown,
            initiated_by: Initiator::AgentPolicy,
            reputation: Reputation::NotKnown,
            ..Detection::default()
        },
        mitigation: Mitigation {
            state: MitigationState::Mitigated,
            preemptive: true,
            steps: vec![step(MitigationAction::Quarantine, MitigationOutcome::Success, at)],
        },
        console: ConsoleState::default(),
        storyline: Some(text(&format!("5D1A0C{n:06X}"))),
    }
}

/// Ransomware at work: files renamed, shadow copies gone, nothing stopped yet.
pub fn ransomware(n: u32, host: &str, at: Timestamp) -> Alert {
    behaving(
        Alert { name: text("locker64.exe"), ..unknown_file(n, host, at) },
        Classification::Ransomware,
        &[
            ("T1486", "Impact", "Renamed and encrypted a large number of files in a short time"),
            ("T1490", "Impact", "Deleted volume shadow copies with vssadmin.exe"),
            ("T1059.001", "Execution", "Started a hidden PowerShell with an encoded command"),
        ],
        "powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkA",
    )
}

/// A macro that fetched something, stopped by the sensor.
pub fn document(n: u32, host: &str, at: Timestamp) -> Alert {
    let alert = behaving(
        Alert { name: text("請求書_2026年11月分(最終版).xlsm"), ..unknown_file(n, host, at) },
        Classification::Downloader,
        &[
            ("T1566.001", "InitialAccess", "An office document started a script interpreter"),
            ("T1204.002", "Execution", "The user opened a document that carries macros"),
        ],
        "\"C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE\" \"C:\\Users\\h.tanaka\\AppData\\Local\\Temp\\請求書_2026年11月分(最終版).xlsm\"",
    );
    mitigated(alert, at)
}

/// An administrator's tool that attackers like, too.
pub fn admin_tool(n: u32, host: &str, at: Timestamp) -> Alert {
    let mut alert = unknown_file(n, host, at);
    alert.name = text("PsExec64.exe");
    alert.detection.classification = Classification::HackTool;
    alert.detection.kind = Kind::Static;
    alert.process.command_line = Some(text("PsExec64.exe \\\\fs-02 -s cmd.exe"));
    alert.file.signature = Signature::Valid { publisher: Some(text("Microsoft Corporation")) };
    alert.mitigation = Mitigation { state: MitigationState::NotMitigated, ..Mitigation::default() };
    alert
}

pub fn unwanted(n: u32, host: &str, at: Timestamp) -> Alert {
    let mut alert = unknown_file(n, host, at);
    alert.name = text("FreeCouponBar.dll");
    alert.detection.classification = Classification::PotentiallyUnwanted;
    alert.detection.engines = vec![DetectionEngine::PotentiallyUnwanted];
    alert
}

/// Hostile in every field that a person will read.
pub fn hostile(n: u32, host: &str, at: Timestamp) -> Alert {
    let mut alert = unknown_file(n, host, at);
    alert.name = text("<script>alert(1)</script>\"><img src=x onerror=alert(1)>\u{202e}fdp.exe");
    alert.endpoint.name = text("WS\"><img src=x onerror=alert(2)>");
    alert.endpoint.last_user = Some(text("'><svg/onload=alert(3)>"));
    alert.file.path = Some(text("C:\\<img src=x onerror=alert(4)>\u{0}\u{202e}"));
    alert.process.command_line = Some(text("cmd /c \"echo </pre><script>alert(5)</script>\""));
    alert.endpoint.group = Some(text("{{7*7}}<b onmouseover=alert(6)>"));
    alert
}

pub fn mitigated(mut alert: Alert, at: Timestamp) -> Alert {
    alert.mitigation = Mitigation {
        state: MitigationState::Mitigated,
        preemptive: false,
        steps: vec![
            step(MitigationAction::Kill, MitigationOutcome::Success, at),
            step(MitigationAction::Quarantine, MitigationOutcome::Success, at),
        ],
    };
    alert
}

fn step(action: MitigationAction, outcome: MitigationOutcome, at: Timestamp) -> MitigationStep {
    MitigationStep { action, outcome, at: Some(at - SignedDuration::from_secs(40)) }
}

pub fn behaving(mut alert: Alert, class: Classification, signs: &[(&str, &str, &str)], command_line: &str) -> Alert {
    let techniques: Vec<Technique> = signs.iter().map(|(t, ..)| t.parse().unwrap()).collect();
    alert.detection = Detection {
        kind: Kind::Behavioural,
        engines: vec![DetectionEngine::Behavioural],
        confidence: Confidence::Malicious,
        classification: class,
        techniques,
        indicators: signs
            .iter()
            .map(|(technique, category, description)| Indicator {
                category: Some(text(category)),
                description: text(description),
                techniques: vec![technique.parse().unwrap()],
            })
            .collect(),
        reputation: Reputation::KnownMalicious,
        initiated_by: Initiator::AgentPolicy,
        indicators_left_out: 0,
    };
    alert.process = Process {
        user: Some(text("CORP\\h.tanaka")),
        originator: Some(text("explorer.exe")),
        command_line: Some(text(command_line)),
    };
    alert.mitigation = Mitigation { state: MitigationState::NotMitigated, ..Mitigation::default() };
    alert
}

/// A record in the shape of the console's, for the evidence view.
fn raw(alert: &Alert) -> String {
    serde_json::json!({
        "id": alert.id.as_str(),
        "agentRealtimeInfo": { "agentComputerName": alert.endpoint.name, "agentMachineType": "laptop" },
        "threatInfo": {
            "threatName": alert.name, "filePath": alert.file.path, "sha256": alert.file.sha256,
            "maliciousProcessArguments": alert.process.command_line, "mitigationStatus": "not_mitigated",
            "identifiedAt": alert.detected_at.to_string(), "createdAt": alert.created_at.to_string(),
        },
        "indicators": alert.detection.indicators,
    })
    .to_string()
}
