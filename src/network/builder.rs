//! Lays an island out. In: a blueprint whose machines are tied to each other. Out: the island, or every problem: places
//! in flat lists, liquid networks, the order in which outputs follow each other. Steps nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use super::blueprint::{Blueprint, Feed, Problem, ProblemKind, TieKind};
use super::hydraulics::Hydraulics;
use super::island::{Group, HeatTie, Island, ItemTie, Size, Slot, Source};
use super::sets::Sets;
use super::warmth::Warmth;
use crate::model::{Domain, End, Fluid, Gate};
use crate::value::Stream;

impl Island {
    /// Checks a blueprint and lays it out.
    pub fn build(blueprint: &Blueprint) -> Result<Self, Vec<Problem>> {
        let mut builder = Builder::new(blueprint);
        builder.lay_out();
        builder.tie();
        builder.feed();
        builder.group();
        builder.sort();
        let Builder { problems, slots, sources, order, followers, groups, heat, items, size, .. } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut steps: Vec<u64> = slots.iter().map(|slot| slot.step).filter(|step| *step > 0).collect();
        steps.sort_unstable();
        steps.dedup();
        let outside = blueprint.outside.len();
        Ok(Self { outside, slots, sources, order, followers, groups, heat, items, steps, size })
    }
}

/// Number, both ends as machine and port, and what flows.
type PipeTie = (usize, (usize, usize), (usize, usize), Fluid);

struct Builder<'b> {
    blueprint: &'b Blueprint,
    problems: Vec<Problem>,
    slots: Vec<Slot>,
    sources: Vec<Source>,
    order: Vec<usize>,
    followers: Vec<Vec<usize>>,
    groups: Vec<Group>,
    heat: Vec<HeatTie>,
    items: Vec<ItemTie>,
    size: Size,
    /// The machine of each output.
    owners: Vec<usize>,
    /// Fluid ties as pairs of (machine, port).
    pipes: Vec<PipeTie>,
    /// Ties of each port.
    tied: Vec<Vec<usize>>,
}

fn take(total: &mut usize, count: usize) -> Range<usize> {
    let range = *total..*total + count;
    *total = range.end;
    range
}

impl<'b> Builder<'b> {
    fn new(blueprint: &'b Blueprint) -> Self {
        Self {
            blueprint,
            problems: Vec::new(),
            slots: Vec::new(),
            sources: Vec::new(),
            order: Vec::new(),
            followers: vec![Vec::new(); blueprint.machines.len()],
            groups: Vec::new(),
            heat: Vec::new(),
            items: Vec::new(),
            size: Size::default(),
            owners: Vec::new(),
            pipes: Vec::new(),
            tied: Vec::new(),
        }
    }

    fn fail(&mut self, machine: usize, kind: ProblemKind) {
        self.problems.push(Problem { machine, kind });
    }

    fn lay_out(&mut self) {
        let blueprint = self.blueprint;
        for (at, machine) in blueprint.machines.iter().enumerate() {
            let description = machine.model.description();
            for (parameter, (said, value)) in description.parameters.iter().zip(&machine.parameters).enumerate() {
                if !(said.bounds.0..=said.bounds.1).contains(value) {
                    let kind = ProblemKind::Bounds { parameter, value: *value, bounds: said.bounds };
                    self.fail(at, kind);
                }
            }
            let size = &mut self.size;
            let slot = Slot {
                id: machine.id.clone(),
                model: machine.model,
                description,
                step: machine.step.or(description.step).unwrap_or(0),
                built: machine.parameters.clone(),
                parameters: take(&mut size.parameters, description.parameters.len()),
                numbers: take(&mut size.numbers, description.states.len()),
                counts: take(&mut size.counts, description.counts.len()),
                inputs: take(&mut size.inputs, description.inputs.len()),
                outputs: take(&mut size.outputs, description.outputs.len()),
                crossings: take(&mut size.crossings, description.passages.len()),
                tables: machine.tables.clone(),
                streams: description.draws.iter().map(|name| Stream::new(0, &machine.id, name)).collect(),
                groups: Vec::new(),
                outside: false,
                delayed: false,
                direct: description.outputs.iter().any(|output| output.direct),
            };
            self.owners.extend(std::iter::repeat_n(at, description.outputs.len()));
            self.tied.push(vec![0; description.ports.len()]);
            self.slots.push(slot);
        }
        self.sources = vec![Source::Constant(0.0); self.size.inputs];
    }

