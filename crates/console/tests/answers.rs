//! The customer's own pages: what they are asked, how they answer, and what they never see (SEC-01, SEC-05, SEC-22, REL-15).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use axum::http::StatusCode;
use domain::incident::{Command, Event, Incident, Phase, Visibility};
use domain::judgement::Verdict;
use domain::question::Meaning;
use domain::{IncidentId, QuestionId, Untrusted};
use jiff::SignedDuration;
use store::{AccountRole, Person, Scope};
use support::browser::Browser;
use support::{Soc, id, person};

const OURS: [(&str, &str); 2] =
    [("meaning", "ours"), ("words", "経理の田中が、請求書の印刷のために業者のサイトから入手しました。")];

async fn run(soc: &Soc, tenant: &str, incident: IncidentId, command: Command) -> Incident {
    soc.engine.execute(&id(tenant), incident, command, soc.now()).await.unwrap()
}

/// An unknown file about which the customer was asked.
async fn asked(soc: &Soc, tenant: &str, n: u32) -> IncidentId {
    let incident = soc.raise(tenant, support::unknown_file(n, &format!("PC-{n:03}"), soc.now())).await;
    let addition = Some(Untrusted::new("先週の一斉配布に含まれていましたか。"));
    let asked = run(soc, tenant, incident, Command::Ask { by: person("sato"), addition }).await;
    let notice = asked.notices.values().next_back().unwrap();
    for route in notice.deliveries.keys() {
        let (reference, accepted_at) = ("m@soc.example".to_owned(), soc.now());
        let accepted = Command::ConfirmNotice { notice: notice.id, route: *route, reference, accepted_at };
        run(soc, tenant, incident, accepted).await;
    }
    incident
}

async fn read(soc: &Soc, incident: IncidentId) -> Incident {
    soc.engine.store().incident(&Scope::All, incident).await.unwrap().unwrap()
}

async fn answers(soc: &Soc, incident: IncidentId) -> usize {
    let tenant = read(soc, incident).await.tenant;
    let events = soc.engine.store().events(&tenant, incident).await.unwrap();
    events.iter().filter(|r| matches!(r.event, Event::AnswerRecorded { .. })).count()
}

/// The first question is the rule floor's own, which the analyst's replaces.
fn sheet(incident: IncidentId) -> String {
    format!("/answers/{incident}/Q2")
}

// ── the way there ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_customer_begins_at_their_questions_and_a_link_in_a_message_leads_to_one_after_signing_in_sec_22() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let mut browser = Browser::new(&soc);
    let form = [("person", "hanako"), ("password", support::PASSWORD)];
    assert_eq!(browser.post("/sign-in", &form).await.location(), "/answers");
    assert_eq!(browser.get("/sign-in").await.location(), "/answers", "where everybody's way back leads");

    let mut from_mail = Browser::new(&soc);
    let link = format!("/answers/{incident}");
    let first = from_mail.get(&link).await;
    assert_eq!((first.status, first.location()), (StatusCode::SEE_OTHER, format!("/sign-in?next={link}").as_str()));
    let form = [("person", "hanako"), ("password", support::PASSWORD), ("next", link.as_str())];
    assert_eq!(from_mail.post("/sign-in", &form).await.location(), link);
    assert_eq!(from_mail.get(&link).await.location(), sheet(incident));
    let page = from_mail.get(&sheet(incident)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(answers(&soc, incident).await, 0);
}

#[tokio::test]
async fn the_list_has_what_waits_with_its_time_first_and_then_what_is_over() {
    let soc = Soc::open().await;
    let answered = asked(&soc, "sakura", 1).await;
    let lapsed = asked(&soc, "sakura", 2).await;
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    hanako.post(&sheet(answered), &OURS).await;
    soc.time.pass(SignedDuration::from_hours(71));
    let later = asked(&soc, "sakura", 3).await;
    let both = Browser::signed_in(&soc, "hanako").await.get("/answers").await.body;
    let place = |body: &str, incident: IncidentId| body.find(&format!("href=\"{}\"", sheet(incident))).unwrap();
    // Asked on Tuesday at ten.
    assert!(both.contains("あと1時間00分") && both.contains("2026-11-27（金）10:00"), "{both}");
    assert!(place(&both, lapsed) < place(&both, later) && place(&both, later) < place(&both, answered));

    soc.time.pass(SignedDuration::from_hours(1));
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    let list = hanako.get("/answers").await.body;
    assert!(place(&list, later) < place(&list, lapsed) && place(&list, lapsed) < place(&list, answered));
    assert!(list.contains("未回答・期限切れ（回答できます）") && !list.contains("超過"));
    assert!(Browser::signed_in(&soc, "jones").await.get("/answers").await.body.contains("Nothing waits"));
}

