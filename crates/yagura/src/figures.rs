//! The figures of a period from the command line: attainment and times by customer and priority, or every cycle behind them
//! as CSV. What counts is `domain::attainment`'s; the console's page shows the same.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use domain::attainment::{Measured, Sheet, Span, Standing, Target};
use domain::calendar::{in_japan, jst};
use domain::source::TimeSource as _;
use domain::{Priority, TenantId, Timestamp};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, ToSpan};
use serde_json::{Value, json};
use store::{Cycles, Period, Scope};

use crate::cli::StoreOptions;
use crate::incident::Opened;
use crate::output::{say, say_json};
use crate::source::MachineTime;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// First day, in Japan; without it, the first of this month
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day, in Japan; without it, today
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// One customer only
    #[arg(long)]
    tenant: Option<TenantId>,
    /// Every cycle of the clocks as CSV instead of sums
    #[arg(long, conflicts_with = "json")]
    cycles: bool,
    #[command(flatten)]
    store: StoreOptions,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let now = MachineTime.now();
    let today = in_japan(now).date();
    let (from, to) = (options.from.unwrap_or(today.first_of_month()), options.to.unwrap_or(today));
    if to < from {
        bail!("the period ends before it begins: `{from}` to `{to}`");
    }
    let opened = Opened::at(&options.store).await?;
    let end = to.checked_add(1.day()).context("the last day is beyond the calendar")?;
    let period = Period { from: midnight(from)?, to: midnight(end)?, tenant: options.tenant.clone(), priority: None };
    let found = opened.store.cycles(&Scope::All, &period).await?;
    if found.cut {
        bail!("there are more than {} cycles: narrow the period, for no figure is made of a part", Cycles::MOST);
    }
    if options.cycles {
        say(csv(&found.rows, now).trim_end());
        return Ok(());
    }
    let groups = groups(&found.rows, now);
    if options.store.json {
        let groups: Vec<Value> = groups.iter().map(Group::json).collect();
        let period = json!({ "from": from.to_string(), "to": to.to_string(), "zone": "Asia/Tokyo" });
        return say_json(&json!({ "as_of": now.to_string(), "period": period, "groups": groups }));
    }
    say(&format!("{from} to {to}, days in Japan; as of {} JST", in_japan(now).strftime("%Y-%m-%d %H:%M:%S")));
    groups.iter().for_each(|group| say(&group.text()));
    Ok(())
}

fn midnight(day: Date) -> anyhow::Result<Timestamp> {
    jst().to_timestamp(day.to_datetime(Time::midnight())).with_context(|| format!("`{day}` is beyond the calendar"))
}

/// The figures of one customer and priority; of all where one is not named.
struct Group {
    tenant: Option<TenantId>,
    priority: Option<Priority>,
    sheet: Sheet,
}

/// All first, then each priority, then each customer.
fn groups(rows: &[Measured], now: Timestamp) -> Vec<Group> {
    let mut tenants: Vec<&TenantId> = rows.iter().map(|row| &row.tenant).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let group = |tenant: Option<&TenantId>, priority: Option<Priority>| {
        let one_of = |row: &&Measured| {
            tenant.is_none_or(|tenant| row.tenant == *tenant)
                && priority.is_none_or(|priority| row.priority == priority)
        };
        Group { tenant: tenant.cloned(), priority, sheet: Sheet::of(rows.iter().filter(one_of), now) }
    };
    let mut groups = vec![group(None, None)];
    groups.extend(Priority::ALL.map(|priority| group(None, Some(priority))));
    groups.extend(tenants.into_iter().map(|tenant| group(Some(tenant), None)));
    groups
}

