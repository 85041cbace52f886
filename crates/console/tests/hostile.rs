//! Some hundred hostile texts in every place that takes a text, on every page, in both languages: each page has to be built
//! of the very same elements and attributes as its harmless twin, and every text has to be readable as what it is (SEC-30,
//! SEC-35).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use axum::http::{StatusCode, header};
use domain::alert::Signature;
use domain::incident::{Actor, Command, Role, Visibility};
use domain::judgement::Verdict;
use domain::question::Meaning;
use domain::{IncidentId, Language, QuestionId, Untrusted};
use jiff::SignedDuration;
use store::{Outcome, Refusal, Scope};
use support::browser::{Answer, Browser};
use support::markup::{Piece, pieces, text as said};
use support::{Soc, id, payloads, person};

/// Attributes that quote what somebody else wrote. All others have to be the same to the letter.
const QUOTING: [&str; 3] = ["title", "value", "aria-label"];
const CUSTOMER: &str = "sakura";

#[test]
fn there_are_more_than_three_hundred_hostile_texts() {
    let all = payloads::all();
    assert!(all.len() >= 300, "{}", all.len());
}

#[tokio::test]
async fn no_text_changes_what_a_page_is_made_of_sec_30_sec_35() {
    every_page_is_like_its_twin(payloads::all().into_iter().step_by(2).collect()).await;
}

/// The other half: two tests run side by side.
#[tokio::test]
async fn no_other_text_changes_what_a_page_is_made_of_sec_30_sec_35() {
    every_page_is_like_its_twin(payloads::all().into_iter().skip(1).step_by(2).collect()).await;
}

