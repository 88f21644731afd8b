//! An arm of six joints that follows taught points. In: a start signal, a speed, the power of its supply. Out: joints,
//! tool, torques, currents, power, wear, cycles. Never leaves its taught path; a joint that is overloaded stops it.
//!
//! From point to point all joints move as one polynomial of order 5 (no jerk at the ends: Siciliano, "Robotics", ch. 4),
//! longer than asked for if a joint would be too fast. Torques: `dynamics` and friction
//! (T_c + b |w|) sgn(w) of each joint, more in cold grease and worn gears; current: torque / (gear ratio, torque constant,
//! efficiency). Play: a worn joint lags by half its backlash.
//!
//! A cycle begins at the first point, when `start` is given, and ends there. Without points it picks and places.
//!
//! Order 1 while the pace changes, exact on the way while it stands; the temperature is of order 1.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | stretched out, at rest, 9.81 m/s²: joints 2, 3, N m | sheet 1.10 | -59.756, -18.439 | the same | < 1e-3 |
//! | the same with 5 kg | sheet 1.10 | -99.840, -37.677 | the same | < 1e-3 |
//! | fastest over mean speed of a way | Siciliano, Robotics, ch. 4 | 1.875 | 1.875 | 0 |

use crate::model::integrate::{approach, move_towards};
use crate::model::quantities;
use crate::model::{
    Carrier, Description, Domain, GRAVITY, Given, Model, OutputKind, Port, Repair, StateMut, StateRef, Table,
};

use super::dynamics::{self, Motion};
use super::kinematics;

/// An arm of six joints.
#[derive(Clone, Copy, Debug)]
pub struct Robot6;

quantities! {
    pub parameters Robot6Parameters {
        /// Mass of the gripper
        tool: "kg" = 1.0, 0.0 => 50.0, design, "assumed";
        /// Mass that the closed gripper holds
        payload: "kg" = 2.0, 0.0 => 50.0, design, "assumed; a UR5e carries 5 kg";
        /// From the flange to the masses of gripper and payload
        reach: "m" = 0.1, 0.0 => 1.0, design, "assumed";
        /// Highest speed of a joint
        speed_limit: "rad/s" = std::f64::consts::PI, 0.01 => 20.0, design, "UR5e: 180 deg/s";
        /// Highest torque of joints 1 to 3
        large_torque: "N.m" = 150.0, 1.0 => 1e4, design, "UR5e";
        /// Highest torque of joints 4 to 6
        small_torque: "N.m" = 28.0, 1.0 => 1e4, design, "UR5e";
        /// Dry friction of joints 1 to 3
        large_friction: "N.m" = 8.0, 0.0 => 1000.0, design, "assumed";
        /// Dry friction of joints 4 to 6
        small_friction: "N.m" = 2.0, 0.0 => 1000.0, design, "assumed";
        /// Viscous friction of joints 1 to 3
        large_viscous: "N.m.s/rad" = 6.0, 0.0 => 1000.0, design, "assumed";
        /// Viscous friction of joints 4 to 6
        small_viscous: "N.m.s/rad" = 1.5, 0.0 => 1000.0, design, "assumed";
        /// Ratio of the gears
        gear: "" = 101.0, 1.0 => 1000.0, design, "assumed: strain wave gears";
        /// Torque by current of the motors
        torque_constant: "N.m/A" = 0.12, 0.001 => 10.0, design, "assumed";
        /// Share of the torque that passes the gears
        efficiency: "" = 0.85, 0.1 => 1.0, design, "assumed";
        /// Resistance of a motor's winding
        resistance: "ohm" = 0.4, 0.0 => 100.0, design, "assumed";
        /// Power of its controller
        idle_power: "W" = 90.0, 0.0 => 1e4, design, "assumed";
        /// Voltage for which it is made
        rated_voltage: "V" = 230.0, 1.0 => 1e4, design, "assumed";
        /// Heat of the gears to the air
        thermal_resistance: "K/W" = 0.15, 0.001 => 10.0, design, "assumed";
        /// Thermal time constant of the gears
        thermal_time: "s" = 3600.0, 1.0 => 1e5, design, "assumed";
        /// Stiffness of a joint under its controller
        stiffness: "N.m/rad" = 23e3, 100.0 => 1e7, design, "assumed: 0.05 deg at 20 N.m";
        /// Backlash of a new gear
        new_backlash: "rad" = 1e-4, 0.0 => 0.01, design, "sheet 1.10, assumed: 0.1 mrad";
        /// The joint that wears, from 1 to 6
        worn_joint: "" = 2.0, 1.0 => 6.0, condition, "it bears the most";
        /// Wear that a second of motion adds to it
        wear_rate: "1/s" = 0.0, 0.0 => 1.0, condition, "none; 1e-7 is four months";
        /// Times more friction in that joint
        friction_growth: "" = 1.0, 0.5 => 10.0, condition, "new; 1.2 to 2 when worn";
        /// Torque by which its brake drags
        brake_drag: "N.m" = 0.0, 0.0 => 1000.0, condition, "none";
        /// What its encoder reads too much
        encoder_offset: "rad" = 0.0, -0.5 => 0.5, condition, "none";
    }
}

