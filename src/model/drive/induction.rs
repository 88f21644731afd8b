//! A squirrel-cage motor and its variable-speed drive. In: the frequency that it is told, the voltage of its supply, the
//! torque of what it drives. Out: speed, slip, torque, current, power, power factor, temperature, life of its insulation.
//! Never shows what happens within a period of the mains: its torque is that of the [circuit](super::circuit) at rest.
//!
//! J dw/dt = T_e(slip) - T - F w, stepped by the exponential of its slope (Hochbruck and Ostermann, "Exponential
//! integrators", Acta Numerica 19, 2010: exact for straight curves, stable on steep ones). Drive: V/f constant with a
//! little more at the low end, a ramp, never more voltage than the supply has. Heat: C dT/dt = losses - (T - T_a) / R,
//! and a fan on the shaft that cools less when it turns slowly. Resistances follow temperature: (234.5 + T) / 254.5 for
//! copper, (225 + T) / 245 for the aluminium of the cage. Insulation: life halves with every 10 K (Montsinger; IEC
//! 60085). Unbalanced voltage of u % adds 2 u² % to the rise (NEMA MG 1).
//!
//! The speed is of order 2 in its step, the temperature of order 1.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | winding resistance from 20 to 120 °C | sheet 1.2 | 1.39293 | 1.39293 | < 1e-5 |
//! | insulation life 10 K above its class | sheet 1.2 | 10 000 h | 10 000 h | 0 |
//! | speed and torque at 98.109 N m and 20 °C | sheet 1.2 | 1465.03 rpm, 99.5727 N m | the same | < 1e-5 |

use std::f64::consts::TAU;

use super::circuit::{Circuit, Point};
use crate::model::integrate::{approach, move_towards};
use crate::model::quantities;
use crate::model::{
    Carrier, Description, Domain, Given, Model, OutputKind, Port, Repair, StateMut, StateRef, Waveform,
};

/// A squirrel-cage motor with a variable-speed drive.
#[derive(Clone, Copy, Debug)]
pub struct InductionMotor;

const PRESET: &str = "MathWorks preset, 20 HP 400 V 50 Hz";

quantities! {
    pub parameters InductionMotorParameters {
        /// Resistance of a stator phase at 20 °C
        stator_resistance: "ohm" = 0.2147, 1e-4 => 1e3, design, PRESET;
        /// Resistance of a rotor phase at 20 °C, seen from the stator
        rotor_resistance: "ohm" = 0.2205, 1e-4 => 1e3, design, PRESET;
        /// Leakage inductance of the stator
        stator_leakage: "H" = 0.000_991, 1e-6 => 10.0, design, PRESET;
        /// Leakage inductance of the rotor
        rotor_leakage: "H" = 0.000_991, 1e-6 => 10.0, design, PRESET;
        /// Magnetising inductance
        magnetising: "H" = 0.064_19, 1e-5 => 100.0, design, PRESET;
        /// Pairs of poles
        pole_pairs: "" = 2.0, 1.0 => 12.0, design, PRESET;
        /// Moment of inertia of rotor and load
        inertia: "kg.m2" = 0.102, 1e-4 => 1e4, design, PRESET;
        /// Viscous friction
        friction: "N.m.s" = 0.009_541, 0.0 => 100.0, design, PRESET;
        /// Line voltage at rated frequency
        rated_voltage: "V" = 400.0, 1.0 => 1e5, design, PRESET;
        /// Frequency at rated voltage
        rated_frequency: "Hz" = 50.0, 1.0 => 500.0, design, PRESET;
        /// Share of rated voltage that is left as the frequency falls to 0
        boost: "" = 0.02, 0.0 => 0.2, design, "assumed: a drive's factory setting";
        /// Change of frequency in a second; 0 for at once
        ramp: "Hz/s" = 10.0, 0.0 => 1e4, design, "assumed: 5 s to rated frequency";
        /// Share of synchronous speed at the beginning
        start: "" = 0.0, 0.0 => 1.0, start, "at rest";
        /// Share of the power taken that the drive passes on
        drive_efficiency: "" = 0.97, 0.1 => 1.0, design, "IEC 61800-9-2, class IE2";
        /// Losses in iron at rated voltage and frequency
        iron_loss: "W" = 250.0, 0.0 => 1e6, design, "assumed: brings full-load efficiency to 0.92, IE3 class";
        /// What the winding is warmer than the air at rated load
        rated_rise: "K" = 80.0, 1.0 => 200.0, design, "IEC 60034-1: class B rise";
        /// Losses at rated load
        rated_loss: "W" = 1100.0, 0.1 => 1e6, design, "circuit at 98 N m, and iron";
        /// Thermal time constant at rated speed
        thermal_time: "s" = 2700.0, 1.0 => 1e6, design, "assumed: 45 to 60 min for a frame of 15 kW";
        /// Share of the cooling that stays when its fan stands still
        still_cooling: "" = 0.4, 0.05 => 1.0, design, "assumed: own fan; 1 for a fan of its own";
        /// Temperature for which its insulation is made
        insulation_class: "degC" = 155.0, 90.0 => 250.0, design, "IEC 60085: class F";
        /// Life of the insulation at that temperature
        insulation_life: "s" = 7.2e7, 3600.0 => 1e10, design, "20 000 h: IEC 60216";
        /// Voltage unbalance of the supply
        unbalance: "" = 0.0, 0.0 => 0.1, condition, "none";
        /// Times more resistance of heat to the air
        blocked_cooling: "" = 1.0, 1.0 => 10.0, condition, "free; 1.5 to 2 with a blocked fan";
        /// Share of the rotor's bars that are broken
        broken_bars: "" = 0.0, 0.0 => 0.5, condition, "none";
        /// Whether one line is open
        lost_phase: "" = 0.0, 0.0 => 1.0, condition, "all lines connected";
        /// Torque of a dry bearing
        drag: "N.m" = 0.0, 0.0 => 1e4, condition, "none";
    }
}

