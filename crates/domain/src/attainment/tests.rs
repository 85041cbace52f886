//! Examples computed by hand.

use super::*;
use crate::calendar::{Calendar, Hours, What};
use crate::clock::{Exclusion, Pause, PauseReason, ServiceLevels, Terms};
use crate::untrusted::Untrusted;

/// In Japan, in November 2026; the 24th is a Tuesday after a holiday.
fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}:00+09:00").parse().unwrap()
}

fn clocks(priority: Priority, started: &str) -> Clocks {
    let mut clocks = Clocks::start(Terms::of(&ServiceLevels::default(), &Calendar::japan()), at(started), priority);
    clocks.targets = clocks.targets_at(at(started), &Calendar::japan()).ok();
    clocks
}

fn measured(n: u32) -> Measured {
    let start = at("24T10:00");
    Measured {
        tenant: TenantId::new("acme").unwrap(),
        incident: IncidentId { year: 2026, number: n },
        cycle: 1,
        priority: Priority::P2,
        started: start,
        reading: FirstResponse::AnalystAck,
        response_due: Some(at("24T11:00")),
        by_ack: State::Running,
        by_notice: State::Running,
        analysis_due: Some(at("24T11:00")),
        analysis: State::Running,
        first_notice: None,
        acknowledged: None,
        acknowledged_by: None,
        analysed: None,
        contained: None,
        closed: None,
        ended: None,
        paused_s: 0,
    }
}

fn acknowledged(n: u32, minutes: i64) -> Measured {
    let at = measured(n).started + SignedDuration::from_mins(minutes);
    let by_ack = if minutes <= 60 { State::Met } else { State::Missed };
    Measured { by_ack, acknowledged: Some(at), ..measured(n) }
}

#[test]
fn attainment_is_what_was_kept_of_what_came_due() {
    let now = at("24T10:30");
    let late = Measured { by_ack: State::Running, response_due: Some(at("24T10:20")), ..measured(5) };
    let rows = [
        acknowledged(1, 10),
        acknowledged(2, 60),
        acknowledged(3, 61),
        measured(4),
        late,
        Measured { by_ack: State::Paused, ..measured(6) },
        Measured { by_ack: State::Excluded, analysis: State::Excluded, acknowledged: Some(now), ..measured(7) },
        Measured { by_ack: State::Unpromised, response_due: None, ..measured(8) },
    ];
    let sheet = Sheet::of(&rows, now);
    let response = sheet.target(Target::FirstResponse);
    let counts = Standing::ALL.map(|standing| response.count(standing));
    assert_eq!((sheet.cycles, counts), (8, [2, 2, 1, 1, 1, 1, 0]));
    assert_eq!((response.n(), response.overdue), (4, 1), "what waits, is paused or excluded is in no denominator");
    assert_eq!(response.percent().as_deref(), Some("50.0"));
    assert!(response.is_few());
    // 10, 60 and 61 minutes; what is excluded mends no average.
    let taken = sheet.span(Span::ToAcknowledged);
    assert_eq!((taken.n(), taken.median()), (3, Some(SignedDuration::from_mins(60))));
    assert_eq!(taken.mean(), Some(SignedDuration::from_secs(131 * 60 / 3)));
}

#[test]
fn a_percentage_is_rounded_down_and_of_nothing_there_is_none() {
    let rows = |kept: u32, missed: u32| -> Vec<Measured> {
        let kept = (0..kept).map(|n| acknowledged(n, 5));
        kept.chain((0..missed).map(|n| acknowledged(n, 90))).collect()
    };
    for (kept, missed, percent) in
        [(0, 0, None), (1999, 1, Some("99.9")), (2, 1, Some("66.6")), (3, 0, Some("100.0")), (0, 7, Some("0.0"))]
    {
        let sheet = Sheet::of(&rows(kept, missed), at("25T10:00"));
        assert_eq!(sheet.target(Target::FirstResponse).percent().as_deref(), percent, "{kept} of {}", kept + missed);
    }
}

#[test]
fn percentiles_are_times_that_were_measured() {
    let rows: Vec<Measured> = (1..=20).map(|n| acknowledged(n, i64::from(n))).collect();
    let sheet = Sheet::of(&rows, at("25T10:00"));
    let taken = sheet.span(Span::ToAcknowledged);
    let minutes = |percent| taken.percentile(percent).map(|d| d.as_secs() / 60);
    assert_eq!([0, 50, 90, 95, 96, 100].map(minutes), [1, 10, 18, 19, 20, 20].map(Some));
    assert_eq!(Sheet::of(&[], at("25T10:00")).span(Span::ToClosed).median(), None);
    let one = Sheet::of(&rows[6..7], at("25T10:00"));
    assert_eq!(one.span(Span::ToAcknowledged).percentile(95), Some(SignedDuration::from_mins(7)));
}

#[test]
fn both_readings_of_a_first_response_are_measured_and_the_contract_counts_one() {
    let mut clocks = clocks(Priority::P0, "24T10:00");
    clocks.first_notice = Some(at("24T10:01"));
    clocks.acknowledged = Some(at("24T10:11"));
    let by = |reading| as_kept(&clocks, reading);
    assert_eq!((by(FirstResponse::AnalystAck), by(FirstResponse::AutoFirstNotice)), (State::Missed, State::Met));
    let row = Measured { by_ack: State::Missed, by_notice: State::Met, ..measured(1) };
    let now = at("24T12:00");
    assert_eq!(row.standing(Target::FirstResponse, now), Standing::Missed);
    let row = Measured { reading: FirstResponse::AutoFirstNotice, ..row };
    assert_eq!(row.standing(Target::FirstResponse, now), Standing::Met);
    assert_eq!(row.standing(Target::ByAck, now), Standing::Missed);
}

