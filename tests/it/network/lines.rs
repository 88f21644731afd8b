//! Lines of machines that hand items on: none is lost, none overtakes, what stands in the way stops what comes before.

use pollux::network::{Adjustment, Blueprint, Effect, Feed, Machine, Target, Tie};

use super::{Sim, items, machine, named, water};

/// A feed that follows an output by name.
pub(super) fn output(machines: &[Machine], id: &str, name: &str) -> Feed {
    let at = machines.iter().position(|machine| machine.id == id).unwrap_or_else(|| panic!("no machine {id}"));
    let output = machines[at].model.description().output(name).unwrap_or_else(|| panic!("{id} has no output {name}"));
    Feed::output(at, output)
}

/// Items from each machine to the next.
fn row(machines: &[&str], all: &[Machine]) -> Vec<Tie> {
    let at = |id: &str| all.iter().position(|machine| machine.id == id).unwrap_or_else(|| panic!("no machine {id}"));
    machines.windows(2).map(|pair| items((at(pair[0]), "out"), (at(pair[1]), "in"))).collect()
}

/// A whole line, from empty bottles to pallets in a store; the filler drinks from a tank through a valve under control.
fn whole_line(seed: u64) -> Sim {
    let mut machines = vec![
        machine("T", "Tank").with("area", 2.0).with("elevation", 6.0),
        machine("V", "ControlValve").with("kv", 4.0),
        machine("IN", "Infeed"),
        machine("C-1", "Conveyor"),
        machine("R", "Rinser"),
        machine("F", "Filler"),
        machine("C-2", "Conveyor"),
        machine("CAP", "Capper"),
        machine("C-3", "Conveyor"),
        machine("L", "Labeller").with("start_labels", 300.0),
        machine("C-4", "Conveyor"),
        machine("PAL", "Palletiser"),
        machine("AGV", "Vehicle"),
        machine("S", "Store"),
        machine("LIC", "Pid").with("gain", 8.0).with("integral_time", 60.0).with("start", 0.5),
    ];
    machines[1].inputs[0] = output(&machines, "LIC", "output");
    let level = output(&machines, "F", "level");
    machines[14] = machines[14].clone().fed("measurement", level).fed("set_point", Feed::Constant(0.15));
    let mut ties = row(&["IN", "C-1", "R", "F", "C-2", "CAP", "C-3", "L", "C-4", "PAL", "AGV", "S"], &machines);
    ties.extend([water((0, "outlet"), (1, "inlet")), water((1, "outlet"), (5, "inlet"))]);
    Sim::new(Blueprint { machines, ties, outside: vec![] }, seed)
}

#[test]
fn a_whole_line_runs_ten_minutes_and_loses_no_bottle_and_no_drop() {
    let mut sim = whole_line(4);
    let begin = sim.network.balance(&sim.now);
    for minute in 1..=10 {
        sim.run(60.0);
        let (volume, heat, items) = sim.network.balance(&sim.now).drift(&begin);
        assert_eq!(items, 0, "after {minute} min");
        assert!(volume < 1e-12 && heat < 1e-9, "after {minute} min: {volume:e} {heat:e}");
        assert!((0..15).all(|at| !sim.now.is_broken(&sim.network, at)));
    }
    // 72 bottles a minute, less the way to the filler.
    let filled = sim.out("F", "bottles");
    assert!((600.0..=720.0).contains(&filled), "{filled} bottles");
    let (stored, on_pallet) = (sim.out("S", "came"), sim.out("PAL", "pallets"));
    assert!(stored >= 2.0 && on_pallet - stored <= 1.0, "{stored} of {on_pallet} pallets");
    assert_eq!(sim.out("L", "reels"), 1.0);
    assert!((sim.out("F", "level") - 0.15).abs() < 0.02, "{} m in the bowl", sim.out("F", "level"));
    let drunk = sim.out("F", "filled");
    assert!((drunk / (filled * 500e-6) - 1.0).abs() < 0.01, "{drunk} m3 in {filled} bottles");
}

