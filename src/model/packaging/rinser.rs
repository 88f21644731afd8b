//! A rotary rinser, geared to the filler. In: the filler's speed, air pressure. Out: water used, pressure, power.
//!
//! Equation: nozzle flow follows the square root of its pressure (Torricelli). Never rinses while the line stands.

use crate::model::{Equations, Noise, numeric::approach};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rinser {
    /// Turns of the rinser for one turn of the filler.
    pub gear: f64,
    /// Water pressure in Pa, and the water flow in m³/s with all nozzles open at that pressure.
    pub supply: f64,
    pub full_flow: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RinserState {
    /// m³/s
    pub flow: f64,
    /// m³
    pub used: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RinserInput {
    /// rad/s
    pub filler_speed: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct RinserOutput {
    /// rad/s
    pub speed: f64,
    /// m³/s
    pub flow: f64,
    /// Pa
    pub pressure: f64,
    /// W
    pub power: f64,
}

impl Equations for Rinser {
    type State = RinserState;
    type Input = RinserInput;
    type Output = RinserOutput;

    fn initial(&self) -> RinserState {
        RinserState { flow: 0.0, used: 0.0 }
    }

    fn step(&self, state: &mut RinserState, input: &RinserInput, dt: f64, noise: &mut Noise) -> RinserOutput {
        let speed = input.filler_speed * self.gear;
        let pressure = self.supply * (1.0 + noise.normal(0.002)) - 2e4 * state.flow / self.full_flow;
        let open = if speed > 0.02 { (pressure / self.supply).max(0.0).sqrt() } else { 0.0 };
        state.flow = approach(state.flow, self.full_flow * open, 0.5, dt);
        state.used += state.flow * dt;
        RinserOutput { speed, flow: state.flow, pressure, power: 150.0 + 1200.0 * speed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn water_flows_only_while_the_line_turns() {
        let rinser = design::rinser();
        let (mut state, mut noise) = (rinser.initial(), Noise::new(5, 0));
        let mut run = |speed: f64| {
            for _ in 0..500 {
                rinser.step(&mut state, &RinserInput { filler_speed: speed }, 0.02, &mut noise);
            }
            state.flow
        };
        assert!(run(0.3) > 0.9 * rinser.full_flow);
        assert!(run(0.0) < 0.01 * rinser.full_flow);
    }
}
