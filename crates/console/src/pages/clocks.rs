//! The proof of an incident's due times, to be read, printed and handed on: on what terms each cycle was timed, every stretch
//! of time from its start to its due time, what stopped it, and whether the chained events alone say the same.

use axum::extract::{Path, State};
use axum::response::Html;
use domain::attainment::{Stretch, Why, explain};
use domain::calendar::{Calendar, Hours, What};
use domain::clock::{self, AnalysisFrom, Clocks, Cycle, Exclusion, FirstResponse, Kind, Pause, State as Clock};
use domain::incident::{Event, Recorded};
use domain::{Priority, Timestamp};
use maud::{Markup, html};

use super::incident::find;
use crate::error::Fault;
use crate::layout::{self, Place};
use crate::say::Say;
use crate::visitor::Visitor;
use crate::{App, show};

/// What the parts of the page are drawn from.
struct Proof<'a> {
    events: &'a [(u64, Recorded)],
    calendar: &'a Calendar,
    now: Timestamp,
    say: Say,
}

pub(crate) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, Fault> {
    let incident = find(&app, &visitor, &id).await?;
    let events = app.engine().store().numbered_events(&incident.tenant, incident.id).await?;
    let (say, now, calendar) = (visitor.say(), app.now(), app.engine().calendar());
    let recorded: Vec<Recorded> = events.iter().map(|(_, recorded)| recorded.clone()).collect();
    let proof = Proof { events: &events, calendar, now, say };
    let body = match clock::prove(&incident.tenant, incident.id, &recorded, calendar, now) {
        Ok(cycles) => proof.whole(incident.cycle, &cycles),
        Err(_) => html! {
            p.refused { (say.pick("記録がアラートの受信から始まっていないため、再計算できません。", "The events do not begin with the receipt of an alert, so nothing can be proved from them.")) }
        },
    };
    let title = format!("{} {}", incident.id, say.pick("期限の計算根拠", "Proof of due times"));
    let customer = app.engine().tenant(&incident.tenant).map(|tenant| say.names(&tenant.name).to_owned());
    let body = html! {
        article.figures.proof {
            p.back { a href=(format!("/incidents/{}", incident.id)) { "‹ " (incident.id) } }
            h1 { (say.pick("期限の計算根拠", "Proof of due times")) }
            p.as-of {
                (incident.id) " · " (customer.unwrap_or_else(|| incident.tenant.to_string())) " · "
                (show::foreign(&incident.title, 100)) " · " (say.pick("作成時点 ", "as of ")) (show::second(now)) " JST"
            }
            (body)
        }
    };
    layout::page(&app, &visitor, &Place::Evidence(incident.id), &title, body).await
}

