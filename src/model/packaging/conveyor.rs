//! A belt with bottles on it. In: bottles set on it, room at its end. Out: bottles that left, occupancy, motor current.
//!
//! Each bottle moves with the belt until it touches the one in front, as on a real accumulating conveyor (Härte,
//! "The modelling of packaging lines", 1997). Bottles never pass, vanish or appear.

use std::collections::VecDeque;

use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conveyor {
    /// m
    pub length: f64,
    /// Least distance of two bottles in m.
    pub pitch: f64,
    /// m/s
    pub belt_speed: f64,
    /// Motor current in A when empty, and what a full belt adds.
    pub idle_current: f64,
    pub load_current: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ConveyorState {
    /// m/s
    pub speed: f64,
    /// Distances from the infeed in m, first the bottle that leaves next. Below 0: still being set down.
    pub bottles: VecDeque<f64>,
    /// Bottles that have left since the start.
    pub passed: u64,
    /// °C
    pub motor_temperature: f64,
    /// Way of the belt in m: where the next row of bottles stands.
    pub travel: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ConveyorInput {
    pub infeed: u32,
    /// How many bottles the machine behind takes in this step.
    pub room: u32,
    /// °C
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ConveyorOutput {
    /// m/s
    pub speed: f64,
    pub released: u32,
    /// 0 empty, 1 bottle to bottle.
    pub occupancy: f64,
    /// Whether the infeed can take another bottle.
    pub accepts: bool,
    /// A
    pub current: f64,
    /// W
    pub power: f64,
}

impl Conveyor {
    fn accepts(&self, state: &ConveyorState) -> bool {
        state.bottles.back().is_none_or(|last| *last >= self.pitch)
    }
}

impl Equations for Conveyor {
    type State = ConveyorState;
    type Input = ConveyorInput;
    type Output = ConveyorOutput;

    fn initial(&self) -> ConveyorState {
        ConveyorState {
            speed: self.belt_speed,
            bottles: VecDeque::new(),
            passed: 0,
            motor_temperature: 35.0,
            travel: 0.0,
        }
    }

    fn step(&self, state: &mut ConveyorState, input: &ConveyorInput, dt: f64, _: &mut Noise) -> ConveyorOutput {
        for _ in 0..input.infeed {
            let behind = state.bottles.back().map_or(0.0, |last| (last - self.pitch).min(0.0));
            state.bottles.push_back(behind);
        }
        let occupancy = (state.bottles.len() as f64 * self.pitch / self.length).min(1.0);
        // An almost full belt slows down so that bottles do not press on each other.
        let wanted = if occupancy > 0.9 { 0.6 * self.belt_speed } else { self.belt_speed };
        state.speed = approach(state.speed, wanted, 0.8, dt);
        let way = state.speed * dt;
        state.travel = (state.travel + way) % (3.0 * self.pitch);
        let mut limit = self.length;
        for bottle in &mut state.bottles {
            *bottle = (*bottle + way).min(limit);
            limit = *bottle - self.pitch;
        }
        let mut released = 0;
        while released < input.room && state.bottles.front().is_some_and(|first| *first >= self.length) {
            state.bottles.pop_front();
            released += 1;
        }
        state.passed += u64::from(released);
        let current = self.idle_current * (state.speed / self.belt_speed) + self.load_current * occupancy;
        let power = 3f64.sqrt() * 400.0 * 0.72 * current;
        state.motor_temperature = approach(state.motor_temperature, input.ambient + 0.045 * power, 400.0, dt);
        ConveyorOutput { speed: state.speed, released, occupancy, accepts: self.accepts(state), current, power }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    fn run(room: u32, steps: usize) -> (ConveyorState, u64) {
        let belt = design::conveyor(12.0);
        let (mut state, mut noise, mut entered) = (belt.initial(), Noise::new(1, 0), 0);
        let mut accepts = true;
        for i in 0..steps {
            let infeed = u32::from(i.is_multiple_of(40) && accepts);
            entered += u64::from(infeed);
            accepts = belt.step(&mut state, &ConveyorInput { infeed, room, ambient: 21.0 }, 0.02, &mut noise).accepts;
        }
        (state, entered)
    }

    #[test]
    fn bottles_neither_vanish_nor_appear_nor_overlap() {
        for room in [0, 1] {
            let (state, entered) = run(room, 20_000);
            assert_eq!(entered, state.passed + state.bottles.len() as u64);
            let positions: Vec<f64> = state.bottles.iter().copied().collect();
            assert!(positions.windows(2).all(|pair| pair[0] - pair[1] > 0.1 - 1e-9));
        }
    }

    #[test]
    fn a_blocked_belt_fills_up_and_then_accepts_no_more() {
        let (state, entered) = run(0, 20_000);
        assert_eq!(state.passed, 0);
        assert_eq!(entered, 121, "12 m at 0.1 m a bottle, one at each end");
    }

    #[test]
    fn the_first_bottle_arrives_after_length_over_speed() {
        let belt = design::conveyor(12.0);
        let early = (12.0 / belt.belt_speed / 0.02) as usize - 2;
        assert_eq!(run(1, early).0.passed, 0);
        assert_eq!(run(1, early + 4).0.passed, 1);
    }
}
