//! The watch line: an axis from now to the next hours, with one mark per open promise at the moment it is due.
//!
//! Drawn on the server as SVG that needs neither script nor inline style. Shape and colour say the priority; what is overdue
//! stands to the left of now.

use axum::extract::{Query, State};
use axum::response::Html;
use domain::calendar::in_japan;
use domain::judgement::Priority;
use domain::{IncidentId, Timestamp};
use jiff::SignedDuration;
use maud::{Markup, html};
use serde::Deserialize;
use store::{Promised, QueueFilter, QueueRow, Scope};

use crate::error::Fault;
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, show};

/// How far the line looks ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(3);
/// Most marks read for the line, and for what is overdue.
const MAX_MARKS: i64 = 150;
/// Overdue ones drawn before the rest is only counted.
const MAX_LATE: usize = 8;
/// Marks that would stand on one another are stacked this high, then counted.
const MAX_STACK: usize = 3;
/// Share of the line's width that one mark takes, in percent.
const MARK_WIDTH: f64 = 1.4;

/// What is due, as the line shows it.
struct Watch {
    late: Vec<QueueRow>,
    late_total: u64,
    ahead: Vec<QueueRow>,
    /// The first promise beyond the line, when nothing is on it.
    next: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    current: Option<String>,
}

pub(crate) async fn fragment(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let current = asked.current.and_then(|id| id.parse().ok());
    Ok(Html(line(&app, &visitor, current, app.now()).await?.into_string()))
}

/// The line for what `visitor` may see. `current` is the incident that the page is about.
pub(crate) async fn line(
    app: &App,
    visitor: &Visitor,
    current: Option<IncidentId>,
    now: Timestamp,
) -> Result<Markup, Fault> {
    let watch = Watch::read(app.engine().store(), visitor.scope(), now).await?;
    let say = visitor.say();
    let url = current.map_or_else(|| "/fragments/watch".to_owned(), |id| format!("/fragments/watch?current={id}"));
    Ok(html! {
        section #watch.watch data-url=(url) aria-label=(say.pick("見張り線：これからの期限", "Watch line: what is due")) {
            (late(&watch, current, now, say))
            svg.line width="100%" height="60" role="group" {
                rect.risk x="0" y="6" width=(percent(show::AT_RISK)) height="36" {}
                (axis(now, say))
                (marks(&watch.ahead, current, now, say))
                @if watch.ahead.is_empty() { text.nothing x="50%" y="28" { (nothing(&watch, now, say)) } }
            }
        }
    })
}

impl Watch {
    async fn read(store: &store::Store, scope: &Scope, now: Timestamp) -> Result<Self, store::Error> {
        let end = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let overdue = QueueFilter { due_before: Some(now), ..QueueFilter::default() };
        let due = QueueFilter { due_from: Some(now), due_before: Some(end), ..QueueFilter::default() };
        let late = store.queue(scope, &overdue, MAX_MARKS, 0).await?;
        let ahead = store.queue(scope, &due, MAX_MARKS, 0).await?.rows;
        let next = if ahead.is_empty() {
            let beyond = QueueFilter { due_from: Some(end), ..QueueFilter::default() };
            store.queue(scope, &beyond, 1, 0).await?.rows.first().and_then(|row| row.due_at)
        } else {
            None
        };
        Ok(Self { late: late.rows, late_total: late.total, ahead, next })
    }
}

fn late(watch: &Watch, current: Option<IncidentId>, now: Timestamp, say: Say) -> Markup {
    // The gravest first, so that what is only counted is the least grave.
    let mut rows: Vec<&QueueRow> = watch.late.iter().collect();
    rows.sort_by_key(|row| (row.priority, row.due_at));
    let more = watch.late_total.saturating_sub(MAX_LATE as u64);
    html! {
        div.late data-any[watch.late_total > 0] {
            a.count href="/?view=overdue" { (say.pick("超過", "Overdue")) " " b { (watch.late_total) } }
            div.marks {
                @for row in rows.into_iter().take(MAX_LATE) {
                    a href=(format!("/incidents/{}", row.id)) title=(name(row, now, say))
                        aria-label=(name(row, now, say)) data-current[current == Some(row.id)] { (mark(row.priority)) }
                }
                @if more > 0 { a.more href="/?view=overdue" { "+" (more) } }
            }
        }
    }
}

