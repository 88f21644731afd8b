//! Moves an island on. In: an island, its state, a time. Out: the state at that time. See the room's page for what happens
//! at an instant.

use super::hydraulics::Hydraulics;
use super::island::{Island, Source};
use super::state::{Adjustment, IslandState, Target};
use super::warmth::{Temperatures, Warmth};
use crate::model::{Draws, Given, Over, Plumbing, StateMut, StateRef};

/// Events of one machine at one instant, at most: one that asks for more stands still.
const MOST_EVENTS: u32 = 100_000;

/// How often machines begin: at first with inputs as if nothing fed them, then with what the others told in the round
/// before, so that a motor begins as warm as the room around it.
const ROUNDS: usize = 3;

/// Which inputs are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Those that follow nobody's outputs.
    First,
    /// Those that follow outputs of this instant.
    Now,
    /// Those that follow outputs of the instant before.
    Before,
}

/// Room to compute in; belongs to one thread, holds nothing between calls.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    liquids: Vec<(Hydraulics, Warmth)>,
    flows: Vec<f64>,
    temperatures: Vec<Temperatures>,
    /// Machines whose state changed in this instant, and those whose inputs or flows may have.
    touched: Vec<bool>,
    stale: Vec<bool>,
    inputs: Vec<f64>,
    outputs: Vec<f64>,
}

impl Island {
    pub fn scratch(&self) -> Scratch {
        Scratch {
            liquids: self.groups.iter().map(|group| (group.hydraulics.clone(), group.warmth.clone())).collect(),
            flows: Vec::new(),
            temperatures: Vec::new(),
            touched: vec![false; self.len()],
            stale: vec![false; self.len()],
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The state at time 0, with `outside` values in the order of the blueprint.
    pub fn start(&self, seed: u64, outside: &[f64], work: &mut Scratch) -> IslandState {
        let mut now = self.blank(seed);
        for slot in &self.slots {
            for (place, said) in slot.inputs.clone().zip(slot.description.inputs) {
                now.inputs[place] = said.default.unwrap_or(0.0);
            }
        }
        for round in 0..ROUNDS {
            let (inputs, outputs) = (now.inputs, now.outputs);
            now = IslandState { inputs, outputs, ..self.blank(seed) };
            for (to, from) in now.outside.iter_mut().zip(outside) {
                *to = *from;
            }
            for at in 0..self.len() {
                if round == 0 {
                    self.gather(&mut now, at, When::First);
                }
                self.change(&mut now, at, |slot, given, state| slot.begin(given, state));
            }
            work.touched.fill(true);
            self.settle(&mut now, work);
        }
        now
    }

    /// Takes up changes that were made from outside: states, parameters, adjustments, outside values. It is no instant:
    /// inputs that are late by one stay as they are.
    pub fn refresh(&self, now: &mut IslandState, work: &mut Scratch) {
        work.touched.fill(true);
        work.stale.fill(false);
        self.settle_now(now, work);
    }

    /// The same as an instant.
    pub fn tick(&self, now: &mut IslandState, work: &mut Scratch) {
        work.touched.fill(true);
        self.settle(now, work);
    }

    /// The next instant after that of a state.
    pub fn next(&self, now: &IslandState) -> u64 {
        let steps = self.steps.iter().map(|step| (now.time / step + 1) * step);
        // A machine that stands still carries out no event any more.
        let due = now.due.iter().zip(&now.broken).filter(|(_, broken)| !**broken);
        steps.chain(due.map(|(due, _)| (*due).max(now.time))).min().unwrap_or(u64::MAX)
    }

    /// Carries a state to a time in nanoseconds; it stands there even if nothing happens then.
    pub fn advance(&self, now: &mut IslandState, until: u64, work: &mut Scratch) {
        loop {
            let next = self.next(now);
            if next > until {
                break;
            }
            self.instant(now, next, work);
        }
        now.time = now.time.max(until);
    }

    fn instant(&self, now: &mut IslandState, time: u64, work: &mut Scratch) {
        // An event may be due at the very time at which the state stands already: steps that ended then are done.
        let passed = time > now.time;
        now.time = time;
        work.touched.fill(false);
        if passed {
            self.cross_borders(now);
            for (at, slot) in self.slots.iter().enumerate() {
                if slot.step > 0 && time.is_multiple_of(slot.step) {
                    self.step(now, at, work);
                }
            }
        }
        self.look_outside(now, work);
        self.events(now, work);
        self.pass_items(now, &mut work.touched);
        self.settle(now, work);
    }

    /// Reads values from outside; what follows them may have an event at once.
    fn look_outside(&self, now: &mut IslandState, work: &mut Scratch) {
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.outside && self.gather(now, at, When::First) {
                now.due[at] = self.next_event(now, at);
                work.touched[at] = true;
            }
        }
    }

    fn step(&self, now: &mut IslandState, at: usize, work: &mut Scratch) {
        let slot = &self.slots[at];
        let begin = now.time - slot.step;
        work.inputs.clear();
        for (place, said) in slot.inputs.clone().zip(slot.description.inputs) {
            let (sum, since) = now.sums[place];
            let last = now.inputs[place];
            // An input that never changed during the step is its own mean, to the last bit.
            let mean = match said.over == Over::Mean && since > begin {
                true => (sum + last * (now.time - since) as f64) / slot.step as f64,
                false => last,
            };
            work.inputs.push(mean);
            now.sums[place] = (0.0, now.time);
        }
        let dt = slot.step as f64 / 1e9;
        self.change_with(now, at, &work.inputs, |model, given, state| model.step(given, dt, state));
        work.touched[at] = true;
    }

    fn events(&self, now: &mut IslandState, work: &mut Scratch) {
        for at in 0..self.len() {
            let mut left = MOST_EVENTS;
            while now.due[at] <= now.time && !now.broken[at] {
                self.change(now, at, |model, given, state| model.event(given, state));
                work.touched[at] = true;
                now.due[at] = self.next_event(now, at);
                left -= 1;
                if left == 0 {
                    now.broken[at] = true;
                }
            }
        }
    }

    /// Computes all that follows from states: outputs, heat, flows, inputs, the next events.
    fn settle(&self, now: &mut IslandState, work: &mut Scratch) {
        work.stale.fill(false);
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.delayed {
                work.stale[at] = self.gather(now, at, When::Before);
            }
        }
        self.settle_now(now, work);
    }

