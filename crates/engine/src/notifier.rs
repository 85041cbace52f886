//! Delivers notices to the customer's registered contacts, and records that the channel took them (SEC-04).
//!
//! Twice is better than never: after a lost answer the same message is sent again under the same Message-ID, by which mail
//! programs recognise a copy (REL-24). A first notice needs no renderer, model or enrichment (REL-08); only the mail that
//! tells the verdict carries the report.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use domain::incident::{Actor, Command, Effect, Incident};
use domain::notice::{self, Channel, Delivery, Facts, Route};
use domain::tenant::{Email, Tenant};
use domain::{NoticeId, PageId, Timestamp, Untrusted};
use jiff::SignedDuration;
use notify::mail::{Attachment, Smtp};
use notify::slack::{self, Slack, Stamp};
use notify::{Sender, mail, page};
use report::{Issuer, Renderer};
use store::{Job, Outcome, Scope};

use crate::Engine;
use crate::worker::later;

/// How long a later notice waits for the first, under which it stands as a thread.
const FOR_THE_FIRST: Duration = Duration::from_secs(1);
/// After this it is posted on its own: a late thread must not hold a message back.
const LONGEST_FOR_THE_FIRST: SignedDuration = SignedDuration::from_secs(15);
/// The clocks of ours and of the chat service may differ by this much.
const CLOCKS_APART: Duration = Duration::from_secs(300);

/// Holds the channels. It holds no token of any console.
#[derive(Debug)]
pub struct Notifier {
    pub smtp: Smtp,
    /// `None` when no customer is told in a chat.
    pub slack: Option<Slack>,
    pub sender: Sender,
    pub issuer: Issuer,
    pub documents: Documents,
}

/// Who sets the reports.
#[derive(Debug, Clone)]
pub enum Documents {
    /// Beside the workers, since one takes a while.
    Set(Arc<Renderer>),
    /// At once on the same thread, so that a simulation plays the same way every time.
    SetInStep(Arc<Renderer>),
    /// For simulations of more than anybody could set: a file that stands for the report.
    StandIn,
}

/// One notice on one route, with what it is about.
#[derive(Clone, Copy)]
struct Errand<'a> {
    engine: &'a Engine,
    job: &'a Job,
    incident: &'a Incident,
    tenant: &'a Tenant,
    notice: NoticeId,
    route: Route,
    now: Timestamp,
}

impl Notifier {
    pub(crate) async fn carry_out(&self, engine: &Engine, job: &Job, now: Timestamp) -> anyhow::Result<Outcome> {
        let scope = Scope::Only(vec![job.tenant.clone()]);
        let incident = engine.store().incident(&scope, job.incident).await?.context("the job's incident is missing")?;
        let tenant = engine.tenant(&job.tenant).context("the job's tenant is not configured")?;
        let (notice, route) = match job.effect {
            Effect::Notify { notice, route } => (notice, route),
            Effect::Page { page } => return self.call(engine, job, &incident, tenant, page, now).await,
            _ => return Ok(Outcome::GaveUp { why: "only notices and calls are the notifier's".into() }),
        };
        let errand = Errand { engine, job, incident: &incident, tenant, notice, route, now };
        if errand.delivery(notice).is_some_and(|d| matches!(d, Delivery::Accepted { .. })) {
            return Ok(Outcome::Done);
        }
        match route.channel {
            Channel::Mail => self.mail(errand).await,
            Channel::Slack => self.post(errand).await,
        }
    }

    async fn mail(&self, errand: Errand<'_>) -> anyhow::Result<Outcome> {
        let facts = errand.facts()?;
        let attachments = self.report_for(errand, &facts).await?;
        let mail = mail::compose(&facts, errand.route.language, &self.sender, attachments);
        // Recipients are those registered now, not those when the notice was decided.
        let recipients: Vec<Email> = errand.tenant.contacts.iter().map(|c| c.email.clone()).collect();
        match self.smtp.send(&mail, &recipients, errand.now).await {
            Ok(accepted) => {
                let mut result = vec![errand.confirm(accepted.message_id)];
                // Some were told, some were not: a person has to see whom.
                result.extend(accepted.refused.iter().map(|(recipient, refusal)| Command::GiveUpJob {
                    by: Actor::Notifier,
                    what: Untrusted::new(&format!("{}: {} was refused: {refusal}", errand.notice, recipient.as_str())),
                }));
                errand.engine.finish(errand.job, &result, errand.now).await?;
                Ok(Outcome::Done)
            }
            Err(error) if error.is_transient() || error.may_have_been_sent() => Err(error.into()),
            Err(error) => errand.failed(&error.to_string()).await,
        }
    }

    /// Calls a person of the SOC, at the address that the roster had when the call was decided.
    async fn call(
        &self,
        engine: &Engine,
        job: &Job,
        incident: &Incident,
        tenant: &Tenant,
        id: PageId,
        now: Timestamp,
    ) -> anyhow::Result<Outcome> {
        let page = incident.pages.get(&id).with_context(|| format!("call `{id}` does not exist"))?;
        let (Some(to), Some(mail)) = (&page.to, page::compose(page, incident, tenant, &self.sender)) else {
            return Ok(Outcome::Done);
        };
        if matches!(page.delivery, Delivery::Accepted { .. }) {
            return Ok(Outcome::Done);
        }
        match self.smtp.send(&mail, std::slice::from_ref(&to.email), now).await {
            Ok(accepted) => {
                let reference = accepted.message_id;
                let confirm = Command::ConfirmPage { page: id, reference, accepted_at: now };
                engine.finish(job, &[confirm], now).await?;
                Ok(Outcome::Done)
            }
            Err(error) if error.is_transient() || error.may_have_been_sent() => Err(error.into()),
            Err(error) => {
                let why = error.to_string();
                let command = Command::FailPage { page: id, why: Untrusted::new(&why) };
                engine.execute(&job.tenant, job.incident, command, now).await?;
                Ok(Outcome::GaveUp { why })
            }
        }
    }

