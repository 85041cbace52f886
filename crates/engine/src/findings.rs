//! Reads the content of an incident's evidence back. What is missing or damaged is named, and hides nothing else.

use std::collections::HashSet;

use domain::evidence::{Content, Evidence, Findings, Inquiry};
use domain::incident::Incident;
use serde::de::DeserializeOwned;

use crate::Engine;

impl Engine {
    /// Everything that was found out about an incident. The caller has checked that the reader may see it (SEC-01).
    pub async fn findings(&self, incident: &Incident) -> Result<Findings, store::Error> {
        let wanted: Vec<&Content> =
            incident.evidence.values().filter_map(|evidence| evidence.answer.findings.as_ref()).collect();
        let contents = self.store().contents(&incident.tenant, &wanted).await?;
        let mut findings = Findings::default();
        for evidence in incident.evidence.values() {
            let Some(content) = &evidence.answer.findings else { continue };
            let read = contents.get(&content.sha256).is_some_and(|text| take(&mut findings, evidence, text));
            if !read {
                tracing::error!(incident.id = %incident.id, tenant.id = %incident.tenant, evidence = %evidence.id,
                    "a piece of evidence cannot be read");
                findings.damaged.push(evidence.id);
            }
        }
        let mut seen = HashSet::new();
        findings.records.retain(|record| seen.insert((record.agent.clone(), record.id.clone())));
        Ok(findings)
    }
}

/// `false` when the content is not what its inquiry brings.
fn take(findings: &mut Findings, evidence: &Evidence, text: &str) -> bool {
    match &evidence.answer.inquiry {
        Inquiry::Events { .. } => read(text).map(|records: Vec<_>| findings.records.extend(records)),
        Inquiry::Software { agent } => read(text).map(|software| {
            findings.software.insert(agent.clone(), software);
        }),
        Inquiry::Indicators => read(text).map(|looked| findings.indicators = looked),
        Inquiry::Sweep => read(text).map(|sweep| findings.sweep = Some(sweep)),
        Inquiry::Detections => read(text).map(|hits| findings.detections = hits),
        Inquiry::Vulnerabilities { agent } => read(text).map(|matches| {
            findings.vulnerabilities.insert(agent.clone(), matches);
        }),
    }
    .is_some()
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
