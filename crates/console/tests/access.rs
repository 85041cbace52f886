//! Who reaches what: every route, by everybody, against the checked-in `access-matrix.tsv` (SEC-01, SEC-05), and what no
//! request may do whoever sends it (SEC-22).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use axum::http::{Method, StatusCode, header};
use console::routes::{self, Access, Route};
use domain::evidence;
use domain::incident::{Command, Role};
use domain::judgement::Verdict;
use domain::question::Meaning;
use domain::{IncidentId, QuestionId, Untrusted};
use jiff::SignedDuration;
use store::{AccountRole, Outcome, Person};
use support::browser::{Answer, Browser};
use support::{Soc, id, person};

/// Whose incidents these tests are about. `mori` works for another customer only.
const CUSTOMER: &str = "northwind";
const VISITORS: [(&str, Option<&str>); 7] = [
    ("stranger", None),
    ("analyst", Some("sato")),
    ("manager", Some("smith")),
    ("operator", Some("ops")),
    ("elsewhere", Some("mori")),
    ("customer", Some("jones")),
    ("outsider", Some("hanako")),
];

// ── the matrix ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Yes,
    SignIn,
    Denied,
    Missing,
}

/// The matrix: for each method and path, what each visitor gets.
fn matrix() -> BTreeMap<(String, String), BTreeMap<String, Expected>> {
    let text = include_str!("access-matrix.tsv");
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let head: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(head[..2], ["method", "path"]);
    assert_eq!(head[2..], VISITORS.map(|(name, _)| name));
    let mut matrix = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!(cells.len(), head.len(), "{line}");
        let expected = cells[2..].iter().map(|cell| match *cell {
            "yes" => Expected::Yes,
            "sign-in" => Expected::SignIn,
            "denied" => Expected::Denied,
            "missing" => Expected::Missing,
            other => panic!("`{other}` in: {line}"),
        });
        let row = head[2..].iter().map(ToString::to_string).zip(expected).collect();
        let twice = matrix.insert((cells[0].to_owned(), cells[1].to_owned()), row);
        assert!(twice.is_none(), "twice in the matrix: {line}");
    }
    matrix
}

fn name(route: &Route) -> (String, String) {
    (method(route).to_string(), route.path.to_owned())
}

fn method(route: &Route) -> Method {
    match route.method {
        routes::Method::Get => Method::GET,
        routes::Method::Post => Method::POST,
    }
}

#[test]
fn every_route_has_a_row_in_the_matrix_and_every_row_a_route() {
    let rows: BTreeSet<_> = matrix().into_keys().collect();
    let known: BTreeSet<_> = routes::ALL.iter().map(name).collect();
    let without_row: Vec<_> = known.difference(&rows).collect();
    let without_route: Vec<_> = rows.difference(&known).collect();
    assert!(without_row.is_empty() && without_route.is_empty(), "no row: {without_row:?}, no route: {without_route:?}");
}

#[tokio::test]
async fn everybody_reaches_what_the_matrix_says_and_nothing_else_sec_05() {
    let stage = Stage::open().await;
    let matrix = matrix();
    for route in routes::ALL {
        for (visitor, who) in VISITORS {
            let case = format!("{visitor}: {route:?}");
            let expected = matrix[&name(route)][visitor];
            let incident = stage.incident_for(route).await;
            let before = stage.events(incident).await;
            let mut browser = stage.browser(who).await;
            let answer = stage.send(&mut browser, route, incident).await;

            match expected {
                Expected::Yes => {
                    let carried_out = match (route.method, route.path) {
                        (routes::Method::Get, "/jump" | "/answers/{incident}") | (routes::Method::Post, _) => {
                            StatusCode::SEE_OTHER
                        }
                        (routes::Method::Get, "/sign-in") if who.is_some() => StatusCode::SEE_OTHER,
                        (routes::Method::Get, _) => StatusCode::OK,
                    };
                    assert_eq!(answer.status, carried_out, "{case}: {}", answer.body);
                    let leads_out = answer.location().starts_with("/sign-in") && route.path != "/sign-out";
                    assert!(!leads_out || route.path == "/preferences", "{case}");
                    let about_an_incident =
                        ["/incidents/", "/answers/", "/hand-over"].iter().any(|p| route.path.starts_with(p));
                    if about_an_incident && route.method == routes::Method::Post {
                        assert!(stage.events(incident).await > before, "{case}: nothing was done");
                    }
                    continue;
                }
                Expected::SignIn if route.method == routes::Method::Get => {
                    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{case}");
                    assert!(answer.location().starts_with("/sign-in?next="), "{case}");
                    // A script whose session has ended must not take the sign-in page for what it asked for.
                    let path = stage.address(route, incident).await;
                    let script = browser.ask(Method::GET, &path, "text/x-fragment", &[], Some("same-origin")).await;
                    assert_eq!(script.status, StatusCode::UNAUTHORIZED, "{case}");
                }
                Expected::SignIn => assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{case}"),
                Expected::Denied => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{case}"),
                Expected::Missing => assert_eq!(answer.status, StatusCode::NOT_FOUND, "{case}"),
            }
            assert!(!answer.body.contains("NW-") && !answer.body.contains("setup_helper"), "{case}: it says too much");
            assert_eq!(stage.events(incident).await, before, "{case}: something was done");
        }
    }
}

