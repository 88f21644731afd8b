//! All of an island that changes. In: an island, a seed. Out: a value that is copied, compared, changed and stepped.

use std::collections::VecDeque;

use super::island::Island;
use crate::model::{Account, Crossing, Fluid};

/// An island at an instant.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct IslandState {
    /// Nanoseconds since the start.
    pub(super) time: u64,
    pub(super) seed: u64,
    /// As the machines were built, and as they are with adjustments.
    pub(super) base: Vec<f64>,
    pub(super) parameters: Vec<f64>,
    pub(super) adjustments: Vec<Adjustment>,
    pub(super) numbers: Vec<f64>,
    pub(super) counts: Vec<u64>,
    pub(super) queues: Vec<VecDeque<u64>>,
    pub(super) outside: Vec<f64>,
    pub(super) inputs: Vec<f64>,
    /// Of each input, its integral over the running step up to a time in nanoseconds.
    pub(super) sums: Vec<(f64, u64)>,
    pub(super) outputs: Vec<f64>,
    pub(super) crossings: Vec<Crossing>,
    pub(super) nodes: Vec<f64>,
    pub(super) pressures: Vec<f64>,
    /// Items that passed each tie since the start.
    pub(super) passed: Vec<u64>,
    /// When an event of each machine is due; `u64::MAX` for none.
    pub(super) due: Vec<u64>,
    /// What crossed the borders of each liquid network: m³ and J; inwards less outwards, and both added up.
    pub(super) crossed: Vec<(Account, Account)>,
    /// Of each liquid network, whether its last solution was found.
    pub(super) solved: Vec<bool>,
    /// Machines whose state left the numbers: they stand still.
    pub(super) broken: Vec<bool>,
}

/// A change of a parameter or an input that can be taken back.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adjustment {
    pub target: Target,
    pub effect: Effect,
}

impl Adjustment {
    /// The same on another machine.
    pub(super) fn of_machine(&self, machine: usize) -> Self {
        let target = match self.target {
            Target::Parameter { parameter, .. } => Target::Parameter { machine, parameter },
            Target::Input { input, .. } => Target::Input { machine, input },
        };
        Self { target, effect: self.effect }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum Target {
    Parameter { machine: usize, parameter: usize },
    Input { machine: usize, input: usize },
}

impl Target {
    /// By its place in the blueprint.
    pub fn machine(self) -> usize {
        let (Target::Parameter { machine, .. } | Target::Input { machine, .. }) = self;
        machine
    }
}

/// Several on one target act in the order in which they were made. A parameter is cut to its bounds when all have acted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect {
    Set(f64),
    Scale(f64),
    Add(f64),
}

impl Effect {
    pub fn of(self, x: f64) -> f64 {
        match self {
            Effect::Set(value) => value,
            Effect::Scale(factor) => x * factor,
            Effect::Add(more) => x + more,
        }
    }
}

impl Island {
    /// The beginning: all machines at rest or where their models say, nothing solved yet. [`Island::start`] completes it.
    pub(super) fn blank(&self, seed: u64) -> IslandState {
        let fluid = Fluid::WATER;
        let still = Crossing { flow: 0.0, entering: 20.0, leaving: 20.0, from_pressure: 0.0, to_pressure: 0.0, fluid };
        let base: Vec<f64> = self.slots.iter().flat_map(|slot| slot.built.clone()).collect();
        let mut numbers = Vec::with_capacity(self.size.numbers);
        for slot in &self.slots {
            numbers.extend(slot.description.states.iter().map(|state| state.start));
        }
        let mut crossings = vec![still; self.size.crossings];
        for group in &self.groups {
            for (_, _, at) in &group.passages {
                crossings[*at].fluid = group.fluid;
            }
        }
        IslandState {
            time: 0,
            seed,
            parameters: base.clone(),
            base,
            adjustments: Vec::new(),
            numbers,
            counts: vec![0; self.size.counts],
            queues: vec![VecDeque::new(); self.slots.len()],
            outside: vec![0.0; self.outside],
            inputs: vec![0.0; self.size.inputs],
            sums: vec![(0.0, 0); self.size.inputs],
            outputs: vec![0.0; self.size.outputs],
            crossings,
            nodes: vec![20.0; self.size.nodes],
            pressures: vec![0.0; self.size.nodes],
            passed: vec![0; self.items.len()],
            due: vec![u64::MAX; self.slots.len()],
            crossed: vec![Default::default(); self.groups.len()],
            solved: vec![true; self.groups.len()],
            broken: vec![false; self.slots.len()],
        }
    }
}

impl IslandState {
    /// Writes a continuous state, cut to its bounds.
    pub fn set_number(&mut self, island: &Island, machine: usize, state: usize, value: f64) {
        let slot = &island.slots[machine];
        let (low, high) = slot.description.states[state].bounds;
        if value.is_finite() {
            self.numbers[slot.numbers.start + state] = value.clamp(low, high);
        }
    }

    /// Changes how a machine is built, cut to the parameter's bounds.
    pub fn set_parameter(&mut self, island: &Island, machine: usize, parameter: usize, value: f64) {
        let slot = &island.slots[machine];
        let (low, high) = slot.description.parameters[parameter].bounds;
        if value.is_finite() {
            self.base[slot.parameters.start + parameter] = value.clamp(low, high);
            self.apply(island);
        }
    }

    /// Sets all adjustments; what is not among them any more is as it was.
    pub fn adjust(&mut self, island: &Island, adjustments: Vec<Adjustment>) {
        self.adjustments = adjustments;
        self.apply(island);
    }

    fn apply(&mut self, island: &Island) {
        self.parameters.copy_from_slice(&self.base);
        let place = |machine: usize, parameter: usize| {
            let slot = &island.slots[machine];
            (slot.parameters.start + parameter, slot.description.parameters[parameter].bounds)
        };
        let changed = self.adjustments.iter().filter_map(|Adjustment { target, effect }| match *target {
            Target::Parameter { machine, parameter } => Some((place(machine, parameter), *effect)),
            Target::Input { .. } => None,
        });
        for ((at, _), effect) in changed.clone() {
            self.parameters[at] = effect.of(self.parameters[at]);
        }
        // Not before: a value on its way may lie outside of the bounds.
        for ((at, (low, high)), _) in changed {
            let value = self.parameters[at];
            self.parameters[at] = if value.is_nan() { self.base[at] } else { value.clamp(low, high) };
        }
    }
}
