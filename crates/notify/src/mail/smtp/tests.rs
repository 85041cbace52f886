//! Over real sockets: to the mail sink, which is as strict as the strictest server and keeps a ledger, and to a small
//! encrypted server that wants a sign-in.

use std::time::Duration;

use domain::tenant::Email;
use domain::{Language, Timestamp};
use outbound::Secret;
use sinks::mail::{Fault, Options};
use sinks::{MailSink, Now};

use super::*;
use crate::mail::{Attachment, compose};
use crate::samples::{self, email};

mod encrypted;
use encrypted::Encrypted;

async fn sink() -> MailSink {
    let any = "127.0.0.1:0".parse().unwrap();
    MailSink::start(Options { smtp: any, http: any, now: Now::new(now) }).await.unwrap()
}

fn now() -> Timestamp {
    samples::at("2026-11-24T00:15:31Z")
}

fn two() -> [Email; 2] {
    [email("yamada@acme.example"), email("csirt@acme.example")]
}

fn report() -> Vec<u8> {
    b"%PDF-1.7 \x00\xff\n.\r\n".repeat(300)
}

fn mail(language: Language) -> Mail {
    let report = Attachment::pdf("INC-2026-000123_報告書.pdf", report());
    compose(&samples::ransomware_answered().facts(), language, &samples::sender(), vec![report])
}

fn plain(port: u16) -> Smtp {
    Smtp::new(Settings::new("127.0.0.1", port, Security::PlainOnLoopback)).unwrap()
}

#[tokio::test]
async fn a_strict_server_takes_a_mail_in_either_language_as_it_was_written() {
    let sink = sink().await;
    for language in Language::ALL {
        let mail = mail(language);
        let accepted = plain(sink.smtp_addr().port()).send(&mail, &two(), now()).await.unwrap();
        assert_eq!(accepted.message_id, mail.message_id);
        assert!(accepted.response.quoted().starts_with("250"), "{:?}", accepted.response);
        assert_eq!(accepted.refused, []);

        let got = sink.messages().pop().unwrap();
        assert_eq!(got.subject, mail.subject);
        assert_eq!(got.message_id, mail.message_id);
        assert_eq!(got.to, ["yamada@acme.example", "csirt@acme.example"]);
        assert_eq!((got.sender.as_str(), got.from.contains(mail.from_name.as_str())), ("soc@soc.example", true));
        let text = |t: &Option<String>| t.clone().unwrap().replace("\r\n", "\n");
        assert_eq!((text(&got.text), text(&got.html)), (mail.text.clone(), mail.html.clone().unwrap()));
        assert_eq!((got.attachments.len(), got.attachments[0].name.as_str()), (1, "INC-2026-000123_報告書.pdf"));
        assert_eq!(got.attachments[0].media_type, "application/pdf");
        assert_eq!(got.attachment(0).unwrap(), report());
    }
    assert_eq!(sink.accepted(), 2);
}

