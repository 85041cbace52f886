//! What the endpoint recorded around one alert: the threat's own events, oldest first.

use std::time::Duration;

use domain::AlertId;
use domain::evidence::{Outcome, Summary, Window};
use domain::telemetry::Record;
use serde_json::Value;

use super::{Case, Gathered, Step, count};

/// Most records kept of one alert.
const MOST: usize = 2_000;
/// Events reach the console later than the alert that they led to: an empty answer is asked for once more.
const LATE: Duration = Duration::from_secs(15);

pub(super) async fn of(case: &Case<'_>, alert: &AlertId) -> anyhow::Result<Step> {
    let agent = case.incident.alerts.iter().find(|a| a.id == *alert).map(|a| a.endpoint.agent.clone());
    let agent = agent.ok_or_else(|| anyhow::anyhow!("the alert is no longer kept whole"))?;
    let page = case.console.events_of(alert, &agent, MOST, case.now).await?;
    let (mut records, mut raw, mut refused) = (Vec::new(), Vec::new(), 0_usize);
    for taken in page.records.into_iter().take(MOST) {
        match taken {
            Ok(taken) => {
                records.push(taken.record);
                raw.push(taken.raw);
            }
            Err(refusal) => {
                refused += 1;
                tracing::warn!(incident.id = %case.incident.id, tenant.id = %case.incident.tenant, alert = %alert,
                    reason = %refusal, "an event was refused");
            }
        }
    }
    if records.is_empty() && !case.again {
        return Ok(Step::Later(LATE));
    }
    let cut = page.cut || refused > 0;
    let outcome = match count(records.len()) {
        0 => Outcome::NothingFound,
        records => Outcome::Found(Summary::Events { records, cut }),
    };
    Ok(Step::answered(Gathered {
        source: "SentinelOne",
        query: format!("GET /threats/{alert}/explore/events"),
        window: window(&records),
        outcome,
        findings: super::findings(&records)?,
        raw: super::raw(&Value::Array(raw))?,
    }))
}

/// From the first record to the last that have a credible time.
fn window(records: &[Record]) -> Option<Window> {
    let times = || records.iter().filter_map(|r| r.at);
    Some(Window { from: times().min()?, to: times().max()? })
}
