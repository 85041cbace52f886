//! One token's way to one console: how a list is asked and an act is sent, so that neither can forget its scope.

use jiff::Timestamp;
use outbound::{Lane, Method, Outbound, Request, Safety, Secret, Turn, Urgency};
use serde_json::{Map, Value, json};
use url::Url;

use crate::act::{self, Accepted};
use crate::console::Console;
use crate::cursor::next_token;
use crate::error::{Error, sort};
use crate::query::{Family, List, Query};
use crate::targets::Targets;

const API: &str = "/web/api/v2.1";
/// A full page of a thousand threats with long indicators stays below this.
const MAX_LIST_BYTES: usize = 32 * 1024 * 1024;

/// The console counts each token on its own, so each has its own budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Capability {
    Read,
    Act,
}

impl Capability {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }

    /// Only a token that acts has something more urgent to do than to look.
    fn looking(self) -> Urgency {
        match self {
            Self::Read => Urgency::First,
            Self::Act => Urgency::Looks,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) console: Console,
    outbound: Outbound,
    token: Secret,
    capability: Capability,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) records: Vec<Value>,
    pub(crate) next: Option<String>,
}

impl Caller {
    pub(crate) fn new(console: &Console, token: Secret, outbound: Outbound, capability: Capability) -> Self {
        Self { console: console.clone(), outbound, token, capability }
    }

    pub(crate) async fn list<L: List>(
        &self,
        query: &Query<L>,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Listed, Error> {
        listed(self.get(query, cursor, now).await?)
    }

    /// For what is one object and not a list: its `data`.
    pub(crate) async fn object<L: List>(&self, query: &Query<L>, now: Timestamp) -> Result<Value, Error> {
        let mut answer = self.get(query, None, now).await?;
        match answer.get_mut("data").map(Value::take) {
            Some(data @ Value::Object(_)) => Ok(data),
            _ => Err(Error::Malformed { what: "it holds no object".into(), in_doubt: false }),
        }
    }

    async fn get<L: List>(&self, query: &Query<L>, cursor: Option<&str>, now: Timestamp) -> Result<Value, Error> {
        let mut url = self.url(&query.path)?;
        for (name, value) in &query.pairs {
            url.query_pairs_mut().append_pair(name, value);
        }
        if L::SCOPED {
            for (name, ids) in self.console.scope.filters() {
                let joined = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                url.query_pairs_mut().append_pair(name, &joined);
            }
        }
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let request =
            Request::get(url, self.lane(L::FAMILY)).urgency(self.capability.looking()).at_most(MAX_LIST_BYTES);
        self.send(request, cursor.is_some(), now).await
    }

    /// Acts on exactly these targets, and on them only where they are the customer's.
    pub(crate) async fn act<T: Clone + PartialEq + std::fmt::Display>(
        &self,
        (family, turn): (Family, Option<Turn>),
        path: &str,
        targets: &Targets<T>,
        data: Value,
        now: Timestamp,
    ) -> Result<Accepted, Error> {
        let mut filter = Map::from_iter([("ids".to_owned(), json!(targets.texts()))]);
        for (name, ids) in self.console.scope.filters() {
            filter.insert(name.to_owned(), ids.iter().map(ToString::to_string).collect());
        }
        let body = json!({"filter": filter, "data": data}).to_string().into_bytes();
        let request = Request::new(Method::Post, self.url(path)?, Safety::OnceOnly, self.lane(family));
        let request = match turn {
            Some(turn) => request.on_turn(turn),
            None => request.urgency(Urgency::Records),
        };
        let answer = self.send(request.body("application/json", body), false, now).await?;
        act::read(&answer, targets.as_slice().len())
    }

    /// A turn for an act that stops an attack.
    pub(crate) fn reserve(&self, family: Family, now: Timestamp) -> Result<Turn, Error> {
        self.outbound.reserve(self.lane(family), Urgency::First, now).map_err(|error| sort(error, false))
    }

    /// A question that is put by POST, and its ping: asking again does no harm.
    pub(crate) fn request(&self, method: Method, family: Family, path: &str) -> Result<Request, Error> {
        let request = Request::new(method, self.url(path)?, Safety::Repeatable, self.lane(family));
        Ok(request.urgency(self.capability.looking()).at_most(MAX_LIST_BYTES))
    }

    pub(crate) async fn send(&self, request: Request, on_cursor: bool, now: Timestamp) -> Result<Value, Error> {
        let in_doubt = request.safety() == Safety::OnceOnly;
        let request =
            request.secret_header("authorization", "ApiToken ", &self.token).header("accept", "application/json");
        let reply = self.outbound.send(request, now).await.map_err(|error| sort(error, on_cursor))?;
        reply.json().map_err(|error| Error::Malformed { what: error.to_string(), in_doubt })
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        let url = self.console.origin.url(&format!("{API}{path}"));
        url.map_err(|_| Error::Unsendable("its path does not stay on the console"))
    }

    fn lane(&self, family: Family) -> Lane {
        let name = format!("{}/{}/{}", self.console.tenant, self.capability.name(), family.name());
        Lane::new(&name, family.rate())
    }
}

/// `data` is the list itself or, for sites, an object that holds it.
fn listed(answer: Value) -> Result<Listed, Error> {
    let not_a_list = || Error::Malformed { what: "it holds no list".into(), in_doubt: false };
    let Value::Object(mut answer) = answer else { return Err(not_a_list()) };
    let next = answer.get("pagination").and_then(|p| p.get("nextCursor")).and_then(Value::as_str).and_then(next_token);
    let records = match answer.remove("data") {
        Some(Value::Array(records)) => records,
        Some(Value::Object(mut data)) => match data.remove("sites") {
            Some(Value::Array(sites)) => sites,
            _ => return Err(not_a_list()),
        },
        _ => return Err(not_a_list()),
    };
    Ok(Listed { records, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_found_in_each_envelope_and_its_absence_is_an_error() {
        let sites = listed(json!({"data": {"allSites": {}, "sites": [{"id": "1"}]}})).unwrap();
        assert_eq!((sites.records.len(), sites.next), (1, None));
        let page = listed(json!({"errors": [{}], "data": [], "pagination": {"nextCursor": "abc%3D"}})).unwrap();
        assert_eq!(page.next.as_deref(), Some("abc="));
        for broken in [json!({}), json!([]), json!({"data": null}), json!({"data": {"affected": 1}})] {
            assert!(listed(broken).is_err());
        }
    }
}