#[tokio::test]
async fn an_account_that_does_not_say_whose_it_is_sees_nobodys_questions_sec_05() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let hanako = soc.engine.store().person(&person("hanako")).await.unwrap().unwrap();
    for scope in [Scope::All, Scope::Only(vec![]), Scope::Only(vec![id("sakura"), id("northwind")])] {
        soc.engine.store().save_person(&Person { scope, ..hanako.clone() }).await.unwrap();
        let mut browser = Browser::signed_in(&soc, "hanako").await;
        assert_eq!(browser.get("/answers").await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.get(&sheet(incident)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(browser.post(&sheet(incident), &OURS).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(answers(&soc, incident).await, 0);
    assert_eq!(hanako.role, AccountRole::Customer);
}

#[tokio::test]
async fn nobody_of_a_customer_is_given_an_incident_to_work() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let mut sato = Browser::signed_in(&soc, "sato").await;
    let answer = sato.post(&format!("/incidents/{incident}/assign"), &[("to", "hanako")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!sato.get(&format!("/incidents/{incident}")).await.body.contains(r#"value="hanako""#));
}

// ── what is on the pages ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_question_says_what_was_found_and_nothing_that_is_the_socs_own() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let other = asked(&soc, "northwind", 2).await;
    let by = person("sato");
    let text = Untrusted::new("内輪の見立て：たぶん業者のツール");
    run(&soc, "sakura", incident, Command::AddNote { by: by.clone(), visibility: Visibility::Internal, text }).await;
    run(&soc, "sakura", incident, Command::Assign { to: by.clone(), by }).await;
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    let page = hanako.get(&sheet(incident)).await.body;
    for shown in [
        "さくら製作所",
        "setup_helper.exe",
        "PC-001",
        "対処を済ませています",
        "このファイル（プログラム）に心当たりはありますか。",
        "先週の一斉配布に含まれていましたか。",
        "2026-11-27（金）10:00",
        "TLP:AMBER+STRICT",
    ] {
        assert!(page.contains(shown), "{shown} is missing: {page}");
    }
    let answered = hanako.post(&sheet(incident), &OURS).await;
    let pages = [page, hanako.get("/answers").await.body, hanako.get(answered.location()).await.body];
    for page in &pages {
        for never in
            ["内輪", "佐藤", "sato", "Alex", "ノースウィンド", "northwind", &other.to_string(), "<script", "R12"]
        {
            assert!(!page.contains(never), "{never} in {page}");
        }
        for address in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(
                address.starts_with("/answers") || address.starts_with("/assets/") || address == "#main",
                "{address}"
            );
        }
    }
}

#[tokio::test]
async fn what_an_analyst_took_down_by_telephone_is_shown_without_their_name() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let words = Untrusted::new("電話で確認：社内の配布ツール");
    let (by, question) = (person("sato"), QuestionId(1));
    run(&soc, "sakura", incident, Command::RecordAnswer { by, question, meaning: Meaning::Ours, words }).await;
    let page = Browser::signed_in(&soc, "hanako").await.get(&sheet(incident)).await.body;
    assert!(page.contains("電話で確認：社内の配布ツール") && page.contains("当方で記録"), "{page}");
    assert!(!page.contains("佐藤") && !page.contains("sato"));
    assert!(!page.contains("<form class=\"answer\""));
}

// ── answering ───────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_answer_is_thanked_for_and_stands_in_the_incident_with_who_gave_it() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    let answer = hanako.post(&sheet(incident), &OURS).await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, format!("{}?sent=1", sheet(incident)).as_str())
    );
    let thanks = hanako.get(answer.location()).await.body;
    assert!(thanks.contains("ご回答ありがとうございました") && thanks.contains("これからの流れ"), "{thanks}");

    let state = read(&soc, incident).await;
    let given = state.questions[&QuestionId(2)].answer.as_ref().unwrap();
    assert_eq!((given.meaning, &given.recorded_by, given.at), (Meaning::Ours, &person("hanako"), soc.now()));
    assert_eq!(given.words.for_matching(), OURS[1].1);
    let analyst = Browser::signed_in(&soc, "sato").await.get(&format!("/incidents/{incident}")).await.body;
    assert!(analyst.contains(OURS[1].1) && analyst.contains("山本 花子"));

    let again = hanako.get(&sheet(incident)).await.body;
    assert!(again.contains("回答済みです") && again.contains(OURS[1].1) && again.contains("山本 花子"));
    assert!(!again.contains("<form class=\"answer\""));
    hanako.post("/preferences", &[("language", "en"), ("back", &sheet(incident))]).await;
    assert!(hanako.get(&sheet(incident)).await.body.contains("What happens next"));
}

