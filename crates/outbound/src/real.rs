//! The door over real sockets: one shared client for the public web, one more for each origin that has an authority of its
//! own, so that a customer's authority vouches for that customer's console and nothing else (SEC-74).

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::Settings;
use crate::error::{EXCERPT_BYTES, Error};
use crate::far_side::Answer;
use crate::origin::Origin;
use crate::request::{Method, Request};

#[derive(Debug)]
pub(crate) struct Real {
    public: Client,
    own_authority: HashMap<Origin, Client>,
}

/// An extra root that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("the extra authority for `{origin}` cannot be used: {why}")]
pub struct InvalidRoots {
    origin: String,
    why: String,
}

impl Real {
    pub(crate) fn new(settings: &Settings) -> Result<Self, InvalidRoots> {
        let mut own_authority = HashMap::new();
        for allowed in settings.allowed.iter().filter(|a| !a.extra_roots_pem.is_empty()) {
            let client = client(settings, &allowed.extra_roots_pem)
                .map_err(|why| InvalidRoots { origin: allowed.origin.to_string(), why })?;
            own_authority.insert(allowed.origin.clone(), client);
        }
        let public = client(settings, &[]).map_err(|why| InvalidRoots { origin: "the public web".into(), why })?;
        Ok(Self { public, own_authority })
    }

    /// Writes the request and reads the answer, at most `limit` bytes of it when it is a success.
    pub(crate) async fn exchange(
        &self,
        request: &Request,
        origin: &Origin,
        timeout: Duration,
        limit: usize,
    ) -> Result<Answer, Error> {
        let client = self.own_authority.get(origin).unwrap_or(&self.public);
        let in_doubt = request.safety.is_once_only();
        let built = build(client, request, timeout)?;
        let response = client.execute(built).await.map_err(|error| no_answer(error, origin, timeout, in_doubt))?;
        let status = response.status();
        let headers = readable_headers(&response);
        let body =
            if status.is_success() { read(response, limit, timeout, in_doubt).await? } else { excerpt(response).await };
        Ok(Answer { status: status.as_u16(), headers, body })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door that every other crate goes through")]
fn client(settings: &Settings, extra_roots_pem: &[String]) -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(tls(extra_roots_pem)?)
        .user_agent(concat!("yagura/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(8)
        .build()
        .map_err(|error| describe(&error))
}

/// TLS 1.2 or newer, verified against the public roots and the given ones.
fn tls(extra_roots_pem: &[String]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in extra_roots_pem {
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("not readable as PEM: {error:?}"))?;
            roots.add(certificate).map_err(|error| error.to_string())?;
            found += 1;
        }
        if found == 0 {
            return Err("no certificate in it".into());
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn build(client: &Client, request: &Request, timeout: Duration) -> Result<reqwest::Request, Error> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut built = client.request(method, request.url.clone()).timeout(timeout);
    for (name, value) in &request.headers {
        let mut header = HeaderValue::from_str(&value.on_the_wire())
            .map_err(|_| Error::Unsendable { why: "a header holds characters that none may hold" })?;
        header.set_sensitive(value.is_secret());
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::Unsendable { why: "a header has a name that none may have" })?;
        built = built.header(name, header);
    }
    if let Some(body) = &request.body {
        built = built.header(CONTENT_TYPE, body.content_type).body(body.bytes.clone());
    }
    built.build().map_err(|_| Error::Unsendable { why: "the URL or a header is malformed" })
}

/// Only what is known to have failed before the first byte was written is free of doubt.
fn no_answer(error: reqwest::Error, origin: &Origin, timeout: Duration, once_only: bool) -> Error {
    let error = error.without_url();
    if error.is_connect() {
        let origin = origin.to_string();
        return if is_tls_refusal(&error) {
            Error::Certificate { origin, source: error.into() }
        } else {
            Error::Connect { origin, source: error.into() }
        };
    }
    if error.is_timeout() {
        return Error::TimedOut { after: timeout, in_doubt: once_only };
    }
    Error::Lost { source: error.into(), in_doubt: once_only }
}

fn is_tls_refusal(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        next = match error.downcast_ref::<std::io::Error>() {
            // The `source` of an io::Error skips what it wraps.
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    false
}

async fn read(mut response: Response, limit: usize, timeout: Duration, in_doubt: bool) -> Result<Vec<u8>, Error> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(Error::TooLarge { limit, in_doubt });
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(Error::TooLarge { limit, in_doubt }),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(Error::TimedOut { after: timeout, in_doubt }),
            Err(error) => {
                return Err(Error::CutShort { read: body.len(), source: error.without_url().into(), in_doubt });
            }
        }
    }
}

/// The beginning of a refusing answer, as much as came: the status already says what happened.
async fn excerpt(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < EXCERPT_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(EXCERPT_BYTES);
    body
}

fn readable_headers(response: &Response) -> Vec<(String, String)> {
    let lossy = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), lossy(value))).collect()
}

/// A builder's error with its causes in one line, for the start-up message.
fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
