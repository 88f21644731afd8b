//! Seeded randomness. In: a seed and a stream. Out: numbers, the same for the same seed and stream. Never global.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// A repeatable source of random numbers.
#[derive(Clone, Debug)]
pub struct Noise {
    rng: ChaCha8Rng,
}

impl Noise {
    /// Streams of one seed are independent of each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng }
    }

    /// Normally distributed with mean 0 and this standard deviation.
    pub fn normal(&mut self, sigma: f64) -> f64 {
        sigma * self.rng.sample::<f64, _>(StandardNormal)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.rng.random::<f64>() < probability
    }
}
