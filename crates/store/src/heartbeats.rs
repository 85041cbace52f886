//! Signs of life: when each loop last did its work (REL-10), and steps of the machine's clock (REL-14).
//!
//! One row per loop, not per process: any number of processes may share a role, and the role is alive while one of them is.
//! Whether a sign is too old is not judged here.

use std::time::Duration;

use domain::Timestamp;
use jiff::SignedDuration;
use sqlx::any::AnyRow;

use crate::rows::{micros, number, text, timestamp};
use crate::{Error, Store};

/// The last sign of life of one loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// `intake/acme`, `actuator`, `notifier`.
    pub name: String,
    /// The first success in the process that reported last.
    pub started_at: Timestamp,
    /// The last step that succeeded.
    pub at: Timestamp,
    /// How often the loop means to succeed, in whole seconds.
    pub every: Duration,
}

/// The wall clock moved by this much beyond the time that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// By the clock after the step.
    pub at: Timestamp,
    pub by: SignedDuration,
}

impl Store {
    /// Writes a sign of life. The newest writer wins, also with an earlier time: a clock that was set back must not keep a
    /// dead loop young.
    pub async fn beat(&self, beat: &Heartbeat) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO heartbeat (name, started_at, at, every_s) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, at = excluded.at,
                                              every_s = excluded.every_s",
        )
        .bind(beat.name.as_str())
        .bind(micros(beat.started_at))
        .bind(micros(beat.at))
        .bind(i64::try_from(beat.every.as_secs()).unwrap_or(i64::MAX))
        .execute(&self.writer)
        .await
        .map_err(Error::database("write a heartbeat"))?;
        Ok(())
    }

    /// Every loop that ever reported, by name.
    pub async fn heartbeats(&self) -> Result<Vec<Heartbeat>, Error> {
        let rows = sqlx::query("SELECT name, started_at, at, every_s FROM heartbeat ORDER BY name")
            .fetch_all(&self.reader)
            .await
            .map_err(Error::database("read heartbeats"))?;
        rows.iter().map(heartbeat).collect()
    }

    pub async fn keep_clock_step(&self, step: ClockStep) -> Result<(), Error> {
        sqlx::query("INSERT INTO clock_step (at, by_s) VALUES ($1, $2) ON CONFLICT (at, by_s) DO NOTHING")
            .bind(micros(step.at))
            .bind(step.by.as_secs())
            .execute(&self.writer)
            .await
            .map_err(Error::database("keep a step of the clock"))?;
        Ok(())
    }

    pub async fn last_clock_step(&self) -> Result<Option<ClockStep>, Error> {
        let row = sqlx::query("SELECT at, by_s FROM clock_step ORDER BY at DESC LIMIT 1")
            .fetch_optional(&self.reader)
            .await
            .map_err(Error::database("read steps of the clock"))?;
        row.map(|row| {
            let by = SignedDuration::from_secs(number(&row, "by_s")?);
            Ok(ClockStep { at: timestamp(number(&row, "at")?), by })
        })
        .transpose()
    }
}

fn heartbeat(row: &AnyRow) -> Result<Heartbeat, Error> {
    Ok(Heartbeat {
        name: text(row, "name")?,
        started_at: timestamp(number(row, "started_at")?),
        at: timestamp(number(row, "at")?),
        every: Duration::from_secs(number(row, "every_s")?.unsigned_abs()),
    })
}
