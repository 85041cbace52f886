//! The HTTP surface. One match lists every call the console serves; each call is a plain function over the locked
//! world, so an answer is always one consistent moment. Faults are applied around it, never inside.

mod agents;
mod applications;
mod assets;
mod control;
pub(crate) mod deep;
mod estate;
mod explore;
mod hashes;
mod sdl;
mod threats;

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::fault::{Faults, Instead, Strike};
use crate::filter::Params;
use crate::graphql;
use crate::ledger::{Done, Target};
use crate::page::Page;
use crate::refusal::Refusal;
use crate::token::{Need, Token};
use crate::world::World;

pub(crate) const PREFIX: &str = "/web/api/v2.1";
/// The data lake's long-running queries, beside the API.
const SDL: &str = "/sdl/v2/api/queries";
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The world as the server's tasks share it.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router(world: Shared, faults: Faults) -> Router {
    Router::new().fallback(serve).with_state((world, faults))
}

/// One call, read and checked as far as every call needs.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) now: Timestamp,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) body: Value,
    pub(crate) token: Token,
    pub(crate) strike: Strike,
}

/// What a call answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Json(Value),
    Csv(String),
    /// JSON with the data lake's forward tag.
    Tagged(Value, String),
    /// 204.
    Empty,
}

pub(crate) type Answer = Result<Reply, Refusal>;

/// Every call of the API. The path is cut below the prefix.
fn route(world: &mut World, call: &Call, segments: &[&str]) -> Answer {
    let get = call.method == Method::GET;
    match (get, segments) {
        (true, ["threats"]) => threats::list(world, call),
        (true, ["threats", "mitigation-report", id]) => threats::mitigation_report(world, call, id),
        (true, ["threats", id, "notes"]) => threats::notes(world, call, id),
        (true, ["threats", id, "explore", "events"]) => explore::events(world, call, id),
        (true, ["threats", id, "timeline"]) => threats::timeline(world, call, id),
        (false, ["threats", "notes"]) => threats::add_notes(world, call),
        (false, ["threats", "mitigate", action]) => threats::mitigate(world, call, action),
        (false, ["threats", "analyst-verdict"]) => threats::set_verdict(world, call),
        (false, ["threats", "incident"]) => threats::set_incident(world, call),
        (false, ["threats", "external-ticket-id"]) => threats::set_ticket(world, call),
        (true, ["agents", "applications"]) => applications::of_agent(world, call),
        (true, ["installed-applications"]) => applications::installed(world, call),
        (true, ["application-management", "inventory"]) => applications::inventory(world, call),
        (false, ["dv", "init-query"]) => deep::init(world, call),
        (true, ["dv", "query-status"]) => deep::status(world, call),
        (false, ["dv", "cancel-query"]) => deep::cancel(world, call),
        (false, ["dv", "events", "pq"]) => deep::power(world, call),
        (true, ["dv", "events", "pq-ping"]) => deep::power_ping(world, call),
        (true, ["dv", "events"]) => deep::events(world, call, None),
        (true, ["dv", "events", kind]) => deep::events(world, call, Some(kind)),
        (true, ["agents"]) => agents::list(world, call),
        (true, ["agents", "count"]) => agents::count(world, call),
        (false, ["agents", "actions", "disconnect"]) => agents::disconnect(world, call),
        (false, ["agents", "actions", "connect"]) => agents::connect(world, call),
        (false, ["agents", "actions", "initiate-scan"]) => agents::scan(world, call),
        (true, ["activities"]) => estate::activities(world, call),
        (true, ["activities", "types"]) => estate::activity_types(),
        (true, ["sites"]) => estate::sites(world, call),
        (true, ["accounts"]) => estate::accounts(world, call),
        (true, ["groups"]) => estate::groups(world, call),
        (true, ["user"]) => estate::user(world, call),
        (true, ["users", id, "api-token-details"]) => estate::token_details(call, id),
        (false, ["users", "api-token-details"]) => estate::token_details_by_value(world, call),
        (true, ["system", "info"]) => estate::system_info(),
        (_, ["xdr", "assets"]) => assets::list(world, call, None),
        (_, ["xdr", "assets", "surface", surface]) => assets::list(world, call, Some(surface)),
        (true, ["hashes", hash, question]) => hashes::ask(world, call, hash, question),
        _ => Err(Refusal::NotFound(format!("no such call: {} {}", call.method, call.path))),
    }
}

