//! A state as bytes and back, and a state in a network that has changed. In: a state and its network. Out: bytes that
//! name each machine and model, so that another network takes up what it shares; errors that say which machine does not
//! fit. Every bit comes back.

use twox_hash::XxHash3_128;

use super::island::{Island, Slot};
use super::state::{Adjustment, Effect, IslandState, Target};
use super::whole::{Network, State, Workspace};
use crate::model::{Account, Crossing};

/// Of the layout that this file writes. The first had no counts of items that passed.
const VERSION: u64 = 2;
/// The oldest that it reads.
const FIRST: u64 = 1;

/// A stored state that cannot be taken up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the stored state is of version {found}, and this program reads version {VERSION}: begin anew")]
    Version { found: u64 },
    #[error("the stored state is damaged: begin anew")]
    Damaged,
    #[error("the stored state has no {machine} with the model {model}: begin anew")]
    Machines { machine: String, model: &'static str },
}

impl State {
    /// 128 bits that differ where any bit of the state differs.
    pub fn hash(&self, network: &Network) -> u128 {
        let mut state = XxHash3_128::with_seed(0);
        state.write(&self.to_bytes(network));
        state.finish_128()
    }

    /// All of the state.
    pub fn to_bytes(&self, network: &Network) -> Vec<u8> {
        let mut to = Vec::new();
        to.extend(VERSION.to_le_bytes());
        to.extend(self.time.to_le_bytes());
        for (island, state) in network.islands.iter().zip(&self.islands) {
            state.write(island, &mut to);
        }
        to
    }

    /// The state that [`to_bytes`](Self::to_bytes) wrote, for a network of the same machines.
    pub fn from_bytes(network: &Network, bytes: &[u8]) -> Result<Self, StoreError> {
        let mut from = Reader { rest: bytes };
        let version = from.number()?;
        if !(FIRST..=VERSION).contains(&version) {
            return Err(StoreError::Version { found: version });
        }
        let time = from.number()?;
        let islands = network
            .islands
            .iter()
            .map(|island| IslandState::read(island, version, &mut from))
            .collect::<Result<_, _>>()?;
        match from.rest.is_empty() {
            true => Ok(Self { time, islands }),
            false => Err(StoreError::Damaged),
        }
    }
}

impl IslandState {
    fn write(&self, network: &Island, to: &mut Vec<u8>) {
        let number = |to: &mut Vec<u8>, x: u64| to.extend(x.to_le_bytes());
        for slot in &network.slots {
            to.extend(stamp(slot).to_le_bytes());
        }
        let floats =
            [&self.base, &self.numbers, &self.outside, &self.inputs, &self.outputs, &self.nodes, &self.pressures];
        for list in floats {
            number(to, list.len() as u64);
            list.iter().for_each(|x| number(to, x.to_bits()));
        }
        for list in [&self.counts, &self.due] {
            number(to, list.len() as u64);
            list.iter().for_each(|x| number(to, *x));
        }
        self.passed.iter().for_each(|x| number(to, *x));
        for queue in &self.queues {
            number(to, queue.len() as u64);
            queue.iter().for_each(|x| number(to, *x));
        }
        for (sum, since) in &self.sums {
            number(to, sum.to_bits());
            number(to, *since);
        }
        for one in &self.crossings {
            for x in [one.flow, one.entering, one.leaving, one.from_pressure, one.to_pressure] {
                number(to, x.to_bits());
            }
        }
        for one in self.crossed.iter().flat_map(|(inwards, both)| [inwards, both]) {
            number(to, one.volume.to_bits());
            number(to, one.heat.to_bits());
            number(to, one.items as u64);
        }
        for flag in self.solved.iter().chain(&self.broken) {
            to.push(u8::from(*flag));
        }
        number(to, self.adjustments.len() as u64);
        for Adjustment { target, effect } in &self.adjustments {
            let (kind, machine, at) = match *target {
                Target::Parameter { machine, parameter } => (0, machine, parameter),
                Target::Input { machine, input } => (1, machine, input),
            };
            let (how, x) = match *effect {
                Effect::Set(x) => (0, x),
                Effect::Scale(x) => (1, x),
                Effect::Add(x) => (2, x),
            };
            [kind, machine as u64, at as u64, how, x.to_bits()].into_iter().for_each(|x| number(to, x));
        }
        number(to, self.time);
        number(to, self.seed);
    }

