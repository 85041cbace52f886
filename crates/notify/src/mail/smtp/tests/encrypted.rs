//! A mail server that wants encryption and a sign-in, and takes one connection after the other. It knows one password.

use std::io;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub(super) struct Encrypted {
    pub(super) port: u16,
    pub(super) root_pem: String,
    heard: Arc<Log>,
}

type Log = Mutex<Vec<String>>;

impl Encrypted {
    /// `at_once`: encrypted from the first byte; otherwise after STARTTLS.
    pub(super) async fn start(at_once: bool) -> Self {
        let (root_pem, acceptor) = authority();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Log::default());
        let log = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that hangs up ends its own conversation only.
                let _ = converse(stream, &acceptor, at_once, &log).await;
            }
        });
        Self { port, root_pem, heard }
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn authority() -> (String, TlsAcceptor) {
    let mut root = CertificateParams::new(vec![]).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (root_pem, TlsAcceptor::from(Arc::new(config)))
}

async fn converse(mut stream: TcpStream, acceptor: &TlsAcceptor, at_once: bool, log: &Log) -> io::Result<()> {
    if !at_once {
        let mut plain = BufReader::new(&mut stream);
        say(&mut plain, "220 localhost").await?;
        hear(&mut plain, log).await?;
        say(&mut plain, "250-localhost\r\n250 STARTTLS").await?;
        if hear(&mut plain, log).await? != "STARTTLS" {
            return say(&mut plain, "530 5.7.0 encryption first").await;
        }
        say(&mut plain, "220 2.0.0 go ahead").await?;
    }
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    if at_once {
        say(&mut stream, "220 localhost").await?;
    }
    loop {
        let line = hear(&mut stream, log).await?;
        let answer = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => "250-localhost\r\n250 AUTH PLAIN",
            // `\0soc\0canary-password` in base64.
            "AUTH" if line.ends_with("AHNvYwBjYW5hcnktcGFzc3dvcmQ=") => "235 2.7.0 welcome",
            "AUTH" => "535 5.7.8 no",
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                while hear(&mut stream, log).await? != "." {}
                "250 2.0.0 taken"
            }
            "QUIT" => return say(&mut stream, "221 2.0.0 goodbye").await,
            _ => "250 2.0.0 fine",
        };
        say(&mut stream, answer).await?;
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn hear(stream: &mut BufReader<impl AsyncRead + Unpin>, log: &Log) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.trim_end().to_owned();
    log.lock().unwrap().push(line.clone());
    Ok(line)
}
