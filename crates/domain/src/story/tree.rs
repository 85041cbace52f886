//! The process tree: parents, cycles cut, depth and size bounded, and what each process did.

use std::cmp::Reverse;
use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::census::{Census, Draft};
use super::deeds::{Deeds, Ledger};
use super::ties::Ties;
use super::{Context, MAX_DEPTH, MAX_NODES, Seen};
use crate::commandline::{self, Decoded};
use crate::ids::AgentId;
use crate::telemetry::{Process, Record};
use crate::untrusted::Untrusted;

/// A place in `Tree::nodes`.
pub type NodeId = usize;

/// The processes of an incident, parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// Those without a parent that is known, by endpoint and time.
    pub roots: Vec<NodeId>,
    /// Processes beyond `MAX_NODES`.
    pub processes_left_out: usize,
    /// Records that name no process at all, or one that was left out. The timeline has them.
    pub records_without_place: usize,
}

/// One process on one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub agent: AgentId,
    pub host: Untrusted,
    pub process: Process,
    /// No record shows it; only a child names it.
    pub named_only: bool,
    pub parent: Option<NodeId>,
    pub children: Vec<NodeId>,
    pub children_left_out: usize,
    pub depth: u32,
    /// A root only because the chain above it is deeper than a tree may be: here it goes on from.
    pub continues: Option<NodeId>,
    /// Its records name an ancestry that runs in a circle, so its parent is not believed.
    pub circular: bool,
    /// What its command line says once unwrapped; `None` without a command line.
    pub command: Option<Decoded>,
    pub did: Vec<Deeds>,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub ties: Ties,
    pub seen: Option<Seen>,
}

impl Tree {
    /// From the root down to `node`.
    pub fn way_to(&self, node: NodeId) -> Vec<NodeId> {
        let mut way: Vec<NodeId> =
            std::iter::successors(Some(node), |n| self.nodes.get(*n)?.parent).take(MAX_DEPTH as usize).collect();
        way.reverse();
        way
    }

    /// Depth first, as it is drawn, each once.
    pub fn walk(&self) -> Vec<NodeId> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open: Vec<NodeId> = self.roots.iter().rev().copied().collect();
        while let Some(node) = open.pop() {
            order.push(node);
            open.extend(self.nodes[node].children.iter().rev());
        }
        order
    }
}

/// By record: the node that acted.
pub(super) type Places = Vec<Option<NodeId>>;

pub(super) fn grow(
    records: &[Record],
    mut census: Census<'_>,
    ties: &[Ties],
    repeated: &[bool],
    context: &Context<'_>,
) -> (Tree, Places) {
    let circular = cut_circles(&mut census.drafts);
    let Shape { depth, continues } = fold_depth(&mut census.drafts);
    let ties = lead_to_alerts(&census.drafts, ties, &continues);
    let kept = choose(&census.drafts, &ties);

    let mut order: Vec<usize> = (0..census.drafts.len()).filter(|d| kept[*d]).collect();
    order.sort_by_key(|d| {
        let draft = &census.drafts[*d];
        (depth[*d], draft.agent, began(draft).is_none(), began(draft), *d)
    });
    let mut place = vec![None; census.drafts.len()];
    for (node, draft) in order.iter().enumerate() {
        place[*draft] = Some(node);
    }

    let places: Places = census.actors.iter().map(|actor| place[(*actor)?]).collect();
    let mut ledgers: Vec<Ledger> = order.iter().map(|_| Ledger::default()).collect();
    let mut records_without_place = 0;
    for (index, record) in records.iter().enumerate().filter(|(index, _)| !repeated[*index]) {
        match places[index] {
            Some(node) => ledgers[node].enter(index, record),
            None => records_without_place += 1,
        }
    }

    let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
    for (draft_index, ledger) in order.iter().zip(ledgers) {
        let draft = &census.drafts[*draft_index];
        let command = draft.process.command_line.as_ref().map(|line| commandline::decode(line.for_matching()));
        nodes.push(Node {
            agent: draft.agent.clone(),
            host: draft.host.clone(),
            process: draft.process.clone(),
            named_only: !draft.shown,
            parent: draft.parent.and_then(|parent| place[parent]),
            children: Vec::new(),
            children_left_out: 0,
            depth: depth[*draft_index],
            continues: continues[*draft_index].and_then(|from| place[from]),
            circular: circular[*draft_index],
            command,
            did: ledger.deeds(records),
            first_seen: draft.first_seen,
            last_seen: draft.last_seen,
            ended_at: draft.ended_at,
            ties: ties[*draft_index],
            seen: draft.process.hashes.all().find_map(|hash| context.seen.get(hash)).copied(),
        });
    }
    let mut roots = Vec::new();
    for node in 0..nodes.len() {
        match nodes[node].parent {
            Some(parent) => nodes[parent].children.push(node),
            None => roots.push(node),
        }
    }
    for (index, draft) in census.drafts.iter().enumerate().filter(|(index, _)| !kept[*index]) {
        debug_assert!(place[index].is_none());
        if let Some(parent) = draft.parent.and_then(|parent| place[parent]) {
            nodes[parent].children_left_out += 1;
        }
    }
    let processes_left_out = kept.iter().filter(|kept| !**kept).count();
    (Tree { nodes, roots, processes_left_out, records_without_place }, places)
}

