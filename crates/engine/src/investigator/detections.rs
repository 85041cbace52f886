//! Which detection rules match what was recorded. Runs over the evidence that is there, and asks nobody.

use domain::evidence::{Inquiry, Outcome, Summary};

use super::{Case, Gathered, Knowledge, Step, count};
use crate::Engine;

pub(super) async fn run(case: &Case<'_>, engine: &Engine, knowledge: &Knowledge) -> anyhow::Result<Step> {
    let Some(rules) = knowledge.rules.clone() else {
        return Ok(Step::gap(&Inquiry::Detections, "no detection rules are configured (`[rules] folder`)"));
    };
    let records = engine.findings(case.incident).await?.records;
    if records.is_empty() {
        return Ok(Step::gap(&Inquiry::Detections, "no endpoint records were obtained to look at"));
    }
    let looked_at = records.len();
    let report = tokio::task::spawn_blocking(move || rules.run_records(&records)).await?;
    let outcome = match count(report.hits.len()) {
        0 => Outcome::NothingFound,
        matched => Outcome::Found(Summary::Detections { rules: count(report.rules), matched }),
    };
    Ok(Step::answered(Gathered {
        source: "Sigma",
        query: format!(
            "{} rules over {looked_at} records, {} of which belong to no log source",
            report.rules, report.without_source
        ),
        window: None,
        outcome,
        findings: super::findings(&report.hits)?,
        raw: None,
    }))
}
