//! Serves the console with a handful of incidents in several states, to look at the pages while working on them.
//!
//! `cargo run -p console --example preview -- 127.0.0.1:8080` prints one-time sign-in links. Nothing it shows is kept.

#[path = "../tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use domain::action::{Proof, State};
use domain::incident::{Command, SendAnswer, Visibility};
use domain::judgement::Verdict;
use domain::question::Meaning;
use domain::source::TimeSource;
use domain::{IncidentId, Timestamp, Untrusted};
use engine::Engine;
use jiff::SignedDuration;
use support::{Counting, id, person};

/// The real time: the countdowns are to be seen running.
#[derive(Debug)]
struct Clock;

impl TimeSource for Clock {
    #[expect(clippy::disallowed_methods, reason = "the outermost caller of this tool")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // As fine as the store keeps it.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// A customer's incidents, moved along by commands.
struct Scene<'a> {
    engine: &'a Engine,
    now: Timestamp,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let address: SocketAddr =
        std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:8080").parse().expect("an address");
    let directory = tempfile::tempdir().expect("a temporary folder");
    let store =
        store::Store::open(&format!("sqlite:{}/preview.db", directory.path().display())).await.expect("a store");
    // Around the clock, so that there are due times to see at any hour.
    let tenants = support::tenants().into_iter().map(|mut tenant| {
        let levels = &mut tenant.service_levels;
        for promise in [&mut levels.p0, &mut levels.p1, &mut levels.p2, &mut levels.p3] {
            promise.hours = domain::calendar::Hours::Always;
        }
        tenant
    });
    let engine = Engine::with_roster(store, tenants, domain::calendar::Calendar::japan(), support::roster());
    let entropy = Arc::new(Counting::default());
    let password = console::password::hash(support::PASSWORD, &*entropy);
    for person in support::staff(&password) {
        engine.store().save_person(&person).await.expect("a person is saved");
    }
    let now = Clock.now();
    seed(&Scene { engine: &engine, now }).await;

    let settings = console::Settings { public_origin: format!("http://{address}"), ..support::settings() };
    let app = console::App::new(engine.clone(), Arc::new(Clock), entropy.clone(), settings).expect("valid settings");
    for (who, role) in [
        ("sato", "analyst, Japanese"),
        ("smith", "manager, English"),
        ("ops", "operator, Japanese"),
        ("hanako", "customer, Japanese"),
        ("jones", "customer, English"),
    ] {
        for _ in 0..8 {
            let (token, hash) = console::link_token(&*entropy);
            let until = now + SignedDuration::from_hours(12);
            engine.store().save_link(&hash, &person(who), until).await.expect("a link is saved");
            println!("{who} ({role}): http://{address}/sign-in/link/{token}");
        }
    }
    println!("or with a password: sato / {}", support::PASSWORD);
    let listener = tokio::net::TcpListener::bind(address).await.expect("a free address");
    let service = app.router().into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await.expect("the server runs");
}

