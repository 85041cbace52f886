//! The incident report as a PDF, made when it is asked for, away from the threads that serve pages.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::Language;
use domain::tenant::Names;
use report::{Issuer, Options};

use super::incident::find;
use crate::App;
use crate::error::Fault;
use crate::visitor::Visitor;

/// Reports set side by side. Each takes a core for a tenth of a second or so.
pub(crate) const AT_ONCE: usize = 2;

pub(crate) async fn download(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let language: Language = file.strip_suffix(".pdf").and_then(|tag| tag.parse().ok()).ok_or(Fault::NotFound)?;
    let incident = find(&app, &visitor, &id).await?;
    let events = app.engine().store().events(&incident.tenant, incident.id).await?;
    let tenant = app.engine().tenant(&incident.tenant).ok_or(Fault::NotFound)?.clone();
    let issuer = issuer(&app).await?;
    let now = app.now();
    // Closed only when the program ends.
    let Ok(_permit) = app.inner.rendering.acquire().await else { return Err(Fault::Busy) };
    let worker = app.clone();
    let made = tokio::task::spawn_blocking(move || {
        let options = Options { now, issuer: &issuer };
        worker.renderer()?.incident(&incident, &events, &tenant, language, options).map_err(|e| e.to_string())
    });
    let document = made.await.map_err(|e| Fault::Report(e.to_string()))?.map_err(Fault::Report)?;
    let disposition = format!("attachment; filename=\"{}\"", document.file_name());
    let headers = [(header::CONTENT_TYPE, "application/pdf".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, document.into_pdf()).into_response())
}

async fn issuer(app: &App) -> Result<Issuer, Fault> {
    let both = |name: String| Names { ja: name.clone(), en: name };
    let people = app.people().await?.into_iter().map(|(id, name)| (id, both(name))).collect();
    Ok(Issuer { name: app.settings().provider.clone(), contact: app.settings().contact.clone(), people })
}