impl Proof<'_> {
    /// `kept` is how many cycles the record knows of.
    fn whole(&self, kept: u32, cycles: &[Cycle]) -> Markup {
        let (say, n) = (self.say, self.events.len());
        let differences: Vec<&String> = cycles.iter().flat_map(|cycle| &cycle.differences).collect();
        let (first, last) = (self.events.first().map_or(0, |e| e.0), self.events.last().map_or(0, |e| e.0));
        html! {
            @if differences.is_empty() {
                p.agrees { b { "✓ " (say.pick(format!("記録 {n} 件から再計算：一致"), format!("Recomputed from {n} events: agrees"))) } " "
                    span.n { (say.pick(format!("連鎖番号 {first}〜{last}"), format!("chain numbers {first} to {last}"))) }
                }
            } @else {
                div.refused {
                    p { b { "✕ " (say.pick(format!("記録 {n} 件から再計算：不一致があります"), format!("Recomputed from {n} events: it does not agree"))) } }
                    ul { @for difference in differences { li { code { (difference) } } } }
                }
            }
            @for (n, cycle) in (1_usize..).zip(cycles) { (self.cycle(n, cycle)) }
            @if usize::try_from(kept).ok() != Some(cycles.len()) {
                p.refused { (say.pick("計時の回数が記録と一致しません。", "The number of cycles is not the recorded one.")) }
            }
            (self.rests_on())
        }
    }

    fn cycle(&self, n: usize, cycle: &Cycle) -> Markup {
        let (say, clocks) = (self.say, &cycle.clocks);
        html! {
            section id=(format!("cycle-{n}")) {
                h2 { (say.pick(format!("第{n}回の計時"), format!("Cycle {n}"))) }
                (self.terms(clocks))
                @for kind in Kind::ALL { (self.clock(clocks, kind)) }
            }
        }
    }

    fn terms(&self, clocks: &Clocks) -> Markup {
        let (say, terms) = (self.say, &clocks.terms);
        let closed: Vec<String> = terms.calendar.closed.iter().map(ToString::to_string).collect();
        html! {
            dl.facts {
                dt { (say.pick("開始", "Started")) }
                dd { (show::second(clocks.started)) " JST " (self.number(clocks.started, |e| matches!(e, Event::ClocksStarted { .. }))) }
                dt { (say.pick("優先度", "Priority")) }
                dd { @for (at, priority) in &clocks.promised { p { (show::second(*at)) " · " (self.promise(clocks, *priority)) } } }
                dt { (say.pick("初動の数え方", "First response")) }
                dd { (match terms.service_levels.first_response {
                    FirstResponse::AnalystAck => say.pick("分析担当者の受領で停止", "stops when an analyst takes it"),
                    FirstResponse::AutoFirstNotice => say.pick("自動の第一報の到達で停止", "stops when a channel takes the automatic first notice"),
                }) }
                dt { (say.pick("分析の起点", "Analysis from")) }
                dd { (match terms.service_levels.analysis_from {
                    AnalysisFrom::Receipt => say.pick("受信", "the receipt"),
                    AnalysisFrom::FirstResponse => say.pick("初動対応", "the first response"),
                }) }
                dt { (say.pick("祝日表", "Holidays")) }
                dd { (say.pick(
                    format!("内閣府「国民の祝日」（{} 取得版）", terms.calendar.table),
                    format!("official table of the Cabinet Office, taken {}", terms.calendar.table),
                )) }
                dt { (say.pick("休業日", "Closed days")) }
                dd { @if closed.is_empty() { (say.pick("なし", "none")) } @else { (closed.join(say.pick("、", ", "))) } }
                @if let Some(Exclusion::FirstScanStorm { site, alerts, threshold }) = &clocks.excluded {
                    dt { (say.pick("対象外", "Not counted")) }
                    dd { (say.pick("初回フルディスクスキャン：", "storm of a first full-disk scan: ")) (show::foreign(site, 60)) " · "
                        (say.pick(format!("1時間に{alerts}件（しきい値{threshold}件）"), format!("{alerts} alerts within an hour, above {threshold}"))) " "
                        (self.newest(|e| matches!(e, Event::ClocksExcluded { .. })))
                    }
                }
            }
        }
    }

    fn promise(&self, clocks: &Clocks, priority: Priority) -> String {
        let promise = clocks.terms.service_levels.promise(priority);
        let (first, analysis, hours) =
            (promise.first_response_minutes, promise.analysis_minutes, hours(promise.hours, self.say));
        self.say.pick(
            format!("{}：初動 {first}分・分析 {analysis}分（{hours}）", priority.name()),
            format!("{}: first response {first} min, analysis {analysis} min, {hours}", priority.name()),
        )
    }

    fn clock(&self, clocks: &Clocks, kind: Kind) -> Markup {
        let say = self.say;
        let due = clocks.due(kind);
        html! {
            h3 { (say.text(kind.text())) }
            dl.facts {
                dt { (say.pick("期限", "Due")) }
                dd { @match due {
                    Some(due) => { b { (show::second(due)) } " JST" },
                    None => { (say.pick("なし（祝日表の期間外）", "none: beyond the holidays that are known")) },
                } }
                dt { (say.pick("停止", "Stopped")) }
                dd { @match clocks.stopped(kind) {
                    Some(at) => { b { (show::second(at)) } " JST " (self.stop(clocks, kind, at)) },
                    None => { (say.pick("まだ停止していません", "not yet")) },
                } }
                dt { (say.pick("結果", "Result")) }
                dd { (self.result(clocks, kind)) }
            }
            @match explain(clocks, kind, self.now, self.known(clocks).as_ref().unwrap_or(self.calendar)) {
                Ok(way) => {
                    table.plain.stretches {
                        thead { tr {
                            th { (say.pick("開始（JST）", "From (JST)")) } th { (say.pick("終了", "To")) }
                            th { (say.pick("経過", "Lasts")) } th { (say.pick("算入", "Counted")) } th { (say.pick("理由", "Why")) }
                        } }
                        tbody { @for stretch in &way.stretches { (self.stretch(clocks, stretch)) } }
                    }
                    p.sum[due.is_none_or(|due| due == way.due)] {
                        (say.pick(
                            format!("算入した時間の合計 {}（約束：{}の{}分、{}）", show::span(way.counted(), say), way.priority.name(), way.minutes, hours(way.hours, say)),
                            format!("Counted {} in all, as promised: {} min for {}, {}", show::span(way.counted(), say), way.minutes, way.priority.name(), hours(way.hours, say)),
                        ))
                    }
                    @if due.is_some_and(|due| due != way.due) {
                        p.refused { (say.pick("この積み上げは別の期限になります：", "These stretches lead to another due time: ")) (show::second(way.due)) }
                    }
                },
                Err(why) => { p.hint { (why.to_string()) } },
            }
        }
    }

    /// The calendar of the clocks' own terms, when it is another one than today's.
    fn known(&self, clocks: &Clocks) -> Option<Calendar> {
        clocks.terms.calendar(self.calendar).ok().map(std::borrow::Cow::into_owned)
    }

    fn result(&self, clocks: &Clocks, kind: Kind) -> Markup {
        let say = self.say;
        match clocks.state(kind, self.now) {
            Clock::Met => html! { b { (say.pick("目標内", "Target met")) } },
            Clock::Missed => html! { b.bad { (say.pick("目標超過", "Target missed")) } },
            Clock::Overdue => html! { b.bad { (say.pick("目標超過（未対応）", "Target missed, and still open")) } },
            Clock::Running => html! { (say.pick("計時中", "running")) },
            Clock::Paused => {
                html! { (say.pick("一時停止中（期限は停止時点のもの）", "paused; the due time is that of the pause's beginning")) }
            }
            Clock::Excluded => html! { (say.pick("対象外", "not counted")) },
            Clock::Unpromised => html! { (say.pick("期限なし", "no due time")) },
        }
    }

    fn stop(&self, clocks: &Clocks, kind: Kind, at: Timestamp) -> Markup {
        let by_notice =
            kind == Kind::Analysis || clocks.terms.service_levels.first_response == FirstResponse::AutoFirstNotice;
        if by_notice {
            self.newest(|e| matches!(e, Event::NoticeAccepted { accepted_at, .. } if *accepted_at == at))
        } else {
            self.number(at, |e| matches!(e, Event::Acknowledged | Event::Reopened { .. }))
        }
    }

    fn stretch(&self, clocks: &Clocks, stretch: &Stretch) -> Markup {
        let say = self.say;
        let lasts = show::span(stretch.lasts(), say);
        html! {
            tr.counted[stretch.counts()] {
                td { (show::second(stretch.from)) } td { (show::second(stretch.to)) }
                td { (lasts) } td { @if stretch.counts() { b { (lasts) } } @else { "–" } }
                td { @match stretch.why {
                    Why::Hours(what) => { (closed(what, say)) },
                    Why::Paused(why) => {
                        (say.pick("一時停止：", "paused: ")) (say.text(why.text())) " "
                        @if let Some(pause) = clocks.pauses.iter().find(|p| p.why == why && p.from <= stretch.from && p.to.is_none_or(|to| stretch.from <= to)) {
                            (self.pause(pause))
                        }
                    },
                } }
            }
        }
    }

    /// The events that began and ended a pause.
    fn pause(&self, pause: &Pause) -> Markup {
        let began =
            self.newest(|e| matches!(e, Event::ClocksPaused { why, from } if *why == pause.why && *from == pause.from));
        let ended =
            pause.to.map(|to| self.number(to, |e| matches!(e, Event::ClocksResumed { why, .. } if *why == pause.why)));
        html! { (began) @if let Some(ended) = ended { " " (ended) } }
    }

    /// The chain number of the event at a time.
    fn number(&self, at: Timestamp, is: impl Fn(&Event) -> bool) -> Markup {
        self.mark(self.events.iter().find(|(_, entry)| entry.at == at && is(&entry.event)).map(|(seq, _)| *seq))
    }

    fn newest(&self, is: impl Fn(&Event) -> bool) -> Markup {
        self.mark(self.events.iter().find(|(_, entry)| is(&entry.event)).map(|(seq, _)| *seq))
    }

    fn mark(&self, seq: Option<u64>) -> Markup {
        html! { @if let Some(seq) = seq { a.seq href=(format!("#event-{seq}")) { (self.say.pick("記録", "event")) " " (seq) } } }
    }

    /// The events that mean anything to a clock, as they stand in the chain.
    fn rests_on(&self) -> Markup {
        let say = self.say;
        html! {
            section {
                h2 { (say.pick("根拠となる記録", "The events it rests on")) }
                p.hint { (say.pick(
                    "番号はお客様ごとの記録の連鎖における位置です。改変がないことは、次のコマンドで検証できます：",
                    "Numbers are places in the customer's chain of events. That none was changed is proved by",
                )) " " code { "yagura audit verify" } }
                table.plain.events {
                    thead { tr { th { (say.pick("番号", "Number")) } th { (say.pick("日時（JST）", "When (JST)")) } th { (say.pick("記録", "Event")) } } }
                    tbody { @for (seq, entry) in self.events.iter().filter(|(_, entry)| moves_a_clock(&entry.event)) {
                        tr id=(format!("event-{seq}")) { td { (seq) } td { (show::second(entry.at)) } td { code { (entry.event.name()) } } }
                    } }
                }
            }
        }
    }
}

