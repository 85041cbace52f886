//! The plain queue: the same analysts and the same drawn service times, without calendar, priorities, storms or incidents.
//! Only here is there a formula to check them against (`erlang`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::SignedDuration;

use super::erlang::ErlangC;
use crate::dice::Dice;
use crate::service::{ServiceTime, exponential};

/// What those who came saw.
struct Waits {
    /// Of all, who had to wait.
    share: f64,
    mean_s: f64,
    /// Of all, who waited longer than ten minutes.
    over_ten_minutes: f64,
}

/// Whoever comes goes to the analyst who is free first.
fn play(analysts: u32, arrivals_per_s: f64, service: ServiceTime, count: usize, seed: u64) -> Waits {
    let (mut arrivals, mut people) = (Dice::stream(seed, "arrivals"), Dice::stream(seed, "people"));
    let mut free: BinaryHeap<Reverse<SignedDuration>> = (0..analysts).map(|_| Reverse(SignedDuration::ZERO)).collect();
    let (mut now, mut waited, mut long, mut total) = (SignedDuration::ZERO, 0_usize, 0_usize, 0.0);
    for _ in 0..count {
        now += exponential(1.0 / arrivals_per_s, &mut arrivals);
        let Reverse(free_at) = free.pop().expect("there are analysts");
        let wait = (free_at - now).max(SignedDuration::ZERO);
        waited += usize::from(!wait.is_zero());
        long += usize::from(wait > SignedDuration::from_mins(10));
        total += wait.as_secs_f64();
        free.push(Reverse(now + wait + service.draw(&mut people)));
    }
    let share = |n: usize| n as f64 / count as f64;
    Waits { share: share(waited), mean_s: total / count as f64, over_ten_minutes: share(long) }
}

#[test]
fn where_erlang_c_applies_the_people_agree_with_it() {
    const COUNT: usize = 400_000;
    let service = ServiceTime { mean_seconds: 720 };
    for (analysts, load) in [(1_u32, 0.5), (2, 0.6), (3, 0.8), (6, 0.7), (6, 0.85), (12, 0.8)] {
        let arrivals_per_s = load * f64::from(analysts) / f64::from(service.mean_seconds);
        let known = ErlangC::new(analysts, arrivals_per_s, f64::from(service.mean_seconds)).expect("a steady state");
        let seen = play(analysts, arrivals_per_s, service, COUNT, u64::from(analysts));
        let name = format!("{analysts} analysts at a load of {load}");
        assert!((seen.share - known.waits()).abs() < 0.012, "{name}: {} waits, {}", seen.share, known.waits());
        let mean = seen.mean_s / known.mean_wait_s();
        assert!((mean - 1.0).abs() < 0.06, "{name}: {} s, {}", seen.mean_s, known.mean_wait_s());
        let longer = known.waits_longer_than(600.0);
        assert!((seen.over_ten_minutes - longer).abs() < 0.012, "{name}: {}, {longer}", seen.over_ten_minutes);
    }
}
