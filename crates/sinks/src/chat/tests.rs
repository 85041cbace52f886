//! A client that speaks plain HTTP over real sockets, and what the sink makes of it.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

const TOKEN: &str = "xoxb-sink";
const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

fn sink() -> ChatSink {
    let channel = |id: &str, name: &str, shared| Channel { id: id.into(), name: name.into(), shared };
    ChatSink::start(Options {
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        token: TOKEN.into(),
        channels: vec![channel("C0ACME", "soc-acme", true), channel("C0BETA", "soc-beta", false)],
        now: Now::new(|| "2026-11-24T01:00:00Z".parse::<Timestamp>().expect("a time")),
    })
    .expect("a free port")
}

/// Sends one request and returns the whole answer, or what came of it before the connection broke.
async fn exchange(sink: &ChatSink, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(sink.url().trim_start_matches("http://")).await.expect("the sink listens");
    let length = body.len();
    let request = format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("an answer in time");
    assert!(read.is_ok() || answer.is_empty(), "cut short");
    String::from_utf8(answer).expect("text")
}

async fn raw_call(sink: &ChatSink, method: &str, kind: &str, token: &str, body: &str) -> String {
    let head = format!("POST /api/{method} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}");
    exchange(sink, &head, body).await
}

fn json_of(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").expect("a head and a body").1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

async fn call(sink: &ChatSink, method: &str, arguments: &Value) -> Value {
    json_of(&raw_call(sink, method, JSON, TOKEN, &arguments.to_string()).await)
}

async fn post(sink: &ChatSink, arguments: &Value) -> Value {
    call(sink, "chat.postMessage", arguments).await
}

fn notice(key: &str) -> Value {
    json!({
        "channel": "C0ACME", "text": "P0 INC-2026-000123", "unfurl_links": false, "unfurl_media": false,
        "metadata": { "event_type": "notice", "event_payload": { "idempotency_key": key } },
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "【P0・要対応】不審な活動の検知" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "*端末* ws-17\n`cmd.exe` &lt;!channel&gt;" } },
            { "type": "section", "fields": [{ "type": "mrkdwn", "text": "*期限*\n10:30 JST" }] },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "TLP:AMBER+STRICT" }] },
            { "type": "actions", "elements": [{ "type": "button", "style": "primary", "action_id": "open",
                "text": { "type": "plain_text", "text": "開く" }, "url": "https://soc.example/i/123" }] },
        ],
    })
}

#[tokio::test]
async fn a_post_is_answered_as_slack_answers_and_kept() {
    let sink = sink();
    let answer = post(&sink, &notice("n-1")).await;
    assert_eq!((&answer["ok"], &answer["channel"]), (&json!(true), &json!("C0ACME")));
    assert_eq!(answer["ts"], "1795482000.000000");
    assert_eq!(answer["message"]["text"], "P0 INC-2026-000123");
    assert!(answer.get("warning").is_none(), "{answer}");
    let posts = sink.in_channel("C0ACME");
    let [kept] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(kept.key(), Some("n-1"));
    assert!(
        kept.words().contains("【P0・要対応】不審な活動の検知\n*端末* ws-17") && kept.words().ends_with("開く"),
        "{}",
        kept.words()
    );
    assert_eq!((kept.mentions().len(), kept.unfurls), (0, false), "an escaped mention calls nobody");
    assert_eq!((sink.accepted(), sink.unkeyed(), sink.doubled().len()), (1, 0, 0));
}

#[tokio::test]
async fn a_form_says_the_same_as_json() {
    let sink = sink();
    let form = "channel=C0ACME&text=%E6%A4%9C%E7%9F%A5&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D&client_msg_id=f-1&unfurl_media=false";
    let answer = json_of(&raw_call(&sink, "chat.postMessage", FORM, TOKEN, form).await);
    assert_eq!(answer["ok"], true, "{answer}");
    let kept = &sink.posts()[0];
    assert_eq!((kept.text.as_str(), kept.blocks.len(), kept.key(), kept.unfurls), ("検知", 1, Some("f-1"), false));
}

