//! Sources over real sockets, against far sides that know nothing of ours. What counts is what the far side was asked.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::alert::Hash;
use domain::ioc::{Answer, Ioc, Opinion, Outcome, Pap, Source, Why};
use domain::{Priority, TenantId};
use intel::sources::{Question, Sources, SourcesConfig};
use jiff::Timestamp;
use outbound::Outbound;
use sinks::Now;
use sinks::questions::{Fault, Quota};
use sinks::search::{self, Page, SearchSink};
use sinks::virustotal::{self, Entry, Object, VirusTotalSink};

const KEY: &str = "canary-key-0123456789";

struct Bench {
    vt: VirusTotalSink,
    search: SearchSink,
    sources: Sources,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_500_000 + second).unwrap()
}

fn digest(letter: &str) -> String {
    letter.repeat(64)
}

fn hash(letter: &str) -> Ioc {
    Ioc::Hash(Hash::parse(&digest(letter)).unwrap())
}

fn file(letter: &str) -> Entry {
    Entry::of(Object::File { sha256: digest(letter), sha1: letter.repeat(40), md5: letter.repeat(32) })
}

fn bench() -> Bench {
    bench_with(KEY, r#""per_minute": 1000, "per_day": 100000"#, None)
}

fn bench_with(key: &str, ours: &str, theirs: Option<Quota>) -> Bench {
    let http = SocketAddr::from(([127, 0, 0, 1], 0));
    let now = Now::new(|| at(0));
    let url = "http://evil.example/a?b=c".to_owned();
    let catalogue = vec![
        Entry {
            names: vec!["invoice\u{202e}fdp.exe".into()],
            signer: Some("Acme K.K.".into()),
            type_description: Some("Win32 EXE".into()),
            ..file("a").bad(58, "ransomware.lockbit/black")
        },
        file("b"),
        Entry::of(Object::Domain("evil.example".into())).bad(9, "phishing"),
        Entry::of(Object::Ip("192.0.2.7".into())),
        Entry::of(Object::Url { url, sha256: digest("e") }).bad(3, "phishing"),
    ];
    let vt = VirusTotalSink::start(virustotal::Options {
        http,
        key: KEY.into(),
        quota: theirs,
        catalogue,
        now: now.clone(),
    })
    .unwrap();
    let pages = vec![Page {
        title: "A campaign".into(),
        link: "https://blog.example/lockbit".into(),
        text: "The file evil.example was seen".into(),
    }];
    let engine = "0:abc".to_owned();
    let search = SearchSink::start(search::Options { http, key: KEY.into(), engine, quota: None, pages, now }).unwrap();
    let config = format!(
        r#"{{"virustotal": {{"key_file": "k", "origin": "{}", {ours}}},
            "web_search": {{"key_file": "k", "engine": "0:abc", "origin": "{}", "per_minute": 1000, "per_day": 10000}}}}"#,
        vt.url(),
        search.url(),
    );
    let config: SourcesConfig = serde_json::from_str(&config).unwrap();
    let settings = config.settings(|_| Ok::<_, String>(key.to_owned())).unwrap();
    let door = Outbound::new(&outbound::Settings::new(settings.allowed())).unwrap();
    Bench { vt, search, sources: Sources::new(door, settings, 2) }
}

impl Bench {
    async fn ask(&self, source: Source, ioc: &Ioc, tenant: &str, second: i64) -> Answer {
        let tenant: TenantId = tenant.parse().unwrap();
        let question = Question { tenant: &tenant, ioc, pap: Pap::Amber, priority: Priority::P2 };
        self.sources.ask_one(source, &question, at(second)).await.unwrap()
    }

    async fn vt(&self, ioc: &Ioc) -> Answer {
        self.ask(Source::VirusTotal, ioc, "acme", 0).await
    }
}