    /// Finds the ports of all ties; what ties say of inputs comes before what feeds say.
    fn tie(&mut self) {
        let mut fed: Vec<bool> = vec![false; self.size.inputs];
        let mut sums: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let blueprint = self.blueprint;
        for (at, tie) in blueprint.ties.iter().enumerate() {
            let (Some(from), Some(to)) = (self.port(&tie.from), self.port(&tie.to)) else { continue };
            let domain = |end: (usize, usize)| self.slots[end.0].description.ports[end.1].domain;
            match (&tie.kind, domain(from), domain(to)) {
                (TieKind::Fluid(fluid), Domain::Fluid, Domain::Fluid) => self.pipes.push((at, from, to, *fluid)),
                (
                    TieKind::Heat { conductance },
                    Domain::Heat { temperature, flow },
                    Domain::Heat { temperature: other, flow: back },
                ) => {
                    let side = |machine: usize, temperature: &str, flow: &str| {
                        let slot = &self.slots[machine];
                        let place = |range: &Range<usize>, found: Option<usize>| Some(range.start + found?);
                        place(&slot.outputs, slot.description.output(temperature))
                            .zip(place(&slot.inputs, slot.description.input(flow)))
                    };
                    if let (Some(one), Some(two)) = (side(from.0, temperature, flow), side(to.0, other, back)) {
                        for side in [one, two] {
                            self.sources[side.1] = Source::Heat;
                            fed[side.1] = true;
                        }
                        let machines = (from.0, to.0);
                        self.heat.push(HeatTie { from: one, to: two, machines, conductance: *conductance });
                    }
                }
                (
                    TieKind::Supply,
                    Domain::Giver { carrier, given, potential },
                    Domain::Taker { carrier: other, taken, potential: seen },
                ) if carrier == other => {
                    self.supply((from.0, given, potential), (to.0, taken, seen), &mut sums, &mut fed);
                }
                (TieKind::Items, Domain::ItemsOut, Domain::ItemsIn) => {
                    let way = |end: &dyn Fn(&ItemTie) -> (usize, Gate), (machine, port): (usize, usize)| {
                        let before =
                            self.items.iter().map(end).filter(|(at, gate)| *at == machine && gate.port == port);
                        (machine, Gate { port, way: before.count() })
                    };
                    let (from, to) = (way(&|tie| tie.from, from), way(&|tie| tie.to, to));
                    self.items.push(ItemTie { from, to });
                }
                (kind, one, other) => {
                    let rule = match (kind, one, other) {
                        (TieKind::Supply, Domain::Taker { .. }, Domain::Giver { .. }) => {
                            format!("`{}` takes and `{}` gives: turn the link round", tie.from.1, tie.to.1)
                        }
                        (TieKind::Items, Domain::ItemsIn, Domain::ItemsOut) => {
                            format!("items leave through `{}`: turn the link round", tie.to.1)
                        }
                        _ => format!(
                            "a link of {kind} does not fit `{}` ({one}) and `{}` ({other})",
                            tie.from.1, tie.to.1
                        ),
                    };
                    self.fail(from.0, ProblemKind::Mismatch { tie: at, rule });
                    continue;
                }
            }
            self.tied[from.0][from.1] += 1;
            self.tied[to.0][to.1] += 1;
        }
        for (input, outputs) in sums {
            self.sources[input] = Source::Sum(outputs);
        }
        for machine in 0..self.slots.len() {
            let description = self.slots[machine].description;
            for (port, said) in description.ports.iter().enumerate() {
                if said.required && self.tied[machine][port] == 0 {
                    self.fail(machine, ProblemKind::Untied { port: said.name.to_owned() });
                }
            }
        }
        for machine in 0..self.slots.len() {
            let slot = &self.slots[machine];
            if let Some(rule) = slot.model.misfit(&slot.tables, &self.tied[machine]) {
                self.fail(machine, ProblemKind::Misfit { rule });
            }
        }
        self.follow(&fed);
    }

    fn port(&mut self, (machine, name): &(usize, String)) -> Option<(usize, usize)> {
        let slot = self.slots.get(*machine)?;
        let found = slot.description.port(name);
        if found.is_none() {
            self.fail(*machine, ProblemKind::NoPort { port: name.clone() });
        }
        Some((*machine, found?))
    }

