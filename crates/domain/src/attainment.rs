//! How well the promises were kept, in figures: what one cycle of an incident's clocks amounts to (`Measured`), and sums over
//! many (`Sheet`).
//!
//! `Measured` is taken from the clocks as they are recorded; `clock::prove` says whether the events agree, and `steps` how a
//! due time came about. Nothing here selects: whoever asks says which cycles of whom.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::clock::{Clocks, FirstResponse, Kind, State};
use crate::ids::{IncidentId, PersonId, TenantId};
use crate::incident::Incident;
use crate::judgement::Priority;
use crate::language::Text;

mod sheet;
mod steps;
#[cfg(test)]
mod tests;

pub use sheet::{Attainment, Durations, Sheet};
pub use steps::{Explained, Stretch, Why, explain};

/// One cycle of one incident's clocks, as it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Measured {
    pub tenant: TenantId,
    pub incident: IncidentId,
    /// The first is 1; each time that the clocks started anew is one more.
    pub cycle: u32,
    /// The gravest of the cycle: what the promise was measured by.
    pub priority: Priority,
    pub started: Timestamp,
    /// Which reading of "first response" the contract counts.
    pub reading: FirstResponse,
    pub response_due: Option<Timestamp>,
    pub by_ack: State,
    pub by_notice: State,
    pub analysis_due: Option<Timestamp>,
    pub analysis: State,
    /// T3a.
    pub first_notice: Option<Timestamp>,
    /// T3b.
    pub acknowledged: Option<Timestamp>,
    pub acknowledged_by: Option<PersonId>,
    /// T4.
    pub analysed: Option<Timestamp>,
    /// T5: the last action that was verified.
    pub contained: Option<Timestamp>,
    /// T6.
    pub closed: Option<Timestamp>,
    /// When the clocks started anew, which ended this cycle.
    pub ended: Option<Timestamp>,
    /// Elapsed seconds of the pauses that ended.
    pub paused_s: i64,
}

/// What was measured against a promise. The contract counts one of the two readings of a first response; both are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The reading that the contract counts.
    FirstResponse,
    Analysis,
    /// A person took it, whatever the contract counts.
    ByAck,
    /// A channel of the customer took the automatic notice, whatever the contract counts.
    ByNotice,
}

/// How a clock stands at a time, with nothing left open that the figures need to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Met,
    /// Stopped after its time, or still running past it: neglect must not look better than lateness.
    Missed,
    Running,
    Paused,
    Excluded,
    Unpromised,
    /// Began anew, on a reopening, before it stopped and before it was due: the next cycle answers for it.
    Renewed,
}

/// A span of time that a cycle took, elapsed, from its start: nights and weekends are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    ToFirstNotice,
    ToAcknowledged,
    ToAnalysis,
    ToContained,
    ToClosed,
}

impl Measured {
    /// The newest cycle of an incident; `None` before its clocks were started. When it was closed and when the cycle ended
    /// the incident does not keep: whoever sees those events adds them.
    pub fn of(incident: &Incident) -> Option<Self> {
        let clocks = incident.clocks.as_ref()?;
        let reading = clocks.terms.service_levels.first_response;
        let paused = clocks.pauses.iter().filter_map(|p| Some(p.to?.duration_since(p.from).as_secs())).sum();
        let verified = incident.actions.values().filter(|a| matches!(a.state, crate::action::State::Verified { .. }));
        Some(Self {
            tenant: incident.tenant.clone(),
            incident: incident.id,
            cycle: incident.cycle,
            priority: clocks.gravest(),
            started: clocks.started,
            reading,
            response_due: clocks.due(Kind::FirstResponse),
            by_ack: as_kept(clocks, FirstResponse::AnalystAck),
            by_notice: as_kept(clocks, FirstResponse::AutoFirstNotice),
            analysis_due: clocks.due(Kind::Analysis),
            analysis: clocks.state(Kind::Analysis, Timestamp::MIN),
            first_notice: clocks.first_notice,
            acknowledged: clocks.acknowledged,
            acknowledged_by: clocks.acknowledged.and(incident.acknowledged.as_ref()).map(|a| a.by.clone()),
            analysed: clocks.analysed,
            contained: verified.filter_map(|a| a.settled_at).filter(|at| *at >= clocks.started).max(),
            closed: None,
            ended: None,
            paused_s: paused,
        })
    }

    /// How a clock stood at `now`.
    pub fn standing(&self, target: Target, now: Timestamp) -> Standing {
        let (kept, due) = match (target, self.reading) {
            (Target::Analysis, _) => (self.analysis, self.analysis_due),
            (Target::ByAck, _) | (Target::FirstResponse, FirstResponse::AnalystAck) => (self.by_ack, self.response_due),
            (Target::ByNotice, _) | (Target::FirstResponse, FirstResponse::AutoFirstNotice) => {
                (self.by_notice, self.response_due)
            }
        };
        let until = self.ended.map_or(now, |ended| ended.min(now));
        match kept {
            State::Met => Standing::Met,
            State::Missed | State::Overdue => Standing::Missed,
            State::Excluded => Standing::Excluded,
            State::Unpromised => Standing::Unpromised,
            State::Running if due.is_some_and(|due| due < until) => Standing::Missed,
            State::Running | State::Paused if self.ended.is_some() => Standing::Renewed,
            State::Running => Standing::Running,
            State::Paused => Standing::Paused,
        }
    }

