//! Incidents for the tests of this crate, brought about through the domain's own commands.

use domain::Language;
use domain::action::Proof;
use domain::alert::{
    Alert, Classification, Confidence, ConsoleState, Detection, Engine, File, Hash, Initiator, Kind, Mitigation,
    MitigationState, Process, Reputation, Signature, Source,
};
use domain::attack::Technique;
use domain::calendar::Calendar;
use domain::endpoint::{Endpoint, Machine, Network, Os};
use domain::incident::{Command, Context, Incident, SendAnswer, Visibility};
use domain::notice::Facts;
use domain::oncall::{NOBODY, OnCall, Roster};
use domain::rules::RuleId;
use domain::tenant::{Email, Names, Tenant};
use domain::{ActionId, AgentId, AlertId, IncidentId, NoticeId, PersonId, Priority, Timestamp, Untrusted, Verdict};
use jiff::ToSpan;

use crate::{Sender, Telephone};

/// A Tuesday, 09:15 in Japan.
pub(crate) const RECEIVED: &str = "2026-11-24T00:15:30Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn sender() -> Sender {
    Sender {
        name: Names { ja: "ヤグラ監視センター".into(), en: "Yagura Watch Centre".into() },
        address: email("soc@soc.example"),
        telephone: Some(Telephone::try_from("+81-3-0000-0119".to_owned()).unwrap()),
        pages: Some("https://soc.example".into()),
    }
}

pub(crate) fn email(text: &str) -> Email {
    Email::try_from(text.to_owned()).unwrap()
}

/// As a configuration file would say it.
pub(crate) fn tenant() -> Tenant {
    let tenant = serde_json::json!({
        "id": "acme",
        "name": { "ja": "株式会社アクメ製作所", "en": "Acme Works, Ltd." },
        "languages": ["ja", "en"],
        "contacts": [
            {
                "email": "yamada@acme.example",
                "department": { "ja": "情報システム部", "en": "Information Systems" },
                "title": { "ja": "課長", "en": "Manager" },
                "name": { "ja": "山田 太郎", "en": "Taro Yamada" },
            },
            { "email": "csirt@acme.example", "name": { "ja": "CSIRT 各位", "en": "CSIRT" } },
        ],
    });
    serde_json::from_value(tenant).unwrap()
}

/// An incident and its tenant, moved on by commands.
pub(crate) struct Story {
    pub(crate) tenant: Tenant,
    pub(crate) incident: Incident,
    now: Timestamp,
    calendar: Calendar,
    roster: Roster,
}

impl Story {
    pub(crate) fn begin(alert: Alert) -> Self {
        Self::begin_for(tenant(), alert)
    }

    pub(crate) fn begin_for(tenant: Tenant, alert: Alert) -> Self {
        let (now, calendar) = (at(RECEIVED), Calendar::japan());
        let id = IncidentId { year: 2026, number: 123 };
        let (incident, _) = Incident::open(
            id,
            alert,
            None,
            vec![],
            Context { tenant: &tenant, roster: &NOBODY, calendar: &calendar, now },
        );
        Self { tenant, incident, now, calendar, roster: Roster::default() }
    }

    /// A minute later.
    pub(crate) fn then(mut self, command: Command) -> Self {
        self.now += 1.minute();
        let context = Context { tenant: &self.tenant, roster: &self.roster, calendar: &self.calendar, now: self.now };
        for recorded in self.incident.decide(command, context).unwrap() {
            self.incident.apply(&recorded);
        }
        self
    }

    pub(crate) fn ask(self) -> Self {
        self.then(Command::Ask { by: analyst(), addition: None })
    }

    pub(crate) fn wait(mut self, hours: i64) -> Self {
        self.now += hours.hours();
        self
    }

    /// Two of the three actions against ransomware verified, one refused by the console.
    pub(crate) fn contained(self) -> Self {
        self.then(Command::ConfirmAction { action: ActionId(1), how: Proof::AlreadySo })
            .verify(3)
            .note("共有フォルダ「営業資料」への書き込みを調査中です。\n対象者様への聞き取りを先行してお願いする場合がございます。")
            .then(Command::RefuseAction { action: ActionId(2), why: Untrusted::new("the file is in use by another process") })
    }

    fn send(self, action: u32) -> Self {
        let (action, sent_at) = (ActionId(action), self.now);
        self.then(Command::IntendAction { action }).then(Command::ReportSend {
            action,
            sent_at,
            answer: SendAnswer::Accepted,
        })
    }

    fn verify(self, action: u32) -> Self {
        self.send(action).then(Command::ConfirmAction { action: ActionId(action), how: Proof::ReadBack })
    }

