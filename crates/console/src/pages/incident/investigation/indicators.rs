//! Indicators: what lists and sources say of each, and on which endpoints a search found them.
//!
//! *Known as bad*, *not known* and *could not ask* stay apart: not known is never clean.

use std::cmp::Reverse;

use domain::Untrusted;
use domain::evidence::{Inquiry, Looked, Origin, Search, Sweep, SweepHit};
use domain::ioc::{Answer, Ioc, ListBasis, ListHit, Outcome};
use maud::{Markup, html};

use super::{Investigation, Room, Sort, left_out, rows, window};
use crate::say::Say;
use crate::show;

const ROOM: usize = 200_000;
const MOST: usize = 150;
const MAX_LISTS: usize = 6;
const MAX_ANSWERS: usize = 6;
const MAX_HOSTS: usize = 20;
const MAX_FAILED: usize = 10;

const INDICATORS: Sort = |inquiry| *inquiry == Inquiry::Indicators;
const SWEEP: Sort = |inquiry| *inquiry == Inquiry::Sweep;

pub(super) fn part(it: &Investigation<'_>) -> Markup {
    let (say, findings) = (it.say, it.findings);
    let mut looked: Vec<&Looked> = findings.indicators.iter().collect();
    looked.sort_by_key(|l| (Reverse(l.is_bad()), Reverse(found_on(findings.sweep.as_ref(), &l.ioc).next().is_some())));
    let (list, left) = rows(&looked, MOST, &mut Room(ROOM), |looked| row(it, looked));
    let body = html! {
        h4 { (say.pick("IOC と情報源の回答", "Indicators and what sources say")) }
        (it.standing(INDICATORS))
        @if !looked.is_empty() {
            p.hint { (say.pick(
                "「記録なし」は、無害であることを示すものではありません。",
                "That a source has no record does not mean that a thing is clean.",
            )) }
        }
        ul.iocs { (list) }
        (left_out(left, say))
        h4 { (say.pick("全端末での検索", "Search on all endpoints")) }
        (it.standing(SWEEP))
        @if let Some(sweep) = &findings.sweep { (searched(sweep, say)) }
    };
    it.part("part-indicators", say.pick("IOC", "Indicators"), looked.len(), false, &[], &body)
}

fn row(it: &Investigation<'_>, looked: &Looked) -> Markup {
    let say = it.say;
    let (class, standing) = standing(looked, say);
    let mut hits = found_on(it.findings.sweep.as_ref(), &looked.ioc).peekable();
    html! {
        li.(class) {
            p.line {
                span.sign aria-hidden="true" {}
                span.kind { (looked.ioc.kind().name()) }
                (show::folded(&Untrusted::new(&looked.ioc.value()), 120))
                span.hint { (looked.pap) }
                b.came { (standing) }
            }
            p.hint { (origins(&looked.origins, say)) }
            @for hit in looked.lists.iter().take(MAX_LISTS) { p.said { (listed(hit, say)) } }
            @if looked.lists.len() > MAX_LISTS { p.hint { "+ " (looked.lists.len() - MAX_LISTS) } }
            @for answer in looked.answers.iter().take(MAX_ANSWERS) { (answered(answer, say)) }
            @if looked.lists.is_empty() && looked.answers.is_empty() {
                p.said.hint { (say.pick("どのリストにもなく、照会した情報源もありません。", "On no list, and no source was asked.")) }
            }
            @if hits.peek().is_some() { ul.hits { @for hit in hits.take(MAX_HOSTS) { (found(hit, say)) } } }
        }
    }
}

/// The weightiest that can be said of it.
fn standing(looked: &Looked, say: Say) -> (&'static str, &'static str) {
    if looked.is_bad() {
        ("bad", say.pick("悪性の情報あり", "Known as bad"))
    } else if looked.has_gap() {
        ("gap", say.pick("照会できない情報源あり", "A source could not be asked"))
    } else if looked.lists.iter().any(|hit| hit.warning) {
        ("nothing", say.pick("一般的な値", "Common"))
    } else {
        ("nothing", say.pick("悪性の情報なし（無害とは限らない）", "Nothing bad known, which does not mean clean"))
    }
}

fn origins(origins: &[Origin], say: Say) -> String {
    let alerts = origins.iter().filter(|origin| matches!(origin, Origin::Alert(_))).count();
    let records = origins.len() - alerts;
    say.pick(
        format!("出所：アラート {alerts} 件、端末の記録 {records} 件"),
        format!("Seen in {alerts} alerts and {records} records"),
    )
}