#[tokio::test]
async fn a_method_that_no_route_names_is_refused_for_every_path() {
    let stage = Stage::open().await;
    let incident = stage.incident_for(&routes::ALL[0]).await;
    let before = stage.events(incident).await;
    for route in routes::ALL {
        let path = stage.address(route, incident).await;
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let mut manager = stage.browser(Some("smith")).await;
            let answer = manager.ask(method.clone(), &path, "text/html", &[], Some("same-origin")).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {route:?}");
        }
    }
    assert_eq!(stage.events(incident).await, before);
}

// ── what belongs to others ──────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn another_customers_incident_answers_like_one_that_does_not_exist_sec_01() {
    let stage = Stage::open().await;
    let nothing = IncidentId { year: 2026, number: 999_999 };
    for route in routes::ALL.iter().filter(|route| route.path.contains("{id}")) {
        let foreign = stage.incident_for(route).await;
        // Whoever may use the route, and works for others.
        let who = if route.access.allows(AccountRole::Analyst) { "mori" } else { stage.lead_elsewhere().await };
        let mut elsewhere = stage.browser(Some(who)).await;
        let foreign = stage.send(&mut elsewhere, route, foreign).await;
        let missing = stage.send(&mut elsewhere, route, nothing).await;
        same(&foreign, &missing, &format!("{route:?}"));
    }
    for route in routes::ALL.iter().filter(|route| route.path.contains("{incident}")) {
        let foreign = stage.incident_for(route).await;
        let mut hanako = stage.browser(Some("hanako")).await;
        let foreign = stage.send(&mut hanako, route, foreign).await;
        let missing = stage.send(&mut hanako, route, nothing).await;
        same(&foreign, &missing, &format!("{route:?}"));
    }
    let (mut mori, foreign) = (stage.browser(Some("mori")).await, stage.raise().await);
    for field in ["incident", "take"] {
        let missing = nothing.to_string();
        let there = mori.post("/hand-over", &[("to", "mori"), (field, &foreign.to_string())]).await;
        same(&there, &mori.post("/hand-over", &[("to", "mori"), (field, &missing)]).await, field);
    }
    for page in [
        "/",
        "/hand-over",
        "/hand-over?who=nobody",
        "/?view=closed",
        "/fragments/queue",
        "/fragments/watch",
        "/trouble",
        "/?tenant=northwind",
        "/figures",
        "/figures/incidents",
        "/figures/incidents?tenant=northwind",
    ] {
        let body = mori.get(page).await.body;
        for others in ["NW-", "ノースウィンド", "setup_helper"] {
            assert!(!body.contains(others), "{page} says {others}");
        }
    }
    let (foreign, missing) = (mori.get("/?tenant=northwind").await, mori.get("/?tenant=no-such").await);
    assert_eq!(foreign.body.replace("northwind", "no-such"), missing.body);
}

