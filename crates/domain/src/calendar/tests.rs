//! The calendar against the contract's vectors, a reference written another way and a public tool; the table against the law.

mod law;
mod peer;
mod reference;

use super::*;

fn jst_time(text: &str) -> Timestamp {
    format!("{text}:00+09:00").parse().unwrap()
}

/// `practice.md` §2, golden vectors.
#[test]
fn sixty_business_minutes_end_when_the_contract_says_rel_11() {
    let calendar = Calendar::japan();
    for (start, due) in [
        ("2026-09-18T17:30", "2026-09-24T09:30"),
        ("2026-09-18T18:00", "2026-09-24T10:00"),
        ("2026-05-01T17:45", "2026-05-07T09:45"),
        ("2027-03-19T17:30", "2027-03-23T09:30"),
        ("2026-11-02T17:59", "2026-11-04T09:59"),
        ("2026-12-28T17:30", "2027-01-04T09:30"),
        ("2026-12-31T17:30", "2027-01-04T10:00"),
        ("2026-09-24T08:59", "2026-09-24T10:00"),
    ] {
        let got = calendar.due(jst_time(start), 60, Hours::Business).unwrap();
        assert_eq!(got, jst_time(due), "from {start}");
    }
}

#[test]
fn every_hour_between_start_and_due_has_its_reason() {
    let explained = Calendar::japan().explain(jst_time("2026-09-18T17:30"), 60, Hours::Business).unwrap();
    let expected = [
        ("2026-09-18T17:30", "2026-09-18T18:00", What::Counted),
        ("2026-09-18T18:00", "2026-09-19T00:00", What::Night),
        ("2026-09-19T00:00", "2026-09-21T00:00", What::Weekend),
        ("2026-09-21T00:00", "2026-09-22T00:00", What::Holiday { name: "敬老の日" }),
        ("2026-09-22T00:00", "2026-09-23T00:00", What::Holiday { name: "休日" }),
        ("2026-09-23T00:00", "2026-09-24T00:00", What::Holiday { name: "秋分の日" }),
        ("2026-09-24T00:00", "2026-09-24T09:00", What::Night),
        ("2026-09-24T09:00", "2026-09-24T09:30", What::Counted),
    ];
    let expected = expected.map(|(from, to, what)| Step { from: jst_time(from), to: jst_time(to), what });
    assert_eq!(explained.steps, expected);
    assert_eq!(explained.due, jst_time("2026-09-24T09:30"));
}

#[test]
fn closed_days_are_the_providers_and_holidays_stay() {
    let start = jst_time("2026-12-28T17:30");
    let open_at_the_end_of_the_year = Calendar::japan().with_closed_days([]);
    assert_eq!(open_at_the_end_of_the_year.due(start, 60, Hours::Business).unwrap(), jst_time("2026-12-29T09:30"));
    assert!(!open_at_the_end_of_the_year.is_business_day(Date::constant(2027, 1, 1)));

    let closed = ["12-29", "2026-12-30"].map(|day| day.parse().unwrap());
    let explained = Calendar::japan().with_closed_days(closed).explain(start, 60, Hours::Business).unwrap();
    assert_eq!(explained.due, jst_time("2026-12-31T09:30"));
    let closed: Vec<_> = explained.steps.iter().filter(|step| step.what == What::ClosedDay).collect();
    assert_eq!(closed.len(), 1, "two neighbours are one step: {closed:?}");
    assert_eq!(closed[0].lasts(), SignedDuration::from_hours(48));
}

#[test]
fn a_closed_day_that_does_not_exist_is_refused() {
    assert_eq!("02-29".parse(), Ok(ClosedDay::Yearly { month: 2, day: 29 }));
    for text in ["02-30", "2026-02-29", "", "12/29", "13-01", "１２-２９"] {
        assert!(text.parse::<ClosedDay>().is_err(), "{text}");
    }
}

#[test]
fn fractions_of_a_second_are_not_lost_over_a_night() {
    let start = "2026-11-24T17:30:00.5+09:00".parse().unwrap();
    let due = Calendar::japan().due(start, 60, Hours::Business).unwrap();
    assert_eq!(due, "2026-11-25T09:30:00.5+09:00".parse().unwrap());
}

