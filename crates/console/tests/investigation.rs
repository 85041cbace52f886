//! The investigation on the incident's page: what was found, what was asked, what was not found and what could not be asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::evidence::{Inquiry, Outcome};
use domain::incident::{Actor, Command, Event};
use domain::{IncidentId, Language};
use store::Scope;
use support::browser::Browser;
use support::gathered::{Words, gather};
use support::markup::{Piece, pieces, text};
use support::{Soc, id, payloads};

const CUSTOMER: &str = "sakura";

async fn investigated(soc: &Soc, n: u32, words: &Words<'_>) -> IncidentId {
    let incident = soc.raise(CUSTOMER, support::ransomware(n, &format!("PC-{n:03}"), soc.now())).await;
    gather(&soc.engine, &id(CUSTOMER), incident, soc.now(), words).await;
    incident
}

async fn reader(soc: &Soc, language: Language) -> Browser<'_> {
    let mut browser = Browser::signed_in(soc, "sato").await;
    browser.cookies.push(("language".into(), language.tag().into()));
    browser
}

fn tab(incident: IncidentId) -> String {
    format!("/incidents/{incident}?tab=investigation")
}

/// What stands between two headings, or to the end.
fn between<'a>(body: &'a str, from: &str, to: &str) -> &'a str {
    let rest = body.split_once(from).unwrap_or_else(|| panic!("{from} is not on the page")).1;
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

fn shown(body: &str) -> String {
    text(&pieces(body))
}

#[tokio::test]
async fn the_page_shows_what_was_found_and_on_what_it_rests_in_both_languages() {
    let soc = Soc::open().await;
    let incident = investigated(&soc, 1, &Words::plain()).await;
    for (language, wanted) in [
        (
            Language::Ja,
            [
                "照会と証拠",
                "プロセスツリー",
                "端末の時系列",
                "全端末での検索",
                "検知ルールとの一致",
                "ソフトウェアと脆弱性",
                "-EncodedCommandを復号",
                "ダウンロードしてそのまま実行",
                "42",
                "悪性の情報あり",
                "無害であることを示すものではありません",
                "オンライン 180／全 214 台",
                "検索できず",
                "作成者 Detection Rule Author",
                "修正版あり 24.07",
                "悪用確認済み（KEV） 2025-02-06",
                "時刻のない記録",
                "判断しています(確度:高)",
            ],
        ),
        (
            Language::En,
            [
                "Inquiries and evidence",
                "Process tree",
                "Timeline of the endpoints",
                "Search on all endpoints",
                "Detection rules that match",
                "Software and vulnerabilities",
                "-EncodedCommand decoded",
                "Downloads and executes",
                "42 of 62 engines: malicious",
                "Known as bad",
                "does not mean that a thing is clean",
                "180 online of 214",
                "Not searched for",
                "by Detection Rule Author",
                "patch released 24.07",
                "Known exploited (KEV) 2025-02-06",
                "Records without a time that can be true",
                "assessed, high",
            ],
        ),
    ] {
        let page = reader(&soc, language).await.get(&tab(incident)).await;
        assert_eq!(page.status, StatusCode::OK);
        let said = shown(&page.body);
        for words in wanted {
            assert!(said.contains(words), "{language:?}: {words:?} is missing");
        }
        // Every part leads to evidence that is there.
        for part in ["part-tree", "part-timeline", "part-indicators", "part-detections", "part-software"] {
            let body = between(&page.body, &format!("id=\"{part}\""), "class=\"part\"");
            let anchor = between(body, "href=\"#", "\"");
            assert!(page.body.contains(&format!("id=\"{anchor}\"")), "{part} names {anchor}");
        }
        for words in
            ["explorer.exe", "T1059.001", "ATT&CK v18.1", "CVE-2024-11477", "CVSS 3.1 7.8", "EPSS 3.1 %", "PAP:RED"]
        {
            assert!(said.contains(words), "{words:?} is missing");
        }
        // SEC-34: what leads out is dead, wherever it stands.
        let parts = between(&page.body, "id=\"investigation\"", "<footer");
        for alive in ["evil.example", "203.0.113.77", "http://", "console.example"] {
            assert!(!shown(parts).contains(alive), "{alive} is alive");
        }
        assert!(said.contains("hxxp[://]evil[.]example/a"));
    }
}

