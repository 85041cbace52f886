//! The console over real sockets: TLS with its own authority, plain HTTP, several at once, broken answers.

use std::sync::Arc;

use s1sim::{Capability, Config, Fault, FaultKind, S1Sim, Threat};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Sends one HTTP/1.1 request and reads to the end, whatever kind of end it is.
pub(crate) async fn talk(
    mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> (String, bool) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: APIToken {token}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    let clean = stream.read_to_end(&mut answer).await.is_ok();
    (String::from_utf8_lossy(&answer).into_owned(), clean)
}

pub(crate) async fn connect(
    sim: &S1Sim,
    trusted: &str,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(sim.url().trim_start_matches("https://")).await.expect("connected");
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1").expect("a name"), stream).await
}

#[tokio::test]
async fn two_consoles_in_one_process_have_their_own_authority_and_world() {
    let one = S1Sim::start(Config::default()).await.expect("started");
    let two = S1Sim::start(Config { seed: 2, ..Config::default() }).await.expect("started");
    one.raise("hoshimi", &Threat::ransomware("HSM-PC-0101")).expect("raised");

    let token = one.token("hoshimi", Capability::Read);
    let stream = connect(&one, one.ca_pem()).await.expect("trusted");
    let (answer, _) = talk(stream, "GET", "/web/api/v2.1/threats", &token, "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"totalItems\":1"), "{answer}");

    assert!(connect(&two, one.ca_pem()).await.is_err(), "one authority does not vouch for the other console");
    let stream = connect(&two, two.ca_pem()).await.expect("trusted");
    let (answer, _) = talk(stream, "GET", "/web/api/v2.1/threats", &token, "").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "tokens of another seed are unknown: {answer}");
    assert!(two.ledger().raised.is_empty());
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_lost_answer_has_still_acted_and_a_truncated_one_breaks_off() {
    let sim = S1Sim::start(Config { tls: false, ..Config::default() }).await.expect("started");
    let address = sim.url().trim_start_matches("http://").to_owned();
    let stream = || async { TcpStream::connect(&address).await.expect("connected") };
    let threat = sim.raise("hoshimi", &Threat::ransomware("HSM-PC-0101")).expect("raised");
    let token = sim.token("hoshimi", Capability::Full);
    let body = format!(r#"{{"filter":{{"ids":["{threat}"]}}}}"#);

    sim.faults().add(Fault::new(FaultKind::LostAnswer { status: None }).on("POST", "/threats/mitigate"));
    let (answer, _) = talk(stream().await, "POST", "/web/api/v2.1/threats/mitigate/kill", &token, &body).await;
    assert!(!answer.contains("affected"), "{answer}");
    sim.faults().add(Fault::new(FaultKind::LostAnswer { status: Some(502) }).on("POST", "/threats/mitigate"));
    let (answer, _) = talk(stream().await, "POST", "/web/api/v2.1/threats/mitigate/quarantine", &token, &body).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    let ledger = sim.ledger();
    assert!(ledger.done.iter().all(|done| done.affected == 1 && !done.answered));
    assert_eq!((ledger.times_effective("kill", &threat), ledger.times_effective("quarantine", &threat)), (1, 1));

    sim.faults().add(Fault::new(FaultKind::Truncated).on("GET", "/threats"));
    let (answer, _) = talk(stream().await, "GET", "/web/api/v2.1/threats", &token, "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("totalItems"), "{answer}");
    let (whole, clean) = talk(stream().await, "GET", "/web/api/v2.1/threats", &token, "").await;
    assert!(clean && whole.contains("totalItems"), "only once");
    sim.stop().await;
}

#[tokio::test]
async fn overload_and_outage_answer_without_json() {
    let sim = S1Sim::start(Config { tls: false, ..Config::default() }).await.expect("started");
    let address = sim.url().trim_start_matches("http://").to_owned();
    let token = sim.token("hoshimi", Capability::Read);
    let get = || async {
        let stream = TcpStream::connect(&address).await.expect("connected");
        talk(stream, "GET", "/web/api/v2.1/agents", &token, "").await.0
    };
    sim.faults().add(Fault::new(FaultKind::TooManyRequests { retry_after: Some(7) }));
    let answer = get().await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 7"), "{answer}");
    sim.faults().add(Fault::new(FaultKind::TooManyRequests { retry_after: None }));
    let answer = get().await;
    assert!(answer.starts_with("HTTP/1.1 429") && !answer.contains("retry-after"), "{answer}");
    sim.faults().add(Fault::new(FaultKind::Status { status: 503 }));
    let answer = get().await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("<html>"), "{answer}");
    assert!(get().await.starts_with("HTTP/1.1 200"));
    sim.stop().await;
}
