//! The console's state and what time does to it. Nothing here waits: what is due is kept with its time and applied,
//! in order, when the next caller looks (`settle`). With a manual clock the same calls therefore give the same world.

pub(crate) mod activity;
pub(crate) mod estate;
pub(crate) mod inventory;
pub(crate) mod lrq;
pub(crate) mod raise;
pub(crate) mod respond;
pub(crate) mod software;
pub(crate) mod unified;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::api::deep::Queries;
use crate::clock::{self, Clock};
use crate::fault::Faults;
use crate::fleet::{Fleet, Language, Role};
use crate::ids::Ids;
use crate::ledger::{self, Ledger};
use crate::limits::Limits;
use crate::telemetry::{Event, Story};
use crate::threat::{Change, Threat};
use crate::token::{Scope, Tokens};
use respond::Mitigation;

/// The most threats one console holds; raising more is refused.
pub(crate) const MAX_THREATS: usize = 500_000;
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How long things take between the console's answer and the endpoint's report.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub mitigation: Duration,
    pub network: Duration,
    pub scan: Duration,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            mitigation: Duration::from_millis(800),
            network: Duration::from_millis(1200),
            scan: Duration::from_secs(120),
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) latency: Latency,
    pub(crate) ids: Ids,
    pub(crate) accounts: Vec<Account>,
    pub(crate) sites: Vec<Site>,
    pub(crate) groups: Vec<Group>,
    pub(crate) agents: BTreeMap<u64, Agent>,
    pub(crate) threats: BTreeMap<u64, Stored>,
    /// What only the unified alerts know of a threat.
    pub(crate) unified: BTreeMap<u64, unified::Extra>,
    pub(crate) activities: Vec<Activity>,
    pub(crate) ledger: Ledger,
    pub(crate) faults: Faults,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    /// The data lake's long-running queries.
    pub(crate) lrq: lrq::Queries,
    /// What will happen, by time and then in the order it was planned.
    due: BTreeMap<(Timestamp, u64), Effect>,
    planned: u64,
    plays: u64,
    /// Threats that later steps of a play refer to, by play and label.
    cast: BTreeMap<(u64, &'static str), u64>,
    /// Collections: the same content in the same account.
    collections: BTreeMap<(u64, String), u64>,
    last_heartbeat: Timestamp,
    /// How often something changed among the threats of a site.
    pub(crate) news: BTreeMap<u64, u64>,
    /// Deep Visibility and PowerQuery questions that were asked.
    pub(crate) queries: Queries,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) doc: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) id: u64,
    pub(crate) account: u64,
    /// The customer's short name.
    pub(crate) key: String,
    pub(crate) language: Language,
    pub(crate) domain: String,
    pub(crate) external_ip: String,
    pub(crate) doc: Value,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: u64,
    pub(crate) site: u64,
    pub(crate) name: String,
    pub(crate) doc: Value,
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: u64,
    pub(crate) site: u64,
    pub(crate) account: u64,
    pub(crate) role: Role,
    pub(crate) host: String,
    /// With the domain, e.g. `HOSHIMI\sato.kenji`.
    pub(crate) user: String,
    pub(crate) online: bool,
    /// Counts network orders, so that an overtaken one does nothing.
    pub(crate) network_turn: u32,
    /// The threats found on it.
    pub(crate) threats: Vec<u64>,
    /// What the endpoint will be told when it is back.
    waiting: Vec<Effect>,
    /// When it was cut off from the network, and until when.
    pub(crate) cuts: Vec<(Timestamp, Option<Timestamp>)>,
    /// Events taken in from recorded sets.
    pub(crate) loaded: Vec<Event>,
    /// The agent as `GET /agents` shows it, always current.
    pub(crate) doc: Value,
}

/// A threat and everything the console keeps with it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) agent: u64,
    pub(crate) site: u64,
    pub(crate) account: u64,
    /// The threat as `GET /threats` shows it, without `agentRealtimeInfo`, which is joined when read.
    pub(crate) doc: Value,
    pub(crate) notes: Vec<Value>,
    pub(crate) shown: Shown,
    /// What endpoints recorded around it; without one it is told from the threat itself.
    pub(crate) story: Option<Box<Story>>,
}

