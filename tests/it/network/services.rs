//! Compressed air and the air around machines.

use pollux::model::services::polytropic_power;
use pollux::network::{Adjustment, Blueprint, Effect, Feed, Target, TieKind};

use super::{Sim, machine, tie};

/// A compressor that was built as the sheet says, with a demand in m³/min.
fn air(demand: f64, parameters: &[(&str, f64)]) -> Sim {
    let compressor = machine("C", "Compressor").with("leaks", 0.0).with("filter_rate", 0.0);
    let compressor = parameters.iter().fold(compressor, |one, (name, value)| one.with(name, *value));
    let user = machine("U", "AirConsumer").fed("demand", Feed::Constant(demand / 60.0));
    let ties = vec![tie((0, "air"), (1, "air"), TieKind::Supply)];
    Sim::new(Blueprint { machines: vec![compressor, user], ties, outside: vec![] }, 1)
}

#[test]
fn a_compressor_loads_for_15_s_and_idles_for_10_s() {
    // Sheet 1.11: D 6, FAD 10 m³/min, V 2 m³, a band of 0.5 bar.
    let mut sim = air(6.0, &[("start_pressure", 6.5e5)]);
    let loads = sim.out("C", "loads");
    assert!(loads <= 1.0);
    for round in 1..=40 {
        sim.run(15.0);
        let (loaded, pressure) = (sim.out("C", "loaded_time"), sim.out("C", "pressure"));
        assert!((loaded - 15.0 * f64::from(round)).abs() < 1e-6, "round {round}: {loaded} s");
        assert!((pressure - 7e5).abs() < 1e-3, "{pressure}");
        sim.run(10.0);
        assert!((sim.out("C", "loaded_time") - loaded).abs() < 1e-6);
        assert!((sim.out("C", "pressure") - 6.5e5).abs() < 1e-3);
    }
    let share = sim.out("C", "loaded_time") / sim.now.secs();
    assert!((share - 0.6).abs() < 1e-9, "{share}");
    assert!((sim.out("C", "delivered_sum") - sim.out("U", "taken")).abs() < 1e-6, "what was delivered was taken");
}

#[test]
fn a_variable_speed_drive_delivers_what_is_taken_and_unloads_below_a_quarter() {
    // Sheet 1.11: FAD ~ n, 25 to 100 %.
    let drive = |demand: f64| {
        let mut sim = air(demand, &[("least_speed", 0.25), ("start_pressure", 6.5e5)]);
        sim.run(600.0);
        let (loads, delivered) = (sim.out("C", "loads"), sim.out("C", "delivered_sum"));
        sim.run(600.0);
        let steady = sim.out("C", "loads") == loads;
        (sim.out("C", "speed"), (sim.out("C", "delivered_sum") - delivered) / 10.0, steady, sim)
    };
    for demand in [3.0, 6.0, 9.0] {
        let (speed, delivered, steady, sim) = drive(demand);
        assert!((speed - demand / 10.0).abs() < 1e-6 && steady, "{demand}: {speed}");
        assert!((delivered / demand - 1.0).abs() < 1e-6, "{delivered} m³/min");
        let pressure = 7e5 - 5e4 * (speed - 0.25) / 0.75;
        assert!((sim.out("C", "pressure") - pressure).abs() < 1.0);
        // Power goes with what it delivers, at 20 mbar before it and 0.2 bar behind it.
        let work = polytropic_power(1.4, 0.98e5, 1.2e5 + pressure, demand / 60.0) / 0.78;
        assert!((sim.out("C", "power") / work - 1.0).abs() < 1e-6, "{}", sim.out("C", "power"));
    }
    let (_, delivered, steady, sim) = drive(1.5);
    assert!(!steady && (delivered / 1.5 - 1.0).abs() < 0.1, "it unloads: {delivered}");
    assert!((6.5e5..7.001e5).contains(&sim.out("C", "pressure")));
}

