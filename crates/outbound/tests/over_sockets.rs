//! Every class of error, produced by a hand-written server on a real socket.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use outbound::{
    Allowed, BreakerSettings, Error, Lane, Method, Origin, Outbound, Rate, Request, Safety, Secret, Settings,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// What the server does with each connection, after it has read the request.
#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    HangUp,
    Silence,
}

fn says(text: &str) -> Answer {
    Answer::Bytes(text.replace('\n', "\r\n").into_bytes())
}

const OK: &str = "HTTP/1.1 200 OK\ncontent-length: 2\nconnection: close\n\nhi";

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let origin = serve(says(OK)).await;
    let reply = door(&origin).send(get(&origin), now()).await.unwrap();
    assert_eq!(
        (reply.status, reply.body.as_slice(), reply.header("Content-Length")),
        (200, b"hi".as_slice(), Some("2"))
    );
}

#[tokio::test]
async fn what_is_not_on_the_list_is_not_asked_sec_14() {
    let listed = serve(says(OK)).await;
    let unlisted = serve(says(OK)).await;
    let error = door(&listed).send(get(&unlisted), now()).await.unwrap_err();
    assert!(matches!(&error, Error::NotAllowed { origin } if *origin == unlisted.to_string()));
    assert!(!error.is_transient() && !error.may_have_happened());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = serve(says(OK)).await;
    let origin = serve(says(&format!("HTTP/1.1 302 Found\nlocation: {elsewhere}/\ncontent-length: 0\n\n"))).await;
    let settings = settings(&[&origin, &elsewhere]);
    let error = Outbound::new(&settings).unwrap().send(get(&origin), now()).await.unwrap_err();
    assert!(matches!(error, Error::Status { code: 302, .. }));
    assert!(!error.is_transient());
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_happened() {
    let origin = vacant().await;
    let error = door(&origin).send(post(&origin), now()).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(error.is_transient() && !error.may_have_happened());
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn silence_after_the_request_leaves_only_a_once_only_request_in_doubt() {
    let origin = serve(Answer::Silence).await;
    let door = door(&origin);
    let short = Duration::from_millis(80);
    let error = door.send(post(&origin).within(short), now()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { after, .. } if after == short), "{error:?}");
    assert!(error.is_transient() && error.may_have_happened());
    let error = door.send(get(&origin).within(short), now()).await.unwrap_err();
    assert!(error.is_transient() && !error.may_have_happened());
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_it_in_doubt() {
    let origin = serve(Answer::HangUp).await;
    let error = door(&origin).send(post(&origin), now()).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    assert!(error.is_transient() && error.may_have_happened());
}

#[tokio::test]
async fn an_answer_cut_short_is_an_error_and_never_a_shorter_answer() {
    for cut in
        ["HTTP/1.1 200 OK\ncontent-length: 10\n\nhi", "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n5\nhello\n"]
    {
        let origin = serve(says(cut)).await;
        let error = door(&origin).send(post(&origin), now()).await.unwrap_err();
        assert!(matches!(error, Error::CutShort { read: 2 | 5, .. }), "{error:?}");
        assert!(error.is_transient() && error.may_have_happened());
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_whether_or_not_it_says_so() {
    let long = "x".repeat(2000);
    for head in ["content-length: 2000\n", "connection: close\n"] {
        let origin = serve(says(&format!("HTTP/1.1 200 OK\n{head}\n{long}"))).await;
        let error = door(&origin).send(get(&origin).at_most(1999), now()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 1999, .. }), "{error:?}");
        assert!(!error.is_transient());
        assert_eq!(door(&origin).send(get(&origin).at_most(2000), now()).await.unwrap().body.len(), 2000);
    }
}

#[tokio::test]
async fn a_packed_answer_is_bounded_by_its_unpacked_size() {
    // One megabyte of zeros, packed by gzip into about one kilobyte.
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec();
    answer.extend_from_slice(include_bytes!("zeros.gz"));
    let origin = serve(Answer::Bytes(answer)).await;
    let error = door(&origin).send(get(&origin).at_most(100_000), now()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert_eq!(door(&origin).send(get(&origin), now()).await.unwrap().body.len(), 1_000_000);
}

#[tokio::test]
async fn a_server_error_says_whether_it_may_have_happened_and_keeps_a_bounded_excerpt() {
    let long = "<html>".repeat(2000);
    let origin = serve(says(&format!("HTTP/1.1 503 Busy\nretry-after: 7\ncontent-length: 12000\n\n{long}"))).await;
    let error = door(&origin).send(post(&origin), now()).await.unwrap_err();
    assert!(error.is_transient() && error.may_have_happened());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let Error::Status { code: 503, excerpt, .. } = &error else { panic!("{error:?}") };
    assert!(excerpt.for_matching().starts_with("<html>") && excerpt.for_matching().len() <= 4096);
    assert_eq!(error.to_string(), "the answer was 503");
}

#[tokio::test]
async fn a_429_is_obeyed_before_the_next_request_leaves() {
    let origin = serve(says("HTTP/1.1 429 Slow\nretry-after: 20\ncontent-length: 0\n\n")).await;
    let door = door(&origin);
    let error = door.send(post(&origin), now()).await.unwrap_err();
    assert!(error.is_transient() && !error.may_have_happened());
    let error = door.send(post(&origin), later(19)).await.unwrap_err();
    assert!(matches!(error, Error::Budget { ready_at, .. } if ready_at == later(20)), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert!(matches!(door.send(post(&origin), later(20)).await, Err(Error::Status { code: 429, .. })));
}

#[tokio::test]
async fn a_far_side_that_keeps_failing_is_left_alone_and_probed_once() {
    let origin = vacant().await;
    let door = door(&origin);
    for _ in 0..3 {
        assert!(matches!(door.send(get(&origin), now()).await, Err(Error::Connect { .. })));
    }
    let error = door.send(get(&origin), later(1)).await.unwrap_err();
    assert!(matches!(error, Error::Resting { until, .. } if until == later(10)), "{error:?}");
    assert!(error.is_transient() && error.retry_after() == Some(Duration::from_secs(9)));
    assert!(matches!(door.send(get(&origin), later(10)).await, Err(Error::Connect { .. })), "the probe");
    assert!(matches!(door.send(get(&origin), later(11)).await, Err(Error::Resting { .. })));
}

#[tokio::test]
async fn a_header_that_would_forge_another_is_not_sent() {
    let origin = serve(says(OK)).await;
    let request = get(&origin).header("x-note", "a\r\nx-other: b");
    assert!(matches!(door(&origin).send(request, now()).await, Err(Error::Unsendable { .. })));
}

#[tokio::test]
async fn a_certificate_is_trusted_only_through_the_authority_named_for_that_origin_sec_74() {
    let (here, authority) = serve_tls().await;
    let (there, _) = serve_tls().await;
    let trusting = Allowed::with_roots(here.clone(), vec![authority.clone()]);
    let settings = Settings::new(vec![trusting, Allowed::public(there.clone())]);
    let door = Outbound::new(&settings).unwrap();

    let request = get(&here).secret_header("authorization", "ApiToken ", &Secret::new("t"));
    assert_eq!(door.send(request, now()).await.unwrap().body, b"hi");

    let error = door.send(post(&there), now()).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
    assert!(!error.is_transient() && !error.may_have_happened());

    let wrong = Allowed::with_roots(there.clone(), vec![authority]);
    let error = Outbound::new(&Settings::new(vec![wrong])).unwrap().send(get(&there), now()).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error:?}");
}

#[test]
fn an_authority_without_a_certificate_is_refused_at_the_start() {
    let origin: Origin = "https://a.example".parse().unwrap();
    let allowed = Allowed::with_roots(origin, vec!["not a certificate".into()]);
    let error = Outbound::new(&Settings::new(vec![allowed])).unwrap_err();
    assert_eq!(error.to_string(), "the extra authority for `https://a.example` cannot be used: no certificate in it");
}

// Helpers

fn now() -> Timestamp {
    later(0)
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn settings(origins: &[&Origin]) -> Settings {
    let mut settings = Settings::new(origins.iter().map(|o| Allowed::public((*o).clone())).collect());
    settings.breaker = BreakerSettings { failures: 3, cool_down: Duration::from_secs(10) };
    settings
}

fn door(origin: &Origin) -> Outbound {
    Outbound::new(&settings(&[origin])).unwrap()
}

fn lane() -> Lane {
    Lane::new("test", Rate::per_second(100).burst(100))
}

fn get(origin: &Origin) -> Request {
    Request::get(origin.url("/a?b=c").unwrap(), lane())
}

fn post(origin: &Origin) -> Request {
    let request = Request::new(Method::Post, origin.url("/a").unwrap(), Safety::OnceOnly, lane());
    request.json(&serde_json::json!({"data": {}})).unwrap()
}

async fn vacant() -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
}

async fn serve(answer: Answer) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answer.clone()));
        }
    });
    origin
}

/// A server with a fresh authority of its own; returns that authority's certificate.
async fn serve_tls() -> (Origin, String) {
    let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let authority = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().signed_by(&key, &issuer).unwrap();

    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    converse(stream, says(OK)).await;
                }
            });
        }
    });
    (origin, authority)
}

/// Reads one request up to the end of its body, then answers as told.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Answer) {
    let mut seen = Vec::new();
    let mut part = [0; 1024];
    while !is_whole(&seen) {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(n) => seen.extend_from_slice(&part[..n]),
        }
    }
    match answer {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::HangUp => {}
        Answer::Silence => std::future::pending().await,
    }
}

fn is_whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
