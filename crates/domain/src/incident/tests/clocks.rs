//! Clocks, the 72 hours and calls, each story proved once more from its events.

use jiff::SignedDuration;

use super::*;
use crate::clock::{self, Kind as Clock, ServiceLevels, State as ClockState};
use crate::notice::{Channel, Route};
use crate::oncall::{OnCall, Shift, Site, Step, Why};
use crate::tenant::{Email, Names};

const TUESDAY_10: &str = "2026-11-24T10:00:00+09:00";

#[test]
fn both_clocks_start_at_the_receipt_and_stop_at_acknowledgement_and_at_the_accepted_result() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    assert_eq!(due(&story), ("11:00:00".into(), "11:00:00".into()));
    assert_eq!(story.incident.next_due(), Some(at("2026-11-24T11:00:00+09:00")));
    story.now = at("2026-11-24T10:58:00+09:00");
    story.then(Command::Acknowledge { by: analyst() });
    assert_eq!(story.clock(Clock::FirstResponse), ClockState::Met);
    // A verdict presents nothing until a channel has it.
    story.then(Command::GiveVerdict { by: analyst(), verdict: Verdict::Suspicious, reason: words("looked at it") });
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running);
    story.now += 1.minute();
    story.accept_newest();
    assert_eq!(story.clock(Clock::Analysis), ClockState::Missed);
    story.proved();
}

#[test]
fn a_rise_promises_the_earlier_of_the_old_time_and_now_plus_the_new_one() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    story.now = at("2026-11-24T10:30:00+09:00");
    story.join(ransomware("attack"));
    // Ten minutes from now are earlier than 11:00; the 30 minutes of the analysis end with the old promise at the latest.
    assert_eq!(due(&story), ("10:41:00".into(), "11:00:00".into()));
    story.proved();
}

#[test]
fn a_lead_may_raise_and_nobody_lowers() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    let raise = |priority| Command::RaisePriority { by: analyst(), priority, reason: words("production is down") };
    assert_eq!(story.refusal(raise(story.incident.priority())), Refused::NotARise(story.incident.priority()));
    story.then(raise(Priority::P0));
    assert!(story.incident.dfir, "any P0 that a lead confirms");
    assert_eq!(due(&story).0, "10:11:00");
    assert!(matches!(story.refusal(raise(Priority::P1)), Refused::NotARise(Priority::P0)));
    story.proved();
}

#[test]
fn the_analysis_stands_still_from_the_accepted_question_to_the_answer() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    story.now = at("2026-11-24T10:19:00+09:00");
    story.then(Command::Ask { by: analyst(), addition: None });
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running, "nobody has the question yet");
    story.now += 5.minutes();
    story.accept_newest();
    assert_eq!((story.clock(Clock::Analysis), story.incident.phase), (ClockState::Paused, Phase::Asked));
    let question = story.incident.waiting_question().unwrap();
    assert_eq!(story.incident.next_due(), question.deadline());
    // Thirty-five minutes were left; the answer comes the next afternoon, ten minutes before the SOC closes.
    let id = question.id;
    story.now = at("2026-11-25T17:49:00+09:00");
    story.then(Command::RecordAnswer {
        by: analyst(),
        question: id,
        meaning: Meaning::Unknown,
        words: words("not ours"),
    });
    assert_eq!(story.incident.clocks.as_ref().unwrap().due(Clock::Analysis), Some(at("2026-11-26T09:25:00+09:00")));
    story.proved();
}

#[test]
fn the_first_response_to_a_p0_never_pauses_and_a_hold_is_a_persons_word() {
    let mut story = told(ransomware("attack"), TUESDAY_10);
    story.then(Command::Hold { by: analyst(), reason: words("the customer asked to wait") });
    // Whoever holds it has seen it; so put the clock back to unacknowledged to look at the pause alone.
    let mut clocks = story.incident.clocks.clone().unwrap();
    clocks.acknowledged = None;
    assert_eq!(clocks.state(Clock::FirstResponse, story.now), ClockState::Running);
    assert_eq!(clocks.state(Clock::Analysis, story.now), ClockState::Paused);
    assert_eq!(story.refusal(Command::Hold { by: analyst(), reason: words("once more") }), Refused::OnHold);
    story.now += 30.minutes();
    story.at_once(Command::EndHold { by: analyst() });
    assert_eq!(due(&story), ("10:10:00".into(), "11:00:00".into()));
    assert_eq!(story.refusal(Command::EndHold { by: analyst() }), Refused::NotOnHold);
    story.proved();
}

