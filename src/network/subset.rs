//! Some machines of a network as a network of their own. In: a network and which of its machines stay. Out: a blueprint of
//! these alone, in which what was cut comes from outside, and for each value from outside where the whole has it. Never
//! changes the whole.
//!
//! | cut | becomes |
//! | --- | --- |
//! | an output that an input follows, alone or in a formula | a value from outside, `T-200.level`: the output as it is. The feed stays as it was, with its scale, offset, function and delay |
//! | the giver of a taker that stays | its potential from outside, `MCC.voltage` |
//! | takers of a giver that stays | what each takes from outside, `P-101.power`; the giver sees the sum of all as before |
//! | a link of heat | a body with a temperature from outside, `M-1.temperature`; the link stays |
//! | a node of a liquid network | liquid that comes and goes at `T-200.outlet.pressure` and `T-200.outlet.temperature`, named after the port that was linked first |
//! | a link through which items come | as many as a counter says, `S-1.out.items` |
//! | a link through which items go | a departure, which takes all: what was left out never blocks |
//!
//! One output is one value, for all that follow it. What was from outside already stays so, in its place before the
//! cuts. Machines of one liquid network keep the step that they had together.
//!
//! A subset that is told the values of the whole at each instant does what its machines do in the whole: to the last bit
//! where feeds alone are cut, else to the rounding of the solver. Not so where machines that were left out block items,
//! or where at one node of a liquid network some that stay let liquid in while of those left out some let it in and some
//! out: the border passes the difference, and mixes it. With delays the instants of both must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::blueprint::{Blueprint, Feed, Function, Machine, Tie, TieKind};
use super::border::{OutsideBody, OutsideItems, OutsideLiquid, OutsideValue};
use super::cut::{Cut, Mouth, Origin};
use super::sets::Sets;
use super::whole::Network;
use crate::model::{Domain, End, Model, model};

/// Machines of a network that stand alone.
#[derive(Clone, Debug)]
pub struct Subset {
    /// The machines that stay, in the order of the whole; then what stands at the cuts.
    pub blueprint: Blueprint,
    /// The values from outside that the whole did not have: outputs by machine, then liquids and items by their ties. They
    /// stand behind those of the whole in [`Blueprint::outside`], in this order.
    pub cuts: Vec<Cut>,
    /// The machines that stay, by their place in the whole; at the same place here.
    pub machines: Vec<usize>,
    /// Borders of liquid by their machine, with the cut of their pressure; that of their temperature comes next.
    pub(super) liquids: Vec<(usize, usize)>,
}

impl Network {
    /// These machines alone. Numbers that are no machine are passed over, and order and repetition do not matter.
    pub fn subset(&self, machines: &[usize]) -> Subset {
        let all = &self.blueprint().machines;
        let machines: BTreeSet<usize> = machines.iter().copied().filter(|at| *at < all.len()).collect();
        let mut maker = Maker::new(self, machines.into_iter().collect());
        maker.find();
        maker.stand();
        maker.feed();
        maker.tie();
        maker.subset
    }
}

/// A supply from a giver to a taker: inputs and outputs by machine and number.
#[derive(Clone, Copy)]
struct Supply {
    given: (usize, usize),
    potential: Option<(usize, usize)>,
    taken: (usize, usize),
    seen: Option<(usize, usize)>,
}

struct Maker<'n> {
    whole: &'n Network,
    subset: Subset,
    /// Of each machine of the whole, its place here.
    places: Vec<Option<usize>>,
    /// Outputs that are cut and followed, with the machine that passes each on.
    values: BTreeMap<(usize, usize), usize>,
    /// Ports of heat that are cut, each with its machine's output and the body that stands for it.
    bodies: BTreeMap<(usize, usize), (usize, usize)>,
    supplies: Vec<Supply>,
    /// Of each machine, where its ports begin among those of all; and which of these are one node.
    ports: Vec<usize>,
    nodes: Sets,
    names: BTreeSet<String>,
}

