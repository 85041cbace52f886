//! A client that speaks plain lines over real sockets, and what the sink makes of them.

use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

const RECEIVED: &str = "2026-11-24T01:00:00Z";

async fn sink() -> MailSink {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let now = Now::new(|| RECEIVED.parse::<Timestamp>().expect("a time"));
    MailSink::start(Options { smtp: local, http: local, now }).await.expect("two free ports")
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(sink: &MailSink) -> Self {
        let stream = TcpStream::connect(sink.smtp_addr()).await.expect("the sink listens");
        stream.set_nodelay(true).expect("a socket option");
        let mut client = Self(BufReader::new(stream));
        assert!(client.answer().await.starts_with("220 "));
        client
    }

    /// The next answer, of one or more lines. Empty when the server hung up.
    async fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let start = answer.len();
            let read =
                timeout(Duration::from_secs(10), self.0.read_line(&mut answer)).await.expect("an answer in time");
            if read.expect("readable") == 0 || answer.as_bytes().get(start + 3) == Some(&b' ') {
                return answer;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.expect("written");
        self.answer().await
    }

    /// Sends a message with all commands before it, and returns the answer to its final dot.
    async fn send(&mut self, to: &[&str], message: &[u8]) -> String {
        assert!(self.say("EHLO client.example").await.contains("SIZE"));
        assert!(self.say("MAIL FROM:<soc@yagura.example> BODY=8BITMIME").await.starts_with("250"));
        for recipient in to {
            assert!(self.say(&format!("RCPT TO:<{recipient}>")).await.starts_with("250"));
        }
        assert!(self.say("DATA").await.starts_with("354"));
        self.0.write_all(message).await.expect("written");
        self.say(".").await
    }
}

fn message(id: &str) -> String {
    format!(
        "From: SOC <soc@yagura.example>\r\nTo: a@acme.example\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n\
         Message-ID: <{id}@yagura.example>\r\nSubject: test\r\n\r\nhello\r\n"
    )
}

/// One page of the sink: status line, headers and text.
async fn get(sink: &MailSink, path: &str) -> String {
    get_as(sink, path, "localhost").await
}