#[tokio::test]
async fn the_branch_of_the_alert_stands_open_and_the_others_are_folded_with_their_number() {
    let soc = Soc::open().await;
    let incident = investigated(&soc, 1, &Words::plain()).await;
    let page = reader(&soc, Language::En).await.get(&tab(incident)).await;
    let tree = between(&page.body, "id=\"part-tree\"", "id=\"part-timeline\"");
    let (open, folded) = tree.split_once("class=\"others\"").expect("something is folded");
    assert!(folded.contains("1 other process") && folded.contains("notepad.exe"));
    assert!(!folded.split_once('>').unwrap().0.contains("open"));
    for name in ["explorer.exe", "EXCEL.EXE", "powershell.exe"] {
        assert!(open.contains(name), "{name} leads to the alert");
    }
}

#[tokio::test]
async fn a_silence_of_the_endpoint_is_marked_as_a_gap() {
    let soc = Soc::open().await;
    let incident = investigated(&soc, 1, &Words::plain()).await;
    let page = reader(&soc, Language::En).await.get(&tab(incident)).await;
    let timeline = between(&page.body, "id=\"part-timeline\"", "id=\"part-indicators\"");
    let gap = between(timeline, "<li class=\"fault\">", "</li>");
    assert!(shown(gap).contains("No record in this time"), "{gap}");
}

#[tokio::test]
async fn before_anything_was_asked_every_part_says_so() {
    let soc = Soc::open().await;
    let incident = soc.raise(CUSTOMER, support::unknown_file(1, "PC-1", soc.now())).await;
    for (language, words) in [(Language::Ja, "まだ照会していません。"), (Language::En, "Not asked yet.")] {
        let page = reader(&soc, language).await.get(&tab(incident)).await;
        assert!(page.body.matches(words).count() >= 6, "{language:?}");
    }
}

#[tokio::test]
async fn nothing_found_and_could_not_ask_are_told_apart_and_a_lost_content_is_named() {
    let soc = Soc::open().await;
    let incident = investigated(&soc, 1, &Words::plain()).await;
    let state = soc.engine.store().incident(&Scope::All, incident).await.unwrap().unwrap();
    let answers: Vec<_> = state.evidence.values().map(|e| e.answer.clone()).collect();
    let answer = |wanted: Inquiry| answers.iter().find(|a| a.inquiry == wanted).unwrap().clone();
    let nothing = domain::evidence::Answer {
        outcome: Outcome::NothingFound,
        findings: None,
        raw: None,
        ..answer(Inquiry::Detections)
    };
    let mut lost = answer(Inquiry::Sweep);
    lost.findings.as_mut().unwrap().sha256 = "0".repeat(64);
    for answer in [nothing, lost] {
        let command = Command::RecordAnswerTo { answer: Box::new(answer) };
        soc.engine.execute(&id(CUSTOMER), incident, command, soc.now()).await.unwrap();
    }
    let page = reader(&soc, Language::En).await.get(&tab(incident)).await;
    let detections = shown(between(&page.body, "id=\"part-detections\"", "id=\"part-software\""));
    assert!(detections.contains("nothing found within what was asked, which does not mean clean"), "{detections}");
    let indicators = shown(between(&page.body, "id=\"part-indicators\"", "id=\"part-detections\""));
    assert!(indicators.contains("missing or damaged"), "{indicators}");
    let software = shown(between(&page.body, "id=\"part-software\"", "<footer"));
    assert!(software.contains("could not be asked: the console at console[.]example"), "{software}");
}

