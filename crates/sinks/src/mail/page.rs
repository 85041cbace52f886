//! The page of the mail sink: who got what, and each mail as its reader sees it.
//! The HTML part is shown in a frame of its own that can run nothing and load nothing (SEC-30, SEC-32).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use super::ledger::Ledger;
use super::message::{Attachment, Mail};
use crate::web::{page, time, visible, wait_for_news, with_links};

/// How many mails the list shows; the newest.
const LISTED: usize = 500;
/// The frame may open a link in a new page when its reader clicks, and nothing else.
const SANDBOX: &str = "allow-popups allow-popups-to-escape-sandbox";
const FRAME_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
     frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

type Shared = State<Arc<Ledger>>;

pub(super) fn routes(ledger: Arc<Ledger>) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/wait", get(wait))
        .route("/mail/{number}", get(one))
        .route("/mail/{number}/html", get(frame))
        .route("/mail/{number}/raw", get(raw))
        .route("/mail/{number}/attachment/{index}", get(attachment))
        .with_state(ledger)
}

#[derive(Debug, Deserialize)]
struct Filter {
    to: Option<String>,
}

async fn list(State(ledger): Shared, Query(filter): Query<Filter>) -> Html<String> {
    let mails = ledger.messages();
    let accepted = ledger.accepted();
    let doubled = ledger.doubled();
    let mut boxes: BTreeMap<String, usize> = BTreeMap::new();
    for recipient in mails.iter().flat_map(|mail| &mail.to) {
        *boxes.entry(recipient.to_lowercase()).or_default() += 1;
    }
    let chosen = filter.to.as_deref();
    let shown = mails.iter().rev().filter(|mail| chosen.is_none_or(|to| mail.is_to(to))).take(LISTED);
    let body = html! {
        header.top {
            h1 { "受信メール · Mail" }
            @if doubled.is_empty() { span.quiet { (accepted) " 通 · mails" } }
            @else { span.mark.alarm { "重複 · doubled " (doubled.len()) } }
        }
        @if mails.is_empty() {
            p.empty { "まだ届いていません。届くとここに表示されます。" br; "Nothing has arrived yet. Mails appear here by themselves." }
        } @else {
            nav.chips aria-label="宛先 · recipients" {
                a href="/" aria-current=[chosen.is_none().then_some("page")] { "すべて · all" }
                @for (recipient, count) in &boxes {
                    @let here = chosen.is_some_and(|to| to.eq_ignore_ascii_case(recipient));
                    a href={ "/?to=" (encoded(recipient)) } aria-current=[here.then_some("page")] {
                        (visible(recipient)) " " small { (count) }
                    }
                }
            }
            ul.list {
                @for mail in shown {
                    li { a href={ "/mail/" (mail.number) } {
                        span.subject { (visible(&mail.subject)) }
                        (time(mail.accepted_at))
                        span.people { (visible(&mail.from)) " → " (visible(&mail.to.join(", "))) }
                        span { @if doubled.contains(&mail.message_id) { span.mark.alarm { "重複 · doubled" } } }
                    } }
                }
            }
        }
    };
    page("Mail", Some(accepted), &body)
}

async fn one(State(ledger): Shared, Path(number): Path<u64>) -> Response {
    let Some(mail) = ledger.find(number) else { return gone() };
    let copies = ledger.copies(&mail.message_id);
    let body = html! {
        header.top {
            h1 { (visible(&mail.subject)) }
            a href="/" { "← 一覧 · all mails" }
        }
        dl.facts {
            dt { "差出人 · From" } dd { (visible(&mail.from)) }
            dt { "宛先 · To" } dd { (visible(&mail.to.join(", "))) }
            dt { "受信 · Accepted" } dd { (time(mail.accepted_at)) }
            dt { "Message-ID" } dd {
                (visible(&mail.message_id)) " "
                @if copies > 1 { span.mark.alarm { (copies) " 回受信 · received " (copies) " times" } }
            }
            @if let Some(parent) = &mail.in_reply_to { dt { "返信先 · In reply to" } dd { (visible(parent)) } }
        }
        @if let Some(text) = &mail.text { section.card { h2 { "テキスト · Text" } pre.letter { (with_links(text)) } } }
        @if mail.html.is_some() {
            section.card {
                h2 { "HTML" }
                iframe src={ "/mail/" (number) "/html" } sandbox=(SANDBOX) title="HTML" referrerpolicy="no-referrer" {}
            }
        }
        @if !mail.attachments.is_empty() { (attachments(&mail)) }
        details.card {
            summary { "ヘッダー · Headers" }
            pre { @for (name, value) in &mail.headers { (visible(name)) ": " (visible(value)) "\n" } }
        }
        p { a href={ "/mail/" (number) "/raw" } { "原文を保存 · download as sent" } " " small { (mail.raw.len()) " bytes" } }
    };
    page(&mail.subject, None, &body).into_response()
}

fn attachments(mail: &Mail) -> Markup {
    html! {
        section.card {
            h2 { "添付 · Attachments" }
            @for (index, Attachment { name, media_type, size }) in mail.attachments.iter().enumerate() {
                div {
                    a href={ "/mail/" (mail.number) "/attachment/" (index) } {
                        @if name.is_empty() { "(" (visible(media_type)) ")" } @else { (visible(name)) }
                    }
                    " " small { (visible(media_type)) " · " (size) " bytes" }
                }
            }
        }
    }
}

async fn frame(State(ledger): Shared, Path(number): Path<u64>) -> Response {
    let Some(html) = ledger.find(number).and_then(|mail| mail.html.clone()) else { return gone() };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, FRAME_POLICY)];
    (headers, links_open_outside(&html)).into_response()
}

/// A link followed inside the frame would show a page where none may be shown.
fn links_open_outside(html: &str) -> String {
    const BASE: &str = r#"<base target="_blank">"#;
    let head = html.to_ascii_lowercase().find("<head>").map_or(0, |at| at + "<head>".len());
    let (before, after) = html.split_at(head);
    format!("{before}{BASE}{after}")
}

async fn raw(State(ledger): Shared, Path(number): Path<u64>) -> Response {
    ledger.find(number).map_or_else(gone, |mail| download(&format!("{number}.eml"), mail.raw.clone()))
}

async fn attachment(State(ledger): Shared, Path((number, index)): Path<(u64, usize)>) -> Response {
    let Some(mail) = ledger.find(number) else { return gone() };
    let name = mail.attachments.get(index).map(|a| a.name.as_str()).unwrap_or_default();
    mail.attachment(index).map_or_else(gone, |content| download(name, content))
}

/// Handed out to be saved, never to be shown by the browser in place.
fn download(name: &str, content: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename*=UTF-8''{}", encoded(name));
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, content).into_response()
}

/// Percent-encoded to the last byte that could mean something in an address or a header.
fn encoded(text: &str) -> String {
    let mut result = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            result.push(char::from(byte));
        } else {
            result.push_str(&format!("%{byte:02X}"));
        }
    }
    result
}

#[derive(Debug, Deserialize)]
struct Seen {
    seen: u64,
}

async fn wait(State(ledger): Shared, Query(Seen { seen }): Query<Seen>) -> StatusCode {
    wait_for_news(ledger.changes(), seen).await
}

fn gone() -> Response {
    let body = html! {
        p.empty { "このメールはありません(古いものから消えます)。" br; "There is no such mail; the oldest are dropped." br; a href="/" { "← 一覧 · all mails" } }
    };
    (StatusCode::NOT_FOUND, page("404", None, &body)).into_response()
}