fn began(draft: &Draft<'_>) -> Option<Timestamp> {
    draft.process.started_at.or(draft.first_seen)
}

/// Takes the parent from the earliest of each circle of ancestors.
fn cut_circles(drafts: &mut [Draft<'_>]) -> Vec<bool> {
    let mut circular = vec![false; drafts.len()];
    // 0: not looked at. Else the number of the walk that came through.
    let mut walked = vec![0_usize; drafts.len()];
    for start in 0..drafts.len() {
        let walk = start + 1;
        let mut way = Vec::new();
        let mut next = Some(start);
        while let Some(here) = next.filter(|here| walked[*here] == 0) {
            walked[here] = walk;
            way.push(here);
            next = drafts[here].parent;
        }
        let Some(met) = next.filter(|met| walked[*met] == walk) else { continue };
        let circle = way.iter().position(|here| *here == met).map_or(&[][..], |from| &way[from..]);
        if let Some(earliest) =
            circle.iter().copied().min_by_key(|d| (began(&drafts[*d]).is_none(), began(&drafts[*d]), *d))
        {
            drafts[earliest].parent = None;
            circular[earliest] = true;
        }
    }
    circular
}

struct Shape {
    depth: Vec<u32>,
    continues: Vec<Option<usize>>,
}

/// Gives every process its depth, and makes a root of what would lie deeper than `MAX_DEPTH`.
fn fold_depth(drafts: &mut [Draft<'_>]) -> Shape {
    let mut children = vec![Vec::new(); drafts.len()];
    let mut open = VecDeque::new();
    for (index, draft) in drafts.iter().enumerate() {
        match draft.parent {
            Some(parent) => children[parent].push(index),
            None => open.push_back(index),
        }
    }
    let mut depth = vec![0; drafts.len()];
    let mut continues = vec![None; drafts.len()];
    while let Some(here) = open.pop_front() {
        for child in &children[here] {
            if depth[here] + 1 < MAX_DEPTH {
                depth[*child] = depth[here] + 1;
            } else {
                continues[*child] = drafts[*child].parent.take();
            }
            open.push_back(*child);
        }
    }
    Shape { depth, continues }
}

/// Marks the way to the alert: to its own file where one ran, else to who wrote it, else to its storyline.
fn lead_to_alerts(drafts: &[Draft<'_>], ties: &[Ties], continues: &[Option<usize>]) -> Vec<Ties> {
    let mut ties = ties.to_vec();
    let wanted: [fn(&Ties) -> bool; 3] = [|t| t.alerts_file, |t| t.wrote_alerts_file, |t| t.storyline];
    let Some(is_aim) = wanted.into_iter().find(|is_aim| ties.iter().any(is_aim)) else { return ties };
    let aims: Vec<usize> = (0..ties.len()).filter(|d| is_aim(&ties[*d])).collect();
    for aim in aims {
        let mut next = Some(aim);
        while let Some(here) = next.filter(|here| !ties[*here].leads_to_alert) {
            ties[here].leads_to_alert = true;
            next = drafts[here].parent.or(continues[here]);
        }
    }
    ties
}

/// Which processes are drawn: those of the alert first, then those that a record shows, each with its ancestors.
fn choose(drafts: &[Draft<'_>], ties: &[Ties]) -> Vec<bool> {
    let mut wishes: Vec<usize> = (0..drafts.len()).collect();
    wishes.sort_by_key(|d| {
        let tie = ties[*d];
        let rank = [tie.alerts_file, tie.leads_to_alert, tie.wrote_alerts_file, tie.storyline, drafts[*d].shown];
        (Reverse(rank), began(&drafts[*d]).is_none(), began(&drafts[*d]), *d)
    });
    let mut kept = vec![false; drafts.len()];
    let mut room = MAX_NODES;
    for wish in wishes {
        let way: Vec<usize> =
            std::iter::successors(Some(wish), |d| drafts[*d].parent).take_while(|d| !kept[*d]).collect();
        if way.len() <= room {
            room -= way.len();
            way.into_iter().for_each(|d| kept[d] = true);
        }
    }
    kept
}
