//! What the pages of both sinks share: a small site on the local machine, its guards, and its look.
//! Everything shown was written by somebody else: it is text, and what cannot be seen is made visible (SEC-30, SEC-35).

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract::DefaultBodyLimit};
use axum_server::Handle;
use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The largest request a site reads.
const MAX_BODY: usize = 1024 * 1024;
/// How long a page may hang on the question whether there is something new.
const LONGEST_WAIT: Duration = Duration::from_secs(25);
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A site that is being served until it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Site {
    addr: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

impl Site {
    /// Serves `routes` behind the guards, together with the style sheet and the script of the pages.
    pub(crate) fn open(addr: SocketAddr, routes: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(local_only(addr)?)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let handle = Handle::new();
        let server = axum_server::from_tcp(listener)?.handle(handle.clone());
        let routes = routes
            .route(
                "/style.css",
                get(|| async { ([(header::CONTENT_TYPE, "text/css")], include_str!("web/style.css")) }),
            )
            .route(
                "/live.js",
                get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], include_str!("web/live.js")) }),
            )
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .layer(middleware::from_fn(guard));
        let task = tokio::spawn(server.serve(routes.into_make_service()));
        Ok(Self { addr, handle, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Ends the site and every connection to it, and returns when its port is free.
    pub(crate) async fn stop(mut self) {
        self.handle.shutdown();
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "the site of a sink ended badly");
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.task.abort();
    }
}

/// A sink protects nothing, so nobody but this machine may reach it.
pub(crate) fn local_only(addr: SocketAddr) -> io::Result<SocketAddr> {
    if addr.ip().is_loopback() {
        return Ok(addr);
    }
    let message = format!("a sink listens on the local machine only, not on `{addr}`");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// Refuses foreign host names (a web page elsewhere could let its own name point at this machine and read along), and
/// gives every answer the headers that keep hostile content quiet.
async fn guard(request: Request, next: Next) -> Response {
    if !names_this_machine(request.headers()) {
        return (StatusCode::MISDIRECTED_REQUEST, "this site answers to `localhost` and to addresses").into_response();
    }
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|h| h.to_str().ok()) else { return false };
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(n, _)| n);
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[')
}

/// An answer that ends before it has said anything.
pub(crate) fn hang_up() -> Response {
    let nothing = io::Error::other("the answer is lost on purpose");
    Body::from_stream(tokio_stream::iter([Err::<Vec<u8>, _>(nothing)])).into_response()
}

#[expect(clippy::disallowed_methods, reason = "a slow far side is slow in real time, for clients with real time-outs")]
pub(crate) async fn pause(delay: Duration) {
    tokio::time::sleep(delay).await;
}

/// Answers the script of a page: 200 as soon as something came after `seen`, 204 if nothing did for a while.
pub(crate) async fn wait_for_news(mut changes: watch::Receiver<u64>, seen: u64) -> StatusCode {
    match tokio::time::timeout(LONGEST_WAIT, changes.wait_for(|now| *now != seen)).await {
        Ok(Ok(_)) => StatusCode::OK,
        Ok(Err(_)) | Err(_) => StatusCode::NO_CONTENT,
    }
}

/// A whole page. With `seen`, it loads itself again when there is something newer than that.
pub(crate) fn page(title: &str, seen: Option<u64>, body: &Markup) -> Html<String> {
    let whole = html! {
        (DOCTYPE)
        html lang="ja" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="dark";
                title { (visible(title)) }
                link rel="stylesheet" href="/style.css";
                @if seen.is_some() { script src="/live.js" type="module" {} }
            }
            body data-seen=[seen] { main { (body) } }
        }
    };
    Html(whole.into_string())
}

/// A time as it is read at the SOC, with the stored one behind it.
pub(crate) fn time(at: Timestamp) -> Markup {
    // Japan has had one offset and no summer time since 1951.
    let shown = at.to_zoned_datetime(TimeZone::fixed(tz::offset(9))).strftime("%Y-%m-%d %H:%M:%S").to_string();
    html! { time datetime=(at) title={ (at) " (UTC)" } { (shown) small { " JST" } } }
}

/// Text with everything that hides or reorders it spelt out, as `⟨U+202E⟩`. Line breaks and tabs stay.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) { shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))) } else { shown.push(c) }
    }
    shown
}

fn hides(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text whose web addresses can be followed, each in a page of its own.
pub(crate) fn with_links(text: &str) -> Markup {
    let mut rest = text;
    let mut done = String::new();
    while let Some(start) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c.is_whitespace() || "<>\"'`」』】）、。".contains(c)).unwrap_or(from.len());
        let address = from[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        done.push_str(&html! { (visible(before)) (link(address, address)) }.into_string());
        rest = &from[address.len()..];
    }
    done.push_str(&html! { (visible(rest)) }.into_string());
    PreEscaped(done)
}

/// A link that leads out of the site. Only web addresses are followed, everything else stays text.
pub(crate) fn link(address: &str, label: &str) -> Markup {
    html! {
        @if address.starts_with("https://") || address.starts_with("http://") {
            a href=(address) target="_blank" rel="noopener noreferrer" { (visible(label)) }
        } @else {
            (visible(label))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_spelt_out() {
        assert_eq!(visible("invoice\u{202e}fdp.exe"), "invoice⟨U+202E⟩fdp.exe");
        assert_eq!(visible("改行\nと\tタブ\u{7}"), "改行\nと\tタブ⟨U+0007⟩");
    }

    #[test]
    fn only_web_addresses_become_links() {
        let shown =
            with_links("詳細:https://soc.example/INC-2026-000123?a=1&b=2。\n<b>javascript:alert(1)</b>").into_string();
        assert!(
            shown.contains(r#"<a href="https://soc.example/INC-2026-000123?a=1&amp;b=2" target="_blank""#),
            "{shown}"
        );
        assert!(shown.contains("&lt;b&gt;javascript:alert(1)&lt;/b&gt;"), "{shown}");
        assert_eq!(link("javascript:alert(1)", "開く").into_string(), "開く");
    }

    #[test]
    fn a_foreign_host_name_is_not_this_machine() {
        let host = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, name.parse().expect("a header"));
            names_this_machine(&headers)
        };
        assert!(host("127.0.0.1:8025") && host("localhost:8025") && host("[::1]:8025") && host("localhost"));
        assert!(!host("evil.example:8025") && !host("localhost.evil.example"));
        assert!(!names_this_machine(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_sink_is_not_opened_to_the_network() {
        let refused = Site::open("0.0.0.0:0".parse().expect("an address"), Router::new());
        assert_eq!(refused.expect_err("not local").kind(), io::ErrorKind::InvalidInput);
    }
}
