//! The simulated console as its clients meet it. One program for all of it, because linking is slow.

mod control;
mod graphql;
mod lists;
mod program;
mod response;
mod scenarios;
mod support;
mod telemetry;
mod wire;