    /// The same but for inputs that are late by one instant: machines that these have changed are marked.
    fn settle_now(&self, now: &mut IslandState, work: &mut Scratch) {
        for at in 0..self.len() {
            if work.touched[at] {
                work.stale[at] = true;
                if self.tell(now, at, work) {
                    self.followers[at].iter().for_each(|other| work.stale[*other] = true);
                }
            }
        }
        for tie in &self.heat {
            if work.touched[tie.machines.0] || work.touched[tie.machines.1] {
                work.stale[tie.machines.0] = true;
                work.stale[tie.machines.1] = true;
            }
        }
        for (number, group) in self.groups.iter().enumerate() {
            // Between its steps flows stay as they are, so that what they carry is what machines count.
            let due = group.step == 0 || now.time.is_multiple_of(group.step);
            if due && group.machines.iter().any(|at| work.touched[*at]) {
                self.solve(now, number, work);
                group.machines.iter().for_each(|at| work.stale[*at] = true);
            }
        }
        for at in &self.order {
            if work.stale[*at] || self.slots[*at].outside {
                let changed = self.gather(now, *at, When::Now);
                work.stale[*at] |= changed;
                // Outputs that follow from the state alone were told above.
                let tells = self.slots[*at].direct && work.stale[*at];
                if tells && self.tell(now, *at, work) {
                    self.followers[*at].iter().for_each(|other| work.stale[*other] = true);
                }
            }
        }
        for at in 0..self.len() {
            if work.stale[at] {
                now.due[at] = self.next_event(now, at);
            }
        }
    }