async fn seed(scene: &Scene<'_>) {
    let ago = |minutes: i64| scene.now - SignedDuration::from_secs(minutes * 60 + 17);

    let p0 = scene.raise("sakura", support::ransomware(1, "WS-017", ago(6)), ago(6)).await;
    scene.act(p0, "sakura", ago(6)).await;
    scene.raise("sakura", support::ransomware(2, "WS-023", ago(4)), ago(4)).await;
    scene.tell(p0, "sakura", ago(4)).await;
    let words = support::gathered::Words::plain();
    support::gathered::gather(scene.engine, &id("sakura"), p0, ago(3), &words).await;

    let late = scene.raise("minato", support::admin_tool(3, "ADM-02", ago(75)), ago(75)).await;
    scene.tell(late, "minato", ago(75)).await;

    let document = scene.raise("sakura", support::document(4, "PC-SALES-08", ago(48)), ago(48)).await;
    scene.tell(document, "sakura", ago(47)).await;
    scene.run(document, "sakura", Command::Acknowledge { by: person("sato") }, ago(41)).await;
    scene
        .note(
            document,
            "sakura",
            "差出人は取引先を装った外部アドレス。\nマクロが外部から取得を試みたが、EDR が停止済み。",
            Visibility::Internal,
            ago(30),
        )
        .await;
    scene
        .note(
            document,
            "sakura",
            "同じ件名のメールを受信した方がいないか確認しています。",
            Visibility::Customer,
            ago(21),
        )
        .await;

    let asked = scene.raise("northwind", support::unknown_file(5, "NW-LT-114", ago(190)), ago(190)).await;
    scene.tell(asked, "northwind", ago(190)).await;
    scene
        .run(
            asked,
            "northwind",
            Command::Ask {
                by: person("smith"),
                addition: Some(Untrusted::new("Was it part of the printer roll-out last Friday?")),
            },
            ago(150),
        )
        .await;
    scene.tell(asked, "northwind", ago(150)).await;

    for (n, minutes) in [(11, 4200), (12, 5000)] {
        let asked =
            scene.raise("sakura", support::unknown_file(n, &format!("PC-KEIRI-{n}"), ago(minutes)), ago(minutes)).await;
        let addition = (n == 11).then(|| Untrusted::new("先週の一斉配布に含まれていましたか。"));
        scene.run(asked, "sakura", Command::Ask { by: person("sato"), addition }, ago(minutes - 20)).await;
        scene.tell(asked, "sakura", ago(minutes - 20)).await;
        scene.run(asked, "sakura", Command::LetTimePass, ago(60)).await;
    }

    waiting(scene, ago).await;

    let server = support::behaving(
        support::unknown_file(6, "FS-02", ago(33)),
        domain::alert::Classification::LateralMovement,
        &[
            ("T1021.002", "LateralMovement", "Wrote to an administrative share of another host"),
            ("T1569.002", "Execution", "Started a service remotely"),
        ],
        "C:\\Windows\\PSEXESVC.exe",
    );
    let server = domain::alert::Alert {
        name: Untrusted::new("PSEXESVC.exe"),
        endpoint: domain::endpoint::Endpoint { machine: domain::endpoint::Machine::Server, ..server.endpoint.clone() },
        ..server
    };
    let p1 = scene.raise("minato", server, ago(33)).await;
    scene.act(p1, "minato", ago(33)).await;
    scene.tell(p1, "minato", ago(32)).await;

    scene.raise("northwind", support::unwanted(7, "NW-LT-087", ago(26)), ago(26)).await;
    scene.raise("minato", support::unknown_file(8, "WH-KIOSK-3", ago(12)), ago(12)).await;
    scene.raise("northwind", support::hostile(9, "NW-LT-090", ago(9)), ago(9)).await;
    for n in 20..26 {
        let at = ago(i64::from(n) * 2 - 37);
        scene.raise("sakura", support::unknown_file(n, &format!("PC-{n:03}"), at), at).await;
    }

    let closed = scene.raise("northwind", support::unknown_file(10, "NW-LT-002", ago(400)), ago(400)).await;
    scene.run(closed, "northwind", Command::Ask { by: person("sato"), addition: None }, ago(390)).await;
    let words = Untrusted::new("Yes, this is our label printer tool. Our IT installed it, from the vendor's site.");
    let question = domain::QuestionId(1);
    scene
        .run(
            closed,
            "northwind",
            Command::RecordAnswer { by: person("sato"), question, meaning: Meaning::Ours, words },
            ago(220),
        )
        .await;
    let reason = Untrusted::new("The customer confirmed purpose and source; the file matches the vendor's download.");
    scene
        .run(
            closed,
            "northwind",
            Command::GiveVerdict { by: person("sato"), verdict: Verdict::FalsePositive, reason },
            ago(215),
        )
        .await;
    scene.run(closed, "northwind", Command::Close { by: person("sato") }, ago(214)).await;

    let refusal = store::Refusal {
        at: ago(70),
        source: "threats".into(),
        reason: "field `threatInfo.identifiedAt`: `yesterday` is not a time".into(),
        raw: r#"{"id":"1","threatInfo":{"threatName":"<b>x</b>","identifiedAt":"yesterday"}}"#.into(),
    };
    scene.engine.take_in(&id("northwind"), &[], &[refusal], None, ago(70)).await.expect("a refusal is kept");
    past_weeks(scene).await;
}

