//! Five mistakes, planted at the seams: a simulation that does not find them would not find others either.

use simulation::{Plan, Planted, play};

const SEEDS: u64 = 200;

#[test]
fn a_dropped_notice_is_found() {
    finds(Planted::DroppedNotice, "neither taken nor given up");
}

#[test]
fn an_act_that_is_done_twice_is_found() {
    finds(Planted::DoneTwice, "was told again although the console had answered");
}

#[test]
fn a_missing_tenant_filter_is_found() {
    finds(Planted::NoTenantFilter, "names `cust");
}

#[test]
fn a_72_hours_that_end_too_early_are_found() {
    finds(Planted::EarlySilence, "instead of 72 hours");
}

#[test]
fn a_lost_pause_is_found() {
    finds(Planted::LostPause, "its clocks do not follow from its events");
}

fn finds(planted: Planted, words: &str) {
    let plan = Plan { days: 1, customers: 2, alerts_per_day: 6, planted: Some(planted), ..Plan::default() };
    for seed in 1..=SEEDS {
        let Ok(story) = play(seed, &plan) else { continue };
        if let Some(violation) = story.violations.iter().find(|violation| violation.what.contains(words)) {
            println!("{planted:?} is found by seed {seed}: {}", violation.what);
            return;
        }
    }
    panic!("{planted:?} is not found within {SEEDS} seeds");
}
