//! Tanks, pumps and valves that are tied: figures of textbooks, flows that turn round, balances.

use pollux::network::{Blueprint, Feed};

use super::{Sim, machine, water};

/// T-1 -> P -> V -> T-2 -> RV -> T-1: pumped up, runs back.
pub(super) fn loop_of_four(seed: u64) -> Sim {
    let ring = Blueprint {
        machines: vec![
            machine("T-1", "Tank").with("area", 2.0).with("start_level", 1.5).with("start_temperature", 15.0),
            machine("P", "CentrifugalPump")
                .with("rated_flow", 10.0 / 3600.0)
                .with("rated_head", 20.0)
                .with("shutoff_head", 26.0),
            machine("V", "ControlValve").with("kv", 12.0),
            machine("T-2", "Tank").with("elevation", 8.0).with("start_temperature", 40.0).with("heat_loss", 30.0),
            machine("RV", "ControlValve").with("kv", 9.0).with("start", 0.6),
        ],
        ties: vec![
            water((0, "outlet"), (1, "inlet")),
            water((1, "outlet"), (2, "inlet")),
            water((2, "outlet"), (3, "inlet")),
            water((3, "outlet"), (4, "inlet")),
            water((4, "outlet"), (0, "inlet")),
        ],
        outside: vec![],
    };
    let mut ring = ring;
    ring.machines[2].inputs[0] = Feed::Constant(0.8);
    ring.machines[4].inputs[0] = Feed::Constant(0.7);
    Sim::new(ring, seed)
}

#[test]
fn a_tank_empties_through_a_hole_as_torricelli_says() {
    // Sheet 1.5: 1 m², a hole of 50 mm, C_d 0.62: 2 m to 1 m in 153.659 s, at first 7.62451 l/s.
    let hole = std::f64::consts::FRAC_PI_4 * 0.05 * 0.05;
    let tank = machine("T", "Tank").with("start_level", 2.0).with("leak", hole);
    let mut sim = Sim::new(Blueprint { machines: vec![tank], ..Blueprint::default() }, 1);
    let first = sim.out("T", "leakage");
    assert!((first / 7.624_51e-3 - 1.0).abs() < 1e-3, "{first}");
    sim.run(153.6);
    let (before, level) = (sim.out("T", "level"), 1.0);
    sim.run(0.1);
    let after = sim.out("T", "level");
    let crossing = 153.6 + 0.1 * (before - level) / (before - after);
    let exact = 1.0 / (0.62 * hole) * (2.0 / 9.806_65_f64).sqrt() * (2f64.sqrt() - 1.0);
    assert!((exact / 153.659 - 1.0).abs() < 3e-6 && (crossing / exact - 1.0).abs() < 1e-6, "1 m after {crossing} s");
    // Torricelli's end: 2 m to nothing in 524.624 s. A film stays, and what limits the last step.
    sim.run(524.624 - 153.7);
    assert!(sim.out("T", "level") < 1e-3, "{}", sim.out("T", "level"));
}

