//! When to tell somebody: decided from what each look found, and from nothing else.
//!
//! Once per outage and once when it is over; one bad look is no outage and one good look does not end one. What could not be
//! told stays owed.

use domain::Timestamp;

/// Looks in a row that make an outage, or end one. The second shows that the first was no accident of the network.
const LOOKS: u32 = 2;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// Bad since then, with the bad looks in a row.
    bad: Option<Outage>,
    good_in_a_row: u32,
    /// An outage that is over, and whose end was not told yet.
    over: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Timestamp,
    looks: u32,
    due: bool,
    told: bool,
}

/// What somebody has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Outage { since: Timestamp },
    Over { since: Timestamp, until: Timestamp },
}

impl Alarm {
    /// Takes in what a look found, and says what is to be told now. Say `told` when it was; else it is said again at the
    /// next look.
    pub(super) fn look(&mut self, good: bool, now: Timestamp) -> Option<Tell> {
        if good {
            self.good(now);
        } else {
            self.bad(now);
        }
        match (self.bad, self.over) {
            // What is wrong now goes before what was.
            (Some(Outage { since, due: true, told: false, .. }), _) => Some(Tell::Outage { since }),
            (_, Some((since, until))) => Some(Tell::Over { since, until }),
            _ => None,
        }
    }

    pub(super) fn told(&mut self, what: Tell) {
        match (what, &mut self.bad) {
            (Tell::Outage { since }, Some(outage)) if outage.since == since => outage.told = true,
            (Tell::Outage { .. }, _) => {}
            (Tell::Over { .. }, _) => self.over = None,
        }
    }

    fn bad(&mut self, now: Timestamp) {
        self.good_in_a_row = 0;
        let outage = self.bad.get_or_insert(Outage { since: now, looks: 0, due: false, told: false });
        outage.looks += 1;
        outage.due |= outage.looks >= LOOKS;
    }

    fn good(&mut self, now: Timestamp) {
        self.good_in_a_row += 1;
        match self.bad {
            // Nobody would have been told.
            Some(Outage { due: false, .. }) => self.bad = None,
            // Somebody was told, or was to be: then the end is news, and says when it began.
            Some(Outage { since, .. }) if self.good_in_a_row >= LOOKS => {
                self.over = Some((self.over.map_or(since, |(earlier, _)| earlier), now));
                self.bad = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    /// Looks every half minute: `x` is bad, `.` is good. Each thing said is told, and noted with its second.
    fn told(looks: &str) -> Vec<(i64, Tell)> {
        let mut alarm = Alarm::default();
        let looks = (0..).step_by(30).zip(looks.chars());
        let said = looks.filter_map(|(second, look)| {
            let tell = alarm.look(look == '.', at(second))?;
            alarm.told(tell);
            Some((second, tell))
        });
        said.collect()
    }

    fn outage(since: i64) -> Tell {
        Tell::Outage { since: at(since) }
    }

    fn over(since: i64, until: i64) -> Tell {
        Tell::Over { since: at(since), until: at(until) }
    }

    #[test]
    fn an_outage_is_told_once_and_its_end_once() {
        assert_eq!(told("..xxxxxxxxxx......"), [(90, outage(60)), (390, over(60, 390))]);
        assert_eq!(told("xx..xx.."), [(30, outage(0)), (90, over(0, 90)), (150, outage(120)), (210, over(120, 210))]);
    }

    #[test]
    fn one_bad_look_is_no_outage_and_one_good_look_ends_none() {
        assert_eq!(told("..x..x.x."), []);
        assert_eq!(told("xxx.xx.xx"), [(30, outage(0))]);
    }

    #[test]
    fn what_could_not_be_told_is_owed_until_it_was() {
        let mut alarm = Alarm::default();
        alarm.look(false, at(0));
        assert_eq!(alarm.look(false, at(30)), Some(outage(0)));
        assert_eq!(alarm.look(false, at(60)), Some(outage(0)), "the mail server was away");
        assert_eq!(alarm.look(true, at(90)), Some(outage(0)));
        // It ended untold: its end says that it was.
        assert_eq!(alarm.look(true, at(120)), Some(over(0, 120)));
        assert_eq!(alarm.look(false, at(150)), Some(over(0, 120)));
        // A new outage goes first, then what is owed of the old one.
        assert_eq!(alarm.look(false, at(180)), Some(outage(150)));
        alarm.told(outage(150));
        assert_eq!(alarm.look(false, at(210)), Some(over(0, 120)));
        alarm.told(over(0, 120));
        assert_eq!(alarm.look(false, at(240)), None);
        alarm.look(true, at(270));
        assert_eq!(alarm.look(true, at(300)), Some(over(150, 300)));
    }
}
