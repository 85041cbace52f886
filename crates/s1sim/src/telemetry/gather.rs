//! Collecting what endpoints recorded in a span of time: threats' stories, ordinary days and loaded sets, no further
//! than the present and no longer ago than the console keeps.

use std::time::Duration;

use jiff::Timestamp;

use super::story::{Stage, Telling};
use super::{Event, background, generic};
use crate::clock;
use crate::world::{Agent, Stored, World, text};

/// How long the console keeps events.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// From the first up to and without the second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Span {
    pub(crate) fn has(&self, at: Timestamp) -> bool {
        (self.from..self.to).contains(&at)
    }
}

impl World {
    /// Everything that the endpoints that `wanted` picks recorded in the span and is known now. Not sorted.
    pub(crate) fn events(&self, span: Span, now: Timestamp, wanted: impl Fn(&Agent) -> bool) -> Vec<Event> {
        let span =
            Span { from: span.from.max(now.checked_sub(KEPT).unwrap_or(span.from)), to: span.to.min(just_after(now)) };
        let agents: Vec<&Agent> = self.agents.values().filter(|agent| wanted(agent)).collect();
        let mut events = Vec::new();
        let told = self.threats.values().flat_map(|stored| self.told(stored));
        events.extend(told.filter(|event| self.agents.get(&event.agent).is_some_and(&wanted)));
        for agent in &agents {
            let english = self.site(agent.site).is_some_and(|site| site.language == crate::fleet::Language::English);
            events.extend(background::events(agent, &stage(agent), english, span));
            events.extend(agent.loaded.iter().cloned());
        }
        events.retain(|event| {
            span.has(event.at) && self.agents.get(&event.agent).is_some_and(|agent| reported(agent, event))
        });
        events
    }

    /// What belongs to a threat's chain of causes on its own endpoint, by time.
    pub(crate) fn events_of_threat(&self, threat: &Stored, now: Timestamp) -> Vec<Event> {
        let storyline = text(&threat.doc, "/threatInfo/storyline");
        let Some(agent) = self.agents.get(&threat.agent) else { return Vec::new() };
        let same = |other: &&Stored| text(&other.doc, "/threatInfo/storyline") == storyline;
        let threats = agent.threats.iter().filter_map(|id| self.threats.get(id)).filter(same);
        let mut events: Vec<Event> = threats
            .flat_map(|stored| self.told(stored))
            .filter(|event| event.agent == agent.id && event.belongs_to(storyline))
            .filter(|event| event.at <= now && reported(agent, event))
            .collect();
        events.sort_by_key(|event| (event.at, event.id));
        events
    }

    /// A threat's whole story.
    fn told(&self, stored: &Stored) -> Vec<Event> {
        let Some(agent) = self.agents.get(&stored.agent) else { return Vec::new() };
        let storyline = text(&stored.doc, "/threatInfo/storyline");
        let same = |id: &&u64| {
            self.threats.get(*id).is_some_and(|other| text(&other.doc, "/threatInfo/storyline") == storyline)
        };
        let killed = agent.threats.iter().filter(same).filter_map(|id| self.threats.get(id)).filter_map(killed).min();
        let Some(at) = clock::parse(text(&stored.doc, "/threatInfo/createdAt")) else { return Vec::new() };
        let telling = Telling { at, storyline, killed };
        let find = |host: &str| self.find_agent(stored.site, host).map(stage);
        match &stored.story {
            Some(story) => story.tell(&telling, find),
            None => generic::story(&stored.doc, &agent.host).tell(&telling, find),
        }
    }
}

fn stage(agent: &Agent) -> Stage {
    let address = text(&agent.doc, "/networkInterfaces/0/inet/0").to_owned();
    Stage { agent: agent.id, user: agent.user.clone(), address }
}

/// When the endpoint killed the threat's processes by order. What it did by itself is part of the story.
fn killed(stored: &Stored) -> Option<Timestamp> {
    let list = stored.doc["mitigationStatus"].as_array()?;
    let kill = list.iter().find(|entry| text(entry, "/action") == "kill" && text(entry, "/status") == "success")?;
    let ended = clock::parse(text(kill, "/mitigationEndedAt"))?;
    (text(kill, "/mitigationEndedAt") != text(&stored.doc, "/threatInfo/createdAt")).then_some(ended)
}

/// Whether an event could happen and reached the console: the endpoint was not cut off, nor out of reach since.
fn reported(agent: &Agent, event: &Event) -> bool {
    let cut = |(from, to): &(Timestamp, Option<Timestamp>)| event.at >= *from && to.is_none_or(|to| event.at < to);
    let silent = !agent.online && clock::parse(text(&agent.doc, "/lastActiveDate")).is_some_and(|last| event.at > last);
    let cut_off = event.what.is_remote() && agent.cuts.iter().any(cut);
    !silent && !cut_off
}

/// The end of a span that has the present in it.
fn just_after(now: Timestamp) -> Timestamp {
    clock::later(now, Duration::from_micros(1))
}
