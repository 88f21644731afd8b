//! What each machine of the line reports, how often, in which units. In: the line. Out: messages through a reporter.
//!
//! Units change from SI to those of the shop floor here and nowhere else. Periods are in ticks of 20 ms; phases spread
//! the messages over the second.

use super::reporter::{Readings, Reporter};
use super::{BottlingLine, design};
use crate::model::Emit;
use crate::model::Machine;
use crate::model::numeric::rpm;
use crate::model::packaging::{CapperPhase, Conveyor, JOINT_LIMITS};
use crate::model::process::{DENSITY, GRAVITY, Valve};

const TEN_HZ: u64 = 5;
const FIVE_HZ: u64 = 10;
const TWO_HZ: u64 = 25;
const ONE_HZ: u64 = 50;
const REFRESH: u64 = 250;

/// id, maker, model, serial number
const NAMEPLATES: &[(&str, &str, &str, &str)] = &[
    ("T-100", "Castor Vessels", "CV-9000", "T9-20417"),
    ("V-101", "Castor Valves", "EQ50-DN40", "V5-11873"),
    ("P-101", "Castor Pumps", "CP-8/32", "P8-30952"),
    ("HX-201", "Castor Thermal", "PHE-46", "H4-00718"),
    ("T-200", "Castor Vessels", "CV-4500", "T4-20418"),
    ("V-202", "Castor Valves", "EQ50-DN32", "V5-11901"),
    ("R-300", "Castor Filling", "Rinse 20", "R2-00119"),
    ("F-301", "Castor Filling", "Fill 24", "F2-00120"),
    ("C-302", "Castor Robotics", "Six-35", "C6-04410"),
    ("L-303", "Castor Packaging", "Label 6", "L6-00871"),
    ("CV-401", "Castor Packaging", "Belt 4", "B1-07001"),
    ("CV-402", "Castor Packaging", "Belt 4", "B1-07002"),
    ("CV-403", "Castor Packaging", "Belt 4", "B1-07003"),
    ("PZ-501", "Castor Packaging", "Stack 5", "S5-00233"),
    ("AGV-1", "Castor Robotics", "Fork 1000", "A1-00007"),
    ("K-601", "Castor Utilities", "Screw 18", "K1-55021"),
    ("CH-602", "Castor Utilities", "Chill 120", "K2-12009"),
    ("E-603", "Castor Electric", "Board 250", "E6-00031"),
];

/// Emits what is due at this tick. The first tick reports everything.
pub(super) fn report(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let tick = line.ticks();
    let due = |period: u64, phase: u64| tick <= 1 || tick % period == phase % period;
    if tick <= 1 {
        nameplates(to, emit);
    }
    report_states(line, to, tick.is_multiple_of(REFRESH), emit);
    if due(TWO_HZ, 3) {
        tanks(line, to, emit);
        valve("V-101", &line.feed_valve, to, emit);
        valve("V-202", &line.filler_valve, to, emit);
    }
    if due(FIVE_HZ, 1) {
        pump(line, to, emit);
        filler(line, to, emit);
    }
    if due(TWO_HZ, 9) {
        cooler(line, to, emit);
        rinser(line, to, emit);
        labeller(line, to, emit);
    }
    if due(TEN_HZ, 2) {
        capper(line, to, emit);
    }
    if due(TWO_HZ, 14) {
        conveyor("CV-401", &line.to_capper, to, emit);
        conveyor("CV-402", &line.to_labeller, to, emit);
        conveyor("CV-403", &line.to_palletiser, to, emit);
    }
    if due(FIVE_HZ, 6) {
        palletiser(line, to, emit);
        agv(line, to, emit);
    }
    if due(ONE_HZ, 20) {
        utilities(line, to, emit);
    }
}

pub(super) fn nameplates(to: &mut Reporter, emit: &mut Emit<'_>) {
    for (twin, maker, model, serial) in NAMEPLATES {
        to.nameplate(twin, maker, model, serial, emit);
    }
}

pub(super) fn states(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    report_states(line, to, true, emit);
}

