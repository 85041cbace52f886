//! What endpoints record around one threat, written down by its scenario: who runs, who starts whom, and what each
//! does, in seconds before or after the alert. Told for a threat, it becomes events; those that lie ahead show when
//! their time has come, and those of a process that was killed in the meantime never happen.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::programs::Program;
use super::{Event, FileChange, Hashes, Process, RegistryChange, What, event_id};
use crate::digest;

/// A story is written for one host and may have scenes on others.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    hosts: Vec<String>,
    players: Vec<Player>,
    moments: Vec<Moment>,
}

/// A process of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who(usize);

#[derive(Clone, Debug)]
struct Player {
    host: usize,
    program: Program,
    command: String,
    by: Option<Who>,
    /// Seconds from the alert; `None` for what was already running.
    started: Option<f64>,
    user: Option<String>,
    /// Was already running and yet belongs to the threat's chain of causes.
    involved: bool,
}

#[derive(Clone, Debug)]
struct Moment {
    at: f64,
    who: Who,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Start(Who),
    Reach(Who, &'static str),
    Do(What),
}

/// Whose endpoint a scene plays on, as far as events tell.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) agent: u64,
    /// `DOMAIN\account` of the person who works there.
    pub(crate) user: String,
    pub(crate) address: String,
}

/// What telling a story needs to know of its threat.
#[derive(Clone, Debug)]
pub(crate) struct Telling<'a> {
    /// The alert's time.
    pub(crate) at: Timestamp,
    pub(crate) storyline: &'a str,
    /// When the endpoint killed its processes, if it did.
    pub(crate) killed: Option<Timestamp>,
}

impl Story {
    pub(crate) fn on(host: &str) -> Self {
        Self { hosts: vec![host.to_owned()], players: Vec::new(), moments: Vec::new() }
    }

    /// An ordinary program that was already running.
    pub(crate) fn running(&mut self, program: Program) -> Who {
        self.cast(0, program, None)
    }

    /// The same on another host of the customer.
    pub(crate) fn running_on(&mut self, host: &str, program: Program) -> Who {
        let known = self.hosts.iter().position(|name| name == host);
        let at = known.unwrap_or_else(|| {
            self.hosts.push(host.to_owned());
            self.hosts.len() - 1
        });
        self.cast(at, program, None)
    }

    fn cast(&mut self, host: usize, program: Program, user: Option<String>) -> Who {
        let command = program.image.clone().into_owned();
        self.players.push(Player { host, program, command, by: None, started: None, user, involved: false });
        Who(self.players.len() - 1)
    }

    /// `by` starts a program with this command line.
    pub(crate) fn start(&mut self, at: f64, by: Who, program: Program, command: &str) -> Who {
        let host = self.players[by.0].host;
        // A child runs as its parent does, unless a service starts it for somebody.
        let user = self.players[by.0].user.clone();
        let command = command.to_owned();
        self.players.push(Player { host, program, command, by: Some(by), started: Some(at), user, involved: true });
        let who = Who(self.players.len() - 1);
        self.moments.push(Moment { at, who: by, act: Act::Start(who) });
        who
    }

    /// A program that runs for a moment and ends: `net stop`, `whoami`.
    pub(crate) fn run(&mut self, at: f64, by: Who, program: Program, command: &str) -> Who {
        let who = self.start(at, by, program, command);
        self.end(at + 0.4, who)
    }

    /// Lets a process run as somebody else.
    pub(crate) fn as_user(&mut self, who: Who, user: &str) {
        self.players[who.0].user = Some(user.to_owned());
    }

    /// Takes a program that was already running into the threat's chain of causes.
    pub(crate) fn involve(&mut self, who: Who) -> Who {
        self.players[who.0].involved = true;
        who
    }

    pub(crate) fn end(&mut self, at: f64, who: Who) -> Who {
        self.act(at, who, What::Ended)
    }

    pub(crate) fn file(&mut self, at: f64, who: Who, change: FileChange, path: &str) -> Who {
        let (path, size) = (path.to_owned(), 2_000 + digest::number(path) % 900_000);
        self.act(at, who, What::File { change, path, old_path: String::new(), hashes: Hashes::default(), size })
    }

