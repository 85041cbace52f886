//! The console's query languages over what endpoints recorded: S1QL for Deep Visibility and a useful part of
//! PowerQuery. Both end in the same conditions on the same dotted fields. They know nothing of HTTP.

pub(crate) mod expr;
pub(crate) mod power;
pub(crate) mod s1ql;

use jiff::Timestamp;

use crate::telemetry::{Cell, Event, Span};
use crate::token;
use crate::world::{Agent, World};

/// The longest query that is read.
const MAX_TEXT: usize = 8_192;
/// The most rows any query gives.
pub(crate) const MAX_ROWS: usize = 20_000;
const DEFAULT_ROWS: usize = 1_000;

/// Why a query was not answered, in a sentence for its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct QueryError(pub(crate) String);

/// What a PowerQuery answers.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// How many events matched before anything was grouped or cut.
    pub(crate) matched: usize,
    /// Rows were left out because the query named no limit of its own.
    pub(crate) cut: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// `NUMBER`, `STRING` or `TIMESTAMP`.
    pub(crate) kind: &'static str,
}

/// Whose endpoints a query looks at: what its token sees, narrowed by the ids that came with it.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) token: token::Scope,
    pub(crate) accounts: Vec<u64>,
    pub(crate) sites: Vec<u64>,
    /// Sites without their account are ignored, as the console's PowerQuery does.
    pub(crate) sites_need_accounts: bool,
}

impl Reach {
    pub(crate) fn has(&self, agent: &Agent) -> bool {
        let sites = !self.sites_need_accounts || !self.accounts.is_empty();
        self.token.sees(agent.account, agent.site)
            && (self.accounts.is_empty() || self.accounts.contains(&agent.account))
            && (self.sites.is_empty() || !sites || self.sites.contains(&agent.site))
    }
}

/// Runs a PowerQuery over `[from, to)` as it stands at `world`'s present.
pub(crate) fn run_power_query(
    world: &World,
    scope: &Reach,
    text: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Table, QueryError> {
    short_enough(text)?;
    let query = power::parse(text)?;
    let events = world.events(Span { from, to }, world.clock.now(), |agent| scope.has(agent));
    Ok(query.run(world, events))
}

/// The events an S1QL query finds, newest first.
pub(crate) fn run_s1ql(
    world: &World,
    scope: &Reach,
    text: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Event>, QueryError> {
    short_enough(text)?;
    let condition = s1ql::parse(text)?;
    let mut found = world.events(Span { from, to }, world.clock.now(), |agent| scope.has(agent));
    found.retain(|event| {
        let agent = world.agents.get(&event.agent);
        agent.is_some_and(|agent| condition.holds(&|field| crate::telemetry::value(event, agent, field)))
    });
    found.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    found.truncate(MAX_ROWS);
    Ok(found)
}

fn short_enough(text: &str) -> Result<(), QueryError> {
    if text.len() > MAX_TEXT {
        return Err(QueryError(format!("the query is longer than {MAX_TEXT} characters")));
    }
    Ok(())
}