async fn get_as(sink: &MailSink, path: &str, host: &str) -> String {
    let addr = sink.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(addr).await.expect("the page listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("readable");
    answer
}

/// The kind of mail the product sends: Japanese header words, text and HTML, a thread, an attachment.
const JAPANESE: &str = "From: =?UTF-8?B?5quT?= SOC <soc@yagura.example>\r\n\
To: a@acme.example\r\n\
Date: Tue, 24 Nov 2026 10:00:00 +0900\r\n\
Message-ID: <notice-2@yagura.example>\r\n\
In-Reply-To: <notice-1@yagura.example>\r\n\
References: <notice-0@yagura.example> <notice-1@yagura.example>\r\n\
Subject: =?UTF-8?B?44CQUDDjg7vopoHlr77lv5zjgJE=?= INC-2026-000123\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=m\r\n\r\n\
--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
--a\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
不審な活動を検知しました。\r\n詳細: https://soc.example/i/123\r\n\
--a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
<html><head><title>x</title></head><body><p>検知</p><script>alert(1)</script></body></html>\r\n\
--a--\r\n\
--m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"report.pdf\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n\
--m--\r\n";

#[tokio::test]
async fn a_japanese_mail_with_two_parts_is_read_as_its_reader_would_read_it() {
    let sink = sink().await;
    let answer = Client::connect(&sink).await.send(&["a@acme.example"], JAPANESE.as_bytes()).await;
    assert!(answer.starts_with("250 "), "{answer}");
    let mails = sink.to("A@ACME.example");
    let mail = mails.first().expect("it is there");
    assert_eq!(mail.subject, "【P0・要対応】 INC-2026-000123");
    assert_eq!(mail.from, "櫓 SOC <soc@yagura.example>");
    assert_eq!(mail.sender, "soc@yagura.example");
    assert_eq!(mail.message_id, "notice-2@yagura.example");
    assert_eq!(mail.in_reply_to.as_deref(), Some("notice-1@yagura.example"));
    assert_eq!(mail.references, ["notice-0@yagura.example", "notice-1@yagura.example"]);
    assert!(mail.text.as_deref().is_some_and(|text| text.starts_with("不審な活動を検知しました。")), "{:?}", mail.text);
    assert!(mail.html.as_deref().is_some_and(|html| html.contains("<p>検知</p>")), "{:?}", mail.html);
    assert_eq!(mail.accepted_at.to_string(), RECEIVED);
    assert_eq!(mail.raw, JAPANESE.as_bytes());
    assert_eq!(
        mail.attachments.first().map(|a| (a.name.as_str(), a.media_type.as_str(), a.size)),
        Some(("report.pdf", "application/pdf", 8))
    );
    assert_eq!(mail.attachment(0).as_deref(), Some(&b"%PDF-1.7"[..]));
    assert_eq!(mail.header("mime-version"), Some("1.0"));
}

#[tokio::test]
async fn a_mail_without_html_has_none() {
    let sink = sink().await;
    Client::connect(&sink).await.send(&["a@acme.example"], message("plain").as_bytes()).await;
    assert_eq!(sink.messages()[0].html, None);
    assert_eq!(sink.messages()[0].text.as_deref(), Some("hello\r\n"));
}

#[tokio::test]
async fn dots_at_the_start_of_a_line_arrive_as_they_were() {
    let sink = sink().await;
    let stuffed = message("dots").replace("hello", "..\r\n...and\r\n.. so on");
    Client::connect(&sink).await.send(&["a@acme.example"], stuffed.as_bytes()).await;
    assert_eq!(sink.messages()[0].text.as_deref(), Some(".\r\n..and\r\n. so on\r\n"));
}

#[tokio::test]
async fn one_session_carries_several_mails_and_ends_politely() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    client.send(&["a@acme.example", "b@acme.example"], message("one").as_bytes()).await;
    assert!(client.say("NOOP").await.starts_with("250"));
    assert!(client.say("RSET").await.starts_with("250"));
    client.send(&["c@other.example"], message("two").as_bytes()).await;
    assert!(client.say("QUIT").await.starts_with("221"));
    assert_eq!(client.answer().await, "", "the server hangs up");
    assert_eq!((sink.accepted(), sink.to("b@acme.example").len(), sink.to("nobody@acme.example").len()), (2, 1, 0));
    assert_eq!(sink.messages().iter().map(|mail| mail.number).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_mail_is_doubled_when_one_recipient_gets_it_twice() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    client.send(&["a@acme.example"], message("same").as_bytes()).await;
    client.send(&["b@acme.example"], message("same").as_bytes()).await;
    assert_eq!(sink.doubled(), [""; 0], "once to each of two people is not twice");
    client.send(&["A@acme.example"], message("same").as_bytes()).await;
    client.send(&["a@acme.example"], message("other").as_bytes()).await;
    assert_eq!(sink.doubled(), ["same@yagura.example"]);
    assert_eq!(
        (sink.copies("same@yagura.example"), sink.copies("other@yagura.example"), sink.copies("none")),
        (2, 1, 0)
    );
    assert!(get(&sink, "/").await.contains("重複"), "the page says so");
}

#[tokio::test]
async fn a_refused_mail_is_not_in_the_ledger_and_the_fault_ends_by_itself() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    sink.set_fault(Fault::Temporary, 1);
    assert!(client.send(&["a@acme.example"], message("one").as_bytes()).await.starts_with("451 "));
    sink.set_fault(Fault::Permanent, 1);
    assert!(client.send(&["a@acme.example"], message("one").as_bytes()).await.starts_with("550 "));
    assert_eq!(sink.accepted(), 0);
    assert!(client.send(&["a@acme.example"], message("one").as_bytes()).await.starts_with("250 "));
    assert_eq!((sink.accepted(), sink.doubled().len()), (1, 0));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_mail_taken_and_the_client_without_a_word() {
    let sink = sink().await;
    sink.set_fault(Fault::LostAnswer, 1);
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.send(&["a@acme.example"], message("one").as_bytes()).await, "");
    assert_eq!(sink.accepted(), 1);
    Client::connect(&sink).await.send(&["a@acme.example"], message("one").as_bytes()).await;
    assert_eq!(sink.doubled(), ["one@yagura.example"], "a blind repeat shows in the ledger");
}

#[tokio::test]
async fn a_slow_server_takes_the_mail_before_it_says_so() {
    let sink = sink().await;
    sink.set_fault(Fault::Slow(Duration::from_millis(200)), 1);
    let mut client = Client::connect(&sink).await;
    let from_sending = async { client.send(&["a@acme.example"], message("one").as_bytes()).await };
    let from_ledger = async {
        timeout(Duration::from_secs(10), sink.wait_for(1)).await.expect("it is taken");
        "taken first".to_owned()
    };
    let first = tokio::select! { answer = from_sending => answer, word = from_ledger => word };
    assert_eq!(first, "taken first");
}

