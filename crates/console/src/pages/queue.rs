//! The queue: what is due next comes first. Filters live in the address, so a view can be shared and bookmarked.

mod filters;

use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::calendar::in_japan;
use domain::incident::Phase;
use domain::judgement::{Priority, Verdict};
use domain::tenant::Tenant;
use domain::{IncidentId, PersonId, Timestamp, Untrusted, rules};
use maud::{Markup, html};
use serde::Deserialize;
use store::{Counters, Queue, QueueRow};

use crate::access::url_encoded;
use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, due, show, watch};

pub(crate) use filters::Asked;
use filters::{Filters, View};

/// Rows on one page.
const PAGE: usize = 100;
/// Most rows searched for a word.
const SEARCHED: i64 = 1000;

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let filters = Filters::of(&asked);
    let content = content(&app, &visitor, &filters).await?;
    let say = visitor.say();
    let body = html! {
        h1.unseen { (say.pick("キュー", "Queue")) }
        (content)
        aside #preview.preview hidden aria-label=(say.pick("プレビュー", "Preview")) {}
    };
    let place = Place::Queue(format!("/{}", filters.search()));
    layout::page(&app, &visitor, &place, say.pick("キュー", "Queue"), body).await
}

pub(crate) async fn fragment(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    Ok(Html(content(&app, &visitor, &Filters::of(&asked)).await?.into_string()))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Jump {
    to: Option<String>,
}

/// Opens what was typed: a whole number, or only its digits, which mean this year's.
pub(crate) async fn jump(State(app): State<App>, Query(jump): Query<Jump>) -> Response {
    let typed = jump.to.unwrap_or_default();
    match number(&typed, app.now()) {
        Some(id) => Redirect::to(&format!("/incidents/{id}")).into_response(),
        None => Redirect::to(&format!("/?q={}", url_encoded(typed.trim()))).into_response(),
    }
}

fn number(typed: &str, now: Timestamp) -> Option<IncidentId> {
    // Full-width digits and letters are what a Japanese keyboard gives.
    let narrow = |c: char| match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        'ー' | '−' | '‐' => '-',
        c => c,
    };
    let typed: String = typed.trim().chars().take(30).map(narrow).collect::<String>().to_ascii_uppercase();
    if let Ok(id) = typed.parse() {
        return Some(id);
    }
    let digits = typed.strip_prefix("INC-").unwrap_or(&typed);
    let (year, number) = match digits.split_once('-') {
        Some((year, number)) => (year.parse().ok()?, number),
        None => (jiff::tz::Offset::UTC.to_datetime(now).year(), digits),
    };
    let plain = !number.is_empty() && number.len() <= 9 && number.bytes().all(|b| b.is_ascii_digit());
    Some(IncidentId { year, number: number.parse().ok().filter(|_| plain)? })
}

/// Everything that lives: tiles, views, filters, table.
async fn content(app: &App, visitor: &Visitor, filters: &Filters) -> Result<Markup, Fault> {
    let (now, say, store) = (app.now(), visitor.say(), app.engine().store());
    let soon = now.checked_add(show::AT_RISK).unwrap_or(Timestamp::MAX);
    let counters = store.counters(visitor.scope(), now, soon).await?;
    let found = find(app, visitor, filters, now).await?;
    let people = app.people().await?;
    let list = List { app, people, filters, now, say, me: visitor.id() };
    let url = format!("/fragments/queue{}", filters.search());
    Ok(html! {
        div #queue data-url=(url) data-total=(found.total) {
            (tiles(&counters, filters, say))
            (controls(app, visitor, filters, say))
            @if found.rows.is_empty() { (nothing(filters, say)) } @else { (list.table(&found.rows)) }
            (list.foot(&found))
        }
    })
}

struct Found {
    rows: Vec<QueueRow>,
    total: u64,
    /// A word was looked for among the first rows only.
    cut: bool,
}

