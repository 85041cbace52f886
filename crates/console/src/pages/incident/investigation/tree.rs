//! Who started whom on each endpoint: the branch of the alert open, the rest folded with its count.

use std::collections::BTreeMap;

use domain::AgentId;
use domain::commandline::{Decoded, SignKind, Unread, Weight};
use domain::story::{Deeds, Node, NodeId, Tree};
use maud::{Markup, html};

use super::{EVENTS, Investigation, Room, left_out};
use crate::pages::evidence::signature;
use crate::say::Say;
use crate::show;

const ROOM: usize = 280_000;
/// Most processes drawn.
const MOST: usize = 400;
const MAX_LAYERS: usize = 4;
const MAX_SIGNS: usize = 8;
const MAX_VERBS: usize = 8;
const MAX_TELLING: usize = 3;
/// A folded branch with no more processes than this is not worth a fold when there is nothing else.
const FEW: usize = 12;

pub(super) fn part(it: &Investigation<'_>) -> Markup {
    let (say, tree) = (it.say, &it.story.tree);
    let mut drawing = Drawing::of(tree, say);
    let mut hosts: BTreeMap<&AgentId, Vec<NodeId>> = BTreeMap::new();
    for root in &tree.roots {
        hosts.entry(&tree.nodes[*root].agent).or_default().push(*root);
    }
    let trees: Vec<Markup> = hosts
        .iter()
        .map(|(agent, roots)| {
            let nothing_tied = !roots.iter().any(|root| drawing.tied[*root]);
            html! {
                (it.host(agent, &it.records_of(agent)))
                @if nothing_tied {
                    p.hint { (say.pick(
                        "アラートと結び付くプロセスは、記録にありません。",
                        "No process in the records can be tied to the alert.",
                    )) }
                }
                (drawing.branches(roots, nothing_tied))
            }
        })
        .collect();
    let drawn = drawing.drawn;
    let body = html! {
        @if tree.nodes.is_empty() && !it.findings.records.is_empty() {
            p.empty { (say.pick("記録にプロセスがありません。", "The records name no process.")) }
        }
        @for tree in trees { (tree) }
        (left_out(tree.nodes.len() - drawn + tree.processes_left_out, say))
        @if tree.records_without_place > 0 {
            p.hint { (say.pick(
                format!("プロセスを特定できない記録 {} 件は、時系列にのみ含まれます。", tree.records_without_place),
                format!("{} records name no process drawn here; the timeline has them.", tree.records_without_place),
            )) }
        }
    };
    it.part("part-tree", say.pick("プロセスツリー", "Process tree"), tree.nodes.len(), true, &[EVENTS], &body)
}

struct Drawing<'a> {
    tree: &'a Tree,
    say: Say,
    room: Room,
    drawn: usize,
    /// By node: whether it, or something below it, belongs to the alert.
    tied: Vec<bool>,
    /// By node: how many processes it and all below it are.
    size: Vec<usize>,
}

impl<'a> Drawing<'a> {
    fn of(tree: &'a Tree, say: Say) -> Self {
        let mut tied: Vec<bool> = tree.nodes.iter().map(|node| node.ties.any()).collect();
        let mut size = vec![1; tree.nodes.len()];
        // Parents stand before their children.
        for (id, node) in tree.nodes.iter().enumerate().rev() {
            if let Some(parent) = node.parent {
                tied[parent] |= tied[id];
                size[parent] += size[id];
            }
        }
        Self { tree, say, room: Room(ROOM), drawn: 0, tied, size }
    }

    /// What belongs to the alert first and open, the others behind a count.
    fn branches(&mut self, nodes: &[NodeId], open: bool) -> Markup {
        let (tied, others): (Vec<NodeId>, Vec<NodeId>) = nodes.iter().partition(|id| self.tied[**id]);
        let below: usize = others.iter().map(|id| self.size[*id]).sum();
        let shown: Vec<Markup> = tied.into_iter().filter_map(|id| self.process(id, false)).collect();
        let fold = others.first().map(|id| format!("processes-{id}"));
        let folded: Vec<Markup> = others.into_iter().filter_map(|id| self.process(id, true)).collect();
        html! {
            @if !shown.is_empty() { ul.tree { @for process in shown { (process) } } }
            @if !folded.is_empty() {
                details.others id=[fold] open[open && below <= FEW] {
                    summary { (self.say.pick(
                        format!("ほかのプロセス {below} 件"),
                        format!("{below} other {}", if below == 1 { "process" } else { "processes" }),
                    )) }
                    ul.tree { @for process in folded { (process) } }
                }
            }
        }
    }

    /// `None` when there is no room left.
    fn process(&mut self, id: NodeId, all_below: bool) -> Option<Markup> {
        let node = &self.tree.nodes[id];
        let line = line(node, self.say);
        if self.drawn >= MOST || !self.room.takes(&line) {
            return None;
        }
        self.drawn += 1;
        let below = if all_below {
            let children: Vec<Markup> = node.children.iter().filter_map(|child| self.process(*child, true)).collect();
            html! { @if !children.is_empty() { ul.tree { @for child in children { (child) } } } }
        } else {
            self.branches(&node.children, false)
        };
        Some(html! { li { (line) (below) } })
    }
}

