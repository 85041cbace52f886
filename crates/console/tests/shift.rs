//! The analysts' screens for promised times and for the change of shifts, through their routes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use axum::http::{Method, StatusCode};
use domain::clock::Kind;
use domain::incident::{Command, Incident, Role, SendAnswer, Visibility};
use domain::judgement::{Priority, Verdict};
use domain::{IncidentId, PageId, QuestionId, Untrusted};
use jiff::SignedDuration;
use store::{Outcome, Scope};
use support::browser::{Answer, Browser};
use support::{Soc, id, person};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

async fn read(soc: &Soc, incident: IncidentId) -> Incident {
    soc.engine.store().incident(&Scope::All, incident).await.unwrap().unwrap()
}

async fn run(soc: &Soc, tenant: &str, incident: IncidentId, command: Command) {
    soc.engine.execute(&id(tenant), incident, command, soc.now()).await.unwrap();
}

/// Every waiting message is taken by its channel.
async fn deliver(soc: &Soc, tenant: &str, incident: IncidentId) {
    for notice in read(soc, incident).await.notices.values() {
        for route in notice.deliveries.keys() {
            let (notice, route, accepted_at) = (notice.id, *route, soc.now());
            run(soc, tenant, incident, Command::ConfirmNotice { notice, route, reference: "m".into(), accepted_at })
                .await;
        }
    }
}

async fn ask(soc: &Soc, tenant: &str, incident: IncidentId) {
    run(soc, tenant, incident, Command::Ask { by: person("sato"), addition: None }).await;
    deliver(soc, tenant, incident).await;
}

/// The part of a page from `from` to the next `to`.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("no {from}"));
    let rest = &page[start..];
    &rest[..rest.find(to).unwrap_or(rest.len())]
}

fn row(page: &str, incident: IncidentId) -> &str {
    between(page, &format!("<tr id=\"{incident}\""), "</tr>")
}

fn refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains(why), "{why}");
}

// ── what is done about promised times ───────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_analysis_is_presented_whole_or_not_at_all_and_stops_its_clock_when_the_customer_has_it() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let mut sato = Browser::signed_in(&soc, "sato").await;
    let path = format!("/incidents/{incident}/present");
    let whole =
        [("verdict", "suspicious"), ("text", "外部への接続を試みた"), ("recommendation", "端末を使わずお待ちください")];
    for missing in 0..3 {
        let mut form = whole.to_vec();
        form.remove(missing);
        let answer = sato.post(&path, &form).await;
        refused(&answer, "途中経過だけでは分析の提示になりません");
        for (_, typed) in form.iter().filter(|(name, _)| *name != "verdict") {
            assert!(answer.body.contains(&format!("{typed}</textarea>")), "what was typed is still there");
        }
    }
    assert!(read(&soc, incident).await.presented.is_empty());

    assert_eq!(sato.post(&path, &whole).await.location(), format!("/incidents/{incident}"));
    let presented = read(&soc, incident).await;
    let text = presented.presented[0].text.for_matching();
    assert_eq!(
        text,
        "現時点の判定：要調査（疑わしい）\n根拠：外部への接続を試みた\n推奨事項：端末を使わずお待ちください"
    );
    assert_eq!(presented.clocks.unwrap().analysed, None, "nobody has it yet");
    deliver(&soc, "sakura", incident).await;
    assert_eq!(read(&soc, incident).await.clocks.unwrap().analysed, Some(soc.now()));
}

#[tokio::test]
async fn a_wait_that_the_customer_asked_for_shows_on_page_queue_and_ends_by_a_button() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let page = format!("/incidents/{incident}");
    let (mut sato, mut smith) = (Browser::signed_in(&soc, "sato").await, Browser::signed_in(&soc, "smith").await);
    refused(&sato.post(&format!("{page}/end-hold"), &[]).await, "保留");
    refused(&sato.post(&format!("{page}/hold"), &[("text", "待つ")]).await, "理由を5文字以上");
    let reason = [("text", "山本様のご依頼で明日まで待つ")];
    assert_eq!(sato.post(&format!("{page}/hold"), &reason).await.location(), page);
    assert!(read(&soc, incident).await.clocks.unwrap().paused(Kind::Analysis).is_some());

    let shown = sato.get(&page).await.body;
    assert!(shown.contains("計時を一時停止中") && shown.contains("お客様のご依頼による保留"));
    assert!(shown.contains("保留を解除") && !shown.contains("tool-hold"));
    let cell = sato.get("/").await.body;
    assert!(row(&cell, incident).contains("一時停止中") && row(&cell, incident).contains("お客様都合の保留"));
    // The reader's language decides, not the writer's.
    let again = smith.post(&format!("{page}/hold"), &[("text", "wait until tomorrow")]).await;
    refused(&again, "the clocks are already on hold");
    refused(&sato.post(&format!("{page}/hold"), &reason).await, "保留");

    assert_eq!(smith.post(&format!("{page}/end-hold"), &[]).await.location(), page);
    assert!(read(&soc, incident).await.clocks.unwrap().paused(Kind::Analysis).is_none());
    assert!(!row(&sato.get("/").await.body, incident).contains("一時停止中"));
}

