//! Who works and who answers: analysts on shifts who take from the queue what is due next, and customers who answer their
//! question in time, late or never. They decide like people, from what the queue and the incident show; they know no domain
//! rule, and what is refused is refused.

use domain::calendar::{Calendar, Hours};
use domain::incident::{Command, Incident, Phase, Visibility};
use domain::question::Meaning;
use domain::{PersonId, Timestamp, Untrusted, Verdict};
use jiff::SignedDuration;
use store::QueueRow;

use crate::dice::Dice;

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
}

#[derive(Debug)]
pub(crate) struct Analyst {
    pub(crate) id: PersonId,
    site: usize,
}

impl People {
    pub(crate) fn new(customers: usize, dice: Dice) -> anyhow::Result<Self> {
        let count = SITES.len().max(customers.div_ceil(CUSTOMERS_PER_ANALYST) + 1);
        let analysts = (0..count)
            .map(|n| {
                let site = n % SITES.len();
                Ok(Analyst { id: format!("{}.analyst{n}", SITES[site]).parse()?, site })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { analysts, dice, away: [Timestamp::MIN; SITES.len()], asleep: Timestamp::MIN })
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
        secs(self.dice.between(40, 420))
    }

    /// How long it takes an idle analyst to see that there is something new.
    pub(crate) fn notices_after(&mut self) -> SignedDuration {
        secs(self.dice.between(20, 300))
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