#[test]
fn beyond_the_published_holidays_it_refuses_rel_12() {
    let calendar = Calendar::japan();
    let refused = calendar.due(jst_time("2027-12-28T17:59"), 60, Hours::Business).unwrap_err();
    assert_eq!(refused.horizon, Date::constant(2027, 12, 31));
    // Nor is anything known of the days before the table begins.
    let refused = calendar.due(jst_time("1954-12-31T17:00"), 10, Hours::Business).unwrap_err();
    assert!(refused.to_string().contains("from `1955-01-01` to `2027-12-31`"), "{refused}");
    assert!(calendar.explain(Timestamp::MIN, 10, Hours::Business).is_err());
    assert!(calendar.explain(Timestamp::MAX, i64::MAX, Hours::Business).is_err());
    assert_eq!(calendar.days_to_horizon(Date::constant(2026, 11, 26)), 400);
    assert_eq!(calendar.days_to_horizon(Date::constant(2028, 1, 1)), -1);
}

#[test]
fn around_the_clock_is_around_the_clock() {
    let start = jst_time("2026-12-31T23:55");
    let explained = Calendar::japan().explain(start, 10, Hours::Always).unwrap();
    let due = jst_time("2027-01-01T00:05");
    assert_eq!(explained, Explained { due, steps: vec![Step { from: start, to: due, what: What::Counted }] });
}

#[test]
fn a_contract_may_have_hours_of_its_own() {
    let calendar = Calendar::japan();
    let hours = |text: &str| text.parse::<Hours>().unwrap();
    // A Saturday, a Sunday that is no holiday, and New Year's Eve, on which the provider is closed.
    for (start, own, due) in [
        ("2026-11-20T19:30", "08:00-20:00", "2026-11-24T08:30"),
        ("2026-11-20T19:30", "08:00-20:00 weekends", "2026-11-21T08:30"),
        ("2026-11-22T19:30", "08:00-20:00 weekends", "2026-11-24T08:30"),
        ("2026-11-22T19:30", "08:00-20:00 weekends holidays", "2026-11-23T08:30"),
        ("2026-12-30T19:30", "08:00-20:00 holidays", "2026-12-31T08:30"),
    ] {
        assert_eq!(calendar.due(jst_time(start), 60, hours(own)).unwrap(), jst_time(due), "{own} from {start}");
    }
    for text in ["business", "always", "08:00-20:00", "08:00-20:00 weekends", "08:00-20:00 weekends holidays"] {
        assert_eq!(hours(text).to_string(), text);
    }
    for text in
        ["", "Business", "8-20", "20:00-08:00", "09:00-09:00", "08:00-20:00 nights", "always weekends", "08:00-25:00"]
    {
        assert!(text.parse::<Hours>().is_err(), "{text}");
    }
}

#[test]
fn an_edition_gives_the_same_calendar_again() {
    let calendar = Calendar::japan().with_closed_days(["08-13".parse().unwrap()]);
    let kept = serde_json::to_string(&calendar.edition()).unwrap();
    assert_eq!(kept, r#"{"table":"2026-08-21","closed":["08-13"]}"#);
    let again = Calendar::of(&serde_json::from_str(&kept).unwrap()).unwrap();
    assert!(again.is(&calendar.edition()) && !again.is(&Calendar::japan().edition()));
    assert_eq!(again.holidays, calendar.holidays);
    let unknown = Edition { table: "2031-02-01".into(), ..calendar.edition() };
    assert!(Calendar::of(&unknown).unwrap_err().to_string().contains("2031-02-01"));
}

#[test]
fn what_lies_between_a_start_and_its_due_time_is_what_was_asked_for() {
    let calendar = Calendar::japan();
    for hours in ["business", "always", "08:00-20:00 weekends", "10:00-16:30 holidays"].map(|h| h.parse().unwrap()) {
        for n in 0..2_000_i64 {
            let start = jst_time("2026-01-01T00:00") + SignedDuration::from_secs(n * 14_477);
            let minutes = n * 7 % 1_500;
            let due = calendar.due(start, minutes, hours).unwrap();
            assert_eq!(calendar.between(start, due, hours).unwrap(), SignedDuration::from_mins(minutes));
            // A pause on the way moves the end by exactly what was paused.
            let (off, on) = (start + SignedDuration::from_mins(minutes / 3), start + SignedDuration::from_hours(100));
            if off < due {
                let rest = calendar.between(off, due, hours).unwrap();
                let later = calendar.due_after(on, rest, hours).unwrap();
                let before = calendar.between(start, off, hours).unwrap();
                assert_eq!(before + calendar.between(on, later, hours).unwrap(), SignedDuration::from_mins(minutes));
            }
        }
    }
    assert_eq!(
        calendar.between(jst_time("2026-11-24T12:00"), jst_time("2026-11-24T11:00"), Hours::Business),
        Ok(SignedDuration::ZERO)
    );
}