#[test]
fn presenting_the_analysis_so_far_stops_its_clock_and_an_update_does_not() {
    let mut story = told(ransomware("attack"), TUESDAY_10);
    for action in [1, 2, 3] {
        story.at_once(Command::RefuseAction { action: ActionId(action), why: words("offline") });
    }
    story.accept_newest();
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running, "an update says that we are still looking");
    story.then(Command::PresentAnalysis { by: analyst(), text: words("Encryption was stopped; isolate the share.") });
    assert_eq!(story.incident.notices.values().last().unwrap().kind, notice::Kind::Analysis);
    assert!(
        story.incident.notices.values().last().unwrap().next_update.is_some(),
        "a partial notice promises the next"
    );
    story.accept_newest();
    assert_eq!(story.clock(Clock::Analysis), ClockState::Met);
    story.proved();
}

#[test]
fn seventy_two_hours_of_silence_make_it_suspicious_and_reminders_come_before_rel_15() {
    // The floor asks with the first notice, on a Friday evening: weekend and holiday count.
    let mut story = told(unknown_file("file"), "2026-11-20T18:30:00+09:00");
    let question = story.incident.waiting_question().unwrap().clone();
    assert_eq!((question.by, question.told_at), (None, Some(story.now)));
    let told_at = story.now;
    let mut seen = Vec::new();
    while story.incident.waiting_question().is_some() {
        let alarm = story.incident.next_alarm().expect("it waits for something");
        story.now = alarm;
        story.at_once(Command::LetTimePass);
        let newest = story.incident.notices.values().last().unwrap();
        if newest.decided_at == alarm {
            seen.push((newest.kind, alarm.duration_since(told_at).as_hours()));
            story.accept_newest();
        }
    }
    let (reminder, verdict) = (notice::Kind::Reminder, notice::Kind::Verdict);
    assert_eq!(seen, [(reminder, 24), (reminder, 48), (reminder, 66), (verdict, 72)]);
    assert_eq!(story.incident.verdict, Verdict::Suspicious);
    assert!(story.incident.phase.is_open(), "a person closes it (REL-24)");
    story.proved();
}

#[test]
fn an_answer_in_the_last_second_wins_and_the_timer_fires_once_rel_15() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    let question = story.incident.waiting_question().unwrap().clone();
    story.now = question.deadline().unwrap() - 1.second();
    story.at_once(Command::LetTimePass);
    story.at_once(Command::RecordAnswer {
        by: analyst(),
        question: question.id,
        meaning: Meaning::Ours,
        words: words("ours"),
    });
    assert_eq!(story.incident.verdict, Verdict::FalsePositive, "R13");
    story.now += 1.hour();
    let before = story.events.len();
    story.at_once(Command::LetTimePass);
    assert!(story.events[before..].iter().all(|e| !matches!(e.event, Event::AnswerOverdue { .. })));
    story.proved();
}

#[test]
fn a_late_answer_reopens_what_silence_decided() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    let question = story.incident.waiting_question().unwrap().clone();
    story.now = question.deadline().unwrap();
    story.at_once(Command::LetTimePass);
    story.accept_newest();
    story.then(Command::Close { by: analyst() });
    assert!(!story.incident.phase.is_open());
    story.now += 20.hours();
    story.then(Command::RecordAnswer {
        by: analyst(),
        question: question.id,
        meaning: Meaning::Ours,
        words: words("sorry, ours"),
    });
    assert!(story.incident.phase.is_open() && story.incident.verdict_given.is_none());
    assert_eq!((story.incident.judgement.rule, story.incident.cycle), (RuleId::R13, 2));
    story.proved();
}

