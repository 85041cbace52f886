//! A second calendar, slow and written differently: it lists every open minute of four years one by one, with its own
//! arithmetic of days, and looks the answer up there. A million random cases have to agree (REL-11).

use super::super::*;

const CASES: u64 = 1_000_000;
const SEED: u64 = 4711;

#[test]
fn a_million_random_cases_agree_with_a_minute_by_minute_reference_rel_11() {
    let (calendar, reference) = (Calendar::japan(), Reference::new());
    // Each half on its own core.
    std::thread::scope(|scope| {
        for half in [SEED, SEED + 1] {
            let (calendar, reference) = (&calendar, &reference);
            scope.spawn(move || compare(calendar, reference, half, CASES / 2));
        }
    });
}

fn compare(calendar: &Calendar, reference: &Reference, seed: u64, cases: u64) {
    let (mut random, mut refused) = (Random(seed), 0);
    for case in 0..cases {
        let mut start_s = FIRST_S + random.below(LAST_S - FIRST_S);
        if random.below(2) == 0 {
            // Whole minutes meet opening and closing to the second.
            start_s -= start_s % 60;
        }
        let minutes = random.below(3001);
        let start = Timestamp::from_second(start_s).unwrap();
        let got = calendar.due(start, minutes, Hours::Business).ok();
        let expected = reference.due(start_s, minutes).map(|s| Timestamp::from_second(s).unwrap());
        assert_eq!(got, expected, "seed {seed}, case {case}: {minutes} minutes from {start}");
        refused += u32::from(got.is_none());
        if case % 64 == 0
            && let Some(due) = got
        {
            the_steps_add_up(calendar, start, minutes, due);
        }
    }
    assert!(refused > 0, "no case reached the horizon");
}

fn the_steps_add_up(calendar: &Calendar, start: Timestamp, minutes: i64, due: Timestamp) {
    let explained = calendar.explain(start, minutes, Hours::Business).unwrap();
    assert_eq!(explained.due, due, "{minutes} minutes from {start}");
    let end = explained.steps.iter().fold(start, |at, step| {
        assert!(step.from == at && step.to > at, "a gap at {at}: {explained:?}");
        step.to
    });
    let counted = explained.steps.iter().filter(|step| step.what == What::Counted).map(Step::lasts);
    assert_eq!((end, counted.sum()), (due, SignedDuration::from_mins(minutes)), "{minutes} minutes from {start}");
}

/// 2024-01-01 and 2028-01-01, 00:00 in Japan.
const FIRST_S: i64 = 1_704_034_800;
const LAST_S: i64 = 1_830_265_200;
const JST_S: i64 = 9 * 3600;

/// The open minutes of 2024-2027, in order, each as the second it begins with.
struct Reference {
    open: Vec<i64>,
}

impl Reference {
    fn new() -> Self {
        let holidays: Vec<&str> = HOLIDAYS.lines().filter_map(|line| line.get(..10)).collect();
        let mut open = Vec::new();
        let (mut year, mut month, mut day) = (2024, 1, 1);
        let mut midnight_s = FIRST_S;
        while midnight_s < LAST_S {
            // 1970-01-01 was a Thursday, three days after a Monday.
            let weekday = ((midnight_s + JST_S) / 86_400 + 3) % 7;
            let turn_of_the_year = (month == 12 && day >= 29) || (month == 1 && day <= 3);
            let holiday = holidays.contains(&format!("{year}-{month:02}-{day:02}").as_str());
            for minute in 0..24 * 60 {
                if weekday < 5 && !turn_of_the_year && !holiday && (9 * 60..18 * 60).contains(&minute) {
                    open.push(midnight_s + minute * 60);
                }
            }
            midnight_s += 86_400;
            let february = if year % 4 == 0 { 29 } else { 28 };
            let long = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
            (year, month, day) = match (month, day == long) {
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
                (_, false) => (year, month, day + 1),
            };
        }
        assert_eq!((year, month, day), (2028, 1, 1), "the reference lost a day");
        Self { open }
    }

    fn due(&self, start_s: i64, minutes: i64) -> Option<i64> {
        let minute_s = start_s - start_s % 60;
        let first = self.open.partition_point(|open| *open < minute_s);
        // A start in a closed minute waits for the next open one.
        let into = if self.open.get(first)? == &minute_s { start_s % 60 } else { 0 };
        let minutes = usize::try_from(minutes).ok()?;
        match (into, minutes) {
            (0, 0) => self.open.get(first).copied(),
            // The last minute counts to its end, which may be the closing.
            (0, n) => self.open.get(first + n - 1).map(|s| s + 60),
            (into, n) => self.open.get(first + n).map(|s| s + into),
        }
    }
}

/// SplitMix64: the same seed gives the same cases.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        i64::try_from(z >> 1).unwrap() % bound
    }
}
