//! A question all the way: asked by an analyst, told by mail, answered by the customer on their page, seen in the incident.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use console::{App, Settings};
use domain::incident::{Command, Phase};
use domain::rules::RuleId;
use domain::source::{Entropy, TimeSource};
use domain::tenant::Names;
use domain::{Language, PersonId, Timestamp, Untrusted, Verdict};
use s1sim::{Role, Threat};
use soc_tests::{PAGES, TestSoc, customers, hours};
use store::{AccountRole, Person, Scope};
use tower::ServiceExt as _;

const CUSTOMER: &str = customers::JAPANESE;
const ACCOUNT: &str = "hoshimi.hasegawa";

#[tokio::test]
async fn a_customer_follows_the_mail_and_answers_on_their_own_page() {
    let soc = TestSoc::start().await;
    let threat = soc.raise(CUSTOMER, &Threat::static_unknown(&soc.host(CUSTOMER, Role::Laptop, 0)));
    soc.settle().await;
    soc.mail().skim();
    let incident = soc.incident_of(&threat).await.id;
    let addition = Some(Untrusted::new("先週の一斉配布に含まれていましたか。"));
    soc.execute(incident, Command::Ask { by: soc.analyst(), addition }).await;
    soc.settle().await;
    let mail = soc.mail().only_unread(CUSTOMER);
    let text = mail.text.as_ref().unwrap();
    let link = text.lines().map(str::trim).find(|line| line.starts_with(PAGES)).expect("where to answer");

    soc.pass(hours(20)).await;
    let customer = Customer::with_a_link(&soc).await;
    let page = link.strip_prefix(PAGES).unwrap();
    assert_eq!(customer.get(page, "").await.1, format!("/sign-in?next={page}"), "the link alone opens nothing");
    let session = customer.sign_in().await;
    let sheet = customer.get(page, &session).await.1;
    let (status, _, asked) = customer.get(&sheet, &session).await;
    assert_eq!(status, StatusCode::OK);
    assert!(asked.contains("先週の一斉配布に含まれていましたか。"), "{asked}");

    let form = "meaning=ours&words=It+is+our+label+printer%2C+from+the+vendor%27s+site.";
    let (_, thanks, _) = customer.ask(Method::POST, &sheet, &session, form).await;
    assert!(customer.get(&thanks, &session).await.2.contains("ご回答ありがとうございました"));
    let state = soc.incident_of(&threat).await;
    let answer = state.questions.values().next_back().unwrap().answer.as_ref().unwrap();
    assert_eq!((answer.recorded_by.as_str(), answer.at), (ACCOUNT, soc.now()));
    assert_eq!((state.judgement.rule, state.verdict), (RuleId::R13, Verdict::FalsePositive));
    assert_ne!(state.phase, Phase::Asked);
    assert_eq!(customer.get(&format!("/incidents/{incident}"), &session).await.0, StatusCode::FORBIDDEN);
    soc.settle().await;
    soc.finish().await;
}

/// A person at the customer's with a browser, and the pages over the SOC's own engine.
struct Customer {
    pages: Router,
    token: String,
}

impl Customer {
    async fn with_a_link(soc: &TestSoc) -> Self {
        let id: PersonId = ACCOUNT.parse().unwrap();
        let person = Person {
            id: id.clone(),
            name: "長谷川 由佳".into(),
            role: AccountRole::Customer,
            scope: Scope::Only(vec![CUSTOMER.parse().unwrap()]),
            language: Language::Ja,
            password: String::new(),
            disabled: false,
        };
        let (store, entropy) = (soc.engine().store(), Arc::new(Counting::default()));
        store.save_person(&person).await.unwrap();
        let (token, hash) = console::link_token(&*entropy);
        store.save_link(&hash, &id, soc.now() + jiff::SignedDuration::from_hours(1)).await.unwrap();
        let settings = Settings {
            public_origin: PAGES.into(),
            secure_cookies: true,
            provider: Names { ja: "やぐらSOC".into(), en: "Yagura SOC".into() },
            contact: None,
            links: vec![],
        };
        let app = App::new(soc.engine().clone(), Arc::new(At(soc.now())), entropy, settings).unwrap();
        Self { pages: app.router(), token }
    }

    async fn sign_in(&self) -> String {
        let path = format!("/sign-in/link/{}", self.token);
        let response = self.send(Method::POST, &path, "", "").await;
        assert_eq!(response.headers()[header::LOCATION], "/answers");
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn get(&self, path: &str, session: &str) -> (StatusCode, String, String) {
        self.ask(Method::GET, path, session, "").await
    }

    /// Status, where it leads, and the page.
    async fn ask(&self, method: Method, path: &str, session: &str, form: &str) -> (StatusCode, String, String) {
        let response = self.send(method, path, session, form).await;
        let status = response.status();
        let to = response.headers().get(header::LOCATION).map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default();
        let page = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, to, String::from_utf8_lossy(&page).into_owned())
    }

    async fn send(&self, method: Method, path: &str, session: &str, form: &str) -> axum::response::Response {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "text/html")
            .header(header::HOST, PAGES.trim_start_matches("https://"))
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, session)
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.pages.clone().oneshot(request).await.unwrap()
    }
}

/// The moment at which the customer has time for us.
#[derive(Debug)]
struct At(Timestamp);

impl TimeSource for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}
