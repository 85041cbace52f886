//! The whole service on virtual time, drawn from one number: consoles, mail, analysts, customers, faults.
//!
//! The same domain, engine, store, client and mail composing that `yagura run` uses, with the far sides inside the process:
//! no socket, no second thread that decides anything, so that the same seed plays the same story (REL-01, REL-02). What
//! must hold is in `watch`, what may go wrong in `faults`, what happens when in `world`. It does not measure real time.

mod attacks;
mod calls;
mod consoles;
mod dice;
mod faults;
mod mail;
mod people;
mod plan;
mod planted;
mod reached;
mod seams;
mod service;
mod soc;
pub mod staffing;
mod watch;
mod world;

pub use faults::{Fault, Faults, NoSuchFault};
pub use plan::{Crew, Plan, Planted, Responses, Story, Violation};
pub use reached::{Reached, State};
pub use service::ServiceTime;

/// Plays one seed to its end. It takes the calling thread for as long as that takes.
pub fn play(seed: u64, plan: &Plan) -> anyhow::Result<Story> {
    world::play(seed, plan)
}