#[tokio::test]
async fn a_button_pressed_twice_answers_once() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let (mut one, mut two) = (Browser::signed_in(&soc, "hanako").await, Browser::signed_in(&soc, "hanako").await);
    let path = sheet(incident);
    let (first, second) = tokio::join!(one.post(&path, &OURS), two.post(&path, &OURS));
    for answer in [&first, &second] {
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, format!("{path}?sent=1").as_str()));
    }
    assert_eq!(answers(&soc, incident).await, 1);
}

#[tokio::test]
async fn who_comes_second_sees_the_first_answer_and_keeps_their_own_words() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let hanako = soc.engine.store().person(&person("hanako")).await.unwrap().unwrap();
    let taro = Person { id: person("taro"), name: "鈴木 太郎".into(), ..hanako };
    soc.engine.store().save_person(&taro).await.unwrap();
    Browser::signed_in(&soc, "hanako").await.post(&sheet(incident), &OURS).await;
    let mut taro = Browser::signed_in(&soc, "taro").await;
    let late = taro.post(&sheet(incident), &[("meaning", "unknown"), ("words", "誰も知らないと言っています")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    for shown in [OURS[1].1, "山本 花子", "送信されていません", "誰も知らないと言っています"]
    {
        assert!(late.body.contains(shown), "{shown}");
    }
    assert_eq!(answers(&soc, incident).await, 1);
}

#[tokio::test]
async fn ten_thousand_characters_come_back_whole_and_nothing_is_recorded() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    let long = "櫓".repeat(10_000);
    let answer = hanako.post(&sheet(incident), &[("meaning", "ours"), ("words", &long)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("現在 10000 文字") && answer.body.contains(&long));
    assert!(answer.body.contains(r#"value="ours" required checked"#));
    assert_eq!(answers(&soc, incident).await, 0);
    // The longest that is kept is kept whole: 1,365 letters of three bytes each.
    let fits = "櫓".repeat(1365);
    let answer = hanako.post(&sheet(incident), &[("meaning", "ours"), ("words", &fits)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let state = read(&soc, incident).await;
    assert_eq!(state.questions[&QuestionId(2)].answer.as_ref().unwrap().words.for_matching(), fits);
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_not_knowing_needs_no_more_words() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    for (form, why) in [
        (vec![("words", "営業の道具")], "あてはまるものを一つ選んでください"),
        (vec![("meaning", "ours"), ("words", "  \r\n ")], "わかる範囲でお書きください"),
        (vec![("meaning", "other")], "内容をお書きください"),
    ] {
        let answer = hanako.post(&sheet(incident), &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(answer.body.contains(why) && answer.body.contains("role=\"alert\""), "{form:?}");
    }
    assert!(hanako.post(&sheet(incident), &[("words", "営業の道具")]).await.body.contains("営業の道具"));
    assert_eq!(answers(&soc, incident).await, 0);
    let answer = hanako.post(&sheet(incident), &[("meaning", "unknown"), ("words", "")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(read(&soc, incident).await.verdict, Verdict::Suspicious, "R14");
}

#[tokio::test]
async fn a_late_answer_is_taken_and_opens_the_closed_case_again_rel_15() {
    let soc = Soc::open().await;
    let incident = asked(&soc, "sakura", 1).await;
    soc.time.pass(SignedDuration::from_hours(73));
    let mut hanako = Browser::signed_in(&soc, "hanako").await;
    assert!(hanako.get(&sheet(incident)).await.body.contains("回答期限を過ぎていますが、いまからでも回答できます"));

    let reason = Untrusted::new("期限までにご回答がなかったため");
    let by = person("sato");
    run(&soc, "sakura", incident, Command::GiveVerdict { by: by.clone(), verdict: Verdict::Suspicious, reason }).await;
    run(&soc, "sakura", incident, Command::Close { by }).await;
    let page = hanako.get(&sheet(incident)).await.body;
    assert!(page.contains("回答すると、本件の調査を再開します"), "{page}");
    let answer = hanako.post(&sheet(incident), &OURS).await;
    let thanks = hanako.get(answer.location()).await.body;
    assert!(thanks.contains("終了していた本件の調査を再開しました"), "{thanks}");
    assert!(thanks.contains("分析担当者がご回答の内容を確認します"), "the old verdict is not the answer: {thanks}");
    let state = read(&soc, incident).await;
    assert!(state.phase.is_open() && state.phase != Phase::Asked, "{:?}", state.phase);
}
