//! Scenarios: short plays over the endpoints of one customer. A scenario is a function from the cast (who is there)
//! to a timeline of steps; the world performs the steps when their time has come. To add one, write a file in
//! `scenarios/` and one line in `ALL`.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::fleet::{Host, Language, Role};
use crate::scenarios;
use crate::threat::{Change, Threat};
use crate::world::{Effect, Site, World, text};

/// One play: its name on command lines, what it shows, and its timeline.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    pub(crate) steps: fn(&mut Cast<'_>) -> Vec<Step>,
}

/// Every scenario there is.
pub const ALL: &[Scenario] = &[
    scenarios::ransomware_workstation::SCENARIO,
    scenarios::ransomware_hosts::SCENARIO,
    scenarios::credential_theft_lateral::SCENARIO,
    scenarios::phishing_document::SCENARIO,
    scenarios::pua::SCENARIO,
    scenarios::admin_tool::SCENARIO,
    scenarios::static_unknown_file::SCENARIO,
    scenarios::full_disk_scan::SCENARIO,
    scenarios::exfiltration::SCENARIO,
    scenarios::wiper::SCENARIO,
];

pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

/// Something that happens at an offset from the play's start.
#[derive(Debug)]
pub(crate) struct Step {
    after: Duration,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A threat comes up; later steps know it by the label.
    Raise(&'static str, Box<Threat>),
    /// More becomes known about the threat with that label.
    Change(&'static str, Box<Change>),
    /// A full disk scan starts on that host.
    Scan(String),
}

/// Starts a step: `at(2.5).raise("locker", threat)`.
pub(crate) fn at(seconds: f64) -> Offset {
    Offset(Duration::from_secs_f64(seconds))
}

pub(crate) struct Offset(Duration);

impl Offset {
    pub(crate) fn raise(self, label: &'static str, threat: Threat) -> Step {
        Step { after: self.0, what: What::Raise(label, Box::new(threat)) }
    }

    pub(crate) fn scan(self, host: &str) -> Step {
        Step { after: self.0, what: What::Scan(host.to_owned()) }
    }

    pub(crate) fn change(self, label: &'static str, change: Change) -> Step {
        Step { after: self.0, what: What::Change(label, Box::new(change)) }
    }
}

/// The endpoints a play can use, and the customer's language.
#[derive(Debug)]
pub(crate) struct Cast<'a> {
    world: &'a mut World,
    site: Site,
    now: Timestamp,
}

impl Cast<'_> {
    /// The name of the `n`-th endpoint of a role. A customer without one gets one.
    pub(crate) fn host(&mut self, role: Role, n: usize) -> String {
        let mut of_role = self.world.agents.values().filter(|agent| agent.site == self.site.id && agent.role == role);
        match of_role.nth(n) {
            Some(agent) => agent.host.clone(),
            None => self.install(&format!("EXTRA-{n:02}-{}", self.site.domain), role),
        }
    }

    /// A host name that no endpoint of the customer has yet.
    pub(crate) fn fresh_name(&self, stem: &str) -> String {
        let taken = |name: &str| self.world.find_agent(self.site.id, name).is_some();
        let mut names = (1..).map(|n| format!("{}-{stem}{n:02}", self.site.domain));
        names.find(|name| !taken(name)).unwrap_or_else(|| stem.to_owned())
    }

    /// Installs an agent on a machine that had none.
    pub(crate) fn install(&mut self, name: &str, role: Role) -> String {
        if self.world.find_agent(self.site.id, name).is_none() {
            self.world.enrol(self.site.id, &Host::new(name, role, "newcomer"), self.now);
        }
        name.to_owned()
    }

    /// The address of an endpoint of the customer; empty when there is no such endpoint.
    pub(crate) fn address(&self, host: &str) -> String {
        let agent = self.world.find_agent(self.site.id, host);
        agent.map(|agent| text(&agent.doc, "/networkInterfaces/0/inet/0").to_owned()).unwrap_or_default()
    }

    /// Who works at an endpoint, as `DOMAIN\account`.
    pub(crate) fn user(&self, host: &str) -> String {
        self.world.find_agent(self.site.id, host).map(|agent| agent.user.clone()).unwrap_or_default()
    }

    /// The wording for the customer: a bilingual one writes its files in Japanese.
    pub(crate) fn say(&self, japanese: &'static str, english: &'static str) -> &'static str {
        match self.site.language {
            Language::English => english,
            Language::Japanese | Language::Both => japanese,
        }
    }
}

impl World {
    /// Plans a scenario on a site from `now` on and says how long it takes.
    pub(crate) fn play(&mut self, scenario: &Scenario, site: u64, now: Timestamp) -> Duration {
        let Some(place) = self.site(site).cloned() else { return Duration::ZERO };
        let play = self.next_play();
        let steps = (scenario.steps)(&mut Cast { world: self, site: place, now });
        let takes = steps.iter().map(|step| step.after).max().unwrap_or_default();
        for step in steps {
            let effect = match step.what {
                What::Raise(label, mut threat) => {
                    threat.scenario = Some(scenario.name.to_owned());
                    // The same story told again is another storyline.
                    threat.storyline = threat.storyline.map(|line| format!("{line}/{play}/{now}"));
                    Effect::Raise { site, threat, known_as: Some((play, label)) }
                }
                What::Change(label, change) => Effect::Change { known_as: (play, label), change },
                What::Scan(host) => Effect::StartScan { site, host },
            };
            self.plan(later(now, step.after), effect);
        }
        takes
    }
}