#[tokio::test]
async fn only_a_lead_raises_a_priority_and_nobody_lowers_it() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    assert_eq!(read(&soc, incident).await.priority(), Priority::P3);
    let path = format!("/incidents/{incident}/raise");
    let (mut sato, mut smith) = (Browser::signed_in(&soc, "sato").await, Browser::signed_in(&soc, "smith").await);
    let form = |priority| [("priority", priority), ("text", "credentials were taken on the same host")];
    assert_eq!(sato.post(&path, &form("P0")).await.status, StatusCode::FORBIDDEN);
    assert!(!sato.get(&format!("/incidents/{incident}")).await.body.contains("tool-raise"));
    assert!(smith.get(&format!("/incidents/{incident}")).await.body.contains("tool-raise"));
    assert_eq!(read(&soc, incident).await.priority(), Priority::P3);

    refused(&smith.post(&path, &[("text", "long enough a reason")]).await, "choose a priority");
    refused(&smith.post(&path, &[("priority", "P1"), ("text", "no")]).await, "at least 5 characters");
    assert_eq!(smith.post(&path, &form("P1")).await.status, StatusCode::SEE_OTHER);
    refused(&smith.post(&path, &form("P2")).await, "it can only be raised");
    let shown = smith.get(&format!("/incidents/{incident}")).await.body;
    let steps = between(&shown, "<p class=\"steps\"", "</p>");
    assert!(steps.contains("P3") && steps.contains("Alex Smith") && steps.ends_with("P1"), "{steps}");

    assert_eq!(smith.post(&path, &form("P0")).await.status, StatusCode::SEE_OTHER);
    assert!(read(&soc, incident).await.dfir);
    refused(&smith.post(&path, &form("P0")).await, "already `P0`");
}

// ── clocks that stand still ─────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_clock_that_waits_for_the_customer_is_hollow_and_shows_the_end_of_their_72_hours() {
    let soc = Soc::open().await;
    let asked = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    ask(&soc, "sakura", asked).await;
    soc.time.pass(minutes(70 * 60));
    let running = soc.raise("northwind", support::unknown_file(2, "NW-1", soc.now())).await;
    let mut sato = Browser::signed_in(&soc, "sato").await;
    let queue = sato.get("/").await.body;
    let (waits, runs) = (row(&queue, asked), row(&queue, running));
    assert!(waits.contains("due paused") && waits.contains("回答 10:00") && waits.contains("2時間00分"), "{waits}");
    assert!(runs.contains("初動") && !runs.contains("paused"), "{runs}");

    let line = sato.get("/fragments/watch").await.body;
    let mark = |incident: IncidentId| between(&line, &format!("href=\"/incidents/{incident}\""), "</a>").to_owned();
    assert!(mark(asked).contains("p3 hollow") && mark(asked).contains("計時停止中"), "{}", mark(asked));
    assert!(mark(running).contains("p3") && !mark(running).contains("hollow"), "{}", mark(running));
}

#[tokio::test]
async fn a_target_that_was_missed_before_the_pause_is_not_hidden_by_it() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    soc.time.pass(minutes(61));
    ask(&soc, "sakura", incident).await;
    let mut sato = Browser::signed_in(&soc, "sato").await;
    assert!(row(&sato.get("/").await.body, incident).contains("停止前に目標超過"));
}

