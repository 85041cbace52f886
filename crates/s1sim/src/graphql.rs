//! The console's GraphQL surfaces: unified alerts, the findings of posture management, and the assistant. Each is a
//! schema in a `.graphql` file and one function per root field; an executor does the rest, so a query gets exactly the
//! fields it names, and a wrong one gets the error text that clients look for. Errors are HTTP 200, as on the console.

mod alerts;
mod connection;
mod filter;
mod findings;
mod misconfigurations;
mod purple;
mod schema;
mod vulnerabilities;

use std::sync::LazyLock;

use async_graphql::dynamic::Schema;
use async_graphql::{Request, Response, Variables};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{Answer, Call, Reply, Shared};
use crate::refusal::Refusal;
use crate::world::World;

/// The most fields deep and the most fields wide a query may be.
const MAX_DEPTH: usize = 24;
const MAX_COMPLEXITY: usize = 4_000;

/// What a root field is asked with.
struct Ask<'a> {
    world: &'a mut World,
    call: &'a Call,
    /// The field's arguments, variables filled in.
    args: &'a Value,
}

/// A root field's function. What it returns is resolved by member names; a refusal is a GraphQL error.
type Root = fn(&mut Ask<'_>) -> Result<Value, String>;

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Surface(Schema);

/// The surface at a path below the API's prefix.
pub(crate) fn surface(path: &str) -> Option<&'static Surface> {
    static ALERTS: LazyLock<Surface> = LazyLock::new(|| Surface::make(&[alerts::SDL], alerts::ROOTS));
    static VULNERABILITIES: LazyLock<Surface> =
        LazyLock::new(|| Surface::make(&[findings::SDL, vulnerabilities::SDL], vulnerabilities::ROOTS));
    static MISCONFIGURATIONS: LazyLock<Surface> =
        LazyLock::new(|| Surface::make(&[findings::SDL, misconfigurations::SDL], misconfigurations::ROOTS));
    static PURPLE: LazyLock<Surface> = LazyLock::new(|| Surface::make(&[purple::SDL], purple::ROOTS));
    match path {
        "/unifiedalerts/graphql" => Some(&ALERTS),
        "/xspm/findings/vulnerabilities/graphql" => Some(&VULNERABILITIES),
        "/xspm/findings/misconfigurations/graphql" => Some(&MISCONFIGURATIONS),
        "/graphql" => Some(&PURPLE),
        _ => None,
    }
}

/// The body of a request.
#[derive(Debug, Deserialize)]
struct Posted {
    query: String,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default, rename = "operationName")]
    operation: Option<String>,
}

impl Surface {
    fn make(parts: &[&str], roots: &'static [(&'static str, Root)]) -> Self {
        // The schemas are part of this program and a test builds each of them.
        Self(schema::build(parts, roots, MAX_DEPTH, MAX_COMPLEXITY).expect("a bundled schema is sound"))
    }

    /// Executes the body's query. Each root field sees one consistent moment of the world.
    pub(crate) async fn serve(&self, shared: Shared, call: Call) -> Answer {
        let posted: Posted = serde_json::from_value(call.body.clone())
            .map_err(|error| Refusal::Invalid(format!("not a GraphQL request: {error}")))?;
        let variables = posted.variables.map(Variables::from_json).unwrap_or_default();
        let mut request = Request::new(posted.query).variables(variables).data(schema::Asked { shared, call });
        if let Some(operation) = posted.operation {
            request = request.operation_name(operation);
        }
        let response = self.0.execute(request).await;
        Ok(Reply::Json(written(response)))
    }
}

/// The response as JSON, in the words that GraphQL servers of other makes use too and clients therefore look for.
fn written(mut response: Response) -> Value {
    for error in &mut response.errors {
        if let Some(rest) = error.message.strip_prefix("Unknown field ") {
            error.message = format!("Cannot query field {rest}");
        }
    }
    serde_json::to_value(response).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_surface_has_a_sound_schema_and_a_function_for_each_root_field() {
        for path in [
            "/unifiedalerts/graphql",
            "/xspm/findings/vulnerabilities/graphql",
            "/xspm/findings/misconfigurations/graphql",
            "/graphql",
        ] {
            let surface = surface(path).expect("a surface");
            assert!(surface.0.sdl().contains("type Query"), "{path}");
        }
        assert!(surface("/graphql/schema").is_none());
    }
}