async fn serve(State((shared, faults)): State<(Shared, Faults)>, request: Request) -> Result<Response, Infallible> {
    let (parts, body) = request.into_parts();
    let whole = parts.uri.path().trim_end_matches('/');
    let path = whole.strip_prefix(PREFIX).unwrap_or(whole).to_owned();
    let strike = if whole.starts_with(PREFIX) || whole.starts_with(SDL) {
        faults.on_call(&parts.method, &path)
    } else {
        Strike::default()
    };
    if let Some(delay) = strike.delay {
        wait(delay).await;
    }
    if let Some(instead) = strike.instead {
        return Ok(refuse_service(instead));
    }

    let answer = match to_bytes(body, MAX_BODY).await {
        Ok(bytes) => {
            let query = parts.uri.query().unwrap_or_default();
            let asked =
                Asked { method: &parts.method, whole, path: &path, query, headers: &parts.headers, bytes: &bytes };
            match graphql::surface(&path).filter(|_| parts.method == Method::POST && whole != path) {
                Some(surface) => match call(&shared, &asked, &strike) {
                    Ok(call) => surface.serve(shared.clone(), call).await,
                    Err(refusal) => Err(refusal),
                },
                None => answer(&shared, &asked, &strike),
            }
        }
        Err(_) => Err(Refusal::Invalid("the body could not be read".to_owned())),
    };
    if let Some(lost) = strike.lost {
        return Ok(lose(lost));
    }
    Ok(write(answer, strike.truncate))
}

/// A request, taken apart.
struct Asked<'a> {
    method: &'a Method,
    whole: &'a str,
    /// The part of the path below the API's prefix.
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    bytes: &'a [u8],
}

impl Asked<'_> {
    fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn authorization(&self) -> &str {
        self.header(header::AUTHORIZATION).unwrap_or_default()
    }
}

fn answer(shared: &Shared, asked: &Asked<'_>, strike: &Strike) -> Answer {
    let mut world = shared.lock();
    let now = world.settle();
    if let Some(control) = asked.whole.strip_prefix("/_sim/") {
        if !world.tokens.is_control(asked.authorization()) {
            return Err(Refusal::Unauthenticated);
        }
        return control::serve(&mut world, now, asked.method, control, asked.bytes);
    }
    if let Some(rest) = asked.whole.strip_prefix(SDL) {
        let call = read(&mut world, asked, strike, now)?;
        let rest: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
        return sdl::serve(&mut world, &call, &rest, asked.header(sdl::TAG), asked.header("s1-scope"));
    }
    if !asked.whole.starts_with(PREFIX) {
        return Err(Refusal::NotFound(format!("nothing at {}", asked.whole)));
    }
    let segments: Vec<&str> = asked.path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.starts_with(&["system", "status"]) {
        return ok(json!({"health": "ok"}));
    }
    let call = read(&mut world, asked, strike, now)?;
    if call.method == Method::DELETE {
        return Err(Refusal::NotFound(format!("no such call: {} {}", call.method, call.path)));
    }
    route(&mut world, &call, &segments)
}

/// The call alone, for what is served outside `route`.
fn call(shared: &Shared, asked: &Asked<'_>, strike: &Strike) -> Result<Call, Refusal> {
    let mut world = shared.lock();
    let now = world.settle();
    read(&mut world, asked, strike, now)
}

/// Checks who is calling and how often, and reads what is asked.
fn read(world: &mut World, asked: &Asked<'_>, strike: &Strike, now: Timestamp) -> Result<Call, Refusal> {
    let token = world.tokens.holder(asked.authorization(), now).cloned().ok_or(Refusal::Unauthenticated)?;
    world.limits.take(token.user_id, asked.path, now).map_err(Refusal::TooMany)?;
    let (body, params) = if matches!(*asked.method, Method::GET | Method::DELETE) {
        (Value::Null, Params::from_query(asked.query))
    } else if *asked.method == Method::POST {
        let body: Value =
            serde_json::from_slice(asked.bytes).map_err(|_| Refusal::Invalid("the body is not JSON".to_owned()))?;
        let params = Params::from_filter(&body["filter"]);
        (body, params)
    } else {
        return Err(Refusal::NotFound(format!("no such call: {} {}", asked.method, asked.path)));
    };
    let (method, path) = (asked.method.clone(), asked.path.to_owned());
    let call = Call { now, method, path, params, body, token, strike: strike.clone() };
    call.check_tenant()?;
    Ok(call)
}

impl Call {
    pub(crate) fn need(&self, need: Need) -> Result<(), Refusal> {
        if self.token.capability.covers(need) {
            return Ok(());
        }
        Err(Refusal::Forbidden("the user's role does not allow this".to_owned()))
    }

    /// `data` of the body, which the call cannot do without.
    pub(crate) fn data(&self, member: &str) -> Result<&str, Refusal> {
        let text = self.body.pointer("/data").and_then(|data| data.get(member)).and_then(Value::as_str);
        text.ok_or_else(|| Refusal::Invalid(format!("data.{member}: missing data for required field")))
    }

    /// Whether the body has a `filter` object at all, empty or not.
    pub(crate) fn filter_given(&self) -> Result<(), Refusal> {
        if self.body["filter"].is_object() {
            return Ok(());
        }
        Err(Refusal::Invalid("filter: missing data for required field".to_owned()))
    }

    /// `tenant=true` stands alone and needs a user of the whole console.
    fn check_tenant(&self) -> Result<(), Refusal> {
        if self.params.flag("tenant")? != Some(true) {
            return Ok(());
        }
        if ["accountIds", "siteIds", "groupIds"].iter().any(|key| self.params.has(key)) {
            return Err(Refusal::Invalid("tenant: cannot be combined with other scopes".to_owned()));
        }
        if self.token.scope != crate::token::Scope::Console {
            return Err(Refusal::Forbidden("the user's scope is below the tenant".to_owned()));
        }
        Ok(())
    }
}