#[tokio::test]
async fn a_reply_needs_a_parent_that_exists_in_its_channel() {
    let sink = sink();
    let parent = post(&sink, &notice("n-1")).await["ts"].as_str().expect("a stamp").to_owned();
    let reply = post(&sink, &json!({ "channel": "C0ACME", "text": "reply", "thread_ts": parent })).await;
    assert_eq!(reply["message"]["thread_ts"], parent.as_str());
    let elsewhere = post(&sink, &json!({ "channel": "C0BETA", "text": "reply", "thread_ts": parent })).await;
    assert_eq!(elsewhere["error"], "thread_not_found");
    let to_reply = post(&sink, &json!({ "channel": "C0ACME", "text": "reply", "thread_ts": reply["ts"] })).await;
    assert_eq!(to_reply["error"], "thread_not_found", "a reply has no replies");
    assert_eq!(sink.thread("C0ACME", &parent).len(), 2);
}

#[tokio::test]
async fn a_refusal_names_its_reason() {
    let sink = sink();
    for (arguments, error) in [
        (json!({ "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C0GONE", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C0ACME" }), "no_text"),
        (json!({ "channel": "C0ACME", "blocks": [{ "type": "divider" }] }), "no_text"),
        (json!({ "channel": "C0ACME", "text": "x".repeat(40_001) }), "msg_too_long"),
        (json!({ "channel": "C0ACME", "text": "x", "blocks": "[object Object]" }), "invalid_blocks_format"),
        (json!({ "channel": "C0ACME", "text": "x", "blocks": [{ "type": "nothing" }] }), "invalid_blocks"),
        (json!({ "channel": "C0ACME", "text": "x", "metadata": { "event_type": "n" } }), "invalid_metadata_format"),
        (json!([1]), "json_not_object"),
    ] {
        let answer = post(&sink, &arguments).await;
        assert_eq!((&answer["ok"], answer["error"].as_str()), (&json!(false), Some(error)), "{answer}");
    }
    let flawed = post(&sink, &json!({ "channel": "C0ACME", "text": "x", "blocks": [{ "type": "header" }] })).await;
    assert_eq!(
        flawed["response_metadata"]["messages"][0],
        "[ERROR] missing required field: text [json-pointer:/blocks/0]"
    );
    assert_eq!(json_of(&raw_call(&sink, "chat.postMessage", JSON, TOKEN, "{").await)["error"], "invalid_json");
    assert_eq!(
        json_of(&raw_call(&sink, "chat.postMessage", "text/plain", TOKEN, "x").await)["error"],
        "invalid_post_type"
    );
    assert_eq!(call(&sink, "chat.delete", &json!({})).await["error"], "unknown_method");
    assert_eq!(sink.accepted(), 0);
}

#[tokio::test]
async fn only_the_known_token_is_let_in() {
    let sink = sink();
    let body = notice("n-1").to_string();
    assert_eq!(json_of(&raw_call(&sink, "chat.postMessage", JSON, "xoxb-other", &body).await)["error"], "invalid_auth");
    let without = format!("POST /api/auth.test HTTP/1.1\r\nContent-Type: {JSON}");
    assert_eq!(json_of(&exchange(&sink, &without, "{}").await)["error"], "not_authed");
    assert_eq!(call(&sink, "auth.test", &json!({})).await["bot_id"], "B0SINK");
    let by_get = exchange(
        &sink,
        &format!("GET /api/chat.postMessage?channel=C0ACME&text=x HTTP/1.1\r\nAuthorization: Bearer {TOKEN}"),
        "",
    )
    .await;
    assert!(by_get.starts_with("HTTP/1.1 405"), "{by_get}");
    assert_eq!(sink.accepted(), 0);
}

#[tokio::test]
async fn json_without_a_charset_is_taken_with_a_warning() {
    let sink = sink();
    let answer =
        json_of(&raw_call(&sink, "chat.postMessage", "application/json", TOKEN, &notice("n-1").to_string()).await);
    assert_eq!((&answer["ok"], &answer["warning"]), (&json!(true), &json!("missing_charset")));
}

#[tokio::test]
async fn an_edit_replaces_what_it_gives_and_keeps_the_rest() {
    let sink = sink();
    let ts = post(&sink, &notice("n-1")).await["ts"].clone();
    let edited = call(&sink, "chat.update", &json!({ "channel": "C0ACME", "ts": ts, "text": "closed" })).await;
    assert_eq!((&edited["ok"], &edited["text"], &edited["ts"]), (&json!(true), &json!("closed"), &ts));
    let kept = &sink.posts()[0];
    assert_eq!((kept.text.as_str(), kept.blocks.len(), kept.edits, kept.key()), ("closed", 5, 1, Some("n-1")));
    call(&sink, "chat.update", &json!({ "channel": "C0ACME", "ts": ts, "text": "closed", "blocks": [] })).await;
    assert_eq!(sink.posts()[0].blocks.len(), 0);
    let missing = call(&sink, "chat.update", &json!({ "channel": "C0BETA", "ts": ts, "text": "x" })).await;
    assert_eq!(missing["error"], "message_not_found");
    assert_eq!(sink.accepted(), 1, "an edit is no post");
}

#[tokio::test]
async fn a_post_is_doubled_when_its_key_comes_twice_to_one_channel() {
    let sink = sink();
    post(&sink, &notice("n-1")).await;
    let mut elsewhere = notice("n-1");
    elsewhere["channel"] = "C0BETA".into();
    post(&sink, &elsewhere).await;
    post(&sink, &json!({ "channel": "C0ACME", "text": "x" })).await;
    assert_eq!((sink.doubled().len(), sink.unkeyed()), (0, 1));
    post(&sink, &notice("n-1")).await;
    assert_eq!(sink.doubled(), ["n-1"]);
}

#[tokio::test]
async fn a_lost_answer_can_be_read_back_before_posting_again() {
    let sink = sink();
    sink.set_fault(Fault::LostAnswer, 1);
    let lost = raw_call(&sink, "chat.postMessage", JSON, TOKEN, &notice("n-1").to_string()).await;
    assert!(!lost.contains("\"ok\""), "{lost}");
    assert_eq!(sink.accepted(), 1);
    let history =
        call(&sink, "conversations.history", &json!({ "channel": "C0ACME", "include_all_metadata": true })).await;
    assert_eq!(history["messages"][0]["metadata"]["event_payload"]["idempotency_key"], "n-1");
    let without = call(&sink, "conversations.history", &json!({ "channel": "C0ACME" })).await;
    assert!(without["messages"][0].get("metadata").is_none());
}

#[tokio::test]
async fn faults_hit_posts_only_and_end_by_themselves() {
    let sink = sink();
    sink.set_fault(Fault::RateLimited { retry_after_s: 7 }, 1);
    assert_eq!(call(&sink, "auth.test", &json!({})).await["ok"], true);
    let limited = raw_call(&sink, "chat.postMessage", JSON, TOKEN, &notice("n-1").to_string()).await;
    assert!(limited.starts_with("HTTP/1.1 429") && limited.contains("retry-after: 7\r\n"), "{limited}");
    assert_eq!(json_of(&limited)["error"], "ratelimited");
    sink.set_fault(Fault::Unavailable, 1);
    assert!(raw_call(&sink, "chat.postMessage", JSON, TOKEN, "{}").await.starts_with("HTTP/1.1 503"));
    sink.set_fault(Fault::Refused("is_archived".into()), 1);
    assert_eq!(post(&sink, &notice("n-1")).await["error"], "is_archived");
    assert_eq!(sink.accepted(), 0);
    assert_eq!(post(&sink, &notice("n-1")).await["ok"], true);
}

#[tokio::test]
async fn a_slow_service_takes_the_post_before_it_says_so() {
    let sink = sink();
    sink.set_fault(Fault::Slow(Duration::from_millis(200)), 1);
    let notice = notice("n-1");
    let first = tokio::select! {
        _ = post(&sink, &notice) => "answered first",
        () = sink.wait_for(1) => "taken first",
    };
    assert_eq!(first, "taken first");
}

#[tokio::test]
async fn history_and_replies_come_in_pages() {
    let sink = sink();
    let mut stamps = Vec::new();
    for number in 0..5 {
        let answer = post(&sink, &json!({ "channel": "C0ACME", "text": number.to_string() })).await;
        stamps.push(answer["ts"].as_str().expect("a stamp").to_owned());
    }
    for number in 0..3 {
        post(&sink, &json!({ "channel": "C0ACME", "text": format!("reply {number}"), "thread_ts": stamps[0] })).await;
    }
    let texts = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().expect("messages");
        messages.iter().map(|m| m["text"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let first = call(&sink, "conversations.history", &json!({ "channel": "C0ACME", "limit": 3 })).await;
    assert_eq!((texts(&first), &first["has_more"]), (vec!["4".into(), "3".into(), "2".into()], &json!(true)));
    let cursor = &first["response_metadata"]["next_cursor"];
    let second =
        call(&sink, "conversations.history", &json!({ "channel": "C0ACME", "limit": 3, "cursor": cursor })).await;
    assert_eq!((texts(&second), &second["has_more"]), (vec!["1".to_owned(), "0".into()], &json!(false)));
    let since =
        call(&sink, "conversations.history", &json!({ "channel": "C0ACME", "oldest": stamps[3], "inclusive": true }))
            .await;
    assert_eq!(texts(&since), ["4", "3"]);

    let query = format!(
        "GET /api/conversations.replies?channel=C0ACME&ts={}&limit=2 HTTP/1.1\r\nAuthorization: Bearer {TOKEN}",
        stamps[0]
    );
    let thread = json_of(&exchange(&sink, &query, "").await);
    assert_eq!(texts(&thread), ["0", "reply 0"]);
    let next = json!({ "channel": "C0ACME", "ts": stamps[0], "cursor": thread["response_metadata"]["next_cursor"] });
    assert_eq!(texts(&call(&sink, "conversations.replies", &next).await), ["reply 1", "reply 2"]);
    let none = call(&sink, "conversations.replies", &json!({ "channel": "C0ACME", "ts": "1.000000" })).await;
    assert_eq!(none["error"], "thread_not_found");
    let bad = call(&sink, "conversations.history", &json!({ "channel": "C0ACME", "cursor": "rubbish" })).await;
    assert_eq!(bad["error"], "invalid_cursor");
    let info = call(&sink, "conversations.info", &json!({ "channel": "C0ACME" })).await;
    assert_eq!((&info["channel"]["name"], &info["channel"]["is_ext_shared"]), (&json!("soc-acme"), &json!(true)));
}

#[tokio::test]
async fn the_page_shows_threads_as_their_members_see_them() {
    let sink = sink();
    assert!(exchange(&sink, "GET / HTTP/1.1", "").await.contains("まだ投稿がありません"));
    let ts = post(&sink, &notice("n-1")).await["ts"].clone();
    post(&sink, &json!({ "channel": "C0ACME", "text": "続報 <!here>", "thread_ts": ts })).await;
    let plain = json!({ "type": "plain_text", "text": "ATT&amp;CK &lt;!channel&gt; &amp;lt;" });
    let blocks = json!([{ "type": "section", "text": plain }]);
    post(&sink, &json!({ "channel": "C0ACME", "text": "x", "blocks": blocks, "thread_ts": ts })).await;
    sink.add_channel(Channel { id: "C0GAMMA".into(), name: "soc-gamma".into(), shared: false });
    let shown = exchange(&sink, "GET /?channel=C0ACME HTTP/1.1", "").await;
    for part in [
        "【P0・要対応】不審な活動の検知",
        "<strong>端末</strong> ws-17",
        "<code>cmd.exe</code> &lt;!channel&gt;",
        r#"<span class="button primary"><a href="https://soc.example/i/123""#,
        r#"<span class="mention">@here</span>"#,
        "#soc-gamma",
        "2 件の返信",
        // Decoded once, as Slack does, and escaped for the page.
        "ATT&amp;CK &lt;!channel&gt; &amp;lt;</div>",
        "script-src 'self'",
    ] {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
    assert!(exchange(&sink, "GET /?channel=C0BETA HTTP/1.1", "").await.contains("まだ投稿がありません"));
}

#[tokio::test]
async fn a_stopped_sink_frees_its_port() {
    let sink = sink();
    let addr = sink.url().trim_start_matches("http://").to_owned();
    sink.stop().await;
    tokio::net::TcpListener::bind(addr).await.expect("the port is free");
}
