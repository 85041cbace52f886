//! Who is on duty by the roster, now and next, and since when the shift before has to be looked at.

use domain::Timestamp;
use domain::calendar::in_japan;
use domain::oncall::{OnCall, Roster, Shift, Site};
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};

/// How far the roster is read in either direction: a week has every shift in it.
const DAYS: i32 = 8;
/// The sheet looks back at least this far: whoever starts wants to know of the shift before.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(12);

#[derive(Debug)]
pub(super) struct Duty<'a> {
    /// The turns of each site, in the roster's order.
    pub(super) sites: Vec<SiteDuty<'a>>,
    pub(super) leads: &'a [OnCall],
    now: Timestamp,
}

#[derive(Debug)]
pub(super) struct SiteDuty<'a> {
    pub(super) site: &'a Site,
    pub(super) now: Vec<Turn<'a>>,
    /// The turns that begin next, at the same time.
    pub(super) next: Vec<Turn<'a>>,
    /// When the last one began that has begun.
    last_began: Option<Timestamp>,
}

/// One shift on one day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) shift: &'a Shift,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl<'a> Duty<'a> {
    pub(super) fn at(roster: &'a Roster, now: Timestamp) -> Self {
        let sites = roster.sites.iter().map(|site| SiteDuty::of(site, now)).collect();
        Self { sites, leads: &roster.leads, now }
    }

    /// When the oldest turn began that still lasts; while nobody is on duty, the last one that was. At least twelve hours ago.
    pub(super) fn looks_back_to(&self) -> Timestamp {
        let lasting = self.sites.iter().flat_map(|s| &s.now).map(|turn| turn.from).min();
        let began = lasting.or_else(|| self.sites.iter().filter_map(|s| s.last_began).max());
        let at_least = self.now.saturating_sub(LOOKS_BACK).unwrap_or(self.now);
        began.map_or(at_least, |began| began.min(at_least))
    }

    /// Who begins next, at any site: most likely to be handed to.
    pub(super) fn next_person(&self) -> Option<&'a OnCall> {
        let next = self.sites.iter().flat_map(|s| &s.next).min_by_key(|turn| turn.from)?;
        next.shift.people.first()
    }
}

impl<'a> SiteDuty<'a> {
    fn of(site: &'a Site, now: Timestamp) -> Self {
        let today = in_japan(now).date();
        let turns: Vec<Turn<'a>> =
            (-DAYS..=DAYS).filter_map(|n| day(today, n)).flat_map(|day| turns(site, day)).collect();
        let next = turns.iter().map(|t| t.from).filter(|from| *from > now).min();
        Self {
            site,
            now: turns.iter().filter(|t| t.from <= now && now < t.to).copied().collect(),
            next: turns.iter().filter(|t| Some(t.from) == next).copied().collect(),
            last_began: turns.iter().map(|t| t.from).filter(|from| *from <= now).max(),
        }
    }
}

fn day(today: Date, n: i32) -> Option<Date> {
    today.checked_add(n.days()).ok()
}

fn turns(site: &Site, day: Date) -> impl Iterator<Item = Turn<'_>> {
    site.shifts.iter().filter_map(move |shift| {
        let (from, to) = shift.beginning(day)?;
        Some(Turn { shift, from, to })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> Roster {
        let shift = |days: &str, from: &str, to: &str, who: &str| {
            format!(
                r#"{{"days":[{days}],"from":"{from}","to":"{to}","people":[{{"person":"{who}","email":"{who}@soc.example"}}]}}"#
            )
        };
        let week = r#""mon","tue","wed","thu","fri""#;
        let sites = format!(
            r#"{{"site":[
                {{"id":"sapporo","name":{{"ja":"札幌","en":"Sapporo"}},"shift":[{}]}},
                {{"id":"fukuoka","name":{{"ja":"福岡","en":"Fukuoka"}},"shift":[{}]}}],"lead":[]}}"#,
            shift(week, "09:00:00", "18:00:00", "abe"),
            shift(r#""tue""#, "18:00:00", "02:00:00", "chiba"),
        );
        serde_json::from_str(&sites).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        format!("{text}+09:00").parse().unwrap()
    }

    fn told(when: &str) -> (Vec<&'static str>, Vec<String>, String) {
        let roster = roster();
        let duty = Duty::at(&roster, at(when));
        let names = ["sapporo", "fukuoka"];
        let now = names.iter().zip(&duty.sites).filter(|(_, s)| !s.now.is_empty()).map(|(n, _)| *n).collect();
        let clock = |at: Timestamp| in_japan(at).strftime("%d %H:%M").to_string();
        let next = duty.sites.iter().filter_map(|s| s.next.first()).map(|turn| clock(turn.from)).collect();
        (now, next, clock(duty.looks_back_to()))
    }

    #[test]
    fn the_sheet_says_who_is_on_duty_now_and_next_and_looks_back_over_the_shift_before() {
        let own = |next: [&str; 2]| next.map(str::to_owned).to_vec();
        // Tuesday morning: the day's shift at Sapporo, the evening's at Fukuoka comes.
        assert_eq!(told("2026-11-24T10:00:00"), (vec!["sapporo"], own(["25 09:00", "24 18:00"]), "23 22:00".into()));
        // Wednesday, after midnight: Fukuoka since the evening before, and at least twelve hours.
        assert_eq!(told("2026-11-25T01:00:00"), (vec!["fukuoka"], own(["25 09:00", "01 18:00"]), "24 13:00".into()));
        // Sunday: nobody; the last one was Friday's.
        assert_eq!(told("2026-11-29T10:00:00"), (vec![], own(["30 09:00", "01 18:00"]), "27 09:00".into()));
    }

    #[test]
    fn without_a_roster_the_sheet_looks_back_twelve_hours() {
        let nobody = Roster::default();
        assert_eq!(Duty::at(&nobody, at("2026-11-24T10:00:00")).looks_back_to(), at("2026-11-23T22:00:00"));
        assert!(Duty::at(&nobody, at("2026-11-24T10:00:00")).next_person().is_none());
    }
}
