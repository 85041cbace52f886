//! How well the promises were kept in a period: attainment, times, and behind every number the incidents it is made of.
//!
//! What counts is said by `domain::attainment`; this page selects, groups and draws. Filters live in the address, so that a
//! page can be kept as it was. Nothing here is for customers: their report has words of its own.

mod asked;
mod behind;
mod chart;
mod tables;

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Html;
use domain::attainment::{Attainment, Measured, Sheet, Standing, Target};
use domain::tenant::Tenant;
use domain::{Priority, SiteId, Timestamp};
use maud::{Markup, html};

use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, show};

pub(crate) use asked::Asked;
use asked::{Behind, Filters, Period, Site};
pub(crate) use behind::page as behind;

/// The cycles that a page is about, with what is needed to name them.
struct Read<'a> {
    app: &'a App,
    filters: Filters,
    rows: Vec<Measured>,
    /// More than can be counted: then nothing is.
    cut: bool,
    tenants: Vec<&'a Tenant>,
    now: Timestamp,
    say: Say,
}

impl<'a> Read<'a> {
    async fn of(app: &'a App, visitor: &Visitor, asked: &Asked) -> Result<Self, Fault> {
        let now = app.now();
        let filters = Filters::of(asked, now);
        let cycles = app.engine().store().cycles(visitor.scope(), &filters.period()).await?;
        let roster = app.engine().roster();
        let rows =
            cycles.rows.into_iter().filter(|row| filters.site.as_ref().is_none_or(|site| site.holds(row, roster)));
        let tenants = app.engine().tenants().filter(|tenant| visitor.sees(&tenant.id)).collect();
        Ok(Self { rows: rows.collect(), cut: cycles.cut, app, filters, tenants, now, say: visitor.say() })
    }

    fn customer(&self, row: &Measured) -> String {
        let known = self.tenants.iter().find(|tenant| tenant.id == row.tenant);
        known.map_or_else(|| row.tenant.to_string(), |tenant| self.say.names(&tenant.name).to_owned())
    }

