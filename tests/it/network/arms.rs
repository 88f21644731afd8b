//! An arm in a network: what it holds, where it goes, how its wear shows.

use pollux::network::{Blueprint, Feed, Machine};

use super::{Sim, machine};

fn alone(machine: Machine) -> Sim {
    Sim::new(Blueprint { machines: vec![machine], ..Blueprint::default() }, 1)
}

fn taught(rows: &[[f64; 8]]) -> Machine {
    let mut arm = machine("R", "Robot6");
    arm.tables[0] = rows.concat();
    arm
}

/// Two points half a turn of the base apart.
fn swing() -> Machine {
    let at = |base: f64, closed: f64| [base, -1.2, 1.4, -1.7, -1.57, 0.0, 1.5, closed];
    taught(&[at(0.0, 0.0), at(1.5, 1.0)])
}

#[test]
fn an_arm_that_is_stretched_out_holds_its_own_weight() {
    // The figures are those of 9.81 m/s².
    let newer = 9.806_65 / 9.81;
    let mut arm = taught(&[[0.0; 8], [0.0; 8]]).with("tool", 0.0).fed("start", Feed::Constant(0.0));
    let bare = alone(arm.clone());
    for (output, wanted) in [("torque_2", -59.756), ("torque_3", -18.439)] {
        assert!((bare.out("R", output) - wanted * newer).abs() < 1e-3, "{output}: {}", bare.out("R", output));
    }
    for (output, wanted) in [("x", -0.8172), ("y", -0.2329), ("z", 0.0628)] {
        assert!((bare.out("R", output) - wanted).abs() < 1e-9, "{output}: {}", bare.out("R", output));
    }
    // Five kilograms at the flange, held by a closed gripper.
    arm.tables[0][7] = 1.0;
    let loaded = alone(arm.with("payload", 5.0).with("reach", 0.0));
    for (output, wanted) in [("torque_2", -99.840), ("torque_3", -37.677)] {
        assert!((loaded.out("R", output) - wanted * newer).abs() < 1e-3, "{output}: {}", loaded.out("R", output));
    }
    assert!(loaded.out("R", "load") < 1.0, "within the 150 N m of the joint");
}

#[test]
fn an_arm_goes_round_its_points_in_the_time_that_they_say() {
    let mut sim = alone(swing());
    let (mut farthest, mut closed) = (0.0, 0.0);
    let mut before = sim.out("R", "j1");
    for _ in 0..2500 {
        sim.run(0.008);
        let j1 = sim.out("R", "j1");
        assert!((j1 - before).abs() < std::f64::consts::PI * 0.0081, "no joint jumps: {before} {j1}");
        (farthest, closed, before) = (j1.max(farthest), sim.out("R", "gripper").max(closed), j1);
    }
    assert!((farthest - 1.5_f64).abs() < 1e-3 && closed == 1.0, "{farthest}");
    // 20 s at 3 s a cycle, the first of them a little longer, as it gathers pace.
    assert_eq!(sim.out("R", "cycles"), 6.0);
    // A joint that would be too fast takes longer.
    let mut slow = alone(swing().with("speed_limit", 0.5));
    slow.run(20.0);
    assert_eq!(slow.out("R", "cycles"), 1.0, "1.875 · 1.5 / 0.5 s each way");
}

#[test]
fn an_arm_waits_for_its_start_and_for_power() {
    let mut sim = alone(swing().fed("start", Feed::Constant(0.0)));
    sim.run(5.0);
    assert_eq!((sim.out("R", "phase"), sim.out("R", "cycles"), sim.out("R", "moving")), (0.0, 0.0, 0.0));
    let mut dark = alone(swing().fed("supply", Feed::Constant(0.0)));
    dark.run(5.0);
    assert_eq!((dark.out("R", "j1"), dark.out("R", "cycles")), (0.0, 0.0));
}

#[test]
fn a_worn_gear_shows_in_current_and_error_until_it_is_replaced() {
    let strongest = |sim: &mut Sim| {
        let (mut current, mut error) = (0.0_f64, 0.0_f64);
        for _ in 0..750 {
            sim.run(0.008);
            current = current.max(sim.out("R", "current_1").abs());
            error = error.max(sim.out("R", "following_error").abs());
        }
        (current, error)
    };
    let mut sim = alone(swing().with("worn_joint", 1.0));
    strongest(&mut sim);
    let (current, error) = strongest(&mut sim);
    let rate = sim.network.description(0).parameter("wear_rate").expect("a rate");
    sim.now.set_parameter(&sim.network, 0, rate, 0.1);
    sim.run(12.0);
    sim.now.set_parameter(&sim.network, 0, rate, 0.0);
    assert!((sim.out("R", "backlash") - 1e-3).abs() < 1e-9, "from 0.1 to 1 mrad");
    let (more, larger) = strongest(&mut sim);
    assert!(more > 1.2 * current && larger > 1.8 * error, "{current} {more} A, {error} {larger} rad");
    sim.repair("R", "replace_reducer");
    let (new, _) = strongest(&mut sim);
    assert!((new / current - 1.0).abs() < 0.05, "{new} A");
}

#[test]
fn an_overloaded_arm_stops_and_goes_on_when_it_is_released() {
    let mut sim = alone(swing());
    sim.run(4.0);
    let drag = sim.network.description(0).parameter("brake_drag").expect("a drag");
    let joint = sim.network.description(0).parameter("worn_joint").expect("a joint");
    sim.now.set_parameter(&sim.network, 0, joint, 1.0);
    sim.now.set_parameter(&sim.network, 0, drag, 400.0);
    sim.run(3.0);
    assert_eq!((sim.out("R", "phase"), sim.out("R", "stops")), (2.0, 1.0));
    let stands = sim.out("R", "j1");
    sim.now.set_parameter(&sim.network, 0, drag, 0.0);
    sim.run(2.0);
    assert_eq!(sim.out("R", "j1"), stands);
    sim.repair("R", "release");
    sim.run(2.0);
    assert!(sim.out("R", "phase") == 1.0 && sim.out("R", "j1") != stands);
}
