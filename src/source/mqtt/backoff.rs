//! Says how long to wait before the next attempt to connect. In: a seed, failed attempts. Out: a duration. Pure:
//! randomness comes from a seed, time from the caller.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// Doubles from a quarter of a second to 15 seconds. Jitter takes up to a half away, so that a hall full of clients
/// does not return in one beat after its broker was restarted.
#[derive(Debug)]
pub(in crate::source) struct Backoff {
    rng: ChaCha8Rng,
    next: Duration,
}

impl Backoff {
    pub fn new(seed: u64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), next: SHORTEST }
    }

    /// The wait before the next attempt.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        self.jitter(wait)
    }

    /// The wait after a refusal that a quick second try cannot mend, such as a wrong password.
    pub fn longest(&mut self) -> Duration {
        self.next = LONGEST;
        self.jitter(LONGEST)
    }

    /// After a connection that lasted.
    pub fn reset(&mut self) {
        self.next = SHORTEST;
    }

    fn jitter(&mut self, wait: Duration) -> Duration {
        wait.mul_f64(self.rng.random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_with_jitter() {
        let mut backoff = Backoff::new(7);
        let mut full = SHORTEST;
        for _ in 0..12 {
            let wait = backoff.wait();
            assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
            full = (full * 2).min(LONGEST);
        }
        assert_eq!(full, LONGEST);
        backoff.reset();
        assert!(backoff.wait() <= SHORTEST);
        assert!(backoff.longest() >= LONGEST / 2);
    }

    #[test]
    fn two_clients_do_not_return_in_one_beat() {
        let (mut a, mut b) = (Backoff::new(1), Backoff::new(2));
        assert_ne!((a.wait(), a.wait()), (b.wait(), b.wait()));
    }
}
