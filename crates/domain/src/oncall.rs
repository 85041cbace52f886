//! Who of the SOC is called when nobody has taken an incident: sites, their shifts, and the leads.
//!
//! The order in the roster is the order of calling. It does not know how a person is reached (`notify`), nor whether they
//! can sign in.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use crate::calendar::{from_japan, in_japan};
use crate::ids::{NoticeId, PageId, PersonId, SiteId};
use crate::language::{Language, Text};
use crate::notice::Delivery;
use crate::tenant::{Email, Names};

/// The sites in their order, and the leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Roster {
    #[serde(rename = "site")]
    pub sites: Vec<Site>,
    #[serde(rename = "lead")]
    pub leads: Vec<OnCall>,
}

/// Of a service that calls nobody, as an offline import.
pub static NOBODY: Roster = Roster { sites: Vec::new(), leads: Vec::new() };

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub id: SiteId,
    pub name: Names,
    #[serde(default, rename = "shift")]
    pub shifts: Vec<Shift>,
}

/// Hours in Japan; one that ends before it begins passes midnight, and belongs to the day on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// All days when empty.
    #[serde(default)]
    pub days: Vec<Day>,
    pub from: Time,
    pub to: Time,
    /// In the order in which they are called.
    pub people: Vec<OnCall>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A person and where a call reaches them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnCall {
    pub person: PersonId,
    pub email: Email,
    #[serde(default = "japanese")]
    pub language: Language,
}

fn japanese() -> Language {
    Language::Ja
}

/// How far a call has risen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    NextAnalyst,
    NextSite,
    Lead,
}

impl Step {
    pub const ALL: [Self; 3] = [Self::NextAnalyst, Self::NextSite, Self::Lead];

    pub fn text(self) -> Text {
        match self {
            Self::NextAnalyst => Text::new("当番の分析担当者", "analyst on duty"),
            Self::NextSite => Text::new("次の拠点", "next site"),
            Self::Lead => Text::new("責任者", "lead"),
        }
    }
}

/// Why somebody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Nobody has acknowledged it in time.
    NotAcknowledged,
    /// No channel of the customer took this notice within two minutes: they have to be called by telephone.
    CustomerNotReached(NoticeId),
}

/// One call for a person, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub id: PageId,
    pub why: Why,
    pub step: Step,
    /// `None`: the roster names nobody for this hour. It stands on the incident for people to see.
    pub to: Option<OnCall>,
    pub site: Option<SiteId>,
    pub decided_at: Timestamp,
    pub delivery: Delivery,
}

impl Roster {
    /// Whom to call at a step, passing over `called`, and the site they are at. When a step has nobody, the next step's
    /// person is called rather than nobody.
    pub fn whom(&self, step: Step, at: Timestamp, called: &[PersonId]) -> Option<(&OnCall, Option<&SiteId>)> {
        let fresh = |who: &&OnCall| !called.contains(&who.person);
        let on_duty = || self.sites.iter().map(|site| (site, site.on_duty(at)));
        // The site whose turn it was: the first one that has anybody on duty.
        let turn = on_duty().find(|(_, people)| !people.is_empty()).map(|(site, _)| &site.id);
        let analyst = || on_duty().find_map(|(site, people)| Some((people.into_iter().find(fresh)?, Some(&site.id))));
        let other_site = || {
            on_duty()
                .filter(|(site, _)| Some(&site.id) != turn)
                .find_map(|(site, people)| Some((people.into_iter().find(fresh)?, Some(&site.id))))
        };
        let lead = || self.leads.iter().find(fresh).map(|who| (who, None));
        match step {
            Step::NextAnalyst => analyst().or_else(lead),
            Step::NextSite => other_site().or_else(analyst).or_else(lead),
            Step::Lead => lead().or_else(analyst),
        }
    }

    /// The site at which a person has a shift.
    pub fn site_of(&self, person: &PersonId) -> Option<&Site> {
        self.sites.iter().find(|site| site.shifts.iter().any(|s| s.people.iter().any(|p| p.person == *person)))
    }
}

impl Site {
    pub fn on_duty(&self, at: Timestamp) -> Vec<&OnCall> {
        self.shifts.iter().filter(|shift| shift.covers(at)).flat_map(|shift| &shift.people).collect()
    }
}

