//! Against the chat sink, which is stricter than Slack and keeps a ledger, over real sockets.

use domain::{Language, Timestamp, Untrusted};
use outbound::{Allowed, Origin};
use sinks::chat::{self, Fault};
use sinks::{ChatSink, Now};

use super::*;
use crate::samples::{self, Story};

const TOKEN: &str = "xoxb-canary";

fn now() -> Timestamp {
    samples::at("2026-11-24T00:15:31Z")
}

fn channel() -> SlackChannelId {
    SlackChannelId::new("C0ACME").unwrap()
}

fn sink() -> ChatSink {
    ChatSink::start(chat::Options {
        http: "127.0.0.1:0".parse().unwrap(),
        token: TOKEN.into(),
        channels: vec![chat::Channel { id: "C0ACME".into(), name: "soc-acme".into(), shared: true }],
        now: Now::new(now),
    })
    .unwrap()
}

fn slack_with(sink: &ChatSink, token: &str) -> Slack {
    let api: Url = sink.api_url().parse().unwrap();
    let allowed = vec![Allowed::public(Origin::of(&api).unwrap())];
    let outbound = Outbound::new(&outbound::Settings::new(allowed)).unwrap();
    Slack::new(outbound, Settings { token: Secret::new(token), api })
}

fn slack(sink: &ChatSink) -> Slack {
    slack_with(sink, TOKEN)
}

fn post(story: &Story, language: Language) -> Post {
    compose(&story.facts(), language, &samples::sender())
}

fn every_story() -> Vec<(&'static str, Story)> {
    vec![
        ("first", samples::ransomware()),
        ("update", samples::ransomware_contained()),
        ("question", samples::unknown_file_asked()),
        ("true_positive", samples::ransomware_answered()),
        ("false_positive", samples::unknown_file_false_positive()),
    ]
}

/// What a reader sees, one text object after the other.
fn words(post: &Post) -> String {
    fn collect(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(object) => match (object.get("type").and_then(Value::as_str), object.get("text")) {
                (Some("mrkdwn" | "plain_text"), Some(Value::String(text))) => out.push(text.clone()),
                _ => object.values().for_each(|v| collect(v, out)),
            },
            Value::Array(items) => items.iter().for_each(|v| collect(v, out)),
            _ => {}
        }
    }
    let mut out = vec![post.text().to_owned(), String::new()];
    post.blocks().iter().for_each(|block| collect(block, &mut out));
    out.join("\n")
}

#[test]
fn a_post_says_what_the_mail_says_in_the_form_of_a_chat() {
    for (name, story) in every_story() {
        for language in Language::ALL {
            insta::assert_snapshot!(format!("{name}_{}", language.tag()), words(&post(&story, language)));
        }
    }
}

#[tokio::test]
async fn every_notice_is_taken_and_stands_in_the_thread_of_the_first() {
    let sink = sink();
    for language in Language::ALL {
        let first = slack(&sink).send(&post(&samples::ransomware(), language), &channel(), None, now()).await.unwrap();
        for (_, story) in every_story().into_iter().skip(1) {
            // A door of its own each time: the pace of a channel is not what is tried here.
            let thread = Some(&first.stamp);
            slack(&sink).send(&post(&story, language), &channel(), thread, now()).await.unwrap();
        }
        assert_eq!(sink.thread("C0ACME", &first.stamp.to_string()).len(), every_story().len());
    }
    assert_eq!(sink.unkeyed(), 0);
    for taken in sink.posts() {
        assert!(!taken.unfurls && taken.mentions().is_empty());
    }
}

#[tokio::test]
async fn words_from_outside_call_nobody_and_link_nowhere_sec_31() {
    let sink = sink();
    let hostile = [
        "@here <!channel> <!here> <@U123> <#C123> <!subteam^S1>",
        "<https://evil.example|reset your password>",
        "*bold* _it_ ~no~ `code` ```block``` > quote :rotating_light:",
        "&lt;!channel&gt; &amp;lt;",
        "a\n<!everyone>\u{202e}\u{200b}",
        "http://evil.example/x mailto:a@evil.example",
        "",
    ];
    let long = "長<".repeat(2_000);
    for hostile in hostile.into_iter().chain([long.as_str()]) {
        let mut alert = samples::alert();
        for field in [&mut alert.name, &mut alert.endpoint.name] {
            *field = Untrusted::new(hostile);
        }
        alert.process.user = Some(Untrusted::new(hostile));
        alert.file.path = Some(Untrusted::new(hostile));
        let mut story = Story::begin(alert);
        for _ in 0..3 {
            story = story.note(hostile);
        }
        let story = story.verdict(domain::Verdict::Suspicious, &format!("判定の理由です {hostile}"));
        for language in Language::ALL {
            let post = post(&story, language);
            slack(&sink).send(&post, &channel(), None, now()).await.unwrap();
            let taken = sink.posts().pop().unwrap();
            assert_eq!(taken.mentions(), [""; 0], "{hostile}");
            assert!(!taken.unfurls);
            let (text, blocks) = (taken.text.clone(), Value::from(taken.blocks.clone()).to_string());
            for part in [text, blocks] {
                assert!(!part.contains(['<', '>']) && !part.contains("p://") && !part.contains("s://"), "{part}");
            }
            assert!(markup_is_ours(post.blocks()), "{hostile}");
        }
    }
}