fn why(answer: &Answer) -> Why {
    match &answer.outcome {
        Outcome::CouldNotAsk(gap) => gap.why,
        other => panic!("an answer: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_known_comes_back_with_its_counts_and_as_it_came() {
    let bench = bench();
    let answer = bench.vt(&hash("a")).await;
    let Outcome::Known(known) = &answer.outcome else { panic!("{answer:?}") };
    let Opinion::Engines(engines) = &known.opinion else { panic!("{known:?}") };
    assert_eq!((engines.malicious, engines.heard(), engines.silent), (58, 70, 3));
    assert_eq!(known.labels[0].for_matching(), "ransomware.lockbit/black");
    assert_eq!(known.signer.as_ref().unwrap().for_matching(), "Acme K.K.");
    assert_eq!(known.names[0].quoted(), "invoice\\u{202e}fdp.exe");
    assert_eq!(known.first_seen, Some(Timestamp::from_second(1_700_000_000).unwrap()));
    assert!(answer.raw.as_ref().unwrap().contains("last_analysis_stats"));
    assert_eq!(answer.asked_at, at(0));
    for ioc in [
        Ioc::Hash(Hash::parse(&"a".repeat(40)).unwrap()),
        Ioc::Hash(Hash::parse(&"a".repeat(32)).unwrap()),
        Ioc::Domain("evil.example".into()),
        Ioc::Ip("192.0.2.7".parse().unwrap()),
        Ioc::Url("http://evil.example/a?b=c".into()),
    ] {
        assert!(matches!(bench.vt(&ioc).await.outcome, Outcome::Known(_)), "{ioc:?}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_not_known_and_a_proxys_404_is_a_gap() {
    let bench = bench();
    assert_eq!(bench.vt(&hash("c")).await.outcome, Outcome::NotKnown);
    bench.vt.set_fault(Fault::Page(404), 1);
    assert_eq!(why(&bench.vt(&hash("d")).await), Why::NotUnderstood);
}

#[tokio::test]
async fn a_search_finds_what_is_written_and_fetches_nothing_sec_45() {
    let bench = bench();
    let found = bench.ask(Source::WebSearch, &Ioc::Domain("evil.example".into()), "acme", 0).await;
    let Outcome::Known(known) = &found.outcome else { panic!("{found:?}") };
    let Opinion::Mentions { total: 1, mentions } = &known.opinion else { panic!("{known:?}") };
    assert!(mentions[0].names_it);
    let none = bench.ask(Source::WebSearch, &hash("f"), "acme", 0).await;
    assert_eq!(none.outcome, Outcome::NotKnown);
    assert_eq!(bench.search.asked(), ["\"evil.example\"".to_owned(), format!("\"{}\"", digest("f"))]);
}

#[tokio::test]
async fn every_failure_is_a_gap_with_its_name_and_is_not_remembered() {
    let bench = bench();
    for (fault, expected, is_transient) in [
        (Fault::Dead, Why::Failing, true),
        (Fault::Unavailable, Why::Failing, true),
        (Fault::Malformed, Why::NotUnderstood, true),
        (Fault::Lies, Why::OtherObject, false),
        (Fault::Oversized(3 * 1024 * 1024), Why::TooLarge, false),
        (Fault::Page(200), Why::NotUnderstood, true),
        (Fault::Redirect("http://127.0.0.1:1/".into()), Why::Rejected, false),
    ] {
        for source in [Source::VirusTotal, Source::WebSearch] {
            bench.vt.set_fault(fault.clone(), 1);
            bench.search.set_fault(fault.clone(), 1);
            let answer = bench.ask(source, &hash("a"), "acme", 0).await;
            assert_eq!(why(&answer), expected, "{fault:?} of {source:?}: {answer:?}");
            assert_eq!(expected.is_transient(), is_transient);
            bench.vt.set_fault(fault.clone(), 0);
            bench.search.set_fault(fault.clone(), 0);
        }
    }
    assert!(matches!(bench.vt(&hash("a")).await.outcome, Outcome::Known(_)));
}

#[tokio::test]
async fn a_slow_source_is_left_after_its_time_and_a_dead_one_after_five_tries() {
    let bench = bench();
    bench.vt.set_fault(Fault::Slow(Duration::from_secs(30)), 1);
    assert_eq!(why(&bench.vt(&hash("a")).await), Why::Slow);
    bench.vt.set_fault(Fault::Dead, 100);
    let mut whys = Vec::new();
    for _ in 0..6 {
        whys.push(why(&bench.vt(&hash("a")).await));
    }
    assert_eq!(whys, [Why::Failing, Why::Failing, Why::Failing, Why::Failing, Why::Resting, Why::Resting]);
    assert_eq!(bench.vt.asked().len(), 5, "a resting source is not asked");
}

#[tokio::test]
async fn a_quota_that_the_source_says_is_used_up_holds_everybody() {
    let bench = bench();
    bench.vt.set_fault(Fault::QuotaUsed { retry_after_s: None }, 1);
    let refused = bench.vt(&hash("a")).await;
    assert!(
        matches!(&refused.outcome, Outcome::CouldNotAsk(gap) if gap.why == Why::QuotaUsed && gap.retry_after_s == Some(60))
    );
    assert_eq!(why(&bench.ask(Source::VirusTotal, &hash("a"), "beta", 59).await), Why::BudgetUsed);
    assert_eq!(bench.vt.asked().len(), 1);
    assert!(bench.ask(Source::VirusTotal, &hash("a"), "beta", 60).await.outcome.is_answer());
}

#[tokio::test]
async fn our_own_budget_keeps_within_the_sources_quota() {
    let theirs = Some(Quota { per_minute: 4, per_day: 500 });
    let bench = bench_with(KEY, r#""per_minute": 4, "per_day": 500"#, theirs);
    for n in 0..10 {
        let answer = bench.vt(&Ioc::Domain(format!("host-{n}.example"))).await;
        let expected = if n < 4 { None } else { Some(Why::BudgetUsed) };
        assert_eq!((answer.outcome != Outcome::NotKnown).then(|| why(&answer)), expected, "{n}");
    }
    assert_eq!(bench.vt.asked().len(), 4);
}

#[tokio::test]
async fn red_and_what_is_inside_a_network_send_nothing_sec_43() {
    let bench = bench();
    let tenant: TenantId = "acme".parse().unwrap();
    let (hash, inside) = (hash("a"), Ioc::Ip("10.0.0.1".parse().unwrap()));
    for (ioc, pap, expected) in [(&hash, Pap::Red, Why::PapForbids), (&inside, Pap::Clear, Why::NotPublic)] {
        let answers = bench.sources.ask(&Question { tenant: &tenant, ioc, pap, priority: Priority::P0 }, at(0)).await;
        assert_eq!(answers.iter().map(why).collect::<Vec<_>>(), [expected, expected]);
    }
    assert!(bench.vt.asked().is_empty() && bench.search.asked().is_empty());
}

#[tokio::test]
async fn an_answer_is_remembered_for_its_own_tenant_with_its_own_time_sec_03() {
    let bench = bench();
    let (known, unknown) = (hash("a"), hash("c"));
    for ioc in [&known, &unknown] {
        bench.ask(Source::VirusTotal, ioc, "acme", 0).await;
        let again = bench.ask(Source::VirusTotal, ioc, "acme", 1800).await;
        assert_eq!(again.asked_at, at(0));
    }
    assert_eq!(bench.vt.asked().len(), 2);
    assert_eq!(bench.ask(Source::VirusTotal, &known, "beta", 1800).await.asked_at, at(1800));
    assert_eq!(bench.vt.asked().len(), 3, "one tenant's memory is not another's");
    // What was unknown is asked again sooner than what was known.
    assert_eq!(bench.ask(Source::VirusTotal, &unknown, "acme", 3600).await.asked_at, at(3600));
    assert_eq!(bench.ask(Source::VirusTotal, &known, "acme", 3600).await.asked_at, at(0));
    assert_eq!(bench.ask(Source::VirusTotal, &known, "acme", 86_400).await.asked_at, at(86_400));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_key_is_in_no_answer_and_no_log_line_even_when_it_is_refused_sec_11() {
    let log = Log::default();
    let written = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(move || written.clone());
    // For all threads: the other tests' lines are held to the same.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let wrong = "canary-wrong-key";
    let refused = bench_with(wrong, r#""per_minute": 100"#, None);
    let accepted = bench();
    let mut shown = format!("{:?} {:?}", refused.sources, accepted.sources);
    for bench in [&refused, &accepted] {
        for source in [Source::VirusTotal, Source::WebSearch] {
            let answer = bench.ask(source, &hash("a"), "acme", 0).await;
            if std::ptr::eq(bench, &raw const refused) {
                assert_eq!(why(&answer), Why::KeyRefused, "{answer:?}");
            }
            shown += &serde_json::to_string(&answer).unwrap();
        }
    }
    accepted.search.set_fault(Fault::Dead, 1);
    shown += &format!("{:?}", accepted.ask(Source::WebSearch, &hash("b"), "acme", 0).await);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("asked a source"), "{log}");
    assert!(!shown.contains("canary") && !log.contains("canary"), "{shown} {log}");
}