#[tokio::test]
async fn another_customers_alert_and_job_answer_like_ones_that_do_not_exist_sec_01() {
    let stage = Stage::open().await;
    let soc = &stage.soc;
    let own = soc.raise("sakura", support::unknown_file(900, "PC-1", soc.now())).await;
    let foreign = stage.raise().await;
    let alert = stage.alert_of(foreign).await;
    let mut mori = stage.browser(Some("mori")).await;
    let there = mori.get(&format!("/incidents/{own}/alerts/{alert}")).await;
    let nowhere = mori.get(&format!("/incidents/{own}/alerts/299999999999999999")).await;
    same(&there, &nowhere, "an alert of another customer under an incident of one's own");

    let mut suzuki = stage.browser(Some(stage.lead_elsewhere().await)).await;
    let key = stage.dead_job(foreign).await;
    let there = suzuki.post("/trouble/revive", &[("key", &key)]).await;
    let nowhere = suzuki.post("/trouble/revive", &[("key", "no-such-job")]).await;
    same(&there, &nowhere, "a job of another customer");
    assert!(soc.engine.store().dead_jobs(100).await.unwrap().iter().any(|job| job.key == key), "it was not revived");
}

/// Not one byte, and not one header, tells the two apart.
fn same(foreign: &Answer, missing: &Answer, case: &str) {
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{case}");
    assert_eq!(foreign.status, missing.status, "{case}");
    assert_eq!(foreign.body, missing.body, "{case}");
    assert_eq!(foreign.headers, missing.headers, "{case}");
}

// ── what no request may do ──────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn looking_changes_not_one_byte_of_the_database_sec_22() {
    let stage = Stage::open().await;
    let incident = stage.asked().await;
    stage.dead_job(stage.raise().await).await;
    let gets = routes::ALL.iter().filter(|route| route.method == routes::Method::Get);
    let mut paths = Vec::new();
    for route in gets {
        paths.push(stage.address(route, incident).await);
    }
    let mut visitors = Vec::new();
    for who in [Some("smith"), Some("ops"), Some("jones"), None] {
        visitors.push(stage.browser(who).await);
    }
    let before = stage.database();
    for mut browser in visitors {
        for path in &paths {
            // What a form would send, in case some handler reads it from the address.
            let path = format!("{path}?verdict=false_positive&text=long+enough&language=en&theme=paper&to=sato");
            for method in std::iter::repeat_n([Method::GET, Method::HEAD], 3).flatten() {
                let answer = browser.ask(method.clone(), &path, "text/html", &[], Some("cross-site")).await;
                assert!(!answer.headers.contains_key(header::SET_COOKIE), "{method} {path} sets a cookie");
            }
        }
    }
    for (file, content) in &before {
        assert!(stage.database().get(file) == Some(content), "{file} is not what it was");
    }
    // The smallest thing that is done does show.
    stage.browser(Some("smith")).await.post("/preferences", &[("language", "ja")]).await;
    assert!(stage.database() != before);
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_whatever_it_asks_sec_22() {
    let stage = Stage::open().await;
    for route in routes::ALL.iter().filter(|route| route.method == routes::Method::Post) {
        let incident = stage.incident_for(route).await;
        let before = stage.events(incident).await;
        let visitors: &[Option<&str>] = match route.access {
            Access::Everybody => &[None],
            access if access.allows(AccountRole::Customer) => &[Some("jones")],
            _ => &[Some("smith")],
        };
        for who in visitors {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                // A browser too old for the header above.
                ("origin", "https://evil.example"),
                ("origin", "null"),
            ] {
                let mut browser = stage.browser(*who).await;
                let cookies = browser.cookies.clone();
                let path = stage.address(route, incident).await;
                let form = stage.form(route, incident).await;
                let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
                let answer = browser.ask_with(Method::POST, &path, "text/html", &form, &[(name, value)]).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}: {route:?}");
                assert_eq!(browser.cookies, cookies, "{name}: {value}: {route:?}");
                assert_eq!(stage.events(incident).await, before, "{name}: {value}: {route:?}");
            }
        }
    }
    assert_eq!(stage.person("smith").await.language, domain::Language::En);
}

