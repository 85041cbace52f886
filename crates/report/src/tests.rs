//! What a report promises its reader, on incidents as they come out of the domain.

use domain::Language::{En, Ja};
use domain::clock::{Exclusion, PauseReason};
use domain::incident::{Actor, ConsoleWrite, Event, Recorded, Visibility};
use domain::notice::{Delivery, Route};
use domain::oncall::{Page, Step, Why};
use domain::{Language, NoticeId, PageId, Priority, QuestionId, Untrusted, Verdict};
use typst::layout::{Frame, FrameItem};
use typst::model::Destination;

use crate::facts::{Block, Facts};
use crate::{Document, Options, Renderer, html, markdown};

#[path = "../samples/mod.rs"]
mod samples;
use samples::Case;

fn facts(case: &Case, language: Language) -> Facts {
    let issuer = samples::issuer();
    Facts::of(&case.incident, &case.events, &case.tenant, language, Options { now: case.now, issuer: &issuer })
}

fn document(renderer: &Renderer, case: &Case, language: Language) -> Document {
    let issuer = samples::issuer();
    let options = Options { now: case.now, issuer: &issuer };
    renderer.incident(&case.incident, &case.events, &case.tenant, language, options).unwrap()
}

/// The text of each page as it was set, and whether anything on it is a link.
fn pages(renderer: &Renderer, facts: &Facts) -> Vec<(String, bool)> {
    fn walk(frame: &Frame, out: &mut (String, bool)) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Group(group) => walk(&group.frame, out),
                FrameItem::Text(text) => out.0.push_str(&text.text),
                FrameItem::Link(Destination::Url(_), _) => out.1 = true,
                _ => {}
            }
        }
    }
    let document = renderer.document(facts).unwrap();
    let pages = document.pages().iter().map(|page| {
        let mut out = (String::new(), false);
        walk(&page.frame, &mut out);
        out
    });
    pages.collect()
}