fn line(node: &Node, say: Say) -> Markup {
    let (process, ties) = (&node.process, node.ties);
    let name = process.name.as_ref().or(process.image.as_ref());
    html! {
        div.process.alerts[ties.alerts_file].tied[ties.any()] {
            p.line {
                b { @match name { Some(name) => (show::dead(name, 80)), None => (say.pick("名称の記録なし", "Name not recorded")) } }
                @if let Some(pid) = process.pid { span.hint { "PID " (pid) } }
                @if ties.alerts_file { span.flag { (say.pick("アラートの対象", "The alert's file")) } }
                @if ties.wrote_alerts_file { span.flag { (say.pick("アラートの対象を作成", "Wrote the alert's file")) } }
                @if let Some(user) = &process.user { span { (show::account(user, 60)) } }
                @match process.started_at.or(node.first_seen) {
                    Some(at) => (show::second(at)),
                    None => span.hint { (say.pick("時刻不明", "Time not known")) },
                }
                span.hint { (signature(&process.signature, say)) }
            }
            @if let Some(line) = &process.command_line { p.command { (show::folded(line, 220)) } }
            @if let Some(command) = &node.command { (decoded(command, say)) }
            @if !node.did.is_empty() { (did(&node.did, say)) }
            (doubts(node, say))
        }
    }
}

/// The command line with its wrappings off, and what in it speaks of an attack.
fn decoded(command: &Decoded, say: Say) -> Markup {
    html! {
        @if !command.layers.is_empty() {
            ol.layers { @for layer in command.layers.iter().take(MAX_LAYERS) {
                li { span.hint { (say.text(layer.how.text())) } " " (show::folded(&layer.text, 220)) }
            } }
            @if command.layers.len() > MAX_LAYERS { p.hint { "+ " (command.layers.len() - MAX_LAYERS) } }
        }
        @for unread in &command.unread {
            p.hint { @match unread {
                Unread::Binary(bytes) => (say.pick(
                    format!("文字として読めないデータ {} を含む", show::bytes(*bytes as u64)),
                    format!("Holds {} that are no text", show::bytes(*bytes as u64)),
                )),
                Unread::Deeper => (say.pick("さらに内側の層は未解析", "There are more layers, not unwrapped")),
            } }
        }
        @if !command.signs.is_empty() {
            ul.signs {
                @for sign in command.signs.iter().take(MAX_SIGNS) {
                    li.(weight(sign.kind)) {
                        span.technique { (sign.technique) } " " (say.text(sign.kind.text())) " "
                        code.hint { (show::dead(&sign.on, 60)) }
                    }
                }
                @if command.signs.len() > MAX_SIGNS { li.hint { "+ " (command.signs.len() - MAX_SIGNS) } }
            }
        }
    }
}

fn weight(kind: SignKind) -> &'static str {
    match kind.weight() {
        Weight::Grave => "grave",
        Weight::Suspicious => "suspicious",
        Weight::Context => "context",
    }
}

fn did(did: &[Deeds], say: Say) -> Markup {
    html! {
        ul.did {
            @for deeds in did.iter().take(MAX_VERBS) {
                li {
                    span.verb { (say.text(deeds.verb.text())) } " " b { (deeds.count) }
                    @if deeds.distinct < deeds.count {
                        span.hint { (say.pick(format!("（{} 種）", deeds.distinct), format!(" ({} different)", deeds.distinct))) }
                    }
                    @for deed in deeds.telling.iter().take(MAX_TELLING) {
                        " " code title=(deed.id.short(80)) { (show::dead(&deed.object, 120)) }
                        @if deed.times > 1 { span.hint { "×" (deed.times) } }
                    }
                    @let more = (deeds.distinct as usize).saturating_sub(deeds.telling.len().min(MAX_TELLING));
                    @if more > 0 { " " span.hint { "+ " (more) } }
                }
            }
            @if did.len() > MAX_VERBS { li.hint { "+ " (did.len() - MAX_VERBS) } }
        }
    }
}

/// What about its place in the tree is not certain.
fn doubts(node: &Node, say: Say) -> Markup {
    html! {
        @if node.named_only {
            p.hint { (say.pick("子プロセスの記録に名前があるのみ", "Known only because a child names it")) }
        }
        @if node.circular {
            p.hint { (say.pick("親子関係の記録が循環しているため、親を採用していません", "Its recorded ancestry is a circle, so its parent is not believed")) }
        }
        @if node.continues.is_some() {
            p.hint { (say.pick("深い連鎖の続き", "Continues a deeper chain")) }
        }
        @if node.children_left_out > 0 {
            p.hint { (say.pick(
                format!("子プロセス {} 件は省略", node.children_left_out),
                format!("{} children left out", node.children_left_out),
            )) }
        }
    }
}