impl Shift {
    pub fn covers(&self, at: Timestamp) -> bool {
        let now = in_japan(at);
        let on = |day: Weekday| self.days.is_empty() || self.days.iter().any(|d| d.weekday() == day);
        if self.from < self.to {
            on(now.weekday()) && (self.from..self.to).contains(&now.time())
        } else {
            let (tonight, yesterday) = (now.time() >= self.from, now.weekday().previous());
            (tonight && on(now.weekday())) || (now.time() < self.to && on(yesterday))
        }
    }

    /// From when until when it lasts, if it begins on this day in Japan.
    pub fn beginning(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let begins = self.days.is_empty() || self.days.iter().any(|d| d.weekday() == day.weekday());
        let last = if self.from < self.to { day } else { day.tomorrow().ok()? };
        begins.then(|| (from_japan(day.to_datetime(self.from)), from_japan(last.to_datetime(self.to))))
    }
}

impl Day {
    fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> OnCall {
        let email = Email::try_from(format!("{name}@soc.example")).unwrap();
        OnCall { person: PersonId::new(name).unwrap(), email, language: Language::Ja }
    }

    fn site(id: &str, from: &str, to: &str, days: &[Day], people: &[&str]) -> Site {
        let people = people.iter().map(|name| person(name)).collect();
        let shift = Shift { days: days.to_vec(), from: from.parse().unwrap(), to: to.parse().unwrap(), people };
        let name = Names { ja: id.into(), en: id.into() };
        Site { id: SiteId::new(id).unwrap(), name, shifts: vec![shift] }
    }

    fn roster() -> Roster {
        let weekdays = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
        Roster {
            sites: vec![
                site("sapporo", "09:00", "18:00", &weekdays, &["abe", "baba"]),
                site("fukuoka", "17:00", "02:00", &[Day::Fri], &["chiba"]),
            ],
            leads: vec![person("doi")],
        }
    }

    fn call(step: Step, at: &str, called: &[&str]) -> String {
        let called: Vec<_> = called.iter().map(|name| PersonId::new(name).unwrap()).collect();
        let roster = roster();
        let whom = roster.whom(step, format!("{at}+09:00").parse().unwrap(), &called);
        whom.map_or("nobody".into(), |(who, _)| who.person.to_string())
    }

    #[test]
    fn the_call_goes_to_the_next_analyst_then_the_next_site_then_the_lead_rel_09() {
        let friday = "2026-11-27T17:30:00";
        assert_eq!(call(Step::NextAnalyst, friday, &[]), "abe");
        assert_eq!(call(Step::NextSite, friday, &["abe"]), "chiba");
        assert_eq!(call(Step::Lead, friday, &["abe", "chiba"]), "doi");
        // Nobody is called twice, and where a step has nobody the next one has.
        assert_eq!(call(Step::NextAnalyst, friday, &["abe"]), "baba");
        assert_eq!(call(Step::NextSite, "2026-11-26T12:00:00", &["abe"]), "baba");
        assert_eq!(call(Step::NextAnalyst, "2026-11-28T12:00:00", &[]), "doi");
        assert_eq!(call(Step::Lead, "2026-11-28T12:00:00", &["doi"]), "nobody");
    }

    #[test]
    fn a_shift_covers_the_time_from_its_beginning_until_its_end_and_no_other() {
        let minute = jiff::SignedDuration::from_mins(1);
        let mut begun = 0;
        for site in roster().sites {
            for shift in site.shifts {
                for day in (24..=30).map(|d| jiff::civil::date(2026, 11, d)) {
                    let Some((from, to)) = shift.beginning(day) else { continue };
                    begun += 1;
                    let around = [from - minute, from, to - minute, to].map(|at| shift.covers(at));
                    assert_eq!(around, [false, true, true, false], "{day}");
                }
            }
        }
        assert_eq!(begun, 6, "Tuesday to Friday and Monday in Sapporo, Friday night in Fukuoka");
    }

    #[test]
    fn a_shift_past_midnight_belongs_to_the_day_on_which_it_begins() {
        for (at, who) in [
            ("2026-11-27T18:00:00", "chiba"),
            ("2026-11-28T01:59:59", "chiba"),
            ("2026-11-28T02:00:00", "doi"),
            ("2026-11-27T01:00:00", "doi"),
        ] {
            assert_eq!(call(Step::NextAnalyst, at, &[]), who, "{at}");
        }
    }
}
