//! The contract's targets for one incident: by when a first response and the analysis are promised.
//!
//! One calendar function, no pauses yet. A target is fixed by events, so it can be proved afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calendar::{BeyondHorizon, Calendar, Hours};
use crate::judgement::Priority;

/// Minutes and hours per priority. The default is the contract's: P0 10 and 30 minutes, P1-P3 60 and 60, business hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceLevels {
    pub p0_hours: Hours,
    pub other_hours: Hours,
    pub p0_first_response_minutes: u16,
    pub p0_analysis_minutes: u16,
    pub first_response_minutes: u16,
    pub analysis_minutes: u16,
}

impl Default for ServiceLevels {
    fn default() -> Self {
        Self {
            p0_hours: Hours::Business,
            other_hours: Hours::Business,
            p0_first_response_minutes: 10,
            p0_analysis_minutes: 30,
            first_response_minutes: 60,
            analysis_minutes: 60,
        }
    }
}

/// Due times of one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    pub first_response: Timestamp,
    pub analysis: Timestamp,
}

impl ServiceLevels {
    /// Both clocks start at `from`, the receipt (T2).
    pub fn targets(&self, priority: Priority, from: Timestamp, calendar: &Calendar) -> Result<Targets, BeyondHorizon> {
        let (first, analysis, hours) = match priority {
            Priority::P0 => (self.p0_first_response_minutes, self.p0_analysis_minutes, self.p0_hours),
            _ => (self.first_response_minutes, self.analysis_minutes, self.other_hours),
        };
        Ok(Targets {
            first_response: calendar.due(from, first.into(), hours)?,
            analysis: calendar.due(from, analysis.into(), hours)?,
        })
    }
}

impl Targets {
    /// After a rise in priority: whichever promise is earlier.
    pub fn earlier_of(self, other: Self) -> Self {
        Self {
            first_response: self.first_response.min(other.first_response),
            analysis: self.analysis.min(other.analysis),
        }
    }
}
