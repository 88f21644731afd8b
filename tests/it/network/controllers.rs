//! Controllers and generators in networks: loops hold what they shall hold, sequences and trips do what they were told.

use pollux::network::{Adjustment, Blueprint, Effect, Feed, Machine, Target};

use super::lines::output;
use super::{Sim, machine, water};

fn alone(machines: Vec<Machine>) -> Sim {
    Sim::new(Blueprint { machines, ..Blueprint::default() }, 3)
}

fn set(sim: &mut Sim, id: &str, input: &str, value: f64) {
    let machine = sim.network.machine(id).expect("a machine");
    let input = sim.network.description(machine).input(input).expect("an input");
    let target = Target::Input { machine, input };
    sim.now.adjust(&sim.network, &[Adjustment { target, effect: Effect::Set(value) }]);
    sim.network.refresh(&mut sim.now, &mut sim.work);
}

/// Water from a high tank through a valve into a low one; a controller sets the valve by its own flow.
fn flow_loop() -> Sim {
    let mut machines = vec![
        machine("A", "Tank").with("area", 100.0).with("elevation", 10.0),
        machine("V", "ControlValve").with("rangeability", 1.0).with("start", 0.2),
        machine("B", "Tank").with("area", 100.0),
        machine("FIC", "Pid").with("gain", 200.0).with("integral_time", 2.0).with("start", 0.2),
    ];
    machines[1].inputs[0] = output(&machines, "FIC", "output");
    let flow = output(&machines, "V", "flow");
    machines[3] = machines[3].clone().fed("measurement", flow).fed("set_point", Feed::Constant(1.5e-3));
    let ties = vec![water((0, "outlet"), (1, "inlet")), water((1, "outlet"), (2, "inlet"))];
    Sim::new(Blueprint { machines, ties, outside: vec![] }, 1)
}

#[test]
fn a_flow_is_held_by_the_valve_through_which_it_goes() {
    let mut sim = flow_loop();
    sim.run(120.0);
    assert!((sim.out("V", "flow") / 1.5e-3 - 1.0).abs() < 1e-3, "{}", sim.out("V", "flow"));
    assert!((sim.out("FIC", "output") - sim.out("V", "position")).abs() < 0.01);
    // By hand, then back: the valve does not jump.
    set(&mut sim, "FIC", "automatic", 0.0);
    let held = sim.out("FIC", "output");
    sim.run(30.0);
    assert_eq!((sim.out("FIC", "output"), sim.out("FIC", "mode")), (held, 0.0));
    set(&mut sim, "FIC", "automatic", 1.0);
    sim.run(0.1);
    assert!((sim.out("FIC", "output") - held).abs() < 0.005 && sim.out("FIC", "mode") == 1.0);
}

#[test]
fn a_set_point_out_of_reach_winds_nothing_up() {
    let mut sim = flow_loop();
    sim.run(60.0);
    set(&mut sim, "FIC", "set_point", 1.0);
    sim.run(600.0);
    assert_eq!((sim.out("FIC", "output"), sim.out("FIC", "limited")), (1.0, 1.0));
    set(&mut sim, "FIC", "set_point", 1.5e-3);
    sim.run(1.0);
    assert!(sim.out("FIC", "output") < 0.95, "{}", sim.out("FIC", "output"));
    sim.run(120.0);
    assert!((sim.out("V", "flow") / 1.5e-3 - 1.0).abs() < 1e-3);
}

#[test]
fn a_switch_keeps_its_band_and_its_least_times() {
    let mut machines = vec![
        machine("T", "Sine").with("amplitude", 5.0).with("period", 40.0).with("mean", 20.0),
        machine("TC", "OnOff").with("band", 2.0),
        machine("SLOW", "OnOff").with("band", 2.0).with("least_on", 45.0).with("least_off", 45.0),
    ];
    let value = output(&machines, "T", "value");
    for at in [1, 2] {
        machines[at] = machines[at].clone().fed("measurement", value.clone()).fed("set_point", Feed::Constant(20.0));
    }
    let mut sim = alone(machines);
    // On below 19, which a sine of 5 about 20 reaches 1.28 s after half its period; off above 21, 1.28 s after the whole.
    sim.run(21.0);
    assert_eq!(sim.out("TC", "on"), 0.0);
    sim.run(0.6);
    assert_eq!((sim.out("TC", "on"), sim.out("SLOW", "on")), (1.0, 1.0));
    sim.run(19.4);
    assert_eq!(sim.out("TC", "on"), 1.0);
    sim.run(0.6);
    assert_eq!((sim.out("TC", "on"), sim.out("SLOW", "on")), (0.0, 1.0));
    sim.run(400.0 - 41.6);
    assert_eq!(sim.out("TC", "switched"), 19.0, "twice in each period but at its end");
    assert!(sim.out("SLOW", "switched") <= 9.0, "{}", sim.out("SLOW", "switched"));
}