#[test]
fn silence_does_not_lower_what_is_known_to_be_an_attack() {
    let mut story = told(ransomware("attack"), TUESDAY_10);
    story.then(Command::Ask { by: analyst(), addition: None });
    story.accept_newest();
    story.now = story.incident.waiting_question().unwrap().deadline().unwrap();
    story.at_once(Command::LetTimePass);
    assert_eq!((story.incident.verdict, story.incident.phase), (Verdict::TruePositive, Phase::Analysing));
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running, "the rest of its time runs again");
    story.proved();
}

#[test]
fn nobody_takes_a_p0_at_night_and_the_call_rises_to_the_lead_rel_09() {
    let mut story =
        told_by(ransomware("attack"), "2026-11-25T02:00:00+09:00", Route::mail(crate::Language::Ja), roster());
    let mut calls = Vec::new();
    for _ in 0..3 {
        story.now = story.incident.next_alarm().unwrap();
        story.at_once(Command::LetTimePass);
        let page = story.incident.pages.values().last().unwrap();
        assert_eq!(page.why, Why::NotAcknowledged);
        calls.push((page.step, page.to.as_ref().unwrap().person.to_string(), story.now.to_string()));
    }
    let expected = [
        (Step::NextAnalyst, "night", "2026-11-24T17:05:00Z"),
        (Step::NextSite, "other", "2026-11-24T17:06:30Z"),
        (Step::Lead, "lead", "2026-11-24T17:08:00Z"),
    ];
    assert_eq!(calls, expected.map(|(step, who, at)| (step, who.to_owned(), at.to_owned())));
    story.proved();
}

#[test]
fn other_priorities_rise_in_business_hours_and_acknowledging_ends_it_rel_09() {
    let mut story = told(ran("malware", MitigationState::Mitigated, &[]), "2026-11-24T17:45:00+09:00");
    assert!(story.incident.priority() > Priority::P0);
    assert_eq!(story.incident.next_alarm(), Some(at("2026-11-25T09:15:00+09:00")));
    story.then(Command::Acknowledge { by: analyst() });
    assert_eq!(story.incident.next_alarm(), None);
}

#[test]
fn a_notice_that_no_channel_takes_has_somebody_call_the_customer_rel_09() {
    let mut story = told_by(ransomware("attack"), TUESDAY_10, Route::mail(crate::Language::Ja), roster());
    story.then(Command::PresentAnalysis { by: analyst(), text: words("stopped; nothing is asked of you") });
    let notice = story.incident.notices.values().last().unwrap().id;
    story.now += 2.minutes();
    story.at_once(Command::LetTimePass);
    let page = story.incident.pages.values().last().unwrap();
    assert_eq!(page.why, Why::CustomerNotReached(notice));
    assert!(story.incident.notices[&notice].unconfirmed);
    let told = story.events.len();
    story.at_once(Command::LetTimePass);
    assert_eq!(story.events.len(), told, "once");
}

#[test]
fn what_was_promised_stays_whatever_the_next_contract_says() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    story.tenant.service_levels.p0.first_response_minutes = 1;
    story.calendar = Calendar::japan().with_closed_days([]);
    story.now = at("2026-11-24T10:30:00+09:00");
    story.join(ransomware("attack"));
    assert_eq!(due(&story).0, "10:41:00", "ten minutes, as when it came in");
    story.proved();
}

#[test]
fn a_contract_may_count_the_automatic_notice_and_start_the_analysis_with_it() {
    let mut tenant = customer(Route::mail(crate::Language::Ja));
    tenant.service_levels = ServiceLevels {
        first_response: clock::FirstResponse::AutoFirstNotice,
        analysis_from: clock::AnalysisFrom::FirstResponse,
        ..ServiceLevels::default()
    };
    let mut story = Story::begin_at(unknown_file("file"), tenant, Calendar::japan(), at(TUESDAY_10));
    assert_eq!(due(&story), ("11:00:00".into(), "12:00:00".into()));
    story.now += 7.minutes();
    story.accept_newest();
    assert_eq!(due(&story), ("11:00:00".into(), "11:07:00".into()));
    assert_eq!(story.clock(Clock::FirstResponse), ClockState::Met);
    story.proved();
}

