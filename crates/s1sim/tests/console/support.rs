//! What every test of the simulator needs: a console at a standing clock, and calls whose replies are checked against
//! the API description as they come.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use s1sim::schema::Skeleton;
use s1sim::{Capability, Clock, Config, S1Sim};
use serde_json::Value;
use tower::ServiceExt;

pub const SITE: &str = "hoshimi";

pub struct Probe {
    pub sim: S1Sim,
    skeleton: Skeleton,
}

pub struct Got {
    pub status: u16,
    pub body: Value,
}

impl Probe {
    pub async fn start() -> Self {
        let start: Timestamp = "2026-11-24T01:00:00Z".parse().expect("a time");
        let config = Config { clock: Clock::manual(start), tls: false, ..Config::default() };
        let sim = S1Sim::start(config).await.expect("the simulator starts");
        Self { sim, skeleton: Skeleton::bundled().expect("the bundled description") }
    }

    pub fn pass(&self, millis: u64) {
        self.sim.advance(Duration::from_millis(millis));
    }

    /// A GET with the customer's read token.
    pub async fn get(&self, path: &str) -> Got {
        self.get_as(path, &self.sim.token(SITE, Capability::Read)).await
    }

    pub async fn get_as(&self, path: &str, token: &str) -> Got {
        self.call("GET", path, &format!("ApiToken {token}"), Body::empty()).await
    }

    /// A POST with the customer's token for everything.
    pub async fn post(&self, path: &str, body: Value) -> Got {
        self.post_as(path, body, &self.sim.token(SITE, Capability::Full)).await
    }

    pub async fn post_as(&self, path: &str, body: Value, token: &str) -> Got {
        self.call("POST", path, &format!("ApiToken {token}"), Body::from(body.to_string())).await
    }

    pub async fn call(&self, method: &str, path: &str, authorization: &str, body: Body) -> Got {
        let whole = if path.starts_with("/_sim") { path.to_owned() } else { format!("/web/api/v2.1{path}") };
        let request = Request::builder().method(method).uri(&whole).header("authorization", authorization);
        let request = request.body(body).expect("a request");
        let response = self.sim.router().oneshot(request).await.expect("the service never fails");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
        let body: Value =
            serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
        if !path.starts_with("/_sim") && !body.is_string() {
            let faults = self.skeleton.faults(method, &whole, status.as_u16(), &body);
            // Which errors a call may answer is described only in part; those that are must have the form.
            let undescribed = status != StatusCode::OK && faults.len() == 1 && faults[0].starts_with(method);
            assert!(undescribed || faults.is_empty(), "{method} {path}: {faults:#?}");
        }
        Got { status: status.as_u16(), body }
    }

    /// The ids of the rows a list shows.
    pub async fn ids(&self, path: &str) -> Vec<String> {
        let got = self.get(path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        let rows = got.body["data"].as_array().expect("a list");
        rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned).collect()
    }
}

impl Got {
    pub fn affected(&self) -> u64 {
        self.body["data"]["affected"].as_u64().unwrap_or_else(|| panic!("no `affected` in {}", self.body))
    }

    pub fn code(&self) -> u64 {
        self.body["errors"][0]["code"].as_u64().unwrap_or_else(|| panic!("no error in {}", self.body))
    }
}