async fn find(app: &App, visitor: &Visitor, filters: &Filters, now: Timestamp) -> Result<Found, Fault> {
    let (store, query) = (app.engine().store(), filters.query(visitor.id(), now));
    if filters.word.is_empty() {
        let offset = (filters.page - 1).saturating_mul(PAGE);
        let queue =
            store.queue(visitor.scope(), &query, PAGE as i64, i64::try_from(offset).unwrap_or(i64::MAX)).await?;
        return Ok(Found { rows: queue.rows, total: queue.total, cut: false });
    }
    let queue = store.queue(visitor.scope(), &query, SEARCHED, 0).await?;
    let cut = queue.total > queue.rows.len() as u64;
    let word = filters.word.to_lowercase();
    let mut rows: Vec<QueueRow> = queue.rows.into_iter().filter(|row| says(row, &word)).collect();
    let total = rows.len() as u64;
    rows.truncate(PAGE);
    Ok(Found { rows, total, cut })
}

fn says(row: &QueueRow, word: &str) -> bool {
    let summary = &row.summary;
    let texts = [summary.title.for_matching(), summary.host.for_matching(), row.tenant.as_str()];
    let user = summary.user.as_ref().map(|u| u.for_matching().to_lowercase());
    texts.iter().any(|t| t.to_lowercase().contains(word))
        || user.is_some_and(|u| u.contains(word))
        || row.id.to_string().to_lowercase().contains(word)
}

fn tiles(counters: &Counters, filters: &Filters, say: Say) -> Markup {
    let tile = |class: &str, n: u64, name: &str, href: String, here: bool| {
        html! {
            a.tile.(class) href=(href) data-any[n > 0] aria-current=[here.then_some("true")] {
                b { (n) } span { (name) }
            }
        }
    };
    let view = |view: View| filters.with(|f| (f.view, f.priority) = (view, None));
    let is = |view: View| filters.view == view;
    let p0 = filters.with(|f| (f.view, f.priority) = (View::Open, Some(Priority::P0)));
    html! {
        div.tiles {
            (tile("p0", counters.p0, say.pick("P0 対応中", "P0 open"), p0, filters.priority == Some(Priority::P0)))
            (tile("overdue", counters.overdue, say.pick("目標超過", "Overdue"), view(View::Overdue), is(View::Overdue)))
            (tile("risk", counters.at_risk, say.pick("15分以内に期限", "Due within 15 min"), view(View::AtRisk), is(View::AtRisk)))
            (tile("", counters.unassigned, say.pick("未割り当て", "Unassigned"), view(View::Unassigned), is(View::Unassigned)))
            (tile("", counters.waiting_for_customer, say.pick("お客様の回答待ち", "Waiting for customers"), view(View::Waiting), is(View::Waiting)))
            (tile("", counters.open, say.pick("対応中 計", "Open in all"), view(View::Open), is(View::Open) && filters.priority.is_none()))
        }
    }
}

