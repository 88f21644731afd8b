//! A spindle that cuts metal with a tool that wears. In: cutting speed, feed, depth, whether the tool cuts. Out: cutting
//! force, power, current, roughness, error of size, wear of the tool and of the bearing. Never wears while it idles.
//!
//! Life of an edge: V T^n f^a d^b constant (Taylor, extended); used life is the sum of dt / T (Miner). Wear of the flank
//! over used life h: 0.05 + 0.2 h mm, and from 0.85 on 0.05 ((h - 0.85) / 0.15)³ more: 0.3 mm at 1, its end (ISO 3685).
//! Force: F = k_c1.1 b h^(1 - m_c) (1 + k_w VB) (Kienzle, VDI-Z 94, 1952). Marks of turning: f² / (8 r), higher as the edge
//! wears. The spindle grows towards a length with its time constant.
//!
//! Wear and growth are exact for a cut that stands during a step.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | life at 100, 150 and 200 m/min, C 300, n 0.25 | sheet 1.12 | 81, 16, 5.0625 min | the same | < 1e-12 |
//! | speed at which life doubles | sheet 1.12 | 0.840896 | 0.840896 | < 1e-6 |
//! | 27 min at 100 and 8 min at 150 m/min | sheet 1.12 | 0.833333 | 0.833333 | < 1e-6 |
//! | k_c and F for b 2 mm, h 0.2 mm | sheet 1.12 | 2542.09 N/mm², 1016.84 N | the same | < 1e-5 |
//! | power of that at 200 m/min | sheet 1.12 | 3.38946 kW | 3.38946 kW | < 1e-5 |

use std::f64::consts::TAU;

use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{
    Carrier, Description, Domain, Given, Model, OutputKind, Port, Repair, StateMut, StateRef, Waveform,
};

/// A spindle that cuts metal with a tool that wears.
#[derive(Clone, Copy, Debug)]
pub struct Spindle;

quantities! {
    pub parameters SpindleParameters {
        /// Cutting speed at which an edge lives for a minute
        taylor_speed: "m/s" = 5.0, 0.01 => 100.0, design, "300 m/min: sheet 1.12, assumed";
        /// Taylor's exponent on life
        taylor_exponent: "" = 0.25, 0.08 => 1.0, design, "0.2 to 0.3 for carbide";
        /// Exponent on the feed
        feed_exponent: "" = 0.3, 0.0 => 2.0, design, "extended Taylor equation, textbook";
        /// Exponent on the depth
        depth_exponent: "" = 0.15, 0.0 => 2.0, design, "extended Taylor equation, textbook";
        /// Feed for which that life is said
        rated_feed: "m" = 2e-4, 1e-6 => 0.01, design, "assumed";
        /// Depth for which that life is said
        rated_depth: "m" = 2e-3, 1e-5 => 0.1, design, "assumed";
        /// Spread of lives from edge to edge, of their logarithm
        scatter: "" = 0.25, 0.0 => 1.0, design, "sheet 1.12, assumed: 0.2 to 0.3";
        /// Specific force for a chip of 1 mm by 1 mm
        specific_force: "Pa" = 1.7e9, 1e7 => 1e10, design, "Kienzle: steel, 1500 to 2200 N/mm2";
        /// Kienzle's exponent on the thickness of the chip
        chip_exponent: "" = 0.25, 0.0 => 0.6, design, "Kienzle: steel";
        /// Force that each metre of flank wear adds, as a share
        wear_force: "1/m" = 1200.0, 0.0 => 1e4, design, "sheet 1.12, assumed: 1.0 to 1.5 per mm";
        /// Radius of the tool's nose
        nose: "m" = 8e-4, 1e-5 => 0.01, design, "assumed";
        /// Line voltage for which the drive is made
        rated_voltage: "V" = 400.0, 1.0 => 1e4, design, "IEC 60038";
        /// Power factor of its motor
        power_factor: "" = 0.85, 0.1 => 1.0, design, "assumed";
        /// Share of the power that reaches the tool
        efficiency: "" = 0.85, 0.1 => 1.0, design, "assumed";
        /// Current without load
        idle_current: "A" = 4.0, 0.0 => 1000.0, design, "assumed";
        /// Power without load
        idle_power: "W" = 800.0, 0.0 => 1e6, design, "assumed: bearings and drive";
        /// Length by which a warm spindle grows
        growth: "m" = 4e-5, 0.0 => 1e-3, design, "sheet 1.12, assumed: 20 to 60 um";
        /// Time constant of that growth
        growth_time: "s" = 1800.0, 1.0 => 1e5, design, "sheet 1.12, assumed: 20 to 40 min";
        /// What a warm spindle is warmer than the air
        rise: "K" = 25.0, 0.0 => 200.0, design, "assumed";
        /// Frequency at which tool and work chatter
        chatter_frequency: "Hz" = 600.0, 10.0 => 1e4, design, "sheet 1.12: 300 to 900 Hz";
        /// Velocity of vibration of a new spindle
        new_vibration: "m/s" = 5e-4, 0.0 => 0.1, design, "assumed";
        /// Damage of the bearing that a second of running adds
        bearing_rate: "1/s" = 0.0, 0.0 => 1.0, condition, "none";
        /// Whether the edge is chipped
        chipped: "" = 0.0, 0.0 => 1.0, condition, "whole";
        /// Share of the coolant that is missing
        coolant_loss: "" = 0.0, 0.0 => 1.0, condition, "none";
        /// How strongly tool and work chatter
        chatter: "" = 0.0, 0.0 => 1.0, condition, "none";
        /// Times more wear than life says
        wear_factor: "" = 1.0, 0.0 => 100.0, condition, "as it should be";
    }
}

