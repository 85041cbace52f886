//! The two things a pure program must be given: the time and chance. Only these traits live here; the real clock and the
//! real random generator are made once, in the program's composition root (REL-01).

use jiff::Timestamp;

/// Tells the time, in whole microseconds, which is as fine as the store keeps it. Only an outermost loop asks; everything
/// below takes `now` as an argument.
pub trait TimeSource: Send + Sync + std::fmt::Debug {
    fn now(&self) -> Timestamp;
}

/// Gives bytes nobody can guess, for session tokens and links.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    fn bytes(&self) -> [u8; 32];
}
