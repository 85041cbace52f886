//! What gave up and what could not be read: a person has to look. Nothing of it is ever dropped silently.

use axum::extract::{Form, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::{TenantId, Untrusted};
use maud::{Markup, html};
use serde::Deserialize;
use store::{AccountRole, DeadJob, Refusal, Scope};

use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, show};

/// Most of each shown, the newest first.
const MAX_SHOWN: i64 = 200;

#[derive(Debug, Deserialize)]
pub(crate) struct Revive {
    key: String,
}

pub(crate) async fn page(State(app): State<App>, visitor: Visitor) -> Result<Html<String>, Fault> {
    let (say, store) = (visitor.say(), app.engine().store());
    let jobs = jobs_for(&app, &visitor).await?;
    let refusals = store.refusals_within(troubled(&visitor), MAX_SHOWN).await?;
    // A number over all customers is for those who see all of them (SEC-03).
    let sees_all = *troubled(&visitor) == Scope::All;
    let waiting = if sees_all { Some(store.job_counts().await?.waiting) } else { None };
    let title = say.pick("要確認", "Trouble");
    let body = html! {
        article.trouble {
            h1 { (title) }
            p.lead { (say.pick(
                "自動処理が完了できなかったものと、読み取れなかった記録です。ここにあるものは、人が判断するまで残ります。",
                "What the program could not finish, and records it could not read. Everything here stays until a person decides.",
            )) }
            section {
                h2 { (say.pick("完了できなかった処理", "Jobs that gave up")) " " span.n { (jobs.len()) } }
                @if jobs.is_empty() {
                    p.empty {
                        (say.pick("ありません。", "None."))
                        @if let Some(n) = waiting {
                            " " (say.pick(format!("現在 {n} 件の処理が順番を待っています。"), format!("{n} are waiting for their turn.")))
                        }
                    }
                } @else { (jobs_table(&app, &jobs, &visitor, say)) }
            }
            section {
                h2 { (say.pick("読み取れなかった記録", "Records that could not be read")) " " span.n { (refusals.len()) } }
                @if refusals.is_empty() {
                    p.empty { (say.pick("ありません。受信した記録はすべて読み取れています。", "None. Every record that came in could be read.")) }
                }
                @for (tenant, refusal) in &refusals { (refused(&customer(&app, tenant, say), refusal, !operates(&visitor), say)) }
            }
        }
    };
    layout::page(&app, &visitor, &Place::Trouble, title, body).await
}

pub(crate) async fn revive(
    State(app): State<App>,
    visitor: Visitor,
    Form(wanted): Form<Revive>,
) -> Result<Response, Fault> {
    // Only what the visitor is shown can be revived by them.
    let shown = jobs_for(&app, &visitor).await?.into_iter().any(|job| job.key == wanted.key);
    if !shown {
        return Err(Fault::NotFound);
    }
    app.engine().store().revive_job(&wanted.key, app.now()).await?;
    tracing::info!(job = wanted.key, person.id = %visitor.id(), "a job was set going again");
    Ok(Redirect::to("/trouble").into_response())
}

async fn jobs_for(app: &App, visitor: &Visitor) -> Result<Vec<DeadJob>, Fault> {
    Ok(app.engine().store().dead_jobs_within(troubled(visitor), MAX_SHOWN).await?)
}

/// Whose trouble a visitor is shown: all of it, to whoever runs the installation (SEC-02).
fn troubled(visitor: &Visitor) -> &Scope {
    if operates(visitor) { &Scope::All } else { visitor.scope() }
}

/// A customer's name, or the bare id of one that is no longer configured.
fn customer(app: &App, id: &TenantId, say: Say) -> String {
    app.engine().tenant(id).map_or_else(|| id.to_string(), |t| say.names(&t.name).to_owned())
}

/// Whoever runs the installation sees that something is stuck and why, for every customer; what the records say, they do not.
fn operates(visitor: &Visitor) -> bool {
    visitor.role() == AccountRole::Operator
}

fn jobs_table(app: &App, jobs: &[DeadJob], visitor: &Visitor, say: Say) -> Markup {
    let may_revive = matches!(visitor.role(), AccountRole::Manager | AccountRole::Operator);
    html! {
        table.plain {
            thead { tr {
                th { (say.pick("日時（JST）", "When (JST)")) }
                th { (say.pick("処理", "Job")) }
                th { (say.pick("お客様", "Customer")) }
                th { (say.pick("インシデント", "Incident")) }
                th { (say.pick("理由", "Why")) }
                th { (say.pick("試行", "Tries")) }
                th {}
            } }
            tbody { @for job in jobs {
                tr {
                    td { (show::second(job.at)) }
                    td { code { (job.key) } }
                    td { (customer(app, &job.tenant, say)) }
                    td { @if operates(visitor) { (job.incident) } @else { a href=(format!("/incidents/{}", job.incident)) { (job.incident) } } }
                    td.why { (show::foreign(&Untrusted::new(&job.why), 400)) }
                    td.n { (job.attempts) }
                    td { @if may_revive {
                        form method="post" action="/trouble/revive" {
                            input type="hidden" name="key" value=(job.key);
                            button { (say.pick("再実行", "Try again")) }
                        }
                    } }
                }
            } }
        }
    }
}

fn refused(tenant: &str, refusal: &Refusal, with_record: bool, say: Say) -> Markup {
    html! {
        details.refusal {
            summary {
                (show::second(refusal.at)) " · " (tenant) " · " (show::foreign(&Untrusted::new(&refusal.source), 60)) " · "
                (show::foreign(&Untrusted::new(&refusal.reason), 300))
            }
            @if with_record {
                pre.raw tabindex="0" { (super::evidence::readable(&refusal.raw)) }
            } @else {
                p.hint { (say.pick("記録の内容は分析担当者のみに表示されます。", "Only analysts are shown what the record says.")) }
            }
        }
    }
}
