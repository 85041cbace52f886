//! The tables of the figures: readings, times, and the targets by priority, customer and site.

use domain::attainment::{Attainment, Sheet, Span, Standing, Target};
use domain::{Priority, SiteId, TenantId};
use jiff::SignedDuration;
use maud::{Markup, html};

use super::{Behind, Filters, Read, Site, grouped, linked, site_of};
use crate::say::Say;
use crate::{show, watch};

/// Both readings of a first response, and which of them the contracts count.
pub(super) fn readings(read: &Read<'_>, sheet: &Sheet) -> Markup {
    let say = read.say;
    let counted =
        |target| if target == Target::ByAck { sheet.counted_by_ack } else { sheet.cycles - sheet.counted_by_ack };
    html! {
        h2 { (say.pick("初動対応の二つの数え方", "Two readings of a first response")) }
        table.plain.numbers {
            thead { tr {
                th { (say.pick("数え方", "Reading")) }
                th { (say.pick("達成率", "Attainment")) }
                th { "n" } th { (say.text(Standing::Met.text())) } th { (say.text(Standing::Missed.text())) }
                th { (say.pick("契約上こちらで数えるもの", "Contracts that count this one")) }
            } }
            tbody { @for target in [Target::ByAck, Target::ByNotice] {
                @let of = sheet.target(target);
                tr {
                    td data-name { (say.text(target.text())) }
                    (cell(say.pick("達成率", "Attainment"), &html! { (percent(of.percent(), of.is_few(), say)) }))
                    (cell("n", &linked(&read.filters, Behind::Target(target, None), of.n())))
                    @for standing in [Standing::Met, Standing::Missed] {
                        (cell(say.text(standing.text()), &linked(&read.filters, Behind::Target(target, Some(standing)), of.count(standing))))
                    }
                    (cell(say.pick("契約", "Contracts"), &html! { (say.count(counted(target), "件", "cycle", "cycles")) }))
                }
            } }
        }
    }
}

/// Elapsed times from receipt.
pub(super) fn times(read: &Read<'_>, sheet: &Sheet) -> Markup {
    let say = read.say;
    html! {
        h2 { (say.pick("受信からの経過時間", "Elapsed from receipt")) }
        table.plain.numbers {
            thead { tr {
                th { (say.pick("区間", "Span")) }
                th { "n" } th { (say.pick("中央値", "Median")) } th { "p90" } th { "p95" } th { (say.pick("平均", "Mean")) }
            } }
            tbody { @for span in Span::ALL {
                @let of = sheet.span(span);
                tr {
                    td data-name { (say.text(span.text())) @if of.n() > 0 && of.is_few() { " " (few(say)) } }
                    (cell("n", &linked(&read.filters, Behind::Span(span), of.n())))
                    (cell(say.pick("中央値", "Median"), &lasting(of.median(), say)))
                    (cell("p90", &lasting(of.percentile(90), say)))
                    (cell("p95", &lasting(of.percentile(95), say)))
                    (cell(say.pick("平均", "Mean"), &lasting(of.mean(), say)))
                }
            } }
        }
    }
}

pub(super) fn by_priority(read: &Read<'_>) -> Markup {
    let groups = grouped(read, |row| row.priority);
    let line = |(priority, sheet): (&Priority, &Sheet)| {
        let name = html! { (watch::mark(*priority)) (priority.name()) };
        line(read, &read.filters.with(|f| f.priority = Some(*priority)), &name, sheet)
    };
    html! {
        h2 { (read.say.pick("優先度別", "By priority")) }
        (targets(read.say, read.say.pick("優先度", "Priority"), &html! { @for group in &groups { (line(group)) } }))
    }
}

pub(super) fn by_customer(read: &Read<'_>) -> Markup {
    let groups = grouped(read, |row| (read.customer(row), row.tenant.clone()));
    let line = |((name, id), sheet): (&(String, TenantId), &Sheet)| {
        line(read, &read.filters.with(|f| f.tenant = Some(id.clone())), &html! { (name) }, sheet)
    };
    html! {
        h2 { (read.say.pick("お客様別", "By customer")) }
        (targets(read.say, read.say.pick("お客様", "Customer"), &html! { @for group in &groups { (line(group)) } }))
    }
}

