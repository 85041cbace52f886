//! Delivers notices to the customer's registered contacts, and records that the channel took them (SEC-04).
//!
//! Twice is better than never: after a lost answer the same message is sent again under the same Message-ID, by which mail
//! programs recognise a copy (REL-24). A first notice needs no renderer, model or enrichment (REL-08); only the mail that
//! tells the verdict carries the report.

use std::sync::Arc;

use anyhow::Context as _;
use domain::incident::{Actor, Command, Effect, Incident};
use domain::notice::{self, Delivery, Facts};
use domain::tenant::{Email, Tenant};
use domain::{Language, NoticeId, Timestamp, Untrusted};
use notify::Sender;
use notify::mail::{Attachment, Smtp, compose};
use report::{Issuer, Renderer};
use store::{Job, Outcome, Scope};

use crate::Engine;

/// Holds the channels. It holds no token of any console.
#[derive(Debug)]
pub struct Notifier {
    smtp: Smtp,
    sender: Sender,
    issuer: Issuer,
    renderer: Arc<Renderer>,
}

impl Notifier {
    pub fn new(smtp: Smtp, sender: Sender, issuer: Issuer, renderer: Renderer) -> Self {
        Self { smtp, sender, issuer, renderer: Arc::new(renderer) }
    }

    pub(crate) async fn carry_out(&self, engine: &Engine, job: &Job, now: Timestamp) -> anyhow::Result<Outcome> {
        let Effect::Notify { notice, language } = job.effect else {
            return Ok(Outcome::GaveUp { why: "only notices are the notifier's".into() });
        };
        let scope = Scope::Only(vec![job.tenant.clone()]);
        let incident = engine.store().incident(&scope, job.incident).await?.context("the job's incident is missing")?;
        let tenant = engine.tenant(&job.tenant).context("the job's tenant is not configured")?;
        if already_accepted(&incident, notice, language) {
            return Ok(Outcome::Done);
        }
        self.send(engine, job, &incident, tenant, (notice, language), now).await
    }

    async fn send(
        &self,
        engine: &Engine,
        job: &Job,
        incident: &Incident,
        tenant: &Tenant,
        (notice, language): (NoticeId, Language),
        now: Timestamp,
    ) -> anyhow::Result<Outcome> {
        let facts = Facts::of(incident, tenant, notice).with_context(|| format!("notice `{notice}` has no facts"))?;
        let attachments = self.report_for(engine, incident, tenant, &facts, language, now).await?;
        let mail = compose(&facts, language, &self.sender, attachments);
        // Recipients are those registered now, not those when the notice was decided.
        let recipients: Vec<Email> = tenant.contacts.iter().map(|c| c.email.clone()).collect();
        match self.smtp.send(&mail, &recipients, now).await {
            Ok(accepted) => {
                let message_id = accepted.message_id;
                let mut result = vec![Command::ConfirmNotice { notice, language, message_id, accepted_at: now }];
                // Some were told, some were not: a person has to see whom.
                result.extend(accepted.refused.iter().map(|(recipient, refusal)| Command::GiveUpJob {
                    by: Actor::Notifier,
                    what: Untrusted::new(&format!("{notice}: {} was refused: {refusal}", recipient.as_str())),
                }));
                engine.finish(job, &result, now).await?;
                Ok(Outcome::Done)
            }
            Err(error) if error.is_transient() || error.may_have_been_sent() => Err(error.into()),
            Err(error) => {
                let why = Untrusted::new(&error.to_string());
                engine
                    .execute(&job.tenant, job.incident, Command::FailNotice { notice, language, why }, now)
                    .await?;
                Ok(Outcome::GaveUp { why: error.to_string() })
            }
        }
    }

    /// The report in the notice's language, when the notice tells the verdict.
    async fn report_for(
        &self,
        engine: &Engine,
        incident: &Incident,
        tenant: &Tenant,
        facts: &Facts<'_>,
        language: Language,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Attachment>> {
        if facts.kind != notice::Kind::Verdict {
            return Ok(Vec::new());
        }
        let events = engine.store().events(&tenant.id, incident.id).await?;
        let (renderer, issuer) = (self.renderer.clone(), self.issuer.clone());
        let (incident, tenant) = (incident.clone(), tenant.clone());
        let document = tokio::task::spawn_blocking(move || {
            renderer.incident(&incident, &events, &tenant, language, report::Options { now, issuer: &issuer })
        })
        .await??;
        let name = document.file_name().to_owned();
        Ok(vec![Attachment::pdf(&name, document.into_pdf())])
    }
}

fn already_accepted(incident: &Incident, notice: NoticeId, language: Language) -> bool {
    let delivery = incident.notices.get(&notice).and_then(|n| n.deliveries.get(&language));
    matches!(delivery, Some(Delivery::Accepted { .. }))
}
