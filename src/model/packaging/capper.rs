//! A six-axis robot that caps bottles with a gripper of six heads. In: bottles that arrive. Out: bottles, joints, torques.
//!
//! Motion: joint-space quintic between taught points, zero speed and acceleration at both ends; torque from gravity,
//! inertia and friction of a planar two-link arm (Craig, "Introduction to Robotics", ch. 6 and 7). Angles are those of
//! the drawn model: all zero is upper arm upright, forearm level. Never leaves the joint limits.

use crate::model::{Equations, Noise, process::GRAVITY};

/// Limits of the six joints in degrees.
pub const JOINT_LIMITS: [(f64, f64); 6] =
    [(-170.0, 170.0), (-90.0, 110.0), (-120.0, 70.0), (-185.0, 185.0), (-120.0, 120.0), (-350.0, 350.0)];

const PICK: [f64; 6] = [-75.0, 32.0, -38.0, 0.0, -84.0, -150.0];
const LIFT: [f64; 6] = [-20.0, 6.0, -8.0, 0.0, -88.0, -150.0];
const ABOVE: [f64; 6] = [40.0, 18.0, -22.0, 0.0, -86.0, -150.0];
const ON_BOTTLES: [f64; 6] = [40.0, 30.0, -40.0, 0.0, -80.0, -150.0];
const SCREWED: [f64; 6] = [40.0, 30.0, -40.0, 0.0, -80.0, 150.0];
const RAISED: [f64; 6] = [20.0, 12.0, -16.0, 0.0, -86.0, 150.0];

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CapperPhase {
    #[default]
    Fetch,
    Grip,
    Carry,
    Position,
    /// Holds caps above the station until it is full.
    Wait,
    Descend,
    Screw,
    Ascend,
}

impl CapperPhase {
    /// Seconds it takes; a wait ends by itself.
    fn secs(self) -> f64 {
        match self {
            CapperPhase::Fetch => 0.9,
            CapperPhase::Grip => 0.25,
            CapperPhase::Carry => 0.5,
            CapperPhase::Position => 0.5,
            CapperPhase::Wait => 0.0,
            CapperPhase::Descend => 0.35,
            CapperPhase::Screw => 1.2,
            CapperPhase::Ascend => 0.4,
        }
    }

    fn next(self) -> Self {
        match self {
            CapperPhase::Fetch => CapperPhase::Grip,
            CapperPhase::Grip => CapperPhase::Carry,
            CapperPhase::Carry => CapperPhase::Position,
            CapperPhase::Position => CapperPhase::Wait,
            CapperPhase::Wait => CapperPhase::Descend,
            CapperPhase::Descend => CapperPhase::Screw,
            CapperPhase::Screw => CapperPhase::Ascend,
            CapperPhase::Ascend => CapperPhase::Fetch,
        }
    }

