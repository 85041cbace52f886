//! What can go wrong between a request and its page, and the one place that turns it into an answer.
//!
//! A handler returns a `Fault`; `dress` gives every failed answer, the framework's own included, a page in the visitor's
//! language that says what to do next and nothing about our insides (SEC-76). The cause goes to the log, once.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::{Text, Timestamp};
use engine::ExecuteError;

use crate::layout;
use crate::say::Say;
use crate::show;
use crate::visitor::Manner;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("sign in first")]
    NotSignedIn,
    #[error("not allowed for this role")]
    Forbidden,
    /// It does not exist, or the visitor may not know that it does (SEC-01).
    #[error("not found")]
    NotFound,
    #[error("the form does not fit: {0}")]
    BadForm(&'static str),
    #[error("too many attempts")]
    TooMany { until: Timestamp },
    #[error("no more at once")]
    Busy,
    #[error("could not reach the store")]
    Store(#[from] store::Error),
    #[error("could not carry the command out")]
    Execute(#[source] ExecuteError),
    #[error("could not make the report: {0}")]
    Report(String),
}

impl From<ExecuteError> for Fault {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::NoIncident(_) | ExecuteError::NoTenant(_) => Self::NotFound,
            other => Self::Execute(other),
        }
    }
}

/// Marks an answer that is already a page of its own, such as a form that was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dressed;

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadForm(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(e) if e.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Execute(_) | Self::Report(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            let chain = std::iter::successors(Some(&self as &dyn std::error::Error), |e| e.source());
            let error = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            tracing::error!(error, "a page could not be made");
        }
        let mut response = status.into_response();
        if let Self::TooMany { until } = self {
            response.extensions_mut().insert(Until(until));
        }
        response
    }
}

#[derive(Debug, Clone, Copy)]
struct Until(Timestamp);

/// Outermost of all handlers: gives failed answers their page.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let manner = Manner::of(request.headers());
    let wants_text = wants_text(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || response.extensions().get::<Dressed>().is_some() {
        return response;
    }
    let words = Words::of(status);
    let until = response.extensions().get::<Until>().map(|u| u.0);
    let hint = hint(&words, until, manner.say);
    let mut dressed = if wants_text {
        (status, format!("{} {hint}", manner.say.text(words.what))).into_response()
    } else {
        (status, layout::failure(manner, status.as_u16(), manner.say.text(words.what), &hint)).into_response()
    };
    if let Some(allow) = response.headers().get(header::ALLOW) {
        dressed.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if until.is_some() {
        dressed.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("300"));
    }
    dressed
}

/// Our own scripts ask for plain text where a person with a form would get a page.
pub(crate) fn wants_text(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|a| a.as_bytes().starts_with(b"text/plain"))
}

struct Words {
    what: Text,
    next: Text,
}

impl Words {
    fn of(status: StatusCode) -> Self {
        let (what, next) = match status {
            StatusCode::UNAUTHORIZED => (
                Text::new("サインインが必要です。", "Please sign in."),
                Text::new(
                    "セッションが終了しているか、まだサインインしていません。入力した内容は送信されていません。",
                    "Your session has ended, or you have not signed in yet. What you entered was not sent.",
                ),
            ),
            StatusCode::FORBIDDEN => (
                Text::new("この操作は許可されていません。", "This is not allowed."),
                Text::new(
                    "権限のない画面であるか、別のサイトからの操作です。必要な場合は管理者にご相談ください。",
                    "Your role does not include it, or the request came from another site. Ask your manager if you need it.",
                ),
            ),
            StatusCode::NOT_FOUND => (
                Text::new("見つかりません。", "Not found."),
                Text::new(
                    "番号をご確認ください。閲覧の権限がない情報も、このように表示されます。",
                    "Check the number. What you may not see is shown like this, too.",
                ),
            ),
            StatusCode::TOO_MANY_REQUESTS => (
                Text::new("サインインの試行が多すぎます。", "Too many attempts to sign in."),
                Text::new("しばらく待ってからお試しください。", "Wait a little and try again."),
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                Text::new("送信された内容が大きすぎます。", "That was too large."),
                Text::new("内容を短くして、もう一度送信してください。", "Shorten it and send it again."),
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                Text::new("現在、処理が混み合っています。", "Busy right now."),
                Text::new("数秒待って、もう一度お試しください。", "Wait a few seconds and try again."),
            ),
            s if s.is_client_error() => (
                Text::new("この内容は受け付けられませんでした。", "That could not be accepted."),
                Text::new("前の画面に戻って、入力内容をご確認ください。", "Go back and check what you entered."),
            ),
            _ => (
                Text::new("処理に失敗しました。", "Something went wrong on our side."),
                Text::new(
                    "記録は失われていません。もう一度お試しいただき、続く場合は運用担当者にお知らせください。",
                    "Nothing on record was lost. Try again; if it stays, tell whoever runs this installation.",
                ),
            ),
        };
        Self { what, next }
    }
}

fn hint(words: &Words, until: Option<Timestamp>, say: Say) -> String {
    match until {
        Some(at) => say.pick(
            format!("{} 以降にもう一度お試しください。", show::clock(at)),
            format!("Try again after {}.", show::clock(at)),
        ),
        None => say.text(words.next).to_owned(),
    }
}