#[test]
fn beyond_the_horizon_nothing_is_promised_and_people_are_called_all_the_same_rel_24() {
    let mut story =
        told_by(ransomware("attack"), "2027-12-31T17:59:00+09:00", Route::mail(crate::Language::Ja), roster());
    assert_eq!(story.clock(Clock::Analysis), ClockState::Unpromised);
    story.now += 5.minutes();
    story.at_once(Command::LetTimePass);
    assert_eq!(story.incident.pages.len(), 1);
    story.proved();
}

#[test]
fn a_lost_pause_is_found_by_the_proof() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    story.then(Command::Ask { by: analyst(), addition: None });
    story.accept_newest();
    story.events.retain(|e| !matches!(e.event, Event::ClocksPaused { .. }));
    let cycles = story.cycles();
    assert!(cycles.iter().any(|c| c.differences.iter().any(|d| d.contains("pauses"))), "{cycles:?}");
}

#[test]
fn the_storm_of_a_first_scan_is_excluded_in_its_window_above_its_threshold_and_the_customer_hears_why() {
    let scan = |n: u32| {
        let mut alert = known_malicious(&format!("scan-{n}"));
        alert.detection.initiated_by = Initiator::FullDiskScan;
        alert.endpoint.site = Some(words("Acme HQ"));
        alert.file.sha256 = Hash::parse(&format!("{n:064x}"));
        alert
    };
    let mut tenant = customer(Route::mail(crate::Language::Ja));
    let today = crate::calendar::in_japan(at(TUESDAY_10)).date();
    tenant.rollouts = vec![crate::storm::Rollout { site: "Acme HQ".into(), from: today, to: today }];
    let mut story = Story::begin_at(scan(0), tenant, Calendar::japan(), at(TUESDAY_10));
    let join = |story: &mut Story, alert: Alert| {
        story.now += 10.seconds();
        story.at_once(Command::TakeAlert { alert: Box::new(alert), rule: RuleId::R19, grounds: vec![] });
    };
    for n in 1..50 {
        join(&mut story, scan(n));
    }
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running, "fifty within the hour are not above fifty");
    join(&mut story, scan(50));
    assert_eq!(story.clock(Clock::Analysis), ClockState::Excluded);
    assert_eq!(story.incident.next_due(), None);
    let newest = story.incident.notices.values().last().unwrap().id;
    let facts = notice::Facts::of(&story.incident, &story.tenant, newest).unwrap();
    assert!(facts.excluded.is_some() && facts.table[0].alerts == 50);
    // One that ran does not hide in it.
    let mut ran = ran("ran", MitigationState::NotMitigated, &[]);
    ran.endpoint.site = Some(words("Acme HQ"));
    join(&mut story, ran);
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running);
    story.proved();
}

#[test]
fn outside_its_window_a_scan_counts_however_much_it_finds() {
    let mut story = told(unknown_file("file"), TUESDAY_10);
    for n in 0..80 {
        let mut alert = unknown_file(&format!("scan-{n}"));
        alert.detection.initiated_by = Initiator::FullDiskScan;
        alert.endpoint.site = Some(words("Acme HQ"));
        story.at_once(Command::TakeAlert { alert: Box::new(alert), rule: RuleId::R19, grounds: vec![] });
    }
    assert_eq!(story.clock(Clock::Analysis), ClockState::Running);
}

/// Whatever happens in whatever order, the record and the proof agree.
#[test]
fn a_thousand_drawn_stories_are_proved() {
    for seed in 0..1_000 {
        let mut dice = Dice(seed);
        let start = at("2026-04-27T00:00:00+09:00") + SignedDuration::from_mins(dice.below(20_000));
        let alert = if dice.below(3) == 0 { ransomware("first") } else { unknown_file("first") };
        let mut story = told_by(alert, &start.to_string(), Route::mail(crate::Language::Ja), roster());
        for step in 0..14 {
            story.now += SignedDuration::from_secs(dice.below(40_000));
            let command = drawn(&mut dice, &story, step);
            if let Ok(recorded) = story.incident.decide(command, story.context()) {
                recorded.iter().for_each(|entry| story.incident.apply(entry));
                story.events.extend(recorded);
            }
            if dice.below(3) > 0 {
                story.accept_newest();
            }
        }
        story.proved();
    }
}