quantities! {
    pub states Robot6State {
        /// Time on the way to the next point, at full speed
        along: "s" = 0.0, 0.0 => 1e6;
        /// Share of full speed
        pace: "" = 0.0, 0.0 => 1.0;
        /// Change of that share in a second
        pacing: "1/s" = 0.0, -1e3 => 1e3;
        /// Temperature of the gears
        temperature: "degC" = 20.0, -100.0 => 1000.0, estimated;
        /// Wear of the joint that wears, 1 when it is at its end
        wear: "" = 0.0, 0.0 => 1.0, estimated;
    }
}

quantities! {
    pub counts Robot6Counts {
        /// What it does: 0 waits, 1 moves, 2 is stopped
        phase;
        /// The point that it left or stands at
        point;
        /// Cycles that are done
        cycles;
        /// Whether the gripper is closed
        closed;
        /// Protective stops
        stops;
    }
}

quantities! {
    pub inputs Robot6Inputs {
        /// Whether a cycle may begin
        start: "", last = 1.0;
        /// Share of full speed that it is told
        speed: "", last = 1.0;
        /// Voltage of the supply
        supply: "V", mean = 230.0;
        /// Temperature of the air
        ambient: "degC", mean = 20.0;
    }
}

quantities! {
    pub outputs Robot6Outputs {
        /// Angle of joint 1
        j1: "rad", held;
        /// Angle of joint 2
        j2: "rad", held;
        /// Angle of joint 3
        j3: "rad", held;
        /// Angle of joint 4
        j4: "rad", held;
        /// Angle of joint 5
        j5: "rad", held;
        /// Angle of joint 6
        j6: "rad", held;
        /// Torque of joint 1
        torque_1: "N.m", held;
        /// Torque of joint 2
        torque_2: "N.m", held;
        /// Torque of joint 3
        torque_3: "N.m", held;
        /// Torque of joint 4
        torque_4: "N.m", held;
        /// Torque of joint 5
        torque_5: "N.m", held;
        /// Torque of joint 6
        torque_6: "N.m", held;
        /// Current of motor 1
        current_1: "A", held;
        /// Current of motor 2
        current_2: "A", held;
        /// Current of motor 3
        current_3: "A", held;
        /// Current of motor 4
        current_4: "A", held;
        /// Current of motor 5
        current_5: "A", held;
        /// Current of motor 6
        current_6: "A", held;
        /// Place of the flange, along x of its base
        x: "m", held;
        /// Place of the flange, along y of its base
        y: "m", held;
        /// Place of the flange, above its base
        z: "m", held;
        /// What the worn joint lags behind its path
        following_error: "rad", held;
        /// Backlash of the worn joint
        backlash: "rad", held;
        /// Temperature of the gears
        temperature: "degC", held;
        /// Largest torque over what its joint bears
        load: "", held;
        /// Power taken from the supply
        power: "W", held;
        /// What it does
        phase: "" = OutputKind::Words(&["waits", "moves", "stopped"]), held;
        /// The point that it left or stands at
        point: "", held;
        /// Cycles that are done
        cycles: "", held;
        /// Protective stops
        stops: "", held;
        /// Whether the gripper is closed
        gripper: "" = OutputKind::Flag, held;
        /// Whether it moves
        moving: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Robot6",
    about: "An arm of six joints that follows taught points",
    source: "Universal Robots UR5e; Luh, Walker and Paul 1980; Siciliano, Robotics",
    step: Some(8_000_000),
    parameters: Robot6Parameters::ALL,
    states: Robot6State::ALL,
    counts: Robot6Counts::ALL,
    inputs: Robot6Inputs::ALL,
    outputs: Robot6Outputs::ALL,
    ports: &[Port {
        name: "mains",
        about: "Where its controller takes power",
        domain: Domain::Taker { carrier: Carrier::Electricity, taken: "power", potential: Some("supply") },
        required: false,
    }],
    tables: &[Table {
        name: "points",
        about: "Taught points: joints, the time that it takes to get there, and the gripper from then on",
        columns: &[
            ("j1", "rad"),
            ("j2", "rad"),
            ("j3", "rad"),
            ("j4", "rad"),
            ("j5", "rad"),
            ("j6", "rad"),
            ("seconds", "s"),
            ("gripper", ""),
        ],
    }],
    repairs: &[
        Repair { name: "replace_reducer", about: "A new gear for the worn joint" },
        Repair { name: "release", about: "Lets it go on after a protective stop" },
    ],
    ..Description::EMPTY
};

const COLUMNS: usize = 8;

/// Home, above the pick, pick and close, lift, above the place, place and open, lift.
const PICK_AND_PLACE: [f64; 7 * COLUMNS] = [
    0.0, -1.6, 1.2, -1.2, -1.57, 0.0, 1.2, 0.0, //
    0.6, -1.3, 1.6, -1.9, -1.57, 0.6, 1.0, 0.0, //
    0.6, -1.0, 1.7, -2.3, -1.57, 0.6, 0.6, 1.0, //
    0.6, -1.3, 1.6, -1.9, -1.57, 0.6, 0.6, 1.0, //
    -0.9, -1.3, 1.6, -1.9, -1.57, -0.9, 1.2, 1.0, //
    -0.9, -1.0, 1.7, -2.3, -1.57, -0.9, 0.6, 0.0, //
    -0.9, -1.3, 1.6, -1.9, -1.57, -0.9, 0.6, 0.0,
];

/// A taught point.
struct Point {
    joints: [f64; 6],
    seconds: f64,
    closed: bool,
}

fn points<'a>(given: &Given<'a>) -> &'a [f64] {
    match given.tables.first() {
        Some(rows) if rows.len() >= 2 * COLUMNS => rows,
        _ => &PICK_AND_PLACE,
    }
}

