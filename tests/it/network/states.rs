//! A state is a value: it is stored, forked, broken and written, and goes on with the same bits.

use pollux::network::{Adjustment, Blueprint, Effect, Feed, Function, Network, State, StoreError, Target};

use super::liquids::loop_of_four;
use super::queues::line;
use super::{Sim, machine};

fn steps(sim: &mut Sim, secs: f64) -> u128 {
    sim.run(secs);
    sim.hash()
}

#[test]
fn equal_seeds_give_equal_bits_and_others_do_not() {
    assert_eq!(steps(&mut line(0.9, 2.0, 1.5, 7), 500.0), steps(&mut line(0.9, 2.0, 1.5, 7), 500.0));
    assert_ne!(steps(&mut line(0.9, 2.0, 1.5, 7), 500.0), steps(&mut line(0.9, 2.0, 1.5, 8), 500.0));
    assert_eq!(steps(&mut loop_of_four(7), 500.0), steps(&mut loop_of_four(7), 500.0));
}

#[test]
fn what_is_stored_at_any_time_goes_on_with_the_same_bits() {
    for (name, mut sim) in [("liquids", loop_of_four(2)), ("queue", line(0.9, 2.0, 1.5, 2))] {
        for pause in [0.0, 0.05, 3.3, 40.0, 0.000_000_001, 71.7] {
            sim.run(pause);
            let bytes = sim.now.to_bytes(&sim.network);
            let mut twin = State::from_bytes(&sim.network, &bytes).expect("it was stored by itself");
            assert_eq!(twin, sim.now, "{name}, stored after {pause} s");
            let until = sim.now.time() + 20_000_000_000;
            sim.network.advance(&mut twin, until, &mut sim.network.workspace());
            sim.run(20.0);
            assert_eq!(twin.hash(&sim.network), sim.hash(), "{name}, stored after {pause} s");
        }
    }
}

#[test]
fn a_stored_moment_of_other_machines_or_with_holes_is_refused_with_the_reason() {
    let sim = loop_of_four(2);
    let bytes = sim.now.to_bytes(&sim.network);
    for end in 0..bytes.len() {
        assert!(State::from_bytes(&sim.network, &bytes[..end]).is_err(), "cut at {end}");
    }
    let other = Network::build(Blueprint { machines: vec![machine("T-9", "Tank")], ..Blueprint::default() });
    let found = State::from_bytes(&other.expect("a tank"), &bytes);
    assert_eq!(found, Err(StoreError::Machines { machine: "T-9".into(), model: "Tank" }));
}

#[test]
fn a_moment_that_was_stored_before_items_were_counted_is_taken_up() {
    let mut sim = loop_of_four(2);
    sim.run(10.0);
    let mut bytes = sim.now.to_bytes(&sim.network);
    // Without links of items both layouts are the same but for their number.
    bytes[0] = 1;
    assert_eq!(State::from_bytes(&sim.network, &bytes), Ok(sim.now.clone()));
    bytes[0] = 3;
    assert_eq!(State::from_bytes(&sim.network, &bytes), Err(StoreError::Version { found: 3 }));
}

#[test]
fn a_fork_goes_its_own_way_and_its_origin_does_not_notice() {
    let (mut sim, mut alone) = (loop_of_four(2), loop_of_four(2));
    sim.run(30.0);
    alone.run(30.0);
    let mut branch = sim.now.clone();
    let tank = sim.network.machine("T-1").expect("a tank");
    let leak = sim.network.description(tank).parameter("leak").expect("a leak");
    let fault = Adjustment { target: Target::Parameter { machine: tank, parameter: leak }, effect: Effect::Set(1e-3) };
    branch.adjust(&sim.network, &[fault]);
    sim.network.refresh(&mut branch, &mut sim.work);
    let until = branch.time() + 60_000_000_000;
    sim.network.advance(&mut branch, until, &mut sim.work);
    sim.run(60.0);
    alone.run(60.0);
    assert_eq!(sim.hash(), alone.hash());
    let level = |now: &State| now.output(&sim.network, tank, 0);
    assert!(level(&branch) < level(&sim.now) - 0.05, "{} {}", level(&branch), level(&sim.now));
}

#[test]
fn a_fault_that_is_cleared_gives_back_the_base_and_keeps_the_damage() {
    let mut sim = loop_of_four(2);
    let pump = sim.network.machine("P").expect("a pump");
    let wear = sim.network.description(pump).parameter("impeller_wear").expect("wear");
    let before = sim.now.parameters(&sim.network, pump).to_vec();
    sim.run(30.0);
    let healthy = sim.out("P", "flow");
    let target = Target::Parameter { machine: pump, parameter: wear };
    let faults = [Effect::Add(0.1), Effect::Scale(2.0)].map(|effect| Adjustment { target, effect });
    sim.now.adjust(&sim.network, &faults);
    assert!((sim.now.parameters(&sim.network, pump)[wear] - 0.2).abs() < 1e-15, "in the order they were made");
    sim.run(30.0);
    assert!(sim.out("P", "flow") < 0.95 * healthy);
    sim.now.adjust(&sim.network, &[]);
    assert_eq!(sim.now.parameters(&sim.network, pump), before);
}

