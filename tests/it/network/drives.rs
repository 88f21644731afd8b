//! Motors, gears, bearings, spindles and what feeds them: figures of the books, faults and repairs.

use pollux::network::{Adjustment, Blueprint, Effect, Feed, Machine, Target, Tie, TieKind};

use super::{Sim, machine, tie};

const RPM: f64 = std::f64::consts::TAU / 60.0;

fn alone(machine: Machine) -> Sim {
    Sim::new(Blueprint { machines: vec![machine], ..Blueprint::default() }, 1)
}

fn supply(from: (usize, &str), to: (usize, &str)) -> Tie {
    tie(from, to, TieKind::Supply)
}

fn near(found: f64, wanted: f64, relative: f64) {
    assert!((found / wanted - 1.0).abs() < relative, "{found}, not {wanted}");
}

impl Sim {
    fn set(&mut self, id: &str, input: &str, value: f64) {
        let machine = self.network.machine(id).expect("a machine");
        let input = self.network.description(machine).input(input).expect("an input");
        let target = Target::Input { machine, input };
        self.now.adjust(&self.network, &[Adjustment { target, effect: Effect::Set(value) }]);
        self.network.refresh(&mut self.now, &mut self.work);
    }

    fn change(&mut self, id: &str, parameter: &str, value: f64) {
        let machine = self.network.machine(id).expect("a machine");
        let parameter = self.network.description(machine).parameter(parameter).expect("a parameter");
        self.now.set_parameter(&self.network, machine, parameter, value);
    }

    pub(super) fn repair(&mut self, id: &str, repair: &str) {
        let machine = self.network.machine(id).expect("a machine");
        let repair = self.network.description(machine).repair(repair).expect("a repair");
        self.now.repair(&self.network, machine, repair);
        self.network.refresh(&mut self.now, &mut self.work);
    }
}

#[test]
fn the_teaching_motor_speeds_up_as_its_page_says() {
    let mut sim = alone(
        machine("M", "DcMotor")
            .with("resistance", 1.0)
            .with("inductance", 0.5)
            .with("torque_constant", 0.01)
            .with("inertia", 0.01)
            .with("viscous_friction", 0.1)
            .with("dry_friction", 0.0)
            .with("copper", 0.0)
            .fed("voltage", Feed::Constant(1.0)),
    );
    for (secs, wanted) in [(0.5, 0.054_170_1), (0.5, 0.083_037_1), (1.0, 0.097_623_5)] {
        sim.run(secs);
        near(sim.out("M", "speed"), wanted, 1e-6);
    }
}

#[test]
fn a_servo_motor_has_the_speed_and_current_of_its_data_sheet_and_faults_change_them() {
    let start = || alone(machine("M", "DcMotor").with("copper", 0.0));
    let mut sim = start();
    sim.run(2.0);
    near(sim.out("M", "speed") / RPM, 7580.0, 2e-3);
    near(sim.out("M", "current"), 0.137, 2e-3);
    let (free, current) = (sim.out("M", "speed"), sim.out("M", "current"));
    sim.change("M", "demagnetisation", 0.2);
    sim.run(2.0);
    assert!(sim.out("M", "speed") > 1.2 * free, "weaker magnets: faster without load");
    sim.change("M", "demagnetisation", 0.0);
    sim.change("M", "drag", 5.0);
    sim.run(2.0);
    near(sim.out("M", "current"), 5.0 * current, 1e-3);
    // Nominal load: 177 mN m at 6 A.
    let mut sim = start();
    sim.set("M", "load_torque", 0.177);
    sim.run(2.0);
    near(sim.out("M", "current"), 6.0, 1e-2);
    let loaded = sim.out("M", "speed");
    sim.change("M", "brush_rate", 1e-3);
    sim.run(4.0);
    assert!(sim.out("M", "brush_wear") > 0.2 && sim.out("M", "speed") < loaded - 5.0);
    sim.change("M", "brush_rate", 0.0);
    sim.repair("M", "replace_brushes");
    sim.run(2.0);
    near(sim.out("M", "speed"), loaded, 1e-3);
}