    /// A program file is written, and the endpoint takes its hashes.
    pub(crate) fn drop(&mut self, at: f64, who: Who, program: &Program) -> Who {
        let size = 40_000 + digest::number(&program.name) % 3_000_000;
        let (path, hashes) = (program.image.clone().into_owned(), program.hashes());
        self.act(at, who, What::File { change: FileChange::Created, path, old_path: String::new(), hashes, size })
    }

    /// A scan comes upon a program file.
    pub(crate) fn found(&mut self, at: f64, who: Who, program: &Program) -> Who {
        let (path, hashes) = (program.image.clone().into_owned(), program.hashes());
        let (change, old_path, size) = (FileChange::Scanned, String::new(), 40_000 + digest::number(&path) % 3_000_000);
        self.act(at, who, What::File { change, path, old_path, hashes, size })
    }

    pub(crate) fn rename(&mut self, at: f64, who: Who, from: &str, to: &str) -> Who {
        let (path, old_path, size) = (to.to_owned(), from.to_owned(), 2_000 + digest::number(from) % 900_000);
        let hashes = Hashes::default();
        self.act(at, who, What::File { change: FileChange::Renamed, path, old_path, hashes, size })
    }

    pub(crate) fn registry(&mut self, at: f64, who: Who, key: &str, value: &str, data: &str) -> Who {
        let (key, value, data) = (key.to_owned(), value.to_owned(), data.to_owned());
        let change = RegistryChange::ValueSet;
        self.act(at, who, What::Registry { change, key, value, data, old_data: String::new() })
    }

    /// A name is looked up and the address that came back is connected to.
    pub(crate) fn visit(&mut self, at: f64, who: Who, name: &str, address: &str, port: u16) -> Who {
        let (dns, answers) = (name.to_owned(), format!("{address};"));
        self.act(at, who, What::Dns { name: dns, answers });
        self.connect(at + 0.1, who, address, port)
    }

    pub(crate) fn connect(&mut self, at: f64, who: Who, address: &str, port: u16) -> Who {
        let (from, from_port) = (String::new(), ephemeral(address, self.moments.len()));
        let to = address.to_owned();
        self.act(at, who, What::Connect { from, from_port, to, port, incoming: false, succeeded: true })
    }

    /// A connection from another host comes in at a port of this one.
    pub(crate) fn accept(&mut self, at: f64, who: Who, from: &str, port: u16) -> Who {
        let from_port = ephemeral(from, self.moments.len());
        let (from, to) = (from.to_owned(), String::new());
        self.act(at, who, What::Connect { from, from_port, to, port, incoming: true, succeeded: true })
    }

    pub(crate) fn fetch(&mut self, at: f64, who: Who, method: &'static str, url: &str) -> Who {
        self.act(at, who, What::Url { method, url: url.to_owned() })
    }

    /// `DOMAIN\account` logs on; from another host when `from` is an address.
    pub(crate) fn log_on(&mut self, at: f64, who: Who, user: &str, kind: &'static str, from: &str) -> Who {
        let (domain, user) = user.split_once('\\').unwrap_or(("", user));
        let (user, domain, from) = (user.to_owned(), domain.to_owned(), from.to_owned());
        self.act(at, who, What::LogOn { user, domain, kind, from, succeeded: true, off: false })
    }

    pub(crate) fn module(&mut self, at: f64, who: Who, path: &str, publisher: &str) -> Who {
        let (hashes, publisher) = (Hashes::of(path), publisher.to_owned());
        self.act(at, who, What::Module { path: path.to_owned(), hashes, publisher, driver: false })
    }

    pub(crate) fn task(&mut self, at: f64, who: Who, change: &'static str, name: &str, path: &str) -> Who {
        self.act(at, who, What::Task { change, name: name.to_owned(), path: path.to_owned() })
    }

