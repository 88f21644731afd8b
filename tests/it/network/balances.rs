//! What is made or lost is found, and where.

use pollux::model::{Account, Carriage, Description, Given, Law, Model, Plumbing, StateMut, StateRef};
use pollux::network::{Blueprint, Machine};

use super::{Sim, machine, named, water};

/// A tank that loses a hundred millionth of its contents in each step, and nobody is told.
#[derive(Debug)]
struct Leaky;

impl Model for Leaky {
    fn description(&self) -> &'static Description {
        named("Tank").description()
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        named("Tank").begin(given, state);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        named("Tank").outputs(given, state, out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        named("Tank").step(given, dt, state);
        state.numbers[0] *= 1.0 - 1e-8;
    }

    fn law(&self, passage: usize, at: &Plumbing<'_>) -> Law {
        named("Tank").law(passage, at)
    }

    fn carriage(&self, passage: usize, at: &Plumbing<'_>) -> Carriage {
        named("Tank").carriage(passage, at)
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        named("Tank").account(given, state)
    }
}

/// A lake beside two pairs of tanks that run into each other; one tank of the second pair is leaky.
fn shore() -> Sim {
    let low = |id: &str| machine(id, "Tank").with("start_level", 0.2).with("inlet_height", 0.0);
    let machines = vec![
        machine("LAKE", "Tank").with("area", 1e6),
        machine("A-1", "Tank"),
        low("A-2"),
        Machine::new("B-1", &Leaky),
        low("B-2"),
        machine("VA", "ControlValve").with("start", 1.0),
        machine("VB", "ControlValve").with("start", 1.0),
    ];
    let ties = vec![
        water((1, "outlet"), (5, "inlet")),
        water((5, "outlet"), (2, "inlet")),
        water((3, "outlet"), (6, "inlet")),
        water((6, "outlet"), (4, "inlet")),
    ];
    Sim::new(Blueprint { machines, ties, outside: vec![] }, 1)
}

#[test]
fn a_loss_on_one_island_is_found_there_though_the_whole_hides_it() {
    let mut sim = shore();
    assert_eq!(sim.network.islands(), [vec![0], vec![1, 2, 5], vec![3, 4, 6]]);
    let (whole, islands) = (sim.network.balance(&sim.now), sim.network.balances(&sim.now));
    assert!(sim.network.unbalanced(&islands, &sim.now).is_empty());
    sim.run(3.0);
    assert_eq!(sim.network.unbalanced(&islands, &sim.now), [2]);
    assert!(sim.network.balance(&sim.now).is_kept(&whole), "{:?}", sim.network.balance(&sim.now).drift(&whole));
    // Between two steps flows are under way: nothing is said.
    sim.run(0.05);
    assert!(sim.network.unbalanced(&islands, &sim.now).is_empty());
    // A new beginning is without fault until something is lost again.
    sim.run(0.05);
    let islands = sim.network.balances(&sim.now);
    assert!(sim.network.unbalanced(&islands, &sim.now).is_empty());
    sim.run(1.0);
    assert_eq!(sim.network.unbalanced(&islands, &sim.now), [2]);
}

#[test]
fn islands_without_fault_are_in_balance_for_a_day_of_trickles() {
    let kept = shore().network.subset(&[0, 1, 2, 5]);
    let mut sim = Sim::new(kept.blueprint, 1);
    let begin = sim.network.balances(&sim.now);
    for hour in 1..=24 {
        sim.run(3600.0);
        assert!(sim.network.unbalanced(&begin, &sim.now).is_empty(), "hour {hour}");
    }
}
