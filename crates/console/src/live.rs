//! Tells open pages that something changed, by server-sent events. Only the incident's number is sent; the page fetches what
//! it shows, through the same checks as any page.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::App;
use crate::error::Fault;
use crate::visitor::Visitor;

/// Streams open at once, over all visitors.
pub(crate) const MAX_STREAMS: usize = 512;
/// A stream ends by itself after this and the browser comes back, with its session looked at anew (SEC-08: within a minute).
const LASTS: Duration = Duration::from_secs(50);
/// The browser's pause before it comes back.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) async fn events(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    let Ok(permit) = Arc::clone(&app.inner.streams).try_acquire_owned() else { return Err(Fault::Busy) };
    let nudges = BroadcastStream::new(app.engine().nudges()).filter_map(move |nudge| {
        // The permit lives as long as the stream.
        let _held = &permit;
        ready(match nudge {
            Ok(nudge) => visitor.sees(&nudge.tenant).then(|| changed(&nudge.incident.to_string())),
            Err(BroadcastStreamRecvError::Lagged(_)) => Some(changed("*")),
        })
    });
    let hello = stream::once(ready(Event::default().event("hello").retry(RETRY).data("")));
    let mut stopped = app.inner.stopped.subscribe();
    let end = tokio::time::timeout(LASTS, async move {
        // Fails only when the whole console is gone, which ends the stream as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    Ok(Sse::new(hello.chain(nudges).map(Ok).take_until(end)).keep_alive(KeepAlive::default()))
}

fn changed(what: &str) -> Event {
    Event::default().event("changed").data(what)
}
