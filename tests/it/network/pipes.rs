//! Pipes, mains, consumers and valves that are tied: the sheet's figures, pressure that is short, holes, delays.

use pollux::network::{Adjustment, Blueprint, Effect, Feed, Target};

use super::{Sim, machine, water};

const RHO: f64 = 998.2;
const WEIGHT: f64 = RHO * 9.806_65;

/// A mains of so many Pa without resistance, a pipe, a consumer of so many m³/s.
fn line(pressure: f64, pipe: &[(&str, f64)], demand: f64) -> Sim {
    let pipe = pipe.iter().fold(machine("PIPE", "Pipe"), |pipe, (name, value)| pipe.with(name, *value));
    let blueprint = Blueprint {
        machines: vec![
            machine("MAINS", "Mains").with("pressure_drop", 0.0).fed("pressure", Feed::Constant(pressure)),
            pipe,
            machine("TAP", "Consumer").fed("demand", Feed::Constant(demand)),
        ],
        ties: vec![water((0, "outlet"), (1, "inlet")), water((1, "outlet"), (2, "inlet"))],
        outside: vec![],
    };
    let mut sim = Sim::new(blueprint, 1);
    sim.run(1.0);
    sim
}

fn change(sim: &mut Sim, id: &str, parameter: &str, effect: Effect) {
    let machine = sim.network.machine(id).expect("a machine");
    let parameter = sim.network.description(machine).parameter(parameter).expect("a parameter");
    let target = Target::Parameter { machine, parameter };
    sim.now.adjust(&sim.network, &[Adjustment { target, effect }]);
    sim.network.refresh(&mut sim.now, &mut sim.work);
    sim.run(1.0);
}

#[test]
fn a_pipe_takes_the_sheets_pressure_and_more_with_scale() {
    // Sheet 1.5: DN100, 100 m, 10 l/s, steel, 20 °C.
    let mut sim = line(5e5, &[("length", 100.0), ("diameter", 0.1)], 0.01);
    let drop = sim.out("PIPE", "pressure_drop");
    assert!((sim.out("PIPE", "flow") / 0.01 - 1.0).abs() < 1e-4);
    assert!((sim.out("PIPE", "speed") / 1.273_24 - 1.0).abs() < 1e-4);
    assert!((sim.out("PIPE", "reynolds") / 126_817.0 - 1.0).abs() < 1e-4);
    assert!((drop / 15_857.0 - 1.0).abs() < 2e-4, "{drop} Pa");
    assert!((drop / WEIGHT / 1.619_9 - 1.0).abs() < 2e-4);
    change(&mut sim, "PIPE", "scale", Effect::Set(0.05));
    let more = sim.out("PIPE", "pressure_drop") / drop - 1.0;
    assert!((more - 0.29).abs() < 0.01, "{more}");
}

#[test]
fn a_pipe_tells_how_hard_a_stop_would_strike() {
    // Sheet 1.5: DN100, 3.6 mm of steel: 1294.7 m/s; 10 l/s have 1.27324 m/s.
    let sim = line(5e5, &[("length", 100.0), ("diameter", 0.1)], 0.01);
    assert!((sim.out("PIPE", "wave_speed") / 1294.7 - 1.0).abs() < 1e-4);
    assert!((sim.out("PIPE", "surge") / (RHO * 1294.7 * 1.273_24) - 1.0).abs() < 1e-3);
    let soft = line(5e5, &[("length", 100.0), ("diameter", 0.1), ("modulus", 3e9)], 0.01);
    assert!(soft.out("PIPE", "surge") < 0.3 * sim.out("PIPE", "surge"), "a pipe of PVC gives way");
}