    pub(crate) fn indicate(&mut self, at: f64, who: Who, category: &str, name: &str, description: &str) -> Who {
        let (name, category, description) = (name.to_owned(), category.to_owned(), description.to_owned());
        self.act(at, who, What::Indicator { name, category, description, metadata: String::new() })
    }

    /// `who` opens another process, e.g. to read its memory.
    pub(crate) fn reach(&mut self, at: f64, who: Who, target: Who, how: &'static str) -> Who {
        self.moments.push(Moment { at, who, act: Act::Reach(target, how) });
        who
    }

    pub(crate) fn script(&mut self, at: f64, who: Who, content: &str) -> Who {
        self.act(at, who, What::Script { content: content.to_owned() })
    }

    fn act(&mut self, at: f64, who: Who, what: What) -> Who {
        self.moments.push(Moment { at, who, act: Act::Do(what) });
        who
    }

    /// The story's events by time. `stage` finds a host of the customer by name; scenes on a host it does not know
    /// are left out.
    pub(crate) fn tell(&self, of: &Telling<'_>, stage: impl Fn(&str) -> Option<Stage>) -> Vec<Event> {
        let stages: Vec<Option<Stage>> = self.hosts.iter().map(|host| stage(host)).collect();
        let processes = self.processes(of, &stages);
        let mut events = Vec::new();
        for (n, moment) in self.moments.iter().enumerate() {
            let player = &self.players[moment.who.0];
            let Some(stage) = &stages[player.host] else { continue };
            let Some(process) = &processes[moment.who.0] else { continue };
            let at = shifted(of.at, moment.at);
            let what = match &moment.act {
                Act::Start(who) => processes[who.0].clone().map(What::Started),
                Act::Reach(who, how) => processes[who.0].clone().map(|target| What::Reached { target, how }),
                Act::Do(what) => Some(fill(what, stage)),
            };
            let Some(what) = what else { continue };
            if of.killed.is_some_and(|killed| at > killed) && process.storyline == of.storyline {
                continue;
            }
            let id = event_id(&format!("{} {} {n}", of.storyline, stage.agent));
            events.push(Event { id, at, agent: stage.agent, process: process.clone(), what });
        }
        if let Some(killed) = of.killed {
            events.extend(self.killed(of, killed, &processes, &stages));
        }
        events.sort_by_key(|event| (event.at, event.id));
        events
    }

    fn processes(&self, of: &Telling<'_>, stages: &[Option<Stage>]) -> Vec<Option<Arc<Process>>> {
        let mut processes: Vec<Option<Arc<Process>>> = Vec::new();
        for (n, player) in self.players.iter().enumerate() {
            // A parent always stands before its children.
            let parent = player.by.and_then(|by| processes[by.0].clone());
            let made = stages[player.host].as_ref().map(|stage| match player.started {
                None => {
                    let process = running(&player.program, stage, player.user.as_deref(), of.at);
                    let storyline = of.storyline.to_owned();
                    if player.involved { Arc::new(Process { storyline, ..(*process).clone() }) } else { process }
                }
                Some(started) => {
                    let label = format!("{} {} {n}", of.storyline, stage.agent);
                    let user = player.user.clone().or_else(|| parent.as_ref().map(|parent| parent.user.clone()));
                    let integrity = if player.program.system || user.as_deref() == Some(LOCAL_SYSTEM) {
                        "SYSTEM"
                    } else {
                        "MEDIUM"
                    };
                    Arc::new(Process {
                        key: digest::storyline(&label),
                        parent,
                        pid: pid(&label),
                        name: player.program.name.clone().into_owned(),
                        image: player.program.image.replace("{user}", account(&stage.user)),
                        command: player.command.replace("{user}", account(&stage.user)),
                        user: if player.program.system { LOCAL_SYSTEM.to_owned() } else { user.unwrap_or_default() },
                        started: Some(shifted(of.at, started)),
                        integrity,
                        hashes: player.program.hashes(),
                        publisher: player.program.publisher.clone().into_owned(),
                        storyline: of.storyline.to_owned(),
                    })
                }
            });
            processes.push(made);
        }
        processes
    }

