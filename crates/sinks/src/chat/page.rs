//! The page of the chat sink: the channels, and their threads as their members see them, newest thread first.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::api::Desk;
use super::ledger::{Channel, Post};
use super::markup::{mrkdwn, unescaped};
use crate::web::{link, page, time, visible, wait_for_news};

/// How many threads a page shows; the newest.
const SHOWN_THREADS: usize = 200;

pub(super) fn routes(desk: Arc<Desk>) -> Router {
    Router::new().route("/", get(channel)).route("/wait", get(wait)).with_state(desk)
}

#[derive(Debug, Deserialize)]
struct Choice {
    channel: Option<String>,
}

async fn channel(State(desk): State<Arc<Desk>>, Query(choice): Query<Choice>) -> Html<String> {
    let seen = *desk.ledger.changes().borrow();
    let (channels, posts, doubled) = (desk.ledger.channels(), desk.ledger.posts(), desk.ledger.doubled());
    let chosen = choice.channel.as_deref();
    let mut threads: BTreeMap<(&str, &str), Vec<&Post>> = BTreeMap::new();
    for post in posts.iter().filter(|post| chosen.is_none_or(|id| post.channel == id)) {
        threads.entry((post.root(), &post.channel)).or_default().push(post);
    }
    let body = html! {
        header.top {
            h1 { "チャット · Chat" }
            @if doubled.is_empty() { span.quiet { (desk.ledger.accepted()) " 件 · posts" } }
            @else { span.mark.alarm { "重複 · doubled " (doubled.len()) } }
        }
        nav.chips aria-label="チャンネル · channels" {
            a href="/" aria-current=[chosen.is_none().then_some("page")] { "すべて · all" }
            @for channel in &channels {
                a href={ "/?channel=" (channel.id) } aria-current=[(chosen == Some(&*channel.id)).then_some("page")] {
                    "#" (visible(&channel.name)) " "
                    small { (posts.iter().filter(|post| post.channel == channel.id).count()) }
                }
            }
        }
        @if threads.is_empty() {
            p.empty { "まだ投稿がありません。投稿されるとここに表示されます。" br; "Nothing has been posted yet. Posts appear here by themselves." }
        }
        @for posts in threads.values().rev().take(SHOWN_THREADS) {
            article.card {
                @for (index, post) in posts.iter().enumerate() {
                    @if index == 1 { p.quiet { (posts.len() - 1) " 件の返信 · replies" } }
                    div.replies[index > 0] { (message(post, &channels, &doubled)) }
                }
            }
        }
    };
    page("Chat", Some(seen), &body)
}

fn message(post: &Post, channels: &[Channel], doubled: &[String]) -> Markup {
    let channel = channels.iter().find(|channel| channel.id == post.channel).map(|channel| channel.name.as_str());
    html! {
        section.message {
            div {
                span.who { "yagura" }
                @if post.thread_ts.is_none() { "#" (visible(channel.unwrap_or(&post.channel))) " " }
                small { (time(post.accepted_at)) @if post.edits > 0 { " (編集済み · edited)" } }
                " "
                @if post.key().is_some_and(|key| doubled.iter().any(|d| d == key)) { span.mark.alarm { "重複 · doubled" } }
                @if !post.mentions().is_empty() { " " span.mark.lamp { "呼び出し · mention" } }
            }
            @if post.blocks.is_empty() { div.block { (mrkdwn(&post.text)) } }
            @for block in &post.blocks { (shown(block)) }
        }
    }
}

/// One block. Its shape was checked when it was taken; what is missing all the same is shown as nothing.
fn shown(block: &Value) -> Markup {
    let items = |name: &str| block[name].as_array().map(Vec::as_slice).unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "header" => html! { div.block.header { (text(&block["text"])) } },
        "section" => html! {
            @if block.get("text").is_some() { div.block { (text(&block["text"])) } }
            @if block.get("fields").is_some() { div.block.fields { @for field in items("fields") { div { (text(field)) } } } }
            @if block.get("accessory").is_some() { div.block { (element(&block["accessory"])) } }
        },
        "context" => html! { div.block.context { @for item in items("elements") { span { (element(item)) } } } },
        "actions" => html! { div.block { @for item in items("elements") { (element(item)) } } },
        "image" => html! { div.block { (element(block)) } },
        "divider" => html! { hr; },
        _ => html! {},
    }
}

fn element(element: &Value) -> Markup {
    match element["type"].as_str().unwrap_or_default() {
        "button" => {
            let label = element["text"]["text"].as_str().unwrap_or_default();
            let style = element["style"].as_str().unwrap_or_default();
            html! { span.button.primary[style == "primary"].danger[style == "danger"] { (link(element["url"].as_str().unwrap_or_default(), &unescaped(label))) } }
        }
        // Pictures are named and not fetched: the page loads nothing from outside.
        "image" => {
            html! { "🖼 " (link(element["image_url"].as_str().unwrap_or_default(), element["alt_text"].as_str().unwrap_or_default())) }
        }
        _ => text(element),
    }
}

fn text(object: &Value) -> Markup {
    let text = object["text"].as_str().unwrap_or_default();
    if object["type"] == "mrkdwn" {
        mrkdwn(text)
    } else {
        html! { (visible(&unescaped(text))) }
    }
}

#[derive(Debug, Deserialize)]
struct Seen {
    seen: u64,
}

async fn wait(State(desk): State<Arc<Desk>>, Query(Seen { seen }): Query<Seen>) -> StatusCode {
    wait_for_news(desk.ledger.changes(), seen).await
}