/// A valve between two mains with so much resistance on each side, as K_v.
fn throttled(before: f64, after: f64, recovery: f64, behind: f64) -> Sim {
    let sink = machine("B", "Mains").with("pressure_drop", 0.0).with("check_valve", 0.0);
    let rest = |id: &str, kv: f64| {
        machine(id, "ControlValve").with("kv", kv).with("recovery", 1.0).with("rangeability", 1.0).with("start", 1.0)
    };
    let blueprint = Blueprint {
        machines: vec![
            machine("A", "Mains").with("pressure_drop", 0.0).fed("pressure", Feed::Constant(1e6)),
            rest("R", before).fed("command", Feed::Constant(1.0)),
            machine("V", "ControlValve")
                .with("recovery", recovery)
                .with("start", 1.0)
                .fed("command", Feed::Constant(1.0)),
            rest("S", after).fed("command", Feed::Constant(1.0)),
            sink.fed("pressure", Feed::Constant(behind)),
        ],
        ties: vec![
            water((0, "outlet"), (1, "inlet")),
            water((1, "outlet"), (2, "inlet")),
            water((2, "outlet"), (3, "inlet")),
            water((3, "outlet"), (4, "outlet")),
        ],
        outside: vec![],
    };
    let mut sim = Sim::new(blueprint, 1);
    sim.run(30.0);
    sim
}

#[test]
fn a_valve_in_which_water_boils_passes_no_more_whatever_draws_behind_it() {
    // F_L² (p_1 - F_F p_v), in bar, for water of 20 °C at 11.01 bar.
    let counts = |recovery: f64, before: f64| recovery * recovery * (before + 1.013_25 - 0.957_121 * 0.023_39);
    let flow = |sim: &Sim| sim.out("V", "flow") * 3600.0;
    let (choked, more) = (throttled(1e5, 1e5, 0.6, 3e5), throttled(1e5, 1e5, 0.6, 0.0));
    let wanted = 10.0 * (counts(0.6, 10.0) / (RHO / 999.0)).sqrt();
    for sim in [&choked, &more] {
        assert!((flow(sim) / wanted - 1.0).abs() < 1e-4, "{} not {wanted} m³/h", flow(sim));
        assert_eq!(sim.out("V", "choked"), 1.0);
    }
    assert!(more.out("V", "cavitation") > choked.out("V", "cavitation"));
    let free = throttled(1e5, 1e5, 0.9, 3e5);
    let wanted = 10.0 * f64::sqrt(7.0 / (RHO / 999.0));
    assert!((flow(&free) / wanted - 1.0).abs() < 1e-4 && free.out("V", "choked") == 0.0, "{}", flow(&free));
    // Where pressures follow the flow it settles, and does not swing.
    for (before, after) in [(10.0, 100.0), (15.0, 20.0), (30.0, 1e3)] {
        let mut sim = throttled(before, after, 0.5, 0.0);
        let inlet = 10.0 - RHO / 999.0 * (flow(&sim) / before) * (flow(&sim) / before);
        let wanted = 10.0 * (counts(0.5, inlet).min(sim.out("V", "pressure_drop") / 1e5) / (RHO / 999.0)).sqrt();
        assert!((flow(&sim) / wanted - 1.0).abs() < 1e-3, "{before} {after}: {} not {wanted}", flow(&sim));
        let settled = flow(&sim);
        sim.run(0.1);
        assert!((flow(&sim) / settled - 1.0).abs() < 1e-6);
    }
}

#[test]
fn a_consumer_gets_its_demand_or_what_the_pressure_allows() {
    for (pressure, share) in [(3e5, 1.0), (1e5, 1.0), (2.5e4, 0.5), (0.0, 0.0)] {
        let sim = line(pressure, &[("length", 0.1), ("diameter", 0.5)], 1e-3);
        let found = sim.out("TAP", "flow") / 1e-3;
        assert!((found - share).abs() < 1e-3, "{pressure} Pa: {found}");
        assert!((sim.out("TAP", "shortage") - (1.0 - share)).abs() < 1e-3);
    }
}

#[test]
fn a_hole_in_a_pipe_lets_out_what_torricelli_says() {
    let mut sim = line(4e5, &[("length", 0.1), ("diameter", 0.5)], 0.0);
    assert_eq!(sim.out("PIPE", "leakage"), 0.0);
    change(&mut sim, "PIPE", "leak", Effect::Set(1e-4));
    let wanted = 0.62 * 1e-4 * (2.0 * 4e5 / RHO).sqrt();
    let found = sim.out("PIPE", "leakage");
    assert!((found / wanted - 1.0).abs() < 1e-3, "{found}, not {wanted}");
    change(&mut sim, "PIPE", "leak", Effect::Set(0.0));
    assert_eq!(sim.out("PIPE", "leakage"), 0.0);
}