    pub(crate) fn verdict(self, verdict: Verdict, reason: &str) -> Self {
        self.then(Command::GiveVerdict { by: analyst(), verdict, reason: Untrusted::new(reason) })
    }

    /// Every route takes every notice.
    fn accepted(self) -> Self {
        let notices = self.incident.notices.values();
        let all: Vec<_> = notices.flat_map(|n| n.deliveries.keys().map(move |route| (n.id, *route))).collect();
        all.into_iter().fold(self, |story, (notice, route)| {
            let (reference, accepted_at) = ("m@soc.example".to_owned(), story.now);
            story.then(Command::ConfirmNotice { notice, route, reference, accepted_at })
        })
    }

    /// Lets the next deadline come.
    fn alarm(mut self) -> Self {
        self.now = self.incident.next_alarm().unwrap() - 1.minute();
        self.then(Command::LetTimePass)
    }

    /// A note for the customer.
    pub(crate) fn note(self, text: &str) -> Self {
        let (by, text) = (analyst(), Untrusted::new(text));
        // The domain refuses an empty one.
        if text.for_matching().trim().is_empty() {
            return self;
        }
        self.then(Command::AddNote { by, visibility: Visibility::Customer, text })
    }

    /// Of the newest notice.
    pub(crate) fn facts(&self) -> Facts<'_> {
        let newest = self.incident.notices.keys().last().copied().unwrap_or(NoticeId(1));
        Facts::of(&self.incident, &self.tenant, newest).unwrap()
    }
}

fn analyst() -> PersonId {
    PersonId::new("sato").unwrap()
}

/// Ransomware on a workstation: all three automatic actions decided, one of them already on its way.
pub(crate) fn ransomware() -> Story {
    let story = Story::begin(alert());
    assert_eq!((story.incident.priority(), story.incident.actions.len()), (Priority::P0, 3));
    story.send(1)
}

/// The same once the actions have ended.
pub(crate) fn ransomware_contained() -> Story {
    ransomware().contained()
}

/// Ransomware with its verdict.
pub(crate) fn ransomware_answered() -> Story {
    ransomware_contained().verdict(
        Verdict::TruePositive,
        "シャドウコピーの削除と、短時間での大量のファイル名変更を確認しました。\n\
         実行ファイルの入手元は http://files.evil.example/update.exe（198.51.100.23）です。",
    )
}

/// Ransomware on one endpoint after the other, the last of them with another program.
pub(crate) fn ransomware_on(hosts: u32) -> Story {
    (1..hosts).fold(ransomware(), |story, n| {
        let mut alert = alert();
        alert.id = AlertId::new(&format!("22456378490123456{n}")).unwrap();
        alert.endpoint.agent = AgentId::new(&format!("150000000000000000{n}")).unwrap();
        alert.endpoint.name = Untrusted::new(&format!("WS-2{n}"));
        if n + 1 == hosts {
            alert.file.sha1 = Hash::parse("a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9");
        }
        story.then(Command::TakeAlert { alert: Box::new(alert), rule: RuleId::R18, grounds: vec![] })
    })
}

/// A file that only looks bad, already quarantined: its owner has to be asked.
pub(crate) fn unknown_file() -> Story {
    Story::begin(static_alert())
}

pub(crate) fn unknown_file_asked() -> Story {
    unknown_file().then(Command::Ask {
        by: analyst(),
        addition: Some(Untrusted::new(
            "ファイル名 pdf-tools.zip は、貴社の購買部門で配布された実績がございますか。\n配布元が https://tools.example/dl の場合はその旨もお知らせください。",
        )),
    })
}

pub(crate) fn unknown_file_false_positive() -> Story {
    unknown_file_asked()
        .verdict(Verdict::FalsePositive, "お客様が業務で使用している帳票ツールであり、配布元と署名者を確認しました。")
}

pub(crate) fn unknown_file_suspicious() -> Story {
    unknown_file_asked().verdict(Verdict::Suspicious, "配布元を確認できず、業務上の必要性も認められないため。")
}

