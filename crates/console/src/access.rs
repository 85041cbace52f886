//! Who may use a route, and the check in front of every one of them. What is not granted here is denied (SEC-05).

use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use store::AccountRole;

use crate::App;
use crate::error::Fault;
use crate::visitor::Visitor;

/// What a route asks of its visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody: sign-in and the files that pages are made of. Nothing here shows a customer's data.
    Everybody,
    /// Anybody with a session, customers included. Nothing here shows more than the visitor's own account.
    SignedIn,
    /// Any of the SOC's own people.
    Staff,
    /// Only these roles.
    Only(&'static [AccountRole]),
}

impl Access {
    pub fn allows(self, role: AccountRole) -> bool {
        match self {
            Self::Everybody | Self::SignedIn => true,
            Self::Staff => role.is_staff(),
            Self::Only(roles) => roles.contains(&role),
        }
    }
}

/// Lets a request through to its handler, with its visitor, or answers it here.
pub(crate) async fn guard(
    State((app, access)): State<(App, Access)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Fault> {
    if access == Access::Everybody {
        return Ok(next.run(request).await);
    }
    let Some(visitor) = Visitor::of(&app, request.headers()).await? else { return Ok(sign_in_first(&request)) };
    if !access.allows(visitor.role()) {
        return Err(Fault::Forbidden);
    }
    request.extensions_mut().insert(visitor);
    Ok(next.run(request).await)
}

/// Pages lead to the sign-in and back; anything else is told why it cannot be done.
fn sign_in_first(request: &Request) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|a| a.to_str().ok()).unwrap_or_default();
    if request.method() != Method::GET || !accepts.contains("text/html") {
        return Fault::NotSignedIn.into_response();
    }
    let wanted = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let query: String = url_encoded(wanted);
    Redirect::to(&format!("/sign-in?next={query}")).into_response()
}

/// Percent-encodes everything but the plainest characters.
pub(crate) fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