fn point(rows: &[f64], number: u64) -> Point {
    let count = rows.len() / COLUMNS;
    let row = &rows[number as usize % count * COLUMNS..][..COLUMNS];
    // Joints turn by a whole turn at most, both ways.
    let turn = std::f64::consts::TAU;
    let joints = std::array::from_fn(|k| if row[k].is_finite() { row[k].clamp(-turn, turn) } else { 0.0 });
    Point { joints, seconds: if row[6].is_finite() { row[6].clamp(0.008, 3600.0) } else { 1.0 }, closed: row[7] > 0.5 }
}

/// Seconds from one point to another: as asked for, or longer. The polynomial is fastest in its middle: 15/8 of the mean.
fn duration(p: &Robot6Parameters, from: &Point, to: &Point) -> f64 {
    let farthest = (0..6).map(|k| (to.joints[k] - from.joints[k]).abs()).fold(0.0, f64::max);
    to.seconds.max(1.875 * farthest / p.speed_limit)
}

/// Share of a way, its slope and its curvature over the share of its time: 10 s³ - 15 s⁴ + 6 s⁵.
pub(super) fn quintic(s: f64) -> (f64, f64, f64) {
    let (one, square) = (1.0 - s, s * s);
    (square * s * (10.0 - 15.0 * s + 6.0 * square), 30.0 * square * one * one, 60.0 * s * one * (1.0 - 2.0 * s))
}