#[tokio::test]
async fn what_could_not_be_asked_is_asked_again_once_and_only_what_was_asked_before() {
    let soc = Soc::open().await;
    let incident = investigated(&soc, 1, &Words::plain()).await;
    let mut sato = reader(&soc, Language::En).await;
    let form = format!("action=\"/incidents/{incident}/ask-again\"");
    let page = sato.get(&tab(incident)).await.body;
    let offered: Vec<&str> =
        page.split(&form).skip(1).map(|rest| between(rest, "name=\"inquiry\" value=\"", "\"")).collect();
    assert_eq!(offered, ["indicators", "software/agent-elsewhere"]);

    let address = format!("/incidents/{incident}/ask-again");
    for unknown in ["", "sweep/1", "software/agent-nowhere", "Indicators", "☠"] {
        assert_eq!(sato.post(&address, &[("inquiry", unknown)]).await.status, StatusCode::NOT_FOUND, "{unknown:?}");
    }
    assert_eq!(sato.post(&address, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let done = sato.post(&address, &[("inquiry", "software/agent-elsewhere")]).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, tab(incident).as_str()));
    let events = soc.engine.store().events(&id(CUSTOMER), incident).await.unwrap();
    let repeated: Vec<_> = events.iter().filter(|r| matches!(r.event, Event::InquiryRepeated { .. })).collect();
    assert_eq!(repeated.len(), 1);
    assert_eq!(repeated[0].by, Actor::Person(support::person("sato")));
    let page = sato.get(&tab(incident)).await.body;
    assert_eq!(page.matches(&form).count(), 1);
    assert!(page.contains("being asked again"));
}

#[tokio::test]
async fn no_text_of_an_endpoint_or_a_source_becomes_markup_sec_30_sec_35() {
    let soc = Soc::open().await;
    let calm = investigated(&soc, 999, &Words::plain()).await;
    let mut sato = reader(&soc, Language::En).await;
    let made_of = |body: &str| -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut names, mut attributes) = (BTreeSet::new(), BTreeSet::new());
        for piece in pieces(body) {
            if let Piece::Open { name, attributes: of_this } = piece {
                names.insert(name);
                attributes.extend(of_this.into_iter().map(|(name, _)| name));
            }
        }
        (names, attributes)
    };
    let (names, attributes) = made_of(&sato.get(&tab(calm)).await.body);
    let all = payloads::all();
    // Each text takes the place of each word in turn.
    for (n, some) in all.chunks(29).enumerate() {
        let incident = investigated(&soc, u32::try_from(n).unwrap(), &Words::hostile(some)).await;
        let page = sato.get(&tab(incident)).await;
        assert_eq!(page.status, StatusCode::OK);
        let (there, with) = made_of(&page.body);
        assert!(there.is_subset(&names), "{n}: {:?}", there.difference(&names));
        assert!(with.is_subset(&attributes), "{n}: {:?}", with.difference(&attributes));
        for piece in pieces(&page.body) {
            let texts = match piece {
                Piece::Text(text) => vec![text],
                Piece::Open { attributes, .. } => attributes.into_iter().map(|(_, value)| value).collect(),
                Piece::Close(_) | Piece::Declaration(_) => vec![],
            };
            for text in texts {
                let hidden = text.chars().find(|c| payloads::HIDDEN.contains(c) || (c.is_control() && *c != '\n'));
                assert_eq!(hidden, None, "{n}: {text:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_flood_of_long_hostile_records_leaves_a_page_of_at_most_a_megabyte_sec_38() {
    let soc = Soc::open().await;
    let long: Vec<String> = (0..7).map(|n| format!("{n}\"\u{202e}").repeat(800)).collect();
    let incident = soc.raise(CUSTOMER, support::ransomware(1, "PC-1", soc.now())).await;
    let state = soc.engine.store().incident(&Scope::All, incident).await.unwrap().unwrap();
    let alert = &state.alerts[0];
    let words = Words::hostile(&long);
    let mut records = Vec::new();
    for n in 0..60_u32 {
        let at = alert.detected_at - jiff::SignedDuration::from_mins(i64::from(n));
        let some = support::gathered::records(
            &alert.endpoint.agent,
            &alert.endpoint.name,
            at,
            alert.storyline.as_ref(),
            &words,
        );
        records.extend(some.into_iter().map(|mut record| {
            record.id = domain::Untrusted::new(&format!("{n}-{}", record.id.for_matching()));
            record
        }));
    }
    support::gathered::keep_records(&soc.engine, &id(CUSTOMER), incident, soc.now(), &records).await;
    let page = reader(&soc, Language::Ja).await.get(&tab(incident)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.len() < 1_000_000, "{} bytes", page.body.len());
    assert!(page.body.contains("ここには表示していません"));
}