fn listed(hit: &ListHit, say: Say) -> Markup {
    html! {
        @if hit.warning { span.flag.trouble { (say.pick("一般的な値のリスト", "List of common things")) } }
        @else { b { (say.pick("リスト掲載", "Listed")) } }
        " " (show::dead(&Untrusted::new(&hit.list), 60))
        @if let Some(label) = &hit.label { " · " (show::dead(label, 80)) }
        span.hint {
            " · " (basis(hit.basis, say))
            @if let Some(seen) = hit.first_seen { " · " (say.pick("初出", "first seen")) " " (show::second(seen)) }
            " · " (say.pick("取込", "imported")) " " (show::second(hit.imported_at))
        }
    }
}

fn basis(basis: ListBasis, say: Say) -> &'static str {
    match basis {
        ListBasis::Exact => say.pick("完全一致", "exact"),
        ListBasis::ParentDomain => say.pick("上位ドメインが一致", "a domain above it"),
        ListBasis::Host => say.pick("URLのホストが一致", "the host of the URL"),
        ListBasis::Network => say.pick("アドレス範囲に含まれる", "an address range"),
        ListBasis::Pattern => say.pick("パターンに一致", "a pattern"),
    }
}

fn answered(answer: &Answer, say: Say) -> Markup {
    let class = match &answer.outcome {
        Outcome::CouldNotAsk(_) => "gap",
        Outcome::NotKnown => "nothing",
        Outcome::Known(_) if answer.says_malicious() => "bad",
        Outcome::Known(_) => "found",
    };
    html! {
        p.said.(class) {
            span.sign aria-hidden="true" {}
            (say.text(answer.source.name())) (say.pick("：", ": ")) (answer.outcome.summary(say.0))
            @if let Outcome::Known(known) = &answer.outcome {
                @for label in known.labels.iter().take(3) { " · " (show::dead(label, 60)) }
            }
            span.hint { " · " (say.pick("照会", "asked")) " " (show::second(answer.asked_at)) }
        }
    }
}

fn found_on<'a>(sweep: Option<&'a Sweep>, ioc: &Ioc) -> impl Iterator<Item = &'a SweepHit> {
    sweep.into_iter().flat_map(Sweep::hits).filter(move |hit| hit.ioc == *ioc)
}

fn found(hit: &SweepHit, say: Say) -> Markup {
    html! {
        li {
            (say.pick("端末で検出", "Found on")) " " b { (show::foreign(&hit.host, 60)) } " ×" (hit.count)
            @if let (Some(first), Some(last)) = (hit.first, hit.last) {
                span.hint { " · " (show::second(first)) @if last != first { " – " (show::second(last)) } }
            }
        }
    }
}

/// How far the search reached, and what of it failed: without that, "nowhere" means nothing.
fn searched(sweep: &Sweep, say: Say) -> Markup {
    let failed: Vec<&Search> = sweep.searches.iter().filter(|search| search.failed.is_some()).collect();
    let looked_for: usize = sweep.searches.iter().map(|search| search.iocs.len()).sum();
    let hosts: std::collections::BTreeSet<&Untrusted> = sweep.hits().map(|hit| &hit.host).collect();
    html! {
        dl.facts {
            dt { (say.pick("対象期間", "Window")) } dd { (window(sweep.window)) }
            dt { (say.pick("対象端末", "Endpoints")) }
            dd { (say.pick(
                format!("オンライン {}／全 {} 台", sweep.agents_online, sweep.agents_total),
                format!("{} online of {}", sweep.agents_online, sweep.agents_total),
            )) }
            dt { (say.pick("検索した IOC", "Indicators")) } dd { (looked_for) }
            dt { (say.pick("検出した端末", "Found on")) }
            dd {
                @if hosts.is_empty() { (say.pick("検索できた範囲では該当なし", "Nowhere, as far as the search reached")) }
                @for (n, host) in hosts.iter().take(MAX_HOSTS).enumerate() { @if n > 0 { ", " } (show::foreign(host, 40)) }
                @if hosts.len() > MAX_HOSTS { " + " (hosts.len() - MAX_HOSTS) }
            }
        }
        @for search in failed.iter().take(MAX_FAILED) {
            p.standing.gap {
                b { (say.pick("検索できず", "Not searched for")) } " "
                @for (n, ioc) in search.iocs.iter().take(5).enumerate() {
                    @if n > 0 { ", " } code { (show::dead(&Untrusted::new(&ioc.value()), 70)) }
                }
                @if search.iocs.len() > 5 { " + " (search.iocs.len() - 5) }
                @if let Some(why) = &search.failed { " · " (show::dead(why, 200)) }
            }
        }
        @if failed.len() > MAX_FAILED { p.hint { "+ " (failed.len() - MAX_FAILED) } }
    }
}
