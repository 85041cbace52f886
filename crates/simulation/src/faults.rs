//! The fault menu: everything a simulation may let go wrong, each under the name that `--faults` takes.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

macro_rules! menu {
    ($($(#[$doc:meta])* $fault:ident = $group:literal, $name:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $fault),* }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$fault),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$fault => $name),* }
            }

            /// Names several at once.
            pub fn group(self) -> &'static str {
                match self { $(Self::$fault => $group),* }
            }
        }
    };
}

menu! {
    /// The console says 429, with and without a time to come back.
    TooManyRequests = "console", "console-429";
    /// The console's gateway says 503 for some calls in a row.
    Unavailable = "console", "console-503";
    /// Answers break off in the middle.
    Truncated = "console", "console-truncated";
    /// A page is handed out twice.
    DuplicatePage = "console", "console-duplicate-page";
    /// A threat shows in lists only later, with its older time of change.
    LateThreat = "console", "console-late-threat";
    /// An order is carried out, and its answer lost.
    LostAnswer = "console", "console-lost-answer";
    /// The endpoint cannot carry an order out.
    ActionFails = "console", "console-action-fails";
    /// The mail server says no: mostly for now, sometimes for good.
    MailRefused = "channel", "mail-refused";
    /// The mail server takes a mail, and its answer is lost.
    MailAnswerLost = "channel", "mail-answer-lost";
    /// The mail server takes a mail, says so, and loses it.
    MailLost = "channel", "mail-lost";
    /// The mail server cannot be reached for hours.
    MailOutage = "channel", "mail-outage";
    /// A unit of work fails at its commit (REL-17).
    CommitFails = "store", "store-commit-fails";
    /// A unit of work is committed, and nobody learns of it.
    CommitAnswerLost = "store", "store-answer-lost";
    /// A process dies while it holds jobs or reads a console: at a call to the outside or at a commit (REL-16).
    Crash = "crash", "crash";
    /// Our wall clock steps back.
    ClockBack = "clock", "clock-back";
    /// Our wall clock steps forward.
    ClockForward = "clock", "clock-forward";
    /// Nobody works at one of the sites.
    SiteAbsent = "people", "people-site-absent";
    /// For some hours nobody acknowledges anything.
    NobodyAcknowledges = "people", "people-nobody-acknowledges";
    /// Hundreds of alerts within minutes: a first full-disk scan, or one file everywhere.
    Storm = "load", "load-storm";
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which faults may strike. Written `all`, `none`, or names and groups with commas between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults(BTreeSet<Fault>);

impl Faults {
    pub fn all() -> Self {
        Self(Fault::ALL.iter().copied().collect())
    }

    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.0.iter().copied().collect()
    }
}

/// Neither a fault nor a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchFault(String);

impl std::error::Error for NoSuchFault {}

impl fmt::Display for NoSuchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        let groups: BTreeSet<&str> = Fault::ALL.iter().map(|fault| fault.group()).collect();
        let groups: Vec<&str> = groups.into_iter().collect();
        let given = self.0.escape_default();
        write!(f, "`{given}` is no fault: use `all`, `none`, {}, or one of {}", names.join(", "), groups.join(", "))
    }
}

impl FromStr for Faults {
    type Err = NoSuchFault;

    fn from_str(text: &str) -> Result<Self, NoSuchFault> {
        match text {
            "all" => return Ok(Self::all()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let mut chosen = BTreeSet::new();
        for word in text.split(',').map(str::trim) {
            let found: Vec<Fault> =
                Fault::ALL.iter().copied().filter(|fault| fault.name() == word || fault.group() == word).collect();
            if found.is_empty() {
                return Err(NoSuchFault(word.to_owned()));
            }
            chosen.extend(found);
        }
        Ok(Self(chosen))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        if self.0.len() == Fault::ALL.len() {
            return f.write_str("all");
        }
        let names: Vec<&str> = self.0.iter().map(|fault| fault.name()).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_one_by_one_or_by_their_group_and_written_back_the_same() {
        let some: Faults = "crash,channel".parse().expect("a fault and a group");
        assert_eq!(some.to_string(), "mail-refused,mail-answer-lost,mail-lost,mail-outage,crash");
        assert_eq!(some.to_string().parse(), Ok(some));
        for word in ["all", "none"] {
            assert_eq!(word.parse::<Faults>().expect("a word for it").to_string(), word);
        }
        let refused = "crash,earthquake".parse::<Faults>().expect_err("there is no such fault").to_string();
        assert!(refused.starts_with("`earthquake` is no fault: use `all`"), "{refused}");
    }
}