#[test]
fn a_pump_works_where_its_curve_meets_that_of_its_pipes() {
    // Sheet 1.3: H_st 10 m, b 22 / 100² at n = 1, 0.9, 0.8, 0.7. The valve is the b: Kv that takes 22 m at 100 m³/h.
    let drop = 22.0 * 998.2 * 9.806_65;
    let kv = 100.0 / (drop / 1e5 / (998.2 / 999.0_f64)).sqrt();
    for (ratio, flow, head) in [(1.0, 100.0, 32.0), (0.9, 86.410, 26.427), (0.8, 72.111, 21.440), (0.7, 56.569, 17.040)]
    {
        let rated = 303.687_289_847_013_7;
        let blueprint = Blueprint {
            machines: vec![
                machine("A", "Tank")
                    .with("area", 1e6)
                    .with("start_level", 5.0)
                    .with("height", 50.0)
                    .with("inlet_height", 0.0),
                machine("P", "CentrifugalPump").fed("speed", Feed::Constant(ratio * rated)),
                machine("V", "ControlValve")
                    .with("kv", kv)
                    .with("rangeability", 1.0)
                    .fed("command", Feed::Constant(1.0))
                    .with("start", 1.0),
                machine("B", "Tank")
                    .with("area", 1e6)
                    .with("start_level", 0.0)
                    .with("height", 50.0)
                    .with("elevation", 15.0)
                    .with("inlet_height", 0.0),
            ],
            ties: vec![
                water((0, "outlet"), (1, "inlet")),
                water((1, "outlet"), (2, "inlet")),
                water((2, "outlet"), (3, "inlet")),
            ],
            outside: vec![],
        };
        let mut sim = Sim::new(blueprint, 1);
        sim.run(60.0);
        let (found, lifted) = (sim.out("P", "flow") * 3600.0, sim.out("P", "head"));
        // The sheet gives five digits; what tanks take at their nozzles is 1e-5 of the head.
        assert!((found / flow - 1.0).abs() < 3e-5, "n {ratio}: {found} m³/h");
        assert!((lifted / head - 1.0).abs() < 3e-5, "n {ratio}: {lifted} m");
        if ratio == 1.0 {
            let power = sim.out("P", "shaft_power") - 50.0;
            assert!((power / 11_601.8 - 1.0).abs() < 1e-4 * 20.0, "{power} W");
        }
    }
}

#[test]
fn closing_a_valve_anywhere_acts_everywhere() {
    let mut sim = loop_of_four(1);
    sim.run(120.0);
    let (flow, pressure) = (sim.out("P", "flow"), sim.out("P", "discharge_pressure"));
    assert!(flow > 1e-3, "{flow}");
    let valve = sim.network.machine("V").expect("a valve");
    let shut = pollux::network::Adjustment {
        target: pollux::network::Target::Input { machine: valve, input: 0 },
        effect: pollux::network::Effect::Set(0.0),
    };
    sim.now.adjust(&sim.network, &[shut]);
    sim.run(60.0);
    assert!(sim.out("P", "flow") < 1e-9 && sim.out("P", "discharge_pressure") > pressure + 2e4);
    assert!(sim.out("T-2", "level") < sim.out("T-1", "level"), "the upper tank runs empty");
}

#[test]
fn water_and_heat_are_neither_made_nor_lost_in_a_day() {
    let mut sim = loop_of_four(3);
    let begin = sim.network.balance(&sim.now);
    for _ in 0..24 {
        sim.run(3600.0);
        let (volume, heat, _) = sim.network.balance(&sim.now).drift(&begin);
        assert!(volume < 1e-12 && heat < 1e-9, "after {} h: {volume:e}, {heat:e}", sim.now.secs() / 3600.0);
        assert!(sim.now.is_solved());
    }
    assert!(sim.out("T-2", "temperature") < 40.0 && sim.out("P", "temperature") > 10.0);
}

#[test]
fn a_stopped_pump_lets_nothing_back_unless_its_check_valve_is_stuck() {
    let mut sim = loop_of_four(1);
    let (pump, power) = (sim.network.machine("P").expect("a pump"), 1);
    let input = pollux::network::Target::Input { machine: pump, input: power };
    let off = pollux::network::Adjustment { target: input, effect: pollux::network::Effect::Set(0.0) };
    sim.now.adjust(&sim.network, &[off]);
    sim.run(60.0);
    assert!(sim.out("P", "flow").abs() < 1e-9 && sim.out("P", "running") == 0.0);
    // The upper tank's inlet under water, and the check valve stuck open.
    let upper = sim.network.machine("T-2").expect("a tank");
    for (machine, name) in [(upper, "inlet_height"), (pump, "check_valve")] {
        let parameter = sim.network.description(machine).parameter(name).expect("a parameter");
        sim.now.set_parameter(&sim.network, machine, parameter, 0.0);
        if machine == upper {
            sim.run(1.0);
            assert!(sim.out("P", "flow").abs() < 1e-9, "the check valve holds: {}", sim.out("P", "flow"));
        }
    }
    sim.run(1.0);
    assert!(sim.out("P", "flow") < -1e-4, "the upper tank runs back through it: {}", sim.out("P", "flow"));
}