    fn supply(
        &mut self,
        (giver, given, potential): (usize, &str, &str),
        (taker, taken, seen): (usize, &str, Option<&str>),
        sums: &mut BTreeMap<usize, Vec<usize>>,
        fed: &mut [bool],
    ) {
        let (source, sink) = (&self.slots[giver], &self.slots[taker]);
        let Some(given) = source.description.input(given).map(|at| source.inputs.start + at) else { return };
        let Some(taken) = sink.description.output(taken).map(|at| sink.outputs.start + at) else { return };
        let seen = seen.and_then(|seen| sink.description.input(seen)).map(|at| sink.inputs.start + at);
        let potential = source.description.output(potential).map(|at| source.outputs.start + at);
        sums.entry(given).or_default().push(taken);
        fed[given] = true;
        if let (Some(seen), Some(at)) = (seen, potential) {
            self.sources[seen] = Source::Output { at, scale: 1.0, offset: 0.0, delayed: false };
            fed[seen] = true;
        }
    }

    /// What feeds the inputs that no tie feeds.
    fn follow(&mut self, fed: &[bool]) {
        let blueprint = self.blueprint;
        for (machine, said) in blueprint.machines.iter().enumerate() {
            let (range, inputs) = (self.slots[machine].inputs.clone(), self.slots[machine].description.inputs);
            for (input, (place, feed)) in range.zip(&said.inputs).enumerate() {
                let source = match feed {
                    Feed::Default if fed[place] => continue,
                    Feed::Default => inputs[input].default.map(Source::Constant),
                    Feed::Constant(x) => Some(Source::Constant(*x)),
                    Feed::Outside(at) if *at < self.blueprint.outside.len() => Some(Source::Outside(*at)),
                    Feed::Outside(_) => {
                        self.fail(machine, ProblemKind::NoFeed { input });
                        continue;
                    }
                    Feed::Output { machine: other, output, scale, offset, delayed } => {
                        let slot = self.slots.get(*other).filter(|slot| *output < slot.outputs.len());
                        let Some(slot) = slot else {
                            self.fail(machine, ProblemKind::NoFeed { input });
                            continue;
                        };
                        let at = slot.outputs.start + output;
                        Some(Source::Output { at, scale: *scale, offset: *offset, delayed: *delayed })
                    }
                    Feed::Formula { of, function, delayed } => {
                        let place = |(other, output): &(usize, usize)| {
                            let slot = self.slots.get(*other).filter(|slot| *output < slot.outputs.len())?;
                            Some(slot.outputs.start + output)
                        };
                        let Some(of) = of.iter().map(place).collect() else {
                            self.fail(machine, ProblemKind::NoFeed { input });
                            continue;
                        };
                        Some(Source::Formula { of, function: function.clone(), delayed: *delayed })
                    }
                };
                match source {
                    Some(source) => self.sources[place] = source,
                    None => self.fail(machine, ProblemKind::Unfed { input }),
                }
            }
        }
    }

    fn feed(&mut self) {
        for machine in 0..self.slots.len() {
            for place in self.slots[machine].inputs.clone() {
                let slot = &mut self.slots[machine];
                slot.outside |= matches!(self.sources[place], Source::Outside(_));
                slot.delayed |= self.sources[place].is_delayed();
                let followed: Vec<usize> = match &self.sources[place] {
                    Source::Output { at, .. } => vec![*at],
                    Source::Sum(outputs) | Source::Formula { of: outputs, .. } => outputs.clone(),
                    Source::Constant(_) | Source::Outside(_) | Source::Heat => Vec::new(),
                };
                for output in followed {
                    self.followers[self.owners[output]].push(machine);
                }
            }
        }
        for list in &mut self.followers {
            list.sort_unstable();
            list.dedup();
        }
    }

    /// Ports that are tied are one node; passages that meet at nodes are one liquid network.
    fn group(&mut self) {
        let mut ports: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (machine, slot) in self.slots.iter().enumerate() {
            for (port, said) in slot.description.ports.iter().enumerate() {
                if said.domain == Domain::Fluid {
                    let number = ports.len();
                    ports.insert((machine, port), number);
                }
            }
        }
        // Ports that are one node, and ports that are one network.
        let (mut nodes, mut parts) = (Sets::new(ports.len()), Sets::new(ports.len()));
        for (_, from, to, _) in &self.pipes {
            nodes.join(ports[from], ports[to]);
            parts.join(ports[from], ports[to]);
        }
        let ends_of = |machine: usize, end: End| match end {
            End::Port(port) => ports.get(&(machine, port)).copied(),
            End::Inside | End::Outside => None,
        };
        for (machine, slot) in self.slots.iter().enumerate() {
            for passage in slot.description.passages {
                if let (Some(from), Some(to)) = (ends_of(machine, passage.from), ends_of(machine, passage.to)) {
                    parts.join(from, to);
                }
            }
        }
        let mut members: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (machine, slot) in self.slots.iter().enumerate() {
            for (number, passage) in slot.description.passages.iter().enumerate() {
                // A hole has no port: it stands with the machine's first one.
                let own = ports.range((machine, 0)..(machine + 1, 0)).next().map(|(_, port)| *port);
                let port = ends_of(machine, passage.from).or(ends_of(machine, passage.to)).or(own);
                if let Some(port) = port {
                    members.entry(parts.root(port)).or_default().push((machine, number));
                }
            }
        }
        let mut fluids: BTreeMap<usize, Fluid> = BTreeMap::new();
        for (tie, from, _, fluid) in self.pipes.clone() {
            let part = parts.root(ports[&from]);
            if *fluids.entry(part).or_insert(fluid) != fluid {
                self.fail(from.0, ProblemKind::Fluids { tie });
            }
        }
        for (part, passages) in members {
            self.add_group(fluids.get(&part).copied().unwrap_or(Fluid::WATER), &passages, &mut |machine, end| {
                ends_of(machine, end).map(|port| nodes.root(port))
            });
        }
    }