quantities! {
    pub states SpindleState {
        /// Share of the edge's life that is used
        used: "" = 0.0, 0.0 => 3.0, estimated;
        /// How warm the spindle is, 1 for all of its growth
        warm: "" = 0.0, 0.0 => 1.0, estimated;
        /// Damage of its bearing
        bearing: "" = 0.0, 0.0 => 1.0, estimated;
    }
}

quantities! {
    pub counts SpindleCounts {
        /// Edges that were used up or changed
        edges;
        /// Whether a change is being asked for
        asked;
    }
}

quantities! {
    pub inputs SpindleInputs {
        /// Cutting speed, at the diameter that is cut
        cutting_speed: "m/s", mean = 3.333_333_333_333_333_5;
        /// Feed for each turn: the thickness of the chip
        feed: "m", mean = 2e-4;
        /// Depth of the cut: the width of the chip
        depth: "m", mean = 2e-3;
        /// Whether the tool cuts
        engaged: "", mean = 1.0;
        /// Whether the spindle turns
        running: "", mean = 1.0;
        /// Asks for a new edge as it rises
        change_tool: "", last = 0.0;
        /// Line voltage of the supply
        supply: "V", mean = 400.0;
    }
}

quantities! {
    pub outputs SpindleOutputs {
        /// Cutting force
        force: "N", direct;
        /// Power at the tool
        cutting_power: "W", direct;
        /// Power taken from the supply
        power: "W", direct;
        /// Current of each line
        current: "A", direct;
        /// Height of the marks of turning, peak to valley
        roughness: "m", direct;
        /// By how much work comes out too large
        size_error: "m", held;
        /// Width of the wear on the flank
        flank_wear: "m", held;
        /// Share of the edge's life that is used
        used: "", held;
        /// Life of a new edge at this speed, feed and depth
        edge_life: "s", direct;
        /// What the spindle is warmer than the air
        rise: "K", held;
        /// Velocity of vibration, rms
        vibration: "m/s", direct;
        /// Edges that were changed
        edges: "", held;
        /// Whether the edge is at its end
        worn: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Spindle",
    about: "A spindle that cuts metal with a tool that wears",
    source: "Taylor, On the Art of Cutting Metals; Kienzle; ISO 3685",
    step: Some(100_000_000),
    parameters: SpindleParameters::ALL,
    states: SpindleState::ALL,
    counts: SpindleCounts::ALL,
    inputs: SpindleInputs::ALL,
    outputs: SpindleOutputs::ALL,
    ports: &[Port {
        name: "mains",
        about: "Where its drive takes power",
        domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: Some("supply") },
        required: false,
    }],
    draws: &["edge", "noise"],
    repairs: &[
        Repair { name: "change_tool", about: "A new edge" },
        Repair { name: "replace_bearing", about: "A new bearing of the spindle" },
    ],
    waveforms: &[Waveform { name: "velocity", about: "Velocity of vibration of the spindle's head", unit: "m/s" }],
    ..Description::EMPTY
};