fn controls(app: &App, visitor: &Visitor, filters: &Filters, say: Say) -> Markup {
    let views = [
        (View::Open, say.pick("対応中すべて", "All open")),
        (View::Unassigned, say.pick("未割り当て", "Unassigned")),
        (View::Mine, say.pick("自分の担当", "Mine")),
        (View::Closed, say.pick("終了", "Closed")),
    ];
    let tenants: Vec<&Tenant> = app.engine().tenants().filter(|t| visitor.sees(&t.id)).collect();
    html! {
        div.controls {
            div.views role="group" aria-label=(say.pick("表示", "Views")) {
                @for (view, name) in views {
                    a href=(filters.with(|f| f.view = view)) aria-current=[(filters.view == view).then_some("true")] { (name) }
                }
            }
            form.filters method="get" action="/" {
                @if filters.view != View::Open { input type="hidden" name="view" value=(filters.view.name()); }
                @if tenants.len() > 1 {
                    select name="tenant" aria-label=(say.pick("お客様", "Customer")) {
                        option value="" { (say.pick("すべてのお客様", "All customers")) }
                        @for tenant in tenants {
                            option value=(tenant.id) selected[filters.tenant.as_ref() == Some(&tenant.id)] { (say.names(&tenant.name)) }
                        }
                    }
                }
                select name="priority" aria-label=(say.pick("優先度", "Priority")) {
                    option value="" { (say.pick("すべての優先度", "All priorities")) }
                    @for priority in Priority::ALL {
                        option value=(priority.name()) selected[filters.priority == Some(priority)] {
                            (priority.name()) " " (say.text(priority.severity()))
                        }
                    }
                }
                input #filter name="q" type="search" value=(filters.word) maxlength="100" autocomplete="off" spellcheck="false"
                    placeholder=(say.pick("名称・端末・利用者で絞り込む  /", "Name, host or user  /"))
                    aria-label=(say.pick("一覧を絞り込む", "Filter the list"));
                button { (say.pick("絞り込む", "Filter")) }
            }
            button #fresh.fresh type="button" hidden data-one=(say.pick("新着 {n}件を表示", "Show {n} new"))
                data-many=(say.pick("新着 {n}件を表示", "Show {n} new")) {}
        }
    }
}

/// An empty list says why, and what to do next.
fn nothing(filters: &Filters, say: Say) -> Markup {
    let narrowed = filters.tenant.is_some() || filters.priority.is_some() || !filters.word.is_empty();
    let (what, next) = match filters.view {
        _ if narrowed => (
            say.pick("条件に合うインシデントはありません。", "Nothing matches these filters."),
            say.pick("条件を減らすか、「終了」もご確認ください。", "Remove a filter, or look among the closed ones."),
        ),
        View::Open => (
            say.pick("対応中のインシデントはありません。", "No open incidents."),
            say.pick(
                "見張りは続いています。新しいものはここに現れます。",
                "The watch goes on. New ones appear here by themselves.",
            ),
        ),
        View::Mine => (
            say.pick("担当しているインシデントはありません。", "Nothing is assigned to you."),
            say.pick("「未割り当て」から次の一件をお取りください。", "Take the next one from “Unassigned”."),
        ),
        View::Unassigned => (
            say.pick("未割り当てのインシデントはありません。", "Everything has somebody."),
            say.pick("新しいものはここに現れます。", "New ones appear here by themselves."),
        ),
        View::AtRisk | View::Overdue => {
            (say.pick("該当するものはありません。", "None."), say.pick("すべて期限内です。", "All due times are kept."))
        }
        View::Waiting => (
            say.pick("お客様の回答を待っているものはありません。", "No customer's answer is awaited."),
            say.pick("質問を送ると、ここに現れます。", "What you ask appears here."),
        ),
        View::Closed => (
            say.pick("終了したインシデントはまだありません。", "Nothing has been closed yet."),
            say.pick("判定して終了したものが、新しい順に並びます。", "What is closed appears here, newest first."),
        ),
    };
    html! {
        div.empty-queue {
            p { (what) }
            p.hint { (next) }
            @if narrowed { p { a.button href=(Filters { tenant: None, priority: None, word: String::new(), ..filters.clone() }.with(|_| {})) {
                (say.pick("条件を解除する", "Clear the filters"))
            } } }
        }
    }
}

/// What every row needs to be drawn.
struct List<'a> {
    app: &'a App,
    people: std::collections::BTreeMap<PersonId, String>,
    filters: &'a Filters,
    now: Timestamp,
    say: Say,
    me: &'a PersonId,
}

