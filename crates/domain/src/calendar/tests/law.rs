//! The national holidays by the rules of the Act on National Holidays (国民の祝日に関する法律) as it has stood since 2022,
//! to cross-check the official table (REL-12). Only for tests: the law fixes the equinoxes by a notice of the year before,
//! so a computed day is never promised to a customer.

use super::super::*;

#[test]
fn the_official_table_and_the_act_name_the_same_days_rel_12() {
    let table = Calendar::japan().holidays;
    for year in 2023..=2027 {
        let by_law = holidays(year);
        let official: BTreeMap<Date, &str> =
            table.iter().filter(|(day, _)| day.year() == year).map(|(day, name)| (*day, *name)).collect();
        let only_table: Vec<_> = official.iter().filter(|(day, name)| by_law.get(day) != Some(name)).collect();
        let only_law: Vec<_> = by_law.iter().filter(|(day, name)| official.get(day) != Some(name)).collect();
        assert!(
            only_table.is_empty() && only_law.is_empty(),
            "{year}: only in the table {only_table:?}, only by the Act {only_law:?}"
        );
    }
}

#[test]
fn a_day_between_two_holidays_is_one_rel_12() {
    // The Tuesday between 敬老の日, a Monday, and 秋分の日. Substitutes have the same name but follow a Sunday.
    let between = (2023..=2035).flat_map(holidays).filter(|(d, n)| *n == "休日" && d.weekday() == Weekday::Tuesday);
    let september: Vec<Date> = between.map(|(day, _)| day).filter(|day| day.month() == 9).collect();
    assert_eq!(september, [Date::constant(2026, 9, 22), Date::constant(2032, 9, 21)]);
}

/// Every holiday of a year with its name in the official table.
fn holidays(year: i16) -> BTreeMap<Date, &'static str> {
    let on = |month, day| Date::constant(year, month, day);
    let monday = |nth, month| on(month, 1).nth_weekday_of_month(nth, Weekday::Monday).unwrap();
    let named = BTreeMap::from([
        (on(1, 1), "元日"),
        (monday(2, 1), "成人の日"),
        (on(2, 11), "建国記念の日"),
        (on(2, 23), "天皇誕生日"),
        (on(3, equinox(year, 20.8431)), "春分の日"),
        (on(4, 29), "昭和の日"),
        (on(5, 3), "憲法記念日"),
        (on(5, 4), "みどりの日"),
        (on(5, 5), "こどもの日"),
        (monday(3, 7), "海の日"),
        (on(8, 11), "山の日"),
        (monday(3, 9), "敬老の日"),
        (on(9, equinox(year, 23.2488)), "秋分の日"),
        (monday(2, 10), "スポーツの日"),
        (on(11, 3), "文化の日"),
        (on(11, 23), "勤労感謝の日"),
    ]);
    let mut all = named.clone();
    for day in named.keys().copied() {
        // Article 3 (2): a holiday on a Sunday moves on to the next day that is none.
        if day.weekday() == Weekday::Sunday {
            let substitute = day.series(1.day()).find(|d| !named.contains_key(d)).unwrap();
            all.insert(substitute, "休日");
        }
        // Article 3 (3): a day with a holiday before and after it is one too.
        let between = day + 1.day();
        if !named.contains_key(&between) && named.contains_key(&(day + 2.days())) {
            all.insert(between, "休日");
        }
    }
    all
}

/// The usual approximation of the day of an equinox in Japan, good for 1980 to 2099: the instant drifts by 0.242194 days
/// a year and falls back by one each leap year.
fn equinox(year: i16, in_1980: f64) -> i8 {
    let years = f64::from(year - 1980);
    let day = (in_1980 + 0.242_194 * years).floor() - (years / 4.0).floor();
    // Between 19 and 24.
    #[expect(clippy::cast_possible_truncation)]
    let day = day as i8;
    day
}