#[test]
fn more_demand_than_delivery_lets_the_pressure_fall_to_where_both_meet() {
    let mut sim = air(14.0, &[]);
    sim.run(1200.0);
    let (pressure, taken) = (sim.out("C", "pressure"), sim.out("U", "flow") * 60.0);
    assert!((taken - 10.0).abs() < 1e-3 && sim.out("U", "short") == 1.0, "{taken} m³/min");
    assert!((pressure / (5.5e5 * (10.0f64 / 14.0) * (10.0 / 14.0)) - 1.0).abs() < 1e-3, "{pressure}");
}

#[test]
fn oil_is_warm_as_it_should_be_and_a_fouled_cooler_trips() {
    let mut sim = air(9.0, &[("start_pressure", 6.5e5)]);
    sim.run(3600.0);
    let oil = sim.out("C", "oil_temperature");
    assert!((75.0..95.0).contains(&oil), "{oil} °C");
    let mut sim = air(9.9, &[("cooler_rate", 0.02)]);
    sim.run(3000.0);
    assert_eq!(sim.out("C", "tripped"), 1.0);
    assert!(sim.out("C", "power") == 0.0 && sim.out("C", "pressure") < 1e5);
    for repair in ["clean_cooler", "reset_trip"] {
        let repair = sim.network.description(0).repair(repair).expect("a repair");
        sim.now.repair(&sim.network, 0, repair);
    }
    sim.run(300.0);
    assert!(sim.out("C", "power") > 3e4 && sim.out("C", "tripped") == 0.0);
}

#[test]
fn without_power_it_stands_and_the_plant_runs_out_of_air() {
    let mut sim = air(6.0, &[]);
    sim.run(60.0);
    let input = sim.network.description(0).input("power").expect("an input");
    let off = Adjustment { target: Target::Input { machine: 0, input }, effect: Effect::Set(0.0) };
    sim.now.adjust(&sim.network, &[off]);
    sim.run(600.0);
    assert!(sim.out("C", "pressure") < 1e4 && sim.out("U", "short") == 1.0);
    assert_eq!((sim.out("C", "power"), sim.out("C", "running")), (0.0, 0.0));
}

fn hall(parameters: &[(&str, f64)], heat: f64, seed: u64) -> Sim {
    let room = parameters.iter().fold(machine("R", "Room"), |room, (name, value)| room.with(name, *value));
    Sim::new(Blueprint { machines: vec![room.fed("heat", Feed::Constant(heat))], ..Blueprint::default() }, seed)
}

#[test]
fn a_room_has_day_and_night_and_air_that_is_damper_at_night() {
    let mut sim = hall(&[("chance", 0.0)], 0.0, 1);
    sim.run(3.0 * 3600.0);
    let (night, damp) = (sim.out("R", "temperature"), sim.out("R", "humidity"));
    sim.run(12.0 * 3600.0);
    let (day, dry) = (sim.out("R", "temperature"), sim.out("R", "humidity"));
    assert!((night - 19.0).abs() < 1e-6 && (day - 23.0).abs() < 1e-6, "{night} {day}");
    assert!(damp > dry && (0.4..0.6).contains(&dry), "{damp} {dry}");
}

#[test]
fn machines_warm_a_room_and_chance_differs_by_seed() {
    let (mut cold, mut warm) = (hall(&[], 0.0, 3), hall(&[], 1e4, 3));
    let mut other = hall(&[], 0.0, 4);
    for sim in [&mut cold, &mut warm, &mut other] {
        sim.run(6.0 * 3600.0);
    }
    let rise = warm.out("R", "temperature") - cold.out("R", "temperature");
    assert!((rise - 5.0).abs() < 1e-3, "{rise} K");
    assert_ne!(cold.out("R", "temperature"), other.out("R", "temperature"));
}

#[test]
fn chance_has_the_spread_that_it_is_given() {
    let mut sim = hall(&[("amplitude", 0.0), ("chance", 0.5), ("memory", 600.0)], 0.0, 5);
    let (mut sum, mut squares, rounds) = (0.0, 0.0, 2000);
    for _ in 0..rounds {
        sim.run(1200.0);
        let away = sim.out("R", "temperature") - 21.0;
        sum += away;
        squares += away * away;
    }
    let (mean, spread) = (sum / f64::from(rounds), (squares / f64::from(rounds)).sqrt());
    assert!(mean.abs() < 0.05 && (spread - 0.5).abs() < 0.04, "{mean} {spread}");
}
