//! States that a run should come to now and then: one that never gets anywhere proves nothing.

use std::collections::BTreeMap;

macro_rules! states {
    ($($(#[$doc:meta])* $state:ident = $name:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum State { $($(#[$doc])* $state),* }

        impl State {
            pub const ALL: &[Self] = &[$(Self::$state),*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$state => $name),* }
            }
        }
    };
}

states! {
    /// An alert joined an open incident.
    Joined = "joined";
    /// Fifty alerts or more in one incident.
    StormJoined = "storm_joined";
    /// An alert got an incident of its own although it came in a storm.
    BrokeOut = "broke_out";
    Reopened = "reopened";
    Contained = "contained";
    /// An endpoint was cut from the network.
    Isolated = "isolated";
    /// An action waits for people.
    Proposed = "proposed";
    /// An action could not be done, and the incident says so.
    ActionRefused = "action_refused";
    /// An answer to an order was lost, and the action was settled all the same.
    LostAnswerRecovered = "lost_answer_recovered";
    /// A process died holding jobs, and they came to their end.
    CrashRecovered = "crash_recovered";
    /// A unit of work failed at its commit, and was done later.
    CommitRecovered = "commit_recovered";
    /// A poll failed, and the next brought what it would have.
    PollFailed = "poll_failed";
    MailRefused = "mail_refused";
    /// A mail was sent again after its answer was lost.
    MailCopied = "mail_copied";
    /// A mail server lost a mail that it had taken.
    MailLost = "mail_lost";
    OutageOver = "outage_over";
    /// A job gave up where people see it.
    GaveUpVisibly = "gave_up_visibly";
    Asked = "asked";
    Reminded = "reminded";
    /// 72 hours of silence made a verdict.
    SilenceRuled = "silence_ruled";
    /// A clock stood still and ran on.
    Paused = "paused";
    /// A first scan's storm was excluded from the service levels.
    StormExcluded = "storm_excluded";
    /// No channel of the customer took a notice within two minutes.
    NotReached = "not_reached";
    /// Somebody of the SOC was called.
    Paged = "paged";
    /// Every step of calling was taken.
    LeadPaged = "lead_paged";
    /// Somebody who was called took it, in business hours.
    TakenOnCall = "taken_on_call";
    /// Somebody who was called took it while the SOC was closed.
    TakenAtNight = "taken_at_night";
    /// Everybody was called, and for an hour more nobody took it.
    NobodyTookIt = "nobody_took_it";
    /// Somebody called the customer, whom no channel had reached.
    CustomerTelephoned = "customer_telephoned";
    AnswerInTime = "answer_in_time";
    /// The customer answered after 72 hours.
    LateAnswer = "late_answer";
    VerdictGiven = "verdict_given";
    Closed = "closed";
    ClockSteppedBack = "clock_stepped_back";
    ClockSteppedForward = "clock_stepped_forward";
    SiteAbsent = "site_absent";
    NobodyAcknowledged = "nobody_acknowledged";
}

/// How often each state was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached(BTreeMap<State, u64>);

impl Reached {
    pub(crate) fn note(&mut self, state: State) {
        *self.0.entry(state).or_default() += 1;
    }

    pub(crate) fn note_if(&mut self, state: State, reached: bool) {
        if reached {
            self.note(state);
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (state, count) in &other.0 {
            *self.0.entry(*state).or_default() += count;
        }
    }

    /// By name, those never reached included.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        State::ALL.iter().map(|state| (state.name(), self.0.get(state).copied().unwrap_or_default())).collect()
    }

    pub fn never(&self) -> Vec<&'static str> {
        self.counts().into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
    }
}
