//! Heat exchangers and chillers in their networks: the sheet's figures, and balances of loops with and without a tank.

use pollux::model::Fluid;
use pollux::network::{Adjustment, Blueprint, Effect, Feed, Target, TieKind};

use super::{Sim, machine, tie, water};

const KILOGRAM: f64 = 1.0 / 998.2;

fn source(id: &str, temperature: f64) -> pollux::network::Machine {
    machine(id, "Mains").fed("temperature", Feed::Constant(temperature))
}

fn tap(id: &str, demand: f64) -> pollux::network::Machine {
    machine(id, "Consumer").fed("demand", Feed::Constant(demand))
}

fn exchanger(fouling: f64) -> Sim {
    let plates = machine("E", "HeatExchanger")
        .with("hot_rated_flow", KILOGRAM)
        .with("cold_rated_flow", KILOGRAM)
        .with("start_fouling", fouling)
        .with("fouling_limit", fouling);
    let blueprint = Blueprint {
        machines: vec![source("HOT", 80.0), source("COLD", 20.0), plates, tap("A", KILOGRAM), tap("B", KILOGRAM)],
        ties: vec![
            water((0, "outlet"), (2, "hot_inlet")),
            water((2, "hot_outlet"), (3, "inlet")),
            water((1, "outlet"), (2, "cold_inlet")),
            water((2, "cold_outlet"), (4, "inlet")),
        ],
        outside: vec![],
    };
    Sim::new(blueprint, 1)
}

#[test]
fn an_exchanger_has_the_sheets_duties_clean_and_fouled() {
    for (fouling, coefficient, duty, outlet) in
        [(0.0, 3500.0, 157_030.0, 42.433), (1e-4, 2592.6, 138_860.0, 46.780), (2e-4, 2058.8, 124_460.0, 50.225)]
    {
        let mut sim = exchanger(fouling);
        sim.run(120.0);
        let found = sim.out("E", "duty");
        assert!((found / duty - 1.0).abs() < 1e-4, "{fouling}: {found} W");
        assert!((sim.out("E", "coefficient") / coefficient - 1.0).abs() < 1e-4);
        assert!((sim.out("E", "hot_outlet") - outlet).abs() < 3e-3, "{}", sim.out("E", "hot_outlet"));
        assert!((sim.out("A", "temperature") - outlet).abs() < 3e-3);
        let given = 80.0 - sim.out("E", "hot_outlet");
        let taken = sim.out("E", "cold_outlet") - 20.0;
        assert!((given / taken - 1.0).abs() < 1e-6, "{given} {taken}");
    }
}

#[test]
fn cleaning_in_place_leaves_a_tenth_of_the_deposits_and_opens_the_gap() {
    let mut sim = exchanger(2e-4);
    sim.run(60.0);
    let (duty, drop) = (sim.out("E", "duty"), sim.out("E", "hot_drop"));
    let plates = sim.network.machine("E").expect("an exchanger");
    let repair = sim.network.description(plates).repair("clean_in_place").expect("a repair");
    sim.now.repair(&sim.network, plates, repair);
    sim.network.refresh(&mut sim.now, &mut sim.work);
    assert!((sim.out("E", "fouling") - 2e-5).abs() < 1e-15);
    sim.run(60.0);
    assert!(sim.out("E", "duty") > 1.15 * duty && sim.out("E", "hot_drop") < 0.95 * drop);
}

#[test]
fn a_chiller_takes_the_power_of_the_sheet_at_part_load() {
    // Sheet 1.14: te 6.67, tc 29.44, x 0.5: 542.4 kW of 1084.7 kW, 105.01 kW.
    let flow = 0.03;
    let entering = 6.67 + 542_400.0 / (998.2 * 4180.0 * flow);
    let chiller = machine("CH", "Chiller")
        .with("capacity", 1.6352e6)
        .with("rated_flow", 0.05)
        .with("volume", 0.5)
        .with("fouling_limit", 0.0)
        .fed("set_point", Feed::Constant(6.67))
        .fed("condenser", Feed::Constant(29.44));
    let blueprint = Blueprint {
        machines: vec![source("M", entering).with("rated_flow", 0.03), chiller, tap("T", flow)],
        ties: vec![water((0, "outlet"), (1, "inlet")), water((1, "outlet"), (2, "inlet"))],
        outside: vec![],
    };
    let mut sim = Sim::new(blueprint, 1);
    sim.run(900.0);
    for (output, wanted) in [("leaving", 6.67), ("cooling", 542_400.0), ("power", 105_010.0), ("cop", 5.165)] {
        let found = sim.out("CH", output);
        assert!((found / wanted - 1.0).abs() < 1e-3, "{output}: {found}, not {wanted}");
    }
    assert_eq!((sim.out("CH", "beyond"), sim.out("CH", "starts")), (0.0, 1.0));
}