    async fn post(&self, errand: Errand<'_>) -> anyhow::Result<Outcome> {
        let (Some(slack), Some(channel)) = (&self.slack, &errand.tenant.slack_channel) else {
            return errand.failed("no chat workspace or channel is configured").await;
        };
        let Some(thread) = errand.thread()? else {
            let at = later(errand.now, FOR_THE_FIRST);
            return Ok(Outcome::Wait { at, why: "waiting for the first notice, under which this one stands".into() });
        };
        let post = slack::compose(&errand.facts()?, errand.route.language, &self.sender);
        // A post is not recognised as a copy by its readers: after a try, look before posting again.
        if errand.job.attempts > 1 {
            let since = errand.decided_at().checked_sub(CLOCKS_APART).unwrap_or(Timestamp::MIN);
            if let Some(found) = slack.find(&post, channel, thread.as_ref(), since, errand.now).await? {
                return errand.delivered(found.stamp).await;
            }
        }
        match slack.send(&post, channel, thread.as_ref(), errand.now).await {
            Ok(accepted) => errand.delivered(accepted.stamp).await,
            Err(error) if error.is_transient() || error.may_have_been_sent() => Err(error.into()),
            Err(error) => errand.failed(&error.to_string()).await,
        }
    }

    /// The report in the notice's language, when the notice tells the verdict.
    async fn report_for(&self, errand: Errand<'_>, facts: &Facts<'_>) -> anyhow::Result<Vec<Attachment>> {
        if facts.kind != notice::Kind::Verdict {
            return Ok(Vec::new());
        }
        let Errand { engine, now, route: Route { language, .. }, .. } = errand;
        let renderer = match &self.documents {
            Documents::Set(renderer) | Documents::SetInStep(renderer) => renderer.clone(),
            Documents::StandIn => {
                let name = format!("{}_{}.pdf", errand.incident.id, language.tag());
                return Ok(vec![Attachment::pdf(&name, name.clone().into_bytes())]);
            }
        };
        let (incident, tenant) = (errand.incident.clone(), errand.tenant.clone());
        let events = engine.store().events(&tenant.id, incident.id).await?;
        let issuer = self.issuer.clone();
        let set =
            move || renderer.incident(&incident, &events, &tenant, language, report::Options { now, issuer: &issuer });
        let document = match &self.documents {
            Documents::Set(_) => tokio::task::spawn_blocking(set).await??,
            Documents::SetInStep(_) | Documents::StandIn => set()?,
        };
        let name = document.file_name().to_owned();
        Ok(vec![Attachment::pdf(&name, document.into_pdf())])
    }
}

impl Errand<'_> {
    fn facts(&self) -> anyhow::Result<Facts<'_>> {
        Facts::of(self.incident, self.tenant, self.notice)
            .with_context(|| format!("notice `{}` has no facts", self.notice))
    }

    fn delivery(&self, notice: NoticeId) -> Option<&Delivery> {
        self.incident.notices.get(&notice)?.deliveries.get(&self.route)
    }

    fn decided_at(&self) -> Timestamp {
        self.incident.notices.get(&self.notice).map_or(self.now, |n| n.decided_at)
    }

    /// The post that this one stands under: `Some(None)` for the first notice itself or when the first never arrived,
    /// `None` while the first is still on its way.
    fn thread(&self) -> anyhow::Result<Option<Option<Stamp>>> {
        let Some((first, _)) = self.incident.notices.first_key_value() else { return Ok(Some(None)) };
        if *first == self.notice {
            return Ok(Some(None));
        }
        match self.delivery(*first) {
            Some(Delivery::Accepted { reference, .. }) => {
                let stamp = Stamp::try_from(reference.clone()).map_err(anyhow::Error::msg)?;
                Ok(Some(Some(stamp)))
            }
            Some(Delivery::Waiting) if self.now.duration_since(self.decided_at()) < LONGEST_FOR_THE_FIRST => Ok(None),
            _ => Ok(Some(None)),
        }
    }

    fn confirm(&self, reference: String) -> Command {
        Command::ConfirmNotice { notice: self.notice, route: self.route, reference, accepted_at: self.now }
    }

    async fn delivered(&self, stamp: Stamp) -> anyhow::Result<Outcome> {
        self.engine.finish(self.job, &[self.confirm(stamp.into())], self.now).await?;
        Ok(Outcome::Done)
    }

    /// It will never arrive on this route: the incident says so, and the job stands where people look.
    async fn failed(&self, why: &str) -> anyhow::Result<Outcome> {
        let command = Command::FailNotice { notice: self.notice, route: self.route, why: Untrusted::new(why) };
        self.engine.execute(&self.job.tenant, self.job.incident, command, self.now).await?;
        Ok(Outcome::GaveUp { why: why.to_owned() })
    }
}
