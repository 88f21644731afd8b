//! Networks of models, as every simulation steps them: what is stored, forked, broken and written goes on with the same
//! bits; nothing is made or lost; flows and queues are those of the textbook.

mod arms;
mod balances;
mod controllers;
mod convergence;
mod cooling;
mod drives;
mod faults;
mod golden;
mod heart;
mod lines;
mod liquids;
mod pipes;
mod queues;
mod random;
mod services;
mod spectra;
mod states;
mod subsets;

use pollux::model::{Fluid, Model, model};
use pollux::network::{Blueprint, Machine, Network, State, Tie, TieKind, Workspace};

fn named(name: &str) -> &'static dyn Model {
    model(name).unwrap_or_else(|| panic!("no model {name}"))
}

fn machine(id: &str, name: &str) -> Machine {
    Machine::new(id, named(name))
}

fn tie(from: (usize, &str), to: (usize, &str), kind: TieKind) -> Tie {
    Tie { from: (from.0, from.1.to_owned()), to: (to.0, to.1.to_owned()), kind }
}

fn water(from: (usize, &str), to: (usize, &str)) -> Tie {
    tie(from, to, TieKind::Fluid(Fluid::WATER))
}

fn items(from: (usize, &str), to: (usize, &str)) -> Tie {
    tie(from, to, TieKind::Items)
}

/// A network that is stepped.
struct Sim {
    network: Network,
    work: Workspace,
    now: State,
}

impl Sim {
    fn new(blueprint: Blueprint, seed: u64) -> Self {
        let network = Network::build(blueprint.clone()).unwrap_or_else(|problems| {
            panic!("{:?}", problems.iter().map(|problem| problem.describe(&blueprint)).collect::<Vec<_>>())
        });
        let mut work = network.workspace();
        let now = network.start(seed, &[], &mut work);
        Self { network, work, now }
    }

    fn run(&mut self, secs: f64) {
        let until = self.now.time() + (secs * 1e9) as u64;
        self.network.advance(&mut self.now, until, &mut self.work);
    }

    fn out(&self, id: &str, output: &str) -> f64 {
        let at = self.network.machine(id).expect("a machine");
        let number = self.network.description(at).output(output).unwrap_or_else(|| panic!("no output {output}"));
        self.now.output(&self.network, at, number)
    }

    fn hash(&self) -> u128 {
        self.now.hash(&self.network)
    }
}
