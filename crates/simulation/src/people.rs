//! Who works and who answers: analysts on shifts who take from the queue what is due next, and customers who answer their
//! question in time, late or never. They decide like people, from what the queue and the incident show; they know no domain
//! rule, and what is refused is refused.

use domain::calendar::{Calendar, Hours};
use domain::incident::{Command, Incident, Phase, Visibility};
use domain::question::Meaning;
use domain::{IncidentId, PersonId, TenantId, Timestamp, Untrusted, Verdict};
use jiff::SignedDuration;
use store::QueueRow;

use crate::dice::Dice;
use crate::plan::Crew;

/// Where the SOC's people sit.
const SITES: [&str; 3] = ["sapporo", "fukuoka", "tokyo"];
/// Customers that one analyst can look after.
const CUSTOMERS_PER_ANALYST: usize = 4;

#[derive(Debug)]
pub(crate) struct People {
    pub(crate) analysts: Vec<Analyst>,
    dice: Dice,
    /// Until when a site's people are away.
    away: [Timestamp; SITES.len()],
    /// Until when nobody looks at anything new.
    asleep: Timestamp,
    crew: Crew,
}

#[derive(Debug)]
pub(crate) struct Analyst {
    pub(crate) id: PersonId,
    site: usize,
    /// What they are busy with, when they do one thing after the other.
    pub(crate) busy: Option<(TenantId, IncidentId)>,
}

impl People {
    pub(crate) fn new(customers: usize, crew: Crew, dice: Dice) -> anyhow::Result<Self> {
        let count = match crew {
            Crew::Mixed => SITES.len().max(customers.div_ceil(CUSTOMERS_PER_ANALYST) + 1),
            Crew::OneByOne { analysts, .. } => analysts,
        };
        let analysts = (0..count)
            .map(|n| {
                let site = n % SITES.len();
                Ok(Analyst { id: format!("{}.analyst{n}", SITES[site]).parse()?, site, busy: None })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { analysts, dice, away: [Timestamp::MIN; SITES.len()], asleep: Timestamp::MIN, crew })
    }

    pub(crate) fn leave_a_site(&mut self, until: Timestamp, dice: &mut Dice) {
        self.away[dice.pick(&[0, 1, 2])] = until;
    }

    pub(crate) fn fall_asleep(&mut self, until: Timestamp) {
        self.asleep = until;
    }

    /// When somebody is at work next, `now` itself when they are.
    pub(crate) fn at_work(&self, who: usize, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let back = self.away[self.analysts[who].site].max(self.asleep).max(now);
        let minute = SignedDuration::from_mins(1);
        // The end of the first working minute from then on; beyond the known holidays nobody works.
        calendar.due(back, 1, Hours::Business).ok().map(|end| (end - minute).max(back))
    }

    /// Whether the SOC is closed, beyond the calendar included.
    pub(crate) fn closed_now(&self, now: Timestamp, calendar: &Calendar) -> bool {
        let minute = SignedDuration::from_mins(1);
        calendar.due(now, 1, Hours::Business).map_or(true, |end| end.duration_since(now) > minute)
    }

    /// What somebody takes from the queue: what is theirs or nobody's, due next first.
    pub(crate) fn choose<'a>(&self, who: usize, rows: &'a [QueueRow]) -> Option<&'a QueueRow> {
        let me = &self.analysts[who].id;
        rows.iter().find(|row| match row.phase {
            Phase::Triaged => true,
            Phase::Acknowledged | Phase::Analysing => row.assigned.as_ref().is_none_or(|by| by == me),
            _ => false,
        })
    }

    /// What they do with it.
    pub(crate) fn work_on(&mut self, who: usize, incident: &Incident) -> Command {
        let by = self.analysts[who].id.clone();
        let dice = &mut self.dice;
        if incident.acknowledged.is_none() {
            return Command::Acknowledge { by };
        }
        let words = Untrusted::new("確認しました。 Looked at it.");
        if dice.percent(15) {
            let visibility = dice.pick(&[Visibility::Internal, Visibility::Customer]);
            return Command::AddNote { by, visibility, text: words };
        }
        let asked = incident.questions.values().any(|question| question.by.is_some());
        if incident.verdict == Verdict::Undetermined && !asked && dice.percent(80) {
            return Command::Ask { by, addition: None };
        }
        let verdict = match incident.verdict {
            Verdict::Undetermined => dice.pick(&Verdict::GIVEN),
            likely if dice.percent(85) => likely,
            _ => dice.pick(&Verdict::GIVEN),
        };
        let reason = Untrusted::new("プロセスの挙動と入手元を確認したため。 Behaviour and source were checked.");
        Command::GiveVerdict { by, verdict, reason }
    }

    /// How long the piece of work takes.
    pub(crate) fn pause(&mut self) -> SignedDuration {
        match self.crew {
            Crew::Mixed => secs(self.dice.between(40, 420)),
            Crew::OneByOne { service, .. } => service.draw(&mut self.dice),
        }
    }

    /// How long it takes an idle analyst to see that there is something new.
    pub(crate) fn notices_after(&mut self) -> SignedDuration {
        match self.crew {
            Crew::Mixed => secs(self.dice.between(20, 300)),
            Crew::OneByOne { .. } => secs(self.dice.between(5, 60)),
        }
    }

    /// One thing at a time, and only then the next.
    pub(crate) fn one_by_one(&self) -> bool {
        matches!(self.crew, Crew::OneByOne { .. })
    }

    /// How soon somebody who is called does what they are called for, if they do. Nobody hears a call at a
    /// site that is away, few do when nobody looks at anything, and some calls are not heard anyway.
    pub(crate) fn answers_a_call(&mut self, who: &PersonId, now: Timestamp) -> Option<SignedDuration> {
        let site = SITES.iter().position(|site| who.as_str().starts_with(site)).unwrap_or_default();
        let hears = self.dice.percent(if now < self.asleep { 30 } else { 55 });
        let after = secs(self.dice.between(30, 1500));
        let there = now >= self.away[site] && self.crew == Crew::Mixed;
        (hears && there).then_some(after)
    }

    /// After a verdict: when the incident is closed.
    pub(crate) fn closes_after(&mut self) -> SignedDuration {
        secs(self.dice.between(120, 5400))
    }

    /// After a close: when somebody thinks better of it.
    pub(crate) fn reopens_after(&mut self) -> Option<SignedDuration> {
        self.dice.percent(3).then(|| secs(self.dice.between(600, 90_000)))
    }

    /// When the customer answers, if ever. Some do in the last second, and some too late.
    pub(crate) fn answers_after(&mut self) -> Option<SignedDuration> {
        const LAST: u64 = 72 * 3600;
        match self.dice.below(100) {
            0..50 => Some(secs(self.dice.between(600, 48 * 3600))),
            50..55 => Some(secs(LAST - self.dice.between(0, 1))),
            55..70 => Some(secs(LAST + self.dice.between(1, 24 * 3600))),
            _ => None,
        }
    }

    pub(crate) fn meaning(&mut self) -> Meaning {
        self.dice.pick(&Meaning::ALL)
    }
}

pub(crate) fn secs(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}