quantities! {
    pub states InductionMotorState {
        /// Speed
        speed: "rad/s" = 0.0, -1e5 => 1e5, estimated;
        /// Frequency that the drive gives
        frequency: "Hz" = 0.0, 0.0 => 1e3;
        /// Line voltage that the drive gives
        voltage: "V" = 0.0, 0.0 => 2e5;
        /// Temperature of the winding
        temperature: "degC" = 20.0, -100.0 => 2000.0, estimated;
        /// Share of the insulation's life that is used
        aged: "" = 0.0, 0.0 => 1e3, estimated;
    }
}

quantities! {
    pub inputs InductionMotorInputs {
        /// Frequency that its drive is told
        frequency: "Hz", last = 50.0;
        /// Most line voltage that its drive is told to give
        voltage: "V", last = 400.0;
        /// Line voltage of the supply
        supply: "V", mean = 400.0;
        /// Torque of what it drives, positive against forward rotation
        load_torque: "N.m", mean = 0.0;
        /// Temperature of the air
        ambient: "degC", mean = 20.0;
        /// Heat that comes in through the housing
        heat: "W", mean = 0.0;
    }
}

quantities! {
    pub outputs InductionMotorOutputs {
        /// Speed
        speed: "rad/s", held;
        /// Share of synchronous speed that the rotor lags
        slip: "", held;
        /// Frequency that the drive gives
        frequency: "Hz", held;
        /// Line voltage that the drive gives
        voltage: "V", held;
        /// Torque of the magnetic field
        torque: "N.m", held;
        /// Current of each line
        current: "A", held;
        /// Power taken from the supply
        power: "W", held;
        /// Power at the shaft
        shaft_power: "W", held;
        /// Share of the motor's apparent power that is real
        power_factor: "", held;
        /// Shaft power over power taken
        efficiency: "", held;
        /// Heat made in the motor
        loss: "W", held;
        /// Temperature of the winding
        temperature: "degC", held;
        /// Share of the insulation's life that is left
        insulation: "", held;
        /// Level of the lines of broken bars against that of the mains
        bar_lines: "dB", held;
        /// Whether it turns
        running: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "InductionMotor",
    about: "A squirrel-cage motor with a variable-speed drive",
    source: "Krause, Analysis of Electric Machinery; IEC 60034-1",
    step: Some(10_000_000),
    parameters: InductionMotorParameters::ALL,
    states: InductionMotorState::ALL,
    inputs: InductionMotorInputs::ALL,
    outputs: InductionMotorOutputs::ALL,
    ports: &[
        Port {
            name: "mains",
            about: "Where its drive takes power",
            domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: Some("supply") },
            required: false,
        },
        Port {
            name: "shaft",
            about: "What it drives",
            domain: Domain::Giver { carrier: Carrier::Rotation, given: "load_torque", potential: "speed" },
            required: false,
        },
        Port {
            name: "housing",
            about: "Where heat leaves",
            domain: Domain::Heat { temperature: "temperature", flow: "heat" },
            required: false,
        },
    ],
    repairs: &[Repair { name: "rewind", about: "A new winding with new insulation" }],
    waveforms: &[Waveform { name: "current", about: "Current of one line", unit: "A" }],
    ..Description::EMPTY
};

