//! Sources that are asked over the network: what they say of one indicator, within what we are allowed and can afford.
//!
//! Before a question leaves the house its PAP and its value are checked (SEC-43, SEC-45), the tenant's own memory is asked
//! (SEC-03), and the source's quota is shared fairly (`budget`); the door adds allow-list, time-outs, bounds and a breaker. One
//! `Sources` serves all workers of a process. It never waits and never retries: a gap says whether and when to ask again (REL-07),
//! and is itself an answer that evidence can hold. Nothing is uploaded, and no address from an alert or an answer is fetched.

mod admissible;
mod budget;
mod cache;
mod config;
mod failure;
mod virustotal;
mod websearch;

use std::sync::Arc;
use std::time::Duration;

use domain::ioc::{Answer, Gap, Ioc, Outcome, Pap, Source, Why};
use domain::{Priority, TenantId, Untrusted};
use jiff::Timestamp;
use outbound::Outbound;

pub use budget::Quota;
pub use cache::Ages;
pub use config::{
    InvalidSources, Settings, SourcesConfig, VirusTotalConfig, VirusTotalSettings, WebSearchConfig, WebSearchSettings,
};

use budget::Budget;
use cache::{Cache, Found as Remembered};
use virustotal::VirusTotal;
use websearch::WebSearch;

/// A source that has not answered by then does not answer: gathering has a minute in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// When somebody else asks the same.
const MOMENT_S: u64 = 5;

/// Who asks about what. An incident asks with its own priority.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub tenant: &'a TenantId,
    pub ioc: &'a Ioc,
    pub pap: Pap,
    pub priority: Priority,
}

/// The configured sources. Cheap to clone; all clones share budgets and memory.
#[derive(Debug, Clone)]
pub struct Sources {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    outbound: Outbound,
    members: Vec<Member>,
    ages: Ages,
    cache: Arc<Cache>,
}

#[derive(Debug)]
struct Member {
    client: Client,
    budget: Budget,
}

#[derive(Debug)]
enum Client {
    VirusTotal(VirusTotal),
    WebSearch(WebSearch),
}

/// What a client brings back.
#[derive(Debug)]
struct Found {
    outcome: Outcome,
    raw: Option<Arc<str>>,
}

impl Sources {
    /// `tenants` is how many customers share the quotas. The door must allow `settings.allowed()`.
    pub fn new(outbound: Outbound, settings: Settings, tenants: usize) -> Self {
        let Settings { virustotal, web_search, ages } = settings;
        let virustotal = virustotal.map(|settings| Member {
            budget: Budget::new(settings.quota, tenants),
            client: Client::VirusTotal(VirusTotal::new(settings)),
        });
        let web_search = web_search.map(|settings| Member {
            budget: Budget::new(settings.quota, tenants),
            client: Client::WebSearch(WebSearch::new(settings)),
        });
        let members = virustotal.into_iter().chain(web_search).collect();
        Self { inner: Arc::new(Inner { outbound, members, ages, cache: Arc::default() }) }
    }

    /// The configured sources that know such things as `ioc`.
    pub fn that_take(&self, ioc: &Ioc) -> Vec<Source> {
        self.members(ioc).map(|member| member.client.source()).collect()
    }

    /// One answer from each source that knows such things, one source after the other.
    pub async fn ask(&self, question: &Question<'_>, now: Timestamp) -> Vec<Answer> {
        let mut answers = Vec::new();
        for member in self.members(question.ioc) {
            answers.push(self.ask_member(member, question, now).await);
        }
        answers
    }

    /// The answer of one source, for jobs that shall not wait for each other. `None` if it is not configured or does not know
    /// such things.
    pub async fn ask_one(&self, source: Source, question: &Question<'_>, now: Timestamp) -> Option<Answer> {
        let member = self.members(question.ioc).find(|member| member.client.source() == source)?;
        Some(self.ask_member(member, question, now).await)
    }

    fn members<'a>(&'a self, ioc: &Ioc) -> impl Iterator<Item = &'a Member> + use<'a> {
        let kind = ioc.kind();
        self.inner.members.iter().filter(move |member| match member.client {
            Client::VirusTotal(_) => VirusTotal::takes(kind),
            Client::WebSearch(_) => WebSearch::takes(kind),
        })
    }

    async fn ask_member(&self, member: &Member, question: &Question<'_>, now: Timestamp) -> Answer {
        let source = member.client.source();
        let answer = |found: Found| Answer {
            source,
            ioc: question.ioc.clone(),
            pap: question.pap,
            asked_at: now,
            outcome: found.outcome,
            raw: found.raw,
        };
        if let Some(why) = admissible::hindrance(question.ioc, question.pap, source) {
            return answer(Found::gap(Gap { why, detail: None, retry_after_s: None }));
        }
        let asking = match self.inner.cache.find(question.tenant, source, question.ioc, self.inner.ages, now) {
            Remembered::Remembered(remembered) => return Answer { pap: question.pap, ..remembered },
            Remembered::BeingAsked => {
                return answer(Found::gap(Gap { why: Why::BeingAsked, detail: None, retry_after_s: Some(MOMENT_S) }));
            }
            Remembered::Nothing(asking) => asking,
        };
        let answer = answer(self.look_up(member, question, now).await);
        tracing::debug!(
            tenant.id = question.tenant.as_str(),
            source = source.name().en,
            ioc.kind = question.ioc.kind().name(),
            gap = match &answer.outcome {
                Outcome::CouldNotAsk(gap) => Some(gap.why.text().en),
                Outcome::Known(_) | Outcome::NotKnown => None,
            },
            "asked a source"
        );
        asking.answered(&answer);
        answer
    }

    /// Asks within the budget, and lets the budget learn from the answer.
    async fn look_up(&self, member: &Member, question: &Question<'_>, now: Timestamp) -> Found {
        let turn = match member.budget.admit(question.tenant, question.priority, now) {
            Ok(turn) => turn,
            Err(wait) => {
                let detail = Some(Untrusted::new(wait.what));
                return Found::gap(Gap { why: Why::BudgetUsed, detail, retry_after_s: Some(wait.seconds) });
            }
        };
        let outbound = &self.inner.outbound;
        let mut found = match &member.client {
            Client::VirusTotal(client) => client.look_up(outbound, question.ioc, now).await,
            Client::WebSearch(client) => client.look_up(outbound, question.ioc, now).await,
        };
        match &mut found.outcome {
            // Refused by our own door: the source never heard of it.
            Outcome::CouldNotAsk(gap) if matches!(gap.why, Why::BudgetUsed | Why::Resting) => {
                member.budget.give_back(&turn);
            }
            Outcome::CouldNotAsk(gap) if gap.why == Why::QuotaUsed => {
                let told = gap.retry_after_s.map(Duration::from_secs);
                gap.retry_after_s = Some(member.budget.refused(told, now));
            }
            Outcome::CouldNotAsk(_) => {}
            Outcome::Known(_) | Outcome::NotKnown => member.budget.served(),
        }
        found
    }
}

impl Client {
    fn source(&self) -> Source {
        match self {
            Self::VirusTotal(_) => Source::VirusTotal,
            Self::WebSearch(_) => Source::WebSearch,
        }
    }
}

impl Found {
    fn gap(gap: Gap) -> Self {
        Self { outcome: Outcome::CouldNotAsk(gap), raw: None }
    }
}

/// A body as it came; what is no text is nobody's JSON.
fn text_of(body: &[u8]) -> Option<Arc<str>> {
    std::str::from_utf8(body).ok().map(Arc::from)
}