impl List<'_> {
    fn table(&self, rows: &[QueueRow]) -> Markup {
        let say = self.say;
        html! {
            table.queue {
                thead { tr {
                    th.c-p scope="col" { span.unseen { (say.pick("優先度", "Priority")) } }
                    th.c-due scope="col" { @if self.filters.view == View::Closed { (say.pick("更新", "Updated")) } @else { (say.pick("期限", "Due")) } }
                    th.c-id scope="col" { (say.pick("番号", "Number")) }
                    th.c-title scope="col" { (say.pick("内容", "What")) }
                    th.c-tenant scope="col" { (say.pick("お客様", "Customer")) }
                    th.c-host scope="col" { (say.pick("端末", "Host")) }
                    th.c-user scope="col" { (say.pick("利用者", "User")) }
                    th.c-phase scope="col" { (say.pick("状況", "Phase")) }
                    th.c-verdict scope="col" { (say.pick("判定", "Verdict")) }
                    th.c-n scope="col" title=(say.pick("アラート件数", "Number of alerts")) { (say.pick("件数", "Alerts")) }
                    th.c-at scope="col" { (say.pick("受信", "Received")) }
                    th.c-who scope="col" { (say.pick("担当", "Assigned")) }
                } }
                tbody #rows { @for row in rows { (self.row(row)) } }
            }
        }
    }

    fn row(&self, row: &QueueRow) -> Markup {
        let (say, now, summary) = (self.say, self.now, &row.summary);
        let href = format!("/incidents/{}", row.id);
        let tenant = self.app.engine().tenant(&row.tenant);
        let state = due::state(summary.promise, row.due_at, now);
        html! {
            tr #(row.id) data-v=(row.updated_at.as_microsecond()) class=(state) {
                td.c-p { (watch::mark(row.priority)) span { (row.priority.name()) } }
                td.c-due { (self.due(row)) }
                td.c-id { a href=(href) { (row.id) } }
                td.c-title {
                    div.name {
                        @if summary.dfir { span.flag { "DFIR" } " " }
                        (show::foreign(&summary.title, 90))
                        @if summary.troubles > 0 { " " span.flag.trouble title=(say.pick("完了できなかった処理があります", "A job gave up")) { "!" } }
                    }
                    div.rule { (summary.rule) " " (say.text(rules::rule(summary.rule).title)) }
                }
                td.c-tenant { (tenant.map_or(row.tenant.as_str(), |t| say.names(&t.name))) }
                td.c-host title=(summary.host.short(200)) { (show::foreign(&summary.host, 32)) @if summary.hosts > 1 { " " span.plus { "+" (summary.hosts - 1) } } }
                td.c-user title=[summary.user.as_ref().map(|u| u.short(200))] { @if let Some(user) = &summary.user { (show::foreign(&account(user), 40)) } }
                td.c-phase { (say.text(row.phase.text())) }
                td.c-verdict.undetermined[row.verdict == Verdict::Undetermined] { (say.text(row.verdict.text())) }
                td.c-n { (summary.alerts) }
                td.c-at { (show::moment(row.received_at, now)) }
                td.c-who { (self.assigned(row)) }
            }
        }
    }

    fn due(&self, row: &QueueRow) -> Markup {
        let (say, now) = (self.say, self.now);
        if self.filters.view == View::Closed {
            return show::moment(row.updated_at, now);
        }
        due::cell(row.summary.promise, row.due_at, now, say)
    }

    /// Who has it; while nobody has acknowledged, one click does.
    fn assigned(&self, row: &QueueRow) -> Markup {
        let name = row.assigned.as_ref().map(|id| self.people.get(id).map_or(id.as_str(), String::as_str));
        html! {
            @if let Some(name) = name {
                span.who.me[row.assigned.as_ref() == Some(self.me)] { (name) }
            }
            @if row.phase == Phase::Triaged {
                form method="post" action=(format!("/incidents/{}/acknowledge", row.id)) data-quiet {
                    button.small { (self.say.pick("受領", "Acknowledge")) }
                }
            }
        }
    }

    fn foot(&self, found: &Found) -> Markup {
        let say = self.say;
        html! {
            footer.foot {
                (counted(say, found.total))
                @if found.cut {
                    span.hint { (say.pick(format!("期限の近い {SEARCHED} 件の中から絞り込みました。"), format!("Looked among the first {SEARCHED}."))) }
                }
                @if self.filters.word.is_empty() { (pages(say, self.filters, found.total, found.rows.len())) }
                span.as-of { (say.pick("表示時点", "As of")) " " (clock_seconds(self.now)) }
            }
        }
    }
}

