//! Day by day: what met its target stands above the line, what missed it hangs below, what is still open is an outline.
//!
//! Drawn on the server; a column leads to the day's figures. The scale is the same above and below.

use std::collections::BTreeMap;

use domain::attainment::{Standing, Target};
use domain::calendar::in_japan;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};

use super::{Period, Read};

/// Of the columns, in pixels.
const HEIGHT: f64 = 88.0;
/// So that one missed among hundreds is seen.
const LEAST: f64 = 3.0;

#[derive(Debug, Clone, Copy, Default)]
struct Day {
    met: u32,
    missed: u32,
    open: u32,
}

pub(super) fn by_day(read: &Read<'_>, target: Target) -> Markup {
    let say = read.say;
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    let (from, to) = read.filters.days();
    let mut next = Some(from);
    while let Some(day) = next.filter(|day| *day <= to) {
        days.insert(day, Day::default());
        next = day.checked_add(1.day()).ok();
    }
    for row in &read.rows {
        let day = days.entry(in_japan(row.started).date()).or_default();
        match row.standing(target, read.now) {
            Standing::Met => day.met += 1,
            Standing::Missed => day.missed += 1,
            Standing::Running | Standing::Paused => day.open += 1,
            Standing::Excluded | Standing::Unpromised | Standing::Renewed => {}
        }
    }
    let above = days.values().map(|day| day.met + day.open).max().unwrap_or_default().max(1);
    let below = days.values().map(|day| day.missed).max().unwrap_or_default();
    let unit = HEIGHT / f64::from(above + below);
    let base = f64::from(above) * unit + 4.0;
    let width = 100.0 / days.len().max(1) as f64;
    html! {
        svg.days width="100%" height="124" role="group"
            aria-label=(say.pick("日別の目標内（上）と目標超過（下）", "Day by day: met above the line, missed below")) {
            @for (n, (date, day)) in days.iter().enumerate() {
                @let x = n as f64 * width;
                @let own = read.filters.with(|f| f.period = Period::Own(*date, *date));
                @let said = say.pick(
                    format!("{date} 目標内 {} · 目標超過 {} · 未了 {}", day.met, day.missed, day.open),
                    format!("{date}: {} met, {} missed, {} open", day.met, day.missed, day.open),
                );
                a href=(format!("/figures{}", own.search())) aria-label=(said) {
                    title { (said) }
                    rect.reach x=(percent(x)) width=(percent(width)) y="0" height="100" {}
                    (bar("met", x, width, base - height(day.met, unit), height(day.met, unit)))
                    (bar("open", x, width, base - height(day.met, unit) - height(day.open, unit), height(day.open, unit)))
                    (bar("missed", x, width, base, height(day.missed, unit)))
                }
                @if labelled(n, days.len()) {
                    text x=(percent(x + width / 2.0)) y="118" text-anchor=(anchor(n, days.len())) { (date.strftime("%m-%d")) }
                }
            }
            line.base x1="0" x2="100%" y1=(format!("{base:.1}")) y2=(format!("{base:.1}")) {}
        }
    }
}

fn bar(class: &str, x: f64, width: f64, y: f64, height: f64) -> Markup {
    // A gap of a sixth between neighbours, and no column wider than a finger.
    let gap = width / 6.0;
    let drawn = (width - 2.0 * gap).min(3.0);
    let x = x + (width - drawn) / 2.0;
    html! {
        @if height > 0.0 {
            rect.(class) x=(percent(x)) width=(percent(drawn)) y=(format!("{y:.1}")) height=(format!("{height:.1}")) {}
        }
    }
}

fn height(count: u32, unit: f64) -> f64 {
    if count == 0 { 0.0 } else { (f64::from(count) * unit).max(LEAST) }
}

fn percent(x: f64) -> String {
    format!("{x:.3}%")
}

/// The first, the last, and about four between them: they fit on a phone, too.
fn labelled(n: usize, days: usize) -> bool {
    let every = days.div_ceil(5).max(1);
    n + 1 == days || (n.is_multiple_of(every) && n + every <= days)
}

fn anchor(n: usize, days: usize) -> &'static str {
    match n {
        _ if days < 4 => "middle",
        0 => "start",
        n if n + 1 == days => "end",
        _ => "middle",
    }
}