pub(crate) fn ok(data: Value) -> Answer {
    Ok(Reply::Json(Value::Object(Map::from_iter([("data".to_owned(), data)]))))
}

/// A list's envelope.
pub(crate) fn paged<R>(page: Page<R>, show: impl Fn(R) -> Value) -> Answer {
    let data = page.rows.into_iter().map(show).collect();
    let pagination = json!({"nextCursor": page.next_cursor, "totalItems": page.total});
    // Put together by hand: the macro would copy a thousand rows once more.
    let members = [("data".to_owned(), Value::Array(data)), ("pagination".to_owned(), pagination)];
    Ok(Reply::Json(Value::Object(Map::from_iter(members))))
}

fn write(answer: Answer, truncate: bool) -> Response {
    if let Err(Refusal::TooMany(seconds)) = answer {
        return refuse_service(Instead::TooMany(Some(seconds)));
    }
    let mut tag = None;
    let (status, kind, text) = match answer {
        Ok(Reply::Tagged(value, told)) => {
            tag = Some(told);
            (StatusCode::OK, "application/json", value.to_string())
        }
        Ok(Reply::Empty) => return StatusCode::NO_CONTENT.into_response(),
        Ok(Reply::Json(value)) => (StatusCode::OK, "application/json", value.to_string()),
        Ok(Reply::Csv(text)) => (StatusCode::OK, "text/csv", text),
        Err(refusal) => (refusal.status(), "application/json", refusal.body().to_string()),
    };
    let body = if truncate { broken(text.as_bytes()) } else { Body::from(text) };
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    if let Some(tag) = tag.and_then(|tag| tag.try_into().ok()) {
        response.headers_mut().insert(sdl::TAG, tag);
    }
    response
}

/// A body that ends in the middle with a broken connection.
fn broken(bytes: &[u8]) -> Body {
    let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let cut = async {
        // The first half leaves only if the server gets a turn before the break.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(cut)))
}

fn lose(status: Option<u16>) -> Response {
    match status {
        Some(status) => refuse_service(Instead::Status(status)),
        None => Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))]))
            .into_response(),
    }
}

/// What a gateway or limiter says: no JSON in it.
fn refuse_service(instead: Instead) -> Response {
    let (status, retry_after) = match instead {
        Instead::TooMany(retry_after) => (StatusCode::TOO_MANY_REQUESTS, retry_after),
        Instead::Status(code) => (StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), None),
    };
    let page = format!("<html><body><h1>{status}</h1></body></html>");
    let mut response = (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[expect(clippy::disallowed_methods, reason = "a slow answer is the fault that was asked for")]
async fn wait(delay: Duration) {
    tokio::time::sleep(delay).await;
}

pub(crate) fn target(id: u64, site: Option<u64>, effective: bool, due_at: Option<Timestamp>) -> Target {
    let site_id = site.map(|site| site.to_string()).unwrap_or_default();
    Target { id: id.to_string(), site_id, effective, due_at, told: 0, told_effectively: 0 }
}

/// Writes a changing call into the ledger and says how many objects it changed.
fn record(world: &mut World, call: &Call, action: &str, value: Option<&str>, targets: Vec<Target>) -> usize {
    let affected = targets.iter().filter(|target| target.effective).count();
    world.ledger.record(Done {
        at: call.now,
        method: call.method.to_string(),
        path: call.path.clone(),
        action: action.to_owned(),
        value: value.map(str::to_owned),
        token: call.token.name.clone(),
        asked: call.params.many("ids").iter().map(|id| (*id).to_owned()).collect(),
        affected,
        targets,
        answered: call.strike.lost.is_none(),
    });
    affected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::knows;
    use crate::schema::Skeleton;

    #[test]
    fn every_documented_filter_has_a_meaning() {
        // An unknown key is ignored without a word, so a documented one must not be missing from the tables.
        let steering = ["limit", "skip", "cursor", "sortBy", "sortOrder", "countOnly", "skipCount", "tenant"];
        let skeleton = Skeleton::bundled().expect("the bundled description");
        for (path, table) in [
            ("/threats", threats::FILTERS),
            ("/agents", agents::FILTERS),
            ("/agents/count", agents::FILTERS),
            ("/activities", estate::ACTIVITIES),
            ("/sites", estate::SITES),
            ("/accounts", estate::ACCOUNTS),
            ("/groups", estate::GROUPS),
        ] {
            let documented = skeleton.parameters("GET", &format!("{PREFIX}{path}"));
            assert!(documented.len() > 20, "{path}: {documented:?}");
            let missing: Vec<_> =
                documented.iter().filter(|name| !steering.contains(name) && !knows(table, name)).collect();
            assert!(missing.is_empty(), "{path} ignores {missing:?}");
        }
    }
}