/// Life in units of that at speed `constant`, by V T^n = C.
pub fn tool_life(speed: f64, constant: f64, exponent: f64) -> f64 {
    libm::pow(constant / speed, 1.0 / exponent)
}

/// Specific force in Pa and force in N, for a chip of this width and thickness in m: `specific` for 1 mm by 1 mm.
pub fn kienzle(specific: f64, exponent: f64, width: f64, thickness: f64) -> (f64, f64) {
    let specific = specific * libm::pow(thickness / 1e-3, -exponent);
    (specific, specific * width * thickness)
}

/// Width in m of the wear on the flank after a share of its life.
fn flank(used: f64) -> f64 {
    let late = ((used - 0.85) / 0.15).max(0.0);
    // A blade breaks before it is worn by more than 2 mm.
    (0.05e-3 + 0.2e-3 * used + 0.05e-3 * late * late * late).min(2e-3)
}

/// Inputs within what a lathe can do.
fn inputs(given: &Given<'_>, p: &SpindleParameters) -> SpindleInputs {
    let mut u = SpindleInputs::of(given.inputs);
    // Half of its voltage does not keep the drive running.
    let powered = if u.supply > 0.5 * p.rated_voltage { 1.0 } else { 0.0 };
    u.running = u.running.clamp(0.0, 1.0) * powered;
    u.engaged = u.engaged.clamp(0.0, 1.0).min(u.running);
    u.cutting_speed = u.cutting_speed.clamp(0.0, 100.0);
    u.feed = u.feed.clamp(0.0, 0.01);
    u.depth = u.depth.clamp(0.0, 0.1);
    u
}

/// Seconds that a new edge lives, at most a year.
fn edge_life(p: &SpindleParameters, u: &SpindleInputs) -> f64 {
    let feed = libm::pow(u.feed.max(1e-6) / p.rated_feed, p.feed_exponent);
    let depth = libm::pow(u.depth.max(1e-6) / p.rated_depth, p.depth_exponent);
    let constant = p.taylor_speed * (1.0 - 0.3 * p.coolant_loss);
    let life = 60.0 * tool_life(u.cutting_speed.max(1e-3) * feed * depth, constant, p.taylor_exponent);
    life.clamp(1e-3, 3.2e7)
}

fn vibration(p: &SpindleParameters, s: &SpindleState, u: &SpindleInputs) -> f64 {
    let cutting = 1e-3 * u.engaged * (flank(s.used) / 0.3e-3 + 10.0 * p.chatter + p.chipped);
    libm::hypot(p.new_vibration * u.running * (1.0 + 9.0 * s.bearing), cutting)
}