fn moves_a_clock(event: &Event) -> bool {
    matches!(
        event,
        Event::Received { .. }
            | Event::Judged { .. }
            | Event::PriorityRaised { .. }
            | Event::ClocksStarted { .. }
            | Event::TargetsMoved { .. }
            | Event::ClocksPaused { .. }
            | Event::ClocksResumed { .. }
            | Event::ClocksExcluded { .. }
            | Event::NoticeDecided { .. }
            | Event::NoticeAccepted { .. }
            | Event::Acknowledged
            | Event::QuestionAsked { .. }
            | Event::AnswerRecorded { .. }
            | Event::AnswerOverdue { .. }
            | Event::VerdictGiven { .. }
            | Event::Closed
            | Event::Reopened { .. }
    )
}

fn closed(what: What, say: Say) -> Markup {
    match what {
        What::Counted => html! { (say.pick("算入", "counted")) },
        What::Holiday { name } => html! { (say.pick("祝日：", "national holiday: ")) span lang="ja" { (name) } },
        What::ClosedDay => html! { (say.pick("休業日", "closed day of the provider")) },
        What::Weekend => html! { (say.pick("土日", "weekend")) },
        What::Night => html! { (say.pick("時間外", "outside the hours")) },
    }
}

fn hours(hours: Hours, say: Say) -> String {
    match hours {
        Hours::Business => say.pick("平日9:00〜18:00", "Monday to Friday 09:00-18:00 JST").to_owned(),
        Hours::Always => say.pick("24時間365日", "around the clock").to_owned(),
        Hours::Own(_) => hours.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use domain::Language;
    use domain::clock::{ServiceLevels, Terms};

    use super::*;

    /// Of a P2 on Friday 20 November 2026, 17:30 in Japan; the Monday after it is a holiday.
    fn page(differences: &[&str], change: impl FnOnce(&mut Clocks)) -> String {
        let calendar = Calendar::japan();
        let now = "2026-11-24T03:00:00Z".parse().unwrap();
        let started = "2026-11-20T08:30:00Z".parse().unwrap();
        let mut clocks = Clocks::start(Terms::of(&ServiceLevels::default(), &calendar), started, Priority::P2);
        clocks.targets = clocks.targets_at(now, &calendar).ok();
        change(&mut clocks);
        let differences = differences.iter().map(ToString::to_string).collect();
        let proof = Proof { events: &[], calendar: &calendar, now, say: Say(Language::En) };
        proof.whole(1, &[Cycle { clocks, differences }]).into_string()
    }

    #[test]
    fn a_record_that_differs_from_its_events_is_shown_in_red() {
        assert!(page(&[], |_| {}).contains("Recomputed from 0 events: agrees"));
        let page = page(&["the pauses differ <b>"], |_| {});
        assert!(page.contains("it does not agree") && page.contains("the pauses differ &lt;b&gt;"), "{page}");
        assert!(!page.contains("agrees"), "{page}");
    }

    #[test]
    fn a_due_time_that_the_stretches_do_not_lead_to_is_pointed_at() {
        let honest = page(&[], |_| {});
        assert!(honest.contains("national holiday: <span lang=\"ja\">勤労感謝の日</span>"), "{honest}");
        assert!(honest.contains("2026-11-24 09:30:00") && !honest.contains("another due time"), "{honest}");
        let moved = page(&[], |clocks| {
            if let Some(targets) = &mut clocks.targets {
                targets.analysis += jiff::SignedDuration::from_mins(1);
            }
        });
        assert_eq!(moved.matches("These stretches lead to another due time").count(), 1, "{moved}");
    }
}
