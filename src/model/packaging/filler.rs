//! A rotary filler. In: speed, product flow into its bowl, room behind it. Out: bottles, rejects, product used.
//!
//! Equations: one bottle per valve pitch of the carousel; mass balance of the bowl. Never fills from an empty bowl.

use std::f64::consts::TAU;

use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Filler {
    pub valves: f64,
    /// m³ a bottle
    pub bottle: f64,
    /// Standard deviation of the filled volume in m³, and the deviation at which a bottle is rejected.
    pub spread: f64,
    pub tolerance: f64,
    /// Surface of the bowl in m².
    pub bowl_area: f64,
    /// Level in m below which it stops.
    pub bowl_minimum: f64,
    /// rad/s at the start.
    pub start_speed: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FillerState {
    /// rad/s
    pub speed: f64,
    /// Turned since the last bottle left, rad.
    pub turned: f64,
    /// Angle of the carousel in rad, 0 to 2π.
    pub angle: f64,
    /// m³
    pub bowl: f64,
    pub filled: u64,
    pub rejected: u64,
    /// m³ in the newest bottle.
    pub last_fill: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FillerInput {
    /// rad/s
    pub speed_command: f64,
    /// m³/s
    pub inflow: f64,
    /// False if the conveyor behind is full.
    pub outfeed_free: bool,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct FillerOutput {
    /// rad/s
    pub speed: f64,
    /// Good bottles that left in this step.
    pub bottles: u32,
    /// m³/s
    pub product: f64,
    /// m
    pub bowl_level: f64,
    pub starved: bool,
    pub blocked: bool,
    /// W
    pub power: f64,
}

impl Equations for Filler {
    type State = FillerState;
    type Input = FillerInput;
    type Output = FillerOutput;

    fn initial(&self) -> FillerState {
        FillerState {
            speed: self.start_speed,
            turned: 0.0,
            angle: 0.0,
            bowl: 0.12 * self.bowl_area,
            filled: 0,
            rejected: 0,
            last_fill: self.bottle,
        }
    }

    fn step(&self, state: &mut FillerState, input: &FillerInput, dt: f64, noise: &mut Noise) -> FillerOutput {
        let starved = state.bowl < self.bowl_minimum * self.bowl_area;
        let blocked = !input.outfeed_free;
        let wanted = if starved || blocked { 0.0 } else { input.speed_command };
        state.speed = approach(state.speed, wanted, if wanted < state.speed { 0.6 } else { 1.8 }, dt);
        let pitch = TAU / self.valves;
        state.turned += state.speed * dt;
        state.angle = (state.angle + state.speed * dt) % TAU;
        let mut bottles = 0;
        while state.turned >= pitch {
            state.turned -= pitch;
            // Now and then a valve closes early.
            let early = if noise.chance(0.004) { -1.6 * self.tolerance } else { 0.0 };
            state.last_fill = self.bottle + noise.normal(self.spread) + early;
            state.filled += 1;
            if (state.last_fill - self.bottle).abs() > self.tolerance {
                state.rejected += 1;
            } else {
                bottles += 1;
            }
        }
        // Valves fill all the way round: product flows evenly, not bottle by bottle.
        let product = (state.speed / pitch * self.bottle).min(state.bowl / dt);
        state.bowl += (input.inflow - product) * dt;
        FillerOutput {
            speed: state.speed,
            bottles,
            product,
            bowl_level: state.bowl / self.bowl_area,
            starved,
            blocked,
            power: 900.0 + 7500.0 * state.speed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn at_three_turns_a_minute_24_valves_fill_72_bottles_a_minute() {
        let filler = design::filler();
        let (mut state, mut noise) = (filler.initial(), Noise::new(5, 0));
        let (dt, mut good, mut used) = (0.02, 0, 0.0);
        let start = state.bowl;
        for _ in 0..(600.0 / dt) as usize {
            let input = FillerInput { speed_command: TAU * 3.0 / 60.0, inflow: 0.0018, outfeed_free: true };
            let out = filler.step(&mut state, &input, dt, &mut noise);
            good += u64::from(out.bottles);
            used += out.product * dt;
        }
        assert!((719..=720).contains(&state.filled), "{}", state.filled);
        assert_eq!(good + state.rejected, state.filled);
        assert!(state.rejected < 20);
        assert!((state.bowl - (start + 0.0018 * 600.0 - used)).abs() < 1e-9, "mass balance of the bowl");
    }

    #[test]
    fn an_empty_bowl_and_a_full_conveyor_both_stop_it() {
        let filler = design::filler();
        for (inflow, outfeed_free) in [(0.0, true), (0.0018, false)] {
            let (mut state, mut noise) = (filler.initial(), Noise::new(5, 0));
            let input = FillerInput { speed_command: 0.3, inflow, outfeed_free };
            for _ in 0..30_000 {
                filler.step(&mut state, &input, 0.02, &mut noise);
            }
            assert!(state.speed < 1e-3 && state.bowl >= 0.0, "{state:?}");
        }
    }
}
