//! What lists and sources say of the indicators in all that was gathered. Not found is not clean.
//!
//! Lists are asked about every indicator. Sources have budgets: they are asked about the first few, the alert's own file
//! before all others. All questions go out together, so that one slow source costs its own patience once, not for each.

use domain::evidence::{Inquiry, Looked, Outcome, Summary};
use domain::ioc::{self, Answer, Gap, Ioc, Known, Opinion, Pap, Source, Why};
use domain::{Timestamp, Untrusted};
use futures_util::future::{join, join_all};
use intel::sources::Question;
use sentinelone::HIGHEST_RANK;

use super::{Case, Gathered, Knowledge, Step, count};
use crate::Engine;

/// Indicators that outside sources are asked about.
const ASKED_OUTSIDE: usize = 12;

pub(super) async fn look_up(case: &Case<'_>, engine: &Engine, knowledge: &Knowledge) -> anyhow::Result<Step> {
    let findings = engine.findings(case.incident).await?;
    let observed = ioc::observed(&findings.records, &case.incident.alerts);
    if observed.is_empty() {
        let why = "neither the alerts nor the endpoint's records hold an indicator that could be looked up";
        return Ok(Step::gap(&Inquiry::Indicators, why));
    }
    let asked = observed.iter().take(ASKED_OUTSIDE).map(|(ioc, _)| ask(case, knowledge, ioc));
    let mut answers = join_all(asked).await.into_iter();
    let mut looked = Vec::new();
    for (ioc, origins) in observed {
        let lists = match &knowledge.lists {
            Some(lists) => lists.look_up(&ioc)?,
            None => Vec::new(),
        };
        let answers = answers.next().unwrap_or_default();
        looked.push(Looked { ioc, pap: Pap::default(), origins, lists, answers });
    }
    let summary = Summary::Indicators {
        looked_up: count(looked.len()),
        bad: count(looked.iter().filter(|l| l.is_bad()).count()),
        unanswered: count(looked.iter().filter(|l| l.has_gap()).count()),
    };
    let entries = knowledge.lists.as_ref().map_or(0, |lists| lists.len());
    Ok(Step::answered(Gathered {
        source: "IOC",
        query: format!(
            "{} indicators against {entries} list entries; sources about the first {ASKED_OUTSIDE}",
            looked.len()
        ),
        window: None,
        outcome: Outcome::Found(summary),
        findings: super::findings(&looked)?,
        raw: None,
    }))
}

async fn ask(case: &Case<'_>, knowledge: &Knowledge, ioc: &Ioc) -> Vec<Answer> {
    let outside = async {
        let Some(sources) = &knowledge.sources else { return Vec::new() };
        let tenant = &case.incident.tenant;
        let question = Question { tenant, ioc, pap: Pap::default(), priority: case.incident.priority() };
        let asked = sources.that_take(ioc).into_iter().map(|source| sources.ask_one(source, &question, case.now));
        join_all(asked).await
    };
    let (own, outside) = join(console(case, ioc), outside).await;
    own.into_iter().chain(outside.into_iter().flatten()).collect()
}

/// The console's own reputation service knows files by SHA-1.
async fn console(case: &Case<'_>, ioc: &Ioc) -> Option<Answer> {
    let Ioc::Hash(hash) = ioc else { return None };
    if hash.algorithm() != "SHA-1" {
        return None;
    }
    let (outcome, raw) = match case.console.reputation(hash, case.now).await {
        Ok(said) => {
            let raw = Some(said.raw.to_string().into());
            match said.rank {
                Some(rank) => (rated(rank, said.is_malicious()), raw),
                None => (ioc::Outcome::NotKnown, raw),
            }
        }
        Err(error) => (could_not(&error), None),
    };
    let asked_at: Timestamp = case.now;
    Some(Answer { source: Source::Console, ioc: ioc.clone(), pap: Pap::default(), asked_at, outcome, raw })
}

fn rated(rank: u8, malicious: bool) -> ioc::Outcome {
    ioc::Outcome::Known(Box::new(Known::of(Opinion::Rank { rank, out_of: HIGHEST_RANK, malicious })))
}

fn could_not(error: &sentinelone::Error) -> ioc::Outcome {
    let why = if error.is_transient() { Why::Failing } else { Why::Rejected };
    let retry_after_s = error.retry_after().map(|after| after.as_secs());
    ioc::Outcome::CouldNotAsk(Gap { why, detail: Some(Untrusted::new(&error.to_string())), retry_after_s })
}