/// Closed incidents of four weeks, so that there are figures to look at: most in time, some not.
async fn past_weeks(scene: &Scene<'_>) {
    for n in 0..90_i64 {
        let tenant = ["sakura", "northwind", "minato"][usize::try_from(n % 3).unwrap_or(0)];
        let by = person(if n % 4 == 0 { "smith" } else { "sato" });
        let at = scene.now - SignedDuration::from_mins(27 * 1440 - n * 430 - (n * n * 37) % 211);
        let host = format!("OLD-{n:03}");
        let number = 1000 + u32::try_from(n).unwrap_or(0);
        let alert = match n % 5 {
            0 => support::document(number, &host, at),
            1 => support::unwanted(number, &host, at),
            _ => support::admin_tool(number, &host, at),
        };
        let later = |minutes: i64| at + SignedDuration::from_secs(minutes * 60 + n * 7 % 60);
        let incident = scene.raise(tenant, alert, at).await;
        scene.tell(incident, tenant, at).await;
        let taken = if n % 17 == 3 { 64 + n } else { 3 + (n * 11) % 40 };
        scene.run(incident, tenant, Command::Acknowledge { by: by.clone() }, later(taken)).await;
        if n % 9 == 4 {
            scene.run(incident, tenant, Command::Ask { by: by.clone(), addition: None }, later(taken + 2)).await;
            scene.tell(incident, tenant, later(taken + 2)).await;
            let words = Untrusted::new("It is ours.");
            let (question, meaning) = (domain::QuestionId(1), Meaning::Ours);
            let answer = Command::RecordAnswer { by: by.clone(), question, meaning, words };
            scene.run(incident, tenant, answer, later(taken + 300)).await;
        }
        let reason = Untrusted::new("Seen before; the customer knows it.");
        let verdict = Command::GiveVerdict { by, verdict: Verdict::Suspicious, reason };
        let done = taken + if n % 9 == 4 { 310 } else { 6 + (n * 7) % 26 };
        scene.run(incident, tenant, verdict, later(done)).await;
        scene.tell(incident, tenant, later(done)).await;
        if n % 6 != 5 {
            let by = person("smith");
            scene.run(incident, tenant, Command::Close { by }, later(done + 20 + n * 3)).await;
        }
    }
}

/// What waits: for the customer, for an approval, for a lost answer; and what people were called about.
async fn waiting(scene: &Scene<'_>, ago: impl Fn(i64) -> Timestamp) {
    let by = || person("sato");
    let held = scene.raise("minato", support::document(31, "PC-EIGYO-2", ago(39)), ago(39)).await;
    scene.tell(held, "minato", ago(38)).await;
    let recommended = "現時点の判定：要調査\n根拠：マクロが外部へ接続を試みた\n推奨事項：差出人に確認する";
    let present = Command::PresentAnalysis { by: by(), text: Untrusted::new(recommended) };
    let reason = Untrusted::new("山本様のご依頼。棚卸しが終わる明日 10:00 まで待つ");
    scene.run(held, "minato", Command::Hold { by: by(), reason }, ago(29)).await;
    let other = scene.raise("sakura", support::unknown_file(32, "PC-SOUMU-4", ago(50)), ago(50)).await;
    scene.tell(other, "sakura", ago(49)).await;
    scene.run(other, "sakura", present, ago(31)).await;
    scene.tell(other, "sakura", ago(30)).await;

    let raised = scene.raise("sakura", support::unknown_file(33, "PC-KOUBAI-1", ago(22)), ago(22)).await;
    let reason = Untrusted::new("同じ端末から認証情報の取得を確認");
    let priority = domain::judgement::Priority::P1;
    scene.run(raised, "sakura", Command::RaisePriority { by: person("smith"), priority, reason }, ago(14)).await;

    let lost = scene.raise("sakura", support::ransomware(34, "WS-031", ago(3)), ago(3)).await;
    let state = scene.engine.store().incident(&store::Scope::All, lost).await.expect("a store").expect("an incident");
    if let Some(action) = state.actions.values().find(|a| a.state == State::PreAuthorised).map(|a| a.id) {
        scene.run(lost, "sakura", Command::IntendAction { action }, ago(3)).await;
        let answer = SendAnswer::Lost { why: Untrusted::new("the connection was cut after 30 s") };
        scene.run(lost, "sakura", Command::ReportSend { action, sent_at: ago(3), answer }, ago(2)).await;
    }

    let called = scene.raise("northwind", support::unknown_file(35, "NW-LT-200", ago(70)), ago(70)).await;
    scene.tell(called, "northwind", ago(70)).await;
    for minutes in [39, 30] {
        scene.run(called, "northwind", Command::LetTimePass, ago(minutes)).await;
    }
    let page = domain::PageId(1);
    let confirm = Command::ConfirmPage { page, reference: "p1".into(), accepted_at: ago(38) };
    scene.run(called, "northwind", confirm, ago(38)).await;
}