#[tokio::test]
async fn the_page_says_whether_the_customer_has_the_question_and_how_often_they_were_reminded() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    run(&soc, "sakura", incident, Command::Ask { by: person("sato"), addition: None }).await;
    let page = format!("/incidents/{incident}");
    // Days pass: each look is a new session.
    let question = async || {
        let mut browser = Browser::signed_in(&soc, "sato").await;
        between(&browser.get(&page).await.body, "id=\"questions\"", "</section>").to_owned()
    };
    assert!(question().await.contains("未到達"));
    deliver(&soc, "sakura", incident).await;
    soc.time.pass(minutes(25 * 60));
    run(&soc, "sakura", incident, Command::LetTimePass).await;
    let told = question().await;
    for said in ["お客様に到達", "24時間後の催促まで送信済み", "次の催促", "11-26 10:00", "回答待ち"]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
    soc.time.pass(minutes(48 * 60));
    run(&soc, "sakura", incident, Command::LetTimePass).await;
    assert!(question().await.contains("72時間以内にご回答なし"));
}

#[tokio::test]
async fn calls_are_shown_with_whom_they_reached_or_that_nobody_was_on_the_roster() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::ransomware(1, "WS-017", soc.now())).await;
    soc.time.pass(minutes(9));
    run(&soc, "sakura", incident, Command::LetTimePass).await;
    let confirm = Command::ConfirmPage { page: PageId(1), reference: "p".into(), accepted_at: soc.now() };
    run(&soc, "sakura", incident, confirm).await;
    run(&soc, "sakura", incident, Command::FailPage { page: PageId(2), why: Untrusted::new("<b>no route</b>") }).await;
    let pages = read(&soc, incident).await.pages;
    assert!(pages.len() > 2 && pages.values().any(|p| p.to.is_none()), "the roster runs out: {pages:?}");
    let shown = Browser::signed_in(&soc, "sato").await.get(&format!("/incidents/{incident}")).await.body;
    let calls = between(&shown, "id=\"calls\"", "</section>");
    for said in ["佐藤 健", "Alex Smith", "受付済み", "&lt;b&gt;no route", "当番表に該当者なし"] {
        assert!(calls.contains(said), "{said}: {calls}");
    }
}

#[tokio::test]
async fn the_watch_line_stands_on_every_page_of_the_staff() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let alert = read(&soc, incident).await.alerts[0].id.clone();
    let mut sato = Browser::signed_in(&soc, "sato").await;
    let known: Vec<String> = console::routes::ALL
        .iter()
        .filter(|route| {
            route.method == console::routes::Method::Get && route.access.allows(store::AccountRole::Analyst)
        })
        .map(|route| route.path.replace("{id}", &incident.to_string()).replace("{alert}", alert.as_str()))
        .collect();
    let mut with_line = 0;
    for path in known.iter().filter(|path| !path.contains('{') && *path != "/events" && *path != "/jump") {
        let answer = sato.ask(Method::GET, path, "text/html", &[], None).await;
        if answer.body.contains("<main") && answer.body.contains("<nav class=\"bar\"") {
            assert!(
                answer.body.contains("id=\"watch\"") && answer.body.contains(&format!("/incidents/{incident}")),
                "{path}"
            );
            with_line += 1;
        }
    }
    assert!(with_line >= 6, "queue, incident, evidence, hand-over, trouble, about: {with_line}");
}