#[tokio::test]
async fn what_a_strict_server_would_refuse_is_refused() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    let sound = message("x");
    for (flaw, broken, code) in [
        ("no sender", sound.replace("From: SOC <soc@yagura.example>\r\n", ""), "554 5.6.0 From"),
        ("no date", sound.replace("Date: Tue, 24 Nov 2026 10:00:00 +0900\r\n", ""), "554 5.6.0 Date"),
        ("no id", sound.replace("Message-ID: <x@yagura.example>\r\n", ""), "554 5.6.0 Message-ID"),
        ("two subjects", sound.replace("Subject: test", "Subject: test\r\nSubject: other"), "554 5.6.0 a header"),
        ("raw header", sound.replace("Subject: test", "Subject: 検知"), "550 5.6.7"),
        ("long line", sound.replace("hello", &"x".repeat(999)), "500 5.6.0"),
        ("bare line feed", sound.replace("hello", "hel\nlo"), "550 5.6.0"),
        ("smuggled mail", sound.replace("hello", "hello\n.\nMAIL FROM:<evil@acme.example>"), "550 5.6.0"),
        ("bare carriage return", sound.replace("hello", "hel\rlo"), "550 5.6.0"),
    ] {
        let answer = client.send(&["a@acme.example"], broken.as_bytes()).await;
        assert!(answer.starts_with(code), "{flaw}: {answer}");
    }
    assert_eq!(sink.accepted(), 0);
    assert!(client.send(&["a@acme.example"], sound.as_bytes()).await.starts_with("250"), "and the session goes on");
}

#[tokio::test]
async fn undeclared_eight_bit_text_is_refused() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    client.say("HELO client.example").await;
    client.say("MAIL FROM:<soc@yagura.example>").await;
    client.say("RCPT TO:<a@acme.example>").await;
    client.say("DATA").await;
    let answer = client.say(&format!("{}.", message("x").replace("hello", "検知"))).await;
    assert!(answer.starts_with("554 5.6.1"), "{answer}");
}

#[tokio::test]
async fn an_endless_command_ends_the_session() {
    let sink = sink().await;
    let mut client = Client::connect(&sink).await;
    let answer = client.say(&format!("NOOP {}", "x".repeat(5_000))).await;
    assert!(answer.starts_with("500 "), "{answer}");
    assert_eq!(client.answer().await, "");
}

#[tokio::test]
async fn the_page_shows_a_mail_and_lets_its_html_do_nothing() {
    let sink = sink().await;
    let empty = get(&sink, "/").await;
    assert!(empty.starts_with("HTTP/1.1 200") && empty.contains("まだ届いていません"), "{empty}");
    Client::connect(&sink).await.send(&["a@acme.example"], JAPANESE.as_bytes()).await;

    let list = get(&sink, "/?to=a%40acme.example").await;
    assert!(list.contains("【P0・要対応】 INC-2026-000123") && list.contains("2026-11-24 10:00:00"), "{list}");
    let one = get(&sink, "/mail/1").await;
    assert!(one.contains(r#"<a href="https://soc.example/i/123" target="_blank" rel="noopener noreferrer">"#), "{one}");
    assert!(one.contains(r#"sandbox="allow-popups allow-popups-to-escape-sandbox""#), "{one}");
    assert!(one.contains("script-src 'self'") && !one.contains("<script>"), "{one}");

    let frame = get(&sink, "/mail/1/html").await;
    assert!(frame.contains("content-security-policy: default-src 'none'; style-src 'unsafe-inline';"), "{frame}");
    assert!(frame.contains("sandbox allow-popups") && !frame.contains("allow-scripts"), "{frame}");
    assert!(frame.contains(r#"<head><base target="_blank">"#), "{frame}");
    let raw = get(&sink, "/mail/1/raw").await;
    assert!(raw.contains("content-disposition: attachment") && raw.ends_with(JAPANESE), "{raw}");
    let pdf = get(&sink, "/mail/1/attachment/0").await;
    assert!(pdf.contains("report.pdf") && pdf.contains("nosniff") && pdf.ends_with("%PDF-1.7"), "{pdf}");
    for missing in ["/mail/2", "/mail/1/attachment/1", "/mail/2/html"] {
        assert!(get(&sink, missing).await.starts_with("HTTP/1.1 404"), "{missing}");
    }
    assert!(get_as(&sink, "/", "evil.example").await.starts_with("HTTP/1.1 421"), "a foreign name reads nothing");
}

#[tokio::test]
async fn the_page_hears_of_a_new_mail_at_once() {
    let sink = sink().await;
    let (answer, _) = tokio::join!(get(&sink, "/wait?seen=0"), async {
        Client::connect(&sink).await.send(&["a@acme.example"], message("one").as_bytes()).await
    });
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_stopped_sink_frees_its_ports_and_its_clients() {
    let sink = sink().await;
    let (smtp, url) = (sink.smtp_addr(), sink.url());
    let mut client = Client::connect(&sink).await;
    sink.stop().await;
    assert_eq!(client.answer().await, "");
    tokio::net::TcpListener::bind(smtp).await.expect("the mail port is free");
    tokio::net::TcpListener::bind(url.trim_start_matches("http://")).await.expect("the page's port is free");
}
