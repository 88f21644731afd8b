//! The interface of a machine's equations, and a machine as part of a plant.
//!
//! In: parameters, state, inputs, a step of time, a source of randomness. Out: the next state and outputs. A step
//! depends on nothing else, so a state can be copied, changed and run ahead.

use std::fmt::Debug;

use super::Noise;

/// Equations of one kind of machine. The implementing type holds the parameters.
pub trait Equations {
    /// What the machine remembers from step to step.
    type State: Clone + PartialEq + Debug;
    /// What its surroundings do to it during a step.
    type Input;
    /// What it does to its surroundings, and what instruments can see.
    type Output: Clone + PartialEq + Debug + Default;

    /// The state at rest or at the usual operating point.
    fn initial(&self) -> Self::State;

    /// Moves `state` on by `dt` seconds. Pure: the same arguments give the same results.
    fn step(&self, state: &mut Self::State, input: &Self::Input, dt: f64, noise: &mut Noise) -> Self::Output;
}

/// A model with its state, its newest output and its own stream of randomness.
#[derive(Clone, Debug)]
pub struct Machine<M: Equations> {
    pub model: M,
    pub state: M::State,
    pub out: M::Output,
    noise: Noise,
}

impl<M: Equations> Machine<M> {
    /// `stream` tells machines of one plant apart: their randomness stays independent.
    pub fn new(model: M, seed: u64, stream: u64) -> Self {
        Self { state: model.initial(), out: M::Output::default(), noise: Noise::new(seed, stream), model }
    }

    pub fn step(&mut self, input: &M::Input, dt: f64) {
        self.out = self.model.step(&mut self.state, input, dt, &mut self.noise);
    }
}