/// Resistance of copper at a temperature in °C over that at 20 °C.
pub fn copper(celsius: f64) -> f64 {
    ((234.5 + celsius) / 254.5).max(0.1)
}

/// Life of insulation in the unit of `rated`, at a temperature, for a class, both in °C.
pub fn insulation_life(rated: f64, class: f64, celsius: f64) -> f64 {
    rated * libm::exp2((class - celsius) / 10.0)
}

/// The machine as it is now: warm, with its broken bars.
fn circuit(p: &InductionMotorParameters, s: &InductionMotorState) -> Circuit {
    let cage = ((225.0 + s.temperature) / 245.0).max(0.1);
    Circuit {
        stator_resistance: p.stator_resistance * copper(s.temperature),
        rotor_resistance: p.rotor_resistance * cage * (1.0 + 2.0 * p.broken_bars),
        stator_leakage: p.stator_leakage,
        rotor_leakage: p.rotor_leakage,
        magnetising: p.magnetising,
        // Poles come in whole pairs.
        pole_pairs: (p.pole_pairs + 0.5).floor(),
    }
}

/// Below this a drive gives nothing, Hz.
const LEAST: f64 = 0.05;

fn slip(circuit: &Circuit, s: &InductionMotorState, speed: f64) -> f64 {
    if s.frequency <= LEAST { 0.0 } else { 1.0 - speed / circuit.synchronous(s.frequency) }
}

fn point(p: &InductionMotorParameters, circuit: &Circuit, s: &InductionMotorState, speed: f64) -> Point {
    if s.frequency <= LEAST || s.voltage <= 0.0 {
        return Point::default();
    }
    let (slip, phase) = (slip(circuit, s, speed), s.voltage / 3f64.sqrt());
    if p.lost_phase > 0.5 {
        circuit.with_two_lines(slip, phase, s.frequency)
    } else {
        circuit.at(slip, phase, s.frequency)
    }
}

/// Iron losses in W: with the square of the flux, and with frequency.
fn iron(p: &InductionMotorParameters, s: &InductionMotorState) -> f64 {
    if s.frequency <= LEAST {
        return 0.0;
    }
    let (voltage, frequency) = (s.voltage / p.rated_voltage, s.frequency / p.rated_frequency);
    p.iron_loss * voltage * voltage / frequency.max(0.1)
}

/// dB of the lines of broken bars: -55 for a healthy cage, -35 with one of 40 bars broken.
fn bar_level(p: &InductionMotorParameters) -> f64 {
    let healthy = 1.778e-3;
    20.0 * libm::log10(healthy + p.broken_bars * 40.0 * (0.017_78 - healthy))
}