/// What lists show of a threat.
#[derive(Debug)]
pub(crate) enum Shown {
    Now,
    /// A fault holds the newest state back until then; lists show the older one, if there is any.
    Later(Timestamp, Option<Box<Value>>),
}

#[derive(Debug)]
pub(crate) struct Activity {
    pub(crate) site: u64,
    pub(crate) account: u64,
    pub(crate) doc: Value,
}

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Effect {
    Raise {
        site: u64,
        threat: Box<Threat>,
        known_as: Option<(u64, &'static str)>,
    },
    Change {
        known_as: (u64, &'static str),
        change: Box<Change>,
    },
    Mitigated {
        threat: u64,
        action: Mitigation,
        fails: bool,
    },
    Network {
        agent: u64,
        turn: u32,
        cut: bool,
        fails: bool,
    },
    StartScan {
        site: u64,
        host: String,
    },
    Scanned {
        agent: u64,
    },
    /// What a fault held back shows.
    Shown {
        site: u64,
    },
}

impl World {
    pub(crate) fn new(fleet: &Fleet, clock: Clock, latency: Latency, faults: Faults, seed: u64) -> Self {
        let now = clock.now();
        let mut world = Self {
            clock,
            latency,
            ids: Ids::default(),
            accounts: Vec::new(),
            sites: Vec::new(),
            groups: Vec::new(),
            agents: BTreeMap::new(),
            threats: BTreeMap::new(),
            unified: BTreeMap::new(),
            activities: Vec::new(),
            ledger: Ledger::default(),
            faults,
            tokens: Tokens::new(seed),
            limits: Limits::default(),
            lrq: lrq::Queries::default(),
            due: BTreeMap::new(),
            planned: 0,
            plays: 0,
            cast: BTreeMap::new(),
            collections: BTreeMap::new(),
            last_heartbeat: Timestamp::MIN,
            news: BTreeMap::new(),
            queries: Queries::default(),
        };
        for customer in &fleet.customers {
            world.found(customer);
        }
        world.beat(now);
        world
    }

    /// Brings the world up to the present and says when that is.
    pub(crate) fn settle(&mut self) -> Timestamp {
        let now = self.clock.now();
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((at, _), effect) = entry.remove_entry();
            self.apply(effect, at);
        }
        self.beat(now);
        now
    }

    /// When the next thing will happen by itself, if anything will.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn plan(&mut self, at: Timestamp, effect: Effect) {
        self.planned += 1;
        self.due.insert((at, self.planned), effect);
    }

    pub(crate) fn next_play(&mut self) -> u64 {
        self.plays += 1;
        self.plays
    }

    fn apply(&mut self, effect: Effect, at: Timestamp) {
        match effect {
            Effect::Raise { site, threat, known_as } => match self.raise(site, &threat, at) {
                Ok(id) => {
                    if let Some(known_as) = known_as {
                        self.cast.insert(known_as, id);
                    }
                }
                Err(reason) => tracing::warn!(%reason, "a step of a scenario could not be played"),
            },
            Effect::Change { known_as, change } => {
                if let Some(id) = self.cast.get(&known_as).copied() {
                    self.change(id, &change, at);
                }
            }
            Effect::Mitigated { threat, action, fails } => {
                let agent = self.threats.get(&threat).map(|stored| stored.agent);
                self.when_online(agent, Effect::Mitigated { threat, action, fails }, |world| {
                    world.mitigated(threat, action, fails, at);
                });
            }
            Effect::Network { agent, turn, cut, fails } => {
                self.when_online(Some(agent), Effect::Network { agent, turn, cut, fails }, |world| {
                    world.network_settled(agent, turn, cut, fails, at);
                });
            }
            Effect::Shown { site } => *self.news.entry(site).or_default() += 1,
            Effect::StartScan { site, host } => {
                if let Some(agent) = self.find_agent(site, &host).map(|agent| agent.id) {
                    self.scan(agent, at);
                }
            }
            Effect::Scanned { agent } => {
                self.when_online(Some(agent), Effect::Scanned { agent }, |world| world.scanned(agent, at));
            }
        }
    }

    /// Does it if the endpoint can be reached, else keeps it until the endpoint is back.
    fn when_online(&mut self, agent: Option<u64>, effect: Effect, act: impl FnOnce(&mut Self)) {
        match agent.and_then(|id| self.agents.get_mut(&id)) {
            Some(agent) if !agent.online => agent.waiting.push(effect),
            _ => act(self),
        }
    }

    /// Takes an endpoint off the net or puts it back; on its return it is told what waited for it.
    pub(crate) fn set_online(&mut self, id: u64, online: bool, now: Timestamp) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        agent.online = online;
        put(&mut agent.doc, "isActive", online);
        put(&mut agent.doc, "updatedAt", clock::print(now));
        if online {
            put(&mut agent.doc, "lastActiveDate", clock::print(now));
            for effect in std::mem::take(&mut agent.waiting) {
                self.plan(clock::later(now, self.latency.mitigation), effect);
            }
        }
    }

    /// Lets reachable endpoints show a sign of life once a minute.
    fn beat(&mut self, now: Timestamp) {
        if now < clock::later(self.last_heartbeat, HEARTBEAT) {
            return;
        }
        self.last_heartbeat = now;
        for agent in self.agents.values_mut().filter(|agent| agent.online) {
            put(&mut agent.doc, "lastActiveDate", clock::print(now));
        }
    }

    /// See `S1Sim::forget`.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        let limit = clock::print(before);
        self.threats.retain(|_, stored| {
            let resolved = text(&stored.doc, "/threatInfo/incidentStatus") == "resolved";
            !resolved || text(&stored.doc, "/threatInfo/updatedAt") >= limit.as_str()
        });
        self.activities.retain(|activity| text(&activity.doc, "/createdAt") >= limit.as_str());
        let kept = &self.threats;
        self.unified.retain(|id, _| kept.contains_key(id));
        for agent in self.agents.values_mut() {
            agent.threats.retain(|id| kept.contains_key(id));
        }
    }

    pub(crate) fn site(&self, id: u64) -> Option<&Site> {
        self.sites.iter().find(|site| site.id == id)
    }

    /// Finds a site by the customer's short name or by id.
    pub(crate) fn find_site(&self, name: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.key == name || site.id.to_string() == name)
    }

    pub(crate) fn find_agent(&self, site: u64, host: &str) -> Option<&Agent> {
        self.agents.values().find(|agent| agent.site == site && agent.host.eq_ignore_ascii_case(host))
    }

    pub(crate) fn note_effect(&mut self, at: Timestamp, action: &str, target: u64, fails: bool) {
        let outcome = if fails { "failed" } else { "success" };
        let (action, target, outcome) = (action.to_owned(), target.to_string(), outcome.to_owned());
        self.ledger.effects.push(ledger::Effect { at, action, target, outcome });
    }
}

impl Scope {
    pub(crate) fn sees(&self, account: u64, site: u64) -> bool {
        match self {
            Self::Console => true,
            Self::Account(id) => *id == account,
            Self::Site(id) => *id == site,
        }
    }
}

impl Stored {
    /// What lists show at `now`, if they show it at all.
    pub(crate) fn visible(&self, now: Timestamp) -> Option<&Value> {
        match &self.shown {
            Shown::Later(until, old) if *until > now => old.as_deref(),
            _ => Some(&self.doc),
        }
    }
}

/// Sets a member of a JSON object; anything that is no object is left alone.
pub(crate) fn put(object: &mut Value, member: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.to_owned(), value.into());
    }
}

/// The `threatInfo` of a threat.
pub(crate) fn info(doc: &mut Value) -> Option<&mut Map<String, Value>> {
    doc.get_mut("threatInfo")?.as_object_mut()
}

pub(crate) fn text<'a>(doc: &'a Value, pointer: &str) -> &'a str {
    doc.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