/// Every text of a report, without its look.
fn texts(facts: &Facts) -> Vec<String> {
    fn walk(value: serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => out.push(text),
            serde_json::Value::Array(list) => list.into_iter().for_each(|v| walk(v, out)),
            serde_json::Value::Object(map) => map.into_iter().for_each(|(_, v)| walk(v, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(serde_json::to_value(facts).unwrap(), &mut out);
    out
}

fn said(facts: &Facts) -> String {
    texts(facts).join("\n")
}

#[test]
fn the_first_page_says_what_is_wrong_how_sure_we_are_what_was_done_and_what_is_asked() {
    let renderer = Renderer::new().unwrap();
    let case = samples::ransomware();
    let ja = &pages(&renderer, &facts(&case, Ja))[0].0;
    for wanted in [
        "株式会社あおば製作所",
        "田中 一郎 様",
        "INC-2026-000123",
        "P0",
        "緊急",
        "であることを確認しました",
        "正検知",
        "プロセスの強制終了：実施・結果確認済み",
        "端末のネットワーク隔離：実施・結果確認済み",
        "【必須】対象端末の電源を切らずに",
        "佐藤 花子",
    ] {
        assert!(ja.contains(wanted), "`{wanted}` is not on the first page:\n{ja}");
    }
    let en = &pages(&renderer, &facts(&case, En))[0].0;
    for wanted in [
        "Aoba Works Co., Ltd.",
        "Ichiro Tanaka, General Manager",
        "Critical",
        "Confirmed: Ransomware",
        "True positive",
        "Isolate the endpoint from the network: Done and verified",
        "Required: Keep the endpoint powered on",
        "Hanako Sato",
    ] {
        assert!(en.contains(wanted), "`{wanted}` is not on the first page:\n{en}");
    }
}

#[test]
fn every_page_carries_the_incident_and_the_marking_sec_81() {
    let renderer = Renderer::new().unwrap();
    for (case, language) in [(samples::ransomware(), Ja), (samples::web_shell(), En)] {
        let pages = pages(&renderer, &facts(&case, language));
        assert!(pages.len() > 2);
        for (page, _) in pages {
            assert!(page.contains("TLP:AMBER+STRICT") && page.contains(&case.incident.id.to_string()), "{page}");
        }
    }
}

#[test]
fn no_report_has_a_hole_or_a_placeholder_in_it() {
    for case in samples::all().iter().filter(|c| c.name != "hostile") {
        for language in Language::ALL {
            for text in texts(&facts(case, language)) {
                for hole in [
                    "None",
                    "null",
                    "undefined",
                    "TODO",
                    "Some(",
                    "{",
                    "}",
                    "  ",
                    "（）",
                    "()",
                    "違反",
                    "問題ありません",
                ] {
                    assert!(!text.contains(hole), "{}: `{hole}` in `{text}`", case.name);
                }
            }
        }
    }
}

#[test]
fn what_an_attacker_writes_is_text_and_nothing_else_sec_30_sec_35() {
    let renderer = Renderer::new().unwrap();
    let case = samples::hostile();
    for language in Language::ALL {
        let facts = facts(&case, language);
        let pages = pages(&renderer, &facts);
        let all: String = pages.iter().map(|(text, _)| text.as_str()).collect();
        for shown in [
            "#panic()",
            "*bold* _it_ `raw`",
            "$x^2$",
            "@ref <label>",
            "<script>alert(1)</script>",
            "[link](hxxp[://]evil[.]example/a)",
            "#import \"secret[.]typ\": *",
            "invoice\\u{202e}fdp.exe",
            "zero\\u{200b}width\\u{0}nul\\u{d}\\u{a}= Heading",
            "// comment /* open",
            "{{ template }} ${env} %s",
            "\\u{1f600}",
        ] {
            assert!(all.contains(shown), "`{shown}` is not shown as it is");
        }
        assert!(pages.iter().all(|(_, linked)| !linked), "nothing in a report is a link");
        let controls = |text: &String| {
            text.chars().any(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'))
        };
        assert!(!texts(&facts).iter().any(controls));
        let page = html(&facts);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"));
        assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("url("));
        let markdown = markdown(&facts);
        assert!(markdown.contains("\\<script\\>alert(1)\\</script\\>") && !markdown.contains("\n= Heading"));
    }
}

#[test]
fn the_pdf_is_tagged_archivable_and_the_same_each_time() {
    let renderer = Renderer::new().unwrap();
    let case = samples::question_open();
    let first = document(&renderer, &case, Ja);
    assert!(first.pdf().starts_with(b"%PDF-1.7"));
    let declared = String::from_utf8_lossy(first.pdf());
    for mark in ["<pdfaid:part>3<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"] {
        assert!(declared.contains(mark), "{mark}");
    }
    assert_eq!(first.file_name(), "INC-2026-000124_ja.pdf");
    assert_eq!((first.title.as_str(), first.sha256().len()), ("インシデント報告書 INC-2026-000124", 64));
    assert_eq!(document(&Renderer::new().unwrap(), &case, Ja), first);
    assert_ne!(document(&renderer, &case, En).pdf(), first.pdf());
}

#[test]
fn our_own_words_need_no_character_that_the_fonts_lack() {
    let renderer = Renderer::new().unwrap();
    for case in samples::all().iter().filter(|c| c.name != "hostile") {
        for language in Language::ALL {
            let text = said(&facts(case, language));
            let missing: String = text.chars().filter(|c| *c != '\n' && !renderer.prints(*c)).collect();
            assert_eq!(missing, "", "{}", case.name);
        }
    }
}

#[test]
fn what_stays_inside_the_soc_is_told_without_its_text() {
    let mut case = samples::ransomware();
    let event = Event::JobGaveUp { what: Untrusted::new("postgres://secret-host is down") };
    case.events.push(Recorded { at: case.now, by: Actor::Notifier, event });
    for language in Language::ALL {
        let text = said(&facts(&case, language));
        assert!(!text.contains("監査ログ") && !text.contains("secret-host"));
        assert!(text.contains("更新日時をご確認いただいています"), "what is for the customer is there");
    }
}

/// One of each event. A new event does not compile without words; this shows that none of them are empty or foreign.
#[test]
fn every_event_is_one_plain_statement_in_both_languages() {
    let mut case = samples::campaign();
    for other in [samples::ransomware(), samples::false_positive(), samples::web_shell()] {
        case.events.extend(other.events);
    }
    let person = || Actor::Person(samples::person("sato"));
    let alert = Box::new(samples::alert(9, case.now));
    let exclusion = Exclusion::FirstScanStorm { site: Untrusted::new("HQ"), alerts: 51, threshold: 50 };
    let page = Page {
        id: PageId(1),
        why: Why::NotAcknowledged,
        step: Step::Lead,
        to: None,
        site: None,
        decided_at: case.now,
        delivery: Delivery::Waiting,
    };
    let more = [
        (Actor::Intake, Event::AlertChanged { alert }),
        (Actor::Actuator, Event::ConsoleUpdated { write: ConsoleWrite::Verdict(Verdict::Suspicious), alerts: 2 }),
        (
            Actor::Notifier,
            Event::NoticeFailed { notice: NoticeId(9), route: Route::mail(Ja), why: Untrusted::new("550") },
        ),
        (person(), Event::NoteAdded { visibility: Visibility::Internal, text: Untrusted::new("internal") }),
        (person(), Event::Reopened { rule: None, grounds: Vec::new(), reason: None }),
        (Actor::Notifier, Event::JobGaveUp { what: Untrusted::new("job") }),
        (person(), Event::PriorityRaised { priority: Priority::P0, reason: Untrusted::new("生産停止 stopped") }),
        (Actor::RuleFloor, Event::TargetsMoved { targets: None, escalations: None }),
        (Actor::Notifier, Event::ClocksPaused { why: PauseReason::CustomerAnswer, from: case.now }),
        (person(), Event::ClocksResumed { why: PauseReason::CustomerHold, targets: None }),
        (Actor::RuleFloor, Event::ClocksExcluded { exclusion }),
        (Actor::Timekeeper, Event::NoticeNotConfirmed { notice: NoticeId(1) }),
        (Actor::Timekeeper, Event::Paged { page: Box::new(page) }),
        (Actor::Notifier, Event::PageAccepted { page: PageId(1), reference: "m@x".into(), accepted_at: case.now }),
        (Actor::Notifier, Event::PageFailed { page: PageId(1), why: Untrusted::new("550") }),
        (Actor::Timekeeper, Event::QuestionReminded { question: QuestionId(1), hours: 24 }),
        (Actor::Timekeeper, Event::AnswerOverdue { question: QuestionId(1), verdict: Some(Verdict::Suspicious) }),
        (person(), Event::AnalysisPresented { text: Untrusted::new("ここまで so far") }),
    ];
    case.events.extend(more.map(|(by, event)| Recorded { at: case.now, by, event }));
    let mut names: Vec<&str> = case.events.iter().map(|r| r.event.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 38, "{names:?}");
    // One event at a time, so that the bound on the list hides none.
    let events = std::mem::take(&mut case.events);
    for event in events {
        let name = event.event.name();
        case.events = vec![event];
        for language in Language::ALL {
            let facts = facts(&case, language);
            let timeline = facts.sections.iter().find(|s| s.number == "3").unwrap();
            let Some(Block::Table { rows, .. }) = timeline.blocks.last() else { panic!("no course of events") };
            let what = &rows[0][2][0].text;
            let japanese = what.chars().any(|c| matches!(c, 'ぁ'..='ん'));
            assert!(what.chars().count() > 5, "{name}: `{what}`");
            assert_eq!(japanese, language == Ja, "{name}: `{what}`");
        }
    }
}

#[test]
fn what_is_counted_but_not_kept_is_said() {
    let case = samples::campaign();
    let ja = said(&facts(&case, Ja));
    assert!(ja.contains("検知は 75 件です。このうち 50 件を一覧に、6 件を詳細に"), "{ja}");
    assert!(ja.contains("検知 25 件は件数のみ"));
    assert!(said(&facts(&case, En)).contains("75 alerts: 50 are listed, 6 of them"));
}

#[test]
fn gaps_late_answers_and_missed_targets_are_not_passed_over() {
    let ja = said(&facts(&samples::question_open(), Ja));
    assert!(ja.contains("検知から管理コンソールへの登録まで、4分29秒"));
    assert!(ja.contains("期限：2026年11月27日 10:41（JST）"), "72 hours from the question");
    let mut late = samples::web_shell();
    late.now = "2026-11-25T00:00:00Z".parse().unwrap();
    assert!(said(&facts(&late, Ja)).contains("目標超過（未実施）"));
    assert!(said(&facts(&late, En)).contains("Target missed, not done yet"));
}

#[test]
fn a_false_positive_asks_for_nothing_and_keeps_what_spoke_against_it() {
    let case = samples::false_positive();
    let text = said(&facts(&case, Ja));
    assert!(text.contains("現時点でお願いする事項はありません。") && !text.contains("【必須】"));
    assert!(text.contains("社内サーバーから配布しています"), "the customer's own answer is quoted");
}

#[test]
fn reports_read_well_in_both_languages() {
    for case in [samples::ransomware(), samples::false_positive()] {
        for language in Language::ALL {
            let name = format!("{}_{}", case.name, language.tag());
            insta::assert_snapshot!(name, markdown(&facts(&case, language)));
        }
    }
}
