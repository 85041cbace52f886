//! The in-process form of the door: a far side that answers without sockets, for tests and the simulation.
//!
//! The simulator's router or a test's closure stands behind it; allow-list, budget, breaker, bounds and error classes stay
//! the real ones.

use std::fmt;
use std::pin::Pin;

use crate::error::Error;
use crate::origin::Origin;
use crate::request::{Request, Safety};

/// Something that answers requests inside this process.
pub trait FarSide: Send + Sync + fmt::Debug {
    fn answer(&self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, Unreachable>> + Send + '_>>;
}

/// A request as the far side sees it.
#[derive(Clone)]
pub struct Call {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold tokens and the query may hold cursors; the far side can read both, a log must not.
        f.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

/// An answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// How a far side fails to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// The request never arrived.
    NoConnection,
    /// It arrived, but no answer came back in time.
    NoAnswer,
    /// It arrived, and the connection broke.
    Broken,
}

pub(crate) async fn exchange(
    far_side: &dyn FarSide,
    request: &Request,
    origin: &Origin,
    limit: usize,
) -> Result<Answer, Error> {
    let in_doubt = request.safety == Safety::OnceOnly;
    let answer = far_side.answer(as_call(request)).await.map_err(|unreachable| match unreachable {
        Unreachable::NoConnection => Error::Connect { origin: origin.to_string(), source: "nobody listens".into() },
        Unreachable::NoAnswer => Error::TimedOut { after: request.total_timeout.unwrap_or_default(), in_doubt },
        Unreachable::Broken => Error::Lost { source: "the far side hung up".into(), in_doubt },
    })?;
    let succeeded = (200..300).contains(&answer.status);
    if succeeded && answer.body.len() > limit {
        return Err(Error::TooLarge { limit, in_doubt });
    }
    Ok(answer)
}

fn as_call(request: &Request) -> Call {
    let mut headers: Vec<_> = request.headers.iter().map(|(n, v)| ((*n).to_owned(), v.on_the_wire())).collect();
    if let Some(body) = &request.body {
        headers.push(("content-type".into(), body.content_type.into()));
    }
    Call {
        method: request.method.name(),
        url: request.url.to_string(),
        headers,
        body: request.body.as_ref().map(|b| b.bytes.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_hides_its_headers() {
        let call = Call {
            method: "GET",
            url: "https://a.example/?canary".into(),
            headers: vec![("authorization".into(), "canary".into())],
            body: b"canary".to_vec(),
        };
        assert!(!format!("{call:?}").contains("canary"));
    }
}