    /// When the clock was stopped, and when it was due.
    pub fn stop(&self, target: Target) -> (Option<Timestamp>, Option<Timestamp>) {
        match (target, self.reading) {
            (Target::Analysis, _) => (self.analysed, self.analysis_due),
            (Target::ByAck, _) | (Target::FirstResponse, FirstResponse::AnalystAck) => {
                (self.acknowledged, self.response_due)
            }
            (Target::ByNotice, _) | (Target::FirstResponse, FirstResponse::AutoFirstNotice) => {
                (self.first_notice, self.response_due)
            }
        }
    }

    /// `None` while it has not come to that, and for what does not count: the storm of a scan must not mend an average.
    pub fn span(&self, span: Span) -> Option<SignedDuration> {
        let at = match span {
            Span::ToFirstNotice => self.first_notice,
            Span::ToAcknowledged => self.acknowledged,
            Span::ToAnalysis => self.analysed,
            Span::ToContained => self.contained,
            Span::ToClosed => self.closed,
        };
        at.filter(|_| self.analysis != State::Excluded).map(|at| at.duration_since(self.started))
    }
}

/// Where the first response stands in one reading, apart from whether its time has run out.
fn as_kept(clocks: &Clocks, reading: FirstResponse) -> State {
    if clocks.terms.service_levels.first_response == reading {
        return clocks.state(Kind::FirstResponse, Timestamp::MIN);
    }
    let mut other = clocks.clone();
    other.terms.service_levels.first_response = reading;
    other.state(Kind::FirstResponse, Timestamp::MIN)
}

impl Target {
    pub const ALL: [Self; 4] = [Self::FirstResponse, Self::Analysis, Self::ByAck, Self::ByNotice];

    pub fn name(self) -> &'static str {
        match self {
            Self::FirstResponse => "first_response",
            Self::Analysis => "analysis",
            Self::ByAck => "analyst_ack",
            Self::ByNotice => "auto_first_notice",
        }
    }

    pub fn text(self) -> Text {
        match self {
            Self::FirstResponse => Kind::FirstResponse.text(),
            Self::Analysis => Kind::Analysis.text(),
            Self::ByAck => Text::new("分析担当者による受領", "Taken by an analyst"),
            Self::ByNotice => Text::new("自動の第一報の到達", "Automatic first notice delivered"),
        }
    }
}

impl Standing {
    pub const ALL: [Self; 7] =
        [Self::Met, Self::Missed, Self::Running, Self::Paused, Self::Excluded, Self::Unpromised, Self::Renewed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Excluded => "excluded",
            Self::Unpromised => "unpromised",
            Self::Renewed => "renewed",
        }
    }

    pub fn text(self) -> Text {
        match self {
            Self::Met => Text::new("目標内", "Target met"),
            Self::Missed => Text::new("目標超過", "Target missed"),
            Self::Running => Text::new("計時中", "Running"),
            Self::Paused => Text::new("一時停止中", "Paused"),
            Self::Excluded => Text::new("対象外", "Not counted"),
            Self::Unpromised => Text::new("期限なし", "No due time"),
            Self::Renewed => Text::new("再計時", "Started anew"),
        }
    }

    /// Whether it is part of what a percentage is of.
    pub fn counts(self) -> bool {
        matches!(self, Self::Met | Self::Missed)
    }
}

impl Span {
    pub const ALL: [Self; 5] =
        [Self::ToFirstNotice, Self::ToAcknowledged, Self::ToAnalysis, Self::ToContained, Self::ToClosed];

    pub fn name(self) -> &'static str {
        match self {
            Self::ToFirstNotice => "first_notice",
            Self::ToAcknowledged => "acknowledged",
            Self::ToAnalysis => "analysed",
            Self::ToContained => "contained",
            Self::ToClosed => "closed",
        }
    }

    pub fn text(self) -> Text {
        match self {
            Self::ToFirstNotice => Text::new("第一報まで", "To the first notice"),
            Self::ToAcknowledged => Text::new("受領まで（MTTA）", "To acknowledgement (MTTA)"),
            Self::ToAnalysis => Text::new("分析結果の提示まで", "To the analysis presented"),
            Self::ToContained => Text::new("最後の対処の確認まで", "To the last verified action"),
            Self::ToClosed => Text::new("終了まで（MTTR）", "To closing (MTTR)"),
        }
    }
}
