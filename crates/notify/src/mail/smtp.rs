//! Hands a mail to a mail server, step by step, so that afterwards it is known how far it came.
//!
//! It sends once, to whom the caller names, over a connection of its own, and holds neither clock nor queue. A refused
//! recipient does not keep the mail from the others. Without encryption it talks to the local machine only (SEC-74).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::tenant::Email;
use domain::{Timestamp, Untrusted};
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials as SignIn, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use outbound::Secret;

use super::{Mail, wire};

mod error;
#[cfg(test)]
mod tests;

pub use error::{Error, InvalidSettings, Refusal, Step};

/// Most recipients of one mail; servers must take as many (RFC 5321, section 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;
/// For saying goodbye after the mail was taken.
const GOODBYE: Duration = Duration::from_secs(2);

/// Which server, and how it is spoken to. Parsed from the configuration once, at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub credentials: Option<Credentials>,
    /// Trusted beside the public roots, in PEM.
    pub extra_roots_pem: Vec<String>,
    /// How we introduce ourselves; the sender's domain when not set.
    pub hello: Option<String>,
    /// Name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For each command, the content apart.
    pub command_timeout: Duration,
    /// From the first byte of the content to the server's answer.
    pub content_timeout: Duration,
}

impl Settings {
    pub fn new(host: &str, port: u16, security: Security) -> Self {
        Self {
            host: host.to_owned(),
            port,
            security,
            credentials: None,
            extra_roots_pem: Vec::new(),
            hello: None,
            connect_timeout: Duration::from_secs(10),
            command_timeout: Duration::from_secs(30),
            content_timeout: Duration::from_secs(60),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// Encrypted from the first byte (port 465).
    Tls,
    /// Encrypted before anything is said (port 587). A server that does not offer it gets nothing.
    StartTls,
    /// Not encrypted: only to a loopback address, and never with credentials.
    PlainOnLoopback,
}

#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The server took the mail (T3a). What it does with it afterwards nobody can know.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    pub message_id: String,
    /// The server's words, often with its queue id.
    pub response: Untrusted,
    /// Recipients that the server did not take, while it took at least one.
    pub refused: Vec<(Email, Refusal)>,
}

/// A mail server as we know it. Cheap to clone; every sending opens its own connection.
#[derive(Clone)]
pub struct Smtp {
    transport: Transport,
}

#[derive(Clone)]
enum Transport {
    Wire(Box<Wire>),
    InProcess(Arc<dyn FarSide>),
}

#[derive(Clone)]
struct Wire {
    settings: Settings,
    tls: Option<TlsParameters>,
}

/// A mail server inside this process, for the simulation: everything but the conversation is the same code.
pub trait FarSide: Send + Sync + fmt::Debug {
    /// Takes the mail for `to` and says so in the server's words, or fails as a server can. `bytes` is what would have
    /// gone over the wire.
    fn take<'a>(&'a self, mail: &'a Mail, to: &'a [&'a Email], bytes: &'a [u8]) -> Taking<'a>;
}

/// What a far side is doing with a mail.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Result<String, Error>> + Send + 'a>>;

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transport {
            Transport::Wire(wire) => f.debug_struct("Smtp").field("settings", &wire.settings).finish_non_exhaustive(),
            Transport::InProcess(far_side) => f.debug_tuple("Smtp").field(far_side).finish(),
        }
    }
}

impl Smtp {
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        let tls = match settings.security {
            Security::PlainOnLoopback => {
                if !is_loopback(&settings.host) {
                    return Err(InvalidSettings::NotLoopback { host: settings.host });
                }
                if settings.credentials.is_some() {
                    return Err(InvalidSettings::CredentialsInTheClear);
                }
                None
            }
            Security::Tls | Security::StartTls => Some(tls(&settings)?),
        };
        Ok(Self { transport: Transport::Wire(Box::new(Wire { settings, tls })) })
    }

    /// To a far side inside this process.
    pub fn in_process(far_side: Arc<dyn FarSide>) -> Self {
        Self { transport: Transport::InProcess(far_side) }
    }

    /// Connects, encrypts and signs in as the settings demand, and leaves without sending anything.
    pub async fn check(&self, sender: &Email) -> Result<(), Error> {
        let from = wire::address(sender).ok_or(Error::Unsendable)?;
        if let Transport::Wire(wire) = &self.transport {
            Server::connect(wire, &from).await?.leave().await;
        }
        Ok(())
    }

    /// Sends once. `now` becomes the mail's date; the time-outs run on the machine's monotonic clock.
    pub async fn send(&self, mail: &Mail, recipients: &[Email], now: Timestamp) -> Result<Accepted, Error> {
        let (mut addresses, mut refused) = (Vec::new(), Vec::new());
        for recipient in recipients.iter().take(MAX_RECIPIENTS) {
            match wire::address(recipient) {
                Some(address) => addresses.push((recipient, address)),
                None => refused.push((recipient.clone(), Refusal::not_an_address())),
            }
        }
        if recipients.len() > MAX_RECIPIENTS || addresses.is_empty() {
            return Err(Error::Recipients { count: recipients.len() });
        }
        let from = wire::address(&mail.from).ok_or(Error::Unsendable)?;
        let to: Vec<Address> = addresses.iter().map(|(_, a)| a.clone()).collect();
        let bytes = wire::bytes(mail, &to, now).ok_or(Error::Unsendable)?;

        let (response, refused) = match &self.transport {
            Transport::Wire(wire) => {
                let mut server = Server::connect(wire, &from).await?;
                let result = server.deliver(from, addresses, refused, &bytes).await;
                server.leave().await;
                let (response, refused) = result?;
                (said(&response), refused)
            }
            Transport::InProcess(far_side) => {
                let named: Vec<&Email> = addresses.iter().map(|(recipient, _)| *recipient).collect();
                (Untrusted::new(&far_side.take(mail, &named, &bytes).await?), refused)
            }
        };
        tracing::debug!(
            mail.message_id = mail.message_id,
            mail.recipients = to.len(),
            mail.refused = refused.len(),
            "the mail server took a mail"
        );
        Ok(Accepted { message_id: mail.message_id.clone(), response, refused })
    }
}

