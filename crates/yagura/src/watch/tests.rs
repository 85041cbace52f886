//! The watcher between a service of our making, in this process, and a real mail server.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use notify::mail::{Security, Settings};
use outbound::{Answer, Call, FarSide, Unreachable};
use sinks::mail::Fault;
use sinks::{MailSink, Now};

use super::*;

/// A service whose answer the test sets.
#[derive(Debug)]
struct Service(Mutex<Result<(u16, String), Unreachable>>);

impl FarSide for Service {
    fn answer(&self, _: Call) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + '_>> {
        let said = self.0.lock().unwrap().clone();
        Box::pin(async move { said.map(|(status, body)| Answer { status, headers: Vec::new(), body: body.into() }) })
    }
}

struct Stage {
    service: Arc<Service>,
    mail: MailSink,
    watcher: Watcher,
    second: i64,
}

impl Stage {
    async fn open(language: Language) -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let now = Now::new(|| at(0));
        let mail = MailSink::start(sinks::mail::Options { smtp: free, http: free, now }).await.unwrap();
        let url: Url = "https://soc.example.jp/healthz".parse().unwrap();
        let service = Arc::new(Service(Mutex::new(Err(Unreachable::NoConnection))));
        let door = Outbound::in_process(&door(&url, None).unwrap(), service.clone());
        let smtp = Settings::new("127.0.0.1", mail.smtp_addr().port(), Security::PlainOnLoopback);
        let letterbox = Letterbox {
            smtp: Smtp::new(smtp).unwrap(),
            sender: toml::from_str(
                "name = { ja = \"やぐらSOC\", en = \"Yagura SOC\" }\naddress = \"watch@example.jp\"",
            )
            .unwrap(),
            recipients: vec![Email::try_from("oncall@example.jp".to_owned()).unwrap()],
            language,
        };
        let (letterbox, alarm) = (Some(letterbox), Alarm::default());
        let watcher = Watcher { url, door, letterbox, alarm, last_why: Vec::new() };
        Self { service, mail, watcher, second: 0 }
    }

    /// Half a minute later the service says this.
    async fn look(&mut self, says: Result<(u16, &str), Unreachable>) -> Seen {
        self.second += 30;
        let now = at(self.second);
        let says = says.map(|(status, body)| (status, body.replace("NOW", &now.to_string())));
        *self.service.0.lock().unwrap() = says;
        self.watcher.step(now).await
    }

    fn told(&self) -> Vec<(String, String)> {
        let mails = self.mail.messages();
        mails.iter().map(|m| (m.subject.clone(), m.text.clone().unwrap().replace("\r\n", "\n"))).collect()
    }
}

/// From 10:00 in Japan on.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_482_000 + second).unwrap()
}

const OK: Result<(u16, &str), Unreachable> = Ok((200, r#"{"status":"ok","at":"NOW","loops":[]}"#));
const LATE: Result<(u16, &str), Unreachable> =
    Ok((503, r#"{"status":"late","at":"NOW","loops":[{"kind":"intake","state":"late","age_s":131}]}"#));

#[tokio::test]
async fn an_outage_and_its_end_are_told_once_each_in_japanese_rel_10() {
    let mut stage = Stage::open(Language::Ja).await;
    for says in [OK, LATE, LATE, LATE, LATE, OK, OK, OK] {
        stage.look(says).await;
    }
    let told = stage.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, "【至急】やぐらSOC：監視基盤が正常に稼働していません");
    let facts = ["検知日時：2026-11-24 10:01:00（日本時間）", "・処理「intake」が131秒間成功していません。"];
    assert!(facts.iter().all(|fact| told[0].1.contains(fact)), "{}", told[0].1);
    assert_eq!(told[1].0, "【復旧】やぐらSOC：監視基盤の復旧を確認しました");
    let facts = ["復旧確認：2026-11-24 10:03:30（日本時間）", "継続時間：2分"];
    assert!(facts.iter().all(|fact| told[1].1.contains(fact)), "{}", told[1].1);
    let mails = stage.mail.messages();
    assert_eq!(mails[1].in_reply_to.as_ref(), Some(&mails[0].message_id));
}

#[tokio::test]
async fn a_service_that_is_gone_a_redirect_and_a_stranger_are_each_told_in_english() {
    for (says, reason) in [
        (Err(Unreachable::NoConnection), "- No connection to the server."),
        (Err(Unreachable::NoAnswer), "- No answer in time."),
        (Ok((302, "")), "- An unexpected answer (HTTP 302)."),
        (Ok((200, "<h1>Hotel Wi-Fi</h1>")), "- What came back is not the health page."),
    ] {
        let mut stage = Stage::open(Language::En).await;
        for says in [says, says] {
            assert!(!stage.look(says).await.ok);
        }
        let told = stage.told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, "[URGENT] Yagura SOC: the platform is not working");
        assert!(told[0].1.contains(reason), "{}", told[0].1);
    }
}

#[tokio::test]
async fn a_mail_that_is_not_taken_is_sent_after_the_next_look() {
    let mut stage = Stage::open(Language::En).await;
    stage.mail.set_fault(Fault::Temporary, 2);
    // Well again for a moment when it is taken: it says what was wrong.
    for says in [LATE, LATE, LATE, OK, LATE, LATE, LATE, LATE, LATE, LATE] {
        stage.look(says).await;
    }
    let told = stage.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let facts = ["Noticed at: 2026-11-24 10:00:30 JST", "- The loop `intake` has not succeeded for 131 s."];
    assert!(facts.iter().all(|fact| told[0].1.contains(fact)), "{}", told[0].1);
}
