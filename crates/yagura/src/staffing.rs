//! `yagura staffing`: how many analysts hold the targets. Plays the worlds of `yagura simulate` without faults, for each
//! number of analysts on duty, and counts first responses in time. How it plays them is the `simulation` crate's business.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;
use simulation::ServiceTime;
use simulation::staffing::{Held, Load, Share, hold};

use crate::output::{say, say_json};

/// More than anybody has on duty.
const MOST: usize = 200;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Analysts on duty in business hours, as `4` or `1..6`, both ends included
    #[arg(long, default_value = "1..6", value_parser = range)]
    analysts: Range,
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    customers: u16,
    /// For each customer
    #[arg(long, default_value_t = 10)]
    alerts_per_day: u32,
    /// Virtual days with alerts, from a day drawn with the seed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Worlds for each number of analysts, the same for all numbers
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Mean minutes that one incident keeps an analyst busy; exponentially distributed
    #[arg(long, default_value_t = 12.0)]
    service_minutes: f64,
    /// Percent of first responses to P0 that have to be in time
    #[arg(long, default_value_t = 99.5)]
    target: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy)]
struct Range {
    from: usize,
    to: usize,
}

#[derive(Debug, Serialize)]
struct Answer {
    target_percent: f64,
    /// The smallest number whose share of P0 reaches the target.
    holds: Option<usize>,
    /// The smallest number whose whole interval lies above it: enough was played to be sure.
    surely_holds: Option<usize>,
    attainment: Vec<Row>,
    customers: u16,
    alerts_per_day: u32,
    days: u32,
    seeds: u64,
    service_minutes: f64,
    service_distribution: &'static str,
}

#[derive(Debug, Serialize)]
struct Row {
    analysts: usize,
    p0: Figure,
    others: Figure,
}

#[derive(Debug, Serialize)]
struct Figure {
    n: u64,
    percent: Option<f64>,
    /// 95 %, by Wilson, in percent.
    interval: [f64; 2],
}

pub(crate) async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let json = options.json;
    // A story has a runtime of its own, which must not stand inside this one.
    let answer = tokio::task::spawn_blocking(move || play(&options)).await.context("the simulation ended early")??;
    if json {
        say_json(&answer)?;
    } else {
        print(&answer);
    }
    Ok(if answer.holds.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn play(options: &Options) -> anyhow::Result<Answer> {
    let service = ServiceTime { mean_seconds: seconds(options.service_minutes)? };
    anyhow::ensure!((0.0..=100.0).contains(&options.target), "`--target` is a percentage, as 99.5");
    let (customers, alerts_per_day, days) = (options.customers, options.alerts_per_day, options.days);
    let load = Load { customers: customers.into(), alerts_per_day, days, service };
    let mut rows = Vec::new();
    for analysts in options.analysts.from..=options.analysts.to {
        let held = hold(analysts, &load, 1..=options.seeds)?;
        let _ = writeln!(io::stderr(), "{analysts} analysts: {} of {} P0 in time", held.p0.met, held.p0.n);
        rows.push(held);
    }
    let first = |holds: &dyn Fn(&Held) -> bool| rows.iter().find(|held| holds(held)).map(|held| held.analysts);
    Ok(Answer {
        target_percent: options.target,
        holds: first(&|held| held.p0.percent().is_some_and(|percent| percent >= options.target)),
        surely_holds: first(&|held| held.p0.low * 100.0 >= options.target),
        attainment: rows.iter().map(Row::from).collect(),
        customers,
        alerts_per_day,
        days,
        seeds: options.seeds,
        service_minutes: options.service_minutes,
        service_distribution: "exponential",
    })
}

impl From<&Held> for Row {
    fn from(held: &Held) -> Self {
        Self { analysts: held.analysts, p0: held.p0.into(), others: held.others.into() }
    }
}

impl From<Share> for Figure {
    fn from(share: Share) -> Self {
        Self { n: share.n, percent: share.percent(), interval: [100.0 * share.low, 100.0 * share.high] }
    }
}

fn print(answer: &Answer) {
    let Answer { customers, alerts_per_day, days, seeds, service_minutes, target_percent, .. } = answer;
    say(&format!(
        "{customers} customers with {alerts_per_day} alerts a day, {seeds} worlds of {days} days; an incident keeps an analyst \
         busy for {service_minutes} minutes in the mean (exponential)"
    ));
    say("analysts   P0 in time (95 %)              others in time (95 %)");
    for row in &answer.attainment {
        say(&format!("{:>8}   {:<28}   {}", row.analysts, row.p0.words(), row.others.words()));
    }
    match (answer.holds, answer.surely_holds) {
        (None, _) => say(&format!("none of them holds {target_percent} %")),
        (Some(n), Some(sure)) if sure == n => say(&format!("{n} hold {target_percent} %")),
        (Some(n), Some(sure)) => {
            say(&format!("{n} hold {target_percent} %; with {sure} the whole interval is above it"));
        }
        (Some(n), None) => {
            say(&format!("{n} hold {target_percent} %; play more seeds to be sure: the interval reaches below it"));
        }
    }
}

impl Figure {
    fn words(&self) -> String {
        let [low, high] = self.interval;
        let share = self.percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:.2} %"));
        format!("{share} ({low:.2}-{high:.2}, n={})", self.n)
    }
}

fn range(text: &str) -> Result<Range, String> {
    let number = |word: &str| word.trim().parse::<usize>().ok().filter(|n| (1..=MOST).contains(n));
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => Ok(Range { from, to }),
        _ => Err(format!("a number as `4` or a range as `1..6`, at most {MOST}")),
    }
}

fn seconds(minutes: f64) -> anyhow::Result<u32> {
    anyhow::ensure!((0.1..=1440.0).contains(&minutes), "`--service-minutes` is from 0.1 to 1440");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 6 to 86,400, as just checked")]
    Ok((minutes * 60.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_both_its_ends_and_rubbish_is_refused() {
        let ends = |text| range(text).map(|Range { from, to }| (from, to));
        assert_eq!((ends("4"), ends("1..6")), (Ok((4, 4)), Ok((1, 6))));
        for text in ["", "0", "6..1", "1..201", "a..b", "1..2..3"] {
            assert!(ends(text).is_err(), "{text}");
        }
    }
}