#[test]
fn a_motor_that_is_covered_gets_hotter_and_dry_friction_holds_it_at_rest() {
    // Its steps are exact, so that long ones do for what is slow.
    let mut motor = machine("M", "DcMotor").fed("load_torque", Feed::Constant(0.15));
    motor.step = Some(100_000_000);
    let mut sim = alone(motor);
    sim.run(12_000.0);
    let (winding, housing) = (sim.out("M", "winding_temperature"), sim.out("M", "housing_temperature"));
    let loss = sim.out("M", "copper_loss");
    // Each resistance times the heat that flows through it.
    near(winding - housing, 1.93 * loss, 1e-3);
    near(housing - 20.0, 4.65 * loss, 1e-2);
    sim.change("M", "blocked_cooling", 2.0);
    sim.run(12_000.0);
    assert!(sim.out("M", "housing_temperature") > housing + 0.9 * (housing - 20.0));
    let mut still =
        alone(machine("M", "DcMotor").fed("voltage", Feed::Constant(0.0)).fed("load_torque", Feed::Constant(0.004)));
    still.run(1.0);
    assert_eq!(still.out("M", "speed"), 0.0, "0.00414 N m of friction hold 0.004");
    still.set("M", "load_torque", 0.005);
    still.run(1.0);
    assert!(still.out("M", "speed") < -0.01, "and let go at 0.005");
}

/// At 20 °C whatever it does.
fn cold_motor() -> Machine {
    machine("M", "InductionMotor").with("ramp", 0.0).with("rated_rise", 1.0).with("rated_loss", 1e6)
}

#[test]
fn an_induction_motor_settles_where_the_equations_of_its_run_up_do() {
    let mut sim = alone(cold_motor().fed("load_torque", Feed::Constant(98.109)));
    sim.run(3.0);
    near(sim.out("M", "speed") / RPM, 1465.03, 1e-5);
    near(sim.out("M", "torque"), 99.5727, 1e-5);
    near(sim.out("M", "current"), 26.2609, 1e-5);
    // 98.109 N m are the 15 kW of its nameplate; the class of its losses is IE3.
    near(sim.out("M", "shaft_power"), 15_000.0, 0.02);
    assert!((0.85..0.95).contains(&sim.out("M", "efficiency")), "{}", sim.out("M", "efficiency"));
    sim.set("M", "load_torque", 113.055 - 0.009_541 * 1460.0 * RPM);
    sim.run(3.0);
    near(sim.out("M", "slip"), 40.0 / 1500.0, 1e-5);
    near(sim.out("M", "power_factor"), 0.902_04, 1e-5);
}

#[test]
fn a_drive_sets_the_speed_and_a_lost_line_keeps_a_motor_from_starting() {
    let mut sim = alone(
        machine("M", "InductionMotor").fed("frequency", Feed::Constant(25.0)).fed("load_torque", Feed::Constant(40.0)),
    );
    sim.run(1.0);
    assert!((sim.out("M", "frequency") - 10.0).abs() < 1e-9, "10 Hz in a second: {}", sim.out("M", "frequency"));
    sim.run(30.0);
    assert!((720.0..750.0).contains(&(sim.out("M", "speed") / RPM)), "{}", sim.out("M", "speed") / RPM);
    sim.change("M", "lost_phase", 1.0);
    sim.run(10.0);
    assert!(sim.out("M", "running") == 1.0, "it goes on with two lines");
    let mut still = alone(cold_motor().with("lost_phase", 1.0));
    still.run(5.0);
    assert!(still.out("M", "speed").abs() < 1e-6 && still.out("M", "current") > 100.0, "it hums");
}

#[test]
fn a_motor_whose_fan_is_blocked_gets_hot_and_its_insulation_ages_faster() {
    let run = |parameter: &str, value: f64| {
        let mut sim = alone(
            machine("M", "InductionMotor")
                .with("start", 1.0)
                .with(parameter, value)
                .with("thermal_time", 60.0)
                .with("insulation_life", 7.2e5)
                .fed("load_torque", Feed::Constant(98.0)),
        );
        sim.run(900.0);
        (sim.out("M", "temperature"), 1.0 - sim.out("M", "insulation"))
    };
    let (free, used) = run("unbalance", 0.0);
    assert!((90.0..130.0).contains(&free), "{free} °C at rated load");
    let (uneven, _) = run("unbalance", 0.03);
    // 2 · 3² = 18 %, and a little more as a hot winding resists more.
    assert!((1.18..1.27).contains(&((uneven - 20.0) / (free - 20.0))), "{uneven} against {free}");
    let (blocked, faster) = run("blocked_cooling", 1.6);
    assert!(blocked > 150.0 && faster > 10.0 * used, "{blocked} °C, {faster} against {used}");
}

