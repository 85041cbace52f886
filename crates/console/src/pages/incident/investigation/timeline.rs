//! What the endpoints recorded, in the order of time, with the alerts among it and the gaps marked.

use domain::calendar::in_japan;
use domain::story::{Entry, Item};
use maud::{Markup, html};

use super::{EVENTS, Investigation, Room, left_out, rows};
use crate::{show, words};

const ROOM: usize = 200_000;
/// Lines shown.
const MOST: usize = 200;
/// Of these, lines before the first alert.
const BEFORE: usize = 80;
const MOST_UNDATED: usize = 30;

pub(super) fn part(it: &Investigation<'_>) -> Markup {
    let (say, timeline) = (it.say, &it.story.timeline);
    let entries = &timeline.entries;
    let skipped = first_shown(entries);
    let shown = &entries[skipped..];
    let mut room = Room(ROOM);
    let mut day = None;
    let (lines, left) = rows(shown, MOST, &mut room, |entry| {
        let today = entry.at.map(|at| in_japan(at).date());
        let new_day = (today != day).then_some(today).flatten();
        day = today;
        html! { @if let Some(day) = new_day { li.day { (day) } } (line(it, entry)) }
    });
    let (undated, undated_left) = rows(&timeline.undated, MOST_UNDATED, &mut room, |entry| line(it, entry));
    let body = html! {
        @if skipped > 0 {
            p.hint.left-out { (say.pick(
                format!("これより前の {skipped} 行は、ここには表示していません。"),
                format!("{skipped} earlier lines are not shown here."),
            )) }
        }
        ol.timeline.recorded { (lines) }
        @if left > 0 {
            p.hint.left-out { (say.pick(
                format!("これより後の {left} 行は、ここには表示していません。"),
                format!("{left} later lines are not shown here."),
            )) }
        }
        @if timeline.left_out > 0 {
            p.hint { (say.pick(
                format!("上限を超えた {} 件の記録を省略しています。", timeline.left_out),
                format!("{} records beyond the limit were left out.", timeline.left_out),
            )) }
        }
        @if timeline.gaps_left_out > 0 {
            p.hint { (say.pick(
                format!("ほかに、記録のない時間帯が {} か所あります。", timeline.gaps_left_out),
                format!("There are {} more gaps.", timeline.gaps_left_out),
            )) }
        }
        @if !timeline.undated.is_empty() {
            h4 { (say.pick("時刻のない記録", "Records without a time that can be true")) " " span.n { (timeline.undated.len()) } }
            ol.timeline.recorded { (undated) }
            (left_out(undated_left, say))
        }
    };
    it.part(
        "part-timeline",
        say.pick("端末の時系列", "Timeline of the endpoints"),
        entries.len(),
        false,
        &[EVENTS],
        &body,
    )
}

/// Where a long timeline begins: a while before its first alert.
fn first_shown(entries: &[Entry]) -> usize {
    if entries.len() <= MOST {
        return 0;
    }
    let alert = entries.iter().position(|entry| matches!(entry.item, Item::Alert { .. })).unwrap_or(0);
    alert.saturating_sub(BEFORE).min(entries.len() - MOST)
}

fn line(it: &Investigation<'_>, entry: &Entry) -> Markup {
    let say = it.say;
    html! {
        li.(class(entry)) {
            @match entry.at {
                Some(at) => time datetime=(show::machine(at)) title=(show::both_zones(at)) { (&show::full(at)[11..]) },
                None => span.hint { "—" },
            }
            span.sort { @match &entry.item {
                Item::Record(deed) => (say.text(deed.verb.text())),
                Item::Alert { .. } => (say.pick("アラート", "Alert")),
                Item::Gap(_) => (say.pick("記録なし", "Gap")),
            } }
            div.what {
                p {
                    @match &entry.item {
                        Item::Record(deed) => {
                            (show::folded(&deed.object, 160))
                            @if entry.objects > 1 { " " span.hint { (say.pick(
                                format!("ほか計 {} 種", entry.objects), format!("and others, {} in all", entry.objects),
                            )) } }
                            @if entry.times > 1 { " " span.hint { "×" (entry.times) } }
                        }
                        Item::Alert { id, name, source, .. } => {
                            b { (show::dead(name, 80)) } " "
                            span.hint { (say.text(words::source(*source))) " " code { (id) } }
                        }
                        Item::Gap(gap) => {
                            b { (say.text(gap.kind.text())) } " "
                            (show::second(gap.from)) " – " (show::second(gap.to)) " "
                            @if gap.after_alert { span.flag.trouble {
                                (say.pick("アラート後の経過が不明", "what followed the alert is not known"))
                            } }
                        }
                    }
                    (who(it, entry))
                }
            }
        }
    }
}

/// The process that did it, and the endpoint where there are several.
fn who(it: &Investigation<'_>, entry: &Entry) -> Markup {
    let process = entry.node.and_then(|node| it.story.tree.nodes.get(node)).map(|node| &node.process);
    html! {
        @if let Some(process) = process && let Some(name) = process.name.as_ref().or(process.image.as_ref()) {
            " " span.by { (show::dead(name, 50)) @if let Some(pid) = process.pid { " " (pid) } }
        }
        @if it.case.incident.hosts.len() > 1 { " " span.by { (show::foreign(&entry.host, 40)) } }
    }
}

fn class(entry: &Entry) -> &'static str {
    match &entry.item {
        Item::Alert { .. } => "alert",
        Item::Gap(_) => "fault",
        Item::Record(_) if entry.tells >= 2 => "telling",
        Item::Record(_) => "step",
    }
}
