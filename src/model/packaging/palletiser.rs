//! A palletiser: bottles to layers, layers to pallets. In: bottles, a vehicle that fetches. Out: pallets, lift position.
//!
//! The lift sinks by one layer after each push, so that layers are always pushed at the same height. Never pushes onto
//! a full pallet: it waits until the pallet is fetched.

use crate::model::{Equations, Noise, numeric::move_towards};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PalletiserPhase {
    #[default]
    Collecting,
    Pushing,
    Lowering,
    /// The pallet is full and waits to be fetched.
    Full,
    Raising,
}

impl PalletiserPhase {
    pub fn text(self) -> &'static str {
        match self {
            PalletiserPhase::Collecting => "COLLECTING",
            PalletiserPhase::Pushing => "PUSHING",
            PalletiserPhase::Lowering => "LOWERING",
            PalletiserPhase::Full => "FULL",
            PalletiserPhase::Raising => "RAISING",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Palletiser {
    pub bottles_in_layer: u32,
    pub layers_on_pallet: u32,
    /// m
    pub layer_height: f64,
    pub top: f64,
    /// m/s
    pub lift_speed: f64,
    pub push_secs: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PalletiserState {
    pub phase: PalletiserPhase,
    pub time: f64,
    /// Bottles on the collecting table.
    pub collected: u32,
    pub layers: u32,
    pub pallets: u64,
    /// Height of the lift in m.
    pub lift: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PalletiserInput {
    pub bottles: u32,
    /// The vehicle takes the pallet in this step.
    pub fetched: bool,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PalletiserOutput {
    pub phase: PalletiserPhase,
    /// Bottles that the table can still take.
    pub room: u32,
    pub pallet_waiting: bool,
    /// m
    pub lift: f64,
    /// A
    pub lift_current: f64,
    /// W
    pub power: f64,
}

impl Equations for Palletiser {
    type State = PalletiserState;
    type Input = PalletiserInput;
    type Output = PalletiserOutput;

    fn initial(&self) -> PalletiserState {
        let (phase, lift) = (PalletiserPhase::Collecting, self.top);
        PalletiserState { phase, time: 0.0, collected: 0, layers: 0, pallets: 0, lift }
    }

    fn step(&self, state: &mut PalletiserState, input: &PalletiserInput, dt: f64, _: &mut Noise) -> PalletiserOutput {
        state.collected += input.bottles;
        state.time += dt;
        let target = self.top - f64::from(state.layers) * self.layer_height;
        let before = state.lift;
        state.lift = move_towards(state.lift, target, self.lift_speed, dt);
        let arrived = (state.lift - target).abs() < 1e-9;
        let next = match state.phase {
            PalletiserPhase::Collecting if state.collected >= self.bottles_in_layer => PalletiserPhase::Pushing,
            PalletiserPhase::Pushing if state.time >= self.push_secs => {
                state.collected -= self.bottles_in_layer;
                state.layers += 1;
                PalletiserPhase::Lowering
            }
            PalletiserPhase::Lowering if arrived && state.layers >= self.layers_on_pallet => PalletiserPhase::Full,
            PalletiserPhase::Lowering | PalletiserPhase::Raising if arrived => PalletiserPhase::Collecting,
            PalletiserPhase::Full if input.fetched => {
                state.layers = 0;
                state.pallets += 1;
                PalletiserPhase::Raising
            }
            same => same,
        };
        if next != state.phase {
            (state.phase, state.time) = (next, 0.0);
        }
        // Lifting works against the load, lowering is held by the brake.
        let speed = (state.lift - before) / dt;
        let mass = 60.0 + 85.0 * f64::from(state.layers);
        let lift_power = if speed > 0.0 { mass * 9.81 * speed / 0.7 } else { 250.0 * -speed };
        let pushing = if state.phase == PalletiserPhase::Pushing { 1.6 } else { 0.0 };
        let lift_current = 0.4 + lift_power / (3f64.sqrt() * 400.0 * 0.75) + pushing;
        PalletiserOutput {
            phase: state.phase,
            room: self.bottles_in_layer.saturating_sub(state.collected),
            pallet_waiting: state.phase == PalletiserPhase::Full,
            lift: state.lift,
            lift_current,
            power: 3f64.sqrt() * 400.0 * 0.75 * lift_current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn bottles_are_on_the_table_or_on_pallets_and_a_full_pallet_waits() {
        let palletiser = design::palletiser();
        let (mut state, mut noise) = (palletiser.initial(), Noise::new(2, 0));
        let (mut room, mut waiting, mut waited, mut given) = (1, false, 0, 0);
        for i in 0..60_000 {
            let bottles = u32::from(i % 40 == 0 && room > 0);
            given += bottles;
            waited = if waiting { waited + 1 } else { 0 };
            let input = PalletiserInput { bottles, fetched: waited > 500 };
            let out = palletiser.step(&mut state, &input, 0.02, &mut noise);
            (room, waiting) = (out.room, out.pallet_waiting);
            assert!(out.lift >= 0.0 && out.lift <= palletiser.top);
            assert!(state.layers <= palletiser.layers_on_pallet);
        }
        let layers = state.pallets as u32 * palletiser.layers_on_pallet + state.layers;
        assert_eq!(given, layers * palletiser.bottles_in_layer + state.collected);
        assert!(state.pallets >= 3, "{state:?}");
    }
}