#[test]
fn a_shaft_turns_gears_and_bearings_and_they_weigh_on_the_motor() {
    let blueprint = Blueprint {
        machines: vec![
            machine("S", "Switchboard"),
            machine("M", "InductionMotor").with("start", 1.0),
            machine("G", "Gearbox").fed("load_torque", Feed::Constant(200.0)),
            machine("B", "RollingBearing"),
        ],
        ties: vec![
            supply((0, "feeders"), (1, "mains")),
            supply((1, "shaft"), (2, "input")),
            supply((1, "shaft"), (3, "shaft")),
        ],
        outside: vec![],
    };
    let mut sim = Sim::new(blueprint, 1);
    sim.run(20.0);
    let out = |machine: &str, output: &str| sim.out(machine, output);
    near(out("G", "speed"), out("M", "speed") * 23.0 / 67.0, 1e-6);
    let rubbing = 0.009_541 * out("M", "speed");
    near(out("M", "torque"), out("G", "torque") + out("B", "friction_torque") + rubbing, 1e-3);
    assert!(out("G", "torque") > 200.0 * 23.0 / 67.0 / 0.985, "load, losses and oil");
    near(out("S", "power"), out("M", "power"), 1e-3);
    assert!(out("S", "voltage") < 400.0 && out("S", "voltage") > 395.0, "{}", out("S", "voltage"));
}

#[test]
fn a_gearbox_shows_the_lines_of_its_teeth_and_tells_of_its_wear() {
    let gearbox = || machine("G", "Gearbox").fed("speed", Feed::Constant(1480.0 * RPM));
    let mut sim = alone(gearbox().fed("load_torque", Feed::Constant(200.0)));
    sim.run(10.0);
    near(sim.out("G", "mesh_frequency"), 567.333_333, 1e-6);
    near(sim.out("G", "mesh_frequency") - sim.out("G", "pinion_frequency"), 542.666_667, 1e-6);
    near(sim.out("G", "hunting_frequency"), 0.368_159, 2e-6);
    near(sim.out("G", "speed") / RPM, 508.060, 1e-6);
    let (lines, iron) = (sim.out("G", "sidebands"), sim.out("G", "iron"));
    // A week at 1 dB a week, in 100 s.
    sim.change("G", "pitting_rate", 0.05 / 100.0);
    sim.change("G", "iron_rate", 1e-7);
    sim.run(100.0);
    assert!((sim.out("G", "sidebands") - lines - 1.0).abs() < 1e-6, "{}", sim.out("G", "sidebands"));
    assert!(sim.out("G", "iron") > iron + 9e-6);
    sim.repair("G", "replace_gears");
    sim.repair("G", "change_oil");
    assert_eq!((sim.out("G", "sidebands"), sim.out("G", "iron")), (lines, 0.0));
    // A third of the oil gone, and most of it: hotter.
    let warm = |loss: f64| {
        let mut sim = alone(gearbox().with("oil_loss", loss).fed("load_torque", Feed::Constant(200.0)));
        sim.run(40_000.0);
        sim.out("G", "oil_temperature")
    };
    let (full, low) = (warm(0.0), warm(0.6));
    assert!((25.0..70.0).contains(&full) && low > full + 5.0, "{full} and {low} °C");
}

#[test]
fn worn_gears_let_the_second_shaft_lag_when_the_direction_turns() {
    let mut sim = alone(machine("G", "Gearbox").fed("speed", Feed::Constant(10.0)).with("backlash_rate", 1e-3));
    sim.set("G", "load_torque", 50.0);
    sim.run(10.0);
    let (ahead, play) = (sim.out("G", "position_error"), sim.out("G", "backlash"));
    assert!(play > 1e-3 && (ahead - 0.5 * play).abs() < 1e-9, "{ahead} of {play}");
    sim.change("G", "backlash_rate", 0.0);
    sim.set("G", "load_torque", -50.0);
    sim.run(10.0);
    near(sim.out("G", "position_error"), -0.5 * sim.out("G", "backlash"), 1e-9);
}

