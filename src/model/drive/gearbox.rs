//! A pair of gears in oil. In: the speed of its first shaft, the torque at its second one, the air. Out: the speed of the
//! second shaft, the torque at the first, oil temperature and iron, vibration lines, backlash. Never stores motion: what
//! it drives weighs on the motor.
//!
//! n_2 = n_1 z_1 / z_2, T_1 = T_2 z_1 / z_2 / eta while power goes forwards (eta times it while it comes back), plus the
//! drag of the oil. C_o dT_o/dt = loss - UA (T_o - T_a). Vibration: sum over m of A_m (1 + a_1 cos w_1 t + a_2 cos w_2 t)
//! cos(m 2 pi f_mesh t) (Randall, "Vibration-based Condition Monitoring", ch. 2); pitting raises a_1 by 20 dB on its way
//! from 0 to 1 and makes iron in the oil, a broken tooth strikes once per turn, worn flanks let the second shaft lag when
//! the direction turns. The second shaft follows one step behind the first.
//!
//! Order 1: the oil is exact for a loss that stands, but the loss follows the oil. Wear is exact for a speed that
//! stands.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | 23/67 at 1480 rpm: mesh and first lower line, Hz | sheet 1.8 | 567.333, 542.667 | the same | < 1e-6 |
//! | hunting tooth, Hz | sheet 1.8 | 0.368159 | 0.368159 | < 1e-6 |
//! | speed of the wheel, rpm | sheet 1.8 | 508.060 | 508.060 | < 1e-6 |

use std::f64::consts::TAU;

use super::teeth::Pair;
use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{
    Carrier, Description, Domain, Given, Model, OutputKind, Port, Repair, StateMut, StateRef, Waveform,
};

/// A pair of gears in oil.
#[derive(Clone, Copy, Debug)]
pub struct Gearbox;

quantities! {
    pub parameters GearboxParameters {
        /// Teeth of the pinion, on the first shaft
        pinion: "" = 23.0, 5.0 => 500.0, design, "sheet 1.8, assumed";
        /// Teeth of the wheel, on the second shaft
        wheel: "" = 67.0, 5.0 => 500.0, design, "sheet 1.8, assumed";
        /// Share of the power that passes
        efficiency: "" = 0.985, 0.3 => 1.0, design, "0.98 to 0.99 for each stage: Niemann, Machine Elements";
        /// Speed of the first shaft for which vibration and drag are said
        rated_speed: "rad/s" = 154.985_237_577_096_46, 0.1 => 1e4, design, "1480 rpm";
        /// Torque of cold oil at rated speed
        oil_drag: "N.m" = 1.0, 0.0 => 1e4, design, "assumed";
        /// Oil temperature at which that drag has halved
        oil_warm: "K" = 30.0, 1.0 => 200.0, design, "assumed: viscosity of ISO VG 220 above 20 °C";
        /// From oil to air
        cooling: "W/K" = 10.0, 0.01 => 1e4, design, "sheet 1.8, assumed: 5 to 20";
        /// Thermal time constant of the oil
        thermal_time: "s" = 2700.0, 1.0 => 1e6, design, "sheet 1.8, assumed: 30 to 60 min";
        /// Velocity of the first mesh line when new
        mesh_1: "m/s" = 0.2e-3, 0.0 => 0.1, design, "sheet 1.8, assumed";
        /// Velocity of the second mesh line
        mesh_2: "m/s" = 0.1e-3, 0.0 => 0.1, design, "sheet 1.8, assumed";
        /// Velocity of the third mesh line
        mesh_3: "m/s" = 0.05e-3, 0.0 => 0.1, design, "sheet 1.8, assumed";
        /// Share by which each turn modulates the mesh when new
        modulation: "" = 0.05, 0.0 => 1.0, design, "assumed";
        /// Backlash of new gears, at the second shaft
        new_backlash: "rad" = 5e-4, 0.0 => 0.1, design, "assumed: 0.1 mm at 0.2 m";
        /// Iron that comes into the oil in a second while new
        iron_rate: "1/s" = 1e-12, 0.0 => 1e-3, design, "assumed: 10 ppm in four months";
        /// Pitting that a second at rated speed adds
        pitting_rate: "1/s" = 0.0, 0.0 => 1.0, condition, "none; 8e-8 is 1 dB in a week";
        /// Pitting of the flanks beside what has grown
        pitting: "" = 0.0, 0.0 => 1.0, condition, "none";
        /// Backlash that a second at rated speed adds
        backlash_rate: "rad/s" = 0.0, 0.0 => 1.0, condition, "none";
        /// Share of the oil that is lost
        oil_loss: "" = 0.0, 0.0 => 0.95, condition, "none";
        /// Whether a tooth of the pinion is broken
        broken_tooth: "" = 0.0, 0.0 => 1.0, condition, "whole";
    }
}