    fn read(network: &Island, version: u64, from: &mut Reader<'_>) -> Result<Self, StoreError> {
        for slot in &network.slots {
            if from.wide()? != stamp(slot) {
                return Err(StoreError::Machines { machine: slot.id.clone(), model: slot.description.name });
            }
        }
        let mut now = network.blank(0);
        for list in [
            &mut now.base,
            &mut now.numbers,
            &mut now.outside,
            &mut now.inputs,
            &mut now.outputs,
            &mut now.nodes,
            &mut now.pressures,
        ] {
            from.count(list.len())?;
            for x in list {
                *x = f64::from_bits(from.number()?);
            }
        }
        for list in [&mut now.counts, &mut now.due] {
            from.count(list.len())?;
            for x in list {
                *x = from.number()?;
            }
        }
        if version > FIRST {
            for x in &mut now.passed {
                *x = from.number()?;
            }
        }
        for queue in &mut now.queues {
            let length = from.number()?;
            for _ in 0..length {
                queue.push_back(from.number()?);
            }
        }
        for (sum, since) in &mut now.sums {
            *sum = f64::from_bits(from.number()?);
            *since = from.number()?;
        }
        for one in &mut now.crossings {
            let Crossing { flow, entering, leaving, from_pressure, to_pressure, fluid: _ } = one;
            for x in [flow, entering, leaving, from_pressure, to_pressure] {
                *x = f64::from_bits(from.number()?);
            }
        }
        for one in now.crossed.iter_mut().flat_map(|(inwards, both)| [inwards, both]) {
            let (volume, heat) = (f64::from_bits(from.number()?), f64::from_bits(from.number()?));
            *one = Account { volume, heat, items: from.number()? as i64 };
        }
        for flag in now.solved.iter_mut().chain(&mut now.broken) {
            *flag = from.byte()? != 0;
        }
        for _ in 0..from.number()? {
            let [kind, machine, at, how, x] =
                [from.number()?, from.number()?, from.number()?, from.number()?, from.number()?];
            let (machine, at, x) = (machine as usize, at as usize, f64::from_bits(x));
            let slot = network.slots.get(machine).ok_or(StoreError::Damaged)?;
            let target = match kind {
                0 if at < slot.parameters.len() => Target::Parameter { machine, parameter: at },
                1 if at < slot.inputs.len() => Target::Input { machine, input: at },
                _ => return Err(StoreError::Damaged),
            };
            let effect = match how {
                0 => Effect::Set(x),
                1 => Effect::Scale(x),
                2 => Effect::Add(x),
                _ => return Err(StoreError::Damaged),
            };
            now.adjustments.push(Adjustment { target, effect });
        }
        now.time = from.number()?;
        now.seed = from.number()?;
        let adjustments = std::mem::take(&mut now.adjustments);
        now.adjust(network, adjustments);
        Ok(now)
    }
}

impl Network {
    /// A state of another network, as far as this one has the same machines: their states go on, all others begin.
    /// Parameters are this network's. Values from outside go on by their names; new ones are those of `outside`.
    pub fn adopt(&self, other: &Network, old: &State, outside: &[f64], work: &mut Workspace) -> State {
        let mut now = self.start(old.seed(), outside, work);
        for (name, at) in other.blueprint().outside.iter().zip(0..) {
            if let Some(here) = self.blueprint().outside.iter().position(|one| one == name) {
                now.set_outside(here, old.outside(at));
            }
        }
        now.time = old.time;
        for (island, state) in self.islands.iter().zip(&mut now.islands) {
            state.time = old.time;
            // A machine that begins within its step sees its inputs as if they had been so since the step began.
            for slot in &island.slots {
                let begin = old.time.checked_rem(slot.step).map_or(old.time, |passed| old.time - passed);
                state.sums[slot.inputs.clone()].fill((0.0, begin));
            }
        }
        for (machine, (part, at)) in self.places.iter().enumerate() {
            let Some(before) = other.machine(&self.blueprint().machines[machine].id) else { continue };
            let (old_part, old_at) = other.places[before];
            let (slot, was) = (&self.islands[*part].slots[*at], &other.islands[old_part].slots[old_at]);
            if stamp(slot) != stamp(was) {
                continue;
            }
            let (to, from) = (&mut now.islands[*part], &old.islands[old_part]);
            to.numbers[slot.numbers.clone()].copy_from_slice(&from.numbers[was.numbers.clone()]);
            to.counts[slot.counts.clone()].copy_from_slice(&from.counts[was.counts.clone()]);
            to.queues[*at].clone_from(&from.queues[old_at]);
            to.broken[*at] = from.broken[old_at];
            // What an input was so far in the running step counts in its mean.
            if slot.step == was.step {
                to.inputs[slot.inputs.clone()].copy_from_slice(&from.inputs[was.inputs.clone()]);
                to.sums[slot.inputs.clone()].copy_from_slice(&from.sums[was.inputs.clone()]);
            }
            for (place, old_place) in slot.crossings.clone().zip(was.crossings.clone()) {
                to.crossings[place].flow = from.crossings[old_place].flow;
            }
        }
        for ((island, state), scratch) in self.islands.iter().zip(&mut now.islands).zip(&mut work.islands) {
            island.tick(state, scratch);
        }
        now
    }
}

/// What must agree for a state to be taken up: the machine's id, its model, the layout of its state.
fn stamp(slot: &Slot) -> u128 {
    let mut state = XxHash3_128::with_seed(0);
    let description = slot.description;
    state.write(slot.id.as_bytes());
    state.write(&[0]);
    state.write(description.name.as_bytes());
    state.write(&description.version.to_le_bytes());
    for count in [slot.numbers.len(), slot.counts.len(), slot.inputs.len(), slot.outputs.len(), slot.crossings.len()] {
        state.write(&(count as u64).to_le_bytes());
    }
    state.finish_128()
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(StoreError::Damaged)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn wide(&mut self) -> Result<u128, StoreError> {
        Ok(u128::from_le_bytes(self.take()?))
    }

    fn byte(&mut self) -> Result<u8, StoreError> {
        Ok(self.take::<1>()?[0])
    }

    fn count(&mut self, wanted: usize) -> Result<(), StoreError> {
        if self.number()? == wanted as u64 { Ok(()) } else { Err(StoreError::Damaged) }
    }
}
