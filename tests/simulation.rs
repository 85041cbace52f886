//! A first seeded simulation: consoles, attacks, faults, analysts and time, drawn from one number, over the same domain,
//! engine and store that `yagura run` uses (REL-02). After each step the invariants hold; at the end everything has come to
//! its end. A failure prints its seed, and the same seed draws the same story.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::incident::{Command, Incident, Visibility};
use domain::question::Meaning;
use domain::{Untrusted, Verdict};
use futures_util::FutureExt;
use s1sim::{Fault, FaultKind, Outcome, Role, Threat};
use soc_tests::{TestSoc, customers, minutes};

/// Seeds of an ordinary run. `YAGURA_SEEDS=200` or `YAGURA_SEED=4711` ask for more, or for one.
const SEEDS: u64 = 12;
const STEPS: usize = 14;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_drawn_nothing_is_lost_doubled_or_done_without_authority_rel_02() {
    let mut reached = Reached::default();
    for seed in seeds() {
        let story = AssertUnwindSafe(play(seed, &mut reached)).catch_unwind();
        assert!(story.await.is_ok(), "seed {seed} failed: repeat it with YAGURA_SEED={seed}");
    }
    eprintln!("reached: {reached:?}");
    // A simulation that never gets anywhere proves nothing.
    assert!(reached.incidents > 0 && reached.actions > 0 && reached.faults > 0 && reached.closed > 0, "{reached:?}");
}

/// How often the stories came to something worth checking.
#[derive(Debug, Default)]
struct Reached {
    alerts: usize,
    incidents: usize,
    actions: usize,
    faults: usize,
    answers: usize,
    closed: usize,
    reopened: usize,
}

async fn play(seed: u64, reached: &mut Reached) {
    let soc = TestSoc::start().await;
    // A lost answer of the mail server leads to a copy under the same Message-ID, which is as it should be.
    soc.expect_copies();
    let mut dice = Dice(seed);
    for _ in 0..STEPS {
        match dice.below(10) {
            0..=3 => raise(&soc, &mut dice, seed, reached),
            4 => fault(&soc, &mut dice, reached),
            5..=7 => work(&soc, &mut dice, reached).await,
            _ => soc.pass(Duration::from_secs(1 + dice.below(90))).await,
        }
        soc.settle().await;
    }
    soc.sentinelone().faults().clear();
    soc.pass(minutes(20)).await;
    let incidents = soc.incidents().await;
    for incident in &incidents {
        assert!(incident.actions_settled(), "{} still has a running action", incident.id);
    }
    reached.incidents += incidents.len();
    reached.actions += incidents.iter().map(|i| i.actions.values().filter(|a| a.sends > 0).count()).sum::<usize>();
    // Polls that failed, and jobs that gave up on an injected fault, are part of the story.
    soc.poll_failures();
    soc.given_up().await;
    soc.mail().skim();
    soc.finish().await;
}

fn raise(soc: &TestSoc, dice: &mut Dice, seed: u64, reached: &mut Reached) {
    let customer = dice.pick(&[customers::JAPANESE, customers::ENGLISH, customers::BILINGUAL]);
    let role = dice.pick(&[Role::Desktop, Role::Laptop, Role::FileServer, Role::DomainController]);
    let host = soc.host(customer, role, 0);
    // Few names, so that the same file comes up again, on the same endpoint and on others.
    let file = format!("sample-{seed}-{}.exe", dice.below(4));
    let threat = match dice.below(4) {
        0 => Threat::ransomware(&host),
        1 => Threat::static_unknown(&host),
        2 => Threat::static_unknown(&host).known_bad().outcome(Outcome::NotMitigated),
        _ => Threat::ransomware(&host).classified("Malware").outcome(Outcome::Mitigated),
    };
    soc.raise(customer, &threat.file(&file).hashed_from(&file));
    reached.alerts += 1;
}

fn fault(soc: &TestSoc, dice: &mut Dice, reached: &mut Reached) {
    let fault = match dice.below(6) {
        0 => Fault::new(FaultKind::TooManyRequests { retry_after: Some(3) }),
        1 => Fault::new(FaultKind::Status { status: 503 }),
        2 => Fault::new(FaultKind::Truncated).on("GET", "/threats"),
        3 => Fault::new(FaultKind::DuplicatePage).on("GET", "/threats"),
        4 => Fault::new(FaultKind::LostAnswer { status: Some(502) }).on("POST", "/threats/mitigate"),
        _ => Fault::new(FaultKind::LateThreat { seconds: 60 }),
    };
    reached.faults += usize::from(soc.sentinelone().faults().add(fault));
}

/// An analyst does something sensible with some incident; what the domain refuses is refused.
async fn work(soc: &TestSoc, dice: &mut Dice, reached: &mut Reached) {
    let incidents = soc.incidents().await;
    if incidents.is_empty() {
        return;
    }
    let incident = &incidents[dice.index(incidents.len())];
    let (by, words) = (soc.analyst(), Untrusted::new("確認しました。 Looked at it."));
    let verdict = dice.pick(&Verdict::GIVEN);
    let command = match dice.below(7) {
        0 => Command::Acknowledge { by },
        1 => Command::AddNote { by, visibility: dice.pick(&[Visibility::Internal, Visibility::Customer]), text: words },
        2 => Command::Ask { by, addition: None },
        3 => match incident.open_question() {
            Some(question) => {
                let (question, meaning) = (question.id, dice.pick(&Meaning::ALL));
                reached.answers += 1;
                Command::RecordAnswer { by, question, meaning, words }
            }
            None => Command::Ask { by, addition: Some(words) },
        },
        4 => Command::GiveVerdict { by, verdict, reason: words },
        5 => Command::Close { by },
        _ => Command::Reopen { by, reason: words },
    };
    let was_closed = !incident.phase.is_open();
    if let Ok(after) = soc.try_execute(incident.id, command).await {
        count(&after, was_closed, reached);
    }
}

fn count(after: &Incident, was_closed: bool, reached: &mut Reached) {
    let is_closed = !after.phase.is_open();
    reached.closed += usize::from(is_closed && !was_closed);
    reached.reopened += usize::from(was_closed && !is_closed);
}

fn seeds() -> Vec<u64> {
    #[expect(clippy::disallowed_methods, reason = "which seeds to run is the caller's choice")]
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("YAGURA_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("YAGURA_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

/// SplitMix64: the same seed, the same story.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.index(list.len())]
    }
}