impl<'n> Maker<'n> {
    fn new(whole: &'n Network, machines: Vec<usize>) -> Self {
        let Blueprint { machines: all, ties, outside } = whole.blueprint();
        let mut places = vec![None; all.len()];
        for (place, at) in machines.iter().enumerate() {
            places[*at] = Some(place);
        }
        let mut count = 0;
        let ports = all.iter().map(|machine| {
            let first = count;
            count += machine.model.description().ports.len();
            first
        });
        let ports: Vec<usize> = ports.collect();
        let mut nodes = Sets::new(count);
        let number = |end: &(usize, String)| Some(ports[end.0] + all[end.0].model.description().port(&end.1)?);
        for tie in ties.iter().filter(|tie| matches!(tie.kind, TieKind::Fluid(_))) {
            if let (Some(from), Some(to)) = (number(&tie.from), number(&tie.to)) {
                nodes.join(from, to);
            }
        }
        let names = all.iter().map(|machine| machine.id.clone()).chain(outside.iter().cloned()).collect();
        let blueprint = Blueprint { outside: outside.clone(), ..Blueprint::default() };
        let subset = Subset { blueprint, cuts: Vec::new(), machines, liquids: Vec::new() };
        let (values, bodies, supplies) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { whole, subset, places, values, bodies, supplies, ports, nodes, names }
    }

