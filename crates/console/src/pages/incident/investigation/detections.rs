//! Detection rules that match the records. A match is an observation and no verdict, so level and status stand beside each.

use std::cmp::Reverse;

use domain::detection::{Hit, Level};
use domain::evidence::Inquiry;
use maud::{Markup, html};

use super::{Investigation, Room, Sort, left_out, rows};
use crate::say::Say;
use crate::show;

const ROOM: usize = 120_000;
const MOST: usize = 100;
const MAX_TECHNIQUES: usize = 12;
const MAX_FIELDS: usize = 8;
const MAX_RECORDS: usize = 5;

const DETECTIONS: Sort = |inquiry| *inquiry == Inquiry::Detections;

pub(super) fn part(it: &Investigation<'_>) -> Markup {
    let say = it.say;
    let mut hits: Vec<&Hit> = it.findings.detections.iter().collect();
    hits.sort_by_key(|hit| Reverse(hit.rule.level));
    let (list, left) = rows(&hits, MOST, &mut Room(ROOM), |hit| row(hit, say));
    let body = html! {
        ul.detections { (list) }
        (left_out(left, say))
        @if !hits.is_empty() {
            p.hint { (say.pick(
                "ルールの一致は観測であり、判定ではありません。通常の管理作業に一致することもあります。",
                "A match is an observation and no verdict: ordinary administration matches, too.",
            )) }
        }
    };
    let title = say.pick("検知ルールとの一致", "Detection rules that match");
    it.part("part-detections", title, hits.len(), false, &[DETECTIONS], &body)
}

fn row(hit: &Hit, say: Say) -> Markup {
    let rule = &hit.rule;
    html! {
        li.(level(rule.level)) {
            p.line {
                span.sign aria-hidden="true" {}
                span.kind { (say.text(rule.level.name())) }
                b { (show::dead(&rule.title, 140)) }
                @for technique in rule.techniques.iter().take(MAX_TECHNIQUES) { span.technique { (technique) } }
                @if !rule.techniques.is_empty() { span.hint { "ATT&CK v" (cut(&rule.attack_version)) } }
                span.hint { (say.count(hit.count.into(), " 件の記録", "record", "records")) }
            }
            p.hint {
                (say.text(rule.status.name()))
                " · " (say.pick("作成者", "by")) " "
                @match &rule.author { Some(author) => (show::dead(author, 160)), None => (say.pick("記載なし", "not stated")) }
                @if let Some(licence) = &rule.licence { " · " (show::dead(licence, 60)) }
                " · " (cut(&rule.source.to_string())) " · " (show::dead(&rule.file, 100)) " " (show::digest(&rule.file_sha256))
            }
            @if !hit.fields.is_empty() {
                dl.facts { @for field in hit.fields.iter().take(MAX_FIELDS) {
                    dt { (show::dead(&field.name, 40)) } dd { (show::folded(&field.value, 160)) }
                } }
            }
            @if !hit.records.is_empty() {
                p.hint {
                    (say.pick("記録", "Records"))
                    @for id in hit.records.iter().take(MAX_RECORDS) { " " code { (show::dead(id, 60)) } }
                    @let more = (hit.count as usize).saturating_sub(hit.records.len().min(MAX_RECORDS));
                    @if more > 0 { " + " (more) }
                }
            }
        }
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Critical | Level::High => "bad",
        Level::Medium => "middling",
        Level::Low | Level::Informational => "nothing",
    }
}

fn cut(text: &str) -> Markup {
    show::dead(&domain::Untrusted::new(text), 60)
}