    /// The ends of the story's processes that were still running when the endpoint killed them.
    fn killed(
        &self,
        of: &Telling<'_>,
        killed: Timestamp,
        processes: &[Option<Arc<Process>>],
        stages: &[Option<Stage>],
    ) -> Vec<Event> {
        let ended = |who: Who| {
            self.moments.iter().any(|moment| {
                moment.who == who && matches!(moment.act, Act::Do(What::Ended)) && shifted(of.at, moment.at) <= killed
            })
        };
        let mut events = Vec::new();
        for (n, player) in self.players.iter().enumerate() {
            let (Some(stage), Some(process)) = (&stages[player.host], &processes[n]) else { continue };
            let ran = player.started.is_some_and(|started| shifted(of.at, started) <= killed);
            if player.host == 0 && ran && !ended(Who(n)) {
                let id = event_id(&format!("{} {} killed {n}", of.storyline, stage.agent));
                events.push(Event { id, at: killed, agent: stage.agent, process: process.clone(), what: What::Ended });
            }
        }
        events
    }
}

const LOCAL_SYSTEM: &str = r"NT AUTHORITY\SYSTEM";

/// An ordinary program as it runs on an endpoint on the day of `at`: the same process for everybody who asks.
pub(crate) fn running(program: &Program, stage: &Stage, user: Option<&str>, at: Timestamp) -> Arc<Process> {
    let day = at.as_second().div_euclid(86_400);
    let label = format!("{} {} {day}", stage.agent, program.image);
    let user = match (user, program.system) {
        (Some(user), _) => user,
        (None, true) => LOCAL_SYSTEM,
        (None, false) => &stage.user,
    };
    // Programs of the machine ran before the agent did; those of a person since the morning.
    let morning = Timestamp::from_second(day * 86_400 + 1_200).ok().filter(|morning| *morning < at);
    Arc::new(Process {
        key: digest::storyline(&label),
        parent: None,
        pid: if program.name == "System" { 4 } else { pid(&label) },
        name: program.name.clone().into_owned(),
        image: program.image.replace("{user}", account(&stage.user)),
        command: program.image.replace("{user}", account(&stage.user)),
        user: user.to_owned(),
        started: if program.system { None } else { morning },
        integrity: if program.system { "SYSTEM" } else { "MEDIUM" },
        hashes: program.hashes(),
        publisher: program.publisher.clone().into_owned(),
        storyline: digest::storyline(&format!("line {label}")),
    })
}

pub(crate) fn pid(label: &str) -> u32 {
    // Windows hands out multiples of four.
    u32::try_from(250 + digest::number(label) % 6_000).unwrap_or(250) * 4
}

/// `account` of `DOMAIN\account`.
pub(crate) fn account(user: &str) -> &str {
    user.rsplit('\\').next().unwrap_or(user)
}

fn ephemeral(label: &str, n: usize) -> u16 {
    u16::try_from(49_152 + digest::number(&format!("{label} {n}")) % 16_000).unwrap_or(49_152)
}

fn shifted(at: Timestamp, seconds: f64) -> Timestamp {
    let by = Duration::from_secs_f64(seconds.abs());
    let moved = if seconds < 0.0 { at.checked_sub(by) } else { at.checked_add(by) };
    moved.unwrap_or(at)
}

/// Puts the endpoint's own address and its person's name in.
fn fill(what: &What, stage: &Stage) -> What {
    let named = |text: &str| text.replace("{user}", account(&stage.user));
    let mut what = what.clone();
    match &mut what {
        What::File { path, old_path, .. } => (*path, *old_path) = (named(path), named(old_path)),
        What::Registry { key, data, .. } => (*key, *data) = (named(key), named(data)),
        What::Module { path, .. } | What::Task { path, .. } => *path = named(path),
        What::Connect { from, to, .. } => {
            for end in [from, to] {
                if end.is_empty() {
                    end.clone_from(&stage.address);
                }
            }
        }
        What::Script { content } => *content = named(content),
        _ => {}
    }
    what
}