impl Model for Spindle {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (SpindleParameters::of(given.parameters), SpindleState::of(state.numbers));
        let (u, worn) = (inputs(given, &p), flank(s.used));
        let chipped = p.chipped.clamp(0.0, 1.0);
        let (_, sharp) =
            if u.feed > 1e-6 { kienzle(p.specific_force, p.chip_exponent, u.depth, u.feed) } else { (0.0, 0.0) };
        let force = u.engaged * sharp * (1.0 + p.wear_force * worn) * (1.0 + 0.15 * chipped);
        let cutting_power = force * u.cutting_speed;
        let load = cutting_power / p.efficiency;
        let idle = u.running * p.idle_current;
        let active =
            load / (3f64.sqrt() * u.supply.clamp(0.5 * p.rated_voltage, 1.5 * p.rated_voltage) * p.power_factor);
        SpindleOutputs {
            force,
            cutting_power,
            power: u.running * p.idle_power * (1.0 + s.bearing) + load,
            current: libm::hypot(idle, active),
            roughness: u.feed * u.feed / (8.0 * p.nose)
                * (1.0 + 2.0 * worn / 0.3e-3)
                * (1.0 + chipped)
                * (1.0 + 2.0 * p.chatter),
            // A flank at 6° gives way by a tenth of its wear; the spindle grows towards the work.
            size_error: 0.1 * (worn - flank(0.0)) - p.growth * s.warm,
            flank_wear: worn,
            used: s.used,
            edge_life: edge_life(&p, &u),
            rise: p.rise * s.warm * (1.0 + s.bearing),
            vibration: vibration(&p, &s, &u),
            edges: state.counts[0] as f64,
            worn: f64::from(u8::from(s.used >= 1.0)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (SpindleParameters::of(given.parameters), SpindleState::of(state.numbers));
        let (u, mut c) = (inputs(given, &p), SpindleCounts::of(state.counts));
        let asked = u64::from(u.change_tool > 0.5);
        if asked > c.asked {
            s.used = 0.0;
            c.edges += 1;
        }
        c.asked = asked;
        // Each edge has its own luck.
        let luck = libm::exp(p.scatter * given.draws.of(0).normal(c.edges));
        s.used = (s.used + p.wear_factor * u.engaged * dt / (edge_life(&p, &u) * luck)).min(3.0);
        s.warm = approach(s.warm, u.running, p.growth_time, dt).clamp(0.0, 1.0);
        s.bearing = (s.bearing + p.bearing_rate * u.running * dt).min(1.0);
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn repair(&self, repair: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = SpindleState::of(state.numbers);
        if repair == 0 {
            s.used = 0.0;
            state.counts[0] += 1;
        } else {
            s.bearing = 0.0;
        }
        s.put(state.numbers);
    }

    fn waveform(&self, _: usize, given: &Given<'_>, state: StateRef<'_>, rate: f64, out: &mut [f64]) {
        let (p, s) = (SpindleParameters::of(given.parameters), SpindleState::of(state.numbers));
        let (u, noise) = (inputs(given, &p), given.draws.of(1));
        let all = vibration(&p, &s, &u);
        let line = 2f64.sqrt() * 1e-2 * u.engaged * p.chatter;
        let rest = (all * all - 0.5 * line * line).max(0.0).sqrt();
        let begin = given.secs();
        let first = libm::round(begin * rate) as u64;
        for (number, sample) in out.iter_mut().enumerate() {
            let t = begin + number as f64 / rate;
            let chatter = line * libm::sin(TAU * libm::fmod(p.chatter_frequency * t, 1.0));
            *sample = chatter + rest * noise.normal(first + number as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_lives_as_long_as_taylor_says() {
        for (speed, minutes) in [(100.0, 81.0), (150.0, 16.0), (200.0, 5.0625)] {
            let found = tool_life(speed, 300.0, 0.25);
            assert!((found / minutes - 1.0).abs() < 1e-12, "{speed} m/min: {found}");
        }
        let doubled = tool_life(0.840_896, 300.0, 0.25) / tool_life(1.0, 300.0, 0.25);
        assert!((doubled - 2.0).abs() < 1e-5, "{doubled}");
    }

    #[test]
    fn a_chip_takes_the_force_of_kienzle() {
        let (specific, force) = kienzle(1.7e9, 0.25, 2e-3, 0.2e-3);
        let near = |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 1e-5, "{found}, not {wanted}");
        near(specific / 1e6, 2542.09);
        near(force, 1016.84);
        near(force * 200.0 / 60_000.0, 3.389_46);
    }

    #[test]
    fn a_flank_is_worn_by_0_3_mm_at_the_end_of_its_life() {
        assert!((flank(1.0) - 0.3e-3).abs() < 1e-12 && (flank(0.0) - 0.05e-3).abs() < 1e-12);
        assert!(flank(1.2) > 0.5e-3, "it runs away after its end");
    }
}