/// Whether every piece of markup is one of the labels that are compiled in.
fn markup_is_ours(blocks: &[Value]) -> bool {
    let calm = samples::ransomware_answered();
    let known: Vec<String> =
        Language::ALL.iter().flat_map(|l| markup(&Value::from(post(&calm, *l).blocks().to_vec()))).collect();
    markup(&Value::from(blocks.to_vec())).iter().all(|m| known.contains(m))
}

fn markup(value: &Value) -> Vec<String> {
    match value {
        Value::Object(o) if o.get("type") == Some(&"mrkdwn".into()) => {
            o.get("text").and_then(Value::as_str).map(str::to_owned).into_iter().collect()
        }
        Value::Object(o) => o.values().flat_map(markup).collect(),
        Value::Array(items) => items.iter().flat_map(markup).collect(),
        _ => vec![],
    }
}

#[tokio::test]
async fn after_a_lost_answer_the_post_is_found_and_not_posted_again_rel_06() {
    let sink = sink();
    let slack = slack(&sink);
    let (first, update) =
        (post(&samples::ransomware(), Language::Ja), post(&samples::ransomware_contained(), Language::Ja));
    let since = samples::at("2026-11-24T00:00:00Z");

    assert_eq!(slack.find(&first, &channel(), None, since, now()).await.unwrap(), None);
    sink.set_fault(Fault::LostAnswer, 1);
    let error = slack.send(&first, &channel(), None, now()).await.unwrap_err();
    assert!(error.may_have_been_sent() && error.is_transient(), "{error:?}");
    let found = slack.find(&first, &channel(), None, since, now()).await.unwrap().unwrap();

    let thread = Some(&found.stamp);
    assert_eq!(slack.find(&update, &channel(), thread, since, now()).await.unwrap(), None);
    let sent = slack.send(&update, &channel(), thread, now()).await.unwrap();
    assert_eq!(slack.find(&update, &channel(), thread, since, now()).await.unwrap(), Some(sent));
    assert_eq!((sink.accepted(), sink.doubled().len()), (2, 0));
}

#[tokio::test]
async fn refusals_say_who_can_mend_them_and_whether_time_does() {
    let sink = sink();
    let post = post(&samples::ransomware(), Language::En);
    for (fault, cause, transient, in_doubt) in [
        (Fault::RateLimited { retry_after_s: 7 }, Cause::Slack, true, false),
        (Fault::Unavailable, Cause::Slack, true, true),
        (Fault::Refused("is_archived".into()), Cause::Channel, false, false),
        (Fault::Refused("token_revoked".into()), Cause::Token, false, false),
        (Fault::Refused("fatal_error".into()), Cause::Slack, true, true),
        (Fault::Refused("invalid_blocks".into()), Cause::Post, false, false),
        (Fault::Refused("something_new".into()), Cause::Unknown, false, false),
    ] {
        let limited = matches!(fault, Fault::RateLimited { .. });
        sink.set_fault(fault, 1);
        let error = slack(&sink).send(&post, &channel(), None, now()).await.unwrap_err();
        let told = (error.cause(), error.is_transient(), error.may_have_been_sent());
        assert_eq!(told, (cause, transient, in_doubt), "{error}");
        assert_eq!(error.retry_after().map(|d| d.as_secs()), limited.then_some(7));
    }
    let gone = Stamp::try_from("1700000000.000100".to_owned()).unwrap();
    let error = slack(&sink).send(&post, &channel(), Some(&gone), now()).await.unwrap_err();
    assert_eq!((error.cause(), error.is_transient()), (Cause::Thread, false), "{error}");
    assert_eq!(sink.accepted(), 0);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_never_shown_sec_11() {
    let sink = sink();
    assert_eq!(slack(&sink).identify(now()).await.unwrap().user.quoted(), "yagura");
    let wrong = slack_with(&sink, "xoxb-canary-wrong");
    let error = wrong.identify(now()).await.unwrap_err();
    assert_eq!((error.cause(), error.is_transient()), (Cause::Token, false));
    assert!(!format!("{wrong:?} {error:?} {error}").contains("canary"));
}

#[test]
fn only_a_stamp_names_a_post() {
    for bad in ["", "1700000000", "1700000000.", ".1", "1.2.3", "a.b", "1.2&x"] {
        assert!(Stamp::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    assert_eq!(Settings::new(Secret::new("x")).api.as_str(), API);
}