#[test]
fn a_line_that_is_stopped_at_its_end_stands_full_and_goes_on_when_it_is_freed() {
    let mut sim = whole_line(5);
    sim.run(120.0);
    let agv = sim.network.machine("AGV").expect("a vehicle");
    let input = sim.network.description(agv).input("stop").expect("a stop");
    let stop = Adjustment { target: Target::Input { machine: agv, input }, effect: Effect::Set(1.0) };
    sim.now.adjust(&sim.network, &[stop]);
    sim.run(900.0);
    let filled = sim.out("F", "bottles");
    sim.run(60.0);
    assert_eq!(sim.out("F", "bottles"), filled, "nothing moves any more");
    for belt in ["C-2", "C-3", "C-4"] {
        assert_eq!((sim.out(belt, "items"), sim.out(belt, "full")), (40.0, 1.0), "{belt}");
    }
    assert!(sim.out("F", "blocked") == 1.0 && sim.out("PAL", "waiting") == 1.0);
    sim.now.adjust(&sim.network, &[]);
    sim.run(120.0);
    assert!(sim.out("F", "bottles") > filled + 60.0);
}

#[test]
fn a_blocked_belt_fills_to_as_many_items_as_find_a_place() {
    for (length, item_length, gap, wanted) in
        [(4.0, 0.09, 0.01, 40.0), (3.33, 0.12, 0.005, 26.0), (0.25, 0.1, 0.0, 2.0)]
    {
        let belt = machine("C", "Conveyor").with("length", length).with("item_length", item_length).with("gap", gap);
        let machines = vec![machine("IN", "Infeed").with("rate", 20.0), belt];
        let ties = row(&["IN", "C"], &machines);
        let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
        for _ in 0..2 {
            sim.run(60.0);
            assert_eq!(sim.out("C", "items"), wanted, "{length} m, items of {item_length} m");
            assert_eq!((sim.out("C", "full"), sim.out("C", "exit_eye")), (1.0, 1.0));
        }
    }
}

#[test]
fn a_free_belt_carries_as_many_items_as_touch_each_other_and_each_as_long_as_its_way_takes() {
    for gap in [0.01, 0.007, 0.0331] {
        let belt = machine("C", "Conveyor").with("length", 12.0).with("gap", gap).with("full_speed", 1.0);
        let machines = vec![machine("IN", "Infeed").with("rate", 20.0), belt, machine("S", "Store")];
        let ties = row(&["IN", "C", "S"], &machines);
        let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
        sim.run(60.0);
        let before = sim.out("S", "came");
        sim.run(100.0);
        let (came, wanted) = (sim.out("S", "came") - before, 100.0 * 0.4 / (0.09 + gap));
        assert!((came - wanted).abs() <= 1.5, "gap {gap}: {came} items in 100 s, not {wanted}");
    }
    let machines = vec![
        machine("IN", "Arrivals").with("rate", 0.1).with("chance", 0.0),
        machine("C", "Conveyor").with("length", 12.0),
        machine("OUT", "Departures"),
    ];
    let ties = row(&["IN", "C", "OUT"], &machines);
    let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
    sim.run(500.0);
    let stay = sim.out("OUT", "mean_stay");
    assert!((stay - (12.0 - 0.1) / 0.4).abs() <= 0.1, "{stay} s");
}

#[test]
fn a_belt_whose_take_up_loosens_slows_down_until_it_is_tightened() {
    let machines =
        vec![machine("IN", "Infeed"), machine("C", "Conveyor").with("wear_rate", 1e-3), machine("S", "Store")];
    let ties = row(&["IN", "C", "S"], &machines);
    let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
    sim.run(60.0);
    assert_eq!(sim.out("C", "slip"), 0.0);
    sim.run(3000.0);
    let slipping = sim.out("C", "slip");
    assert!(slipping > 0.1, "{slipping}");
    let belt = sim.network.machine("C").expect("a belt");
    let repair = sim.network.description(belt).repair("retension").expect("a repair");
    sim.now.repair(&sim.network, belt, repair);
    sim.run(1.0);
    assert_eq!(sim.out("C", "slip"), 0.0);
}

