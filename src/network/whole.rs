//! Networks and states as callers see them: machines by their place in the blueprint. In: a blueprint, then times and
//! values. Out: the same, stepped. Machines that are not tied to each other stand on islands of their own, which are
//! stepped apart from each other, on as many threads as asked for; so a network of many plants costs as much as they do.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;

use super::blueprint::{Blueprint, Feed, Problem, ProblemKind};
use super::island::Island;
use super::sets::Sets;
use super::state::{Adjustment, IslandState};
use super::step::Scratch;
use crate::model::{Crossing, Description, StateMut};

/// How machines are tied. Made once, shared by all states.
#[derive(Clone, Debug)]
pub struct Network {
    blueprint: Arc<Blueprint>,
    pub(super) islands: Vec<Island>,
    /// Island and place there, of each machine.
    pub(super) places: Vec<(usize, usize)>,
}

/// A network at an instant: all that changes.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// Nanoseconds since the start.
    pub(super) time: u64,
    pub(super) islands: Vec<IslandState>,
}

/// Room to compute in; belongs to one caller, holds nothing between calls.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub(super) islands: Vec<Scratch>,
}

impl Network {
    /// Checks a blueprint and lays it out; every problem is told.
    pub fn build(blueprint: Blueprint) -> Result<Self, Vec<Problem>> {
        let mut problems = twice(&blueprint);
        let parts = parts(&blueprint);
        // A feed or tie that names no machine keeps doing so.
        let mut places = vec![(0, usize::MAX); blueprint.machines.len()];
        for (number, part) in parts.iter().enumerate() {
            for (at, machine) in part.iter().enumerate() {
                places[*machine] = (number, at);
            }
        }
        let place = |machine: usize| places.get(machine).map_or(usize::MAX, |(_, at)| *at);
        let mut ties = vec![Vec::new(); parts.len()];
        for (number, tie) in blueprint.ties.iter().enumerate() {
            if let (Some((part, _)), Some(_)) = (places.get(tie.from.0), places.get(tie.to.0)) {
                ties[*part].push(number);
            }
        }
        let mut islands = Vec::new();
        for (machines, ties) in parts.iter().zip(&ties) {
            match Island::build(&blueprint.of(machines, ties, &place)) {
                Ok(island) => islands.push(island),
                Err(found) => problems.extend(found.into_iter().map(|problem| problem.for_whole(machines, ties))),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { blueprint: Arc::new(blueprint), islands, places }),
            false => {
                problems.sort_by_key(|problem| problem.machine);
                Err(problems)
            }
        }
    }

    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// The place of a machine by its id.
    pub fn machine(&self, id: &str) -> Option<usize> {
        self.blueprint.machines.iter().position(|machine| machine.id == id)
    }

    pub fn description(&self, machine: usize) -> &'static Description {
        self.blueprint.machines[machine].model.description()
    }

    /// The machines of each island: they are tied to each other, and to no others.
    pub fn islands(&self) -> Vec<Vec<usize>> {
        let mut lists = vec![Vec::new(); self.islands.len()];
        for (machine, (island, _)) in self.places.iter().enumerate() {
            lists[*island].push(machine);
        }
        lists
    }

    pub fn workspace(&self) -> Workspace {
        Workspace { islands: self.islands.iter().map(Island::scratch).collect() }
    }

    /// The state at time 0, with `outside` values in the order of the blueprint; those that are missing are 0.
    pub fn start(&self, seed: u64, outside: &[f64], work: &mut Workspace) -> State {
        let each = self.islands.iter().zip(&mut work.islands);
        State { time: 0, islands: each.map(|(island, scratch)| island.start(seed, outside, scratch)).collect() }
    }

    /// Takes up changes that were made from outside: states, parameters, adjustments, outside values.
    pub fn refresh(&self, now: &mut State, work: &mut Workspace) {
        for ((island, state), scratch) in self.islands.iter().zip(&mut now.islands).zip(&mut work.islands) {
            island.refresh(state, scratch);
        }
    }

    /// The next instant after that of a state, in nanoseconds.
    pub fn next(&self, now: &State) -> u64 {
        let each = self.islands.iter().zip(&now.islands);
        each.map(|(island, state)| island.next(state)).min().unwrap_or(u64::MAX)
    }

    /// Carries a state to a time in nanoseconds; it stands there even if nothing happens then.
    pub fn advance(&self, now: &mut State, until: u64, work: &mut Workspace) {
        self.advance_on(now, until, work, NonZero::<usize>::MIN);
    }

    /// The same on several threads, with the same bits.
    pub fn advance_on(&self, now: &mut State, until: u64, work: &mut Workspace, threads: NonZero<usize>) {
        let share = self.islands.len().div_ceil(threads.get()).max(1);
        let parts = self.islands.chunks(share).zip(now.islands.chunks_mut(share)).zip(work.islands.chunks_mut(share));
        let run = |((islands, states), scratches): ((&[Island], &mut [IslandState]), &mut [Scratch])| {
            for ((island, state), scratch) in islands.iter().zip(states).zip(scratches) {
                island.advance(state, until, scratch);
            }
        };
        if threads.get() == 1 {
            parts.for_each(run);
        } else {
            std::thread::scope(|scope| parts.for_each(|part| drop(scope.spawn(move || run(part)))));
        }
        now.time = now.time.max(until);
    }
}

/// What callers read and write: machines by their place in the blueprint, all else by its place in the description.
impl State {
    /// Nanoseconds since the start.
    pub fn time(&self) -> u64 {
        self.time
    }

    pub fn secs(&self) -> f64 {
        self.time as f64 / 1e9
    }

