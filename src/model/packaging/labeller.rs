//! A labeller with a reel. In: bottles. Out: labelled bottles, rejects, labels left.
//!
//! One label a bottle; an empty reel stops it until a new one is in. Never lets a bottle pass without a label.

use std::f64::consts::TAU;

use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Labeller {
    pub labels_on_reel: u32,
    /// Labels on the first reel.
    pub start_labels: u32,
    pub reel_change_secs: f64,
    /// Labels for one turn of the drum.
    pub labels_per_turn: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LabellerState {
    pub labels: u32,
    /// Seconds until the new reel is in; 0 while it runs.
    pub changing: f64,
    pub labelled: u64,
    pub rejected: u64,
    /// Bottles a second, smoothed.
    pub rate: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LabellerInput {
    pub bottles: u32,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct LabellerOutput {
    pub bottles: u32,
    /// Whether it takes a bottle in the next step.
    pub ready: bool,
    /// rad/s
    pub drum_speed: f64,
    /// W
    pub power: f64,
}

impl Equations for Labeller {
    type State = LabellerState;
    type Input = LabellerInput;
    type Output = LabellerOutput;

    fn initial(&self) -> LabellerState {
        LabellerState { labels: self.start_labels, changing: 0.0, labelled: 0, rejected: 0, rate: 0.0 }
    }

    fn step(&self, state: &mut LabellerState, input: &LabellerInput, dt: f64, noise: &mut Noise) -> LabellerOutput {
        if state.changing > 0.0 {
            state.changing -= dt;
            if state.changing <= 0.0 {
                (state.changing, state.labels) = (0.0, self.labels_on_reel);
            }
        }
        let mut bottles = 0;
        for _ in 0..input.bottles.min(state.labels) {
            state.labels -= 1;
            state.labelled += 1;
            if noise.chance(0.002) {
                state.rejected += 1;
            } else {
                bottles += 1;
            }
        }
        if state.labels == 0 && state.changing == 0.0 {
            state.changing = self.reel_change_secs;
        }
        state.rate = approach(state.rate, f64::from(input.bottles) / dt, 3.0, dt);
        let drum_speed = state.rate / self.labels_per_turn * TAU;
        LabellerOutput { bottles, ready: state.labels > 0, drum_speed, power: 220.0 + 180.0 * drum_speed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_reel_stops_it_for_as_long_as_the_change_takes() {
        let labeller = Labeller { labels_on_reel: 100, start_labels: 3, reel_change_secs: 10.0, labels_per_turn: 6.0 };
        let (mut state, mut noise) = (labeller.initial(), Noise::new(2, 0));
        let (mut ready, mut stopped) = (true, 0f64);
        for _ in 0..1000 {
            let out = labeller.step(&mut state, &LabellerInput { bottles: u32::from(ready) }, 0.02, &mut noise);
            ready = out.ready;
            if !ready && state.labelled == 3 {
                stopped += 0.02;
            }
        }
        assert!((stopped - 10.0).abs() < 0.05, "{stopped}");
        assert!(state.labelled > 3);
    }
}