pub(crate) fn alert() -> Alert {
    Alert {
        id: AlertId::new("2245637849012345678").unwrap(),
        source: Source::Threat,
        version: at("2026-11-24T00:15:10Z"),
        detected_at: at("2026-11-24T00:15:02Z"),
        created_at: at("2026-11-24T00:15:05Z"),
        name: Untrusted::new("update.exe"),
        endpoint: Endpoint {
            agent: AgentId::new("1400000000000000017").unwrap(),
            name: Untrusted::new("WS-17"),
            domain: Some(Untrusted::new("ACME")),
            os: Os::Windows,
            os_name: Some(Untrusted::new("Windows 11 Pro")),
            machine: Machine::Laptop,
            group: Some(Untrusted::new("Sales")),
            site: Some(Untrusted::new("Acme")),
            last_user: Some(Untrusted::new("hanako.suzuki")),
            addresses: vec![Untrusted::new("10.20.30.17")],
            agent_version: Some(Untrusted::new("24.2.3.471")),
            network: Network::Connected,
            online: Some(true),
        },
        file: File {
            path: Some(Untrusted::new("\\Device\\HarddiskVolume3\\Users\\hanako.suzuki\\Downloads\\update.exe")),
            size_bytes: Some(1_482_240),
            sha1: Hash::parse("8f3b1c0f6a5e4d3c2b1a09f8e7d6c5b4a3928170"),
            sha256: None,
            md5: None,
            signature: Signature::NotSigned,
        },
        process: Process {
            user: Some(Untrusted::new("ACME\\hanako.suzuki")),
            originator: Some(Untrusted::new("explorer.exe")),
            command_line: Some(Untrusted::new("update.exe /q")),
        },
        detection: Detection {
            kind: Kind::Behavioural,
            engines: vec![Engine::Behavioural],
            confidence: Confidence::Malicious,
            classification: Classification::Ransomware,
            initiated_by: Initiator::AgentPolicy,
            techniques: vec![Technique::new(1486), Technique::new(1490)],
            indicators: vec![],
            indicators_left_out: 0,
            reputation: Reputation::NotKnown,
        },
        mitigation: Mitigation { state: MitigationState::NotMitigated, preemptive: false, steps: vec![] },
        console: ConsoleState::default(),
        storyline: Some(Untrusted::new("A1B2C3D4E5F60718")),
    }
}

fn static_alert() -> Alert {
    let mut alert = alert();
    alert.name = Untrusted::new("pdf-tools.zip");
    alert.endpoint.name = Untrusted::new("WS-42");
    alert.file.path = Some(Untrusted::new("\\Device\\HarddiskVolume3\\Users\\ken.ito\\Downloads\\pdf-tools.zip"));
    alert.file.sha256 = Hash::parse("5b1e0a9c7f3d2846b0c4e8a1d6f2937585ce41a07d9b3f62e8147ac05d93b6f1");
    alert.process = Process { user: Some(Untrusted::new("ACME\\ken.ito")), ..Process::default() };
    alert.detection = Detection {
        kind: Kind::Static,
        engines: vec![Engine::StaticSuspicious],
        confidence: Confidence::Suspicious,
        classification: Classification::Malware,
        initiated_by: Initiator::AgentPolicy,
        reputation: Reputation::NotKnown,
        ..Detection::default()
    };
    alert.mitigation = Mitigation { state: MitigationState::Mitigated, preemptive: true, steps: vec![] };
    alert
}

/// Asked, and 24 hours later not answered.
pub(crate) fn unknown_file_reminded() -> Story {
    unknown_file_asked().accepted().alarm()
}

/// Never answered.
pub(crate) fn unknown_file_unanswered() -> Story {
    unknown_file_reminded().accepted().alarm().accepted().alarm().accepted().alarm()
}

pub(crate) fn ransomware_presented() -> Story {
    ransomware_contained().then(Command::PresentAnalysis {
        by: analyst(),
        text: Untrusted::new(
            "暗号化は端末内にとどまり、共有フォルダへの書き込みは認められませんでした。\n推奨：該当端末の再イメージ化。",
        ),
    })
}

/// Nobody has taken it for five minutes.
pub(crate) fn ransomware_not_taken() -> Story {
    let mut story = ransomware().accepted();
    let email = email("kudo@soc.example");
    story.roster.leads = vec![OnCall { person: "tokyo.kudo".parse().unwrap(), email, language: Language::Ja }];
    story.alarm()
}

/// Sixty old files found in an hour, all of them quarantined before they ran.
pub(crate) fn first_scan_storm() -> Story {
    let scan = |n: u32| {
        let mut alert = static_alert();
        alert.id = AlertId::new(&format!("99{n}")).unwrap();
        alert.detection.initiated_by = Initiator::FullDiskScan;
        alert.endpoint.site = Some(Untrusted::new("Head office"));
        alert.endpoint.name = Untrusted::new(&format!("PC-{:03}", n % 7));
        alert
    };
    let mut customer = tenant();
    let day = domain::calendar::in_japan(at(RECEIVED)).date();
    customer.rollouts = vec![domain::storm::Rollout { site: "Head office".into(), from: day, to: day }];
    let take = |story: Story, n| {
        let alert = Box::new(scan(n));
        let mut story = story.then(Command::TakeAlert { alert, rule: RuleId::R19, grounds: vec![] });
        story.now -= 1.minute();
        story
    };
    (1..60).fold(Story::begin_for(customer, scan(0)), take)
}
