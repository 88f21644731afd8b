//! A subset that goes beside its whole. In: states of the whole. Out: a state of the subset that is told what the whole has
//! where it was cut. Never changes the whole.

use super::cut::{Origin, inflow};
use super::subset::Subset;
use super::whole::{Network, State, Workspace};

impl Subset {
    /// All values from outside, as a state of the whole has them: its own, then those of the cuts.
    pub fn values(&self, whole: &Network, at: &State) -> Vec<f64> {
        let own = (0..whole.blueprint().outside.len()).map(|number| at.outside(number));
        own.chain(self.cuts.iter().map(|cut| cut.value(whole, at))).collect()
    }

    /// The state of a `network` of this subset that stands where the whole stands: what its machines are, hold, see and
    /// are about to do, with faults and edits.
    pub fn take_up(&self, network: &Network, whole: &Network, at: &State, work: &mut Workspace) -> State {
        let values = self.values(whole, at);
        let mut now = network.start(at.seed(), &values, work);
        now.time = at.time;
        for state in &mut now.islands {
            state.time = at.time;
            state.sums.iter_mut().for_each(|(_, since)| *since = at.time);
        }
        for (here, there) in self.machines.iter().enumerate() {
            now.copy_machine((network, here), at, (whole, *there));
        }
        for (machine, cut) in &self.liquids {
            let (Some(pressure), Some(temperature)) = (self.cuts.get(*cut), self.cuts.get(cut + 1)) else { continue };
            let flow = match &pressure.from {
                Origin::Pressure(mouths) => inflow(mouths, whole, at),
                _ => 0.0,
            };
            let temperature = temperature.value(whole, at);
            let (part, place) = network.places[*machine];
            let slot = &network.islands[part].slots[place];
            for crossing in &mut now.islands[part].crossings[slot.crossings.clone()] {
                (crossing.flow, crossing.entering, crossing.leaving) = (flow, temperature, temperature);
            }
        }
        now
    }

    /// Carries a state of the subset to where the whole stands. Until then values from outside are as they were; the
    /// instant itself sees them as they are.
    pub fn follow(&self, network: &Network, now: &mut State, whole: &Network, at: &State, work: &mut Workspace) {
        let time = at.time.max(now.time);
        if time > now.time {
            network.advance(now, time - 1, work);
        }
        let mut changed = false;
        for (number, value) in self.values(whole, at).into_iter().enumerate() {
            changed |= now.outside(number).to_bits() != value.to_bits();
            now.set_outside(number, value);
        }
        // Whether a step ends in the whole among the machines of an island here.
        let ticks = |part: usize| {
            let here = self.machines.iter().enumerate().filter(|(here, _)| network.places[*here].0 == part);
            let mut there = here.map(|(_, there)| &whole.islands[whole.places[*there].0]);
            there.any(|island| island.steps.iter().any(|step| time.is_multiple_of(*step)))
        };
        let each = network.islands.iter().zip(&mut now.islands).zip(&mut work.islands).enumerate();
        for (part, ((island, state), scratch)) in each {
            if island.next(state) > time {
                state.time = time;
                // At an instant of the whole alone what is late by one goes on as well.
                if island.slots.iter().any(|slot| slot.delayed) && ticks(part) {
                    island.tick(state, scratch);
                } else if changed {
                    island.refresh(state, scratch);
                }
            }
            island.advance(state, time, scratch);
        }
        now.time = time;
    }
}

impl State {
    /// Takes all of a machine over from a state of another network that has it as well.
    fn copy_machine(&mut self, to: (&Network, usize), other: &State, from: (&Network, usize)) {
        let ((part, at), (old_part, old_at)) = (to.0.places[to.1], from.0.places[from.1]);
        let (island, old_island) = (&to.0.islands[part], &from.0.islands[old_part]);
        let (slot, was) = (&island.slots[at], &old_island.slots[old_at]);
        let (state, old) = (&mut self.islands[part], &other.islands[old_part]);
        let lists: [(&mut Vec<f64>, &Vec<f64>, _, _); 5] = [
            (&mut state.base, &old.base, &slot.parameters, &was.parameters),
            (&mut state.parameters, &old.parameters, &slot.parameters, &was.parameters),
            (&mut state.numbers, &old.numbers, &slot.numbers, &was.numbers),
            (&mut state.inputs, &old.inputs, &slot.inputs, &was.inputs),
            (&mut state.outputs, &old.outputs, &slot.outputs, &was.outputs),
        ];
        for (to, from, place, old_place) in lists {
            to[place.clone()].copy_from_slice(&from[old_place.clone()]);
        }
        state.counts[slot.counts.clone()].copy_from_slice(&old.counts[was.counts.clone()]);
        state.sums[slot.inputs.clone()].copy_from_slice(&old.sums[was.inputs.clone()]);
        state.crossings[slot.crossings.clone()].copy_from_slice(&old.crossings[was.crossings.clone()]);
        state.queues[at].clone_from(&old.queues[old_at]);
        state.due[at] = old.due[old_at];
        state.broken[at] = old.broken[old_at];
        for adjustment in old.adjustments.iter().filter(|one| one.target.machine() == old_at) {
            state.adjustments.push(adjustment.of_machine(at));
        }
        // Nodes keep their temperatures where nothing flows, and pressures are the next first guess.
        for (number, group) in island.groups.iter().enumerate() {
            for (k, (_, passage, _)) in group.passages.iter().enumerate().filter(|(_, one)| one.0 == at) {
                let found = was.groups.iter().find_map(|old_number| {
                    let old_group = &old_island.groups[*old_number];
                    let same = |one: &(usize, usize, usize)| (one.0, one.1) == (old_at, *passage);
                    old_group.passages.iter().position(same).map(|old_k| (*old_number, old_group, old_k))
                });
                let Some((old_number, old_group, old_k)) = found else { continue };
                let (ends, old_ends) = (group.ends[k], old_group.ends[old_k]);
                for (node, old_node) in [(ends.0, old_ends.0), (ends.1, old_ends.1)] {
                    if let (Some(node), Some(old_node)) = (node, old_node) {
                        let (node, old_node) = (group.nodes.start + node, old_group.nodes.start + old_node);
                        state.nodes[node] = old.nodes[old_node];
                        state.pressures[node] = old.pressures[old_node];
                    }
                }
                state.solved[number] = old.solved[old_number];
            }
        }
    }
}