/// A filler that drinks from a tank; bottles from an endless stock into a store, rejects into another.
fn filler(filler: Machine) -> Sim {
    let machines = vec![
        machine("T", "Tank").with("area", 1e3).with("elevation", 2.0).with("start_level", 1.0),
        machine("IN", "Infeed").with("rate", 3.0),
        filler,
        machine("S", "Store"),
        machine("BIN", "Store"),
    ];
    let mut ties = row(&["IN", "F", "S"], &machines);
    ties.extend([items((2, "rejects"), (4, "in")), water((0, "outlet"), (2, "inlet"))]);
    Sim::new(Blueprint { machines, ties, outside: vec![] }, 9)
}

fn healthy() -> Machine {
    machine("F", "Filler").with("misfills", 0.0)
}

#[test]
fn a_filler_turns_out_72_bottles_a_minute_at_their_target_and_rejects_what_it_filled_badly() {
    let mut sim = filler(healthy());
    sim.run(60.0);
    let before = sim.out("F", "bottles");
    sim.run(600.0);
    assert!((sim.out("F", "bottles") - before - 720.0).abs() <= 1.0, "{}", sim.out("F", "bottles") - before);
    assert!((sim.out("F", "mean_fill") / 500e-6 - 1.0).abs() < 0.002, "{}", sim.out("F", "mean_fill"));
    assert!((sim.out("F", "deviation") / 1.5e-6 - 1.0).abs() < 0.5, "{}", sim.out("F", "deviation"));
    assert_eq!((sim.out("F", "rejected"), sim.out("F", "short")), (0.0, 0.0));
    let mut sim = filler(machine("F", "Filler").with("misfills", 0.1));
    sim.run(660.0);
    let (all, bad) = (sim.out("F", "bottles"), sim.out("BIN", "came"));
    assert!((40.0..120.0).contains(&bad) && bad == sim.out("F", "rejected"), "{bad} of {all}");
    assert_eq!(sim.out("S", "came") + bad, all);
}

#[test]
fn a_filler_that_learns_hides_worn_seals_and_one_that_does_not_overfills_until_they_are_new() {
    let mean = |learning: f64, repaired: bool| {
        // 20 ml late within ten minutes.
        let mut sim = filler(healthy().with("seal_wear", 20e-6 / 600.0).with("learning", learning));
        sim.run(600.0);
        let at = sim.network.machine("F").expect("a filler");
        if repaired {
            sim.now.repair(&sim.network, at, 0);
            sim.run(120.0);
        }
        (sim.out("F", "mean_fill") * 1e6, sim.out("F", "rejected"))
    };
    let (learnt, _) = mean(0.1, false);
    let (blind, rejected) = mean(0.0, false);
    let (repaired, _) = mean(0.0, true);
    assert!((learnt - 500.0).abs() < 2.0, "{learnt} ml");
    assert!(blind > 515.0 && rejected > 50.0, "{blind} ml, {rejected} rejected");
    assert!((repaired - 500.0).abs() < 6.0, "{repaired} ml");
}

#[test]
fn a_scale_that_drifts_shows_a_good_mean_over_bottles_that_lack_something() {
    let mut sim = filler(healthy().with("scale_drift", 30e-6 / 600.0).with("learning", 0.1));
    sim.run(600.0);
    assert!((sim.out("F", "mean_fill") * 1e6 - 500.0).abs() < 2.0, "{}", sim.out("F", "mean_fill"));
    assert!(sim.out("F", "last_fill") * 1e6 < 480.0 && sim.out("F", "short") > 100.0);
}