impl Scene<'_> {
    async fn raise(&self, tenant: &str, alert: domain::alert::Alert, at: Timestamp) -> IncidentId {
        let raw =
            serde_json::json!({ "id": alert.id.as_str(), "threatInfo": { "threatName": alert.name } }).to_string();
        let taken = self.engine.take_in(&id(tenant), &[engine::Incoming { alert, raw }], &[], None, at).await;
        let taken = taken.expect("an alert is taken in");
        *taken.opened.first().or(taken.joined.first()).expect("an incident")
    }

    async fn run(&self, incident: IncidentId, tenant: &str, command: Command, at: Timestamp) {
        self.engine.execute(&id(tenant), incident, command, at).await.expect("a command is carried out");
    }

    async fn note(&self, incident: IncidentId, tenant: &str, text: &str, visibility: Visibility, at: Timestamp) {
        let command = Command::AddNote { by: person("sato"), visibility, text: Untrusted::new(text) };
        self.run(incident, tenant, command, at).await;
    }

    /// Plays the actuator: every authorised action is sent and read back, the last one refused.
    async fn act(&self, incident: IncidentId, tenant: &str, at: Timestamp) {
        let state =
            self.engine.store().incident(&store::Scope::All, incident).await.expect("a store").expect("an incident");
        let ready: Vec<_> = state.actions.values().filter(|a| a.state == State::PreAuthorised).map(|a| a.id).collect();
        for (n, action) in ready.into_iter().enumerate() {
            let then = at + SignedDuration::from_secs(2 + i64::try_from(n).unwrap_or(0) * 3);
            self.run(incident, tenant, Command::IntendAction { action }, then).await;
            self.run(
                incident,
                tenant,
                Command::ReportSend { action, sent_at: then, answer: SendAnswer::Accepted },
                then,
            )
            .await;
            self.run(
                incident,
                tenant,
                Command::ConfirmAction { action, how: Proof::ReadBack },
                then + SignedDuration::from_secs(9),
            )
            .await;
        }
    }

    /// Plays the notifier: every waiting message is taken by the channel.
    async fn tell(&self, incident: IncidentId, tenant: &str, at: Timestamp) {
        let state =
            self.engine.store().incident(&store::Scope::All, incident).await.expect("a store").expect("an incident");
        for notice in state.notices.values() {
            for (route, delivery) in &notice.deliveries {
                if *delivery == domain::notice::Delivery::Waiting {
                    let accepted_at = at.max(notice.decided_at) + SignedDuration::from_secs(1);
                    let reference = format!("{incident}.{}@yagura.example", notice.id);
                    let command = Command::ConfirmNotice { notice: notice.id, route: *route, reference, accepted_at };
                    self.run(incident, tenant, command, accepted_at).await;
                }
            }
        }
    }
}