/// Where joints are and how they move.
fn motion(p: &Robot6Parameters, s: &Robot6State, c: &Robot6Counts, rows: &[f64]) -> Motion {
    let from = point(rows, c.point);
    if c.phase == 0 {
        return Motion { angle: from.joints, ..Motion::default() };
    }
    let to = point(rows, c.point + 1);
    let seconds = duration(p, &from, &to);
    let (way, slope, curve) = quintic((s.along / seconds).clamp(0.0, 1.0));
    let (speed, acceleration) =
        (slope / seconds * s.pace, curve / (seconds * seconds) * s.pace * s.pace + slope / seconds * s.pacing);
    let each = |by: f64| std::array::from_fn(|k| by * (to.joints[k] - from.joints[k]));
    let moved: [f64; 6] = each(way);
    Motion {
        angle: std::array::from_fn(|k| from.joints[k] + moved[k]),
        speed: each(speed),
        acceleration: each(acceleration),
    }
}

/// What joints bear at a motion.
struct Effort {
    torque: [f64; 6],
    /// Part of it that is friction
    friction: [f64; 6],
    current: [f64; 6],
    /// Largest torque over what its joint bears
    load: f64,
    /// W
    power: f64,
}

fn worn(p: &Robot6Parameters) -> usize {
    (p.worn_joint + 0.5) as usize - 1
}

fn effort(p: &Robot6Parameters, s: &Robot6State, c: &Robot6Counts, motion: &Motion) -> Effort {
    let held = p.tool + if c.closed > 0 { p.payload } else { 0.0 };
    let mut bodies = dynamics::UR5E;
    bodies[5] = bodies[5].with_mass_at(held, [0.0, 0.0, p.reach]);
    let mut torque = dynamics::torques(&kinematics::UR5E, &bodies, motion, GRAVITY);
    // Half as much again in grease of 20 °C as in that of 40 °C.
    let grease = 1.0 + 0.5 * ((40.0 - s.temperature) / 20.0).clamp(-0.4, 3.0);
    let mut friction = [0.0; 6];
    for k in 0..6 {
        let (dry, viscous) =
            if k < 3 { (p.large_friction, p.large_viscous) } else { (p.small_friction, p.small_viscous) };
        let (mut factor, mut more) = (grease, 0.0);
        if k == worn(p) {
            factor *= p.friction_growth * (1.0 + s.wear);
            more = p.brake_drag;
        }
        let speed = motion.speed[k];
        // Rises from rest within 0.01 rad/s, so that nothing jumps.
        friction[k] = (factor * dry + more) * (speed / 0.01).clamp(-1.0, 1.0) + factor * viscous * speed;
        torque[k] += friction[k];
    }
    let current = torque.map(|x| x / (p.gear * p.torque_constant * p.efficiency));
    let limit = |k: usize| if k < 3 { p.large_torque } else { p.small_torque };
    let load = (0..6).map(|k| torque[k].abs() / limit(k)).fold(0.0, f64::max);
    let shaft: f64 = (0..6).map(|k| (torque[k] * motion.speed[k]).max(0.0) / p.efficiency).sum();
    let heat: f64 = current.iter().map(|x| p.resistance * x * x).sum();
    Effort { torque, friction, current, load, power: p.idle_power + shaft + heat }
}

fn powered(p: &Robot6Parameters, u: &Robot6Inputs) -> bool {
    u.supply > 0.5 * p.rated_voltage
}