#[test]
fn height_is_seen_by_gauges_and_presses_through_holes() {
    let sim = line(4e5, &[("length", 0.1), ("diameter", 0.5), ("rise", 10.0)], 1e-3);
    let fall = sim.out("PIPE", "inlet_pressure") - sim.out("PIPE", "outlet_pressure");
    assert!((fall / (10.0 * WEIGHT) - 1.0).abs() < 1e-3, "{fall}");
    let hole = &[("length", 0.1), ("diameter", 0.5), ("rise", 10.0), ("leak", 1e-4)];
    let found = line(4e5, hole, 0.0).out("PIPE", "leakage");
    let wanted = 0.62 * 1e-4 * (2.0 * (4e5 - 10.0 * WEIGHT) / RHO).sqrt();
    assert!((found / wanted - 1.0).abs() < 1e-3, "{found}, not {wanted}");
}

#[test]
fn a_pipe_delays_warmth_and_loses_some_of_it() {
    // 20 litres, 0.5 l/s: 63 % of a change after 40 s.
    let area = std::f64::consts::FRAC_PI_4 * 0.05 * 0.05;
    let pipe = [("length", 0.02 / area), ("diameter", 0.05), ("heat_loss", 20.0)];
    let mut sim = line(5e5, &pipe, 5e-4);
    let input = sim.network.description(0).input("temperature").expect("an input");
    let hot = Adjustment { target: Target::Input { machine: 0, input }, effect: Effect::Set(80.0) };
    sim.run(400.0);
    let before = sim.out("PIPE", "temperature");
    sim.now.adjust(&sim.network, &[hot]);
    sim.run(40.2);
    let risen = (sim.out("PIPE", "temperature") - before) / (80.0 - before);
    assert!((risen - 0.632).abs() < 0.01, "{risen}");
    sim.run(800.0);
    // C (T_in - T) = UA (T - T_a).
    let carried = RHO * 4180.0 * 5e-4;
    let wanted = (carried * 80.0 + 20.0 * 20.0) / (carried + 20.0);
    let found = sim.out("PIPE", "temperature");
    assert!((found - wanted).abs() < 0.01, "{found}, not {wanted}");
}

#[test]
fn a_valve_half_open_passes_what_its_authority_leaves() {
    // Sheet 1.4, R 50: with half of the pressure across the valve 0.198030 of the full flow, with a quarter 0.274721.
    for (authority, wanted) in [(0.5, 0.198_030), (0.25, 0.274_721)] {
        let rest = 10.0 * f64::sqrt(authority / (1.0 - authority));
        let flow = |position: f64| {
            let sink = machine("B", "Mains").with("pressure_drop", 0.0).with("check_valve", 0.0);
            let blueprint = Blueprint {
                machines: vec![
                    machine("A", "Mains").with("pressure_drop", 0.0),
                    machine("V", "ControlValve").with("start", position).fed("command", Feed::Constant(position)),
                    machine("R", "ControlValve").with("kv", rest).with("rangeability", 1.0).with("start", 1.0),
                    sink.fed("pressure", Feed::Constant(0.0)),
                ],
                ties: vec![
                    water((0, "outlet"), (1, "inlet")),
                    water((1, "outlet"), (2, "inlet")),
                    water((2, "outlet"), (3, "outlet")),
                ],
                outside: vec![],
            };
            Sim::new(blueprint, 1).out("V", "flow")
        };
        let found = flow(0.5) / flow(1.0);
        assert!((found / wanted - 1.0).abs() < 1e-4, "{authority}: {found}");
    }
}

#[test]
fn what_only_passes_through_is_balanced_by_what_passed() {
    let mut sim = line(4e5, &[("length", 1.0)], 1e-3);
    let begin = sim.network.balance(&sim.now);
    sim.run(600.0);
    let now = sim.network.balance(&sim.now);
    let (volume, heat, _) = now.drift(&begin);
    assert!(volume < 1e-12 && heat < 1e-9, "{volume:e} {heat:e}");
    assert!((now.volume_size / (2.0 * 0.601) - 1.0).abs() < 0.01, "{}", now.volume_size);
}