fn report_states(line: &BottlingLine, to: &mut Reporter, refresh: bool, emit: &mut Emit<'_>) {
    let either = |condition: bool, yes: &'static str, no: &'static str| if condition { yes } else { no };
    let valve = |valve: &Machine<Valve>| either(valve.state.position < 0.02, "CLOSED", "CONTROLLING");
    let belt = |belt: &Machine<Conveyor>| either(belt.out.occupancy > 0.9, "ACCUMULATING", "RUNNING");
    let filler = match () {
        () if line.filler.out.starved => "STARVED",
        () if line.filler.out.blocked => "BLOCKED",
        () => "RUNNING",
    };
    let states = [
        ("T-100", either(line.feed_tank.level() < 0.3, "LOW", "RUNNING")),
        ("V-101", valve(&line.feed_valve)),
        ("P-101", either(line.story.repair, "MAINTENANCE", "RUNNING")),
        ("HX-201", either(line.cooler.out.duty > 1e3, "COOLING", "IDLE")),
        ("T-200", either(line.buffer_tank.level() < 0.3, "LOW", "RUNNING")),
        ("V-202", valve(&line.filler_valve)),
        ("R-300", either(line.rinser.out.speed > 0.02, "RUNNING", "STANDBY")),
        ("F-301", filler),
        ("C-302", either(line.capper.out.phase == CapperPhase::Wait, "WAITING", "CAPPING")),
        ("L-303", either(line.labeller.out.ready, "RUNNING", "REEL CHANGE")),
        ("CV-401", belt(&line.to_capper)),
        ("CV-402", belt(&line.to_labeller)),
        ("CV-403", belt(&line.to_palletiser)),
        ("PZ-501", line.palletiser.out.phase.text()),
        ("AGV-1", line.agv.out.phase.text()),
        ("K-601", either(line.compressor.state.loaded, "LOADED", "IDLE")),
        ("CH-602", either(line.chiller.state.load > 0.02, "COOLING", "IDLE")),
        ("E-603", "ON"),
    ];
    for (twin, state) in states {
        to.state(twin, state, refresh, emit);
    }
}

fn tanks(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let tank = &line.feed_tank;
    to.telemetry("T-100", "telemetry", emit, |r| {
        r.number("level", tank.level(), 0.002, 3)
            .number("temperature", tank.state.temperature, 0.03, 2)
            .number("inflow", line.feed_valve.out.flow * 3600.0, 0.03, 3)
            .number("outflow", tank.out.outflow * 3600.0, 0.03, 3)
            .number("agitator_speed", rpm(tank.state.agitator_speed), 0.1, 1)
            .number("agitator_power", tank.out.agitator_power / 1e3, 0.004, 3);
    });
    let tank = &line.buffer_tank;
    to.telemetry("T-200", "telemetry", emit, |r| {
        r.number("level", tank.level(), 0.002, 3)
            .number("temperature", tank.state.temperature, 0.03, 2)
            .number("inflow", line.pump.out.flow * 3600.0, 0.03, 3)
            .number("outflow", tank.out.outflow * 3600.0, 0.03, 3)
            .number("pressure", 0.8 + 0.01 * (tank.level() - design::BUFFER_LEVEL), 0.002, 3);
    });
}

fn valve(twin: &'static str, valve: &Machine<Valve>, to: &mut Reporter, emit: &mut Emit<'_>) {
    to.telemetry(twin, "telemetry", emit, |r| {
        r.number("position", valve.out.position * 100.0, 0.1, 1)
            .number("command", valve.out.command * 100.0, 0.0, 1)
            .number("flow", valve.out.flow * 3600.0, 0.03, 3)
            .number("dp", valve.out.pressure_difference / 1e5, 0.003, 3);
    });
}

fn pump(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let (pump, bearing) = (&line.pump.out, &line.bearing.out);
    let bar = |head: f64| DENSITY * GRAVITY * head / 1e5;
    let suction = bar(line.feed_tank.level());
    to.telemetry("P-101", "telemetry", emit, |r| {
        r.number("flow", pump.flow * 3600.0, 0.03, 3)
            .number("suction_pressure", suction, 0.002, 3)
            .number("discharge_pressure", suction + bar(pump.head), 0.008, 3)
            .number("head", pump.head, 0.06, 2)
            .number("speed", rpm(pump.speed), 1.5, 1)
            .number("torque", pump.torque, 0.02, 3)
            .number("power", pump.electrical_power / 1e3, 0.006, 3)
            .number("current", pump.current, 0.02, 3)
            .number("motor_temperature", pump.motor_temperature, 0.08, 2)
            .number("bearing_temperature", bearing.temperature, 0.08, 2)
            .number("vibration", bearing.vibration * 1e3, 0.02 * bearing.vibration * 1e3, 3);
    });
    to.raw("P-101", "running", if pump.speed > 1.0 { "true" } else { "false" }, emit);
}