#[test]
fn a_vehicle_takes_as_long_as_its_way_and_never_two_pallets_at_once() {
    let machines = vec![machine("IN", "Infeed").with("rate", 1.0), machine("AGV", "Vehicle"), machine("S", "Store")];
    let ties = row(&["IN", "AGV", "S"], &machines);
    let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
    sim.run(600.0);
    // Two ways of 23.0 s, forks up and down 2.4 s each, and steps of 50 ms to notice each change: 51 to 52 s.
    assert_eq!(sim.out("AGV", "trips"), 11.0);
    assert!(sim.out("S", "came") - sim.out("AGV", "trips") <= 1.0);
    assert!(sim.out("AGV", "charge") < 0.8 && sim.out("AGV", "driven") >= 60.0 * sim.out("AGV", "trips"));
}

#[test]
fn a_vehicle_that_is_empty_waits_at_its_charger_and_one_that_is_stopped_goes_on_from_there() {
    let run = |start_charge: f64| {
        let machines = vec![
            machine("IN", "Infeed").with("rate", 1.0),
            machine("AGV", "Vehicle").with("start_charge", start_charge),
            machine("S", "Store"),
        ];
        let ties = row(&["IN", "AGV", "S"], &machines);
        Sim::new(Blueprint { machines, ties, outside: vec![] }, 1)
    };
    let mut empty = run(0.15);
    empty.run(200.0);
    assert_eq!((empty.out("AGV", "phase"), empty.out("AGV", "low")), (0.0, 1.0));
    empty.run(200.0);
    assert!(empty.out("S", "came") > 0.0, "it has charged");
    let mut stopped = run(0.8);
    stopped.run(14.0);
    let target = Target::Input { machine: 1, input: 0 };
    stopped.now.adjust(&stopped.network, &[Adjustment { target, effect: Effect::Set(1.0) }]);
    stopped.run(10.0);
    let place = stopped.out("AGV", "position");
    assert!((5.0..25.0).contains(&place) && stopped.out("AGV", "speed") == 0.0, "{place}");
    stopped.now.adjust(&stopped.network, &[]);
    stopped.run(30.0);
    assert_eq!(stopped.out("S", "came"), 1.0);
}

#[test]
fn a_capper_waits_for_its_robot_and_serves_six_bottles_at_a_time() {
    let mut machines = vec![
        machine("IN", "Infeed").with("rate", 3.0),
        machine("CAP", "Capper").with("robot", 1.0),
        machine("S", "Store"),
        machine("ROBOT", "Pulse").with("begin", 7.5).with("period", 10.0).with("width", 1.0),
    ];
    machines[1].inputs[0] = output(&machines, "ROBOT", "value");
    let ties = row(&["IN", "CAP", "S"], &machines);
    let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
    sim.run(7.0);
    assert_eq!((sim.out("CAP", "full"), sim.out("S", "came")), (1.0, 0.0));
    sim.run(1.0);
    assert_eq!(sim.out("S", "came"), 6.0);
    sim.run(62.0);
    assert_eq!((sim.out("CAP", "cycles"), sim.out("S", "came")), (7.0, 42.0));
    assert!((sim.out("CAP", "torque") / 2.1 - 1.0).abs() < 0.15);
}

#[test]
fn a_change_that_makes_an_event_due_at_once_lets_no_machine_step_twice() {
    let machines = vec![
        machine("IN", "Arrivals").with("rate", 2.0),
        Machine::new("S", named("Server")).with("servers", 0.0),
        machine("C", "Conveyor"),
    ];
    let ties = row(&["IN", "S", "C"], &machines);
    let mut sim = Sim::new(Blueprint { machines, ties, outside: vec![] }, 1);
    sim.run(10.0);
    let way = sim.out("C", "way");
    assert!(sim.out("S", "waiting") > 1.0);
    sim.now.set_parameter(&sim.network, 1, 0, 1.0);
    sim.network.refresh(&mut sim.now, &mut sim.work);
    sim.run(0.0);
    assert_eq!((sim.out("S", "serving"), sim.out("C", "way")), (1.0, way));
}