impl Model for InductionMotor {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let (p, mut s) = (InductionMotorParameters::of(given.parameters), InductionMotorState::of(state.numbers));
        let u = InductionMotorInputs::of(given.inputs);
        s.temperature = u.ambient.clamp(-100.0, 2000.0);
        if p.start > 0.0 || p.ramp == 0.0 {
            drive(&p, &u, &mut s, f64::INFINITY);
            s.speed = (p.start * circuit(&p, &s).synchronous(s.frequency)).clamp(0.0, 1e5);
        }
        s.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (InductionMotorParameters::of(given.parameters), InductionMotorState::of(state.numbers));
        let circuit = circuit(&p, &s);
        let (point, iron) = (point(&p, &circuit, &s, s.speed), iron(&p, &s));
        let (power, shaft_power) = ((point.power + iron).max(0.0) / p.drive_efficiency, point.torque * s.speed);
        InductionMotorOutputs {
            speed: s.speed,
            slip: slip(&circuit, &s, s.speed),
            frequency: s.frequency,
            voltage: s.voltage,
            torque: point.torque,
            current: point.current,
            power,
            shaft_power,
            power_factor: point.power_factor,
            efficiency: if power > 0.0 { (shaft_power / power).clamp(0.0, 1.0) } else { 0.0 },
            loss: point.copper + iron,
            temperature: s.temperature,
            insulation: (1.0 - s.aged).max(0.0),
            bar_lines: bar_level(&p),
            running: f64::from(u8::from(s.speed.abs() > 0.05 * circuit.synchronous(p.rated_frequency))),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (InductionMotorParameters::of(given.parameters), InductionMotorState::of(state.numbers));
        let u = InductionMotorInputs::of(given.inputs);
        drive(&p, &u, &mut s, dt);
        let circuit = circuit(&p, &s);
        // What holds a shaft back cannot turn it round by itself.
        let drag = if s.speed > 0.0 { p.drag } else { 0.0 };
        let slope = |w: f64| (point(&p, &circuit, &s, w).torque - u.load_torque - drag - p.friction * w) / p.inertia;
        let mut speed = s.speed;
        for _ in 0..2 {
            let (h, here) = (0.5 * dt, slope(speed));
            let reach = 1e-5 * circuit.synchronous(p.rated_frequency);
            let steep = ((slope(speed + reach) - slope(speed - reach)) / (2.0 * reach)).clamp(-1e9, 20.0 / dt);
            let weight = if (steep * h).abs() < 1e-9 { h } else { libm::expm1(steep * h) / steep };
            speed = (speed + weight * here).clamp(-1e5, 1e5);
        }
        if drag > 0.0 && speed < 0.0 && u.load_torque >= 0.0 {
            speed = 0.0;
        }
        s.speed = speed;
        let point = point(&p, &circuit, &s, s.speed);
        let uneven = 100.0 * p.unbalance;
        let loss = (point.copper + iron(&p, &s)) * (1.0 + 0.02 * uneven * uneven);
        let fan = (s.speed.abs() / circuit.synchronous(p.rated_frequency)).min(1.0);
        let cooling = p.still_cooling + (1.0 - p.still_cooling) * fan;
        let resistance = p.rated_rise / p.rated_loss;
        let capacity = p.thermal_time / resistance;
        let resistance = resistance * p.blocked_cooling / cooling;
        let warm = u.ambient + resistance * (loss + u.heat);
        s.temperature = approach(s.temperature, warm, resistance * capacity, dt).clamp(-100.0, 2000.0);
        let life = insulation_life(p.insulation_life, p.insulation_class, s.temperature);
        s.aged = (s.aged + dt / life.max(1e-3)).min(1e3);
        s.put(state.numbers);
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = InductionMotorState::of(state.numbers);
        s.aged = 0.0;
        s.put(state.numbers);
    }

    fn waveform(&self, _: usize, given: &Given<'_>, state: StateRef<'_>, rate: f64, out: &mut [f64]) {
        let (p, s) = (InductionMotorParameters::of(given.parameters), InductionMotorState::of(state.numbers));
        let circuit = circuit(&p, &s);
        let peak = 2f64.sqrt() * point(&p, &circuit, &s, s.speed).current;
        let line = libm::exp(bar_level(&p) / 20.0 * std::f64::consts::LN_10);
        let [below, above] = Circuit::bar_lines(s.frequency, slip(&circuit, &s, s.speed));
        let begin = given.secs();
        for (number, sample) in out.iter_mut().enumerate() {
            let t = begin + number as f64 / rate;
            let wave = |hertz: f64| libm::sin(TAU * libm::fmod(hertz * t, 1.0));
            *sample = peak * (wave(s.frequency) + line * (wave(below) + wave(above)));
        }
    }
}

/// What the drive gives after `dt`.
fn drive(p: &InductionMotorParameters, u: &InductionMotorInputs, s: &mut InductionMotorState, dt: f64) {
    let wanted = u.frequency.clamp(0.0, (4.0 * p.rated_frequency).min(1e3));
    let at_once = p.ramp <= 0.0 || dt.is_infinite();
    s.frequency = if at_once { wanted } else { move_towards(s.frequency, wanted, p.ramp, dt) };
    let share = (s.frequency / p.rated_frequency).min(1.0);
    let flux = p.rated_voltage * (p.boost * (1.0 - share) + share);
    let given = flux.min(u.voltage).min(u.supply).clamp(0.0, 2e5);
    s.voltage = if s.frequency <= LEAST { 0.0 } else { given };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_winding_of_copper_has_39_percent_more_resistance_at_120_degrees() {
        assert!((copper(120.0) / copper(20.0) - 1.392_93).abs() < 1e-5);
    }

    #[test]
    fn insulation_lives_half_as_long_10_kelvin_above_its_class() {
        assert_eq!(insulation_life(20_000.0, 155.0, 165.0), 10_000.0);
        assert_eq!(insulation_life(20_000.0, 130.0, 130.0), 20_000.0);
    }
}