// ── from one shift to the next ──────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn the_sheet_names_all_that_a_shift_leaves_to_the_next() {
    let soc = Soc::open().await;
    let open = soc.raise("northwind", support::unknown_file(1, "NW-1", soc.now())).await;
    let asked = soc.raise("sakura", support::unknown_file(2, "PC-2", soc.now())).await;
    ask(&soc, "sakura", asked).await;
    let grave = soc.raise("sakura", support::ransomware(3, "WS-017", soc.now())).await;
    deliver(&soc, "sakura", grave).await;
    let action = *read(&soc, grave).await.actions.keys().next().unwrap();
    run(&soc, "sakura", grave, Command::IntendAction { action }).await;
    let answer = SendAnswer::Lost { why: Untrusted::new("cut off") };
    run(&soc, "sakura", grave, Command::ReportSend { action, sent_at: soc.now(), answer }).await;
    soc.time.pass(minutes(9));
    run(&soc, "sakura", grave, Command::LetTimePass).await;
    let (store, now) = (soc.engine.store(), soc.now());
    let jobs = store.claim(Role::Notifier, "w", now, now + minutes(1), 100).await.unwrap();
    let dead = jobs.iter().find(|job| job.incident == open).unwrap();
    store.settle(dead, &Outcome::GaveUp { why: "the mail server said no".into() }, now).await.unwrap();

    let mut sato = Browser::signed_in(&soc, "sato").await;
    let page = sato.get("/hand-over").await.body;
    let table = between(&page, "<tbody", "</tbody>");
    let place = |incident: IncidentId| table.find(&format!("value=\"{incident}\"")).unwrap();
    assert!(place(grave) < place(open) && place(open) < place(asked), "what is due next comes first");
    let part = |title: &str| between(&page, &format!("<h2>{title}"), "</section>").to_owned();
    let holds = |title: &str, words: &[&str]| {
        let part = part(title);
        for word in words {
            assert!(part.contains(word), "{title}: {word}: {part}");
        }
    };
    let of_grave = between(table, &format!("value=\"{grave}\""), "</tr>");
    assert!(
        between(of_grave, "c-next", "</td>").contains("11:00"),
        "a message within the hour, as in every DFIR case: {of_grave}"
    );
    holds("約束の時刻を過ぎたご連絡", &["なし"]);
    holds("お客様の回答待ち", &[&asked.to_string(), "11-27 10:00", "2日23時間"]);
    holds("途中の対処", &[&grave.to_string(), "応答不明"]);
    holds("完了できなかった処理", &[&open.to_string(), "the mail server said no"]);
    holds("SOC 内の呼び出し", &[&grave.to_string(), "佐藤 健", "まだ誰も受領していません"]);
    holds("DFIR モード", &[&grave.to_string(), "担当なし"]);
    holds("承認待ちの対処", &["なし"]);
    let duty = between(&page, "<dl class=\"duty\"", "</dl>");
    for said in ["札幌", "佐藤 健", "18:00", "福岡", "森 由紀", "17:00", "Alex Smith"] {
        assert!(duty.contains(said), "{said}: {duty}");
    }

    // A promised message that has not come stands apart.
    soc.time.pass(minutes(52));
    let later = sato.get("/hand-over").await.body;
    let over = between(&later, "<h2>約束の時刻を過ぎたご連絡", "</section>");
    assert!(
        over.contains(&grave.to_string()) && over.contains("1分 超過") && !over.contains(&asked.to_string()),
        "{over}"
    );

    // Once somebody has taken it, the call says who.
    sato.post(&format!("/incidents/{grave}/acknowledge"), &[]).await;
    let calls = sato.get("/hand-over").await.body;
    let calls = between(&calls, "<h2>SOC 内の呼び出し", "</section>");
    assert!(calls.contains("受領 佐藤 健") && !calls.contains("まだ誰も"), "{calls}");

    // By person, and by the site they are at.
    for (who, grave_there, asked_there) in [
        ("person/sato", true, true),
        ("site/sapporo", true, true),
        ("site/fukuoka", false, false),
        ("nobody", false, false),
    ] {
        let page = sato.get(&format!("/hand-over?who={who}")).await.body;
        let has = |incident: IncidentId| page.contains(&format!("name=\"incident\" value=\"{incident}\""));
        assert_eq!((has(grave), has(asked), has(open)), (grave_there, asked_there, who == "nobody"), "{who}");
        assert_eq!(page.contains("未割り当てが 1 件"), who != "nobody", "{who}");
    }
    // Mori works for one customer and hears of no other.
    let page = Browser::signed_in(&soc, "mori").await.get("/hand-over").await.body;
    assert!(page.contains(&grave.to_string()) && !page.contains(&open.to_string()) && !page.contains("ノースウィンド"));
}

