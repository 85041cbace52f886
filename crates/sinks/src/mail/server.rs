//! The sockets of the mail server: lines in, answers out, and the message text with its dots. Every line, message,
//! wait and number of connections has a bound.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::Fault;
use super::dialogue::{Dialogue, Envelope, MAX_MESSAGE, Next};
use super::ledger::{Full, Ledger};
use super::message::Mail;
use crate::{Now, web};

const MAX_CONNECTIONS: usize = 64;
/// RFC 5321 asks for 512; extensions and long addresses need more.
const MAX_COMMAND_LINE: usize = 2_048;
/// RFC 5321, section 4.5.3.1.6, with its line end.
const MAX_TEXT_LINE: usize = 1_000;
/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Server {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn open(addr: SocketAddr, ledger: Arc<Ledger>, now: Now) -> io::Result<Self> {
        let listener = TcpListener::bind(web::local_only(addr)?).await?;
        let addr = listener.local_addr()?;
        Ok(Self { addr, task: tokio::spawn(serve(listener, ledger, now)) })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) async fn stop(mut self) {
        self.task.abort();
        let _cancelled = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers clients until it is aborted; the sessions end with it.
async fn serve(listener: TcpListener, ledger: Arc<Ledger>, now: Now) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            arrived = listener.accept() => match arrived {
                Ok((stream, _)) if sessions.len() >= MAX_CONNECTIONS => {
                    sessions.spawn(turn_away(stream));
                }
                Ok((stream, _)) => {
                    sessions.spawn(attend(stream, Arc::clone(&ledger), now.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a mail client could not be let in");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn turn_away(mut stream: TcpStream) {
    // Whoever hangs up first needs no answer.
    let _sent = timeout(Duration::from_secs(1), stream.write_all(b"421 4.3.2 too many connections\r\n")).await;
}

async fn attend(stream: TcpStream, ledger: Arc<Ledger>, now: Now) {
    if let Err(error) = converse(stream, &ledger, &now).await {
        tracing::debug!(%error, "a mail client left in the middle");
    }
}

async fn converse(stream: TcpStream, ledger: &Ledger, now: &Now) -> io::Result<()> {
    let mut wire = Wire::new(stream)?;
    let mut dialogue = Dialogue::default();
    wire.say(&Dialogue::greeting()).await?;
    loop {
        let next = match wire.line(MAX_COMMAND_LINE).await? {
            Line::Text => dialogue.hear(&wire.line),
            Line::TooLong => Next::Close("500 5.5.2 the line is too long"),
            Line::BadEnd => Next::Close("500 5.5.2 a line ends with CR and LF"),
            Line::Closed => return Ok(()),
        };
        match next {
            Next::Say(answer) => wire.say(&answer).await?,
            Next::Close(answer) => return wire.say(answer).await,
            Next::Take(envelope) => {
                wire.say("354 the message, and a dot alone on a line").await?;
                let message = wire.message().await?;
                match decide(message, envelope, ledger, now) {
                    Outcome::Answer(answer) => wire.say(&answer).await?,
                    Outcome::HangUp => return Ok(()),
                    Outcome::AnswerLater(delay, answer) => {
                        pause(delay).await;
                        wire.say(&answer).await?;
                    }
                }
            }
        }
    }
}

enum Outcome {
    Answer(String),
    AnswerLater(Duration, String),
    HangUp,
}

/// Enters a message in the ledger, or refuses it, or does what the fault of the hour asks for.
fn decide(message: Result<Vec<u8>, &str>, envelope: Envelope, ledger: &Ledger, now: &Now) -> Outcome {
    let fault = ledger.take_fault();
    match fault {
        Some(Fault::Temporary) => return Outcome::Answer("451 4.3.0 not now, try again later".into()),
        Some(Fault::Permanent) => return Outcome::Answer("550 5.7.1 not wanted here".into()),
        Some(Fault::LostAnswer | Fault::Slow(_)) | None => {}
    }
    let read = message.and_then(|raw| Mail::read(envelope, raw, now.ask()));
    let accepted = match read.map(|mail| ledger.accept(mail)) {
        Ok(Ok(number)) => format!("250 2.0.0 kept as {number}"),
        Ok(Err(Full)) => return Outcome::Answer("452 4.3.1 the ledger is full".into()),
        Err(refusal) => return Outcome::Answer(refusal.to_owned()),
    };
    match fault {
        Some(Fault::LostAnswer) => Outcome::HangUp,
        Some(Fault::Slow(delay)) => Outcome::AnswerLater(delay, accepted),
        _ => Outcome::Answer(accepted),
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow far side is slow in real time, for clients with real time-outs")]
async fn pause(delay: Duration) {
    tokio::time::sleep(delay).await;
}

/// What came as one line; its text, without the line end, is in the wire.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Text,
    TooLong,
    /// A line feed or carriage return alone: where one server sees the end of a message and another does not, a
    /// second mail can be smuggled in.
    BadEnd,
    Closed,
}

struct Wire {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    line: Vec<u8>,
}

impl Wire {
    fn new(stream: TcpStream) -> io::Result<Self> {
        // Answers are short and each is waited for.
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: BufReader::new(reader), writer, line: Vec::new() })
    }

    async fn say(&mut self, answer: &str) -> io::Result<()> {
        timeout(PATIENCE, self.writer.write_all(format!("{answer}\r\n").as_bytes())).await?
    }

    /// Reads up to and with the next line feed. No more than `limit` bytes of it are kept.
    async fn line(&mut self, limit: usize) -> io::Result<Line> {
        self.line.clear();
        let mut length = 0;
        loop {
            let chunk = timeout(PATIENCE, self.reader.fill_buf()).await??;
            if chunk.is_empty() {
                return if length == 0 { Ok(Line::Closed) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            let end = chunk.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let used = end.unwrap_or(chunk.len());
            let room = limit.saturating_sub(self.line.len());
            self.line.extend_from_slice(&chunk[..used.min(room)]);
            self.reader.consume(used);
            length += used;
            if end.is_some() {
                break;
            }
            if length > MAX_MESSAGE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without end"));
            }
        }
        if length > limit {
            return Ok(Line::TooLong);
        }
        let text = self.line.strip_suffix(b"\r\n").filter(|text| !text.contains(&b'\r'));
        let Some(kept) = text.map(<[u8]>::len) else { return Ok(Line::BadEnd) };
        self.line.truncate(kept);
        Ok(Line::Text)
    }

    /// Reads a message to its final dot and unstuffs it; or, having read it all the same, says why it is refused.
    async fn message(&mut self) -> io::Result<Result<Vec<u8>, &'static str>> {
        let mut message = Vec::new();
        let mut refusal = None;
        let mut length = 0;
        loop {
            match self.line(MAX_TEXT_LINE).await? {
                Line::Text if self.line == b"." => return Ok(refusal.map_or(Ok(message), Err)),
                Line::Text => {
                    length += self.line.len() + 2;
                    message.extend_from_slice(self.line.strip_prefix(b".").unwrap_or(&self.line));
                    message.extend_from_slice(b"\r\n");
                }
                Line::TooLong => {
                    length += MAX_TEXT_LINE;
                    refusal = refusal.or(Some("500 5.6.0 a line of the message is longer than 998 bytes"));
                }
                Line::BadEnd => {
                    length += self.line.len();
                    refusal = refusal.or(Some("550 5.6.0 a line of the message does not end with CR and LF"));
                }
                Line::Closed => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            if length > MAX_MESSAGE {
                refusal = refusal.or(Some("552 5.3.4 too large"));
            }
            if length > 2 * MAX_MESSAGE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message without end"));
            }
            if refusal.is_some() {
                message = Vec::new();
            }
        }
    }
}
