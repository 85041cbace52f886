//! Who is who: every mention of a process finds the one process it means.
//!
//! The endpoint's own key decides; without it pid and start; a pid alone means the latest process that had it by then, since pids
//! are used again; a name alone stands for whoever bears it. A parent that no record shows gets a place all the same.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::ids::AgentId;
use crate::telemetry::{Parent, Process, Record, What};
use crate::untrusted::Untrusted;

/// A process before it has its place in the tree.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) agent: &'a AgentId,
    pub(super) host: &'a Untrusted,
    pub(super) process: Process,
    /// A record shows it; else it is known only from what a child says.
    pub(super) shown: bool,
    pub(super) parent: Option<usize>,
    pub(super) first_seen: Option<Timestamp>,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
}

/// Everybody, and where each record's processes are among them.
#[derive(Debug, Default)]
pub(super) struct Census<'a> {
    pub(super) drafts: Vec<Draft<'a>>,
    /// By record: the process that acted.
    pub(super) actors: Vec<Option<usize>>,
    /// By record: the process started or reached.
    pub(super) targets: Vec<Option<usize>>,
    by_key: HashMap<(&'a str, String), usize>,
    by_start: HashMap<(&'a str, u32, Timestamp), usize>,
    /// In order of start once `sort_pids` ran.
    by_pid: HashMap<(&'a str, u32), Vec<usize>>,
    loose: HashMap<(&'a str, Option<u32>, String), usize>,
}

/// How many earlier bearers of one pid are asked for their name: a flood of them must not cost its square.
const MAX_BEARERS: usize = 16;

impl<'a> Census<'a> {
    pub(super) fn take(records: &'a [Record], repeated: &[bool]) -> Self {
        let mut census =
            Self { actors: vec![None; records.len()], targets: vec![None; records.len()], ..Self::default() };
        for sure in [true, false] {
            for (index, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
                if has_name_of_its_own(&record.process) == sure {
                    census.actors[index] = census.find(record, &record.process, sure);
                }
                if let Some(target) = target(record)
                    && has_name_of_its_own(target) == sure
                {
                    census.targets[index] = census.find(record, target, sure);
                }
            }
            census.sort_pids();
        }
        census.note_times(records, repeated);
        census.find_parents(records, repeated);
        census
    }

    fn find(&mut self, record: &'a Record, process: &Process, sure: bool) -> Option<usize> {
        let agent = record.agent.as_str();
        let found = if sure { self.find_sure(agent, process) } else { self.find_likely(agent, process, record.at) };
        let index = match found {
            Some(index) => {
                complete(&mut self.drafts[index].process, process);
                index
            }
            None if sure || process.pid.is_some() || name_of(process).is_some() => self.add(record, process.clone()),
            None => return None,
        };
        self.drafts[index].shown = true;
        self.register(agent, index, process, sure);
        Some(index)
    }

    fn find_sure(&self, agent: &'a str, process: &Process) -> Option<usize> {
        let start = || self.by_start.get(&(agent, process.pid?, process.started_at?)).copied();
        let Some(key) = &process.key else { return start() };
        let by_key = self.by_key.get(&(agent, key.for_matching().to_owned())).copied();
        // Seen before without its key. One that has another key is another process, whatever its pid.
        by_key.or_else(|| start().filter(|index| self.drafts[*index].process.key.is_none()))
    }

    fn find_likely(&self, agent: &'a str, process: &Process, at: Option<Timestamp>) -> Option<usize> {
        let name = name_of(process);
        let by_pid = process.pid.and_then(|pid| self.bearer(agent, pid, name.as_deref(), at));
        by_pid.or_else(|| self.loose.get(&(agent, process.pid, name.unwrap_or_default())).copied())
    }

    /// The latest process that had this pid at `at` and bears this name, as far as both are known.
    fn bearer(&self, agent: &'a str, pid: u32, name: Option<&str>, at: Option<Timestamp>) -> Option<usize> {
        let bearers = self.by_pid.get(&(agent, pid))?;
        let begun = match at {
            Some(at) => bearers.partition_point(|b| self.drafts[*b].process.started_at.is_none_or(|s| s <= at)),
            None => bearers.len(),
        };
        let agrees = |b: &&usize| match (name, name_of(&self.drafts[**b].process)) {
            (Some(name), Some(other)) => name == other,
            _ => true,
        };
        bearers[..begun].iter().rev().take(MAX_BEARERS).find(agrees).copied()
    }

    fn add(&mut self, record: &'a Record, process: Process) -> usize {
        self.drafts.push(Draft {
            agent: &record.agent,
            host: &record.host,
            process,
            shown: false,
            parent: None,
            first_seen: None,
            last_seen: None,
            ended_at: None,
        });
        self.drafts.len() - 1
    }

    fn register(&mut self, agent: &'a str, index: usize, process: &Process, sure: bool) {
        if !sure {
            self.loose.entry((agent, process.pid, name_of(process).unwrap_or_default())).or_insert(index);
            return;
        }
        if let Some(key) = &process.key {
            self.by_key.insert((agent, key.for_matching().to_owned()), index);
        }
        if let Some(pid) = process.pid {
            if let Some(start) = process.started_at {
                self.by_start.entry((agent, pid, start)).or_insert(index);
            }
            let bearers = self.by_pid.entry((agent, pid)).or_default();
            if bearers.last() != Some(&index) {
                bearers.push(index);
            }
        }
    }

    fn sort_pids(&mut self) {
        for bearers in self.by_pid.values_mut() {
            bearers.sort_by_key(|b| (self.drafts[*b].process.started_at, *b));
            bearers.dedup();
        }
    }

    fn note_times(&mut self, records: &[Record], repeated: &[bool]) {
        for (index, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
            let Some(at) = record.at else { continue };
            for place in [self.actors[index], self.targets[index]].into_iter().flatten() {
                let draft = &mut self.drafts[place];
                draft.first_seen = Some(draft.first_seen.map_or(at, |first| first.min(at)));
                draft.last_seen = Some(draft.last_seen.map_or(at, |last| last.max(at)));
            }
            if let (What::ProcessEnded, Some(actor)) = (&record.what, self.actors[index]) {
                let draft = &mut self.drafts[actor];
                draft.ended_at = Some(draft.ended_at.map_or(at, |ended| ended.max(at)));
            }
        }
    }

    /// Who was seen starting it comes before what it says of its parent: that can be forged.
    fn find_parents(&mut self, records: &'a [Record], repeated: &[bool]) {
        for (index, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
            if let (What::ProcessStarted(_), Some(child)) = (&record.what, self.targets[index]) {
                let creator = self.actors[index].filter(|actor| *actor != child);
                self.drafts[child].parent = self.drafts[child].parent.or(creator);
            }
        }
        for (index, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
            for child in [self.actors[index], self.targets[index]].into_iter().flatten() {
                if self.drafts[child].parent.is_none()
                    && let Some(claim) = self.drafts[child].process.parent.clone()
                {
                    self.drafts[child].parent = self.find_claimed(record, child, claim);
                }
            }
        }
    }

    fn find_claimed(&mut self, record: &'a Record, child: usize, claim: Parent) -> Option<usize> {
        let claimed = Process {
            key: claim.key,
            pid: claim.pid,
            name: claim.name,
            image: claim.image,
            command_line: claim.command_line,
            ..Process::default()
        };
        let agent = record.agent.as_str();
        let begun = self.drafts[child].process.started_at.or(self.drafts[child].first_seen);
        let sure = has_name_of_its_own(&claimed);
        let found = if sure { self.find_sure(agent, &claimed) } else { self.find_likely(agent, &claimed, begun) };
        match found {
            Some(parent) if parent == child => None,
            Some(parent) => {
                complete(&mut self.drafts[parent].process, &claimed);
                Some(parent)
            }
            None if sure || claimed.pid.is_some() || name_of(&claimed).is_some() => {
                let parent = self.add(record, claimed.clone());
                self.register(agent, parent, &claimed, sure);
                Some(parent)
            }
            None => None,
        }
    }
}

/// The other process of a record, if it is about one.
fn target(record: &Record) -> Option<&Process> {
    match &record.what {
        What::ProcessStarted(process) | What::ProcessReached { target: process, .. } => Some(process),
        _ => None,
    }
}

fn has_name_of_its_own(process: &Process) -> bool {
    process.key.is_some() || (process.pid.is_some() && process.started_at.is_some())
}

/// The file name in lower case, which is what different records of one process agree on.
pub(super) fn name_of(process: &Process) -> Option<String> {
    let text = process.image.as_ref().or(process.name.as_ref())?.for_matching();
    let name = text.rsplit(['\\', '/']).next().unwrap_or(text).trim().to_lowercase();
    (!name.is_empty()).then_some(name)
}

/// Fills in what was not known yet. What was known stays: the first record of a process is the one nearest its start.
fn complete(known: &mut Process, more: &Process) {
    fn fill<T: Clone>(known: &mut Option<T>, more: &Option<T>) {
        if known.is_none() {
            known.clone_from(more);
        }
    }
    fill(&mut known.key, &more.key);
    fill(&mut known.parent, &more.parent);
    fill(&mut known.pid, &more.pid);
    fill(&mut known.name, &more.name);
    fill(&mut known.image, &more.image);
    fill(&mut known.command_line, &more.command_line);
    fill(&mut known.user, &more.user);
    fill(&mut known.started_at, &more.started_at);
    fill(&mut known.integrity, &more.integrity);
    fill(&mut known.hashes.sha256, &more.hashes.sha256);
    fill(&mut known.hashes.sha1, &more.hashes.sha1);
    fill(&mut known.hashes.md5, &more.hashes.md5);
    if known.signature == crate::alert::Signature::Unknown {
        known.signature.clone_from(&more.signature);
    }
}