#[tokio::test]
async fn what_a_server_refuses_is_told_apart_by_whether_another_try_may_help() {
    let sink = sink().await;
    let smtp = plain(sink.smtp_addr().port());
    for (fault, transient) in [(Fault::Temporary, true), (Fault::Permanent, false)] {
        sink.set_fault(fault, 1);
        let error = smtp.send(&mail(Language::En), &two(), now()).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        assert_eq!((error.is_transient(), error.may_have_been_sent()), (transient, false), "{error}");
    }
    assert_eq!(sink.accepted(), 0);
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_a_second_sending_is_recognised_as_the_same_mail() {
    let sink = sink().await;
    let smtp = plain(sink.smtp_addr().port());
    let mail = mail(Language::Ja);
    sink.set_fault(Fault::LostAnswer, 1);
    let error = smtp.send(&mail, &two(), now()).await.unwrap_err();
    assert!(error.is_transient() && error.may_have_been_sent(), "{error}");
    smtp.send(&mail, &two(), now()).await.unwrap();
    assert_eq!(sink.doubled(), [mail.message_id]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_may_have_taken_the_mail() {
    let sink = sink().await;
    sink.set_fault(Fault::Slow(Duration::from_secs(5)), 1);
    let settings = Settings {
        content_timeout: Duration::from_millis(200),
        ..Settings::new("127.0.0.1", sink.smtp_addr().port(), Security::PlainOnLoopback)
    };
    let error = Smtp::new(settings).unwrap().send(&mail(Language::En), &two(), now()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { step: Step::Content, .. }), "{error}");
    assert!(error.is_transient() && error.may_have_been_sent());
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = plain(free).send(&mail(Language::En), &two(), now()).await.unwrap_err();
    assert!(matches!(error, Error::Lost { step: Step::Connect, .. }), "{error}");
    assert!(error.is_transient() && !error.may_have_been_sent());
}

#[tokio::test]
async fn one_refused_recipient_does_not_keep_the_mail_from_the_others() {
    let sink = sink().await;
    let smtp = plain(sink.smtp_addr().port());
    // Longer before the `@` than a server may take.
    let nobody = email(&format!("{}@acme.example", "x".repeat(65)));
    let accepted = smtp.send(&mail(Language::En), &[nobody.clone(), two()[0].clone()], now()).await.unwrap();
    assert_eq!(accepted.refused.len(), 1);
    assert_eq!((&accepted.refused[0].0, accepted.refused[0].1.is_transient()), (&nobody, false));
    assert_eq!(sink.messages()[0].to, ["yamada@acme.example"]);

    let error = smtp.send(&mail(Language::En), &[nobody], now()).await.unwrap_err();
    assert!(!error.is_transient() && !error.may_have_been_sent(), "{error}");
    let error = smtp.send(&mail(Language::En), &[], now()).await.unwrap_err();
    assert!(matches!(error, Error::Recipients { count: 0 }));
    assert_eq!(sink.accepted(), 1);
}

#[tokio::test]
async fn an_encrypted_server_is_spoken_to_only_when_its_certificate_holds_sec_74() {
    for security in [Security::Tls, Security::StartTls] {
        let server = Encrypted::start(security == Security::Tls).await;
        let settings = Settings {
            credentials: Some(Credentials { user: "soc".into(), password: Secret::new("canary-password") }),
            extra_roots_pem: vec![server.root_pem.clone()],
            ..Settings::new("localhost", server.port, security)
        };
        let smtp = Smtp::new(settings.clone()).unwrap();
        assert!(!format!("{smtp:?}").contains("canary"));
        let accepted = smtp.send(&mail(Language::Ja), &two(), now()).await.unwrap();
        assert_eq!(accepted.response.quoted(), "250 2.0.0 taken");
        let heard = server.heard();
        assert!(heard.iter().any(|l| l.starts_with("AUTH PLAIN ")), "{heard:?}");
        assert!(heard.iter().any(|l| l == "Auto-Submitted: auto-generated"), "{heard:?}");

        let stranger = Smtp::new(Settings { extra_roots_pem: vec![], ..settings.clone() }).unwrap();
        let error = stranger.send(&mail(Language::Ja), &two(), now()).await.unwrap_err();
        assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
        assert!(!error.is_transient() && !error.may_have_been_sent());

        let wrong = Credentials { user: "soc".into(), password: Secret::new("wrong") };
        let refused = Smtp::new(Settings { credentials: Some(wrong), ..settings }).unwrap();
        let error = refused.send(&mail(Language::Ja), &two(), now()).await.unwrap_err();
        assert!(matches!(error, Error::Refused { step: Step::SignIn, .. }), "{error:?}");
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_server_without_the_demanded_encryption_hears_neither_mail_nor_password() {
    let sink = sink().await;
    let smtp = Smtp::new(Settings::new("localhost", sink.smtp_addr().port(), Security::StartTls)).unwrap();
    let error = smtp.send(&mail(Language::En), &two(), now()).await.unwrap_err();
    assert!(matches!(error, Error::NotOffered { step: Step::Connect, .. }), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(sink.accepted(), 0);
}

#[test]
fn nothing_leaves_this_machine_unencrypted() {
    let open = |host: &str| Smtp::new(Settings::new(host, 25, Security::PlainOnLoopback));
    assert!(matches!(open("mail.example"), Err(InvalidSettings::NotLoopback { .. })));
    assert!(matches!(open("192.0.2.1"), Err(InvalidSettings::NotLoopback { .. })));
    assert!(open("localhost").is_ok() && open("127.0.0.1").is_ok() && open("::1").is_ok());
    let with_password = Settings {
        credentials: Some(Credentials { user: "soc".into(), password: Secret::new("x") }),
        ..Settings::new("127.0.0.1", 25, Security::PlainOnLoopback)
    };
    assert_eq!(Smtp::new(with_password).unwrap_err(), InvalidSettings::CredentialsInTheClear);
}