#[test]
fn a_cycle_that_a_reopening_ended_answers_for_what_came_due_in_it() {
    let ended = |text| Measured { ended: Some(at(text)), ..measured(1) };
    let now = at("27T10:00");
    assert_eq!(ended("24T10:30").standing(Target::Analysis, now), Standing::Renewed);
    assert_eq!(ended("24T11:30").standing(Target::Analysis, now), Standing::Missed);
    assert_eq!(measured(1).standing(Target::Analysis, now), Standing::Missed, "and one that nothing ended goes on");
}

#[test]
fn every_stretch_to_a_due_time_is_named_and_what_counts_is_what_was_promised() {
    // Friday 20 November, 17:30; Monday the 23rd is a holiday. A customer's hold stands from Tuesday 09:10 to 09:40.
    let mut clocks = clocks(Priority::P2, "20T17:30");
    clocks.pauses = vec![Pause { why: PauseReason::CustomerHold, from: at("24T09:10"), to: Some(at("24T09:40")) }];
    let calendar = Calendar::japan();
    let explained = explain(&clocks, Kind::Analysis, at("24T12:00"), &calendar).unwrap();
    let hours = |from, to, what| Stretch { from: at(from), to: at(to), why: Why::Hours(what) };
    let expected = [
        hours("20T17:30", "20T18:00", What::Counted),
        hours("20T18:00", "21T00:00", What::Night),
        hours("21T00:00", "23T00:00", What::Weekend),
        hours("23T00:00", "24T00:00", What::Holiday { name: "勤労感謝の日" }),
        hours("24T00:00", "24T09:00", What::Night),
        hours("24T09:00", "24T09:10", What::Counted),
        Stretch { from: at("24T09:10"), to: at("24T09:40"), why: Why::Paused(PauseReason::CustomerHold) },
        hours("24T09:40", "24T10:00", What::Counted),
    ];
    assert_eq!(explained.stretches, expected);
    assert_eq!((explained.due, explained.counted()), (at("24T10:00"), SignedDuration::from_mins(60)));
    assert_eq!((explained.minutes, explained.hours), (60, Hours::Business));
}

#[test]
fn the_way_to_a_due_time_ends_where_the_clocks_say_over_many_cases() {
    let calendar = Calendar::japan();
    let mut seed = 4711_u64;
    let mut next = |below: i64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(seed >> 33).unwrap() % below
    };
    for case in 0..2_000 {
        let start = at("01T00:00") + SignedDuration::from_secs(next(20 * 86_400));
        let later = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let mut levels = ServiceLevels::default();
        levels.p2.hours =
            ["business", "always", "08:00-20:00 weekends"][usize::try_from(next(3)).unwrap()].parse().unwrap();
        if next(2) == 1 {
            levels.analysis_from = crate::clock::AnalysisFrom::FirstResponse;
        }
        let mut clocks = Clocks::start(Terms::of(&levels, &calendar), start, Priority::P2);
        if next(3) == 0 {
            clocks.promised.push((later(next(7_200)), if next(2) == 0 { Priority::P0 } else { Priority::P1 }));
        }
        for why in [PauseReason::CustomerAnswer, PauseReason::CustomerHold] {
            if next(2) == 0 {
                let from = next(90_000);
                let to = (next(4) > 0).then(|| later(from + next(200_000)));
                clocks.pauses.push(Pause { why, from: later(from), to });
            }
        }
        clocks.acknowledged = (next(2) == 0).then(|| later(next(100_000)));
        clocks.analysed = (next(3) == 0).then(|| later(next(300_000)));
        let now = later(next(400_000));
        let targets = clocks.targets_at(now, &calendar).unwrap();
        for (kind, due) in [(Kind::FirstResponse, targets.first_response), (Kind::Analysis, targets.analysis)] {
            let explained = explain(&clocks, kind, now, &calendar).unwrap();
            assert_eq!(explained.due, due, "case {case}: {kind:?} of {clocks:#?} at {now}");
            assert_eq!(explained.counted(), SignedDuration::from_mins(explained.minutes.into()), "case {case}");
            let gapless = explained.stretches.windows(2).all(|pair| pair[0].to == pair[1].from);
            assert!(gapless, "case {case}: {:#?}", explained.stretches);
        }
    }
}

#[test]
fn a_storm_that_does_not_count_counts_in_neither_clock() {
    let mut clocks = clocks(Priority::P3, "24T10:00");
    clocks.excluded =
        Some(Exclusion::FirstScanStorm { site: Untrusted::new("head office"), alerts: 60, threshold: 50 });
    clocks.acknowledged = Some(at("25T10:00"));
    assert_eq!(as_kept(&clocks, FirstResponse::AnalystAck), State::Excluded);
    assert_eq!(as_kept(&clocks, FirstResponse::AutoFirstNotice), State::Excluded);
}
