//! Faults of machines in a network that is stepped: what a plant does with them.

use pollux::fault::{Course, Defect, Fault, ProcessEffect, ProcessFaults};
use pollux::network::{Adjustment, Blueprint, Feed, Network, State, Target, Workspace};
use pollux::value::Timestamp;

use super::{Sim, machine};

const SECOND: u64 = 1_000_000_000;

/// A sine, and a machine whose input follows it.
fn sine() -> Sim {
    let shown = Feed::Output { machine: 0, output: 0, scale: 1.0, offset: 0.0, delayed: false };
    let machines = vec![machine("S", "Sine").with("period", 10.0), machine("V", "Trip").fed("value", shown)];
    Sim::new(Blueprint { machines, ..Blueprint::default() }, 1)
}

fn faults(list: &[(Target, ProcessEffect, Course)]) -> ProcessFaults {
    let list: Vec<Fault> = (0..)
        .zip(list)
        .map(|(number, (target, effect, course))| Fault {
            id: format!("F-{number}"),
            defect: Defect::Process { target: *target, effect: *effect },
            course: *course,
        })
        .collect();
    let mut faults = ProcessFaults::default();
    faults.set(&list);
    faults
}

fn adjust(network: &Network, now: &mut State, work: &mut Workspace, adjustments: &[Adjustment]) {
    now.adjust(network, adjustments);
    network.refresh(now, work);
}

/// What a plant does when a look is due.
fn look(sim: &mut Sim, faults: &mut ProcessFaults) {
    let Sim { network, work, now } = sim;
    let time = Timestamp(now.time() as i64);
    let adjustments = faults.look(time, &mut |before, target| {
        let Target::Input { machine, input } = target else { return f64::NAN };
        adjust(network, now, work, before);
        now.inputs(network, machine)[input]
    });
    adjust(network, now, work, &adjustments);
}

/// Steps to a time and looks whenever that is due, and every so often besides.
fn run(sim: &mut Sim, faults: &mut ProcessFaults, until: u64, besides: u64) {
    look(sim, faults);
    while sim.now.time() < until {
        let due = faults.next_look(Timestamp(sim.now.time() as i64)).map_or(u64::MAX, |due| due.0 as u64);
        let next = due.min(sim.now.time().saturating_add(besides)).min(until);
        sim.network.advance(&mut sim.now, next, &mut sim.work);
        look(sim, faults);
    }
}

#[test]
fn a_parameter_goes_to_its_value_in_a_straight_line_within_its_bounds() {
    let mut sim = Sim::new(Blueprint { machines: vec![machine("T", "Tank")], ..Blueprint::default() }, 1);
    let discharge = sim.network.description(0).parameter("discharge").expect("a coefficient");
    let (low, _) = sim.network.description(0).parameters[discharge].bounds;
    assert_eq!((sim.now.parameters(&sim.network, 0)[discharge], low), (0.62, 0.1));
    let target = Target::Parameter { machine: 0, parameter: discharge };
    let course = Course { ramp: 10 * SECOND, ..Course::since(Timestamp(5 * SECOND as i64)) };
    let mut faults = faults(&[(target, ProcessEffect::Set { to: 0.22 }, course)]);
    for (secs, wanted) in [(5, 0.62), (10, 0.42), (14, 0.26), (15, 0.22), (20, 0.22)] {
        run(&mut sim, &mut faults, secs * SECOND, u64::MAX);
        let found = sim.now.parameters(&sim.network, 0)[discharge];
        assert!((found - wanted).abs() < 1e-12, "{found} after {secs} s");
    }
    faults.set(&[]);
    look(&mut sim, &mut faults);
    assert_eq!(sim.now.parameters(&sim.network, 0)[discharge], 0.62, "what is cleared leaves nothing behind");
}

#[test]
fn a_stuck_input_keeps_what_it_had_with_the_faults_before_it() {
    let mut sim = sine();
    let value = sim.network.description(1).input("value").expect("an input");
    let target = Target::Input { machine: 1, input: value };
    let add = (target, ProcessEffect::Add { by: 10.0 }, Course::default());
    let stuck = (target, ProcessEffect::Stuck {}, Course::since(Timestamp(3 * SECOND as i64)));
    let scale = (target, ProcessEffect::Scale { by: 2.0 }, Course::default());
    let mut faults = faults(&[add, stuck, scale]);
    run(&mut sim, &mut faults, 3 * SECOND, u64::MAX);
    let onset = sim.out("S", "value");
    run(&mut sim, &mut faults, 7 * SECOND, u64::MAX);
    assert!((sim.out("S", "value") - onset).abs() > 0.1, "the sine went on");
    assert_eq!(sim.now.inputs(&sim.network, 1)[value], 2.0 * (onset + 10.0));
    faults.set(&[]);
    look(&mut sim, &mut faults);
    assert_eq!(sim.now.inputs(&sim.network, 1)[value], sim.out("S", "value"));
}

#[test]
fn who_looks_in_between_changes_no_bit() {
    let (mut one, mut other) = (sine(), sine());
    let target = Target::Input { machine: 1, input: 0 };
    let ramp = Course { ramp: 4 * SECOND, duration: Some(6 * SECOND), ..Course::since(Timestamp(2 * SECOND as i64)) };
    let list = [
        (target, ProcessEffect::Oscillate { amplitude: 2.0, period: 3.0 }, ramp),
        (target, ProcessEffect::Scale { by: 3.0 }, ramp),
    ];
    run(&mut one, &mut faults(&list), 10 * SECOND, u64::MAX);
    run(&mut other, &mut faults(&list), 10 * SECOND, 7_000_000);
    assert_eq!(one.hash(), other.hash());
}