#[tokio::test]
async fn a_hand_over_leaves_the_new_owner_and_the_state_of_the_clock_rel_25() {
    let soc = Soc::open().await;
    let running = soc.raise("sakura", support::unknown_file(1, "PC-1", soc.now())).await;
    let asked = soc.raise("sakura", support::unknown_file(2, "PC-2", soc.now())).await;
    ask(&soc, "sakura", asked).await;
    soc.time.pass(minutes(20));
    let mut smith = Browser::signed_in(&soc, "smith").await;
    let form =
        [("who", "person/sato"), ("to", "mori"), ("incident", &running.to_string()), ("incident", &asked.to_string())];
    let answer = smith.post("/hand-over", &form).await;
    assert_eq!(answer.location(), "/hand-over?who=person/sato&to=mori&n=2");
    assert!(smith.get(answer.location()).await.body.contains("2 handed over to 森 由紀."));
    let note = async |incident| {
        let incident = read(&soc, incident).await;
        assert_eq!(incident.assigned, Some(person("mori")));
        let note = incident.notes.last().unwrap().clone();
        assert_eq!((note.by, note.visibility), (person("smith"), Visibility::Internal));
        note.text.for_matching().to_owned()
    };
    assert_eq!(
        note(running).await,
        "引き継ぎ：Alex Smith → 森 由紀\n2026-11-24 10:20:00 JST 時点：初動対応、期限 2026-11-24 11:00:00 JST（40分）、計時中\n質問 Q1 はお客様に未到達"
    );
    assert_eq!(
        note(asked).await,
        "引き継ぎ：Alex Smith → 森 由紀\n2026-11-24 10:20:00 JST 時点：分析結果の提示、停止時の期限 2026-11-24 11:00:00 JST、\
         2026-11-24 10:00:00 JST から一時停止中（お客様のご回答待ち）\n質問 Q2 の回答期限 2026-11-27 10:00:00 JST"
    );
}

#[tokio::test]
async fn what_is_taken_over_from_the_sheet_is_noted_like_any_hand_over() {
    let soc = Soc::open().await;
    let incident = soc.raise("sakura", support::unknown_file(1, "PC-1", soc.now())).await;
    let mut smith = Browser::signed_in(&soc, "smith").await;
    let answer = smith.post("/hand-over", &[("take", &incident.to_string()), ("to", "mori")]).await;
    assert_eq!(answer.location(), "/hand-over?to=smith&n=1");
    assert!(smith.get(answer.location()).await.body.contains("You took over 1."));
    let taken = read(&soc, incident).await;
    assert_eq!(taken.assigned, Some(person("smith")));
    assert!(
        taken.notes[0]
            .text
            .for_matching()
            .starts_with("Hand-over: taken by Alex Smith\nAs of 2026-11-24 10:00:00 JST: First response, due")
    );
}

#[tokio::test]
async fn nothing_is_handed_to_somebody_who_may_not_see_all_of_it() {
    let soc = Soc::open().await;
    let own = soc.raise("sakura", support::unknown_file(1, "PC-1", soc.now())).await;
    let foreign = soc.raise("northwind", support::unknown_file(2, "NW-1", soc.now())).await;
    let (one, other) = (own.to_string(), foreign.to_string());
    let mut sato = Browser::signed_in(&soc, "sato").await;
    let to_mori = sato.post("/hand-over", &[("to", "mori"), ("incident", &one), ("incident", &other)]).await;
    refused(&to_mori, "森 由紀 さんはこのお客様を担当できません");
    for nobody in ["ops", "hanako", "nobody", "../x", ""] {
        let answer = sato.post("/hand-over", &[("to", nobody), ("incident", &one)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{nobody}");
    }
    refused(&sato.post("/hand-over", &[("to", "mori")]).await, "引き継ぐインシデントを選んでください");
    let nothing = sato.post("/hand-over", &[("to", "mori"), ("incident", &one), ("incident", "INC-2026-000999")]).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert_eq!(read(&soc, own).await.assigned, None);

    // What was closed meanwhile is said; the rest is handed over.
    run(
        &soc,
        "sakura",
        own,
        Command::RecordAnswer {
            by: person("sato"),
            question: QuestionId(1),
            meaning: domain::question::Meaning::Ours,
            words: Untrusted::new("it is ours"),
        },
    )
    .await;
    let reason = Untrusted::new("purpose and source are known");
    run(&soc, "sakura", own, Command::GiveVerdict { by: person("sato"), verdict: Verdict::FalsePositive, reason })
        .await;
    run(&soc, "sakura", own, Command::Close { by: person("sato") }).await;
    let answer = sato.post("/hand-over", &[("to", "smith"), ("incident", &one), ("incident", &other)]).await;
    refused(&answer, &format!("{own}: 終了済み"));
    assert_eq!(read(&soc, foreign).await.assigned, Some(person("smith")));
    assert!(
        !read(&soc, own).await.notes.iter().any(|n| n.text.for_matching().contains("引き継ぎ")),
        "all of it or nothing"
    );
}
