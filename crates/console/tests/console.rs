//! The console through its routes, with a real store and engine behind it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use axum::http::{Method, StatusCode, header};
use domain::IncidentId;
use domain::incident::{Incident, Phase, Visibility};
use domain::judgement::Verdict;
use jiff::SignedDuration;
use store::Scope;
use support::browser::{Answer, Browser};
use support::{Soc, person};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

async fn read(soc: &Soc, id: IncidentId) -> Incident {
    soc.engine.store().incident(&Scope::All, id).await.unwrap().unwrap()
}

// ── watched from outside ────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn whoever_watches_from_outside_sees_a_loop_that_stopped_and_no_customer_rel_10() {
    let soc = Soc::open().await;
    soc.raise("sakura", support::unknown_file(1, "PC-1", soc.now())).await;
    let mut stranger = Browser::new(&soc);
    let mut look = async || {
        let answer = stranger.ask(Method::GET, "/healthz", "*/*", &[], None).await;
        for others in ["sakura", "northwind", "PC-1"] {
            assert!(!answer.body.contains(others), "{}", answer.body);
        }
        let health: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let states: Vec<_> = health["loops"].as_array().unwrap().iter().map(|l| l["state"].clone()).collect();
        (answer.status, health, states)
    };
    let (status, health, states) = look().await;
    assert_eq!((status, &health["status"]), (StatusCode::SERVICE_UNAVAILABLE, &"late".into()));
    assert_eq!(states, ["missing"; 5], "{health}");

    soc.beat().await;
    soc.time.pass(minutes(2));
    let (status, health, states) = look().await;
    assert_eq!(
        (status, &health["status"], &health["at"]),
        (StatusCode::OK, &"ok".into(), &"2026-11-24T01:02:00Z".into())
    );
    assert_eq!(states, ["ok"; 5], "{health}");
    assert!(health["clock_step"].is_null(), "{health}");

    // One of three customers is no longer polled.
    soc.time.pass(minutes(1));
    soc.beat().await;
    let every = std::time::Duration::from_secs(15);
    let stale = soc.now() - SignedDuration::from_secs(121);
    let beat = store::Heartbeat { name: "intake/northwind".into(), started_at: stale, at: stale, every };
    soc.engine.store().beat(&beat).await.unwrap();
    let step = store::ClockStep { at: stale, by: SignedDuration::from_secs(-75) };
    soc.engine.store().keep_clock_step(step).await.unwrap();
    let (status, health, states) = look().await;
    assert_eq!((status, &health["status"]), (StatusCode::SERVICE_UNAVAILABLE, &"late".into()));
    assert_eq!(states, ["late", "ok", "ok", "ok", "ok"], "{health}");
    assert_eq!(health["loops"][0]["age_s"], 121, "{health}");
    assert_eq!(health["clock_step"], "clock stepped by -75 s at 2026-11-24T01:00:59Z");
}

#[tokio::test]
async fn without_its_store_the_console_still_answers_that_it_is_ill() {
    let soc = Soc::open().await;
    soc.beat().await;
    soc.engine.store().close().await;
    let answer = Browser::new(&soc).ask(Method::GET, "/healthz", "*/*", &[], None).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body, r#"{"status":"unavailable","at":"2026-11-24T01:00:00Z","loops":[],"clock_step":null}"#);
}

// ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_wrong_password_and_an_unknown_person_get_the_same_answer() {
    let soc = Soc::open().await;
    let mut browser = Browser::new(&soc);
    let wrong = browser.post("/sign-in", &[("person", "sato"), ("password", "wrong")]).await;
    let unknown = browser.post("/sign-in", &[("person", "nobody"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.body.replace("sato", ""), unknown.body.replace("nobody", ""));
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn after_five_wrong_passwords_even_the_right_one_has_to_wait() {
    let soc = Soc::open().await;
    let mut browser = Browser::new(&soc);
    for _ in 0..5 {
        browser.post("/sign-in", &[("person", "sato"), ("password", "wrong")]).await;
    }
    let right = [("person", "sato"), ("password", support::PASSWORD)];
    let refused = browser.post("/sign-in", &right).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.body.contains("10:05"), "says when: {}", refused.body);
    soc.time.pass(minutes(6));
    assert_eq!(browser.post("/sign-in", &right).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_sign_in_link_is_used_up_by_its_button_and_by_nothing_else_sec_22() {
    let soc = Soc::open().await;
    let (token, hash) = console::link_token(&*soc.entropy);
    soc.engine.store().save_link(&hash, &person("sato"), soc.now() + minutes(15)).await.unwrap();
    let path = format!("/sign-in/link/{token}");

    // A mail scanner looks three times.
    for method in [Method::GET, Method::GET, Method::HEAD] {
        let mut scanner = Browser::new(&soc);
        assert_eq!(scanner.ask(method, &path, "text/html", &[], None).await.status, StatusCode::OK);
        assert!(scanner.cookies.is_empty());
    }
    let mut browser = Browser::new(&soc);
    assert_eq!(browser.post(&path, &[]).await.location(), "/");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let mut second = Browser::new(&soc);
    assert_eq!(second.post(&path, &[]).await.status, StatusCode::UNAUTHORIZED);
    assert!(second.cookies.is_empty());
}

#[tokio::test]
async fn an_expired_link_opens_nothing() {
    let soc = Soc::open().await;
    let (token, hash) = console::link_token(&*soc.entropy);
    soc.engine.store().save_link(&hash, &person("sato"), soc.now() + minutes(15)).await.unwrap();
    soc.time.pass(minutes(15));
    let answer = Browser::new(&soc).post(&format!("/sign-in/link/{token}"), &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_by_sign_out_by_time_and_when_the_person_is_disabled_sec_08() {
    let soc = Soc::open().await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let stolen = browser.cookies.clone();
    browser.post("/sign-out", &[]).await;
    let mut thief = Browser { soc: &soc, cookies: stolen };
    assert_eq!(thief.get("/").await.location(), "/sign-in?next=/");

    let mut browser = Browser::signed_in(&soc, "sato").await;
    soc.time.pass(SignedDuration::from_hours(12));
    assert_eq!(browser.get("/about").await.location(), "/sign-in?next=/about");

    let mut browser = Browser::signed_in(&soc, "sato").await;
    let mut sato = soc.engine.store().person(&person("sato")).await.unwrap().unwrap();
    sato.disabled = true;
    soc.engine.store().save_person(&sato).await.unwrap();
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_session_cookie_is_strict_and_bound_to_the_host_and_the_store_knows_only_its_hash() {
    let soc = Soc::open().await;
    let mut browser = Browser::new(&soc);
    let answer = browser.post("/sign-in", &[("person", "sato"), ("password", support::PASSWORD)]).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let token = &browser.cookies[0].1;
    assert!(soc.engine.store().session(token, soc.now()).await.unwrap().is_none(), "the token itself is no key");

    let settings = console::Settings { secure_cookies: true, ..support::settings() };
    let app = console::App::new(soc.engine.clone(), soc.time.clone(), soc.entropy.clone(), settings).unwrap();
    let secure = Soc { router: app.router(), app, ..soc };
    let answer = Browser::new(&secure).post("/sign-in", &[("person", "sato"), ("password", support::PASSWORD)]).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-yagura=") && cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn the_program_refuses_to_start_with_an_origin_that_protects_nothing() {
    let soc = Soc::open().await;
    for bad in ["soc.example.jp", "https://soc.example.jp/path", "file:///x", ""] {
        let settings = console::Settings { public_origin: bad.into(), ..support::settings() };
        let app = console::App::new(soc.engine.clone(), soc.time.clone(), soc.entropy.clone(), settings);
        assert!(app.is_err(), "{bad:?}");
    }
}

// ── working an incident ─────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn an_incident_is_worked_from_receipt_to_its_end_through_forms_alone() {
    let soc = Soc::open().await;
    let id = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let mut go = async |what: &str, form: &[(&str, &str)]| {
        let answer = browser.post(&format!("/incidents/{id}/{what}"), form).await;
        assert_eq!(answer.location(), format!("/incidents/{id}"), "{what}: {} {}", answer.status, answer.body);
    };
    go("acknowledge", &[]).await;
    assert_eq!(read(&soc, id).await.assigned, Some(person("sato")));
    go("assign", &[("to", "mori")]).await;
    assert_eq!(read(&soc, id).await.assigned, Some(person("mori")));
    go("note", &[("text", "内部の記録")]).await;
    go("note", &[("text", "お客様への記録"), ("visibility", "customer")]).await;
    let notes = read(&soc, id).await.notes;
    assert!(notes[0].text.for_matching().starts_with("引き継ぎ：佐藤 健 → 森 由紀\n"), "{notes:?}");
    assert_eq!((notes[1].visibility, notes[2].visibility), (Visibility::Internal, Visibility::Customer));
    go("ask", &[("text", "いつ入手されましたか。\r\nどこから？")]).await;
    let asked = read(&soc, id).await;
    assert_eq!(asked.phase, Phase::Asked);
    assert_eq!(
        asked.open_question().unwrap().addition.as_ref().unwrap().for_matching(),
        "いつ入手されましたか。\nどこから？"
    );
    go("answer", &[("question", "Q1"), ("meaning", "ours"), ("text", "情シスで配布しました")]).await;
    go("verdict", &[("verdict", "false_positive"), ("text", "用途と入手元を確認済み")]).await;
    assert_eq!(read(&soc, id).await.verdict, Verdict::FalsePositive);
    go("close", &[]).await;
    assert_eq!(read(&soc, id).await.phase, Phase::Closed);
    go("reopen", &[("text", "新しい挙動を確認")]).await;
    assert!(read(&soc, id).await.phase.is_open());

    let page = browser.get(&format!("/incidents/{id}")).await.body;
    for said in [
        "内部の記録",
        "お客様への記録",
        "情シスで配布しました",
        "用途と入手元を確認済み",
        "新しい挙動を確認",
        "佐藤 健",
    ] {
        assert!(page.contains(said), "the story tells {said}");
    }
}

#[tokio::test]
async fn what_the_domain_refuses_comes_back_with_its_reason_and_with_what_was_typed() {
    let soc = Soc::open().await;
    let id = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let refused = |answer: &Answer, why: &str| {
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(answer.body.contains(why), "{why}");
    };
    let short = browser.post(&format!("/incidents/{id}/verdict"), &[("verdict", "suspicious"), ("text", "短い")]).await;
    refused(&short, "理由を5文字以上で入力してください");
    assert!(short.body.contains("短い</textarea>"));
    assert!(short.body.contains(r#"value="suspicious" required data-key="s" checked"#));
    let long = "長".repeat(1400);
    let too_long = browser.post(&format!("/incidents/{id}/note"), &[("text", &long), ("visibility", "customer")]).await;
    refused(&too_long, "長すぎます");
    assert!(too_long.body.contains(&long), "nothing of it is lost");
    assert!(too_long.body.contains(r#"value="customer" checked"#));
    refused(&browser.post(&format!("/incidents/{id}/note"), &[("text", " ")]).await, "本文が空です");
    refused(&browser.post(&format!("/incidents/{id}/close"), &[]).await, "判定保留");
    browser.post(&format!("/incidents/{id}/ask"), &[]).await;
    let empty = browser.post(&format!("/incidents/{id}/answer"), &[("question", "Q1"), ("meaning", "unknown")]).await;
    refused(&empty, "本文が空です");

    // Alex was quicker; Sato is told who has it.
    let other = soc.raise("sakura", support::unknown_file(2, "PC-002", soc.now())).await;
    let mut alex = Browser::signed_in(&soc, "smith").await;
    alex.post(&format!("/incidents/{other}/acknowledge"), &[]).await;
    refused(&browser.post(&format!("/incidents/{other}/acknowledge"), &[]).await, "`smith` さんが受領済みです");
    assert_eq!(read(&soc, other).await.acknowledged.unwrap().by, person("smith"));
}

#[tokio::test]
async fn a_script_gets_a_word_where_a_person_gets_a_page() {
    let soc = Soc::open().await;
    let id = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let path = format!("/incidents/{id}/acknowledge");
    let done = browser.ask(Method::POST, &path, "text/plain", &[], Some("same-origin")).await;
    assert_eq!((done.status, done.body.as_str()), (StatusCode::NO_CONTENT, ""));
    let refused = browser.ask(Method::POST, &path, "text/plain", &[], Some("same-origin")).await;
    assert_eq!((refused.status, refused.body.as_str()), (StatusCode::CONFLICT, "`sato` さんが受領済みです"));
}

#[tokio::test]
async fn nobody_is_made_to_work_what_they_may_not_see() {
    let soc = Soc::open().await;
    let id = soc.raise("northwind", support::unknown_file(1, "NW-1", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    for cannot in ["mori", "ops", "nobody", "../x"] {
        let answer = browser.post(&format!("/incidents/{id}/assign"), &[("to", cannot)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{cannot}");
    }
    assert_eq!(read(&soc, id).await.assigned, None);
    let page = browser.get(&format!("/incidents/{id}")).await.body;
    assert!(!page.contains(r#"value="mori""#) && page.contains(r#"value="smith""#));
}

#[tokio::test]
async fn the_queue_shows_what_is_due_next_first_and_filters_by_its_address() {
    let soc = Soc::open().await;
    let slow = soc.raise("northwind", support::unknown_file(1, "NW-1", soc.now())).await;
    let urgent = soc.raise("sakura", support::ransomware(2, "WS-017", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let queue = browser.get("/").await.body;
    let place = |id: IncidentId| queue.find(&format!("<tr id=\"{id}\"")).unwrap();
    assert!(place(urgent) < place(slow));
    let shows = |body: &str, id: IncidentId| body.contains(&format!("<tr id=\"{id}\""));

    for (address, urgent_shown, slow_shown) in [
        ("/?tenant=sakura", true, false),
        ("/?priority=P3", false, true),
        ("/?q=nw-1", false, true),
        ("/?view=mine", false, false),
        ("/?view=risk", true, false),
        ("/?view=overdue", false, false),
        ("/?view=closed", false, false),
        ("/fragments/queue?tenant=sakura", true, false),
    ] {
        let body = browser.get(address).await.body;
        assert_eq!((shows(&body, urgent), shows(&body, slow)), (urgent_shown, slow_shown), "{address}");
    }
    browser.post(&format!("/incidents/{slow}/acknowledge"), &[]).await;
    soc.time.pass(minutes(11));
    assert!(shows(&browser.get("/?view=mine").await.body, slow));
    let overdue = browser.get("/?view=overdue").await.body;
    assert!(shows(&overdue, urgent) && overdue.contains("1分 超過"));
}

#[tokio::test]
async fn a_number_typed_anywhere_opens_its_incident() {
    let soc = Soc::open().await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    assert_eq!(browser.get("/jump?to=inc-2026-12").await.location(), "/incidents/INC-2026-000012");
    assert_eq!(browser.get("/jump?to=ws-017%20%26").await.location(), "/?q=ws-017%20%26");
}

#[tokio::test]
async fn what_gave_up_is_seen_and_set_going_again_by_those_who_may() {
    let soc = Soc::open().await;
    let id = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let store = soc.engine.store();
    let jobs = store.claim(domain::incident::Role::Notifier, "w", soc.now(), soc.now() + minutes(1), 1).await.unwrap();
    let why = store::Outcome::GaveUp { why: "the mail server said <b>no</b>".into() };
    store.settle(&jobs[0], &why, soc.now()).await.unwrap();

    let mut analyst = Browser::signed_in(&soc, "sato").await;
    let page = analyst.get("/trouble").await.body;
    assert!(page.contains(&id.to_string()) && page.contains("said &lt;b&gt;no&lt;/b&gt;"));
    let key = jobs[0].key.as_str();
    assert_eq!(analyst.post("/trouble/revive", &[("key", key)]).await.status, StatusCode::FORBIDDEN);
    let mut manager = Browser::signed_in(&soc, "smith").await;
    assert_eq!(manager.post("/trouble/revive", &[("key", "other")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(manager.post("/trouble/revive", &[("key", key)]).await.location(), "/trouble");
    assert!(store.dead_jobs(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_report_is_a_download_in_either_language() {
    let soc = Soc::open().await;
    let id = soc.raise("sakura", support::ransomware(1, "WS-017", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    for language in ["ja", "en"] {
        let answer = browser.get(&format!("/incidents/{id}/report/{language}.pdf")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.starts_with("%PDF-"));
        let disposition = answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
        assert_eq!(disposition, format!("attachment; filename=\"{id}_{language}.pdf\""));
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    assert_eq!(browser.get(&format!("/incidents/{id}/report/fr.pdf")).await.status, StatusCode::NOT_FOUND);
}

// ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Every page with something on it.
async fn pages(soc: &Soc) -> Vec<String> {
    let id = soc.raise("sakura", support::hostile(1, "WS-017", soc.now())).await;
    let mut browser = Browser::signed_in(soc, "sato").await;
    let hostile = "<script>alert(7)</script>\u{202e}</textarea><img src=x onerror=alert(8)>";
    for (what, form) in [
        ("note", vec![("text", hostile), ("visibility", "customer")]),
        ("ask", vec![("text", hostile)]),
        ("answer", vec![("question", "Q1"), ("meaning", "other"), ("text", hostile)]),
        ("verdict", vec![("verdict", "suspicious"), ("text", hostile)]),
    ] {
        let answer = browser.post(&format!("/incidents/{id}/{what}"), &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{what}");
    }
    let refusal = store::Refusal {
        at: soc.now(),
        source: hostile.into(),
        reason: hostile.into(),
        raw: format!("{{\"x\":\"{hostile}\"}}"),
    };
    soc.engine.take_in(&support::id("sakura"), &[], &[refusal], None, soc.now()).await.unwrap();
    let alert = read(soc, id).await.alerts[0].id.clone();
    let word = "%3Cscript%3E";
    vec![
        "/".into(),
        format!("/?q={word}"),
        "/?view=closed".into(),
        format!("/incidents/{id}"),
        format!("/incidents/{id}?tab=evidence"),
        format!("/incidents/{id}/alerts/{alert}"),
        "/fragments/queue".into(),
        "/fragments/watch".into(),
        format!("/fragments/incidents/{id}"),
        format!("/fragments/previews/{id}"),
        "/hand-over".into(),
        "/hand-over?who=site/sapporo".into(),
        "/trouble".into(),
        "/about".into(),
        "/no-such-page".into(),
        format!("/incidents/{word}"),
    ]
}

#[tokio::test]
async fn every_answer_carries_the_policy_and_no_page_needs_an_exception_from_it() {
    let soc = Soc::open().await;
    let mut pages = pages(&soc).await;
    pages.push("/sign-in".into());
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let mut stranger = Browser::new(&soc);
    for path in &pages {
        for answer in [browser.get(path).await, stranger.get(path).await] {
            let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
            assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(answer.headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            for tag in tags(&answer.body) {
                let inline = tag.starts_with("<style")
                    || tag.contains(" style=")
                    || tag.contains(" on")
                    || (tag.starts_with("<script") && !tag.contains(" src="));
                assert!(!inline, "{path}: {tag}");
            }
            for value in answer.body.split("src=\"").skip(1) {
                assert!(value.starts_with("/assets/"), "{path}: {}", &value[..20]);
            }
        }
    }
}

/// Every start tag of a page with its values taken out: what is within quotes is data. `maud` escapes quotes and brackets in
/// values, so neither can end one early.
fn tags(body: &str) -> Vec<String> {
    let tag = |at: usize| {
        let end = body[at..].find('>')?;
        Some(body[at..=at + end].split('"').step_by(2).collect::<Vec<_>>().join("\"\""))
    };
    body.match_indices('<').filter_map(|(at, _)| tag(at)).collect()
}

#[tokio::test]
async fn every_page_is_written_in_both_languages() {
    let soc = Soc::open().await;
    let pages = pages(&soc).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    for path in pages.iter().filter(|p| !p.contains("no-such") && !p.contains("%3C")) {
        let ja = browser.get(path).await;
        browser.post("/preferences", &[("language", "en")]).await;
        let en = browser.get(path).await;
        browser.post("/preferences", &[("language", "ja")]).await;
        assert_eq!((ja.status, en.status), (StatusCode::OK, StatusCode::OK), "{path}");
        if path.starts_with("/fragments") {
            assert_ne!(ja.body, en.body, "{path}");
        } else {
            assert!(ja.body.contains("<html lang=\"ja\"") && en.body.contains("<html lang=\"en\""), "{path}");
            // Names of people and customers and the switch to Japanese itself may be Japanese, our own words may not.
            let words = en.body.replace("佐藤 健", "").replace("森 由紀", "").replace("日本語", "");
            let stray: String =
                words.chars().filter(|c| ('ぁ'..='ヿ').contains(c) || ('一'..='鿿').contains(c)).collect();
            assert_eq!(stray, "", "{path}");
        }
    }
}

#[tokio::test]
async fn preferences_lead_back_to_the_page_and_never_to_another_site() {
    let soc = Soc::open().await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let answer = browser.post("/preferences", &[("theme", "paper"), ("back", "/trouble")]).await;
    assert_eq!(answer.location(), "/trouble");
    assert!(browser.get("/trouble").await.body.contains("data-theme=\"paper\""));
    let away = browser.post("/preferences", &[("theme", "night"), ("back", "//evil.example/")]).await;
    assert_eq!(away.location(), "/");
}

#[tokio::test]
async fn files_are_kept_for_ever_under_an_address_that_changes_with_them() {
    let soc = Soc::open().await;
    let mut browser = Browser::new(&soc);
    let page = browser.get("/sign-in").await.body;
    let at = page.find("/assets/").unwrap();
    let url = &page[at..at + page[at..].find('"').unwrap()];
    let first = browser.get(url).await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert_eq!(browser.get("/assets/0000/console.css").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&url.replace("yagura.svg", "..%2Fsecret")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_too_large_and_a_form_of_nonsense_get_a_page_that_says_so_sec_76() {
    let soc = Soc::open().await;
    let id = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let mut browser = Browser::signed_in(&soc, "sato").await;
    let large = "x".repeat(100_000);
    let answer = browser.post(&format!("/incidents/{id}/note"), &[("text", &large)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.body.contains("大きすぎます"));
    let nonsense = browser.post(&format!("/incidents/{id}/verdict"), &[("verdict", "very bad")]).await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nonsense.body.contains("受け付けられませんでした") && !nonsense.body.contains("deserialize"));
}

#[tokio::test]
async fn an_open_page_hears_of_changes_it_may_see_and_of_no_others() {
    use futures_util::StreamExt;
    use tower::ServiceExt;

    let soc = Soc::open().await;
    let mori = Browser::signed_in(&soc, "mori").await;
    let (name, value) = mori.cookies[0].clone();
    let request = axum::http::Request::get("/events").header(header::COOKIE, format!("{name}={value}"));
    let response = soc.app.router().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    let mut stream = response.into_body().into_data_stream();
    let hello = stream.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&hello).contains("event: hello"));
    soc.raise("northwind", support::unknown_file(1, "NW-1", soc.now())).await;
    let mine = soc.raise("sakura", support::unknown_file(2, "PC-1", soc.now())).await;
    let heard = stream.next().await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), format!("event: changed\ndata: {mine}\n\n"));
}

#[tokio::test]
async fn open_pages_do_not_keep_a_program_that_stops_from_ending() {
    use futures_util::StreamExt;
    use tower::ServiceExt;

    let soc = Soc::open().await;
    let sato = Browser::signed_in(&soc, "sato").await;
    let (name, value) = sato.cookies[0].clone();
    let listen = async || {
        let request = axum::http::Request::get("/events").header(header::COOKIE, format!("{name}={value}"));
        let response = soc.app.router().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        response.into_body().into_data_stream()
    };
    let mut open = listen().await;
    assert!(open.next().await.is_some(), "it says hello");
    soc.app.stop();
    assert!(open.next().await.is_none());
    assert!(listen().await.count().await <= 1, "who comes back late is not held either");
}

#[tokio::test]
async fn the_language_goes_with_the_person_to_the_next_browser() {
    let soc = Soc::open().await;
    let mut here = Browser::signed_in(&soc, "sato").await;
    here.post("/preferences", &[("language", "en")]).await;
    let mut there = Browser::signed_in(&soc, "sato").await;
    assert!(there.get("/").await.body.contains("<html lang=\"en\""));
    let mut stranger = Browser::new(&soc);
    stranger.post("/preferences", &[("language", "en")]).await;
    let mut mori = Browser::signed_in(&soc, "mori").await;
    assert!(mori.get("/").await.body.contains("<html lang=\"ja\""), "it is nobody else's");
}

#[tokio::test]
async fn the_watch_line_stands_on_every_page_with_a_mark_for_each_promise() {
    let soc = Soc::open().await;
    let ahead = soc.raise("sakura", support::unknown_file(1, "PC-001", soc.now())).await;
    let late = soc.raise("sakura", support::ransomware(2, "WS-017", soc.now())).await;
    soc.time.pass(minutes(12));
    let mut browser = Browser::signed_in(&soc, "sato").await;
    for path in ["/", "/trouble", "/about"] {
        let body = browser.get(path).await.body;
        let (before, after) = body.split_once("<svg class=\"line\"").expect("a watch line");
        assert!(before.contains(&format!("href=\"/incidents/{late}\"")), "{path}: overdue stands before now");
        assert!(after.contains(&format!("href=\"/incidents/{ahead}\"")), "{path}");
    }
}