fn cooler(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let cooler = &line.cooler.out;
    let flow = line.feed_tank.out.outflow;
    to.telemetry("HX-201", "telemetry", emit, |r| {
        r.number("product_in", cooler.hot_in, 0.03, 2)
            .number("coolant_in", cooler.cold_in, 0.03, 2)
            .number("coolant_out", cooler.cold_out, 0.03, 2)
            .number("product_flow", flow * 3600.0, 0.03, 3)
            .number("coolant_flow", line.chiller.out.flow * 3600.0, 0.04, 3)
            .number("dp", DENSITY * GRAVITY * cooler.resistance * flow * flow / 1e5, 0.003, 3);
    });
    if !line.story.silent {
        to.telemetry("HX-201", "TT-203", emit, |r| {
            r.number("value", cooler.hot_out, 0.03, 2);
        });
    }
}

fn rinser(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let rinser = &line.rinser;
    to.telemetry("R-300", "telemetry", emit, |r| {
        r.number("speed", rpm(rinser.out.speed), 0.01, 3)
            .number("water_flow", rinser.out.flow * 6e4, 0.05, 2)
            .number("water_pressure", rinser.out.pressure / 1e5, 0.004, 3)
            .number("water_used", rinser.state.used * 1e3, 0.0, 1)
            .number("power", rinser.out.power / 1e3, 0.004, 3);
    });
}

fn filler(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let filler = &line.filler;
    to.telemetry("F-301", "telemetry", emit, |r| {
        r.number("speed", rpm(filler.out.speed), 0.003, 3)
            .number("rate", rpm(filler.out.speed) * filler.model.valves, 0.05, 1)
            .number("fill_volume", filler.state.last_fill * 1e6, 0.0, 1)
            .number("bowl_level", filler.out.bowl_level * 1e3, 0.4, 1)
            .number("power", filler.out.power / 1e3, 0.01, 3)
            .count("rejects", filler.state.rejected);
    });
    to.raw("F-301", "bottles", &filler.state.filled.to_string(), emit);
}

fn capper(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    const ANGLES: [&str; JOINT_LIMITS.len()] = ["j1", "j2", "j3", "j4", "j5", "j6"];
    const TORQUES: [&str; JOINT_LIMITS.len()] = ["t1", "t2", "t3", "t4", "t5", "t6"];
    let capper = &line.capper;
    let each = |r: &mut Readings<'_>, names: [&str; 6], values: [f64; 6], sigma: f64| {
        for (name, value) in names.into_iter().zip(values) {
            r.number(name, value, sigma, 2);
        }
    };
    to.telemetry("C-302", "telemetry", emit, |r| {
        each(r, ANGLES, capper.out.angles, 0.0);
        each(r, TORQUES, capper.out.torques, 0.4);
        r.number("cap_torque", capper.out.cap_torque, 0.0, 2)
            .number("last_cap_torque", capper.state.last_cap_torque, 0.0, 2)
            .number("cycle_time", capper.state.last_cycle, 0.0, 2)
            .number("power", capper.out.power / 1e3, 0.003, 3)
            .count("caps", capper.state.capped)
            .flag("gripping", capper.out.gripping)
            .text("phase", capper.out.phase.text());
    });
}

fn conveyor(twin: &'static str, belt: &Machine<Conveyor>, to: &mut Reporter, emit: &mut Emit<'_>) {
    to.telemetry(twin, "telemetry", emit, |r| {
        r.number("speed", belt.out.speed, 0.001, 3)
            .number("occupancy", belt.out.occupancy * 100.0, 0.0, 1)
            .number("motor_current", belt.out.current, 0.01, 3)
            .number("motor_temperature", belt.state.motor_temperature, 0.08, 2)
            .number("travel", belt.state.travel, 0.0, 3)
            .count("bottles", belt.state.passed);
    });
    to.raw(twin, "running", if belt.out.speed > 0.02 { "true" } else { "false" }, emit);
}

