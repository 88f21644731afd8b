//! Noise with a memory. In: chance. Out: a value that wanders about its mean. Never draws twice for one step.
//!
//! Ornstein and Uhlenbeck's process, stepped exactly: x' = m + a (x - m) + sd sqrt(1 - a²) n, a = exp(-dt / tau), n
//! standard normal (Gillespie, "Exact numerical simulation of the Ornstein-Uhlenbeck process", Physical Review E 54,
//! 1996). Without a correlation time: white noise, a fresh number at each step. With a very long one: a random walk.
//!
//! Its distribution is exact for any step; the numbers that are drawn differ from step to step.

use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef};

/// Noise about a mean, with or without a memory.
#[derive(Clone, Copy, Debug)]
pub struct RandomWalk;

quantities! {
    pub parameters RandomWalkParameters {
        /// Mean
        mean: "" = 0.0, -1e12 => 1e12, design, "none";
        /// Standard deviation about the mean
        deviation: "" = 1.0, 0.0 => 1e12, design, "one";
        /// Time after which it has forgotten two thirds; 0 for white noise
        memory: "s" = 60.0, 0.0 => 1e9, design, "assumed";
        /// Lowest value that is told
        low: "" = -1e12, -1e12 => 1e12, design, "none";
        /// Highest value that is told
        high: "" = 1e12, -1e12 => 1e12, design, "none";
    }
}

quantities! {
    pub states RandomWalkState {
        /// How many standard deviations it is away from its mean
        away: "" = 0.0, -10.0 => 10.0, estimated;
    }
}

quantities! {
    pub counts RandomWalkCounts {
        /// Numbers that were drawn
        drawn;
    }
}

quantities! {
    pub outputs RandomWalkOutputs {
        /// Value
        value: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "RandomWalk",
    is_program: true,
    about: "Noise about a mean, with or without a memory",
    source: "Gillespie, Physical Review E 54, 1996",
    step: Some(100_000_000),
    parameters: RandomWalkParameters::ALL,
    states: RandomWalkState::ALL,
    counts: RandomWalkCounts::ALL,
    outputs: RandomWalkOutputs::ALL,
    draws: &["walk"],
    ..Description::EMPTY
};

/// The next distance from the mean, from a standard normal number.
fn next(away: f64, memory: f64, dt: f64, normal: f64) -> f64 {
    if memory <= 0.0 {
        return normal;
    }
    let kept = libm::exp(-dt / memory);
    kept * away + (-libm::expm1(-2.0 * dt / memory)).sqrt() * normal
}

impl Model for RandomWalk {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        // It has wandered for ever already.
        state.numbers[0] = given.draws.of(0).normal(0);
        state.counts[0] = 1;
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let p = RandomWalkParameters::of(given.parameters);
        out[0] = (p.mean + p.deviation * state.numbers[0]).clamp(p.low.min(p.high), p.high.max(p.low));
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let p = RandomWalkParameters::of(given.parameters);
        let normal = given.draws.of(0).normal(state.counts[0]);
        state.numbers[0] = next(state.numbers[0], p.memory, dt, normal);
        state.counts[0] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Stream;

    #[test]
    fn it_keeps_its_spread_and_forgets_with_its_memory_whatever_the_step() {
        for (memory, dt) in [(5.0, 1.0), (5.0, 0.1), (0.0, 0.1)] {
            let (stream, mut x) = (Stream::new(3, "N", "walk"), 0.0);
            let walk: Vec<f64> = (0..200_000)
                .map(|step| {
                    x = next(x, memory, dt, stream.normal(step));
                    x
                })
                .collect();
            let mean_of = |lag: usize| {
                let pairs = walk.iter().zip(&walk[lag..]);
                pairs.map(|(a, b)| a * b).sum::<f64>() / (walk.len() - lag) as f64
            };
            // As many numbers as are independent: 200,000 dt / (2 memory), 2,000 at the least: 5 sd are 0.16.
            let variance = mean_of(0);
            assert!((variance - 1.0).abs() < 0.16, "memory {memory}, step {dt}: {variance}");
            let lag = (memory / dt) as usize + 1;
            let wanted = if memory > 0.0 { libm::exp(-(lag as f64) * dt / memory) } else { 0.0 };
            let found = mean_of(lag);
            assert!((found - wanted).abs() < 0.12, "memory {memory}, step {dt}: {found}, not {wanted}");
        }
    }
}