fn glycol(from: (usize, &str), to: (usize, &str)) -> pollux::network::Tie {
    tie(from, to, TieKind::Fluid(Fluid::GLYCOL))
}

/// A vat that is heated by nothing but a warm mains, cooled over plates by a chiller whose loop has no tank.
///
/// ```text
/// tank -> pump -> plates (hot) -> valve -> tank, mains -> tank -> tap
/// chiller -> pump -> pipe -> plates (cold) -> pipe -> chiller
/// ```
fn cellar() -> Sim {
    let small = |id: &str| {
        machine(id, "CentrifugalPump").with("rated_flow", 4e-3).with("rated_head", 20.0).with("shutoff_head", 26.0)
    };
    let blueprint = Blueprint {
        machines: vec![
            machine("TANK", "Tank").with("start_temperature", 30.0).with("heat_loss", 20.0),
            small("P-1"),
            machine("PLATES", "HeatExchanger").with("hot_rated_flow", 3e-3).with("cold_rated_flow", 3e-3),
            machine("V", "ControlValve").with("kv", 8.0).fed("command", Feed::Constant(0.9)),
            machine("CH", "Chiller").with("freeze_trip", -5.0).fed("set_point", Feed::Constant(2.0)),
            small("P-2"),
            machine("OUT", "Pipe").with("length", 30.0).with("heat_loss", 10.0),
            machine("BACK", "Pipe").with("length", 30.0).with("heat_loss", 10.0),
            source("MAINS", 60.0),
            tap("TAP", 2e-4),
            machine("IN", "ControlValve").with("kv", 0.4).with("start", 1.0).fed("command", Feed::Constant(1.0)),
        ],
        ties: vec![
            water((0, "outlet"), (1, "inlet")),
            water((1, "outlet"), (2, "hot_inlet")),
            water((2, "hot_outlet"), (3, "inlet")),
            water((3, "outlet"), (0, "inlet")),
            water((8, "outlet"), (10, "inlet")),
            water((10, "outlet"), (0, "inlet")),
            water((0, "outlet"), (9, "inlet")),
            glycol((4, "outlet"), (5, "inlet")),
            glycol((5, "outlet"), (6, "inlet")),
            glycol((6, "outlet"), (2, "cold_inlet")),
            glycol((2, "cold_outlet"), (7, "inlet")),
            glycol((7, "outlet"), (4, "inlet")),
        ],
        outside: vec![],
    };
    Sim::new(blueprint, 1)
}

fn off(sim: &Sim, id: &str) -> Adjustment {
    let machine = sim.network.machine(id).expect("a machine");
    let input = sim.network.description(machine).input("power").expect("an input");
    Adjustment { target: Target::Input { machine, input }, effect: Effect::Set(0.0) }
}

#[test]
fn water_and_heat_are_kept_over_an_hour_of_cooling_with_a_loop_that_has_no_tank() {
    let mut sim = cellar();
    let begin = sim.network.balance(&sim.now);
    let check = |sim: &Sim| {
        let (volume, heat, _) = sim.network.balance(&sim.now).drift(&begin);
        assert!(volume < 1e-12 && heat < 1e-9, "after {} s: {volume:e}, {heat:e}", sim.now.secs());
        assert!(sim.now.is_solved());
    };
    for _ in 0..4 {
        sim.run(600.0);
        check(&sim);
    }
    let (leaving, vat) = (sim.out("CH", "leaving"), sim.out("TANK", "temperature"));
    assert!(sim.out("CH", "running") == 1.0 && (leaving - 2.0).abs() < 1.5 && vat < 25.0, "{leaving} {vat}");
    // The pump of the loop stops: nothing flows there any more, and the vat gets warmer.
    sim.now.adjust(&sim.network, &[off(&sim, "P-2")]);
    sim.run(600.0);
    check(&sim);
    assert!(sim.out("OUT", "flow").abs() < 1e-9 && sim.out("PLATES", "duty").abs() < 1.0);
    sim.now.adjust(&sim.network, &[]);
    sim.run(600.0);
    check(&sim);
    assert!(sim.out("OUT", "flow") > 1e-3 && sim.out("PLATES", "duty") > 1e4);
}

#[test]
fn a_chiller_without_flow_stops_before_it_freezes_and_starts_again() {
    let mut sim = cellar();
    sim.run(60.0);
    assert_eq!(sim.out("CH", "running"), 1.0);
    sim.now.adjust(&sim.network, &[off(&sim, "P-2")]);
    sim.run(240.0);
    assert_eq!((sim.out("CH", "running"), sim.out("CH", "trips")), (0.0, 1.0), "{}", sim.out("CH", "leaving"));
    assert!(sim.out("CH", "leaving") > -8.0, "{}", sim.out("CH", "leaving"));
    sim.now.adjust(&sim.network, &[]);
    sim.run(600.0);
    assert_eq!((sim.out("CH", "running"), sim.out("CH", "starts")), (1.0, 2.0));
}