/// An inquiry that came to nothing.
fn not_asked(now: domain::Timestamp) -> evidence::Answer {
    evidence::Answer {
        inquiry: evidence::Inquiry::Indicators,
        source: String::new(),
        query: Untrusted::default(),
        window: None,
        obtained_at: now,
        outcome: evidence::Outcome::CouldNotAsk { why: Untrusted::new("no source could be reached") },
        findings: None,
        raw: None,
    }
}

// ── the stage ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A SOC with incidents made to measure for a route.
struct Stage {
    soc: Soc,
    raised: std::cell::Cell<u32>,
}

impl Stage {
    async fn open() -> Self {
        let soc = Soc::open().await;
        soc.beat().await;
        Self { soc, raised: std::cell::Cell::new(0) }
    }

    /// A browser with a session of `who`, without the slow way over a password.
    async fn browser(&self, who: Option<&str>) -> Browser<'_> {
        let mut browser = Browser::new(&self.soc);
        if let Some(who) = who {
            let (token, hash) = console::link_token(&*self.soc.entropy);
            let until = self.soc.now() + SignedDuration::from_hours(1);
            self.soc.engine.store().open_session(&hash, &person(who), self.soc.now(), until).await.unwrap();
            browser.cookies.push(("yagura".into(), token));
        }
        browser
    }

    /// A manager for the customers that `mori` works for.
    async fn lead_elsewhere(&self) -> &'static str {
        let suzuki = Person { role: AccountRole::Manager, id: person("suzuki"), ..self.person("mori").await };
        self.soc.engine.store().save_person(&suzuki).await.unwrap();
        "suzuki"
    }

    async fn raise(&self) -> IncidentId {
        let n = self.raised.get() + 1;
        self.raised.set(n);
        self.soc.raise(CUSTOMER, support::unknown_file(n, &format!("NW-{n}"), self.soc.now())).await
    }

    /// An incident about which its customer was asked.
    async fn asked(&self) -> IncidentId {
        let incident = self.raise().await;
        let ask = Command::Ask { by: person("sato"), addition: None };
        self.soc.engine.execute(&id(CUSTOMER), incident, ask, self.soc.now()).await.unwrap();
        incident
    }

    /// An incident at which the route's form makes sense.
    async fn incident_for(&self, route: &Route) -> IncidentId {
        let incident = self.raise().await;
        let by = person("sato");
        let ask = Command::Ask { by: by.clone(), addition: None };
        let verdict = Command::GiveVerdict {
            by: by.clone(),
            verdict: Verdict::FalsePositive,
            reason: Untrusted::new("purpose and source are known"),
        };
        let answer = Command::RecordAnswer {
            by: by.clone(),
            question: QuestionId(1),
            meaning: Meaning::Ours,
            words: Untrusted::new("it is ours"),
        };
        let hold = Command::Hold { by: by.clone(), reason: Untrusted::new("the customer asked to wait") };
        let steps = match route.path.rsplit('/').next() {
            Some("end-hold") => vec![hold],
            Some("answer") => vec![ask],
            Some("ask-again") => vec![Command::RecordAnswerTo { answer: Box::new(not_asked(self.soc.now())) }],
            _ if route.path.starts_with("/answers/") => vec![ask],
            Some("close") => vec![ask, answer, verdict],
            Some("reopen" | "repeat") => vec![ask, answer, verdict, Command::Close { by }],
            _ => vec![],
        };
        for step in steps {
            self.soc.engine.execute(&id(CUSTOMER), incident, step, self.soc.now()).await.unwrap();
        }
        if route.path.ends_with("/repeat") { self.raise_again().await } else { incident }
    }

    /// The newest event once more.
    async fn raise_again(&self) -> IncidentId {
        let n = self.raised.get();
        let alert = support::unknown_file(n, &format!("NW-{n}"), self.soc.now());
        let again = domain::AlertId::new(&format!("again-{n}")).unwrap();
        self.soc.raise(CUSTOMER, domain::alert::Alert { id: again, ..alert }).await
    }

    async fn send(&self, browser: &mut Browser<'_>, route: &Route, incident: IncidentId) -> Answer {
        let path = self.address(route, incident).await;
        let form = self.form(route, incident).await;
        let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        browser.ask(method(route), &path, "text/html", &form, Some("same-origin")).await
    }

    /// The route's address, about `incident` and with a fresh sign-in link.
    async fn address(&self, route: &Route, incident: IncidentId) -> String {
        let mut path = route.path.replace("{id}", &incident.to_string()).replace("{incident}", &incident.to_string());
        path = path.replace("{file}", "ja.pdf").replace("{question}", "Q1");
        if path.contains("{alert}") {
            path = path.replace("{alert}", &self.alert_of(incident).await);
        }
        if path.contains("{token}") {
            let (token, hash) = console::link_token(&*self.soc.entropy);
            let until = self.soc.now() + SignedDuration::from_mins(15);
            self.soc.engine.store().save_link(&hash, &person("sato"), until).await.unwrap();
            path = path.replace("{token}", &token);
        }
        if path.contains("{version}") {
            let page = Browser::new(&self.soc).get("/sign-in").await.body;
            let at = page.find("/assets/").expect("a file of ours");
            path = page[at..].split('"').next().unwrap().to_owned();
        }
        path
    }

    /// What a person would fill in.
    async fn form(&self, route: &Route, incident: IncidentId) -> Vec<(&'static str, String)> {
        let fields: &[(&str, &str)] = match (route.method, route.path) {
            (routes::Method::Get, _) => &[],
            (_, "/sign-in") => &[("person", "sato"), ("password", support::PASSWORD)],
            (_, "/preferences") => &[("language", "en"), ("back", "/about")],
            (_, "/trouble/revive") => return vec![("key", self.dead_job(incident).await)],
            (_, path) if path.ends_with("/verdict") => {
                &[("verdict", "suspicious"), ("text", "seen before, in writing")]
            }
            (_, "/hand-over") => return vec![("to", "smith".to_owned()), ("incident", incident.to_string())],
            (_, path) if path.ends_with("/present") => {
                &[("verdict", "suspicious"), ("text", "seen before"), ("recommendation", "keep it isolated")]
            }
            (_, path) if path.ends_with("/raise") => &[("priority", "P0"), ("text", "it spreads by the minute")],
            (_, path) if path.ends_with("/answer") => {
                &[("question", "Q1"), ("meaning", "ours"), ("text", "it is ours")]
            }
            (_, path) if path.starts_with("/answers/") => &[("meaning", "ours"), ("words", "it is ours")],
            (_, path) if path.ends_with("/ask-again") => &[("inquiry", "indicators")],
            (_, path) if path.ends_with("/assign") => &[("to", "sato")],
            _ => &[("text", "long enough")],
        };
        fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    /// The key of a job about `incident` that gave up.
    async fn dead_job(&self, incident: IncidentId) -> String {
        let (store, now) = (self.soc.engine.store(), self.soc.now());
        let until = now + SignedDuration::from_mins(1);
        for job in store.claim(Role::Notifier, "test", now, until, 1000).await.unwrap() {
            store.settle(&job, &Outcome::GaveUp { why: "no answer".into() }, now).await.unwrap();
        }
        let dead = store.dead_jobs(10_000).await.unwrap();
        let of_incident = dead.iter().find(|job| job.incident == incident).or(dead.first());
        of_incident.expect("a job that gave up").key.clone()
    }

    async fn alert_of(&self, incident: IncidentId) -> String {
        let alerts = self.soc.engine.store().alert_ids(&id(CUSTOMER), incident).await.unwrap();
        alerts.first().map_or_else(|| "200000000000000001".to_owned(), |(alert, _)| alert.to_string())
    }

    async fn events(&self, incident: IncidentId) -> usize {
        self.soc.engine.store().events(&id(CUSTOMER), incident).await.unwrap().len()
    }

    async fn person(&self, who: &str) -> Person {
        self.soc.engine.store().person(&person(who)).await.unwrap().unwrap()
    }

    /// Every file of the database but the one where readers leave their marks.
    fn database(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.soc.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        let kept = files.filter(|path| path.extension().is_none_or(|e| !e.to_string_lossy().ends_with("-shm")));
        kept.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
    }
}