    fn next_event(&self, now: &IslandState, at: usize) -> u64 {
        self.read(now, at, |model, given, state| model.next_event(given, state)).unwrap_or(u64::MAX)
    }

    /// Reads what feeds a machine's inputs; true if any changed.
    fn gather(&self, now: &mut IslandState, at: usize, when: When) -> bool {
        let mut changed = false;
        for (number, place) in self.slots[at].inputs.clone().enumerate() {
            let source = &self.sources[place];
            let is_read = match source {
                Source::Constant(_) | Source::Outside(_) => when != When::Before,
                _ if source.is_delayed() => when == When::Before,
                Source::Output { .. } | Source::Formula { .. } | Source::Sum(_) | Source::Heat => when == When::Now,
            };
            if !is_read {
                continue;
            }
            let mut value = match source {
                Source::Constant(x) => *x,
                Source::Output { at, scale, offset, .. } => scale * now.outputs[*at] + offset,
                Source::Formula { of, function, .. } => {
                    let of: Vec<f64> = of.iter().map(|at| now.outputs[*at]).collect();
                    (function.of)(&of).filter(|x| x.is_finite()).unwrap_or(now.inputs[place])
                }
                Source::Outside(at) => now.outside[*at],
                Source::Sum(outputs) => outputs.iter().map(|at| now.outputs[*at]).sum(),
                Source::Heat => self.heat_into(now, place),
            };
            for Adjustment { target, effect } in &now.adjustments {
                if *target == (Target::Input { machine: at, input: number }) {
                    value = effect.of(value);
                }
            }
            let before = now.inputs[place];
            if value.to_bits() != before.to_bits() {
                let (sum, since) = &mut now.sums[place];
                *sum += before * (now.time - *since) as f64;
                *since = now.time;
                now.inputs[place] = value;
                changed = true;
            }
        }
        changed
    }

    /// W through all heat ties into an input.
    fn heat_into(&self, now: &IslandState, place: usize) -> f64 {
        let mut sum = 0.0;
        for tie in &self.heat {
            let flow = tie.conductance * (now.outputs[tie.from.0] - now.outputs[tie.to.0]);
            if tie.to.1 == place {
                sum += flow;
            }
            if tie.from.1 == place {
                sum -= flow;
            }
        }
        sum
    }

    /// Computes a machine's outputs; true if any changed.
    fn tell(&self, now: &mut IslandState, at: usize, work: &mut Scratch) -> bool {
        let range = self.slots[at].outputs.clone();
        work.outputs.clear();
        work.outputs.resize(range.len(), 0.0);
        let out = &mut work.outputs;
        self.read(now, at, |model, given, state| model.outputs(given, state, out));
        let mut changed = false;
        for (to, from) in now.outputs[range].iter_mut().zip(&work.outputs) {
            changed |= to.to_bits() != from.to_bits();
            *to = *from;
        }
        changed
    }

    fn solve(&self, now: &mut IslandState, number: usize, work: &mut Scratch) {
        let group = &self.groups[number];
        let interval = group.step as f64 / 1e9;
        let (hydraulics, warmth) = &mut work.liquids[number];
        for (k, (machine, passage, _)) in group.passages.iter().enumerate() {
            let slot = &self.slots[*machine];
            let at = Plumbing {
                parameters: &now.parameters[slot.parameters.clone()],
                state: state_of(slot, &now.numbers, &now.counts, &now.queues[*machine]),
                fluid: group.fluid,
                interval,
            };
            hydraulics.laws()[k] = slot.model.law(*passage, &at);
            warmth.carriages()[k] = slot.model.carriage(*passage, &at);
        }
        work.flows.clear();
        work.flows.extend(group.passages.iter().map(|(_, _, at)| now.crossings[*at].flow));
        let pressures = &mut now.pressures[group.nodes.clone()];
        now.solved[number] = hydraulics.solve(&group.fluid, &mut work.flows, pressures);
        work.temperatures.clear();
        work.temperatures.resize(group.passages.len(), Temperatures::default());
        let nodes = &mut now.nodes[group.nodes.clone()];
        warmth.solve(&group.fluid, &work.flows, interval, nodes, &mut work.temperatures);
        for (k, (_, _, at)) in group.passages.iter().enumerate() {
            let (from, to) = group.ends[k];
            let pressure = |end: Option<usize>| end.map_or(0.0, |node| pressures[node]);
            let crossing = &mut now.crossings[*at];
            crossing.flow = work.flows[k];
            (crossing.from_pressure, crossing.to_pressure) = (pressure(from), pressure(to));
            (crossing.entering, crossing.leaving) = (work.temperatures[k].entering, work.temperatures[k].leaving);
        }
    }