impl Model for Robot6 {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = Robot6State::of(state.numbers);
        s.temperature = Robot6Inputs::of(given.inputs).ambient.clamp(-100.0, 1000.0);
        s.put(state.numbers);
        state.counts[3] = u64::from(point(points(given), 0).closed);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (Robot6Parameters::of(given.parameters), Robot6State::of(state.numbers));
        let c = Robot6Counts::of(state.counts);
        let motion = motion(&p, &s, &c, points(given));
        let effort = effort(&p, &s, &c, &motion);
        let worn = worn(&p);
        let backlash = p.new_backlash + 9e-4 * s.wear;
        let slack = 0.5 * backlash * (motion.speed[worn] / 0.01).clamp(-1.0, 1.0);
        let lag = effort.friction[worn] / p.stiffness + slack;
        // What the arm does: behind its path, and beside it where the encoder is wrong.
        let mut joints = motion.angle;
        joints[worn] -= lag + p.encoder_offset;
        let [x, y, z] = kinematics::flange(&kinematics::UR5E, &joints).position;
        let [j1, j2, j3, j4, j5, j6] = motion.angle;
        let [torque_1, torque_2, torque_3, torque_4, torque_5, torque_6] = effort.torque;
        let [current_1, current_2, current_3, current_4, current_5, current_6] = effort.current;
        Robot6Outputs {
            j1,
            j2,
            j3,
            j4,
            j5,
            j6,
            torque_1,
            torque_2,
            torque_3,
            torque_4,
            torque_5,
            torque_6,
            current_1,
            current_2,
            current_3,
            current_4,
            current_5,
            current_6,
            x,
            y,
            z,
            following_error: lag,
            backlash,
            temperature: s.temperature,
            load: effort.load,
            power: effort.power,
            phase: c.phase as f64,
            point: c.point as f64,
            cycles: c.cycles as f64,
            stops: c.stops as f64,
            gripper: c.closed as f64,
            moving: f64::from(u8::from(c.phase == 1 && s.pace > 0.0)),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (Robot6Parameters::of(given.parameters), Robot6State::of(state.numbers));
        let (u, mut c) = (Robot6Inputs::of(given.inputs), Robot6Counts::of(state.counts));
        let (rows, on) = (points(given), powered(&p, &u));
        let effort = effort(&p, &s, &c, &motion(&p, &s, &c, rows));
        if c.phase == 1 && effort.load > 1.0 {
            (c.phase, c.stops) = (2, c.stops + 1);
        }
        if c.phase == 0 && u.start > 0.5 && on {
            (c.phase, s.along) = (1, 0.0);
        }
        // From rest to full speed in 0.3 s, and back.
        let wanted = if c.phase == 1 && on { u.speed.clamp(0.0, 1.0) } else { 0.0 };
        let before = s.pace;
        s.pace = if c.phase == 2 || !on { 0.0 } else { move_towards(s.pace, wanted, 1.0 / 0.3, dt) };
        s.pacing = if c.phase == 1 { ((s.pace - before) / dt).clamp(-4.0, 4.0) } else { 0.0 };
        if c.phase == 1 {
            s.along += s.pace * dt;
            s.wear = (s.wear + p.wear_rate * s.pace * dt).min(1.0);
            let count = (rows.len() / COLUMNS) as u64;
            let to = point(rows, c.point + 1);
            let seconds = duration(&p, &point(rows, c.point), &to);
            if s.along >= seconds {
                s.along -= seconds;
                c.point = (c.point + 1) % count;
                c.closed = u64::from(to.closed);
                if c.point == 0 {
                    c.cycles += 1;
                    if u.start <= 0.5 {
                        (c.phase, s.along, s.pace, s.pacing) = (0, 0.0, 0.0, 0.0);
                    }
                }
                // One point in one step: what is left of a step is short.
                s.along = s.along.min(dt);
            }
        }
        let rubbed: f64 = (0..6).map(|k| effort.friction[k].abs() * s.pace).sum();
        let heat: f64 = effort.current.iter().map(|x| p.resistance * x * x).sum();
        let warm = u.ambient + p.thermal_resistance * (rubbed + heat);
        s.temperature = approach(s.temperature, warm, p.thermal_time, dt).clamp(-100.0, 1000.0);
        s.put(state.numbers);
        c.put(state.counts);
    }

    fn repair(&self, repair: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        if repair == 0 {
            let mut s = Robot6State::of(state.numbers);
            s.wear = 0.0;
            s.put(state.numbers);
        } else if state.counts[0] == 2 {
            state.counts[0] = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_begins_and_ends_without_speed_and_without_acceleration() {
        assert_eq!((quintic(0.0), quintic(1.0)), ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)));
        let (half, fastest, turning) = quintic(0.5);
        assert!((half - 0.5).abs() < 1e-15 && (fastest - 1.875).abs() < 1e-15 && turning.abs() < 1e-15);
        let h = 1e-5;
        for s in [0.1, 0.4, 0.8] {
            let (_, slope, curve) = quintic(s);
            assert!(((quintic(s + h).0 - quintic(s - h).0) / (2.0 * h) - slope).abs() < 1e-8);
            assert!(((quintic(s + h).1 - quintic(s - h).1) / (2.0 * h) - curve).abs() < 1e-7);
        }
    }
}
