//! The simulator's time. Every other file takes the time from here or as an argument, so a test that moves a manual
//! clock sees the same console twice. Times are cut to microseconds, because that is what the API prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// A clock that can be shared, asked and moved. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Whether `micros` is added to the machine's clock or stands for itself.
    runs: bool,
    micros: Arc<AtomicI64>,
}

impl Clock {
    /// Follows the machine's clock.
    pub fn real() -> Self {
        Self { runs: true, micros: Arc::new(AtomicI64::new(0)) }
    }

    /// Stands still at `start` until somebody moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self { runs: false, micros: Arc::new(AtomicI64::new(start.as_microsecond())) }
    }

    pub fn now(&self) -> Timestamp {
        let moved = self.micros.load(Ordering::SeqCst);
        let micros = if self.runs { machine_time().as_microsecond().saturating_add(moved) } else { moved };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward; a real clock then runs ahead of the machine by that much.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(by, Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulator's only look at the machine's clock")]
fn machine_time() -> Timestamp {
    Timestamp::now()
}

/// Prints a time as the console does: UTC, microseconds, `Z`. Texts of this form sort like the times they stand for.
pub(crate) fn print(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Reads a time as the console accepts it: with or without a fraction, and without an offset meaning UTC.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// Adds without leaving the representable range.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_with_microseconds_and_read_back_in_every_form_clients_send() {
        let at = Timestamp::from_microsecond(1_519_706_966_257_525).expect("in range");
        assert_eq!(print(at), "2018-02-27T04:49:26.257525Z");
        assert_eq!(parse("2018-02-27T04:49:26.257525Z"), Some(at));
        let whole = parse("2018-02-27T04:49:26Z").expect("no fraction");
        assert_eq!(print(whole), "2018-02-27T04:49:26.000000Z");
        assert_eq!(parse("2018-02-27T04:49:26"), Some(whole));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        assert_eq!(clock.now(), clock.now());
        other.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
    }
}