fn labeller(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let labeller = &line.labeller;
    to.telemetry("L-303", "telemetry", emit, |r| {
        r.number("drum_speed", rpm(labeller.out.drum_speed), 0.02, 2)
            .number("rate", labeller.state.rate * 60.0, 0.0, 1)
            .number("power", labeller.out.power / 1e3, 0.003, 3)
            .count("labels_left", u64::from(labeller.state.labels))
            .count("labelled", labeller.state.labelled)
            .count("rejects", labeller.state.rejected);
    });
}

fn palletiser(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let palletiser = &line.palletiser;
    to.telemetry("PZ-501", "telemetry", emit, |r| {
        r.number("lift", palletiser.out.lift, 0.0005, 3)
            .number("lift_current", palletiser.out.lift_current, 0.01, 3)
            .count("layers", u64::from(palletiser.state.layers))
            .count("collected", u64::from(palletiser.state.collected))
            .flag("pallet_waiting", palletiser.out.pallet_waiting);
    });
    to.raw("PZ-501", "pallets", &palletiser.state.pallets.to_string(), emit);
}

fn agv(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let agv = &line.agv;
    to.telemetry("AGV-1", "telemetry", emit, |r| {
        r.number("position", agv.state.position, 0.002, 3)
            .number("speed", agv.state.speed, 0.002, 3)
            .number("forks", agv.state.forks * 1e3, 0.1, 1)
            .number("battery", agv.out.battery * 100.0, 0.0, 1)
            .count("trips", agv.state.trips)
            .flag("loaded", agv.state.loaded);
    });
}

fn utilities(line: &BottlingLine, to: &mut Reporter, emit: &mut Emit<'_>) {
    let compressor = &line.compressor;
    to.gateway("K-601", "telemetry", emit, |r| {
        r.number("pressure", compressor.state.pressure / 1e5, 0.005, 3)
            .number("air_flow", compressor.out.drawn * 60.0, 0.01, 3)
            .number("temperature", compressor.state.temperature, 0.1, 1)
            .number("fan_speed", rpm(compressor.out.fan_speed), 1.0, 0)
            .number("power", compressor.out.power / 1e3, 0.02, 2)
            .number("loaded_hours", 4120.0 + compressor.state.loaded_secs / 3600.0, 0.0, 4)
            .flag("loaded", compressor.state.loaded);
    });
    let chiller = &line.chiller;
    to.gateway("CH-602", "telemetry", emit, |r| {
        r.number("supply_temperature", chiller.state.supply, 0.02, 2)
            .number("return_temperature", chiller.out.return_temperature, 0.02, 2)
            .number("condensing_temperature", chiller.out.condensing, 0.05, 1)
            .number("flow", chiller.out.flow * 3600.0, 0.03, 2)
            .number("load", chiller.state.load * 100.0, 0.0, 1)
            .number("power", chiller.out.power / 1e3, 0.03, 2)
            .number("cooling", chiller.out.cooling / 1e3, 0.1, 1)
            .number("cop", chiller.out.cop, 0.01, 2)
            .number("fan_speed", rpm(chiller.out.fan_speed), 1.0, 0);
    });
    let supply = &line.supply;
    to.gateway("E-603", "telemetry", emit, |r| {
        r.number("voltage", supply.out.voltage, 0.0, 1)
            .number("current", supply.out.current, 0.1, 1)
            .number("power", supply.state.power / 1e3, 0.02, 2)
            .number("power_factor", supply.out.power_factor, 0.001, 3)
            .number("energy", supply.state.energy / 3.6e6, 0.0, 4)
            .number("temperature", supply.state.temperature, 0.05, 1);
    });
    to.raw("HALL", "temperature", &format!("{:.1}", line.ambient), emit);
    to.raw("HALL", "humidity", &format!("{:.1}", 52.0 - 1.4 * (line.ambient - 21.0)), emit);
}