#[test]
fn a_bearing_is_quiet_for_long_and_then_runs_away() {
    // Doubles in 69.3 s: as ten days are to it.
    let mut sim = alone(machine("B", "RollingBearing").with("growth_rate", 0.01));
    sim.run(3600.0 / 36.0);
    near(sim.out("B", "defect"), 1e-5 * std::f64::consts::E, 1e-9);
    let (quiet, cool) = (sim.out("B", "vibration"), sim.out("B", "temperature"));
    near(quiet, 1.1e-3, 1e-2);
    let (mut zones, mut sharpest, mut flat) = (vec![sim.out("B", "zone")], 0.0, 0.0);
    for second in 100..700 {
        sim.run(1.0);
        let (zone, kurtosis) = (sim.out("B", "zone"), sim.out("B", "kurtosis"));
        if zones.last() != Some(&zone) {
            zones.push(zone);
        }
        if kurtosis > sharpest {
            (sharpest, flat) = (kurtosis, f64::from(second));
        }
    }
    assert_eq!(zones, [0.0, 1.0, 2.0, 3.0], "A, B, C, D, one after the other");
    assert!((sharpest - 9.0).abs() < 0.1 && flat < 470.0, "kurtosis is highest at {flat} s");
    assert!(sim.out("B", "kurtosis") < 3.5 && sim.out("B", "vibration") > 7e-3);
    sim.run(8000.0);
    assert!(sim.out("B", "temperature") > cool + 20.0, "{} °C", sim.out("B", "temperature"));
    sim.repair("B", "replace_bearing");
    near(sim.out("B", "vibration"), 1.1e-3, 1e-3);
}

#[test]
fn a_tool_wears_while_it_cuts_as_taylor_and_miner_say() {
    let speed = |per_minute: f64| per_minute / 60.0;
    let mut sim =
        alone(machine("C", "Spindle").with("scatter", 0.0).fed("cutting_speed", Feed::Constant(speed(100.0))));
    near(sim.out("C", "edge_life"), 81.0 * 60.0, 1e-9);
    let (_, force) = pollux::model::drive::kienzle(1.7e9, 0.25, 2e-3, 2e-4);
    near(sim.out("C", "force"), force * (1.0 + 1.2 * 0.05), 1e-9);
    sim.run(27.0 * 60.0);
    sim.set("C", "cutting_speed", speed(150.0));
    sim.run(8.0 * 60.0);
    near(sim.out("C", "used"), 0.833_333, 1e-5);
    sim.set("C", "engaged", 0.0);
    sim.run(600.0);
    near(sim.out("C", "used"), 0.833_333, 1e-5);
    assert!(sim.out("C", "force") == 0.0 && sim.out("C", "power") > 0.0, "it idles");
    let rough = |sim: &Sim| sim.out("C", "roughness");
    let before = rough(&sim);
    sim.repair("C", "change_tool");
    assert!(sim.out("C", "used") == 0.0 && rough(&sim) < before && sim.out("C", "edges") == 1.0);
    sim.set("C", "change_tool", 1.0);
    sim.run(1.0);
    assert_eq!(sim.out("C", "edges"), 2.0, "once, as it rises");
    sim.set("C", "supply", 0.0);
    sim.run(1.0);
    assert_eq!((sim.out("C", "power"), sim.out("C", "current")), (0.0, 0.0));
}

#[test]
fn a_switchboard_sags_trips_when_it_is_overloaded_and_is_reset() {
    let mut sim = alone(machine("S", "Switchboard").fed("power", Feed::Constant(300e3)));
    sim.run(60.0);
    let voltage = sim.out("S", "voltage");
    assert!((385.0..395.0).contains(&voltage), "{voltage} V");
    near(sim.out("S", "energy"), 300e3 * 60.0, 1e-9);
    near(sim.out("S", "power_factor"), 0.85, 1e-9);
    near(sim.out("S", "current"), 300e3 / 0.85 / (3f64.sqrt() * voltage), 1e-9);
    sim.run(3600.0);
    assert_eq!(sim.out("S", "tripped"), 0.0, "88 % of its rating");
    sim.set("S", "power", 800e3);
    sim.run(120.0);
    assert_eq!((sim.out("S", "tripped"), sim.out("S", "voltage")), (1.0, 0.0));
    sim.set("S", "power", 100e3);
    sim.run(1.0);
    assert_eq!(sim.out("S", "voltage"), 0.0, "it stays open");
    sim.repair("S", "reset");
    sim.run(1.0);
    assert!(sim.out("S", "voltage") > 390.0);
}