    fn site(&self, row: &Measured) -> Option<&'a domain::oncall::Site> {
        row.acknowledged_by.as_ref().and_then(|by| self.app.engine().roster().site_of(by))
    }

    fn sheet(&self) -> Sheet {
        Sheet::of(&self.rows, self.now)
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Fault> {
    let read = Read::of(&app, &visitor, &asked).await?;
    let say = read.say;
    let title = say.pick("目標の達成状況", "Targets and times");
    let body = html! {
        article.figures {
            h1 { (title) }
            p.lead { (say.pick(
                "期間内に計時を開始したもの（受信・再開）を数えます。数字を選ぶと、その内訳のインシデントと、期限の計算根拠を確認できます。",
                "What began to be timed in the period, by receipt or reopening. Every number leads to the incidents it is made of, and each of them to the proof of its due time.",
            )) }
            (form(&read))
            p.as-of { (read.filters.named(say)) " · " (say.pick("集計時点 ", "as of ")) (show::second(read.now)) " JST" }
            @if read.cut { (too_many(say)) }
            @else if read.rows.is_empty() {
                p.empty { (say.pick("この条件に当てはまるものはありません。", "Nothing began in this period.")) }
            } @else { (all(&read)) }
        }
    };
    let place = Place::Figures(format!("/figures{}", read.filters.search()));
    layout::page(&app, &visitor, &place, title, body).await
}

fn all(read: &Read<'_>) -> Markup {
    let (say, sheet) = (read.say, read.sheet());
    html! {
        div.pair {
            @for target in [Target::FirstResponse, Target::Analysis] {
                section.promise {
                    h2 { (say.text(target.text())) }
                    (headline(read, target, sheet.target(target)))
                    (chart::by_day(read, target))
                }
            }
        }
        section { (tables::readings(read, &sheet)) }
        section { (tables::times(read, &sheet)) }
        section { (tables::by_priority(read)) }
        section { (tables::by_customer(read)) }
        @if !read.app.engine().roster().sites.is_empty() { section { (tables::by_site(read)) } }
        (definitions(say))
    }
}

/// The one number that everybody looks for, with what it is of.
fn headline(read: &Read<'_>, target: Target, of: &Attainment) -> Markup {
    let say = read.say;
    html! {
        p.headline {
            @match of.percent() {
                Some(percent) => { b.percent { (percent) small { "%" } } },
                None => { b.percent { "–" } },
            }
            span.of {
                "n = " (number(read, target, None, of.n()))
                @if of.is_few() { " " span.few { (say.pick("件数が少なく、割合は参考値です", "few: read the percentage with care")) } }
            }
        }
        ul.standings {
            @for standing in Standing::ALL {
                @let n = of.count(standing);
                @if n > 0 || standing.counts() {
                    li.(standing.name()) {
                        (say.text(standing.text())) " " (number(read, target, Some(standing), n))
                        @if standing == Standing::Missed && of.overdue > 0 {
                            " " span.n { (say.pick(format!("うち未対応 {}", of.overdue), format!("{} of them still open", of.overdue))) }
                        }
                    }
                }
            }
        }
    }
}

/// A count that leads to what was counted.
fn number(read: &Read<'_>, target: Target, standing: Option<Standing>, n: u64) -> Markup {
    linked(&read.filters, Behind::Target(target, standing), n)
}

fn linked(filters: &Filters, behind: Behind, n: u64) -> Markup {
    html! {
        @if n == 0 { span.zero { "0" } }
        @else { a href=(format!("/figures/incidents{}", filters.search_behind(behind))) { (n) } }
    }
}

fn form(read: &Read<'_>) -> Markup {
    let (say, filters) = (read.say, &read.filters);
    let option = |value: &str, chosen: bool, text: &str| {
        html! { option value=(value) selected[chosen] { (text) } }
    };
    let own = matches!(filters.period, Period::Own(..));
    let (from, to) = filters.days();
    html! {
        form.filters method="get" action="/figures" {
            label { span { (say.pick("期間", "Period")) }
                select name="period" {
                    @for period in Period::CHOICES {
                        (option(period.name(), filters.period == period, say.text(period.text())))
                    }
                    (option("own", own, say.pick("日付を指定", "From – to")))
                }
            }
            label { span { (say.pick("開始日", "From")) } input type="date" name="from" value=(from); }
            label { span { (say.pick("終了日", "To")) } input type="date" name="to" value=(to); }
            label { span { (say.pick("お客様", "Customer")) }
                select name="tenant" {
                    (option("", filters.tenant.is_none(), say.pick("すべて", "All")))
                    @for tenant in &read.tenants {
                        (option(tenant.id.as_str(), filters.tenant.as_ref() == Some(&tenant.id), say.names(&tenant.name)))
                    }
                }
            }
            label { span { (say.pick("優先度", "Priority")) }
                select name="priority" {
                    (option("", filters.priority.is_none(), say.pick("すべて", "All")))
                    @for priority in Priority::ALL {
                        (option(priority.name(), filters.priority == Some(priority), priority.name()))
                    }
                }
            }
            @let sites = &read.app.engine().roster().sites;
            @if !sites.is_empty() {
                label { span { (say.pick("拠点", "Site")) }
                    select name="site" {
                        (option("", filters.site.is_none(), say.pick("すべて", "All")))
                        @for site in sites {
                            (option(site.id.as_str(), filters.site == Some(Site::At(site.id.clone())), say.names(&site.name)))
                        }
                        (option(Site::NONE, filters.site == Some(Site::Nowhere), say.pick("なし", "None")))
                    }
                }
            }
            button { (say.pick("表示", "Show")) }
        }
    }
}

fn too_many(say: Say) -> Markup {
    let most = store::Cycles::MOST;
    html! {
        p.refused { (say.pick(
            format!("{most}件を超えるため、集計できません。期間かお客様を絞ってください。一部だけを数えた割合は表示しません。"),
            format!("There are more than {most}. Narrow the period or the customer: no percentage is shown of a part."),
        )) }
    }
}

fn definitions(say: Say) -> Markup {
    html! {
        section.definitions {
            h2 { (say.pick("数え方", "How it is counted")) }
            ul {
                li { (say.pick(
                    "達成率＝目標内 ÷（目標内＋目標超過）。小数第1位未満は切り捨て。期限を過ぎて未対応のものは目標超過に含みます。",
                    "Attainment is met ÷ (met + missed), rounded down to a tenth. What is past its time and still open is missed.",
                )) }
                li { (say.pick(
                    "計時中・一時停止中・対象外（初回フルディスクスキャン）・期限なし・再計時は、分母に含みません。",
                    "Running, paused, not counted (the storm of a first full-disk scan), no due time and started anew are in no denominator.",
                )) }
                li { (say.pick(
                    "時間は受信からの経過時間で、夜間・休日・一時停止を含みます。期限は契約の時間帯で計算するため、経過時間とは一致しません。",
                    "Times are elapsed from the receipt: nights, holidays and pauses are in them. Due times are in the contract's hours and are another measure.",
                )) }
                li { (say.pick(
                    "百分位数は最近順位法によるもので、必ず実測値です。",
                    "Percentiles are by nearest rank, so each is a time that was measured.",
                )) }
                li { (say.pick(
                    "優先度はその計時中で最も高いもの、拠点は受領した担当者の拠点です。",
                    "The priority is the gravest of the cycle; the site is that of the person who acknowledged.",
                )) }
            }
        }
    }
}

/// The rows by some key, each group's figures with the filters that show it alone.
fn grouped<K: Ord>(read: &Read<'_>, key: impl Fn(&Measured) -> K) -> BTreeMap<K, Sheet> {
    let mut groups: BTreeMap<K, Vec<&Measured>> = BTreeMap::new();
    for row in &read.rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups.into_iter().map(|(key, rows)| (key, Sheet::of(rows, read.now))).collect()
}

fn site_of(read: &Read<'_>, row: &Measured) -> Option<SiteId> {
    read.site(row).map(|site| site.id.clone())
}
