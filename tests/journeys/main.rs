//! Stories of one alert or a few, from the customer's console to the customer's mailbox and back, one subject a file. The
//! far sides are judged, not our own records: what the simulated console was told, and what the mail server took.

#![allow(clippy::unwrap_used, reason = "a story that goes another way fails loudly")]

mod actions;
mod checks;
mod clocks;
mod investigation;
mod isolation;
mod languages;
mod letters;
mod polling;
mod portal;
mod questions;
mod ransomware;
mod repeats;
mod rules;
mod storms;