impl Group {
    fn name(&self) -> String {
        match (&self.tenant, self.priority) {
            (Some(tenant), _) => tenant.to_string(),
            (None, Some(priority)) => priority.name().to_owned(),
            (None, None) => "all".to_owned(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("\n{}: {} cycles", self.name(), self.sheet.cycles);
        if self.sheet.cycles == 0 {
            return text;
        }
        for target in Target::ALL {
            let of = self.sheet.target(target);
            let percent = of.percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
            let few = if of.is_few() { ", few" } else { "" };
            let counts = Standing::ALL.map(|standing| format!("{} {}", standing.name(), of.count(standing)));
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  {:<18} {percent:>8} (n={}{few})  {}", target.name(), of.n(), counts.join(", "));
        }
        for span in Span::ALL {
            let of = self.sheet.span(span);
            let [median, p90, p95, mean] = [of.median(), of.percentile(90), of.percentile(95), of.mean()]
                .map(|span| span.map_or("-".into(), minutes));
            let _ = write!(
                text,
                "\n  to {:<15} n={:<5} median {median}, p90 {p90}, p95 {p95}, mean {mean} (elapsed)",
                span.name(),
                of.n()
            );
        }
        text
    }

    fn json(&self) -> Value {
        let targets = Target::ALL.map(|target| {
            let of = self.sheet.target(target);
            let counts: serde_json::Map<String, Value> = Standing::ALL
                .map(|standing| (standing.name().to_owned(), of.count(standing).into()))
                .into_iter()
                .collect();
            // A number for programs, a decimal that was rounded down.
            let percent = of.per_mille().map(|tenths| tenths as f64 / 10.0);
            let value = json!({ "n": of.n(), "percent": percent, "counts": counts, "overdue": of.overdue });
            (target.name().to_owned(), value)
        });
        let spans = Span::ALL.map(|span| {
            let of = self.sheet.span(span);
            let seconds = |span: Option<SignedDuration>| span.map(|span| span.as_secs());
            let value = json!({
                "n": of.n(), "median_s": seconds(of.median()), "p90_s": seconds(of.percentile(90)),
                "p95_s": seconds(of.percentile(95)), "mean_s": seconds(of.mean()),
            });
            (span.name().to_owned(), value)
        });
        json!({
            "tenant": self.tenant, "priority": self.priority, "cycles": self.sheet.cycles,
            "counted_by_analyst_ack": self.sheet.counted_by_ack,
            "targets": serde_json::Map::from_iter(targets), "elapsed": serde_json::Map::from_iter(spans),
        })
    }
}

fn minutes(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// One line for each cycle, with times in Japan.
fn csv(rows: &[Measured], now: Timestamp) -> String {
    let mut text = "tenant,incident,cycle,priority,started,first_response_due,first_response_given,first_response,\
         analysis_due,analysis_given,analysis,first_notice,acknowledged,acknowledged_by,contained,closed,ended,paused_s\n"
        .to_owned();
    for row in rows {
        let at = |at: Option<Timestamp>| {
            at.map(|at| in_japan(at).strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
        };
        let clock = |target| {
            let (given, due) = row.stop(target);
            [at(due), at(given), row.standing(target, now).name().to_owned()]
        };
        let mut fields = vec![row.tenant.to_string(), row.incident.to_string(), row.cycle.to_string()];
        fields.extend([row.priority.name().to_owned(), at(Some(row.started))]);
        fields.extend(clock(Target::FirstResponse).into_iter().chain(clock(Target::Analysis)));
        fields.extend([at(row.first_notice), at(row.acknowledged)]);
        fields.push(row.acknowledged_by.as_ref().map(ToString::to_string).unwrap_or_default());
        fields.extend([at(row.contained), at(row.closed), at(row.ended), row.paused_s.to_string()]);
        let fields: Vec<String> = fields.iter().map(|field| cell(field)).collect();
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// No spreadsheet takes a field for a formula, and none ends early (SEC-33).
fn cell(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\n', '\r', '\'']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use domain::clock::{FirstResponse, State};
    use domain::{IncidentId, PersonId};

    use super::*;

    fn measured(tenant: &str, priority: Priority, met: bool) -> Measured {
        let started: Timestamp = "2026-11-24T01:00:00Z".parse().unwrap();
        let after = |minutes| Some(started + SignedDuration::from_mins(minutes));
        Measured {
            tenant: tenant.parse().unwrap(),
            incident: IncidentId { year: 2026, number: 7 },
            cycle: 1,
            priority,
            started,
            reading: FirstResponse::AnalystAck,
            response_due: after(60),
            by_ack: if met { State::Met } else { State::Missed },
            by_notice: State::Met,
            analysis_due: after(60),
            analysis: State::Running,
            first_notice: after(1),
            acknowledged: after(if met { 12 } else { 72 }),
            acknowledged_by: Some(PersonId::new("sato").unwrap()),
            analysed: None,
            contained: None,
            closed: None,
            ended: None,
            paused_s: 90,
        }
    }

    #[test]
    fn sums_are_of_all_then_each_priority_then_each_customer() {
        let rows = [measured("acme", Priority::P0, true), measured("globex", Priority::P2, false)];
        let groups = groups(&rows, rows[0].started);
        let names: Vec<String> = groups.iter().map(Group::name).collect();
        assert_eq!(names, ["all", "P0", "P1", "P2", "P3", "acme", "globex"]);
        let all = groups[0].json();
        assert_eq!(all["targets"]["first_response"]["percent"], 50.0);
        assert_eq!(all["targets"]["first_response"]["counts"]["missed"], 1);
        assert_eq!(all["targets"]["analysis"]["percent"], Value::Null, "nothing came due: no percentage");
        assert_eq!(all["elapsed"]["acknowledged"]["mean_s"], 42 * 60);
        assert!(groups[0].text().contains("50.0 % (n=2, few)"), "{}", groups[0].text());
    }

    #[test]
    fn each_cycle_is_a_line_of_csv() {
        let row = measured("acme", Priority::P2, true);
        let text = csv(std::slice::from_ref(&row), row.started);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
        assert!(lines[1].starts_with(
            "acme,INC-2026-000007,1,P2,2026-11-24 10:00:00,2026-11-24 11:00:00,2026-11-24 10:12:00,met,2026-11-24 11:00:00,,running,"
        ), "{}", lines[1]);
    }

    #[test]
    fn no_field_becomes_a_formula_sec_33() {
        for (field, cell_) in [
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("sato", "sato"),
        ] {
            assert_eq!(cell(field), cell_);
        }
    }
}
