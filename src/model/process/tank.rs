//! A stirred tank: volume from flows, temperature from mixing. In: flows, temperatures. Out: level, what really left.
//!
//! Equations: mass and energy balance of a well-mixed vessel (Seborg et al., "Process Dynamics and Control", ch. 2).
//! Never gives more than it holds, never holds more than its volume: the rest overflows and is counted.

use super::{DENSITY, SPECIFIC_HEAT};
use crate::model::{Equations, Machine, Noise, numeric::approach};
use crate::value::powi;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tank {
    /// Cross-section in m².
    pub area: f64,
    /// Height in m up to the overflow.
    pub height: f64,
    /// Heat transfer to the surroundings in W/K.
    pub heat_loss: f64,
    /// Level at the start in m.
    pub start_level: f64,
    /// Temperature at the start in °C.
    pub start_temperature: f64,
    /// Speed of the agitator in rad/s, 0 without one.
    pub agitator_speed: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TankState {
    /// m³
    pub volume: f64,
    /// °C
    pub temperature: f64,
    /// rad/s
    pub agitator_speed: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TankInput {
    /// m³/s
    pub inflow: f64,
    /// °C
    pub inflow_temperature: f64,
    /// m³/s that the downstream side draws.
    pub draw: f64,
    /// °C
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct TankOutput {
    /// m
    pub level: f64,
    /// m³/s that really left through the outlet.
    pub outflow: f64,
    /// m³/s that ran over.
    pub overflow: f64,
    /// Electrical power of the agitator in W.
    pub agitator_power: f64,
}

impl Equations for Tank {
    type State = TankState;
    type Input = TankInput;
    type Output = TankOutput;

    fn initial(&self) -> TankState {
        TankState {
            volume: self.area * self.start_level,
            temperature: self.start_temperature,
            agitator_speed: self.agitator_speed,
        }
    }

    fn step(&self, state: &mut TankState, input: &TankInput, dt: f64, _: &mut Noise) -> TankOutput {
        let entered = input.inflow.max(0.0) * dt;
        let held = state.volume + entered;
        if held > 0.0 {
            state.temperature += (input.inflow_temperature - state.temperature) * entered / held;
            let cooling = DENSITY * SPECIFIC_HEAT * held / self.heat_loss.max(f64::MIN_POSITIVE);
            state.temperature = approach(state.temperature, input.ambient, cooling, dt);
        }
        let left = (input.draw.max(0.0) * dt).min(held);
        let over = (held - left - self.area * self.height).max(0.0);
        state.volume = held - left - over;
        let level = state.volume / self.area;
        // An agitator must not run dry; its power rises with the cube of its speed (constant power number).
        let wanted = if level > 0.3 { self.agitator_speed } else { 0.0 };
        state.agitator_speed = approach(state.agitator_speed, wanted, 1.5, dt);
        let agitator_power = if self.agitator_speed > 0.0 {
            80.0 + 700.0 * powi(state.agitator_speed / self.agitator_speed, 3)
        } else {
            0.0
        };
        TankOutput { level, outflow: left / dt, overflow: over / dt, agitator_power }
    }
}

impl Machine<Tank> {
    /// m
    pub fn level(&self) -> f64 {
        self.state.volume / self.model.area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TANK: Tank =
        Tank { area: 2.0, height: 3.0, heat_loss: 5.0, start_level: 1.0, start_temperature: 20.0, agitator_speed: 6.0 };

    fn run(input: TankInput, secs: f64) -> (TankState, f64, f64) {
        let (mut state, mut noise) = (TANK.initial(), Noise::new(1, 0));
        let (mut left, mut over, dt) = (0.0, 0.0, 0.02);
        for _ in 0..(secs / dt) as usize {
            let out = TANK.step(&mut state, &input, dt, &mut noise);
            left += out.outflow * dt;
            over += out.overflow * dt;
        }
        (state, left, over)
    }

    #[test]
    fn what_entered_less_what_left_is_what_is_in_the_tank() {
        let input = TankInput { inflow: 0.002, inflow_temperature: 20.0, draw: 0.0015, ambient: 20.0 };
        let (state, left, over) = run(input, 600.0);
        assert!((state.volume - (2.0 + 0.002 * 600.0 - left - over)).abs() < 1e-9);
        assert!((state.volume - 2.3).abs() < 1e-6, "{state:?}");
    }

    #[test]
    fn an_empty_tank_gives_nothing_and_a_full_one_overflows() {
        let draining = TankInput { inflow: 0.0, inflow_temperature: 20.0, draw: 0.01, ambient: 20.0 };
        let (state, left, _) = run(draining, 600.0);
        assert!(state.volume == 0.0 && (left - 2.0).abs() < 1e-9);
        let filling = TankInput { inflow: 0.01, inflow_temperature: 20.0, draw: 0.0, ambient: 20.0 };
        let (state, _, over) = run(filling, 600.0);
        assert!((state.volume - 6.0).abs() < 1e-9 && (over - 2.0).abs() < 1e-9);
    }

    #[test]
    fn mixing_goes_to_the_temperature_of_the_inflow() {
        let input = TankInput { inflow: 0.01, inflow_temperature: 5.0, draw: 0.01, ambient: 5.0 };
        let (state, _, _) = run(input, 2000.0);
        assert!((state.temperature - 5.0).abs() < 0.01, "{state:?}");
    }
}