quantities! {
    pub states GearboxState {
        /// Speed of the first shaft
        speed: "rad/s" = 0.0, -1e5 => 1e5;
        /// Temperature of the oil
        oil: "degC" = 20.0, -100.0 => 2000.0, estimated;
        /// Pitting that has grown
        pitting: "" = 0.0, 0.0 => 1.0, estimated;
        /// Backlash that has grown
        backlash: "rad" = 0.0, 0.0 => 1.0, estimated;
        /// Iron in the oil
        iron: "" = 1e-5, 0.0 => 1.0;
        /// How far the second shaft hangs within its backlash, from -1 to 1
        side: "" = 1.0, -1.0 => 1.0;
    }
}

quantities! {
    pub inputs GearboxInputs {
        /// Speed of the first shaft
        speed: "rad/s", mean = 0.0;
        /// Torque of what the second shaft drives
        load_torque: "N.m", mean = 0.0;
        /// Temperature of the air
        ambient: "degC", mean = 20.0;
    }
}

quantities! {
    pub outputs GearboxOutputs {
        /// Speed of the second shaft
        speed: "rad/s", held;
        /// Torque that the first shaft needs
        torque: "N.m", direct;
        /// Power that becomes heat
        loss: "W", direct;
        /// Temperature of the oil
        oil_temperature: "degC", held;
        /// Teeth that meet in a second
        mesh_frequency: "Hz", held;
        /// Turns of the first shaft in a second: the distance of its sidebands
        pinion_frequency: "Hz", held;
        /// Turns of the second shaft in a second
        wheel_frequency: "Hz", held;
        /// How often the same two teeth meet
        hunting_frequency: "Hz", held;
        /// Level of the first sideband against its mesh line
        sidebands: "dB", held;
        /// Velocity of vibration, rms
        vibration: "m/s", held;
        /// Iron in the oil, by mass
        iron: "", held;
        /// Pitting of the flanks
        pitting: "", held;
        /// Backlash at the second shaft
        backlash: "rad", held;
        /// What the second shaft lags within its backlash
        position_error: "rad", held;
        /// Whether the same teeth meet seldom: no common factor
        hunts: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Gearbox",
    about: "A pair of gears in oil",
    source: "Niemann, Machine Elements; Randall, Vibration-based Condition Monitoring",
    step: Some(10_000_000),
    parameters: GearboxParameters::ALL,
    states: GearboxState::ALL,
    inputs: GearboxInputs::ALL,
    outputs: GearboxOutputs::ALL,
    ports: &[
        Port {
            name: "input",
            about: "The shaft that drives it",
            domain: Domain::Taker { carrier: Carrier::Rotation, taken: "torque", potential: Some("speed") },
            required: false,
        },
        Port {
            name: "output",
            about: "What its second shaft drives",
            domain: Domain::Giver { carrier: Carrier::Rotation, given: "load_torque", potential: "speed" },
            required: false,
        },
    ],
    draws: &["noise"],
    repairs: &[Repair { name: "replace_gears", about: "New gears" }, Repair { name: "change_oil", about: "Fresh oil" }],
    waveforms: &[Waveform { name: "velocity", about: "Velocity of vibration of the housing", unit: "m/s" }],
    ..Description::EMPTY
};

fn pair(p: &GearboxParameters) -> Pair {
    Pair { pinion: (p.pinion + 0.5) as u32, wheel: (p.wheel + 0.5) as u32 }
}

/// Share by which turns of pinion and wheel modulate the mesh.
fn modulation(p: &GearboxParameters, s: &GearboxState) -> (f64, f64) {
    // Oil that is lost leaves the flanks dry: all grows. A pinion wears first, its teeth meet more often.
    let pitted = (s.pitting + p.pitting).min(1.0);
    let grown = |decades: f64| (p.modulation * libm::exp(decades * std::f64::consts::LN_10)).min(4.0);
    (grown(pitted), grown(0.5 * pitted))
}

/// N m at the first shaft, and W that become heat.
fn torque(p: &GearboxParameters, s: &GearboxState, speed: f64, load: f64) -> (f64, f64) {
    // No shaft bears more; a loop of gears that drive each other stays a number.
    let through = load.clamp(-1e9, 1e9) * pair(p).ratio();
    // Losses take from whichever side gives.
    let efficiency = p.efficiency * (1.0 - 0.05 * p.oil_loss);
    let forwards = through * speed >= 0.0;
    let geared = if forwards { through / efficiency } else { through * efficiency };
    let thick = libm::exp2((20.0 - s.oil.clamp(-40.0, 150.0)) / p.oil_warm);
    let drag = p.oil_drag * (1.0 - p.oil_loss) * thick.min(20.0) * (speed / p.rated_speed).clamp(-10.0, 10.0);
    (geared + drag, ((geared - through) * speed).max(0.0) + drag * speed)
}

/// m/s of each mesh line at the speed that it has, peak.
fn lines(p: &GearboxParameters, s: &GearboxState) -> [f64; 3] {
    let ratio = (s.speed.abs() / p.rated_speed).min(10.0) * (1.0 + 2.0 * p.oil_loss);
    [p.mesh_1, p.mesh_2, p.mesh_3].map(|line| line * ratio)
}

fn impact(p: &GearboxParameters, s: &GearboxState) -> f64 {
    // A broken tooth strikes five times as hard as the mesh.
    if p.broken_tooth > 0.5 { 5.0 * lines(p, s)[0] } else { 0.0 }
}

impl Model for Gearbox {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = GearboxState::of(state.numbers);
        let u = GearboxInputs::of(given.inputs);
        s.oil = u.ambient.clamp(-100.0, 2000.0);
        s.speed = u.speed.clamp(-1e5, 1e5);
        s.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (GearboxParameters::of(given.parameters), GearboxState::of(state.numbers));
        let (u, pair) = (GearboxInputs::of(given.inputs), pair(&p));
        let turns = s.speed.abs() / TAU;
        let (torque, loss) = torque(&p, &s, u.speed.clamp(-1e5, 1e5), u.load_torque);
        let (one, two) = modulation(&p, &s);
        let power: f64 =
            lines(&p, &s).iter().map(|line| 0.5 * line * line * (1.0 + 0.5 * (one * one + two * two))).sum();
        // An impact that has died out after a tenth of a turn.
        let struck = impact(&p, &s);
        let backlash = p.new_backlash + s.backlash;
        GearboxOutputs {
            speed: s.speed * pair.ratio(),
            torque,
            loss,
            oil_temperature: s.oil,
            mesh_frequency: pair.mesh(turns),
            pinion_frequency: turns,
            wheel_frequency: turns * pair.ratio(),
            hunting_frequency: pair.hunting(turns),
            sidebands: 20.0 * libm::log10((0.5 * one).max(1e-9)),
            vibration: (power + 0.05 * struck * struck).sqrt(),
            iron: s.iron,
            pitting: (s.pitting + p.pitting).min(1.0),
            backlash,
            position_error: 0.5 * backlash * s.side,
            hunts: f64::from(u8::from(pair.assembly_phases() == 1)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (GearboxParameters::of(given.parameters), GearboxState::of(state.numbers));
        let u = GearboxInputs::of(given.inputs);
        s.speed = u.speed.clamp(-1e5, 1e5);
        let (torque, loss) = torque(&p, &s, s.speed, u.load_torque);
        // Less oil holds less heat and carries less of it to the walls.
        let full = 1.0 - p.oil_loss;
        let cooling = p.cooling * (0.4 + 0.6 * full);
        let warm = u.ambient + loss / cooling;
        s.oil = approach(s.oil, warm, p.thermal_time * (0.3 + 0.7 * full), dt).clamp(-100.0, 2000.0);
        let ratio = (s.speed.abs() / p.rated_speed).min(10.0);
        s.pitting = (s.pitting + p.pitting_rate * ratio * dt).min(1.0);
        s.backlash = (s.backlash + p.backlash_rate * ratio * dt).min(1.0);
        // Doubles each month on the way of 1 dB a week.
        let shed = p.iron_rate * libm::exp2(4.6 * (s.pitting + p.pitting).min(1.0)) * ratio;
        s.iron = (s.iron + shed * dt / full).min(1.0);
        // The flank that carries: the second shaft crosses its play when the torque turns round.
        let play = p.new_backlash + s.backlash;
        let towards = if torque >= 0.0 { 1.0 } else { -1.0 };
        let crossing = if play > 0.0 { 2.0 * s.speed.abs() * pair(&p).ratio() * dt / play } else { 2.0 };
        s.side = (s.side + (towards - s.side).clamp(-crossing, crossing)).clamp(-1.0, 1.0);
        s.put(state.numbers);
    }

    fn repair(&self, repair: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = GearboxState::of(state.numbers);
        match repair {
            0 => (s.pitting, s.backlash) = (0.0, 0.0),
            _ => s.iron = 0.0,
        }
        s.put(state.numbers);
    }

    fn waveform(&self, _: usize, given: &Given<'_>, state: StateRef<'_>, rate: f64, out: &mut [f64]) {
        let (p, s) = (GearboxParameters::of(given.parameters), GearboxState::of(state.numbers));
        let (pair, noise) = (pair(&p), given.draws.of(0));
        let turns = s.speed.abs() / TAU;
        let (lines, (one, two), struck) = (lines(&p, &s), modulation(&p, &s), impact(&p, &s));
        let mesh = pair.mesh(turns);
        let begin = given.secs();
        let first = libm::round(begin * rate) as u64;
        for (number, sample) in out.iter_mut().enumerate() {
            let t = begin + number as f64 / rate;
            let wave = |hertz: f64| libm::cos(TAU * libm::fmod(hertz * t, 1.0));
            let modulated = 1.0 + one * wave(turns) + two * wave(turns * pair.ratio());
            // A line above half the rate would show where it is not.
            let lines = lines.iter().zip([1.0, 2.0, 3.0]).filter(|(_, m)| m * mesh < 0.5 * rate);
            let sum: f64 = lines.map(|(line, m)| line * wave(m * mesh)).sum();
            let since = libm::fmod(turns * t, 1.0);
            let strike = struck * libm::exp(-30.0 * since) * wave(2.0 * mesh);
            *sample = modulated * sum + strike + 0.02 * p.mesh_1 * noise.normal(first + number as u64);
        }
    }
}
