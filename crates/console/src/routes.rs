//! Every route of the console, with its method and who may use it. The router is built from this list and from nothing else,
//! so a test that walks the list has walked the console (SEC-01, SEC-05). GET never changes anything (SEC-22).

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, http::StatusCode};
use store::AccountRole::{self, Analyst, Customer, Manager, Operator};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

pub use crate::access::Access;
use crate::pages::incident::{investigation, promises};
use crate::pages::{
    about, answers, clocks, evidence, figures, hand_over, health, incident, queue, report, settings, sign_in, trouble,
};
use crate::{App, access, assets, error, headers, live, watch};

/// The people who work incidents.
const SOC: Access = Access::Only(&[Analyst, Manager]);
/// The people who may set a job that gave up going again.
const REVIVERS: Access = Access::Only(&[Manager, Operator]);

/// The leads among them, who alone may say that something is graver than the rules do (P0 only through R01 to R04, a
/// lead or the emergency line).
const LEADS: Access = Access::Only(&[Manager]);

/// The customers' people. Nobody else: what staff must know of it, the incident shows.
const CUSTOMERS: Access = Access::Only(&[Customer]);

/// One route of the console.
pub struct Route {
    pub method: Method,
    /// In axum's form: `/incidents/{id}`.
    pub path: &'static str,
    pub access: Access,
    serve: fn() -> MethodRouter<App>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

#[rustfmt::skip]
pub const ALL: &[Route] = &[
    Route::get("/assets/{version}/{name}", Access::Everybody, || get(assets::serve)),
    Route::get("/healthz", Access::Everybody, || get(health::page)),

    Route::get("/sign-in", Access::Everybody, || get(sign_in::page)),
    Route::post("/sign-in", Access::Everybody, || post(sign_in::by_password)),
    Route::get("/sign-in/link/{token}", Access::Everybody, || get(sign_in::link_page)),
    Route::post("/sign-in/link/{token}", Access::Everybody, || post(sign_in::by_link)),
    Route::post("/sign-out", Access::SignedIn, || post(sign_in::out)),
    Route::post("/preferences", Access::Everybody, || post(settings::keep)),
    Route::get("/about", Access::Staff, || get(about::page)),

    Route::get("/", SOC, || get(queue::page)),
    Route::get("/jump", SOC, || get(queue::jump)),
    Route::get("/incidents/{id}", SOC, || get(incident::page)),
    Route::get("/incidents/{id}/clocks", SOC, || get(clocks::page)),
    Route::get("/incidents/{id}/report/{file}", SOC, || get(report::download)),
    Route::get("/incidents/{id}/alerts/{alert}", SOC, || get(evidence::raw)),
    Route::post("/incidents/{id}/acknowledge", SOC, || post(incident::acknowledge)),
    Route::post("/incidents/{id}/assign", SOC, || post(incident::assign)),
    Route::post("/incidents/{id}/note", SOC, || post(incident::note)),
    Route::post("/incidents/{id}/ask", SOC, || post(incident::ask)),
    Route::post("/incidents/{id}/ask-again", SOC, || post(investigation::ask_again)),
    Route::post("/incidents/{id}/answer", SOC, || post(incident::answer)),
    Route::post("/incidents/{id}/present", SOC, || post(promises::present)),
    Route::post("/incidents/{id}/hold", SOC, || post(promises::hold)),
    Route::post("/incidents/{id}/end-hold", SOC, || post(promises::end_hold)),
    Route::post("/incidents/{id}/raise", LEADS, || post(promises::raise)),
    Route::post("/incidents/{id}/verdict", SOC, || post(incident::verdict)),
    Route::post("/incidents/{id}/close", SOC, || post(incident::close)),
    Route::post("/incidents/{id}/repeat", SOC, || post(incident::repeat)),
    Route::post("/incidents/{id}/reopen", SOC, || post(incident::reopen)),

    Route::get("/hand-over", SOC, || get(hand_over::page)),
    Route::post("/hand-over", SOC, || post(hand_over::give)),

    Route::get("/events", SOC, || get(live::events)),
    Route::get("/fragments/queue", SOC, || get(queue::fragment)),
    Route::get("/fragments/watch", SOC, || get(watch::fragment)),
    Route::get("/fragments/incidents/{id}", SOC, || get(incident::fragment)),
    Route::get("/fragments/previews/{id}", SOC, || get(incident::preview)),

    Route::get("/figures", SOC, || get(figures::page)),
    Route::get("/figures/incidents", SOC, || get(figures::behind)),

    Route::get("/trouble", Access::Staff, || get(trouble::page)),
    Route::post("/trouble/revive", REVIVERS, || post(trouble::revive)),

    Route::get("/answers", CUSTOMERS, || get(answers::list)),
    Route::get("/answers/{incident}", CUSTOMERS, || get(answers::newest)),
    Route::get("/answers/{incident}/{question}", CUSTOMERS, || get(answers::page)),
    Route::post("/answers/{incident}/{question}", CUSTOMERS, || post(answers::give).layer(DefaultBodyLimit::max(answers::MAX_BODY_BYTES))),
];

impl Route {
    const fn get(path: &'static str, access: Access, serve: fn() -> MethodRouter<App>) -> Self {
        Self { method: Method::Get, path, access, serve }
    }

    const fn post(path: &'static str, access: Access, serve: fn() -> MethodRouter<App>) -> Self {
        Self { method: Method::Post, path, access, serve }
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} {:?}", self.method, self.path, self.access)
    }
}

/// The roles that `ALL` speaks of, for tests that walk every route with every role.
pub const ROLES: [AccountRole; 4] = [Analyst, Manager, Operator, Customer];

pub(crate) fn router(app: &App) -> Router {
    let routes = ALL.iter().fold(Router::new(), |router, route| {
        let guard = from_fn_with_state((app.clone(), route.access), access::guard);
        router.route(route.path, (route.serve)().route_layer(guard))
    });
    // `App::new` has refused an origin that does not parse.
    let csrf = headers::csrf(&app.settings().public_origin).expect("the origin was checked");
    // The last one added is the first one to see a request.
    routes
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::max(headers::MAX_BODY_BYTES))
        .layer(csrf)
        .layer(CatchPanicLayer::new())
        .layer(from_fn(error::dress))
        .layer(CompressionLayer::new())
        .layer(from_fn(headers::add))
        .with_state(app.clone())
}