fn drawn(dice: &mut Dice, story: &Story, step: i64) -> Command {
    let question = story.incident.open_question().map_or(QuestionId(1), |q| q.id);
    match dice.below(11) {
        0 => Command::Acknowledge { by: analyst() },
        1 => Command::Ask { by: analyst(), addition: None },
        2 | 3 => Command::RecordAnswer { by: analyst(), question, meaning: Meaning::Other, words: words("part of it") },
        4 => Command::Hold { by: analyst(), reason: words("asked to wait") },
        5 => Command::EndHold { by: analyst() },
        6 => Command::GiveVerdict { by: analyst(), verdict: Verdict::Suspicious, reason: words("looked at it") },
        7 => Command::Close { by: analyst() },
        8 => Command::TakeAlert {
            alert: Box::new(ransomware(&format!("more-{step}"))),
            rule: RuleId::R18,
            grounds: vec![],
        },
        9 => Command::PresentAnalysis { by: analyst(), text: words("so far so good") },
        _ => Command::LetTimePass,
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % bound
    }
}

impl Story {
    fn clock(&self, kind: Clock) -> ClockState {
        self.incident.clocks.as_ref().unwrap().state(kind, self.now)
    }

    /// The customer's mail server takes the newest notice.
    fn accept_newest(&mut self) {
        let Some(newest) = self.incident.notices.values().last() else { return };
        for route in newest.deliveries.keys().copied().collect::<Vec<_>>() {
            let (notice, reference) = (self.incident.notices.values().last().unwrap().id, "m@x".to_owned());
            self.at_once(Command::ConfirmNotice { notice, route, reference, accepted_at: self.now });
        }
    }

    fn cycles(&self) -> Vec<clock::Cycle> {
        let Self { incident, events, calendar, now, .. } = self;
        clock::prove(&incident.tenant, incident.id, events, calendar, *now).unwrap()
    }

    fn proved(&self) {
        let cycles = self.cycles();
        assert_eq!(u32::try_from(cycles.len()).unwrap(), self.incident.cycle);
        for cycle in cycles {
            assert!(cycle.differences.is_empty(), "{:#?}\n{:#?}", cycle.differences, self.events);
        }
    }
}

/// An alert comes in, and the customer's channel takes the first notice at once.
fn told(alert: Alert, when: &str) -> Story {
    told_by(alert, when, Route::mail(crate::Language::Ja), Roster::default())
}

fn told_by(alert: Alert, when: &str, route: Route, roster: Roster) -> Story {
    let mut story = Story::begin_at(alert, customer(route), Calendar::japan(), at(when));
    story.roster = roster;
    story.accept_newest();
    story
}

fn customer(route: Route) -> Tenant {
    assert_eq!(route.channel, Channel::Mail);
    let name = || Names { ja: "長谷川".into(), en: "Hasegawa".into() };
    let email = Email::try_from("soc@acme.example".to_owned()).unwrap();
    let contact = crate::tenant::Contact { email, department: None, title: None, name: name() };
    let tenant = Tenant::offline(TenantId::new("acme").unwrap());
    Tenant { connected: true, languages: vec![route.language], contacts: vec![contact], ..tenant }
}

fn roster() -> Roster {
    let on_call = |name: &str| OnCall {
        person: PersonId::new(name).unwrap(),
        email: Email::try_from(format!("{name}@soc.example")).unwrap(),
        language: crate::Language::Ja,
    };
    let site = |id: &str, person: &str| Site {
        id: id.parse().unwrap(),
        name: Names { ja: id.into(), en: id.into() },
        shifts: vec![Shift {
            days: vec![],
            from: "00:00".parse().unwrap(),
            to: "00:00".parse().unwrap(),
            people: vec![on_call(person)],
        }],
    };
    Roster { sites: vec![site("sapporo", "night"), site("fukuoka", "other")], leads: vec![on_call("lead")] }
}

fn words(text: &str) -> Untrusted {
    Untrusted::new(text)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Both due times of day in Japan.
fn due(story: &Story) -> (String, String) {
    let targets = story.incident.clocks.as_ref().unwrap().targets.unwrap();
    let time = |at| crate::calendar::in_japan(at).strftime("%H:%M:%S").to_string();
    (time(targets.first_response), time(targets.analysis))
}
