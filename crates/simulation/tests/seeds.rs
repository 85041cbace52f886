//! first try
use simulation::{Plan, play};

#[test]
fn try_one() {
    let n = |name: &str, or: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(or);
    let plan = Plan { days: 3, customers: 3, alerts_per_day: n("A", 10) as u32, ..Plan::default() };
    for seed in n("S", 1)..n("E", 2) {
        for _ in 0..n("R", 1) {
            let story = play(seed, &plan).expect("plays");
            println!("{} {} {} {} {:?} never {:?}", story.seed, story.alerts, story.incidents, story.trace, story.violations, story.reached.never());
        }
    }
}