    fn add_group(
        &mut self,
        fluid: Fluid,
        passages: &[(usize, usize)],
        node_of: &mut dyn FnMut(usize, End) -> Option<usize>,
    ) {
        let number = self.groups.len();
        let mut local: BTreeMap<usize, usize> = BTreeMap::new();
        let (mut list, mut ends, mut border, mut machines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (machine, passage) in passages {
            let said = self.slots[*machine].description.passages[*passage];
            let mut node = |end: End| {
                node_of(*machine, end).map(|node| {
                    let next = local.len();
                    *local.entry(node).or_insert(next)
                })
            };
            ends.push((node(said.from), node(said.to)));
            border.push(said.from == End::Outside || said.to == End::Outside);
            list.push((*machine, *passage, self.slots[*machine].crossings.start + passage));
            machines.push(*machine);
        }
        machines.dedup();
        let step = machines.iter().map(|at| self.slots[*at].step).filter(|step| *step > 0).min().unwrap_or(0);
        for machine in &machines {
            self.slots[*machine].groups.push(number);
        }
        let count = local.len();
        self.groups.push(Group {
            fluid,
            passages: list,
            hydraulics: Hydraulics::new(count, ends.clone()),
            warmth: Warmth::new(count, ends.clone()),
            ends,
            border,
            nodes: take(&mut self.size.nodes, count),
            machines,
            step,
        });
    }

    /// Machines of one liquid network share a step; then the order of outputs.
    fn sort(&mut self) {
        self.share_steps();
        // A machine waits for those whose direct outputs it looks at, if it has direct outputs itself.
        let count = self.slots.len();
        let direct = |at: usize| {
            let owner = self.owners[at];
            let slot = &self.slots[owner];
            slot.description.outputs[at - slot.outputs.start].direct
        };
        let mut waits: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (machine, slot) in self.slots.iter().enumerate() {
            for place in slot.inputs.clone() {
                match &self.sources[place] {
                    Source::Output { at, delayed: false, .. } if direct(*at) => waits[machine].push(self.owners[*at]),
                    Source::Sum(outputs) | Source::Formula { of: outputs, delayed: false, .. } => {
                        let direct = outputs.iter().filter(|at| direct(**at));
                        waits[machine].extend(direct.map(|at| self.owners[*at]));
                    }
                    _ => {}
                }
            }
        }
        let mut state = vec![0u8; count];
        let mut path = Vec::new();
        for machine in 0..count {
            self.visit(machine, &waits, &mut state, &mut path);
        }
    }

    fn visit(&mut self, machine: usize, waits: &[Vec<usize>], state: &mut [u8], path: &mut Vec<usize>) {
        match state[machine] {
            2 => return,
            1 => {
                let begin = path.iter().position(|at| *at == machine).unwrap_or(0);
                let through = path[begin..].iter().copied().chain([machine]).collect();
                self.fail(machine, ProblemKind::Loop { through });
                return;
            }
            _ => {}
        }
        state[machine] = 1;
        path.push(machine);
        for other in &waits[machine] {
            self.visit(*other, waits, state, path);
        }
        path.pop();
        state[machine] = 2;
        self.order.push(machine);
    }

    fn share_steps(&mut self) {
        // A machine in two networks ties their steps as well.
        loop {
            let mut changed = false;
            for group in &mut self.groups {
                let shared = group.machines.iter().map(|at| self.slots[*at].step).filter(|step| *step > 0).min();
                let shared = shared.unwrap_or(0);
                for machine in &group.machines {
                    let step = &mut self.slots[*machine].step;
                    if *step != shared {
                        *step = shared;
                        changed = true;
                    }
                }
                group.step = shared;
            }
            if !changed {
                break;
            }
        }
    }
}