/// How many there are. Nobody counts further than `Queue::COUNTED_TO`, and then the page says so.
fn counted(say: Say, total: u64) -> Markup {
    html! {
        span {
            (say.count(total, "件", "incident", "incidents"))
            @if total >= Queue::COUNTED_TO { (say.pick("以上", " or more")) }
        }
    }
}

/// Turns to the pages around this one, also beyond what was counted, as long as pages are full.
fn pages(say: Say, filters: &Filters, total: u64, shown: usize) -> Markup {
    let page = filters.page;
    let pages = usize::try_from(total).unwrap_or(usize::MAX).div_ceil(PAGE).max(page);
    let uncounted = total >= Queue::COUNTED_TO;
    let more = page < pages || (uncounted && shown == PAGE);
    let turn = |to: usize, text: &str| html! { a href=(format!("/{}", Filters { page: to, ..filters.clone() }.search())) { (text) } };
    html! {
        @if pages > 1 {
            span.pages {
                @if page > 1 { (turn(page - 1, say.pick("前へ", "Previous"))) }
                " " (page) " / " (pages) @if uncounted { "+" } " "
                @if more { (turn(page + 1, say.pick("次へ", "Next"))) }
            }
        }
    }
}

/// `sato.kenji` of `HOSHIMI\sato.kenji`: the column is narrow, and its title tells the whole.
fn account(user: &Untrusted) -> Untrusted {
    match user.for_matching().rsplit_once('\\') {
        Some((_, name)) if !name.trim().is_empty() => Untrusted::new(name),
        _ => user.clone(),
    }
}

fn clock_seconds(at: Timestamp) -> String {
    in_japan(at).strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_typed() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let wanted = IncidentId { year: 2026, number: 123 };
        for typed in
            ["INC-2026-000123", " inc-2026-123 ", "123", "2026-000123", "ＩＮＣ－２０２６－０００１２３", "１２３"]
        {
            assert_eq!(number(typed, now), Some(wanted), "{typed}");
        }
        for typed in ["", "WS-017", "12 3", "-5", "+5", "9999999999"] {
            assert_eq!(number(typed, now), None, "{typed}");
        }
    }

    #[test]
    fn a_user_is_called_by_the_account_and_never_by_nothing() {
        for (user, shown) in [("CORP\\h.tanaka", "h.tanaka"), ("root", "root"), ("CORP\\", "CORP\\"), ("a\\b\\c", "c")]
        {
            assert_eq!(account(&Untrusted::new(user)), Untrusted::new(shown));
        }
    }

    #[test]
    fn whoever_has_more_than_can_be_counted_is_told_so_and_can_turn_on() {
        let say = Say(domain::Language::En);
        assert!(!counted(say, 9_999).into_string().contains("more"));
        assert!(counted(say, Queue::COUNTED_TO).into_string().contains("10000 incidents or more"));
        let last_counted = usize::try_from(Queue::COUNTED_TO).unwrap().div_ceil(PAGE);
        let at = |page, shown| {
            let filters = Filters { page, ..Filters::of(&Asked::default()) };
            pages(say, &filters, Queue::COUNTED_TO, shown).into_string()
        };
        assert!(at(last_counted, PAGE).contains(&format!("page={}", last_counted + 1)));
        assert!(at(last_counted + 5, PAGE).contains(&format!("page={}", last_counted + 6)));
        assert!(!at(last_counted + 5, PAGE - 1).contains("Next"));
    }
}