    fn all(&self) -> &'n [Machine] {
        &self.whole.blueprint().machines
    }

    fn stays(&self, machine: usize) -> bool {
        self.places[machine].is_some()
    }

    fn domain(&self, end: &(usize, String)) -> Option<Domain> {
        let description = self.whole.description(end.0);
        description.port(&end.1).map(|port| description.ports[port].domain)
    }

    fn supply(&self, tie: &Tie) -> Option<Supply> {
        let (Domain::Giver { given, potential, .. }, Domain::Taker { taken, potential: seen, .. }) =
            (self.domain(&tie.from)?, self.domain(&tie.to)?)
        else {
            return None;
        };
        let ((giver, _), (taker, _)) = (&tie.from, &tie.to);
        let (source, sink) = (self.whole.description(*giver), self.whole.description(*taker));
        Some(Supply {
            given: (*giver, source.input(given)?),
            potential: source.output(potential).map(|at| (*giver, at)),
            taken: (*taker, sink.output(taken)?),
            seen: seen.and_then(|seen| sink.input(seen)).map(|at| (*taker, at)),
        })
    }

    /// Whether an input follows its ties, as it does unless a feed of its own says otherwise.
    fn follows_ties(&self, (machine, input): (usize, usize)) -> bool {
        self.all()[machine].inputs[input] == Feed::Default
    }

    /// Finds all outputs and bodies that are cut.
    fn find(&mut self) {
        let mut cut = BTreeSet::new();
        for at in &self.subset.machines {
            for feed in &self.all()[*at].inputs {
                match feed {
                    Feed::Output { machine, output, .. } => drop(cut.insert((*machine, *output))),
                    Feed::Formula { of, .. } => cut.extend(of.iter().copied()),
                    Feed::Default | Feed::Constant(_) | Feed::Outside(_) => {}
                }
            }
        }
        for tie in &self.whole.blueprint().ties {
            match tie.kind {
                TieKind::Supply => {
                    let Some(supply) = self.supply(tie) else { continue };
                    self.supplies.push(supply);
                    if self.stays(supply.given.0) && self.follows_ties(supply.given) {
                        cut.insert(supply.taken);
                    }
                    if let (Some(seen), Some(potential)) = (supply.seen, supply.potential)
                        && self.stays(seen.0)
                        && self.follows_ties(seen)
                    {
                        cut.insert(potential);
                    }
                }
                TieKind::Heat { .. } if self.stays(tie.from.0) != self.stays(tie.to.0) => {
                    let end = if self.stays(tie.from.0) { &tie.to } else { &tie.from };
                    let description = self.whole.description(end.0);
                    if let (Some(Domain::Heat { temperature, .. }), Some(port)) =
                        (self.domain(end), description.port(&end.1))
                        && let Some(output) = description.output(temperature)
                    {
                        self.bodies.insert((end.0, port), (output, 0));
                    }
                }
                _ => {}
            }
        }
        self.values = cut.into_iter().filter(|(machine, _)| !self.stays(*machine)).map(|key| (key, 0)).collect();
    }

    /// Machines that stay, then those that stand for outputs and bodies.
    fn stand(&mut self) {
        for at in &self.subset.machines {
            let mut machine = self.all()[*at].clone();
            let (part, place) = self.whole.places[*at];
            let slot = &self.whole.islands[part].slots[place];
            if !slot.groups.is_empty() && machine.step.or(slot.description.step) != Some(slot.step) {
                machine.step = Some(slot.step);
            }
            self.subset.blueprint.machines.push(machine);
        }
        let bodies = self.bodies.iter().map(|((machine, _), (output, _))| (*machine, *output));
        let outputs: BTreeSet<(usize, usize)> = self.values.keys().copied().chain(bodies).collect();
        let mut outside = BTreeMap::new();
        for (machine, output) in outputs {
            let (id, said) = (&self.all()[machine].id, &self.whole.description(machine).outputs[output]);
            let place = self.outside(format!("{id}.{}", said.name), said.unit, Origin::Output { machine, output });
            outside.insert((machine, output), place);
        }
        for key in self.values.keys().copied().collect::<Vec<_>>() {
            let (id, said) = (&self.all()[key.0].id, &self.whole.description(key.0).outputs[key.1]);
            let place = self.add(&format!("{id}.{}", said.name), &OutsideValue, &[outside[&key]]);
            self.values.insert(key, place);
        }
        for ((machine, port), (output, _)) in self.bodies.clone() {
            let (id, said) = (&self.all()[machine].id, &self.whole.description(machine).ports[port]);
            let place = self.add(&format!("{id}.{}", said.name), &OutsideBody, &[outside[&(machine, output)]]);
            self.bodies.insert((machine, port), (output, place));
        }
    }

    /// Where an output is found here.
    fn output(&self, (machine, output): (usize, usize)) -> (usize, usize) {
        match self.places[machine] {
            Some(place) => (place, output),
            None => (self.values.get(&(machine, output)).copied().unwrap_or(usize::MAX), 0),
        }
    }

    fn feed(&mut self) {
        for place in 0..self.subset.machines.len() {
            let mut inputs = self.subset.blueprint.machines[place].inputs.clone();
            for feed in &mut inputs {
                match feed {
                    Feed::Output { machine, output, .. } => {
                        (*machine, *output) = self.output((*machine, *output));
                    }
                    Feed::Formula { of, .. } => of.iter_mut().for_each(|from| *from = self.output(*from)),
                    Feed::Default | Feed::Constant(_) | Feed::Outside(_) => {}
                }
            }
            self.subset.blueprint.machines[place].inputs = inputs;
        }
        let mut sums: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
        // Of several givers the last is seen.
        let mut seen = BTreeMap::new();
        for supply in &self.supplies {
            sums.entry(supply.given).or_default().push(supply.taken);
            if let (Some(input), Some(potential)) = (supply.seen, supply.potential) {
                seen.insert(input, potential);
            }
        }
        for (input, takers) in sums {
            if takers.iter().any(|(taker, _)| !self.stays(*taker)) {
                let of = takers.iter().map(|taken| self.output(*taken)).collect();
                let sum = Function { text: "sum".into(), of: Arc::new(|of: &[f64]| Some(of.iter().sum())) };
                self.set(input, Feed::Formula { of, function: sum, delayed: false });
            }
        }
        for (input, potential) in seen {
            if !self.stays(potential.0) {
                let (machine, output) = self.output(potential);
                self.set(input, Feed::output(machine, output));
            }
        }
    }

    /// Feeds an input that followed its ties, by its machine in the whole.
    fn set(&mut self, (machine, input): (usize, usize), feed: Feed) {
        if let (Some(place), true) = (self.places[machine], self.follows_ties((machine, input))) {
            self.subset.blueprint.machines[place].inputs[input] = feed;
        }
    }

    /// Ties in the order of the whole, so that a sorter keeps its ways.
    fn tie(&mut self) {
        let mut borders: BTreeMap<usize, usize> = BTreeMap::new();
        for tie in &self.whole.blueprint().ties {
            let Tie { from, to, kind } = tie;
            let (here, there) = (self.places[from.0], self.places[to.0]);
            let (from_here, to_here) = match (here, there, kind) {
                (None, None, _) => continue,
                (Some(one), Some(other), _) => ((one, from.1.clone()), (other, to.1.clone())),
                (_, _, TieKind::Supply) => continue,
                (Some(one), None, TieKind::Items) => {
                    let Some(departures) = model("Departures") else { continue };
                    let sink = self.add(&self.path(to), departures, &[]);
                    ((one, from.1.clone()), (sink, "in".to_owned()))
                }
                (None, Some(other), TieKind::Items) => {
                    let source = self.add_items(tie);
                    ((source, "out".to_owned()), (other, to.1.clone()))
                }
                (here, there, TieKind::Heat { .. }) => {
                    let body = |end: &(usize, String)| {
                        let port = self.whole.description(end.0).port(&end.1)?;
                        self.bodies.get(&(end.0, port)).map(|(_, body)| (*body, "body".to_owned()))
                    };
                    let one = here.map(|place| (place, from.1.clone())).or_else(|| body(from));
                    let other = there.map(|place| (place, to.1.clone())).or_else(|| body(to));
                    let Some(both) = one.zip(other) else { continue };
                    both
                }
                (here, _, TieKind::Fluid(_)) => {
                    let (near, far) = if here.is_some() { (from, to) } else { (to, from) };
                    let Some(port) = self.whole.description(far.0).port(&far.1) else { continue };
                    let node = self.nodes.root(self.ports[far.0] + port);
                    let border = match borders.get(&node) {
                        Some(border) => *border,
                        None => {
                            let border = self.add_liquid(node, far);
                            borders.insert(node, border);
                            border
                        }
                    };
                    let Some(place) = self.places[near.0] else { continue };
                    let near = (place, near.1.clone());
                    let is_tied = |tie: &Tie| tie.from.0 == border && tie.to == near;
                    if self.subset.blueprint.ties.iter().any(is_tied) {
                        continue;
                    }
                    ((border, "liquid".to_owned()), near)
                }
            };
            self.subset.blueprint.ties.push(Tie { from: from_here, to: to_here, kind: kind.clone() });
        }
    }

    fn add_liquid(&mut self, node: usize, far: &(usize, String)) -> usize {
        let mut mouths = Vec::new();
        for machine in 0..self.all().len() {
            for (passage, said) in self.whole.description(machine).passages.iter().enumerate() {
                for (end, leaves) in [(said.from, true), (said.to, false)] {
                    if let End::Port(port) = end
                        && self.nodes.root(self.ports[machine] + port) == node
                    {
                        mouths.push(Mouth { machine, passage, leaves, stays: self.stays(machine) });
                    }
                }
            }
        }
        let path = self.path(far);
        let pressure = self.outside(format!("{path}.pressure"), "Pa", Origin::Pressure(mouths.clone()));
        let temperature = self.outside(format!("{path}.temperature"), "degC", Origin::Temperature(mouths));
        let border = self.add(&path, &OutsideLiquid, &[pressure, temperature]);
        self.subset.liquids.push((border, self.subset.cuts.len() - 2));
        border
    }

    fn add_items(&mut self, tie: &Tie) -> usize {
        let island = self.whole.places[tie.from.0].0;
        let others = self.whole.blueprint().ties.iter().take_while(|other| !std::ptr::eq(*other, tie));
        let others = others.filter(|other| other.kind == TieKind::Items && self.whole.places[other.from.0].0 == island);
        let from = Origin::Items { island, tie: others.count() };
        let path = self.path(&tie.from);
        let count = self.outside(format!("{path}.items"), "", from);
        self.add(&path, &OutsideItems, &[count])
    }

    fn path(&self, (machine, port): &(usize, String)) -> String {
        format!("{}.{port}", self.all()[*machine].id)
    }

    /// A name that nothing else has.
    fn name(&mut self, wanted: &str) -> String {
        let others = (2u32..).map(|number| format!("{wanted}.{number}"));
        let found = std::iter::once(wanted.to_owned()).chain(others).find(|name| !self.names.contains(name));
        let name = found.unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    /// A new value from outside; its place.
    fn outside(&mut self, name: String, unit: &'static str, from: Origin) -> usize {
        let name = self.name(&name);
        self.subset.blueprint.outside.push(name.clone());
        self.subset.cuts.push(Cut { name, unit, from });
        self.subset.blueprint.outside.len() - 1
    }

    /// A machine at a cut whose first inputs are these values from outside; its place.
    fn add(&mut self, id: &str, model: &'static dyn Model, outside: &[usize]) -> usize {
        let taken: BTreeSet<&str> = self.subset.blueprint.machines.iter().map(|machine| machine.id.as_str()).collect();
        let others = (2u32..).map(|number| format!("{id}.{number}"));
        let found = std::iter::once(id.to_owned()).chain(others).find(|name| !taken.contains(name.as_str()));
        let mut machine = Machine::new(found.unwrap_or_default(), model);
        for (input, place) in machine.inputs.iter_mut().zip(outside) {
            *input = Feed::Outside(*place);
        }
        self.subset.blueprint.machines.push(machine);
        self.subset.blueprint.machines.len() - 1
    }
}