#[test]
fn a_sequence_passes_its_steps_by_time_by_a_signal_and_by_a_button() {
    let mut sequencer = machine("SEQ", "Sequencer").fed("signal", Feed::Constant(0.0));
    sequencer.tables[0] = [
        [5.0, 1.0, 0.5, 0.0, 0.0, 0.0],
        [2.0, 2.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 3.0, 0.0, 0.0, 0.0, 2.0],
        [3.0, 4.0, 0.0, 0.0, 9.0, 0.0],
    ]
    .concat();
    let mut sim = alone(vec![sequencer]);
    let seen = |sim: &Sim| (sim.out("SEQ", "step"), sim.out("SEQ", "out1"));
    assert_eq!((seen(&sim), sim.out("SEQ", "out2")), ((1.0, 1.0), 0.5));
    sim.run(4.9);
    assert_eq!(seen(&sim).0, 1.0);
    sim.run(0.1);
    assert_eq!(seen(&sim), (2.0, 2.0));
    sim.run(60.0);
    assert_eq!(seen(&sim).0, 2.0, "it waits for the signal");
    set(&mut sim, "SEQ", "signal", 1.0);
    sim.run(10.0);
    assert_eq!(seen(&sim).0, 3.0, "a button that is held passes one step");
    set(&mut sim, "SEQ", "signal", 0.0);
    sim.run(1.0);
    set(&mut sim, "SEQ", "signal", 1.0);
    sim.run(0.2);
    assert_eq!((seen(&sim), sim.out("SEQ", "out4")), ((4.0, 4.0), 9.0));
    sim.run(3.0);
    assert_eq!((seen(&sim).0, sim.out("SEQ", "rounds")), (1.0, 1.0));
    set(&mut sim, "SEQ", "run", 0.0);
    sim.run(20.0);
    assert_eq!(seen(&sim).0, 1.0);
}

#[test]
fn a_trip_waits_for_its_delay_and_stays_until_it_is_reset_after_the_value_came_back() {
    let mut sim = alone(vec![
        machine("TRIP", "Trip")
            .with("high", 80.0)
            .with("delay", 2.0)
            .with("dead_band", 5.0)
            .fed("value", Feed::Constant(20.0)),
    ]);
    let tripped = |sim: &Sim| (sim.out("TRIP", "tripped"), sim.out("TRIP", "permit"));
    set(&mut sim, "TRIP", "value", 90.0);
    sim.run(1.9);
    assert_eq!((tripped(&sim), sim.out("TRIP", "beyond")), ((0.0, 1.0), 1.0));
    set(&mut sim, "TRIP", "value", 20.0);
    sim.run(1.0);
    set(&mut sim, "TRIP", "value", 90.0);
    sim.run(2.2);
    assert_eq!(tripped(&sim), (1.0, 0.0));
    set(&mut sim, "TRIP", "value", 20.0);
    sim.run(60.0);
    assert_eq!(tripped(&sim), (1.0, 0.0), "it latches");
    set(&mut sim, "TRIP", "reset", 1.0);
    sim.run(0.2);
    assert_eq!(tripped(&sim), (0.0, 1.0));
}

#[test]
fn a_reset_that_is_held_down_does_not_let_go_of_what_trips_again() {
    let pulse = machine("V", "Pulse").with("low", 20.0).with("high", 90.0).with("begin", 5.0);
    let mut machines = vec![
        pulse.with("width", 5.0).with("period", 20.0),
        machine("TRIP", "Trip").with("high", 80.0).fed("reset", Feed::Constant(1.0)),
    ];
    let value = output(&machines, "V", "value");
    machines[1] = machines[1].clone().fed("value", value);
    let mut sim = alone(machines);
    sim.run(19.0);
    assert_eq!((sim.out("TRIP", "tripped"), sim.out("TRIP", "trips")), (1.0, 1.0));
}

#[test]
fn schedules_and_steps_follow_their_tables() {
    let mut day = machine("DAY", "Schedule").with("start", 5.0 * 3600.0);
    day.tables[0] = vec![6.0 * 3600.0, 1.0, 22.0 * 3600.0, 0.0];
    let mut steps = machine("STEPS", "Steps");
    steps.tables[0] = vec![10.0, 3.0, 20.0, 4.0];
    let mut sim = alone(vec![day, steps]);
    let seen = |sim: &Sim| (sim.out("DAY", "value"), sim.out("STEPS", "value"));
    assert_eq!(seen(&sim), (0.0, 0.0));
    sim.run(15.0);
    assert_eq!(seen(&sim), (0.0, 3.0));
    sim.run(3585.0);
    assert_eq!(seen(&sim), (1.0, 4.0));
    sim.run(16.0 * 3600.0);
    assert_eq!(sim.out("DAY", "value"), 0.0);
    sim.run(8.0 * 3600.0);
    assert_eq!(sim.out("DAY", "value"), 1.0);
}

#[test]
fn noise_differs_from_seed_to_seed_and_from_machine_to_machine() {
    let value = |seed: u64| {
        let machines = vec![machine("N-1", "RandomWalk"), machine("N-2", "RandomWalk")];
        let mut sim = Sim::new(Blueprint { machines, ..Blueprint::default() }, seed);
        sim.run(10.0);
        (sim.out("N-1", "value"), sim.out("N-2", "value"))
    };
    assert_eq!(value(1), value(1));
    assert!(value(1).0 != value(1).1 && value(1).0 != value(2).0);
}