    pub fn seed(&self) -> u64 {
        self.islands.first().map_or(0, |state| state.seed)
    }

    /// Another seed for all that is drawn from now on: members of an ensemble differ by it.
    pub fn set_seed(&mut self, seed: u64) {
        self.islands.iter_mut().for_each(|state| state.seed = seed);
    }

    fn at<'m>(&'m self, network: &'m Network, machine: usize) -> (&'m IslandState, &'m super::island::Slot) {
        let (part, at) = network.places[machine];
        (&self.islands[part], &network.islands[part].slots[at])
    }

    pub fn output(&self, network: &Network, machine: usize, output: usize) -> f64 {
        let (state, slot) = self.at(network, machine);
        state.outputs[slot.outputs.start + output]
    }

    pub fn inputs<'m>(&'m self, network: &'m Network, machine: usize) -> &'m [f64] {
        let (state, slot) = self.at(network, machine);
        &state.inputs[slot.inputs.clone()]
    }

    /// Parameters as they are in effect, with adjustments.
    pub fn parameters<'m>(&'m self, network: &'m Network, machine: usize) -> &'m [f64] {
        let (state, slot) = self.at(network, machine);
        &state.parameters[slot.parameters.clone()]
    }

    pub fn numbers<'m>(&'m self, network: &'m Network, machine: usize) -> &'m [f64] {
        let (state, slot) = self.at(network, machine);
        &state.numbers[slot.numbers.clone()]
    }

    pub fn counts<'m>(&'m self, network: &'m Network, machine: usize) -> &'m [u64] {
        let (state, slot) = self.at(network, machine);
        &state.counts[slot.counts.clone()]
    }

    /// Fills `out` with samples of a waveform of a machine from this state on, `rate` of them in a second.
    pub fn waveform(&self, network: &Network, machine: usize, waveform: usize, rate: f64, out: &mut [f64]) {
        let (part, at) = network.places[machine];
        network.islands[part].read(&self.islands[part], at, |model, given, state| {
            model.waveform(waveform, given, state, rate, out);
        });
    }

    pub fn crossings<'m>(&'m self, network: &'m Network, machine: usize) -> &'m [Crossing] {
        let (state, slot) = self.at(network, machine);
        &state.crossings[slot.crossings.clone()]
    }

    /// Whether a machine stands still because its state left the numbers.
    pub fn is_broken(&self, network: &Network, machine: usize) -> bool {
        let (part, at) = network.places[machine];
        self.islands[part].broken[at]
    }

    /// Whether all flows were found in this instant.
    pub fn is_solved(&self) -> bool {
        self.islands.iter().flat_map(|state| &state.solved).all(|solved| *solved)
    }

    pub fn outside(&self, at: usize) -> f64 {
        self.islands.first().map_or(0.0, |state| state.outside[at])
    }

    /// Sets a value from outside; it counts from the next instant on.
    pub fn set_outside(&mut self, at: usize, value: f64) {
        self.islands.iter_mut().for_each(|state| state.outside[at] = value);
    }

    /// Writes a continuous state, cut to its bounds: what a filter does.
    pub fn set_number(&mut self, network: &Network, machine: usize, state: usize, value: f64) {
        let (part, at) = network.places[machine];
        self.islands[part].set_number(&network.islands[part], at, state, value);
    }

    /// Changes how a machine is built, cut to the parameter's bounds: what an edit or a calibration does.
    pub fn set_parameter(&mut self, network: &Network, machine: usize, parameter: usize, value: f64) {
        let (part, at) = network.places[machine];
        self.islands[part].set_parameter(&network.islands[part], at, parameter, value);
    }

    /// Sets all adjustments; what is not among them any more is as it was.
    pub fn adjust(&mut self, network: &Network, adjustments: &[Adjustment]) {
        let mut each = vec![Vec::new(); self.islands.len()];
        for adjustment in adjustments {
            let (part, at) = network.places[adjustment.target.machine()];
            each[part].push(adjustment.of_machine(at));
        }
        for ((island, state), adjustments) in network.islands.iter().zip(&mut self.islands).zip(each) {
            state.adjust(island, adjustments);
        }
    }

    /// Makes damage good, by the number of a repair of the model's description.
    pub fn repair(&mut self, network: &Network, machine: usize, repair: usize) {
        let (part, at) = network.places[machine];
        network.islands[part].change(&mut self.islands[part], at, |model, given, state: &mut StateMut<'_>| {
            model.repair(repair, given, state);
        });
    }
}

/// Machines of one id.
fn twice(blueprint: &Blueprint) -> Vec<Problem> {
    let mut ids = BTreeMap::new();
    let machines = blueprint.machines.iter().enumerate();
    let twice = machines.filter(|(at, machine)| ids.insert(machine.id.as_str(), *at).is_some());
    twice.map(|(machine, _)| Problem { machine, kind: ProblemKind::Twice }).collect()
}

/// Machines that are tied, as lists in ascending order, ordered by their first.
fn parts(blueprint: &Blueprint) -> Vec<Vec<usize>> {
    let count = blueprint.machines.len();
    let mut sets = Sets::new(count);
    let feeds = blueprint
        .machines
        .iter()
        .enumerate()
        .flat_map(|(at, machine)| machine.inputs.iter().flat_map(Feed::machines).map(move |other| (other, at)));
    let ties = blueprint.ties.iter().map(|tie| (tie.from.0, tie.to.0));
    for (a, b) in feeds.chain(ties).filter(|(a, b)| *a < count && *b < count) {
        sets.join(a, b);
    }
    let mut lists: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..count {
        lists.entry(sets.root(at)).or_default().push(at);
    }
    lists.into_values().collect()
}