async fn every_page_is_like_its_twin(hostile: Vec<String>) {
    let harmless: Vec<String> = hostile.iter().map(|text| twin(text)).collect();
    let (attacked, calm) = tokio::join!(played(&hostile), played(&harmless));
    for (turn, language) in [Language::Ja, Language::En].into_iter().enumerate() {
        let (mut there, mut here) = (reader(&attacked, language).await, reader(&calm, language).await);
        let (mut customer, mut twin) =
            (reads(&attacked, "hanako", language).await, reads(&calm, "hanako", language).await);
        like(&customer.get("/answers").await, &twin.get("/answers").await, "/answers", true);
        let pages = 1..=hostile.len().div_ceil(100);
        let lists = pages.flat_map(|n| [format!("/?page={n}"), format!("/fragments/queue?page={n}")]);
        for path in lists.chain(
            ["/?view=closed", "/trouble", "/fragments/watch", "/hand-over", "/hand-over?who=person/sato"]
                .map(String::from),
        ) {
            like(&there.get(&path).await, &here.get(&path).await, &path, true);
        }
        for (n, text) in hostile.iter().enumerate() {
            let incident = incident(n);
            let mut paths = vec![format!("/incidents/{incident}")];
            // What is the same code in both languages is read in turns.
            if n % 2 == turn {
                paths.extend([
                    format!("/incidents/{incident}?tab=evidence"),
                    format!("/incidents/{incident}/alerts/{}", alert(n)),
                    format!("/fragments/previews/{incident}"),
                ]);
            }
            if n % 7 == 0 {
                paths.push(format!("/fragments/incidents/{incident}"));
            }
            if n % 4 == 0 {
                let path = format!("/answers/{incident}/Q1");
                let case = format!("{path} with {:?}", Untrusted::new(text).short(60));
                let parts = like(&customer.get(&path).await, &twin.get(&path).await, &case, true);
                let begin: String = Untrusted::new(text).quoted().chars().take(24).collect();
                assert!(said(&parts).contains(&begin), "{case}: {begin:?} is not there to be read");
            }
            for path in paths {
                let case = format!("{path} with {:?}", Untrusted::new(text).short(60));
                let page = there.get(&path).await;
                let parts = like(&page, &here.get(&path).await, &case, true);
                if text.contains(['<', '"']) {
                    assert!(!page.body.contains(text), "{case}: not escaped");
                }
                // In a record as it came, JSON escapes it first.
                if !path.contains("/alerts/") {
                    let begin: String = Untrusted::new(text).quoted().chars().take(24).collect();
                    assert!(said(&parts).contains(&begin), "{case}: {begin:?} is not there to be read");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_a_visitor_types_comes_back_as_text_sec_30() {
    // Searching shows what there is; the customer without incidents keeps that the same for all.
    const SHOWN: [&str; 5] =
        ["/?tenant=northwind&q=☠", "/hand-over?who=☠&to=☠&n=☠", "/sign-in/link/☠", "/incidents/☠", "/sign-in?next=☠"];
    let soc = Soc::open().await;
    let incident = soc.raise(CUSTOMER, support::unknown_file(1, "PC-001", soc.now())).await;
    let form = format!("/incidents/{incident}/verdict");
    let ask = Command::Ask { by: person("sato"), addition: None };
    soc.engine.execute(&id(CUSTOMER), incident, ask, soc.now()).await.unwrap();
    let sheet = format!("/answers/{incident}/Q1");
    for language in [Language::Ja, Language::En] {
        let mut sato = reader(&soc, language).await;
        let mut stranger = Browser::new(&soc);
        stranger.cookies.push(("language".into(), language.tag().into()));
        let mut calm = Vec::new();
        for path in SHOWN {
            let browser = if path.starts_with("/sign-in?") { &mut stranger } else { &mut sato };
            calm.push(browser.get(&path.replace('☠', "xxxxx")).await);
        }
        // No verdict was chosen, so the page comes back with what was typed in its field.
        let refused = sato.post(&form, &[("text", "xxxxx")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let mut hanako = reads(&soc, "hanako", language).await;
        let unfinished = hanako.post(&sheet, &[("words", "xxxxx")]).await;
        assert_eq!(unfinished.status, StatusCode::UNPROCESSABLE_ENTITY);
        for text in payloads::all() {
            let text: String = text.chars().take(800).collect();
            let typed = encoded(&text);
            let case = format!("{:?}", Untrusted::new(&text).short(60));
            for (path, calm) in SHOWN.iter().zip(&calm) {
                let browser = if path.starts_with("/sign-in?") { &mut stranger } else { &mut sato };
                like(&browser.get(&path.replace('☠', &typed)).await, calm, &format!("{path}: {case}"), false);
            }
            stays_here(&sato.get(&format!("/jump?to={typed}")).await, &case);
            stays_here(&sato.post("/preferences", &[("back", &text)]).await, &case);
            let back = sato.post(&form, &[("text", &text)]).await;
            same_make(&pieces(&back.body), &pieces(&refused.body), &format!("refused: {case}"), true);
            let back = hanako.post(&sheet, &[("words", &text)]).await;
            same_make(&pieces(&back.body), &pieces(&unfinished.body), &format!("unfinished: {case}"), true);
        }
    }
    // Signing in with a wrong name says the name again. That is slow on purpose, so only some are tried.
    for text in payloads::all().into_iter().step_by(29) {
        soc.time.pass(SignedDuration::from_mins(6));
        let text: String = text.chars().take(60).collect();
        let mut stranger = Browser::new(&soc);
        let bad = stranger.post("/sign-in", &[("person", &text), ("password", "wrong")]).await;
        let good = stranger.post("/sign-in", &[("person", &twin(&text)), ("password", "wrong")]).await;
        like(&bad, &good, &format!("signing in as {text:?}"), true);
    }
}

// ── what is compared ────────────────────────────────────────────────────────────────────────────────────────────────────

/// The two pages are made of the same parts, and nothing invisible is left in the hostile one.
fn like(bad: &Answer, good: &Answer, case: &str, exact: bool) -> Vec<Piece> {
    assert_eq!(bad.status, good.status, "{case}");
    assert!(bad.status.is_success() || bad.status.is_client_error(), "{case}: {}", bad.status);
    let parts = pieces(&bad.body);
    same_make(&parts, &pieces(&good.body), case, exact);
    let hidden = |text: &str| text.chars().find(|c| payloads::HIDDEN.contains(c) || (c.is_control() && *c != '\n'));
    for part in &parts {
        let hides = match part {
            Piece::Text(text) => hidden(text),
            // A field gives back what was typed into it.
            Piece::Open { attributes, .. } => attributes.iter().filter(|a| a.0 != "value").find_map(|a| hidden(&a.1)),
            Piece::Close(_) | Piece::Declaration(_) => None,
        };
        assert_eq!(hides, None, "{case}: a character that nobody sees, in {part:?}");
    }
    parts
}

/// All but the texts of two pages, one by one.
fn same_make(bad: &[Piece], good: &[Piece], case: &str, exact: bool) {
    let mut good = good.iter().filter(|part| !matches!(part, Piece::Text(_)));
    for part in bad.iter().filter(|part| !matches!(part, Piece::Text(_))) {
        let twin = good.next();
        let same = twin.is_some_and(|twin| same_part(part, twin, exact));
        assert!(same, "{case}: {part:?} stands where {twin:?} should");
    }
    assert_eq!(good.next(), None, "{case}: this is missing");
}

/// When not `exact`, addresses may differ, but only within this console and only in what is escaped.
fn same_part(bad: &Piece, good: &Piece, exact: bool) -> bool {
    let (Piece::Open { name, attributes }, Piece::Open { name: other, attributes: others }) = (bad, good) else {
        return bad == good;
    };
    let same_value = |(name, value): &(String, String), twin: &str| match name.as_str() {
        quoting if QUOTING.contains(&quoting) => true,
        "href" | "action" | "data-url" if !exact => value == twin || is_ours(value),
        _ => value == twin,
    };
    let pairs = || attributes.iter().zip(others);
    name == other && attributes.len() == others.len() && pairs().all(|(a, b)| a.0 == b.0 && same_value(a, &b.1))
}

fn is_ours(address: &str) -> bool {
    let escaped = address.bytes().all(|b| b.is_ascii_alphanumeric() || b"/?&=%-_.#".contains(&b));
    address.starts_with('/') && !address.starts_with("//") && escaped
}

/// An answer that leads somewhere leads to a page of ours.
fn stays_here(answer: &Answer, case: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{case}");
    let to = answer.headers[header::LOCATION].to_str().unwrap();
    assert!(to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\"), "{case}: {to}");
    assert_eq!(answer.headers.get_all(header::SET_COOKIE).iter().count(), 0, "{case}");
}

/// As many lines and letters, and harmless.
fn twin(text: &str) -> String {
    text.chars().map(|c| if "\r\n".contains(c) { c } else { 'x' }).collect()
}

// ── the play ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A SOC in which each text is said by an endpoint, an analyst, a customer and a broken machine, in an incident of its own.
async fn played(texts: &[String]) -> Soc {
    let soc = Soc::open().await;
    for (n, text) in texts.iter().enumerate() {
        say_everywhere(&soc, n, text).await;
    }
    let (store, now) = (soc.engine.store(), soc.now());
    let jobs = store.claim(Role::Notifier, "test", now, now, 200).await.unwrap();
    for (job, text) in jobs.iter().zip(texts) {
        store.settle(job, &Outcome::GaveUp { why: text.clone() }, now).await.unwrap();
    }
    // Equal refusals are kept once; the number keeps twins apart.
    let refusal = |(n, text): (usize, &String)| Refusal {
        at: now,
        source: text.clone(),
        reason: text.clone(),
        raw: format!("{{\"{n}\":\"{text}\"}}"),
    };
    let refusals: Vec<Refusal> = texts.iter().enumerate().map(refusal).collect();
    soc.engine.take_in(&id(CUSTOMER), &[], &refusals, None, now).await.unwrap();
    soc
}

async fn say_everywhere(soc: &Soc, n: usize, text: &str) {
    let said = || Some(Untrusted::new(text));
    let number = u32::try_from(n).unwrap();
    let mut alert = support::ransomware(number, &format!("host-{n}"), soc.now());
    alert.name = Untrusted::new(text);
    alert.storyline = said();
    let endpoint = &mut alert.endpoint;
    endpoint.name = Untrusted::new(text);
    (endpoint.domain, endpoint.os_name, endpoint.group, endpoint.site) = (said(), said(), said(), said());
    (endpoint.last_user, endpoint.agent_version) = (said(), said());
    endpoint.addresses = vec![Untrusted::new(text)];
    alert.file.path = said();
    alert.file.signature = Signature::Valid { publisher: said() };
    (alert.process.user, alert.process.originator, alert.process.command_line) = (said(), said(), said());
    for indicator in &mut alert.detection.indicators {
        indicator.category = said();
        indicator.description = Untrusted::new(text);
    }
    let incident = soc.raise(CUSTOMER, alert).await;
    assert_eq!(incident, self::incident(n));

    let state = soc.engine.store().incident(&Scope::All, incident).await.unwrap().unwrap();
    let said = Untrusted::new(text);
    let by = person("sato");
    let mut commands = vec![Command::AddNote { by: by.clone(), visibility: Visibility::Customer, text: said.clone() }];
    // One more way in for each: an answer by the customer, a refusal by the console, by the mail server, or by us.
    if n.is_multiple_of(5) {
        commands.push(Command::PresentAnalysis { by: by.clone(), text: Untrusted::new(&format!("{text} seen")) });
        commands.push(Command::Hold { by: by.clone(), reason: Untrusted::new(&format!("{text} asked")) });
    }
    commands.extend(match n % 4 {
        0 => vec![
            Command::Ask { by: by.clone(), addition: Some(said.clone()) },
            Command::RecordAnswer { by: by.clone(), question: QuestionId(1), meaning: Meaning::Other, words: said },
        ],
        1 => {
            let action = *state.actions.keys().next().expect("ransomware is acted upon");
            vec![Command::RefuseAction { action, why: said }]
        }
        2 => {
            let notice = state.notices.values().next().expect("the customer is told");
            let route = *notice.deliveries.keys().next().expect("by mail");
            vec![Command::FailNotice { notice: notice.id, route, why: said }]
        }
        _ => vec![Command::GiveUpJob { by: Actor::Notifier, what: said }],
    });
    // Some stay without a verdict, so that their due times are on the watch line of every page.
    if n % 10 != 9 {
        let reason = Untrusted::new(&format!("{text} seen"));
        commands.push(Command::GiveVerdict { by, verdict: Verdict::TruePositive, reason });
    }
    for command in commands {
        soc.engine.execute(&id(CUSTOMER), incident, command, soc.now()).await.unwrap();
    }
}

fn incident(n: usize) -> IncidentId {
    IncidentId { year: 2026, number: u32::try_from(n).unwrap() + 1 }
}

fn alert(n: usize) -> String {
    format!("20{n:017}")
}

async fn reader(soc: &Soc, language: Language) -> Browser<'_> {
    reads(soc, "smith", language).await
}

async fn reads<'a>(soc: &'a Soc, who: &str, language: Language) -> Browser<'a> {
    let mut browser = Browser::signed_in(soc, who).await;
    browser.cookies.push(("language".into(), language.tag().into()));
    browser
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