/// Baseline with a tick every ten minutes of the clock, named every half hour.
fn axis(now: Timestamp, say: Say) -> Markup {
    const TEN_MINUTES: i64 = 600;
    let (start, end) = (now.as_second(), now.as_second() + AHEAD.as_secs());
    let first = start - start.rem_euclid(TEN_MINUTES) + TEN_MINUTES;
    let ticks = (0..).map(|n| first + n * TEN_MINUTES).take_while(|t| *t < end);
    let ticks = ticks.filter_map(|t| Timestamp::from_second(t).ok());
    html! {
        line.base x1="0" x2="100%" y1="42" y2="42" {}
        line.now x1="0" x2="0" y1="4" y2="48" {}
        text.now x="0" y="58" { (say.pick("今", "now")) " " (show::clock(now)) }
        @for at in ticks {
            @let x = percent(at.duration_since(now));
            @let named = in_japan(at).minute() % 30 == 0;
            line.tick.named[named] x1=(x) x2=(x) y1="42" y2=(if named { "48" } else { "45" }) {}
            // The first label would run into "now".
            @if named && at.duration_since(now) > SignedDuration::from_mins(18) {
                text.hour[in_japan(at).minute() == 0].near[at.duration_since(now) < SignedDuration::from_mins(50)] x=(x) y="58" { (show::clock(at)) }
            }
        }
    }
}

fn marks(rows: &[QueueRow], current: Option<IncidentId>, now: Timestamp, say: Say) -> Markup {
    let placed = rows.iter().filter_map(|row| Some((row, share(row.due_at?.duration_since(now)))));
    let mut stacks: Vec<(f64, Vec<&QueueRow>)> = Vec::new();
    for (row, x) in placed {
        match stacks.last_mut() {
            Some((at, stack)) if x - *at < MARK_WIDTH => stack.push(row),
            _ => stacks.push((x, vec![row])),
        }
    }
    html! {
        @for (x, stack) in &stacks {
            @for (level, row) in stack.iter().take(MAX_STACK).enumerate() {
                svg.at x=(format!("{x:.2}%")) y=(34_usize.saturating_sub(level * 13)) overflow="visible" {
                    a href=(format!("/incidents/{}", row.id)) aria-label=(name(row, now, say))
                        data-current[current == Some(row.id)] {
                        circle.reach r="9" {}
                        (shape(row.priority, waits(row)))
                        text.tip x=(if *x > 60.0 { "-12" } else { "12" }) y="4"
                            text-anchor=(if *x > 60.0 { "end" } else { "start" }) { (name(row, now, say)) }
                    }
                }
            }
            @if stack.len() > MAX_STACK {
                svg.at x=(format!("{x:.2}%")) y="8" overflow="visible" {
                    text.more x="9" y="4" { "+" (stack.len() - MAX_STACK) }
                }
            }
        }
    }
}

fn nothing(watch: &Watch, now: Timestamp, say: Say) -> String {
    let none = say.pick("今後3時間に迎える期限はありません", "Nothing falls due in the next 3 hours");
    match watch.next {
        Some(at) => {
            let at = show::brief(at, now);
            say.pick(format!("{none}（次の期限 {at}）"), format!("{none}; next at {at}"))
        }
        None => none.to_owned(),
    }
}

/// `P1  INC-2026-000123  9分  WS-017  …`
fn name(row: &QueueRow, now: Timestamp, say: Say) -> String {
    let due = row.due_at.map(|at| show::until(at, now, say)).unwrap_or_default();
    let (host, title) = (row.summary.host.short(24), row.summary.title.short(40));
    let due = if waits(row) {
        format!("{due} {}", say.pick("（回答待ち・計時停止中）", "to answer, clock paused"))
    } else {
        due
    };
    format!("{} · {due} · {} · {host} · {title}", row.priority.name(), row.id)
}

/// The sign of a priority, to stand in a line of text. Its name has to stand beside it.
pub(crate) fn mark(priority: Priority) -> Markup {
    html! {
        svg.mark viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true" { (shape(priority, false)) }
    }
}

/// Whether its clock stands still. Then the mark is where the customer's time to answer ends.
fn waits(row: &QueueRow) -> bool {
    matches!(row.summary.promise, Some(Promised::Paused { .. }))
}

/// The sign of a clock that stands still.
pub(crate) fn pause_sign() -> Markup {
    html! { svg.pause viewBox="-5 -6 10 12" width="10" height="12" aria-hidden="true" { path d="M-3-4V4M3-4V4" {} } }
}

/// Triangle, diamond, disc, square: told apart without colour. Hollow while its clock stands still.
fn shape(priority: Priority, hollow: bool) -> Markup {
    let (class, outline) = match priority {
        Priority::P0 => ("p0", "M0-7 7 6H-7Z"),
        Priority::P1 => ("p1", "M0-6.5 6.5 0 0 6.5-6.5 0Z"),
        Priority::P2 => ("p2", "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z"),
        Priority::P3 => ("p3", "M-4-4H4V4H-4Z"),
    };
    html! { path.(class).hollow[hollow] d=(outline) {} }
}

fn percent(span: SignedDuration) -> String {
    format!("{:.2}%", share(span))
}

/// Share of the line, 0 to 100.
fn share(span: SignedDuration) -> f64 {
    (span.as_secs_f64() / AHEAD.as_secs_f64() * 100.0).clamp(0.0, 100.0)
}