    /// Joint angles in degrees at its end; those at its beginning are at the end of the phase before.
    fn goal(self) -> [f64; 6] {
        match self {
            CapperPhase::Fetch | CapperPhase::Grip => PICK,
            CapperPhase::Carry => LIFT,
            CapperPhase::Position | CapperPhase::Wait => ABOVE,
            CapperPhase::Descend => ON_BOTTLES,
            CapperPhase::Screw => SCREWED,
            CapperPhase::Ascend => RAISED,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            CapperPhase::Fetch => "FETCH",
            CapperPhase::Grip => "GRIP",
            CapperPhase::Carry => "CARRY",
            CapperPhase::Position => "POSITION",
            CapperPhase::Wait => "WAIT",
            CapperPhase::Descend => "DESCEND",
            CapperPhase::Screw => "SCREW",
            CapperPhase::Ascend => "ASCEND",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Capper {
    /// Bottles capped in one cycle.
    pub heads: u32,
    /// Torque in N·m to which caps are tightened.
    pub cap_torque: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CapperState {
    pub phase: CapperPhase,
    /// Seconds in this phase.
    pub time: f64,
    /// Joint angles in degrees at the beginning of this phase.
    pub from: [f64; 6],
    /// Bottles in the station.
    pub station: u32,
    pub capped: u64,
    /// Seconds since the last cycle ended, and what the last cycle took.
    pub cycle: f64,
    pub last_cycle: f64,
    /// N·m that the newest caps were tightened to.
    pub last_cap_torque: f64,
    /// N·m, this cycle's.
    pub aim: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CapperInput {
    pub bottles: u32,
    /// False if the conveyor behind cannot take the bottles.
    pub outfeed_free: bool,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct CapperOutput {
    pub phase: CapperPhase,
    /// Capped bottles that leave in this step.
    pub bottles: u32,
    /// Bottles that the station can still take.
    pub room: u32,
    /// Degrees.
    pub angles: [f64; 6],
    /// N·m
    pub torques: [f64; 6],
    /// N·m at the heads.
    pub cap_torque: f64,
    pub gripping: bool,
    /// W
    pub power: f64,
}

/// Position, speed and acceleration of a quintic from 0 to 1 in `secs`, at `time`.
fn quintic(time: f64, secs: f64) -> (f64, f64, f64) {
    if secs <= 0.0 || time >= secs {
        return (1.0, 0.0, 0.0);
    }
    let s = time / secs;
    let position = s * s * s * (10.0 + s * (6.0 * s - 15.0));
    let speed = s * s * (30.0 + s * (30.0 * s - 60.0)) / secs;
    let acceleration = s * (60.0 + s * (120.0 * s - 180.0)) / (secs * secs);
    (position, speed, acceleration)
}

/// Joint torques in N·m for angles (rad), speeds (rad/s) and accelerations (rad/s²).
fn torques(q: [f64; 6], w: [f64; 6], a: [f64; 6]) -> [f64; 6] {
    const UPPER: (f64, f64, f64) = (26.0, 0.62, 0.31);
    const FORE: (f64, f64) = (19.0, 0.34);
    const INERTIA: [f64; 6] = [14.0, 12.0, 5.0, 0.6, 0.4, 0.12];
    const VISCOUS: [f64; 6] = [9.0, 9.0, 6.0, 1.5, 1.2, 0.5];
    let (mass, length, centre) = UPPER;
    let elbow = FORE.0 * FORE.1 * libm::cos(q[1] + q[2]);
    let gravity = [
        0.0,
        GRAVITY * ((mass * centre + FORE.0 * length) * libm::sin(q[1]) + elbow),
        GRAVITY * elbow,
        0.0,
        GRAVITY * 3.5 * 0.08 * libm::cos(q[1] + q[2] + q[4]),
        0.0,
    ];
    std::array::from_fn(|i| gravity[i] + INERTIA[i] * a[i] + VISCOUS[i] * w[i])
}

impl Equations for Capper {
    type State = CapperState;
    type Input = CapperInput;
    type Output = CapperOutput;

    fn initial(&self) -> CapperState {
        CapperState {
            phase: CapperPhase::Fetch,
            time: 0.0,
            from: RAISED,
            station: 0,
            capped: 0,
            cycle: 0.0,
            last_cycle: 0.0,
            last_cap_torque: self.cap_torque,
            aim: self.cap_torque,
        }
    }

    fn step(&self, state: &mut CapperState, input: &CapperInput, dt: f64, noise: &mut Noise) -> CapperOutput {
        state.station += input.bottles;
        state.time += dt;
        state.cycle += dt;
        let mut bottles = 0;
        let ready = state.phase != CapperPhase::Wait || (state.station >= self.heads && input.outfeed_free);
        if state.time >= state.phase.secs() && ready {
            match state.phase {
                CapperPhase::Descend => state.aim = self.cap_torque * (1.0 + noise.normal(0.025)),
                CapperPhase::Screw => {
                    bottles = state.station.min(self.heads);
                    state.station -= bottles;
                    state.capped += u64::from(bottles);
                    state.last_cap_torque = state.aim;
                    state.last_cycle = state.cycle;
                    state.cycle = 0.0;
                }
                _ => {}
            }
            state.from = state.phase.goal();
            state.phase = state.phase.next();
            state.time = 0.0;
        }
        let (part, speed, acceleration) = quintic(state.time, state.phase.secs());
        let goal = state.phase.goal();
        let way: [f64; 6] = std::array::from_fn(|i| goal[i] - state.from[i]);
        let angles: [f64; 6] = std::array::from_fn(|i| state.from[i] + way[i] * part);
        let mut torques = torques(
            angles.map(f64::to_radians),
            way.map(|x| x.to_radians() * speed),
            way.map(|x| x.to_radians() * acceleration),
        );
        // Caps turn freely until the thread ends, then the torque rises to what was aimed at.
        let cap_torque =
            if state.phase == CapperPhase::Screw { state.aim * ((part - 0.7) / 0.3).max(0.0) } else { 0.0 };
        torques[5] += cap_torque;
        let work: f64 = (0..6).map(|i| (torques[i] * way[i].to_radians() * speed).abs()).sum();
        CapperOutput {
            phase: state.phase,
            bottles,
            room: self.heads.saturating_sub(state.station),
            angles,
            torques,
            cap_torque,
            gripping: !matches!(state.phase, CapperPhase::Fetch | CapperPhase::Ascend),
            power: 350.0 + work / 0.85,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    fn cycle(check: impl Fn(&CapperOutput, &CapperOutput)) -> CapperState {
        let capper = design::capper();
        let (mut state, mut noise) = (capper.initial(), Noise::new(9, 0));
        let mut last = None;
        for i in 0..15_000 {
            let arrived = u32::from(i % 40 == 0).min(capper.heads - state.station);
            let input = CapperInput { bottles: arrived, outfeed_free: true };
            let out = capper.step(&mut state, &input, 0.02, &mut noise);
            if let Some(last) = &last {
                check(last, &out);
            }
            last = Some(out);
        }
        state
    }

    #[test]
    fn joints_stay_within_their_limits_and_never_jump() {
        cycle(|before, now| {
            for (i, (low, high)) in JOINT_LIMITS.iter().enumerate() {
                assert!((*low..=*high).contains(&now.angles[i]), "joint {}: {}", i + 1, now.angles[i]);
                let speed = (now.angles[i] - before.angles[i]).abs() / 0.02;
                assert!(speed < 700.0, "joint {} turns at {speed} degrees a second", i + 1);
            }
        });
    }

    #[test]
    fn every_cycle_caps_as_many_bottles_as_there_are_heads() {
        let state = cycle(|_, now| assert!(now.bottles == 0 || now.bottles == 6));
        assert!(state.capped > 250 && state.capped.is_multiple_of(6), "{state:?}");
        assert!(state.last_cycle > 4.0 && state.last_cycle < 6.5, "{state:?}");
    }

    #[test]
    fn caps_reach_their_torque_only_at_the_end_of_screwing() {
        let peak = std::cell::Cell::new(0f64);
        cycle(|_, now| {
            peak.set(peak.get().max(now.cap_torque));
            assert!(now.cap_torque == 0.0 || now.phase == CapperPhase::Screw);
        });
        assert!((1.8..2.5).contains(&peak.get()), "{}", peak.get());
    }
}