    /// Calls what only looks at a machine.
    pub fn read<R>(
        &self,
        now: &IslandState,
        at: usize,
        look: impl FnOnce(&dyn crate::model::Model, &Given<'_>, StateRef<'_>) -> R,
    ) -> R {
        let slot = &self.slots[at];
        let given = Given {
            time: now.time,
            parameters: &now.parameters[slot.parameters.clone()],
            inputs: &now.inputs[slot.inputs.clone()],
            crossings: &now.crossings[slot.crossings.clone()],
            tables: &slot.tables,
            draws: Draws { seed: now.seed, streams: &slot.streams },
        };
        look(slot.model, &given, state_of(slot, &now.numbers, &now.counts, &now.queues[at]))
    }

    /// Calls what changes a machine, with its inputs as they are now.
    pub fn change<R: Default>(
        &self,
        now: &mut IslandState,
        at: usize,
        act: impl FnOnce(&dyn crate::model::Model, &Given<'_>, &mut StateMut<'_>) -> R,
    ) -> R {
        let inputs = std::mem::take(&mut now.inputs);
        let result = self.change_with(now, at, &inputs[self.slots[at].inputs.clone()], act);
        now.inputs = inputs;
        result
    }

    fn change_with<R: Default>(
        &self,
        now: &mut IslandState,
        at: usize,
        inputs: &[f64],
        act: impl FnOnce(&dyn crate::model::Model, &Given<'_>, &mut StateMut<'_>) -> R,
    ) -> R {
        if now.broken[at] {
            return R::default();
        }
        let slot = &self.slots[at];
        let given = Given {
            time: now.time,
            parameters: &now.parameters[slot.parameters.clone()],
            inputs,
            crossings: &now.crossings[slot.crossings.clone()],
            tables: &slot.tables,
            draws: Draws { seed: now.seed, streams: &slot.streams },
        };
        let mut state = StateMut {
            numbers: &mut now.numbers[slot.numbers.clone()],
            counts: &mut now.counts[slot.counts.clone()],
            queue: &mut now.queues[at],
        };
        let result = act(slot.model, &given, &mut state);
        now.broken[at] = !state.numbers.iter().all(|x| x.is_finite());
        result
    }
}

fn state_of<'m>(
    slot: &super::island::Slot,
    numbers: &'m [f64],
    counts: &'m [u64],
    queue: &'m std::collections::VecDeque<u64>,
) -> StateRef<'m> {
    StateRef { numbers: &numbers[slot.numbers.clone()], counts: &counts[slot.counts.clone()], queue }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::model;
    use crate::network::{Blueprint, Machine, Tie, TieKind};

    #[test]
    fn a_machine_that_stands_still_with_an_event_due_does_not_stop_time() {
        let named = |id: &str, name: &str| Machine::new(id, model(name).unwrap());
        let blueprint = Blueprint {
            machines: vec![named("IN", "Arrivals"), named("OUT", "Departures")],
            ties: vec![Tie { from: (0, "out".into()), to: (1, "in".into()), kind: TieKind::Items }],
            outside: vec![],
        };
        let island = Island::build(&blueprint).unwrap();
        let mut scratch = island.scratch();
        let mut state = island.start(1, &[], &mut scratch);
        state.broken[0] = true;
        state.due[0] = 0;
        island.advance(&mut state, 5_000_000_000, &mut scratch);
        assert_eq!((state.time, state.counts[0]), (5_000_000_000, 0), "nothing came");
    }
}