/// One conversation.
struct Server<'a> {
    connection: AsyncSmtpConnection,
    settings: &'a Settings,
}

impl<'a> Server<'a> {
    /// Connected, encrypted and signed in, as the settings demand.
    async fn connect(wire: &'a Wire, from: &Address) -> Result<Self, Error> {
        let settings = &wire.settings;
        let hello = ClientId::Domain(settings.hello.clone().unwrap_or_else(|| from.domain().to_owned()));
        let from_the_start = wire.tls.clone().filter(|_| settings.security == Security::Tls);
        let opening = async {
            let place = (settings.host.as_str(), settings.port);
            let mut connection = AsyncSmtpConnection::connect_tokio1(place, None, &hello, from_the_start, None).await?;
            if let (Security::StartTls, Some(tls)) = (settings.security, wire.tls.clone()) {
                connection.starttls(tls, &hello).await?;
            }
            Ok(connection)
        };
        let connection = within(settings.connect_timeout, Step::Connect, opening).await?;
        let mut server = Self { connection, settings };
        if let Some(Credentials { user, password }) = &settings.credentials {
            let sign_in = SignIn::new(user.clone(), password.expose().to_owned());
            let answer = server.connection.auth(DEFAULT_MECHANISMS, &sign_in);
            within(settings.command_timeout, Step::SignIn, answer).await?;
        }
        Ok(server)
    }

    async fn deliver(
        &mut self,
        from: Address,
        to: Vec<(&Email, Address)>,
        mut refused: Vec<(Email, Refusal)>,
        bytes: &[u8],
    ) -> Result<(Response, Vec<(Email, Refusal)>), Error> {
        self.command(Step::Sender, From::new(Some(from), vec![])).await?;
        let asked = to.len();
        let mut turned_away = Vec::new();
        for (recipient, address) in to {
            match self.command(Step::Recipient, Rcpt::new(address, vec![])).await {
                Ok(_) => {}
                Err(Error::Refused { refusal, .. }) => turned_away.push((recipient.clone(), refusal)),
                Err(broken) => return Err(broken),
            }
        }
        if turned_away.len() == asked {
            // Worth another try as long as one of them is.
            let worst = turned_away.into_iter().map(|(_, r)| r).min_by_key(|r| !r.is_transient());
            return Err(worst
                .map_or(Error::Recipients { count: 0 }, |refusal| Error::Refused { step: Step::Recipient, refusal }));
        }
        refused.extend(turned_away);
        self.command(Step::Data, Data).await?;
        let content = self.connection.message(bytes);
        let response = within(self.settings.content_timeout, Step::Content, content).await?;
        Ok((response, refused))
    }

    async fn command(&mut self, step: Step, command: impl fmt::Display) -> Result<Response, Error> {
        within(self.settings.command_timeout, step, self.connection.command(command)).await
    }

    /// The mail is taken or lost by now; how the goodbye goes changes nothing.
    async fn leave(mut self) {
        let _ = tokio::time::timeout(GOODBYE, self.connection.abort()).await;
    }
}

async fn within<T>(
    limit: Duration,
    step: Step,
    exchange: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, exchange).await {
        Ok(result) => result.map_err(|error| Error::at(step, error)),
        Err(_) => Err(Error::TimedOut { step, after: limit }),
    }
}

/// TLS 1.2 or newer, verified against the public roots and the given ones, for the server's own name.
fn tls(settings: &Settings) -> Result<TlsParameters, InvalidSettings> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    for pem in &settings.extra_roots_pem {
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(InvalidSettings::Root { why: "no certificate in it".into() });
        }
        let root = Certificate::from_pem(pem.as_bytes()).map_err(|e| InvalidSettings::Root { why: e.to_string() })?;
        builder = builder.add_root_certificate(root);
    }
    builder.build().map_err(|e| InvalidSettings::Root { why: e.to_string() })
}

fn is_loopback(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback())
}

fn said(response: &Response) -> Untrusted {
    Untrusted::new(&format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
}
