//! Erlang-C: how long one waits in a queue with Poisson arrivals, exponential service and `analysts` servers, first come,
//! first served (M/M/c). After A. K. Erlang (1917); here as in L. Kleinrock, "Queueing Systems", volume 1 (1975), the m-server
//! case, computed by the recursion for Erlang-B, which neither overflows nor cancels.
//!
//! It knows no business hours, priorities, storms or pauses, so it is a check of the engine and not an answer.

/// A queue in its steady state.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErlangC {
    analysts: u32,
    /// Arrivals during one mean service time.
    offered: f64,
    mean_service_s: f64,
}

impl ErlangC {
    /// `None` when more comes in than so many can do: then there is no steady state.
    pub(super) fn new(analysts: u32, arrivals_per_s: f64, mean_service_s: f64) -> Option<Self> {
        let offered = arrivals_per_s * mean_service_s;
        (offered < f64::from(analysts)).then_some(Self { analysts, offered, mean_service_s })
    }

    /// The share of those who have to wait at all.
    pub(super) fn waits(&self) -> f64 {
        let blocked = (1..=self.analysts).fold(1.0, |b, n| self.offered * b / (f64::from(n) + self.offered * b));
        let load = self.offered / f64::from(self.analysts);
        blocked / (1.0 - load * (1.0 - blocked))
    }

    /// Over all, those who do not wait included.
    pub(super) fn mean_wait_s(&self) -> f64 {
        self.waits() * self.mean_service_s / (f64::from(self.analysts) - self.offered)
    }

    /// The share of those who wait longer.
    pub(super) fn waits_longer_than(&self, seconds: f64) -> f64 {
        let free = f64::from(self.analysts) - self.offered;
        self.waits() * (-free * seconds / self.mean_service_s).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recursion_agrees_with_the_sum_as_the_books_write_it() {
        for (analysts, offered) in [(1_u32, 0.5_f64), (2, 1.5), (5, 4.0), (12, 11.0), (40, 30.0)] {
            let (mut term, mut sum) = (1.0, 0.0);
            for n in 0..analysts {
                sum += term;
                term *= offered / f64::from(n + 1);
            }
            let last = term * f64::from(analysts) / (f64::from(analysts) - offered);
            let queue = ErlangC::new(analysts, offered / 600.0, 600.0).expect("a steady state");
            assert!((queue.waits() - last / (sum + last)).abs() < 1e-9, "{analysts} at {offered}");
        }
        // One server: the share that waits is the load.
        let one = ErlangC::new(1, 0.7 / 60.0, 60.0).expect("a steady state");
        assert!((one.waits() - 0.7).abs() < 1e-12 && (one.mean_wait_s() - 60.0 * 0.7 / 0.3).abs() < 1e-9);
        assert!(ErlangC::new(2, 2.0, 1.0).is_none());
    }
}