#[test]
fn a_filter_writes_a_state_within_its_bounds_and_all_follows() {
    let mut sim = loop_of_four(2);
    let tank = sim.network.machine("T-2").expect("a tank");
    assert!(sim.network.description(tank).states[0].estimated);
    sim.now.set_number(&sim.network, tank, 0, 0.25);
    sim.network.refresh(&mut sim.now, &mut sim.work);
    assert_eq!(sim.out("T-2", "volume"), 0.25);
    assert!(sim.now.is_solved());
    sim.now.set_number(&sim.network, tank, 0, -3.0);
    assert_eq!(sim.now.numbers(&sim.network, tank)[0], 0.0);
    sim.now.set_number(&sim.network, tank, 0, f64::NAN);
    assert_eq!(sim.now.numbers(&sim.network, tank)[0], 0.0);
}

#[test]
fn a_scene_that_changes_keeps_the_state_of_the_machines_that_stay() {
    let mut sim = loop_of_four(2);
    sim.run(100.0);
    let mut blueprint = sim.network.blueprint().clone();
    blueprint.machines.push(machine("T-9", "Tank"));
    blueprint.machines[0] = blueprint.machines[0].clone().with("heat_loss", 5.0);
    let changed = Network::build(blueprint).expect("it still fits");
    let mut work = changed.workspace();
    let now = changed.adopt(&sim.network, &sim.now, &[], &mut work);
    for at in 0..5 {
        assert_eq!(now.numbers(&changed, at), sim.now.numbers(&sim.network, at), "machine {at}");
    }
    assert_eq!((now.time(), now.output(&changed, 5, 0)), (sim.now.time(), 1.0));
    assert_eq!(now.parameters(&changed, 0)[7], 5.0);
}

#[test]
fn a_value_from_outside_is_followed_and_a_delayed_output_is_seen_one_instant_later() {
    let sine = |id: &str| machine(id, "Sine").with("period", 10.0);
    let shown = |delayed: bool| Feed::Output { machine: 0, output: 0, scale: 2.0, offset: 1.0, delayed };
    let blueprint = Blueprint {
        machines: vec![
            sine("S"),
            machine("NOW", "Trip").fed("value", shown(false)),
            machine("LATER", "Trip").fed("value", shown(true)),
            machine("V", "Trip").fed("value", Feed::Outside(0)),
        ],
        ties: vec![],
        outside: vec!["level".into()],
    };
    let mut sim = Sim::new(blueprint, 1);
    let read = |sim: &Sim, id: &str| {
        let at = sim.network.machine(id).expect("a machine");
        let input = sim.network.description(at).input("value").expect("an input");
        sim.now.inputs(&sim.network, at)[input]
    };
    sim.now.set_outside(0, 0.75);
    let mut before = sim.out("S", "value");
    for _ in 0..5 {
        let next = sim.network.next(&sim.now);
        sim.network.advance(&mut sim.now, next, &mut sim.work);
        assert_eq!([read(&sim, "NOW"), read(&sim, "LATER")], [sim.out("S", "value"), before].map(|x| 2.0 * x + 1.0));
        assert_eq!(read(&sim, "V"), 0.75);
        assert_ne!(before, sim.out("S", "value"));
        before = sim.out("S", "value");
    }
}

#[test]
fn a_slow_machine_follows_a_fast_one_between_its_steps() {
    let ramp = Feed::Output { machine: 0, output: 0, scale: 60.0, offset: 0.0, delayed: false };
    let double = Function { text: "2 x".into(), of: std::sync::Arc::new(|of: &[f64]| Some(2.0 * of[0])) };
    let formula = Feed::Formula { of: vec![(0, 0)], function: double, delayed: false };
    let mut slow = machine("T", "Tank").fed("ambient", ramp);
    let mut computed = machine("U", "Tank").fed("ambient", formula);
    (slow.step, computed.step) = (Some(1_000_000_000), Some(1_000_000_000));
    let machines = vec![machine("R", "Ramp"), slow.with("heat_loss", 4.19e5), computed];
    let mut sim = Sim::new(Blueprint { machines, ..Blueprint::default() }, 1);
    sim.run(0.55);
    let ramp = sim.out("R", "value");
    assert!((ramp - 0.5 / 60.0).abs() < 1e-12);
    assert_eq!(sim.now.inputs(&sim.network, 1), [60.0 * ramp]);
    assert_eq!(sim.now.inputs(&sim.network, 2), [2.0 * ramp]);
    // 1 m³ of water at 20 °C loses a tenth of the difference in a second; the air had 0.45 °C in the mean.
    sim.run(0.45);
    let lost = 20.0 - sim.out("T", "temperature");
    let wanted = (20.0 - 0.45) * (1.0 - (-0.1_f64).exp());
    assert!((lost / wanted - 1.0).abs() < 5e-3, "{lost} {wanted}");
}