pub(super) fn by_site(read: &Read<'_>) -> Markup {
    let (say, groups) = (read.say, grouped(read, |row| site_of(read, row)));
    let line = |(id, sheet): (&Option<SiteId>, &Sheet)| {
        let site = id.clone().map_or(Site::Nowhere, Site::At);
        let known = read.app.engine().roster().sites.iter().find(|site| Some(&site.id) == id.as_ref());
        let name = known.map_or(
            say.pick("なし（未受領・当番表外）", "None: not taken, or by nobody on the roster"),
            |s| say.names(&s.name),
        );
        line(read, &read.filters.with(|f| f.site = Some(site)), &html! { (name) }, sheet)
    };
    html! {
        h2 { (say.pick("拠点別（受領した担当者）", "By site of who acknowledged")) }
        (targets(say, say.pick("拠点", "Site"), &html! { @for group in &groups { (line(group)) } }))
    }
}

fn targets(say: Say, of: &str, lines: &Markup) -> Markup {
    html! {
        table.plain.numbers.targets {
            thead {
                tr {
                    th rowspan="2" { (of) } th rowspan="2" { (say.pick("件数", "Cycles")) }
                    @for target in [Target::FirstResponse, Target::Analysis] { th.group colspan="4" { (say.text(target.text())) } }
                    th.group rowspan="2" { (say.pick("受領まで（中央値）", "To acknowledgement, median")) }
                    th rowspan="2" { (say.pick("終了まで（中央値）", "To closing, median")) }
                }
                tr { @for _ in 0..2 {
                    th.group { (say.pick("達成率", "Attainment")) } th { "n" }
                    th { (say.text(Standing::Missed.text())) } th { (say.pick("未了", "Open")) }
                } }
            }
            tbody { (lines) }
        }
    }
}

fn line(read: &Read<'_>, filters: &Filters, name: &Markup, sheet: &Sheet) -> Markup {
    let say = read.say;
    html! {
        tr {
            td data-name { a href=(format!("/figures{}", filters.search())) { (name) } }
            (cell(say.pick("件数", "Cycles"), &linked(filters, Behind::All, sheet.cycles)))
            @for target in [Target::FirstResponse, Target::Analysis] {
                @let of = sheet.target(target);
                td.group data-label=(say.text(target.text())) { (percent(of.percent(), of.is_few(), say)) }
                (cell("n", &linked(filters, Behind::Target(target, None), of.n())))
                td.missed[of.count(Standing::Missed) > 0] data-label=(say.text(Standing::Missed.text())) {
                    (linked(filters, Behind::Target(target, Some(Standing::Missed)), of.count(Standing::Missed)))
                }
                td data-label=(say.pick("未了", "Open")) { (open(filters, target, of, say)) }
            }
            td.group data-label=(say.text(Span::ToAcknowledged.text())) { (lasting(sheet.span(Span::ToAcknowledged).median(), say)) }
            (cell(say.text(Span::ToClosed.text()), &lasting(sheet.span(Span::ToClosed).median(), say)))
        }
    }
}

/// What still runs, and what waits for the customer.
fn open(filters: &Filters, target: Target, of: &Attainment, say: Say) -> Markup {
    let shown = |standing| linked(filters, Behind::Target(target, Some(standing)), of.count(standing));
    let (running, paused) = (of.count(Standing::Running), of.count(Standing::Paused));
    html! {
        @if running > 0 || paused == 0 { (shown(Standing::Running)) }
        @if running > 0 && paused > 0 { " + " }
        @if paused > 0 { (shown(Standing::Paused)) " " span.n { (say.pick("停止", "paused")) } }
    }
}

/// A cell that names its column where the head of the table is not shown.
fn cell(label: &str, content: &Markup) -> Markup {
    html! { td data-label=(label) { (content) } }
}

fn percent(percent: Option<String>, few: bool, say: Say) -> Markup {
    html! {
        @match percent {
            Some(percent) => { b { (percent) " %" } @if few { " " (self::few(say)) } },
            None => { span.zero { "–" } },
        }
    }
}

fn few(say: Say) -> Markup {
    html! { span.few title=(say.pick("20件未満：割合は参考値です", "Fewer than 20: read with care")) { (say.pick("少数", "few")) } }
}

fn lasting(span: Option<SignedDuration>, say: Say) -> Markup {
    html! { @match span { Some(span) => { (show::span(span, say)) }, None => { span.zero { "–" } } } }
}
