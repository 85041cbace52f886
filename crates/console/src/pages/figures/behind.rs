//! The incidents behind one number, each with the proof of its due times.

use axum::extract::{Query, State};
use axum::response::Html;
use domain::Timestamp;
use domain::attainment::{Measured, Standing, Target};
use maud::{Markup, html};

use super::{Asked, Behind, Read, too_many};
use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, show, watch};

/// Most lines shown; the command line has them all.
const MOST: usize = 500;

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let read = Read::of(&app, &visitor, &asked).await?;
    let (say, behind) = (read.say, Behind::of(&asked));
    let people = app.people().await?;
    let mut rows: Vec<&Measured> = read.rows.iter().filter(|row| behind.holds(row, read.now)).collect();
    if let Behind::Span(span) = behind {
        rows.sort_by_key(|row| std::cmp::Reverse(row.span(span)));
    }
    let title = named(behind, say);
    let person = |row: &Measured| {
        row.acknowledged_by
            .as_ref()
            .map(|id| people.get(id).cloned().unwrap_or_else(|| id.to_string()))
            .unwrap_or_default()
    };
    let body = html! {
        article.figures {
            p { a href=(format!("/figures{}", read.filters.search())) { "‹ " (say.pick("目標の達成状況", "Targets and times")) } }
            h1 { (title) " " span.n { (say.count(rows.len() as u64, "件", "cycle", "cycles")) } }
            p.as-of { (read.filters.named(say)) " · " (say.pick("集計時点 ", "as of ")) (show::second(read.now)) " JST" }
            @if read.cut { (too_many(say)) } @else {
                @if rows.len() > MOST {
                    p.hint { (say.pick(
                        format!("先頭の {MOST} 件を表示しています。すべては yagura figures --cycles で出力できます。"),
                        format!("The first {MOST} are shown; `yagura figures --cycles` writes all of them."),
                    )) }
                }
                table.plain.cycles {
                    thead { tr {
                        th { (say.pick("インシデント", "Incident")) }
                        th { (say.pick("お客様", "Customer")) }
                        th { (say.pick("計時開始", "Started")) }
                        @for target in [Target::FirstResponse, Target::Analysis] { th { (say.text(target.text())) } }
                        th { (say.pick("受領者", "Taken by")) }
                        th {}
                    } }
                    tbody { @for row in rows.into_iter().take(MOST) {
                        tr {
                            td { (watch::mark(row.priority)) (row.priority.name()) " "
                                a href=(format!("/incidents/{}", row.incident)) { (row.incident) }
                                @if row.cycle > 1 { " " span.n { (say.pick(format!("第{}回", row.cycle), format!("cycle {}", row.cycle))) } }
                            }
                            td { (read.customer(row)) }
                            td { (show::second(row.started)) }
                            @for target in [Target::FirstResponse, Target::Analysis] { td { (outcome(row, target, read.now, say)) } }
                            td { (person(row)) }
                            td { a href=(format!("/incidents/{}/clocks#cycle-{}", row.incident, row.cycle)) { (say.pick("計算根拠", "Proof")) } }
                        }
                    } }
                }
            }
        }
    };
    let place = Place::Figures(format!("/figures/incidents{}", read.filters.search_behind(behind)));
    layout::page(&app, &visitor, &place, &title, body).await
}

fn named(behind: Behind, say: Say) -> String {
    match behind {
        Behind::All => say.pick("すべての計時", "All cycles").to_owned(),
        Behind::Target(target, None) => {
            let counted = say.pick("目標内と目標超過", "met and missed");
            format!("{}{}{counted}", say.text(target.text()), say.pick("：", ": "))
        }
        Behind::Target(target, Some(standing)) => {
            format!("{}{}{}", say.text(target.text()), say.pick("：", ": "), say.text(standing.text()))
        }
        Behind::Span(span) => say.pick(
            format!("受信から{}（長い順）", say.text(span.text())),
            format!("{}, longest first", say.text(span.text())),
        ),
    }
}

/// When it was due, when it was given, and what that makes of it.
fn outcome(row: &Measured, target: Target, now: Timestamp, say: Say) -> Markup {
    let (standing, (stopped, due)) = (row.standing(target, now), row.stop(target));
    html! {
        p.standing.(standing.name()) { (say.text(standing.text()))
            @if let (Standing::Missed, Some(due)) = (standing, due) {
                " " span.n { "+" (show::span(stopped.unwrap_or(now).duration_since(due), say)) }
            }
        }
        p.hint {
            @if let Some(due) = due { (say.pick("期限 ", "due ")) (show::moment(due, row.started)) }
            @if let Some(at) = stopped { " · " (say.pick("実績 ", "given ")) (show::moment(at, row.started)) }
        }
    }
}
