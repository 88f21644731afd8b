//! A glycol chiller. In: heat that comes back, ambient. Out: supply temperature, power, coefficient of performance.
//!
//! Equations: energy balance of the glycol loop; coefficient of performance as a share of Carnot's (Çengel and Boles,
//! "Thermodynamics", ch. 11). Holds its supply temperature with a PI controller, within its capacity.

use crate::model::numeric::{Pi, approach};
use crate::model::{Equations, Noise};

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Chiller {
    /// W of cold at full load.
    pub capacity: f64,
    /// Heat capacity of the loop in J/K.
    pub loop_heat: f64,
    /// °C
    pub setpoint: f64,
    /// Share of Carnot's coefficient of performance.
    pub carnot_share: f64,
    /// m³/s of glycol
    pub flow: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChillerState {
    /// °C
    pub supply: f64,
    /// 0 to 1
    pub load: f64,
    integral: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChillerInput {
    /// W taken up by the glycol.
    pub heat: f64,
    /// °C
    pub return_temperature: f64,
    pub ambient: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ChillerOutput {
    /// m³/s
    pub flow: f64,
    /// °C
    pub return_temperature: f64,
    pub condensing: f64,
    /// W
    pub cooling: f64,
    pub power: f64,
    pub cop: f64,
    /// rad/s
    pub fan_speed: f64,
}

impl Equations for Chiller {
    type State = ChillerState;
    type Input = ChillerInput;
    type Output = ChillerOutput;

    fn initial(&self) -> ChillerState {
        ChillerState { supply: self.setpoint, load: 0.75, integral: 0.75 }
    }

    fn step(&self, state: &mut ChillerState, input: &ChillerInput, dt: f64, _: &mut Noise) -> ChillerOutput {
        let mut pi = Pi { kp: 0.25, ki: 0.006, out: (0.0, 1.0), integral: state.integral };
        let wanted = pi.step(state.supply - self.setpoint, dt);
        state.integral = pi.integral;
        state.load = approach(state.load, wanted, 4.0, dt);
        let cooling = self.capacity * state.load;
        state.supply += (input.heat - cooling) / self.loop_heat * dt;
        let condensing = input.ambient + 8.0 + 12.0 * state.load;
        let evaporating = state.supply - 5.0 + 273.15;
        let lift = (condensing + 273.15 - evaporating).max(5.0);
        let cop = (self.carnot_share * evaporating / lift).min(8.0);
        ChillerOutput {
            flow: self.flow,
            return_temperature: input.return_temperature,
            condensing,
            cooling,
            power: cooling / cop + 2200.0,
            cop,
            fan_speed: 20.0 + 75.0 * state.load,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bottling::design;

    #[test]
    fn it_holds_its_setpoint_within_its_capacity_and_warms_beyond() {
        let chiller = design::chiller();
        let mut noise = Noise::new(2, 0);
        let mut settle = |heat: f64| {
            let mut state = chiller.initial();
            let input = ChillerInput { heat, return_temperature: 10.0, ambient: 21.0 };
            let mut out = ChillerOutput::default();
            for _ in 0..60_000 {
                out = chiller.step(&mut state, &input, 0.05, &mut noise);
            }
            (state.supply, out)
        };
        let (supply, out) = settle(0.6 * chiller.capacity);
        assert!((supply - chiller.setpoint).abs() < 0.05, "{supply} °C");
        assert!((out.cooling - 0.6 * chiller.capacity).abs() < 0.01 * chiller.capacity);
        assert!(out.cop > 2.0 && out.cop < 8.0, "{out:?}");
        assert!(settle(1.1 * chiller.capacity).0 > chiller.setpoint + 5.0);
    }
}
